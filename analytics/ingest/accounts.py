"""Figures of accounts, from the networks to rows: fetch, then upsert. Everything here may run twice without a trace.

What a network does not say stays unknown; it never becomes 0. No call is made inside a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import pictures
from accounts.models import ConnectedAccount
from analytics.days import date_of, day_start, days_after, days_between
from analytics.ingest import posts, windows
from analytics.ingest.counts import count
from analytics.ingest.windows import hour_start
from analytics.models import AccountSync, AudienceSnapshot, InsightWindow
from analytics.refused import note_refused, skip_for
from publishing import limits
from socialhub.platforms.base import Access, AccountReading, Platform, Profile
from socialhub.platforms.errors import LimitedError, PlatformError, TemporaryError
from socialhub.platforms.metrics.types import Subject
from socialhub.platforms.text import address

AUDIENCE_EVERY = timedelta(hours=23)  # once a day, and the readings of a day do not come to the minute
MOST_HOURLY_DAYS = 3  # a longer stop is caught up by a full reading


@dataclass(frozen=True, slots=True)
class Known:
    """All days from `first` on as they stood at `read_at`."""

    first: datetime
    read_at: datetime


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
    read that are not due yet. Parts that are not due (the audience of today is known) are not in the list. Costs one
    query at most, none with `select_related("sync")`.
    """
    if not full:
        return [Part("figures", _("Profile and figures"), read_hour)]
    row: AccountSync | None = getattr(account, "sync", None)
    now = timezone.now()
    parts = [
        Part("figures", _("Profile and figures"), read_days),
        Part("posts", _("Newest posts"), partial(posts.read_newest, is_first=row is None or row.full_at is None)),
        Part("post_figures", _("Figures of posts"), partial(posts.read_due, asked=asked)),
    ]
    if platform.quota_group:
        parts.append(Part("quota", _("Limits"), read_quota))
    if platform.has_audience and (row is None or row.audience_at is None or row.audience_at <= now - AUDIENCE_EVERY):
        parts.append(Part("audience", _("Audience"), read_audience))
    parts += [
        Part(
            f"days:{date_of(first, platform.day_zone)}",
            _("Earlier days"),
            partial(read_earlier_days, first=first, end=end),
        )
        for first, end in _missing(platform, row, now)
    ]
    return parts


