from __future__ import annotations

import json
import time as monotonic
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
import time_machine

from socialhub.platforms.base import (
    Absent,
    Accepted,
    Access,
    AccountReading,
    Content,
    Done,
    NotYet,
    PostFigures,
    PostType,
    Profile,
    Published,
    StepKind,
    Unknowable,
)
from socialhub.platforms.buffer import PLATFORM_KEYS, SERVICES, BufferApi, BufferConfig, channel_of
from socialhub.platforms.buffer_errors import ChannelDisconnectedError, ChannelLimitError, DuplicateError
from socialhub.platforms.buffer_networks import NETWORKS, X, offers_of
from socialhub.platforms.buffer_rules import RULES
from socialhub.platforms.buffer_rules import WINDOWS as RULE_WINDOWS
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

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SINCE = NOW - timedelta(seconds=40)
LINK_URL = "https://shop.example/camaro"
TEXT = Content(PostType.TEXT, "1969 Camaro")
LINK = Content(PostType.LINK, "Look", link=LINK_URL)
TAKEN = {"accepted": wire.POST_ID, "looks": 0}
WITH_BOARD = {
    "__typename": "PinterestMetadata",
    "boards": [{"id": "b1", "serviceId": "777", "name": "Cars", "url": "https://pinterest.example/cars"}],
}
LOST = {"organization": wire.ORGANIZATION_ID}

ALL = pytest.mark.parametrize("key", NETWORKS)


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
    return BufferApi(BufferConfig())


@pytest.fixture
def x(api) -> X:
    return X(api)


@pytest.fixture
def access() -> Access:
    return Access(wire.CHANNEL_ID, wire.TOKEN)


def plain(url: str, alt_text: str) -> dict:
    return {"image": {"url": url, "metadata": {"altText": alt_text}}}


# The networks


def test_every_service_that_can_be_published_to_has_its_network_and_rules():
    assert set(NETWORKS) == set(PLATFORM_KEYS.values()) == set(SERVICES) == set(RULES) == set(RULE_WINDOWS)
    assert all(RULES[key].label == network.label for key, network in NETWORKS.items())


@ALL
def test_the_plan_looks_at_the_channel_and_hands_the_post_over(key, images):
    first, last = NETWORKS[key](None).plan(images(2))
    assert (first.key, first.kind, first.calls) == ("channel", StepKind.PREPARE, {"client": 1})
    assert (last.key, last.kind, last.calls) == ("post", StepKind.COMMIT, {"publish": 1, "client": 1})
    assert {*first.calls, *last.calls} <= {window.group for window in RULE_WINDOWS[key]}


# Before the commit


@pytest.mark.parametrize("flags", [{}, {"isQueuePaused": True}])
def test_a_fit_channel_gives_its_organization(x, access, buffer, flags):
    buffer.tells({"channel": wire.channel(**flags), "dailyPostingLimits": [wire.day()]})
    done = x.perform(x.plan(TEXT)[0], access, TEXT, {})
    assert done == Done({"organization": wire.ORGANIZATION_ID})
    assert buffer.variables() == {"id": wire.CHANNEL_ID, "limits": {"channelIds": [wire.CHANNEL_ID]}}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"isDisconnected": True}, ChannelDisconnectedError),
        ({"isLocked": True}, ChannelLimitError),
        ({"service": "mastodon"}, OurBugError),
        ({"service": "substack"}, OurBugError),
    ],
)
def test_an_unfit_channel_stops_before_anything_is_posted(x, access, buffer, change, wanted):
    buffer.answers("channel", wire.channel(**change))
    with pytest.raises(wanted):
        x.perform(x.plan(TEXT)[0], access, TEXT, {})


@pytest.mark.parametrize(
    ("key", "number", "said"),
    [
        ("youtube", 1, "kind of post"),
        ("pinterest", 3, "kind of post"),
        ("google_business", 2, "kind of post"),
        ("tiktok", 0, "kind"),
    ],
)
def test_what_a_network_does_not_take_costs_no_call(key, number, said, api, access, images):
    content = images(number) if number else TEXT
    network = NETWORKS[key](api)
    with pytest.raises(RejectedError, match=said):
        network.perform(network.plan(content)[0], access, content, {})


def test_a_pin_without_a_board_costs_no_call(api, access, images):
    pinterest = NETWORKS["pinterest"](api)
    with pytest.raises(RejectedError, match="board"):
        pinterest.perform(pinterest.plan(images(1))[0], access, images(1), {})


def pinned(api, access, images, board: str) -> object:
    content = wire.chosen(images(1), {"board_service_id": board})
    pinterest = NETWORKS["pinterest"](api)
    return pinterest.perform(pinterest.plan(content)[0], access, content, {})


def test_a_pin_with_a_board_goes_on(api, access, images, buffer):
    buffer.answers("channel", wire.channel("pinterest", metadata=WITH_BOARD))
    assert isinstance(pinned(api, access, images, "777"), Done)


@pytest.mark.parametrize("board", ["778", "b1"])  # another, and the id that Buffer gives the board
def test_a_board_that_is_gone_stops_the_pin_before_it_is_made(api, access, images, buffer, board):
    buffer.answers("channel", wire.channel("pinterest", metadata=WITH_BOARD))
    with pytest.raises(RejectedError, match="not there any more"):
        pinned(api, access, images, board)
    assert buffer.operations() == ["ChannelToday"]


@pytest.mark.parametrize(
    ("zone", "until"),
    [
        ("America/New_York", datetime(2026, 11, 21, 5, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 11, 21, 11, tzinfo=UTC)),
        ("Nowhere/Land", datetime(2026, 11, 21, tzinfo=UTC)),
    ],
)
def test_a_full_day_waits_for_the_next_on_the_clocks_of_the_channel(x, access, buffer, zone, until):
    full = wire.day(limit=25, sent=20, scheduled=5, isAtLimit=True)
    buffer.tells({"channel": wire.channel(timezone=zone), "dailyPostingLimits": [full]})
    with pytest.raises(LimitedError, match=r"in a day \(25\)") as caught:
        x.perform(x.plan(TEXT)[0], access, TEXT, {})
    assert caught.value.until == until


@pytest.mark.parametrize("limits", [[], [wire.day(limit=None)], [wire.day(channelId="other", isAtLimit=True)], None])
def test_a_day_without_a_limit_goes_on(x, access, buffer, limits):
    buffer.tells({"channel": wire.channel(), "dailyPostingLimits": limits})
    assert isinstance(x.perform(x.plan(TEXT)[0], access, TEXT, {}), Done)


def test_limits_of_the_day_that_cannot_be_read_stop_nothing(x, access, buffer):
    beside = {"message": "Oops", "path": ["dailyPostingLimits"], "extensions": {"code": "UNEXPECTED"}}
    buffer.tells({"channel": wire.channel(), "dailyPostingLimits": None}, errors=[beside])
    assert isinstance(x.perform(x.plan(TEXT)[0], access, TEXT, {}), Done)
    assert buffer.operations() == ["ChannelToday"]


