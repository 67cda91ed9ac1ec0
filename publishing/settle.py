"""What became of a publication: every way in which one turn of a worker ends, and what is written down of it.

Errors say what may be done next (`platforms.errors`); nothing here asks which network it is. Every write asks whether the
lease is still ours.
"""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import notify, tokens
from accounts.models import Notification
from accounts.notify import tell
from accounts.wake import wake
from publishing import claims, follow_ups, limits
from publishing.job import ACCEPTED, STEPS_DONE, Failure, Job
from publishing.models import Attempt, Publication, QueueEntry, Status
from publishing.statements import update
from publishing.states import move
from socialhub.platforms import errors
from socialhub.platforms.base import (
    Accepted,
    Published,
)
from socialhub.platforms.text import address

logger = logging.getLogger(__name__)

MENDED_AT = "mended_at"  # when its access was renewed because the network had refused the one before
MEND_AGAIN = timedelta(hours=1)
ACCOUNT_TROUBLE = ("account_blocked", "permission", "our_bug")  # kinds of failure that are not about one post
LONG_WAIT = timedelta(hours=1)  # a limit that holds a post back for longer is worth a word to its people
SAME_MOMENT = timedelta(seconds=5)
LIMIT_GUESS = timedelta(minutes=15)  # when a network says "too many" but not until when
FOLLOW_UP = "publishing.tasks.follow_up"  # by name: the tasks stand a floor above
LEDGER = ("finished_at", "outcome", "message", "platform_message", "code", "subcode", "request_id", "steps")


def settle(job: Job, error: Failure) -> None:
    """What an error means for the publication. Everything but an unknown outcome is a clear no."""
    if error.forget:
        forget(job, error.forget)
    match error:
        case errors.OutcomeUnknownError() if job.publication.committing_at:
            find_out(job, error)
        case errors.LimitedError():
            until = error.until or timezone.now() + LIMIT_GUESS
            limits.block(job.account, until)
            put_off(job, until, str(error.message), error)
        case errors.ReconnectError():
            _access_refused(job, error)
        case errors.OperatorError():
            _wait_for_operator(job, error)
        case errors.TemporaryError() | errors.OutcomeUnknownError() | errors.NotFoundError():
            _try_again(job, error)
        case _:
            fail(job, error.kind, str(error.message), error=error)


def _access_refused(job: Job, error: errors.ReconnectError) -> None:
    """Nothing was published. With a renewed access it goes on at once, else it waits until a person has reconnected."""
    try:
        mended = mend(job, error)
    except Failure as trouble:  # of the renewal
        settle(job, trouble)
        return
    if mended:
        _back_to_queue(job, error, reason=_("The access was renewed; it goes on at once."), not_before=timezone.now())
    else:
        tokens.lost(job.account, error)
        _hold(job, error)


def mend(job: Job, error: errors.ReconnectError) -> bool:
    """Once for each publication and hour, so that a network that refuses every access is not asked in circles."""
    now = timezone.now()
    before = job.handles.get(MENDED_AT)
    if (before and now - datetime.fromisoformat(before) < MEND_AGAIN) or not tokens.mend(job.account, error):
        return False
    job.handles[MENDED_AT] = now.isoformat()
    return True


def forget(job: Job, prefixes: tuple[str, ...]) -> None:
    """Handles that the network has no more. Their steps are done again, and counted again."""
    done = job.handles.pop(STEPS_DONE, [])
    for name in [key for key in job.handles if key.startswith(prefixes)]:
        del job.handles[name]
    job.handles[STEPS_DONE] = [key for key in done if not key.startswith(prefixes)]
    again = set(done) - set(job.handles[STEPS_DONE])
    job.entry.reserved = [key for key in job.entry.reserved if key not in again]


def set_published(job: Job, published: Published, *, reason: str) -> None:
    with transaction.atomic():
        claims.finish(job.claim)
        move(
            job.publication,
            Status.PUBLISHED,
            reason=reason,
            platform_post_id=published.platform_post_id,
            permalink=address(published.permalink),
            published_at=published.published_at or timezone.now(),
            progress_done=job.publication.progress_total,
            error_kind="",
            error_message="",
            platform_message="",
        )
        close(job, "published")
        if job.entry.wait_reason:  # it has waited, and its people may have been told
            notify.settle(job.account.workspace, quota_incident(job))
        if follow_ups.expect_comment(job.publication):
            transaction.on_commit(lambda: wake(FOLLOW_UP))
    if not published.permalink:
        _read_permalink(job)


