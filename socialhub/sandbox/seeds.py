"""Numbers and names that are the same for the same seed, in every process."""

from __future__ import annotations

import hashlib
import random

# Figures of Pages and accounts are those of this day; they grow from here on.
EPOCH = 1_767_225_600.0  # 2026-01-01
SHORTCODE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def generator(*parts: object) -> random.Random:
    """A source of numbers that are the same for the same parts."""
    digest = hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))  # noqa: S311


def shortcode(number: int) -> str:
    """Eleven letters that differ for each number and do not show it."""
    number = (number * 0x9E3779B97F4A7C15) % (1 << 64)
    letters = []
    for _ in range(11):
        number, letter = divmod(number, 64)
        letters.append(SHORTCODE_LETTERS[letter])
    return "D" + "".join(letters)[:10]