def test_a_channel_that_was_read_in_part_is_read_again_alone(x, access, buffer):
    """Nobody knows what is missing: perhaps that it is disconnected."""
    inside = {"message": "Oops", "path": ["channel", "metadata"], "extensions": {"code": "UNEXPECTED"}}
    buffer.tells({"channel": wire.channel(), "dailyPostingLimits": []}, errors=[inside])
    buffer.answers("channel", wire.channel(isDisconnected=True))
    with pytest.raises(ChannelDisconnectedError):
        x.perform(x.plan(TEXT)[0], access, TEXT, {})


@pytest.mark.parametrize("code", ["FORBIDDEN", "UNEXPECTED", None])
def test_limits_of_the_day_that_take_the_answer_with_them_stop_nothing(x, access, buffer, code):
    buffer.fails(code)
    buffer.answers("channel", wire.channel())
    assert isinstance(x.perform(x.plan(TEXT)[0], access, TEXT, {}), Done)
    assert buffer.operations() == ["ChannelToday", "Channel"]


@pytest.mark.parametrize(
    ("failure", "wanted"), [({"body": requests.ReadTimeout()}, TemporaryError), ({"status": 429}, LimitedError)]
)
def test_a_buffer_in_trouble_is_not_asked_twice(x, access, buffer, failure, wanted):
    buffer.post(wire.API, **failure)
    with pytest.raises(wanted):
        x.perform(x.plan(TEXT)[0], access, TEXT, {})
    assert len(buffer.calls) == 1


def test_what_a_channel_offers():
    def offers(service: str, metadata: dict[str, object] | None = None) -> dict[str, object]:
        return offers_of(channel_of(wire.channel(service, metadata=metadata)))

    zone = {"time_zone": "Europe/London"}
    assert offers("pinterest", WITH_BOARD) == {**zone, "boards": [{"id": "777", "name": "Cars"}]}
    assert offers("pinterest") == {**zone, "boards": []}
    premium = {"__typename": "TwitterMetadata", "subscriptionType": "Premium"}
    assert offers("twitter", premium) == {**zone, "x_subscription": "Premium"}
    assert offers("twitter") == {**zone, "x_subscription": ""}
    server = {"__typename": "MastodonMetadata", "serverUrl": "https://m.example", "maxCharacters": 5000}
    assert offers("mastodon", server) == {**zone, "max_characters": 5000}
    assert offers("tiktok") == zone


# The commit


def test_a_post_is_taken_and_its_id_kept(x, access, buffer):
    buffer.answers("createPost", wire.taken())
    accepted = x.commit(access, TEXT, LOST)
    assert accepted == Accepted(wire.POST_ID, {"accepted": wire.POST_ID, "looks": 0})
    assert buffer.variables() == {
        "input": {
            "channelId": wire.CHANNEL_ID,
            "schedulingType": "automatic",
            "mode": "shareNow",
            "text": "1969 Camaro",
            "assets": [],
        }
    }
    assert buffer.operations() == ["CreatePost"]


def test_images_go_out_in_order_with_their_description(x, access, buffer, images):
    buffer.answers("createPost", wire.taken())
    x.commit(access, images(3), LOST)
    assert buffer.variables()["input"]["assets"] == [
        plain(f"https://media.example/m/signature{n}/image-{n}.jpg", f"View {n}") for n in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("key", "choices", "text", "metadata"),
    [
        ("x", {}, f"Look\n\n{LINK_URL}", None),
        ("mastodon", {}, f"Look\n\n{LINK_URL}", None),
        ("mastodon", {"spoiler_text": "Cars"}, f"Look\n\n{LINK_URL}", {"mastodon": {"spoilerText": "Cars"}}),
        ("threads", {"topic": "Cars"}, "Look", {"threads": {"topic": "Cars", "linkAttachment": {"url": LINK_URL}}}),
        ("bluesky", {}, "Look", {"bluesky": {"linkAttachment": {"url": LINK_URL}}}),
        (
            "google_business",
            {},
            "Look",
            {"google": {"type": "whats_new", "detailsWhatsNew": {"button": "learn_more", "link": LINK_URL}}},
        ),
        (
            "google_business",
            {"button": "call"},
            "Look",
            {"google": {"type": "whats_new", "detailsWhatsNew": {"button": "call"}}},
        ),
        (
            "google_business",
            {"type": "event", "title": "Show", "start_date": "2026-12-01", "end_date": "2026-12-02"},
            "Look",
            {
                "google": {
                    "type": "event",
                    "title": "Show",
                    "detailsEvent": {
                        "title": "Show",
                        "startDate": "2026-12-01T00:00:00+00:00",
                        "endDate": "2026-12-02T23:59:00+00:00",
                        "button": "learn_more",
                        "link": LINK_URL,
                        "isFullDayEvent": True,
                    },
                }
            },
        ),
        (
            "google_business",
            {"type": "offer", "title": "Sale", "start_date": "2026-12-01", "end_date": "2026-12-02", "code": "XMAS"},
            "Look",
            {
                "google": {
                    "type": "offer",
                    "title": "Sale",
                    "detailsOffer": {
                        "title": "Sale",
                        "startDate": "2026-12-01T00:00:00+00:00",
                        "endDate": "2026-12-02T23:59:00+00:00",
                        "code": "XMAS",
                        "link": LINK_URL,
                    },
                }
            },
        ),
    ],
)
def test_a_link_stands_where_the_network_has_a_place_for_it(api, access, buffer, key, choices, text, metadata):
    buffer.answers("createPost", wire.taken())
    NETWORKS[key](api).commit(access, wire.chosen(LINK, choices), LOST)
    sent = buffer.variables()["input"]
    assert (sent["text"], sent.get("metadata")) == (text, metadata)


def test_an_event_is_on_the_clocks_of_its_channel(api):
    choices = {
        "type": "event",
        "title": "Show",
        "start_date": "2026-06-01",
        "end_date": "2026-06-02",
        "full_day": "no",
        "start_time": "18:30",
        "end_time": "02:00",
        "button": "signup",
        "link": "https://tickets.example/show",
    }
    content = replace(wire.chosen(LINK, choices), offers={"time_zone": "America/New_York"})
    assert NETWORKS["google_business"](api).input_of("c", content)["metadata"]["google"]["detailsEvent"] == {
        "title": "Show",
        "startDate": "2026-06-01T18:30:00-04:00",
        "endDate": "2026-06-02T02:00:00-04:00",
        "button": "signup",
        "link": "https://tickets.example/show",  # its own, not the post's
        "isFullDayEvent": False,
    }


def test_what_youtube_is_told(api):
    choices = {"title": "Camaro", "category_id": "2"}
    told = {"title": "Camaro", "categoryId": "2", "privacy": "public", "madeForKids": False}
    youtube = NETWORKS["youtube"](api)
    assert youtube.input_of("c", wire.chosen(TEXT, choices))["metadata"] == {"youtube": told}
    kids = {**choices, "privacy": "unlisted", "made_for_kids": "yes"}
    told = {**told, "privacy": "unlisted", "madeForKids": True}
    assert youtube.input_of("c", wire.chosen(TEXT, kids))["metadata"] == {"youtube": told}


