"""What is true of several accounts is said once, with the accounts that it concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import ConnectedAccount
from socialhub.platforms import LABELS

NAMED = 3  # so many accounts are named before the rest is counted


@dataclass(frozen=True, slots=True)
class Shared:
    """What is said of several accounts at once: the sentence is told once, with all whom it concerns."""

    first: Any
    accounts: list[ConnectedAccount]

    @property
    def handles(self) -> list[str]:
        return [account.handle for account in self.accounts]

    @property
    def named(self) -> str:
        return some_of(self.handles)

    @property
    def owners(self) -> str:
        """The accounts behind the names of their networks."""
        of_network: dict[str, list[str]] = {}
        for account in self.accounts:
            of_network.setdefault(account.platform, []).append(account.handle)
        return "; ".join(f"{LABELS[key]} · {some_of(handles)}" for key, handles in of_network.items())


def some_of(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (_(" and %(more)d more") % {"more": more} if more > 0 else "")


def shared(items: Iterable[Any], account: Callable[[Any], ConnectedAccount | None], *same: str) -> list[Shared]:
    """Those that read the same, together, in the order of their first."""
    groups: dict[tuple[object, ...], Shared] = {}
    for item in items:
        whose = account(item)
        group = groups.setdefault(tuple(attrgetter(name)(item) for name in same), Shared(item, []))
        if whose:
            group.accounts.append(whose)
    return list(groups.values())
