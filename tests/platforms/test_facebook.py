from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from socialhub.platforms.base import (
    Absent,
    Content,
    Done,
    PostType,
    Published,
    StepKind,
    Unknowable,
)
from socialhub.platforms.errors import (
    LimitedError,
    NotFoundError,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.rules import WINDOWS
from tests.platforms.graph import BASE, EDGES, NAMES, declared, error, path_of, sent, top_fields

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SINCE = NOW - timedelta(seconds=40)
TEXT = Content(PostType.TEXT, "Hello  world")
LINK = Content(PostType.LINK, "Look", link="https://shop.example/camaro")

PAGE_POST_FIELDS = set(NAMES["fields"]["PagePost"]) | EDGES["PagePost"]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def staged(number):
    return {f"photo:{n}": str(5000 + n) for n in range(1, number + 1)} | {"staged_at": NOW.isoformat()}


# Plan


@pytest.mark.parametrize("content", [TEXT, LINK])
def test_without_images_there_is_only_the_commit(facebook, content):
    (step,) = facebook.plan(content)
    assert (step.key, step.kind, step.calls) == ("post", StepKind.COMMIT, {"publish": 1})


@pytest.mark.parametrize("number", [1, 3])
def test_each_image_is_staged_and_then_one_post_is_made(facebook, images, number):
    *photos, last = facebook.plan(images(number))
    assert [step.key for step in photos] == [f"photo:{n}" for n in range(1, number + 1)]
    assert {step.kind for step in photos} == {StepKind.PREPARE}
    assert last.kind is StepKind.COMMIT
    assert all(step.calls == {"publish": 1} for step in (*photos, last))
    assert set(last.calls) <= {window.group for window in WINDOWS["facebook"]}


# Staging


def test_a_photo_is_staged_unpublished(facebook, page, images, graph):
    graph.post(f"{BASE}/900/photos", json={"id": "5002"})
    content = images(2)
    done = facebook.perform(facebook.plan(content)[1], page, content, {"photo:1": "5001"})
    assert done == Done({"photo:2": "5002", "staged_at": NOW.isoformat()})
    call = graph.calls[0]
    fields = sent(call)
    assert fields["published"] == "false"
    assert fields["alt_text_custom"] == "View 2"
    assert b"JPEG bytes 2" in call.request.body
    assert b'name="source"; filename="photo-2.jpg"\r\nContent-Type: image/jpeg' in call.request.body
    assert set(fields) | {"source"} <= declared("Page", "POST", "photos") | {"source"}
    assert set(fields) <= declared("Page", "POST", "photos")


def test_the_time_of_the_first_photo_counts(facebook, page, images, graph):
    graph.post(f"{BASE}/900/photos", json={"id": "5002"})
    content = images(2)
    first = (NOW - timedelta(hours=2)).isoformat()
    done = facebook.perform(facebook.plan(content)[1], page, content, {"photo:1": "5001", "staged_at": first})
    assert done.handles["staged_at"] == first


def test_a_staged_photo_is_not_staged_again(facebook, page, images):
    content = images(1)
    assert facebook.perform(facebook.plan(content)[0], page, content, staged(1)) == Done()


def test_a_day_old_photos_are_forgotten(facebook, page, images):
    content = images(2)
    handles = staged(2) | {"staged_at": (NOW - timedelta(hours=23, minutes=1)).isoformat()}
    for attempt in (
        lambda: facebook.perform(facebook.plan(content)[1], page, content, handles),
        lambda: facebook.commit(page, content, handles),
    ):
        with pytest.raises(TemporaryError) as caught:
            attempt()
        assert all(name.startswith(caught.value.forget) for name in handles)


def test_a_photo_without_an_id_is_tried_again(facebook, page, images, graph):
    graph.post(f"{BASE}/900/photos", json={"success": True})
    content = images(1)
    with pytest.raises(TemporaryError):
        facebook.perform(facebook.plan(content)[0], page, content, {})


@pytest.mark.parametrize(
    ("code", "subcode", "status", "wanted"),
    [(324, 1366046, 400, RejectedError), (2, None, 500, TemporaryError), (190, 460, 400, ReconnectError)],
)
def test_staging_errors(facebook, page, images, graph, code, subcode, status, wanted):
    graph.post(f"{BASE}/900/photos", json=error(code, subcode), status=status)
    content = images(1)
    with pytest.raises(wanted):
        facebook.perform(facebook.plan(content)[0], page, content, {})


# Commit


def test_a_text_is_posted(facebook, page, graph):
    answer = {"id": "900_1", "permalink_url": "https://www.facebook.com/x"}
    graph.post(f"{BASE}/900/feed", json=answer, headers={"x-fb-trace-id": "A1b2"})
    assert facebook.commit(page, TEXT, {}) == Published("900_1", "https://www.facebook.com/x", "A1b2")
    fields = sent(graph.calls[0])
    assert (fields["message"], fields["fields"]) == ("Hello  world", "id,permalink_url")
    assert set(fields) <= declared("Page", "POST", "feed")
    assert not {"link", "attached_media"} & set(fields)


def test_a_link_is_posted(facebook, page, graph):
    graph.post(f"{BASE}/900/feed", json={"id": "900_1"})
    assert facebook.commit(page, LINK, {}) == Published("900_1", "")
    assert sent(graph.calls[0])["link"] == "https://shop.example/camaro"
    assert set(sent(graph.calls[0])) <= declared("Page", "POST", "feed")


def test_a_link_needs_no_text(facebook, page, graph):
    graph.post(f"{BASE}/900/feed", json={"id": "900_1"})
    facebook.commit(page, Content(PostType.LINK, "", link="https://shop.example/"), {})
    assert "message" not in sent(graph.calls[0])


def test_staged_photos_are_attached_in_order(facebook, page, images, graph):
    graph.post(f"{BASE}/900/feed", json={"id": "900_1"})
    facebook.commit(page, images(3), dict(reversed(staged(3).items())))
    fields = sent(graph.calls[0])
    assert json.loads(fields["attached_media"]) == [
        {"media_fbid": "5001"},
        {"media_fbid": "5002"},
        {"media_fbid": "5003"},
    ]
    assert set(fields) <= declared("Page", "POST", "feed")


def test_beside_photos_the_link_goes_into_the_text(facebook, page, images, graph):
    graph.post(f"{BASE}/900/feed", json={"id": "900_1"})
    facebook.commit(page, images(1, link="https://shop.example/"), staged(1))
    fields = sent(graph.calls[0])
    assert fields["message"] == "1969 Camaro\n\nhttps://shop.example/"
    assert "link" not in fields


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ({"json": {}}, OutcomeUnknownError),
        ({"json": error(2), "status": 500}, OutcomeUnknownError),
        ({"json": error(506), "status": 400}, OutcomeUnknownError),
        ({"json": error(368, 1404082), "status": 400}, OutcomeUnknownError),
        ({"json": error(100, 1366051), "status": 400}, OutcomeUnknownError),
        ({"body": "<html>", "status": 503}, OutcomeUnknownError),
        ({"json": error(100), "status": 400}, RejectedError),
        ({"json": error(368, 1390008), "status": 400}, LimitedError),
        ({"json": error(190, 463), "status": 400}, ReconnectError),
    ],
)
def test_answers_to_the_commit(facebook, page, graph, answer, wanted):
    graph.post(f"{BASE}/900/feed", **answer)
    with pytest.raises(wanted):
        facebook.commit(page, TEXT, {})
    assert len(graph.calls) == 1


