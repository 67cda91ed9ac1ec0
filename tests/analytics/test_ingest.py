from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection, connections, transaction

from accounts import usage
from accounts.models import ConnectedAccount, Notification
from analytics import sync
from analytics.ingest import posts as ingest_posts
from analytics.models import AccountSync, InsightWindow, PlatformPost, PostSnapshot
from publishing import limits
from publishing.models import Publication
from socialhub.platforms.base import AccountReading, DayFigures, PostFigures, Profile, Quota
from socialhub.platforms.errors import (
    AccountBlockedError,
    LimitedError,
    OperatorError,
    OurBugError,
    PermissionMissingError,
    PutOffError,
    ReconnectError,
    TemporaryError,
)
from socialhub.platforms.http import AccountUsage, Usage
from tests.analytics.rows import make_platform_post, make_published, make_window
from tests.factories import make_account
from tests.fakes import FakePlatform

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 20, 8, tzinfo=UTC)  # of the network: in Los Angeles
HOUR = InsightWindow.Period.HOUR
DAY = InsightWindow.Period.DAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def fake(monkeypatch):
    """The network behind every account; each call checks that no transaction is open around it."""
    fake = FakePlatform()
    depth = len(connection.savepoint_ids)
    record = fake._record

    def outside_of_transactions(name, *args, **kwargs):
        assert len(connection.savepoint_ids) <= depth, f"{name} is called inside a transaction"
        return record(name, *args, **kwargs)

    fake._record = outside_of_transactions
    for module in (sync, ingest_posts):
        monkeypatch.setattr(module, "client_of", lambda account: fake)
    return fake


@pytest.fixture
def account(workspace):
    return make_account(workspace, platform_account_id="1001", name="Garage")


def row_counts():
    return [model.objects.count() for model in (InsightWindow, PlatformPost, PostSnapshot, AccountSync)]


# Totals and hour windows


def test_the_profile_goes_to_the_account_and_into_the_hour(account, fake):
    fake.profiles["1001"] = Profile("Camaro Garage", "camaro", "https://cdn.example/p.jpg", 1204, None, 31, 1190)
    sync.sync_account(account)
    row = ConnectedAccount.objects.get(pk=account.pk)
    assert (row.name, row.username, row.picture_url) == ("Camaro Garage", "camaro", "https://cdn.example/p.jpg")
    assert (row.followers_count, row.following_count, row.posts_count, row.likes_count) == (1204, None, 31, 1190)
    assert (row.last_synced_at, row.sync_error) == (NOW, "")
    window = InsightWindow.objects.get(period=HOUR)
    assert window.window_start == datetime(2026, 11, 20, 18, tzinfo=UTC)
    assert window.metrics == {"followers": 1204, "posts": 31, "page_likes": 1190}  # following is absent, not 0
    assert window.derived == {}  # nothing to compare with


def test_a_profile_without_names_keeps_those_we_have(account, fake):
    sync.sync_account(account)
    account.refresh_from_db()
    assert account.name == "Garage"
    assert account.followers_count is None
    assert not InsightWindow.objects.exists()


def test_a_figure_that_the_network_no_longer_tells_is_unknown_again(account, fake):
    ConnectedAccount.objects.filter(pk=account.pk).update(followers_count=5)
    sync.sync_account(account)
    account.refresh_from_db()
    assert account.followers_count is None


def test_the_next_hour_knows_the_difference_and_its_span(account, fake, clock):
    fake.profiles["1001"] = Profile(followers_count=100, posts_count=7)
    sync.sync_account(account)
    clock.move_to(NOW + timedelta(minutes=62))
    fake.profiles["1001"] = Profile(followers_count=97, likes_count=3, posts_count=7)
    sync.sync_account(account)
    assert InsightWindow.objects.filter(period=HOUR).latest("window_start").derived == {
        "followers": -3,
        "posts": 0,
        "span_minutes": 62,
    }


