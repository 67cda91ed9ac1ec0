"""Accounts and campaigns beside each other."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.http import QueryDict
from django.urls import reverse

from analytics.filters import CampaignFilter, ComparisonFilter, span_of
from analytics.models import InsightWindow
from analytics.reports import compare as reports
from analytics.reports.periods import BY_KEY
from tests.analytics.rows import make_platform_post, make_published, make_window
from tests.factories import make_account, workspace_of

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
WEEK = BY_KEY["7d"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def fb(workspace):
    return make_account(workspace, name="Page", followers_count=120, last_synced_at=NOW)


@pytest.fixture
def company(workspace):
    return make_account(workspace, platform="linkedin", name="Company", last_synced_at=NOW)


def make_day(account, on, metrics, *, zone="America/Los_Angeles", **fields):
    start = datetime(on.year, on.month, on.day, tzinfo=ZoneInfo(zone))
    return InsightWindow.objects.create(
        account=account,
        period=InsightWindow.Period.DAY,
        window_start=start,
        metrics=metrics,
        fetched_at=start + timedelta(hours=30),
        **fields,
    )


def compare(*accounts):
    return {row.account: row for row in reports.compared(accounts, WEEK, span_of(WEEK))}


# Accounts


def test_days_are_added_up_and_people_are_not(fb):
    for back in range(1, 8):
        make_day(fb, date(2026, 11, 20) - timedelta(days=back), {"views": 100, "reach": 30 + back})
    make_day(fb, date(2026, 11, 12), {"views": 5000})  # before the span
    make_day(fb, date(2026, 11, 20), {"views": 7}, is_whole=False)  # is going on
    row = compare(fb)[fb]
    assert row.flows["views"] == reports.DaySum(700.0, 7, 7)
    assert row.flows["reach"] == reports.DaySum(34.0, 7, 7)
    assert (row.followers, row.growth, row.posts, row.rate) == (120, None, 0, None)


def test_days_that_are_not_known_are_counted(fb):
    make_day(fb, date(2026, 11, 18), {"views": 100})
    make_day(fb, date(2026, 11, 17), {"views": 30}, is_whole=False)  # was never read again after it ended
    flow = compare(fb)[fb].flows["views"]
    assert (flow.value, flow.known, flow.of, flow.is_complete) == (100.0, 1, 7, False)


def test_a_day_is_one_of_the_network(fb, company):
    """At 18:30 UTC the 20th goes on everywhere; the 13th is the first of seven days, wherever it began."""
    make_day(fb, date(2026, 11, 13), {"views": 1})
    make_day(fb, date(2026, 11, 12), {"views": 90})
    make_day(company, date(2026, 11, 13), {"views": 2}, zone="UTC")
    make_day(company, date(2026, 11, 12), {"views": 90}, zone="UTC")
    make_day(fb, date(2026, 11, 19), {"views": 0})
    make_day(company, date(2026, 11, 19), {"views": 0}, zone="UTC")
    rows = compare(fb, company)
    assert (rows[fb].flows["views"].value, rows[company].flows["views"].value) == (1.0, 2.0)


def test_what_was_measured_in_two_ways_is_no_sum(fb):
    make_day(fb, date(2026, 11, 14), {"views": 100}, sources={"views": "page_impressions"})
    make_day(fb, date(2026, 11, 15), {"views": 100}, sources={"views": "page_media_view"})
    flow = compare(fb)[fb].flows["views"]
    assert flow.value is None
    assert "changed what it counts" in flow.reason


def test_what_is_missing_says_why(workspace, fb):
    x = make_account(workspace, platform="x", last_synced_at=NOW)
    lost = make_account(workspace, status="expired")
    rows = compare(fb, x, lost)
    assert "did not give" in rows[fb].flows["views"].reason
    assert "does not tell" in rows[x].flows["views"].reason
    assert "Connect the account again" in rows[lost].flows["views"].reason
    assert len(reports.reasons(list(rows.values()))) == len(set(reports.reasons(list(rows.values()))))


def test_a_network_that_tells_late_is_not_short_of_days(fb, company):
    for back in range(1, 12):
        day = (NOW - timedelta(days=back)).date()
        make_day(fb, day, {"views": 10})
        if back > 2:
            make_day(company, day, {"views": 10}, zone="UTC")
    rows = compare(fb, company)
    assert [(rows[one].flows["views"].value, rows[one].flows["views"].known) for one in (fb, company)] == [(70, 7)] * 2


def test_followers_grow_within_the_span(fb):
    for days, followers in ((9, 50), (6.9, 100), (0, 120)):
        make_window(fb, NOW - timedelta(days=days), metrics={"followers": followers})
    assert compare(fb)[fb].growth.change == 20


def test_posts_of_the_span_count_with_their_average_rate(fb):
    for days, rate in ((1, 0.1), (2, 0.3), (3, None), (8, 0.9)):
        make_platform_post(fb, posted_at=NOW - timedelta(days=days), engagement_rate=rate)
    row = compare(fb)[fb]
    assert (row.posts, row.rate, row.rated) == (3, pytest.approx(0.2), 2)


def test_what_hardly_anybody_saw_is_in_no_average(workspace, fb):
    seen = {"engagement_rate": 0.1, "rate_of": "reach", "reach": 400}
    hardly = {"engagement_rate": 0.5, "rate_of": "reach", "reach": 4, "views": 50}
    for fields in (seen, hardly):
        campaign_of(workspace, fb, name="Sale", **fields)
    row, (sale,) = compare(fb)[fb], campaigns(workspace)
    assert (row.posts, row.rate, row.rated) == (2, 0.1, 1)
    assert (sale.posts, sale.rate, sale.rated) == (2, 0.1, 1)


def test_accounts_cost_three_queries_however_many(workspace, fb, company, django_assert_num_queries):
    accounts = [fb, company, *(make_account(workspace) for _ in range(5))]
    with django_assert_num_queries(3):
        assert len(reports.compared(accounts, WEEK, span_of(WEEK))) == 7
    with django_assert_num_queries(1):
        reports.chart_of(accounts, "views", WEEK, span_of(WEEK))


def test_the_table_has_a_cell_for_each_column(fb, company):
    table = reports.accounts_table(list(compare(fb, company).values()))
    assert [len(row) for row in table.rows] == [len(table.columns)] * 2


# Their chart


def test_lines_begin_with_the_largest_and_gaps_stay(workspace, fb, company):
    make_day(fb, date(2026, 11, 15), {"views": 10})
    make_day(company, date(2026, 11, 15), {"views": 50}, zone="UTC")
    make_day(company, date(2026, 11, 17), {"views": 60}, zone="UTC")
    silent = make_account(workspace, name="Silent", username="silent")
    chart = reports.chart_of([fb, company, silent], "views", WEEK, span_of(WEEK))
    assert [line.key for line in chart.lines] == [str(company.pk), str(fb.pk)]
    assert chart.lines[0].values == [None, None, 50, None, 60, None, None]
    assert [at.date() for at in chart.times][2] == date(2026, 11, 15)
    assert any("@silent" in note for note in chart.notes)
    assert len(list(chart.table.rows)) == 7


def test_a_change_of_measure_is_marked_where_it_was(fb):
    for day, source in ((14, "old"), (15, "old"), (16, "new")):
        make_day(fb, date(2026, 11, day), {"views": 10}, sources={"views": source})
    chart = reports.chart_of([fb], "views", WEEK, span_of(WEEK))
    assert [one.at.date() for one in chart.breaks] == [date(2026, 11, 16)]


def test_followers_are_those_of_the_last_hour_of_a_day(fb):
    make_window(fb, datetime(2026, 11, 18, 23, 5, tzinfo=UTC), metrics={"followers": 70})
    make_window(fb, datetime(2026, 11, 18, 12, 5, tzinfo=UTC), metrics={"followers": 1})
    chart = reports.chart_of([fb], "followers", WEEK, span_of(WEEK))
    assert chart.lines[0].values == [None, None, None, None, None, 70, None]


def test_nothing_to_draw_says_so(fb):
    chart = reports.chart_of([fb], "views", WEEK, span_of(WEEK))
    assert (chart.lines, bool(chart.reason)) == ([], True)


def test_all_accounts_are_compared_unless_some_are_ticked(workspace, fb, company):
    make_account(workspace, status="disconnected")
    form = ComparisonFilter(QueryDict(""), workspace=workspace)
    assert form.is_valid()
    assert form.chosen_accounts == [fb, company]
    form = ComparisonFilter(QueryDict(f"account={company.pk}&period=90d&measure=reach"), workspace=workspace)
    assert form.is_valid()
    assert (form.chosen_accounts, form.drawn, form.chosen_period.steps) == ([company], "reach", 90)
    assert form.address(measure="views") == f"?period=90d&account={company.pk}&measure=views"


# Campaigns


def campaign_of(workspace, *accounts, name, days=2, **figures):
    post = make_published(*accounts, campaign=name)
    for one in post.publications.all():
        make_platform_post(one.account, publication=one, posted_at=NOW - timedelta(days=days), **figures)
    return post


def campaigns(workspace, sort="-engagement_rate", period="90d"):
    form = CampaignFilter(QueryDict(f"period={period}&sort={sort}"), workspace=workspace)
    assert form.is_valid(), form.errors
    return reports.campaigns(workspace, [one.pk for one in form.accounts], form.span, form.sort_key)


def test_a_post_on_two_networks_is_one_post_with_the_figures_of_both(workspace, fb, company):
    campaign_of(workspace, fb, company, name="Sale", views=100, engagements=5, engagement_rate=0.1, reach=40)
    campaign_of(workspace, fb, name="SALE", days=5, views=None, engagement_rate=0.4, reach=20)
    campaign_of(workspace, fb, name="Sale", days=91)
    make_platform_post(fb)
    (sale,) = campaigns(workspace)
    assert (sale.name.upper(), sale.posts, sale.placed, sale.accounts) == ("SALE", 2, 3, 2)
    assert (sale.views.value, sale.views.known, sale.views.of) == (200, 2, 3)
    assert (sale.rate, sale.rated) == (pytest.approx(0.2), 3)
    assert sale.reach == pytest.approx(100 / 3)
    assert (sale.first, sale.last) == (NOW - timedelta(days=5), NOW - timedelta(days=2))


def test_campaigns_without_the_figure_come_last_either_way(workspace, fb):
    campaign_of(workspace, fb, name="Best", engagement_rate=0.3)
    campaign_of(workspace, fb, name="Unknown")
    campaign_of(workspace, fb, name="Worst", engagement_rate=0.1)
    assert [one.name for one in campaigns(workspace)] == ["Best", "Worst", "Unknown"]
    assert [one.name for one in campaigns(workspace, "engagement_rate")] == ["Worst", "Best", "Unknown"]
    assert [one.name for one in campaigns(workspace, "name")] == ["Best", "Unknown", "Worst"]


def test_campaigns_of_others_are_theirs(workspace, fb, stranger):
    other = workspace_of(stranger)
    campaign_of(other, make_account(other), name="Secret")
    assert campaigns(workspace) == []


def test_campaigns_cost_one_query_and_fill_their_table(workspace, fb, django_assert_num_queries):
    for number in range(4):
        campaign_of(workspace, fb, name=f"Sale {number}", views=number)
    with django_assert_num_queries(2):  # the accounts, and all of them
        rows = campaigns(workspace, "-views")
    assert [one.name for one in rows] == ["Sale 3", "Sale 2", "Sale 1", "Sale 0"]
    table = reports.campaigns_table(rows)
    assert [len(row) for row in table.rows] == [len(table.columns)] * 4


def test_the_figure_that_campaigns_are_sorted_by_is_drawn(signed_in, workspace, fb):
    for number in range(10):
        campaign_of(workspace, fb, name=f"Sale {number}", views=100 * number)
    campaign_of(workspace, fb, name="Untold")
    drawn = reports.bars_of(campaigns(workspace, "-views"), "-views")
    assert drawn
    assert [(one.name, one.value, one.width) for one in drawn.bars[:2]] == [("Sale 9", 900, 100), ("Sale 8", 800, 88.9)]
    assert (len(drawn.bars), drawn.more) == (8, 2)
    assert reports.bars_of(campaigns(workspace, "name"), "name") is None  # no rate is known
    page = signed_in.get(reverse("analytics:campaigns"), {"sort": "-views"}).content.decode()
    assert '<rect class="audience-bar" width="88.9" height="6" />' in page
    assert "and 2 smaller ones" in page
