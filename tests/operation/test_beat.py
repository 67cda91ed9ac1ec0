"""Two schedulers, one lease: exactly one of them fires."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

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
