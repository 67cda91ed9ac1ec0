"""What Buffer's errors mean for us. They come in three places: the HTTP status, `errors[]`, and the payload's type.

Source: Buffer API guide "Error handling" and API reference, read June to October 2026.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from socialhub.platforms.buffer_limits import MONTH
from socialhub.platforms.errors import (
    LimitedError,
    NotFoundError,
    OurBugError,
    OutcomeUnknownError,
    PermissionMissingError,
    PlatformError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.http import Reply
from socialhub.redaction import redact

logger = logging.getLogger(__name__)

BUFFER_PAGE = "https://publish.buffer.com"

# How long to stay away when Buffer names the window but no time.
GUESSED_WAIT = {"15m": timedelta(minutes=15), "24h": timedelta(hours=1), "30d": timedelta(days=1)}

_RECONNECT = re.compile(
    r"re-?connect|re-?authori[sz]e|re-?authenticate|refresh (?:the|your) connection|\bdisconnected\b|token (?:has )?expired",
    re.I,
)
_DUPLICATE = re.compile(
    r"duplicate|already (?:been )?(?:posted|published|shared|tweeted)|same (?:post|text|content)|posted this .*recently"
    r"|\btwice\b",
    re.I,
)
_GENERIC = re.compile(
    r"^\W*$|something went wrong|went wrong|unexpected|unknown error|internal|time[d ]?[- ]?out|try again|unavailable"
    r"|could not (?:reach|connect)",
    re.I,
)


class TokenRefusedError(ReconnectError):
    """Buffer refuses the token itself. With OAuth, refresh it once and repeat; with a personal key, ask for a new one."""


class ChannelDisconnectedError(ReconnectError):
    """Our access to Buffer is fine; Buffer lost its own to the network. Mended in Buffer, not here."""

    mended_at = BUFFER_PAGE


class RefreshLostError(OutcomeUnknownError):
    """The answer to a refresh is lost. The refresh token may be used up and must never be sent again.

    The access token at hand stays good until its end; after that the owner must connect again.
    """

    kind = "refresh_lost"


class ChannelLimitError(RejectedError):
    """A limit of the Buffer plan, or of the network for this day. Not to be repeated by itself."""


class DuplicateError(RejectedError):
    """The network has the same post already."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one operation asks of the reading of its answer.

    root: the field that holds its result. whole: all fields are wanted, of which only the root's has to be there.
    """

    root: str
    commit: bool = False  # it must not be made twice
    secrets: tuple[str, ...] = ()
    whole: bool = False

    def details(self, words: str, code: str = "", subcode: str = "") -> dict[str, Any]:
        return {"platform_message": redact(words, *self.secrets)[:1000], "code": code, "subcode": subcode}


def result_of(reply: Reply, answer: Answer) -> Any:
    """The value of the root field. Raises what stands in its place, wherever Buffer put it."""
    body = reply.json if isinstance(reply.json, dict) else {}
    errors = body.get("errors")
    entries = [entry for entry in errors if isinstance(entry, dict)] if isinstance(errors, list) else []
    data = body.get("data")
    result = data.get(answer.root) if isinstance(data, dict) else None
    if not reply.ok:
        raise _of_status(reply, entries, answer)
    if entries and answer.commit and _is_success(result):
        logger.warning("Buffer took a post and reported an error beside it: %s", _code(entries[0]) or "without a code")
    elif entries and not (answer.whole and result is not None and not _concern(entries, answer.root)):
        raise _of_entry(entries[0], reply, answer)
    if result is None:
        raise unclear(answer, _("Buffer's answer could not be read."), f"HTTP {reply.status}")
    return data if answer.whole else result


def _concern(entries: list[dict[str, Any]], root: str) -> bool:
    """Whether one of the errors is about this field; one that does not say where it happened is about all."""
    paths = [entry.get("path") for entry in entries]
    return any(not path or not isinstance(path, list) or path[0] == root for path in paths)


def payload_error(payload: Mapping[str, Any], answer: Answer) -> PlatformError:
    """The error that a mutation's payload stands for, by its type; an unknown type with a message is a refusal."""
    name = str(payload.get("__typename") or "")
    words = str(payload.get("message") or "")
    details = answer.details(words, name)
    if name == "UnexpectedError" or not words:
        return unclear(answer, _("Something went wrong inside Buffer."), name or "no type", words)
    if name == "RestProxyError" and _broke_on_the_way(payload, words):
        return unclear(answer, _("Something went wrong between Buffer and the network."), name, words)
    if name == "RestProxyError":
        details["subcode"] = "" if payload.get("code") is None else str(payload["code"])
    if _RECONNECT.search(words):
        return channel_disconnected(**details)
    if name in ("RestProxyError", "InvalidInputError") and _DUPLICATE.search(words):
        return duplicate(**details)
    return PAYLOADS.get(name, _refused)(details)


