"""A dependency with a known hole fails `bin/test`; a service that is silent is no clean bill."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from socialhub.settings import BASE_DIR

sys.path.append(str(BASE_DIR / "bin"))

import holes

HOLE = {
    "id": "PYSEC-2099-1",
    "summary": "It is open.",
    "published": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "django", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
        }
    ],
}


class Osv:
    """Speaks as osv.dev does; `open` names the packages with a hole."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
                outer.asked.append(name)
                body = json.dumps({"vulns": [HOLE]} if name.lower() in outer.open else {}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/query"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch) -> Iterator[Osv]:
    made = Osv()
    monkeypatch.setenv("OSV_URL", made.url)
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_known_hole_fails_and_says_where_it_is_mended(osv: Osv, capsys: Any) -> None:
    osv.open.add("django")
    assert holes.main(("osv",)) == 1
    told = capsys.readouterr().out
    assert "PYSEC-2099-1, mended in 99.0" in told
    assert " 1 known holes." in told


def test_without_holes_all_that_is_installed_was_looked_at(osv: Osv, capsys: Any) -> None:
    assert holes.main(("osv",)) == 0
    assert {"django", "pillow", "urllib3", "cryptography"} <= {name.lower() for name in osv.asked}
    assert " 0 known holes." in capsys.readouterr().out


def test_a_silent_service_is_said_and_is_no_clean_bill(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("OSV_URL", "http://127.0.0.1:9/v1/query")
    assert holes.main(("osv",)) == holes.NOT_CHECKED
    assert "not checked" in capsys.readouterr().out
