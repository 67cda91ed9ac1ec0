"""What insights of Pages, posts, accounts and media have in common: names, spans, delays, and the shape of a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ..figures import Followed, Made, SpanFigures, reported, settled, spans_between
from ..metrics import way_of
from .call import Call
from .errors import GraphError

PACIFIC = ZoneInfo("America/Los_Angeles")
HOUR, DAY = 3_600.0, 86_400.0
FEWEST_FOLLOWERS = 100
# What happened is told after a while, and of a day that has closed the last comes two days later.
LAG_SECONDS = 20 * 60
CLOSING_SECONDS = 2 * HOUR
SETTLES_DAYS, AT_FIRST = 2, 0.94


def asked_metrics(text: str) -> list[str]:
    names = [name.strip() for name in text.replace("[", "").replace("]", "").replace('"', "").split(",")]
    names = [name for name in names if name]
    if not names:
        raise GraphError(3001, "(#3001) An insights call needs at least one metric", subcode=1504028)
    return names


def ways_of(call: Call, names: Iterable[str]) -> tuple[set[str], set[str]]:
    """Of these names the ones that somebody has declared dead, and those that are withheld."""
    if not call.state.withdrawn:
        return set(), set()
    ways = {name: way_of(call.state, name, call.account_id) for name in names}
    return {name for name in ways if ways[name] == "dead"}, {name for name in ways if ways[name] == "withheld"}


def midnights(since: float, until: float) -> list[float]:
    """The Pacific midnights after `since`, up to `until`."""
    day = datetime.fromtimestamp(since, UTC).astimezone(PACIFIC).date()
    found: list[float] = []
    while True:
        day += timedelta(days=1)
        moment = datetime.combine(day, time(), PACIFIC).timestamp()
        if moment > until:
            return found
        if moment > since:
            found.append(moment)


def days_before(midnight: float, days: int) -> float:
    """The Pacific midnight so many days earlier: twice a year one of them is an hour longer or shorter."""
    day = datetime.fromtimestamp(midnight, UTC).astimezone(PACIFIC).date() - timedelta(days=days)
    return datetime.combine(day, time(), PACIFIC).timestamp()


def told(account: Followed, posts: Sequence[Made], since: float, until: float, now: float) -> SpanFigures | None:
    """What the network tells by now of a span, None while it knows nothing of it."""
    seen = min(until, now - LAG_SECONDS)
    if seen <= since:
        return None
    span = spans_between(account, posts, [since, seen])[0]
    return reported(account, span, settled(now - until, from_share=AT_FIRST, days=SETTLES_DAYS))


def row(owner_id: str, name: str, period: str, values: list[dict[str, Any]]) -> dict[str, Any]:
    title = name.replace("_", " ").capitalize()
    return {
        "name": name,
        "period": period,
        "values": values,
        "title": title,
        "description": f"{title} of this object.",
        "id": f"{owner_id}/insights/{name}/{period}",
    }


def total_row(owner_id: str, name: str, period: str, total: dict[str, Any]) -> dict[str, Any]:
    answer = row(owner_id, name, period, [])
    del answer["values"]
    return {**answer, "total_value": total}


def neighbours(call: Call, since: float, until: float) -> dict[str, str]:
    address = f"{call.base_url}/graph/{call.version}/{'/'.join(call.path)}"
    metric = f"metric={call.text('metric')}&period={call.text('period')}"
    span = until - since
    return {
        "previous": f"{address}?{metric}&since={int(since - span)}&until={int(since)}",
        "next": f"{address}?{metric}&since={int(until)}&until={int(until + span)}",
    }
