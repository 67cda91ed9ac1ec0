"""Hours and days of accounts: what belongs to which, across midnights, gaps, clocks and two workers at once."""

from __future__ import annotations

import math
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connections

from accounts.models import ConnectedAccount
from analytics import cadence
from analytics.days import day_end, day_start
from analytics.ingest import accounts as ingest
from analytics.models import AccountSync, AudienceSnapshot, InsightWindow, RefusedMetric
from socialhub.platforms.base import (
    Access,
    AccountReading,
    Audience,
    AudienceReading,
    DayFigures,
    Profile,
)
from socialhub.platforms.errors import PermissionMissingError, TemporaryError
from socialhub.platforms.facebook import Facebook
from socialhub.platforms.instagram import Instagram
from socialhub.platforms.instagram_figures import DAYS_PER_CALL
from socialhub.platforms.linkedin import LinkedIn
from tests.analytics.rows import make_window
from tests.factories import make_account
from tests.fakes import FakeInstagram, FakePlatform

ZONE = "America/Los_Angeles"
MIDNIGHT = datetime(2026, 11, 20, 8, tzinfo=UTC)  # of the network
NOON = MIDNIGHT + timedelta(hours=12, minutes=10)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def account(workspace):
    return make_account(workspace, platform="instagram", platform_account_id="1001")


class Network(FakeInstagram):
    """Tells the day that is going on."""

    day_zone = ZONE
    tells_today = True
    history_days = 10

    def tell(self, at: datetime, followers: int | None = None, sources: dict | None = None, **so_far: int) -> None:
        """What the day of `at` has come to."""
        if followers is not None:
            self.profiles["1001"] = Profile(followers_count=followers)
        start = day_start(at, ZONE)
        self.days["1001", start] = DayFigures(start, so_far, sources or {}, {"told": so_far}, is_whole=False)

    def close(self, at: datetime, sources: dict | None = None, **figures: int) -> None:
        """The final word on the day of `at`, so far."""
        start = day_start(at, ZONE)
        self.days["1001", start] = DayFigures(start, figures, sources or {}, {}, is_whole=True)


@pytest.fixture
def network():
    return Network()


class Daily(FakePlatform):
    """Tells days only when they are over."""

    day_zone = ZONE
    history_days = 30


def read(account, network, act=ingest.read_hour, **extra):
    return act(ConnectedAccount.objects.get(pk=account.pk), network, Access("1001", "token"), **extra)


def hours():
    return list(InsightWindow.objects.filter(period="hour").order_by("window_start"))


def day(at):
    return InsightWindow.objects.get(period="day", window_start=day_start(at, ZONE))


def placed(at, name):
    """What hours and day together say."""
    start = day_start(at, ZONE)
    inside = [window for window in hours() if start <= window.fetched_at < day_end(start, ZONE)]
    return sum(window.derived.get(name, 0) for window in inside) + day(at).derived.get("unplaced", {}).get(name, 0)


# --- Hours ----------------------------------------------------------------------------------------------------


def test_an_hour_is_what_the_day_has_gained_since_the_reading_before(account, network, clock):
    network.tell(NOON, followers=100, views=500, reach=200)
    read(account, network)
    clock.move_to(NOON + HOUR)
    network.tell(NOON, followers=104, views=560, reach=220)
    read(account, network)
    first, second = hours()
    assert first.derived == {"reach": 200, "views": 500, "span_minutes": 730}, "all that happened since midnight"
    assert second.derived == {"followers": 4, "reach": 20, "views": 60, "span_minutes": 60}
    assert (second.metrics, second.so_far) == ({"followers": 104}, {"views": 560, "reach": 220})
    assert (day(NOON).metrics, day(NOON).is_whole, day(NOON).derived) == ({"views": 560, "reach": 220}, False, {})
    assert day(NOON).window_start == MIDNIGHT


def test_reading_twice_in_an_hour_keeps_the_whole_difference(account, network, clock):
    network.tell(NOON, views=500)
    read(account, network)
    for minutes, views in ((60, 530), (65, 533)):
        clock.move_to(NOON + timedelta(minutes=minutes))
        network.tell(NOON, views=views)
        read(account, network)
    assert [window.derived for window in hours()] == [
        {"views": 500, "span_minutes": 730},
        {"views": 33, "span_minutes": 65},
    ]


