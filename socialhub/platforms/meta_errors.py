"""What Meta's error codes mean for us, as one table.

Source: Meta, Graph API "Handle Errors" and Instagram Platform "Error Codes" (the Instagram list of
2026-06-02; read September to October 2026).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext, gettext_noop

from socialhub.platforms.errors import (
    AccountBlockedError,
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
from socialhub.platforms.http import Reply, usage_of
from socialhub.redaction import redact

HOUR = 3600


class DeadMetricError(OurBugError):
    """A metric name (or its combination) that Meta does not serve any more."""


class WrongMetricError(DeadMetricError):
    """A metric name that this object does not have, while others may."""


class NoDataError(NotFoundError):
    """Meta has no figures for this object, for example because too few people saw it."""


class NotReadyError(TemporaryError):
    """Meta still works on the media; nothing happened."""


class TooMuchDataError(TemporaryError):
    """Meta wants us to ask for less at once."""


class OffsetError(TemporaryError):
    """An upload went on at the wrong byte. offset: where Meta wants it to go on; None: it did not say."""

    def __init__(self, message: str, *, offset: int | None = None, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.offset = offset


class Kind(StrEnum):
    RETRY = "retry"
    LIMIT = "limit"
    RECONNECT = "reconnect"
    PERMISSION = "permission"
    REJECT = "reject"
    ACCOUNT = "account"
    BUG = "bug"
    GONE = "gone"
    NO_DATA = "no_data"
    DEAD_METRIC = "dead_metric"
    WRONG_METRIC = "wrong_metric"
    NOT_READY = "not_ready"
    TOO_MUCH = "too_much"
    OFFSET = "offset"


CLASSES: dict[Kind, type[PlatformError]] = {
    Kind.RETRY: TemporaryError,
    Kind.LIMIT: LimitedError,
    Kind.RECONNECT: ReconnectError,
    Kind.PERMISSION: PermissionMissingError,
    Kind.REJECT: RejectedError,
    Kind.ACCOUNT: AccountBlockedError,
    Kind.BUG: OurBugError,
    Kind.GONE: NotFoundError,
    Kind.NO_DATA: NoDataError,
    Kind.DEAD_METRIC: DeadMetricError,
    Kind.WRONG_METRIC: WrongMetricError,
    Kind.NOT_READY: NotReadyError,
    Kind.TOO_MUCH: TooMuchDataError,
    Kind.OFFSET: OffsetError,
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one code says.

    maybe_done: on a call that must not be made twice it may have worked all the same. stale: the container or staged
    media of this call is used up. wait_seconds: for limits without a time of their own.
    """

    kind: Kind
    text: str
    maybe_done: bool = False
    stale: bool = False
    revoked: bool = False
    wait_seconds: float = HOUR


def _retry(text: str, *, maybe_done: bool = False, stale: bool = False) -> Meaning:
    return Meaning(Kind.RETRY, text, maybe_done=maybe_done, stale=stale)


def _reject(text: str) -> Meaning:
    return Meaning(Kind.REJECT, text)


def _account(text: str, *, maybe_done: bool = False) -> Meaning:
    return Meaning(Kind.ACCOUNT, text, maybe_done=maybe_done)


def _reconnect(text: str, *, revoked: bool = False) -> Meaning:
    return Meaning(Kind.RECONNECT, text, revoked=revoked)


_ = gettext_noop  # the table only marks its texts; `error_of` translates them

