"""The threads that read accounts. They take account after account and end when it is nobody's turn."""

from __future__ import annotations

import threading

from django.conf import settings

from analytics import sync
from socialhub.crew import Crew

_readers: Crew | None = None
_making = threading.Lock()


def readers() -> Crew:
    """Those of this process."""
    global _readers
    with _making:
        if _readers is None or _readers.number != settings.READ_THREADS:
            _readers = Crew(settings.READ_THREADS, sync.read_next, name="read-accounts")
        return _readers
