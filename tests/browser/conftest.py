"""Chromium for the tests that need a browser: a page per size and colour scheme, watched from the start."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.browser.axe import Watch

# Playwright keeps an event loop in the thread of the tests, until the last of them; Django would refuse its ORM there.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

CHROME = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES: dict[str, ViewportSize] = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    if not CHROME:
        pytest.fail("There is no Chromium: apt-get install chromium, or set CHROMIUM=/path/to/it.")
    return {**browser_type_launch_args, "executable_path": CHROME, "args": ARGUMENTS}


def sign_in(context: BrowserContext, user: User, address: str) -> None:
    """The browser has the session of this user; the sign-in page has tests of its own."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])


def stop_writing(page: Page) -> None:
    """What is typed in the composer must not be kept while the tables are emptied for the next test."""
    if page.locator("[data-autosave][data-live]").count():
        page.evaluate("document.querySelector('[data-autosave]').removeAttribute('data-autosave')")
        page.wait_for_timeout(300)  # for what is on its way already


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer) -> Iterator[OpenPage]:
    """open_page("phone", scheme="dark", user=owner): a new window whose relative addresses go to the live server."""
    contexts = []

    def open_one(
        size: str = "desktop", *, scheme: Literal["light", "dark"] = "light", user: User | None = None, **options: Any
    ) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            viewport=SIZES[size],
            color_scheme=scheme,
            reduced_motion="reduce",
            has_touch=size == "phone",
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        if user is not None:
            sign_in(context, user, live_server.url)
        page = context.new_page()
        page.watch = Watch(page)  # type: ignore[attr-defined]
        return page

    yield open_one
    for context in contexts:
        for page in context.pages:
            stop_writing(page)
        context.close()


@pytest.fixture
def phone(open_page: OpenPage, owner: User) -> Page:
    """A phone on which the owner is signed in."""
    return open_page("phone", user=owner)


@pytest.fixture
def desktop(open_page: OpenPage, owner: User) -> Page:
    """A desktop window in which the owner is signed in."""
    return open_page("desktop", user=owner)
