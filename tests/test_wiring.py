"""Both ends of every wire: what is declared is used, and what is used exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from allauth import app_settings as allauth_settings
from allauth.account import app_settings as account_settings
from allauth.mfa import app_settings as mfa_settings
from allauth.socialaccount import app_settings as socialaccount_settings
from allauth.socialaccount.adapter import get_adapter
from allauth.usersessions import app_settings as usersessions_settings
from celery.app import defaults
from django.apps import apps
from django.conf import global_settings
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.template import TemplateDoesNotExist
from django.template.backends.django import DjangoTemplates
from django.template.loader import get_template
from django.urls import get_resolver

from accounts.clients import platform_for
from accounts.connect import CONNECTABLE, entry_for
from accounts.models import ConnectedAccount, Notification, Role
from accounts.provider import provider_classes
from accounts.providers import PROVIDERS
from accounts.renew import RENEWALS
from publishing.models import Post, Status
from publishing.post_types import TYPE_NAMES
from socialhub.assets import JOINED, parts
from socialhub.platforms import LABELS, PLATFORMS
from socialhub.platforms.base import PostType
from socialhub.platforms.buffer import SERVICES
from socialhub.platforms.rules import IMAGE, RULES, WINDOWS
from socialhub.templatetags.ui import STATUSES
from tests.test_isolation import is_allauth, walk

ROOT = Path(__file__).resolve().parent.parent
APPS = ("accounts", "publishing", "analytics")
TEMPLATES = ROOT / "templates"
STATIC = ROOT / "static"


@cache
def sources(*suffixes: str, without: str = "") -> dict[Path, str]:
    """The product's own code and pages, without tests, migrations and the simulated networks."""
    found = {}
    for top in ("accounts", "publishing", "analytics", "socialhub", "templates", "static/js"):
        for path in sorted((ROOT / top).rglob("*")):
            inside = path.relative_to(ROOT).parts
            if path.suffix in suffixes and "migrations" not in inside and "sandbox" not in inside[:2]:
                found[path] = path.read_text(encoding="utf-8")
    return {path: text for path, text in found.items() if str(path.relative_to(ROOT)) != without}


def code(*suffixes: str, without: str = "") -> str:
    return "\n".join(sources(*suffixes, without=without).values())


# --- Settings -------------------------------------------------------------------------------------------------

LIBRARIES = {  # prefix: the settings object that knows the rest of the name
    "ACCOUNT_": account_settings,
    "MFA_": mfa_settings,
    "SOCIALACCOUNT_": socialaccount_settings,
    "USERSESSIONS_": usersessions_settings,
    "ALLAUTH_": allauth_settings,
}
CELERY = {name.replace(".", "_").upper() for name in defaults.flatten(defaults.NAMESPACES) for name in [name[0]]}
# Django has no default for the first; django-csp; whitenoise
BY_NAME_ALONE = {"ROOT_URLCONF", "CONTENT_SECURITY_POLICY", "WHITENOISE_ALLOW_ALL_ORIGINS"}


def belongs_to_a_library(name: str) -> bool:
    if name in BY_NAME_ALONE or hasattr(global_settings, name):
        return True
    if name.startswith("CELERY_"):
        return name.removeprefix("CELERY_") in CELERY
    return any(
        name.startswith(prefix) and hasattr(known, name.removeprefix(prefix)) for prefix, known in LIBRARIES.items()
    )


def test_every_setting_has_a_reader() -> None:
    text = (ROOT / "socialhub/settings.py").read_text()
    names = {
        name for line in re.findall(r"^((?:[A-Z_]+ = )+)", text, re.MULTILINE) for name in re.findall("[A-Z_]+", line)
    }
    assert len(names) > 80
    others = code(".py", ".html", without="socialhub/settings.py")
    unread = {
        name
        for name in names
        if not belongs_to_a_library(name)
        and not re.search(rf"settings\.{name}\b", others)
        and len(re.findall(rf"\b{name}\b(?!\")", text)) < 2  # the settings themselves build on it
    }
    assert not unread


