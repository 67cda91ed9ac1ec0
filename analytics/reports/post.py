"""The page of one platform post: what it has, how it got there, and how it did on the other networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Avg, Count
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.filters import FIGURES, RATE, WORDS
from analytics.models import PlatformPost, PostDay, PostSnapshot
from analytics.reports.charts import Break, Chart, Line
from analytics.reports.periods import HOUR, PERIODS, Period, Span
from analytics.reports.posts import Figure, Listed, as_listed, figure_of, rated_posts, shown
from analytics.reports.series import COMPARABLE
from analytics.reports.tables import Column, Kind, Table
from socialhub.platforms import LABELS
from socialhub.platforms.measures import MEASURES, Measure

FIRST_DAYS = timedelta(days=3)  # so long the readings themselves are drawn, afterwards what each day ended with
MARKS = {
    "1h": (timedelta(hours=1), gettext_lazy("1 hour")),
    "6h": (timedelta(hours=6), gettext_lazy("6 hours")),
    "24h": (timedelta(hours=24), gettext_lazy("24 hours")),
    "3d": (timedelta(days=3), gettext_lazy("3 days")),
    "7d": (timedelta(days=7), gettext_lazy("7 days")),
    "28d": (timedelta(days=28), gettext_lazy("28 days")),
}
SEEN = ("views", "impressions", "reach")
DONE = ("likes", "comments", "shares", "saves", "clicks")
PARTS = ("likes", "comments", "shares", "saves")  # of engagements
NEAR = 4  # a reading stands for a moment if it is not further from it than this part of the span
FEW = 5  # of so many posts an average says something
USUAL_SPAN = timedelta(days=90)
LONGEST_DAY = 36 * 60  # minutes; what covers more is no figure of one day


@dataclass(frozen=True, slots=True)
class Extra:
    """A further figure that only this network tells."""

    word: Any
    value: float
    unit: str
    meaning: Any


@dataclass(frozen=True, slots=True)
class Mark:
    """The figures at one age. reason: why there are none."""

    word: Any
    at: datetime | None
    values: list[int | None]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Gain:
    """What a span has added, and the span before it; reason, before_reason: why it cannot be told."""

    period: Period
    figures: list[GainFigure]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GainFigure:
    name: str
    word: Any
    value: int | None
    before: int | None

    @property
    def change(self) -> int | None:
        return None if self.value is None or self.before is None else self.value - self.before


@dataclass(frozen=True, slots=True)
class Usual:
    """What posts of this account usually get. times: how often more this one got."""

    rate: float
    posts: int
    times: float


@dataclass(frozen=True, slots=True)
class Reading:
    at: datetime
    series: int
    values: dict[str, int | None]


@dataclass(frozen=True, slots=True)
class PostFigures:
    row: Listed
    figures: list[Figure]
    untold: list[Figure]  # those without a value, each with its reason
    rate_sum: str
    extra: list[Extra]
    mark_words: list[Any]
    marks: list[Mark]
    gains: list[Gain]
    charts: list[Chart]
    others: list[Listed]  # the same post on every network, this one among them; empty if it stands on one
    other_names: list[str]  # the figures that any of them has
    usual: Usual | None

    @property
    def is_old(self) -> bool:
        """So old that its figures are not read any more."""
        return self.row.post.gone_at is None and timezone.now() - self.row.post.posted_at > MARKS["28d"][0]


def figures_of(row: Listed) -> PostFigures:
    """Everything that the page tells. Four queries."""
    post = row.post
    snapshots = list(PostSnapshot.objects.filter(platform_post=post).order_by("fetched_at"))
    readings = [Reading(one.fetched_at, one.series, _values(one)) for one in snapshots]
    days = list(PostDay.objects.filter(platform_post=post).order_by("day"))
    ends = [Reading(one.fetched_at, one.series, _values(one)) for one in days]
    known = sorted({one.at: one for one in [*ends, *readings]}.values(), key=lambda one: one.at)
    told = [name for name in FIGURES if any(one.values[name] is not None for one in known)]
    figures, others = [figure_of(post, name) for name in FIGURES], others_of(post)
    return PostFigures(
        row=row,
        figures=[one for one in figures if one.value is not None],
        untold=[one for one in figures if one.value is None],
        rate_sum=rate_sum(post),
        extra=extra_of(post),
        mark_words=[WORDS[name] for name in told],
        marks=marks_of(post, {one.mark: one for one in snapshots if one.mark}, told) if told else [],
        gains=gains_of(post, known),
        charts=charts_of(post, readings, days),
        others=others,
        other_names=[name for name in FIGURES if any(getattr(one.post, name) is not None for one in others)],
        usual=usual_of(post),
    )


def rate_sum(post: PlatformPost) -> str:
    """How the rate came about, with the numbers; "" where there is none."""
    if post.engagement_rate is None or not post.rate_of or post.engagements is None:
        return ""
    parts = [f"{WORDS[name]} {intcomma(value)}" for name in PARTS if (value := getattr(post, name)) is not None]
    return _("%(parts)s = %(engagements)s engagements, divided by %(base)s (%(word)s)") % {
        "parts": " + ".join(parts),
        "engagements": intcomma(post.engagements),
        "base": intcomma(getattr(post, post.rate_of, None) or 0),
        "word": WORDS[post.rate_of],
    }


def extra_of(post: PlatformPost) -> list[Extra]:
    found = []
    for key, value in post.extra.items():
        measure: Measure | None = MEASURES.get(key)
        if measure is not None and isinstance(value, int | float):
            found.append(Extra(word_of_extra(post, measure), value, measure.unit, measure.meaning))
    return found


def word_of_extra(post: PlatformPost, measure: Measure) -> Any:
    """What we add up ourselves stands on the page as well, and is another number than the network's own."""
    if measure.key not in FIGURES:
        return measure.word
    label = LABELS.get(post.account.platform, post.account.platform)
    return _("%(measure)s, as %(network)s counts") % {"measure": measure.word, "network": label}


