from __future__ import annotations

import pytest

from socialhub.platforms.text import hashtags, mentions, normalise


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#one #two", ["one", "two"]),
        ("#one#two", ["one", "two"]),
        ("Restored (#camaro), #año1969!", ["camaro", "año1969"]),
        ("C# and # alone", []),
        ("https://x.example/#top", ["top"]),
        ("#日本 ＃full", ["日本", "full"]),
        ("#same #same", ["same", "same"]),
    ],
)
def test_hashtags(text, tags):
    assert hashtags(text) == tags


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@garage and @barn.finds.", ["garage", "barn.finds"]),
        ("me@example.org https://x.example/@name", ["example.org", "name"]),
        ("(@garage)", ["garage"]),
    ],
)
def test_mentions(text, names):
    assert mentions(text) == names


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Hello  world\r\n\r\nBye ", "Hello world\n\nBye"),
        ("Cafe\u0301", "Café"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        (None, ""),
        ("a\u00a0b", "a b"),
    ],
)
def test_what_a_network_gives_back_is_the_same(ours, theirs):
    assert normalise(ours) == normalise(theirs)


def test_other_words_are_not_the_same():
    assert normalise("Hello world") != normalise("Hello World")
    assert normalise("👩‍🔧") != normalise("👩🔧")
