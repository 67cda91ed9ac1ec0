"""Feed videos, reels and stories of a Page: the calls that are made, and what the answers mean."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
import time_machine

from socialhub.platforms.base import (
    Absent,
    Accepted,
    Access,
    Content,
    Done,
    Handles,
    MediaItem,
    MediaKind,
    NotYet,
    PostType,
    Published,
    StepKind,
    Unknowable,
    VideoFacts,
)
from socialhub.platforms.errors import (
    OurBugError,
    OutcomeUnknownError,
    PlatformError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.facebook import Facebook
from socialhub.platforms.facebook_video import MOST_AT_ONCE, PART_BYTES
from socialhub.platforms.rules import WINDOWS
from tests.platforms.graph import BASE, NAMES, TOKEN, declared, error, path_of, sent

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SINCE = NOW - timedelta(seconds=40)
RUPLOAD = "https://rupload.facebook.com/video-upload/v26.0/700"
SIZE = 2 * PART_BYTES + 1000
FILM = bytes(range(256)) * (SIZE // 256) + b"\1" * (SIZE % 256)
KINDS = [PostType.VIDEO, PostType.REEL, PostType.STORY]
BEGAN: Handles = {"video": "700", "video:began": NOW.isoformat(), "video:offset": 0}
FEED_BEGAN: Handles = {**BEGAN, "video:session": "55", "video:wanted": 1000}
DONE: Handles = {**FEED_BEGAN, "video:offset": SIZE}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def film(kind: PostType = PostType.REEL, content: bytes = FILM, size: int = SIZE, **more: Any) -> Content:
    item = MediaItem(
        1, "https://media.example/m/x/1.mp4", "video/mp4", 1080, 1920, size, kind=MediaKind.VIDEO,
        video=VideoFacts(10, 30, "h264", "aac"), open=lambda: io.BytesIO(content),
        read=lambda: pytest.fail("a film is never read whole"),
    )  # fmt: skip
    return Content(kind, more.pop("text", "1969 Camaro"), media=(item,), **more)


def perform(facebook: Facebook, page: Access, content: Content, key: str, handles: Handles) -> Done | NotYet:
    step = next(step for step in facebook.plan(content) if step.key == key)
    return facebook.perform(step, page, content, handles)


def sent_bytes(call: responses.Call) -> bytes:
    body = call.request.body
    return body if isinstance(body, bytes) else body.read()


def status(video: str = "processing", publishing: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    phases = {"publishing_phase": publishing or {"status": "not_started"}}
    return {"id": "700", "status": {"video_status": video, **phases, **more.pop("phases", {})}, **more}


OUT = {"status": "complete", "publish_status": "published", "publish_time": 1_795_176_000}


# Plan


@pytest.mark.parametrize("kind", KINDS)
def test_a_film_is_announced_brought_in_parts_and_finished(facebook: Facebook, kind: PostType):
    steps = facebook.plan(film(kind))
    assert [step.key for step in steps] == ["video:begin", "video:part:1", "video:part:2", "video:part:3", "post"]
    assert [step.kind for step in steps] == [StepKind.PREPARE] * 4 + [StepKind.COMMIT]
    assert [step.key for step in facebook.plan(film(kind, size=100))][1:-1] == ["video:part:1"]


def test_only_reels_count_as_reels(facebook: Facebook):
    def calls(kind: PostType) -> dict[str, int]:
        total: dict[str, int] = {}
        for step in facebook.plan(film(kind)):
            for group, number in step.calls.items():
                total[group] = total.get(group, 0) + number
        return total

    assert calls(PostType.REEL) == {"publish": 2, "reels": 1}
    assert calls(PostType.VIDEO) == calls(PostType.STORY) == {"publish": 2}
    assert set(calls(PostType.REEL)) <= {window.group for window in WINDOWS["facebook"]}


# Announcing


def test_a_feed_video_is_announced_with_its_size(facebook, page, graph):
    answer = {"upload_session_id": "55", "video_id": "700", "start_offset": "0", "end_offset": "1000"}
    graph.post(f"{BASE}/900/videos", json=answer, headers={"x-fb-trace-id": "A1b2"})
    done = perform(facebook, page, film(PostType.VIDEO), "video:begin", {})
    assert done == Done(FEED_BEGAN, "A1b2")
    fields = sent(graph.calls[0])
    assert (fields["upload_phase"], fields["file_size"]) == ("start", str(SIZE))
    assert set(fields) <= declared("Page", "POST", "videos")


@pytest.mark.parametrize(("kind", "edge"), [(PostType.REEL, "video_reels"), (PostType.STORY, "video_stories")])
def test_reels_and_stories_are_announced(facebook, page, graph, kind, edge):
    graph.post(f"{BASE}/900/{edge}", json={"video_id": "700", "upload_url": "https://elsewhere.example/steal"})
    assert perform(facebook, page, film(kind), "video:begin", {}).handles == BEGAN
    assert sent(graph.calls[0])["upload_phase"] == "start"
    assert set(sent(graph.calls[0])) <= declared("Page", "POST", edge)


def test_what_is_announced_is_not_announced_again(facebook, page):
    assert perform(facebook, page, film(), "video:begin", BEGAN) == Done()


@pytest.mark.parametrize("answer", [{}, {"video_id": ""}, {"video_id": "700"}])
def test_without_a_place_it_is_tried_again(facebook, page, graph, answer):
    graph.post(f"{BASE}/900/videos", json=answer)
    with pytest.raises(TemporaryError):
        perform(facebook, page, film(PostType.VIDEO), "video:begin", {})


# Bytes of a feed video


def test_a_stretch_has_the_bytes_that_facebook_asks_for(facebook, page, graph):
    graph.post(f"{BASE}/900/videos", json={"start_offset": "1000", "end_offset": str(PART_BYTES)})
    graph.post(f"{BASE}/900/videos", json={"start_offset": str(PART_BYTES), "end_offset": str(PART_BYTES + 500)})
    done = perform(facebook, page, film(PostType.VIDEO), "video:part:1", FEED_BEGAN)
    assert done == Done({"video:offset": PART_BYTES, "video:wanted": PART_BYTES + 500})
    first, second = graph.calls
    fields = sent(first)
    assert (fields["upload_phase"], fields["upload_session_id"], fields["start_offset"]) == ("transfer", "55", "0")
    assert b'name="video_file_chunk"' in first.request.body
    assert FILM[:1000] in first.request.body
    assert FILM[:1001] not in first.request.body
    assert sent(second)["start_offset"] == "1000"
    assert FILM[1000:PART_BYTES] in second.request.body
    assert set(fields) <= declared("Page", "POST", "videos")


def test_a_stretch_is_never_longer_than_we_hold_in_memory(facebook, page, graph):
    graph.post(f"{BASE}/900/videos", json={})
    content = bytes(MOST_AT_ONCE + PART_BYTES)
    handles = {**FEED_BEGAN, "video:wanted": len(content)}
    done = perform(facebook, page, film(PostType.VIDEO, content=content, size=len(content)), "video:part:1", handles)
    assert done.handles["video:offset"] == MOST_AT_ONCE
    assert len(graph.calls[0].request.body) < MOST_AT_ONCE + 2000


@pytest.mark.parametrize("as_text", [False, True])
def test_facebook_says_where_to_go_on(facebook, page, graph, as_text):
    data: Any = {"start_offset": 1000, "end_offset": 2000}
    told = '{"start_offset": "1000"}' if as_text else data
    graph.post(f"{BASE}/900/videos", json=error(6001, 1363037, error_data=told), status=400)
    graph.post(f"{BASE}/900/videos", json={"start_offset": str(PART_BYTES), "end_offset": str(SIZE)})
    done = perform(facebook, page, film(PostType.VIDEO), "video:part:1", FEED_BEGAN)
    assert sent(graph.calls[1])["start_offset"] == "1000"
    assert done.handles["video:offset"] == PART_BYTES


def test_without_a_place_to_go_on_it_is_tried_again(facebook, page, graph):
    graph.post(f"{BASE}/900/videos", json=error(6001, 1363037), status=400)
    with pytest.raises(TemporaryError) as caught:
        perform(facebook, page, film(PostType.VIDEO), "video:part:1", FEED_BEGAN)
    assert caught.value.forget == ()


@pytest.mark.parametrize(("code", "subcode"), [(100, 33), (6000, None), (6001, None)])
def test_a_lost_upload_begins_anew(facebook, page, graph, code, subcode):
    graph.post(f"{BASE}/900/videos", json=error(code, subcode), status=400)
    with pytest.raises(TemporaryError) as caught:
        perform(facebook, page, film(PostType.VIDEO), "video:part:1", FEED_BEGAN)
    assert all(name.startswith(caught.value.forget) for name in FEED_BEGAN)


def test_a_part_that_is_there_is_not_brought_again(facebook, page):
    handles = {**FEED_BEGAN, "video:offset": PART_BYTES}
    assert perform(facebook, page, film(PostType.VIDEO), "video:part:1", handles).handles["video:offset"] == PART_BYTES


def test_many_small_stretches_do_not_outlast_the_lease(facebook, page, graph):
    for number in range(1, 5):
        graph.post(f"{BASE}/900/videos", json={"start_offset": str(number), "end_offset": str(number + 1)})
    result = perform(facebook, page, film(PostType.VIDEO), "video:part:1", {**FEED_BEGAN, "video:wanted": 1})
    assert result == NotYet(0, {"video:offset": 4, "video:wanted": 5})


def test_a_file_that_shrank_is_refused(facebook, page):
    short = film(PostType.VIDEO, content=FILM[:500])
    with pytest.raises(RejectedError):
        perform(facebook, page, short, "video:part:1", FEED_BEGAN)


# Bytes of reels and stories


def test_a_part_goes_to_the_host_of_uploads(facebook, page, graph):
    graph.post(RUPLOAD, json={"success": True})
    handles = {**BEGAN, "video:offset": 2 * PART_BYTES}
    done = perform(facebook, page, film(), "video:part:3", handles)
    assert done == Done({"video:offset": SIZE})
    call = graph.calls[0]
    headers = call.request.headers
    assert (headers["offset"], headers["file_size"]) == (str(2 * PART_BYTES), str(SIZE))
    assert headers["Authorization"] == f"OAuth {TOKEN}"
    assert sent_bytes(call) == FILM[2 * PART_BYTES :]
    assert "?" not in call.request.url


def partial(retriable: bool = True) -> dict[str, Any]:
    message = "Partial request (did not match length of file)"
    return {"debug_info": {"retriable": retriable, "type": "PartialRequestError", "message": message}}


@pytest.mark.parametrize("spelling", ["bytes_transferred", "bytes_transfered"])
def test_a_part_of_the_file_is_kept(facebook, page, graph, spelling):
    graph.post(RUPLOAD, json=partial(), status=206)
    graph.get(f"{BASE}/700", json=status(phases={"uploading_phase": {"status": "in_progress", spelling: PART_BYTES}}))
    done = perform(facebook, page, film(), "video:part:1", BEGAN)
    assert done == Done({"video:offset": PART_BYTES, "video:whole": False})
    assert sent_bytes(graph.calls[0]) == FILM[:PART_BYTES]


def test_where_parts_are_not_kept_the_rest_goes_in_one_piece(facebook, page, graph):
    graph.post(RUPLOAD, json=partial(retriable=False), status=400)
    graph.get(f"{BASE}/700", json=status(phases={"uploading_phase": {"bytes_transferred": 0}}))
    graph.post(RUPLOAD, json={"success": True})
    done = perform(facebook, page, film(), "video:part:1", BEGAN)
    assert done.handles == {"video:offset": SIZE, "video:whole": True}
    whole = graph.calls[2].request
    assert (whole.headers["offset"], whole.headers["Content-Length"]) == ("0", str(SIZE))
    after = {**BEGAN, **done.handles}
    assert perform(facebook, page, film(), "video:part:3", after) == Done(done.handles)


def test_after_an_interruption_the_video_says_where_to_go_on(facebook, page, graph):
    wrong = {"debug_info": {"retriable": False, "type": "OffsetInvalidError", "message": "Request starting offset"}}
    graph.post(RUPLOAD, json=wrong, status=400)
    graph.get(f"{BASE}/700", json=status(phases={"uploading_phase": {"bytes_transfered": 1234}}))
    graph.post(RUPLOAD, json=partial(), status=206)
    graph.get(f"{BASE}/700", json=status(phases={"uploading_phase": {"bytes_transfered": PART_BYTES}}))
    done = perform(facebook, page, film(), "video:part:1", BEGAN)
    assert done.handles["video:offset"] == PART_BYTES
    assert graph.calls[2].request.headers["offset"] == "1234"
    assert sent_bytes(graph.calls[2]) == FILM[1234:PART_BYTES]


@pytest.mark.parametrize(
    ("body", "http", "wanted", "forgets"),
    [
        ({"debug_info": {"retriable": True, "type": "X", "message": "Try"}}, 500, TemporaryError, False),
        ("<html>bad gateway</html>", 502, TemporaryError, False),
        ({"debug_info": {"retriable": False, "type": "ProcessingFailedError"}}, 400, TemporaryError, True),
        ({"debug_info": {"retriable": False, "type": "X"}}, 400, TemporaryError, True),
        ({}, 404, TemporaryError, True),
        ({"debug_info": {"retriable": False, "type": "OAuthException"}}, 400, ReconnectError, False),
        ({}, 401, ReconnectError, False),
        ({"debug_info": {"type": "ParameterValidationError", "message": "Offset"}}, 400, OurBugError, False),
    ],
)
def test_upload_errors(facebook, page, graph, body, http, wanted, forgets):
    more = {"body": body} if isinstance(body, str) else {"json": body}
    graph.post(RUPLOAD, status=http, **more)
    with pytest.raises(PlatformError) as caught:
        perform(facebook, page, film(), "video:part:1", BEGAN)
    assert type(caught.value) is wanted
    assert bool(caught.value.forget) is forgets


def test_a_token_in_the_words_of_an_upload_is_kept_out(facebook, page, graph):
    graph.post(RUPLOAD, json={"debug_info": {"retriable": True, "type": "X", "message": f"bad {TOKEN}"}}, status=400)
    with pytest.raises(TemporaryError) as caught:
        perform(facebook, page, film(), "video:part:1", BEGAN)
    assert TOKEN not in caught.value.platform_message


def test_a_video_that_is_gone_begins_anew(facebook, page, graph):
    graph.post(RUPLOAD, json=partial(), status=206)
    graph.get(f"{BASE}/700", json=error(100, 33), status=400)
    with pytest.raises(TemporaryError) as caught:
        perform(facebook, page, film(), "video:part:1", BEGAN)
    assert caught.value.forget == ("video",)


@pytest.mark.parametrize("kind", KINDS)
def test_a_day_old_upload_is_forgotten(facebook, page, clock, kind):
    clock.shift(timedelta(hours=23, minutes=1))
    content = film(kind)
    for attempt in (
        lambda: perform(facebook, page, content, "video:part:1", DONE),
        lambda: facebook.commit(page, content, DONE),
    ):
        with pytest.raises(TemporaryError) as caught:
            attempt()
        assert all(name.startswith(caught.value.forget) for name in DONE)


# The finish


def test_a_feed_video_is_finished_by_its_session(facebook, page, graph):
    graph.post(f"{BASE}/900/videos", json={"success": True}, headers={"x-fb-trace-id": "A1b2"})
    content = film(PostType.VIDEO, link="https://shop.example/camaro")
    assert facebook.commit(page, content, DONE) == Accepted("700", {"video:finished": True}, "A1b2")
    fields = sent(graph.calls[0])
    assert (fields["upload_phase"], fields["upload_session_id"]) == ("finish", "55")
    assert fields["description"] == "1969 Camaro\n\nhttps://shop.example/camaro"
    assert set(fields) <= declared("Page", "POST", "videos")


def test_a_reel_is_told_to_be_public(facebook, page, graph):
    graph.post(f"{BASE}/900/video_reels", json={"success": True, "post_id": "12"})
    accepted = facebook.commit(page, film(), DONE)
    assert accepted == Accepted("700", {"video:finished": True, "video:post": "12"})
    fields = sent(graph.calls[0])
    assert (fields["upload_phase"], fields["video_id"], fields["video_state"]) == ("finish", "700", "PUBLISHED")
    assert fields["description"] == "1969 Camaro"
    assert set(fields) <= declared("Page", "POST", "video_reels")
    assert fields["video_state"] in NAMES["enums"]["pagevideo_reels_video_state_enum_param"]


def test_a_story_has_no_text(facebook, page, graph):
    graph.post(f"{BASE}/900/video_stories", json={"success": True, "post_id": "12"})
    assert facebook.commit(page, film(PostType.STORY), DONE).handles["video:post"] == "12"
    fields = sent(graph.calls[0])
    assert set(fields) == {"upload_phase", "video_id", "appsecret_proof"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("code", "subcode", "http", "wanted"),
    [
        (1, None, 500, OutcomeUnknownError),
        (100, 33, 400, OutcomeUnknownError),
        (506, None, 400, OutcomeUnknownError),
        (1366051, None, 400, OutcomeUnknownError),
        (368, 1404082, 400, OutcomeUnknownError),
        (352, None, 400, RejectedError),
        (190, 460, 400, ReconnectError),
    ],
)
def test_finish_errors(facebook, page, graph, kind, code, subcode, http, wanted):
    edge = {PostType.VIDEO: "videos", PostType.REEL: "video_reels", PostType.STORY: "video_stories"}[kind]
    graph.post(f"{BASE}/900/{edge}", json=error(code, subcode), status=http)
    with pytest.raises(wanted):
        facebook.commit(page, film(kind), DONE)


def test_what_was_accepted_and_never_came_out_is_brought_again(facebook, page):
    with pytest.raises(TemporaryError) as caught:
        facebook.commit(page, film(), {**DONE, "video:finished": True})
    assert caught.value.forget == ("video",)


# The look


def look(facebook: Facebook, page: Access, content: Content, handles: Handles = DONE) -> Any:
    return facebook.look(page, content, handles, since=SINCE, claimed=())


FINISHED: Handles = {**DONE, "video:finished": True}


@pytest.mark.parametrize("kind", [PostType.VIDEO, PostType.REEL])
@pytest.mark.parametrize("handles", [DONE, FINISHED])
def test_a_video_that_is_out_says_so(facebook, page, graph, kind, handles):
    graph.get(f"{BASE}/700", json=status("ready", OUT, post_id="12", permalink_url="/reel/700/"))
    assert look(facebook, page, film(kind), handles) == Published(
        "900_12", "https://www.facebook.com/reel/700/", published_at=datetime.fromtimestamp(1_795_176_000, UTC)
    )
    asked = set(sent(graph.calls[0])["fields"].split(","))
    assert asked <= set(NAMES["fields"]["AdVideo"])


def test_a_post_id_with_its_page_stays_as_it_is(facebook, page, graph):
    graph.get(f"{BASE}/700", json=status("ready", OUT, post_id="900_12"))
    assert look(facebook, page, film()).platform_post_id == "900_12"


def test_a_video_that_never_names_its_post_is_known_by_its_own_id(facebook, page, graph):
    graph.get(f"{BASE}/700", json=status("ready", OUT))
    handles = dict(FINISHED)
    for _look in range(6):
        found = look(facebook, page, film(), handles)
        assert isinstance(found, NotYet)
        handles |= found.handles
    assert look(facebook, page, film(), handles).platform_post_id == "700"


@pytest.mark.parametrize(
    ("handles", "publishing", "wanted"),
    [
        (FINISHED, {"status": "not_started"}, NotYet),
        (DONE, {"status": "in_progress"}, NotYet),
        (DONE, {"status": "not_started", "publish_status": "published"}, NotYet),
        (DONE, {"status": "not_started"}, Absent),
        (DONE, {"status": "not_started", "publish_status": "draft"}, Absent),
        (DONE, {"status": "complete", "publish_status": "draft"}, Absent),
    ],
)
def test_what_the_phases_mean(facebook, page, graph, handles, publishing, wanted):
    graph.get(f"{BASE}/700", json=status(publishing=publishing))
    found = look(facebook, page, film(), handles)
    assert isinstance(found, wanted)
    if wanted is Absent:
        assert found.forget == ()  # the same upload is finished once more, so that there can never be two


def test_the_waits_grow(facebook, page, graph):
    graph.get(f"{BASE}/700", json=status())
    handles, waits = dict(FINISHED), []
    for _look in range(7):
        found = look(facebook, page, film(), handles)
        handles |= found.handles
        waits.append(found.seconds)
    assert waits == [3, 5, 10, 20, 30, 60, 60]


BAD = {"processing_phase": {"status": "error", "errors": [{"code": 1363008, "message": "The codec is odd"}]}}


def test_a_video_that_cannot_be_used_is_refused_with_metas_words(facebook, page, graph):
    graph.get(f"{BASE}/700", json=status("error", phases=BAD))
    with pytest.raises(RejectedError) as caught:
        look(facebook, page, film(), FINISHED)
    assert caught.value.platform_message == "The codec is odd"
    assert caught.value.forget == ("video",)


@pytest.mark.parametrize("video_status", ["expired", "upload_failed"])
def test_a_lost_upload_is_brought_again(facebook, page, graph, video_status):
    graph.get(f"{BASE}/700", json=status(video_status))
    assert look(facebook, page, film(), FINISHED).forget == ("video",)


def test_what_was_never_accepted_is_brought_again(facebook, page, graph):
    graph.get(f"{BASE}/700", json=status("error", phases=BAD))
    assert look(facebook, page, film(), DONE) == Absent("The codec is odd", forget=("video",))


def test_a_video_that_is_not_found(facebook, page, graph):
    graph.get(f"{BASE}/700", json=error(100, 33), status=400)
    assert look(facebook, page, film(), DONE).forget == ("video",)
    assert isinstance(look(facebook, page, film(), FINISHED), Unknowable)


# Stories


def photo_story(images) -> Content:
    return images(1, PostType.STORY)


STAGED: Handles = {"photo:1": "5001", "staged_at": NOW.isoformat()}


def story(**more: Any) -> dict[str, Any]:
    created = int((NOW - timedelta(seconds=20)).timestamp())
    shown = {"post_id": "77", "status": "PUBLISHED", "creation_time": str(created), "media_type": "photo"}
    return {**shown, "media_id": "5001", "url": "https://facebook.com/stories/77", **more}


def test_a_photo_story_is_published_from_its_staged_photo(facebook, page, images, graph):
    graph.post(f"{BASE}/900/photo_stories", json={"success": True, "post_id": "77"})
    content = photo_story(images)
    assert [step.key for step in facebook.plan(content)] == ["photo:1", "post"]
    assert facebook.commit(page, content, STAGED) == Published("77")
    fields = sent(graph.calls[0])
    assert fields["photo_id"] == "5001"
    assert set(fields) <= declared("Page", "POST", "photo_stories")


def test_a_story_without_an_id_is_looked_for(facebook, page, images, graph):
    graph.post(f"{BASE}/900/photo_stories", json={"success": True})
    with pytest.raises(OutcomeUnknownError):
        facebook.commit(page, photo_story(images), STAGED)


def test_a_story_whose_photo_is_missing_is_not_sent(facebook, page, images):
    with pytest.raises(OurBugError):
        facebook.commit(page, photo_story(images), {})


def test_a_photo_story_is_found_by_its_photo(facebook, page, images, graph):
    graph.get(f"{BASE}/900/stories", json={"data": [story(post_id="76", media_id="1"), story()]})
    found = look(facebook, page, photo_story(images), STAGED)
    created = NOW - timedelta(seconds=20)
    assert found == Published("77", "https://facebook.com/stories/77", published_at=created)
    query = dict(parse_qsl(urlsplit(graph.calls[0].request.url).query))
    assert query["since"] == str(int((SINCE - timedelta(seconds=120)).timestamp()))
    assert set(query["fields"].split(",")) <= set(NAMES["fields"]["Stories"])
    assert set(query) <= declared("Page", "GET", "stories")


@pytest.mark.parametrize(
    ("rows", "claimed", "wanted"),
    [
        ([], (), Absent),
        ([story(media_id="1")], ("77",), Absent),
        ([story(media_id="1")], (), Unknowable),
        ([story(media_id="1", media_type="video")], (), Absent),
        ([story(creation_time="1700000000")], (), Absent),
    ],
)
def test_a_photo_story_is_never_just_the_newest(facebook, page, images, graph, rows, claimed, wanted):
    graph.get(f"{BASE}/900/stories", json={"data": rows})
    found = facebook.look(page, photo_story(images), STAGED, since=SINCE, claimed=claimed)
    assert isinstance(found, wanted)


@pytest.mark.parametrize("more", [{"media_id": "700"}, {"media_id": "1", "post_id": "12"}])
def test_a_video_story_is_found_by_its_video_or_its_post(facebook, page, graph, more):
    graph.get(f"{BASE}/900/stories", json={"data": [story(media_type="video", **more)]})
    found = look(facebook, page, film(PostType.STORY), {**DONE, "video:post": "12"})
    assert isinstance(found, Published)


def test_a_video_story_that_is_not_listed_yet_is_asked_itself(facebook, page, graph):
    graph.get(f"{BASE}/900/stories", json={"data": []})
    graph.get(f"{BASE}/700", json=status())
    assert isinstance(look(facebook, page, film(PostType.STORY), FINISHED), NotYet)
    assert path_of(graph.calls[1]) == "700"


# Repeats


def test_a_repeat_is_looked_for_and_then_taken_at_its_word(facebook, page, graph):
    graph.post(f"{BASE}/900/feed", json=error(506, message="Duplicate status message"), status=400)
    content = Content(PostType.TEXT, "Hello")
    with pytest.raises(OutcomeUnknownError) as caught:
        facebook.commit(page, content, {})
    assert caught.value.handles == {"repeat": "506"}
    with pytest.raises(RejectedError) as refused:
        facebook.commit(page, content, caught.value.handles)
    assert (refused.value.code, refused.value.platform_message) == ("506", "Duplicate status message")
    assert refused.value.forget == ("repeat",)


def test_a_text_is_not_mistaken_for_a_reel_with_the_same_words(facebook, page, graph):
    shown = {"data": [{"media_type": "video", "target": {"id": "7"}}]}
    created = (NOW - timedelta(seconds=20)).isoformat()
    reel = {"id": "900_9", "message": "Hello", "created_time": created, "attachments": shown}
    graph.get(f"{BASE}/900/published_posts", json={"data": [reel]})
    assert isinstance(look(facebook, page, Content(PostType.TEXT, "Hello"), {}), Absent)
