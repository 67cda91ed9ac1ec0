"""What `bin/test` does once its environment exists."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import holes
from bootstrap import PYTHON, ROOT

TEMPLATES = [path for path in ("templates", "socialhub/sandbox/templates") if (ROOT / path).is_dir()]
PROGRAMS = ["accounts", "analytics", "publishing", "socialhub", "bin", "manage.py"]
KNOWN_HOLES = "known holes"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
INSTALL_BROWSER = "apt-get install -y --no-install-recommends chromium"
# As a real site has it; nothing of it is used, the settings only have to be read and judged.
PRODUCTION = {
    "ENV_FILE": "",
    "DJANGO_SETTINGS_MODULE": "socialhub.settings",
    "DEBUG": "0",
    "SECRET_KEY": "only-for-the-check-q8Zr5vTn2Lx7Kd0Wb4Hs9Yc6Gm3Jp1Fa",
    "FERNET_KEYS": "only-for-the-check-of-deployment-settings",
    "PUBLIC_BASE_URL": "https://hub.example.com",
    "DATABASE_URL": "postgresql://hub:secret@database.example.com/hub",
    "REDIS_URL": "rediss://redis.example.com:6379",
    "META_APP_ID": "1234567890",
    "META_APP_SECRET": "only-for-the-check",
}
TESTS = {"DJANGO_SETTINGS_MODULE": "socialhub.settings_test"}


def main(arguments: list[str]) -> int:
    os.chdir(ROOT)
    if arguments:
        return subprocess.run([PYTHON, "-m", "pytest", *arguments], check=False).returncode
    began = time.monotonic()
    codes = {name: run(name, command, variables) for name, command, variables in parts()}
    not_checked = [name for name, code in codes.items() if name == KNOWN_HOLES and code == holes.NOT_CHECKED]
    failed = [name for name, code in codes.items() if code and name not in not_checked]
    totals = Counter(errors=len(failed))
    with tempfile.TemporaryDirectory() as folder:
        if not chromium():
            print(
                f"\nThe browser tests need Chromium. Install it: {INSTALL_BROWSER} (or set CHROMIUM=/path).", flush=True
            )
            failed.append("browser tests (no Chromium)")
            totals["errors"] += 1
        for runs in turns():
            reports = {name: Path(folder) / f"{name}.xml" for name in runs}
            commands = {
                name: ["-m", "pytest", "-q", "-rs", *selection, f"--junitxml={reports[name]}"]
                for name, selection in runs.items()
            }
            failed += [name for name, code in beside_each_other(commands, Path(folder)).items() if code]
            for report in reports.values():
                totals += count(report)
    if not_checked:
        print(f"\nNot checked: {', '.join(not_checked)}", flush=True)
    if failed:
        print(f"\nFailed: {', '.join(failed)}", flush=True)
    print(f"\n{summary(totals, time.monotonic() - began)}", flush=True)
    return 1 if failed else 0


def parts() -> list[tuple[str, list[str], dict[str, str]]]:
    manage = ["-W", "ignore::RuntimeWarning", "manage.py"]
    return [
        ("format", ["-m", "ruff", "format", "--check", "."], {}),
        ("lint", ["-m", "ruff", "check", "."], {}),
        ("types", ["-m", "mypy", "."], {}),
        ("unsafe code", ["-m", "bandit", "-q", "-ll", "-c", "pyproject.toml", "-r", *PROGRAMS], {}),
        (KNOWN_HOLES, ["bin/holes.py"], {}),
        ("template lint", ["-m", "djlint", *TEMPLATES, "--lint", "--quiet"], {}),
        ("migrations", [*manage, "makemigrations", "--check", "--dry-run"], TESTS),
        ("deployment", [*manage, "check", "--deploy", "--fail-level", "WARNING"], PRODUCTION),
    ]


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def turns() -> list[dict[str, list[str]]]:
    """What runs beside each other, turn by turn: two at a time, as a small machine has two cores.

    In the last turn each part has a house of its own, with a database that may be stopped. They wait for processes more
    than they reckon.
    """
    with_browser = [{"browser tests": ["-n", "2", "tests/browser"]}] if chromium() else []
    houses = "alone" if chromium() else "alone and not browser"
    return [
        {"tests": ["-n", "2", "-m", "not (alone or browser)"]},
        *with_browser,
        {"house tests": ["-m", houses, "tests/journey", "tests/operation"], "process tests": ["tests/processes"]},
    ]


def beside_each_other(commands: dict[str, list[str]], folder: Path) -> dict[str, int]:
    """Exit codes by name. The first one is heard while it runs, the others when it has ended."""
    first, *others = commands
    logs = {name: folder / f"{name}.log" for name in others}
    with contextlib.ExitStack() as open_logs:
        started = {
            name: subprocess.Popen(
                [PYTHON, *commands[name]], stdout=open_logs.enter_context(log.open("wb")), stderr=subprocess.STDOUT
            )
            for name, log in logs.items()
        }
        codes = {first: run(first, commands[first], {})}
        codes |= {name: process.wait() for name, process in started.items()}
    for name, log in logs.items():
        print(f"\n--- {name}\n{log.read_text(errors='replace')}", flush=True)
    return codes


def run(name: str, command: list[str], variables: dict[str, str]) -> int:
    print(f"\n--- {name}", flush=True)
    return subprocess.run([PYTHON, *command], check=False, env={**os.environ, **variables}).returncode


def count(report: Path) -> Counter[str]:
    """What pytest's own report says, by outcome."""
    if not report.exists():
        return Counter(errors=1)
    totals: Counter[str] = Counter()
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):  # noqa: S314  pytest has just written it
        number = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
        bad = number["failures"] + number["errors"] + number["skipped"]
        totals += Counter(
            failed=number["failures"], errors=number["errors"], skipped=number["skipped"], passed=number["tests"] - bad
        )
    return totals


def summary(totals: Counter[str], seconds: float) -> str:
    """One closing line over all runs, in the words of pytest; a part that is no test and failed is an error."""
    words = ", ".join(f"{totals[key]} {key}" for key in ("failed", "passed", "skipped", "errors") if totals[key])
    return f" {words or 'no tests ran'} in {seconds:.2f}s ".center(80, "=")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
