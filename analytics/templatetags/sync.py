"""How the reading of an account stands, for pages that know nothing of analytics."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import template

from accounts.models import ConnectedAccount
from analytics.models import AccountSync
from analytics.reports.syncs import SyncState, rows_of, state_of

register = template.Library()


@register.simple_tag(takes_context=True)
def sync_of(context: dict[str, Any], account: ConnectedAccount) -> SyncState:
    """One query for a page, however many accounts it shows; on the page of one account only for that."""
    request = context["request"]
    known: dict[UUID, Any] | None = getattr(request, "sync_rows", None)
    if known is None:
        match = request.resolver_match
        is_its_page = match is not None and match.kwargs.get("account_id") == account.pk
        syncs = AccountSync.objects.filter(account__workspace=account.workspace_id)
        known = request.sync_rows = rows_of(syncs.filter(account=account) if is_its_page else syncs)
    return state_of(account, known.get(account.pk))
