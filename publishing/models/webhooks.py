"""Addresses of other programs that are told what happens, and every telling."""

from __future__ import annotations

import secrets
import uuid
from base64 import b64encode
from typing import ClassVar
from urllib.parse import urlsplit

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User, Workspace
from socialhub.fields import SecretTextField


def webhook_secret() -> str:
    """As Standard Webhooks wants it: 32 random bytes in base64 after "whsec_"."""
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


class WebhookEndpoint(models.Model):
    """Where a workspace's events are sent, signed with a secret that only the two sides know."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="webhook_endpoints")
    url = models.URLField(_("address"), max_length=2000)
    description = models.CharField(_("description"), max_length=100, blank=True)
    kinds = ArrayField(models.CharField(max_length=40), default=list, blank=True)  # of events; none: all of them
    secret = SecretTextField(default=webhook_secret)
    # Signs beside the new one for a while after that was made, so that receivers can change theirs in their own time.
    previous_secret = SecretTextField(null=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    # Everything that happened up to here has its delivery. Lags behind, since rows appear in the order of their
    # commits and not of their ids.
    seen_event_id = models.BigIntegerField(default=0)
    seen_until = models.DateTimeField()
    failing_since = models.DateTimeField(null=True, blank=True)
    resting_until = models.DateTimeField(null=True, blank=True)  # nothing is sent before, while it does not answer
    paused_at = models.DateTimeField(null=True, blank=True)  # by a person, or by us after days without an answer
    pause_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return self.description or urlsplit(self.url).hostname or self.url


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint. The payload is what was true when it happened; a replay sends it again."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    source = models.CharField(max_length=80)  # the row that it tells of, so that nothing is told twice
    kind = models.CharField(max_length=40)  # such as "publication.published"
    payload = models.JSONField()
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_excerpt = models.TextField(blank=True)
    error = models.CharField(max_length=300, blank=True)  # why there was no answer
    tries = models.JSONField(default=list, blank=True)  # [{"at", "status", "ms", "error"}], the newest last
    replays = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replayed_by")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["endpoint", "source"], name="webhook_told_once")]
        indexes: ClassVar = [
            models.Index(fields=["endpoint", "not_before"], condition=Q(status="waiting"), name="webhook_waiting"),
            models.Index(
                fields=["endpoint"],
                condition=Q(status="waiting", lease_until__isnull=False),
                name="webhook_in_hand",
            ),
            models.Index(fields=["endpoint", "-created_at"], name="webhook_newest"),
            models.Index(fields=["created_at"], name="webhook_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.endpoint_id}"
