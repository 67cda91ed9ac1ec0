"""What figures of posts become, reading by reading: the newest ones, snapshots at certain ages, and the state of each day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from analytics.ingest.counts import count
from analytics.models import PlatformPost, PostDay, PostSnapshot
from socialhub.platforms.base import PostFigures

FIGURES = ("likes", "comments", "shares", "saves", "views", "impressions", "reach", "clicks")
ENGAGEMENTS = ("likes", "comments", "shares", "saves")
SEEN_BY = ("reach", "views", "impressions")  # what engagements are divided by: the first that is known

# When the figures of a post are read, by its age: soon, so that something shows, then ever more seldom.
AGES = (
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    *(timedelta(hours=hours) for hours in range(24, 72, 6)),
    *(timedelta(hours=hours) for hours in range(72, 7 * 24, 12)),
    *(timedelta(days=days) for days in range(7, 29)),
)
# The ages at which posts are compared. A reading stands for the last of them that it has reached.
MARKS = (
    ("1h", timedelta(hours=1)),
    ("6h", timedelta(hours=6)),
    ("24h", timedelta(hours=24)),
    ("3d", timedelta(days=3)),
    ("7d", timedelta(days=7)),
    ("28d", timedelta(days=28)),
)
LAST_MARK_UNTIL = timedelta(days=35)
# Of networks whose listings tell figures, older posts are read along with the next listing, not by a call of their own,
# but for the ages at which they are compared.
LISTED_FROM = timedelta(hours=24)
LISTING_SLACK = timedelta(minutes=15)
MARKED = frozenset(age for _mark, age in MARKS)


def next_fetch(
    posted_at: datetime, now: datetime, every_seconds: float = 0, *, listed_every: float = 0
) -> datetime | None:
    """When the figures of a post are read next, not before `every_seconds` have passed; None once it is 28 days old.

    listed_every: seconds between the account's listings where those tell figures; it is only due where none came.
    """
    soonest = now + timedelta(seconds=every_seconds)
    for age in AGES:
        due = posted_at + age
        if due > now and due >= soonest:
            is_listed = listed_every and age > LISTED_FROM and age not in MARKED
            return due + timedelta(seconds=listed_every) + LISTING_SLACK if is_listed else due
    return None


def mark_of(age: timedelta) -> str:
    """Which age a reading stands for, "" for none."""
    reached = [mark for mark, least in MARKS if least <= age]
    return reached[-1] if reached and age < LAST_MARK_UNTIL else ""


def engagements_of(figures: Mapping[str, int | None]) -> int | None:
    """Likes, comments, shares and saves, as far as they are known; None where none is."""
    known = [number for name in ENGAGEMENTS if (number := figures.get(name)) is not None]
    return sum(known) if known else None


def _whole_sum(read: Mapping[str, int | None], known: Mapping[str, int | None]) -> int | None:
    """Engagements of one reading: unknown where it lacks a part that the post was told to have, so that none seems lost."""
    is_whole = all(read.get(name) is not None for name in ENGAGEMENTS if known[name] is not None)
    return engagements_of(read) if is_whole else None


def rate_of(figures: Mapping[str, int | None], engagements: int | None) -> tuple[float | None, str]:
    """Engagements for each who saw it, and which figure says how many those were."""
    for name in SEEN_BY:
        if engagements is not None and (seen := figures.get(name)):
            return engagements / seen, name
    return None, ""


def counted(figures: PostFigures) -> dict[str, int]:
    """What was told. A count below 0 is none: it stays unknown, and `raw` keeps it."""
    told = {name: count(getattr(figures, name)) for name in FIGURES}
    return {name: number for name, number in told.items() if number is not None}


def _believed(read: Mapping[str, int], post: PlatformPost, sources: Mapping[str, str]) -> dict[str, int]:
    """A 0 that only follows from the network's silence says nothing of a post that was told to have more."""
    return {name: number for name, number in read.items() if number or name in sources or not getattr(post, name)}


def _is_due(post: PlatformPost, at: datetime) -> bool:
    """Has it come of an age, since it was read last, at which posts are read?"""
    if post.fetched_at is None:
        return True
    return any(post.fetched_at < post.posted_at + age <= at for age in AGES)


