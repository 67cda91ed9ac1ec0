"""Processes say that they are there; when nobody does the work, every page says so."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from accounts.models import User
from socialhub import processes, silence
from socialhub.models import ALIVE, FORGOTTEN, BeatLease, Heartbeat, ProcessHeartbeat
from socialhub.processes import EVERY_SECONDS, Heard, Presence
from socialhub.schedule import sync
from socialhub.silence import GRACE_SECONDS, Lookout, Silence
from socialhub.tasks import heartbeat
from tests.operation.test_settings import ROOT, VALID
from tests.stage import Stage, procfile, wait_until

OLD = timedelta(minutes=10)


@pytest.fixture
def presence() -> Presence:
    return Presence("worker", lambda: {"busy": 3})


def rows() -> list[tuple[str, str]]:
    return list(ProcessHeartbeat.objects.values_list("kind", "name"))


# --- One process ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_process_tells_what_it_is_and_does(presence: Presence) -> None:
    presence.say()
    row = ProcessHeartbeat.objects.get()
    assert (row.kind, row.name, row.version) == ("worker", presence.name, settings.RELEASE)
    assert row.details["busy"] == 3
    assert row.details["memory"] > 10_000_000
    assert 0 < row.details["disk_free"] <= row.details["disk_total"]


@pytest.mark.django_db
def test_saying_it_again_is_one_statement_and_moves_only_the_time(presence: Presence) -> None:
    presence.say()
    began = ProcessHeartbeat.objects.get().started_at
    ProcessHeartbeat.objects.update(seen_at=timezone.now() - OLD)
    with CaptureQueriesContext(connection) as captured:
        presence.say()
    row = ProcessHeartbeat.objects.get()
    assert len(captured) == 1
    assert row.started_at == began
    assert timezone.now() - row.seen_at < timedelta(seconds=5)


@pytest.mark.django_db
def test_two_processes_of_one_machine_have_two_rows(presence: Presence) -> None:
    presence.say()
    Presence("worker", dict).say()
    assert len(rows()) == 2


@pytest.mark.django_db
def test_it_looks_often_and_writes_every_half_minute(presence: Presence, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, now = [], [0.0]
    presence._each_round = lambda: looks.append(1)
    monkeypatch.setattr(processes.time, "monotonic", lambda: now[0])
    with CaptureQueriesContext(connection) as captured:
        for second in range(0, 61, 10):
            now[0] = float(second)
            presence.round()
    assert len(looks) == 7
    assert sum("details" in query["sql"] and "UPDATE" in query["sql"] for query in captured) == 60 / EVERY_SECONDS + 1


@pytest.mark.django_db
def test_a_database_that_is_away_is_outlived_with_one_line(
    presence: Presence, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(*_: object, **__: object) -> None:
        raise DatabaseError("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(ProcessHeartbeat, "say", down)
        for _ in range(3):
            presence.round()
    presence.round()
    words = [record.getMessage() for record in caplog.records if record.name == "socialhub.processes"]
    assert words == ["this process cannot be heard, the database does not answer", "this process is heard again"]
    assert rows() == [("worker", presence.name)]


@pytest.mark.django_db
def test_a_fault_of_ours_does_not_end_the_telling(presence: Presence, caplog: pytest.LogCaptureFixture) -> None:
    presence._details = lambda: 1 / 0  # type: ignore[assignment]
    presence.round()
    presence._details = dict
    presence.round()
    assert "met a fault" in caplog.text
    assert len(rows()) == 1


@pytest.mark.django_db(transaction=True)
def test_the_thread_writes_at_once_and_the_row_goes_with_the_process(presence: Presence) -> None:
    presence.start()
    assert wait_until(lambda: rows() == [("worker", presence.name)], 10)
    presence.stop()
    assert rows() == []
    assert not [thread for thread in threading.enumerate() if thread.name == "presence"]


@pytest.mark.django_db
def test_an_end_that_cannot_be_told_is_no_error(presence: Presence, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object, **__: object) -> None:
        raise DatabaseError("no answer")

    monkeypatch.setattr(ProcessHeartbeat.objects, "filter", down)
    monkeypatch.setattr(processes.connection, "close", lambda: None)
    presence.stop()


@pytest.mark.django_db
def test_the_end_of_a_process_does_not_wait_for_a_database_that_is_away(
    presence: Presence, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> None:
        raise DatabaseError("no answer")

    monkeypatch.setattr(ProcessHeartbeat, "say", down)
    presence.round()
    with CaptureQueriesContext(connection) as captured:
        presence.stop()
    assert len(captured) == 0


@pytest.mark.django_db
def test_who_is_silent_is_shown_for_a_day_and_then_forgotten(presence: Presence) -> None:
    presence.say()
    assert ProcessHeartbeat.objects.alive().count() == 1
    ProcessHeartbeat.objects.update(seen_at=timezone.now() - ALIVE)
    assert ProcessHeartbeat.objects.alive().count() == 0
    heartbeat()
    assert len(rows()) == 1
    ProcessHeartbeat.objects.update(seen_at=timezone.now() - FORGOTTEN)
    heartbeat()
    assert rows() == []


def test_a_web_process_is_heard_from_its_first_request_on_and_a_fork_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[tuple[str, int]] = []
    pid = [10]
    monkeypatch.setattr(processes.os, "getpid", lambda: pid[0])
    monkeypatch.setattr(processes, "be_heard", lambda kind, *_: begun.append((kind, pid[0])))
    application = Heard(lambda _environ, _start: [b"ok"])
    assert begun == []
    for _ in range(3):
        assert list(application({}, lambda *_: lambda _: None)) == [b"ok"]
    pid[0] = 11
    application({}, lambda *_: lambda _: None)
    assert begun == [("web", 10), ("web", 11)]


# --- Silence ----------------------------------------------------------------------------------------------------


@pytest.fixture
def lookout(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lookout]:
    made = Lookout()
    made._began -= GRACE_SECONDS
    monkeypatch.setattr(silence, "_lookout", made)
    return made


@pytest.mark.django_db
@pytest.mark.parametrize("scheduler", [True, False])
@pytest.mark.parametrize("workers", [True, False])
def test_it_says_who_is_silent(scheduler: bool, workers: bool, presence: Presence) -> None:
    Heartbeat.beat()
    Heartbeat.objects.update(seen_at=timezone.now() - OLD)
    if scheduler:
        BeatLease.take("b", seconds=15)
    if workers:
        presence.say()
    found = silence.silence()
    assert found
    assert (found.scheduler, found.workers) == (scheduler, workers)
    Heartbeat.beat()
    assert silence.silence() is None


@pytest.mark.django_db
def test_who_starts_everything_at_once_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    young = Lookout()
    young.look()
    assert young.found is None
    young._began -= GRACE_SECONDS
    young.look()
    assert young.found == Silence(None, False, False)


@pytest.mark.django_db
def test_beginning_and_end_are_one_line_each(lookout: Lookout, caplog: pytest.LogCaptureFixture) -> None:
    lookout.look()
    lookout.look()
    Heartbeat.beat()
    lookout.look()
    lookout.look()
    told = [
        (record.levelname, record.getMessage()[:35]) for record in caplog.records if record.name == silence.__name__
    ]
    assert told == [
        ("ERROR", "no sign of scheduler and workers si"),
        ("WARNING", "scheduler and workers are heard aga"),
    ]


@pytest.mark.django_db
def test_every_page_says_so_to_people_and_leads_staff_to_the_status(
    lookout: Lookout, signed_in: Client, owner: User
) -> None:
    assert "Posts are not going out" not in signed_in.get("/library/").content.decode()
    lookout.look()
    for address in ("/posts/", "/analytics/", "/library/", "/settings/accounts/", "/posts/new/"):
        page = signed_in.get(address).content.decode()
        assert "Posts are not going out at the moment." in page, address
        assert "Nothing is lost" in page
        assert "/staff/status/" not in page
    owner.is_staff = True
    owner.save(update_fields=["is_staff"])
    page = signed_in.get("/library/").content.decode()
    assert "Neither scheduler nor workers are heard." in page
    assert 'href="/staff/status/"' in page


@pytest.mark.django_db
def test_the_administration_says_it_too(lookout: Lookout) -> None:
    client = Client()
    user = User.objects.create_superuser("root@example.com", "correct horse")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    lookout.look()
    page = client.get("/admin/accounts/user/").content.decode()
    assert "Neither scheduler nor workers are heard." in page


@pytest.mark.django_db
def test_a_page_costs_no_query_for_it(lookout: Lookout, signed_in: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            signed_in.get("/library/")
        return len(captured)

    signed_in.get("/library/")
    well = cost()
    lookout.look()
    assert lookout.found
    assert cost() == well


# --- Real processes ---------------------------------------------------------------------------------------------


def look_at(stage: Stage, client: Client) -> str:
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    return requests.get(f"{stage.web_url}/library/", cookies=cookies, timeout=10).text


@pytest.mark.processes
def test_a_worker_that_is_stopped_is_missed_on_every_page(transactional_db: None, tmp_path: Path) -> None:
    """Web, worker and beat by the very lines of the Procfile."""
    sync()
    often, _created = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.filter(task="socialhub.tasks.heartbeat").update(interval=often)
    PeriodicTasks.update_changed()
    stage = Stage(tmp_path, SILENT_AFTER_SECONDS="8", WEB_CONCURRENCY="2")
    stage.environment["PORT"] = stage.web_url.rsplit(":", 1)[1]
    try:
        run(stage)
    finally:
        stage.stop()
    assert rows() == [], "whoever is stopped takes its row away"


def run(stage: Stage) -> None:
    user = User.objects.create_user("person@example.com", "correct horse")
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")

    def kinds() -> dict[str, int]:
        alive = [kind for kind, _name in rows()]
        return {kind: alive.count(kind) for kind in set(alive)}

    def page_says(silent: bool) -> bool:
        return ("Posts are not going out at the moment." in look_at(stage, client)) is silent

    stage.run(procfile("web"))
    assert wait_until(stage._web_answers, 60)
    worker, _beat = stage.run(procfile("worker")), stage.run(procfile("beat"))
    assert wait_until(lambda: look_at(stage, client) and kinds() == {"web": 2, "worker": 1, "beat": 1}, 60), kinds()
    assert wait_until(lambda: Heartbeat.objects.exists(), 30)
    assert wait_until(lambda: page_says(silent=False), 30)
    told: dict[str, Any] = requests.get(f"{stage.web_url}/readyz", timeout=10).json()
    assert told["ready"]
    assert told["redis"]
    assert told["scheduler"]
    assert told["workers"]

    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=30)
    assert wait_until(lambda: "worker" not in kinds(), 10)
    assert wait_until(lambda: page_says(silent=True), 40, every=1)
    assert not requests.get(f"{stage.web_url}/readyz", timeout=10).json()["ready"]

    stage.run(procfile("worker"))
    assert wait_until(lambda: page_says(silent=False), 60, every=1)

    killed = stage.run(procfile("worker"))
    assert wait_until(lambda: kinds()["worker"] == 2, 40)
    killed.kill()
    killed.wait(timeout=10)
    assert kinds()["worker"] == 2, "the row of one that was killed grows old, and somebody sees it"
    ProcessHeartbeat.objects.filter(kind="worker").order_by("-started_at").first().delete()


@pytest.mark.parametrize(
    ("start", "needless"),
    [
        ("app.loader.import_default_modules()", "socialhub.urls ninja prometheus_client accounts.admin xlsxwriter"),
        ("os.environ['DJANGO_SETTINGS_MODULE'] = 'socialhub.settings_beat'; SoloBeat(app=app).init_loader()",
         "accounts publishing analytics allauth socialhub.platforms django.contrib.admin PIL requests"),
    ],
    ids=["worker", "beat"],
)  # fmt: skip
def test_what_works_in_the_background_loads_no_more_than_it_needs(start: str, needless: str) -> None:
    code = (
        f"import os, sys; from socialhub.__main__ import SoloBeat, app; {start}; import socialhub.beat; "
        "print([name for name in sys.argv[1:] if name in sys.modules])"
    )
    names = [*needless.split(), "click_repl", "prompt_toolkit"]
    done = subprocess.run(
        [sys.executable, "-c", code, *names],
        cwd=ROOT,
        env={**VALID, "DJANGO_SETTINGS_MODULE": "socialhub.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[]", done.stderr
