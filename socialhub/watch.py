"""What the tables tell of the operation now, for the status page and for /metrics. Nothing here writes, or names a person.

Each function is one or two statements by an index, also where a table holds millions of rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Min, Q
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from accounts import operators
from accounts.models import ConnectedAccount, Notification
from publishing.models import Attempt, MediaFetch, Publication, QueueEntry, Status, WebhookDelivery, WebhookEndpoint
from socialhub.admin_books import ERROR_KINDS
from socialhub.models import BeatLease, Heartbeat, ProcessHeartbeat
from socialhub.platforms.sunsets import Sunset, sunset_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MAIL_KEPT = 2 * DAY  # accounts.notify tries no longer
NEWEST = 5000  # publications that lateness is taken from


# --- The queue --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Queue:
    """due: a worker could take it now; waiting: its time has not come. held: its account cannot publish."""

    due: int
    oldest_due: datetime | None
    at_work: int
    abandoned: int  # in the hands of a worker that is silent
    held: int
    decisions: int  # only a person can tell what became of it
    waiting: int


def due(now: datetime) -> tuple[int, datetime | None]:
    """How many entries a worker could take, and since when the oldest."""
    number, first = 0, []
    for priority in QueueEntry.Priority:  # one at a time: by the index that the claim uses
        free = QueueEntry.objects.filter(priority=priority, lease_until=None, held=False, not_before__lte=now)
        told = free.aggregate(number=Count("pk"), first=Min("not_before"))
        number += told["number"]
        first += [told["first"]] if told["first"] else []
    return number, min(first, default=None)


def queue(now: datetime) -> Queue:
    ready, oldest = due(now)
    leased = QueueEntry.objects.filter(lease_until__isnull=False).aggregate(
        all=Count("pk"), late=Count("pk", filter=Q(lease_until__lt=now))
    )
    held = QueueEntry.objects.filter(held=True).aggregate(
        all=Count("pk"), asked=Count("pk", filter=Q(awaits_decision=True))
    )
    total = QueueEntry.objects.count()
    return Queue(
        due=ready,
        oldest_due=oldest,
        at_work=leased["all"] - leased["late"],
        abandoned=leased["late"],
        held=held["all"] - held["asked"],
        decisions=held["asked"],
        waiting=max(total - ready - leased["all"] - held["all"], 0),
    )


@dataclass(frozen=True, slots=True)
class Settled:
    """Publications that came to an end within a span."""

    published: int
    failed: int


def settled(since: datetime) -> Settled:
    return Settled(
        Publication.objects.filter(published_at__gte=since).count(),
        Publication.objects.filter(status=Status.FAILED, updated_at__gte=since).count(),
    )


# --- Tries and their errors -------------------------------------------------------------------------------------


# What a try can end with when it did not go well; a limit that is reached is no error.
ERRORS = {*ERROR_KINDS, "error", "lost"} - {"limited"}


@dataclass(frozen=True, slots=True)
class Tries:
    """How the tries on one network ended, in the last hour and in the last day."""

    platform: str
    outcome: str
    hour: int
    day: int

    @property
    def is_error(self) -> bool:
        return self.outcome in ERRORS


def tries(now: datetime) -> list[Tries]:
    rows = (
        Attempt.objects.filter(started_at__gte=now - DAY)
        .exclude(outcome="")
        .values_list("publication__account__platform", "outcome")
        .annotate(hour=Count("pk", filter=Q(started_at__gte=now - HOUR)), day=Count("pk"))
        .order_by("publication__account__platform", "-day", "outcome")
    )
    return [Tries(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Of the tries on one network: how many failed, and with what. A try that only waits for a network is none."""

    platform: str
    hour: int
    hour_failed: int
    day: int
    day_failed: int
    kinds: tuple[Tries, ...]

    @property
    def hour_rate(self) -> float | None:
        return self.hour_failed / self.hour if self.hour else None

    @property
    def day_rate(self) -> float | None:
        return self.day_failed / self.day if self.day else None


PASSING = ("waiting", "paused", "limited")


def error_rates(found: Iterable[Tries]) -> list[ErrorRate]:
    by_platform: dict[str, list[Tries]] = defaultdict(list)
    for one in found:
        if one.outcome not in PASSING:
            by_platform[one.platform].append(one)
    return [
        ErrorRate(
            platform,
            sum(one.hour for one in rows),
            sum(one.hour for one in rows if one.is_error),
            sum(one.day for one in rows),
            sum(one.day for one in rows if one.is_error),
            tuple(one for one in rows if one.is_error),
        )
        for platform, rows in by_platform.items()
    ]


# The newest are enough: how late something began is a question about now.
LATENESS = """
    SELECT count(*), percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY late), max(late) FROM (
        SELECT greatest(extract(epoch FROM first.began - done.scheduled_at), 0) AS late
        FROM (SELECT p.id, p.scheduled_at FROM publishing_publication p
              WHERE p.published_at >= %s AND p.scheduled_at IS NOT NULL
              ORDER BY p.published_at DESC LIMIT %s) done
        CROSS JOIN LATERAL (SELECT min(a.started_at) AS began FROM publishing_attempt a
                            WHERE a.publication_id = done.id AND a.purpose = 'publish') first
        WHERE first.began IS NOT NULL) each
"""


@dataclass(frozen=True, slots=True)
class Lateness:
    """Seconds between the time of a publication and the beginning of its first try."""

    number: int
    median: float | None
    p99: float | None
    worst: float | None


def lateness(since: datetime) -> Lateness:
    with connection.cursor() as cursor:
        cursor.execute(LATENESS, [since, NEWEST])
        number, shares, worst = cursor.fetchone()
    median, p99 = shares or (None, None)
    return Lateness(number, *(None if value is None else float(value) for value in (median, p99, worst)))


