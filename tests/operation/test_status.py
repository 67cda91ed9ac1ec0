"""The page that staff opens at night."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import operators
from accounts.models import ConnectedAccount, Notification, User, Workspace
from publishing.models import Attempt, Post, Publication, QueueEntry, Status, WebhookDelivery, WebhookEndpoint
from socialhub import watch
from socialhub.models import BeatLease, Heartbeat, ProcessHeartbeat
from socialhub.platforms.metrics import CATALOGUE
from socialhub.platforms.sunsets import VERSIONS, metrics_ending, sunset_of
from tests.factories import make_account, make_entry, make_post

pytestmark = pytest.mark.django_db
ADDRESS = "/staff/status/"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()


@pytest.fixture
def staff(owner: User, signed_in: Client) -> Client:
    owner.is_staff = True
    owner.save(update_fields=["is_staff"])
    return signed_in


def process(kind: str = "worker", name: str = "", *, age: timedelta = timedelta(), **details: Any) -> ProcessHeartbeat:
    return ProcessHeartbeat.objects.create(
        name=name or f"host-a:1:{kind}{ProcessHeartbeat.objects.count()}",
        kind=kind,
        host=name.split(":")[0] or "host-a",
        version="0.1.0",
        started_at=timezone.now() - HOUR,
        seen_at=timezone.now() - age,
        details=details,
    )


def tried(account: ConnectedAccount, outcome: str, *, ago: timedelta, number: int = 1) -> None:
    now = timezone.now()
    publication = make_post(account.workspace, account).publications.get()
    Attempt.objects.bulk_create(
        Attempt(publication=publication, number=1, worker="w", started_at=now - ago, outcome=outcome)
        for _ in range(number)
    )


def went_out(account: ConnectedAccount, *, ago: timedelta, late: timedelta) -> Publication:
    now = timezone.now()
    publication = make_post(account.workspace, account).publications.get()
    due = now - ago
    Publication.objects.filter(pk=publication.pk).update(
        status=Status.PUBLISHED, scheduled_at=due, published_at=due + late + timedelta(seconds=1)
    )
    Attempt.objects.create(publication=publication, number=1, worker="w", started_at=due + late, outcome="published")
    Attempt.objects.create(publication=publication, number=2, worker="w", started_at=now, outcome="waiting")
    return publication


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- Who, and how -----------------------------------------------------------------------------------------------


def test_only_staff_sees_it(signed_in: Client) -> None:
    assert signed_in.get(ADDRESS).status_code == 404
    assert Client().get(ADDRESS).status_code == 302


def test_it_is_there_before_anything_has_run(staff: Client) -> None:
    page = text_of(staff.get(ADDRESS))
    assert "Posts are not going out." in page
    assert "Neither scheduler nor workers are heard." in page
    assert "No process has been heard yet." in page
    assert "Nothing was tried in the last 24 hours." in page


def test_it_refreshes_itself_without_the_frame(staff: Client) -> None:
    whole = text_of(staff.get(ADDRESS))
    part = text_of(staff.get(ADDRESS, headers={"HX-Request": "true"}))
    assert "<html" in whole
    assert "<html" not in part
    assert part.startswith(
        '<div class="stack status" data-gap="6" id="status" hx-get="/staff/status/" hx-trigger="every 15s"'
    )


def test_the_front_page_of_the_administration_leads_to_it() -> None:
    client = Client()
    user = User.objects.create_superuser("root@example.com", "correct horse")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert f'href="{ADDRESS}"' in client.get(reverse("admin:index")).content.decode()


def test_it_costs_the_same_whatever_is_in_the_tables(staff: Client, workspace: Workspace) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert staff.get(ADDRESS).status_code == 200
        return len(captured)

    cost()
    few = cost()
    Heartbeat.beat()
    for number in range(5):
        process("web", f"host-{number}:1:x", disk_free=10**10, disk_total=10**11)
        account = make_account(workspace, platform=("facebook", "instagram")[number % 2])
        tried(account, "rejected", ago=HOUR / 2, number=3)
        make_entry(make_post(workspace, account).publications.get())
    assert cost() <= few
    assert few <= 45


def test_it_names_no_customer(staff: Client, workspace: Workspace) -> None:
    workspace.name = "Zanzibar"
    workspace.save()
    account = make_account(workspace, name="Zanzibar Page", username="zanzibar")
    publication = make_post(workspace, account, caption="Zanzibar").publications.get()
    make_entry(publication, wait_reason="Zanzibar", held=True)
    Attempt.objects.create(
        publication=publication, number=1, worker="w", started_at=timezone.now(), outcome="rejected", message="Zanzibar"
    )
    assert "Zanzibar" not in staff.get(ADDRESS, headers={"HX-Request": "true"}).content.decode()


# --- What it says -----------------------------------------------------------------------------------------------


def test_all_is_well(staff: Client) -> None:
    Heartbeat.beat()
    BeatLease.take("b", seconds=15)
    process("worker", threads=50, busy=3, memory=100 << 20, disk_free=80 << 30, disk_total=100 << 30)
    process("beat", leads=True)
    page = text_of(staff.get(ADDRESS))
    assert "Scheduler and workers are at work." in page
    assert "3 of 50" in page
    assert "leads" in page
    assert "80.0" in page


def test_a_process_that_was_killed_is_shown_as_silent(staff: Client) -> None:
    process("worker", "host-b:7:x", age=timedelta(minutes=3))
    process("worker", "host-c:8:x")
    page = text_of(staff.get(ADDRESS))
    assert page.count("Silent</span>") == 1
    assert "Alive: web 0, worker 1, beat 0" in page


def test_the_queue_is_counted_by_what_may_be_done(workspace: Workspace) -> None:
    now = timezone.now()
    fields: list[dict[str, Any]] = [
        {"not_before": now - HOUR},
        {"not_before": now - 2 * HOUR, "priority": 10},
        {"not_before": now + HOUR},
        {"held": True},
        {"held": True, "awaits_decision": True},
        {"lease_until": now + HOUR, "worker": "w"},
        {"lease_until": now - HOUR, "worker": "w"},
    ]
    for entry in fields:
        make_entry(make_post(workspace, make_account(workspace)).publications.get(), **entry)
    told = watch.queue(now)
    assert (told.due, told.waiting, told.held, told.decisions, told.at_work, told.abandoned) == (2, 1, 1, 1, 1, 1)
    assert told.oldest_due == now - 2 * HOUR


def test_error_rates_are_of_the_tries_that_ended(workspace: Workspace) -> None:
    facebook, instagram = make_account(workspace), make_account(workspace, platform="instagram")
    tried(facebook, "published", ago=HOUR / 2, number=3)
    tried(facebook, "rejected", ago=HOUR / 2)
    tried(facebook, "temporary", ago=5 * HOUR, number=2)
    tried(facebook, "waiting", ago=HOUR / 2, number=40)
    tried(facebook, "limited", ago=HOUR / 2, number=40)
    tried(facebook, "rejected", ago=DAY + HOUR, number=9)
    tried(facebook, "", ago=HOUR / 2)
    tried(instagram, "lost", ago=3 * HOUR)
    first, second = watch.error_rates(watch.tries(timezone.now()))
    assert (first.platform, first.hour, first.hour_failed, first.day, first.day_failed) == ("facebook", 4, 1, 6, 3)
    assert (first.hour_rate, first.day_rate) == (0.25, 0.5)
    assert [(one.outcome, one.day) for one in first.kinds] == [("temporary", 2), ("rejected", 1)]
    assert (second.platform, second.hour_rate, second.day_rate) == ("instagram", None, 1.0)


def test_errors_are_shown_in_words(staff: Client, workspace: Workspace) -> None:
    tried(make_account(workspace), "rejected", ago=HOUR / 2)
    tried(make_account(workspace), "published", ago=HOUR / 2, number=3)
    page = text_of(staff.get(ADDRESS))
    assert "25.0 %" in page
    assert "refused by the network 1" in page


def test_lateness_is_that_of_the_first_try(workspace: Workspace) -> None:
    account = make_account(workspace)
    for seconds in (0, 2, 90):
        went_out(account, ago=HOUR / 2, late=timedelta(seconds=seconds))
    went_out(account, ago=3 * HOUR, late=timedelta(minutes=50))
    told = watch.lateness(timezone.now() - HOUR)
    assert told.number == 3
    assert told.median == pytest.approx(2, abs=0.1)
    assert told.worst == pytest.approx(90, abs=0.1)
    assert watch.lateness(timezone.now()) == watch.Lateness(0, None, None, None)


def test_what_else_waits_is_counted(workspace: Workspace, staff: Client) -> None:
    now = timezone.now()
    endpoint = WebhookEndpoint.objects.create(
        workspace=workspace, url="https://example.com/", seen_until=now, failing_since=now
    )
    for number, (status, at) in enumerate((("waiting", now - HOUR), ("waiting", now + HOUR), ("failed", now))):
        WebhookDelivery.objects.create(
            endpoint=endpoint, source=str(number), kind="x", payload={}, status=status, not_before=at
        )
    Notification.objects.create(workspace=workspace, kind="missed", incident="a", title="x")
    Notification.objects.create(workspace=workspace, kind="missed", incident="b", title="x", emailed_at=now)
    told = watch.webhooks(now)
    assert (told.waiting, told.since, told.failed) == (2, now - HOUR, 1)
    Workspace.objects.update(deleting_at=now)
    assert watch.webhooks(now) == watch.Backlog(0, None, 1), "for days nothing is sent to it, which is no trouble"
    Workspace.objects.update(deleting_at=None)
    assert watch.silent_endpoints() == 1
    assert watch.mail(timezone.now()).waiting == 1
    assert "Webhooks that wait" in text_of(staff.get(ADDRESS))


def test_a_disk_that_fills_is_seen(staff: Client) -> None:
    process("web", "host-a:1:x", disk_free=5 << 30, disk_total=100 << 30)
    process("worker", "host-a:2:x", disk_free=4 << 30, disk_total=100 << 30)
    process("worker", "host-b:1:x", disk_free=50 << 30, disk_total=100 << 30)
    shown = watch.disks(watch.processes())
    assert [(disk.host, disk.is_short) for disk in shown] == [("host-a", True), ("host-b", False)]
    assert "Disk of host-b, free" in text_of(staff.get(ADDRESS))


def test_redis_that_is_away_is_said(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "broker", lambda: None)
    assert "Workers are not woken" in text_of(staff.get(ADDRESS))


# --- Versions and their ends ------------------------------------------------------------------------------------


def test_the_versions_that_are_set_by_default_are_known() -> None:
    for one in watch.versions():
        assert one.sunset, f"{one.pinned} is missing in sunsets.py"
        assert one.sunset.version == one.pinned
        assert one.sunset.ends_on is None or one.sunset.ends_on > date(2027, 1, 1)


def test_every_end_has_its_source_and_they_stand_in_order() -> None:
    for rows in VERSIONS.values():
        assert all(one.source.startswith("https://") for one in rows)
        assert all(bool(one.ends_on) != bool(one.not_before) for one in rows)
        ends = [one.ends_on or one.not_before for one in rows]
        assert ends == sorted(ends)


@override_settings(META_GRAPH_VERSION="v22.0", LINKEDIN_API_VERSION="202601")
def test_an_end_that_is_near_is_marked(staff: Client) -> None:
    meta, linkedin = watch.versions()
    assert meta.days_left(date(2027, 5, 10)) == 10
    assert linkedin.days_left(date(2027, 1, 20)) == -5
    page = text_of(staff.get(ADDRESS))
    assert "20 May 2027" in page
    assert sunset_of("meta", "v99.0") is None


def test_what_answers_is_compared_with_what_is_set(staff: Client) -> None:
    assert text_of(staff.get(ADDRESS)).count("As set, or not asked yet") == 2
    operators.version_served("v21.0")
    operators.linkedin_version_told(is_served=False)
    page = text_of(staff.get(ADDRESS))
    assert "v21.0</span>" in page
    assert "Refused</span>" in page
    assert "As set, or not asked yet" not in page
    assert settings.META_GRAPH_VERSION in page


def test_names_of_figures_that_end_are_told_beforehand() -> None:
    ends = [
        (platform, metric.until)
        for platform, rows in CATALOGUE.items()
        for metric in rows
        if metric.until and metric.asked
    ]
    for platform, day in ends:
        found = metrics_ending(day - timedelta(days=30), timedelta(days=60))
        assert any(one.platform == platform and one.on == day for one in found)
        assert not any(one.on == day for one in metrics_ending(day + timedelta(days=1), timedelta(days=60)))


def test_the_entries_of_the_test_are_gone_with_it() -> None:
    assert not QueueEntry.objects.exists()
    assert not Post.objects.exists()
