"""What a video or a document holds, and a clean copy of it, made by a process of its own (`inspector.py`)."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from socialhub.platforms.base import MediaKind

INSPECTOR = Path(__file__).with_name("inspector.py")
LONGEST_SECONDS = 300
# The brands of the file type box that mean a still picture (HEIC, AVIF) where others mean a film.
STILL_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"avis")
START_BYTES = 16  # that `kind_of` looks at
opening = threading.BoundedSemaphore(2)  # per process: they take a processor each


class NotInspected(Exception):
    """The file is refused. The message is a sentence for people: what it is, and what to do."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """What was found. facts: of a video as in VideoFacts; of a document {"pages": …}. poster: a JPEG."""

    kind: MediaKind
    content_type: str
    width: int
    height: int
    facts: dict[str, Any]
    poster: bytes


def kind_of(start: bytes) -> MediaKind:
    """By its first bytes; whatever is neither video nor PDF is left to the reader of images."""
    if start.startswith(b"%PDF-"):
        return MediaKind.DOCUMENT
    if start.startswith(b"\x1aE\xdf\xa3") or (start.startswith(b"RIFF") and start[8:12] == b"AVI "):
        return MediaKind.VIDEO  # Matroska, WebM, AVI: refused with words of their own
    if start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") and start[8:12] not in STILL_BRANDS:
        return MediaKind.VIDEO
    return MediaKind.IMAGE


def inspect(source: Path, folder: Path) -> tuple[Inspected, Path]:
    """Look into the file; returns what was found and where the copy to keep is. Raises NotInspected.

    folder: where the copy and the poster may be written; the caller removes it.
    """
    target, poster = folder / "clean", folder / "poster.jpg"
    command = [sys.executable, "-I", str(INSPECTOR), str(source), str(target), str(poster)]
    try:
        with opening:
            done = subprocess.run(command, capture_output=True, timeout=LONGEST_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise NotInspected(reason("slow")) from error
    if done.returncode:
        raise NotInspected(reason("damaged"))
    told = json.loads(done.stdout)
    if refused := told.pop("refused", ""):
        raise NotInspected(reason(refused))
    found = Inspected(**{**told, "kind": MediaKind(told["kind"])}, poster=poster.read_bytes())
    return found, target if found.kind is MediaKind.VIDEO else source


def reason(code: str) -> str:
    return {
        "container": _("Videos must be MP4 or MOV files. Export it as MP4."),
        "no_picture": _("It holds sound only. Choose a video."),
        "protected": _("It is protected by a password. Save it without one."),
        "slow": _("It takes too long to read. Export it shorter or smaller."),
    }.get(code, _("The file is damaged or incomplete. Save or export it again and upload the new copy."))
