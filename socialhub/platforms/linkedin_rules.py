"""What LinkedIn takes, as values of the types in `rule_types.py`."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from socialhub.platforms.base import Content, PostType
from socialhub.platforms.linkedin_text import escape
from socialhub.platforms.rule_types import DAY, MEGABYTE, ImageRules, MediaCount, Rules, Violation, Window

SOURCE = "LinkedIn Posts, Images and rate limit documentation, version 202609, read November 2026"

RULES = Rules(
    label="LinkedIn",
    caption_limit=3_000,  # documented for the older UGC API, unchanged in practice
    post_types={
        PostType.TEXT: MediaCount(0, 0),
        PostType.LINK: MediaCount(0, 1),  # the image becomes the picture of the link's card
        PostType.SINGLE: MediaCount(1, 1),
        PostType.MULTI_IMAGE: MediaCount(2, 20),
    },
    # Documented are fewer than 36,152,320 pixels and no limit of bytes; others keep below 8 MB.
    image=ImageRules(max_bytes=8 * MEGABYTE, max_width=2048, max_height=4096, min_width=1),
    alt_text_limit=4_086,
    source=SOURCE,
)

# LinkedIn counts per member and day in UTC and does not publish its numbers: 100 calls are documented for the
# development tier of Community Management, 150 for Share on LinkedIn. The tighter number is used.
WINDOWS: tuple[Window, ...] = (Window("publish", 100, DAY, SOURCE, is_rolling=False),)


def commentary_of(content: Content) -> str:
    """The text as a reader sees it. A post with images has no card, so its link goes into the text."""
    text = content.text.replace("\r\n", "\n")
    if content.media and content.post_type is not PostType.LINK and content.link and content.link not in text:
        return f"{text}\n\n{content.link}".strip()
    return text


def text_length(text: str) -> int:
    """How many characters LinkedIn counts: those that a reader sees."""
    return len(text.replace("\r\n", "\n"))


def check(content: Content) -> Iterator[Violation]:
    """What `rules.check` cannot see: the text grows on its way to LinkedIn."""
    text = commentary_of(content)
    limit = RULES.caption_limit
    written = {"limit": f"{limit:,}", "length": f"{len(text):,}", "over": f"{len(text) - limit:,}"}
    if text_length(content.text) <= limit < len(text):
        yield Violation(
            "caption_too_long_with_link",
            _(
                "LinkedIn takes %(limit)s characters; this caption has %(length)s together with the link, which goes into "
                "the text of a post with images. Shorten it by %(over)s."
            )
            % written,
            "caption",
        )
    elif len(text) <= limit < len(escape(text)):
        yield Violation(
            "caption_long_when_escaped",
            _(
                "This caption is close to LinkedIn's %(limit)s characters and holds many special ones such as brackets "
                "and underscores, which LinkedIn may count twice. Shorten it if LinkedIn refuses it."
            )
            % written,
            "caption",
            level="warning",
        )
