"""The `fields` parameter: names, modifiers and nested lists."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from .errors import GraphError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Field:
    """One asked-for field: insights.metric(reach,views){…} has the modifier metric. inner: its nested list as it came."""

    name: str
    modifiers: dict[str, str] = field(default_factory=dict)
    nested: tuple[Field, ...] | None = None
    inner: str = ""

    @property
    def alias(self) -> str:
        """The key in the answer: insights.period(day).as(today) is told as "today"."""
        return self.modifiers.get("as") or self.name


def bad_syntax(text: str, position: int) -> GraphError:
    return GraphError(
        2500, f'Syntax error "Expected a field name at character {position}: {text}"', kind="OAuthException"
    )


@lru_cache(maxsize=512)
def parse_fields(text: str) -> tuple[Field, ...]:
    """Raises GraphError 2500 for text that is no list of fields."""
    if not text.strip():
        return ()
    found, position = _parse_list(text, 0)
    if position != len(text):
        raise bad_syntax(text, position)
    return found


def _parse_list(text: str, position: int) -> tuple[tuple[Field, ...], int]:
    found: list[Field] = []
    while True:
        while position < len(text) and text[position] == " ":
            position += 1
        one, position = _parse_field(text, position)
        found.append(one)
        if position >= len(text) or text[position] != ",":
            return tuple(found), position
        position += 1


def _parse_field(text: str, position: int) -> tuple[Field, int]:
    match = NAME.match(text, position)
    if match is None:
        raise bad_syntax(text, position)
    position = match.end()
    modifiers: dict[str, str] = {}
    while position < len(text) and text[position] == ".":
        modifier = NAME.match(text, position + 1)
        if modifier is None or text[modifier.end() : modifier.end() + 1] != "(":
            raise bad_syntax(text, position)
        close = text.find(")", modifier.end())
        if close < 0:
            raise bad_syntax(text, modifier.end())
        modifiers[modifier.group()] = text[modifier.end() + 1 : close]
        position = close + 1
    if "as" in modifiers and not NAME.fullmatch(modifiers["as"]):
        raise bad_syntax(text, position)
    if text[position : position + 1] != "{":
        return Field(match.group(), modifiers), position
    opened = position + 1
    nested, position = _parse_list(text, opened)
    if text[position : position + 1] != "}":
        raise bad_syntax(text, position)
    return Field(match.group(), modifiers, nested, text[opened:position]), position + 1
