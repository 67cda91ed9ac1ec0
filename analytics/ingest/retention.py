"""What is kept of figures, and for how long: by setting, and by the terms of the networks where those allow less."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import ExtractHour, TruncDay
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.language import speaking_to
from accounts.models import ConnectedAccount
from accounts.withdrawal import person_erased
from analytics.ingest.growth import FIGURES
from analytics.models import AccountSync, AudienceSnapshot, InsightWindow, PlatformPost, PostDay, PostSnapshot
from socialhub.platforms import PLATFORMS

DAY = timedelta(days=1)
SNAPSHOT_DAYS = 35  # from then on a post has its marks and its days; what was read in between is dropped
AT_ONCE = 5_000  # rows of one statement, so that none locks for long

# A post that keeps nothing of what was read of it.
EMPTY: dict[str, Any] = {
    **dict.fromkeys((*FIGURES, "engagements", "engagement_rate")),
    "rate_of": "",
    "extra": {},
    "sources": {},
    "raw": {},
}


def tidy(now: datetime | None = None) -> dict[str, int]:
    """Daily. Returns how many rows went, or lost their raw answer, by kind."""
    now = now or timezone.now()
    return {
        "raw": _drop_raw(now),
        "snapshots": _thin_snapshots(now),
        "hours": _thin_hours(now),
        "figures": sum(_drop_figures(accounts, before) for accounts, before in _limited(now)),
    }


def _drop_raw(now: datetime) -> int:
    number = 0
    by_setting = now - settings.INSIGHTS_RAW_DAYS * DAY
    strict = {key: days for key, platform in PLATFORMS.items() if (days := platform.raw_kept_days) is not None}
    number += _empty_raw(Q(), by_setting)
    for key, days in strict.items():
        # One day earlier, since this runs once a day.
        number += _empty_raw(Q(account__platform=key), now - max(days - 1, 0) * DAY)
    return number


def _empty_raw(which: Q, before: datetime) -> int:
    has_raw = which & ~Q(raw={})
    return sum(
        _in_portions(rows, raw={})
        for rows in (
            InsightWindow.objects.filter(has_raw, fetched_at__lt=before),
            PlatformPost.objects.filter(has_raw, fetched_at__lt=before),
            AudienceSnapshot.objects.filter(has_raw, taken_on__lt=before.astimezone(UTC).date()),
        )
    )


def _thin_snapshots(now: datetime) -> int:
    rolled_up = Exists(PostDay.objects.filter(platform_post=OuterRef("platform_post")))
    return _in_portions(PostSnapshot.objects.filter(rolled_up, mark="", fetched_at__lt=now - SNAPSHOT_DAYS * DAY))


def _thin_hours(now: datetime) -> int:
    """Single hours of days that are told as a whole, long after anybody looks at them. The last that was read of each
    day, as the network has its days, stays: it tells how many followers there were."""
    zones: dict[str, list[str]] = defaultdict(list)
    for key, platform in PLATFORMS.items():
        zones[platform.day_zone].append(key)
    return sum(_in_portions(_hours_but_the_last(now, ZoneInfo(zone), keys)) for zone, keys in zones.items())


def _hours_but_the_last(now: datetime, zone: ZoneInfo, platforms: Collection[str]) -> QuerySet[InsightWindow]:
    before = now - settings.INSIGHTS_HOUR_DAYS * DAY
    told = Exists(
        InsightWindow.objects.filter(
            account=OuterRef("account"),
            period=InsightWindow.Period.DAY,
            window_start__gt=OuterRef("window_start") - DAY,
            window_start__lte=OuterRef("window_start"),
        )
    )
    hours: QuerySet[Any] = InsightWindow.objects.filter(period=InsightWindow.Period.HOUR).annotate(
        day=TruncDay("window_start", tzinfo=zone), hour=ExtractHour("window_start", tzinfo=zone)
    )
    later = Exists(
        hours.filter(
            account=OuterRef("account"),
            window_start__gt=OuterRef("window_start"),
            window_start__lt=OuterRef("window_start") + 2 * DAY,
            day=OuterRef("day"),
        )
    )
    old = hours.filter(told, window_start__lt=before, account__platform__in=platforms)
    return old.exclude(hour=23).filter(later)  # nearly all that are left by then are the last of their day


def _limited(now: datetime) -> Iterator[tuple[QuerySet[ConnectedAccount], datetime]]:
    """The accounts whose networks limit how long figures are kept, and from when on theirs may be."""
    for key, platform in PLATFORMS.items():
        for account_type, days in platform.figures_kept_days.items():
            accounts = ConnectedAccount.objects.filter(platform=key, account_type=account_type)
            yield accounts, now - max(days - 1, 0) * DAY
            # Whoever takes back the connection takes back what was read through it.
            yield accounts.filter(status=ConnectedAccount.Status.DISCONNECTED), now + DAY


def _drop_figures(accounts: QuerySet[ConnectedAccount], before: datetime) -> int:
    """Figures of accounts and posts that were read before then. What was written here stays, and says why it is bare."""
    day = before.astimezone(UTC).date()
    number = sum(
        _in_portions(rows)
        for rows in (
            InsightWindow.objects.filter(account__in=accounts, fetched_at__lt=before),
            AudienceSnapshot.objects.filter(account__in=accounts, taken_on__lt=day),
            PostSnapshot.objects.filter(platform_post__account__in=accounts, fetched_at__lt=before),
            PostDay.objects.filter(account__in=accounts, fetched_at__lt=before),
        )
    )
    bare = Q(withheld__gt="") & Q(**{f"{name}__isnull": True for name in FIGURES})
    old = PlatformPost.objects.filter(account__in=accounts, fetched_at__lt=before).exclude(bare)
    posts = old.select_related("account__workspace").only("pk", "account__workspace").order_by("account__workspace")
    for workspace, group in groupby(posts, key=lambda post: post.account.workspace):
        with speaking_to(workspace):
            why = _("The terms of this network do not allow to keep these figures any longer.")
        keys = [post.pk for post in group]
        for start in range(0, len(keys), AT_ONCE):
            portion = PlatformPost.objects.filter(pk__in=keys[start : start + AT_ONCE], fetched_at__lt=before)
            number += portion.update(**EMPTY, withheld=why)
    return number


@receiver(person_erased)
def erase_figures(account: ConnectedAccount, **kwargs: Any) -> None:
    """A person has had their data deleted: who follows them, what they did elsewhere, and how it all went."""
    theirs = PlatformPost.objects.filter(account=account)
    for rows in (
        InsightWindow.objects.filter(account=account),
        AudienceSnapshot.objects.filter(account=account),
        PostSnapshot.objects.filter(platform_post__account=account),
        PostDay.objects.filter(account=account),
        theirs.filter(publication=None),
    ):
        _in_portions(rows)
    theirs.update(**EMPTY, text="", thumbnail_url="", media_urls=[], withheld="", fetched_at=None, next_fetch_at=None)
    AccountSync.objects.filter(account=account).delete()  # whoever connects it again has it read from the beginning


def _in_portions(rows: QuerySet[Any], **fields: Any) -> int:
    """Delete these rows, or with fields change them so that they are no longer among these; returns how many."""
    number = 0
    while keys := list(rows.values_list("pk", flat=True)[:AT_ONCE]):
        portion = rows.model._default_manager.filter(pk__in=keys)
        number += portion.update(**fields) if fields else portion.delete()[0]
    return number