def _missing(platform: Platform, row: AccountSync | None, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The spans of days that were missed since the last reading, and those from before the account was new."""
    zone = platform.day_zone
    horizon = days_after(day_start(now, zone), -platform.history_days, zone)
    end = _first_read_every_time(platform, now)
    if row is not None and row.days_read_to:
        first = max(_first_unsettled(platform, row.days_read_to), horizon)
        while first < end:
            until = min(days_after(first, platform.days_at_once, zone), end)
            yield first, until
            first = until
    end = row.history_from if row is not None and row.history_from else _first_unsettled(platform, now)
    while horizon < end:
        first = max(days_after(end, -platform.days_at_once, zone), horizon)
        yield first, end
        end = first


def _first_unsettled(platform: Platform, read_at: datetime) -> datetime:
    """The first day whose figures could still change after they were read at that moment."""
    zone = platform.day_zone
    return days_after(day_start(read_at, zone), -platform.settles_after_days, zone)


def _first_read_every_time(platform: Platform, now: datetime) -> datetime:
    """From here on a full reading reads all days; a day more than may change, since the last reading was some hours ago."""
    return days_after(_first_unsettled(platform, now), -1, platform.day_zone)


def read_hour(account: ConnectedAccount, platform: Platform, access: Access) -> Sequence[PlatformError]:
    """Profile and totals, and what has happened today so far, where the network tells it before the day is over.

    At the first reading of a day the one before is read once more, to see its end.
    """
    at, zone = timezone.now(), platform.day_zone
    days: list[datetime] = []
    if platform.tells_today:
        today = day_start(at, zone)
        since = max(account.last_synced_at or today, days_after(today, -MOST_HOURLY_DAYS, zone))
        days = [*days_between(since, today, zone), today]
    troubles = _read(account, platform, access, at, days)
    pictures.refresh_later(account)
    return troubles


def read_days(account: ConnectedAccount, platform: Platform, access: Access) -> Sequence[PlatformError]:
    """As `read_hour`, and all days again whose figures may still change: networks hand them in late."""
    at, zone = timezone.now(), platform.day_zone
    today = day_start(at, zone)
    row: AccountSync | None = getattr(account, "sync", None)
    read_at = (row and row.days_read_to) or at
    first = max(_first_unsettled(platform, min(read_at, at)), _first_read_every_time(platform, at))
    days = list(days_between(first, today, zone)) if platform.history_days else []
    if platform.tells_today:
        days = [*days, today]
    troubles = _read(account, platform, access, at, days, known=Known(first, at))
    pictures.refresh_later(account)
    return troubles


def read_earlier_days(
    account: ConnectedAccount, platform: Platform, access: Access, *, first: datetime, end: datetime
) -> Sequence[PlatformError]:
    """Days that were missed, or from before the account was connected."""
    days = list(days_between(first, end, platform.day_zone))
    # As if read at the moment after which all later days could still change.
    read_at = days_after(end, platform.settles_after_days, platform.day_zone)
    return _read(account, platform, access, timezone.now(), days, known=Known(first, read_at))


def _read(
    account: ConnectedAccount,
    platform: Platform,
    access: Access,
    at: datetime,
    days: Sequence[datetime],
    *,
    known: Known | None = None,
) -> Sequence[PlatformError]:
    """known: the days that are known once nothing has kept the network from telling them."""
    reading = platform.read_account(access, days=days, skip=skip_for(platform.key, Subject.ACCOUNT))
    note_refused(account, Subject.ACCOUNT, reading.refused)
    if not _put_profile(account, reading.profile, at):
        return reading.troubles  # it was deleted meanwhile
    # What passes by itself is read again; what only a person can mend would be asked for in vain again and again.
    is_cut_short = any(isinstance(error, TemporaryError | LimitedError) for error in reading.troubles)
    with transaction.atomic():
        row = _hold(account)
        windows.write(
            account,
            windows.Zone(platform.day_zone, platform.tells_today),
            at=at,
            levels=_levels(reading),
            days=reading.days,
        )
        if known and not is_cut_short:
            _advance(row, known, platform)
    return reading.troubles


def _hold(account: ConnectedAccount) -> AccountSync:
    """One writer of an account's windows at a time."""
    rows = AccountSync.objects.select_for_update().filter(account=account)
    if (row := rows.first()) is not None:
        return row
    AccountSync.objects.bulk_create([AccountSync(account=account)], ignore_conflicts=True)
    return rows.get()


def _advance(row: AccountSync, new: Known, platform: Platform) -> None:
    """Joins the days that were just read to those that are known, unless days in between are still missing."""
    known_from, read_to = row.history_from, row.days_read_to
    if known_from is None or read_to is None:
        known_from, read_to = new.first, new.read_at
    else:
        if _first_unsettled(platform, new.read_at) >= known_from:
            known_from = min(known_from, new.first)
        if new.first <= _first_unsettled(platform, read_to):
            read_to = max(read_to, new.read_at)
    if (known_from, read_to) != (row.history_from, row.days_read_to):
        AccountSync.objects.filter(pk=row.pk).update(history_from=known_from, days_read_to=read_to)


def _put_profile(account: ConnectedAccount, profile: Profile, at: datetime) -> bool:
    shown = {
        "name": profile.name[:200],
        "username": profile.username[:200],
        "picture_url": address(profile.picture_url),
    }
    fields: dict[str, Any] = {name: value for name, value in shown.items() if value}
    fields |= {
        "followers_count": count(profile.followers_count),
        "following_count": count(profile.following_count),
        "likes_count": count(profile.likes_count),
        "posts_count": count(profile.posts_count),
        "last_synced_at": at,
    }
    if not ConnectedAccount.objects.filter(pk=account.pk).update(**fields):
        return False
    for name, value in fields.items():
        setattr(account, name, value)
    return True


def _levels(reading: AccountReading) -> dict[str, int | float]:
    profile = reading.profile
    told = {
        "followers": profile.followers_count,
        "following": profile.following_count,
        "page_likes": profile.likes_count,
        "posts": profile.posts_count,
    }
    levels = {name: count(value) for name, value in {**told, **reading.totals}.items()}
    return {name: value for name, value in levels.items() if value is not None}


def read_quota(account: ConnectedAccount, platform: Platform, access: Access) -> Sequence[PlatformError]:
    """What the network allows this account corrects the books of its limits before a post needs them."""
    if quota := platform.quota(access):
        limits.read_quota(account, platform.quota_group, quota)
    return ()


def read_audience(account: ConnectedAccount, platform: Platform, access: Access) -> Sequence[PlatformError]:
    now = timezone.now()
    reading = platform.audience(access, skip=skip_for(platform.key, Subject.AUDIENCE))
    note_refused(account, Subject.AUDIENCE, reading.refused)
    today = now.date()
    rows = [
        AudienceSnapshot(
            account=account,
            kind=part.kind,
            dimension=part.dimension[:30],
            taken_on=today,
            parts=dict(part.parts),
            raw=part.raw or {},
        )
        for part in sorted(reading.parts, key=lambda part: (part.kind, part.dimension))
    ]
    if reading.withheld:
        rows.append(
            AudienceSnapshot(
                account=account,
                kind=AudienceSnapshot.Kind.FOLLOWERS,
                taken_on=today,
                withheld=reading.withheld[:300],
            )
        )
    AudienceSnapshot.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["account", "kind", "dimension", "taken_on"],
        update_fields=["parts", "withheld", "raw"],
    )
    AccountSync.objects.filter(account=account).update(audience_at=now)
    return ()


def hour_of(account: ConnectedAccount, at: datetime) -> dict[str, Any]:
    return {"account": account, "period": InsightWindow.Period.HOUR, "window_start": hour_start(at)}
