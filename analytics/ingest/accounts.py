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
from analytics.ingest.addresses import address
from analytics.ingest.windows import hour_start
from analytics.models import AccountSync, AudienceSnapshot, InsightWindow
from analytics.refused import note_refused, skip_for
from publishing import limits
from socialhub.platforms.base import Access, AccountReading, Platform, Profile
from socialhub.platforms.errors import LimitedError, PlatformError, TemporaryError
from socialhub.platforms.metrics.types import Subject

AUDIENCE_EVERY = timedelta(hours=23)  # once a day, and the readings of a day do not come to the minute
HISTORY_CHUNK = 90  # days that are read and written at once
MOST_HOURLY_DAYS = 3  # a longer stop is caught up by a full reading

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
    """The spans of days that were never read: since the last reading that came through, and before the account was new."""
    zone = platform.day_zone
    today = day_start(now, zone)
    horizon = days_after(today, -platform.history_days, zone)
    settled = days_after(today, -platform.settles_after_days, zone)  # from here on the days are read every time
    if row is not None and row.days_read_to and row.days_read_to < settled:
        first = max(days_after(row.days_read_to, -platform.settles_after_days, zone), horizon)
        while first < settled:
            end = min(days_after(first, HISTORY_CHUNK, zone), settled)
            yield first, end
            first = end
    end = row.history_from if row is not None and row.history_from else settled
    while horizon < end:
        first = max(days_after(end, -HISTORY_CHUNK, zone), horizon)
        yield first, end
        end = first


def read_hour(account: ConnectedAccount, platform: Platform, access: Access) -> Sequence[PlatformError]:
    """Profile and totals, and what has happened today so far, where the network tells it before the day is over.

    At the first reading of a day the one before is read once more, to see its end.
    """
    at, zone = timezone.now(), platform.day_zone
    days: list[datetime] = []
    if platform.tells_today:
        today = day_start(at, zone)
        since = min(account.last_synced_at or today, today)
        days = list(days_between(max(since, days_after(today, -MOST_HOURLY_DAYS, zone)), at, zone))
    troubles = _read(account, platform, access, at, days)
    pictures.refresh_later(account)
    return troubles


def read_days(account: ConnectedAccount, platform: Platform, access: Access) -> Sequence[PlatformError]:
    """As `read_hour`, and all days again whose figures may still change: networks hand them in late."""
    at, zone = timezone.now(), platform.day_zone
    today = day_start(at, zone)
    first = days_after(today, -platform.settles_after_days, zone)
    days = list(days_between(first, today, zone)) if platform.history_days else []
    if platform.tells_today:
        days = [*days, today]
    troubles = _read(account, platform, access, at, days, read_to=(first, today))
    pictures.refresh_later(account)
    return troubles


def read_earlier_days(
    account: ConnectedAccount, platform: Platform, access: Access, *, first: datetime, end: datetime
) -> Sequence[PlatformError]:
    """Days that were missed, or from before the account was connected."""
    days = list(days_between(first, end, platform.day_zone))
    return _read(account, platform, access, timezone.now(), days, read_to=(first, end))


def _read(
    account: ConnectedAccount,
    platform: Platform,
    access: Access,
    at: datetime,
    days: Sequence[datetime],
    *,
    read_to: tuple[datetime, datetime] | None = None,
) -> Sequence[PlatformError]:
    """read_to: the span of days that is known once nothing has kept the network from telling them."""
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
        if read_to and not is_cut_short:
            _advance(row, *read_to)
    return reading.troubles


def _hold(account: ConnectedAccount) -> AccountSync:
    """One writer of an account's windows at a time."""
    rows = AccountSync.objects.select_for_update().filter(account=account)
    if (row := rows.first()) is not None:
        return row
    AccountSync.objects.bulk_create([AccountSync(account=account)], ignore_conflicts=True)
    return rows.get()


def _advance(row: AccountSync, first: datetime, end: datetime) -> None:
    """All days from `first` to just before `end` have been read; so are those that lie beside them already."""
    known_from, known_to = row.history_from or first, row.days_read_to or end
    if first > known_to or end < known_from:
        return  # days in between are still missing
    known_from, known_to = min(known_from, first), max(known_to, end)
    if (known_from, known_to) != (row.history_from, row.days_read_to):
        AccountSync.objects.filter(pk=row.pk).update(history_from=known_from, days_read_to=known_to)


def _put_profile(account: ConnectedAccount, profile: Profile, at: datetime) -> bool:
    shown = {
        "name": profile.name[:200],
        "username": profile.username[:200],
        "picture_url": address(profile.picture_url),
    }
    fields: dict[str, Any] = {name: value for name, value in shown.items() if value}
    fields |= {
        "followers_count": profile.followers_count,
        "following_count": profile.following_count,
        "likes_count": profile.likes_count,
        "posts_count": profile.posts_count,
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
    return {name: value for name, value in told.items() if value is not None} | dict(reading.totals)


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
