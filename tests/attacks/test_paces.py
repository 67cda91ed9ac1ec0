"""Asking for what is dear without end: uploads, files, readings, handshakes and keys have a pace for each person."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from redis.exceptions import ConnectionError as NoRedis

from accounts.models import ConnectedAccount, User, Workspace
from socialhub import guards
from tests.api.programs import error_of, program_of
from tests.publishing.pictures import photo
from tests.test_isolation import Things, _network, ask, make_things

__all__ = ["_network"]

pytestmark = pytest.mark.django_db

# Address, what is posted (None: it is only asked for), and the pace that counts it.
DEAR: list[tuple[str, dict[str, Any] | None, str]] = [
    ("publishing:set_upload", {"images": "file"}, "upload"),
    ("publishing:post_new", {"upload": "file", "caption": "Hello"}, "upload"),
    ("publishing:post_edit", {"upload": "file", "caption": "Hello"}, "upload"),
    ("analytics:welcome_images", {"images": "file", "title": "Set"}, "upload"),
    ("analytics:export", None, "export"),
    ("analytics:account_sync", {}, "sync"),
    ("accounts:connect", {}, "connect"),
    ("accounts:buffer_key", {"key": "no-key-of-buffer"}, "connect"),
    ("accounts:api_keys", {"name": "Robot", "scopes": "read", "days": "30"}, "key"),
    ("analytics:workspace_export_new", {}, "workspace_export"),
]


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def things(workspace: Workspace, owner: User) -> Things:
    return make_things(workspace, owner)


def press(client: Client, things: Things, name: str, data: dict[str, Any] | None) -> Any:
    if data is None:
        return ask(client, "GET", things.url(name), {})
    return ask(
        client, "POST", things.url(name), {key: photo() if value == "file" else value for key, value in data.items()}
    )


@pytest.mark.parametrize(("name", "data", "action"), DEAR)
def test_too_often_is_refused_and_says_when_to_come_again(
    signed_in: Client,
    signed_in_stranger: Client,
    things: Things,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    data: dict[str, Any] | None,
    action: str,
) -> None:
    for client in (signed_in, signed_in_stranger):  # some of it asks who has not just said their password
        client.post(reverse("account_reauthenticate"), {"password": "correct horse"})
    monkeypatch.setitem(guards.PACES, action, guards.Pace(2, 3600))
    for _time in range(2):
        assert press(signed_in, things, name, data).status_code != 429
    refused = press(signed_in, things, name, data)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert "Too many tries" in refused.content.decode()
    assert press(signed_in_stranger, things, name, data).status_code != 429  # each person for themselves


def test_looking_costs_nothing(signed_in: Client, things: Things, monkeypatch: pytest.MonkeyPatch) -> None:
    for action in guards.PACES:
        monkeypatch.setitem(guards.PACES, action, guards.Pace(1, 3600))
    for _time in range(3):
        for name in ("publishing:post_new", "accounts:api_keys", "accounts:buffer_key", "analytics:welcome_images"):
            assert signed_in.get(things.url(name)).status_code != 429
        typed = {"caption": "Hello", "action": "draft"}
        assert signed_in.post(reverse("publishing:post_new"), typed).status_code != 429


def test_a_new_while_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(guards.PACES, "key", guards.Pace(1, 100))
    monkeypatch.setattr(time, "time", lambda: 1_000_050.0)
    assert [guards.wait_for("key", 1) for _time in range(2)] == [0, 50]
    monkeypatch.setattr(time, "time", lambda: 1_000_101.0)
    assert guards.wait_for("key", 1) == 0


def test_a_cache_that_is_away_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **named: object) -> None:
        raise NoRedis("away")

    monkeypatch.setattr(cache, "incr", away)
    assert guards.wait_for("export", 1) == 0


@pytest.mark.parametrize(
    ("address", "data", "action"),
    [
        ("media", {"file": "file"}, "upload"),
        ("insights/sync", {}, "sync"),
        ("connect/facebook", {}, "connect"),
        ("connected-accounts/{account}/verify", {}, "connect"),
    ],
)
def test_a_program_is_no_way_around_the_pace(
    things: Things,
    workspace: Workspace,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    data: dict[str, Any],
    action: str,
) -> None:
    """Another key begins no new count: it is that of the person."""
    monkeypatch.setitem(guards.PACES, action, guards.Pace(2, 3600))
    account = ConnectedAccount.objects.of(workspace).first()
    assert account
    answers = []
    for _time in range(3):
        said = {"Authorization": f"Bearer {program_of(workspace, owner).key}"}
        sent = {name: photo() for name in data}
        form = {"data": sent} if sent else {"content_type": "application/json"}
        answers.append(Client().post(f"/api/social/{address.format(account=account.pk)}", **form, headers=said))
    assert 429 not in {answer.status_code for answer in answers[:2]}
    assert error_of(answers[2], 429)["code"] == "too_many_requests"
    assert 0 < int(answers[2]["Retry-After"]) <= 3600
