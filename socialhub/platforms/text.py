"""How the networks count text, and when two texts are the same post."""

from __future__ import annotations

import re
import unicodedata

# Instagram counts every # and @ that something follows, also in addresses and glued to another word.
LONGEST_ADDRESS = 2000
_HASHTAG = re.compile(r"[#＃](\w+)")
_MENTION = re.compile(r"[@＠](\w[\w.]*)")


def hashtags(text: str) -> list[str]:
    """The hashtags of a text without their #, in order, each as often as it stands there."""
    return _HASHTAG.findall(text)


def mentions(text: str) -> list[str]:
    """The @-mentions of a text without their @."""
    return [name.rstrip(".") for name in _MENTION.findall(text)]


def normalise(text: str | None) -> str:
    """The text as a network may give it back: composed, without invisible marks, runs of white space as one space."""
    composed = unicodedata.normalize("NFC", text or "")
    visible = "".join(c for c in composed if unicodedata.category(c) != "Cf" or c == "\u200d")
    return " ".join(visible.split())


def address(url: str) -> str:
    """An address as a network tells it. Half of one is none, and neither is one that a browser would run, not open."""
    return url if len(url) <= LONGEST_ADDRESS and url.startswith(("https://", "http://")) else ""
