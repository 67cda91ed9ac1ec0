"""The operators' view of the figures; all of them are snapshots and stay as they were read."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin.connections import ConnectedAccountAdmin
from accounts.models import ConnectedAccount
from analytics.models import (
    AccountSync,
    AudienceSnapshot,
    InsightWindow,
    PlatformPost,
    PostDay,
    PostSnapshot,
    RefusedMetric,
    ReportSubscription,
    WorkspaceExport,
)
from analytics.reports.syncs import states_of
from analytics.tasks import ask_for_sync
from publishing.admin.posts import PublicationAdmin
from publishing.models import Publication
from socialhub.admin_actions import Lever
from socialhub.admin_books import (
    Books,
    ChoiceFilter,
    PlatformFilter,
    account_of,
    as_json,
    at,
    badge,
    link,
    list_link,
    network,
    row_of,
    short,
)
from socialhub.admin_panels import Panel, facts
from socialhub.platforms.metrics.types import Subject
from socialhub.templatetags.ui import when

FIGURES = ("likes", "comments", "shares", "saves", "views", "impressions", "reach", "clicks")
OF_LISTS = ("likes", "comments", "views", "reach")  # of which most networks tell something; the page of a row has all
HOUR = timedelta(hours=1)
SUBJECTS: dict[str, Any] = {
    Subject.ACCOUNT: gettext_lazy("days of an account"),
    Subject.TOTAL: gettext_lazy("totals of an account"),
    Subject.POST: gettext_lazy("posts"),
    Subject.VIDEO: gettext_lazy("videos"),
    Subject.AUDIENCE: gettext_lazy("audience"),
}


class SyncNow(Lever):
    """Of accounts."""

    name = "sync_now"
    label = gettext_lazy("Sync now")
    meaning = gettext_lazy("Profile, figures and newest posts are read by a worker, within the limits of the network.")

    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        return list(queryset)

    def account_of(self, row: Any) -> ConnectedAccount:
        account: ConnectedAccount = row
        return account

    def why_not(self, row: Any) -> str:
        account = self.account_of(row)
        return "" if account.is_connected else account.get_status_display()

    def act(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> str:
        return "" if ask_for_sync(self.account_of(row).pk) else _("the background service does not answer")

    def asks(self, number: int) -> str:
        return ngettext("Read %d account now?", "Read %d accounts now?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d account is read now.", "%d accounts are read now.", number) % number

    def name_of(self, row: Any) -> str:
        return str(self.account_of(row))


class SyncItsAccount(SyncNow):
    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        return list(queryset.select_related("account"))

    def account_of(self, row: AccountSync) -> ConnectedAccount:
        return row.account


class ReadNow(Lever):
    name = "read_now"
    label = gettext_lazy("Read the figures with the next run")

    def why_not(self, row: PlatformPost) -> str:
        return _("it is gone at the network") if row.gone_at else ""

    def act(self, request: HttpRequest, row: PlatformPost, fields: dict[str, Any]) -> str:
        there = PlatformPost.objects.filter(pk=row.pk, gone_at=None)
        return "" if there.update(next_fetch_at=timezone.now()) else _("it is gone at the network")

    def asks(self, number: int) -> str:
        return ngettext("Read the figures of %d post?", "Read the figures of %d posts?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d post is read with the next run.", "%d posts are read with the next run.", number) % number


class AskAgain(Lever):
    """Of refused names."""

    name = "ask_again"
    label = gettext_lazy("Ask for it again with the next reading")
    meaning = gettext_lazy("The name is asked for once more. If the network refuses it again, it is left out for days.")

    def why_not(self, row: RefusedMetric) -> str:
        return _("it is asked for already") if row.retry_at <= timezone.now() else ""

    def act(self, request: HttpRequest, row: RefusedMetric, fields: dict[str, Any]) -> str:
        RefusedMetric.objects.filter(pk=row.pk).update(retry_at=timezone.now())
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Ask for %d name again?", "Ask for %d names again?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d name is asked for again.", "%d names are asked for again.", number) % number


class StuckFilter(admin.SimpleListFilter):
    """What is worth a look: whose turn is long over, and who fails again and again."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("reading", _("Being read")),
            ("late", _("Its turn is over for an hour")),
            ("cut", _("Cut short")),
            ("failing", _("Readings come to nothing")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AccountSync]) -> QuerySet[AccountSync]:
        now = timezone.now()
        match self.value():
            case "reading":
                return queryset.filter(claimed_until__gt=now)
            case "late":
                read = Q(account__status=ConnectedAccount.Status.CONNECTED, account__workspace__deleting_at=None)
                return queryset.filter(read, next_at__lt=now - HOUR).exclude(claimed_until__gt=now)
            case "cut":
                over = Q(finished_at=None) | Q(finished_at__lt=F("started_at"))
                return queryset.filter(over, started_at__isnull=False).exclude(claimed_until__gt=now)
            case "failing":
                return queryset.filter(failures__gt=0)
        return queryset


