"""Every kind of post through Buffer, through the engine, over real HTTP: once, whole, and once again when answers are lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from accounts.models import ConnectedAccount, Workspace
from publishing import follow_ups
from publishing.media import media_items, store_upload
from publishing.models import Attempt, FollowUp, PostMedia, Publication, QueueEntry, RateLimitWindow, Status
from publishing.schedule import publish_now
from socialhub.platforms.base import PostType
from socialhub.platforms.buffer import SERVICES
from socialhub.platforms.buffer_networks import GIVE_UP
from socialhub.platforms.buffer_rules import RULES
from tests.accounts import hub
from tests.factories import make_account, make_post
from tests.publishing.conftest import run_due
from tests.publishing.films import film
from tests.sandbox.conftest import image_bytes
from tests.sandbox_process import GrantedBuffer, Sandbox, sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

LINK = "https://shop.example/camaro"
IMAGES = {PostType.SINGLE: 1, PostType.MULTI_IMAGE: 2}
KINDS = [(key, kind) for key, rules in RULES.items() for kind in rules.post_types]
# One of each kind, and each network at least once.
SOME = [
    ("x", PostType.TEXT),
    ("google_business", PostType.LINK),
    ("pinterest", PostType.SINGLE),
    ("bluesky", PostType.MULTI_IMAGE),
    ("mastodon", PostType.VIDEO),
    ("threads", PostType.VIDEO),
    ("tiktok", PostType.VIDEO),
    ("youtube", PostType.VIDEO),
]


@pytest.fixture(autouse=True)
def network(sandbox: Sandbox, settings: Any, live_server: LiveServer) -> Sandbox:
    """Buffer fetches images and videos from this server."""
    settings.PUBLISH_CHECK_SPEED = 1_000
    hub.use(settings, sandbox)
    settings.PUBLIC_BASE_URL = live_server.url
    return sandbox


@pytest.fixture
def bruno(network: Sandbox) -> GrantedBuffer:
    return network.buffer("bruno")


def connect(workspace: Workspace, bruno: GrantedBuffer, key: str) -> ConnectedAccount:
    return make_account(
        workspace, platform=key, platform_account_id=bruno.channel(SERVICES[key]), login_kind="", token=bruno.key
    )


def choices_of(key: str, kind: PostType, bruno: GrantedBuffer) -> dict[str, str]:
    if key == "pinterest":
        board = next(one["boards"] for one in bruno.channels if one["service"] == "pinterest")[0]
        return {"board_service_id": board["serviceId"], "title": "A Camaro"}
    if key == "youtube":
        return {"title": "A Camaro", "category_id": "2", "privacy": "unlisted", "made_for_kids": "yes"}
    return {"cover_second": "1.5"} if key == "tiktok" and kind is PostType.VIDEO else {}


def files_of(kind: PostType) -> Iterator[SimpleUploadedFile]:
    if kind is PostType.VIDEO:
        yield SimpleUploadedFile("film.mp4", film(), "video/mp4")
    for number in range(IMAGES.get(kind, 0)):
        yield SimpleUploadedFile(f"{number}.jpg", image_bytes(800 + number, 600), "image/jpeg")


@pytest.fixture
def make(workspace: Workspace, bruno: GrantedBuffer) -> Callable[..., Publication]:
    """A publication of this kind that is due."""

    def make(account: ConnectedAccount, kind: PostType, **fields: Any) -> Publication:
        link = LINK if kind is PostType.LINK else ""
        post = make_post(workspace, account, post_type=kind, **{"caption": "1969 Camaro", "link": link, **fields})
        for position, file in enumerate(files_of(kind), start=1):
            media = store_upload(workspace, None, file)
            alt_text = "" if kind is PostType.VIDEO else f"View {position}"
            PostMedia.objects.create(post=post, media=media, position=position, alt_text=alt_text)
        post.publications.update(choices=choices_of(account.platform, kind, bruno))
        publish_now(post, by=None)
        return post.publications.get()

    return make


def bring_out(*publications: Publication, seconds: float = 20) -> Publication:
    """Let workers go on until the network has said yes or no, or a person must say it; the first of them."""
    deadline = time.monotonic() + seconds
    waiting = list(publications)
    while waiting and time.monotonic() < deadline:
        QueueEntry.objects.filter(held=False).update(not_before=timezone.now())
        run_due()
        for publication in list(waiting):
            publication.refresh_from_db()
            entry = QueueEntry.objects.filter(pk=publication.pk).first()
            if publication.status in (Status.PUBLISHED, Status.FAILED) or (entry and entry.awaits_decision):
                waiting.remove(publication)
        time.sleep(0.1)
    return publications[0]


def feed(network: Sandbox, account: ConnectedAccount) -> list[dict[str, Any]]:
    return network.feed(account.platform_account_id)


def assert_once(network: Sandbox, publication: Publication, kind: PostType) -> dict[str, Any]:
    """It stands there, whole and only once, and we know which it is."""
    assert publication.status == Status.PUBLISHED, publication.error_message
    (row,) = feed(network, publication.account)
    assert publication.platform_post_id == row["id"]
    assert publication.permalink
    count = 1 if kind is PostType.VIDEO else IMAGES.get(kind, 0)
    what = "video" if kind is PostType.VIDEO else "image" if count else "text"
    assert (row["kind"], row["media"]) == (what, count)
    return row


# Each kind


@pytest.mark.parametrize(("key", "kind"), KINDS)
def test_each_kind_goes_out_once_and_whole(
    network: Sandbox,
    workspace: Workspace,
    bruno: GrantedBuffer,
    make: Callable[..., Publication],
    key: str,
    kind: PostType,
) -> None:
    account = connect(workspace, bruno, key)

    publication = bring_out(make(account, kind))

    row = assert_once(network, publication, kind)
    assert row["message"].startswith("1969 Camaro")
    assert network.calls()["POST buffer.createPost"] == 1
    if kind in IMAGES:
        assert row["alt_texts"] == [f"View {number}" for number in range(1, IMAGES[kind] + 1)]
    if key in ("youtube", "pinterest"):
        assert row["title"] == "A Camaro"
    (kept,) = network.buffer_posts(account.platform_account_id)
    if key == "youtube":
        told = {"title": "A Camaro", "categoryId": "2", "privacy": "unlisted", "madeForKids": True}
        assert kept["metadata"] == {"youtube": told}


def test_there_are_as_many_kinds_as_the_networks_take() -> None:
    assert len(KINDS) == 29
    assert {key for key, _kind in SOME} == set(RULES)
    assert {kind for _key, kind in SOME} == {kind for _key, kind in KINDS}


# Lost answers


@pytest.mark.parametrize(("key", "kind"), SOME)
@pytest.mark.parametrize("fault", ["lost_answer", "error_after"])
def test_what_was_taken_is_found_when_the_answer_is_lost(network, workspace, bruno, make, key, kind, fault) -> None:
    network.fault(fault, edge="buffer.createPost")

    publication = bring_out(make(connect(workspace, bruno, key), kind))

    assert_once(network, publication, kind)
    assert network.calls()["POST buffer.createPost"] == 1


@pytest.mark.parametrize(("key", "kind"), SOME)
def test_what_was_not_taken_goes_out_after_looking(network, workspace, bruno, make, key, kind) -> None:
    network.fault("error_before", edge="buffer.createPost")  # UNEXPECTED: it may have been taken all the same

    publication = bring_out(make(connect(workspace, bruno, key), kind))

    assert_once(network, publication, kind)
    assert network.calls()["POST buffer.createPost"] == 2


@pytest.mark.parametrize("kind", [PostType.TEXT, PostType.VIDEO])
def test_two_equal_posts_whose_answers_were_lost_are_two(network, workspace, bruno, make, kind) -> None:
    account = connect(workspace, bruno, "mastodon")
    network.fault("lost_answer", edge="buffer.createPost", count=2)
    first, second = make(account, kind), make(account, kind)

    bring_out(first, second)

    rows = feed(network, account)
    assert sorted([first.platform_post_id, second.platform_post_id]) == sorted(row["id"] for row in rows)
    assert len(rows) == 2
    assert network.calls()["POST buffer.createPost"] == 2


@pytest.mark.parametrize("edge", ["buffer.channel", "buffer.posts"])
@pytest.mark.parametrize("fault", ["lost_answer", "error_before", "rate_limited"])
def test_trouble_beside_the_commit_costs_nothing(network, workspace, bruno, make, edge, fault) -> None:
    account = connect(workspace, bruno, "bluesky")
    publication = make(account, PostType.VIDEO)
    network.fault(fault, edge=edge, **({"minutes": 1} if fault == "rate_limited" else {}))
    run_due()
    RateLimitWindow.objects.all().delete()

    bring_out(publication)

    assert_once(network, publication, PostType.VIDEO)
    assert network.calls()["POST buffer.createPost"] == 1


# What the networks say later


def test_a_film_that_the_network_refuses_fails_with_its_words(network, workspace, bruno, make) -> None:
    network.fault("publish_error", edge="buffer.createPost", detail="Your video is too long.")

    publication = bring_out(make(connect(workspace, bruno, "x"), PostType.VIDEO))

    assert (publication.status, publication.error_kind) == (Status.FAILED, "rejected")
    assert publication.platform_message == "Your video is too long."
    assert feed(network, publication.account) == []


def test_the_same_text_on_x_again_is_looked_for_and_then_refused(network, workspace, bruno, make) -> None:
    account = connect(workspace, bruno, "x")
    first = bring_out(make(account, PostType.TEXT))

    second = bring_out(make(account, PostType.TEXT))

    assert (first.status, second.status) == (Status.PUBLISHED, Status.FAILED)
    assert "already there" in second.error_message
    assert len(feed(network, account)) == 1


def test_a_repeat_of_nothing_that_we_know_is_for_a_person(network, workspace, bruno, make) -> None:
    network.fault("duplicate", edge="buffer.createPost")

    publication = bring_out(make(connect(workspace, bruno, "bluesky"), PostType.TEXT))

    entry = publication.queue_entry
    assert (publication.status, entry.awaits_decision) == (Status.CHECKING, True)
    assert "same post already" in entry.wait_reason
    assert network.calls()["POST buffer.createPost"] == 1


def test_a_film_that_google_does_not_take_costs_no_call(network, workspace, bruno, make) -> None:
    publication = bring_out(make(connect(workspace, bruno, "google_business"), PostType.VIDEO))

    assert (publication.status, publication.error_kind) == (Status.FAILED, "rejected")
    assert "Google Business" in publication.error_message
    assert network.calls().get("POST buffer.createPost", 0) == 0


# Limits


def test_a_full_day_puts_the_post_off_to_the_next_and_costs_no_attempt(network, workspace, bruno, make) -> None:
    account = connect(workspace, bruno, "mastodon")
    network.buffer_channel(account.platform_account_id, daily_limit=1)
    bring_out(make(account, PostType.TEXT, caption="First"))
    second = make(account, PostType.TEXT, caption="Second")

    run_due()

    second.refresh_from_db()
    entry = second.queue_entry
    there = timezone.now().astimezone(ZoneInfo("Europe/London"))
    midnight = (there + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert (second.status, entry.attempts, entry.held) == (Status.SCHEDULED, 0, False)
    assert entry.not_before == midnight
    assert "in a day (1)" in entry.wait_reason
    assert network.calls()["POST buffer.createPost"] == 1


def test_an_address_is_fresh_however_long_the_post_waited(network, workspace, bruno, make, settings) -> None:
    """Buffer fetches by address: one that was made before the wait would be dead by now."""
    settings.MEDIA_URL_SECONDS = 3
    account = connect(workspace, bruno, "bluesky")
    network.buffer_channel(account.platform_account_id, daily_limit=0)
    publication = make(account, PostType.VIDEO)
    run_due()
    old = media_items(publication)[0].url
    assert requests.head(old, timeout=10).status_code == 200
    time.sleep(4.1)
    assert requests.head(old, timeout=10).status_code == 404

    network.buffer_channel(account.platform_account_id, daily_limit=None)
    RateLimitWindow.objects.all().delete()
    bring_out(publication)

    assert_once(network, publication, PostType.VIDEO)


def test_an_address_lives_until_a_day_after_buffer_may_have_fetched_it(settings) -> None:
    assert timedelta(seconds=settings.MEDIA_URL_SECONDS) >= GIVE_UP + timedelta(days=1)


# One reading for all


def test_all_that_is_on_its_way_is_followed_by_one_reading_of_the_list(
    network, workspace, bruno, make, settings
) -> None:
    settings.PUBLISH_CHECK_SPEED = 60  # a list answers for a second
    settings.BUFFER_SCOPES = list(settings.BUFFER_SCOPES)  # so that the client is built anew
    keys = ("x", "threads", "bluesky", "mastodon", "google_business")
    accounts = [connect(workspace, bruno, key) for key in keys]
    publications = []
    began = time.monotonic()
    for account in accounts:  # each while those before it are looked for
        publications.append(make(account, PostType.TEXT))
        QueueEntry.objects.update(not_before=timezone.now())
        run_due()

    bring_out(*publications)

    passed = time.monotonic() - began
    assert [publication.status for publication in publications] == [Status.PUBLISHED] * len(keys)
    calls = network.calls()
    assert calls["POST buffer.createPost"] == len(keys)
    assert calls["POST buffer.posts"] <= passed + 1
    assert calls.get("POST buffer.post", 0) == 0
    looks = Attempt.objects.filter(steps__contains=[{"key": "look"}]).count()
    assert looks > calls["POST buffer.posts"]


# Afterwards


@pytest.mark.parametrize("kind", [PostType.TEXT, PostType.MULTI_IMAGE, PostType.VIDEO])
def test_a_published_post_is_seen_again(network, workspace, bruno, make, kind) -> None:
    publication = bring_out(make(connect(workspace, bruno, "threads"), kind))
    Publication.objects.update(published_at=timezone.now() - timedelta(minutes=6))

    follow_ups.run_due()

    row = FollowUp.objects.get()
    assert (row.kind, row.outcome) == (FollowUp.Kind.SEEN_SOON, FollowUp.Outcome.DONE), row.message
    count = 1 if kind is PostType.VIDEO else IMAGES.get(kind, 0)
    assert row.seen == {"media": count, "permalink": publication.permalink}


def test_looks_at_many_posts_cost_one_call(network, workspace, bruno, make, settings) -> None:
    settings.PUBLISH_CHECK_SPEED = 10
    settings.BUFFER_SCOPES = list(settings.BUFFER_SCOPES)
    keys = ("x", "threads", "bluesky", "mastodon")
    bring_out(*[make(connect(workspace, bruno, key), PostType.TEXT) for key in keys], seconds=30)
    Publication.objects.update(published_at=timezone.now() - timedelta(minutes=6))
    before = network.calls()

    follow_ups.run_due()

    after = network.calls()
    assert FollowUp.objects.filter(outcome=FollowUp.Outcome.DONE).count() == len(keys)
    assert after["POST buffer.posts"] - before["POST buffer.posts"] == 1
    assert after.get("POST buffer.post", 0) == before.get("POST buffer.post", 0)
