"""When a post goes out: a place in the calendar, times with one press, now in spite of a time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client

from accounts.models import ConnectedAccount, User, Workspace
from publishing.models import Post, QueueEntry
from socialhub.time_zones import known_zones
from tests.factories import make_account, make_post
from tests.publishing.test_composer import NEW, later, make_set, shaped, typed

TUESDAY = datetime(2026, 11, 24, 13, 37, tzinfo=UTC)


@pytest.fixture
def facebook(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, name="Garage Page", username="garage")


def time_of(form: Any) -> tuple[Any, ...]:
    return tuple(form[name].value() for name in ("when", "day", "clock", "time_zone"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"day": "2026-12-01", "time": "09:30"}, ("later", date(2026, 12, 1), time(9, 30), "Europe/Berlin")),
        ({"day": "2026-12-01"}, ("later", date(2026, 12, 1), time(9), "Europe/Berlin")),
        ({"day": "2026-11-24"}, ("later", date(2026, 11, 24), time(15), "Europe/Berlin")),  # today: the next full hour
        ({"day": "2026-11-24", "time": "14:38"}, ("later", date(2026, 11, 24), time(14, 38), "Europe/Berlin")),
    ],
)
def test_a_place_in_the_calendar_is_the_time_of_a_new_post(
    signed_in: Client, owner: User, query: dict[str, str], expected: tuple[Any, ...]
) -> None:
    owner.time_zone = "Europe/Berlin"
    owner.save()
    with time_machine.travel(TUESDAY, tick=False):
        assert time_of(signed_in.get(NEW, query).context["form"]) == expected


@pytest.mark.parametrize(
    "query",
    [
        {"day": "2026-11-23", "time": "09:00"},  # over
        {"day": "2026-11-24", "time": "13:36"},
        {"day": "2036-11-24", "time": "09:00"},
        {"day": "24.11.2026", "time": "09:00"},
        {"day": "2026-12-01", "time": "25:00"},
        {"day": "9999-12-31", "time": "09:00"},
        {"day": "nonsense"},
        {"time": "09:00"},
    ],
)
def test_what_is_no_time_to_come_is_passed_over(signed_in: Client, query: dict[str, str]) -> None:
    with time_machine.travel(TUESDAY, tick=False):
        response = signed_in.get(NEW, query)
    assert response.status_code == 200
    assert response.context["form"]["when"].value() == "now"


def test_a_place_in_the_calendar_and_an_image_set(signed_in: Client, workspace: Workspace) -> None:
    with time_machine.travel(TUESDAY, tick=False):
        query = {"set": str(make_set(workspace).pk), "day": "2026-12-01", "time": "10:00"}
        form = signed_in.get(NEW, query).context["form"]
    assert time_of(form)[:3] == ("later", date(2026, 12, 1), time(10))
    assert len(form.pictures) == 3


@pytest.mark.parametrize(
    ("pick", "zone", "day", "clock"),
    [
        ("hour", "UTC", date(2026, 11, 24), time(14, 40)),
        ("hour", "Asia/Kathmandu", date(2026, 11, 24), time(20, 25)),
        ("tomorrow", "UTC", date(2026, 11, 25), time(9)),
        ("tomorrow", "Pacific/Kiritimati", date(2026, 11, 26), time(9)),  # there it is the 25th already
        ("monday", "UTC", date(2026, 11, 30), time(9)),
        ("monday", "Mars/Olympus", date(2026, 11, 30), time(9)),  # what is no zone is passed over here
    ],
)
def test_a_time_with_one_press(
    signed_in: Client, facebook: ConnectedAccount, pick: str, zone: str, day: date, clock: time
) -> None:
    with time_machine.travel(TUESDAY, tick=False):
        form = shaped(signed_in, typed(facebook, caption="Kept", time_zone=zone), f"pick:{pick}")
    assert time_of(form)[:3] == ("later", day, clock)
    assert form["caption"].value() == "Kept"


def test_next_monday_is_never_today(signed_in: Client, facebook: ConnectedAccount) -> None:
    with time_machine.travel(datetime(2026, 11, 30, 6, tzinfo=UTC), tick=False):
        assert shaped(signed_in, typed(facebook), "pick:monday")["day"].value() == date(2026, 12, 7)


def test_in_an_hour_may_be_tomorrow(signed_in: Client, facebook: ConnectedAccount) -> None:
    with time_machine.travel(datetime(2026, 11, 24, 23, 58, tzinfo=UTC), tick=False):
        form = shaped(signed_in, typed(facebook), "pick:hour")
    assert time_of(form)[1:3] == (date(2026, 11, 25), time(1, 0))


def test_a_pick_nobody_knows_changes_nothing(signed_in: Client, facebook: ConnectedAccount) -> None:
    assert shaped(signed_in, typed(facebook), "pick:nonsense")["when"].value() == "now"


def test_schedule_for_asks_for_the_time(signed_in: Client, facebook: ConnectedAccount) -> None:
    response = signed_in.post(NEW, typed(facebook, action="later"))
    assert response.status_code == 200
    assert response.context["form"]["when"].value() == "later"
    assert response.context["submit_label"] == "Schedule for 1"
    day = response.content.decode().partition('name="day"')[2].partition(">")[0]
    assert "autofocus" in day


def test_publish_now_goes_out_now_whatever_time_is_chosen(signed_in: Client, facebook: ConnectedAccount) -> None:
    moment = datetime.now(ZoneInfo("Europe/Berlin")).replace(year=datetime.now(UTC).year + 1)
    signed_in.post(NEW, {**typed(facebook, action="now"), **later(moment, "Europe/Berlin")})
    assert Post.objects.get().publications.get().status == "scheduled"
    assert QueueEntry.objects.get().priority == QueueEntry.Priority.NOW


def test_an_old_post_as_a_start_brings_neither_its_time_nor_its_key(
    signed_in: Client, workspace: Workspace, facebook: ConnectedAccount
) -> None:
    post = make_post(workspace, facebook, scheduled_at=datetime(2036, 1, 1, tzinfo=UTC), submission_key=facebook.pk)
    form = signed_in.get(NEW, {"from": str(post.pk)}).context["form"]
    assert form["when"].value() == "now"
    assert form["key"].value() != post.submission_key


def test_what_zones_there_are_is_looked_up_once() -> None:
    assert {"UTC", "Europe/Berlin", "US/Eastern"} < known_zones()
    assert known_zones() is known_zones()
