"""What people and operators were told, the keys in use, and the trail of deletions."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.admin.levers import Resolve
from accounts.models import DataDeletion, EncryptionKey, Notification, OperatorNotice
from socialhub.admin_books import Books, at, row_of


@admin.register(Notification)
class NotificationAdmin(Books):
    list_display = (
        *("title", "kind", row_of("workspace", _("workspace"), "accounts_workspace"), "account"),
        *(at("created_at", _("told")), at("emailed_at", _("e-mailed")), at("read_at", _("read"))),
        at("resolved_at", _("settled")),
    )
    list_select_related = ("workspace", "account")
    list_filter = ("kind", ("resolved_at", admin.EmptyFieldListFilter), ("emailed_at", admin.EmptyFieldListFilter))
    search_fields = ("title", "incident", "workspace__name", "workspace__memberships__user__email", "account__username")
    search_help_text = _("Words of the title, handle of the account, e-mail of a member, workspace, or an id")
    id_fields = ("pk", "workspace", "account")
    ordering = ("-created_at",)
    actions = (Resolve(),)


@admin.register(OperatorNotice)
class OperatorNoticeAdmin(Books):
    list_display = (
        *("title", at("first_seen_at", _("first seen")), at("last_seen_at", _("last seen"))),
        at("resolved_at", _("settled")),
    )
    list_filter = (("resolved_at", admin.EmptyFieldListFilter),)
    search_fields = ("title", "key")
    actions = (Resolve(),)


@admin.register(EncryptionKey)
class EncryptionKeyAdmin(Books):
    """Since when each key of FERNET_KEYS is in use; the keys themselves are in the settings only."""

    list_display = ("short", at("first_seen_at", _("first seen")))
    search_fields = ("fingerprint",)
    fields = ("fingerprint", "first_seen_at")

    @admin.display(description=_("fingerprint"))
    def short(self, row: EncryptionKey) -> str:
        return str(row)


@admin.register(DataDeletion)
class DataDeletionAdmin(Books):
    list_display = (
        *("code", "provider", at("created_at", _("asked")), at("completed_at", _("done")), "grants", "accounts"),
    )
    list_filter = ("provider",)
    search_fields = ("=code",)
    fields = ("code", "provider", "grants", "accounts", "created_at", "completed_at")
