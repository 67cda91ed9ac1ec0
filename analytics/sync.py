"""Reading accounts and posts whose turn it is: part by part, counted, with trouble that people are told of.

Each account is read by one worker at a time (`cadence`). What is read and how it becomes rows stands in `ingest`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.clients import client_of
from accounts.language import speaking_to
from accounts.models import ConnectedAccount, Notification
from accounts.notify import settle, tell
from accounts.tokens import with_access
from analytics import cached, cadence
from analytics.cadence import Claim, LeaseLost
from analytics.ingest.accounts import Part, parts_of
from analytics.ingest.posts import POSTS_PER_CLAIM, adopt_published, claim_posts, put_off, sync_posts
from analytics.ingest.trouble import log_trouble
from analytics.models import AccountSync, PlatformPost
from publishing import limits
from socialhub.about import about
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
from socialhub.platforms.http import counting

logger = logging.getLogger(__name__)

MOST_FAILURES = 6  # readings in a row that came to nothing, about as many hours, before people are told
SHARED = (
    ReconnectError,
    LimitedError,
    TemporaryError,
    AccountBlockedError,
    OperatorError,
)  # the next part meets the same


@dataclass(slots=True)
class Outcome:
    """What came of a reading. ended_by: what kept the rest from being read."""

    troubles: list[str]
    ended_by: PlatformError | None = None

    @property
    def words(self) -> str:
        return " ".join(dict.fromkeys(self.troubles))


def sync(account_id: UUID, *, full: bool = False) -> bool:
    """Read one account and those of its posts that are due.

    full: everything, however lately it was read, because a person asks. Returns False when there is nothing to do:
    another worker is at it, the account cannot be read or gives way, or its figures of this hour are known.
    """
    account = _readable(account_id)
    if account is None or (claim := cadence.claim(account)) is None:
        return False
    if full and not claim.is_asked:
        claim.row.asked_at, claim.row.started_at = timezone.now(), None
    return _run(account, claim)


def read_next() -> bool:
    """Read the account whose turn has come first. False when it is nobody's turn."""
    claim = cadence.claim_next()
    if claim is None:
        return False
    account = _readable(claim.account_id)
    if account is None:
        cadence.put_back(claim, timezone.now() + cadence.HOUR)
    else:
        _run(account, claim)
    return True


def _readable(account_id: UUID) -> ConnectedAccount | None:
    accounts = ConnectedAccount.objects.usable().filter(workspace__deleting_at=None)
    return accounts.select_related("workspace", "credential__grant").filter(pk=account_id).first()


def _run(account: ConnectedAccount, claim: Claim) -> bool:
    turn = cadence.next_turn(account, timezone.now())
    with about(account=account.pk, workspace=account.workspace_id), speaking_to(account.workspace):
        try:
            return _read_unless_known(account, claim, turn)
        except LeaseLost:
            logger.info("account %s is being read by another worker", account.pk)
        except (OperationalError, InterfaceError) as error:  # away: its lease runs out, and it is read then
            logger.warning("the reading of account %s was cut short by the database: %r", account.pk, error)
        except Exception:  # one account must not keep the others from being read, nor come again at once
            logger.exception("the reading of account %s broke", account.pk)
            _unexpected(account)
            cadence.finish(claim, turn)
    return True


def _read_unless_known(account: ConnectedAccount, claim: Claim, turn: datetime) -> bool:
    now, asked = timezone.now(), claim.is_asked
    if not asked and not claim.goes_on and cadence.is_known(account, now):
        cadence.put_back(claim, turn)  # the same message came twice
        return False
    if until := cadence.waits_until(account, asked=asked, now=now):
        if asked:
            _say_until_when(account, until)
        cadence.put_back(claim, until, answered=asked)
        return False
    # A run that was cut short is gone on with as it was begun.
    began = claim.row.started_at if claim.goes_on else None
    full = asked or cadence.wants_all(account, claim.row, began or now)
    try:
        outcome = sync_account(account, full=full, asked=asked, claim=claim)
    finally:
        cached.forget([account.workspace_id])
    end = getattr(outcome.ended_by, "until", None)
    if end and end > now:
        turn = end + cadence.offset_of(account.pk) / 60  # not all of them in the same second
    cadence.finish(claim, turn, **({"full_at": timezone.now()} if full and outcome.ended_by is None else {}))
    return True


def _say_until_when(account: ConnectedAccount, until: datetime) -> None:
    """Somebody has asked for it, and shall not wait in vain."""
    account.sync_error = _(
        "Its network's limit of calls is nearly used up, so it is not read before %(when)s. Posts still go out."
    ) % {"when": date_format(timezone.localtime(until), "DATETIME_FORMAT")}
    ConnectedAccount.objects.filter(pk=account.pk).update(sync_error=account.sync_error)


