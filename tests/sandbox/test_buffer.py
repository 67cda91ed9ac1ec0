"""The simulated Buffer: consent, keys, rotating tokens, the schema, posts and their lives, quotas, faults, pages."""

from __future__ import annotations

import base64
import itertools
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.sandbox_process import BUFFER_CLIENT_ID, BUFFER_CLIENT_SECRET, GrantedBuffer, Sandbox

pytestmark = pytest.mark.processes

BACK = "http://127.0.0.1:9/back"
SCOPES = "posts:read posts:write account:read offline_access"
ACCOUNT = (
    "query Account { account { id name organizations { id name channelCount limits { channels scheduledPosts } } } }"
)
CHANNELS = """query Channels($organizationId: OrganizationId!) { channels(input: {organizationId: $organizationId}) {
  id service name isDisconnected isLocked isQueuePaused descriptor
  metadata { __typename ... on PinterestMetadata { boards { id serviceId name } } ... on MastodonMetadata { serverUrl }
    ... on TwitterMetadata { subscriptionType } } } }"""
CREATE = """mutation CreatePost($input: CreatePostInput!) { createPost(input: $input) { __typename
  ... on PostActionSuccess { post { id status text dueAt externalLink assets { type mimeType source } } }
  ... on RestProxyError { code } ... on MutationError { message } } }"""
EDIT = CREATE.replace("CreatePost", "EditPost").replace("createPost", "editPost")
POST = """query Post($id: PostId!) { post(input: {id: $id}) { id status sentAt externalLink error { message }
  metricsUpdatedAt metrics { type value unit } } }"""
POSTS = """query Posts($input: PostsInput!, $first: Int!, $after: String) { posts(input: $input, first: $first, after: $after) {
  edges { cursor node { id text status via } } pageInfo { hasNextPage endCursor } } }"""
DELETE = """mutation DeletePost($id: PostId!) { deletePost(input: {id: $id}) { __typename
  ... on DeletePostSuccess { id } ... on MutationError { message } } }"""
PUBLISHED = 0.9  # seconds until a post is surely live


@pytest.fixture
def bruno(sandbox: Sandbox) -> GrantedBuffer:
    return sandbox.buffer("bruno")


def token(sandbox: Sandbox, **values: str) -> requests.Response:
    form = {"client_id": BUFFER_CLIENT_ID, "client_secret": BUFFER_CLIENT_SECRET, **values}
    return requests.post(f"{sandbox.url}/buffer/auth/token", data=form, timeout=10)


def code(sandbox: Sandbox, scope: str = SCOPES, **params: str) -> str:
    back = sandbox.buffer_consent(sandbox.buffer_address(scope, **params))
    return parse_qs(urlsplit(back).query)["code"][0]


def exchange(sandbox: Sandbox, found: str, **values: str) -> requests.Response:
    form = {"grant_type": "authorization_code", "code": found, "redirect_uri": BACK, "code_verifier": "v" * 43}
    return token(sandbox, **{**form, **values})


def refresh(sandbox: Sandbox, refresh_token: str | None) -> requests.Response:
    return token(sandbox, grant_type="refresh_token", refresh_token=refresh_token or "")


def data(response: requests.Response) -> dict[str, Any]:
    body = response.json()
    assert "errors" not in body, body
    return body["data"]


def error_code(response: requests.Response) -> str | None:
    return response.json()["errors"][0].get("extensions", {}).get("code")


def values_of(channel: str, text: str = "Spring is here", **more: Any) -> dict[str, Any]:
    return {"channelId": channel, "schedulingType": "automatic", "mode": "shareNow", "text": text, "assets": [], **more}


def create(sandbox: Sandbox, bruno: GrantedBuffer, channel: str, text: str = "Spring is here", **more: Any) -> dict:
    return data(sandbox.graphql(bruno.key, CREATE, input=values_of(channel, text, **more)))["createPost"]


def read(sandbox: Sandbox, bruno: GrantedBuffer, post_id: str) -> dict[str, Any]:
    return data(sandbox.graphql(bruno.key, POST, id=post_id))["post"]


# Consent and tokens


def test_consent_asks_for_named_rights_and_sends_back_a_code(sandbox: Sandbox) -> None:
    address = sandbox.buffer_address(SCOPES, state="xyz")
    accounts = requests.get(address, timeout=10).text
    consent = requests.get(f"{address}&person=bruno", timeout=10).text

    back = parse_qs(urlsplit(sandbox.buffer_consent(address)).query)
    cancelled = parse_qs(urlsplit(sandbox.buffer_consent(address, cancel=True)).query)

    assert all(name in accounts for name in ("Bruno Buffer", "Freya Free"))
    assert "posts:write" in consent
    assert (back["state"], cancelled["error"], cancelled["state"]) == (["xyz"], ["access_denied"], ["xyz"])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "posts:read everything"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_a_wrong_request_is_told_to_the_app(sandbox: Sandbox, wrong: dict[str, str], error: str) -> None:
    address = sandbox.buffer_address(**{"scope": SCOPES, **wrong})

    back = requests.get(address, allow_redirects=False, timeout=10).headers["Location"]

    assert parse_qs(urlsplit(back).query)["error"] == [error]


