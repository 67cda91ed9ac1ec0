"""What went wrong while figures were read, for the log."""

from __future__ import annotations

import logging

from accounts.models import ConnectedAccount
from socialhub.platforms.errors import OurBugError, PlatformError, PutOffError

logger = logging.getLogger(__name__)


def log_trouble(account: ConnectedAccount, error: PlatformError) -> None:
    level = logging.ERROR if isinstance(error, OurBugError) else logging.WARNING
    if isinstance(error, PutOffError):
        level = logging.INFO
    logger.log(
        level,
        "figures of account %s: %s %s/%s request %s: %s",
        account.pk,
        error.kind,
        error.code,
        error.subcode,
        error.request_id,
        error.platform_message or error.message,
    )
