"""Requests that would write lines of their own into the log, or say there what nobody should read."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User, Workspace
from socialhub.logs import RedactingFormatter, RedactingJsonFormatter
from tests.factories import make_account

pytestmark = pytest.mark.django_db

FORGED = "CRITICAL socialhub the database was deleted by mallory"
BREAKS = ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x1b[2K\x1b[1G", "\x00\n"]


class Log:
    """All that the whole house logs, written by one of its formatters."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(formatter)

    @property
    def text(self) -> str:
        return self.stream.getvalue()


@pytest.fixture(params=["line", "json"])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    cache.clear()
    plain = RedactingFormatter("{levelname} {name} {message}", style="{")
    made = Log(plain if request.param == "line" else RedactingJsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(made.handler)
    root.setLevel(logging.DEBUG)
    yield made
    root.removeHandler(made.handler)
    root.setLevel(level)


def assert_no_line_is_forged(text: str) -> None:
    assert text
    for line in text.splitlines():
        assert not line.lstrip("\x1b[0123456789KG").startswith("CRITICAL"), line
    assert "\x1b" not in text


def ask_everything(evil: str, workspace: Workspace, signed_in: Client) -> None:
    """Everywhere that something of a request is logged, or might be."""
    client = Client(raise_request_exception=False)
    names = ("User-Agent", "Referer", "X-Request-ID", "X-Forwarded-For", "HX-Current-URL")
    headers = dict.fromkeys(names, evil.replace("\0", ""))  # no web server takes one with a NUL
    client.get(f"/nowhere/{evil}", headers=headers)
    client.get("/nowhere/", {"q": evil}, headers=headers)
    client.post(reverse("account_login"), {"login": evil, "password": evil}, headers=headers)
    client.post(reverse("account_reset_password"), {"email": f"a@example.com{evil}"})
    client.post(reverse("accounts:meta_deauthorize"), {"signed_request": evil})
    client.get(reverse("meta_callback"), {"state": evil, "error": evil, "error_description": evil})
    client.get(f"/m/{evil}/{evil}.jpg")
    client.generic("GET", "/api/social/posts", headers={"Authorization": f"Bearer {evil}"})
    account = make_account(workspace, name=evil.replace("\0", ""))
    signed_in.post(reverse("accounts:verify", args=[account.pk]), headers=headers)
    signed_in.post(reverse("accounts:workspace_rename"), {"name": evil})
    signed_in.get(reverse("publishing:post_list"), {"q": evil})
    logging.getLogger("socialhub").warning("somebody said %s", evil)
    try:
        raise ValueError(evil)
    except ValueError:
        logging.getLogger("socialhub").exception("broken: %s", evil)


@pytest.mark.parametrize("end", BREAKS)
def test_no_request_writes_a_line_of_its_own(log: Log, end: str, workspace: Workspace, signed_in: Client) -> None:
    ask_everything(f"a{end}{FORGED}", workspace, signed_in)
    assert_no_line_is_forged(log.text)


def test_each_line_of_the_machine_log_is_one_object(workspace: Workspace, signed_in: Client) -> None:
    log = Log(RedactingJsonFormatter())
    root = logging.getLogger()
    root.addHandler(log.handler)
    evil = '"}\n{"level": "CRITICAL", "message": "forged"}'
    try:
        ask_everything(evil, workspace, signed_in)
        logging.getLogger("socialhub").warning("said", extra={"said": {evil: [evil]}})
    finally:
        root.removeHandler(log.handler)
    for line in log.text.splitlines():
        told = json.loads(line)
        assert told["message"] != "forged"
        assert told["level"] != "CRITICAL"


SECRETS = {
    "a password": ("correct horse battery 77", "account_login", {"login": "a@example.com", "password": "{}"}),
    "a new password": ("correct horse battery 77", "account_signup", {"email": "b@example.com", "password1": "{}"}),
    "a code": ("4711aa4711", "mfa_authenticate", {"code": "{}"}),
    "a key of Buffer": ("no-key-of-buffer-kkkkkkkkkkkkk", "accounts:buffer_key", {"key": "{}"}),
}


@pytest.mark.parametrize("what", SECRETS)
def test_what_people_type_in_secret_is_not_logged(log: Log, what: str, signed_in: Client, owner: User) -> None:
    secret, name, data = SECRETS[what]
    filled = {key: value.format(secret) for key, value in data.items()}
    for client in (Client(raise_request_exception=False), signed_in):
        client.post(reverse(name), filled)
    assert log.text
    assert secret not in log.text


def test_an_error_page_and_its_log_hold_no_secret(
    log: Log, signed_in: Client, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Somewhere deep a fault of ours repeats what it had in its hands."""
    held = "shk_" + "Ab1_" * 11
    token = "EAA" + "Zx9" * 20

    def broken(*args: object, **named: object) -> None:
        raise RuntimeError(f"could not use {held} nor access_token={token} of postgresql://hub:dbpassword@db/hub")

    monkeypatch.setattr("accounts.views.people.ProfileForm", broken)
    client = signed_in
    client.raise_request_exception = False
    response = client.get(reverse("accounts:profile"))
    assert response.status_code == 500
    for secret in (held, token, "dbpassword", "Traceback", "RuntimeError"):
        assert secret not in response.content.decode()
    assert "RuntimeError" in log.text
    for secret in (held, token, "dbpassword"):
        assert secret not in log.text
