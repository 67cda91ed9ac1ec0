"""How one publication goes out: claim → pre-flight → prepare → wait → commit → settle, or check.

Everything before the commit may be repeated: each step saves its handle, and whoever goes on starts behind the last saved
one. The commit is announced in the database first and made once. Whatever leaves its outcome open leads to `check`, which
reads the network; nothing is published again before it is established that it is not there.

Errors say what may be done next (`platforms.errors`); nothing here asks which network it is. No network call is made
inside a transaction. Every write asks whether the lease is still ours.
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import notify, pauses, tokens
from accounts.clients import client_of
from accounts.models import ConnectedAccount, Notification
from accounts.notify import tell
from accounts.wake import wake
from publishing import claims, follow_ups, limits
from publishing.claims import Claim, LeaseLost
from publishing.media import media_items
from publishing.models import Attempt, Publication, QueueEntry, Status
from publishing.statements import update
from publishing.states import move
from socialhub.platforms import errors, rules
from socialhub.platforms.base import (
    Absent,
    Accepted,
    Access,
    Content,
    MediaItem,
    MediaKind,
    NotYet,
    Platform,
    PostType,
    Published,
    Step,
    StepKind,
    Unknowable,
)

logger = logging.getLogger(__name__)

STEPS_DONE = "steps_done"  # the name among the handles under which the keys of finished steps are kept
ACCEPTED = "accepted"  # and this holds the id of what the network took, but had not published yet
MENDED_AT = "mended_at"  # when its access was renewed because the network had refused the one before
MEND_AGAIN = timedelta(hours=1)
ON_TIME = timedelta(minutes=5)  # nothing that starts within this is late, whatever the post allows
LONGEST_ACCEPTED = timedelta(days=1)  # what a network has taken and not published by then, a person looks after
ACCOUNT_TROUBLE = ("account_blocked", "permission", "our_bug")  # kinds of failure that are not about one post
LONG_WAIT = timedelta(hours=1)  # a limit that holds a post back for longer is worth a word to its people
OPERATOR_PAUSE = timedelta(minutes=5)  # at least, before a call is tried again that whoever runs the server has to mend
SAME_MOMENT = timedelta(seconds=5)
LIMIT_GUESS = timedelta(minutes=15)  # when a network says "too many" but not until when
MOST_BLIND_LOOKS = 5  # looks that were refused before a person is asked
MOST_LOOKS = 120  # and looks that met a network in passing trouble: about two hours

FOLLOW_UP = "publishing.tasks.follow_up"  # by name: the tasks stand a floor above
# Ours, not announced by anybody, and nobody has paused publishing. The conditions on the row itself stand outside of
# subqueries, where they are looked at again after a wait for the row.
ANNOUNCEABLE = """
    id = %s AND status = 'publishing' AND committing_at IS NULL
    AND EXISTS (SELECT 1 FROM publishing_queueentry q
                WHERE q.publication_id = publishing_publication.id AND q.worker = %s AND q.lease_until > %s)
    AND EXISTS (SELECT 1 FROM accounts_connectedaccount a JOIN accounts_workspace w ON w.id = a.workspace_id
                WHERE a.id = %s AND a.paused_at IS NULL AND w.paused_at IS NULL)
"""
LEDGER = ("finished_at", "outcome", "message", "platform_message", "code", "subcode", "request_id", "steps")

Failure = errors.PlatformError


class Job:
    """One claimed publication on its way, with what its steps need."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.entry = claim.entry
        self.publication = claim.publication
        self.account = claim.publication.account
        self.attempt = claim.attempt
        self.handles: dict[str, Any] = dict(claim.publication.handles)
        self.step = ""  # the key of the step whose call was made last

    @cached_property
    def platform(self) -> Platform:
        return client_of(self.account)

    def content(self) -> Content:
        """What goes out. Renders the images that are missing."""
        post = self.publication.post
        return Content(
            post_type=PostType(self.publication.post_type),
            text=self.publication.text,
            link=post.link,
            media=tuple(self._kept(item) for item in media_items(self.publication)),
            choices=self.publication.choices,
            offers=self.account.offers,
        )

    def _kept(self, item: MediaItem) -> MediaItem:
        """Files that are too large to be read at once are read under the lease."""
        if item.kind is MediaKind.IMAGE:
            return item
        return replace(item, open=lambda: cast("BinaryIO", claims.KeptOpen(item.open(), self.claim)))

    def access(self) -> Access:
        return tokens.access_for(self.account)

    def note(self, key: str, label: str, began: float, outcome: str, request_id: str = "") -> None:
        """Write a step into the attempt's ledger (saved with whatever is saved next)."""
        self.attempt.steps.append(
            {
                "key": key,
                "label": str(label),
                "at": timezone.now().isoformat(timespec="milliseconds"),
                "ms": round((time.monotonic() - began) * 1000),
                "outcome": outcome,
                "request_id": request_id,
            }
        )


