"""How the reading of an account stands, for pages that know nothing of analytics."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import template

from accounts.models import ConnectedAccount
from analytics.reports.syncs import SyncState, states_of

register = template.Library()


@register.simple_tag(takes_context=True)
def sync_of(context: dict[str, Any], account: ConnectedAccount) -> SyncState:
    """One query for the first account that a page asks for, one more for all others together."""
    request = context["request"]
    known: dict[UUID, SyncState] = request.__dict__.setdefault("_sync_states", {})
    if account.pk not in known:
        if known:
            known.update(states_of(ConnectedAccount.objects.of(request.workspace).listed().defer("offers")))
        known |= states_of([account]) if account.pk not in known else {}
    return known[account.pk]
