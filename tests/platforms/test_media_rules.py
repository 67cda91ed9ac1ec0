"""Videos and documents against rules: each rule named with what the file has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from socialhub.platforms import media_rules
from socialhub.platforms.base import Content, MediaItem, MediaKind, PostType, VideoFacts
from socialhub.platforms.rule_types import (
    IMAGES_AND_VIDEOS,
    MEGABYTE,
    VIDEO_ONLY,
    DocumentRules,
    ImageRules,
    MediaCount,
    Rules,
    VideoRules,
)

RULES = Rules(
    label="Somewhere",
    caption_limit=100,
    post_types={PostType.REEL: MediaCount(1, 1, VIDEO_ONLY), PostType.STORY: MediaCount(1, 1, IMAGES_AND_VIDEOS)},
    image=ImageRules(max_bytes=MEGABYTE, max_width=1000, min_width=1),
    videos={
        PostType.REEL: VideoRules(
            max_bytes=10 * MEGABYTE,
            min_bytes=75 * 1024,
            min_seconds=3,
            max_seconds=90,
            min_width=540,
            min_height=960,
            max_width=1920,
            min_ratio=9 / 16,
            max_ratio=9 / 16,
            min_fps=24,
            max_fps=60,
            max_bit_rate=25_000_000,
        )
    },
    document=DocumentRules(max_bytes=MEGABYTE, max_pages=300),
)
GOOD = MediaItem(
    position=1,
    url="",
    content_type="video/mp4",
    width=1080,
    height=1920,
    size_bytes=5 * MEGABYTE,
    kind=MediaKind.VIDEO,
    video=VideoFacts(seconds=12, fps=30, codec="h264", audio_codec="aac", bit_rate=4_000_000),
)


def codes(item: MediaItem, post_type: PostType = PostType.REEL) -> list[str]:
    return [violation.code for violation in media_rules.check_item(RULES, Content(post_type, media=(item,)), item)]


def facts(**changes: object) -> MediaItem:
    assert GOOD.video is not None
    return replace(GOOD, video=replace(GOOD.video, **changes))  # type: ignore[arg-type]


def test_a_good_video_passes() -> None:
    assert codes(GOOD) == []


@pytest.mark.parametrize("seconds", [3, 90, 90.04])
def test_both_ends_of_the_length_pass(seconds: float) -> None:
    assert codes(facts(seconds=seconds)) == []


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (facts(seconds=2.9), "video_length"),
        (facts(seconds=90.2), "video_length"),
        (facts(codec="vp9"), "video_codec"),
        (facts(audio_codec="opus"), "audio_codec"),
        (facts(fps=23), "video_fps"),
        (facts(fps=120), "video_fps"),
        (facts(bit_rate=26_000_000), "video_bit_rate"),
        (replace(GOOD, size_bytes=11 * MEGABYTE), "media_heavy"),
        (replace(GOOD, size_bytes=70 * 1024), "media_light"),
        (replace(GOOD, width=360, height=640), "video_small"),
        (replace(GOOD, width=2160, height=3840), "video_wide"),
        (replace(GOOD, width=1080, height=1080), "video_ratio"),
    ],
)
def test_each_rule_refuses_by_its_own_name(item: MediaItem, code: str) -> None:
    assert codes(item) == [code]


def test_a_video_without_sound_is_no_trouble() -> None:
    assert codes(facts(audio_codec="")) == []


def test_what_is_not_known_yet_is_not_refused() -> None:
    assert codes(replace(GOOD, size_bytes=0, width=0, height=0, video=None)) == []


def test_the_sentence_names_rule_file_and_remedy() -> None:
    content = Content(PostType.REEL, media=(facts(seconds=95),))
    (violation,) = media_rules.check_item(RULES, content, content.media[0])
    assert violation.message == "Somewhere takes videos of 3 s to 1:30 min here; video 1 lasts 1:35 min. Cut it."
    assert (violation.field, violation.media_position) == ("media", 1)


def test_a_long_document_is_refused() -> None:
    item = MediaItem(1, "", "application/pdf", 0, 0, 1000, kind=MediaKind.DOCUMENT, pages=301)
    assert codes(item, PostType.DOCUMENT) == ["document_long"]
    assert codes(replace(item, pages=300, size_bytes=2 * MEGABYTE), PostType.DOCUMENT) == ["media_heavy"]


def test_kinds_that_a_type_cannot_hold_are_refused_one_by_one() -> None:
    image = MediaItem(2, "", "image/jpeg", 100, 100, 100)
    content = Content(PostType.REEL, media=(GOOD, image))
    found = list(media_rules.check_kinds(RULES, RULES.post_types[PostType.REEL], content, "reel"))
    assert [(violation.code, violation.media_position) for violation in found] == [("media_kind", 2)]
    story = RULES.post_types[PostType.STORY]
    assert not list(media_rules.check_kinds(RULES, story, Content(PostType.STORY, media=(GOOD, image)), "story"))


@pytest.mark.parametrize(("seconds", "words"), [(3, "3 s"), (59.96, "60 s"), (90, "1:30 min"), (900, "15 min")])
def test_lengths_are_spoken(seconds: float, words: str) -> None:
    assert media_rules.spoken(seconds) == words
