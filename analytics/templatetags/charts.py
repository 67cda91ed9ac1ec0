"""Charts and tables of figures in pages: what the script draws from, and the same for whoever reads it."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.template.defaultfilters import floatformat
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from analytics.reports.charts import Chart
from analytics.reports.hours import Row
from analytics.reports.series import Sort, Told
from analytics.reports.tables import Column, Kind, Table
from socialhub.platforms.measures import Unit
from socialhub.templatetags.ui import change, figure, icon, missing

register = template.Library()

BETTER_LESS = ("unfollows",)


@register.filter
def chart_data(chart: Chart) -> str:
    """What charts.js draws. Words of times come along, so that the script needs to know no zones and no languages."""
    axis, whole = zip(*(words_of(at, is_hourly=chart.is_hourly) for at in chart.times), strict=True)
    return json.dumps(
        {
            "times": [int(at.timestamp()) for at in chart.times],
            "axis": axis,
            "whole": whole,
            "lines": [
                {
                    "word": str(line.word),
                    "values": line.values if isinstance(line.values, list) else list(line.values),
                    "unit": str(line.unit),
                    "bars": line.is_bars,
                    "before": line.is_before,
                    "level": line.is_level,
                }
                for line in chart.lines
            ],
            "breaks": [at for one in chart.breaks if 0 < (at := bisect_left(chart.times, one.at)) < len(chart.times)],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def words_of(at: datetime, *, is_hourly: bool) -> tuple[str, str]:
    """Short for the axis, whole for who looks at one point. Days by the network's date, hours by the reader's clock."""
    if not is_hourly:
        return short_day_words(at.date(), get_language()), day_words(at.date(), get_language())
    local = timezone.localtime(at)
    return date_format(local, "j M" if local.hour == 0 and local.minute == 0 else "H:i"), date_format(
        local, "D j M, H:i"
    )


@register.filter
def span_words(times: Sequence[datetime], is_hourly: bool) -> str:
    """From when to when a chart goes."""
    first, last = (words_of(at, is_hourly=is_hourly)[1] for at in (times[0], times[-1]))
    return first if first == last else _("%(first)s to %(last)s") % {"first": first, "last": last}


@register.filter
def has_gaps(chart: Chart) -> bool:
    """Is there a time of which no line but that of the span before knows anything?"""
    lines = [line.values for line in chart.lines if not line.is_before]
    return any(all(value is None for value in values) for values in zip(*lines, strict=True))


@register.simple_tag
def amount(value: float | None, unit: str = Unit.COUNT, reason: str = "") -> SafeString:
    """A figure in its unit: 1,204, 3.4 %, 2 h 10 min; an en dash with the reason where it is not known."""
    if value is None:
        return missing(reason or _("not available"))
    if unit == Unit.PERCENT:
        return format_html('<span class="figure">{}</span>', percent(value))
    if unit == Unit.SECONDS:
        return format_html('<span class="figure">{}</span>', duration(value))
    return figure(round(value))


def percent(fraction: float) -> str:
    """3.4 %, and as many digits as a small one needs to be told from nothing."""
    value = fraction * 100
    digits = 1 if abs(value) >= 0.1 or value == 0 else 2
    return _("%(number)s %%") % {"number": number_format(f"{value:.{digits}f}")}


def duration(seconds: float) -> str:
    if seconds < 60:
        return _("%(seconds)s s") % {"seconds": number_format(f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}")}
    minutes = round(seconds / 60)
    if minutes < 60:
        return _("%(minutes)d min") % {"minutes": minutes}
    if minutes < 48 * 60:
        return _("%(hours)d h %(minutes)d min") % {"hours": minutes // 60, "minutes": minutes % 60}
    days = round(minutes / 60 / 24)
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": intcomma(days)}


@register.simple_tag
def table_rows(table: Table) -> SafeString:
    """The body of a table. Pages have hundreds of cells, so it is not the template language that joins them."""
    columns = list(table.columns)
    opened = ["<td data-number>" if is_number(column) else "<td>" for column in columns]
    no_figure = format_html('<abbr title="{}">–</abbr>', _("no figure"))
    lines = []
    for row in table.rows:
        cells = [
            no_figure if value is None or value == "" else conditional_escape(cell(value, column))
            for value, column in zip(row, columns, strict=True)
        ]
        rest = "".join(f"{tag}{text}</td>" for tag, text in zip(opened[1:], cells[1:], strict=True))
        lines.append(f'<tr><th scope="row">{cells[0]}</th>{rest}</tr>')
    return mark_safe("\n".join(lines))  # each cell was escaped  # nosec B703


@register.simple_tag
def heat_cells(row: Row) -> SafeString:
    """The hours of a weekday, each in the colour of how well its posts did. In one go, for there are 168 on a page."""
    cells = []
    for one in row.cells:
        if one.times is None:
            cells.append(mark_safe('<td role="cell"></td>'))
            continue
        times = floatformat(one.times, 1)
        words = ngettext(
            "%(when)s: %(times)s times the usual rate, %(posts)s post",
            "%(when)s: %(times)s times the usual rate, %(posts)s posts",
            one.posts,
        ) % {"when": one.words, "times": times, "posts": one.posts}
        few = mark_safe(" data-few") if one.is_few else ""
        cells.append(format_html('<td role="cell" data-heat="{}"{} title="{}">{}</td>', one.level, few, words, times))
    return mark_safe("".join(cells))  # each cell was escaped  # nosec B703


def cell(value: Any, column: Column) -> Any:
    """One value of a table as it is read."""
    if column.kind is Kind.NUMBER:
        return intcomma(value if isinstance(value, int) else number_format(f"{value:.1f}"))
    if column.kind is Kind.PERCENT:
        return percent(value)
    if column.kind is Kind.DAY:
        return day_words(value, get_language())
    if column.kind is Kind.TIME:
        return date_format(timezone.localtime(value), "D j M, H:i")
    if column.kind is Kind.LINK:
        return format_html('<a href="{}" target="_blank" rel="noopener">{}</a>', value, _("Open"))
    return value


@lru_cache(maxsize=2000)
def day_words(day: date, _language: str | None) -> str:
    return date_format(day, "D j M Y")


@lru_cache(maxsize=2000)
def short_day_words(day: date, _language: str | None) -> str:
    return date_format(day, "j M")


@register.filter
def is_number(column: Column) -> bool:
    return column.kind in (Kind.NUMBER, Kind.PERCENT)


@register.simple_tag
def trend(told: Told) -> SafeString:
    """How a span stands against the one before: by how much percent, of a level by how much it moved; "" if not known."""
    if told.change is None:
        return mark_safe("")
    if told.sort is Sort.LEVEL:
        return change(round(told.change))
    text = _("%(now)s against %(before)s in %(span)s") % {
        "now": plain(told.value, told.measure.unit),
        "before": plain(told.before, told.measure.unit),
        "span": told.period.before_word,
    }
    if told.rate is None:
        return format_html('<span title="{}">{}</span>', text, change(round(told.change)))
    return moved(told.rate, text, better_less=told.measure.key in BETTER_LESS)


@register.simple_tag
def moved(rate: float | None, text: str = "", *, better_less: bool = False) -> SafeString:
    """A change in percent with sign, arrow and colour. text: what it was measured against, for who asks."""
    if rate is None:
        return mark_safe("")
    shown = round(abs(rate) * 100)
    if not shown:
        return format_html('<span class="change" data-direction="flat" title="{}">±0 %</span>', text)
    way = "up" if rate > 0 else "down"
    tone = {"up": "down", "down": "up"}[way] if better_less else way
    amount = _("%(number)s %%") % {"number": intcomma(shown)}
    return format_html(
        '<span class="change" data-direction="{}" title="{}">{}{}{}</span>',
        tone,
        text,
        icon(f"trending-{way}"),
        "+" if rate > 0 else "−",
        amount,
    )


def plain(value: float | None, unit: str) -> str:
    if value is None:
        return _("no figure")
    if unit == Unit.PERCENT:
        return percent(value)
    return duration(value) if unit == Unit.SECONDS else intcomma(round(value))


@register.filter
def as_percent(fraction: float) -> str:
    return percent(fraction)


@register.filter
def unlocalized(number: float) -> str:
    """As attributes of SVG want it, whatever the language."""
    return f"{number:g}"
