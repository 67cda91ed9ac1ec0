"""LinkedIn's error envelope, and the errors that more than one endpoint gives."""

from __future__ import annotations

from typing import Any


class LinkedInError(Exception):
    """A refusal, as the envelope shows it."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "",
        *,
        service: int | None = None,
        inputs: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.service = service
        self.inputs = inputs or []

    def envelope(self) -> dict[str, Any]:
        body: dict[str, Any] = {"status": self.status, "message": self.message}
        if self.code:
            body["code"] = self.code
        if self.service is not None:
            body["serviceErrorCode"] = self.service
        if self.inputs:
            body["errorDetailType"] = "com.linkedin.common.error.BadRequest"
            body["errorDetails"] = {"inputErrors": self.inputs}
        return body


def invalid(code: str, message: str, field: str = "", status: int = 400) -> LinkedInError:
    """Something in the request is wrong."""
    inputs = []
    if field:
        inputs = [{"code": code, "description": message, "input": {"inputPath": {"fieldPath": field}}}]
    return LinkedInError(status, message, code, inputs=inputs)


def denied(what: str) -> LinkedInError:
    """A scope or a role is missing; the network does not say which."""
    return LinkedInError(403, f"Not enough permissions to access: {what}", "ACCESS_DENIED", service=100)


def missing(what: str) -> LinkedInError:
    return LinkedInError(404, f"Could not find entity {what}", "NOT_FOUND", service=0)


TOKEN_ERRORS = {
    "invalid": (65600, "INVALID_ACCESS_TOKEN", "Invalid access token"),
    "revoked": (65601, "REVOKED_ACCESS_TOKEN", "The token used in the request has been revoked by the user"),
    "expired": (65602, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired"),
    "empty": (65604, "EMPTY_ACCESS_TOKEN", "Empty oauth2 access token"),
}


def token_refused(why: str) -> LinkedInError:
    service, code, message = TOKEN_ERRORS[why]
    return LinkedInError(401, message, code, service=service)


def throttled(level: str) -> LinkedInError:
    return LinkedInError(
        429,
        f"Resource level throttle {level} limit for calls to this resource is reached.",
        "TOO_MANY_REQUESTS",
        service=101,
    )


def retired(version: str) -> LinkedInError:
    return LinkedInError(426, f"Requested version {version} is not active", "NONEXISTENT_VERSION")
