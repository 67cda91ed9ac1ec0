"""The engine's books: what waits, every try, and what is done after a post is out."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from publishing.admin.levers import DueNow, name_of
from publishing.admin.posts import steps_of, took, waits_for
from publishing.models import Attempt, FollowUp, QueueEntry
from socialhub.admin_books import (
    Books,
    OutcomeFilter,
    PlatformFilter,
    PlatformOfPublicationFilter,
    account_link,
    account_of,
    at,
    badge,
    kept_words,
    link,
    outcome_word,
    short,
)
from socialhub.admin_panels import Panel
from socialhub.templatetags.ui import said

MESSAGE: Any = kept_words("message", _("message"))
WAIT_REASON: Any = kept_words("wait_reason", _("reason of the wait"))


class LeasedFilter(admin.SimpleListFilter):
    title = _("in the hands of a worker")
    parameter_name = "leased"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("overdue", _("Its lease has run out")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[QueueEntry]) -> QuerySet[QueueEntry]:
        match self.value():
            case "yes":
                return queryset.filter(lease_until__isnull=False)
            case "overdue":
                return queryset.filter(lease_until__lt=timezone.now())
            case "no":
                return queryset.filter(lease_until=None)
        return queryset


class DueFilter(admin.SimpleListFilter):
    title = _("due")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("now", _("Due, and nobody has it")), ("later", _("Later"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[QueueEntry]) -> QuerySet[QueueEntry]:
        now = timezone.now()
        match self.value():
            case "now":
                return queryset.filter(
                    lease_until=None, held=False, priority__in=QueueEntry.Priority, not_before__lte=now
                )
            case "later":
                return queryset.filter(
                    lease_until=None, held=False, priority__in=QueueEntry.Priority, not_before__gt=now
                )
        return queryset


class OfPublication(Books):
    """Rows that hang on one publication."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("publication__post", "publication__account")

    def name_of(self, row: Any) -> str:
        return name_of(row.publication)

    @admin.display(description=_("publication"))
    def publication_link(self, row: Any) -> SafeString:
        return link("publishing_publication", row.publication_id, row.publication.post)

    @admin.display(description=_("account"))
    def account_shown(self, row: Any) -> SafeString:
        return account_link(row.publication.account)


@admin.register(QueueEntry)
class QueueEntryAdmin(OfPublication):
    list_display = (
        *("entry", "publication_link", account_of("publication__account")),
        *(badge("publication__status", _("status")), "waits", at("due_at", _("due")), "reason"),
        *("priority", "attempts", "looks", "losses"),
    )
    list_display_links = ("entry",)
    list_filter = (DueFilter, "held", "awaits_decision", LeasedFilter, "priority", PlatformFilter, "trouble_ahead")
    list_select_related = ("publication__post", "account")
    search_fields = ("account__name", "account__username", "wait_reason", "worker", "publication__post__caption")
    search_help_text = _("Handle or name of the account, worker, reason of the wait, words of the caption, or an id")
    id_fields = ("pk", "publication__post", "account")
    ordering = ("-priority", "not_before")
    fields = (
        *(
            "publication_link",
            "account_shown",
            "waits",
            "priority",
            "not_before",
            "due_at",
            "attempts",
            "looks",
            "losses",
            "held",
        ),
        *("awaits_decision", WAIT_REASON, "lease_until", "worker", "reserved", "checked_at", "trouble_ahead"),
        "created_at",
    )
    readonly_fields = ("publication_link", "account_shown", "waits", WAIT_REASON, "created_at")
    actions = (DueNow(),)

    @admin.display(description=_("waits for"), ordering="not_before")
    def waits(self, row: QueueEntry) -> SafeString | str:
        return waits_for(row)

    @admin.display(description=_("reason of the wait"))
    def reason(self, row: QueueEntry) -> str:
        return short(said(row.wait_reason)) if not row.held or row.awaits_decision else ""

    @admin.display(description=_("queue entry"))
    def entry(self, row: QueueEntry) -> str:
        return str(row.publication_id)[:8]


@admin.register(Attempt)
class AttemptAdmin(OfPublication):
    list_display = (
        *("number", "publication_link", account_of("publication__account"), "purpose", at("started_at", _("started"))),
        *("seconds", "outcome_shown", "text", "code", "request_id"),
    )
    list_filter = ("purpose", OutcomeFilter, PlatformOfPublicationFilter, "started_at")
    list_select_related = ("publication__post", "publication__account")
    search_fields = (
        *("request_id__exact", "code__exact", "worker", "publication__account__name"),
        *("publication__account__username", "publication__platform_post_id__exact"),
    )
    search_help_text = _("Request id (fbtrace_id), code, handle or name of the account, worker, or an id")
    id_fields = ("publication", "publication__post", "publication__account")
    ordering = ("-pk",)
    fields = (
        *("publication_link", "account_shown", "number", "purpose", "worker", "started_at", "finished_at"),
        *("outcome_shown", MESSAGE, "platform_message", "code", "subcode", "request_id"),
    )
    readonly_fields = ("publication_link", "account_shown", "outcome_shown", MESSAGE)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "publication__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    @admin.display(description=_("took"))
    def seconds(self, attempt: Attempt) -> str:
        return took(attempt)

    @admin.display(description=_("outcome"), ordering="outcome")
    def outcome_shown(self, attempt: Attempt) -> str:
        return outcome_word(attempt.outcome) or str(_("at work"))

    @admin.display(description=_("message"))
    def text(self, attempt: Attempt) -> str:
        return short(attempt.platform_message or said(attempt.message))

    def panels(self, request: HttpRequest, row: Attempt) -> list[Panel]:
        names = ("clock", "label", "ms", "word")
        return [
            Panel(
                _("Steps"),
                [
                    [
                        *(step.get(name, "") for name in names),
                        format_html("<code>{}</code>", step.get("request_id") or "–"),
                    ]
                    for step in steps_of(row)
                ],
                (_("Time"), _("Step"), _("Milliseconds"), _("Outcome"), _("Request")),
                empty=_("No step was made."),
            )
        ]


@admin.register(FollowUp)
class FollowUpAdmin(OfPublication):
    list_display = (
        *("kind", "publication_link", account_of("publication__account"), at("due_at", _("due")), "attempts"),
        *(at("done_at", _("done")), "outcome", MESSAGE),
    )
    list_filter = ("kind", "outcome", ("done_at", admin.EmptyFieldListFilter), PlatformOfPublicationFilter, "due_at")
    list_select_related = ("publication__post", "publication__account")
    search_fields = ("publication__account__name", "publication__account__username", "platform_id__exact")
    search_help_text = _("Handle or name of the account, id of the comment at the network, or an id")
    id_fields = ("publication", "publication__post", "publication__account")
    ordering = ("-pk",)
    fields = (
        *("publication_link", "account_shown", "kind", "due_at", "attempts", "began_at", "lease_until", "done_at"),
        *("outcome", MESSAGE, "platform_id", "seen"),
    )
    readonly_fields = ("publication_link", "account_shown", MESSAGE)
