from __future__ import annotations

from socialhub.platforms.metrics.types import NetworkMetric

METRICS: tuple[NetworkMetric, ...] = ()
