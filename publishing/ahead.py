"""A look at what is due within a quarter of an hour, while there is still time to do something about it.

The same checks as in the composer and in the worker, and what only shows now: an access that was withdrawn, a file that is
gone, a board that was deleted, a limit that is used up. Nothing is changed; the people are told once for each post.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.language import speaking_to
from accounts.models import ConnectedAccount, Notification
from accounts.notify import tell
from accounts.verify import verify
from publishing import checks, forecast, limits
from publishing.media import is_stored
from publishing.models import PostMedia, QueueEntry, Status
from socialhub.platforms import LABELS
from socialhub.platforms.errors import PlatformError

logger = logging.getLogger(__name__)

AHEAD = timedelta(minutes=15)
FRESH = timedelta(hours=1)  # an account that was looked at since then is not asked again
LONG_WAIT = timedelta(hours=1)  # a limit that holds a post back for longer is worth a word
BATCH = 200


def look_ahead() -> int:
    """Check what is due soon and was not checked yet; returns how many publications were looked at."""
    settle_mended()
    now = timezone.now()
    entries = list(
        QueueEntry.objects.filter(
            checked_at=None,
            lease_until=None,
            held=False,
            due_at__gt=now,
            due_at__lte=now + AHEAD,
            created_at__lt=F("due_at") - AHEAD,  # what was scheduled since has just been checked
            publication__status=Status.SCHEDULED,
        )
        .select_related("publication__post__workspace", "publication__account__workspace")
        .order_by("due_at")[:BATCH]
    )
    refresh({entry.account_id for entry in entries})
    for entry in entries:
        try:
            with speaking_to(entry.publication.post.workspace):
                look_at(entry)
        except Exception:  # one post must not keep the others from being looked at
            logger.exception("Publication %s could not be looked at ahead", entry.pk)
            QueueEntry.objects.filter(pk=entry.pk).update(checked_at=timezone.now())
    return len(entries)


def refresh(accounts: set[UUID]) -> None:
    """Ask the networks once for each account: is the access good, what does it offer now? What it means is noted there."""
    stale = ConnectedAccount.objects.usable().filter(pk__in=accounts, last_verified_at__lt=timezone.now() - FRESH)
    for account in stale.select_related("workspace", "credential__grant"):
        try:
            with speaking_to(account.workspace):
                verify(account)
        except PlatformError as error:
            logger.info("account %s was not verified ahead of its posts: %s", account.pk, error.kind)


def look_at(entry: QueueEntry) -> None:
    publication = entry.publication
    publication.account = ConnectedAccount.objects.select_related("workspace", "credential__grant").get(
        pk=entry.account_id
    )  # as it is after the look
    media = list(PostMedia.objects.filter(post=publication.post_id).select_related("media"))
    said = [*blocking(entry, media), *lost_files(media), *long_waits(entry, media)]
    with transaction.atomic():
        still = QueueEntry.objects.filter(pk=entry.pk, checked_at=None)
        if not still.update(checked_at=timezone.now(), trouble_ahead=bool(said)):
            return  # somebody else looked, or it is gone
        if said:
            report(entry, said)


def blocking(entry: QueueEntry, media: Sequence[PostMedia]) -> list[str]:
    publication = entry.publication
    found = [*checks.account_findings(publication.account), *checks.content_findings(publication, media)]
    return [str(finding.message) for finding in checks.blocking(found)]


def lost_files(media: Sequence[PostMedia]) -> list[str]:
    return [
        _("The file “%(name)s” is no longer stored. Take it out of the post, or upload it again.")
        % {"name": item.media.original_name}
        for item in media
        if not is_stored(item.media.file)
    ]


def long_waits(entry: QueueEntry, media: Sequence[PostMedia]) -> list[str]:
    account = entry.publication.account
    until = limits.room_at(account, forecast.calls_of(entry.publication, media))
    if until is None or until - entry.due_at < LONG_WAIT:
        return []
    return [
        _("The limit of %(account)s is used up: it will wait until %(when)s.")
        % {"account": account.handle, "when": date_format(timezone.localtime(until), "DATETIME_FORMAT")}
    ]


def report(entry: QueueEntry, said: Sequence[str]) -> None:
    publication = entry.publication
    post, account = publication.post, publication.account
    due = date_format(entry.due_at.astimezone(post.zone), "TIME_FORMAT")
    tell(
        post.workspace,
        Notification.Kind.AHEAD,
        incident_of(entry),
        title=_("A post for %(account)s is due at %(time)s and will not go out as it is")
        % {"account": account.handle, "time": f"{due} ({post.time_zone})"},
        body="\n".join(said)
        + "\n"
        + _("Put it right before then, or give it another time. Network: %(network)s.")
        % {"network": LABELS[account.platform]},
        url=post.get_absolute_url(),
        account=account,
    )


def incident_of(entry: QueueEntry) -> str:
    return f"ahead:{entry.pk}"


def settle_mended() -> int:
    """What was told is over when the post is out, was changed, or is not in the queue any more."""
    told = Notification.objects.filter(kind=Notification.Kind.AHEAD, resolved_at=None)
    incidents = dict(told.values_list("incident", "pk"))
    troubled = QueueEntry.objects.filter(trouble_ahead=True, pk__in=[key.partition(":")[2] for key in incidents])
    still = {incident_of(entry) for entry in troubled}
    over = [pk for incident, pk in incidents.items() if incident not in still]
    return Notification.objects.filter(pk__in=over).update(resolved_at=timezone.now())
