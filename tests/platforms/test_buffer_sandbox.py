"""The Buffer client against the simulated Buffer, over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from socialhub.platforms.base import (
    Absent,
    Accepted,
    Access,
    Content,
    MediaItem,
    NotYet,
    PostType,
    Published,
    Unknowable,
)
from socialhub.platforms.buffer import BufferApi, BufferConfig, code_challenge
from socialhub.platforms.buffer_errors import (
    ChannelDisconnectedError,
    ChannelLimitError,
    RefreshLostError,
    TokenRefusedError,
)
from socialhub.platforms.buffer_limits import BufferUsage
from socialhub.platforms.buffer_networks import NETWORKS, BufferNetwork
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
from tests.platforms import buffer_wire as wire
from tests.sandbox.conftest import pictures
from tests.sandbox.film_server import films
from tests.sandbox_process import GrantedBuffer, Sandbox, sandbox, sandbox_process

__all__ = ["films", "pictures", "sandbox", "sandbox_process"]
pytestmark = pytest.mark.processes

BACK = "http://127.0.0.1:9/back"
VERIFIER = "verifier-of-the-tests-0123456789-0123456789-0123456789"


@pytest.fixture
def usage() -> list[BufferUsage]:
    return []


@pytest.fixture
def api(sandbox: Sandbox, usage: list[BufferUsage]) -> BufferApi:
    settings = sandbox.settings
    config = BufferConfig(
        client_id=settings["BUFFER_CLIENT_ID"],
        client_secret=settings["BUFFER_CLIENT_SECRET"],
        api_url=settings["BUFFER_API_URL"],
        auth_url=settings["BUFFER_AUTH_URL"],
        sweep_seconds=0.2,
    )
    return BufferApi(config, on_usage=usage.append)


@pytest.fixture
def bruno(sandbox: Sandbox) -> GrantedBuffer:
    return sandbox.buffer("bruno")


def access_to(person: GrantedBuffer, service: str) -> Access:
    return Access(person.channel(service), person.key)


def follow(
    network: BufferNetwork,
    access: Access,
    content: Content,
    handles: dict,
    since: datetime,
    claimed: Collection[str] = (),
) -> Published:
    """Look as the engine does, only faster."""
    for _look in range(60):
        found = network.look(access, content, handles, since=since, claimed=claimed)
        if not isinstance(found, NotYet):
            assert isinstance(found, Published), found
            return found
        handles.update(found.handles)
        time.sleep(0.1)
    raise AssertionError("it was never published")


def publish(
    network: BufferNetwork, access: Access, content: Content, claimed: Collection[str] = ()
) -> tuple[Accepted, Published]:
    handles: dict = {}
    *steps, _last = network.plan(content)
    for step in steps:
        handles.update(network.perform(step, access, content, handles).handles)
    since = datetime.now(UTC)
    accepted = network.commit(access, content, handles)
    handles.update(accepted.handles)
    return accepted, follow(network, access, content, handles, since, claimed)


def picture(pictures: str, position: int = 1) -> MediaItem:
    return MediaItem(position, f"{pictures}/1080x1080.jpg", "image/jpeg", 1080, 1080, 10, alt_text="A bike")


# Connecting


def consented(sandbox: Sandbox, api: BufferApi) -> str:
    address = api.authorize_url(redirect_uri=BACK, state="s1", code_challenge=code_challenge(VERIFIER))
    back = parse_qs(urlsplit(sandbox.buffer_consent(address)).query)
    assert back["state"] == ["s1"]
    return back["code"][0]


def test_from_consent_to_channels(sandbox, api, usage):
    tokens = api.exchange_code(consented(sandbox, api), BACK, VERIFIER)
    assert tokens.refresh_token
    account = api.account(tokens.access_token)
    channels = api.channels(tokens.access_token, account.organizations[0].id)
    assert {channel.platform for channel in channels if channel.supported} == set(NETWORKS)
    assert "substack" in {channel.service for channel in channels if not channel.supported}
    assert next(channel for channel in channels if channel.platform == "pinterest").boards
    assert {window.seconds for window in usage[-1].windows} == {900, 86_400, 2_592_000}


def test_a_wrong_verifier_or_a_used_code_is_refused(sandbox, api):
    with pytest.raises(RejectedError):
        api.exchange_code(consented(sandbox, api), BACK, VERIFIER + "x")
    code = consented(sandbox, api)
    api.exchange_code(code, BACK, VERIFIER)
    with pytest.raises(RejectedError):
        api.exchange_code(code, BACK, VERIFIER)


def test_a_wrong_secret_is_the_operators(sandbox, api):
    wrong = BufferApi(BufferConfig("sandbox-nobody", "wrong", auth_url=sandbox.settings["BUFFER_AUTH_URL"]))
    with pytest.raises(OurBugError):
        wrong.exchange_code("code", BACK, VERIFIER)


def test_each_refresh_token_is_good_once(bruno, api):
    tokens = api.refresh(bruno.refresh_token)
    assert api.account(tokens.access_token).id == bruno.person_id
    assert api.refresh(tokens.refresh_token).refresh_token != tokens.refresh_token
    with pytest.raises(ReconnectError):
        api.refresh(bruno.refresh_token)


def test_a_lost_refresh_is_told_and_the_access_stays_good(sandbox, bruno, api):
    sandbox.switch("buffer", "bruno", "lose_refresh_answer")
    with pytest.raises(RefreshLostError):
        api.refresh(bruno.refresh_token)
    assert api.account(bruno.access_token).id == bruno.person_id


def test_a_revoked_grant_needs_reconnecting(bruno, api):
    api.revoke(bruno.refresh_token)
    with pytest.raises(ReconnectError):
        api.refresh(bruno.refresh_token)


def test_a_token_that_ran_out_is_refused(sandbox, bruno, api):
    sandbox.switch("buffer", "bruno", "expire")
    with pytest.raises(TokenRefusedError):
        api.account(bruno.access_token)


def test_what_is_wrong_with_channels_is_said(sandbox, api):
    freya = sandbox.buffer("freya")
    channels = {channel.service: channel for channel in api.channels(freya.key, freya.organizations[0]["id"])}
    assert "reconnect" in channels["twitter"].obstacle
    assert "plan" in channels["threads"].obstacle
    assert (channels["mastodon"].obstacle, len(channels["mastodon"].notices)) == ("", 1)
    assert channels["bluesky"].notices == ()


# Publishing


@pytest.mark.parametrize("key", [key for key in NETWORKS if key != "youtube"])
def test_every_network_publishes_an_image(sandbox, bruno, api, pictures, key):
    network = NETWORKS[key](api)
    service = {"x": "twitter", "google_business": "googlebusiness"}.get(key, key)
    access = access_to(bruno, service)
    channel = api.channel(access.token, access.account_id)
    choices = {"board_service_id": channel.boards[0].service_id} if channel.boards else {}
    content = wire.chosen(Content(PostType.SINGLE, "A bike", media=(picture(pictures),)), choices)
    accepted, published = publish(network, access, content)
    assert accepted.platform_post_id == published.platform_post_id
    assert published.published_at is not None
    assert [(post["message"], post["media"]) for post in sandbox.feed(access.account_id)] == [("A bike", 1)]


@pytest.mark.parametrize("key", ["x", "threads", "bluesky", "mastodon", "google_business"])
def test_networks_of_words_publish_a_link(sandbox, bruno, api, key):
    service = {"x": "twitter", "google_business": "googlebusiness"}.get(key, key)
    access = access_to(bruno, service)
    publish(NETWORKS[key](api), access, Content(PostType.LINK, "Look at it", link="https://shop.example/bike"))
    assert len(sandbox.feed(access.account_id)) == 1


TEXT = Content(PostType.TEXT, "Spring tune-up, half price")


@pytest.mark.parametrize("fault", ["lost_answer", "error_after"])
def test_a_post_whose_answer_was_lost_is_found_and_not_made_again(sandbox, bruno, api, fault):
    network, access = NETWORKS["mastodon"](api), access_to(bruno, "mastodon")
    sandbox.fault(fault, edge="buffer.createPost")
    since = datetime.now(UTC)
    with pytest.raises(OutcomeUnknownError):
        network.commit(access, TEXT, {})
    published = follow(network, access, TEXT, {}, since)
    assert [post["id"] for post in sandbox.feed(access.account_id)] == [published.platform_post_id]


def test_a_post_that_was_never_taken_is_absent(sandbox, bruno, api):
    network, access = NETWORKS["mastodon"](api), access_to(bruno, "mastodon")
    sandbox.fault("error_before", edge="buffer.createPost")
    since = datetime.now(UTC)
    with pytest.raises(OutcomeUnknownError):
        network.commit(access, TEXT, {})
    assert isinstance(network.look(access, TEXT, {}, since=since, claimed=()), Absent)


@pytest.mark.parametrize(
    ("detail", "wanted"),
    [
        ("InvalidInputError", RejectedError),
        ("LimitReachedError", ChannelLimitError),
        ("NotFoundError", NotFoundError),
        ("UnauthorizedError", PermissionMissingError),
        ("UnexpectedError", OutcomeUnknownError),
    ],
)
def test_typed_errors(sandbox, bruno, api, detail, wanted):
    sandbox.fault("typed_error", edge="buffer.createPost", detail=detail)
    with pytest.raises(wanted):
        NETWORKS["bluesky"](api).commit(access_to(bruno, "bluesky"), TEXT, {})


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("rate_limited", LimitedError),
        ("token_revoked", TokenRefusedError),
        ("permission_lost", PermissionMissingError),
        ("error_before", TemporaryError),
    ],
)
def test_errors_while_reading(sandbox, bruno, api, kind, wanted):
    sandbox.fault(kind, edge="buffer.channel", **({"minutes": 3} if kind == "rate_limited" else {}))
    with pytest.raises(wanted) as caught:
        api.channel(bruno.key, bruno.channel("twitter"))
    if isinstance(caught.value, LimitedError):
        assert abs(caught.value.until - datetime.now(UTC) - timedelta(minutes=3)) < timedelta(seconds=10)


def test_a_failure_after_the_acceptance_is_told(sandbox, bruno, api):
    network, access = NETWORKS["bluesky"](api), access_to(bruno, "bluesky")
    sandbox.fault("publish_error", edge="buffer.createPost", detail="The image is too large for Bluesky.")
    with pytest.raises(RejectedError, match="could not publish") as caught:
        publish(network, access, TEXT)
    assert caught.value.platform_message == "The image is too large for Bluesky."


def test_the_same_text_twice_on_x_is_a_duplicate(bruno, api):
    network, access = NETWORKS["x"](api), access_to(bruno, "twitter")
    first, _published = publish(network, access, TEXT)
    with pytest.raises(RejectedError, match="already there"):
        publish(network, access, TEXT, claimed=[first.platform_post_id])


def test_a_repeat_on_x_of_a_post_that_nobody_claims_is_that_post(bruno, api):
    """As after an attempt whose answer was lost and which was taken for not made."""
    network, access = NETWORKS["x"](api), access_to(bruno, "twitter")
    first, _published = publish(network, access, TEXT)
    assert publish(network, access, TEXT)[1].platform_post_id == first.platform_post_id


@pytest.mark.parametrize("key", ["x", "threads", "bluesky", "mastodon", "pinterest", "tiktok", "youtube"])
def test_networks_of_films_publish_one(sandbox, bruno, api, films, key):
    network, access = NETWORKS[key](api), access_to(bruno, {"x": "twitter"}.get(key, key))
    board = api.channel(access.token, access.account_id).boards
    choices = {
        "pinterest": {"board_service_id": board[0].service_id if board else "", "cover_second": "1.5"},
        "tiktok": {"cover_second": "2"},
        "youtube": {"title": "A bike", "category_id": "2", "privacy": "unlisted"},
    }
    item = replace(wire.film(), url=f"{films}/540x960-4s-30.mp4")
    content = wire.chosen(Content(PostType.VIDEO, "A bike", media=(item,)), choices.get(key, {}))
    _accepted, published = publish(network, access, content)
    (row,) = sandbox.feed(access.account_id)
    assert (row["message"], row["kind"], row["media"]) == ("A bike", "video", 1)
    seen = network.seen(access, published.platform_post_id, content)
    assert (seen.exists, seen.media, seen.permalink) == (True, 1, published.permalink)


def test_a_film_that_the_network_does_not_take_fails_after_it_was_accepted(sandbox, bruno, api, films):
    network, access = NETWORKS["tiktok"](api), access_to(bruno, "tiktok")
    item = replace(wire.film(), url=f"{films}/540x960-2s-30.mp4")
    with pytest.raises(RejectedError, match="could not publish") as caught:
        publish(network, access, Content(PostType.VIDEO, "A bike", media=(item,)))
    assert "seconds long" in caught.value.platform_message
    assert sandbox.feed(access.account_id) == []


@pytest.mark.parametrize("fault", ["lost_answer", "error_after"])
def test_a_film_whose_answer_was_lost_is_found(sandbox, bruno, api, films, fault):
    network, access = NETWORKS["bluesky"](api), access_to(bruno, "bluesky")
    item = replace(wire.film(), url=f"{films}/540x960-4s-30.mp4")
    content = Content(PostType.VIDEO, "A bike", media=(item,))
    sandbox.fault(fault, edge="buffer.createPost")
    since = datetime.now(UTC)
    with pytest.raises(OutcomeUnknownError):
        network.commit(access, content, {})
    other = replace(content, media=(replace(item, url=f"{films}/540x960-3s-30.mp4"),))
    assert isinstance(network.look(access, other, {}, since=since, claimed=()), Absent)
    published = follow(network, access, content, {}, since)
    assert [post["id"] for post in sandbox.feed(access.account_id)] == [published.platform_post_id]


def test_a_full_day_is_met_before_the_post_and_at_it(sandbox, bruno, api):
    network, access = NETWORKS["bluesky"](api), access_to(bruno, "bluesky")
    sandbox.buffer_channel(access.account_id, daily_limit=1)
    publish(network, access, TEXT)
    for go_on in (lambda: publish(network, access, TEXT), lambda: network.commit(access, TEXT, {})):
        with pytest.raises(LimitedError, match=r"in a day \(1\)") as caught:
            go_on()
        assert timedelta() < caught.value.until - datetime.now(UTC) <= timedelta(days=1, hours=1)
    assert len(sandbox.buffer_posts(access.account_id)) == 1


def test_a_repeat_told_at_once_is_looked_for(sandbox, bruno, api):
    network, access = NETWORKS["x"](api), access_to(bruno, "twitter")
    since = datetime.now(UTC)
    sandbox.fault("duplicate", edge="buffer.createPost")
    with pytest.raises(OutcomeUnknownError) as caught:
        network.commit(access, TEXT, {})
    found = network.look(access, TEXT, caught.value.handles, since=since, claimed=())
    assert isinstance(found, Unknowable)
    first, _published = publish(network, access, TEXT)
    found = network.look(access, TEXT, caught.value.handles, since=since, claimed=())
    assert isinstance(found, Published)
    assert found.platform_post_id == first.platform_post_id


def test_a_post_may_have_no_link(sandbox, bruno, api):
    sandbox.fault("no_link", edge="buffer.createPost")
    _accepted, published = publish(NETWORKS["bluesky"](api), access_to(bruno, "bluesky"), TEXT)
    assert published.permalink == ""


@pytest.mark.parametrize(
    ("flag", "wanted"), [("isDisconnected", ChannelDisconnectedError), ("isLocked", ChannelLimitError)]
)
def test_an_unfit_channel_stops_before_the_post(sandbox, bruno, api, flag, wanted):
    network, access = NETWORKS["bluesky"](api), access_to(bruno, "bluesky")
    sandbox.buffer_channel(access.account_id, **{flag: True})
    with pytest.raises(wanted):
        publish(network, access, TEXT)
    with pytest.raises(PlatformError) as caught:  # also when it happens between the check and the post
        network.commit(access, TEXT, {})
    assert type(caught.value) is wanted
    assert sandbox.buffer_posts(access.account_id) == []


# Reading


def test_figures_with_a_key_and_none_with_oauth(bruno, api):
    network = NETWORKS["bluesky"](api)
    access = access_to(bruno, "bluesky")
    _accepted, published = publish(network, access, TEXT)
    post_id, since = published.platform_post_id, datetime.now(UTC) - timedelta(hours=1)
    (figures,) = network.post_figures(access, {post_id: ""})
    (listed, *_others) = network.recent_posts(access, since=since, figures=True)
    assert listed.figures.platform_post_id == post_id
    assert "personal key" not in figures.withheld + listed.figures.withheld
    signed_in, other = Access(access.account_id, bruno.access_token), NETWORKS["bluesky"](api)
    (listed, *_others) = other.recent_posts(signed_in, since=since, figures=True)
    (withheld,) = other.post_figures(signed_in, {post_id: ""})
    assert "personal key" in withheld.withheld
    assert listed.figures == withheld


def test_recent_posts_and_profile(bruno, api):
    network, access = NETWORKS["bluesky"](api), access_to(bruno, "bluesky")
    _accepted, published = publish(network, access, TEXT)
    (recent, *_others) = network.recent_posts(access, since=datetime.now(UTC) - timedelta(hours=1))
    assert (recent.platform_post_id, recent.text, recent.permalink) == (
        published.platform_post_id,
        TEXT.text,
        published.permalink,
    )
    assert network.permalink(access, published.platform_post_id) == published.permalink
    assert network.profile(access).username == "brunobikes.bsky.social"
    assert api.daily_limits(access.token, [access.account_id])[access.account_id].sent == 1
