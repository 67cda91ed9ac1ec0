"""Whose turn it is to be read, and in whose hands an account is.

The table `AccountSync` is the queue, as with publications: a message from the broker only makes somebody look, so losing
or doubling one changes nothing. Every account has its own minute of the hour, so that a thousand of them do not ask at
once; each clock hour has one reading, and those of full hours are never done twice.

A worker holds an account under a lease that it renews with every part that it has read. What a dead worker held is taken
by another when the lease is over, who goes on with the parts that are missing.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, DateTimeField, F, Q, QuerySet, Value, When
from django.utils import timezone

from accounts import usage
from accounts.models import ConnectedAccount
from analytics.models import AccountSync
from publishing import limits
from publishing.models import QueueEntry
from socialhub.platforms import PLATFORMS

logger = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
# The turns of all accounts lie in the first 55 minutes, so that the readings of an hour are done within it.
SPREAD_SECONDS = 55 * 60
LEASE = timedelta(minutes=5)  # longer than any part takes
SLACK = timedelta(minutes=10)  # no job is punctual to the second
RESUMED_WITHIN = HOUR  # an older run is not gone on with: its figures would be of two times
# A reading gives way to publications of its account, for so long at a time, and after its turn for so long at most.
ASIDE = timedelta(minutes=2)
PATIENCE = timedelta(minutes=20)
DUE_SOON = timedelta(seconds=30)


class LeaseLost(Exception):
    """Another worker has the account now; whoever had it stops without a trace."""


@dataclass(slots=True)
class Claim:
    """An account in the hands of this worker. row: as it stood when it was taken."""

    row: AccountSync
    until: datetime

    @property
    def account_id(self) -> UUID:
        pk: UUID = self.row.pk
        return pk

    @property
    def is_unfinished(self) -> bool:
        """A worker has died with it in its hands, not long ago."""
        began, ended = self.row.started_at, self.row.finished_at
        if began is None or (ended is not None and ended >= began):
            return False
        return timezone.now() - began < RESUMED_WITHIN

    @property
    def is_asked(self) -> bool:
        """Somebody waits for it."""
        return is_asked(self.row)

    @property
    def goes_on(self) -> bool:
        """The run that was cut short is gone on with; one that was asked for later begins anew."""
        asked, began = self.row.asked_at, self.row.started_at
        return self.is_unfinished and not (asked and began and asked > began)


def is_asked(row: AccountSync) -> bool:
    """Somebody has asked for everything of the account, and no run since has come to its end."""
    if row.asked_at is None:
        return False
    began, ended = row.started_at, row.finished_at
    return began is None or began < row.asked_at or ended is None or ended < began


# --- Turns ----------------------------------------------------------------------------------------------------


def hour_start(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def offset_of(account_id: UUID) -> timedelta:
    """The account's own minute of the hour. It never changes, so that an hour lies between its readings."""
    return timedelta(seconds=account_id.int % SPREAD_SECONDS)


def next_turn(account: ConnectedAccount, now: datetime) -> datetime:
    """In the next hour of the clock; later where the network renews its figures more seldom."""
    soonest = now + timedelta(seconds=PLATFORMS[account.platform].figures_every_seconds) - SLACK
    turn = hour_start(now) + HOUR + offset_of(account.pk)
    while turn < soonest:
        turn += HOUR
    return turn


def is_known(account: ConnectedAccount, now: datetime) -> bool:
    """Its figures of this hour were read, or where they are renewed more seldom, those that there are."""
    if account.last_synced_at is None:
        return False
    every = timedelta(seconds=PLATFORMS[account.platform].figures_every_seconds)
    return account.last_synced_at >= min(hour_start(now), now - every + SLACK)


def wants_all(account: ConnectedAccount, row: AccountSync, now: datetime) -> bool:
    """Days, posts and audience too: they cost more and change less, so that they are read with some of the turns only."""
    every = timedelta(seconds=PLATFORMS[account.platform].full_every_seconds)
    return row.full_at is None or row.full_at <= now - every + SLACK


