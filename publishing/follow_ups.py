"""What is done once a post is out: its first comment, and two looks whether it is really there.

Rows are the truth, as in the queue: a task takes what is due under a lease. A comment is as irreversible as a post, so it
is announced before it is made, and after a lost answer it is looked for, never just made again. Nothing here can turn a
published post into a failed one.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import pauses, usage
from accounts.clients import client_of
from accounts.language import speaking_to
from accounts.models import Notification
from accounts.notify import settle, tell
from accounts.tokens import access_for
from publishing import limits
from publishing.checks import comment_limit, content_of
from publishing.models import FollowUp, PostMedia, Publication
from socialhub.platforms import LABELS, errors
from socialhub.platforms.base import Seen, Unknowable
from socialhub.platforms.text import address

logger = logging.getLogger(__name__)

Kind, Outcome = FollowUp.Kind, FollowUp.Outcome

AFTER = {Kind.SEEN_SOON: timedelta(minutes=5), Kind.SEEN_LATER: timedelta(days=1)}
# A look that could not be made by then says nothing any more, and a comment that comes so late surprises people.
LOOKS_KEPT = timedelta(days=3)
LEASE = timedelta(minutes=3)
MOST_TRIES = 5
AGAIN = timedelta(minutes=5)  # between two tries; lists of networks lag behind, too
COMMENT_SETTLES = timedelta(minutes=15)  # after which a comment that is not found was not written
BATCH = 100
RUN_SECONDS = 45.0  # the task comes every minute

OPEN_LOOKS = """
    INSERT INTO publishing_followup
        (publication_id, kind, due_at, attempts, outcome, message, platform_id, seen)
    SELECT p.id, %(kind)s, p.published_at + %(after)s, 0, '', '', '', '{}'
    FROM publishing_publication p
    WHERE p.published_at > %(oldest)s AND p.published_at <= %(ripe)s
      AND p.status = 'published' AND p.platform_post_id <> '' AND p.removed_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM publishing_followup f WHERE f.publication_id = p.id AND f.kind = %(kind)s)
    ON CONFLICT (publication_id, kind) DO NOTHING
"""


def expect_comment(publication: Publication) -> bool:
    """Open the first comment of a publication that has just been published. Inside the caller's transaction."""
    if not publication.post.first_comment or not comment_limit(publication):
        return False
    FollowUp.objects.get_or_create(publication=publication, kind=Kind.COMMENT, defaults={"due_at": timezone.now()})
    return True


def open_looks() -> None:
    """Rows for the looks that are due, made late and all at once: publishing itself pays nothing for them."""
    now = timezone.now()
    with connection.cursor() as cursor:
        for kind, after in AFTER.items():
            values: dict[str, Any] = {"kind": kind.value, "after": after, "ripe": now - after}
            cursor.execute(OPEN_LOOKS, {**values, "oldest": now - after - LOOKS_KEPT})


def run_due() -> int:
    """Work through what is due, for at most `RUN_SECONDS`; returns how many rows were worked on."""
    open_looks()
    give_up_old()
    deadline = time.monotonic() + RUN_SECONDS
    done = 0
    while time.monotonic() < deadline and (row := take()):
        work_on(row)
        done += 1
        if done >= BATCH:
            break
    return done


def take() -> FollowUp | None:
    """The most urgent row that nobody has in hand, with a lease on it. One whose worker died is taken again."""
    now = timezone.now()
    with transaction.atomic():
        row = (
            FollowUp.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(Q(lease_until=None) | Q(lease_until__lt=now), done_at=None, due_at__lte=now)
            .select_related(
                "publication__post", "publication__account__credential__grant", "publication__account__workspace"
            )
            .order_by("due_at")
            .first()
        )
        if row is not None:
            row.lease_until = now + LEASE
            row.save(update_fields=["lease_until"])
    return row


