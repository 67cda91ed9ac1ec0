"""What kind of post something is, in one set of words for all networks, which name the same things differently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from analytics.models import PlatformPost
from publishing.models import Publication
from socialhub.platforms.base import PostType


def either_case(words: frozenset[str]) -> list[str]:
    return sorted({form for word in words for form in (word, word.lower(), word.upper())})


@dataclass(frozen=True, slots=True)
class Kind:
    """products and media_types: as the networks spell them, in any case of letters; post_types: of what was made here."""

    key: str
    word: Any
    icon: str
    products: frozenset[str]
    media_types: frozenset[str]
    post_types: frozenset[str]

    @property
    def condition(self) -> Q:
        told = Q(media_type__in=either_case(self.media_types)) & ~Q(product__in=either_case(BY_PRODUCT))
        # Read only where the network says nothing of a post; a join would read all publications, whatever it says.
        made = Publication.objects.filter(post_type__in=self.post_types).values("pk")
        ours = Q(media_type="") & ~Q(product__in=either_case(BY_PRODUCT)) & Q(publication__in=made)
        return Q(product__in=either_case(self.products)) | told | ours


def kind(
    key: str, word: Any, icon: str, media_types: str, *post_types: PostType, products: tuple[str, ...] = ()
) -> Kind:
    return Kind(
        key, word, icon, frozenset(products), frozenset(media_types.split()), frozenset(one.value for one in post_types)
    )


KINDS = {
    one.key: one
    for one in (
        kind("image", _("Image"), "photo", "image photo single cover_photo profile_media", PostType.SINGLE),
        kind(
            "images",
            _("Several images"),
            "photo-plus",
            "carousel_album carousel album multi_image multiImage",
            PostType.MULTI_IMAGE,
            PostType.CAROUSEL,
        ),
        kind("video", _("Video"), "movie", "video video_inline", PostType.VIDEO),
        kind("reel", _("Reel"), "movie", "reels reel", PostType.REEL, products=("reels", "reel")),
        kind("story", _("Story"), "progress", "story stories", PostType.STORY, products=("story", "stories")),
        kind("document", _("Document"), "file-text", "document", PostType.DOCUMENT),
        kind("link", _("Link"), "link", "link share article", PostType.LINK),
        kind("text", _("Text"), "article", "text status poll", PostType.TEXT),
    )
}
BY_PRODUCT = frozenset(product for one in KINDS.values() for product in one.products)
STORIES = KINDS["story"].condition


def kind_of(post: PlatformPost) -> Kind | None:
    """None: the network does not say."""
    product, media_type = post.product.lower(), post.media_type.lower()
    for one in KINDS.values():
        if product in one.products:
            return one
    if media_type:
        return next((one for one in KINDS.values() if media_type in map(str.lower, one.media_types)), None)
    if post.publication is not None:
        return next((one for one in KINDS.values() if post.publication.post_type in one.post_types), None)
    return None
