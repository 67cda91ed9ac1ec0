from __future__ import annotations

from socialhub.platforms.metrics.types import NetworkMetric

NETWORKS = ("x", "threads", "bluesky", "mastodon", "pinterest", "tiktok", "youtube", "google_business")
METRICS: tuple[NetworkMetric, ...] = ()
