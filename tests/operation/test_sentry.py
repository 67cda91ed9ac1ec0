"""What goes to Sentry: errors with their ids, and nothing of people or secrets."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings
from sentry_sdk.transport import Transport

from accounts.models import User
from socialhub import sentry
from socialhub.about import about
from tests.operation.test_settings import ROOT, VALID

TOKEN = "EAAGm0PX4ZCpsBAKZCqwertyuiopASDFGH1234567890"
OTHER = "joe.the.other@example.com"
DSN = "https://public@sentry.example.com/7"
sent: list[dict[str, Any]] = []


class Recorder(Transport):
    def capture_envelope(self, envelope: Any) -> None:
        sent.extend(item.payload.json for item in envelope.items if item.payload.json)


@pytest.fixture(autouse=True)
def _recorded() -> Iterator[None]:
    sent.clear()
    with override_settings(SENTRY_DSN=DSN, RELEASE="1.2.3", SENTRY_ENVIRONMENT="tests"):
        sentry.start(Recorder)
    yield
    sentry_sdk.init(default_integrations=False, auto_enabling_integrations=False)  # to nobody


def test_an_error_of_the_log_is_told_once_with_its_ids() -> None:
    with about(request="r-1", attempt=7):
        logging.getLogger("publishing.publish").error("Publication %s is lost", 12)
        logging.getLogger("publishing.publish").warning("a warning is no error")
    (event,) = sent
    assert event["logentry"]["formatted"] == "Publication 12 is lost"
    assert event["tags"] == {"request": "r-1", "attempt": "7"}
    assert (event["release"], event["environment"]) == ("1.2.3", "tests")


def test_secrets_and_addresses_are_cut_out() -> None:
    password = "-".join(("a", "local", "variable"))
    try:
        raise ValueError(f"no answer from https://graph.facebook.com/me?access_token={TOKEN} for {OTHER}")
    except ValueError:
        logging.getLogger("x").exception("it failed with %s", TOKEN, extra={"body": TOKEN})
    text = json.dumps(sent)
    assert "ValueError" in text
    assert "graph.facebook.com" in text
    for word in (TOKEN, OTHER, password, f"access_token={TOKEN}"):
        assert word not in text


@pytest.mark.django_db
def test_a_page_that_breaks_tells_nothing_of_its_person(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    monkeypatch.setattr("socialhub.middleware.HtmxMiddleware.__call__", lambda *_: 1 / 0)
    words, caption = "-".join(("private", "words")), "-".join(("private", "caption"))
    client.post(f"/posts/new/?q={words}", {"caption": caption}, headers={"X-Request-ID": "broken-0001"})
    (event,) = sent
    assert event["exception"]["values"][0]["type"] == "ZeroDivisionError"
    assert event["tags"]["request"] == "broken-0001"
    text = json.dumps(event)
    for word in (words, caption, owner.email, client.cookies["sessionid"].value):
        assert word not in text
    assert not {"request", "user", "extra", "breadcrumbs"} & set(event)


@override_settings(ALLOWED_HOSTS=["hub.example.com"])
def test_nobody_is_told_of_scanners(client: Client) -> None:
    assert client.get("/account/login/", headers={"Host": "evil.example"}).status_code == 400
    assert sent == []


@override_settings(SENTRY_DSN="not an address")
def test_an_address_that_is_none_names_the_setting() -> None:
    with pytest.raises(ImproperlyConfigured, match="SENTRY_DSN"):
        sentry.start()


@pytest.mark.parametrize(("dsn", "loaded"), [("", "False"), (DSN, "True")])
def test_it_is_loaded_only_where_it_is_wanted(dsn: str, loaded: str) -> None:
    code = "import django, sys; django.setup(); print('socialhub.sentry' in sys.modules)"
    env = {**VALID, "SENTRY_DSN": dsn, "DJANGO_SETTINGS_MODULE": "socialhub.settings"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == loaded
