"""Reading Meta's insights: along with the object where that works, in small groups where it does not.

A call with one dead name is refused whole, and with it everything that was asked for along with it. So what is refused is
asked again in groups, the refused groups name by name, and the culprits are told to whoever asks, who leaves them out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeGuard
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from socialhub.platforms.base import Access, PostFigures
from socialhub.platforms.errors import (
    LimitedError,
    NotFoundError,
    OurBugError,
    PermissionMissingError,
    PlatformError,
    ReconnectError,
    TemporaryError,
)
from socialhub.platforms.meta import Graph, entries_of, instant_of
from socialhub.platforms.meta_errors import DeadMetricError, NoDataError, TooMuchDataError, WrongMetricError
from socialhub.platforms.metrics.types import NetworkMetric, Subject

logger = logging.getLogger(__name__)

DAY_ZONE = "America/Los_Angeles"
PACIFIC = ZoneInfo(DAY_ZONE)
COLUMNS = ("likes", "comments", "shares", "saves", "views", "impressions", "reach", "clicks")  # the rest is extra
HALF_A_DAY = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Ask:
    """Metrics of one object that may be asked for together: same period, type and breakdown."""

    path: str
    metrics: tuple[str, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    edge: str = "insights"


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to an Ask: entries by metric, the names that Meta refused, or what went wrong.

    dead: those that it has no more. lacking: those that it refused here, and may have for other objects.
    """

    entries: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    dead: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    error: PlatformError | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of objects. has_figures: their insights stand with them. error: what keeps all of them from having any."""

    entries: list[dict[str, Any]]
    dead: tuple[str, ...] = ()
    has_figures: bool = True
    error: PlatformError | None = None

    def told(self, entry: Mapping[str, Any]) -> Told | None:
        """What an entry tells along; None: it has to be asked for by itself."""
        if self.error:
            return Told(error=self.error)
        return Told(entries_in(entry.get("insights")), self.dead) if self.has_figures else None


class Insights:
    """skip: names that were refused lately; they are not asked for, and not told as refused again."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    # By themselves, in groups

    def read(self, access: Access, asks: Sequence[Ask], *, skip: Collection[str] = ()) -> list[Told]:
        """The answers, in order. Raises ReconnectError and LimitedError; other failures stay with their Ask.

        A name that one object refuses is not asked of the others either, but only what is dead everywhere is told.
        """
        answers: dict[int, Told] = {}
        refused: dict[str, DeadMetricError] = {}
        waiting = {number: _living(ask, skip) for number, ask in enumerate(asks)}
        # What waits for another round waits with fewer names, so it ends.
        while waiting:
            found = self._round(access, asks, waiting, answers)
            again: dict[int, list[str]] = {}
            for number, error in found.items():
                names = _living(asks[number], {*refused, *skip})
                if names != waiting[number]:
                    again[number] = names
                    continue
                answers[number], culprits = self._one_by_one(access, asks[number], names, error)
                refused |= culprits
            waiting = again
        return [_with_refused(answers[number], ask, refused) for number, ask in enumerate(asks)]

    def _round(
        self, access: Access, asks: Sequence[Ask], waiting: Mapping[int, list[str]], answers: dict[int, Told]
    ) -> dict[int, OurBugError]:
        """Ask for what waits; returns which were refused: for a name, or in words that do not tell for what."""
        answers |= {number: Told() for number, names in waiting.items() if not names}
        living = {number: names for number, names in waiting.items() if names}
        told = self._fetch(access, [(asks[number], names) for number, names in living.items()])
        refused = {}
        for number, answer in zip(living, told, strict=True):
            if isinstance(answer, OurBugError):
                refused[number] = answer
            else:
                answers[number] = _told(answer)
        return refused

    def _one_by_one(
        self, access: Access, ask: Ask, names: Sequence[str], error: OurBugError
    ) -> tuple[Told, dict[str, DeadMetricError]]:
        """What was refused together, each name alone: the answer, and the culprits. There may be none.

        A refusal in other words may be about this object alone, for example a day that lies too far back.
        """
        if len(names) == 1:
            return (Told(), {names[0]: error}) if isinstance(error, DeadMetricError) else (Told(error=error), {})
        culprits: dict[str, DeadMetricError] = {}
        entries: dict[str, dict[str, Any]] = {}
        troubles: list[PlatformError] = []
        for name, answer in zip(names, self._fetch(access, [(ask, [name]) for name in names]), strict=True):
            if isinstance(answer, DeadMetricError):
                culprits[name] = answer
                continue
            told = _told(answer)
            entries |= told.entries
            troubles += [told.error] if told.error else []
        logger.warning("Meta refuses these metrics of %s: %s", ask.path, ", ".join(sorted(culprits or names)))
        return Told(entries, error=troubles[0] if troubles else None), culprits

    def _fetch(
        self, access: Access, parts: Sequence[tuple[Ask, Sequence[str]]]
    ) -> list[dict[str, Any] | PlatformError]:
        return self._batch(
            access,
            [
                f"{ask.path}/{ask.edge}?{urlencode({'metric': ','.join(names), **ask.fields}, safe=',')}"
                for ask, names in parts
            ],
        )

    def _batch(self, access: Access, addresses: Sequence[str]) -> list[dict[str, Any] | PlatformError]:
        if not addresses:
            return []
        answers = self.graph.batch(access.token, addresses, account_id=access.account_id)
        for answer in answers:
            if isinstance(answer, ReconnectError | LimitedError):
                raise answer
        return answers

    # Along with their object

    def with_node(
        self, access: Access, fields: str, asks: Sequence[Ask], *, skip: Collection[str] = ()
    ) -> tuple[dict[str, Any], list[Told]]:
        """The account itself and its insights in one call. The account is never lost because of its insights."""
        path = access.account_id
        names, expansions = _expansions(asks, skip)
        try:
            node = self._node(access, path, ",".join([fields, *expansions]))
        except (LimitedError, ReconnectError, NotFoundError):
            raise
        except PlatformError as error:
            if not expansions:
                raise
            node = self._node(access, path, fields)
            if isinstance(error, PermissionMissingError) or _passes(error):
                return node, [Told(error=error) for _ask in asks]
            return node, self.read(access, asks, skip=skip)
        return node, [_expanded(node, names[number], ask) for number, ask in enumerate(asks)]

    def _node(self, access: Access, path: str, fields: str) -> dict[str, Any]:
        node = _said(self.graph.get(path, access.token, {"fields": fields}, account_id=access.account_id))
        if isinstance(node, PlatformError):
            raise node
        return node

    def with_nodes(
        self, access: Access, fields: str, asks: Sequence[Ask], *, less: str = "", skip: Collection[str] = ()
    ) -> list[tuple[dict[str, Any] | PlatformError, Told]]:
        """Many objects, each with its insights. less: the fields to read where a permission for the others is missing.

        An object that cannot be read stands as its error. Raises ReconnectError and LimitedError.
        """
        found = dict(enumerate(self._with_nodes(access, fields, asks, skip)))
        fields_of = dict.fromkeys(found, fields)
        if less and (refused := [n for n, (node, _none) in found.items() if isinstance(node, PermissionMissingError)]):
            again = self._with_nodes(access, less, [asks[number] for number in refused], skip)
            found.update(zip(refused, again, strict=True))
            fields_of |= dict.fromkeys(refused, less)
        broken = [number for number, (node, _none) in found.items() if _is_only_refused(node)]
        alone = self._batch(access, [_address(asks[number].path, fields_of[number]) for number in broken])
        nodes = [_said(node) for node in alone]
        unknown = [
            number
            for number, node in zip(broken, nodes, strict=True)
            if isinstance(node, dict) and not isinstance(found[number][0], NoDataError)
        ]
        told = dict(zip(unknown, self.read(access, [asks[number] for number in unknown], skip=skip), strict=True))
        for number, node in zip(broken, nodes, strict=True):
            error = found[number][0]
            found[number] = (
                node,
                told.get(number) or Told(error=error if isinstance(error, PlatformError) else None),
            )
        return [found[number] for number in range(len(asks))]

    def _with_nodes(
        self, access: Access, fields: str, asks: Sequence[Ask], skip: Collection[str]
    ) -> list[tuple[dict[str, Any] | PlatformError, Told]]:
        addresses = [_address(ask.path, ",".join(filter(None, (fields, _expansion(ask, skip))))) for ask in asks]
        return [
            (node, Told() if isinstance(node, PlatformError) else _expanded(node, ask.edge, ask))
            for ask, node in zip(asks, map(_said, self._batch(access, addresses)), strict=True)
        ]

    # Along with a list

    def listed(
        self,
        access: Access,
        read: Callable[[str], list[dict[str, Any]]],
        metrics: Sequence[str],
        *,
        skip: Collection[str] = (),
    ) -> Listed:
        """A list with these metrics of each entry. read: asks for it with an expansion, "" for none.

        Where that is refused, the newest entry tells which name is to blame.
        """
        expansion = _expansion(Ask("", tuple(metrics)), skip)
        if not expansion:
            return Listed(read(""), has_figures=False)
        try:
            return Listed(read(expansion))
        except (LimitedError, ReconnectError):
            raise
        except PlatformError as error:
            entries = read("")
            if isinstance(error, NoDataError) or _passes(error):  # it is not about a name
                return Listed(entries, has_figures=False)
        if not entries:
            return Listed(entries)
        (told,) = self.read(access, [Ask(str(entries[0].get("id")), tuple(metrics))], skip=skip)
        if isinstance(told.error, PermissionMissingError):
            return Listed(entries, error=told.error)
        refused = {*told.dead, *told.lacking}
        expansion = _expansion(Ask("", tuple(metrics)), {*skip, *refused})
        if refused and expansion:
            try:
                return Listed(read(expansion), told.dead)
            except (LimitedError, ReconnectError):
                raise
            except PlatformError as error:
                logger.info("a list with figures was refused twice: %s", error.code or error.kind)
        return Listed(entries, told.dead, has_figures=False)


