"""What people do with posts and publications: schedule, reschedule, publish now, cancel, retry, decide, look again.

All of them are moves of the state machine together with the queue entry that belongs to the new state. They raise
LostRace when a worker or another person was faster; nothing is changed then.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.clients import client_of
from accounts.models import User
from accounts.notify import settle as settle_notification
from accounts.tokens import access_for
from accounts.wake import wake
from publishing.follow_ups import expect_comment
from publishing.models import Post, Publication, QueueEntry, Status
from publishing.nudges import nudge
from publishing.settle import FOLLOW_UP, incident_of
from publishing.states import GIVEN_UP, LostRace, move, move_along
from socialhub.platforms.errors import PlatformError
from socialhub.platforms.text import address

logger = logging.getLogger(__name__)

Priority = QueueEntry.Priority
FARTHEST = timedelta(days=730)  # ahead: no post is given a later time
UNTOUCHED: dict[str, Any] = {  # what an earlier try left behind does not fit a post that was edited since
    "handles": {},
    "committing_at": None,
    "progress_label": "",
    "progress_done": 0,
    "progress_total": 0,
    "error_kind": "",
    "error_message": "",
    "platform_message": "",
}


def is_too_far(at: datetime) -> bool:
    """A day more than anybody can choose, since somewhere it is still yesterday."""
    return at - timezone.now() > FARTHEST + timedelta(days=1)


class CannotDecide(Exception):
    """The answer does not fit; the message says what is missing."""


def schedule(
    post: Post, at: datetime, *, by: User | None, late_hours: int | None = None, priority: Priority = Priority.SCHEDULED
) -> list[UUID]:
    """Send all drafts of the post on their way at `at` (aware). Returns the publications that were scheduled."""
    now = timezone.now()
    at = max(at, now)
    with transaction.atomic():
        drafts = list(post.publications.filter(status=Status.DRAFT).values_list("pk", flat=True))
        moved = move_along(
            drafts,
            [Status.DRAFT, Status.SCHEDULED],
            reasons=[_scheduled_reason(post, at, priority)],
            actor=by,
            scheduled_at=at,
            **UNTOUCHED,
        )
        if not moved:
            raise LostRace(f"post {post.pk} has no drafts")
        post.scheduled_at = at
        post.late_hours = settings.PUBLISH_LATE_HOURS if late_hours is None else late_hours
        post.save(update_fields=["scheduled_at", "late_hours", "updated_at"])
        accounts = dict(Publication.objects.filter(pk__in=moved).values_list("pk", "account_id"))
        QueueEntry.objects.bulk_create(
            QueueEntry(publication_id=pk, account_id=account, priority=priority, not_before=at, due_at=at)
            for pk, account in accounts.items()
        )
        nudge(at - now)
    post.refresh_from_db(fields=["status"])
    return moved


def publish_now(post: Post, *, by: User | None) -> list[UUID]:
    """Schedule for now, ahead of scheduled work."""
    return schedule(post, timezone.now(), by=by, priority=Priority.NOW)


def cancel(post: Post, *, by: User | None) -> list[UUID]:
    """Back to draft, all publications that no worker has begun. Raises LostRace when there is none of these."""
    with transaction.atomic():
        entries = list(
            QueueEntry.objects.select_for_update(of=("self",))  # the publications after all of them, by the move
            .filter(publication__post=post, publication__status=Status.SCHEDULED, lease_until__isnull=True)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        moved = move_along(
            entries,
            [Status.SCHEDULED, Status.DRAFT],
            reasons=[_("Cancelled.")],
            actor=by,
            scheduled_at=None,
        )
        if not moved:
            raise LostRace(f"nothing of post {post.pk} can be cancelled any more")
        QueueEntry.objects.filter(pk__in=moved).delete()
    post.refresh_from_db(fields=["status"])
    return moved


def reschedule(post: Post, at: datetime, *, by: User | None) -> list[UUID]:
    """Move what waits for its time to another one; of a draft, the time that is planned for it.

    What a worker has begun, and what is out, stays as it is. What was prepared already is kept: the post is the same.
    at: aware; a moment that is over means now. Returns the publications that were moved, none for a draft. Raises
    LostRace when nothing of the post waits any more.
    """
    now = timezone.now()
    at = max(at, now)
    with transaction.atomic():
        entries = list(
            QueueEntry.objects.select_for_update(of=("self",))  # the publications after all of them, by the move
            .filter(publication__post=post, publication__status=Status.SCHEDULED, lease_until__isnull=True)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        moved = move_along(
            entries,
            [Status.SCHEDULED, Status.DRAFT, Status.SCHEDULED],
            reasons=[_("Taken back to give it another time."), _scheduled_reason(post, at, Priority.SCHEDULED)],
            actor=by,
            scheduled_at=at,
        )
        there = Post.objects.select_for_update().filter(pk=post.pk).first()
        if there is None or not (moved or there.status == Post.Summary.DRAFT):
            raise LostRace(f"nothing of post {post.pk} waits for its time any more")
        there.scheduled_at = at
        there.save(update_fields=["scheduled_at", "updated_at"])
        QueueEntry.objects.filter(pk__in=moved).update(
            priority=Priority.SCHEDULED,
            not_before=at,
            due_at=at,
            attempts=0,
            reserved=[],  # in windows of then
            wait_reason=Case(When(held=True, then=F("wait_reason")), default=Value("")),
            checked_at=None,
            trouble_ahead=False,
        )
        if moved:
            nudge(at - now)
    return moved


def back_to_draft(publication: Publication, *, by: User | None) -> None:
    """A failed publication is opened for editing."""
    with transaction.atomic():
        trouble = incident_of(publication)
        move(publication, Status.DRAFT, actor=by, reason=_("Opened for editing."))
        _acted_upon(publication, trouble)


def retry(publication: Publication, *, by: User | None) -> None:
    """Try a failed publication again, now. What was prepared is used where the network still has it."""
    with transaction.atomic():
        # As it is now: since it was read, a try may have been announced and given up.
        fresh = Publication.objects.select_for_update().filter(pk=publication.pk)
        stands = fresh.values("status", "error_kind", "committing_at").first()
        if stands is None or stands["status"] != Status.FAILED:
            raise LostRace(f"{publication.pk} has not failed")
        for name, value in stands.items():
            setattr(publication, name, value)
        trouble = incident_of(publication)
        # What is given up, or comes from a backup, may be there all the same: its announcement stands, so that the
        # network is looked at first. Everything else that failed has none.
        announced = publication.committing_at
        _send_again(publication, by=by, reason=_("Tried again by hand."), committing_at=announced)
        _acted_upon(publication, trouble)


def decide(publication: Publication, answer: str, *, by: User | None, platform_post_id: str = "") -> None:
    """A person has looked whether it is there. answer: "there" (with its id or address), "absent" or "give_up".

    Raises CannotDecide with a sentence, LostRace when the publication is no longer in question.
    """
    if publication.status != Status.CHECKING:
        raise LostRace(f"{publication.pk} is not in question")
    found = _identify(publication, platform_post_id.strip()) if answer == "there" else ("", "")
    with transaction.atomic():
        entry = QueueEntry.objects.select_for_update().filter(pk=publication.pk, lease_until__isnull=True).first()
        if entry is None:
            raise LostRace(f"{publication.pk} is just being looked for")
        if answer == "there":
            _is_there(publication, *found, by)
        elif answer == "absent":
            entry.delete()
            # What was prepared for it may be used up: a container that says it is published never is again.
            _send_again(publication, by=by, reason=_("It is not there, says a person: publish it again."), handles={})
        elif answer == "give_up":
            message = _("Given up by hand: it is not known whether it was published.")
            entry.delete()
            move(publication, Status.FAILED, actor=by, reason=message, error_kind=GIVEN_UP, error_message=message)
        else:
            raise CannotDecide(_("Choose one of the three answers."))
        _acted_upon(publication, incident_of(publication))


def why_not_hurry(entry: QueueEntry) -> str:
    """Why the wait of this entry cannot be cut short, in words; "" when it can. Needs `publication` loaded."""
    now = timezone.now()
    if entry.lease_until is not None:
        return _("a worker has it in its hands")
    if entry.awaits_decision:
        return _("a person must decide whether it is there")
    if entry.held:
        return _("it waits for its account, not for a time")
    if entry.publication.scheduled_at is None or entry.publication.scheduled_at > now:
        return _("its author wants it at a later time")
    return "" if entry.not_before > now else _("it is due already")


def hurry(entry: QueueEntry) -> None:
    """Cut a wait short that the engine has chosen (a back-off, a limit), never the time that its author has chosen.

    Limits and pauses still hold; they are looked at when a worker takes the entry. Raises LostRace when there is no such
    wait any more.
    """
    now = timezone.now()
    waiting = QueueEntry.objects.filter(
        pk=entry.pk,
        lease_until__isnull=True,
        held=False,
        awaits_decision=False,
        not_before__gt=now,
        publication__scheduled_at__lte=now,
    )
    with transaction.atomic():
        if not waiting.update(not_before=now):
            raise LostRace(f"{entry.pk} does not wait for a time of the engine")
        nudge()


def why_not_look_again(publication: Publication) -> str:
    """Why the network cannot be asked once more for this publication; "" when it can. Needs `queue_entry`, `account`."""
    entry: QueueEntry | None = getattr(publication, "queue_entry", None)
    if publication.status != Status.CHECKING or entry is None:
        return _("it is not in question whether it is there")
    if entry.lease_until is not None:
        return _("a worker is just looking")
    if not publication.account.is_connected or (entry.held and not entry.awaits_decision):
        return _("its account has to be connected again first")
    return ""


def look_again(publication: Publication) -> None:
    """Have the network asked once more, now, whether it is there; also where a person was asked to decide.

    Raises LostRace when somebody has decided meanwhile, or a worker is just looking.
    """
    with transaction.atomic():
        entry = (
            QueueEntry.objects.select_for_update(of=("self",))
            .filter(pk=publication.pk, lease_until__isnull=True, publication__status=Status.CHECKING)
            .first()
        )
        if entry is None:
            raise LostRace(f"{publication.pk} cannot be looked for now")
        asked_a_person = entry.awaits_decision
        entry.not_before, entry.held, entry.awaits_decision, entry.wait_reason = timezone.now(), False, False, ""
        entry.save(update_fields=["not_before", "held", "awaits_decision", "wait_reason"])
        if asked_a_person:  # when it cannot be known again, that is told again
            _acted_upon(publication, incident_of(publication))
        nudge()


def _acted_upon(publication: Publication, trouble: str) -> None:
    """The notification about the post is settled when none of its publications waits for a person any more.

    trouble: the incident it stood for before; when that is one of the whole account, acting on any post settles it.
    """
    if trouble.startswith("account:"):
        settle_notification(publication.post.workspace, trouble)
        return
    others = publication.post.publications
    if others.filter(status=Status.FAILED).exclude(error_kind=GIVEN_UP).exists():
        return
    if not others.filter(queue_entry__awaits_decision=True).exists():
        settle_notification(publication.post.workspace, trouble)


def _identify(publication: Publication, found: str) -> tuple[str, str]:
    """The id and the address of the post that a person names by either.

    An address is looked up among the newest posts of the account. When it is not found there, it has to serve as the
    id, for the record; as a link for others it is not shown, because anybody could have put anything there.
    """
    if not found:
        raise CannotDecide(_("Paste the address or the id of the post."))
    if not found.startswith(("http://", "https://")):
        return found[:200], ""
    since = (publication.committing_at or timezone.now()) - timedelta(days=1)
    account = publication.account
    try:
        newest = client_of(account).recent_posts(access_for(account), since=since)
    except PlatformError as error:
        logger.info("The address given for publication %s could not be looked up: %s", publication.pk, error.kind)
        newest = []
    match = next((post for post in newest if post.permalink.rstrip("/") == found.rstrip("/")), None)
    return (match.platform_post_id, match.permalink) if match else (found[:200], "")


def _is_there(publication: Publication, platform_post_id: str, permalink: str, by: User | None) -> None:
    try:
        with transaction.atomic():
            QueueEntry.objects.filter(pk=publication.pk).delete()
            move(
                publication,
                Status.PUBLISHED,
                actor=by,
                reason=_("It is there, says a person."),
                platform_post_id=platform_post_id,
                permalink=address(permalink),
                published_at=publication.committing_at or timezone.now(),
            )
            if expect_comment(publication):
                transaction.on_commit(lambda: wake(FOLLOW_UP))
    except IntegrityError as error:
        raise CannotDecide(_("That post already belongs to another publication on this account.")) from error


def _send_again(publication: Publication, *, by: User | None, reason: str, **fields: Any) -> None:
    now = timezone.now()
    with transaction.atomic():
        move(
            publication,
            Status.SCHEDULED,
            actor=by,
            reason=reason,
            scheduled_at=now,
            error_kind="",
            error_message="",
            platform_message="",
            **{"committing_at": None, **fields},
        )
        QueueEntry.objects.create(
            publication=publication,
            account_id=publication.account_id,
            priority=Priority.NOW,
            not_before=now,
            due_at=now,
        )
        nudge()


def _scheduled_reason(post: Post, at: datetime, priority: Priority) -> str:
    if priority == Priority.NOW:
        return _("To be published now.")
    local = date_format(at.astimezone(post.zone), "DATETIME_FORMAT")
    return _("Scheduled for %(when)s (%(zone)s).") % {"when": local, "zone": post.time_zone}


__all__ = [
    "GIVEN_UP",
    "CannotDecide",
    "LostRace",
    "back_to_draft",
    "cancel",
    "decide",
    "hurry",
    "look_again",
    "publish_now",
    "reschedule",
    "retry",
    "schedule",
    "why_not_hurry",
    "why_not_look_again",
]
