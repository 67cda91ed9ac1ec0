"""From an HTTP request to an endpoint and back: version, proof, token, faults, usage headers, envelope."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Any

from ..faults import AnswerLostError, rate_limited, strike_after, strike_before, take
from ..state import Container, Instagram, Media, Page, Person, Photo, Post, Video
from . import usage
from .call import ENDPOINTS, Call, Endpoint
from .errors import GraphError, invalid, missing

logger = logging.getLogger(__name__)

REMOVED = {
    "ids": "The ids parameter is no longer supported. Use a batch request, or an edge with field expansion.",
    "date_format": "The date_format parameter is no longer supported.",
    "metadata": "The metadata parameter is no longer supported.",
}


@dataclass
class Reply:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


def reply_to(call: Call) -> Reply:
    """Carry the call out. Raises AnswerLostError when the connection shall just be closed."""
    lost = False
    try:
        body, headers = run(call)
        reply = Reply(200, body, headers)
    except GraphError as error:
        reply = refusal(call, error)
    except AnswerLostError:
        reply, lost = Reply(200, None), True
    reply.headers["facebook-api-version"] = call.version
    remember(call, reply, lost)
    if lost:
        raise AnswerLostError
    return reply


def refusal(call: Call, error: GraphError) -> Reply:
    regain = int(error.headers.pop("regain_minutes", "0"))
    headers = dict(error.headers)
    if error.code in (4, 80001, 80002) and error.subcode is None:
        headers.update(usage.headers(call, 100, regain))
    return Reply(error.status, error.envelope(), headers)


def run(call: Call) -> tuple[Any, dict[str, str]]:
    if call.state.latency_seconds:
        time.sleep(call.state.latency_seconds)
    for name, message in REMOVED.items():
        if name in call.params:
            raise invalid(message)
    node, found = locate(call)
    percent = usage.count(call)
    if percent >= 100:
        raise rate_limited(call, 60)
    if found.declared:
        call.allow_only(found.declared)
    call.struck = struck = take(call.state, call.method, call.edge, call.account_id)
    strike_before(call, struck)
    if found.locked:
        with call.state.lock:
            body = found.answer(call, node)
    else:
        body = found.answer(call, node)
    strike_after(struck)
    return body, usage.headers(call, percent)


def locate(call: Call) -> tuple[Any, Endpoint]:
    """The object in the path and what answers the edge; says also which account the call concerns."""
    if len(call.path) > 2:
        raise GraphError(2500, f"Unknown path components: /{'/'.join(call.path[2:])}")
    token = call.token
    node = own_node(call) if call.path[0] == "me" else call.state.node(call.path[0])
    strange = call.is_instagram and not isinstance(node, Instagram | Container | Media)
    if node is None or strange or (isinstance(node, Person) and node.id != token.person_id):
        raise missing(call.path[0], call.method)
    set_account(call, node)
    found = ENDPOINTS.get((type(node), call.method, call.edge))
    if found is None:
        if call.edge == "node":
            raise missing(call.path[0], call.method)
        raise GraphError(2500, f"Unknown path components: /{call.edge}")
    return node, found


def own_node(call: Call) -> Any:
    """Who the token belongs to."""
    token = call.token
    if token.kind == "INSTAGRAM":
        return call.state.instagrams[token.instagram_id]
    return call.state.pages[token.page_id] if token.kind == "PAGE" else call.state.people[token.person_id]


def set_account(call: Call, node: Any) -> None:
    if isinstance(node, Page):
        call.concerns(node.id, "pages")
    elif isinstance(node, Post | Photo | Video):
        call.concerns(node.page_id, "pages")
    elif isinstance(node, Instagram):
        call.concerns(node.id, "instagram")
    elif isinstance(node, Container | Media):
        call.concerns(node.instagram_id, "instagram")


def remember(call: Call, reply: Reply, lost: bool) -> None:
    """Keep count for tests that ask which calls were made."""
    error = reply.body.get("error", {}) if isinstance(reply.body, dict) else {}
    with call.state.lock:
        call.state.calls[f"{call.method} {call.edge}"] += 1
        call.state.log.append(
            {
                "at": call.now,
                "method": call.method,
                "path": "/".join(call.path),
                "edge": call.edge,
                "account": call.account_id,
                "status": 0 if lost else reply.status,
                "code": error.get("code"),
                "subcode": error.get("error_subcode"),
                "params": {
                    name: value
                    for name, value in call.params.items()
                    if name not in ("access_token", "appsecret_proof")
                },
            }
        )
