from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts import renew
from accounts.models import ConnectedAccount, Credential, Grant, Notification, User, Workspace
from accounts.renew import DEAD_AFTER, Outcome, Renewal, State, renew_now, usable_token
from accounts.tokens import access_for, with_access
from socialhub.platforms.base import Access, Tokens
from socialhub.platforms.buffer_errors import ChannelDisconnectedError
from socialhub.platforms.errors import (
    OurBugError,
    OutcomeUnknownError,
    PlatformError,
    ReconnectError,
    TemporaryError,
)
from tests.factories import make_account

pytestmark = pytest.mark.django_db


class Network:
    """Gives new tokens, or what it is told to give, and remembers what it was asked with."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: list[Any] = []
        self.seconds = 0.0

    def __call__(self, refresh_token: str) -> Tokens:
        self.asked.append(refresh_token)
        time.sleep(self.seconds)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        number = len(self.asked)
        return answer or Tokens(f"access-{number}", timezone.now() + timedelta(hours=1), f"refresh-{number}")


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    made = Network()
    monkeypatch.setitem(renew.RENEWALS, "once", Renewal(made, timedelta(minutes=10), single_use=True))
    monkeypatch.setitem(renew.RENEWALS, "often", Renewal(made, timedelta(minutes=10)))
    return made


@pytest.fixture
def make_grant(workspace: Workspace, owner: User) -> Any:
    def make(provider: str = "once", **fields: Any) -> Grant:
        fields = {
            "access_token": "access-0",
            "refresh_token": "refresh-0",
            "expires_at": timezone.now() - timedelta(seconds=1),
            **fields,
        }
        grant = Grant.objects.create(workspace=workspace, user=owner, provider=provider, platform_user_id="1", **fields)
        return Grant.objects.get(pk=grant.pk)

    return make


def in_minutes(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def test_a_token_with_time_left_is_used_as_it_is(network: Network, make_grant: Any) -> None:
    assert usable_token(make_grant(expires_at=in_minutes(30))) == "access-0"
    assert not network.asked


def test_one_that_ends_soon_is_renewed_and_stored(network: Network, make_grant: Any) -> None:
    grant = make_grant(expires_at=in_minutes(5))
    assert usable_token(grant) == "access-1"
    stored = Grant.objects.get()
    assert stored.access_token.reveal() == "access-1"
    assert stored.refresh_token.reveal() == "refresh-1"
    assert stored.renewing_since is None
    assert stored.refresh_spent_at is None
    assert usable_token(stored) == "access-1"
    assert network.asked == ["refresh-0"]


def test_a_used_refresh_token_is_not_kept_when_none_comes_back(network: Network, make_grant: Any) -> None:
    network.answers = [Tokens("access-1", in_minutes(60)), Tokens("access-1", in_minutes(60))]
    assert usable_token(make_grant(expires_at=in_minutes(5))) == "access-1"
    assert Grant.objects.get().refresh_token is None
    Grant.objects.all().delete()
    assert usable_token(make_grant("often", expires_at=in_minutes(5))) == "access-1"
    assert Grant.objects.get().refresh_token.reveal() == "refresh-0"


def test_an_account_without_a_token_of_its_own_acts_with_the_grant(
    network: Network, make_grant: Any, workspace: Workspace
) -> None:
    account = make_account(workspace, token=None)
    Credential.objects.create(account=account, grant=make_grant(), access_token=None)
    assert access_for(account).token == "access-1"


def test_without_a_refresh_token_it_runs_out(network: Network, make_grant: Any) -> None:
    assert usable_token(make_grant(refresh_token=None, expires_at=in_minutes(5))) == "access-0"
    Grant.objects.all().delete()
    with pytest.raises(ReconnectError):
        usable_token(make_grant(refresh_token=None))


def test_a_refresh_token_that_has_run_out_is_not_sent(network: Network, make_grant: Any) -> None:
    with pytest.raises(ReconnectError):
        usable_token(make_grant(refresh_expires_at=in_minutes(-1)))
    assert not network.asked


def test_a_lost_answer_is_never_repeated(network: Network, make_grant: Any) -> None:
    network.answers = [OutcomeUnknownError("No answer.")]
    grant = make_grant(expires_at=in_minutes(5))
    assert usable_token(grant) == "access-0", "it serves to its end"
    for _ in range(3):
        assert usable_token(Grant.objects.get()) == "access-0"
    with time_machine.travel(in_minutes(6)), pytest.raises(ReconnectError):
        usable_token(Grant.objects.get())
    assert network.asked == ["refresh-0"]


def test_a_worker_that_died_over_it_counts_as_a_lost_answer(network: Network, make_grant: Any) -> None:
    grant = make_grant(expires_at=in_minutes(1))
    assert renew.take_turn(grant, renew.RENEWALS["once"])
    with time_machine.travel(timezone.now() + DEAD_AFTER + timedelta(seconds=1)), pytest.raises(ReconnectError):
        usable_token(Grant.objects.get())
    assert not network.asked


def test_a_token_that_may_be_sent_again_is(network: Network, make_grant: Any) -> None:
    network.answers = [OutcomeUnknownError("No answer."), TemporaryError("Busy.")]
    grant = make_grant("often", expires_at=in_minutes(5))
    assert usable_token(grant) == "access-0"
    assert usable_token(Grant.objects.get()) == "access-0"
    assert usable_token(Grant.objects.get()) == "access-3"


def test_a_network_that_was_not_reached_costs_nothing(network: Network, make_grant: Any) -> None:
    network.answers = [TemporaryError("Not reached.")]
    grant = make_grant()
    with pytest.raises(TemporaryError):
        usable_token(grant)
    assert usable_token(Grant.objects.get()) == "access-2"
    assert network.asked == ["refresh-0", "refresh-0"]


def test_a_refused_refresh_asks_to_connect_again(network: Network, make_grant: Any) -> None:
    network.answers = [ReconnectError("invalid_grant", revoked=True)]
    with pytest.raises(ReconnectError):
        usable_token(make_grant())
    assert Grant.objects.get().renewing_since is None


@pytest.mark.parametrize("provider", ["once", "often"])
def test_after_a_refused_refresh_the_access_serves_to_its_end(network: Network, make_grant: Any, provider: str) -> None:
    network.answers = [ReconnectError("invalid_grant")]
    assert usable_token(make_grant(provider, expires_at=in_minutes(5))) == "access-0"
    assert usable_token(Grant.objects.get()) == "access-0"
    assert network.asked == ["refresh-0"], "no is no"
    with time_machine.travel(in_minutes(6)), pytest.raises(ReconnectError):
        usable_token(Grant.objects.get())


@pytest.mark.parametrize("provider", ["once", "often"])
def test_a_fault_of_ours_disconnects_nobody(network: Network, make_grant: Any, provider: str) -> None:
    network.answers = [OurBugError("invalid_client"), OurBugError("invalid_client")]
    grant = make_grant(provider, expires_at=in_minutes(5))
    assert usable_token(grant) == "access-0"
    assert usable_token(Grant.objects.get()) == "access-0"
    assert usable_token(Grant.objects.get()) == "access-3"


def test_who_consents_again_meanwhile_is_not_overwritten(network: Network, make_grant: Any) -> None:
    grant = make_grant(expires_at=in_minutes(5))
    assert renew.take_turn(grant, renew.RENEWALS["once"])
    Grant.objects.update(access_token="consented-again", expires_at=in_minutes(60), renewing_since=None)
    renew.store(grant, Tokens("access-of-before", in_minutes(60), "refresh-of-before"))
    assert grant.access_token.reveal() == "consented-again"
    assert usable_token(Grant.objects.get()) == "consented-again"


# At once, because somebody asks


def test_on_request_it_is_renewed_however_long_it_lasts(network: Network, make_grant: Any) -> None:
    grant = make_grant(expires_at=in_minutes(50))
    before = grant.expires_at
    outcome = renew_now(grant)
    assert outcome == Outcome(State.RENEWED, Grant.objects.get().expires_at)
    assert outcome.expires_at > before
    assert grant.access_token.reveal() == "access-1"
    assert Grant.objects.get().refresh_token.reveal() == "refresh-1"


def test_on_request_it_says_when_there_is_nothing_to_renew_with(network: Network, make_grant: Any) -> None:
    for provider, fields in (
        ("meta", {}),
        ("once", {"refresh_token": None}),
        ("once", {"refresh_expires_at": in_minutes(-1)}),
        ("once", {"refresh_spent_at": in_minutes(-5)}),
    ):
        assert renew_now(make_grant(provider, expires_at=in_minutes(50), **fields)).state is State.NOTHING
        Grant.objects.all().delete()
    assert not network.asked


def test_on_request_nobody_is_overtaken(network: Network, make_grant: Any) -> None:
    grant = make_grant(expires_at=in_minutes(50))
    assert renew.take_turn(Grant.objects.get(), renew.RENEWALS["once"])
    assert renew_now(grant).state is State.BUSY
    assert not network.asked


@pytest.mark.parametrize("trouble", [TemporaryError("Busy."), OurBugError("invalid_client"), ReconnectError("No.")])
def test_on_request_a_refusal_is_told_and_takes_nothing_away(
    network: Network, make_grant: Any, trouble: Exception
) -> None:
    network.answers = [trouble]
    grant = make_grant(expires_at=in_minutes(50))
    with pytest.raises(type(trouble)):
        renew_now(grant)
    assert usable_token(Grant.objects.get()) == "access-0"


def test_a_request_whose_answer_was_lost_is_not_made_twice(network: Network, make_grant: Any) -> None:
    network.answers = [OutcomeUnknownError("No answer.")]
    grant = make_grant(expires_at=in_minutes(50))
    with pytest.raises(OutcomeUnknownError):
        renew_now(grant)
    assert renew_now(grant).state is State.NOTHING
    assert network.asked == ["refresh-0"]


def test_one_that_renews_itself_waits_for_its_age_and_takes_a_no(
    network: Network, make_grant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    itself = Renewal(network, timedelta(days=15), by_access=True, youngest=timedelta(hours=24))
    monkeypatch.setitem(renew.RENEWALS, "itself", itself)
    fields = {"refresh_token": None, "expires_at": timezone.now() + timedelta(days=10)}
    grant = make_grant("itself", issued_at=in_minutes(-60), **fields)
    assert renew_now(grant).state is State.TOO_YOUNG
    assert usable_token(grant) == "access-0"
    assert not network.asked
    Grant.objects.update(issued_at=timezone.now() - timedelta(hours=25))
    assert usable_token(Grant.objects.get()) == "access-1"
    assert network.asked == ["access-0"]
    assert renew_now(Grant.objects.get()).state is State.TOO_YOUNG, "it is a new one now"
    Grant.objects.update(issued_at=timezone.now() - timedelta(hours=25), expires_at=in_minutes(60))
    network.answers = [ReconnectError("No.")]
    for _ in range(2):
        assert usable_token(Grant.objects.get()) == "access-1"
    assert network.asked == ["access-0", "access-1"]
    Grant.objects.update(expires_at=in_minutes(-1))
    assert renew_now(Grant.objects.get()).state is State.NOTHING


# Blips


def test_who_waited_for_a_network_that_was_not_reached_disconnects_nobody(
    network: Network, make_grant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_grant()
    waiting, at_work = Grant.objects.get(), Grant.objects.get()
    assert renew.take_turn(at_work, renew.RENEWALS["once"])
    monkeypatch.setattr(renew.time, "sleep", lambda seconds: renew.end_turn(at_work))
    with pytest.raises(TemporaryError):
        usable_token(waiting)
    assert usable_token(waiting) == "access-1"


def test_a_lost_answer_that_may_be_asked_for_again_disconnects_nobody(network: Network, make_grant: Any) -> None:
    network.answers = [OutcomeUnknownError("No answer.")]
    with pytest.raises(TemporaryError):
        usable_token(make_grant("often"))
    assert usable_token(Grant.objects.get()) == "access-2"


def test_one_that_was_read_long_ago_is_read_again(network: Network, make_grant: Any) -> None:
    grant = make_grant(refresh_token=None)
    Grant.objects.update(access_token="consented-again", expires_at=in_minutes(60))
    assert usable_token(grant) == "consented-again"


def test_one_that_was_taken_off_meanwhile_says_so(network: Network, make_grant: Any) -> None:
    grant = make_grant()
    Grant.objects.all().delete()
    for use in (usable_token, renew_now):
        with pytest.raises(ReconnectError):
            use(grant)
    assert not network.asked


def test_a_key_that_is_gone_costs_no_refresh_token(network: Network, make_grant: Any, settings: Any) -> None:
    grant = make_grant(expires_at=in_minutes(5))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_grant SET refresh_token = %s", [b"sealed with a key of yesterday"])
    with pytest.raises(ReconnectError):
        renew_now(grant)
    assert bytes(Grant.objects.get().refresh_token.sealed) == b"sealed with a key of yesterday"
    assert not network.asked


# Races


def together(worker: Callable[[threading.Barrier], None], number: int) -> None:
    barrier = threading.Barrier(number)
    threads = [threading.Thread(target=worker, args=[barrier]) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("provider", ["once", "often"])
def test_of_fifty_workers_one_asks_and_all_get_the_new_token(network: Network, make_grant: Any, provider: str) -> None:
    """Each with a connection of its own, all at the same moment, and the network takes its time."""
    make_grant(provider)
    network.seconds = 0.3
    got: list[str] = []

    def worker(barrier: threading.Barrier) -> None:
        grant = Grant.objects.get()
        barrier.wait()
        got.append(usable_token(grant))
        connection.close()

    together(worker, 50)
    assert got == ["access-1"] * 50
    assert network.asked == ["refresh-0"]


# Refused before its time


@pytest.fixture
def acting(network: Network, make_grant: Any, workspace: Workspace) -> Any:
    """An account that acts with a grant which is good for another half hour, as far as we know."""

    def make(provider: str = "once", **fields: Any) -> ConnectedAccount:
        grant = make_grant(provider, expires_at=in_minutes(30), **fields)
        account = make_account(workspace, token=None)
        Credential.objects.create(account=account, grant=grant)
        return ConnectedAccount.objects.select_related("credential__grant").get(pk=account.pk)

    return make


class Calls:
    """A call that the network refuses to the tokens that it is told of."""

    def __init__(self, *refused: str, error: ReconnectError | None = None) -> None:
        self.refused, self.error = refused, error or ReconnectError("No.", code="401")
        self.tokens: list[str] = []

    def __call__(self, access: Access) -> str:
        self.tokens.append(access.token)
        if access.token in self.refused:
            raise self.error
        return f"done with {access.token}"


@pytest.mark.parametrize("provider", ["once", "often"])
def test_an_access_that_is_refused_before_its_time_is_renewed_and_the_call_made_again(
    network: Network, acting: Any, provider: str
) -> None:
    account, call = acting(provider), Calls("access-0")
    assert with_access(account, call) == "done with access-1"
    assert (call.tokens, network.asked) == (["access-0", "access-1"], ["refresh-0"])
    account.refresh_from_db()
    assert account.is_connected
    assert not Notification.objects.exists()


def test_a_no_to_the_fresh_token_is_final(network: Network, acting: Any) -> None:
    account, call = acting(), Calls("access-0", "access-1", "access-2")
    with pytest.raises(ReconnectError):
        with_access(account, call)
    assert (call.tokens, network.asked) == (["access-0", "access-1"], ["refresh-0"])
    account.refresh_from_db()
    assert account.status == "expired"
    assert Notification.objects.count() == 1
    with pytest.raises(ReconnectError):
        with_access(ConnectedAccount.objects.get(pk=account.pk), call)
    assert network.asked == ["refresh-0"], "an account that is known to be lost is not renewed with every look"


def test_whoever_renewed_it_first_has_done_it_for_all(network: Network, acting: Any) -> None:
    account = acting()
    renew_now(Grant.objects.get())
    assert with_access(account, Calls("access-0")) == "done with access-1"
    assert network.asked == ["refresh-0"]


def test_a_newer_token_of_its_own_serves_at_once(workspace: Workspace) -> None:
    made = make_account(workspace, token="old")
    account = ConnectedAccount.objects.select_related("credential").get(pk=made.pk)
    made.credential.access_token = "new"
    made.credential.save()
    assert with_access(account, Calls("old")) == "done with new"
    assert ConnectedAccount.objects.get().is_connected


@pytest.mark.parametrize(
    ("fields", "answer"),
    [({"refresh_token": None}, None), ({}, ReconnectError("invalid_grant")), ({}, OutcomeUnknownError("No answer."))],
)
def test_without_another_access_it_is_lost(network: Network, acting: Any, fields: Any, answer: Any) -> None:
    network.answers = [answer]
    account, call = acting(**fields), Calls("access-0")
    with pytest.raises(ReconnectError):
        with_access(account, call)
    account.refresh_from_db()
    assert account.status == "expired"
    assert call.tokens == ["access-0"]


@pytest.mark.parametrize(
    ("provider", "answer"),
    [
        ("once", TemporaryError("Busy.")),
        ("once", OurBugError("invalid_client")),
        ("often", OutcomeUnknownError("No answer.")),
    ],
)
def test_a_renewal_that_could_not_be_made_says_nothing_about_the_account(
    network: Network, acting: Any, provider: str, answer: PlatformError
) -> None:
    network.answers = [answer]
    account = acting(provider)
    with pytest.raises((TemporaryError, OurBugError)):
        with_access(account, Calls("access-0"))
    account.refresh_from_db()
    assert account.is_connected


def test_what_is_mended_elsewhere_is_not_renewed(network: Network, acting: Any) -> None:
    account = acting()
    with pytest.raises(ReconnectError):
        with_access(account, Calls("access-0", error=ChannelDisconnectedError("Buffer lost the channel.")))
    assert not network.asked


def test_a_disconnected_account_is_not_renewed(network: Network, acting: Any) -> None:
    account = acting()

    def call(access: Access) -> None:
        disconnect_row(account)
        raise ReconnectError("No.")

    with pytest.raises(ReconnectError):
        with_access(account, call)
    assert not network.asked
    account.refresh_from_db()
    assert account.status == "disconnected"


def disconnect_row(account: ConnectedAccount) -> None:
    Grant.objects.all().delete()
    Credential.objects.all().delete()
    ConnectedAccount.objects.filter(pk=account.pk).update(status="disconnected")


@pytest.mark.django_db(transaction=True)
def test_twenty_workers_with_a_refused_access_ask_once(network: Network, acting: Any) -> None:
    key = acting().pk
    done: list[str] = []

    def worker(barrier: threading.Barrier) -> None:
        account = ConnectedAccount.objects.select_related("credential__grant").get(pk=key)
        barrier.wait()
        done.append(with_access(account, Calls("access-0")))
        connection.close()

    together(worker, 20)
    assert done == ["done with access-1"] * 20
    assert network.asked == ["refresh-0"]
