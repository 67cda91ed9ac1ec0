"""/healthz and /readyz: what a load balancer and a monitor ask."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from socialhub import health
from socialhub.models import BeatLease, Heartbeat, ProcessHeartbeat
from socialhub.tasks import heartbeat


def test_healthz_needs_neither_a_user_nor_the_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.mark.django_db
def test_not_ready_before_the_first_heartbeat(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    told = {"redis": True, "scheduler": False, "workers": False}
    assert answer.json() == {"ready": False, "database": True, "heartbeatAgeSeconds": None, **told}


@pytest.mark.django_db
def test_ready_after_a_heartbeat(client: Client) -> None:
    heartbeat()
    heartbeat()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert 0 <= answer.json()["heartbeatAgeSeconds"] < 30
    assert Heartbeat.objects.count() == 1


@pytest.mark.django_db
def test_not_ready_when_the_heartbeat_is_old(client: Client) -> None:
    heartbeat()
    Heartbeat.objects.update(seen_at=timezone.now() - timedelta(minutes=3))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["heartbeatAgeSeconds"] >= 180


def test_not_ready_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> None:
        raise DatabaseError("no answer")

    monkeypatch.setattr(Heartbeat, "age", down)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, False)
    assert (answer.json()["scheduler"], answer.json()["workers"]) == (None, None)


@pytest.mark.django_db
def test_it_says_what_to_look_at_and_redis_alone_decides_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat()
    BeatLease.take("b", seconds=15)
    ProcessHeartbeat.say("w", "worker", host="a", version="1", details={})
    monkeypatch.setattr(health, "redis_answers", lambda: False)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in ("redis", "scheduler", "workers")} == {
        "redis": False,
        "scheduler": True,
        "workers": True,
    }


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["10.0.0.7", "10.0.0.7:8000", "[fd00::7]:8000"])
def test_probes_may_call_a_process_by_its_number(settings: Any, host: str) -> None:
    settings.ALLOWED_HOSTS = ["hub.example.com"]
    settings.PUBLIC_BASE_URL = "https://hub.example.com"
    for path in ("/healthz", "/readyz", "/metrics"):
        assert Client().get(path, headers={"Host": host}).status_code != 400, path
    assert Client().get("/account/login/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["evil.example", "10.0.0.7.evil.example", "10.0.0.7@evil.example", "[", ""])
def test_any_other_name_is_refused(settings: Any, host: str) -> None:
    settings.ALLOWED_HOSTS = ["hub.example.com"]
    assert Client().get("/healthz", headers={"Host": host}).status_code == 400


@pytest.mark.django_db
def test_not_being_ready_is_said_once_and_is_no_error(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_was_ready", None)
    for _ in range(3):
        assert client.get("/readyz").status_code == 503
    heartbeat()
    for _ in range(2):
        assert client.get("/readyz").status_code == 200
    told = [
        (record.levelname, record.message.partition(":")[0]) for record in caplog.records if "ready" in record.message
    ]
    assert told == [("WARNING", "not ready"), ("WARNING", "ready again")]
