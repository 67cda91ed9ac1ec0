"""Sync now: a person asks for the newest figures of one account, and sees how far that is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import editor_required
from accounts.models import ConnectedAccount
from analytics.reports.syncs import states_of
from analytics.tasks import ask_for_sync
from socialhub.guards import paced
from socialhub.http import HttpRequest

# How long to wait for the next look, by how many there were: quick at first, patient with what takes long.
PACE = ((30, 1), (90, 2), (200, 5))
SLOWEST = 15


@require_POST
@editor_required
@paced("sync")
def account_sync(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Hands the reading to a worker. With htmx it answers how it goes; else back to where the button was (`next`)."""
    account = account_of(request, account_id)
    if not account.is_connected:
        messages.error(
            request,
            _("“%(name)s” cannot be read at the moment. Reconnect it first.") % {"name": account.name},
        )
    elif not ask_for_sync(account.pk):
        messages.error(
            request,
            _("The background service does not answer. “%(name)s” is read as soon as it does.")
            % {"name": account.name},
        )
    elif not request.htmx:
        messages.success(
            request, _("Reading the newest figures of “%(name)s”. They appear here shortly.") % {"name": account.name}
        )
    return progress_page(request, account) if request.htmx else redirect(_back(request))


@require_GET
def account_sync_progress(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """How far the reading is; asks for itself again until it is over, which is then said aloud."""
    account = get_object_or_404(ConnectedAccount.objects.of(request.workspace), pk=account_id)
    if account.status == ConnectedAccount.Status.DISCONNECTED:
        return HttpResponse(status=204)  # meanwhile; the page that asks stays as it is and asks no more
    count = request.GET.get("n", "")
    looks = int(count) + 1 if count.isdecimal() and len(count) < 6 else 1
    return progress_page(request, account, looks=looks)


def account_of(request: HttpRequest, account_id: UUID) -> ConnectedAccount:
    return get_object_or_404(ConnectedAccount.objects.of(request.workspace).listed(), pk=account_id)


def progress_page(request: HttpRequest, account: ConnectedAccount, looks: int = 0) -> HttpResponse:
    sync = states_of([account])[account.pk]
    is_done = bool(looks) and not sync.moves
    if is_done and account.sync_error:
        messages.warning(request, _("Not everything of “%(name)s” could be read.") % {"name": account.name})
    elif is_done:
        messages.success(request, _("The figures of “%(name)s” are up to date.") % {"name": account.name})
    here = (request.htmx and request.htmx.current_url_abs_path) or reverse("accounts:social")
    is_shown_here = here.startswith(reverse("analytics:overview"))
    context: dict[str, Any] = {
        "account": account,
        "sync": sync,
        "looks": looks,
        "delay": next((seconds for most, seconds in PACE if looks < most), SLOWEST),
        "sync_is_done": is_done,
        "here": here,
        "figures_address": here if is_shown_here else reverse("analytics:account", args=[account.pk]),
    }
    return render(request, "analytics/_sync.html", context)


def _back(request: HttpRequest) -> str:
    address = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if is_ours and address.startswith("/") else reverse("accounts:social")
