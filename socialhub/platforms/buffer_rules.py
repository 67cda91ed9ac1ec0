"""What the networks behind Buffer take, as dated data, and the checks that only they need.

Text limits: Buffer API guide "Character limits"; where the network itself takes less, that counts. Images: the networks'
own published limits and Buffer's support page "Ideal image sizes and formats", because Buffer's API guide has none. Read
June to November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from socialhub.platforms.base import Content, PostType
from socialhub.platforms.buffer_limits import WINDOWS as BUFFER_WINDOWS
from socialhub.platforms.counting import grapheme_length, printable, utf16_length, x_length
from socialhub.platforms.rule_types import MEGABYTE, ImageRules, MediaCount, Rules, Violation, Window

SOURCE = "Buffer API guide, character limits, and the networks' own media limits, read June to November 2026"

BUFFER_MOST = 9 * MEGABYTE  # Buffer takes images under 10 MB, whatever the network takes
NO_MEDIA = MediaCount(0, 0)
ONE = MediaCount(1, 1)

X_PAID = ("basic", "premium", "premiumplus")
X_PAID_LIMIT = 25_000
TITLE_LIMIT = {"pinterest": 100, "youtube": 100}
TOPIC_LIMIT = 50  # Threads
GOOGLE_TYPES = ("whats_new", "offer", "event")
GOOGLE_BUTTONS = ("none", "book", "call", "learn_more", "order", "shop", "signup")


def _written(most: int) -> dict[PostType, MediaCount]:
    """Networks that take words alone, words with a link, and images."""
    kinds = {PostType.TEXT: NO_MEDIA, PostType.LINK: NO_MEDIA, PostType.SINGLE: ONE}
    return kinds if most < 2 else {**kinds, PostType.MULTI_IMAGE: MediaCount(2, most)}


RULES: dict[str, Rules] = {
    "x": Rules(
        label="X",
        caption_limit=280,  # of a free account; see caption_limit()
        post_types=_written(4),
        image=ImageRules(max_bytes=5 * MEGABYTE, max_width=4096, max_height=4096, min_width=4),
        alt_text_limit=1000,
        fetches_media=True,
        source=SOURCE,
    ),
    "threads": Rules(
        label="Threads",
        caption_limit=500,
        post_types=_written(10),  # Threads itself takes 20, Buffer names no number
        image=ImageRules(max_bytes=8 * MEGABYTE, max_width=1440, min_width=320, min_ratio=0.1, max_ratio=10),
        alt_text_limit=1000,
        fetches_media=True,
        source=SOURCE,
    ),
    "bluesky": Rules(
        label="Bluesky",
        caption_limit=300,
        post_types=_written(4),
        # 1,000,000 bytes are the network's limit; some room is left.
        image=ImageRules(max_bytes=950_000, max_width=2000, max_height=2000, min_width=1),
        alt_text_limit=2000,
        fetches_media=True,
        source=SOURCE,
    ),
    "mastodon": Rules(
        label="Mastodon",
        caption_limit=500,  # the default; a server may allow more
        post_types=_written(4),
        image=ImageRules(max_bytes=8 * MEGABYTE, max_width=3840, max_height=2160, min_width=1),
        alt_text_limit=1500,
        fetches_media=True,
        source=SOURCE,
    ),
    "pinterest": Rules(
        label="Pinterest",
        caption_limit=500,
        post_types={PostType.SINGLE: ONE},
        image=ImageRules(max_bytes=BUFFER_MOST, max_width=2000, max_height=3000, min_width=200),
        alt_text_limit=500,
        fetches_media=True,
        source=SOURCE,
    ),
    "tiktok": Rules(
        label="TikTok",
        caption_limit=4_000,  # of photo posts; a video's caption is shorter
        post_types={PostType.SINGLE: ONE, PostType.MULTI_IMAGE: MediaCount(2, 35)},
        image=ImageRules(max_bytes=BUFFER_MOST, max_width=1080, max_height=1920, min_width=1),
        shows_links=False,
        fetches_media=True,
        source=SOURCE,
    ),
    "youtube": Rules(
        label="YouTube",
        caption_limit=5_000,
        post_types={},  # takes one video and nothing else; videos cannot be sent yet
        image=ImageRules(max_bytes=2 * MEGABYTE, max_width=1280, min_width=640),
        fetches_media=True,
        source=SOURCE,
    ),
    "google_business": Rules(
        label="Google Business",
        caption_limit=1_500,  # Buffer takes 4,000, Google itself commonly 1,500
        post_types=_written(1),
        image=ImageRules(max_bytes=5 * MEGABYTE, max_width=2120, min_width=400),
        fetches_media=True,
        source=SOURCE,
    ),
}

IMAGE: dict[str, ImageRules] = {key: rules.image for key, rules in RULES.items()}
WINDOWS: dict[str, tuple[Window, ...]] = dict.fromkeys(RULES, BUFFER_WINDOWS)

LENGTHS: dict[str, Callable[[str], int]] = {
    **dict.fromkeys(RULES, utf16_length),
    "x": x_length,
    "bluesky": grapheme_length,
}
# These put a link beside the text; the others can only have it inside.
LINK_ATTACHED = ("threads", "bluesky", "google_business", "pinterest")
# Of these, a link and images exclude each other: Buffer would drop one.
LINK_OR_MEDIA = ("threads", "bluesky")


def choices_of(content: Content) -> Mapping[str, str]:
    """What was chosen for this network beyond text, link and images: a board, a title."""
    chosen = getattr(content, "choices", None)
    return chosen if isinstance(chosen, Mapping) else {}


def text_length(key: str, text: str) -> int:
    """How many characters the network counts."""
    return LENGTHS[key](printable(text))


def caption_limit(key: str, *, subscription_type: str = "") -> int:
    """The longest text. subscription_type: of an X channel, as Buffer names it."""
    plain = re.sub(r"[^a-z]", "", subscription_type.lower().replace("+", "plus"))
    return X_PAID_LIMIT if key == "x" and plain in X_PAID else RULES[key].caption_limit


def sent_text(key: str, content: Content) -> str:
    """The text as it goes to Buffer: with the link where the network has no other place for it."""
    text, link = printable(content.text), content.link
    beside = key in LINK_ATTACHED and not (key in LINK_OR_MEDIA and content.media)
    if not link or beside or not RULES[key].shows_links or link in text:
        return text
    return f"{text}\n\n{link}".strip()


def check(key: str, content: Content) -> list[Violation]:
    """What `rules.check` does not know: lengths in the network's unit, with the link, and the choices it needs.

    Replaces its caption check; the rest of `rules.check` holds for these networks too.
    """
    found = [*_text(key, content), *_titles(key, choices_of(content))]
    if key == "youtube":
        found.append(Violation("video_needed", video_needed(), "media"))
    if key == "pinterest" and not choices_of(content).get("board_service_id"):
        found.append(Violation("board_missing", board_needed(), "board"))
    if key == "google_business":
        found += _google(choices_of(content))
    return found


def board_needed() -> str:
    return _(
        "Pinterest puts every Pin on a board, and boards cannot be chosen here yet; that comes. Leave Pinterest out of this "
        "post."
    )


def video_needed() -> str:
    return _(
        "YouTube takes videos only, and this version cannot send videos yet; that comes. Leave YouTube out of this post."
    )


def _text(key: str, content: Content) -> Iterator[Violation]:
    rules, text = RULES[key], sent_text(key, content)
    length = text_length(key, text)
    limit = caption_limit(key, subscription_type=choices_of(content).get("x_subscription", ""))
    if length > limit:
        yield Violation(
            "caption_too_long",
            _(
                "%(network)s takes %(limit)s characters; this text, with its link, has %(length)s. Shorten it by %(over)s."
            )
            % {
                "network": rules.label,
                "limit": f"{limit:,}",
                "length": f"{length:,}",
                "over": f"{length - limit:,}",
            },
            "caption",
        )
    if not text.strip() and not content.media:
        yield Violation("caption_missing", _("A post without images needs a text. Write one."), "caption")


def _titles(key: str, choices: Mapping[str, str]) -> Iterator[Violation]:
    limits = {"title": TITLE_LIMIT.get(key), "topic": TOPIC_LIMIT if key == "threads" else None}
    for name, limit in limits.items():
        length = utf16_length(choices.get(name, ""))
        if limit and length > limit:
            yield Violation(
                f"{name}_too_long",
                _("%(network)s takes %(limit)s characters here; this has %(length)s. Shorten it.")
                % {"network": RULES[key].label, "limit": limit, "length": length},
                name,
            )


def _google(choices: Mapping[str, str]) -> Iterator[Violation]:
    kind = choices.get("type", "whats_new")
    if kind not in GOOGLE_TYPES or choices.get("button", "none") not in GOOGLE_BUTTONS:
        yield Violation("type_unknown", _("Google Business does not know this kind of post or button."), "type")
    elif kind != "whats_new" and not all(choices.get(name) for name in ("title", "start_date", "end_date")):
        yield Violation(
            "details_missing",
            _("An offer or an event on Google Business needs a title, a first and a last day. Fill them in."),
            "type",
        )


def metadata_of(key: str, content: Content) -> dict[str, Any]:
    """Buffer's `metadata` for this network; empty when there is nothing to say."""
    maker = METADATA.get(key)
    return maker(content, choices_of(content)) if maker else {}


