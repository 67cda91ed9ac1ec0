"""Are scheduler and workers at work? Looked up now and then by a thread of each web process, and said on every page.

Pages read what was found last, so that they cost no query for it.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from socialhub.health import HEARTBEAT_LIMIT, scheduler_leads, workers_are_heard
from socialhub.models import Heartbeat

logger = logging.getLogger(__name__)

GRACE_SECONDS = (
    settings.SILENT_AFTER_SECONDS / 2
)  # whoever starts everything at once need not be told that nothing has run yet


@dataclass(frozen=True, slots=True)
class Silence:
    """since: the last sign, None when there never was one. scheduler, workers: whether they are there; with both there
    the broker does not carry from the one to the other."""

    since: datetime | None
    scheduler: bool
    workers: bool


def silence() -> Silence | None:
    """What the tables say now; None while all is well."""
    seen_at = Heartbeat.objects.values_list("seen_at", flat=True).first()
    now = timezone.now()
    if seen_at and now - seen_at < HEARTBEAT_LIMIT:
        return None
    return Silence(seen_at, scheduler_leads(), workers_are_heard())


class Lookout:
    """What this process knows of the others. Where the database does not answer it keeps what it knew."""

    def __init__(self) -> None:
        self.found: Silence | None = None
        self._began = time.monotonic()

    def look(self) -> None:
        found = silence()
        if found and not self.found and time.monotonic() - self._began < GRACE_SECONDS:
            return
        if found and not self.found:
            logger.error(
                "no sign of scheduler and workers since %s; scheduler: %s, workers: %s",
                found.since or "ever",
                "there" if found.scheduler else "silent",
                "there" if found.workers else "silent",
            )
        elif self.found and not found:
            logger.warning("scheduler and workers are heard again")
        self.found = found


_lookout: Lookout | None = None


def look() -> None:
    global _lookout
    if _lookout is None:
        _lookout = Lookout()
    _lookout.look()


def banner(request: HttpRequest) -> dict[str, Any]:
    """For every page: None while all is well, or while nobody looks."""
    return {"silence": _lookout.found if _lookout else None}
