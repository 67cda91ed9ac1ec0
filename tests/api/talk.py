"""A program that talks to the API: what it is told, or why it was refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from accounts.models import User, Workspace
from tests.api.programs import Program, error_of, program_of


class Talk(Program):
    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        response = self("GET", f"{path}?{urlencode(query)}")
        assert response.status_code == status, response.content
        return response.json()

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        response = self("POST", path, body)
        assert response.status_code == status, response.content
        return response.json()

    def refused(self, path: str, body: Any = None, status: int = 409) -> str:
        return str(error_of(self("POST", path, body), status)["code"])


def talk_of(workspace: Workspace, user: User, *scopes: str) -> Talk:
    return Talk(program_of(workspace, user, *scopes).key)
