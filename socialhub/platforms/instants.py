"""Instants as networks tell them. What lies outside of these years is a mistake of theirs, and no calendar reaches far beyond."""

from __future__ import annotations

from datetime import UTC, datetime

FIRST_YEAR, LAST_YEAR = 1970, 9000


def plausible(instant: datetime | None) -> datetime | None:
    return instant if instant is not None and FIRST_YEAR <= instant.year <= LAST_YEAR else None


def from_unix(seconds: float | None) -> datetime | None:
    """None for what is no instant at all."""
    if seconds is None:
        return None
    try:
        return plausible(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None
