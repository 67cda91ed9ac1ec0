"""Where the networks fold a text, and what they colour in it."""

from __future__ import annotations

import pytest

from socialhub.platforms import PLATFORMS
from socialhub.platforms.base import PostType
from socialhub.platforms.counting import whole_characters
from socialhub.platforms.looks import LOOKS, Layout, Look, folded, layout_of, pieces


def test_every_network_has_a_look() -> None:
    assert set(LOOKS) == set(PLATFORMS)


@pytest.mark.parametrize("key", ["threads", "bluesky"])
def test_some_networks_show_all_of_a_text(key: str) -> None:
    text = "A line\n" * 30
    assert folded(text, LOOKS[key]) == (text, "")


@pytest.mark.parametrize(("key", "most"), [("instagram", 125), ("linkedin", 210), ("facebook", 477), ("x", 280)])
def test_a_long_line_folds_near_the_number_of_the_network(key: str, most: int) -> None:
    text = "word " * 200
    shown, hidden = folded(text, LOOKS[key])
    assert most - 5 <= len(shown) <= most
    assert shown + hidden == text
    assert not shown.endswith(" ")


def test_a_text_of_just_that_length_is_whole() -> None:
    text = "x" * 280
    assert folded(text, LOOKS["x"]) == (text, "")
    assert folded(text + "y", LOOKS["x"]) == (text, "y")


def test_lines_count_as_much_as_characters() -> None:
    assert folded("One\nTwo\nThree\nFour", LOOKS["linkedin"]) == ("One\nTwo\nThree", "\nFour")
    assert folded("One\n\nTwo\nThree", LOOKS["linkedin"]) == ("One\n\nTwo", "\nThree")
    assert folded("One\nTwo\nThree", LOOKS["linkedin"])[1] == ""


def test_a_line_that_is_broken_counts_as_several() -> None:
    long = "word " * 28  # two lines of LinkedIn's 70 characters
    shown, hidden = folded(f"{long}\nSecond\nThird", LOOKS["linkedin"])
    assert shown.endswith("Second")
    assert hidden == "\nThird"


def test_no_character_is_cut_in_two() -> None:
    family = "👩‍👩‍👧‍👦"
    look = Look(Layout.FEED, folds_after=20)
    shown, hidden = folded("x" * 18 + family * 3, look)
    assert shown == "x" * 18
    assert hidden == family * 3
    assert whole_characters(family, 3) == 3  # there is nothing shorter


def test_a_fold_does_not_go_back_far_for_a_space() -> None:
    shown, _hidden = folded("Oh " + "x" * 300, LOOKS["x"])
    assert len(shown) == 280


def test_what_a_network_colours() -> None:
    text = "See https://example.com/a?b=c. Thanks @garage.crew! #v8, me@example.com &#39;"
    marked = {part: kind for part, kind in pieces(text, LOOKS["x"]) if kind}
    assert marked == {"https://example.com/a?b=c": "link", "@garage.crew": "mention", "#v8": "hashtag"}
    assert "".join(part for part, _kind in pieces(text, LOOKS["x"])) == text
    assert [kind for _part, kind in pieces(text, LOOKS["instagram"]) if kind] == ["mention", "hashtag"]
    assert [kind for _part, kind in pieces(text, LOOKS["linkedin"]) if kind] == ["link", "hashtag"]
    assert [part for part, _kind in pieces("Hi @lena@mastodon.social.", LOOKS["mastodon"])][
        1
    ] == "@lena@mastodon.social"


def test_stories_and_reels_fill_a_screen_everywhere() -> None:
    assert layout_of("facebook", PostType.REEL) == layout_of("instagram", PostType.STORY) == Layout.STAGE
    assert layout_of("instagram", PostType.CAROUSEL) == Layout.PHOTO