def _unexpected(account: ConnectedAccount) -> None:
    account.sync_error = _("Something unexpected went wrong here. Whoever runs this server finds it in the log.")
    ConnectedAccount.objects.filter(pk=account.pk).update(sync_error=account.sync_error)
    _count_failure(account, account.sync_error)


def sync_account(
    account: ConnectedAccount, *, full: bool = True, asked: bool = False, claim: Claim | None = None
) -> Outcome:
    """What changes by the hour; with `full` also days, posts and audience.

    Trouble is written to `sync_error` in plain words; what was read before or in spite of it counts. `last_synced_at`
    says when the totals were read last. claim: the parts are noted in it one by one, and those it has are left out.
    """
    platform = client_of(account)
    if claim:
        account.sync = claim.row
    parts = {part.key: part for part in parts_of(account, platform, full=full, asked=asked)}
    missing = cadence.begin(claim, list(parts)) if claim else list(parts)
    outcome = Outcome([])

    def read(access: Access) -> None:
        while missing:  # with a renewed access it goes on where it stood
            _read_part(account, platform, access, parts[missing[0]], missing[1:], outcome, claim)
            del missing[0]

    try:
        with_access(account, read)
    except PlatformError as error:
        outcome.ended_by = error
        outcome.troubles.append(error.message)
        log_trouble(account, error)
    _conclude(account, outcome, full=full)
    return outcome


def _read_part(
    account: ConnectedAccount,
    platform: Platform,
    access: Access,
    part: Part,
    others: Sequence[str],
    outcome: Outcome,
    claim: Claim | None,
) -> None:
    """One part. Its calls count whatever comes of them."""
    found: Sequence[PlatformError] = ()
    with counting() as calls:
        try:
            found = part.act(account, platform, access)
        except SHARED:
            limits.count_reads(account, calls.number)
            if claim:
                cadence.part_failed(claim, calls.number)
            raise
        except PlatformError as error:
            found = (error,)
    for trouble in found:
        log_trouble(account, trouble)
        outcome.troubles.append(trouble.message)
    limits.count_reads(account, calls.number)
    if claim:
        cadence.part_done(claim, part.key, others[0] if others else "", calls.number)


def _conclude(account: ConnectedAccount, outcome: Outcome, *, full: bool) -> None:
    # A lost access has a word of its own; what we put off ourselves is no failure; what only whoever runs the server
    # can mend has been told to them.
    is_excused = isinstance(outcome.ended_by, ReconnectError | PutOffError | OperatorError)
    if outcome.troubles and not is_excused:
        _count_failure(account, outcome.words)
    elif full and not outcome.troubles:
        _readable_again(account)
    account.sync_error = outcome.words
    ConnectedAccount.objects.filter(pk=account.pk).update(sync_error=account.sync_error)


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


# --- What the jobs find to do ---------------------------------------------------------------------------------


def accounts_due() -> list[UUID]:
    """Whose turn has come, the longest waiting first. Those that were just connected are among them from now on."""
    cadence.enlist()
    rows = cadence.due(timezone.now()).order_by(F("next_at").asc(nulls_first=True), "pk")
    return list(rows.values_list("pk", flat=True))


def sync_due(seconds: float = 45) -> int:
    """Adopt what was published and read the figures of posts that are due. Returns how many it were.

    Claims in small portions and stops after `seconds`, so that the run of the next minute can go on.
    """
    adopt_published()
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end and (posts := claim_posts(POSTS_PER_CLAIM)):
        is_full = len(posts) == POSTS_PER_CLAIM
        number += len(posts)
        posts.sort(key=lambda post: (post.account_id, post.platform_post_id))
        accounts = ConnectedAccount.objects.select_related("workspace", "credential__grant").in_bulk(
            {post.account_id for post in posts}
        )
        for account_id, group in groupby(posts, key=lambda post: post.account_id):
            if account := accounts.get(account_id):  # it may have been deleted meanwhile
                # What else is due on the account comes along: one listing tells all of it.
                more = claim_posts(POSTS_PER_CLAIM, account=account) if is_full else []
                number += len(more)
                _sync_posts_alone(account, [*group, *more])
    return number


def _sync_posts_alone(account: ConnectedAccount, posts: Sequence[PlatformPost]) -> None:
    now = timezone.now()
    if until := cadence.waits_until(account, asked=False, now=now):
        put_off(posts, LimitedError(_("The limit of the network is nearly used up."), until=until))
        return
    with counting() as calls:
        try:
            with speaking_to(account.workspace):
                sync_posts(account, posts)
        except Exception:
            logger.exception("figures of the posts of account %s", account.pk)
    cached.forget([account.workspace_id])
    limits.count_reads(account, calls.number)
    cadence.count_calls(account.pk, calls.number)
