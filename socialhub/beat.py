"""The scheduler of which any number may run, while only one fires: `python -m socialhub beat`."""

from __future__ import annotations

import logging
import os
import socket
import uuid
from typing import Any

from celery.signals import beat_init
from django.db import DatabaseError, close_old_connections
from django_celery_beat.schedulers import DatabaseScheduler

from socialhub.models import BeatLease, ProcessHeartbeat
from socialhub.processes import be_heard

logger = logging.getLogger(__name__)

LEASE_SECONDS = 15
PAUSE_SECONDS = 5.0  # at most so long between two looks, well below the lease


class SoloScheduler(DatabaseScheduler):
    """Fires while it holds the lease, and stands by while another beat does."""

    lead = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.me = f"{socket.gethostname()[:50]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        close_old_connections()
        try:
            leads = BeatLease.take(self.me, seconds=LEASE_SECONDS)
        except DatabaseError as error:
            logger.warning("the database does not answer, so nothing is scheduled now: %s", error)
            self.lead = False
            return PAUSE_SECONDS
        if not leads:
            if self.lead:
                logger.warning("another beat leads now; this one stands by")
            self.lead = False
            return PAUSE_SECONDS
        if not self.lead:
            logger.info("this beat leads the schedule")
            # What was read while standing by is old: those jobs have run since.
            self.lead = self._initial_read = True
            self._heap = None
        return min(super().tick(*args, **kwargs), PAUSE_SECONDS)

    def close(self) -> None:
        super().close()
        if self.lead:
            BeatLease.give_back(self.me)


@beat_init.connect
def beat_is_heard(sender: Any, **_kwargs: Any) -> None:
    be_heard(ProcessHeartbeat.Kind.BEAT, lambda: {"leads": getattr(sender.scheduler, "lead", False)})
