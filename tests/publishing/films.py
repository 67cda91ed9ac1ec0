"""Videos and documents for tests, made on the spot."""

from __future__ import annotations

import io
from fractions import Fraction
from functools import cache
from typing import Any

import av
import pypdfium2
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

AUDIO_RATE = 48_000
SAMPLES = 1024


@cache
def film(
    width: int = 540,
    height: int = 960,
    *,
    seconds: float = 4,
    fps: int = 30,
    codec: str = "libx264",
    container: str = "mp4",
    sound: bool = True,
    note: str = "",
) -> bytes:
    """A clip whose left half is red and whose right half is blue, with silence beside it. note: hidden in its metadata."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as clip:
        if note:
            clip.metadata.update({"comment": note, "location": "+48.1374+011.5755/"})
        picture: Any = clip.add_stream(codec, rate=fps)
        picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
        audio: Any = None
        if sound:
            audio = clip.add_stream("aac", rate=AUDIO_RATE)
            audio.layout = "stereo"
        image = Image.new("RGB", (width, height), "red")
        image.paste("blue", (width // 2, 0, width, height))
        for number in range(round(fps * seconds)):
            frame = av.VideoFrame.from_image(image)
            frame.pts, frame.time_base = number, Fraction(1, fps)
            clip.mux(picture.encode(frame))
        clip.mux(picture.encode())
        if audio:
            for number in range(round(AUDIO_RATE * seconds / SAMPLES)):
                samples = av.AudioFrame(format="fltp", layout="stereo", samples=SAMPLES)
                samples.rate, samples.pts, samples.time_base = AUDIO_RATE, number * SAMPLES, Fraction(1, AUDIO_RATE)
                for plane in samples.planes:
                    plane.update(bytes(plane.buffer_size))
                clip.mux(audio.encode(samples))
            clip.mux(audio.encode())
    return buffer.getvalue()


@cache
def pdf(pages: int = 3) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _page in range(pages):
        document.new_page(300, 400)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def film_upload(name: str = "clip.mp4", **options: Any) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, film(**options), "video/mp4")


def pdf_upload(name: str = "brochure.pdf", pages: int = 3) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, pdf(pages), "application/pdf")