def test_gaps_stay_gaps(account, fake, clock):
    fake.profiles["1001"] = Profile(followers_count=100)
    sync.sync_account(account)
    clock.move_to(NOW + timedelta(hours=7))
    fake.profiles["1001"] = Profile(followers_count=170)
    sync.sync_account(account)
    windows = InsightWindow.objects.filter(period=HOUR).order_by("window_start")
    assert [window.derived for window in windows] == [{}, {"followers": 70, "span_minutes": 420}]


def test_reading_twice_in_an_hour_keeps_one_window_and_the_whole_difference(account, fake, clock):
    make_window(account, NOW - timedelta(hours=1), metrics={"followers": 100})
    for minute, followers in ((0, 110), (20, 125)):
        clock.move_to(NOW + timedelta(minutes=minute))
        fake.profiles["1001"] = Profile(followers_count=followers)
        sync.sync_account(account)
    newest = InsightWindow.objects.filter(period=HOUR).latest("window_start")
    assert InsightWindow.objects.filter(period=HOUR).count() == 2
    assert newest.metrics == {"followers": 125}
    assert newest.derived == {"followers": 25, "span_minutes": 80}
    assert newest.fetched_at == NOW + timedelta(minutes=20)


# Posts on the account


def test_posts_of_others_are_taken_in(account, fake):
    fake.add(
        "1001",
        "1001_7",
        text="By hand",
        posted_at=NOW - timedelta(days=2),
        permalink="https://n.example/7",
        thumbnail_url="https://cdn.example/7.jpg",
        media_type="photo",
    )
    sync.sync_account(account)
    post = PlatformPost.objects.get()
    assert (post.platform_post_id, post.text, post.publication) == ("1001_7", "By hand", None)
    assert (post.permalink, post.thumbnail_url, post.media_type) == (
        "https://n.example/7",
        "https://cdn.example/7.jpg",
        "photo",
    )
    assert (post.posted_at, post.fetched_at, post.likes) == (NOW - timedelta(days=2), NOW, None)


def test_our_own_posts_are_tied_to_their_publication(account, fake, stranger):
    publication = make_published(account).publications.get()
    fake.add("1001", publication.platform_post_id)
    sync.sync_account(account)
    assert PlatformPost.objects.get().publication == publication


def test_a_post_found_before_it_is_known_as_ours_is_tied_later(account, fake):
    post = make_published(account)
    publication = post.publications.get()
    Publication.objects.update(platform_post_id="")
    fake.add("1001", "1001_5")
    sync.sync_account(account)
    assert PlatformPost.objects.get().publication is None
    Publication.objects.update(platform_post_id="1001_5")
    sync.sync_account(account)
    assert PlatformPost.objects.get().publication == publication


def test_an_address_that_a_person_pasted_is_recognised(account, fake):
    publication = make_published(account).publications.get()
    Publication.objects.update(platform_post_id="https://n.example/9", permalink="https://n.example/9")
    fake.add("1001", "1001_9", permalink="https://n.example/9")
    ingest_posts.adopt_published()
    sync.sync_account(account)
    assert PlatformPost.objects.get().publication == publication


def test_the_same_id_on_another_account_is_another_post(account, fake, stranger, workspace):
    other = make_account(workspace, platform_account_id="2002")
    publication = make_published(other).publications.get()
    fake.add("1001", publication.platform_post_id)
    sync.sync_account(account)
    assert PlatformPost.objects.get().publication is None


def test_a_changed_text_is_taken_over_and_a_known_address_kept(account, fake):
    make_platform_post(account, platform_post_id="1001_7", permalink="https://n.example/7", likes=4)
    fake.add("1001", "1001_7", text="Edited", permalink="")
    sync.sync_account(account)
    post = PlatformPost.objects.get()
    assert (post.text, post.permalink, post.likes) == ("Edited", "https://n.example/7", 4)


def test_a_post_that_comes_back_is_read_again(account, fake):
    make_platform_post(account, platform_post_id="1001_7", gone_at=NOW - timedelta(days=1))
    fake.add("1001", "1001_7")
    sync.sync_account(account)
    post = PlatformPost.objects.get()
    assert (post.gone_at, post.fetched_at, post.next_fetch_at) == (None, NOW, NOW + timedelta(minutes=1))


