"""Threads beside those that publish: few of them in each worker process, awake while there is something to do.

A message only sees to it that they are awake, and is done at once: however much is due, the broker carries no message
for each piece, and no thread of the worker is taken from publishing. They take piece after piece and end when there is
none left.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection

logger = logging.getLogger(__name__)


class Crew:
    """At most `number` threads; with none, whoever asks works himself. `take_next` says whether there was something."""

    def __init__(self, number: int, take_next: Callable[[], bool], *, name: str = "crew") -> None:
        self.number = number
        self.name = name
        self._take_next = take_next
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
            threading.Thread(target=self._live, name=self.name, daemon=True).start()

    def stop(self) -> None:
        """Take nothing more. What is cut short by the end of the process is gone on with by another."""
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
            while not self._stopping.is_set() and self._take_next():
                pass
        except (DatabaseError, InterfaceError):  # nothing can be done without it; the next message wakes another
            logger.exception("%s: the work stops, since the database does not answer", self.name)
