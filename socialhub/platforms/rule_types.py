"""The shapes of the rule data, for `rules.py` and for the modules that hold the numbers of single networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from socialhub.platforms.base import PostType

MEGABYTE = 1024 * 1024
HOUR, DAY = 3600, 86_400


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that a network would not take (error) or would change (warning).

    field: caption, link, media, alt_text, post_type. media_position: which image, from 1; None: not a single one.
    """

    code: str
    message: str
    field: str
    media_position: int | None = None
    level: str = "error"

    @property
    def is_error(self) -> bool:
        return self.level == "error"


@dataclass(frozen=True, slots=True)
class ImageRules:
    """How an image must be rendered for the network. Ratios are width / height; None: any."""

    max_bytes: int
    max_width: int
    min_width: int
    min_ratio: float | None = None
    max_ratio: float | None = None
    max_height: int | None = None
    content_type: str = "image/jpeg"


@dataclass(frozen=True, slots=True)
class MediaCount:
    """How many images a post type takes, both ends included."""

    min_media: int
    max_media: int


@dataclass(frozen=True, slots=True)
class Look:
    """How the network's own pages show a post, as far as a preview tells it. actions: names of our icons, in order."""

    actions: tuple[str, ...] = ("thumb-up", "message-circle", "share")
    named_by_username: bool = False
    folds_after: int = 477  # so many characters, or
    folds_after_lines: int = 5  # so many lines stand before "more"


@dataclass(frozen=True, slots=True)
class Rules:
    """What one network takes."""

    label: str
    caption_limit: int
    post_types: Mapping[PostType, MediaCount]
    image: ImageRules
    hashtag_limit: int | None = None
    hashtag_warning: int | None = None  # more than these are taken, but do no good
    mention_limit: int | None = None
    alt_text_limit: int = 1000
    shows_links: bool = True
    fetches_media: bool = False  # the network comes and gets the images, so our address must be public
    look: Look = Look()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` calls of a group within `seconds`: rolling, or counted anew at each full one (UTC)."""

    group: str
    limit: int
    seconds: int
    source: str
    is_rolling: bool = True
