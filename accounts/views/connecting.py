"""Connecting more: off to the network, a key in place of it, and the choice among what it shows."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from allauth.socialaccount.adapter import get_adapter
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import connect, outcome
from accounts.access import manager_required
from accounts.forms import BufferKeyForm, ChoiceForm, ReconnectForm
from accounts.models import ConnectedAccount, Grant
from accounts.providers import BUFFER, PROVIDERS
from accounts.providers.base import Candidate
from accounts.views.social import back_with_error
from socialhub.guards import paced
from socialhub.http import HttpRequest
from socialhub.platforms.errors import PlatformError, ReconnectError

RECONNECTING = "reconnecting"


@require_POST
@manager_required
@paced("connect")
def connect_start(request: HttpRequest, platform: str) -> HttpResponse:
    """Off to the network's consent page. Without an app of our own there, say so instead."""
    if (connectable := connect.CONNECTABLE.get(platform)) is None:
        raise Http404
    source = PROVIDERS[connectable.provider]
    outcome.remember_return(request, request.POST.get("next", ""))
    if not source.is_configured():
        outcome.remember_error(request, source.setup_hint(), platform=platform)
        return redirect(outcome.return_address(request))
    remember_reconnecting(request)
    provider = get_adapter(request).get_provider(request, connectable.provider)
    response: HttpResponse = provider.start(request, product=platform)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@manager_required
@paced("connect", when=lambda request: request.method == "POST")
def buffer_key(request: HttpRequest) -> HttpResponse:
    """A personal key in place of the consent page. It is never shown again, not even when something was wrong with it."""
    asked = request.POST if request.method == "POST" else request.GET
    context: dict[str, Any] = {"reconnecting": reconnecting_of(request, asked), "in_dialog": bool(request.htmx)}
    if request.method != "POST":
        template = "accounts/_buffer_key.html" if request.htmx else "accounts/buffer_key.html"
        return render(request, template, {**context, "key_form": BufferKeyForm(auto_id="key-%s")})
    form = BufferKeyForm(request.POST, auto_id="key-%s")
    if form.is_valid():
        try:
            consent = BUFFER.consent_by_key(form.cleaned_data["key"])
        except PlatformError as error:
            form.add_error("key", outcome.sentence(error, BUFFER.label))
        else:
            remember_reconnecting(request)
            outcome.remember_return(request, request.POST.get("next", ""))
            grant = connect.store_grant(request.workspace, request.user, BUFFER.key, consent)
            return redirect("accounts:select", grant.pk)
    return render(request, "accounts/buffer_key.html", {**context, "key_form": form}, status=422)


def reconnecting_of(request: HttpRequest, asked: QueryDict) -> ConnectedAccount | None:
    """The account whose button was pressed, where it was one of this workspace."""
    form = ReconnectForm(asked)
    if not form.is_valid() or not form.cleaned_data["account"]:
        return None
    return ConnectedAccount.objects.of(request.workspace).filter(pk=form.cleaned_data["account"]).first()


def remember_reconnecting(request: HttpRequest) -> None:
    """Whether the button was that of an account: the choice then starts with what is connected already."""
    request.session[RECONNECTING] = reconnecting_of(request, request.POST) is not None


@require_http_methods(["GET", "HEAD", "POST"])
@manager_required
def select(request: HttpRequest, grant_id: uuid.UUID) -> HttpResponse:
    """The accounts that a consent brought, asked for live: neither the page nor the session holds a token."""
    grant = get_object_or_404(Grant, pk=grant_id, workspace=request.workspace, user=request.user)
    provider = PROVIDERS[grant.provider]
    back = outcome.return_address(request)
    try:
        candidates = connect.find_candidates(grant)
    except ReconnectError as error:
        return back_with_error(request, error, first_platform_of(grant), to=back)
    except PlatformError as error:
        # 200, as the form is not at fault: the page offers to look again.
        told = outcome.sentence(error, provider.label)
        return render(request, "accounts/select.html", {"grant": grant, "error": error, "told": told, "back": back})
    if not candidates:
        connect.drop_unused(grant)
        outcome.remember_error(request, provider.found_nothing(), platform=first_platform_of(grant))
        return redirect(back)
    connectable = provider.connectable(candidates)
    if request.method != "POST":
        return render(request, "accounts/select.html", select_context(request, grant, candidates))
    form = ChoiceForm(request.POST, keys=[candidate.key for candidate in connectable])
    if not form.is_valid():
        return render(request, "accounts/select.html", select_context(request, grant, candidates, form), status=422)
    chosen = set(form.cleaned_data["account"])
    try:
        connected = connect.connect_chosen(
            grant, [candidate for candidate in connectable if candidate.key in chosen], by=request.user
        )
    except ReconnectError as error:
        return back_with_error(request, error, first_platform_of(grant), to=back)
    outcome.remember_connected(request, connected)
    return redirect(back)


def first_platform_of(grant: Grant) -> str:
    """Where on the accounts page a sentence about this consent stands."""
    return next(entry.key for entry in connect.CONNECTABLE.values() if entry.provider == grant.provider)


def select_context(
    request: HttpRequest, grant: Grant, candidates: Sequence[Candidate], form: ChoiceForm | None = None
) -> dict[str, Any]:
    """Everything that can be connected is ticked; only what is connected already where somebody reconnects.

    What the person has chosen goes before either.
    """
    existing = set(
        ConnectedAccount.objects.of(request.workspace).listed().values_list("platform", "platform_account_id")
    )
    ticked = {one.key for one in candidates}
    if form:
        ticked = set(form.data.getlist("account"))  # type: ignore[attr-defined]
    elif request.session.get(RECONNECTING):
        known = {one.key for one in candidates if (one.platform, one.platform_account_id) in existing}
        ticked = known or ticked
    rows = [
        {
            "candidate": candidate,
            "is_ticked": candidate.key in ticked,
            "is_connected": (candidate.platform, candidate.platform_account_id) in existing,
        }
        for candidate in candidates
    ]
    return {
        "grant": grant,
        "back": outcome.return_address(request),
        "form": form,
        "rows": rows,
        "found": PROVIDERS[grant.provider].found(len(candidates)),
        "connectable_count": sum(not candidate.obstacle for candidate in candidates),
    }
