"""The permissions of an account as people read them: what each is for, and whether we have it."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.connect import entry_for
from accounts.models import ConnectedAccount, Grant
from accounts.providers import PROVIDERS
from accounts.providers.base import role_words


@dataclass(frozen=True, slots=True)
class Permission:
    """state: granted; declined (a person said no); lapsed (the network took it back, because it was not used); elsewhere
    (given for other accounts only); missing (never given, or taken away). purpose: "" where unknown.
    """

    name: str
    state: str
    purpose: str = ""
    is_needed: bool = False


def permissions_of(account: ConnectedAccount) -> list[Permission]:
    """What is missing first. Costs no query with `select_related("credential__grant")`."""
    needed = entry_for(account.platform, account.login_kind).scopes_of(account.account_type)
    credential = getattr(account, "credential", None)
    grant = credential.grant if credential is not None else None
    purposes = PROVIDERS[account.login_kind].purposes()
    held = set(account.granted_scopes)
    refused = {*grant.declined_scopes, *grant.lapsed_scopes} if grant else set()
    absent = [name for name in needed if name not in held]
    names = dict.fromkeys([*absent, *sorted(refused - held), *sorted(held)])
    return [
        Permission(
            name,
            "granted" if name in held else state_of(name, grant),
            purposes.get(name, ""),
            name in needed,
        )
        for name in names
    ]


def state_of(name: str, grant: Grant | None) -> str:
    """Why an account does not have it."""
    if grant is None:
        return "missing"
    if name in grant.declined_scopes:
        return "declined"
    if name in grant.lapsed_scopes:
        return "lapsed"
    return "elsewhere" if name in grant.granted_scopes and name in grant.granular_scopes else "missing"


def tasks_of(account: ConnectedAccount) -> list[str]:
    """What the role of the person on the Page or organization allows, in words; each once."""
    return role_words(account.tasks)
