"""Posts and publications: where each stands, every try with its steps, and what followed.

From an account to its failed publications to their attempts it is one click each.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.connections import told
from accounts.models import Notification
from publishing.admin.levers import Cancel, LookAgain, Retry, RetryOfPosts, Settle, name_of
from publishing.models import (
    Attempt,
    Post,
    PostMedia,
    Publication,
    PublicationEvent,
    QueueEntry,
    Status,
)
from publishing.post_types import TYPE_NAMES
from publishing.settle import incident_of
from socialhub.admin_books import (
    Books,
    BooksInline,
    ErrorFilter,
    PlatformFilter,
    PlatformOfPublicationFilter,
    RecentFilter,
    account_link,
    account_of,
    as_json,
    at,
    badge,
    error,
    error_word,
    kept_words,
    link,
    list_link,
    outcome_word,
    row_of,
    short,
)
from socialhub.admin_panels import Panel, facts
from socialhub.platforms.base import PostType
from socialhub.templatetags.ui import said, status_badge, when

ATTEMPTS_SHOWN = 5  # of each purpose, with their steps; the others are one click away
EVENTS_SHOWN = 30
REASON: Any = kept_words("reason", _("reason"))


def words(publication: Publication) -> SafeString:
    """Which error, in our words and below them in the network's."""
    if not publication.error_message:
        return format_html("{}", "–")
    return format_html(
        '<span class="trouble">{}</span>{}',
        short(publication.error_message),
        format_html("<br><q>{}</q>", short(publication.platform_message)) if publication.platform_message else "",
    )


def waits_for(entry: QueueEntry | None) -> SafeString | str:
    """What has to happen before it goes on."""
    if entry is None:
        return "–"
    if entry.lease_until:
        return format_html(str(_("at work: {} until {}")), entry.worker, when(entry.lease_until))
    if entry.awaits_decision:
        return str(_("a person must decide"))
    if entry.held:
        return said(entry.wait_reason) or str(_("held"))
    return when(entry.not_before)


class PostMediaInline(BooksInline):
    model = PostMedia
    fields = ("position", "media", "alt_text")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[PostMedia]:
        return super().get_queryset(request).select_related("media")


@admin.register(Post)
class PostAdmin(Books):
    list_display = (
        *("caption_start", badge("status", _("status")), row_of("workspace", _("workspace"), "accounts_workspace")),
        *(at("scheduled_at", _("scheduled")), "campaign", "author", at("created_at", _("written"))),
    )
    list_filter = ("status", "created_at", "scheduled_at")
    list_select_related = ("workspace", "author")
    search_fields = ("caption", "campaign", "author__email", "workspace__name")
    search_help_text = _("Words of the caption, campaign, e-mail of the author, workspace, or id")
    id_fields = ("pk", "workspace", "publications__pk")
    ordering = ("-created_at",)
    inlines = (PostMediaInline,)
    actions = (RetryOfPosts(), Cancel())

    @admin.display(description=_("caption"), ordering="caption")
    def caption_start(self, post: Post) -> str:
        return str(post)

    def panels(self, request: HttpRequest, row: Post) -> list[Panel]:
        found = row.publications.select_related("account", "queue_entry").order_by("account__platform", "account__name")
        return [
            facts(
                _("Where it stands"),
                (_("Status"), status_badge(row.status)),
                (_("Workspace"), link("accounts_workspace", row.workspace_id, row.workspace)),
                (_("Author"), link("accounts_user", row.author_id, row.author) if row.author else None),
                (_("Scheduled"), when(row.scheduled_at) if row.scheduled_at else None),
            ),
            Panel(
                _("Publications"),
                [
                    (
                        link("publishing_publication", one.pk, one.account.handle),
                        account_link(one.account),
                        one.post_type,
                        status_badge(one.status),
                        waits_for(getattr(one, "queue_entry", None)),
                        error_word(one.error_kind) or "–",
                        words(one),
                        when(one.published_at) if one.published_at else "–",
                    )
                    for one in found
                ],
                (
                    *(_("Publication"), _("Account"), _("Kind"), _("Status"), _("Waits for"), _("Kind of error")),
                    *(_("Message"), _("Published")),
                ),
                empty=_("It has none."),
            ),
        ]


class StatusFilter(admin.SimpleListFilter):
    """By status, and by what the queue says of it."""

    title = _("waits")
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("decision", _("For a decision")),
            ("account", _("For its account")),
            ("worker", _("At work now")),
            ("time", _("For its time")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Publication]) -> QuerySet[Publication]:
        match self.value():
            case "decision":
                return queryset.filter(queue_entry__held=True, queue_entry__awaits_decision=True)
            case "account":
                return queryset.filter(queue_entry__held=True, queue_entry__awaits_decision=False)
            case "worker":
                return queryset.filter(queue_entry__lease_until__isnull=False)
            case "time":
                return queryset.filter(queue_entry__lease_until__isnull=True, queue_entry__held=False)
        return queryset


