"""The first page: what needs attention, how the accounts do, what went out and what comes next."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics import cached
from analytics.first_run import first_run
from analytics.reports import dashboard as reports
from analytics.reports.dashboard import AccountCard
from analytics.views.welcome import address_of, leads_here
from socialhub.http import HttpRequest


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """The whole page, or as a fragment the recent posts after `?before=`."""
    before = request.GET.get("before", "")
    if request.htmx:
        recent = reports.recent_posts(request.workspace, before=before)
        return render(request, "analytics/_dashboard_recent.html", {"recent": recent})
    run = first_run(request.workspace)
    if leads_here(request, run):
        return redirect("analytics:welcome")
    rows = cached.rows_of(request.workspace)
    recent = reports.recent_posts(request.workspace, before=before) if before else rows.recent
    upcoming = reports.scheduled_next(request.workspace)
    cards = reports.account_cards(request.workspace, rows.growths)
    context = {
        "attention": reports.attention(request.workspace),
        "drafts": reports.unfinished(request.workspace, request.user) if request.membership.may_edit else [],
        **by_what_they_tell(cards),
        "summary": rows.summary,
        "recent": recent,
        "upcoming": upcoming,
        "run": run,
        "go_on": address_of(run.current),
        "has_begun": run.step("post").is_done or bool(recent.rows or upcoming),
    }
    return render(request, "analytics/dashboard.html", context)


def by_what_they_tell(cards: list[AccountCard]) -> dict[str, Any]:
    """Accounts of networks that give no figures of accounts stand together, below the others."""
    telling = [card for card in cards if card.figures]
    silent = [card for card in cards if not card.figures]
    return {
        "telling": telling,
        "silent": silent,
        "silent_platforms": sorted({card.account.platform for card in silent}),
        "read_at": max((card.last_synced_at for card in cards if card.last_synced_at), default=None),
    }
