"""Renewing the access of a grant before it runs out: one worker at a time, the others wait and read again.

A refresh token that is good once (Buffer's) is marked as spent before it leaves the house. When the answer is lost, it
is never sent again: the access that we hold serves to its end, and then the person is asked to connect again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.clients import buffer, linkedin
from accounts.keys import reveal
from accounts.models import Grant
from socialhub.platforms.base import Tokens
from socialhub.platforms.errors import OutcomeUnknownError, PlatformError, ReconnectError, TemporaryError

logger = logging.getLogger(__name__)

DEAD_AFTER = timedelta(seconds=120)  # whoever began to renew and is not done by then has died over it
WAIT_SECONDS = 15.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Renewal:
    """How a provider renews.

    renew: from the refresh token to new tokens. ahead: how long before the end. single_use: each refresh token once.
    """

    renew: Callable[[str], Tokens]
    ahead: timedelta
    single_use: bool = False


# By Grant.provider; those that are not here cannot be renewed.
RENEWALS: dict[str, Renewal] = {
    # From the 45th of 60 days on. The refresh token stays the same, and only some apps get one.
    "linkedin": Renewal(lambda token: linkedin().refresh(token), ahead=timedelta(days=15)),
    "buffer": Renewal(lambda token: buffer().refresh(token), ahead=timedelta(minutes=10), single_use=True),
}


def usable_token(grant: Grant) -> str:
    """The access token of the grant, renewed first when it is about to run out.

    Never call it inside a transaction: the new token must be stored whatever happens afterwards. Raises ReconnectError,
    and TemporaryError when another worker is at it for too long or the network cannot be reached.
    """
    renewal = RENEWALS.get(grant.provider)
    if renewal and is_due(grant, renewal):
        if take_turn(grant, renewal):
            renew(grant, renewal)
        elif has_expired(grant):
            wait_for_turn(grant)
    if has_expired(grant):
        raise ReconnectError(_("The access has run out and could not be renewed. Connect it again."))
    return reveal(grant.access_token)


def has_expired(grant: Grant) -> bool:
    return grant.expires_at is not None and grant.expires_at <= timezone.now()


def is_due(grant: Grant, renewal: Renewal) -> bool:
    """It ends soon, and there is something to renew it with."""
    now = timezone.now()
    if grant.expires_at is None or grant.expires_at - now > renewal.ahead or grant.refresh_token is None:
        return False
    if renewal.single_use and grant.refresh_spent_at is not None and not is_at_work(grant):
        return False  # its answer was lost
    return grant.refresh_expires_at is None or grant.refresh_expires_at > now


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
    """The one request. The new tokens are stored before anything else happens with them."""
    try:
        tokens = renewal.renew(reveal(grant.refresh_token))
    except OutcomeUnknownError:
        logger.warning("grant %s: the answer to the refresh was lost", grant.pk)
        end_turn(grant, spent=renewal.single_use)
    except TemporaryError as error:
        logger.info("grant %s was not renewed: %s", grant.pk, error.kind)
        end_turn(grant)
        if has_expired(grant):
            raise
    except ReconnectError:
        logger.warning("grant %s cannot be renewed any more", grant.pk)
        end_turn(grant, refresh_token=None)  # what we hold may be good until its end; if not, the next call says so
        if has_expired(grant):
            raise
    except PlatformError as error:
        # A fault of ours, such as a wrong secret: what we hold is good until its end all the same.
        logger.error("grant %s could not be renewed: %s %s", grant.pk, error.kind, error.code)  # noqa: TRY400
        end_turn(grant)
        if has_expired(grant):
            raise
    else:
        store(grant, tokens, single_use=renewal.single_use)


def store(grant: Grant, tokens: Tokens, *, single_use: bool = False) -> None:
    """Without a new refresh token the old one stays, unless it was good for once."""
    fields: dict[str, object] = {
        "access_token": tokens.access_token,
        "expires_at": tokens.expires_at,
        "renewing_since": None,
        "refresh_spent_at": None,
        "updated_at": timezone.now(),
    }
    if tokens.refresh_token or single_use:
        fields["refresh_token"] = tokens.refresh_token
    if tokens.refresh_expires_at:
        fields["refresh_expires_at"] = tokens.refresh_expires_at
    write_in_turn(grant, fields)


def end_turn(grant: Grant, *, spent: bool = False, **fields: None) -> None:
    changes: dict[str, object] = {"renewing_since": None, **fields}
    if not spent:
        changes["refresh_spent_at"] = None
    write_in_turn(grant, changes)


def write_in_turn(grant: Grant, fields: dict[str, object]) -> None:
    """A person who consented again meanwhile has ended our turn: what they brought stays."""
    Grant.objects.filter(pk=grant.pk, renewing_since=grant.renewing_since).update(**fields)
    grant.refresh_from_db()


def wait_for_turn(grant: Grant) -> None:
    """The token has run out and another worker is renewing it: a moment of patience, then the new one."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        grant.refresh_from_db()
        if not has_expired(grant) or not is_at_work(grant):
            return
        time.sleep(LOOK_SECONDS)
    raise TemporaryError(_("The access is just being renewed. It is tried again by itself."))
