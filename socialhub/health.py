"""For load balancers and monitors: does the process answer, and does everything behind it work?"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, InterfaceError
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from redis.exceptions import RedisError

from socialhub.models import BeatLease, Heartbeat, ProcessHeartbeat

HEARTBEAT_LIMIT = timedelta(seconds=settings.SILENT_AFTER_SECONDS)
LEASE_LATE = timedelta(seconds=30)  # a beat renews its lease every five seconds


@login_not_required
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; says nothing about the database or the workers."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, broker, scheduler and a worker have all worked within the last two minutes, else 503.

    The rest says which of them to look at; it does not decide.
    """
    try:
        age = Heartbeat.age()
        scheduler, workers = scheduler_leads(), workers_are_heard()
    except (DatabaseError, InterfaceError):
        age, database, scheduler, workers = None, False, None, None
    else:
        database = True
    ready = age is not None and age < HEARTBEAT_LIMIT
    body = {
        "ready": ready,
        "database": database,
        "heartbeatAgeSeconds": None if age is None else round(age.total_seconds(), 1),
        "redis": redis_answers(),
        "scheduler": scheduler,
        "workers": workers,
    }
    return JsonResponse(body, status=200 if ready else 503)


def scheduler_leads() -> bool:
    """A beat holds the lease, or held it until a moment ago."""
    return BeatLease.objects.filter(expires_at__gt=Now() - LEASE_LATE).exists()


def workers_are_heard() -> bool:
    return ProcessHeartbeat.objects.alive().filter(kind=ProcessHeartbeat.Kind.WORKER).exists()


def redis_answers() -> bool:
    try:
        cache.get("readyz")
    except RedisError:
        return False
    return True
