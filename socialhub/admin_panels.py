"""What is shown of a row beside its own columns: small tables with the ways on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString


@dataclass(slots=True)
class Panel:
    """A small table. Without a head the first cell of each line names it, as in a list of facts.

    more: a link to the whole list. order: small numbers stand on top, whichever floor they come from. template: what draws it when a table is not enough; it finds `data` there.
    """

    title: object
    rows: Sequence[Sequence[Any]] = ()
    head: Sequence[Any] = ()
    empty: object = ""
    more: SafeString | str = ""
    order: int = 50
    template: str = "admin/_panel_table.html"
    data: dict[str, Any] = field(default_factory=dict)


def facts(title: object, *lines: tuple[object, object] | None, order: int = 50) -> Panel:
    """Names and values; what is None, or has nothing to say, is left out."""
    return Panel(title, [line for line in lines if line and line[1] not in (None, "")], order=order)
