"""The system's jobs as rows: complete, resolvable, and staff's changes survive."""

from __future__ import annotations

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from socialhub.celery import app
from socialhub.schedule import JOBS, PREFIX, sync

pytestmark = pytest.mark.django_db
# Tasks that others send when there is work, not the clock.
ON_DEMAND = {
    *("analytics.tasks.sync_one_account", "analytics.tasks.send_report"),
    *("accounts.tasks.verify_one_account", "accounts.tasks.fetch_picture"),
}


def row(name: str) -> PeriodicTask:
    return PeriodicTask.objects.get(name=PREFIX + name)


def our_tasks() -> set[str]:
    app.loader.import_default_modules()
    return {name for name in app.tasks if not name.startswith(("celery.", "tests."))}


def test_migrate_has_written_every_job() -> None:
    assert {task.name for task in PeriodicTask.objects.all()} == {PREFIX + job.name for job in JOBS}
    assert all(task.schedule for task in PeriodicTask.objects.all())


def test_every_row_names_a_task_that_workers_know() -> None:
    unknown = set(PeriodicTask.objects.values_list("task", flat=True)) - our_tasks()
    assert not unknown


def test_every_task_has_a_row_or_is_sent_on_demand() -> None:
    assert our_tasks() - ON_DEMAND == {job.task for job in JOBS}


def test_what_must_be_quick_runs_every_half_minute() -> None:
    for name in ("hand over due publications", "sweep leases and checks", "heartbeat"):
        assert row(name).interval == IntervalSchedule.objects.get(every=30, period="seconds")


def test_daily_jobs_run_in_utc() -> None:
    crontab = row("verify accounts").crontab
    assert (crontab.hour, crontab.minute, str(crontab.timezone)) == ("2", "0", "UTC")


def test_staff_may_slow_and_stop_a_job() -> None:
    slow, _created = IntervalSchedule.objects.get_or_create(every=90, period=IntervalSchedule.SECONDS)
    task = row("heartbeat")
    task.interval, task.enabled = slow, False
    task.save()
    sync()
    assert (row("heartbeat").interval, row("heartbeat").enabled) == (slow, False)


def test_task_and_description_follow_the_code_and_beat_notices() -> None:
    PeriodicTask.objects.filter(pk=row("heartbeat").pk).update(task="gone.away", description="old", expire_seconds=1)
    PeriodicTasks.objects.all().delete()
    sync()
    task = row("heartbeat")
    assert (task.task, task.expire_seconds) == ("socialhub.tasks.heartbeat", 60)
    assert "/readyz" in task.description
    assert PeriodicTasks.last_change() is not None


def test_jobs_that_are_gone_are_removed_and_those_of_staff_stay() -> None:
    interval = IntervalSchedule.objects.first()
    PeriodicTask.objects.create(name=PREFIX + "forgotten", task="x.y", interval=interval)
    PeriodicTask.objects.create(name="mine", task="socialhub.tasks.heartbeat", interval=interval)
    sync()
    names = set(PeriodicTask.objects.values_list("name", flat=True))
    assert PREFIX + "forgotten" not in names
    assert "mine" in names
