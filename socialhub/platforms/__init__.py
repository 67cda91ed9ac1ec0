"""The networks we know, by key. A new one is one file and one line here."""

from __future__ import annotations

from dataclasses import dataclass

from socialhub.platforms.base import Platform
from socialhub.platforms.buffer import BufferApi
from socialhub.platforms.buffer_networks import NETWORKS
from socialhub.platforms.facebook import Facebook
from socialhub.platforms.instagram import Instagram
from socialhub.platforms.linkedin import LinkedIn
from socialhub.platforms.linkedin_api import LinkedInApi
from socialhub.platforms.meta import Meta

PLATFORMS: dict[str, type[Platform]] = {
    "facebook": Facebook,
    "instagram": Instagram,
    "linkedin": LinkedIn,
    **NETWORKS,
}
LABELS: dict[str, str] = {key: platform.label for key, platform in PLATFORMS.items()}


@dataclass(frozen=True, slots=True)
class Apis:
    """The clients that the networks talk through."""

    meta: Meta
    linkedin: LinkedInApi
    buffer: BufferApi


def build(key: str, apis: Apis) -> Platform:
    """The platform of this key, talking through its client. KeyError: we do not know it."""
    if key in NETWORKS:
        return NETWORKS[key](apis.buffer)
    if key == LinkedIn.key:
        return LinkedIn(apis.linkedin)
    return {"facebook": Facebook, "instagram": Instagram}[key](apis.meta)