def test_every_setting_that_is_read_exists() -> None:
    text = (ROOT / "socialhub/settings.py").read_text()
    read = set(re.findall(r"(?<![a-z_])settings\.([A-Z][A-Z_0-9]+)", code(".py", without="socialhub/settings.py")))
    defined = set(re.findall(r"^ *([A-Z_0-9]+)(?= = | \+= )| ([A-Z_]+) = ", text, re.MULTILINE))
    flat = {name for pair in defined for name in pair if name}
    missing = {name for name in read if name not in flat and not hasattr(global_settings, name)}
    assert not missing


# --- Notifications, states, roles -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Notification.Kind)
def test_every_kind_of_notification_is_sent_by_somebody(kind: Notification.Kind) -> None:
    use = re.compile(rf"(?:Notification\.)?Kind\.{kind.name}\b")
    senders = [
        path.relative_to(ROOT)
        for path, text in sources(".py").items()
        if use.search(text) and re.search(r"\b(?:tell|notice)\b", text) and "models" not in path.parts
    ]
    assert senders


@pytest.mark.parametrize("status", sorted({*Status.values, *Post.Summary.values, *ConnectedAccount.Status.values}))
def test_every_status_has_its_badge(status: str) -> None:
    assert status in STATUSES


def test_every_role_is_explained_where_it_is_given() -> None:
    text = (ROOT / "accounts/forms.py").read_text()
    assert all(f"{Role(role).label}s " in text for role in Role.values)


# --- Networks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", PLATFORMS)
def test_every_network_is_complete(key: str) -> None:
    assert LABELS[key] == RULES[key].label == CONNECTABLE[key].label
    assert RULES[key].post_types
    assert RULES[key].source
    assert IMAGE[key] is RULES[key].image
    assert WINDOWS[key]
    assert f'id="brand-{key.replace("_", "-")}"' in (STATIC / "icons.svg").read_text()
    assert f'[data-platform="{key}"]' in (STATIC / "css/platform-glyph.css").read_text()
    simulated = "\n".join(path.read_text() for path in (ROOT / "socialhub/sandbox").rglob("*.py"))
    assert re.search(rf"\b{SERVICES.get(key, key)}\b", simulated)


def test_nothing_is_known_of_a_network_that_is_none() -> None:
    connectable = {entry.platform for entry in CONNECTABLE.values()}
    assert set(RULES) == set(IMAGE) == set(WINDOWS) == set(LABELS) == connectable == set(PLATFORMS)


@pytest.mark.parametrize("key", CONNECTABLE)
def test_every_entry_leads_to_a_provider_with_an_app_and_a_client(key: str) -> None:
    """One per login: two ways to one network have two entries and act through two clients."""
    entry = CONNECTABLE[key]
    assert entry.key == key
    assert PROVIDERS[entry.provider].redirect_uri().startswith("http://testserver/account/")
    assert entry_for(entry.platform, entry.provider) is entry
    assert platform_for(entry.platform, entry.provider).key == entry.platform
    needed = {scope for scopes in (entry.scopes, *entry.scopes_by_type.values()) for scope in scopes}
    assert needed <= set(PROVIDERS[entry.provider].purposes()), "each permission says what it is for"
    assert [app for app in get_adapter().list_apps(HttpRequest(), entry.provider) if app.client_id]


def test_every_provider_has_an_entry_and_a_handshake() -> None:
    assert {entry.provider for entry in CONNECTABLE.values()} == set(PROVIDERS)
    assert {provider.id for provider in provider_classes} == set(PROVIDERS)
    assert set(RENEWALS) <= set(PROVIDERS)


@pytest.mark.parametrize("kind", PostType)
def test_every_post_type_has_a_name_and_a_network_that_takes_it(kind: PostType) -> None:
    assert TYPE_NAMES[kind]
    assert [key for key, rules in RULES.items() if kind in rules.post_types]


# --- Templates ------------------------------------------------------------------------------------------------

BY_NAME_OF_DJANGO = {"400.html", "403.html", "403_csrf.html", "404.html", "500.html"}
BY_NAME_OF_ALLAUTH = {"429.html"}


def templates() -> list[str]:
    return sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.is_file())


@cache
def replaceable() -> frozenset[str]:
    """Names of the templates that Django and the packages bring, so that ours of the same name take their place."""
    engine = DjangoTemplates(
        {"NAME": "packages", "DIRS": [], "APP_DIRS": True, "OPTIONS": {"libraries": {}}},
    )
    found = set()
    for folder in engine.template_dirs:
        if not str(folder).startswith(str(ROOT / "socialhub")):
            found |= {str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file()}
    forms = Path(apps.get_app_config("forms").path) / "templates"
    return frozenset(found | {str(path.relative_to(forms)) for path in forms.rglob("*") if path.is_file()})


