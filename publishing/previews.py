"""How a post would look on each network, near enough to judge by: the cut of its images, the fold of its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from publishing import checks
from publishing.checks import Reshaped
from publishing.models import MediaFile, PostMedia, Publication
from publishing.post_types import TYPE_NAMES
from socialhub.platforms import LABELS
from socialhub.platforms.base import MediaKind, PostType
from socialhub.platforms.choices import Told
from socialhub.platforms.looks import LOOKS, Layout, Look, Several, folded, layout_of
from socialhub.platforms.rules import RULES, caption_limit, length_of, shown_text

SEEN = {Several.COLLAGE: 5, Several.GRID: 4}  # so many images stand together; what is scrolled shows them all
TEMPLATES = {
    Layout.FEED: "publishing/_preview_feed.html",
    Layout.PHOTO: "publishing/_preview_photo.html",
    Layout.THREAD: "publishing/_preview_thread.html",
    Layout.PIN: "publishing/_preview_pin.html",
    Layout.STAGE: "publishing/_preview_stage.html",
    Layout.WATCH: "publishing/_preview_watch.html",
    Layout.CARD: "publishing/_preview_card.html",
}
# Where there are more, the checks say so; the network would show one.
ALONE = (PostType.SINGLE, PostType.VIDEO, PostType.REEL, PostType.STORY)


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


@dataclass(frozen=True)
class Preview:
    publication: Publication
    label: str
    type_name: str
    media: Sequence[Shown]
    shape: str
    text: str
    length: int
    limit: int
    look: Look
    told: tuple[Told, ...] = ()

    @property
    def layout(self) -> Layout:
        layout = layout_of(self.publication.account.platform, PostType(self.publication.post_type))
        # A video that is no wider than high becomes a Short.
        is_short = layout == Layout.WATCH and bool(self.media) and self.shape != "landscape"
        return Layout.STAGE if is_short else layout

    @property
    def template(self) -> str:
        return TEMPLATES[self.layout]

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
        return self.layout == Layout.STAGE

    @property
    def items(self) -> list[PostMedia]:
        return [shown.item for shown in self.media]

    @property
    def several(self) -> str:
        """How its images stand together; "" for one alone."""
        if len(self.media) < 2 or self.publication.post_type in ALONE:
            return ""
        slides = self.publication.post_type == PostType.CAROUSEL or self.is_upright
        return Several.SLIDES if slides else self.look.several

    @property
    def seen(self) -> Sequence[Shown]:
        """The images that are in sight at once, or come by scrolling."""
        return self.media[: SEEN.get(Several(self.several), len(self.media)) if self.several else 1]

    @property
    def more_media(self) -> int:
        """How many images the last of a collage stands for besides itself."""
        return len(self.media) - len(self.seen) if self.several == Several.COLLAGE else 0

    @property
    def document(self) -> MediaFile | None:
        first = self.media[0].item.media if self.media else None
        return first if first and first.kind == MediaKind.DOCUMENT else None

    @cached_property
    def parts(self) -> tuple[str, str]:
        """The text that is seen at once, and what the network hides behind "more"."""
        return folded(self.text, self.look)

    @property
    def host(self) -> str:
        """Of the link, as the networks write it on its card."""
        return (urlsplit(self.publication.post.link).hostname or "").removeprefix("www.")

    @property
    def has_link_card(self) -> bool:
        return self.publication.post_type == PostType.LINK and bool(self.host)

    @property
    def link_title(self) -> str:
        """What stands on the card of its link, where the network is told; "" where it reads the page itself."""
        return self.titles[0].value if self.has_link_card and self.titles else ""

    @property
    def over(self) -> bool:
        return self.length > self.limit

    @property
    def left(self) -> int:
        return self.limit - self.length

    def told_as(self, way: str) -> list[Told]:
        return [one for one in self.told if one.shown_as == way]

    @property
    def titles(self) -> list[Told]:
        return self.told_as("title")

    @property
    def lines(self) -> list[Told]:
        return self.told_as("line")

    @property
    def buttons(self) -> list[Told]:
        return self.told_as("button")


def preview(publication: Publication, media: Sequence[PostMedia]) -> Preview:
    key = publication.account.platform
    with_images = publication.post_type not in (PostType.TEXT, PostType.LINK)
    frames = {position: Frame.of(one) for position, one in checks.reshaped(publication, media).items()}
    content = checks.content_of(publication, media)
    return Preview(
        publication=publication,
        label=str(LABELS[key]),
        type_name=str(TYPE_NAMES[PostType(publication.post_type)]),
        media=[Shown(item, frames.get(position)) for position, item in enumerate(media, start=1)]
        if with_images
        else [],
        shape=shape_of(media[0].media) if media else "",
        text=shown_text(key, content),
        length=length_of(key, content),
        limit=caption_limit(key, publication.account.offers, PostType(publication.post_type)),
        look=LOOKS[key],
        told=checks.told_of(publication),
    )


def shape_of(media: MediaFile) -> str:
    if not media.height:
        return "portrait"  # a document: most pages are upright
    ratio = media.width / media.height
    return "landscape" if ratio > 1.15 else "portrait" if ratio < 0.87 else "square"
