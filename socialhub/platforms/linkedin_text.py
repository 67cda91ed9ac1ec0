"""LinkedIn's "little text", the form in which a post's commentary is sent and read back.

A reserved character that is not escaped makes LinkedIn take the post and silently cut its text at that place.
Source: LinkedIn "little text format", Posts API 202609, read November 2026.
"""

from __future__ import annotations

import re

RESERVED = frozenset("\\|{}@[]()<>#*_~")

_ADDRESS = re.compile(r"https?://\S+")
# A hashtag begins a word and holds a letter: "#win" and "#2026goals" are ones, "C#", "#1" and "##a" are not.
_TAG = re.compile(r"(?<![\w#＃&/])[#＃](?=\d*[^\W\d])(?P<tag>\w+)")
# How a person writes a mention into a caption: @[Name of the page](urn:li:organization:123). The name must be the page's
# own to the letter; otherwise LinkedIn shows it as plain words.
_MENTION = re.compile(r"@\[(?P<name>[^\[\]\r\n]+)\]\((?P<urn>urn:li:(?:organization|person):[A-Za-z0-9_-]+)\)")
_PIECE = re.compile(f"(?P<address>{_ADDRESS.pattern})|{_MENTION.pattern}|{_TAG.pattern}")
_LIKE_A_MENTION = re.compile(r"@\[[^\[\]\r\n]+\]\([^()\r\n]*\)")

_ESCAPED = re.compile(r"\\(.)", re.S)
# Names and tags have an end, or each beginning of one would be searched to the end of the text.
_ELEMENT = re.compile(
    r"(?P<escaped>\\[\\|{}@\[\]()<>#*_~＃])"
    r"|\{hashtag\|\\?(?P<hash>[#＃])\|(?P<tag>(?:\\.|[^}\\]){0,500})\}"
    r"|@\[(?P<name>(?:\\.|[^\]\\]){0,500})\]\(urn:li:[A-Za-z]{1,40}:[^)]{0,200}\)",
    re.S,
)


def escape(text: str) -> str:
    """Plain text as little text. Hashtags and mentions stay what they are; everything else means exactly what it says."""
    written, end = [], 0
    for piece in _PIECE.finditer(text):
        written += [_literal(text[end : piece.start()]), _written(piece)]
        end = piece.end()
    return "".join([*written, _literal(text[end:])])


def unescape(little: str) -> str:
    """Little text as a reader sees it."""
    return _ELEMENT.sub(_shown, little)


def readable(text: str) -> str:
    """A caption as a reader sees it: of a mention only the name."""
    return _PIECE.sub(lambda piece: piece["name"] or piece[0], text)


def near_mentions(text: str) -> list[str]:
    """What looks like a mention and is none, so that it is shown as it stands."""
    return [found for found in _LIKE_A_MENTION.findall(text) if not _MENTION.fullmatch(found)]


def _literal(text: str) -> str:
    return "".join(f"\\{character}" if character in RESERVED else character for character in text)


def _written(piece: re.Match[str]) -> str:
    if piece["address"]:
        return _literal(piece["address"])
    if piece["urn"]:
        return f"@[{_literal(piece['name'])}]({piece['urn']})"
    # An underscore would end a bare hashtag, so this one is sent as a template.
    tag = piece["tag"]
    return f"{{hashtag|\\#|{_literal(tag)}}}" if "_" in tag else f"#{tag}"


def _shown(element: re.Match[str]) -> str:
    if element["escaped"]:
        return element["escaped"][1]
    if element["hash"]:
        return element["hash"] + _ESCAPED.sub(r"\1", element["tag"])
    return _ESCAPED.sub(r"\1", element["name"])
