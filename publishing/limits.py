"""Calls are reserved in the rate-limit windows before they are made, so that two workers cannot overrun a limit.

A rolling window is kept in sixty slices. A slice counts until the last moment at which one of its calls could still
count, so the books are never more generous than the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import ConnectedAccount, Notification
from publishing.models import QueueEntry, RateLimitWindow
from socialhub.platforms.rules import WINDOWS, Window

SLICES = 60
BLOCK = "*"  # the endpoint of a row that says: stay away until resets_at


@dataclass(frozen=True, slots=True)
class WindowState:
    """What one window of one account has left. `resets_at` is None while nothing of it is used."""

    endpoint: str
    limit: int
    made: int
    window_seconds: int
    resets_at: datetime | None

    @property
    def remaining(self) -> int:
        return max(self.limit - self.made, 0)


@dataclass(frozen=True, slots=True)
class Full:
    """There is no room. `until`: when there will be, or None if the limit is smaller than what is asked for."""

    endpoint: str
    limit: int
    window_seconds: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Used:
    """One slice as it stands in the books."""

    calls: int
    resets_at: datetime


def windows_of(platform: str) -> list[Window]:
    """The windows of a platform, with the limits that the settings change."""
    changed = settings.RATE_LIMITS.get(platform, {})
    return [replace(window, limit=changed.get(window.group, window.limit)) for window in WINDOWS.get(platform, ())]


def slice_of(window: Window, now: datetime) -> tuple[datetime, datetime]:
    """Where the calls of this moment are counted: the start of the slice, and when it stops counting.

    A rolling window is over for a slice when its last moment is. One that is counted anew (LinkedIn's day) is one
    slice: a day of UTC, an hour of the clock.
    """
    width = max(window.seconds // SLICES, 1) if window.is_rolling else window.seconds
    start = datetime.fromtimestamp(int(now.timestamp()) // width * width, tz=UTC)
    return start, start + timedelta(seconds=width + (window.seconds if window.is_rolling else 0))


def reserve(account_id: UUID, platform: str, calls: Mapping[str, int]) -> Full | None:
    """Count the calls in all windows they belong to, or in none. Returns what is full, None when there was room.

    calls: number of calls by group, as the steps of a plan give them.
    """
    now = timezone.now()
    with transaction.atomic(savepoint=False):
        _lock(account_id)
        used, blocked_until = _books(account_id, now)
        if blocked_until:
            return Full(BLOCK, 0, 0, blocked_until)
        asked = [(window, calls[window.group]) for window in windows_of(platform) if calls.get(window.group)]
        for window, number in asked:
            slices = used.get((window.group, window.seconds), [])
            if sum(entry.calls for entry in slices) + number > window.limit:
                return Full(window.group, window.limit, window.seconds, _room_at(slices, window, number))
        _count(account_id, asked, now)
    return None


def block(account: ConnectedAccount, until: datetime) -> None:
    """The network said to stay away until then."""
    RateLimitWindow.objects.create(
        account=account,
        endpoint=BLOCK,
        window_seconds=0,
        window_start=timezone.now(),
        call_limit=0,
        resets_at=until,
    )


def remaining(account: ConnectedAccount) -> list[WindowState]:
    """All windows of the account, as they stand now."""
    used, blocked_until = _books(account.pk, timezone.now())
    states = []
    for window in windows_of(account.platform):
        slices = used.get((window.group, window.seconds), [])
        made = window.limit if blocked_until else sum(entry.calls for entry in slices)
        resets_at = blocked_until or min((entry.resets_at for entry in slices), default=None)
        states.append(WindowState(window.group, window.limit, made, window.seconds, resets_at))
    return states


def room_at(account: ConnectedAccount, calls: Mapping[str, int]) -> datetime | None:
    """When all of these calls will have room; None: now, or never at once, as a limit is smaller than they are."""
    used, blocked_until = _books(account.pk, timezone.now())
    moments = [blocked_until]
    for window in windows_of(account.platform):
        slices = used.get((window.group, window.seconds), [])
        if number := calls.get(window.group):
            moments.append(_room_at(slices, window, number))
    return max((moment for moment in moments if moment), default=None)


def tidy_windows() -> int:
    """Drop slices that count no more; returns how many."""
    return RateLimitWindow.objects.filter(resets_at__lt=timezone.now()).delete()[0]


def settle_waits() -> int:
    """What was told about an account that waits for a limit is over when nothing of it waits any more."""
    waiting = QueueEntry.objects.filter(account=OuterRef("account"), not_before__gt=timezone.now()).exclude(
        wait_reason=""
    )
    told = Notification.objects.filter(kind=Notification.Kind.QUOTA, resolved_at=None)
    return told.filter(~Exists(waiting)).update(resolved_at=timezone.now())


def _lock(account_id: UUID) -> None:
    """One reservation per account at a time; the lock goes with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"limits:{account_id}"])


def _books(account_id: UUID, now: datetime) -> tuple[dict[tuple[str, int], list[Used]], datetime | None]:
    rows = RateLimitWindow.objects.filter(account_id=account_id, resets_at__gt=now).order_by("resets_at")
    used: dict[tuple[str, int], list[Used]] = {}
    blocked_until = None
    for endpoint, seconds, calls, resets_at in rows.values_list(
        "endpoint", "window_seconds", "calls_made", "resets_at"
    ):
        if endpoint == BLOCK:
            blocked_until = max(blocked_until or resets_at, resets_at)
        else:
            used.setdefault((endpoint, seconds), []).append(Used(calls, resets_at))
    return used, blocked_until


def _room_at(slices: list[Used], window: Window, number: int) -> datetime | None:
    """When enough of the oldest slices have run out for `number` more calls."""
    if number > window.limit:
        return None
    surplus = sum(entry.calls for entry in slices) + number - window.limit
    if surplus <= 0:
        return None
    for entry in slices:
        surplus -= entry.calls
        if surplus <= 0:
            return entry.resets_at
    return None


def _count(account_id: UUID, asked: Iterable[tuple[Window, int]], now: datetime) -> None:
    with connection.cursor() as cursor:
        for window, number in asked:
            start, end = slice_of(window, now)
            cursor.execute(
                """
                INSERT INTO publishing_ratelimitwindow
                    (account_id, endpoint, window_seconds, window_start, calls_made, call_limit, resets_at)
                VALUES (%s, %s, %s, %s, %s, %s, %s)
                ON CONFLICT (account_id, endpoint, window_seconds, window_start)
                DO UPDATE SET calls_made = publishing_ratelimitwindow.calls_made + excluded.calls_made,
                              call_limit = excluded.call_limit
                """,
                [
                    account_id,
                    window.group,
                    window.seconds,
                    start,
                    number,
                    window.limit,
                    end,
                ],
            )
