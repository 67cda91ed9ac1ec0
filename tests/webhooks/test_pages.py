"""Settings → Webhooks: for owners and admins, with plain forms; the secret is shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User, Workspace
from publishing.models import WebhookDelivery, WebhookEndpoint
from publishing.webhooks import deliver, ends, payloads
from tests.accounts.conftest import member, sign_in
from tests.webhooks.conftest import Receiver, add

pytestmark = pytest.mark.django_db

LIST = "/settings/webhooks/"
Status = WebhookDelivery.Status


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How often a worker was asked to send."""
    asked: list[float] = []
    monkeypatch.setattr("publishing.views.webhooks.wake_sender", lambda: asked.append(0))
    return asked


def page(endpoint: WebhookEndpoint) -> str:
    return reverse("publishing:webhook", args=[endpoint.pk])


def logged(endpoint: WebhookEndpoint, number: int, **fields: Any) -> list[WebhookDelivery]:
    now = timezone.now()
    rows = WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            endpoint=endpoint,
            source=str(uuid4()),
            not_before=now,
            **{
                "kind": "publication.published",
                "payload": {"id": "m", "type": "publication.published", "data": {"permalink": "https://x.example/1"}},
                "status": Status.DELIVERED,
                "attempts": 1,
                **fields,
            },
        )
        for _number in range(number)
    )
    for age, row in enumerate(rows):
        WebhookDelivery.objects.filter(pk=row.pk).update(created_at=now - timedelta(minutes=age))
    return rows


def test_a_webhook_is_added_and_its_secret_shown_once(
    signed_in: Client, workspace: Workspace, owner: User, receiver: Receiver
) -> None:
    assert "No webhook yet" in signed_in.get(LIST).content.decode()
    response = signed_in.post(
        LIST, {"url": receiver.url, "description": "Our CRM", "kinds": ["publication.published", "account.trouble"]}
    )
    endpoint = WebhookEndpoint.objects.get()
    assert response.url == page(endpoint)
    assert (endpoint.workspace, endpoint.created_by) == (workspace, owner)
    assert endpoint.kinds == ["publication.published", "account.trouble"]
    secret = endpoint.secret.reveal()
    first = signed_in.get(page(endpoint))
    assert secret in first.content.decode()
    assert "no-store" in first["Cache-Control"]
    assert secret not in signed_in.get(page(endpoint)).content.decode()
    assert "Our CRM" in signed_in.get(LIST).content.decode()


def test_all_kinds_chosen_are_everything_also_what_comes_later(
    signed_in: Client, receiver: Receiver, workspace: Workspace
) -> None:
    signed_in.post(LIST, {"url": receiver.url, "kinds": list(payloads.KINDS)})
    assert WebhookEndpoint.objects.get().kinds == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "required"),
        ("no address", "valid URL"),
        ("ftp://example.com/", "https addresses"),
        ("http://example.com/hook", "https addresses"),
        ("https://example.com:8443/hook", "https addresses"),
        ("https://name:word@example.com/hook", "https addresses"),
        ("https://127.0.0.1/", "private network"),
        ("https://169.254.169.254/latest/meta-data/", "private network"),
        ("https://2130706433/", "valid URL"),
        ("https://[::1]/", "private network"),
        ("https://localhost/", "private network"),
    ],
)
def test_addresses_that_are_not_called_are_refused_with_the_reason(signed_in: Client, url: str, why: str) -> None:
    response = signed_in.post(LIST, {"url": url, "description": "Kept"})
    assert response.status_code == 422
    assert why in response.content.decode()
    assert 'value="Kept"' in response.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_a_name_that_nobody_knows_yet_may_be_known_tomorrow(signed_in: Client) -> None:
    assert signed_in.post(LIST, {"url": "https://hooks.invalid/x"}).status_code == 302


def test_ten_are_enough(signed_in: Client, workspace: Workspace, receiver: Receiver) -> None:
    for _number in range(ends.MOST_ENDPOINTS):
        add(workspace, receiver)
    assert "Add a webhook" not in signed_in.get(LIST).content.decode()
    response = signed_in.post(LIST, {"url": receiver.url})
    assert response.status_code == 422
    assert "at most" not in response.content.decode()
    assert "A workspace can have 10 webhooks." in response.content.decode()


