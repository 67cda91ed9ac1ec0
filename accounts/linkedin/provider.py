"""LinkedIn's consent page for publishing. No proof key: LinkedIn has it for native apps only."""

from __future__ import annotations

from typing import ClassVar

from accounts.clients import linkedin
from accounts.oauth import PublishingAdapter, PublishingProvider
from accounts.providers.base import Person
from socialhub.platforms.base import Tokens


class LinkedInAdapter(PublishingAdapter):
    provider_id = "linkedin"
    cancel_words: ClassVar[frozenset[str]] = frozenset(
        {"user_cancelled_login", "user_cancelled_authorize", "access_denied"}
    )

    @property
    def authorize_url(self) -> str:  # a property, so that settings can change under test
        return linkedin().authorize_address

    def exchange(self, code: str, code_verifier: str | None) -> Tokens:
        return linkedin().exchange_code(code, self.source.redirect_uri())

    def whose(self, token: Tokens) -> Person:
        member = linkedin().userinfo(token.access_token)
        return Person(member.urn, member.name)


class LinkedInProvider(PublishingProvider):
    id = "linkedin"
    name = "LinkedIn"
    oauth2_adapter_class = LinkedInAdapter

    def scopes(self) -> list[str]:
        return list(linkedin().config.scopes)

    def get_pkce_params(self) -> dict[str, str]:
        return {}
