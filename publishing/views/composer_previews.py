"""How the post would look on each network: frames of its images, its text, its counters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from publishing import checks
from publishing.checks import Reshaped
from publishing.models import MediaFile, PostMedia, Publication
from publishing.post_types import TYPE_NAMES
from publishing.views.said_once import some_of
from socialhub.platforms import LABELS
from socialhub.platforms.base import MediaKind, PostType
from socialhub.platforms.choices import Told
from socialhub.platforms.rule_types import Look
from socialhub.platforms.rules import RULES, caption_limit, length_of

KNOWN_RATIOS = ((1, 1), (4, 5), (5, 4), (3, 4), (4, 3), (2, 3), (3, 2), (9, 16), (16, 9))


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of an image that a network shows, in pixels of the image; it is larger than the image where bars are added."""

    left: int
    top: int
    width: int
    height: int
    has_bars: bool

    @property
    def view_box(self) -> str:
        return f"{self.left} {self.top} {self.width} {self.height}"

    @classmethod
    def of(cls, reshaped: Reshaped) -> Frame:
        media, ratio = reshaped.item.media, reshaped.ratio
        filling = media.height * ratio
        if reshaped.item.fit != PostMedia.Fit.CROP:
            width = max(media.width, filling)
            height = width / ratio
            left, top = (media.width - width) / 2, (media.height - height) / 2
            return cls(round(left), round(top), round(width), round(height), has_bars=True)
        width = min(media.width, filling)
        height = width / ratio
        left = min(max(media.focus_x * media.width - width / 2, 0), media.width - width)
        top = min(max(media.focus_y * media.height - height / 2, 0), media.height - height)
        return cls(round(left), round(top), round(width), round(height), has_bars=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """One item of a preview. frame: None where the network shows it in its own shape."""

    item: PostMedia
    frame: Frame | None = None

    @property
    def alt(self) -> str:
        return self.item.alt_text or self.item.media.alt_text or self.item.media.original_name


@dataclass(frozen=True, slots=True)
class Preview:
    publication: Publication
    label: str
    type_name: str
    media: Sequence[Shown]
    shape: str
    length: int
    limit: int
    look: Look
    told: tuple[Told, ...] = ()

    @property
    def name(self) -> str:
        account = self.publication.account
        return (self.look.named_by_username and account.username) or account.name

    @property
    def is_silent(self) -> bool:
        """The network shows no text with this kind of post."""
        return self.publication.post_type in RULES[self.publication.account.platform].silent_types

    @property
    def is_upright(self) -> bool:
        """It fills the screen of a phone."""
        return self.publication.post_type in (PostType.STORY, PostType.REEL)

    @property
    def items(self) -> list[PostMedia]:
        return [shown.item for shown in self.media]

    @property
    def document(self) -> MediaFile | None:
        first = self.media[0].item.media if self.media else None
        return first if first and first.kind == MediaKind.DOCUMENT else None

    @property
    def folds(self) -> bool:
        """Does the network hide the end of the text behind "more"?"""
        text = self.publication.text
        return len(text) > self.look.folds_after or text.count("\n") >= self.look.folds_after_lines

    @property
    def over(self) -> bool:
        return self.length > self.limit

    @property
    def left(self) -> int:
        return self.limit - self.length


def preview(publication: Publication, media: Sequence[PostMedia]) -> Preview:
    key = publication.account.platform
    with_images = publication.post_type not in (PostType.TEXT, PostType.LINK)
    frames = {position: Frame.of(one) for position, one in checks.reshaped(publication, media).items()}
    return Preview(
        publication=publication,
        label=str(LABELS[key]),
        type_name=str(TYPE_NAMES[PostType(publication.post_type)]),
        media=[Shown(item, frames.get(position)) for position, item in enumerate(media, start=1)]
        if with_images
        else [],
        shape=shape_of(media[0].media) if media else "",
        length=length_of(key, checks.content_of(publication, media)),
        limit=caption_limit(key, publication.account.offers, PostType(publication.post_type)),
        look=RULES[key].look,
        told=checks.told_of(publication),
    )


@dataclass(frozen=True, slots=True)
class CommentCounter:
    platform: str
    length: int
    limit: int

    @property
    def over(self) -> bool:
        return self.length > self.limit


def comment_counters(publications: Iterable[Publication], text: str) -> list[CommentCounter]:
    """One for each chosen network that takes a first comment."""
    limits = {one.account.platform: checks.comment_limit(one) for one in publications if checks.comment_limit(one)}
    return [CommentCounter(platform, len(text), limit) for platform, limit in limits.items()]


def shapes_of(publications: Iterable[Publication], media: Sequence[PostMedia]) -> dict[UUID, str]:
    """For each image that some network reshapes: which ones, and how it is shown there."""
    found: dict[UUID, dict[str, None]] = {}
    for publication in publications:
        name = f"{LABELS[publication.account.platform]} ({TYPE_NAMES[PostType(publication.post_type)]})"
        for one in checks.reshaped(publication, media).values():
            found.setdefault(one.item.media_id, {})[f"{name} {ratio_name(one.ratio)}"] = None
    return {pk: some_of(list(names)) for pk, names in found.items()}


def ratio_name(ratio: float) -> str:
    """As people know it: 4:5, 9:16, 1.91:1."""
    for width, height in KNOWN_RATIOS:
        if abs(ratio * height / width - 1) < checks.SAME_SHAPE / 2:
            return f"{width}:{height}"
    return f"{ratio:.2f}:1"


def shape_of(media: MediaFile) -> str:
    if not media.height:
        return "portrait"  # a document: most pages are upright
    ratio = media.width / media.height
    return "landscape" if ratio > 1.15 else "portrait" if ratio < 0.87 else "square"
