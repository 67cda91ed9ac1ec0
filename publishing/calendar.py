"""What stands in a stretch of days, cut in the zone of whoever looks: counted in full, and a few of each slot by name.

The edges of the days and hours are computed here and handed to the database, which only sorts instants between them:
what a zone does on a day is known in one place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.fields import ArrayField
from django.db.models import Case, Count, DateTimeField, F, Func, IntegerField, QuerySet, Value, When, Window
from django.db.models.functions import Left, RowNumber

from publishing.compose import local_instants
from publishing.models import MediaFile, Post, PostMedia, Publication

Summary = Post.Summary
MOVABLE = frozenset({Summary.DRAFT, Summary.SCHEDULED})  # all of it still waits
TROUBLE = frozenset({Summary.FAILED, Summary.PARTLY_FAILED, Summary.CHECKING})
MARKS: list[str] = [  # in the order in which a day that has room for few of them names them
    Summary.FAILED,
    Summary.PARTLY_FAILED,
    Summary.CHECKING,
    Summary.PUBLISHING,
    Summary.SCHEDULED,
    Summary.PARTLY_PUBLISHED,
    Summary.PUBLISHED,
    Summary.DRAFT,
]
WORDS = 90  # characters of a caption that are read for an entry
FACTS = ("pk", "scheduled_at", "status", "words", "link", "files")


@dataclass(frozen=True, slots=True)
class Entry:
    """One post in its place. at: when it is or was due, in the zone of whoever looks."""

    pk: UUID
    at: datetime
    status: str
    words: str
    files: str = ""  # "waiting" for files named by address, "missing" where they could not be had
    platforms: tuple[str, ...] = ()
    media: MediaFile | None = None

    @property
    def is_movable(self) -> bool:
        return self.status in MOVABLE

    @property
    def half(self) -> str:
        """The name of the time where the clocks show it twice on that day, such as CEST; else ""."""
        twice = len(local_instants(self.at.date(), self.at.time(), ZoneInfo(str(self.at.tzinfo)))) > 1
        return (self.at.tzname() or "") if twice else ""


@dataclass(slots=True)
class Slot:
    """A day or an hour: how many posts of each status, and the first of them."""

    counts: Counter[str] = field(default_factory=Counter)
    entries: list[Entry] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.counts.total()

    @property
    def more(self) -> int:
        return self.total - len(self.entries)

    @property
    def marks(self) -> list[str]:
        """The statuses in it, those first that somebody should look at."""
        return sorted(self.counts, key=MARKS.index)

    @property
    def troubled(self) -> int:
        return sum(number for status, number in self.counts.items() if status in TROUBLE)


class SlotNumber(Func):
    """Between which of the edges an instant lies; the first slot is 1."""

    function = "width_bucket"
    output_field = IntegerField()

    def __init__(self, edges: Sequence[datetime]) -> None:
        super().__init__(F("scheduled_at"), Value(list(edges), output_field=ArrayField(DateTimeField())))


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day (UTC); where the clocks skip midnight, that is not midnight."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def days_from(first: date, number: int) -> list[date]:
    return [first + timedelta(days=step) for step in range(number)]


def week_of(day: date, first_weekday: int) -> list[date]:
    """The seven days around a day. first_weekday: as Django's formats have it, 0 is Sunday."""
    back = (day.isoweekday() - first_weekday) % 7
    return days_from(day - timedelta(days=back), 7)


def month_of(day: date, first_weekday: int) -> list[list[date]]:
    """The weeks that hold the days of a month."""
    first = day.replace(day=1)
    last = next_month(first) - timedelta(days=1)
    start, end = week_of(first, first_weekday)[0], week_of(last, first_weekday)[-1]
    days = days_from(start, (end - start).days + 1)
    return [days[number : number + 7] for number in range(0, len(days), 7)]


def next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_before(day: date) -> date:
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def hour_edges(days: Iterable[date], zone: ZoneInfo) -> list[tuple[datetime, date, int]]:
    """When each hour of each day begins, in order. An hour that comes twice has two beginnings, one left out has none."""
    edges = []
    for day in days:
        for hour in range(24):
            # Where clocks are moved by half an hour, an hour may begin in its middle.
            starts = local_instants(day, time(hour), zone) or local_instants(day, time(hour, 30), zone)
            edges += [(start, day, hour) for start in starts]
    return sorted(edges)


