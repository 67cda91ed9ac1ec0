"""Webhooks for operators: which receivers do not answer, and how every telling went. Secrets are never shown."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from publishing.models import WebhookDelivery, WebhookEndpoint
from publishing.webhooks import ends
from publishing.webhooks.payloads import KINDS
from publishing.webhooks.wake import wake_sender
from socialhub.admin_actions import Lever
from socialhub.admin_books import Books, ChoiceFilter, as_json, at, badge, list_link, row_of, short
from socialhub.admin_panels import Panel
from socialhub.templatetags.ui import status_badge, when

Status = WebhookDelivery.Status


class Replay(Lever):
    name = "replay"
    label = _("Send again")
    meaning = _("The same messages are sent once more, with the same ids: a receiver that has them knows them.")

    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        return list(queryset.select_related("endpoint__workspace"))

    def why_not(self, row: WebhookDelivery) -> str:
        return _now("its webhook is paused") if row.endpoint.paused_at else ""

    def act(self, request: HttpRequest, row: WebhookDelivery, fields: dict[str, Any]) -> str:
        try:
            ends.replay(row)
        except ends.Refused as refused:
            return str(refused)
        wake_sender()
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Send %d message again?", "Send %d messages again?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d message is sent again.", "%d messages are sent again.", number) % number

    def name_of(self, row: Any) -> str:
        return f"{row.kind} · {short(str(row.endpoint), 40)}"


class Pause(Lever):
    name = "pause"
    label = _("Pause")
    meaning = _("Nothing is sent there. What happens meanwhile is kept until it is resumed.")

    def why_not(self, row: WebhookEndpoint) -> str:
        return _now("it is paused") if row.paused_at else ""

    def act(self, request: HttpRequest, row: WebhookEndpoint, fields: dict[str, Any]) -> str:
        ends.pause(row)
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Pause %d webhook?", "Pause %d webhooks?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d webhook is paused.", "%d webhooks are paused.", number) % number

    def name_of(self, row: Any) -> str:
        return short(str(row), 60)


class Resume(Pause):
    name = "resume"
    label = _("Resume")
    meaning = _("Everything that waited, and what happened during the pause, is sent.")

    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        return list(queryset.select_related("workspace"))

    def why_not(self, row: WebhookEndpoint) -> str:
        return "" if row.paused_at else _now("it is not paused")

    def act(self, request: HttpRequest, row: WebhookEndpoint, fields: dict[str, Any]) -> str:
        ends.resume(row, with_missed=True)
        wake_sender()
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Resume %d webhook?", "Resume %d webhooks?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d webhook goes on.", "%d webhooks go on.", number) % number


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("paused", _("Paused")), ("failing", _("Does not answer")), ("active", _("Active"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> QuerySet[WebhookEndpoint]:
        match self.value():
            case "paused":
                return queryset.filter(paused_at__isnull=False)
            case "failing":
                return queryset.filter(paused_at=None, failing_since__isnull=False)
            case "active":
                return queryset.filter(paused_at=None, failing_since=None)
        return queryset


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(Books):
    list_display = (
        *("name", row_of("workspace", _("workspace"), "accounts_workspace"), "state"),
        *(at("failing_since", _("fails since")), "waiting", at("created_at", _("added"))),
    )
    list_filter = (StateFilter,)
    list_select_related = ("workspace",)
    search_fields = ("url", "description", "workspace__name")
    search_help_text = _("Address, name, workspace, or an id")
    id_fields = ("pk", "workspace")
    ordering = ("-created_at",)
    fields = (
        *("workspace", "url", "description", "kinds", "created_by", "created_at", "failing_since", "resting_until"),
        *("paused_at", "pause_reason", "previous_until", "seen_event_id", "seen_until"),
    )
    actions = (Pause(), Resume())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("secret", "previous_secret")

    def complete(self, rows: Any) -> None:
        found = (
            WebhookDelivery.objects.filter(endpoint__in=[row.pk for row in rows], status=Status.WAITING)
            .values_list("endpoint")
            .annotate(Count("pk"))
            .order_by()
        )
        numbers = dict(found)
        for row in rows:
            row.number_waiting = numbers.get(row.pk, 0)

    @admin.display(description=_("webhook"))
    def name(self, row: WebhookEndpoint) -> str:
        return short(str(row), 60)

    @admin.display(description=_("state"))
    def state(self, row: WebhookEndpoint) -> SafeString:
        if row.paused_at:
            return status_badge("paused")
        return (
            status_badge("error", _now("Does not answer"))
            if row.failing_since
            else status_badge("connected", _now("Active"))
        )

    @admin.display(description=_("waiting"))
    def waiting(self, row: Any) -> SafeString | str:
        if not row.number_waiting:
            return "–"
        return list_link("publishing_webhookdelivery", row.number_waiting, status=Status.WAITING, q=row.pk)

    def panels(self, request: HttpRequest, row: WebhookEndpoint) -> list[Panel]:
        newest = row.deliveries.defer("payload", "tries").order_by("-created_at")[:10]
        return [
            Panel(
                _("Messages"),
                [
                    (
                        when(one.created_at),
                        one.kind,
                        status_badge(one.status),
                        one.attempts,
                        (one.error and _now(one.error)) or one.response_status or "–",
                    )
                    for one in newest
                ],
                (_("Time"), pgettext_lazy("of a webhook", "Message"), _("Status"), _("Tries"), _("Answer")),
                empty=_("Nothing was sent yet."),
                more=list_link("publishing_webhookdelivery", _("All messages"), q=row.pk),
            )
        ]


class DeliveryStatusFilter(ChoiceFilter):
    title = _("status")
    parameter_name = "status"
    path = "status"
    choices_of: ClassVar[dict[str, Any]] = dict(Status.choices)


class KindFilter(ChoiceFilter):
    title = _("message")
    parameter_name = "kind"
    path = "kind"
    choices_of: ClassVar[dict[str, Any]] = {kind: kind for kind in KINDS}


class LateFilter(admin.SimpleListFilter):
    title = _("due")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("now", _("Due, and not sent"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
        if self.value() == "now":
            return queryset.filter(Q(status=Status.WAITING), not_before__lte=timezone.now(), endpoint__paused_at=None)
        return queryset


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(Books):
    list_display = (
        *("kind", row_of("endpoint", _("webhook"), "publishing_webhookendpoint"), badge("status", _("status"))),
        *("attempts", "answer", at("not_before", _("due")), at("created_at", _("happened"))),
    )
    list_filter = (DeliveryStatusFilter, KindFilter, LateFilter)
    list_select_related = ("endpoint",)
    search_fields = ("endpoint__url", "endpoint__description", "error", "source__exact")
    search_help_text = _("Address or name of the webhook, error, or an id")
    id_fields = ("pk", "endpoint", "endpoint__workspace")
    ordering = ("-created_at", "-pk")
    fields = (
        *("endpoint", "kind", "source", "status", "attempts", "not_before", "lease_until", "response_status"),
        *("response_excerpt", "error", "replays", "created_at", "finished_at", "what_is_said"),
    )
    actions = (Replay(),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("endpoint__secret", "endpoint__previous_secret")

    @admin.display(description=_("answer"))
    def answer(self, row: WebhookDelivery) -> str:
        return short(row.error and _now(row.error)) or (f"HTTP {row.response_status}" if row.response_status else "–")

    @admin.display(description=_("what is said"))
    def what_is_said(self, row: WebhookDelivery) -> SafeString:
        return as_json(row.payload)

    def panels(self, request: HttpRequest, row: WebhookDelivery) -> list[Panel]:
        return [
            Panel(
                _("Tries"),
                [
                    (
                        format_html("<code>{}</code>", one["at"]),
                        (one["error"] and _now(one["error"])) or f"HTTP {one['status']}",
                        one["ms"],
                    )
                    for one in reversed(row.tries)
                ],
                (_("Time"), _("Answer"), _("Milliseconds")),
                empty=_("Not sent yet."),
            )
        ]
