"""The threads that read accounts: few of them in each worker process, beside those that publish.

A message only sees to it that they are awake, and is done at once: whatever number of accounts is due, the broker carries
no message for each, and no thread of the worker is taken from publishing. They take account after account and end when it
is nobody's turn.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from analytics import sync

logger = logging.getLogger(__name__)


class Readers:
    """At most `number` threads; with none, whoever asks reads for itself. `read_next` says whether there was something."""

    def __init__(self, number: int, read_next: Callable[[], bool]) -> None:
        self.number = number
        self._read_next = read_next
        self._awake = 0
        self._asked = 0  # how often somebody has called: who finds nothing looks once more if that was meanwhile
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def wake(self, wanted: int) -> None:
        """There may be something for so many of them."""
        if self.number == 0:
            self._work()
            return
        with self._lock:
            self._asked += 1
            new = max(min(wanted, self.number) - self._awake, 0)
            self._awake += new
        for _number in range(new):
            threading.Thread(target=self._live, name="read-accounts", daemon=True).start()

    def stop(self) -> None:
        """Take no more accounts. What is cut short by the end of the process is gone on with by another."""
        self._stopping.set()

    def _live(self) -> None:
        try:
            while True:
                asked = self._asked
                self._work()
                with self._lock:
                    if asked == self._asked or self._stopping.is_set():
                        self._awake -= 1
                        return
        except BaseException:
            with self._lock:
                self._awake -= 1
            raise
        finally:
            connection.close()

    def _work(self) -> None:
        try:
            while not self._stopping.is_set() and self._read_next():
                pass
        except (DatabaseError, InterfaceError):  # nothing can be done without it; the next message wakes another
            logger.exception("reading accounts stops: the database does not answer")


_readers: Readers | None = None
_making = threading.Lock()


def readers() -> Readers:
    """Those of this process."""
    global _readers
    with _making:
        if _readers is None or _readers.number != settings.READ_THREADS:
            _readers = Readers(settings.READ_THREADS, sync.read_next)
        return _readers
