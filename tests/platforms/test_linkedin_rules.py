from __future__ import annotations

import pytest

from socialhub.platforms import choices, rules
from socialhub.platforms.base import Content, MediaItem, MediaKind, PostType, VideoFacts
from socialhub.platforms.linkedin_rules import RULES, WINDOWS, check, commentary_of, has_card, text_length
from socialhub.platforms.rule_types import MEGABYTE, DocumentRules

LINK = "https://shop.example/camaro"


def test_the_numbers():
    assert RULES.caption_limit == 3_000
    assert (RULES.alt_text_limit, RULES.image.max_bytes) == (4_086, 8 * 1024 * 1024)
    assert (RULES.image.max_width * RULES.image.max_height) < 36_152_320
    assert {kind.value: (count.min_media, count.max_media) for kind, count in RULES.post_types.items()} == {
        "text": (0, 0),
        "link": (0, 1),
        "single": (1, 1),
        "multi_image": (2, 20),
        "video": (1, 1),
        "document": (1, 1),
    }
    assert (RULES.first_comment_limit, RULES.document) == (1_250, DocumentRules(100 * MEGABYTE, 300))
    assert [(window.group, window.limit, window.seconds) for window in WINDOWS] == [("publish", 100, 86_400)]


def test_a_link_goes_into_the_text_beside_images_only(images):
    assert commentary_of(images(2, link=LINK)) == f"1969 Camaro\n\n{LINK}"
    assert commentary_of(images(2, text=f"See {LINK}!", link=LINK)) == f"See {LINK}!"
    assert commentary_of(images(1, text="", link=LINK)) == LINK
    assert commentary_of(Content(PostType.LINK, "Look", link=LINK)) == "Look"
    assert commentary_of(images(1, PostType.LINK, link=LINK)) == "1969 Camaro"


def test_line_breaks_count_once():
    assert text_length("a\r\nb") == 3
    assert commentary_of(Content(PostType.TEXT, "a\r\nb")) == "a\nb"


@pytest.mark.parametrize(
    ("text", "link", "number", "wanted"),
    [
        ("x" * 3000, "", 0, []),
        ("x" * 2990, LINK, 1, [("caption_too_long_with_link", "error")]),
        ("x" * 3000, LINK, 1, [("caption_too_long_with_link", "error")]),
        ("x" * 2900, LINK, 1, []),
        ("x" * 2999 + "(", "", 0, [("caption_long_when_escaped", "warning")]),
        ("x" * 2990 + "(((((((((", "", 0, [("caption_long_when_escaped", "warning")]),
        ("x" * 3001, "", 0, []),  # the common rule says that one
    ],
)
def test_the_text_grows_on_its_way(images, text, link, number, wanted):
    content = images(number, text=text, link=link) if number else Content(PostType.TEXT, text, link=link)
    assert [(violation.code, violation.level) for violation in check(content)] == wanted


def test_the_sentence_names_how_much_too_long(images):
    (violation,) = check(images(1, text="x" * 2990, link=LINK))
    assert "3,000" in violation.message
    assert f"Shorten it by {2990 + 2 + len(LINK) - 3000}." in violation.message


def clip(**changes):
    facts = {"seconds": 10, "fps": 30, "codec": "h264", "audio_codec": "aac"}
    facts |= {name: changes.pop(name) for name in list(changes) if name in facts}
    values = {"width": 540, "height": 960, "size_bytes": MEGABYTE} | changes
    item = MediaItem(1, "", "video/mp4", kind=MediaKind.VIDEO, video=VideoFacts(**facts), **values)
    return Content(PostType.VIDEO, "Film", media=(item,))


def brochure(**changes):
    values = {"size_bytes": MEGABYTE, "pages": 3, "title": "Brochure"} | changes
    item = MediaItem(1, "", "application/pdf", 0, 0, kind=MediaKind.DOCUMENT, **values)
    return Content(PostType.DOCUMENT, "Read", media=(item,))


def codes(content):
    return [violation.code for violation in rules.check("linkedin", content)]


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (clip(), []),
        (clip(seconds=3), []),
        (clip(seconds=1_800), []),
        (clip(seconds=2.9), ["video_length"]),
        (clip(seconds=1_801), ["video_length"]),
        (clip(size_bytes=75 * 1024), []),
        (clip(size_bytes=75 * 1024 - 1), ["media_light"]),
        (clip(size_bytes=500 * MEGABYTE), []),
        (clip(size_bytes=500 * MEGABYTE + 1), ["media_heavy"]),
        (clip(codec="av1"), ["video_codec"]),
        (brochure(), []),
        (brochure(size_bytes=100 * MEGABYTE, pages=300), []),
        (brochure(size_bytes=100 * MEGABYTE + 1), ["media_heavy"]),
        (brochure(pages=301), ["document_long"]),
    ],
)
def test_videos_and_documents(content, wanted):
    assert codes(content) == wanted


def test_each_kind_in_its_own_post_type(images):
    assert "media_kind" in codes(Content(PostType.VIDEO, "x", media=images(1).media))
    assert "media_kind" in codes(Content(PostType.DOCUMENT, "x", media=clip().media))
    assert "media_kind" in codes(Content(PostType.MULTI_IMAGE, "x", media=(*clip().media, *images(1).media)))
    assert "media_kind" in codes(Content(PostType.LINK, "x", link=LINK, media=clip().media))


def test_where_a_link_becomes_a_card(images):
    assert has_card(Content(PostType.LINK, "Look", link=LINK))
    assert has_card(Content(PostType.TEXT, "Look", link=LINK))
    assert has_card(images(1, PostType.LINK, link=LINK))
    assert not has_card(Content(PostType.TEXT, "Look"))
    for content in (images(1, link=LINK), Content(PostType.VIDEO, "Film", LINK, clip().media)):
        assert not has_card(content)
        assert commentary_of(content).endswith(f"\n\n{LINK}")


@pytest.mark.parametrize(
    ("post_type", "names"),
    [
        (PostType.LINK, ["link_title", "link_description"]),
        (PostType.DOCUMENT, ["document_title"]),
        (PostType.TEXT, []),
        (PostType.SINGLE, []),
        (PostType.VIDEO, []),
    ],
)
def test_titles_are_asked_for_what_has_them(post_type, names):
    assert [choice.name for choice in choices.asked(RULES.choices, {}, post_type)] == names


def test_nothing_is_asked_that_nobody_needs_to_answer():
    assert not any(choice.required for choice in RULES.choices)


def test_a_mention_that_is_none_is_said():
    (violation,) = check(Content(PostType.TEXT, "By @[Barn](urn:li:company:4) and @[Barn](urn:li:organization:4)"))
    assert (violation.code, violation.field, violation.level) == ("mention_unreadable", "caption", "warning")
    assert "@[Barn](urn:li:company:4)" in violation.message
