"""Bytes that a stranger sent become a clean picture.

Knows no models. Everything is decoded once and pasted into a new image, so that nothing but pixels survives: no
location, no comment, no second file behind the picture.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from dataclasses import dataclass

import pillow_heif
from django.conf import settings
from django.utils.translation import gettext as _
from PIL import Image, ImageCms, ImageOps

pillow_heif.register_heif_opener()
# Pillow looks at the stated size before it decodes, but only warns between the limit and twice the limit.
Image.MAX_IMAGE_PIXELS = settings.UPLOAD_MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "HEIF")
LONGEST_SIDE = 20_000  # JPEG itself ends at 65,500
STORED_QUALITY = 92
# What Pillow and its decoders raise for damaged files, by their own tests; there is no common base class.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)
# Text that makes a browser or an interpreter treat the file as something else than a picture.
FOREIGN = (b"<script", b"<html", b"<svg", b"<!doctype", b"<iframe", b"<?php", b"%pdf-1.")
ZIP_END = b"PK\x05\x06"
ZIP_END_REACH = 65_557  # its record and the longest comment behind it
# A progressive JPEG is drawn once for each of its scans, and a scan may be a few bytes: without an end to them a file
# that is small enough keeps a processor busy for an hour. Real ones have ten, and some hundreds of segments.
MOST_SCANS = 100
MOST_SEGMENTS = 3000
# Those with a length behind them, and the end. Within pixels an FF is followed by a zero, or by one of D0 to D7.
MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9


class NotAnImage(Exception):
    """These bytes are refused. The message is one sentence part for people: "it is …, so …"."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A clean picture, encoded."""

    content: bytes
    content_type: str
    width: int
    height: int


def read(content: bytes) -> Image.Image:
    """Decode an upload upright, in sRGB, as RGB, or RGBA where it is really transparent. Raises NotAnImage."""
    if not content:
        raise NotAnImage(_("The file is empty. Choose it again; if that does not help, save it anew on your device."))
    refuse_foreign(content)
    refuse_endless(content)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            refuse_size(*image.size)
            image.seek(0)
            image.load()
            upright = ImageOps.exif_transpose(image)
            return clean(upright)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise NotAnImage(too_many_pixels()) from error
    except Image.UnidentifiedImageError as error:
        raise NotAnImage(_("It is not a picture that we can read. Use a JPEG, PNG, WebP, GIF or HEIC file.")) from error
    except (*DAMAGED, RuntimeError) as error:
        raise NotAnImage(
            _("The file is damaged or incomplete. Save or export it again and upload the new copy.")
        ) from error


def refuse_foreign(content: bytes) -> None:
    lowered = content.lower()
    if any(mark in lowered for mark in FOREIGN) or ZIP_END in content[-ZIP_END_REACH:]:
        raise NotAnImage(
            _("It holds more than a picture (a web page, a program or an archive). Export it as a plain JPEG or PNG.")
        )


def refuse_endless(content: bytes) -> None:
    """Walk a JPEG's markers as its decoder would, up to the end of the picture; what is damaged is left to that."""
    if not content.startswith(b"\xff\xd8"):
        return
    scans = segments = 0
    place = 2
    while (found := MARKER.search(content, place)) and found[1][0] != END_OF_IMAGE:
        place, kind = found.end(), found[1][0]
        place += max(int.from_bytes(content[place : place + 2]), 2)
        segments += 1
        scans += kind == START_OF_SCAN
        if scans > MOST_SCANS or segments > MOST_SEGMENTS:
            raise NotAnImage(
                _("It is built in a way that takes too long to read. Save it anew as a plain JPEG or PNG.")
            )


def refuse_size(width: int, height: int) -> None:
    if width * height > settings.UPLOAD_MAX_PIXELS:
        raise NotAnImage(too_many_pixels())
    if max(width, height) > LONGEST_SIDE:
        raise NotAnImage(
            _("It measures %(width)d × %(height)d pixels; a side may have at most %(most)d. Crop or shrink it.")
            % {"width": width, "height": height, "most": LONGEST_SIDE}
        )


def too_many_pixels() -> str:
    return _("It has more than %(most)d million pixels. Make it smaller and upload it again.") % {
        "most": settings.UPLOAD_MAX_PIXELS // 1_000_000
    }


def clean(image: Image.Image) -> Image.Image:
    """A new image with nothing but sRGB pixels, and alpha only where something shows through."""
    profile = image.info.get("icc_profile")
    alpha = alpha_of(image)
    if image.mode.startswith("I"):  # 16 bits of grey
        image = image.point(lambda level: level / 256).convert("L")
    if image.mode not in ("RGB", "CMYK", "L"):
        image = image.convert("RGB")
    pixels = to_srgb(image, profile)
    if alpha is not None:
        pixels.putalpha(alpha)
    fresh = Image.new(pixels.mode, pixels.size)
    fresh.paste(pixels)
    return fresh


def alpha_of(image: Image.Image) -> Image.Image | None:
    if not image.has_transparency_data:
        return None
    alpha = image.convert("RGBA").getchannel("A")
    return None if alpha.getextrema() == (255, 255) else alpha


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None  # a broken profile, or one for another kind of pixels: show it as every browser would
        if converted is not None:
            return converted
    return image.convert("RGB")


def on_white(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def encode(image: Image.Image, *, quality: int = STORED_QUALITY) -> Picture:
    """PNG while something shows through, else a baseline JPEG."""
    buffer = io.BytesIO()
    if image.mode == "RGBA":
        image.save(buffer, "PNG", optimize=False)
        return Picture(buffer.getvalue(), "image/png", *image.size)
    image.save(buffer, "JPEG", quality=quality, optimize=True)
    return Picture(buffer.getvalue(), "image/jpeg", *image.size)
