"""Settings → Social accounts: what is connected, and in which state it is."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET

from accounts import connect, outcome
from accounts.forms import AccountsQuery, BufferKeyForm
from accounts.guidance import known_of
from accounts.models import ConnectedAccount
from accounts.overview import Card, Wanted, cards_of, overview, pages_without_instagram, unconfigured
from socialhub.http import HttpRequest
from socialhub.platforms.errors import PlatformError

# Where an act on an account may lead back to.
PAGES = ("accounts:social", "accounts:account")


def page_context(request: HttpRequest, happened: outcome.Outcome) -> dict[str, Any]:
    networks = [(key, entry.title) for key, entry in connect.CONNECTABLE.items()]
    query = AccountsQuery(request.GET, networks=networks, auto_id="find-%s")
    wanted = query.wanted()
    seen = overview(
        request.workspace, happened, Wanted(wanted["q"].strip(), platform=wanted["platform"], state=wanted["state"])
    )
    lonely = pages_without_instagram(seen.cards)
    return {
        "overview": seen,
        "entries": seen.entries,
        "folded": seen.folded,
        "query": query,
        "key_form": BufferKeyForm(auto_id="buffer-%s"),
        "happened": happened,
        "without_instagram": lonely,
        "unconfigured": unconfigured(),
        "here": here(request),
        **guide_by_itself(seen.cards, lonely),
    }


def guide_by_itself(cards: Sequence[Card], lonely: Sequence[ConnectedAccount]) -> dict[str, Any]:
    """The guidance opens unasked only where Pages were connected just now and none brought an Instagram account."""
    fresh = [card.account for card in cards if card.is_new]
    page = next((page for page in lonely if page in fresh), None)
    if page is None or any(account.platform == "instagram" for account in fresh):
        return {}
    return {"guide_now": True, "findings": known_of(page), "page": page, "look_now": True, "in_dialog": True}


@require_GET
def social(request: HttpRequest) -> HttpResponse:
    """With htmx only the networks: the search asks while somebody types."""
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "accounts/_networks.html", page_context(request, outcome.Outcome()))
    return render(request, "accounts/social.html", page_context(request, outcome.take(request)))


@require_GET
def account(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """Everything about one account: unfolded in the list, or a page of its own."""
    cards = cards_of(request.workspace, only=account_id)
    if not cards:
        raise Http404
    template = "accounts/_account_card.html" if request.htmx else "accounts/account.html"
    return render(request, template, {"card": cards[0], "here": here(request)})


def find_account(request: HttpRequest, account_id: uuid.UUID, **more: str) -> ConnectedAccount:
    accounts = ConnectedAccount.objects.of(request.workspace).select_related("parent", "credential__grant", "workspace")
    return get_object_or_404(accounts, pk=account_id, **more)


def here(request: HttpRequest) -> str:
    """The address in the browser, for forms of other apps that come back to it."""
    return (request.htmx and request.htmx.current_url_abs_path) or request.get_full_path()


def back(request: HttpRequest) -> HttpResponseRedirect:
    """To the page on which the button was: the whole list, what somebody had searched, or the account's own page."""
    referer = request.headers.get("referer", "")
    if url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
        parts = urlsplit(referer)
        try:
            name = resolve(parts.path).view_name
        except Resolver404:
            name = ""
        if name in PAGES:
            return HttpResponseRedirect(parts._replace(scheme="", netloc="", fragment="").geturl())
    return redirect("accounts:social")


def back_with_error(
    request: HttpRequest, error: PlatformError, platform: str = "facebook", to: str = "accounts:social"
) -> HttpResponse:
    outcome.remember_error(request, error.message, platform=platform, platform_message=error.platform_message)
    return redirect(to)
