"""Webhooks by API: the same functions and the same judgement as the pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from accounts.models import IdempotentAnswer, Role, User, Workspace
from publishing.models import WebhookDelivery, WebhookEndpoint
from publishing.webhooks import deliver, ends
from tests.accounts.conftest import member
from tests.api.programs import Program, error_of, fields_of, program_of
from tests.factories import workspace_of
from tests.webhooks.conftest import Receiver

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr("publishing.api.webhooks.wake_sender", lambda: None)


@pytest.fixture
def program(workspace: Workspace, owner: User) -> Program:
    return program_of(workspace, owner)


def made(program: Program, receiver: Receiver, **fields: Any) -> dict[str, Any]:
    response = program("POST", "webhooks", {"url": receiver.url, **fields})
    assert response.status_code == 201, response.content
    body: dict[str, Any] = response.json()
    return body


def test_a_program_adds_one_tests_it_and_reads_how_it_went(program: Program, receiver: Receiver) -> None:
    webhook = made(program, receiver, description="CRM", kinds=["post.published"])
    assert webhook["secret"] == WebhookEndpoint.objects.get().secret.reveal()
    (listed,) = program("GET", "webhooks").json()["webhooks"]
    assert listed == {name: value for name, value in webhook.items() if name != "secret"}
    assert program("GET", f"webhooks/{webhook['id']}").json() == listed
    sent = program("POST", f"webhooks/{webhook['id']}/test")
    assert sent.status_code == 202
    deliver.run()
    (delivery,) = program("GET", f"webhooks/{webhook['id']}/deliveries").json()["deliveries"]
    assert delivery["id"] == sent.json()["id"]
    assert (delivery["status"], delivery["kind"], delivery["responseStatus"]) == ("delivered", "test", 204)
    whole = program("GET", f"webhook-deliveries/{delivery['id']}").json()
    assert whole["payload"]["type"] == "test"
    assert whole["tries"][0]["status"] == 204
    again = program("POST", f"webhook-deliveries/{delivery['id']}/replay")
    assert again.status_code == 202
    assert again.json()["replays"] == delivery["id"]
    deliver.run()
    assert len({got.id for got in receiver.got}) == 1
    assert len(receiver.got) == 2


def test_the_log_is_paged_and_filtered(program: Program, receiver: Receiver, owner: User) -> None:
    webhook = made(program, receiver)
    endpoint = WebhookEndpoint.objects.get()
    for _number in range(5):
        ends.send_test(endpoint, owner)
    address = f"webhooks/{webhook['id']}/deliveries"
    first = program("GET", f"{address}?limit=3").json()
    second = program("GET", f"{address}?limit=3&cursor={first['nextCursor']}").json()
    assert len({one["id"] for one in [*first["deliveries"], *second["deliveries"]]}) == 5
    assert second["nextCursor"] is None
    assert program("GET", f"{address}?status=failed").json()["deliveries"] == []
    assert len(program("GET", f"{address}?kind=test&status=waiting").json()["deliveries"]) == 5
    error_of(program("GET", f"{address}?status=nonsense"), 422)


def test_it_is_changed_rolled_paused_resumed_and_deleted(program: Program, receiver: Receiver) -> None:
    webhook = made(program, receiver, kinds=["post.published"])
    here = f"webhooks/{webhook['id']}"
    changed = program("PATCH", here, {"description": "Other"}).json()
    assert (changed["description"], changed["kinds"], changed["url"]) == ("Other", ["post.published"], receiver.url)
    assert program("POST", f"{here}/secret").json()["secret"] not in ("", webhook["secret"])
    assert program("POST", f"{here}/pause").json()["pausedAt"]
    assert error_of(program("POST", f"{here}/test"), 409)["code"] == "paused"
    assert program("POST", f"{here}/resume", {"missed": "skip"}).json()["pausedAt"] is None
    assert program("POST", f"{here}/resume").status_code == 200
    assert program("DELETE", here).status_code == 204
    error_of(program("GET", here), 404)


def test_what_the_page_refuses_is_refused(program: Program, receiver: Receiver) -> None:
    assert "private network" in fields_of(program("POST", "webhooks", {"url": "https://127.0.0.1/"}))["url"][0]
    assert "https addresses" in fields_of(program("POST", "webhooks", {"url": "http://example.com/"}))["url"][0]
    assert fields_of(program("POST", "webhooks", {"url": "x" * 3000}))["url"]
    assert fields_of(program("POST", "webhooks", {"url": receiver.url, "kinds": ["nonsense"]}))
    assert fields_of(program("POST", "webhooks", {"url": receiver.url, "secret": "whsec_mine"}))
    webhook = made(program, receiver)
    assert fields_of(program("PATCH", f"webhooks/{webhook['id']}", {"url": "https://localhost/"}))["url"]
    for _number in range(ends.MOST_ENDPOINTS - 1):
        made(program, receiver)
    assert error_of(program("POST", "webhooks", {"url": receiver.url}), 409)["code"] == "too_many_webhooks"


def test_a_secret_is_kept_nowhere_in_clear(program: Program, receiver: Receiver) -> None:
    response = program("POST", "webhooks", {"url": receiver.url}, Idempotency_Key="once")
    assert response.json()["secret"].startswith("whsec_")
    assert not IdempotentAnswer.objects.exists()


def test_only_managers_with_the_scope_and_only_their_own(
    program: Program, receiver: Receiver, workspace: Workspace, owner: User, stranger: User
) -> None:
    webhook = made(program, receiver)
    here = f"webhooks/{webhook['id']}"
    sent = program("POST", f"{here}/test").json()
    reader = program_of(workspace, owner, "read")
    assert reader("GET", here).status_code == 200
    error_of(reader("DELETE", here), 403)
    error_of(reader("POST", "webhooks", {"url": receiver.url}), 403)
    editor = program_of(workspace, member(workspace, Role.EDITOR))
    error_of(editor("GET", "webhooks"), 403)
    theirs = program_of(workspace_of(stranger), stranger)
    assert theirs("GET", "webhooks").json() == {"webhooks": []}
    for method, address in (
        ("GET", here),
        ("PATCH", here),
        ("DELETE", here),
        ("POST", f"{here}/secret"),
        ("POST", f"{here}/pause"),
        ("POST", f"{here}/resume"),
        ("POST", f"{here}/test"),
        ("GET", f"{here}/deliveries"),
        ("GET", f"webhook-deliveries/{sent['id']}"),
        ("POST", f"webhook-deliveries/{sent['id']}/replay"),
    ):
        body = {"description": "x"} if method == "PATCH" else None
        error_of(theirs(method, address, body), 404)
    assert WebhookDelivery.objects.count() == 1


def test_a_repeated_request_sends_nothing_twice(program: Program, receiver: Receiver) -> None:
    webhook = made(program, receiver)
    first, again = (program("POST", f"webhooks/{webhook['id']}/test", Idempotency_Key="one") for _ in range(2))
    assert (first.status_code, first.json()) == (202, again.json())
    assert again["Idempotent-Replayed"] == "true"
    deliver.run()
    address = f"webhook-deliveries/{first.json()['id']}/replay"
    replays = [program("POST", address, Idempotency_Key="two").json()["id"] for _ in range(2)]
    assert replays[0] == replays[1]
    deliver.run()
    assert len(receiver.got) == 2
