"""Receivers hear of what went out within a second or two, instead of at beat's next round.

Publishing is not to pay for it: whether anybody listens is known from the last look for news of this process, and one
message a second is enough for any number of posts. Where none is sent, beat finds everything.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.dispatch import receiver
from kombu.exceptions import OperationalError

from publishing.states import went_out

logger = logging.getLogger(__name__)

TASK = "publishing.tasks.send_webhooks"
APART_SECONDS = 1.0


class Listening:
    """Which workspaces have receivers, as far as this process knows, and when a worker was woken last."""

    def __init__(self) -> None:
        self.workspaces: frozenset[UUID] = frozenset()
        self._woken = 0.0
        self._lock = threading.Lock()

    def is_due(self) -> bool:
        """True once a second, for whoever asks first."""
        with self._lock:
            now = time.monotonic()
            if now - self._woken < APART_SECONDS:
                return False
            self._woken = now
            return True


listening = Listening()


@receiver(went_out)
def publications_went_out(workspaces: Collection[UUID], **kwargs: Any) -> None:
    if not listening.workspaces.isdisjoint(workspaces) and listening.is_due():
        # A moment later, so that it finds all that goes out until the next message may be sent.
        transaction.on_commit(lambda: wake_sender(APART_SECONDS))


def wake_sender(in_seconds: float = 0) -> None:
    try:
        current_app.send_task(TASK, countdown=in_seconds, expires=60, retry=False)
    except OperationalError:
        logger.warning("The broker does not answer; webhooks go out at the next beat")
