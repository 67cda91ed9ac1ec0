from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from accounts import usage
from accounts.models import Credential, Grant
from publishing import limits
from publishing.models import LimitOverride, RateLimitWindow
from socialhub.platforms.base import Quota
from socialhub.platforms.buffer import client_mark
from socialhub.platforms.buffer_limits import BufferUsage, ClientWindow
from socialhub.platforms.errors import PutOffError
from socialhub.platforms.rules import CLIENT_WINDOWS, Window
from tests.factories import make_account, make_user

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def instagram(workspace):
    return make_account(workspace, platform="instagram")


def reserve(account, **calls):
    return limits.reserve(account.pk, account.platform, calls)


@pytest.mark.django_db
def test_calls_are_counted_until_the_window_is_full(instagram):
    with time_machine.travel(NOON, tick=False):
        assert reserve(instagram, publish=20) is None
        full = reserve(instagram, publish=6)
        assert full is not None
        assert (full.endpoint, full.limit, full.window_seconds) == ("publish", 25, 3600)
        assert reserve(instagram, publish=5) is None, "what was refused is not counted"


@pytest.mark.django_db
def test_the_window_rolls_and_says_when_there_is_room(instagram):
    with time_machine.travel(NOON, tick=False):
        reserve(instagram, publish=10)
    with time_machine.travel(NOON + timedelta(minutes=30), tick=False):
        reserve(instagram, publish=15)
        full = reserve(instagram, publish=10)
    assert full is not None
    assert NOON + timedelta(hours=1) <= full.until <= NOON + timedelta(hours=1, minutes=1)
    with time_machine.travel(full.until - timedelta(seconds=1), tick=False):
        assert reserve(instagram, publish=10) is not None
    with time_machine.travel(full.until, tick=False):
        assert reserve(instagram, publish=10) is None
        assert reserve(instagram, publish=1) is not None, "the calls of half past twelve still count"


@pytest.mark.django_db
def test_all_windows_or_none(instagram):
    with time_machine.travel(NOON, tick=False):
        reserve(instagram, posts=50)
        assert reserve(instagram, publish=1, posts=1).endpoint == "posts"
        states = {state.endpoint: state for state in limits.remaining(instagram)}
    assert states["publish"].made == 0
    assert states["posts"].remaining == 0


@pytest.mark.django_db
def test_a_limit_smaller_than_what_is_asked_for_has_no_time(instagram):
    assert reserve(instagram, publish=26).until is None


@pytest.mark.django_db
def test_a_block_by_the_network_stops_everything_until_its_end(instagram):
    until = NOON + timedelta(minutes=12)
    with time_machine.travel(NOON, tick=False):
        limits.block(instagram, until)
        assert reserve(instagram, publish=1).until == until
        assert all(state.remaining == 0 for state in limits.remaining(instagram))
    with time_machine.travel(until + timedelta(seconds=1), tick=False):
        assert reserve(instagram, publish=1) is None


@pytest.mark.django_db
def test_a_window_of_a_day_is_counted_anew_at_midnight(instagram, monkeypatch):
    day = Window("publish", 3, 86_400, "test", is_rolling=False)
    monkeypatch.setitem(limits.WINDOWS, "instagram", (day,))
    late = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
    with time_machine.travel(late, tick=False):
        assert reserve(instagram, publish=3) is None
        assert reserve(instagram, publish=1).until == late + timedelta(minutes=1)
    with time_machine.travel(late + timedelta(minutes=1), tick=False):
        assert reserve(instagram, publish=3) is None


@pytest.mark.django_db
def test_settings_change_a_limit(instagram, settings):
    settings.RATE_LIMITS = {"instagram": {"publish": 2}}
    assert reserve(instagram, publish=2) is None
    assert reserve(instagram, publish=1).limit == 2


@pytest.mark.django_db
def test_accounts_do_not_share_windows(workspace, instagram):
    other = make_account(workspace, platform="instagram")
    reserve(instagram, publish=25)
    assert reserve(other, publish=25) is None


