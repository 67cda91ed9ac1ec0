"""The weekly report by e-mail: asking for it, and leaving it with or without signing in."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.models import Workspace
from analytics import weekly
from analytics.forms import WeeklyReportForm
from analytics.models import ReportSubscription
from socialhub.http import HttpRequest


@require_http_methods(["GET", "HEAD", "POST"])
def reports(request: HttpRequest) -> HttpResponse:
    """Everybody decides for themselves, and for each of their workspaces."""
    subscription = ReportSubscription.objects.filter(user=request.user, workspace=request.workspace).first()
    typed = request.POST if request.method == "POST" else None
    form = WeeklyReportForm(typed, initial={"wanted": subscription is not None})
    if form.is_valid():
        if form.cleaned_data["wanted"]:
            weekly.subscribe(request.user, request.workspace)
            messages.success(request, _("You get the report of this workspace every Monday."))
        else:
            weekly.unsubscribe(request.user, request.workspace)
            messages.success(request, _("You get no more reports of this workspace."))
        return redirect("analytics:reports")
    context = {
        "form": form,
        "subscription": subscription,
        "next_on": weekly.monday_of(timezone.now(), request.user.zone) + timedelta(days=7),
    }
    return render(request, "analytics/reports.html", context, status=422 if form.is_bound else 200)


@csrf_exempt  # mail programs press the button; the signature says whose mail it was
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reports_leave(request: HttpRequest, token: str) -> HttpResponse:
    """By POST the report is left. By GET it is asked, as mail programs open links to look at them."""
    named = weekly.subscription_of(token)
    if named is None:
        return render(request, "analytics/reports_leave.html", {"is_unknown": True}, status=404)
    user_id, workspace_id = named
    found = ReportSubscription.objects.filter(user=user_id, workspace=workspace_id)
    if request.method == "POST":
        found.delete()
    context = {
        "is_left": not found.exists(),
        "workspace": Workspace.objects.filter(pk=workspace_id).first(),
    }
    return render(request, "analytics/reports_leave.html", context)
