"""Every kind of Instagram post, for both logins, through the engine, over real HTTP: once, whole, also when answers are lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.utils import timezone

from accounts.models import ConnectedAccount, Workspace
from publishing import follow_ups, media
from publishing.media import store_upload
from publishing.models import FollowUp, PostMedia, Publication, QueueEntry, Status
from publishing.schedule import publish_now
from socialhub.platforms import INSTAGRAM_LOGIN
from socialhub.platforms.base import PostType
from socialhub.platforms.errors import TemporaryError
from socialhub.platforms.instagram_upload import PART_BYTES, Uploads
from tests.accounts import hub
from tests.factories import make_account, make_post
from tests.publishing.conftest import run_due
from tests.publishing.films import film
from tests.sandbox.conftest import image_bytes
from tests.sandbox.linkedin_films import noisy
from tests.sandbox_process import Sandbox, sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db, pytest.mark.processes]

CAPTION = "Restored #camaro"
IMAGE, FILM = "image", "film"
# Name: post type, what it holds, how the feed shows it.
KINDS: dict[str, tuple[PostType, tuple[str, ...], str]] = {
    "image": (PostType.SINGLE, (IMAGE,), "image"),
    "carousel": (PostType.CAROUSEL, (IMAGE, IMAGE, IMAGE), "carousel"),
    "carousel with video": (PostType.CAROUSEL, (IMAGE, FILM, IMAGE), "carousel"),
    "reel": (PostType.REEL, (FILM,), "reels"),
    "image story": (PostType.STORY, (IMAGE,), "story"),
    "video story": (PostType.STORY, (FILM,), "story"),
}
LOGINS = ("linked", "alone")


class Files(SimpleHTTPRequestHandler):
    """What is stored, by its name; the signed addresses of the product have tests of their own."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments, directory=str(django_settings.MEDIA_ROOT))

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(autouse=True)
def stored(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.MEDIA_ROOT = tmp_path
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(media, "public_url", lambda made: f"http://127.0.0.1:{server.server_port}/{made.file.name}")
    yield
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def network(sandbox: Sandbox, settings: Any) -> Sandbox:
    hub.use(settings, sandbox)
    settings.PUBLISH_CHECK_SPEED = 1_000
    return sandbox


@pytest.fixture
def linked(workspace: Workspace, network: Sandbox) -> ConnectedAccount:
    page = network.person(pages=1).page
    return make_account(workspace, platform="instagram", platform_account_id=page.instagram_id, token=page.access_token)


@pytest.fixture
def alone(workspace: Workspace, network: Sandbox) -> ConnectedAccount:
    granted = network.instagram()
    return make_account(
        workspace,
        platform="instagram",
        platform_account_id=granted.account_id,
        token=granted.access_token,
        login_kind=INSTAGRAM_LOGIN,
    )


@pytest.fixture
def account(request: pytest.FixtureRequest) -> ConnectedAccount:
    """Of the login that the test is for; through a Page where it does not say."""
    found: ConnectedAccount = request.getfixturevalue(getattr(request, "param", "linked"))
    return found


both_logins = pytest.mark.parametrize("account", LOGINS, indirect=True)


@pytest.fixture
def make(workspace: Workspace) -> Callable[..., Publication]:
    """A publication of this kind that is due."""

    def make(account: ConnectedAccount, kind: str, *, films: tuple[bytes, ...] = (), **fields: Any) -> Publication:
        post_type, holds, _shown = KINDS[kind]
        post = make_post(workspace, account, post_type=post_type, **{"caption": CAPTION, **fields})
        clips = iter(films)
        for position, what in enumerate(holds, start=1):
            if what == FILM:
                file = SimpleUploadedFile("film.mp4", next(clips, None) or film(), "video/mp4")
            else:
                file = SimpleUploadedFile(f"{position}.jpg", image_bytes(800 + position, 700), "image/jpeg")
            stored = store_upload(workspace, None, file)
            PostMedia.objects.create(post=post, media=stored, position=position, alt_text=f"View {position}")
        publish_now(post, by=None)
        return post.publications.get()

    return make


def bring_out(publication: Publication, seconds: float = 30) -> Publication:
    """Let workers go on until the network has said yes or no, or a person must say it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        QueueEntry.objects.filter(held=False).update(not_before=timezone.now())
        run_due()
        publication.refresh_from_db()
        entry = QueueEntry.objects.filter(pk=publication.pk).first()
        if publication.status in (Status.PUBLISHED, Status.FAILED) or (entry and entry.awaits_decision):
            break
        time.sleep(0.1)
    return publication


def assert_once(network: Sandbox, publication: Publication, kind: str) -> dict[str, Any]:
    """It stands there, whole and only once, and we know which it is."""
    _type, holds, shown = KINDS[kind]
    (row,) = network.feed(publication.account.platform_account_id)
    assert publication.status == Status.PUBLISHED, publication.error_message
    assert publication.platform_post_id == row["id"]
    assert f"/feeds/instagram/{'reel' if kind == 'reel' else 'p'}/" in publication.permalink
    assert (row["kind"], row["media"]) == (shown, len(holds))
    return row


def containers(network: Sandbox) -> list[dict[str, str]]:
    """The parameters of every container that was asked for."""
    return [one["params"] for one in network.call_log() if (one["method"], one["edge"]) == ("POST", "media")]


# Each kind


@both_logins
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_goes_out_once_and_whole(network, make, account, kind) -> None:
    row = assert_once(network, bring_out(make(account, kind)), kind)

    assert row["message"] == ("" if "story" in kind else CAPTION)
    calls = network.calls()
    assert calls["POST media_publish"] == 1
    has_film = FILM in KINDS[kind][1]
    is_linked = account.login_kind != INSTAGRAM_LOGIN
    assert calls.get("POST ig-api-upload", 0) == int(has_film and is_linked)
    assert any("video_url" in params for params in containers(network)) is (has_film and not is_linked)


def test_alt_texts_reach_images_and_nothing_else(network, make, account) -> None:
    bring_out(make(account, "carousel with video"))
    first, film, third, parent = containers(network)

    assert (first["alt_text"], third["alt_text"]) == ("View 1", "View 3")
    assert not {"alt_text", "caption"} & set(film)
    assert (film["media_type"], parent["media_type"], parent["caption"]) == ("VIDEO", "CAROUSEL", CAPTION)


def test_an_image_in_a_story_fills_the_screen(network, make, account) -> None:
    row = assert_once(network, bring_out(make(account, "image story")), "image story")

    (params,) = containers(network)
    assert params["media_type"] == "STORIES"
    assert not {"caption", "alt_text"} & set(params)
    width, height = (int(part) for part in shape_of(params["image_url"]))
    assert width / height == pytest.approx(9 / 16, abs=0.001)
    assert row["media"] == 1


def shape_of(address: str) -> tuple[int, int]:
    name = address.partition("/")[2].split("/", 2)[2]
    rendered = media.Rendition.objects.get(file=name)
    return rendered.width, rendered.height


# Lost answers


@both_logins
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["lost_answer", "error_after"])
def test_what_was_published_is_found_when_the_answer_is_lost(network, make, account, kind, fault) -> None:
    network.fault(fault, edge="POST media_publish")

    publication = bring_out(make(account, kind))

    assert_once(network, publication, kind)
    assert network.calls()["POST media_publish"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_not_published_is_published_after_looking(network, make, account, kind) -> None:
    network.fault("error_before", edge="POST media_publish")

    publication = bring_out(make(account, kind))

    assert_once(network, publication, kind)
    assert network.calls()["POST media_publish"] == 2
    made = len(KINDS[kind][1]) + ("carousel" in kind)
    assert len(containers(network)) == made, "the same container, so that it can never come out twice"


def test_a_story_of_somebody_else_is_not_taken_for_ours(network, make, account) -> None:
    """It has no text to be known by, and our container says that it was not published."""
    publication = make(account, "image story")
    network.fault("error_before", edge="POST media_publish")
    while network.calls().get("POST media_publish", 0) == 0:
        QueueEntry.objects.update(not_before=timezone.now())
        run_due()
        time.sleep(0.1)
    theirs = by_hand(network, account, containers(network)[0]["image_url"])
    publication.refresh_from_db()
    assert publication.status == Status.CHECKING

    QueueEntry.objects.update(not_before=timezone.now())
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.CHECKING
    Publication.objects.update(committing_at=F("committing_at") - timedelta(minutes=5))
    # Seen from there theirs is too late to be ruled out, so a person must say.
    bring_out(publication)

    assert publication.queue_entry.awaits_decision
    assert "Without a text" in publication.queue_entry.wait_reason
    assert [row["id"] for row in network.feed(account.platform_account_id)] == [theirs]


def by_hand(network: Sandbox, account: ConnectedAccount, address: str) -> str:
    """The owner publishes a story in the app."""
    token, place = account.credential.access_token, account.platform_account_id
    made = network.call("POST", f"{place}/media", token, media_type="STORIES", image_url=address).json()["id"]
    network.advance(1)
    return str(network.call("POST", f"{place}/media_publish", token, creation_id=made).json()["id"])


SPOILED = ("lost_answer", "error_before", "error_after")


@pytest.mark.parametrize(
    ("account", "edge", "fault"),
    [
        *(("linked", edge, fault) for edge in ("POST media", "POST ig-api-upload") for fault in SPOILED),
        *(("alone", "POST media", fault) for fault in SPOILED),
        *((login, "GET node", "error_before") for login in LOGINS),
    ],
    indirect=["account"],
)
def test_lost_answers_on_the_way_are_no_trouble(network, make, account, edge, fault) -> None:
    network.fault(fault, edge=edge)

    assert_once(network, bring_out(make(account, "carousel with video")), "carousel with video")


# Videos in parts


@pytest.fixture(scope="module")
def long_film() -> bytes:
    content = noisy(240, 240, 12)
    assert 2 * PART_BYTES < len(content) < 3 * PART_BYTES
    return content


def parts_sent(network: Sandbox) -> int:
    return network.calls()["POST ig-api-upload"]


def test_a_long_video_goes_in_parts(network, make, account, long_film) -> None:
    publication = bring_out(make(account, "reel", films=(long_film,)))

    assert_once(network, publication, "reel")
    assert parts_sent(network) == 3


@pytest.mark.parametrize("fault", ["lost_answer", "error_before", "error_after"])
def test_an_interrupted_upload_goes_on_where_instagram_has_it(
    network, make, account, long_film, monkeypatch, fault
) -> None:
    put, offsets = Uploads._put, []

    def interrupted(self: Uploads, access: Any, item: Any, container: str, offset: int, *more: Any) -> Any:
        offsets.append(offset)
        if len(offsets) == 2:
            network.fault(fault, edge="POST ig-api-upload")
        return put(self, access, item, container, offset, *more)

    monkeypatch.setattr(Uploads, "_put", interrupted)

    publication = bring_out(make(account, "reel", films=(long_film,)))

    assert_once(network, publication, "reel")
    # What is there is not sent again, and what is not, is.
    second = [PART_BYTES] * (2 if fault == "error_before" else 1)
    assert offsets == [0, *second, 2 * PART_BYTES]
    assert len(containers(network)) == 1


def test_a_container_that_expired_while_uploading_is_made_anew(network, make, account, long_film, monkeypatch) -> None:
    put, calls = Uploads._put, []

    def late(self: Uploads, *arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            network.advance(86_401)
        return put(self, *arguments)

    monkeypatch.setattr(Uploads, "_put", late)

    publication = bring_out(make(account, "reel", films=(long_film,)))

    assert_once(network, publication, "reel")
    assert len(containers(network)) == 2


def test_a_line_that_is_down_costs_only_the_part_that_it_broke(network, make, account, long_film, monkeypatch) -> None:
    put, calls = Uploads._put, []

    def broken(self: Uploads, *arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise TemporaryError("The line is down.")
        return put(self, *arguments)

    monkeypatch.setattr(Uploads, "_put", broken)

    assert_once(network, bring_out(make(account, "reel", films=(long_film,))), "reel")
    assert parts_sent(network) == 3


# What Instagram does not take


@both_logins
@pytest.mark.parametrize("kind", ["image", "reel", "video story"])
def test_what_instagram_could_not_prepare_is_handed_over_once_more(network, make, account, kind) -> None:
    network.fault("processing_failed", edge="POST media")

    assert_once(network, bring_out(make(account, kind)), kind)
    assert len(containers(network)) == 2


@both_logins
def test_a_video_that_instagram_cannot_use_fails_with_its_reason(network, make, account, monkeypatch) -> None:
    """Our own rules would say so before; here they are silent."""
    monkeypatch.setattr("socialhub.platforms.rules.check", lambda *arguments: [])

    publication = bring_out(make(account, "reel", films=(film(seconds=1.5),)))

    assert (publication.status, publication.error_kind) == (Status.FAILED, "rejected")
    assert "Convert it to MP4" in publication.error_message
    assert network.feed(account.platform_account_id) == []


# Afterwards


def follow_up() -> FollowUp:
    follow_ups.run_due()
    return FollowUp.objects.latest("due_at")


@both_logins
@pytest.mark.parametrize("kind", ["image", "carousel with video", "reel"])
def test_the_first_comment_stands_below_the_post(network, make, account, kind) -> None:
    bring_out(make(account, kind, first_comment="More at https://a.example"))

    row = follow_up()

    assert (row.kind, row.outcome) == (FollowUp.Kind.COMMENT, FollowUp.Outcome.DONE), row.message
    assert network.feed(account.platform_account_id)[0]["comments"] == ["More at https://a.example"]


@both_logins
@pytest.mark.parametrize("fault", ["lost_answer", "error_after"])
def test_a_comment_whose_answer_was_lost_is_written_once(network, make, account, fault) -> None:
    bring_out(make(account, "image", first_comment="First"))
    network.fault(fault, edge="POST comments")
    follow_ups.run_due()
    FollowUp.objects.update(due_at=timezone.now())

    row = follow_up()

    assert row.outcome == FollowUp.Outcome.DONE, row.message
    assert row.platform_id
    assert network.feed(account.platform_account_id)[0]["comments"] == ["First"]


def test_below_a_story_there_is_no_comment(network, make, account) -> None:
    bring_out(make(account, "image story", first_comment="First"))

    follow_ups.run_due()

    assert not FollowUp.objects.filter(kind=FollowUp.Kind.COMMENT).exists()
    assert network.calls().get("POST comments", 0) == 0


def test_without_the_permission_it_is_said_and_the_post_stays(network, workspace, make) -> None:
    scopes = ["pages_show_list", "pages_read_engagement", "instagram_basic", "instagram_content_publish"]
    page = network.person(pages=1, scopes=scopes).page
    account = make_account(
        workspace, platform="instagram", platform_account_id=page.instagram_id, token=page.access_token
    )
    publication = bring_out(make(account, "image", first_comment="First"))

    row = follow_up()

    assert row.outcome == FollowUp.Outcome.FAILED
    assert "instagram_manage_comments" in row.message
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED


def looked_at(publication: Publication, which: str = FollowUp.Kind.SEEN_SOON) -> FollowUp:
    """The look after five minutes or a day."""
    Publication.objects.update(published_at=F("published_at") - follow_ups.AFTER[FollowUp.Kind(which)])
    follow_ups.run_due()
    return FollowUp.objects.get(publication=publication, kind=which)


@both_logins
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_is_seen_whole(make, account, kind) -> None:
    row = looked_at(bring_out(make(account, kind)))

    assert row.outcome == FollowUp.Outcome.DONE, row.message
    assert row.seen["media"] == len(KINDS[kind][1])


def test_a_post_that_is_gone_is_reported(network, make, account) -> None:
    publication = bring_out(make(account, "image"))
    deleted = network.call("DELETE", publication.platform_post_id, account.credential.access_token)
    assert deleted.status_code == 200, deleted.text

    looked_at(publication)
    for _ in range(2):
        FollowUp.objects.update(due_at=timezone.now())
        follow_ups.run_due()

    assert FollowUp.objects.get(kind=FollowUp.Kind.SEEN_SOON).outcome == FollowUp.Outcome.GONE
    publication.refresh_from_db()
    assert publication.removed_at


@both_logins
def test_a_story_that_is_over_is_not_reported_as_gone(network, make, account) -> None:
    publication = bring_out(make(account, "video story"))
    network.advance(86_401)

    row = looked_at(publication, FollowUp.Kind.SEEN_LATER)

    assert row.outcome == FollowUp.Outcome.UNKNOWN
    assert "24 hours" in row.message
    publication.refresh_from_db()
    assert publication.removed_at is None