def waits_until(account: ConnectedAccount, *, asked: bool, now: datetime) -> datetime | None:
    """Until when nothing is read of this account; None: it may be read.

    What is left of the network's limits is for people who publish or look, and at its end for posts alone. asked: a
    person waits for it.
    """
    moments = [
        usage.held_until(account, asked_for=asked),
        limits.reading_waits_until(account, asked_for=asked),
        None if asked else _publishes_until(account, now),
    ]
    return max((moment for moment in moments if moment), default=None)


def _publishes_until(account: ConnectedAccount, now: datetime) -> datetime | None:
    """Something of it goes out now or in a moment. A reading that has waited for long does not wait for that."""
    turn = hour_start(now) + offset_of(account.pk)
    late = now - (turn if turn <= now else turn - HOUR)
    if late > PATIENCE:
        return None
    goes_out = QueueEntry.objects.filter(account=account, held=False).filter(
        Q(lease_until__isnull=False) | Q(not_before__lte=now + DUE_SOON)
    )
    return now + ASIDE if goes_out.exists() else None


def due(now: datetime) -> QuerySet[AccountSync]:
    """Rows of accounts whose turn has come and whom nobody reads."""
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    has_turn = Q(next_at=None) | Q(next_at__lte=now)
    connected = ConnectedAccount.Status.CONNECTED
    return AccountSync.objects.filter(free, has_turn, account__status=connected, account__workspace__deleting_at=None)


def enlist() -> None:
    """Accounts that were just connected get a row, due at once; those that were connected again have their turn now."""
    new = ConnectedAccount.objects.usable().filter(sync=None).values_list("pk", flat=True)
    AccountSync.objects.bulk_create([AccountSync(account_id=pk) for pk in new], ignore_conflicts=True)
    again = AccountSync.objects.filter(next_at__gt=timezone.now(), account__connected_at__gt=F("started_at"))
    again.filter(claimed_until=None).update(next_at=None)


def ask(account_id: UUID) -> None:
    """Somebody wants everything of this account read now. Who asks again meanwhile waits for the same reading."""
    row, _made = AccountSync.objects.get_or_create(account_id=account_id)
    if not is_asked(row):
        AccountSync.objects.filter(pk=row.pk).update(asked_at=timezone.now(), next_at=None)


def ask_all(account_ids: Collection[UUID]) -> None:
    """As `ask`, in two statements."""
    new = [AccountSync(account_id=pk) for pk in account_ids]
    AccountSync.objects.bulk_create(new, ignore_conflicts=True)
    waits = Q(asked_at__isnull=False) & (
        Q(started_at=None) | Q(started_at__lt=F("asked_at")) | Q(finished_at=None) | Q(finished_at__lt=F("started_at"))
    )
    AccountSync.objects.filter(account__in=account_ids).exclude(waits).update(asked_at=timezone.now(), next_at=None)


# --- Claims ---------------------------------------------------------------------------------------------------

# Whoever is due for longest comes first; who was just connected or asked for has no time at all. With the claim the turn
# moves to its end: an account that takes its worker with it every time lets the others go first.
TAKE_NEXT = """
    UPDATE analytics_accountsync SET claimed_until = %(until)s, next_at = %(until)s
     WHERE account_id = (
        SELECT s.account_id FROM analytics_accountsync s JOIN accounts_connectedaccount a ON a.id = s.account_id
          JOIN accounts_workspace w ON w.id = a.workspace_id
         WHERE a.status = 'connected' AND w.deleting_at IS NULL
           AND (s.next_at IS NULL OR s.next_at <= %(now)s)
           AND (s.claimed_until IS NULL OR s.claimed_until <= %(now)s)
         ORDER BY s.next_at NULLS FIRST, s.account_id LIMIT 1
           FOR UPDATE OF s SKIP LOCKED)
    RETURNING account_id
"""


