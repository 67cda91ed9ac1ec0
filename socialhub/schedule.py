"""The system's own jobs. `migrate` writes them as rows of django-celery-beat, where staff can see and slow them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.db import connection
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as _
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

PREFIX = "system: "


@dataclass(frozen=True, slots=True)
class Job:
    """every: seconds between two runs; at: hour and minute of a day in UTC, or only the minute of each hour.

    A message that has waited longer than `expires` seconds for a worker is dropped: the next one does its work.
    """

    name: str
    task: str
    description: str
    every: int | None = None
    hour: str = "*"
    minute: str = "0"
    expires: int = 3600


JOBS = (
    Job(
        name=_("hand over due publications"),
        task="publishing.tasks.publish_due",
        description=_("Hands what is due to the workers. They also wake each other in between."),
        every=30,
        expires=60,
    ),
    Job(
        name=_("sweep leases and checks"),
        task="publishing.tasks.sweep",
        description=_("Takes back what a dead worker held, and looks for posts whose outcome is unknown."),
        every=30,
        expires=60,
    ),
    Job(
        name=_("follow up"),
        task="publishing.tasks.follow_up",
        description=_("Writes first comments, and looks after five minutes and a day whether posts are really there."),
        every=60,
        expires=120,
    ),
    Job(
        name=_("send webhooks"),
        task="publishing.tasks.send_webhooks",
        description=_("Tells other programs what happened, and tries again where nobody answered."),
        every=15,
        expires=30,
    ),
    Job(
        name=_("fetch files"),
        task="publishing.tasks.fetch_media",
        description=_(
            "Fetches files that were named by their address, and sends the posts on their way that have all."
        ),
        every=30,
        expires=60,
    ),
    Job(
        name=_("look ahead"),
        task="publishing.tasks.look_ahead",
        description=_("Checks what is due within 15 minutes once more, so that trouble is known before."),
        every=120,
        expires=240,
    ),
    Job(
        name=_("heartbeat"),
        task="socialhub.tasks.heartbeat",
        description=_("Proves that scheduler, broker, worker and database work together; /readyz reads it."),
        every=30,
        expires=60,
    ),
    Job(
        name=_("read figures that are due"),
        task="analytics.tasks.sync_due",
        description=_("Reads each post's figures as often as its age asks for."),
        every=60,
        expires=120,
    ),
    Job(
        name=_("drop old rate limit windows"),
        task="publishing.tasks.tidy_windows",
        description=_("Removes rate limit windows that have ended."),
        every=300,
        expires=600,
    ),
    Job(
        name=_("read accounts whose turn it is"),
        task="analytics.tasks.sync_accounts",
        description=_("Reads each connected account once an hour, at a minute of its own, new ones at once."),
        every=60,
        expires=120,
    ),
    Job(
        name=_("make exports"),
        task="analytics.tasks.make_exports",
        description=_("Makes whole workspaces into folders for those who have asked for it."),
        every=60,
        expires=120,
    ),
    Job(
        name=_("take deleted workspaces apart"),
        task="analytics.tasks.end_workspaces",
        description=_(
            "Gives accesses back, and removes the files and rows of workspaces that their owners have deleted."
        ),
        every=60,
        expires=120,
    ),
    Job(
        name=_("verify accounts"),
        task="accounts.tasks.verify_accounts",
        description=_("Tries every connection, renews tokens that end soon, and tells people what they must renew."),
        hour="2",
    ),
    Job(
        name=_("look at versions"),
        task="accounts.tasks.look_at_versions",
        description=_("Asks LinkedIn once a week whether it serves the version that is set; hourly while it does not."),
        minute="50",
    ),
    Job(
        name=_("send weekly reports"),
        task="analytics.tasks.send_reports",
        description=_("E-mails the weekly report to those who want it, on Monday at seven by their own clock."),
        minute="5",
    ),
    Job(
        name=_("tidy publishing"),
        task="publishing.tasks.tidy",
        description=_("Removes old attempts and media that belong to nothing."),
        hour="3",
        minute="10",
    ),
    Job(
        name=_("tidy analytics"),
        task="analytics.tasks.tidy",
        description=_("Removes the networks' raw answers and old readings that are kept no longer."),
        hour="3",
        minute="25",
    ),
    Job(
        name=_("tidy accounts"),
        task="accounts.tasks.tidy",
        description=_("Removes expired sign-in states and sessions."),
        hour="3",
        minute="40",
    ),
)


def title_of(row: PeriodicTask) -> str:
    """What a job is called in the language of the reader; the row keeps the English name, which finds it again."""
    return gettext(row.name.removeprefix(PREFIX)) if row.name.startswith(PREFIX) else str(row.name)


def rhythm_of(row: PeriodicTask) -> str:
    """How often it runs, in words where there are short ones."""
    if row.interval and row.interval.period == IntervalSchedule.SECONDS:
        minutes, seconds = divmod(row.interval.every, 60)
        if seconds:
            number = row.interval.every
            return ngettext("every second", "every %(number)d seconds", number) % {"number": number}
        return ngettext("every minute", "every %(number)d minutes", minutes) % {"number": minutes}
    if (
        (cron := row.crontab)
        and cron.minute.isdigit()
        and {cron.day_of_week, cron.day_of_month, cron.month_of_year} == {"*"}
    ):
        if cron.hour.isdigit():
            at = f"{int(cron.hour):02}:{int(cron.minute):02}"
            return gettext("daily at %(time)s %(zone)s") % {"time": at, "zone": cron.timezone}
        if cron.hour == "*":
            return gettext("hourly at minute %s") % cron.minute
    return str(row.scheduler)


def sync(**_kwargs: Any) -> None:
    """Create what is missing and bring task and description up to date.

    How often a job runs and whether it runs belong to staff once the row is there. Rows of jobs that we no longer
    have are removed, otherwise beat would send tasks that no worker knows.
    """
    if PeriodicTask._meta.db_table not in connection.introspection.table_names():
        return  # `migrate APP`, before django-celery-beat had its turn
    for job in JOBS:
        row, created = PeriodicTask.objects.get_or_create(name=PREFIX + job.name, defaults=fields(job) | timing(job))
        if not created and any(getattr(row, name) != value for name, value in fields(job).items()):
            PeriodicTask.objects.filter(pk=row.pk).update(**fields(job))
            PeriodicTasks.update_changed()  # update() sends no signal, and beat would not notice
    names = [PREFIX + job.name for job in JOBS]
    for row in PeriodicTask.objects.filter(name__startswith=PREFIX).exclude(name__in=names):
        row.delete()


def fields(job: Job) -> dict[str, Any]:
    return {
        "task": job.task,
        "args": "[]",
        "kwargs": "{}",
        "description": job.description,
        "expire_seconds": job.expires,
    }


def timing(job: Job) -> dict[str, Any]:
    if job.every is not None:
        interval, _created = IntervalSchedule.objects.get_or_create(every=job.every, period=IntervalSchedule.SECONDS)
        return {"interval": interval}
    crontab, _created = CrontabSchedule.objects.get_or_create(hour=job.hour, minute=job.minute, timezone=UTC)
    return {"crontab": crontab}
