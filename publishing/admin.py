"""The operators' view of the engine: what waits, what was tried, what went wrong, and the two levers retry and cancel.

From an account to its publications to an attempt it is one click each. What the program writes is read-only here: a
status or a lease that a hand has changed would be a lie to the engine.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from publishing import schedule
from publishing.models import (
    Attempt,
    CaptionTemplate,
    FollowUp,
    HashtagGroup,
    ImageSet,
    ImageSetItem,
    LimitOverride,
    MediaFile,
    Post,
    PostMedia,
    Publication,
    PublicationEvent,
    QueueEntry,
    RateLimitWindow,
    Rendition,
    Status,
)
from publishing.states import IllegalMove, LostRace
from publishing.tasks import nudge
from socialhub.platforms import LABELS
from socialhub.platforms.errors import PlatformError
from socialhub.platforms.rules import WINDOWS


def link(address_name: str, pk: object, text: object) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{address_name}_change", args=[pk]), text)


def list_link(address_name: str, query: str, text: object) -> SafeString:
    return format_html('<a href="{}?{}">{}</a>', reverse(f"admin:{address_name}_changelist"), query, text)


def as_json(value: object) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))


def short(text: str, length: int = 80) -> str:
    return Truncator(text).chars(length)


class Books(admin.ModelAdmin):
    """What only the program writes; a large table, so never counted whole."""

    show_full_result_count = False
    list_per_page = 50
    id_fields: ClassVar[tuple[str, ...]] = ("pk",)  # a pasted id is looked up here, by index
    formfield_overrides: ClassVar[dict[Any, Any]] = {models.URLField: {"assume_scheme": "https"}}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """May they press the levers? Whoever may change such rows in principle."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        found = queryset.none()
        for name in self.id_fields:
            found |= queryset.filter(**{name: wanted})
        return found, True


