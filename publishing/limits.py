"""Calls are reserved in the rate-limit windows before they are made, so that two workers cannot overrun a limit.

A rolling window is kept in sixty slices. A slice counts until the last moment at which one of its calls could still
count, so the books are never more generous than the network.

Most windows are those of one account. What several accounts share (all channels behind one key of Buffer) is written for
their client. What a network says of a window corrects the books: its limit is taken over, and calls that we did not count
are added. Calls that we did count are never taken off for it, as some of them may be on their way.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import usage
from accounts.models import ConnectedAccount, Credential, Notification
from publishing.models import QueueEntry, RateLimitWindow
from socialhub.platforms.base import Quota
from socialhub.platforms.buffer_limits import BufferUsage
from socialhub.platforms.errors import PutOffError
from socialhub.platforms.rules import APP_LIMITED, CLIENT_WINDOWS, READ_WINDOWS, WINDOWS, Window

logger = logging.getLogger(__name__)

SLICES = 60
BLOCK = "*"  # the endpoint of a row that says: stay away until resets_at
TOLD = datetime(1970, 1, 1, tzinfo=UTC)  # the window_start of the one row that holds what the network said of a window
TOLD_KEPT = timedelta(days=40)  # longer than any window: a limit holds until another one is told
OUT_OF_ORDER = timedelta(minutes=1)  # answers to calls made at once come in any order; the tightest of them counts
QUOTA_AGE = timedelta(hours=1)  # how long the quota of an account is believed,
QUOTA_AGE_NEAR_END = timedelta(minutes=5)  # and how long with less than this part of it left
NEAR_END = 0.2
SPREAD = 3  # when so many accounts meet a limit within the time below, it is that of the app
SPREAD_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class WindowState:
    """What one window of one account has left. `resets_at` is None while nothing of it is used.

    shared_by: how many accounts use it up together, None if more than we may tell; sharing says so in words, "" for a
    window that is the account's own. told_at: when the network spoke of it last.
    """

    endpoint: str
    limit: int
    made: int
    window_seconds: int
    resets_at: datetime | None
    shared_by: int | None = 1
    sharing: str = ""
    told_at: datetime | None = None

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
    scope: str = "account"


class QuotaUnread(Exception):
    """Nothing was reserved: first the network should be asked for the account's quota."""


class Used(NamedTuple):
    """One slice as it stands in the books."""

    calls: int
    resets_at: datetime


class Word(NamedTuple):
    """What the network said last of a window. surplus: the calls of it that we had not counted, while that holds."""

    limit: int
    at: datetime
    surplus: int


class Said(NamedTuple):
    """One window as the network has just described it. limit None: it did not say."""

    window: Window
    limit: int | None
    remaining: int
    resets_in: timedelta


@dataclass(slots=True)
class Books:
    """What is written of an account and of those it shares with; slices come earliest end first."""

    slices: dict[tuple[str, int], list[Used]] = field(default_factory=dict)
    told: dict[tuple[str, int], Word] = field(default_factory=dict)
    overrides: dict[tuple[str, int], int] = field(default_factory=dict)
    blocked_until: datetime | None = None

    def take(
        self,
        endpoint: str,
        seconds: int,
        calls: int,
        limit: int,
        resets_at: datetime,
        told_at: datetime | None,
        now: datetime,
    ) -> None:
        """One row of the table."""
        if endpoint == BLOCK:
            self.blocked_until = max(self.blocked_until or resets_at, resets_at)
            return
        if resets_at > now:
            self.slices.setdefault((endpoint, seconds), []).append(Used(calls, resets_at))
        if told_at:
            self.told[endpoint, seconds] = Word(limit, told_at, calls if resets_at > now else 0)

    def of(self, window: Window) -> list[Used]:
        return self.slices.get((window.group, window.seconds), [])

    def made(self, window: Window) -> int:
        return sum(entry.calls for entry in self.of(window))

    def limit(self, window: Window, key: str) -> int:
        """What staff set for the account, else the settings (key: of the network or login), never more than the network.

        Nobody has set anything: what the network says, and before it has, our default.
        """
        told = self.told.get((window.group, window.seconds))
        ours = self.overrides.get((window.group, window.seconds), _as_set(window, key))
        if ours is None:
            return told.limit if told else window.limit
        return min(ours, told.limit) if told else ours

    def room_at(self, window: Window, number: int, limit: int) -> datetime | None:
        """When enough of the oldest slices have run out for `number` more calls; None: now, or never."""
        surplus = self.made(window) + number - limit
        if number > limit or surplus <= 0:
            return None
        for entry in self.of(window):
            surplus -= entry.calls
            if surplus <= 0:
                return entry.resets_at
        return None


