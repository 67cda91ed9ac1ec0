"""Wakes a worker for what has to go out, by the name of its task: what schedules stands below the tasks."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from accounts.wake import wake
from publishing.dispatch import HORIZON_SECONDS

PUBLISH = "publishing.tasks.publish_due"


def nudge(due_in: timedelta = timedelta()) -> None:
    """After the commit, wake a worker for what is due soon. What is due later, beat finds by itself."""
    if due_in.total_seconds() <= HORIZON_SECONDS:
        transaction.on_commit(send_nudge)


def send_nudge() -> None:
    """A broker that is down costs time, never the request: beat's next round finds the entry."""
    wake(PUBLISH)
