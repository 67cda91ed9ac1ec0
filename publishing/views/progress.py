"""How a post is doing: a card per account that moves on its own, and what a person may answer there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import editor_required
from accounts.clients import client_of
from publishing import compose, intake, schedule
from publishing.checks import content_of, told_of
from publishing.compose import Intent
from publishing.forms.decide import DecideForm
from publishing.intake import State
from publishing.job import STEPS_DONE
from publishing.models import Attempt, FollowUp, Post, PostMedia, Publication, PublicationEvent, QueueEntry, Status
from publishing.post_types import TYPE_NAMES
from publishing.schedule import CannotDecide
from publishing.states import IllegalMove, LostRace, may_be_out
from publishing.views.timeline import timeline
from socialhub.http import HttpRequest
from socialhub.platforms import LABELS
from socialhub.platforms.base import PostType, Step
from socialhub.platforms.choices import Told

MOVING = (Status.QUEUED, Status.PUBLISHING, Status.CHECKING)
SEVERAL_ENDS = (
    Post.Summary.PUBLISHING,
    Post.Summary.CHECKING,
    Post.Summary.PARTLY_PUBLISHED,
    Post.Summary.PARTLY_FAILED,
)
TONES = {
    Post.Summary.SCHEDULED: "info",
    Post.Summary.PUBLISHING: "info",
    Post.Summary.CHECKING: "warning",
    Post.Summary.PUBLISHED: "success",
    Post.Summary.PARTLY_PUBLISHED: "info",
    Post.Summary.PARTLY_FAILED: "danger",
    Post.Summary.FAILED: "danger",
}
# How long to wait for the next look, by how many there were: quick at first, patient with what takes long.
PACE = ((60, 1), (120, 2), (240, 5))
SLOWEST = 15
SOON = timedelta(minutes=2)
FARTHEST_LOOK = 300
LATEST = 60  # so much of what has happened is shown at once
COMMENT_WITHIN = timedelta(minutes=5)  # the first comment is written in its own time
ADDRESS_WITHIN = timedelta(seconds=30)  # some networks tell the address of a post in a call of its own


@dataclass(frozen=True, slots=True)
class StepLine:
    """A line of the card: one step, or several of a kind, named after the first that is not done yet."""

    label: str
    state: str  # done, current, waiting, failed

    @property
    def word(self) -> str:
        """The state for those who do not see the tick."""
        return {"done": _("done"), "current": _("at work"), "failed": _("stopped here")}.get(self.state, _("to come"))


@dataclass(frozen=True, slots=True)
class Card:
    """One publication as its page shows it."""

    publication: Publication
    label: str
    type_name: str
    entry: QueueEntry | None
    steps: Sequence[StepLine]
    done: int
    total: int
    estimate: str
    waits_until: datetime | None
    decide_form: DecideForm | None

    @property
    def told(self) -> tuple[Told, ...]:
        """What was chosen for this network alone."""
        return told_of(self.publication)

    @property
    def clock(self) -> str:
        """How the end of the wait is written: to the second only when that is near enough to watch for."""
        return "H:i:s" if self.waits_until and self.waits_until - timezone.now() < SOON else "H:i"

    @property
    def status(self) -> str:
        return self.publication.status

    @property
    def is_doubtful(self) -> bool:
        """A draft of which an earlier try may be out all the same."""
        return self.status == Status.DRAFT and may_be_out(self.publication)

    @property
    def moves(self) -> bool:
        """Something may happen without anybody doing anything."""
        if self.entry is None:
            return self.awaits_address or self.awaits_comment
        return not self.entry.held

    @property
    def comment(self) -> FollowUp | None:
        """Its first comment, once the post is out."""
        rows = self.publication.follow_ups.all()
        return next((row for row in rows if row.kind == FollowUp.Kind.COMMENT), None)

    @property
    def awaits_comment(self) -> bool:
        row, published_at = self.comment, self.publication.published_at
        if row is None or row.done_at or not published_at:
            return False
        return timezone.now() - published_at < COMMENT_WITHIN

    @property
    def awaits_address(self) -> bool:
        """It went out a moment ago, and where it is to be seen is being asked."""
        if self.status != Status.PUBLISHED or self.publication.permalink or not self.publication.published_at:
            return False
        return timezone.now() - self.publication.published_at < ADDRESS_WITHIN

    @property
    def shows_steps(self) -> bool:
        """From shortly before it starts until it is out, so that the card keeps its size while it works."""
        if self.status in (Status.QUEUED, Status.PUBLISHING):
            return True
        if self.status == Status.SCHEDULED:
            is_soon = self.entry is not None and self.entry.due_at - timezone.now() < SOON
            return bool(self.done) or (is_soon and not self.waits_for_account)
        return self.status == Status.FAILED and self.total > 0

    @property
    def awaits_decision(self) -> bool:
        return bool(self.entry and self.entry.awaits_decision)

    @property
    def waits_for_account(self) -> bool:
        return bool(self.entry and self.entry.held and not self.entry.awaits_decision)


@require_GET
def post_progress(request: HttpRequest, post_id: UUID) -> HttpResponse:
    """The moving part of the page of a post; asks for itself again while something is going on."""
    post = get_object_or_404(Post.objects.of(request.workspace), pk=post_id)
    count = request.GET.get("n", "")
    number = int(count) if count.isdecimal() and len(count) < 6 else 0
    context = detail_context(request, post, number, live=True)
    response = render(request, "publishing/_post_progress.html", context)
    if "files" in request.GET and not (context["files"] and context["files"].is_waiting):
        response["HX-Refresh"] = "true"  # they stand beside the moving part
    return response


@editor_required
@require_POST
def publication_retry(request: HttpRequest, publication_id: UUID) -> HttpResponse:
    publication = get_object_or_404(publications_of(request), pk=publication_id)
    try:
        schedule.retry(publication, by=request.user)
    except (LostRace, IllegalMove):
        messages.error(request, _("This one is not failed any more. Look below how it is going."))
    return moved_on(request, publication.post)


@editor_required
@require_POST
def publication_decide(request: HttpRequest, publication_id: UUID) -> HttpResponse:
    """The answer of a person who has looked at the network."""
    publication = get_object_or_404(publications_of(request), pk=publication_id)
    form = DecideForm(request.POST, prefix=str(publication.pk))
    if form.is_valid():
        try:
            schedule.decide(
                publication,
                form.cleaned_data["answer"],
                by=request.user,
                platform_post_id=form.cleaned_data["found"],
            )
        except CannotDecide as reason:
            form.add_error("found", str(reason))
        except (LostRace, IllegalMove):
            messages.error(request, _("This has been settled meanwhile. Look below how it went."))
    if not form.is_valid():
        context = detail_context(request, publication.post, decide_forms={publication.pk: form})
        template = "publishing/_post_progress.html" if request.htmx else "publishing/post_detail.html"
        return render(request, template, context, status=422)
    return moved_on(request, publication.post)


def moved_on(request: HttpRequest, post: Post) -> HttpResponse:
    if request.htmx:
        post.refresh_from_db()
        return render(request, "publishing/_post_progress.html", detail_context(request, post, live=True))
    return redirect(post)


def publications_of(request: HttpRequest) -> Any:
    return Publication.objects.filter(post__workspace=request.workspace).select_related("post__workspace", "account")


# What the page shows


def detail_context(
    request: HttpRequest,
    post: Post,
    number: int = 0,
    *,
    decide_forms: dict[UUID, DecideForm] | None = None,
    live: bool = False,
) -> dict[str, Any]:
    """Everything the page of a post needs, and its moving part alike. `number`: how often the page has asked.

    live: for the moving part, which brings what has happened along only where somebody has that open.
    """
    asked = request.GET.get("timeline") or request.POST.get("timeline")
    media = list(PostMedia.objects.filter(post=post).select_related("media").order_by("position"))
    publications = list(
        Publication.objects.filter(post=post)
        .select_related("account", "queue_entry")
        .prefetch_related(
            Prefetch("attempts", Attempt.objects.order_by("-started_at", "-pk")),
            Prefetch("events", PublicationEvent.objects.select_related("actor")),
            "follow_ups",
        )
        .order_by("account__platform", "account__name")
    )
    for publication in publications:
        publication.post = post
    cards = [card(publication, media, (decide_forms or {}).get(publication.pk)) for publication in publications]
    files = intake.state_of(post) if post.status == Post.Summary.DRAFT else None
    delay = pace(number) if files and files.is_waiting else next_look(cards, number)
    return {
        "post": post,
        "media": media,
        "cards": cards,
        "publications": publications,
        **(told(publications, whole=asked == "all") if asked or not live else {}),
        "live": live,
        "files": files,
        "headline": waiting_headline(post, files) if files and files.is_waiting else headline(post, cards),
        "is_moving": any(one.status in MOVING for one in cards),
        "delay": delay,
        "number": number + 1,
        "may_edit": request.membership.may_edit,
        "can_edit": compose.is_editable(publications),
        "can_cancel": any(one.status == Status.SCHEDULED for one in cards),
        "can_delete": all(one.status == Status.DRAFT for one in cards),
        "failed_count": sum(one.status == Status.FAILED for one in cards),
        "has_several_ends": post.status in SEVERAL_ENDS,
        "tone": TONES.get(Post.Summary(post.status), ""),
        "left_behind": [one.publication.account_id for one in cards if one.status in (Status.FAILED, Status.DRAFT)],
        "is_due": post.scheduled_at is not None and post.scheduled_at <= timezone.now(),
        "own_zone_differs": post.time_zone != request.user.time_zone,
    }


def told(publications: Sequence[Publication], *, whole: bool) -> dict[str, Any]:
    """What has happened; of a post on many accounts the latest, until somebody asks for all of it."""
    entries = timeline(publications)
    is_cut = len(entries) > LATEST and not whole
    return {"timeline": entries[:LATEST] if is_cut else entries, "total": len(entries) if is_cut else 0, "whole": whole}


def card(publication: Publication, media: Sequence[PostMedia], form: DecideForm | None) -> Card:
    entry: QueueEntry | None = getattr(publication, "queue_entry", None)
    lines = steps(publication, media)
    done, total = publication.progress_done, publication.progress_total
    waits_until = (
        entry.not_before
        if entry and entry.lease_until is None and not entry.held and entry.not_before > timezone.now()
        else None
    )
    if entry and entry.awaits_decision and form is None:
        form = DecideForm(prefix=str(publication.pk))
    return Card(
        publication=publication,
        label=str(LABELS[publication.account.platform]),
        type_name=str(TYPE_NAMES[PostType(publication.post_type)]),
        entry=entry,
        steps=lines,
        done=total if publication.status == Status.PUBLISHED else done,
        total=total,
        estimate=estimate(publication) if publication.status == Status.PUBLISHING else "",
        waits_until=waits_until,
        decide_form=form,
    )


def steps(publication: Publication, media: Sequence[PostMedia]) -> list[StepLine]:
    """The plan as lines, ticked as far as it went. Steps of a kind are one line with a count."""
    if publication.status == Status.DRAFT:
        return []
    plan = client_of(publication.account).plan(content_of(publication, media))
    finished = set(publication.handles.get(STEPS_DONE, ()))
    if publication.status == Status.PUBLISHED:
        finished = {step.key for step in plan}
    lines: list[StepLine] = []
    for _kind, group in groupby(plan, key=lambda step: step.key.partition(":")[0]):
        lines.append(line(list(group), finished, publication, [one.state for one in lines]))
    return lines


def line(group: Sequence[Step], finished: set[str], publication: Publication, before: Sequence[str]) -> StepLine:
    done = sum(step.key in finished for step in group)
    label = next((step.label for step in group if step.key not in finished), group[-1].label)
    state = "waiting"
    if done == len(group):
        state = "done"
    elif all(one == "done" for one in before):
        state = {Status.PUBLISHING: "current", Status.CHECKING: "current", Status.FAILED: "failed"}.get(
            Status(publication.status), "waiting"
        )
    return StepLine(str(label), state)


def estimate(publication: Publication) -> str:
    """From what the steps of this try took so far: a guess, in words that say so."""
    attempt = next(iter(publication.attempts.all()), None)
    took = [step["ms"] for step in attempt.steps if step.get("outcome") == "done"] if attempt else []
    left = publication.progress_total - publication.progress_done
    if len(took) < 2 or left <= 0:
        return ""
    seconds = max(1, round(sum(took) / len(took) * left / 1000))
    if seconds < 60:
        return ngettext("about %(count)d second left", "about %(count)d seconds left", seconds) % {"count": seconds}
    minutes = round(seconds / 60)
    return ngettext("about %(count)d minute left", "about %(count)d minutes left", minutes) % {"count": minutes}


def next_look(cards: Iterable[Card], number: int) -> int | None:
    """Seconds until the page asks again; None when nothing will happen on its own."""
    moving = [one for one in cards if one.moves]
    if not moving:
        # What waits for an account goes on when somebody connects it again, perhaps in another tab.
        return SLOWEST * 2 if any(one.waits_for_account for one in cards) else None
    soon = pace(number)
    if all(one.waits_until for one in moving):
        first = min(one.waits_until for one in moving if one.waits_until)
        wait = (first - timezone.now()).total_seconds()
        return max(soon, min(int(wait) + 1, FARTHEST_LOOK)) if wait > soon else soon
    return soon


def pace(number: int) -> int:
    return next((seconds for most, seconds in PACE if number < most), SLOWEST)


def waiting_headline(post: Post, files: State) -> str:
    """What becomes of a draft as soon as its files are here. Given a time meanwhile, it goes out then."""
    intent = Intent.SCHEDULE if files.intent is Intent.NOW and post.scheduled_at else files.intent
    return {
        Intent.NOW: _("It is published as soon as all its files are here. You may close this page."),
        Intent.SCHEDULE: _("It is scheduled as soon as all its files are here. You may close this page."),
        Intent.DRAFT: _("A draft whose files are still being fetched."),
    }[intent]


def headline(post: Post, cards: Sequence[Card]) -> str:
    """One sentence on how it stands."""
    number = len(cards)
    gone = sum(one.publication.removed_at is not None for one in cards)
    if gone and post.status == Post.Summary.PUBLISHED:
        return ngettext(
            "It was published, and is not there any more.",
            "It was published on all accounts; on %(gone)d of %(number)d it is not there any more.",
            number,
        ) % {"gone": gone, "number": number}
    published = sum(one.status == Status.PUBLISHED for one in cards)
    if any(one.awaits_decision for one in cards):
        return _("It is not known whether it went out. Please look at the network, then answer below.")
    if any(one.status in (Status.QUEUED, Status.PUBLISHING) for one in cards):
        return _("Publishing: %(done)d of %(number)d done. You may close this page; it goes on without it.") % {
            "done": published,
            "number": number,
        }
    return {
        Post.Summary.DRAFT: _("A draft. Nothing goes out until you publish or schedule it."),
        Post.Summary.SCHEDULED: scheduled_headline(post, cards),
        Post.Summary.CHECKING: _("An answer got lost, so we find out whether the post is there before anything else."),
        Post.Summary.PUBLISHED: _("It is live on both accounts.")
        if number == 2
        else ngettext("It is live.", "It is live on all %(number)d accounts.", number) % {"number": number},
        Post.Summary.PARTLY_PUBLISHED: _("%(done)d of %(number)d are live; the others are still to come.")
        % {"done": published, "number": number},
        Post.Summary.PARTLY_FAILED: _("Some of it did not go out. Each card says why and what to do."),
        Post.Summary.FAILED: _("It did not go out. Each card says why and what to do."),
    }.get(Post.Summary(post.status), "")


def scheduled_headline(post: Post, cards: Sequence[Card]) -> str:
    if post.scheduled_at is None or post.scheduled_at > timezone.now():
        return _("It goes out on its own at its time. You need not keep this page open.")
    if any(one.moves and not one.waits_until for one in cards):
        return _("It starts in a moment. You may close this page; it goes on without it.")
    return _("It is due, but has to wait. Each card says for what.")