# Look


def post(post_id="900_1", message="Hello world", **more):
    return {
        "id": post_id,
        "message": message,
        "created_time": "2026-11-20T11:59:30+0000",
        "permalink_url": f"https://www.facebook.com/{post_id}",
        "is_published": True,
        **more,
    }


def attached(*ids):
    inner = [{"media_type": "photo", "target": {"id": photo}} for photo in ids]
    if len(ids) == 1:
        return {"data": inner}
    return {"data": [{"media_type": "album", "target": {"id": "77"}, "subattachments": {"data": inner}}]}


def shared(url):
    return {"data": [{"media_type": "link", "target": {"url": url}}]}


@pytest.fixture
def look(facebook, page, graph):
    def make(content, posts, handles=None, claimed=()):
        graph.get(f"{BASE}/900/published_posts", json={"data": posts})
        return facebook.look(page, content, handles or {}, since=SINCE, claimed=claimed)

    return make


def test_a_look_reads_what_was_published_since(look, graph):
    look(TEXT, [])
    fields = sent(graph.calls[0])
    assert int(fields["since"]) == int(SINCE.timestamp()) - 120
    assert set(fields) <= declared("Page", "GET", "published_posts")
    assert top_fields(fields["fields"]) <= PAGE_POST_FIELDS


def test_a_text_is_found_by_its_words(look):
    found = look(TEXT, [post("900_2", "Another"), post()])
    assert found == Published(
        "900_1", "https://www.facebook.com/900_1", published_at=datetime(2026, 11, 20, 11, 59, 30, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"message": "Hello worlds"},
        {"message": None},
        {"created_time": "2026-11-20T11:40:00+0000"},
        {"application": {"id": "4321", "name": "Another app"}},
        {"id": "900_claimed"},
    ],
)
def test_what_is_not_ours_is_not_found(look, changes):
    found = look(TEXT, [post(**changes) if "id" not in changes else post("900_claimed")], claimed={"900_claimed"})
    assert isinstance(found, Absent)
    assert found.evidence


