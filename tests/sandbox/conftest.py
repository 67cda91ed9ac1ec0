"""A sandbox, and a web server with the images that it shall fetch."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image

from tests.sandbox_process import sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]
KINDS = {"jpg": "JPEG", "png": "PNG", "gif": "GIF", "webp": "WEBP"}


@lru_cache
def image_bytes(width: int = 1080, height: int = 1080, kind: str = "JPEG", padding: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (180, 40, 30)).save(buffer, kind)
    return buffer.getvalue() + b"\0" * padding


class Pictures(BaseHTTPRequestHandler):
    """/1080x1350.jpg is such an image; /elsewhere sends on; anything else is missing."""

    def do_GET(self) -> None:
        found = re.fullmatch(r"/(\d+)x(\d+)(-big)?\.(\w+)", self.path)
        if self.path == "/elsewhere.jpg":
            self.send_response(302)
            self.send_header("Location", "/1080x1080.jpg")
            self.end_headers()
        elif self.path == "/page.jpg":
            self.answer(b"<html>sign in</html>")
        elif found:
            padding = 9 * 1024 * 1024 if found[3] else 0
            self.answer(image_bytes(int(found[1]), int(found[2]), KINDS[found[4]], padding))
        else:
            self.send_error(404)

    def answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="session")
def pictures() -> Iterator[str]:
    """The address of the web server with the images."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pictures)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
