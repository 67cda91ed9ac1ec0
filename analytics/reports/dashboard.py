"""Rows → figures for pages: few queries, plain dataclasses, and None wherever nothing is known.

Together the functions of the dashboard cost eleven queries, however many posts a workspace has.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ConnectedAccount, User, Workspace
from analytics.models import InsightWindow, PlatformPost
from publishing import autosave
from publishing.forms.autosave import title_of
from publishing.forms.posts import stuck
from publishing.models import MediaFile, Post, PostAssembly, PostMedia, Publication, Status
from publishing.views.autosave import address_of
from socialhub.platforms import PLATFORMS
from socialhub.platforms.base import PostType

LEAST_SPAN = timedelta(minutes=30)
STORY_LASTS = timedelta(hours=23, minutes=50)  # a day, and the clocks of networks are not quite ours
FAILED_STAYS = timedelta(days=14)  # an older failure is history, to be found under Posts


# --- Accounts -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Growth:
    """How a total changed between two readings. `days`: what was asked for; `span`: what it really covers."""

    change: int
    rate: float | None  # fraction of the earlier total; None where that was 0
    days: int
    span: timedelta

    @property
    def is_whole(self) -> bool:
        """Does it cover the days that were asked for, give or take two hours?"""
        return self.span >= timedelta(days=self.days) - timedelta(hours=2)

    @property
    def span_days(self) -> int:
        return self.span.days

    @property
    def span_hours(self) -> int:
        return int(self.span.total_seconds() // 3600)


@dataclass(frozen=True, slots=True)
class AccountCard:
    """One connected account with its newest totals. None: the network does not tell."""

    account: ConnectedAccount
    followers: int | None
    following: int | None
    likes: int | None
    posts: int | None
    growth_7: Growth | None  # None until there are two readings
    growth_30: Growth | None
    last_synced_at: datetime | None
    sync_error: str

    @property
    def figures(self) -> list[tuple[str, int | None]]:
        """The totals that this network tells, by name. What it never gives has no place on the card."""
        platform = PLATFORMS.get(self.account.platform)
        told = platform.totals if platform else ()
        figures = []
        if "followers_count" in told:
            figures.append((_("Followers"), self.followers))
        if "following_count" in told:
            figures.append((_("Following"), self.following))
        if "likes_count" in told:
            figures.append((_("Likes"), self.likes))
        return figures


Growths = Mapping[UUID, tuple[Growth | None, Growth | None]]


def growths(workspace: Workspace) -> Growths:
    """How followers changed over 7 and over 30 days, by account. One query."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    readings = (
        ConnectedAccount.objects.of(workspace)
        .listed()
        .order_by()
        .values_list(
            "pk",
            follower_reading("-window_start"),
            follower_reading("window_start", since=hour - timedelta(days=7)),
            follower_reading("window_start", since=hour - timedelta(days=30)),
        )
    )
    return {
        account: (growth_between(oldest_of_7, newest, 7), growth_between(oldest_of_30, newest, 30))
        for account, newest, oldest_of_7, oldest_of_30 in readings
    }


def account_cards(workspace: Workspace, growths: Growths) -> list[AccountCard]:
    """The connected accounts, whatever their state, by platform and name. One query."""
    none: tuple[Growth | None, Growth | None] = (None, None)
    return [
        AccountCard(
            account=account,
            followers=account.followers_count,
            following=account.following_count,
            likes=account.likes_count,
            posts=account.posts_count,
            growth_7=growths.get(account.pk, none)[0],
            growth_30=growths.get(account.pk, none)[1],
            last_synced_at=account.last_synced_at,
            sync_error=account.sync_error,
        )
        for account in ConnectedAccount.objects.of(workspace).listed().defer("offers")
    ]


def follower_reading(order: str, *, since: datetime | None = None) -> Subquery:
    """The followers at one end of the readings of an account, with when they were read."""
    windows = InsightWindow.objects.filter(
        account=OuterRef("pk"), period=InsightWindow.Period.HOUR, metrics__has_key="followers"
    )
    if since is not None:
        windows = windows.filter(window_start__gte=since)
    reading = JSONObject(followers=F("metrics__followers"), at=F("fetched_at"))
    return Subquery(windows.order_by(order).values(reading=reading)[:1])


def growth_between(older: dict[str, Any] | None, newer: dict[str, Any] | None, days: int) -> Growth | None:
    if not older or not newer:
        return None
    span = datetime.fromisoformat(newer["at"]) - datetime.fromisoformat(older["at"])
    if span < LEAST_SPAN:
        return None  # one and the same reading, or two too near to tell anything
    change = newer["followers"] - older["followers"]
    return Growth(change, change / older["followers"] if older["followers"] else None, days, span)


