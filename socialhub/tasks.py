"""Tasks of the operation itself."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready

from publishing.dispatch import dispatcher
from socialhub.models import Heartbeat, ProcessHeartbeat
from socialhub.processes import be_heard


@shared_task
def heartbeat() -> None:
    Heartbeat.beat()
    ProcessHeartbeat.sweep()


def of_worker() -> dict[str, Any]:
    """How many publications this process may have in hand, and how many it has."""
    return {"threads": dispatcher().size, "busy": dispatcher().busy}


@worker_ready.connect
def worker_is_heard(**_kwargs: Any) -> None:
    be_heard(ProcessHeartbeat.Kind.WORKER, of_worker)
