"""Figures of accounts, from the networks to rows: fetch, then upsert. Everything here may run twice without a trace.

What a network does not say stays unknown; it never becomes 0. No call is made inside a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import pictures
from accounts.models import ConnectedAccount
from analytics.models import InsightWindow
from publishing import limits
from socialhub.platforms.base import Access, Platform
from socialhub.platforms.errors import PlatformError

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

Act = Callable[[ConnectedAccount, Platform, Access], Sequence[PlatformError]]


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a reading, done wholly or not at all, and safe to repeat.

    key: the same in every run, so that a run that was cut short goes on after what it has done. word: what people see
    while it goes on. act: raises what keeps all of it from being read; returns what kept only some of it.
    """

    key: str
    word: Any
    act: Act


def parts_of(account: ConnectedAccount, platform: Platform, *, full: bool, asked: bool = False) -> list[Part]:
    """What a reading of this account consists of now, in the order of doing.

    full: days, posts and audience too, not only what changes by the hour. asked: a person waits for it, so posts are
    read that are not due yet. Parts that are not due (the audience of today is known) are not in the list.
    """
    parts = [Part("figures", _("Profile and figures"), _plain(read_totals))]
    if full:
        parts += [
            Part("yesterday", _("Figures of the last days"), _plain(read_yesterday)),
            Part("today", _("Figures of the last days"), _plain(read_today)),
            Part("quota", _("Limits"), _plain(read_quota)),
        ]
    return parts


def _plain(read: Callable[[ConnectedAccount, Platform, Access], None]) -> Act:
    def act(account: ConnectedAccount, platform: Platform, access: Access) -> Sequence[PlatformError]:
        read(account, platform, access)
        return ()

    return act


def read_totals(account: ConnectedAccount, platform: Platform, access: Access) -> None:
    profile = platform.profile(access)
    now = timezone.now()
    shown = {
        "name": profile.name[:200],
        "username": profile.username[:200],
        "picture_url": address(profile.picture_url),
    }
    totals = {
        "followers": profile.followers_count,
        "following": profile.following_count,
        "likes": profile.likes_count,
        "posts": profile.posts_count,
    }
    fields: dict[str, Any] = {name: value for name, value in shown.items() if value}
    fields.update({f"{name}_count": value for name, value in totals.items()})
    fields["last_synced_at"] = now
    ConnectedAccount.objects.filter(pk=account.pk).update(**fields)
    for name, value in fields.items():
        setattr(account, name, value)
    pictures.refresh_later(account)
    known = {name: value for name, value in totals.items() if value is not None}
    if not known:
        return
    before = (
        InsightWindow.objects.filter(
            account=account, period=InsightWindow.Period.HOUR, window_start__lt=hour_start(now)
        )
        .order_by("-window_start")
        .first()
    )
    _put_window(hour_of(account, now), known, now, before=before)


def read_quota(account: ConnectedAccount, platform: Platform, access: Access) -> None:
    """What the network allows this account corrects the books of its limits before a post needs them."""
    if platform.quota_group and (quota := platform.quota(access)):
        limits.read_quota(account, platform.quota_group, quota)


def hour_start(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def hour_of(account: ConnectedAccount, at: datetime) -> dict[str, Any]:
    return {"account": account, "period": InsightWindow.Period.HOUR, "window_start": hour_start(at)}


def read_yesterday(account: ConnectedAccount, platform: Platform, access: Access) -> None:
    """Networks hand in the figures of a day late, so yesterday is read again all day long."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    _read_day(account, platform, access, today - DAY, today)


def read_today(account: ConnectedAccount, platform: Platform, access: Access) -> None:
    now = timezone.now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if now - today >= timedelta(minutes=1):
        _read_day(account, platform, access, today, now)


def _read_day(account: ConnectedAccount, platform: Platform, access: Access, since: datetime, until: datetime) -> None:
    figures = platform.account_figures(access, since=since, until=until)
    if figures.metrics:
        key = {"account": account, "period": InsightWindow.Period.DAY, "window_start": since}
        raw = {**figures.raw, **({"dead_metrics": list(figures.dead_metrics)} if figures.dead_metrics else {})}
        _put_window(key, figures.metrics, timezone.now(), raw=raw)


def _put_window(
    key: dict[str, Any],
    metrics: Mapping[str, Any],
    now: datetime,
    *,
    raw: Mapping[str, Any] | None = None,
    before: InsightWindow | None = None,
) -> None:
    """Newer figures replace older ones of the same window; one that is missing this time keeps its last value."""
    with transaction.atomic():
        window, _made = InsightWindow.objects.select_for_update().get_or_create(**key, defaults={"fetched_at": now})
        window.metrics = {**window.metrics, **metrics}
        window.raw = dict(raw or {})
        window.fetched_at = now
        window.derived = _difference(before, window) if before else {}
        window.save(update_fields=["metrics", "raw", "fetched_at", "derived"])


def _difference(before: InsightWindow, window: InsightWindow) -> dict[str, Any]:
    """What changed since the window before, and over how many minutes: hours may be missing in between."""
    both = window.metrics.keys() & before.metrics.keys()
    if not both:
        return {}
    minutes = round((window.fetched_at - before.fetched_at).total_seconds() / 60)
    return {**{name: window.metrics[name] - before.metrics[name] for name in sorted(both)}, "span_minutes": minutes}


def address(url: str) -> str:
    """Half an address is none."""
    return url if len(url) <= 2000 else ""
