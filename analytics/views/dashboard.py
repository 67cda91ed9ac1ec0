"""The first page: what needs attention, how the accounts do, what went out and what comes next."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Workspace
from analytics import reports
from publishing.models import ImageSet, Post
from socialhub.http import HttpRequest


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """The whole page, or as a fragment the recent posts after `?before=`."""
    recent = reports.recent_posts(request.workspace, before=request.GET.get("before", ""))
    if request.htmx:
        return render(request, "analytics/_dashboard_recent.html", {"recent": recent})
    cards = reports.account_cards(request.workspace)
    upcoming = reports.scheduled_next(request.workspace)
    context = {
        "attention": reports.attention(request.workspace),
        "cards": cards,
        "summary": reports.last_30_days(request.workspace),
        "recent": recent,
        "upcoming": upcoming,
        "first_step": first_step(request.workspace, has_accounts=bool(cards), has_posts=bool(recent.rows or upcoming)),
    }
    return render(request, "analytics/dashboard.html", context)


def first_step(workspace: Workspace, *, has_accounts: bool, has_posts: bool) -> str:
    """What a newcomer does next: connect, images, post; "" for everybody who has been through it."""
    if not has_accounts:
        return "connect"
    if has_posts or Post.objects.of(workspace).exists():
        return ""
    return "post" if ImageSet.objects.filter(workspace=workspace).exists() else "images"
