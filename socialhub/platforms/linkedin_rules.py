"""What LinkedIn takes, as values of the types in `rule_types.py`."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from socialhub.platforms.base import Content, PostType
from socialhub.platforms.linkedin_text import escape, near_mentions
from socialhub.platforms.rule_types import (
    DAY,
    DOCUMENT_ONLY,
    MEGABYTE,
    VIDEO_ONLY,
    Choice,
    DocumentRules,
    ImageRules,
    MediaCount,
    Rules,
    VideoRules,
    Violation,
    Window,
)

SOURCE = "LinkedIn Posts, Images, Videos, Documents, Comments and rate limit documentation, version 202609, read November 2026"

LINK_TITLE = Choice(
    "link_title",
    gettext_lazy("Title of the link"),
    post_types=(PostType.LINK,),
    help=gettext_lazy("On the card of a link. Without one, the name of the site stands there."),
)
LINK_DESCRIPTION = Choice(
    "link_description",
    gettext_lazy("Description of the link"),
    post_types=(PostType.LINK,),
    help=gettext_lazy("Below the title on the card of a link. LinkedIn reads neither from the site itself."),
)
DOCUMENT_TITLE = Choice(
    "document_title",
    gettext_lazy("Title of the document"),
    post_types=(PostType.DOCUMENT,),
    help=gettext_lazy("Above the pages of a document. Without one, the name of the file stands there."),
)

# What a token needs to comment as a member or as an organization. Only the Community Management product has them.
COMMENT_SCOPES = {"person": "w_member_social_feed", "organization": "w_organization_social_feed"}

RULES = Rules(
    label="LinkedIn",
    caption_limit=3_000,  # documented for the older UGC API, unchanged in practice
    post_types={
        PostType.TEXT: MediaCount(0, 0),
        PostType.LINK: MediaCount(0, 1),  # the image becomes the picture of the link's card
        PostType.SINGLE: MediaCount(1, 1),
        PostType.MULTI_IMAGE: MediaCount(2, 20),
        PostType.VIDEO: MediaCount(1, 1, VIDEO_ONLY),
        PostType.DOCUMENT: MediaCount(1, 1, DOCUMENT_ONLY),
    },
    # Documented are fewer than 36,152,320 pixels and no limit of bytes; others keep below 8 MB.
    image=ImageRules(max_bytes=8 * MEGABYTE, max_width=2048, max_height=4096, min_width=1),
    # MP4; no codecs, shapes or rates are documented: what LinkedIn cannot prepare it refuses by itself.
    videos={
        PostType.VIDEO: VideoRules(
            min_bytes=75 * 1024, max_bytes=500 * MEGABYTE, min_seconds=3, max_seconds=1_800, codecs=("h264", "hevc")
        )
    },
    document=DocumentRules(max_bytes=100 * MEGABYTE, max_pages=300),
    # Of comments no length is documented; others have measured about 1,250 characters.
    first_comment_limit=1_250,
    comment_scopes=COMMENT_SCOPES,
    alt_text_limit=4_086,
    choices=(LINK_TITLE, LINK_DESCRIPTION, DOCUMENT_TITLE),
    source=SOURCE,
)

# LinkedIn counts per member and day in UTC and does not publish its numbers: 100 calls are documented for the
# development tier of Community Management, 150 for Share on LinkedIn. The tighter number is used.
WINDOWS: tuple[Window, ...] = (Window("publish", 100, DAY, SOURCE, is_rolling=False),)


def has_card(content: Content) -> bool:
    """Its link is shown as a card. Beside images, a video or a document there is none."""
    return bool(content.link) and (content.post_type is PostType.LINK or not content.media)


def commentary_of(content: Content) -> str:
    """The text as it is written, mentions included. A link that has no card goes into it."""
    text = content.text.replace("\r\n", "\n")
    if content.link and not has_card(content) and content.link not in text:
        return f"{text}\n\n{content.link}".strip()
    return text


def text_length(text: str) -> int:
    """How many characters LinkedIn counts. Whether it counts the URN of a mention is not known; here it does."""
    return len(text.replace("\r\n", "\n"))


def check(content: Content) -> Iterator[Violation]:
    """What `rules.check` cannot see: how the text grows on its way to LinkedIn, and mentions that are none."""
    yield from _length(content)
    for found in near_mentions(content.text):
        yield Violation(
            "mention_unreadable",
            _(
                "“%(text)s” is no mention, so LinkedIn shows it as it stands. A mention of a page is written "
                "@[Name of the page](urn:li:organization:123), with the page's exact name and its number."
            )
            % {"text": found},
            "caption",
            level="warning",
        )


def _length(content: Content) -> Iterator[Violation]:
    text = commentary_of(content)
    limit = RULES.caption_limit
    written = {"limit": f"{limit:,}", "length": f"{len(text):,}", "over": f"{len(text) - limit:,}"}
    if text_length(content.text) <= limit < len(text):
        yield Violation(
            "caption_too_long_with_link",
            _(
                "LinkedIn takes %(limit)s characters; this caption has %(length)s together with the link, which goes into "
                "the text of a post with media. Shorten it by %(over)s."
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
