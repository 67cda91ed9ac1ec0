"""Hours of reading many accounts, for `bin/bench ingest`: time is moved here and in the sandbox, the calls are real."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import time_machine
from django.db import connection
from django.utils import timezone

from accounts.models import ConnectedAccount, Credential, Workspace
from analytics import sync
from analytics.models import PlatformPost
from tests.sandbox_process import Sandbox

THREADS = 8
HOUR = timedelta(hours=1)


@dataclass
class Cost:
    """What one round took. calls: those that the sandbox answered, each part of a batch as one."""

    accounts: int
    posts: int  # whose figures were read
    calls: int
    statements: int
    seconds: float


def connect(sandbox: Sandbox, workspace: Workspace, number: int, posts: int) -> None:
    """Half of them Pages, half the Instagram accounts linked to them, each with so many posts of the last weeks."""
    for page in sandbox.person(pages=number // 2, instagram=True, elsewhere=posts).pages:
        _account(workspace, "facebook", page.id, page.name, page.access_token)
        _account(workspace, "instagram", page.instagram_id or "", page.instagram_username or "", page.access_token)


def _account(workspace: Workspace, platform: str, key: str, name: str, token: str | None) -> None:
    account = ConnectedAccount.objects.create(
        workspace=workspace, platform=platform, platform_account_id=key, name=name, username=name
    )
    Credential.objects.create(account=account, access_token=token or "")


class Clock:
    """Moves both clocks at once."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.travel: Any = None

    def forward(self, span: timedelta) -> None:
        target = timezone.now() + span
        self.stop()
        self.sandbox.advance(span.total_seconds())
        self.travel = time_machine.travel(target, tick=True)
        self.travel.start()

    def stop(self) -> None:
        if self.travel:
            self.travel.stop()
            self.travel = None


def hour(sandbox: Sandbox, clock: Clock) -> Cost:
    """What the jobs of one hour read, looking every ten minutes whose turn it is, and which posts are due."""

    def read() -> int:
        number = 0
        for _ in range(6):
            clock.forward(HOUR / 6)
            due = sync.accounts_due()
            _in_threads(sync.sync, due)
            sync.sync_due(3600)
            number += len(due)
        return number

    return _cost(sandbox, read)


def everything(sandbox: Sandbox) -> Cost:
    """All accounts, everything of them, as if somebody had pressed "Sync now" on each."""

    def read() -> int:
        accounts = list(ConnectedAccount.objects.values_list("pk", flat=True))
        _in_threads(lambda account: sync.sync(account, full=True), accounts)
        return len(accounts)

    return _cost(sandbox, read)


def posts_alone(sandbox: Sandbox) -> Cost:
    """Every post of the last weeks is due at one moment: what the figures of posts cost by themselves."""
    PlatformPost.objects.filter(posted_at__gte=timezone.now() - timedelta(days=28)).update(next_fetch_at=timezone.now())

    def read() -> int:
        sync.sync_due(3600)
        return ConnectedAccount.objects.count()

    return _cost(sandbox, read)


_statements = 0
_lock = threading.Lock()


def _cost(sandbox: Sandbox, read: Callable[[], int]) -> Cost:
    global _statements
    _statements = 0
    calls = sum(sandbox.calls().values())
    since, began = timezone.now(), time.perf_counter()
    with _counted():
        accounts = read()
    seconds = time.perf_counter() - began
    return Cost(
        accounts,
        PlatformPost.objects.filter(fetched_at__gte=since).count(),
        sum(sandbox.calls().values()) - calls,
        _statements,
        seconds,
    )


def _in_threads(act: Callable[[UUID], object], accounts: list[UUID]) -> None:
    def one(account: UUID) -> None:
        with _counted():
            act(account)

    with ThreadPoolExecutor(THREADS, initializer=connection.ensure_connection) as pool:
        list(pool.map(one, accounts))
        for _ in range(THREADS):
            pool.submit(connection.close)


@contextmanager
def _counted() -> Iterator[None]:
    def count(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        global _statements
        with _lock:
            _statements += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield


def recent_posts() -> int:
    """How many are young enough to be read again and again."""
    return PlatformPost.objects.filter(posted_at__gte=timezone.now() - timedelta(days=28)).count()
