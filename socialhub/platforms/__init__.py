"""The networks we know, by key. A new one is one file and one line here."""

from __future__ import annotations

from socialhub.platforms.base import Platform
from socialhub.platforms.facebook import Facebook
from socialhub.platforms.instagram import Instagram
from socialhub.platforms.meta import Meta

PLATFORMS: dict[str, type[Platform]] = {platform.key: platform for platform in (Facebook, Instagram)}
LABELS: dict[str, str] = {key: platform.label for key, platform in PLATFORMS.items()}


def build(key: str, meta: Meta) -> Platform:
    """The platform of this key, talking through the given client. KeyError: we do not know it."""
    return {"facebook": Facebook, "instagram": Instagram}[key](meta)
