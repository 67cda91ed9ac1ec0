"""Fetching from addresses that others name: public ones only, small and quick ones only."""

from __future__ import annotations

import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from socialhub.outside import Fetch, Fetched, NotFetched, Why, fetch, fetch_to, is_public, judge, post

Answer = Callable[[BaseHTTPRequestHandler], None]


class Host:
    """A web server of ours on the loopback; `answers` by path."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.headers: list[Message] = []
        self.bodies: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer.headers.append(self.headers)
                outer.answers[self.path](self)

            def do_POST(self) -> None:
                outer.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.do_GET()

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
        ("::ffff:0:127.0.0.1", False),
        ("64:ff9b:1::7f00:1", False),
        ("2001:0:7f00:1::", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::", False),
        ("2606:2800::1%eth0", False),
        ("255.255.255.255", False),
        ("198.18.0.1", False),
        ("192.0.2.1", False),
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
        "https://127.0.0.1@pictures.example/a.jpg",
        "https://pictures.example\\@127.0.0.1/a.jpg",
        "https://pictures.example:443@127.0.0.1/a.jpg",
        "https://pictures..example/a.jpg",
        f"https://{'a' * 64}.example/a.jpg",
        "https://[::1/a.jpg",
        "https://[v1.fe80::a+en1]/a.jpg",
        "gopher://pictures.example:443/_",
        "//pictures.example/a.jpg",
    ],
)
def test_only_https_on_its_usual_port(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: pytest.fail("it is not even looked up"))
    for call in (fetch, judge):
        with pytest.raises(NotFetched):
            call(address, Fetch(1000, 5))


@pytest.mark.parametrize(
    "written",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0x7f.0x0.0x0.0x1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "127.0.0.1.",
        "0",
        "127.0.0.01",
        "１２７.0.0.1",
        "127。0。0。1",
        "①②⑦.0.0.1",
        "1572395042",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[0:0:0:0:0:0:0:1]",
        "[fe80::1%25eth0]",
        "[fd00::1]",
        "localhost",
        "LOCALHOST",
        "ｌｏｃａｌｈｏｓｔ",
    ],
)
def test_however_a_private_address_is_written(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *args, **options: pytest.fail("connected"))
    with pytest.raises(NotFetched) as refused:
        fetch(f"https://{written}/a.jpg", Fetch(1000, 5))
    assert not refused.value.is_passing or refused.value.why is Why.UNKNOWN


def test_only_means_no_other(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.file("/a.jpg", b"pixels")
    assert fetch(f"{host.origin}/a.jpg", how(host, only=True)) == b"pixels"
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: pytest.fail("it is not even looked up"))
    with pytest.raises(NotFetched):
        fetch("https://pictures.example/a.jpg", how(host, only=True))


def test_the_connection_goes_to_the_address_that_was_looked_at(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the name changes what it stands for."""
    host.file("/a.jpg", b"pixels")
    looked_up = []

    def resolve(name: str, port: int, **options: object) -> list[object]:
        if looked_up:
            pytest.fail("asked again")
        looked_up.append(name)
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        link = socket.socket()
        link.connect(address)
        return link

    port = host.server.server_port
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    origin = f"http://changing.example:{port}"
    assert fetch(f"{origin}/a.jpg", Fetch(1000, 5, origins=(origin,))) == b"pixels"
    assert looked_up == ["changing.example"]


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
        with nullcontext() if is_good else pytest.raises(NotFetched, match="certificate"):
            assert fetch(f"{origin}/a.jpg", Fetch(1000, 5, origins=(origin,))) == b"pixels"
    assert secure.asked == ["/a.jpg"]


def test_a_file_is_written_where_it_is_to_go(host: Host) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "Image/JPEG; charset=x")
        handler.end_headers()
        handler.wfile.write(b"x" * 200_000)

    host.answers["/b%C3%BCcher/%7Ea.jpg?q=%20&n=1"] = answer
    host.redirect("/a", "/bücher/%7Ea.jpg?q=%20&n=1")
    file = io.BytesIO()
    done = fetch_to(f"{host.origin}/a", how(host, most_bytes=200_000), file)
    assert done == Fetched(200_000, "image/jpeg", f"{host.origin}/bücher/%7Ea.jpg?q=%20&n=1")
    assert file.getvalue() == b"x" * 200_000
    assert host.headers[-1]["Host"] == host.origin.removeprefix("http://")
    assert host.headers[-1]["Accept-Encoding"] == "identity"


def test_what_is_said_to_be_too_long_is_not_read(host: Host) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "5000")
        handler.end_headers()

    host.answers["/a"] = answer
    began = time.monotonic()
    with pytest.raises(NotFetched, match="more than 1000 bytes") as refused:
        fetch(f"{host.origin}/a", how(host))
    assert refused.value.why is Why.LARGE
    assert time.monotonic() - began < 1


def test_half_a_file_is_none(host: Host) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "500")
        handler.end_headers()
        handler.wfile.write(b"x" * 200)

    host.answers["/a"] = answer
    with pytest.raises(NotFetched) as refused:
        fetch(f"{host.origin}/a", how(host))
    assert refused.value.why is Why.UNREACHABLE
    assert refused.value.is_passing


