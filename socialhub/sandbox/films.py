"""Videos: looked at by content, as the networks do when they work on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
from av.error import FFmpegError


class NotAFilmError(Exception):
    """The file is no video that can be played; the text says why."""


@dataclass(frozen=True)
class Film:
    """What a look into the file has shown. poster: the name of the file with its first picture."""

    width: int
    height: int
    seconds: float
    fps: float
    codec: str
    audio_codec: str
    size_bytes: int
    plays_at_once: bool  # what a player must know stands before the pictures
    poster: str

    @property
    def ratio(self) -> float:
        return self.width / self.height


def read(path: Path) -> Film:
    """Raises NotAFilmError. Writes the poster beside the file."""
    try:
        with av.open(str(path)) as film:
            picture = film.streams.video[0]
            sound = next(iter(film.streams.audio), None)
            poster = path.with_suffix(".jpg")
            next(film.decode(picture)).to_image().save(poster, "JPEG")
            return Film(
                picture.width,
                picture.height,
                (film.duration or 0) / av.time_base,
                float(picture.average_rate or 0),
                picture.codec_context.name,
                sound.codec_context.name if sound else "",
                path.stat().st_size,
                starts_with_index(path),
                poster.name,
            )
    except (FFmpegError, IndexError, StopIteration, ValueError) as error:
        raise NotAFilmError("The file is no video that can be played") from error


def starts_with_index(path: Path) -> bool:
    """Of the boxes of an MP4 or MOV file moov comes before mdat."""
    with path.open("rb") as file:
        while True:
            size, name = box(file)
            if name in (b"moov", b"mdat", b""):
                return name == b"moov"
            file.seek(size, 1)


def box(file: BinaryIO) -> tuple[int, bytes]:
    """How much follows in the next box, and its name; no name: there is none."""
    head = file.read(8)
    size, name = int.from_bytes(head[:4], "big"), head[4:]
    if size == 1:
        return int.from_bytes(file.read(8), "big") - 16, name
    return (size - 8, name) if size >= 8 else (0, b"")
