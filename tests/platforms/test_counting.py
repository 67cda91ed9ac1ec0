from __future__ import annotations

import time

import pytest

from socialhub.platforms.counting import grapheme_length, printable, utf16_length, x_length, x_weight

FAMILY = "👨‍👩‍👧‍👦"
FLAG = "🇩🇪"
URL = "https://shop.example/a/very/long/address/of/a/1969-camaro?with=parameters"


@pytest.mark.parametrize(
    ("text", "utf16", "graphemes"),
    [
        ("", 0, 0),
        ("Camaro", 6, 6),
        ("é", 1, 1),
        ("e\u0301", 2, 1),
        ("日本", 2, 2),
        ("😀", 2, 1),
        (FAMILY, 11, 1),
        (FLAG, 4, 1),
        ("👍🏽", 4, 1),
        ("a\nb", 3, 3),
    ],
)
def test_units_and_characters(text, utf16, graphemes):
    assert (utf16_length(text), grapheme_length(text)) == (utf16, graphemes)


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("Camaro", 6),
        ("Ünïcödé", 7),
        ("e\u0301", 1),
        ("Привет", 6),
        ("“quoted” – so", 13),
        ("日本語", 6),
        ("한국", 4),
        ("😀", 2),
        (FAMILY, 2),
        (FLAG, 2),
        ("👍🏽", 2),
        ("1️⃣", 2),
        ("❤️", 2),
        ("#1", 2),
        (URL, 23),
        (f"Look {URL}", 28),
        (f"{URL} {URL}", 47),
        (f"See {URL}.", 28),
        (f"({URL})", 25),
        ("http://a.io/x", 23),
        ("example.com", 23),
        ("See example.com/cars, now", 32),
        ("sub.example.co.uk", 23),
        ("me@example.com", 14),
        ("1.5 or e.g. this", 16),
        ("v8.engine", 9),
        ("…", 2),
    ],
)
def test_what_x_weighs(text, weight):
    assert x_weight(text) == weight


def test_for_x_the_larger_of_both_counts():
    assert x_length("日本語") == 6  # weighed
    assert x_length(URL) == len(URL) > 23  # raw, as Buffer counts
    assert x_length("x" * 280) == 280


def test_what_may_be_sent():
    assert printable("a\x00\x07b\x1f\tc\r\nd\re\u200d") == "ab\tc\nd\ne\u200d"


@pytest.mark.parametrize(
    "text", ["a" * 50_000, "a." * 25_000, "a-" * 25_000, "http://" * 7_000, "1.a/" * 12_000, "😀" * 20_000]
)
def test_counting_stays_fast_on_odd_texts(text):
    began = time.process_time()
    x_weight(text)
    assert time.process_time() - began < 1.5
