from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
import time_machine

from socialhub.platforms.buffer import (
    Board,
    BufferApi,
    BufferConfig,
    DailyLimit,
    Organization,
    UnendingError,
    channel_of,
    code_challenge,
)
from socialhub.platforms.buffer_errors import RefreshLostError
from socialhub.platforms.buffer_limits import WINDOWS, ClientWindow, windows_of
from socialhub.platforms.errors import (
    LimitedError,
    NotFoundError,
    OurBugError,
    OutcomeUnknownError,
    PermissionMissingError,
    PutOffError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.http import Transport
from tests.platforms import buffer_wire as wire
from tests.platforms.test_http import server

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TOKEN_URL = f"{wire.AUTH}/token"
REVOKE_URL = f"{wire.AUTH}/token/revocation"
REDIRECT = "https://hub.example/settings/accounts/callback/"
GRANT = {
    "access_token": "access-2-0123456789",
    "refresh_token": "refresh-2-0123456789",
    "expires_in": 3600,
    "scope": "posts:read posts:write account:read offline_access",
}
CONFIG = BufferConfig(client_id="client-1", client_secret=wire.SECRET)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def buffer():
    with wire.Buffer(assert_all_requests_are_fired=True) as mock:
        yield mock


@pytest.fixture
def api() -> BufferApi:
    return BufferApi(CONFIG)


def form(call) -> dict[str, str]:
    return dict(parse_qsl(call.request.body, keep_blank_values=True))


# Consent


def test_the_challenge_is_that_of_the_standard():
    assert (
        code_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_the_browser_is_sent_with_a_challenge_and_asks_for_consent(api):
    address = api.authorize_url(redirect_uri=REDIRECT, state="s1", code_challenge="c1")
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://auth.buffer.com/auth"
    assert {name: values[0] for name, values in parse_qs(parts.query).items()} == {
        "response_type": "code",
        "client_id": "client-1",
        "redirect_uri": REDIRECT,
        "scope": "posts:read posts:write account:read offline_access insights:read",
        "state": "s1",
        "code_challenge": "c1",
        "code_challenge_method": "S256",
        "prompt": "consent",
    }
    assert wire.SECRET not in address


@pytest.mark.parametrize("secret", [wire.SECRET, ""])
def test_a_code_becomes_tokens_and_a_public_client_sends_no_secret(buffer, secret):
    buffer.post(TOKEN_URL, json=GRANT)
    api = BufferApi(BufferConfig(client_id="client-1", client_secret=secret))
    tokens = api.exchange_code("code-1", REDIRECT, "verifier-1")
    assert (tokens.access_token, tokens.refresh_token) == (GRANT["access_token"], GRANT["refresh_token"])
    assert tokens.expires_at == NOW + timedelta(hours=1)
    assert tokens.scopes == ("posts:read", "posts:write", "account:read", "offline_access")
    assert form(buffer.calls[0]) == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": REDIRECT,
        "client_id": "client-1",
        "code_verifier": "verifier-1",
        **({"client_secret": secret} if secret else {}),
    }
    assert "Authorization" not in buffer.calls[0].request.headers


def test_an_old_code_is_a_refused_sign_in(api, buffer):
    buffer.post(TOKEN_URL, status=400, json={"error": "invalid_grant", "error_description": "code code-1-secret"})
    with pytest.raises(RejectedError, match="Start again") as caught:
        api.exchange_code("code-1-secret", REDIRECT, "verifier-1")
    assert "code-1-secret" not in caught.value.platform_message


@pytest.mark.parametrize("lost", [{"status": 503}, {"body": requests.ReadTimeout()}, {"body": "<html>"}])
def test_a_lost_code_is_started_again(api, buffer, lost):
    buffer.post(TOKEN_URL, **lost)
    with pytest.raises(TemporaryError, match="start again"):
        api.exchange_code("code-1", REDIRECT, "verifier-1")


# Refreshing


def test_a_refresh_brings_a_new_refresh_token(api, buffer):
    buffer.post(TOKEN_URL, json=GRANT)
    tokens = api.refresh("refresh-1-0123456789")
    assert tokens.refresh_token == "refresh-2-0123456789"
    assert form(buffer.calls[0]) == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-1-0123456789",
        "client_id": "client-1",
        "client_secret": wire.SECRET,
    }


