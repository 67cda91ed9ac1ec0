"""Accounts beside each other, and campaigns."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analytics.filters import CAMPAIGN_WORDS, CampaignFilter, ComparisonFilter
from analytics.reports import compare as reports
from analytics.reports.periods import USUAL
from analytics.reports.posts import average_note
from socialhub.http import HttpRequest


@require_safe
def accounts(request: HttpRequest) -> HttpResponse:
    form = ComparisonFilter(request.GET, workspace=request.workspace)
    if not form.is_valid():
        return render(request, "analytics/compare.html", {"form": form}, status=422)
    chosen, period = form.chosen_accounts, form.chosen_period or USUAL
    rows = reports.compared(chosen, period, form.span)
    context = {
        "form": form,
        "rows": rows,
        "reasons": reports.reasons(rows),
        "chart": reports.chart_of(chosen, form.drawn, period, form.span) if chosen else None,
        "formula_note": average_note(),
    }
    return render(request, "analytics/compare.html", context)


@require_safe
def campaigns(request: HttpRequest) -> HttpResponse:
    form = CampaignFilter(request.GET, workspace=request.workspace)
    if not form.is_valid():
        return render(request, "analytics/campaigns.html", {"form": form}, status=422)
    found = reports.campaigns(request.workspace, [one.pk for one in form.accounts], form.span, form.sort_key)
    bars = reports.bars_of(found, form.sort_key)
    context = {
        "form": form,
        "bars": bars,
        "drawn": CAMPAIGN_WORDS[bars.measure] if bars else "",
        "rows": found[: reports.CAMPAIGNS],
        "left_out": max(len(found) - reports.CAMPAIGNS, 0),
        "formula_note": average_note(),
    }
    return render(request, "analytics/campaigns.html", context)
