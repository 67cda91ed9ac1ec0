from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests
import time_machine

from socialhub.platforms.buffer import BufferApi, BufferConfig
from socialhub.platforms.buffer_errors import (
    ChannelDisconnectedError,
    ChannelLimitError,
    DuplicateError,
    TokenRefusedError,
    post_error,
)
from socialhub.platforms.errors import (
    LimitedError,
    NotFoundError,
    OurBugError,
    OutcomeUnknownError,
    PermissionMissingError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from tests.platforms import buffer_wire as wire

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
POST = {"channelId": wire.CHANNEL_ID, "schedulingType": "automatic", "mode": "shareNow", "text": "Hi", "assets": []}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def buffer():
    with wire.Buffer(assert_all_requests_are_fired=True) as mock:
        yield mock


@pytest.fixture
def api() -> BufferApi:
    return BufferApi(BufferConfig(client_id="client-1", client_secret=wire.SECRET))


def create(api):
    return api.create_post(wire.TOKEN, POST)


def read(api):
    return api.post(wire.TOKEN, wire.POST_ID)


# The type of the payload


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        (wire.refused("InvalidInputError", "Image dimensions could not be read"), RejectedError),
        (wire.refused("InvalidInputError", "This is a duplicate of a recent post"), DuplicateError),
        (wire.refused("LimitReachedError", "10 scheduled posts"), ChannelLimitError),
        (wire.refused("NotFoundError", "Channel not found"), NotFoundError),
        (wire.refused("UnauthorizedError", "Not allowed"), PermissionMissingError),
        (wire.refused("UnexpectedError", "Oops"), OutcomeUnknownError),
        (wire.refused("NewError", "Something Buffer invented later"), RejectedError),
        (wire.refused("NewError", ""), OutcomeUnknownError),
        (wire.refused("RestProxyError", "Text too long", code=1003, link=None), RejectedError),
        (wire.refused("RestProxyError", "Text too long", code=None, link=None), RejectedError),
        (wire.refused("RestProxyError", "Text too long", code=503, link=None), OutcomeUnknownError),
        (wire.refused("RestProxyError", "Something went wrong", code=None, link=None), OutcomeUnknownError),
        (wire.refused("RestProxyError", "", code=None, link=None), OutcomeUnknownError),
        (wire.refused("RestProxyError", "Reconnect your account", code=401, link=None), ChannelDisconnectedError),
        (wire.refused("UnexpectedError", "Please reconnect your channel"), OutcomeUnknownError),
        (wire.refused("RestProxyError", "Already posted", code=1025, link=None), DuplicateError),
        (wire.refused("InvalidInputError", "Please reconnect your channel"), ChannelDisconnectedError),
        ({"__typename": "PostActionSuccess", "post": None}, OutcomeUnknownError),
        ({"__typename": "PostActionSuccess", "post": {"status": "sending"}}, OutcomeUnknownError),
        ("a text", OutcomeUnknownError),
    ],
)
def test_what_a_payload_means(api, buffer, payload, wanted):
    buffer.answers("createPost", payload)
    with pytest.raises(wanted) as caught:
        create(api)
    assert type(caught.value) is wanted
    if isinstance(payload, dict) and payload.get("message"):
        assert caught.value.platform_message == payload["message"]
        assert caught.value.message != payload["message"]


def test_the_code_of_a_passed_on_refusal_is_kept(api, buffer):
    buffer.answers("createPost", wire.refused("RestProxyError", "Text too long", code=1003, link=None))
    with pytest.raises(RejectedError) as caught:
        create(api)
    assert (caught.value.code, caught.value.subcode) == ("RestProxyError", "1003")


# The list of errors


@pytest.mark.parametrize(
    ("code", "on_create", "on_read"),
    [
        ("UNAUTHENTICATED", TokenRefusedError, TokenRefusedError),
        ("UNAUTHORIZED", TokenRefusedError, TokenRefusedError),
        ("FORBIDDEN", PermissionMissingError, PermissionMissingError),
        ("NOT_FOUND", NotFoundError, NotFoundError),
        ("UNEXPECTED", OutcomeUnknownError, TemporaryError),
        ("RATE_LIMIT_EXCEEDED", LimitedError, LimitedError),
        (None, OurBugError, OurBugError),
    ],
)
def test_what_a_code_means(api, buffer, code, on_create, on_read):
    buffer.fails(code)
    buffer.fails(code)
    for call, wanted in ((create, on_create), (read, on_read)):
        with pytest.raises(wanted) as caught:
            call(api)
        assert type(caught.value) is wanted


def test_what_failed_while_running_may_have_happened_although_it_has_no_code(api, buffer):
    buffer.fails(path=["createPost"])
    buffer.fails(path=["post"])
    with pytest.raises(OutcomeUnknownError):
        create(api)
    with pytest.raises(TemporaryError):
        read(api)


def test_a_post_beside_an_error_is_taken(api, buffer):
    buffer.fails("UNEXPECTED", data={"createPost": wire.taken()}, path=["createPost", "post", "tags"])
    assert create(api).id == wire.POST_ID


def test_an_answer_beside_an_error_is_not_whole_when_reading(api, buffer):
    buffer.fails("FORBIDDEN", data={"post": wire.post()}, path=["post", "tags"])
    with pytest.raises(PermissionMissingError):
        read(api)


def test_a_refused_token_is_also_a_lost_connection(api, buffer):
    buffer.fails("UNAUTHENTICATED", status=401)
    with pytest.raises(ReconnectError, match="paste a new one") as caught:
        read(api)
    assert isinstance(caught.value, TokenRefusedError)


