"""The time zones that this machine knows by name."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones


@cache
def known_zones() -> frozenset[str]:
    """Looked up once: the standard library opens hundreds of files for it, which takes as long as a small page."""
    return frozenset(available_timezones())