def _passes(error: PlatformError) -> bool:
    """Not about what was asked for. Of a wrong name Meta at times says no more than "unknown error"."""
    return isinstance(error, TemporaryError) and not isinstance(error, TooMuchDataError) and error.code != "1"


def _with_refused(told: Told, ask: Ask, refused: Mapping[str, DeadMetricError]) -> Told:
    found = [name for name in ask.metrics if name in refused]
    dead = tuple(name for name in found if not isinstance(refused[name], WrongMetricError))
    return replace(told, dead=dead, lacking=tuple(name for name in found if name not in dead))


def _living(ask: Ask, left_out: Collection[str]) -> list[str]:
    return [name for name in ask.metrics if name not in left_out]


def _address(path: str, fields: str) -> str:
    return f"{path}?{urlencode({'fields': fields}, safe=',().{}')}"


def _said(node: dict[str, Any] | PlatformError) -> dict[str, Any] | PlatformError:
    """An object that does not even say which it is tells nothing: what it lacks would look like none, or like 0."""
    if isinstance(node, PlatformError) or node.get("id"):
        return node
    return TemporaryError(_("Meta answered with something that is not an answer. It is tried again by itself."))


def _is_only_refused(node: object) -> bool:
    """The object may be there all the same: it was something about its insights."""
    return isinstance(node, NoDataError) or (isinstance(node, PlatformError) and not isinstance(node, NotFoundError))


