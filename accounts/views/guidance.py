"""Why a Page brought no Instagram account, what to do, and looking again."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts import connect, outcome
from accounts.access import manager_required
from accounts.guidance import Findings, ask_for, known_of
from accounts.models import ConnectedAccount
from accounts.views.social import back_with_error, find_account, page_context
from socialhub.http import HttpRequest
from socialhub.platforms.errors import PlatformError


@require_POST
@manager_required
def recheck(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """Run the connect again for one Page, in place: is an Instagram account linked by now?"""
    account = find_account(request, account_id, login_kind="meta")
    try:
        connected = connect.recheck(account, by=request.user)
    except PlatformError as error:
        if not request.htmx:
            return back_with_error(request, error, account.platform)
        return render_guidance(request, known_of(account), error=error)
    found = [row for row in connected if row.platform == "instagram"]
    if found or not request.htmx:
        if found:
            outcome.remember_connected(request, found)
        else:
            messages.info(request, connect.no_instagram(account.name))
        if not request.htmx:
            return redirect("accounts:social")
        response = render(request, "accounts/_social_accounts.html", page_context(request, outcome.take(request)))
        response["HX-Retarget"], response["HX-Reswap"] = "#social-accounts", "outerHTML"
        return response
    return render_guidance(request, known_of(reread(account)), checked_at=timezone.now())


def reread(account: ConnectedAccount) -> ConnectedAccount:
    """As the check has left it, with its consent."""
    return ConnectedAccount.objects.select_related("credential__grant").get(pk=account.pk)


def render_guidance(request: HttpRequest, findings: Findings, **extra: Any) -> HttpResponse:
    context = {"findings": findings, "page": findings.page, "in_dialog": True, **extra}
    return render(request, "accounts/_guidance.html", context)


@require_GET
@manager_required
def guidance(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """At once with what is known; what Facebook says now comes in after, see `guidance_live`."""
    page = find_account(request, account_id, login_kind="meta")
    if request.htmx:
        return render_guidance(request, known_of(page), look_now=True)
    context = {"findings": known_of(page), "page": page, "in_dialog": False, "look_now": True}
    return render(request, "accounts/guidance.html", context)


@require_GET
@manager_required
def guidance_live(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """The permissions as Facebook tells them at this moment."""
    page = find_account(request, account_id, login_kind="meta")
    return render(request, "accounts/_guidance_permissions.html", {"findings": ask_for(page), "page": page})