# The HTTP status


@pytest.mark.parametrize(
    ("status", "on_create", "on_read"),
    [
        (400, OurBugError, OurBugError),
        (401, TokenRefusedError, TokenRefusedError),
        (403, PermissionMissingError, PermissionMissingError),
        (404, OurBugError, OurBugError),
        (302, OurBugError, OurBugError),
        (408, OutcomeUnknownError, TemporaryError),
        (429, LimitedError, LimitedError),
        (500, OutcomeUnknownError, TemporaryError),
        (502, OutcomeUnknownError, TemporaryError),
        (504, OutcomeUnknownError, TemporaryError),
    ],
)
def test_what_a_status_without_a_body_means(api, buffer, status, on_create, on_read):
    for call, wanted in ((create, on_create), (read, on_read)):
        buffer.post(wire.API, status=status, body="<html>")
        with pytest.raises(wanted) as caught:
            call(api)
        assert type(caught.value) is wanted


@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", '{"data": null}', '{"data": {}}', '{"data": {"createPost": null}}']
)
def test_an_answer_that_is_none_leaves_the_outcome_open(api, buffer, body):
    buffer.post(wire.API, body=body)
    buffer.post(wire.API, body=body)
    with pytest.raises(OutcomeUnknownError):
        create(api)
    with pytest.raises(TemporaryError):
        read(api)


@pytest.mark.parametrize(
    ("failure", "on_create", "on_read"),
    [
        (requests.ReadTimeout(), OutcomeUnknownError, TemporaryError),
        (requests.ConnectionError("reset"), OutcomeUnknownError, TemporaryError),
        (requests.ConnectTimeout(), TemporaryError, TemporaryError),
    ],
)
def test_what_silence_means(api, buffer, failure, on_create, on_read):
    for call, wanted in ((create, on_create), (read, on_read)):
        buffer.post(wire.API, body=failure)
        with pytest.raises(wanted) as caught:
            call(api)
        assert type(caught.value) is wanted
    assert len(buffer.calls) == 2


# Limits


@pytest.mark.parametrize(
    ("window", "headers", "wait"),
    [
        ("15m", {"Retry-After": "77"}, timedelta(seconds=77)),
        ("15m", {}, timedelta(minutes=15)),
        ("24h", {}, timedelta(hours=1)),
        ("30d", {}, timedelta(days=1)),
        ("", {}, timedelta(minutes=15)),
        ("24h", {"Retry-After": "soon"}, timedelta(hours=1)),
        ("30d", {"Retry-After": "9e15"}, timedelta(days=30)),
        ("15m", {"Retry-After": "-5"}, timedelta(seconds=1)),
    ],
)
def test_too_many_calls_wait(api, buffer, window, headers, wait):
    buffer.fails("RATE_LIMIT_EXCEEDED", status=429, extensions={"window": window}, headers=headers)
    with pytest.raises(LimitedError) as caught:
        create(api)
    assert caught.value.until == NOW + wait
    assert caught.value.subcode == window


@pytest.mark.parametrize("form", ["separate", "joined"])
def test_a_refusal_for_too_many_calls_tells_the_windows_too(buffer, form):
    values, policies = (
        ['"a";r=0;t=60', '"b";r=9;t=70', '"c";r=99;t=80'],
        ['"a";q=100;w=900', '"b";q=250;w=86400', '"c";q=3000;w=2592000'],
    )
    told = []
    headers = [("RateLimit", ", ".join(values)), ("RateLimit-Policy", ", ".join(policies))]
    if form == "separate":
        headers = [("RateLimit", value) for value in values] + [("RateLimit-Policy", policy) for policy in policies]
    buffer.fails("RATE_LIMIT_EXCEEDED", status=429, headers=headers)
    with pytest.raises(LimitedError):
        create(BufferApi(BufferConfig(), on_usage=told.append))
    assert [(window.seconds, window.remaining, window.limit) for window in told[0].windows] == [
        (900, 0, 100),
        (86_400, 9, 250),
        (2_592_000, 99, 3000),
    ]


# Words


@pytest.mark.parametrize("secret", [wire.TOKEN, wire.SECRET])
@pytest.mark.parametrize("place", ["errors", "payload"])
def test_no_secret_gets_into_words(buffer, secret, place):
    api = BufferApi(BufferConfig(client_secret=wire.SECRET))
    words = f"Rejected {secret} for https://m.example/m/signed-path/1.jpg"
    if place == "errors":
        buffer.fails("FORBIDDEN", message=words)
    else:
        buffer.answers("createPost", wire.refused("InvalidInputError", words))
    with pytest.raises((PermissionMissingError, RejectedError)) as caught:
        create(api)
    assert secret not in caught.value.platform_message
    assert "signed-path" not in caught.value.platform_message


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("Your X account needs to be reconnected. Please reconnect and try again.", ChannelDisconnectedError),
        ("Please reauthorize Buffer.", ChannelDisconnectedError),
        ("Your authentication token has expired", ChannelDisconnectedError),
        ("Whoops, it looks like you've already posted that one recently", DuplicateError),
        ("Status is a duplicate.", DuplicateError),
        ("You have posted this text recently", DuplicateError),
        ("The network refuses to publish it twice.", DuplicateError),
        ("The image is too large for X", RejectedError),
        ("", RejectedError),
    ],
)
def test_why_a_post_that_was_taken_failed(words, wanted):
    error = post_error(words)
    assert type(error) is wanted
    assert error.platform_message == words