class Growth:
    """One reading of several posts, whose rows the caller has locked. Five statements, however many posts.

    is_along: it came along with a listing, so it makes a snapshot only where the post was due.
    """

    written = (
        *FIGURES,
        "engagements",
        "engagement_rate",
        "rate_of",
        "series",
        "extra",
        "sources",
        "raw",
        "withheld",
        "fetched_at",
    )

    def __init__(self, at: datetime, posts: Sequence[PlatformPost], *, is_along: bool) -> None:
        self.at = at
        self.today = at.astimezone(UTC).date()
        self.posts = posts
        self._is_along = is_along
        self._snapshots: list[PostSnapshot] = []
        self._days: list[PostDay] = []
        self._marks: dict[UUID, set[str]] = defaultdict(set)
        self._known_days: dict[UUID, list[PostDay]] = defaultdict(list)
        if posts:
            self._load([post.pk for post in posts])

    def _load(self, keys: Sequence[UUID]) -> None:
        marked = PostSnapshot.objects.filter(platform_post__in=keys).exclude(mark="")
        for key, mark in marked.values_list("platform_post_id", "mark"):
            self._marks[key].add(mark)
        rank = Window(RowNumber(), partition_by=F("platform_post"), order_by=F("day").desc())
        newest = PostDay.objects.filter(platform_post__in=keys, day__lte=self.today).annotate(rank=rank)
        for day in newest.filter(rank__lte=2).order_by("rank"):
            self._known_days[day.platform_post_id].append(day)

    def take(self, post: PlatformPost, figures: PostFigures) -> None:
        """The newest known figures go to the post. What is not told this time keeps its last value there."""
        read = _believed(counted(figures), post, figures.sources)
        is_due = _is_due(post, self.at)
        is_other = any(read.get(name) != getattr(post, name) for name in read)
        if any(post.sources.get(name, source) != source for name, source in figures.sources.items()):
            post.series += 1
        for name, number in read.items():
            setattr(post, name, number)
        known = {name: getattr(post, name) for name in FIGURES}
        post.engagements = engagements_of(known)
        post.engagement_rate, post.rate_of = rate_of(known, post.engagements)
        post.extra = {**post.extra, **figures.extra}
        post.sources = {**post.sources, **figures.sources}
        post.raw = dict(figures.raw)
        post.withheld = figures.withheld[:300]
        post.fetched_at = self.at
        if not read:
            return
        mark = mark_of(self.at - post.posted_at)
        if mark in self._marks[post.pk]:
            mark = ""
        if mark or is_due or (is_other and not self._is_along):
            self._snapshots.append(
                PostSnapshot(
                    platform_post=post,
                    fetched_at=self.at,
                    mark=mark,
                    series=post.series,
                    engagements=_whole_sum(read, known),
                    **read,
                )
            )
        self._days.append(self._day_of(post, read))

    def _day_of(self, post: PlatformPost, read: Mapping[str, int]) -> PostDay:
        known = self._known_days[post.pk]
        is_known = bool(known) and known[0].day == self.today
        before = next((day for day in known if day.day < self.today), None)
        earlier = known[0] if is_known and known[0].series == post.series else None
        figures: dict[str, int | None] = {
            name: read.get(name, getattr(earlier, name) if earlier else None) for name in FIGURES
        }
        figures["engagements"] = _whole_sum(figures, {name: getattr(post, name) for name in FIGURES})
        return PostDay(
            platform_post=post,
            account_id=post.account_id,
            day=self.today,
            fetched_at=self.at,
            series=post.series,
            gained=self._gained(post, figures, before),
            **figures,
        )

    def _gained(self, post: PlatformPost, figures: Mapping[str, int | None], before: PostDay | None) -> dict[str, Any]:
        """Against the day before that is known. A post of the last day has gained all that it has."""
        if before is None:
            if self.at - post.posted_at > timedelta(days=1):
                return {}
            since = post.posted_at
            gained = {name: number for name, number in figures.items() if number is not None}
        elif before.series != post.series:
            return {}
        else:
            since = before.fetched_at
            gained = {
                name: number - earlier
                for name, number in figures.items()
                if number is not None and (earlier := getattr(before, name)) is not None
            }
        return {**gained, "span_minutes": round((self.at - since).total_seconds() / 60)} if gained else {}

    def save(self) -> None:
        PostSnapshot.objects.bulk_create(self._snapshots, ignore_conflicts=True)
        PostDay.objects.bulk_create(
            self._days,
            update_conflicts=True,
            unique_fields=["platform_post", "day"],
            update_fields=[*FIGURES, "engagements", "series", "fetched_at", "gained"],
        )
