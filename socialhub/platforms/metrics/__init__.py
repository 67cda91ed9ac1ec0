"""The metric names of the networks as dated data: what they mean, when they began and ended, where that stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from socialhub.platforms.metrics import buffer, facebook, instagram, linkedin
from socialhub.platforms.metrics.types import NetworkMetric, Subject

CATALOGUE: dict[str, tuple[NetworkMetric, ...]] = {
    "facebook": facebook.METRICS,
    "instagram": instagram.METRICS,
    "linkedin": linkedin.METRICS,
    **dict.fromkeys(buffer.NETWORKS, buffer.METRICS),
}


def living(platform: str, subject: Subject, on: date, *, product: str = "") -> Iterator[NetworkMetric]:
    """The names that may be asked for on that day, of one product ("REELS") where the network tells them apart."""
    for metric in CATALOGUE[platform]:
        if metric.subject is subject and metric.lives(on) and (not product or metric.suits(product)):
            yield metric
