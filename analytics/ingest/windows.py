"""A reading of an account → its hour and day windows.

What happened in an hour is the difference of two readings of the network's day. Over its midnight the day before is
read again: what is missing of it belongs to the last hour before midnight. What a network reports later than that can
belong to no hour, and is kept with the day as `unplaced`, so that hours and `unplaced` together are always the day.

Whoever writes windows of an account holds its row of AccountSync, so that of two workers none writes over the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from accounts.models import ConnectedAccount
from analytics.days import day_end, day_start
from analytics.models import InsightWindow
from socialhub.platforms.base import DayFigures
from socialhub.platforms.measures import MEASURES

HOUR = timedelta(hours=1)
Numbers = dict[str, Any]

WRITTEN = ["metrics", "so_far", "derived", "sources", "raw", "is_whole", "fetched_at"]


def hour_start(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Zone:
    """How a network counts its days. tells_today: also the one going on, so that its hours can be told."""

    name: str
    tells_today: bool


@dataclass(slots=True)
class _Book:
    """The windows of one account that a reading may touch, as they are and as they become."""

    account: ConnectedAccount
    hours: list[InsightWindow] = field(default_factory=list)  # ascending
    days: dict[datetime, InsightWindow] = field(default_factory=dict)
    changed: dict[tuple[str, datetime], InsightWindow] = field(default_factory=dict)

    def change(self, window: InsightWindow) -> None:
        self.changed[window.period, window.window_start] = window

    def hour(self, start: datetime) -> InsightWindow | None:
        return next((window for window in self.hours if window.window_start == start), None)

    def before(self, start: datetime) -> list[InsightWindow]:
        """Newest first."""
        return [window for window in reversed(self.hours) if window.window_start < start]

    def read_in(self, start: datetime, end: datetime) -> list[InsightWindow]:
        return [window for window in self.hours if start <= window.fetched_at < end]


def write(
    account: ConnectedAccount,
    zone: Zone,
    *,
    at: datetime,
    levels: Mapping[str, int | float],
    days: Iterable[DayFigures],
) -> None:
    """levels: what stands at `at`, the moment of reading; days: what was told of days, the one going on among them.

    Two statements. The caller holds the account's row of AccountSync.
    """
    told = {day_start(day.start, zone.name): day for day in days}
    book = _load(account, zone, at, told)
    today = day_start(at, zone.name)
    for start, figures in sorted(told.items()):
        _put_day(book, zone, start, figures, at, is_over=figures.is_whole and start < today)
    so_far = told.get(today) if zone.tells_today else None
    if levels or (so_far and so_far.metrics):
        _put_hour(book, zone, at, levels, so_far)
    if zone.tells_today:
        for start in told:
            _leave_rest(book, zone, start)
    rows = [window for _key, window in sorted(book.changed.items())]
    for row in rows:
        row.pk = None  # rows with and without one would be two statements
    InsightWindow.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["account", "period", "window_start"],
        update_fields=WRITTEN,
    )


def _load(account: ConnectedAccount, zone: Zone, at: datetime, starts: Collection[datetime]) -> _Book:
    """The days that were told, the hours of those days, and the reading before this one, in one statement."""
    hours = InsightWindow.objects.filter(account=account, period=InsightWindow.Period.HOUR)
    since = min(starts, default=at) if zone.tells_today else at
    before = hours.filter(window_start__lt=hour_start(at)).order_by("-window_start").values("window_start")[:1]
    wanted = Q(period=InsightWindow.Period.HOUR) & (
        Q(window_start__gte=min(hour_start(since), hour_start(at))) | Q(window_start=before)
    )
    if starts:
        wanted |= Q(period=InsightWindow.Period.DAY, window_start__in=list(starts))
    book = _Book(account)
    for window in InsightWindow.objects.filter(wanted, account=account).order_by("window_start"):
        if window.period == InsightWindow.Period.DAY:
            book.days[window.window_start] = window
        else:
            book.hours.append(window)
    return book


def _put_day(book: _Book, zone: Zone, start: datetime, figures: DayFigures, at: datetime, *, is_over: bool) -> None:
    """Newer figures replace older ones; one that is missing this time keeps its last value."""
    window = book.days.get(start)
    if window is None:
        if not figures.metrics:
            return
        window = InsightWindow(
            account=book.account,
            period=InsightWindow.Period.DAY,
            window_start=start,
            is_whole=is_over,
            fetched_at=at,
        )
        book.days[start] = window
    elif window.fetched_at > at:
        return  # another worker has read it later
    window.metrics = {**window.metrics, **figures.metrics}
    window.sources = {**window.sources, **figures.sources}
    window.raw = dict(figures.raw)
    window.fetched_at = at
    if is_over and not window.is_whole:
        window.is_whole = True
        _close(book, zone, window)
    book.change(window)


def _close(book: _Book, zone: Zone, day: InsightWindow) -> None:
    """A day is read for the first time since it ended: what its last hour did not see yet belongs to that hour."""
    end = day_end(day.window_start, zone.name)
    last = next((hour for hour in reversed(book.read_in(day.window_start, end)) if hour.so_far), None)
    if last is None or "span_minutes" not in last.derived:
        return
    rest = {
        name: _minus(day.metrics[name], last.so_far[name])
        for name in _of_one_measure(day, last, last.so_far.keys() & day.metrics.keys() & last.derived.keys())
    }
    if not rest:
        return
    derived = dict(last.derived)
    for name, number in rest.items():
        derived[name] = _plus(derived[name], number)
    minutes = derived["span_minutes"]
    if derived.keys() & last.metrics.keys():
        derived.setdefault("level_minutes", minutes)
    derived["span_minutes"] = minutes + _minutes(end - last.fetched_at)
    last.derived = derived
    book.change(last)


def _put_hour(
    book: _Book, zone: Zone, at: datetime, levels: Mapping[str, int | float], today: DayFigures | None
) -> None:
    start = hour_start(at)
    window = book.hour(start)
    if window is None:
        window = InsightWindow(
            account=book.account, period=InsightWindow.Period.HOUR, window_start=start, fetched_at=at
        )
        book.hours = sorted([*book.hours, window], key=lambda one: one.window_start)
    elif window.fetched_at > at:
        return
    window.metrics = {**window.metrics, **levels}
    if today is not None:
        window.so_far = {**window.so_far, **today.metrics}
        window.sources = {**window.sources, **today.sources}
    window.fetched_at = at
    window.derived = _derived(book, zone, window)
    book.change(window)
    # Only a clock that was put back leaves windows that are later than this one.
    if later := [one for one in book.hours if one.window_start > start]:
        later[0].derived = _derived(book, zone, later[0])
        book.change(later[0])


def _derived(book: _Book, zone: Zone, window: InsightWindow) -> Numbers:
    """What changed since the reading before, and over how many minutes: hours may be missing in between."""
    before = book.before(window.window_start)
    changes, level_minutes = _of_levels(book, window, before)
    flows, minutes = _of_flows(zone, window, before)
    if not changes and not flows:
        return {}
    derived: Numbers = {
        **dict(sorted({**changes, **flows}.items())),
        "span_minutes": minutes if flows else level_minutes,
    }
    if flows and changes and level_minutes != minutes:
        derived["level_minutes"] = level_minutes
    return derived


def _of_levels(book: _Book, window: InsightWindow, before: Sequence[InsightWindow]) -> tuple[Numbers, int]:
    """Each against the newest reading that had it, so that no change is lost; the minutes are the longest of them."""
    changes: Numbers = {}
    minutes = 0
    for name in window.metrics:
        if name in window.so_far or not _can_be_subtracted(name):
            continue
        if (base := _newest_with(book, name, window, before)) is not None:
            changes[name] = _minus(window.metrics[name], base.metrics[name])
            minutes = max(minutes, _minutes(window.fetched_at - base.fetched_at))
    return changes, minutes


def _newest_with(
    book: _Book, name: str, window: InsightWindow, before: Sequence[InsightWindow]
) -> InsightWindow | None:
    for older in before:
        if name in older.metrics:
            return older
    if not before:
        return None
    return (
        InsightWindow.objects.filter(
            account=book.account,
            period=InsightWindow.Period.HOUR,
            window_start__lt=before[-1].window_start,
            metrics__has_key=name,
        )
        .order_by("-window_start")
        .first()
    )


def _of_flows(zone: Zone, window: InsightWindow, before: Sequence[InsightWindow]) -> tuple[Numbers, int]:
    """What happened since the reading before that was told of this day; without one, since the network's midnight.

    A name that the reading before lacks cannot be told for this hour, and is left to the day.
    """
    midnight = day_start(window.fetched_at, zone.name)
    names = [name for name in window.so_far if _can_be_subtracted(name)]
    base = next((older for older in before if older.so_far and older.fetched_at >= midnight), None)
    if base is None:
        return {name: window.so_far[name] for name in names}, _minutes(window.fetched_at - midnight)
    both = _of_one_measure(window, base, [name for name in names if name in base.so_far])
    changes = {name: _minus(window.so_far[name], base.so_far[name]) for name in both}
    return changes, _minutes(window.fetched_at - base.fetched_at)


def _leave_rest(book: _Book, zone: Zone, start: datetime) -> None:
    """What belongs to the day and to none of its hours."""
    day = book.days.get(start)
    if day is None:
        return
    hours = book.read_in(start, day_end(start, zone.name))
    unplaced: Numbers = {}
    for name, number in sorted(day.metrics.items()):
        if not hours or not _can_be_subtracted(name) or (name in MEASURES and MEASURES[name].is_level):
            continue
        if any(name not in set(_of_one_measure(day, hour, [name])) for hour in hours):
            continue  # the measure has changed on that day: its hours and its sum are not of one kind
        rest = number
        for hour in hours:
            rest = _minus(rest, hour.derived.get(name, 0))
        if rest:
            unplaced[name] = rest
    derived = {"unplaced": unplaced} if unplaced else {}
    if derived != day.derived:
        day.derived = derived
        book.change(day)


def _of_one_measure(one: InsightWindow, other: InsightWindow, names: Iterable[str]) -> Iterator[str]:
    """Of these names those behind which both have the same metric of the network."""
    for name in names:
        mine, theirs = one.sources.get(name), other.sources.get(name)
        if mine is None or theirs is None or mine == theirs:
            yield name


def _can_be_subtracted(name: str) -> bool:
    return name not in MEASURES or not MEASURES[name].is_average


def _minutes(span: timedelta) -> int:
    return round(span.total_seconds() / 60)


def _minus(one: float, other: float) -> int | float:
    return _tidied(one - other)


def _plus(one: float, other: float) -> int | float:
    return _tidied(one + other)


def _tidied(number: float) -> int | float:
    """Sums of fractions drift in their last digits."""
    return number if isinstance(number, int) else round(number, 6)
