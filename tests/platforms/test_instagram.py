from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from socialhub.platforms.base import Absent, Done, NotYet, PostType, Published, StepKind, Unknowable
from socialhub.platforms.errors import (
    AccountBlockedError,
    LimitedError,
    NotFoundError,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.instagram import POLL_SECONDS
from socialhub.platforms.rules import WINDOWS
from tests.platforms.graph import BASE, NAMES, declared, error, sent, top_fields

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SINCE = NOW - timedelta(seconds=40)
IG_MEDIA_FIELDS = set(NAMES["fields"]["IGMedia"])


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def single(images):
    return images(1)


@pytest.fixture
def carousel(images):
    return images(3, PostType.CAROUSEL)


def step_of(instagram, content, key):
    return next(step for step in instagram.plan(content) if step.key == key)


def container(graph, container_id, code, text=""):
    answer = {"id": container_id, "status_code": code, **({"status": text} if text else {})}
    graph.get(f"{BASE}/{container_id}", json={name: value for name, value in answer.items() if value is not None})


# Plan


def test_the_plan_of_a_single_image(instagram, single):
    steps = instagram.plan(single)
    assert [(step.key, step.kind) for step in steps] == [
        ("container", StepKind.PREPARE),
        ("ready", StepKind.WAIT),
        ("publish", StepKind.COMMIT),
    ]


def test_the_plan_of_a_carousel(instagram, carousel):
    steps = instagram.plan(carousel)
    assert [(step.key, step.kind) for step in steps] == [
        ("item:1", StepKind.PREPARE),
        ("item:2", StepKind.PREPARE),
        ("item:3", StepKind.PREPARE),
        ("items-ready", StepKind.WAIT),
        ("container", StepKind.PREPARE),
        ("ready", StepKind.WAIT),
        ("publish", StepKind.COMMIT),
    ]


def test_eight_images_use_ten_calls_of_the_hour(instagram, images):
    steps = instagram.plan(images(8, PostType.CAROUSEL))
    used = {group: sum(step.calls.get(group, 0) for step in steps) for group in ("publish", "containers", "posts")}
    assert used == {"publish": 10, "containers": 9, "posts": 1}
    assert set(used) == {window.group for window in WINDOWS["instagram"]}
    assert not any(step.calls for step in steps if step.kind is StepKind.WAIT)


# Containers


def test_a_container_of_a_single_image(instagram, ig, single, graph):
    graph.post(f"{BASE}/17800/media", json={"id": "c1"})
    done = instagram.perform(step_of(instagram, single, "container"), ig, single, {})
    assert done == Done({"container": "c1", "container:at": NOW.isoformat()})
    fields = sent(graph.calls[0])
    assert fields["image_url"] == "https://media.example/m/signature1/image-1.jpg"
    assert (fields["caption"], fields["alt_text"]) == ("1969 Camaro", "View 1")
    assert "media_type" not in fields
    assert set(fields) <= declared("IGUser", "POST", "media")


def test_a_child_has_no_caption(instagram, ig, carousel, graph):
    graph.post(f"{BASE}/17800/media", json={"id": "i2"})
    done = instagram.perform(step_of(instagram, carousel, "item:2"), ig, carousel, {})
    assert done.handles["item:2"] == "i2"
    fields = sent(graph.calls[0])
    assert (fields["is_carousel_item"], fields["image_url"][-11:], fields["alt_text"]) == (
        "true",
        "image-2.jpg",
        "View 2",
    )
    assert not {"caption", "media_type"} & set(fields)
    assert set(fields) <= declared("IGUser", "POST", "media")


def test_the_parent_names_its_children_in_order(instagram, ig, carousel, graph):
    graph.post(f"{BASE}/17800/media", json={"id": "c1"})
    handles = {"item:3": "i3", "item:1": "i1", "item:2": "i2"}
    done = instagram.perform(step_of(instagram, carousel, "container"), ig, carousel, handles)
    assert done.handles["container"] == "c1"
    fields = sent(graph.calls[0])
    assert (fields["media_type"], fields["children"], fields["caption"]) == ("CAROUSEL", "i1,i2,i3", "1969 Camaro")
    assert "image_url" not in fields
    assert set(fields) <= declared("IGUser", "POST", "media")


@pytest.mark.parametrize("key", ["item:1", "container"])
def test_what_exists_is_not_created_again(instagram, ig, carousel, key):
    assert instagram.perform(step_of(instagram, carousel, key), ig, carousel, {key: "there"}) == Done()


@pytest.mark.parametrize(
    ("code", "subcode", "wanted"),
    [
        (36003, 2207009, RejectedError),
        (9004, 2207052, TemporaryError),
        (-1, 2207001, TemporaryError),
        (25, 2207050, AccountBlockedError),
        (9, 2207042, LimitedError),
        (190, 463, ReconnectError),
    ],
)
def test_errors_of_creation(instagram, ig, single, graph, code, subcode, wanted):
    graph.post(f"{BASE}/17800/media", json=error(code, subcode), status=400)
    with pytest.raises(wanted):
        instagram.perform(step_of(instagram, single, "container"), ig, single, {})


def test_no_signed_address_in_errors(instagram, ig, single, graph, caplog):
    words = f"Could not fetch {single.media[0].url}"
    graph.post(f"{BASE}/17800/media", json=error(9004, 2207052, words), status=400)
    with pytest.raises(TemporaryError) as caught:
        instagram.perform(step_of(instagram, single, "container"), ig, single, {})
    assert "signature" not in f"{vars(caught.value)} {caught.value} {caplog.text}"


def test_an_expired_child_makes_the_carousel_start_anew(instagram, ig, carousel, graph):
    graph.post(f"{BASE}/17800/media", json=error(-2, 2207020), status=400)
    handles = {"item:1": "i1", "item:2": "i2", "item:3": "i3"}
    with pytest.raises(TemporaryError) as caught:
        instagram.perform(step_of(instagram, carousel, "container"), ig, carousel, handles)
    assert all(name.startswith(caught.value.forget) for name in (*handles, "items-ready"))


# Waiting


def wait(instagram, ig, content, handles, key="ready"):
    return instagram.perform(step_of(instagram, content, key), ig, content, handles)


def test_a_finished_container_is_ready(instagram, ig, single, graph):
    container(graph, "c1", "FINISHED")
    assert isinstance(wait(instagram, ig, single, {"container": "c1"}), Done)
    assert sent(graph.calls[0])["fields"] == "id,status_code,status"


def test_polls_grow_rarer(instagram, ig, single, graph, clock):
    container(graph, "c1", "IN_PROGRESS")
    handles, waits = {"container": "c1"}, []
    for _number in range(7):
        answer = wait(instagram, ig, single, handles)
        assert isinstance(answer, NotYet)
        waits.append(answer.seconds)
        handles |= answer.handles
        clock.shift(answer.seconds)
    assert waits == [2.5, 5, 10, 30, 60, 60, 60]
    assert waits[:5] == list(POLL_SECONDS)


def test_a_container_that_says_nothing_is_asked_again(instagram, ig, single, graph):
    container(graph, "c1", None)
    assert isinstance(wait(instagram, ig, single, {"container": "c1"}), NotYet)


def test_after_twenty_minutes_a_new_container_is_made(instagram, ig, single, graph, clock):
    container(graph, "c1", "IN_PROGRESS")
    handles = {"container": "c1", "container:at": NOW.isoformat()}
    handles |= wait(instagram, ig, single, handles).handles
    clock.shift(timedelta(minutes=20, seconds=1))
    with pytest.raises(TemporaryError) as caught:
        wait(instagram, ig, single, handles)
    assert all(name.startswith(caught.value.forget) for name in (*handles, "ready"))


def test_only_children_that_are_not_ready_are_asked_again(instagram, ig, carousel, graph):
    handles = {"item:1": "i1", "item:2": "i2", "item:3": "i3"}
    container(graph, "i1", "FINISHED")
    container(graph, "i2", "IN_PROGRESS")
    first = wait(instagram, ig, carousel, handles, "items-ready")
    assert isinstance(first, NotYet)
    graph.reset()
    container(graph, "i2", "FINISHED")
    container(graph, "i3", "FINISHED")
    assert isinstance(wait(instagram, ig, carousel, handles | first.handles, "items-ready"), Done)


@pytest.mark.parametrize(
    ("code", "text", "wanted"),
    [
        ("ERROR", "Error: Media upload has failed with error code 2207026", RejectedError),
        ("ERROR", "Error: 2207052", TemporaryError),
        ("ERROR", "Error: 2207053 unknown upload error", TemporaryError),
        ("ERROR", "Error: 2207999 nobody knows", TemporaryError),
        ("ERROR", "", TemporaryError),
        ("EXPIRED", "Expired", TemporaryError),
    ],
)
def test_a_failed_container_is_classified_and_forgotten(instagram, ig, single, graph, code, text, wanted):
    container(graph, "c1", code, text)
    with pytest.raises(wanted) as caught:
        wait(instagram, ig, single, {"container": "c1"})
    assert {name for name in ("container", "container:at", "ready") if name.startswith(caught.value.forget)} == {
        "container",
        "container:at",
        "ready",
    }


def test_a_failed_child_keeps_the_others(instagram, ig, carousel, graph):
    container(graph, "i1", "FINISHED")
    container(graph, "i2", "ERROR", "2207053")
    with pytest.raises(TemporaryError) as caught:
        wait(instagram, ig, carousel, {"item:1": "i1", "item:2": "i2", "item:3": "i3"}, "items-ready")
    names = ["item:1", "item:2", "item:2:at", "item:3", "items-ready", "items-ready:ready"]
    assert [name for name in names if name.startswith(caught.value.forget)] == [
        "item:2",
        "item:2:at",
        "items-ready",
        "items-ready:ready",
    ]


def test_a_container_that_is_gone_is_made_again(instagram, ig, single, graph):
    graph.get(f"{BASE}/c1", json=error(100, 33), status=400)
    with pytest.raises(TemporaryError) as caught:
        wait(instagram, ig, single, {"container": "c1"})
    assert "container" in caught.value.forget


def test_what_was_published_meanwhile_is_never_published_again(instagram, ig, single, graph):
    container(graph, "c1", "PUBLISHED")
    handles = {"container": "c1"}
    done = wait(instagram, ig, single, handles)
    assert isinstance(done, Done)
    graph.reset()
    with pytest.raises(OutcomeUnknownError):
        instagram.commit(ig, single, handles | done.handles)
    assert len(graph.calls) == 0


# Commit


def test_the_container_is_published(instagram, ig, single, graph):
    graph.post(f"{BASE}/17800/media_publish", json={"id": "m1"}, headers={"x-fb-trace-id": "A1b2"})
    assert instagram.commit(ig, single, {"container": "c1"}) == Published("m1", request_id="A1b2")
    fields = sent(graph.calls[0])
    assert fields["creation_id"] == "c1"
    assert set(fields) <= declared("IGUser", "POST", "media_publish")
    assert set(NAMES["required"]["IGUser POST media_publish"]) <= set(fields)
    assert "fields" not in fields


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ({"json": {}}, OutcomeUnknownError),
        ({"json": error(-1, 2207001), "status": 400}, OutcomeUnknownError),
        ({"json": error(-1, 2207032), "status": 400}, OutcomeUnknownError),
        ({"json": error(4, 2207051), "status": 400}, OutcomeUnknownError),
        ({"json": error(-1, 2207085), "status": 400}, OutcomeUnknownError),
        ({"json": error(2), "status": 500}, OutcomeUnknownError),
        ({"body": "<html>", "status": 502}, OutcomeUnknownError),
        ({"json": error(9, 2207042), "status": 400}, LimitedError),
        ({"json": error(25, 2207050), "status": 400}, AccountBlockedError),
        ({"json": error(190, 463), "status": 400}, ReconnectError),
    ],
)
def test_answers_to_the_commit(instagram, ig, single, graph, answer, wanted):
    graph.post(f"{BASE}/17800/media_publish", **answer)
    with pytest.raises(wanted):
        instagram.commit(ig, single, {"container": "c1"})
    assert len(graph.calls) == 1


