"""What the whole site keeps to: headers, forms, redirects, guessing, and names that a request makes up."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse
from django.urls.resolvers import URLPattern, URLResolver, get_resolver

from accounts.models import Membership, User, Workspace
from tests.factories import make_account, make_user
from tests.operation.test_settings import VALID
from tests.test_isolation import ADDRESSES, Things, ask, make_things, several

pytestmark = pytest.mark.django_db
LOGIN, RESET, SIGNUP = (reverse(f"account_{name}") for name in ("login", "reset_password", "signup"))


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def things(workspace: Workspace, owner: User) -> Things:
    return make_things(workspace, owner)


# --- Headers and cookies --------------------------------------------------------------------------------------


def assert_guarded(response: Any) -> None:
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert {"camera=()", "geolocation=()", "payment=()"} <= set(response["Permissions-Policy"].split(", "))
    policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'"
    for name in ("frame-ancestors", "frame-src", "object-src", "worker-src", "base-uri"):
        assert policy[name] == "'none'", name
    assert not re.search("unsafe|\\*|data:|http", policy["script-src"])
    assert "unsafe" not in policy["style-src"]


def assert_kept_by_nobody_else(response: Any) -> None:
    """No cache between keeps what was made for one person, or takes the answer to one for that to another."""
    kept = {word.strip().partition("=")[0] for word in response["Cache-Control"].split(",")}
    assert kept & {"private", "no-store"}
    assert not kept & {"public", "s-maxage"}


@pytest.mark.parametrize("names", several(name for name, line in ADDRESSES.items() if "GET" in line.methods))
def test_every_answer_is_guarded(
    signed_in: Client, signed_in_stranger: Client, things: Things, names: list[str]
) -> None:
    for name in names:
        for client in (signed_in, signed_in_stranger, Client()):
            response = ask(client, "GET", things.url(name), {})
            assert_guarded(response)
            assert_kept_by_nobody_else(response)


@pytest.mark.parametrize("address", ["/nowhere/", LOGIN, SIGNUP, RESET, "/healthz", "/admin/login/"])
def test_answers_to_strangers_are_guarded(client: Client, address: str) -> None:
    assert_guarded(client.get(address))


def test_cookies_on_a_real_site_are_for_https_and_not_for_scripts(owner: User) -> None:
    assert VALID["PUBLIC_BASE_URL"].startswith("https://")
    secure = {"SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": True}
    with override_settings(**secure):
        client = Client()
        client.get(LOGIN, secure=True)
        client.post(LOGIN, {"login": owner.email, "password": "correct horse"}, secure=True)
        assert client.cookies["csrftoken"]["secure"]
        session = client.cookies["sessionid"]
        assert (session["secure"], session["httponly"], session["samesite"]) == (True, True, "Lax")


def callbacks(patterns: list[URLPattern | URLResolver]) -> list[Any]:
    found: list[Any] = []
    for pattern in patterns:
        found += [pattern.callback] if isinstance(pattern, URLPattern) else callbacks(pattern.url_patterns)
    return found


# Meta calls these, and mail programs the third; a signature of the request or in its address stands in for the token.
# An operation of the API asks for the token itself wherever it is a session that opens it (tests/api/test_ground.py).
SIGNED = {"deauthorize", "data_deletion", "reports_leave", "api_operation"}


def test_no_view_takes_forms_from_elsewhere() -> None:
    views = callbacks(get_resolver().url_patterns)
    assert len(views) > 100
    assert {view.__name__ for view in views if getattr(view, "csrf_exempt", False)} == SIGNED


@pytest.mark.parametrize("names", several(name for name, line in ADDRESSES.items() if "POST" in line.methods))
def test_a_form_without_its_token_is_refused(owner: User, things: Things, names: list[str]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    for name in names:
        assert client.post(things.url(name), things.data(name)).status_code == 403, name


# --- Redirects ------------------------------------------------------------------------------------------------

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    " //evil.example",
    "/\t/evil.example",
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_no_redirect_leads_elsewhere(signed_in: Client, owner: User, workspace: Workspace, address: str) -> None:
    account = make_account(workspace)
    sync = signed_in.post(reverse("analytics:account_sync", args=[account.pk]), {"next": address})
    assert sync["Location"] == reverse("accounts:social")
    entering = Client().post(LOGIN, {"login": owner.email, "password": "correct horse", "next": address})
    assert entering.get("Location", "/").startswith(("/account/", reverse("analytics:dashboard")))
    assert "evil" not in entering.get("Location", "")
    assert "evil" not in signed_in.post(reverse("account_logout"), {"next": address})["Location"]


# --- Guessing -------------------------------------------------------------------------------------------------


def test_passwords_cannot_be_tried_without_end(client: Client, owner: User) -> None:
    for _try in range(5):
        client.post(LOGIN, {"login": owner.email, "password": "wrong"})
    response = client.post(LOGIN, {"login": owner.email, "password": "correct horse"})
    assert response.status_code in (200, 422, 429)
    assert "_auth_user_id" not in client.session


def test_the_door_of_the_admin_is_the_same_door(client: Client, owner: User) -> None:
    """Otherwise it would be a second one, without limits and without the second factor."""
    response = client.post("/admin/login/", {"username": owner.email, "password": "correct horse"})
    assert "_auth_user_id" not in client.session
    assert response.status_code == 302
    assert response["Location"].startswith(LOGIN)


def without_tokens(response: Any) -> tuple[int, str, str]:
    text = re.sub(r'(csrf[^>]*value="|nonce="|X-CSRFToken[^:]*: *")[^"]*', "", response.content.decode())
    return response.status_code, response.get("Location", ""), re.sub(r"\w+@example\.com", "", text)


def test_a_reset_does_not_tell_who_is_here(owner: User) -> None:
    known, unknown = (
        without_tokens(Client().post(RESET, {"email": address})) for address in (owner.email, "nobody@example.com")
    )
    assert known == unknown


def test_a_sign_in_does_not_tell_who_is_here(owner: User) -> None:
    known, unknown = (
        without_tokens(Client().post(LOGIN, {"login": address, "password": "wrong"}))
        for address in (owner.email, "nobody@example.com")
    )
    assert known == unknown


def test_invitations_cannot_be_sent_without_end(signed_in: Client, owner: User) -> None:
    url = reverse("accounts:member_add")
    for number in range(20):
        assert signed_in.post(url, {"email": f"a{number}@example.com", "role": "viewer"}).status_code == 302
    response = signed_in.post(url, {"email": "one-more@example.com", "role": "viewer"})
    assert response.status_code == 422
    assert "Go on a little later" in response.content.decode()
    assert not Membership.objects.filter(user__email="one-more@example.com").exists()
    other = make_user()
    client = Client()
    client.force_login(other, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post(url, {"email": "one-more@example.com", "role": "viewer"}).status_code == 302


# --- Names that a request makes up ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "email", "link"),
    [
        (RESET, "known@example.com", "/account/password/reset/key/"),
        (RESET, "unknown@example.com", SIGNUP),
        (SIGNUP, "known@example.com", RESET),
        (SIGNUP, "unknown@example.com", ""),
    ],
)
@override_settings(ALLOWED_HOSTS=["*"], PUBLIC_BASE_URL="https://hub.example.com")
def test_a_made_up_host_does_not_get_into_mails(client: Client, address: str, email: str, link: str) -> None:
    make_user(email="known@example.com")
    password = "a long enough sentence"
    data = {"email": email, "password1": password, "password2": password}
    client.post(address, data, headers={"Host": "evil.example"})
    (message,) = mail.outbox
    assert message.to == [email]
    assert "evil.example" not in f"{message.subject} {message.body}"
    if link:
        assert f"https://hub.example.com{link}" in message.body


@override_settings(ALLOWED_HOSTS=["hub.example.com"])
def test_a_made_up_host_is_refused(client: Client) -> None:
    assert client.get(LOGIN, headers={"Host": "evil.example"}).status_code == 400
    assert client.get(LOGIN, headers={"Host": "hub.example.com"}).status_code == 200
