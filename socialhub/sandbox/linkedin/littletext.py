"""Commentary is "little text": what its reserved characters do to a post that does not escape them."""

from __future__ import annotations

import re

RESERVED = "\\|{}@[]()<>#*_~"
HASHTAG = re.compile(r"#([^\W_]+)")
TEMPLATE = re.compile(r"\{hashtag\|\\?#\|((?:\\.|[^|{}\\])+)\}")
MENTION = re.compile(r"@\[((?:\\.|[^\]\\])+)\]\((urn:li:(?:organization|person):[\w-]+)\)")


def render(commentary: str) -> tuple[str, str]:
    """What is kept of it, and what people read. An unescaped reserved character ends both, and nobody is told."""
    shown: list[str] = []
    at = 0
    while at < len(commentary):
        letter = commentary[at]
        if letter == "\\" and commentary[at + 1 : at + 2] in RESERVED and at + 1 < len(commentary):
            shown.append(commentary[at + 1])
            at += 2
        elif letter not in RESERVED:
            shown.append(letter)
            at += 1
        elif found := markup(commentary, at):
            shown.append(found[1])
            at = found[0]
        else:
            break
    return commentary[:at], "".join(shown)


def markup(commentary: str, at: int) -> tuple[int, str] | None:
    """Where a hashtag or mention that starts here ends, and how it reads."""
    if found := HASHTAG.match(commentary, at):
        return (found.end(), found[0]) if re.search(r"[^\W\d]", found[1]) else None
    if found := TEMPLATE.match(commentary, at):
        return found.end(), "#" + re.sub(r"\\(.)", r"\1", found[1])
    if found := MENTION.match(commentary, at):
        return found.end(), re.sub(r"\\(.)", r"\1", found[1])
    return None


def mentioned(commentary: str) -> list[tuple[str, str]]:
    """Names and URNs of the mentions in a text that was kept."""
    return [(re.sub(r"\\(.)", r"\1", name), urn) for name, urn in MENTION.findall(commentary)]
