"""/metrics: closed without its token; what it tells can be read by Prometheus, and is true."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import Notification, Workspace
from publishing.models import Attempt
from socialhub import watch
from socialhub.models import BeatLease, Heartbeat
from socialhub.traffic import BUCKETS, Tally
from tests.factories import make_account, make_entry, make_post
from tests.operation.test_settings import ROOT
from tests.operation.test_status import HOUR, process, tried, went_out

pytestmark = pytest.mark.django_db
TOKEN = "scrape-me-0123456789"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()


def asked(**headers: str) -> Any:
    return Client().get("/metrics", headers=headers)


def scraped() -> Samples:
    with override_settings(METRICS_TOKEN=TOKEN):
        answer = asked(Authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"socialhub_{name}", frozenset(labels.items())))


# --- Closed -----------------------------------------------------------------------------------------------------


def test_without_a_token_in_the_settings_there_is_no_such_page() -> None:
    assert asked().status_code == 404
    assert asked(Authorization="Bearer ").status_code == 404


@override_settings(METRICS_TOKEN=TOKEN)
@pytest.mark.parametrize(
    "told", ["", "Bearer", "Bearer wrong", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ü"]
)
def test_whoever_does_not_know_it_reads_nothing(told: str) -> None:
    answer = asked(Authorization=told)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert b"socialhub_" not in answer.content


@override_settings(METRICS_TOKEN=TOKEN)
def test_a_person_who_is_signed_in_reads_nothing_either(signed_in: Client) -> None:
    assert signed_in.get("/metrics").status_code == 401


@override_settings(METRICS_TOKEN=TOKEN)
def test_it_is_only_read() -> None:
    assert Client().post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


# --- True -------------------------------------------------------------------------------------------------------


def test_an_empty_installation_tells_zeros_and_leaves_out_what_is_not_known() -> None:
    found = scraped()
    assert value(found, "database_up") == 1
    assert value(found, "redis_up") == 1
    assert value(found, "queue_entries", state="due") == 0
    assert value(found, "queue_oldest_due_seconds") == 0
    assert value(found, "processes", kind="worker") == 0
    assert value(found, "heartbeat_age_seconds") is None
    assert value(found, "start_lateness_seconds", quantile="0.5") is None


def test_what_waits_and_what_fails(workspace: Workspace) -> None:
    now = timezone.now()
    make_entry(make_post(workspace, make_account(workspace)).publications.get(), not_before=now - HOUR)
    make_entry(make_post(workspace, make_account(workspace)).publications.get(), not_before=now + HOUR)
    account = make_account(workspace, platform="instagram")
    tried(account, "rejected", ago=HOUR / 2, number=3)
    tried(account, "published", ago=HOUR / 2, number=2)
    tried(account, "rejected", ago=2 * HOUR)
    went_out(make_account(workspace, platform="linkedin"), ago=HOUR / 2, late=timedelta(seconds=30))
    Notification.objects.create(workspace=workspace, kind="missed", incident="a", title="x")
    found = scraped()
    assert value(found, "queue_entries", state="due") == 1
    assert value(found, "queue_entries", state="waiting") == 1
    assert 3600 <= (value(found, "queue_oldest_due_seconds") or 0) < 3660
    assert value(found, "attempts_last_hour", platform="instagram", outcome="rejected", error="1") == 3
    assert value(found, "attempts_last_hour", platform="instagram", outcome="published", error="0") == 2
    assert value(found, "publications_last_hour", status="published") == 1
    assert value(found, "start_lateness_seconds", quantile="1") == pytest.approx(30, abs=0.1)
    assert value(found, "accounts", platform="instagram", status="connected") == 1
    assert value(found, "backlog", kind="mail") == 1
    assert Attempt.objects.count() == 8


def test_processes_and_what_they_stand_on() -> None:
    Heartbeat.beat()
    BeatLease.take("b", seconds=15)
    process("worker", "host-a:1:x", threads=50, busy=7, memory=1000, disk_free=5, disk_total=10)
    process("worker", "host-b:1:x", age=timedelta(minutes=5), threads=50, busy=50)
    found = scraped()
    assert 0 <= (value(found, "heartbeat_age_seconds") or 0) < 30
    assert 0 < (value(found, "beat_lease_seconds") or 0) <= 15
    assert value(found, "processes", kind="worker") == 1
    assert value(found, "processes_lost", kind="worker") == 1
    assert value(found, "worker_threads", process="host-a:1:x", state="busy") == 7
    assert value(found, "worker_threads", process="host-b:1:x", state="busy") is None
    assert value(found, "disk_free_bytes", machine="host-a") == 5
    assert (value(found, "database_bytes") or 0) > 1_000_000
    assert (value(found, "database_connections") or 0) >= 1


def test_requests_of_all_web_processes_are_told_by_any_of_them() -> None:
    own, other = Tally(), Tally()
    for seconds in (0.01, 0.2, 99):
        own.add("GET", 200, seconds)
    other.add("POST", 422, 0.07)
    process("web", "host-a:1:x", requests=own.rows())
    process("web", "host-b:1:x", requests=other.rows())
    process("web", "host-c:1:x", requests=[{"method": "GET", "status": "2xx", "counts": [1, 2], "seconds": 1}])
    found = scraped()
    labels = {"process": "host-a:1:x", "method": "GET", "status": "2xx"}
    name = "http_request_duration_seconds"
    assert value(found, f"{name}_count", **labels) == 3
    assert value(found, f"{name}_sum", **labels) == pytest.approx(99.21)
    assert value(found, f"{name}_bucket", **labels, le="0.025") == 1
    assert value(found, f"{name}_bucket", **labels, le="0.25") == 2
    assert value(found, f"{name}_bucket", **labels, le=str(BUCKETS[-1])) == 2
    assert value(found, f"{name}_bucket", **labels, le="+Inf") == 3
    assert value(found, f"{name}_count", process="host-b:1:x", method="POST", status="4xx") == 1
    assert value(found, f"{name}_count", process="host-c:1:x", method="GET", status="2xx") is None


def test_a_scrape_costs_the_same_whatever_is_in_the_tables(workspace: Workspace) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            scraped()
        return len(captured)

    few = cost()
    for number in range(5):
        process("worker", f"host-{number}:1:x", threads=1, busy=0, disk_free=1, disk_total=1)
        tried(make_account(workspace, platform=("facebook", "linkedin")[number % 2]), "rejected", ago=HOUR / 2)
    assert cost() == few
    assert few <= 35


def test_versions_tell_how_long_they_last() -> None:
    with override_settings(META_GRAPH_VERSION="v23.0"):
        found = scraped()
    days = value(found, "api_version_days_left", setting="META_GRAPH_VERSION", version="v23.0")
    assert days is not None
    assert value(found, "api_version_mismatch", setting="META_GRAPH_VERSION", version="v23.0") == 0


def test_without_a_database_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> None:
        raise DatabaseError("no answer")

    monkeypatch.setattr(watch, "queue", down)
    found = scraped()
    assert value(found, "database_up") == 0
    assert not [name for name, _labels in found if "queue" in name]


def test_without_redis_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "broker", lambda: None)
    assert value(scraped(), "redis_up") == 0


def test_labels_cannot_be_made_up(workspace: Workspace) -> None:
    """What comes from outside, such as the name of a machine, is escaped."""
    process("web", 'evil"}\n:1:x', requests=[], disk_free=1, disk_total=1)
    assert value(scraped(), "disk_free_bytes", machine='evil"}\n') == 1


def test_the_page_on_monitoring_names_what_there_is(workspace: Workspace) -> None:
    make_account(workspace)
    process("worker", "host-a:1:x", threads=1, busy=0, memory=1, disk_free=1, disk_total=1)
    own = Tally()
    own.add("GET", 200, 1)
    process("web", "host-a:2:x", requests=own.rows())
    tried(make_account(workspace), "rejected", ago=HOUR / 2)
    Heartbeat.beat()
    BeatLease.take("b", seconds=15)
    with override_settings(METRICS_TOKEN=TOKEN, META_GRAPH_VERSION="v25.0"):
        body = asked(Authorization=f"Bearer {TOKEN}").content.decode()
    told = {family.name for family in text_string_to_metric_families(body)}
    page = (ROOT / "docs" / "monitoring.md").read_text()
    tables = page.split("## Alerts")[0]
    assert set(re.findall(r"`(socialhub_\w+)`", tables)) == told
    used = set(re.findall(r"\bsocialhub_\w+", page.split("## Alerts")[1]))
    assert {name.removesuffix("_count") for name in used} <= told
