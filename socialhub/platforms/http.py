"""One way out to the networks: kept sessions, time-outs, failures translated, nothing secret in words or logs."""

from __future__ import annotations

import logging
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from json import loads
from typing import Any, BinaryIO

import requests
from django.utils.translation import gettext as _
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

from socialhub.platforms.errors import OurBugError, OutcomeUnknownError, PlatformError, TemporaryError

logger = logging.getLogger(__name__)

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
# Where something of that kind may be: halves of characters (pairs of them too, which are whole ones), and numbers that
# are none, or are longer than any count.
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|NaN|Infinity|\d[eE]\+?\d{3}|\d{19}")
_LARGEST = 2**63 - 1


class _NoQueries(logging.Filter):
    """Takes the query off the addresses that urllib3 logs at level DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(re.sub(r"\?.*", "?…", a) if isinstance(a, str) else a for a in record.args)
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_NoQueries())


@dataclass(frozen=True, slots=True)
class AccountUsage:
    """How much of one account's limit is used. percent: the highest of Meta's three numbers; 100 means stopped."""

    account_id: str
    type: str  # pages, instagram, messenger
    percent: int
    regain_seconds: float = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """Meta's usage headers of one answer. app_percent None: the header was not there."""

    app_percent: int | None = None
    accounts: tuple[AccountUsage, ...] = ()

    def regain_seconds(self, account_id: str = "") -> float:
        """The longest wait named for this account, or, where none is named for it, for any."""
        named = [a.regain_seconds for a in self.accounts if a.account_id == account_id]
        return max(named or [a.regain_seconds for a in self.accounts], default=0)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. json: the parsed body, None when it is not JSON."""

    status: int
    json: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def request_id(self) -> str:
        """What Meta's support asks for, "" where the answer has none."""
        return str(self.headers.get("x-fb-trace-id") or "")[:100]


def _json(body: str | bytes | None) -> Any:
    try:
        raw = body.encode() if isinstance(body, str) else body
        answer = loads(raw) if raw else None
    except (ValueError, RecursionError):  # not JSON, not even text, or nothing but brackets
        return None
    return _storable(answer) if raw and _SUSPECT.search(raw) else answer


def _storable(value: Any) -> Any:
    """Without what JSON can say and no database keeps: the character zero, halves of characters, numbers without end."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value)
    if isinstance(value, int | float):
        return value if abs(value) <= _LARGEST else None  # NaN is not less than anything either
    if isinstance(value, list):
        return [_storable(entry) for entry in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(entry) for name, entry in value.items()}
    return value


def _percent(numbers: object) -> int:
    if not isinstance(numbers, dict):
        return 0
    found = (numbers.get(name) for name in ("call_count", "total_time", "total_cputime"))
    return int(max((number for number in found if isinstance(number, int | float)), default=0))


def _entries(usage: object) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(usage, dict):
        for account_id, entries in usage.items():
            if isinstance(entries, list):
                yield from ((str(account_id), entry) for entry in entries if isinstance(entry, dict))


def usage_of(headers: Mapping[str, str]) -> Usage | None:
    """Read X-App-Usage and X-Business-Use-Case-Usage; None when neither is there."""
    app, business = headers.get("x-app-usage"), headers.get("x-business-use-case-usage")
    if not app and not business:
        return None
    accounts = []
    for account_id, entry in _entries(_json(business)):
        minutes = entry.get("estimated_time_to_regain_access")
        seconds = float(minutes) * 60 if isinstance(minutes, int | float) else 0.0
        accounts.append(AccountUsage(account_id, str(entry.get("type", "")), _percent(entry), seconds))
    numbers = _json(app)
    return Usage(_percent(numbers) if isinstance(numbers, dict) else None, tuple(accounts))


class Calls:
    """How many requests were made to networks, each part of a batch for itself. Threads may add to it at once."""

    def __init__(self) -> None:
        self.number = 0
        self._lock = threading.Lock()

    def add(self, number: int = 1) -> None:
        with self._lock:
            self.number += number


_counting: ContextVar[tuple[Calls, ...]] = ContextVar("counting", default=())


@contextmanager
def counting() -> Iterator[Calls]:
    """Count the requests made inside; those of an inner count also belong to the outer one.

    A new thread starts outside of every count, unless it is run in a copy of the context.
    """
    calls = Calls()
    token = _counting.set((*_counting.get(), calls))
    try:
        yield calls
    finally:
        _counting.reset(token)


def count(number: int = 1) -> None:
    """Add to what is being counted: networks count some requests more than once."""
    for calls in _counting.get():
        calls.add(number)


class _Session(requests.Session):
    """A redirect is an answer like any other. Requests would read its address even when it does not follow it."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class Transport:
    """Sends requests over one kept session per thread. No redirects, no retries, no proxies from the environment."""

    def __init__(
        self,
        *,
        connect_timeout: float = 5,
        read_timeout: float = 30,
        version: str = "",
        on_usage: Callable[[Usage], None] | None = None,
        on_version: Callable[[str], None] | None = None,
    ) -> None:
        self.timeout = (connect_timeout, read_timeout)
        self.version = version
        self.on_usage = on_usage
        self.on_version = on_version
        self._local = threading.local()

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | bytes | BinaryIO | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        commit: bool = False,
    ) -> Reply:
        """One call. commit: it must not be made twice, so a lost answer is an unknown outcome.

        Raises TemporaryError, OutcomeUnknownError (only with commit), OurBugError.
        """
        count()  # also one without an answer: the network may have got it
        try:
            response = self._session().request(
                method,
                url,
                params=params,
                data=data,
                files=files,
                headers=headers,
                timeout=self.timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            failure = translate(error, commit=commit)
        except UnicodeError:  # raised for hosts that cannot be encoded, before anything is sent
            failure = translate(requests.exceptions.InvalidURL(), commit=commit)
        else:
            self._tell(response.headers)
            return Reply(response.status_code, _json(response.content), response.headers)
        # Raised here, outside of `except`, so that not even the context carries the address and the headers.
        raise failure

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = _Session()
            session.trust_env = False
            session.headers["User-Agent"] = "socialhub"
            for scheme in ("https://", "http://"):
                session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=2, max_retries=0))
            self._local.session = session
        return session

    def _tell(self, headers: Mapping[str, str]) -> None:
        if self.on_usage and (usage := usage_of(headers)):
            self.on_usage(usage)
        if self.on_version and self.version:
            served = headers.get("facebook-api-version", self.version)
            if served != self.version:
                self.on_version(served)


def translate(error: requests.RequestException, *, commit: bool) -> PlatformError:
    """Our class for a call that got no answer."""
    name = type(error).__name__
    if isinstance(error, ValueError):  # InvalidURL, MissingSchema, …: all are ValueErrors
        return OurBugError(
            _("The address of the network is not a usable one. Nothing was sent. An administrator must correct it."),
            code=name,
        )
    if _never_sent(error):
        return TemporaryError(
            _("The network could not be reached. Nothing was sent; it is tried again by itself."), code=name
        )
    if commit:
        return OutcomeUnknownError(
            _(
                "The network did not answer in time. The post may be out or not; we look before anything is tried again."
            ),
            code=name,
        )
    return TemporaryError(_("The network did not answer in time. It is tried again by itself."), code=name)


def _never_sent(error: requests.RequestException) -> bool:
    """No connection came about, so the network cannot have acted."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    return any(isinstance(cause, NewConnectionError | ssl.SSLCertVerificationError) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps: by argument and `reason` (urllib3's way), and by chain."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
