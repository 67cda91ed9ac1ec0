"""Fetching from addresses that others name: public ones only, small and quick ones only."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from socialhub import outside
from socialhub.outside import Fetch, NotFetched, fetch, is_public

Answer = Callable[[BaseHTTPRequestHandler], None]


class Host:
    """A web server of ours on the loopback; `answers` by path."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer.answers[self.path](self)

            def log_message(self, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def file(self, path: str, content: bytes) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)

        self.answers[path] = answer

    def redirect(self, path: str, to: str) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(302)
            handler.send_header("Location", to)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        self.answers[path] = answer

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    yield made
    made.stop()


@pytest.fixture
def inner() -> Iterator[Host]:
    """Somebody's private server, which nobody may be led to."""
    made = Host()
    made.file("/secret", b"secret")
    yield made
    made.stop()


def how(host: Host, **fields: object) -> Fetch:
    return Fetch(**{"most_bytes": 1000, "seconds": 5, "origins": (host.origin,), **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("10.1.2.3", False),
        ("172.16.0.9", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.251", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("::127.0.0.1", False),
        ("::10.0.0.1", False),
    ],
)
def test_what_is_on_the_internet(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_a_file_of_an_allowed_origin_is_fetched(host: Host) -> None:
    host.file("/a.jpg?size=1", b"pixels")
    host.redirect("/moved", "/a.jpg?size=1")
    assert fetch(f"{host.origin}/a.jpg?size=1", how(host)) == b"pixels"
    assert fetch(f"{host.origin}/moved", how(host)) == b"pixels"


def test_a_redirect_leads_to_no_private_address(host: Host, inner: Host) -> None:
    port = inner.server.server_port
    for number, target in enumerate(
        [
            f"{inner.origin}/secret",
            f"https://127.0.0.1:{port}/secret",
            f"//127.0.0.1:{port}/secret",
            "file:///etc/passwd",
        ]
    ):
        host.redirect(f"/{number}", target)
        with pytest.raises(NotFetched):
            fetch(f"{host.origin}/{number}", how(host))
    assert inner.asked == []


def test_redirects_end(host: Host) -> None:
    host.redirect("/round", "/round")
    with pytest.raises(NotFetched, match="redirects"):
        fetch(f"{host.origin}/round", how(host))
    assert len(host.asked) == 4


@pytest.mark.parametrize("found", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1"])
def test_a_name_that_stands_for_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch, found: str) -> None:
    """Also when it stands for a public one as well, and whatever it would stand for a moment later."""
    asked = []

    def resolve(name: str, port: int, **options: object) -> list[object]:
        asked.append((name, port))
        return [(0, 0, 0, "", ("93.184.216.34", port)), (0, 0, 0, "", (found, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(NotFetched, match="private"):
        fetch("https://pictures.example/a.jpg", Fetch(1000, 5))
    assert asked == [("pictures.example", 443)]


@pytest.mark.parametrize(
    "address",
    [
        "http://pictures.example/a.jpg",
        "https://pictures.example:8443/a.jpg",
        "https://somebody@pictures.example/a.jpg",
        "ftp://pictures.example/a.jpg",
        "https:///a.jpg",
        "https://pictures.example:99999/a.jpg",
        "a.jpg",
        "",
    ],
)
def test_only_https_on_its_usual_port(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: pytest.fail("it is not even looked up"))
    with pytest.raises(NotFetched):
        fetch(address, Fetch(1000, 5))


def test_only_means_no_other(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.file("/a.jpg", b"pixels")
    assert fetch(f"{host.origin}/a.jpg", how(host, only=True)) == b"pixels"
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: pytest.fail("it is not even looked up"))
    with pytest.raises(NotFetched):
        fetch("https://pictures.example/a.jpg", how(host, only=True))


def test_the_connection_goes_to_the_address_that_was_looked_at(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    real = outside._pool
    monkeypatch.setattr(
        outside, "_pool", lambda parts, address, *rest: made.append(address) or real(parts, address, *rest)
    )
    host.file("/a.jpg", b"pixels")
    fetch(f"{host.origin}/a.jpg", how(host))
    assert made == ["127.0.0.1"]


def test_too_much_and_too_slow_end(host: Host) -> None:
    host.file("/large", b"x" * 5000)

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(50):
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(0.1)
        except OSError:
            return

    host.answers["/drip"] = drip
    with pytest.raises(NotFetched, match="more than"):
        fetch(f"{host.origin}/large", how(host))
    began = time.monotonic()
    with pytest.raises(NotFetched, match="too long"):
        fetch(f"{host.origin}/drip", how(host, seconds=0.6))
    assert time.monotonic() - began < 2


def test_an_answer_without_a_file_is_no_file(host: Host) -> None:
    host.answers["/gone"] = lambda handler: handler.send_error(404)
    with pytest.raises(NotFetched, match="404"):
        fetch(f"{host.origin}/gone", how(host))
    origin = host.origin
    host.server.server_close()
    with pytest.raises(NotFetched):
        fetch(f"{origin}/a.jpg", Fetch(1000, 1, origins=(origin,)))


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A server with a certificate for pictures.example that is trusted here; every name leads to it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pictures.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("pictures.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = tmp_path / "certificate.pem", tmp_path / "key.pem"
    chain.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    made = Host()
    made.server.socket = context.wrap_socket(made.server.socket, server_side=True)
    port = made.server.server_port
    monkeypatch.setattr(certifi, "where", lambda: str(chain))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: [(2, 1, 6, "", ("127.0.0.1", port))])
    yield made
    made.stop()


def test_the_certificate_must_be_that_of_the_name(secure: Host) -> None:
    secure.file("/a.jpg", b"pixels")
    port = secure.server.server_port
    for name, is_good in (("pictures.example", True), ("other.example", False)):
        origin = f"https://{name}:{port}"
        with nullcontext() if is_good else pytest.raises(NotFetched, match="SSLError"):
            assert fetch(f"{origin}/a.jpg", Fetch(1000, 5, origins=(origin,))) == b"pixels"
    assert secure.asked == ["/a.jpg"]
