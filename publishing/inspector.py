"""Opens one file of a stranger, in a process of its own: `python inspector.py SOURCE TARGET POSTER`.

Decoders of video and PDF are large and old; whatever a hostile file makes them do ends with this process. It imports
nothing of ours, writes a clean copy to TARGET (a video only) and a picture of it to POSTER, and prints one line of JSON:
{"kind", "content_type", "width", "height", "facts"} or {"refused": "<code>"}.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from fractions import Fraction
from typing import Any

import av
import pypdfium2
from PIL import Image

MEMORY_BYTES = 2 * 1024**3
CPU_SECONDS = 120
# A page of a document needs less, and a few hundred bytes of one can unfold to whatever they are given.
DOCUMENT_MEMORY_BYTES = 1024**3
DOCUMENT_CPU_SECONDS = 30
GROWTH_BYTES = 32 * 1024**2  # of a clean copy over its source, for the index that is written anew
POSTER_SIDE = 1280
POSTER_AT = 1.0  # seconds from the start: the first picture is often black
SHORT_NAMES = {"mpeg4": "mpeg4", "h265": "hevc"}
BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free")  # that an MP4 or MOV begins with


class Refused(Exception):
    """The argument is the code of the reason."""


def main(source: str, target: str, poster: str) -> None:
    limit(resource.RLIMIT_AS, MEMORY_BYTES)
    limit(resource.RLIMIT_CPU, CPU_SECONDS)
    # An index may name the same bytes a million times: the copy of a small file would fill the disk.
    limit(resource.RLIMIT_FSIZE, os.path.getsize(source) + GROWTH_BYTES)
    with open(source, "rb") as file:
        start = file.read(16)
    try:
        if start.startswith(b"%PDF-"):
            limit(resource.RLIMIT_AS, DOCUMENT_MEMORY_BYTES)
            limit(resource.RLIMIT_CPU, DOCUMENT_CPU_SECONDS)
            told = document(source, poster)
        elif start[4:8] in BOXES:
            told = video(source, target, poster)
        else:
            raise Refused("container")
    except Refused as refusal:
        told = {"refused": str(refusal)}
    sys.stdout.write(json.dumps(told))


def limit(kind: int, most: int) -> None:
    resource.setrlimit(kind, (most, most))


# --- Video ------------------------------------------------------------------------------------------------------


def video(source: str, target: str, poster: str) -> dict[str, Any]:
    try:
        # Named, never guessed: among the other formats are playlists, which open what they name.
        with av.open(source, format="mp4", metadata_errors="replace") as container:
            if not container.streams.video:
                raise Refused("no_picture")
            facts = facts_of(container)
            remux(container, target)
        with av.open(target, format="mp4") as clean:
            image = picture(clean)
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise Refused("damaged") from error
    image.thumbnail((POSTER_SIDE, POSTER_SIDE))
    image.convert("RGB").save(poster, "JPEG", quality=88)
    width, height = facts.pop("width"), facts.pop("height")
    # The shape as it is shown: a phone held upright films sideways and says so.
    if (image.width > image.height) != (width > height) and width != height:
        width, height = height, width
    return {"kind": "video", "content_type": "video/mp4", "width": width, "height": height, "facts": facts}


def facts_of(container: Any) -> dict[str, Any]:
    stream = container.streams.video[0]
    sound = container.streams.audio[0] if container.streams.audio else None
    seconds = length(container, stream)
    if not stream.width or not stream.height or seconds <= 0:
        raise Refused("damaged")
    rate = stream.average_rate or stream.guessed_rate or Fraction(0)
    return {
        "width": stream.width,
        "height": stream.height,
        "seconds": round(seconds, 3),
        "fps": round(float(rate), 3),
        "codec": stream.codec_context.name,
        "audio_codec": sound.codec_context.name if sound else "",
        "audio_rate": (sound.rate or 0) if sound else 0,
        "audio_channels": (sound.channels or 0) if sound else 0,
        "bit_rate": int(container.size * 8 / seconds),
    }


def length(container: Any, stream: Any) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return float(container.duration or 0) / av.time_base


def remux(container: Any, target: str) -> None:
    """The first picture and sound tracks as they are, in a new MP4 that begins with its index.

    Nothing else comes along: no place, no device, no subtitles, no second film.
    """
    with av.open(target, "w", format="mp4", options={"movflags": "+faststart", "use_editlist": "0"}) as clean:
        kept = [container.streams.video[0], *container.streams.audio[:1]]
        copies = {}
        for stream in kept:
            copies[stream.index] = clean.add_stream_from_template(stream)
            copies[stream.index].metadata.clear()
        for packet in container.demux(kept):
            if packet.dts is None:
                continue
            packet.stream = copies[packet.stream.index]
            clean.mux(packet)


def picture(clean: Any) -> Image.Image:
    """A frame from shortly after the start, upright."""
    stream = clean.streams.video[0]
    stream.codec_context.thread_count = 1  # a thread for each processor would use up the memory where there are many
    best = None
    for frame in clean.decode(stream):
        best = frame
        if frame.time is None or frame.time >= min(POSTER_AT, length(clean, stream) / 2):
            break
    if best is None:
        raise Refused("damaged")
    image: Image.Image = best.to_image()
    return image.rotate(best.rotation, expand=True) if best.rotation else image


# --- Documents --------------------------------------------------------------------------------------------------


def document(source: str, poster: str) -> dict[str, Any]:
    try:
        pdf = pypdfium2.PdfDocument(source)
        pages = len(pdf)
        if not pages:
            raise Refused("damaged")
        page = pdf[0]
        scale = POSTER_SIDE / max(page.get_width(), page.get_height(), 1)
        page.render(scale=min(scale, 4)).to_pil().convert("RGB").save(poster, "JPEG", quality=88)
    except pypdfium2.PdfiumError as error:
        raise Refused("protected" if "password" in str(error).lower() else "damaged") from error
    return {"kind": "document", "content_type": "application/pdf", "width": 0, "height": 0, "facts": {"pages": pages}}


if __name__ == "__main__":
    main(*sys.argv[1:])
