"""Figures of a connected account for one hour or one day, and who its audience is."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import ConnectedAccount


class InsightWindow(models.Model):
    """One hour (in UTC) or one day (of the network's own zone) of an account. What was withheld is absent, never 0.

    metrics: of an hour the levels as read in it ({"followers": 1204}), of a day what happened on it ({"views": 300}).
    so_far: of an hour what had happened on the network's day by the time of reading ({"views": 120}).
    derived: of an hour what changed since the reading before, with the minutes it really covers
    ({"followers": 4, "views": 17, "span_minutes": 61}); of a day what came too late to belong to one of its hours
    ({"unplaced": {"views": 12}}). What happened until the network's midnight is added to the last hour before it; there
    the levels cover other minutes than the rest, and `level_minutes` tells how many.
    sources: which of the network's names gave a figure ({"views": "page_media_view"}). Where it differs from one window
    to the next, the measure has changed, and the two are not one series.
    """

    class Period(models.TextChoices):
        HOUR = "hour"
        DAY = "day"

    account = models.ForeignKey(ConnectedAccount, on_delete=models.CASCADE, related_name="insight_windows")
    period = models.CharField(max_length=4, choices=Period)
    window_start = models.DateTimeField()
    metrics = models.JSONField(default=dict)
    so_far = models.JSONField(default=dict)
    derived = models.JSONField(default=dict)
    sources = models.JSONField(default=dict)
    raw = models.JSONField(default=dict)
    is_whole = models.BooleanField(default=True)  # of a day: False while it is going on
    fetched_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "period", "window_start"], name="insight_window_once")
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.period} {self.window_start:%Y-%m-%d %H:%M}"


class AudienceSnapshot(models.Model):
    """Counts of an account's followers, or of those who acted, by one dimension, as told on one day (UTC).

    withheld: why there is nothing, in plain words; such a row has no dimension and no parts.
    """

    class Kind(models.TextChoices):
        FOLLOWERS = "followers"
        ENGAGED = "engaged"

    account = models.ForeignKey(ConnectedAccount, on_delete=models.CASCADE, related_name="audience_snapshots")
    kind = models.CharField(max_length=10, choices=Kind)
    dimension = models.CharField(max_length=30, blank=True)
    taken_on = models.DateField()
    parts = models.JSONField(default=dict)
    withheld = models.CharField(max_length=300, blank=True)
    raw = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "kind", "dimension", "taken_on"], name="audience_snapshot_once")
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.kind} {self.dimension} {self.taken_on}"


class RefusedMetric(models.Model):
    """A metric name that a network no longer takes: left out until `retry_at`, and shown to staff."""

    platform = models.CharField(max_length=20)
    subject = models.CharField(max_length=10)
    name = models.CharField(max_length=100)
    account = models.ForeignKey(ConnectedAccount, on_delete=models.SET_NULL, null=True, related_name="+")
    message = models.TextField(blank=True)
    times = models.PositiveIntegerField(default=1)
    first_refused_at = models.DateTimeField()
    last_refused_at = models.DateTimeField()
    retry_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["platform", "subject", "name"], name="refused_metric_once")
        ]

    def __str__(self) -> str:
        return f"{self.platform} {self.name}"