# The login that the windows of clients belong to, which is their name in the settings.
LOGIN_OF = {window: login for login, windows in CLIENT_WINDOWS.items() for window in windows}


def _as_set(window: Window, key: str) -> int | None:
    changed = settings.RATE_LIMITS.get(LOGIN_OF.get(window, key), {})
    limit: int | None = changed.get(f"{window.group}/{window.seconds}", changed.get(window.group))
    return limit


def slice_of(window: Window, now: datetime) -> tuple[datetime, datetime]:
    """Where the calls of this moment are counted: the start of the slice, and when it stops counting.

    A rolling window is over for a slice when its last moment is. One that is counted anew (LinkedIn's day) is one
    slice: a day of UTC, an hour of the clock.
    """
    width = max(window.seconds // SLICES, 1) if window.is_rolling else window.seconds
    start = datetime.fromtimestamp(int(now.timestamp()) // width * width, tz=UTC)
    return start, start + timedelta(seconds=width + (window.seconds if window.is_rolling else 0))


def subject_of(account_id: UUID) -> str:
    """Under which name the account's own calls are written."""
    return f"account:{account_id}"


def client_subject(account: ConnectedAccount) -> str:
    """Under which name those calls are written that count for several accounts together; "" if there are none.

    Costs no query with `select_related("credential__grant")`, and none for networks without such windows.
    """
    if not any(window.scope == "client" for window in WINDOWS.get(account.platform, ())):
        return ""
    try:
        grant = account.credential.grant
    except Credential.DoesNotExist:
        return ""
    return usage.subject_of(grant) if grant else ""


def reserve(
    account_id: UUID, platform: str, calls: Mapping[str, int], *, client: str = "", quota: str = ""
) -> Full | None:
    """Count the calls in all windows they belong to, or in none. Returns what is full, None when there was room.

    calls: number of calls by group, as the steps of a plan give them. client: see `client_subject`. quota: the group whose
    limit the network tells for each account; raises QuotaUnread where it is unknown, old or nearly used up.
    """
    now = timezone.now()
    with transaction.atomic(savepoint=False):
        _lock(subject_of(account_id), client)
        books = _books(account_id, platform, client, now)
        if books.blocked_until:
            return Full(BLOCK, 0, 0, books.blocked_until)
        asked = [
            (window, calls[window.group], books.limit(window, platform))
            for window in windows_for(platform, client)
            if calls.get(window.group)
        ]
        is_unread = any(window.group == quota and _is_unread(books, window, limit, now) for window, _n, limit in asked)
        full = next((_full(books, *ask) for ask in asked if books.made(ask[0]) + ask[1] > ask[2]), None)
        if not full and not is_unread:
            _count({"account": (subject_of(account_id), account_id), "client": (client, None)}, asked, now)
    if is_unread:  # outside, so that the transaction around it is not lost for that
        raise QuotaUnread
    return full


def _full(books: Books, window: Window, number: int, limit: int) -> Full:
    until = books.room_at(window, number, limit)
    return Full(window.group, limit, window.seconds, until, window.scope)


def windows_for(platform: str, client: str) -> list[Window]:
    """Without a client nobody knows whose the shared windows are."""
    return [window for window in WINDOWS.get(platform, ()) if client or window.scope != "client"]


def _is_unread(books: Books, window: Window, limit: int, now: datetime) -> bool:
    word = books.told.get((window.group, window.seconds))
    if word is None:
        return True
    is_near_end = limit - books.made(window) <= limit * NEAR_END
    return now - word.at > (QUOTA_AGE_NEAR_END if is_near_end else QUOTA_AGE)


def reserve_read(client: str, login: str, number: int = 1) -> datetime | None:
    """Count calls that only read. Returns when there will be room for them, None when there was.

    They leave a part of each shared window to publishing.
    """
    now = timezone.now()
    with transaction.atomic(savepoint=False):
        _lock(client)
        books = _books(None, "", client, now)
        if books.blocked_until:
            return books.blocked_until
        asked = [(window, number, books.limit(window, login)) for window in CLIENT_WINDOWS[login]]
        waits = []
        for window, _number, limit in asked:
            readable = int(limit * (1 - window.kept))
            if books.made(window) + number > readable:
                waits.append(books.room_at(window, number, readable) or now + timedelta(seconds=window.seconds))
        if waits:
            return max(waits)
        _count({"client": (client, None)}, asked, now)
    return None


def reading_waits_until(account: ConnectedAccount, *, asked_for: bool = False) -> datetime | None:
    """Until when the figures of an account must not be read; None when they may.

    asked_for: a person waits for it, who may use what jobs leave of the account's window. What a client's window keeps for
    publishing is left by both.
    """
    client, now = client_subject(account), timezone.now()
    books = _books(account.pk, account.platform, client, now)
    moments = [books.blocked_until]
    shared = [window for window in windows_for(account.platform, client) if window.scope == "client"]
    for window in (*READ_WINDOWS.get(account.platform, ()), *shared):
        limit = books.limit(window, account.platform)
        kept = 0 if asked_for and window not in shared else window.kept
        readable = int(limit * (1 - kept))
        if books.made(window) >= readable:
            moments.append(books.room_at(window, 1, readable) or now + timedelta(seconds=window.seconds))
    return max((moment for moment in moments if moment), default=None)


def read_window(platform: str, override: int | None = None) -> tuple[Window | None, int | None]:
    """The window of an account's readings and its limit; nothing where the network counts them for a client."""
    for window in READ_WINDOWS.get(platform, ()):
        ours = override if override is not None else _as_set(window, platform)
        return window, window.limit if ours is None else ours
    return None, None


def count_reads(account: ConnectedAccount, number: int) -> None:
    """Write down calls that have read this account. How many it takes is known only afterwards.

    Those of a network that counts them for a client stand in its books already.
    """
    if number:
        window, limit = read_window(account.platform)
        asked = [(window, number, limit)] if window and limit is not None else []
        _count({"account": (subject_of(account.pk), account.pk)}, asked, timezone.now())


def before_read(mark: str) -> None:
    """Called by the client of a network before each call that only reads. Raises PutOffError when it has to wait."""
    client = usage.client_behind(mark)
    if client is None:
        return  # somebody is just connecting
    if until := reserve_read(client.subject, client.login):
        raise PutOffError(
            _("Reading waits until %(when)s, so that what is left of %(network)s's limit of calls is there for posts.")
            % {"when": date_format(timezone.localtime(until), "DATETIME_FORMAT"), "network": client.login.title()},
            until=until,
        )


def heard(told: BufferUsage) -> None:
    """What an answer said of the windows of a client. Called in the middle of calls, so it never raises."""
    client = usage.client_behind(told.client)
    if client is None:
        return
    windows = {window.seconds: window for window in CLIENT_WINDOWS[client.login]}
    said = [
        Said(windows[seen.seconds], seen.limit, seen.remaining, timedelta(seconds=seen.resets_in_seconds))
        for seen in told.windows
        if seen.seconds in windows
    ]
    try:
        if said:
            correct(client.subject, client.login, said)
        if told.blocked_until:
            _block(client.subject, None, told.blocked_until)
    except (DatabaseError, InterfaceError):
        logger.warning("what %s said of its limits could not be written down", client.login)


def read_quota(account: ConnectedAccount, group: str, quota: Quota) -> None:
    """What the network says of the account's own quota goes into its books."""
    said = [
        # It does not say when its oldest call runs out; until the quota is read again, this word counts.
        Said(window, quota.limit, max(quota.limit - quota.used, 0), QUOTA_AGE)
        for window in WINDOWS.get(account.platform, ())
        if window.group == group
    ]
    correct(subject_of(account.pk), account.platform, said, account_id=account.pk)


def correct(subject: str, key: str, said: Sequence[Said], *, account_id: UUID | None = None) -> None:
    """Write down what the network says has been used, so that no more is left in the books than it says.

    What it counted and we did not is added until it says that the window ends: a guess would be wrong for longer, while
    after that moment its next answer tells anew. Where we have counted more, ours stays: a call that is on its way has
    not been seen there yet, and what was reserved and not used goes with its slice.
    """
    now = timezone.now()
    with transaction.atomic(savepoint=False):
        _lock(subject)
        books = _read([subject], None, now)
        rows = []
        for window, told_limit, remaining, resets_in in said:
            before = books.told.get((window.group, window.seconds))
            limit = told_limit or (before.limit if before else window.limit)
            counted_by_us = books.made(window) - (before.surplus if before else 0)
            surplus = max(limit - remaining - counted_by_us, 0)
            if before and now - before.at < OUT_OF_ORDER:
                surplus = max(surplus, before.surplus)
            until = now + max(resets_in, timedelta(seconds=1))
            rows.append((subject, account_id, window.group, window.seconds, TOLD, surplus, limit, until, now))
        _write(
            rows,
            """calls_made = excluded.calls_made, call_limit = excluded.call_limit, resets_at = excluded.resets_at,
               told_at = excluded.told_at""",
        )


def block(account: ConnectedAccount, until: datetime) -> None:
    """The network said to stay away until then.

    Where it does not say whether the account's limit was met or the app's, several accounts at once mean the app.
    """
    _block(subject_of(account.pk), account.pk, until)
    if account.platform not in APP_LIMITED:
        return
    alike = RateLimitWindow.objects.filter(
        endpoint=BLOCK, account__platform=account.platform, window_start__gt=timezone.now() - SPREAD_WITHIN
    )
    if alike.values("account").distinct().count() >= SPREAD:
        _block(f"app:{account.platform}", None, until)


def _block(subject: str, account_id: UUID | None, until: datetime) -> None:
    minute = timezone.now().replace(second=0, microsecond=0)
    row = (subject, account_id, BLOCK, 0, minute, 0, 0, until, None)
    _write([row], "resets_at = GREATEST(publishing_ratelimitwindow.resets_at, excluded.resets_at)")


def remaining(account: ConnectedAccount) -> list[WindowState]:
    """All windows of the account, as they stand now, those that it shares too."""
    client = client_subject(account)
    books = _books(account.pk, account.platform, client, timezone.now())
    number, sharing = _sharing(account, client)
    states = []
    for window in windows_for(account.platform, client):
        limit = books.limit(window, account.platform)
        word = books.told.get((window.group, window.seconds))
        state = WindowState(
            window.group,
            limit,
            limit if books.blocked_until else books.made(window),
            window.seconds,
            books.blocked_until or min((entry.resets_at for entry in books.of(window) if entry.calls), default=None),
            number if window.scope == "client" else 1,
            sharing if window.scope == "client" else "",
            word.at if word else None,
        )
        states.append(state)
    return states


def _sharing(account: ConnectedAccount, client: str) -> tuple[int | None, str]:
    """With how many others the account shares its client's windows, and that in words."""
    if not client:
        return 1, ""
    if client.startswith("app:"):
        return app_sharing()
    grant = account.credential.grant_id
    return channels_sharing(ConnectedAccount.objects.listed().filter(credential__grant=grant).count())


def app_sharing() -> tuple[None, str]:
    return None, _("shared by all who use this app")


def channels_sharing(number: int) -> tuple[int, str]:
    words = ngettext(
        "used by %(count)d channel of this connection", "shared by %(count)d channels of this connection", number
    )
    return number, words % {"count": number}


def room_at(account: ConnectedAccount, calls: Mapping[str, int]) -> datetime | None:
    """When all of these calls will have room; None: now, or never at once, as a limit is smaller than they are."""
    client = client_subject(account)
    books = _books(account.pk, account.platform, client, timezone.now())
    moments = [books.blocked_until]
    for window in windows_for(account.platform, client):
        if number := calls.get(window.group):
            moments.append(books.room_at(window, number, books.limit(window, account.platform)))
    return max((moment for moment in moments if moment), default=None)


def tidy_windows() -> int:
    """Drop slices that count no more, and what a network said too long ago; returns how many."""
    now = timezone.now()
    over = Q(resets_at__lt=now, told_at=None) | Q(resets_at__lt=now, told_at__lt=now - TOLD_KEPT)
    return RateLimitWindow.objects.filter(over).delete()[0]


def settle_waits() -> int:
    """What was told about an account that waits for a limit is over when nothing of it waits any more."""
    waiting = QueueEntry.objects.filter(account=OuterRef("account"), not_before__gt=timezone.now()).exclude(
        wait_reason=""
    )
    told = Notification.objects.filter(kind=Notification.Kind.QUOTA, resolved_at=None)
    return told.filter(~Exists(waiting)).update(resolved_at=timezone.now())


def _lock(*subjects: str) -> None:
    """One reservation per subject at a time, always in the same order; the locks go with the transaction."""
    names = sorted(f"limits:{subject}" for subject in subjects if subject)
    locks = ", ".join(["pg_advisory_xact_lock(hashtextextended(%s, 0))"] * len(names))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {locks}", names)


def _books(account_id: UUID | None, platform: str, client: str, now: datetime) -> Books:
    subjects = [client] if client else []
    if account_id:
        subjects.append(subject_of(account_id))
    if platform in APP_LIMITED:
        subjects.append(f"app:{platform}")
    return _read(subjects, account_id, now)


def _read(subjects: Sequence[str], account_id: UUID | None, now: datetime) -> Books:
    """One statement, whatever has to be known."""
    books = Books()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT endpoint, window_seconds, calls_made, call_limit, resets_at, told_at
              FROM publishing_ratelimitwindow
             WHERE subject = ANY (%s) AND (resets_at > %s OR told_at IS NOT NULL)
             UNION ALL
            SELECT endpoint, window_seconds, 0, call_limit, NULL, NULL FROM publishing_limitoverride WHERE account_id = %s
             ORDER BY resets_at
            """,
            [list(subjects), now, account_id],
        )
        rows = cursor.fetchall()
    for endpoint, seconds, calls, limit, resets_at, told_at in rows:
        if resets_at is None:
            books.overrides[endpoint, seconds] = limit
        else:
            books.take(endpoint, seconds, calls, limit, resets_at, told_at, now)
    return books


def _count(
    whose: Mapping[str, tuple[str, UUID | None]], asked: Iterable[tuple[Window, int, int]], now: datetime
) -> None:
    """whose: subject and account by the scope of a window."""
    rows = []
    for window, number, limit in asked:
        start, end = slice_of(window, now)
        rows.append((*whose[window.scope], window.group, window.seconds, start, number, limit, end, None))
    _write(
        rows,
        """calls_made = publishing_ratelimitwindow.calls_made + excluded.calls_made,
           call_limit = excluded.call_limit""",
    )


def _write(rows: Sequence[tuple[Any, ...]], on_conflict: str) -> None:
    """All rows in one statement."""
    if not rows:
        return
    values = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s, %s)"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO publishing_ratelimitwindow
                (subject, account_id, endpoint, window_seconds, window_start, calls_made, call_limit, resets_at, told_at)
            VALUES {values}
            ON CONFLICT (subject, endpoint, window_seconds, window_start) DO UPDATE SET {on_conflict}
            """,  # noqa: S608  placeholders and our own words
            [value for row in rows for value in row],
        )
