"""A canned Graph API for the client tests: registers replies, and checks every name sent against Meta's own list."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import responses

BASE = "https://graph.facebook.com/v26.0"
TOKEN = "EAAtoken0123456789abcdefABCDEF"
SECRET = "app-secret-of-the-tests"

NAMES = json.loads((Path(__file__).parent.parent / "data" / "meta" / "meta-names.json").read_text())

# Hold for every edge: field expansion, paging, and the proof.
EVERYWHERE = {"fields", "limit", "since", "until", "after", "appsecret_proof"}
# In place of a declared field list: edges and computed fields that may be expanded on a node.
EDGES = {
    "PagePost": {"attachments", "comments", "insights", "reactions"},
    "Page": {"insights", "instagram_business_account", "picture", "tasks"},
    "IGMedia": {"children", "insights"},
    "IGUser": {"insights", "media", "stories"},
    "User": set(),
}


def declared(node: str, method: str, edge: str) -> set[str]:
    return set(NAMES["params"][f"{node} {method} {edge}"]) | EVERYWHERE


def top_fields(fields: str) -> set[str]:
    """The names at the top of a field expansion: "id,picture{url},comments.limit(0)" gives id, picture, comments."""
    flat, depth = "", 0
    for character in fields:
        depth += character in "{("
        if not depth:
            flat += character
        depth -= character in "})"
    return {re.split(r"\.", name)[0] for name in flat.split(",") if name}


def sent(call: responses.Call) -> dict[str, str]:
    """The parameters of a recorded request, wherever they stood; of a multipart body only the plain fields."""
    request = call.request
    found = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
    body = request.body or b""
    text = body.decode("latin-1") if isinstance(body, bytes) else body
    if "multipart" in request.headers.get("Content-Type", ""):
        found |= {
            name: value.encode("latin-1").decode()
            for name, value in re.findall(r'name="(\w+)"\r\n\r\n(.*?)\r\n--', text, re.S)
        }
    else:
        found |= dict(parse_qsl(text, keep_blank_values=True))
    return found


def path_of(call: responses.Call) -> str:
    return urlsplit(call.request.url).path.removeprefix("/v26.0/")


def error(code: int | None, subcode: int | None = None, message: str = "Something", **more: Any) -> dict[str, Any]:
    """Meta's error envelope."""
    envelope: dict[str, Any] = {
        "message": message,
        "type": "OAuthException",
        "code": code,
        "fbtrace_id": "A1b2C3d4",
        **more,
    }
    if subcode is not None:
        envelope["error_subcode"] = subcode
    return {"error": envelope}


def part(body: Any, code: int = 200) -> dict[str, Any]:
    """One entry of a batch answer."""
    return {"code": code, "body": json.dumps(body)}


def addresses(call: responses.Call) -> list[str]:
    """The relative addresses of a recorded batch."""
    return [entry["relative_url"] for entry in json.loads(sent(call)["batch"])]
