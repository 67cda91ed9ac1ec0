"""Videos and documents for tests, made on the spot."""

from __future__ import annotations

import io
import zlib
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


def unfolding_pdf(size: int) -> bytes:
    """A small PDF whose only page has a content of that many bytes, packed twice."""
    content = zlib.compress(zlib.compress(bytes(size), 9), 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 10 10]/Contents 4 0 R>>",
        b"<</Filter[/FlateDecode/FlateDecode]/Length %d>>stream\n%s\nendstream" % (len(content), content),
    ]
    whole, places = b"%PDF-1.7\n", [b"0000000000 65535 f \n"]
    for number, one in enumerate(objects, start=1):
        places.append(b"%010d 00000 n \n" % len(whole))
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    end = b"xref\n0 5\n%strailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (b"".join(places), len(whole))
    return whole + end


def film_upload(name: str = "clip.mp4", **options: Any) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, film(**options), "video/mp4")


def pdf_upload(name: str = "brochure.pdf", pages: int = 3) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, pdf(pages), "application/pdf")


def bomb(samples: int, size: int) -> bytes:
    """A small MP4 whose index names the same bytes again and again: copied picture by picture it is `samples` times as large."""
    whole = film(sound=False)
    table = ("moov", "trak", "mdia", "minf", "stbl")
    ftyp = part(whole, "ftyp")
    picture = (16).to_bytes(4, "big") + b"\x65" * (size - 4)
    stbl = box(
        "stbl",
        part(whole, *table, "stsd"),
        box("stts", words(0, 1, samples, 512)),
        box("stsc", words(0, 1, 1, 1, 1)),
        box("stsz", words(0, size, samples)),
        box("stco", words(0, samples) + words(len(ftyp) + 8) * samples),
    )
    minf = box("minf", part(whole, *table[:4], "vmhd"), part(whole, *table[:4], "dinf"), stbl)
    mdia = box("mdia", part(whole, *table[:3], "mdhd"), part(whole, *table[:3], "hdlr"), minf)
    trak = box("trak", part(whole, *table[:2], "tkhd"), mdia)
    return ftyp + box("mdat", picture) + box("moov", part(whole, "moov", "mvhd"), trak)


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in numbers)


def box(name: str, *content: bytes) -> bytes:
    inside = b"".join(content)
    return words(8 + len(inside)) + name.encode() + inside


def part(content: bytes, *path: str) -> bytes:
    """The box at the end of the path, with its head."""
    at = 0
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        if content[at + 4 : at + 8] == path[0].encode():
            found = content[at : at + size]
            return part(found[8:], *path[1:]) if path[1:] else found
        at += size
    raise KeyError(path[0])
