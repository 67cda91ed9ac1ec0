"""Buffer's consent page for publishing, always with a proof key."""

from __future__ import annotations

from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge

from accounts.clients import buffer
from accounts.oauth import PublishingAdapter, PublishingProvider
from accounts.providers.base import Person
from socialhub.http import HttpRequest
from socialhub.platforms.base import Tokens


class BufferAdapter(PublishingAdapter):
    provider_id = "buffer"

    @property
    def authorize_url(self) -> str:  # a property, so that settings can change under test
        return buffer().authorize_address

    def exchange(self, code: str, code_verifier: str | None) -> Tokens:
        return buffer().exchange_code(code, self.source.redirect_uri(), code_verifier or "")

    def whose(self, token: Tokens) -> Person:
        account = buffer().account(token.access_token)
        return Person(account.id, account.name or account.email)


class BufferProvider(PublishingProvider):
    id = "buffer"
    name = "Buffer"
    oauth2_adapter_class = BufferAdapter

    def scopes(self) -> list[str]:
        return list(buffer().config.scopes)

    def start_params(self, request: HttpRequest) -> dict[str, str]:
        return {"prompt": "consent"}  # without it a second consent may bring no refresh token

    def get_pkce_params(self) -> dict[str, str]:
        params: dict[str, str] = generate_code_challenge()
        return params