def test_the_same_reading_twice_changes_no_row(account, network, clock):
    network.tell(NOON - DAY, views=400)
    network.close(NOON - DAY, views=400)
    network.tell(NOON, followers=100, views=500)
    read(account, network, ingest.read_days)
    before = list(InsightWindow.objects.order_by("period", "window_start").values())
    sync = list(AccountSync.objects.values())
    read(account, network, ingest.read_days)
    after = list(InsightWindow.objects.order_by("period", "window_start").values())
    assert [{**row, "id": 0} for row in after] == [{**row, "id": 0} for row in before]
    assert [row["id"] for row in after] == [row["id"] for row in before]
    assert list(AccountSync.objects.values()) == sync


def test_gaps_stay_gaps_and_the_next_hour_says_its_span(account, network, clock):
    network.tell(NOON, followers=100, views=500)
    read(account, network)
    clock.move_to(NOON + 5 * HOUR)
    network.tell(NOON, followers=90, views=900)
    read(account, network)
    assert [window.window_start.hour for window in hours()] == [20, 1]
    assert hours()[1].derived == {"followers": -10, "views": 400, "span_minutes": 300}


def test_a_figure_that_falls_is_a_negative_difference_and_the_day_holds(account, network, clock):
    for number, views in enumerate((500, 480, 490)):
        clock.move_to(NOON + number * HOUR)
        network.tell(NOON, views=views)
        read(account, network)
    assert [window.derived["views"] for window in hours()] == [500, -20, 10]
    assert placed(NOON, "views") == 490


def test_what_an_hour_was_not_told_belongs_to_the_day_alone(account, network, clock):
    network.tell(NOON, followers=100, views=500, reach=200)
    read(account, network)
    clock.move_to(NOON + HOUR)
    network.tell(NOON, followers=101, views=560)
    read(account, network)
    clock.move_to(NOON + 2 * HOUR)
    network.tell(NOON, followers=101, views=570, reach=290)
    read(account, network)
    assert "reach" not in hours()[1].so_far
    assert hours()[2].derived == {"followers": 0, "views": 10, "span_minutes": 60}, "no hour had these 90"
    assert day(NOON).derived == {"unplaced": {"reach": 90}}
    assert placed(NOON, "reach") == 290


def test_a_reading_without_the_day_is_made_up_for_by_the_next(account, network, clock):
    network.tell(NOON, followers=100, views=500)
    read(account, network)
    clock.move_to(NOON + HOUR)
    network.will("read_account", AccountReading(Profile(followers_count=101), troubles=(TemporaryError("No answer."),)))
    read(account, network)
    clock.move_to(NOON + 2 * HOUR)
    network.tell(NOON, followers=103, views=570)
    read(account, network)
    assert [window.derived for window in hours()[1:]] == [
        {"followers": 1, "span_minutes": 60},
        {"followers": 2, "views": 70, "span_minutes": 120, "level_minutes": 60},
    ]
    assert day(NOON).derived == {}


def test_a_reading_at_midnight_itself_begins_the_day(account, network, clock):
    for at, views in ((NOON, 500), (MIDNIGHT + DAY, 0), (MIDNIGHT + DAY + HOUR, 30)):
        clock.move_to(at)
        network.close(NOON, views=600)
        network.tell(at, views=views)
        read(account, network)
    assert [window.derived["span_minutes"] for window in hours()] == [1440, 0, 60]
    assert [window.derived["views"] for window in hours()] == [600, 0, 30]


def test_no_change_of_a_level_is_lost_where_a_reading_lacked_it(account, network, clock):
    for number, followers in enumerate((100, None, 107)):
        clock.move_to(NOON + number * HOUR)
        network.profiles["1001"] = Profile(followers_count=followers, posts_count=3)
        read(account, network)
    assert [window.derived for window in hours()] == [
        {},
        {"posts": 0, "span_minutes": 60},
        {"followers": 7, "posts": 0, "span_minutes": 120},
    ]


def test_a_level_that_was_not_told_for_long_is_measured_against_the_last_that_was(account, network, clock):
    for number, followers in enumerate((100, *[None] * 3, 107)):
        clock.move_to(NOON + number * HOUR)
        network.profiles["1001"] = Profile(followers_count=followers, posts_count=3)
        read(account, network)
    assert hours()[-1].derived == {"followers": 7, "posts": 0, "span_minutes": 240}


