"""The OAuth handshake for publishing, as allauth drives it: what Meta, LinkedIn and Buffer share.

A handshake starts at `accounts:connect`, by POST, or by a program with an API key, and nowhere else. Nothing of it is
taken from a query or a Host header, its `state` is good once, and no token reaches the session.
"""

from __future__ import annotations

import secrets
from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, cast
from urllib.parse import quote, urlencode

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess, ProviderAccount, ProviderException
from allauth.socialaccount.providers.oauth2.client import OAuth2Client
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter, OAuth2CallbackView
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import tickets
from accounts.middleware import membership_of
from accounts.models import ApiKey
from accounts.providers import PROVIDERS
from accounts.providers.base import Person, Provider
from accounts.views.consent import ask
from socialhub.http import HttpRequest as OurRequest
from socialhub.platforms.errors import PlatformError


class PublishingClient(OAuth2Client):
    def get_redirect_url(self, authorization_url: str, scope: list[str], extra_params: dict[str, str]) -> str:
        """As the base class, but with the scopes in a fixed order."""
        params = {
            "client_id": self.consumer_key,
            "redirect_uri": self.callback_url,
            "response_type": "code",
            "state": self.state,
            **self.scope_params(scope),
            **extra_params,
        }
        return f"{authorization_url}?{urlencode(params, quote_via=quote)}"

    def scope_params(self, scope: list[str]) -> dict[str, str]:
        return {"scope": " ".join(scope)}


class PublishingAdapter(OAuth2Adapter):
    client_class: ClassVar[type[OAuth2Client]] = PublishingClient
    # Our own clients make the exchange; allauth must not, whatever happens.
    access_token_url = ""
    # What a network says when the person did not want to.
    cancel_words: ClassVar[frozenset[str]] = frozenset({"access_denied"})

    @abstractmethod
    def exchange(self, code: str, code_verifier: str | None) -> Any:
        """The code of the redirect for tokens. Raises PlatformError."""

    @abstractmethod
    def whose(self, token: Any) -> Person:
        """Who consented. Raises PlatformError."""

    @property
    def source(self) -> Provider:
        return PROVIDERS[self.provider_id]

    def get_provider(self) -> OAuth2Provider:
        if not self.source.is_configured():
            raise Http404
        provider: OAuth2Provider = get_adapter(self.request).get_provider(self.request, provider=self.provider_id)
        return provider

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return self.source.redirect_uri()

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: OAuth2Client, pkce_code_verifier: str | None = None
    ) -> Any:
        try:
            return self.exchange(request.GET["code"], pkce_code_verifier)
        except PlatformError as error:
            raise ProviderException(error.message) from error

    def parse_token(self, data: Any) -> Any:
        """Ours goes on as it is: a SocialToken would offer itself for saving."""
        return data

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> SocialLogin:
        try:
            person = self.whose(token)
        except PlatformError as error:
            raise ProviderException(error.message) from error
        return self.get_provider().sociallogin_from_response(request, {"id": person.id, "name": person.name})


class PublishingProvider(OAuth2Provider):
    account_class = ProviderAccount

    @abstractmethod
    def scopes(self) -> list[str]:
        """What a person is asked for."""

    def start_params(self, request: OurRequest) -> dict[str, str]:
        """What else stands in the address of the consent page."""
        return {}

    def start(self, request: OurRequest, *, product: str) -> HttpResponse:
        """Send the browser to the consent page. product: the platform whose button was pressed."""
        response: HttpResponse = self.redirect(
            request,
            process=AuthProcess.REDIRECT,
            scope=self.scopes(),
            auth_params=self.start_params(request),
            product=product,
        )
        return response

    def address_for_program(self, request: OurRequest, *, product: str, api_key: ApiKey) -> tuple[str, datetime]:
        """The address of the consent page for a program to hand on, and until when it is good. No session knows of it."""
        adapter = self.get_oauth2_adapter(request)
        client = adapter.get_client(request, self.app)
        client.state = secrets.token_urlsafe(32)
        proof = self.get_pkce_params()
        ticket = tickets.issue(
            client.state,
            user=request.user,
            workspace=request.workspace,
            provider=self.id,
            product=product,
            api_key=api_key,
            code_verifier=proof.pop("code_verifier", None),
        )
        params = {**self.start_params(request), **proof}
        return client.get_redirect_url(adapter.authorize_url, self.scopes(), params), ticket.expires_at

    def stash_redirect_state(self, request: OurRequest, *args: Any, **kwargs: Any) -> str:
        state: str = super().stash_redirect_state(request, *args, **kwargs)
        tickets.issue(
            state, user=request.user, workspace=request.workspace, provider=self.id, product=kwargs["product"]
        )
        return state

    def extract_uid(self, data: dict[str, str]) -> str:
        return data["id"]


class PublishingCallbackView(OAuth2CallbackView):
    def _get_state(self, request: HttpRequest, provider: Any) -> tuple[dict[str, Any] | None, HttpResponse | None]:
        """allauth's own check, which is bound to the session but lets parallel callbacks pass, then our ticket.

        What a program began ends in a question instead: nothing is exchanged or stored before it is answered.
        """
        ticket = tickets.of_program(request.GET.get("state", ""))
        if ticket and ticket.provider == provider.id:
            return None, ask(cast("OurRequest", request), ticket)
        state, response = super()._get_state(request, provider)
        if state is None:
            return state, response
        membership = membership_of(request)
        if (
            membership is None
            or not membership.may_manage
            or not tickets.redeem(
                request.GET["state"], user=membership.user, workspace=membership.workspace, provider=provider.id
            )
        ):
            return None, render_authentication_error(request, provider)
        return state, None


def callback_view(adapter: type[PublishingAdapter]) -> Callable[..., HttpResponse]:
    """Where the network sends people back to."""
    view: Callable[..., HttpResponse] = never_cache(require_GET(PublishingCallbackView.adapter_view(adapter)))
    # Somebody who was signed out meanwhile gets a sentence, too.
    view.login_required = False  # type: ignore[attr-defined]
    return view
