"""Everything that happened to a post, in words for those who wrote it; what only helps to find a fault is marked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from publishing.models import Attempt, FollowUp, Publication, PublicationEvent, Status
from socialhub.platforms import LABELS

# What a change of status means, by where it came from and led to; "" stands for anywhere.
CHANGES: dict[tuple[str, str], Any] = {
    ("draft", "scheduled"): gettext_lazy("Scheduled"),
    ("scheduled", "draft"): gettext_lazy("Taken back"),
    ("queued", "draft"): gettext_lazy("Taken back"),
    ("failed", "draft"): gettext_lazy("Opened for editing"),
    ("scheduled", "queued"): gettext_lazy("Its turn has come"),
    ("queued", "publishing"): gettext_lazy("Publishing began"),
    ("queued", "scheduled"): gettext_lazy("Put off"),
    ("publishing", "scheduled"): gettext_lazy("Put off"),
    ("checking", "scheduled"): gettext_lazy("It is not there: sent again"),
    ("failed", "scheduled"): gettext_lazy("Tried again"),
    ("checking", "published"): gettext_lazy("It is there: published"),
    ("", "published"): gettext_lazy("Published"),
    ("", "checking"): gettext_lazy("The answer got lost"),
    ("", "failed"): gettext_lazy("Failed"),
}
TECHNICAL = (Status.QUEUED, Status.PUBLISHING)  # steps of the engine that nobody waits for
ICONS = {
    Status.DRAFT: "pencil",
    Status.SCHEDULED: "clock",
    Status.QUEUED: "hourglass",
    Status.PUBLISHING: "send",
    Status.CHECKING: "zoom-question",
    Status.PUBLISHED: "check",
    Status.FAILED: "alert-triangle",
}
# How a try ended: "published", "waiting", the kind of a PlatformError, or what the engine itself did with it.
OUTCOMES = {
    "published": gettext_lazy("it went out"),
    "accepted": gettext_lazy("handed over, its address comes later"),
    "waiting": gettext_lazy("the network needs a moment"),
    "temporary": gettext_lazy("no usable answer, so again later"),
    "limited": gettext_lazy("a limit is reached, so later"),
    "reconnect": gettext_lazy("the access has ended"),
    "refresh_lost": gettext_lazy("the access could not be renewed"),
    "permission": gettext_lazy("a permission is missing"),
    "account_blocked": gettext_lazy("the network blocks the account"),
    "rejected": gettext_lazy("refused"),
    "outcome_unknown": gettext_lazy("the answer got lost"),
    "error": gettext_lazy("it did not work"),
    "our_bug": gettext_lazy("a fault of this software"),
    "operator": gettext_lazy("something is not set up here"),
    "not_found": gettext_lazy("not found there"),
    "absent": gettext_lazy("it is not there"),
    "unknowable": gettext_lazy("it cannot be known"),
    "missed": gettext_lazy("too late"),
    "paused": gettext_lazy("publishing is paused"),
    "lost": gettext_lazy("the worker stopped"),
}


@dataclass(frozen=True)
class TimelineEntry:
    """A change of status, a try, or what was done afterwards."""

    at: datetime
    publication: Publication
    label: str
    event: PublicationEvent | None = None
    attempt: Attempt | None = None
    follow_up: FollowUp | None = None

    @cached_property
    def happened(self) -> str:
        """In a few words."""
        if self.event:
            came, to = self.event.from_status, self.event.to_status
            known = CHANGES.get((came, to)) or CHANGES.get(("", to))
            return str(known or Status(to).label)
        if self.attempt:
            words = _("Look %(number)d") if self.attempt.purpose == Attempt.Purpose.CHECK else _("Try %(number)d")
            return words % {"number": self.attempt.number}
        return followed_up(self.follow_up) if self.follow_up else ""

    @property
    def outcome(self) -> str:
        """How a try ended."""
        if not self.attempt:
            return ""
        if not self.attempt.finished_at and not self.attempt.outcome:
            return _("going on")
        return str(OUTCOMES.get(self.attempt.outcome, self.attempt.outcome))

    @property
    def took(self) -> str:
        """How long a try took."""
        if not self.attempt or not self.attempt.finished_at:
            return ""
        seconds = (self.attempt.finished_at - self.attempt.started_at).total_seconds()
        if seconds < 60:
            whole = max(1, round(seconds))
            return ngettext("%(count)d second", "%(count)d seconds", whole) % {"count": whole}
        minutes = round(seconds / 60)
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}

    @property
    def is_technical(self) -> bool:
        return bool(self.event and self.event.to_status in TECHNICAL)

    @property
    def icon(self) -> str:
        if self.event:
            return ICONS.get(Status(self.event.to_status), "circle")
        if self.attempt:
            return "search" if self.attempt.purpose == Attempt.Purpose.CHECK else "arrow-up-right"
        is_comment = self.follow_up and self.follow_up.kind == FollowUp.Kind.COMMENT
        return "message-circle" if is_comment else "eye"

    @property
    def tone(self) -> str:
        if self.event:
            return {Status.PUBLISHED: "success", Status.FAILED: "danger", Status.CHECKING: "warning"}.get(
                Status(self.event.to_status), ""
            )
        if self.follow_up and self.follow_up.outcome != FollowUp.Outcome.DONE:
            return "warning"
        return ""


def followed_up(row: FollowUp) -> str:
    if row.kind == FollowUp.Kind.COMMENT:
        return {
            FollowUp.Outcome.DONE: _("First comment written"),
            FollowUp.Outcome.FAILED: _("First comment not written"),
        }.get(FollowUp.Outcome(row.outcome), _("First comment: it cannot be known whether it is there"))
    soon = row.kind == FollowUp.Kind.SEEN_SOON
    return {
        FollowUp.Outcome.DONE: _("After five minutes: it is there") if soon else _("After a day: it is there"),
        FollowUp.Outcome.GONE: _("After five minutes: it is not there any more")
        if soon
        else _("After a day: it is not there any more"),
        FollowUp.Outcome.DIFFERENT: _("After five minutes: it is there, but not whole")
        if soon
        else _("After a day: it is there, but not whole"),
        FollowUp.Outcome.FAILED: _("After five minutes: it could not be looked at")
        if soon
        else _("After a day: it could not be looked at"),
    }.get(
        FollowUp.Outcome(row.outcome),
        _("After five minutes: it cannot be known whether it is there")
        if soon
        else _("After a day: it cannot be known whether it is there"),
    )


def timeline(publications: Iterable[Publication]) -> list[TimelineEntry]:
    """Every change of status, every try and what followed, the newest first. The rows should be prefetched."""
    entries = []
    for publication in publications:
        label = f"{LABELS[publication.account.platform]} {publication.account.handle}"
        events = sorted(publication.events.all(), key=lambda event: event.pk)
        entries += [TimelineEntry(event.at, publication, label, event=event) for event in events]
        entries += [
            TimelineEntry(attempt.started_at, publication, label, attempt=attempt)
            for attempt in publication.attempts.all()
        ]
        entries += [
            TimelineEntry(row.done_at, publication, label, follow_up=row)
            for row in publication.follow_ups.all()
            if row.done_at
        ]
    # Not `reverse=True`, which would leave what happened in one instant the wrong way round.
    return sorted(entries, key=lambda entry: entry.at)[::-1]
