"""A whole workspace as a folder that can be read without us."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User, Workspace


def export_path(export: WorkspaceExport, filename: str) -> str:
    return f"exports/{export.workspace_id}/{export.pk}.zip"


class WorkspaceExport(models.Model):
    """One export that a person has asked for; a worker makes it, and it is kept for some days."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="exports")
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    file = models.FileField(upload_to=export_path, max_length=200, blank=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)  # parts, of total
    total = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)  # what went wrong, and what to do
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace"], condition=Q(status="waiting"), name="one_export_at_a_time")
        ]

    def __str__(self) -> str:
        return f"export of {self.workspace_id}"
