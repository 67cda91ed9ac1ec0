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
from accounts.models import ConnectedAccount
from accounts.views.social import back_with_error, find_account, guidance_context, page_context
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
        return render_guidance(request, account, error=error)
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
    account.refresh_from_db()
    return render_guidance(request, account, checked_at=timezone.now())


def render_guidance(request: HttpRequest, page: ConnectedAccount, **extra: Any) -> HttpResponse:
    return render(request, "accounts/_guidance.html", {**guidance_context(page), **extra})


@require_GET
@manager_required
def guidance(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """Why a Page brought no Instagram account, and what to do: into the dialog, or as a page of its own."""
    page = find_account(request, account_id, login_kind="meta")
    if request.htmx:
        return render_guidance(request, page)
    return render(request, "accounts/guidance.html", {**guidance_context(page), "in_dialog": False})
