"""How the text for one account differs from the caption that all others get, for a person's eyes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from socialhub.platforms.text import hashtags

WORDS_MOST = 1500  # beyond, comparing word by word takes longer than anybody waits while typing
_WORD = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True, slots=True)
class Difference:
    """summary: whole sentences; pieces: the text in turns, each "same", "gone" or "new"; empty where it is too long."""

    summary: str
    pieces: tuple[tuple[str, str], ...] = ()


def difference(caption: str, own: str) -> Difference | None:
    """None: there is no text of its own, or it is the same."""
    caption, own = caption.strip(), own.strip()
    if not own:
        return None
    if own == caption:
        return Difference(_("The same as the caption."))
    if not caption:
        return Difference(_("The caption is empty."))
    before, after = _WORD.findall(caption), _WORD.findall(own)
    pieces = tuple(_pieces(before, after)) if len(before) + len(after) <= WORDS_MOST else ()
    return Difference(" · ".join(_sums(caption, own)), pieces)


def _sums(caption: str, own: str) -> Iterator[str]:
    length, lines = len(own) - len(caption), own.count("\n") - caption.count("\n")
    tags = len(hashtags(own)) - len(hashtags(caption))
    counted = [
        (lines, _longer_by_lines if lines > 0 else _shorter_by_lines),
        (length, _longer_by_characters if length > 0 else _shorter_by_characters),
        (tags, _more_hashtags if tags > 0 else _fewer_hashtags),
    ]
    said = [words(abs(number)) for number, words in counted if number]
    yield from said or [_("As long as the caption, in other words")]


def _longer_by_lines(count: int) -> str:
    return ngettext("%(count)d more line", "%(count)d more lines", count) % {"count": count}


def _shorter_by_lines(count: int) -> str:
    return ngettext("%(count)d fewer line", "%(count)d fewer lines", count) % {"count": count}


def _longer_by_characters(count: int) -> str:
    return ngettext("%(count)d character longer", "%(count)d characters longer", count) % {"count": count}


def _shorter_by_characters(count: int) -> str:
    return ngettext("%(count)d character shorter", "%(count)d characters shorter", count) % {"count": count}


def _more_hashtags(count: int) -> str:
    return ngettext("%(count)d more hashtag", "%(count)d more hashtags", count) % {"count": count}


def _fewer_hashtags(count: int) -> str:
    return ngettext("%(count)d fewer hashtag", "%(count)d fewer hashtags", count) % {"count": count}


def _pieces(before: list[str], after: list[str]) -> Iterator[tuple[str, str]]:
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for how, from_start, from_end, to_start, to_end in matcher.get_opcodes():
        if how == "equal":
            yield "same", "".join(before[from_start:from_end])
            continue
        if gone := "".join(before[from_start:from_end]):
            yield "gone", gone
        if new := "".join(after[to_start:to_end]):
            yield "new", new
