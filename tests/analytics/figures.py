"""Windows of an account as a reading of many days would leave them: with a rhythm, with gaps, with a break."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import ConnectedAccount
from analytics.days import day_start, days_after
from analytics.models import InsightWindow
from socialhub.platforms import PLATFORMS

HOUR = timedelta(hours=1)
MEASURES: dict[str, int] = {
    "views": 900,
    "impressions": 1500,
    "reach": 420,
    "engagements": 60,
    "likes": 44,
    "comments": 8,
    "shares": 5,
    "saves": 3,
    "profile_views": 20,
    "follows": 6,
}


def day_value(measure: str, back: int) -> int:
    """What happened so many days ago: more by now than then, more at the end of a week. The same in every run."""
    swing = 1 + 0.3 * math.sin(back * 2 * math.pi / 7)
    return round(MEASURES[measure] * swing * (1 - back / 400))


def level_value(back_hours: float, *, newest: int = 12_480) -> int:
    """Followers so many hours ago: four more each day."""
    return newest - math.floor(back_hours / 6)


def make_days(
    account: ConnectedAccount,
    days: int = 30,
    *,
    now: datetime | None = None,
    measures: Collection[str] = ("views", "reach", "engagements", "likes", "comments", "follows"),
    missing: Collection[int] = (),
    changed: Mapping[str, int] | None = None,
    late: int = 0,
) -> None:
    """Whole days up to yesterday of the account's network.

    missing: days back that were never read (1 is yesterday). changed: so many days back the network's name behind a
    measure became another. late: so many of the newest days are not told yet.
    """
    now = now or timezone.now()
    zone = PLATFORMS[account.platform].day_zone
    today = day_start(now, zone)
    rows = []
    for back in range(1 + late, days + 1):
        if back in missing:
            continue
        start = days_after(today, -back, zone)
        sources = {key: f"old_{key}" if back > (changed or {}).get(key, days) else f"new_{key}" for key in measures}
        rows.append(
            InsightWindow(
                account=account,
                period=InsightWindow.Period.DAY,
                window_start=start,
                metrics={key: day_value(key, back) for key in measures},
                sources=sources,
                fetched_at=min(now, start + timedelta(days=3)),
            )
        )
    InsightWindow.objects.bulk_create(rows)


def make_today(account: ConnectedAccount, metrics: Mapping[str, int], *, now: datetime | None = None) -> InsightWindow:
    """The day that is going on, as networks that tell today give it."""
    now = now or timezone.now()
    return InsightWindow.objects.create(
        account=account,
        period=InsightWindow.Period.DAY,
        window_start=day_start(now, PLATFORMS[account.platform].day_zone),
        metrics=dict(metrics),
        is_whole=False,
        fetched_at=now,
    )


def make_hours(
    account: ConnectedAccount,
    hours: int = 72,
    *,
    now: datetime | None = None,
    measures: Collection[str] = (),
    stopped: tuple[int, int] | None = None,
    newest: int = 12_480,
) -> None:
    """An hour window for each of the last hours, read at its 20th minute; the newest is the one before the running hour.

    measures: what happened in each hour, beside the followers. stopped: (from, to) hours back between which nothing was
    read; the first reading after it covers all that time.
    """
    this_hour = (now or timezone.now()).replace(minute=0, second=0, microsecond=0)
    rows = []
    behind = 0
    for back in range(hours, 0, -1):
        behind += 1
        if stopped and stopped[0] >= back > stopped[1]:
            continue
        start = this_hour - back * HOUR
        level, before = level_value(back, newest=newest), level_value(back + behind, newest=newest)
        derived: dict[str, Any] = {"followers": level - before, "span_minutes": 60 * behind}
        derived |= {key: behind * max(1, MEASURES[key] // 24 + (start.hour - 12) // 4) for key in measures}
        rows.append(
            InsightWindow(
                account=account,
                period=InsightWindow.Period.HOUR,
                window_start=start,
                metrics={"followers": level, "following": 120, "posts": 340},
                derived=derived,
                fetched_at=start + timedelta(minutes=20),
            )
        )
        behind = 0
    InsightWindow.objects.bulk_create(rows, batch_size=2000)


def make_month(account: ConnectedAccount, *, now: datetime | None = None) -> None:
    """A month of days and hours with all that can happen: a day never read, a stop of five hours, today so far."""
    now = now or timezone.now()
    platform = PLATFORMS[account.platform]
    hourly = ("views", "likes") if platform.tells_today else ()
    make_days(account, 62, now=now, missing=(9,), late=0 if platform.tells_today else 1)
    make_hours(account, 62 * 24, now=now, measures=hourly, stopped=(10, 5))
    if platform.tells_today:
        make_today(account, {"views": 120, "likes": 6}, now=now)
    ConnectedAccount.objects.filter(pk=account.pk).update(
        last_synced_at=now - timedelta(minutes=20), followers_count=12_480
    )
    account.refresh_from_db()
