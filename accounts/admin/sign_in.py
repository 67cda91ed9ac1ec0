"""How people come in: addresses, second factors and sessions; that there are some, and since when; never what opens the door."""

from __future__ import annotations

from typing import Any

from allauth.account.admin import EmailAddressAdmin
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from socialhub.admin_actions import Lever
from socialhub.admin_books import Books, Operated, at

for model in (Authenticator, EmailAddress, UserSession):
    admin.site.unregister(model)


class OfPeople(Lever):
    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        return list(queryset.select_related("user"))


class Verify(OfPeople):
    name = "verify"
    label = _("Mark as verified")
    meaning = _(
        "Whoever has this address can sign in with it and set a new password. Only where you know in another way whose "
        "address it is."
    )

    def why_not(self, row: EmailAddress) -> str:
        return _t("it is verified already") if row.verified else ""

    def act(self, request: HttpRequest, row: EmailAddress, fields: dict[str, Any]) -> str:
        if not row.set_verified():
            return _t("somebody else has verified the same address")
        email_confirmed.send(sender=EmailAddress, request=request, email_address=row)
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Mark %d address as verified?", "Mark %d addresses as verified?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d address is verified.", "%d addresses are verified.", number) % number


class EndSessions(OfPeople):
    name = "end_sessions"
    label = _("Sign out")
    meaning = _("This browser has to sign in again with its next click. What was typed there and not saved is lost.")
    is_grave = True

    def name_of(self, row: UserSession) -> str:
        return f"{row.user} · {row.ip}"

    def act(self, request: HttpRequest, row: UserSession, fields: dict[str, Any]) -> str:
        row.end()
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Sign out %d browser?", "Sign out %d browsers?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d browser is signed out.", "%d browsers are signed out.", number) % number


@admin.register(EmailAddress)
class AddressAdmin(Operated, EmailAddressAdmin):
    list_select_related = ("user",)
    id_fields = ("user__workspaces__pk",)
    actions = (Verify(),)


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
    actions = (EndSessions(),)
