"""What Instagram takes, as values of the types in `rule_types.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from django.utils.translation import gettext as _

from socialhub.platforms.base import Content, MediaItem, MediaKind, PostType
from socialhub.platforms.rule_types import (
    DAY,
    HOUR,
    IMAGES_AND_VIDEOS,
    MEGABYTE,
    VIDEO_ONLY,
    ImageRules,
    MediaCount,
    Rules,
    VideoRules,
    Violation,
    Window,
)

SOURCE = "Instagram Platform documentation, v26.0, read September to October 2026"
VERTICAL = 9 / 16
SOUND_RATE, SOUND_CHANNELS = 48_000, 2
RATIO_SLACK = 0.02  # of a ratio: what is cut off is less than anybody sees

IMAGE = ImageRules(max_bytes=8 * MEGABYTE, max_width=1440, min_width=320, min_ratio=0.8, max_ratio=1.91)
REEL = VideoRules(
    max_bytes=300 * MEGABYTE,
    min_seconds=3,
    max_seconds=900,
    max_width=1920,
    min_ratio=0.01,
    max_ratio=10,
    min_fps=23,
    max_fps=60,
    max_bit_rate=25_000_000,
)
# Of videos in stories and carousels fewer numbers are documented than of reels: the tighter ones hold.
SHORT = replace(REEL, max_bytes=100 * MEGABYTE, max_seconds=60)

RULES = Rules(
    label="Instagram",
    caption_limit=2_200,
    post_types={
        PostType.SINGLE: MediaCount(1, 1),
        # The app takes 20 items; the list of errors of the API still says 10.
        PostType.CAROUSEL: MediaCount(2, 10, IMAGES_AND_VIDEOS),
        PostType.REEL: MediaCount(1, 1, VIDEO_ONLY),
        PostType.STORY: MediaCount(1, 1, IMAGES_AND_VIDEOS),
    },
    image=IMAGE,
    # Other shapes are taken for a story, too, and Instagram then chooses what lies around them.
    images={PostType.STORY: replace(IMAGE, max_width=1080, min_ratio=VERTICAL, max_ratio=VERTICAL)},
    videos={PostType.CAROUSEL: SHORT, PostType.REEL: REEL, PostType.STORY: SHORT},
    # Long documented for comments, not seen in the newest documents.
    first_comment_limit=300,
    comment_scopes={"instagram": "instagram_business_manage_comments", "": "instagram_manage_comments"},
    silent_types=(PostType.STORY,),
    hashtag_limit=30,
    hashtag_warning=5,  # the Instagram app's own limit since December 2025
    mention_limit=20,
    shows_links=False,
    fetches_media=True,
    source=SOURCE,
)

WINDOWS: tuple[Window, ...] = (
    Window("publish", 25, HOUR, "default of this product"),
    # 400 are documented; some room is left for what other tools create.
    Window("containers", 360, DAY, SOURCE),
    # Used until the account's own quota (content_publishing_limit) is read. Reels and stories count like posts.
    Window("posts", 50, DAY, SOURCE),
)


def check(content: Content) -> Iterator[Violation]:
    """What `rules.check` cannot see: the sound of videos, and what Instagram cuts off in a carousel."""
    for item in content.media:
        if item.kind is MediaKind.VIDEO:
            yield from _sound(item)
    if content.post_type is PostType.CAROUSEL and content.media:
        yield from _cut(content)


def _sound(item: MediaItem) -> Iterator[Violation]:
    facts = item.video
    if facts is None or not facts.audio_codec:
        return
    if facts.audio_rate > SOUND_RATE or facts.audio_channels > SOUND_CHANNELS:
        yield Violation(
            "audio_format",
            _(
                "Instagram takes sound with up to %(rate)s kHz and %(channels)s channels; video %(position)s has %(has)s kHz "
                "and %(has_channels)s. Export it with stereo sound at 48 kHz."
            )
            % {
                "rate": SOUND_RATE // 1000,
                "channels": SOUND_CHANNELS,
                "position": item.position,
                "has": f"{facts.audio_rate / 1000:g}",
                "has_channels": facts.audio_channels,
            },
            "media",
            item.position,
        )


def _cut(content: Content) -> Iterator[Violation]:
    """Images are rendered to the shape of the first item; a video goes out as it is, and Instagram cuts it."""
    first = content.media[0]
    if not first.width or not first.height:
        return
    shape = min(max(first.width / first.height, IMAGE.min_ratio or 0), IMAGE.max_ratio or 10)
    for item in content.media:
        if item.kind is not MediaKind.VIDEO or not item.height:
            continue
        if abs(item.width / item.height - shape) > RATIO_SLACK:
            yield Violation(
                "video_cropped",
                _(
                    "Instagram shows all of a carousel in the shape of its first item, so it cuts off the edges of video "
                    "%(position)s (%(width)s × %(height)s). Export it in the same shape to avoid that."
                )
                % {"position": item.position, "width": item.width, "height": item.height},
                "media",
                item.position,
                level="warning",
            )