def test_not_ready_goes_back_to_waiting(instagram, ig, single, graph):
    graph.post(f"{BASE}/17800/media_publish", json=error(9007, 2207027), status=400)
    with pytest.raises(TemporaryError) as caught:
        instagram.commit(ig, single, {"container": "c1"})
    assert caught.value.forget == ("ready",)


def test_an_expired_container_is_made_again(instagram, ig, single, graph):
    graph.post(f"{BASE}/17800/media_publish", json=error(-2, 2207020), status=400)
    with pytest.raises(TemporaryError) as caught:
        instagram.commit(ig, single, {"container": "c1"})
    assert "container" in caught.value.forget


@pytest.mark.parametrize(
    ("state", "wanted", "forgets"),
    [
        ("PUBLISHED", OutcomeUnknownError, False),
        ("FINISHED", TemporaryError, False),
        ("EXPIRED", TemporaryError, True),
        (None, OutcomeUnknownError, False),
    ],
)
def test_a_container_that_is_not_found_is_asked_itself(instagram, ig, single, graph, state, wanted, forgets):
    graph.post(f"{BASE}/17800/media_publish", json=error(24, 2207008), status=400)
    container(graph, "c1", state)
    with pytest.raises(wanted) as caught:
        instagram.commit(ig, single, {"container": "c1"})
    assert ("container" in caught.value.forget) is forgets
    assert caught.value.subcode == "2207008"