# --- At the ages that can be compared ----------------------------------------------------------------------------


def marks_of(post: PlatformPost, found: dict[str, PostSnapshot], told: Sequence[str]) -> list[Mark]:
    age = timezone.now() - post.posted_at
    marks = []
    for key, (length, word) in MARKS.items():
        if (snapshot := found.get(key)) is not None:
            marks.append(Mark(word, snapshot.fetched_at, [getattr(snapshot, name) for name in told]))
        elif age < length:
            marks.append(Mark(word, None, [], _("not that old yet")))
        else:
            marks.append(Mark(word, None, [], _("not read at that age")))
    return marks


# --- What a span has added ---------------------------------------------------------------------------------------


def gains_of(post: PlatformPost, readings: Sequence[Reading]) -> list[Gain]:
    """From the newest reading back, over the spans that are shorter than the post is old."""
    if not readings:
        return []
    last, gains = readings[-1], []
    told = [name for name in FIGURES if last.values[name] is not None]
    age = last.at - post.posted_at
    for period in PERIODS:
        if age <= period.length:
            break
        if period.length == HOUR and age > FIRST_DAYS:
            continue  # nobody asks the network every hour any more
        if timezone.now() - last.at > max(period.length / 2, timedelta(minutes=90)):
            gains.append(Gain(period, [], _("Not read often enough at this age to tell")))
            continue
        first = _near(readings, last.at - period.length, period.length)
        if first is None:
            gains.append(Gain(period, [], _("There is no reading from the beginning of this span")))
            continue
        if first.series != last.series:
            gains.append(Gain(period, [], _("The network has changed what it counts within this span")))
            continue
        before = _near(readings, first.at - period.length, period.length)
        if before and not _are_as_long(first.at - before.at, last.at - first.at):
            before = None
        gains.append(Gain(period, _differences(told, first, last, before)))
    return gains


def _near(readings: Iterable[Reading], moment: datetime, length: timedelta) -> Reading | None:
    nearest = min(readings, key=lambda one: abs(one.at - moment))
    return nearest if abs(nearest.at - moment) <= length / NEAR else None


def _are_as_long(one: timedelta, other: timedelta) -> bool:
    """Readings come when they come: what 18 hours have added is less than what 30 have, and no fall."""
    return min(one, other) >= COMPARABLE * max(one, other)


def _differences(told: Sequence[str], first: Reading, last: Reading, before: Reading | None) -> list[GainFigure]:
    found = []
    for name in told:
        gained = _difference(first, last, name)
        earlier = _difference(before, first, name) if before and before.series == first.series else None
        found.append(GainFigure(name, WORDS[name], gained, earlier))
    return found


def _difference(first: Reading, last: Reading, name: str) -> int | None:
    start, end = first.values[name], last.values[name]
    return None if start is None or end is None else end - start


# --- Charts -------------------------------------------------------------------------------------------------------


def charts_of(post: PlatformPost, readings: Sequence[Reading], days: Sequence[PostDay]) -> list[Chart]:
    is_young = timezone.now() - post.posted_at <= FIRST_DAYS
    points = list(readings) if is_young else _day_ends(readings, days)
    charts = [
        chart
        for key, title, names in (
            ("seen", _("How often it was seen"), SEEN),
            ("done", _("What people did with it"), DONE),
        )
        if (chart := _growth(key, title, names, points, is_hourly=is_young)) is not None
    ]
    if (gained := _gained(days)) is not None:
        charts.append(gained)
    return charts


