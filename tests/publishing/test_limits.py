from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from publishing import limits
from publishing.models import RateLimitWindow
from socialhub.platforms.rules import Window
from tests.factories import make_account

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


@pytest.mark.django_db(transaction=True)
def test_sixty_workers_with_twenty_five_calls_left_get_exactly_twenty_five(instagram):
    granted: list[bool] = []
    barrier = threading.Barrier(20)

    def worker() -> None:
        barrier.wait()
        for _ in range(3):
            granted.append(reserve(instagram, publish=1) is None)
        connection.close()

    threads = [threading.Thread(target=worker) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 60
    assert sum(granted) == 25
