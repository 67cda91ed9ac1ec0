"""The bell's page: what happened that a person must know."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.forms import NotificationsQuery, NotificationsReadForm
from accounts.models import Notification
from accounts.operators import open_notices
from socialhub.http import HttpRequest

PAGE_SIZE = 30


@require_GET
def notifications(request: HttpRequest) -> HttpResponse:
    """Newest first. `before`: go on where the last page ended; anything else in it is ignored."""
    query = NotificationsQuery(request.GET)
    rows = Notification.objects.filter(workspace=request.workspace).select_related("account")
    if query.is_valid() and query.cleaned_data["before"]:
        rows = rows.filter(created_at__lt=query.cleaned_data["before"])
    found = list(rows[: PAGE_SIZE + 1])
    return render(
        request,
        "accounts/notifications.html",
        {
            "notifications": found[:PAGE_SIZE],
            "operator_notices": open_notices() if request.user.is_staff else [],
            "more_before": found[PAGE_SIZE - 1].created_at if found[PAGE_SIZE:] else None,
        },
    )


@require_POST
def notifications_read(request: HttpRequest) -> HttpResponse:
    """Mark one as read, or all. Every member may: it says that somebody has seen it."""
    form = NotificationsReadForm(request.POST)
    rows = Notification.objects.filter(workspace=request.workspace)
    if not form.is_valid():
        return redirect("accounts:notifications")
    if chosen := form.cleaned_data["notification"]:
        rows = rows.filter(pk=get_object_or_404(rows, pk=chosen).pk)
    rows.filter(read_at=None).update(read_at=timezone.now())
    return redirect("accounts:notifications")
