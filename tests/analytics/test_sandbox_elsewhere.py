"""As `test_sandbox`, for LinkedIn and for what is behind Buffer: sandbox, the real clients, rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from analytics import sync
from analytics.models import AccountSync, AudienceSnapshot, InsightWindow, PlatformPost
from tests.factories import make_account
from tests.sandbox_process import sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db, pytest.mark.processes]

SCOPES = (
    "openid profile email w_member_social w_organization_social r_organization_social rw_organization_admin "
    "r_member_postAnalytics r_member_profileAnalytics"
)


@pytest.fixture
def addresses(sandbox, settings):
    for name, value in {**sandbox.settings, "LINKEDIN_SCOPES": SCOPES.split()}.items():
        setattr(settings, name, value)


@pytest.fixture
def lena(sandbox, addresses):
    return sandbox.member("lena", scopes=SCOPES.split())


def connect(workspace, platform, account_id, token, **fields):
    kind = "linkedin" if platform == "linkedin" else "buffer"
    return make_account(
        workspace, platform=platform, login_kind=kind, platform_account_id=account_id, token=token, name="", **fields
    )


def read(account):
    assert sync.sync(account.pk)
    account.refresh_from_db()
    assert account.sync_error == ""
    return account


def midnight(days_ago):
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days_ago)


def test_an_organization_of_linkedin_is_read(sandbox, workspace, lena):
    account = read(connect(workspace, "linkedin", lena.organizations[0]["urn"], lena.access_token))
    assert InsightWindow.objects.get(account=account, period="hour").metrics == {"followers": account.followers_count}
    days = {window.window_start: window for window in InsightWindow.objects.filter(account=account, period="day")}
    late, early = days[midnight(1)], days[midnight(3)]
    assert {"impressions", "reach", "likes", "comments", "shares", "clicks", "profile_views"} <= set(late.metrics)
    assert "follows" not in late.metrics, "followers come two days late"
    assert "follows" in early.metrics
    assert early.sources["impressions"] == "impressionCount"
    assert midnight(0) not in days
    parts = {row.dimension: row.parts for row in AudienceSnapshot.objects.filter(account=account)}
    assert "Senior" in parts["seniority"]
    assert AccountSync.objects.get(account=account).calls <= 16  # what it has of days from before costs four each time
    for post in PlatformPost.objects.filter(account=account):
        assert post.impressions is not None
        assert post.views is None


def test_what_linkedin_reports_late_is_put_to_its_day(sandbox, workspace, lena):
    account = read(connect(workspace, "linkedin", lena.organizations[0]["urn"], lena.access_token))
    day = InsightWindow.objects.get(account=account, period="day", window_start=midnight(2))
    assert "follows" not in day.metrics
    sandbox.advance(2 * 86_400)
    assert sync.sync(account.pk, full=True)
    day.refresh_from_db()
    assert "follows" in day.metrics


def test_a_member_of_linkedin_is_read(sandbox, workspace, lena):
    account = read(connect(workspace, "linkedin", lena.urn, lena.access_token))
    assert account.followers_count > 0
    day = InsightWindow.objects.get(account=account, period="day", window_start=midnight(2))
    assert {"impressions", "likes"} <= set(day.metrics)
    (row,) = AudienceSnapshot.objects.filter(account=account)
    assert row.withheld
    assert row.parts == {}


@pytest.mark.parametrize("by_key", [True, False])
def test_a_channel_of_buffer_is_read(sandbox, workspace, addresses, by_key):
    bruno = sandbox.buffer("bruno")
    channel = bruno.channel("bluesky")
    made = sandbox.session.post(
        sandbox.settings["BUFFER_API_URL"],
        json={
            "query": "mutation M($input: CreatePostInput!) { createPost(input: $input) { __typename } }",
            "operationName": "M",
            "variables": {
                "input": {
                    "channelId": channel,
                    "schedulingType": "automatic",
                    "mode": "shareNow",
                    "text": "By hand",
                    "assets": [],
                }
            },
        },
        headers={"Authorization": f"Bearer {bruno.key}"},
        timeout=30,
    )
    assert made.json()["data"]["createPost"]["__typename"] == "PostActionSuccess"
    sandbox.advance(1800)
    account = read(connect(workspace, "bluesky", channel, bruno.key if by_key else bruno.access_token))
    assert account.name
    assert not InsightWindow.objects.filter(account=account).exists(), "Buffer knows no figures of accounts"
    post = PlatformPost.objects.get(account=account, text="By hand")
    if by_key:
        assert (post.likes is not None, post.withheld) == (True, "")
        assert post.sources["likes"] == "reactions"
        assert post.views is None
    else:
        assert (post.likes, post.fetched_at is not None) == (None, True)
        assert "personal key" in post.withheld
    assert AccountSync.objects.get(account=account).calls <= (2 if by_key else 4)
