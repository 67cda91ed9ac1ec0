"""Every kind of Facebook post, through the engine, over real HTTP: once, whole, and once again when answers are lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import ConnectedAccount, Workspace
from publishing import follow_ups
from publishing.limits import remaining
from publishing.media import store_upload
from publishing.models import FollowUp, PostMedia, Publication, QueueEntry, Status
from publishing.schedule import publish_now, retry
from socialhub.platforms import facebook_video
from socialhub.platforms.base import PostType, Step
from socialhub.platforms.facebook import Facebook
from tests.accounts import hub
from tests.factories import make_account, make_post
from tests.publishing.conftest import run_due
from tests.publishing.films import film
from tests.sandbox.conftest import image_bytes
from tests.sandbox_process import GrantedPage, Sandbox, sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db, pytest.mark.processes]

LINK = "https://shop.example/camaro"
CASES = {  # what is published, and what the feed shows of it: kind, media
    "text": (PostType.TEXT, "post", 0),
    "link": (PostType.LINK, "post", 0),
    "photo": (PostType.SINGLE, "post", 1),
    "photos": (PostType.MULTI_IMAGE, "post", 3),
    "video": (PostType.VIDEO, "video", 1),
    "reel": (PostType.REEL, "reel", 1),
    "photo story": (PostType.STORY, "story", 1),
    "video story": (PostType.STORY, "story", 1),
}
FILMS = ("video", "reel", "video story")
# The irreversible call of each.
EDGES = {"video": "videos", "reel": "video_reels", "photo story": "photo_stories", "video story": "video_stories"}


@pytest.fixture(autouse=True)
def network(sandbox: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    hub.use(settings, sandbox)
    settings.PUBLISH_CHECK_SPEED = 1_000
    monkeypatch.setattr(facebook_video, "PART_BYTES", 5_000)  # so that a small film has several parts
    return sandbox


@pytest.fixture
def page(network: Sandbox) -> GrantedPage:
    return network.person(name="Ada Test", pages=1, instagram=False).page


@pytest.fixture
def account(workspace: Workspace, page: GrantedPage) -> ConnectedAccount:
    return make_account(workspace, platform="facebook", platform_account_id=page.id, token=page.access_token)


def files_of(case: str) -> Iterator[SimpleUploadedFile]:
    if case in FILMS:
        yield SimpleUploadedFile("film.mp4", film(), "video/mp4")
        return
    for number in range(CASES[case][2]):
        yield SimpleUploadedFile(f"{number}.jpg", image_bytes(800 + number, 600), "image/jpeg")


@pytest.fixture
def make(workspace: Workspace, account: ConnectedAccount) -> Callable[..., Publication]:
    """A publication of this kind that is due."""

    def make(case: str, account: ConnectedAccount = account, **fields: Any) -> Publication:
        link = LINK if case == "link" else ""
        files = fields.pop("files", None) or files_of(case)
        post = make_post(
            workspace, account, **{"post_type": CASES[case][0], "caption": "Restored", "link": link, **fields}
        )
        for position, file in enumerate(files, start=1):
            media = store_upload(workspace, None, file)
            PostMedia.objects.create(post=post, media=media, position=position, alt_text=f"View {position}")
        publish_now(post, by=None)
        return post.publications.get()

    return make


def work(network: Sandbox, publication: Publication) -> Publication:
    """Let workers go on, and time with them, until the network has said yes or no, or a person must say it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        QueueEntry.objects.filter(held=False).update(not_before=timezone.now())
        run_due()
        publication.refresh_from_db()
        entry = QueueEntry.objects.filter(pk=publication.pk).first()
        done = publication.status in (Status.PUBLISHED, Status.FAILED) or (entry and entry.awaits_decision)
        if done:
            break
        network.advance(5)
        time.sleep(0.1)
    return publication


def feed(network: Sandbox, publication: Publication) -> list[dict[str, Any]]:
    return network.feed(publication.account.platform_account_id)


def assert_once(network: Sandbox, publication: Publication, case: str) -> dict[str, Any]:
    """It stands there, whole and only once, and we know which it is."""
    (row,) = feed(network, publication)
    _post_type, kind, media = CASES[case]
    assert publication.status == Status.PUBLISHED, publication.error_message
    assert publication.platform_post_id == row["id"]
    assert publication.permalink.startswith(network.url)
    assert (row["kind"], row["media"]) == (kind, media)
    assert row["message"] == ("" if kind == "story" else "Restored")
    return row


