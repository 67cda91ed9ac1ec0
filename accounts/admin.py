"""The operators' view of people, workspaces and connections. Token columns are never read here."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import connect, pauses
from accounts.models import (
    ConnectedAccount,
    Credential,
    DataDeletion,
    EncryptionKey,
    Grant,
    Membership,
    Notification,
    OAuthTicket,
    OperatorNotice,
    User,
    Workspace,
)
from accounts.tokens import lost
from accounts.verify import verify
from socialhub.platforms.errors import PlatformError, ReconnectError

# Staff sign in where everybody does: verified address, second factor, limits on guessing.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "socialhub"

# Networks are connected by settings and our own tables; rows here would do nothing, or break the connect.
for model in (SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)


class ReadOnly(admin.ModelAdmin):
    """For books that only the program writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user", "workspace")


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email",)
        field_classes = {"email": forms.EmailField}  # noqa: RUF012  Django's own shape


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    list_display = ("email", "first_name", "last_name", "is_active", "is_staff", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser", "date_joined")
    search_fields = ("email", "first_name", "last_name", "=id")
    ordering = ("email",)
    date_hierarchy = "date_joined"
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "time_zone")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Times"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)
    readonly_fields = ("last_login", "date_joined")
    add_form = UserCreationForm
    inlines = (MembershipInline,)


class PausedFilter(admin.SimpleListFilter):
    title = _("publishing")
    parameter_name = "paused"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Paused")), ("no", _("Not paused"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ConnectedAccount]) -> QuerySet[ConnectedAccount]:
        if self.value() in ("yes", "no"):
            return queryset.filter(paused_at__isnull=self.value() == "no")
        return queryset


def pause_all(rows: QuerySet[Any]) -> int:
    """Accounts or workspaces; those that are paused already keep their reason. By nobody: members see no staff's name."""
    running = list(rows.filter(paused_at=None))
    for row in running:
        pauses.pause(row, by=None, reason=str(_("Paused by staff")))
    return len(running)


def resume_all(rows: QuerySet[Any]) -> int:
    paused = list(rows.exclude(paused_at=None))
    for row in paused:
        pauses.resume(row)
    return len(paused)


@admin.register(Workspace)
class WorkspaceAdmin(admin.ModelAdmin):
    list_display = ("name", "id", "member_count", "account_count", "created_at")
    search_fields = ("name", "=id", "memberships__user__email")
    readonly_fields = ("id", "created_at", "paused_at", "paused_until", "pause_reason", "paused_by")
    list_filter = (PausedFilter,)
    date_hierarchy = "created_at"
    inlines = (MembershipInline,)
    actions = ("stop", "resume")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                members_counted=Count("memberships", distinct=True), accounts_counted=Count("accounts", distinct=True)
            )
        )

    @admin.action(description=_("Stop publishing"))
    def stop(self, request: HttpRequest, rows: QuerySet[Workspace]) -> None:
        changed = pause_all(rows)
        self.message_user(request, ngettext("%d workspace stopped.", "%d workspaces stopped.", changed) % changed)

    @admin.action(description=_("Resume publishing"))
    def resume(self, request: HttpRequest, rows: QuerySet[Workspace]) -> None:
        changed = resume_all(rows)
        self.message_user(request, ngettext("%d workspace resumed.", "%d workspaces resumed.", changed) % changed)

    @admin.display(description=_("members"), ordering="members_counted")
    def member_count(self, row: Any) -> int:
        return int(row.members_counted)

    @admin.display(description=_("connected accounts"), ordering="accounts_counted")
    def account_count(self, row: Any) -> int:
        return int(row.accounts_counted)


