"""A small API on the ground of the real one, so that the ground is tested whatever stands on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from django.utils import timezone
from ninja import Query
from ninja.responses import Status

from accounts.api.base import (
    ApiRequest,
    CursorText,
    Input,
    Limit,
    Model,
    Moment,
    check_match,
    idempotent,
    invalid,
    manages,
    paged,
    publishes,
    reads,
    router,
    tagged,
    writes,
)
from accounts.models import IdempotentAnswer
from publishing.models import Post
from publishing.states import LostRace
from socialhub.api import addresses, assemble

ground = router("Ground")


class Asked(Input):
    some_text: str
    due_at: Moment | None = None


class Told(Model):
    some_text: str
    language: str = ""
    key: UUID | None = None
    due_at: Moment | None = None


class Posts(Model):
    ids: list[UUID]
    next_cursor: str | None


class Listing(Input):
    limit: Limit = 50
    cursor: CursorText = ""


@ground.get("read", auth=reads, response=Told)
def read(request: ApiRequest) -> Told:
    return Told(some_text=str(request.workspace.pk), language=str(request.LANGUAGE_CODE))


@ground.get("tagged", auth=reads, response=Told)
def tag(request: ApiRequest, response: HttpResponse) -> Model | HttpResponseBase:
    return tagged(request, response, Told(some_text="as it is"))


@ground.patch("tagged", auth=writes, response=Told)
def change(request: ApiRequest, asked: Asked) -> Told:
    check_match(request, lambda: Told(some_text="as it is"))
    return Told(some_text=asked.some_text)


made: list[str] = []


@ground.post("write", auth=writes, response={201: Told})
@idempotent
def write(request: ApiRequest, asked: Asked) -> Status[Told]:
    match asked.some_text:
        case "refuse":
            raise invalid({"someText": ["Not this."]})
        case "race":
            raise LostRace("somebody was first")
        case "forbid":
            raise PermissionDenied("Not you.")
        case "break":
            raise RuntimeError("a fault of ours")
        case "overtaken":
            IdempotentAnswer.objects.update(lease_until=timezone.now() + timedelta(seconds=90))
    made.append(asked.some_text)
    return Status(201, Told(some_text=asked.some_text, key=request.submission_key, due_at=asked.due_at))


@ground.post("publish", auth=publishes, response=Told)
def publish(request: ApiRequest) -> Told:
    return Told(some_text="published")


@ground.post("manage", auth=manages, response=Told)
def manage(request: ApiRequest) -> Told:
    return Told(some_text="managed")


@ground.get("posts", auth=reads, response=Posts)
def posts(request: ApiRequest, asked: Annotated[Listing, Query()]) -> Posts:
    rows, cursor = paged(Post.objects.of(request.workspace), asked.cursor, asked.limit)
    return Posts(ids=[row.pk for row in rows], next_cursor=cursor)


api = assemble(ground)
urlpatterns = [path("api/social/", addresses(api))]
handler400 = "socialhub.api.bad_request"
handler500 = "socialhub.api.server_error"