def test_a_refresh_without_a_new_refresh_token_says_so(api, buffer):
    buffer.post(TOKEN_URL, json={"access_token": "a"})
    tokens = api.refresh("refresh-1-0123456789")
    assert (tokens.refresh_token, tokens.expires_at) == (None, NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    "lost",
    [
        {"body": requests.ReadTimeout()},
        {"body": requests.ConnectionError("broken pipe")},
        {"status": 502, "body": "<html>"},
        {"status": 200, "body": "<html>"},
        {"status": 200, "json": {"token_type": "Bearer"}},
    ],
)
def test_a_lost_answer_to_a_refresh_is_an_outcome_of_its_own(api, buffer, lost):
    buffer.post(TOKEN_URL, **lost)
    with pytest.raises(RefreshLostError) as caught:
        api.refresh("refresh-1-0123456789")
    assert isinstance(caught.value, OutcomeUnknownError)  # as the renewing of grants expects it
    assert len(buffer.calls) == 1  # the token is good once


def test_a_refresh_leaves_once_even_when_the_server_hangs_up():
    accepted: list = []
    with server(None, accepted=accepted, connections=3) as url:
        api = BufferApi(BufferConfig(client_id="c", auth_url=url), transport=Transport(read_timeout=0.5))
        with pytest.raises(RefreshLostError):
            api.refresh("refresh-1-0123456789")
        assert len(accepted) == 1


def test_a_refresh_that_never_left_may_be_made_again(api, buffer):
    buffer.post(TOKEN_URL, body=requests.ConnectTimeout())
    with pytest.raises(TemporaryError) as caught:
        api.refresh("refresh-1-0123456789")
    assert not isinstance(caught.value, OutcomeUnknownError)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("invalid_grant", ReconnectError),
        ("invalid_client", OurBugError),
        ("unauthorized_client", OurBugError),
        ("invalid_request", OurBugError),
    ],
)
def test_a_refused_refresh(api, buffer, name, wanted):
    buffer.post(TOKEN_URL, status=400, json={"error": name, "error_description": "no refresh-1-0123456789"})
    with pytest.raises(wanted) as caught:
        api.refresh("refresh-1-0123456789")
    assert caught.value.code == name
    assert "refresh-1" not in caught.value.platform_message


def test_too_many_refreshes_wait(api, buffer):
    buffer.post(TOKEN_URL, status=429, headers={"Retry-After": "30"})
    with pytest.raises(LimitedError) as caught:
        api.refresh("refresh-1-0123456789")
    assert caught.value.until == NOW + timedelta(seconds=30)


def test_revoking(api, buffer):
    buffer.post(REVOKE_URL, status=200)
    api.revoke("refresh-1-0123456789")
    assert form(buffer.calls[0])["token"] == "refresh-1-0123456789"


def test_revoking_what_is_gone_is_fine_and_a_wrong_app_is_not(api, buffer):
    buffer.post(REVOKE_URL, status=400, json={"error": "invalid_grant"})
    buffer.post(REVOKE_URL, status=400, json={"error": "invalid_client"})
    api.revoke("refresh-1-0123456789")
    with pytest.raises(OurBugError):
        api.revoke("refresh-1-0123456789")


def test_nothing_secret_is_in_the_words_of_our_objects(api, buffer):
    buffer.post(TOKEN_URL, json=GRANT)
    tokens = api.exchange_code("code-1", REDIRECT, "verifier-1")
    for secret in (wire.SECRET, GRANT["access_token"], GRANT["refresh_token"]):
        assert secret not in repr(CONFIG) + repr(tokens)


# Account and channels


def test_the_call_is_one_post_with_document_name_and_token(api, buffer):
    buffer.answers("account", {"id": "a1", "name": None, "email": "o@example.org", "organizations": []})
    api.account(wire.TOKEN)
    request = buffer.calls[0].request
    assert (request.method, request.url) == ("POST", f"{wire.API}/")
    assert request.headers["Authorization"] == f"Bearer {wire.TOKEN}"
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body)["operationName"] == "Account"


