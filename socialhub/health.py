"""For load balancers and monitors: does the process answer, and does everything behind it work?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, InterfaceError
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from redis.exceptions import RedisError

from socialhub.models import BeatLease, Heartbeat, ProcessHeartbeat

logger = logging.getLogger(__name__)

PROBED = ("/healthz", "/readyz", "/metrics")
HEARTBEAT_LIMIT = timedelta(seconds=settings.SILENT_AFTER_SECONDS)
LEASE_LATE = timedelta(seconds=30)  # a beat renews its lease every five seconds


class ProbeMiddleware:
    """Whoever probes this very process calls it by its number, which is no name of ours: taken as if it were.

    Only a number, so that no page of a foreign name that leads here can read the answer; and only for addresses whose
    answer does not depend on how we are called.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.name = urlsplit(settings.PUBLIC_BASE_URL).netloc
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in PROBED and is_number(request.META.get("HTTP_HOST", "")):
            request.META["HTTP_HOST"] = self.name
        return self.get_response(request)


def is_number(host: str) -> bool:
    """An address of the internet, with a port or without: 10.0.0.7:8000, [::1]."""
    try:
        ip_address(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
    return True


_was_ready: bool | None = None


def note(ready: bool, body: object) -> None:
    """One line when it changes, for this process: who asks may do it every second."""
    global _was_ready
    if not ready and _was_ready is not False:
        logger.warning("not ready: %s", body)
    elif ready and _was_ready is False:
        logger.warning("ready again: %s", body)
    _was_ready = ready


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
    note(ready, body)
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
