"""LinkedIn's "little text", the form in which a post's commentary is sent and read back.

A reserved character that is not escaped makes LinkedIn take the post and silently cut its text at that place.
Source: LinkedIn "little text format", Posts API 202609, read November 2026.
"""

from __future__ import annotations

import re

RESERVED = frozenset("\\|{}@[]()<>#*_~")

_ADDRESS = re.compile(r"https?://\S+")
# A hashtag begins a word and holds a letter: "#win" and "#2026goals" are ones, "C#", "#1" and "##a" are not.
_TAG = re.compile(r"(?<![\w#＃&/])[#＃](?=\d*[^\W\d])(\w+)")
_PIECE = re.compile(f"({_ADDRESS.pattern})|{_TAG.pattern}")

_ESCAPED = re.compile(r"\\(.)", re.S)
_ELEMENT = re.compile(
    r"(?P<escaped>\\[\\|{}@\[\]()<>#*_~＃])"
    r"|\{hashtag\|\\?(?P<hash>[#＃])\|(?P<tag>(?:\\.|[^}\\])*)\}"
    r"|@\[(?P<name>(?:\\.|[^\]\\])*)\]\(urn:li:[A-Za-z]+:[^)]*\)",
    re.S,
)


def escape(text: str) -> str:
    """Plain text as little text. Hashtags stay hashtags; everything else means exactly what it says."""
    written, end = [], 0
    for piece in _PIECE.finditer(text):
        written += [_literal(text[end : piece.start()]), _literal(piece[0]) if piece[1] else _hashtag(piece)]
        end = piece.end()
    return "".join([*written, _literal(text[end:])])


def unescape(little: str) -> str:
    """Little text as a reader sees it."""
    return _ELEMENT.sub(_shown, little)


def _literal(text: str) -> str:
    return "".join(f"\\{character}" if character in RESERVED else character for character in text)


def _hashtag(piece: re.Match[str]) -> str:
    tag = piece[2]
    # An underscore would end a bare hashtag, so this one is sent as a template.
    return f"{{hashtag|\\#|{_literal(tag)}}}" if "_" in tag else f"#{tag}"


def _shown(element: re.Match[str]) -> str:
    if element["escaped"]:
        return element["escaped"][1]
    if element["hash"]:
        return element["hash"] + _ESCAPED.sub(r"\1", element["tag"])
    return _ESCAPED.sub(r"\1", element["name"])
