"""How the reading of an account stands: who is at it, how far, what it cost, when it is read again."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import ConnectedAccount


class AccountSync(models.Model):
    """The claim of one worker on one account, so that two never ask the network for the same.

    A worker that dies leaves the claim behind; it runs out by itself, and the parts that were done are not done again.
    """

    account = models.OneToOneField(ConnectedAccount, on_delete=models.CASCADE, primary_key=True, related_name="sync")
    claimed_until = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)  # when the hourly job takes it next; None: at once
    full_at = models.DateTimeField(null=True, blank=True)  # day figures and newest posts too, not the totals alone
    audience_at = models.DateTimeField(null=True, blank=True)
    # All days from the first on have been read, as they stood at the second.
    history_from = models.DateTimeField(null=True, blank=True)
    days_read_to = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)  # readings in a row that came to nothing

    # What people see while and after they pressed "Sync now".
    asked_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    step = models.CharField(max_length=30, blank=True)  # key of the part that is being read
    steps_done = models.JSONField(default=list)  # keys of the parts that this run has read
    steps_total = models.PositiveSmallIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)  # to the network, in the newest run
    calls_today = models.PositiveIntegerField(default=0)  # on `calls_on`, a day in UTC
    calls_on = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = "account sync"
        indexes: ClassVar = [models.Index(fields=["next_at"], name="account_sync_next")]

    def __str__(self) -> str:
        return str(self.account_id)
