"""What compose.yaml starts, started without containers by the same commands: it boots, and a post goes out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from socialhub.services import Postgres, Redis
from tests.checkout import Checkout, fresh_checkout, until
from tests.sandbox_process import Sandbox, free_port, start_sandbox

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

POST = """
import json, sys
import django
django.setup()
from tests.factories import make_user, workspace_of
from tests.kinds import PICTURES, Kind, Shelf, due
from tests.sandbox_process import Sandbox
from socialhub.platforms.base import PostType
kind = Kind("instagram", PostType.CAROUSEL, PICTURES)
publication = due(Sandbox(sys.argv[1], None, None), Shelf(workspace_of(make_user())), kind)
print(json.dumps([str(publication.pk), publication.account.platform_account_id]))
"""


class House:
    def __init__(self, checkout: Checkout, sandbox: Sandbox, port: int) -> None:
        self.checkout, self.sandbox = checkout, sandbox
        self.url = f"http://127.0.0.1:{port}"
        self.env = {
            **checkout.env,
            "PORT": str(port),
            "PUBLIC_BASE_URL": self.url,
            "SANDBOX": "1",
            "SANDBOX_FORCE": "1",
            **{name: value for name, value in sandbox.settings.items() if name.startswith("SANDBOX")},
        }

    def start(self, *arguments: str) -> None:
        with self.checkout.log.open("wb") as log:
            self.checkout.process = subprocess.Popen(
                [sys.executable, "bin/house", *arguments],
                cwd=self.checkout.folder,
                env=self.env,
                stdout=log,
                stderr=log,
            )
        self.checkout.wait_for("Everything is at work")

    @property
    def folder(self) -> Path:
        return self.checkout.folder / "var" / "house"

    def ask(self, script: str, *arguments: str) -> Any:
        """What a script says that has the settings of the house."""
        env = {
            **self.env,
            "ENV_FILE": str(self.folder / "secrets/socialhub.env"),
            "DATABASE_URL": Postgres(self.folder / "database").url(),
            "REDIS_URL": Redis(self.folder / "redis").url,
            "MEDIA_ROOT": str(self.folder / "media"),
            "DJANGO_SETTINGS_MODULE": "socialhub.settings",
        }
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            cwd=self.checkout.folder, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    port = free_port()
    sandbox = start_sandbox(tmp_path, public_base_url=f"http://127.0.0.1:{port}", keep_state=False)
    with fresh_checkout() as checkout:
        yield House(checkout, sandbox, port)
    sandbox.stop()


def test_it_boots_publishes_and_comes_back(house: House) -> None:
    house.start()
    log = house.checkout.log.read_text()
    for name in ("web", "worker", "beat"):
        assert f"{name} is healthy" in log
    until(lambda: requests.get(f"{house.url}/readyz", timeout=10).ok, 60)
    assert "Listening at: http://127.0.0.1:" in house.checkout.log.read_text(), "as compose.yaml publishes it"
    assert requests.get(f"{house.url}/account/login/", timeout=10).status_code == 200

    _, account = house.ask(POST, house.sandbox.url)
    until(lambda: house.sandbox.feed(account), 90)
    assert len(house.sandbox.feed(account)) == 1
    status = "from publishing.models import Publication; print(json.dumps(Publication.objects.get().status))"
    until(lambda: house.ask(f"import django, json; django.setup(); {status}") == "published", 60)

    keys = (house.folder / "secrets/socialhub.env").read_text()
    assert house.checkout.stop(signal.SIGINT) == 0
    assert house.checkout.running() == []
    words = house.checkout.log.read_text()
    assert "Traceback" not in words
    assert not [value for line in keys.splitlines() if (value := line.split("=", 1)[1]) in words]

    house.start("--check")  # ends by itself, with the same secrets and the same data
    assert house.checkout.process
    assert house.checkout.process.wait(60) == 0
    assert (house.folder / "secrets/socialhub.env").read_text() == keys
    assert "secrets  | There." in house.checkout.log.read_text()


def test_a_service_that_does_not_come_up_stops_everything(house: House) -> None:
    house.env["FERNET_KEYS"] = "short"
    done = subprocess.run(
        [sys.executable, "bin/house"],
        cwd=house.checkout.folder,
        env=house.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "FERNET_KEYS must hold one or more keys" in done.stdout
    assert "migrate ended with exit code 1" in done.stdout
    assert house.checkout.running() == []