def test_what_cannot_be_written_is_no_fault_of_the_address(host: Host) -> None:
    class Full(io.BytesIO):
        def write(self, piece: object) -> int:
            raise OSError(28, "No space left on device")

    host.file("/a", b"pixels")
    with pytest.raises(OSError, match="No space left"):
        fetch_to(f"{host.origin}/a", how(host), Full())


@pytest.mark.parametrize(("status", "passing"), [(404, False), (403, False), (429, True), (500, True), (503, True)])
def test_what_may_be_tried_again(host: Host, status: int, passing: bool) -> None:
    host.answers["/a"] = lambda handler: handler.send_error(status)
    with pytest.raises(NotFetched) as refused:
        fetch(f"{host.origin}/a", how(host))
    assert (refused.value.why, refused.value.status) == (Why.STATUS, status)
    assert refused.value.is_passing is passing


class Dripper:
    """Takes connections and sends its bytes one by one, for ever."""

    def __init__(self, start: bytes, drop: bytes) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listening.getsockname()[1]}"
        self.start, self.drop = start, drop
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        link, _peer = self.listening.accept()
        with link:
            try:
                link.sendall(self.start)
                while not self.over.wait(0.05):
                    link.sendall(self.drop)
            except OSError:
                return

    def stop(self) -> None:
        self.over.set()
        self.thread.join(5)
        self.listening.close()


def posted(url: str, allowed: Fetch) -> None:
    assert post(url, allowed, body=b"{}", headers={}).status == 200


HEADERS = b"HTTP/1.1 200 OK\r\nX-Slow: "
HANDSHAKE = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"  # the beginning of a long first message


@pytest.mark.parametrize(
    ("scheme", "start", "drop"),
    [("http", HEADERS, b"x"), ("http", b"HTTP/1.1 200 OK\r\n\r\n", b"x"), ("https", HANDSHAKE, b"\x03")],
    ids=["headers", "body", "handshake"],
)
@pytest.mark.parametrize("call", [fetch, posted])
def test_a_byte_now_and_then_holds_nobody(
    scheme: str, start: bytes, drop: bytes, call: Callable[[str, Fetch], object]
) -> None:
    dripper = Dripper(start, drop)
    origin = f"{scheme}://{dripper.address}"
    allowed = Fetch(1000, 0.5, origins=(origin,))
    began = time.monotonic()
    try:
        if call is posted and start.endswith(b"\r\n\r\n"):
            posted(f"{origin}/", allowed)  # the answer is there
        else:
            with pytest.raises(NotFetched) as refused:
                call(f"{origin}/", allowed)
            assert refused.value.why is Why.SLOW
    finally:
        dripper.stop()
    assert time.monotonic() - began < 1.5


def test_silence_ends_before_the_time_is_over(host: Host) -> None:
    over = threading.Event()
    host.answers["/a"] = lambda handler: over.wait(5) and None
    with pytest.raises(NotFetched) as refused:
        fetch(f"{host.origin}/a", how(host, quiet_seconds=0.2))
    over.set()
    assert refused.value.why is Why.SLOW


def test_a_body_is_posted_and_the_answer_told(host: Host) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(503)
        handler.send_header("Retry-After", "120")
        handler.end_headers()
        handler.wfile.write(b"zu voll \x1b[31m" + b"\xff" + b"x" * 5000)

    host.answers["/in?to=a"] = answer
    told = post(f"{host.origin}/in?to=a", how(host), body=b'{"a": 1}', headers={"Webhook-Id": "msg_1"})
    assert (told.status, told.retry_after) == (503, 120)
    assert told.excerpt.startswith("zu voll ·[31m�xxx")
    assert len(told.excerpt) <= 1000
    assert 0 < told.seconds < 5
    assert host.bodies == [b'{"a": 1}']
    assert host.headers[0]["Webhook-Id"] == "msg_1"


def test_a_posted_request_follows_no_redirect(host: Host, inner: Host) -> None:
    host.redirect("/in", f"{inner.origin}/secret")
    assert post(f"{host.origin}/in", how(host), body=b"", headers={}).status == 302
    assert inner.asked == []


@pytest.mark.parametrize("url", ["http://93.184.216.34/in", "https://127.0.0.1/in", "https://10.0.0.1/in"])
def test_nothing_is_posted_to_a_private_address(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *args, **options: pytest.fail("connected"))
    with pytest.raises(NotFetched) as refused:
        post(url, Fetch(1000, 5), body=b"", headers={})
    assert not refused.value.is_passing


def test_no_header_or_path_smuggles_a_line(host: Host) -> None:
    host.file("/a%0d%0aX:y", b"pixels")
    assert fetch(f"{host.origin}/a%0d%0aX:y", how(host)) == b"pixels"
    with pytest.raises(NotFetched):
        post(f"{host.origin}/in", how(host), body=b"", headers={"A": "b\r\nC: d"})
    assert host.bodies == []
