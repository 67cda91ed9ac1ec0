"""Videos, documents, cards, repeats, comments, and whether a post is still there: the exact calls."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses
import time_machine

from socialhub.platforms.base import (
    Absent,
    Access,
    Content,
    Done,
    MediaItem,
    MediaKind,
    NotYet,
    PostType,
    Published,
    Seen,
    StepKind,
    Unknowable,
    VideoFacts,
)
from socialhub.platforms.errors import (
    NotFoundError,
    OurBugError,
    OutcomeUnknownError,
    PermissionMissingError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.linkedin import LinkedIn
from socialhub.platforms.linkedin_api import MEMBER_SCOPES, millis
from socialhub.platforms.linkedin_upload import PART_BYTES
from tests.platforms.linkedin import BASE, PAGE, PERSON, TOKEN, body, enc, error, make_api

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SINCE = NOW - timedelta(seconds=60)
FILE = b"".join(bytes([number]) * PART_BYTES for number in (1, 2)) + b"\3" * 100
VIDEO, DOCUMENT, IMAGE = "urn:li:video:V1", "urn:li:document:P1", "urn:li:image:D1"
PLACE = "https://www.linkedin.com/dms-uploads/part"
LINK = "https://www.shop.example/camaro"
URN, OTHER = "urn:li:share:7123", "urn:li:ugcPost:7000"
COMMENTS = f"{BASE}/socialActions/{enc(URN)}/comments"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def linkedin():
    return LinkedIn(make_api())


@pytest.fixture
def company():
    return Access(PAGE, TOKEN)


@pytest.fixture
def member():
    return Access(PERSON, TOKEN)


def film(content: bytes = FILE, **more: Any) -> Content:
    facts = VideoFacts(10, 30, "h264", "aac")
    item = MediaItem(
        1, "", "video/mp4", 540, 960, len(FILE), "A car", MediaKind.VIDEO, facts, open=lambda: io.BytesIO(content)
    )
    return Content(PostType.VIDEO, "Film", media=(item,), **more)


def brochure(title: str = "Brochure", **more: Any) -> Content:
    item = MediaItem(
        1, "", "application/pdf", 0, 0, 9, kind=MediaKind.DOCUMENT, title=title, pages=3,
        read=lambda: pytest.fail("it was read at once"), open=lambda: io.BytesIO(b"%PDF-1.7\n"),
    )  # fmt: skip
    return Content(PostType.DOCUMENT, "Read", media=(item,), **more)


def step(linkedin: LinkedIn, content: Content, key: str) -> Any:
    return next(step for step in linkedin.plan(content) if step.key == key)


def cuts(size: int = PART_BYTES) -> list[dict[str, Any]]:
    """Upload instructions for parts of this size, out of order."""
    firsts = range(0, len(FILE), size)
    found = [
        {"uploadUrl": f"{PLACE}/{first}", "firstByte": first, "lastByte": min(first + size, len(FILE)) - 1}
        for first in firsts
    ]
    return found[::-1]


def begun(size: int = PART_BYTES, **changes: Any) -> dict[str, Any]:
    parts = [[cut["firstByte"], cut["lastByte"], cut["uploadUrl"]] for cut in reversed(cuts(size))]
    handles = {"video": VIDEO, "video:token": "", "video:parts": parts, "video:expires": None, "video:etags": {}}
    return handles | changes


def announces(graph: responses.RequestsMock, **changes: Any) -> None:
    value = {
        "video": VIDEO,
        "uploadToken": "",
        "uploadUrlsExpireAt": millis(NOW + timedelta(hours=1)),
        "uploadInstructions": cuts(),
    }
    graph.post(f"{BASE}/videos?action=initializeUpload", json={"value": value | changes})


# Plan


def test_a_video_goes_in_parts_and_each_is_a_step(linkedin):
    steps = linkedin.plan(film())
    assert [step.key for step in steps] == [
        *("video:begin", "video:part:1", "video:part:2", "video:part:3", "video:end", "ready", "post")
    ]
    assert [step.kind for step in steps[-2:]] == [StepKind.WAIT, StepKind.COMMIT]
    # The parts go to addresses that are not counted.
    assert [step.key for step in steps if step.calls] == ["video:begin", "video:end", "post"]


def test_a_document_is_one_upload(linkedin):
    assert [step.key for step in linkedin.plan(brochure())] == ["document", "ready", "post"]


# Videos


def test_a_video_is_announced_with_its_size_for_its_author(linkedin, company, graph):
    announces(graph)
    content = film()
    done = linkedin.perform(step(linkedin, content, "video:begin"), company, content, {})
    assert body(graph.calls[0]) == {
        "initializeUploadRequest": {
            "owner": PAGE,
            "fileSizeBytes": len(FILE),
            "uploadCaptions": False,
            "uploadThumbnail": False,
        }
    }
    parts = done.handles["video:parts"]
    assert [(first, last) for first, last, _url in parts] == [
        (0, PART_BYTES - 1),
        (PART_BYTES, 2 * PART_BYTES - 1),
        (2 * PART_BYTES, len(FILE) - 1),
    ]
    assert (done.handles["video"], done.handles["video:token"], done.handles["video:etags"]) == (VIDEO, "", {})


@pytest.mark.parametrize(
    "instructions",
    [[], None, cuts()[1:], cuts()[:-1], [*cuts(), cuts()[0]], [{"firstByte": 0, "lastByte": len(FILE)}], ["odd"]],
    ids=["none", "null", "no end", "no beginning", "twice", "no address", "odd"],
)
def test_parts_that_are_not_the_whole_file_are_no_answer(linkedin, company, graph, instructions):
    announces(graph, uploadInstructions=instructions)
    content = film()
    with pytest.raises(TemporaryError):
        linkedin.perform(step(linkedin, content, "video:begin"), company, content, {})


def test_each_part_is_put_without_a_token_and_its_tag_is_kept(linkedin, company, graph):
    content, handles = film(), begun()
    for number, first in enumerate((0, PART_BYTES, 2 * PART_BYTES), start=1):
        graph.put(f"{PLACE}/{first}", headers={"ETag": f'"tag-{number}"'})
        done = linkedin.perform(step(linkedin, content, f"video:part:{number}"), company, content, handles)
        assert isinstance(done, Done)
        handles |= done.handles
    assert handles["video:etags"] == {"0": "tag-1", f"{PART_BYTES}": "tag-2", f"{2 * PART_BYTES}": "tag-3"}
    assert b"".join(call.request.body for call in graph.calls) == FILE
    for call in graph.calls:
        assert "Authorization" not in call.request.headers
        assert call.request.headers["Content-Type"] == "application/octet-stream"


def test_a_part_that_is_there_is_not_sent_again(linkedin, company, graph):
    content, handles = film(), begun(**{"video:etags": {"0": "tag-1"}})
    done = linkedin.perform(step(linkedin, content, "video:part:1"), company, content, handles)
    assert done == Done({"video:etags": {"0": "tag-1"}})
    assert not graph.calls


def test_parts_of_another_size_are_all_sent_once(linkedin, company, graph):
    size = PART_BYTES // 2 + 7
    content, handles = film(), begun(size)
    for cut in cuts(size):
        graph.put(cut["uploadUrl"], headers={"ETag": '"x"'})
    for number in (1, 2, 3):
        handles |= linkedin.perform(step(linkedin, content, f"video:part:{number}"), company, content, handles).handles
    assert len(handles["video:etags"]) == len(cuts(size)) == len(graph.calls)
    assert b"".join(call.request.body for call in graph.calls) == FILE


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_place_that_has_run_out_begins_the_upload_anew(linkedin, company, graph, status):
    content, handles = film(), begun()
    graph.put(f"{PLACE}/0", status=status)
    with pytest.raises(TemporaryError) as caught:
        linkedin.perform(step(linkedin, content, "video:part:1"), company, content, handles)
    keys = [step.key for step in linkedin.plan(content)][:-1]
    assert all(name.startswith(caught.value.forget) for name in [*handles, *keys])
    assert not "again:video".startswith(caught.value.forget)


def test_a_place_that_has_run_out_is_not_even_tried(linkedin, company, graph):
    content, handles = film(), begun(**{"video:expires": millis(NOW + timedelta(seconds=30))})
    with pytest.raises(TemporaryError) as caught:
        linkedin.perform(step(linkedin, content, "video:part:1"), company, content, handles)
    assert caught.value.forget
    assert not graph.calls


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ({"status": 500}, TemporaryError),
        ({"body": requests.ReadTimeout("slow")}, TemporaryError),
        ({"status": 200}, TemporaryError),  # without a tag it cannot be put together
        ({"status": 400, "json": error(400, "ILLEGAL_ARGUMENT")}, RejectedError),
    ],
)
def test_a_part_that_fails_costs_no_other(linkedin, company, graph, answer, wanted):
    content = film()
    graph.put(f"{PLACE}/0", **answer)
    with pytest.raises(wanted) as caught:
        linkedin.perform(step(linkedin, content, "video:part:1"), company, content, begun())
    assert not caught.value.forget


def test_a_file_that_has_become_shorter_is_not_sent(linkedin, company, graph):
    content = film(FILE[:-1])
    with pytest.raises(RejectedError, match="shorter"):
        linkedin.perform(step(linkedin, content, "video:part:3"), company, content, begun())
    assert not graph.calls


TAGS = {"video:etags": {f"{2 * PART_BYTES}": "c", "0": "a", f"{PART_BYTES}": "b"}}


def test_the_parts_are_put_together_in_their_order(linkedin, company, graph):
    graph.post(f"{BASE}/videos?action=finalizeUpload", status=200)
    content = film()
    handles = begun(**TAGS, **{"video:token": "t-1"})
    done = linkedin.perform(step(linkedin, content, "video:end"), company, content, handles)
    assert body(graph.calls[0]) == {
        "finalizeUploadRequest": {"video": VIDEO, "uploadToken": "t-1", "uploadedPartIds": ["a", "b", "c"]}
    }
    assert done == Done({"video:parts": [], "video:token": ""})  # no address is kept that anybody could write to


@pytest.mark.parametrize("state", ["PROCESSING", "AVAILABLE"])
def test_putting_together_twice_is_as_good_as_once(linkedin, company, graph, state):
    graph.post(f"{BASE}/videos?action=finalizeUpload", json=error(400, "ILLEGAL_ARGUMENT"), status=400)
    graph.get(f"{BASE}/videos/{enc(VIDEO)}", json={"status": state})
    content = film()
    assert isinstance(linkedin.perform(step(linkedin, content, "video:end"), company, content, begun(**TAGS)), Done)


def test_a_refusal_to_put_it_together_is_told(linkedin, company, graph):
    graph.post(f"{BASE}/videos?action=finalizeUpload", json=error(400, "ILLEGAL_ARGUMENT"), status=400)
    graph.get(f"{BASE}/videos/{enc(VIDEO)}", json={"status": "WAITING_UPLOAD"})
    content = film()
    with pytest.raises(RejectedError):
        linkedin.perform(step(linkedin, content, "video:end"), company, content, begun(**TAGS))


def wait(linkedin: LinkedIn, access: Access, content: Content, handles: dict[str, Any]) -> Done | NotYet:
    return linkedin.perform(step(linkedin, content, "ready"), access, content, handles)


def test_a_video_is_asked_for_less_and_less_often(linkedin, company, graph):
    graph.get(f"{BASE}/videos/{enc(VIDEO)}", json={"status": "PROCESSING"})
    content, handles, seconds = film(), begun(), []
    for _poll in range(7):
        answer = wait(linkedin, company, content, handles)
        assert isinstance(answer, NotYet)
        handles |= answer.handles
        seconds.append(answer.seconds)
    assert seconds == [5, 10, 20, 40, 60, 60, 60]
    graph.reset()
    graph.get(f"{BASE}/videos/{enc(VIDEO)}", json={"status": "AVAILABLE"})
    assert wait(linkedin, company, content, handles) == Done()


@pytest.mark.parametrize(("minutes", "too_long"), [(29, False), (31, True)])
def test_after_half_an_hour_a_video_is_uploaded_anew(linkedin, company, graph, minutes, too_long):
    graph.get(f"{BASE}/videos/{enc(VIDEO)}", json={"status": "PROCESSING"})
    handles = begun(**{"ready:began": (NOW - timedelta(minutes=minutes)).isoformat()})
    if not too_long:
        assert isinstance(wait(linkedin, company, film(), handles), NotYet)
        return
    with pytest.raises(TemporaryError) as caught:
        wait(linkedin, company, film(), handles)
    assert all(name.startswith(caught.value.forget) for name in handles)


def test_a_video_that_fails_is_uploaded_once_more_and_then_refused(linkedin, company, graph):
    content, handles = film(), begun()
    failed = {"status": "PROCESSING_FAILED", "processingFailureReason": "No picture in it"}
    graph.get(f"{BASE}/videos/{enc(VIDEO)}", json=failed)
    answer = wait(linkedin, company, content, handles)
    assert isinstance(answer, NotYet)
    handles |= answer.handles
    with pytest.raises(TemporaryError) as caught:
        wait(linkedin, company, content, handles)
    kept = {name: value for name, value in handles.items() if not name.startswith(caught.value.forget)}
    assert kept == {"again:video": VIDEO}
    graph.get(f"{BASE}/videos/{enc('urn:li:video:V2')}", json=failed)
    with pytest.raises(RejectedError) as refused:
        wait(linkedin, company, content, kept | begun(video="urn:li:video:V2"))
    assert refused.value.platform_message == "No picture in it"
    assert "the video" in refused.value.message


@pytest.mark.parametrize(
    ("content", "handles", "path", "seconds"),
    [
        (film(), {"video": VIDEO}, f"videos/{enc(VIDEO)}", 90),
        (brochure(), {"document": DOCUMENT}, f"documents/{enc(DOCUMENT)}", 15),
    ],
)
def test_without_the_right_to_look_they_get_time(linkedin, member, graph, content, handles, path, seconds):
    graph.get(f"{BASE}/{path}", json=error(403, "ACCESS_DENIED", 100), status=403)
    assert wait(linkedin, member, content, handles) == NotYet(seconds, {"ready:blind": True})


# Documents


def test_a_document_is_uploaded_piece_by_piece(linkedin, member, graph):
    value = {"uploadUrl": PLACE, "uploadUrlExpiresAt": 1, "document": DOCUMENT}
    graph.post(f"{BASE}/documents?action=initializeUpload", json={"value": value})
    graph.put(PLACE, status=201, match=[responses.matchers.header_matcher({"Content-Length": "9"})])
    content = brochure()
    done = linkedin.perform(step(linkedin, content, "document"), member, content, {})
    assert done == Done({"document": DOCUMENT})
    begin, put = graph.calls
    assert body(begin) == {"initializeUploadRequest": {"owner": PERSON}}
    assert put.request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert put.request.headers["Content-Type"] == "application/pdf"
    assert put.request.body == b"%PDF-1.7\n"


def test_a_document_that_fails_is_uploaded_once_more(linkedin, member, graph):
    content, handles = brochure(), {"document": DOCUMENT}
    graph.get(f"{BASE}/documents/{enc(DOCUMENT)}", json={"status": "PROCESSING_FAILED"})
    graph.post(
        f"{BASE}/documents?action=initializeUpload",
        json={"value": {"uploadUrl": PLACE, "document": "urn:li:document:P2"}},
    )
    graph.put(PLACE, status=201)
    answer = wait(linkedin, member, content, handles)
    assert answer == NotYet(2, {"document": "urn:li:document:P2", "again:document": DOCUMENT})


# The post


def shown(linkedin: LinkedIn, access: Access, graph: Any, content: Content, handles: dict[str, Any]) -> Any:
    graph.post(f"{BASE}/posts", status=201, headers={"x-restli-id": URN})
    linkedin.commit(access, content, handles)
    return body(graph.calls[-1])


def test_the_post_of_a_video(linkedin, company, graph):
    sent = shown(linkedin, company, graph, film(link=LINK), begun())
    assert sent["content"] == {"media": {"id": VIDEO}}
    assert sent["commentary"] == f"Film\n\n{LINK}"


@pytest.mark.parametrize(
    ("content", "title"),
    [
        (brochure(), "Brochure"),
        (brochure(choices={"document_title": "Boats (2026)"}), "Boats (2026)"),
        (brochure(""), "Document"),
    ],
)
def test_the_post_of_a_document_has_a_title(linkedin, member, graph, content, title):
    sent = shown(linkedin, member, graph, content, {"document": DOCUMENT})
    assert sent["content"] == {"media": {"id": DOCUMENT, "title": title}}


def test_the_card_of_a_link_says_what_was_chosen(linkedin, company, images, graph):
    chosen = {"link_title": "A_Camaro (1969)", "link_description": "All of #it"}
    sent = shown(linkedin, company, graph, images(1, PostType.LINK, link=LINK, choices=chosen), {"image:1": IMAGE})
    # Plain text: nothing is escaped here.
    assert sent["content"] == {
        "article": {"source": LINK, "title": "A_Camaro (1969)", "description": "All of #it", "thumbnail": IMAGE}
    }


def test_mentions_go_out_as_mentions(linkedin, company, graph):
    content = Content(PostType.TEXT, "By @[Barn (North)](urn:li:organization:9) @home")
    sent = shown(linkedin, company, graph, content, {})
    assert sent["commentary"] == "By @[Barn \\(North\\)](urn:li:organization:9) \\@home"


@pytest.mark.parametrize("content", [film(), brochure()])
def test_less_than_what_was_asked_for_is_never_posted(linkedin, company, graph, content):
    with pytest.raises(OurBugError):
        linkedin.commit(company, content, {})
    assert not graph.calls


# Looking


def post(urn: str = URN, text: str = "Film", at: datetime = NOW, **more: Any) -> dict[str, Any]:
    return {"id": urn, "commentary": text, "createdAt": millis(at), "lifecycleState": "PUBLISHED", **more}


def look(linkedin, access, graph, content, *posts, handles=None, claimed=()):
    graph.get(f"{BASE}/posts", json={"elements": list(posts), "paging": {"start": 0, "count": 100}})
    return linkedin.look(access, content, handles or {}, since=SINCE, claimed=claimed)


@pytest.mark.parametrize(
    ("content", "handles", "urn"), [(film(), {"video": VIDEO}, VIDEO), (brochure(), {"document": DOCUMENT}, DOCUMENT)]
)
def test_a_video_and_a_document_are_found_by_what_was_uploaded(linkedin, company, graph, content, handles, urn):
    other = post(OTHER, content.text, content={"media": {"id": urn + "9"}})
    ours = post(text="edited since", content={"media": {"id": urn}})
    found = look(linkedin, company, graph, content, other, ours, handles=handles)
    assert isinstance(found, Published)
    assert found.platform_post_id == URN
    graph.reset()
    assert isinstance(look(linkedin, company, graph, content, other, handles=handles), Absent)


def test_a_post_with_a_mention_is_found_by_what_readers_see(linkedin, company, graph):
    content = Content(PostType.TEXT, "By @[Barn](urn:li:organization:9)")
    for text in ("By @[Barn](urn:li:organization:9)", "By Barn"):  # the second: LinkedIn knows no page of that name
        assert isinstance(look(linkedin, company, graph, content, post(text=text)), Published)
        graph.reset()


# Repeats


def refused_as_repeat(linkedin, access, graph, content, urn=OTHER):
    answer = error(422, "", None, f"Content is a duplicate of {urn}", "DUPLICATE_POST")
    graph.post(f"{BASE}/posts", json=answer, status=422)
    with pytest.raises(OutcomeUnknownError) as caught:
        linkedin.commit(access, content, {})
    return caught.value.handles


TEXT = Content(PostType.TEXT, "Film")


@pytest.mark.parametrize(
    ("urn", "handles"),
    [(OTHER, {"duplicate": OTHER}), (URN, {"duplicate": URN}), ("urn:li:activity:1", {}), ("nothing", {})],
)
def test_a_repeat_names_the_post_to_look_at(linkedin, company, graph, urn, handles):
    assert refused_as_repeat(linkedin, company, graph, TEXT, urn) == handles


def test_the_post_that_was_named_is_ours_when_it_says_the_same(linkedin, company, graph):
    handles = refused_as_repeat(linkedin, company, graph, TEXT)
    # Made by an earlier call of ours, whose answer was lost longer ago than we look back.
    graph.get(f"{BASE}/posts/{enc(OTHER)}", json=post(OTHER, at=NOW - timedelta(minutes=20)))
    found = linkedin.look(company, TEXT, handles, since=SINCE, claimed=())
    assert found == Published(
        OTHER, f"https://www.linkedin.com/feed/update/{OTHER}/", published_at=NOW - timedelta(minutes=20)
    )


def test_a_named_post_that_says_something_else_is_for_a_person(linkedin, company, graph):
    graph.get(f"{BASE}/posts/{enc(OTHER)}", json=post(OTHER, "Something else"))
    found = linkedin.look(company, TEXT, {"duplicate": OTHER}, since=SINCE, claimed=())
    assert isinstance(found, Unknowable)
    assert f"/{OTHER}/" in found.evidence


def test_a_named_post_that_is_gone_tells_nothing(linkedin, company, graph):
    graph.get(f"{BASE}/posts/{enc(OTHER)}", json=error(404), status=404)
    found = look(linkedin, company, graph, TEXT, handles={"duplicate": OTHER})
    assert isinstance(found, Absent)
    assert found.forget == ("duplicate",)


@pytest.mark.parametrize("access", [Access(PAGE, TOKEN), Access(PERSON, TOKEN)])
def test_a_named_post_of_another_publication_is_not_this_one(linkedin, graph, access):
    found = linkedin.look(access, TEXT, {"duplicate": OTHER}, since=SINCE, claimed={OTHER})
    assert isinstance(found, Absent)
    assert found.forget == ("duplicate",)
    assert not graph.calls


def test_of_a_members_repeat_a_person_gets_the_address(linkedin, member, graph):
    handles = refused_as_repeat(linkedin, member, graph, TEXT)
    found = linkedin.look(member, TEXT, handles, since=SINCE, claimed=())
    assert isinstance(found, Unknowable)
    assert f"https://www.linkedin.com/feed/update/{OTHER}/" in found.evidence
    assert len(graph.calls) == 1


# Is it there?


@pytest.mark.parametrize(
    ("content", "media"),
    [
        ({}, 0),
        ({"media": {"id": VIDEO}}, 1),
        ({"multiImage": {"images": [{"id": IMAGE}, {"id": "urn:li:image:D2"}]}}, 2),
        ({"article": {"source": LINK, "title": "x"}}, 0),
        ({"article": {"source": LINK, "title": "x", "thumbnail": IMAGE}}, 1),
    ],
)
def test_a_post_of_a_page_is_seen_with_its_media(linkedin, company, graph, content, media):
    graph.get(f"{BASE}/posts/{enc(URN)}", json=post(content=content))
    seen = linkedin.seen(company, URN, TEXT)
    assert seen == Seen(exists=True, media=media, permalink=f"https://www.linkedin.com/feed/update/{URN}/")


@pytest.mark.parametrize(
    ("answer", "exists"),
    [
        ({"json": error(404), "status": 404}, False),
        ({"json": error(403, "ACCESS_DENIED", 100), "status": 403}, None),
        ({"json": post(lifecycleState="PUBLISH_FAILED")}, False),
    ],
)
def test_a_post_that_is_not_seen(linkedin, company, graph, answer, exists):
    graph.get(f"{BASE}/posts/{enc(URN)}", **answer)
    seen = linkedin.seen(company, URN, TEXT)
    assert seen.exists is exists
    assert seen.evidence


def test_trouble_while_looking_says_nothing_of_the_post(linkedin, company, graph):
    graph.get(f"{BASE}/posts/{enc(URN)}", json=error(500), status=500)
    with pytest.raises(TemporaryError):
        linkedin.seen(company, URN, TEXT)


def test_the_post_of_a_member_cannot_be_seen(linkedin, member, company, graph):
    assert linkedin.seen(member, URN, TEXT).exists is None
    assert linkedin.seen(company, "", TEXT).exists is None  # LinkedIn had named no id
    assert not graph.calls


# Comments


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ({"json": {"id": "77", "commentUrn": "urn:li:comment:(urn:li:activity:1,77)"}}, "urn:li:comment:(urn:li:activity:1,77)"),
        ({"json": {"id": "77", "$URN": "urn:li:comment:(urn:li:activity:1,77)"}}, "urn:li:comment:(urn:li:activity:1,77)"),
        ({"json": {"id": "77"}}, "77"),
        ({"headers": {"x-restli-id": "77"}}, "77"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("actor", [PAGE, PERSON])
def test_a_comment_is_plain_text(linkedin, graph, answer, wanted, actor):
    graph.post(COMMENTS, status=201, **answer)
    text = "More_of (it): @[Barn](urn:li:organization:9) #tag"
    assert linkedin.comment(Access(actor, TOKEN), URN, text) == wanted
    message = {"text": "More_of (it): Barn #tag"}
    assert body(graph.calls[0]) == {"actor": actor, "object": URN, "message": message}


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ({"json": error(500), "status": 500}, OutcomeUnknownError),
        ({"body": requests.ReadTimeout("slow")}, OutcomeUnknownError),
        ({"json": error(403, "ACCESS_DENIED", 100, "Not enough permissions"), "status": 403}, PermissionMissingError),
        ({"json": error(404), "status": 404}, NotFoundError),
        ({"json": error(400, "FIELD_LENGTH_TOO_LONG"), "status": 400}, RejectedError),
    ],
)
def test_comments_that_fail(linkedin, company, graph, answer, wanted):
    graph.post(COMMENTS, **answer)
    with pytest.raises(wanted):
        linkedin.comment(company, URN, "More")
    assert len(graph.calls) == 1


@pytest.mark.parametrize(("actor", "scope"), [(PAGE, "w_organization_social_feed"), (PERSON, "w_member_social_feed")])
def test_without_the_permission_nothing_is_sent(graph, actor, scope):
    plain = LinkedIn(make_api(scopes=MEMBER_SCOPES))
    with pytest.raises(PermissionMissingError, match=scope) as caught:
        plain.comment(Access(actor, TOKEN), URN, "More")
    assert caught.value.scopes == (scope,)
    assert not graph.calls


def found_comment(text: str, actor: str = PAGE, number: int = 1) -> dict[str, Any]:
    return {"id": str(number), "actor": actor, "message": {"text": text}}


@pytest.mark.parametrize(
    ("comments", "wanted"),
    [
        ([], ""),
        ([found_comment("Other"), found_comment("More Barn", number=2)], "2"),
        ([found_comment("More Barn", PERSON)], ""),
        ([{"id": "3", "actor": PAGE}], ""),
    ],
)
def test_our_comment_is_found_by_its_author_and_words(linkedin, company, graph, comments, wanted):
    graph.get(COMMENTS, json={"elements": comments, "paging": {"start": 0, "count": 50, "total": len(comments)}})
    assert linkedin.find_comment(company, URN, "More @[Barn](urn:li:organization:9)") == wanted


def test_all_pages_of_comments_are_read(linkedin, company, graph):
    first = [found_comment(f"{number}", number=number) for number in range(50)]
    graph.get(COMMENTS, json={"elements": first, "paging": {"start": 0, "count": 50, "total": 51}})
    graph.get(COMMENTS, json={"elements": [found_comment("More", number=51)], "paging": {"start": 50, "total": 51}})
    assert linkedin.find_comment(company, URN, "More") == "51"


def test_comments_that_cannot_be_read(linkedin, member, company, graph):
    assert isinstance(linkedin.find_comment(member, URN, "More"), Unknowable)
    assert not graph.calls
    graph.get(COMMENTS, json=error(403, "ACCESS_DENIED", 100), status=403)
    assert isinstance(linkedin.find_comment(company, URN, "More"), Unknowable)
