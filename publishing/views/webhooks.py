"""Settings → Webhooks: which programs are told what happens, and how every telling went."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import manager_required
from publishing.forms.webhooks import DeliveriesFilter, ResumeForm, WebhookForm
from publishing.models import WebhookDelivery, WebhookEndpoint
from publishing.webhooks import ends
from publishing.webhooks.wake import wake_sender
from socialhub.http import HttpRequest

PER_PAGE = 25
SHOWN = "webhook_secret"  # in the session: whose secret the next page shows, once


def find(request: HttpRequest, endpoint_id: UUID) -> WebhookEndpoint:
    return get_object_or_404(
        WebhookEndpoint.objects.filter(workspace=request.workspace).select_related("created_by", "workspace"),
        pk=endpoint_id,
    )


def show_secret(request: HttpRequest, endpoint: WebhookEndpoint) -> None:
    """On the page that follows. The session holds only whose it is."""
    request.session[SHOWN] = str(endpoint.pk)


@manager_required
@require_http_methods(["GET", "HEAD", "POST"])
def webhooks(request: HttpRequest) -> HttpResponse:
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            endpoint = ends.add(request.workspace, **form.cleaned_data, by=request.user)
        except ends.Refused as refused:
            form.add_error(None, str(refused))
        else:
            show_secret(request, endpoint)
            messages.success(request, _("The webhook is there. Keep its secret now: it is shown this once."))
            return redirect("publishing:webhook", endpoint.pk)
    endpoints = WebhookEndpoint.objects.filter(workspace=request.workspace).defer("secret", "previous_secret")
    context = {"form": form, "endpoints": endpoints, "most": ends.MOST_ENDPOINTS}
    return render(request, "publishing/webhooks.html", context, status=422 if form.is_bound else 200)


@never_cache
@manager_required
@require_http_methods(["GET", "HEAD", "POST"])
def webhook(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """One of them with its log; by POST it is changed."""
    endpoint = find(request, endpoint_id)
    form = WebhookForm(request.POST if request.method == "POST" else None, endpoint=endpoint)
    if form.is_valid():
        ends.change(endpoint, **form.cleaned_data)
        messages.success(request, _("The webhook is saved."))
        return redirect("publishing:webhook", endpoint.pk)
    context = log_of(request, endpoint)
    if request.htmx and request.method == "GET":
        return render(request, "publishing/_webhook_log.html", context)
    context |= {"form": form, "secret": ""}
    if request.method == "GET" and request.session.get(SHOWN) == str(endpoint.pk):
        del request.session[SHOWN]
        context["secret"] = endpoint.secret.reveal()
    now = timezone.now()
    context["rolled_until"] = endpoint.previous_until if (endpoint.previous_until or now) > now else None
    return render(request, "publishing/webhook.html", context, status=422 if form.is_bound else 200)


def log_of(request: HttpRequest, endpoint: WebhookEndpoint) -> dict[str, Any]:
    form = DeliveriesFilter(request.GET)
    found = list(form.narrowed(endpoint.deliveries.defer("payload", "tries"))[: PER_PAGE + 1])
    deliveries = found[:PER_PAGE]
    next_query = ""
    if found[PER_PAGE:]:
        query = request.GET.copy()
        query["after"] = f"{deliveries[-1].created_at.isoformat()}_{deliveries[-1].pk}"
        next_query = query.urlencode()
    return {
        "endpoint": endpoint,
        "filter": form,
        "filtered": any(request.GET.get(name) for name in ("status", "kind", "after")),
        "deliveries": deliveries,
        "next_query": next_query,
        # Somebody who has just sent a test sees how it went.
        "is_moving": not endpoint.paused_at
        and any(row.attempts == 0 and row.lease_until is None for row in deliveries[:3]),
    }


@manager_required
@require_POST
def webhook_roll(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = find(request, endpoint_id)
    ends.roll(endpoint)
    show_secret(request, endpoint)
    messages.success(request, _("There is a new secret, shown this once. The old one signs beside it for 24 hours."))
    return redirect("publishing:webhook", endpoint.pk)


@manager_required
@require_POST
def webhook_test(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = find(request, endpoint_id)
    try:
        ends.send_test(endpoint, request.user)
    except ends.Refused as refused:
        messages.error(request, str(refused))
    else:
        wake_sender()
        messages.success(request, _("A test is on its way. The log below says how it went."))
    return redirect("publishing:webhook", endpoint.pk)


@manager_required
@require_POST
def webhook_pause(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = find(request, endpoint_id)
    ends.pause(endpoint)
    messages.success(request, _("Paused. What happens meanwhile is kept until you resume it."))
    return redirect("publishing:webhook", endpoint.pk)


@manager_required
@require_POST
def webhook_resume(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = find(request, endpoint_id)
    form = ResumeForm(request.POST)
    ends.resume(endpoint, with_missed=not form.is_valid() or form.cleaned_data["missed"] == "send")
    wake_sender()
    messages.success(request, _("It goes on."))
    return redirect("publishing:webhook", endpoint.pk)


@manager_required
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_delete(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = find(request, endpoint_id)
    if request.method == "POST":
        ends.delete(endpoint)
        messages.success(request, _("The webhook is deleted, and its log with it."))
        return redirect("publishing:webhooks")
    return render(request, "publishing/webhook_delete.html", {"endpoint": endpoint})


@manager_required
@require_GET
def webhook_delivery(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    delivery = find_delivery(request, delivery_id)
    replays = WebhookDelivery.objects.filter(replays=delivery).defer("payload", "tries").order_by("created_at")[:50]
    tries = [{**one, "at": datetime.fromisoformat(one["at"])} for one in reversed(delivery.tries)]
    context = {
        "delivery": delivery,
        "endpoint": delivery.endpoint,
        "tries": tries,
        "payload": json.dumps(delivery.payload, indent=2, ensure_ascii=False),
        "replays": replays,
    }
    return render(request, "publishing/webhook_delivery.html", context)


def find_delivery(request: HttpRequest, delivery_id: UUID) -> WebhookDelivery:
    deliveries = WebhookDelivery.objects.filter(endpoint__workspace=request.workspace).select_related(
        "endpoint__workspace"
    )
    return get_object_or_404(deliveries, pk=delivery_id)


@manager_required
@require_POST
def webhook_replay(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    delivery = find_delivery(request, delivery_id)
    try:
        again = ends.replay(delivery)
    except ends.Refused as refused:
        messages.error(request, str(refused))
        return redirect("publishing:webhook_delivery", delivery.pk)
    wake_sender()
    messages.success(request, _("It is sent again, with the same id."))
    return redirect("publishing:webhook_delivery", again.pk)
