"""People, workspaces and who belongs to which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from allauth.account.decorators import secure_admin_login
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.connections import PausedFilter, failed_link, failures_of, paused_badge
from accounts.admin.levers import ResumeWorkspaces, Stop
from accounts.models import ConnectedAccount, Membership, User, Workspace
from socialhub.admin_books import Operated, account_link, at, link, list_link, row_of
from socialhub.admin_panels import Panel, facts
from socialhub.templatetags.ui import status_badge, when

# Staff sign in where everybody does: verified address, second factor, limits on guessing.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

# Networks are connected by settings and our own tables; rows here would do nothing, or break the connect.
for model in (SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)

ACCOUNTS_SHOWN = 50


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user", "workspace")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "workspace")


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email",)
        field_classes = {"email": forms.EmailField}  # noqa: RUF012  Django's own shape


@admin.register(User)
class UserAdmin(Operated, DjangoUserAdmin):
    list_display = (
        *("email", "first_name", "last_name", "is_active", "is_staff"),
        *(at("last_login", _("last login")), at("date_joined", _("joined"))),
    )
    list_filter = ("is_active", "is_staff", "is_superuser", "date_joined")
    search_fields = ("email", "first_name", "last_name", "=id", "workspaces__name")
    search_help_text = _("E-mail, name, workspace, or id")
    id_fields = ("workspaces__pk",)
    ordering = ("email",)
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "time_zone", "language")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Times"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)
    readonly_fields = ("last_login", "date_joined")
    add_form = UserCreationForm
    inlines = (MembershipInline,)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never somebody whose deeds stand in the history: it would go with them. They are made inactive instead."""
        if obj is not None and LogEntry.objects.filter(user=obj).exists():
            return False
        return super().has_delete_permission(request, obj)

    def panels(self, request: HttpRequest, row: User) -> list[Panel]:
        found = row.memberships.select_related("workspace").annotate(
            accounts=Count(
                "workspace__accounts", filter=~Q(workspace__accounts__status=ConnectedAccount.Status.DISCONNECTED)
            )
        )
        return [
            Panel(
                _("Workspaces"),
                [
                    (
                        link("accounts_workspace", one.workspace_id, one.workspace),
                        one.get_role_display(),
                        list_link("accounts_connectedaccount", one.accounts, q=one.workspace_id),
                        when(one.created_at),
                    )
                    for one in found.order_by("created_at")
                ],
                (_("Workspace"), _("Role"), _("Connected accounts"), _("Since")),
                empty=_("This person belongs to none."),
            )
        ]


@admin.register(Workspace)
class WorkspaceAdmin(Operated):
    list_display = (
        *("name", "paused", "member_count", "account_count", "failed_count"),
        *(at("created_at", _("since")), "id"),
    )
    search_fields = ("name", "memberships__user__email", "accounts__username", "accounts__name")
    search_help_text = _("Name, e-mail of a member, handle of an account, or id")
    readonly_fields = (
        *("id", "created_at", "paused_at", "paused_until", "pause_reason", "paused_by"),
        *("deleting_at", "deletion_due_at"),
    )
    list_filter = (PausedFilter,)
    ordering = ("-created_at",)
    inlines = (MembershipInline,)
    actions = (Stop(), ResumeWorkspaces())
    fields = ("id", "name", "language", *readonly_fields[1:])

    def complete(self, rows: Sequence[Any]) -> None:
        """Counts for the workspaces of this page alone: over all of them they would cost seconds."""
        counted = Workspace.objects.filter(pk__in=[row.pk for row in rows]).annotate(
            members_counted=Count("memberships", distinct=True), accounts_counted=Count("accounts", distinct=True)
        )
        counts = {row.pk: row for row in counted}
        failed = failures_of(Q(workspace__in=[row.pk for row in rows]), "workspace")
        for row in rows:
            row.members_counted = counts[row.pk].members_counted if row.pk in counts else 0
            row.accounts_counted = counts[row.pk].accounts_counted if row.pk in counts else 0
            row.failed = failed.get(row.pk, 0)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only one in which nothing ever happened: history stays."""
        if obj is not None and (obj.accounts.exists() or obj.posts.exists()):
            return False
        return super().has_delete_permission(request, obj)

    @admin.display(description=_("publishing"))
    def paused(self, row: Workspace) -> SafeString | str:
        return paused_badge(row)

    @admin.display(description=_("members"))
    def member_count(self, row: Any) -> int:
        return int(row.members_counted)

    @admin.display(description=_("connected accounts"))
    def account_count(self, row: Any) -> SafeString:
        return list_link("accounts_connectedaccount", row.accounts_counted, q=row.pk)

    @admin.display(description=_("failed"))
    def failed_count(self, row: Any) -> SafeString | str:
        return list_link("publishing_publication", row.failed, q=row.pk, status__exact="failed") if row.failed else "–"

    def panels(self, request: HttpRequest, row: Workspace) -> list[Panel]:
        accounts = list(row.accounts.order_by("platform", "name")[:ACCOUNTS_SHOWN])
        failed = failures_of(Q(workspace=row), "pk")
        return [
            facts(
                _("Publishing"),
                (_("State"), paused_badge(row)),
                (_("Reason"), row.pause_reason),
                (_("Until"), when(row.paused_until) if row.paused_until else None),
                (_("Posts"), list_link("publishing_post", _("All posts"), q=row.pk)),
                (_("Told"), list_link("accounts_notification", _("All notifications"), q=row.pk)),
            ),
            Panel(
                _("Connected accounts"),
                [
                    (
                        account_link(one),
                        format_html("{} {}", status_badge(one.status), paused_badge(one) if one.is_paused else ""),
                        failed_link(one.pk, failed.get(one.pk, 0)),
                        when(one.token_expires_at) if one.token_expires_at else "–",
                        one.status_reason or one.sync_error or "–",
                    )
                    for one in accounts
                ],
                (_("Account"), _("Status"), _("Failed"), _("Access ends"), _("Reason")),
                empty=_("None is connected."),
                more=list_link("accounts_connectedaccount", _("All accounts"), q=row.pk),
            ),
        ]


@admin.register(Membership)
class MembershipAdmin(Operated):
    list_display = (
        *("user", row_of("workspace", _("workspace"), "accounts_workspace"), "role", at("created_at", _("since"))),
    )
    list_select_related = ("user", "workspace")
    list_filter = ("role",)
    search_fields = ("user__email", "workspace__name")
    search_help_text = _("E-mail, workspace, or id of a workspace")
    id_fields: ClassVar[tuple[str, ...]] = ("workspace",)
    autocomplete_fields = ("user", "workspace")
    ordering = ("-created_at",)
