"""What beat and the pages ask of a worker; losing or doubling one of these messages changes nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone
from kombu.exceptions import OperationalError

from analytics import cadence, sync, weekly, workspace_end, workspace_export
from analytics.ingest import retention
from analytics.readers import readers

logger = logging.getLogger(__name__)

ASKED_SECONDS = 600  # beat finds what was asked for even without the message

_reading_posts = threading.Lock()


@shared_task
def sync_accounts() -> None:
    """Every minute: whoever has its turn is read by the threads of this worker."""
    if number := len(sync.accounts_due()):
        readers().wake(number)


@shared_task
def sync_one_account(account_id: str) -> None:
    """Somebody waits for this account. It stands before all others in the table."""
    readers().wake(1)


@shared_task
def sync_due() -> None:
    """Every minute: the posts whose figures are due."""
    if _reading_posts.acquire(blocking=False):
        try:
            sync.sync_due()
        finally:
            _reading_posts.release()


@shared_task
def send_reports() -> None:
    """Hourly: one task for each weekly report that is due, so that none waits for another."""
    for subscription_id in weekly.due(timezone.now()):
        send_report.delay(subscription_id)


@shared_task
def send_report(subscription_id: int) -> None:
    weekly.send(subscription_id)


@shared_task
def make_exports() -> None:
    """Make workspaces into folders for those who have asked for it."""
    workspace_export.run_due()


@shared_task
def end_workspaces() -> None:
    """Go on with taking apart what its owners have deleted."""
    workspace_end.run_due()


@shared_task
def tidy() -> None:
    """Daily: raw answers and old readings that are kept no longer, and exports after their week."""
    workspace_export.tidy()
    logger.info("tidied figures: %s", retention.tidy())


def ask_for_sync(account_id: UUID) -> bool:
    """Have everything of an account read soon. False when the broker does not answer: then it takes until the next minute."""
    cadence.ask(account_id)
    try:
        sync_one_account.apply_async((str(account_id),), expires=ASKED_SECONDS, retry=False)
    except OperationalError:
        logger.warning("The broker does not answer; account %s is not synced now", account_id)
        return False
    return True


def ask_for_syncs(account_ids: Collection[UUID]) -> None:
    """As `ask_for_sync`, for many at once."""
    cadence.ask_all(account_ids)
    try:
        sync_accounts.apply_async(expires=ASKED_SECONDS, retry=False)
    except OperationalError:
        logger.warning("The broker does not answer; %d accounts are synced within a minute", len(account_ids))


@worker_shutting_down.connect
def stop_reading(**kwargs: Any) -> None:
    readers().stop()
    workspace_export.makers().stop()