def test_an_average_is_not_subtracted(account, network, clock):
    for number, seconds in enumerate((12.5, 12.7)):
        clock.move_to(NOON + number * HOUR)
        network.tell(NOON, views=10 + number, average_watch_seconds=seconds)
        read(account, network)
    assert hours()[1].derived == {"views": 1, "span_minutes": 60}
    assert day(NOON).derived == {}


def test_fractions_add_up_without_dust(account, network, clock):
    for number, seconds in enumerate((0.1, 0.3, 0.6)):
        clock.move_to(NOON + number * HOUR)
        network.tell(NOON, watch_seconds=seconds)
        read(account, network)
    assert [window.derived["watch_seconds"] for window in hours()] == [0.1, 0.2, 0.3]
    assert day(NOON).derived == {}


# --- The network's midnight -----------------------------------------------------------------------------------


def test_over_midnight_the_rest_of_the_day_goes_to_its_last_hour(account, network, clock):
    for at, views, followers in ((NOON, 500, 100), (NOON + HOUR, 520, 101)):
        clock.move_to(at)
        network.tell(at, followers=followers, views=views)
        read(account, network)
    after = MIDNIGHT + DAY + timedelta(minutes=40)
    clock.move_to(after)
    network.close(NOON, views=700)
    network.tell(after, followers=111, views=30)
    read(account, network)
    _first, last, new = hours()
    until = round((MIDNIGHT + DAY - NOON).total_seconds() / 60)
    assert last.derived == {"followers": 1, "views": 200, "span_minutes": until, "level_minutes": 60}
    minutes = round((after - NOON - HOUR).total_seconds() / 60)
    assert new.derived == {"followers": 10, "views": 30, "span_minutes": 40, "level_minutes": minutes}
    assert (day(NOON).is_whole, day(NOON).derived) == (True, {})
    assert placed(NOON, "views") == 700
    assert placed(after, "views") == 30


def test_what_comes_later_than_that_belongs_to_no_hour(account, network, clock):
    network.tell(NOON, views=500)
    read(account, network)
    clock.move_to(MIDNIGHT + DAY + timedelta(minutes=40))
    network.close(NOON, views=700)
    network.tell(MIDNIGHT + DAY, views=1)
    read(account, network)
    placed_then = hours()[0].derived
    for later, views in ((HOUR, 712), (7 * HOUR, 690)):
        clock.move_to(MIDNIGHT + DAY + timedelta(minutes=40) + later)
        network.close(NOON, views=views)
        read(account, network, ingest.read_days)
        assert day(NOON).derived == {"unplaced": {"views": views - 700}}
        assert hours()[0].derived == placed_then
        assert placed(NOON, "views") == views


def test_a_second_reading_in_the_first_hour_does_not_close_the_day_again(account, network, clock):
    network.tell(NOON, views=500)
    read(account, network)
    for minutes, views in ((5, 700), (40, 703)):
        clock.move_to(MIDNIGHT + DAY + timedelta(minutes=minutes))
        network.close(NOON, views=views)
        network.tell(MIDNIGHT + DAY, views=minutes)
        read(account, network, ingest.read_days)
    assert hours()[0].derived["views"] == 700
    assert day(NOON).derived == {"unplaced": {"views": 3}}
    assert hours()[1].derived == {"views": 40, "span_minutes": 40}


def test_a_day_whose_end_is_told_later_is_closed_then(account, network, clock):
    network.tell(NOON, views=500)
    read(account, network)
    clock.move_to(MIDNIGHT + DAY + timedelta(minutes=40))
    del network.days["1001", MIDNIGHT]
    network.tell(MIDNIGHT + DAY, views=1)
    read(account, network)
    assert day(NOON).is_whole is False
    clock.move_to(MIDNIGHT + DAY + timedelta(minutes=100))
    network.close(NOON, views=700)
    read(account, network, ingest.read_days)
    assert (day(NOON).is_whole, hours()[0].derived["views"]) == (True, 700)


def test_the_first_reading_of_a_day_asks_for_the_one_before(account, network, clock):
    read(account, network)
    clock.move_to(NOON + HOUR)
    read(account, network)
    clock.move_to(NOON + DAY)
    read(account, network)
    asked = [call.arguments["days"] for call in network.called("read_account")]
    assert asked == [[MIDNIGHT], [MIDNIGHT], [MIDNIGHT, MIDNIGHT + DAY]]


