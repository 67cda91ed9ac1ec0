"""Instagram's own consent page for publishing, for accounts without a Facebook Page. It knows no proof key."""

from __future__ import annotations

from typing import ClassVar

from allauth.socialaccount.providers.oauth2.client import OAuth2Client

from accounts.clients import instagram
from accounts.models import Grant
from accounts.oauth import PublishingAdapter, PublishingClient, PublishingProvider
from accounts.providers.base import Person
from socialhub.http import HttpRequest
from socialhub.platforms import INSTAGRAM_LOGIN
from socialhub.platforms.base import Tokens


class InstagramClient(PublishingClient):
    def scope_params(self, scope: list[str]) -> dict[str, str]:
        return {"scope": ",".join(scope)}


class InstagramAdapter(PublishingAdapter):
    provider_id = INSTAGRAM_LOGIN
    client_class: ClassVar[type[OAuth2Client]] = InstagramClient

    @property
    def authorize_url(self) -> str:  # a property, so that settings can change under test
        return instagram().dialog_address

    def exchange(self, code: str, code_verifier: str | None) -> Tokens:
        return instagram().exchange_code(code, self.source.redirect_uri())

    def whose(self, token: Tokens) -> Person:
        """By the number that only this app knows: Instagram's messages about a person name that one."""
        user = instagram().me(token.access_token)
        return Person(user.scoped_id, user.username)


class InstagramProvider(PublishingProvider):
    id = INSTAGRAM_LOGIN
    name = "Instagram"
    oauth2_adapter_class = InstagramAdapter

    def scopes(self) -> list[str]:
        return list(instagram().config.scopes)

    def start_params(self, request: HttpRequest) -> dict[str, str]:
        """Instagram takes whoever is signed in there. Who has connected one before may mean another one."""
        grants = Grant.objects.filter(workspace=request.workspace, provider=self.id)
        return {"force_reauth": "true"} if grants.exists() else {}

    def get_pkce_params(self) -> dict[str, str]:
        return {}
