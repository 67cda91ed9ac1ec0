"""How one publication goes out: claim → pre-flight → prepare → wait → commit → settle, or check.

Everything before the commit may be repeated: each step saves its handle, and whoever goes on starts behind the last saved
one. The commit is announced in the database first and made once. Whatever leaves its outcome open leads to `check`, which
reads the network; nothing is published again before it is established that it is not there.

Errors say what may be done next (`platforms.errors`); nothing here asks which network it is. No network call is made
inside a transaction. Every write asks whether the lease is still ours.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import pauses
from accounts.language import speaking_to
from accounts.models import ConnectedAccount, Notification
from publishing import claims, limits
from publishing.check import check, judge_failure
from publishing.claims import Claim, LeaseLost
from publishing.job import ACCEPTED, STEPS_DONE, Failure, Job
from publishing.models import Publication, Status
from publishing.settle import (
    ask_a_person,
    close,
    fail,
    find_out,
    put_off,
    set_accepted,
    set_published,
    settle,
    wait_for_people,
)
from publishing.statements import update
from socialhub.about import about
from socialhub.platforms import errors, rules
from socialhub.platforms.base import (
    Accepted,
    Access,
    Content,
    NotYet,
    Published,
    Step,
    StepKind,
)

logger = logging.getLogger(__name__)

ON_TIME = timedelta(minutes=5)  # nothing that starts within this is late, whatever the post allows
# Ours, not announced by anybody, and nobody has paused publishing. The conditions on the row itself stand outside of
# subqueries, where they are looked at again after a wait for the row.
ANNOUNCEABLE = """
    id = %s AND status = 'publishing' AND committing_at IS NULL
    AND EXISTS (SELECT 1 FROM publishing_queueentry q
                WHERE q.publication_id = publishing_publication.id AND q.worker = %s AND q.lease_until > %s)
    AND EXISTS (SELECT 1 FROM accounts_connectedaccount a JOIN accounts_workspace w ON w.id = a.workspace_id
                WHERE a.id = %s AND a.paused_at IS NULL AND w.paused_at IS NULL)
"""


def run(claim: Claim) -> None:
    """Take one claimed publication as far as it goes now, in the language of its workspace. Never raises."""
    job = Job(claim)
    log = about(attempt=claim.attempt.pk, publication=job.publication.pk, workspace=job.account.workspace_id)
    with log, speaking_to(job.account.workspace):
        go_on(job)


def go_on(job: Job) -> None:
    try:
        if job.publication.status not in (Status.PUBLISHING, Status.CHECKING):
            logger.error("Publication %s is %s and was in the queue", job.publication.pk, job.publication.status)
            claims.finish(job.claim)
        elif job.publication.status == Status.PUBLISHING and job.publication.committing_at:
            find_out(job, errors.OutcomeUnknownError(_("Publishing was interrupted after it had begun.")))
        elif job.entry.losses > claims.MOST_LOSSES:
            _give_up(job)
        elif job.publication.status == Status.CHECKING:
            check(job)
        else:
            publish(job)
    except LeaseLost:
        logger.warning("Publication %s was taken over by another worker", job.publication.pk)
    except (OperationalError, InterfaceError) as error:  # away: one line for each, as it may be hundreds
        logger.warning("Publication %s was cut short by the database: %r", job.publication.pk, error)
        _fault_of_ours(job)
    except Exception:  # one publication must not stop the others
        logger.exception("Publication %s met a fault of ours", job.publication.pk)
        _fault_of_ours(job)


def publish(job: Job) -> None:
    """Pre-flight, prepare and commit; every way out of it settles the publication or puts it back into the queue."""
    if late := _too_late(job):
        fail(job, "missed", late, notice=Notification.Kind.MISSED)
        return
    if reason := pauses.reason_to_wait(job.account):
        wait_for_people(job, reason)
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
    put_off(job, full.until, _limit_sentence(job, full))
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
        close(job, "waiting")


def _commit(job: Job, plan: tuple[Step, ...], access: Access, content: Content) -> None:
    """Announce the irreversible call, make it once, settle what it said."""
    step = plan[-1]
    _show(job, step, len(plan) - 1, len(plan))
    if not _announce(job):
        wait_for_people(job, pauses.reason_to_wait(job.account))
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
                set_accepted(job, answer)
            else:
                set_published(job, answer, reason=_("The network confirmed it."))
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
            judge_failure(job, error, definite=False)
    except LeaseLost:
        logger.warning("Publication %s was taken over by another worker", job.publication.pk)
    except (DatabaseError, InterfaceError):  # the lease runs out, and the sweeper takes it from there
        logger.warning("Publication %s could not be put back, the database does not answer", job.publication.pk)
    except Exception:  # likewise; whoever works for us must be able to go on
        logger.exception("Publication %s could not be put back", job.publication.pk)


def _give_up(job: Job) -> None:
    """It took too many workers with it to be touched once more."""
    logger.error("Publication %s lost %s workers", job.publication.pk, job.entry.losses)
    if job.publication.status == Status.CHECKING:
        ask_a_person(job, _("Looking for it was interrupted again and again."))
    else:
        message = _("Publishing was interrupted again and again. Nothing was published; try again later.")
        fail(job, errors.OurBugError.kind, message)
