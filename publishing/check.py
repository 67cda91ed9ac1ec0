"""Was it published after all? One look at the network for a publication whose outcome is unknown, and what it means."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import tokens
from publishing import claims
from publishing.job import ACCEPTED, RESTORED_AT, Failure, Job
from publishing.models import Publication, Status
from publishing.settle import ask_a_person, check_delay, close, fail, forget, mend, set_published, settle
from socialhub.platforms import errors
from socialhub.platforms.base import (
    Absent,
    NotYet,
    Published,
    Unknowable,
)

LONGEST_ACCEPTED = timedelta(days=1)  # what a network has taken and not published by then, a person looks after
MOST_BLIND_LOOKS = 5  # looks that were refused before a person is asked
MOST_LOOKS = 120  # and looks that met a network in passing trouble: about two hours


def check(job: Job) -> None:
    """One look at the network for a publication whose outcome is unknown."""
    began = time.monotonic()
    since = job.publication.committing_at or job.attempt.started_at
    has_looked = False
    try:
        access, content = job.access(), job.content()
        has_looked = True
        found = job.platform.look(access, content, job.handles, since=since, claimed=_claimed(job, since))
    except errors.ReconnectError as error:
        _look_refused(job, error)
    except errors.OperatorError as error:
        _look_later(job, error, held=True, wait_reason=str(error.message)[:300])
    except Failure as error:
        job.note("look", _("Looking for the post"), began, error.kind, error.request_id)
        judge_failure(job, error, definite=has_looked and ACCEPTED in job.handles)
    else:
        job.note("look", _("Looking for the post"), began, type(found).__name__.lower())
        _judge(job, found, since)


def _look_refused(job: Job, error: errors.ReconnectError) -> None:
    try:
        mended = mend(job, error)
    except Failure as trouble:
        judge_failure(job, trouble, definite=False)
        return
    if mended:
        Publication.objects.filter(pk=job.publication.pk).update(handles=job.handles)
        _look_later(job, error)
    else:
        tokens.lost(job.account, error)
        _look_later(job, error, held=True)


def judge_failure(job: Job, error: Failure, *, definite: bool) -> None:
    """definite: the network had taken the post, so that a refusal is its last word on it and not on our look."""
    passing = isinstance(error, errors.TemporaryError | errors.LimitedError)
    if definite and isinstance(error, errors.RejectedError | errors.AccountBlockedError):
        forget(job, error.forget)
        fail(job, error.kind, str(error.message), error=error)
    elif job.entry.looks < (MOST_LOOKS if passing else MOST_BLIND_LOOKS):
        _look_later(job, error)
    else:
        ask_a_person(job, _("We could not look: %(message)s") % {"message": error.message})


def _judge(job: Job, found: Published | Absent | Unknowable | NotYet, since: datetime) -> None:
    match found:
        case NotYet() if timezone.now() - since < LONGEST_ACCEPTED:
            _still_at_it(job, found)
        case NotYet():
            ask_a_person(job, _("%(platform)s took it and has not published it.") % {"platform": job.platform.label})
        case Published():
            set_published(job, found, reason=_("Found by reading the account."))
        case Unknowable():
            ask_a_person(job, found.evidence)
        case Absent() if timezone.now() - _sent_at_the_latest(job, since) < check_delay(
            job.platform.absent_after_seconds
        ):
            _look_later(job)
        case Absent():
            _surely_absent(job, found)


def _sent_at_the_latest(job: Job, since: datetime) -> datetime:
    """Lists lag behind: what was sent a moment ago may be missing in them."""
    restored_at = job.handles.get(RESTORED_AT)
    return max(since, datetime.fromisoformat(restored_at)) if restored_at else since


def _still_at_it(job: Job, found: NotYet) -> None:
    job.handles.update(found.handles)
    with transaction.atomic():
        claims.release(job.claim, not_before=timezone.now() + timedelta(seconds=found.seconds))
        Publication.objects.filter(pk=job.publication.pk).update(handles=job.handles)
        close(job, "waiting")


def _surely_absent(job: Job, found: Absent) -> None:
    error = errors.TemporaryError(_("It was not published: several looks did not find it."), forget=found.forget)
    job.note("absent", found.evidence or str(error.message), time.monotonic(), "absent")
    job.step = job.platform.plan(job.content())[-1].key  # whose call was made, and is reserved again
    settle(job, error)


def _claimed(job: Job, since: datetime) -> frozenset[str]:
    """Posts on this account that belong to other publications: published, or taken by the network and on their way."""
    others = Publication.objects.filter(account=job.account).exclude(pk=job.publication.pk)
    recent = others.filter(status=Status.PUBLISHED, published_at__gte=since - timedelta(days=1))
    taken = others.filter(status=Status.CHECKING, handles__has_key=ACCEPTED)
    return frozenset(
        [
            *recent.values_list("platform_post_id", flat=True),
            *(recent.filter(handles__has_key=ACCEPTED).values_list(f"handles__{ACCEPTED}", flat=True)),
            *taken.values_list(f"handles__{ACCEPTED}", flat=True),
        ]
    )


def _look_later(job: Job, error: Failure | None = None, **entry_fields: Any) -> None:
    delay = check_delay(job.platform.look_every_seconds)
    when = timezone.now() + delay
    if isinstance(error, errors.LimitedError) and error.until:
        when = max(when, error.until)
    with transaction.atomic():
        claims.release(job.claim, looks=job.entry.looks + 1, not_before=when, **entry_fields)
        close(job, error.kind if error else "absent", error)
