"""What beat starts: each task calls one function."""

from __future__ import annotations

from celery import shared_task

from accounts.notify import send_pending
from accounts.tidy import tidy_all
from accounts.verify import verify_all


@shared_task
def verify_accounts() -> None:
    verify_all()


@shared_task
def tidy() -> None:
    send_pending()
    tidy_all()
