"""Two schedulers, one lease: exactly one of them fires."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from kombu.exceptions import OperationalError

from socialhub import beat
from socialhub.beat import PAUSE_SECONDS, SoloScheduler
from socialhub.celery import app
from socialhub.models import BeatLease

pytestmark = pytest.mark.django_db(transaction=True)  # the scheduler closes and commits on its own


class Recorder(SoloScheduler):
    """Notes what would be sent."""

    def __init__(self, sent: list[tuple[str, str]], name: str) -> None:
        self.sent, self.name = sent, name
        super().__init__(app=app)
        self._finalize.cancel()  # it would write at the end of the process, when the database is gone

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any) -> Any:
        self.reserve(entry)
        self.sent.append((self.name, entry.task))


@pytest.fixture
def due() -> PeriodicTask:
    """One job, due long ago."""
    PeriodicTask.objects.exclude(task="socialhub.tasks.heartbeat").delete()
    task = PeriodicTask.objects.get()
    task.last_run_at = timezone.now() - timedelta(hours=1)
    task.save()
    return task


def expire_lease() -> None:
    BeatLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def test_of_two_beats_one_fires(due: PeriodicTask) -> None:
    sent: list[tuple[str, str]] = []
    first, second = Recorder(sent, "first"), Recorder(sent, "second")
    for _ in range(4):
        assert first.tick() <= PAUSE_SECONDS
        assert second.tick() == PAUSE_SECONDS
    assert sent == [("first", "socialhub.tasks.heartbeat")]


def test_the_other_takes_over_when_the_leader_is_silent_and_does_not_fire_again_what_ran(due: PeriodicTask) -> None:
    sent: list[tuple[str, str]] = []
    first, second = Recorder(sent, "first"), Recorder(sent, "second")
    first.tick()
    first.tick()
    second.tick()
    first.sync()
    expire_lease()
    for _ in range(3):
        second.tick()
    assert second.lead
    assert sent == [("first", "socialhub.tasks.heartbeat")]
    assert first.tick() == PAUSE_SECONDS
    assert not first.lead


def test_a_leader_that_closes_gives_way_at_once(due: PeriodicTask) -> None:
    sent: list[tuple[str, str]] = []
    first, second = Recorder(sent, "first"), Recorder(sent, "second")
    first.tick()
    first.close()
    second.tick()
    assert second.lead


def test_closing_a_beat_that_stands_by_leaves_the_leader_alone(due: PeriodicTask) -> None:
    sent: list[tuple[str, str]] = []
    first, second = Recorder(sent, "first"), Recorder(sent, "second")
    first.tick()
    second.tick()
    second.close()
    third = Recorder(sent, "third")
    third.tick()
    assert not third.lead


def test_without_a_database_nothing_fires_and_the_beat_lives_on(
    due: PeriodicTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, str]] = []
    scheduler = Recorder(sent, "first")

    def down(owner: str, *, seconds: float) -> bool:
        raise DatabaseError("no answer")

    monkeypatch.setattr(beat.BeatLease, "take", down)
    assert scheduler.tick() == PAUSE_SECONDS
    assert sent == []


class Unheard(SoloScheduler):
    """Its messages reach nobody while `trouble` is set."""

    trouble: Exception | None = None

    def send_task(self, *args: Any, **kwargs: Any) -> None:
        if self.trouble:
            raise self.trouble


def test_an_outage_of_the_broker_is_told_at_its_beginning_and_its_end(
    due: PeriodicTask, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = Unheard(app=app)
    scheduler._finalize.cancel()
    (entry,) = scheduler.schedule.values()
    entry.task = "tests.of_another_version"  # not known here, as none is to the process beat
    for trouble in (OperationalError("refused"), OperationalError("refused"), OperationalError("refused"), None, None):
        scheduler.trouble = trouble
        scheduler.apply_entry(entry)
    lines = [record.getMessage() for record in caplog.records if record.name == "socialhub.beat"]
    assert len(lines) == 2
    assert lines[0].startswith("the broker does not answer")
    assert lines[1].startswith("the broker answers again; 3 messages were not sent")
    assert not any(record.exc_info for record in caplog.records)

    scheduler.trouble = TypeError("our own mistake")
    scheduler.apply_entry(entry)
    assert caplog.records[-1].exc_info


def test_beat_waits_for_no_broker_within_a_tick() -> None:
    """Celery's own producer would, for so long that the lease runs out."""
    assert SoloScheduler.producer is None