# --- The last 30 days -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over those posts that had the figure. value is None when none had it."""

    value: int | None
    known: int
    of: int  # how many posts could have had it, each network counted

    @property
    def is_complete(self) -> bool:
        return self.known == self.of


@dataclass(frozen=True, slots=True)
class Summary:
    """posts: what was written once counts once, on however many networks it stands; from_here: by socialhub."""

    posts: int
    from_here: int
    reach: Total
    likes: Total
    since: datetime


def last_30_days(workspace: Workspace) -> Summary:
    """What was posted on the accounts of a workspace within 30 days, from here or not. One query.

    Publications and platform posts are counted apart: joined, thousands of either would cost many times as much.
    """
    since = timezone.now() - timedelta(days=30)
    ours = Publication.objects.filter(
        account__workspace=OuterRef("pk"), status=Status.PUBLISHED, published_at__gte=since
    )
    found_there = PlatformPost.objects.filter(account__workspace=OuterRef("pk"), posted_at__gte=since)
    stands = Q(gone_at=None)
    found = (
        Workspace.objects.filter(pk=workspace.pk)
        .annotate(
            from_here=_summed(ours, posts=Count("post", distinct=True), publications=Count("pk")),
            figures=_summed(
                found_there,
                read=Count("publication"),
                of=Count("pk", filter=stands),
                others=Count("pk", filter=stands & Q(publication=None)),
                reach=Sum("reach", filter=stands),
                reach_known=Count("reach", filter=stands),
                likes=Sum("likes", filter=stands),
                likes_known=Count("likes", filter=stands),
            ),
        )
        .values_list("from_here", "figures")
        .get()
    )
    ours_found = found[0] or {"posts": 0, "publications": 0}
    from_here = ours_found["posts"]
    figures = found[1] or dict.fromkeys(("read", "of", "others", "reach_known", "likes_known"), 0)
    unread = max(ours_found["publications"] - figures["read"], 0)
    of = figures["of"] + unread
    return Summary(
        posts=from_here + figures["others"],
        from_here=from_here,
        reach=Total(figures.get("reach"), figures["reach_known"], of),
        likes=Total(figures.get("likes"), figures["likes_known"], of),
        since=since,
    )


def _summed(rows: QuerySet[Any], **aggregates: Any) -> Subquery:
    """Several aggregates over the rows of one workspace as one JSON object; None without rows."""
    grouped = rows.order_by().values("account__workspace")
    return Subquery(grouped.annotate(summed=JSONObject(**aggregates)).values("summed"))


# --- Recent posts ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NetworkPost:
    """One post on one network with the newest figures we know; None: not available, never 0."""

    account: ConnectedAccount
    posted_at: datetime
    permalink: str
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    saves: int | None = None
    views: int | None = None
    reach: int | None = None
    clicks: int | None = None
    fetched_at: datetime | None = None  # None: nothing read yet
    gone_at: datetime | None = None
    publication: Publication | None = None
    platform_post: PlatformPost | None = None

    @property
    def has_ended(self) -> bool:
        """A story whose time was over: nobody has taken it away."""
        is_story = self.publication is not None and self.publication.post_type == PostType.STORY
        return is_story and self.gone_at is not None and self.gone_at - self.posted_at >= STORY_LASTS


@dataclass(frozen=True, slots=True)
class RecentPost:
    """What was written once, with every network that it stands on, newest first. post: None if it was not made here."""

    key: UUID
    text: str
    thumbnail_url: str  # "" where there is none
    posted_at: datetime  # of its newest network
    networks: tuple[NetworkPost, ...]
    post: Post | None = None
    media: MediaFile | None = None  # of a post that was made here: what the thumbnail shows


@dataclass(frozen=True, slots=True)
class RecentPage:
    rows: list[RecentPost] = field(default_factory=list)
    next: str = ""  # hand it back as `before` for the page after; "" at the end


FIGURES = ("likes", "comments", "shares", "saves", "views", "reach", "clicks")


def recent_posts(workspace: Workspace, *, before: str = "", limit: int = 10) -> RecentPage:
    """The newest posts on the accounts of a workspace, from here or not. Three queries.

    before: `next` of the page before; whatever is none starts from the top.
    """
    heads = _heads(workspace, before, limit + 1)
    page = heads[:limit]
    ours = _made_here([key for _, key, made_here in page if made_here])
    others = _found_there([key for _, key, made_here in page if not made_here])
    rows = [found for _, key, made_here in page if (found := (ours if made_here else others).get(key))]
    return RecentPage(rows, _cursor(*page[-1][:2]) if len(heads) > limit else "")


