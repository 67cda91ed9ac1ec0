"""What the limits will do to what is scheduled: the queue played through on paper, window by window.

The books of `limits` are taken as they stand, and every waiting publication in the order in which it is due, with the calls
that its plan needs. Where there is no room it waits on paper as it would in the queue, and those behind it with it.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Prefetch
from django.utils import timezone

from accounts.clients import client_of
from accounts.models import ConnectedAccount
from publishing import ledger, limits
from publishing.checks import content_of
from publishing.models import PostMedia, Publication, QueueEntry, Status
from socialhub.platforms.errors import PlatformError
from socialhub.platforms.rules import Window

HORIZON = timedelta(days=31)
MOST = 1000  # entries that are played through
MOST_AT_ONCE = 200  # and while somebody waits for it
AGAIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Wait:
    """A publication that would go out later than it is due, and the window that keeps it."""

    account_id: UUID
    publication_id: UUID | None  # None: one that is being written
    due: datetime
    until: datetime
    window: Window
    limit: int


@dataclass(frozen=True, slots=True)
class Planned:
    """One publication and the calls it will need. publication_id None: one that is being written."""

    account: ConnectedAccount
    due: datetime
    calls: Mapping[str, int]
    publication_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What one more publication would meet on its account. others: of those that are scheduled, wait only because of it."""

    until: datetime | None = None
    others: int = 0


def forecast(accounts: Sequence[ConnectedAccount], extra: Iterable[Planned] = ()) -> dict[UUID, list[Wait]]:
    """What would wait, by account, in the order in which it is due. Costs the same few statements for many accounts."""
    known = {account.pk: account for account in accounts}
    return play([*waiting(known), *extra], ledger.books_for(accounts))


def effects(
    planned: Sequence[Planned],
    *,
    without: Collection[UUID] = (),
    books: Mapping[UUID, ledger.Ledger] | None = None,
) -> dict[UUID, Effect]:
    """What each of these, one for an account, would meet and cause.

    without: publications that they take the place of. books: of their accounts, if they are open already; they are
    written into. The next few hundred in the queue have to do: it is asked while
    somebody types.
    """
    accounts = {one.account.pk: one.account for one in planned}
    if not accounts:
        return {}
    queue = [one for one in waiting(accounts, most=MOST_AT_ONCE) if one.publication_id not in without]
    books = books or ledger.books_for(list(accounts.values()))
    anyway = {key: {wait.publication_id for wait in found} for key, found in play(queue, deepcopy(books)).items()}
    found = {}
    for key, waits in play([*queue, *planned], books).items():
        until = next((wait.until for wait in waits if wait.publication_id is None), None)
        others = {wait.publication_id for wait in waits} - anyway.get(key, set()) - {None}
        found[key] = Effect(until, len(others))
    return found


def play(planned: Iterable[Planned], books: Mapping[UUID, ledger.Ledger]) -> dict[UUID, list[Wait]]:
    """What waits when these go out one by one. Writes into the books."""
    waits: dict[UUID, list[Wait]] = defaultdict(list)
    number = itertools.count()
    queue = [(one.due, next(number), one) for one in planned]
    heapq.heapify(queue)
    end = timezone.now() + HORIZON
    first: dict[int, Wait] = {}  # why an entry waits first, by its number
    while queue:
        at, turn, one = heapq.heappop(queue)
        if at > end:
            continue
        held = full_at(books[one.account.pk], one, at)
        if held is None:
            book(books[one.account.pk], one, at)
            if turn in first:
                cause = first[turn]
                waits[one.account.pk].append(
                    Wait(one.account.pk, one.publication_id, one.due, at, cause.window, cause.limit)
                )
            continue
        until, window, limit = held
        if until is None:
            continue  # it can never go out: that is said elsewhere
        first.setdefault(turn, Wait(one.account.pk, one.publication_id, one.due, until, window, limit))
        heapq.heappush(queue, (max(until, at + AGAIN), turn, one))
    return {key: sorted(found, key=lambda wait: wait.due) for key, found in waits.items()}


def waiting(accounts: Mapping[UUID, ConnectedAccount], *, most: int = MOST) -> list[Planned]:
    """Everything that is scheduled on these accounts, and needs calls."""
    now = timezone.now()
    entries = (
        QueueEntry.objects.filter(account__in=accounts.keys(), publication__status=Status.SCHEDULED)
        .select_related("publication__post")
        .prefetch_related(Prefetch("publication__post__post_media", queryset=PostMedia.objects.select_related("media")))
        .order_by("not_before")[:most]
    )
    planned = []
    for entry in entries:
        publication = entry.publication
        publication.account = accounts[entry.account_id]
        calls = calls_of(publication, list(publication.post.post_media.all()))
        if calls:
            planned.append(Planned(publication.account, max(entry.not_before, now), calls, publication.pk))
    return planned


def calls_of(publication: Publication, media: Sequence[PostMedia]) -> Mapping[str, int]:
    """The calls that are still to be reserved for it, by group."""
    calls: Counter[str] = Counter()
    try:
        plan = client_of(publication.account).plan(content_of(publication, media))
    except PlatformError:
        return calls  # it will be refused, whatever the limits are
    for step in plan:
        calls.update(step.calls)
    return calls


def full_at(books: ledger.Ledger, one: Planned, at: datetime) -> tuple[datetime | None, Window, int] | None:
    """The window that has no room at that time, and when it will; None where all have."""
    if books.blocked_until and books.blocked_until > at and books.windows:
        return books.blocked_until, books.windows[0], 0
    for window in books.windows:
        number = one.calls.get(window.group, 0)
        limit = books.limits[window]
        slices = [entry for entry in books.slices[window] if entry.resets_at > at]
        surplus = sum(entry.calls for entry in slices) + number - limit
        if not number or surplus <= 0:
            continue
        if number > limit:
            return None, window, limit
        for entry in sorted(slices, key=lambda entry: entry.resets_at):
            surplus -= entry.calls
            if surplus <= 0:
                return entry.resets_at, window, limit
    return None


def book(books: ledger.Ledger, one: Planned, at: datetime) -> None:
    for window in books.windows:
        if number := one.calls.get(window.group, 0):
            books.slices[window].append(limits.Used(number, limits.slice_of(window, at)[1]))
