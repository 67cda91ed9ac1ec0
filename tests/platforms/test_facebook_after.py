"""What is done with a post of a Page once it is out."""

from __future__ import annotations

from typing import Any

import pytest

from socialhub.platforms.base import Content, PostType, Seen, Unknowable
from socialhub.platforms.errors import LimitedError, OutcomeUnknownError, PermissionMissingError
from tests.platforms.graph import BASE, EDGES, NAMES, declared, error, part, sent, top_fields
from tests.platforms.test_facebook_videos import film

TEXT = Content(PostType.TEXT, "Hello")


def attachment(kind: str, target: str, **more: Any) -> dict[str, Any]:
    return {"media_type": kind, "target": {"id": target}, **more}


def album(number: int) -> dict[str, Any]:
    inside = [attachment("photo", str(n)) for n in range(number)]
    return {"data": [attachment("album", "900_1", subattachments={"data": inside})]}


# Is it there?


@pytest.mark.parametrize(
    ("attachments", "media"),
    [
        (None, 0),
        ({"data": [attachment("photo", "1")]}, 1),
        (album(3), 3),
        ({"data": [{"media_type": "link", "target": {"url": "https://x.example"}}]}, 0),
        ({"data": [attachment("video", "7")]}, 1),
        ({"data": [attachment("album", "900_1")]}, None),
    ],
)
def test_a_post_shows_so_many_images(facebook, page, graph, attachments, media):
    node = {"id": "900_1", "is_published": True, "permalink_url": "https://www.facebook.com/p/1"}
    graph.get(f"{BASE}/900_1", json=node | ({"attachments": attachments} if attachments else {}))
    assert facebook.seen(page, "900_1", TEXT) == Seen(True, media, "https://www.facebook.com/p/1")
    assert top_fields(sent(graph.calls[0])["fields"]) <= set(NAMES["fields"]["PagePost"]) | EDGES["PagePost"]


def test_a_reel_need_not_show_its_film_in_the_feed(facebook, page, graph):
    graph.get(f"{BASE}/900_1", json={"id": "900_1", "is_published": True, "permalink_url": "/reel/7/"})
    assert facebook.seen(page, "900_1", film()) == Seen(True, None, "https://www.facebook.com/reel/7/")


def test_a_video_that_named_no_post_is_read_itself(facebook, page, graph):
    graph.get(f"{BASE}/700", json={"id": "700", "published": True, "permalink_url": "/reel/700/"})
    assert facebook.seen(page, "700", film()) == Seen(True, 1, "https://www.facebook.com/reel/700/")
    assert top_fields(sent(graph.calls[0])["fields"]) <= set(NAMES["fields"]["AdVideo"])


def test_a_deleted_post_is_gone(facebook, page, graph):
    graph.get(f"{BASE}/900_1", json=error(100, 33), status=400)
    assert facebook.seen(page, "900_1", TEXT).exists is False


@pytest.mark.parametrize(("post", "field"), [("900_1", "is_published"), ("700", "published")])
def test_what_nobody_sees_is_gone(facebook, page, graph, post, field):
    graph.get(f"{BASE}/{post}", json={"id": post, field: False})
    assert facebook.seen(page, post, film()).exists is False


def test_a_post_that_must_not_be_read_says_nothing(facebook, page, graph):
    graph.get(f"{BASE}/900_1", json=error(10), status=403)
    assert facebook.seen(page, "900_1", TEXT).exists is None


def test_a_limit_is_no_answer(facebook, page, graph):
    graph.get(f"{BASE}/900_1", json=error(80001), status=400)
    with pytest.raises(LimitedError):
        facebook.seen(page, "900_1", TEXT)


def test_a_story_is_looked_for_in_the_list(facebook, page, graph):
    graph.get(f"{BASE}/900/stories", json={"data": [{"post_id": "76"}, {"post_id": "77", "url": "https://x/77"}]})
    assert facebook.seen(page, "77", film(PostType.STORY)) == Seen(True, 1, "https://x/77")
    assert "since" not in sent(graph.calls[0])


def test_a_story_that_is_over_is_not_called_gone(facebook, page, graph):
    graph.get(f"{BASE}/900/stories", json={"data": []})
    assert facebook.seen(page, "77", film(PostType.STORY)).exists is None