@pytest.mark.parametrize(
    ("first", "length"),
    [
        (datetime(2026, 3, 8, 8, tzinfo=UTC), 23),
        (datetime(2026, 11, 1, 7, tzinfo=UTC), 25),
        (datetime(2026, 11, 20, 8, tzinfo=UTC), 24),
    ],
)
def test_days_have_as_many_hours_as_their_clocks_say(account, network, clock, first, length):
    for number in range(length + 1):
        at = first + timedelta(hours=number, minutes=20)
        clock.move_to(at)
        if number < length:
            network.tell(at, views=10 * (number + 1))
        else:
            network.close(first, views=10 * length + 4)
            network.tell(at, views=3)
        read(account, network)
    windows = hours()
    assert len(windows) == length + 1
    assert sum(window.derived["span_minutes"] for window in windows) == length * 60 + 20
    assert windows[-2].derived == {"views": 14, "span_minutes": 100}
    assert windows[-1].derived == {"views": 3, "span_minutes": 20}
    assert (day(first).window_start, day(first).metrics, day(first).derived) == (first, {"views": 10 * length + 4}, {})


# --- A measure that becomes another ---------------------------------------------------------------------------


def test_another_metric_behind_a_figure_is_never_subtracted(account, network, clock):
    network.tell(NOON, views=500, likes=5, sources={"views": "impressions"})
    read(account, network)
    clock.move_to(NOON + HOUR)
    network.tell(NOON, views=90, likes=7, sources={"views": "views"})
    read(account, network)
    assert hours()[1].derived == {"likes": 2, "span_minutes": 60}
    assert day(NOON).derived == {}, "its hours and its sum are not of one kind"
    clock.move_to(NOON + 2 * HOUR)
    network.tell(NOON, views=100, likes=7, sources={"views": "views"})
    read(account, network)
    assert hours()[2].derived == {"likes": 0, "views": 10, "span_minutes": 60}


def test_a_day_that_is_told_by_another_metric_does_not_close_its_hours(account, network, clock):
    network.tell(NOON, views=500, likes=5, sources={"views": "impressions"})
    read(account, network)
    clock.move_to(NOON + DAY)
    network.close(NOON, views=90, likes=9, sources={"views": "views"})
    network.tell(NOON + DAY, views=1, sources={"views": "views"})
    read(account, network)
    assert (hours()[0].derived["views"], hours()[0].derived["likes"]) == (500, 9)


# --- Clocks and workers ---------------------------------------------------------------------------------------


def test_a_clock_that_was_put_back_loses_nothing(account, network, clock):
    for hour, views, followers in ((0, 500, 100), (3, 530, 103), (1, 540, 104), (2, 550, 105), (4, 570, 109)):
        clock.move_to(NOON + hour * HOUR)
        network.tell(NOON, views=views, followers=followers)
        read(account, network)
    windows = hours()
    assert [window.so_far["views"] for window in windows] == [500, 540, 550, 530, 570]
    assert sum(window.derived.get("followers", 0) for window in windows) == 9
    assert placed(NOON, "views") == 570
    assert all(window.derived["span_minutes"] >= 0 for window in windows)


def test_a_clock_that_was_put_back_over_midnight_does_not_reopen_the_day(account, network, clock):
    network.tell(NOON, views=500)
    read(account, network)
    clock.move_to(MIDNIGHT + DAY + timedelta(minutes=5))
    network.close(NOON, views=700)
    network.tell(MIDNIGHT + DAY, views=2)
    read(account, network)
    clock.move_to(MIDNIGHT + DAY - timedelta(minutes=5))
    network.tell(NOON, views=690)
    read(account, network)
    assert (day(NOON).is_whole, day(NOON).metrics) == (True, {"views": 700}), "what was read later counts"


def test_an_older_reading_does_not_replace_a_newer_one(account, network, clock):
    network.tell(NOON, followers=100, views=500)

    def another_worker(call):
        clock.move_to(NOON + timedelta(minutes=1))
        network.tell(NOON, followers=102, views=520)
        read(account, network)
        network.tell(NOON, followers=100, views=500)

    network.during("read_account", another_worker)
    read(account, network)
    (window,) = hours()
    assert (window.so_far, window.metrics) == ({"views": 520}, {"followers": 102})
    assert day(NOON).metrics == {"views": 520}


