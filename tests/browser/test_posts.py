"""The list of posts and the page of one, as people use them: finding, changing several at once, watching."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import ConnectedAccount, User, Workspace
from publishing import schedule
from publishing.models import Post, Publication, PublicationEvent, Status
from tests.browser.conftest import OpenPage
from tests.factories import make_account, make_entry, make_post

pytestmark = pytest.mark.browser
SIZES = pytest.mark.parametrize("size", ["phone", "desktop"])


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, username="garage")


@pytest.fixture
def waiting(owner: User, account: ConnectedAccount) -> list[Post]:
    """Three posts that wait, a day apart, and a draft."""
    posts = []
    for number, caption in enumerate(["Camaro restoration", "Barn find", "Open garage"], start=1):
        posts.append(make_post(account.workspace, account, caption=caption))
        schedule.schedule(posts[-1], timezone.now() + timedelta(days=number), by=owner)
    make_post(account.workspace, account, caption="Camaro in spring")
    return posts


def tick(page: Page, *titles: str) -> None:
    for title in titles:
        page.get_by_role("checkbox", name=f"Select “{title}”").check()


def sound(page: Page) -> None:
    assert page.watch.problems() == []  # type: ignore[attr-defined]


@SIZES
def test_finding_and_moving_several(open_page: OpenPage, owner: User, waiting: list[Post], size: str) -> None:
    page = open_page(size, user=owner)
    page.goto("/posts/")
    page.get_by_role("searchbox").press_sequentially("cama")
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page).to_have_url("/posts/?q=cama")
    page.get_by_role("link", name="Scheduled").click()
    expect(page.get_by_role("article")).to_have_count(1)
    page.get_by_role("link", name="Clear all").click()

    expect(page.get_by_role("button", name="Reschedule")).to_be_hidden()
    tick(page, "Camaro restoration", "Open garage", "Camaro in spring")
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_role("button", name="Reschedule")).to_be_hidden()
    page.get_by_role("checkbox", name="Select all shown").check()
    page.get_by_role("button", name="Reschedule").click()

    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Another time for 4 posts")).to_be_visible()
    sound(page)
    dialog.get_by_role("radio", name="Earlier or later").check()
    dialog.get_by_label("By", exact=True).fill("2")
    dialog.get_by_label("Unit").select_option("weeks")
    expect(dialog.get_by_text("1 stays as it is")).to_be_visible()  # the draft has no time
    before = [
        post.scheduled_at for post in Post.objects.filter(pk__in=[one.pk for one in waiting]).order_by("created_at")
    ]
    dialog.get_by_role("button", name="Move 3 posts").click()
    expect(page.get_by_text("3 posts have a new time. 1 was skipped: no time planned")).to_be_visible()
    after = [
        post.scheduled_at for post in Post.objects.filter(pk__in=[one.pk for one in waiting]).order_by("created_at")
    ]
    assert [new - old for new, old in zip(after, before, strict=True) if new and old] == [timedelta(weeks=2)] * 3


@SIZES
def test_cancelling_one_by_its_menu(open_page: OpenPage, owner: User, waiting: list[Post], size: str) -> None:
    page = open_page(size, user=owner)
    page.goto("/posts/?status=scheduled")
    row = page.get_by_role("article").filter(has_text="Barn find")
    row.locator("summary").click()
    row.get_by_role("button", name="Cancel").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Cancel 1 post?")).to_be_focused()
    dialog.get_by_role("button", name="Leave as it is").click()
    expect(dialog).to_be_hidden()
    row.locator("summary").click()
    row.get_by_role("button", name="Cancel").click()
    dialog.get_by_role("button", name="Cancel 1 post").click()
    expect(page.get_by_text("1 post is cancelled and a draft again.")).to_be_visible()
    expect(page).to_have_url("/posts/?status=scheduled")
    expect(page.get_by_role("article")).to_have_count(2)
    waiting[1].refresh_from_db()
    assert waiting[1].status == "draft"


@SIZES
def test_moving_and_deleting_without_scripts(open_page: OpenPage, owner: User, waiting: list[Post], size: str) -> None:
    page = open_page(size, user=owner, java_script_enabled=False)
    page.goto("/posts/")
    page.get_by_role("searchbox").fill("cama")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_role("article")).to_have_count(2)
    tick(page, "Camaro restoration", "Camaro in spring")
    page.get_by_role("button", name="Reschedule").click()
    expect(page.get_by_role("heading", name="Another time for 2 posts")).to_be_visible()
    page.get_by_label("Date", exact=True).fill("2020-01-01")
    page.get_by_role("button", name="Move 2 posts").click()
    expect(page.get_by_label("Date", exact=True)).to_be_focused()
    expect(page.get_by_label("Date", exact=True)).to_have_value("2020-01-01")
    day = timezone.localdate() + timedelta(days=30)
    page.get_by_label("Date", exact=True).fill(day.isoformat())
    page.get_by_label("Time", exact=True).fill("10:30")
    page.get_by_role("button", name="Show the new times").click()
    expect(page.get_by_role("list", name="What happens").get_by_text("10:30")).to_have_count(2)
    page.get_by_role("button", name="Move 2 posts").click()
    expect(page.get_by_text("2 posts have a new time.")).to_be_visible()
    expect(page).to_have_url("/posts/?q=cama")

    page.goto("/posts/?status=draft")
    tick(page, "Camaro in spring")
    page.get_by_role("button", name="Delete drafts").click()
    page.get_by_role("button", name="Delete 1 draft").click()
    expect(page.get_by_text("1 draft is deleted.")).to_be_visible()
    assert not Post.objects.filter(caption="Camaro in spring").exists()


@SIZES
def test_a_page_that_is_watched_moves_on_its_own(
    open_page: OpenPage, owner: User, account: ConnectedAccount, size: str
) -> None:
    post = make_post(account.workspace, account, status="publishing")
    publication = post.publications.get()
    Publication.objects.filter(pk=publication.pk).update(
        status=Status.PUBLISHING, progress_total=3, progress_done=1, progress_label="Uploading"
    )
    entry = make_entry(publication, lease_until=timezone.now() + timedelta(minutes=5))
    page = open_page(size, user=owner)
    page.goto(post.get_absolute_url())
    bar = page.get_by_role("progressbar", name="Progress")
    expect(bar).to_have_attribute("value", "1")
    Publication.objects.filter(pk=publication.pk).update(progress_done=2)
    expect(bar).to_have_attribute("value", "2")

    # Nobody looks: no request goes out until somebody does.
    page.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})")
    asked: list[str] = []
    page.wait_for_timeout(1200)
    page.on("request", lambda request: asked.append(request.url))
    entry.delete()
    now = timezone.now()
    Publication.objects.filter(pk=publication.pk).update(
        status=Status.PUBLISHED, published_at=now, permalink="https://example.org/p/1", platform_post_id="1"
    )
    Post.objects.filter(pk=post.pk).update(status="published")
    page.wait_for_timeout(2500)
    assert asked == []
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("link", name="View on Facebook")).to_be_visible()
    expect(page.locator("[data-post-live]")).to_have_text("It is live.")
    sound(page)


@SIZES
def test_what_is_unfolded_stays_so(open_page: OpenPage, owner: User, account: ConnectedAccount, size: str) -> None:
    post = make_post(account.workspace, account, status="publishing")
    publication = post.publications.get()
    Publication.objects.filter(pk=publication.pk).update(
        status=Status.PUBLISHING, caption_override="Other words", progress_total=3
    )
    make_entry(publication, lease_until=timezone.now() + timedelta(minutes=5))
    page = open_page(size, user=owner)
    page.goto(post.get_absolute_url())
    page.get_by_text("Has a text of its own").click()
    Publication.objects.filter(pk=publication.pk).update(progress_done=1)
    expect(page.get_by_role("progressbar", name="Progress")).to_have_attribute("value", "1")
    expect(page.get_by_text("Other words")).to_be_visible()
    # What happened before somebody looks, and while they do.
    happened = {"publication": publication, "from_status": "scheduled", "to_status": "draft"}
    PublicationEvent.objects.create(**happened, at=timezone.now(), reason="While it was closed.")
    page.get_by_text("Everything that happened").click()
    expect(page.locator("#post_timeline")).to_contain_text("While it was closed.")
    PublicationEvent.objects.create(**happened, at=timezone.now(), reason="While it was open.")
    expect(page.locator("#post_timeline")).to_contain_text("While it was open.")


@SIZES
def test_another_time_from_the_page_of_a_post(open_page: OpenPage, owner: User, waiting: list[Post], size: str) -> None:
    page = open_page(size, user=owner)
    page.goto(waiting[0].get_absolute_url())
    page.get_by_role("button", name="Another time").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Date", exact=True)).to_have_value(f"{timezone.now() + timedelta(days=1):%Y-%m-%d}")
    day = timezone.localdate() + timedelta(days=20)
    dialog.get_by_label("Date", exact=True).fill(day.isoformat())
    dialog.get_by_label("Time", exact=True).fill("11:45")
    dialog.get_by_role("button", name="Move 1 post").click()
    expect(page.get_by_text("1 post has a new time.")).to_be_visible()
    expect(page).to_have_url(waiting[0].get_absolute_url())
    expect(page.get_by_role("region", name="Status").get_by_text("11:45")).to_be_visible()
