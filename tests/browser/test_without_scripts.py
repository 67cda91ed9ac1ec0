"""What must work where scripts are switched off: plain forms and whole pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import ConnectedAccount, User, Workspace
from publishing.models import Publication, QueueEntry, Status
from tests.browser.conftest import OpenPage
from tests.factories import make_account, make_entry, make_post

pytestmark = pytest.mark.browser

SIZES = pytest.mark.parametrize("size", ["phone", "desktop"])

Plain = Callable[..., Page]


@pytest.fixture
def plain(open_page: OpenPage) -> Plain:
    """plain("phone", user=owner): a window without scripts."""
    return lambda size, **options: open_page(size, java_script_enabled=False, **options)


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, name="Garage")


@SIZES
def test_signing_in(plain: Plain, owner: User, size: str) -> None:
    EmailAddress.objects.create(user=owner, email=owner.email, primary=True, verified=True)
    page = plain(size)
    page.goto("/posts/")
    page.get_by_label("Email").fill(owner.email)
    page.get_by_label("Password").fill("wrong horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_label("Email")).to_have_value(owner.email)
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Posts", level=1)).to_be_visible()


@SIZES
def test_retrying(plain: Plain, owner: User, account: ConnectedAccount, size: str) -> None:
    post = make_post(account.workspace, account, status="failed")
    Publication.objects.update(status=Status.FAILED, error_message="Facebook did not answer.")
    page = plain(size, user=owner)
    page.goto(post.get_absolute_url())
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("Facebook did not answer.")).to_have_count(0)
    assert Publication.objects.get().status == Status.SCHEDULED
    assert QueueEntry.objects.count() == 1


@SIZES
def test_deciding_what_nobody_could_find_out(plain: Plain, owner: User, account: ConnectedAccount, size: str) -> None:
    post = make_post(account.workspace, account, status="checking")
    Publication.objects.update(status=Status.CHECKING)
    make_entry(post.publications.get(), awaits_decision=True)
    page = plain(size, user=owner)
    page.goto(reverse("publishing:post_detail", args=[post.pk]))
    page.get_by_role("button", name="It is there", exact=True).click()
    field = page.get_by_role("textbox", name="address")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("1017_2")
    page.get_by_role("button", name="It is there", exact=True).click()
    expect(page.get_by_text("Published").first).to_be_visible()
    found = Publication.objects.get()
    assert (found.status, found.platform_post_id) == (Status.PUBLISHED, "1017_2")
