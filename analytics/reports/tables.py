"""What every chart is too, and every export: columns and rows. Pages, files and mails show the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"  # an int or float; None: not known, never 0
    PERCENT = "percent"  # a fraction: 0.034 is 3.4 %
    TIME = "time"  # an aware datetime
    DAY = "day"  # a date
    LINK = "link"  # an address


@dataclass(frozen=True, slots=True)
class Column:
    key: str  # as it stands in exported files and addresses
    word: Any
    kind: Kind = Kind.TEXT
    note: Any = ""  # a formula, or what the figure means


@dataclass(frozen=True, slots=True)
class Table:
    """rows: tuples as long as `columns`; may be an iterator that is read once, so that no file needs all in memory."""

    key: str
    title: Any
    columns: Sequence[Column]
    rows: Iterable[Sequence[Any]]
    note: Any = ""
