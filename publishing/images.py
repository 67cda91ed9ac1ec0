"""A clean picture becomes what a network takes. Knows no models; reading what a stranger sent is in `socialhub.pixels`."""

from __future__ import annotations

from PIL import Image, ImageFilter, ImageOps

from socialhub.pixels import (
    LONGEST_SIDE,
    NotAnImage,
    Picture,
    encode,
    on_white,
    read,
)
from socialhub.platforms.rules import ImageRules

__all__ = ["NotAnImage", "Picture", "encode", "fit", "frame", "read", "render", "thumbnail"]

THUMBNAIL_SIDE = 480
QUALITIES = (90, 85, 80, 75, 70, 60)


def thumbnail(image: Image.Image) -> Picture:
    small = on_white(image).copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return encode(small, quality=82)


# --- What a network takes -------------------------------------------------------------------------------------


def clamp(ratio: float, rules: ImageRules) -> float:
    """The nearest width-to-height ratio that the network takes."""
    if rules.min_ratio is not None:
        ratio = max(ratio, rules.min_ratio)
    if rules.max_ratio is not None:
        ratio = min(ratio, rules.max_ratio)
    return ratio


def frame(
    width: int, height: int, rules: ImageRules, ratio: float | None = None, *, crop: bool = False
) -> tuple[int, int]:
    """Size of the smallest picture within the rules that holds this one whole; scaled only as the rules ask.

    crop: of the largest that this one fills.
    """
    wanted = clamp(ratio if ratio is not None else width / height, rules)
    outer_width = min(float(width), height * wanted) if crop else max(float(width), height * wanted)
    outer_width = min(outer_width, rules.max_width)
    outer_width = max(outer_width, rules.min_width)
    outer_width = min(outer_width, (rules.max_height or LONGEST_SIDE) * wanted)
    columns = max(1, round(outer_width))
    rows = max(1, round(columns / wanted))
    # Rounding must not carry the picture across a limit: 1080 / 1.91 rows would be a hair too wide.
    while rules.max_ratio is not None and columns / rows > rules.max_ratio:
        rows += 1
    while rules.min_ratio is not None and rows > 1 and columns / rows < rules.min_ratio:
        rows -= 1
    return columns, rows


def fit(image: Image.Image, size: tuple[int, int], focus: tuple[float, float] | None = None) -> Image.Image:
    """The whole picture at that size; what it does not fill shows the picture itself, enlarged and blurred.

    focus: in place of that fill the size, cut off what is too much, and keep this point (0 to 1) as central as can be.
    """
    image = on_white(image)
    width, height = size
    if focus:
        return ImageOps.fit(image, size, Image.Resampling.LANCZOS, centering=centering(image, size, focus))
    scale = min(width / image.width, height / image.height)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if width - inner[0] <= 2 and height - inner[1] <= 2:
        return image.resize(size, Image.Resampling.LANCZOS)
    canvas = background(image, size)
    canvas.paste(image.resize(inner, Image.Resampling.LANCZOS), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return canvas


def centering(image: Image.Image, size: tuple[int, int], focus: tuple[float, float]) -> tuple[float, float]:
    """Where to cut, as ImageOps.fit wants it (0: all from the end, 1: all from the start)."""
    scale = min(image.width / size[0], image.height / size[1])
    shares = []
    for length, kept, point in (
        (image.width, size[0] * scale, focus[0]),
        (image.height, size[1] * scale, focus[1]),
    ):
        surplus = length - kept
        start = min(max(point * length - kept / 2, 0), surplus)
        shares.append(start / surplus if surplus > 0.5 else 0.5)
    return shares[0], shares[1]


def background(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Blurred at a sixteenth of the size: the eye sees no difference, and it costs next to nothing."""
    small = (max(1, size[0] // 16), max(1, size[1] // 16))
    ground = ImageOps.fit(image, small, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(3))
    return ground.point(lambda level: level * 0.82).resize(size, Image.Resampling.BICUBIC)


def render(
    image: Image.Image, rules: ImageRules, size: tuple[int, int], focus: tuple[float, float] | None = None
) -> Picture:
    """A baseline sRGB JPEG of that size, or smaller where no quality fits the network's weight limit."""
    fitted = fit(image, size, focus)
    while True:
        for quality in QUALITIES:
            picture = encode(fitted, quality=quality)
            if len(picture.content) <= rules.max_bytes:
                return picture
        smaller = frame(round(fitted.width * 0.85), round(fitted.height * 0.85), rules, fitted.width / fitted.height)
        if smaller >= fitted.size:  # already as narrow as the network takes it
            return picture
        fitted = fitted.resize(smaller, Image.Resampling.LANCZOS)
