"""Charts as images, for mails: what charts.js draws on pages, by the same rules and in the same colours.

The one typeface that Pillow brings knows ASCII only, so an image says numbers and dates; words stand beside it.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.utils.formats import number_format
from PIL import Image, ImageDraw, ImageFont

from analytics.reports.charts import Chart, Line
from analytics.templatetags.charts import words_of
from socialhub.platforms.measures import Unit

WIDTH, HEIGHT = 480, 190  # as it is shown; the image has twice as many pixels each way
DENSITY, OVERSAMPLING = 2, 2
LEFT, RIGHT, TOP, BOTTOM = 54, 8, 12, 28  # room around what is drawn, for words
PAPER, RULE, FAINT, BEFORE, GAP = "#ffffff", "#e3e6ea", "#5f6b76", "#98a4ae", "#f1f3f5"
COLOURS = ("#0d6870", "#b4530a", "#5b4bb7", "#a8266b", "#3c7a1e", "#22559f")  # --chart-1 to --chart-6 in light
STEPS = (1, 2, 2.5, 5, 10)
LETTERS = 15  # large enough to be read where a phone shrinks the image
LABEL_ROOM = 58  # so wide is a word below the axis, with air


def png_of(chart: Chart) -> bytes:
    """The chart as it looks in light colours. It must have times and lines."""
    scale = DENSITY * OVERSAMPLING
    image = Image.new("RGB", (WIDTH * scale, HEIGHT * scale), PAPER)
    Drawing(chart, ImageDraw.Draw(image), scale).draw()
    image = image.resize((WIDTH * DENSITY, HEIGHT * DENSITY), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    image.quantize(64).save(target, "PNG", optimize=True)
    return target.getvalue()


@dataclass(frozen=True, slots=True)
class Scale:
    """The figures from bottom to top, with a step between two rules."""

    low: float
    high: float
    step: float

    @property
    def ticks(self) -> list[float]:
        return [self.low + number * self.step for number in range(round((self.high - self.low) / self.step) + 1)]


def scale_of(lines: Sequence[Line]) -> Scale:
    """What happens in a span begins at 0; a level shows how it moves, and never claims to be less than nothing."""
    known = [value for line in lines for value in line.values if value is not None]
    low, high = (min(known), max(known)) if known else (0, 1)
    if any(line.is_bars or line.unit == Unit.PERCENT for line in lines):
        low, high = min(low, 0), max(high, 0)
    whole = all(line.unit != Unit.PERCENT for line in lines)
    room = max(high - low, abs(high) * 0.01, 2 if whole else 0.001)
    raw = room / 4
    power = 10 ** math.floor(math.log10(raw))
    step = next(one * power for one in STEPS if one * power >= raw)
    if whole:
        step = max(1, math.ceil(step))
    bottom = math.floor(low / step) * step
    if bottom == low and low > 0 and not any(line.is_bars for line in lines):
        bottom = max(0, bottom - step)
    return Scale(bottom, max(math.ceil(high / step) * step, bottom + 2 * step), step)


def short(value: float, unit: str) -> str:
    """A number as narrow as an axis wants it."""
    if unit == Unit.PERCENT:
        return f"{trimmed(value * 100, 2)}%"
    if unit == Unit.SECONDS and value >= 3600:
        return f"{trimmed(value / 3600, 1)}h"
    for power, letter in ((9, "G"), (6, "M"), (3, "k")):
        if abs(value) >= 10 ** (power + (power == 3)):
            return f"{trimmed(value / 10**power, 2)}{letter}"
    return trimmed(value, 1)


def trimmed(value: float, digits: int) -> str:
    """In the language's own way, without zeros behind the point."""
    rounded = round(value, digits)
    return str(number_format(int(rounded) if rounded == int(rounded) else rounded, force_grouping=True))


