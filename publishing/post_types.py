"""The kinds of posts in the words of the pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from socialhub.platforms.base import PostType

TYPE_NAMES = {
    PostType.TEXT: _("Text"),
    PostType.LINK: _("Link with preview"),
    PostType.SINGLE: _("Single image"),
    PostType.MULTI_IMAGE: _("Several images"),
    PostType.CAROUSEL: _("Carousel"),
    PostType.VIDEO: _("Video"),
    PostType.REEL: _("Reel"),
    PostType.STORY: _("Story"),
    PostType.DOCUMENT: _("Document"),
}
