"""What whoever runs the server must know, and the trail of requests to delete data."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class OperatorNotice(models.Model):
    """One row per trouble of the server itself, such as an API version that is not served any more."""

    key = models.CharField(max_length=120)  # the same trouble again finds the same open row
    title = models.CharField(max_length=200)
    body = models.TextField()
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-last_seen_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(resolved_at__isnull=True), name="operator_notice_once_open"
            )
        ]

    def __str__(self) -> str:
        return self.title


class EncryptionKey(models.Model):
    """When a key of FERNET_KEYS was seen first. Holds a fingerprint, never the key."""

    fingerprint = models.CharField(max_length=64, unique=True)
    first_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["first_seen_at"]

    def __str__(self) -> str:
        return self.fingerprint[:12]


def confirmation_code() -> str:
    return secrets.token_urlsafe(16)


class DataDeletion(models.Model):
    """That a person had their data deleted. Says nothing about who it was: only the digest of the request is kept."""

    code = models.CharField(_("confirmation code"), max_length=40, unique=True, default=confirmation_code)
    provider = models.CharField(max_length=20)
    digest = models.CharField(max_length=64, unique=True)  # of the request: the same one twice is answered alike
    grants = models.PositiveIntegerField(default=0)
    accounts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.code
