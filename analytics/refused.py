"""Metric names that a network no longer takes: remembered, left out for some days, tried again, shown to staff."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from accounts.models import ConnectedAccount
from analytics.models import RefusedMetric
from socialhub.platforms.metrics.types import Subject

logger = logging.getLogger(__name__)

LEFT_OUT = timedelta(days=3)


def skip_for(platform: str, subject: Subject) -> frozenset[str]:
    """The names that are not to be asked for now. One query."""
    refused = RefusedMetric.objects.filter(platform=platform, subject=subject, retry_at__gt=timezone.now())
    return frozenset(refused.values_list("name", flat=True))


def note_refused(account: ConnectedAccount, subject: Subject, names: Iterable[str]) -> None:
    """The network of this account refused these names just now. No query where there are none.

    What several workers meet at the same time counts once.
    """
    now = timezone.now()
    found = sorted(set(names))
    if not found:
        return
    again = RefusedMetric.objects.filter(
        platform=account.platform, subject=subject, name__in=found, retry_at__lte=now
    ).update(times=F("times") + 1, last_refused_at=now, retry_at=now + LEFT_OUT, account=account)
    RefusedMetric.objects.bulk_create(
        [
            RefusedMetric(
                platform=account.platform,
                subject=subject,
                name=name[:100],
                account=account,
                first_refused_at=now,
                last_refused_at=now,
                retry_at=now + LEFT_OUT,
            )
            for name in found
        ],
        ignore_conflicts=True,
    )
    logger.warning(
        "%s refuses the metrics %s of %s; they are left out until %s (%d known before, account %s)",
        account.platform,
        ", ".join(found),
        subject,
        now + LEFT_OUT,
        again,
        account.pk,
    )
