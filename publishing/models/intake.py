"""Files of a post that somebody named by their address: fetched by workers, and the post sent on its way after that."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import User
from publishing.models.library import MediaFile
from publishing.models.posts import Post


class PostAssembly(models.Model):
    """What shall become of a post as soon as all its files are here. Until then its publications are drafts.

    Gone when that has been done; a row that stays with `failed_at` says why it could not.
    """

    class Intent(models.TextChoices):
        DRAFT = "draft"
        NOW = "now"
        SCHEDULE = "schedule"

    post = models.OneToOneField(Post, on_delete=models.CASCADE, primary_key=True, related_name="assembly")
    intent = models.CharField(max_length=10, choices=Intent)
    at = models.DateTimeField(null=True, blank=True)
    late_hours = models.PositiveSmallIntegerField(null=True, blank=True)
    # Types that were asked for, by account; for the others the files decide: {"<account id>": "carousel"}.
    post_types = models.JSONField(default=dict, blank=True)
    by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    message = models.TextField(blank=True)  # plain words: what happened, what it means, what to do

    class Meta:
        verbose_name_plural = "post assemblies"

    def __str__(self) -> str:
        return f"{self.intent} of {self.post_id}"


class MediaFetch(models.Model):
    """One file to fetch from an address of a stranger, for its place in a post."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        FETCHED = "fetched"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="media_fetches")
    position = models.PositiveSmallIntegerField()  # among all files of the post, from 1
    url = models.URLField(max_length=2000)
    alt_text = models.CharField(max_length=1000, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    media = models.ForeignKey(MediaFile, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "media fetches"
        constraints: ClassVar = [models.UniqueConstraint(fields=["post", "position"], name="media_fetch_position")]
        indexes: ClassVar = [
            models.Index(fields=["not_before"], condition=Q(status="waiting"), name="media_fetch_due"),
        ]

    def __str__(self) -> str:
        return f"{self.post_id} #{self.position}"
