"""The simulated LinkedIn: videos in parts, documents, first comments, and what its pages show of them."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.publishing.films import film, pdf
from tests.sandbox.conftest import image_bytes
from tests.sandbox.linkedin_films import PART, padded
from tests.sandbox.test_linkedin import MEMBER_SCOPES, put, refused
from tests.sandbox.test_linkedin_posts import LIND, body_of, create, created, fields, key
from tests.sandbox_process import GrantedMember, Sandbox

pytestmark = pytest.mark.processes

FEED_SCOPES = ["w_member_social", "w_organization_social", "r_organization_social"]


@pytest.fixture
def lena(sandbox: Sandbox) -> GrantedMember:
    return sandbox.member("lena")


def announce(sandbox: Sandbox, member: GrantedMember, owner: str = LIND, size: int = 1, **more: Any) -> Any:
    request = {"owner": owner, "fileSizeBytes": size, "uploadCaptions": False, "uploadThumbnail": False, **more}
    body = {"initializeUploadRequest": {name: value for name, value in request.items() if value is not None}}
    return sandbox.linkedin_call("POST", "videos?action=initializeUpload", member.access_token, json=body)


def put_part(address: str, content: bytes, **headers: str) -> requests.Response:
    return requests.put(
        address, data=content, headers={"Content-Type": "application/octet-stream", **headers}, timeout=10
    )


def tag(response: requests.Response) -> str:
    assert response.status_code == 200, response.text
    return response.headers["ETag"].strip('"')


def put_all(value: dict[str, Any], content: bytes) -> list[str]:
    return [
        tag(put_part(part["uploadUrl"], content[part["firstByte"] : part["lastByte"] + 1]))
        for part in value["uploadInstructions"]
    ]


def finish(sandbox: Sandbox, member: GrantedMember, value: dict[str, Any], tags: list[str], **more: str) -> Any:
    request = {"video": value["video"], "uploadToken": value["uploadToken"], "uploadedPartIds": tags, **more}
    body = {"finalizeUploadRequest": request}
    return sandbox.linkedin_call("POST", "videos?action=finalizeUpload", member.access_token, json=body)


def upload_video(sandbox: Sandbox, member: GrantedMember, content: bytes, owner: str = LIND) -> str:
    value = announce(sandbox, member, owner, len(content)).json()["value"]
    assert finish(sandbox, member, value, put_all(value, content)).status_code == 200
    time.sleep(0.3)
    return str(value["video"])


def video(sandbox: Sandbox, member: GrantedMember, urn: str) -> dict[str, Any]:
    return sandbox.linkedin_call("GET", f"videos/{key(urn)}", member.access_token).json()


def upload_document(sandbox: Sandbox, member: GrantedMember, content: bytes, owner: str = LIND) -> str:
    body = {"initializeUploadRequest": {"owner": owner}}
    answer = sandbox.linkedin_call("POST", "documents?action=initializeUpload", member.access_token, json=body)
    value = answer.json()["value"]
    assert put(value["uploadUrl"], member, content).status_code == 201
    time.sleep(0.3)
    return str(value["document"])


def document(sandbox: Sandbox, member: GrantedMember, urn: str) -> dict[str, Any]:
    return sandbox.linkedin_call("GET", f"documents/{key(urn)}", member.access_token).json()


# Videos


def test_a_video_comes_in_parts_and_plays(sandbox: Sandbox, lena: GrantedMember) -> None:
    content = padded(2 * PART + 100)
    value = announce(sandbox, lena, size=len(content)).json()["value"]
    parts = [(part["firstByte"], part["lastByte"]) for part in value["uploadInstructions"]]
    assert parts == [(0, PART - 1), (PART, 2 * PART - 1), (2 * PART, len(content) - 1)]
    states = [video(sandbox, lena, value["video"])["status"]]
    tags = put_all(value, content)
    assert finish(sandbox, lena, value, tags).status_code == 200
    states.append(video(sandbox, lena, value["video"])["status"])
    time.sleep(0.3)

    facts = video(sandbox, lena, value["video"])

    assert [*states, facts["status"]] == ["WAITING_UPLOAD", "PROCESSING", "AVAILABLE"]
    assert facts["duration"] == pytest.approx(4_000, abs=50)
    assert requests.get(facts["downloadUrl"], timeout=10).content == content


def test_a_part_needs_its_bytes_its_time_and_no_token(sandbox: Sandbox, lena: GrantedMember) -> None:
    value = announce(sandbox, lena, size=10).json()["value"]
    address = value["uploadInstructions"][0]["uploadUrl"]

    assert put_part(address, b"123456789").status_code == 400
    assert put_part(address, b"1234567890", Authorization=f"Bearer {lena.access_token}").status_code == 400
    assert put_part(address, b"1234567890", **{"Content-Type": "video/mp4"}).status_code == 415
    assert put_part(address.removesuffix("0") + "5", b"1234567890").status_code == 404
    assert put_part(address, b"1234567890").status_code == 200
    sandbox.advance(3_601)
    assert refused(put_part(address, b"1234567890")) == (403, "EXPIRED_UPLOAD_URL")


def test_it_is_put_together_once_of_all_parts_in_order(sandbox: Sandbox, lena: GrantedMember) -> None:
    content = padded(2 * PART + 100)
    value = announce(sandbox, lena, size=len(content)).json()["value"]
    assert fields(finish(sandbox, lena, value, [])) == [
        ("INVALID_VALUE_FOR_FIELD", "/finalizeUploadRequest/uploadedPartIds")
    ]
    tags = put_all(value, content)

    assert finish(sandbox, lena, value, tags[::-1]).status_code == 400
    assert finish(sandbox, lena, value, tags, uploadToken="other").status_code == 400
    assert finish(sandbox, lena, value, tags).status_code == 200
    assert refused(finish(sandbox, lena, value, tags)) == (400, "ILLEGAL_ARGUMENT")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"fileSizeBytes": 0}, "fileSizeBytes"),
        ({"fileSizeBytes": None}, "fileSizeBytes"),
        ({"uploadCaptions": None}, "uploadCaptions"),
        ({"owner": None}, "owner"),
    ],
)
def test_an_announcement_must_be_whole(
    sandbox: Sandbox, lena: GrantedMember, change: dict[str, Any], field: str
) -> None:
    assert fields(announce(sandbox, lena, **change))[0][1] == f"/initializeUploadRequest/{field}"


@pytest.mark.parametrize(
    "content",
    [b"no film" * 20_000, film(seconds=2) + bytes(100_000), film()],
    ids=["text", "short", "light"],
)
def test_what_the_network_does_not_take_fails_with_a_reason(
    sandbox: Sandbox, lena: GrantedMember, content: bytes
) -> None:
    facts = video(sandbox, lena, upload_video(sandbox, lena, content))

    assert facts["status"] == "PROCESSING_FAILED"
    assert facts["processingFailureReason"]


def test_a_member_token_may_look_at_its_own_video_only(sandbox: Sandbox, lena: GrantedMember) -> None:
    plain = sandbox.member("lena", scopes=MEMBER_SCOPES.split())
    own = upload_video(sandbox, plain, padded(), plain.urn)

    assert video(sandbox, plain, own)["status"] == "AVAILABLE"
    answer = sandbox.linkedin_call("GET", f"videos/{key(own)}", sandbox.member("mika").access_token)
    assert refused(answer) == (403, "ACCESS_DENIED")


# Documents


def test_a_document_is_opened_and_counted(sandbox: Sandbox, lena: GrantedMember) -> None:
    urn = upload_document(sandbox, lena, pdf(3))
    bad = upload_document(sandbox, lena, b"%PDF-1.7 nothing")

    assert document(sandbox, lena, urn)["status"] == "AVAILABLE"
    assert requests.get(document(sandbox, lena, urn)["downloadUrl"], timeout=10).content == pdf(3)
    assert document(sandbox, lena, bad)["status"] == "PROCESSING_FAILED"
    plain = sandbox.member("lena", scopes=MEMBER_SCOPES.split())
    assert document(sandbox, plain, urn)["status"] == 403


# Posts


def test_posts_show_the_video_the_document_and_the_card(sandbox: Sandbox, lena: GrantedMember) -> None:
    clip = upload_video(sandbox, lena, padded())
    paper = upload_document(sandbox, lena, pdf(3))
    value = sandbox.linkedin_call(
        "POST", "images?action=initializeUpload", lena.access_token, json={"initializeUploadRequest": {"owner": LIND}}
    ).json()["value"]
    put(value["uploadUrl"], lena, image_bytes())
    card = {"source": "https://a.example", "title": "Oak", "description": "Larch", "thumbnail": value["image"]}

    urn = created(create(sandbox, lena, body_of(LIND, "Film", content={"media": {"id": clip}})))
    created(create(sandbox, lena, body_of(LIND, "Read", content={"media": {"id": paper, "title": "Plans"}})))
    created(create(sandbox, lena, body_of(LIND, "Look", content={"article": card})))

    assert urn.startswith("urn:li:ugcPost:")
    rows = [(post["kind"], post["media"], post["title"], post["description"]) for post in sandbox.feed(LIND)]
    assert rows == [("video", 1, "", ""), ("document", 1, "Plans", ""), ("article", 1, "Oak", "Larch")]
    answer = requests.get(f"{sandbox.url}/linkedin/company/lind-and-daughters/", timeout=10)
    assert all(text in answer.text for text in ("<video controls", "poster=", "<strong>Plans</strong>", "3 pages"))
    assert "media-src 'self'" in answer.headers["Content-Security-Policy"]
    for name in ("V4E", "D4E", "C4E"):
        assert f"linkedin-{name}" in answer.text


@pytest.mark.parametrize(
    ("media", "answer"),
    [
        ({"id": "urn:li:video:1"}, (400, "INVALID_URN_ID")),
        ({"id": "urn:li:document:1", "title": "x"}, (400, "INVALID_URN_ID")),
        ({"id": "urn:li:document:1"}, (422, "UNPROCESSABLE_ENTITY")),
    ],
)
def test_media_that_cannot_be_posted(
    sandbox: Sandbox, lena: GrantedMember, media: dict[str, str], answer: tuple[int, str]
) -> None:
    assert refused(create(sandbox, lena, body_of(LIND, content={"media": media}))) == answer


def test_a_video_must_be_ready_and_the_authors(sandbox: Sandbox, lena: GrantedMember) -> None:
    content = padded()
    value = announce(sandbox, lena, LIND, len(content)).json()["value"]
    codes = [create(sandbox, lena, body_of(LIND, content={"media": {"id": value["video"]}})).json()["code"]]
    finish(sandbox, lena, value, put_all(value, content))
    codes.append(create(sandbox, lena, body_of(LIND, content={"media": {"id": value["video"]}})).json()["code"])
    time.sleep(0.3)
    codes.append(create(sandbox, lena, body_of(lena.urn, content={"media": {"id": value["video"]}})).json()["code"])
    bad = upload_video(sandbox, lena, b"no film" * 20_000)
    codes.append(create(sandbox, lena, body_of(LIND, content={"media": {"id": bad}})).json()["code"])

    assert codes == [
        "MEDIA_ASSET_WAITING_UPLOAD",
        "MEDIA_ASSET_PROCESSING",
        "INVALID_VALUE_FOR_FIELD",
        "MEDIA_ASSET_PROCESSING_FAILED",
    ]


def test_several_images_are_no_place_for_a_video(sandbox: Sandbox, lena: GrantedMember) -> None:
    images = {"images": [{"id": "urn:li:video:1"}, {"id": "urn:li:image:1"}]}

    assert refused(create(sandbox, lena, body_of(LIND, content={"multiImage": images}))) == (400, "INVALID_URN_TYPE")


def test_only_a_mention_with_the_right_name_is_one(sandbox: Sandbox, lena: GrantedMember) -> None:
    created(create(sandbox, lena, body_of(LIND, f"With @[Lind & Daughters]({LIND})")))
    created(create(sandbox, lena, body_of(LIND, f"With @[Lind and Daughters]({LIND})")))

    assert [(post["message"], post["mentions"]) for post in sandbox.feed(LIND)] == [
        ("With Lind & Daughters", [LIND]),
        ("With Lind and Daughters", []),
    ]


# Comments


def comment(sandbox: Sandbox, member: GrantedMember, urn: str, actor: str, text: str = "First") -> requests.Response:
    body = {"actor": actor, "object": urn, "message": {"text": text}}
    return sandbox.linkedin_call("POST", f"socialActions/{key(urn)}/comments", member.access_token, json=body)


def test_a_comment_stands_below_its_post(sandbox: Sandbox, lena: GrantedMember) -> None:
    ours = created(create(sandbox, lena, body_of(LIND)))
    mine = created(create(sandbox, lena, body_of(lena.urn)))
    answer = comment(sandbox, lena, ours, LIND, "First (of_all)")
    assert comment(sandbox, lena, mine, lena.urn).status_code == 201

    listed = sandbox.linkedin_call("GET", f"socialActions/{key(ours)}/comments", lena.access_token).json()

    assert answer.status_code == 201
    assert answer.headers["x-restli-id"] == answer.json()["id"]
    assert [row["commentUrn"] for row in listed["elements"]] == [answer.json()["commentUrn"]]
    assert listed["elements"][0]["message"]["text"] == "First (of_all)"
    assert sandbox.feed(LIND)[0]["comments"] == ["First (of_all)"]
    page = requests.get(f"{sandbox.url}/linkedin/feed/update/{ours}/", timeout=10).text
    assert "First (of_all)" in page
    denied = sandbox.linkedin_call("GET", f"socialActions/{key(mine)}/comments", lena.access_token)
    assert refused(denied) == (403, "ACCESS_DENIED")


def test_commenting_needs_more_than_posting(sandbox: Sandbox, lena: GrantedMember) -> None:
    urn = created(create(sandbox, lena, body_of(LIND)))
    path = f"socialActions/{key(urn)}/comments"

    assert refused(comment(sandbox, lena, urn, sandbox.member("mika").urn)) == (403, "ACCESS_DENIED")
    assert refused(comment(sandbox, lena, urn, LIND, "x" * 1_251)) == (400, "FIELD_LENGTH_TOO_LONG")
    assert comment(sandbox, lena, "urn:li:share:1", LIND).status_code == 404
    narrow = sandbox.member("lena", scopes=FEED_SCOPES)  # the one before ends with it
    assert refused(comment(sandbox, narrow, urn, LIND)) == (403, "ACCESS_DENIED")
    assert refused(comment(sandbox, narrow, urn, narrow.urn)) == (403, "ACCESS_DENIED")
    assert refused(sandbox.linkedin_call("GET", path, narrow.access_token)) == (403, "ACCESS_DENIED")
    assert sandbox.feed(LIND)[0]["comments"] == []


# Faults


def test_processing_can_be_made_to_fail(sandbox: Sandbox, lena: GrantedMember) -> None:
    sandbox.fault("processing_failed", edge="linkedin.videos")
    first, second = (upload_video(sandbox, lena, padded()) for _ in range(2))
    sandbox.fault("processing_failed", edge="linkedin.documents")
    paper = upload_document(sandbox, lena, pdf(1))

    assert [video(sandbox, lena, urn)["status"] for urn in (first, second)] == ["PROCESSING_FAILED", "AVAILABLE"]
    assert document(sandbox, lena, paper)["status"] == "PROCESSING_FAILED"


@pytest.mark.parametrize("edge", ["linkedin.videos", "linkedin.dms-uploads", "linkedin.socialActions"])
def test_faults_strike_uploads_and_comments_of_one_account(sandbox: Sandbox, lena: GrantedMember, edge: str) -> None:
    urn = created(create(sandbox, lena, body_of(LIND)))
    value = announce(sandbox, lena, size=10).json()["value"]
    sandbox.fault("error_before", edge=edge, account=LIND)

    answer = {
        "linkedin.videos": lambda: announce(sandbox, lena, size=10),
        "linkedin.dms-uploads": lambda: put_part(value["uploadInstructions"][0]["uploadUrl"], b"1234567890"),
        "linkedin.socialActions": lambda: comment(sandbox, lena, urn, LIND),
    }[edge]()

    assert answer.status_code == 503
    assert comment(sandbox, lena, urn, LIND).status_code == 201
