"""What is answered about figures. Null, or absent, is what a network did not tell; `missing` says why. It is never 0."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from django.utils.translation import gettext as _
from pydantic import AfterValidator, Field, WithJsonSchema

from accounts.api.base import Input, Model, Moment
from socialhub.platforms import LABELS


def _platform(key: str) -> str:
    if key not in LABELS:
        raise ValueError(_("This must be one of: %(keys)s.") % {"keys": ", ".join(LABELS)})
    return key


Platform = Annotated[str, AfterValidator(_platform), WithJsonSchema({"type": "string", "enum": list(LABELS)})]
Period = Literal["hour", "day"]
Reasons = Annotated[dict[str, str], Field(description="Why a figure is null, by its name.")]


class PlatformFigures(Model):
    """The newest figures of a post on one account."""

    platform: str
    account_id: UUID
    account_name: str
    publication_id: UUID
    status: str
    platform_post_id: str | None
    permalink: str | None
    impressions: int | None
    views: int | None
    reach: int | None
    engagement: int | None = Field(description="Likes, comments, shares and saves together.")
    likes: int | None
    comments: int | None
    shares: int | None
    saves: int | None
    clicks: int | None
    engagement_rate: float | None = Field(description="A fraction: 0.05 is 5 %.")
    rate_of: str | None = Field(description="What the rate was divided by: reach, views or impressions.")
    fetched_at: Moment | None
    missing: Reasons


class PostFiguresOut(Model):
    post_id: UUID
    platforms: list[PlatformFigures]
    total_reach: int | None = Field(description="Of the accounts that tell it; whoever saw it on two counts twice.")
    total_engagement: int | None
    average_engagement_rate: float | None
    missing: Reasons


class WindowFigures(Model):
    """One hour in UTC, or one day of the network, of one account."""

    window_start: Moment = Field(alias="window_start")
    window_end: Moment = Field(alias="window_end")
    account_id: UUID
    is_whole: bool = Field(description="False: the day is going on, and is in no aggregate.")
    span_minutes: int | None = Field(description="Of an hour: how many minutes its differences really cover.")
    metrics: dict[str, float | int] = Field(description="By our names for them; what is absent was not told.")
    fetched_at: Moment


class Coverage(Model):
    known: int = Field(description="Windows, of all accounts, in which the figure is known.")
    of: int = Field(description="Windows that there could be.")


class InsightsOut(Model):
    platform: str | None
    period: Period
    series: list[WindowFigures]
    aggregates: dict[str, float | int | None] = Field(
        description="sum_… of what happened, average_… of people and averages, latest_… of levels such as followers."
    )
    coverage: dict[str, Coverage] = Field(description="How much of the span an aggregate rests on, by its name.")
    missing: Reasons


class SyncIn(Input):
    account_id: UUID | None = Field(default=None, description="One account; else all that are connected.")
    platform: Platform | None = Field(default=None, description="All accounts of one network.")


class SyncWindow(Model):
    """The hour that is being read."""

    period: Period
    window_start: Moment = Field(alias="window_start")
    window_end: Moment = Field(alias="window_end")


class NotSynced(Model):
    account_id: UUID
    account_name: str
    reason: str


class SyncOut(Model):
    success: bool
    synced: dict[str, int] = Field(description="How many accounts a worker reads now, by network.")
    not_synced: list[NotSynced]
    window: SyncWindow
