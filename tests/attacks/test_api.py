"""Attacks on the JSON API: keys, bodies, fields that nobody offers, and addresses that it is made to fetch or call."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import api_keys
from accounts.models import ApiKey, ConnectedAccount, Role, User, Workspace
from publishing.models import MediaFile, Post, WebhookEndpoint
from tests.accounts.conftest import member
from tests.api.programs import Program, error_of, program_of
from tests.factories import make_account, make_media, make_post, workspace_of
from tests.publishing.pictures import photo

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def program(workspace: Workspace, owner: User) -> Program:
    return program_of(workspace, owner)


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace)


# --- Keys -----------------------------------------------------------------------------------------------------


def test_a_stolen_database_opens_nothing(workspace: Workspace, owner: User) -> None:
    """What is kept of a key is neither the key nor anything that the API takes in its place."""
    key, text = api_keys.make(workspace, owner, "Robot", ["read"])
    kept = [str(value) for value in ApiKey.objects.filter(pk=key.pk).values_list().get()]
    assert not any(text in value or text.removeprefix("shk_") in value for value in kept)
    for value in (*kept, f"shk_{key.digest}", key.digest, key.start):
        assert Program(value)("GET", "posts").status_code == 401
    assert Program(text)("GET", "posts").status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic {}",
        "{}",
        "Bearer {}x",
        "Bearer {},",
        "Token {}",
        "Bearer null",
        "Bearer " + "a" * 50_000,
    ],
)
def test_what_is_no_key_opens_nothing(workspace: Workspace, owner: User, said: str) -> None:
    _key, text = api_keys.make(workspace, owner, "Robot", ["read"])
    response = Client().get("/api/social/posts", headers={"Authorization": said.replace("{}", text)})
    assert error_of(response, 401)["code"] == "unauthenticated"


@pytest.mark.parametrize("place", ["key", "api_key", "access_token", "Authorization"])
def test_a_key_in_an_address_is_no_key(workspace: Workspace, owner: User, place: str) -> None:
    """Addresses are logged, kept and passed on by everybody on the way."""
    _key, text = api_keys.make(workspace, owner, "Robot", ["read"])
    assert Client().get("/api/social/posts", {place: text}).status_code == 401


def test_a_session_beside_a_wrong_key_does_not_help(signed_in: Client) -> None:
    wrong = {"Authorization": "Bearer shk_" + "a" * 43}
    assert signed_in.get("/api/social/posts", headers=wrong).status_code == 401


def test_a_key_never_goes_beyond_its_person(workspace: Workspace, account: ConnectedAccount) -> None:
    """Made while its person was an admin: what counts is what that person may do now."""
    person = member(workspace, Role.ADMIN)
    robot = program_of(workspace, person)
    assert robot("POST", f"connected-accounts/{account.pk}/pause", {}).status_code == 200
    person.memberships.update(role=Role.VIEWER)
    assert error_of(robot("POST", f"connected-accounts/{account.pk}/resume"), 403)["code"] == "role"
    assert error_of(robot("POST", "posts", {"content": "Hello"}), 403)["code"] == "role"
    person.memberships.all().delete()
    assert robot("GET", "posts").status_code == 401


def test_a_key_of_one_workspace_is_none_in_another_of_the_same_person(owner: User, stranger: User) -> None:
    other = workspace_of(stranger)
    other.memberships.create(user=owner, role=Role.OWNER)
    post = make_post(other, make_account(other))
    robot = program_of(workspace_of(owner), owner)
    assert robot("GET", f"posts/{post.pk}").status_code == 404
    assert robot("DELETE", f"posts/{post.pk}").status_code == 404
    assert Post.objects.filter(pk=post.pk).exists()


# --- Bodies ---------------------------------------------------------------------------------------------------

BODIES = {
    "lists in lists": "[" * 100_000,
    "objects in objects": '{"a":' * 100_000,
    "closed lists": "[" * 50_000 + "]" * 50_000,
    "within what we take": '{"content": "a", "choices": ' + '{"a":' * 500 + "1" + "}" * 501,
    "a number without end": '{"content": ' + "9" * 100_000 + "}",
    "a number that is none": '{"content": NaN}',
    "the same name twice": '{"content": "a", "content": {"b": 1}}',
    "halves of characters": '{"content": "\\ud800"}',
    "a nul": '{"content": "\\u0000"}',
    "no text": b"\xff\xfe\x00\x01",
    "a list": "[]",
    "a text": '"a"',
    "nothing": "",
    "a prototype": '{"__proto__": {"isAdmin": true}, "constructor": {"prototype": {}}}',
}


@pytest.mark.parametrize("what", BODIES)
def test_a_body_made_to_break_the_reader_is_refused(program: Program, what: str) -> None:
    began = time.process_time()
    for method, address in (("POST", "posts"), ("POST", "validate"), ("POST", "disconnect"), ("POST", "webhooks")):
        response = program(method, address, BODIES[what])
        assert response.status_code in (400, 413, 422), (address, response.content)
        assert set(response.json()) == {"error"}
    assert time.process_time() - began < 3
    assert not Post.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {str(number): 1 for number in range(20_000)},
        {"captions": {str(number): "x" for number in range(20_000)}},
        {"choices": {"facebook": {str(number): "x" for number in range(20_000)}}},
        {"accountIds": ["x"] * 20_000},
    ],
    ids=["fields", "captions", "choices", "ids"],
)
def test_many_mistakes_at_once_make_no_large_answer(program: Program, body: dict[str, Any]) -> None:
    response = program("POST", "posts", body)
    assert error_of(response, 422)["fields"]
    assert len(response.content) < 10_000


def test_a_body_that_is_too_large_is_refused_unread(program: Program) -> None:
    response = program("POST", "posts", json.dumps({"content": "a" * 4_000_000}))
    assert error_of(response, 413)["code"] == "too_large"


@pytest.mark.parametrize(
    "type_", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"]
)
def test_a_form_of_another_site_cannot_speak_json(signed_in: Client, type_: str) -> None:
    """What a browser sends anywhere without asking first is not taken, whatever stands in it."""
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in.cookies
    response = client.generic("POST", "/api/social/posts", '{"content": "Hello"}', content_type=type_)
    assert response.status_code in (403, 415)
    assert not Post.objects.exists()


def test_a_stranger_cannot_make_us_read_a_large_body() -> None:
    """Nobody has looked at a key yet: it is refused by its length, in the words of the API."""
    sent = {"content_type": "multipart/form-data; boundary=a"}
    response = Client().generic("POST", "/api/social/media", b"a" * 200_000, **sent)
    assert error_of(response, 413)["code"] == "too_large"


def test_no_other_site_may_read_an_answer(program: Program) -> None:
    for method in ("GET", "OPTIONS"):
        response = program(method, "posts", Origin="https://evil.example", Access_Control_Request_Method="POST")
        assert not [name for name in dict(response.items()) if name.lower().startswith("access-control")]


# --- Fields that nobody offers --------------------------------------------------------------------------------

SMUGGLED = ["id", "status", "workspace", "workspaceId", "author", "createdBy", "publishedAt", "publications", "isStaff"]


@pytest.mark.parametrize("field", SMUGGLED)
def test_a_field_that_is_not_offered_is_refused(program: Program, account: ConnectedAccount, field: str) -> None:
    body = {"content": "Hello", "accountIds": [str(account.pk)], field: "published"}
    assert field in error_of(program("POST", "posts", body), 422)["fields"]
    post = make_post(account.workspace, account)
    assert field in error_of(program("PATCH", f"posts/{post.pk}", {field: "published"}), 422)["fields"]
    assert Post.objects.get().status == "draft"


def test_things_of_others_cannot_be_put_into_an_own_post(
    program: Program, account: ConnectedAccount, stranger: User
) -> None:
    foreign = workspace_of(stranger)
    media, theirs = make_media(foreign), make_account(foreign, name="Zanzibar")
    hello = {"content": "Hello", "accountIds": [str(account.pk)]}
    unknown = {**hello, "mediaIds": [str(uuid.uuid4())]}
    told = [program("POST", "posts", body).content for body in ({**hello, "mediaIds": [str(media.pk)]}, unknown)]
    assert told[0].replace(str(media.pk).encode(), b"") == told[1].replace(unknown["mediaIds"][0].encode(), b"")
    response = program("POST", "posts", {**hello, "accountIds": [str(theirs.pk)]})
    assert response.status_code in (404, 422)
    assert b"Zanzibar" not in response.content
    assert not Post.objects.exists()


def test_a_cursor_leads_nowhere_else(program: Program, workspace: Workspace, stranger: User) -> None:
    """One of another workspace, or a made-up one, is a place in the own list and nothing more."""
    foreign = workspace_of(stranger)
    for number in range(3):
        make_post(foreign, make_account(foreign), caption=f"Zanzibar {number}")
    theirs = program_of(foreign, stranger)("GET", "posts?limit=1").json()["nextCursor"]
    assert b"Zanzibar" not in program("GET", f"posts?cursor={theirs}").content
    for made_up in ("a", "W10", "bnVsbA", "A" * 299, "WyIyMDMwLTAxLTAxIiwiJyBPUiAxPTEtLSJd"):
        assert program("GET", f"posts?cursor={made_up}").status_code == 400


def test_an_idempotency_key_of_others_gives_nothing_away(
    program: Program, workspace: Workspace, account: ConnectedAccount, stranger: User
) -> None:
    body = {"content": "Zanzibar", "accountIds": [str(account.pk)]}
    assert program("POST", "posts", body, Idempotency_Key="one").status_code == 201
    for other in (program_of(workspace_of(stranger), stranger), program_of(workspace, member(workspace, Role.EDITOR))):
        response = other("POST", "posts", {"content": "Mine"}, Idempotency_Key="one")
        assert b"Zanzibar" not in response.content


# --- Addresses that we are made to call -----------------------------------------------------------------------

INSIDE = [
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "https://2130706433/a.jpg",
    "https://0x7f.1/a.jpg",
    "https://0177.0.0.1/a.jpg",
    "https://[::1]/a.jpg",
    "https://[::ffff:169.254.169.254]/latest/meta-data/",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.8:6379/",
    "https://user:password@example.com/a.jpg",
    "https://example.com:22/a.jpg",
    "http://example.com/a.jpg",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "ftp://example.com/a.jpg",
    "data:image/png;base64,AAAA",
    "https://example.com\r\nHost: evil/",
]


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_is_kept_to_be_called(
    program: Program, account: ConnectedAccount, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said at once where the address itself tells it; nothing is looked up while somebody waits."""
    hook = program("POST", "webhooks", {"url": address})
    assert hook.status_code == 422, hook.content
    assert not WebhookEndpoint.objects.exists()
    body = {"content": "Hello", "accountIds": [str(account.pk)], "mediaUrls": [address]}
    post = program("POST", "posts", body)
    assert post.status_code == 422, post.content
    assert not Post.objects.exists()


