"""Meta's login dialog for publishing."""

from __future__ import annotations

from typing import ClassVar

from allauth.socialaccount.providers.oauth2.client import OAuth2Client
from django.conf import settings

from accounts.clients import meta
from accounts.connect import consent_hint
from accounts.oauth import PublishingAdapter, PublishingClient, PublishingProvider
from accounts.providers.base import Person
from socialhub.http import HttpRequest
from socialhub.platforms.meta import UserToken


class MetaClient(PublishingClient):
    def scope_params(self, scope: list[str]) -> dict[str, str]:
        """The scopes, or a configuration in their place."""
        return meta().dialog_scope(scope)


class MetaAdapter(PublishingAdapter):
    provider_id = "meta"
    client_class: ClassVar[type[OAuth2Client]] = MetaClient

    @property
    def authorize_url(self) -> str:  # a property, so that settings can change under test
        return meta().dialog_address

    def exchange(self, code: str, code_verifier: str | None) -> UserToken:
        return meta().exchange_code(code, self.source.redirect_uri(), code_verifier)

    def whose(self, token: UserToken) -> Person:
        person = meta().me(token.token)
        return Person(person.id, person.name)


class MetaProvider(PublishingProvider):
    id = "meta"
    name = "Meta"
    oauth2_adapter_class = MetaAdapter

    def scopes(self) -> list[str]:
        return list(meta().config.asked_scopes)

    def start_params(self, request: HttpRequest) -> dict[str, str]:
        hint = consent_hint(request.workspace, request.user, self.id)
        return {"auth_type": hint} if hint else {}

    def get_pkce_params(self) -> dict[str, str]:
        self.pkce_enabled_default = settings.META_PKCE
        params: dict[str, str] = super().get_pkce_params()
        return params
