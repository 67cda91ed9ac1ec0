"""The operators' view of the figures; all of them are snapshots and stay as they were read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin.connections import ConnectedAccountAdmin
from accounts.models import ConnectedAccount
from analytics.models import AccountSync, InsightWindow, PlatformPost, PostSnapshot
from analytics.tasks import ask_for_sync
from publishing.admin.posts import PublicationAdmin
from publishing.models import Publication
from socialhub.admin_actions import Lever
from socialhub.admin_books import (
    Books,
    PlatformFilter,
    account_of,
    as_json,
    at,
    badge,
    link,
    list_link,
    short,
)
from socialhub.admin_panels import Panel, facts
from socialhub.templatetags.ui import when

FIGURES = ("likes", "comments", "shares", "saves", "views", "reach", "clicks")


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


@admin.register(AccountSync)
class AccountSyncAdmin(Books):
    list_display = (
        *("key", account_of("account"), badge("account__status", gettext_lazy("status"))),
        *(at("account__last_synced_at", gettext_lazy("last synced")), at("full_at", gettext_lazy("all of it"))),
        *(at("claimed_until", gettext_lazy("claimed until")), "failures", "trouble"),
    )
    list_display_links = ("key",)
    list_filter = (PlatformFilter, "account__status")
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
    fields = ("account", "period", "window_start", "fetched_at", "figures", "differences", "answer")
    readonly_fields = ("figures", "differences", "answer")

    @admin.display(description=gettext_lazy("figures"))
    def figures(self, window: InsightWindow) -> str:
        return _pairs(window.metrics)

    @admin.display(description=gettext_lazy("since the window before"))
    def differences(self, window: InsightWindow) -> str:
        return _pairs(window.derived)

    @admin.display(description=gettext_lazy("answer of the network"))
    def answer(self, window: InsightWindow) -> SafeString:
        return as_json(window.raw)


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
        *("platform_post_id", account_of("account"), "start", at("posted_at", gettext_lazy("posted")), *FIGURES),
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
        *("posted_at", *FIGURES, "fetched_at", "next_fetch_at", "gone_at", "answer"),
    )
    readonly_fields = ("publication_link", "answer")
    actions = (ReadNow(),)

    @admin.display(description=gettext_lazy("text"))
    def start(self, post: PlatformPost) -> str:
        return short(post.text, 60)

    @admin.display(description=gettext_lazy("publication"))
    def publication_link(self, post: PlatformPost) -> SafeString | str:
        if post.publication_id is None:
            return "–"
        return link("publishing_publication", post.publication_id, post.publication_id)

    @admin.display(description=gettext_lazy("answer of the network"))
    def answer(self, post: PlatformPost) -> SafeString:
        return as_json(post.raw)


@admin.register(PostSnapshot)
class PostSnapshotAdmin(Books):
    list_display = (
        *("id", at("fetched_at", gettext_lazy("read")), "platform_post", account_of("platform_post__account")),
        *FIGURES,
    )
    list_filter = ("fetched_at",)
    list_select_related = ("platform_post__account",)
    search_fields = ("platform_post__platform_post_id__exact", "platform_post__account__name")
    search_help_text = gettext_lazy("Id at the network, name of the account, or an id")
    id_fields = ("platform_post", "platform_post__account")
    ordering = ("-pk",)


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
    sync = AccountSync.objects.filter(account=account).first()
    return [
        facts(
            _("Figures"),
            (_("Last sync"), link("analytics_accountsync", account.pk, when(account.last_synced_at)) if sync else None),
            (_("All of it"), when(sync.full_at) if sync and sync.full_at else None),
            (_("Readings that came to nothing"), sync.failures if sync and sync.failures else None),
            (_("Platform posts"), list_link("analytics_platformpost", _("All found posts"), q=account.pk)),
            (_("Insight windows"), list_link("analytics_insightwindow", _("All windows"), q=account.pk)),
            order=60,
        )
    ]


PublicationAdmin.panels_from_above += (found_there,)
ConnectedAccountAdmin.panels_from_above += (figures_of,)
ConnectedAccountAdmin.actions += (SyncNow(),)
