"""Which versions of the API are alive."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from .errors import LinkedInError, retired

# Version: the day on which it dies. December is skipped; of later versions nothing is known, so nobody may lean on them.
SUNSETS = {
    "202511": date(2026, 11, 16),
    "202601": date(2027, 1, 15),
    "202602": date(2027, 2, 15),
    "202603": date(2027, 3, 16),
    "202604": date(2027, 4, 15),
    "202605": date(2027, 5, 15),
    "202606": date(2027, 6, 15),
    "202607": date(2027, 7, 15),
    "202608": date(2027, 8, 15),
    "202609": date(2027, 9, 15),
}


def check_version(version: str, now: float) -> None:
    """Raises LinkedInError 400 without one, 426 for one that does not answer (any more)."""
    if not version:
        raise LinkedInError(
            400,
            "A version must be present. Please specify a version by adding the LinkedIn-Version header.",
            "VERSION_MISSING",
        )
    if not re.fullmatch(r"\d{6}", version):
        raise LinkedInError(400, f"Version {version} is not of the form YYYYMM", "ILLEGAL_ARGUMENT")
    sunset = SUNSETS.get(version)
    if sunset is None or datetime.fromtimestamp(now, UTC).date() >= sunset:
        raise retired(version)