# --- Uploads and guessing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.svg"),
        (b"<!doctype html><script>alert(1)</script>", "a.jpg"),
        (b"", "a.jpg"),
        (b"GIF89a" + bytes(40), "../../a.gif"),
    ],
)
def test_a_program_uploads_no_more_than_a_person(workspace: Workspace, owner: User, content: bytes, name: str) -> None:
    file = photo()
    file.file.seek(0)
    file.file.truncate()
    file.file.write(content)
    file.file.seek(0)
    file.size, file._name = len(content), name
    _key, text = api_keys.make(workspace, owner, "Robot", ["write"])
    response = Client().post("/api/social/media", {"file": file}, headers={"Authorization": f"Bearer {text}"})
    assert response.status_code in (400, 422)
    assert set(response.json()) == {"error"}
    assert not MediaFile.objects.exists()


def test_keys_cannot_be_guessed_without_end(settings: Any, program: Program) -> None:
    """A key has 256 bits, so that guessing is hopeless; but whoever has one is counted."""
    settings.API_RATE = (5, 60)
    statuses = [program("GET", "posts").status_code for _number in range(7)]
    assert statuses[:5] == [200] * 5
    limited = program("GET", "posts")
    assert error_of(limited, 429)["code"] == "too_many_requests"
    assert 0 < int(limited["Retry-After"]) <= 60


def test_an_id_that_is_not_there_and_one_of_others_look_the_same(program: Program, stranger: User) -> None:
    foreign = workspace_of(stranger)
    post, media = make_post(foreign, make_account(foreign)), make_media(foreign)
    for kind, pk in (("posts", post.pk), ("media", media.pk)):
        theirs, nobodys = (program("GET", f"{kind}/{one}") for one in (pk, uuid.uuid4()))
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.content == nobodys.content
