"""Who has which queue entry in hand: claims, leases, and taking back what a dead worker held.

The table is the queue. A claim is one statement; a message from the broker only makes somebody look. Statements that write
the same reason into rows of many workspaces keep it in English; where it is shown it is translated (`said` in templates).
"""

from __future__ import annotations

import itertools
import logging
import os
import secrets
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts import operators, pauses
from accounts.models import ConnectedAccount
from publishing.models import Attempt, Publication, QueueEntry, Status
from publishing.statements import update
from publishing.states import move, move_along

logger = logging.getLogger(__name__)

MOST_LOSSES = 10  # a publication that takes so many workers with it is not tried again
counter = itertools.count(1)
# Machines may share a name, and in containers the number of the process is the same on each: a claim must be nobody else's.
LAUNCH = secrets.token_hex(4)

READY = "a.status = 'connected' AND a.paused_at IS NULL"
IDLE = """NOT EXISTS (SELECT 1 FROM publishing_queueentry busy
                      WHERE busy.account_id = a.id AND busy.lease_until IS NOT NULL)"""
FREE = "q.lease_until IS NULL AND NOT q.held AND q.not_before <= %(now)s"

# The oldest due entries of each priority, then the first of each account among them. Accounts are looked up row by row
# (a scalar subquery and a limit cannot be turned into a join): fast whatever the statistics say, also before there are any.
OLDEST = f"""
    SELECT DISTINCT ON (due.account_id) due.publication_id, due.priority, due.not_before
    FROM ((SELECT q.* FROM publishing_queueentry q WHERE {FREE} AND q.priority = 10
           ORDER BY q.not_before LIMIT %(window)s)
          UNION ALL
          (SELECT q.* FROM publishing_queueentry q WHERE {FREE} AND q.priority = 0
           ORDER BY q.not_before LIMIT %(window)s)) due
    CROSS JOIN LATERAL (SELECT 1 FROM accounts_connectedaccount a WHERE a.id = due.account_id AND {READY} LIMIT 1) ready
    WHERE (SELECT count(*) FROM publishing_queueentry busy
           WHERE busy.account_id = due.account_id AND busy.lease_until IS NOT NULL) = 0
    ORDER BY due.account_id, due.priority DESC, due.not_before
"""  # noqa: S608  constants

# The first of every account: for when one account's backlog fills the window above and the others would starve.
EVERY_ACCOUNT = f"""
    SELECT due.publication_id, due.priority, due.not_before
    FROM accounts_connectedaccount a
    CROSS JOIN LATERAL (
        SELECT first.* FROM (VALUES (10), (0)) p(priority)
        CROSS JOIN LATERAL (
            SELECT q.publication_id, q.priority, q.not_before FROM publishing_queueentry q
            WHERE q.account_id = a.id AND q.priority = p.priority AND {FREE}
            ORDER BY q.not_before LIMIT 1) first
        ORDER BY first.priority DESC LIMIT 1) due
    WHERE {READY} AND {IDLE}
"""  # noqa: S608

# Arrays instead of joins: whatever the statistics say, these look up a hundred rows by their key. What makes a row free is
# asked once more where it is locked: it may have got another time since the candidates were found.
TAKE = f"""
    WITH chosen AS (
        SELECT q.publication_id FROM publishing_queueentry q
        WHERE q.publication_id = ANY (ARRAY(
            SELECT c.publication_id FROM ({{candidates}}) c ORDER BY c.priority DESC, c.not_before LIMIT %(limit)s))
          AND {FREE}
        FOR UPDATE OF q SKIP LOCKED)
    UPDATE publishing_queueentry q SET lease_until = %(lease)s, worker = %(worker)s
    WHERE q.publication_id = ANY (ARRAY(SELECT chosen.publication_id FROM chosen))
    RETURNING q.publication_id
"""  # noqa: S608


LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('publishing.claim', 0));"


@dataclass(slots=True)
class Claim:
    """A publication in the hands of this worker, and the attempt that was opened for it."""

    entry: QueueEntry
    publication: Publication
    attempt: Attempt


