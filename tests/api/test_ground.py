"""Who may call, what every error looks like, and what a repeated request does: on routes of the tests' own."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from accounts import api_keys
from accounts.models import ApiKey, IdempotentAnswer, Membership, Role, User, Workspace
from socialhub.redaction import redact
from tests.api import ground_urls
from tests.api.programs import Program, error_of, program_of
from tests.factories import make_post, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.ground_urls")]

ALL = ApiKey.Scope.values
LISTS_FOR_AN_ID = urlsafe_b64encode(json.dumps(["2026-01-01T00:00:00+00:00", ["a"] * 36]).encode()).decode()


@pytest.fixture
def program(workspace: Workspace, owner: User) -> Program:
    ground_urls.made.clear()
    return program_of(workspace, owner)


# --- Keys -----------------------------------------------------------------------------------------------------


def test_a_key_opens_its_workspace(program: Program, workspace: Workspace) -> None:
    response = program("GET", "read")
    assert response.json()["someText"] == str(workspace.pk)
    assert "no-store" in response["Cache-Control"]


def test_the_text_of_a_key_is_nowhere(workspace: Workspace, owner: User) -> None:
    key, text = api_keys.make(workspace, owner, "Robot", ["publish", "read", "made up"])
    assert len(text) == len("shk_") + 43
    key.refresh_from_db()
    assert text not in str(vars(key))
    assert text.startswith(key.start)
    assert key.scopes == ["read", "publish"]
    assert redact(f"Authorization: Bearer {text}") == "Authorization: Bearer […]"
    assert key.start in redact(str(key)), "what people tell keys apart by may be read"


@pytest.mark.parametrize(
    "how", ["revoked", "expired", "inactive", "no member", "deleted workspace", "made up", "basic"]
)
def test_a_dead_key_opens_nothing(workspace: Workspace, owner: User, how: str) -> None:
    key, text = api_keys.make(workspace, owner, "Robot", ALL, timezone.now() + timedelta(days=1))
    program = Program(text)
    assert program("GET", "read").status_code == 200
    match how:
        case "revoked":
            api_keys.revoke(key, owner)
        case "expired":
            ApiKey.objects.update(expires_at=timezone.now())
        case "inactive":
            User.objects.update(is_active=False)
        case "no member":
            Membership.objects.filter(user=owner).delete()
        case "deleted workspace":
            Workspace.objects.update(deleting_at=timezone.now())
        case "made up":
            program = Program(text[:-1] + ("a" if text[-1] != "a" else "b"))
    headers = {"Authorization": f"Basic {text}"} if how == "basic" else {}
    response = program("GET", "read", **headers)
    assert error_of(response, 401)["code"] == "unauthenticated"
    assert response["WWW-Authenticate"] == "Bearer"


def test_use_is_noted_every_five_minutes(workspace: Workspace, owner: User, django_assert_num_queries: Any) -> None:
    key, text = api_keys.make(workspace, owner, "Robot", ALL)
    assert api_keys.find(text)
    key.refresh_from_db()
    noted = key.last_used_at
    assert noted
    with django_assert_num_queries(1):
        api_keys.find(text)
    ApiKey.objects.update(last_used_at=noted - timedelta(minutes=6))
    api_keys.find(text)
    key.refresh_from_db()
    assert key.last_used_at >= noted


@pytest.mark.parametrize(
    ("scopes", "role", "opens"),
    [
        (["read"], Role.OWNER, {"read"}),
        (["write"], Role.OWNER, {"write", "manage"}),
        (["publish"], Role.OWNER, {"publish"}),
        ([], Role.OWNER, set()),
        (ALL, Role.ADMIN, {"read", "write", "publish", "manage"}),
        (ALL, Role.EDITOR, {"read", "write", "publish"}),
        (ALL, Role.VIEWER, {"read"}),
    ],
)
def test_a_key_reaches_as_far_as_its_scopes_and_its_person(
    workspace: Workspace, scopes: list[str], role: Role, opens: set[str]
) -> None:
    person = make_user()
    Membership.objects.create(workspace=workspace, user=person, role=role)
    program = Program(api_keys.make(workspace, person, "Robot", scopes)[1])
    asked = {"read": "GET", "write": "POST", "publish": "POST", "manage": "POST"}
    for address, method in asked.items():
        response = program(method, address, {"someText": "x"} if address == "write" else None)
        if address in opens:
            assert response.status_code < 300, address
        else:
            assert error_of(response, 403)["code"] in ("scope", "role")


def test_a_key_of_a_program_does_not_borrow_a_session(signed_in: Client) -> None:
    response = signed_in.get("/api/social/read", headers={"Authorization": "Bearer shk_nothing"})
    assert error_of(response, 401)


def test_words_are_those_of_the_person(workspace: Workspace, owner: User) -> None:
    owner.language = "de"
    owner.save()
    response = program_of(workspace, owner)("GET", "nowhere-known")
    assert response.status_code == 404
    assert program_of(workspace, owner)("GET", "read")["Content-Language"] == "de"


# --- Sessions -------------------------------------------------------------------------------------------------


def test_a_session_opens_the_workspace_that_was_chosen(signed_in: Client, workspace: Workspace) -> None:
    assert signed_in.get("/api/social/read").json()["someText"] == str(workspace.pk)


def test_nobody_gets_in(client: Client) -> None:
    error_of(client.get("/api/social/read"), 401)


def test_a_session_alone_changes_nothing(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    response = client.post("/api/social/write", {"someText": "x"}, "application/json")
    assert error_of(response, 403)["code"] == "csrf"
    client.cookies["csrftoken"] = token = "a" * 32
    response = client.post("/api/social/write", {"someText": "x"}, "application/json", headers={"X-CSRFToken": token})
    assert response.status_code == 201
    assert client.get("/api/social/read").status_code == 200


def test_a_person_without_a_workspace_is_told(signed_in: Client) -> None:
    Membership.objects.all().delete()
    assert error_of(signed_in.get("/api/social/read"), 403)["code"] == "no_workspace"


@override_settings(API_RATE=(3, 3600))
def test_too_many_calls_are_asked_to_wait(program: Program, workspace: Workspace, owner: User) -> None:
    assert [program("GET", "read").status_code for _call in range(3)] == [200] * 3
    response = program("GET", "read")
    assert error_of(response, 429)["code"] == "too_many_requests"
    assert 0 < int(response["Retry-After"]) <= 3600
    assert program_of(workspace, owner)("GET", "read").status_code == 200, "each key has its own"


def test_without_redis_nobody_is_held_up(program: Program, settings: Any) -> None:
    settings.API_RATE = (1, 3600)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    assert [program("GET", "read").status_code for _call in range(3)] == [200] * 3


# --- Errors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "address", "body", "status", "code"),
    [
        ("GET", "nowhere", None, 404, "not_found"),
        ("GET", "", None, 404, "not_found"),
        ("DELETE", "read", None, 405, "method_not_allowed"),
        ("POST", "write", "{", 400, "malformed"),
        ("POST", "write", "[" * 100_000, 400, "malformed"),
        ("POST", "write", '{"someText": ' + "[" * 30 + "]" * 30 + "}", 400, "malformed"),
        ("POST", "write", '{"someText": NaN}', 400, "malformed"),
        ("POST", "write", {"someText": "a\0b"}, 400, "malformed"),
        ("POST", "write", '{"someText": "\\ud800"}', 400, "malformed"),
        ("POST", "write", b'{"someText": "\xff"}', 400, "malformed"),
        ("POST", "write", "9" * 5_000, 400, "malformed"),
        ("POST", "write", '"text"', 422, "invalid"),
        ("POST", "write", {"someText": "x" * 3_000_000}, 413, "too_large"),
        ("POST", "write", {"someText": "race"}, 409, "lost_race"),
        ("POST", "write", {"someText": "forbid"}, 403, "forbidden"),
        ("GET", "posts?cursor=%00", None, 400, "malformed"),
        ("GET", "posts?cursor=bm90aGluZw", None, 400, "cursor"),
        ("GET", "posts?cursor=" + LISTS_FOR_AN_ID, None, 400, "cursor"),
        ("GET", "posts?limit=0", None, 422, "invalid"),
    ],
)
def test_every_error_has_the_same_shape(
    program: Program, method: str, address: str, body: Any, status: int, code: str
) -> None:
    assert error_of(program(method, address, body), status)["code"] == code


def test_a_wrong_field_is_named_as_it_was_sent(program: Program) -> None:
    error = error_of(program("POST", "write", {"some_text": "x", "dueAt": 5}), 422)
    assert set(error["fields"]) == {"someText", "some_text", "dueAt"}
    assert error["fields"]["some_text"] == ["There is no such field."]
    error = error_of(program("POST", "write", {"someText": 1}), 422)
    assert error["fields"] == {"someText": ["This must be a text."]}
    error = error_of(program("POST", "write", {"someText": "x", "dueAt": "2026-13-01T00:00:00Z"}), 422)
    assert error["fields"] == {"dueAt": ["Write it as in 2026-11-21T09:30:00Z."]}
    assert error_of(program("POST", "write", []), 422)["fields"] == {"body": ["This must be an object."]}
    assert error_of(program("GET", "posts?limit=many"), 422)["fields"].keys() == {"limit"}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_that_is_not_json_is_refused(program: Program, kind: str) -> None:
    response = Client().generic(
        "POST", "/api/social/write", '{"someText": "x"}', kind, headers={"Authorization": f"Bearer {program.key}"}
    )
    assert error_of(response, 415)


def test_a_fault_of_ours_is_said_in_the_same_shape(program: Program) -> None:
    client = Client(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {program.key}"}
    response = client.post("/api/social/write", {"someText": "break"}, "application/json", headers=headers)
    error = error_of(response, 500)
    assert error["code"] == "internal"
    assert "RuntimeError" not in response.content.decode()


@pytest.mark.parametrize("address", ["read", "tagged", "posts", "openapi.json"])
def test_head_is_get_without_the_body(program: Program, address: str) -> None:
    got, head = program("GET", address), program("HEAD", address)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "ETag", "Cache-Control", "Vary"):
        assert head.get(name) == got.get(name), name


def test_head_is_nothing_where_there_is_nothing_to_get(program: Program) -> None:
    assert program("HEAD", "write").status_code == 405
    assert program("HEAD", "elsewhere").status_code == 404
    assert program("PUT", "read")["Allow"] == "GET, HEAD"
    assert Client().head("/api/social/read").status_code == 401


@override_settings(ALLOWED_HOSTS=["hub.example.com"])
def test_another_host_is_refused_in_the_same_shape(client: Client) -> None:
    error_of(client.get("/api/social/read", headers={"Host": "evil.example"}), 400)


def test_times_go_out_in_utc(program: Program) -> None:
    response = program("POST", "write", {"someText": "x", "dueAt": "2026-11-21T10:00:00+02:00"})
    assert response.json()["dueAt"] == "2026-11-21T08:00:00.000Z"


# --- Pages ----------------------------------------------------------------------------------------------------


def test_a_list_goes_on_where_it_ended(program: Program, workspace: Workspace) -> None:
    wanted = [str(make_post(workspace).pk) for _number in range(5)][::-1]
    seen, cursor = [], ""
    for _page in range(3):
        body = program("GET", f"posts?limit=2&cursor={cursor}").json()
        seen += body["ids"]
        cursor = body["nextCursor"] or ""
    assert (seen, cursor) == (wanted, "")


# --- The same again -------------------------------------------------------------------------------------------


def test_a_repeated_request_does_nothing_more(program: Program) -> None:
    first, again = (program("POST", "write", {"someText": "x"}, Idempotency_Key="k1") for _time in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.json()["key"]
    assert again["Idempotent-Replayed"] == "true"
    assert ground_urls.made == ["x"]


def test_a_key_is_not_for_another_request(program: Program) -> None:
    program("POST", "write", {"someText": "x"}, Idempotency_Key="k1")
    response = program("POST", "write", {"someText": "y"}, Idempotency_Key="k1")
    assert error_of(response, 422)["code"] == "idempotency_key_reused"
    assert ground_urls.made == ["x"]


def test_each_program_has_keys_of_its_own(program: Program, workspace: Workspace, owner: User) -> None:
    one = program("POST", "write", {"someText": "x"}, Idempotency_Key="k1").json()
    other = program_of(workspace, owner)("POST", "write", {"someText": "x"}, Idempotency_Key="k1").json()
    assert one["key"] != other["key"]
    assert ground_urls.made == ["x", "x"]


def test_what_was_refused_may_be_tried_again(program: Program) -> None:
    assert error_of(program("POST", "write", {"someText": "refuse"}, Idempotency_Key="k1"), 422)
    assert error_of(program("POST", "write", {"someText": "race"}, Idempotency_Key="k2"), 409)
    assert not IdempotentAnswer.objects.exists()


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "ä", "a\tb"])
def test_a_key_that_is_none_is_refused(program: Program, key: str) -> None:
    assert error_of(program("POST", "write", {"someText": "x"}, Idempotency_Key=key), 400)


def test_a_request_that_died_is_taken_over_when_its_time_is_up(program: Program) -> None:
    program("POST", "write", {"someText": "x"}, Idempotency_Key="k1")
    IdempotentAnswer.objects.update(status=None, body=None)
    response = program("POST", "write", {"someText": "x"}, Idempotency_Key="k1")
    assert error_of(response, 409)["code"] == "under_way"
    assert response["Retry-After"]
    IdempotentAnswer.objects.update(lease_until=timezone.now())
    assert program("POST", "write", {"someText": "x"}, Idempotency_Key="k1").status_code == 201
    assert IdempotentAnswer.objects.get().status == 201


def test_whoever_lost_its_request_to_another_one_does_nothing(program: Program) -> None:
    """It took more than a minute, and a repeat has it in hand."""
    response = program("POST", "write", {"someText": "overtaken"}, Idempotency_Key="k1")
    assert error_of(response, 409)["code"] == "under_way"
    assert not IdempotentAnswer.objects.exclude(status=None).exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_does_it(program: Program) -> None:
    start, statuses = Barrier(6), []

    def ask() -> None:
        start.wait()
        try:
            statuses.append(program("POST", "write", {"someText": "x"}, Idempotency_Key="k1").status_code)
        finally:
            connection.close()

    threads = [Thread(target=ask) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ground_urls.made == ["x"]
    assert set(statuses) <= {201, 409}
    assert 201 in statuses


# --- States ---------------------------------------------------------------------------------------------------


def test_what_is_known_is_not_sent_again(program: Program) -> None:
    tag = program("GET", "tagged")["ETag"]
    same = program("GET", "tagged", If_None_Match=f'"other", W/{tag}')
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", tag)
    assert program("GET", "tagged", If_None_Match='"other"').status_code == 200


def test_what_nobody_has_seen_is_not_written_over(program: Program) -> None:
    tag = program("GET", "tagged")["ETag"]
    assert program("PATCH", "tagged", {"someText": "x"}, If_Match=tag).status_code == 200
    assert program("PATCH", "tagged", {"someText": "x"}, If_Match="*").status_code == 200
    assert error_of(program("PATCH", "tagged", {"someText": "x"}, If_Match='"old"'), 412)
    assert error_of(program("PATCH", "tagged", {"someText": "x"}, If_Match=f"W/{tag}"), 412)


# --- The document ---------------------------------------------------------------------------------------------


def test_the_document_tells_who_may_and_what_can_go_wrong() -> None:
    document = json.loads(json.dumps(ground_urls.api.get_openapi_schema(), default=str))
    write = document["paths"]["/api/social/write"]["post"]
    assert write["security"] == [{"apiKey": ["write"]}, {"session": []}]
    assert set(write["responses"]) == {"201", "400", "401", "403", "404", "405", "409", "413", "415", "422", "429"}
    assert [one["name"] for one in write["parameters"]] == ["Idempotency-Key"]
    assert set(document["components"]["schemas"]["Asked"]["properties"]) == {"someText", "dueAt"}
    assert document["components"]["schemas"]["Asked"]["additionalProperties"] is False