def _threads(content: Content, choices: Mapping[str, str]) -> dict[str, Any]:
    return _wrapped("threads", {"topic": choices.get("topic"), "linkAttachment": _attachment(content)})


def _bluesky(content: Content, choices: Mapping[str, str]) -> dict[str, Any]:
    return _wrapped("bluesky", {"linkAttachment": _attachment(content)})


def _mastodon(content: Content, choices: Mapping[str, str]) -> dict[str, Any]:
    return _wrapped("mastodon", {"spoilerText": choices.get("spoiler_text")})


def _pinterest(content: Content, choices: Mapping[str, str]) -> dict[str, Any]:
    return _wrapped(
        "pinterest",
        {"boardServiceId": choices.get("board_service_id"), "title": choices.get("title"), "url": content.link},
    )


def _tiktok(content: Content, choices: Mapping[str, str]) -> dict[str, Any]:
    return _wrapped("tiktok", {"title": choices.get("title")})


def _google_business(content: Content, choices: Mapping[str, str]) -> dict[str, Any]:
    kind = choices.get("type", "whats_new")
    title, link = choices.get("title"), content.link or choices.get("link")
    button = choices.get("button") or ("learn_more" if link else "none")
    if button == "call":
        link = None  # the button calls the number of the profile
    days = {"title": title, "startDate": choices.get("start_date"), "endDate": choices.get("end_date")}
    if kind == "offer":
        offer = {**days, "code": choices.get("code"), "link": link, "terms": choices.get("terms")}
        return _wrapped("google", {"type": kind, "title": title, "detailsOffer": _filled(offer)})
    if kind == "event":
        event = _filled({**days, "button": button, "link": link})
        event["isFullDayEvent"] = choices.get("full_day", "yes") == "yes"
        return _wrapped("google", {"type": kind, "title": title, "detailsEvent": event})
    return _wrapped("google", {"type": "whats_new", "detailsWhatsNew": _filled({"button": button, "link": link})})


METADATA: dict[str, Callable[[Content, Mapping[str, str]], dict[str, Any]]] = {
    "threads": _threads,
    "bluesky": _bluesky,
    "mastodon": _mastodon,
    "pinterest": _pinterest,
    "tiktok": _tiktok,
    "google_business": _google_business,
}


def _attachment(content: Content) -> dict[str, str] | None:
    return {"url": content.link} if content.link and not content.media else None


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _wrapped(service: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    filled = _filled(fields)
    return {service: filled} if filled else {}
