"""Rest.li 2.0 addresses: what must be percent-encoded and what must not.

The syntax of lists and objects stays raw, the values inside are encoded; whoever mixes this up gets the 400 that the real
network gives.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from .errors import LinkedInError, invalid

WORD = re.compile(r"[^(),:']*")


def parse_path(raw: str) -> list[str]:
    """The decoded parts of a raw path."""
    parts = [part for part in raw.split("/") if part]
    for part in parts:
        if re.search(r"[:(),]", part):
            raise invalid("ILLEGAL_ARGUMENT", f"Invalid path key {part!r}: it is not encoded")
    return [unquote(part) for part in parts]


def parse_query(raw: str) -> dict[str, Any]:
    """Values as str, list or dict."""
    values: dict[str, Any] = {}
    for part in raw.split("&"):
        if part:
            name, _, text = part.partition("=")
            values[unquote(name)] = Reader(text.replace("+", "%20"), name).whole()
    return values


class Reader:
    """One value of a query."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self.at = 0

    def whole(self) -> Any:
        value = self.value()
        if self.at != len(self.text):
            raise self.wrong()
        return value

    def wrong(self) -> LinkedInError:
        return invalid("ILLEGAL_ARGUMENT", f"Invalid query parameters passed to request: {self.name}={self.text}")

    def value(self) -> Any:
        if self.take("List("):
            return self.items()
        if self.take("("):
            return self.record()
        return self.word()

    def take(self, syntax: str) -> bool:
        if not self.text.startswith(syntax, self.at):
            return False
        self.at += len(syntax)
        return True

    def word(self) -> str:
        found = WORD.match(self.text, self.at)
        assert found is not None  # noqa: S101 - it matches nothing, too
        self.at = found.end()
        return unquote(found[0])

    def items(self) -> list[Any]:
        items: list[Any] = []
        while not self.take(")"):
            items.append(self.value())
            if not self.take(",") and not self.text.startswith(")", self.at):
                raise self.wrong()
        return items

    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = {}
        while not self.take(")"):
            key = self.word()
            if not key or not self.take(":"):
                raise self.wrong()
            record[key] = self.value()
            if not self.take(",") and not self.text.startswith(")", self.at):
                raise self.wrong()
        return record
