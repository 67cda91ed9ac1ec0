"""Figures of a connected account for one hour or one day."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import ConnectedAccount


class InsightWindow(models.Model):
    """metrics: totals as read ({"followers": 1204}); derived: differences to the window before, with the span they cover.

    A metric that the network withheld is absent, never 0.
    """

    class Period(models.TextChoices):
        HOUR = "hour"
        DAY = "day"

    account = models.ForeignKey(ConnectedAccount, on_delete=models.CASCADE, related_name="insight_windows")
    period = models.CharField(max_length=4, choices=Period)
    window_start = models.DateTimeField()
    metrics = models.JSONField(default=dict)
    derived = models.JSONField(default=dict)
    raw = models.JSONField(default=dict)
    fetched_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "period", "window_start"], name="insight_window_once")
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.period} {self.window_start:%Y-%m-%d %H:%M}"
