"""Settings → Social accounts: what is connected, connecting more, and every act on one account."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from allauth.socialaccount.adapter import get_adapter
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import connect, outcome
from accounts.access import manager_required
from accounts.forms import BufferKeyForm, ChoiceForm, PauseForm
from accounts.models import ConnectedAccount, Grant
from accounts.providers import BUFFER, PROVIDERS
from accounts.providers.base import Candidate
from accounts.verify import verify
from accounts.wake import PUBLISHING, wake
from socialhub.http import HttpRequest
from socialhub.platforms.errors import PlatformError, ReconnectError
from socialhub.platforms.meta import PUBLISH_TASKS, TASK_PREFIX


@dataclass(frozen=True, slots=True)
class Entry:
    """One network on the page. state: disconnected, connected or error."""

    connectable: connect.Connectable
    accounts: Sequence[ConnectedAccount]
    state: str
    error: outcome.Outcome | None

    @property
    def is_folded(self) -> bool:
        """Networks behind Buffer that nobody has connected stand together in one place."""
        return self.connectable.is_through_buffer and not self.accounts


def entry_of(
    connectable: connect.Connectable, accounts: Sequence[ConnectedAccount], happened: outcome.Outcome
) -> Entry:
    own = sorted(
        (account for account in accounts if account.platform == connectable.platform),
        key=lambda account: not account.needs_reconnect,  # first those that somebody has to look after
    )
    error = happened if happened.error and happened.platform == connectable.platform else None
    if error or any(account.needs_reconnect for account in own):
        state = "error"
    else:
        state = "connected" if own else "disconnected"
    return Entry(connectable, own, state, error)


def pages_without_instagram(accounts: Sequence[ConnectedAccount]) -> list[ConnectedAccount]:
    """Facebook Pages that could have brought an Instagram account, and did not."""
    linked = {account.parent_id for account in accounts if account.platform == "instagram"}
    return [account for account in accounts if account.platform == "facebook" and account.pk not in linked]


def page_context(request: HttpRequest, happened: outcome.Outcome) -> dict[str, Any]:
    accounts = list(
        ConnectedAccount.objects.of(request.workspace)
        .listed()
        .select_related("connected_by", "credential__grant")
        .defer(
            *("credential__access_token", "credential__grant__access_token", "credential__grant__refresh_token"),
        )
    )
    lonely = pages_without_instagram(accounts)
    entries = [entry_of(connectable, accounts, happened) for connectable in connect.CONNECTABLE.values()]
    return {
        "entries": entries,
        "folded": [entry for entry in entries if entry.is_folded],
        "key_form": BufferKeyForm(auto_id="buffer-%s"),
        "happened": happened,
        "just_connected": set(happened.connected),
        "without_instagram": lonely,
        "unconfigured": unconfigured(),
        "pause_form": PauseForm(),
        **guide_by_itself(accounts, lonely, set(happened.connected)),
    }


def unconfigured() -> list[dict[str, Any]]:
    """Providers that whoever runs this server has to set up first, with the networks that this keeps from people."""
    return [
        {
            "provider": provider,
            "networks": [str(entry.label) for entry in connect.CONNECTABLE.values() if entry.provider == provider.key],
        }
        for provider in PROVIDERS.values()
        if not provider.is_configured()
    ]


def guide_by_itself(
    accounts: Sequence[ConnectedAccount], lonely: Sequence[ConnectedAccount], just_connected: set[str]
) -> dict[str, Any]:
    """The guidance opens unasked only where Pages were connected just now and none brought an Instagram account."""
    fresh = [account for account in accounts if str(account.pk) in just_connected]
    page = next((page for page in lonely if page in fresh), None)
    if page is None or any(account.platform == "instagram" for account in fresh):
        return {}
    return {"guide_now": True, **guidance_context(page)}


def guidance_context(page: ConnectedAccount) -> dict[str, Any]:
    granted = set(page.granted_scopes)
    scopes = [{"name": name, "is_granted": name in granted} for name in connect.CONNECTABLE["instagram"].scopes]
    tasks = {task.removeprefix(TASK_PREFIX) for task in page.tasks}
    return {
        "page": page,
        "scopes": scopes,
        "is_permission_missing": not all(scope["is_granted"] for scope in scopes),
        "may_publish": bool(tasks & PUBLISH_TASKS),
        "in_dialog": True,
    }


@require_GET
def social(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/social.html", page_context(request, outcome.take(request)))


def find_account(request: HttpRequest, account_id: uuid.UUID, **more: str) -> ConnectedAccount:
    accounts = ConnectedAccount.objects.of(request.workspace).select_related("parent", "credential__grant", "workspace")
    return get_object_or_404(accounts, pk=account_id, **more)


@require_POST
@manager_required
def connect_start(request: HttpRequest, platform: str) -> HttpResponse:
    """Off to the network's consent page. Without an app of our own there, say so instead."""
    if (connectable := connect.CONNECTABLE.get(platform)) is None:
        raise Http404
    source = PROVIDERS[connectable.provider]
    if not source.is_configured():
        outcome.remember_error(request, source.setup_hint(), platform=platform)
        return redirect("accounts:social")
    provider = get_adapter(request).get_provider(request, connectable.provider)
    response: HttpResponse = provider.start(request, product=platform)
    return response


