"""What the accounts page shows: the networks, their accounts in the order in which they need somebody, and counts.

One query for the accounts and one for what waits for them, however many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Count, ExpressionWrapper, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import connect, operators
from accounts.expiry import consent_ends_soon
from accounts.lifetime import Lifetime, is_by_key, is_near, lifetime_of
from accounts.models import ConnectedAccount, Workspace
from accounts.outcome import Outcome
from accounts.providers import PROVIDERS
from accounts.providers.base import Provider

FULL_CARDS = 8  # up to so many accounts stand on the page with everything; more become rows that unfold
ROWS = 8  # of each network, before somebody asks for all of them

# What a list must never load.
TOKENS = ("credential__access_token", "credential__grant__access_token", "credential__grant__refresh_token")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Publications of one account that have not begun. due: their time has come; limited: put off by a limit.

    elsewhere: the posts of so many are on their way, or out, on another account.
    """

    scheduled: int = 0
    due: int = 0
    limited: int = 0
    elsewhere: int = 0


@dataclass(frozen=True)
class Card:
    """One account as the page shows it."""

    account: ConnectedAccount
    entry: connect.Connectable
    has_refresh_token: bool
    waiting: Waiting = field(default_factory=Waiting)
    is_new: bool = False

    @cached_property
    def lifetime(self) -> Lifetime:
        return lifetime_of(self.account, has_refresh_token=self.has_refresh_token)

    @property
    def consent_ends_soon(self) -> bool:
        return self.account.is_connected and consent_ends_soon(self.account)

    @property
    def ends_soon(self) -> bool:
        account = self.account
        return account.is_connected and (is_near(account.token_expires_at) and self.lifetime.is_near)

    @property
    def needs_attention(self) -> bool:
        account = self.account
        return bool(
            account.needs_reconnect
            or account.missing_scopes
            or account.remark
            or self.ends_soon
            or self.consent_ends_soon
        )

    @property
    def should_reconnect(self) -> bool:
        """A new consent mends what is wrong."""
        account = self.account
        if account.mended_at:
            return False
        return bool(account.needs_reconnect or account.missing_scopes or self.ends_soon or self.consent_ends_soon)

    @property
    def trouble(self) -> str:
        """The first thing to look after, for a row; the card says all of them."""
        account = self.account
        if account.needs_reconnect:
            return account.status_reason or str(account.get_status_display())
        if missing := len(account.missing_scopes):
            return ngettext("One permission is missing.", "%(missing)d permissions are missing.", missing) % {
                "missing": missing
            }
        if self.ends_soon or self.consent_ends_soon:
            end = account.token_expires_at if self.ends_soon else account.data_access_expires_at
            return _("The access ends on %(date)s.") % {"date": date_format(localtime(end), "j F Y")}
        return account.remark

    @property
    def is_blocked(self) -> bool:
        return self.account.is_paused or not self.account.is_connected

    @property
    def waits_for_account(self) -> int:
        return self.waiting.due if self.is_blocked else 0

    @property
    def reconnects_by_key(self) -> bool:
        """Pasting the key again mends it; there is no consent page to go to, or there never was a consent."""
        provider = PROVIDERS[self.entry.provider]
        by_key = is_by_key(self.account, has_refresh_token=self.has_refresh_token)
        return by_key or (self.entry.is_through_buffer and not provider.is_configured())

    @property
    def order(self) -> tuple[bool, ...]:
        """First those that somebody has to look after, then what is new here, then the default."""
        return (
            not self.account.needs_reconnect,
            not self.needs_attention,
            not self.is_new,
            not self.account.is_default,
        )

    def is_in(self, state: str) -> bool:
        if state == "attention":
            return self.needs_attention
        if state == "paused":
            return self.account.is_paused
        return not state or (self.account.is_connected and not self.account.is_paused)

    def has(self, text: str) -> bool:
        return text.casefold() in f"{self.account.name} @{self.account.username}".casefold()


