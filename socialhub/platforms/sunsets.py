"""Until when the networks serve the versions of their interfaces, and when names of metrics end: dated data.

Sources: Meta, "Graph API Changelog"; LinkedIn, "API Migrations" of the Marketing documentation. Read in November 2026. A date that
is not here was not announced then; where a network promises a span, the earliest day is told instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from socialhub.platforms.metrics import CATALOGUE

META = "https://developers.facebook.com/docs/graph-api/changelog"
LINKEDIN = "https://learn.microsoft.com/en-us/linkedin/marketing/integrations/migrations"


@dataclass(frozen=True, slots=True)
class Sunset:
    """ends_on: the last day; None while it is not announced. not_before: the earliest day that it can be then."""

    version: str
    source: str
    ends_on: date | None = None
    not_before: date | None = None


def _meta(version: str, *ends: int) -> Sunset:
    return Sunset(version, META, date(*ends))


def _linkedin(version: str, *ends: int) -> Sunset:
    return Sunset(version, LINKEDIN, date(*ends))


VERSIONS: dict[str, tuple[Sunset, ...]] = {
    "meta": (
        _meta("v20.0", 2026, 9, 24),
        _meta("v21.0", 2027, 1, 21),
        _meta("v22.0", 2027, 5, 20),
        _meta("v23.0", 2027, 10, 8),
        _meta("v24.0", 2028, 2, 18),
        _meta("v25.0", 2028, 7, 29),
        Sunset("v26.0", META, not_before=date(2028, 7, 29)),
    ),
    "linkedin": (
        _linkedin("202511", 2026, 11, 16),
        _linkedin("202601", 2027, 1, 15),
        _linkedin("202602", 2027, 2, 15),
        _linkedin("202603", 2027, 3, 16),
        _linkedin("202604", 2027, 4, 15),
        _linkedin("202605", 2027, 5, 15),
        _linkedin("202606", 2027, 6, 15),
        _linkedin("202607", 2027, 7, 15),
        Sunset("202608", LINKEDIN, not_before=date(2027, 8, 1)),  # at least twelve months
        Sunset("202609", LINKEDIN, not_before=date(2027, 9, 1)),
    ),
}


def sunset_of(network: str, version: str) -> Sunset | None:
    """None for a version that came out after the lists were read."""
    return next((one for one in VERSIONS[network] if one.version == version), None)


@dataclass(frozen=True, slots=True)
class MetricEnd:
    """Names of metrics that we ask for, and that a network will not answer any more from that day on."""

    platform: str
    names: tuple[str, ...]
    on: date


def metrics_ending(after: date, within: timedelta) -> list[MetricEnd]:
    """The next first."""
    found = []
    for platform, metrics in CATALOGUE.items():
        ends = {one.until for one in metrics if one.asked and one.until and after <= one.until <= after + within}
        found += [
            MetricEnd(platform, tuple(one.name for one in metrics if one.asked and one.until == day), day)
            for day in ends
        ]
    return sorted(found, key=lambda end: (end.on, end.platform))
