from __future__ import annotations

import pytest

from socialhub.platforms import rules
from socialhub.platforms.base import Content, MediaItem, PostType
from socialhub.platforms.buffer_rules import (
    IMAGE,
    RULES,
    TITLE_LIMIT,
    WINDOWS,
    caption_limit,
    check,
    sent_text,
    text_length,
)
from tests.platforms import buffer_wire as wire

LINK = "https://shop.example/camaro"


def codes(violations):
    return [violation.code for violation in violations]


def text(words: str, link: str = "") -> Content:
    return Content(PostType.LINK if link else PostType.TEXT, words, link=link)


@pytest.mark.parametrize(
    ("key", "limit"),
    [
        ("x", 280),
        ("threads", 500),
        ("bluesky", 300),
        ("mastodon", 500),
        ("pinterest", 500),
        ("tiktok", 4000),
        ("google_business", 1500),
    ],
)
def test_the_longest_text_fits_and_one_more_does_not(key, limit, images):
    content = images(1)
    chosen = {"board_service_id": "777"}
    fits, over = (
        wire.chosen(Content(content.post_type, "a" * length, media=content.media), chosen)
        for length in (limit, limit + 1)
    )
    assert codes(check(key, fits)) == []
    (violation,) = check(key, over)
    assert (violation.code, violation.field, violation.level) == ("caption_too_long", "caption", "error")
    assert "Shorten it by 1." in violation.message
    assert RULES[key].caption_limit == caption_limit(key) == limit


@pytest.mark.parametrize(
    ("key", "words", "length"),
    [
        ("x", "日本", 4),
        ("threads", "😀", 2),
        ("bluesky", "👨‍👩‍👧‍👦", 1),
        ("mastodon", "日本", 2),
        ("bluesky", "a\r\nb\x00", 3),
    ],
)
def test_each_network_counts_in_its_own_way(key, words, length):
    assert text_length(key, words) == length


@pytest.mark.parametrize(
    ("subscription", "limit"),
    [
        ("", 280),
        ("None", 280),
        ("free", 280),
        ("Basic", 25_000),
        ("Premium", 25_000),
        ("Premium+", 25_000),
        ("PremiumPlus", 25_000),
        ("premium_plus", 25_000),
    ],
)
def test_an_x_account_that_pays_may_write_more(subscription, limit):
    assert caption_limit("x", subscription_type=subscription) == limit
    assert caption_limit("threads", subscription_type=subscription) == 500


def test_the_subscription_is_read_from_the_choices():
    long = text("a" * 281)
    assert codes(check("x", long)) == ["caption_too_long"]
    assert codes(check("x", wire.chosen(long, {"x_subscription": "Premium"}))) == []


def test_the_link_counts_where_it_goes_into_the_text():
    words = "a" * 275
    assert codes(check("x", text(words))) == []
    assert codes(check("x", text(words, LINK))) == ["caption_too_long"]
    assert codes(check("bluesky", text("a" * 300, LINK))) == []


@pytest.mark.parametrize(
    ("key", "with_image", "wanted"),
    [
        ("x", False, True),
        ("x", True, True),
        ("mastodon", True, True),
        ("threads", False, False),
        ("threads", True, True),
        ("bluesky", True, True),
        ("google_business", True, False),
        ("pinterest", True, False),
        ("tiktok", True, False),
    ],
)
def test_where_the_link_goes(key, with_image, wanted, images):
    content = images(1, text="Look", link=LINK) if with_image else text("Look", LINK)
    assert (LINK in sent_text(key, content)) is wanted


def test_words_are_needed_without_images(images):
    assert codes(check("x", text("  "))) == ["caption_missing"]
    assert codes(check("x", text("", LINK))) == []
    assert codes(check("bluesky", text("", LINK))) == ["caption_missing"]
    assert codes(check("x", images(1, text=""))) == []


def test_a_pin_needs_a_board_and_a_short_title(images):
    assert codes(check("pinterest", images(1))) == ["board_missing"]
    long = wire.chosen(images(1), {"board_service_id": "777", "title": "t" * 101})
    assert codes(check("pinterest", long)) == ["title_too_long"]


def test_a_topic_of_threads_is_short():
    assert codes(check("threads", wire.chosen(text("a"), {"topic": "t" * 51}))) == ["topic_too_long"]
    assert codes(check("threads", wire.chosen(text("a"), {"topic": "t" * 50}))) == []


@pytest.mark.parametrize(
    ("choices", "wanted"),
    [
        ({}, []),
        ({"type": "news"}, ["type_unknown"]),
        ({"button": "press"}, ["type_unknown"]),
        ({"type": "offer", "title": "Sale"}, ["details_missing"]),
        ({"type": "event", "title": "Show", "start_date": "2026-12-01", "end_date": "2026-12-02"}, []),
    ],
)
def test_what_google_business_needs(choices, wanted):
    assert codes(check("google_business", wire.chosen(text("a"), choices))) == wanted


def test_youtube_says_honestly_that_videos_cannot_be_sent_yet(images):
    (violation,) = check("youtube", images(1))
    assert violation.code == "video_needed"
    assert "cannot send videos yet" in violation.message


@pytest.mark.parametrize(
    ("key", "kinds"),
    [
        ("x", {"text", "link", "single", "multi_image"}),
        ("threads", {"text", "link", "single", "multi_image"}),
        ("bluesky", {"text", "link", "single", "multi_image"}),
        ("mastodon", {"text", "link", "single", "multi_image"}),
        ("pinterest", {"single"}),
        ("tiktok", {"single", "multi_image"}),
        ("youtube", set()),
        ("google_business", {"text", "link", "single"}),
    ],
)
def test_the_post_types(key, kinds):
    assert set(RULES[key].post_types) == kinds


@pytest.mark.parametrize("key", ["x", "threads", "bluesky", "mastodon", "tiktok"])
def test_the_common_check_counts_images_by_these_rules(key, images):
    most = RULES[key].post_types[PostType.MULTI_IMAGE].max_media
    assert "media_too_many" not in codes(rules.check(key, images(most)))
    assert "media_too_many" in codes(rules.check(key, images(most + 1)))


def test_the_common_check_asks_these_rules_too(images):
    for content in (text("a"), images(1), images(2)):
        assert codes(rules.check("youtube", content)) == ["video_needed"]
    assert codes(rules.check("pinterest", images(1))) == ["board_missing"]
    assert "that comes" in rules.check("pinterest", images(1))[0].message
    assert codes(rules.check("x", text("a" * 281))) == ["caption_too_long"]


def test_a_long_description_is_refused_by_these_rules():
    item = MediaItem(1, "https://m.example/1.jpg", "image/jpeg", 1080, 1080, 10, alt_text="a" * 501)
    assert "alt_text_too_long" in codes(rules.check("pinterest", Content(PostType.SINGLE, "a", media=(item,))))


def test_every_network_fetches_its_images_and_names_its_source():
    for key, entry in RULES.items():
        assert entry.fetches_media, key
        assert entry.source, key
        assert IMAGE[key] is entry.image
        assert all(window.source for window in WINDOWS[key])
    assert set(TITLE_LIMIT) <= set(RULES)