def post_error(words: str, *, secrets: tuple[str, ...] = ()) -> PlatformError:
    """Why a post that Buffer had taken was not published, by Buffer's words to the user."""
    details = Answer("post", secrets=secrets).details(words, "status: error")
    if _RECONNECT.search(words):
        return channel_disconnected(**details)
    if _DUPLICATE.search(words):
        return duplicate(**details)
    return RejectedError(
        _("Buffer could not publish this post. Read the words below, change what they name, and publish it again."),
        **details,
    )


def unclear(answer: Answer, what: str, code: str = "", words: str = "") -> PlatformError:
    """Nobody knows whether it was done: to be looked into for a commit, to be repeated for the rest."""
    if answer.commit:
        return OutcomeUnknownError(
            _("%(what)s The post may be out or not; we look before anything is tried again.") % {"what": what},
            **answer.details(words, code),
        )
    return TemporaryError(_("%(what)s It is tried again by itself.") % {"what": what}, **answer.details(words, code))


def channel_disconnected(**details: Any) -> ChannelDisconnectedError:
    return ChannelDisconnectedError(
        _(
            "Buffer has lost its connection to this channel, so nothing can be published there. Open Buffer, reconnect the "
            "channel, then check the account here again."
        ),
        **details,
    )


def channel_locked(**details: Any) -> ChannelLimitError:
    return ChannelLimitError(
        _(
            "Buffer has locked this channel because the Buffer plan covers fewer channels. Choose a larger plan in Buffer or "
            "remove another channel there, then try again."
        ),
        **details,
    )


def duplicate(**details: Any) -> DuplicateError:
    return DuplicateError(
        _("The network says that the same post is already there. Change the text to publish it again."), **details
    )


def _refused(details: dict[str, Any]) -> PlatformError:
    return RejectedError(_("Buffer refused this post. Read its words below, change the post and try again."), **details)


def _channel_gone(details: dict[str, Any]) -> PlatformError:
    return NotFoundError(
        _("Buffer does not know this channel any more. It was probably removed there; connect it again."), **details
    )


def _forbidden(details: dict[str, Any]) -> PlatformError:
    return PermissionMissingError(
        _(
            "Buffer does not let us do this: a permission is missing, or the channel belongs to another organization. "
            "Connect Buffer again and allow everything that is asked for."
        ),
        **details,
    )


def _limit_reached(details: dict[str, Any]) -> PlatformError:
    return ChannelLimitError(
        _(
            "A limit of the Buffer plan or of the network is reached for this channel. Read Buffer's words below; publish "
            "again tomorrow, or raise the plan in Buffer."
        ),
        **details,
    )


PAYLOADS: dict[str, Callable[[dict[str, Any]], PlatformError]] = {
    "InvalidInputError": _refused,
    "LimitReachedError": _limit_reached,
    "NotFoundError": _channel_gone,
    "UnauthorizedError": _forbidden,
}


def _broke_on_the_way(payload: Mapping[str, Any], words: str) -> bool:
    """Whether what Buffer passes on is no refusal but a breakdown, by its number or else by its words."""
    code = payload.get("code")
    return 500 <= code < 600 if isinstance(code, int) else bool(_GENERIC.search(words))


def _is_success(result: object) -> bool:
    return isinstance(result, dict) and isinstance(result.get("post"), dict) and bool(result["post"].get("id"))


def _code(entry: Mapping[str, Any]) -> str:
    extensions = entry.get("extensions")
    return str(extensions.get("code") or "") if isinstance(extensions, dict) else ""


