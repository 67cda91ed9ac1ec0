"""Operations on webhooks: who is told what happens, how each telling went, and sending it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from ninja import Query
from ninja.responses import Status as Answer
from pydantic import Field, WithJsonSchema

from accounts.api.base import (
    ApiError,
    ApiRequest,
    CursorText,
    Input,
    Limit,
    Model,
    Moment,
    Permit,
    Scope,
    idempotent,
    invalid,
    manages,
    paged,
    refuse_unknown,
    router,
)
from publishing.forms.webhooks import WebhookForm
from publishing.models import WebhookDelivery, WebhookEndpoint
from publishing.webhooks import ends
from publishing.webhooks.payloads import KINDS
from publishing.webhooks.wake import wake_sender

webhooks = router("Webhooks")
looks = Permit(Scope.READ, manages=True)

Kind = Annotated[str, WithJsonSchema({"type": "string", "enum": list(KINDS)})]  # the form of the page judges it


# --- Shapes ---------------------------------------------------------------------------------------------------


class WebhookInput(Input):
    url: Annotated[str, Field(max_length=2000, description="An https address; messages are sent to it by POST.")]
    description: Annotated[str, Field(max_length=100)] = ""
    kinds: Annotated[list[Kind], Field(max_length=len(KINDS))] = Field(
        default_factory=list, description="None: everything, also what comes later."
    )


class WebhookChange(Input):
    url: Annotated[str, Field(max_length=2000)] | None = None
    description: Annotated[str, Field(max_length=100)] | None = None
    kinds: Annotated[list[Kind], Field(max_length=len(KINDS))] | None = None


class ResumeInput(Input):
    missed: Literal["send", "skip"] = Field("send", description="What waited, and what happened during the pause.")


class WebhookOut(Model):
    id: UUID
    url: str
    description: str
    kinds: list[str] = Field(description="Empty: everything.")
    created_at: Moment
    paused_at: Moment | None
    pause_reason: str
    failing_since: Moment | None = Field(description="Since when it takes no message.")


class WebhookWithSecret(WebhookOut):
    secret: str = Field(description="Proves messages. It is shown this once.")


class WebhookList(Model):
    webhooks: list[WebhookOut]


class DeliveryFilter(Model):
    status: WebhookDelivery.Status | None = None
    kind: Annotated[str, Field(max_length=40)] = ""
    cursor: CursorText = ""
    limit: Limit = 50


class Try(Model):
    at: Moment
    status: int | None = Field(description="Null: nobody answered.")
    ms: int
    error: str
    detail: str = Field(default="", description="In the words of the machine, for whoever mends it.")


class DeliveryOut(Model):
    id: UUID
    webhook_id: UUID
    kind: str
    status: WebhookDelivery.Status
    attempts: int
    response_status: int | None
    error: str
    replays: UUID | None = Field(description="The delivery that this one repeats.")
    created_at: Moment
    finished_at: Moment | None


class WholeDelivery(DeliveryOut):
    payload: dict[str, Any] = Field(description="What is sent, as JSON.")
    response_excerpt: str
    tries: list[Try]


class DeliveryList(Model):
    deliveries: list[DeliveryOut]
    next_cursor: str | None


# --- Who is told ----------------------------------------------------------------------------------------------


@webhooks.get("webhooks", auth=looks, response=WebhookList)
def list_webhooks(request: ApiRequest) -> WebhookList:
    """All of the workspace, the oldest first. Secrets are not shown."""
    return WebhookList(webhooks=[webhook_out(row) for row in rows_of(request).order_by("created_at", "pk")])


@webhooks.post("webhooks", auth=manages, response={201: WebhookWithSecret})
def create_webhook(request: ApiRequest, wanted: WebhookInput) -> Answer[WebhookWithSecret]:
    """It is told what happens from now on. The answer holds its secret, and no other does."""
    try:
        endpoint = ends.add(request.workspace, **judged(wanted.model_dump()), by=request.user)
    except ends.Refused as refused:
        raise ApiError(409, refused.code, str(refused)) from refused
    return Answer(201, with_secret(endpoint))


@webhooks.get("webhooks/{uuid:webhook_id}", auth=looks, response=WebhookOut)
def read_webhook(request: ApiRequest, webhook_id: UUID) -> WebhookOut:
    """One of them."""
    return webhook_out(find(request, webhook_id))


@webhooks.patch("webhooks/{uuid:webhook_id}", auth=manages, response=WebhookOut)
def change_webhook(request: ApiRequest, webhook_id: UUID, wanted: WebhookChange) -> WebhookOut:
    """What is left out stays. What waits goes to the new address."""
    endpoint = find(request, webhook_id)
    now = {"url": endpoint.url, "description": endpoint.description, "kinds": endpoint.kinds}
    ends.change(endpoint, **judged(now | wanted.model_dump(exclude_none=True)))
    return webhook_out(find(request, webhook_id))


@webhooks.delete("webhooks/{uuid:webhook_id}", auth=manages, response={204: None})
def delete_webhook(request: ApiRequest, webhook_id: UUID) -> Answer[None]:
    """Nothing is sent there any more; its log goes, too."""
    ends.delete(find(request, webhook_id))
    return Answer(204, None)


@webhooks.post("webhooks/{uuid:webhook_id}/secret", auth=manages, response=WebhookWithSecret)
def roll_webhook_secret(request: ApiRequest, webhook_id: UUID) -> WebhookWithSecret:
    """A new secret. The old one signs beside it for 24 hours."""
    endpoint = find(request, webhook_id)
    ends.roll(endpoint)
    return with_secret(endpoint)


@webhooks.post("webhooks/{uuid:webhook_id}/pause", auth=manages, response=WebhookOut)
def pause_webhook(request: ApiRequest, webhook_id: UUID) -> WebhookOut:
    """Nothing is sent. What happens meanwhile is kept until it is resumed."""
    ends.pause(find(request, webhook_id))
    return webhook_out(find(request, webhook_id))


@webhooks.post("webhooks/{uuid:webhook_id}/resume", auth=manages, response=WebhookOut)
def resume_webhook(request: ApiRequest, webhook_id: UUID, wanted: ResumeInput | None = None) -> WebhookOut:
    """Goes on with everything that was missed, or with what happens from now on."""
    missed = wanted.missed if wanted else "send"
    ends.resume(find(request, webhook_id), with_missed=missed == "send")
    wake_sender()
    return webhook_out(find(request, webhook_id))


@webhooks.post("webhooks/{uuid:webhook_id}/test", auth=manages, response={202: DeliveryOut})
@idempotent
def test_webhook(request: ApiRequest, webhook_id: UUID) -> Answer[DeliveryOut]:
    """Sends a message of the kind “test”. Its delivery tells how it went."""
    return Answer(202, by_hand(lambda: ends.send_test(find(request, webhook_id), request.user)))


# --- What was told --------------------------------------------------------------------------------------------


@webhooks.get("webhooks/{uuid:webhook_id}/deliveries", auth=looks, response=DeliveryList)
def list_deliveries(request: ApiRequest, webhook_id: UUID, asked: Annotated[DeliveryFilter, Query()]) -> DeliveryList:
    """The log of 30 days, the newest first."""
    refuse_unknown(request, DeliveryFilter)
    rows = find(request, webhook_id).deliveries.defer("payload", "tries", "response_excerpt")
    if asked.status:
        rows = rows.filter(status=asked.status)
    if asked.kind:
        rows = rows.filter(kind=asked.kind)
    found, cursor = paged(rows, asked.cursor, asked.limit)
    return DeliveryList(deliveries=[delivery_out(row) for row in found], next_cursor=cursor)


@webhooks.get("webhook-deliveries/{uuid:delivery_id}", auth=looks, response=WholeDelivery)
def read_delivery(request: ApiRequest, delivery_id: UUID) -> WholeDelivery:
    """One of them: its message and every try."""
    row = find_delivery(request, delivery_id)
    return WholeDelivery(
        **delivery_out(row).model_dump(), payload=row.payload, response_excerpt=row.response_excerpt, tries=row.tries
    )


@webhooks.post("webhook-deliveries/{uuid:delivery_id}/replay", auth=manages, response={202: DeliveryOut})
@idempotent
def replay_delivery(request: ApiRequest, delivery_id: UUID) -> Answer[DeliveryOut]:
    """Sends the same message again, with the same `webhook-id`."""
    return Answer(202, by_hand(lambda: ends.replay(find_delivery(request, delivery_id))))


# --- Rows -----------------------------------------------------------------------------------------------------


def rows_of(request: ApiRequest) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(workspace=request.workspace).select_related("workspace")


def find(request: ApiRequest, webhook_id: UUID) -> WebhookEndpoint:
    return get_object_or_404(rows_of(request), pk=webhook_id)


def find_delivery(request: ApiRequest, delivery_id: UUID) -> WebhookDelivery:
    deliveries = WebhookDelivery.objects.filter(endpoint__workspace=request.workspace)
    return get_object_or_404(deliveries.select_related("endpoint__workspace"), pk=delivery_id)


def judged(fields: dict[str, Any]) -> dict[str, Any]:
    """What the form of the page takes, as it takes it. Raises ApiError."""
    form = WebhookForm(fields)
    if not form.is_valid():
        raise invalid({name: [str(message) for message in messages] for name, messages in form.errors.items()})
    return form.cleaned_data


def by_hand(send: Callable[[], WebhookDelivery]) -> DeliveryOut:
    try:
        delivery = send()
    except ends.Refused as refused:
        raise ApiError(409, refused.code, str(refused)) from refused
    transaction.on_commit(wake_sender)
    return delivery_out(delivery)


def webhook_out(row: WebhookEndpoint) -> WebhookOut:
    return WebhookOut(**{name: getattr(row, name) for name in WebhookOut.model_fields})


def with_secret(row: WebhookEndpoint) -> WebhookWithSecret:
    row.refresh_from_db()
    return WebhookWithSecret(**webhook_out(row).model_dump(), secret=row.secret.reveal())


def delivery_out(row: WebhookDelivery) -> DeliveryOut:
    own = ("id", "kind", "status", "attempts", "response_status", "error", "created_at", "finished_at")
    fields = {name: getattr(row, name) for name in own}
    return DeliveryOut(**fields, webhook_id=row.endpoint_id, replays=row.replays_id)