class BooksInline(admin.TabularInline):
    """The books of one row, on its page."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PlatformFilter(admin.SimpleListFilter):
    """By network, without asking the table which there are."""

    title = _("platform")
    parameter_name = "platform"
    path = "account__platform"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(LABELS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.path: self.value()}) if self.value() else queryset


class PlatformOfPublicationFilter(PlatformFilter):
    path = "publication__account__platform"


class ErrorFilter(admin.SimpleListFilter):
    """By what may be done next, as the engine sorts errors."""

    title = _("kind of error")
    parameter_name = "error"
    path = "error_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        kinds = {kind.kind for kind in PlatformError.__subclasses__()} | {"missed", "given_up"}
        return [(kind, kind.replace("_", " ")) for kind in sorted(kinds)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.path: self.value()}) if self.value() else queryset


class OutcomeFilter(ErrorFilter):
    title = _("outcome")
    parameter_name = "outcome"
    path = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        others = [("published", _("published")), ("waiting", _("waiting")), ("lost", _("worker died"))]
        return [*others, *super().lookups(request, model_admin)]


# --- Posts and publications -----------------------------------------------------------------------------------


class PublicationInline(BooksInline):
    model = Publication
    fields = ("account", "post_type", "status", "scheduled_at", "published_at", "error_kind", "error_message")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Publication]:
        return super().get_queryset(request).select_related("account").order_by("account__platform", "account__name")


class PostMediaInline(BooksInline):
    model = PostMedia
    fields = ("position", "media", "alt_text")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[PostMedia]:
        return super().get_queryset(request).select_related("media")


@admin.register(Post)
class PostAdmin(Books):
    list_display = ("caption_start", "status", "workspace", "scheduled_at", "campaign", "author", "created_at")
    list_filter = ("status", "created_at", "scheduled_at")
    list_select_related = ("workspace", "author")
    search_fields = ("caption", "campaign", "author__email", "workspace__name")
    id_fields = ("pk", "workspace", "publications__pk")
    ordering = ("-created_at",)
    inlines = (PublicationInline, PostMediaInline)
    actions = ("retry_failed", "cancel")

    @admin.display(description=_("caption"), ordering="caption")
    def caption_start(self, post: Post) -> str:
        return str(post)

    @admin.action(description=_("Retry what has failed"), permissions=["operate"])
    def retry_failed(self, request: HttpRequest, posts: QuerySet[Post]) -> None:
        failed = Publication.objects.filter(post__in=posts, status=Status.FAILED).select_related("post", "account")
        without = posts.exclude(publications__status=Status.FAILED).count()
        retry(self, request, failed, others=without)

    @admin.action(description=_("Cancel: back to draft, as far as no worker has begun"), permissions=["operate"])
    def cancel(self, request: HttpRequest, posts: QuerySet[Post]) -> None:
        done, skipped = 0, []
        for post in posts:
            try:
                schedule.cancel(post, by=request.user)  # type: ignore[arg-type]  # staff are signed in
            except LostRace:
                skipped.append(f"{short(str(post), 40)} ({post.get_status_display()})")
            else:
                done += 1
        report(self, request, ngettext("%d post is a draft again.", "%d posts are drafts again.", done) % done, skipped)


def retry(where: admin.ModelAdmin, request: HttpRequest, rows: QuerySet[Publication], *, others: int = 0) -> None:
    """The button of the progress page, for many; says what was left out and why."""
    done, skipped = 0, []
    for publication in rows:
        try:
            schedule.retry(publication, by=request.user)  # type: ignore[arg-type]
        except (LostRace, IllegalMove):
            name = f"{short(str(publication.post), 40)} · {publication.account.handle}"
            skipped.append(f"{name} ({publication.get_status_display()})")
        else:
            done += 1
    text = ngettext("%d publication is tried again.", "%d publications are tried again.", done) % done
    if others:
        skipped.append(ngettext("%d post without failures", "%d posts without failures", others) % others)
    report(where, request, text, skipped)


def report(where: admin.ModelAdmin, request: HttpRequest, text: str, skipped: list[str]) -> None:
    where.message_user(request, text, messages.SUCCESS)
    if skipped:
        where.message_user(request, _("Skipped: %s") % "; ".join(skipped), messages.WARNING)


class QueueEntryInline(BooksInline):
    model = QueueEntry
    fields = (
        *("not_before", "due_at", "priority", "attempts", "looks", "held", "awaits_decision", "wait_reason"),
        *("lease_until", "worker"),
    )
    verbose_name_plural = _("queue entry")


class AttemptInline(BooksInline):
    model = Attempt
    fields = ("number", "purpose", "started_at", "finished_at", "outcome", "message", "code", "request_id", "worker")
    ordering = ("-started_at", "-id")


class PublicationEventInline(BooksInline):
    model = PublicationEvent
    fields = ("at", "from_status", "to_status", "actor", "reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PublicationEvent]:
        return super().get_queryset(request).select_related("actor")


@admin.register(Publication)
class PublicationAdmin(Books):
    list_display = (
        "post_text",
        "account",
        "post_type",
        "status",
        "scheduled_at",
        "next_try",
        "error_kind",
        "last_error",
        "published_at",
        "attempts_link",
    )
    list_filter = ("status", PlatformFilter, ErrorFilter, "scheduled_at", "published_at")
    list_select_related = ("post", "account", "queue_entry")
    search_fields = ("account__name", "account__username", "post__caption", "platform_post_id__exact")
    id_fields = ("pk", "post", "account", "post__workspace")
    ordering = ("-created_at",)
    inlines = (QueueEntryInline, AttemptInline, PublicationEventInline)
    actions = ("retry",)
    fieldsets = (
        (None, {"fields": ("id", "post_link", "account_link", "post_type", "caption_override", "status")}),
        (_("Result"), {"fields": ("platform_post_id", "permalink_link", "published_at")}),
        (_("Trouble"), {"fields": ("error_kind", "error_message", "platform_message")}),
        (
            _("Procedure"),
            {
                "fields": (
                    *("scheduled_at", "committing_at", "progress_label", "progress_done", "progress_total"),
                    *("saved_handles", "created_at", "updated_at"),
                )
            },
        ),
    )
    readonly_fields = ("id", "post_link", "account_link", "permalink_link", "saved_handles", "created_at", "updated_at")

    @admin.display(description=_("post"), ordering="post__caption")
    def post_text(self, publication: Publication) -> str:
        return str(publication.post)

    @admin.display(description=_("next try"), ordering="queue_entry__not_before")
    def next_try(self, publication: Publication) -> str:
        entry = getattr(publication, "queue_entry", None)
        if entry is None:
            return "–"
        if entry.lease_until:
            return str(_("at work: %s") % entry.worker)
        if entry.awaits_decision:
            return str(_("a person must decide"))
        return entry.wait_reason if entry.held else f"{timezone.localtime(entry.not_before):%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("last error"))
    def last_error(self, publication: Publication) -> str:
        return short(publication.error_message)

    @admin.display(description=_("attempts"))
    def attempts_link(self, publication: Publication) -> SafeString:
        return list_link("publishing_attempt", f"publication__id__exact={publication.pk}", _("attempts"))

    @admin.display(description=_("post"))
    def post_link(self, publication: Publication) -> SafeString:
        return link("publishing_post", publication.post_id, publication.post)

    @admin.display(description=_("account"))
    def account_link(self, publication: Publication) -> SafeString:
        return link("accounts_connectedaccount", publication.account_id, publication.account)

    @admin.display(description=_("permalink"))
    def permalink_link(self, publication: Publication) -> SafeString | str:
        return (
            format_html('<a href="{0}" rel="noopener">{0}</a>', publication.permalink) if publication.permalink else "–"
        )

    @admin.display(description=_("saved handles"))
    def saved_handles(self, publication: Publication) -> SafeString:
        return as_json(publication.handles)

    @admin.action(description=_("Retry"), permissions=["operate"])
    def retry(self, request: HttpRequest, publications: QuerySet[Publication]) -> None:
        retry(self, request, publications.select_related("post", "account"))


@admin.register(PublicationEvent)
class PublicationEventAdmin(Books):
    list_display = ("at", "from_status", "to_status", "publication_link", "account", "actor", "reason")
    list_filter = ("to_status", "at", PlatformOfPublicationFilter)
    list_select_related = ("publication__post", "publication__account", "actor")
    search_fields = ("reason", "actor__email", "publication__account__name", "publication__account__username")
    id_fields = ("publication", "publication__post", "publication__account")
    ordering = ("-at", "-id")
    fields = ("at", "publication_link", "account", "from_status", "to_status", "actor", "reason")
    readonly_fields = ("publication_link", "account")

    @admin.display(description=_("publication"))
    def publication_link(self, event: PublicationEvent) -> SafeString:
        return link("publishing_publication", event.publication_id, event.publication.post)

    @admin.display(description=_("account"))
    def account(self, event: PublicationEvent) -> str:
        return str(event.publication.account)


# --- The engine's books ---------------------------------------------------------------------------------------


class LeasedFilter(admin.SimpleListFilter):
    title = _("in the hands of a worker")
    parameter_name = "leased"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("overdue", _("Its lease has run out")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[QueueEntry]) -> QuerySet[QueueEntry]:
        if self.value() == "yes":
            return queryset.filter(lease_until__isnull=False)
        if self.value() == "overdue":
            return queryset.filter(lease_until__lt=timezone.now())
        return queryset.filter(lease_until=None) if self.value() == "no" else queryset


@admin.register(QueueEntry)
class QueueEntryAdmin(Books):
    list_display = (
        "publication_link",
        "account",
        "status",
        "priority",
        "not_before",
        "held",
        "awaits_decision",
        "wait_reason",
        "attempts",
        "looks",
        "losses",
        "lease_until",
        "worker",
    )
    list_filter = ("held", "awaits_decision", LeasedFilter, "priority", PlatformFilter, "not_before")
    list_select_related = ("publication__post", "account")
    search_fields = ("account__name", "account__username", "wait_reason", "worker", "publication__post__caption")
    id_fields = ("pk", "publication__post", "account")
    ordering = ("-priority", "not_before")
    fields = (
        *("publication_link", "account", "priority", "not_before", "due_at", "attempts", "looks", "losses", "held"),
        *("awaits_decision", "wait_reason", "lease_until", "worker", "reserved", "created_at"),
    )
    readonly_fields = ("publication_link", "created_at")
    actions = ("due_now",)

    @admin.display(description=_("publication"))
    def publication_link(self, entry: QueueEntry) -> SafeString:
        return link("publishing_publication", entry.publication_id, entry.publication.post)

    @admin.display(description=_("status"), ordering="publication__status")
    def status(self, entry: QueueEntry) -> str:
        return entry.publication.get_status_display()

    @admin.action(description=_("Due now: do not wait any longer"), permissions=["operate"])
    def due_now(self, request: HttpRequest, entries: QuerySet[QueueEntry]) -> None:
        """Limits and pauses still hold; they are looked at when a worker takes the entry."""
        total = entries.count()
        waiting = entries.filter(lease_until=None, held=False, awaits_decision=False)
        done = waiting.update(not_before=timezone.now())
        nudge()
        text = ngettext("%d entry is due now.", "%d entries are due now.", done) % done
        rest = total - done
        held = ngettext("%d is at work or held", "%d are at work or held", rest) % rest
        report(self, request, text, [held] if rest else [])


@admin.register(Attempt)
class AttemptAdmin(Books):
    list_display = (
        "number",
        "publication_link",
        "account",
        "purpose",
        "started_at",
        "seconds",
        "outcome",
        "text",
        "code",
        "request_id",
        "worker",
    )
    list_filter = ("purpose", OutcomeFilter, PlatformOfPublicationFilter, "started_at")
    list_select_related = ("publication__post", "publication__account")
    search_fields = (
        "request_id__exact",
        "worker",
        "publication__account__name",
        "publication__account__username",
        "publication__platform_post_id__exact",
    )
    id_fields = ("publication", "publication__post", "publication__account")
    ordering = ("-started_at", "-id")
    fields = (
        *("publication_link", "account", "number", "purpose", "worker", "started_at", "finished_at", "outcome"),
        *("message", "platform_message", "code", "subcode", "request_id", "steps_taken"),
    )
    readonly_fields = ("publication_link", "account", "steps_taken")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "publication__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    @admin.display(description=_("publication"))
    def publication_link(self, attempt: Attempt) -> SafeString:
        return link("publishing_publication", attempt.publication_id, attempt.publication.post)

    @admin.display(description=_("account"))
    def account(self, attempt: Attempt) -> str:
        return str(attempt.publication.account)

    @admin.display(description=_("took"))
    def seconds(self, attempt: Attempt) -> str:
        if attempt.finished_at is None:
            return "–"
        return f"{(attempt.finished_at - attempt.started_at).total_seconds():.2f} s"

    @admin.display(description=_("message"))
    def text(self, attempt: Attempt) -> str:
        return short(attempt.platform_message or attempt.message)

    @admin.display(description=_("steps"))
    def steps_taken(self, attempt: Attempt) -> SafeString | str:
        if not attempt.steps:
            return "–"
        names = ("at", "label", "ms", "outcome", "request_id")
        rows = [[step.get(name, "") for name in names] for step in attempt.steps]
        head = format_html(
            "<tr><th>{}</th><th>{}</th><th>{}</th><th>{}</th><th>{}</th></tr>",
            *(_("Time"), _("Step"), _("Milliseconds"), _("Outcome"), _("Request")),
        )
        line = "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>"
        return format_html("<table>{}{}</table>", head, format_html_join("", line, rows))


@admin.register(FollowUp)
class FollowUpAdmin(Books):
    list_display = ("publication_link", "account", "kind", "due_at", "attempts", "done_at", "outcome", "message")
    list_filter = ("kind", "outcome", PlatformOfPublicationFilter, "due_at")
    list_select_related = ("publication__post", "publication__account")
    search_fields = ("publication__account__name", "publication__account__username", "platform_id__exact")
    id_fields = ("publication", "publication__post", "publication__account")
    ordering = ("-due_at", "-id")
    fields = (
        *("publication_link", "account", "kind", "due_at", "attempts", "began_at", "lease_until", "done_at"),
        *("outcome", "message", "platform_id", "seen"),
    )
    readonly_fields = ("publication_link", "account")

    @admin.display(description=_("publication"))
    def publication_link(self, row: FollowUp) -> SafeString:
        return link("publishing_publication", row.publication_id, row.publication.post)

    @admin.display(description=_("account"))
    def account(self, row: FollowUp) -> str:
        return str(row.publication.account)


@admin.register(RateLimitWindow)
class RateLimitWindowAdmin(Books):
    """A row may be deleted: a block (limit 0) ends with it at once.

    What the network said of a window stands in a row with `told_at`; its calls are those that we had not counted.
    """

    list_display = ("whose", "endpoint", "calls_made", "call_limit", "window_seconds", "told_at", "resets_at")
    list_filter = ("endpoint", PlatformFilter, "window_seconds", ("told_at", admin.EmptyFieldListFilter))
    list_select_related = ("account",)
    search_fields = ("account__name", "account__username", "endpoint", "subject__exact")
    id_fields = ("account",)
    ordering = ("-resets_at",)

    @admin.display(description=_("whose"), ordering="subject")
    def whose(self, row: RateLimitWindow) -> object:
        """An account, or the grant by which several accounts are counted together."""
        kind, _colon, pk = row.subject.partition(":")
        return (
            link("accounts_grant", pk, _("all accounts of a grant")) if kind == "grant" else row.account or row.subject
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        return found | queryset.filter(subject=f"grant:{search_term.strip()}"), may_repeat


class LimitOverrideForm(forms.ModelForm):
    """Only for windows that there are: another one would change nothing, and nobody would notice."""

    class Meta:
        model = LimitOverride
        fields: ClassVar[list[str]] = ["account", "endpoint", "window_seconds", "call_limit", "reason"]

    def clean(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().clean() or {}
        if account := fields.get("account"):
            own = [window for window in WINDOWS.get(account.platform, ()) if window.scope == "account"]
            if (fields.get("endpoint"), fields.get("window_seconds")) not in [(w.group, w.seconds) for w in own]:
                named = ", ".join(f"{window.group} ({window.seconds} s, {window.limit})" for window in own)
                raise ValidationError(_("This account has these windows: %(windows)s."), params={"windows": named})
        return fields


@admin.register(LimitOverride)
class LimitOverrideAdmin(admin.ModelAdmin):
    """A limit for one account. It holds from the next call on; what the network itself allows is never exceeded."""

    form = LimitOverrideForm
    list_display = ("account", "endpoint", "window_seconds", "call_limit", "reason", "created_at")
    list_filter = (PlatformFilter, "endpoint")
    list_select_related = ("account",)
    search_fields = ("account__name", "account__username", "reason")
    autocomplete_fields = ("account",)
    ordering = ("-created_at",)


# --- The library ----------------------------------------------------------------------------------------------


class RenditionInline(BooksInline):
    model = Rendition
    fields = ("spec", "content_type", "width", "height", "size_bytes", "created_at")
    readonly_fields = ("created_at",)


@admin.register(MediaFile)
class MediaFileAdmin(Books):
    list_display = ("original_name", "workspace", "width", "height", "size_bytes", "uploaded_by", "created_at")
    list_filter = ("content_type", "created_at")
    list_select_related = ("workspace", "uploaded_by")
    search_fields = ("original_name", "sha256__exact", "workspace__name", "uploaded_by__email")
    id_fields = ("pk", "workspace")
    ordering = ("-created_at",)
    inlines = (RenditionInline,)


@admin.register(Rendition)
class RenditionAdmin(Books):
    list_display = ("media", "spec", "content_type", "width", "height", "size_bytes", "created_at")
    list_filter = ("spec", "created_at")
    list_select_related = ("media",)
    search_fields = ("spec", "media__original_name")
    id_fields = ("media",)
    ordering = ("-created_at",)


class ImageSetItemInline(admin.TabularInline):
    model = ImageSetItem
    extra = 0
    raw_id_fields = ("media",)


@admin.register(ImageSet)
class ImageSetAdmin(admin.ModelAdmin):
    list_display = ("title", "workspace", "images", "created_by", "updated_at")
    list_filter = ("updated_at",)
    list_select_related = ("workspace", "created_by")
    search_fields = ("title", "workspace__name", "=id")
    autocomplete_fields = ("workspace", "created_by")
    inlines = (ImageSetItemInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImageSet]:
        return super().get_queryset(request).annotate(image_count=Count("items"))

    @admin.display(description=_("images"), ordering="image_count")
    def images(self, image_set: Any) -> int:
        return int(image_set.image_count)


@admin.register(CaptionTemplate)
class CaptionTemplateAdmin(admin.ModelAdmin):
    list_display = ("name", "workspace", "start", "created_at")
    list_select_related = ("workspace",)
    search_fields = ("name", "body", "workspace__name")
    autocomplete_fields = ("workspace",)

    @admin.display(description=_("text"))
    def start(self, template: CaptionTemplate) -> str:
        return short(template.body)


@admin.register(HashtagGroup)
class HashtagGroupAdmin(admin.ModelAdmin):
    list_display = ("name", "workspace", "tags")
    list_select_related = ("workspace",)
    search_fields = ("name", "workspace__name")
    autocomplete_fields = ("workspace",)

    @admin.display(description=_("hashtags"))
    def tags(self, group: HashtagGroup) -> str:
        return short(" ".join(f"#{tag}" for tag in group.hashtags))