# --- What else waits --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Backlog:
    """since: when the oldest could have been done."""

    waiting: int
    since: datetime | None
    failed: int = 0


def webhooks(now: datetime) -> Backlog:
    open_ones = WebhookDelivery.objects.filter(endpoint__workspace__deleting_at=None)  # to the others nothing is sent
    told = open_ones.filter(status=WebhookDelivery.Status.WAITING).aggregate(
        number=Count("pk"), first=Min("not_before", filter=Q(not_before__lte=now))
    )
    failed = WebhookDelivery.objects.filter(created_at__gte=now - DAY, status=WebhookDelivery.Status.FAILED).count()
    return Backlog(told["number"], told["first"], failed)


def silent_endpoints() -> int:
    """Of webhooks: those whose address does not answer now, or has not for so long that it was given up."""
    return WebhookEndpoint.objects.filter(failing_since__isnull=False).count()


def mail(now: datetime) -> Backlog:
    told = Notification.objects.filter(emailed_at=None, resolved_at=None, created_at__gt=now - MAIL_KEPT).aggregate(
        number=Count("pk"), first=Min("created_at")
    )
    return Backlog(told["number"], told["first"])


def fetches(now: datetime) -> Backlog:
    """Files that are fetched from addresses that programs named."""
    open_ones = MediaFetch.objects.filter(post__workspace__deleting_at=None)
    told = open_ones.filter(status=MediaFetch.Status.WAITING).aggregate(
        number=Count("pk"), first=Min("not_before", filter=Q(not_before__lte=now))
    )
    failed = MediaFetch.objects.filter(status=MediaFetch.Status.FAILED, finished_at__gte=now - DAY).count()
    return Backlog(told["number"], told["first"], failed)


def accounts() -> list[tuple[str, str, int]]:
    """Network, status, number."""
    rows = ConnectedAccount.objects.exclude(status=ConnectedAccount.Status.DISCONNECTED)
    return list(rows.values_list("platform", "status").annotate(number=Count("pk")).order_by("platform", "status"))


# --- Processes and what they stand on ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Process:
    kind: str
    label: str
    name: str
    host: str
    version: str
    started_at: datetime
    seen_at: datetime
    is_alive: bool
    details: dict[str, Any]


def processes() -> list[Process]:
    alive = set(ProcessHeartbeat.objects.alive().values_list("pk", flat=True))
    return [
        Process(
            row.kind,
            row.get_kind_display(),
            row.name,
            row.host,
            row.version,
            row.started_at,
            row.seen_at,
            row.pk in alive,
            row.details,
        )
        for row in ProcessHeartbeat.objects.all()
    ]


def heartbeat_at() -> datetime | None:
    """When a worker last did what the scheduler asked for."""
    return Heartbeat.objects.values_list("seen_at", flat=True).first()


def lease_ends_at() -> datetime | None:
    """Until when a beat has the right to fire; it renews that every five seconds."""
    return BeatLease.objects.values_list("expires_at", flat=True).first()


@dataclass(frozen=True, slots=True)
class Disk:
    """Of one machine: the disk that uploads lie on, in bytes."""

    host: str
    free: int
    total: int

    @property
    def is_short(self) -> bool:
        return self.free < self.total / 10 or self.free < 1 << 30


def disks(found: Iterable[Process]) -> list[Disk]:
    """One for each machine, as the process tells that was heard last."""
    newest: dict[str, Process] = {}
    for one in sorted(found, key=lambda process: process.seen_at):
        if one.is_alive and "disk_free" in one.details:
            newest[one.host] = one
    return [Disk(host, one.details["disk_free"], one.details["disk_total"]) for host, one in sorted(newest.items())]


@dataclass(frozen=True, slots=True)
class Database:
    bytes: int
    connections: int
    connections_allowed: int


def database() -> Database:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_database_size(current_database()), (SELECT count(*) FROM pg_stat_activity WHERE "
            "backend_type = 'client backend'), current_setting('max_connections')::int"
        )
        return Database(*cursor.fetchone())


@dataclass(frozen=True, slots=True)
class Broker:
    bytes: int
    bytes_allowed: int  # 0: as much as the machine has
    clients: int


def broker() -> Broker | None:
    """None while Redis does not answer."""
    try:
        client = cache._cache.get_client()  # type: ignore[attr-defined]  # Django has no word for it
        memory, clients = client.info("memory"), client.info("clients")
    except RedisError:
        return None
    return Broker(memory["used_memory"], memory.get("maxmemory", 0), clients["connected_clients"])


# --- The versions of the networks' interfaces -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Version:
    """What is set, and what answers. answers: other versions than the one that is set; refused: it is not served."""

    label: str
    setting: str
    pinned: str
    answers: tuple[str, ...]
    refused: bool
    sunset: Sunset | None

    def days_left(self, today: date) -> int | None:
        """Until it certainly ends; None while that is not announced."""
        return (self.sunset.ends_on - today).days if self.sunset and self.sunset.ends_on else None


def versions() -> list[Version]:
    meta, linkedin = settings.META_GRAPH_VERSION, settings.LINKEDIN_API_VERSION
    return [
        Version(
            _("Meta (Facebook, Instagram)"),
            "META_GRAPH_VERSION",
            meta,
            tuple(operators.served_versions()),
            False,
            sunset_of("meta", meta),
        ),
        Version(
            "LinkedIn",
            "LINKEDIN_API_VERSION",
            linkedin,
            (),
            operators.linkedin_is_refused(),
            sunset_of("linkedin", linkedin),
        ),
    ]