def test_an_account_has_organizations_with_limits(api, buffer):
    entry = {
        "id": wire.ORGANIZATION_ID,
        "name": "Club",
        "channelCount": 2,
        "limits": {"channels": 3, "scheduledPosts": 10},
    }
    bare = {"id": "o2", "name": "Other", "channelCount": 0, "limits": None}
    value = {"id": "a1", "name": "Olga", "email": "o@example.org", "timezone": "Europe/Berlin"}
    buffer.answers("account", {**value, "organizations": [entry, bare]})
    account = api.account(wire.TOKEN)
    assert (account.id, account.name, account.email, account.timezone) == (
        "a1",
        "Olga",
        "o@example.org",
        "Europe/Berlin",
    )
    assert account.organizations == (
        Organization(wire.ORGANIZATION_ID, "Club", 2, 3, 10),
        Organization("o2", "Other", 0, None, None),
    )


@pytest.mark.parametrize(
    ("service", "platform", "supported"),
    [
        ("twitter", "x", True),
        ("googlebusiness", "google_business", True),
        ("threads", "threads", True),
        ("bluesky", "bluesky", True),
        ("mastodon", "mastodon", True),
        ("pinterest", "pinterest", True),
        ("tiktok", "tiktok", True),
        ("youtube", "youtube", True),
        ("facebook", "facebook", False),
        ("startPage", "startpage", False),
        ("substack", "substack", False),
        ("whatsapp", "whatsapp", False),
    ],
)
def test_channels_of_all_services_are_kept(api, buffer, service, platform, supported):
    buffer.answers("channels", [wire.channel(service)])
    (channel,) = api.channels(wire.TOKEN, wire.ORGANIZATION_ID)
    assert (channel.service, channel.platform, channel.supported) == (service, platform, supported)
    assert bool(channel.obstacle) is not supported
    assert buffer.variables() == {"organizationId": wire.ORGANIZATION_ID}


def test_a_channel_has_all_that_a_card_shows(api, buffer):
    buffer.answers("channel", wire.channel())
    channel = api.channel(wire.TOKEN, wire.CHANNEL_ID)
    assert (channel.id, channel.organization_id, channel.service_id) == (
        wire.CHANNEL_ID,
        wire.ORGANIZATION_ID,
        "1234567",
    )
    assert (channel.name, channel.handle, channel.display_name) == ("@camaro_club", "camaro_club", "Camaro Club")
    assert channel.avatar == "https://images.example/camaro.jpg"
    assert (channel.external_link, channel.timezone) == ("https://x.com/camaro_club", "Europe/London")
    assert (channel.obstacle, channel.notices) == ("", ())


def test_what_only_some_services_have():
    boards = [{"id": "b1", "serviceId": "777", "name": "Cars", "url": "https://pinterest.example/cars"}]
    pinterest = channel_of(wire.channel("pinterest", metadata={"__typename": "PinterestMetadata", "boards": boards}))
    mastodon = channel_of(wire.channel("mastodon", metadata={"serverUrl": "https://mastodon.example"}))
    x = channel_of(wire.channel(metadata={"subscriptionType": "Premium"}, displayName=None, externalLink=None))
    assert pinterest.boards == (Board("777", "Cars", "https://pinterest.example/cars"),)
    assert mastodon.server_url == "https://mastodon.example"
    assert (x.subscription_type, x.display_name, x.external_link) == ("Premium", "", "")


@pytest.mark.parametrize(
    ("flag", "said", "blocks"),
    [
        ("isDisconnected", "reconnect the channel", True),
        ("isLocked", "Buffer plan", True),
        ("isQueuePaused", "Resume the queue", False),
    ],
)
def test_each_flag_says_what_to_do(flag, said, blocks):
    channel = channel_of(wire.channel(**{flag: True}))
    (notice,) = channel.notices
    assert said in notice
    assert bool(channel.obstacle) is blocks


def test_the_organization_of_a_channel_is_asked_once(api, buffer):
    buffer.answers("channel", wire.channel())
    for _again in range(2):
        assert api.organization_of(wire.TOKEN, wire.CHANNEL_ID) == wire.ORGANIZATION_ID
    assert len(buffer.calls) == 1


def test_a_removed_channel_is_not_found(api, buffer):
    buffer.fails("NOT_FOUND", path=["channel"])
    with pytest.raises(NotFoundError, match="connect it again"):
        api.channel(wire.TOKEN, wire.CHANNEL_ID)


