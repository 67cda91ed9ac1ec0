"""Days and hours of an account: what a span comes to, what it is compared with, and what is not said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ConnectedAccount, Workspace
from analytics.days import day_start, days_after
from analytics.models import InsightWindow, RefusedMetric
from analytics.reports.periods import BY_KEY
from analytics.reports.series import Sort, load
from socialhub.platforms.measures import MEASURES
from tests.analytics.figures import day_value, make_days, make_hours, make_month, make_today
from tests.factories import make_account

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 18, 14, 40, tzinfo=UTC)
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
VIEWS, REACH, FOLLOWERS = MEASURES["views"], MEASURES["reach"], MEASURES["followers"]
WEEK, MONTH, DAY, HOUR = BY_KEY["7d"], BY_KEY["30d"], BY_KEY["24h"], BY_KEY["1h"]


@pytest.fixture(autouse=True)
def _that_day() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def page(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, last_synced_at=NOW)


@pytest.fixture
def instagram(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, platform="instagram", last_synced_at=NOW)


# --- Days -----------------------------------------------------------------------------------------------------


def test_a_week_is_the_sum_of_its_days_against_the_week_before(page: ConnectedAccount) -> None:
    make_days(page, 30)
    told = load(page).told(VIEWS, WEEK)
    assert told.sort is Sort.SUM
    assert told.value == sum(day_value("views", back) for back in range(1, 8))
    assert told.before == sum(day_value("views", back) for back in range(8, 15))
    assert told.change == told.value - told.before
    assert told.rate == pytest.approx(told.change / told.before)
    assert (told.known, told.of, told.notes) == (7, 7, ())


def test_people_are_not_added_up(page: ConnectedAccount) -> None:
    make_days(page, 30)
    told = load(page).told(REACH, WEEK)
    assert told.sort is Sort.AVERAGE
    assert told.value == pytest.approx(sum(day_value("reach", back) for back in range(1, 8)) / 7)


def test_days_that_are_not_told_yet_move_the_span_and_are_named(page: ConnectedAccount) -> None:
    make_days(page, 30, late=2)
    told = load(page).told(VIEWS, WEEK)
    assert told.value == sum(day_value("views", back) for back in range(3, 10))
    assert told.before is not None
    assert told.notes == ("Up to 15 Nov: Facebook has not told the 2 days after it yet.",)


@pytest.mark.parametrize("changed", [datetime(2026, 11, 2, 20, tzinfo=UTC), datetime(2027, 3, 15, 20, tzinfo=UTC)])
def test_the_day_after_the_clocks_changed_nothing_is_late(page: ConnectedAccount, changed: datetime) -> None:
    with time_machine.travel(changed, tick=False):
        make_days(page, 30)
        series = load(page)
        assert series.told(VIEWS, WEEK).notes == ()
        assert series.told(VIEWS, WEEK).known == 7
        assert series.chart(VIEWS, WEEK).notes == []


def test_a_missing_day_is_not_0_and_compares_by_the_average_day(page: ConnectedAccount) -> None:
    make_days(page, 70, missing=(12,))
    told = load(page).told(VIEWS, MONTH)
    assert (told.known, told.of, told.is_partial) == (29, 30, True)
    past = [day_value("views", back) for back in range(31, 61)]
    assert told.before == pytest.approx(sum(past) / 30 * 29)
    assert "average day" in told.notes[0]


def test_too_much_missing_before_is_no_comparison(page: ConnectedAccount) -> None:
    make_days(page, 40)
    told = load(page).told(VIEWS, MONTH)
    assert told.value is not None
    assert told.rate is None
    assert told.why_not_compared == "Not compared: of the 30 days before only 10 of 30 days are known."


def test_nothing_is_added_up_or_compared_over_a_change_of_what_is_measured(page: ConnectedAccount) -> None:
    make_days(page, 62, changed={"views": 10})
    series = load(page)
    told = series.told(VIEWS, MONTH)
    assert told.value == sum(day_value("views", back) for back in range(1, 11))
    assert told.rate is None
    assert told.why_not_compared
    assert told.notes[0].startswith("From 8 Nov on only")
    # The week lies after the change, the one before it does not.
    week = series.told(VIEWS, WEEK)
    assert week.value is not None
    assert (week.rate, bool(week.why_not_compared)) == (None, True)
    assert series.told(REACH, MONTH).rate is not None


def test_the_day_that_is_going_on_belongs_to_no_span(instagram: ConnectedAccount) -> None:
    make_days(instagram, 30)
    before = load(instagram).told(VIEWS, WEEK).value
    make_today(instagram, {"views": 100_000})
    series = load(instagram)
    assert series.told(VIEWS, WEEK).value == before
    assert "Today so far: 100,000, read at 14:40." in series.chart(VIEWS, WEEK).notes


def test_a_day_that_was_read_only_while_it_went_on_counts_as_unknown(instagram: ConnectedAccount) -> None:
    make_days(instagram, 30)
    zone = "America/Los_Angeles"
    third = days_after(day_start(NOW, zone), -3, zone)
    InsightWindow.objects.filter(account=instagram, window_start=third).update(is_whole=False)
    told = load(instagram).told(VIEWS, WEEK)
    assert told.known == 6
    assert told.value == sum(day_value("views", back) for back in range(1, 8) if back != 3)


def test_days_are_those_of_the_network(page: ConnectedAccount) -> None:
    make_days(page, 30)
    chart = load(page).chart(VIEWS, MONTH)
    assert {at.hour for at in chart.times} == {0}
    assert {at.utcoffset() for at in chart.times} == {timedelta(hours=-7), timedelta(hours=-8)}  # clocks went back
    assert chart.times[-1].date().isoformat() == "2026-11-17"


# --- Levels ---------------------------------------------------------------------------------------------------


def test_followers_are_the_newest_reading_and_how_far_they_came(page: ConnectedAccount) -> None:
    make_hours(page, 40 * 24)
    told = load(page).told(FOLLOWERS, WEEK)
    assert told.sort is Sort.LEVEL
    newest = InsightWindow.objects.filter(account=page).latest("window_start").metrics["followers"]
    start = days_after(day_start(NOW, "America/Los_Angeles"), -7, "America/Los_Angeles")
    then = (
        InsightWindow.objects.filter(account=page, window_start__lt=start).latest("window_start").metrics["followers"]
    )
    assert told.value == newest
    assert told.change == newest - then > 0
    assert told.before == 28


def test_days_before_the_first_hour_come_from_what_the_network_tells_of_days(page: ConnectedAccount) -> None:
    make_hours(page, 48)
    old = days_after(day_start(NOW, "America/Los_Angeles"), -20, "America/Los_Angeles")
    InsightWindow.objects.create(
        account=page, period="day", window_start=old, metrics={"followers": 11_000}, fetched_at=NOW
    )
    told = load(page).told(FOLLOWERS, MONTH)
    assert told.change == (told.value or 0) - 11_000
    assert told.notes == ("Since 29 Oct; before that it was not read.",)


def test_a_day_ends_with_the_last_hour_that_was_read_also_when_the_clocks_change(page: ConnectedAccount) -> None:
    # In Los Angeles 1 November has 25 hours; of 3 November nobody read the last ones.
    for day, hour, followers in ((1, 5, 10), (2, 7, 20), (2, 8, 21), (3, 7, 30), (3, 20, 31), (4, 8, 40)):
        InsightWindow.objects.create(
            account=page,
            period=InsightWindow.Period.HOUR,
            window_start=datetime(2026, 11, day, hour, tzinfo=UTC),
            metrics={"followers": followers},
            fetched_at=NOW,
        )
    closing = load(page).closing
    assert {at.astimezone(LOS_ANGELES).day: hour.metrics["followers"] for at, hour in closing.items()} == {
        **{31: 10, 1: 20, 2: 30, 3: 31, 4: 40}
    }
    assert all(at == day_start(at, str(LOS_ANGELES)) for at in closing)


def test_one_reading_is_no_change(page: ConnectedAccount) -> None:
    make_hours(page, 1)
    told = load(page).told(FOLLOWERS, WEEK)
    assert told.value == 12_480
    assert told.change is None
    assert told.why_not_compared


def test_the_first_day_of_a_level_has_a_reason_of_its_own(page: ConnectedAccount) -> None:
    make_hours(page, 2)
    assert load(page).chart(FOLLOWERS, WEEK).reason.startswith("Facebook does not tell what it was before")


# --- Hours ----------------------------------------------------------------------------------------------------


def test_the_last_hour_stands_against_the_one_before(instagram: ConnectedAccount) -> None:
    make_hours(instagram, 50, measures=["views"])
    told = load(instagram).told(VIEWS, HOUR)
    hours = InsightWindow.objects.filter(account=instagram).order_by("-window_start")
    assert told.value == hours[0].derived["views"]
    assert told.before == hours[1].derived["views"]
    assert told.notes == ("12:20 to 13:20",)


def test_a_day_of_hours_is_their_sum(instagram: ConnectedAccount) -> None:
    make_hours(instagram, 50, measures=["views"])
    told = load(instagram).told(VIEWS, DAY)
    hours = list(InsightWindow.objects.filter(account=instagram).order_by("-window_start"))
    assert told.value == sum(hour.derived["views"] for hour in hours[:24])
    assert told.before == sum(hour.derived["views"] for hour in hours[24:48])


def test_hours_that_nobody_read_are_a_gap_and_their_sum_is_not_one_hour(instagram: ConnectedAccount) -> None:
    make_hours(instagram, 50, measures=["views"], stopped=(10, 5))
    series = load(instagram)
    chart = series.chart(VIEWS, DAY)
    assert [at.hour for at, value in zip(chart.times, chart.lines[0].values, strict=True) if value is None] == [
        4,
        5,
        6,
        7,
        8,
        9,
    ]
    assert "Between Wed 03:20 and 09:20 nothing was read" in chart.notes[1], chart.notes
    told = series.told(VIEWS, DAY)
    assert told.known == 24  # all of that time lies within, so the sum is whole


def test_a_long_span_that_began_before_the_day_does_not_count_in_it(instagram: ConnectedAccount) -> None:
    make_hours(instagram, 60, measures=["views"], stopped=(28, 22))
    told = load(instagram).told(VIEWS, DAY)
    assert told.known == 21
    assert told.is_partial
    assert told.rate is None
    assert told.why_not_compared


def test_hours_that_are_missing_do_not_look_like_a_fall(instagram: ConnectedAccount) -> None:
    make_hours(instagram, 60, measures=["views"])
    hours = InsightWindow.objects.filter(account=instagram, window_start__gte=NOW - timedelta(hours=50))
    for hour in hours:
        hour.derived["views"] = 100
    InsightWindow.objects.bulk_update(hours, ["derived"])
    this_hour = NOW.replace(minute=0)
    hours.filter(window_start__in=[this_hour - timedelta(hours=back) for back in (3, 9, 15)]).delete()
    told = load(instagram).told(VIEWS, DAY)
    assert (told.value, told.known, told.of) == (2100, 21, 24)
    assert (told.before, told.rate) == (2100, 0)
    assert told.notes == ("Compared by the average hour, as either side covers another time.",)


def test_an_hour_that_was_read_soon_after_the_last_is_laid_beside_no_whole_one(instagram: ConnectedAccount) -> None:
    make_hours(instagram, 60, measures=["views"])
    last = InsightWindow.objects.filter(account=instagram).latest("window_start")
    last.derived |= {"views": 9, "span_minutes": 20}
    last.save()
    told = load(instagram).told(VIEWS, HOUR)
    assert told.value == 9
    assert (told.change, told.rate) == (None, None)
    assert told.why_not_compared == "Not compared: this reading covers 20 minutes, the one before 60."


def test_a_network_of_days_says_so_for_hours(page: ConnectedAccount) -> None:
    make_days(page, 30)
    series = load(page)
    assert series.told(VIEWS, HOUR).why == "Facebook tells this figure by the day only."
    assert series.chart(VIEWS, DAY).reason == "Facebook tells this figure by the day only."


def test_people_have_no_hours(instagram: ConnectedAccount) -> None:
    make_hours(instagram, 50, measures=["reach"])
    assert "once a day" in load(instagram).told(REACH, DAY).why


# --- Charts ---------------------------------------------------------------------------------------------------


def test_a_gap_stays_a_gap_and_the_table_says_the_same(page: ConnectedAccount) -> None:
    make_days(page, 30, missing=(3,))
    chart = load(page).chart(VIEWS, WEEK)
    line, before = chart.lines
    assert line.values[4] is None
    assert sum(value is None for value in line.values) == 1
    assert before.is_before
    rows = list(chart.table.rows)
    assert [row[1] for row in rows] == list(line.values)
    assert [row[3] for row in rows] == list(before.values)
    assert chart.notes[0].startswith("1 of 7 days has no figure")


def test_a_break_is_marked_and_nothing_of_before_is_drawn_beside_it(page: ConnectedAccount) -> None:
    make_days(page, 30, changed={"views": 4})
    chart = load(page).chart(VIEWS, WEEK)
    assert [one.at for one in chart.breaks] == [chart.times[3]]
    assert "new_views instead of old_views" in chart.breaks[0].text
    assert [line.is_before for line in chart.lines] == [False]


# --- Why not --------------------------------------------------------------------------------------------------


def test_a_refused_name_is_the_reason(page: ConnectedAccount) -> None:
    RefusedMetric.objects.create(
        platform="facebook",
        subject="account",
        name="page_media_view",
        first_refused_at=NOW - timedelta(days=2),
        last_refused_at=NOW,
        retry_at=NOW + timedelta(days=1),
    )
    told = load(page).told(VIEWS, WEEK)
    assert told.value is None
    assert "has refused this figure since 16 Nov" in told.why


def test_reasons_differ(workspace: Workspace) -> None:
    fresh = make_account(workspace)
    lost = make_account(workspace, status="expired", last_synced_at=NOW)
    read = make_account(workspace, last_synced_at=NOW)
    reasons = {load(account).told(VIEWS, WEEK).why for account in (fresh, lost, read)}
    assert len(reasons) == 3
    assert load(read).told(MEASURES["saves"], WEEK).why == "Facebook has no such figure of accounts."


def test_queries_do_not_grow_with_the_rows(instagram: ConnectedAccount) -> None:
    with CaptureQueriesContext(connection) as few:
        load(instagram)
    make_month(instagram)
    with CaptureQueriesContext(connection) as many:
        load(instagram)
    assert len(few) == len(many) == 4
    # The end of a day is looked up, not sorted out of all its hours.
    assert not any("DISTINCT" in query["sql"] for query in many)