@dataclass(frozen=True)
class Entry:
    """One network on the page. cards: what of it is shown; everyone: all of it. state: disconnected, connected or error."""

    connectable: connect.Connectable
    everyone: Sequence[Card]
    cards: Sequence[Card]
    state: str
    error: Outcome | None
    stopped: bool = False  # until whoever runs the server acts

    @property
    def key(self) -> str:
        return self.connectable.key

    @property
    def provider(self) -> Provider:
        return PROVIDERS[self.connectable.provider]

    @property
    def is_folded(self) -> bool:
        """Networks behind Buffer that nobody has connected stand together in one place."""
        return self.connectable.is_through_buffer and not self.everyone

    @property
    def attention(self) -> int:
        return sum(card.needs_attention for card in self.everyone)

    @property
    def paused(self) -> int:
        return sum(card.account.is_paused for card in self.everyone)

    @property
    def more(self) -> int:
        """How many of those that were asked for do not stand here."""
        return len(self.everyone) - len(self.cards)


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for among many accounts; nothing of it means everything."""

    text: str = ""
    platform: str = ""  # the key of an entry
    state: str = ""  # attention, paused, connected

    def __bool__(self) -> bool:
        return bool(self.text or self.platform or self.state)

    def takes(self, card: Card) -> bool:
        return card.is_in(self.state) and (not self.text or card.has(self.text))


@dataclass(frozen=True)
class Overview:
    entries: Sequence[Entry]
    cards: Sequence[Card]
    wanted: Wanted

    @property
    def is_long(self) -> bool:
        return len(self.cards) > FULL_CARDS

    @property
    def folded(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.is_folded]

    @property
    def shown(self) -> list[Entry]:
        """The networks that get a place of their own; of a search those with something found."""
        if self.wanted:
            return [entry for entry in self.entries if entry.cards]
        return [entry for entry in self.entries if not entry.is_folded]

    @property
    def found(self) -> int:
        return sum(len(entry.cards) for entry in self.entries)

    @property
    def counts(self) -> dict[str, int]:
        counted = Counter(state for card in self.cards for state in ("attention", "paused") if card.is_in(state))
        return {"all": len(self.cards), "attention": counted["attention"], "paused": counted["paused"]}

    @property
    def any_by_key(self) -> bool:
        return any(card.reconnects_by_key for card in self.cards)


def cards_of(workspace: Workspace, *, just_connected: Iterable[str] = (), only: UUID | None = None) -> list[Card]:
    """Every listed account of the workspace, or only one."""
    accounts = (
        ConnectedAccount.objects.of(workspace)
        .listed()
        .select_related("connected_by", "paused_by", "credential__grant")
        .annotate(
            has_refresh_token=ExpressionWrapper(
                Q(credential__grant__refresh_token__isnull=False), output_field=BooleanField()
            )
        )
        .defer(*TOKENS, "offers")
    )
    if only is not None:
        accounts = accounts.filter(pk=only)
    fresh = set(just_connected)
    waiting = waiting_for(workspace, only=only)
    return [
        Card(
            account,
            connect.entry_for(account.platform, account.login_kind),
            has_refresh_token=account.has_refresh_token,  # type: ignore[attr-defined]
            waiting=waiting.get(account.pk, Waiting()),
            is_new=str(account.pk) in fresh,
        )
        for account in accounts
    ]


def waiting_for(workspace: Workspace, *, only: UUID | None = None) -> Mapping[UUID, Waiting]:
    """What has not begun yet, by account. By the names of the relations: imports go the other way."""
    entry = "publications__queue_entry__"
    now = timezone.now()
    due = Q(**{f"{entry}held": True, f"{entry}awaits_decision": False}) | Q(**{f"{entry}not_before__lte": now})
    limited = Q(**{f"{entry}held": False, f"{entry}not_before__gt": now}) & ~Q(**{f"{entry}wait_reason": ""})
    accounts = ConnectedAccount.objects.of(workspace).filter(publications__status__in=("scheduled", "queued"))
    if only is not None:
        accounts = accounts.filter(pk=only)
    rows = (
        accounts.order_by()
        .values("pk")
        .annotate(
            scheduled=Count("publications"),
            due=Count("publications", filter=due),
            limited=Count("publications", filter=limited),
            elsewhere=Count("publications", filter=~Q(publications__post__status="scheduled")),
        )
    )
    return {
        row["pk"]: Waiting(row["scheduled"], due=row["due"], limited=row["limited"], elsewhere=row["elsewhere"])
        for row in rows
    }


def overview(workspace: Workspace, happened: Outcome, wanted: Wanted) -> Overview:
    cards = cards_of(workspace, just_connected=happened.connected)
    is_long = len(cards) > FULL_CARDS
    by_entry: dict[str, list[Card]] = {key: [] for key in connect.CONNECTABLE}
    for card in cards:
        by_entry[card.entry.key].append(card)
    entries = [
        entry_of(key, sorted(own, key=lambda card: card.order), happened, wanted, is_long=is_long)
        for key, own in by_entry.items()
    ]
    can_stop = any(card.entry.provider in operators.CAN_STOP for card in cards)
    stopped = operators.stopped() if can_stop else {}
    entries = [
        replace(entry, stopped=bool(entry.everyone) and entry.connectable.provider in stopped) for entry in entries
    ]
    return Overview(entries, cards, wanted)


def entry_of(key: str, everyone: Sequence[Card], happened: Outcome, wanted: Wanted, *, is_long: bool) -> Entry:
    error = happened if happened.error and happened.platform == key else None
    if error or any(card.account.needs_reconnect for card in everyone):
        state = "error"
    else:
        state = "connected" if everyone else "disconnected"
    found = [card for card in everyone if wanted.takes(card)] if wanted.platform in ("", key) else []
    if is_long and not wanted:
        # What was connected just now is never cut off: its people look for it.
        found = found[:ROWS] + [card for card in found[ROWS:] if card.is_new]
    return Entry(connect.CONNECTABLE[key], everyone, found, state, error)


def pages_without_instagram(cards: Iterable[Card]) -> list[ConnectedAccount]:
    """Facebook Pages that could have brought an Instagram account, and did not."""
    accounts = [card.account for card in cards]
    linked = {account.parent_id for account in accounts if account.platform == "instagram"}
    return [account for account in accounts if account.platform == "facebook" and account.pk not in linked]


def unconfigured() -> list[dict[str, Any]]:
    """Providers that whoever runs this server has to set up first, with the networks that this keeps from people."""
    return [
        {
            "provider": provider,
            "networks": [
                entry.title if entry.aside else entry.label
                for entry in connect.CONNECTABLE.values()
                if entry.provider == provider.key
            ],
        }
        for provider in PROVIDERS.values()
        if not provider.is_configured()
    ]