def test_services_that_nobody_has_told_us_about_are_seen(api, buffer):
    buffer.answers("__type", {"enumValues": [{"name": "twitter"}, {"name": "substack"}]})
    assert api.services(wire.TOKEN) == ["twitter", "substack"]


def test_daily_limits_of_many_channels_cost_one_call(api, buffer):
    entry = {"channelId": "c1", "limit": 25, "scheduled": 1, "sent": 24, "isAtLimit": True}
    free = {"channelId": "c2", "limit": None, "scheduled": 0, "sent": 3, "isAtLimit": False}
    buffer.answers("dailyPostingLimits", [entry, free])
    limits = api.daily_limits(wire.TOKEN, ["c1", "c2"], date(2026, 11, 20))
    assert limits == {"c1": DailyLimit("c1", 25, 1, 24, True), "c2": DailyLimit("c2", None, 0, 3, False)}
    assert buffer.variables() == {"input": {"channelIds": ["c1", "c2"], "date": "2026-11-20T00:00:00Z"}}


# Posts


def test_posts_are_read_page_by_page(api, buffer):
    buffer.answers("posts", wire.page(wire.post(id="p1"), after="n1"), wire.page(wire.post(id="p2")))
    posts = api.posts(
        wire.TOKEN,
        wire.ORGANIZATION_ID,
        channel_ids=["c1"],
        statuses=["sent", "error"],
        created_since=NOW - timedelta(hours=1),
        newest_first=False,
    )
    assert [post.id for post in posts] == ["p1", "p2"]
    assert buffer.variables(0) == {
        "input": {
            "organizationId": wire.ORGANIZATION_ID,
            "filter": {
                "channelIds": ["c1"],
                "status": ["sent", "error"],
                "createdAt": {"start": "2026-11-20T11:00:00.000Z"},
            },
            "sort": [{"field": "createdAt", "direction": "asc"}],
        },
        "first": 50,
        "after": None,
    }
    assert buffer.variables(1)["after"] == "n1"


def test_no_edges_are_no_posts(api, buffer):
    buffer.answers("posts", {"edges": None, "pageInfo": {"hasNextPage": False, "endCursor": None}})
    assert list(api.posts(wire.TOKEN, wire.ORGANIZATION_ID)) == []


def test_a_cursor_that_does_not_move_ends_the_reading(api, buffer):
    buffer.answers("posts", wire.page(wire.post(), after="same"), wire.page(wire.post(), after="same"))
    assert len(list(api.posts(wire.TOKEN, wire.ORGANIZATION_ID))) == 2


def test_a_list_without_an_end_is_not_taken_for_whole(api, buffer):
    buffer.answers("posts", wire.page(wire.post(), after="n1"), wire.page(wire.post(), after="n2"))
    with pytest.raises(UnendingError):
        list(api.posts(wire.TOKEN, wire.ORGANIZATION_ID, page_limit=2, whole=True))


@pytest.mark.parametrize("answer", ["deleted", "typed", "NOT_FOUND"])
def test_deleting_what_is_gone_is_done(api, buffer, answer):
    if answer == "NOT_FOUND":
        buffer.fails(answer, path=["deletePost"])
    elif answer == "typed":
        buffer.answers("deletePost", wire.refused("VoidMutationError", "Post not found"))
    else:
        buffer.answers("deletePost", {"__typename": "DeletePostSuccess", "id": wire.POST_ID})
    api.delete_post(wire.TOKEN, wire.POST_ID)
    assert buffer.variables() == {"id": wire.POST_ID}


# What the headers tell

SEPARATE = (
    ("RateLimit", '"burst";r=97;t=840'),
    ("RateLimit", '"day";r=200;t=70000'),
    ("RateLimit", '"month";r=2900;t=2000000'),
    ("RateLimit-Policy", '"burst";q=100;w=900;pk=:YWJjPT0=:'),
    ("RateLimit-Policy", '"day";q=250;w=86400;pk=:YWJjPT0=:'),
    ("RateLimit-Policy", '"month";q=3000;w=2592000;pk=:YWJjPT0=:'),
)
READ = (
    ClientWindow(900, 97, 840, 100),
    ClientWindow(86_400, 200, 70_000, 250),
    ClientWindow(2_592_000, 2900, 2_000_000, 3000),
)


def joined(name: str) -> str:
    return ", ".join(value for header, value in SEPARATE if header == name)


