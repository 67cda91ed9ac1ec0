"""What `bin/test` does once its environment exists."""

from __future__ import annotations

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
        for name, selection in runs():
            report = Path(folder) / f"{name}.xml"
            command = ["-m", "pytest", "-q", "-rs", *selection, f"--junitxml={report}"]
            if run(name, command, {}):
                failed.append(name)
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


def runs() -> list[tuple[str, list[str]]]:
    """Two at a time, but for those that stop the very database: they need the machine for themselves."""
    found = [("tests", ["-n", "2", "-m", "not (alone or browser)"])]
    if chromium():
        found.append(("browser tests", ["-n", "2", "tests/browser"]))
    houses = "alone" if chromium() else "alone and not browser"
    return [
        *found,
        # Whole houses of their own, one file at a time in each of two processes.
        ("house tests", ["-n", "2", "--dist", "loadfile", "-m", houses, "tests/journey", "tests/operation"]),
        ("process tests", ["tests/processes"]),
    ]


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