def give_up_old() -> None:
    """What could not be done in days: the account was away, publishing was paused, or nobody was at work.

    One statement for many workspaces: the sentences are kept in English, and translated where they are shown.
    """
    now = timezone.now()
    open_rows = FollowUp.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), done_at=None)
    message = gettext_noop("There was no access to the account in that time.")
    for kind, after in AFTER.items():
        old = open_rows.filter(kind=kind, publication__published_at__lt=now - after - LOOKS_KEPT)
        old.update(done_at=now, lease_until=None, outcome=Outcome.UNKNOWN, message=message)
    old = open_rows.filter(kind=Kind.COMMENT, publication__published_at__lt=now - LOOKS_KEPT)
    old.filter(began_at=None).update(
        done_at=now,
        lease_until=None,
        outcome=Outcome.FAILED,
        message=gettext_noop(
            "It could not be written within three days. Write it at the network, if it is still wanted."
        ),
    )
    old.exclude(began_at=None).update(
        done_at=now,
        lease_until=None,
        outcome=Outcome.UNKNOWN,
        message=gettext_noop("The answer was lost. Look at the post there."),
    )


def work_on(row: FollowUp) -> None:
    """One row, as far as it goes now. Never raises: one that meets a fault of ours must not stop the others."""
    with speaking_to(row.publication.account.workspace):
        go_on(row)


def go_on(row: FollowUp) -> None:
    account = row.publication.account
    if not account.is_connected:
        later(row, AGAIN * 12)
        return
    try:
        if row.kind == Kind.COMMENT:
            comment(row)
        else:
            look(row)
    except errors.LimitedError as error:
        later(row, error.until or timezone.now() + AGAIN)
    except errors.PlatformError as error:
        failed(row, error)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("follow-up %s of publication %s met a fault of ours", row.kind, row.publication_id)
        failed(
            row,
            errors.OutcomeUnknownError(_("Something went wrong on our side. Staff can find the details in the log.")),
        )


# The first comment


def comment(row: FollowUp) -> None:
    """Raises PlatformError."""
    publication = row.publication
    platform, access = client_of(publication.account), access_for(publication.account)
    text = publication.post.first_comment
    if row.began_at:
        found = platform.find_comment(access, publication.platform_post_id, text)
        if isinstance(found, Unknowable):
            finish(row, Outcome.UNKNOWN, found.evidence)
            return
        if found:
            finish(row, Outcome.DONE, platform_id=found)
            return
        if timezone.now() - row.began_at < COMMENT_SETTLES:
            later(row, AGAIN)
            return
    if pauses.reason_to_wait(publication.account):
        later(row, AGAIN)
        return
    full = limits.reserve(publication.account.pk, publication.account.platform, {"publish": 1})
    if isinstance(full, limits.Full):
        later(row, full.until or timezone.now() + AGAIN)
        return
    if not announce(row):
        return
    try:
        comment_id = platform.comment(access, publication.platform_post_id, text)
    except errors.OutcomeUnknownError:
        raise
    except errors.PlatformError:  # a clear no: it was not written
        row.began_at = None
        FollowUp.objects.filter(pk=row.pk, done_at=None).update(began_at=None)
        raise
    finish(row, Outcome.DONE, platform_id=comment_id)


def announce(row: FollowUp) -> bool:
    """From here on a crash means: it may be written. Committed before the call, with a lease that outlasts it.

    False: somebody else has the row by now, or has just pressed the switch that stops publishing.
    """
    now = timezone.now()
    mine = FollowUp.objects.filter(
        pk=row.pk,
        done_at=None,
        lease_until=row.lease_until,
        lease_until__gt=now,
        publication__account__paused_at=None,
        publication__account__workspace__paused_at=None,
    )
    row.began_at, row.lease_until = now, now + LEASE
    return mine.update(began_at=row.began_at, lease_until=row.lease_until) == 1


# Is it really there?


