"""Each web, worker and beat process says every half minute that it is there, and how much it has to do.

A thread of its own says it, so that a process which is busy, or has nothing to do, is heard all the same. One that is
stopped takes its row away; the row of one that was killed grows old.
"""

from __future__ import annotations

import atexit
import logging
import os
import resource
import shutil
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from socialhub import silence
from socialhub.models import ProcessHeartbeat
from socialhub.traffic import tally

logger = logging.getLogger(__name__)

EVERY_SECONDS = 30.0
ROUND_SECONDS = 10.0  # a web process looks so often whether the others are silent

Details = Callable[[], dict[str, Any]]


class Presence:
    """What tells of one process. `each_round` is called more often than the row is written."""

    def __init__(self, kind: str, details: Details, each_round: Callable[[], object] = lambda: None) -> None:
        self.kind = kind
        self.host = socket.gethostname()[:50]
        self.name = f"{self.host}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._details = details
        self._each_round = each_round
        self._stopping = threading.Event()
        self._said_at: float | None = None
        self._thread: threading.Thread | None = None
        self._is_heard = True

    def start(self) -> None:
        self._thread = threading.Thread(target=self._live, name="presence", daemon=True)
        self._thread.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """Takes the row away. Where that does not work, it grows old like that of a process that was killed."""
        atexit.unregister(self.stop)
        self._stopping.set()
        if self._thread:
            self._thread.join(timeout=5)
        if not self._is_heard:  # nobody waits at the end for a database that was away a moment ago
            return
        try:
            ProcessHeartbeat.objects.filter(name=self.name).delete()
        except (DatabaseError, InterfaceError):
            logger.warning("the end of this process could not be told, the database does not answer")
        finally:
            connection.close()

    def _live(self) -> None:
        while True:
            self.round()
            connection.close()  # ten seconds are long enough to let others have it
            if self._stopping.wait(min(ROUND_SECONDS, settings.SILENT_AFTER_SECONDS / 6)):
                return

    def round(self) -> None:
        """One turn of the thread. A database that is away is waited for, with a line at its beginning and its end."""
        try:
            self._each_round()
            if self._said_at is None or time.monotonic() - self._said_at >= EVERY_SECONDS:
                self.say()
                self._said_at = time.monotonic()
        except (DatabaseError, InterfaceError):
            if self._is_heard:
                logger.warning("this process cannot be heard, the database does not answer")
            self._is_heard = False
        except Exception:  # a fault in telling must not end the telling
            logger.exception("this process met a fault while telling that it is there")
        else:
            if not self._is_heard:
                logger.warning("this process is heard again")
            self._is_heard = True

    def say(self) -> None:
        ProcessHeartbeat.say(
            self.name,
            self.kind,
            host=self.host,
            version=settings.RELEASE[:40],
            details={**of_the_machine(), **self._details()},
        )


def of_the_machine() -> dict[str, Any]:
    """Memory of this process at its highest, and the disk that uploads lie on."""
    unit = 1 if sys.platform == "darwin" else 1024
    told: dict[str, Any] = {"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}
    folder = Path(settings.MEDIA_ROOT)
    while not folder.exists():
        folder = folder.parent
    disk = shutil.disk_usage(folder)
    return {**told, "disk_free": disk.free, "disk_total": disk.total}


_here: Presence | None = None
_lock = threading.Lock()


def be_heard(kind: str, details: Details = dict, each_round: Callable[[], object] = lambda: None) -> None:
    """From here on this process is heard; asked again it does nothing. A forked child is a process of its own."""
    global _here
    with _lock:
        if _here is None or f":{os.getpid()}:" not in _here.name:
            _here = Presence(kind, details, each_round)
            _here.start()


def of_web() -> dict[str, Any]:
    return {"requests": tally.rows()}


class Heard:
    """A WSGI application that is heard from its first request on: not in the process that only forks others."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application
        self._pid = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            be_heard(ProcessHeartbeat.Kind.WEB, of_web, silence.look)
        return self.application(environ, start_response)
