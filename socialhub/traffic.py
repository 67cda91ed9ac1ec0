"""Every request gets a number, one line in the log, and its place in the counts of this process."""

from __future__ import annotations

import logging
import re
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

from socialhub.about import about

logger = logging.getLogger("socialhub.access")

HEADER = "X-Request-ID"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}")
QUIET = ("/static/", "/healthz", "/readyz", "/metrics")  # asked for by machines all the time
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
SECRET_LENGTH = 12  # what is as long in an address, and not one of our ids, may be a signature
STRANGE_LENGTH = 40


class Tally:
    """Requests of this process since it started, by method and class of status, with how long they took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], list[int]] = {}
        self._seconds: dict[tuple[str, str], float] = {}

    def add(self, method: str, status: int, seconds: float) -> None:
        key = (method if method in METHODS else "other", f"{status // 100}xx")
        place = next((number for number, limit in enumerate(BUCKETS) if seconds <= limit), len(BUCKETS))
        with self._lock:
            self._counts.setdefault(key, [0] * (len(BUCKETS) + 1))[place] += 1
            self._seconds[key] = self._seconds.get(key, 0.0) + seconds

    def rows(self) -> list[dict[str, Any]]:
        """For JSON: {"method", "status", "counts" per bucket (the last for all that took longer), "seconds"}."""
        with self._lock:
            return [
                {"method": method, "status": status, "counts": list(counts), "seconds": round(self._seconds[key], 3)}
                for key, counts in sorted(self._counts.items())
                for method, status in [key]
            ]


tally = Tally()


class TrafficMiddleware:
    """The outermost: what goes wrong in any other has the number of its request, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        number = number_of(request)
        statements = 0

        def count(execute: Callable[..., Any], *args: Any) -> Any:
            nonlocal statements
            statements += 1
            return execute(*args)

        began = time.perf_counter()
        with about(request=number):
            with connection.execute_wrapper(count):
                response = self.get_response(request)
            seconds = time.perf_counter() - began
            response.headers.setdefault(HEADER, number)
            tally.add(request.method or "", response.status_code, seconds)
            note(request, response, seconds, statements)
        return response


def number_of(request: HttpRequest) -> str:
    """The one that a proxy gave it, where that is one; else a new one."""
    told = request.headers.get(HEADER, "")
    return told if ACCEPTED.fullmatch(told) else uuid.uuid4().hex


def note(request: HttpRequest, response: HttpResponse, seconds: float, statements: int) -> None:
    level = logging.DEBUG if request.path.startswith(QUIET) else logging.INFO
    if not logger.isEnabledFor(level):
        return
    ms = round(seconds * 1000, 1)
    told = {
        "method": request.method,
        "path": path_of(request),
        "status": response.status_code,
        "ms": ms,
        "queries": statements,
    }
    if (person := getattr(request, "_cached_user", None)) is not None and person.pk:  # never read for the log alone
        told["user"] = str(person.pk)
    logger.log(level, "%(method)s %(path)s %(status)s in %(ms)s ms, %(queries)s queries", told, extra=told)


def path_of(request: HttpRequest) -> str:
    """The path without its query, and without what in it may be a signature or a key."""
    path, match = request.path, request.resolver_match
    if match is None:  # a stranger's guess, or an address of ours with something wrong in it
        return "/".join("…" if len(part) > STRANGE_LENGTH else part for part in path.split("/"))[:300]
    named = [(f"<{name}>", value) for name, value in match.kwargs.items()]
    for name, value in (*named, *(("…", value) for value in match.args)):
        if isinstance(value, str) and len(value) >= SECRET_LENGTH:
            path = path.replace(value, name)
    return path