def _expansion(ask: Ask, skip: Collection[str], alias: str = "") -> str:
    """The metrics as a field of their object; "" when none is left."""
    names = _living(ask, skip)
    if not names:
        return ""
    modifiers = "".join(f".{name}({value})" for name, value in ask.fields.items())
    return f"{ask.edge}.metric({','.join(names)}){modifiers}" + (f".as({alias})" if alias else "")


def _expansions(asks: Sequence[Ask], skip: Collection[str]) -> tuple[dict[int, str], list[str]]:
    """Under which name each Ask is answered, and the fields to ask for.

    Asks that differ in metrics alone share a field; a field that is not the only one gets a name of its own.
    """
    together: dict[tuple[str, ...], list[int]] = {}
    for number, ask in enumerate(asks):
        key = (ask.edge, *(f"{name}={value}" for name, value in ask.fields.items()))
        together.setdefault(key, []).append(number)
    names: dict[int, str] = {}
    fields = []
    for position, numbers in enumerate(together.values()):
        first = asks[numbers[0]]
        metrics = tuple(dict.fromkeys(name for number in numbers for name in asks[number].metrics))
        alias = f"part_{position}" if len(together) > 1 else ""
        names |= dict.fromkeys(numbers, alias or first.edge)
        fields.append(_expansion(replace(first, metrics=metrics), skip, alias))
    return names, [expansion for expansion in fields if expansion]