TROUBLE = _retry(_("Meta has trouble on its side right now. It is tried again by itself."), maybe_done=True)
APP_LIMIT = Meaning(Kind.LIMIT, _("Meta's limit for this app is reached. It goes on by itself when Meta allows more."))
ACCOUNT_LIMIT = Meaning(
    Kind.LIMIT, _("Meta's limit of calls for this account is reached. It goes on by itself when Meta allows more.")
)
EXPIRED = _reconnect(_("Meta no longer accepts our access to this account. Connect the account again."))
PERMISSION = Meaning(
    Kind.PERMISSION,
    _(
        "A permission for this is missing. Connect again and allow everything that is asked for, and check your role on "
        "the Page."
    ),
)
PUBLISH_DUPLICATE = Meaning(
    Kind.REJECT,
    _("Meta says that the same post was already published. Change the text or the images to publish it again."),
    maybe_done=True,
)
VIDEO_FORMAT = _reject(_("The video's format is not supported. Convert it to MP4 (H.264, AAC)."))
VIDEO_TROUBLE = _retry(_("The video could not be uploaded or read. It is tried again by itself."), stale=True)
WRONG_OFFSET = Meaning(Kind.OFFSET, _("The upload of the video was interrupted. It goes on where it stopped."))
UPLOAD_LOST = _retry(
    _("What was uploaded of the video is no longer there. It is uploaded again by itself."), stale=True
)
MESSAGING_WINDOW = _reject(_("The time to answer this person is over: Meta allows it for 24 hours after a message."))
BAD_CALL = Meaning(Kind.BUG, _("We called Meta in a way it does not accept. An administrator must look at this."))
BAD_REQUEST = _reject(_("Meta refused this request. Read its words below, change the post and try again."))
CONTENT_REFUSED = _reject(_("Meta refused this content. Read its words below and change the post."))
CREATION_FAILED = _retry(
    _("Instagram could not prepare the media. It is tried again with a fresh upload."), maybe_done=True, stale=True
)
CONTAINER_TROUBLE = _retry(
    _("Instagram could not prepare the media. It is tried again with a fresh upload."), stale=True
)
MEDIA_UNREACHABLE = _retry(
    _(
        "Instagram could not fetch the image from this server. Make sure that PUBLIC_BASE_URL can be reached from the "
        "internet without a login."
    ),
    stale=True,
)
IDENTITY = _account(
    _("Meta wants you to confirm who you are before this Page may publish. Open Facebook, do so, and try again.")
)
SECURITY_CHECK = _account(
    _("Meta holds this account back for a security check. Open Facebook, finish it, and try again.")
)
GONE = Meaning(
    Kind.GONE, _("Meta does not find this, or we may not see it. It may have been deleted, or a permission is missing.")
)

# (code, subcode); subcode None: every other one.
BY_CODE: dict[tuple[int, int | None], Meaning] = {
    (-1, None): TROUBLE,
    (1, None): TROUBLE,
    (2, None): TROUBLE,
    (3, None): Meaning(
        Kind.PERMISSION,
        _("This app is not set up for that at Meta. An administrator must add the product in Meta's App Dashboard."),
    ),
    (4, None): APP_LIMIT,
    (10, None): PERMISSION,
    (10, 2018278): MESSAGING_WINDOW,
    (10, 1893063): _account(_("Meta does not let this Page send messages. Open the Page on Facebook to see why.")),
    (17, None): ACCOUNT_LIMIT,
    (20, 1772107): Meaning(Kind.BUG, _("Meta did what was asked but could not describe the result."), maybe_done=True),
    (32, None): ACCOUNT_LIMIT,
    (100, None): BAD_REQUEST,
    (100, 33): GONE,
    (101, None): Meaning(
        Kind.BUG, _("Meta does not accept the app's id or secret. An administrator must check the settings.")
    ),
    (102, None): EXPIRED,
    (104, None): Meaning(
        Kind.BUG,
        _("Meta did not accept the signature of our call. An administrator must check the app secret in the settings."),
    ),
    (190, None): EXPIRED,
    (190, 458): _reconnect(_("The app was removed at Facebook. Connect the account again to go on."), revoked=True),
    (190, 459): _reconnect(
        _("Facebook wants you to sign in on facebook.com and pass a check. Do so, then connect the account again.")
    ),
    (190, 460): _reconnect(
        _("The Facebook password was changed, which ends our access. Connect the account again to go on.")
    ),
    (190, 463): _reconnect(_("Our access to this account has expired. Connect the account again to go on.")),
    (190, 464): _reconnect(
        _("The Facebook account is not confirmed. Confirm it on facebook.com, then connect the account again.")
    ),
    (190, 467): _reconnect(
        _("Our access to this account was ended by a logout or withdrawn. Connect the account again."), revoked=True
    ),
    (190, 492): _reconnect(
        _(
            "The person who connected this Page has no role on it any more. Have someone with a role on the Page "
            "connect it again."
        ),
        revoked=True,
    ),
    (210, None): Meaning(
        Kind.PERMISSION, _("The Page is not visible to us. Connect it again and tick this Page in Facebook's dialog.")
    ),
    (283, None): PERMISSION,
    (324, None): _reject(_("The image file is missing or damaged. Replace the image.")),
    (341, None): APP_LIMIT,
    (352, None): VIDEO_FORMAT,
    (368, None): _account(
        _("Meta has blocked this action for the account for some time. Open Facebook to see why before you try again.")
    ),
    (368, 1390008): Meaning(
        Kind.LIMIT,
        _("Meta says this account posts too fast. It goes on by itself after a pause of some hours."),
        wait_seconds=3 * HOUR,
    ),
    (368, 1404078): IDENTITY,
    (368, 4854002): IDENTITY,
    (368, 1404006): SECURITY_CHECK,
    (368, 1404112): SECURITY_CHECK,
    (368, 1346003): CONTENT_REFUSED,
    (368, 1404102): CONTENT_REFUSED,
    (368, 1404082): PUBLISH_DUPLICATE,
    (382, None): _reject(_("The video file is too small. Replace the video.")),
    (389, None): _retry(_("Facebook could not fetch the video. It is tried again by itself."), stale=True),
    (506, None): PUBLISH_DUPLICATE,
    (551, None): _reject(_("This person cannot be written to at the moment.")),
    (613, None): ACCOUNT_LIMIT,
    (2500, None): BAD_CALL,
    (2635, None): Meaning(
        Kind.BUG, _("The version of Meta's API in the settings is no longer served. An administrator must raise it.")
    ),
    (3001, None): BAD_CALL,
    (6000, None): VIDEO_TROUBLE,
    (6001, None): VIDEO_TROUBLE,
    (6001, 1363037): WRONG_OFFSET,
}

