"""What a network is told about a post beyond text, link and images: which of it is asked, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any
from urllib.parse import urlsplit

from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _

from socialhub.platforms.base import Content, PostType
from socialhub.platforms.counting import utf16_length
from socialhub.platforms.rule_types import Choice, ChoiceKind, Rules, ShownAs, Violation

YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Told:
    """One choice in words, for people."""

    label: str
    value: str
    shown_as: ShownAs | None = None


def value_of(declared: Sequence[Choice], name: str, chosen: Mapping[str, str]) -> str:
    """What was chosen, or what holds while nothing was."""
    default = next((choice.default for choice in declared if choice.name == name), "")
    return str(chosen.get(name) or default)


def is_asked(declared: Sequence[Choice], choice: Choice, chosen: Mapping[str, str]) -> bool:
    """Do the other choices leave it open? Whether it fits the post type is asked apart."""
    return all(value_of(declared, name, chosen) in values for name, values in choice.shown_when.items())


def fits(choice: Choice, post_type: PostType) -> bool:
    """Has a post of this type a place for it?"""
    return not choice.post_types or post_type in choice.post_types


def asked(declared: Sequence[Choice], chosen: Mapping[str, str], post_type: PostType) -> list[Choice]:
    """Those that the post type and the others leave open: a document has a title; an offer has a code, an event has none."""
    return [choice for choice in declared if fits(choice, post_type) and is_asked(declared, choice, chosen)]


def kept(declared: Sequence[Choice], chosen: Mapping[str, str], post_type: PostType) -> dict[str, str]:
    """Of what was filled in, that which counts."""
    return {
        choice.name: value
        for choice in asked(declared, chosen, post_type)
        if (value := chosen.get(choice.name, "").strip())
    }


def options_of(choice: Choice, offers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Values and words to choose from: those of the network, or those of the account."""
    if not choice.offer:
        return [(value, str(words)) for value, words in choice.options]
    offered = offers.get(choice.offer) or []
    return [(str(one["id"]), str(one.get("name") or one["id"])) for one in offered if one.get("id")]


def told(
    declared: Sequence[Choice], chosen: Mapping[str, str], offers: Mapping[str, Any], post_type: PostType
) -> list[Told]:
    """What was chosen, in words; what holds without choosing is not told."""
    return [
        Told(str(choice.label), _words(choice, value, offers), choice.shown_as)
        for choice in asked(declared, chosen, post_type)
        if (value := str(chosen.get(choice.name) or "")) not in ("", choice.default)
    ]


def _words(choice: Choice, value: str, offers: Mapping[str, Any]) -> str:
    match choice.kind:
        case ChoiceKind.CHOICE:
            return dict(options_of(choice, offers)).get(value, value)
        case ChoiceKind.FLAG:
            return _("Yes") if value == YES else _("No")
        case ChoiceKind.DATE if day := date_of(value):
            return date_format(day, "j F Y")
        case ChoiceKind.TIME if clock := time_of(value):
            return time_format(clock, "H:i")
    return value


def date_of(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def time_of(value: str) -> time | None:
    try:
        found = time.fromisoformat(value)
    except ValueError:
        return None
    return found.replace(tzinfo=None)


def web_host(link: str) -> str:
    """The site that a web address names, "" if it is none."""
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").lower()
    except ValueError:
        return ""
    return host if parts.scheme in ("http", "https") and not any(c.isspace() for c in link) else ""


def not_a_link() -> str:
    return _("This is not a web address. A link begins with https:// and names a site, such as https://example.org.")


def check(rules: Rules, content: Content) -> Iterator[Violation]:
    """What is missing among the choices, and what does not hold. Their names are the fields."""
    for choice in asked(rules.choices, content.choices, content.post_type):
        value = str(content.choices.get(choice.name) or "")
        if value:
            yield from _check_value(rules, choice, value, content)
        # Where nothing can be published at all, nothing more is asked for.
        elif choice.required and not choice.default and rules.post_types:
            text = _("%(network)s needs this: %(label)s.") % {"network": rules.label, "label": choice.label}
            yield Violation("choice_missing", str(choice.missing) or text, choice.name)


def _check_value(rules: Rules, choice: Choice, value: str, content: Content) -> Iterator[Violation]:
    where = {"network": rules.label, "label": choice.label}
    length = utf16_length(value)
    if choice.max_length and length > choice.max_length:
        text = _("%(label)s: %(network)s takes %(limit)s characters here; this has %(length)s. Shorten it by %(over)s.")
        numbers = {"limit": choice.max_length, "length": length, "over": length - choice.max_length}
        yield Violation("choice_too_long", text % {**where, **numbers}, choice.name)
    if any(character in value for character in choice.without):
        text = _("%(label)s: %(network)s does not take %(characters)s here. Leave them out.")
        yield Violation("choice_invalid", text % {**where, "characters": " ".join(choice.without)}, choice.name)
    match choice.kind:
        case ChoiceKind.CHOICE:
            # What an account has is judged only when that is known.
            is_known = not choice.offer or choice.offer in content.offers
            if is_known and value not in dict(options_of(choice, content.offers)):
                text = _("%(network)s does not know this choice: %(label)s. Choose another.") % where
                yield Violation("choice_gone", str(choice.gone) or text, choice.name)
        case ChoiceKind.DATE:
            yield from _check_date(choice, value, content)
        case ChoiceKind.TIME if not time_of(value):
            yield Violation("choice_invalid", _("This is not a time of day, such as 18:30."), choice.name)
        case ChoiceKind.LINK if not web_host(value):
            yield Violation("choice_invalid", not_a_link(), choice.name)


def _check_date(choice: Choice, value: str, content: Content) -> Iterator[Violation]:
    day, first = date_of(value), date_of(str(content.choices.get(choice.not_before) or ""))
    if day is None:
        yield Violation("choice_invalid", _("This is not a date, such as 2026-12-24."), choice.name)
    elif first and day < first:
        text = _("It would end before it begins. Choose %(first)s or a later day.")
        yield Violation("choice_order", text % {"first": date_format(first, "j F Y")}, choice.name)
