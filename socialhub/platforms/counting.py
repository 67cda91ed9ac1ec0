"""How long a text is for each network: UTF-16 units, characters as people see them, or X's weights.

Sources: Buffer API guide "Character limits" (read June to October 2026); X developer documentation, "Counting
characters", configuration v3.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import regex

X_URL_LENGTH = 23  # every address is shortened to this
X_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))  # code points that weigh 1; all others weigh 2

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_GRAPHEME = regex.compile(r"\X")
# Two letters of this kind are a flag, counted from the first of the row. To know where it stands the search looks back
# over the whole row at each letter, so that a long one takes the square of its time.
_MANY_FLAGS = re.compile("[\U0001f1e6-\U0001f1ff]{32,}")
_EMOJI = regex.compile(
    r"\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3"
)
# X also shortens addresses without a scheme. Two letters stand for the countries, for the rest these are the usual ones.
_X_URL = re.compile(
    r"https?://[^\s<>\"]+[^\s<>\".,;:!?'()\[\]{}]"
    r"|(?<![@\w.-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+"
    r"(?:com|org|net|info|biz|edu|gov|dev|app|shop|store|online|site|blog|page|xyz|cloud|club|[a-z]{2})(?![\w@-])"
    r"(?:/[^\s<>\"]*[^\s<>\".,;:!?'()\[\]{}])?",
    re.I,
)


def printable(text: str) -> str:
    """The text as it may be sent: line breaks as one character, without control characters."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def utf16_length(text: str) -> int:
    """UTF-16 units: an emoji outside of the basic plane is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def grapheme_length(text: str) -> int:
    """Characters as people see them: a family of four is one."""
    return sum(1 for _cluster in graphemes(text))


def graphemes(text: str) -> Iterator[str]:
    """The characters as people see them, in time that grows with the text alone."""
    at = 0
    for row in _MANY_FLAGS.finditer(text):
        yield from _GRAPHEME.findall(text[at : row.start()])
        at = row.end() - 2 + (row.end() - row.start()) % 2  # the last may go on behind the row
        yield from (text[place : place + 2] for place in range(row.start(), at, 2))
    yield from _GRAPHEME.findall(text[at:])


def whole_characters(text: str, most: int) -> int:
    """How many code points of the beginning can stand alone: at most so many, and no character cut in two."""
    # No character is nearly as long as the piece that is looked at beyond the end.
    ends = [found.end() for found in _GRAPHEME.finditer(text, max(0, most - 64), most + 64)]
    return max((end for end in ends if end <= most), default=most)


def x_weight(text: str) -> int:
    """X's own length: an address 23, an emoji 2 however it is composed, most writing outside of Latin, Greek … 2."""
    composed = unicodedata.normalize("NFC", text)
    addresses = len(_X_URL.findall(composed))
    rest = _X_URL.sub("", composed)
    return addresses * X_URL_LENGTH + sum(_x_grapheme(cluster) for cluster in graphemes(rest))


def x_length(text: str) -> int:
    """What counts for X through Buffer: Buffer counts the raw text, X its weights, and both must be content."""
    return max(utf16_length(text), x_weight(text))


def _x_grapheme(cluster: str) -> int:
    if _EMOJI.match(cluster):
        return 2
    return sum(1 if any(first <= ord(c) <= last for first, last in X_LIGHT) else 2 for c in cluster)
