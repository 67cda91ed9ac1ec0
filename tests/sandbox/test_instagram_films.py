"""Videos on Instagram: reels, stories, carousels, uploads in stretches, and comments below what was published."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from functools import cache
from http.server import ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import pytest
import requests

from tests.publishing.films import film
from tests.sandbox.film_server import Films
from tests.sandbox.refusals import accepted, refusal
from tests.sandbox.test_instagram import create, finished, gina, publish, status
from tests.sandbox_process import VERSION, GrantedInstagram, GrantedPage, Sandbox

__all__ = ["gina"]
pytestmark = pytest.mark.processes

GOOD = "540x960-4s-30.mp4"


@cache
def quick(content: bytes) -> bytes:
    """The film with what a player must know before its pictures, as Instagram wants it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "quick.mp4"
        with (
            av.open(io.BytesIO(content)) as film,
            av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as copy,
        ):
            streams: dict[int, Any] = {one.index: copy.add_stream_from_template(one) for one in film.streams}
            for packet in film.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream.index]
                    copy.mux(packet)
        return path.read_bytes()


class QuickFilms(Films):
    def answer(self, content: bytes, kind: str) -> None:
        super().answer(quick(content) if content[4:8] == b"ftyp" else content, kind)


@pytest.fixture(scope="session")
def films() -> Iterator[str]:
    """The address of a web server with films."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), QuickFilms)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def ines(sandbox: Sandbox) -> GrantedInstagram:
    return sandbox.instagram()


def at_instagram(sandbox: Sandbox, method: str, path: str, ines: GrantedInstagram, **params: Any) -> requests.Response:
    values = {"access_token": ines.access_token, **params}
    address = f"{sandbox.url}/instagram/graph/{VERSION}/{path}"
    if method == "POST":
        return sandbox.session.post(address, data=values, timeout=30)
    return sandbox.session.request(method, address, params=values, timeout=30)


def send(
    sandbox: Sandbox, page: GrantedPage, container: str, content: bytes, offset: int, size: int, token: str = ""
) -> requests.Response:
    headers = {
        "Authorization": f"OAuth {token or page.access_token}",
        "offset": str(offset),
        "file_size": str(size),
    }
    address = f"{sandbox.url}/rupload/ig-api-upload/{VERSION}/{container}"
    return requests.post(address, data=content, headers=headers, timeout=30)


def kind_of(response: requests.Response) -> str:
    return str(response.json()["debug_info"]["type"])


def bytes_there(sandbox: Sandbox, page: GrantedPage, container: str) -> int:
    answer = accepted(sandbox.call("GET", container, page.access_token, fields="video_status"))
    return int(answer["video_status"]["uploading_phase"]["bytes_transferred"])


def feed(sandbox: Sandbox, page: GrantedPage) -> list[dict[str, Any]]:
    return sandbox.feed(page.instagram_id or "")


# Kinds


def test_a_reel_is_a_video_of_its_own_product(sandbox: Sandbox, gina: GrantedPage, films: str) -> None:
    container = accepted(create(sandbox, gina, media_type="REELS", video_url=f"{films}/{GOOD}", caption="Drive"))["id"]
    assert status(sandbox, gina, container) == "IN_PROGRESS"
    assert refusal(publish(sandbox, gina, container)) == (9007, 2207027)
    sandbox.advance(1)

    media = accepted(publish(sandbox, gina, container))["id"]

    fields = "permalink,media_type,media_product_type,media_url,thumbnail_url,caption"
    found = accepted(sandbox.call("GET", media, gina.access_token, fields=fields))
    assert (found["media_type"], found["media_product_type"], found["caption"]) == ("VIDEO", "REELS", "Drive")
    assert "/reel/" in found["permalink"]
    page = requests.get(found["permalink"], timeout=10).text
    assert "<video controls" in page
    assert "poster=" in page
    shown = requests.get(found["media_url"], timeout=10)
    assert (shown.headers["Content-Type"], shown.content[4:8]) == ("video/mp4", b"ftyp")
    assert requests.get(found["thumbnail_url"], timeout=10).headers["Content-Type"] == "image/jpeg"
    assert [(row["kind"], row["media"]) for row in feed(sandbox, gina)] == [("reels", 1)]


@pytest.mark.parametrize("field", ["image_url", "video_url"])
def test_a_story_stands_among_the_stories_for_a_day(
    sandbox: Sandbox, gina: GrantedPage, films: str, pictures: str, field: str
) -> None:
    address = f"{pictures}/1080x1920.jpg" if field == "image_url" else f"{films}/{GOOD}"
    media = accepted(publish(sandbox, gina, finished(sandbox, gina, media_type="STORIES", **{field: address})))["id"]
    place, fields = gina.instagram_id, "id,media_type,media_product_type,timestamp,permalink"

    (story,) = accepted(sandbox.call("GET", f"{place}/stories", gina.access_token, fields=fields))["data"]
    assert (story["id"], story["media_product_type"]) == (media, "STORY")
    assert story["media_type"] == ("IMAGE" if field == "image_url" else "VIDEO")
    assert accepted(sandbox.call("GET", f"{place}/media", gina.access_token))["data"] == []
    profile = requests.get(f"{sandbox.url}/feeds/instagram/{gina.instagram_username}/", timeout=10).text
    assert "Stories of the last 24 hours" in profile

    sandbox.advance(86_401)
    assert accepted(sandbox.call("GET", f"{place}/stories", gina.access_token))["data"] == []
    assert refusal(sandbox.call("GET", media, gina.access_token)) == (100, 33)
    profile = requests.get(f"{sandbox.url}/feeds/instagram/{gina.instagram_username}/", timeout=10).text
    assert "Stories of the last 24 hours" not in profile


def test_a_carousel_holds_images_and_videos(sandbox: Sandbox, gina: GrantedPage, films: str, pictures: str) -> None:
    image = finished(sandbox, gina, image_url=f"{pictures}/1080x1080.jpg", is_carousel_item="true")
    video = finished(sandbox, gina, media_type="VIDEO", video_url=f"{films}/{GOOD}", is_carousel_item="true")
    parent = finished(sandbox, gina, media_type="CAROUSEL", children=f"{image},{video}")

    media = accepted(publish(sandbox, gina, parent))["id"]

    found = accepted(sandbox.call("GET", media, gina.access_token, fields="media_type,children{media_type}"))
    assert [child["media_type"] for child in found["children"]["data"]] == ["IMAGE", "VIDEO"]
    assert [(row["kind"], row["media"]) for row in feed(sandbox, gina)] == [("carousel", 2)]


def test_reels_and_stories_count_among_the_publishes(sandbox: Sandbox, gina: GrantedPage, films: str) -> None:
    for media_type in ("REELS", "STORIES"):
        accepted(publish(sandbox, gina, finished(sandbox, gina, media_type=media_type, video_url=f"{films}/{GOOD}")))

    path = f"{gina.instagram_id}/content_publishing_limit"
    answer = accepted(sandbox.call("GET", path, gina.access_token, fields="quota_usage"))
    assert answer["data"] == [{"quota_usage": 2}]


# Refusals


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"media_type": "REELS"}, (100, None)),
        ({"media_type": "REELS", "video_url": "http://x.example/a.mp4", "upload_type": "resumable"}, (100, None)),
        ({"media_type": "REELS", "upload_type": "resumable", "is_carousel_item": "true"}, (100, None)),
        ({"media_type": "REELS", "upload_type": "resumable", "alt_text": "A car"}, (100, None)),
        ({"media_type": "STORIES", "upload_type": "resumable", "caption": "Drive"}, (100, None)),
        ({"media_type": "VIDEO", "upload_type": "resumable"}, (100, None)),
        ({"media_type": "CAROUSEL", "video_url": "http://x.example/a.mp4"}, (100, None)),
    ],
)
def test_a_bad_container_of_a_video_is_refused(
    sandbox: Sandbox, gina: GrantedPage, params: dict[str, str], expected: tuple[int, int | None]
) -> None:
    assert refusal(create(sandbox, gina, **params)) == expected


@pytest.mark.parametrize(
    ("media_type", "name", "subcode"),
    [
        ("REELS", "540x960-2s-30.mp4", "2207026"),
        ("STORIES", "64x96-61s-24.mp4", "2207026"),
        ("REELS", "540x960-4s-15.mp4", "2207026"),
        ("REELS", "540x960-4s-30-old.mp4", "2207026"),
        ("REELS", "broken.mp4", "2207026"),
        ("REELS", "page.mp4", "2207026"),
        ("REELS", "missing.mp4", "2207052"),
        ("REELS", "elsewhere.mp4", "2207052"),
    ],
)
def test_a_bad_video_ends_in_error_and_says_why(
    sandbox: Sandbox, gina: GrantedPage, films: str, media_type: str, name: str, subcode: str
) -> None:
    container = accepted(create(sandbox, gina, media_type=media_type, video_url=f"{films}/{name}"))["id"]
    assert status(sandbox, gina, container) == "IN_PROGRESS"
    sandbox.advance(1)

    answer = accepted(sandbox.call("GET", container, gina.access_token, fields="status_code,status"))
    assert answer["status_code"] == "ERROR"
    assert subcode in answer["status"]
    assert refusal(publish(sandbox, gina, container)) == (-1, 2207032)


# Uploads


def test_a_video_is_uploaded_in_stretches(sandbox: Sandbox, gina: GrantedPage) -> None:
    content = quick(film())
    half = len(content) // 2
    container = accepted(create(sandbox, gina, media_type="REELS", upload_type="resumable"))["id"]
    assert bytes_there(sandbox, gina, container) == 0

    assert kind_of(send(sandbox, gina, container, content[:half], 0, len(content))) == "PartialRequestError"
    assert bytes_there(sandbox, gina, container) == half
    sandbox.advance(5)
    assert status(sandbox, gina, container) == "IN_PROGRESS"
    assert kind_of(send(sandbox, gina, container, content[:half], 0, len(content))) == "OffsetInvalidError"
    done = send(sandbox, gina, container, content[half:], half, len(content))
    assert (done.status_code, done.json()["success"]) == (200, True)
    assert bytes_there(sandbox, gina, container) == len(content)
    assert kind_of(send(sandbox, gina, container, b"", len(content), len(content))) == "OffsetInvalidError"

    sandbox.advance(1)
    accepted(publish(sandbox, gina, container))
    assert [row["kind"] for row in feed(sandbox, gina)] == ["reels"]


def test_the_host_of_uploads_can_fetch_as_well(sandbox: Sandbox, gina: GrantedPage, films: str) -> None:
    container = accepted(create(sandbox, gina, media_type="REELS", upload_type="resumable"))["id"]
    headers = {"Authorization": f"OAuth {gina.access_token}", "file_url": f"{films}/{GOOD}"}

    answer = requests.post(f"{sandbox.url}/rupload/ig-api-upload/{VERSION}/{container}", headers=headers, timeout=30)

    assert answer.json()["success"] is True
    sandbox.advance(1)
    assert status(sandbox, gina, container) == "FINISHED"


def test_uploads_are_refused_where_they_do_not_belong(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    place = accepted(create(sandbox, gina, media_type="REELS", upload_type="resumable"))["id"]
    image = accepted(create(sandbox, gina, image_url=f"{pictures}/1080x1080.jpg"))["id"]
    stranger = sandbox.person(pages=1).page

    assert send(sandbox, gina, place, b"x", 0, 9, token="EAAnobody").status_code == 401
    assert send(sandbox, stranger, place, b"x", 0, 9).status_code == 404
    assert send(sandbox, gina, image, b"x", 0, 9).status_code == 404
    assert kind_of(send(sandbox, gina, place, b"xxx", 0, 2)) == "ParameterValidationError"
    sandbox.advance(86_401)
    assert send(sandbox, gina, place, b"x", 0, 9).status_code == 404


@pytest.mark.parametrize("content", [b"no film", film()], ids=["no film", "index behind the pictures"])
def test_what_was_uploaded_is_looked_at(sandbox: Sandbox, gina: GrantedPage, content: bytes) -> None:
    container = accepted(create(sandbox, gina, media_type="REELS", upload_type="resumable"))["id"]
    assert send(sandbox, gina, container, content, 0, len(content)).status_code == 200
    sandbox.advance(1)

    assert status(sandbox, gina, container) == "ERROR"


def test_its_own_login_has_no_upload(sandbox: Sandbox, ines: GrantedInstagram, films: str) -> None:
    path = f"{ines.account_id}/media"
    assert refusal(at_instagram(sandbox, "POST", path, ines, media_type="REELS", upload_type="resumable")) == (
        100,
        None,
    )

    answer = at_instagram(sandbox, "POST", path, ines, media_type="REELS", video_url=f"{films}/{GOOD}")
    container = accepted(answer)["id"]
    sandbox.advance(1)
    accepted(at_instagram(sandbox, "POST", f"{ines.account_id}/media_publish", ines, creation_id=container))
    assert [row["kind"] for row in sandbox.feed(ines.account_id)] == ["reels"]


# Insights


@pytest.mark.parametrize(("metric", "refused"), [("views,reach,shares,total_interactions", False), ("saved", True)])
def test_a_story_has_figures_of_its_own(
    sandbox: Sandbox, gina: GrantedPage, pictures: str, metric: str, refused: bool
) -> None:
    container = finished(sandbox, gina, media_type="STORIES", image_url=f"{pictures}/1080x1920.jpg")
    media = accepted(publish(sandbox, gina, container))["id"]

    answer = sandbox.call("GET", f"{media}/insights", gina.access_token, metric=metric)

    assert (answer.status_code == 400) is refused


# Comments


@pytest.fixture
def media(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> str:
    return str(accepted(publish(sandbox, gina, finished(sandbox, gina, image_url=f"{pictures}/1080x1080.jpg")))["id"])


def test_a_comment_is_written_and_read(sandbox: Sandbox, gina: GrantedPage, media: str) -> None:
    comment = accepted(sandbox.call("POST", f"{media}/comments", gina.access_token, message="First"))["id"]

    fields = "id,text,username,from"
    (found,) = accepted(sandbox.call("GET", f"{media}/comments", gina.access_token, fields=fields))["data"]
    assert (found["id"], found["text"], found["from"]["id"]) == (comment, "First", gina.instagram_id)
    assert feed(sandbox, gina)[0]["comments"] == ["First"]


def test_asking_for_fields_fails_after_the_comment_is_there(sandbox: Sandbox, gina: GrantedPage, media: str) -> None:
    answer = sandbox.call("POST", f"{media}/comments", gina.access_token, message="First", fields="id")

    assert refusal(answer) == (20, 1772107)
    assert feed(sandbox, gina)[0]["comments"] == ["First"]


@pytest.mark.parametrize("message", ["", "x" * 301, "#a #b #c #d #e"])
def test_a_bad_comment_is_refused(sandbox: Sandbox, gina: GrantedPage, media: str, message: str) -> None:
    assert refusal(sandbox.call("POST", f"{media}/comments", gina.access_token, message=message)) == (100, None)
    assert feed(sandbox, gina)[0]["comments"] == []


def test_comments_need_their_permission(sandbox: Sandbox, gina: GrantedPage, media: str) -> None:
    scopes = ["pages_show_list", "instagram_basic", "instagram_content_publish", "pages_read_engagement"]
    poor = sandbox.person("gina", scopes=scopes).page

    assert refusal(sandbox.call("POST", f"{media}/comments", poor.access_token, message="First")) == (10, None)
    assert refusal(sandbox.call("GET", f"{media}/comments", poor.access_token)) == (10, None)


def test_a_story_takes_no_comment(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    container = finished(sandbox, gina, media_type="STORIES", image_url=f"{pictures}/1080x1920.jpg")
    story = accepted(publish(sandbox, gina, container))["id"]

    assert refusal(sandbox.call("POST", f"{story}/comments", gina.access_token, message="First")) == (100, None)


def test_at_its_own_login_authors_have_other_ids(sandbox: Sandbox, ines: GrantedInstagram, pictures: str) -> None:
    path = f"{ines.account_id}/media"
    container = accepted(at_instagram(sandbox, "POST", path, ines, image_url=f"{pictures}/1080x1080.jpg"))["id"]
    sandbox.advance(1)
    publishing = at_instagram(sandbox, "POST", f"{ines.account_id}/media_publish", ines, creation_id=container)
    media = accepted(publishing)["id"]
    accepted(at_instagram(sandbox, "POST", f"{media}/comments", ines, message="First"))

    answer = at_instagram(sandbox, "GET", f"{media}/comments", ines, fields="id,username,from")

    (found,) = accepted(answer)["data"]
    assert (found["username"], found["from"]["id"]) == (ines.username, ines.scoped_id)
