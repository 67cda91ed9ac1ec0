"""An incident at night, followed by clicks: from the mail to the attempt, and tried again."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User, Workspace
from publishing.models import Attempt, Publication, Status
from socialhub.models import Heartbeat
from socialhub.schedule import sync
from tests.browser import axe
from tests.browser.conftest import OpenPage
from tests.factories import make_account, make_post
from tests.publishing.test_admin import fill
from tests.publishing.test_admin_incident import in_question
from tests.staff import changelist

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def check(page: Page) -> None:
    """Django's forms.css imports another file, which axe copies into the page, against the policy of the page."""
    axe.check(page)
    page.watch.complaints.clear()  # type: ignore[attr-defined]  # what the page itself did was judged above


@pytest.fixture
def staff(transactional_db: None) -> User:
    sync()
    Heartbeat.beat()
    return User.objects.create_superuser("staff@example.com", "correct horse")


@pytest.fixture
def failed(workspace: Workspace) -> Publication:
    now = timezone.now()
    account = make_account(workspace, name="Joe's Garage", username="joes")
    publication = make_post(workspace, account, caption="Our 1969 Camaro").publications.get()
    error = {"error_kind": "rejected", "error_message": "The picture was refused. Choose another one."}
    Publication.objects.filter(pk=publication.pk).update(
        status=Status.FAILED, scheduled_at=now, platform_message="(#324) Missing or invalid image file", **error
    )
    step = {"key": "photo:1", "label": "Uploading photo 1", "at": now.isoformat(timespec="milliseconds"), "ms": 321}
    Attempt.objects.create(
        publication=publication,
        number=1,
        worker="worker:17:3",
        started_at=now,
        finished_at=now,
        outcome="rejected",
        message=error["error_message"],
        platform_message="(#324) Missing or invalid image file",
        code="324",
        request_id="AbCdEfTrace",
        steps=[{**step, "outcome": "rejected", "request_id": "StepTrace"}],
    )
    in_question(make_post(workspace, account, caption="Is it there?").publications.get())
    return publication


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_incident_is_followed_by_clicks(
    open_page: OpenPage, staff: User, failed: Publication, size: str, scheme: str
) -> None:
    page: Page = open_page(size, scheme=scheme, user=staff)
    page.goto("/admin/")
    expect(page.get_by_role("link", name="1 publication failed in the last 24 hours")).to_be_visible()
    check(page)
    page.get_by_label("Handle, id, e-mail of a member, or workspace").fill("@joes")
    page.get_by_role("button", name="Find").click()
    check(page)
    page.get_by_role("link", name="@joes").first.click()
    check(page)
    page.get_by_role("link", name="1 failed").click()
    page.get_by_role("link", name="Our 1969 Camaro").first.click()
    expect(page.get_by_text("StepTrace")).to_be_visible()
    expect(page.get_by_text("AbCdEfTrace")).to_be_visible()
    check(page)
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("heading", name="Try 1 publication again?")).to_be_visible()
    check(page)
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("1 publication is tried again.")).to_be_visible()
    expect(page.get_by_text("Tried again by hand.")).to_be_visible()
    failed.refresh_from_db()
    assert failed.status == Status.SCHEDULED


def test_lists_fit_a_small_desk(open_page: OpenPage, staff: User, failed: Publication) -> None:
    fill(2)
    page: Page = open_page("desktop", user=staff)
    page.goto("/admin/")  # its pages are read in with the addresses
    wide = []
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label):
        page.goto(changelist(model))
        for rows in page.locator("#changelist .results").all():
            width, fits = rows.evaluate("it => [it.scrollWidth, it.clientWidth]")
            if width > fits:
                wide.append(f"{model._meta.label}: {width} px of {fits}")
    assert not wide, "\n".join(wide)


def test_filters_are_above_the_rows_and_open_when_they_hold_something_back(
    open_page: OpenPage, staff: User, failed: Publication
) -> None:
    page: Page = open_page("phone", user=staff)
    page.goto(changelist(Publication))
    choice = page.locator("#changelist-filter").get_by_role("link", name="Failed", exact=True)
    expect(choice).to_be_hidden()
    page.locator("#changelist-filter > summary").click()
    choice.click()
    page.wait_for_url("**status__exact=failed*")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    expect(page.get_by_role("link", name="Clear all filters")).to_be_visible()
    check(page)


def test_a_decision_is_asked_for_with_its_answers(open_page: OpenPage, staff: User, failed: Publication) -> None:
    page: Page = open_page("phone", user=staff)
    page.goto("/admin/")
    page.get_by_role("link", name="1 publication waits for a decision").click()
    page.get_by_role("link", name="Is it there?").first.click()
    page.get_by_role("button", name="Decide whether it is there").click()
    check(page)
    page.get_by_label("It is there: note it as published").check()
    page.get_by_role("button", name="Decide whether it is there").click()
    expect(page.get_by_text("Paste the address or the id of the post.")).to_be_visible()
    page.get_by_label("Address or id of the post").fill("123_456")
    page.get_by_role("button", name="Decide whether it is there").click()
    expect(page.get_by_text("Your answer is noted.")).to_be_visible()