@pytest.mark.parametrize(
    ("key", "text", "metadata"),
    [
        ("threads", f"1969 Camaro\n\n{LINK_URL}", None),
        ("bluesky", f"1969 Camaro\n\n{LINK_URL}", None),
        ("tiktok", "1969 Camaro", {"tiktok": {"title": "Camaro"}}),
        ("pinterest", "1969 Camaro", {"pinterest": {"boardServiceId": "777", "title": "Camaro", "url": LINK_URL}}),
    ],
)
def test_a_link_beside_an_image(api, access, buffer, images, key, text, metadata):
    buffer.answers("createPost", wire.taken())
    content = wire.chosen(images(1, link=LINK_URL), {"board_service_id": "777", "title": "Camaro"})
    NETWORKS[key](api).commit(access, content, LOST)
    sent = buffer.variables()["input"]
    assert (sent["text"], sent.get("metadata")) == (text, metadata)
    assert len(sent["assets"]) == 1


def test_a_link_that_is_in_the_text_is_not_sent_twice(x):
    assert x.input_of("c", Content(PostType.LINK, f"See {LINK_URL}", link=LINK_URL))["text"] == f"See {LINK_URL}"


def test_control_characters_are_left_out(x):
    assert x.input_of("c", Content(PostType.TEXT, "a\x00b\x1bc\td\r\ne\rf"))["text"] == "abc\td\ne\nf"


def test_a_tag_made_for_us_goes_along(x):
    assert x.input_of("c", wire.chosen(TEXT, {"buffer_tag_id": "t1"}))["tagIds"] == ["t1"]


WITH_FILM = ["x", "threads", "bluesky", "mastodon", "pinterest", "tiktok", "youtube"]
FILM = Content(PostType.VIDEO, "1969 Camaro", media=(wire.film(),))
FILM_URL = FILM.media[0].url


def test_the_networks_that_take_a_film():
    assert [key for key in NETWORKS if PostType.VIDEO in RULES[key].post_types] == WITH_FILM


@pytest.mark.parametrize("key", WITH_FILM)
def test_a_film_goes_out_as_a_video(api, access, buffer, key):
    buffer.answers("createPost", wire.taken())
    NETWORKS[key](api).commit(access, FILM, LOST)
    assert buffer.variables()["input"]["assets"] == [{"video": {"url": FILM_URL}}]


@pytest.mark.parametrize(("key", "wanted"), [("pinterest", 2500), ("tiktok", 2500)])
def test_a_film_has_a_moment_that_stands_for_it(api, access, buffer, key, wanted):
    buffer.answers("createPost", wire.taken())
    choices = {"board_service_id": "777", "title": "Camaro", "cover_second": "2.5"}
    NETWORKS[key](api).commit(access, wire.chosen(FILM, choices), LOST)
    sent = buffer.variables()["input"]
    assert sent["assets"] == [{"video": {"url": FILM_URL, "metadata": {"thumbnailOffset": wanted}}}]
    # TikTok titles photo posts only.
    assert sent.get("metadata") == (
        {"pinterest": {"boardServiceId": "777", "title": "Camaro"}} if key == "pinterest" else None
    )


def test_an_image_has_no_such_moment(api, images):
    content = wire.chosen(images(1), {"cover_second": "2.5"})
    assert NETWORKS["tiktok"](api).input_of("c", content)["assets"] == [plain(content.media[0].url, "View 1")]


def test_a_film_for_google_costs_no_call(api, access):
    network = NETWORKS["google_business"](api)
    with pytest.raises(RejectedError, match="kind of post"):
        network.perform(network.plan(FILM)[0], access, FILM, {})


def test_a_film_in_a_post_of_images_costs_no_call(api, access, images):
    mixed = replace(images(2), media=(*images(2).media, wire.film(3)))
    network = NETWORKS["bluesky"](api)
    with pytest.raises(RejectedError, match="kind of post"):
        network.perform(network.plan(mixed)[0], access, mixed, {})


def test_an_image_without_a_description_has_no_metadata(x, images):
    content = images(1)
    bare = Content(
        content.post_type,
        content.text,
        media=(type(content.media[0])(1, "https://m.example/1.jpg", "image/jpeg", 9, 9, 9),),
    )
    assert x.input_of("c", bare)["assets"] == [{"image": {"url": "https://m.example/1.jpg"}}]


@pytest.mark.parametrize("lost", [{"body": requests.ReadTimeout()}, {"status": 500}, {"body": "<html>"}])
def test_a_lost_answer_is_made_once_and_leaves_the_outcome_open(x, access, buffer, lost):
    buffer.post(wire.API, **lost)
    with pytest.raises(OutcomeUnknownError):
        x.commit(access, TEXT, LOST)
    assert len(buffer.calls) == 1


@pytest.mark.parametrize(
    ("limits", "wanted"), [([wire.day(isAtLimit=True)], LimitedError), ([wire.day()], ChannelLimitError)]
)
def test_a_limit_met_at_the_commit_is_that_of_the_day_or_of_the_plan(x, access, buffer, limits, wanted):
    buffer.answers("createPost", wire.refused("LimitReachedError", "You have reached your limit"))
    buffer.tells({"channel": wire.channel(), "dailyPostingLimits": limits})
    with pytest.raises(PlatformError) as caught:
        x.commit(access, TEXT, LOST)
    assert type(caught.value) is wanted


def test_a_limit_that_cannot_be_looked_into_is_told_as_it_is(x, access, buffer):
    buffer.answers("createPost", wire.refused("LimitReachedError", "You have reached your limit"))
    buffer.post(wire.API, status=503)
    with pytest.raises(ChannelLimitError):
        x.commit(access, TEXT, LOST)


# The network says it has the same post already


@pytest.mark.parametrize("typename", ["InvalidInputError", "RestProxyError"])
def test_a_repeat_leads_to_a_look_and_not_to_a_failure(x, access, buffer, typename):
    buffer.answers("createPost", wire.refused(typename, "Status is a duplicate"))
    with pytest.raises(OutcomeUnknownError) as caught:
        x.commit(access, TEXT, LOST)
    assert caught.value.handles == {"repeated": "2026-11-20T12:00:00.000Z"}
    assert caught.value.platform_message == "Status is a duplicate"


REFUSED = {**LOST, "repeated": "2026-11-20T11:59:30.000Z"}
EARLIER = "2026-11-20T11:20:00Z"  # of an attempt whose answer was lost


