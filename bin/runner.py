"""What `bin/run` does once its environment exists: settings, servers, database, then web, worker, beat and sandbox."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

import environ
from bootstrap import PYTHON, ROOT, give_up
from private import new_secret, write_private
from supervisor import Child, GaveUp, Stopped, Supervisor

from socialhub.services import Postgres, Redis, ServiceMissing, dies_with_parent

VAR = ROOT / "var"
RUN_ENV = VAR / "run.env"
PROGRAMS = PYTHON.parent
SANDBOX_OFFSET = 10
SANDBOX_PORTS = 50
READY_SECONDS = 60
# What `manage.py` needs to work beside us; settings.py reads it from var/run.env.
SHARED = [
    "SECRET_KEY",
    "FERNET_KEYS",
    "DATABASE_URL",
    "REDIS_URL",
    "PUBLIC_BASE_URL",
    "ALLOWED_HOSTS",
    "DEBUG",
    "SANDBOX",
    "SANDBOX_URL",
]


def main() -> int:
    options = arguments()
    VAR.mkdir(exist_ok=True)
    lock = take_lock()
    if not is_free(options.host, options.port):
        give_up(f"Port {options.port} is in use: start with --port N, for example --port {options.port + 1}.")
    env = environment(options.host, options.port)
    supervisor = Supervisor()
    try:
        run(supervisor, env, options)
    except Stopped:
        supervisor.say("Stopping. What is being published is finished first; Ctrl-C again ends everything at once.")
    except (GaveUp, ServiceMissing) as error:
        supervisor.say(f"{error} Stopping everything.", colour=31)
        return 1
    finally:
        supervisor.stop(["beat"], ["worker"], ["web"], ["sandbox"], ["redis", "postgres"])
        RUN_ENV.unlink(missing_ok=True)
        lock.close()
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/run",
        description="Start socialhub: database, broker, web, worker, scheduler and the simulated networks. "
        "Settings come from the environment and from .env (see .env.example). Ctrl-C stops everything in order.",
    )
    parser.add_argument("--port", type=port_number, default=8000, help="where the pages are served (default 8000)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1: this machine only)"
    )
    return parser.parse_args()


def port_number(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return number


def take_lock(path: Path = VAR / "run.lock") -> TextIO:
    """Held until we end. Two runners in one folder would share data and fight over it."""
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        give_up(f"socialhub already runs from this folder (process {lock.read().strip()}). Stop that one first.")
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


# --- Settings ---------------------------------------------------------------------------------------------------


def environment(host: str, port: int) -> dict[str, str]:
    """Variables for every child: those given, those of .env, and ours for what is missing."""
    if (ROOT / ".env").exists() and "ENV_FILE" not in os.environ:
        environ.Env.read_env(ROOT / ".env")
    env = {**os.environ, "PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "socialhub.settings"}
    if os.geteuid() == 0:  # Celery warns at length; in a container there is nobody else to be
        env.setdefault("PYTHONWARNINGS", "ignore::UserWarning:celery.platforms")
    if "PUBLIC_BASE_URL" not in env:
        # Only a start that names no address of its own is a trial, with details on error pages and a sandbox.
        env["PUBLIC_BASE_URL"] = f"http://127.0.0.1:{port}"
        env.setdefault("DEBUG", "1")
        env.setdefault(
            "ALLOWED_HOSTS", "*" if host not in ("127.0.0.1", "localhost", "::1") else "127.0.0.1,localhost,[::1]"
        )
    env.setdefault("DEBUG", "0")
    env.setdefault("ALLOWED_HOSTS", urlsplit(env["PUBLIC_BASE_URL"]).hostname or "")
    env.setdefault("SANDBOX", env["DEBUG"])
    env.setdefault("SECRET_KEY", kept_secret("secret_key"))
    env.setdefault("FERNET_KEYS", kept_secret("fernet_keys"))
    if "SANDBOX_URL" not in env:
        ports = range(port + SANDBOX_OFFSET, min(port + SANDBOX_OFFSET + SANDBOX_PORTS, 65536))
        free = next((number for number in ports if is_free("127.0.0.1", number)), None)
        if free is None:
            give_up(f"No free port from {ports.start} on for the sandbox: start with --port N.")
        env["SANDBOX_URL"] = f"http://127.0.0.1:{free}"
    return env


def kept_secret(name: str) -> str:
    """A random secret that is made once and kept below var/, readable only by its owner."""
    path = VAR / name
    if not path.exists():
        write_private(path, new_secret())
    return path.read_text().strip()


def is_on(env: dict[str, str], name: str) -> bool:
    return env.get(name, "").strip().lower() in environ.Env.BOOLEAN_TRUE_STRINGS


# --- The start --------------------------------------------------------------------------------------------------


def run(supervisor: Supervisor, env: dict[str, str], options: argparse.Namespace) -> None:
    """Everything from the servers to the last word on the screen, then keep it running. Raises Stopped, GaveUp."""
    began = time.monotonic()
    start_servers(supervisor, env)
    write_private(RUN_ENV, "".join(f"{name}='{env[name]}'\n" for name in SHARED))
    supervisor.say("Preparing the database")
    first_admin = prepare(supervisor, env)
    if first_admin.get("password"):  # now, too: what follows may fail, and nobody could sign in
        supervisor.say(f"Created {first_admin['email']} with the password {first_admin['password']}")
    start_processes(supervisor, env, options)
    health = f"http://{options.host if options.host != '0.0.0.0' else '127.0.0.1'}:{options.port}/healthz"  # noqa: S104
    if not supervisor.watch(lambda: answers(health, env), READY_SECONDS):
        raise GaveUp(f"The web process did not answer within {READY_SECONDS} seconds; its lines above may say why.")
    welcome(supervisor, env, first_admin, time.monotonic() - began)
    supervisor.watch()


def start_servers(supervisor: Supervisor, env: dict[str, str]) -> None:
    if "DATABASE_URL" not in env:
        postgres = Postgres(VAR / "pg")
        if not (VAR / "pg" / "PG_VERSION").exists():
            supervisor.say("Creating the database below var/ (set DATABASE_URL to use a server of your own)")
        for remark in postgres.prepare():
            supervisor.say(remark)
        postgres.stop()  # one that outlived a killed runner
        supervisor.add(
            Child(
                "postgres",
                postgres.command(),
                env,
                postgres.process_options(),
                signal.SIGINT,
                before=postgres.clear,
                after=postgres.stop,
            )
        )
        if not supervisor.watch(postgres.is_ready, READY_SECONDS):
            raise ServiceMissing("PostgreSQL did not start. Set DATABASE_URL to use a server of your own.")
        env["DATABASE_URL"] = postgres.url()
    if "REDIS_URL" not in env:
        redis = Redis(VAR / "redis")
        supervisor.add(
            Child("redis", redis.command(), env, redis.process_options(), before=redis.prepare, after=redis.tidy)
        )
        if not supervisor.watch(redis.is_ready, READY_SECONDS):
            raise ServiceMissing(
                "Redis did not start; var/redis/redis.log says why. Set REDIS_URL to use one that runs."
            )
        env["REDIS_URL"] = redis.url


def prepare(supervisor: Supervisor, env: dict[str, str]) -> dict[str, str]:
    """Migrations, the first admin, the demo. Returns e-mail and password when the admin is new."""
    command = [str(PYTHON), str(ROOT / "bin" / "prepare.py")]
    options = {"cwd": ROOT, "preexec_fn": dies_with_parent(signal.SIGKILL)}
    code, output = supervisor.run(Child("prepare", command, env, options))
    if code:
        raise GaveUp("The database could not be prepared; the lines above say why.")
    return dict(json.loads(output))


def start_processes(supervisor: Supervisor, env: dict[str, str], options: argparse.Namespace) -> None:
    gunicorn = [str(PROGRAMS / "gunicorn"), "--worker-class", "gthread", "--workers", "1", "--preload"]
    gunicorn += ["--no-control-socket", "--log-level", "warning"]
    host = f"[{options.host}]" if ":" in options.host else options.host
    web = [*gunicorn, "--threads", "8", "--bind", f"{host}:{options.port}", "socialhub.wsgi"]
    # Killed without a word where we are: work is resumed from the tables, and neither may wait for a dead broker.
    at_once = {"cwd": ROOT, "preexec_fn": dies_with_parent(signal.SIGKILL)}
    in_order = {"cwd": ROOT, "preexec_fn": dies_with_parent()}
    if is_on(env, "SANDBOX") and urlsplit(env["SANDBOX_URL"]).hostname == "127.0.0.1":
        bind = urlsplit(env["SANDBOX_URL"]).netloc
        # Uploads to Meta name their length in a header with an underscore, which gunicorn would drop.
        sandbox = [*gunicorn, "--threads", "16", "--header-map", "dangerous", "--bind", bind, "socialhub.sandbox.wsgi"]
        sandbox_env = {**env, "SANDBOX_STATE": env.get("SANDBOX_STATE") or str(VAR / "sandbox.json")}
        sandbox_env.setdefault("SANDBOX_ELSEWHERE", "12")  # accounts that one connects have posts and figures already
        supervisor.add(Child("sandbox", sandbox, sandbox_env, in_order))
    supervisor.add(Child("web", web, env, in_order))
    for name in ("worker", "beat"):
        supervisor.add(Child(name, [str(PYTHON), "-m", "socialhub", name], env, at_once))


def answers(url: str, env: dict[str, str]) -> bool:
    request = urllib.request.Request(url, headers={"Host": urlsplit(env["PUBLIC_BASE_URL"]).netloc})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def welcome(supervisor: Supervisor, env: dict[str, str], first_admin: dict[str, str], seconds: float) -> None:
    lines = ["", f"socialhub is ready after {seconds:.1f} seconds:  {env['PUBLIC_BASE_URL']}/"]
    if first_admin.get("password"):
        lines += [
            f"  Sign in as   {first_admin['email']}",
            f"  Password     {first_admin['password']}   (shown only now; change it under Settings)",
        ]
    elif first_admin.get("email"):
        lines += [
            f"  Sign in as   {first_admin['email']}",
            f"  Password     as before; forgotten? .venv/bin/python manage.py changepassword {first_admin['email']}",
        ]
    if is_on(env, "SANDBOX"):
        lines.append(f"  Simulated networks, their feeds and fault switches:  {env['SANDBOX_URL']}/")
    for line in [*lines, "  Ctrl-C stops everything.", ""]:
        supervisor.say(line, colour=32)
    sys.stdout.flush()