@admin.register(AccountSync)
class AccountSyncAdmin(Books):
    """next empty: at once. The days that were read lie between "history from" and "days read to"."""

    list_display = (
        *("key", account_of("account"), badge("account__status", gettext_lazy("status"))),
        *(at("account__last_synced_at", gettext_lazy("last synced")), at("full_at", gettext_lazy("all of it"))),
        *(at("next_at", gettext_lazy("next")), at("claimed_until", gettext_lazy("claimed until")), "step"),
        *("today", "failures", "trouble"),
    )
    list_display_links = ("key",)
    list_filter = (StuckFilter, PlatformFilter, "account__status")
    list_select_related = ("account",)
    search_fields = ("account__name", "account__username", "account__sync_error")
    search_help_text = gettext_lazy("Handle or name of the account, words of the trouble, or an id")
    id_fields = ("pk", "account__workspace")
    ordering = ("-account__last_synced_at",)
    actions = (SyncItsAccount(),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountSync]:
        return super().get_queryset(request).select_related("account")

    def name_of(self, row: AccountSync) -> str:
        return str(row.account)

    @admin.display(description=gettext_lazy("id"))
    def key(self, row: AccountSync) -> str:
        return str(row.account_id)[:8]

    @admin.display(description=gettext_lazy("trouble"))
    def trouble(self, row: AccountSync) -> str:
        return short(row.account.sync_error)

    @admin.display(description=gettext_lazy("calls today"), ordering="calls_today")
    def today(self, row: AccountSync) -> int:
        return row.calls_today if row.calls_on == timezone.now().astimezone(UTC).date() else 0


@admin.register(InsightWindow)
class InsightWindowAdmin(Books):
    list_display = (
        *("period", account_of("account"), at("window_start", gettext_lazy("window")), "figures", "differences"),
        at("fetched_at", gettext_lazy("read")),
    )
    list_filter = ("period", PlatformFilter, "window_start")
    list_select_related = ("account",)
    search_fields = ("account__name", "account__username")
    search_help_text = gettext_lazy("Handle or name of the account, or an id")
    id_fields = ("account", "account__workspace")
    ordering = ("-pk",)
    fields = (
        *("account", "period", "window_start", "is_whole", "fetched_at", "figures", "so_far_words", "differences"),
        *("names", "answer"),
    )
    readonly_fields = ("figures", "so_far_words", "differences", "names", "answer")

    @admin.display(description=gettext_lazy("figures"))
    def figures(self, window: InsightWindow) -> str:
        return _pairs(window.metrics)

    @admin.display(description=gettext_lazy("since the window before"))
    def differences(self, window: InsightWindow) -> str:
        return _pairs(window.derived)

    @admin.display(description=gettext_lazy("on the network's day by then"))
    def so_far_words(self, window: InsightWindow) -> str:
        return _pairs(window.so_far)

    @admin.display(description=gettext_lazy("names at the network"))
    def names(self, window: InsightWindow) -> str:
        return _pairs(window.sources)

    @admin.display(description=gettext_lazy("answer of the network"))
    def answer(self, window: InsightWindow) -> SafeString:
        return as_json(window.raw)


@admin.register(AudienceSnapshot)
class AudienceSnapshotAdmin(Books):
    list_display = ("taken_on", account_of("account"), "kind", "dimension", "largest", "withheld")
    list_filter = (PlatformFilter, "kind", "taken_on")
    list_select_related = ("account",)
    search_fields = ("account__name", "account__username", "dimension")
    search_help_text = gettext_lazy("Handle or name of the account, a dimension such as country, or an id")
    id_fields = ("account", "account__workspace")
    ordering = ("-pk",)
    fields = ("account", "taken_on", "kind", "dimension", "withheld", "counts", "answer")
    readonly_fields = ("counts", "answer")

    @admin.display(description=gettext_lazy("largest part"))
    def largest(self, row: AudienceSnapshot) -> str:
        return "{} {}".format(*max(row.parts.items(), key=lambda part: part[1])) if row.parts else "–"

    @admin.display(description=gettext_lazy("counts"))
    def counts(self, row: AudienceSnapshot) -> str:
        return _pairs(row.parts)

    @admin.display(description=gettext_lazy("answer of the network"))
    def answer(self, row: AudienceSnapshot) -> SafeString:
        return as_json(row.raw)


