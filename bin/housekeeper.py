"""What `bin/house` does: reads compose.yaml as an engine would, and runs its services as processes of this machine.

Commands, environment, order and health checks are those of the file. Three things are not, because they need containers:
PostgreSQL and Redis are the embedded ones, volumes are folders below var/house, and nothing is walled in.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from bootstrap import PYTHON, ROOT, give_up
from runner import READY_SECONDS, is_free, take_lock
from supervisor import Child, GaveUp, Stopped, Supervisor

from socialhub.services import Postgres, Redis, ServiceMissing, dies_with_parent

HOUSE = ROOT / "var" / "house"
# What the image is built with, before anything of compose.yaml runs; a test compares it with the Dockerfile.
BUILD = "python manage.py collectstatic --no-input --verbosity 0"
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::-((?:[^${}]|\$\{[^{}]*\})*))?\}")
HEALTHY_SECONDS = 120
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


def main() -> int:
    options = arguments()
    HOUSE.mkdir(parents=True, exist_ok=True)
    lock = take_lock(HOUSE / "lock")
    variables = {**given(ROOT / ".env"), **os.environ}
    # An engine publishes the port at this address alone; here the process itself has to keep to it.
    variables.setdefault("LISTEN", variables.get("WEB_ADDRESS") or "127.0.0.1")
    house = House(ROOT / "compose.yaml", variables)
    port = int(house.variables.get("PORT", "8000"))
    if not is_free("127.0.0.1", port):
        give_up(f"Port {port} is in use: set another one, for example PORT={port + 1} bin/house.")
    try:
        house.open()
        house.supervisor.say(f"Everything is at work: http://127.0.0.1:{port}/", colour=32)
        if not options.check:
            house.supervisor.watch()
    except Stopped:
        house.supervisor.say("Stopping. What is being published is finished first.")
    except (GaveUp, ServiceMissing) as error:
        house.supervisor.say(f"{error} Stopping everything.", colour=31)
        return 1
    finally:
        house.supervisor.stop(*([name] for name in reversed(house.order())))
        lock.close()
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/house",
        description="Start the services of compose.yaml without containers, by the very same commands. Settings come "
        "from the environment and from .env, as there; data is kept below var/house. Ctrl-C stops everything in order.",
    )
    parser.add_argument("--check", action="store_true", help="end well as soon as every service is healthy")
    return parser.parse_args()


def given(path: Path) -> dict[str, str]:
    """The variables of an environment file, as an engine reads it."""
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, _, value in pairs}


def filled(text: str, variables: Mapping[str, str]) -> str:
    """With ${NAME} and ${NAME:-otherwise} replaced, and $$ for a dollar."""

    def value(found: re.Match[str]) -> str:
        return variables.get(found[1]) or filled(found[2] or "", variables)

    return "$".join(VARIABLE.sub(value, part) for part in text.split("$$"))


@dataclass
class Service:
    """One service of the file, in terms of this machine."""

    name: str
    image: str
    command: list[str]
    environment: dict[str, str]
    after: dict[str, str]  # other services, and what must be true of them
    check: list[str]

    @property
    def runs_once(self) -> bool:
        return not self.check and not self.image.startswith(("postgres:", "redis:"))


class House:
    def __init__(self, path: Path, variables: Mapping[str, str]) -> None:
        self.variables = variables
        written = yaml.safe_load(path.read_text())
        volumes = {name: HOUSE / name for name in written["volumes"]}
        self.services = {name: self.service(name, values, volumes) for name, values in written["services"].items()}
        self.supervisor = Supervisor()
        self.servers: dict[str, str] = {}  # DATABASE_URL and REDIS_URL of the embedded ones

    def service(self, name: str, values: dict[str, Any], volumes: Mapping[str, Path]) -> Service:
        places = dict(mounted(values.get("volumes", []), volumes))
        for folder in places.values():
            folder.mkdir(exist_ok=True, mode=0o700)

        def here(text: object) -> str:
            """What the engine would hand over, with folders of the container replaced by ours."""
            text = filled(str(text), self.variables)
            for target, folder in places.items():
                text = re.sub(rf"(?<![^\s=]){re.escape(target)}(?=/|\s|$)", str(folder), text)
            return text

        health = values.get("healthcheck", {})
        return Service(
            name=name,
            image=filled(values["image"], self.variables),
            command=shlex.split(here(values.get("command", ""))),
            environment={key: here(value) for key, value in values.get("environment", {}).items()},
            after={other: how["condition"] for other, how in values.get("depends_on", {}).items()},
            check=[] if health.get("disable") else [here(part) for part in health.get("test", [])[1:]],
        )

    def order(self) -> list[str]:
        """Each service behind those that it waits for."""
        done: list[str] = []
        while len(done) < len(self.services):
            ready = [
                name for name, service in self.services.items() if name not in done and set(service.after) <= set(done)
            ]
            if not ready:
                raise GaveUp("The services of compose.yaml wait for each other in a circle.")
            done += ready
        return done

    def open(self) -> None:
        """Start everything, each service when what it waits for is there. Raises Stopped, GaveUp."""
        self.build()
        for name in self.order():
            service = self.services[name]
            for other, condition in service.after.items():
                if condition == "service_healthy":
                    self.wait_for(self.services[other])
            self.supervisor.say(f"Starting {name}")
            if service.image.startswith("postgres:"):
                self.start_postgres()
            elif service.image.startswith("redis:"):
                self.start_redis()
            elif service.runs_once:
                self.run_once(service)
            else:
                self.supervisor.add(Child(name, service.command, self.environment(service), options=process_options()))
        for service in self.services.values():
            if service.check:
                self.wait_for(service)

    def environment(self, service: Service) -> dict[str, str]:
        """As in a container: nothing of ours but what every process needs, then the file .env, then compose.yaml."""
        own = {name: self.variables[name] for name in KEPT if name in self.variables}
        own["PATH"] = f"{PYTHON.parent}:{own.get('PATH', os.defpath)}"
        own["PYTHONUNBUFFERED"] = "1"
        if os.geteuid() == 0:  # Celery warns at length
            own["PYTHONWARNINGS"] = "ignore::UserWarning:celery.platforms"
        told = {**self.servers, **given(ROOT / ".env")}
        # Where there is no file, the settings of the shell stand for it.
        told |= {name: self.variables[name] for name in known_settings() if name in self.variables}
        return {
            **own,
            "DJANGO_SETTINGS_MODULE": "socialhub.settings",
            **told,
            **service.environment,
            **self.moved(told),
        }

    def moved(self, told: Mapping[str, str]) -> dict[str, str]:
        """Redis has no address here, but a socket."""
        return {"REDIS_URL": told["REDIS_URL"]} if "REDIS_URL" in told else {}

    def build(self) -> None:
        self.supervisor.say("Making the static files")
        complete = {"SECRET_KEY": "x" * 50, "FERNET_KEYS": "x" * 50, "ENV_FILE": "", "PUBLIC_BASE_URL": "https://build"}
        servers = {"DATABASE_URL": "postgresql://nobody@localhost/nothing", "REDIS_URL": "redis://localhost"}
        self.finish("build", shlex.split(BUILD), {"PATH": f"{PYTHON.parent}:{os.defpath}", **complete, **servers})

    def run_once(self, service: Service) -> None:
        self.finish(service.name, service.command, self.environment(service))

    def finish(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        command = [str(PYTHON) if part == "python" else part for part in command]
        code, output = self.supervisor.run(Child(name, command, environment, process_options()))
        for line in output.splitlines():
            self.supervisor.say(line, name)
        if code:
            raise GaveUp(f"{name} ended with exit code {code}; the lines above say why.")

    def wait_for(self, service: Service) -> None:
        """Until its own check says that it is well; the embedded servers were waited for when they started."""
        if service.image.startswith(("postgres:", "redis:")):
            return
        environment = self.environment(service)
        asked = 0.0

        def is_well() -> bool:
            nonlocal asked
            if time.monotonic() - asked < 1:
                return False
            asked = time.monotonic()
            done = subprocess.run(
                [str(PYTHON) if part == "python" else part for part in service.check],
                cwd=ROOT, env=environment, capture_output=True, check=False,
            )  # fmt: skip
            return done.returncode == 0

        if not self.supervisor.watch(is_well, HEALTHY_SECONDS):
            raise GaveUp(f"{service.name} was not healthy within {HEALTHY_SECONDS} seconds; its lines may say why.")
        self.supervisor.say(f"{service.name} is healthy", colour=32)

    def start_postgres(self) -> None:
        if "DATABASE_URL" in self.variables:
            return
        server = Postgres(HOUSE / "database")
        for remark in server.prepare():
            self.supervisor.say(remark)
        server.stop()  # one that outlived a killed house
        self.supervisor.add(
            Child(
                "postgres",
                server.command(),
                dict(os.environ),
                server.process_options(),
                signal.SIGINT,
                before=server.clear,
                after=server.stop,
            )
        )
        if not self.supervisor.watch(server.is_ready, READY_SECONDS):
            raise ServiceMissing("PostgreSQL did not start. Set DATABASE_URL to use a server of your own.")
        self.servers["DATABASE_URL"] = server.url()

    def start_redis(self) -> None:
        if "REDIS_URL" in self.variables:
            return
        server = Redis(HOUSE / "redis")
        self.supervisor.add(
            Child(
                "redis",
                server.command(),
                dict(os.environ),
                server.process_options(),
                before=server.prepare,
                after=server.tidy,
            )
        )
        if not self.supervisor.watch(server.is_ready, READY_SECONDS):
            raise ServiceMissing("Redis did not start. Set REDIS_URL to use one that runs.")
        self.servers["REDIS_URL"] = server.url


def mounted(entries: list[Any], volumes: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    """The folders of a container that are named volumes, and ours in their place."""
    for entry in entries:
        if isinstance(entry, str):
            name, target = entry.split(":")[:2]
            if name in volumes and not target.startswith(("/var/lib/postgresql", "/run/")):
                yield target, volumes[name]


def known_settings() -> set[str]:
    """The names in .env.example: what somebody would have written into .env."""
    return set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def process_options() -> dict[str, Any]:
    return {"cwd": ROOT, "preexec_fn": dies_with_parent()}


if __name__ == "__main__":
    sys.exit(main())
