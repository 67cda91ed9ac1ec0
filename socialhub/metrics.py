"""/metrics for Prometheus: what the tables tell, and what each web process has counted.

Any web process can be asked: the counts of the others stand in the rows that they write about themselves, half a minute
old at most. A process that ended takes its counts with it, as any restarted one does.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.core import CollectorRegistry, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from socialhub import watch
from socialhub.traffic import BUCKETS

HOUR = watch.HOUR


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """404 while METRICS_TOKEN is not set; 401 for whoever does not know it."""
    if not settings.METRICS_TOKEN:
        raise Http404
    told = request.headers.get("Authorization", "").encode()
    if not secrets.compare_digest(told, f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse("unauthorized\n", "text/plain", 401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Tables())
    return HttpResponse(generate_latest(registry), CONTENT_TYPE_LATEST)


class Tables(Collector):
    """Reads everything anew each time it is asked."""

    def collect(self) -> Iterator[Metric]:
        yield gauge("socialhub_info", "What runs here.", {(("version", settings.RELEASE),): 1})
        try:
            found = [metric for part in PARTS for metric in part(timezone.now())]
        except (DatabaseError, InterfaceError):
            yield gauge("socialhub_database_up", "Whether the database answers.", {(): 0})
            return
        yield gauge("socialhub_database_up", "Whether the database answers.", {(): 1})
        yield from found


Labels = tuple[tuple[str, str], ...]


def gauge(name: str, meaning: str, values: dict[Labels, float | None]) -> GaugeMetricFamily:
    """Values by their labels, all with the same names. What is not known is left out, and is no 0."""
    names = next(([name for name, _value in labels] for labels in values), [])
    family = GaugeMetricFamily(name, meaning, labels=names)
    for labels, value in values.items():
        if value is not None:
            family.add_metric([value for _name, value in labels], value)
    return family


def by(**labels: str) -> Labels:
    return tuple(labels.items())


def age(moment: datetime | None, now: datetime) -> float | None:
    return max((now - moment).total_seconds(), 0) if moment else None


# --- The parts --------------------------------------------------------------------------------------------------


def of_the_queue(now: datetime) -> Iterable[Metric]:
    told = watch.queue(now)
    yield gauge(
        "socialhub_queue_entries",
        "Publications in the queue: due (a worker could take them now), waiting for their time, at work, abandoned by a "
        "dead worker, held for their account, or waiting for the decision of a person.",
        {
            by(state=state): getattr(told, state)
            for state in ("due", "waiting", "at_work", "abandoned", "held", "decisions")
        },
    )
    yield gauge(
        "socialhub_queue_oldest_due_seconds",
        "For how long the oldest due entry has waited for a worker; 0 when none does.",
        {(): age(told.oldest_due, now) or 0},
    )
    last = watch.settled(now - HOUR)
    yield gauge(
        "socialhub_publications_last_hour",
        "Publications that came to an end within the last hour.",
        {by(status="published"): last.published, by(status="failed"): last.failed},
    )


def of_tries(now: datetime) -> Iterable[Metric]:
    found = [one for one in watch.tries(now) if one.hour]
    yield gauge(
        "socialhub_attempts_last_hour",
        "Tries to publish that ended within the last hour, by network and outcome; error is 1 for those that failed.",
        {by(platform=one.platform, outcome=one.outcome, error=str(int(one.is_error))): one.hour for one in found},
    )
    late = watch.lateness(now - HOUR)
    yield gauge(
        "socialhub_start_lateness_seconds",
        "Of what was published within the last hour: seconds between its time and the first try.",
        {by(quantile="0.5"): late.median, by(quantile="0.99"): late.p99, by(quantile="1"): late.worst},
    )


def of_accounts(now: datetime) -> Iterable[Metric]:
    yield gauge(
        "socialhub_accounts",
        "Connected accounts by network and state.",
        {by(platform=platform, status=status): number for platform, status, number in watch.accounts()},
    )


def of_backlogs(now: datetime) -> Iterable[Metric]:
    backlogs = {"webhook": watch.webhooks(now), "mail": watch.mail(now), "media_fetch": watch.fetches(now)}
    yield gauge(
        "socialhub_backlog",
        "What else waits: webhook deliveries, mails about incidents, files to fetch.",
        {by(kind=kind): told.waiting for kind, told in backlogs.items()},
    )
    yield gauge(
        "socialhub_backlog_oldest_seconds",
        "For how long the oldest of them could have been done; 0 when none could.",
        {by(kind=kind): age(told.since, now) or 0 for kind, told in backlogs.items()},
    )
    yield gauge(
        "socialhub_backlog_failed_last_day",
        "Of the last day: those that were given up.",
        {by(kind=kind): told.failed for kind, told in backlogs.items() if kind != "mail"},
    )
    yield gauge("socialhub_webhook_endpoints_silent", "Webhooks that do not answer.", {(): watch.silent_endpoints()})


def of_processes(now: datetime) -> Iterable[Metric]:
    yield gauge(
        "socialhub_heartbeat_age_seconds",
        "Since a worker last did what the scheduler asked for; absent before the first time. Above 120 nothing goes out.",
        {(): age(watch.heartbeat_at(), now)},
    )
    ends_at = watch.lease_ends_at()
    yield gauge(
        "socialhub_beat_lease_seconds",
        "For how long the leading scheduler still has its lease; below 0 none leads.",
        {(): (ends_at - now).total_seconds() if ends_at else None},
    )
    found = watch.processes()
    alive = [one for one in found if one.is_alive]
    kinds = ("web", "worker", "beat")
    yield gauge(
        "socialhub_processes",
        "Processes that were heard within the last 95 seconds.",
        {by(kind=kind): sum(one.kind == kind for one in alive) for kind in kinds},
    )
    yield gauge(
        "socialhub_processes_lost",
        "Processes of the last day that ended without saying so.",
        {by(kind=kind): sum(one.kind == kind for one in found if not one.is_alive) for kind in kinds},
    )
    yield gauge(
        "socialhub_process_memory_peak_bytes",
        "The most memory that a process has had.",
        {by(kind=one.kind, process=one.name): one.details.get("memory") for one in alive},
    )
    workers = [one for one in alive if one.kind == "worker"]
    yield gauge(
        "socialhub_worker_threads",
        "Publications that a worker may have at work at once, and those that it has.",
        {by(process=one.name, state=state): one.details.get(state) for one in workers for state in ("threads", "busy")},
    )
    shown = watch.disks(found)
    yield gauge(
        "socialhub_disk_free_bytes",
        "Free on the disk that uploads lie on, by machine.",
        {by(machine=disk.host): disk.free for disk in shown},
    )
    yield gauge(
        "socialhub_disk_bytes",
        "Size of the disk that uploads lie on, by machine.",
        {by(machine=disk.host): disk.total for disk in shown},
    )
    yield requests(alive)


def requests(alive: Iterable[watch.Process]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(
        "socialhub_http_request_duration_seconds",
        "Requests of each web process since it started, half a minute ago.",
        labels=["process", "method", "status"],
    )
    limits = [*map(str, BUCKETS), "+Inf"]
    for one in alive:
        for row in one.details.get("requests", ()):
            if len(row["counts"]) != len(limits):  # of another version, while a new one comes in
                continue
            total, buckets = 0, []
            for limit, number in zip(limits, row["counts"], strict=True):
                total += number
                buckets.append((limit, total))
            family.add_metric([one.name, row["method"], row["status"]], buckets, row["seconds"])
    return family


def of_services(now: datetime) -> Iterable[Metric]:
    told = watch.database()
    yield gauge("socialhub_database_bytes", "Size of the database.", {(): told.bytes})
    yield gauge("socialhub_database_connections", "Connections to the database server.", {(): told.connections})
    yield gauge("socialhub_database_connections_limit", "As many as it takes.", {(): told.connections_allowed})
    redis = watch.broker()
    yield gauge("socialhub_redis_up", "Whether Redis answers.", {(): int(redis is not None)})
    if redis:
        yield gauge("socialhub_redis_bytes", "Memory that Redis uses.", {(): redis.bytes})
    sent = watch.versions()
    today = now.date()
    yield gauge(
        "socialhub_api_version_days_left",
        "Days until the version of a network's interface that is set ends; absent while that is not announced.",
        {by(setting=one.setting, version=one.pinned): one.days_left(today) for one in sent},
    )
    yield gauge(
        "socialhub_api_version_mismatch",
        "1 when a network answers with another version than the one that is set, or refuses it.",
        {by(setting=one.setting, version=one.pinned): int(one.refused or bool(one.answers)) for one in sent},
    )


PARTS = (of_the_queue, of_tries, of_accounts, of_backlogs, of_processes, of_services)
