"""Programs that act for a person in a workspace: their keys, and the answers that a repeated request gets again."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models.people import User, Workspace


class ApiKey(models.Model):
    """The right of a program to act in one workspace, for the person who made the key and never beyond their role.

    The key itself is shown once. It is long and random, so its plain digest suffices to know it again and nobody can
    get from one to the other.
    """

    class Scope(models.TextChoices):
        READ = "read", pgettext_lazy("what a key may do", "Read")
        WRITE = "write", _("Write")
        PUBLISH = "publish", _("Publish")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="api_keys")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(_("name"), max_length=100)
    start = models.CharField(max_length=16)  # of the key, so that people can tell one from another
    digest = models.CharField(max_length=64, unique=True)  # sha256 of the key, hex
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)  # to five minutes
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "API key"
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.start}…)"


class IdempotentAnswer(models.Model):
    """What was answered to a request with an Idempotency-Key: the same again gets the same, and nothing happens twice.

    Without a status the first request is still under way, or died; `lease_until` says until when nobody else may try.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    principal = models.CharField(max_length=60)  # "key:<uuid>" or "user:<id>"
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)  # sha256 of method, path and body, hex
    lease_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "principal", "key"], name="idempotency_key_once"),
            models.CheckConstraint(
                condition=Q(status=None) | Q(body__isnull=False), name="idempotent_answer_has_its_body"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="idempotent_answer_age")]

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"
