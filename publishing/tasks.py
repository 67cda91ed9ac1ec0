"""What beat and the pages ask of a worker. Losing or doubling one of these messages changes nothing."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from publishing import ahead, autosave, claims, follow_ups, limits
from publishing.dispatch import HORIZON_SECONDS, dispatcher
from publishing.media import delete_orphans
from publishing.models import Attempt

logger = logging.getLogger(__name__)

ATTEMPTS_KEPT = timedelta(days=90)


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
    """Drop old attempts, what nobody went on writing, and media that nothing uses."""
    Attempt.objects.filter(started_at__lt=timezone.now() - ATTEMPTS_KEPT).delete()
    autosave.tidy()
    delete_orphans(timedelta(days=1))


def nudge(due_in: timedelta = timedelta()) -> None:
    """After the commit, wake a worker for what is due soon. What is due later, beat finds by itself."""
    if due_in.total_seconds() <= HORIZON_SECONDS:
        transaction.on_commit(send_nudge)


def send_nudge() -> None:
    """A broker that is down costs time, never the request: beat's next round finds the entry."""
    try:
        publish_due.apply_async(retry=False)
    except OperationalError:
        logger.warning("The broker does not answer; due publications wait for the next beat")


@worker_shutting_down.connect
def stop_claiming(**kwargs: Any) -> None:
    dispatcher().stop()