@admin.register(ConnectedAccount)
class ConnectedAccountAdmin(admin.ModelAdmin):
    list_display = (
        "name",
        "username",
        "platform",
        "status",
        "reason",
        "workspace",
        "paused_at",
        "token_expires_at",
        "last_verified_at",
        "last_synced_at",
        "publications",
    )
    list_filter = ("platform", "status", PausedFilter, "account_type")
    list_select_related = ("workspace",)
    search_fields = ("name", "username", "=platform_account_id", "=id", "workspace__name", "=workspace__id")
    # What stands here was written by a connect, a check or a sync; a hand would only make it untrue.
    readonly_fields = (
        *("id", "workspace", "platform", "platform_account_id", "account_type", "login_kind", "parent"),
        *("name", "username", "picture_url", "followers_count", "following_count", "likes_count", "posts_count"),
        *("status", "granted_scopes", "missing_scopes", "tasks", "token_expires_at", "data_access_expires_at"),
        *("connected_by", "connected_at", "disconnected_at", "last_verified_at", "last_synced_at", "platform_message"),
        *("picture", "picture_source", "remark", "offers", "is_default"),
    )
    actions = ("verify_now", "ask_to_reconnect", "pause", "resume", "disconnect")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # connecting needs the consent of the owner

    @admin.display(description=_("publications"))
    def publications(self, account: ConnectedAccount) -> SafeString:
        """By address: the books of publishing are a floor above."""
        address = reverse("admin:publishing_publication_changelist")
        return format_html('<a href="{}?account__id__exact={}">{}</a>', address, account.pk, _("publications"))

    @admin.display(description=_("reason"))
    def reason(self, account: ConnectedAccount) -> str:
        return (account.status_reason or account.sync_error)[:80]

    @admin.action(description=_("Verify access now"))
    def verify_now(self, request: HttpRequest, rows: QuerySet[ConnectedAccount]) -> None:
        for account in rows.listed().select_related("credential", "workspace"):  # type: ignore[attr-defined]
            try:
                verify(account)
            except PlatformError as error:
                self.message_user(request, f"{account}: {error.message}", messages.WARNING)
            else:
                self.message_user(request, f"{account}: OK", messages.SUCCESS)
        self.skipped(request, rows.filter(status=ConnectedAccount.Status.DISCONNECTED).count())

    @admin.action(description=_("Ask the owners to reconnect"))
    def ask_to_reconnect(self, request: HttpRequest, rows: QuerySet[ConnectedAccount]) -> None:
        for account in rows.listed():  # type: ignore[attr-defined]
            lost(account, ReconnectError(str(_("Whoever runs this server asks you to connect this account again."))))
        self.skipped(request, rows.filter(status=ConnectedAccount.Status.DISCONNECTED).count())

    @admin.action(description=_("Pause publishing"))
    def pause(self, request: HttpRequest, rows: QuerySet[ConnectedAccount]) -> None:
        changed = pause_all(rows)
        self.message_user(request, ngettext("%d account paused.", "%d accounts paused.", changed) % changed)

    @admin.action(description=_("Resume publishing"))
    def resume(self, request: HttpRequest, rows: QuerySet[ConnectedAccount]) -> None:
        changed = resume_all(rows)
        self.message_user(request, ngettext("%d account resumed.", "%d accounts resumed.", changed) % changed)

    @admin.action(description=_("Disconnect (deletes the tokens)"))
    def disconnect(self, request: HttpRequest, rows: QuerySet[ConnectedAccount]) -> None:
        connected = list(rows.listed())  # type: ignore[attr-defined]
        already = rows.count() - len(connected)
        for account in connected:
            connect.disconnect(account)
        self.message_user(
            request, ngettext("%d account disconnected.", "%d accounts disconnected.", len(connected)) % len(connected)
        )
        self.skipped(request, already)

    def skipped(self, request: HttpRequest, count: int) -> None:
        if count:
            self.message_user(
                request,
                ngettext("%d disconnected account skipped.", "%d disconnected accounts skipped.", count) % count,
                messages.WARNING,
            )