def test_the_post_of_an_attempt_before_is_the_one(x, access, buffer):
    twin = wire.post("sent", id="first", createdAt=EARLIER, externalLink="https://x.com/1", sentAt=EARLIER)
    buffer.answers("posts", wire.page(wire.post("error", id="other"), twin))
    found = look(x, access, handles=REFUSED)
    assert isinstance(found, Published)
    assert (found.platform_post_id, found.permalink) == ("first", "https://x.com/1")
    assert buffer.variables()["input"]["filter"]["createdAt"]["start"] == "2026-11-19T11:59:20.000Z"


def test_one_still_on_its_way_is_waited_for(x, access, buffer):
    buffer.answers("posts", wire.page(wire.post("sending", id="first", createdAt=EARLIER)))
    assert isinstance(look(x, access, handles=REFUSED), NotYet)


@pytest.mark.parametrize(
    ("change", "claimed"),
    [({}, ["first"]), ({"text": "Other"}, []), ({"status": "error"}, []), ({"createdAt": "2026-11-18T12:00:00Z"}, [])],
)
def test_without_one_that_can_be_ours_a_person_is_asked(x, access, buffer, change, claimed):
    buffer.answers("posts", wire.page(wire.post(**{"status": "sent", "id": "first", "createdAt": EARLIER, **change})))
    found = look(x, access, handles=REFUSED, claimed=claimed)
    assert isinstance(found, Unknowable)
    assert "same post already" in found.evidence


def test_a_refusal_of_an_attempt_before_says_nothing_of_this_one(x, access, buffer):
    buffer.answers("posts", wire.page())
    old = {**LOST, "repeated": "2026-11-20T11:00:00.000Z"}
    assert isinstance(look(x, access, handles=old), Absent)


@pytest.mark.parametrize(("twin", "wanted"), [("sent", Published), ("sending", NotYet)])
def test_a_post_that_failed_as_a_repeat_is_looked_for_too(x, access, buffer, twin, wanted):
    failed = wire.post("error", error={"message": "Status is a duplicate", "supportUrl": None})
    buffer.answers("channel", wire.channel())
    buffer.answers("post", failed)
    buffer.answers("posts", wire.page(failed, wire.post(twin, id="first", createdAt=EARLIER)))
    x.api.organization_of(access.token, access.account_id)
    assert isinstance(look(x, access), wanted)


# Following what was taken


def look(network, access, content=TEXT, handles=TAKEN, since=SINCE, claimed=()):
    return network.look(access, content, handles, since=since, claimed=claimed)


def test_a_post_is_followed_until_it_is_sent(x, access, buffer):
    link = "https://x.com/camaro_club/status/1"
    sent = wire.post("sent", sentAt="2026-11-20T11:59:58Z", externalLink=link)
    buffer.answers("post", wire.post("scheduled"), wire.post("sending"), sent)
    handles, waits = dict(TAKEN), []
    while isinstance(found := look(x, access, handles=handles), NotYet):
        handles.update(found.handles)
        waits.append(found.seconds)
    assert waits == [20, 60]
    assert found == Published(wire.POST_ID, link, published_at=datetime(2026, 11, 20, 11, 59, 58, tzinfo=UTC))


def test_a_network_may_give_no_link(x, access, buffer):
    buffer.answers("post", wire.post("sent", sentAt="2026-11-20T11:59:58Z"))
    assert look(x, access).permalink == ""


def test_it_is_asked_less_and_less_often(x, access, buffer):
    buffer.answers("post", *[wire.post("sending")] * 7)
    handles, waits = dict(TAKEN), []
    for _look in range(7):
        found = look(x, access, handles=handles)
        handles.update(found.handles)
        waits.append(found.seconds)
    assert waits == [20, 60, 180, 600, 1800, 3600, 3600]


def test_posts_to_many_channels_are_followed_with_one_call(api, buffer, clock):
    """As by the engine: many threads at the same moment."""
    posts = [wire.post("sent", id=f"p{n}", channelId=f"c{n}", sentAt="2026-11-20T11:59:59Z") for n in range(8)]
    buffer.answers("posts", wire.page(*posts))
    networks = [network(api) for network in NETWORKS.values()]

    def follow(number: int) -> str:
        handles = {"accepted": f"p{number}", "organization": wire.ORGANIZATION_ID}
        return look(networks[number], Access(f"c{number}", wire.TOKEN), handles=handles).platform_post_id

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(follow, range(8))) == [f"p{n}" for n in range(8)]
    assert buffer.operations() == ["Posts"]
    assert buffer.variables()["input"] == {
        "organizationId": wire.ORGANIZATION_ID,
        "filter": {"createdAt": {"start": "2026-11-20T11:57:20.000Z"}},
        "sort": [{"field": "createdAt", "direction": "desc"}],
    }


TOGETHER = {**TAKEN, "organization": wire.ORGANIZATION_ID}


def test_what_was_read_for_others_is_soon_too_old(access, buffer):
    x = X(BufferApi(BufferConfig(sweep_seconds=0)))
    buffer.answers("posts", wire.page(wire.post("sending")), wire.page(wire.post("sent")))
    assert isinstance(look(x, access, handles=TOGETHER), NotYet)
    assert isinstance(look(x, access, handles=TOGETHER), Published)


def test_what_was_read_with_another_token_is_not_used(x, access, buffer):
    buffer.answers("posts", wire.page(wire.post("sending")), wire.page(wire.post("sending")))
    look(x, access, handles=TOGETHER)
    look(x, Access(access.account_id, "another-token-0123456789"), handles=TOGETHER)
    assert [call.request.headers["Authorization"] for call in buffer.calls] == [
        f"Bearer {wire.TOKEN}",
        "Bearer another-token-0123456789",
    ]


def test_of_a_post_that_came_after_the_reading_the_list_says_nothing(x, access, buffer, clock):
    """Neither that it is absent, nor is the list read again for it alone: the next reading tells."""
    buffer.answers("posts", wire.page(wire.post("sending")))
    assert isinstance(look(x, access, handles=TOGETHER), NotYet)
    clock.shift(10)
    found = look(x, access, handles={**TOGETHER, "accepted": "p2"}, since=NOW + timedelta(seconds=1))
    assert isinstance(found, NotYet)
    assert 0 < found.seconds <= 60
    assert found.handles == {}
    assert buffer.operations() == ["Posts"]


def test_a_post_that_the_list_should_have_shown_is_asked_for_alone(x, access, buffer):
    buffer.answers("posts", wire.page(wire.post("sending")))
    buffer.answers("post", wire.post("sent", id="p2"))
    assert isinstance(look(x, access, handles=TOGETHER), NotYet)
    assert isinstance(look(x, access, handles={**TOGETHER, "accepted": "p2"}), Published)
    assert buffer.operations() == ["Posts", "Post"]