def test_a_missing_container_whose_state_cannot_be_read_stays_open(instagram, ig, single, graph):
    graph.post(f"{BASE}/17800/media_publish", json=error(24, 2207008), status=400)
    graph.get(f"{BASE}/c1", json=error(2), status=500)
    with pytest.raises(OutcomeUnknownError):
        instagram.commit(ig, single, {"container": "c1"})


# Look


def media(media_id="m1", caption="1969 Camaro", **more):
    return {
        "id": media_id,
        "caption": caption,
        "timestamp": "2026-11-20T11:59:30+0000",
        "permalink": f"https://www.instagram.com/p/{media_id}/",
        "media_type": "IMAGE",
        "media_product_type": "FEED",
        **more,
    }


@pytest.fixture
def look(instagram, ig, graph, single):
    def make(state, entries, content=None, claimed=(), since=SINCE, handles=None):
        if state == "gone":
            graph.get(f"{BASE}/c1", json=error(100, 33), status=400)
        else:
            container(graph, "c1", state)
        graph.get(f"{BASE}/17800/media", json={"data": entries})
        return instagram.look(
            ig, content or single, {"container": "c1", **(handles or {})}, since=since, claimed=claimed
        )

    return make


def test_a_look_reads_the_container_and_the_time_around(look, graph):
    look("FINISHED", [])
    fields = sent(graph.calls[1])
    assert int(fields["since"]) == int(SINCE.timestamp()) - 120
    assert int(fields["until"]) >= int(NOW.timestamp())
    assert set(fields) <= declared("IGUser", "GET", "media")
    assert top_fields(fields["fields"]) <= IG_MEDIA_FIELDS


