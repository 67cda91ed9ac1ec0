"""Keys of programs: whose they are and what they may, never what opens with them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import api_keys
from accounts.models import ApiKey, IdempotentAnswer
from socialhub.admin_actions import Lever
from socialhub.admin_books import Books, at, row_of


class Revoke(Lever):
    name = "revoke"
    label = _("Revoke")
    meaning = _("The program behind it gets no answer from now on. Its person can make a new key.")
    is_grave = True

    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        return list(queryset.select_related("user", "workspace"))

    def why_not(self, row: ApiKey) -> str:
        return _t("it is revoked already") if row.revoked_at else ""

    def act(self, request: HttpRequest, row: ApiKey, fields: dict[str, Any]) -> str:
        api_keys.revoke(row, request.user)  # type: ignore[arg-type]  # staff are signed in
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Revoke %d key?", "Revoke %d keys?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d key is revoked.", "%d keys are revoked.", number) % number


@admin.register(ApiKey)
class ApiKeyAdmin(Books):
    list_display = (
        *("name", "start", "user", row_of("workspace", _("workspace"), "accounts_workspace"), "scopes"),
        *(at("last_used_at", _("last used")), at("expires_at", _("ends")), at("revoked_at", _("revoked"))),
    )
    list_select_related = ("user", "workspace")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), ("last_used_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "start", "user__email", "workspace__name")
    search_help_text = _("Name or beginning of the key, e-mail, workspace, or an id")
    id_fields = ("pk", "workspace")
    ordering = ("-created_at",)
    actions = (Revoke(),)
    fields = (
        *("id", "name", "start", "user", "workspace", "scopes", "created_at", "expires_at", "last_used_at"),
        *("revoked_at", "revoked_by"),
    )


@admin.register(IdempotentAnswer)
class IdempotentAnswerAdmin(Books):
    """Requests that are answered the same when they come again; the answers themselves are the workspace's."""

    list_display = (
        *("key", "principal", row_of("workspace", _("workspace"), "accounts_workspace"), "status"),
        *(at("created_at", _("asked")), at("lease_until", _("under way until"))),
    )
    list_select_related = ("workspace",)
    list_filter = (("status", admin.EmptyFieldListFilter),)
    search_fields = ("=key", "=principal", "workspace__name")
    search_help_text = _("Idempotency-Key, “key:…” or “user:…”, or workspace")
    ordering = ("-created_at",)
    fields = ("key", "principal", "workspace", "status", "created_at", "lease_until")