def test_what_nobody_follows_any_more_does_not_make_readings_longer(access, buffer, clock):
    x = X(BufferApi(BufferConfig(sweep_seconds=0)))
    buffer.answers("posts", wire.page(wire.post("sending")))
    assert isinstance(look(x, access, handles=TOGETHER), NotYet)
    clock.shift(2 * 3600)
    since = NOW + timedelta(hours=2)
    buffer.answers("posts", wire.page(wire.post("sending", id="p2", createdAt="2026-11-20T14:00:00Z")))
    assert isinstance(look(x, access, handles={**TOGETHER, "accepted": "p2"}, since=since), NotYet)
    assert buffer.variables()["input"]["filter"] == {"createdAt": {"start": "2026-11-20T13:58:00.000Z"}}


def test_one_reading_reaches_back_to_the_oldest_that_is_followed(access, buffer, clock):
    """Else two that were made at different times would take turns in reading the list."""
    x = X(BufferApi(BufferConfig(sweep_seconds=0.2)))
    young = {"createdAt": "2026-11-20T12:08:00Z", "id": "p2"}
    buffer.answers("posts", wire.page(wire.post("sending")))
    assert isinstance(look(x, access, handles=TOGETHER), NotYet)
    clock.shift(600)
    monotonic.sleep(0.25)
    buffer.answers("posts", wire.page(wire.post("sending", **young), wire.post("sending")))
    since = NOW + timedelta(minutes=8)
    assert isinstance(look(x, access, handles={**TOGETHER, "accepted": "p2"}, since=since), NotYet)
    assert isinstance(look(x, access, handles=TOGETHER), NotYet)
    assert buffer.operations() == ["Posts", "Posts"]
    assert buffer.variables()["input"]["filter"] == {"createdAt": {"start": "2026-11-20T11:57:20.000Z"}}


def test_a_reading_goes_on_until_it_has_seen_all_that_are_followed(x, access, buffer):
    others = [wire.post("sent", id=f"q{number}") for number in range(50)]
    buffer.answers("posts", wire.page(*others, after="n"), wire.page(wire.post("sent"), after="m"))
    buffer.answers("posts", wire.page())
    assert isinstance(look(x, access, handles=TOGETHER), Published)


def test_a_reading_ends_with_the_page_that_shows_all_that_are_followed(x, access, buffer):
    others = [wire.post("sent", id=f"q{number}") for number in range(49)]
    buffer.answers("posts", wire.page(*others, wire.post("sent"), after="n"))
    assert isinstance(look(x, access, handles=TOGETHER), Published)
    assert buffer.operations() == ["Posts"]


def test_pauses_are_shorter_where_lists_are_read_more_often(access, buffer):
    x = X(BufferApi(BufferConfig(sweep_seconds=0.6)))
    buffer.answers("post", wire.post("sending"))
    assert look(x, access).seconds == pytest.approx(0.2)


def test_a_post_that_the_list_does_not_show_is_asked_for_alone(x, access, buffer):
    buffer.answers("posts", wire.page())
    buffer.answers("post", wire.post("sent"))
    assert isinstance(look(x, access, handles=TOGETHER), Published)


def test_an_old_post_is_followed_alone(x, access, buffer):
    since = NOW - timedelta(hours=2)
    buffer.answers("post", wire.post("sending", createdAt=since.isoformat()))
    assert isinstance(look(x, access, handles=TOGETHER, since=since), NotYet)


def test_after_a_day_a_person_is_asked(x, access, buffer):
    since = NOW - timedelta(hours=24, minutes=1)
    old = wire.post("sending", createdAt=since.isoformat())
    buffer.answers("post", old)
    assert isinstance(look(x, access, since=since), Unknowable)


@pytest.mark.parametrize("status", ["draft", "needs_approval"])
def test_what_waits_for_a_person_in_buffer_is_said(x, access, buffer, status):
    buffer.answers("post", wire.post(status))
    found = look(x, access)
    assert isinstance(found, Unknowable)
    assert "approve" in found.evidence


def test_a_status_that_nobody_has_told_us_about_is_waited_for(x, access, buffer):
    buffer.answers("post", wire.post("processing"))
    assert isinstance(look(x, access), NotYet)


def test_what_was_deleted_in_buffer_is_for_a_person(x, access, buffer):
    buffer.fails("NOT_FOUND", path=["post"])
    assert isinstance(look(x, access), Unknowable)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [("The image is too large", RejectedError), ("Status is a duplicate", DuplicateError)],
)
def test_a_failure_is_told_in_buffers_words(x, access, buffer, words, wanted):
    buffer.answers("post", wire.post("error", error={"message": words, "supportUrl": None}))
    if wanted is DuplicateError:  # looked for before it is told
        buffer.answers("channel", wire.channel())
        buffer.answers("posts", wire.page(wire.post("sent", id="claimed", createdAt=EARLIER)))
    with pytest.raises(RejectedError) as caught:
        look(x, access, claimed=["claimed"])
    assert type(caught.value) is wanted
    assert caught.value.platform_message == words


@pytest.mark.parametrize(("still", "wanted"), [(True, ReconnectError), (False, RejectedError)])
def test_a_failure_for_a_lost_channel_asks_to_reconnect_only_while_it_is_lost(x, access, buffer, still, wanted):
    buffer.answers("post", wire.post("error", error={"message": "Please reconnect your account", "supportUrl": None}))
    buffer.answers("channel", wire.channel(isDisconnected=still))
    with pytest.raises(wanted):
        look(x, access)


@pytest.mark.parametrize("failure", [{"body": requests.ReadTimeout()}, {"status": 503}])
def test_a_look_that_failed_is_repeated(x, access, buffer, failure):
    buffer.post(wire.API, **failure)
    with pytest.raises(TemporaryError):
        look(x, access)


# Finding what a lost answer left behind


def test_the_post_of_a_lost_answer_is_found_in_the_list(x, access, buffer):
    buffer.post(wire.API, body=requests.ReadTimeout())
    with pytest.raises(OutcomeUnknownError):
        x.commit(access, TEXT, LOST)
    buffer.answers("posts", wire.page(wire.post("sent", text=" 1969  Camaro\r\n", sentAt="2026-11-20T11:59:59Z")))
    found = look(x, access, handles=LOST)
    assert isinstance(found, Published)
    assert found.platform_post_id == wire.POST_ID
    assert buffer.variables() == {
        "input": {
            "organizationId": wire.ORGANIZATION_ID,
            "filter": {
                "channelIds": [wire.CHANNEL_ID],
                "createdAt": {"start": "2026-11-20T11:57:20.000Z", "end": "2026-11-20T12:02:00.000Z"},
            },
            "sort": [{"field": "createdAt", "direction": "desc"}],
        },
        "first": 25,
        "after": None,
    }


def test_what_is_found_unfinished_is_followed_by_its_id(x, access, buffer):
    buffer.answers("posts", wire.page(wire.post("sending")))
    assert look(x, access, handles=LOST) == NotYet(20, {"accepted": wire.POST_ID, "looks": 1})


def test_what_is_found_failed_is_asked_for_by_its_id(x, access, buffer):
    failed = wire.post("error", error={"message": "Too large", "supportUrl": None})
    buffer.answers("posts", wire.page(failed), wire.page(failed))
    found = look(x, access, handles=LOST)
    assert found.handles["accepted"] == wire.POST_ID
    with pytest.raises(RejectedError):
        look(x, access, handles={**LOST, **found.handles})


