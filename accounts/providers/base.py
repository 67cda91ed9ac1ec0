"""What a consent at a provider brings, and how accounts are made of it: one shape for Meta, LinkedIn, Buffer.

A provider is where a person consents (Meta); a platform is where posts appear (Facebook, Instagram). A grant is the
consent of one person; a candidate is one account that the grant reaches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from accounts.models import ConnectedAccount, Grant
from socialhub.platforms.base import Access


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account as the choice shows it and as connecting writes it.

    token: its own; None where the grant's serves. about: what kind of account, in words. obstacle: why it cannot be
    connected. linked: accounts that come with it; unlinked: why none does, where one could.
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
    linked: tuple[Candidate, ...] = ()
    unlinked: str = ""

    @property
    def key(self) -> str:
        return f"{self.platform}:{self.platform_account_id}"

    @property
    def searched(self) -> str:
        """What the filter of the choice looks at."""
        return " ".join([self.name, self.username, *(account.username for account in self.linked)])


@dataclass(frozen=True, slots=True)
class Consent:
    """What a handshake brought: whose it is, and the fields of the Grant."""

    platform_user_id: str
    platform_user_name: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """What a look at the access of an account told. scopes None: the network does not say."""

    scopes: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    data_access_expires_at: datetime | None = None


class Provider(ABC):
    """Methods that reach the network raise PlatformError."""

    key: ClassVar[str]
    label: ClassVar[str]

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

    def connected_fields(self, grant: Grant | None) -> dict[str, Any]:
        """Fields of a ConnectedAccount that its grant decides."""
        return {
            "token_expires_at": None,
            "data_access_expires_at": grant.data_access_expires_at if grant else None,
        }

    def connectable(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        return [candidate for candidate in candidates if not candidate.obstacle]
