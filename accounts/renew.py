"""Renewing the access of a grant before it runs out: one worker at a time, the others wait and read again.

A refresh token that is good once (Buffer's) is marked as spent before it leaves the house. When the answer is lost, it
is never sent again: the access that we hold serves to its end, and then the person is asked to connect again. What may
still turn out well is a TemporaryError; only where nothing is left to renew with is it a ReconnectError.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import connection_cache, usage
from accounts.clients import buffer, instagram, linkedin
from accounts.keys import reveal
from accounts.models import Grant
from socialhub.platforms import INSTAGRAM_LOGIN
from socialhub.platforms.base import Tokens
from socialhub.platforms.errors import OutcomeUnknownError, PlatformError, ReconnectError, TemporaryError
from socialhub.platforms.instagram_login import YOUNGEST

logger = logging.getLogger(__name__)

DEAD_AFTER = timedelta(seconds=120)  # whoever began to renew and is not done by then has died over it
WAIT_SECONDS = 15.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Renewal:
    """How a provider renews.

    renew: from the refresh token to new tokens. ahead: how long before the end. single_use: each refresh token once.
    by_access: there is no refresh token, the access token renews itself while it lasts. youngest: once it is that old.
    """

    renew: Callable[[str], Tokens]
    ahead: timedelta
    single_use: bool = False
    by_access: bool = False
    youngest: timedelta = timedelta(0)


# By Grant.provider; those that are not here cannot be renewed.
RENEWALS: dict[str, Renewal] = {
    # From the 45th of 60 days on. The refresh token stays the same, and only some apps get one.
    "linkedin": Renewal(lambda token: linkedin().refresh(token), ahead=timedelta(days=15)),
    INSTAGRAM_LOGIN: Renewal(
        lambda token: instagram().refresh(token), ahead=timedelta(days=15), by_access=True, youngest=YOUNGEST
    ),
    "buffer": Renewal(lambda token: buffer().refresh(token), ahead=timedelta(minutes=10), single_use=True),
}


class State(Enum):
    RENEWED = auto()
    NOTHING = auto()  # there is nothing to renew it with: only a new consent helps
    TOO_YOUNG = auto()  # the network does not renew it yet
    BUSY = auto()  # another worker is renewing it


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request to renew. expires_at: when the access ends now, None for never."""

    state: State
    expires_at: datetime | None


def renew_now(grant: Grant) -> Outcome:
    """Renew the access however long it still lasts; never twice at once, and a spent refresh token never again.

    Never call it inside a transaction. Raises PlatformError when the network did not renew it: what we hold stays.
    """
    read_again(grant)
    renewal = RENEWALS.get(grant.provider)
    if renewal is None:
        return Outcome(State.NOTHING, grant.expires_at)
    if is_at_work(grant):
        return Outcome(State.BUSY, grant.expires_at)
    if not is_renewable(grant, renewal):
        return Outcome(State.NOTHING, grant.expires_at)
    if is_too_young(grant, renewal):
        return Outcome(State.TOO_YOUNG, grant.expires_at)
    if not take_turn(grant, renewal):
        return Outcome(State.BUSY, grant.expires_at)
    ask(grant, renewal)
    return Outcome(State.RENEWED, grant.expires_at)


def usable_token(grant: Grant) -> str:
    """The access token of the grant, renewed first when it is about to run out.

    Never call it inside a transaction: the new token must be stored whatever happens afterwards. Raises ReconnectError,
    and TemporaryError when another worker is at it for too long or the network cannot be reached.
    """
    if has_expired(grant):
        read_again(grant)  # it may have been renewed since it was read
    renewal = RENEWALS.get(grant.provider)
    if renewal and is_due(grant, renewal):
        if take_turn(grant, renewal):
            renew(grant, renewal)
        elif has_expired(grant):
            wait_for_turn(grant, renewal)
    if has_expired(grant):
        raise ReconnectError(_("The access has run out and could not be renewed. Connect it again."))
    token = reveal(grant.access_token)
    usage.remember(token, grant)
    return token


def replace_refused(grant: Grant) -> bool:
    """Another access in place of this one, which the network refuses before its time. False: there is none to be had.

    grant: as it stood when its token was read. Whatever newer one somebody else has brought since then serves; else it
    is renewed, once. Raises what else went wrong with that: it is no word about the access.
    """
    refused = grant.updated_at
    renewal = RENEWALS.get(grant.provider)
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        read_again(grant)
        if grant.updated_at > refused:
            return True
        if is_at_work(grant):
            time.sleep(LOOK_SECONDS)
        elif renewal is None or renewal.by_access or not is_renewable(grant, renewal):
            return False
        elif take_turn(grant, renewal):
            return ask_in_place_of_refused(grant, renewal)
    raise TemporaryError(_("The access is just being renewed. It is tried again by itself."))


def ask_in_place_of_refused(grant: Grant, renewal: Renewal) -> bool:
    try:
        ask(grant, renewal)
    except ReconnectError:
        return False
    except OutcomeUnknownError as error:
        if not is_renewable(grant, renewal):
            return False
        raise TemporaryError(_("The access is just being renewed. It is tried again by itself.")) from error
    return True


def has_expired(grant: Grant) -> bool:
    return grant.expires_at is not None and grant.expires_at <= timezone.now()


def is_due(grant: Grant, renewal: Renewal) -> bool:
    """It ends soon, and there is something to renew it with."""
    if grant.expires_at is None or grant.expires_at - timezone.now() > renewal.ahead:
        return False
    return is_renewable(grant, renewal) and not is_too_young(grant, renewal)