@pytest.mark.parametrize(
    "change",
    [
        {"channelId": "other"},
        {"via": "buffer"},
        {"via": "network"},
        {"text": "1969 Camaro!"},
        {"text": "1969"},
        {"assets": [wire.image_asset()]},
        {"status": "error", "createdAt": "2026-11-20T11:59:00Z"},
    ],
)
def test_other_posts_are_not_ours(x, access, buffer, change):
    buffer.answers("posts", wire.page(wire.post(**{"status": "sent", **change})))
    found = look(x, access, handles=LOST)
    assert isinstance(found, Absent)
    assert "1 posts" in found.evidence


def test_posts_of_other_publications_are_not_ours(x, access, buffer):
    buffer.answers("posts", wire.page(wire.post("sent")))
    assert isinstance(look(x, access, handles=LOST, claimed=[wire.POST_ID]), Absent)


def test_images_are_compared_by_number_and_kind(x, access, buffer, images):
    both = [wire.image_asset(), wire.image_asset()]
    mixed = [wire.image_asset(), wire.image_asset("video")]
    buffer.answers("posts", wire.page(wire.post("sent", assets=mixed)), wire.page(wire.post("sent", assets=both)))
    assert isinstance(look(x, access, images(2), LOST), Absent)
    assert isinstance(look(x, access, images(2), LOST), Published)


@pytest.mark.parametrize(
    ("assets", "wanted"),
    [
        ([wire.image_asset("video")], Published),
        ([wire.image_asset("video", source=FILM_URL.replace("signature1", "another"))], Published),
        ([wire.image_asset("video", source=FILM_URL.replace("film-1", "film-2"))], Absent),
        ([wire.image_asset()], Absent),
        ([wire.image_asset("video"), wire.image_asset("video")], Absent),
        ([], Absent),
    ],
)
def test_a_film_whose_answer_was_lost_is_known_by_its_file(x, access, buffer, assets, wanted):
    """Where Buffer still names our address; where it has a copy, the kind has to do."""
    buffer.answers("posts", wire.page(wire.post("sent", assets=assets)))
    assert isinstance(look(x, access, FILM, LOST), wanted)


def test_two_equal_posts_whose_answers_were_lost_are_two(x, access, buffer):
    posts = [
        wire.post("sent", id=f"p{n}", createdAt=f"2026-11-20T11:59:{n}Z", assets=[wire.image_asset("video")])
        for n in (30, 40)
    ]
    buffer.answers("posts", wire.page(*posts), wire.page(*posts))
    first = look(x, access, FILM, LOST)
    second = look(x, access, FILM, LOST, claimed=[first.platform_post_id])
    assert [first.platform_post_id, second.platform_post_id] == ["p30", "p40"]


@pytest.mark.parametrize(
    ("theirs", "wanted"),
    [
        ("Look\n\nhttps://buff.ly/4abc", Published),
        ("Look", Absent),
        ("Look https://buff.ly/4abc https://buff.ly/4abd", Absent),
        ("Other\n\nhttps://buff.ly/4abc", Absent),
    ],
)
def test_a_shortened_link_is_still_ours(x, access, buffer, theirs, wanted):
    buffer.answers("posts", wire.page(wire.post("sent", text=theirs)))
    assert isinstance(look(x, access, LINK, LOST), wanted)


def test_of_several_the_oldest_is_taken(x, access, buffer, caplog):
    posts = [wire.post("sent", id=f"p{n}", createdAt=f"2026-11-20T11:59:{n}Z") for n in (50, 40, 45)]
    buffer.answers("posts", wire.page(*posts))
    assert look(x, access, handles=LOST).platform_post_id == "p40"
    assert "3 posts" in caplog.text


def test_with_a_tag_only_a_tagged_post_is_ours(x, access, buffer):
    content = wire.chosen(TEXT, {"buffer_tag_id": "t1"})
    tagged = wire.post("sent", id="p2", createdAt="2026-11-20T11:59:50Z", tags=[{"id": "t1", "name": "socialhub"}])
    buffer.answers("posts", wire.page(wire.post("sent", id="p1"), tagged))
    assert look(x, access, content, LOST).platform_post_id == "p2"


def test_the_second_page_is_read_too(x, access, buffer):
    buffer.answers(
        "posts", wire.page(wire.post("sent", text="Other"), after="n"), wire.page(wire.post("sent", id="p2"))
    )
    assert look(x, access, handles=LOST).platform_post_id == "p2"


def test_no_edges_are_nothing_found(x, access, buffer):
    buffer.answers("posts", {"edges": None, "pageInfo": {"hasNextPage": False, "endCursor": None}})
    assert isinstance(look(x, access, handles=LOST), Absent)


@pytest.mark.parametrize(("auto_resend", "wanted"), [(False, Unknowable), (True, Absent)])
def test_after_minutes_of_looking_a_person_decides_unless_told_otherwise(access, buffer, auto_resend, wanted):
    x = X(BufferApi(BufferConfig(auto_resend=auto_resend)))
    buffer.answers("posts", wire.page())
    assert isinstance(look(x, access, handles=LOST, since=NOW - timedelta(minutes=6)), wanted)


@pytest.mark.parametrize(
    ("hours", "there", "claimed", "wanted"),
    [
        (2, {"text": "Other"}, (wire.POST_ID,), Absent),
        (2, {"text": "Other", "via": "buffer"}, (), Absent),
        (2, {"text": "Changed after the backup"}, (), Unknowable),
        (0.5, {"text": "Other"}, (wire.POST_ID,), Unknowable),
    ],
    ids=["all are ours", "made by hand", "one more", "too early"],
)
def test_after_a_restore_a_plan_goes_out_where_all_of_the_list_is_accounted_for(
    x, access, buffer, hours, there, claimed, wanted
):
    buffer.answers("posts", wire.page(wire.post("sent", **there)))
    restored = {**LOST, "restored_at": (NOW - timedelta(hours=hours)).isoformat()}
    found = look(x, access, handles=restored, since=NOW - timedelta(days=2), claimed=claimed)
    assert isinstance(found, wanted)


def test_an_answer_lost_after_a_restore_is_one_like_any_other(x, access, buffer):
    buffer.answers("posts", wire.page())
    restored = {**LOST, "restored_at": (NOW - timedelta(hours=2)).isoformat()}
    assert isinstance(look(x, access, handles=restored, since=NOW - timedelta(hours=1)), Unknowable)


def test_too_many_posts_to_read_are_for_a_person(x, access, buffer):
    buffer.answers("posts", *[wire.page(wire.post(text="Other"), after=f"n{number}") for number in range(8)])
    assert isinstance(look(x, access, handles=LOST), Unknowable)


