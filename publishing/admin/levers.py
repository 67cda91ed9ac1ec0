"""What operators can have done to posts and publications: the same functions as the pages call, asked for first."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from publishing import schedule
from publishing.forms.decide import DecideForm
from publishing.models import Post, Publication, QueueEntry, Status
from publishing.schedule import CannotDecide
from publishing.states import IllegalMove, LostRace
from socialhub.admin_actions import Lever
from socialhub.admin_books import short


def stands(status: str) -> str:
    """Where something stands, as the reason why it is left out."""
    return {
        "draft": _("it is a draft"),
        "scheduled": _("it is scheduled"),
        "queued": _("it waits for a worker"),
        "publishing": _("it is being published"),
        "checking": _("it is not known yet whether it is there"),
        "published": _("it is published already"),
        "failed": _("it has failed"),
        "partly_published": _("parts of it are published, the others are drafts"),
        "partly_failed": _("parts of it have failed, and nothing of it waits"),
    }.get(status, status)


def name_of(publication: Publication) -> str:
    return f"{short(str(publication.post), 40)} · {publication.account.handle}"


def publications(queryset: QuerySet[Publication]) -> list[Publication]:
    return list(queryset.select_related("post__workspace", "account", "queue_entry"))


class Retry(Lever):
    name = "retry"
    label = gettext_lazy("Retry")
    meaning = gettext_lazy(
        "They are tried again now, ahead of scheduled posts. What was uploaded already is used where the network still "
        "has it. Nothing is published twice: whatever may be out already is looked for first."
    )

    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        return publications(queryset)

    def why_not(self, row: Publication) -> str:
        return "" if row.status == Status.FAILED else stands(row.status)

    def act(self, request: HttpRequest, row: Publication, fields: dict[str, Any]) -> str:
        try:
            schedule.retry(row, by=request.user)  # type: ignore[arg-type]  # staff are signed in
        except (LostRace, IllegalMove):
            return _("somebody else was faster")
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Try %d publication again?", "Try %d publications again?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d publication is tried again.", "%d publications are tried again.", number) % number

    def name_of(self, row: Any) -> str:
        return name_of(row) if isinstance(row, Publication) else short(str(row), 40)


class RetryOfPosts(Retry):
    """The failed publications of posts."""

    name = "retry_failed"
    label = gettext_lazy("Retry what has failed")

    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        failed = publications(Publication.objects.filter(post__in=queryset, status=Status.FAILED))
        with_failures = {publication.post_id for publication in failed}
        return [*failed, *queryset.exclude(pk__in=with_failures)]

    def why_not(self, row: Any) -> str:
        if isinstance(row, Post):
            return _("nothing of it has failed")
        return super().why_not(row)

    def fits(self, row: Post) -> bool:
        return row.status in (Post.Summary.FAILED, Post.Summary.PARTLY_FAILED)


class Cancel(Lever):
    name = "cancel"
    label = gettext_lazy("Cancel: back to draft")
    meaning = gettext_lazy(
        "They become drafts again, on all their accounts that no worker has begun yet. Their authors can schedule them "
        "anew. What is being published, or is out, stays as it is."
    )

    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        return list(queryset.annotate(can_be_cancelled=Exists(cancellable().filter(publication__post=OuterRef("pk")))))

    def why_not(self, row: Any) -> str:
        return "" if row.can_be_cancelled else stands(row.status)

    def act(self, request: HttpRequest, row: Post, fields: dict[str, Any]) -> str:
        try:
            schedule.cancel(row, by=request.user)  # type: ignore[arg-type]
        except LostRace:
            return _("a worker was faster")
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Make %d post a draft again?", "Make %d posts drafts again?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d post is a draft again.", "%d posts are drafts again.", number) % number

    def name_of(self, row: Post) -> str:
        return short(str(row), 40)

    def fits(self, row: Post) -> bool:
        return cancellable().filter(publication__post=row).exists()


def cancellable() -> QuerySet[QueueEntry]:
    """What `schedule.cancel` takes back."""
    return QueueEntry.objects.filter(publication__status=Status.SCHEDULED, lease_until__isnull=True)


class LookAgain(Lever):
    name = "look_again"
    label = gettext_lazy("Look again whether it is there")
    meaning = gettext_lazy(
        "The network is asked once more, now. Found: it is published. Surely not there: it is tried again. Where it cannot "
        "be known, its people are asked again."
    )

    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        return publications(queryset)

    def why_not(self, row: Publication) -> str:
        return schedule.why_not_look_again(row)

    def act(self, request: HttpRequest, row: Publication, fields: dict[str, Any]) -> str:
        try:
            schedule.look_again(row)
        except LostRace:
            return _("a worker was faster")
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Look for %d publication again?", "Look for %d publications again?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d publication is looked for.", "%d publications are looked for.", number) % number

    def name_of(self, row: Publication) -> str:
        return name_of(row)


class AnswerForm(DecideForm):
    """The three answers, in words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["answer"] = forms.ChoiceField(
            label=_("You have looked at the network. What is there?"),
            choices=[
                ("there", _("It is there: note it as published")),
                ("absent", _("It is not there: publish it again")),
                ("give_up", _("Nobody will find out: give up")),
            ],
            widget=forms.RadioSelect,
        )
        self.fields["found"].widget.attrs["placeholder"] = ""


class Settle(Lever):
    name = "settle"
    label = gettext_lazy("Decide whether it is there")
    meaning = gettext_lazy(
        "Reading the account does not tell whether it was published. Open the account at the network and look. A wrong "
        "“not there” publishes it a second time."
    )
    most = 1
    is_grave = True

    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        return publications(queryset)

    def why_not(self, row: Publication) -> str:
        entry = getattr(row, "queue_entry", None)
        if row.status != Status.CHECKING or entry is None:
            return stands(row.status)
        if entry.lease_until is not None:
            return _("a worker is just looking")
        return "" if entry.awaits_decision else _("we are still looking ourselves")

    def form(self, data: Any = None, *, rows: Any = ()) -> forms.Form | None:
        return AnswerForm(data)

    def act(self, request: HttpRequest, row: Publication, fields: dict[str, Any]) -> str:
        try:
            schedule.decide(row, fields["answer"], by=request.user, platform_post_id=fields["found"])  # type: ignore[arg-type]
        except LostRace:
            return _("somebody else has decided, or a worker is just looking")
        except CannotDecide as problem:
            return str(problem)
        return ""

    def asks(self, number: int) -> str:
        return _("Is it there?")

    def did(self, number: int) -> str:
        return _("Your answer is noted.")

    def name_of(self, row: Publication) -> str:
        return name_of(row)


class DueNow(Lever):
    name = "due_now"
    label = gettext_lazy("Due now: do not wait any longer")
    meaning = gettext_lazy(
        "Waits that the engine has chosen (after an error, for a limit) end now. Limits and pauses still hold: a worker "
        "looks at them when it takes the entry. Nothing goes out before the time that its author has chosen."
    )

    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        return list(queryset.select_related("publication__post", "publication__account"))

    def why_not(self, row: QueueEntry) -> str:
        return schedule.why_not_hurry(row)

    def act(self, request: HttpRequest, row: QueueEntry, fields: dict[str, Any]) -> str:
        try:
            schedule.hurry(row)
        except LostRace:
            return _("a worker was faster")
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Make %d entry due now?", "Make %d entries due now?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d entry is due now.", "%d entries are due now.", number) % number

    def name_of(self, row: QueueEntry) -> str:
        return name_of(row.publication)