# Comments


def test_a_comment_asks_for_no_fields(facebook, page, graph):
    graph.post(f"{BASE}/900_1/comments", json={"id": "1_2"})
    assert facebook.comment(page, "900_1", "More in our shop") == "1_2"
    assert set(sent(graph.calls[0])) == {"message", "appsecret_proof"}
    assert "message" in declared("PagePost", "POST", "comments")


@pytest.mark.parametrize(("answer", "http"), [({"success": True}, 200), (error(1), 500), (error(20, 1772107), 400)])
def test_a_comment_without_an_id_may_be_written(facebook, page, graph, answer, http):
    graph.post(f"{BASE}/900_1/comments", json=answer, status=http)
    with pytest.raises(OutcomeUnknownError):
        facebook.comment(page, "900_1", "More")


@pytest.mark.parametrize("code", [10, 200, 283])
def test_a_missing_permission_is_named(facebook, page, graph, code):
    graph.post(f"{BASE}/900_1/comments", json=error(code, message="(#200) Permissions error"), status=403)
    with pytest.raises(PermissionMissingError) as caught:
        facebook.comment(page, "900_1", "More")
    assert caught.value.scopes == ("pages_manage_engagement",)
    assert "pages_manage_engagement" in caught.value.message
    assert caught.value.platform_message == "(#200) Permissions error"


def written(number: str, author: str | None, text: str) -> dict[str, Any]:
    return {"id": number, "message": text} | ({"from": {"id": author}} if author else {})


def test_our_comment_is_found_among_others(facebook, page, graph):
    rows = [written("1", None, "More"), written("2", "55", "More"), written("3", "900", "Other")]
    graph.get(f"{BASE}/900_1/comments", json={"data": [*rows, written("4", "900", "More \n")]})
    assert facebook.find_comment(page, "900_1", "More") == "4"
    fields = sent(graph.calls[0])
    assert (fields["filter"], fields["order"]) == ("toplevel", "reverse_chronological")
    assert set(fields) <= declared("PagePost", "GET", "comments")
    assert set(fields["fields"].split(",")) <= set(NAMES["fields"]["Comment"])


def test_a_comment_that_is_not_there(facebook, page, graph):
    graph.get(f"{BASE}/900_1/comments", json={"data": [written("1", "55", "More")]})
    assert facebook.find_comment(page, "900_1", "More") == ""


def test_comments_that_must_not_be_read_leave_it_open(facebook, page, graph):
    graph.get(f"{BASE}/900_1/comments", json=error(10), status=403)
    assert isinstance(facebook.find_comment(page, "900_1", "More"), Unknowable)


def test_endless_comments_leave_it_open(facebook, page, graph):
    more = {"cursors": {"after": "x"}, "next": "https://graph.facebook.com/v26.0/900_1/comments?after=x"}
    graph.get(f"{BASE}/900_1/comments", json={"data": [], "paging": more})
    assert isinstance(facebook.find_comment(page, "900_1", "More"), Unknowable)


# Figures


def test_stories_have_no_figures(facebook, page, graph):
    graph.post(f"{BASE}/", json=[part(error(100, None, "Tried accessing nonexisting field (video_insights)"), 400)])
    graph.post(f"{BASE}/", json=[part({"id": "77"})])
    graph.post(f"{BASE}/", json=[part(error(100, None, "nonexisting field"), 400)])
    (figures,) = facebook.post_figures(page, {"77": ""})
    assert (figures.views, figures.likes) == (None, None)
    assert "no figures" in figures.withheld


# What a failed post leaves behind


def test_staged_photos_of_a_failed_post_are_deleted(facebook, page, graph):
    graph.get(f"{BASE}/5001", json={"id": "5001"})
    graph.delete(f"{BASE}/5001", json={"success": True})
    facebook.discard(page, {"photo:1": "5001", "staged_at": "2026-11-20T12:00:00+00:00"})
    assert set(sent(graph.calls[0])["fields"].split(",")) <= set(NAMES["fields"]["Photo"])


def test_a_photo_that_a_post_shows_stays(facebook, page, graph):
    graph.get(f"{BASE}/5001", json={"id": "5001", "page_story_id": "900_1"})
    facebook.discard(page, {"photo:1": "5001"})
