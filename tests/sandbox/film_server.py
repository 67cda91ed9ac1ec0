"""A web server with films, for whoever fetches them by their address."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.publishing.films import film


class Films(BaseHTTPRequestHandler):
    """/540x960-4s-30.mp4 is such a film: pixels, seconds, pictures a second. Some names stand for what goes wrong."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        found = re.fullmatch(r"/(\d+)x(\d+)-([\d.]+)s-(\d+)(-old)?\.mp4", self.path)
        if found:
            width, height, rate = int(found[1]), int(found[2]), int(found[4])
            codec = "mpeg4" if found[5] else "libx264"
            self.answer(film(width, height, seconds=float(found[3]), fps=rate, codec=codec), "video/mp4")
        elif self.path == "/broken.mp4":
            self.answer(b"\0" * 4096, "video/mp4")
        elif self.path == "/page.mp4":
            self.answer(b"<html>sign in</html>", "text/html")
        elif self.path == "/elsewhere.mp4":
            self.send_response(302)
            self.send_header("Location", "/540x960-4s-30.mp4")
            self.end_headers()
        else:
            self.send_error(404)

    def answer(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="session")
def films() -> Iterator[str]:
    """The address of the web server with the films."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Films)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
