"""The scheduler of which any number may run, while only one fires: `python -m socialhub beat`."""

from __future__ import annotations

import logging
import os
import socket
import uuid
from typing import Any

from celery.beat import SchedulingError
from celery.signals import beat_init
from django.db import DatabaseError, close_old_connections
from django_celery_beat.schedulers import DatabaseScheduler
from kombu.exceptions import OperationalError

from socialhub.models import BeatLease, ProcessHeartbeat
from socialhub.processes import be_heard

logger = logging.getLogger(__name__)

LEASE_SECONDS = 15
PAUSE_SECONDS = 5.0  # at most so long between two looks, well below the lease


class SoloScheduler(DatabaseScheduler):
    """Fires while it holds the lease, and stands by while another beat does."""

    lead = False
    unsent = 0  # messages, since the broker answers no more
    is_reading = True  # the database answers
    # None: each message takes a connection of the pool. Celery's own one waits for a broker within a tick, for an hour if
    # need be, while the lease runs out.
    producer = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.me = f"{socket.gethostname()[:50]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        close_old_connections()
        try:
            leads = BeatLease.take(self.me, seconds=LEASE_SECONDS)
        except DatabaseError as error:
            if self.is_reading:
                logger.warning("the database does not answer, so nothing is scheduled until it does: %s", error)
            self.lead = self.is_reading = False
            return PAUSE_SECONDS
        if not self.is_reading:
            self.is_reading = True
            logger.warning("the database answers again")
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

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Sends a message. A broker that is away is told of at its beginning and its end, not with each job."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            if not isinstance(error.__context__, OperationalError):
                logger.exception("the job cannot be sent: %s", entry.name)
                return
            if not self.unsent:
                logger.warning("the broker does not answer, so no worker is told of jobs until it does: %s", error)
            self.unsent += 1
        else:
            if self.unsent:
                logger.warning(
                    "the broker answers again; %d messages were not sent, later ones stand for them", self.unsent
                )
            self.unsent = 0

    def close(self) -> None:
        super().close()
        if self.lead:
            BeatLease.give_back(self.me)


@beat_init.connect
def beat_is_heard(sender: Any, **_kwargs: Any) -> None:
    be_heard(ProcessHeartbeat.Kind.BEAT, lambda: {"leads": getattr(sender.scheduler, "lead", False)})