class PlatformOfNameFilter(PlatformFilter):
    path = "platform"


class SubjectFilter(ChoiceFilter):
    title = gettext_lazy("of what")
    parameter_name = "subject"
    path = "subject"
    choices_of: ClassVar[dict[str, Any]] = dict(SUBJECTS)


@admin.register(RefusedMetric)
class RefusedMetricAdmin(Books):
    """Names that a network no longer takes. The rest is read without them; after some days they are tried again."""

    list_display = (
        *("name", network("platform", gettext_lazy("platform")), "of_what", "times"),
        *(at("first_refused_at", gettext_lazy("first refused")), at("last_refused_at", gettext_lazy("last refused"))),
        *(at("retry_at", gettext_lazy("tried again")), account_of("account")),
    )
    list_filter = (PlatformOfNameFilter, SubjectFilter, "last_refused_at")
    list_select_related = ("account",)
    search_fields = ("name", "account__name", "account__username")
    search_help_text = gettext_lazy("Name of the metric, handle or name of the account that met it last, or its id")
    id_fields = ("account",)
    ordering = ("-last_refused_at",)
    actions = (AskAgain(),)

    @admin.display(description=gettext_lazy("of what"), ordering="subject")
    def of_what(self, row: RefusedMetric) -> str:
        return str(SUBJECTS.get(row.subject, row.subject))


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(values.items())) or "–"


class OursFilter(admin.SimpleListFilter):
    title = gettext_lazy("made here")
    parameter_name = "ours"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PlatformPost]) -> QuerySet[PlatformPost]:
        if self.value() in ("yes", "no"):
            return queryset.filter(publication__isnull=self.value() == "no")
        return queryset


@admin.register(PlatformPost)
class PlatformPostAdmin(Books):
    list_display = (
        *("platform_post_id", account_of("account"), "start", at("posted_at", gettext_lazy("posted")), *OF_LISTS),
        *(at("fetched_at", gettext_lazy("read")), at("next_fetch_at", gettext_lazy("next"))),
        at("gone_at", gettext_lazy("gone")),
    )
    list_filter = (PlatformFilter, OursFilter, ("gone_at", admin.EmptyFieldListFilter), "posted_at", "next_fetch_at")
    list_select_related = ("account",)
    search_fields = ("platform_post_id__exact", "text", "account__name", "account__username")
    search_help_text = gettext_lazy("Id at the network, words of the text, handle or name of the account, or an id")
    id_fields = ("pk", "account", "publication", "account__workspace")
    ordering = ("-posted_at",)
    fields = (
        *("account", "platform_post_id", "publication_link", "text", "permalink", "thumbnail_url", "media_type"),
        *("product", "posted_at", *FIGURES, "further", "engagements", "engagement_rate", "rate_of", "withheld"),
        *("series", "names", "fetched_at", "next_fetch_at", "gone_at", "answer"),
    )
    readonly_fields = ("publication_link", "further", "names", "answer")
    actions = (ReadNow(),)

    @admin.display(description=gettext_lazy("text"))
    def start(self, post: PlatformPost) -> str:
        return short(post.text, 60)

    @admin.display(description=gettext_lazy("publication"))
    def publication_link(self, post: PlatformPost) -> SafeString | str:
        if post.publication_id is None:
            return "–"
        return link("publishing_publication", post.publication_id, post.publication_id)

    @admin.display(description=gettext_lazy("further figures"))
    def further(self, post: PlatformPost) -> str:
        return _pairs(post.extra)

    @admin.display(description=gettext_lazy("names at the network"))
    def names(self, post: PlatformPost) -> str:
        return _pairs(post.sources)

    @admin.display(description=gettext_lazy("answer of the network"))
    def answer(self, post: PlatformPost) -> SafeString:
        return as_json(post.raw)


@admin.register(PostSnapshot)
class PostSnapshotAdmin(Books):
    list_display = (
        *("id", at("fetched_at", gettext_lazy("read")), "mark", "platform_post", account_of("platform_post__account")),
        *OF_LISTS,
    )
    list_filter = ("mark", "fetched_at")
    list_select_related = ("platform_post__account",)
    search_fields = ("platform_post__platform_post_id__exact", "platform_post__account__name")
    search_help_text = gettext_lazy("Id at the network, name of the account, or an id")
    id_fields = ("platform_post", "platform_post__account")
    ordering = ("-pk",)