@pytest.mark.django_db
def test_slices_that_count_no_more_are_dropped(instagram):
    with time_machine.travel(NOON, tick=False):
        reserve(instagram, publish=1, posts=1)
    with time_machine.travel(NOON + timedelta(hours=2), tick=False):
        assert limits.tidy_windows() == 1
    assert RateLimitWindow.objects.get().endpoint == "posts"


# What several accounts share

QUARTER_HOUR, DAY, MONTH = 900, 86_400, 2_592_000


@pytest.fixture
def user(workspace):
    return make_user()


@pytest.fixture
def grant(workspace, user):
    return make_grant(workspace, user, "key-of-a-person")


def make_grant(workspace, user, token, **fields):
    grant = Grant.objects.create(
        workspace=workspace, user=user, provider="buffer", platform_user_id=token, access_token=token, **fields
    )
    usage.remember(token, grant)
    return grant


def channel(grant, platform="x"):
    account = make_account(grant.workspace, platform=platform, login_kind="buffer", token=None)
    Credential.objects.create(account=account, grant=grant)
    return account


def publish_by(account, number=1):
    client = limits.client_subject(account)
    return limits.reserve(account.pk, account.platform, {"publish": number, "client": 2 * number}, client=client)


def left_of_client(account):
    return {s.window_seconds: s.remaining for s in limits.remaining(account) if s.endpoint == "client"}


@pytest.mark.django_db
def test_accounts_of_one_grant_share_its_windows_and_those_of_another_do_not(workspace, user, grant):
    first, second = channel(grant), channel(grant, "threads")
    stranger = channel(make_grant(workspace, user, "another-key"))
    with time_machine.travel(NOON, tick=False):
        assert publish_by(first, 30) is None
        full = publish_by(second, 21)
        assert full is not None
        assert (full.endpoint, full.limit, full.window_seconds, full.scope) == ("client", 100, QUARTER_HOUR, "client")
        assert publish_by(second, 20) is None
        assert left_of_client(first) == left_of_client(second) == {QUARTER_HOUR: 0, DAY: 150, MONTH: 2900}
        assert left_of_client(stranger) == {QUARTER_HOUR: 100, DAY: 250, MONTH: 3000}
        own = {s.endpoint: s.remaining for s in limits.remaining(second)}
        assert own["publish"] == 30, "what is the account's own is not shared"


@pytest.mark.django_db
def test_what_is_shared_says_so_in_words(workspace, user, grant):
    first, _second = channel(grant), channel(grant, "threads")
    (state, *_longer) = (s for s in limits.remaining(first) if s.endpoint == "client")
    assert (state.shared_by, state.sharing) == (2, "shared by 2 channels of this connection")
    (own,) = (s for s in limits.remaining(first) if s.endpoint == "publish")
    assert (own.shared_by, own.sharing) == (1, "")


@pytest.mark.django_db
def test_an_app_may_share_one_budget_among_all_its_users(workspace, user, grant, settings):
    end = NOON + timedelta(hours=1)
    ours = channel(make_grant(workspace, user, "app-token-1", expires_at=end))
    theirs = channel(make_grant(workspace, user, "app-token-2", expires_at=end))
    personal = channel(grant)
    assert limits.client_subject(ours) != limits.client_subject(theirs)
    settings.BUFFER_QUOTA_SHARED = True
    assert limits.client_subject(ours) == limits.client_subject(theirs) == "app:buffer"
    assert limits.client_subject(personal) == f"grant:{grant.pk}"
    (state, *_longer) = (s for s in limits.remaining(ours) if s.endpoint == "client")
    assert (state.shared_by, state.sharing) == (None, "shared by all who use this app")


@pytest.mark.django_db
def test_a_fifth_of_the_shared_windows_is_kept_for_publishing(grant):
    account, client = channel(grant), f"grant:{grant.pk}"
    with time_machine.travel(NOON, tick=False):
        assert limits.reserve_read(client, "buffer", 80) is None
        until = limits.reserve_read(client, "buffer")
        assert NOON + timedelta(minutes=15) <= until <= NOON + timedelta(minutes=15, seconds=15)
        with pytest.raises(PutOffError) as caught:
            limits.before_read(client_mark("key-of-a-person"))
        assert caught.value.until == until
        assert "Buffer" in caught.value.message
        assert publish_by(account, 10) is None, "posts may use all of it"
        assert publish_by(account).endpoint == "client"
    with time_machine.travel(until, tick=False):
        limits.before_read(client_mark("key-of-a-person"))


