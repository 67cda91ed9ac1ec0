"""Forks Celery workers that die by SIGKILL at a named point of the procedure.

Reads one JSON object per line ({"moment": …, "step": …}), answers each with the number of the signal that ended the
worker. Moments: `before` a step; `sent`, its request has reached the network and the answer is not read; `answered`,
the answer is read and nothing saved; `saved`, the step is saved. For the commit also `announced`, between the
announcement and the call.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import django

WORKER = [
    "worker", "--pool", "threads", "--concurrency", "2", "--without-gossip", "--without-mingle",
    "--without-heartbeat", "--loglevel", "ERROR",
]  # fmt: skip
MOST_SECONDS = 25


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly:
    """A platform that dies around one of its steps, and is the real one otherwise."""

    def __init__(self, real: Any, moment: str, key: str) -> None:
        self._real, self._moment, self._key = real, moment, key

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def perform(self, step: Any, *arguments: Any) -> Any:
        return self._around(step.key, lambda: self._real.perform(step, *arguments))

    def commit(self, *arguments: Any) -> Any:
        return self._around("publish", lambda: self._real.commit(*arguments))

    def _around(self, key: str, call: Callable[[], Any]) -> Any:
        if key != self._key:
            return call()
        if self._moment in ("before", "announced"):
            die()
        sending.armed = self._moment == "sent"
        answer = call()
        if self._moment == "answered":
            die()
        return answer


sending = threading.local()


def die_while_waiting(real: Callable[..., Any]) -> Callable[..., Any]:
    def getresponse(self: Any, *arguments: Any, **options: Any) -> Any:
        if getattr(sending, "armed", False):
            time.sleep(0.4)  # long enough for the network to act on what was sent
            die()
        return real(self, *arguments, **options)

    return getresponse


def die_after(real: Callable[..., Any], when: Callable[..., bool]) -> Callable[..., Any]:
    def wrapped(job: Any, *arguments: Any, **options: Any) -> Any:
        real(job, *arguments, **options)
        if when(job):
            die()

    return wrapped


def arm(moment: str, key: str) -> None:
    from publishing import publish  # noqa: PLC0415  Django must be set up

    real = publish.client_of
    publish.client_of = lambda account: Deadly(real(account), moment, key)  # type: ignore[assignment, return-value]
    http.client.HTTPConnection.getresponse = die_while_waiting(  # type: ignore[method-assign]
        http.client.HTTPConnection.getresponse
    )
    if moment == "saved":
        publish._save_step = die_after(publish._save_step, lambda job: job.step == key)
        publish._published = die_after(publish._published, lambda job: key == "publish")
    if moment == "before" and key == "publish":
        publish._announce = lambda job: die()


def work(moment: str, key: str) -> None:
    from socialhub.celery import app  # noqa: PLC0415

    signal.alarm(MOST_SECONDS)  # the point was never reached: end, and let the test see SIGALRM
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    arm(moment, key)
    app.worker_main(WORKER)
    os._exit(0)


def answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    django.setup()
    answer(0)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            work(order["moment"], order["step"])
        _pid, status = os.waitpid(pid, 0)
        answer(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)


if __name__ == "__main__":
    main()
