"""What a network answers instead of what was asked for, as an answer of ours."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import outcome
from accounts.api.base import ApiError
from socialhub.platforms.errors import LimitedError, OutcomeUnknownError, PlatformError, ReconnectError, TemporaryError


def refusal(error: PlatformError, network: str) -> ApiError:
    """409 for all of them: the request was fine, and it is another side that does not play along right now."""
    headers = {}
    match error:
        case LimitedError():
            code = "network_limited"
            seconds = (error.until - timezone.now()).total_seconds() if error.until else 60
            headers["Retry-After"] = str(max(1, round(seconds)))
        case TemporaryError():
            code = "network_unavailable"
            headers["Retry-After"] = "60"
        case ReconnectError():
            code = "reconnect"
        case OutcomeUnknownError():
            code = "outcome_unknown"
        case _:
            code = "network_refused"
    said = [outcome.sentence(error, network)]
    if error.platform_message:
        words = {"network": network, "words": error.platform_message}
        said.append(_("In the words of %(network)s: “%(words)s”.") % words)
    return ApiError(409, code, " ".join(said), headers=headers)
