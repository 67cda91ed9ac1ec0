"""Reading Meta's insights: small groups of metrics, in one round trip, without falling over a name that died."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from socialhub.platforms.base import Access, AccountFigures
from socialhub.platforms.errors import LimitedError, NotFoundError, PlatformError, ReconnectError, TemporaryError
from socialhub.platforms.meta import Graph
from socialhub.platforms.meta_errors import DeadMetricError

logger = logging.getLogger(__name__)

DEAD_SECONDS = 3 * 86_400  # then a refused metric is tried again


@dataclass(frozen=True, slots=True)
class Ask:
    """Metrics of one object that may be asked for together: same period, type and breakdown."""

    path: str
    metrics: tuple[str, ...]
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to an Ask: entries by metric, the names Meta refused, or what went wrong."""

    entries: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    dead: tuple[str, ...] = ()
    error: PlatformError | None = None


class Insights:
    """One dead metric fails a whole group. So a refused group is asked again one by one, and the culprit left out.

    remember: refused names are not asked for again for some days. Not where a name is good for one kind of object
    and wrong for another.
    """

    def __init__(self, meta: Graph, *, remember: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self.meta = meta
        self.remember = remember
        self.clock = clock
        self._dead: dict[str, float] = {}  # metric -> when to try it again; single assignments, so safe without a lock

    def read(self, access: Access, asks: Sequence[Ask]) -> list[Told]:
        """The answers, in order. Raises ReconnectError and LimitedError; other failures stay with their Ask."""
        dead = {name for ask in asks for name in ask.metrics if self._is_dead(name)}
        answers: dict[int, Told] = {}
        waiting = list(range(len(asks)))
        # Each round settles everything or finds at least one dead name, so it ends.
        while waiting := self._round(access, asks, waiting, dead, answers):
            first = asks[waiting[0]]
            culprits = self._culprits(access, first, [name for name in first.metrics if name not in dead])
            dead |= culprits
            if self.remember:
                self._dead |= dict.fromkeys(culprits, self.clock() + DEAD_SECONDS)
        return [
            replace(answers[number], dead=tuple(name for name in ask.metrics if name in dead))
            for number, ask in enumerate(asks)
        ]

    def _is_dead(self, name: str) -> bool:
        return self._dead.get(name, 0) > self.clock()

    def _round(
        self, access: Access, asks: Sequence[Ask], waiting: Sequence[int], dead: set[str], answers: dict[int, Told]
    ) -> list[int]:
        """Ask for what waits, with the living names; returns the numbers that were refused for a dead one."""
        living = {number: [name for name in asks[number].metrics if name not in dead] for number in waiting}
        answers |= {number: Told() for number, names in living.items() if not names}
        numbers = [number for number, names in living.items() if names]
        refused = []
        for number, answer in zip(
            numbers, self._fetch(access, [(asks[number], living[number]) for number in numbers]), strict=True
        ):
            if isinstance(answer, DeadMetricError):
                refused.append(number)
            else:
                answers[number] = _told(answer)
        return refused

    def _culprits(self, access: Access, ask: Ask, names: list[str]) -> set[str]:
        """Which names are refused alone; all of them when each is taken alone and only their company is not."""
        if len(names) > 1:
            answers = self._fetch(access, [(ask, [name]) for name in names])
            refused = {name for name, answer in zip(names, answers, strict=True) if isinstance(answer, DeadMetricError)}
        else:
            refused = set(names)
        logger.warning("Meta refuses these metrics of %s: %s", ask.path, ", ".join(sorted(refused or names)))
        return refused or set(names)

    def _fetch(
        self, access: Access, parts: Sequence[tuple[Ask, Sequence[str]]]
    ) -> list[dict[str, Any] | PlatformError]:
        addresses = [
            f"{ask.path}/insights?{urlencode({'metric': ','.join(names), **ask.fields}, safe=',')}"
            for ask, names in parts
        ]
        if not addresses:
            return []
        answers = self.meta.batch(access.token, addresses, account_id=access.account_id)
        for answer in answers:
            if isinstance(answer, ReconnectError | LimitedError):
                raise answer
        return answers


def _told(answer: dict[str, Any] | PlatformError) -> Told:
    if isinstance(answer, PlatformError):
        # Gone, or too few viewers: there is nothing to read, which is no failure.
        return Told() if isinstance(answer, NotFoundError) else Told(error=answer)
    return Told({str(entry.get("name")): entry for entry in answer.get("data") or () if isinstance(entry, dict)})


def refuse_gaps(told: Sequence[Told]) -> None:
    """Raise a passing failure: it must not look like figures that the network does not give."""
    for answer in told:
        if isinstance(answer.error, TemporaryError):
            raise answer.error


def value_of(entry: Mapping[str, Any] | None) -> Any:
    """The newest value of an insights entry: a number, a dict, or None when there is none."""
    if not entry:
        return None
    total = entry.get("total_value")
    if isinstance(total, dict):
        return total.get("value")
    values = [value for value in entry.get("values") or () if isinstance(value, dict)]
    return values[-1].get("value") if values else None


def number_of(entry: Mapping[str, Any] | None) -> int | float | None:
    """The value as one number; the parts of a dict (reactions by kind) are added up."""
    value = value_of(entry)
    if isinstance(value, dict):
        parts = [part for part in value.values() if isinstance(part, int | float)]
        return sum(parts) if parts else None
    return value if isinstance(value, int | float) else None


def whole(number: int | float | None) -> int | None:
    return None if number is None else int(number)


def figures_of(told: Sequence[Told], groups: Sequence[Mapping[str, str]]) -> AccountFigures:
    """Answers of several groups under our names. Raises the first error when no group was answered at all."""
    errors = [answer.error for answer in told if answer.error]
    if errors and len(errors) == len(told):
        raise errors[0]
    metrics: dict[str, int | float] = {}
    for answer, names in zip(told, groups, strict=True):
        for theirs, ours in names.items():
            number = number_of(answer.entries.get(theirs))
            if number is not None:
                metrics[ours] = number
    raw = {name: _raw(entry) for answer in told for name, entry in answer.entries.items()}
    return AccountFigures(metrics, raw, tuple(name for answer in told for name in answer.dead))


def _raw(entry: Mapping[str, Any]) -> Any:
    return entry.get("total_value") or entry.get("values")
