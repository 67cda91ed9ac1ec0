"""The operators' view of the figures; all of them are snapshots and stay as they were read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from analytics.models import AccountSync, InsightWindow, PlatformPost, PostSnapshot
from analytics.tasks import ask_for_sync
from publishing.admin import Books, PlatformFilter, as_json, link, report, short

FIGURES = ("likes", "comments", "shares", "saves", "views", "reach", "clicks")


@admin.register(AccountSync)
class AccountSyncAdmin(Books):
    list_display = ("account", "status", "last_synced_at", "full_at", "claimed_until", "trouble")
    list_filter = (PlatformFilter, "account__status")
    list_select_related = ("account",)
    search_fields = ("account__name", "account__username", "account__sync_error")
    id_fields = ("pk", "account__workspace")
    ordering = ("-account__last_synced_at",)
    actions = ("sync_now",)

    @admin.display(description=_("status"), ordering="account__status")
    def status(self, row: AccountSync) -> str:
        return row.account.get_status_display()

    @admin.display(description=_("last synced"), ordering="account__last_synced_at")
    def last_synced_at(self, row: AccountSync) -> Any:
        return row.account.last_synced_at

    @admin.display(description=_("trouble"))
    def trouble(self, row: AccountSync) -> str:
        return short(row.account.sync_error)

    @admin.action(description=_("Sync now"), permissions=["operate"])
    def sync_now(self, request: HttpRequest, rows: QuerySet[AccountSync]) -> None:
        done, skipped = 0, []
        for row in rows.select_related("account"):
            if row.account.is_connected and ask_for_sync(row.account_id):
                done += 1
            else:
                skipped.append(f"{row.account} ({row.account.get_status_display()})")
        report(self, request, ngettext("%d account is read now.", "%d accounts are read now.", done) % done, skipped)


@admin.register(InsightWindow)
class InsightWindowAdmin(Books):
    list_display = ("account", "period", "window_start", "figures", "differences", "fetched_at")
    list_filter = ("period", PlatformFilter, "window_start")
    list_select_related = ("account",)
    search_fields = ("account__name", "account__username")
    id_fields = ("account", "account__workspace")
    ordering = ("-window_start", "-pk")
    fields = ("account", "period", "window_start", "fetched_at", "figures", "differences", "answer")
    readonly_fields = ("figures", "differences", "answer")

    @admin.display(description=_("figures"))
    def figures(self, window: InsightWindow) -> str:
        return _pairs(window.metrics)

    @admin.display(description=_("since the window before"))
    def differences(self, window: InsightWindow) -> str:
        return _pairs(window.derived)

    @admin.display(description=_("answer of the network"))
    def answer(self, window: InsightWindow) -> SafeString:
        return as_json(window.raw)


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(values.items())) or "–"


class OursFilter(admin.SimpleListFilter):
    title = _("made here")
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
        "platform_post_id",
        "account",
        "start",
        "posted_at",
        *FIGURES,
        "fetched_at",
        "next_fetch_at",
        "gone_at",
    )
    list_filter = (PlatformFilter, OursFilter, ("gone_at", admin.EmptyFieldListFilter), "posted_at", "next_fetch_at")
    list_select_related = ("account",)
    search_fields = ("platform_post_id__exact", "text", "account__name", "account__username")
    id_fields = ("pk", "account", "publication", "account__workspace")
    ordering = ("-posted_at",)
    fields = (
        *("account", "platform_post_id", "publication_link", "text", "permalink", "thumbnail_url", "media_type"),
        *("posted_at", *FIGURES, "fetched_at", "next_fetch_at", "gone_at", "answer"),
    )
    readonly_fields = ("publication_link", "answer")
    actions = ("read_now",)

    @admin.display(description=_("text"))
    def start(self, post: PlatformPost) -> str:
        return short(post.text, 60)

    @admin.display(description=_("publication"))
    def publication_link(self, post: PlatformPost) -> SafeString | str:
        if post.publication_id is None:
            return "–"
        return link("publishing_publication", post.publication_id, post.publication_id)

    @admin.display(description=_("answer of the network"))
    def answer(self, post: PlatformPost) -> SafeString:
        return as_json(post.raw)

    @admin.action(description=_("Read the figures with the next run"), permissions=["operate"])
    def read_now(self, request: HttpRequest, posts: QuerySet[PlatformPost]) -> None:
        total = posts.count()
        done = posts.filter(gone_at=None).update(next_fetch_at=timezone.now())
        gone = ngettext("%d is gone", "%d are gone", total - done) % (total - done)
        report(
            self,
            request,
            ngettext("%d post is read with the next run.", "%d posts are read with the next run.", done) % done,
            [gone] if total > done else [],
        )


@admin.register(PostSnapshot)
class PostSnapshotAdmin(Books):
    list_display = ("fetched_at", "platform_post", "account", *FIGURES)
    list_filter = ("fetched_at",)
    list_select_related = ("platform_post__account",)
    search_fields = ("platform_post__platform_post_id__exact", "platform_post__account__name")
    id_fields = ("platform_post", "platform_post__account")
    ordering = ("-fetched_at", "-pk")

    @admin.display(description=_("account"))
    def account(self, snapshot: PostSnapshot) -> str:
        return str(snapshot.platform_post.account)