@pytest.mark.django_db
def test_a_read_of_somebody_who_is_just_connecting_is_not_counted():
    limits.before_read(client_mark("a-key-that-nobody-has-stored"))
    limits.heard(BufferUsage((ClientWindow(QUARTER_HOUR, 5, 60, 100),), client_mark("a-key-that-nobody-has-stored")))
    assert not RateLimitWindow.objects.exists()


def tell(*windows, token="key-of-a-person", until=None):
    limits.heard(BufferUsage(windows, client_mark(token), until))


@pytest.mark.django_db
def test_what_the_network_says_of_its_windows_corrects_the_books(grant):
    account = channel(grant)
    with time_machine.travel(NOON, tick=False):
        publish_by(account, 5)
        tell(
            ClientWindow(QUARTER_HOUR, 40, 600, 100),
            ClientWindow(DAY, 490, 70_000, 500),
            ClientWindow(MONTH, 14_000, 2_000_000, 15_000),
        )
        assert left_of_client(account) == {QUARTER_HOUR: 40, DAY: 490, MONTH: 14_000}
        publish_by(account)
        assert left_of_client(account) == {QUARTER_HOUR: 38, DAY: 488, MONTH: 13_998}
    with time_machine.travel(NOON + timedelta(minutes=11), tick=False):
        assert left_of_client(account)[QUARTER_HOUR] == 88, "the window has ended there; what we made is still counted"
    assert RateLimitWindow.objects.filter(told_at__isnull=False).count() == 3


@pytest.mark.django_db
def test_more_than_the_books_say_is_not_believed_while_calls_are_on_their_way(grant):
    account = channel(grant)
    with time_machine.travel(NOON, tick=False):
        publish_by(account, 20)
        tell(ClientWindow(QUARTER_HOUR, 98, 880, 100))
        assert left_of_client(account)[QUARTER_HOUR] == 60


@pytest.mark.django_db
def test_of_answers_that_come_out_of_order_the_tightest_counts(grant):
    account = channel(grant)
    with time_machine.travel(NOON, tick=False) as clock:
        tell(ClientWindow(QUARTER_HOUR, 10, 600, 100))
        tell(ClientWindow(QUARTER_HOUR, 12, 600, 100))
        assert left_of_client(account)[QUARTER_HOUR] == 10
        clock.shift(timedelta(minutes=2))
        tell(ClientWindow(QUARTER_HOUR, 12, 480, 100))
        assert left_of_client(account)[QUARTER_HOUR] == 12


@pytest.mark.django_db
def test_a_limit_that_was_told_outlives_its_window_and_is_dropped_at_last(grant):
    account = channel(grant)
    with time_machine.travel(NOON, tick=False):
        tell(ClientWindow(DAY, 499, 60, 500))
    with time_machine.travel(NOON + timedelta(days=2), tick=False):
        assert limits.tidy_windows() == 0
        assert left_of_client(account)[DAY] == 500
    with time_machine.travel(NOON + timedelta(days=41), tick=False):
        assert limits.tidy_windows() == 1
        assert left_of_client(account)[DAY] == 250
    assert not RateLimitWindow.objects.exists()


@pytest.mark.django_db
def test_a_refused_call_stops_all_accounts_of_its_client(workspace, user, grant):
    first, second = channel(grant), channel(grant, "threads")
    stranger = channel(make_grant(workspace, user, "another-key"))
    until = NOON + timedelta(minutes=7)
    with time_machine.travel(NOON, tick=False):
        tell(until=until)
        tell(until=until)
        for account in (first, second):
            assert (publish_by(account).endpoint, publish_by(account).until) == (limits.BLOCK, until)
        assert limits.reserve_read(f"grant:{grant.pk}", "buffer") == until
        assert publish_by(stranger) is None
        assert RateLimitWindow.objects.filter(endpoint=limits.BLOCK).count() == 1
    with time_machine.travel(until + timedelta(seconds=1), tick=False):
        assert publish_by(first) is None


