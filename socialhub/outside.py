"""Calls to an address that somebody else named: only to the public internet, no more than allowed, and not for ever.

The name is resolved once and the connection goes to that very address, so that a name cannot lead elsewhere between
the look and the call. Redirects are looked at like the first address. The time is that of the whole call: a watchdog
cuts the connection, so that nobody can hold a worker by a byte now and then, be it in the handshake or the headers.
"""

from __future__ import annotations

import io
import re
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import BinaryIO
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import certifi

MOST_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 5.0
# All that is on the internet of IPv6; outside of it are links, sites, and ways to write or reach private IPv4 addresses.
INTERNET = IPv6Network("2000::/3")
# How browsers know a host that is a number: "2130706433", "0x7f.1" and "0177.0.0.1" all are 127.0.0.1.
NUMBER_AT_END = re.compile(r"(?:^|\.)(?:0x[0-9a-f]*|[0-9]+)\.?$", re.IGNORECASE)
# Clients are asked to come again after these; whatever else is wrong with a request stays wrong.
PASSING = (408, 421, 425, 429)


class Why(StrEnum):
    """What is wrong with an address, or with what answered there."""

    ADDRESS = "address"  # not one that we call
    PRIVATE = "private"  # it leads into a private network
    UNKNOWN = "unknown"  # no such name
    UNREACHABLE = "unreachable"  # nothing answered, or it broke off
    CERTIFICATE = "certificate"
    SLOW = "slow"
    LARGE = "large"
    STATUS = "status"  # an answer, but not the file
    REDIRECTS = "redirects"


class NotFetched(Exception):
    """The address gave nothing; the text says why, and holds nothing of the address but its host."""

    def __init__(self, text: str, why: Why = Why.ADDRESS, *, status: int = 0) -> None:
        super().__init__(text)
        self.why = why
        self.status = status  # where why is STATUS

    @property
    def is_passing(self) -> bool:
        """The same call may do better later."""
        if self.why is Why.STATUS:
            return self.status >= 500 or self.status in PASSING
        return self.why in (Why.UNKNOWN, Why.UNREACHABLE, Why.SLOW, Why.CERTIFICATE)


@dataclass(frozen=True, slots=True)
class Fetch:
    """How to call.

    most_bytes: of the file; of a posted request: of what is kept of the answer.
    seconds: for everything, redirects included. quiet_seconds: for which nothing may come.
    origins: addresses that may be private, such as "http://127.0.0.1:8010". only: those and no others.
    """

    most_bytes: int
    seconds: float
    origins: Collection[str] = ()
    only: bool = False
    accept: str = "image/*"
    quiet_seconds: float = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """content_type: as the server said it, which proves nothing. url: where the redirects ended."""

    size: int
    content_type: str
    url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a posted request was answered with. excerpt: the beginning as text. retry_after: seconds, if it says."""

    status: int
    excerpt: str
    seconds: float
    retry_after: int | None = None


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def fetch(url: str, how: Fetch) -> bytes:
    """The file at the address. Raises NotFetched."""
    content = io.BytesIO()
    fetch_to(url, how, content)
    return content.getvalue()


def fetch_to(url: str, how: Fetch, file: BinaryIO) -> Fetched:
    """Write the file at the address into `file`, piece by piece. Raises NotFetched; then `file` may hold a part of it."""
    deadline = time.monotonic() + how.seconds
    for _step in range(MOST_REDIRECTS + 1):
        with _asked("GET", url, how, deadline, {"Accept": how.accept}) as response:
            if response.status not in REDIRECTS:
                if response.status != 200:
                    raise NotFetched(f"HTTP {response.status}", Why.STATUS, status=response.status)
                size = _copy(response, file, how.most_bytes, deadline)
                return Fetched(size, response.headers.get_content_type(), url)
            url = _leads_to(url, response)
    raise NotFetched("too many redirects", Why.REDIRECTS)


def post(url: str, how: Fetch, *, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send the body there, once; redirects are not followed. Any status is an answer. Raises NotFetched.

    Where it raises, the request may have arrived: only an answer tells.
    """
    began = time.monotonic()
    with _asked("POST", url, how, began + how.seconds, headers, body) as response:
        excerpt = _beginning(response, how.most_bytes)
        told = response.headers.get("Retry-After", "")
        retry_after = int(told) if re.fullmatch("[0-9]{1,6}", told) else None
        return Answer(response.status, excerpt, time.monotonic() - began, retry_after)


def check_address(url: str, how: Fetch) -> None:
    """Raises NotFetched where we would not call, as the name stands now. Nothing is sent."""
    _address_of(*_split(url), how)


@contextmanager
def _asked(
    method: str, url: str, how: Fetch, deadline: float, headers: Mapping[str, str], body: bytes | None = None
) -> Iterator[HTTPResponse]:
    """The answer of the address; its body is still to be read. Raises NotFetched."""
    parts, host, port = _split(url)
    address = _address_of(parts, host, port, how)
    with ExitStack() as stack:
        with _translated(deadline):
            connection = stack.enter_context(_connected(parts.scheme, host, (address, port), how, deadline))
            # No packing: a small packed file may be a huge one.
            standard = {"Host": parts.netloc, "User-Agent": "socialhub", "Accept-Encoding": "identity"}
            connection.request(method, _target(parts), body, {**standard, **headers})
            response = stack.enter_context(closing(connection.getresponse()))
            _left(deadline)  # headers that were cut off look like all of them
        yield response


@contextmanager
def _translated(deadline: float) -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise NotFetched("its certificate is not valid", Why.CERTIFICATE) from error
    except (HTTPException, OSError, ValueError) as error:
        _left(deadline)  # cut by the watchdog
        why = Why.SLOW if isinstance(error, TimeoutError) else Why.UNREACHABLE
        raise NotFetched(f"no answer: {type(error).__name__}", why) from error


