"""The pages for people, and that the state outlives a restart."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import requests

from tests.sandbox.conftest import image_bytes
from tests.sandbox.refusals import accepted
from tests.sandbox_process import Sandbox, start_sandbox

pytestmark = pytest.mark.processes


def page_of(sandbox: Sandbox, path: str) -> str:
    response = requests.get(f"{sandbox.url}{path}", timeout=10)
    assert response.status_code == 200
    assert "Sandbox" in response.text
    assert "<script" not in response.text
    assert " style=" not in response.text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    return response.text


def test_the_front_page_lists_people_and_their_feeds(sandbox: Sandbox) -> None:
    front = page_of(sandbox, "/")

    assert "/feeds/facebook/101000000000001/" in front
    assert "/feeds/instagram/camarogarage/" in front
    assert "Link an Instagram account" in front
    assert "122 more Pages" in front


def test_the_style_sheet_is_served(sandbox: Sandbox) -> None:
    address = re.search(r'rel="stylesheet" href="([^"]+)"', page_of(sandbox, "/"))

    assert address is not None
    assert "@layer" in requests.get(f"{sandbox.url}{address[1]}", timeout=10).text


def test_a_facebook_feed_shows_posts_newest_first_and_escapes_them(sandbox: Sandbox) -> None:
    page = sandbox.person("gina").page
    empty = page_of(sandbox, f"/feeds/facebook/{page.id}/")
    for message in ("Older <b>", "Newer"):
        accepted(sandbox.call("POST", f"{page.id}/feed", page.access_token, message=message))
    files = {"source": ("a.jpg", image_bytes(), "image/jpeg")}
    accepted(sandbox.call("POST", f"{page.id}/photos", page.access_token, caption="Photo", files=files))

    feed = page_of(sandbox, f"/feeds/facebook/{page.id}/")

    assert "Nothing published yet" in empty
    assert feed.index("Photo") < feed.index("Newer") < feed.index("Older &lt;b&gt;")
    image = re.search(r'/media/files/[^"]+', feed)
    assert image is not None
    assert requests.get(f"{sandbox.url}{image[0]}", timeout=10).content == image_bytes()


def test_an_instagram_feed_and_post(sandbox: Sandbox, pictures: str) -> None:
    page = sandbox.person("gina").page
    path, token = f"{page.instagram_id}/media", page.access_token
    image = f"{pictures}/1080x1080.jpg"
    container = accepted(sandbox.call("POST", path, token, image_url=image, caption="Hi", alt_text="A red square"))[
        "id"
    ]
    sandbox.advance(1)
    accepted(sandbox.call("POST", f"{page.instagram_id}/media_publish", token, creation_id=container))

    feed = page_of(sandbox, "/feeds/instagram/camarogarage/")
    address = re.search(r'href="(/feeds/instagram/p/[^"]+)"', feed)

    assert address is not None
    post = page_of(sandbox, address[1])
    assert "Hi" in post
    assert 'alt="A red square"' in post


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/facebook/1/",
        "/feeds/facebook/101000000000001/posts/1/",
        "/feeds/instagram/nobody/",
        "/feeds/instagram/p/x/",
        "/media/files/sandbox.json",
        "/media/portraits/1.png",
    ],
)
def test_what_is_not_there_is_not_found(sandbox: Sandbox, path: str) -> None:
    assert requests.get(f"{sandbox.url}{path}", timeout=10).status_code == 404


def test_posts_and_tokens_outlive_a_restart(tmp_path: Path) -> None:
    first = start_sandbox(tmp_path)
    try:
        page = first.person("gina").page
        paul = first.person("paul").page
        first.link_instagram(paul.id)
        files = {"source": ("a.jpg", image_bytes(), "image/jpeg")}
        accepted(first.call("POST", f"{page.id}/photos", page.access_token, caption="Kept", files=files))
        first.fault("error_before", edge="feed")
        before = first.feed(page.id)
    finally:
        first.stop()
    second = start_sandbox(tmp_path)
    try:
        assert second.feed(page.id) == before
        assert second.call("POST", f"{page.id}/feed", page.access_token, message="x").status_code == 500
        new = accepted(second.call("POST", f"{page.id}/feed", page.access_token, message="New"))["id"]
        assert new not in {entry["id"] for entry in before}
        assert "Kept" in page_of(second, f"/feeds/facebook/{page.id}/")
        assert second.person("paul").page.instagram_id
    finally:
        second.stop()


def test_posts_outlive_a_kill(tmp_path: Path) -> None:
    first = start_sandbox(tmp_path)
    page = first.person("gina").page
    accepted(first.call("POST", f"{page.id}/feed", page.access_token, message="Kept"))
    deadline = time.monotonic() + 10
    while "Kept" not in (tmp_path / "sandbox.json").read_text() if (tmp_path / "sandbox.json").exists() else True:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    first.process.kill()
    first.process.wait()
    first.stop()

    second = start_sandbox(tmp_path)
    try:
        assert [entry["message"] for entry in second.feed(page.id)] == ["Kept"]
    finally:
        second.stop()


def test_latency_makes_every_call_slower(sandbox: Sandbox) -> None:
    token = sandbox.person("gina").user_token
    sandbox.latency(300)
    began = time.monotonic()

    sandbox.call("GET", "me", token)

    assert time.monotonic() - began >= 0.3
