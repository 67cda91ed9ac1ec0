"""The way from a bare python3: what is missing gives one sentence that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def start(program: str, before: str, *arguments: str, path: str = "/nowhere") -> tuple[int, str]:
    """Run a program of bin/ in a Python that was changed first."""
    code = f"import sys; {before}; sys.argv = {[program, *arguments]!r}; sys.path.insert(0, 'bin'); import runpy; "
    code += f"runpy.run_path({program!r}, run_name='__main__')"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": path, "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.returncode, answer.stdout + answer.stderr


@pytest.mark.parametrize("program", ["bin/run", "bin/test"])
def test_an_old_python_is_told_apart(program: str) -> None:
    code, words = start(program, "sys.version_info = (3, 9, 2)")
    assert code == 1
    assert words == "socialhub needs Python 3.11 or newer; this is 3.9. Install one and start again.\n"


def test_an_old_python_hands_over_to_a_newer_one(tmp_path: Path) -> None:
    newer = tmp_path / "python3.12"
    newer.write_text('#!/bin/sh\necho "newer: $@"\n')
    newer.chmod(0o755)
    code, words = start("bin/run", "sys.version_info = (3, 9, 2)", "--port", "9000", path=str(tmp_path))
    assert (code, words) == (0, "newer: bin/run --port 9000\n")


@pytest.mark.parametrize("missing", ["ensurepip", "venv"])
def test_a_python_without_venv_names_the_package(missing: str, tmp_path: Path) -> None:
    before = (
        "sys.path.insert(0, 'bin'); import importlib.util as u, pathlib, bootstrap; found = u.find_spec; "
        f"u.find_spec = lambda name, *a: None if name == {missing!r} else found(name, *a); "
        f"bootstrap.ROOT = pathlib.Path({str(tmp_path)!r}); bootstrap.VENV = bootstrap.ROOT / '.venv'; "
        "bootstrap.PYTHON = bootstrap.VENV / 'bin' / 'python'"
    )
    code, words = start("bin/run", before)
    assert code == 1
    assert words == (
        "This Python cannot create virtual environments, which socialhub installs itself into. "
        "Install the missing part (on Debian or Ubuntu: apt-get install python3-venv) and start again.\n"
    )


@pytest.mark.parametrize("port", ["0", "70000", "many"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    code, words = start("bin/run", "pass", "--port", port)
    assert code == 2
    assert "--port" in words
