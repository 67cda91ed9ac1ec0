"""One act on many posts: another time, cancel, retry, delete."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains

from accounts.models import ConnectedAccount, Membership, Role, User, Workspace
from publishing import bulk, schedule
from publishing.bulk import Act, Shift, Skipped, SpreadOut
from publishing.models import Post, Publication, QueueEntry, Status
from tests.factories import make_account, make_post, workspace_of

ADDRESS = reverse("publishing:post_bulk")
LIST = reverse("publishing:post_list")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace)


def scheduled(account: ConnectedAccount, owner: User, days: float = 3, **fields: Any) -> Post:
    post = make_post(account.workspace, account, **fields)
    schedule.schedule(post, timezone.now() + timedelta(days=days), by=owner)
    return post


def put(post: Post, status: Status, **fields: Any) -> Post:
    """Into a state that only the engine could bring about."""
    post.publications.update(status=status, **fields)
    Post.objects.filter(pk=post.pk).update(status=status)
    if status in (Status.PUBLISHING, Status.QUEUED):
        QueueEntry.objects.filter(publication__post=post).update(lease_until=timezone.now() + timedelta(minutes=1))
    return post


def send(client: Client, act: str, *posts: Post, **data: Any) -> Any:
    return client.post(ADDRESS, {"act": act, "post": [str(post.pk) for post in posts], **data}, follow=True)


def at(post: Post) -> datetime:
    post.refresh_from_db()
    assert post.scheduled_at
    return post.scheduled_at


# Where they go in time


def test_they_keep_their_time_of_day_over_a_change_of_the_clocks() -> None:
    first = datetime(2027, 3, 27, 9, tzinfo=BERLIN).astimezone(UTC)
    times = [SpreadOut(first, BERLIN, days=1).place(Post(), number) for number in range(3)]
    assert [moment.astimezone(BERLIN).isoformat() for moment in times if moment] == [
        "2027-03-27T09:00:00+01:00",
        "2027-03-28T09:00:00+02:00",
        "2027-03-29T09:00:00+02:00",
    ]


def test_an_hour_is_an_hour_whatever_the_clocks_show() -> None:
    moment = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
    assert Shift(BERLIN, minutes=60).place(Post(scheduled_at=moment), 0) == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


def test_a_time_that_does_not_exist_that_day_becomes_the_one_the_clocks_show() -> None:
    moment = datetime(2027, 3, 27, 2, 30, tzinfo=BERLIN)
    placed = Shift(BERLIN, days=1).place(Post(scheduled_at=moment), 0)
    assert placed
    assert placed.astimezone(BERLIN).isoformat() == "2027-03-28T03:30:00+02:00"


# What is told beforehand


def test_nothing_happens_before_it_is_confirmed(signed_in: Client, owner: User, account: ConnectedAccount) -> None:
    post = scheduled(account, owner)
    before = at(post)
    for act in ("reschedule", "cancel", "delete"):
        page = send(signed_in, act, post).content.decode()
        assert post.title in page
    assert at(post) == before
    assert post.status == "scheduled"


def test_the_page_tells_what_is_skipped_and_why(signed_in: Client, owner: User, account: ConnectedAccount) -> None:
    waiting = scheduled(account, owner, caption="Waits")
    out = put(make_post(account.workspace, account, caption="Went out"), Status.PUBLISHED)
    begun = put(scheduled(account, owner, caption="Has begun"), Status.PUBLISHING)
    response = send(signed_in, "cancel", waiting, out, begun)
    assert [line.post.pk for line in response.context["lines"]] == [waiting.pk]
    assert {line.post.pk: line.skipped for line in response.context["skipped"]} == {
        out.pk: Skipped.OUT,
        begun.pk: Skipped.ON_THE_WAY,
    }
    page = response.content.decode()
    assert "Cancel 1 post?" in page
    assert "2 stay as they are" in page
    assert "already on the way" in page


def test_new_times_are_shown_at_once(signed_in: Client, owner: User, account: ConnectedAccount) -> None:
    posts = [scheduled(account, owner, days) for days in (5, 3)]
    lines = send(signed_in, "reschedule", *posts).context["lines"]
    assert [line.post.pk for line in lines] == [posts[1].pk, posts[0].pk]
    assert lines[1].at - lines[0].at == timedelta(days=1)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"mode": "spread", "day": "", "clock": "09:00"}, "day"),
        ({"mode": "spread", "day": "2020-01-01", "clock": "09:00"}, "day"),
        ({"mode": "spread", "day": "2026-02-31", "clock": "09:00"}, "day"),
        ({"mode": "spread", "day": str(timezone.localdate()), "clock": "00:00"}, "clock"),
        ({"mode": "shift", "amount": ""}, "amount"),
        ({"mode": "shift", "amount": "0", "unit": "days"}, "amount"),
        ({"mode": "shift", "amount": "200", "unit": "weeks"}, "amount"),
        ({"mode": "shift", "amount": "2", "unit": "aeons"}, "unit"),
        ({"mode": "sideways"}, "mode"),
        ({}, "mode"),
    ],
)
def test_bad_times_come_back_with_what_was_typed(
    signed_in: Client, owner: User, account: ConnectedAccount, data: dict[str, str], field: str
) -> None:
    post = scheduled(account, owner)
    before = at(post)
    response = send(signed_in, "reschedule", post, step="do", **data)
    assert response.status_code == 422
    assert field in response.context["placing"].errors
    assert response.context["placing"].data.get("amount") == data.get("amount")
    assert response.content.decode().count("autofocus") == 1
    assert at(post) == before


def test_too_many_are_refused_in_a_sentence(signed_in: Client, workspace: Workspace) -> None:
    ids = [str(uuid.uuid4()) for _number in range(bulk.MOST + 1)]
    response = signed_in.post(ADDRESS, {"act": "cancel", "post": ids})
    assert response.status_code == 422
    assert "At most 200 posts can be changed at once, and 201 are chosen." in response.content.decode()


@pytest.mark.parametrize("data", [{"act": "cancel"}, {"act": "burn", "post": "x"}, {}, {"one": "burn:1"}, {"one": "x"}])
def test_what_makes_no_sense_is_refused(signed_in: Client, data: dict[str, str]) -> None:
    response = signed_in.post(ADDRESS, data)
    assert response.status_code == 422
    assert "Nothing was changed" in response.content.decode()


def test_posts_of_strangers_are_not_there(signed_in: Client, owner: User, stranger: User) -> None:
    theirs = make_post(workspace_of(stranger), make_account(workspace_of(stranger)), caption="Secret")
    for post in (theirs, Post()):  # theirs is as little there as what nobody ever had
        page = send(signed_in, "delete", post, step="do").content.decode()
        assert "1 was skipped: no longer there." in page
        assert "Secret" not in page
    mine = make_post(workspace_of(owner))
    page = send(signed_in, "delete", mine, theirs).content.decode()
    assert "Secret" not in page
    send(signed_in, "delete", mine, theirs, step="do")
    assert Post.objects.filter(pk=theirs.pk).exists()
    assert not Post.objects.filter(pk=mine.pk).exists()


def test_a_viewer_changes_nothing(signed_in: Client, owner: User, account: ConnectedAccount) -> None:
    post = make_post(account.workspace, account)
    Membership.objects.filter(user=owner).update(role=Role.VIEWER)
    assert send(signed_in, "delete", post, step="do").status_code == 403
    assert "post_bulk" not in signed_in.get(LIST).content.decode()
    assert ADDRESS not in signed_in.get(LIST).content.decode()


# What is done


def test_from_a_time_on_with_a_distance(signed_in: Client, owner: User, account: ConnectedAccount) -> None:
    owner.time_zone = "Europe/Berlin"
    owner.save()
    later, sooner = scheduled(account, owner, 9), scheduled(account, owner, 2)
    day = timezone.localdate(timezone=BERLIN) + timedelta(days=5)
    response = send(
        signed_in, "reschedule", later, sooner, step="do", mode="spread", day=str(day), clock="10:15", every="2h"
    )
    assert "2 posts have a new time." in response.content.decode()
    first = datetime.combine(day, datetime.min.time().replace(hour=10, minute=15), tzinfo=BERLIN)
    assert at(sooner) == first
    assert at(later) == first + timedelta(hours=2)
    entry = QueueEntry.objects.get(publication__post=later)
    assert entry.not_before == entry.due_at == at(later)


@pytest.mark.parametrize(("direction", "days"), [("later", 2), ("earlier", -2)])
def test_all_by_a_step(signed_in: Client, owner: User, account: ConnectedAccount, direction: str, days: int) -> None:
    one, other = scheduled(account, owner, 3), scheduled(account, owner, 8)
    before = [at(one), at(other)]
    send(signed_in, "reschedule", one, other, step="do", mode="shift", amount="2", unit="days", direction=direction)
    assert [at(one), at(other)] == [moment + timedelta(days=days) for moment in before]


def test_what_would_land_in_the_past_stays(signed_in: Client, owner: User, account: ConnectedAccount) -> None:
    near, far = scheduled(account, owner, 1), scheduled(account, owner, 9)
    before = at(near)
    response = send(
        signed_in, "reschedule", near, far, step="do", mode="shift", amount="2", unit="days", direction="earlier"
    )
    page = response.content.decode()
    assert "1 post has a new time. 1 was skipped: the new time would be in the past." in page
    assert at(near) == before


def test_a_draft_is_planned_and_stays_one(signed_in: Client, account: ConnectedAccount) -> None:
    draft = make_post(account.workspace, account)
    day = str(timezone.localdate() + timedelta(days=5))
    send(signed_in, "reschedule", draft, step="do", mode="spread", day=day, clock="10:00", every="0")
    assert at(draft)
    assert draft.status == "draft"
    assert not QueueEntry.objects.exists()


def test_cancel_reports_what_was_too_late(signed_in: Client, owner: User, account: ConnectedAccount) -> None:
    waiting = [scheduled(account, owner) for _number in range(2)]
    begun = put(scheduled(account, owner), Status.PUBLISHING)
    response = send(signed_in, "cancel", *waiting, begun, step="do", query="status=scheduled")
    assert response.redirect_chain == [(f"{LIST}?status=scheduled", 302)]
    page = response.content.decode()
    assert "2 posts are cancelled and drafts again. 1 was skipped: already on the way." in page
    assert begun.publications.get().status == Status.PUBLISHING


def test_retry_needs_no_question(signed_in: Client, account: ConnectedAccount) -> None:
    failed = put(make_post(account.workspace, account), Status.FAILED, error_kind="rejected")
    draft = make_post(account.workspace, account)
    response = send(signed_in, "retry", failed, draft)
    assert "1 post is tried again. 1 was skipped: nothing has failed." in response.content.decode()
    assert failed.publications.get().status == Status.SCHEDULED


def test_only_drafts_are_deleted(signed_in: Client, owner: User, account: ConnectedAccount) -> None:
    draft, waiting = make_post(account.workspace, account), scheduled(account, owner)
    page = send(signed_in, "delete", draft, waiting, step="do").content.decode()
    assert "1 draft is deleted. 1 was skipped: only drafts can be deleted." in page
    assert list(Post.objects.all()) == [waiting]


@pytest.mark.parametrize("trace", [{"error_kind": "given_up"}, {"committing_at": timezone.now()}], ids=["left", "sent"])
def test_a_draft_that_may_be_out_is_deleted_by_whoever_has_read_that(
    signed_in: Client, account: ConnectedAccount, trace: dict[str, Any]
) -> None:
    plain, doubtful = (make_post(account.workspace, account) for _index in range(2))
    doubtful.publications.update(**trace)
    response = send(signed_in, "delete", plain, doubtful)
    assert response.content.decode().count("perhaps on Facebook") == 1
    assert [line.post for line in response.context["doubtful"]] == [doubtful]
    report = send(signed_in, "delete", plain, doubtful, step="do").content.decode()
    assert "1 draft is deleted. 1 was skipped: perhaps out already" in report
    assert list(Post.objects.all()) == [doubtful]
    send(signed_in, "delete", doubtful, step="do", doubt=str(doubtful.pk))
    assert not Post.objects.exists()


def test_nothing_to_do_is_said_as_a_warning(signed_in: Client, account: ConnectedAccount) -> None:
    out = put(make_post(account.workspace, account), Status.PUBLISHED)
    page = send(signed_in, "cancel", out, step="do").content.decode()
    assert "1 was skipped: already published." in page
    assert 'data-level="warning"' in page


def test_one_row_alone_leaves_the_ticked_ones(signed_in: Client, account: ConnectedAccount) -> None:
    wanted, ticked = (make_post(account.workspace, account) for _number in range(2))
    signed_in.post(ADDRESS, {"one": f"delete:{wanted.pk}", "post": str(ticked.pk)})
    response = signed_in.post(ADDRESS, {"act": "delete", "post": str(wanted.pk), "step": "do"})
    assert response.url == LIST
    assert list(Post.objects.all()) == [ticked]


def test_a_part_of_a_post_is_said(owner: User, account: ConnectedAccount) -> None:
    post = make_post(account.workspace, account, make_account(account.workspace, platform="instagram"))
    schedule.schedule(post, timezone.now() + timedelta(days=1), by=owner)
    Publication.objects.filter(post=post, account=account).update(status=Status.PUBLISHED)
    (line,) = bulk.outlook(Act.CANCEL, [post])
    assert (line.part, line.whole, line.is_part) == (1, 2, True)


def test_who_loses_a_race_stops_nobody(owner: User, account: ConnectedAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (scheduled(account, owner, days) for days in (1, 2))
    cancel = schedule.cancel

    def late(post: Post, *, by: User | None) -> list[uuid.UUID]:
        if post.pk == first.pk:  # a worker begins between the look and the act
            put(first, Status.PUBLISHING)
        return cancel(post, by=by)

    monkeypatch.setattr(schedule, "cancel", late)
    report = bulk.perform(Act.CANCEL, [first, second], by=owner)
    assert (report.done, report.skipped) == (1, {Skipped.ON_THE_WAY: 1})
    assert first.publications.get().status == Status.PUBLISHING
    assert second.publications.get().status == Status.DRAFT


# In the page


def test_a_dialog_or_its_inside(signed_in: Client, owner: User, account: ConnectedAccount) -> None:
    post = scheduled(account, owner)
    data = {"act": "reschedule", "post": str(post.pk)}
    opened = signed_in.post(ADDRESS, data, headers={"HX-Request": "true", "HX-Target": "bulk_place"}).content.decode()
    assert opened.startswith("<dialog")
    inside = signed_in.post(
        ADDRESS,
        {**data, "dialog": "yes", "step": "preview", "mode": "shift", "amount": "1", "unit": "weeks"},
        headers={"HX-Request": "true", "HX-Target": "post_bulk"},
    ).content.decode()
    assert "<dialog" not in inside
    assert "<html" not in inside
    assert "data-dialog-close" in inside


def test_the_menu_offers_what_can_be_done(owner: User, account: ConnectedAccount) -> None:
    assert bulk.acts_for(make_post(account.workspace, account)) == [Act.DELETE]
    assert bulk.acts_for(scheduled(account, owner)) == [Act.RESCHEDULE, Act.CANCEL]
    assert bulk.acts_for(put(make_post(account.workspace, account), Status.FAILED)) == [Act.RETRY]
    assert bulk.acts_for(put(make_post(account.workspace, account), Status.PUBLISHED)) == []


def test_what_was_asked_for_on_the_page_of_a_post_leads_back_there(
    signed_in: Client, owner: User, account: ConnectedAccount
) -> None:
    failed = put(
        make_post(account.workspace, account, make_account(account.workspace, platform="instagram")), Status.FAILED
    )
    page = signed_in.get(failed.get_absolute_url()).content.decode()
    assert f'value="retry:{failed.pk}"' in page
    response = signed_in.post(ADDRESS, {"one": f"retry:{failed.pk}", "back": "yes"})
    assert response.url == failed.get_absolute_url()
    assert {one.status for one in failed.publications.all()} == {Status.SCHEDULED}

    draft = make_post(account.workspace, account)
    response = signed_in.post(ADDRESS, {"one": f"delete:{draft.pk}", "back": "yes", "step": "do"})
    assert response.url == LIST  # its page is gone


def test_one_post_begins_with_the_time_that_it_has(signed_in: Client, owner: User, account: ConnectedAccount) -> None:
    owner.time_zone = "Asia/Tokyo"
    owner.save()
    post = scheduled(account, owner, 4)
    form = send(signed_in, "reschedule", post).context["placing"]
    local = at(post).astimezone(ZoneInfo("Asia/Tokyo"))
    assert (form.data["day"], form.data["clock"]) == (f"{local:%Y-%m-%d}", f"{local:%H:%M}")


def test_a_time_that_comes_twice_is_asked_for(signed_in: Client, owner: User, account: ConnectedAccount) -> None:
    owner.time_zone = "Europe/Berlin"
    owner.save()
    post = scheduled(account, owner)
    data = {"mode": "spread", "day": "2027-10-31", "clock": "02:30", "every": "0"}
    response = send(signed_in, "reschedule", post, step="do", **data)
    assert response.status_code == 422
    assert "comes twice" in response.content.decode()
    send(signed_in, "reschedule", post, step="do", **data, fold="1")
    assert at(post) == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


def test_nothing_is_moved_beyond_two_years(signed_in: Client, owner: User, account: ConnectedAccount) -> None:
    """Step by step it would leave the calendar, and in the end the years that clocks know."""
    near, far = scheduled(account, owner, days=3), scheduled(account, owner, days=400)
    shift = {"step": "do", "mode": "shift", "amount": "400", "unit": "days", "direction": "later"}
    page = send(signed_in, "reschedule", near, far, **shift).content.decode()
    assert "1 post has a new time. 1 was skipped: the new time would be more than two years from now." in page
    assert at(far) < timezone.now() + timedelta(days=401)


def test_what_is_gone_meanwhile_is_said(signed_in: Client, owner: User, account: ConnectedAccount) -> None:
    gone, there = scheduled(account, owner), scheduled(account, owner)
    key = gone.pk
    Post.objects.filter(pk=key).delete()
    look = signed_in.post(ADDRESS, {"act": "cancel", "post": [str(key), str(there.pk)]}).content.decode()
    assert "1 of the chosen posts is no longer there." in look
    assert f'name="post" value="{key}"' in look  # what follows tells of it, too
    page = signed_in.post(ADDRESS, {"act": "cancel", "post": [str(key), str(there.pk)], "step": "do"}, follow=True)
    assertContains(page, "1 post is cancelled and a draft again. 1 was skipped: no longer there.")


def test_pressed_in_two_tabs(signed_in: Client, account: ConnectedAccount) -> None:
    draft = make_post(account.workspace, account)
    data = {"one": f"delete:{draft.pk}", "back": "yes", "step": "do"}
    pages = [signed_in.post(ADDRESS, data, follow=True) for _tab in "ab"]
    assertContains(pages[0], "1 draft is deleted.")
    assertContains(pages[1], "1 was skipped: no longer there.")
    assertContains(signed_in.post(ADDRESS, {**data, "step": ""}, follow=True), "1 was skipped: no longer there.")


def test_a_draft_that_is_deleted_meanwhile_stops_nobody(owner: User, account: ConnectedAccount) -> None:
    gone, other = (make_post(account.workspace, account, scheduled_at=timezone.now() + timedelta(1)) for _ in "ab")
    Post.objects.filter(pk=gone.pk).delete()
    report = bulk.perform(Act.RESCHEDULE, [gone, other], by=owner, placing=Shift(BERLIN, days=1))
    assert (report.done, report.skipped.total()) == (1, 1)
