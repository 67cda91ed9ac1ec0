"""A copy of the project, as somebody has it who has just cloned it, in which `bin/run` can be started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def until(condition: Callable[[], object], seconds: float = 90) -> None:
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


@contextmanager
def fresh_checkout() -> Iterator[Checkout]:
    """Whatever was started in it ends with it."""
    # Not tmp_path: as root the database runs as another user, and pytest closes its folders to others.
    folder = Path(tempfile.mkdtemp(prefix="run", dir=os.environ["SOCIALHUB_TEST_FOLDER"]))
    folder.chmod(0o755)
    made = Checkout(folder / "hub")
    try:
        yield made
    finally:
        if made.process and made.process.poll() is None:
            made.stop(signal.SIGINT)
        for pid in made.running():
            os.kill(pid, signal.SIGKILL)
