"""Posts found on connected accounts, ours or not, with their metrics."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models

from accounts.models import ConnectedAccount
from publishing.models import Publication


class Figures(models.Model):
    """Normalised metrics of a post since it was made. None: the network did not give it.

    engagements: likes, comments, shares and saves together, as far as the network gives them; None if it gives none.
    """

    likes = models.PositiveBigIntegerField(null=True, blank=True)
    comments = models.PositiveBigIntegerField(null=True, blank=True)
    shares = models.PositiveBigIntegerField(null=True, blank=True)
    saves = models.PositiveBigIntegerField(null=True, blank=True)
    views = models.PositiveBigIntegerField(null=True, blank=True)
    impressions = models.PositiveBigIntegerField(null=True, blank=True)
    reach = models.PositiveBigIntegerField(null=True, blank=True)
    clicks = models.PositiveBigIntegerField(null=True, blank=True)
    engagements = models.PositiveBigIntegerField(null=True, blank=True)
    series = models.PositiveSmallIntegerField(
        default=0
    )  # one more each time that a network's name behind a figure changes

    class Meta:
        abstract = True


class PlatformPostQuerySet(models.QuerySet["PlatformPost"]):
    def due(self, now: datetime) -> PlatformPostQuerySet:
        """Whose figures shall be read by now, on accounts that can be read, of workspaces that are not being deleted."""
        return self.filter(
            next_fetch_at__lte=now,
            gone_at__isnull=True,
            account__status=ConnectedAccount.Status.CONNECTED,
            account__workspace__deleting_at=None,
        )


class PlatformPost(Figures):
    """The newest figures we know of one post on a network."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(ConnectedAccount, on_delete=models.CASCADE, related_name="platform_posts")
    platform_post_id = models.CharField(max_length=200)
    publication = models.OneToOneField(
        Publication, on_delete=models.SET_NULL, null=True, blank=True, related_name="platform_post"
    )
    text = models.TextField(blank=True)
    permalink = models.URLField(max_length=2000, blank=True)
    thumbnail_url = models.URLField(max_length=2000, blank=True)
    media_type = models.CharField(max_length=30, blank=True)
    product = models.CharField(max_length=20, blank=True)  # what its figures depend on: "FEED", "REELS", "STORY"
    media_urls = models.JSONField(default=list)
    posted_at = models.DateTimeField()
    extra = models.JSONField(default=dict)  # further figures by our words, such as {"follows": 3}
    sources = models.JSONField(default=dict)  # which of the network's names gave which figure
    raw = models.JSONField(default=dict)
    withheld = models.CharField(max_length=300, blank=True)  # why there are no figures, where the network says it
    # Engagements of those who saw it: divided by its reach, or where that is not known by its views.
    engagement_rate = models.FloatField(null=True, blank=True)
    rate_of = models.CharField(max_length=11, blank=True)  # "reach", "views" or "impressions"
    fetched_at = models.DateTimeField(null=True, blank=True)
    next_fetch_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = PlatformPostQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "platform_post_id"], name="platform_post_once")
        ]
        indexes: ClassVar = [
            # Lists sorted by a figure, sums and comparisons are answered by this alone, without the rows and their texts.
            models.Index(
                fields=["account", "-posted_at"],
                include=(
                    *("id", "publication", "product", "media_type", "gone_at", "rate_of", "engagement_rate"),
                    *("likes", "comments", "shares", "saves", "views", "impressions", "reach", "clicks", "engagements"),
                ),
                name="platform_post_figures",
            ),
            models.Index(
                fields=["next_fetch_at"],
                condition=models.Q(next_fetch_at__isnull=False, gone_at__isnull=True),
                name="platform_post_to_fetch",
            ),
            models.Index(
                fields=["-posted_at"], condition=models.Q(publication__isnull=True), name="platform_post_not_ours"
            ),
        ]

    def __str__(self) -> str:
        return self.platform_post_id


class PostSnapshot(Figures):
    """The figures of a post at one time. mark: the age that it stands for ("1h", "6h", "24h", "3d", "7d", "28d")."""

    platform_post = models.ForeignKey(PlatformPost, on_delete=models.CASCADE, related_name="snapshots", db_index=False)
    fetched_at = models.DateTimeField()
    mark = models.CharField(max_length=3, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["platform_post", "fetched_at"], name="post_snapshot_once"),
            models.UniqueConstraint(
                fields=["platform_post", "mark"], condition=~models.Q(mark=""), name="post_snapshot_mark_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.platform_post_id} {self.fetched_at:%Y-%m-%d %H:%M}"


class PostDay(Figures):
    """The figures of a post at the end of one day (UTC), and what it gained on it.

    gained: differences to the day before that is known ({"views": 12, "span_minutes": 1440}).
    """

    platform_post = models.ForeignKey(PlatformPost, on_delete=models.CASCADE, related_name="days", db_index=False)
    account = models.ForeignKey(ConnectedAccount, on_delete=models.CASCADE, related_name="post_days", db_index=False)
    day = models.DateField()
    fetched_at = models.DateTimeField()
    gained = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["platform_post", "day"], name="post_day_once")]
        indexes: ClassVar = [models.Index(fields=["account", "day"], name="post_day_by_account")]

    def __str__(self) -> str:
        return f"{self.platform_post_id} {self.day}"