@pytest.mark.parametrize("state", ["PUBLISHED", "FINISHED", "gone"])
def test_the_media_is_found(look, state):
    assert look(state, [media("m0", "Another"), media()]) == Published(
        "m1", "https://www.instagram.com/p/m1/", published_at=datetime(2026, 11, 20, 11, 59, 30, tzinfo=UTC)
    )


@pytest.mark.parametrize("state", ["FINISHED", "EXPIRED", "gone"])
def test_absent_with_what_the_container_says(look, state):
    found = look(state, [media("m0", "Another")])
    assert isinstance(found, Absent)
    assert ("EXPIRED" if state == "gone" else state) in found.evidence
    assert not found.forget, "the same container is the surest guard against a second post"


def test_a_container_that_failed_is_not_used_again(look):
    assert look("ERROR", []).forget == ("item", "container", "ready")


@pytest.mark.parametrize(
    "entry",
    [
        media(caption=None),
        media(media_type="CAROUSEL_ALBUM"),
        media(media_product_type="REELS"),
        media(timestamp="2026-11-20T11:30:00+0000"),
        media("claimed"),
    ],
)
def test_what_is_not_ours_is_not_found(look, entry):
    assert isinstance(look("FINISHED", [entry], claimed={"claimed"}), Absent)


def test_a_carousel_is_found_as_one(look, carousel):
    entry = media(media_type="CAROUSEL_ALBUM")
    assert isinstance(look("PUBLISHED", [entry, media("m2")], carousel), Published)


