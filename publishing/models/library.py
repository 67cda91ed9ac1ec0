"""Media, image sets, caption templates and hashtag groups."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User, Workspace
from socialhub.platforms.base import MediaKind


def media_path(media: MediaFile, filename: str) -> str:
    return f"originals/{media.workspace_id}/{media.pk}.{filename.rsplit('.', 1)[-1]}"


def thumbnail_path(media: MediaFile, filename: str) -> str:
    return f"thumbnails/{media.workspace_id}/{media.pk}.jpg"


def rendition_path(rendition: Rendition, filename: str) -> str:
    return f"renditions/{rendition.media_id}/{rendition.spec}.{filename.rsplit('.', 1)[-1]}"


class MediaFile(models.Model):
    """An uploaded image, video or document, without metadata; never the bytes that came in where they can hide some."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="media")
    file = models.FileField(upload_to=media_path, max_length=200)
    thumbnail = models.FileField(upload_to=thumbnail_path, max_length=200)
    original_name = models.CharField(max_length=255)
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in MediaKind], default="image")
    facts = models.JSONField(default=dict, blank=True)  # of a video: as in VideoFacts; of a document: {"pages": …}
    # Where the picture must stay visible when it is cropped, from the upper left corner, 0 to 1.
    focus_x = models.FloatField(default=0.5)
    focus_y = models.FloatField(default=0.5)
    content_type = models.CharField(max_length=50)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)  # of the bytes that came in, so that the same file is kept once
    alt_text = models.CharField(_("alternative text"), max_length=1000, blank=True)
    uploaded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "sha256"], name="media_once")]
        indexes: ClassVar = [models.Index(fields=["workspace", "-created_at"], name="media_newest")]

    def __str__(self) -> str:
        return self.original_name


class Rendition(models.Model):
    """One image as one network takes it. `spec` names everything that shaped it."""

    media = models.ForeignKey(MediaFile, on_delete=models.CASCADE, related_name="renditions")
    spec = models.CharField(max_length=80)
    file = models.FileField(upload_to=rendition_path, max_length=200)
    content_type = models.CharField(max_length=50)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size_bytes = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["media", "spec"], name="rendition_once")]

    def __str__(self) -> str:
        return f"{self.media_id} {self.spec}"


class ImageSet(models.Model):
    """An ordered set of images with a title, details and hashtags."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="image_sets")
    title = models.CharField(_("title"), max_length=200)
    details = models.JSONField(default=list, blank=True)  # [["Vehicle", "1969 Chevrolet Camaro"], …] in their order
    hashtags = ArrayField(models.CharField(max_length=100), default=list, blank=True)  # without the #
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    media = models.ManyToManyField(MediaFile, through="ImageSetItem", related_name="image_sets")

    class Meta:
        ordering: ClassVar = ["-updated_at"]
        indexes: ClassVar = [models.Index(fields=["workspace", "-updated_at"], name="image_set_newest")]

    def __str__(self) -> str:
        return self.title


class ImageSetItem(models.Model):
    image_set = models.ForeignKey(ImageSet, on_delete=models.CASCADE, related_name="items")
    media = models.ForeignKey(MediaFile, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["image_set", "media"], name="image_set_item_once"),
            models.UniqueConstraint(
                fields=["image_set", "position"],
                name="image_set_item_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_set_id} #{self.position}"


class CaptionTemplate(models.Model):
    """Text with placeholders such as {title} or {Vehicle}, filled from an image set."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="caption_templates")
    name = models.CharField(_("name"), max_length=100)
    body = models.TextField(_("text"), max_length=10_000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "name"], name="caption_template_name")]

    def __str__(self) -> str:
        return self.name


class HashtagGroup(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="hashtag_groups")
    name = models.CharField(_("name"), max_length=100)
    hashtags = ArrayField(models.CharField(max_length=100), default=list)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "name"], name="hashtag_group_name")]

    def __str__(self) -> str:
        return self.name
