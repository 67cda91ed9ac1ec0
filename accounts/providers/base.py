"""What a consent at a provider brings, and how accounts are made of it: one shape for Meta, LinkedIn, Buffer.

A provider is where a person consents (Meta); a platform is where posts appear (Facebook, Instagram). A grant is the
consent of one person; a candidate is one account that the grant reaches.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.doctor import Check, State, end_check, public_address, scope_check
from accounts.expiry import end_of_grant
from accounts.models import ConnectedAccount, Grant
from accounts.operators import DATA_DELETION, DEAUTHORIZE, callback_seen_at
from socialhub.platforms.base import Access, Tokens
from socialhub.platforms.errors import PlatformError

MOST_TOLD = 20  # accounts of one consent that the doctor tells of one by one, though nothing is wrong
TASK_PREFIX = "PROFILE_PLUS_"  # twins of the same task on new Pages


def role_words(tasks: Iterable[str]) -> list[str]:
    """What a role on a Page or organization allows, in words; each once."""
    words = {
        "ADMINISTRATOR": _("administer"),
        "CONTENT_ADMIN": _("write posts"),
        "CONTENT_ADMINISTRATOR": _("write posts"),
        "DIRECT_SPONSORED_CONTENT_POSTER": _("post sponsored content"),
        "ANALYST": _("read figures"),
        "FULL_CONTROL": _("full control"),
        "MANAGE": _("manage"),
        "CREATE_CONTENT": _("write posts"),
        "ANALYZE": _("read figures"),
        "MODERATE": _("answer and hide comments"),
        "MESSAGING": _("write messages"),
        "ADVERTISE": _("advertise"),
    }
    names = [task.removeprefix(TASK_PREFIX) for task in tasks]
    return list(dict.fromkeys(words.get(name, name.replace("_", " ").lower()) for name in names))


# Control characters, line breaks, and marks that turn the text around them the other way.
UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def shown(name: str) -> str:
    """A name as a network tells it, fit for one line among other words."""
    return " ".join(UNSHOWN.sub(" ", name).split())


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account as the choice shows it and as connecting writes it.

    token: its own; None where the grant's serves. about: what kind of account, in words. obstacle: why it cannot be
    connected. remark: what to know before it is. offers: what a post to it can choose from. linked: accounts that come with
    it; unlinked: why none does, where one could.
    """

    platform: str
    platform_account_id: str
    name: str
    account_type: str
    username: str = ""
    picture_url: str = ""
    about: str = ""
    followers_count: int | None = None
    tasks: tuple[str, ...] = ()
    token: str | None = field(default=None, repr=False)
    obstacle: str = ""
    remark: str = ""
    offers: dict[str, Any] = field(default_factory=dict)
    linked: tuple[Candidate, ...] = ()
    unlinked: str = ""

    def __post_init__(self) -> None:
        for name, most in (("name", 200), ("username", 200), ("about", 200), ("picture_url", 2000)):
            object.__setattr__(self, name, shown(getattr(self, name))[:most])

    @property
    def ids(self) -> set[str]:
        """Its own, and those of the accounts that come with it: a permission may name either."""
        return {self.platform_account_id, *(account.platform_account_id for account in self.linked)}

    @property
    def key(self) -> str:
        return f"{self.platform}:{self.platform_account_id}"

    @property
    def searched(self) -> str:
        """What the filter of the choice looks at."""
        return " ".join([self.name, self.username, *(account.username for account in self.linked)])


@dataclass(frozen=True, slots=True)
class Person:
    """Who consented, as the provider knows them."""

    id: str
    name: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", shown(self.name)[:200])


@dataclass(frozen=True, slots=True)
class Consent:
    """What a handshake brought: whose it is, and the fields of the Grant."""

    platform_user_id: str
    platform_user_name: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """What a look at the access of an account told. scopes None: the network does not say.

    remark, offers: as of a Candidate; None: not asked for.
    """

    scopes: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    data_access_expires_at: datetime | None = None
    remark: str | None = None
    offers: dict[str, Any] | None = None


# Permissions that are given for each account; others (business_management) are limited to things that are no accounts.
OF_AN_ACCOUNT = ("pages_", "instagram_", "read_insights")


def scopes_on(scopes: Iterable[str], granular: Mapping[str, Sequence[str]], ids: Collection[str]) -> list[str]:
    """Those that hold for an account: not limited to others. ids: its own, and of the Page or account linked to it."""
    return sorted(
        name
        for name in scopes
        if not name.startswith(OF_AN_ACCOUNT) or not granular.get(name) or not set(ids).isdisjoint(granular[name])
    )