def test_our_own_app_may_be_named(look):
    assert isinstance(look(TEXT, [post(application={"id": "1234"})]), Published)


def test_several_are_for_a_person_to_decide(look):
    found = look(TEXT, [post(), post("900_2")])
    assert isinstance(found, Unknowable)
    assert "https://www.facebook.com/900_2" in found.evidence


def test_of_several_the_claimed_ones_do_not_count(look):
    assert look(TEXT, [post(), post("900_2")], claimed={"900_1"}).platform_post_id == "900_2"


def test_photos_are_found_by_their_ids_whatever_the_words(look, images):
    posts = [
        post("900_3", "1969 Camaro", attachments=attached("1", "2")),
        post("900_4", "edited", attachments=attached("5001", "5002")),
    ]
    assert look(images(2), posts, staged(2)).platform_post_id == "900_4"


def test_a_single_photo_is_found_by_its_id(look, images):
    assert look(images(1), [post("900_4", "x", attachments=attached("5001"))], staged(1)).platform_post_id == "900_4"


def test_the_same_words_with_other_photos_are_not_ours(look, images):
    assert isinstance(look(images(1), [post(message="1969 Camaro", attachments=attached("1"))], staged(1)), Absent)


def test_where_photos_cannot_be_seen_the_words_tell(look, images):
    assert isinstance(look(images(1), [post(message="1969 Camaro")], staged(1)), Published)


@pytest.mark.parametrize(
    ("attachments", "ours"),
    [
        (shared("https://shop.example/camaro/"), True),
        (shared("https://l.facebook.com/l.php?u=https%3A%2F%2Fshop.example%2Fcamaro&h=AT0"), True),
        (shared("https://shop.example/mustang"), False),
        (None, True),
    ],
)
def test_links_are_compared_where_they_can_be_seen(look, attachments, ours):
    more = {"attachments": attachments} if attachments else {}
    assert isinstance(look(LINK, [post(message="Look", **more)]), Published) is ours


def test_a_bare_link_is_not_found_by_nothing(look):
    bare = Content(PostType.LINK, "", link="https://shop.example/camaro")
    assert isinstance(look(bare, [post(message="")]), Absent)