def _expanded(node: Mapping[str, Any], name: str, ask: Ask) -> Told:
    entries = entries_in(node.get(name))
    return Told({metric: entries[metric] for metric in ask.metrics if metric in entries})


def entries_in(answer: object) -> dict[str, dict[str, Any]]:
    """The entries of an insights answer, or of the field that holds one, by metric."""
    return {str(entry.get("name")): entry for entry in entries_of(answer)}


def _told(answer: dict[str, Any] | PlatformError) -> Told:
    if not isinstance(answer, PlatformError):
        return Told(entries_in(answer))
    # Gone: there is nothing to read, which is no failure.
    is_gone = isinstance(answer, NotFoundError) and not isinstance(answer, NoDataError)
    return Told() if is_gone else Told(error=answer)


def trouble_of(node: dict[str, Any] | PlatformError, told: Told) -> PlatformError | None:
    """What keeps an object from being read now. A passing failure must not look like figures that Meta does not give."""
    if isinstance(node, PlatformError):
        return node
    return told.error if isinstance(told.error, TemporaryError) else None


def unless_all_failed(found: list[PostFigures]) -> list[PostFigures]:
    """One post that Meta cannot read does not keep the others from it. Raises what all of them met."""
    if found and all(figures.trouble for figures in found):
        for figures in found:
            if figures.trouble:
                raise figures.trouble
    return found


def why(told: Told) -> str:
    """What people are told instead of figures, where the network keeps them from us."""
    return told.error.message if isinstance(told.error, NoDataError | PermissionMissingError) else ""


def dead_in(told: Iterable[Told]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for answer in told for name in answer.dead))


def errors_in(told: Iterable[Told]) -> tuple[PlatformError, ...]:
    """What kept parts from being read, each trouble once."""
    found = [answer.error for answer in told if answer.error and not isinstance(answer.error, NoDataError)]
    return tuple({(type(error), error.message): error for error in found}.values())


# Values


def value_of(entry: Mapping[str, Any] | None) -> Any:
    """The newest value of an insights entry: a number, a dict, or None when there is none."""
    if not entry:
        return None
    total = entry.get("total_value")
    if isinstance(total, dict):
        return total.get("value")
    values = values_of(entry)
    return values[-1].get("value") if values else None