def look(row: FollowUp) -> None:
    """Raises PlatformError."""
    publication = row.publication
    if until := usage.held_until(publication.account):
        later(row, until)
        return
    media = list(PostMedia.objects.filter(post=publication.post_id).select_related("media"))
    content = content_of(publication, media)
    seen = client_of(publication.account).seen(access_for(publication.account), publication.platform_post_id, content)
    row.seen = {"media": seen.media, "permalink": seen.permalink}
    if address(seen.permalink) and not publication.permalink:
        Publication.objects.filter(pk=publication.pk).update(permalink=seen.permalink)
    if seen.exists is None:
        finish(row, Outcome.UNKNOWN, seen.evidence or _("The network does not let us read it again."))
    elif not seen.exists:
        gone(row, seen)
    elif seen.media is not None and content.media and seen.media != len(content.media):
        different(row, seen, len(content.media))
    else:
        finish(row, Outcome.DONE)


def gone(row: FollowUp, seen: Seen) -> None:
    """One look may come too early or meet a list that lags; several do not."""
    if row.attempts + 1 < 3:
        later(row, AGAIN, attempts=row.attempts + 1)
        return
    publication = row.publication
    Publication.objects.filter(pk=publication.pk, removed_at=None).update(removed_at=timezone.now())
    report(
        row,
        Outcome.GONE,
        _("A post is gone from %(account)s") % {"account": publication.account.handle},
        _(
            "It was published, and %(network)s does not show it any more: somebody deleted it there, or %(network)s took it "
            "down. Look at the account there before you publish it again."
        )
        % {"network": LABELS[publication.account.platform]},
    )


def different(row: FollowUp, seen: Seen, sent: int) -> None:
    publication = row.publication
    words = {"network": LABELS[publication.account.platform], "sent": sent, "shown": seen.media}
    report(
        row,
        Outcome.DIFFERENT,
        _("A post on %(account)s is not whole") % {"account": publication.account.handle},
        _("%(sent)d images or videos were sent; %(network)s shows %(shown)d. Look at the post there.") % words,
    )


def report(row: FollowUp, outcome: FollowUp.Outcome, title: str, body: str) -> None:
    publication = row.publication
    with transaction.atomic():
        finish(row, outcome, body)
        tell(
            publication.post.workspace,
            Notification.Kind.REMOVED,
            f"removed:{publication.pk}",
            title=title,
            body=body,
            url=publication.post.get_absolute_url(),
            account=publication.account,
        )


# Ends


def finish(row: FollowUp, outcome: FollowUp.Outcome, message: str = "", *, platform_id: str = "") -> None:
    row.outcome, row.message, row.platform_id = outcome, message, platform_id
    row.done_at, row.lease_until = timezone.now(), None
    row.save(update_fields=["outcome", "message", "platform_id", "seen", "done_at", "lease_until"])
    if outcome == Outcome.DONE and row.kind != Kind.COMMENT:
        settle(row.publication.post.workspace, f"removed:{row.publication_id}")


def later(row: FollowUp, when: datetime | timedelta, **fields: object) -> None:
    due_at = when if isinstance(when, datetime) else timezone.now() + when
    FollowUp.objects.filter(pk=row.pk, done_at=None).update(due_at=due_at, lease_until=None, **fields)


def failed(row: FollowUp, error: errors.PlatformError) -> None:
    """A clear no ends it, trouble that passes is waited for. An unknown outcome of a comment is looked for next time."""
    passing = isinstance(error, errors.TemporaryError | errors.OutcomeUnknownError)
    unknown = isinstance(error, errors.OutcomeUnknownError) or (row.kind == Kind.COMMENT and row.began_at)
    if row.kind != Kind.COMMENT and isinstance(error, errors.NotFoundError):
        gone(row, Seen(False))
    elif (passing or isinstance(error, errors.ReconnectError)) and row.attempts + 1 < MOST_TRIES:
        later(row, AGAIN, attempts=row.attempts + 1)
    else:
        logger.info("follow-up %s of publication %s: %s", row.kind, row.publication_id, error.kind)
        finish(row, Outcome.UNKNOWN if unknown else Outcome.FAILED, str(error.message))