def _day_ends(readings: Sequence[Reading], days: Sequence[PostDay]) -> list[Reading]:
    """One for each day in UTC from the first to the last; a day without a reading knows nothing."""
    by_day = {one.at.astimezone(UTC).date(): one for one in readings}
    by_day |= {one.day: Reading(one.fetched_at, one.series, _values(one)) for one in days}
    if not by_day:
        return []
    nothing = dict.fromkeys(FIGURES)
    found = []
    for on in _each_day(min(by_day), max(by_day)):
        one = by_day.get(on)
        found.append(Reading(_midnight(on), one.series if one else -1, one.values if one else nothing))
    return found


def _values(row: PostDay | PostSnapshot) -> dict[str, int | None]:
    return {name: getattr(row, name) for name in FIGURES}


def _each_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _midnight(on: date) -> datetime:
    return datetime.combine(on, time.min, tzinfo=UTC)


def _growth(key: str, title: str, names: Sequence[str], points: Sequence[Reading], *, is_hourly: bool) -> Chart | None:
    told = [name for name in names if any(one.values[name] is not None for one in points)]
    if not told or len(points) < 2:
        return None
    when = Column("at", _("Read at"), Kind.TIME) if is_hourly else Column("day", _("Day (UTC)"), Kind.DAY)
    columns = (when, *(Column(name, WORDS[name], Kind.NUMBER, MEASURES[name].meaning) for name in told))
    rows = [(one.at if is_hourly else one.at.date(), *(one.values[name] for name in told)) for one in points]
    return Chart(
        key=key,
        title=title,
        times=[one.at for one in points],
        lines=[Line(name, WORDS[name], [one.values[name] for one in points]) for name in told],
        table=Table(key, title, columns, rows),
        is_hourly=is_hourly,
        breaks=_breaks(points),
        notes=() if is_hourly else (_("What each day, in UTC, ended with."),),
    )


def _breaks(points: Sequence[Reading]) -> list[Break]:
    known = [one for one in points if one.series >= 0]
    return [
        Break(later.at, _("From here on the network counts something else under the same word."))
        for earlier, later in pairwise(known)
        if earlier.series != later.series
    ]


def _gained(days: Sequence[PostDay]) -> Chart | None:
    """What each day has added, of the figure that says most."""
    told = [name for name in FIGURES if any(day.gained.get(name) is not None for day in days)]
    main = next((name for name in ("views", "impressions", "reach", "engagements", "likes") if name in told), None)
    if main is None or len(days) < 2:
        return None
    by_day = {day.day: day for day in days}
    long = [day for day in days if day.gained.get("span_minutes", 0) > LONGEST_DAY]
    rows: list[tuple[Any, ...]] = []
    for on in _each_day(days[0].day, days[-1].day):
        day = by_day.get(on)
        gained = {} if day is None or day in long else day.gained
        rows.append((on, *(gained.get(name) for name in told)))
    title = _("What each day added: %(figure)s") % {"figure": WORDS[main]}
    columns = (
        Column("day", _("Day (UTC)"), Kind.DAY),
        *(Column(name, WORDS[name], Kind.NUMBER) for name in told),
    )
    return Chart(
        key="gained",
        title=title,
        times=[_midnight(row[0]) for row in rows],
        lines=[Line(main, WORDS[main], [row[1 + told.index(main)] for row in rows], is_bars=True)],
        table=Table("gained", title, columns, rows),
        notes=[_span_note(day) for day in long],
    )


def _span_note(day: PostDay) -> str:
    return _(
        "%(day)s: the readings before it are missing, so what it shows belongs to several days and is left out."
    ) % {"day": date_format(day.day, "j M")}


# --- Beside others ------------------------------------------------------------------------------------------------


def others_of(post: PlatformPost) -> list[Listed]:
    """The same post on every network."""
    if post.publication is None:
        return []
    same = shown(PlatformPost.objects.filter(publication__post=post.publication.post_id))
    rows = [as_listed(one) for one in same.order_by("account__platform", "account__name", "pk")]
    return rows if len(rows) > 1 else []


def usual_of(post: PlatformPost) -> Usual | None:
    """None: the post has no rate, or too few others have one of the same kind."""
    if post.engagement_rate is None:
        return None
    now = timezone.now()
    others = rated_posts([post.account_id], Span(now - USUAL_SPAN, now)).filter(rate_of=post.rate_of)
    told = others.exclude(pk=post.pk).aggregate(usual=Avg(RATE), posts=Count("pk"))
    if told["posts"] < FEW or not told["usual"]:
        return None
    return Usual(told["usual"], told["posts"], post.engagement_rate / told["usual"])
