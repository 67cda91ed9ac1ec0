from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from socialhub.platforms import errors
from socialhub.platforms.http import Reply
from socialhub.platforms.linkedin_errors import (
    BY_CODE,
    CLASSES,
    Kind,
    NotReadyError,
    VersionError,
    error_of,
    oauth_error_of,
)
from tests.platforms.linkedin import SECRET, TOKEN, error

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

RETRY, LIMIT, RECONNECT = errors.TemporaryError, errors.LimitedError, errors.ReconnectError
PERMISSION, REJECT, UNKNOWN = errors.PermissionMissingError, errors.RejectedError, errors.OutcomeUnknownError
BUG, GONE = errors.OurBugError, errors.NotFoundError

# status, code, serviceErrorCode, message, codes of fields; the class where the call may be repeated, and that of the
# call that publishes where it is another one.
TABLE = [
    (401, "", 65600, "Invalid access token", (), RECONNECT, None),
    (401, "REVOKED_ACCESS_TOKEN", 65601, "The token was revoked", (), RECONNECT, None),
    (401, "", 65601, "The token was revoked", (), RECONNECT, None),
    (401, "EXPIRED_ACCESS_TOKEN", 65602, "The token has expired", (), RECONNECT, None),
    (401, "EMPTY_ACCESS_TOKEN", None, "Empty oauth2 access token", (), RECONNECT, None),
    (401, "INVALID_ACCESS_TOKEN", None, "Invalid", (), RECONNECT, None),
    (401, "UNAUTHORIZED", None, "No", (), RECONNECT, None),
    (403, "ACCESS_DENIED", 100, "Not enough permissions to access: posts.CREATE", (), PERMISSION, None),
    (403, "", 100, "Not enough permissions to access: partnerApiPostsExternal.CREATE", (), PERMISSION, None),
    (403, "", None, "Forbidden", (), PERMISSION, None),
    (429, "TOO_MANY_REQUESTS", None, "Resource level throttle limit", (), LIMIT, None),
    (400, "FIELD_LENGTH_TOO_LONG", None, "too long", (), REJECT, None),
    (400, "", None, "errors", ("FIELD_LENGTH_TOO_LONG",), REJECT, None),
    (400, "MISSING_FIELD", None, "x", (), REJECT, None),
    (400, "INVALID_VALUE_FOR_FIELD", None, "x", (), REJECT, None),
    (400, "INVALID_URN_ID", None, "x", (), REJECT, None),
    (400, "INVALID_URN_TYPE", None, "x", (), REJECT, None),
    (400, "ILLEGAL_ARGUMENT", None, "x", (), REJECT, None),
    (400, "SOMETHING_NEW", None, "x", (), REJECT, None),
    (422, "", None, "unrecognized field found but not allowed", (), REJECT, None),
    (422, "", None, "field is required but not found and has no default value", (), REJECT, None),
    (422, "UNPROCESSABLE_ENTITY", None, "urn:li:share:7", ("DUPLICATE_POST",), REJECT, UNKNOWN),
    (422, "", None, "Content is a duplicate of urn:li:share:7", (), REJECT, UNKNOWN),
    (409, "", None, "conflict", (), RETRY, UNKNOWN),
    (400, "MEDIA_ASSET_WAITING_UPLOAD", None, "x", (), NotReadyError, None),
    (422, "", None, "x", ("MEDIA_ASSET_WAITING_UPLOAD",), NotReadyError, None),
    (400, "MEDIA_ASSET_PROCESSING", None, "x", (), NotReadyError, None),
    (400, "", None, "The image is still processing", (), NotReadyError, None),
    (400, "MEDIA_ASSET_PROCESSING_FAILED", None, "x", (), RETRY, None),
    (400, "EXPIRED_UPLOAD_URL", None, "x", (), RETRY, None),
    (404, "NOT_FOUND", None, "x", (), GONE, None),
    (405, "", None, "x", (), BUG, None),
    (411, "", None, "x", (), BUG, None),
    (415, "", None, "x", (), BUG, None),
    (400, "VERSION_MISSING", None, "A version must be present", (), BUG, None),
    (400, "", None, "Header LinkedIn-Version is required", (), BUG, None),
    (426, "NONEXISTENT_VERSION", None, "Requested version 20240101 is not active", (), VersionError, None),
    (426, "", None, "", (), VersionError, None),
    (408, "", None, "", (), RETRY, UNKNOWN),
    (500, "INTERNAL_SERVER_ERROR", None, "could not obtain the activity", (), RETRY, UNKNOWN),
    (502, "", None, "", (), RETRY, UNKNOWN),
    (503, "SERVICE_UNAVAILABLE", None, "", (), RETRY, UNKNOWN),
    (504, "GATEWAY_TIMEOUT", None, "", (), RETRY, UNKNOWN),
    (302, "", None, "", (), RETRY, UNKNOWN),
]


@pytest.mark.parametrize(("status", "code", "service", "message", "inputs", "wanted", "on_commit"), TABLE)
def test_every_signal_has_its_class(status, code, service, message, inputs, wanted, on_commit):
    reply = Reply(status, error(status, code, service, message, *inputs))
    assert type(error_of(reply)) is wanted
    assert type(error_of(reply, commit=True)) is (on_commit or wanted)


def test_the_table_names_every_code():
    named = {row[1] for row in TABLE} | {code for row in TABLE for code in row[4]}
    assert set(BY_CODE) <= named
    assert set(CLASSES) == set(Kind)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500, 503])
def test_an_answer_without_words_is_sorted_by_its_status(status):
    by_status = {400: REJECT, 401: RECONNECT, 403: PERMISSION, 404: GONE, 422: REJECT, 429: LIMIT}
    assert type(error_of(Reply(status, None))) is by_status.get(status, RETRY)
    assert type(error_of(Reply(status, None), commit=True)) is by_status.get(status, UNKNOWN)


