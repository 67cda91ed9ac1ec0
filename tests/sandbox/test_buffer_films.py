"""Videos at the simulated Buffer: what it takes at once, what the networks refuse later, what people see."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.sandbox.film_server import films
from tests.sandbox.test_buffer import PUBLISHED, create, data, image_at, page_of
from tests.sandbox_process import GrantedBuffer, Sandbox, sandbox, sandbox_process

__all__ = ["films", "sandbox", "sandbox_process"]
pytestmark = pytest.mark.processes

USUAL = "540x960-4s-30.mp4"
SEEN = """query Post($id: PostId!) { post(input: {id: $id}) { status error { message } assets { type mimeType source thumbnail
  ... on VideoAsset { video { durationMs width height videoCodec frameRate } } } } }"""
NEEDED: dict[str, dict[str, Any]] = {"youtube": {"youtube": {"title": "Camaro", "categoryId": "2"}}}
SERVICES = ["twitter", "threads", "bluesky", "mastodon", "pinterest", "tiktok", "youtube"]


@pytest.fixture
def bruno(sandbox: Sandbox) -> GrantedBuffer:
    return sandbox.buffer("bruno")


def video_at(address: str, **about: Any) -> dict[str, Any]:
    return {"video": {"url": address, **({"metadata": about} if about else {})}}


def metadata_for(bruno: GrantedBuffer, service: str) -> dict[str, Any]:
    if service != "pinterest":
        return NEEDED.get(service, {})
    board = next(one for one in bruno.channels if one["service"] == "pinterest")["boards"][0]
    return {"pinterest": {"boardServiceId": board["serviceId"]}}


def post_film(sandbox: Sandbox, bruno: GrantedBuffer, service: str, address: str, **more: Any) -> dict[str, Any]:
    about = more.pop("about", {})
    values = {"metadata": metadata_for(bruno, service), "assets": [video_at(address, **about)], **more}
    return create(sandbox, bruno, bruno.channel(service), **values)


def outcome(sandbox: Sandbox, bruno: GrantedBuffer, answer: dict[str, Any]) -> dict[str, Any]:
    """The post when the network has said yes or no."""
    time.sleep(PUBLISHED)
    return data(sandbox.graphql(bruno.key, SEEN, id=answer["post"]["id"]))["post"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_film_is_taken_and_then_sent(sandbox: Sandbox, bruno: GrantedBuffer, films: str, service: str) -> None:
    answer = post_film(sandbox, bruno, service, f"{films}/{USUAL}")
    assert answer["__typename"] == "PostActionSuccess", answer
    assert answer["post"]["status"] == "scheduled"

    post = outcome(sandbox, bruno, answer)
    (asset,) = post["assets"]
    assert (post["status"], asset["type"], asset["mimeType"]) == ("sent", "video", "video/mp4")
    assert asset["source"] == f"{films}/{USUAL}"
    assert requests.get(asset["thumbnail"], timeout=10).headers["Content-Type"] == "image/jpeg"
    facts = asset["video"]
    assert (facts["width"], facts["height"], facts["videoCodec"], facts["frameRate"]) == (540, 960, "h264", 30)
    assert abs(facts["durationMs"] - 4000) < 100
    (row,) = sandbox.feed(bruno.channel(service))
    assert (row["kind"], row["media"]) == ("video", 1)
    page = page_of(sandbox, f"/feeds/buffer/{bruno.channel(service)}/")
    assert "<video controls" in page
    assert "poster=" in page


@pytest.mark.parametrize(
    ("service", "change", "told"),
    [
        ("mastodon", {"assets": ["none.mp4"]}, "404"),
        ("mastodon", {"assets": ["page.mp4"]}, "text/html"),
        ("mastodon", {"assets": ["elsewhere.mp4"]}, "302"),
        ("mastodon", {"assets": ["broken.mp4"]}, "could not be read"),
        ("mastodon", {"assets": ["540x960-1s-30-old.mp4"]}, "H.264"),
        ("mastodon", {"assets": [USUAL, USUAL]}, "one video"),
        ("googlebusiness", {"assets": [USUAL]}, "not supported"),
        ("youtube", {"assets": [USUAL], "metadata": {}}, "title"),
        ("youtube", {"assets": [USUAL], "metadata": {"youtube": {"title": "T", "categoryId": "3"}}}, "category"),
        ("pinterest", {"assets": [USUAL], "metadata": {}}, "board"),
        ("tiktok", {"assets": [USUAL], "text": "x" * 2201}, "2200"),
    ],
)
def test_what_buffer_refuses_at_once(
    sandbox: Sandbox, bruno: GrantedBuffer, films: str, service: str, change: dict[str, Any], told: str
) -> None:
    names = change.pop("assets")
    values = {"metadata": metadata_for(bruno, service), **change}
    answer = create(
        sandbox, bruno, bruno.channel(service), assets=[video_at(f"{films}/{name}") for name in names], **values
    )
    assert answer["__typename"] == "InvalidInputError"
    assert told in answer["message"]
    assert sandbox.buffer_posts(bruno.channel(service)) == []


def test_no_images_beside_a_film(sandbox: Sandbox, bruno: GrantedBuffer, films: str) -> None:
    mixed = [image_at(f"{films}/1.jpg"), video_at(f"{films}/{USUAL}")]
    answer = create(sandbox, bruno, bruno.channel("threads"), assets=mixed)
    assert answer["message"] == "A post has either images or one video."


@pytest.mark.parametrize("offset", [-1, 60_000])
def test_the_moment_of_the_cover_lies_in_the_film(
    sandbox: Sandbox, bruno: GrantedBuffer, films: str, offset: int
) -> None:
    answer = post_film(sandbox, bruno, "tiktok", f"{films}/{USUAL}", about={"thumbnailOffset": offset})
    assert "thumbnailOffset" in answer["message"]
    good = post_film(sandbox, bruno, "tiktok", f"{films}/{USUAL}", about={"thumbnailOffset": 1500})
    assert good["__typename"] == "PostActionSuccess"


@pytest.mark.parametrize(
    ("service", "name", "told"),
    [
        ("tiktok", "540x960-2s-30.mp4", "seconds long"),
        ("pinterest", "540x960-3s-30.mp4", "seconds long"),
        ("tiktok", "320x480-4s-30.mp4", "pixels"),
        ("pinterest", "540x1200-4s-30.mp4", "aspect ratio"),
        ("twitter", "100x400-4s-30.mp4", "aspect ratio"),
        ("threads", "540x960-4s-15.mp4", "frame rate"),
    ],
)
def test_what_a_network_refuses_buffer_tells_later(
    sandbox: Sandbox, bruno: GrantedBuffer, films: str, service: str, name: str, told: str
) -> None:
    answer = post_film(sandbox, bruno, service, f"{films}/{name}")
    assert answer["__typename"] == "PostActionSuccess"
    post = outcome(sandbox, bruno, answer)
    assert post["status"] == "error"
    assert told in post["error"]["message"]
    assert sandbox.feed(bruno.channel(service)) == []
    (row,) = sandbox.buffer_posts(bruno.channel(service))
    assert (row["status"], row["kind"], row["error"]) == ("error", "video", post["error"]["message"])


def test_a_film_can_be_exchanged_for_one_that_fits(sandbox: Sandbox, bruno: GrantedBuffer, films: str) -> None:
    answer = post_film(sandbox, bruno, "tiktok", f"{films}/540x960-2s-30.mp4")
    assert outcome(sandbox, bruno, answer)["status"] == "error"
    edit = """mutation EditPost($input: EditPostInput!) { editPost(input: $input) { __typename
      ... on MutationError { message } } }"""
    values = {
        "id": answer["post"]["id"],
        "schedulingType": "automatic",
        "mode": "shareNow",
        "assets": [video_at(f"{films}/{USUAL}")],
    }
    assert data(sandbox.graphql(bruno.key, edit, input=values))["editPost"]["__typename"] == "PostActionSuccess"
    assert outcome(sandbox, bruno, answer)["status"] == "sent"
