"""What can happen to a connection: its tokens run out, are taken back, lose a permission, or a fresh one gets lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from .buffer.oauth import SCOPES as BUFFER_SCOPES
from .buffer.oauth import revoke_grant
from .graph.accounts import SCOPES as META_SCOPES
from .graph.accounts import remove_grant
from .instagram_login.oauth import SCOPES as INSTAGRAM_SCOPES
from .instagram_login.oauth import tokens_of as instagram_tokens
from .instagram_login.world import can_sign_in
from .linkedin.oauth import FULL_SCOPES, tokens_of
from .state import Fault, State

ACTIONS = {
    "expire": "Expire now",
    "age": "Make 46 days older",
    "revoke": "Revoke",
    "remove_permission": "Remove a permission",
    "lose_refresh_answer": "Lose the refresh answer",
}
AGE_SECONDS = 46 * 86_400
TOKEN_EDGES = {
    "meta": "oauth",
    "instagram": "instagram.refresh",
    "linkedin": "linkedin.token",
    "buffer": "buffer.token",
}
LABELS = {
    "meta": "Facebook and Instagram",
    "instagram": "Instagram (without a Page)",
    "linkedin": "LinkedIn",
    "buffer": "Buffer",
}
SCOPES: dict[str, Iterable[str]] = {
    "meta": META_SCOPES,
    "instagram": INSTAGRAM_SCOPES,
    "linkedin": FULL_SCOPES,
    "buffer": BUFFER_SCOPES,
}


class Somebody(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def name(self) -> str: ...


class Unknown(Exception):
    """There is no such network, person, action or permission."""


@dataclass(frozen=True)
class Network:
    """How the switches work on one network."""

    people: Callable[[State], Iterable[Somebody]]
    expire: Callable[[State, str], int]
    revoke: Callable[[State, str], int]
    remove_permission: Callable[[State, str, str], int]
    # Where it matters how old a token is: make those of a person older, so that they end sooner, too.
    age: Callable[[State, str], int] | None = None


def act(state: State, network: str, person: str, action: str, scope: str = "") -> int:
    """Do it; answers how many tokens it touched. Raises Unknown."""
    if network not in NETWORKS:
        raise Unknown(f"network must be one of: {', '.join(NETWORKS)}")
    with state.lock:
        if action == "lose_refresh_answer":
            state.add(Fault(id=str(state.new_number()), kind="lost_answer", edge=TOKEN_EDGES[network]))
            return 0
        switches = NETWORKS[network]
        found = next((one for one in switches.people(state) if person in (one.key, one.id)), None)
        if found is None:
            raise Unknown(f"There is no {person!r} on {LABELS[network]}.")
        if action == "remove_permission":
            if scope not in SCOPES[network]:
                raise Unknown(f"{LABELS[network]} has no permission {scope!r}.")
            touched = switches.remove_permission(state, found.id, scope)
        elif action == "age":
            if switches.age is None:
                raise Unknown(f"The age of a token makes no difference on {LABELS[network]}: let it expire.")
            touched = switches.age(state, found.id)
        elif action in ("expire", "revoke"):
            touched = (switches.expire if action == "expire" else switches.revoke)(state, found.id)
        else:
            raise Unknown(f"action must be one of: {', '.join(ACTIONS)}")
        state.changed()
        return touched


def expire_meta(state: State, person_id: str) -> int:
    tokens = [one for one in state.tokens.values() if one.person_id == person_id and one.usable_at(state.now())]
    for token in tokens:
        token.expires_at = state.now()
    return len(tokens)


def revoke_meta(state: State, person_id: str) -> int:
    remove_grant(state, person_id)
    return sum(one.person_id == person_id for one in state.tokens.values())


def narrow_meta(state: State, person_id: str, scope: str) -> int:
    touched = sum(one.person_id == person_id and scope in one.scopes for one in state.tokens.values())
    remove_grant(state, person_id, scope)
    return touched


def expire_instagram(state: State, account_id: str) -> int:
    tokens = [one for one in instagram_tokens(state, account_id) if one.usable_at(state.now())]
    for token in tokens:
        token.expires_at = state.now()
    return len(tokens)


def revoke_instagram(state: State, account_id: str) -> int:
    """The person removes the app in the Instagram app."""
    tokens = instagram_tokens(state, account_id)
    for token in tokens:
        token.lost = token.lost or 458
    return len(tokens)


def narrow_instagram(state: State, account_id: str, scope: str) -> int:
    return without(scope, (one.scopes for one in instagram_tokens(state, account_id)))


def age_instagram(state: State, account_id: str) -> int:
    tokens = instagram_tokens(state, account_id)
    for token in tokens:
        token.issued_at -= AGE_SECONDS
        token.expires_at -= AGE_SECONDS
    return len(tokens)


def expire_linkedin(state: State, member_id: str) -> int:
    """Access tokens; a refresh token lives on."""
    tokens = [one for one in tokens_of(state, member_id) if one.kind == "access" and one.usable_at(state.now())]
    for token in tokens:
        token.expires_at = state.now()
    return len(tokens)


def revoke_linkedin(state: State, member_id: str) -> int:
    state.linkedin_grants.pop(member_id, None)
    tokens = tokens_of(state, member_id)
    for token in tokens:
        token.revoked = True
    return len(tokens)


def narrow_linkedin(state: State, member_id: str, scope: str) -> int:
    return without(scope, (one.scopes for one in tokens_of(state, member_id)))


def expire_buffer(state: State, account_id: str) -> int:
    """Access tokens and personal keys; a refresh token lives on."""
    tokens = [
        one
        for one in state.buffer_tokens.values()
        if one.account_id == account_id and one.kind != "refresh" and one.usable_at(state.now())
    ]
    for token in tokens:
        token.expires_at = state.now()
    return len(tokens)


def revoke_buffer(state: State, account_id: str) -> int:
    for grant in list(state.buffer_grants.values()):
        if grant.account_id == account_id:
            revoke_grant(state, grant.id)
    tokens = [one for one in state.buffer_tokens.values() if one.account_id == account_id]
    for token in tokens:
        token.revoked = True
    return len(tokens)


def narrow_buffer(state: State, account_id: str, scope: str) -> int:
    without(scope, (one.scopes for one in state.buffer_grants.values() if one.account_id == account_id))
    return without(scope, (one.scopes for one in state.buffer_tokens.values() if one.account_id == account_id))


def without(scope: str, lists: Iterable[list[str]]) -> int:
    touched = 0
    for scopes in lists:
        if scope in scopes:
            scopes.remove(scope)
            touched += 1
    return touched


NETWORKS = {
    "meta": Network(lambda state: state.people.values(), expire_meta, revoke_meta, narrow_meta),
    "instagram": Network(can_sign_in, expire_instagram, revoke_instagram, narrow_instagram, age_instagram),
    "linkedin": Network(
        lambda state: state.linkedin_members.values(), expire_linkedin, revoke_linkedin, narrow_linkedin
    ),
    "buffer": Network(lambda state: state.buffer_accounts.values(), expire_buffer, revoke_buffer, narrow_buffer),
}
