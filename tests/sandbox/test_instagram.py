"""Publishing to Instagram: containers, waiting, quota, carousel, and reading back."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.sandbox.refusals import accepted, refusal
from tests.sandbox_process import GrantedPage, Sandbox

pytestmark = pytest.mark.processes


@pytest.fixture
def gina(sandbox: Sandbox) -> GrantedPage:
    return sandbox.person("gina").page


def create(sandbox: Sandbox, page: GrantedPage, **params: Any) -> requests.Response:
    return sandbox.call("POST", f"{page.instagram_id}/media", page.access_token, **params)


def publish(sandbox: Sandbox, page: GrantedPage, container: str) -> requests.Response:
    return sandbox.call("POST", f"{page.instagram_id}/media_publish", page.access_token, creation_id=container)


def status(sandbox: Sandbox, page: GrantedPage, container: str) -> str:
    answer = accepted(sandbox.call("GET", container, page.access_token, fields="id,status_code,status"))
    assert answer["status"]
    return answer["status_code"]


def finished(sandbox: Sandbox, page: GrantedPage, **params: Any) -> str:
    container = accepted(create(sandbox, page, **params))["id"]
    sandbox.advance(1)
    return container


# One image


def test_an_image_is_published_once_its_container_is_finished(
    sandbox: Sandbox, gina: GrantedPage, pictures: str
) -> None:
    container = accepted(create(sandbox, gina, image_url=f"{pictures}/1080x1350.jpg", caption="Hello"))["id"]
    assert status(sandbox, gina, container) == "IN_PROGRESS"
    assert refusal(publish(sandbox, gina, container)) == (9007, 2207027)
    sandbox.advance(1)
    assert status(sandbox, gina, container) == "FINISHED"

    media = accepted(publish(sandbox, gina, container))["id"]

    assert status(sandbox, gina, container) == "PUBLISHED"
    assert [(entry["id"], entry["message"]) for entry in sandbox.feed(gina.instagram_id or "")] == [(media, "Hello")]
    fields = "id,permalink,shortcode,timestamp,media_type,media_product_type,media_url,caption"
    found = accepted(sandbox.call("GET", media, gina.access_token, fields=fields))
    assert (found["media_type"], found["media_product_type"]) == ("IMAGE", "FEED")
    assert media not in found["permalink"]
    assert "Hello" in requests.get(found["permalink"], timeout=10).text
    assert requests.get(found["media_url"], timeout=10).headers["Content-Type"] == "image/jpeg"


def test_a_container_is_published_only_once(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    container = finished(sandbox, gina, image_url=f"{pictures}/1080x1080.jpg")
    accepted(publish(sandbox, gina, container))

    assert refusal(publish(sandbox, gina, container)) == (24, 2207008)
    assert len(sandbox.feed(gina.instagram_id or "")) == 1


def test_a_container_expires_after_a_day(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    container = finished(sandbox, gina, image_url=f"{pictures}/1080x1080.jpg")
    sandbox.advance(86_400)

    assert status(sandbox, gina, container) == "EXPIRED"
    assert refusal(publish(sandbox, gina, container)) == (-2, 2207020)


def test_an_unknown_container_is_refused(sandbox: Sandbox, gina: GrantedPage) -> None:
    assert refusal(publish(sandbox, gina, "17900000000099999")) == (24, 2207006)
    assert refusal(sandbox.call("GET", "17900000000099999", gina.access_token)) == (100, 33)


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        ("1080x1080.png", (36001, 2207005)),
        ("1080x1080.webp", (36001, 2207005)),
        ("1080x1400.jpg", (36003, 2207009)),
        ("1200x600.jpg", (36003, 2207009)),
        ("1080x1080-big.jpg", (36000, 2207004)),
        ("missing.jpg", (9004, 2207052)),
        ("elsewhere.jpg", (9004, 2207052)),
        ("page.jpg", (9004, 2207052)),
    ],
)
def test_an_image_that_instagram_does_not_take_is_refused(
    sandbox: Sandbox, gina: GrantedPage, pictures: str, picture: str, expected: tuple[int, int]
) -> None:
    assert refusal(create(sandbox, gina, image_url=f"{pictures}/{picture}")) == expected


def test_an_address_that_nobody_answers_is_refused(sandbox: Sandbox, gina: GrantedPage) -> None:
    assert refusal(create(sandbox, gina, image_url="http://127.0.0.1:9/a.jpg")) == (9004, 2207052)
    assert refusal(create(sandbox, gina, image_url="file:///etc/passwd")) == (9004, 2207052)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, (100, None)),
        ({"caption": "x" * 2201}, (36004, 2207010)),
        ({"caption": "#a " * 31}, (36004, 2207010)),
        ({"caption": "@a " * 21}, (100, 2207040)),
        ({"alt_text": "x" * 1001}, (100, None)),
        ({"collaborators": "a,b,c,d"}, (100, None)),
        ({"is_carousel_item": "true", "caption": "x"}, (100, None)),
        ({"is_carousel_item": "true", "is_ai_generated": "true"}, (100, 2207100)),
        ({"media_type": "VIDEO", "video_url": "http://127.0.0.1:9/a.mp4"}, (100, None)),
        ({"media_type": "PAINTING"}, (100, 2207023)),
        ({"made_up": "1"}, (100, None)),
    ],
)
def test_a_bad_container_is_refused(
    sandbox: Sandbox, gina: GrantedPage, params: dict[str, Any], expected: tuple[int, int | None]
) -> None:
    assert refusal(create(sandbox, gina, **params)) == expected


def test_a_full_caption_and_alt_text_are_accepted(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    caption = ("#a " * 30 + "@b " * 20).ljust(2200, "x")

    container = finished(sandbox, gina, image_url=f"{pictures}/1080x566.jpg", caption=caption, alt_text="x" * 1000)

    accepted(publish(sandbox, gina, container))


# Carousels


def items(sandbox: Sandbox, page: GrantedPage, pictures: str, count: int) -> list[str]:
    made = [
        accepted(create(sandbox, page, image_url=f"{pictures}/1080x1080.jpg", is_carousel_item="true"))["id"]
        for _ in range(count)
    ]
    sandbox.advance(1)
    return made


def carousel(sandbox: Sandbox, page: GrantedPage, children: list[str], **more: str) -> requests.Response:
    return create(sandbox, page, media_type="CAROUSEL", children=",".join(children), **more)


def test_a_carousel_is_one_post_with_all_its_images(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    parent = accepted(carousel(sandbox, gina, items(sandbox, gina, pictures, 3), caption="Three"))["id"]
    sandbox.advance(1)

    media = accepted(publish(sandbox, gina, parent))["id"]

    assert [(entry["message"], entry["media"]) for entry in sandbox.feed(gina.instagram_id or "")] == [("Three", 3)]
    found = accepted(sandbox.call("GET", media, gina.access_token, fields="media_type,children{id,media_url}"))
    assert found["media_type"] == "CAROUSEL_ALBUM"
    assert len(found["children"]["data"]) == 3


def test_items_must_be_finished_before_the_carousel_is_made(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    children = [
        accepted(create(sandbox, gina, image_url=f"{pictures}/1080x1080.jpg", is_carousel_item="true"))["id"]
        for _ in range(2)
    ]

    assert refusal(carousel(sandbox, gina, children)) == (9007, 2207027)


@pytest.mark.parametrize("count", [0, 1, 11])
def test_a_carousel_has_two_to_ten_items(sandbox: Sandbox, gina: GrantedPage, pictures: str, count: int) -> None:
    assert refusal(carousel(sandbox, gina, items(sandbox, gina, pictures, count))) == (100, 2207028)


def test_a_carousel_takes_only_its_own_kind_of_items(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    item = items(sandbox, gina, pictures, 1)[0]
    single = finished(sandbox, gina, image_url=f"{pictures}/1080x1080.jpg")

    assert refusal(carousel(sandbox, gina, [item, single])) == (100, None)
    assert refusal(carousel(sandbox, gina, [item, item])) == (100, None)
    assert refusal(carousel(sandbox, gina, [item, "17900000000099999"])) == (24, 2207006)
    assert refusal(publish(sandbox, gina, item)) == (100, None)


# Quota


def test_the_quota_is_told_and_a_carousel_counts_once(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    parent = accepted(carousel(sandbox, gina, items(sandbox, gina, pictures, 2)))["id"]
    sandbox.advance(1)
    accepted(publish(sandbox, gina, parent))

    path = f"{gina.instagram_id}/content_publishing_limit"
    answer = accepted(sandbox.call("GET", path, gina.access_token, fields="config,quota_usage"))

    assert answer["data"] == [{"quota_usage": 1, "config": {"quota_total": 100, "quota_duration": 86_400}}]


def test_over_the_quota_nothing_is_published(sandbox: Sandbox, pictures: str) -> None:
    page = sandbox.person(pages=1).page  # its quota is 50
    for _ in range(50):
        container = finished(sandbox, page, image_url=f"{pictures}/320x320.jpg")
        accepted(publish(sandbox, page, container))
    one_more = finished(sandbox, page, image_url=f"{pictures}/320x320.jpg")

    assert refusal(publish(sandbox, page, one_more)) == (9, 2207042)
    assert status(sandbox, page, one_more) == "FINISHED"
    assert len(sandbox.feed(page.instagram_id or "")) == 50


# Reading and rights


def test_what_was_published_can_be_found_again_by_time(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    began = time.time()
    for caption in ("First", "Second"):
        container = finished(sandbox, gina, image_url=f"{pictures}/1080x1080.jpg", caption=caption)
        accepted(publish(sandbox, gina, container))
        sandbox.advance(600)
    path = f"{gina.instagram_id}/media"

    both = accepted(sandbox.call("GET", path, gina.access_token, fields="caption", since=int(began - 120), limit=25))
    late = accepted(sandbox.call("GET", path, gina.access_token, fields="caption", since=int(began + 300)))

    assert [entry["caption"] for entry in both["data"]] == ["Second", "First"]
    assert [entry["caption"] for entry in late["data"]] == ["Second"]


def test_deleting_needs_its_permission(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    media = accepted(publish(sandbox, gina, finished(sandbox, gina, image_url=f"{pictures}/1080x1080.jpg")))["id"]
    poor = sandbox.person("gina", scopes=["pages_show_list", "instagram_basic", "instagram_content_publish"]).page

    assert refusal(sandbox.call("DELETE", media, poor.access_token)) == (10, None)
    assert accepted(sandbox.call("DELETE", media, gina.access_token)) == {"success": True}
    assert refusal(sandbox.call("DELETE", media, gina.access_token)) == (100, 33)


@pytest.mark.parametrize("missing", ["instagram_basic", "instagram_content_publish"])
def test_publishing_needs_its_permissions(sandbox: Sandbox, pictures: str, missing: str) -> None:
    scopes = ["pages_show_list", "instagram_basic", "instagram_content_publish", "pages_read_engagement"]
    page = sandbox.person("gina", scopes=[scope for scope in scopes if scope != missing]).page
    image = f"{pictures}/1080x1080.jpg"

    assert refusal(create(sandbox, page, image_url=image)) == (10, None)


def test_an_account_of_somebody_else_is_not_visible(sandbox: Sandbox, gina: GrantedPage) -> None:
    stranger = sandbox.person(pages=1).page

    assert refusal(sandbox.call("GET", gina.instagram_id or "", stranger.access_token)) == (100, 33)


def test_a_role_through_a_portfolio_needs_the_ads_permissions_too(sandbox: Sandbox) -> None:
    scopes = ["pages_show_list", "instagram_basic", "business_management"]
    poor = sandbox.person("alex", scopes=scopes)
    rich = sandbox.person("alex", scopes=[*scopes, "ads_read"])
    number = next(n for n, page in enumerate(poor.pages) if n >= 118 and page.instagram_id)

    without = sandbox.call("GET", poor.pages[number].instagram_id or "", poor.pages[number].access_token)
    with_ads = sandbox.call("GET", rich.pages[number].instagram_id or "", rich.pages[number].access_token)

    assert refusal(without) == (10, None)
    accepted(with_ads)


def test_data_access_ends_after_ninety_days(sandbox: Sandbox, gina: GrantedPage) -> None:
    sandbox.advance(91 * 86_400)

    assert refusal(sandbox.call("GET", gina.instagram_id or "", gina.access_token)) == (10, None)
    accepted(sandbox.call("GET", gina.id, gina.access_token))


def test_at_most_four_hundred_containers_are_made_in_a_day(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    for _ in range(400):
        accepted(create(sandbox, gina, image_url=f"{pictures}/32x32.jpg"))

    assert refusal(create(sandbox, gina, image_url=f"{pictures}/32x32.jpg")) == (9, 2207042)
    sandbox.advance(86_401)
    accepted(create(sandbox, gina, image_url=f"{pictures}/32x32.jpg"))
