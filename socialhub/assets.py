"""One stylesheet out of many small ones, without a build: css/socialhub.css names its parts, and is served joined.

A browser over HTTP/1.1 fetches six files at a time, and paints nothing before the last of some thirty stylesheets.
The parts stay the source: the list is plain CSS that works by itself, only slower.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import FileSystemFinder
from django.core.files.storage import FileSystemStorage, Storage

JOINED = "css/socialhub.css"
IMPORT = re.compile(r'^@import url\("([^"]+)"\);\n?', re.M)


def parts(listing: Path) -> list[Path]:
    """The stylesheets that a list names, in its order."""
    return [listing.parent / name for name in IMPORT.findall(listing.read_text())]


def join(listing: Path) -> str:
    """The text of a list with each import replaced by the file that it names."""
    return IMPORT.sub(lambda found: (listing.parent / found[1]).read_text().rstrip() + "\n", listing.read_text())


class JoiningFinder(FileSystemFinder):
    """Finds the files of STATICFILES_DIRS, and instead of css/socialhub.css the same with its parts put in.

    Joined whenever it is asked for, so that development shows what is on the disk; in production `collectstatic`
    asks once.
    """

    def __init__(self, app_names: Sequence[str] | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(app_names, *args, **kwargs)
        self.folder = Path(settings.BASE_DIR) / "var" / "static"

    def find_location(self, root: str, path: str, prefix: str | None = None) -> str | None:
        found = super().find_location(root, path, prefix)
        return str(self.joined(Path(found))) if found and path == JOINED else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:  # type: ignore[override]
        for path, storage in super().list(ignore_patterns):  # type: ignore[arg-type]
            if path == JOINED:
                self.joined(Path(storage.path(path)))
                yield path, FileSystemStorage(location=self.folder)
            else:
                yield path, storage

    def joined(self, listing: Path) -> Path:
        """Where the joined file lies; written only when it would change, so that browsers may keep theirs."""
        text = join(listing)
        target = self.folder / JOINED
        if target.exists() and target.read_text() == text:
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False) as draft:
            draft.write(text)
        os.chmod(draft.name, 0o644)
        os.replace(draft.name, target)
        return target
