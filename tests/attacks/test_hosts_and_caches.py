"""Names that a request makes up, and caches between us and people that are fed with what was made for one of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import User, Workspace
from publishing.media import public_url, rendition
from socialhub.platforms.rules import IMAGE
from tests.accounts.conftest import sign_in
from tests.test_isolation import ADDRESSES, Things, ask, make_things

pytestmark = pytest.mark.django_db

EVIL = "evil.example"
# What proxies, frameworks and routers are known to believe; none of it may decide anything here.
MADE_UP = {
    "X-Forwarded-Host": EVIL,
    "X-Host": EVIL,
    "X-Forwarded-Server": EVIL,
    "X-HTTP-Host-Override": EVIL,
    "Forwarded": f"host={EVIL};proto=http",
    "X-Original-URL": "/admin/",
    "X-Rewrite-URL": "/admin/",
    "X-HTTP-Method-Override": "DELETE",
    "X-Forwarded-Prefix": f"//{EVIL}",
    "X-Forwarded-Port": "61337",
    "X-Forwarded-Scheme": "gopher",
    "Origin": f"https://{EVIL}",
}


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def things(workspace: Workspace, owner: User) -> Things:
    return make_things(workspace, owner)


PAGES = [name for name, line in ADDRESSES.items() if "GET" in line.methods]


@pytest.mark.parametrize("name", PAGES)
def test_no_header_of_a_proxy_decides_what_a_page_says(signed_in: Client, things: Things, name: str) -> None:
    plain = ask(signed_in, "GET", things.url(name), {})
    made_up = ask(signed_in, "GET", things.url(name), {}, **MADE_UP)
    assert made_up.status_code == plain.status_code
    for part in (made_up.content.decode(errors="replace"), str(dict(made_up.items()))):
        assert EVIL not in part
        assert ":61337" not in part
    assert made_up.get("Access-Control-Allow-Origin") is None
    assert made_up.get("Location", "") == plain.get("Location", "")


@override_settings(ALLOWED_HOSTS=["hub.example.com"], PUBLIC_BASE_URL="https://hub.example.com")
@pytest.mark.parametrize(
    "host", [EVIL, "hub.example.com.evil.example", "hub.example.com@evil.example", "evil.example:443", "", " ", "a/b"]
)
def test_a_made_up_name_is_refused_before_anything_happens(client: Client, owner: User, host: str) -> None:
    response = client.post(reverse("account_reset_password"), {"email": owner.email}, headers={"Host": host})
    assert response.status_code == 400
    assert not mail.outbox


def test_whatever_may_be_kept_by_all_is_the_same_for_all(things: Things, owner: User, client: Client) -> None:
    """What a cache may give to everybody depends on nothing but its address, or says on what it does."""
    shared = [reverse("manifest"), reverse("api:openapi")]
    picture = things.workspace.media.first() if hasattr(things.workspace, "media") else None
    if picture is not None:
        shared.append(public_url(rendition(picture, IMAGE["facebook"])).removeprefix("http://testserver"))
    for address in shared:
        nobody, somebody = ask(client, "GET", address, {}), ask(sign_in(owner), "GET", address, {}, **MADE_UP)
        told = {word.strip().partition("=")[0] for word in nobody["Cache-Control"].split(",")}
        assert "private" not in told
        assert "Set-Cookie" not in nobody
        assert not somebody.cookies
        if "Cookie" not in nobody.get("Vary", ""):
            assert nobody.content == somebody.content


@pytest.mark.parametrize(
    "path", ["/settings/profile/x.css", "/settings/profile/%2e%2e/a.js", "/;a.css", "/posts/..%2fx.png"]
)
def test_no_page_is_kept_because_its_address_looks_like_a_file(signed_in: Client, path: str) -> None:
    response = signed_in.get(path)
    assert response.status_code == 404
    assert {"private", "no-store"} & {word.strip() for word in response["Cache-Control"].split(",")}


def test_answers_to_scripts_and_to_browsers_are_kept_apart(signed_in: Client, things: Things) -> None:
    for name in ("publishing:post_list", "publishing:library", "publishing:calendar"):
        varies = {word.strip() for word in signed_in.get(things.url(name))["Vary"].split(",")}
        assert {"Cookie", "HX-Request"} <= varies


@pytest.mark.parametrize("origin", [f"https://{EVIL}", "null", "http://testserver.evil.example"])
def test_a_form_of_another_site_is_refused_though_it_knows_a_token(owner: User, origin: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(reverse("accounts:workspace"))
    token = str(page.context["csrf_token"])
    typed: dict[str, Any] = {"name": "Taken over", "csrfmiddlewaretoken": token}
    address = reverse("accounts:workspace_rename")
    assert client.post(address, typed, headers={"Origin": origin}).status_code == 403
    assert client.post(address, typed, headers={"Origin": "http://testserver"}).status_code == 302


def test_a_method_that_is_made_up_deletes_nothing(signed_in: Client, things: Things) -> None:
    address = things.url("publishing:set_detail")
    for method in ("DELETE", "PUT", "PATCH", "TRACE", "PURGE", "PROPFIND"):
        response = signed_in.generic(method, address, "_method=DELETE", "application/x-www-form-urlencoded")
        assert response.status_code == 405, method
    assert signed_in.get(address).status_code == 200
