"""Sync now in a browser: pressed by keyboard, followed while it goes on, and as a plain form without a script."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import ConnectedAccount, User, Workspace
from analytics import tasks
from analytics.models import AccountSync
from tests.browser.axe import check
from tests.browser.conftest import OpenPage
from tests.factories import make_account

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SOCIAL = "/settings/accounts/"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.sync_one_account, "apply_async", lambda *args, **options: None)


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, name="Camaro Garage", last_synced_at=timezone.now() - timedelta(hours=1))


def stands(account: ConnectedAccount, **fields: Any) -> None:
    AccountSync.objects.filter(account=account).update(**fields)


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_it_is_followed_from_the_press_to_the_end(
    open_page: OpenPage, owner: User, account: ConnectedAccount, size: str
) -> None:
    page = open_page(size, user=owner)
    page.goto(SOCIAL)
    sync = page.locator(f"#sync-{account.pk}")
    button = sync.get_by_role("button", name="Sync now")
    button.focus()
    page.keyboard.press("Enter")
    expect(sync).to_contain_text("It begins in a moment")
    expect(button).to_be_focused()
    now = timezone.now()
    stands(
        account,
        started_at=now,
        claimed_until=now + timedelta(minutes=5),
        step="posts",
        steps_done=["figures"],
        steps_total=4,
    )
    expect(sync).to_contain_text("Reading: Newest posts (2 of 4)")
    expect(sync.get_by_role("progressbar", name="Reading: Newest posts (2 of 4)")).to_have_attribute("value", "1")
    check(page)
    ConnectedAccount.objects.filter(pk=account.pk).update(last_synced_at=now)
    stands(account, claimed_until=None, step="", finished_at=timezone.now(), calls_today=5, calls_on=now.date())
    expect(sync.get_by_role("link", name="Show the new figures")).to_be_visible()
    expect(page.get_by_text("The figures of “Camaro Garage” are up to date.")).to_be_visible()
    expect(sync).to_contain_text("5 calls today")
    expect(button).to_be_focused()
    check(page)
    asked = sync.get_attribute("hx-get")
    assert asked is None, "it asks no more"


def test_without_a_script_it_is_a_form_that_leads_back(
    open_page: OpenPage, owner: User, account: ConnectedAccount
) -> None:
    page: Page = open_page("phone", user=owner, java_script_enabled=False)
    page.goto(f"{SOCIAL}?q=camaro")
    page.get_by_role("button", name="Sync now").click()
    expect(page).to_have_url(f"{page.url.split('/settings')[0]}{SOCIAL}?q=camaro")
    expect(page.get_by_text("Reading the newest figures of “Camaro Garage”.")).to_be_visible()
    expect(page.get_by_role("link", name="Look again")).to_be_visible()