def _of_status(reply: Reply, entries: list[dict[str, Any]], answer: Answer) -> PlatformError:
    entry = entries[0] if entries else {}
    words = str(entry.get("message") or "")
    details = answer.details(words, _code(entry) or f"HTTP {reply.status}")
    if reply.status == 429:
        return _limited(entry, reply, details)
    if reply.status == 401:
        return _token_refused({**details, "subcode": "HTTP 401"})
    if entries:
        return _of_entry(entry, reply, answer)
    if reply.status == 403:
        return _forbidden(details)
    if reply.status >= 500 or reply.status == 408:
        return unclear(answer, _("Buffer has trouble on its side."), f"HTTP {reply.status}")
    return _our_bug(details)


def _of_entry(entry: Mapping[str, Any], reply: Reply, answer: Answer) -> PlatformError:
    code, words = _code(entry), str(entry.get("message") or "")
    details = answer.details(words, code)
    match code:
        case "RATE_LIMIT_EXCEEDED":
            return _limited(entry, reply, details)
        case "UNAUTHENTICATED" | "UNAUTHORIZED":
            return _token_refused(details)
        case "FORBIDDEN":
            return _forbidden(details)
        case "NOT_FOUND" if answer.root in ("createPost", "channel", "channels"):
            return _channel_gone(details)
        case "NOT_FOUND":
            return NotFoundError(_("Buffer does not know this any more. It was probably deleted there."), **details)
        case "UNEXPECTED":
            return unclear(answer, _("Something went wrong inside Buffer."), code, words)
    # Without one of the codes above: what Buffer refused before it ran anything has no path and is our fault.
    if reply.status >= 500 or entry.get("path"):
        return unclear(answer, _("Something went wrong inside Buffer."), code or f"HTTP {reply.status}", words)
    return _our_bug(details)


def _token_refused(details: dict[str, Any]) -> PlatformError:
    return TokenRefusedError(
        _("Buffer no longer accepts our access. Connect Buffer again; if you use a personal key, paste a new one."),
        **details,
    )


def _our_bug(details: dict[str, Any]) -> PlatformError:
    return OurBugError(
        _("We called Buffer in a way it does not accept. An administrator must look at this."), **details
    )


def _limited(entry: Mapping[str, Any], reply: Reply, details: dict[str, Any]) -> PlatformError:
    extensions = entry.get("extensions")
    window = str(extensions.get("window") or "") if isinstance(extensions, dict) else ""
    wait = GUESSED_WAIT.get(window, GUESSED_WAIT["15m"])
    try:
        wait = timedelta(seconds=min(max(1.0, float(reply.headers.get("Retry-After", ""))), MONTH))
    except ValueError:
        logger.debug("Buffer named no time to come back")
    return LimitedError(
        _(
            "Buffer's limit of calls is used up for now. Nothing was sent; it goes on by itself when Buffer allows more."
        ),
        until=datetime.now(UTC) + wait,
        **{**details, "subcode": window},
    )


def grant_error(reply: Reply, *, refreshing: bool, secrets: tuple[str, ...]) -> PlatformError:
    """What a refusal of the token address means: error names of OAuth 2.0."""
    body = reply.json if isinstance(reply.json, dict) else {}
    name = str(body.get("error") or "")
    details = Answer("token", secrets=secrets).details(
        str(body.get("error_description") or ""), name or f"HTTP {reply.status}"
    )
    if reply.status == 429:
        return _limited({}, reply, details)
    if name == "invalid_grant" and refreshing:
        return ReconnectError(
            _("Buffer ended our access: it was withdrawn there or has expired. Connect Buffer again."),
            revoked=True,
            **details,
        )
    if name == "invalid_grant":
        return RejectedError(
            _("Buffer did not accept this sign-in: it is too old or was already used. Start again."), **details
        )
    if name in ("invalid_client", "unauthorized_client"):
        return OurBugError(
            _("Buffer does not accept this app's id or secret. An administrator must check the Buffer settings."),
            **details,
        )
    if reply.status >= 500 or reply.ok:
        return refresh_lost(**details) if refreshing else exchange_lost(**details)
    return _our_bug(details)


def refresh_lost(**details: Any) -> RefreshLostError:
    return RefreshLostError(
        _(
            "Buffer did not answer when its access was renewed. Publishing goes on until the present access ends, within an "
            "hour; then Buffer must be connected again."
        ),
        **details,
    )


def exchange_lost(**details: Any) -> TemporaryError:
    return TemporaryError(_("Buffer did not answer while connecting. Nothing was connected; start again."), **details)