def run(claim: Claim) -> None:
    """Take one claimed publication as far as it goes now. Never raises."""
    job = Job(claim)
    try:
        if job.publication.status not in (Status.PUBLISHING, Status.CHECKING):
            logger.error("Publication %s is %s and was in the queue", job.publication.pk, job.publication.status)
            claims.finish(job.claim)
        elif job.publication.status == Status.PUBLISHING and job.publication.committing_at:
            _find_out(job, errors.OutcomeUnknownError(_("Publishing was interrupted after it had begun.")))
        elif job.entry.losses > claims.MOST_LOSSES:
            _give_up(job)
        elif job.publication.status == Status.CHECKING:
            check(job)
        else:
            publish(job)
    except LeaseLost:
        logger.warning("Publication %s was taken over by another worker", job.publication.pk)
    except Exception:  # one publication must not stop the others
        logger.exception("Publication %s met a fault of ours", job.publication.pk)
        _fault_of_ours(job)


# Publishing


def publish(job: Job) -> None:
    """Pre-flight, prepare and commit; every way out of it settles the publication or puts it back into the queue."""
    if late := _too_late(job):
        _fail(job, "missed", late, notice=Notification.Kind.MISSED)
        return
    if reason := pauses.reason_to_wait(job.account):
        _wait_for_people(job, reason)
        return
    try:
        access = job.access()
        content = job.content()
        _refuse_what_the_rules_refuse(job, content)
        plan = job.platform.plan(content)
        waiting = _reserve(job, plan, access) or _prepare(job, plan, access, content)
    except Failure as error:
        settle(job, error)
        return
    if not waiting:
        _commit(job, plan, access, content)


