"""Whatever is logged, no token gets out."""

from __future__ import annotations

import logging
import sys

import pytest
from django.conf import settings

from socialhub.celery import app
from socialhub.logs import RedactingFormatter

TOKEN = "EAAGm0PX4ZCpsBAKZCqwertyuiopASDFGH1234567890"


def line(message: str, *arguments: object, error: BaseException | None = None) -> str:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, message, arguments, info)
    return RedactingFormatter("{levelname} {message}", style="{").format(record)


@pytest.mark.parametrize(
    "text",
    [f"asked with {TOKEN}", f"GET https://graph.facebook.com/me?access_token={TOKEN}", f"client_secret={TOKEN}"],
)
def test_tokens_are_cut_out_of_messages(text: str) -> None:
    assert TOKEN not in line("%s", text)


def test_tokens_are_cut_out_of_tracebacks() -> None:
    try:
        raise ValueError(f"no answer from https://graph.facebook.com/me?access_token={TOKEN}")
    except ValueError as error:
        words = line("it failed", error=error)
    assert TOKEN not in words
    assert "Traceback" in words
    assert "graph.facebook.com" in words


def test_ordinary_words_stay() -> None:
    assert line("post %s is published on %s", 7, "Instagram") == "ERROR post 7 is published on Instagram"


def test_everything_that_is_printed_goes_through_the_formatter() -> None:
    assert {handler["formatter"] for handler in settings.LOGGING["handlers"].values()} == {"line"}
    assert settings.LOGGING["formatters"]["line"]["()"] == "socialhub.logs.RedactingFormatter"


def test_celery_leaves_our_logging_alone() -> None:
    root = logging.getLogger()
    before = (list(root.handlers), sys.stdout, sys.stderr)
    app.log.already_setup = False
    app.log.setup(loglevel="INFO", redirect_stdouts=False)
    assert (list(root.handlers), sys.stdout, sys.stderr) == before