def test_it_is_changed(signed_in: Client, endpoint: WebhookEndpoint, receiver: Receiver) -> None:
    WebhookEndpoint.objects.update(failing_since=timezone.now(), resting_until=timezone.now())
    assert signed_in.post(page(endpoint), {"url": f"{receiver.origin}/other", "kinds": ["nonsense"]}).status_code == 422
    assert signed_in.post(page(endpoint), {"url": f"{receiver.origin}/other"}).status_code == 302
    endpoint.refresh_from_db()
    assert endpoint.url == f"{receiver.origin}/other"
    assert endpoint.failing_since is None


def test_a_new_secret_is_shown_once_and_the_old_one_told_of(signed_in: Client, endpoint: WebhookEndpoint) -> None:
    old = endpoint.secret.reveal()
    signed_in.post(reverse("publishing:webhook_roll", args=[endpoint.pk]))
    endpoint.refresh_from_db()
    text = signed_in.get(page(endpoint)).content.decode()
    assert endpoint.secret.reveal() in text
    assert old not in text
    assert "The old secret signs until" in text
    assert endpoint.secret.reveal() not in signed_in.get(page(endpoint)).content.decode()


def test_a_test_is_sent_and_shown_in_the_log(
    signed_in: Client, endpoint: WebhookEndpoint, receiver: Receiver, woken: list[float]
) -> None:
    signed_in.post(reverse("publishing:webhook_test", args=[endpoint.pk]))
    assert woken
    before = signed_in.get(page(endpoint)).content.decode()
    assert 'hx-trigger="load delay:2s"' in before
    deliver.run()
    assert receiver.types == ["test"]
    fragment = signed_in.get(page(endpoint), headers={"HX-Request": "true"}).content.decode()
    assert fragment.startswith("\n") or fragment.lstrip().startswith("<section")
    assert "Delivered" in fragment
    assert "hx-trigger" not in fragment
    assert "<html" not in fragment


def test_pausing_and_the_two_ways_to_go_on(signed_in: Client, endpoint: WebhookEndpoint, woken: list[float]) -> None:
    (row,) = logged(endpoint, 1, status=Status.WAITING, attempts=0)
    signed_in.post(reverse("publishing:webhook_pause", args=[endpoint.pk]))
    text = signed_in.get(page(endpoint)).content.decode()
    assert "Nothing is sent" in text
    assert "Send a test" not in text
    assert (
        "paused" in signed_in.post(reverse("publishing:webhook_test", args=[endpoint.pk]), follow=True).content.decode()
    )
    assert not WebhookDelivery.objects.filter(kind="test").exists()
    signed_in.post(reverse("publishing:webhook_resume", args=[endpoint.pk]), {"missed": "send"})
    row.refresh_from_db()
    assert row.status == Status.WAITING
    ends.pause(endpoint)
    signed_in.post(reverse("publishing:webhook_resume", args=[endpoint.pk]), {"missed": "skip"})
    row.refresh_from_db()
    assert row.status == Status.FAILED
    endpoint.refresh_from_db()
    assert not endpoint.paused_at


def test_it_is_deleted_after_a_question(signed_in: Client, endpoint: WebhookEndpoint) -> None:
    logged(endpoint, 3)
    address = reverse("publishing:webhook_delete", args=[endpoint.pk])
    assert "its log of messages goes, too" in signed_in.get(address).content.decode()
    assert WebhookEndpoint.objects.exists()
    assert signed_in.post(address).url == LIST
    assert not WebhookEndpoint.objects.exists()
    assert not WebhookDelivery.objects.exists()


def test_the_log_is_filtered_and_paged_by_keys(signed_in: Client, endpoint: WebhookEndpoint) -> None:
    rows = logged(endpoint, 60)
    failed = logged(endpoint, 1, status=Status.FAILED, kind="publication.failed")[0]
    seen: list[Any] = []
    address: str | None = page(endpoint)
    while address:
        with CaptureQueriesContext(connection) as captured:
            context = signed_in.get(address).context
        assert len(captured) <= 12
        seen += [row.pk for row in context["deliveries"]]
        address = f"{page(endpoint)}?{context['next_query']}" if context["next_query"] else None
    assert len(seen) == len(set(seen)) == 61
    assert set(seen) == {row.pk for row in [*rows, failed]}
    assert [row.pk for row in signed_in.get(page(endpoint), {"status": "failed"}).context["deliveries"]] == [failed.pk]
    assert len(signed_in.get(page(endpoint), {"kind": "publication.failed"}).context["deliveries"]) == 1
    for nonsense in ({"status": "x"}, {"kind": "\x00"}, {"after": "yesterday"}, {"after": "2026-01-01_1"}):
        assert signed_in.get(page(endpoint), nonsense).status_code == 200


