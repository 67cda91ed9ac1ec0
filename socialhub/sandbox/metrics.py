"""Metrics that a person or a test takes away: given up by the network, or kept to itself for one account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from .state import State, Withdrawn

WAYS = {"dead": "Given up: refused", "withheld": "Kept to itself: left out"}


def way_of(state: State, name: str, account_id: str) -> Literal["", "dead", "withheld"]:
    """What has become of a metric of this account."""
    found: Literal["", "dead", "withheld"] = ""
    for one in state.withdrawn.values():
        if one.name == name and one.account in ("all", account_id):
            if one.how == "dead":
                return "dead"
            found = one.how
    return found


def living(state: State, names: Iterable[str], account_id: str) -> set[str]:
    """Of these the ones that the network still tells."""
    if not state.withdrawn:
        return set(names)
    return {name for name in names if not way_of(state, name, account_id)}


def withdraw(state: State, name: str, how: str, account: str) -> Withdrawn | None:
    """None when there is no such way, or no name."""
    name = name.strip()
    if not name or how not in ("dead", "withheld"):
        return None
    with state.lock:
        one = Withdrawn(str(state.new_number()), name, "dead" if how == "dead" else "withheld", account or "all")
        return state.add(one)


def restore(state: State, withdrawn_id: str = "") -> None:
    """One of them, or all, as before."""
    with state.lock:
        if withdrawn_id:
            state.withdrawn.pop(withdrawn_id, None)
        else:
            state.withdrawn.clear()
        state.changed()
