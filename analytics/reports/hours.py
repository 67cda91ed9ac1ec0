"""At which hours posts do well: weekday by hour in the reader's zone, against what each account usually gets.

A rate is laid beside the average of its own account and kind (of reach, of views), so that an account which always does
well does not lend its hours to the others. 1.5 is half as much again as usual.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from functools import lru_cache

from django.db.models import Count, Sum, TextField
from django.db.models.functions import Cast, ExtractHour, ExtractIsoWeekDay
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import ConnectedAccount, Workspace
from analytics.filters import RATE, span_of
from analytics.reports.periods import BY_KEY, Span
from analytics.reports.posts import LEAST_SEEN, accounts_of, rated_posts

LEAST_POSTS = 20  # with fewer in all, an hour is chance
LEAST_IN_CELL = 3  # an hour is named a good one from so many on
USUAL_POSTS = 2  # so many usual ones are added when hours are ranked, so that one lucky post does not win
A_MONDAY = date(2024, 1, 1)
LEVELS = (0.5, 0.75, 0.9, 1.1, 1.35, 1.75)  # the steps of the colours, in times of what is usual
USUAL_SPAN = BY_KEY["90d"]


@dataclass(frozen=True, slots=True)
class Cell:
    """weekday: 1 is Monday, 0 all of them; hour: -1 all of them. times: how often the usual; None without posts."""

    weekday: int
    hour: int
    posts: int
    times: float | None

    @property
    def level(self) -> int | None:
        """The colour, 0 (least) to 6."""
        return None if self.times is None else sum(self.times >= step for step in LEVELS)

    @property
    def is_few(self) -> bool:
        return 0 < self.posts < LEAST_IN_CELL

    @property
    def score(self) -> float:
        return ((self.times or 0) * self.posts + USUAL_POSTS) / (self.posts + USUAL_POSTS)

    @property
    def words(self) -> str:
        """ "Sunday, 18:00" """
        if self.hour < 0:
            return weekday_word(self.weekday)
        clock = f"{self.hour:02d}:00–{(self.hour + 1) % 24:02d}:00"
        return f"{weekday_word(self.weekday)}, {clock}" if self.weekday else clock


@dataclass(frozen=True, slots=True)
class Row:
    weekday: int
    word: str
    short: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class BestHours:
    """rows: Monday to Sunday. best: the hours that stand out, the best first; may be those of all weekdays together.

    reason: why nothing is told.
    """

    rows: list[Row]
    best: list[Cell]
    posts: int
    accounts: int
    span: Span
    zone: str
    reason: str = ""

    hours = range(24)


def best_hours(
    workspace: Workspace,
    account: ConnectedAccount | None = None,
    span: Span | None = None,
    *,
    zone: tzinfo | None = None,
) -> BestHours:
    """Of the posts of a span, 90 days unless said otherwise. One query, two without an account."""
    span, zone = span or span_of(USUAL_SPAN), zone or timezone.get_current_timezone()
    found = list(
        rated_posts(accounts_of(workspace, account), span)
        .order_by()
        .annotate(weekday=ExtractIsoWeekDay("posted_at", tzinfo=zone), hour=ExtractHour("posted_at", tzinfo=zone))
        .annotate(owner=Cast("account_id", TextField()))  # thousands of UUIDs are dear as keys
        .values_list("owner", "rate_of", "weekday", "hour")
        .annotate(posts=Count("pk"), rates=Sum(RATE))
    )
    posts = sum(number for *_slot, number, _rates in found)
    told = BestHours(
        rows=[],
        best=[],
        posts=posts,
        accounts=len({owner for owner, *_slot in found}),
        span=span,
        zone=str(zone),
    )
    if posts < LEAST_POSTS:
        return _refused(told)
    cells = Weighed(found)
    rows = [
        Row(weekday, weekday_word(weekday), weekday_word(weekday, "D"), [cells.at(weekday, hour) for hour in range(24)])
        for weekday in range(1, 8)
    ]
    return BestHours(rows, _best(cells, rows), posts, told.accounts, span, told.zone)


def _refused(told: BestHours) -> BestHours:
    reason = _(
        "Good hours show from %(least)d posts on whose engagement rate is known; in this span there are %(posts)d. Posts "
        "count when they are a day old and were seen %(seen)d times; stories do not."
    ) % {"least": LEAST_POSTS, "posts": told.posts, "seen": LEAST_SEEN}
    return BestHours([], [], told.posts, told.accounts, told.span, told.zone, reason)


class Weighed:
    """The sums of the database as cells, each weighed by what is usual on its account."""

    def __init__(self, found: Collection[tuple[str, str, int, int, int, float]]) -> None:
        usual: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0, 0])
        for owner, rate_of, _weekday, _hour, posts, rates in found:
            total = usual[owner, rate_of]
            total[0] += rates
            total[1] += posts
        # Where nobody ever did anything on an account, no hour is better than another.
        weights = {key: posts / rates for key, (rates, posts) in usual.items() if rates}
        self.sums: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0, 0])
        for owner, rate_of, weekday, hour, number, rates in found:
            weight = weights.get((owner, rate_of))
            if weight is not None:
                total = self.sums[weekday, hour]
                total[0] += rates * weight
                total[1] += number
        for (weekday, hour), (times, counted) in list(self.sums.items()):
            for slot in ((weekday, -1), (0, hour), (0, -1)):
                total = self.sums[slot]
                total[0] += times
                total[1] += counted

    def at(self, weekday: int, hour: int) -> Cell:
        times, posts = self.sums.get((weekday, hour), (0, 0))
        return Cell(weekday, hour, int(posts), times / posts if posts else None)


def _best(cells: Weighed, rows: list[Row], limit: int = 3) -> list[Cell]:
    """Hours of weekdays where enough posts stand behind them; else hours of all weekdays, and the best weekday."""
    groups = [
        [cell for row in rows for cell in row.cells],
        [*(cells.at(0, hour) for hour in range(24)), *(cells.at(weekday, -1) for weekday in range(1, 8))],
    ]
    for group in groups:
        good = [cell for cell in group if cell.posts >= LEAST_IN_CELL and cell.level is not None and cell.level > 3]
        if good:
            return sorted(good, key=lambda cell: (-cell.score, cell.weekday, cell.hour))[:limit]
    return []


def weekday_word(weekday: int, form: str = "l") -> str:
    return _weekday_word(weekday, form, get_language())


@lru_cache(maxsize=200)
def _weekday_word(weekday: int, form: str, _language: str | None) -> str:
    return date_format(A_MONDAY + timedelta(days=weekday - 1), form)
