"""Several calls in one request: each part is a call of its own, with its own token, proof and refusal."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .call import Call
from .dispatch import reply_to
from .errors import GraphError, invalid
from .versions import SHAPE, served_version

MOST_PARTS = 50
INHERITED = ("access_token", "appsecret_proof")


def answer_batch(call: Call) -> list[dict[str, Any]]:
    """The answers in the order of the parts. Each counts as one call."""
    parts = call.json("batch", list)
    if len(parts) > MOST_PARTS:
        raise invalid(f"Too many requests in batch message. Maximum batch size is {MOST_PARTS}")
    with_headers = call.flag("include_headers", default=True)
    return [answer_part(call, part, with_headers) for part in parts]


def answer_part(call: Call, part: Any, with_headers: bool) -> dict[str, Any]:
    try:
        reply = reply_to(part_call(call, part))
        status, body, headers = reply.status, reply.body, reply.headers
    except GraphError as error:
        status, body, headers = error.status, error.envelope(), {}
    answer: dict[str, Any] = {"code": status}
    if with_headers:
        answer["headers"] = [{"name": name, "value": value} for name, value in headers.items()]
    answer["body"] = json.dumps(body)
    return answer


def part_call(call: Call, part: Any) -> Call:
    if not isinstance(part, dict) or not isinstance(part.get("relative_url"), str):
        raise invalid("Each part of a batch needs a method and a relative_url")
    address = urlsplit(part["relative_url"])
    params = dict(parse_qsl(address.query, keep_blank_values=True))
    params.update(parse_qsl(str(part.get("body") or ""), keep_blank_values=True))
    if "access_token" not in params:
        params.update({name: call.params[name] for name in INHERITED if name in call.params})
    path = [unquote(segment) for segment in address.path.strip("/").split("/")]
    version = call.version
    if SHAPE.fullmatch(path[0]):
        version = served_version(path[0], call.now, address.path)
        path = path[1:]
    if not path or not path[0]:
        raise invalid("Each part of a batch needs a path")
    method = str(part.get("method", "GET")).upper()
    return Call(call.state, method, version, path, params, call.base_url, call.now, bearer=call.bearer)
