"""Second factors and sessions: that there are some, and since when; never what opens the door."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from socialhub.admin_books import Books, at

for model in (Authenticator, UserSession):
    admin.site.unregister(model)


@admin.register(Authenticator)
class AuthenticatorAdmin(Books):
    """A row may be deleted: whoever has lost their phone and their codes signs in with the password alone again."""

    list_display = ("user", "type", at("created_at", _("since")), at("last_used_at", _("used")))
    list_select_related = ("user",)
    list_filter = ("type", "created_at", "last_used_at")
    search_fields = ("user__email",)
    id_fields = ("user__workspaces__pk",)
    fields = ("user", "type", "created_at", "last_used_at")
    ordering = ("-created_at",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


@admin.register(UserSession)
class UserSessionAdmin(Books):
    list_display = ("user", at("created_at", _("since")), at("last_seen_at", _("last seen")), "ip", "user_agent")
    list_select_related = ("user",)
    list_filter = ("created_at", "last_seen_at")
    search_fields = ("user__email", "ip")
    id_fields = ("user__workspaces__pk",)
    fields = ("user", "created_at", "last_seen_at", "ip", "user_agent")
    ordering = ("-pk",)
