"""Every kind of LinkedIn post, through the engine, over real HTTP: once, whole, and once again when answers are lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.utils import timezone

from accounts.models import ConnectedAccount, Workspace
from publishing import follow_ups
from publishing.media import store_upload
from publishing.models import FollowUp, PostMedia, Publication, QueueEntry, Status
from publishing.schedule import decide, publish_now
from socialhub.platforms.base import PostType
from socialhub.platforms.errors import TemporaryError
from socialhub.platforms.linkedin_api import FULL_SCOPES, MEMBER_SCOPES
from socialhub.platforms.linkedin_upload import PART_BYTES, Uploads
from tests.accounts import hub
from tests.factories import make_account, make_post
from tests.publishing.conftest import run_due
from tests.publishing.films import pdf
from tests.sandbox.conftest import image_bytes
from tests.sandbox.linkedin_films import noisy
from tests.sandbox_process import GrantedMember, Sandbox, sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db, pytest.mark.processes]

LINK = "https://shop.example/camaro"
CAPTION = "Restored (#camaro) by @[{name}](urn:li:organization:{id}) & C#"
CHOICES = {"link_title": "A Camaro (1969)", "link_description": "All of it_", "document_title": "Brochure (2026)"}
# What the feed shows of each: kind, media, title.
SHOWN = {
    PostType.TEXT: ("text", 0, ""),
    PostType.LINK: ("article", 1, "A Camaro (1969)"),
    PostType.SINGLE: ("image", 1, ""),
    PostType.MULTI_IMAGE: ("multiImage", 3, ""),
    PostType.VIDEO: ("video", 1, ""),
    PostType.DOCUMENT: ("document", 1, "Brochure (2026)"),
}
KINDS = list(SHOWN)


@pytest.fixture(autouse=True)
def network(sandbox: Sandbox, settings: Any) -> Sandbox:
    hub.use(settings, sandbox)
    settings.LINKEDIN_SCOPES = FULL_SCOPES
    settings.PUBLISH_CHECK_SPEED = 1_000
    return sandbox


@pytest.fixture
def ada(network: Sandbox) -> GrantedMember:
    return network.member(name="Ada Test", organizations=1, scopes=list(FULL_SCOPES))


@pytest.fixture
def company(workspace: Workspace, ada: GrantedMember) -> ConnectedAccount:
    return connect(workspace, ada, ada.organizations[0]["urn"], "organization")


@pytest.fixture
def member(workspace: Workspace, ada: GrantedMember) -> ConnectedAccount:
    return connect(workspace, ada, ada.urn, "person")


def connect(workspace: Workspace, ada: GrantedMember, urn: str, kind: str) -> ConnectedAccount:
    return make_account(
        workspace, platform="linkedin", platform_account_id=urn, account_type=kind, token=ada.access_token
    )


def files_of(kind: PostType) -> Iterator[SimpleUploadedFile]:
    if kind is PostType.VIDEO:
        yield SimpleUploadedFile("film.mp4", noisy(), "video/mp4")
    elif kind is PostType.DOCUMENT:
        yield SimpleUploadedFile("boats.pdf", pdf(3), "application/pdf")
    else:
        for number in range(SHOWN[kind][1]):
            yield SimpleUploadedFile(f"{number}.jpg", image_bytes(800 + number, 600), "image/jpeg")


@pytest.fixture
def make(workspace: Workspace, ada: GrantedMember) -> Callable[..., Publication]:
    """A publication of this kind that is due."""

    def make(account: ConnectedAccount, kind: PostType, **fields: Any) -> Publication:
        caption = CAPTION.format(**ada.organizations[0])
        link = LINK if kind is PostType.LINK else ""
        files = fields.pop("files", None)
        post = make_post(workspace, account, post_type=kind, **{"caption": caption, "link": link, **fields})
        for position, file in enumerate(files or files_of(kind), start=1):
            media = store_upload(workspace, None, file)
            PostMedia.objects.create(post=post, media=media, position=position, alt_text=f"View {position}")
        post.publications.update(choices=CHOICES)
        publish_now(post, by=None)
        return post.publications.get()

    return make


def bring_out(publication: Publication, seconds: float = 20) -> Publication:
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


def feed(network: Sandbox, account: ConnectedAccount) -> list[dict[str, Any]]:
    return network.feed(account.platform_account_id)


def assert_once(network: Sandbox, publication: Publication, kind: PostType) -> dict[str, Any]:
    """It stands there, whole and only once, and we know which it is."""
    (row,) = feed(network, publication.account)
    assert publication.status == Status.PUBLISHED, publication.error_message
    assert publication.platform_post_id == row["id"]
    assert publication.permalink == f"https://www.linkedin.com/feed/update/{row['id']}/"
    assert (row["kind"], row["media"], row["title"]) == SHOWN[kind]
    return row


# Each kind


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", ["company", "member"])
def test_each_kind_goes_out_once_and_whole(
    network: Sandbox,
    ada: GrantedMember,
    make: Callable[..., Publication],
    request: pytest.FixtureRequest,
    who: str,
    kind: PostType,
) -> None:
    publication = bring_out(make(request.getfixturevalue(who), kind))

    row = assert_once(network, publication, kind)
    organization = ada.organizations[0]
    assert row["message"] == f"Restored (#camaro) by {organization['name']} & C#"
    assert row["mentions"] == [organization["urn"]]
    if kind is PostType.LINK:
        assert (row["link"], row["description"]) == (LINK, "All of it_")
    if kind in (PostType.SINGLE, PostType.MULTI_IMAGE):
        assert row["alt_texts"] == [f"View {number}" for number in range(1, row["media"] + 1)]


def test_without_a_title_a_document_has_its_name(network, company, make) -> None:
    publication = make(company, PostType.DOCUMENT)
    Publication.objects.update(choices={})

    assert bring_out(publication).status == Status.PUBLISHED
    assert feed(network, company)[0]["title"] == "boats"


def test_beside_a_video_a_link_stands_in_the_text(network, company, make) -> None:
    assert bring_out(make(company, PostType.VIDEO, caption="Film", link=LINK)).status == Status.PUBLISHED
    assert feed(network, company)[0]["message"] == f"Film\n\n{LINK}"


@pytest.mark.parametrize("kind", KINDS)
def test_an_app_that_may_only_share_publishes_every_kind(
    network: Sandbox, workspace: Workspace, make: Callable[..., Publication], settings: Any, kind: PostType
) -> None:
    settings.LINKEDIN_SCOPES = MEMBER_SCOPES
    plain = network.member(name="Self Serve", scopes=list(MEMBER_SCOPES))
    account = connect(workspace, plain, plain.urn, "person")

    assert_once(network, bring_out(make(account, kind)), kind)


# Lost answers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["lost_answer", "error_after"])
def test_what_a_page_published_is_found_when_the_answer_is_lost(network, company, make, kind, fault) -> None:
    network.fault(fault, edge="POST linkedin.posts")

    publication = bring_out(make(company, kind))

    assert_once(network, publication, kind)
    assert network.calls()["POST linkedin.posts"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_not_published_is_published_after_looking(network, company, make, kind) -> None:
    network.fault("error_before", edge="POST linkedin.posts")  # 503: it may have gone through all the same

    publication = bring_out(make(company, kind))

    assert_once(network, publication, kind)
    assert network.calls()["POST linkedin.posts"] == 2
    assert network.calls()["GET linkedin.posts"] >= 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_member_published_a_person_must_find(network, member, make, kind) -> None:
    network.fault("lost_answer", edge="POST linkedin.posts")

    publication = bring_out(make(member, kind))

    (row,) = feed(network, member)
    entry = publication.queue_entry
    assert (publication.status, entry.awaits_decision) == (Status.CHECKING, True)
    assert "Open the profile's activity at LinkedIn" in entry.wait_reason
    decide(publication, "there", by=None, platform_post_id=row["id"])
    publication.refresh_from_db()
    assert (publication.status, publication.platform_post_id) == (Status.PUBLISHED, row["id"])
    assert network.calls()["POST linkedin.posts"] == 1


@pytest.mark.parametrize("edge", ["linkedin.images", "linkedin.videos", "linkedin.documents", "linkedin.dms-uploads"])
@pytest.mark.parametrize("fault", ["lost_answer", "error_before", "error_after"])
def test_lost_answers_while_uploading_are_no_trouble(network, company, make, edge, fault) -> None:
    kind = {"linkedin.images": PostType.MULTI_IMAGE, "linkedin.documents": PostType.DOCUMENT}.get(edge, PostType.VIDEO)
    network.fault(fault, edge=edge)

    assert_once(network, bring_out(make(company, kind)), kind)


# Videos in parts


@pytest.fixture
def long_film() -> SimpleUploadedFile:
    content = noisy(240, 240, 12)
    assert 2 * PART_BYTES < len(content) < 3 * PART_BYTES
    return SimpleUploadedFile("long.mp4", content, "video/mp4")


def parts_sent(network: Sandbox) -> int:
    return network.calls()["PUT linkedin.dms-uploads"]


def test_a_long_video_goes_in_parts(network, company, make, long_film) -> None:
    publication = bring_out(make(company, PostType.VIDEO, files=[long_film]))

    assert_once(network, publication, PostType.VIDEO)
    assert parts_sent(network) == 3
    # Nobody who reads the record could write to the places of the parts.
    assert "dms-uploads" not in str(publication.handles)


def test_an_interrupted_upload_goes_on_behind_the_last_part(network, company, make, long_film, monkeypatch) -> None:
    put, calls = Uploads._put, []

    def interrupted(self: Uploads, *arguments: Any) -> str:
        calls.append(arguments)
        if len(calls) == 3:
            raise TemporaryError("The line is down.")
        return put(self, *arguments)

    monkeypatch.setattr(Uploads, "_put", interrupted)

    publication = bring_out(make(company, PostType.VIDEO, files=[long_film]))

    assert_once(network, publication, PostType.VIDEO)
    assert parts_sent(network) == 3
    assert network.calls()["POST linkedin.videos"] == 2  # announced once, put together once


def test_places_that_have_run_out_are_asked_for_anew(network, company, make, long_film, monkeypatch) -> None:
    put, calls = Uploads._put, []

    def late(self: Uploads, *arguments: Any) -> str:
        calls.append(arguments)
        if len(calls) == 2:
            network.advance(3_601)
        return put(self, *arguments)

    monkeypatch.setattr(Uploads, "_put", late)

    publication = bring_out(make(company, PostType.VIDEO, files=[long_film]))

    assert_once(network, publication, PostType.VIDEO)
    assert parts_sent(network) == 2 + 3
    assert network.calls()["POST linkedin.videos"] == 3


def test_putting_together_may_lose_its_answer(network, company, make, monkeypatch) -> None:
    end = Uploads._end_video
    network_faults = iter(["lost_answer"])

    def lost(self: Uploads, *arguments: Any) -> Any:
        if fault := next(network_faults, ""):
            network.fault(fault, edge="POST linkedin.videos")
        return end(self, *arguments)

    monkeypatch.setattr(Uploads, "_end_video", lost)

    publication = bring_out(make(company, PostType.VIDEO))

    assert_once(network, publication, PostType.VIDEO)
    assert network.calls()["POST linkedin.videos"] == 3  # the second time LinkedIn refused: it was already done


@pytest.mark.parametrize(
    ("kind", "edge"),
    [
        (PostType.SINGLE, "linkedin.images"),
        (PostType.VIDEO, "linkedin.videos"),
        (PostType.DOCUMENT, "linkedin.documents"),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_what_linkedin_cannot_prepare_is_uploaded_once_more(network, company, make, kind, edge, times) -> None:
    publication = make(company, kind)
    network.fault("processing_failed", edge=edge, count=1 if times == 1 else None)

    bring_out(publication)

    if times == 1:
        assert_once(network, publication, kind)
    else:
        assert (publication.status, publication.error_kind) == (Status.FAILED, "rejected")
        assert "twice in a row" in publication.error_message
        assert feed(network, company) == []


# Repeats


def by_hand(network: Sandbox, ada: GrantedMember, author: str, text: str) -> str:
    body = {
        "author": author,
        "commentary": text,
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED"},
        "lifecycleState": "PUBLISHED",
    }
    return network.linkedin_call("POST", "posts", ada.access_token, json=body).headers["x-restli-id"]


def test_a_repeat_leads_to_the_post_that_is_there(network, ada, company, make) -> None:
    urn = by_hand(network, ada, company.platform_account_id, "The same")
    # Long before our call, so that only its name leads there.
    network.advance(500)

    publication = bring_out(make(company, PostType.TEXT, caption="The same"))

    assert (publication.status, publication.platform_post_id) == (Status.PUBLISHED, urn)
    assert len(feed(network, company)) == 1


def test_a_members_repeat_is_for_a_person_with_the_address(network, ada, member, make) -> None:
    urn = by_hand(network, ada, member.platform_account_id, "The same")

    publication = bring_out(make(member, PostType.TEXT, caption="The same"))

    assert publication.queue_entry.awaits_decision
    assert f"https://www.linkedin.com/feed/update/{urn}/" in publication.queue_entry.wait_reason
    assert len(feed(network, member)) == 1


def test_a_repeat_of_another_post_of_ours_waits_and_goes_out(network, company, make) -> None:
    first = bring_out(make(company, PostType.TEXT, caption="Twice wanted"))
    second = make(company, PostType.TEXT, caption="Twice wanted")
    run_due()
    second.refresh_from_db()
    assert second.status == Status.CHECKING

    network.advance(601)  # LinkedIn no longer takes it for a repeat
    bring_out(second)

    assert second.status == Status.PUBLISHED
    assert second.platform_post_id != first.platform_post_id
    assert len(feed(network, company)) == 2


# Afterwards


def follow_up() -> FollowUp:
    follow_ups.run_due()
    return FollowUp.objects.latest("due_at")


@pytest.mark.parametrize("who", ["company", "member"])
def test_the_first_comment_stands_below_the_post(network, make, request, who) -> None:
    account = request.getfixturevalue(who)
    bring_out(make(account, PostType.TEXT, first_comment="More at https://a.example/x_y"))

    row = follow_up()

    assert (row.kind, row.outcome) == (FollowUp.Kind.COMMENT, FollowUp.Outcome.DONE), row.message
    assert feed(network, account)[0]["comments"] == ["More at https://a.example/x_y"]
    assert row.platform_id.startswith("urn:li:comment:")


@pytest.mark.parametrize(("who", "outcome"), [("company", "DONE"), ("member", "UNKNOWN")])
def test_a_comment_whose_answer_was_lost_is_written_once(network, make, request, who, outcome) -> None:
    account = request.getfixturevalue(who)
    bring_out(make(account, PostType.TEXT, first_comment="First"))
    network.fault("lost_answer", edge="POST linkedin.socialActions")
    follow_ups.run_due()
    FollowUp.objects.update(due_at=timezone.now())

    row = follow_up()

    assert row.outcome == FollowUp.Outcome[outcome]
    assert feed(network, account)[0]["comments"] == ["First"]


def test_an_app_without_comments_says_so_and_the_post_stays(network, company, make, settings) -> None:
    settings.LINKEDIN_SCOPES = tuple(scope for scope in FULL_SCOPES if not scope.endswith("_feed"))
    publication = bring_out(make(company, PostType.TEXT, first_comment="First"))

    row = follow_up()

    assert row.outcome == FollowUp.Outcome.FAILED
    assert "w_organization_social_feed" in row.message
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED


def looked_at(publication: Publication) -> FollowUp:
    """The look after five minutes."""
    Publication.objects.update(published_at=F("published_at") - follow_ups.AFTER[FollowUp.Kind.SEEN_SOON])
    follow_ups.run_due()
    return FollowUp.objects.get(publication=publication, kind=FollowUp.Kind.SEEN_SOON)


@pytest.mark.parametrize("kind", KINDS)
def test_a_post_of_a_page_is_seen_whole(network, company, make, kind) -> None:
    row = looked_at(bring_out(make(company, kind)))

    assert row.outcome == FollowUp.Outcome.DONE, row.message
    assert row.seen["media"] == SHOWN[kind][1]


def test_a_post_that_is_gone_is_reported(network, ada, company, make) -> None:
    publication = bring_out(make(company, PostType.TEXT))
    path = f"posts/{publication.platform_post_id.replace(':', '%3A')}"
    headers = {"X-RestLi-Method": "DELETE"}
    assert network.linkedin_call("DELETE", path, ada.access_token, headers=headers).status_code == 204

    looked_at(publication)
    for _ in range(2):
        FollowUp.objects.update(due_at=timezone.now())
        follow_ups.run_due()

    row = FollowUp.objects.get(kind=FollowUp.Kind.SEEN_SOON)
    assert row.outcome == FollowUp.Outcome.GONE
    publication.refresh_from_db()
    assert publication.removed_at


def test_of_a_members_post_nothing_is_claimed(network, member, make) -> None:
    row = looked_at(bring_out(make(member, PostType.TEXT)))

    assert row.outcome == FollowUp.Outcome.UNKNOWN
    assert "no app" in row.message