def _heads(workspace: Workspace, before: str, limit: int) -> list[tuple[datetime, UUID, bool]]:
    """When and what, newest first: posts from here by their newest publication, and platform posts that are not."""
    newer_elsewhere = Publication.objects.filter(post=OuterRef("post"), status=Status.PUBLISHED).filter(
        Q(published_at__gt=OuterRef("published_at")) | Q(published_at=OuterRef("published_at"), pk__gt=OuterRef("pk"))
    )
    ours = Publication.objects.filter(
        ~Exists(newer_elsewhere), account__workspace=workspace, status=Status.PUBLISHED, published_at__isnull=False
    )
    others = PlatformPost.objects.filter(account__workspace=workspace, publication=None)
    parts = [
        _page(ours, "published_at", "post_id", before, made_here=True)[:limit],
        _page(others, "posted_at", "id", before, made_here=False)[:limit],
    ]
    return list(parts[0].union(parts[1], all=True).order_by("-at", "-key")[:limit])


def _page(rows: QuerySet[Any], at: str, key: str, before: str, *, made_here: bool) -> QuerySet[Any]:
    if (cursor := _read_cursor(before)) is not None:
        last_at, last_key = cursor
        rows = rows.filter(Q(**{f"{at}__lt": last_at}) | Q(**{at: last_at, f"{key}__lt": last_key}))
        rows = rows.filter(**{f"{at}__lte": last_at})  # the same again, in a form that an index can use
    return (
        rows.annotate(at=F(at), key=F(key), made_here=Value(made_here, output_field=BooleanField()))
        .values_list("at", "key", "made_here")
        .order_by("-at", "-key")
    )


def _cursor(at: datetime, key: UUID) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}.{key.hex}"


