"""Windows of accounts as they were read, and what a span of them comes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ConnectedAccount
from analytics.api.schemas import Coverage, WindowFigures
from analytics.cadence import hour_start
from analytics.days import day_end, day_start, days_after
from analytics.models import InsightWindow
from analytics.reports.periods import HOUR
from analytics.reports.series import Sort, load, sort_of
from socialhub.platforms import PLATFORMS
from socialhub.platforms.measures import MEASURES, Measure

Period = InsightWindow.Period


@dataclass(frozen=True, slots=True)
class Span:
    """The windows that are asked for: so many last hours, or whole days and today."""

    period: str
    number: int

    def first_of(self, account: ConnectedAccount, now: datetime) -> datetime:
        if self.period == Period.HOUR:
            return hour_start(now) - (self.number - 1) * HOUR
        zone = zone_of(account)
        return days_after(day_start(now, zone), -self.number, zone)


@dataclass(slots=True)
class Column:
    """One figure in all windows. sources, latest: by account; which of the network's names it came from, the last level."""

    values: list[float] = field(default_factory=list)
    sources: dict[UUID, set[str]] = field(default_factory=lambda: defaultdict(set))
    latest: dict[UUID, float] = field(default_factory=dict)


def zone_of(account: ConnectedAccount) -> str:
    return str(PLATFORMS[account.platform].day_zone)


def windows_of(accounts: Sequence[ConnectedAccount], span: Span) -> list[tuple[WindowFigures, Mapping[str, str]]]:
    """Each with the names that its figures came from, the oldest first. One query."""
    now = timezone.now()
    known = {account.pk: account for account in accounts}
    first = {account.pk: span.first_of(account, now) for account in accounts}
    rows = InsightWindow.objects.filter(
        account__in=known, period=span.period, window_start__gte=min(first.values(), default=now)
    ).defer("raw")
    return [
        (told(row, known[row.account_id]), row.sources)
        for row in rows.order_by("window_start", "account_id")
        if row.window_start >= first[row.account_id]
    ]


def told(row: InsightWindow, account: ConnectedAccount) -> WindowFigures:
    is_hour = row.period == Period.HOUR
    metrics, minutes = dict(row.metrics), row.derived.get("span_minutes") if is_hour else None
    if is_hour:  # what happened in it is the difference to the reading before
        metrics |= {key: value for key, value in row.derived.items() if key in MEASURES and happens(MEASURES[key])}
    return WindowFigures(
        window_start=row.window_start,
        window_end=row.window_start + HOUR if is_hour else day_end(row.window_start, zone_of(account)),
        account_id=row.account_id,
        is_whole=row.is_whole,
        span_minutes=minutes,
        metrics={key: value for key, value in metrics.items() if key in MEASURES and is_number(value)},
        fetched_at=row.fetched_at,
    )


def happens(measure: Measure) -> bool:
    """In an hour, so that the difference of two readings says how much: not levels, people or averages."""
    return not (measure.is_level or measure.counts_people or measure.is_average)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Summary:
    aggregates: dict[str, float | int | None]
    coverage: dict[str, Coverage]
    missing: dict[str, str]


def summary_of(
    windows: Iterable[tuple[WindowFigures, Mapping[str, str]]], accounts: Sequence[ConnectedAccount], span: Span
) -> Summary:
    """Sums of what can be added up. People are not, over days or accounts; nor is what changed its meaning in between."""
    columns: dict[str, Column] = defaultdict(Column)
    for window, sources in windows:
        for key, value in window.metrics.items():
            column, measure = columns[key], MEASURES[key]
            if measure.is_level:
                column.latest[window.account_id] = value
            elif not window.is_whole:
                continue
            column.values.append(value)
            column.sources[window.account_id].add(sources.get(key, ""))
    found = Summary({}, {}, {})
    for key, measure in MEASURES.items():
        if key in columns:
            name = f"{PREFIX[sort_of(measure)]}_{key}"
            whole, why = aggregate(measure, columns[key], len(accounts))
            found.aggregates[name] = whole
            found.coverage[name] = Coverage(known=len(columns[key].values), of=span.number * len(accounts))
            if whole is None:
                found.missing[name] = why
    if len(accounts) == 1:
        found.missing.update(never_told(accounts[0], columns, span))
    return found


PREFIX = {Sort.SUM: "sum", Sort.AVERAGE: "average", Sort.LEVEL: "latest"}


def aggregate(measure: Measure, column: Column, accounts: int) -> tuple[float | int | None, str]:
    """None: and why."""
    sort = sort_of(measure)
    if sort is Sort.LEVEL:
        return sum(column.latest.values()), ""
    if not column.values:
        return None, _("Only of the day that is going on, so there is no sum of whole ones.")
    if any(len(names) > 1 for names in column.sources.values()):
        return None, _("The network has changed what it counts within this span, so there is no sum over it.")
    if sort is Sort.SUM:
        return sum(column.values), ""
    if accounts > 1:
        return None, _("Of several accounts there is no average: ask for one by its accountId.")
    return sum(column.values) / len(column.values), ""


def never_told(account: ConnectedAccount, columns: Mapping[str, Column], span: Span) -> dict[str, str]:
    """What this network tells of accounts in principle, and of this one did not in this span."""
    series = load(account)
    return {
        key: series.why(measure, is_hourly=span.period == Period.HOUR)
        for key, measure in MEASURES.items()
        if key in series.names and key not in columns
    }
