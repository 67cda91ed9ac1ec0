"""Posts found on connected accounts, ours or not, with their metrics."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models

from accounts.models import ConnectedAccount
from publishing.models import Publication


class Figures(models.Model):
    """Normalised metrics of a post. None: the network did not give it."""

    likes = models.PositiveBigIntegerField(null=True, blank=True)
    comments = models.PositiveBigIntegerField(null=True, blank=True)
    shares = models.PositiveBigIntegerField(null=True, blank=True)
    saves = models.PositiveBigIntegerField(null=True, blank=True)
    views = models.PositiveBigIntegerField(null=True, blank=True)
    reach = models.PositiveBigIntegerField(null=True, blank=True)
    clicks = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        abstract = True


class PlatformPostQuerySet(models.QuerySet["PlatformPost"]):
    def due(self, now: datetime) -> PlatformPostQuerySet:
        """Whose figures shall be read by now, on accounts that can be read."""
        return self.filter(
            next_fetch_at__lte=now, gone_at__isnull=True, account__status=ConnectedAccount.Status.CONNECTED
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
    posted_at = models.DateTimeField()
    raw = models.JSONField(default=dict)
    fetched_at = models.DateTimeField(null=True, blank=True)
    next_fetch_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = PlatformPostQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "platform_post_id"], name="platform_post_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-posted_at"], name="platform_post_newest"),
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
    """The figures of a post at one time."""

    platform_post = models.ForeignKey(PlatformPost, on_delete=models.CASCADE, related_name="snapshots")
    fetched_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["platform_post", "fetched_at"], name="post_snapshot_once")
        ]

    def __str__(self) -> str:
        return f"{self.platform_post_id} {self.fetched_at:%Y-%m-%d %H:%M}"