def test_a_bare_link_is_found_by_its_address(look):
    bare = Content(PostType.LINK, "", link="https://shop.example/camaro")
    assert isinstance(look(bare, [post(message=None, attachments=shared("https://shop.example/camaro"))]), Published)


def test_all_pages_of_the_time_are_read(facebook, page, graph):
    onward = {"cursors": {"after": "A"}, "next": "https://graph.facebook.com/x"}
    graph.get(f"{BASE}/900/published_posts", json={"data": [post("900_9", "Other")], "paging": onward})
    graph.get(f"{BASE}/900/published_posts", json={"data": [post()]})
    assert isinstance(facebook.look(page, TEXT, {}, since=SINCE, claimed=()), Published)


def test_a_list_without_end_proves_nothing(facebook, page, graph):
    onward = {"cursors": {"after": "A"}, "next": "https://graph.facebook.com/x"}
    graph.get(f"{BASE}/900/published_posts", json={"data": [post("900_9", "Other")] * 50, "paging": onward})
    assert isinstance(facebook.look(page, TEXT, {}, since=SINCE, claimed=()), Unknowable)


def test_a_look_that_fails_is_an_error_and_not_absence(facebook, page, graph):
    graph.get(f"{BASE}/900/published_posts", json=error(2), status=500)
    with pytest.raises(TemporaryError):
        facebook.look(page, TEXT, {}, since=SINCE, claimed=())


# Reading


def test_the_permalink(facebook, page, graph):
    graph.get(f"{BASE}/900_1", json={"id": "900_1", "permalink_url": "https://www.facebook.com/p/1"})
    assert facebook.permalink(page, "900_1") == "https://www.facebook.com/p/1"


def test_a_permalink_that_is_not_told(facebook, page, graph):
    graph.get(f"{BASE}/900_1", json={"id": "900_1"})
    assert facebook.permalink(page, "900_1") == "https://www.facebook.com/900_1"


def test_the_profile(facebook, page, graph):
    graph.get(
        f"{BASE}/900",
        json={"name": "Garage", "picture": {"data": {"url": "https://cdn.example/p.jpg"}}, "followers_count": 7},
    )
    profile = facebook.profile(page)
    assert (profile.name, profile.picture_url, profile.followers_count) == ("Garage", "https://cdn.example/p.jpg", 7)
    assert profile.likes_count is None
    assert top_fields(sent(graph.calls[0])["fields"]) <= set(NAMES["fields"]["Page"]) | EDGES["Page"]


def test_no_posts_no_calls(facebook, page):
    assert facebook.post_figures(page, {}) == []


def test_recent_posts_newest_first(facebook, page, graph):
    old, new = "2026-11-18T10:00:00+0000", "2026-11-19T10:00:00+0000"
    graph.get(
        f"{BASE}/900/published_posts",
        json={
            "data": [
                post("900_1", created_time=old, full_picture="https://cdn.example/1.jpg", attachments=attached("1")),
                post("900_2", created_time=new),
                {"id": "900_3"},
                post("900_4", created_time="2026-01-01T00:00:00+0000"),
            ]
        },
    )
    second, first = facebook.recent_posts(page, since=NOW - timedelta(days=7))
    assert (second.platform_post_id, second.media_type, second.text) == ("900_2", "text", "Hello world")
    assert (first.media_type, first.thumbnail_url) == ("photo", "https://cdn.example/1.jpg")
    assert first.posted_at == datetime(2026, 11, 18, 10, tzinfo=UTC)
    fields = sent(graph.calls[0])
    assert set(fields) <= declared("Page", "GET", "published_posts")
    assert top_fields(fields["fields"]) <= PAGE_POST_FIELDS


def test_a_post_that_is_gone_has_no_permalink(facebook, page, graph):
    graph.get(f"{BASE}/900_1", json=error(100, 33), status=400)
    with pytest.raises(NotFoundError):
        facebook.permalink(page, "900_1")
    assert path_of(graph.calls[0]) == "900_1"
