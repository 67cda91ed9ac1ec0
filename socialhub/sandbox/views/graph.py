"""The doors of the Graph API: one request in, one envelope out."""

from __future__ import annotations

import json
import socket
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from ..faults import AnswerLostError
from ..graph import (
    accounts,
    comments,
    instagram,
    instagram_insights,
    instagram_media,
    page_insights,
    pages,
    posts,
    stories,
    videos,
)
from ..graph.batch import answer_batch
from ..graph.call import Call
from ..graph.dispatch import Reply, refusal, reply_to
from ..graph.errors import GraphError
from ..graph.rupload import receive
from ..graph.versions import SHAPE, VERSIONS, served_version
from ..world import start
from . import base_url
from .oauth import debug_token, exchange_token

__all__ = [
    "accounts",
    "comments",
    "instagram",
    "instagram_insights",
    "instagram_media",
    "page_insights",
    "pages",
    "posts",
    "stories",
    "videos",
]  # imported for the endpoints that they register


@csrf_exempt
def graph(request: HttpRequest, path: str, host: str = "facebook") -> HttpResponse:
    """Any address below /graph/, and below that of Instagram's own login."""
    try:
        call = call_of(request, path.strip("/"), host)
    except GraphError as error:
        return as_json(Reply(error.status, error.envelope()))
    try:
        reply = answer(call)
    except AnswerLostError:
        return hang_up(request)
    return as_json(reply)


def answer(call: Call) -> Reply:
    if call.is_instagram and call.path:
        return reply_to(call)
    try:
        if call.is_instagram:
            raise GraphError(100, "Unsupported request.", kind="IGApiException")
        if not call.path:
            if call.method == "POST" and "batch" in call.params:
                return Reply(200, answer_batch(call), {"facebook-api-version": call.version})
            raise GraphError(100, "Unsupported get request.", kind="GraphMethodException")
        if call.path == ["oauth", "access_token"]:
            return exchange_token(call)
        if call.path == ["debug_token"]:
            return debug_token(call)
    except GraphError as error:
        reply = refusal(call, error)
        reply.headers["facebook-api-version"] = call.version
        return reply
    return reply_to(call)


def call_of(request: HttpRequest, path: str, host: str) -> Call:
    """Raises GraphError for an absurd version. An unversioned call gets the oldest one."""
    state = start()
    now = state.now()
    parts = [part for part in path.split("/") if part]
    if parts and (SHAPE.fullmatch(parts[0]) or (parts[0][:1] == "v" and parts[0][1:2].isdigit())):
        version = served_version(parts[0], now, path)
        parts = parts[1:]
    else:
        version = served_version(next(iter(VERSIONS)), now, path)
    params = request.GET.dict()
    method = request.method or "GET"
    if method == "POST":
        params.update(body_of(request))
    elif method == "DELETE" and request.body:
        params.update(json_or_form(request))
    # The network takes ?method=delete on a POST for what it says.
    method = params.pop("method", method).upper() if method == "POST" else method
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return Call(
        state,
        method,
        version,
        parts,
        params,
        base_url(request),
        now,
        files=request.FILES if request.method == "POST" else {},
        bearer=bearer.strip() if scheme.lower() in ("bearer", "oauth") else "",
        host=host,
    )


def body_of(request: HttpRequest) -> dict[str, str]:
    if request.content_type == "application/json":
        return json_or_form(request)
    return request.POST.dict()


def json_or_form(request: HttpRequest) -> dict[str, str]:
    try:
        values = json.loads(request.body)
    except ValueError:
        values = {}
    if not isinstance(values, dict):
        return {}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def as_json(reply: Reply) -> HttpResponse:
    response = HttpResponse(
        json.dumps(reply.body),
        status=reply.status,
        content_type="application/json; charset=UTF-8",
        headers=reply.headers,
    )
    response.headers["Cache-Control"] = "private, no-cache, no-store, must-revalidate"
    response.headers["Content-Length"] = str(len(response.content))
    return response


def hang_up(request: HttpRequest) -> HttpResponse:
    """Close the connection as it is: the caller sees it break off without a byte of an answer."""
    connection: Any = request.META.get("gunicorn.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
    response = HttpResponse(status=502)
    response.headers["Connection"] = "close"
    return response


@csrf_exempt
def rupload(request: HttpRequest, path: str) -> HttpResponse:
    """Any address of the host of binary uploads."""
    try:
        return as_json(receive(request, path, base_url(request)))
    except AnswerLostError:
        return hang_up(request)
