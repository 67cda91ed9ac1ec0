"""What beat starts: each task calls one function. Losing or doubling a message changes nothing."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts import expiry, operators, pictures, verify, versions
from accounts.notify import send_pending
from accounts.tidy import tidy_all

SPREAD_SECONDS = 1200  # below the time after which the broker takes a waiting message for lost
APART_SECONDS = 1.0


@shared_task
def verify_accounts() -> None:
    """Daily: one task for each account, a little apart, so that the networks are not asked for everything at once."""
    due = verify.accounts_to_verify()
    apart = min(APART_SECONDS, SPREAD_SECONDS / max(len(due), 1))
    try:
        for number, account_id in enumerate(due):
            verify_one_account.apply_async((str(account_id),), countdown=round(number * apart))
    finally:  # an end is near whether the broker answers or not
        expiry.remind()


@shared_task
def verify_one_account(account_id: str) -> None:
    verify.verify_one(UUID(account_id))


@shared_task
def fetch_picture(account_id: str) -> None:
    pictures.refresh(UUID(account_id))


@shared_task
def look_at_versions() -> None:
    versions.look()


@shared_task
def tidy() -> None:
    send_pending()
    tidy_all()
    operators.look_at_keys()
    operators.settle_old()