class Provider(ABC):
    """Methods that reach the network raise PlatformError."""

    key: ClassVar[str]
    label: ClassVar[str]
    # Revoking one consent ends all that the person ever gave to this app, those in other workspaces too.
    revokes_everything: ClassVar[bool] = True
    # The account that is connected is the person who consented: what is known of the one is known of the other.
    account_is_person: ClassVar[bool] = False

    @abstractmethod
    def is_configured(self) -> bool:
        """The settings hold what a handshake needs."""

    @abstractmethod
    def setup_hint(self) -> str:
        """What whoever runs this server has to do before people can connect."""

    @abstractmethod
    def redirect_uri(self) -> str:
        """The one address that the provider may send people back to."""

    @abstractmethod
    def consent(self, token: Any, person: Person) -> Consent:
        """What the tokens of a handshake come to."""

    @abstractmethod
    def candidates(self, grant: Grant) -> list[Candidate]:
        """Everything the grant reaches, asked for live, those that can be connected first."""

    @abstractmethod
    def found(self, number: int) -> str:
        """The sentence above the choice."""

    @abstractmethod
    def found_nothing(self) -> str:
        """What it means that the consent reaches no account, and what to do."""

    @abstractmethod
    def inspect(self, account: ConnectedAccount, access: Access) -> AccessFacts:
        """Is the access good? ReconnectError only for a clear no."""

    @abstractmethod
    def revoke(self, grant: Grant) -> None:
        """Give the consent back."""

    def left_behind(self) -> str:
        """What of a consent stays at the network when its last account is disconnected, and what to do about it."""
        return ""

    def refresh_scopes(self, grant: Grant) -> None:
        """Read again what is granted, where that can change without a new consent. Here it cannot."""
        return

    def purposes(self) -> dict[str, str]:
        """What each permission is for, in words that go on "lets us"."""
        return {}

    def connected_fields(self, grant: Grant | None) -> dict[str, Any]:
        """Fields of a ConnectedAccount that its grant decides."""
        return {
            "token_expires_at": None,
            "data_access_expires_at": grant.data_access_expires_at if grant else None,
        }

    def checks(self, grant: Grant | None = None) -> list[Check]:
        """What the connect doctor looks at: our app at the provider or, live, what one consent reaches. Never raises."""
        return self.app_checks(live=True) if grant is None else self.grant_checks(grant)

    def app_checks(self, *, live: bool = False) -> list[Check]:
        """What the settings say; live: and what the provider says to them."""
        if not self.is_configured():
            return [
                Check(_("App"), State.PROBLEM, self.setup_hint()),
                Check(_("Redirect address to allow there"), State.FACT, copy=self.redirect_uri()),
            ]
        mode = _("Simulated: nothing reaches the real network.") if settings.SANDBOX else _("The real network.")
        return [
            Check(_("App"), State.OK, _("It is set up on this server.")),
            Check(_("Mode"), State.FACT, mode),
            Check(_("Redirect address to allow there"), State.FACT, copy=self.redirect_uri()),
            public_address(),
        ]

    def grant_checks(self, grant: Grant) -> list[Check]:
        again = _("Press Connect and consent again.")
        checks = [
            scope_check(_("Permissions granted"), grant.granted_scopes, State.OK),
            scope_check(_("Permissions declined"), grant.declined_scopes, State.WARNING, again),
            end_check(_("Access ends"), end_of_grant(grant), 14, again),
        ]
        return [check for check in checks if check] + self.candidate_checks(grant)

    def candidate_checks(self, grant: Grant) -> list[Check]:
        """Each account that the consent shows right now, and why one cannot be connected."""
        try:
            candidates = self.candidates(grant)
        except PlatformError as error:
            text = " ".join(filter(None, [error.message, error.platform_message]))
            return [Check(_("Accounts found"), State.PROBLEM, text)]
        if not candidates:
            return [Check(_("Accounts found"), State.WARNING, self.found_nothing())]
        found = [Check(_("Accounts found"), State.OK, self.found(len(candidates)))]
        told = [one for one in candidates if one.obstacle or one.remark or len(candidates) <= MOST_TOLD]
        found += map(candidate_check, told)
        if fine := [one.name for one in candidates if one not in told]:
            text = ngettext("%(number)d more", "%(number)d more", len(fine)) % {"number": len(fine)}
            found.append(Check(text, State.OK, _("They can be connected:"), details=tuple(fine)))
        return found

    def scopes_check(self, label: str, scopes: Iterable[str], text: str = "") -> Check:
        """Permissions, and what each is for."""
        purposes = self.purposes()
        names = sorted(scopes)
        return Check(
            label,
            State.FACT,
            text,
            details=tuple(f"{name}: {purposes[name]}" if name in purposes else name for name in names),
        )

    def connectable(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        return [candidate for candidate in candidates if not candidate.obstacle]


def candidate_check(candidate: Candidate) -> Check:
    linked = ", ".join(f"@{one.username}" for one in candidate.linked)
    said = [candidate.obstacle or _("It can be connected."), candidate.remark, linked or candidate.unlinked]
    roles = ", ".join(role_words(candidate.tasks))
    facts = [candidate.about, _("Your role there lets us: %(roles)s") % {"roles": roles} if roles else ""]
    state = State.WARNING if candidate.obstacle else State.OK
    return Check(candidate.name, state, " ".join(filter(None, said)), details=tuple(filter(None, facts)))


def grant_fields(tokens: Tokens, asked: Sequence[str]) -> dict[str, Any]:
    """Fields of the Grant out of the tokens of a handshake. All are named, so that nothing of an older one stays."""
    granted = set(tokens.scopes or asked)
    return {
        "access_token": tokens.access_token,
        "expires_at": tokens.expires_at,
        "refresh_token": tokens.refresh_token,
        "refresh_expires_at": tokens.refresh_expires_at,
        "refresh_spent_at": None,
        "renewing_since": None,
        "granted_scopes": sorted(granted),
        "declined_scopes": sorted(set(asked) - granted),
    }


def callback_checks(provider: Provider, deauthorize: str, deletion: str) -> list[Check]:
    """The addresses at which Meta tells what a person did there, for an app of its; and whether it ever has."""
    return [
        callback_check(provider, _("Deauthorize callback address"), DEAUTHORIZE, deauthorize),
        callback_check(provider, _("Data deletion request address"), DATA_DELETION, deletion),
    ]


def callback_check(provider: Provider, label: str, name: str, path: str) -> Check:
    seen = callback_seen_at(provider.key, name)
    if seen:
        date = date_format(timezone.localtime(seen), "j F Y, H:i")
        text = _("Meta called it last on %(date)s.") % {"date": date}
    else:
        text = _("Meta has not called it yet. It does when somebody removes this app at %(network)s.")
        text %= {"network": provider.label}
    return Check(label, State.FACT, text, settings.PUBLIC_BASE_URL + path)
