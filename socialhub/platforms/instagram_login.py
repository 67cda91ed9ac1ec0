"""Instagram's own login, for professional accounts without a Page: consent, tokens, and who it was.

Three hosts: the dialog, the exchange of the code, and graph.instagram.com, which then answers the same calls as Meta's.
Its tokens are good nowhere else, and those of the other login are not good here.
Source: Instagram API with Instagram Login, v26.0, read May to October 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from socialhub.platforms.base import Tokens
from socialhub.platforms.errors import PermissionMissingError, PlatformError, RejectedError, TemporaryError
from socialhub.platforms.http import Reply, Transport, Usage
from socialhub.platforms.meta import Graph, number_in
from socialhub.platforms.meta_errors import error_of
from socialhub.redaction import redact

# What publishing and reading figures needs.
SCOPES = (
    "instagram_business_basic",
    "instagram_business_content_publish",
    "instagram_business_manage_insights",
)
SHORT_LIVED = timedelta(hours=1)  # where Instagram does not say
LONG_LIVED = timedelta(days=60)
YOUNGEST = timedelta(hours=24)  # a token that is younger is not renewed
ME_FIELDS = "user_id,username,account_type,name,profile_picture_url,followers_count"


@dataclass(frozen=True, slots=True)
class InstagramConfig:
    """Where Instagram is and who we are there. Its app id and secret are not those of the Facebook app."""

    app_id: str
    app_secret: str = field(repr=False)
    dialog_url: str = "https://www.instagram.com"
    api_url: str = "https://api.instagram.com"
    graph_url: str = "https://graph.instagram.com"
    version: str = "v26.0"
    scopes: tuple[str, ...] = SCOPES
    connect_timeout: float = 5
    read_timeout: float = 30

    @property
    def graph_base(self) -> str:
        """For all calls but those about tokens, which have no version."""
        base = self.graph_url.rstrip("/")
        return base if re.search(r"/v\d+\.\d+$", urlsplit(base).path) else f"{base}/{self.version}"


@dataclass(frozen=True, slots=True)
class InstagramUser:
    """The one account that a consent is about. id: the same as through a Page; scoped_id: only this app knows it by that.

    account_type: as Instagram calls it, "" where it does not say.
    """

    id: str
    scoped_id: str
    username: str = ""
    name: str = ""
    account_type: str = ""
    picture: str = ""
    followers: int | None = None

    @property
    def is_professional(self) -> bool:
        return self.account_type.upper() != "PERSONAL"


class InstagramApi(Graph):
    """graph.instagram.com for one app. No proof goes with a call: Instagram does not ask for one there."""

    def __init__(
        self,
        config: InstagramConfig,
        *,
        on_usage: Callable[[Usage], None] | None = None,
        on_version: Callable[[str], None] | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.config = config
        super().__init__(config, on_usage=on_usage, on_version=on_version, transport=transport)

    def refusal(self, reply: Reply, **details: Any) -> PlatformError:
        error = super().refusal(reply, **details)
        if isinstance(error, PermissionMissingError):
            error.message = _(
                "A permission for this is missing. Connect the Instagram account again and allow everything that is "
                "asked for."
            )
            error.args = (error.message,)
        return error

    # Consent

    @property
    def dialog_address(self) -> str:
        """Where the browser goes to consent, without parameters."""
        return f"{self.config.dialog_url.rstrip('/')}/oauth/authorize"

    def exchange_code(self, code: str, redirect_uri: str) -> Tokens:
        """The code of the redirect for a token of an hour, with what was granted. A code works once and for minutes."""
        fields = {
            "client_id": self.config.app_id,
            "client_secret": self.config.app_secret,
            "grant_type": "authorization_code",
            "redirect_uri": redirect_uri,
            "code": code.removesuffix("#_"),  # Instagram appends it to the address that it sends people back to
        }
        url = f"{self.config.api_url.rstrip('/')}/oauth/access_token"
        reply = self.transport.request("POST", url, data=fields)
        answer = _unwrapped(reply.json)
        if not reply.ok or not answer.get("access_token"):
            raise self._refused_code(reply, fields["code"])
        return Tokens(
            str(answer["access_token"]),
            datetime.now(UTC) + SHORT_LIVED,
            scopes=_scopes_in(answer.get("permissions")),
        )

    def _refused_code(self, reply: Reply, code: str) -> PlatformError:
        """This host has a form of its own for errors: error_type, code, error_message."""
        answer = reply.json if isinstance(reply.json, dict) else {}
        if reply.status >= 500 or not reply.json:
            return TemporaryError(
                _("Instagram has trouble on its side right now. Press Connect to try again."),
                code=f"HTTP {reply.status}",
            )
        if "error" in answer:
            return error_of(reply, secrets=(code, self.config.app_secret))
        return RejectedError(
            _("Instagram did not accept this sign-in: it is too old or was already used. Press Connect again."),
            platform_message=redact(str(answer.get("error_message") or ""), code, self.config.app_secret)[:1000],
            code=str(answer.get("code") or f"HTTP {reply.status}"),
            request_id=reply.request_id,
        )

    def long_lived(self, token: str) -> Tokens:
        """A token of about 60 days for one of an hour."""
        return self._token(
            "access_token",
            {"grant_type": "ig_exchange_token", "client_secret": self.config.app_secret, "access_token": token},
        )

    def refresh(self, token: str) -> Tokens:
        """Another 60 days for a long-lived token that is at least 24 hours old and has not expired."""
        return self._token("refresh_access_token", {"grant_type": "ig_refresh_token", "access_token": token})

    def _token(self, path: str, fields: Mapping[str, str]) -> Tokens:
        # Instagram documents these as addresses with a query only; the transport logs no addresses.
        reply = self.transport.request("GET", f"{self.config.graph_url.rstrip('/')}/{path}", params=fields)
        answer = reply.json
        if not reply.ok or not isinstance(answer, dict) or not answer.get("access_token"):
            raise error_of(reply, reading=True, secrets=(fields["access_token"], self.config.app_secret))
        seconds = number_in(answer, "expires_in")
        lifetime = timedelta(seconds=seconds) if seconds else LONG_LIVED
        return Tokens(str(answer["access_token"]), datetime.now(UTC) + lifetime)

    def me(self, token: str) -> InstagramUser:
        answer = _unwrapped(self.get("me", token, {"fields": ME_FIELDS}))
        if not answer.get("user_id"):
            raise TemporaryError(_("Instagram did not say which account this is. Press Connect to try again."))
        return InstagramUser(
            id=str(answer["user_id"]),
            # `id` is another number, which only this app knows.
            scoped_id=str(answer.get("id") or answer["user_id"]),
            username=str(answer.get("username") or ""),
            name=str(answer.get("name") or ""),
            account_type=str(answer.get("account_type") or ""),
            picture=str(answer.get("profile_picture_url") or ""),
            followers=number_in(answer, "followers_count"),
        )


def _unwrapped(answer: object) -> dict[str, Any]:
    """Some answers stand in a list called data."""
    if isinstance(answer, dict) and isinstance(answer.get("data"), list) and answer["data"]:
        answer = answer["data"][0]
    return answer if isinstance(answer, dict) else {}


def _scopes_in(permissions: object) -> tuple[str, ...]:
    """A list, or one text with commas."""
    names = permissions.split(",") if isinstance(permissions, str) else permissions
    return tuple(str(name).strip() for name in names) if isinstance(names, list) else ()
