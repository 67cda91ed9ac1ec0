"""What beat and the pages ask of a worker; losing or doubling one of these messages changes nothing."""

from __future__ import annotations

import logging
from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError

from analytics import sync

logger = logging.getLogger(__name__)


@shared_task
def sync_accounts() -> None:
    """Hourly: one task for each account whose totals of this hour are missing."""
    for account_id in sync.accounts_due():
        sync_one_account.delay(str(account_id))


@shared_task
def sync_one_account(account_id: str, full: bool = False) -> None:
    sync.sync(UUID(account_id), full=full)


@shared_task
def sync_due() -> None:
    """Every minute: accounts that were just connected, and the posts whose figures are due."""
    for account_id in sync.accounts_never_synced():
        sync_one_account.delay(str(account_id))
    sync.sync_due()


def ask_for_sync(account_id: UUID) -> bool:
    """Have everything of an account read soon. False when the broker does not answer."""
    try:
        sync_one_account.apply_async((str(account_id),), {"full": True}, retry=False)
    except OperationalError:
        logger.warning("The broker does not answer; account %s is not synced now", account_id)
        return False
    return True
