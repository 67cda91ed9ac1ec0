"""Keys change under ten thousand credentials while people read, renew, connect and disconnect, and a kill in between."""

from __future__ import annotations

import itertools
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts import renew
from accounts.connect import connect_candidates, disconnect
from accounts.models import ConnectedAccount, Credential, Grant, User, Workspace
from accounts.providers.base import Candidate
from accounts.renew import Renewal, State, renew_now
from accounts.rotate import count_remaining, sealed_columns
from accounts.tokens import access_for
from socialhub.platforms.base import Tokens
from socialhub.platforms.errors import ReconnectError
from tests.accounts.conftest import fresh_fields
from tests.stage import ROOT, database_url, wait_until

__all__ = ["fresh_fields"]

logger = logging.getLogger(__name__)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

NEW_KEY = "a-new-key-of-more-than-thirty-two-characters"
PAGES = 10_000  # with a token of their own
CHANNELS = 500  # that act with a grant of their own, which is renewed
SECRETS = PAGES + 2 * CHANNELS


class Life:
    """What goes on meanwhile. Each part works on rows of its own, so that it knows what it must find there."""

    def __init__(self, workspace: Workspace, owner: User) -> None:
        self.workspace, self.owner = workspace, owner
        self.finished = threading.Event()
        self.done = dict.fromkeys(("read", "renewed", "connected", "disconnected"), 0)
        self.pages = self.seed("page", PAGES)
        self.channels = self.seed("channel", CHANNELS)
        Credential.objects.bulk_create(
            Credential(account=account, access_token=f"token-{number}") for number, account in enumerate(self.pages)
        )
        grants = Grant.objects.bulk_create(
            Grant(
                workspace=workspace,
                user=owner,
                provider="rotating",
                platform_user_id=str(number),
                access_token=f"access-{number}",
                refresh_token=f"refresh-{number}",
                expires_at=timezone.now() + timedelta(hours=1),
            )
            for number in range(CHANNELS)
        )
        Credential.objects.bulk_create(
            Credential(account=account, grant=grant) for account, grant in zip(self.channels, grants, strict=True)
        )

    def seed(self, kind: str, number: int) -> list[ConnectedAccount]:
        return ConnectedAccount.objects.bulk_create(
            ConnectedAccount(
                workspace=self.workspace, platform="facebook", platform_account_id=f"{kind}-{one}", name=f"{kind} {one}"
            )
            for one in range(number)
        )

    def read(self, turn: int) -> None:
        number = 600 + turn * 7 % (PAGES - 600)
        assert access_for(self.again(self.pages[number])).token == f"token-{number}"

    def renewed(self, turn: int) -> None:
        account = self.again(self.channels[turn % CHANNELS])
        assert renew_now(account.credential.grant).state is State.RENEWED
        assert access_for(account).token.startswith("renewed-")
        assert access_for(self.again(account)).token == access_for(account).token

    def connected(self, turn: int) -> None:
        account = self.pages[turn % 300]
        chosen = Candidate("facebook", account.platform_account_id, account.name, "page", token=f"again-{turn}")
        connect_candidates(self.workspace, [chosen], grant=None, granted=[], by=self.owner)
        assert access_for(self.again(account)).token == f"again-{turn}"

    def disconnected(self, turn: int) -> None:
        account = self.pages[300 + turn % 300]
        disconnect(account)
        with pytest.raises(ReconnectError):
            access_for(self.again(account))

    def again(self, account: ConnectedAccount) -> ConnectedAccount:
        return ConnectedAccount.objects.get(pk=account.pk)

    def go_on(self, name: str) -> None:
        act: Callable[[int], None] = getattr(self, name)
        try:
            for turn in itertools.count():
                if self.finished.is_set():
                    return
                act(turn)
                self.done[name] += 1
        finally:
            connection.close()


def rotating(*arguments: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "ENV_FILE": "",
        "DJANGO_SETTINGS_MODULE": "socialhub.settings",
        "DATABASE_URL": database_url(),
        "FERNET_KEYS": ",".join(django_settings.FERNET_KEYS),
        "DEBUG": "1",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "manage.py", "rotate_token_keys", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE)


def test_ten_thousand_credentials_under_way(
    workspace: Workspace,
    owner: User,
    settings: Any,
    fresh_fields: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    numbers = itertools.count(1)

    def answer(refresh_token: str) -> Tokens:
        number = next(numbers)
        return Tokens(f"renewed-{number}", timezone.now() + timedelta(hours=1), f"refresh-again-{number}")

    monkeypatch.setitem(renew.RENEWALS, "rotating", Renewal(answer, timedelta(minutes=10), single_use=True))
    life = Life(workspace, owner)
    settings.FERNET_KEYS = [NEW_KEY, *settings.FERNET_KEYS]
    fresh_fields()
    assert count_remaining() == SECRETS

    with ThreadPoolExecutor(4) as pool:
        lives = [pool.submit(life.go_on, name) for name in life.done]
        try:
            assert wait_until(lambda: all(life.done.values()), 20)
            said = kill_on_the_way()
            left = count_remaining()
            assert 0 < left < SECRETS
            began, out = time.monotonic(), StringIO()
            call_command("rotate_token_keys", stdout=out)
            seconds = time.monotonic() - began
        finally:
            life.finished.set()
    for one in lives:
        one.result()  # raises what went wrong there
    assert min(life.done.values()) >= 20, life.done
    assert f"{SECRETS} secrets are sealed with an older key." not in out.getvalue(), "it goes on where it stood"
    assert " remain …" in out.getvalue()
    assert out.getvalue().endswith("0 remain: the older keys can be removed from FERNET_KEYS.\n")
    with capsys.disabled():
        sys.stdout.write(
            f"\n{left / seconds:.0f} rows/s beside {life.done}; killed at “{said}”, {left} of {SECRETS} were left\n"
        )

    settings.FERNET_KEYS = [NEW_KEY]
    fresh_fields()
    assert count_remaining() == 0
    assert sum(1 for _ in sealed_columns()) == Credential.objects.filter(grant=None).count() + 2 * CHANNELS
    for credential in Credential.objects.select_related("account", "grant").order_by("?")[:300]:
        assert access_for(credential.account).token
    assert access_for(life.again(life.pages[PAGES - 1])).token == f"token-{PAGES - 1}"


def kill_on_the_way() -> str:
    """A run of its own, killed after a third; returns what it had said last."""
    process = rotating("--batch-size", "100")
    assert process.stdout
    try:
        for line in process.stdout:
            if " remain …" in line and int(line.split()[0]) < SECRETS * 2 / 3:
                return line.strip()
        raise AssertionError("it came to its end")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
