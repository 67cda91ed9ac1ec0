"""What is kept of figures, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts import withdrawal
from accounts.models import ConnectedAccount, Credential, Grant
from analytics.ingest import retention
from analytics.models import AudienceSnapshot, InsightWindow, PlatformPost, PostDay, PostSnapshot
from socialhub.platforms import INSTAGRAM_LOGIN
from socialhub.platforms.meta import SignedRequest
from tests.analytics.rows import make_platform_post, make_published, make_window
from tests.factories import make_account

NOW = datetime(2026, 11, 20, 3, 30, tzinfo=UTC)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def make_read(account, age, **fields):
    """One of everything, read so long ago."""
    at = NOW - age
    make_window(account, at, period="day", metrics={"views": 1}, raw={"told": 1})
    AudienceSnapshot.objects.create(
        account=account, kind="followers", dimension="age", taken_on=at.date(), parts={"18-24": 3}, raw={"told": 1}
    )
    figures = {"likes": 3, "views": 9, "engagements": 3}
    post = make_platform_post(
        account, fetched_at=at, posted_at=at - DAY, raw={"told": 1}, extra={"follows": 1}, **figures, **fields
    )
    PostSnapshot.objects.create(platform_post=post, fetched_at=at, mark="24h", **figures)
    PostDay.objects.create(platform_post=post, account=account, day=at.date(), fetched_at=at, **figures)
    return post


def kept():
    """How many still have the answer as it came."""
    return [model.objects.exclude(raw={}).count() for model in (InsightWindow, PlatformPost, AudienceSnapshot)]


def counts():
    return [model.objects.count() for model in (InsightWindow, AudienceSnapshot, PostSnapshot, PostDay)]


def test_raw_answers_go_by_the_setting_and_figures_stay(workspace, settings):
    settings.INSIGHTS_RAW_DAYS = 10
    account = make_account(workspace)
    for age in (9, 11):
        make_read(account, age * DAY)
    assert retention.tidy()["raw"] == 3
    assert kept() == [1, 1, 1]
    assert (
        PlatformPost.objects.filter(likes=3).count() == InsightWindow.objects.filter(metrics={"views": 1}).count() == 2
    )
    assert retention.tidy()["raw"] == 0


def test_the_terms_of_a_network_go_before_the_setting(workspace):
    organization = make_account(workspace, platform="linkedin", account_type="organization")
    page = make_account(workspace)
    for account in (organization, page):
        make_read(account, timedelta(hours=20))
        make_read(account, timedelta(hours=30))
    retention.tidy()
    assert kept() == [3, 3, 3], "an answer of LinkedIn is gone before it is 48 hours old, whenever the job runs"
    assert counts() == [4, 4, 4, 4]


def test_figures_of_members_are_kept_for_two_days_and_say_so(workspace):
    member = make_account(workspace, platform="linkedin", account_type="person")
    fresh, old = make_read(member, timedelta(hours=20)), make_read(member, timedelta(hours=30))
    retention.tidy()
    fresh.refresh_from_db()
    old.refresh_from_db()
    assert (fresh.likes, fresh.withheld) == (3, "")
    assert (old.likes, old.views, old.engagements, old.extra) == (None, None, None, {})
    assert "do not allow" in old.withheld
    assert old.text, "what was posted stays"
    assert counts() == [1, 1, 1, 1]
    assert retention.tidy()["figures"] == 0


def test_figures_of_organizations_are_kept_for_six_months(workspace):
    organization = make_account(workspace, platform="linkedin", account_type="organization")
    for age in (170, 181):
        make_read(organization, age * DAY)
    retention.tidy()
    assert counts() == [1, 1, 1, 1]


def test_other_networks_keep_their_figures(workspace):
    make_read(make_account(workspace), 900 * DAY)
    assert retention.tidy()["figures"] == 0
    assert counts() == [1, 1, 1, 1]


def test_a_connection_that_is_taken_back_takes_its_figures_along(workspace):
    states = ConnectedAccount.Status
    gone = make_account(workspace, platform="linkedin", account_type="person", status=states.DISCONNECTED)
    expired = make_account(workspace, platform="linkedin", account_type="person", status=states.EXPIRED)
    for account in (gone, expired):
        make_read(account, timedelta(hours=1))
    retention.tidy()
    assert counts() == [1, 1, 1, 1]
    assert PlatformPost.objects.get(likes=3).account == expired


def test_snapshots_between_the_marks_go_once_they_are_old(workspace):
    post = make_read(make_account(workspace), 40 * DAY)
    for age in (36, 34):
        PostSnapshot.objects.create(platform_post=post, fetched_at=NOW - age * DAY, likes=1)
    bare = make_platform_post(post.account)
    PostSnapshot.objects.create(platform_post=bare, fetched_at=NOW - 50 * DAY, likes=1)
    assert retention.tidy()["snapshots"] == 1
    left = PostSnapshot.objects.order_by("fetched_at").values_list("platform_post", "mark")
    assert list(left) == [(bare.pk, ""), (post.pk, "24h"), (post.pk, "")], "what is in no day yet stays"


def test_it_goes_in_portions(workspace, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    account = make_account(workspace)
    for number in range(5):
        make_read(account, (200 + number) * DAY)
    assert retention.tidy()["raw"] == 15
    with django_assert_max_num_queries(30):
        retention.tidy()


def test_the_figures_of_a_person_go_with_their_data(workspace, owner):
    """Where the account is the person. A Page is none: its figures stay, as its posts do."""
    person = make_account(workspace, platform="instagram", login_kind=INSTAGRAM_LOGIN, token=None)
    page = make_account(workspace, token=None)
    for account, provider in ((person, INSTAGRAM_LOGIN), (page, "meta")):
        grant = Grant.objects.create(
            workspace=workspace, user=owner, provider=provider, platform_user_id="9001", access_token="token"
        )
        Credential.objects.create(account=account, grant=grant)
        make_read(account, timedelta(hours=1), text="Elsewhere")
        published = make_published(account)
        make_read(account, 2 * DAY, text="Ours", publication=published.publications.get())
    for provider in (INSTAGRAM_LOGIN, "meta"):
        withdrawal.delete_data(provider, SignedRequest("9001", NOW + DAY, {}), provider)
    assert set(InsightWindow.objects.values_list("account", flat=True)) == {page.pk}
    assert set(PostDay.objects.values_list("account", flat=True)) == {page.pk}
    assert set(AudienceSnapshot.objects.values_list("account", flat=True)) == {page.pk}
    left = PlatformPost.objects.get(account=person)
    assert (left.publication is None, left.text, left.likes, left.raw, left.extra) == (False, "", None, {}, {})
    assert PlatformPost.objects.filter(account=page, likes=3).count() == 2
