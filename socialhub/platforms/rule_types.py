"""The shapes of the rule data, for `rules.py` and for the modules that hold the numbers of single networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.functional import Promise

from socialhub.platforms.base import MediaKind, PostType

MEGABYTE = 1024 * 1024
HOUR, DAY = 3600, 86_400


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that a network would not take (error) or would change (warning).

    field: caption, link, media, alt_text, post_type, or the name of a choice. media_position: which image, from 1; None:
    not a single one.
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
class VideoRules:
    """Which videos a network takes. Codecs by their short names; ratios are width / height; None: any."""

    max_bytes: int
    min_seconds: float
    max_seconds: float
    codecs: tuple[str, ...] = ("h264", "hevc")
    audio_codecs: tuple[str, ...] = ("aac",)
    min_bytes: int = 0
    min_width: int = 0
    max_width: int | None = None
    min_height: int = 0
    min_ratio: float | None = None
    max_ratio: float | None = None
    min_fps: float | None = None
    max_fps: float | None = None
    max_bit_rate: int | None = None


@dataclass(frozen=True, slots=True)
class DocumentRules:
    """Which documents a network takes: PDF."""

    max_bytes: int
    max_pages: int


IMAGES_ONLY = (MediaKind.IMAGE,)
VIDEO_ONLY = (MediaKind.VIDEO,)
DOCUMENT_ONLY = (MediaKind.DOCUMENT,)
IMAGES_AND_VIDEOS = (MediaKind.IMAGE, MediaKind.VIDEO)


@dataclass(frozen=True, slots=True)
class MediaCount:
    """How many items a post type takes, both ends included, and of which kinds."""

    min_media: int
    max_media: int
    kinds: tuple[MediaKind, ...] = IMAGES_ONLY


class ChoiceKind(StrEnum):
    TEXT = "text"
    LINES = "lines"  # a text of several lines
    CHOICE = "choice"
    DATE = "date"  # as in ISO 8601, like the time
    TIME = "time"
    FLAG = "flag"  # "yes" or "no"
    LINK = "link"


class ShownAs(StrEnum):
    """How a preview shows what was chosen."""

    LINE = "line"
    TITLE = "title"
    BUTTON = "button"


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that a network is told about a post beyond text, link and images: data for the form and the check.

    name: in Content.choices. options: values and their words; offer: the name in Content.offers of those that the account
    itself has. default: what holds while nothing is chosen. missing, gone: the sentences for a required choice that was
    not made, and for an option that is not there. without: characters that it must not hold. not_before: the name of the
    date that this one must not lie before. shown_when: other choices, by name, and the values with which this is asked.
    post_types: those with which it is asked; (): all.
    """

    name: str
    label: str | Promise
    kind: ChoiceKind = ChoiceKind.TEXT
    required: bool = False
    options: tuple[tuple[str, str | Promise], ...] = ()
    offer: str = ""
    offer_label: str | Promise = ""  # what the account offers, in the plural
    default: str = ""
    max_length: int | None = None
    without: str = ""
    not_before: str = ""
    shown_when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    post_types: tuple[PostType, ...] = ()
    missing: str | Promise = ""
    gone: str | Promise = ""
    help: str | Promise = ""
    shown_as: ShownAs | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What one network takes."""

    label: str
    caption_limit: int
    post_types: Mapping[PostType, MediaCount]
    image: ImageRules
    images: Mapping[PostType, ImageRules] = field(default_factory=dict)  # where a post type has its own
    videos: Mapping[PostType, VideoRules] = field(default_factory=dict)
    document: DocumentRules | None = None
    first_comment_limit: int = 0  # characters; 0: it has none
    comment_scopes: Mapping[str, str] = field(default_factory=dict)  # what it needs, by account type or login; "": else
    silent_types: tuple[PostType, ...] = ()  # shown without their text
    hashtag_limit: int | None = None
    hashtag_warning: int | None = None  # more than these are taken, but do no good
    mention_limit: int | None = None
    alt_text_limit: int = 1000
    shows_links: bool = True
    fetches_media: bool = False  # the network comes and gets the images, so our address must be public
    choices: tuple[Choice, ...] = ()
    source: str = ""

    def image_of(self, post_type: PostType) -> ImageRules:
        """How an image must be rendered for a post of this type."""
        return self.images.get(post_type, self.image)

    def comment_scope(self, account_type: str, login: str) -> str:
        """The permission without which no comment can be written; "": none is known."""
        return next((self.comment_scopes[key] for key in (account_type, login, "") if key in self.comment_scopes), "")


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` calls of a group within `seconds`: rolling, or counted anew at each full one (UTC).

    scope: whose calls count together: those of one "account", or of the "client" (app or key) that several accounts
    share. kept: the part of it that reading leaves to publishing, or jobs that read to people who ask.
    """

    group: str
    limit: int
    seconds: int
    source: str
    is_rolling: bool = True
    scope: str = "account"
    kept: float = 0
