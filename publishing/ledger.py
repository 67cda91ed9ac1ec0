"""The rate-limit books of many accounts at once, to look at and to play forward. Nothing here writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone

from accounts.models import ConnectedAccount
from publishing.limits import (
    Books,
    Used,
    WindowState,
    app_sharing,
    channels_sharing,
    client_subject,
    subject_of,
    windows_for,
)
from publishing.models import LimitOverride, RateLimitWindow
from socialhub.platforms.rules import APP_LIMITED, READ_WINDOWS, Window


@dataclass(slots=True)
class Ledger:
    """The windows of one account with what is written in them. Accounts of one client hold the same lists."""

    windows: list[Window]
    limits: dict[Window, int]
    slices: dict[Window, list[Used]]
    told: dict[Window, datetime | None]
    blocked_until: datetime | None


def books_for(accounts: Sequence[ConnectedAccount]) -> dict[UUID, Ledger]:
    """The books of many accounts in two statements. Load them with `select_related("credential__grant")`."""
    now = timezone.now()
    clients = {account.pk: client_subject(account) for account in accounts}
    apps = {account.platform for account in accounts} & set(APP_LIMITED)
    subjects = [
        *(subject_of(account.pk) for account in accounts),
        *{client for client in clients.values() if client},
        *(f"app:{platform}" for platform in apps),
    ]
    rows: dict[str, list[RateLimitWindow]] = defaultdict(list)
    for row in RateLimitWindow.objects.filter(Q(resets_at__gt=now) | Q(told_at__isnull=False), subject__in=subjects):
        rows[row.subject].append(row)
    overrides: dict[UUID, dict[tuple[str, int], int]] = defaultdict(dict)
    for override in LimitOverride.objects.filter(account__in=accounts):
        overrides[override.account_id][override.endpoint, override.window_seconds] = override.call_limit
    shared: dict[tuple[str, Window], list[Used]] = {}
    return {
        account.pk: _ledger(account, clients[account.pk], rows, overrides[account.pk], shared, now)
        for account in accounts
    }


def states_of(accounts: Iterable[ConnectedAccount], books: Mapping[UUID, Ledger]) -> dict[UUID, list[WindowState]]:
    """As `limits.remaining`, for many accounts whose books are open: one statement at most."""
    clients = {account: client_subject(account) for account in accounts}
    grants = {
        account.credential.grant_id for account, client in clients.items() if client and not client.startswith("app:")
    }
    channels = ConnectedAccount.objects.listed().filter(credential__grant__in=grants)
    numbers = dict(channels.values_list("credential__grant").annotate(Count("pk")).order_by()) if grants else {}
    states = {}
    for account, client in clients.items():
        own = books[account.pk]
        sharing: tuple[int | None, str] = (1, "")
        if client.startswith("app:"):
            sharing = app_sharing()
        elif client:
            sharing = channels_sharing(numbers[account.credential.grant_id])
        states[account.pk] = [
            WindowState(
                window.group,
                own.limits[window],
                own.limits[window] if own.blocked_until else sum(entry.calls for entry in own.slices[window]),
                window.seconds,
                own.blocked_until
                or min((entry.resets_at for entry in own.slices[window] if entry.calls), default=None),
                *(sharing if window.scope == "client" else (1, "")),
                own.told[window],
            )
            for window in own.windows
        ]
    return states


def _ledger(
    account: ConnectedAccount,
    client: str,
    rows: Mapping[str, Sequence[RateLimitWindow]],
    overrides: dict[tuple[str, int], int],
    shared: dict[tuple[str, Window], list[Used]],
    now: datetime,
) -> Ledger:
    books = Books(overrides=overrides)
    for subject in (client, subject_of(account.pk), f"app:{account.platform}"):
        for row in rows.get(subject, ()):
            books.take(
                row.endpoint, row.window_seconds, row.calls_made, row.call_limit, row.resets_at, row.told_at, now
            )
    windows = [*windows_for(account.platform, client), *READ_WINDOWS.get(account.platform, ())]
    slices = {}
    for window in windows:
        own = client if window.scope == "client" else subject_of(account.pk)
        slices[window] = shared.setdefault((own, window), list(books.of(window)))
    words = {window: books.told.get((window.group, window.seconds)) for window in windows}
    return Ledger(
        windows,
        {window: books.limit(window, account.platform) for window in windows},
        slices,
        {window: word.at if word else None for window, word in words.items()},
        books.blocked_until,
    )
