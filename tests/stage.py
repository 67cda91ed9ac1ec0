"""A small installation of real processes (web, workers, sandbox) on the database and the broker of this process.

Used by the tests marked `processes` and by `bin/bench`. Everything started here ends with `stop()`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from django.db import connection

from publishing.models import QueueEntry
from publishing.tasks import publish_due, sweep
from tests.sandbox_process import Sandbox, free_port, start_sandbox

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 4  # a machine with much to do gets more time; what comes in time costs nothing of it


def database_url() -> str:
    """The database of this process; under pytest the test database."""
    values = connection.settings_dict
    user = f"{quote(values['USER'])}:{quote(values['PASSWORD'])}"
    host = values["HOST"] or values["OPTIONS"].get("host", "")
    if host.startswith("/"):
        return f"postgresql://{user}@/{values['NAME']}?host={host}"
    return f"postgresql://{user}@{host}:{values['PORT'] or 5432}/{values['NAME']}"


def procfile(name: str) -> str:
    """The command of a process."""
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    return lines[name]


def wait_until(condition: Callable[[], object], seconds: float, every: float = 0.1, patience: int = PATIENCE) -> bool:
    """seconds: what a machine needs that has nothing else to do."""
    deadline = time.monotonic() + seconds * patience
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(every)
    return bool(condition())


class Stage:
    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.web_url = f"http://127.0.0.1:{free_port()}"
        self.sandbox: Sandbox = start_sandbox(folder, public_base_url=self.web_url, threads=80, keep_state=False)
        self.environment = {
            **os.environ,
            "ENV_FILE": "",
            "DJANGO_SETTINGS_MODULE": "socialhub.settings",
            "DATABASE_URL": database_url(),
            "DEBUG": "1",
            "SANDBOX": "1",
            "SANDBOX_URL": self.sandbox.url,
            "PUBLIC_BASE_URL": self.web_url,
            "ALLOWED_HOSTS": "*",
            "EMAIL_URL": "dummymail://",
            "PUBLISH_LEASE_SECONDS": "8",
            "HTTP_CONNECT_TIMEOUT_SECONDS": "1",
            "HTTP_READ_TIMEOUT_SECONDS": "2",
            "PUBLISH_CHECK_SPEED": "150",
            "LOG_LEVEL": "WARNING",
            **environment,
        }

    def start(self, *command: str, **options: Any) -> subprocess.Popen[bytes]:
        with (self.folder / f"process-{len(self.processes)}.log").open("wb") as log:
            options = {"stdout": log, "stderr": subprocess.STDOUT, **options}
            process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=self.environment, **options)
        self.processes.append(process)
        return process

    def run(self, line: str) -> subprocess.Popen[bytes]:
        """A line of the Procfile, as it stands there."""
        programs = os.pathsep.join((str(Path(sys.executable).parent), self.environment.get("PATH", "")))
        with (self.folder / f"process-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                ["/bin/sh", "-c", line],
                cwd=ROOT,
                env={**self.environment, "PATH": programs},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def start_web(self) -> None:
        bind = self.web_url.removeprefix("http://")
        self.start(
            "gunicorn", "socialhub.wsgi", "--worker-class", "gthread", "--threads", "4", "--keep-alive", "0", "--bind", bind
        )  # fmt: skip
        assert wait_until(self._web_answers, 60), "the web process did not start"

    def _web_answers(self) -> bool:
        try:
            return requests.get(f"{self.web_url}/healthz", timeout=1).ok
        except requests.RequestException:
            return False

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self.start("socialhub", "worker")

    def beat_until(self, condition: Callable[[], object], seconds: float) -> bool:
        """What beat does, but twice a second: nudge and sweep until the condition holds."""

        def once() -> object:
            publish_due.apply_async(retry=False)
            sweep.apply_async(retry=False)
            return condition()

        return wait_until(once, seconds, every=0.5)

    def settled(self) -> bool:
        return not QueueEntry.objects.exists()

    def stop(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.sandbox.stop()


class Killers:
    """Makes worker processes that are killed by SIGKILL at chosen points; see `tests.killer`."""

    def __init__(self, stage: Stage) -> None:
        self.process = stage.start(
            "tests.killer", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._read()  # ready

    def kill_worker_at(self, points: Mapping[str, tuple[str, str]]) -> tuple[int, set[str]]:
        """Start a worker that is killed when the publication of each account has come to its moment of its step.

        Returns the signal that ended it and the accounts whose publications had come so far.
        """
        assert self.process.stdin
        self.process.stdin.write(json.dumps(points).encode() + b"\n")
        self.process.stdin.flush()
        answer = self._read()
        return answer["signal"], set(answer["reached"])

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the process that makes workers has ended"
        return json.loads(line)

    def stop(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=10)