def test_the_id_of_an_attempt_before_is_not_that_of_this_one(x, access, buffer):
    """Else the old refusal would be told of a post that may be out."""
    old = wire.post("error", createdAt="2026-11-20T10:00:00Z", error={"message": "Too large", "supportUrl": None})
    recent = wire.page(wire.post("sent", id="new"))
    buffer.answers("posts", recent)
    buffer.answers("post", old)
    buffer.answers("posts", recent)
    assert look(x, access, handles=TOGETHER).platform_post_id == "new"


def test_without_a_saved_organization_the_channel_is_asked(x, access, buffer):
    buffer.answers("channel", wire.channel())
    buffer.answers("posts", wire.page(wire.post("sent")))
    assert isinstance(look(x, access, handles={}), Published)
    assert buffer.operations() == ["Channel", "Posts"]


# Is it really there?


def sent_post(**more) -> dict:
    return wire.post("sent", externalLink="https://x.com/1", assets=[wire.image_asset(), wire.image_asset()], **more)


def test_what_was_sent_is_seen_with_its_files_and_its_link(x, access, buffer, images):
    buffer.answers("channel", wire.channel())
    buffer.answers("posts", wire.page(sent_post()))
    seen = x.seen(access, wire.POST_ID, images(2))
    assert (seen.exists, seen.media, seen.permalink) == (True, 2, "https://x.com/1")
    asked = buffer.variables()["input"]
    assert (asked["filter"], asked["sort"]) == ({"status": ["sent"]}, [{"field": "createdAt", "direction": "desc"}])


def test_looks_at_many_posts_share_one_reading(x, access, buffer):
    buffer.answers("channel", wire.channel())
    buffer.answers("posts", wire.page(*[sent_post(id=f"p{number}") for number in range(8)]))
    assert all(x.seen(access, f"p{number}", TEXT).exists for number in range(8))
    assert buffer.operations() == ["Channel", "Posts"]


def test_what_the_newest_do_not_show_is_asked_for_alone(x, access, buffer):
    buffer.answers("channel", wire.channel())
    buffer.answers("posts", wire.page())
    buffer.answers("post", sent_post())
    assert x.seen(access, wire.POST_ID, TEXT).exists


def test_buffer_does_not_know_what_the_network_still_shows(x, access, buffer):
    """Deleted in Buffer is not deleted on the network; nothing is claimed."""
    buffer.answers("channel", wire.channel())
    buffer.answers("posts", wire.page())
    buffer.fails("NOT_FOUND", path=["post"])
    seen = x.seen(access, wire.POST_ID, TEXT)
    assert seen.exists is None
    assert "deleted in Buffer" in seen.evidence


def test_a_post_that_is_not_sent_any_more_is_no_evidence(x, access, buffer):
    buffer.answers("channel", wire.channel())
    buffer.answers("posts", wire.page())
    buffer.answers("post", wire.post("draft"))
    assert x.seen(access, wire.POST_ID, TEXT).exists is None


# Reading


def test_the_link_of_a_post(x, access, buffer):
    buffer.answers("post", wire.post("sent", externalLink="https://x.com/1"), wire.post("sent"))
    assert x.permalink(access, wire.POST_ID) == "https://x.com/1"
    assert x.permalink(access, wire.POST_ID) == ""


def test_the_profile_is_the_channels_and_what_buffer_does_not_know_is_missing(x, access, buffer):
    buffer.answers("channel", wire.channel(), wire.channel(displayName=None))
    assert x.profile(access) == Profile("Camaro Club", "camaro_club", "https://images.example/camaro.jpg")
    assert x.profile(access).name == "@camaro_club"


def test_the_profile_of_a_lost_channel_asks_to_reconnect(x, access, buffer):
    buffer.answers("channel", wire.channel(isDisconnected=True))
    with pytest.raises(ReconnectError, match="Open Buffer"):
        x.profile(access)


def test_there_are_no_figures_of_accounts(x, access, buffer):
    buffer.answers("channel", wire.channel())
    reading = x.read_account(access, days=[NOW - timedelta(days=1)])
    assert reading == AccountReading(Profile("Camaro Club", "camaro_club", "https://images.example/camaro.jpg"))
    assert buffer.operations() == ["Channel"]


METRICS = [
    wire.metric("reactions", 12.0),
    wire.metric("comments", 3),
    wire.metric("reposts", 4),
    wire.metric("impressions", 900),
    wire.metric("engagementRate", 2.5, "percentage"),
    wire.metric("zest", 7),
]


def test_the_figures_of_a_post_are_in_our_words(x, access, buffer):
    buffer.answers("post", wire.measured("p1", METRICS, "2026-11-20T03:00:00Z"))
    (figures,) = x.post_figures(access, {"p1": ""})
    assert (figures.platform_post_id, figures.likes, figures.comments, figures.shares) == ("p1", 12, 3, 4)
    assert (figures.impressions, figures.views, figures.saves, figures.reach, figures.clicks) == (900,) + (None,) * 4
    assert figures.sources == {
        "likes": "reactions",
        "comments": "comments",
        "shares": "reposts",
        "impressions": "impressions",
    }
    assert figures.raw["zest"] == 7
    assert figures.raw["units"] == {"engagementRate": "percentage"}
    assert (figures.raw["metricsUpdatedAt"], figures.raw["stale"]) == ("2026-11-20T03:00:00.000Z", False)
    assert buffer.operations() == ["PostMetrics"]
    json.dumps(figures.raw)


def figures_with(x, access, buffer, **values):
    buffer.answers("post", wire.measured("p1", [wire.metric(*each) for each in values.items()], "2026-11-20T03:00:00Z"))
    return x.post_figures(access, {"p1": ""})[0]


def test_shares_and_reposts_are_one_figure_and_views_are_no_impressions(x, access, buffer):
    figures = figures_with(x, access, buffer, reposts=2, shares=1, views=5, impressions=9)
    assert (figures.shares, figures.views, figures.impressions) == (3, 5, 9)
    assert figures.sources["shares"] == "shares+reposts"


def test_figures_that_few_networks_have(x, access, buffer):
    figures = figures_with(x, access, buffer, follows=2, totalTimeWatched=1.5, saves=4, clicks=6, quotes=8, viewers=9)
    assert figures.extra == {"follows": 2, "watch_seconds": 90}
    assert (figures.saves, figures.clicks, figures.shares, figures.views) == (4, 6, None, None)
    assert figures.raw["quotes"] == 8


def test_an_old_type_counts_until_its_successor_is_told(x, access, buffer):
    old = figures_with(x, access, buffer, replies=3, retweets=4, repins=5)
    assert (old.comments, old.shares, old.saves) == (3, 4, 5)
    assert old.sources["shares"] == "retweets", "so that the series breaks where the name changes"
    new = figures_with(x, access, buffer, replies=3, comments=7, retweets=4, reposts=9)
    assert (new.comments, new.shares) == (7, 9)
    assert new.sources == {"comments": "comments", "shares": "reposts"}


