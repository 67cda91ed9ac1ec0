"""The error envelope, and the errors that more than one endpoint gives."""

from __future__ import annotations

import base64
import secrets
from typing import Any


class GraphError(Exception):
    """A refusal, as the envelope shows it."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        kind: str = "OAuthException",
        title: str = "",
        text: str = "",
        transient: bool = False,
        status: int | None = None,
        headers: dict[str, str] | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.subcode = subcode
        self.kind = kind
        self.title = title
        self.text = text
        self.transient = transient
        self.status = status or (500 if code in (-1, 1, 2) else 403 if code in (4, 10, 17, 200, 210) else 400)
        self.headers = headers or {}
        self.data = data

    def envelope(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": self.kind, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        error["is_transient"] = self.transient
        if self.data is not None:
            error["error_data"] = self.data
        if self.title:
            error["error_user_title"] = self.title
        if self.text:
            error["error_user_msg"] = self.text
        error["fbtrace_id"] = trace_id()
        return {"error": error}


def trace_id() -> str:
    return "A" + base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")


def invalid(message: str, *, subcode: int | None = None, title: str = "", text: str = "") -> GraphError:
    """Code 100: a parameter is wrong."""
    return GraphError(100, f"(#100) {message}", subcode=subcode, title=title, text=text)


def missing(node_id: str, method: str) -> GraphError:
    """Code 100/33: not there, or not visible to this token; the network does not say which."""
    return GraphError(
        100,
        f"Unsupported {method.lower()} request. Object with ID '{node_id}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation.",
        subcode=33,
        kind="GraphMethodException",
    )


def bad_token(message: str, subcode: int | None = None) -> GraphError:
    return GraphError(190, message, subcode=subcode)


def no_permission(scope: str) -> GraphError:
    return GraphError(10, f"(#10) This endpoint requires the '{scope}' permission. Grant it and try again.")


TOKEN_LOST = {
    458: "Error validating access token: The user has not authorized application {app}.",
    459: "Error validating access token: You cannot access the app till you log in to www.facebook.com and follow the "
    "instructions given.",
    460: "Error validating access token: The session has been invalidated because the user changed their password or "
    "Facebook has changed the session for security reasons.",
    463: "Error validating access token: Session has expired.",
    464: "Error validating access token: Sessions for the user are not allowed because the user is not a confirmed user.",
    467: "Error validating access token: The session is invalid because the user logged out.",
    492: "Error validating access token: The user does not have the appropriate role on this Page any more.",
}


def token_lost(subcode: int, app_id: str) -> GraphError:
    return bad_token(TOKEN_LOST.get(subcode, TOKEN_LOST[460]).format(app=app_id), subcode)