def test_a_field_tells_more_than_the_envelope():
    found = error_of(Reply(422, error(422, "ILLEGAL_ARGUMENT", None, "x", "DUPLICATE_POST")), commit=True)
    assert (type(found), found.code) == (UNKNOWN, "DUPLICATE_POST")


def test_a_duplicate_keeps_the_name_of_the_earlier_post():
    message = "Content is a duplicate of urn:li:share:7123"
    found = error_of(Reply(422, error(422, "", None, message, "DUPLICATE_POST")), commit=True)
    assert "urn:li:share:7123" in found.platform_message
    assert "already there" in found.message


def test_only_a_revoked_token_counts_as_taken_away():
    for service, revoked in ((65600, False), (65601, True), (65602, False)):
        assert error_of(Reply(401, error(401, "", service))).revoked is revoked


def test_the_limit_ends_some_minutes_into_the_next_utc_day():
    reply = Reply(429, error(429))
    for now in (NOW, datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), NOW.astimezone()):
        midnight = (now.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        until = error_of(reply, now=now).until
        assert timedelta(0) < until - midnight <= timedelta(minutes=10)
    assert error_of(reply, now=NOW).until != error_of(reply, now=NOW).until


def test_what_is_refused_while_reading_is_our_fault():
    assert type(error_of(Reply(400, error(400, "ILLEGAL_ARGUMENT")), reading=True)) is BUG
    assert type(error_of(Reply(403, error(403)), reading=True)) is PERMISSION


@pytest.mark.parametrize("status", [403, 404])
def test_figures_that_are_not_found_are_not_open_to_this_app(status):
    found = error_of(Reply(status, error(status)), reading=True, analytics=True)
    assert type(found) is PERMISSION
    assert "figures" in found.message


def test_a_version_fault_is_nobodys_but_the_operators():
    found = error_of(Reply(426, error(426, "NONEXISTENT_VERSION")), commit=True)
    assert isinstance(found, BUG)
    assert "LINKEDIN_API_VERSION" in found.message


@pytest.mark.parametrize(
    ("code", "forgotten", "kept"),
    [
        ("MEDIA_ASSET_WAITING_UPLOAD", ["ready:began", "ready"], ["image:1"]),
        ("MEDIA_ASSET_PROCESSING_FAILED", ["image:1", "ready:began"], ["steps_done", "again:image:1"]),
        ("EXPIRED_UPLOAD_URL", ["image:1"], ["steps_done"]),
        ("ILLEGAL_ARGUMENT", [], ["image:1", "ready"]),
    ],
)
def test_what_is_used_up_is_forgotten(code, forgotten, kept):
    forget = error_of(Reply(400, error(400, code)), commit=True).forget
    assert all(name.startswith(forget) for name in forgotten)
    assert not any(forget and name.startswith(forget) for name in kept)


def test_support_ids_and_numbers_are_kept():
    reply = Reply(403, error(403, "ACCESS_DENIED", 100), {"x-li-uuid": "AAY=", "x-li-request-id": "r"})
    found = error_of(reply)
    assert (found.code, found.subcode, found.request_id) == ("ACCESS_DENIED", "100", "AAY=")
    assert error_of(Reply(500, None, {"x-li-request-id": "r1"})).request_id == "r1"
    assert error_of(Reply(500, None)).code == "HTTP 500"


def test_what_linkedin_says_of_fields_is_shown():
    found = error_of(Reply(400, error(400, "", None, "ERRORS", "FIELD_LENGTH_TOO_LONG")))
    assert found.platform_message == "ERRORS commentary: about FIELD_LENGTH_TOO_LONG"


def test_strange_envelopes_do_not_trip_us():
    for strange in (
        {"errorDetails": {"inputErrors": "no"}},
        {"errorDetails": [1], "serviceErrorCode": "x", "code": None, "message": None},
        {"errorDetails": {"inputErrors": [None, {"code": 5, "input": {"inputPath": 3}}]}},
        [],
        "text",
    ):
        assert type(error_of(Reply(400, strange))) is REJECT


def test_no_secret_gets_into_words():
    message = f"bad {TOKEN} and {SECRET} at https://api.linkedin.com/x?oauth2_access_token=abcdefghijk"
    found = error_of(Reply(400, error(400, "", None, message)), secrets=(TOKEN, SECRET))
    assert TOKEN not in found.platform_message
    assert SECRET not in found.platform_message
    assert "abcdefghijk" not in found.platform_message
    assert found.platform_message.startswith("bad […] and […] at https://api.linkedin.com/…")


@pytest.mark.parametrize(
    ("status", "name", "plain", "refreshing"),
    [
        (400, "invalid_grant", REJECT, RECONNECT),
        (400, "invalid_request", REJECT, RECONNECT),
        (401, "invalid_client", BUG, BUG),
        (400, "invalid_client_id", BUG, BUG),
        (401, "", BUG, BUG),
        (400, "invalid_redirect_uri", BUG, BUG),
        (404, "", BUG, BUG),
        (429, "", LIMIT, LIMIT),
        (500, "server_error", RETRY, RETRY),
        (503, "", RETRY, RETRY),
    ],
)
def test_the_token_endpoints(status, name, plain, refreshing):
    reply = Reply(status, {"error": name, "error_description": f"bad {TOKEN}"} if name else None)
    assert type(oauth_error_of(reply)) is plain
    found = oauth_error_of(reply, refreshing=True, secrets=(TOKEN,))
    assert type(found) is refreshing
    assert TOKEN not in found.platform_message