# Numbers large enough to be unique: Meta sends them as code or as subcode, so both places are looked at.
BY_NUMBER: dict[int, Meaning] = {
    1346003: CONTENT_REFUSED,
    1349125: CONTENT_REFUSED,
    1363047: TROUBLE,
    1366046: _reject(_("Facebook says the photo is too large or of the wrong type. Replace the image.")),
    1366051: PUBLISH_DUPLICATE,
    1404082: PUBLISH_DUPLICATE,
    1545041: MESSAGING_WINDOW,
    1609005: _retry(
        _("Facebook could not read the link. Make sure that its page can be opened by everybody; it is tried again.")
    ),
    1609008: _reject(_("Facebook does not allow a link to Facebook itself here. Remove or change the link.")),
    1609010: TROUBLE,
    2061006: _reject(_("Facebook cannot use this address. Change the link.")),
    2069019: _reject(_("Facebook cannot use this file. Replace it.")),
    2108006: Meaning(
        Kind.NO_DATA,
        _("This was published before the account became a professional one. Instagram has no figures for it."),
    ),
    2534022: MESSAGING_WINDOW,
    # Instagram publishing
    2207001: _retry(_("Instagram has trouble on its side. It is tried again by itself."), maybe_done=True),
    2207003: CONTAINER_TROUBLE,
    2207004: _reject(_("The image is larger than Instagram's 8 MB. Replace it with a smaller one.")),
    2207005: _reject(_("Instagram does not support the image's format. It must be a JPEG.")),
    2207006: _retry(_("Instagram does not find the media yet. It is tried again by itself."), stale=True),
    2207008: _retry(_("Instagram does not find what we prepared. It is tried again by itself."), maybe_done=True),
    2207009: _reject(
        _("Instagram does not accept the image's shape: it must be between 4:5 and 1.91:1. Crop the image.")
    ),
    2207010: _reject(_("The caption is too long for Instagram's 2,200 characters. Shorten it.")),
    2207020: _retry(_("What we had prepared at Instagram has expired. It is prepared again by itself."), stale=True),
    2207023: BAD_CALL,
    2207026: VIDEO_FORMAT,
    2207027: Meaning(Kind.NOT_READY, _("Instagram still works on the media. It goes on by itself.")),
    2207028: _reject(_("An Instagram carousel takes 2 to 10 images. Add or remove some.")),
    2207032: CREATION_FAILED,
    2207035: _reject(_("The position of a product tag is not accepted. Change or remove it.")),
    2207036: _reject(_("A product tag is required here.")),
    2207037: _reject(_("A product tag is not accepted. Remove it.")),
    2207040: _reject(_("Instagram takes at most 20 @-mentions. Remove some.")),
    2207042: Meaning(
        Kind.LIMIT, _("Instagram's limit of posts in 24 hours is reached. It goes on by itself when a place is free.")
    ),
    2207050: _account(
        _(
            "Instagram has restricted this account or wants it checked. Open the Instagram app, follow what it says, then retry."
        )
    ),
    2207051: _account(
        _("Instagram held this action back as possible spam. Open the Instagram app to see why before you try again."),
        maybe_done=True,
    ),
    2207052: MEDIA_UNREACHABLE,
    2207053: CREATION_FAILED,
    2207057: _reject(_("The chosen cover moment lies outside of the video. Choose another one.")),
    2207076: CONTAINER_TROUBLE,
    2207077: CONTAINER_TROUBLE,
    2207081: _reject(_("Trial reels are not available to this account.")),
    2207082: CREATION_FAILED,
    2207085: _retry(_("Instagram has trouble on its side. It is tried again by itself."), maybe_done=True, stale=True),
    2207100: BAD_CALL,
}