@pytest.mark.parametrize("name", templates())
def test_every_template_is_used(name: str) -> None:
    if name in BY_NAME_OF_DJANGO | BY_NAME_OF_ALLAUTH | replaceable():
        return
    assert re.search(rf"[\"']{re.escape(name)}[\"']", code(".py", ".html", ".txt"))


def test_every_template_that_is_named_exists() -> None:
    named = set(re.findall(r"{% (?:include|extends) [\"']([^\"']+)[\"']", code(".html", ".txt")))
    named |= set(re.findall(r"\"([a-z_]+/[a-z_/]+\.html)\"", code(".py")))
    assert len(named) > 40
    missing = []
    for name in named:
        try:
            get_template(name)
        except TemplateDoesNotExist:
            missing.append(name)
    assert not missing


# --- Addresses ------------------------------------------------------------------------------------------------


def named_addresses() -> Iterator[str]:
    yield from re.findall(r"{% url [\"']([\w:]+)[\"']", code(".html", ".txt"))
    yield from re.findall(r"\b(?:reverse|redirect|reverse_lazy)\(\s*\"([\w:]+)\"", code(".py"))


def test_every_address_that_is_named_exists() -> None:
    known = {name for name, _route in walk()} | {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    used = set(named_addresses())
    assert len(used) > 40
    assert not used - known


# Asked for by machines, or given to people in writing.
FROM_OUTSIDE = {"healthz", "readyz", "metrics", "style", "accounts:meta_deauthorize", "accounts:meta_data_deletion"}


def test_every_address_is_used() -> None:
    # Programs find the operations of the API in its document.
    ours = {name for name, route in walk() if name and not is_allauth(name, route)}
    ours = {name for name in ours if not name.startswith(("admin:", "api:"))}
    named = set(named_addresses()) | {name for name in ours if f'"{name}"' in code(".py")}
    assert not ours - FROM_OUTSIDE - named


# --- Styles, scripts, pictures --------------------------------------------------------------------------------


def static_files() -> list[str]:
    return sorted(str(path.relative_to(STATIC)) for path in STATIC.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", [name for name in static_files() if name.endswith((".css", ".js", ".svg"))])
def test_every_style_script_and_picture_is_linked(name: str) -> None:
    joined = {str(path.relative_to(STATIC)) for path in parts(STATIC / JOINED)}
    assert name in joined or re.search(rf"[\"']{re.escape(name)}[\"'#]", code(".html", ".py"))


def test_everything_that_is_linked_exists() -> None:
    linked = set(re.findall(r"{% static [\"']([^\"']+)[\"']", code(".html", ".txt")))
    assert len(linked) > 30
    assert [name for name in linked if not finders.find(name)] == []


def hooks(pattern: str, text: str) -> set[str]:
    return set(re.findall(pattern, text))


def test_every_hook_of_a_script_is_on_a_page() -> None:
    scripts = code(".js")
    pages = code(".html", ".py")
    used = hooks(r"\[(data-[a-z-]+)", scripts)
    assert len(used) > 10
    made_by_scripts = hooks(r"(?:setAttribute|toggleAttribute)\([\"'](data-[a-z-]+)", scripts)
    made_by_scripts |= {
        "data-" + re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name)
        for name in hooks(r"dataset\.(\w+) = ", scripts)
    }
    assert not {hook for hook in used - made_by_scripts if hook not in pages}


# --- Models and the admin -------------------------------------------------------------------------------------

IN_ANOTHERS_PAGE = {"publishing.ImageSetItem", "publishing.PostMedia", "publishing.Rendition"}


def test_every_model_is_in_the_admin() -> None:
    models = {model for app in (*APPS, "socialhub") for model in apps.get_app_config(app).get_models()}
    absent = {model._meta.label for model in models - set(admin.site._registry)}
    inlined = {
        inline.model._meta.label
        for options in admin.site._registry.values()
        for inline in getattr(options, "inlines", ())
    }
    assert absent <= inlined, absent - inlined
