"""How much of a network's limits is used, as its answers tell.

Of Meta's accounts only the newest word matters, so it is kept in the cache. Near the limit nothing is read in the
background any more, so that what is left serves people who publish or look; nearer still it serves publishing alone.

What several accounts share by one client stands in the books of the floor above. Here it is only known whose token is whose.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.models import ConnectedAccount, Grant
from socialhub.platforms import INSTAGRAM_LOGIN
from socialhub.platforms.buffer import client_mark
from socialhub.platforms.http import Usage
from socialhub.platforms.rules import CLIENT_WINDOWS

logger = logging.getLogger(__name__)

PAUSE_PERCENT = 80  # from here on nothing is read in the background,
HOLD_PERCENT = 95  # and from here on nothing but publishing goes out
KEPT_SECONDS = 3600  # Meta counts over an hour
HOLD = timedelta(minutes=10)  # where Meta does not say when it is over
APP = "app"
CLIENTS_KEPT = 10_000
LOGINS = ("meta", INSTAGRAM_LOGIN)  # whose answers tell


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer told about the use of a limit. until: when it is worth asking again, where little is left of it."""

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
    if regain_seconds:  # it is used up, whatever the numbers say
        percent = max(percent, 100)
    if percent < PAUSE_PERCENT:
        return Told(percent, now)
    return Told(percent, now, now + max(timedelta(seconds=regain_seconds), HOLD))


def told_of(account_id: str) -> Told | None:
    """The newest word about an account's limit, or about the app's (`APP`)."""
    try:
        told: Told | None = cache.get(key_of(account_id))
    except RedisError:
        return None
    return told


def held_until(account: ConnectedAccount, *, asked_for: bool = False) -> datetime | None:
    """Until when this account must not be read; None when it may.

    asked_for: a person waits for it, who may use more of the limit than a job.
    """
    if account.login_kind not in LOGINS:
        return None
    now = timezone.now()
    most = HOLD_PERCENT if asked_for else PAUSE_PERCENT
    # The app behind Instagram's own login is another one than Meta's.
    limits = (account.platform_account_id, APP) if account.login_kind == "meta" else (account.platform_account_id,)
    ends = [
        told.until
        for account_id in limits
        if (told := told_of(account_id)) and told.percent >= most and told.until and told.until > now
    ]
    return max(ends, default=None)


# --- Clients ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Client:
    """Who is counted together by a network. subject: its name in the books; login: a key of accounts.providers."""

    subject: str
    login: str


_clients: OrderedDict[str, Client] = OrderedDict()  # by the marks of the tokens that this process has used
_lock = threading.Lock()


def subject_of(grant: Grant) -> str:
    """The name of the client that the grant's calls count for.

    A personal key, the only access without an end, is one of its own. Of an app nobody says whether all its users share one budget; each answer tells
    what is left, so taking them apart is set right by the next one, and taking them together would hold back many.
    """
    if settings.BUFFER_QUOTA_SHARED and grant.provider == "buffer" and grant.expires_at is not None:
        return f"app:{grant.provider}"
    return f"grant:{grant.pk}"


def remember(token: str, grant: Grant) -> None:
    """Whose token this is, for `client_behind`. Only its mark is kept, and only in this process."""
    if grant.provider not in CLIENT_WINDOWS:
        return
    mark = client_mark(token)
    with _lock:
        _clients[mark] = Client(subject_of(grant), grant.provider)
        _clients.move_to_end(mark)
        if len(_clients) > CLIENTS_KEPT:
            _clients.popitem(last=False)


def client_behind(mark: str) -> Client | None:
    """The client of a token that was used; None for one that somebody is just connecting with."""
    with _lock:
        return _clients.get(mark)
