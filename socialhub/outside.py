"""Fetching a file from an address that somebody else named: only from the public internet, small, and within seconds.

The name is resolved once and the connection goes to that very address, so that a name cannot lead elsewhere between
the look and the call. Redirects are looked at like the first address.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

import certifi
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import HTTPError

MOST_REDIRECTS = 3
CHUNK_BYTES = 64 * 1024
# Lead to IPv4 addresses, private ones too: by translation, and the old way of writing them.
TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))


class NotFetched(Exception):
    """The address gave no file; the text says why, and holds nothing of the address but its host."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """How to fetch. origins: addresses that may be private, such as "http://127.0.0.1:8010"; only: and no others."""

    most_bytes: int
    seconds: float
    origins: Collection[str] = ()
    only: bool = False


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def fetch(url: str, how: Fetch) -> bytes:
    """The file at the address. Raises NotFetched."""
    deadline = time.monotonic() + how.seconds
    for _step in range(MOST_REDIRECTS + 1):
        answer = _one(url, how, deadline)
        if isinstance(answer, bytes):
            return answer
        url = answer
    raise NotFetched("too many redirects")


def _one(url: str, how: Fetch, deadline: float) -> bytes | str:
    """The file, or the address that leads on."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise NotFetched("no usable address") from error
    address = _address_of(parts, port, how)
    pool = _pool(parts, address, port, _left(deadline))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        response = pool.urlopen(
            "GET",
            target,
            headers={"Host": parts.netloc, "User-Agent": "socialhub", "Accept": "image/*"},
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,  # a small packed file may be a huge one
        )
        try:
            return _read(response, url, how.most_bytes, deadline)
        finally:
            response.close()
    except (HTTPError, OSError, ValueError) as error:
        raise NotFetched(f"{parts.hostname}: {type(error).__name__}") from error
    finally:
        pool.close()


def _read(response: BaseHTTPResponse, url: str, most_bytes: int, deadline: float) -> bytes | str:
    if response.status in (301, 302, 303, 307, 308):
        return urljoin(url, response.headers.get("location", ""))
    if response.status != 200:
        raise NotFetched(f"HTTP {response.status}")
    content = bytearray()
    while chunk := response.read1(CHUNK_BYTES):
        content += chunk
        if len(content) > most_bytes:
            raise NotFetched(f"more than {most_bytes} bytes")
        _left(deadline)
    return bytes(content)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise NotFetched("it takes too long")
    return left


def _address_of(parts: SplitResult, port: int, how: Fetch) -> str:
    """Where to connect to. Raises NotFetched unless everything that the name stands for is public."""
    is_ours = f"{parts.scheme}://{parts.netloc}".lower() in how.origins
    if not parts.hostname or (how.only and not is_ours):
        raise NotFetched("not an address to fetch from")
    if not is_ours and (parts.scheme != "https" or port != 443 or "@" in parts.netloc):
        raise NotFetched("only https on its usual port")
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotFetched(f"{parts.hostname} is not known") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not (is_ours or all(map(is_public, addresses))):
        raise NotFetched(f"{parts.hostname} is in a private network")
    return addresses[0]


def is_public(address: str) -> bool:
    """On the internet, and not by a detour somewhere else."""
    try:
        ip: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:  # with a zone: a link of this very computer
        return False
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        elif ip.sixtofour or ip.teredo or any(ip in network for network in TRANSLATED):
            return False
    return ip.is_global and not ip.is_multicast


def _pool(parts: SplitResult, address: str, port: int, seconds: float) -> HTTPConnectionPool:
    timeout = Timeout(connect=min(5, seconds), read=min(5, seconds))
    if parts.scheme == "http":
        return HTTPConnectionPool(address, port, timeout=timeout, maxsize=1)
    return HTTPSConnectionPool(
        address,
        port,
        timeout=timeout,
        maxsize=1,
        cert_reqs="CERT_REQUIRED",
        ca_certs=certifi.where(),
        server_hostname=parts.hostname,
        assert_hostname=parts.hostname,
    )
