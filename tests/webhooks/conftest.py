"""A receiver as other people run one: a web server that proves what it gets, as the documentation says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User, Workspace
from publishing.models import WebhookDelivery, WebhookEndpoint
from publishing.webhooks import deliver, ends


@dataclass
class Got:
    """One call."""

    path: str
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return str(self.headers["webhook-id"])


@dataclass
class Receiver:
    """answer: the status by call, or what to do with it."""

    answer: Callable[[Got], int] = lambda got: 204
    got: list[Got] = field(default_factory=list)
    most_at_once: int = 0
    _at_once: int = 0

    def __post_init__(self) -> None:
        outer, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                call = Got(self.path, self.headers, body)
                with lock:
                    outer.got.append(call)
                    outer._at_once += 1
                    outer.most_at_once = max(outer.most_at_once, outer._at_once)
                try:
                    status = outer.answer(call)
                finally:
                    with lock:
                        outer._at_once -= 1
                text = b"" if status == 204 else b"told: token=abcdefghijklmnop"
                with suppress(OSError):  # who asked waits no longer
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)

            def log_message(self, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        self.url = f"{self.origin}/hook"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def types(self) -> list[str]:
        return [call.json["type"] for call in self.got]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def make_receiver(settings: Any) -> Iterator[Callable[..., Receiver]]:
    made: list[Receiver] = []

    def make(answer: Callable[[Got], int] = lambda got: 204) -> Receiver:
        made.append(Receiver(answer))
        settings.OUTSIDE_ORIGINS = [receiver.origin for receiver in made]
        return made[-1]

    yield make
    for receiver in made:
        receiver.stop()


@pytest.fixture
def receiver(make_receiver: Callable[..., Receiver]) -> Receiver:
    return make_receiver()


@pytest.fixture
def endpoint(workspace: Workspace, owner: User, receiver: Receiver) -> WebhookEndpoint:
    return add(workspace, receiver, by=owner)


def add(workspace: Workspace, receiver: Receiver, *kinds: str, by: User | None = None) -> WebhookEndpoint:
    made = ends.add(workspace, url=receiver.url, description="", kinds=kinds, by=by)
    return WebhookEndpoint.objects.get(pk=made.pk)


def wait_out() -> None:
    """What waits for its next try is due now."""
    WebhookDelivery.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    WebhookEndpoint.objects.update(resting_until=None)


def run_for(seconds: float) -> int:
    """Runs until nothing is due, at most so long; fails when it takes much longer than it may."""
    began = time.monotonic()
    called = deliver.run(seconds)
    assert time.monotonic() - began < seconds + 15
    return called
