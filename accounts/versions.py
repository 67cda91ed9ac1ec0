"""Whether the networks still serve the version that is set, asked before a post finds out."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q
from django.utils import timezone
from redis.exceptions import RedisError

from accounts import operators
from accounts.clients import linkedin
from accounts.models import ConnectedAccount, Grant
from accounts.renew import usable_token
from socialhub.platforms.errors import OperatorError, PermissionMissingError, PlatformError

logger = logging.getLogger(__name__)

WEEK = 7 * 86400  # seconds between two looks while nothing is wrong
LOOKED = "linkedin-version-looked"
MOST_GRANTS = 5  # consents to try before we leave it at that


def look() -> None:
    """Ask LinkedIn once a week, and at every call while it refuses. Meta tells with each answer what it served."""
    operators.look_at_linkedin_version()
    if not settings.LINKEDIN_CLIENT_ID or not (operators.linkedin_is_refused() or is_due()):
        return
    if ask() is None:
        logger.info("nobody's access serves to ask LinkedIn for its version")


def is_due() -> bool:
    try:
        return bool(cache.add(LOOKED, True, WEEK))
    except RedisError:
        return False


def ask() -> bool | None:
    """Whether LinkedIn serves the version that is set; None where nobody's access serves to ask. Never raises."""
    alive = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    used = Q(credentials__account__status=ConnectedAccount.Status.CONNECTED)
    grants = Grant.objects.filter(alive, used, provider="linkedin").order_by("-updated_at", "pk").distinct()
    for grant in grants[:MOST_GRANTS]:
        answer = ask_with(grant)
        if answer is not None:
            return answer
    return None


def ask_with(grant: Grant) -> bool | None:
    """The client tells `operators` what it hears."""
    try:
        linkedin().try_version(usable_token(grant))
    except OperatorError:
        return False
    except PermissionMissingError:
        # An app for members only may not ask this. But it was not the version that was refused, and if it comes to
        # that, the next post waits again.
        operators.linkedin_version_told(True)
        return True
    except PlatformError as error:
        logger.info("grant %s does not serve to look for the version: %s", grant.pk, error.kind)
        return None
    return True
