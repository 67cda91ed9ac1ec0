"""How the networks' own pages show a post, as dated data for the previews.

No network documents where it folds a text: the numbers are what editors and tools measure (posttruncate.com "Platform
limits", textlengthtools.com, toolshake.xyz, read November 2026), checked against their web pages where these can be seen.
They differ by device, by fifth parts or more: apps fold earlier (LinkedIn after about 140 characters, Facebook after 110),
so that a preview says "about here", never "exactly here". Least certain are TikTok, YouTube, Pinterest and Google.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from socialhub.platforms.base import PostType
from socialhub.platforms.counting import whole_characters

MORE = _("more")
WORD_AT_MOST = 24  # a fold goes back to the last space, but not farther than this


class Layout(StrEnum):
    """What stands where."""

    FEED = "feed"  # who, text, media
    PHOTO = "photo"  # who, media, text
    THREAD = "thread"  # the picture of the account in a column of its own
    PIN = "pin"  # a tall picture, the words below it
    STAGE = "stage"  # fills the screen of a phone, the words on the picture
    WATCH = "watch"  # a video, its title, its channel
    CARD = "card"  # media, text, one button


class Several(StrEnum):
    """How several images stand together."""

    COLLAGE = "collage"  # five are seen, the last of them says how many more there are
    GRID = "grid"  # up to four in a frame of 16:9
    SLIDES = "slides"  # one at a time, with dots
    ROW = "row"  # beside each other, as high as each other


@dataclass(frozen=True, slots=True)
class Look:
    """actions: names of our icons, in order. marks: what is coloured in a text: link, hashtag, mention.

    folds_after: so many characters, or folds_after_lines: so many lines stand before `more`; None: all of it is shown.
    """

    layout: Layout
    several: Several = Several.COLLAGE
    actions: tuple[str, ...] = ()
    marks: tuple[str, ...] = ("link", "hashtag", "mention")
    folds_after: int | None = None
    folds_after_lines: int | None = None
    more: str | Promise = MORE
    named_by_username: bool = False

    @property
    def line_length(self) -> int | None:
        """Characters in a line, as far as the two numbers above tell it."""
        return ceil(self.folds_after / self.folds_after_lines) if self.folds_after and self.folds_after_lines else None


LOOKS: dict[str, Look] = {
    # 477 or 480 characters and five lines on the web
    "facebook": Look(
        Layout.FEED,
        actions=("thumb-up", "message-circle", "share"),
        marks=("link", "hashtag"),
        folds_after=477,
        folds_after_lines=5,
        more=_("See more"),
    ),
    "instagram": Look(
        Layout.PHOTO,
        Several.SLIDES,
        actions=("heart", "message-circle", "send", "bookmark"),
        marks=("hashtag", "mention"),
        folds_after=125,
        folds_after_lines=2,
        named_by_username=True,
    ),
    # Names that are typed with @ are no mentions when a post comes through the API.
    "linkedin": Look(
        Layout.FEED,
        actions=("thumb-up", "message-circle", "refresh", "send"),
        marks=("link", "hashtag"),
        folds_after=210,
        folds_after_lines=3,
    ),
    # Longer posts of paying accounts; ten lines on the web, any number in the app
    "x": Look(
        Layout.THREAD,
        Several.GRID,
        actions=("message-circle", "refresh", "heart", "chart-bar", "bookmark"),
        folds_after=280,
        folds_after_lines=10,
        more=_("Show more"),
    ),
    # Its app is said to fold after some 250 characters, its web page does not.
    "threads": Look(
        Layout.THREAD, Several.ROW, actions=("heart", "message-circle", "refresh", "send"), named_by_username=True
    ),
    "bluesky": Look(Layout.THREAD, Several.GRID, actions=("message-circle", "refresh", "heart", "dots")),
    # By height: some 20 lines in its web application
    "mastodon": Look(
        Layout.THREAD,
        Several.GRID,
        actions=("arrow-back-up", "refresh", "heart", "bookmark"),
        folds_after_lines=20,
        more=_("Read more"),
    ),
    "pinterest": Look(
        Layout.PIN, actions=("heart", "message-circle", "share", "dots"), marks=("link",), folds_after=100
    ),
    "tiktok": Look(
        Layout.STAGE,
        Several.SLIDES,
        actions=("heart", "message-circle", "bookmark", "share"),
        marks=("hashtag", "mention"),
        folds_after=100,
        folds_after_lines=2,
        named_by_username=True,
    ),
    "youtube": Look(
        Layout.WATCH,
        actions=("thumb-up", "share", "download", "bookmark"),
        marks=("link", "hashtag"),
        folds_after=150,
        folds_after_lines=3,
    ),
    "google_business": Look(Layout.CARD, actions=("share",), marks=(), folds_after=100, folds_after_lines=3),
}


def layout_of(platform_key: str, post_type: PostType) -> Layout:
    """Stories and reels fill a screen wherever they are."""
    return Layout.STAGE if post_type in (PostType.STORY, PostType.REEL) else LOOKS[platform_key].layout


def folded(text: str, look: Look) -> tuple[str, str]:
    """What is seen at once, and what comes after `more` (empty: nothing)."""
    end = len(text) if look.folds_after is None else min(len(text), look.folds_after)
    if look.folds_after_lines:
        end = min(end, _end_of_lines(text, look.folds_after_lines, look.line_length))
    if end >= len(text):
        return text, ""
    end = whole_characters(text, end)
    space = max(text.rfind(mark, 0, end + 1) for mark in (" ", "\n"))
    if end - space <= WORD_AT_MOST and space > 0:
        end = space
    shown = text[:end].rstrip()
    return shown, text[len(shown) :]


def _end_of_lines(text: str, lines: int, line_length: int | None) -> int:
    """Where so many lines end. A long one is broken into several, and each of them counts."""
    start, left = 0, lines
    for line in text.split("\n"):
        if left == 0:
            return start - 1
        taken = max(1, ceil(len(line) / line_length)) if line_length else 1
        if line_length and taken > left:
            return start + left * line_length
        start, left = start + len(line) + 1, left - taken
    return len(text)


_MARK = re.compile(
    r"(?P<link>https?://[^\s<>\"]*[^\s<>\".,;:!?'()\[\]{}])"
    r"|(?<![\w/&])(?P<hashtag>[#＃]\w+)"
    r"|(?<![\w/.])(?P<mention>[@＠]\w[\w.-]*(?:@[\w-]+(?:\.[\w-]+)+)?(?<![.-]))"
)


def pieces(text: str, look: Look) -> Iterator[tuple[str, str]]:
    """The text in pieces, each with what it is: link, hashtag, mention, or "" for plain words."""
    at = 0
    for found in _MARK.finditer(text):
        if found.lastgroup in look.marks:
            if found.start() > at:
                yield text[at : found.start()], ""
            yield found[0], str(found.lastgroup)
            at = found.end()
    if at < len(text):
        yield text[at:], ""
