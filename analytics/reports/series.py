"""The figures of one account in time: days of its network, hours in UTC, and what a span of either comes to.

Nothing is joined, subtracted or compared over a change of what is measured, or over what was never read. Where something
cannot be said, the reason stands in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import ConnectedAccount
from analytics.days import day_end, day_start, days_after, days_between
from analytics.models import InsightWindow, RefusedMetric
from analytics.reports.charts import Break, Chart, Line
from analytics.reports.periods import HOUR, PERIODS, Period
from analytics.reports.tables import Column, Kind, Table
from socialhub.platforms import PLATFORMS
from socialhub.platforms.measures import MEASURES, Measure
from socialhub.platforms.metrics import CATALOGUE
from socialhub.platforms.metrics.types import NetworkMetric, Subject

LONGEST = 2 * PERIODS[-1].steps + 10  # days: the longest span, the one before it, and what networks are late
LONGEST_HOUR = 90  # minutes: more than that is no hour, and is not drawn as one
SLACK = timedelta(minutes=30)  # readings are spread over the hour
COMPARABLE = 0.85  # of a span's days must be known on both sides
UNEVEN = 0.05  # by so much the minutes of two spans may differ without being evened out
OF_ACCOUNTS = (Subject.ACCOUNT, Subject.TOTAL)


class Sort(StrEnum):
    """How the figures of single days become the one of a span."""

    SUM = "sum"
    AVERAGE = "average"  # of the days: people cannot be added up, nor can averages
    LEVEL = "level"  # where it stands, and how far it has come


def sort_of(measure: Measure) -> Sort:
    if measure.is_level:
        return Sort.LEVEL
    return Sort.AVERAGE if measure.counts_people or measure.key.startswith("average_") else Sort.SUM


@dataclass(frozen=True, slots=True)
class Day:
    metrics: Mapping[str, Any]
    sources: Mapping[str, str]
    is_whole: bool
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Hour:
    metrics: Mapping[str, Any]
    derived: Mapping[str, Any]
    sources: Mapping[str, str]
    read_at: datetime

    @property
    def minutes(self) -> int:
        return int(self.derived.get("span_minutes", 0))


@dataclass(frozen=True, slots=True)
class Told:
    """What a span comes to, and how it differs from the one before. None: `why` or `why_not_compared` says the reason.

    change: difference to the span before, of a level how far it has come within this one. rate: the same as a fraction.
    known, of: days or hours. first, last: starts of those that it was counted from. notes: what is particular about it.
    """

    measure: Measure
    period: Period
    sort: Sort
    value: float | None = None
    change: float | None = None
    rate: float | None = None
    before: float | None = None
    known: int = 0
    of: int = 0
    first: datetime | None = None
    last: datetime | None = None
    why: str = ""
    why_not_compared: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_partial(self) -> bool:
        return self.value is not None and self.known < self.of


@dataclass(frozen=True)
class Series:
    """What is known of one account: days for twice the longest span, hours of the last two days. Made by `load`."""

    account: ConnectedAccount
    now: datetime
    days: Mapping[datetime, Day] = field(default_factory=dict)
    hours: Mapping[datetime, Hour] = field(default_factory=dict)
    closing: Mapping[datetime, Hour] = field(default_factory=dict)  # the last reading in each of the network's days
    refused: Mapping[str, RefusedMetric] = field(default_factory=dict)  # by the network's name

    @property
    def platform(self) -> Any:
        return PLATFORMS[self.account.platform]

    @property
    def network(self) -> str:
        return str(self.platform.label)

    @property
    def zone(self) -> str:
        return str(self.platform.day_zone)

    @cached_property
    def today(self) -> datetime:
        return day_start(self.now, self.zone)

    @cached_property
    def calendar(self) -> list[datetime]:
        """The starts of today and of all days before it that pages may speak of, newest first."""
        return [days_after(self.today, -back, self.zone) for back in range(LONGEST)]

    @cached_property
    def places(self) -> dict[datetime, int]:
        return {start: place for place, start in enumerate(self.calendar)}

    def earlier(self, start: datetime, days: int) -> datetime:
        return self.calendar[self.places[start] + days]

    def named(self, start: datetime) -> str:
        """A day by its date at the network."""
        return date_format(start.astimezone(ZoneInfo(self.zone)), "j M")

    # --- Single figures ------------------------------------------------------------------------------------------

    def on_day(self, measure: Measure, start: datetime) -> tuple[float | None, str]:
        """What happened on a day, or where a level stood at its end; and which of the network's names said so."""
        day = self.days.get(start)
        if measure.is_level and (closing := self.closing.get(start)) and measure.key in closing.metrics:
            return closing.metrics[measure.key], ""
        if day is None or not (day.is_whole or measure.is_level) or measure.key not in day.metrics:
            return None, ""
        return day.metrics[measure.key], day.sources.get(measure.key, "")

    def in_hour(self, measure: Measure, start: datetime) -> tuple[float | None, str]:
        """What happened in about an hour, None where a longer time lies behind it."""
        hour = self.hours.get(start)
        if hour is None:
            return None, ""
        source = hour.sources.get(measure.key, "")
        if measure.is_level:
            return hour.metrics.get(measure.key), source
        if measure.counts_people or not 0 < hour.minutes <= LONGEST_HOUR:
            return None, source
        return hour.derived.get(measure.key), source

    @cached_property
    def known(self) -> dict[str, Measure]:
        """The measures that this account has any figure of, in their order."""
        keys = {key for day in self.days.values() for key in day.metrics}
        for hour in (*self.hours.values(), *self.closing.values()):
            keys |= hour.metrics.keys() | hour.derived.keys()
        return {key: measure for key, measure in MEASURES.items() if key in keys}

    @cached_property
    def names(self) -> dict[str, list[NetworkMetric]]:
        """What the network calls each measure of an account today, as far as we ask for it."""
        found: dict[str, list[NetworkMetric]] = {}
        for metric in CATALOGUE[self.account.platform]:
            if metric.subject in OF_ACCOUNTS and metric.asked and metric.measure and metric.lives(self.now.date()):
                found.setdefault(metric.measure, []).append(metric)
        return found

    # --- Which days and hours ------------------------------------------------------------------------------------

    def days_of(self, measure: Measure, period: Period) -> list[datetime]:
        """The days of a period: the last whole ones that the network can have told by now.

        Networks tell a day late; by as many days as that takes the span lies further back, so that it is whole.
        """
        late = 0
        while late <= self.platform.settles_after_days:
            if self.on_day(measure, self.calendar[1 + late])[0] is not None:
                break
            late += 1
        else:
            late = 0
        return [self.calendar[late + back] for back in range(period.steps, 0, -1)]

    def hours_of(self, measure: Measure, steps: int) -> list[datetime]:
        """The last hours up to the newest that was read, if that is not long ago."""
        this_hour = self.now.replace(minute=0, second=0, microsecond=0)
        newest = next(
            (at for back in range(3) if self.in_hour(measure, at := this_hour - back * HOUR)[0] is not None), this_hour
        )
        return [newest - back * HOUR for back in range(steps - 1, -1, -1)]

    def before(self, slots: Sequence[datetime], *, is_hourly: bool) -> list[datetime]:
        if is_hourly:
            return [at - len(slots) * HOUR for at in slots]
        return [self.earlier(at, len(slots)) for at in slots]

    # --- Breaks --------------------------------------------------------------------------------------------------

    def breaks(self, measure: Measure, slots: Sequence[datetime], *, is_hourly: bool = False) -> list[Break]:
        """Where another of the network's names begins to say the figure."""
        tell = self.in_hour if is_hourly else self.on_day
        told = [(at, source) for at in slots for value, source in [tell(measure, at)] if value is not None]
        found = [
            Break(at, self._break_text(at, old, new, is_hourly=is_hourly))
            for (_before, old), (at, new) in pairwise((at, source) for at, source in told if source)
            if old != new
        ]
        if found or is_hourly or not told:
            return found
        # Rows of older versions do not say which name gave their figures; the catalogue knows until when it was another.
        for metric in CATALOGUE[self.account.platform]:
            if metric.subject not in OF_ACCOUNTS or metric.measure != measure.key or metric.until is None:
                continue
            until = day_start(datetime(*metric.until.timetuple()[:3], 12, tzinfo=ZoneInfo(self.zone)), self.zone)
            if told[0][0] < until <= told[-1][0] and not any(source for _at, source in told):
                found.append(Break(until, self._break_text(until, metric.name, "", is_hourly=False)))
        return found

    def _break_text(self, at: datetime, old: str, new: str, *, is_hourly: bool) -> str:
        when = date_format(timezone.localtime(at), "j M, H:i") if is_hourly else self.named(at)
        if not new:
            return _("Until %(day)s %(network)s counted something else (%(old)s). The two are not one series.") % {
                "day": when,
                "network": self.network,
                "old": old,
            }
        return _(
            "From %(day)s on %(network)s counts something else (%(new)s instead of %(old)s). The two are not one series."
        ) % {"day": when, "network": self.network, "new": new, "old": old}

    # --- Spans ---------------------------------------------------------------------------------------------------

    def told(self, measure: Measure, period: Period) -> Told:
        sort = sort_of(measure)
        plain = Told(measure, period, sort)
        if period.is_hourly:
            if why := self.why_not_by_hour(measure):
                return replace(plain, why=why)
            return self._level_by_hour(plain) if sort is Sort.LEVEL else self._sum_of_hours(plain)
        return self._level_by_day(plain) if sort is Sort.LEVEL else self._sum_of_days(plain)

    def _sum_of_days(self, plain: Told) -> Told:
        measure, slots = plain.measure, self.days_of(plain.measure, plain.period)
        earlier = self.before(slots, is_hourly=False)
        notes: list[str] = []
        if breaks := self.breaks(measure, slots):
            counted = [at for at in slots if at >= breaks[-1].at]
            notes.append(
                _("From %(day)s on only: before that %(network)s counted something else.")
                % {"day": self.named(counted[0]), "network": self.network}
            )
        else:
            counted = slots
        values = [value for at in counted if (value := self.on_day(measure, at)[0]) is not None]
        if not values:
            return replace(plain, why=self.why(measure), of=len(slots))
        if late := self.places[slots[-1]] - 1:
            notes.append(
                ngettext(
                    "Up to %(day)s: %(network)s has not told the day after it yet.",
                    "Up to %(day)s: %(network)s has not told the %(count)d days after it yet.",
                    late,
                )
                % {"day": self.named(slots[-1]), "network": self.network, "count": late}
            )
        is_sum = plain.sort is Sort.SUM
        value = sum(values) if is_sum else sum(values) / len(values)
        found = replace(
            plain,
            value=value,
            known=len(values),
            of=len(slots),
            first=counted[0],
            last=slots[-1],
            notes=tuple(notes),
        )
        if breaks or self.breaks(measure, [*earlier, *slots]):
            return replace(
                found,
                why_not_compared=_("Not compared: what the network counts has changed since %(before)s.")
                % named(plain),
            )
        past = [value for at in earlier if (value := self.on_day(measure, at)[0]) is not None]
        if not past:
            return replace(found, why_not_compared=_("Not compared: nothing is known of %(before)s.") % named(plain))
        if min(len(values), len(past)) < COMPARABLE * len(slots):
            return replace(
                found,
                why_not_compared=_("Not compared: of %(before)s only %(known)d of %(of)d days are known.")
                % {**named(plain), "known": len(past), "of": len(slots)}
                if len(past) < len(values)
                else _("Not compared: only %(known)d of %(of)d days are known.")
                % {"known": len(values), "of": len(slots)},
            )
        before = sum(past) if is_sum else sum(past) / len(past)
        if len(past) != len(values) and is_sum:
            # As if each side had as many days as are known on this one.
            before = before / len(past) * len(values)
            found = replace(found, notes=(*found.notes, _("Compared by the average day, as single days are missing.")))
        return compared(found, before)

    def _sum_of_hours(self, plain: Told) -> Told:
        measure, steps = plain.measure, plain.period.steps
        slots = self.hours_of(measure, steps)
        if self.breaks(measure, slots, is_hourly=True):
            return replace(plain, why=_("In these hours the network began to count something else."))
        value, minutes = self._hours_sum(measure, slots)
        if value is None:
            return replace(plain, why=self.why(measure, is_hourly=True), of=steps)
        known = min(steps, round(minutes / 60))
        hour = self.hours.get(slots[-1])
        found = replace(
            plain,
            value=value,
            known=known,
            of=steps,
            first=slots[0],
            last=slots[-1],
            notes=self._read_at(hour) if steps == 1 and hour else (),
        )
        earlier = self.before(slots, is_hourly=True)
        before, before_minutes = self._hours_sum(measure, earlier)
        if before is None or self.breaks(measure, [*earlier, *slots], is_hourly=True):
            return replace(found, why_not_compared=_("Not compared: nothing is known of %(before)s.") % named(plain))
        if min(minutes, before_minutes) < COMPARABLE * steps * 60 and steps > 1:
            return replace(
                found, why_not_compared=_("Not compared: some hours of either day were not read.") % named(plain)
            )
        if steps == 1 and min(minutes, before_minutes) < COMPARABLE * max(minutes, before_minutes):
            return replace(
                found,
                why_not_compared=_("Not compared: this reading covers %(now)d minutes, the one before %(before)d.")
                % {"now": minutes, "before": before_minutes},
            )
        if abs(minutes - before_minutes) > UNEVEN * before_minutes:
            # As if each side had as many minutes as are known on this one.
            before = before / before_minutes * minutes
            found = replace(
                found, notes=(*found.notes, _("Compared by the average hour, as either side covers another time."))
            )
        return compared(found, before)

    def _read_at(self, hour: Hour) -> tuple[str, ...]:
        start = timezone.localtime(hour.read_at - timedelta(minutes=hour.minutes))
        end = timezone.localtime(hour.read_at)
        return (_("%(start)s to %(end)s") % {"start": date_format(start, "H:i"), "end": date_format(end, "H:i")},)

    def _hours_sum(self, measure: Measure, slots: Sequence[datetime]) -> tuple[float | None, int]:
        """The sum and the minutes that it covers. A reading after a stop counts where all of its time lies within."""
        total, minutes, is_known = 0.0, 0, False
        for at in slots:
            hour = self.hours.get(at)
            if hour is None or measure.key not in hour.derived or not hour.minutes:
                continue
            if hour.read_at - timedelta(minutes=hour.minutes) < slots[0] - 2 * SLACK or (
                len(slots) == 1 and hour.minutes > LONGEST_HOUR
            ):
                continue
            total, minutes, is_known = total + hour.derived[measure.key], minutes + hour.minutes, True
        return (total if is_known else None), minutes

    def _level_by_day(self, plain: Told) -> Told:
        measure = plain.measure
        newest = self._newest_level(measure)
        if newest is None:
            return replace(plain, why=self.why(measure))
        slots = self.days_of(measure, plain.period)
        starts = [self.earlier(slots[0], 1), *slots]
        known = [(at, value) for at in starts if (value := self.on_day(measure, at)[0]) is not None]
        found = replace(plain, value=newest, known=len(known), of=len(starts), last=slots[-1])
        if not known or (len(known) == 1 and known[0][0] == slots[-1]):
            return replace(found, why_not_compared=_("How it changed shows after the second day."))
        if self.breaks(measure, starts):
            return replace(found, why_not_compared=_("Not compared: the network began to count something else."))
        first, level = known[0]
        change = newest - level
        notes: tuple[str, ...] = ()
        if first != starts[0]:
            notes = (_("Since %(day)s; before that it was not read.") % {"day": self.named(first)},)
        start_of_before = self.on_day(measure, self.earlier(starts[0], plain.period.steps))[0]
        return replace(
            found,
            change=change,
            rate=change / level if level else None,
            before=level - start_of_before if start_of_before is not None and first == starts[0] else None,
            first=first,
            notes=notes,
        )

    def _level_by_hour(self, plain: Told) -> Told:
        measure, steps = plain.measure, plain.period.steps
        slots = self.hours_of(measure, steps)
        value = self.in_hour(measure, slots[-1])[0]
        if value is None:
            return replace(plain, why=self.why(measure, is_hourly=True))
        found = replace(plain, value=value, known=1, of=1, first=slots[0], last=slots[-1])
        level = self.in_hour(measure, slots[-1] - steps * HOUR)[0]
        if level is None:
            return replace(found, why_not_compared=_("How it changed is not known: it was not read at that time."))
        return replace(found, change=value - level, rate=(value - level) / level if level else None)

    def _newest_level(self, measure: Measure) -> float | None:
        for readings in (self.hours, self.closing, self.days):
            for at in sorted(readings, reverse=True):
                metrics: Mapping[str, Any] = readings[at].metrics  # type: ignore[attr-defined]
                if measure.key in metrics:
                    return float(metrics[measure.key])
        return None

    # --- Why not -------------------------------------------------------------------------------------------------

    def why_not_by_hour(self, measure: Measure) -> str:
        if measure.is_level:
            return ""
        if not self.platform.tells_today:
            return _("%(network)s tells this figure by the day only.") % {"network": self.network}
        if measure.counts_people:
            return _("Each person counts once a day, so this figure exists by the day only.")
        return ""

    def why(self, measure: Measure, *, is_hourly: bool = False) -> str:
        """Why there is no figure, as exactly as it is known."""
        account = self.account
        for metric in self.names.get(measure.key, ()):
            if refusal := self.refused.get(metric.name):
                return _(
                    "%(network)s has refused this figure since %(since)s. It is asked for again on %(again)s. "
                    "The other figures are read as usual."
                ) % {
                    "network": self.network,
                    "since": date_format(timezone.localtime(refusal.first_refused_at), "j M"),
                    "again": date_format(timezone.localtime(refusal.retry_at), "j M"),
                }
        if account.needs_reconnect:
            return _("The access to this account was lost, so nothing new is read. Reconnect it, and reading goes on.")
        if account.last_synced_at is None:
            return _("Not read yet. The first figures come within a minute of connecting.")
        if measure.key not in self.names and measure.key not in self.known:
            return _("%(network)s has no such figure of accounts.") % {"network": self.network}
        if is_hourly:
            return _("Not read in these hours, or the hours were not read one by one.")
        if measure.key in self.known:
            return _("%(network)s has told nothing for these days.") % {"network": self.network}
        return _("%(network)s has not told this figure for this account so far.") % {"network": self.network}

    # --- Charts --------------------------------------------------------------------------------------------------

    def chart(self, measure: Measure, period: Period) -> Chart:
        """The days of a period, or the last 24 hours; with the same of the span before as a faint line."""
        return self._hour_chart(measure) if period.is_hourly else self._day_chart(measure, period)

    def _day_chart(self, measure: Measure, period: Period) -> Chart:
        zone = ZoneInfo(self.zone)
        slots = self.days_of(measure, period)
        earlier = self.before(slots, is_hourly=False)
        values = [self.on_day(measure, at)[0] for at in slots]
        past = [self.on_day(measure, at)[0] for at in earlier]
        breaks = self.breaks(measure, slots)
        shows_past = not measure.is_level and not self.breaks(measure, [*earlier, *slots]) and any_known(past)
        title = (_("%(measure)s at the end of each day") if measure.is_level else _("%(measure)s by day")) % {
            "measure": measure.word
        }
        notes = list(self._day_notes(measure, slots, values))
        if not shows_past and not measure.is_level and any_known(past) and any_known(values):
            notes.append(
                _("The line of %(before)s is left out: something else was counted then.")
                % {"before": period.before_word}
            )
        columns = [Column("day", _("Day"), Kind.DAY), Column(measure.key, measure.word, Kind.NUMBER, measure.meaning)]
        rows: list[list[Any]] = [[at.astimezone(zone).date(), value] for at, value in zip(slots, values, strict=True)]
        if shows_past:
            columns += [
                Column("day_before", _("Compared with"), Kind.DAY),
                Column(f"{measure.key}_before", _("%(measure)s then") % {"measure": measure.word}, Kind.NUMBER),
            ]
            for row, at, value in zip(rows, earlier, past, strict=True):
                row += [at.astimezone(zone).date(), value]
        lines = [
            Line(
                measure.key,
                measure.word,
                values,
                is_bars=not measure.is_level,
                is_level=measure.is_level,
                unit=measure.unit,
            )
        ]
        if shows_past:
            lines.append(Line("before", period.before_word, past, unit=measure.unit, is_before=True))
        return Chart(
            key=measure.key,
            title=title,
            times=[at.astimezone(zone) for at in slots],
            lines=lines,
            table=Table(f"{measure.key}-days", title, columns, rows, self.zone_note),
            breaks=breaks,
            notes=notes,
            reason="" if any_known(values) else self._why_no_days(measure),
        )

    def _why_no_days(self, measure: Measure) -> str:
        if measure.is_level and measure.key in self.known:
            return _(
                "%(network)s does not tell what it was before it was first read. The line begins with this day's end."
            ) % {"network": self.network}
        return self.why(measure)

    def _day_notes(self, measure: Measure, slots: Sequence[datetime], values: Sequence[Any]) -> Iterator[str]:
        missing = sum(value is None for value in values)
        if missing and missing < len(values):
            yield ngettext(
                "%(missing)d of %(of)d days has no figure: it was not read, or not told. It does not count as 0.",
                "%(missing)d of %(of)d days have no figure: they were not read, or not told. They do not count as 0.",
                missing,
            ) % {"missing": missing, "of": len(values)}
        late = self.places[slots[-1]] - 1
        if late > 0 and not measure.is_level:
            yield _("%(network)s tells a day late: the newest that it has told is %(day)s.") % {
                "network": self.network,
                "day": self.named(slots[-1]),
            }
        today = self.days.get(self.today)
        if today and not today.is_whole and not measure.is_level and measure.key in today.metrics:
            yield _("Today so far: %(number)s, read at %(time)s.") % {
                "number": intcomma(today.metrics[measure.key]),
                "time": date_format(timezone.localtime(today.read_at), "H:i"),
            }

    def _hour_chart(self, measure: Measure) -> Chart:
        title = _("%(measure)s by hour") % {"measure": measure.word}
        columns = [
            Column("hour", _("Hour"), Kind.TIME),
            Column(measure.key, measure.word, Kind.NUMBER, measure.meaning),
        ]
        table = Table(f"{measure.key}-hours", title, columns, [])
        if why := self.why_not_by_hour(measure):
            return Chart(measure.key, title, [], [], table, is_hourly=True, reason=why)
        slots = self.hours_of(measure, 24)
        earlier = self.before(slots, is_hourly=True)
        values = [self.in_hour(measure, at)[0] for at in slots]
        past = [self.in_hour(measure, at)[0] for at in earlier]
        breaks = self.breaks(measure, slots, is_hourly=True)
        lines = [
            Line(
                measure.key,
                measure.word,
                values,
                is_bars=not measure.is_level,
                is_level=measure.is_level,
                unit=measure.unit,
            )
        ]
        rows: list[list[Any]] = [[at, value] for at, value in zip(slots, values, strict=True)]
        if not measure.is_level and any_known(past) and not self.breaks(measure, [*earlier, *slots], is_hourly=True):
            before = next(period for period in PERIODS if period.key == "24h").before_word
            lines.append(Line("before", before, past, unit=measure.unit, is_before=True))
            columns.append(Column(f"{measure.key}_before", _("24 hours earlier"), Kind.NUMBER))
            for row, value in zip(rows, past, strict=True):
                row.append(value)
        return Chart(
            key=measure.key,
            title=title,
            times=slots,
            lines=lines,
            table=replace(table, rows=rows, columns=columns),
            is_hourly=True,
            breaks=breaks,
            notes=list(self._hour_notes(measure, slots, values)),
            reason="" if any_known(values) else self.why(measure, is_hourly=True),
        )

    def _hour_notes(self, measure: Measure, slots: Sequence[datetime], values: Sequence[Any]) -> Iterator[str]:
        missing = sum(value is None for value in values)
        if measure.is_level:
            if missing and missing < len(values):
                yield ngettext(
                    "In %(missing)d of %(of)d hours nothing was read.",
                    "In %(missing)d of %(of)d hours nothing was read.",
                    missing,
                ) % {"missing": missing, "of": len(values)}
            return
        if missing and missing < len(values):
            yield ngettext(
                "%(missing)d of %(of)d hours was not read by itself. It does not count as 0.",
                "%(missing)d of %(of)d hours were not read by themselves. They do not count as 0.",
                missing,
            ) % {"missing": missing, "of": len(values)}
        for at in slots:
            hour = self.hours.get(at)
            if hour and hour.minutes > LONGEST_HOUR and measure.key in hour.derived:
                start = timezone.localtime(hour.read_at - timedelta(minutes=hour.minutes))
                yield _(
                    "Between %(start)s and %(end)s nothing was read; %(number)s came in that time, in which of its hours "
                    "nobody knows."
                ) % {
                    "start": date_format(start, "D H:i"),
                    "end": date_format(timezone.localtime(hour.read_at), "H:i"),
                    "number": intcomma(hour.derived[measure.key]),
                }

    @property
    def zone_note(self) -> str:
        """When a day of this network begins."""
        if self.zone == timezone.get_current_timezone_name():
            return ""
        clock = date_format(timezone.localtime(self.today), "H:i")
        return _(
            "A day is one of %(network)s: it begins at midnight in the zone %(zone)s, at %(clock)s on your clock."
        ) % {
            "network": self.network,
            "zone": self.zone,
            "clock": clock,
        }


