"""The browser comes back fifty times at once with the same code: one exchange leaves, one consent is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.test import Client

from accounts.models import Grant, OAuthTicket, User
from tests.accounts import hub
from tests.accounts.conftest import sign_in
from tests.sandbox_process import Sandbox, sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

MANY = 50


@pytest.fixture
def network(sandbox: Sandbox, settings: Any) -> Sandbox:
    return hub.use(settings, sandbox)


@pytest.mark.parametrize(
    ("platform", "agree", "edge", "exchanges"),
    [
        ("facebook", Sandbox.consent, "POST access_token", 2),  # the code, and then the long-lived token
        ("linkedin", Sandbox.linkedin_consent, "POST linkedin.token", 1),
        ("x", Sandbox.buffer_consent, "POST buffer.token", 1),
    ],
)
def test_fifty_callbacks_exchange_once(
    network: Sandbox,
    owner: User,
    platform: str,
    agree: Callable[[Sandbox, str], str],
    edge: str,
    exchanges: int,
) -> None:
    browser = sign_in(owner)
    back = urlsplit(agree(network, hub.press(browser, platform)))
    before = network.calls().get(edge, 0)
    barrier, went = threading.Barrier(MANY), []

    def come_back() -> None:
        tab = Client()
        tab.cookies["sessionid"] = browser.cookies["sessionid"].value
        barrier.wait()
        try:
            went.append(str(tab.get(f"{back.path}?{back.query}")["Location"]))
        finally:
            connections.close_all()

    tabs = [threading.Thread(target=come_back) for _ in range(MANY)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert len(went) == MANY
    assert len([address for address in went if "/select/" in address]) == 1
    assert network.calls().get(edge, 0) - before == exchanges, network.calls()
    assert Grant.objects.count() == 1
    assert OAuthTicket.objects.exclude(used_at=None).count() == 1
