"""The clients of the networks, built once per process from the settings."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from accounts import operators, usage
from accounts.models import ConnectedAccount
from socialhub import platforms
from socialhub.platforms.base import Platform
from socialhub.platforms.buffer import BufferApi, BufferConfig
from socialhub.platforms.instagram_login import InstagramApi, InstagramConfig
from socialhub.platforms.linkedin_api import LinkedInApi, LinkedInConfig
from socialhub.platforms.meta import Meta, MetaConfig


@cache
def meta() -> Meta:
    return Meta(
        MetaConfig(
            app_id=settings.META_APP_ID,
            app_secret=settings.META_APP_SECRET,
            dialog_url=settings.META_DIALOG_URL,
            graph_url=settings.META_GRAPH_URL,
            rupload_url=settings.META_RUPLOAD_URL,
            version=settings.META_GRAPH_VERSION,
            config_id=settings.META_CONFIG_ID,
            extra_scopes=tuple(settings.META_EXTRA_SCOPES),
            connect_timeout=settings.HTTP_CONNECT_TIMEOUT_SECONDS,
            read_timeout=settings.HTTP_READ_TIMEOUT_SECONDS,
        ),
        on_usage=usage.note,
        on_version=operators.version_served,
    )


@cache
def instagram() -> InstagramApi:
    return InstagramApi(
        InstagramConfig(
            app_id=settings.INSTAGRAM_APP_ID,
            app_secret=settings.INSTAGRAM_APP_SECRET,
            dialog_url=settings.INSTAGRAM_DIALOG_URL,
            api_url=settings.INSTAGRAM_API_URL,
            graph_url=settings.INSTAGRAM_GRAPH_URL,
            version=settings.META_GRAPH_VERSION,
            scopes=tuple(settings.INSTAGRAM_SCOPES),
            connect_timeout=settings.HTTP_CONNECT_TIMEOUT_SECONDS,
            read_timeout=settings.HTTP_READ_TIMEOUT_SECONDS,
        ),
        on_usage=usage.note_instagram,
        on_version=operators.version_served,
    )


@cache
def linkedin() -> LinkedInApi:
    return LinkedInApi(
        LinkedInConfig(
            client_id=settings.LINKEDIN_CLIENT_ID,
            client_secret=settings.LINKEDIN_CLIENT_SECRET,
            oauth_url=settings.LINKEDIN_OAUTH_URL,
            api_url=settings.LINKEDIN_API_URL,
            version=settings.LINKEDIN_API_VERSION,
            scopes=tuple(settings.LINKEDIN_SCOPES),
            connect_timeout=settings.HTTP_CONNECT_TIMEOUT_SECONDS,
            read_timeout=settings.HTTP_READ_TIMEOUT_SECONDS,
        ),
        on_version=operators.linkedin_version_told,
    )


@cache
def buffer() -> BufferApi:
    books = import_module(settings.CLIENT_BOOKS)  # on the floor above, so known by its name
    return BufferApi(
        BufferConfig(
            client_id=settings.BUFFER_CLIENT_ID,
            client_secret=settings.BUFFER_CLIENT_SECRET,
            api_url=settings.BUFFER_API_URL,
            auth_url=settings.BUFFER_AUTH_URL,
            scopes=tuple(settings.BUFFER_SCOPES),
            connect_timeout=settings.HTTP_CONNECT_TIMEOUT_SECONDS,
            read_timeout=settings.HTTP_READ_TIMEOUT_SECONDS,
            sweep_seconds=60 / settings.PUBLISH_CHECK_SPEED,
        ),
        on_usage=books.heard,
        before_read=books.before_read,
    )


@cache
def platform_for(key: str, login_kind: str = "") -> Platform:
    """The client of a network, by the login it was connected through where that matters.

    Raises KeyError for a key that the registry does not know.
    """
    return platforms.build(key, platforms.Apis(meta(), instagram(), linkedin(), buffer()), login_kind)


def client_of(account: ConnectedAccount) -> Platform:
    """What acts for this account."""
    return platform_for(account.platform, account.login_kind)


@receiver(setting_changed)
def forget(setting: str, **kwargs: Any) -> None:
    """Under test a setting may change; whatever was built from the old one goes."""
    if setting.startswith(("META_", "INSTAGRAM_", "LINKEDIN_", "BUFFER_", "HTTP_", "PUBLISH_CHECK_")):
        for made in (meta, instagram, linkedin, buffer, platform_for):
            made.cache_clear()
