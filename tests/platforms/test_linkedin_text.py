from __future__ import annotations

import re

import pytest

from socialhub.platforms.linkedin_text import RESERVED, escape, unescape
from tests.platforms.linkedin import vectors


@pytest.mark.parametrize(("plain", "little"), vectors("little"))
def test_plain_text_becomes_little_text(plain, little):
    assert escape(plain) == little


@pytest.mark.parametrize(("plain", "little"), vectors("little"))
def test_and_comes_back_as_it_was(plain, little):
    assert unescape(little) == plain


def test_every_reserved_character_is_escaped_exactly_once():
    assert len(RESERVED) == 15
    for character in RESERVED:
        assert escape(f"a{character}") == f"a\\{character}"
        assert unescape(escape(character * 3)) == character * 3


def test_nothing_reserved_is_left_bare_outside_of_hashtags():
    text = "".join(sorted(RESERVED)) * 2
    assert not re.sub(r"\\.", "", escape(text))


@pytest.mark.parametrize(
    ("little", "plain"),
    [
        ("{hashtag|\\#|win}!", "#win!"),
        ("{hashtag|#|win}", "#win"),
        ("{hashtag|\\＃|日本}", "＃日本"),
        ("Thanks @[Garage \\(North\\)](urn:li:organization:9), all", "Thanks Garage (North), all"),
        ("cut at the end \\", "cut at the end \\"),
        ("\\n is no escape", "\\n is no escape"),
    ],
)
def test_what_linkedin_writes_is_read(little, plain):
    assert unescape(little) == plain
