"""The networks we know, by key. A new one is one file and one line here."""

from __future__ import annotations

from dataclasses import dataclass

from socialhub.platforms.base import Platform
from socialhub.platforms.buffer import BufferApi
from socialhub.platforms.buffer_networks import NETWORKS
from socialhub.platforms.facebook import Facebook
from socialhub.platforms.instagram import Instagram
from socialhub.platforms.instagram_login import InstagramApi
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
    instagram: InstagramApi
    linkedin: LinkedInApi
    buffer: BufferApi


# Accounts that signed in at Instagram itself, without a Page: its tokens are good at a host of their own.
INSTAGRAM_LOGIN = "instagram_login"


def build(key: str, apis: Apis, login_kind: str = "") -> Platform:
    """The platform of this key, talking through the client of that login. KeyError: we do not know it."""
    if key in NETWORKS:
        return NETWORKS[key](apis.buffer)
    if key == LinkedIn.key:
        return LinkedIn(apis.linkedin)
    if key == Instagram.key:
        return Instagram(apis.instagram if login_kind == INSTAGRAM_LOGIN else apis.meta)
    return {Facebook.key: Facebook}[key](apis.meta)
