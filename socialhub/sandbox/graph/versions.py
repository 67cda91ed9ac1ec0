"""Which version really answers: an expired or not yet existing one is silently replaced by the oldest alive."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from .errors import GraphError

# Version: the day from which on it is no longer served. None: not announced.
VERSIONS: dict[str, date | None] = {
    "v21.0": date(2027, 1, 21),
    "v22.0": date(2027, 5, 20),
    "v23.0": date(2027, 10, 8),
    "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
    "v26.0": None,
}
FIRST_ABSURD = 40
SHAPE = re.compile(r"v(\d+)\.(\d+)")


def served_version(asked: str, now: float, path: str) -> str:
    """Raises GraphError for a version so far off that the network takes it for a part of the path."""
    match = SHAPE.fullmatch(asked)
    if match is None or int(match[1]) >= FIRST_ABSURD or int(match[1]) == 0:
        raise GraphError(2500, f"Unknown path components: /{path}")
    today = datetime.fromtimestamp(now, UTC).date()
    alive = [version for version, end in VERSIONS.items() if end is None or today < end]
    return asked if asked in alive else alive[0]
