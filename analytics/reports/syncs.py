"""How the reading of accounts stands: when it was read last, when it is next, what that cost, and how far one is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.clients import client_of
from accounts.models import ConnectedAccount
from analytics import cadence
from analytics.ingest.accounts import parts_of
from analytics.models import AccountSync
from publishing import limits
from publishing.models import LimitOverride, RateLimitWindow
from socialhub.platforms.rules import READ

LOST_AFTER = timedelta(minutes=2)  # nobody has begun by then: the background service does not run


@dataclass(frozen=True, slots=True)
class SyncState:
    """One account. row None: nothing of it was ever planned."""

    account: ConnectedAccount
    row: AccountSync | None = None
    used: int = 0  # calls in the window, as far as they still count
    limit: int | None = None  # None: the network has no window of this account alone
    window_seconds: int = 0

    @property
    def is_running(self) -> bool:
        now = timezone.now()
        return bool(self.row and self.row.claimed_until and self.row.claimed_until > now)

    @property
    def is_waiting(self) -> bool:
        """Somebody has asked for it, and it has not begun or was cut short."""
        return bool(self.row and not self.is_running and self.account.is_connected and cadence.is_asked(self.row))

    @property
    def moves(self) -> bool:
        return self.is_running or self.is_waiting

    @property
    def waits_in_vain(self) -> bool:
        if not self.is_waiting or self.row is None or self.row.asked_at is None:
            return False
        return timezone.now() - max(self.row.asked_at, self.row.started_at or self.row.asked_at) > LOST_AFTER

    @property
    def done(self) -> int:
        return len(self.row.steps_done) if self.row else 0

    @property
    def total(self) -> int:
        return self.row.steps_total if self.row else 0

    @property
    def position(self) -> int:
        """Of the part that is being read, from 1."""
        return min(self.done + 1, self.total)

    @property
    def word(self) -> str:
        """What is being read. Asks for the parts of the account, so it is for one that is at work."""
        if self.row is None or not self.row.step:
            return ""
        self.account.sync = self.row
        parts = parts_of(self.account, client_of(self.account), full=True)
        return next((str(part.word) for part in parts if part.key == self.row.step), "")

    @property
    def last_at(self) -> datetime | None:
        return self.account.last_synced_at

    @property
    def next_at(self) -> datetime | None:
        """None: at once, or never while it cannot be read."""
        return self.row.next_at if self.row and self.account.is_connected else None

    @property
    def calls(self) -> int:
        """Of the newest run."""
        return self.row.calls if self.row else 0

    @property
    def calls_today(self) -> int:
        """On this day in UTC."""
        if self.row is None or self.row.calls_on != timezone.now().astimezone(UTC).date():
            return 0
        return self.row.calls_today

    @property
    def used_words(self) -> str:
        spans = {
            3600: _("%(used)d of %(limit)d calls of this hour are used."),
            86_400: _("%(used)d of %(limit)d calls of today are used."),
        }
        if self.limit is None or self.window_seconds not in spans:
            return ""
        return spans[self.window_seconds] % {"used": self.used, "limit": self.limit}


def states_of(accounts: Iterable[ConnectedAccount]) -> dict[UUID, SyncState]:
    """By account. One query for all of them."""
    known = {account.pk: account for account in accounts}
    rows = rows_of(AccountSync.objects.filter(account__in=known))
    return {key: state_of(account, rows.get(key)) for key, account in known.items()}


def rows_of(syncs: QuerySet[AccountSync]) -> dict[UUID, Any]:
    """With the calls in the window of each, and the limit that staff has set for it. One query."""
    now = timezone.now()
    used = RateLimitWindow.objects.filter(account=OuterRef("account"), endpoint=READ, resets_at__gt=now)
    changed = LimitOverride.objects.filter(account=OuterRef("account"), endpoint=READ)
    sums = used.order_by().values("account").annotate(sum=Sum("calls_made")).values("sum")
    told = syncs.annotate(
        used=Subquery(sums, output_field=IntegerField()), changed=Subquery(changed.values("call_limit")[:1])
    )
    return {row.pk: row for row in told}


def state_of(account: ConnectedAccount, row: Any) -> SyncState:
    """row: one of `rows_of`, None where there is none."""
    window, limit = limits.read_window(account.platform, row.changed if row else None)
    return SyncState(account, row, (row.used or 0) if row else 0, limit, window.seconds if window else 0)
