"""One act on many posts: another time, cancel, retry, delete. Each post on its own, so that one stops no other.

What will happen is told beforehand (`outlook`), and afterwards what did (`perform`): between the two a worker may have
begun, or another person have been faster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from publishing import assemblies, autosave, schedule
from publishing.models import Post, Publication, Status
from publishing.states import BEGUN, MAYBE_OUT, IllegalMove, LostRace, may_be_out

MOST = 200  # each post is a transaction of its own, and a person waits for the answer


class Act(models.TextChoices):
    RESCHEDULE = "reschedule", gettext_lazy("Reschedule")
    CANCEL = "cancel", gettext_lazy("Cancel")
    RETRY = "retry", gettext_lazy("Retry")
    DELETE = "delete", gettext_lazy("Delete")


class Skipped(models.TextChoices):
    """Why a post is left as it is; the words fit one post and several."""

    ON_THE_WAY = "on_the_way", gettext_lazy("already on the way")
    OUT = "out", gettext_lazy("already published")
    FAILED = "failed", gettext_lazy("failed, so that nothing waits for a time")
    DRAFT = "draft", gettext_lazy("already a draft")
    NO_TIME = "no_time", gettext_lazy("no time planned that could be shifted")
    PAST = "past", gettext_lazy("the new time would be in the past")
    FAR = "far", gettext_lazy("the new time would be more than two years from now")
    NOT_FAILED = "not_failed", gettext_lazy("nothing has failed")
    NOT_DRAFT = "not_draft", gettext_lazy("only drafts can be deleted")
    MAYBE_OUT = "maybe_out", gettext_lazy("perhaps out already, so that its account has to be looked at first")
    GONE = "gone", gettext_lazy("no longer there")


class Placing(Protocol):
    """Where posts go in time."""

    def place(self, post: Post, number: int) -> datetime | None:
        """The new time of a post, which is the number-th (from 0) that moves; None when it has none to start from."""


def days_later(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same time of day on another day: where the clocks were changed meanwhile that is not 24 hours."""
    if not days:
        return moment
    local = moment.astimezone(zone)
    # A time that the clocks skip becomes the one they show instead.
    return (local.replace(fold=0) + timedelta(days=days)).astimezone(ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True)
class SpreadOut:
    """The first at a moment, each further one so much after the one before."""

    first: datetime
    zone: ZoneInfo
    days: int = 0
    minutes: int = 0

    def place(self, post: Post, number: int) -> datetime | None:
        return days_later(self.first, self.days * number, self.zone) + timedelta(minutes=self.minutes * number)


@dataclass(frozen=True, slots=True)
class Shift:
    """All by the same step, later or (below 0) earlier."""

    zone: ZoneInfo
    days: int = 0
    minutes: int = 0

    def place(self, post: Post, number: int) -> datetime | None:
        if post.scheduled_at is None:
            return None
        return days_later(post.scheduled_at, self.days, self.zone) + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Line:
    """What will become of one post: its new time, or why nothing. `part` of `whole` publications are concerned."""

    post: Post
    skipped: Skipped | None = None
    at: datetime | None = None
    part: int = 0
    whole: int = 0

    @property
    def is_part(self) -> bool:
        return 0 < self.part < self.whole

    @property
    def stays_draft(self) -> bool:
        return self.at is not None and not self.part

    @property
    def doubtful(self) -> list[Publication]:
        """Where nobody knows whether an earlier try of the post is out. What is deleted here stays there."""
        return [one for one in self.post.publications.all() if may_be_out(one)]


@dataclass(slots=True)
class Report:
    """What happened: how many posts were changed, and how many not, by reason."""

    act: Act
    done: int = 0
    skipped: Counter[Skipped] = field(default_factory=Counter)

    def skip(self, reason: Skipped, number: int = 1) -> None:
        if number:
            self.skipped[reason] += number

    @property
    def text(self) -> str:
        done = {
            Act.RESCHEDULE: ngettext("%(count)d post has a new time.", "%(count)d posts have a new time.", self.done),
            Act.CANCEL: ngettext(
                "%(count)d post is cancelled and a draft again.",
                "%(count)d posts are cancelled and drafts again.",
                self.done,
            ),
            Act.RETRY: ngettext("%(count)d post is tried again.", "%(count)d posts are tried again.", self.done),
            Act.DELETE: ngettext("%(count)d draft is deleted.", "%(count)d drafts are deleted.", self.done),
        }[self.act] % {"count": self.done}
        if not self.skipped:
            return done
        number = self.skipped.total()
        left = ngettext("%(count)d was skipped: %(reasons)s.", "%(count)d were skipped: %(reasons)s.", number) % {
            "count": number,
            "reasons": self.reasons,
        }
        return f"{done} {left}" if self.done else left

    @property
    def reasons(self) -> str:
        if len(self.skipped) == 1:
            return str(next(iter(self.skipped)).label)
        return ", ".join(f"{reason.label} ({count})" for reason, count in self.skipped.most_common())


