"""Reels, stories, videos in carousels and what comes after publishing: the calls that are made, and what answers mean."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses
import time_machine

from socialhub.platforms.base import (
    Absent,
    Access,
    Content,
    Done,
    Handles,
    MediaItem,
    MediaKind,
    NotYet,
    PostType,
    Published,
    Seen,
    StepKind,
    Unknowable,
    VideoFacts,
)
from socialhub.platforms.errors import (
    OutcomeUnknownError,
    PermissionMissingError,
    PlatformError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.instagram import Instagram
from socialhub.platforms.instagram_login import InstagramApi, InstagramConfig
from socialhub.platforms.instagram_upload import PART_BYTES
from socialhub.platforms.rules import RULES, WINDOWS, check
from tests.platforms.graph import BASE, NAMES, TOKEN, declared, error, path_of, sent, top_fields

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SINCE = NOW - timedelta(seconds=40)
RUPLOAD = "https://rupload.facebook.com/ig-api-upload/v26.0/c1"
ALONE = "https://graph.instagram.com/v26.0"
SIZE = 2 * PART_BYTES + 1000
FILM = bytes(range(256)) * (SIZE // 256) + b"\1" * (SIZE % 256)
MEDIA_FIELDS = set(NAMES["fields"]["IGMedia"]) | {"children"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def alone() -> Instagram:
    """Through the login without a Page."""
    return Instagram(InstagramApi(InstagramConfig(app_id="4321", app_secret="instagram-secret")))


def film_item(position: int = 1, size: int = SIZE, **facts: Any) -> MediaItem:
    return MediaItem(
        position,
        f"https://media.example/m/signature/{position}.mp4",
        "video/mp4",
        1080,
        1920,
        size,
        alt_text="Nobody is told",
        kind=MediaKind.VIDEO,
        video=VideoFacts(**{"seconds": 10, "fps": 30, "codec": "h264", "audio_codec": "aac", **facts}),
        open=lambda: io.BytesIO(FILM),
        read=lambda: pytest.fail("a film is never read whole"),
    )


def film(kind: PostType = PostType.REEL, **more: Any) -> Content:
    return Content(kind, "1969 Camaro", media=(film_item(**more),))


@pytest.fixture
def story(images) -> Content:
    return images(1, PostType.STORY)


@pytest.fixture
def mixed(images) -> Content:
    content = images(3, PostType.CAROUSEL)
    first, _second, third = content.media
    return replace(content, media=(first, film_item(2, size=100), third))


def perform(platform: Instagram, access: Access, content: Content, key: str, handles: Handles) -> Done | NotYet:
    step = next(step for step in platform.plan(content) if step.key == key)
    return platform.perform(step, access, content, handles)


def sent_bytes(call: responses.Call) -> bytes:
    body = call.request.body
    return body if isinstance(body, bytes) else body.read()


# Plan


def test_behind_a_page_a_film_is_uploaded_in_parts(instagram):
    steps = instagram.plan(film())
    assert [step.key for step in steps] == [
        *("container", "container:part:1", "container:part:2", "container:part:3", "ready", "publish")
    ]
    assert [step.kind for step in steps] == [StepKind.PREPARE] * 4 + [StepKind.WAIT, StepKind.COMMIT]


@pytest.mark.parametrize("kind", [PostType.REEL, PostType.STORY])
def test_without_a_page_instagram_fetches_it(alone, kind):
    assert [step.key for step in alone.plan(film(kind))] == ["container", "ready", "publish"]


def test_in_a_carousel_each_film_is_uploaded_behind_its_container(instagram, alone, mixed):
    keys = [step.key for step in instagram.plan(mixed)]
    assert keys == ["item:1", "item:2", "item:2:part:1", "item:3", "items-ready", "container", "ready", "publish"]
    assert [step.key for step in alone.plan(mixed)] == [key for key in keys if ":part:" not in key]


@pytest.mark.parametrize("kind", [PostType.REEL, PostType.STORY])
def test_each_counts_as_one_publish_and_one_container(instagram, kind):
    used: dict[str, int] = {}
    for step in instagram.plan(film(kind)):
        for group, number in step.calls.items():
            used[group] = used.get(group, 0) + number
    assert used == {"publish": 2, "containers": 1, "posts": 1}
    assert set(used) == {window.group for window in WINDOWS["instagram"]}


# Containers


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (PostType.REEL, {"media_type": "REELS", "caption": "1969 Camaro"}),
        (PostType.STORY, {"media_type": "STORIES"}),
    ],
)
@pytest.mark.parametrize("has_page", [True, False])
def test_the_container_of_a_film(instagram, alone, ig, graph, kind, wanted, has_page):
    graph.post(f"{BASE if has_page else ALONE}/17800/media", json={"id": "c1", "uri": "https://elsewhere.example/x"})
    content = film(kind)
    done = perform(instagram if has_page else alone, ig, content, "container", {})
    assert done == Done({"container": "c1", "container:at": NOW.isoformat()})
    fields = sent(graph.calls[0])
    fields.pop("appsecret_proof", None)
    way = {"upload_type": "resumable"} if has_page else {"video_url": content.media[0].url}
    assert fields == wanted | way
    assert set(fields) <= declared("IGUser", "POST", "media")


def test_the_container_of_an_image_story(instagram, ig, graph, story):
    graph.post(f"{BASE}/17800/media", json={"id": "c1"})
    perform(instagram, ig, story, "container", {})
    fields = sent(graph.calls[0])
    fields.pop("appsecret_proof")
    assert fields == {"media_type": "STORIES", "image_url": story.media[0].url}


def test_the_child_of_a_film(instagram, ig, graph, mixed):
    graph.post(f"{BASE}/17800/media", json={"id": "i2"})
    perform(instagram, ig, mixed, "item:2", {})
    fields = sent(graph.calls[0])
    fields.pop("appsecret_proof")
    assert fields == {"media_type": "VIDEO", "is_carousel_item": "true", "upload_type": "resumable"}


# The bytes


def test_a_part_is_sent_at_its_byte(instagram, ig, graph):
    graph.post(RUPLOAD, status=400, json=trouble("PartialRequestError"))
    graph.get(f"{BASE}/c1", json=received(2 * PART_BYTES))
    handles = {"container": "c1", "container:offset": PART_BYTES}
    done = perform(instagram, ig, film(), "container:part:2", handles)
    assert done == Done({"container:offset": 2 * PART_BYTES, "container:whole": False})
    headers = graph.calls[0].request.headers
    assert headers["Authorization"] == f"OAuth {TOKEN}"
    assert (headers["offset"], headers["file_size"]) == (str(PART_BYTES), str(SIZE))
    assert sent_bytes(graph.calls[0]) == FILM[PART_BYTES : 2 * PART_BYTES]
    assert sent(graph.calls[1])["fields"] == "video_status"


def trouble(kind: str, *, retriable: bool = False) -> dict[str, Any]:
    return {"debug_info": {"retriable": retriable, "type": kind, "message": "Something"}}


def received(number: int | None, **more: Any) -> dict[str, Any]:
    phase = {} if number is None else {"bytes_transferred": number}
    return {"id": "c1", "video_status": {"uploading_phase": {**phase, **more}}}


def test_the_last_part_says_that_it_is_whole(instagram, ig, graph):
    graph.post(RUPLOAD, json={"success": True, "message": "Upload successful."})
    done = perform(instagram, ig, film(), "container:part:3", {"container": "c1", "container:offset": 2 * PART_BYTES})
    assert done.handles["container:offset"] == SIZE
    assert sent_bytes(graph.calls[0]) == FILM[2 * PART_BYTES :]


def test_what_is_there_is_not_sent_again(instagram, ig, graph):
    assert isinstance(
        perform(instagram, ig, film(), "container:part:3", {"container": "c1", "container:offset": SIZE}), Done
    )
    assert len(graph.calls) == 0


@pytest.mark.parametrize(
    "answer",
    [received(PART_BYTES), {"video_status": {"uploading_phase": {"bytes_transfered": PART_BYTES}}}],
)
@pytest.mark.parametrize(
    "refused",
    [
        {"status": 400, "json": trouble("OffsetInvalidError")},
        {"status": 500, "json": trouble("InternalError", retriable=True)},
        {"status": 502, "body": "<html>"},
        {"body": requests.ConnectionError()},
    ],
)
def test_after_an_interruption_it_goes_on_where_instagram_has_it(instagram, ig, graph, answer, refused):
    graph.post(RUPLOAD, **refused)
    graph.get(f"{BASE}/c1", json=answer)
    done = perform(instagram, ig, film(), "container:part:1", {"container": "c1"})
    assert done.handles["container:offset"] == PART_BYTES


def test_where_nothing_is_kept_of_a_part_the_whole_rest_is_sent(instagram, ig, graph):
    graph.post(RUPLOAD, status=400, json=trouble("PartialRequestError"))
    graph.get(f"{BASE}/c1", json=received(0))
    graph.post(RUPLOAD, json={"success": True})
    done = perform(instagram, ig, film(), "container:part:1", {"container": "c1"})
    assert done.handles["container:offset"] == SIZE
    assert int(graph.calls[2].request.headers["Content-Length"]) == SIZE
    assert graph.calls[2].request.headers["offset"] == "0"


def test_an_upload_that_is_complete_needs_no_number(instagram, ig, graph):
    graph.post(RUPLOAD, status=400, json=trouble("OffsetInvalidError"))
    graph.get(f"{BASE}/c1", json=received(None, status="complete"))
    done = perform(instagram, ig, film(), "container:part:1", {"container": "c1"})
    assert done.handles["container:offset"] == SIZE


def test_a_part_that_does_not_arrive_is_tried_later(instagram, ig, graph):
    graph.post(RUPLOAD, status=500, json=trouble("InternalError", retriable=True))
    graph.get(f"{BASE}/c1", json=received(0))
    with pytest.raises(TemporaryError) as caught:
        perform(instagram, ig, film(), "container:part:1", {"container": "c1"})
    assert not caught.value.forget


@pytest.mark.parametrize(
    ("upload", "status"),
    [
        ({"status": 404, "json": trouble("NotFoundError")}, None),
        ({"status": 400, "json": trouble("OffsetInvalidError")}, {"status": 400, "json": error(100, 33)}),
        ({"status": 400, "json": trouble("OffsetInvalidError")}, {"json": {"id": "c1"}}),
    ],
)
def test_an_upload_that_is_lost_begins_with_a_new_container(instagram, ig, graph, upload, status):
    graph.post(RUPLOAD, **upload)
    if status:
        graph.get(f"{BASE}/c1", **status)
    handles = {"container": "c1", "container:at": "x", "container:offset": 5, "container:whole": False}
    with pytest.raises(TemporaryError) as caught:
        perform(instagram, ig, film(), "container:part:1", handles)
    assert all(name.startswith(caught.value.forget) for name in (*handles, "container:part:1", "ready"))


def test_a_lost_child_keeps_the_others(instagram, ig, graph, mixed):
    graph.post(RUPLOAD, status=404, json=trouble("NotFoundError"))
    with pytest.raises(TemporaryError) as caught:
        perform(instagram, ig, mixed, "item:2:part:1", {"item:1": "i1", "item:2": "c1", "item:3": "i3"})
    names = ["item:1", "item:2", "item:2:offset", "item:2:part:1", "item:3", "items-ready", "container"]
    assert [name for name in names if name.startswith(caught.value.forget)] == [
        *("item:2", "item:2:offset", "item:2:part:1", "items-ready", "container")
    ]


def test_an_access_that_is_gone_is_said(instagram, ig, graph):
    graph.post(RUPLOAD, status=401, json=trouble("OAuthException"))
    with pytest.raises(ReconnectError):
        perform(instagram, ig, film(), "container:part:1", {"container": "c1"})


def test_a_stored_file_that_became_shorter_is_refused(instagram, ig, graph):
    content = replace(film(), media=(replace(film_item(), open=lambda: io.BytesIO(b"short")),))
    with pytest.raises(RejectedError):
        perform(instagram, ig, content, "container:part:1", {"container": "c1"})


# Look


def container(graph, code):
    graph.get(f"{BASE}/c1", json={"id": "c1", "status_code": code})


def media(media_id="m1", **more):
    return {
        "id": media_id,
        "timestamp": "2026-11-20T11:59:30+0000",
        "permalink": f"https://www.instagram.com/stories/garage/{media_id}/",
        "media_type": "VIDEO",
        "media_product_type": "STORY",
        **more,
    }


@pytest.fixture
def look(instagram, ig, graph):
    def make(state, entries, content=None, claimed=(), since=SINCE):
        content = content or film(PostType.STORY)
        edge = "stories" if content.post_type is PostType.STORY else "media"
        container(graph, state)
        graph.get(f"{BASE}/17800/{edge}", json={"data": entries})
        return instagram.look(ig, content, {"container": "c1"}, since=since, claimed=claimed)

    return make


def test_a_story_is_looked_for_among_the_stories(look, graph):
    found = look("PUBLISHED", [media("m0", media_type="IMAGE"), media()])
    assert isinstance(found, Published)
    assert found.platform_post_id == "m1"
    fields = sent(graph.calls[1])
    assert path_of(graph.calls[1]) == "17800/stories"
    assert not {"since", "until"} & set(fields)
    assert top_fields(fields["fields"]) <= MEDIA_FIELDS


@pytest.mark.parametrize(
    "entry",
    [
        media(media_type="IMAGE"),
        media(media_product_type="REELS"),
        media(timestamp="2026-11-20T11:30:00+0000"),
        media("claimed"),
    ],
)
def test_what_is_not_our_story_is_not_found(look, entry):
    assert isinstance(look("FINISHED", [entry], claimed={"claimed"}), Absent)


def test_a_story_that_may_be_ours_is_never_taken_for_it(look):
    with pytest.raises(TemporaryError):
        look("FINISHED", [media()])


def test_nor_for_absent_and_in_the_end_a_person_decides(look, instagram):
    since = NOW - timedelta(seconds=instagram.absent_after_seconds + 1)
    found = look("FINISHED", [media()], since=since)
    assert isinstance(found, Unknowable)
    assert "https://www.instagram.com/stories/garage/m1/" in found.evidence


def test_an_image_without_a_caption_is_just_as_open(look, images):
    content = images(1, text="")
    with pytest.raises(TemporaryError):
        look("FINISHED", [media(media_type="IMAGE", media_product_type="FEED")], content)


@pytest.mark.parametrize("product", ["REELS", None])
def test_a_reel_is_found_by_its_caption(look, product):
    entry = media(caption="1969  Camaro", media_product_type=product)
    assert isinstance(look("FINISHED", [media("m0", caption="1969 Camaro"), entry], film()), Published)


def test_a_carousel_with_a_film_is_a_carousel(look, mixed):
    entry = media(caption="1969 Camaro", media_type="CAROUSEL_ALBUM", media_product_type="FEED")
    assert isinstance(look("FINISHED", [entry], mixed), Published)


# Seen


@pytest.mark.parametrize(
    ("node", "count"),
    [
        ({"media_type": "IMAGE"}, 1),
        ({"media_type": "VIDEO", "media_product_type": "REELS"}, 1),
        ({"media_type": "CAROUSEL_ALBUM", "children": {"data": [{"id": "1"}, {"id": "2"}]}}, 2),
        ({"media_type": "CAROUSEL_ALBUM"}, None),
    ],
)
def test_what_is_there_is_counted(instagram, ig, graph, images, node, count):
    graph.get(f"{BASE}/m1", json={"id": "m1", "permalink": "https://www.instagram.com/p/C/", **node})
    assert instagram.seen(ig, "m1", images(1)) == Seen(True, count, "https://www.instagram.com/p/C/")
    assert top_fields(sent(graph.calls[0])["fields"]) <= MEDIA_FIELDS


def test_what_is_gone_is_gone_unless_it_is_a_story(instagram, ig, graph, images, story):
    graph.get(f"{BASE}/m1", json=error(100, 33), status=400)
    assert instagram.seen(ig, "m1", images(1)).exists is False
    over = instagram.seen(ig, "m1", story)
    assert over.exists is None
    assert "24 hours" in over.evidence


def test_what_may_not_be_read_is_not_claimed(instagram, ig, graph, images):
    graph.get(f"{BASE}/m1", json=error(10, message="(#10) No permission"), status=403)
    found = instagram.seen(ig, "m1", images(1))
    assert (found.exists, found.evidence) == (None, "(#10) No permission")


# Comments


def test_a_comment_asks_for_no_fields(instagram, ig, graph):
    graph.post(f"{BASE}/m1/comments", json={"id": "k1"})
    assert instagram.comment(ig, "m1", "First") == "k1"
    fields = sent(graph.calls[0])
    fields.pop("appsecret_proof")
    assert fields == {"message": "First"}
    assert set(fields) <= declared("IGMedia", "POST", "comments")


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ({"json": {}}, OutcomeUnknownError),
        ({"json": error(20, 1772107), "status": 400}, OutcomeUnknownError),
        ({"json": error(2), "status": 500}, OutcomeUnknownError),
        ({"body": requests.ConnectionError()}, OutcomeUnknownError),
        ({"json": error(100), "status": 400}, RejectedError),
        ({"json": error(190, 463), "status": 400}, ReconnectError),
    ],
)
def test_answers_to_a_comment(instagram, ig, graph, answer, wanted):
    graph.post(f"{BASE}/m1/comments", **answer)
    with pytest.raises(wanted):
        instagram.comment(ig, "m1", "First")
    assert len(graph.calls) == 1


@pytest.mark.parametrize(
    ("has_page", "scope", "setting"),
    [
        (True, "instagram_manage_comments", "META_EXTRA_SCOPES"),
        (False, "instagram_business_manage_comments", "INSTAGRAM_SCOPES"),
    ],
)
def test_the_permission_that_is_missing_is_named(instagram, alone, ig, graph, has_page, scope, setting):
    graph.post(f"{BASE if has_page else ALONE}/m1/comments", json=error(10), status=403)
    with pytest.raises(PermissionMissingError) as caught:
        (instagram if has_page else alone).comment(ig, "m1", "First")
    assert scope in caught.value.message
    assert setting in caught.value.message
    assert caught.value.scopes == (scope,)


def told(comment_id: str, text: str = "First", author: str | None = "17800", **more: Any) -> dict[str, Any]:
    return {"id": comment_id, "text": text, **({"from": {"id": author}} if author else {}), **more}


@pytest.mark.parametrize(
    ("entries", "own", "wanted"),
    [
        ([told("k1", "Other"), told("k2")], None, "k2"),
        ([told("k1", " First ")], None, "k1"),
        ([told("k1", "Other")], None, ""),
        ([], None, ""),
        ([told("k1", author="9")], "garage", Unknowable),
        ([told("k1", author="9", username="fan")], "garage", ""),
        ([told("k1", author="2700", username="garage")], "garage", "k1"),
        ([told("k1", author=None, username="garage")], "garage", "k1"),
        ([told("k1", author=None, username="fan")], "", Unknowable),
    ],
)
def test_our_comment_is_known_by_words_and_author(instagram, ig, graph, entries, own, wanted):
    graph.get(f"{BASE}/m1/comments", json={"data": entries})
    if own is not None:
        graph.get(f"{BASE}/17800", json={"id": "17800", "username": own})
    found = instagram.find_comment(ig, "m1", "First")
    assert isinstance(found, Unknowable) if wanted is Unknowable else found == wanted
    assert top_fields(sent(graph.calls[0])["fields"]) <= set(NAMES["fields"]["IGComment"])


@pytest.mark.parametrize(("answer", "wanted"), [((10, 403), Unknowable), ((2, 500), PlatformError)])
def test_comments_that_cannot_be_read(instagram, ig, graph, answer, wanted):
    graph.get(f"{BASE}/m1/comments", json=error(answer[0]), status=answer[1])
    if wanted is Unknowable:
        assert isinstance(instagram.find_comment(ig, "m1", "First"), Unknowable)
    else:
        with pytest.raises(wanted):
            instagram.find_comment(ig, "m1", "First")


# Rules


def codes(content: Content) -> set[tuple[str, str]]:
    return {(violation.code, violation.level) for violation in check("instagram", content)}


@pytest.mark.parametrize("kind", [PostType.REEL, PostType.STORY])
def test_a_good_film_is_taken(kind):
    assert codes(replace(film(kind), text="")) == set()


@pytest.mark.parametrize(
    ("kind", "facts", "code"),
    [
        (PostType.REEL, {"seconds": 2.5}, "video_length"),
        (PostType.REEL, {"seconds": 901}, "video_length"),
        (PostType.STORY, {"seconds": 61}, "video_length"),
        (PostType.REEL, {"size": 301 * 1024 * 1024}, "media_heavy"),
        (PostType.STORY, {"size": 101 * 1024 * 1024}, "media_heavy"),
        (PostType.REEL, {"codec": "vp9"}, "video_codec"),
        (PostType.REEL, {"audio_codec": "opus"}, "audio_codec"),
        (PostType.REEL, {"fps": 15}, "video_fps"),
        (PostType.REEL, {"bit_rate": 26_000_000}, "video_bit_rate"),
        (PostType.REEL, {"audio_rate": 96_000, "audio_channels": 2}, "audio_format"),
        (PostType.STORY, {"audio_rate": 48_000, "audio_channels": 6}, "audio_format"),
    ],
)
def test_what_instagram_refuses_of_films_is_said_before(kind, facts, code):
    assert (code, "error") in codes(replace(film(kind, **facts), text=""))


def test_sound_at_the_limits_is_taken():
    assert codes(film(audio_rate=48_000, audio_channels=2)) == set()


def test_a_film_that_a_carousel_cuts_is_said(mixed):
    assert codes(mixed) == {("video_cropped", "warning")}
    square = replace(mixed.media[1], width=1080, height=1080)
    assert codes(replace(mixed, media=(mixed.media[0], square, mixed.media[2]))) == set()


def test_a_carousel_is_as_narrow_as_an_image_may_be(mixed):
    tall = replace(mixed.media[1], position=1)
    first, _film, third = mixed.media
    content = replace(mixed, media=(tall, replace(first, position=2), third))
    assert [one.media_position for one in check("instagram", content) if one.code == "video_cropped"] == [1]


def test_a_story_has_images_of_its_own_shape_and_no_text(story):
    rules = RULES["instagram"].image_of(PostType.STORY)
    assert (rules.max_width, rules.min_ratio, rules.max_ratio) == (1080, 9 / 16, 9 / 16)
    assert codes(story) == {("caption_ignored", "warning"), ("image_ratio", "warning")}
    (ratio,) = (one for one in check("instagram", story) if one.code == "image_ratio")
    assert "only 9:16" in ratio.message
    assert codes(replace(story, text="", media=(replace(story.media[0], height=1920),))) == set()


@pytest.mark.parametrize("kind", [PostType.REEL, PostType.SINGLE])
def test_each_type_takes_only_its_own(kind, images):
    wrong = images(1, PostType.REEL) if kind is PostType.REEL else film(PostType.SINGLE)
    assert ("media_kind", "error") in codes(wrong)
