"""What the operation of the site itself has to remember: who leads the schedule, and when it last ran."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

THE_ONE = 1
ALIVE = timedelta(seconds=95)  # three of its heartbeats were not heard
FORGOTTEN = timedelta(days=1)


class BeatLease(models.Model):
    """The right to fire the schedule. Any number of beats may run; the one that holds the lease fires."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ONE)
    owner = models.CharField(_("leading beat"), max_length=100, blank=True)
    expires_at = models.DateTimeField(_("lease ends"))

    class Meta:
        verbose_name = _("beat lease")
        verbose_name_plural = _("beat lease")
        constraints: ClassVar = [models.CheckConstraint(condition=Q(pk=THE_ONE), name="beat_lease_only_one")]

    def __str__(self) -> str:
        return self.owner

    @classmethod
    def take(cls, owner: str, *, seconds: float) -> bool:
        """Take or renew the lease; False while another holds it. One statement and the database's clock decide."""
        lease = {"owner": owner, "expires_at": Now() + timedelta(seconds=seconds)}
        free = cls.objects.filter(Q(owner=owner) | Q(expires_at__lt=Now()))
        if free.update(**lease):
            return True
        if cls.objects.exists():
            return False
        # The first beat of a new database: whoever gets this row in has not won yet.
        BeatLease.objects.bulk_create([BeatLease(expires_at=timezone.now() - timedelta(days=1))], ignore_conflicts=True)
        return bool(free.update(**lease))

    @classmethod
    def give_back(cls, owner: str) -> None:
        """So that another beat takes over at once instead of waiting for the end of the lease."""
        cls.objects.filter(owner=owner).update(expires_at=Now() - timedelta(seconds=1))


class Heartbeat(models.Model):
    """Written by a scheduled task: a fresh one proves that beat, broker, worker and database work together."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ONE)
    seen_at = models.DateTimeField(_("last heartbeat"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeat")
        constraints: ClassVar = [models.CheckConstraint(condition=Q(pk=THE_ONE), name="heartbeat_only_one")]

    def __str__(self) -> str:
        return self.seen_at.isoformat()

    @classmethod
    def beat(cls) -> None:
        cls.objects.update_or_create(pk=THE_ONE, defaults={"seen_at": Now()})

    @classmethod
    def age(cls) -> timedelta | None:
        """Time since the last one; None when there never was any."""
        seen_at = cls.objects.values_list("seen_at", flat=True).first()
        return timezone.now() - seen_at if seen_at else None


class ProcessQuerySet(models.QuerySet["ProcessHeartbeat"]):
    def alive(self) -> ProcessQuerySet:
        """Those that were heard lately; the others were killed, or do not reach the database."""
        return self.filter(seen_at__gt=Now() - ALIVE)


class ProcessHeartbeat(models.Model):
    """A process that says every half minute that it is there: a web, worker or beat process, on whatever machine."""

    class Kind(models.TextChoices):
        WEB = "web", _("Web")
        WORKER = "worker", _("Worker")
        BEAT = "beat", _("Beat")

    name = models.CharField(_("process"), max_length=120, unique=True)  # host:pid:random
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    host = models.CharField(_("machine"), max_length=100)
    version = models.CharField(_("version"), max_length=40, blank=True)
    started_at = models.DateTimeField(_("started"))
    seen_at = models.DateTimeField(_("last heard"))
    details = models.JSONField(default=dict, blank=True)  # {"threads": 50, "busy": 3, "disk_free": …}

    objects = ProcessQuerySet.as_manager()

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")
        ordering: ClassVar = ["kind", "name"]
        indexes: ClassVar = [models.Index(fields=["seen_at"], name="process_seen")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def say(cls, name: str, kind: str, *, host: str, version: str, details: dict[str, Any]) -> None:
        """It is there, by the clock of the database; one statement unless it is new."""
        told = {"seen_at": Now(), "details": details}
        if not cls.objects.filter(name=name).update(**told):
            cls.objects.create(name=name, kind=kind, host=host, version=version, started_at=Now(), **told)

    @classmethod
    def sweep(cls) -> None:
        """Forget those that ended without saying so. They are shown for a day, so that somebody sees it."""
        cls.objects.filter(seen_at__lt=Now() - FORGOTTEN).delete()