def test_running_twice_changes_no_row_count(account, fake):
    fake.profiles["1001"] = Profile(followers_count=10)
    fake.days["1001", MIDNIGHT - timedelta(days=1)] = DayFigures(MIDNIGHT - timedelta(days=1), {"views": 5})
    make_published(account)
    for _ in range(3):
        fake.add("1001")
    sync.sync(account.pk, full=True)
    before = row_counts()
    sync.sync(account.pk, full=True)
    assert row_counts() == before


# Trouble


def test_a_lost_access_marks_the_account_and_tells_once(account, fake):
    fake.will("read_account", ReconnectError("You took the access away. Connect again.", revoked=True))
    sync.sync_account(account)
    row = ConnectedAccount.objects.get(pk=account.pk)
    assert (row.status, row.sync_error) == ("revoked", "You took the access away. Connect again.")
    assert row.last_synced_at is None
    assert Notification.objects.filter(workspace=account.workspace).count() == 1
    assert [call.name for call in fake.calls] == ["read_account"]


def test_an_account_without_credential_is_no_crash(workspace, fake):
    account = make_account(workspace, token=None)
    sync.sync_account(account)
    account.refresh_from_db()
    assert account.needs_reconnect
    assert account.sync_error
    assert fake.calls == []


def test_a_missing_permission_stops_only_its_own_part(account, fake):
    missing = PermissionMissingError("The permission read_insights is missing.", scopes=("read_insights",))
    profile = Profile(followers_count=10)
    fake.will("read_account", *[AccountReading(profile, troubles=(missing, missing))] * 3)
    fake.add("1001")
    sync.sync_account(account)
    account.refresh_from_db()
    assert account.sync_error == "The permission read_insights is missing."  # once, not twice
    assert (account.followers_count, account.last_synced_at) == (10, NOW)
    assert PlatformPost.objects.count() == 1


@pytest.mark.parametrize(
    "error",
    [
        LimitedError("Too many calls this hour.", until=NOW + timedelta(hours=1)),
        TemporaryError("Facebook does not answer."),
        AccountBlockedError("Facebook holds the account back."),
    ],
)
def test_trouble_that_all_parts_share_ends_the_reading(account, fake, error):
    fake.will("recent_posts", error)
    fake.profiles["1001"] = Profile(followers_count=10)
    sync.sync_account(account)
    account.refresh_from_db()
    assert (account.sync_error, account.last_synced_at, account.status) == (error.message, NOW, "connected")
    assert [call.name for call in fake.calls] == ["read_account", "recent_posts"]


def test_our_own_mistake_is_an_error_for_staff(account, fake, caplog):
    fake.will("read_account", OurBugError("We asked wrongly.", code="100", request_id="trace-1"))
    sync.sync_account(account)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "trace-1" in record.getMessage()
    assert "page-token" not in caplog.text


def test_the_error_goes_when_all_is_well(account, fake):
    fake.will("read_account", TemporaryError("No answer."))
    sync.sync_account(account)
    sync.sync_account(account)
    account.refresh_from_db()
    assert account.sync_error == ""


def test_what_only_the_operator_can_mend_is_said_and_asks_nothing_of_the_people(account, fake, clock):
    error = OperatorError("Whoever runs this server has to set another version.")
    for hour in range(sync.MOST_FAILURES + 1):
        clock.move_to(NOW + timedelta(hours=hour))
        fake.will("recent_posts", error)
        sync.sync_account(account)
    account.refresh_from_db()
    assert (account.sync_error, account.status) == (error.message, "connected")
    assert {call.name for call in fake.calls} == {"read_account", "recent_posts"}, "the next part would meet the same"
    assert not Notification.objects.exists()


