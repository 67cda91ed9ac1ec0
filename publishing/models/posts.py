"""Posts, their publications, and the record of every status change."""

from __future__ import annotations

import uuid
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Coalesce, Upper
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import ConnectedAccount, User, Workspace
from accounts.models.people import validate_time_zone
from publishing.models.library import ImageSet, MediaFile
from socialhub.platforms.base import PostType


class Status(models.TextChoices):
    """Where a publication stands. `publishing.states` says which moves are legal."""

    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Scheduled")
    QUEUED = "queued", _("Queued")
    PUBLISHING = "publishing", _("Publishing")
    CHECKING = "checking", _("Checking")
    PUBLISHED = "published", _("Published")
    FAILED = "failed", _("Failed")


def held_hashtags(caption: str) -> set[str]:
    """The hashtags that a caption holds already, in lower case and without the #."""
    return {word.lstrip("#").rstrip(".,;:!?").lower() for word in caption.split() if word.startswith("#")}


class PostQuerySet(models.QuerySet["Post"]):
    def of(self, workspace: Workspace) -> PostQuerySet:
        return self.filter(workspace=workspace)


class Post(models.Model):
    """What a person writes once. Its status is derived from its publications, never set by hand.

    The table has one column more, `words`, which the database keeps for `publishing.search`.
    """

    class Summary(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Scheduled")
        PUBLISHING = "publishing", _("Publishing")
        CHECKING = "checking", _("Checking")
        PUBLISHED = "published", _("Published")
        PARTLY_PUBLISHED = "partly_published", _("Partly published")
        PARTLY_FAILED = "partly_failed", _("Partly failed")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="posts")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    image_set = models.ForeignKey(ImageSet, on_delete=models.SET_NULL, null=True, blank=True, related_name="posts")
    caption = models.TextField(_("caption"), blank=True)
    hashtags = ArrayField(models.CharField(max_length=100), default=list, blank=True)  # without the #
    link = models.URLField(_("link"), max_length=2000, blank=True)
    first_comment = models.TextField(_("first comment"), max_length=2000, blank=True)
    campaign = models.CharField(_("campaign"), max_length=100, blank=True)
    status = models.CharField(max_length=20, choices=Summary, default=Summary.DRAFT)
    scheduled_at = models.DateTimeField(null=True, blank=True)
    time_zone = models.CharField(
        max_length=64, default="UTC", validators=[validate_time_zone]
    )  # as the person chose it
    late_hours = models.PositiveSmallIntegerField(default=6)  # how late it may still go out
    submission_key = models.UUIDField(null=True, blank=True, editable=False)  # of the form it came from, once
    edit_key = models.UUIDField(null=True, blank=True, editable=False)  # of the form it was changed with last
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    media = models.ManyToManyField(MediaFile, through="PostMedia", related_name="posts")

    objects = PostQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            # A form sent twice makes one post.
            models.UniqueConstraint(fields=["workspace", "submission_key"], name="post_submitted_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "-created_at"], name="post_newest"),
            models.Index(fields=["workspace", "status", "scheduled_at"], name="post_by_status"),
            models.Index(fields=["workspace", "scheduled_at"], name="post_by_time"),
            # The lists of posts: by their time, which of a draft without one is when it was written; by campaign.
            models.Index("workspace", Coalesce("scheduled_at", "created_at"), "id", name="post_by_moment"),
            models.Index(
                "workspace",
                Upper("campaign"),
                models.F("created_at").desc(),
                models.F("id").desc(),
                condition=~models.Q(campaign=""),
                name="post_by_campaign",
            ),
        ]

    def __str__(self) -> str:
        return self.caption[:60] or str(self.pk)

    def get_absolute_url(self) -> str:
        return reverse("publishing:post_detail", args=[self.pk])

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def title(self) -> str:
        """The first line with words in it; "" without any."""
        return next((line.strip() for line in self.caption.splitlines() if line.strip()), "")

    @property
    def text(self) -> str:
        """The whole text as it goes out where no account has one of its own."""
        return self.text_of(self.caption)

    def text_of(self, caption: str) -> str:
        """A caption, then the hashtags that it does not hold yet."""
        held = held_hashtags(caption)
        tags = " ".join(f"#{tag}" for tag in self.hashtags if tag.lower() not in held)
        return f"{caption}\n\n{tags}".strip() if tags else caption


