"""One metric of one network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any


class Subject(StrEnum):
    ACCOUNT = "account"  # what happened on an account in a span
    TOTAL = "total"  # what an account has, or has come to, by now
    POST = "post"  # of one post, since it was made
    VIDEO = "video"
    AUDIENCE = "audience"  # who the followers or viewers are


@dataclass(frozen=True, slots=True)
class NetworkMetric:
    """A name as the network spells it, and what it is to us.

    measure: key of MEASURES, "" for what is only kept as it came. meaning: what it is at this network, where that differs
    from our word. since, until: the days on which the name began and ceased to be answered, None where it always was or
    still is. group: names of one group may be asked for together; asked: whether we ask for it at all.
    """

    name: str
    subject: Subject
    source: str
    measure: str = ""
    meaning: Any = ""
    unit: str = "count"
    periods: tuple[str, ...] = ("lifetime",)
    breakdowns: tuple[str, ...] = ()
    products: tuple[str, ...] = ()  # kinds of media that have it, () for all
    group: str = ""
    since: date | None = None
    until: date | None = None
    replaces: str = ""  # the older name that measured something like it; never the same
    asked: bool = True

    def lives(self, on: date) -> bool:
        return (self.since is None or self.since <= on) and (self.until is None or on < self.until)

    def suits(self, product: str) -> bool:
        return not self.products or product in self.products
