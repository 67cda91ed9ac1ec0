"""The hours at which posts do well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from analytics.filters import span_of
from analytics.reports import hours as reports
from analytics.reports.periods import BY_KEY
from analytics.templatetags.charts import heat_cells
from tests.analytics.rows import make_platform_post
from tests.factories import make_account

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)  # a Friday
SUNDAY = datetime(2026, 11, 8, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def fb(workspace):
    return make_account(workspace, name="Page")


def rated(account, at, rate, number=1, **fields):
    for _ in range(number):
        make_platform_post(
            account, **{"posted_at": at, "reach": 500, "engagement_rate": rate, "rate_of": "reach", **fields}
        )


def cell(told, weekday, hour):
    return told.rows[weekday - 1].cells[hour]


def test_too_few_posts_are_refused_with_their_number(workspace, fb):
    rated(fb, SUNDAY, 0.1, 19)
    told = reports.best_hours(workspace)
    assert (told.rows, told.best, told.posts) == ([], [], 19)
    assert "from 20 posts" in told.reason
    assert "there are 19" in told.reason


def test_hours_stand_against_what_is_usual(workspace, fb):
    rated(fb, SUNDAY.replace(hour=18), 0.3, 5)
    rated(fb, SUNDAY.replace(hour=7), 0.1, 15)
    told = reports.best_hours(workspace)
    assert (told.reason, told.posts, told.accounts) == ("", 20, 1)
    assert cell(told, 7, 18).times == pytest.approx(2.0)  # the usual is 0.15
    assert cell(told, 7, 7).times == pytest.approx(2 / 3)
    assert (cell(told, 7, 18).level, cell(told, 7, 7).level) == (6, 1)
    assert cell(told, 1, 3).times is None
    assert cell(told, 1, 3).level is None
    assert [(one.weekday, one.hour, one.posts) for one in told.best] == [(7, 18, 5)]
    assert told.best[0].words == "Sunday, 18:00–19:00"


def test_hours_are_those_of_the_reader_in_summer_and_in_winter(workspace, fb):
    """18:00 in Berlin is 16:00 UTC before the last Sunday of October, 17:00 after it."""
    rated(fb, datetime(2026, 10, 18, 16, 5, tzinfo=UTC), 0.2, 10)
    rated(fb, datetime(2026, 11, 8, 17, 55, tzinfo=UTC), 0.2, 10)
    told = reports.best_hours(workspace, zone=ZoneInfo("Europe/Berlin"))
    assert cell(told, 7, 18).posts == 20
    assert told.zone == "Europe/Berlin"
    # Half past eleven on Saturday evening in UTC is Sunday in Berlin.
    rated(fb, datetime(2026, 11, 7, 23, 30, tzinfo=UTC), 0.2)
    assert cell(reports.best_hours(workspace, zone=ZoneInfo("Europe/Berlin")), 7, 0).posts == 1


def test_an_account_that_always_does_well_lends_its_hours_to_nobody(workspace, fb):
    star = make_account(workspace, platform="instagram")
    rated(star, SUNDAY.replace(hour=9), 0.9, 10)
    rated(fb, SUNDAY.replace(hour=20), 0.01, 10)
    told = reports.best_hours(workspace)
    assert cell(told, 7, 9).times == pytest.approx(1)
    assert cell(told, 7, 20).times == pytest.approx(1)
    assert told.best == []
    assert (told.accounts, reports.best_hours(workspace, star).posts) == (2, 10)


def test_rates_of_reach_and_of_views_are_not_mixed(workspace, fb):
    rated(fb, SUNDAY.replace(hour=9), 0.2, 10)
    rated(fb, SUNDAY.replace(hour=20), 0.02, 10, rate_of="views")
    assert cell(reports.best_hours(workspace), 7, 20).times == pytest.approx(1)


def test_one_lucky_post_is_no_good_hour(workspace, fb):
    rated(fb, SUNDAY.replace(hour=3), 5.0)
    rated(fb, SUNDAY.replace(hour=9), 0.2, 30)
    told = reports.best_hours(workspace)
    assert cell(told, 7, 3).is_few
    assert told.best == []


def test_where_single_hours_have_too_few_the_weekdays_are_put_together(workspace, fb):
    for day in range(6):
        at = SUNDAY - timedelta(days=day)
        rated(fb, at.replace(hour=18), 0.4, 1)
        rated(fb, at.replace(hour=8), 0.1, 2)
        rated(fb, at.replace(hour=11), 0.1, 2)
    told = reports.best_hours(workspace)
    assert [(one.weekday, one.hour, one.posts) for one in told.best] == [(0, 18, 6)]
    assert told.best[0].words == "18:00–19:00"


def test_an_account_on_which_nobody_ever_did_anything_has_no_best_hour(workspace, fb):
    rated(fb, SUNDAY.replace(hour=9), 0.0, 25)
    told = reports.best_hours(workspace)
    assert (told.best, cell(told, 7, 9).times) == ([], None)


def test_older_posts_count_when_the_span_is_longer(workspace, fb):
    rated(fb, NOW - timedelta(days=100), 0.2, 20)
    assert reports.best_hours(workspace).posts == 0
    year = span_of(BY_KEY["90d"])
    longer = type(year)(NOW - timedelta(days=365), NOW)
    assert reports.best_hours(workspace, span=longer).posts == 20


def test_it_costs_two_queries_whatever_the_number(workspace, fb, django_assert_num_queries):
    rated(fb, SUNDAY.replace(hour=9), 0.2, 25)
    with django_assert_num_queries(2):
        reports.best_hours(workspace)


def test_a_cell_says_its_hour_and_how_many_posts_it_rests_on():
    row = reports.Row(
        1, "Monday", "Mon", [reports.Cell(1, 8, 0, None), reports.Cell(1, 9, 1, 1.25), reports.Cell(1, 10, 4, 0.5)]
    )
    assert heat_cells(row) == (
        '<td role="cell"></td>'
        '<td role="cell" data-heat="4" data-few title="Monday, 09:00–10:00: 1.3 times the usual rate, 1 post">1.3</td>'
        '<td role="cell" data-heat="1" title="Monday, 10:00–11:00: 0.5 times the usual rate, 4 posts">0.5</td>'
    )