def test_people_are_told_once_when_figures_stay_away_and_it_ends_by_itself(account, fake, clock):
    error = TemporaryError("Facebook does not answer.")
    for hour in range(8):
        clock.move_to(NOW + timedelta(hours=hour))
        fake.will("read_account", error)
        sync.sync(account.pk)
        told = Notification.objects.filter(kind=Notification.Kind.INSIGHTS)
        assert told.count() == (hour >= sync.MOST_FAILURES - 1)
    notification = told.get()
    assert "Facebook does not answer." in notification.body
    assert notification.resolved_at is None
    clock.move_to(NOW + timedelta(hours=9))
    sync.sync(account.pk)
    notification.refresh_from_db()
    assert notification.resolved_at
    assert AccountSync.objects.get().failures == 0


def test_one_part_that_stays_away_is_told_though_the_rest_is_read(account, fake, clock):
    missing = PermissionMissingError("The right to read figures is missing.")
    for hour in range(30):
        clock.move_to(NOW + timedelta(hours=hour))
        fake.will("read_account", AccountReading(Profile(followers_count=10), troubles=(missing,)))
        sync.sync(account.pk)
    assert Notification.objects.get().kind == Notification.Kind.INSIGHTS


def test_a_lost_access_is_not_told_twice(account, fake, clock):
    for hour in range(8):
        clock.move_to(NOW + timedelta(hours=hour))
        ConnectedAccount.objects.update(status="connected")
        fake.will("read_account", ReconnectError("Gone."))
        sync.sync(account.pk)
    assert Notification.objects.get().kind == Notification.Kind.RECONNECT


def test_near_the_limit_nothing_is_read_in_the_background(account, fake, clock):
    post = make_platform_post(account, next_fetch_at=NOW)
    fake.figures[post.platform_post_id] = PostFigures(post.platform_post_id, likes=1)
    usage.note(Usage(accounts=(AccountUsage("1001", "pages", 80),)))
    assert sync.sync(account.pk) is False
    sync.sync_due()
    assert fake.calls == []
    post.refresh_from_db()
    assert post.next_fetch_at == NOW + timedelta(minutes=10)
    assert sync.sync(account.pk, full=True) is True, "a person who asks is answered"
    calls = len(fake.calls)
    clock.move_to(NOW + timedelta(minutes=31))
    PlatformPost.objects.update(next_fetch_at=NOW)
    sync.sync_due()
    assert len(fake.calls) == calls + 1


def test_at_the_end_of_the_limit_only_posts_go_out(account, fake, clock):
    usage.note(Usage(accounts=(AccountUsage("1001", "pages", 96, regain_seconds=1800),)))
    assert sync.sync(account.pk, full=True) is False
    assert fake.calls == []
    account.refresh_from_db()
    assert "nearly used up" in account.sync_error
    clock.move_to(NOW + timedelta(minutes=31))
    assert sync.sync(account.pk, full=True) is True
    account.refresh_from_db()
    assert account.sync_error == ""


def test_what_we_put_off_ourselves_is_no_failure(account, fake):
    for hour in range(8):
        fake.will("read_account", PutOffError(f"Reading waits until {hour}.", until=NOW + timedelta(hours=hour)))
        sync.sync_account(account)
    assert not Notification.objects.exists()
    assert not AccountSync.objects.exclude(failures=0).exists()
    account.refresh_from_db()
    assert account.sync_error == "Reading waits until 7."


def test_the_quota_of_an_account_corrects_its_books(workspace, fake, monkeypatch):
    account = make_account(workspace, platform="instagram", platform_account_id="1002")
    monkeypatch.setattr(type(fake), "quota_group", "posts")
    fake.quotas["1002"] = Quota(used=60, limit=100)
    sync.sync_account(account)
    left = {state.endpoint: state.remaining for state in limits.remaining(account)}
    assert left["posts"] == 40


# One account, one worker


def test_the_hourly_message_reads_an_hour_once(account, fake):
    fake.profiles["1001"] = Profile(followers_count=10)
    assert sync.sync(account.pk) is True
    calls = len(fake.calls)
    assert sync.sync(account.pk) is False
    assert len(fake.calls) == calls