@pytest.mark.django_db(transaction=True)
def test_two_workers_lose_no_update(account, network, clock):
    """Each reads other days and other names of the same ones; none writes over what the other has just written."""
    names = ["views", "reach", "likes", "comments", "shares", "saves"]
    barrier, failures = threading.Barrier(len(names)), []

    def work(number):
        mine = Network()
        mine.profiles["1001"] = Profile(followers_count=100)
        mine.tell(NOON, **{names[number]: number + 1})
        for back in range(1, 4):
            mine.close(NOON - back * DAY, **{names[number]: 10 * back})
        try:
            barrier.wait()
            read(account, mine, ingest.read_days)
        except Exception as error:  # noqa: BLE001  every failure of a thread must reach the test
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[number]) for number in range(len(names))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert InsightWindow.objects.filter(period="day").count() == 4
    assert day(NOON).metrics == {name: number + 1 for number, name in enumerate(names)}
    assert day(NOON - DAY).metrics == dict.fromkeys(names, 10)
    (window,) = hours()
    assert window.so_far == day(NOON).metrics


# --- Days -----------------------------------------------------------------------------------------------------


def test_days_stand_at_the_midnight_of_their_network(account, clock):
    network = Daily()
    for back in range(1, 4):
        start = MIDNIGHT - back * DAY
        network.days["1001", start] = DayFigures(start, {"views": back}, {"views": "page_media_view"}, {"v": [back]})
    read(account, network, ingest.read_days)
    rows = list(InsightWindow.objects.filter(period="day").order_by("window_start"))
    assert [(row.window_start, row.metrics, row.is_whole) for row in rows] == [
        (MIDNIGHT - back * DAY, {"views": back}, True) for back in (3, 2, 1)
    ]
    assert (rows[0].sources, rows[0].raw, rows[0].derived) == ({"views": "page_media_view"}, {"v": [3]}, {})
    assert network.calls[0].arguments["days"] == [MIDNIGHT - back * DAY for back in (3, 2, 1)]


def test_a_day_without_figures_leaves_no_window(account):
    network = Daily()
    start = MIDNIGHT - DAY
    network.days["1001", start] = DayFigures(start)
    read(account, network, ingest.read_days)
    assert not InsightWindow.objects.exists()


def test_a_figure_that_is_withheld_later_keeps_its_last_value_and_its_source(account, network):
    for sources, figures in (({"reach": "r1"}, {"views": 5, "reach": 3}), ({}, {"views": 9})):
        network.tell(NOON, sources=sources, **figures)
        read(account, network)
    assert (day(NOON).metrics, day(NOON).sources) == ({"views": 9, "reach": 3}, {"reach": "r1"})


def test_negative_figures_of_a_day_are_kept(account):
    network = Daily()
    start = MIDNIGHT - DAY
    network.days["1001", start] = DayFigures(start, {"likes": -2})
    read(account, network, ingest.read_days)
    assert day(start).metrics == {"likes": -2}


def test_the_totals_of_a_whole_life_are_told_by_the_hour_as_differences(account, clock):
    network = Daily()
    for number, views in enumerate((10_000, 10_040)):
        clock.move_to(NOON + number * HOUR)
        network.totals["1001"] = {"impressions": views}
        read(account, network)
    assert hours()[1].derived == {"impressions": 40, "span_minutes": 60}


# --- Days that are missing ------------------------------------------------------------------------------------


def days_parts(account, network):
    parts = ingest.parts_of(ConnectedAccount.objects.get(pk=account.pk), network, full=True)
    return [part for part in parts if part.key.startswith("days:")]


def run(account, network, *, full=True):
    account = ConnectedAccount.objects.get(pk=account.pk)
    return [part.act(account, network, Access("1001", "t")) for part in ingest.parts_of(account, network, full=full)]


def asked_days(network):
    return [day for call in network.called("read_account") for day in call.arguments["days"]]


