"""Figures over the API: what is not known is null with a reason, and never 0."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ConnectedAccount, Role, User, Workspace
from analytics import cadence
from analytics.models import AccountSync, InsightWindow, PlatformPost
from publishing import limits
from publishing.models import Post
from tests.accounts.conftest import member
from tests.analytics.figures import make_days
from tests.analytics.rows import make_published, make_window
from tests.api.talk import Talk, talk_of
from tests.factories import make_account, make_post, make_user, workspace_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(owner: User, workspace: Workspace) -> Talk:
    return talk_of(workspace, owner, "read", "write")


@pytest.fixture
def facebook(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, last_synced_at=timezone.now())


@pytest.fixture
def instagram(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, platform="instagram", last_synced_at=timezone.now())


def read(post: Post, account: ConnectedAccount, **figures: Any) -> None:
    publication = post.publications.get(account=account)
    PlatformPost.objects.create(
        account=account,
        publication=publication,
        platform_post_id=publication.platform_post_id,
        posted_at=timezone.now(),
        fetched_at=timezone.now(),
        **figures,
    )


# Of posts


def test_a_post_on_two_networks(program: Talk, facebook: ConnectedAccount, instagram: ConnectedAccount) -> None:
    post = make_published(facebook, instagram)
    read(post, facebook, reach=100, likes=7, comments=0, engagements=7, engagement_rate=0.07, rate_of="reach")
    read(post, instagram, reach=50, likes=3, engagements=3, engagement_rate=0.03, rate_of="reach", impressions=80)
    answer = program.get("analytics", postId=post.pk)
    first, second = answer["platforms"]
    assert (first["platform"], first["accountId"]) == ("facebook", str(facebook.pk))
    assert first["platformPostId"] == post.publications.get(account=facebook).platform_post_id
    assert (first["likes"], first["comments"], first["engagement"], first["engagementRate"]) == (7, 0, 7, 0.07)
    assert first["fetchedAt"].endswith("Z")
    assert first["impressions"] is None
    assert "Facebook" in first["missing"]["impressions"]
    assert "comments" not in first["missing"]
    assert second["impressions"] == 80
    assert (answer["totalReach"], answer["totalEngagement"]) == (150, 10)
    assert answer["averageEngagementRate"] == pytest.approx(0.05)
    assert answer["missing"] == {}


def test_totals_of_what_nobody_told_are_null(program: Talk, facebook: ConnectedAccount) -> None:
    post = make_published(facebook)
    read(post, facebook, likes=7)
    answer = program.get("analytics", postId=post.pk)
    assert answer["totalReach"] is None
    assert answer["averageEngagementRate"] is None
    assert set(answer["missing"]) == {"totalReach", "totalEngagement", "averageEngagementRate"}


def test_a_draft_has_no_figures_and_says_so(program: Talk, workspace: Workspace, facebook: ConnectedAccount) -> None:
    (row,) = program.get("analytics", postId=make_post(workspace, facebook).pk)["platforms"]
    assert (row["status"], row["platformPostId"], row["likes"]) == ("draft", None, None)
    assert row["missing"]["engagementRate"] == "It is not published, so there are no figures."
    (row,) = program.get("analytics", postId=make_published(facebook).pk)["platforms"]
    assert row["missing"]["likes"].startswith("Not read yet")


def test_posts_of_strangers_are_not_there(program: Talk) -> None:
    theirs = make_published(make_account(workspace_of(make_user())))
    program.get("analytics", status=404, postId=theirs.pk)
    program.get("analytics", status=422)
    program.get("analytics", status=422, postId="latest")


def test_figures_of_a_post_cost_the_same_on_many_accounts(program: Talk, workspace: Workspace) -> None:
    counts = []
    for number in (1, 12):
        accounts = [make_account(workspace) for _ in range(number)]
        post = make_published(*accounts)
        for account in accounts:
            read(post, account, likes=1)
        with CaptureQueriesContext(connection) as queries:
            program.get("analytics", postId=post.pk)
        counts.append(len(queries))
    assert counts[1] <= counts[0] <= 6


# Of accounts


def test_days_of_an_account(program: Talk, facebook: ConnectedAccount) -> None:
    make_days(facebook, 40, measures=("views", "reach"), missing=(3,))
    answer = program.get("insights", accountId=facebook.pk, period="day", days=7)
    assert (answer["platform"], answer["period"]) == ("facebook", "day")
    whole = [one for one in answer["series"] if one["isWhole"]]
    assert len(whole) == 6, "the day that nobody read stays a gap"
    assert set(whole[0]) == {
        *("window_start", "window_end", "accountId", "isWhole", "spanMinutes", "metrics", "fetchedAt")
    }
    views = [one["metrics"]["views"] for one in whole]
    assert answer["aggregates"]["sum_views"] == sum(views)
    assert answer["coverage"]["sum_views"] == {"known": 6, "of": 7}
    reach = [one["metrics"]["reach"] for one in whole]
    assert answer["aggregates"]["average_reach"] == pytest.approx(sum(reach) / 6), "people are never added up"
    assert "sum_reach" not in answer["aggregates"]
    assert "engagements" not in answer["aggregates"]
    assert answer["missing"]["engagements"]


def test_hours_are_differences_with_their_real_length(program: Talk, facebook: ConnectedAccount) -> None:
    now = timezone.now()
    make_window(facebook, now, metrics={"followers": 900}, derived={"views": 12, "followers": 4, "span_minutes": 61})
    make_window(
        facebook, now - timedelta(hours=2), metrics={"followers": 896}, derived={"views": 5, "span_minutes": 59}
    )
    make_window(facebook, now - timedelta(hours=30), metrics={"followers": 1}, derived={"views": 7, "span_minutes": 60})
    answer = program.get("insights", platform="facebook", period="hour", hours=24)
    first, second = answer["series"]
    assert (first["metrics"], first["spanMinutes"]) == ({"followers": 896, "views": 5}, 59)
    assert (second["metrics"], second["spanMinutes"]) == ({"followers": 900, "views": 12}, 61)
    assert answer["aggregates"]["sum_views"] == 17
    assert answer["aggregates"]["latest_followers"] == 900
    assert answer["coverage"]["sum_views"] == {"known": 2, "of": 24}


def test_several_accounts_of_a_network(program: Talk, workspace: Workspace, facebook: ConnectedAccount) -> None:
    other = make_account(workspace)
    for account in (facebook, other):
        make_days(account, 10, measures=("views", "reach"))
    answer = program.get("insights", platform="facebook", days=3)
    alone = program.get("insights", accountId=other.pk, days=3)
    assert answer["aggregates"]["sum_views"] == 2 * alone["aggregates"]["sum_views"]
    assert answer["coverage"]["sum_views"] == {"known": 6, "of": 6}
    assert answer["aggregates"]["average_reach"] is None
    assert "accountId" in answer["missing"]["average_reach"]
    assert {one["accountId"] for one in answer["series"]} == {str(facebook.pk), str(other.pk)}


def test_nothing_is_added_up_over_a_change_of_what_is_counted(program: Talk, facebook: ConnectedAccount) -> None:
    make_days(facebook, 10, measures=("views",), changed={"views": 3})
    answer = program.get("insights", accountId=facebook.pk, days=7)
    assert answer["aggregates"]["sum_views"] is None
    assert "changed what it counts" in answer["missing"]["sum_views"]
    assert program.get("insights", accountId=facebook.pk, days=2)["aggregates"]["sum_views"] > 0


def test_the_day_that_is_going_on_is_in_no_sum(program: Talk, facebook: ConnectedAccount) -> None:
    make_days(facebook, 3, measures=("views",))
    before = program.get("insights", accountId=facebook.pk, days=3)["aggregates"]
    day = InsightWindow.objects.filter(is_whole=False).first()
    if day is None:
        newest = InsightWindow.objects.filter(period="day").latest("window_start")
        day = InsightWindow.objects.create(
            account=facebook,
            period="day",
            window_start=newest.window_start + timedelta(days=1),
            fetched_at=timezone.now(),
            is_whole=False,
        )
    day.metrics = {"views": 1_000_000}
    day.save()
    answer = program.get("insights", accountId=facebook.pk, days=3)
    assert answer["aggregates"] == before
    assert answer["series"][-1]["isWhole"] is False


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"platform": "friendster"},
        {"platform": "facebook", "days": 0},
        {"platform": "facebook", "days": 93},
        {"platform": "facebook", "hours": 169},
        {"platform": "facebook", "period": "week"},
        {"accountId": "mine"},
    ],
)
def test_questions_without_an_answer(query: dict[str, Any], program: Talk) -> None:
    assert program.get("insights", status=422, **query)["error"]["fields"]


def test_a_network_without_accounts_says_so(program: Talk) -> None:
    answer = program.get("insights", platform="linkedin")
    assert (answer["series"], answer["aggregates"]) == ([], {})
    assert answer["missing"]["series"] == "No account of this network is connected."


def test_accounts_of_strangers_are_not_there(program: Talk) -> None:
    theirs = make_account(workspace_of(make_user()))
    make_days(theirs, 3)
    program.get("insights", status=404, accountId=theirs.pk)
    program.get("rate-limits", status=404, accountId=theirs.pk)
    assert program.refused("insights/sync", {"accountId": str(theirs.pk)}, status=404) == "not_found"
    assert program.get("insights", platform="facebook")["series"] == []
    assert not AccountSync.objects.exists()


# Reading anew


def test_an_outside_scheduler_asks_for_all_accounts(
    program: Talk, workspace: Workspace, facebook: ConnectedAccount, instagram: ConnectedAccount
) -> None:
    ended = make_account(workspace, status="expired", status_reason="It ran out.")
    answer = program.post("insights/sync")
    assert (answer["success"], answer["synced"]) == (True, {"facebook": 1, "instagram": 1})
    assert answer["notSynced"] == [{"accountId": str(ended.pk), "accountName": ended.name, "reason": "It ran out."}]
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    start = datetime.fromisoformat(answer["window"]["window_start"])
    assert answer["window"]["period"] == "hour"
    assert hour - timedelta(hours=1) <= start <= hour
    assert datetime.fromisoformat(answer["window"]["window_end"]) - start == timedelta(hours=1)
    assert set(cadence.due(timezone.now()).values_list("account", flat=True)) == {facebook.pk, instagram.pk}
    assert all(cadence.is_asked(row) for row in AccountSync.objects.all())


def test_asking_again_waits_for_the_same_reading(program: Talk, facebook: ConnectedAccount) -> None:
    program.post("insights/sync", {"accountId": str(facebook.pk)})
    asked = AccountSync.objects.get().asked_at
    program.post("insights/sync", {"platform": "facebook"})
    assert AccountSync.objects.get().asked_at == asked
    now = timezone.now()
    AccountSync.objects.update(started_at=now, finished_at=now)
    program.post("insights/sync")
    assert AccountSync.objects.get().asked_at > asked  # type: ignore[operator]


def test_viewers_do_not_have_anything_read(workspace: Workspace, facebook: ConnectedAccount) -> None:
    viewer = talk_of(workspace, member(workspace, Role.VIEWER), "read", "write")
    assert viewer.refused("insights/sync", status=403) == "role"
    assert viewer.get("insights", platform="facebook")


# Limits


def test_limits_say_what_is_left(program: Talk, instagram: ConnectedAccount) -> None:
    limits.reserve(instagram.pk, "instagram", {"publish": 10})
    (account,) = program.get("rate-limits")["accounts"]
    assert account["accountId"] == str(instagram.pk)
    publish = next(one for one in account["windows"] if (one["endpoint"], one["windowSeconds"]) == ("publish", 3600))
    assert (publish["made"], publish["remaining"]) == (10, publish["limit"] - 10)
    assert datetime.fromisoformat(publish["resetsAt"]) > datetime.now(UTC)
    told = {(state.endpoint, state.window_seconds): state.remaining for state in limits.remaining(instagram)}
    found = {(one["endpoint"], one["windowSeconds"]): one["remaining"] for one in account["windows"]}
    assert {key: found[key] for key in told} == told


def test_limits_of_many_accounts_cost_the_same(program: Talk, workspace: Workspace) -> None:
    counts = []
    for number in (2, 25):
        for _ in range(number):
            make_account(workspace)
        with CaptureQueriesContext(connection) as queries:
            program.get("rate-limits")
        counts.append(len(queries))
    assert counts[1] <= counts[0] <= 8
