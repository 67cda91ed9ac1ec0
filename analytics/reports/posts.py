"""Platform posts with their figures: a page of the list, what it comes to, the best and the worst, and all as a table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, OuterRef, Q, QuerySet, Subquery, Sum, Value, Window
from django.db.models.functions import JSONObject
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ConnectedAccount, Workspace
from analytics.filters import FIGURES, RATE, WORDS, PostFilter, sort_of, span_of
from analytics.models import PlatformPost
from analytics.reports.dashboard import STORY_LASTS, Total, media_told, thumbnail_of
from analytics.reports.kinds import STORIES, Kind, kind_of
from analytics.reports.periods import USUAL, Span
from publishing.models import MediaFile, PostMedia
from socialhub.platforms import LABELS
from socialhub.platforms.metrics import CATALOGUE, Subject

FORMULA_NOTE = gettext_lazy(
    "Engagements (likes, comments, shares and saves, as far as the network tells them) divided by reach; where that is "
    "not known by views, else by impressions."
)
RATE_OF = {
    "reach": gettext_lazy("of reach"),
    "views": gettext_lazy("of views"),
    "impressions": gettext_lazy("of impressions"),
}
SETTLED = timedelta(days=1)  # younger posts have not yet had their time
LEAST_SEEN = 20  # one like of three readers is no rate
SEEN_BY_FEW = Q(
    *(Q(("rate_of", name), (f"{name}__lt", LEAST_SEEN)) for name in ("reach", "views", "impressions")), _connector=Q.OR
)


def average_note() -> str:
    """The formula, and of which posts an average is made."""
    left_out = _("Averages leave out posts that were seen less than %(least)d times.") % {"least": LEAST_SEEN}
    return f"{FORMULA_NOTE} {left_out}"


# What a thumbnail needs to know of the post that a platform post was made from, in one column.
FIRST_MEDIA = Subquery(
    PostMedia.objects.filter(post=OuterRef("publication__post"))
    .order_by("position")
    .values(told=JSONObject(id="media_id", kind="media__kind", facts="media__facts"))[:1]
)


# --- One post as lists show it ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    post: PlatformPost
    thumbnail_url: str  # "" where there is none
    media: MediaFile | None  # of a post that was made here: what the thumbnail shows
    kind: Kind | None

    @property
    def text(self) -> str:
        made = self.post.publication
        return self.post.text or (made.text if made else "")

    @property
    def rate(self) -> Figure:
        return figure_of(self.post, RATE)

    @property
    def rate_of(self) -> Any:
        return RATE_OF.get(self.post.rate_of, "")

    @property
    def has_ended(self) -> bool:
        return has_ended(self.post, self.kind)


@dataclass(frozen=True, slots=True)
class Figure:
    """reason: why there is no value."""

    name: str
    word: Any
    value: Any
    reason: str = ""


def has_ended(post: PlatformPost, kind: Kind | None) -> bool:
    """A story whose time was over: nobody has taken it away."""
    is_story = kind is not None and kind.key == "story"
    return is_story and post.gone_at is not None and post.gone_at - post.posted_at >= STORY_LASTS


def figure_of(post: PlatformPost, name: str) -> Figure:
    value = getattr(post, name)
    return Figure(name, WORDS[name], value, "" if value is not None else why_not(post, name))


def why_not(post: PlatformPost, name: str) -> str:
    """Why a figure is missing, as exactly as we know it."""
    label = LABELS.get(post.account.platform, post.account.platform)
    if post.withheld:
        return post.withheld
    if post.fetched_at is None:
        if post.account.needs_reconnect:
            return _("Not read: %(network)s no longer lets us in. Connect the account again.") % {"network": label}
        if post.gone_at is not None:
            return _("It was gone from %(network)s before its figures could be read") % {"network": label}
        return _("Not read yet; the first figures follow within minutes")
    if name == RATE:
        if post.engagements is None:
            return _("There is no rate without likes, comments, shares or saves")
        return _("There is no rate without reach, views or impressions")
    if name == "engagements":
        return _("%(network)s tells neither likes nor comments, shares or saves of this post") % {"network": label}
    if not tells(post.account.platform, post.product, name):
        return _("%(network)s does not tell this figure of such posts") % {"network": label}
    return _("%(network)s did not give this figure for this post") % {"network": label}


@cache
def tells(platform: str, product: str, measure: str) -> bool:
    """Is there any name, asked for today, by which the network tells this figure of posts of that product?"""
    today = timezone.now().date()
    return any(
        metric.measure == measure
        and metric.subject in (Subject.POST, Subject.VIDEO)
        and metric.asked
        and metric.lives(today)
        and (not product or metric.suits(product))
        for metric in CATALOGUE.get(platform, ())
    )


def shown(posts: QuerySet[PlatformPost]) -> QuerySet[PlatformPost]:
    """With all that is shown of a post, and no more."""
    return (
        posts.select_related("account", "publication__post")
        .defer("raw", "sources", "media_urls", "account__offers", "publication__handles")
        .annotate(first_media=FIRST_MEDIA)
    )


def listed(ids: Sequence[UUID]) -> list[Listed]:
    """The posts of these ids, in this order. One query."""
    found = {post.pk: post for post in shown(PlatformPost.objects.filter(pk__in=ids))}
    return [as_listed(found[pk]) for pk in ids if pk in found]


def as_listed(post: Any) -> Listed:
    """post: one of those that `shown` has found."""
    media = media_told(post.first_media)
    return Listed(post, thumbnail_of(media) or post.thumbnail_url, media, kind_of(post))


# --- The list ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Listed]
    next: str = ""  # hand it back as `after`; "" at the end


def page_of(chosen: PostFilter, limit: int) -> Page:
    """A page of the posts that fit. Two queries, of which the first is answered by an index alone."""
    found: list[Any] = list(chosen.page().only("pk", chosen.sorting.name)[: limit + 1])
    rows = listed([post.pk for post in found[:limit]])
    return Page(rows, chosen.sorting.place_of(found[limit - 1]) if len(found) > limit else "")


@dataclass(frozen=True, slots=True)
class Sums:
    """What the posts of a list come to. People who were reached are not added up: nobody knows how many were the same."""

    posts: int
    views: Total
    engagements: Total
    rate: float | None  # the average of the posts that have one and were seen by some
    rated: int
    told: tuple[str, ...]  # the figures that any of them has


def sums_of(posts: QuerySet[PlatformPost]) -> Sums:
    """One query, answered by an index alone."""
    told = posts.aggregate(
        of=Count("pk"),
        all_views=Sum("views"),
        all_engagements=Sum("engagements"),
        **{f"{name}_known": Count(name) for name in FIGURES},
        rate=Avg(RATE, filter=~SEEN_BY_FEW),
        rated=Count(RATE, filter=~SEEN_BY_FEW),
    )
    of = told["of"]
    return Sums(
        posts=of,
        views=Total(told["all_views"], told["views_known"], of),
        engagements=Total(told["all_engagements"], told["engagements_known"], of),
        rate=told["rate"],
        rated=told["rated"],
        told=tuple(name for name in FIGURES if told[f"{name}_known"]),
    )


# --- The best and the worst -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BestAndWorst:
    """By engagement rate. rated: of how many posts; reason: why there are none to show."""

    best: list[Listed]
    worst: list[Listed]  # the worst first; none of the best
    rated: int
    span: Span
    reason: str = ""


def rated_posts(accounts: Collection[ConnectedAccount] | Collection[UUID], span: Span) -> QuerySet[PlatformPost]:
    """Posts whose rates can be laid beside each other: seen by some, a day old or more, and no stories."""
    settled = min(span.end, timezone.now() - SETTLED)
    return PlatformPost.objects.filter(
        ~SEEN_BY_FEW,
        account__in=accounts,
        posted_at__gte=span.start,
        posted_at__lt=settled,
        gone_at=None,
        engagement_rate__isnull=False,
    ).exclude(STORIES)


def best_and_worst(
    workspace: Workspace, account: ConnectedAccount | None = None, span: Span | None = None, *, limit: int = 3
) -> BestAndWorst:
    """Of the posts of a span, 30 days unless said otherwise. Two queries, three without an account."""
    span = span or span_of(USUAL)
    posts = rated_posts(accounts_of(workspace, account), span).annotate(of=Window(Count("pk")))
    ways = (sort_of(f"-{RATE}"), sort_of(RATE))
    best, worst = (way(posts).annotate(way=Value(number)) for number, way in enumerate(ways))
    names = ("way", "pk", "of")
    ends = list(best.values_list(*names)[:limit].union(worst.values_list(*names)[:limit], all=True))
    if not ends:
        return BestAndWorst([], [], 0, span, _nothing_rated())
    rated = ends[0][2]
    least = rated - min(limit, rated)  # so many are none of the best
    best_ids = [pk for way, pk, _of in ends if way == 0]
    worst_ids = [pk for way, pk, _of in ends if way == 1][: min(limit, least)]
    rows = {row.post.pk: row for row in listed([*best_ids, *worst_ids])}
    best_rows = sorted((rows[pk] for pk in best_ids if pk in rows), key=rate_in, reverse=True)
    return BestAndWorst(best_rows, sorted((rows[pk] for pk in worst_ids if pk in rows), key=rate_in), rated, span)


def rate_in(row: Listed) -> float:
    return row.post.engagement_rate or 0


def accounts_of(workspace: Workspace, account: ConnectedAccount | None) -> list[UUID]:
    if account is not None:
        return [account.pk]
    return list(ConnectedAccount.objects.of(workspace).values_list("pk", flat=True))


def _nothing_rated() -> str:
    return _(
        "There is no post in this span whose rate is known: it takes a day since it was posted, and %(least)d people or "
        "views. Stories are left out, their figures are of another kind."
    ) % {"least": LEAST_SEEN}
