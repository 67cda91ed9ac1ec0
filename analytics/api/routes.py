"""Figures of posts and accounts, and reading them anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query

from accounts.api.base import ApiRequest, invalid, keep_pace, reads, refuse_unknown, router, writes
from accounts.models import ConnectedAccount
from analytics.api.insights import Span, summary_of, windows_of
from analytics.api.schemas import (
    InsightsOut,
    NotSynced,
    Period,
    Platform,
    PlatformFigures,
    PostFiguresOut,
    SyncIn,
    SyncOut,
    SyncWindow,
)
from analytics.cadence import HOUR, hour_start
from analytics.filters import RATE
from analytics.models import PlatformPost
from analytics.reports.posts import why_not
from analytics.tasks import ask_for_syncs
from publishing.models import Post, Publication, Status

routes = router("Figures")

COUNTS = ("impressions", "views", "reach", "likes", "comments", "shares", "saves", "clicks")
# What a figure is called in the API, where that is not our own word for it.
OUTSIDE = {"engagements": "engagement", RATE: "engagementRate"}


@routes.get("analytics", auth=reads, response=PostFiguresOut, summary="Figures of a post")
def post_figures(request: ApiRequest, post_id: Annotated[UUID, Query(alias="postId")]) -> PostFiguresOut:
    """On every account that it went to, as they were read last. They are read more seldom as a post grows older."""
    post = get_object_or_404(Post.objects.of(request.caller.workspace), pk=post_id)
    publications = post.publications.select_related("account", "platform_post").order_by("account__platform", "pk")
    rows = [figures_of(publication) for publication in publications]
    totals: dict[str, Any] = {
        "total_reach": total([row.reach for row in rows]),
        "total_engagement": total([row.engagement for row in rows]),
        "average_engagement_rate": average([row.engagement_rate for row in rows]),
    }
    words = {
        "total_reach": "totalReach",
        "total_engagement": "totalEngagement",
        "average_engagement_rate": "averageEngagementRate",
    }
    missing = {
        words[name]: _("No account has told it for this post so far; “missing” of each says why.")
        for name, value in totals.items()
        if value is None
    }
    return PostFiguresOut(post_id=post.pk, platforms=rows, missing=missing, **totals)


def figures_of(publication: Publication) -> PlatformFigures:
    account = publication.account
    found: PlatformPost | None = getattr(publication, "platform_post", None)
    values: dict[str, Any] = {name: getattr(found, name, None) for name in (*COUNTS, "engagements", RATE)}
    missing = {}
    for name, value in values.items():
        if value is None:
            missing[OUTSIDE.get(name, name)] = reason(publication, found, name)
    return PlatformFigures(
        platform=account.platform,
        account_id=account.pk,
        account_name=account.name,
        publication_id=publication.pk,
        status=publication.status,
        platform_post_id=publication.platform_post_id or None,
        permalink=publication.permalink or None,
        engagement=values["engagements"],
        engagement_rate=values[RATE],
        rate_of=(found.rate_of or None) if found else None,
        fetched_at=found.fetched_at if found else None,
        missing=missing,
        **{name: values[name] for name in COUNTS},
    )


def reason(publication: Publication, found: PlatformPost | None, name: str) -> str:
    if found is not None:
        found.account = publication.account
        return why_not(found, name)
    if publication.status != Status.PUBLISHED:
        return _("It is not published, so there are no figures.")
    return _("Not read yet; the first figures follow within minutes")


def total(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def average(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


@routes.get("insights", auth=reads, response=InsightsOut, summary="Figures of accounts, by hour or day")
def insights(
    request: ApiRequest,
    platform: Platform | None = None,
    account_id: Annotated[UUID | None, Query(alias="accountId")] = None,
    period: Period = "day",
    hours: Annotated[int, Query(ge=1, le=168)] = 24,
    days: Annotated[int, Query(ge=1, le=92)] = 30,
) -> InsightsOut:
    """Of one account, or of all of a network. `hours` counts for the period hour, `days` for the period day.

    An hour that nobody read is not in the series; of a day that is going on only levels are in the aggregates.
    """
    refuse_unknown(request, also=["platform", "accountId", "period", "hours", "days"])
    if (other := {"hour": "days", "day": "hours"}[period]) in request.GET:
        raise invalid({other: [_("This does not go with the period “%(period)s”.") % {"period": period}]})
    if not platform and not account_id:
        raise invalid({"platform": [_("Name a platform, or an accountId.")]})
    accounts = list(chosen(request, platform, account_id))
    if account_id:
        platform = accounts[0].platform
    span = Span(period, hours if period == "hour" else days)
    windows = windows_of(accounts, span)
    summary = summary_of(windows, accounts, span)
    if not accounts:
        summary.missing["series"] = _("No account of this network is connected.")
    return InsightsOut(
        platform=platform,
        period=period,
        series=[window for window, _sources in windows],
        aggregates=summary.aggregates,
        coverage=summary.coverage,
        missing=summary.missing,
    )


@routes.post("insights/sync", auth=writes, response=SyncOut, summary="Read the newest figures")
def sync_insights(request: ApiRequest, body: SyncIn | None = None) -> SyncOut:
    """Has workers read the accounts now, as the hourly job does; who asks again meanwhile waits for the same reading.

    `lastSyncedAt` of the account, in `GET connected-accounts`, tells when it is done.
    """
    keep_pace(request.caller, "sync")
    asked = body or SyncIn()
    accounts = list(chosen(request, asked.platform, asked.account_id))
    readable = [account for account in accounts if account.is_connected]
    ask_for_syncs([account.pk for account in readable])
    start = hour_start(timezone.now())
    return SyncOut(
        success=bool(readable) or not accounts,
        synced=dict(Counter(account.platform for account in readable)),
        not_synced=[
            NotSynced(
                account_id=account.pk,
                account_name=account.name,
                reason=account.status_reason or _("Its access has ended. Reconnect it first."),
            )
            for account in accounts
            if not account.is_connected
        ],
        window=SyncWindow(period="hour", window_start=start, window_end=start + HOUR),
    )


def chosen(request: ApiRequest, platform: str | None, account_id: UUID | None) -> QuerySet[ConnectedAccount]:
    """404 for an account that is not there, also where it belongs to another network than the one that is named."""
    rows = ConnectedAccount.objects.of(request.caller.workspace).listed().order_by("platform", "name", "pk")
    if platform:
        rows = rows.filter(platform=platform)
    if account_id:
        rows = rows.filter(pk=account_id)
        get_object_or_404(rows)
    return rows