@pytest.mark.parametrize(("reactions", "seen"), [(0, 0), (3, None)])
def test_nothing_seen_is_not_believed_where_people_reacted(x, access, buffer, reactions, seen):
    figures = figures_with(x, access, buffer, reactions=reactions, impressions=0, reach=0, views=0, comments=0)
    assert (figures.likes, figures.comments) == (reactions, 0)
    assert (figures.impressions, figures.reach, figures.views) == (seen,) * 3
    assert figures.raw["impressions"] == 0


def test_a_network_that_tells_nothing_says_so(x, access, buffer):
    figures = figures_with(x, access, buffer)
    assert figures == PostFigures("p1", raw=figures.raw, withheld=figures.withheld)
    assert "from its network" in figures.withheld


def test_old_figures_are_marked(x, access, buffer):
    buffer.answers("post", wire.measured("p1", METRICS, "2026-11-18T23:59:00Z"))
    assert x.post_figures(access, ["p1"])[0].raw["stale"] is True


def test_figures_that_are_not_there_yet_are_not_zero(x, access, buffer):
    buffer.answers("post", wire.measured("p1", None, None))
    (figures,) = x.post_figures(access, ["p1"])
    assert (figures.likes, figures.comments, figures.shares, figures.views, dict(figures.raw)) == (None,) * 4 + ({},)
    assert "once a day" in figures.withheld


def test_figures_of_many_posts_cost_one_call_for_each_page(x, access, buffer):
    buffer.answers("channel", wire.channel())
    first = wire.page(wire.measured("p1", METRICS, None), wire.measured("other", METRICS, None), after="n")
    buffer.answers("posts", first, wire.page(wire.measured("p2", METRICS, None), after="n2"))
    assert [figures.platform_post_id for figures in x.post_figures(access, ["p2", "p1"])] == ["p2", "p1"]
    assert buffer.operations() == ["Channel", "PostsWithMetrics", "PostsWithMetrics"]


def test_what_no_page_holds_is_asked_alone_and_what_is_gone_is_absent(x, access, buffer):
    buffer.answers("channel", wire.channel())
    buffer.answers("posts", wire.page(wire.measured("p1", METRICS, None)))
    buffer.answers("post", wire.measured("p2", METRICS, None))
    buffer.fails("NOT_FOUND", path=["post"])
    assert [figures.platform_post_id for figures in x.post_figures(access, ["p1", "p2", "p3"])] == ["p1", "p2"]


@pytest.mark.parametrize("code", ["FORBIDDEN", "UNAUTHORIZED"])
def test_a_connection_without_metrics_is_not_lost_and_not_asked_again_for_a_day(x, access, buffer, clock, code):
    buffer.fails(code, path=["post", "metrics"])
    for _again in range(2):
        (figures,) = x.post_figures(access, ["p1"])
        assert (figures.likes, figures.refused) == (None, ())
        assert "personal key" in figures.withheld
    assert len(buffer.calls) == 1
    clock.shift(timedelta(days=1, seconds=1))
    buffer.answers("post", wire.measured("p1", METRICS, None))
    assert x.post_figures(access, ["p1"])[0].likes == 12


@pytest.mark.parametrize(
    ("code", "status"), [("UNAUTHENTICATED", 401), ("UNAUTHORIZED", 401), ("UNAUTHENTICATED", 200)]
)
def test_a_dead_token_is_not_a_lack_of_metrics(x, access, buffer, code, status):
    buffer.fails(code, status=status)
    with pytest.raises(ReconnectError):
        x.post_figures(access, ["p1"])


def test_a_channel_that_may_not_be_read_is_not_a_lack_of_metrics(x, access, buffer):
    buffer.fails("FORBIDDEN", path=["channel"])
    with pytest.raises(PermissionMissingError):
        x.post_figures(access, ["p1", "p2"])


def test_recent_posts_are_those_that_were_sent(x, access, buffer):
    buffer.answers("channel", wire.channel())
    buffer.answers(
        "posts",
        wire.page(
            wire.post("sent", id="p1", sentAt="2026-11-20T11:00:00Z", assets=[wire.image_asset()]),
            wire.post("sent", id="p2", sentAt="2026-11-20T11:30:00Z", externalLink="https://x.com/2", via="network"),
            wire.post("sent", id="p3", sentAt="2026-11-10T11:30:00Z"),
        ),
    )
    posts = x.recent_posts(access, since=NOW - timedelta(days=1))
    assert [(post.platform_post_id, post.permalink, post.media_type) for post in posts] == [
        ("p2", "https://x.com/2", "text"),
        ("p1", "", "image"),
    ]
    assert posts[1].thumbnail_url == "https://buffer-media.example/1-small.jpg"
    assert buffer.variables()["input"]["filter"]["status"] == ["sent"]


def listed(post_id, metrics):
    return {**wire.post("sent"), **wire.measured(post_id, metrics, None), "sentAt": "2026-11-20T11:00:00Z"}


def test_recent_posts_tell_their_figures_with_the_same_call(x, access, buffer):
    buffer.answers("channel", wire.channel())
    images = [wire.image_asset(), wire.image_asset("video", source="https://m.example/film.mp4")]
    page = wire.page({**listed("p1", METRICS), "assets": images}, listed("p2", None))
    buffer.answers("posts", page)
    first, second = x.recent_posts(access, since=NOW - timedelta(days=1), figures=True)
    assert (first.text, first.figures.likes, first.figures.impressions) == ("1969 Camaro", 12, 900)
    assert first.media_urls == ("https://buffer-media.example/1.jpg", "https://m.example/film.mp4")
    assert second.figures.likes is None
    assert second.figures.withheld
    assert buffer.operations() == ["Channel", "PostsWithMetrics"]
    assert buffer.variables()["input"]["filter"]["createdAt"] == {"start": "2026-10-20T12:00:00.000Z"}


def test_recent_posts_are_listed_where_their_metrics_may_not_be_read(x, access, buffer):
    buffer.answers("channel", wire.channel())
    buffer.fails("FORBIDDEN", path=["posts", "edges", 0, "node", "metrics"])
    page = wire.page(wire.post("sent", id="p1", sentAt="2026-11-20T11:00:00Z"))
    buffer.answers("posts", page, page)
    for _again in range(2):
        (found,) = x.recent_posts(access, since=NOW - timedelta(days=1), figures=True)
        assert found.text == "1969 Camaro"
        assert "personal key" in found.figures.withheld
    assert buffer.operations() == ["Channel", "PostsWithMetrics", "Posts", "Posts"], "asked in vain once"


def test_recent_posts_of_a_dead_token(x, access, buffer):
    buffer.answers("channel", wire.channel())
    buffer.fails("UNAUTHENTICATED", status=401)
    with pytest.raises(ReconnectError):
        x.recent_posts(access, since=SINCE, figures=True)


def test_recent_posts_of_a_removed_channel(x, access, buffer):
    buffer.fails("NOT_FOUND", path=["channel"])
    with pytest.raises(NotFoundError):
        x.recent_posts(access, since=SINCE)
