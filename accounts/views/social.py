"""Settings → Social accounts: what is connected, and in which state it is."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from accounts import connect, outcome
from accounts.forms import BufferKeyForm, PauseForm
from accounts.models import ConnectedAccount
from accounts.providers import PROVIDERS
from socialhub.http import HttpRequest
from socialhub.platforms.errors import PlatformError
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


def back_with_error(request: HttpRequest, error: PlatformError, platform: str = "facebook") -> HttpResponse:
    outcome.remember_error(request, error.message, platform=platform, platform_message=error.platform_message)
    return redirect("accounts:social")