def is_renewable(grant: Grant, renewal: Renewal) -> bool:
    """There is something left to renew it with, or somebody is at it right now."""
    if grant.refresh_spent_at is not None and not is_at_work(grant):
        return False  # its answer was lost, or was a no
    if renewal.by_access:
        return grant.access_token is not None and not has_expired(grant)
    if grant.refresh_token is None:
        return False
    return grant.refresh_expires_at is None or grant.refresh_expires_at > timezone.now()


def is_too_young(grant: Grant, renewal: Renewal) -> bool:
    """Where nobody has noted when it was given, the network says."""
    return grant.issued_at is not None and timezone.now() - grant.issued_at < renewal.youngest


def is_at_work(grant: Grant) -> bool:
    """Somebody is renewing it, and may still be alive."""
    return grant.renewing_since is not None and timezone.now() - grant.renewing_since < DEAD_AFTER


def take_turn(grant: Grant, renewal: Renewal) -> bool:
    """One caller wins: the row must still stand as it was read, and nobody alive may be at it."""
    now = timezone.now()
    free = Q(renewing_since__isnull=True)
    if not renewal.single_use:  # one that died over it may be followed, unless the token may be used up
        free |= Q(renewing_since__lt=now - DEAD_AFTER)
    unchanged = Grant.objects.filter(free, pk=grant.pk, expires_at=grant.expires_at)
    if renewal.single_use:
        unchanged = unchanged.filter(refresh_spent_at__isnull=True)
    if unchanged.update(renewing_since=now, refresh_spent_at=now if renewal.single_use else None) != 1:
        return False
    grant.renewing_since = now  # the mark of our turn
    return True


def renew(grant: Grant, renewal: Renewal) -> None:
    """Ask; where that fails, what we hold is good until its end all the same."""
    try:
        ask(grant, renewal)
    except OutcomeUnknownError as error:
        if has_expired(grant) and is_renewable(grant, renewal):
            raise TemporaryError(_("The access is just being renewed. It is tried again by itself.")) from error
    except PlatformError:
        if has_expired(grant):
            raise


def ask(grant: Grant, renewal: Renewal) -> None:
    """The one request of a turn, which ends with it. The new tokens are stored before anything else happens with them.

    Raises what the network said.
    """
    try:
        held = reveal(grant.access_token if renewal.by_access else grant.refresh_token)
    except ReconnectError:  # its key is gone, and may come back
        end_turn(grant)
        raise
    try:
        tokens = renewal.renew(held)
    except OutcomeUnknownError:
        logger.warning("grant %s: the answer to the refresh was lost", grant.pk)
        end_turn(grant, spent=renewal.single_use)
        raise
    except TemporaryError as error:
        logger.info("grant %s was not renewed: %s", grant.pk, error.kind)
        end_turn(grant)
        raise
    except ReconnectError:
        logger.warning("grant %s cannot be renewed any more", grant.pk)
        if renewal.by_access:
            end_turn(grant, spent=True)
        else:
            end_turn(grant, refresh_token=None)
        raise
    except PlatformError as error:  # a fault of ours, such as a wrong secret
        logger.error("grant %s could not be renewed: %s %s", grant.pk, error.kind, error.code)  # noqa: TRY400
        end_turn(grant)
        raise
    store(grant, tokens, single_use=renewal.single_use)


def store(grant: Grant, tokens: Tokens, *, single_use: bool = False) -> None:
    """Without a new refresh token the old one stays, unless it was good for once."""
    now = timezone.now()
    fields: dict[str, object] = {
        "access_token": tokens.access_token,
        "issued_at": now,
        "expires_at": tokens.expires_at,
        "renewing_since": None,
        "refresh_spent_at": None,
        "updated_at": now,
    }
    if tokens.refresh_token or single_use:
        fields["refresh_token"] = tokens.refresh_token
    if tokens.refresh_expires_at:
        fields["refresh_expires_at"] = tokens.refresh_expires_at
    write_in_turn(grant, fields)


def end_turn(grant: Grant, *, spent: bool = False, **fields: None) -> None:
    """spent: it must not be sent again."""
    spent_at = (grant.refresh_spent_at or timezone.now()) if spent else None
    changes: dict[str, object] = {"renewing_since": None, "refresh_spent_at": spent_at, **fields}
    write_in_turn(grant, changes)


def write_in_turn(grant: Grant, fields: dict[str, object]) -> None:
    """A person who consented again meanwhile has ended our turn: what they brought stays."""
    Grant.objects.filter(pk=grant.pk, renewing_since=grant.renewing_since).update(**fields)
    connection_cache.forget_grants([grant.pk])
    read_again(grant)


def read_again(grant: Grant) -> None:
    """Raises ReconnectError when a person has taken the account off meanwhile."""
    try:
        grant.refresh_from_db()
    except Grant.DoesNotExist as error:
        raise ReconnectError(_("It was disconnected meanwhile. Connect it again.")) from error


def wait_for_turn(grant: Grant, renewal: Renewal) -> None:
    """The token has run out and another worker is renewing it: a moment of patience, then the new one."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        read_again(grant)
        if not has_expired(grant):
            return
        if not is_at_work(grant):
            if is_renewable(grant, renewal):
                break  # the network could not be reached: no reason to ask a person
            return
        time.sleep(LOOK_SECONDS)
    raise TemporaryError(_("The access is just being renewed. It is tried again by itself."))
