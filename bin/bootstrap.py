"""From a bare python3 to the project's own environment. Standard library only: nothing is installed yet."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
BASE = "requirements.txt"
REQUIREMENTS = {BASE: (BASE,), "requirements-dev.txt": (BASE, "requirements-dev.txt")}


def give_up(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr, flush=True)
    sys.exit(1)


def enter(requirements: str) -> None:
    """Return inside .venv with everything of `requirements` installed; from outside it this starts the program anew."""
    if os.name != "posix":
        give_up("socialhub runs on Linux and macOS. On Windows start it inside WSL.")
    VENV.parent.joinpath("var").mkdir(exist_ok=True)
    with (ROOT / "var" / "install.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # two starts at once must not install into each other
        create_environment()
        install(requirements)
    if Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(PYTHON, [str(PYTHON), *sys.argv])  # noqa: S606  no shell, our own path
    sys.path.insert(0, str(ROOT))


def create_environment() -> None:
    if (
        PYTHON.exists()
        and subprocess.run([PYTHON, "-c", "import pip"], check=False, capture_output=True).returncode == 0
    ):
        return
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        give_up(
            "This Python cannot create virtual environments, which socialhub installs itself into. "
            "Install the missing part (on Debian or Ubuntu: apt-get install python3-venv) and start again."
        )
    print("Creating .venv …", flush=True)
    answer = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV],
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if answer.returncode:
        shutil.rmtree(VENV, ignore_errors=True)  # half of one would look like a whole one next time
        give_up(f"Creating {VENV} failed: {answer.stdout.strip()}")


def fingerprint(requirements: str) -> str:
    digest = hashlib.sha256(os.readlink(PYTHON).encode() if PYTHON.is_symlink() else b"")
    for name in REQUIREMENTS[requirements]:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def install(requirements: str) -> None:
    """pip install, unless the stamp says that exactly this is there already."""
    stamp = VENV / f"installed-{requirements}"
    wanted = fingerprint(requirements)
    with contextlib.suppress(FileNotFoundError):
        if stamp.read_text() == wanted:
            return
    print(f"Installing {requirements} into .venv (once, takes a moment) …", flush=True)
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    command += ["-r", str(ROOT / requirements)]
    answer = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if answer.returncode:
        give_up(
            f"{answer.stdout.strip()}\n\nInstalling {requirements} failed; the lines above say why. "
            "pip needs to reach a package index (see `pip config` for a mirror or a proxy)."
        )
    for name in {BASE, requirements}:
        (VENV / f"installed-{name}").write_text(fingerprint(name))
