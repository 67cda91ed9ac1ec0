#!/usr/bin/env python3
"""Does anything that is installed here have a known hole? A part of bin/test, which also says when nobody could tell.

Ends with 0 when all is well, 1 with a known hole, NOT_CHECKED when no service answered: silence is not a clean bill.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOT_CHECKED = 3
SERVICES = ("pypi", "osv")
# PyPI's own interface is behind its index; a mirror of the files alone knows nothing of holes, and answers "not found".
PROBE = "Django"


@dataclass(frozen=True)
class Found:
    """What one service says: holes as lines to read, and names that it knows nothing of."""

    holes: list[str]
    checked: int
    unknown: list[str]


def main(services: tuple[str, ...] = SERVICES) -> int:
    for service in services:
        probed = audit(service, ["-r", probe_file()])
        if probed is None or not probed.checked:
            continue
        found = audit(service, [])
        if found is None:
            continue
        return tell(service, found)
    print(
        "not checked: no vulnerability service answers from here, so nothing is known about holes in the dependencies."
    )
    return NOT_CHECKED


def tell(service: str, found: Found) -> int:
    for hole in found.holes:
        print(hole)
    if found.unknown:
        print(f"not checked: {service} does not know {', '.join(found.unknown)}.")
    print(f"{found.checked} packages checked by {service}, {len(found.holes)} known holes.")
    return 1 if found.holes else 0


def probe_file() -> str:
    """A list with one package, so that a place without such a service is found out by one question."""
    version = re.search(rf"^{PROBE}==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    if version is None:
        sys.exit(f"requirements.txt does not pin {PROBE}.")
    path = Path(tempfile.gettempdir()) / f"socialhub-probe-{os.getpid()}.txt"
    path.write_text(f"{PROBE}=={version[1]}\n")
    return str(path)


def audit(service: str, where: list[str]) -> Found | None:
    """None when the service could not be asked. where: a list of requirements, or nothing for what is installed."""
    only_listed = ["--no-deps", "--disable-pip"] if where else ["--local", "--skip-editable"]
    command = [sys.executable, "-m", "pip_audit", "-s", service, *where, *only_listed, *own_service(service)]
    done = subprocess.run(
        [*command, "-f", "json", "--progress-spinner", "off", "--timeout", "10"],
        capture_output=True,
        text=True,
        check=False,
    )
    if where:
        Path(where[1]).unlink(missing_ok=True)
    try:
        rows = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    checked = [row for row in rows if "vulns" in row]
    unknown = sorted(str(row.get("name")) for row in rows if "vulns" not in row)
    return Found([line for row in checked for line in lines_of(row)], len(checked), unknown)


def own_service(service: str) -> list[str]:
    """OSV_URL: another server that speaks OSV's language, such as one inside a company."""
    url = os.environ.get("OSV_URL", "")
    return ["--osv-url", url] if service == "osv" and url else []


def lines_of(row: dict[str, Any]) -> Iterator[str]:
    for hole in row["vulns"]:
        mended = ", ".join(hole.get("fix_versions", [])) or "no version yet"
        yield f"{row['name']} {row['version']}: {hole['id']}, mended in {mended}"


if __name__ == "__main__":
    sys.exit(main())