class LeaseLost(Exception):
    """Somebody else has the entry now; whoever held it must stop at once, without a trace."""


def lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.PUBLISH_LEASE_SECONDS)


def worker_name() -> str:
    """Of one turn of this worker; never the same twice, on whatever machine."""
    return f"{socket.gethostname()[:50]}:{os.getpid()}:{LAUNCH}:{next(counter)}"


def claim_due(limit: int) -> list[Claim]:
    """Take up to `limit` due entries, at most one per account, urgent and oldest first.

    Publications that begin are moved to publishing, and re-read after that: what an editor saved before is in, what they
    try afterwards loses the race. Claims are made one at a time over all workers, so that two never pick two entries of
    one account; each takes about a millisecond.
    """
    worker = worker_name()
    with transaction.atomic():
        taken = _take(limit, worker)
        if not taken:
            return []
        move_along(
            taken,
            [Status.SCHEDULED, Status.QUEUED, Status.PUBLISHING],
            reasons=[gettext_noop("It is due."), gettext_noop("A worker has begun.")],
        )
        entries = QueueEntry.objects.filter(pk__in=taken).select_related(
            "publication__post", "publication__account__credential__grant", "publication__account__workspace"
        )
        claims = [Claim(entry, entry.publication, _attempt(entry, worker)) for entry in entries]
        Attempt.objects.bulk_create(claim.attempt for claim in claims)
    return claims


def _take(limit: int, worker: str) -> list[UUID]:
    now, window = timezone.now(), max(2 * limit, 100)
    values: dict[str, Any] = {"now": now, "lease": lease_end(), "worker": worker, "limit": limit, "window": window}
    with connection.cursor() as cursor:
        # Both travel together; the second sees what the last holder of the lock has written.
        cursor.execute(LOCK + TAKE.format(candidates=OLDEST), values)
        cursor.nextset()
        taken = [row[0] for row in cursor.fetchall()]
        if len(taken) < limit and _more_due_than(window, now):
            cursor.execute(TAKE.format(candidates=EVERY_ACCOUNT), {**values, "limit": limit - len(taken)})
            taken += [row[0] for row in cursor.fetchall()]
    return taken


def _more_due_than(number: int, now: datetime) -> bool:
    due = QueueEntry.objects.filter(lease_until__isnull=True, held=False, not_before__lte=now)
    return any(due.filter(priority=priority)[number - 1 : number].exists() for priority in QueueEntry.Priority)


def _attempt(entry: QueueEntry, worker: str) -> Attempt:
    checking = entry.publication.status == Status.CHECKING
    return Attempt(
        publication_id=entry.publication_id,
        number=(entry.looks if checking else entry.attempts) + 1,
        purpose=Attempt.Purpose.CHECK if checking else Attempt.Purpose.PUBLISH,
        worker=worker,
        started_at=timezone.now(),
        steps=[],
    )


def next_due() -> datetime | None:
    """When the next entry becomes due; None if nothing waits for its time."""
    free = QueueEntry.objects.filter(lease_until__isnull=True, held=False)
    found = [
        free.filter(priority=priority).aggregate(first=Min("not_before"))["first"] for priority in QueueEntry.Priority
    ]
    return min((when for when in found if when), default=None)


MINE = "publication_id = %s AND worker = %s AND lease_until > %s"


def _mine(claim: Claim) -> list[Any]:
    """The values of `MINE`: whoever has lost the lease finds no row."""
    return [claim.entry.pk, claim.attempt.worker, timezone.now()]


def renew(claim: Claim, **fields: object) -> None:
    """Keep the entry for another lease, with the given fields changed. Raises LeaseLost."""
    end = lease_end()
    if not update(QueueEntry, {"lease_until": end, **fields}, MINE, _mine(claim)):
        raise LeaseLost
    claim.entry.lease_until = end


def release(claim: Claim, **fields: object) -> None:
    """Give the entry back to the queue with the given fields changed. Raises LeaseLost."""
    if not update(QueueEntry, {"lease_until": None, "worker": "", **fields}, MINE, _mine(claim)):
        raise LeaseLost