@pytest.mark.django_db
def test_settings_change_a_shared_window_by_its_login_and_length(grant, settings):
    settings.RATE_LIMITS = {"buffer": {f"client/{DAY}": 20}}
    account = channel(grant)
    assert left_of_client(account) == {QUARTER_HOUR: 100, DAY: 20, MONTH: 3000}
    tell(ClientWindow(DAY, 500, 60, 500))
    assert left_of_client(account)[DAY] == 20, "an operator's word holds against a looser one of the network"
    tell(ClientWindow(DAY, 10, 60, 10))
    assert left_of_client(account)[DAY] == 10


# What an account's own network says, and what staff says


@pytest.mark.django_db
def test_the_quota_of_an_account_is_read_first_when_it_is_unknown_old_or_nearly_used_up(instagram):
    def reserve_post():
        return limits.reserve(instagram.pk, "instagram", {"publish": 1, "posts": 1}, quota="posts")

    with time_machine.travel(NOON, tick=False) as clock:
        with pytest.raises(limits.QuotaUnread):
            reserve_post()
        assert not RateLimitWindow.objects.exists(), "nothing is reserved before it is read"
        limits.read_quota(instagram, "posts", Quota(used=60, limit=100))
        assert reserve_post() is None
        left = {state.endpoint: state.remaining for state in limits.remaining(instagram)}
        assert left == {"publish": 24, "containers": 360, "posts": 39}
        clock.shift(timedelta(minutes=61))
        with pytest.raises(limits.QuotaUnread):
            reserve_post()
        limits.read_quota(instagram, "posts", Quota(used=95, limit=100))
        assert reserve_post() is None
        clock.shift(timedelta(minutes=6))
        with pytest.raises(limits.QuotaUnread):
            reserve_post()
        assert limits.reserve(instagram.pk, "instagram", {"posts": 5}).endpoint == "posts"


@pytest.mark.django_db
def test_staff_changes_a_limit_of_one_account(workspace, instagram, settings):
    other = make_account(workspace, platform="instagram")
    settings.RATE_LIMITS = {"instagram": {"publish": 2}}
    LimitOverride.objects.create(account=instagram, endpoint="publish", window_seconds=3600, call_limit=40)
    LimitOverride.objects.create(account=instagram, endpoint="posts", window_seconds=DAY, call_limit=70)
    assert reserve(instagram, publish=40) is None
    assert reserve(other, publish=3).limit == 2
    limits.read_quota(instagram, "posts", Quota(used=0, limit=60))
    assert reserve(instagram, posts=61).limit == 60, "more than the network allows is allowed to nobody"


@pytest.mark.django_db
def test_three_accounts_that_meet_a_limit_of_linkedin_mean_its_app(workspace):
    until = NOON + timedelta(hours=12)
    *met, other = (make_account(workspace, platform="linkedin", login_kind="linkedin") for _ in range(4))
    with time_machine.travel(NOON, tick=False):
        for account in met[:2]:
            limits.block(account, until)
        assert reserve(other, publish=1) is None
        limits.block(met[2], until)
        assert reserve(other, publish=1).until == until
        assert reserve(make_account(workspace), publish=1) is None


@pytest.mark.django_db
def test_three_instagram_accounts_at_their_limits_are_three_accounts(workspace):
    *met, other = (make_account(workspace, platform="instagram") for _ in range(4))
    for account in met:
        limits.block(account, NOON + timedelta(days=365))
    assert reserve(other, publish=1) is None


# At once


@pytest.mark.django_db
def test_the_statements_of_a_reservation(workspace, user, instagram, grant, django_assert_num_queries):
    account = channel(grant)
    assert account.credential.grant == grant, "as a claim brings it along"
    with django_assert_num_queries(3):  # lock, books, count
        limits.reserve(instagram.pk, "instagram", {"publish": 3, "containers": 3, "posts": 1})
    with django_assert_num_queries(3):
        publish_by(account)