def _too_late(job: Job) -> str:
    """The sentence that says so, or ""."""
    late = timezone.now() - job.entry.due_at
    allowed = max(timedelta(hours=job.publication.post.late_hours), ON_TIME)
    if late <= allowed:
        return ""
    hours = int(late.total_seconds() // 3600)
    return ngettext(
        "It could not go out on time and is now %(hours)d hour late, more than this post allows. Nothing was published.",
        "It could not go out on time and is now %(hours)d hours late, more than this post allows. Nothing was published.",
        hours,
    ) % {"hours": hours}


def _refuse_what_the_rules_refuse(job: Job, content: Content) -> None:
    refused = [violation for violation in rules.check(job.platform.key, content) if violation.level == "error"]
    if refused:
        raise errors.RejectedError(" ".join(str(violation.message) for violation in refused))


def _reserve(job: Job, plan: tuple[Step, ...], access: Access) -> bool:
    """Reserve the calls of all steps still ahead, so that none gets stuck half way. True: full, and put off."""
    counted = {*job.entry.reserved, *job.handles.get(STEPS_DONE, ())}
    ahead = [step for step in plan if step.calls and step.key not in counted]
    calls: dict[str, int] = {}
    for step in ahead:
        for group, number in step.calls.items():
            calls[group] = calls.get(group, 0) + number
    if not calls:
        return False
    try:
        full = _book(job, ahead, calls, quota=job.platform.quota_group)
    except limits.QuotaUnread:
        _read_quota(job, access)
        full = _book(job, ahead, calls)
    if full is None:
        return False
    if full.until is None:
        raise errors.RejectedError(
            _("This post needs more calls than the limit of %(limit)d allows at all. Use fewer images.")
            % {"limit": full.limit}
        )
    _put_off(job, full.until, _limit_sentence(job, full))
    return True


def _book(job: Job, ahead: list[Step], calls: dict[str, int], *, quota: str = "") -> limits.Full | None:
    """The calls are in the books, and the entry says so, or neither."""
    with transaction.atomic():
        client = limits.client_subject(job.account)
        full = limits.reserve(job.account.pk, job.account.platform, calls, client=client, quota=quota)
        if full is None:
            job.entry.reserved = [*job.entry.reserved, *(step.key for step in ahead)]
            claims.renew(job.claim, reserved=job.entry.reserved)
    return full


def _read_quota(job: Job, access: Access) -> None:
    """Where it cannot be read, our own books have to do: the network refuses what is too much."""
    try:
        quota = job.platform.quota(access)
    except (errors.LimitedError, errors.ReconnectError):
        raise  # the post would meet the same
    except Failure as error:
        logger.info("The quota of account %s could not be read: %s", job.account.pk, error.kind)
        return
    if quota:
        limits.read_quota(job.account, job.platform.quota_group, quota)


def _limit_sentence(job: Job, full: limits.Full) -> str:
    if full.scope == "client":
        return _(
            "The %(limit)d calls that %(platform)s allows for all accounts of this connection together are used up. It "
            "goes on by itself."
        ) % {"limit": full.limit, "platform": job.platform.label}
    if full.endpoint == limits.BLOCK:
        return _("%(platform)s asked %(account)s to wait.") % {
            "platform": job.platform.label,
            "account": job.account.handle,
        }
    return _("The limit of %(limit)d calls for %(account)s is used up. It goes on by itself.") % {
        "limit": full.limit,
        "account": job.account.handle,
    }


def _prepare(job: Job, plan: tuple[Step, ...], access: Access, content: Content) -> bool:
    """Run the steps before the commit that are not done yet. True: the network needs time, and we come back."""
    for number, step in enumerate(plan):
        if step.kind is StepKind.COMMIT or step.key in job.handles.get(STEPS_DONE, ()):
            continue
        _show(job, step, number, len(plan))
        began = time.monotonic()
        try:
            result = job.platform.perform(step, access, content, job.handles)
        except Failure as error:
            job.note(step.key, step.label, began, error.kind, error.request_id)
            raise
        job.handles.update(result.handles)
        if isinstance(result, NotYet):
            job.note(step.key, step.label, began, "waiting")
            _come_back(job, result.seconds)
            return True
        job.handles[STEPS_DONE] = [*job.handles.get(STEPS_DONE, ()), step.key]
        job.note(step.key, step.label, began, "done", result.request_id)
        _save_step(job)
    return False


def _show(job: Job, step: Step, number: int, total: int) -> None:
    job.step = step.key
    job.publication.progress_label = str(step.label)
    job.publication.progress_done = number
    job.publication.progress_total = total


def _save_step(job: Job) -> None:
    """The handles are saved, and the lease is ours for the next step, or nothing is."""
    with transaction.atomic():
        claims.renew(job.claim)
        Publication.objects.filter(pk=job.publication.pk).update(
            handles=job.handles,
            progress_label=job.publication.progress_label,
            progress_done=job.publication.progress_done + 1,
            progress_total=job.publication.progress_total,
        )
        job.attempt.save(update_fields=["steps"])


def _come_back(job: Job, seconds: float) -> None:
    with transaction.atomic():
        claims.release(job.claim, not_before=timezone.now() + timedelta(seconds=seconds))
        Publication.objects.filter(pk=job.publication.pk).update(
            handles=job.handles,
            progress_label=job.publication.progress_label,
            progress_done=job.publication.progress_done,
            progress_total=job.publication.progress_total,
        )
        _close(job, "waiting")


def _commit(job: Job, plan: tuple[Step, ...], access: Access, content: Content) -> None:
    """Announce the irreversible call, make it once, settle what it said."""
    step = plan[-1]
    _show(job, step, len(plan) - 1, len(plan))
    if not _announce(job):
        _wait_for_people(job, pauses.reason_to_wait(job.account))
        return
    began = time.monotonic()
    try:
        answer = job.platform.commit(access, content, job.handles)
    except Failure as error:
        job.note(step.key, step.label, began, error.kind, error.request_id)
        settle(job, error)
        return
    job.note(step.key, step.label, began, type(answer).__name__.lower(), answer.request_id)
    _record(job, answer)


def _record(job: Job, answer: Published | Accepted) -> None:
    """We know what the network said: a database that restarts just now must not cost us that knowledge."""
    status = job.publication.status
    for pause in (0.5, 1, 2):
        job.publication.status = status  # what was rolled back left it ahead of its row
        try:
            if isinstance(answer, Accepted):
                _accepted(job, answer)
            else:
                _published(job, answer, reason=_("The network confirmed it."))
        except (OperationalError, InterfaceError):
            logger.warning(
                "Publication %s is published; the database does not answer, trying again", job.publication.pk
            )
            connection.close()
            time.sleep(pause)
        else:
            return
    raise errors.OutcomeUnknownError(_("The database did not answer."))


def _announce(job: Job) -> bool:
    """From here on a crash means: it may be published. Committed before the call, with a lease that outlasts it.

    The conditions on the row itself hold even if the statement had to wait for it: nobody else has announced meanwhile.
    False: somebody has pressed the switch that stops publishing. Raises LeaseLost.
    """
    now = timezone.now()
    call = timedelta(seconds=2 * (settings.HTTP_CONNECT_TIMEOUT_SECONDS + settings.HTTP_READ_TIMEOUT_SECONDS))
    if job.entry.lease_until is None or job.entry.lease_until < now + call:
        claims.renew(job.claim)
    earlier = {"handles": job.handles} if job.handles.pop(ACCEPTED, None) else {}  # says nothing of this call
    announced = update(
        Publication,
        {
            **earlier,
            "committing_at": now,
            "progress_label": job.publication.progress_label,
            "progress_done": job.publication.progress_done,
            "progress_total": job.publication.progress_total,
        },
        ANNOUNCEABLE,
        [job.publication.pk, job.attempt.worker, now + call / 2, job.account.pk],
    )
    if not announced:
        job.account = ConnectedAccount.objects.select_related("workspace").get(pk=job.account.pk)
        if not pauses.reason_to_wait(job.account):
            raise LeaseLost
        return False
    job.publication.committing_at = now
    return True


# Settling


def settle(job: Job, error: Failure) -> None:
    """What an error means for the publication. Everything but an unknown outcome is a clear no."""
    if error.forget:
        _forget(job, error.forget)
    match error:
        case errors.OutcomeUnknownError() if job.publication.committing_at:
            _find_out(job, error)
        case errors.LimitedError():
            until = error.until or timezone.now() + LIMIT_GUESS
            limits.block(job.account, until)
            _put_off(job, until, str(error.message), error)
        case errors.ReconnectError():
            _access_refused(job, error)
        case errors.OperatorError():
            _wait_for_operator(job, error)
        case errors.TemporaryError() | errors.OutcomeUnknownError() | errors.NotFoundError():
            _try_again(job, error)
        case _:
            _fail(job, error.kind, str(error.message), error=error)


def _access_refused(job: Job, error: errors.ReconnectError) -> None:
    """Nothing was published. With a renewed access it goes on at once, else it waits until a person has reconnected."""
    try:
        mended = _mend(job, error)
    except Failure as trouble:  # of the renewal
        settle(job, trouble)
        return
    if mended:
        _back_to_queue(job, error, reason=_("The access was renewed; it goes on at once."), not_before=timezone.now())
    else:
        tokens.lost(job.account, error)
        _hold(job, error)


def _mend(job: Job, error: errors.ReconnectError) -> bool:
    """Once for each publication and hour, so that a network that refuses every access is not asked in circles."""
    now = timezone.now()
    before = job.handles.get(MENDED_AT)
    if (before and now - datetime.fromisoformat(before) < MEND_AGAIN) or not tokens.mend(job.account, error):
        return False
    job.handles[MENDED_AT] = now.isoformat()
    return True


def _forget(job: Job, prefixes: tuple[str, ...]) -> None:
    """Handles that the network has no more. Their steps are done again, and counted again."""
    done = job.handles.pop(STEPS_DONE, [])
    for name in [key for key in job.handles if key.startswith(prefixes)]:
        del job.handles[name]
    job.handles[STEPS_DONE] = [key for key in done if not key.startswith(prefixes)]
    again = set(done) - set(job.handles[STEPS_DONE])
    job.entry.reserved = [key for key in job.entry.reserved if key not in again]


def _published(job: Job, published: Published, *, reason: str) -> None:
    with transaction.atomic():
        claims.finish(job.claim)
        move(
            job.publication,
            Status.PUBLISHED,
            reason=reason,
            platform_post_id=published.platform_post_id,
            permalink=published.permalink,
            published_at=published.published_at or timezone.now(),
            progress_done=job.publication.progress_total,
            error_kind="",
            error_message="",
            platform_message="",
        )
        _close(job, "published")
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
    Publication.objects.filter(pk=job.publication.pk).update(permalink=permalink)


def _try_again(job: Job, error: Failure) -> None:
    number = job.entry.attempts + 1
    if number > settings.PUBLISH_RETRY_COUNT:
        _fail(job, error.kind, str(error.message), error=error)
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


def _put_off(job: Job, until: datetime, reason: str, error: Failure | None = None) -> None:
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


def _wait_for_people(job: Job, reason: str) -> None:
    """Somebody has paused publishing; the sweeper lets it go when they resume."""
    _back_to_queue(job, None, reason=reason, outcome="paused", held=True)


def _wait_for_operator(job: Job, error: Failure) -> None:
    """No failure of the post, and no attempt is used up; the sweeper lets it go when the trouble is over."""
    _back_to_queue(job, error, reason=str(error.message), held=True, not_before=timezone.now() + OPERATOR_PAUSE)


def _back_to_queue(job: Job, error: Failure | None, *, reason: str, outcome: str = "", **entry_fields: Any) -> None:
    with transaction.atomic():
        claims.release(job.claim, wait_reason=reason[:300], reserved=_still_reserved(job), **entry_fields)
        move(job.publication, Status.SCHEDULED, reason=reason, handles=job.handles, committing_at=None)
        _close(job, outcome or (error.kind if error else ""), error)


def _still_reserved(job: Job) -> list[str]:
    """The call of the failed step was made and counted; the next try of it needs a reservation of its own."""
    return [key for key in job.entry.reserved if key != job.step]


def _fail(
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
        _forget(job, job.platform.unseen)
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
        _close(job, error_kind, error)
        _tell(job, message, notice)
    if unseen:
        _discard(job, unseen)


def _discard(job: Job, unseen: dict[str, Any]) -> None:
    """Best effort: what stays there goes away by itself after some time."""
    try:
        job.platform.discard(job.access(), unseen)
    except Failure as error:
        logger.info("Uploads of publication %s stay at the network: %s", job.publication.pk, error.kind)


def _accepted(job: Job, answer: Accepted) -> None:
    """The network publishes it by itself, and tells when it is asked."""
    reason = _("%(platform)s has taken it and publishes it by itself.") % {"platform": job.platform.label}
    job.handles.update(answer.handles)
    job.handles[ACCEPTED] = answer.platform_post_id
    with transaction.atomic():
        claims.release(
            job.claim,
            looks=0,
            not_before=timezone.now() + _check_delay(job.platform.first_look_seconds),
            wait_reason=reason,
        )
        move(job.publication, Status.CHECKING, reason=reason, handles=job.handles)
        _close(job, "accepted")


def _find_out(job: Job, error: Failure) -> None:
    """The answer was lost: look for the post before anything else."""
    if isinstance(error, errors.OutcomeUnknownError):
        job.handles.update(error.handles)
    with transaction.atomic():
        claims.release(
            job.claim,
            looks=0,
            reserved=_still_reserved(job),
            not_before=timezone.now() + _check_delay(job.platform.first_look_seconds),
            wait_reason=_("The answer was lost. We look whether it is there."),
        )
        move(job.publication, Status.CHECKING, reason=str(error.message), handles=job.handles)
        _close(job, error.kind, error)


def _fault_of_ours(job: Job) -> None:
    """An exception nobody expected. After the announcement the outcome is unknown; before it, it is tried again."""
    error = errors.OutcomeUnknownError(_("Something went wrong on our side. Staff can find the details in the log."))
    try:
        if connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()
        # What was rolled back left the object ahead of its row.
        job.publication.refresh_from_db(fields=["status", "committing_at"])
        if job.publication.status == Status.PUBLISHING:
            settle(job, error)
        elif job.publication.status == Status.CHECKING:
            _judge_failure(job, error, definite=False)
    except LeaseLost:
        logger.warning("Publication %s was taken over by another worker", job.publication.pk)
    except DatabaseError:  # the lease runs out, and the sweeper takes it from there
        logger.warning("Publication %s could not be put back, the database does not answer", job.publication.pk)
    except Exception:  # likewise; whoever works for us must be able to go on
        logger.exception("Publication %s could not be put back", job.publication.pk)


def _give_up(job: Job) -> None:
    """It took too many workers with it to be touched once more."""
    logger.error("Publication %s lost %s workers", job.publication.pk, job.entry.losses)
    if job.publication.status == Status.CHECKING:
        _ask_a_person(job, _("Looking for it was interrupted again and again."))
    else:
        message = _("Publishing was interrupted again and again. Nothing was published; try again later.")
        _fail(job, errors.OurBugError.kind, message)


def _close(job: Job, outcome: str, error: Failure | None = None) -> None:
    job.attempt.finished_at = timezone.now()
    job.attempt.outcome = outcome
    if error:
        job.attempt.message = str(error.message)
        job.attempt.platform_message = error.platform_message
        job.attempt.code = error.code
        job.attempt.subcode = error.subcode
        job.attempt.request_id = error.request_id
    update(Attempt, {name: getattr(job.attempt, name) for name in LEDGER}, "id = %s", [job.attempt.pk])


# Checking: was it published after all?


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
        _judge_failure(job, error, definite=has_looked and ACCEPTED in job.handles)
    else:
        job.note("look", _("Looking for the post"), began, type(found).__name__.lower())
        _judge(job, found, since)


def _look_refused(job: Job, error: errors.ReconnectError) -> None:
    try:
        mended = _mend(job, error)
    except Failure as trouble:
        _judge_failure(job, trouble, definite=False)
        return
    if mended:
        Publication.objects.filter(pk=job.publication.pk).update(handles=job.handles)
        _look_later(job, error)
    else:
        tokens.lost(job.account, error)
        _look_later(job, error, held=True)


def _judge_failure(job: Job, error: Failure, *, definite: bool) -> None:
    """definite: the network had taken the post, so that a refusal is its last word on it and not on our look."""
    passing = isinstance(error, errors.TemporaryError | errors.LimitedError)
    if definite and isinstance(error, errors.RejectedError | errors.AccountBlockedError):
        _forget(job, error.forget)
        _fail(job, error.kind, str(error.message), error=error)
    elif job.entry.looks < (MOST_LOOKS if passing else MOST_BLIND_LOOKS):
        _look_later(job, error)
    else:
        _ask_a_person(job, _("We could not look: %(message)s") % {"message": error.message})


def _judge(job: Job, found: Published | Absent | Unknowable | NotYet, since: datetime) -> None:
    match found:
        case NotYet() if timezone.now() - since < LONGEST_ACCEPTED:
            _still_at_it(job, found)
        case NotYet():
            _ask_a_person(job, _("%(platform)s took it and has not published it.") % {"platform": job.platform.label})
        case Published():
            _published(job, found, reason=_("Found by reading the account."))
        case Unknowable():
            _ask_a_person(job, found.evidence)
        case Absent() if timezone.now() - since < _check_delay(job.platform.absent_after_seconds):
            _look_later(job)
        case Absent():
            _surely_absent(job, found)


def _still_at_it(job: Job, found: NotYet) -> None:
    job.handles.update(found.handles)
    with transaction.atomic():
        claims.release(job.claim, not_before=timezone.now() + timedelta(seconds=found.seconds))
        Publication.objects.filter(pk=job.publication.pk).update(handles=job.handles)
        _close(job, "waiting")


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
    delay = _check_delay(job.platform.look_every_seconds)
    when = timezone.now() + delay
    if isinstance(error, errors.LimitedError) and error.until:
        when = max(when, error.until)
    with transaction.atomic():
        claims.release(job.claim, looks=job.entry.looks + 1, not_before=when, **entry_fields)
        _close(job, error.kind if error else "absent", error)


def _ask_a_person(job: Job, evidence: str) -> None:
    with transaction.atomic():
        claims.release(job.claim, held=True, awaits_decision=True, wait_reason=evidence[:300])
        _close(job, "unknowable")
        _tell(
            job,
            _("We cannot find out whether it was published. %(evidence)s Please look and decide.")
            % {"evidence": evidence},
            Notification.Kind.DECISION_NEEDED,
        )


def _check_delay(seconds: float) -> timedelta:
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
