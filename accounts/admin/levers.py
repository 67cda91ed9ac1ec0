"""What operators can do to accounts and workspaces: the same functions as the pages call, asked for first."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import connect, pauses
from accounts.forms import PauseForm
from accounts.language import speaking_to
from accounts.models import ConnectedAccount, Workspace
from accounts.tokens import lost
from accounts.verify import verify
from socialhub.admin_actions import Lever
from socialhub.platforms.errors import PlatformError, ReconnectError
from socialhub.templatetags.ui import platform_label

Status = ConnectedAccount.Status


class OfAccounts(Lever):
    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        return list(queryset.select_related("workspace"))

    def why_not(self, row: ConnectedAccount) -> str:
        return _("it is disconnected") if row.status == Status.DISCONNECTED else ""

    def name_of(self, row: ConnectedAccount) -> str:
        return f"{row.handle} · {platform_label(row.platform)}"


class Verify(OfAccounts):
    name = "verify_now"
    label = gettext_lazy("Verify access now")
    meaning = gettext_lazy(
        "Each network is asked for the profile and the permissions. A clear no takes the account out of use and tells its "
        "people; everything else changes nothing."
    )
    most = 20  # each waits for its network

    def act(self, request: HttpRequest, row: ConnectedAccount, fields: dict[str, Any]) -> str:
        try:
            verify(row)
        except PlatformError as error:
            return str(error.message)
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Verify %d account?", "Verify %d accounts?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d account works.", "%d accounts work.", number) % number


class AskToReconnect(OfAccounts):
    name = "ask_to_reconnect"
    label = gettext_lazy("Ask the owners to reconnect")
    meaning = gettext_lazy(
        "The account counts as expired from now on: what is scheduled waits until it is connected again, and its owners and "
        "admins are told once. For an access that is refused in ways that we do not see."
    )

    def why_not(self, row: ConnectedAccount) -> str:
        return _("its people are asked already") if row.needs_reconnect else super().why_not(row)

    def act(self, request: HttpRequest, row: ConnectedAccount, fields: dict[str, Any]) -> str:
        with speaking_to(row.workspace):  # it stays on their pages
            lost(row, ReconnectError(_("Whoever runs this server asks you to connect this account again.")))
        return "" if row.needs_reconnect else _("it was connected anew, or disconnected, meanwhile")

    def asks(self, number: int) -> str:
        return (
            ngettext("Ask for %d account to be connected again?", "Ask for %d accounts to be connected again?", number)
            % number
        )

    def did(self, number: int) -> str:
        return ngettext("The people of %d account are asked.", "The people of %d accounts are asked.", number) % number


class StaffPauseForm(PauseForm):
    """By nobody: members see that staff did it, not who."""

    def __init__(self, data: Any = None) -> None:
        zone: Any = timezone.get_current_timezone()
        super().__init__(data, zone=zone)

    def clean(self) -> None:
        super().clean()
        if not self.errors:
            self.cleaned_data["until"] = self.until


class Pause(Lever):
    """Accounts, or whole workspaces; those that are paused already keep their reason."""

    name = "pause"
    label = gettext_lazy("Pause publishing")
    meaning = gettext_lazy(
        "From now on nothing goes out, not even what a worker has just prepared. What is due waits, and goes out by its "
        "late policy when this is resumed. Members see the reason."
    )

    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        return list(queryset.select_related("workspace") if queryset.model is ConnectedAccount else queryset)

    def why_not(self, row: Any) -> str:
        return _("it is paused already") if row.paused_at else ""

    def form(self, data: Any = None, *, rows: Any = ()) -> forms.Form | None:
        return StaffPauseForm(data)

    def note(self, fields: dict[str, Any]) -> str:
        return " · ".join(str(fields[name]) for name in ("until", "reason") if fields.get(name))

    def act(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> str:
        with speaking_to(row if isinstance(row, Workspace) else row.workspace):
            reason = fields["reason"] or _("Paused by staff")
        pauses.pause(row, by=None, reason=reason, until=fields["until"])
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Pause %d account?", "Pause %d accounts?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d account is paused.", "%d accounts are paused.", number) % number


class Resume(Lever):
    name = "resume"
    label = gettext_lazy("Resume publishing")
    meaning = gettext_lazy("What waited goes out now, unless it is later than its post allows; that fails as missed.")

    def why_not(self, row: Any) -> str:
        return "" if row.paused_at else _("it is not paused")

    def act(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> str:
        pauses.resume(row)
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Resume %d account?", "Resume %d accounts?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d account is resumed.", "%d accounts are resumed.", number) % number


class Stop(Pause):
    name = "stop"
    label = gettext_lazy("Stop publishing")

    def asks(self, number: int) -> str:
        return ngettext("Stop %d workspace?", "Stop %d workspaces?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d workspace is stopped.", "%d workspaces are stopped.", number) % number


class ResumeWorkspaces(Resume):
    def why_not(self, row: Workspace) -> str:
        return _("it is being deleted") if row.deleting_at else super().why_not(row)

    def asks(self, number: int) -> str:
        return ngettext("Resume %d workspace?", "Resume %d workspaces?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d workspace is resumed.", "%d workspaces are resumed.", number) % number


class Disconnect(OfAccounts):
    name = "disconnect"
    label = gettext_lazy("Disconnect (deletes the tokens)")
    meaning = gettext_lazy(
        "The tokens are deleted and withdrawn at the network. Posts and figures stay. What is scheduled waits; only its "
        "owner can connect the account again."
    )
    is_grave = True
    most = 20

    def act(self, request: HttpRequest, row: ConnectedAccount, fields: dict[str, Any]) -> str:
        connect.disconnect(row)
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Disconnect %d account?", "Disconnect %d accounts?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d account is disconnected.", "%d accounts are disconnected.", number) % number


class Resolve(Lever):
    """For notifications and for notices of the server."""

    name = "resolve"
    label = gettext_lazy("Mark as resolved")
    meaning = gettext_lazy("The same trouble, when it comes again, is told anew.")

    def why_not(self, row: Any) -> str:
        return _("it is resolved already") if row.resolved_at else ""

    def act(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> str:
        open_row = type(row)._default_manager.filter(pk=row.pk, resolved_at=None)
        return "" if open_row.update(resolved_at=timezone.now()) else _("it is resolved already")

    def asks(self, number: int) -> str:
        return ngettext("Mark %d as resolved?", "Mark %d as resolved?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d resolved.", "%d resolved.", number) % number
