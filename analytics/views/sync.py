"""Sync now: a person asks for the newest figures of one account."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import editor_required
from accounts.models import ConnectedAccount
from analytics.tasks import ask_for_sync
from socialhub.http import HttpRequest


@require_POST
@editor_required
def account_sync(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Hands the reading to a worker; back to where the button was pressed (`next`), else to the accounts."""
    account = get_object_or_404(ConnectedAccount.objects.of(request.workspace).listed(), pk=account_id)
    if not account.is_connected:
        messages.error(
            request,
            _("“%(name)s” cannot be read at the moment. Reconnect it first.") % {"name": account.name},
        )
    elif ask_for_sync(account.pk):
        messages.success(
            request, _("Reading the newest figures of “%(name)s”. They appear here shortly.") % {"name": account.name}
        )
    else:
        messages.error(
            request,
            _("The sync could not be started, because the background service does not answer. Try again shortly."),
        )
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    address = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if is_ours and address.startswith("/") else reverse("accounts:social")
