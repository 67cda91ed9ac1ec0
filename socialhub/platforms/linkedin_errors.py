"""What LinkedIn's error answers mean for us, as tables.

Classified by the codes of the envelope, then by the HTTP status; messages change without notice.
Source: LinkedIn "Error handling", Posts API, Images API and OAuth 2.0 documentation, version 202609, read November 2026.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext, gettext_noop

from socialhub.platforms.errors import (
    LimitedError,
    NotFoundError,
    OperatorError,
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

_POST = re.compile(r"urn:li:(?:share|ugcPost):\d+")
JITTER_SECONDS = 600  # after midnight UTC, so that not everybody comes back in the same second


class VersionError(OperatorError):
    """LinkedIn does not serve the version in LINKEDIN_API_VERSION: nothing works until staff raises it."""


class NotReadyError(TemporaryError):
    """LinkedIn still works on the media; nothing happened."""


class Kind(StrEnum):
    RETRY = "retry"
    LIMIT = "limit"
    RECONNECT = "reconnect"
    PERMISSION = "permission"
    REJECT = "reject"
    DUPLICATE = "duplicate"
    NOT_READY = "not_ready"
    GONE = "gone"
    BUG = "bug"
    VERSION = "version"


CLASSES: dict[Kind, type[PlatformError]] = {
    Kind.RETRY: TemporaryError,
    Kind.LIMIT: LimitedError,
    Kind.RECONNECT: ReconnectError,
    Kind.PERMISSION: PermissionMissingError,
    Kind.REJECT: RejectedError,
    Kind.DUPLICATE: RejectedError,
    Kind.NOT_READY: NotReadyError,
    Kind.GONE: NotFoundError,
    Kind.BUG: OurBugError,
    Kind.VERSION: VersionError,
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one signal says.

    maybe_done: on a call that must not be made twice it may have worked all the same. stale: handles (prefixes) that
    are used up.
    """

    kind: Kind
    text: str
    maybe_done: bool = False
    stale: tuple[str, ...] = ()
    revoked: bool = False


_ = gettext_noop  # the tables only mark their texts; `error_of` translates them

MEDIA = ("image:", "video", "document", "ready")
DUPLICATE_OF = "duplicate"  # the handle that keeps which post LinkedIn took ours for a repeat of

TROUBLE = Meaning(
    Kind.RETRY, _("LinkedIn has trouble on its side right now. It is tried again by itself."), maybe_done=True
)
UNREADABLE = Meaning(
    Kind.RETRY,
    _("LinkedIn answered with something that is not an answer. It is tried again by itself."),
    maybe_done=True,
)
LIMIT = Meaning(
    Kind.LIMIT,
    _(
        "LinkedIn's limit of calls for today is reached. It goes on by itself after midnight UTC, when LinkedIn counts anew."
    ),
)
EXPIRED = Meaning(
    Kind.RECONNECT, _("Our access to this LinkedIn account has expired. Connect the account again to go on.")
)
INVALID = Meaning(
    Kind.RECONNECT, _("LinkedIn no longer accepts our access to this account. Connect the account again to go on.")
)
REVOKED = Meaning(
    Kind.RECONNECT,
    _("Our access was taken away at LinkedIn. Connect the account again to go on."),
    revoked=True,
)
PERMISSION = Meaning(
    Kind.PERMISSION,
    _(
        "LinkedIn does not allow this to us. Check your role on the page at LinkedIn, then connect again and allow "
        "everything that is asked for. If that does not help, the app itself lacks the right: ask an administrator."
    ),
)
ANALYTICS_PERMISSION = Meaning(
    Kind.PERMISSION, _("LinkedIn does not give these figures to this app. The account itself works.")
)
REFUSED = Meaning(Kind.REJECT, _("LinkedIn refused this request. Read its words below, change the post and try again."))
TOO_LONG = Meaning(Kind.REJECT, _("A text is longer than LinkedIn allows. Shorten it and try again."))
MISSING = Meaning(
    Kind.REJECT, _("LinkedIn misses something in this post. Read its words below, complete the post and try again.")
)
BAD_VALUE = Meaning(
    Kind.REJECT, _("LinkedIn does not accept something in this post. Read its words below, change it and try again.")
)
DUPLICATE = Meaning(
    Kind.DUPLICATE,
    _("LinkedIn says that the same post is already there. We look for it before anything is tried again."),
    maybe_done=True,
)
NOT_READY = Meaning(
    Kind.NOT_READY, _("LinkedIn still works on the media of this post. It goes on by itself."), stale=("ready",)
)
NEW_UPLOAD = Meaning(
    Kind.RETRY, _("LinkedIn could not prepare the media of this post. It is uploaded again by itself."), stale=MEDIA
)
GONE = Meaning(
    Kind.GONE,
    _("LinkedIn does not find this, or we may not see it. It may have been deleted, or a role was taken away."),
)
CONFLICT = Meaning(Kind.RETRY, _("Something at LinkedIn changed at the same moment. It is tried again by itself."))
BAD_CALL = Meaning(Kind.BUG, _("We called LinkedIn in a way it does not accept. An administrator must look at this."))
VERSION = Meaning(
    Kind.VERSION,
    _(
        "LinkedIn does not serve the version of its interface that is set here. Nothing is wrong with post or account: "
        "whoever runs this server has to set LINKEDIN_API_VERSION to a newer one. What waits goes on by itself after that."
    ),
)
BAD_APP = Meaning(
    Kind.BUG,
    _("LinkedIn does not accept the app's id or secret. An administrator must check the settings of LinkedIn."),
)
SIGN_IN = Meaning(
    Kind.REJECT, _("LinkedIn did not accept this sign-in: it is too old or was already used. Start again.")
)