def within(posts: QuerySet[Post], start: datetime, end: datetime) -> QuerySet[Post]:
    return posts.filter(scheduled_at__gte=start, scheduled_at__lt=end)


def counted(posts: QuerySet[Post], edges: Sequence[datetime], end: datetime) -> list[Counter[str]]:
    """How many posts of each status stand in each slot; a slot lasts until the next edge, the last one until `end`."""
    counters: list[Counter[str]] = [Counter() for _edge in edges]
    rows = (
        within(posts, edges[0], end)
        .order_by()
        .annotate(slot=SlotNumber(edges))
        .values_list("slot", "status")
        .annotate(number=Count("pk"))
    )
    for slot, status, number in rows:
        counters[slot - 1][status] = number
    return counters


def first_of_each(
    posts: QuerySet[Post],
    edges: Sequence[datetime],
    end: datetime,
    zone: ZoneInfo,
    *,
    each: int,
    most: int,
    wide: tuple[int, int] | None = None,
) -> list[list[Entry]]:
    """The first `each` entries of every slot, `most` in all; wide: a slot (by its index) that may have another number.

    Where `most` does not suffice, every slot keeps its first before any gets a second.
    """
    limit = Case(When(slot=wide[0] + 1, then=wide[1]), default=each) if wide else Value(each)
    ranked: QuerySet[Any] = (
        within(posts, edges[0], end)
        .annotate(
            slot=SlotNumber(edges),
            limit=limit,
            place=Window(RowNumber(), partition_by=[F("slot")], order_by=["scheduled_at", "pk"]),
        )
        .filter(place__lte=F("limit"))
        .order_by("place", "scheduled_at", "pk")
    )
    slots: list[list[Entry]] = [[] for _edge in edges]
    for slot, *row in with_words(ranked).values_list("slot", *FACTS)[:most]:
        slots[slot - 1].append(entry_of(zone, *row))
    return slots


def page_of_day(
    posts: QuerySet[Post], day: date, zone: ZoneInfo, number: int, after: tuple[datetime, UUID] | None = None
) -> tuple[list[Entry], bool]:
    """So many entries of a day, behind the one given by its moment and id; and whether there are more."""
    wanted = within(posts, start_of(day, zone), start_of(day + timedelta(days=1), zone))
    if after is not None:
        moment, pk = after
        wanted = wanted.filter(scheduled_at__gte=moment).exclude(scheduled_at=moment, pk__lte=pk)
    rows = with_words(wanted.order_by("scheduled_at", "pk")).values_list(*FACTS)
    entries = [entry_of(zone, *row) for row in rows[: number + 1]]
    return entries[:number], len(entries) > number


def with_words(posts: QuerySet[Post]) -> QuerySet[Any]:
    files = Case(
        When(assembly__failed_at__isnull=False, then=Value("missing")),
        When(assembly__isnull=False, then=Value("waiting")),
        default=Value(""),
    )
    return posts.annotate(words=Left("caption", WORDS), files=files)


def entry_of(zone: ZoneInfo, pk: UUID, at: datetime, status: str, words: str, link: str, files: str) -> Entry:
    return Entry(pk, at.astimezone(zone), status, " ".join(words.split()) or link, files)


def platforms_of(posts: Collection[UUID]) -> dict[UUID, tuple[str, ...]]:
    """The networks of each post, in their usual order."""
    rows = (
        Publication.objects.filter(post__in=posts)
        .order_by()
        .values_list("post")
        .annotate(platforms=ArrayAgg("account__platform", distinct=True, order_by="account__platform"))
    )
    return {post: tuple(platforms) for post, platforms in rows}


def pictures_of(posts: Collection[UUID]) -> dict[UUID, MediaFile]:
    """The first picture, video or document of each post."""
    rows = (
        PostMedia.objects.filter(post__in=posts).order_by("post", "position").distinct("post").select_related("media")
    )
    return {row.post_id: row.media for row in rows}
