"""Asks the floors above to go on at once, by the names of their tasks: imports go the other way.

Without a broker nothing is lost: beat does the same within a minute.
"""

from __future__ import annotations

import logging

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

FIGURES = "analytics.tasks.sync_accounts"  # a new connection is synced at once
PUBLISHING = "publishing.tasks.sweep"  # what waited for an account goes out


def wake(*tasks: str, args: tuple[str, ...] = ()) -> None:
    """Call it after the commit."""
    try:
        for name in tasks:
            current_app.send_task(name, args=args, retry=False)
    except OperationalError:
        logger.warning("The broker does not answer; it goes on at the next beat")
