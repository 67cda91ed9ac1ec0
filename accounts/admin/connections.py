"""Connected accounts and what they live on: an incident begins here. Token columns are never read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin.levers import AskToReconnect, Disconnect, Pause, Resume, Verify
from accounts.models import ConnectedAccount, Credential, Grant, Notification, OAuthTicket
from socialhub.admin_books import (
    Books,
    ChoiceFilter,
    at,
    link,
    list_link,
    network,
    row_of,
    short,
)
from socialhub.admin_panels import Panel, facts
from socialhub.platforms import LABELS
from socialhub.templatetags.ui import status_badge, when

TOKENS = ("access_token", "refresh_token")
WORTH_A_LINE = ("failed", "checking", "publishing", "queued", "scheduled", "published", "draft")


class PausedFilter(admin.SimpleListFilter):
    title = _("publishing")
    parameter_name = "paused"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Paused")), ("no", _("Not paused"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("yes", "no"):
            return queryset.filter(paused_at__isnull=self.value() == "no")
        return queryset


class LostFilter(admin.SimpleListFilter):
    title = _("access")
    parameter_name = "access"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("lost", _("Lost: its people must act"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ConnectedAccount]) -> QuerySet[ConnectedAccount]:
        return queryset.filter(LOST) if self.value() == "lost" else queryset


LOST = Q(
    status__in=(
        ConnectedAccount.Status.EXPIRED,
        ConnectedAccount.Status.REVOKED,
        ConnectedAccount.Status.ERROR,
    )
)


class OwnPlatformFilter(ChoiceFilter):
    title = _("platform")
    parameter_name = "platform"
    path = "platform"
    choices_of: ClassVar[dict[str, Any]] = LABELS


def paused_badge(row: Any) -> SafeString | str:
    return status_badge("paused") if row.paused_at else "–"


def failures_of(accounts: Q, per: str) -> dict[Any, int]:
    """How many publications have failed, by account or by workspace. By relation: the books are a floor above."""
    failed = ConnectedAccount.objects.filter(accounts, publications__status="failed")
    return dict(failed.values_list(per).annotate(number=Count("publications")).order_by())


def failed_link(account_id: Any, number: int) -> SafeString | str:
    if not number:
        return "–"
    return list_link("publishing_publication", number, account__id__exact=account_id, status__exact="failed")


@admin.register(ConnectedAccount)
class ConnectedAccountAdmin(Books):
    """What stands here was written by a connect, a check or a sync; a hand would only make it untrue."""

    list_display = (
        *("handle", network("platform", _("platform")), "state", "failed_count", "reason"),
        row_of("workspace", _("workspace"), "accounts_workspace"),
        *(at("token_expires_at", _("access ends")), at("last_verified_at", _("verified"))),
        *(at("last_synced_at", _("synced")), "publications"),
    )
    list_filter = ("status", LostFilter, OwnPlatformFilter, PausedFilter, "account_type", "login_kind")
    list_select_related = ("workspace",)
    search_fields = (
        *("name", "username", "=platform_account_id", "workspace__name"),
        *("workspace__memberships__user__email", "connected_by__email"),
    )
    search_help_text = _("Handle (@…), name, id here or at the network, e-mail of a member, or workspace")
    id_fields = ("pk", "workspace")
    fields = (
        *("id", "platform", "platform_account_id", "account_type", "login_kind", "parent", "name", "username"),
        *("followers_count", "following_count", "likes_count", "posts_count", "picture_url", "is_default", "offers"),
        *("granted_scopes", "missing_scopes", "tasks", "connected_by", "connected_at", "disconnected_at"),
    )
    actions: tuple[Any, ...] = (Verify(), AskToReconnect(), Pause(), Resume(), Disconnect())

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConnectedAccount]:
        return super().get_queryset(request).select_related("workspace")

    def complete(self, rows: Sequence[Any]) -> None:
        failed = failures_of(Q(pk__in=[row.pk for row in rows]), "pk")
        for row in rows:
            row.failed = failed.get(row.pk, 0)

    def name_of(self, row: ConnectedAccount) -> str:
        return f"{row.handle} · {LABELS.get(row.platform, row.platform)}"

    @admin.display(description=_("handle"), ordering="username")
    def handle(self, account: ConnectedAccount) -> SafeString | str:
        if not account.username:
            return account.name
        return format_html('{}<br><span class="mini quiet">{}</span>', account.handle, account.name)

    @admin.display(description=_("status"), ordering="status")
    def state(self, account: ConnectedAccount) -> SafeString:
        """Connected or not, and whether publishing to it is paused."""
        shown = status_badge(account.status)
        return format_html("{} {}", shown, status_badge("paused")) if account.paused_at else shown

    @admin.display(description=_("failed"))
    def failed_count(self, account: Any) -> SafeString | str:
        return failed_link(account.pk, account.failed)

    @admin.display(description=_("publications"))
    def publications(self, account: ConnectedAccount) -> SafeString:
        """By address: the books of publishing are a floor above."""
        return list_link("publishing_publication", _("publications"), account__id__exact=account.pk)

    @admin.display(description=_("reason"))
    def reason(self, account: ConnectedAccount) -> str:
        return short(account.status_reason or account.sync_error)

    def panels(self, request: HttpRequest, row: ConnectedAccount) -> list[Panel]:
        # On the row, so that the floors above need not ask again.
        credential = Credential.objects.defer("access_token").filter(account=row).select_related("grant")
        kept = credential.defer("access_token", *(f"grant__{name}" for name in TOKENS)).first()
        if kept:
            row.credential = kept
        return [counts_of(row), access_of(row, kept), told_of(row)]


def counts_of(row: ConnectedAccount) -> Panel:
    """How many of its publications stand where, each with the way to them."""
    by_status = dict(
        ConnectedAccount.objects.filter(pk=row.pk, publications__isnull=False)
        .values_list("publications__status")
        .annotate(number=Count("publications"))
        .order_by()
    )
    return Panel(
        _("Publications"),
        [
            (
                status_badge(status),
                list_link(
                    "publishing_publication",
                    how_many(status, by_status[status]),
                    account__id__exact=row.pk,
                    status__exact=status,
                ),
            )
            for status in WORTH_A_LINE
            if by_status.get(status)
        ],
        empty=_("Nothing was ever written for it."),
        more=list_link("publishing_publication", _("All publications"), account__id__exact=row.pk),
        order=0,
    )


def how_many(status: str, number: int) -> str:
    return {
        "draft": ngettext("%d draft", "%d drafts", number),
        "scheduled": ngettext("%d scheduled", "%d scheduled", number),
        "queued": ngettext("%d queued", "%d queued", number),
        "publishing": ngettext("%d being published", "%d being published", number),
        "checking": ngettext("%d in question", "%d in question", number),
        "published": ngettext("%d published", "%d published", number),
        "failed": ngettext("%d failed", "%d failed", number),
    }[status] % number


def access_of(row: ConnectedAccount, credential: Credential | None) -> Panel:
    return facts(
        _("Access"),
        (_("Status"), status_badge(row.status)),
        (_("Reason"), row.status_reason),
        (_("Words of the network"), row.platform_message),
        (_("Remark"), row.remark),
        (_("Workspace"), link("accounts_workspace", row.workspace_id, row.workspace)),
        (_("Publishing"), status_badge("paused") if row.paused_at else None),
        (_("Reason of the pause"), row.pause_reason),
        (_("Pause ends"), when(row.paused_until) if row.paused_until else None),
        (
            _("Credential"),
            link("accounts_credential", credential.pk, _("there is one")) if credential else _("there is none"),
        ),
        (
            _("Grant"),
            link("accounts_grant", credential.grant_id, credential.grant) if credential and credential.grant else None,
        ),
        (_("Access ends"), when(row.token_expires_at) if row.token_expires_at else _("no end known")),
        (_("Data access ends"), when(row.data_access_expires_at) if row.data_access_expires_at else None),
        (_("Missing permissions"), ", ".join(row.missing_scopes)),
        (_("Verified"), when(row.last_verified_at)),
        (_("Synced"), when(row.last_synced_at)),
        (_("Trouble of the last sync"), row.sync_error),
        order=30,
    )


def told_of(row: ConnectedAccount) -> Panel:
    found = Notification.objects.filter(workspace=row.workspace_id, account=row)
    return told(found, more=list_link("accounts_notification", _("All notifications"), q=row.pk))


def told(found: QuerySet[Notification], more: SafeString | str = "") -> Panel:
    """The newest notifications, and what became of them."""
    return Panel(
        _("What its people were told"),
        [
            (
                link("accounts_notification", one.pk, one.title),
                when(one.created_at),
                when(one.emailed_at) if one.emailed_at else _("no e-mail"),
                when(one.read_at) if one.read_at else _("not read"),
                when(one.resolved_at) if one.resolved_at else _("open"),
            )
            for one in found.order_by("-created_at")[:5]
        ],
        (_("Notification"), _("Told"), _("E-mail"), _("Read"), _("Settled")),
        empty=_("They were told nothing."),
        more=more,
    )


@admin.register(Credential)
class CredentialAdmin(Books):
    """That there is a token and until when; never the token."""

    list_display = (
        "account",
        network("account__platform", _("platform")),
        "grant",
        at("expires_at", _("ends")),
        at("updated_at", _("stored")),
    )
    list_select_related = ("account", "grant")
    list_filter = ("account__platform",)
    search_fields = ("account__name", "account__username", "=account__platform_account_id")
    search_help_text = _("Handle or name of the account, or an id")
    id_fields = ("account", "grant", "account__workspace")
    fields = ("account", "grant", "expires_at", "updated_at")
    ordering = ("-updated_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        return super().get_queryset(request).defer("access_token", *(f"grant__{name}" for name in TOKENS))


@admin.register(Grant)
class GrantAdmin(Books):
    list_display = (
        *("__str__", "provider", row_of("workspace", _("workspace"), "accounts_workspace"), "user"),
        *(
            at("expires_at", _("ends")),
            at("data_access_expires_at", _("data access ends")),
            at("updated_at", _("stored")),
        ),
    )
    list_select_related = ("workspace", "user")
    list_filter = ("provider", ("refresh_spent_at", admin.EmptyFieldListFilter))
    search_fields = ("platform_user_name", "=platform_user_id", "user__email", "workspace__name")
    search_help_text = _("Name or id at the network, e-mail, workspace, or an id")
    id_fields = ("pk", "workspace")
    fields = (
        *("workspace", "user", "provider", "platform_user_id", "platform_user_name", "issued_at", "expires_at"),
        *("refresh_expires_at", "renewing_since", "refresh_spent_at", "data_access_expires_at"),
        *("granted_scopes", "declined_scopes", "lapsed_scopes", "created_at", "updated_at"),
    )
    ordering = ("-updated_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grant]:
        return super().get_queryset(request).defer(*TOKENS)

    def panels(self, request: HttpRequest, row: Grant) -> list[Panel]:
        found = ConnectedAccount.objects.filter(credential__grant=row).order_by("platform", "name")[:50]
        return [
            Panel(
                _("Connected accounts"),
                [(link("accounts_connectedaccount", one.pk, one), status_badge(one.status)) for one in found],
                (_("Account"), _("Status")),
                empty=_("No account lives on it."),
            )
        ]


@admin.register(OAuthTicket)
class OAuthTicketAdmin(Books):
    list_display = (
        *("id", "provider", "product", "user", row_of("workspace", _("workspace"), "accounts_workspace")),
        *(at("created_at", _("begun")), at("expires_at", _("ends")), at("used_at", _("used"))),
    )
    list_select_related = ("user", "workspace")
    list_filter = ("provider", ("used_at", admin.EmptyFieldListFilter))
    search_fields = ("user__email", "workspace__name")
    search_help_text = _("E-mail or workspace")
    id_fields = ("workspace",)
    ordering = ("-pk",)
    fields = ("user", "workspace", "provider", "product", "created_at", "expires_at", "used_at")
