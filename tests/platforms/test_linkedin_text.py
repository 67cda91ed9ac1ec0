from __future__ import annotations

import re

import pytest

from socialhub.platforms.linkedin_text import RESERVED, escape, near_mentions, readable, unescape
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


MENTIONS = [
    ("@[Name](urn:li:organization:1)", "@[Name](urn:li:organization:1)", "Name"),
    ("By @[Ada L.](urn:li:person:aBc-1_x)!", "By @[Ada L.](urn:li:person:aBc-1_x)!", "By Ada L.!"),
    (
        "@[Garage (North)](urn:li:organization:9) #win",
        "@[Garage \\(North\\)](urn:li:organization:9) #win",
        "Garage (North) #win",
    ),
    (
        "@[A](urn:li:organization:1)@[B_C #1](urn:li:organization:2)",
        "@[A](urn:li:organization:1)@[B\\_C \\#1](urn:li:organization:2)",
        "AB_C #1",
    ),
    (
        "C# by @[A & Co](urn:li:organization:1), @x",
        "C\\# by @[A & Co](urn:li:organization:1), \\@x",
        "C# by A & Co, @x",
    ),
]


@pytest.mark.parametrize(("written", "little", "shown"), MENTIONS)
def test_a_mention_stays_one_with_its_name_escaped(written, little, shown):
    assert escape(written) == little
    assert unescape(little) == readable(written) == shown


@pytest.mark.parametrize(
    "text", ["a_b (c) @d", "@[x] and (y)", "https://x.example/@[N](urn:li:organization:1)", "#tag @name", ""]
)
def test_text_without_mentions_reads_as_it_stands(text):
    assert readable(text) == text
    assert unescape(escape(text)) == text


def test_what_looks_like_a_mention_and_is_none_is_named():
    text = "@[A](urn:li:organization:1) @[B](urn:li:company:2) @[C](https://x.example) @[D] (e) @[E]()"
    assert near_mentions(text) == ["@[B](urn:li:company:2)", "@[C](https://x.example)", "@[E]()"]
