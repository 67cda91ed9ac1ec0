"""Operators see which receivers do not answer, and have messages sent again. Secrets are shown to nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from publishing.models import WebhookDelivery, WebhookEndpoint
from publishing.webhooks import deliver, ends
from tests.staff import ask, change, changelist, press
from tests.webhooks.conftest import Receiver

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publishing.admin.webhooks.wake_sender", lambda: None)


@pytest.fixture
def operator(db: None) -> Client:
    client = Client()
    staff = User.objects.create_superuser("staff@example.com", "correct horse")
    client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_receivers_with_what_waits_for_them(operator: Client, endpoint: WebhookEndpoint, owner: User) -> None:
    ends.send_test(endpoint, owner)
    page = operator.get(changelist(WebhookEndpoint)).content.decode()
    assert "Active" in page
    assert f"status=waiting&amp;q={endpoint.pk}" in page
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(hours=2))
    assert "Does not answer" in operator.get(changelist(WebhookEndpoint), {"state": "failing"}).content.decode()
    own = operator.get(change(endpoint)).content.decode()
    secret = endpoint.secret.reveal()
    assert secret not in own
    assert ">test<" in own
    found = operator.get(changelist(WebhookDelivery), {"q": str(endpoint.pk), "due": "now"}).context["cl"]
    assert found.result_count == 1


def test_a_message_is_sent_again_after_a_question(
    operator: Client, endpoint: WebhookEndpoint, owner: User, receiver: Receiver
) -> None:
    delivery = ends.send_test(endpoint, owner)
    deliver.run()
    answer = press(operator, WebhookDelivery, "replay", delivery)
    assert "Send 1 message again?" in answer.question
    assert "1 message is sent again." in answer.report
    deliver.run()
    assert len({got.id for got in receiver.got}) == 1
    assert len(receiver.got) == 2
    shown = operator.get(change(delivery)).content.decode()
    assert "This is a test" in shown
    ends.pause(endpoint)
    assert "its webhook is paused" in ask(operator, WebhookDelivery, "replay", delivery).content.decode()


def test_a_receiver_is_paused_and_resumed(operator: Client, endpoint: WebhookEndpoint) -> None:
    assert "1 webhook is paused." in press(operator, WebhookEndpoint, "pause", endpoint).report
    endpoint.refresh_from_db()
    assert endpoint.paused_at
    assert "it is paused" in ask(operator, WebhookEndpoint, "pause", endpoint).content.decode()
    assert "1 webhook goes on." in press(operator, WebhookEndpoint, "resume", endpoint).report
    endpoint.refresh_from_db()
    assert not endpoint.paused_at
