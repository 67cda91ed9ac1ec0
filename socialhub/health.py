"""For load balancers and monitors: does the process answer, and does everything behind it work?"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from socialhub.models import Heartbeat

HEARTBEAT_LIMIT = timedelta(seconds=settings.SILENT_AFTER_SECONDS)


@login_not_required
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; says nothing about the database or the workers."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, broker, scheduler and a worker have all worked within the last two minutes, else 503."""
    try:
        age = Heartbeat.age()
    except DatabaseError:
        return JsonResponse({"ready": False, "database": False, "heartbeatAgeSeconds": None}, status=503)
    ready = age is not None and age < HEARTBEAT_LIMIT
    seconds = None if age is None else round(age.total_seconds(), 1)
    body = {"ready": ready, "database": True, "heartbeatAgeSeconds": seconds}
    return JsonResponse(body, status=200 if ready else 503)