@admin.register(Credential)
class CredentialAdmin(ReadOnly):
    """That there is a token and until when; never the token."""

    list_display = ("account", "platform", "grant", "expires_at", "updated_at")
    list_select_related = ("account", "grant")
    list_filter = ("account__platform",)
    search_fields = ("account__name", "account__username", "=account__platform_account_id", "=account__id")
    fields = ("account", "grant", "expires_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        return super().get_queryset(request).defer("access_token")

    @admin.display(ordering="account__platform")
    def platform(self, row: Credential) -> str:
        return row.account.platform


@admin.register(Grant)
class GrantAdmin(ReadOnly):
    list_display = ("platform_user_name", "provider", "workspace", "user", "expires_at", "data_access_expires_at")
    list_select_related = ("workspace", "user")
    list_filter = ("provider",)
    search_fields = ("platform_user_name", "=platform_user_id", "user__email", "workspace__name", "=id")
    fields = (
        *("workspace", "user", "provider", "platform_user_id", "platform_user_name", "expires_at"),
        *("data_access_expires_at", "granted_scopes", "declined_scopes", "created_at", "updated_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grant]:
        return super().get_queryset(request).defer("access_token")


@admin.register(OAuthTicket)
class OAuthTicketAdmin(ReadOnly):
    list_display = ("id", "provider", "product", "user", "workspace", "created_at", "expires_at", "used_at")
    list_select_related = ("user", "workspace")
    list_filter = ("provider", ("used_at", admin.EmptyFieldListFilter))
    search_fields = ("user__email", "workspace__name")
    date_hierarchy = "created_at"


@admin.register(Notification)
class NotificationAdmin(ReadOnly):
    list_display = ("title", "kind", "workspace", "account", "created_at", "emailed_at", "read_at", "resolved_at")
    list_select_related = ("workspace", "account")
    list_filter = ("kind", ("resolved_at", admin.EmptyFieldListFilter), ("emailed_at", admin.EmptyFieldListFilter))
    search_fields = ("title", "incident", "workspace__name", "=workspace__id")
    date_hierarchy = "created_at"
    actions = ("resolve",)

    @admin.action(description=_("Mark as resolved"))
    def resolve(self, request: HttpRequest, rows: QuerySet[Notification]) -> None:
        changed = rows.filter(resolved_at=None).update(resolved_at=timezone.now())
        self.message_user(request, ngettext("%d resolved.", "%d resolved.", changed) % changed)


@admin.register(OperatorNotice)
class OperatorNoticeAdmin(ReadOnly):
    list_display = ("title", "first_seen_at", "last_seen_at", "resolved_at")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter),)
    search_fields = ("title", "key")
    actions = ("resolve",)

    @admin.action(description=_("Mark as resolved"))
    def resolve(self, request: HttpRequest, rows: QuerySet[OperatorNotice]) -> None:
        changed = rows.filter(resolved_at=None).update(resolved_at=timezone.now())
        self.message_user(request, ngettext("%d resolved.", "%d resolved.", changed) % changed)


@admin.register(EncryptionKey)
class EncryptionKeyAdmin(ReadOnly):
    """Since when each key of FERNET_KEYS is in use; the keys themselves are in the settings only."""

    list_display = ("short", "first_seen_at")
    search_fields = ("fingerprint",)
    fields = ("fingerprint", "first_seen_at")

    @admin.display(description=_("fingerprint"))
    def short(self, row: EncryptionKey) -> str:
        return str(row)


@admin.register(DataDeletion)
class DataDeletionAdmin(ReadOnly):
    list_display = ("code", "provider", "created_at", "completed_at", "grants", "accounts")
    list_filter = ("provider",)
    search_fields = ("=code",)
    fields = ("code", "provider", "grants", "accounts", "created_at", "completed_at")


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ("user", "workspace", "role", "created_at")
    list_select_related = ("user", "workspace")
    list_filter = ("role",)
    search_fields = ("user__email", "workspace__name")
    autocomplete_fields = ("user", "workspace")
