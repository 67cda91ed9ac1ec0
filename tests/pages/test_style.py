"""The design system: tokens instead of raw values, one sprite without ballast, and the page that shows it all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from socialhub.platforms import LABELS
from socialhub.templatetags.ui import STATUSES
from socialhub.views_style import SWATCHES

ROOT = Path(settings.BASE_DIR)
CSS = ROOT / "static" / "css"
# Where colours are at home: ours, those of the networks, and those that Django's admin asks for by name.
PALETTES = {"tokens.css", "platform-glyph.css", "pages/previews.css", "pages/admin.css"}
SHEETS = [path for path in sorted(CSS.rglob("*.css")) if str(path.relative_to(CSS)) not in PALETTES]

RAW = {
    "a raw colour": re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(", re.I),
    "a raw layer": re.compile(r"z-index:\s*[2-9]\d*|z-index:\s*1\d"),
    "a raw duration": re.compile(r"transition:[^;]*?\b\d+(?:\.\d+)?m?s\b"),
    "a raw shadow": re.compile(r"box-shadow:\s*0 [1-9][^;]*(?:rgb|#)"),
    "what only !important can do": re.compile(r"!important"),
}
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def raw(source: str) -> list[str]:
    return [name for name, pattern in RAW.items() if pattern.search(COMMENT.sub("", source))]


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: str(path.relative_to(CSS)))
def test_a_component_takes_its_values_from_the_tokens(path: Path) -> None:
    assert raw(path.read_text()) == []


@pytest.mark.parametrize(
    "rule",
    [
        "a { color: #fff; }",
        "a { color: rgb(0 0 0 / 50%); }",
        "a { z-index: 20; }",
        "a { transition: color 0.2s; }",
        "a { color: var(--ink) !important; }",
    ],
)
def test_the_rules_find_raw_values(rule: str) -> None:
    assert raw(rule)


def test_every_token_that_is_asked_for_exists() -> None:
    sources = {path: COMMENT.sub("", path.read_text()) for path in CSS.rglob("*.css")}
    made = set(re.findall(r"(?<!var\()(--[\w-]+)\s*:", "".join(sources.values())))
    # With a fallback a property may be absent; in Django's admin there are its own.
    asked = {
        (path.name, name)
        for path, source in sources.items()
        if path.name != "admin.css"
        for name in re.findall(r"var\((--[\w-]+)\)", source)
    }
    assert {(path, name) for path, name in asked if name not in made} == set()


# --- Icons ------------------------------------------------------------------------------------------------------

SPRITE = (ROOT / "static" / "icons.svg").read_text()
ICONS = re.findall(r'<symbol id="([^"]+)"', SPRITE)


# Named by people in code, in templates, and by scripts.
SOURCES = [
    *(path for folder in ("templates", "socialhub", "accounts", "publishing", "analytics") for path in (ROOT / folder).rglob("*.html")),
    *(path for folder in ("socialhub", "accounts", "publishing", "analytics") for path in (ROOT / folder).rglob("*.py")),
    *(ROOT / "static" / "js").glob("*.js"),
]  # fmt: skip


def test_every_icon_is_used() -> None:
    text = "\n".join(path.read_text() for path in SOURCES if "migrations" not in path.parts)
    named = set(re.findall(r"[\"'#]([a-z0-9-]+)[\"']", text))
    named |= {icon for _word, icon, _tone in STATUSES.values()}
    named |= {f"brand-{key.replace('_', '-')}" for key in LABELS}
    assert [icon for icon in ICONS if icon not in named] == []


def test_an_icon_stands_in_the_sprite_once_and_tells_where_it_is_from() -> None:
    assert sorted(ICONS) == sorted(set(ICONS))
    assert "MIT" in SPRITE.split("<symbol")[0]


# --- The page ---------------------------------------------------------------------------------------------------


@pytest.fixture
def staff(owner: User) -> User:
    owner.is_staff = True
    owner.save(update_fields=["is_staff"])
    return owner


def test_staff_see_every_component(signed_in: Client, staff: User) -> None:
    page = signed_in.get("/staff/style/?toast=success")
    assert page.status_code == 200
    assert "The post is scheduled" in page.content.decode()


def test_every_component_has_its_place_on_the_page(signed_in: Client, staff: User) -> None:
    page = signed_in.get("/staff/style/").content.decode()
    shown = set(re.findall(r'data-component="([a-z-]+)"', page))
    parts = {path.stem for path in CSS.glob("*.css")}
    # What has no looks of its own, and the frame, which is around the page.
    unseen = {
        "socialhub",
        "tokens",
        "reset",
        "base",
        "utilities",
        "forced-colors",
        "print",
        "frame",
        "layout",
        "entrance",
    }
    assert shown >= parts - unseen


def test_the_page_shows_every_icon_and_every_state(signed_in: Client, staff: User) -> None:
    page = signed_in.get("/staff/style/").content.decode()
    assert [icon for icon in ICONS if f"<code>{icon}</code>" not in page] == []
    assert [status for status in STATUSES if f'data-status="{status}"' not in page] == []


@pytest.mark.parametrize("scheme", ["light", "dark", "both"])
def test_both_schemes_can_be_seen_beside_each_other(signed_in: Client, staff: User, scheme: str) -> None:
    page = signed_in.get("/staff/style/", {"scheme": scheme}).content.decode()
    shown = re.findall(r'class="style-scheme" data-theme="(\w+)"', page)
    assert shown == (["light", "dark"] if scheme == "both" else [scheme])


def test_every_colour_has_its_swatch() -> None:
    block = (CSS / "tokens.css").read_text().split("/* Space")[0]
    colours = set(re.findall(r"--([\w-]+): (?:light-dark\(|#|rgb)", block))
    shown = set(re.findall(r'\[data-token="([\w-]+)"\] { background', (CSS / "pages" / "style.css").read_text()))
    named = {name for names in SWATCHES.values() for name in names}
    assert colours == shown == named


def test_others_find_nothing_there(signed_in: Client) -> None:
    assert signed_in.get("/staff/style/").status_code == 404


def test_an_invalid_field_is_tied_to_its_error(signed_in: Client, staff: User) -> None:
    page = signed_in.get("/staff/style/").content.decode()
    assert 'id="invalid_title_error"' in page
    assert 'aria-describedby="invalid_title_helptext invalid_title_error"' in page
    assert 'aria-invalid="true"' in page