def finish(claim: Claim) -> None:
    """The publication is settled: its entry goes. Raises LeaseLost."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM publishing_queueentry WHERE {MINE}", _mine(claim))  # noqa: S608  a constant
        if not cursor.rowcount:
            raise LeaseLost


class KeptOpen:
    """A file that is read for an upload: as long as it moves, the lease is renewed, however long one call takes."""

    def __init__(self, file: BinaryIO, claim: Claim) -> None:
        self._file = file
        self._claim = claim

    def read(self, size: int = -1) -> bytes:
        """Raises LeaseLost: whoever has taken over sends it again."""
        end = self._claim.entry.lease_until
        if end is None or end - timezone.now() < timedelta(seconds=settings.PUBLISH_LEASE_SECONDS * 0.7):
            renew(self._claim)
        return self._file.read(size)

    def __len__(self) -> int:
        """Without it the length would not be told beforehand, and networks take no body of unknown length."""
        here = self._file.tell()
        end = self._file.seek(0, os.SEEK_END)
        self._file.seek(here)
        return end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> KeptOpen:
        return self

    def __exit__(self, *args: object) -> None:
        self._file.close()


# Sweeping


def sweep() -> int:
    """Take back expired leases, hold what cannot go out, let go what can again. Returns how many rows changed."""
    pauses.lift_ended()
    return take_back_expired() + hold_for_accounts() + release_held()


def take_back_expired() -> int:
    """Entries whose worker died: not begun → again; prepared → resumed; committing → find out what happened."""
    swept = 0
    while True:
        with transaction.atomic():
            entry = (
                QueueEntry.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("publication")
                .filter(lease_until__lt=timezone.now())
                .first()
            )
            if entry is None:
                return swept
            _take_back(entry)
        swept += 1


def _take_back(entry: QueueEntry) -> None:
    publication = entry.publication
    now = timezone.now()
    Attempt.objects.filter(publication=publication, worker=entry.worker, finished_at=None).update(
        finished_at=now, outcome="lost", message=gettext_noop("The worker stopped in the middle of it.")
    )
    entry.losses += 1
    entry.lease_until = None
    entry.worker = ""
    if publication.status == Status.PUBLISHING and publication.committing_at:
        entry.looks = 0
        move(publication, Status.CHECKING, reason=gettext_noop("The worker stopped while the network was publishing."))
    entry.save(update_fields=["losses", "lease_until", "worker", "looks"])


def hold_for_accounts() -> int:
    """Entries of accounts that cannot publish now wait outside the queue, with the reason for the page."""
    waiting = QueueEntry.objects.filter(held=False, lease_until__isnull=True)
    held = 0
    for blocked, reason in (
        (~Q(status=ConnectedAccount.Status.CONNECTED), gettext_noop("Waits until the account is connected again.")),
        (Q(paused_at__isnull=False), gettext_noop("Publishing to this account is paused.")),
        (Q(workspace__paused_at__isnull=False), gettext_noop("Publishing is paused for the whole workspace.")),
    ):
        accounts = ConnectedAccount.objects.filter(blocked)
        held += _change(waiting.filter(account__in=accounts), held=True, wait_reason=reason)
    for login_kind, reason in operators.stopped().items():
        held += _change(waiting.filter(account__login_kind=login_kind), held=True, wait_reason=reason)
    return held


def release_held() -> int:
    """Accounts that are well again: their entries go back into the queue, and out by their late policy."""
    going = ConnectedAccount.objects.usable().filter(paused_at__isnull=True, workspace__paused_at__isnull=True)
    well = going.exclude(login_kind__in=operators.stopped())
    waiting = QueueEntry.objects.filter(held=True, awaits_decision=False, account__in=well)
    return _change(waiting, held=False, wait_reason="")


def _change(entries: QuerySet[QueueEntry], **fields: object) -> int:
    """Update entries, leaving those to a later sweep that somebody has locked."""
    with transaction.atomic():
        found = list(entries.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
        return QueueEntry.objects.filter(pk__in=found).update(**fields)
