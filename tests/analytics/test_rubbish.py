"""Networks that answer anything at all: nothing of it breaks a reading, or becomes a row that could not be."""

from __future__ import annotations

import json
import logging
import random

import pytest
import requests
from django.utils import timezone

from accounts.models import ConnectedAccount
from analytics import sync
from analytics.models import AccountSync, InsightWindow, PlatformPost
from tests.analytics.test_sandbox_elsewhere import addresses, connect, lena
from tests.factories import make_account
from tests.sandbox_process import sandbox, sandbox_process

__all__ = ["addresses", "lena", "sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

ROUNDS = 8
RUBBISH = (
    *(None, True, False, [], {}, [None], [[]], [{}]),
    *("", "x", "-5", "1" * 30, "9" * 5000, "\x00", "\ud83d", "https://x.example/" + "a" * 3000),
    *(-1, -7, 1.5, -0.5, 2**31, 2**63, 10**25, float("nan"), float("inf"), -62135596800001, 253402300800000),
    *("0001-01-01T00:00:00+0000", "9999-12-31T23:59:59+0000", {"data": None}, {"data": [None, 3, []]}),
    *({"value": "many"}, {"value": -3}),
)
BODIES = (
    *(b"", b"null", b"[]", b"{}", b'"x"', b"3", b"\xff\xfe", b"[" * 200_000, b'{"data": NaN}'),
    b"<!DOCTYPE html><html><body>Sorry, something went wrong</body></html>",
)


def spoil(value, dice, share):
    """The same with so large a share of its parts replaced, and some left out."""
    if dice.random() < share:
        return dice.choice(RUBBISH)
    if isinstance(value, dict):
        return {name: spoil(part, dice, share) for name, part in value.items() if dice.random() > share / 2}
    if isinstance(value, list):
        return [spoil(part, dice, share) for part in value if dice.random() > share / 2]
    if isinstance(value, str) and value[:1] in "{[":  # the parts of a batch
        return json.dumps(spoil(json.loads(value), dice, share))
    return value


class Spoiler:
    """share: of the parts of each answer; bodies: of the answers as a whole."""

    def __init__(self):
        self.dice = random.Random(0)
        self.share = self.bodies = 0.0

    def spoil(self, answer):
        if self.dice.random() < self.bodies:
            answer._content = self.dice.choice(BODIES)
        elif self.share:
            told = json.loads(answer.content)
            answer._content = json.dumps(spoil(told, self.dice, self.share)).encode()
        return answer


@pytest.fixture
def spoiler(monkeypatch):
    spoiler, real = Spoiler(), requests.Session.request
    monkeypatch.setattr(requests.Session, "request", lambda *ask, **more: spoiler.spoil(real(*ask, **more)))
    return spoiler


@pytest.fixture
def account(request, sandbox, workspace, addresses, lena):
    if request.param in ("organization", "member"):
        urn = lena.organizations[0]["urn"] if request.param == "organization" else lena.urn
        return connect(workspace, "linkedin", urn, lena.access_token)
    if request.param == "buffer":
        bruno = sandbox.buffer("bruno")
        return connect(workspace, "bluesky", bruno.channel("bluesky"), bruno.key)
    page = sandbox.person(pages=1, instagram=True, followers=[5000]).page
    for number in range(3):
        sandbox.call("POST", f"{page.id}/feed", page.access_token, message=f"By hand {number}")
    key = page.id if request.param == "facebook" else page.instagram_id
    return make_account(workspace, platform=request.param, token=page.access_token, platform_account_id=key, name="")


@pytest.mark.parametrize("account", ["facebook", "instagram", "organization", "member", "buffer"], indirect=True)
def test_rubbish_breaks_no_reading(account, spoiler, caplog):
    assert sync.sync(account.pk, full=True)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    for number in range(ROUNDS):
        spoiler.dice = random.Random(number)
        spoiler.share = (0.02, 0.1, 0.3)[number % 3]
        spoiler.bodies = 0.3 if number % 4 == 3 else 0
        ConnectedAccount.objects.update(status=ConnectedAccount.Status.CONNECTED)
        AccountSync.objects.update(audience_at=None, full_at=None, history_from=None, days_read_to=None)
        PlatformPost.objects.update(next_fetch_at=timezone.now(), fetched_at=None, gone_at=None)
        caplog.clear()
        sync.sync(account.pk, full=True)
        broken = [record for record in caplog.records if record.exc_info]
        assert not broken, f"round {number}: {broken[0].exc_info[1]!r}"
    for window in InsightWindow.objects.filter(period="hour"):
        assert all(isinstance(level, int) and level >= 0 for level in window.metrics.values())
