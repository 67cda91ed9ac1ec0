"""The days of the networks: they begin at midnight in a zone of theirs, and have 23 or 25 hours when its clocks change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def day_start(at: datetime, zone: str) -> datetime:
    """When the day began that `at` belongs to, in UTC."""
    return _midnight(at.astimezone(ZoneInfo(zone)).date(), zone)


def day_end(start: datetime, zone: str) -> datetime:
    """When the day ends that begins at `start`."""
    return days_after(start, 1, zone)


def days_after(start: datetime, number: int, zone: str) -> datetime:
    """The start of the day so many days later, or earlier."""
    return _midnight(start.astimezone(ZoneInfo(zone)).date() + timedelta(days=number), zone)


def days_between(first: datetime, end: datetime, zone: str) -> Iterator[datetime]:
    """The starts of all days from that of `first` to the last one that begins before `end`."""
    start = day_start(first, zone)
    while start < end:
        yield start
        start = day_end(start, zone)


def date_of(start: datetime, zone: str) -> date:
    """What the day is called there."""
    return start.astimezone(ZoneInfo(zone)).date()


def _midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