@require_POST
@manager_required
def buffer_key(request: HttpRequest) -> HttpResponse:
    """A personal key in place of the consent page. It is never shown again, not even when something was wrong with it."""
    form = BufferKeyForm(request.POST, auto_id="buffer-%s")
    if form.is_valid():
        try:
            consent = BUFFER.consent_by_key(form.cleaned_data["key"])
        except PlatformError as error:
            form.add_error("key", error.message)
        else:
            grant = connect.store_grant(request.workspace, request.user, BUFFER.key, consent)
            return redirect("accounts:select", grant.pk)
    context = {**page_context(request, outcome.Outcome()), "key_form": form}
    return render(request, "accounts/social.html", context, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@manager_required
def select(request: HttpRequest, grant_id: uuid.UUID) -> HttpResponse:
    """The accounts that a consent brought, asked for live: neither the page nor the session holds a token."""
    grant = get_object_or_404(Grant, pk=grant_id, workspace=request.workspace, user=request.user)
    provider = PROVIDERS[grant.provider]
    try:
        candidates = connect.find_candidates(grant)
    except ReconnectError as error:
        return back_with_error(request, error, first_platform_of(grant))
    except PlatformError as error:
        # 200, as the form is not at fault: the page offers to look again.
        return render(request, "accounts/select.html", {"grant": grant, "error": error})
    if not candidates:
        connect.drop_unused(grant)
        outcome.remember_error(request, provider.found_nothing(), platform=first_platform_of(grant))
        return redirect("accounts:social")
    connectable = provider.connectable(candidates)
    if request.method != "POST":
        return render(request, "accounts/select.html", select_context(request, grant, candidates))
    form = ChoiceForm(request.POST, keys=[candidate.key for candidate in connectable])
    if not form.is_valid():
        return render(request, "accounts/select.html", select_context(request, grant, candidates, form), status=422)
    chosen = set(form.cleaned_data["account"])
    connected = connect.connect_chosen(
        grant, [candidate for candidate in connectable if candidate.key in chosen], by=request.user
    )
    outcome.remember_connected(request, connected)
    return redirect("accounts:social")


def first_platform_of(grant: Grant) -> str:
    """Where on the accounts page a sentence about this consent stands."""
    return next(entry.platform for entry in connect.CONNECTABLE.values() if entry.provider == grant.provider)


def select_context(
    request: HttpRequest, grant: Grant, candidates: Sequence[Candidate], form: ChoiceForm | None = None
) -> dict[str, Any]:
    """Everything that can be connected is ticked, unless the person has already chosen."""
    existing = set(
        ConnectedAccount.objects.of(request.workspace).listed().values_list("platform", "platform_account_id")
    )
    ticked = set(form.data.getlist("account")) if form else {one.key for one in candidates}  # type: ignore[attr-defined]
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
        "form": form,
        "rows": rows,
        "found": PROVIDERS[grant.provider].found(len(candidates)),
        "connectable_count": sum(not candidate.obstacle for candidate in candidates),
    }


def back_with_error(request: HttpRequest, error: PlatformError, platform: str = "facebook") -> HttpResponse:
    outcome.remember_error(request, error.message, platform=platform, platform_message=error.platform_message)
    return redirect("accounts:social")


@require_POST
@manager_required
def recheck(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """Run the connect again for one Page, in place: is an Instagram account linked by now?"""
    account = find_account(request, account_id, login_kind="meta")
    try:
        connected = connect.recheck(account, by=request.user)
    except PlatformError as error:
        if not request.htmx:
            return back_with_error(request, error, account.platform)
        return render_guidance(request, account, error=error)
    found = [row for row in connected if row.platform == "instagram"]
    if found or not request.htmx:
        if found:
            outcome.remember_connected(request, found)
        else:
            messages.info(request, connect.no_instagram(account.name))
        if not request.htmx:
            return redirect("accounts:social")
        response = render(request, "accounts/_social_accounts.html", page_context(request, outcome.take(request)))
        response["HX-Retarget"], response["HX-Reswap"] = "#social-accounts", "outerHTML"
        return response
    account.refresh_from_db()
    return render_guidance(request, account, checked_at=timezone.now())


def render_guidance(request: HttpRequest, page: ConnectedAccount, **extra: Any) -> HttpResponse:
    return render(request, "accounts/_guidance.html", {**guidance_context(page), **extra})


@require_GET
@manager_required
def guidance(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """Why a Page brought no Instagram account, and what to do: into the dialog, or as a page of its own."""
    page = find_account(request, account_id, login_kind="meta")
    if request.htmx:
        return render_guidance(request, page)
    return render(request, "accounts/guidance.html", {**guidance_context(page), "in_dialog": False})


@require_POST
@manager_required
def disconnect(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    account = find_account(request, account_id)
    connect.disconnect(account)
    messages.success(
        request,
        _("%(name)s is disconnected. Its history stays; posts that were scheduled to it will not go out.")
        % {"name": account.name},
    )
    return redirect("accounts:social")


@require_POST
@manager_required
def pause(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    account = find_account(request, account_id)
    form = PauseForm(request.POST)
    if not form.is_valid():
        context = {**page_context(request, outcome.Outcome()), "pause_form": form, "pausing": account.pk}
        return render(request, "accounts/social.html", context, status=422)
    ConnectedAccount.objects.filter(pk=account.pk).update(
        paused_at=timezone.now(), pause_reason=form.cleaned_data["reason"]
    )
    messages.success(request, _("Publishing to %(name)s is paused.") % {"name": account.name})
    return redirect("accounts:social")


@require_POST
@manager_required
def resume(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    account = find_account(request, account_id)
    ConnectedAccount.objects.filter(pk=account.pk).update(paused_at=None, pause_reason="")
    transaction.on_commit(lambda: wake(PUBLISHING))
    messages.success(
        request, _("Publishing to %(name)s goes on. Posts that waited go out now.") % {"name": account.name}
    )
    return redirect("accounts:social")


@require_POST
@manager_required
def verify_now(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    account = find_account(request, account_id)
    try:
        verify(account)
    except PlatformError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("%(name)s works: access and profile were checked.") % {"name": account.name})
    return redirect("accounts:social")
