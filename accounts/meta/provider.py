"""Meta's login dialog for publishing, as allauth drives it: nothing of it is taken from a query or a Host header."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess, ProviderAccount, ProviderException
from allauth.socialaccount.providers.oauth2.client import OAuth2Client
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import urlencode

from accounts import tickets
from accounts.clients import meta
from accounts.connect import consent_hint
from accounts.providers import META
from socialhub.http import HttpRequest as OurRequest
from socialhub.platforms.errors import PlatformError
from socialhub.platforms.meta import ALL_SCOPES, UserToken


class MetaClient(OAuth2Client):
    def get_redirect_url(self, authorization_url: str, scope: list[str], extra_params: dict[str, str]) -> str:
        """As the base class, but with the scopes in a fixed order, or a configuration in their place."""
        params = {
            "client_id": self.consumer_key,
            "redirect_uri": self.callback_url,
            "response_type": "code",
            "state": self.state,
            **meta().dialog_scope(scope),
            **extra_params,
        }
        return f"{authorization_url}?{urlencode(params)}"


class MetaAdapter(OAuth2Adapter):
    provider_id = "meta"
    client_class = MetaClient
    # Our own client makes the exchange; allauth must not, whatever happens.
    access_token_url = ""

    @property
    def authorize_url(self) -> str:  # a property, so that settings can change under test
        return meta().dialog_address

    def get_provider(self) -> OAuth2Provider:
        if not settings.META_APP_ID:
            raise Http404
        provider: OAuth2Provider = get_adapter(self.request).get_provider(self.request, provider=self.provider_id)
        return provider

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return META.redirect_uri()

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: MetaClient, pkce_code_verifier: str | None = None
    ) -> UserToken:
        try:
            return meta().exchange_code(request.GET["code"], META.redirect_uri(), pkce_code_verifier)
        except PlatformError as error:
            raise ProviderException(error.message) from error

    def parse_token(self, data: UserToken) -> UserToken:
        """Ours goes on as it is: a SocialToken would offer itself for saving."""
        return data

    def complete_login(self, request: HttpRequest, app: SocialApp, token: UserToken, **kwargs: Any) -> SocialLogin:
        try:
            person = meta().me(token.token)
        except PlatformError as error:
            raise ProviderException(error.message) from error
        return self.get_provider().sociallogin_from_response(request, {"id": person.id, "name": person.name})


class MetaProvider(OAuth2Provider):
    id = "meta"
    name = "Meta"
    account_class = ProviderAccount
    oauth2_adapter_class = MetaAdapter

    def start(self, request: OurRequest, *, product: str) -> HttpResponse:
        """Send the browser to the dialog. product: the platform whose button was pressed."""
        hint = consent_hint(request.workspace, request.user, self.id)
        response: HttpResponse = self.redirect(
            request,
            process=AuthProcess.REDIRECT,
            scope=list(ALL_SCOPES),
            auth_params={"auth_type": hint} if hint else {},
            product=product,
        )
        return response

    def stash_redirect_state(self, request: OurRequest, *args: Any, **kwargs: Any) -> str:
        state: str = super().stash_redirect_state(request, *args, **kwargs)
        tickets.issue(
            state, user=request.user, workspace=request.workspace, provider=self.id, product=kwargs["product"]
        )
        return state

    def get_pkce_params(self) -> dict[str, str]:
        self.pkce_enabled_default = settings.META_PKCE
        params: dict[str, str] = super().get_pkce_params()
        return params

    def extract_uid(self, data: dict[str, str]) -> str:
        return data["id"]