def concerned(act: Act, publications: Iterable[Publication]) -> list[Publication]:
    """The publications of a post on which the act has something to do."""
    status = {Act.RESCHEDULE: Status.SCHEDULED, Act.CANCEL: Status.SCHEDULED, Act.RETRY: Status.FAILED}.get(act)
    return [one for one in publications if one.status == status]


def hindrance(act: Act, post: Post) -> Skipped | None:
    """Why the act has nothing to do on a post; None when it has."""
    publications = post.publications.all()
    statuses = {Status(one.status) for one in publications}
    is_draft = statuses <= {Status.DRAFT}
    if act is Act.DELETE:
        return None if is_draft else Skipped.NOT_DRAFT
    if act is Act.RETRY:
        return None if Status.FAILED in statuses else Skipped.NOT_FAILED
    if Status.SCHEDULED in statuses or (act is Act.RESCHEDULE and is_draft):
        return None
    if is_draft:
        return Skipped.DRAFT
    if statuses & BEGUN:
        return Skipped.ON_THE_WAY
    return Skipped.FAILED if Status.FAILED in statuses else Skipped.OUT


def acts_for(post: Post) -> list[Act]:
    """What may be done to a post, for its menu. A draft is given its time where it is written."""
    acts = [act for act in Act if hindrance(act, post) is None]
    return [act for act in acts if act is not Act.RESCHEDULE or post.scheduled_at]


def in_order(posts: Iterable[Post]) -> list[Post]:
    """As they would go out, those without a time last in the order in which they were written."""
    far = datetime.max.replace(tzinfo=ZoneInfo("UTC"))
    return sorted(posts, key=lambda post: (post.scheduled_at or far, post.created_at, post.pk))


def outlook(act: Act, posts: Iterable[Post], placing: Placing | None = None) -> list[Line]:
    """What the act would do now to each post. The publications of the posts should be prefetched."""
    return list(lines(act, in_order(posts), placing))


def lines(act: Act, posts: Sequence[Post], placing: Placing | None) -> Iterator[Line]:
    now = timezone.now()
    number = 0
    for post in posts:
        if reason := hindrance(act, post):
            yield Line(post, reason)
            continue
        at = None
        if act is Act.RESCHEDULE and placing is not None:
            at = placing.place(post, number)
            if reason := misplaced(at, now):
                yield Line(post, reason)
                continue
        number += 1
        publications = post.publications.all()
        yield Line(post, None, at, len(concerned(act, publications)), len(publications))


def misplaced(at: datetime | None, now: datetime) -> Skipped | None:
    """Why a post cannot have the time that it would get."""
    if at is None:
        return Skipped.NO_TIME
    if at <= now:
        return Skipped.PAST
    return Skipped.FAR if schedule.is_too_far(at) else None


def perform(
    act: Act, posts: Iterable[Post], *, by: User, placing: Placing | None = None, told: Collection[UUID] = ()
) -> Report:
    """Do it to every post that it can be done to. Rescheduling needs a placing.

    told: the posts of which the person has read that they may be out. No other such post is deleted.
    """
    report = Report(act)
    for one in outlook(act, posts, placing):
        if one.skipped:
            report.skip(one.skipped)
            continue
        try:
            reason = carry_out(act, one, by, although_in_doubt=one.post.pk in told)
        except (LostRace, IllegalMove):
            reason = Skipped.ON_THE_WAY
        if reason:
            report.skip(reason)
        else:
            report.done += 1
    return report


def carry_out(act: Act, line: Line, by: User, *, although_in_doubt: bool) -> Skipped | None:
    """Why nothing was changed, or None. Raises LostRace, IllegalMove."""
    if act is Act.RESCHEDULE:
        if line.at is None:
            raise ValueError("Nothing can be rescheduled without a time.")
        schedule.reschedule(line.post, line.at, by=by)
        return None
    if act is Act.CANCEL:
        schedule.cancel(line.post, by=by)
        return None
    if act is Act.DELETE:
        return delete_draft(line.post, by=by, although_in_doubt=although_in_doubt)
    return None if retry_all(line.post, by) else Skipped.ON_THE_WAY


def delete_draft(post: Post, *, by: User, although_in_doubt: bool = False) -> Skipped | None:
    """Drafts only: what went out keeps its record, and so does what may have, unless a person has been asked about that.

    Returns why it was left as it is, or None.
    """
    with transaction.atomic():
        list(post.publications.select_for_update(of=("self",)).order_by("pk"))  # in the order of everybody, see states
        Post.objects.select_for_update().filter(pk=post.pk).first()
        if post.publications.exclude(status=Status.DRAFT).exists():
            return Skipped.NOT_DRAFT
        if not although_in_doubt and post.publications.filter(MAYBE_OUT).exists():
            return Skipped.MAYBE_OUT
        assemblies.end(post)
        autosave.outlive(post, by=by)
        post.delete()
    return None


def retry_all(post: Post, by: User) -> int:
    """Try again what failed of a post; returns how many publications that were."""
    tried = 0
    failed = post.publications.filter(status=Status.FAILED).select_related("post__workspace", "account")
    for publication in failed:
        try:
            schedule.retry(publication, by=by)
        except (LostRace, IllegalMove):
            continue
        tried += 1
    return tried