def test_the_history_of_a_new_account_is_read_once_in_chunks(account, clock):
    network = Daily()
    network.history_days = 200
    keys = [part.key for part in days_parts(account, network)]
    assert keys == ["days:2026-08-19", "days:2026-05-21", "days:2026-05-04"]
    run(account, network)
    asked = asked_days(network)
    assert (len(asked), len(set(asked))) == (200, 200), "each day once"
    assert (min(asked), max(asked)) == (day_start(NOON - 200 * DAY, ZONE), MIDNIGHT - DAY)
    assert days_parts(account, network) == []
    row = AccountSync.objects.get()
    assert (row.history_from, row.days_read_to) == (min(asked), NOON)


def test_a_history_that_was_cut_short_goes_on_where_it_stood(account, clock):
    network = Daily()
    network.history_days = 200
    read(account, network, ingest.read_days)
    first, second, third = days_parts(account, network)
    first.act(account, network, Access("1001", "t"))
    network.will("read_account", TemporaryError("No answer."))
    with pytest.raises(TemporaryError):
        second.act(account, network, Access("1001", "t"))
    assert [part.key for part in days_parts(account, network)] == [second.key, third.key]


def test_the_days_of_a_long_stop_are_caught_up(account, clock):
    network = Daily()
    run(account, network)
    clock.move_to(NOON + 20 * DAY)
    network.calls.clear()
    run(account, network)
    asked = asked_days(network)
    assert set(asked) == {MIDNIGHT + number * DAY for number in range(-3, 20)}
    run(account, network)
    network.calls.clear()
    run(account, network)
    assert asked_days(network) == [MIDNIGHT + number * DAY for number in (17, 18, 19)], "then only those that change"


@pytest.mark.parametrize("hours", [3, 24, 30, 48, 79, 200])
def test_each_day_is_read_again_until_it_has_settled(account, clock, hours):
    """However long nothing was read: a day that could still change when it was read last is read once more."""
    network = Daily()
    run(account, network)
    clock.move_to(NOON + hours * HOUR)
    network.calls.clear()
    run(account, network)
    unsettled = MIDNIGHT - 3 * DAY
    asked = sorted(asked_days(network))
    assert asked == [unsettled + number * DAY for number in range(len(asked))], "each once"
    assert asked[-1] == day_start(NOON + hours * HOUR, ZONE) - DAY
    assert days_parts(account, network) == []


def test_what_passes_by_itself_is_read_again_and_what_does_not_is_left(account, clock):
    network = Daily()
    start = MIDNIGHT - DAY
    told = DayFigures(start, {"views": 3})
    network.will("read_account", AccountReading(Profile(), days=(told,), troubles=(TemporaryError("No answer."),)))
    troubles = read(account, network, ingest.read_days)
    assert [error.message for error in troubles] == ["No answer."]
    assert day(start).metrics == {"views": 3}, "what came counts"
    assert AccountSync.objects.get().days_read_to is None
    network.will("read_account", AccountReading(Profile(), troubles=(PermissionMissingError("Missing."),)))
    read(account, network, ingest.read_days)
    assert AccountSync.objects.get().days_read_to == NOON


def test_a_network_without_days_is_not_asked_for_any(account):
    network = Daily()
    network.history_days = 0
    run(account, network)
    assert asked_days(network) == []


# --- Audience and refused names -------------------------------------------------------------------------------


def test_who_follows_is_kept_by_day_and_dimension(account, network, clock):
    network.has_audience = True
    for men, at in ((40, NOON), (41, NOON + HOUR), (44, NOON + DAY)):
        clock.move_to(at)
        parts = (
            Audience("followers", "gender", {"M": men, "F": 60}),
            Audience("engaged", "gender", {"M": 4}, raw={"told": 4}),
        )
        network.audiences["1001"] = AudienceReading(parts)
        read(account, network, ingest.read_audience)
    rows = AudienceSnapshot.objects.filter(kind="followers").order_by("taken_on")
    assert [(row.taken_on, row.parts["M"]) for row in rows] == [(NOON.date(), 41), ((NOON + DAY).date(), 44)]
    assert AudienceSnapshot.objects.filter(kind="engaged", raw={"told": 4}).count() == 2


def test_an_audience_is_asked_for_once_a_day_and_says_why_it_is_not_told(account, network, clock):
    network.has_audience = True
    network.audiences["1001"] = AudienceReading(withheld="Told from 100 followers on.")
    for hour in (0, 3, 24):
        clock.move_to(NOON + hour * HOUR)
        run(account, network)
    assert len(network.called("audience")) == 2
    assert set(AudienceSnapshot.objects.values_list("dimension", "withheld")) == {("", "Told from 100 followers on.")}