def test_a_second_worker_does_nothing_while_the_first_is_at_it(account, fake):
    answers = []
    fake.during("read_account", lambda call: answers.append(sync.sync(account.pk, full=True)))
    sync.sync(account.pk, full=True)
    assert answers == [False]
    assert len(fake.called("read_account")) == 1


def test_the_claim_of_a_dead_worker_runs_out(account, fake, clock):
    AccountSync.objects.create(account=account, claimed_until=NOW + ingest_posts.CLAIM)
    assert sync.sync(account.pk) is False
    clock.move_to(NOW + ingest_posts.CLAIM)
    assert sync.sync(account.pk) is True


def test_days_and_posts_are_read_every_third_hour(account, fake, clock):
    for hours in range(7):
        clock.move_to(NOW + timedelta(hours=hours))
        fake.profiles["1001"] = Profile(followers_count=hours)
        sync.sync(account.pk)
    assert len(fake.called("read_account")) == 7
    assert len(fake.called("recent_posts")) == 3
    assert len(fake.calls) == 7 + 3


def test_a_reading_that_was_cut_short_is_completed_the_next_hour(account, fake, clock):
    fake.will("recent_posts", TemporaryError("No answer."))
    for hours in range(3):
        clock.move_to(NOW + timedelta(hours=hours))
        sync.sync(account.pk)
    assert len(fake.called("recent_posts")) == 2


def test_only_connected_accounts_are_read(workspace, fake):
    account = make_account(workspace, status=ConnectedAccount.Status.EXPIRED)
    assert sync.sync(account.pk, full=True) is False
    assert fake.calls == []


def test_a_new_connection_has_its_posts_with_figures_at_once(account, fake):
    post = fake.add("1001", posted_at=NOW - timedelta(days=3))
    fake.figures[post.platform_post_id] = PostFigures(post.platform_post_id, likes=3)
    sync.sync(account.pk)
    assert PlatformPost.objects.get().likes == 3


# Adoption


def test_a_publication_gets_its_platform_post_once(account, fake):
    publication = make_published(account, caption="Hello", at=NOW - timedelta(seconds=20)).publications.get()
    assert ingest_posts.adopt_published() == 1
    assert ingest_posts.adopt_published() == 0
    post = PlatformPost.objects.get()
    assert (post.publication, post.platform_post_id, post.text) == (
        publication,
        publication.platform_post_id,
        "Hello",
    )
    assert (post.permalink, post.posted_at, post.next_fetch_at) == (
        publication.permalink,
        NOW - timedelta(seconds=20),
        NOW,
    )


def test_a_post_that_was_already_found_is_only_tied(account, fake):
    publication = make_published(account).publications.get()
    found = make_platform_post(account, platform_post_id=publication.platform_post_id, likes=4)
    ingest_posts.adopt_published()
    found.refresh_from_db()
    assert (found.publication, found.likes) == (publication, 4)
    assert PlatformPost.objects.count() == 1


def test_drafts_and_nameless_publications_are_not_adopted(account, fake):
    make_published(account)
    Publication.objects.update(platform_post_id="")
    assert ingest_posts.adopt_published() == 0
    assert not PlatformPost.objects.exists()


def test_what_was_published_long_ago_is_adopted_with_its_account(account, fake):
    make_published(account, at=NOW - timedelta(days=9))
    assert ingest_posts.adopt_published() == 0
    sync.sync_account(account)
    assert PlatformPost.objects.count() == 1


# Figures of posts


@pytest.mark.parametrize(
    ("age", "gap"),
    [
        (timedelta(seconds=5), timedelta(seconds=55)),
        (timedelta(minutes=1), timedelta(minutes=9)),
        (timedelta(minutes=10), timedelta(minutes=50)),
        (timedelta(hours=1), timedelta(hours=5)),
        (timedelta(hours=6), timedelta(hours=18)),
        (timedelta(hours=24), timedelta(hours=6)),
        (timedelta(hours=71), timedelta(hours=1)),
        (timedelta(days=3), timedelta(hours=12)),
        (timedelta(days=7), timedelta(days=1)),
        (timedelta(days=27, hours=3), timedelta(hours=21)),
    ],
)
def test_figures_are_read_ever_more_seldom(age, gap):
    assert ingest_posts.next_fetch(NOW - age, NOW) == NOW + gap


