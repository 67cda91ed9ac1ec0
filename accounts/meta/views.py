"""Where Meta sends people back to."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import tickets
from accounts.meta.provider import MetaAdapter
from accounts.middleware import membership_of


class MetaCallbackView(OAuth2CallbackView):
    def _get_state(self, request: HttpRequest, provider: Any) -> tuple[dict[str, Any] | None, HttpResponse | None]:
        """allauth's own check, which is bound to the session but lets parallel callbacks pass, then our ticket."""
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


callback = never_cache(require_GET(MetaCallbackView.adapter_view(MetaAdapter)))
# Somebody who was signed out meanwhile gets a sentence, too.
callback.login_required = False  # type: ignore[attr-defined]