def claim_next() -> Claim | None:
    """The account that is due for longest, for this worker alone."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(TAKE_NEXT, {"now": now, "until": now + LEASE})
        taken = cursor.fetchone()
    return Claim(AccountSync.objects.get(pk=taken[0]), now + LEASE) if taken else None


def claim(account: ConnectedAccount) -> Claim | None:
    """This account; None while another worker has it."""
    now = timezone.now()
    row, _made = AccountSync.objects.get_or_create(account=account)
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    taken = AccountSync.objects.filter(free, pk=row.pk).update(claimed_until=now + LEASE)
    return Claim(row, now + LEASE) if taken else None


def begin(claim: Claim, keys: Collection[str]) -> list[str]:
    """A run begins, or goes on where it was cut short. keys: of its parts. Returns those that are missing, in order."""
    now = timezone.now()
    done = [key for key in claim.row.steps_done if key in keys] if claim.goes_on else []
    missing = [key for key in keys if key not in done]
    fields: dict[str, Any] = {
        "steps_done": done,
        "steps_total": len(keys),
        "step": missing[0] if missing else "",
    }
    if not claim.goes_on:
        fields |= {"started_at": now, "calls": 0}
    _write(claim, **fields)
    return missing


def part_done(claim: Claim, key: str, then: str, calls: int) -> None:
    """Raises LeaseLost when it took too long. then: the part that comes now, "" after the last."""
    claim.row.steps_done = [*claim.row.steps_done, key]
    until = timezone.now() + LEASE
    _write(claim, steps_done=claim.row.steps_done, step=then, claimed_until=until, **_spent(calls))
    claim.until = until


def part_failed(claim: Claim, calls: int) -> None:
    """Calls that came to nothing were made all the same."""
    if calls:
        _write(claim, **_spent(calls))


def finish(claim: Claim, turn: datetime, **fields: Any) -> None:
    """The run is over, with whatever came of it, and the account is free for its next turn."""
    _release(claim, turn, answered=claim.row.started_at, finished_at=timezone.now(), **fields)


def put_back(claim: Claim, turn: datetime, *, answered: bool = False) -> None:
    """Nothing was read. answered: who has asked for it was told so."""
    now = timezone.now()
    if answered:
        _release(claim, turn, answered=now, started_at=now, finished_at=now, steps_done=[], steps_total=0)
    else:
        _release(claim, turn, answered=claim.row.asked_at)


def _release(claim: Claim, turn: datetime, *, answered: datetime | None, **fields: Any) -> None:
    """answered: whoever asked later than that is still waiting, and has the next turn."""
    asked_since = Q(asked_at__gt=answered) if answered else Q(asked_at__isnull=False)
    moment = DateTimeField()
    next_at = Case(When(asked_since, then=Value(None, output_field=moment)), default=Value(turn, output_field=moment))
    AccountSync.objects.filter(pk=claim.account_id, claimed_until=claim.until).update(
        claimed_until=None, step="", next_at=next_at, **fields
    )


def count_calls(account_id: UUID, calls: int) -> None:
    """Calls outside of a run: those for posts that were due by themselves."""
    if calls:
        AccountSync.objects.filter(pk=account_id).update(**_today(calls))


def _write(claim: Claim, **fields: Any) -> None:
    if not AccountSync.objects.filter(pk=claim.account_id, claimed_until=claim.until).update(**fields):
        raise LeaseLost(claim.account_id)
    for name, value in fields.items():
        if name in ("steps_done", "started_at"):
            setattr(claim.row, name, value)


def _spent(calls: int) -> dict[str, Any]:
    return {"calls": F("calls") + calls, **_today(calls)} if calls else {}


def _today(calls: int) -> dict[str, Any]:
    today: date = timezone.now().astimezone(UTC).date()
    added = Case(When(calls_on=today, then=F("calls_today") + calls), default=Value(calls))
    return {"calls_today": added, "calls_on": today}
