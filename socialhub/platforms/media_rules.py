"""What the networks say to videos and documents. Every refusal names the rule, what the file has, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from socialhub.platforms.base import Content, MediaItem, MediaKind, VideoFacts
from socialhub.platforms.rule_types import MEGABYTE, DocumentRules, ImageRules, MediaCount, Rules, VideoRules, Violation

KIND_NAMES = {
    MediaKind.IMAGE: lambda: _("an image"),
    MediaKind.VIDEO: lambda: _("a video"),
    MediaKind.DOCUMENT: lambda: _("a document"),
}
CODEC_NAMES = {"h264": "H.264", "hevc": "H.265 (HEVC)", "aac": "AAC"}
RATIO_SLACK = 0.01  # of a ratio: encoders round to even numbers of pixels
SECONDS_SLACK = 0.05  # a clip cut at 90 s measures 90.02


def check_kinds(rules: Rules, count: MediaCount, content: Content, type_name: str) -> Iterator[Violation]:
    """Items that this post type cannot hold."""
    for item in content.media:
        if item.kind not in count.kinds:
            yield Violation(
                "media_kind",
                _("A %(type)s on %(network)s cannot hold %(kind)s. Take it out or choose another post type.")
                % {"type": type_name, "network": rules.label, "kind": KIND_NAMES[item.kind]()},
                "media",
                item.position,
            )


def check_item(rules: Rules, content: Content, item: MediaItem) -> Iterator[Violation]:
    """One video or document against the rules of its network and post type."""
    if item.kind is MediaKind.VIDEO:
        videos = rules.videos.get(content.post_type)
        if videos is not None:
            yield from _video(rules, videos, item)
    elif item.kind is MediaKind.DOCUMENT and rules.document is not None:
        yield from _document(rules, rules.document, item)


def _video(rules: Rules, videos: VideoRules, item: MediaItem) -> Iterator[Violation]:
    yield from _weight(rules, item, videos.min_bytes, videos.max_bytes)
    yield from _shape(rules, videos, item)
    if item.video is None:
        return
    facts = item.video
    if facts.seconds < videos.min_seconds - SECONDS_SLACK or facts.seconds > videos.max_seconds + SECONDS_SLACK:
        yield _refusal(
            item,
            "video_length",
            _("%(network)s takes videos of %(least)s to %(most)s here; video %(position)s lasts %(has)s. Cut it.")
            % {
                "least": spoken(videos.min_seconds),
                "most": spoken(videos.max_seconds),
                "has": spoken(facts.seconds),
                **_where(rules, item),
            },
        )
    if facts.codec not in videos.codecs:
        yield _refusal(
            item,
            "video_codec",
            _("%(network)s takes %(takes)s; the pictures of video %(position)s are %(has)s. Export it as %(first)s.")
            % {**_codecs(videos.codecs, facts.codec), **_where(rules, item)},
        )
    if facts.audio_codec and facts.audio_codec not in videos.audio_codecs:
        yield _refusal(
            item,
            "audio_codec",
            _("%(network)s takes %(takes)s; the sound of video %(position)s is %(has)s. Export it with %(first)s.")
            % {**_codecs(videos.audio_codecs, facts.audio_codec), **_where(rules, item)},
        )
    yield from _rates(rules, videos, item, facts)


def _weight(rules: Rules, item: MediaItem, least: int, most: int) -> Iterator[Violation]:
    """Nothing is said of a size that is not known yet (0)."""
    if item.size_bytes > most:
        yield _refusal(
            item,
            "media_heavy",
            _(
                "%(network)s takes files of at most %(most)s MB here; file %(position)s has %(has)s MB. Export it smaller."
            )
            % {
                "most": f"{most // MEGABYTE:,}",
                "has": f"{-(-item.size_bytes // MEGABYTE):,}",
                **_where(rules, item),
            },
        )
    elif 0 < item.size_bytes < least:
        yield _refusal(
            item,
            "media_light",
            _("%(network)s takes no video below %(least)s kB; video %(position)s has %(has)s kB. Use a better copy.")
            % {"least": least // 1024, "has": item.size_bytes // 1024, **_where(rules, item)},
        )


def _shape(rules: Rules, videos: VideoRules, item: MediaItem) -> Iterator[Violation]:
    if not item.width or not item.height:
        return
    pixels = {"width": item.width, "height": item.height, **_where(rules, item)}
    if item.width < videos.min_width or item.height < videos.min_height:
        yield _refusal(
            item,
            "video_small",
            _(
                "%(network)s takes videos of at least %(least_width)s × %(least_height)s pixels here; video %(position)s "
                "has %(width)s × %(height)s. Export it larger."
            )
            % {"least_width": videos.min_width, "least_height": videos.min_height, **pixels},
        )
    if videos.max_width is not None and item.width > videos.max_width:
        yield _refusal(
            item,
            "video_wide",
            _(
                "%(network)s takes videos up to %(most)s pixels wide; video %(position)s has %(width)s. Export it smaller."
            )
            % {"most": videos.max_width, **pixels},
        )
    ratio = item.width / item.height
    if (videos.min_ratio and ratio < videos.min_ratio - RATIO_SLACK) or (
        videos.max_ratio and ratio > videos.max_ratio + RATIO_SLACK
    ):
        yield _refusal(
            item,
            "video_ratio",
            _(
                "The shape of video %(position)s (%(width)s × %(height)s) does not fit: %(network)s takes %(shapes)s here. "
                "Crop it."
            )
            % {"shapes": shapes(videos), **pixels},
        )


def shapes(rules: VideoRules | ImageRules) -> str:
    if rules.min_ratio == rules.max_ratio and rules.min_ratio is not None:
        return _("only %(ratio)s") % {"ratio": _ratio(rules.min_ratio)}
    return _("%(least)s to %(most)s (width to height)") % {
        "least": _ratio(rules.min_ratio or 0.01),
        "most": _ratio(rules.max_ratio or 10),
    }


def _ratio(ratio: float) -> str:
    for width, height in ((9, 16), (16, 9), (1, 1), (4, 5), (4, 3), (3, 4)):
        if abs(ratio - width / height) < 0.001:
            return f"{width}:{height}"
    return f"{ratio:.2f}:1"


def _rates(rules: Rules, videos: VideoRules, item: MediaItem, facts: VideoFacts) -> Iterator[Violation]:
    low = videos.min_fps is not None and facts.fps < videos.min_fps - 0.1
    high = videos.max_fps is not None and facts.fps > videos.max_fps + 0.1
    if facts.fps and (low or high):
        yield _refusal(
            item,
            "video_fps",
            _(
                "%(network)s takes %(least)s to %(most)s pictures a second; video %(position)s has %(has)s. Export it with "
                "30."
            )
            % {
                "least": f"{videos.min_fps or 0:g}",
                "most": f"{videos.max_fps or 0:g}",
                "has": f"{facts.fps:.3g}",
                **_where(rules, item),
            },
        )
    if videos.max_bit_rate is not None and facts.bit_rate > videos.max_bit_rate:
        yield _refusal(
            item,
            "video_bit_rate",
            _("%(network)s takes at most %(most)s Mbit a second; video %(position)s has %(has)s. Export it with less.")
            % {
                "most": f"{videos.max_bit_rate / 1e6:g}",
                "has": f"{facts.bit_rate / 1e6:.3g}",
                **_where(rules, item),
            },
        )


def _document(rules: Rules, documents: DocumentRules, item: MediaItem) -> Iterator[Violation]:
    yield from _weight(rules, item, 0, documents.max_bytes)
    if item.pages > documents.max_pages:
        yield _refusal(
            item,
            "document_long",
            _("%(network)s takes documents of at most %(most)s pages; this one has %(has)s. Split it.")
            % {"most": documents.max_pages, "has": item.pages, **_where(rules, item)},
        )


def _refusal(item: MediaItem, code: str, message: str) -> Violation:
    return Violation(code, message, "media", item.position)


def _where(rules: Rules, item: MediaItem) -> dict[str, Any]:
    return {"network": rules.label, "position": item.position}


def _codecs(takes: tuple[str, ...], has: str) -> dict[str, str]:
    names = [CODEC_NAMES.get(codec, codec) for codec in takes]
    return {"takes": ", ".join(names), "has": CODEC_NAMES.get(has, has), "first": names[0]}


def spoken(seconds: float) -> str:
    """A length as people say it: 3 s, 1:30 min, 15 min."""
    if seconds < 60:
        return _("%(seconds)s s") % {"seconds": f"{seconds:.3g}"}
    minutes, rest = divmod(round(seconds), 60)
    if rest:
        return _("%(minutes)d:%(seconds)02d min") % {"minutes": minutes, "seconds": rest}
    return _("%(minutes)d min") % {"minutes": minutes}