def values_of(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The values of an insights entry, oldest first."""
    return _inside(entry, "values")


def number_of(value: Any) -> int | float | None:
    """A value as one number; the parts of a dict (reactions by kind) are added up."""
    if isinstance(value, dict):
        parts = [part for part in value.values() if _is_number(part)]
        return sum(parts) if parts else None
    return value if _is_number(value) else None


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def figure_of(metric: NetworkMetric, value: Any) -> int | float | None:
    """A value in the unit of our word for it."""
    number = number_of(value)
    if number is not None and metric.unit == "milliseconds":
        return round(number / 1000, 3)
    return number


def whole(number: int | float | None) -> int | None:
    return None if number is None else int(number)


def by_measure(
    metrics: Iterable[NetworkMetric], raw: Mapping[str, Any]
) -> tuple[dict[str, int | float], dict[str, str]]:
    """Values as they came by our words, and which of Meta's names gave each."""
    values: dict[str, int | float] = {}
    sources: dict[str, str] = {}
    for metric in metrics:
        figure = figure_of(metric, raw.get(metric.name))
        if metric.measure and figure is not None:
            values[metric.measure], sources[metric.measure] = figure, metric.name
    return values, sources


def post_figures(
    post_id: str,
    values: Mapping[str, int | float],
    sources: Mapping[str, str],
    raw: Mapping[str, Any],
    told: Sequence[Told],
) -> PostFigures:
    """told: what the values came from; its first one tells why there are none."""
    return PostFigures(
        post_id,
        **{name: whole(values.get(name)) for name in COLUMNS},  # type: ignore[arg-type]
        extra={name: value for name, value in values.items() if name not in COLUMNS},
        sources=sources,
        raw=raw,
        refused=dead_in(told),
        withheld=why(told[0]),
    )


def results_of(entry: Mapping[str, Any] | None) -> dict[str, int | float]:
    """The parts of a value with one breakdown, by their key. Meta leaves `results` out where there is nothing."""
    found: dict[str, int | float] = {}
    for breakdown in _inside((entry or {}).get("total_value"), "breakdowns"):
        for result in _inside(breakdown, "results"):
            keys, value = result.get("dimension_values"), result.get("value")
            if isinstance(keys, list) and keys and _is_number(value):
                found[str(keys[0])] = value
    return found


def _inside(whole: object, name: str) -> list[dict[str, Any]]:
    """The objects in a list of an object, whatever Meta put there."""
    listed = whole.get(name) if isinstance(whole, Mapping) else None
    return [part for part in listed if isinstance(part, dict)] if isinstance(listed, list) else []


# Names


def asked(
    metrics: Iterable[NetworkMetric], subject: Subject, on: datetime, *, product: str = ""
) -> list[NetworkMetric]:
    """The insights that we ask for on that day. What comes with the object itself is of no group."""
    return [
        metric
        for metric in metrics
        if metric.group and metric.asked and metric.subject is subject
        if metric.lives(on.date()) and metric.suits(product)
    ]


def grouped(metrics: Iterable[NetworkMetric]) -> list[tuple[str, ...]]:
    """Names by group, in order."""
    found: dict[str, list[str]] = {}
    for metric in metrics:
        found.setdefault(metric.group, []).append(metric.name)
    return [tuple(names) for names in found.values()]


# Days


def midnight(day: date) -> datetime:
    """When a day of Meta begins."""
    return datetime.combine(day, time(), PACIFIC).astimezone(UTC)


def day_of(instant: datetime) -> date:
    return instant.astimezone(PACIFIC).date()


def end_of(start: datetime) -> datetime:
    """When the day that begins there is over: 23, 24 or 25 hours later."""
    return midnight(day_of(start) + timedelta(days=1))


def day_ending(end_time: object) -> date | None:
    """The day whose value carries this end_time. Meta sets it to midnight, at times to that of the other half-year."""
    end = instant_of(end_time)
    return day_of(end - HALF_A_DAY) if end else None


def days_by_date(days: Iterable[datetime]) -> dict[date, datetime]:
    return {day_of(day): day for day in sorted(days)}


def seconds(instant: datetime) -> str:
    return str(int(instant.timestamp()))
