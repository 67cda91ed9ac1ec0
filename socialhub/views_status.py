"""The page that staff opens at night: what runs, what waits, what fails, and what will end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from socialhub import watch
from socialhub.admin_books import error_word
from socialhub.http import HttpRequest
from socialhub.platforms.sunsets import metrics_ending
from socialhub.silence import silence

AHEAD = timedelta(days=365)
SOON = timedelta(days=90)
LATE = timedelta(minutes=2)


@never_cache
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Numbers of the whole site and no word of anybody's, so that it is open to all staff. Refreshes itself."""
    if not request.user.is_staff:
        raise Http404
    template = "staff/_status.html" if request.htmx else "staff/status.html"
    return render(request, template, {"now": timezone.now(), **told()})


def told() -> dict[str, Any]:
    now = timezone.now()
    processes = watch.processes()
    queue = watch.queue(now)
    return {
        "trouble": silence(),
        "heartbeat_at": watch.heartbeat_at(),
        "lease_ends_at": watch.lease_ends_at(),
        "processes": processes,
        "alive": {
            kind: sum(one.is_alive for one in processes if one.kind == kind) for kind in ("web", "worker", "beat")
        },
        "queue": queue,
        "is_late": bool(queue.oldest_due and queue.oldest_due < now - LATE),
        "hour": watch.settled(now - watch.HOUR),
        "day": watch.settled(now - watch.DAY),
        "lateness": watch.lateness(now - watch.HOUR),
        "errors": [
            (rate, [(error_word(one.outcome) or one.outcome, one) for one in rate.kinds])
            for rate in watch.error_rates(watch.tries(now))
        ],
        "webhooks": watch.webhooks(now),
        "silent_endpoints": watch.silent_endpoints(),
        "mail": watch.mail(now),
        "fetches": watch.fetches(now),
        "disks": watch.disks(processes),
        "database": watch.database(),
        "broker": watch.broker(),
        "versions": [(one, one.days_left(now.date())) for one in watch.versions()],
        "soon": SOON.days,
        "endings": metrics_ending(now.date(), AHEAD),
        "release": settings.RELEASE,
    }