def _read_permalink(job: Job) -> None:
    """Best effort: a live post never becomes a failed one because its address could not be read."""
    try:
        permalink = job.platform.permalink(job.access(), job.publication.platform_post_id)
    except Failure as error:
        logger.info("No permalink yet for publication %s: %s", job.publication.pk, error.kind)
        return
    Publication.objects.filter(pk=job.publication.pk).update(permalink=address(permalink))


def _try_again(job: Job, error: Failure) -> None:
    number = job.entry.attempts + 1
    if number > settings.PUBLISH_RETRY_COUNT:
        fail(job, error.kind, str(error.message), error=error)
        return
    delay = backoff_seconds(number)
    _back_to_queue(
        job,
        error,
        reason=_("Try %(number)d of %(count)d failed: %(message)s")
        % {"number": number, "count": settings.PUBLISH_RETRY_COUNT + 1, "message": error.message},
        not_before=timezone.now() + timedelta(seconds=delay),
        attempts=number,
    )


def backoff_seconds(number: int) -> float:
    """The wait before try `number` + 1: 2, 4, 8 seconds unless the settings say otherwise, with a little jitter."""
    delay = settings.PUBLISH_RETRY_BASE_SECONDS * settings.PUBLISH_RETRY_FACTOR ** (number - 1)
    jitter = 1 + random.uniform(0, settings.PUBLISH_RETRY_JITTER)  # noqa: S311  no secret
    return float(min(delay, settings.PUBLISH_RETRY_CAP_SECONDS) * jitter)


def put_off(job: Job, until: datetime, reason: str, error: Failure | None = None) -> None:
    """Limited is not failed: no attempt is used up, and lateness is measured from the new time."""
    until = _behind_those_put_off(job, until)
    _back_to_queue(job, error, reason=reason, outcome="limited", not_before=until, due_at=until)
    if until - timezone.now() > LONG_WAIT:
        tell(
            job.account.workspace,
            Notification.Kind.QUOTA,
            quota_incident(job),
            title=_("Posts to %(account)s wait for a limit") % {"account": job.account.handle},
            body=_("%(reason)s Posts to it go on at %(when)s; nothing is lost, and there is nothing to do.")
            % {"reason": reason, "when": date_format(timezone.localtime(until), "DATETIME_FORMAT")},
            url=job.publication.post.get_absolute_url(),
            account=job.account,
        )


def _behind_those_put_off(job: Job, until: datetime) -> datetime:
    """Several posts of an account that meet one limit keep their order: each waits a moment longer than the one before."""
    same = QueueEntry.objects.filter(
        account=job.account, not_before__gte=until, not_before__lt=until + SAME_MOMENT, priority=job.entry.priority
    )
    last = same.exclude(pk=job.entry.pk).exclude(wait_reason="").aggregate(last=Max("not_before"))["last"]
    return last + timedelta(milliseconds=1) if last else until


def _hold(job: Job, error: Failure) -> None:
    _back_to_queue(job, error, reason=_("Waits until the account is connected again."), held=True)


def wait_for_people(job: Job, reason: str) -> None:
    """Somebody has paused publishing; the sweeper lets it go when they resume."""
    _back_to_queue(job, None, reason=reason, outcome="paused", held=True)


def _wait_for_operator(job: Job, error: errors.OperatorError) -> None:
    """No failure of the post, and no attempt is used up; the sweeper lets it go when the trouble is over."""
    _back_to_queue(job, error, reason=str(error.message), held=True, not_before=timezone.now() + error.again)


def _back_to_queue(job: Job, error: Failure | None, *, reason: str, outcome: str = "", **entry_fields: Any) -> None:
    with transaction.atomic():
        claims.release(job.claim, wait_reason=reason[:300], reserved=_still_reserved(job), **entry_fields)
        move(job.publication, Status.SCHEDULED, reason=reason, handles=job.handles, committing_at=None)
        close(job, outcome or (error.kind if error else ""), error)


def _still_reserved(job: Job) -> list[str]:
    """The call of the failed step was made and counted; the next try of it needs a reservation of its own."""
    return [key for key in job.entry.reserved if key != job.step]


