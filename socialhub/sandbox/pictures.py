"""Images: fetched like Meta does it, looked at by content, kept in a folder; and drawn portraits."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import requests
from PIL import Image, ImageColor, ImageDraw, ImageFont, UnidentifiedImageError

from .seeds import generator

FETCH_SECONDS = 10
MOST_BYTES = 32 * 1024 * 1024
SUFFIXES = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "BMP": "bmp", "TIFF": "tif", "WEBP": "webp", "MPO": "mpo"}


class NotFetchedError(Exception):
    """The address gave no file; the text says why."""


class NotAnImageError(Exception):
    """The bytes are no image that can be opened."""


@dataclass(frozen=True)
class Picture:
    content: bytes
    format: str  # as Pillow names it, from the content
    width: int
    height: int

    @property
    def ratio(self) -> float:
        return self.width / self.height

    def save(self, folder: Path, name: str) -> str:
        """Write the file; answers its name."""
        file_name = f"{name}.{SUFFIXES.get(self.format, 'bin')}"
        (folder / file_name).write_bytes(self.content)
        return file_name


def fetch(url: str, most: int = MOST_BYTES) -> bytes:
    """The file at an address, as the network's crawler would get it: no redirect, no login, in ten seconds."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii():
        raise NotFetchedError("The media URI is not a valid address")
    try:
        with requests.get(url, timeout=FETCH_SECONDS, allow_redirects=False, stream=True) as response:
            if response.status_code != 200:
                raise NotFetchedError(f"The media URI answered with HTTP {response.status_code}")
            content = bytearray()
            for chunk in response.iter_content(65_536):
                content += chunk
                if len(content) > most:
                    raise NotFetchedError("The media URI gave more than the network reads")
            return bytes(content)
    except requests.RequestException as error:
        raise NotFetchedError(f"The media URI could not be fetched ({type(error).__name__})") from error


def read(content: bytes) -> Picture:
    """Raises NotAnImageError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                image.verify()
                return Picture(content, image.format or "", image.width, image.height)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombWarning) as error:
        raise NotAnImageError(str(error)) from error
    except Image.DecompressionBombError as error:
        raise NotAnImageError("The image has too many pixels") from error


@lru_cache(maxsize=512)
def portrait(seed: str, name: str) -> bytes:
    """A square picture for a person or Page: its initials on a colour of its own."""
    hue = generator("portrait", seed).randrange(360)
    size = 200
    image = Image.new("RGB", (size, size))
    draw = ImageDraw.Draw(image)
    for row in range(size):
        draw.line([(0, row), (size, row)], fill=hsl(hue, 42, 44 - row * 16 // size))
    initials = "".join(word[0] for word in name.split()[:2]).upper()
    font = ImageFont.load_default(84)
    draw.text((size / 2, size / 2), initials, font=font, fill=(255, 255, 255), anchor="mm")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


@lru_cache(maxsize=256)
def drawn(seed: str, width: int, height: int) -> bytes:
    """A JPEG that differs for each seed: hills below a sky."""
    numbers = generator("picture", seed)
    hue, horizon = numbers.randrange(360), numbers.uniform(0.35, 0.6)
    image = Image.new("RGB", (width, height), hsl(hue, 55, 82))
    draw = ImageDraw.Draw(image)
    radius, across, up = width * numbers.uniform(0.06, 0.12), numbers.uniform(0.2, 0.8), numbers.uniform(0.1, 0.3)
    sun = (width * across - radius, height * up - radius, width * across + radius, height * up + radius)
    draw.ellipse(sun, fill=hsl((hue + 40) % 360, 80, 70))
    for layer in range(4):
        top = height * (horizon + 0.14 * layer)
        heights = [top + height * numbers.uniform(-0.09, 0.09) for _ in range(6)]
        ridge = [(width * place / 5, peak) for place, peak in enumerate(heights)]
        draw.polygon([(0, height), *ridge, (width, height)], fill=hsl((hue + 150) % 360, 35, 58 - 12 * layer))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def hsl(hue: int, saturation: int, lightness: int) -> tuple[int, int, int]:
    red, green, blue, *_ = ImageColor.getrgb(f"hsl({hue}, {saturation}%, {lightness}%)")
    return red, green, blue