@admin.register(Publication)
class PublicationAdmin(Books):
    list_display = (
        *("post_text", badge("status", _("status")), account_of("account"), "kind"),  # a phone shows the first two
        *(at("scheduled_at", _("scheduled")), "next_try", error("error_kind"), "last_error"),
        *(at("published_at", _("published")), "attempts_link"),
    )
    list_filter = ("status", PlatformFilter, ErrorFilter, RecentFilter, StatusFilter, "scheduled_at", "published_at")
    list_select_related = ("post", "account", "queue_entry")
    search_fields = (
        *("account__name", "account__username", "post__caption", "post__author__email"),
        *("platform_post_id__exact", "account__platform_account_id__exact"),
    )
    search_help_text = _(
        "Handle or name of the account, words of the caption, e-mail of the author, id of the post at the network, or any id"
    )
    id_fields = ("pk", "post", "account", "post__workspace")
    ordering = ("-created_at",)
    actions = (Retry(), LookAgain(), Settle())
    fieldsets = (
        (_("What goes out"), {"fields": ("id", "post_type", "caption_override", "choices_made")}),
        (
            _("Procedure"),
            {
                "fields": (
                    *("committing_at", "progress_label", "progress_done", "progress_total"),
                    *("saved_handles", "created_at", "updated_at"),
                )
            },
        ),
    )
    readonly_fields = ("id", "choices_made", "saved_handles", "created_at", "updated_at")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "account__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Publication]:
        return super().get_queryset(request).select_related("post__workspace", "account", "queue_entry")

    def name_of(self, row: Publication) -> str:
        return name_of(row)

    @admin.display(description=_("post"), ordering="post__caption")
    def post_text(self, publication: Publication) -> str:
        return str(publication.post)

    @admin.display(description=_("post type"), ordering="post_type")
    def kind(self, publication: Publication) -> str:
        return str(TYPE_NAMES.get(PostType(publication.post_type), publication.post_type))

    @admin.display(description=_("waits for"), ordering="queue_entry__not_before")
    def next_try(self, publication: Publication) -> SafeString | str:
        return waits_for(getattr(publication, "queue_entry", None))

    @admin.display(description=_("last error"))
    def last_error(self, publication: Publication) -> SafeString:
        return words(publication)

    @admin.display(description=_("attempts"))
    def attempts_link(self, publication: Publication) -> SafeString:
        return list_link("publishing_attempt", _("attempts"), publication__id__exact=publication.pk)

    @admin.display(description=_("choices"))
    def choices_made(self, publication: Publication) -> SafeString | str:
        return as_json(publication.choices) if publication.choices else "–"

    @admin.display(description=_("saved handles"))
    def saved_handles(self, publication: Publication) -> SafeString:
        return as_json(publication.handles)

    def panels(self, request: HttpRequest, row: Publication) -> list[Panel]:
        entry: QueueEntry | None = getattr(row, "queue_entry", None)
        found = [
            what_happened(row, entry),
            attempts_of(row),
            timeline_of(row),
        ]
        if follow_ups := follow_ups_of(row):
            found.append(follow_ups)
        return [*found, told_about(row)]


def what_happened(row: Publication, entry: QueueEntry | None) -> Panel:
    return facts(
        _("What happened"),
        (_("Status"), status_badge(row.status)),
        (_("Account"), format_html("{} {}", account_link(row.account), status_badge(row.account.status))),
        (_("Post"), link("publishing_post", row.post_id, row.post)),
        (_("Workspace"), link("accounts_workspace", row.post.workspace_id, row.post.workspace)),
        (_("Scheduled"), when(row.scheduled_at) if row.scheduled_at else None),
        (_("Kind of error"), error_word(row.error_kind)),
        (_("Message"), row.error_message),
        (_("Words of the network"), row.platform_message),
        (_("Published"), when(row.published_at) if row.published_at else None),
        (_("Seen to be gone"), when(row.removed_at) if row.removed_at else None),
        (_("Id at the network"), row.platform_post_id),
        (_("Address"), format_html('<a href="{0}" rel="noopener">{0}</a>', row.permalink) if row.permalink else None),
        *queue_facts(entry),
    )


def queue_facts(entry: QueueEntry | None) -> list[tuple[object, object] | None]:
    if entry is None:
        return []
    return [
        (_("Queue entry"), link("publishing_queueentry", entry.pk, entry.get_priority_display())),
        (_("Waits for"), waits_for(entry)),
        (_("Reason"), "" if entry.held and not entry.awaits_decision else said(entry.wait_reason)),
        (_("Due"), when(entry.due_at)),
        (_("Temporary errors"), entry.attempts or None),
        (_("Looks for a lost outcome"), entry.looks or None),
        (_("Workers lost"), entry.losses or None),
    ]


