"""What a person must know: one row per incident, not one per failure."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.connections import ConnectedAccount
from accounts.models.people import Workspace


class Notification(models.Model):
    class Kind(models.TextChoices):
        RECONNECT = "reconnect", _("Reconnect needed")
        PUBLISH_FAILED = "publish_failed", _("Publishing failed")
        DECISION_NEEDED = "decision_needed", _("Decision needed")
        MISSED = "missed", _("Missed")
        EXPIRY = "expiry", _("Access ends soon")
        QUOTA = "quota", _("Limit reached")
        INSIGHTS = "insights", _("Figures stopped")
        AHEAD = "ahead", _("A scheduled post will not go out as it is")
        REMOVED = "removed", _("A published post is gone or not whole")
        MEDIA = "media", _("Files of a post could not be fetched")
        WEBHOOK = "webhook", _("A webhook is not answered")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="notifications")
    account = models.ForeignKey(ConnectedAccount, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind)
    incident = models.CharField(max_length=120)  # the same trouble again finds the same open row
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    url = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    emailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "incident"],
                condition=models.Q(resolved_at__isnull=True),
                name="notification_once_per_incident",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["workspace", "-created_at"], name="notification_newest")]

    def __str__(self) -> str:
        return self.title
