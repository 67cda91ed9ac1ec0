"""Who wants the figures of a workspace by e-mail."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import User, Workspace


class ReportSubscription(models.Model):
    """The weekly report to one person, who has asked for it. Each week is claimed before it is sent, so none comes twice."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="report_subscriptions")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="report_subscriptions")
    created_at = models.DateTimeField(auto_now_add=True)
    week = models.DateField(null=True, blank=True)  # the Monday of the newest week that was reported
    sent_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "workspace"], name="report_subscription_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.workspace_id}"
