"""What the tests of LinkedIn share: its addresses, tokens and the form of its errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import responses

from socialhub.platforms.linkedin_api import FULL_SCOPES, LinkedInApi, LinkedInConfig

BASE = "https://api.linkedin.com/rest"
OAUTH = "https://www.linkedin.com/oauth/v2"
TOKEN = "AQXtokenOfTheTests0123456789"
SECRET = "WPL_AP1.secret-of-the-tests"
PERSON = "urn:li:person:aBc-1_x"
PAGE = "urn:li:organization:42"

DATA = Path(__file__).parent.parent / "data" / "linkedin"


def vectors(name: str) -> list[list[Any]]:
    return json.loads((DATA / f"{name}.json").read_text())


def make_api(**changes: Any) -> LinkedInApi:
    config = {"client_id": "77abc", "client_secret": SECRET, "scopes": FULL_SCOPES} | changes
    return LinkedInApi(LinkedInConfig(**config))


def enc(urn: str) -> str:
    return quote(urn, safe="")


def error(
    status: int, code: str = "", service_code: int | None = None, message: str = "Something", *inputs: str
) -> dict[str, Any]:
    """LinkedIn's error envelope; inputs: codes of single fields."""
    envelope: dict[str, Any] = {"status": status, "message": message}
    if code:
        envelope["code"] = code
    if service_code is not None:
        envelope["serviceErrorCode"] = service_code
    if inputs:
        envelope["errorDetailType"] = "com.linkedin.common.error.BadRequest"
        envelope["errorDetails"] = {
            "inputErrors": [
                {"code": name, "description": f"about {name}", "input": {"inputPath": {"fieldPath": "commentary"}}}
                for name in inputs
            ]
        }
    return envelope


def query(call: responses.Call) -> str:
    """The query of a recorded request exactly as it was sent."""
    return call.request.url.partition("?")[2]


def parts(call: responses.Call) -> set[str]:
    return set(query(call).split("&"))


def body(call: responses.Call) -> Any:
    return json.loads(call.request.body)


def form(call: responses.Call) -> dict[str, str]:
    return dict(parse_qsl(call.request.body, keep_blank_values=True))