def attempts_of(row: Publication) -> Panel:
    """The newest, by time; however often we have looked for a lost outcome, the tries to publish stay in sight."""
    shown, more = [], False
    for purpose in Attempt.Purpose:
        some = list(row.attempts.filter(purpose=purpose).order_by("-started_at", "-id")[: ATTEMPTS_SHOWN + 1])
        shown += some[:ATTEMPTS_SHOWN]
        more = more or len(some) > ATTEMPTS_SHOWN
    shown.sort(key=lambda attempt: (attempt.started_at, attempt.pk), reverse=True)
    first = next((attempt.pk for attempt in shown if attempt.purpose == Attempt.Purpose.PUBLISH), None)
    lines = [
        {
            "row": attempt,
            "word": outcome_word(attempt.outcome),
            "took": took(attempt),
            "steps": steps_of(attempt),
            "is_open": attempt.pk == first or attempt is shown[0],
        }
        for attempt in shown
    ]
    return Panel(
        _("Attempts"),
        empty=_("There was none yet."),
        more=list_link("publishing_attempt", _("All attempts"), publication__id__exact=row.pk) if more else "",
        template="admin/publishing/_attempts.html",
        data={"attempts": lines},
    )


def steps_of(attempt: Attempt) -> list[dict[str, Any]]:
    """What was done one after the other, in words: {"clock", "label", "ms", "word", "request_id", "note"}."""
    return [
        {**step, "clock": clock(step.get("at", "")), "word": outcome_word(step.get("outcome", ""))}
        for step in attempt.steps
    ]


def clock(moment: str) -> SafeString | str:
    """The time of a step, as short as a table needs it; the whole of it on hover."""
    at = parse_datetime(moment)
    if at is None:
        return moment
    local = timezone.localtime(at) if timezone.is_aware(at) else at
    return format_html('<time datetime="{}" title="{}">{}</time>', moment, moment, f"{local:%H:%M:%S.%f}"[:-3])


def took(attempt: Attempt) -> str:
    if attempt.finished_at is None:
        return "–"
    return f"{(attempt.finished_at - attempt.started_at).total_seconds():.2f} s"


def timeline_of(row: Publication) -> Panel:
    newest = list(row.events.select_related("actor").order_by("-at", "-id")[: EVENTS_SHOWN + 1])
    return Panel(
        _("Timeline"),
        [
            (
                when(event.at),
                format_html("{} → {}", status_badge(event.from_status), status_badge(event.to_status)),
                event.actor or _("the engine"),
                said(event.reason) or "–",
            )
            for event in newest[:EVENTS_SHOWN]
        ],
        (_("When"), _("Status"), _("By"), _("Reason")),
        empty=_("It has never moved."),
        more=list_link("publishing_publicationevent", _("All changes"), q=row.pk) if len(newest) > EVENTS_SHOWN else "",
    )


def follow_ups_of(row: Publication) -> Panel | None:
    if row.status != Status.PUBLISHED:
        return None
    return Panel(
        _("Afterwards"),
        [
            (
                link("publishing_followup", one.pk, one.get_kind_display()),
                when(one.due_at),
                when(one.done_at) if one.done_at else _("not yet"),
                one.get_outcome_display() or "–",
                said(one.message) or "–",
            )
            for one in row.follow_ups.order_by("due_at")
        ],
        (_("What"), _("Due"), _("Done"), _("Outcome"), _("Message")),
        empty=_("Nothing is to be done."),
    )


def told_about(row: Publication) -> Panel:
    incidents = {incident_of(row), f"post:{row.post_id}", f"reconnect:{row.account_id}", f"quota:{row.account_id}"}
    found = Notification.objects.filter(workspace=row.post.workspace_id, incident__in=incidents)
    return told(found)


@admin.register(PublicationEvent)
class PublicationEventAdmin(Books):
    list_display = (
        *(at("at", _("when")), badge("from_status", _("from")), badge("to_status", _("to")), "publication_link"),
        *(account_of("publication__account"), "actor", REASON),
    )
    list_filter = ("to_status", "at", PlatformOfPublicationFilter)
    list_select_related = ("publication__post", "publication__account", "actor")
    search_fields = ("reason", "actor__email", "publication__account__name", "publication__account__username")
    search_help_text = _("Handle or name of the account, e-mail of who did it, words of the reason, or an id")
    id_fields = ("publication", "publication__post", "publication__account")
    ordering = ("-pk",)
    fields = ("at", "publication_link", "account", "from_status", "to_status", "actor", REASON)
    readonly_fields = ("publication_link", "account", REASON)

    @admin.display(description=_("publication"))
    def publication_link(self, event: PublicationEvent) -> SafeString:
        return link("publishing_publication", event.publication_id, event.publication.post)

    @admin.display(description=_("account"))
    def account(self, event: PublicationEvent) -> SafeString:
        return account_link(event.publication.account)
