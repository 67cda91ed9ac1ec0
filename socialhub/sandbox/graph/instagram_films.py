"""Videos for Instagram: fetched or uploaded, looked at, and refused for what Instagram does not take.

A bad video is no refusal of the call: its container ends with ERROR after some time, and only then tells why.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import films, pictures, settings
from ..state import Container, State
from . import rupload
from .call import Call
from .errors import missing

MEGABYTE = 1024 * 1024
MOST_FETCHED = 310 * MEGABYTE
CODECS, SOUND = {"h264", "hevc"}, {"", "aac"}
SLACK = 0.1


@dataclass(frozen=True)
class Limits:
    most_bytes: int
    most_seconds: float


LIMITS = {
    "REELS": Limits(300 * MEGABYTE, 900),
    "STORIES": Limits(100 * MEGABYTE, 60),
    "VIDEO": Limits(100 * MEGABYTE, 60),
}


def path_of(state: State, container: Container) -> Path:
    return state.folder / f"{container.id}.mp4"


def take_film(state: State, container: Container, url: str) -> None:
    """Fetch it from its address and look at it."""
    path = path_of(state, container)
    try:
        path.write_bytes(pictures.fetch(url, MOST_FETCHED))
    except pictures.NotFetchedError as error:
        container.error = f"Media upload has failed with error code 2207052. {error}"
        return
    look_at(state, container)


def look_at(state: State, container: Container) -> None:
    path = path_of(state, container)
    try:
        film = films.read(path)
    except films.NotAFilmError as error:
        container.file, container.error = path.name, f"Media upload has failed with error code 2207026. {error}"
        return
    container.file, container.poster = path.name, film.poster
    container.width, container.height = film.width, film.height
    if trouble := what_is_wrong(film, LIMITS[container.media_type]):
        container.error = f"Media upload has failed with error code 2207026. {trouble}"


def what_is_wrong(film: films.Film, limits: Limits) -> str:
    """Why Instagram does not take it; "" if it does."""
    checks = {
        "The video format is not supported": film.codec in CODECS and film.audio_codec in SOUND,
        "moov stands behind the pictures": film.plays_at_once,
        "It is too short or too long": 3 - SLACK <= film.seconds <= limits.most_seconds + SLACK,
        "It does not have 23 to 60 pictures a second": 23 - SLACK <= film.fps <= 60 + SLACK,
        "It is too large": film.size_bytes <= limits.most_bytes,
        "It is wider than 1920 pixels": film.width <= 1920,
        "Its shape is not supported": 0.01 <= film.ratio <= 10,
        "Its bit rate is above 25 Mbps": film.size_bytes * 8 / max(film.seconds, 1) <= 25_000_000,
    }
    return next((words for words, is_fine in checks.items() if not is_fine), "")


# The host of uploads


def find(call: Call, node_id: str) -> Container:
    container = call.state.containers.get(node_id)
    if container is None or not container.resumable or call.now - container.created_at > 86_400:
        raise missing(node_id, "POST")
    call.need_instagram(
        call.state.instagrams[container.instagram_id], "instagram_content_publish", tasks=["CREATE_CONTENT", "MANAGE"]
    )
    return container


def finish(call: Call, container: Any) -> None:
    look_at(call.state, container)
    with call.state.lock:
        container.ready_at = call.state.now() + settings.SANDBOX_CONTAINER_SECONDS
        call.state.changed()


rupload.KINDS["ig-api-upload"] = rupload.Kind(find, lambda call, row: path_of(call.state, row), finish)
