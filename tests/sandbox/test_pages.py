"""Publishing to a Page and reading back what is there."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import image_bytes
from tests.sandbox.refusals import accepted, refusal
from tests.sandbox_process import GrantedPage, Sandbox

pytestmark = pytest.mark.processes

RECONCILE = (
    "id,message,created_time,permalink_url,status_type,is_published,application,"
    "attachments{media_type,target,subattachments}"
)


@pytest.fixture
def gina(sandbox: Sandbox) -> GrantedPage:
    return sandbox.person("gina").page


def post(sandbox: Sandbox, page: GrantedPage, edge: str = "feed", **params: Any) -> requests.Response:
    return sandbox.call("POST", f"{page.id}/{edge}", page.access_token, **params)


def upload(content: bytes, name: str = "a.jpg") -> dict[str, tuple[str, bytes, str]]:
    return {"source": (name, content, "application/octet-stream")}


def stage(sandbox: Sandbox, page: GrantedPage, **params: Any) -> str:
    answer = accepted(post(sandbox, page, "photos", published="false", files=upload(image_bytes()), **params))
    return answer["id"]


def attached(*photo_ids: str) -> str:
    return json.dumps([{"media_fbid": photo_id} for photo_id in photo_ids])


# Text and links


def test_a_text_is_published_with_its_link_in_the_same_answer(sandbox: Sandbox, gina: GrantedPage) -> None:
    answer = accepted(post(sandbox, gina, message="Hello", fields="id,permalink_url"))

    assert answer["id"].startswith(f"{gina.id}_")
    assert [entry["message"] for entry in sandbox.feed(gina.id)] == ["Hello"]
    shown = requests.get(answer["permalink_url"], timeout=10)
    assert shown.status_code == 200
    assert "Hello" in shown.text


def test_a_link_is_published(sandbox: Sandbox, gina: GrantedPage) -> None:
    answer = accepted(post(sandbox, gina, link="https://example.com/a"))

    found = accepted(sandbox.call("GET", answer["id"], gina.access_token, fields="attachments{media_type,target}"))
    assert found["attachments"]["data"] == [{"media_type": "link", "target": {"url": "https://example.com/a"}}]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, 100),
        ({"message": "  "}, 100),
        ({"message": "x" * 63_207}, 100),
        ({"link": "no address"}, 100),
        ({"link": "https://www.facebook.com/x"}, 1609008),
        ({"link": "https://nowhere.invalid/x"}, 1609005),
        ({"message": "x", "published": "perhaps"}, 100),
        ({"message": "x", "attached_media": "not json"}, 100),
        ({"message": "x", "attached_media": '[{"media_fbid": "12"}]'}, 100),
    ],
)
def test_a_bad_post_is_refused(sandbox: Sandbox, gina: GrantedPage, params: dict[str, Any], code: int) -> None:
    assert refusal(post(sandbox, gina, **params)) == (code, None)
    assert sandbox.feed(gina.id) == []


def test_a_user_token_cannot_publish_or_read_for_the_page(sandbox: Sandbox) -> None:
    gina = sandbox.person("gina")

    publish = sandbox.call("POST", f"{gina.page.id}/feed", gina.user_token, message="x")
    read = sandbox.call("GET", f"{gina.page.id}/published_posts", gina.user_token)

    assert refusal(publish) == (200, None)
    assert refusal(read) == (210, None)


@pytest.mark.parametrize("missing", ["pages_manage_posts", "pages_read_engagement"])
def test_publishing_needs_both_permissions(sandbox: Sandbox, missing: str) -> None:
    scopes = [scope for scope in ("pages_show_list", "pages_manage_posts", "pages_read_engagement") if scope != missing]
    page = sandbox.person("gina", scopes=scopes).page

    assert refusal(post(sandbox, page, message="x")) == (200, None)


def test_an_analyst_cannot_publish(sandbox: Sandbox) -> None:
    analyst = next(page for page in sandbox.person("alex").pages if page.tasks == ["ANALYZE"])

    assert refusal(post(sandbox, analyst, message="x")) == (200, None)


def test_what_was_published_can_be_found_again_by_time(sandbox: Sandbox, gina: GrantedPage) -> None:
    began = time.time()
    accepted(post(sandbox, gina, message="First"))
    sandbox.advance(600)
    accepted(post(sandbox, gina, message="Second"))
    path = f"{gina.id}/published_posts"

    both = accepted(sandbox.call("GET", path, gina.access_token, fields=RECONCILE, since=int(began - 120), limit=50))
    late = accepted(sandbox.call("GET", path, gina.access_token, since=int(began + 300)))
    early = accepted(sandbox.call("GET", path, gina.access_token, until=int(began + 300)))

    assert [entry["message"] for entry in both["data"]] == ["Second", "First"]
    assert both["data"][0]["application"]["id"] == sandbox.app_id
    assert both["data"][0]["created_time"].endswith("+0000")
    assert [entry["message"] for entry in late["data"]] == ["Second"]
    assert [entry["message"] for entry in early["data"]] == ["First"]


def test_unpublished_posts_stay_out_of_sight(sandbox: Sandbox, gina: GrantedPage) -> None:
    accepted(post(sandbox, gina, message="Draft", published="false"))

    published = accepted(sandbox.call("GET", f"{gina.id}/published_posts", gina.access_token))

    assert published["data"] == []
    assert sandbox.feed(gina.id) == []


def test_a_post_can_be_edited_and_deleted_once(sandbox: Sandbox, gina: GrantedPage) -> None:
    post_id = accepted(post(sandbox, gina, message="Old"))["id"]

    assert accepted(sandbox.call("POST", post_id, gina.access_token, message="New")) == {"success": True}
    assert sandbox.feed(gina.id)[0]["message"] == "New"
    assert accepted(sandbox.call("DELETE", post_id, gina.access_token)) == {"success": True}
    assert refusal(sandbox.call("DELETE", post_id, gina.access_token)) == (100, 33)
    assert sandbox.feed(gina.id) == []


# Photos


def test_one_photo_is_published_at_once(sandbox: Sandbox, gina: GrantedPage) -> None:
    answer = accepted(
        post(sandbox, gina, "photos", caption="One", alt_text_custom="A red square", files=upload(image_bytes()))
    )

    assert answer["post_id"].startswith(f"{gina.id}_")
    assert [(entry["message"], entry["media"]) for entry in sandbox.feed(gina.id)] == [("One", 1)]
    photo = accepted(sandbox.call("GET", answer["id"], gina.access_token, fields="page_story_id,alt_text,images"))
    assert photo["page_story_id"] == answer["post_id"]
    assert photo["alt_text"] == "A red square"
    assert requests.get(photo["images"][0]["source"], timeout=10).content == image_bytes()


def test_a_photo_may_come_from_an_address(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    accepted(post(sandbox, gina, "photos", url=f"{pictures}/800x600.png"))

    assert sandbox.feed(gina.id)[0]["media"] == 1


def test_several_photos_are_staged_and_then_posted_in_order(sandbox: Sandbox, gina: GrantedPage) -> None:
    photos = [stage(sandbox, gina) for _ in range(3)]
    assert sandbox.feed(gina.id) == []

    answer = accepted(post(sandbox, gina, message="Three", attached_media=attached(*photos)))

    found = accepted(sandbox.call("GET", answer["id"], gina.access_token, fields=RECONCILE))
    album = found["attachments"]["data"][0]
    assert album["media_type"] == "album"
    assert [one["target"]["id"] for one in album["subattachments"]["data"]] == photos


def test_a_photo_is_posted_only_once(sandbox: Sandbox, gina: GrantedPage) -> None:
    photo = stage(sandbox, gina)
    accepted(post(sandbox, gina, attached_media=attached(photo)))

    assert refusal(post(sandbox, gina, attached_media=attached(photo))) == (1366051, None)
    assert refusal(post(sandbox, gina, attached_media=attached(photo, photo))) == (1366051, None)
    fresh = stage(sandbox, gina)
    assert refusal(post(sandbox, gina, attached_media=attached(fresh, fresh))) == (100, None)


def test_staged_photos_vanish_after_a_day(sandbox: Sandbox, gina: GrantedPage) -> None:
    photo = stage(sandbox, gina)
    sandbox.advance(25 * 3600)

    assert refusal(post(sandbox, gina, attached_media=attached(photo))) == (100, None)
    assert refusal(sandbox.call("GET", photo, gina.access_token)) == (100, 33)


def test_a_staged_photo_can_be_deleted(sandbox: Sandbox, gina: GrantedPage) -> None:
    photo = stage(sandbox, gina)

    assert accepted(sandbox.call("DELETE", photo, gina.access_token)) == {"success": True}
    assert refusal(sandbox.call("DELETE", photo, gina.access_token)) == (100, 33)


def test_a_photo_of_another_page_cannot_be_attached(sandbox: Sandbox, gina: GrantedPage) -> None:
    theirs = stage(sandbox, sandbox.person("paul").page)

    assert refusal(post(sandbox, gina, attached_media=attached(theirs))) == (100, None)


def test_more_than_ten_photos_are_refused(sandbox: Sandbox, gina: GrantedPage) -> None:
    photos = [stage(sandbox, gina) for _ in range(11)]

    assert refusal(post(sandbox, gina, attached_media=attached(*photos))) == (100, None)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"not an image", 324),
        (image_bytes(kind="WEBP"), 1366046),
        (image_bytes(padding=4 * 1024 * 1024), 1366046),
    ],
    ids=["no image", "webp", "over 4 MB"],
)
def test_a_bad_photo_is_refused(sandbox: Sandbox, gina: GrantedPage, content: bytes, code: int) -> None:
    assert refusal(post(sandbox, gina, "photos", files=upload(content)))[0] == code
    assert sandbox.feed(gina.id) == []


def test_a_photo_is_needed_and_must_be_reachable(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    assert refusal(post(sandbox, gina, "photos", caption="x")) == (324, None)
    assert refusal(post(sandbox, gina, "photos", url=f"{pictures}/missing.jpg"))[0] == 324
    assert refusal(post(sandbox, gina, "photos", files=upload(image_bytes()), alt_text_custom="x" * 1001))[0] == 100


# Fields


def test_the_page_tells_who_it_is(sandbox: Sandbox, gina: GrantedPage) -> None:
    found = accepted(
        sandbox.call(
            "GET", gina.id, gina.access_token, fields="id,name,username,picture{url},followers_count,fan_count"
        )
    )

    assert found["name"] == "Camaro Garage"
    assert found["followers_count"] > 12_000
    picture = requests.get(found["picture"]["data"]["url"], timeout=10)
    assert picture.headers["Content-Type"] == "image/png"


def test_summaries_need_their_permission(sandbox: Sandbox) -> None:
    page = sandbox.person("gina").page
    post_id = accepted(post(sandbox, page, message="x"))["id"]
    fields = "id,shares,comments.limit(0).summary(true),reactions.limit(0).summary(true)"
    sandbox.advance(2 * 86_400)

    found = accepted(sandbox.call("GET", post_id, page.access_token, fields=fields))
    poor = sandbox.person("gina", scopes=["pages_show_list", "pages_read_engagement"]).page

    assert found["shares"]["count"] > 0
    assert found["comments"]["data"] == []
    assert found["comments"]["summary"]["total_count"] > 0
    assert found["reactions"]["summary"]["total_count"] > found["comments"]["summary"]["total_count"]
    assert refusal(sandbox.call("GET", post_id, poor.access_token, fields=fields)) == (10, None)


def test_reading_posts_needs_its_permission(sandbox: Sandbox) -> None:
    page = sandbox.person("gina", scopes=["pages_show_list"]).page

    assert refusal(sandbox.call("GET", f"{page.id}/published_posts", page.access_token)) == (10, None)
