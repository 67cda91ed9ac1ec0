"""Videos: fetched like Buffer does it, looked at by content, and judged as the network will."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import requests
from av.error import FFmpegError

from ..pictures import FETCH_SECONDS
from .checks import InvalidInputError

MEGABYTE = 1024 * 1024
MOST_BYTES = 1_000_000_000  # Buffer's own limit
CHUNK = 262_144
SLACK = 0.05  # seconds
RATIO_SLACK = 0.01


@dataclass(frozen=True)
class Limits:
    """What a network itself takes; Buffer learns it when it publishes."""

    least_seconds: float
    most_seconds: float
    most_bytes: int
    least_pixels: int = 1
    most_width: int = 10_000
    least_ratio: float = 0.01
    most_ratio: float = 10.0
    least_rate: float = 1.0
    most_rate: float = 120.0


LIMITS = {
    "twitter": Limits(0.5, 140, 512 * MEGABYTE, 32, 1920, 1 / 3, 3, most_rate=60),
    "threads": Limits(0.1, 300, 1024 * MEGABYTE, most_width=1920, least_rate=23, most_rate=60),
    "bluesky": Limits(1, 180, 100_000_000, least_ratio=1 / 3, most_ratio=3),
    "mastodon": Limits(0.1, 7_200, 99 * MEGABYTE, most_width=3840),
    "pinterest": Limits(4, 900, 1024 * MEGABYTE, least_ratio=0.5, most_ratio=1.91),
    "tiktok": Limits(3, 600, 1024 * MEGABYTE, 360, 4096, least_rate=23, most_rate=60),
    "youtube": Limits(1, 43_200, 1024 * MEGABYTE),
}


@dataclass(frozen=True)
class Film:
    width: int
    height: int
    seconds: float
    rate: float
    codec: str
    audio_codec: str
    size_bytes: int


def take(url: str, path: Path, offset_ms: int | None) -> tuple[str, Film]:
    """Fetch a video and look into it; answers its type too. A picture of it is put beside the file.

    Raises InvalidInputError.
    """
    kind = fetch(url, path)
    try:
        with av.open(str(path)) as film:
            pictures = film.streams.video[0]
            sounds = film.streams.audio
            found = Film(
                width=pictures.width,
                height=pictures.height,
                seconds=(film.duration or 0) / av.time_base,
                rate=float(pictures.average_rate or 0),
                codec=pictures.codec_context.name,
                audio_codec=sounds[0].codec_context.name if sounds else "",
                size_bytes=path.stat().st_size,
            )
            if offset_ms is not None and not 0 <= offset_ms <= found.seconds * 1000 + 1:
                raise InvalidInputError("thumbnailOffset lies outside of the video.")
            save_poster(film, pictures, offset_ms or 0, path.with_suffix(".jpg"))
    except (FFmpegError, IndexError, StopIteration, ValueError) as error:
        raise InvalidInputError(f"The video could not be read: {url}") from error
    if found.codec != "h264":
        raise InvalidInputError(f"Videos encoded with {found.codec} are not supported. Use H.264.")
    return kind, found


def fetch(url: str, path: Path) -> str:
    """Write the file; answers its type. No redirect, no login, no page. Raises InvalidInputError."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise InvalidInputError("The video could not be loaded: not a web address")
    try:
        with requests.head(url, timeout=FETCH_SECONDS, allow_redirects=False) as response:
            expect(response)
        with requests.get(url, timeout=FETCH_SECONDS, allow_redirects=False, stream=True) as response:
            kind = expect(response)
            with path.open("wb") as file:
                for chunk in response.iter_content(CHUNK):
                    file.write(chunk)
                    if file.tell() > MOST_BYTES:
                        raise InvalidInputError("The video is larger than 1 GB.")
    except requests.RequestException as error:
        raise InvalidInputError(f"The video could not be loaded ({type(error).__name__})") from error
    return kind


def expect(response: requests.Response) -> str:
    kind = response.headers.get("Content-Type", "")
    if response.status_code != 200 or not kind.startswith("video/"):
        raise InvalidInputError(f"The video could not be loaded: HTTP {response.status_code}, {kind}")
    return kind


def save_poster(film: Any, pictures: Any, offset_ms: int, path: Path) -> None:
    picture = None
    for frame in film.decode(pictures):
        picture = frame
        if (frame.time or 0) * 1000 >= offset_ms:
            break
    if picture is None:
        raise ValueError("no picture")
    picture.to_image().save(path, "JPEG")


def refusal(service: str, film: Film) -> str:
    """What the network will say to it, "" if it takes it."""
    limits = LIMITS.get(service)
    if limits is None:
        return ""
    ratio = film.width / film.height
    if not limits.least_seconds - SLACK <= film.seconds <= limits.most_seconds + SLACK:
        return f"The video must be between {limits.least_seconds:g} and {limits.most_seconds:g} seconds long."
    if film.size_bytes > limits.most_bytes:
        return f"The video must not be larger than {limits.most_bytes // MEGABYTE} MB."
    if min(film.width, film.height) < limits.least_pixels or film.width > limits.most_width:
        return f"The video has {film.width} x {film.height} pixels, which the network does not take."
    if not limits.least_ratio - RATIO_SLACK <= ratio <= limits.most_ratio + RATIO_SLACK:
        return f"The aspect ratio of the video, {ratio:.2f}, is not supported."
    if not limits.least_rate - 0.1 <= film.rate <= limits.most_rate + 0.1:
        return f"The frame rate of the video, {film.rate:.0f}, is not supported."
    if film.audio_codec and film.audio_codec not in ("aac", "mp3"):
        return f"The audio codec {film.audio_codec} is not supported."
    return ""
