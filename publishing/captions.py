"""From a caption template and an image set's details to the text of a post."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from publishing.models import ImageSet

# Names only: no attribute, index or format specification is ever looked at.
PLACEHOLDER = re.compile(r"\{([^{}\r\n]{1,100})\}")
HASHTAG_SEPARATORS = re.compile(r"[\s,;#＃]+")
HASHTAG_MAX_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled template.

    unknown: placeholders that the set knows nothing of; they stay in the text as written. missing: those that it knows
    but has no value for; they left nothing behind. Both as the template spells them, each once.
    """

    text: str
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def fill(body: str, image_set: ImageSet | None) -> Filled:
    """Put an image set's title, details and hashtags in the places that `body` names; upper and lower case are one."""
    values = values_of(image_set)
    unknown: dict[str, None] = {}
    missing: dict[str, None] = {}

    def value(match: re.Match[str]) -> str:
        name = match[1].strip()
        found = values.get(name.casefold())
        if found is None:
            unknown[name] = None
            return match[0]
        if not found:
            missing[name] = None
        return found

    return Filled(PLACEHOLDER.sub(value, body).strip(), tuple(unknown), tuple(missing))


def values_of(image_set: ImageSet | None) -> dict[str, str]:
    """What each placeholder, in lower case, stands for. A detail cannot take the name of a standing placeholder."""
    if image_set is None:
        return {}
    values = {label.strip().casefold(): value.strip() for label, value in image_set.details}
    values["title"] = image_set.title.strip()
    values["details"] = "\n".join(f"{label}: {value}" for label, value in image_set.details if value.strip())
    values["hashtags"] = " ".join(f"#{hashtag}" for hashtag in image_set.hashtags)
    return values


def placeholders(image_set: ImageSet | None) -> list[str]:
    """What a template may name for this set, as one writes it: {title}, {Vehicle}, …"""
    labels = [label for label, value in image_set.details] if image_set else []
    standing = ["title", "details", "hashtags"]
    return [f"{{{name}}}" for name in standing + [label for label in labels if label.casefold() not in standing]]


def hashtags(text: str) -> Iterator[str]:
    """The hashtags of freely typed text: without the #, each once whatever its case, in the order of typing."""
    seen = set()
    for word in HASHTAG_SEPARATORS.split(text):
        if word and word.casefold() not in seen:
            seen.add(word.casefold())
            yield word


def is_hashtag(word: str) -> bool:
    """Letters, digits and underscores, as the networks read it; anything else would cut it short."""
    return bool(re.fullmatch(r"[\w\u200c\u200d]+", word)) and len(word) <= HASHTAG_MAX_LENGTH