# Main codes of the Instagram family, for a subcode that nobody has told us about.
BY_CODE.update(
    {
        (-2, None): CONTAINER_TROUBLE,
        (9, None): ACCOUNT_LIMIT,
        (24, None): BY_NUMBER[2207006],
        (25, None): BY_NUMBER[2207050],
        (9004, None): MEDIA_UNREACHABLE,
        (9007, None): BY_NUMBER[2207027],
        (36000, None): BY_NUMBER[2207004],
        (36001, None): BY_NUMBER[2207005],
        (36003, None): BY_NUMBER[2207009],
        (36004, None): BY_NUMBER[2207010],
    }
)

BY_RANGE: tuple[tuple[range, Meaning], ...] = (
    (range(200, 300), PERMISSION),
    (range(80000, 80015), ACCOUNT_LIMIT),
)

# What the host of binary uploads calls its errors; it has no codes.
BY_UPLOAD_TYPE: dict[str, Meaning] = {
    "OffsetInvalidError": WRONG_OFFSET,
    "ProcessingFailedError": VIDEO_TROUBLE,
    "ParameterValidationError": BAD_CALL,
    "OAuthException": EXPIRED,
}

# Where only the words tell: (code, what the message holds).
BY_TEXT: tuple[tuple[int, re.Pattern[str], Meaning], ...] = (
    (1, re.compile(r"reduce the amount of data", re.I), Meaning(Kind.TOO_MUCH, TROUBLE.text)),
    (1, re.compile(r"client secret", re.I), BY_CODE[101, None]),
    (10, re.compile(r"not enough viewers", re.I), Meaning(Kind.NO_DATA, _("Too few people have seen this yet."))),
    (100, re.compile(r"appsecret_proof", re.I), BY_CODE[104, None]),
    (
        100,
        re.compile(r"valid insights metric|metric\[\d+\] must be one of", re.I),
        Meaning(Kind.DEAD_METRIC, _("Meta no longer has one of the figures that we asked for.")),
    ),
    (
        100,
        re.compile(r"metric\b.*\bnot (?:supported|available)|not support the \w+ metric", re.I),
        Meaning(Kind.WRONG_METRIC, _("Meta does not have one of the figures that we asked for here.")),
    ),
)

UNREADABLE = _retry(
    _("Meta answered with something that is not an answer. It is tried again by itself."), maybe_done=True
)
REFUSED = CONTENT_REFUSED
OUTCOME_UNKNOWN = _(
    "Meta's answer does not tell whether the post went out. We look at the account before anything is tried again."
)
del _


def meaning_of(code: int, subcode: int | None, message: str = "", error_type: str = "", status: int = 400) -> Meaning:
    """Look a code up: words where only they tell, the exact pair, the unique numbers, the main code, its range."""
    for text_code, pattern, meaning in BY_TEXT:
        if code == text_code and pattern.search(message):
            return meaning
    found = (
        BY_CODE.get((code, subcode))
        or BY_NUMBER.get(subcode or 0)
        or BY_NUMBER.get(code)
        or BY_CODE.get((code, None))
        or next((meaning for numbers, meaning in BY_RANGE if code in numbers), None)
    )
    if found:
        return found
    if error_type == "OAuthException" and status == 401:
        return EXPIRED
    return TROUBLE if status >= 500 else REFUSED


