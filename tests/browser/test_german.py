"""German words are long: no page gets wider than its window, and the browser knows which language it shows."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.browser.conftest import OpenPage
from tests.browser.test_pages import furnished

__all__ = ["furnished"]

pytestmark = pytest.mark.browser

WIDTHS = (
    "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth, document.documentElement.lang]"
)


WINDOWS = (390, 320, 768)  # a phone, a desk at 400 %, a tablet


def test_pages_in_german_fit_every_window(open_page: OpenPage, furnished: list[str], owner: User) -> None:
    page = open_page("phone", user=owner, locale="de-DE")
    found = []
    for address in [*furnished, "/calendar/", "/limits/", "/settings/accounts/doctor/"]:
        if address.startswith("/staff/"):
            continue
        page.goto(address, wait_until="domcontentloaded")
        for window in WINDOWS:
            page.set_viewport_size({"width": window, "height": 844})
            width, fits, language = page.evaluate(WIDTHS)
            if width > fits or language != "de":
                found.append(f"{address}: {width} px of {fits}, {language}")
    assert not found, "\n".join(found)
