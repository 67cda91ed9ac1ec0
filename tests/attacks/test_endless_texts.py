"""Texts that are made to keep a processor busy (ReDoS): twice the text may take about twice the time, never the square."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
import regex
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import Workspace
from analytics import files
from publishing import captions, checks, search
from socialhub import logs, redaction
from socialhub.platforms import buffer_limits, counting, http, linkedin_text, looks, text
from tests.factories import make_account
from tests.publishing.test_composer import typed

FUNCTIONS: dict[str, Callable[[str], Any]] = {
    "hashtags": text.hashtags,
    "mentions": text.mentions,
    "normalise": text.normalise,
    "x_length": counting.x_length,
    "grapheme_length": counting.grapheme_length,
    "whole_characters": lambda words: counting.whole_characters(words, 3000),
    "printable": counting.printable,
    "redact": redaction.redact,
    "log line": logs.readable,
    "template": lambda words: captions.fill(words, None),
    "typed hashtags": lambda words: list(captions.hashtags(words)),
    "is_hashtag": captions.is_hashtag,
    "placeholders left": checks.LEFT_OVER.findall,
    "search": lambda words: search.NO_WORDS.sub(" ", words),
    "spreadsheet": files.guarded,
    "quota header": buffer_limits._ITEM.findall,
    "to little text": linkedin_text.escape,
    "from little text": linkedin_text.unescape,
    "mentions of LinkedIn": linkedin_text.near_mentions,
    "readable": linkedin_text.readable,
    "preview": looks._MARK.findall,
}
PIECES = [
    *(
        "a",
        "a.",
        "a-",
        "a@",
        "1",
        "_",
        "@[",
        "@[a](",
        "@[a](urn:li:",
        "{",
        "{a ",
        "{hashtag|#|",
        "#",
        "(",
        "[",
        "](",
        "\\",
    ),
    *("http://", "https://a", "ab:", "x://", "access_token=", "access_token ", "sig=", "EAA", "code=", "Bearer "),
    *(" ", "a ", "\n", "\r", "\t", "=", "'=", '"', "<", ";a=", ";", ",", "\u200d", "\u200b", "a\u0301", "\ufeff"),
    *("\U0001f1e9", "\U0001f468\u200d", "\U0001f3f4\U000e0067", "क\u094d", "\u1100", "＃", "\u202e", "\x00"),
]
LENGTH = 30_000


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_text_takes_the_square_of_its_time(name: str) -> None:
    slow = []
    for piece in PIECES:
        for end in ("", "!", "\n", " a"):
            hostile = piece * (LENGTH // len(piece)) + end
            began = time.process_time()
            FUNCTIONS[name](hostile)
            if (taken := time.process_time() - began) > 1:
                slow.append((piece, end, round(taken, 1)))
    assert not slow


def test_long_rows_of_flags_are_counted_as_before() -> None:
    """The way around what is slow gives the same characters as the slow way."""
    chance = random.Random(1)
    clusters = regex.compile(r"\X")
    pool = ["\U0001f1e9", "\U0001f1ea", "a", "\u0301", "\u200d", "\U0001f468", "\ufe0f", "\r", "\n"]
    for _round in range(500):
        before, behind = ("".join(chance.choices(pool, k=chance.randint(0, 12))) for _ in range(2))
        words = before + "\U0001f1eb" * chance.randint(0, 90) + behind
        assert list(counting.graphemes(words)) == clusters.findall(words)


@pytest.mark.django_db
@pytest.mark.parametrize("piece", ["\U0001f1e9", "a.", "@[a](", "#", "{a ", "https://a.", "a\u0301", "<b>"])
def test_a_caption_made_to_be_slow_is_checked_in_time(signed_in: Client, workspace: Workspace, piece: str) -> None:
    """As it is asked for while somebody types, on all networks at once."""
    cache.clear()
    accounts = [
        make_account(workspace, platform=platform, login_kind=kind)
        for platform, kind in (
            ("facebook", "meta"),
            ("instagram", "meta"),
            ("linkedin", "linkedin"),
            *((platform, "buffer") for platform in ("x", "bluesky", "mastodon", "threads")),
        )
    ]
    caption = (piece * 100_000)[:100_000]
    began = time.process_time()
    response = signed_in.post(reverse("publishing:post_check"), typed(*accounts, caption=caption))
    assert time.process_time() - began < 8  # a minute, where anything takes the square
    assert response.status_code in (200, 422)


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000, json.dumps({"error": {"message": "a" * 10**6}})])
def test_an_answer_of_a_network_does_not_end_a_worker(body: str) -> None:
    http._json(body)
