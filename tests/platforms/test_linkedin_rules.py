from __future__ import annotations

import pytest

from socialhub.platforms.base import Content, PostType
from socialhub.platforms.linkedin_rules import RULES, WINDOWS, check, commentary_of, text_length

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
    }
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
