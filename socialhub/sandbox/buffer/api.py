"""The door of Buffer's API: token, quota and faults, then the document is validated and executed."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    parse,
    validate,
)
from graphql.utilities import get_operation_ast

from ..faults import AnswerLostError, strike, take
from ..state import Fault, State
from ..views import base_url
from ..views.graph import hang_up
from ..world import start
from .quota import WINDOWS, Quota
from .resolvers import MUTATIONS, QUERIES, Context, coded
from .rows import Token
from .schema import MOST_TOKENS, SCHEMA, check_limits


class HTTPRefusalError(Exception):
    """One of the few errors that show in the status."""

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None, **more: str
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body = {"errors": [{"message": message, "extensions": {"code": code, **more}}]}


@dataclass
class Asked:
    """A GraphQL request: a document, and the operation in it that shall run."""

    document: DocumentNode
    operation: OperationDefinitionNode
    variables: dict[str, Any]
    name: str | None

    @property
    def method(self) -> str:
        return "GET" if self.operation.operation is OperationType.QUERY else "POST"

    @property
    def field(self) -> str:
        """Its first field, by which faults and counts know it."""
        fields = [one for one in self.operation.selection_set.selections if isinstance(one, FieldNode)]
        return fields[0].name.value if fields else ""

    @property
    def account(self) -> str:
        """The channel it concerns."""
        values = self.variables.get("input")
        if isinstance(values, dict):
            wanted = values.get("filter")
            ids = wanted.get("channelIds") if isinstance(wanted, dict) else None
            return str(values.get("channelId") or (ids[0] if ids else ""))
        return ""


@csrf_exempt
def api(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return JsonResponse({"errors": [{"message": "POST a GraphQL document."}]}, status=405)
    state = start()
    if state.latency_seconds:
        time.sleep(state.latency_seconds)
    asked: Asked | None = None
    headers: dict[str, str] = {}
    try:
        token = token_of(request, state)
        headers = spend(state, token)
        asked = read(request)
        struck = take(state, asked.method, f"buffer.{asked.field}", asked.account)
        strike(struck, before=refusals)
        body = run(asked, Context(state, token, base_url(request), struck))
        strike(struck, after=refusals)
        status = 200
    except HTTPRefusalError as error:
        body, status = error.body, error.status
        headers = {**headers, **error.headers}
    except GraphQLError as error:
        body, status = {"data": None, "errors": [error.formatted]}, 200
    except AnswerLostError:
        remember(state, asked, 0, {})
        return hang_up(request)
    remember(state, asked, status, body)
    response = HttpResponse(
        json.dumps(body), status=status, content_type="application/json; charset=utf-8", headers=headers
    )
    response.headers["Content-Length"] = str(len(response.content))
    return response


def token_of(request: HttpRequest, state: State) -> Token:
    """Raises HTTPRefusalError."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    token = state.buffer_tokens.get(value.strip()) if scheme.lower() == "bearer" else None
    if token is None or token.kind == "refresh" or not token.usable_at(state.now()):
        raise unauthenticated()
    return token


def unauthenticated() -> HTTPRefusalError:
    return HTTPRefusalError(401, "UNAUTHENTICATED", "Not authenticated")


def spend(state: State, token: Token) -> dict[str, str]:
    """Count the call; answers the headers. Raises HTTPRefusalError."""
    with state.lock:
        quota = Quota(state, token)
        window = quota.exhausted()
        if window is not None:
            raise rate_limited(WINDOWS[window], quota.resets_in(window), quota.headers())
        quota.use()
        return quota.headers()


def rate_limited(window: str, seconds: int, headers: dict[str, str] | None = None) -> HTTPRefusalError:
    return HTTPRefusalError(
        429,
        "RATE_LIMIT_EXCEEDED",
        "Too many requests from this client. Please try again later.",
        {**(headers or {}), "Retry-After": str(seconds)},
        window=window,
    )


def read(request: HttpRequest) -> Asked:
    """The document, validated against the schema and the limits. Raises GraphQLError, HTTPRefusalError."""
    try:
        values = json.loads(request.body)
        source, variables = values["query"], values.get("variables") or {}
        name = values.get("operationName")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise HTTPRefusalError(400, "BAD_REQUEST", "The body must be JSON with a query.") from None
    if not isinstance(source, str) or not isinstance(variables, dict):
        raise HTTPRefusalError(400, "BAD_REQUEST", "The body must be JSON with a query.")
    document = parse(source, max_tokens=MOST_TOKENS)
    check_limits(document)
    if errors := validate(SCHEMA, document):
        raise errors[0]
    operation = get_operation_ast(document, name)
    if operation is None:
        raise GraphQLError("Unknown operation, or several and no operationName.")
    return Asked(document, operation, variables, name)


def run(asked: Asked, context: Context) -> dict[str, Any]:
    result = execute_sync(
        SCHEMA,
        asked.document,
        root_value={**QUERIES, **MUTATIONS},
        context_value=context,
        variable_values=asked.variables,
        operation_name=asked.name,
    )
    return dict(result.formatted)


def refusals(fault: Fault) -> Exception | None:
    """What a fault looks like here."""
    if fault.kind in ("error_before", "error_after"):
        return coded("UNEXPECTED", "Something went wrong on our side.")
    if fault.kind == "rate_limited":
        return rate_limited("15m", fault.minutes * 60)
    if fault.kind in ("token_revoked", "token_expired"):
        return unauthenticated()
    if fault.kind == "permission_lost":
        return coded("FORBIDDEN", "You may not do this.")
    return None


def remember(state: State, asked: Asked | None, status: int, body: dict[str, Any]) -> None:
    """Keep count for tests that ask which calls were made. Status 0: no answer."""
    errors = body.get("errors") or [{}]
    edge = f"buffer.{asked.field}" if asked else "buffer.refused"
    with state.lock:
        state.calls[f"POST {edge}"] += 1
        state.log.append(
            {
                "at": state.now(),
                "method": "POST",
                "path": "buffer",
                "edge": edge,
                "account": asked.account if asked else "",
                "status": status,
                "code": (errors[0].get("extensions") or {}).get("code"),
                "subcode": None,
                "params": asked.variables if asked else {},
            }
        )