@pytest.mark.parametrize("wrong", [{"client_id": "1"}, {"redirect_uri": "https://evil.example/"}])
def test_a_wrong_client_stops_at_the_page(sandbox: Sandbox, wrong: dict[str, str]) -> None:
    address = sandbox.buffer_address(**{"scope": SCOPES, **wrong})

    assert requests.get(address, allow_redirects=False, timeout=10).status_code == 400


def test_a_code_needs_its_verifier_and_works_once(sandbox: Sandbox) -> None:
    assert exchange(sandbox, code(sandbox), code_verifier="w" * 43).json()["error"] == "invalid_grant"
    assert exchange(sandbox, code(sandbox), redirect_uri=f"{BACK}/x").json()["error"] == "invalid_grant"
    wrong_secret = exchange(sandbox, code(sandbox), client_secret="wrong")
    assert (wrong_secret.status_code, wrong_secret.json()["error"]) == (401, "invalid_client")
    found = code(sandbox)
    tokens = exchange(sandbox, found).json()
    assert (tokens["expires_in"], tokens["token_type"], tokens["scope"]) == (3600, "Bearer", SCOPES)
    assert data(sandbox.graphql(tokens["access_token"], ACCOUNT))["account"]["name"] == "Bruno Buffer"
    assert exchange(sandbox, found).json()["error"] == "invalid_grant"
    # Who brings a code again may have stolen it.
    assert sandbox.graphql(tokens["access_token"], ACCOUNT).status_code == 401