def runs(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """Points that stand beside each other; what is not known parts them."""
    for known, group in groupby(enumerate(values), key=lambda one: one[1] is not None):
        if known:
            yield [(at, value) for at, value in group if value is not None]


class Drawing:
    """One chart on one canvas. All lengths are those of the shown image, times `scale`."""

    def __init__(self, chart: Chart, canvas: ImageDraw.ImageDraw, scale: int) -> None:
        self.chart, self.canvas, self.scale = chart, canvas, scale
        self.font = ImageFont.load_default(LETTERS * scale)
        self.values = scale_of(chart.lines)
        self.left, self.right = LEFT * scale, (WIDTH - RIGHT) * scale
        self.top, self.bottom = TOP * scale, (HEIGHT - BOTTOM) * scale
        self.column = (self.right - self.left) / len(chart.times)

    def draw(self) -> None:
        self.draw_gaps()
        self.draw_rules()
        self.draw_times()
        for number, line in enumerate(self.chart.lines):
            colour = BEFORE if line.is_before else COLOURS[number % len(COLOURS)]
            self.draw_bars(line, colour) if line.is_bars else self.draw_line(line, colour)
        self.draw_breaks()

    def x(self, at: int) -> float:
        return self.left + (at + 0.5) * self.column

    def y(self, value: float) -> float:
        share = (value - self.values.low) / (self.values.high - self.values.low)
        return self.bottom - share * (self.bottom - self.top)

    def draw_gaps(self) -> None:
        lines = [line.values for line in self.chart.lines if not line.is_before]
        for at, values in enumerate(zip(*lines, strict=True)):
            if all(value is None for value in values):
                left = self.left + at * self.column
                self.canvas.rectangle((left, self.top, left + self.column, self.bottom), fill=GAP)

    def draw_rules(self) -> None:
        unit = self.chart.lines[0].unit
        for value in self.values.ticks:
            height = self.y(value)
            self.canvas.line((self.left, height, self.right, height), fill=RULE, width=self.scale)
            place = (self.left - 6 * self.scale, height)
            self.canvas.text(place, ascii_of(short(value, unit)), fill=FAINT, font=self.font, anchor="rm")

    def draw_times(self) -> None:
        """As many words below the axis as have room, the last time always among them."""
        times = self.chart.times
        every = max(1, math.ceil(len(times) * LABEL_ROOM * self.scale / (self.right - self.left)))
        for at, moment in enumerate(times):
            if (len(times) - 1 - at) % every == 0:
                word = words_of(moment, is_hourly=self.chart.is_hourly)[0]
                word = word if word.isascii() else f"{moment:%d/%m}"
                place = (self.x(at), self.bottom + 5 * self.scale)
                self.canvas.text(place, word, fill=FAINT, font=self.font, anchor="ma")

    def draw_bars(self, line: Line, colour: str) -> None:
        half = min(self.column * 0.36, 18 * self.scale)
        for at, value in enumerate(line.values):
            if value is not None:
                ends = sorted((self.y(value), self.y(max(self.values.low, 0))))
                self.canvas.rectangle((self.x(at) - half, ends[0], self.x(at) + half, ends[1]), fill=colour)

    def draw_line(self, line: Line, colour: str) -> None:
        """Points beside each other are joined; nothing is drawn across what is not known, or across a break."""
        breaks = {at for one in self.chart.breaks if (at := self.first_from(one.at)) is not None}
        radius = (2 if line.is_before else 3) * self.scale
        for run in runs(line.values):
            points = [(self.x(at), self.y(value)) for at, value in run]
            for (at, _value), begin, end in zip(run[1:], points, points[1:], strict=False):
                if at not in breaks:
                    self.canvas.line((*begin, *end), fill=colour, width=2 * self.scale)
            for x, y in points:
                self.canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    def first_from(self, moment: object) -> int | None:
        return next((at for at, time in enumerate(self.chart.times) if time >= moment), None)  # type: ignore[operator]

    def draw_breaks(self) -> None:
        for one in self.chart.breaks:
            if at := self.first_from(one.at):
                x = self.left + at * self.column
                for top in range(self.top, self.bottom, 8 * self.scale):
                    self.canvas.line((x, top, x, top + 4 * self.scale), fill=FAINT, width=self.scale)


def ascii_of(text: str) -> str:
    """Separators of thousands that the typeface lacks become blanks."""
    return "".join(letter if letter.isascii() else " " for letter in text)
