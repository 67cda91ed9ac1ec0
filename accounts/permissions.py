"""The permissions of an account as people read them: what each is for, and whether we have it."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.connect import CONNECTABLE
from accounts.models import ConnectedAccount
from accounts.providers import PROVIDERS


@dataclass(frozen=True, slots=True)
class Permission:
    """state: granted, declined (a person said no), missing (never given, or taken away). purpose: "" where unknown."""

    name: str
    state: str
    purpose: str = ""
    is_needed: bool = False


def permissions_of(account: ConnectedAccount) -> list[Permission]:
    """What is missing first. Costs no query with `select_related("credential__grant")`."""
    needed = CONNECTABLE[account.platform].scopes_of(account.account_type)
    credential = getattr(account, "credential", None)
    grant = credential.grant if credential is not None else None
    refused = set(grant.declined_scopes) if grant else set()
    purposes = PROVIDERS[account.login_kind].purposes()
    held = set(account.granted_scopes)
    absent = [name for name in needed if name not in held]
    names = dict.fromkeys([*absent, *sorted(refused - held), *sorted(held)])
    return [
        Permission(
            name,
            "granted" if name in held else "declined" if name in refused else "missing",
            purposes.get(name, ""),
            name in needed,
        )
        for name in names
    ]
