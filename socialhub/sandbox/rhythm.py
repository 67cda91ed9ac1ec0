"""When people are about: how much of a network's life falls into which hour, as closed sums, so any span costs the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import sin, tau

from .seeds import EPOCH, generator

HOUR, DAY, WEEK = 3_600.0, 86_400.0, 604_800.0
MONDAY = 4 * DAY  # 1970-01-05
# By local hour from midnight, and by weekday from Monday.
HOURS = (
    *(0.30, 0.17, 0.11, 0.08, 0.10, 0.20, 0.45, 0.80, 1.00, 1.05, 1.05, 1.15),
    *(1.40, 1.25, 1.00, 0.95, 1.05, 1.30, 1.60, 1.90, 1.95, 1.70, 1.15, 0.60),
)
WEEKDAYS = (0.97, 1.06, 1.10, 1.08, 0.98, 0.84, 0.97)
ZONES = (-7, -5, 0, 1, 1, 2)  # hours from UTC at which the followers of an account may live
# How far one day, and one hour, differs from another of its kind: period in days, and the share by which it rises.
WAVES = ((41.0, 0.12), (17.0, 0.10), (5.3, 0.14), (2.3, 0.14), (0.37, 0.10), (0.11, 0.08))
GROWTH = 0.0002  # of a day's life, more with every day


def _week() -> tuple[float, ...]:
    shares = [weekday * hour for weekday in WEEKDAYS for hour in HOURS]
    return tuple(accumulate((share * 7 / sum(shares) for share in shares), initial=0.0))


_SUMS = _week()


def _usual_days(moment: float) -> float:
    week, rest = divmod(moment - MONDAY, WEEK)
    number = int(rest // HOUR)
    part = rest / HOUR - number
    return week * 7 + _SUMS[number] + (_SUMS[number + 1] - _SUMS[number]) * part


@dataclass(frozen=True)
class Rhythm:
    """Of the followers of one account."""

    offset: float
    waves: tuple[tuple[float, float, float], ...]  # height, speed, phase
    first: float

    def days(self, moment: float) -> float:
        """How many days' worth of life has gone by since the first day of the sandbox: little at night, much at noon.

        It never stands still and never goes back, so sums over hours are the sum over their day.
        """
        usual = _usual_days(moment + self.offset) - self.first
        waved = usual
        for height, speed, phase in self.waves:
            waved += height * sin(speed * usual + phase)
        return waved + GROWTH * max(usual, 0.0) ** 2

    def awake(self, moment: float) -> float:
        """How much is going on in the three hours from then on; 1 is usual."""
        return (self.days(moment + 3 * HOUR) - self.days(moment)) * 8


@lru_cache(maxsize=16_384)
def rhythm_of(seed: str) -> Rhythm:
    numbers = generator("rhythm", seed)
    offset = numbers.choice(ZONES) * HOUR
    waves = tuple((share * period / tau, tau / period, numbers.uniform(0, tau)) for period, share in WAVES)
    return Rhythm(offset, waves, _usual_days(EPOCH + offset))
