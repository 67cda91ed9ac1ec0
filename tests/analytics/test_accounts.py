"""The pages of figures of accounts: what they show, what they say instead, and what they cost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import ConnectedAccount, User, Workspace
from analytics.models import AudienceSnapshot, InsightWindow
from analytics.reports.accounts import account_page, audience_of, overview
from analytics.reports.periods import BY_KEY
from socialhub.platforms import PLATFORMS
from tests.analytics.figures import day_value, make_days, make_hours, make_month
from tests.factories import make_account

pytestmark = pytest.mark.django_db
MONTH, WEEK, DAY = BY_KEY["30d"], BY_KEY["7d"], BY_KEY["24h"]


@pytest.fixture
def instagram(workspace: Workspace) -> ConnectedAccount:
    account = make_account(workspace, platform="instagram", username="joes.garage", following_count=120)
    make_month(account)
    return account


def address(account: ConnectedAccount, query: str = "") -> str:
    return reverse("analytics:account", args=[account.pk]) + query


# --- One account ----------------------------------------------------------------------------------------------


def test_the_page_shows_cards_a_chart_and_its_table(signed_in: Client, instagram: ConnectedAccount) -> None:
    page = signed_in.get(address(instagram)).content.decode()
    assert page.count('class="card measure-card"') == 7
    assert page.count("data-chart=") == 2  # the chosen measure, and the followers
    assert "<caption" in page
    assert "1 of 30 days has no figure" in page


@pytest.mark.parametrize("period", ["1h", "24h", "7d", "30d", "90d"])
@pytest.mark.parametrize("measure", ["views", "followers", "reach"])
def test_every_span_and_measure_has_a_page(
    signed_in: Client, instagram: ConnectedAccount, period: str, measure: str
) -> None:
    page = signed_in.get(address(instagram, f"?period={period}&measure={measure}"))
    assert page.status_code == 200
    assert f'href="?period={period}&amp;measure={measure}"' in page.content.decode()


@pytest.mark.parametrize(
    "query", ["?period=never&measure=nothing", "?period=&measure=", "?measure=a%00b", "?period[]=7d"]
)
def test_what_an_address_does_not_name_is_the_usual(signed_in: Client, instagram: ConnectedAccount, query: str) -> None:
    page = signed_in.get(address(instagram, query)).content.decode()
    assert 'href="?period=30d&amp;measure=views" aria-current="true"' in page


def test_strangers_find_nothing(signed_in_stranger: Client, instagram: ConnectedAccount) -> None:
    assert signed_in_stranger.get(address(instagram)).status_code == 404
    assert instagram.name not in signed_in_stranger.get("/analytics/").content.decode()


def test_a_sentence_that_is_about_several_measures_stands_once(instagram: ConnectedAccount) -> None:
    page = account_page(instagram, MONTH, "")
    (remark,) = [remark for remark in page.remarks if "average day" in remark.text]
    assert [str(word) for word in remark.words] == ["Views", "Engagements", "Likes", "Comments", "New followers"]


def test_within_a_day_the_first_measure_that_has_hours_is_shown(workspace: Workspace) -> None:
    page = make_account(workspace)
    make_month(page)
    assert account_page(page, DAY, "").measure.key == "followers"
    assert (account_page(page, MONTH, "").asked, account_page(page, MONTH, "views").asked) == ("", "views")
    assert account_page(page, MONTH, "").measure.key == "views"
    assert account_page(page, DAY, "views").chart.reason == "Facebook tells this figure by the day only."


def test_meanings_name_the_network_s_words_and_their_source(signed_in: Client, instagram: ConnectedAccount) -> None:
    page = signed_in.get(address(instagram)).content.decode()
    assert "What do these figures mean?" in page
    assert "<code>total_interactions</code>" in page
    assert "(this span − the span before) ÷ the span before" in page


def test_what_is_missing_is_said_with_its_reason(signed_in: Client, instagram: ConnectedAccount) -> None:
    page = signed_in.get(address(instagram)).content.decode()
    missing = page.split("What is missing here")[1]
    assert "<strong>Saves</strong>: Instagram has not told this figure for this account so far." in missing


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "The first figures are on their way"),
        ({"status": "expired", "status_reason": "Ended on Tuesday."}, "Nothing was read before the access was lost"),
        ({"platform": "x", "last_synced_at": timezone.now()}, "No figures of this account"),
    ],
)
def test_a_page_without_figures_says_why(
    signed_in: Client, workspace: Workspace, fields: dict[str, object], text: str
) -> None:
    page = signed_in.get(address(make_account(workspace, **fields))).content.decode()
    assert text in page
    assert "data-chart=" not in page


@pytest.mark.parametrize("key", PLATFORMS)
def test_every_network_has_its_page(signed_in: Client, workspace: Workspace, key: str) -> None:
    account = make_account(workspace, platform=key, last_synced_at=timezone.now())
    make_days(account, 5, measures=("likes",))
    page = signed_in.get(address(account, "?period=7d"))
    assert page.status_code == 200
    assert "Likes by day" in page.content.decode()
    assert signed_in.get("/analytics/").status_code == 200


# --- Audience -------------------------------------------------------------------------------------------------


def test_the_newest_parts_of_each_dimension_are_shown(instagram: ConnectedAccount) -> None:
    today = timezone.now().date()
    snapshots = AudienceSnapshot.objects
    snapshots.create(
        account=instagram, kind="followers", dimension="country", taken_on=today, parts={"US": 60, "DE": 40}
    )
    old = today - timedelta(days=3)
    snapshots.create(account=instagram, kind="followers", dimension="country", taken_on=old, parts={"FR": 9})
    snapshots.create(account=instagram, kind="engaged", dimension="age", taken_on=old, parts={"35-44": 3, "25-34": 1})
    country, age = audience_of(instagram).breakdowns
    assert [(part.key, part.share) for part in country.parts] == [("US", 0.6), ("DE", 0.4)]
    assert [part.key for part in age.parts] == ["25-34", "35-44"]
    assert age.title == "People engaged by age"


def test_many_parts_are_cut_and_shares_are_of_all(instagram: ConnectedAccount) -> None:
    parts = {f"City {number}": 10 for number in range(40)}
    AudienceSnapshot.objects.create(
        account=instagram, kind="followers", dimension="city", taken_on=timezone.now().date(), parts=parts
    )
    (city,) = audience_of(instagram).breakdowns
    assert (len(city.parts), city.more, city.parts[0].share) == (8, 32, 10 / 400)


def test_what_the_network_says_of_a_small_audience_is_the_reason(instagram: ConnectedAccount) -> None:
    AudienceSnapshot.objects.create(
        account=instagram, kind="followers", taken_on=timezone.now().date(), withheld="Only from 100 followers on."
    )
    assert audience_of(instagram).why == "Only from 100 followers on."


def test_a_network_without_an_audience_says_so(workspace: Workspace) -> None:
    assert audience_of(make_account(workspace, platform="x")).why == "X does not tell who follows."


# --- All accounts ---------------------------------------------------------------------------------------------


def test_accounts_stand_beside_each_other(workspace: Workspace) -> None:
    page = make_account(workspace, name="A", last_synced_at=timezone.now(), followers_count=100)
    linkedin = make_account(workspace, platform="linkedin", name="B", last_synced_at=timezone.now(), followers_count=7)
    make_days(page, 30, measures=("views", "reach"))
    make_days(linkedin, 30, measures=("impressions", "reach"))
    found = overview(workspace, WEEK, "")
    assert [measure.key for measure in found.measures] == ["views", "impressions", "reach"]
    cells = {row.account.name: {measure.key: cell for measure, cell in row.cells} for row in found.rows}
    views = sum(day_value("views", back) for back in range(1, 8))
    assert cells["A"]["views"].value == views
    before = sum(day_value("views", back) for back in range(8, 15))
    assert cells["A"]["views"].rate == pytest.approx((views - before) / before)
    assert cells["B"]["views"].value is None
    assert cells["B"]["views"].why == "LinkedIn has no such figure of accounts."
    reach = [day_value("reach", back) for back in range(1, 8)]
    assert cells["B"]["reach"].value == pytest.approx(sum(reach) / 7)
    sums = {one.measure.key: one for one in found.sums}
    assert (sums["followers"].value, sums["views"].value, sums["views"].accounts) == (107, views, 1)
    assert "reach" not in sums  # people of different accounts may be the same


def test_an_account_that_had_nothing_does_not_keep_the_others_from_being_compared(workspace: Workspace) -> None:
    busy, idle = (make_account(workspace, name=name, last_synced_at=timezone.now()) for name in "AB")
    for account in (busy, idle):
        make_days(account, 30, measures=("views",))
    InsightWindow.objects.filter(account=idle).update(metrics={"views": 0})
    views = overview(workspace, WEEK, "").sums[1]
    assert views.value == sum(day_value("views", back) for back in range(1, 8))
    assert views.rate is not None


def test_a_change_of_what_is_measured_is_no_sum(workspace: Workspace) -> None:
    page = make_account(workspace, last_synced_at=timezone.now())
    make_days(page, 30, measures=("views",), changed={"views": 3})
    ((_measure, cell),) = overview(workspace, WEEK, "").rows[0].cells
    assert cell.value is None
    assert "began to count something else" in cell.why


def test_a_change_before_the_span_keeps_it_from_being_compared_alone(workspace: Workspace) -> None:
    page = make_account(workspace, last_synced_at=timezone.now())
    make_days(page, 30, measures=("views",), changed={"views": 10})
    ((_measure, cell),) = overview(workspace, WEEK, "").rows[0].cells
    assert cell.value == sum(day_value("views", back) for back in range(1, 8))
    assert cell.before is None


def test_days_that_a_network_tells_late_do_not_make_the_span_shorter(workspace: Workspace) -> None:
    page = make_account(workspace, last_synced_at=timezone.now())
    make_days(page, 30, measures=("views",), late=2)
    ((_measure, cell),) = overview(workspace, WEEK, "").rows[0].cells
    assert cell.value == sum(day_value("views", back) for back in range(3, 10))
    assert not cell.is_partial


def test_the_chart_has_a_line_for_each_of_the_largest_accounts(workspace: Workspace) -> None:
    for number in range(8):
        account = make_account(workspace, name=f"Page {number}", last_synced_at=timezone.now())
        make_days(account, 10, measures=("views",))
        InsightWindow.objects.filter(account=account).update(metrics={"views": 10 * (number + 1)})
    chart = overview(workspace, WEEK, "views").chart
    assert chart is not None
    assert [line.values[-1] for line in chart.lines] == [80, 70, 60, 50, 40, 30]
    assert len(chart.times) == 7
    assert "other 2 too" in chart.notes[0]


def test_followers_gained_are_those_between_two_readings(workspace: Workspace) -> None:
    page = make_account(workspace, last_synced_at=timezone.now(), followers_count=12_480)
    make_hours(page, 10 * 24)
    row = overview(workspace, WEEK, "").rows[0]
    newest = InsightWindow.objects.filter(account=page).latest("window_start").metrics["followers"]
    oldest = (
        InsightWindow.objects.filter(account=page, window_start__gte=timezone.now() - timedelta(days=7))
        .earliest("window_start")
        .metrics["followers"]
    )
    assert row.gained == newest - oldest > 0
    assert row.gained_since is None


def test_followers_of_a_part_of_the_span_say_since_when(signed_in: Client, workspace: Workspace) -> None:
    for hours in (40 * 24, 3 * 24):
        make_hours(make_account(workspace, last_synced_at=timezone.now(), followers_count=12_480), hours)
    found = overview(workspace, MONTH, "")
    since = timezone.now() - timedelta(days=3)
    (partial,) = [row for row in found.rows if row.gained_since]
    assert partial.gained is not None
    assert abs(partial.gained_since - since) < timedelta(hours=2)
    assert found.sums[0].change is None  # of 30 days and of three there is no sum
    page = signed_in.get("/analytics/").content.decode()
    assert page.count(f"since {date_format(partial.gained_since, 'j M')}") == 1


def test_nothing_connected_leads_to_connecting(signed_in: Client) -> None:
    page = signed_in.get("/analytics/").content.decode()
    assert "No accounts yet" in page
    assert reverse("accounts:social") in page


# --- What they cost -------------------------------------------------------------------------------------------


def cost(client: Client, path: str) -> tuple[int, int]:
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(path)
    return len(queries), len(page.content)


def test_pages_cost_the_same_for_few_rows_and_for_many(signed_in: Client, owner: User, workspace: Workspace) -> None:
    first = make_account(workspace, platform="instagram")
    make_days(first, 10)
    small = [cost(signed_in, path) for path in ("/analytics/?period=90d", address(first, "?period=90d"))]
    for number in range(12):
        account = make_account(workspace, platform=("facebook", "instagram", "linkedin")[number % 3])
        make_days(account, 200)
    make_days(first, 200, missing=range(1, 11))
    make_hours(first, 200 * 24, measures=("views",))
    large = [cost(signed_in, path) for path in ("/analytics/?period=90d", address(first, "?period=90d"))]
    assert [queries for queries, _size in small] == [queries for queries, _size in large]
    with CaptureQueriesContext(connection) as queries:
        overview(workspace, BY_KEY["90d"], "")
    # Each figure is taken out of its day once, not for the span, for the one before and for every condition again.
    assert [query["sql"].count("->> 'views'") for query in queries if "SUM(" in query["sql"]] == [4]
    assert max(queries for queries, _size in large) <= 15
    assert max(size for _queries, size in large) <= 150 * 1024
