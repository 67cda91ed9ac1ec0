"""How much of Meta's limits each account has used, as its answers tell. Kept in the cache: only the newest matters.

Near the limit we stop reading in the background, so that what is left serves people who publish or look.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.models import ConnectedAccount
from socialhub.platforms import INSTAGRAM_LOGIN
from socialhub.platforms.http import Usage

logger = logging.getLogger(__name__)

HOLD_PERCENT = 95
KEPT_SECONDS = 3600  # Meta counts over an hour
HOLD = timedelta(minutes=10)  # where Meta does not say when it is over
APP = "app"
LOGINS = ("meta", INSTAGRAM_LOGIN)  # whose answers tell


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer told about the use of a limit. until: when it is worth asking again, where it is nearly used up."""

    percent: int
    at: datetime
    until: datetime | None = None


def note(usage: Usage) -> None:
    """Keep what an answer has told. Called in the middle of calls, so it never raises."""
    now = timezone.now()
    # Of several words about one account the one that is nearest to its end comes last, and stays.
    accounts = sorted(usage.accounts, key=lambda one: (one.percent, one.regain_seconds))
    told = {key_of(one.account_id): _told(one.percent, one.regain_seconds, now) for one in accounts}
    if usage.app_percent is not None:
        told[key_of(APP)] = _told(usage.app_percent, 0, now)
    try:
        cache.set_many(told, KEPT_SECONDS)
    except RedisError:
        logger.debug("the cache does not answer; what Meta told about its limits is not kept")


def note_instagram(usage: Usage) -> None:
    """The same for Instagram's own login: its app is another one than Meta's, and none that we look at."""
    note(replace(usage, app_percent=None))


def key_of(account_id: str) -> str:
    return f"meta-usage:{account_id}"


def _told(percent: int, regain_seconds: float, now: datetime) -> Told:
    if percent < HOLD_PERCENT and not regain_seconds:
        return Told(percent, now)
    return Told(percent, now, now + max(timedelta(seconds=regain_seconds), HOLD))


def told_of(account_id: str) -> Told | None:
    """The newest word about an account's limit, or about the app's (`APP`)."""
    try:
        told: Told | None = cache.get(key_of(account_id))
    except RedisError:
        return None
    return told


def held_until(account: ConnectedAccount) -> datetime | None:
    """Until when this account must not be read in the background; None when it may."""
    if account.login_kind not in LOGINS:
        return None
    now = timezone.now()
    limits = (account.platform_account_id, APP) if account.login_kind == "meta" else (account.platform_account_id,)
    ends = [told.until for account_id in limits if (told := told_of(account_id)) and told.until and told.until > now]
    return max(ends, default=None)