def test_the_verifier_of_the_standard_fits_its_challenge(sandbox: Sandbox) -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    address = sandbox.buffer_address(SCOPES, code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    found = parse_qs(urlsplit(sandbox.buffer_consent(address)).query)["code"][0]

    assert exchange(sandbox, found, code_verifier=verifier).status_code == 200


def test_a_client_may_not_use_basic(sandbox: Sandbox) -> None:
    basic = base64.b64encode(f"{BUFFER_CLIENT_ID}:{BUFFER_CLIENT_SECRET}".encode()).decode()
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": BUFFER_CLIENT_ID}
    headers = {"Authorization": f"Basic {basic}"}

    response = requests.post(f"{sandbox.url}/buffer/auth/token", data=form, headers=headers, timeout=10)

    assert response.json()["error"] == "invalid_client"


def test_a_refresh_token_only_with_offline_access_and_a_fresh_consent(sandbox: Sandbox) -> None:
    without = exchange(sandbox, code(sandbox, "posts:read account:read")).json()
    first = exchange(sandbox, code(sandbox)).json()
    address = sandbox.buffer_address(SCOPES, prompt="")
    quiet = requests.get(f"{address}&person=bruno", allow_redirects=False, timeout=10)
    again = exchange(sandbox, parse_qs(urlsplit(quiet.headers["Location"]).query)["code"][0]).json()

    assert "refresh_token" not in without
    assert first["refresh_token"]
    assert again["access_token"]
    assert "refresh_token" not in again


def test_each_refresh_rotates_and_an_old_one_ends_everything(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    second = refresh(sandbox, bruno.refresh_token).json()
    third = refresh(sandbox, second["refresh_token"]).json()

    assert len({bruno.refresh_token, second["refresh_token"], third["refresh_token"]}) == 3
    assert sandbox.graphql(third["access_token"], ACCOUNT).status_code == 200
    reused = refresh(sandbox, bruno.refresh_token)
    assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
    assert refresh(sandbox, third["refresh_token"]).json()["error"] == "invalid_grant"
    assert sandbox.graphql(third["access_token"], ACCOUNT).status_code == 401
    assert sandbox.graphql(bruno.key, ACCOUNT).status_code == 200


def test_of_many_who_bring_the_same_refresh_token_one_is_served(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: refresh(sandbox, bruno.refresh_token).status_code, range(12)))

    assert sorted(answers) == [200, *[400] * 11]


def test_an_access_token_lives_an_hour(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    sandbox.advance(3_590)
    assert sandbox.graphql(bruno.access_token, ACCOUNT).status_code == 200
    sandbox.advance(20)
    response = sandbox.graphql(bruno.access_token, ACCOUNT)
    assert (response.status_code, error_code(response)) == (401, "UNAUTHENTICATED")
    assert refresh(sandbox, bruno.refresh_token).status_code == 200


def test_revocation_takes_the_grant_and_introspection_tells(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    form = {"client_id": BUFFER_CLIENT_ID, "client_secret": BUFFER_CLIENT_SECRET, "token": bruno.refresh_token}
    auth = f"{sandbox.url}/buffer/auth"

    before = requests.post(f"{auth}/token/introspection", data=form, timeout=10).json()
    assert requests.post(f"{auth}/token/revocation", data=form, timeout=10).status_code == 200

    assert before["active"] is True
    assert requests.post(f"{auth}/token/introspection", data=form, timeout=10).json() == {"active": False}
    assert sandbox.graphql(bruno.access_token, ACCOUNT).status_code == 401
    found = requests.get(f"{auth}/.well-known/openid-configuration", timeout=10).json()
    assert found["code_challenge_methods_supported"] == ["S256"]


def test_a_lost_refresh_answer_has_used_up_the_token(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    sandbox.switch("buffer", "bruno", "lose_refresh_answer")

    with pytest.raises(requests.ConnectionError):
        refresh(sandbox, bruno.refresh_token)
    assert sandbox.graphql(bruno.access_token, ACCOUNT).status_code == 200
    assert refresh(sandbox, bruno.refresh_token).json()["error"] == "invalid_grant"
    assert sandbox.graphql(bruno.access_token, ACCOUNT).status_code == 401


def test_the_switches_of_a_connection(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    sandbox.switch("buffer", "bruno", "remove_permission", "posts:write")
    response = sandbox.graphql(bruno.access_token, CREATE, input=values_of(bruno.channel("mastodon")))
    assert error_code(response) == "FORBIDDEN"
    sandbox.switch("buffer", "bruno", "expire")
    assert sandbox.graphql(bruno.key, ACCOUNT).status_code == 401
    fresh = refresh(sandbox, bruno.refresh_token).json()
    assert sandbox.graphql(fresh["access_token"], ACCOUNT).status_code == 200
    sandbox.switch("buffer", "bruno", "revoke")
    assert refresh(sandbox, fresh["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_key_is_made_on_the_page_and_shown_once(sandbox: Sandbox) -> None:
    page = f"{sandbox.url}/buffer/settings/api/"
    made = requests.post(page, data={"person": "freya", "make": "1", "name": "Shop"}, timeout=10)
    key = re.search(r"<code data-key>([^<]+)</code>", made.text)
    assert key is not None

    later = requests.get(page, timeout=10).text
    assert "Shop" in later
    assert key[1] not in later
    assert data(sandbox.graphql(key[1], ACCOUNT))["account"]["name"] == "Freya Free"
    requests.post(page, data={"person": "freya", "remove": "0"}, timeout=10)
    assert sandbox.graphql(key[1], ACCOUNT).status_code == 401


# The schema


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("query { account { shoeSize } }", "shoeSize"),
        ("query { account { id", "Syntax Error"),
        ("query { account }", "selection"),
        ('query { post(input: {id: "short"}) { id } }', "object id"),
        (
            'query { posts(input: {organizationId: "65a0000000000000000000a1", filter: {dueAt: {start: "2026-11-01"}}}) '
            "{ pageInfo { hasNextPage } } }",
            "offset",
        ),
        ("query { " + " ".join(f"a{n}: account {{ id }}" for n in range(31)) + " }", "aliases"),
        ("query { account { organizations { " + "x " * 15_001 + "} } }", "tokens"),
    ],
)
def test_a_document_is_validated(sandbox: Sandbox, bruno: GrantedBuffer, query: str, told: str) -> None:
    response = sandbox.graphql(bruno.key, query)

    assert response.status_code == 200
    assert told in response.json()["errors"][0]["message"]
    assert error_code(response) is None


def test_variables_are_validated(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    wrong = [values_of("nobody"), {**values_of(bruno.channel("twitter")), "mode": "soon"}]
    wrong += [{**values_of(bruno.channel("twitter")), "scheduled": True}]

    answers = [sandbox.graphql(bruno.key, CREATE, input=values).json() for values in wrong]

    assert all("Variable '$input'" in answer["errors"][0]["message"] for answer in answers)
    assert sandbox.buffer_posts(bruno.channel("twitter")) == []


def test_only_posts_with_a_token_get_in(sandbox: Sandbox) -> None:
    assert requests.get(f"{sandbox.url}/buffer/api", timeout=10).status_code == 405
    assert requests.post(f"{sandbox.url}/buffer/api", json={"query": ACCOUNT}, timeout=10).status_code == 401
    assert sandbox.graphql("made up", ACCOUNT).status_code == 401


def test_account_and_channels_of_every_service(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    account = data(sandbox.graphql(bruno.key, ACCOUNT))["account"]
    organization = account["organizations"][0]
    channels = data(sandbox.graphql(bruno.key, CHANNELS, organizationId=organization["id"]))["channels"]
    by_service = {channel["service"]: channel for channel in channels}

    services = "twitter pinterest tiktok youtube threads bluesky mastodon googlebusiness substack"
    assert set(by_service) == set(services.split())
    assert (organization["channelCount"], len(account["organizations"])) == (9, 2)
    assert [board["name"] for board in by_service["pinterest"]["metadata"]["boards"]] == [
        "Workshop",
        "Bikes of the week",
    ]
    assert by_service["mastodon"]["metadata"]["serverUrl"] == "https://mastodon.social"
    assert by_service["threads"]["metadata"] is None


def test_flags_show_what_is_wrong_with_a_channel(sandbox: Sandbox) -> None:
    freya = sandbox.buffer("freya")
    rows = data(sandbox.graphql(freya.key, CHANNELS, organizationId=freya.organizations[0]["id"]))["channels"]

    flags = {row["service"]: [row[name] for name in ("isDisconnected", "isLocked", "isQueuePaused")] for row in rows}

    assert flags == {
        "twitter": [True, False, False],
        "threads": [False, True, False],
        "mastodon": [False, False, True],
        "bluesky": [False, False, False],
    }


def test_what_belongs_to_others_is_out_of_reach(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    freya = sandbox.buffer("freya")
    post_id = create(sandbox, bruno, bruno.channel("mastodon"))["post"]["id"]

    organization = sandbox.graphql(freya.key, CHANNELS, organizationId=bruno.organizations[0]["id"])
    post = sandbox.graphql(freya.key, POST, id=post_id)
    created = sandbox.graphql(freya.key, CREATE, input=values_of(bruno.channel("mastodon"))).json()

    assert (error_code(organization), error_code(post)) == ("FORBIDDEN", "NOT_FOUND")
    assert post.json()["data"] is None
    assert created["data"]["createPost"]["__typename"] == "UnauthorizedError"
    unknown = sandbox.graphql(freya.key, CREATE, input=values_of("0" * 24)).json()
    assert unknown["data"]["createPost"]["__typename"] == "NotFoundError"


# Posts


def test_a_post_goes_from_scheduled_over_sending_to_sent(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    channel = bruno.channel("mastodon")
    first = create(sandbox, bruno, channel)["post"]
    seen = [first["status"]]
    deadline = time.monotonic() + 5
    while seen[-1] != "sent" and time.monotonic() < deadline:
        status = read(sandbox, bruno, first["id"])["status"]
        if status != seen[-1]:
            seen.append(status)
        time.sleep(0.03)  # each look costs one of the hundred calls
    sent = read(sandbox, bruno, first["id"])

    assert seen == ["scheduled", "sending", "sent"]
    assert sent["sentAt"]
    assert "Spring is here" in requests.get(sent["externalLink"], timeout=10).text
    assert [post["message"] for post in sandbox.feed(channel)] == ["Spring is here"]


def test_a_planned_post_waits_for_its_time_and_drafts_for_ever(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    channel = bruno.channel("bluesky")
    due_at = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    create(sandbox, bruno, channel, "Later", mode="customScheduled", dueAt=due_at)
    create(sandbox, bruno, channel, "Draft", saveToDraft=True)

    before = [(post["message"], post["status"]) for post in sandbox.buffer_posts(channel)]
    sandbox.advance(2 * 3_600 + 5)
    after = [(post["message"], post["status"]) for post in sandbox.buffer_posts(channel)]

    assert before == [("Later", "scheduled"), ("Draft", "draft")]
    assert after == [("Later", "sent"), ("Draft", "draft")]


def test_a_paused_queue_holds_planned_posts_and_lets_shared_ones_out(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    channel = bruno.channel("mastodon")
    sandbox.buffer_channel(channel, isQueuePaused=True)
    due_at = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    create(sandbox, bruno, channel, "Held", mode="customScheduled", dueAt=due_at)
    create(sandbox, bruno, channel, "Out")
    sandbox.advance(300)

    assert [post["message"] for post in sandbox.feed(channel)] == ["Out"]
    sandbox.buffer_channel(channel, isQueuePaused=False)
    assert {post["message"] for post in sandbox.feed(channel)} == {"Held", "Out"}


def test_images_are_fetched_and_kept(sandbox: Sandbox, bruno: GrantedBuffer, pictures: str) -> None:
    image = {"image": {"url": f"{pictures}/1080x1350.jpg", "metadata": {"altText": "A red bike"}}}
    post = create(sandbox, bruno, bruno.channel("twitter"), assets=[image])["post"]
    time.sleep(PUBLISHED)
    page = requests.get(f"{sandbox.url}/feeds/buffer/{bruno.channel('twitter')}/", timeout=10).text

    assert post["assets"][0]["type"] == "image"
    assert post["assets"][0]["mimeType"] == "image/jpeg"
    assert requests.get(post["assets"][0]["source"], timeout=10).status_code == 200
    assert 'alt="A red bike"' in page
    assert sandbox.feed(bruno.channel("twitter"))[0]["media"] == 1


SALE = {"title": "Sale", "startDate": "2026-12-01T00:00:00Z", "endDate": "2026-12-02T23:59:00Z"}


def image_at(address: str) -> dict[str, Any]:
    return {"image": {"url": address}}


@pytest.mark.parametrize(
    ("service", "change", "told"),
    [
        ("twitter", {"text": ""}, "text or media"),
        ("twitter", {"text": "x" * 281}, "280"),
        ("twitter", {"text": "👍" * 141}, "280"),
        ("threads", {"text": "x" * 501}, "500"),
        ("bluesky", {"text": "x" * 301}, "300"),
        ("substack", {}, "substack"),
        ("mastodon", {"mode": "customScheduled"}, "dueAt"),
        ("mastodon", {"mode": "customScheduled", "dueAt": "2020-01-01T00:00:00Z"}, "future"),
        ("mastodon", {"metadata": {"twitter": {}}}, "metadata.twitter"),
        ("mastodon", {"metadata": {"mastodon": {"thread": [{"text": "Other"}]}}}, "first part"),
        ("tiktok", {}, "image or a video"),
        ("youtube", {}, "video"),
        ("googlebusiness", {}, "type"),
        (
            "googlebusiness",
            {"metadata": {"google": {"type": "event", "detailsEvent": {"isFullDayEvent": True}}}},
            "dates",
        ),
        ("pinterest", {}, "image"),
        ("pinterest", {"assets": ["ok"]}, "board"),
        ("pinterest", {"assets": ["ok"], "metadata": {"pinterest": {"boardServiceId": "1"}}}, "serviceId"),
        ("threads", {"metadata": {"threads": {"topic": "t" * 51}}}, "topic"),
        ("threads", {"metadata": {"threads": {"topic": "Cars & bikes"}}}, "topic"),
        ("tiktok", {"assets": ["ok"], "metadata": {"tiktok": {"title": "t" * 91}}}, "90"),
        ("mastodon", {"text": "x" * 490, "metadata": {"mastodon": {"spoilerText": "y" * 11}}}, "500"),
        (
            "googlebusiness",
            {"metadata": {"google": {"type": "offer", "detailsOffer": {**SALE, "endDate": "2026-11-30T00:00:00Z"}}}},
            "before",
        ),
        (
            "googlebusiness",
            {"metadata": {"google": {"type": "event", "detailsEvent": {**SALE, "isFullDayEvent": True}}}},
            "button",
        ),
        (
            "googlebusiness",
            {"metadata": {"google": {"type": "whats_new", "detailsWhatsNew": {"button": "shop"}}}},
            "link",
        ),
        (
            "bluesky",
            {"assets": ["ok"], "metadata": {"bluesky": {"linkAttachment": {"url": "https://a.example"}}}},
            "link",
        ),
        ("twitter", {"assets": ["missing"]}, "404"),
        ("twitter", {"assets": ["page"]}, "dimensions"),
        ("twitter", {"assets": ["elsewhere"]}, "302"),
        ("twitter", {"assets": ["both"]}, "exactly one"),
    ],
)
def test_what_does_not_fit_a_service_is_refused(
    sandbox: Sandbox, bruno: GrantedBuffer, pictures: str, service: str, change: dict[str, Any], told: str
) -> None:
    named = {
        "ok": image_at(f"{pictures}/600x600.jpg"),
        "missing": image_at(f"{pictures}/none.jpg"),
        "page": image_at(f"{pictures}/page.jpg"),
        "elsewhere": image_at(f"{pictures}/elsewhere.jpg"),
        "both": {**image_at(f"{pictures}/600x600.jpg"), "link": {"url": "https://a.example"}},
    }
    change = {**change, "assets": [named[name] for name in change.get("assets", [])]}

    answer = create(sandbox, bruno, bruno.channel(service), **change)

    assert answer["__typename"] == "InvalidInputError"
    assert told in answer["message"]
    assert sandbox.buffer_posts(bruno.channel(service)) == []


def test_a_pin_goes_to_its_board(sandbox: Sandbox, bruno: GrantedBuffer, pictures: str) -> None:
    channel = bruno.channel("pinterest")
    board = next(one for one in bruno.channels if one["id"] == channel)["boards"][1]
    metadata = {"pinterest": {"boardServiceId": board["serviceId"], "title": "Blue"}}

    answer = create(sandbox, bruno, channel, assets=[image_at(f"{pictures}/600x900.jpg")], metadata=metadata)
    wrong = {"pinterest": {"boardServiceId": board["id"]}}
    refused = create(sandbox, bruno, channel, assets=[image_at(f"{pictures}/600x900.jpg")], metadata=wrong)
    time.sleep(PUBLISHED)

    assert answer["__typename"] == "PostActionSuccess"
    assert refused["__typename"] == "InvalidInputError"
    assert "Bikes of the week" in requests.get(f"{sandbox.url}/feeds/buffer/{channel}/", timeout=10).text


def test_a_board_can_be_deleted(sandbox: Sandbox, bruno: GrantedBuffer, pictures: str) -> None:
    channel = bruno.channel("pinterest")
    workshop, bikes = next(one for one in bruno.channels if one["id"] == channel)["boards"]
    address = f"{sandbox.url}/buffer/channels/{channel}/remove-board/"
    page = requests.post(address, data={"board": bikes["serviceId"]}, timeout=10).text
    pin = [image_at(f"{pictures}/600x900.jpg")]

    def pinned(board: dict[str, str]) -> str:
        metadata = {"pinterest": {"boardServiceId": board["serviceId"]}}
        return create(sandbox, bruno, channel, assets=pin, metadata=metadata)["__typename"]

    assert "Delete the board Workshop" in page
    assert "Bikes of the week" not in page
    assert (pinned(workshop), pinned(bikes)) == ("PostActionSuccess", "InvalidInputError")
    assert sandbox.buffer_channel(channel, remove_board=workshop["serviceId"])["boards"] == []
    assert pinned(workshop) == "InvalidInputError"


def test_a_place_on_google_shows_its_offer(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    channel = bruno.channel("googlebusiness")
    offer = {**SALE, "code": "XMAS", "link": "https://shop.example/sale"}
    create(sandbox, bruno, channel, metadata={"google": {"type": "offer", "detailsOffer": offer}})
    button = {"button": "order", "link": "https://shop.example/order"}
    create(sandbox, bruno, channel, metadata={"google": {"type": "whats_new", "detailsWhatsNew": button}})
    time.sleep(PUBLISHED)
    page = requests.get(f"{sandbox.url}/feeds/buffer/{channel}/", timeout=10).text
    for shown in ("Sale", "1 December 2026", "Code: XMAS", "https://shop.example/sale", "Order online"):
        assert shown in page


def test_a_server_of_mastodon_names_its_length(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    channel = bruno.channel("mastodon")
    asked = "query C($id: ChannelId!) { channel(input: {id: $id}) { metadata { ... on MastodonMetadata { maxCharacters } } } }"

    def told() -> int:
        return data(sandbox.graphql(bruno.key, asked, id=channel))["channel"]["metadata"]["maxCharacters"]

    assert told() == 500
    sandbox.buffer_channel(channel, max_characters=5_000)
    assert told() == 5_000
    warned = {"mastodon": {"spoilerText": "A warning"}}
    assert create(sandbox, bruno, channel, "x" * 4_991, metadata=warned)["__typename"] == "PostActionSuccess"
    assert create(sandbox, bruno, channel, "x" * 4_992, metadata=warned)["__typename"] == "InvalidInputError"
    time.sleep(PUBLISHED)
    assert "<summary>A warning</summary>" in requests.get(f"{sandbox.url}/feeds/buffer/{channel}/", timeout=10).text


def test_a_paying_account_writes_more_on_x(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    sandbox.buffer_channel(bruno.channel("twitter"), subscription_type="Premium")

    assert create(sandbox, bruno, bruno.channel("twitter"), "x" * 3_000)["__typename"] == "PostActionSuccess"


def test_locked_channels_daily_limits_and_small_plans(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    channel = bruno.channel("mastodon")
    sandbox.buffer_channel(channel, daily_limit=1)
    assert create(sandbox, bruno, channel)["__typename"] == "PostActionSuccess"
    assert create(sandbox, bruno, channel, "More")["__typename"] == "LimitReachedError"
    query = """query($input: DailyPostingLimitsInput!) { dailyPostingLimits(input: $input)
      { channelId limit sent scheduled isAtLimit } }"""
    (limits,) = data(sandbox.graphql(bruno.key, query, input={"channelIds": [channel]}))["dailyPostingLimits"]
    assert (limits["limit"], limits["sent"] + limits["scheduled"], limits["isAtLimit"]) == (1, 1, True)
    sandbox.buffer_channel(channel, isLocked=True, daily_limit=None)
    assert create(sandbox, bruno, channel, "More")["__typename"] == "LimitReachedError"

    freya = sandbox.buffer("freya")
    due_at = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    planned = [
        create(sandbox, freya, freya.channel("bluesky"), f"Post {n}", mode="customScheduled", dueAt=due_at)[
            "__typename"
        ]
        for n in range(11)
    ]
    assert planned == ["PostActionSuccess"] * 10 + ["LimitReachedError"]


def test_a_disconnected_channel_names_reconnecting(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    channel = bruno.channel("mastodon")
    waiting = create(sandbox, bruno, channel)["post"]["id"]
    sandbox.buffer_channel(channel, isDisconnected=True)
    time.sleep(PUBLISHED)

    assert "reconnect" in create(sandbox, bruno, channel, "More")["message"]
    late = read(sandbox, bruno, waiting)
    assert (late["status"], late["externalLink"]) == ("error", None)
    assert "reconnect" in late["error"]["message"]


def test_x_takes_no_text_twice(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    first = create(sandbox, bruno, bruno.channel("twitter"))["post"]["id"]
    time.sleep(PUBLISHED)
    assert read(sandbox, bruno, first)["status"] == "sent"
    second = create(sandbox, bruno, bruno.channel("twitter"))["post"]["id"]
    time.sleep(PUBLISHED)

    assert read(sandbox, bruno, second)["status"] == "error"
    assert len(sandbox.feed(bruno.channel("twitter"))) == 1


def test_posts_are_filtered_sorted_and_paged(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    mastodon, bluesky = bruno.channel("mastodon"), bruno.channel("bluesky")
    began = datetime.now(UTC) - timedelta(minutes=2)
    for number in range(3):
        create(sandbox, bruno, mastodon, f"Post {number}")
    create(sandbox, bruno, bluesky, "Other")
    create(sandbox, bruno, bluesky, "Draft", saveToDraft=True)

    def posts(first: int = 25, after: str | None = None, direction: str = "desc", **wanted: Any) -> dict[str, Any]:
        values = {
            "organizationId": bruno.organizations[0]["id"],
            "filter": wanted,
            "sort": [{"field": "createdAt", "direction": direction}],
        }
        return data(sandbox.graphql(bruno.key, POSTS, input=values, first=first, after=after))["posts"]

    def texts(found: dict[str, Any]) -> list[str]:
        return [edge["node"]["text"] for edge in found["edges"] or []]

    one = posts(2, channelIds=[mastodon])
    two = posts(2, one["pageInfo"]["endCursor"], channelIds=[mastodon])
    span = {"start": began.isoformat(), "end": datetime.now(UTC).isoformat()}
    old = {"end": began.isoformat()}

    assert (texts(one), texts(two)) == (["Post 2", "Post 1"], ["Post 0"])
    assert (one["pageInfo"]["hasNextPage"], two["pageInfo"]["hasNextPage"]) == (True, False)
    assert texts(posts(direction="asc", createdAt=span)) == ["Post 0", "Post 1", "Post 2", "Other", "Draft"]
    assert texts(posts(status=["draft"])) == ["Draft"]
    assert posts(createdAt=old)["edges"] is None
    assert one["edges"][0]["node"]["via"] == "api"


def test_a_post_can_be_edited_until_it_is_sent(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    due_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    plan = {"mode": "customScheduled", "dueAt": due_at}
    post_id = create(sandbox, bruno, bruno.channel("mastodon"), "First", **plan)["post"]["id"]
    change = {"id": post_id, "schedulingType": "automatic", "text": "Second", **plan}

    edited = data(sandbox.graphql(bruno.key, EDIT, input=change))["editPost"]
    sandbox.advance(3_700)
    late = data(sandbox.graphql(bruno.key, EDIT, input={**change, "text": "Third"}))["editPost"]

    assert edited["post"]["text"] == "Second"
    assert late["__typename"] == "InvalidInputError"
    assert [post["message"] for post in sandbox.feed(bruno.channel("mastodon"))] == ["Second"]


def test_deleting_a_second_time_is_a_typed_error(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    post_id = create(sandbox, bruno, bruno.channel("mastodon"))["post"]["id"]

    answers = [data(sandbox.graphql(bruno.key, DELETE, id=post_id))["deletePost"]["__typename"] for _ in range(2)]

    assert answers == ["DeletePostSuccess", "VoidMutationError"]
    assert error_code(sandbox.graphql(bruno.key, POST, id=post_id)) == "NOT_FOUND"


def test_metrics_grow_and_are_for_keys_only(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    post_id = create(sandbox, bruno, bruno.channel("twitter"))["post"]["id"]
    assert read(sandbox, bruno, post_id)["metrics"] is None
    sandbox.advance(3_600)
    early = {row["type"]: row["value"] for row in read(sandbox, bruno, post_id)["metrics"]}
    sandbox.advance(86_400)
    late = {row["type"]: row["value"] for row in read(sandbox, bruno, post_id)["metrics"]}
    fresh = sandbox.buffer("bruno", scopes=["posts:read", "insights:read"])

    partial = sandbox.graphql(fresh.access_token, POST, id=post_id)

    assert late["impressions"] > early["impressions"] > 0
    assert error_code(partial) == "FORBIDDEN"
    assert partial.json()["data"]["post"]["metrics"] is None
    assert partial.json()["data"]["post"]["id"] == post_id
    sandbox.buffer_app(metrics_over_oauth=True)
    assert data(sandbox.graphql(fresh.access_token, POST, id=post_id))["post"]["metrics"]


def test_metrics_are_read_soon_and_then_once_a_day(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    post_id = create(sandbox, bruno, bruno.channel("twitter"))["post"]["id"]
    sandbox.advance(30)
    assert read(sandbox, bruno, post_id)["metrics"] is None
    moments = set()
    for _ in range(73):
        sandbox.advance(3_600)
        moments.add(read(sandbox, bruno, post_id)["metricsUpdatedAt"])

    first, *days = sorted(datetime.fromisoformat(moment) for moment in moments)
    assert len(days) in (3, 4)
    assert {later - earlier for earlier, later in itertools.pairwise(days)} == {timedelta(days=1)}
    assert timedelta() < days[0] - first <= timedelta(days=1)


def test_aggregates_keep_to_what_all_networks_report(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    for service in ("twitter", "mastodon"):
        create(sandbox, bruno, bruno.channel(service))
    sandbox.advance(86_400)
    query = """query($input: AggregatedPostMetricsInput!) { aggregatedPostMetrics(input: $input)
      { metricsUpdatedAt metrics { type value } } }"""
    today = datetime.now(UTC)

    def aggregate(*services: str, days: int = 30) -> requests.Response:
        values = {
            "organizationId": bruno.organizations[0]["id"],
            "startDateTime": (today - timedelta(days=days)).isoformat(),
            "endDateTime": today.isoformat(),
            "channelIds": [bruno.channel(service) for service in services],
        }
        return sandbox.graphql(bruno.key, query, input=values)

    rows = data(aggregate("twitter", "mastodon"))["aggregatedPostMetrics"]["metrics"]
    both = {row["type"]: row["value"] for row in rows}

    assert set(both) == {"postCount", "reactions", "comments", "reposts"}
    assert both["postCount"] == 2
    assert "errors" in aggregate("twitter", days=400).json()


# Quotas and faults


def test_every_call_counts_and_the_headers_tell(sandbox: Sandbox) -> None:
    bruno, freya = sandbox.buffer("bruno"), sandbox.buffer("freya")
    for _ in range(3):
        response = sandbox.graphql(bruno.key, ACCOUNT)

    left = re.findall(r'"(\w+)";r=(\d+);t=\d+', response.headers["RateLimit"])
    policy = re.findall(r"q=(\d+);w=(\d+)", response.headers["RateLimit-Policy"])
    small = re.findall(r"q=(\d+)", sandbox.graphql(freya.key, ACCOUNT).headers["RateLimit-Policy"])

    assert left == [("15m", "97"), ("24h", "497"), ("30d", "14997")]
    assert policy == [("100", "900"), ("500", "86400"), ("15000", "2592000")]
    assert small == ["100", "250", "3000"]


def test_an_exhausted_window_says_when_to_come_back(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    sandbox.buffer_app(quotas={"900": 2})

    answers = [sandbox.graphql(bruno.key, ACCOUNT) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["errors"][0]["extensions"] == {"code": "RATE_LIMIT_EXCEEDED", "window": "15m"}
    wait = int(answers[2].headers["Retry-After"])
    assert 890 <= wait <= 901
    sandbox.advance(wait)
    assert sandbox.graphql(bruno.key, ACCOUNT).status_code == 200


def test_all_users_of_the_app_share_one_budget(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    freya = sandbox.buffer("freya")
    sandbox.buffer_app(quotas={"900": 1})

    assert sandbox.graphql(bruno.access_token, ACCOUNT).status_code == 200
    assert sandbox.graphql(freya.access_token, ACCOUNT).status_code == 429
    assert sandbox.graphql(freya.key, ACCOUNT).status_code == 200


def test_an_answer_lost_after_accepting_leaves_the_post(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    sandbox.fault("lost_answer", edge="buffer.createPost")

    with pytest.raises(requests.ConnectionError):
        create(sandbox, bruno, bruno.channel("mastodon"))

    assert [post["message"] for post in sandbox.buffer_posts(bruno.channel("mastodon"))] == ["Spring is here"]


@pytest.mark.parametrize(("kind", "left"), [("error_before", 0), ("error_after", 1)])
def test_unexpected_before_or_after(sandbox: Sandbox, bruno: GrantedBuffer, kind: str, left: int) -> None:
    sandbox.fault(kind, edge="buffer.createPost")

    response = sandbox.graphql(bruno.key, CREATE, input=values_of(bruno.channel("mastodon")))

    assert (response.status_code, error_code(response), response.json()["data"]) == (200, "UNEXPECTED", None)
    assert len(sandbox.buffer_posts(bruno.channel("mastodon"))) == left


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("token_revoked", 401, "UNAUTHENTICATED"),
        ("token_expired", 401, "UNAUTHENTICATED"),
        ("permission_lost", 200, "FORBIDDEN"),
        ("rate_limited", 429, "RATE_LIMIT_EXCEEDED"),
    ],
)
def test_a_fault_strikes_its_edge_once(
    sandbox: Sandbox, bruno: GrantedBuffer, kind: str, status: int, code: str
) -> None:
    sandbox.fault(kind, edge="buffer.account", minutes=7)
    organization = bruno.organizations[0]["id"]

    assert sandbox.graphql(bruno.key, CHANNELS, organizationId=organization).status_code == 200
    response = sandbox.graphql(bruno.key, ACCOUNT)
    assert (response.status_code, error_code(response)) == (status, code)
    if status == 429:
        assert response.headers["Retry-After"] == "420"
    assert sandbox.graphql(bruno.key, ACCOUNT).status_code == 200


@pytest.mark.parametrize("name", ["LimitReachedError", "RestProxyError", "UnexpectedError", "QuotaExhaustedError"])
def test_typed_errors_by_hand(sandbox: Sandbox, bruno: GrantedBuffer, name: str) -> None:
    sandbox.fault("typed_error", edge="buffer.createPost", detail=name)

    answer = create(sandbox, bruno, bruno.channel("mastodon"))

    assert answer["__typename"] == name
    assert answer["message"]


def test_publishing_can_fail_later_or_give_no_link(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    sandbox.fault("publish_error", edge="buffer.createPost", detail="The image is too large.")
    failing = create(sandbox, bruno, bruno.channel("mastodon"))["post"]["id"]
    sandbox.fault("no_link", account=bruno.channel("bluesky"))
    linkless = create(sandbox, bruno, bruno.channel("bluesky"))["post"]["id"]
    time.sleep(PUBLISHED)

    failed, sent = read(sandbox, bruno, failing), read(sandbox, bruno, linkless)
    assert (failed["status"], failed["error"]["message"]) == ("error", "The image is too large.")
    assert (sent["status"], sent["externalLink"]) == ("sent", None)


# Pages


def page_of(sandbox: Sandbox, path: str) -> str:
    response = requests.get(f"{sandbox.url}{path}", timeout=10)
    assert response.status_code == 200
    assert "<script" not in response.text
    assert " style=" not in response.text
    return response.text


def test_pages_show_each_channel_and_its_switches(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    channel = bruno.channel("threads")
    path = f"/feeds/buffer/{channel}/"
    front = page_of(sandbox, "/")
    create(sandbox, bruno, channel, "Held <b>", saveToDraft=True)

    feed = page_of(sandbox, path)
    switch = f"{sandbox.url}/buffer/channels/{channel}/switch/"
    back = requests.post(switch, data={"switch": "is_locked", "from": "feed"}, timeout=10)

    assert path in front
    assert 'data-service="threads"' in feed
    assert "Held &lt;b&gt;" in feed
    assert "Nothing published yet" in feed
    assert urlsplit(back.url).path == path
    locked = data(sandbox.graphql(bruno.key, CHANNELS, organizationId=bruno.organizations[0]["id"]))["channels"]
    assert [row["id"] for row in locked if row["isLocked"]] == [channel]
    assert requests.post(switch, data={"switch": "name"}, timeout=10).status_code == 422
    assert requests.get(f"{sandbox.url}/feeds/buffer/none/", timeout=10).status_code == 404


def test_a_channel_taken_away_is_gone(sandbox: Sandbox, bruno: GrantedBuffer) -> None:
    channel = bruno.channel("threads")
    create(sandbox, bruno, channel)

    sandbox.buffer_unlink(channel)

    rows = data(sandbox.graphql(bruno.key, CHANNELS, organizationId=bruno.organizations[0]["id"]))["channels"]
    assert channel not in [row["id"] for row in rows]
    assert create(sandbox, bruno, channel)["__typename"] == "NotFoundError"


def test_a_new_account_has_the_channels_that_one_asks_for(sandbox: Sandbox) -> None:
    made = sandbox.buffer(services=["twitter", "twitter", "pinterest"], plan="free")

    assert [channel["service"] for channel in made.channels] == ["twitter", "twitter", "pinterest"]
    assert made.organizations[0]["plan"] == "free"
    assert len({channel["name"] for channel in made.channels}) == 3