def _split(url: str) -> tuple[SplitResult, str, int]:
    """The parts of the address, its host as it is asked for on the wire, and its port."""
    try:
        parts = urlsplit(url)
        named = parts.hostname or ""
        # Before anything is judged: some characters of other scripts are dots and digits on the wire.
        host = str(IPv6Address(named)) if ":" in named else named.encode("idna").decode("ascii").lower()
        port = parts.port
    except ValueError as error:
        raise NotFetched("no usable address") from error
    if not host.isascii() or "@" in parts.netloc:
        raise NotFetched("no usable address")
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    return parts._replace(netloc=netloc), host, port or (443 if parts.scheme == "https" else 80)


def judge(url: str, how: Fetch) -> None:
    """Raise NotFetched for an address that would never be called, without looking up its name."""
    _judged(*_split(url), how)


def _judged(parts: SplitResult, host: str, port: int, how: Fetch) -> bool:
    """Whether it is one of `how.origins`. Raises NotFetched."""
    is_ours = f"{parts.scheme}://{parts.netloc}" in how.origins
    if not host or _is_odd_number(host) or (how.only and not is_ours):
        raise NotFetched("not an address to fetch from")
    if not is_ours and (parts.scheme != "https" or port != 443):
        raise NotFetched("only https on its usual port")
    with suppress(ValueError):  # most are names
        if not is_ours and not is_public(str(ip_address(host))):
            raise NotFetched(f"{host} is in a private network", Why.PRIVATE)
    return is_ours


def _address_of(parts: SplitResult, host: str, port: int, how: Fetch) -> str:
    """Where to connect to. Raises NotFetched unless everything that the name stands for is public."""
    is_ours = _judged(parts, host, port, how)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotFetched(f"{host} is not known", Why.UNKNOWN) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not (is_ours or all(map(is_public, addresses))):
        raise NotFetched(f"{host} is in a private network", Why.PRIVATE)
    return addresses[0]


def _is_odd_number(host: str) -> bool:
    """An address of the old internet that is not written as four plain numbers."""
    if not NUMBER_AT_END.search(host):
        return False
    try:
        ip_address(host)
    except ValueError:
        return True
    return False


def is_public(address: str) -> bool:
    """On the internet, and not by a detour somewhere else."""
    try:
        ip: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if ip.scope_id:  # a link of this very computer
            return False
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        elif ip not in INTERNET or ip.sixtofour or ip.teredo:
            return False
    return ip.is_global and not ip.is_multicast


def _target(parts: SplitResult) -> str:
    """What is asked for; letters of other scripts written as the wire takes them, all else as it stands."""
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~[]|^`{}\"<>\\")
    return path + (f"?{quote(parts.query, safe='/%:@!$&()*+,;=~?[]|^`{}')}" if parts.query else "")


def _leads_to(url: str, response: HTTPResponse) -> str:
    try:
        return urljoin(url, response.headers.get("location", ""))
    except ValueError as error:
        raise NotFetched("no usable address") from error


@contextmanager
def _connected(
    scheme: str, host: str, address: tuple[str, int], how: Fetch, deadline: float
) -> Iterator[HTTPConnection]:
    """A connection to that very address, cut when the time is over."""
    left = _left(deadline)
    link = socket.create_connection(address, timeout=min(CONNECT_SECONDS, left))
    # A second hold of the same connection: TLS takes the first one over.
    twin = link.dup()
    watchdog = threading.Timer(_left(deadline), _cut, (twin,))
    watchdog.daemon = True
    watchdog.start()
    connection = HTTPConnection(host, address[1])
    connection.auto_open = 0  # never by the name
    try:
        link.settimeout(min(how.quiet_seconds, left))
        if scheme == "https":
            link = _context(certifi.where()).wrap_socket(link, server_hostname=host)
        connection.sock = link
        yield connection
    finally:
        watchdog.cancel()
        watchdog.join()
        connection.close()
        link.close()
        twin.close()


def _cut(twin: socket.socket) -> None:
    with suppress(OSError):  # it is over anyhow
        twin.shutdown(socket.SHUT_RDWR)


@cache
def _context(bundle: str) -> ssl.SSLContext:
    """Reading the certificates takes longer than many a call."""
    context = ssl.create_default_context(cafile=bundle)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _copy(response: HTTPResponse, file: BinaryIO, most_bytes: int, deadline: float) -> int:
    size = 0
    if (response.length or 0) > most_bytes:
        raise NotFetched(f"more than {most_bytes} bytes", Why.LARGE)
    while chunk := _piece(response, deadline):
        size += len(chunk)
        if size > most_bytes:
            raise NotFetched(f"more than {most_bytes} bytes", Why.LARGE)
        file.write(chunk)
        _left(deadline)
    _left(deadline)  # what the watchdog has cut looks like an end
    if response.length:
        raise NotFetched("the file broke off", Why.UNREACHABLE)
    return size


def _piece(response: HTTPResponse, deadline: float) -> bytes:
    with _translated(deadline):
        return response.read1(CHUNK_BYTES)


def _beginning(response: HTTPResponse, most_bytes: int) -> str:
    """What can be had of the answer. That it came is what counts: when its text breaks off, it breaks off."""
    content = b""
    with suppress(HTTPException, OSError, ValueError):
        while len(content) < most_bytes and (chunk := response.read1(most_bytes - len(content))):
            content += chunk
    text = content.decode(errors="replace")
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "·" for letter in text)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise NotFetched("it takes too long", Why.SLOW)
    return left
