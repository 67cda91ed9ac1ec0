"""After a restore: what the backup takes for unpublished may have gone out since it was made.

The rows of a backup know nothing of what happened between it and the end of the installation that it came from. Whatever
could still go out may be out: what was due since, what somebody has published ahead of its time, a failed post that was
tried again. So everything that a worker would send is marked as announced at the moment of the backup, which is what
publications are whose answer was lost, and goes the way of those: the network is looked at first; what is there is taken
for published; where absence cannot be known, a person decides; what is surely absent goes out by its late policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import Count, F, Func, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.language import speaking_to
from accounts.models import Notification, Workspace
from accounts.notify import tell
from publishing.job import RESTORED_AT
from publishing.models import FollowUp, PostAssembly, Publication, QueueEntry, Status
from publishing.settle import check_delay
from socialhub.platforms import PLATFORMS

WAITING = (Status.SCHEDULED, Status.QUEUED, Status.PUBLISHING, Status.CHECKING)
REASON = gettext_noop("Restored from a backup. The network is looked at first, since it may be out already.")
TOLD = "restored:"
TOLD_KEPT = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Doubts:
    """waiting: publications that are looked for before they go out; open: drafts and failed ones, that people act upon."""

    waiting: int
    open: int
    comments: int
    assemblies: int


def doubt_everything(since: datetime, *, planned_too: bool = True) -> Doubts:
    """Nothing of what was not out at `since` is sent before it was looked for. Inside the caller's transaction, so that
    no worker ever sees these rows without their marks.

    planned_too: also what is planned for later than now; without it, it is taken for sure that nobody has published any
    of it ahead of its time.
    """
    now = timezone.now()
    with transaction.atomic():
        later = Q() if planned_too else ~Q(status=Status.SCHEDULED, queue_entry__due_at__gt=now)
        waiting = mark(Publication.objects.filter(later, status__in=WAITING, queue_entry__isnull=False), since, now)
        # People are told on the page before they send one of these; a retry looks first.
        opened = mark(Publication.objects.filter(status__in=(Status.DRAFT, Status.FAILED)), since, now)
        let_go(now)
        comments = FollowUp.objects.filter(kind=FollowUp.Kind.COMMENT, done_at=None)
        number = comments.update(began_at=Coalesce("began_at", now), lease_until=None)
        doubts = Doubts(waiting, opened, number, stop_assemblies(now))
        tell_people(since)
    return doubts


def mark(publications: QuerySet[Publication], since: datetime, now: datetime) -> int:
    """It may have been sent from `since` on, and until `now`."""
    until = Value({RESTORED_AT: now.isoformat()}, models.JSONField())
    handles = Func(
        F("handles"), until, template="(%(expressions)s)", arg_joiner=" || ", output_field=models.JSONField()
    )
    pks = list(publications.values_list("pk", flat=True))
    return Publication.objects.filter(pk__in=pks).update(
        committing_at=Coalesce("committing_at", since), handles=handles
    )


def let_go(now: datetime) -> None:
    """Nobody holds an entry any more. What was published in the last moments is given the time to appear at its network,
    as a look before that would take it for absent."""
    QueueEntry.objects.update(lease_until=None, worker="")
    doubted = QueueEntry.objects.filter(publication__committing_at__isnull=False)
    for key, platform in PLATFORMS.items():
        settled = now + check_delay(platform.absent_after_seconds)
        doubted.filter(account__platform=key, not_before__lt=settled).update(not_before=settled)
    doubted.filter(held=False).update(wait_reason=REASON)


def stop_assemblies(now: datetime) -> int:
    """Posts that waited for their files: what became of them nobody here knows."""
    found = PostAssembly.objects.filter(failed_at=None).select_related("post__workspace")
    for row in found:
        with speaking_to(row.post.workspace):
            row.message = _(
                "It waited for its files when the backup was made that this installation was restored from. It may be out "
                "since. Look at the accounts, then send it on its way again."
            )
        row.failed_at = now
        row.save(update_fields=["failed_at", "message"])
    return len(found)


def tell_people(since: datetime) -> None:
    """Each workspace that has something to look after, in its language."""
    doubted = Q(posts__publications__committing_at__isnull=False)
    waiting = Count("posts__publications", filter=doubted & Q(posts__publications__status__in=WAITING))
    for workspace in Workspace.objects.annotate(waiting=waiting).filter(waiting__gt=0):
        with speaking_to(workspace):
            when = date_format(timezone.localtime(since), "DATETIME_FORMAT")
            tell(
                workspace,
                Notification.Kind.DECISION_NEEDED,
                f"{TOLD}{since.isoformat()}",
                title=_("socialhub was restored from a backup"),
                body=_(
                    "What was written, changed or published since %(when)s (UTC) is missing here. %(number)d posts that "
                    "wait for their time may be out already: each is looked for at its network before it goes out, and "
                    "where that cannot be known, you are asked. Drafts and failed posts from before that time may be out as "
                    "well; look at the account before you publish one of them."
                )
                % {"when": when, "number": workspace.waiting},
                url="/posts/?status=scheduled",
            )


def settle_told() -> int:
    """By then whoever wanted to know it knows it."""
    old = Notification.objects.filter(
        incident__startswith=TOLD, resolved_at=None, created_at__lt=timezone.now() - TOLD_KEPT
    )
    return old.update(resolved_at=timezone.now())
