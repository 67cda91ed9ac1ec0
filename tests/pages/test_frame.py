"""The frame around every page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import clear_script_prefix, reverse, set_script_prefix
from PIL import Image

from accounts.models import User
from socialhub.templatetags.ui import PAPER


def test_a_page_stands_in_the_frame(signed_in: Client) -> None:
    page = signed_in.get("/posts/").content.decode()
    assert '<main class="main" id="content"' in page
    assert 'aria-label="Main"' in page
    assert "Skip to content" in page


def test_the_small_bar_keeps_the_rest_in_a_menu_that_needs_no_script(signed_in: Client) -> None:
    page = signed_in.get("/library/").content.decode()
    more = page.split('<details class="menu more">')[1].split("</details>")[0]
    for view in ("publishing:library", "accounts:social", "publishing:limits", "accounts:notifications"):
        assert f'href="{reverse(view)}"' in more
    assert re.search(r'href="/library/" aria-current="page"', more)


# --- Light and dark ---------------------------------------------------------------------------------------------


def test_a_chosen_theme_is_drawn_by_the_server(signed_in: Client) -> None:
    assert "data-theme=" not in signed_in.get("/posts/").content.decode()
    answer = signed_in.post("/theme/", {"theme": "dark", "next": "/posts/?status=failed"})
    assert answer.status_code == 302
    assert answer["Location"] == "/posts/?status=failed"
    assert answer.cookies["theme"]["httponly"]
    page = signed_in.get("/posts/").content.decode()
    assert '<html lang="en" data-theme="dark">' in page
    assert f'<meta name="theme-color" content="{PAPER["dark"]}">' in page
    assert re.search(r'value="dark" aria-pressed="true"', page)


def test_pages_outside_follow_the_theme_too(signed_in: Client) -> None:
    signed_in.post("/theme/", {"theme": "light"})
    signed_in.logout()
    signed_in.cookies["theme"] = "light"
    assert 'data-theme="light"' in signed_in.get("/account/login/").content.decode()


def test_the_system_decides_again(signed_in: Client) -> None:
    signed_in.post("/theme/", {"theme": "dark"})
    signed_in.post("/theme/", {"theme": "system"})
    page = signed_in.get("/posts/").content.decode()
    assert "data-theme=" not in page
    assert page.count('<meta name="theme-color"') == 2


def test_a_made_up_theme_changes_nothing(signed_in: Client) -> None:
    assert signed_in.post("/theme/", {"theme": '"><script>'}).status_code == 422
    signed_in.cookies["theme"] = '"><script>'
    assert "data-theme=" not in signed_in.get("/posts/").content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_the_way_back_stays_here(signed_in: Client, target: str) -> None:
    assert signed_in.post("/theme/", {"theme": "dark", "next": target})["Location"] == "/"


def test_the_colours_of_the_browser_are_those_of_the_page() -> None:
    tokens = (Path(settings.BASE_DIR) / "static" / "css" / "tokens.css").read_text()
    found = re.search(r"--paper: light-dark\((#\w+), (#\w+)\)", tokens)
    assert found
    assert {"light": found[1], "dark": found[2]} == PAPER


# --- Installable ------------------------------------------------------------------------------------------------


def test_the_manifest_is_there_for_everybody(client: Client) -> None:
    answer = client.get("/manifest.webmanifest")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/manifest+json"
    manifest = json.loads(answer.content)
    assert manifest["display"] == "standalone"
    assert manifest["start_url"] == "/"
    assert {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]} >= {
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    }
    for icon in manifest["icons"]:
        with Image.open(str(finders.find(icon["src"].removeprefix("/static/")))) as picture:
            assert f"{picture.width}x{picture.height}" == icon["sizes"]


def test_a_site_below_a_path_is_installed_from_there(client: Client) -> None:
    try:
        set_script_prefix("/social/")  # as the server does for such a site
        manifest = client.get("/manifest.webmanifest").json()
    finally:
        clear_script_prefix()
    assert {manifest[name] for name in ("id", "start_url", "scope")} == {"/social/"}
    assert all(shortcut["url"].startswith("/social/posts/") for shortcut in manifest["shortcuts"])


@pytest.mark.django_db
def test_every_page_names_the_manifest_and_the_icons(client: Client, owner: User) -> None:
    page = client.get("/account/login/").content.decode()
    assert 'rel="manifest" href="/manifest.webmanifest"' in page
    icon = re.search(r'rel="apple-touch-icon"\s+href="/static/([^"]+)"', page)
    assert icon
    assert finders.find(icon[1])


# --- Signing in again -------------------------------------------------------------------------------------------

BUTTON = "/posts/bulk/"  # answers POST only


def asked_to_sign_in(client: Client, method: str, address: str, **headers: str) -> str:
    """Where somebody comes back to."""
    answer = getattr(client, method)(address, headers={name.replace("_", "-"): text for name, text in headers.items()})
    return parse_qs(urlsplit(answer.headers.get("Location") or answer.headers["HX-Redirect"]).query)["next"][0]


def test_a_page_is_come_back_to_with_its_filters(client: Client) -> None:
    assert asked_to_sign_in(client, "get", "/posts/?status=failed") == "/posts/?status=failed"


def test_whose_session_ended_comes_back_to_the_page_and_not_to_the_button(client: Client) -> None:
    page = "http://testserver/posts/?status=failed"
    assert asked_to_sign_in(client, "post", BUTTON, Referer=page) == "/posts/?status=failed"
    fragment = {"HX_Request": "true", "HX_Current_URL": f"{page}#more"}
    assert asked_to_sign_in(client, "get", "/posts/?after=x", **fragment) == "/posts/?status=failed"
    assert asked_to_sign_in(client, "post", BUTTON, HX_Request="true", Referer=page) == "/posts/?status=failed"


@pytest.mark.parametrize("told", ["", "https://evil.example/posts/", "javascript:alert(1)", "http://testserver"])
def test_a_page_that_is_none_of_ours_is_not_come_back_to(client: Client, told: str) -> None:
    assert asked_to_sign_in(client, "post", BUTTON, Referer=told) == "/"