# `code` and `errorDetails.inputErrors[].code`
BY_CODE: dict[str, Meaning] = {
    "NONEXISTENT_VERSION": VERSION,
    "VERSION_MISSING": BAD_CALL,
    "REVOKED_ACCESS_TOKEN": REVOKED,
    "EXPIRED_ACCESS_TOKEN": EXPIRED,
    "INVALID_ACCESS_TOKEN": INVALID,
    "EMPTY_ACCESS_TOKEN": INVALID,
    "ACCESS_DENIED": PERMISSION,
    "FIELD_LENGTH_TOO_LONG": TOO_LONG,
    "MISSING_FIELD": MISSING,
    "INVALID_VALUE_FOR_FIELD": BAD_VALUE,
    "INVALID_URN_ID": BAD_VALUE,
    "INVALID_URN_TYPE": BAD_VALUE,
    "ILLEGAL_ARGUMENT": BAD_VALUE,
    "DUPLICATE_POST": DUPLICATE,
    "MEDIA_ASSET_WAITING_UPLOAD": NOT_READY,
    "MEDIA_ASSET_PROCESSING": NOT_READY,
    "MEDIA_ASSET_PROCESSING_FAILED": NEW_UPLOAD,
    "EXPIRED_UPLOAD_URL": NEW_UPLOAD,
}

# (HTTP status, serviceErrorCode)
BY_SERVICE_CODE: dict[tuple[int, int], Meaning] = {
    (401, 65600): INVALID,
    (401, 65601): REVOKED,
    (401, 65602): EXPIRED,
    (403, 100): PERMISSION,
}

# Where only the words tell: (HTTP statuses, what the message holds).
BY_TEXT: tuple[tuple[tuple[int, ...], re.Pattern[str], Meaning], ...] = (
    ((400,), re.compile(r"\bLinkedIn-Version\b|\bversion (?:header )?(?:is missing|must be present)", re.I), BAD_CALL),
    ((400, 422), re.compile(r"\bDUPLICATE_POST\b", re.I), DUPLICATE),
    ((400, 422), re.compile(r"\bMEDIA_ASSET_PROCESSING_FAILED\b|\bEXPIRED_UPLOAD_URL\b"), NEW_UPLOAD),
    ((400, 422), re.compile(r"\bWAITING_UPLOAD\b|still (?:being )?process", re.I), NOT_READY),
    ((422,), re.compile(r"\bis a duplicate of\b", re.I), DUPLICATE),
)

BY_STATUS: dict[int, Meaning] = {
    400: REFUSED,
    401: INVALID,
    403: PERMISSION,
    404: GONE,
    405: BAD_CALL,
    408: TROUBLE,
    409: CONFLICT,
    411: BAD_CALL,
    415: BAD_CALL,
    422: REFUSED,
    426: VERSION,
    429: LIMIT,
}

# `error` of the token endpoints
BY_OAUTH_ERROR: dict[str, Meaning] = {
    "invalid_client": BAD_APP,
    "invalid_client_id": BAD_APP,
    "unauthorized_client": BAD_APP,
    "invalid_redirect_uri": Meaning(
        Kind.BUG,
        _(
            "LinkedIn does not know our return address. An administrator must enter it in the app's settings at LinkedIn, "
            "exactly as it is shown here."
        ),
    ),
}

OUTCOME_UNKNOWN = _(
    "LinkedIn's answer does not tell whether the post went out. We look before anything is tried again."
)
del _


