"""The part of the Graph API that connecting uses, answering as `platforms/meta.md` describes it (v26.0)."""

from __future__ import annotations

import json
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import responses
from django.conf import settings
from requests import PreparedRequest

from socialhub.platforms.meta import ALL_SCOPES

SHORT, LONG = "EAAshortlivedusertoken000", "EAAlonglivedusertoken0000"
DAY = 86400


def page_token(page_id: str) -> str:
    return f"EAApagetoken000000000{page_id}"


def page(page_id: str, name: str, instagram: str = "", **fields: Any) -> dict[str, Any]:
    """An entry of /me/accounts. instagram: the handle of the linked account."""
    entry = {
        "id": page_id,
        "name": name,
        "username": name.lower().replace(" ", ""),
        "category": "Car dealership",
        "access_token": page_token(page_id),
        "tasks": ["ANALYZE", "CREATE_CONTENT", "MANAGE"],
        "picture": {"data": {"url": f"https://pictures.example/{page_id}.jpg"}},
        "followers_count": 1204,
        **fields,
    }
    if instagram:
        entry["instagram_business_account"] = {
            "id": f"17{page_id}",
            "username": instagram,
            "name": instagram.title(),
            "profile_picture_url": f"https://pictures.example/{instagram}.jpg",
            "followers_count": 88,
        }
    return {name: value for name, value in entry.items() if value is not None}


def refusal(code: int, subcode: int = 0, message: str = "Refused") -> tuple[int, dict[str, Any]]:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "Atrace"}
    return 400, {"error": {**error, "error_subcode": subcode} if subcode else error}


class Graph:
    """State to set before a call, and `calls` to read after it."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.mock = mock
        self.pages: list[dict[str, Any]] = [page("101", "Classic Motors", "classicmotors")]
        self.granted = [*ALL_SCOPES, *settings.META_EXTRA_SCOPES]
        self.declined: list[str] = []
        self.lapsed: list[str] = []
        self.granular: dict[str, list[str]] = {}  # permission: the accounts that it is limited to
        self.person = {"id": "9001", "name": "Ada Lovelace"}
        self.valid = True
        self.data_access_expires_at = 0
        self.expires_at = 0
        self.fail: dict[str, tuple[int, dict[str, Any]]] = {}  # path: what it answers instead
        self.calls: list[tuple[str, str, dict[str, str]]] = []
        self.lock = threading.Lock()
        pattern = f"{settings.META_GRAPH_URL}/{settings.META_GRAPH_VERSION}/"
        for method in ("GET", "POST", "DELETE"):
            mock.add_callback(method, responses.matchers.re.compile(f"^{pattern}"), self.answer)

    def answer(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        parts = urlsplit(str(request.url))
        path = parts.path.split(f"/{settings.META_GRAPH_VERSION}/", 1)[1]
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
        fields = {name: values[0] for name, values in parse_qs(f"{parts.query}&{body}").items()}
        bearer = str(request.headers.get("Authorization", "")).removeprefix("Bearer ")
        with self.lock:
            self.calls.append((str(request.method), path, fields))
        status, reply = self.fail.get(path) or (200, self.reply(str(request.method), path, fields, bearer))
        return status, {"Content-Type": "application/json"}, json.dumps(reply)

    def paths(self, method: str = "") -> list[str]:
        return [path for verb, path, _fields in self.calls if method in ("", verb)]

    def reply(self, method: str, path: str, fields: dict[str, str], bearer: str) -> dict[str, Any]:
        if path == "oauth/access_token":
            token = LONG if fields.get("grant_type") == "fb_exchange_token" else SHORT
            return {"access_token": token, "token_type": "bearer", "expires_in": 60 * DAY if token == LONG else 3600}
        if path == "me":
            return next((entry for entry in self.pages if entry.get("access_token") == bearer), self.person)
        if path == "me/permissions":
            if method == "DELETE":
                return {"success": True}
            states = [(name, "granted") for name in self.granted] + [(name, "declined") for name in self.declined]
            states += [(name, "expired") for name in self.lapsed]
            return {"data": [{"permission": name, "status": status} for name, status in states]}
        if path == "me/accounts":
            return {"data": self.pages}
        if path == "me/businesses":
            return {"data": []}
        if path == "debug_token":
            return {"data": self.inspected(fields["input_token"])}
        return self.account(path)

    def inspected(self, token: str) -> dict[str, Any]:
        return {
            "is_valid": self.valid,
            "type": "USER" if token in (SHORT, LONG) else "PAGE",
            "scopes": self.granted,
            "expires_at": self.expires_at,
            "data_access_expires_at": self.data_access_expires_at,
            "granular_scopes": [
                {"scope": name, **({"target_ids": self.granular[name]} if name in self.granular else {})}
                for name in self.granted
            ],
            **({} if self.valid else {"error": {"code": 190, "message": "The session was invalidated."}}),
        }

    def account(self, account_id: str) -> dict[str, Any]:
        """A Page or an Instagram account, read directly."""
        for entry in self.pages:
            if entry["id"] == account_id:
                return {**entry, "fan_count": 1200}
            linked = entry.get("instagram_business_account")
            if linked and linked["id"] == account_id:
                return {**linked, "follows_count": 12, "media_count": 34}
        return refusal(100, 33, "Object does not exist")[1]