@admin.register(PostDay)
class PostDayAdmin(Books):
    list_display = ("id", "day", "platform_post", account_of("account"), *OF_LISTS, "differences")
    list_filter = (PlatformFilter, "day")
    list_select_related = ("platform_post", "account")
    search_fields = ("platform_post__platform_post_id__exact", "account__name", "account__username")
    search_help_text = gettext_lazy("Id at the network, handle or name of the account, or an id")
    id_fields = ("platform_post", "account")
    ordering = ("-pk",)

    @admin.display(description=gettext_lazy("gained"))
    def differences(self, row: PostDay) -> str:
        return _pairs(row.gained)


@admin.register(ReportSubscription)
class ReportSubscriptionAdmin(Books):
    """Only the person themselves subscribes and unsubscribes."""

    list_display = (
        *("id", row_of("user", gettext_lazy("person"), "accounts_user")),
        *(row_of("workspace", gettext_lazy("workspace"), "accounts_workspace"), "week"),
        *(at("sent_at", gettext_lazy("sent")), at("claimed_at", gettext_lazy("claimed")), "trouble"),
    )
    list_filter = ("week", ("failure", admin.EmptyFieldListFilter))
    list_select_related = ("user", "workspace")
    search_fields = ("user__email", "workspace__name", "failure")
    search_help_text = gettext_lazy("E-mail of the person, name of the workspace, words of the trouble, or an id")
    id_fields = ("user", "workspace")
    ordering = ("-pk",)

    @admin.display(description=gettext_lazy("trouble"))
    def trouble(self, row: ReportSubscription) -> str:
        return short(row.failure)


@admin.register(WorkspaceExport)
class WorkspaceExportAdmin(Books):
    """The file itself is for owners and admins of the workspace, on their own page."""

    list_display = (
        *("id", row_of("workspace", gettext_lazy("workspace"), "accounts_workspace"), "requested_by"),
        *(badge("status", gettext_lazy("status")), "size_bytes", "done", "total", "attempts"),
        *(at("created_at", gettext_lazy("asked")), at("lease_until", gettext_lazy("claimed until"))),
        at("expires_at", gettext_lazy("kept until")),
    )
    list_filter = ("status", "created_at")
    list_select_related = ("workspace", "requested_by")
    search_fields = ("workspace__name", "requested_by__email")
    search_help_text = gettext_lazy("Name of the workspace, e-mail of who asked, or an id")
    id_fields = ("pk", "workspace")
    ordering = ("-created_at",)
    exclude = ("file",)


# --- On the pages of the floors below -------------------------------------------------------------------------


def found_there(request: HttpRequest, publication: Publication) -> list[Panel]:
    post = PlatformPost.objects.filter(publication=publication).first()
    if post is None:
        return []
    figures = [(name, getattr(post, name)) for name in FIGURES if getattr(post, name) is not None]
    return [
        facts(
            _("Found at the network"),
            (_("Platform post"), link("analytics_platformpost", post.pk, post.platform_post_id)),
            (_("Figures"), ", ".join(f"{name} {value}" for name, value in figures)),
            (_("Read"), when(post.fetched_at) if post.fetched_at else None),
            (_("Gone"), when(post.gone_at) if post.gone_at else None),
        )
    ]


def figures_of(request: HttpRequest, account: ConnectedAccount) -> list[Panel]:
    state = states_of([account])[account.pk]
    sync = state.row
    return [
        facts(
            _("Figures"),
            (_("Last sync"), link("analytics_accountsync", account.pk, when(account.last_synced_at)) if sync else None),
            (_("All of it"), when(sync.full_at) if sync and sync.full_at else None),
            (_("Next"), when(state.next_at) if state.next_at else None),
            (_("Calls today"), state.calls_today or None),
            (_("Window"), state.used_words or None),
            (_("Readings that came to nothing"), sync.failures if sync and sync.failures else None),
            (_("Platform posts"), list_link("analytics_platformpost", _("All found posts"), q=account.pk)),
            (_("Insight windows"), list_link("analytics_insightwindow", _("All windows"), q=account.pk)),
            order=60,
        )
    ]


PublicationAdmin.panels_from_above += (found_there,)
ConnectedAccountAdmin.panels_from_above += (figures_of,)
ConnectedAccountAdmin.actions += (SyncNow(),)