def test_a_delivery_shows_its_message_every_try_and_is_sent_again(
    signed_in: Client, endpoint: WebhookEndpoint, receiver: Receiver, woken: list[float]
) -> None:
    tries = [
        {"at": timezone.now().isoformat(), "status": 500, "ms": 120, "error": "HTTP 500"},
        {"at": timezone.now().isoformat(), "status": 204, "ms": 80, "error": ""},
    ]
    (row,) = logged(endpoint, 1, tries=tries, response_excerpt="<script>alert(1)</script>", response_status=204)
    text = signed_in.get(reverse("publishing:webhook_delivery", args=[row.pk])).content.decode()
    assert "https://x.example/1" in text
    assert "HTTP 500" in text
    assert "120 ms" in text
    assert "<script>alert" not in text
    response = signed_in.post(reverse("publishing:webhook_replay", args=[row.pk]))
    again = WebhookDelivery.objects.get(replays=row)
    assert response.url == reverse("publishing:webhook_delivery", args=[again.pk])
    assert woken
    deliver.run()
    assert [got.id for got in receiver.got] == ["m"]
    assert "This is a repetition" in signed_in.get(response.url).content.decode()
    assert str(again.pk) in signed_in.get(reverse("publishing:webhook_delivery", args=[row.pk])).content.decode()
    ends.pause(endpoint)
    paused = signed_in.post(reverse("publishing:webhook_replay", args=[row.pk]), follow=True)
    assert "This webhook is paused." in paused.content.decode()
    assert WebhookDelivery.objects.count() == 2


def test_only_owners_and_admins_get_there(
    workspace: Workspace, endpoint: WebhookEndpoint, signed_in_stranger: Client
) -> None:
    (row,) = logged(endpoint, 1)
    looks = [LIST, page(endpoint), reverse("publishing:webhook_delivery", args=[row.pk])]
    acts = [
        reverse(f"publishing:webhook_{act}", args=[endpoint.pk])
        for act in ("roll", "test", "pause", "resume", "delete")
    ]
    acts.append(reverse("publishing:webhook_replay", args=[row.pk]))
    for role, wanted in ((Role.VIEWER, 403), (Role.EDITOR, 403), (Role.ADMIN, 200)):
        client = sign_in(member(workspace, role))
        assert {client.get(address).status_code for address in looks} == {wanted}
        if wanted == 403:
            assert {client.post(address).status_code for address in acts} == {403}
            assert LIST not in client.get("/settings/profile/").content.decode()
    assert {signed_in_stranger.get(address).status_code for address in looks[1:]} == {404}
    assert {signed_in_stranger.post(address).status_code for address in acts} == {404}
    assert WebhookEndpoint.objects.filter(paused_at=None).count() == 1
    assert WebhookDelivery.objects.count() == 1


def test_the_log_speaks_the_language_of_its_reader(signed_in: Client, endpoint: WebhookEndpoint) -> None:
    endpoint.url = "https://127.0.0.1/"
    endpoint.save()
    (row,) = logged(endpoint, 1, status=Status.WAITING, attempts=0)
    deliver.run()
    log = page(endpoint)
    one = reverse("publishing:webhook_delivery", args=[row.pk])
    for address in (log, one):
        text = signed_in.get(address, headers={"Accept-Language": "de"}).content.decode()
        assert "Die Adresse führt in ein privates Netz." in text
        assert "Eine Veröffentlichung ist online" in text, "its kind, in words"
        assert '<code translate="no">publication.published</code>' in text
        assert "The address leads" not in text
    assert "127.0.0.1 is in a private network" in text, "the words of the machine, for whoever mends it"
