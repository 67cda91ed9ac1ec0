"""The calendar: which day a post stands in, what the address may ask for, and how a post gets another time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains

from accounts.models import Membership, Role, User, Workspace
from publishing import intake, schedule
from publishing.calendar import Entry, hour_edges, month_of, start_of, week_of
from publishing.compose import Intent
from publishing.models import Post, PostAssembly, PostMedia, Publication, QueueEntry, Status
from tests.factories import make_account, make_media, make_post, workspace_of

CALENDAR = reverse("publishing:calendar")
HTMX = {"HX-Request": "true"}
BERLIN = ZoneInfo("Europe/Berlin")
SUNDAY, MONDAY = 0, 1
NEXT = timezone.now().year + 1


def last_sunday(month: int) -> date:
    """When Berlin moves its clocks next year: in March (3) and October (10), which have 31 days."""
    return week_of(date(NEXT, month, 31), SUNDAY)[0]


SPRING, AUTUMN = last_sunday(3), last_sunday(10)
YESTERDAY = (datetime.now(tz=UTC) - timedelta(days=1)).date().isoformat()


@pytest.fixture
def owner_in_berlin(owner: User) -> User:
    owner.time_zone = "Europe/Berlin"
    owner.save(update_fields=["time_zone"])
    return owner


def soon(days: int = 3, hour: int = 9) -> datetime:
    """A full hour of a day to come."""
    return (timezone.now() + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)


def planned(workspace: Workspace, at: datetime, status: str = "scheduled", **fields: Any) -> Post:
    return make_post(workspace, scheduled_at=at, status=status, **fields)


def waiting(workspace: Workspace, at: datetime, *, accounts: int = 1) -> Post:
    """A post that is really on its way: with queue entries."""
    post = make_post(workspace, *(make_account(workspace) for _ in range(accounts)))
    schedule.schedule(post, at, by=None)
    return post


def move_url(post: Post) -> str:
    return reverse("publishing:post_reschedule", args=[post.pk])


def said(response: HttpResponse) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]


def cells(response: Any) -> dict[date, Any]:
    return {cell.day: cell for week in response.context["weeks"] for cell in week}


def words(entries: list[Entry]) -> list[str]:
    return [entry.words for entry in entries]


# --- Days and hours -------------------------------------------------------------------------------------------------


def test_a_month_is_whole_weeks_from_either_first_day() -> None:
    november = date(2026, 11, 21)  # the first is a Sunday, the 30th a Monday
    assert month_of(november, SUNDAY)[0][0] == date(2026, 11, 1)
    assert month_of(november, SUNDAY)[-1][-1] == date(2026, 12, 5)
    assert month_of(november, MONDAY)[0][0] == date(2026, 10, 26)
    assert month_of(november, MONDAY)[-1][-1] == date(2026, 12, 6)
    assert {len(week) for week in month_of(november, MONDAY)} == {7}


def test_a_week_holds_its_day_wherever_it_begins() -> None:
    sunday = date(2026, 11, 22)
    assert week_of(sunday, SUNDAY)[0] == sunday
    assert week_of(sunday, MONDAY)[-1] == sunday


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 6, 1), 24),
        ("America/Santiago", date(2026, 9, 6), 23),  # the clocks skip midnight itself
        ("America/Santiago", date(2026, 4, 4), 25),  # the last hour of the day comes twice
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
    ],
)
def test_a_day_is_as_long_as_its_zone_makes_it(zone: str, day: date, hours: float) -> None:
    name = ZoneInfo(zone)
    assert start_of(day + timedelta(days=1), name) - start_of(day, name) == timedelta(hours=hours)
    edges = [edge for edge, _day, _hour in hour_edges([day], name)]
    assert edges[0] == start_of(day, name)
    assert edges == sorted(set(edges))


def test_an_hour_that_comes_twice_begins_twice_and_one_left_out_never() -> None:
    back = [hour for _edge, _day, hour in hour_edges([date(2026, 10, 25)], BERLIN)]
    forward = [hour for _edge, _day, hour in hour_edges([date(2026, 3, 29)], BERLIN)]
    assert back.count(2) == 2
    assert forward.count(2) == 0
    assert len(back) == 25
    assert len(forward) == 23


# --- What stands where ----------------------------------------------------------------------------------------------


def test_a_post_stands_in_the_day_of_whoever_looks(
    signed_in: Client, workspace: Workspace, owner_in_berlin: User
) -> None:
    planned(workspace, datetime(2030, 6, 10, 22, 30, tzinfo=UTC), caption="After midnight in Berlin")
    found = cells(signed_in.get(CALENDAR, {"on": "2030-06-10"}))
    assert not found[date(2030, 6, 10)].entries
    (entry,) = found[date(2030, 6, 11)].entries
    assert f"{entry.at:%H:%M}" == "00:30"


def test_the_zone_is_named(signed_in: Client, workspace: Workspace, owner_in_berlin: User) -> None:
    assert "Europe/Berlin" in signed_in.get(CALENDAR).content.decode()


def test_a_month_holds_its_first_and_last_minute_and_no_other(signed_in: Client, workspace: Workspace) -> None:
    planned(workspace, datetime(2030, 5, 25, 23, 59, tzinfo=UTC), caption="Before the first week")
    planned(workspace, datetime(2030, 5, 26, tzinfo=UTC), caption="First minute")
    planned(workspace, datetime(2030, 7, 6, 23, 59, tzinfo=UTC), caption="Last minute")
    planned(workspace, datetime(2030, 7, 7, tzinfo=UTC), caption="After the last week")
    found = cells(signed_in.get(CALENDAR, {"on": "2030-06-10"}))
    assert words([entry for cell in found.values() for entry in cell.entries]) == ["First minute", "Last minute"]
    assert found[date(2030, 5, 26)].is_outside


@pytest.mark.parametrize("status", Post.Summary.values)
def test_every_status_is_said_in_words(signed_in: Client, workspace: Workspace, status: str) -> None:
    post = make_post(workspace, make_account(workspace), scheduled_at=soon(), status=status)
    for view in ("month", "week", "day"):
        page = signed_in.get(CALENDAR, {"view": view, "on": soon().date().isoformat()}).content.decode()
        assert f'data-status="{status}"' in page
        assert str(Post.Summary(status).label) in page
        assert post.get_absolute_url() in page


def test_a_post_without_a_time_stands_nowhere(signed_in: Client, workspace: Workspace) -> None:
    make_post(workspace, caption="Some day")
    assert "Some day" not in signed_in.get(CALENDAR).content.decode()


def test_what_waits_for_its_files_stands_at_the_time_it_is_planned_for(
    signed_in: Client, workspace: Workspace, owner: User
) -> None:
    post, at = make_post(workspace, make_account(workspace), caption="Files from elsewhere"), soon()
    intake.expect(post, [intake.Wanted("https://example.com/a.jpg")], intent=Intent.SCHEDULE, at=at, by=owner)
    for view in ("month", "week", "day"):
        response = signed_in.get(CALENDAR, {"view": view, "on": at.date().isoformat(), "hours": "all"})
        assertContains(response, "Files from elsewhere")
        assertContains(response, "Waits for files")
    PostAssembly.objects.update(failed_at=timezone.now())
    assertContains(signed_in.get(CALENDAR, {"on": at.date().isoformat()}), "Files missing: Facebook")

    later = at + timedelta(days=1)
    signed_in.post(move_url(post), {"day": later.date().isoformat()})
    post.refresh_from_db()
    assert intake.due_of(post, PostAssembly.objects.get()) == later


def test_an_entry_names_its_networks(signed_in: Client, workspace: Workspace) -> None:
    accounts = [make_account(workspace, platform=key) for key in ("facebook", "instagram", "linkedin", "x")]
    make_post(workspace, *accounts, make_account(workspace), scheduled_at=soon(), status="scheduled")
    response = signed_in.get(CALENDAR, {"on": soon().date().isoformat()})
    (entry,) = cells(response)[soon().date()].entries
    assert entry.platforms == ("facebook", "instagram", "linkedin", "x")
    assert "Scheduled: Facebook, Instagram, LinkedIn, X" in response.content.decode()


def test_a_full_day_shows_the_first_and_counts_the_rest(signed_in: Client, workspace: Workspace) -> None:
    for number in range(10):
        planned(workspace, soon() + timedelta(minutes=number), caption=f"No {number}")
    planned(workspace, soon() + timedelta(hours=3), status="failed")
    response = signed_in.get(CALENDAR, {"on": (soon() + timedelta(days=1)).date().isoformat()})
    cell = cells(response)[soon().date()]
    assert words(cell.entries) == ["No 0", "No 1", "No 2"]
    assert cell.more == 8
    assert cell.troubled == 1
    assert "+8 more" in response.content.decode()


def test_the_chosen_day_is_listed_below_the_month_of_a_phone(signed_in: Client, workspace: Workspace) -> None:
    for number in range(15):
        planned(workspace, soon() + timedelta(minutes=number), caption=f"No {number}")
    response = signed_in.get(CALENDAR, {"on": soon().date().isoformat()})
    assert len(response.context["agenda"].entries) == 12
    assert response.context["agenda"].more == 3
    assert len(cells(response)[soon().date()].entries) == 3
    assert "3 more posts" in response.content.decode()


def test_a_week_has_a_place_for_every_hour_of_it(signed_in: Client, workspace: Workspace, owner: User) -> None:
    owner.time_zone = "Europe/Berlin"
    owner.save(update_fields=["time_zone"])
    planned(workspace, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), status="published", caption="The first")
    planned(workspace, datetime(2026, 10, 25, 1, 30, tzinfo=UTC), status="published", caption="The second")
    response = signed_in.get(CALENDAR, {"view": "week", "on": "2026-10-25"})
    (column,) = (column for column in response.context["columns"] if column.day == date(2026, 10, 25))
    (cell,) = (cell for cell in column.cells if cell.hour == 2)
    assert words(cell.entries) == ["The first", "The second"]
    page = response.content.decode()
    assert "02:30 CEST" in page
    assert "02:30 CET" in page


def test_an_hour_that_does_not_exist_takes_nothing(signed_in: Client, workspace: Workspace, owner: User) -> None:
    owner.time_zone = "Europe/Berlin"
    owner.save(update_fields=["time_zone"])
    response = signed_in.get(CALENDAR, {"view": "week", "on": SPRING.isoformat(), "hours": "all"})
    (column,) = (column for column in response.context["columns"] if column.day == SPRING)
    assert [cell.hour for cell in column.cells if not cell.exists] == [2]
    page = response.content.decode()
    assert f"day={SPRING}&amp;time=01:00" in page
    assert f"day={SPRING}&amp;time=02:00" not in page


def test_a_week_folds_the_night_unless_something_stands_there(signed_in: Client, workspace: Workspace) -> None:
    week = {"view": "week", "on": "2030-06-10"}
    assert signed_in.get(CALENDAR, week).context["hours"] == range(7, 21)
    planned(workspace, datetime(2030, 6, 11, 3, 15, tzinfo=UTC))
    planned(workspace, datetime(2030, 6, 12, 22, 15, tzinfo=UTC))
    assert signed_in.get(CALENDAR, week).context["hours"] == range(3, 23)
    assert signed_in.get(CALENDAR, {**week, "hours": "all"}).context["hours"] == range(24)


def test_a_week_that_is_too_full_shows_something_of_every_hour(
    signed_in: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publishing.views.calendar.WEEK", 5)
    for hour in range(4):
        for number in range(4):
            planned(workspace, datetime(2030, 6, 11, 9 + hour, number, tzinfo=UTC))
    response = signed_in.get(CALENDAR, {"view": "week", "on": "2030-06-10"})
    (column,) = (column for column in response.context["columns"] if column.day == date(2030, 6, 11))
    shown = {cell.hour: len(cell.entries) for cell in column.cells if cell.total}
    assert shown == {9: 2, 10: 1, 11: 1, 12: 1}
    assert column.total == 16


def test_a_day_goes_on_through_all_its_posts_once(
    signed_in: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publishing.views.calendar.PER_PAGE", 4)
    at = soon()
    for number in range(11):
        planned(workspace, at + timedelta(minutes=number // 3), caption=f"No {number}")
    query = {"view": "day", "on": at.date().isoformat()}
    seen: list[str] = []
    after = ""
    while True:
        response = signed_in.get(
            CALENDAR, {**query, "after": after}, headers={**HTMX, "HX-Target": "calendar_more"} if after else {}
        )
        assert ("<html" in response.content.decode()) is not bool(after)
        seen += words(response.context["agenda"].entries)
        after = response.context["after"]
        if not after:
            break
    assert sorted(seen) == sorted(f"No {number}" for number in range(11))
    assert len(seen) == 11


def test_a_day_shows_the_first_picture_of_each_post(signed_in: Client, workspace: Workspace) -> None:
    post = planned(workspace, soon())
    first, second = make_media(workspace), make_media(workspace)
    PostMedia.objects.create(post=post, media=second, position=2)
    PostMedia.objects.create(post=post, media=first, position=1)
    page = signed_in.get(CALENDAR, {"view": "day", "on": soon().date().isoformat()}).content.decode()
    assert reverse("publishing:media_thumbnail", args=[first.pk]) in page
    assert reverse("publishing:media_thumbnail", args=[second.pk]) not in page


@pytest.mark.parametrize(("language", "first"), [("en", date(2026, 11, 15)), ("de", date(2026, 11, 16))])
def test_the_week_begins_as_the_language_has_it(
    signed_in: Client, owner: User, workspace: Workspace, language: str, first: date
) -> None:
    owner.language = language
    owner.save(update_fields=["language"])
    response = signed_in.get(CALENDAR, {"on": "2026-11-21"})
    assert response.context["weeks"][2][0].day == (first if language == "en" else date(2026, 11, 9))
    assert signed_in.get(CALENDAR, {"view": "week", "on": "2026-11-21"}).context["columns"][0].day == first


# --- What the address may ask for -----------------------------------------------------------------------------------


def test_filters(signed_in: Client, workspace: Workspace) -> None:
    one, other, third = (make_account(workspace) for _ in range(3))
    make_post(workspace, one, scheduled_at=soon(), status="scheduled", caption="One")
    make_post(workspace, other, scheduled_at=soon(), status="failed", caption="Other")
    make_post(workspace, third, scheduled_at=soon(), status="scheduled", caption="Third")
    day = {"view": "day", "on": soon().date().isoformat()}

    def shown(**query: Any) -> list[str]:
        return sorted(words(signed_in.get(CALENDAR, {**day, **query}).context["agenda"].entries))

    assert shown(account=[str(one.pk), str(other.pk)]) == ["One", "Other"]
    assert shown(status="failed") == ["Other"]
    assert shown(account=str(one.pk), status="failed") == []
    assert shown(status=["failed", "scheduled"]) == ["One", "Other", "Third"]


def test_a_filter_stays_on_every_way_through_the_calendar(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace)
    make_post(workspace, account, scheduled_at=soon(), status="scheduled")
    page = signed_in.get(CALENDAR, {"account": str(account.pk), "status": "scheduled"}).content.decode()
    links = re.findall(r'href="(\?view=[^"]*)"', page)
    kept = [link for link in links if f"account={account.pk}" in link]
    # The links that take it away: "Clear" and "Show all posts"
    assert len(links) - len(kept) <= 2
    assert len(kept) > 40


def test_a_status_can_be_chosen_though_another_is_shown(signed_in: Client, workspace: Workspace) -> None:
    planned(workspace, soon())
    planned(workspace, soon(), "failed")
    response = signed_in.get(CALENDAR, {"on": soon().date().isoformat(), "status": "failed"})
    assert response.context["statuses"] == [("scheduled", 1), ("failed", 1)]
    assert response.context["total"] == 1


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"view": "year"}, "a month, a week or a day"),
        ({"on": "yesterday"}, "not a date"),
        ({"on": "1650-01-01"}, "goes from 2000 to 2099"),
        ({"on": "9999-12-31"}, "goes from 2000 to 2099"),
        ({"account": "nonsense"}, "not connected here"),
        ({"account": "6a0f2f0e-7a0b-4f0e-9d6c-000000000000"}, "not connected here"),
        ({"status": "lost"}, "No post has such a status"),
        ({"view": "day", "after": "nonsense"}, "Start again from the top"),
        ({"view": "week", "hours": "none"}, "not one of the available choices"),
    ],
)
def test_a_bad_address_is_said_and_the_calendar_stays(
    signed_in: Client, workspace: Workspace, query: dict[str, str], sentence: str
) -> None:
    planned(workspace, timezone.now(), caption="Still here")
    response = signed_in.get(CALENDAR, query)
    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert "Still here" in page


def test_an_account_of_a_stranger_is_no_filter(signed_in: Client, stranger: User, workspace: Workspace) -> None:
    account = make_account(workspace_of(stranger), name="Secret Page", username="secret")
    response = signed_in.get(CALENDAR, {"account": str(account.pk)})
    assert response.status_code == 422
    assert "secret" not in response.content.decode().lower()


def test_posts_of_strangers_stand_in_no_calendar(signed_in: Client, stranger: User, workspace: Workspace) -> None:
    planned(workspace_of(stranger), soon(), caption="Theirs")
    for view in ("month", "week", "day"):
        query = {"view": view, "on": soon().date().isoformat()}
        response = signed_in.get(CALENDAR, query)
        assert "Theirs" not in response.content.decode()
        assert response.context["total"] == 0


def test_a_fragment_is_the_calendar_alone_and_history_gets_the_page(signed_in: Client, workspace: Workspace) -> None:
    fragment = signed_in.get(CALENDAR, headers=HTMX).content.decode()
    assert fragment.strip().startswith("<title>")
    assert 'id="calendar"' in fragment
    assert "<html" not in fragment
    page = signed_in.get(CALENDAR, headers={**HTMX, "HX-History-Restore-Request": "true"}).content.decode()
    assert "<html" in page


def test_an_empty_place_leads_to_the_composer(signed_in: Client, workspace: Workspace) -> None:
    day = date(NEXT, 6, 11)
    month = signed_in.get(CALENDAR, {"on": f"{NEXT}-06-20"}).content.decode()
    assert f"{reverse('publishing:post_new')}?day={day}&amp;time=09:00" in month
    assert f"Write a post for {day:%a} 11 Jun, 09:00" in month
    week = signed_in.get(CALENDAR, {"view": "week", "on": day.isoformat()}).content.decode()
    assert f"{reverse('publishing:post_new')}?day={day}&amp;time=14:00" in week


def test_nothing_is_offered_for_days_that_are_over(signed_in: Client, workspace: Workspace) -> None:
    page = signed_in.get(CALENDAR, {"on": "2020-06-10"}).content.decode()
    assert "Write a post for" not in page
    assert "data-drop" not in page


def test_a_viewer_sees_everything_and_can_move_nothing(signed_in: Client, owner: User, workspace: Workspace) -> None:
    post = waiting(workspace, soon())
    Membership.objects.filter(user=owner).update(role=Role.VIEWER)
    for view in ("month", "week", "day"):
        page = signed_in.get(CALENDAR, {"view": view, "on": soon().date().isoformat()}).content.decode()
        assert post.caption in page
        for handle in ("draggable", "data-drop", "reschedule", "Write a post"):
            assert handle not in page
    assert signed_in.post(move_url(post), {"day": f"{NEXT}-06-10"}).status_code == 403
    assert signed_in.get(move_url(post)).status_code == 403


# --- Weight ---------------------------------------------------------------------------------------------------------


def full(workspace: Workspace, number: int) -> None:
    """Posts of this month on three networks, with text and a picture each."""
    accounts = [make_account(workspace, platform=key) for key in ("facebook", "instagram", "linkedin")]
    media = make_media(workspace)
    first = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    posts = Post.objects.bulk_create(
        Post(
            workspace=workspace,
            caption="A long and honest caption about a car that was restored over many winters. " * 4,
            scheduled_at=first + timedelta(minutes=28 * 1440 * index // number),
            status=("scheduled", "draft", "published", "failed")[index % 4],
        )
        for index in range(number)
    )
    Publication.objects.bulk_create(
        Publication(post=post, account=account, post_type="text") for post in posts for account in accounts
    )
    PostMedia.objects.bulk_create(PostMedia(post=post, media=media, position=1) for post in posts)


@pytest.mark.parametrize("view", ["month", "week", "day"])
def test_the_calendar_asks_and_weighs_the_same_however_full_it_is(
    signed_in: Client, workspace: Workspace, view: str
) -> None:
    query = {"view": view, "on": timezone.now().date().replace(day=11).isoformat()}
    full(workspace, 28)
    signed_in.get(CALENDAR, query)
    with CaptureQueriesContext(connection) as few:
        signed_in.get(CALENDAR, query)
    full(workspace, 472)
    with CaptureQueriesContext(connection) as many:
        response = signed_in.get(CALENDAR, query)
    assert len(few) == len(many) <= 15
    assert len(response.content) < 150_000


# --- Another time ---------------------------------------------------------------------------------------------------


def test_a_post_moves_to_a_day_and_keeps_its_time_of_day(
    signed_in: Client, workspace: Workspace, owner_in_berlin: User
) -> None:
    post = waiting(workspace, datetime(NEXT, 7, 1, 7, 15, tzinfo=UTC), accounts=2)  # 09:15 in Berlin
    response = signed_in.post(
        move_url(post), {"day": f"{NEXT}-12-01", "next": f"{CALENDAR}?view=month&on={NEXT}-07-01"}
    )
    assert response.status_code == 302
    assert response["Location"] == f"{CALENDAR}?view=month&on={NEXT}-07-01"
    post.refresh_from_db()
    assert post.scheduled_at == datetime(NEXT, 12, 1, 8, 15, tzinfo=UTC)  # 09:15 in winter
    assert set(post.publications.values_list("scheduled_at", flat=True)) == {post.scheduled_at}
    assert set(QueueEntry.objects.values_list("due_at", flat=True)) == {post.scheduled_at}


def test_a_post_moves_to_an_hour(signed_in: Client, workspace: Workspace, owner_in_berlin: User) -> None:
    post = waiting(workspace, soon())
    signed_in.post(move_url(post), {"day": f"{NEXT}-07-01", "clock": "14:00"})
    post.refresh_from_db()
    assert post.scheduled_at == datetime(NEXT, 7, 1, 12, 0, tzinfo=UTC)


def test_a_draft_takes_its_plan_along(signed_in: Client, workspace: Workspace) -> None:
    post = planned(workspace, soon(), "draft")
    signed_in.post(move_url(post), {"day": f"{NEXT}-07-01", "clock": "14:00"})
    post.refresh_from_db()
    assert (post.scheduled_at, post.status) == (datetime(NEXT, 7, 1, 14, 0, tzinfo=UTC), "draft")


def test_a_draft_without_a_time_can_be_given_one(signed_in: Client, workspace: Workspace) -> None:
    post = make_post(workspace)
    assert signed_in.post(move_url(post), {"day": f"{NEXT}-07-01"}).status_code == 422
    assert signed_in.post(move_url(post), {"day": f"{NEXT}-07-01", "clock": "14:00"}).status_code == 302
    post.refresh_from_db()
    assert post.scheduled_at == datetime(NEXT, 7, 1, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(("step", "days"), [("-1", -1), ("1", 1), ("7", 7)])
def test_the_buttons_move_by_days_of_the_zone(
    signed_in: Client, workspace: Workspace, owner_in_berlin: User, step: str, days: int
) -> None:
    local = datetime.combine(SPRING - timedelta(days=1), time(9, 15), tzinfo=BERLIN)
    post = waiting(workspace, local.astimezone(UTC))
    signed_in.post(move_url(post), {"step": step})
    post.refresh_from_db()
    assert post.scheduled_at == local + timedelta(days=days)  # wall clock arithmetic


def test_a_move_says_the_new_time_and_can_be_taken_back(
    signed_in: Client, workspace: Workspace, owner_in_berlin: User
) -> None:
    before = datetime.combine(AUTUMN, time(1, 30), tzinfo=UTC)  # the second 02:30 of that night
    post = waiting(workspace, before)
    back = f"{CALENDAR}?view=month&on={AUTUMN}"
    response = signed_in.post(move_url(post), {"day": f"{NEXT}-11-24", "clock": "09:00", "next": back})
    (sentence,) = said(response)
    assert f"Moved to {date(NEXT, 11, 24):%a} 24 Nov, 09:00." in sentence
    assert 'form="calendar_undo"' in signed_in.get(back).content.decode()
    (instant,) = re.findall(r'name="instant" value="([^"]+)"', sentence)
    signed_in.post(move_url(post), {"instant": instant, "next": back})
    post.refresh_from_db()
    assert post.scheduled_at == before


def test_htmx_gets_the_whole_calendar_and_the_sentence(signed_in: Client, workspace: Workspace) -> None:
    post = waiting(workspace, soon())
    to = (soon() + timedelta(days=1)).date()
    data = {"day": to.isoformat(), "next": f"{CALENDAR}?view=week&on={to.isoformat()}"}
    response = signed_in.post(move_url(post), data, headers=HTMX)
    page = response.content.decode()
    assert 'hx-swap-oob="true"' in page
    assert 'data-view="week"' in page
    assert "Moved to" in page
    assert "Undo" in page
    assert str(post.pk) in response["HX-Trigger-After-Settle"]
    found = [entry.pk for column in response.context["columns"] for cell in column.cells for entry in cell.entries]
    assert found == [post.pk]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"day": YESTERDAY}, "cannot be moved into the past"),
        ({"instant": "2020-01-01T09:00:00+00:00"}, "cannot be moved into the past"),
        ({"instant": "2020-01-01T09:00:00"}, "no point in time"),
        ({"instant": "2020-99-01T09:00:00+00:00"}, "no point in time"),
        ({"day": "tomorrow"}, "Enter a valid date"),
        ({"day": f"{NEXT}-06-01", "clock": "25:00"}, "Enter a valid time"),
        ({"day": "2099-06-01"}, "within the next two years"),
        ({"instant": "2099-06-01T09:00:00+00:00"}, "within the next two years"),
        ({"instant": "9999-12-31T23:59:59-12:00"}, "within the next two years"),
        ({}, "Choose a date"),
        ({"step": "400"}, "not one of the available choices"),
        ({"day": SPRING.isoformat(), "clock": "02:30"}, "02:30 does not exist. Choose 03:00 or later"),
        ({"day": AUTUMN.isoformat(), "clock": "02:30"}, "02:30 comes twice"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_moves(
    signed_in: Client, workspace: Workspace, owner_in_berlin: User, data: dict[str, str], sentence: str
) -> None:
    post = waiting(workspace, soon())
    for headers in ({}, HTMX):
        response = signed_in.post(move_url(post), data, headers=headers)
        page = response.content.decode()
        assert response.status_code == 422
        assert sentence in page
        assert ("<html" in page) is not bool(headers)
    post.refresh_from_db()
    assert post.scheduled_at == soon()


def test_of_two_equal_times_one_is_chosen(signed_in: Client, workspace: Workspace, owner_in_berlin: User) -> None:
    post = waiting(workspace, soon())
    data = {"day": AUTUMN.isoformat(), "clock": "02:30"}
    assert 'name="fold"' in signed_in.post(move_url(post), data).content.decode()
    signed_in.post(move_url(post), {**data, "fold": "1"})
    post.refresh_from_db()
    assert post.scheduled_at == datetime.combine(AUTUMN, time(1, 30), tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (Status.QUEUED, "on its way"),
        (Status.PUBLISHING, "on its way"),
        (Status.CHECKING, "on its way"),
        (Status.PUBLISHED, "out already"),
        (Status.FAILED, "has failed"),
    ],
)
def test_what_is_out_or_on_its_way_stays_where_it_is(
    signed_in: Client, workspace: Workspace, status: Status, sentence: str
) -> None:
    post = waiting(workspace, soon())
    post.publications.update(status=status)
    summary = "publishing" if status == Status.QUEUED else status
    Post.objects.filter(pk=post.pk).update(status=summary)
    response = signed_in.post(move_url(post), {"day": f"{NEXT}-06-01"}, headers=HTMX)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert 'id="calendar"' not in response.content.decode()
    assert sentence in said(signed_in.post(move_url(post), {"day": f"{NEXT}-06-01"}))[-1]
    assert signed_in.get(move_url(post)).status_code == 302
    post.refresh_from_db()
    assert post.scheduled_at == soon()


def test_a_worker_that_was_faster_wins(signed_in: Client, workspace: Workspace) -> None:
    post = waiting(workspace, soon())
    QueueEntry.objects.update(lease_until=timezone.now() + timedelta(minutes=1))  # taken since the page was drawn
    (sentence,) = said(signed_in.post(move_url(post), {"day": f"{NEXT}-06-01"}))
    assert "Publishing has begun meanwhile" in sentence
    post.refresh_from_db()
    assert post.scheduled_at == soon()


def test_a_post_of_a_stranger_is_not_there(signed_in_stranger: Client, workspace: Workspace) -> None:
    post = waiting(workspace, soon())
    assert signed_in_stranger.get(move_url(post)).status_code == 404
    assert signed_in_stranger.post(move_url(post), {"day": f"{NEXT}-06-01"}).status_code == 404
    post.refresh_from_db()
    assert post.scheduled_at == soon()


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "///evil.example",
        "javascript:alert(1)",
        "evil",
    ],
)
def test_nobody_is_sent_elsewhere(signed_in: Client, workspace: Workspace, address: str) -> None:
    post = waiting(workspace, soon())
    response = signed_in.post(move_url(post), {"day": f"{NEXT}-06-01", "next": address})
    assert response["Location"] == f"{CALENDAR}?on={soon().date().isoformat()}"
    page = signed_in.get(move_url(post), {"next": address}).content.decode()
    assert f'href="{address}"' not in page
    assert f'value="{address}"' not in page


def test_an_address_of_ours_is_kept(signed_in: Client, workspace: Workspace) -> None:
    post = waiting(workspace, soon())
    response = signed_in.post(move_url(post), {"day": f"{NEXT}-06-01", "next": post.get_absolute_url()})
    assert response["Location"] == post.get_absolute_url()
    assert "Undo" not in said(response)[0]  # that page has no form for it


def test_the_form_shows_the_time_of_whoever_looks(
    signed_in: Client, workspace: Workspace, owner_in_berlin: User
) -> None:
    post = waiting(workspace, datetime(NEXT, 7, 1, 22, 30, tzinfo=UTC))
    page = signed_in.get(move_url(post), {"next": f"{CALENDAR}?view=week"}).content.decode()
    assert f'value="{NEXT}-07-02"' in page
    assert 'value="00:30"' in page
    assert "Europe/Berlin" in page
    assert f"{CALENDAR}?view=week" in page
    dialog = signed_in.get(move_url(post), headers=HTMX).content.decode()
    assert "<dialog" in dialog
    assert "<html" not in dialog


@pytest.mark.parametrize("address", ["\x00/", "/\x00", f"{CALENDAR}?{'account=x&' * 500}"])
def test_a_way_back_that_does_not_hold_is_not_in_the_way(signed_in: Client, workspace: Workspace, address: str) -> None:
    post = waiting(workspace, soon())
    response = signed_in.post(move_url(post), {"day": f"{NEXT}-06-01", "next": address})
    assert response["Location"] == f"{CALENDAR}?on={soon().date().isoformat()}"
    post.refresh_from_db()
    assert post.scheduled_at
    assert post.scheduled_at.date() == date(NEXT, 6, 1)