@pytest.mark.parametrize("case", CASES)
def test_each_kind_goes_out_once_and_whole(network: Sandbox, make: Callable[..., Publication], case: str):
    publication = work(network, make(case))
    row = assert_once(network, publication, case)
    assert row["link"] == (LINK if case == "link" else "")


# Answers that are lost


@pytest.fixture
def at_commit(network: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The next call that publishes meets this fault; earlier calls of a film on the same edge do not."""

    def arm(case: str, fault: str, count: int | None = 1) -> None:
        real, waiting = Facebook.commit, [fault]

        def commit(self: Facebook, *arguments: Any) -> Any:
            if waiting:
                network.fault(waiting.pop(), edge=EDGES.get(case, "feed"), count=count)
            return real(self, *arguments)

        monkeypatch.setattr(Facebook, "commit", commit)

    return arm


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("fault", ["lost_answer", "error_after", "error_before"])
def test_a_commit_whose_answer_is_lost(
    network: Sandbox, make: Callable[..., Publication], at_commit: Callable[..., None], case: str, fault: str
):
    at_commit(case, fault)
    publication = work(network, make(case))
    assert_once(network, publication, case)
    assert network.calls()["POST " + EDGES.get(case, "feed")] >= 1


@pytest.mark.parametrize("case", FILMS)
@pytest.mark.parametrize("fault", ["lost_answer", "error_after", "error_before"])
def test_bytes_whose_answer_is_lost(
    network: Sandbox, make: Callable[..., Publication], monkeypatch: pytest.MonkeyPatch, case: str, fault: str
):
    """Of three parts the second meets the fault, twice in a row."""
    real, number = facebook_video.Videos._bring, []

    def bring(self: facebook_video.Videos, *arguments: Any, **options: Any) -> Any:
        number.append(1)
        if len(number) == 2:
            network.fault(fault, edge="videos" if case == "video" else "video-upload", count=2)
        return real(self, *arguments, **options)

    monkeypatch.setattr(facebook_video.Videos, "_bring", bring)
    assert_once(network, work(network, make(case)), case)
    (upload,) = [call for call in network.call_log() if call["params"].get("upload_phase") == "start"]
    assert upload["status"] == 200  # announced once: it went on where it had stopped


@pytest.mark.parametrize("case", FILMS)
@pytest.mark.parametrize("fault", ["lost_answer", "error_after", "error_before"])
def test_an_announcement_whose_answer_is_lost(
    network: Sandbox, make: Callable[..., Publication], case: str, fault: str
):
    network.fault(fault, edge=EDGES[case])
    assert_once(network, work(network, make(case)), case)


@pytest.mark.parametrize("case", FILMS)
def test_an_upload_that_expired_is_brought_again(
    network: Sandbox, make: Callable[..., Publication], monkeypatch: pytest.MonkeyPatch, case: str
):
    real, number = facebook_video.Videos._bring, []

    def bring(self: facebook_video.Videos, *arguments: Any, **options: Any) -> Any:
        number.append(1)
        if len(number) == 2:
            network.advance(25 * 3600)
        return real(self, *arguments, **options)

    monkeypatch.setattr(facebook_video.Videos, "_bring", bring)
    assert_once(network, work(network, make(case)), case)
    assert len([call for call in network.call_log() if call["params"].get("upload_phase") == "start"]) == 2


# Refusals


@pytest.mark.parametrize("case", FILMS)
def test_a_film_that_facebook_cannot_use(network: Sandbox, make: Callable[..., Publication], case: str):
    network.fault("processing_failed")
    publication = work(network, make(case))
    assert (publication.status, publication.error_kind) == (Status.FAILED, "rejected")
    assert "went wrong while the video was processed" in publication.platform_message
    assert feed(network, publication) == []
    retry(publication, by=None)  # begins anew with another upload
    assert_once(network, work(network, publication), case)


@pytest.mark.parametrize("case", ["text", "photos", "reel"])
def test_a_repeat_that_is_none(
    network: Sandbox, make: Callable[..., Publication], at_commit: Callable[..., None], case: str
):
    at_commit(case, "duplicate")
    assert_once(network, work(network, make(case)), case)


def test_a_repeat_that_facebook_insists_on(
    network: Sandbox, make: Callable[..., Publication], at_commit: Callable[..., None]
):
    at_commit("photos", "duplicate", count=None)
    publication = work(network, make("photos"))
    assert (publication.status, publication.error_kind) == (Status.FAILED, "rejected")
    assert "identical to the last one" in publication.platform_message
    assert network.calls()["POST feed"] == 2
    network.no_faults()
    retry(publication, by=None)
    assert_once(network, work(network, publication), "photos")


def test_photos_of_a_failed_post_are_taken_away(
    network: Sandbox, make: Callable[..., Publication], monkeypatch: pytest.MonkeyPatch
):
    real = Facebook.perform

    def perform(self: Facebook, step: Step, *arguments: Any) -> Any:
        if step.key == "photo:3":
            network.fault("rejected_image", edge="photos")
        return real(self, step, *arguments)

    monkeypatch.setattr(Facebook, "perform", perform)
    publication = work(network, make("photos"))
    assert publication.status == Status.FAILED
    assert [call["status"] for call in network.call_log() if call["method"] == "DELETE"] == [200, 200]
    monkeypatch.setattr(Facebook, "perform", real)
    retry(publication, by=None)  # on fresh uploads
    assert_once(network, work(network, publication), "photos")


def test_reels_count_in_a_window_of_their_own(network: Sandbox, make: Callable[..., Publication]):
    publication = work(network, make("reel"))
    assert publication.status == Status.PUBLISHED
    made = {window.endpoint: window.made for window in remaining(publication.account)}
    assert made["reels"] == 1
    assert {window.endpoint: window.limit for window in remaining(publication.account)}["reels"] == 30


# Once it is out


def follow_up(publication: Publication, kind: FollowUp.Kind, minutes: float) -> FollowUp:
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=True):
        follow_ups.run_due()
    return FollowUp.objects.get(publication=publication, kind=kind)


@pytest.mark.parametrize("case", ["text", "photos", "video", "reel"])
def test_the_first_comment_is_written_once(network: Sandbox, make: Callable[..., Publication], case: str):
    publication = work(network, make(case, first_comment="More in our shop"))
    network.fault("lost_answer", edge="POST comments")
    assert follow_up(publication, FollowUp.Kind.COMMENT, 0).done_at is None
    assert follow_up(publication, FollowUp.Kind.COMMENT, 6).outcome == FollowUp.Outcome.DONE
    assert feed(network, publication)[0]["comments"] == ["More in our shop"]


def test_a_comment_without_the_permission(network: Sandbox, workspace: Workspace, make: Callable[..., Publication]):
    publication = work(network, make("text", first_comment="More in our shop"))
    scopes = ["pages_show_list", "pages_manage_posts", "pages_read_engagement"]
    person = network.person(name="No Comment", pages=1, scopes=scopes).page
    less = make_account(workspace, platform_account_id=person.id, token=person.access_token)
    other = make("text", first_comment="More", account=less)
    other = work(network, other)
    row = follow_up(other, FollowUp.Kind.COMMENT, 0)
    assert row.outcome == FollowUp.Outcome.FAILED
    assert "pages_manage_engagement" in row.message
    assert other.status == publication.status == Status.PUBLISHED


@pytest.mark.parametrize("case", CASES)
def test_it_is_really_there(network: Sandbox, make: Callable[..., Publication], case: str):
    publication = work(network, make(case))
    row = follow_up(publication, FollowUp.Kind.SEEN_SOON, 6)
    assert row.outcome == FollowUp.Outcome.DONE, row.message
    assert row.seen["media"] == CASES[case][2]


@pytest.mark.parametrize("case", ["text", "photos", "reel"])
def test_a_deleted_post_is_reported(network: Sandbox, make: Callable[..., Publication], page: GrantedPage, case: str):
    publication = work(network, make(case))
    network.call("DELETE", publication.platform_post_id, page.access_token)
    for minutes in (6, 12, 18):
        row = follow_up(publication, FollowUp.Kind.SEEN_SOON, minutes)
    assert row.outcome == FollowUp.Outcome.GONE
    publication.refresh_from_db()
    assert publication.removed_at


def test_a_story_that_is_over_is_not_reported(network: Sandbox, make: Callable[..., Publication]):
    publication = work(network, make("photo story"))
    network.advance(25 * 3600)
    row = follow_up(publication, FollowUp.Kind.SEEN_LATER, 25 * 60)
    assert row.outcome in (FollowUp.Outcome.DONE, FollowUp.Outcome.UNKNOWN)
    publication.refresh_from_db()
    assert publication.removed_at is None
