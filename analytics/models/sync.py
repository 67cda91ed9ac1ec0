"""Who reads an account at the moment, and when everything of it was read last."""

from __future__ import annotations

from django.db import models

from accounts.models import ConnectedAccount


class AccountSync(models.Model):
    """The claim of one worker on one account, so that two never ask the network for the same.

    A worker that dies leaves the claim behind; it runs out by itself.
    """

    account = models.OneToOneField(ConnectedAccount, on_delete=models.CASCADE, primary_key=True, related_name="sync")
    claimed_until = models.DateTimeField(null=True, blank=True)
    full_at = models.DateTimeField(null=True, blank=True)  # day figures and newest posts too, not the totals alone
    failures = models.PositiveSmallIntegerField(default=0)  # readings in a row that came to nothing

    class Meta:
        verbose_name = "account sync"

    def __str__(self) -> str:
        return str(self.account_id)