class PostMedia(models.Model):
    """An image, video or document of a post, in its place. A media file that a post uses cannot be deleted."""

    class Fit(models.TextChoices):
        """What happens to a picture whose shape a network does not take."""

        PAD = "pad", _("Bars at its sides")
        CROP = "crop", _("Crop to the focus point")

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="post_media", db_index=False)
    media = models.ForeignKey(MediaFile, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    alt_text = models.CharField(max_length=1000, blank=True)
    fit = models.CharField(max_length=4, choices=Fit, default=Fit.PAD)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["post", "position"], name="post_media_position", deferrable=models.Deferrable.DEFERRED
            )
        ]

    def __str__(self) -> str:
        return f"{self.post_id} #{self.position}"


class Publication(models.Model):
    """One post on one connected account. `publishing.states.move` alone writes `status`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="publications", db_index=False)
    account = models.ForeignKey(ConnectedAccount, on_delete=models.PROTECT, related_name="publications", db_index=False)
    post_type = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in PostType])
    caption_override = models.TextField(blank=True)
    # What else was chosen for this network, by the names of its rules: {"board_service_id": "…", "title": "…"}.
    choices = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT)
    scheduled_at = models.DateTimeField(null=True, blank=True)

    # The procedure: what is prepared so far, and since when the irreversible call may have been made.
    handles = models.JSONField(default=dict, blank=True)
    committing_at = models.DateTimeField(null=True, blank=True)
    progress_label = models.CharField(max_length=100, blank=True)
    progress_done = models.PositiveSmallIntegerField(default=0)
    progress_total = models.PositiveSmallIntegerField(default=0)

    # The result
    platform_post_id = models.CharField(max_length=200, blank=True)
    permalink = models.URLField(max_length=2000, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)  # when it was seen that the network has it no more
    error_kind = models.CharField(max_length=20, blank=True)  # PlatformError.kind, or "missed"
    error_message = models.TextField(blank=True)
    platform_message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["post", "account"], name="publication_once_per_account"),
            models.UniqueConstraint(
                fields=["account", "platform_post_id"],
                condition=~models.Q(platform_post_id=""),
                name="publication_owns_its_platform_post",
            ),
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="publication_status_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "status"], name="publication_by_account"),
            models.Index(fields=["-published_at"], name="publication_newest"),
            # What failed lately, for operators; small, and it costs nothing while all goes well.
            models.Index(fields=["-updated_at"], condition=models.Q(status=Status.FAILED), name="publication_failed"),
            # Figures leave stories out, also where only we know that it is one.
            models.Index(fields=["id"], condition=models.Q(post_type="story"), name="publication_story"),
        ]

    def __str__(self) -> str:
        return f"{self.post_id} on {self.account_id}"

    @property
    def text(self) -> str:
        """The whole text as it goes out: caption or its override, then the hashtags that it does not hold yet."""
        return self.post.text_of(self.caption_override or self.post.caption)


class PublicationEvent(models.Model):
    """One change of status: when, by whom, why."""

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="events", db_index=False)
    from_status = models.CharField(max_length=12, choices=Status)
    to_status = models.CharField(max_length=12, choices=Status)
    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["at", "id"]
        indexes: ClassVar = [models.Index(fields=["publication", "at"], name="publication_event_order")]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"


class FollowUp(models.Model):
    """What is done after a post is out: its first comment, and looking whether it is really there.

    Nothing here can turn a published post into a failed one.
    """

    class Kind(models.TextChoices):
        COMMENT = "comment", _("First comment")
        SEEN_SOON = "seen_soon", _("Looked at after five minutes")
        SEEN_LATER = "seen_later", _("Looked at after a day")

    class Outcome(models.TextChoices):
        DONE = "done", _("Done")
        DIFFERENT = "different", _("It is not as it was sent")
        GONE = "gone", _("It is not there any more")
        FAILED = "failed", _("It did not work")
        UNKNOWN = "unknown", _("It cannot be known")

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="follow_ups")
    kind = models.CharField(max_length=12, choices=Kind)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    began_at = models.DateTimeField(null=True, blank=True)  # since when an irreversible call may have been made
    done_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    message = models.TextField(blank=True)  # plain words: what was seen, or what went wrong
    platform_id = models.CharField(max_length=200, blank=True)  # of the comment
    seen = models.JSONField(default=dict, blank=True)  # what the network showed: {"media": 3, "permalink": "…"}

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["publication", "kind"], name="follow_up_once")]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=models.Q(done_at__isnull=True), name="follow_up_due")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.publication_id}"
