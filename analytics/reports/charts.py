"""What a chart shows, for whoever draws it: pages with uPlot, mails as an image, both beside the same table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.reports.tables import Table


@dataclass(frozen=True, slots=True)
class Break:
    """From here on something else is measured; lines are never drawn across."""

    at: datetime
    text: Any


@dataclass(frozen=True, slots=True)
class Line:
    """values: one for each of the chart's times; None is a gap, and stays one. is_bars: sums of spans instead of levels.

    is_before: the same measure in the span before, moved under this one: drawn faintly. is_level: where something
    stands (followers), so that its scale need not begin at 0.
    """

    key: str
    word: Any
    values: Sequence[int | float | None]
    is_bars: bool = False
    unit: str = "count"
    is_before: bool = False
    is_level: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """times: starts of the hours or days, ascending; days carry the network's zone, in which they have their date. notes: what kept figures away, and which span is not what it seems.

    table: the same figures for whoever reads or exports them. reason: why there is nothing to draw, "" where there is.
    """

    key: str
    title: Any
    times: Sequence[datetime]
    lines: Sequence[Line]
    table: Table
    is_hourly: bool = False
    breaks: Sequence[Break] = ()
    notes: Sequence[Any] = ()
    reason: Any = ""
