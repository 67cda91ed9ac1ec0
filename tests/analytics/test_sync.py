"""Whose turn it is, who holds an account, and what is gone on with after a worker died."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from accounts import usage
from accounts.models import ConnectedAccount, Notification
from analytics import cadence, sync, tasks
from analytics.ingest.accounts import Part
from analytics.models import AccountSync
from publishing import limits
from publishing.models import Publication, QueueEntry
from publishing.models import RateLimitWindow as Windows
from socialhub.crew import Crew
from socialhub.platforms.errors import LimitedError, PermissionMissingError, TemporaryError
from socialhub.platforms.http import AccountUsage, Usage, count
from tests.factories import make_account, make_entry, make_post, make_user, workspace_of

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process ends in the middle: nothing of ours runs after it."""


class Network:
    """Parts that note who was read, and do what a test says beforehand."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.calls = 1
        self.will: dict[str, list[Any]] = {}
        self.lock = threading.Lock()

    def parts(self, account: ConnectedAccount, *, full: bool, asked: bool) -> list[Part]:
        return [self.part(key) for key in (("figures", "posts", "audience") if full else ("figures",))]

    def part(self, key: str) -> Part:
        def act(account: ConnectedAccount, *_rest: object) -> Sequence[Any]:
            with self.lock:
                self.read.append(f"{account.name} {key}")
                outcome = self.will[key].pop(0) if self.will.get(key) else None
            count(self.calls)
            if isinstance(outcome, BaseException):
                raise outcome
            if callable(outcome):
                outcome()
            if key == "figures":
                ConnectedAccount.objects.filter(pk=account.pk).update(last_synced_at=timezone.now())
            return outcome if isinstance(outcome, tuple) else ()

        return Part(key, key, act)

    def taken(self) -> list[str]:
        with self.lock:
            read, self.read = self.read, []
        return read


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network()
    monkeypatch.setattr(sync, "parts_of", lambda account, platform, **how: network.parts(account, **how))
    return network


@pytest.fixture
def account(workspace: Any) -> ConnectedAccount:
    return make_account(workspace, name="Garage")


def row(account: ConnectedAccount) -> AccountSync:
    return AccountSync.objects.get(account=account)


def known(account: ConnectedAccount, **fields: Any) -> None:
    """It was read wholly a while ago."""
    AccountSync.objects.update_or_create(
        account=account, defaults={"full_at": timezone.now() - HOUR, "next_at": timezone.now(), **fields}
    )


def read_all() -> None:
    sync.accounts_due()
    while sync.read_next():
        pass


# Turns


def test_a_new_account_is_read_wholly_at_once_and_then_in_its_own_minute(account, network, clock):
    assert sync.accounts_due() == [account.pk]
    read_all()
    assert network.taken() == ["Garage figures", "Garage posts", "Garage audience"]
    turn = NOW.replace(hour=19, minute=0) + cadence.offset_of(account.pk)
    assert row(account).next_at == turn
    assert sync.accounts_due() == []
    clock.move_to(turn - timedelta(seconds=1))
    read_all()
    assert network.taken() == []
    clock.move_to(turn)
    read_all()
    assert network.taken() == ["Garage figures"], "only what changes by the hour"
    assert row(account).next_at == turn + HOUR


def test_everything_is_read_with_every_third_turn(account, network, clock):
    clock.move_to(NOW.replace(minute=0) + cadence.offset_of(account.pk))
    for _hour in range(7):
        read_all()
        clock.move_to(row(account).next_at)
    assert [part.removeprefix("Garage ") for part in network.taken()] == [
        *("figures", "posts", "audience", "figures", "figures"),
        *("figures", "posts", "audience", "figures", "figures"),
        *("figures", "posts", "audience"),
    ]


def test_the_turns_of_many_are_spread_over_the_hour_and_each_hour_has_one(workspace):
    offsets = [cadence.offset_of(make_account(workspace, token=None).pk) for _ in range(200)]
    assert all(timedelta(0) <= offset < timedelta(minutes=55) for offset in offsets)
    for tenth in range(11):
        within = [offset for offset in offsets if tenth * 300 <= offset.total_seconds() < (tenth + 1) * 300]
        assert 3 <= len(within) <= 45


def test_a_network_that_renews_its_figures_once_a_day_is_read_once_a_day(workspace, network, clock):
    account = make_account(workspace, name="Channel", platform="threads")
    read_all()
    first = row(account).next_at
    assert timedelta(hours=23) <= first - NOW <= timedelta(hours=25)
    clock.move_to(NOW + HOUR)
    network.taken()
    assert sync.sync(account.pk) is False
    clock.move_to(first)
    assert sync.sync(account.pk) is True


def test_accounts_that_cannot_be_read_have_no_turn(workspace, network):
    for status in ConnectedAccount.Status:
        make_account(workspace, name=status, status=status)
    read_all()
    assert {part.split()[0] for part in network.read} == {"connected"}


def test_one_that_is_connected_again_is_read_at_once(account, network, clock):
    network.will["figures"] = [TemporaryError("It does not answer.")]
    read_all()
    network.taken()
    clock.shift(timedelta(minutes=3))
    read_all()
    assert network.taken() == []
    ConnectedAccount.objects.update(connected_at=timezone.now())
    read_all()
    assert len(network.taken()) == 3
    read_all()
    assert network.taken() == []


def test_whoever_waits_for_longest_comes_first_and_who_is_asked_for_before_all(workspace, network):
    for name, minutes in (("late", 5), ("latest", 50), ("asked", -30)):
        known(make_account(workspace, name=name), next_at=NOW - timedelta(minutes=minutes))
    tasks.ask_for_sync(ConnectedAccount.objects.get(name="asked").pk)
    read_all()
    assert [part for part in network.taken() if part.endswith("figures")] == [
        "asked figures",
        "latest figures",
        "late figures",
    ]


# One reading, however many messages


def test_fifty_doubled_messages_read_once(account, network, monkeypatch):
    monkeypatch.setattr(tasks.sync_one_account, "apply_async", lambda *args, **options: None)
    tasks.ask_for_sync(account.pk)
    for _ in range(50):
        tasks.sync_one_account(str(account.pk))
        tasks.sync_accounts()
        sync.sync(account.pk)
    assert network.taken() == ["Garage figures", "Garage posts", "Garage audience"]


@pytest.mark.django_db(transaction=True)
def test_fifty_messages_at_once_read_every_account_once(clock, network):
    workspace = workspace_of(make_user())
    names = [make_account(workspace, name=f"Page-{number}").name for number in range(8)]
    sync.accounts_due()
    together = threading.Barrier(10)

    def work() -> None:
        together.wait()
        for _ in range(5):
            read_all()
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    parts = network.taken()
    assert sorted(parts) == sorted(f"{name} {key}" for name in names for key in ("figures", "posts", "audience"))


def test_it_is_read_while_nobody_else_reads_it(account, network):
    inside: list[bool] = []
    network.will["figures"] = [lambda: inside.append(sync.sync(account.pk, full=True))]
    assert sync.sync(account.pk) is True
    assert inside == [False]


def test_who_asks_while_it_is_read_is_answered_by_the_next_run(account, network, clock):
    known(account)

    def ask() -> None:
        clock.shift(1)
        cadence.ask(account.pk)

    network.will["figures"] = [ask]
    assert sync.read_next()
    assert network.taken() == ["Garage figures"]
    read_all()
    assert network.taken() == ["Garage figures", "Garage posts", "Garage audience"]
    assert not cadence.is_asked(row(account))


def test_an_hour_that_is_known_is_not_read_again(account, network, clock):
    assert sync.sync(account.pk) is True
    assert sync.sync(account.pk) is False
    assert sync.sync(account.pk, full=True) is True, "unless a person asks"
    clock.move_to(NOW + timedelta(minutes=30))
    assert sync.sync(account.pk) is True


# A worker that dies


def killed_at(part: str, network: Network) -> None:
    network.will[part] = [Killed()]
    with pytest.raises(Killed):
        sync.read_next()
    network.taken()


def test_what_a_dead_worker_had_read_is_not_read_again(account, network, clock):
    sync.accounts_due()
    killed_at("audience", network)
    assert row(account).steps_done == ["figures", "posts"]
    read_all()
    assert network.taken() == [], "it may be alive"
    clock.shift(cadence.LEASE + timedelta(seconds=1))
    assert sync.accounts_due() == [account.pk]
    read_all()
    assert network.taken() == ["Garage audience"]
    now = row(account)
    assert (now.steps_done, now.full_at, now.claimed_until) == (["figures", "posts", "audience"], timezone.now(), None)


def test_what_a_person_asked_for_is_gone_on_with_too(account, network, clock):
    known(account, full_at=NOW, next_at=NOW + HOUR)
    tasks.ask_for_sync(account.pk)
    killed_at("posts", network)
    clock.shift(cadence.LEASE)
    read_all()
    assert network.taken() == ["Garage posts", "Garage audience"]


def test_a_run_that_was_cut_short_long_ago_begins_anew(account, network, clock):
    sync.accounts_due()
    killed_at("posts", network)
    clock.shift(2 * HOUR)
    read_all()
    assert network.taken() == ["Garage figures", "Garage posts", "Garage audience"]


def test_a_run_goes_on_as_it_was_begun(account, network, clock):
    """The part of the hour has the same name in both; a reading of all must not take it for its own."""
    known(account, full_at=NOW - timedelta(hours=2, minutes=49))
    killed_at("figures", network)
    AccountSync.objects.update(steps_done=["figures"])
    clock.shift(timedelta(minutes=6))
    read_all()
    assert network.taken() == []
    assert row(account).full_at == NOW - timedelta(hours=2, minutes=49)


def test_an_account_that_kills_every_worker_lets_the_others_go_first(workspace, account, network, clock):
    known(account, next_at=NOW - HOUR)
    known(make_account(workspace, name="Other"))
    network.will["figures"] = [Killed()]
    with pytest.raises(Killed):
        sync.read_next()
    clock.shift(cadence.LEASE)
    assert sync.read_next()
    assert network.taken() == ["Garage figures", "Other figures"]


def test_whoever_has_lost_the_account_stops_and_leaves_no_trace(account, network, clock):
    sync.accounts_due()

    def another() -> None:
        clock.shift(cadence.LEASE + timedelta(seconds=1))
        AccountSync.objects.update(claimed_until=NOW + HOUR)

    network.will["posts"] = [another]
    assert sync.read_next()
    assert network.taken() == ["Garage figures", "Garage posts"]
    assert (row(account).claimed_until, row(account).steps_done) == (NOW + HOUR, ["figures"])


# Trouble


def test_one_that_breaks_stops_nobody_and_comes_again_with_its_next_turn(workspace, network, clock, caplog):
    for number in range(3):
        make_account(workspace, name=f"Page-{number}")
    network.will["figures"] = [RuntimeError("boom")]
    sync.accounts_due()
    read_all()
    assert len([part for part in network.taken() if part.endswith("audience")]) == 2
    broken = ConnectedAccount.objects.get(last_synced_at=None)
    assert "Something unexpected went wrong" in broken.sync_error
    assert row(broken).next_at == NOW.replace(hour=19, minute=0) + cadence.offset_of(broken.pk)
    assert "boom" in caplog.text


def test_people_are_told_of_one_that_breaks_every_hour(account, network, clock):
    network.will["figures"] = [RuntimeError("boom")] * sync.MOST_FAILURES
    for _hour in range(sync.MOST_FAILURES):
        sync.accounts_due()
        read_all()
        clock.move_to(row(account).next_at)
    assert Notification.objects.get().kind == Notification.Kind.INSIGHTS


def test_a_part_without_its_permission_leaves_the_others(account, network):
    network.will["posts"] = [PermissionMissingError("The permission is missing.")]
    network.will["audience"] = [(TemporaryError("A part of it did not answer."),)]
    sync.sync(account.pk)
    account.refresh_from_db()
    assert account.sync_error == "The permission is missing. A part of it did not answer."
    assert row(account).failures == 1
    assert row(account).full_at == NOW


def test_trouble_that_all_parts_share_ends_the_run(account, network):
    network.will["figures"] = [TemporaryError("It does not answer.")]
    sync.sync(account.pk)
    assert network.taken() == ["Garage figures"]
    assert (row(account).full_at, row(account).finished_at, row(account).claimed_until) == (None, NOW, None)


def test_a_limit_puts_the_next_turn_to_its_end(account, network):
    until = NOW + timedelta(minutes=20)
    network.will["figures"] = [LimitedError("Too many calls.", until=until)]
    sync.accounts_due()
    read_all()
    assert until <= row(account).next_at < until + timedelta(minutes=1)


# Giving way


def test_a_reading_gives_way_to_a_publication_of_the_account(workspace, account, network, clock):
    turn = NOW.replace(minute=0) + cadence.offset_of(account.pk)
    clock.move_to(turn)
    known(account)
    entry = make_entry(make_post(workspace, account).publications.get())
    read_all()
    assert network.taken() == []
    assert row(account).next_at == turn + cadence.ASIDE
    Publication.objects.update(status="scheduled")
    clock.move_to(row(account).next_at)
    QueueEntry.objects.filter(pk=entry.pk).update(not_before=timezone.now() + HOUR)
    read_all()
    assert network.taken() == ["Garage figures"]


def test_it_does_not_give_way_for_ever(workspace, account, network, clock):
    turn = NOW.replace(minute=0) + cadence.offset_of(account.pk)
    known(account, next_at=turn)
    make_entry(make_post(workspace, account).publications.get())
    clock.move_to(turn + cadence.PATIENCE + timedelta(seconds=1))
    read_all()
    assert network.taken() == ["Garage figures"]


@pytest.mark.parametrize("fields", [{"held": True}, {"not_before": NOW + HOUR}])
def test_what_waits_in_the_queue_holds_back_nothing(workspace, account, network, clock, fields):
    clock.move_to(NOW.replace(minute=0) + cadence.offset_of(account.pk))
    known(account)
    make_entry(make_post(workspace, account).publications.get(), **{**fields})
    if "not_before" in fields:
        QueueEntry.objects.update(not_before=timezone.now() + HOUR)
    read_all()
    assert network.taken() == ["Garage figures"]


def test_who_asks_does_not_wait_for_publications(workspace, account, network):
    make_entry(make_post(workspace, account).publications.get())
    assert sync.sync(account.pk, full=True) is True


def test_near_the_end_of_its_window_only_people_are_answered(account, network):
    known(account)
    limits.count_reads(account, 150)
    read_all()
    assert network.taken() == []
    assert row(account).next_at >= NOW + HOUR
    cadence.ask(account.pk)
    read_all()
    assert len(network.taken()) == 3


def test_who_asks_at_the_end_of_a_limit_is_told_until_when_and_read_then(account, network, clock):
    usage.note(Usage(accounts=(AccountUsage(account.platform_account_id, "pages", 96, regain_seconds=1800),)))
    cadence.ask(account.pk)
    read_all()
    account.refresh_from_db()
    assert "nearly used up" in account.sync_error
    assert not cadence.is_asked(row(account))
    assert row(account).next_at == NOW + timedelta(minutes=30)
    clock.move_to(NOW + timedelta(minutes=31))
    read_all()
    assert network.taken()[0] == "Garage figures"


# Calls


def test_calls_are_counted_in_the_run_the_day_and_the_window(account, network, clock):
    network.calls = 2
    sync.sync(account.pk, full=True)
    assert (row(account).calls, row(account).calls_today, row(account).calls_on) == (6, 6, NOW.date())
    clock.shift(HOUR)
    sync.sync(account.pk)
    assert (row(account).calls, row(account).calls_today) == (2, 8)
    assert sum(Windows.objects.filter(account=account, endpoint="read").values_list("calls_made", flat=True)) == 8
    clock.shift(timedelta(days=1))
    sync.sync(account.pk)
    assert row(account).calls_today == 6


def test_calls_that_came_to_nothing_were_made_all_the_same(account, network):
    network.will["figures"] = [TemporaryError("It does not answer.")]
    sync.sync(account.pk)
    assert (row(account).calls, row(account).calls_today) == (1, 1)
    assert Windows.objects.get(endpoint="read").calls_made == 1


def test_a_reading_of_the_hour_costs_few_statements(
    account, network, django_assert_max_num_queries: Callable[..., Any]
):
    known(account)
    with django_assert_max_num_queries(13):
        sync.read_next()
    assert network.taken() == ["Garage figures"]


# Threads


class Work:
    """Something that many threads take from, and a gate at which they wait."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.at_once = self.most = 0
        self.lock = threading.Lock()
        self.gate = threading.Event()

    def take(self) -> bool:
        with self.lock:
            if not self.left:
                return False
            self.left -= 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.gate.wait(5)
        with self.lock:
            self.at_once -= 1
        return True


def wait_until(condition: Callable[[], bool]) -> None:
    end = threading.Event()
    for _ in range(500):
        if condition():
            return
        end.wait(0.01)
    raise AssertionError("it did not come about")


def test_messages_wake_a_few_threads_and_never_more():
    work = Work(40)
    readers = Crew(3, work.take)
    for _ in range(50):
        readers.wake(1000)
    wait_until(lambda: work.at_once == 3)
    work.gate.set()
    wait_until(lambda: work.left == 0 and readers._awake == 0)
    assert work.most == 3


def test_what_comes_while_the_last_one_looks_is_not_left_lying():
    work = Work(0)
    work.gate.set()
    readers = Crew(1, work.take)
    for _ in range(200):
        work.left = 1
        readers.wake(1)
        wait_until(lambda: work.left == 0)
    wait_until(lambda: readers._awake == 0)


def test_a_worker_that_shuts_down_takes_no_more():
    work = Work(40)
    readers = Crew(2, work.take)
    readers.wake(2)
    wait_until(lambda: work.at_once == 2)
    readers.stop()
    work.gate.set()
    wait_until(lambda: readers._awake == 0)
    assert work.left == 38
