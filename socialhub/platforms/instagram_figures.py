"""Figures of an Instagram account, its audience and its media.

Instagram tells a total for any span, and no series: so each day is a field of its own, under an alias, of one call with
the account itself. Of media only what every kind of them has can come along with their list.
Source: Instagram Platform v26.0, user and media insights, read September to October 2026.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from socialhub.platforms.base import (
    Access,
    AccountReading,
    Audience,
    AudienceReading,
    DayFigures,
    PostFigures,
    Profile,
    RemotePost,
)
from socialhub.platforms.errors import LimitedError, NotFoundError, PlatformError, ReconnectError
from socialhub.platforms.meta import Graph, entries_of, instant_of, number_in
from socialhub.platforms.meta_errors import TooMuchDataError
from socialhub.platforms.meta_insights import (
    Ask,
    Insights,
    Told,
    asked,
    by_measure,
    dead_in,
    end_of,
    errors_in,
    figure_of,
    grouped,
    post_figures,
    results_of,
    seconds,
    trouble_of,
    unless_all_failed,
    value_of,
)
from socialhub.platforms.metrics.instagram import LISTED, METRICS
from socialhub.platforms.metrics.types import NetworkMetric, Subject

ACCOUNT_FIELDS = "id,username,name,profile_picture_url,followers_count,follows_count,media_count"
COUNTS = "like_count,comments_count"
NODE_FIELDS = f"id,media_product_type,{COUNTS}"
LIST_FIELDS = f"id,caption,timestamp,permalink,media_type,media_product_type,media_url,thumbnail_url,{COUNTS},children{{media_url}}"
DAYS_PER_CALL = 7  # each is two fields; a request line of more than 4,094 characters is refused by many servers
PAGE_LIMIT = 50
SHORTEST = timedelta(minutes=1)  # of a day that has just begun there is nothing to tell
FOLLOW_TYPES = {"FOLLOWER": "follows", "NON_FOLLOWER": "unfollows"}
STORY = "STORY"
DIMENSIONS = ("age", "city", "country", "gender")
DEMOGRAPHICS = {"period": "lifetime", "metric_type": "total_value", "timeframe": "this_month"}


class Figures:
    """What an account and its media have come to."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.insights = Insights(graph)

    # The account

    def profile(self, access: Access) -> Profile:
        answer = self.graph.get(
            access.account_id, access.token, {"fields": ACCOUNT_FIELDS}, account_id=access.account_id
        )
        return _profile(answer)

    def account(self, access: Access, days: Sequence[datetime], skip: Collection[str]) -> AccountReading:
        now = datetime.now(UTC)
        metrics = asked(METRICS, Subject.ACCOUNT, now)
        begun = [day for day in sorted(days) if day + SHORTEST <= now]
        asks = [_asks(access.account_id, metrics, day, now) for day in begun]
        size = len(asks[0]) if asks else 1
        told: list[Told] = []
        node: dict[str, Any] = {}
        for start in range(0, max(len(asks), 1), DAYS_PER_CALL):
            left_out = {*skip, *dead_in(told)}
            part = [ask for of_day in asks[start : start + DAYS_PER_CALL] for ask in of_day]
            fields = "id" if start else ACCOUNT_FIELDS
            found, answers = self.insights.with_node(access, fields, part, skip=left_out)
            told += answers
            node = node or found
        profile = _profile(node)
        totals = {
            "followers": profile.followers_count,
            "following": profile.following_count,
            "posts": profile.posts_count,
        }
        figures = [
            _day(day, metrics, told[number * size : (number + 1) * size], is_whole=end_of(day) <= now)
            for number, day in enumerate(begun)
        ]
        return AccountReading(
            profile,
            totals={name: value for name, value in totals.items() if value is not None},
            days=tuple(day for day in figures if day.metrics),
            refused=dead_in(told),
            troubles=errors_in(told),
        )

    def audience(self, access: Access, skip: Collection[str]) -> AudienceReading:
        metrics = asked(METRICS, Subject.AUDIENCE, datetime.now(UTC))
        kinds = [(metric, dimension) for metric in metrics for dimension in DIMENSIONS]
        told = self.insights.with_node(
            access,
            "id",
            [
                Ask(access.account_id, (metric.name,), {**DEMOGRAPHICS, "breakdown": dimension})
                for metric, dimension in kinds
            ],
            skip=skip,
        )[1]
        parts = []
        for (metric, dimension), answer in zip(kinds, told, strict=True):
            entry = answer.entries.get(metric.name)
            if counts := {key: int(value) for key, value in results_of(entry).items()}:
                parts.append(Audience(metric.group, dimension, counts, (entry or {}).get("total_value")))
        errors = errors_in(told)
        if errors and not parts:
            raise errors[0]
        withheld = "" if parts else _("Instagram tells who follows an account only from 100 followers on.")
        return AudienceReading(tuple(parts), dead_in(told), withheld)

    # Media

    def posts(self, access: Access, posts: Mapping[str, str], skip: Collection[str]) -> list[PostFigures]:
        now = datetime.now(UTC)
        products, failed = self._products(access, posts)
        metrics = {
            product: asked(METRICS, Subject.POST, now, product=product) for product in dict.fromkeys(products.values())
        }
        asks = [Ask(post_id, tuple(m.name for m in metrics[product])) for post_id, product in products.items()]
        answers = self.insights.with_nodes(access, NODE_FIELDS, asks, skip=skip)
        found = [PostFigures(post_id, trouble=error) for post_id, error in failed.items()]
        for (post_id, product), (node, told) in zip(products.items(), answers, strict=True):
            if isinstance(node, NotFoundError):
                continue
            if error := trouble_of(node, told):
                found.append(PostFigures(post_id, trouble=error))
            elif isinstance(node, dict):
                found.append(_post_figures(post_id, node, told, metrics[product]))
        return unless_all_failed(found)

    def _products(self, access: Access, posts: Mapping[str, str]) -> tuple[dict[str, str], dict[str, PlatformError]]:
        """What each is, read where we do not know it: a name that is wrong for one kind is refused for it.

        Beside them those that could not be read.
        """
        unknown = [post_id for post_id, product in posts.items() if not product]
        nodes = self.graph.batch(
            access.token,
            [f"{post_id}?fields=id,media_product_type" for post_id in unknown],
            account_id=access.account_id,
        )
        products, failed = dict(posts), {}
        for post_id, node in zip(unknown, nodes, strict=True):
            if isinstance(node, LimitedError | ReconnectError):
                raise node
            if isinstance(node, PlatformError):
                del products[post_id]
                if not isinstance(node, NotFoundError):
                    failed[post_id] = node
            else:
                products[post_id] = str(node.get("media_product_type") or "FEED")
        return products, failed

    def recent(
        self, access: Access, since: datetime, limit: int, figures: bool, skip: Collection[str]
    ) -> list[RemotePost]:
        metrics = _listed_metrics(datetime.now(UTC)) if figures else []
        listed = self.insights.listed(
            access,
            lambda expansion: self._list(access, since, limit, expansion),
            [metric.name for metric in metrics],
            skip=skip,
        )
        posts = []
        for entry in listed.entries:
            told = listed.told(entry) if figures and entry.get("media_product_type") != STORY else None
            of_post = _post_figures(str(entry.get("id")), entry, told, metrics) if told else None
            post = _remote_post(entry, of_post)
            if post and post.posted_at >= since:
                posts.append(post)
        return sorted(posts, key=lambda post: post.posted_at, reverse=True)[:limit]

    def _list(self, access: Access, since: datetime, limit: int, expansion: str) -> list[dict[str, Any]]:
        """Media, and in the same call the stories, which stand in a list of their own for a day.

        Of stories no figures come along: one that too few people saw would fail the whole call.
        """
        size = min(limit, PAGE_LIMIT)
        fields = ",".join(filter(None, (LIST_FIELDS, expansion)))
        while True:
            media = f"media.since({seconds(since)}).limit({size}){{{fields}}}"
            stories = f"stories.limit({PAGE_LIMIT}){{{LIST_FIELDS}}}"
            try:
                answer = self.graph.get(
                    access.account_id,
                    access.token,
                    {"fields": f"id,{media},{stories}"},
                    account_id=access.account_id,
                )
                break
            except TooMuchDataError:
                size //= 2
                if not size:
                    raise
        found = entries_of(answer.get("media"))
        after = _cursor(answer.get("media"))
        if after and len(found) < limit:
            found += self.graph.paged(
                f"{access.account_id}/media",
                access.token,
                {"fields": fields, "since": seconds(since), "limit": str(size), "after": after},
                page_limit=-(-limit // size),
                account_id=access.account_id,
            )
        # Behind the others: the first one stands in for all when a figure is refused.
        return [*found, *entries_of(answer.get("stories"))]


def _listed_metrics(on: datetime) -> list[NetworkMetric]:
    """What all in the list of media have, posts and reels alike."""
    of_posts = asked(METRICS, Subject.POST, on, product="FEED")
    return [metric for metric in of_posts if metric.group == LISTED and metric.suits("REELS")]


def _cursor(edge: object) -> str:
    """Where the list goes on; "" at its end."""
    paging = edge.get("paging") if isinstance(edge, dict) else None
    if not isinstance(paging, dict) or not paging.get("next"):
        return ""
    cursors = paging.get("cursors")
    return str(cursors.get("after") or "") if isinstance(cursors, dict) else ""


def _profile(node: Mapping[str, Any]) -> Profile:
    return Profile(
        name=str(node.get("name") or node.get("username") or ""),
        username=str(node.get("username") or ""),
        picture_url=str(node.get("profile_picture_url") or ""),
        followers_count=number_in(node, "followers_count"),
        following_count=number_in(node, "follows_count"),
        posts_count=number_in(node, "media_count"),
    )


def _asks(account_id: str, metrics: Iterable[NetworkMetric], day: datetime, now: datetime) -> list[Ask]:
    """One day. Followers gained and lost are only told apart by a breakdown, which the others do not have."""
    fields = {
        "period": "day",
        "metric_type": "total_value",
        "since": seconds(day),
        "until": seconds(min(end_of(day), now)),
    }
    groups = grouped(metric for metric in metrics if metric.group != "follows")
    follows = grouped(metric for metric in metrics if metric.group == "follows")
    return [
        *(Ask(account_id, names, fields) for names in groups),
        *(Ask(account_id, names, {**fields, "breakdown": "follow_type"}) for names in follows),
    ]


def _day(day: datetime, metrics: Iterable[NetworkMetric], told: Iterable[Told], *, is_whole: bool) -> DayFigures:
    entries = {name: entry for answer in told for name, entry in answer.entries.items()}
    values: dict[str, int | float] = {}
    sources: dict[str, str] = {}
    for metric in metrics:
        entry = entries.get(metric.name)
        if metric.group == "follows":
            results = results_of(entry)
            found = {ours: results.get(theirs) for theirs, ours in FOLLOW_TYPES.items()}
        else:
            found = {metric.measure: figure_of(metric, value_of(entry))}
        known = {measure: value for measure, value in found.items() if value is not None}
        values |= known
        sources |= dict.fromkeys(known, metric.name)
    raw = {name: entry.get("total_value") or entry.get("values") for name, entry in entries.items()}
    return DayFigures(day, values, sources, raw, is_whole)


def _post_figures(post_id: str, node: Mapping[str, Any], told: Told, metrics: Iterable[NetworkMetric]) -> PostFigures:
    raw = {name: value_of(entry) for name, entry in told.entries.items()}
    values, sources = by_measure(metrics, raw)
    for measure, name in (("likes", "like_count"), ("comments", "comments_count")):
        number = number_in(node, name)  # likes are missing where the owner hides them
        if number is not None:
            values[measure], sources[measure] = number, name
    return post_figures(post_id, values, sources, raw, [told])


def _remote_post(entry: Mapping[str, Any], figures: PostFigures | None) -> RemotePost | None:
    posted_at = instant_of(entry.get("timestamp"))
    if not posted_at or not entry.get("id"):
        return None
    kind = entry.get("media_type")
    product = str(entry.get("media_product_type") or "")
    own = str(entry.get("media_url") or "")
    children = [str(child["media_url"]) for child in entries_of(entry.get("children")) if child.get("media_url")]
    return RemotePost(
        str(entry["id"]),
        text=str(entry.get("caption") or ""),
        posted_at=posted_at,
        permalink=str(entry.get("permalink") or ""),
        media_type=str(product if kind == "VIDEO" else kind or ""),
        thumbnail_url=str(entry.get("thumbnail_url") or own),
        product=product,
        media_urls=tuple(children) or ((own,) if own else ()),
        figures=figures,
    )