def _number(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def error_of(
    reply: Reply,
    *,
    commit: bool = False,
    reading: bool = False,
    account_id: str = "",
    stale: tuple[str, ...] = (),
    secrets: tuple[str, ...] = (),
    now: datetime | None = None,
) -> PlatformError:
    """The error that an answer stands for.

    commit: the call must not be made twice. reading: a refused parameter is our fault, not the post's. stale: handles
    that the call has used, forgotten when Meta says they are used up. secrets: to be kept out of Meta's words.
    """
    envelope = reply.json.get("error") if isinstance(reply.json, dict) else None
    if not isinstance(envelope, dict):
        return _build(UNREADABLE, commit=commit, stale=stale, details={"code": f"HTTP {reply.status}"})
    code, subcode = _number(envelope.get("code")), _number(envelope.get("error_subcode"))
    message = str(envelope.get("message") or "")
    meaning = (
        meaning_of(code, subcode, message, str(envelope.get("type") or ""), reply.status)
        if code is not None
        else (UNREADABLE if reply.status >= 500 else REFUSED)
    )
    if reading and meaning is BAD_REQUEST:
        meaning = BAD_CALL
    details = {
        "platform_message": redact(str(envelope.get("error_user_msg") or message), *secrets)[:1000],
        "code": "" if code is None else str(code),
        "subcode": "" if subcode is None else str(subcode),
        "request_id": str(envelope.get("fbtrace_id") or "")[:100] or reply.request_id,
    }
    if meaning.kind is Kind.OFFSET:
        return OffsetError(gettext(meaning.text), offset=_offset_in(envelope.get("error_data")), **details)
    until = None
    if meaning.kind is Kind.LIMIT:
        usage = usage_of(reply.headers)
        wait = (usage.regain_seconds(account_id) if usage else 0) or meaning.wait_seconds
        until = (now or datetime.now(UTC)) + timedelta(seconds=wait)
    return _build(meaning, commit=commit, stale=stale, until=until, details=details)


def _offset_in(data: object) -> int | None:
    """error_data is an object, or the text of one."""
    try:
        parsed = json.loads(data) if isinstance(data, str) else data
    except ValueError:
        return None
    return _number(parsed.get("start_offset")) if isinstance(parsed, dict) else None


def upload_error_of(reply: Reply, *, stale: tuple[str, ...] = (), secrets: tuple[str, ...] = ()) -> PlatformError:
    """The error that an answer of the host of binary uploads stands for. Nothing is public by then."""
    told = reply.json.get("debug_info") if isinstance(reply.json, dict) else None
    told = told if isinstance(told, dict) else {}
    kind = str(told.get("type") or "")
    meaning = EXPIRED if reply.status == 401 else BY_UPLOAD_TYPE.get(kind)
    if meaning is None and (reply.status in (404, 410) or told.get("retriable") is False):
        meaning = UPLOAD_LOST
    details = {
        "platform_message": redact(str(told.get("message") or ""), *secrets)[:1000],
        "code": kind or f"HTTP {reply.status}",
        "request_id": reply.request_id,
    }
    return _build(meaning or UNREADABLE, commit=False, stale=stale, details=details)


def is_repeat(error: PlatformError) -> bool:
    """Meta took it for something that was already posted: perhaps our own call, whose answer was lost."""
    return bool({error.code, error.subcode} & {"506", "1366051", "1404082"})


def error_of_code(code: int, subcode: int | None, message: str, *, stale: tuple[str, ...] = ()) -> PlatformError:
    """The error of a code that came in another way than the envelope, such as a container's status text."""
    envelope = {"code": code, "error_subcode": subcode, "message": message}
    return error_of(Reply(400, {"error": envelope}), stale=stale)


def _build(
    meaning: Meaning,
    *,
    commit: bool,
    stale: tuple[str, ...],
    details: Mapping[str, Any],
    until: datetime | None = None,
) -> PlatformError:
    if commit and meaning.maybe_done:
        return OutcomeUnknownError(gettext(OUTCOME_UNKNOWN), **details)
    text = gettext(meaning.text)
    forget = stale if meaning.stale else ()
    if meaning.kind is Kind.LIMIT:
        return LimitedError(text, until=until, **details)
    if meaning.kind is Kind.RECONNECT:
        return ReconnectError(text, revoked=meaning.revoked, **details)
    return CLASSES[meaning.kind](text, forget=forget, **details)


def batch_part(part: object) -> Reply | None:
    """One entry of a batch answer; None: it timed out there and may be repeated."""
    if not isinstance(part, dict):
        return None
    body = part.get("body")
    try:
        parsed = json.loads(body) if isinstance(body, str) else body
    except ValueError:
        parsed = None
    return Reply(_number(part.get("code")) or 0, parsed)
