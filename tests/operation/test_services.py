"""The embedded servers: where their sockets lie, and that nothing outlives whoever started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import environ
import psycopg
import pytest
import redis

from socialhub.services import SOCKET_PATH_LIMIT, Postgres, Redis, ServiceMissing, own_socket_folder, start_redis

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "var" / "test"


def test_a_database_in_a_folder_with_a_space_and_a_long_path(test_folder: Path) -> None:
    folder = test_folder / "a b" / ("x" * SOCKET_PATH_LIMIT) / "pg"
    server = Postgres(folder, durable=False)
    server.prepare()
    server.start()
    try:
        options = environ.Env.db_url_config(server.url())["OPTIONS"]
        with psycopg.connect(user="postgres", dbname="postgres", **options) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert len(str(server.sockets)) < SOCKET_PATH_LIMIT
        assert server.sockets.stat().st_mode & 0o077 == 0
    finally:
        server.stop()
    assert server.pid() is None
    assert not server.sockets.exists()


def test_a_pid_that_belongs_to_somebody_else_by_now_is_not_taken_for_the_server(test_folder: Path) -> None:
    server = Postgres(test_folder / "pg")
    server.folder.mkdir()
    (server.folder / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert server.pid() is None
    server.stop()  # must not end us
    server.clear()
    assert not (server.folder / "postmaster.pid").exists()


def test_redis_in_a_long_path_answers_and_tidies_up(test_folder: Path) -> None:
    folder = test_folder / ("y" * SOCKET_PATH_LIMIT)
    url, process = start_redis(folder)
    try:
        assert redis.Redis.from_url(url).ping()
    finally:
        process.terminate()
        process.wait(10)
    server = Redis(folder)
    server.tidy()
    assert not server.socket.parent.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_socket_folder_of_somebody_else_is_refused(test_folder: Path) -> None:
    taken = test_folder / "sockets"
    taken.mkdir()
    os.chown(taken, 12345, 12345)
    with pytest.raises(ServiceMissing, match="belongs to somebody else"):
        own_socket_folder(taken, {0})


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells children of a death only there")
def test_nothing_stays_of_a_test_run_that_was_killed() -> None:
    env = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    words = "import os, time, socialhub.settings_test; print(os.environ['SOCIALHUB_TEST_FOLDER'], flush=True); "
    with subprocess.Popen(
        [sys.executable, "-c", words + "time.sleep(60)"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout
        folder = Path(killed.stdout.readline().strip())
        server = Postgres(folder / "pg")
        assert server.pid() is not None
        killed.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while server.pid() is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert folder.exists()
    # The next run removes what nobody owns, leaves our own folder alone, and its own when it ends.
    after = subprocess.run([sys.executable, "-c", words], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert not folder.exists()
    assert not Path(after.stdout.strip()).exists()
    assert Path(os.environ["SOCIALHUB_TEST_FOLDER"]).exists()


@pytest.fixture
def test_folder() -> Path:
    """Where the database's own user may pass, other than in pytest's temporary folders."""
    folder = Path(os.environ["SOCIALHUB_TEST_FOLDER"]) / f"services-{time.monotonic_ns()}"
    folder.mkdir()
    return folder