def fail(
    job: Job,
    error_kind: str,
    message: str,
    *,
    error: Failure | None = None,
    notice: Notification.Kind = Notification.Kind.PUBLISH_FAILED,
) -> None:
    unseen = {}
    if error_kind not in ACCOUNT_TROUBLE:
        unseen = {key: value for key, value in job.handles.items() if key.startswith(job.platform.unseen)}
    if unseen:  # forgotten first: whoever retries must not build on what is gone
        forget(job, job.platform.unseen)
    with transaction.atomic():
        claims.finish(job.claim)
        move(
            job.publication,
            Status.FAILED,
            reason=message,
            handles=job.handles,
            committing_at=None,
            error_kind=error_kind,
            error_message=message,
            platform_message=error.platform_message if error else "",
        )
        close(job, error_kind, error)
        _tell(job, message, notice)
    if unseen:
        _discard(job, unseen)


def _discard(job: Job, unseen: dict[str, Any]) -> None:
    """Best effort: what stays there goes away by itself after some time."""
    try:
        job.platform.discard(job.access(), unseen)
    except Failure as error:
        logger.info("Uploads of publication %s stay at the network: %s", job.publication.pk, error.kind)


def set_accepted(job: Job, answer: Accepted) -> None:
    """The network publishes it by itself, and tells when it is asked."""
    reason = _("%(platform)s has taken it and publishes it by itself.") % {"platform": job.platform.label}
    job.handles.update(answer.handles)
    job.handles[ACCEPTED] = answer.platform_post_id
    with transaction.atomic():
        claims.release(
            job.claim,
            looks=0,
            not_before=timezone.now() + check_delay(job.platform.first_look_seconds),
            wait_reason=reason,
        )
        move(job.publication, Status.CHECKING, reason=reason, handles=job.handles)
        close(job, "accepted")


def find_out(job: Job, error: Failure) -> None:
    """The answer was lost: look for the post before anything else."""
    if isinstance(error, errors.OutcomeUnknownError):
        job.handles.update(error.handles)
    with transaction.atomic():
        claims.release(
            job.claim,
            looks=0,
            reserved=_still_reserved(job),
            not_before=timezone.now() + check_delay(job.platform.first_look_seconds),
            wait_reason=_("The answer was lost. We look whether it is there."),
        )
        move(job.publication, Status.CHECKING, reason=str(error.message), handles=job.handles)
        close(job, error.kind, error)


def close(job: Job, outcome: str, error: Failure | None = None) -> None:
    job.attempt.finished_at = timezone.now()
    job.attempt.outcome = outcome
    if error:
        job.attempt.message = str(error.message)
        job.attempt.platform_message = error.platform_message
        job.attempt.code = error.code
        job.attempt.subcode = error.subcode
        job.attempt.request_id = error.request_id
    update(Attempt, {name: getattr(job.attempt, name) for name in LEDGER}, "id = %s", [job.attempt.pk])


def ask_a_person(job: Job, evidence: str) -> None:
    with transaction.atomic():
        claims.release(job.claim, held=True, awaits_decision=True, wait_reason=evidence[:300])
        close(job, "unknowable")
        _tell(
            job,
            _("We cannot find out whether it was published. %(evidence)s Please look and decide.")
            % {"evidence": evidence},
            Notification.Kind.DECISION_NEEDED,
        )


def check_delay(seconds: float) -> timedelta:
    """The networks need minutes to show a post; the sandbox does not."""
    return timedelta(seconds=seconds / settings.PUBLISH_CHECK_SPEED)


def incident_of(publication: Publication) -> str:
    """What makes it the same trouble: a held back account fails all its posts, and is told of once."""
    if publication.error_kind in ACCOUNT_TROUBLE:
        return f"account:{publication.account_id}:{publication.error_kind}"
    return f"post:{publication.post_id}"


def quota_incident(job: Job) -> str:
    return f"quota:{job.account.pk}"


def _tell(job: Job, message: str, kind: Notification.Kind) -> None:
    titles = {
        Notification.Kind.PUBLISH_FAILED: _("Publishing to %(account)s failed"),
        Notification.Kind.DECISION_NEEDED: _("Is it on %(account)s? Please decide"),
        Notification.Kind.MISSED: _("A post for %(account)s missed its time"),
    }
    tell(
        job.account.workspace,
        kind,
        incident_of(job.publication),
        title=titles[kind] % {"account": job.account.handle},
        body=message,
        url=job.publication.post.get_absolute_url(),
        account=job.account,
    )
