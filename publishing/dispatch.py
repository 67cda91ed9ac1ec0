"""Brings due queue entries to threads: one dispatcher per worker process, awake while there is something to do.

It sleeps until the next entry is due instead of polling. A message from the broker starts it, or wakes it when it runs;
losing messages costs time until the next beat, doubling them costs nothing.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.utils import timezone

from publishing import claims, publish
from publishing.claims import Claim

logger = logging.getLogger(__name__)

HORIZON_SECONDS = 35  # a little longer than beat's interval, so that one run hands over to the next
GATHER_SECONDS = 0.005  # many ends at once make one claim
IDLE_SECONDS = 2.0  # a thread without work gives its database connection back after this
BLOCKED_SECONDS = 0.05  # between two looks at what is due and cannot be taken, such as an account at work elsewhere


class Threads:
    """Threads that keep their database connection while they have work, and close it when they have none."""

    def __init__(self, number: int, work: Callable[[Claim], None]) -> None:
        self.number = number
        self._work = work
        self._jobs: queue.SimpleQueue[Claim] = queue.SimpleQueue()
        self._started = 0

    def submit(self, claim: Claim, busy: int) -> None:
        self._jobs.put(claim)
        if self._started < min(busy, self.number):
            self._started += 1
            threading.Thread(target=self._loop, name=f"publish-{self._started}", daemon=True).start()

    def _loop(self) -> None:
        while True:
            try:
                claim = self._jobs.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                connection.close()
                claim = self._jobs.get()
            try:
                self._work(claim)
            except Exception:  # the next one needs this thread
                logger.exception("A publication broke its thread's work")
            if connection.errors_occurred:
                connection.close_if_unusable_or_obsolete()


class Dispatcher:
    def __init__(self, threads: int) -> None:
        self._threads = Threads(threads, self._run)
        self._running = threading.Lock()
        self._wake = threading.Event()
        self._asked_again = threading.Event()
        self._stopping = threading.Event()
        self._busy = 0
        self._busy_lock = threading.Lock()

    @property
    def size(self) -> int:
        return self._threads.number

    @property
    def busy(self) -> int:
        """Publications in its hands now."""
        return self._busy

    def run(self, horizon: float = HORIZON_SECONDS, call_for_help: Callable[[], None] | None = None) -> None:
        """Publish what is due now or within `horizon` seconds. Returns at once when this process is at it already.

        call_for_help: called when more is due than this process can take, at most once a second.
        """
        self._asked_again.set()
        self._wake.set()
        # Whoever is asked while leaving is asked again: the flag is read after the lock is free.
        while self._asked_again.is_set() and self._running.acquire(blocking=False):
            try:
                self._dispatch(horizon, call_for_help)
            finally:
                self._running.release()

    def stop(self) -> None:
        """Claim no more; `run` returns when the publications at work have ended."""
        self._stopping.set()
        self._wake.set()

    def _dispatch(self, horizon: float, call_for_help: Callable[[], None] | None) -> None:
        end = helped = 0.0
        while True:
            if self._asked_again.is_set():
                self._asked_again.clear()
                end = time.monotonic() + horizon
            self._wake.clear()
            busy = self._busy  # before the claim: what ends behind it leaves its account to the next one
            free = 0 if self._stopping.is_set() else self._threads.number - busy
            claimed = claims.claim_due(free) if free else []
            for claim in claimed:
                self._submit(claim)
            if call_for_help and free and len(claimed) == free and time.monotonic() - helped > 1:
                helped = time.monotonic()
                call_for_help()
            if not claimed and not busy and (self._stopping.is_set() or time.monotonic() >= end):
                return
            if not claimed or len(claimed) == free:
                self._sleep(end)

    def _sleep(self, end: float) -> None:
        """Until a publication ends, somebody asks, or the next entry is due."""
        if self._busy:
            self._wake.wait(1.0)
            time.sleep(GATHER_SECONDS)
            return
        pause = max(end - time.monotonic(), 0)
        if due := claims.next_due():
            ahead = (due - timezone.now()).total_seconds()
            pause = min(pause, ahead if ahead > 0 else BLOCKED_SECONDS)
        self._wake.wait(pause)

    def _submit(self, claim: Claim) -> None:
        with self._busy_lock:
            self._busy += 1
            busy = self._busy
        self._threads.submit(claim, busy)

    def _run(self, claim: Claim) -> None:
        try:
            publish.run(claim)
        finally:
            with self._busy_lock:
                self._busy -= 1
            self._wake.set()


_dispatcher: Dispatcher | None = None
_making = threading.Lock()


def dispatcher() -> Dispatcher:
    """The one of this process."""
    global _dispatcher
    with _making:
        if _dispatcher is None:
            _dispatcher = Dispatcher(settings.PUBLISH_THREADS)
        return _dispatcher
