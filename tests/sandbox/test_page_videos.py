"""Videos, reels, stories and comments of a Page in the simulated network."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.publishing.films import film
from tests.sandbox.conftest import image_bytes
from tests.sandbox.refusals import accepted, refusal
from tests.sandbox.test_pages import stage
from tests.sandbox_process import GrantedPage, Sandbox

pytestmark = pytest.mark.processes

CHUNK = 5_000


@pytest.fixture
def gina(sandbox: Sandbox) -> GrantedPage:
    return sandbox.person("gina").page


def post(sandbox: Sandbox, page: GrantedPage, edge: str, **params: Any) -> requests.Response:
    return sandbox.call("POST", f"{page.id}/{edge}", page.access_token, **params)


def read(sandbox: Sandbox, page: GrantedPage, path: str, **params: Any) -> Any:
    return accepted(sandbox.call("GET", path, page.access_token, **params))


def put(sandbox: Sandbox, page: GrantedPage, video: str, content: bytes, **headers: Any) -> requests.Response:
    sent = {"Authorization": f"OAuth {page.access_token}", "offset": "0", "file_size": str(len(content))}
    return requests.post(
        f"{sandbox.url}/rupload/video-upload/v26.0/{video}",
        data=content,
        headers={**sent, **{name: str(value) for name, value in headers.items()}},
        timeout=10,
    )


def upload(sandbox: Sandbox, page: GrantedPage, edge: str = "video_reels", content: bytes | None = None) -> str:
    content = content or film()
    video = accepted(post(sandbox, page, edge, upload_phase="start"))["video_id"]
    assert accepted(put(sandbox, page, video, content))["success"] is True
    return video


def publish_reel(sandbox: Sandbox, page: GrantedPage, content: bytes | None = None, **more: Any) -> str:
    video = upload(sandbox, page, content=content)
    more = {"video_state": "PUBLISHED", "description": "A reel", **more}
    accepted(post(sandbox, page, "video_reels", upload_phase="finish", video_id=video, **more))
    return video


def status(sandbox: Sandbox, page: GrantedPage, video: str) -> dict[str, Any]:
    return read(sandbox, page, video, fields="status")["status"]


# Feed videos


def begin_feed(sandbox: Sandbox, page: GrantedPage, size: int) -> dict[str, str]:
    return accepted(post(sandbox, page, "videos", upload_phase="start", file_size=size))


def send(sandbox: Sandbox, page: GrantedPage, session: str, offset: int, content: bytes) -> requests.Response:
    return post(
        sandbox, page, "videos", upload_phase="transfer", upload_session_id=session, start_offset=offset,
        files={"video_file_chunk": ("video.mp4", content, "application/octet-stream")},
    )  # fmt: skip


def test_a_feed_video_comes_in_stretches_and_is_worked_on(sandbox: Sandbox, gina: GrantedPage) -> None:
    content = film()
    begun = begin_feed(sandbox, gina, len(content))
    session, video = begun["upload_session_id"], begun["video_id"]
    assert begun["start_offset"] == "0"
    half = len(content) // 2
    assert accepted(send(sandbox, gina, session, 0, content[:half]))["start_offset"] == str(half)
    response = send(sandbox, gina, session, 0, content[:half])
    assert refusal(response) == (6001, 1363037)
    assert response.json()["error"]["error_data"]["start_offset"] == half
    finish = {"upload_phase": "finish", "upload_session_id": session, "description": "Watch"}
    assert refusal(post(sandbox, gina, "videos", **finish)) == (6000, None)
    accepted(send(sandbox, gina, session, half, content[half:]))
    assert status(sandbox, gina, video)["video_status"] == "upload_complete"
    assert accepted(post(sandbox, gina, "videos", **finish)) == {"success": True}
    sandbox.advance(-60)  # however long the call took, the work on the video goes on
    assert sandbox.feed(gina.id) == []
    sandbox.advance(120)
    (row,) = sandbox.feed(gina.id)
    assert (row["kind"], row["message"], row["media"]) == ("video", "Watch", 1)
    node = read(sandbox, gina, video, fields="status,post_id,permalink_url,length")
    assert node["status"]["publishing_phase"]["status"] == "complete"
    assert node["status"]["publishing_phase"]["publish_status"] == "published"
    assert f"{gina.id}_{node['post_id']}" == row["id"]
    assert node["length"] == pytest.approx(4, abs=0.05)


@pytest.mark.parametrize(
    "params",
    [{"upload_phase": "start"}, {"upload_phase": "start", "file_size": "many"}, {"upload_phase": "dance"}, {}],
)
def test_a_feed_video_is_announced_with_its_size(sandbox: Sandbox, gina: GrantedPage, params: dict[str, str]) -> None:
    assert refusal(post(sandbox, gina, "videos", **params)) == (100, None)


def test_a_parameter_that_nobody_declared_is_refused(sandbox: Sandbox, gina: GrantedPage) -> None:
    assert refusal(post(sandbox, gina, "video_reels", upload_phase="start", file_size=5)) == (100, None)


# Reels


def test_a_reel_goes_from_its_upload_to_the_feed(sandbox: Sandbox, gina: GrantedPage) -> None:
    video = publish_reel(sandbox, gina)
    sandbox.advance(-60)
    assert status(sandbox, gina, video)["video_status"] == "processing"
    assert sandbox.feed(gina.id) == []
    sandbox.advance(120)
    (row,) = sandbox.feed(gina.id)
    assert (row["kind"], row["message"]) == ("reel", "A reel")
    assert [one["id"] for one in read(sandbox, gina, f"{gina.id}/video_reels")["data"]] == [video]
    shown = read(sandbox, gina, row["id"], fields="attachments{media_type,target}")
    assert shown["attachments"]["data"][0]["media_type"] == "video"
    assert shown["attachments"]["data"][0]["target"]["id"] == video


def test_an_upload_goes_on_where_it_stopped(sandbox: Sandbox, gina: GrantedPage) -> None:
    content = film()
    video = accepted(post(sandbox, gina, "video_reels", upload_phase="start"))["video_id"]
    part = put(sandbox, gina, video, content[:CHUNK], file_size=len(content))
    assert part.json()["debug_info"]["type"] == "PartialRequestError"
    assert status(sandbox, gina, video)["uploading_phase"]["bytes_transfered"] == CHUNK
    again = put(sandbox, gina, video, content[:CHUNK], file_size=len(content))
    assert again.json()["debug_info"]["type"] == "OffsetInvalidError"
    rest = put(sandbox, gina, video, content[CHUNK:], file_size=len(content), offset=CHUNK)
    assert rest.json()["success"] is True
    assert status(sandbox, gina, video)["uploading_phase"]["status"] == "complete"


def test_without_its_state_a_reel_stays_a_draft(sandbox: Sandbox, gina: GrantedPage) -> None:
    video = upload(sandbox, gina)
    accepted(post(sandbox, gina, "video_reels", upload_phase="finish", video_id=video))
    sandbox.advance(60)
    assert sandbox.feed(gina.id) == []


def test_who_finishes_twice_posts_twice(sandbox: Sandbox, gina: GrantedPage) -> None:
    video = publish_reel(sandbox, gina)
    accepted(post(sandbox, gina, "video_reels", upload_phase="finish", video_id=video, video_state="PUBLISHED"))
    sandbox.advance(60)
    assert len(sandbox.feed(gina.id)) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (film(seconds=2), "3 to 90 seconds"),
        (film(960, 540), "9:16"),
        (film(270, 480), "540 x 960"),
        (film(fps=15), "pictures a second"),
        (b"\0" * 2000, "no video"),
    ],
    ids=["short", "wide", "small", "slow", "no video"],
)
def test_a_reel_that_is_none_fails_in_processing(
    sandbox: Sandbox, gina: GrantedPage, content: bytes, words: str
) -> None:
    video = publish_reel(sandbox, gina, content)
    sandbox.advance(60)
    told = status(sandbox, gina, video)
    assert told["video_status"] == "error"
    assert words in told["processing_phase"]["errors"][0]["message"]
    assert sandbox.feed(gina.id) == []


def test_thirty_reels_a_day(sandbox: Sandbox, gina: GrantedPage) -> None:
    content = film(seconds=3)
    for _number in range(30):
        publish_reel(sandbox, gina, content)
    video = upload(sandbox, gina, content=content)
    finish = {"upload_phase": "finish", "video_id": video, "video_state": "PUBLISHED"}
    assert refusal(post(sandbox, gina, "video_reels", **finish)) == (613, None)
    sandbox.advance(12 * 3600)
    assert refusal(post(sandbox, gina, "video_reels", **finish)) == (613, None)
    sandbox.advance(12 * 3600)
    publish_reel(sandbox, gina, content)


def test_an_upload_that_was_not_finished_expires(sandbox: Sandbox, gina: GrantedPage) -> None:
    video = upload(sandbox, gina)
    sandbox.advance(25 * 3600)
    finish = {"upload_phase": "finish", "video_id": video, "video_state": "PUBLISHED"}
    assert refusal(post(sandbox, gina, "video_reels", **finish)) == (100, 33)
    assert put(sandbox, gina, video, film()).status_code == 404
    assert status(sandbox, gina, video)["video_status"] == "expired"


def test_a_spoiled_film_fails(sandbox: Sandbox, gina: GrantedPage) -> None:
    sandbox.fault("processing_failed", edge="any")
    accepted(post(sandbox, gina, "feed", message="strikes no text"))
    video = publish_reel(sandbox, gina)
    sandbox.advance(60)
    assert status(sandbox, gina, video)["video_status"] == "error"
    assert len(sandbox.feed(gina.id)) == 1


def test_strangers_do_not_reach_an_upload(sandbox: Sandbox, gina: GrantedPage) -> None:
    video = accepted(post(sandbox, gina, "video_reels", upload_phase="start"))["video_id"]
    stranger = sandbox.person(pages=1).page
    assert put(sandbox, stranger, video, film()).status_code in (403, 404)
    assert put(sandbox, gina, video, film(), Authorization="OAuth nonsense").status_code == 401


# Stories


def stories(sandbox: Sandbox, page: GrantedPage, **params: Any) -> list[dict[str, Any]]:
    return read(sandbox, page, f"{page.id}/stories", **params)["data"]


def test_a_photo_becomes_a_story(sandbox: Sandbox, gina: GrantedPage) -> None:
    photo = stage(sandbox, gina)
    answer = accepted(post(sandbox, gina, "photo_stories", photo_id=photo))
    (story,) = stories(sandbox, gina)
    assert (story["post_id"], story["media_id"], story["status"]) == (answer["post_id"], photo, "PUBLISHED")
    assert refusal(post(sandbox, gina, "photo_stories", photo_id=photo)) == (1366051, None)
    assert read(sandbox, gina, f"{gina.id}/published_posts")["data"] == []
    assert [(row["kind"], row["media"]) for row in sandbox.feed(gina.id)] == [("story", 1)]
    assert "Story" in requests.get(story["url"], timeout=10).text


def test_a_film_becomes_a_story_and_is_archived_after_a_day(sandbox: Sandbox, gina: GrantedPage) -> None:
    video = upload(sandbox, gina, "video_stories")
    answer = accepted(post(sandbox, gina, "video_stories", upload_phase="finish", video_id=video))
    sandbox.advance(-60)
    assert stories(sandbox, gina) == []
    sandbox.advance(120)
    (story,) = stories(sandbox, gina, status="PUBLISHED")
    assert (story["post_id"], story["media_id"], story["media_type"]) == (answer["post_id"], video, "video")
    sandbox.advance(24 * 3600)
    assert stories(sandbox, gina, status="PUBLISHED") == []
    assert len(stories(sandbox, gina, status="ARCHIVED")) == 1
    assert "<video" not in requests.get(f"{sandbox.url}/feeds/facebook/{gina.id}/", timeout=10).text


def test_a_story_is_not_listed_by_another_time(sandbox: Sandbox, gina: GrantedPage) -> None:
    accepted(post(sandbox, gina, "photo_stories", photo_id=stage(sandbox, gina)))
    assert stories(sandbox, gina, since=int(time.time()) + 100) == []
    assert refusal(sandbox.call("GET", f"{gina.id}/stories", gina.access_token, fields="colour")) == (100, None)


# Comments


def test_a_page_comments_below_its_post(sandbox: Sandbox, gina: GrantedPage) -> None:
    below = accepted(post(sandbox, gina, "feed", message="Hello"))["id"]
    comment = accepted(sandbox.call("POST", f"{below}/comments", gina.access_token, message="More in our shop"))
    rows = read(sandbox, gina, f"{below}/comments", filter="toplevel", fields="id,message,from")["data"]
    assert rows == [
        {"id": comment["id"], "message": "More in our shop", "from": {"id": gina.id, "name": "Camaro Garage"}}
    ]
    assert sandbox.feed(gina.id)[0]["comments"] == ["More in our shop"]
    shown = requests.get(f"{sandbox.url}/feeds/facebook/{gina.id}/", timeout=10).text
    assert "More in our shop" in shown


def test_comments_need_a_permission_of_their_own(sandbox: Sandbox) -> None:
    scopes = ["pages_show_list", "pages_manage_posts", "pages_read_engagement"]
    page = sandbox.person("gina", scopes=scopes).page
    below = accepted(post(sandbox, page, "feed", message="Hello"))["id"]
    assert refusal(sandbox.call("POST", f"{below}/comments", page.access_token, message="x")) == (200, None)
    assert refusal(sandbox.call("GET", f"{below}/comments", page.access_token)) == (10, None)


# Pages for people


def test_the_feed_plays_films(sandbox: Sandbox, gina: GrantedPage) -> None:
    publish_reel(sandbox, gina)
    accepted(post(sandbox, gina, "photos", published="true", files={"source": ("a.jpg", image_bytes(), "image/jpeg")}))
    sandbox.advance(60)
    page = requests.get(f"{sandbox.url}/feeds/facebook/{gina.id}/", timeout=10).text
    assert page.count("<video controls") == 1
    assert "Reel" in page
    source = page.split("<video controls")[1].split('src="')[1].split('"')[0]
    assert requests.get(f"{sandbox.url}{source}", timeout=10).content == film()
