"""What each account may still do: its rate-limit windows as they stand, and what they will do to what is scheduled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET

from accounts.models import ConnectedAccount
from accounts.providers import PROVIDERS
from publishing import forecast, ledger
from publishing.forecast import Wait
from publishing.limits import client_subject
from publishing.views.moments import clock
from socialhub.http import HttpRequest
from socialhub.platforms import LABELS
from socialhub.platforms.rules import Window

SPANS = {
    60: gettext_lazy("in a minute"),
    900: gettext_lazy("in 15 minutes"),
    3600: gettext_lazy("in an hour"),
    86_400: gettext_lazy("in 24 hours"),
    2_592_000: gettext_lazy("in 30 days"),
}
GROUPS = {
    "publish": gettext_lazy("Calls that publish"),
    "client": gettext_lazy("All calls of this connection"),
    "posts": gettext_lazy("Posts"),
    "containers": gettext_lazy("Images and videos handed over"),
    "reels": gettext_lazy("Reels"),
    "read": gettext_lazy("Calls that read figures"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One window. frees_at: when the first of what is used comes free again; None while nothing is used."""

    name: str
    made: int
    limit: int
    frees_at: datetime | None
    told_at: datetime | None

    @property
    def left(self) -> int:
        return max(self.limit - self.made, 0)

    @property
    def is_near_end(self) -> bool:
        return self.left * 5 <= self.limit


@dataclass(frozen=True, slots=True)
class Card:
    """The windows of one account."""

    account: ConnectedAccount
    label: str
    lines: Sequence[Line]
    forecast: Sequence[str]


@dataclass(frozen=True, slots=True)
class SharedCard:
    """The windows of a client, that all accounts behind it share."""

    label: str
    accounts: Sequence[ConnectedAccount]
    lines: Sequence[Line]

    @property
    def names(self) -> str:
        return ", ".join(f"{LABELS[account.platform]} {account.handle}" for account in self.accounts)


@require_GET
def limits(request: HttpRequest) -> HttpResponse:
    accounts = list(
        ConnectedAccount.objects.of(request.workspace)
        .listed()
        .select_related("credential__grant")
        .defer("credential__access_token", "credential__grant__access_token", "credential__grant__refresh_token")
    )
    books = ledger.books_for(accounts)
    waits = forecast.forecast(accounts)
    zone = request.user.time_zone
    cards = [
        Card(
            account,
            str(LABELS[account.platform]),
            lines_of(books[account.pk], "account"),
            sentences(account, waits.get(account.pk, ()), zone),
        )
        for account in accounts
    ]
    cards.sort(key=lambda card: not card.forecast)  # what keeps something waiting first
    return render(
        request, "publishing/limits.html", {"cards": cards, "shared": shared_cards(accounts, books), "zone": zone}
    )


def shared_cards(accounts: Sequence[ConnectedAccount], books: Mapping[UUID, ledger.Ledger]) -> list[SharedCard]:
    by_client: dict[str, list[ConnectedAccount]] = {}
    for account in accounts:
        if client := client_subject(account):
            by_client.setdefault(client, []).append(account)
    return [
        SharedCard(PROVIDERS[sharing[0].login_kind].label, sharing, lines_of(books[sharing[0].pk], "client"))
        for sharing in by_client.values()
    ]


def lines_of(books: ledger.Ledger, scope: str) -> list[Line]:
    return [
        Line(
            name=_("%(group)s %(span)s") % {"group": group_name(window), "span": span_name(window)},
            made=sum(entry.calls for entry in books.slices[window]),
            limit=books.limits[window],
            frees_at=min((entry.resets_at for entry in books.slices[window] if entry.calls), default=None),
            told_at=books.told[window],
        )
        for window in books.windows
        if window.scope == scope
    ]


def group_name(window: Window) -> str:
    return str(GROUPS.get(window.group, window.group))


def span_name(window: Window) -> str:
    return str(SPANS.get(window.seconds, ""))


def sentences(account: ConnectedAccount, waits: Sequence[Wait], zone: str) -> list[str]:
    """A sentence for each window that keeps something waiting, the first to be reached first."""
    by_window: dict[Window, list[Wait]] = {}
    for wait in waits:
        by_window.setdefault(wait.window, []).append(wait)
    return [sentence(account, window, found, zone) for window, found in by_window.items()]


def sentence(account: ConnectedAccount, window: Window, waits: Sequence[Wait], zone: str) -> str:
    words = {
        "account": account.handle,
        "limit": f"{waits[0].limit:,}",
        "span": span_name(window),
        "group": group_name(window).lower(),
        "time": clock(waits[0].due, zone),
        "end": clock(max(wait.until for wait in waits), zone),
        "count": len(waits),
    }
    if not waits[0].limit:
        return (
            ngettext(
                "%(account)s was asked to wait by its network: %(count)d post waits until %(end)s.",
                "%(account)s was asked to wait by its network: %(count)d posts wait, the last until %(end)s.",
                len(waits),
            )
            % words
        )
    return (
        ngettext(
            "%(account)s reaches its limit (%(group)s, %(limit)s %(span)s) at %(time)s: %(count)d post would wait, "
            "until %(end)s.",
            "%(account)s reaches its limit (%(group)s, %(limit)s %(span)s) at %(time)s: %(count)d posts would wait, "
            "the last until %(end)s.",
            len(waits),
        )
        % words
    )
