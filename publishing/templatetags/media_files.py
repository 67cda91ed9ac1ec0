"""What a thumbnail says of a video or a document: that it plays, how long it is, how many pages it has."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from publishing.models import MediaFile
from socialhub.platforms.base import MediaKind
from socialhub.templatetags.ui import icon

register = template.Library()


@register.simple_tag
def media_badge(media: MediaFile | None) -> SafeString:
    """The sign on a thumbnail: a play sign and "0:12" on a video, "PDF" and its pages on a document, nothing on an image."""
    if media is None or media.kind == MediaKind.IMAGE:
        return mark_safe("")
    seen, said = badge_of(media)
    sign = icon("player-play") if media.kind == MediaKind.VIDEO else icon("file-text")
    return format_html(
        '<span class="thumb-kind" data-kind="{}">{}<span aria-hidden="true">{}</span>'
        '<span class="visually-hidden">{}</span></span>',
        media.kind,
        sign,
        seen,
        said,
    )


def badge_of(media: MediaFile) -> tuple[str, str]:
    """What the eye reads and what is read aloud."""
    if media.kind == MediaKind.VIDEO:
        length = clock_length(media.facts.get("seconds", 0))
        return length, _("Video, %(length)s") % {"length": length}
    pages = media.facts.get("pages", 0)
    if not pages:
        return "PDF", "PDF"
    said = ngettext("%(pages)d page", "%(pages)d pages", pages) % {"pages": pages}
    return f"PDF · {pages}", f"PDF, {said}"


@register.filter
def clock_length(seconds: float) -> str:
    """0:12, 1:30, 1:02:03. What has any length is never shown as none."""
    whole = max(round(seconds), 1) if seconds else 0
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def kind_name(media: MediaFile) -> str:
    return {MediaKind.VIDEO: _("video"), MediaKind.DOCUMENT: _("document")}.get(MediaKind(media.kind), _("image"))


@register.filter
def counted(items: object) -> str:
    """How many images, videos and documents these are: "2 images, 1 video". Takes media, or what has media."""
    kinds = [MediaKind(getattr(item, "media", item).kind) for item in items]  # type: ignore[attr-defined]
    images, videos, documents = (kinds.count(kind) for kind in MediaKind)
    parts = []
    if images:
        parts.append(ngettext("%(count)d image", "%(count)d images", images) % {"count": images})
    if videos:
        parts.append(ngettext("%(count)d video", "%(count)d videos", videos) % {"count": videos})
    if documents:
        parts.append(ngettext("%(count)d document", "%(count)d documents", documents) % {"count": documents})
    return ", ".join(parts)
