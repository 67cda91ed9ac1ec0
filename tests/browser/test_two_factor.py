"""Two-factor sign-in in a browser: the picture is drawn under our policy, the pages are sound."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import expect

from accounts.models import User
from tests.accounts.test_people import code_of
from tests.browser.axe import check
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("size", "scheme"), [("phone", "dark"), ("desktop", "light")])
def test_turning_it_on_and_off(open_page: OpenPage, owner: User, size: str, scheme: str) -> None:
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    page = open_page(size, scheme=scheme, user=owner)
    page.goto("/account/2fa/")
    check(page)
    page.get_by_role("link", name="Turn on").click()
    check(page)
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Turn on two-factor sign-in")).to_be_visible()
    assert page.locator(".qr-code").evaluate("image => image.complete && image.naturalWidth > 0")
    check(page)
    page.get_by_label("code").fill(code_of(page.get_by_label("Setup key").input_value()))
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator("#recovery_codes code")).to_have_count(10)
    check(page)
    page.get_by_role("link", name="I have kept them").click()
    check(page)
    page.get_by_role("link", name="Make new ones").click()
    check(page)
    page.get_by_role("link", name="Keep what I have").click()
    page.get_by_role("link", name="Turn off").click()
    check(page)
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_text("Off", exact=True)).to_be_visible()
