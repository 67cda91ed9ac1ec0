"""How a receiver knows that a message is ours, unchanged and new: the headers of Standard Webhooks, version 1.

Source: Standard Webhooks specification, https://github.com/standard-webhooks/standard-webhooks (read 2026-11-21)
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

PREFIX = "whsec_"


def headers_for(message_id: str, body: bytes, secrets: Iterable[str], at: datetime) -> dict[str, str]:
    """One signature for each secret: while a receiver changes its secret, either of them proves the message."""
    timestamp = str(int(at.timestamp()))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signature(secret, message_id, timestamp, body) for secret in secrets),
    }


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """secret: as it is shown to people, "whsec_" and base64."""
    key = b64decode(secret.removeprefix(PREFIX))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return "v1," + b64encode(hmac.digest(key, signed, sha256)).decode()
