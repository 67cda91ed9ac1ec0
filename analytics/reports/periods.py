"""The spans of time that figures are shown for, and the span before each, which they are measured against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """key: as it stands in addresses (?period=7d). Hours are whole hours in UTC, days whole days of each network."""

    key: str
    word: Any
    before_word: Any  # what it is measured against
    length: timedelta

    @property
    def is_hourly(self) -> bool:
        return self.length <= DAY

    @property
    def steps(self) -> int:
        """How many hours, or days, it has."""
        return self.length // (HOUR if self.is_hourly else DAY)


PERIODS = (
    Period("1h", _("Last hour"), _("the hour before"), HOUR),
    Period("24h", _("Last 24 hours"), _("the 24 hours before"), DAY),
    Period("7d", _("7 days"), _("the 7 days before"), 7 * DAY),
    Period("30d", _("30 days"), _("the 30 days before"), 30 * DAY),
    Period("90d", _("90 days"), _("the 90 days before"), 90 * DAY),
)
BY_KEY = {period.key: period for period in PERIODS}
USUAL = BY_KEY["30d"]


def period_of(text: str) -> Period:
    """What an address asks for; whatever is none is the usual one."""
    return BY_KEY.get(text, USUAL)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to just before `end`."""

    start: datetime
    end: datetime

    @property
    def before(self) -> Span:
        """The span of the same length that ends where this begins."""
        return Span(self.start - (self.end - self.start), self.start)
