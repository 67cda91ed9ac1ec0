"""Files that hold secrets: readable by their owner alone, and never half written. Standard library only."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path


def new_secret() -> str:
    return secrets.token_urlsafe(48)


def write_private(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, stat.S_IRUSR | stat.S_IWUSR), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())  # a key that seals tokens must not be lost with the power
    draft.replace(path)