@pytest.mark.parametrize("days", [28, 29, 400])
def test_after_28_days_it_ends(days):
    assert ingest_posts.next_fetch(NOW - timedelta(days=days), NOW) is None


def test_figures_are_the_newest_on_the_post_and_kept_as_they_were_read(account, fake, clock):
    post = make_platform_post(account, platform_post_id="1001_7", next_fetch_at=NOW)
    fake.figures["1001_7"] = PostFigures("1001_7", likes=3, reach=50, views=0, raw={"like_count": 3})
    ingest_posts.sync_posts(account, [post])
    clock.move_to(NOW + timedelta(hours=6))
    fake.figures["1001_7"] = PostFigures("1001_7", likes=8, raw={"like_count": 8})
    ingest_posts.sync_posts(account, [post])
    post.refresh_from_db()
    assert (post.likes, post.reach, post.views, post.comments) == (8, 50, 0, None)
    assert (post.raw, post.fetched_at) == ({"like_count": 8}, NOW + timedelta(hours=6))
    assert post.next_fetch_at == NOW + timedelta(hours=23)  # it was an hour old
    snapshots = PostSnapshot.objects.order_by("fetched_at").values_list("likes", "reach", "views", "fetched_at")
    assert list(snapshots) == [(3, 50, 0, NOW), (8, None, None, NOW + timedelta(hours=6))]


def test_an_answer_without_figures_leaves_no_snapshot(account, fake):
    post = make_platform_post(account, platform_post_id="1001_7")
    fake.figures["1001_7"] = PostFigures("1001_7")
    ingest_posts.sync_posts(account, [post])
    post.refresh_from_db()
    assert (post.fetched_at, post.likes) == (NOW, None)
    assert not PostSnapshot.objects.exists()


def test_all_posts_of_an_account_are_one_call(account, fake):
    posts = [make_platform_post(account) for _ in range(30)]
    fake.figures[posts[0].platform_post_id] = PostFigures(posts[0].platform_post_id, likes=1)
    ingest_posts.sync_posts(account, posts)
    assert len(fake.calls) == 1


def test_a_post_that_is_gone_stays_with_its_last_figures(account, fake):
    post = make_platform_post(account, likes=9)
    ingest_posts.sync_posts(account, [post])
    post.refresh_from_db()
    assert (post.gone_at, post.next_fetch_at, post.likes) == (NOW, None, 9)
    assert sync.sync_due() == 0


def test_a_fresh_post_that_is_not_there_yet_is_not_gone(account, fake):
    post = make_platform_post(account, posted_at=NOW - timedelta(seconds=30))
    ingest_posts.sync_posts(account, [post])
    post.refresh_from_db()
    assert (post.gone_at, post.next_fetch_at) == (None, NOW + timedelta(seconds=30))


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (LimitedError("Limit.", until=NOW + timedelta(minutes=47)), timedelta(minutes=47)),
        (LimitedError("Limit."), timedelta(hours=1)),
        (TemporaryError("No answer."), timedelta(minutes=15)),
        (PermissionMissingError("Permission missing."), timedelta(hours=6)),
    ],
)
def test_trouble_puts_the_posts_off_and_says_so(account, fake, error, again):
    post = make_platform_post(account, next_fetch_at=NOW)
    fake.will("post_figures", error)
    sync.sync_due()
    post.refresh_from_db()
    account.refresh_from_db()
    assert (post.next_fetch_at, post.fetched_at, post.gone_at) == (NOW + again, None, None)
    assert account.sync_error == error.message


