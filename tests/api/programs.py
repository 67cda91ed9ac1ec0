"""Programs that call the API with a key."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from accounts import api_keys
from accounts.models import ApiKey, User, Workspace


class Program:
    """Calls with a key, and reads JSON."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __call__(self, method: str, address: str, body: Any = None, **headers: str) -> Any:
        said = {"Authorization": f"Bearer {self.key}", **{name.replace("_", "-"): v for name, v in headers.items()}}
        data = body if isinstance(body, str | bytes) else "" if body is None else json.dumps(body)
        return Client().generic(method, f"/api/social/{address}", data, "application/json", headers=said)


def program_of(workspace: Workspace, user: User, *scopes: str) -> Program:
    return Program(api_keys.make(workspace, user, "Robot", scopes or ApiKey.Scope.values)[1])


def error_of(response: Any, status: int) -> dict[str, Any]:
    """The error, in the one shape that all of them have."""
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/json")
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) <= {"code", "message", "fields"}
    assert body["error"]["code"]
    assert body["error"]["message"].endswith((".", "?"))
    error: dict[str, Any] = body["error"]
    return error


def fields_of(response: Any) -> dict[str, list[str]]:
    """What is wrong, by field, of a request that was understood."""
    fields: dict[str, list[str]] = error_of(response, 422).get("fields", {})
    return fields
