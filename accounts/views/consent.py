"""Where a person ends who was sent to a network by a program: nobody is signed in here, and only a yes stores anything.

Anybody may be lured to an address. So the page says whose workspace it is, and the code of the network is exchanged when
the button is pressed, not before.
"""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.adapter import get_adapter
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import outcome, tickets
from accounts.connect import store_grant
from accounts.forms import ConsentForm
from accounts.keys import reveal
from accounts.models import Membership, OAuthTicket
from accounts.providers import PROVIDERS
from socialhub.http import HttpRequest
from socialhub.platforms.errors import PlatformError

TEMPLATE = "accounts/consent.html"


def ask(request: HttpRequest, ticket: OAuthTicket) -> HttpResponse:
    """The network has sent somebody back. GET changes nothing."""
    if not is_open(ticket):
        return sorry(request, not_valid())
    form = ConsentForm(request.GET)
    if not form.is_valid():
        return sorry(
            request,
            _("%(network)s gave no consent, so nothing was connected. You can close this window.")
            % {"network": label_of(ticket)},
            status=200,
        )
    return render(request, TEMPLATE, {**shown(ticket), "step": "ask", "form": form})


@require_POST
@never_cache
@login_not_required
@sensitive_post_parameters("code", "state")
def consent(request: HttpRequest) -> HttpResponse:
    """The answer of the person. Yes: the code is exchanged, and the consent kept for the program to connect."""
    form = ConsentForm(request.POST)
    ticket = tickets.of_program(form.cleaned_data["state"]) if form.is_valid() else None
    if ticket is None or not is_open(ticket) or not tickets.redeem_of_program(ticket):
        return sorry(request, not_valid())
    if form.cleaned_data["answer"] != "yes":
        return render(request, TEMPLATE, {**shown(ticket), "step": "declined"})
    try:
        person_name = keep(request, ticket, form.cleaned_data["code"])
    except PlatformError as error:
        return sorry(request, outcome.sentence(error, label_of(ticket)), error.platform_message, status=200)
    return render(request, TEMPLATE, {**shown(ticket), "step": "done", "person_name": person_name})


def keep(request: HttpRequest, ticket: OAuthTicket, code: str) -> str:
    """Store what the person allowed; who they are at the network. Raises PlatformError."""
    provider = get_adapter(request).get_provider(request, provider=ticket.provider)
    adapter = provider.get_oauth2_adapter(request)
    verifier = reveal(ticket.code_verifier) if ticket.code_verifier is not None else None
    token = adapter.exchange(code, verifier)
    person = adapter.whose(token)
    store_grant(ticket.workspace, ticket.user, ticket.provider, PROVIDERS[ticket.provider].consent(token, person))
    return str(person.name)


def is_open(ticket: OAuthTicket) -> bool:
    """Good still, and the key with it: revoked means that nothing of it goes on."""
    now = timezone.now()
    key = ticket.api_key
    if ticket.used_at or ticket.expires_at <= now or key is None or key.revoked_at:
        return False
    if (key.expires_at and key.expires_at <= now) or not key.user.is_active or ticket.workspace.deleting_at:
        return False
    membership = Membership.objects.filter(user=key.user_id, workspace=ticket.workspace_id).first()
    return bool(membership and membership.may_manage and PROVIDERS[ticket.provider].is_configured())


def shown(ticket: OAuthTicket) -> dict[str, Any]:
    return {"workspace": ticket.workspace, "who": ticket.user, "key": ticket.api_key, "network": label_of(ticket)}


def label_of(ticket: OAuthTicket) -> str:
    return PROVIDERS[ticket.provider].label


def not_valid() -> str:
    return _(
        "This attempt to connect is not valid any more: it was already used, is older than ten minutes, or was called "
        "off. Nothing was changed. Let the program that sent you begin again."
    )


def sorry(request: HttpRequest, told: str, platform_message: str = "", *, status: int = 410) -> HttpResponse:
    context = {"step": "sorry", "told": told, "platform_message": platform_message}
    return render(request, TEMPLATE, context, status=status)
