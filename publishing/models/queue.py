"""The engine's books: what has to go out, every try, and the calls made of each rate-limit window."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from accounts.models import ConnectedAccount
from publishing.models.posts import Publication


class QueueEntry(models.Model):
    """A publication that has to go out, or whose outcome has to be found out. Gone when that is settled.

    `not_before` is the only column that decides when; `due_at` is what lateness is measured from. An entry with
    `lease_until` is in the hands of a worker. A held entry waits for its account (paused, reconnect), not for time.
    """

    class Priority(models.IntegerChoices):
        SCHEDULED = 0
        NOW = 10

    publication = models.OneToOneField(
        Publication, on_delete=models.CASCADE, primary_key=True, related_name="queue_entry"
    )
    account = models.ForeignKey(ConnectedAccount, on_delete=models.CASCADE, related_name="+", db_index=False)
    priority = models.SmallIntegerField(choices=Priority, default=Priority.SCHEDULED)
    not_before = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)  # temporary errors so far
    looks = models.PositiveSmallIntegerField(default=0)  # how often we looked for a lost outcome
    reserved = models.JSONField(default=list)  # keys of the steps whose calls are reserved in the windows
    losses = models.PositiveSmallIntegerField(default=0)  # workers that died with it in their hands
    held = models.BooleanField(default=False)
    awaits_decision = models.BooleanField(default=False)  # reading cannot tell whether it is there: a person must
    wait_reason = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)  # when it was looked at shortly before it is due
    trouble_ahead = models.BooleanField(default=False)  # and its people were told that it will not go out like this
    lease_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "queue entries"
        constraints: ClassVar = [
            # Posts of one account go out one after another; the database says so.
            models.UniqueConstraint(
                fields=["account"], condition=Q(lease_until__isnull=False), name="queue_one_lease_per_account"
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["priority", "not_before"],
                condition=Q(lease_until__isnull=True, held=False),
                name="queue_due",
            ),
            models.Index(
                F("account"),
                F("priority").desc(),
                F("not_before"),
                condition=Q(lease_until__isnull=True, held=False),
                name="queue_due_of_account",
            ),
            models.Index(fields=["lease_until"], condition=Q(lease_until__isnull=False), name="queue_leases"),
            models.Index(fields=["account"], condition=Q(held=True), name="queue_held"),
        ]

    def __str__(self) -> str:
        return str(self.publication_id)


class Attempt(models.Model):
    """One try, step by step: `steps` is a list of {key, label, at, ms, outcome, request_id, note}."""

    class Purpose(models.TextChoices):
        PUBLISH = "publish"
        CHECK = "check"

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveSmallIntegerField()
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.PUBLISH)
    worker = models.CharField(max_length=100)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True)  # published, waiting, a PlatformError.kind, lost
    message = models.TextField(blank=True)
    platform_message = models.TextField(blank=True)
    code = models.CharField(max_length=50, blank=True)
    subcode = models.CharField(max_length=50, blank=True)
    request_id = models.CharField(max_length=100, blank=True)
    steps = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar = ["started_at", "id"]
        indexes: ClassVar = [
            models.Index(fields=["publication", "started_at"], name="attempt_order"),
            # By time alone, for the last hour of all of them: rows lie in that order, so that this costs next to nothing.
            BrinIndex(fields=["started_at"], name="attempt_lately", autosummarize=True, pages_per_range=32),
        ]

    def __str__(self) -> str:
        return f"{self.publication_id} #{self.number}"


class RateLimitWindow(models.Model):
    """Calls made in one slice of a rate-limit window.

    A rolling window of one hour is kept in slices of a minute; the calls of the last hour are the sum of its slices.
    A row with `call_limit` 0 is a block: the network said to stay away until `resets_at`. A row with `told_at` holds
    what the network itself said of the whole window then: its limit, and in `calls_made` the calls that we had not counted.
    """

    # Whose calls these are: "account:<id>", or "grant:<id>" and "app:<login>" for what several accounts share.
    subject = models.CharField(max_length=60)
    account = models.ForeignKey(
        ConnectedAccount, on_delete=models.CASCADE, related_name="rate_limit_windows", null=True, blank=True
    )
    endpoint = models.CharField(max_length=30)  # the group of calls: publish, containers, posts
    window_seconds = models.PositiveIntegerField()
    window_start = models.DateTimeField()
    calls_made = models.PositiveIntegerField(default=0)
    call_limit = models.PositiveIntegerField()
    resets_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subject", "endpoint", "window_seconds", "window_start"], name="rate_limit_window_once_each"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["resets_at"], name="rate_limit_window_expiry")]

    def __str__(self) -> str:
        return f"{self.subject} {self.endpoint} {self.calls_made}/{self.call_limit}"


class LimitOverride(models.Model):
    """A limit that staff has set for one account, in place of the one that all accounts of its network have."""

    account = models.ForeignKey(ConnectedAccount, on_delete=models.CASCADE, related_name="limit_overrides")
    endpoint = models.CharField("group of calls", max_length=30)
    window_seconds = models.PositiveIntegerField("seconds of the window")
    call_limit = models.PositiveIntegerField("calls allowed")
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "endpoint", "window_seconds"], name="limit_override_once")
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.endpoint} {self.call_limit}"
