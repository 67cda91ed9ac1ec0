"""What each account may still do at its network."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.shortcuts import get_object_or_404
from ninja import Query
from pydantic import Field

from accounts.api.base import ApiRequest, Model, Moment, reads, refuse_unknown, router
from accounts.models import ConnectedAccount
from publishing import ledger
from publishing.limits import WindowState

routes = router("Limits")


class WindowOut(Model):
    """One limit: so many calls of a kind within so many seconds."""

    endpoint: str = Field(description="Which calls count: publish, posts, containers, reels, client, read.")
    window_seconds: int
    made: int
    limit: int
    remaining: int
    resets_at: Moment | None = Field(description="When the first of what is used comes free; null while nothing is.")
    told_at: Moment | None = Field(description="When the network spoke of it last; null: it is our own count.")
    shared_by: int | None = Field(description="How many accounts use it up together; null: more than we may tell.")


class AccountLimits(Model):
    account_id: UUID
    platform: str
    account_name: str
    windows: list[WindowOut]


class LimitsOut(Model):
    accounts: list[AccountLimits]


@routes.get("rate-limits", auth=reads, response=LimitsOut, summary="What is left of the networks' limits")
def rate_limits(request: ApiRequest, account_id: Annotated[UUID | None, Query(alias="accountId")] = None) -> LimitsOut:
    """Of every connected account, or of one."""
    refuse_unknown(request, also=["accountId"])
    rows = (
        ConnectedAccount.objects.of(request.caller.workspace)
        .listed()
        .select_related("credential__grant")
        .defer("credential__access_token", "credential__grant__access_token", "credential__grant__refresh_token")
        .order_by("platform", "name", "pk")
    )
    accounts = [get_object_or_404(rows, pk=account_id)] if account_id else list(rows)
    states = ledger.states_of(accounts, ledger.books_for(accounts))
    return LimitsOut(
        accounts=[
            AccountLimits(
                account_id=account.pk,
                platform=account.platform,
                account_name=account.name,
                windows=[window_out(state) for state in states[account.pk]],
            )
            for account in accounts
        ]
    )


def window_out(state: WindowState) -> WindowOut:
    return WindowOut(
        endpoint=state.endpoint,
        window_seconds=state.window_seconds,
        made=state.made,
        limit=state.limit,
        remaining=state.remaining,
        resets_at=state.resets_at,
        told_at=state.told_at,
        shared_by=state.shared_by,
    )
