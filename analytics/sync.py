"""When which account is read, and by whom: claims, cadence, trouble that people are told of.

Each account is read by one worker at a time (`AccountSync`). What is read and how it becomes rows stands in `ingest`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.clients import client_of
from accounts.language import speaking_to
from accounts.models import ConnectedAccount, Notification
from accounts.notify import settle, tell
from accounts.tokens import with_access
from accounts.usage import held_until
from analytics.ingest.accounts import hour_of, hour_start, read_quota, read_today, read_totals, read_yesterday
from analytics.ingest.posts import (
    CLAIM,
    POSTS_PER_CLAIM,
    adopt_published,
    claim_posts,
    put_off,
    read_posts,
    sync_posts,
)
from analytics.ingest.trouble import log_trouble
from analytics.models import AccountSync, InsightWindow, PlatformPost
from socialhub.platforms import PLATFORMS
from socialhub.platforms.base import Access, Platform
from socialhub.platforms.errors import (
    AccountBlockedError,
    LimitedError,
    OperatorError,
    PlatformError,
    PutOffError,
    ReconnectError,
    TemporaryError,
)

logger = logging.getLogger(__name__)

# An hourly reading of the totals costs one call. The rest costs more and changes less; together that stays below two
# calls per account and hour.
FULL_EVERY = timedelta(hours=3)
FULL_SLACK = timedelta(minutes=10)  # the hourly job is not punctual to the second
MOST_FAILURES = 6  # readings in a row that came to nothing, about as many hours, before people are told

Part = Callable[[ConnectedAccount, Platform, Access], None]


def sync(account_id: UUID, *, full: bool = False) -> bool:
    """Read one account and those of its posts that are due; what the jobs and "Sync now" run.

    full: everything, however lately it was read, because a person asks. Returns False when there is nothing to do:
    another worker is at it, the account cannot be read or is near a limit, or its totals of this hour are known.
    """
    account = (
        ConnectedAccount.objects.usable().select_related("workspace", "credential__grant").filter(pk=account_id).first()
    )
    if account is None:
        return False
    with speaking_to(account.workspace):
        return _sync(account, full=full)


def _sync(account: ConnectedAccount, *, full: bool) -> bool:
    if until := held_until(account, asked_for=full):
        # What is left of the network's limit is for people who publish or look, and at its end for posts alone.
        if full:
            _say_until_when(account, until)
        return False
    row, _made = AccountSync.objects.get_or_create(account=account)
    if not (until := _claim(account)):
        return False
    try:
        if not full and InsightWindow.objects.filter(**hour_of(account, timezone.now())).exists():
            return False  # the same message came twice
        old = timezone.now() - FULL_EVERY + FULL_SLACK
        sync_account(account, full=full or row.full_at is None or row.full_at <= old)
        if account.is_connected:
            sync_posts(account, claim_posts(POSTS_PER_CLAIM, account=account, recent=full))
    finally:
        AccountSync.objects.filter(account=account, claimed_until=until).update(claimed_until=None)
    return True


def _say_until_when(account: ConnectedAccount, until: datetime) -> None:
    """Somebody has asked for it, and shall not wait in vain."""
    account.sync_error = _(
        "Its network's limit of calls is nearly used up, so it is not read before %(when)s. Posts still go out."
    ) % {"when": date_format(timezone.localtime(until), "DATETIME_FORMAT")}
    ConnectedAccount.objects.filter(pk=account.pk).update(sync_error=account.sync_error)


def _claim(account: ConnectedAccount) -> datetime | None:
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    until = now + CLAIM
    return until if AccountSync.objects.filter(free, account=account).update(claimed_until=until) else None


def sync_account(account: ConnectedAccount, *, full: bool = True) -> None:
    """Totals of the account; with `full` also the figures of its days and its newest posts.

    Trouble is written to `sync_error` in plain words; what was read before or in spite of it counts. `last_synced_at`
    says when the totals were read last.
    """
    troubles: list[str] = []
    parts: list[Part] = [read_totals]
    if full:
        parts += [read_yesterday, read_today, read_posts, read_quota]
    platform = client_of(account)

    def read(access: Access) -> None:
        while parts:  # with a renewed access it goes on where it stood
            try:
                parts[0](account, platform, access)
            except (ReconnectError, LimitedError, TemporaryError, AccountBlockedError, OperatorError):
                raise  # the next part would meet the same
            except PlatformError as error:
                log_trouble(account, error)
                troubles.append(error.message)
            del parts[0]

    try:
        with_access(account, read)
    except PlatformError as error:
        troubles.append(error.message)
        log_trouble(account, error)
        # A lost access has a word of its own; what we put off ourselves is no failure; what only whoever runs the server
        # can mend has been told to them.
        if not isinstance(error, ReconnectError | PutOffError | OperatorError):
            _count_failure(account, error.message)
    else:
        _read_through(account, troubles, full=full)
    account.sync_error = " ".join(dict.fromkeys(troubles))
    ConnectedAccount.objects.filter(pk=account.pk).update(sync_error=account.sync_error)


def _read_through(account: ConnectedAccount, troubles: list[str], *, full: bool) -> None:
    """Nothing ended the reading; single parts may have had their trouble."""
    if troubles:
        _count_failure(account, " ".join(dict.fromkeys(troubles)))
    elif full:
        _readable_again(account)
    if full:
        AccountSync.objects.update_or_create(account=account, defaults={"full_at": timezone.now()})


def incident_of(account: ConnectedAccount) -> str:
    return f"insights:{account.pk}"


def _count_failure(account: ConnectedAccount, reason: str) -> None:
    """After some readings that came to nothing, or to less than they should, its people are told."""
    row, _made = AccountSync.objects.get_or_create(account=account)
    AccountSync.objects.filter(account=account).update(failures=F("failures") + 1)
    if row.failures + 1 < MOST_FAILURES:
        return
    tell(
        account.workspace,
        Notification.Kind.INSIGHTS,
        incident_of(account),
        title=_("No new figures of %(name)s") % {"name": account.name},
        body=_(
            "The figures could not be read %(count)d times in a row. %(reason)s What was read before stays; publishing "
            "is not touched. It is tried again every hour."
        )
        % {"count": row.failures + 1, "reason": reason},
        url=reverse("accounts:social"),
        account=account,
    )


def _readable_again(account: ConnectedAccount) -> None:
    AccountSync.objects.filter(account=account).exclude(failures=0).update(failures=0)
    settle(account.workspace, incident_of(account))


def accounts_due() -> list[UUID]:
    """Connected accounts whose totals of this hour are not known yet, or where that is seldom, of this day."""
    known = InsightWindow.objects.filter(
        account=OuterRef("pk"), period=InsightWindow.Period.HOUR, window_start=hour_start(timezone.now())
    )
    usable = ConnectedAccount.objects.usable()
    for key, platform in PLATFORMS.items():
        if every := platform.figures_every_seconds:
            read = timezone.now() - timedelta(seconds=every) + FULL_SLACK
            usable = usable.exclude(platform=key, last_synced_at__gt=read)
    return list(usable.filter(~Exists(known)).order_by("last_synced_at", "pk").values_list("pk", flat=True))


def accounts_never_synced(limit: int = 20) -> list[UUID]:
    """Just connected. One whose first reading failed waits for its hour like all others."""
    now = timezone.now()
    fresh = ConnectedAccount.objects.usable().filter(last_synced_at=None, sync_error="")
    free = Q(sync=None) | Q(sync__claimed_until=None) | Q(sync__claimed_until__lte=now)
    return list(fresh.filter(free).order_by("connected_at").values_list("pk", flat=True)[:limit])


def sync_due(seconds: float = 45) -> int:
    """Adopt what was published and read the figures of posts that are due. Returns how many it were.

    Claims in small portions and stops after `seconds`, so that the run of the next minute can go on.
    """
    adopt_published()
    end = timezone.now() + timedelta(seconds=seconds)
    number = 0
    while timezone.now() < end and (posts := claim_posts(POSTS_PER_CLAIM)):
        number += len(posts)
        posts.sort(key=lambda post: (post.account_id, post.platform_post_id))
        accounts = ConnectedAccount.objects.select_related("workspace", "credential").in_bulk(
            {post.account_id for post in posts}
        )
        for account_id, group in groupby(posts, key=lambda post: post.account_id):
            _sync_posts_alone(accounts[account_id], list(group))
    return number


def _sync_posts_alone(account: ConnectedAccount, posts: Sequence[PlatformPost]) -> None:
    if until := held_until(account):
        put_off(posts, LimitedError(_("The limit of the network is nearly used up."), until=until))
        return
    try:
        with speaking_to(account.workspace):
            sync_posts(account, posts)
    except Exception:
        logger.exception("figures of the posts of account %s", account.pk)