def test_a_refused_name_is_left_out_for_three_days_and_then_tried_again(account, network, clock, caplog):
    network.will("read_account", AccountReading(Profile(followers_count=3), refused=("views", "views")))
    read(account, network)
    assert (hours()[0].metrics, RefusedMetric.objects.get().name) == ({"followers": 3}, "views")
    assert "views" in caplog.text
    skipped = []
    for ahead in (1, 71, 73):
        clock.move_to(NOON + ahead * HOUR)
        read(account, network)
        skipped.append(network.calls[-1].arguments["skip"])
    assert skipped == [{"views"}, {"views"}, set()]
    network.will("read_account", AccountReading(Profile(), refused=("views",)))
    read(account, network)
    read(account, network)
    row = RefusedMetric.objects.get()
    assert (row.times, row.first_refused_at, row.last_refused_at) == (2, NOON, NOON + 73 * HOUR)
    assert (row.platform, row.subject, row.account) == ("instagram", "account", account)
    assert network.calls[-1].arguments["skip"] == {"views"}


def test_several_workers_that_meet_a_refused_name_count_once(account, network):
    for _ in range(3):
        network.will("read_account", AccountReading(Profile(), refused=("views",)))
        read(account, network)
    assert RefusedMetric.objects.get().times == 1


def test_a_name_refused_for_accounts_is_still_asked_of_posts(account, network):
    network.will("read_account", AccountReading(Profile(), refused=("views",)))
    read(account, network)
    run(account, network)
    assert network.called("recent_posts")[0].arguments["skip"] == set()


# --- Cost -----------------------------------------------------------------------------------------------------


def test_an_hour_costs_seven_statements_and_a_full_reading_of_days_eight(
    account, network, clock, django_assert_num_queries
):
    access = Access("1001", "token")
    network.tell(NOON, followers=100, views=500)
    for back in range(1, 4):
        network.close(NOON - back * DAY, views=10)
    ingest.read_days(account, network, access)
    clock.move_to(NOON + HOUR)
    # Names to skip, profile, transaction (2), lock, windows, windows again
    with django_assert_num_queries(7):
        ingest.read_hour(account, network, access)
    account = ConnectedAccount.objects.select_related("sync").get(pk=account.pk)
    with django_assert_num_queries(8):  # and how far the days are read
        ingest.read_days(account, network, access)


def test_ninety_days_are_written_at_once(account, django_assert_num_queries):
    network = Daily()
    for back in range(1, 100):
        start = day_start(NOON - back * DAY, ZONE)
        network.days["1001", start] = DayFigures(start, {"views": back})
    with django_assert_num_queries(10):  # as above, and the row that is held has to be made
        ingest.read_earlier_days(
            account, network, Access("1001", "t"), first=day_start(NOON - 90 * DAY, ZONE), end=MIDNIGHT
        )
    assert InsightWindow.objects.count() == 90


def test_the_hours_of_an_account_do_not_touch_those_of_another(account, network, workspace):
    other = make_account(workspace)
    make_window(other, NOON - HOUR, metrics={"followers": 1}, so_far={"views": 5})
    network.tell(NOON, followers=100, views=500)
    read(account, network)
    assert hours()[1].derived == {"views": 500, "span_minutes": 730}


@pytest.mark.parametrize("platform", [Facebook, Instagram, LinkedIn])
def test_no_part_of_a_reading_outlives_its_lease(workspace, platform):
    """A network that takes 30 seconds for each answer: whoever waits for it still has the account."""
    account = make_account(workspace, platform=platform.key)
    days_of_a_call = {"instagram": DAYS_PER_CALL}.get(platform.key, 90)
    kinds_of_a_call = 4 if platform is LinkedIn else 1
    parts = [part for part in ingest.parts_of(account, platform, full=True) if part.key.startswith("days:")]
    assert parts
    for part in parts:
        days = (part.act.keywords["end"] - part.act.keywords["first"]) / timedelta(days=1)
        calls = kinds_of_a_call * math.ceil((days - 0.1) / days_of_a_call)
        assert calls * 30 < cadence.LEASE.total_seconds(), (part.key, days, calls)
