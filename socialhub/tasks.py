"""Tasks of the operation itself."""

from celery import shared_task

from socialhub.models import Heartbeat


@shared_task
def heartbeat() -> None:
    Heartbeat.beat()
