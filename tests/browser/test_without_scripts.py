"""What must work where scripts are switched off: plain forms and whole pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import FilePayload, Page, expect

from accounts.models import ConnectedAccount, User, Workspace
from publishing.models import Autosave, Post, Publication, QueueEntry, Status
from tests.browser.conftest import OpenPage
from tests.factories import make_account, make_entry, make_post
from tests.publishing.pictures import encoded, gradient

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


@SIZES
def test_composing_and_scheduling(plain: Plain, owner: User, account: ConnectedAccount, size: str) -> None:
    instagram = make_account(account.workspace, platform="instagram", name="Garage IG", username="garage.ig")
    page = plain(size, user=owner)
    page.goto("/posts/new/")
    page.get_by_label("Caption", exact=True).fill("A red car")
    page.get_by_label("Hashtags").fill("#v8")
    images: list[FilePayload] = [
        {"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": encoded(gradient(900, 700 + number))}
        for number, name in enumerate(("one", "two"))
    ]
    page.get_by_label("Upload images, videos or a PDF").set_input_files(images)
    page.get_by_role("button", name="Add them").click()
    expect(page.locator(".composer-picture")).to_have_count(2)
    second = page.locator(".composer-picture").nth(1).locator("input[name=media]").input_value()
    page.get_by_role("button", name="Move two.jpg forward").click()
    expect(page.locator(".composer-picture").nth(0).locator("input[name=media]")).to_have_value(second)
    page.get_by_role("button", name="Edit for Instagram").click()
    page.get_by_label("Caption for Instagram").fill("For Instagram")
    # What cannot be taken comes back with what was typed, and the focus is where it is said.
    page.get_by_label("Link", exact=True).fill("no address")
    page.get_by_role("button", name="Publish to 2").click()
    expect(page.locator("#composer_errors")).to_be_focused()
    expect(page.get_by_label("Link", exact=True)).to_have_value("no address")
    expect(page.get_by_label("Link", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Caption for Instagram")).to_have_value("For Instagram")
    page.get_by_label("Link", exact=True).fill("")
    page.locator(".composer-submit summary").click()
    page.get_by_role("button", name="Schedule for…").click()
    expect(page.get_by_label("Date", exact=True)).to_be_focused()
    page.get_by_role("button", name="Tomorrow, 09:00").click()
    expect(page.get_by_label("Time", exact=True)).to_have_value("09:00")
    page.get_by_role("button", name="Schedule for 2").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    post = Post.objects.get()
    assert (post.status, post.caption, post.hashtags) == ("scheduled", "A red car", ["v8"])
    assert post.scheduled_at
    assert post.scheduled_at.astimezone(owner.zone).hour == 9
    assert post.publications.get(account=instagram).caption_override == "For Instagram"
    assert str(post.post_media.get(position=1).media_id) == second
    assert not Autosave.objects.exists()
    # Taken back and thrown away: what is told about the one must not lie over the other.
    if not page.locator("#post_cancel").is_visible():
        page.locator("#post_more summary").click()
    page.locator("#post_cancel").click()
    expect(page.get_by_text("Cancelled. The post is a draft again")).to_be_visible()
    page.locator("#post_more summary").click()
    page.get_by_role("button", name="Delete draft…").click()
    page.get_by_role("button", name="Delete 1 draft").click()
    expect(page.get_by_text("1 draft is deleted.")).to_be_visible()
    assert not Post.objects.exists()


def test_a_text_outlives_its_session(plain: Plain, owner: User, account: ConnectedAccount) -> None:
    EmailAddress.objects.create(user=owner, email=owner.email, primary=True, verified=True)
    page = plain("phone", user=owner)
    page.goto("/posts/new/")
    page.get_by_label("Caption", exact=True).fill("Written for an hour")
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.get_by_role("button", name="Publish to 1").click()
    page.get_by_label("Email").fill(owner.email)
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Caption", exact=True)).to_have_value("Written for an hour")
    expect(page.get_by_text("What you wrote stands here again.")).to_be_visible()
    assert not Post.objects.exists()
    page.get_by_role("button", name="Publish to 1").click()
    expect(page.get_by_role("heading", name="Written for an hour", level=1)).to_be_visible()
    assert Post.objects.get().caption == "Written for an hour"