def error_of(
    reply: Reply,
    *,
    commit: bool = False,
    reading: bool = False,
    analytics: bool = False,
    secrets: tuple[str, ...] = (),
    now: datetime | None = None,
) -> PlatformError:
    """The error that an answer stands for.

    commit: the call must not be made twice. reading: a refused parameter is our fault, not the post's. analytics: what
    is not found there is not open to this app. secrets: to be kept out of LinkedIn's words.
    """
    envelope = reply.json if isinstance(reply.json, dict) else {}
    codes, service_code = _codes(envelope), _number(envelope.get("serviceErrorCode"))
    message = str(envelope.get("message") or "")
    meaning = meaning_of(reply.status, codes, service_code, message)
    if reading and meaning.kind is Kind.REJECT:
        meaning = BAD_CALL
    if analytics and meaning.kind in (Kind.GONE, Kind.PERMISSION):
        meaning = ANALYTICS_PERMISSION
    if commit and reply.status == 409:  # the form that a duplicate had before 2020
        meaning = DUPLICATE
    details = {
        "platform_message": redact(" ".join([message, *_descriptions(envelope, message)]).strip(), *secrets)[:1000],
        "code": codes[0] if codes else f"HTTP {reply.status}",
        "subcode": "" if service_code is None else str(service_code),
        "request_id": request_id_of(reply),
    }
    return _build(meaning, details, commit=commit, now=now)


def meaning_of(status: int, codes: tuple[str, ...] = (), service_code: int | None = None, message: str = "") -> Meaning:
    """Look a signal up: a named code, the service's number, words where only they tell, the HTTP status."""
    found = next((BY_CODE[code] for code in codes if code in BY_CODE), None)
    if found is None and service_code is not None:
        found = BY_SERVICE_CODE.get((status, service_code))
    if found is None:
        found = next((m for statuses, words, m in BY_TEXT if status in statuses and words.search(message)), None)
    if found is None:
        found = BY_STATUS.get(status)
    if found is None:
        found = TROUBLE if status >= 500 else REFUSED if status >= 400 else UNREADABLE
    return found


def oauth_error_of(reply: Reply, *, refreshing: bool = False, secrets: tuple[str, ...] = ()) -> PlatformError:
    """The error of the token endpoints, which have an envelope of their own. refreshing: by a refresh token."""
    envelope = reply.json if isinstance(reply.json, dict) else {}
    name = str(envelope.get("error") or "")
    meaning = BY_OAUTH_ERROR.get(name)
    if meaning is None and reply.status == 401:
        meaning = BAD_APP
    if meaning is None and reply.status in (400, 403):
        meaning = EXPIRED if refreshing else SIGN_IN
    if meaning is None and reply.status == 404:
        meaning = BAD_CALL
    if meaning is None:
        meaning = meaning_of(reply.status)
    details = {
        "platform_message": redact(str(envelope.get("error_description") or ""), *secrets)[:1000],
        "code": name or f"HTTP {reply.status}",
        "request_id": request_id_of(reply),
    }
    return _build(meaning, details)


def request_id_of(reply: Reply) -> str:
    """What LinkedIn's support asks for, "" where the answer has none."""
    headers = reply.headers
    return str(headers.get("x-li-uuid") or headers.get("x-li-request-id") or "")[:100]


def next_day(now: datetime) -> datetime:
    """Some minutes into the next day in UTC, when LinkedIn counts anew."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return midnight + timedelta(seconds=random.uniform(30, JITTER_SECONDS))  # noqa: S311  no secret


def _build(
    meaning: Meaning, details: Mapping[str, Any], *, commit: bool = False, now: datetime | None = None
) -> PlatformError:
    if commit and meaning.maybe_done:
        if meaning.kind is not Kind.DUPLICATE:
            return OutcomeUnknownError(gettext(OUTCOME_UNKNOWN), **details)
        named = _POST.search(details["platform_message"])
        return OutcomeUnknownError(gettext(meaning.text), handles={DUPLICATE_OF: named[0]} if named else {}, **details)
    text = gettext(meaning.text)
    if meaning.kind is Kind.LIMIT:
        return LimitedError(text, until=next_day(now or datetime.now(UTC)), **details)
    if meaning.kind is Kind.RECONNECT:
        return ReconnectError(text, revoked=meaning.revoked, **details)
    return CLASSES[meaning.kind](text, forget=meaning.stale, **details)


def _input_errors(envelope: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = envelope.get("errorDetails")
    entries = found.get("inputErrors") if isinstance(found, dict) else None
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _codes(envelope: Mapping[str, Any]) -> tuple[str, ...]:
    """The codes of the answer, the most telling first."""
    entries = [*_input_errors(envelope), envelope]
    return tuple(str(entry["code"])[:100] for entry in entries if entry.get("code"))


def _descriptions(envelope: Mapping[str, Any], message: str) -> list[str]:
    """What the answer says of single fields, as far as the message does not say it already."""
    found = []
    for entry in _input_errors(envelope):
        described = str(entry.get("description") or "")
        where = entry.get("input")
        path = where.get("inputPath") if isinstance(where, dict) else None
        name = path.get("fieldPath") if isinstance(path, dict) else None
        if described and described not in message:
            found.append(f"{name}: {described}" if name else described)
    return found


def _number(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None