@pytest.mark.django_db(transaction=True)
def test_sixty_workers_with_twenty_five_calls_left_get_exactly_twenty_five(instagram):
    granted: list[bool] = []
    barrier = threading.Barrier(60)

    def worker() -> None:
        try:
            connection.ensure_connection()
            barrier.wait()
            granted.extend(reserve(instagram, publish=1) is None for _ in range(2))
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 120
    assert sum(granted) == 25


@pytest.mark.django_db(transaction=True)
def test_workers_of_accounts_that_share_overrun_nothing_and_never_wait_for_each_other_in_a_ring(workspace, user):
    """Posts of five channels and reads, all at once: both locks are taken in one order."""
    grant = make_grant(workspace, user, "key-of-a-person")
    channels = [channel(grant) for _ in range(5)]
    client = f"grant:{grant.pk}"
    posts: list[bool] = []
    reads: list[bool] = []
    barrier = threading.Barrier(20)

    def worker(number: int) -> None:
        barrier.wait()
        for _ in range(6):
            if number % 2:
                posts.append(publish_by(channels[number % 5]) is None)
            else:
                reads.append(limits.reserve_read(client, "buffer") is None)
        connection.close()

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(posts), len(reads)) == (60, 60)
    assert 2 * sum(posts) + sum(reads) <= 100
    assert 2 * sum(posts) + sum(reads) >= 99, "what was left was given away"
    made = RateLimitWindow.objects.filter(subject=client)
    assert {
        sum(made.filter(window_seconds=w.seconds).values_list("calls_made", flat=True))
        for w in CLIENT_WINDOWS["buffer"]
    } == {2 * sum(posts) + sum(reads)}


# Reading figures


@pytest.mark.django_db
def test_what_was_read_is_counted_for_the_account_and_rolls_on(instagram, workspace):
    other = make_account(workspace, platform="instagram")
    with time_machine.travel(NOON, tick=False) as clock:
        limits.count_reads(instagram, 2)
        limits.count_reads(instagram, 147)
        assert limits.reading_waits_until(instagram) is None
        limits.count_reads(instagram, 1)
        until = limits.reading_waits_until(instagram)
        assert NOON + timedelta(hours=1) <= until <= NOON + timedelta(hours=1, minutes=1)
        assert limits.reading_waits_until(instagram, asked_for=True) is None, "the last quarter is for people who ask"
        assert limits.reading_waits_until(other) is None
        assert reserve(instagram, publish=20) is None, "reading takes nothing of what publishing has"
        limits.count_reads(instagram, 50)
        assert limits.reading_waits_until(instagram, asked_for=True) == until
        clock.move_to(until)
        assert limits.reading_waits_until(instagram) is None


@pytest.mark.django_db
def test_reading_stays_away_as_long_as_the_network_says(instagram):
    until = NOON + timedelta(minutes=12)
    with time_machine.travel(NOON, tick=False):
        limits.block(instagram, until)
        assert limits.reading_waits_until(instagram) == until
        assert limits.reading_waits_until(instagram, asked_for=True) == until


@pytest.mark.django_db
def test_staff_and_settings_say_how_much_is_read(instagram, settings):
    settings.RATE_LIMITS = {"instagram": {"read": 4}}
    limits.count_reads(instagram, 3)
    assert limits.reading_waits_until(instagram)
    LimitOverride.objects.create(account=instagram, endpoint="read", window_seconds=3600, call_limit=100)
    assert limits.reading_waits_until(instagram) is None


@pytest.mark.django_db
def test_linkedins_day_begins_at_midnight(workspace):
    account = make_account(workspace, platform="linkedin")
    with time_machine.travel(NOON, tick=False):
        limits.count_reads(account, 74)
        assert limits.reading_waits_until(account) is None
        limits.count_reads(account, 1)
        assert limits.reading_waits_until(account) == datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.django_db
def test_reading_through_a_client_leaves_its_last_part_to_publishing(grant):
    account, other = channel(grant), channel(grant, "threads")
    limits.count_reads(account, 1000)
    assert not RateLimitWindow.objects.exists(), "the client of the network counts its calls itself"
    limits.reserve_read(usage.subject_of(grant), "buffer", 80)
    assert limits.reading_waits_until(account)
    assert limits.reading_waits_until(other, asked_for=True)