def named(told: Told) -> dict[str, Any]:
    return {"before": told.period.before_word}


def any_known(values: Sequence[Any]) -> bool:
    return any(value is not None for value in values)


def compared(found: Told, before: float) -> Told:
    """A rate needs something to grow from."""
    change = (found.value or 0) - before
    return replace(found, before=before, change=change, rate=change / before if before > 0 else None)


# The last hour that was read of each day: looked up day by day, where to read all hours would cost twenty times as much.
LAST_HOURS = """
    SELECT days.start AS day, last.* FROM unnest(%s::timestamptz[], %s::timestamptz[]) AS days (start, finish), LATERAL (
        SELECT id, metrics, derived, sources, fetched_at FROM analytics_insightwindow
        WHERE account_id = %s AND period = %s AND window_start >= days.start AND window_start < days.finish
        ORDER BY window_start DESC LIMIT 1
    ) AS last
"""


def load(account: ConnectedAccount, *, now: datetime | None = None) -> Series:
    """All that the page of an account is made of. Four queries, whatever its age."""
    now = now or timezone.now()
    zone = str(PLATFORMS[account.platform].day_zone)
    since = days_after(day_start(now, zone), 1 - LONGEST, zone)
    windows = InsightWindow.objects.filter(account=account)
    hours = windows.filter(period=InsightWindow.Period.HOUR)
    day_rows = windows.filter(period=InsightWindow.Period.DAY, window_start__gte=since).values_list(
        "window_start", "metrics", "sources", "is_whole", "fetched_at"
    )
    fields = ("metrics", "derived", "sources", "fetched_at")
    newest = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=52)
    hour_rows = hours.filter(window_start__gte=newest).values_list("window_start", *fields)
    starts = [*days_between(since, now, zone)]
    closing_rows: Any = InsightWindow.objects.raw(
        LAST_HOURS, [starts, [*starts[1:], day_end(starts[-1], zone)], account.pk, InsightWindow.Period.HOUR.value]
    )
    refused = RefusedMetric.objects.filter(platform=account.platform, retry_at__gt=now)
    return Series(
        account,
        now,
        days={at: Day(*rest) for at, *rest in day_rows},
        hours={at: Hour(*rest) for at, *rest in hour_rows},
        closing={row.day: Hour(*(getattr(row, name) for name in fields)) for row in closing_rows},
        refused={row.name: row for row in refused if row.subject in OF_ACCOUNTS},
    )
