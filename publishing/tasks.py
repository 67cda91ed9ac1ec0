"""What beat and the pages ask of a worker. Losing or doubling one of these messages changes nothing."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from publishing import ahead, autosave, claims, follow_ups, intake, limits, renditions, restored
from publishing.dispatch import dispatcher
from publishing.media import delete_orphans
from publishing.models import Attempt
from publishing.nudges import send_nudge
from publishing.webhooks import deliver, ends, events
from socialhub import stray_files

ATTEMPTS_KEPT = timedelta(days=90)
STRAY = timedelta(days=2)  # a file stands before its row does, and an upload may take long

_telling = threading.Lock()


@shared_task
def publish_due() -> None:
    """Publish what is due now or before beat asks again."""
    dispatcher().run(call_for_help=send_nudge)


@shared_task
def sweep() -> None:
    """Take back what dead workers held; hold and release by the state of the accounts."""
    if claims.sweep():
        send_nudge()


@shared_task
def follow_up() -> None:
    """Write first comments, and look whether what was published is really there."""
    follow_ups.run_due()


@shared_task
def send_webhooks() -> None:
    """Tell other programs what happened. One run at a time in each process; the next finds what this one left."""
    if _telling.acquire(blocking=False):
        try:
            events.scan()
            deliver.run()
        finally:
            _telling.release()


@shared_task
def fetch_media() -> None:
    """Fetch files that were named by their address, and send on their way the posts that have them all."""
    intake.run_due()


@shared_task
def look_ahead() -> None:
    """Check again what is due within a quarter of an hour."""
    ahead.look_ahead()


@shared_task
def tidy_windows() -> None:
    """Drop rate-limit slices that count no more, and settle what was told about waits that are over."""
    limits.tidy_windows()
    limits.settle_waits()


@shared_task
def tidy() -> None:
    """Drop old attempts, what nobody went on writing, media that nothing uses, and files that no row names."""
    Attempt.objects.filter(started_at__lt=timezone.now() - ATTEMPTS_KEPT).delete()
    autosave.tidy()
    intake.tidy()
    delete_orphans(timedelta(days=1))
    renditions.tidy()
    stray_files.remove(STRAY)
    restored.settle_told()
    ends.tidy()


@worker_shutting_down.connect
def stop_claiming(**kwargs: Any) -> None:
    dispatcher().stop()
    intake.fetchers().stop()
    deliver.stop()
