"""Browsers of their own for people who are not to know of each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Locator, Page

from tests.browser.axe import Watch
from tests.browser.conftest import SIZES


@contextmanager
def open_window(
    browser: Browser, address: str, size: str = "desktop", *, scripts: bool = True
) -> Iterator[BrowserContext]:
    """A browser of its own, nobody signed in; every page in it is watched from its first address on."""
    context = browser.new_context(
        base_url=address,
        viewport=SIZES[size],
        has_touch=size == "phone",
        reduced_motion="reduce",
        timezone_id="UTC",
        java_script_enabled=scripts,
    )
    context.set_default_timeout(20_000)
    context.on("page", lambda page: setattr(page, "watch", Watch(page)))
    try:
        yield context
    finally:
        context.close()


def menu(page: Page) -> Locator:
    """What this screen shows of the two. By name: until the styles have come, both are there to be seen."""
    assert page.viewport_size
    is_phone = page.viewport_size == SIZES["phone"]
    return page.get_by_role("navigation", name="Main, small screens" if is_phone else "Main", exact=True)