def test_one_failing_account_stops_nobody(workspace, fake, caplog):
    accounts = [make_account(workspace) for _ in range(3)]
    posts = [make_platform_post(account, next_fetch_at=NOW) for account in accounts]
    for post in posts:
        fake.figures[post.platform_post_id] = PostFigures(post.platform_post_id, likes=1)
    fake.will("post_figures", RuntimeError("boom"), ReconnectError("Gone."))
    assert sync.sync_due() == 3
    assert PlatformPost.objects.filter(likes=1).count() == 1
    assert ConnectedAccount.objects.filter(status="expired").count() == 1
    assert "boom" in caplog.text


def test_what_is_due_on_an_account_is_read_together_however_small_the_portions(workspace, fake, monkeypatch):
    monkeypatch.setattr(sync, "POSTS_PER_CLAIM", 3)
    accounts = [make_account(workspace) for _ in range(2)]
    for number in range(3):
        for account in accounts:
            late = make_platform_post(account, next_fetch_at=NOW - timedelta(minutes=number))
            fake.figures[late.platform_post_id] = PostFigures(late.platform_post_id, likes=1)
    assert sync.sync_due() == 6
    assert [len(call.arguments["posts"]) for call in fake.called("post_figures")] == [3, 3]


def test_only_what_is_due_is_read(account, fake, workspace):
    due = make_platform_post(account, platform_post_id="1001_1", next_fetch_at=NOW)
    make_platform_post(account, next_fetch_at=NOW + timedelta(seconds=1))
    make_platform_post(account, next_fetch_at=None)
    make_platform_post(account, next_fetch_at=NOW, gone_at=NOW)
    lost = make_account(workspace, status=ConnectedAccount.Status.EXPIRED)
    make_platform_post(lost, next_fetch_at=NOW)
    fake.figures["1001_1"] = PostFigures("1001_1", likes=1)
    assert sync.sync_due() == 1
    assert fake.called("post_figures")[0].arguments["posts"] == {due.platform_post_id: ""}


def test_the_minute_adopts_and_reads_what_was_just_published(account, fake):
    publication = make_published(account, at=NOW - timedelta(seconds=10)).publications.get()
    fake.add("1001", publication.platform_post_id)
    fake.figures[publication.platform_post_id] = PostFigures(publication.platform_post_id, likes=0, views=2)
    sync.sync_due()
    post = PlatformPost.objects.get()
    assert (post.likes, post.views, post.next_fetch_at) == (0, 2, NOW + timedelta(seconds=50))


def test_statements_do_not_grow_with_the_posts(account, fake, django_assert_max_num_queries):
    for number in range(40):
        post = make_platform_post(account, platform_post_id=f"1001_{number}", next_fetch_at=NOW)
        fake.figures[post.platform_post_id] = PostFigures(post.platform_post_id, likes=number)
    with django_assert_max_num_queries(25):
        sync.sync_due()
    assert PostSnapshot.objects.count() == 40


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_due_posts(account, fake, clock):
    for _ in range(60):
        make_platform_post(account, next_fetch_at=NOW)
    barrier, claimed = threading.Barrier(4), []

    def work():
        try:
            barrier.wait()
            claimed.extend(post.pk for post in ingest_posts.claim_posts(50))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 60


@pytest.mark.django_db(transaction=True)
def test_two_workers_adopt_and_import_the_same_posts_once(account, fake):
    for _ in range(20):
        fake.add("1001", make_published(account).publications.get().platform_post_id)
    fake._record = type(fake)._record.__get__(fake)  # the check for transactions knows one thread only
    barrier = threading.Barrier(4)
    failures = []

    def work(number):
        try:
            barrier.wait()
            if number % 2:
                ingest_posts.adopt_published()
            else:
                sync.sync_account(ConnectedAccount.objects.get(pk=account.pk))
        except Exception as error:  # noqa: BLE001  every failure of a thread must reach the test
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert PlatformPost.objects.count() == 20
    assert not PlatformPost.objects.filter(publication=None).exists()


def test_a_call_inside_a_transaction_is_noticed_by_these_tests(account, fake):
    """The check of the fixture has teeth."""
    with transaction.atomic(), pytest.raises(AssertionError, match="inside a transaction"):
        sync.sync_account(account)
