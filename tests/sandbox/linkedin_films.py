"""Films that are heavy enough for LinkedIn, which takes none below 75 kB and cuts those above 4 MiB into parts."""

from __future__ import annotations

import io
import random
from fractions import Fraction
from functools import cache
from typing import Any

import av
from PIL import Image

from tests.publishing.films import film

PART = 4_194_304


@cache
def padded(size: int = 200_000) -> bytes:
    """A film of exactly so many bytes, for whoever keeps it as it is."""
    clip = film()
    rest = size - len(clip)
    return clip + rest.to_bytes(4, "big") + b"free" + bytes(rest - 8)


@cache
def noisy(width: int = 64, height: int = 96, seconds: int = 4) -> bytes:
    """A film of nothing but noise: heavy, and it stays so when it is written anew. 64 x 96: some 500 kB."""
    dice, fps, buffer = random.Random(1), 25, io.BytesIO()
    frames = [Image.frombytes("RGB", (width, height), dice.randbytes(3 * width * height)) for _ in range(fps)]
    with av.open(buffer, "w", format="mp4") as clip:
        stream: Any = clip.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(fps * seconds):
            frame = av.VideoFrame.from_image(frames[number % fps])
            frame.pts, frame.time_base = number, Fraction(1, fps)
            clip.mux(stream.encode(frame))
        clip.mux(stream.encode())
    return buffer.getvalue()
