"""What the script of charts draws from, and the same figures as a table."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.template.loader import render_to_string

from analytics.reports.charts import Break, Chart, Line
from analytics.reports.periods import BY_KEY
from analytics.reports.series import Sort, Told
from analytics.reports.tables import Column, Kind, Table
from analytics.templatetags.charts import amount, cell, chart_data, duration, has_gaps, percent, table_rows, trend
from socialhub.platforms.measures import MEASURES, Unit

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
DAYS = [datetime(2026, 11, day, tzinfo=LOS_ANGELES) for day in range(1, 5)]
TABLE = Table(
    "views-days",
    "Views by day",
    [Column("day", "Day", Kind.DAY), Column("views", "Views", Kind.NUMBER, "How often")],
    [[date(2026, 11, 1), 1204], [date(2026, 11, 2), None]],
)
CHART = Chart(
    "views",
    "Views by day",
    DAYS,
    [
        Line("views", "Views", [1204, None, 0, 3], is_bars=True),
        Line("before", "the week before", [1, 2, 3, 4], is_before=True),
    ],
    TABLE,
    breaks=[Break(DAYS[2], "Something else <b>")],
    notes=["A note & more"],
)


def test_a_chart_says_in_numbers_and_words_what_is_drawn() -> None:
    told = json.loads(chart_data(CHART))
    assert told["times"] == [int(day.timestamp()) for day in DAYS]
    assert told["times"][1] - told["times"][0] == 25 * 3600  # the clocks went back
    assert told["axis"] == ["1 Nov", "2 Nov", "3 Nov", "4 Nov"]
    assert told["whole"][0] == "Sun 1 Nov 2026"
    assert told["lines"][0] == {
        "word": "Views",
        "values": [1204, None, 0, 3],
        "unit": "count",
        "bars": True,
        "before": False,
        "level": False,
    }
    assert told["breaks"] == [2]


def test_hours_are_told_by_the_reader_s_clock() -> None:
    hours = [datetime(2026, 11, 1, 22, tzinfo=UTC) + timedelta(hours=n) for n in range(4)]
    told = json.loads(chart_data(replace(CHART, times=hours, is_hourly=True, breaks=())))
    assert told["axis"] == ["22:00", "23:00", "2 Nov", "01:00"]


def test_a_break_before_the_first_time_or_after_the_last_is_not_drawn() -> None:
    outside = [Break(DAYS[0], "x"), Break(DAYS[-1] + timedelta(days=1), "y")]
    assert json.loads(chart_data(replace(CHART, breaks=outside)))["breaks"] == []


def test_a_time_without_figures_is_a_gap_even_where_the_span_before_has_one() -> None:
    assert has_gaps(CHART)
    assert not has_gaps(replace(CHART, lines=CHART.lines[1:] and [Line("views", "Views", [0, 0, 0, 0])]))


def test_the_page_holds_the_chart_its_notes_and_its_table() -> None:
    page = render_to_string("analytics/_chart.html", {"chart": CHART})
    assert "No figure" in page
    assert "Something else &lt;b&gt;" in page
    assert "A note &amp; more" in page
    assert '<th scope="row">Sun 1 Nov 2026</th>' in page
    assert "1,204" in page
    assert 'title="no figure"' in page
    assert "style=" not in page


def test_without_anything_to_draw_the_reason_stands_there() -> None:
    empty = Chart("views", "Views", [], [], TABLE, reason="Facebook tells this by the day only.")
    page = render_to_string("analytics/_chart.html", {"chart": empty})
    assert "Facebook tells this by the day only." in page
    assert "data-chart=" not in page
    assert "<table" not in page


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (1204, Kind.NUMBER, "1,204"),
        (0, Kind.NUMBER, "0"),
        (3.25, Kind.NUMBER, "3.2"),
        (0.0341, Kind.PERCENT, "3.4 %"),
        (date(2026, 11, 1), Kind.DAY, "Sun 1 Nov 2026"),
        (datetime(2026, 11, 1, 13, 5, tzinfo=UTC), Kind.TIME, "Sun 1 Nov, 13:05"),
        ("words", Kind.TEXT, "words"),
    ],
)
def test_a_cell_is_read_as_what_it_is(value: Any, kind: Kind, text: str) -> None:
    assert cell(value, Column("x", "X", kind)) == text


def test_a_missing_cell_is_no_0_and_words_of_networks_are_text() -> None:
    columns = [Column("x", "X"), Column("y", "Y", Kind.NUMBER)]
    rows = table_rows(Table("t", "T", columns, [["<b>", None], ["", 0]]))
    assert '<th scope="row">&lt;b&gt;</th><td data-number><abbr title="no figure">–</abbr></td>' in rows
    assert '<th scope="row"><abbr title="no figure">–</abbr></th><td data-number>0</td>' in rows


def test_figures_have_the_form_of_their_unit() -> None:
    assert "0.04 %" in amount(0.0004, Unit.PERCENT)
    assert "2 h 10 min" in amount(7800, Unit.SECONDS)
    assert "12.4k" in amount(12_480)
    assert "a reason" in amount(None, Unit.COUNT, "a reason")
    assert [duration(seconds) for seconds in (4.25, 42, 600, 300_000)] == ["4.2 s", "42 s", "10 min", "3 days"]
    assert percent(0) == "0.0 %"


def told(key: str, **fields: Any) -> Told:
    return Told(MEASURES[key], BY_KEY["7d"], Sort.SUM, **fields)


def test_a_change_says_against_what() -> None:
    shown = trend(told("views", value=120, before=100, change=20, rate=0.2))
    assert "+20 %" in shown
    assert "120 against 100 in the 7 days before" in shown
    assert 'data-direction="up"' in shown


def test_more_lost_followers_are_nothing_good() -> None:
    shown = trend(told("unfollows", value=12, before=10, change=2, rate=0.2))
    assert 'data-direction="down"' in shown
    assert "#trending-up" in shown


def test_nothing_grows_from_0_in_percent() -> None:
    assert "+7" in trend(told("views", value=7, before=0, change=7))
    assert "%" not in trend(told("views", value=7, before=0, change=7)).replace("against", "")
    assert trend(told("views", value=7)) == ""