def _read_cursor(text: str) -> tuple[datetime, UUID] | None:
    if not (found := re.fullmatch(r"(\d{8}T\d{12})\.([0-9a-f]{32})", text)):
        return None
    try:
        at = datetime.strptime(found[1], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    return at, UUID(found[2])


def _made_here(post_ids: Collection[UUID]) -> dict[UUID, RecentPost]:
    if not post_ids:
        return {}
    publications = (
        Publication.objects.filter(post__in=post_ids, status=Status.PUBLISHED, published_at__isnull=False)
        .select_related("post", "account", "platform_post")
        .defer("account__offers", "platform_post__raw")
        .annotate(first_media=FIRST_MEDIA)
        .order_by("post_id", "-published_at", "-pk")
    )
    found = {}
    for post_id, group in groupby(publications, key=lambda publication: publication.post_id):
        parts = [_on_network(publication) for publication in group]
        newest: Any = parts[0].publication
        media = media_told(newest.first_media)
        found[post_id] = RecentPost(
            key=post_id,
            text=newest.post.caption or newest.text,
            thumbnail_url=thumbnail_of(media),
            media=media,
            posted_at=parts[0].posted_at,
            networks=tuple(parts),
            post=newest.post,
        )
    return found


def _on_network(publication: Any) -> NetworkPost:
    platform_post: PlatformPost | None = getattr(publication, "platform_post", None)
    return NetworkPost(
        account=publication.account,
        posted_at=publication.published_at,
        permalink=publication.permalink or (platform_post.permalink if platform_post else ""),
        publication=publication,
        platform_post=platform_post,
        **_figures(platform_post),
    )


def _figures(platform_post: PlatformPost | None) -> dict[str, Any]:
    if platform_post is None:
        return {}
    return {name: getattr(platform_post, name) for name in (*FIGURES, "fetched_at", "gone_at")}


def _found_there(ids: Collection[UUID]) -> dict[UUID, RecentPost]:
    if not ids:
        return {}
    return {
        found.pk: RecentPost(
            key=found.pk,
            text=found.text,
            thumbnail_url=found.thumbnail_url,
            posted_at=found.posted_at,
            networks=(
                NetworkPost(
                    account=found.account,
                    posted_at=found.posted_at,
                    permalink=found.permalink,
                    platform_post=found,
                    **_figures(found),
                ),
            ),
        )
        for found in PlatformPost.objects.filter(pk__in=ids).select_related("account").defer("raw", "account__offers")
    }


# --- What comes next, and what a person must do ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A post that waits for its time, with those of its publications that do."""

    post: Post
    scheduled_at: datetime
    publications: tuple[Publication, ...]
    thumbnail_url: str = ""
    media: MediaFile | None = None

    @property
    def is_due(self) -> bool:
        return self.scheduled_at <= timezone.now()

    @property
    def waits(self) -> list[str]:
        """Why some of it will go out later than planned, in words for people; empty when all is well."""
        entries = [getattr(publication, "queue_entry", None) for publication in self.publications]
        return sorted({entry.wait_reason for entry in entries if entry and entry.wait_reason})


def scheduled_next(workspace: Workspace, limit: int = 5) -> list[Upcoming]:
    """The posts that go out next, soonest first. One query."""
    soonest = (
        Post.objects.of(workspace)
        .filter(status=Post.Summary.SCHEDULED, scheduled_at__isnull=False)
        .order_by("scheduled_at", "pk")
        .values("pk")[:limit]
    )
    publications = (
        Publication.objects.filter(post__in=soonest)
        .select_related("post", "account", "queue_entry")
        .defer("account__offers")
        .annotate(first_media=FIRST_MEDIA)
        .order_by("post__scheduled_at", "post_id", "account__platform", "account__name")
    )
    upcoming = []
    for _post, group in groupby(publications, key=lambda publication: publication.post_id):
        parts: tuple[Any, ...] = tuple(group)
        post, media = parts[0].post, media_told(parts[0].first_media)
        upcoming.append(Upcoming(post, post.scheduled_at, parts, thumbnail_of(media), media))
    return upcoming


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What somebody was writing and has not saved."""

    title: str  # the first line; "" without words
    address: str  # of the composer that goes on with it
    updated_at: datetime
    thumbnail_url: str = ""
    is_of_post: bool = False  # a post that was being changed; it stands as it was saved


def unfinished(workspace: Workspace, user: User, limit: int = 2) -> list[Unfinished]:
    """What this person was writing last, newest first. One query."""
    return [
        Unfinished(
            title=title_of(kept),
            address=address_of(kept),
            updated_at=kept.updated_at,
            thumbnail_url=reverse("publishing:media_thumbnail", args=[kept.media_ids[0]]) if kept.media_ids else "",
            is_of_post=kept.post_id is not None,
        )
        for kept in autosave.of(workspace, user)[:limit]
    ]


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that waits for a person: an account to connect again, or a post with what it met on its networks."""

    kind: str  # reconnect, undecided, failed, files
    account: ConnectedAccount | None = None
    post: Post | None = None
    publications: tuple[Publication, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class Attention:
    """failed: not tried again so far; undecided: the outcome is unknown and only a person can tell; stuck: files by
    address that could not be had, so that their posts stay drafts."""

    failed: list[Publication]
    undecided: list[Publication]
    reconnect: list[ConnectedAccount]
    stuck: list[PostAssembly] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.failed) + len(self.undecided) + len(self.reconnect) + len(self.stuck)

    @property
    def concerns(self) -> list[Concern]:
        """As a person looks after them: a post that failed on several networks is one thing."""
        by_post: dict[UUID, list[Publication]] = {}
        for publication in self.failed:
            by_post.setdefault(publication.post_id, []).append(publication)
        return [
            *(Concern("reconnect", account) for account in self.reconnect),
            *(Concern("undecided", one.account, one.post, (one,)) for one in self.undecided),
            *(Concern("files", post=row.post, message=row.message) for row in self.stuck),
            *(Concern("failed", parts[0].account, parts[0].post, tuple(parts)) for parts in by_post.values()),
        ]


def attention(workspace: Workspace, limit: int = 12) -> Attention:
    """What waits for a person, newest first, each publication with its post and account. Three queries."""
    recently = timezone.now() - FAILED_STAYS
    undecided = Q(status=Status.CHECKING) & (Q(queue_entry=None) | Q(queue_entry__awaits_decision=True))
    publications = list(
        Publication.objects.filter(account__workspace=workspace)
        .filter(Q(status=Status.FAILED, updated_at__gte=recently) | undecided)
        .select_related("post", "account")
        .defer("account__offers")
        .order_by("-updated_at", "-pk")[:limit]
    )
    states = ConnectedAccount.Status
    lost = ConnectedAccount.objects.of(workspace).filter(status__in=[states.EXPIRED, states.REVOKED, states.ERROR])
    return Attention(
        failed=[publication for publication in publications if publication.status == Status.FAILED],
        undecided=[publication for publication in publications if publication.status == Status.CHECKING],
        reconnect=list(lost),
        stuck=list(
            stuck(workspace).filter(failed_at__gte=recently).select_related("post").order_by("-failed_at")[:limit]
        ),
    )


# The first image, video or document of a post: what a thumbnail needs to know, in one column.
FIRST_MEDIA = Subquery(
    PostMedia.objects.filter(post=OuterRef("post"))
    .order_by("position")
    .values(told=JSONObject(id="media_id", kind="media__kind", facts="media__facts"))[:1]
)


def media_told(told: dict[str, Any] | None) -> MediaFile | None:
    """Enough of a row for its thumbnail and the sign on it."""
    return MediaFile(pk=UUID(told["id"]), kind=told["kind"], facts=told["facts"]) if told else None


def thumbnail_of(media: MediaFile | None) -> str:
    return reverse("publishing:media_thumbnail", args=[media.pk]) if media else ""