def test_several_are_for_a_person_to_decide(look):
    found = look("PUBLISHED", [media(), media("m2")])
    assert isinstance(found, Unknowable)
    assert "https://www.instagram.com/p/m2/" in found.evidence


def test_of_several_the_claimed_ones_do_not_count(look):
    assert look("PUBLISHED", [media(), media("m2")], claimed={"m1"}).platform_post_id == "m2"


def test_published_but_not_listed_yet_is_never_absent(look):
    with pytest.raises(TemporaryError):
        look("PUBLISHED", [])


def test_published_but_never_listed_is_for_a_person(look, instagram):
    since = NOW - timedelta(seconds=instagram.absent_after_seconds + 1)
    assert isinstance(look("PUBLISHED", [], since=since), Unknowable)


def test_what_was_published_before_this_attempt_is_found(look):
    early = media(timestamp="2026-11-20T11:10:00+0000")
    handles = {"container:at": "2026-11-20T11:09:00+00:00", "already_published": True}
    assert isinstance(look("PUBLISHED", [early], handles=handles), Published)


# Reading


def test_the_quota(instagram, ig, graph):
    graph.get(
        f"{BASE}/17800/content_publishing_limit",
        json={"data": [{"quota_usage": 3, "config": {"quota_total": 100, "quota_duration": 86400}}]},
    )
    limit = instagram.publishing_limit(ig)
    assert (limit.used, limit.total, limit.seconds) == (3, 100, 86400)
    fields = sent(graph.calls[0])
    assert top_fields(fields["fields"]) <= set(NAMES["fields"]["ContentPublishingLimitResponse"])
    assert set(fields) <= declared("IGUser", "GET", "content_publishing_limit")


@pytest.mark.parametrize("answer", [{}, {"data": []}, {"data": [{}]}])
def test_a_quota_that_is_not_told(instagram, ig, graph, answer):
    graph.get(f"{BASE}/17800/content_publishing_limit", json=answer)
    limit = instagram.publishing_limit(ig)
    assert (limit.used, limit.total) == (None, None)


def test_the_permalink_is_never_built(instagram, ig, graph):
    graph.get(f"{BASE}/m1", json={"id": "m1", "shortcode": "Cabc"})
    assert instagram.permalink(ig, "m1") == ""


def test_the_permalink(instagram, ig, graph):
    graph.get(f"{BASE}/m1", json={"id": "m1", "permalink": "https://www.instagram.com/p/Cabc/"})
    assert instagram.permalink(ig, "m1") == "https://www.instagram.com/p/Cabc/"
    assert top_fields(sent(graph.calls[0])["fields"]) <= IG_MEDIA_FIELDS


def test_right_after_publishing_the_media_may_be_missing(instagram, ig, graph):
    graph.get(f"{BASE}/m1", json=error(100, 33), status=400)
    with pytest.raises(NotFoundError):
        instagram.permalink(ig, "m1")


def test_the_profile(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json={"username": "garage", "followers_count": 9, "follows_count": 2, "media_count": 4})
    profile = instagram.profile(ig)
    assert (profile.name, profile.username) == ("garage", "garage")
    assert (profile.followers_count, profile.following_count, profile.posts_count) == (9, 2, 4)
    assert top_fields(sent(graph.calls[0])["fields"]) <= set(NAMES["fields"]["IGUser"])