def test_limits_in_joined_headers():
    headers = {"RateLimit": joined("RateLimit"), "RateLimit-Policy": joined("RateLimit-Policy")}
    assert windows_of(headers) == READ


def test_limits_in_separate_headers_reach_who_keeps_the_books():
    body = b'{"data": {"channels": []}}'
    lines = "".join(f"{name}: {value}\r\n" for name, value in SEPARATE)
    reply = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    told = []
    with server(reply.encode() + body) as url:
        BufferApi(BufferConfig(api_url=url), on_usage=told.append).channels(wire.TOKEN, "o1")
    (usage,) = told
    assert usage.windows == READ
    assert usage.client
    assert wire.TOKEN not in repr(usage)


def test_windows_are_told_apart_by_their_length_not_their_name():
    swapped = {
        "RateLimit": '"15m";r=2900;t=5, "30d";r=97;t=6',
        "RateLimit-Policy": '"30d";q=100;w=900, "15m";q=3000;w=2592000',
    }
    assert windows_of(swapped) == (ClientWindow(900, 97, 6, 100), ClientWindow(2_592_000, 2900, 5, 3000))


def test_names_that_do_not_match_are_read_in_order():
    headers = {"RateLimit": '"a";r=9;t=1, "b";r=8;t=2', "RateLimit-Policy": '"c";q=10;w=900, "d";q=20;w=86400'}
    assert windows_of(headers) == (ClientWindow(900, 9, 1, 10), ClientWindow(86_400, 8, 2, 20))


@pytest.mark.parametrize("reset", ["60", str(int(NOW.timestamp()) + 60)])
def test_the_older_headers(reset):
    headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "7", "X-RateLimit-Reset": reset}
    assert windows_of(headers, NOW) == (ClientWindow(900, 7, 60, 100),)


@pytest.mark.parametrize("value", ["", "nonsense", '"a";r=x;t=1', '"a"', ",,;"])
def test_headers_that_say_nothing(value):
    assert windows_of({"RateLimit": value, "RateLimit-Policy": '"a";q=1;w=900'}) == ()


def test_the_last_fifth_of_what_is_shared_is_kept_for_publishing():
    assert [(window.scope, window.kept) for window in WINDOWS] == [("account", 0), *[("client", 0.2)] * 3]


def test_reads_are_asked_for_and_the_steps_of_a_plan_are_not(buffer):
    asked = []
    api = BufferApi(BufferConfig(), before_read=asked.append)
    buffer.answers("channels", [])
    api.channels(wire.TOKEN, "o1")
    assert len(asked) == 1
    assert wire.TOKEN not in asked[0]
    buffer.answers("channel", {"id": wire.CHANNEL_ID, "service": "twitter"})
    api.channel(wire.TOKEN, wire.CHANNEL_ID, counted=True)
    assert len(asked) == 1


def test_a_read_that_must_wait_makes_no_call(buffer):
    def full(mark):
        raise PutOffError("Later.")

    with pytest.raises(PutOffError):
        BufferApi(BufferConfig(), before_read=full).channels(wire.TOKEN, "o1")
    assert not buffer.calls


def test_a_refused_call_is_told_with_its_end(buffer):
    told = []
    buffer.fails("RATE_LIMIT_EXCEEDED", status=429, headers={"Retry-After": "420"})
    with pytest.raises(LimitedError) as caught:
        BufferApi(BufferConfig(), on_usage=told.append).channels(wire.TOKEN, "o1")
    (usage,) = told
    assert (usage.windows, usage.blocked_until) == ((), caught.value.until)


def test_what_is_left_is_told_with_other_refusals_too(buffer):
    told = []
    headers = {"RateLimit": '"a";r=7;t=60', "RateLimit-Policy": '"a";q=100;w=900'}
    buffer.fails("FORBIDDEN", headers=headers)
    with pytest.raises(PermissionMissingError):
        BufferApi(BufferConfig(), on_usage=told.append).channels(wire.TOKEN, "o1")
    assert (told[0].windows[0].remaining, told[0].blocked_until) == (7, None)


def test_the_windows_of_the_smallest_plan():
    assert [(window.group, window.limit, window.seconds) for window in WINDOWS] == [
        ("publish", 50, 60),
        ("client", 100, 900),
        ("client", 250, 86_400),
        ("client", 3000, 2_592_000),
    ]
