"""What went wrong at a network, sorted by what we may do next.

The engine decides by the class alone; it never asks which network it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any


class PlatformError(Exception):
    """A call did not do what was asked.

    message: one or two plain sentences for the owner: what happened, what it means, what to do.
    platform_message: the network's own words, shown below ours. Never contains a token.
    code, subcode, request_id: for the log and for the network's support ("190", "463", an fbtrace_id).
    forget: names of saved handles (prefixes) that must not be used again, such as an expired container.
    """

    kind = "error"

    def __init__(
        self,
        message: str,
        *,
        platform_message: str = "",
        code: str = "",
        subcode: str = "",
        request_id: str = "",
        forget: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.platform_message = platform_message
        self.code = code
        self.subcode = subcode
        self.request_id = request_id
        self.forget = forget


class TemporaryError(PlatformError):
    """Nothing happened there; the same call may be made again later."""

    kind = "temporary"


class LimitedError(PlatformError):
    """A limit of the network. Nothing happened; come back at `until` (aware), or when our own guess says so."""

    kind = "limited"

    def __init__(self, message: str, *, until: datetime | None = None, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.until = until


class PutOffError(LimitedError):
    """We hold a call back ourselves, so that what is left of a limit is there for what matters more."""


class ReconnectError(PlatformError):
    """The access is gone; the owner must connect again. `revoked`: taken away by the owner, not merely run out.

    mended_at: our own access is fine, and this is the page of the network where the owner mends it.
    """

    kind = "reconnect"
    mended_at = ""

    def __init__(self, message: str, *, revoked: bool = False, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.revoked = revoked


class PermissionMissingError(PlatformError):
    """Connected, but without the right that this call needs. `scopes` names it where that is known."""

    kind = "permission"

    def __init__(self, message: str, *, scopes: tuple[str, ...] = (), **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.scopes = scopes


class AccountBlockedError(PlatformError):
    """The network holds the account back; a person must act there. Never retried."""

    kind = "account_blocked"


class RejectedError(PlatformError):
    """Understood and refused: the post must change."""

    kind = "rejected"


class OutcomeUnknownError(PlatformError):
    """It may have worked: look before anything else is tried.

    handles: what the answer told that the look needs, such as the id of a post that is already there; saved like those of
    a step.
    """

    kind = "outcome_unknown"

    def __init__(self, message: str, *, handles: Mapping[str, Any] | None = None, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.handles = dict(handles or {})


class OurBugError(PlatformError):
    """We called wrongly (parameter, signature, version, address). No retry helps; staff must look."""

    kind = "our_bug"


class OperatorError(OurBugError):
    """Whoever runs this server has to change something. Nothing happened there; the same call works after that."""

    kind = "operator"
    again = timedelta(minutes=5)  # at least, before it is tried once more


class FilesError(OperatorError):
    """The place where our own files are kept is full, broken or away; often only for a moment."""

    again = timedelta(seconds=30)


class NotFoundError(PlatformError):
    """The object is gone or not visible to this token."""

    kind = "not_found"
