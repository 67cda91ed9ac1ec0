"""The pages of figures of accounts: all beside each other, and one in full."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.models import ConnectedAccount
from analytics import cached
from analytics.filters import span_of
from analytics.reports.accounts import OVERVIEW_PERIODS, account_page
from analytics.reports.accounts import overview as overview_of
from analytics.reports.hours import best_hours
from analytics.reports.periods import PERIODS, USUAL, Period, Span, period_of
from analytics.reports.posts import best_and_worst
from socialhub.http import HttpRequest
from socialhub.platforms.measures import MEASURES


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """?period= of days, ?measure= for the chart; what is neither is the usual."""
    asked = period_of(request.GET.get("period", ""))
    period = asked if asked in OVERVIEW_PERIODS else USUAL
    asked_measure = request.GET.get("measure", "")
    workspace, measure = request.workspace, asked_measure if asked_measure in MEASURES else ""
    span = posts_span(period)
    return render(
        request,
        "analytics/overview.html",
        {
            "found": cached.figures(
                workspace, f"overview {period.key} {measure}", lambda: overview_of(workspace, period, measure)
            ),
            "periods": OVERVIEW_PERIODS,
            "ranking": cached.figures(workspace, f"ranking {period.key}", lambda: best_and_worst(workspace, span=span)),
            "hours": cached.figures(workspace, "hours", lambda: best_hours(workspace)),
        },
    )


@require_safe
def account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """?period= one of all, ?measure= what the large chart shows."""
    one = get_object_or_404(
        ConnectedAccount.objects.of(request.workspace).listed().select_related("sync").defer("offers"), pk=account_id
    )
    found = account_page(one, period_of(request.GET.get("period", "")), request.GET.get("measure", ""))
    workspace, span = request.workspace, posts_span(found.period)
    name = f"{one.pk} {found.period.key}"
    return render(
        request,
        "analytics/account.html",
        {
            "found": found,
            "account": one,
            "periods": PERIODS,
            "ranking": cached.figures(workspace, f"ranking {name}", lambda: best_and_worst(workspace, one, span)),
            "hours": cached.figures(workspace, f"hours {one.pk}", lambda: best_hours(workspace, one)),
        },
    )


def posts_span(period: Period) -> Span:
    """Within hours nobody posts enough to compare, so then it is the usual span."""
    return span_of(USUAL if period.is_hourly else period)
