"""Figures of a Page, its posts and its videos.

The days of a Page come with the Page itself in one call, up to 90 at once; those of posts come with the list of posts.
Source: Graph API v26.0, Page, Post and Video insights, read September to October 2026.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from socialhub.platforms.base import (
    Access,
    AccountReading,
    DayFigures,
    PostFigures,
    PostType,
    Profile,
    RemotePost,
)
from socialhub.platforms.errors import NotFoundError, PermissionMissingError
from socialhub.platforms.facebook_reading import attachments_of
from socialhub.platforms.meta import Meta, instant_of, number_in, picture_of
from socialhub.platforms.meta_insights import (
    Ask,
    Insights,
    Told,
    asked,
    by_measure,
    day_ending,
    days_by_date,
    dead_in,
    end_of,
    errors_in,
    grouped,
    post_figures,
    seconds,
    trouble_of,
    unless_all_failed,
    value_of,
    values_of,
)
from socialhub.platforms.metrics.facebook import METRICS
from socialhub.platforms.metrics.types import NetworkMetric, Subject

PAGE_FIELDS = "id,name,username,picture{url},followers_count,fan_count"
COUNTS = "shares,comments.limit(0).summary(true),reactions.limit(0).summary(true)"
COUNTS_ALLOWED = "shares"  # without pages_read_user_content
POST_FIELDS = "id,permalink_url,attachments{media_type,target}"
LIST_FIELDS = (
    "id,message,created_time,permalink_url,status_type,full_picture,attachments{media_type,media,target,subattachments}"
)
SPAN = timedelta(days=89)  # Meta allows 90 days between since and until, and we read some hours further
FURTHER = timedelta(hours=6)  # so that the value of the last day is surely in it
PAGE_LIMIT = 50


class Figures:
    """What a Page, its posts and videos have come to."""

    def __init__(self, meta: Meta) -> None:
        self.meta = meta
        self.insights = Insights(meta)

    # The Page

    def profile(self, access: Access) -> Profile:
        answer = self.meta.get(access.account_id, access.token, {"fields": PAGE_FIELDS}, account_id=access.account_id)
        return _profile(answer)

    def account(self, access: Access, days: Sequence[datetime], skip: Collection[str]) -> AccountReading:
        now = datetime.now(UTC)
        metrics = asked(METRICS, Subject.ACCOUNT, now)
        over = [day for day in sorted(days) if end_of(day) <= now]
        spans = _spans(over)
        asks = [_asks(access.account_id, metrics, span, now) for span in spans]
        node, told = self.insights.with_node(access, PAGE_FIELDS, asks[0] if asks else [], skip=skip)
        for further in asks[1:]:
            left_out = {*skip, *dead_in(told)}
            told += self.insights.with_node(access, "id", further, skip=left_out)[1]
        profile = _profile(node)
        totals = {"followers": profile.followers_count, "page_likes": profile.likes_count}
        return AccountReading(
            profile,
            totals={name: value for name, value in totals.items() if value is not None},
            days=_days(told, metrics, days_by_date(over)),
            refused=dead_in(told),
            troubles=errors_in(told),
        )

    # Posts

    def posts(self, access: Access, posts: Mapping[str, str], skip: Collection[str]) -> list[PostFigures]:
        now = datetime.now(UTC)
        whole_posts = [post_id for post_id in posts if not is_bare(post_id)]
        names = tuple(metric.name for metric in asked(METRICS, Subject.POST, now))
        found, failed = self._read(access, POST_FIELDS, [Ask(post_id, names) for post_id in whole_posts], skip)
        videos = {
            post_id: (video, product)
            for post_id, (node, _told) in found.items()
            for video, product in [_video_of(node)]
            if video
        }
        bare = [post_id for post_id in posts if is_bare(post_id)]
        of_videos = self._videos(access, videos, skip, now)
        figures = {
            post_id: _post_figures(post_id, node, told, of_videos.get(post_id), now)
            for post_id, (node, told) in found.items()
        }
        figures |= failed | self._bare(access, bare, skip, now)
        return unless_all_failed([figures[post_id] for post_id in posts if post_id in figures])

    def _read(
        self, access: Access, fields: str, asks: Sequence[Ask], skip: Collection[str]
    ) -> tuple[dict[str, tuple[dict[str, Any], Told]], dict[str, PostFigures]]:
        """The posts that are still there, with their insights, and those that could not be read."""
        found, failed = {}, {}
        told = self.insights.with_nodes(
            access, f"{fields},{COUNTS}", asks, less=f"{fields},{COUNTS_ALLOWED}", skip=skip
        )
        for ask, (node, answer) in zip(asks, told, strict=True):
            if isinstance(node, NotFoundError):
                continue
            if error := trouble_of(node, answer):
                failed[ask.path] = PostFigures(ask.path, trouble=error)
            elif isinstance(node, dict):
                found[ask.path] = (node, answer)
        return found, failed

    def _videos(
        self, access: Access, videos: Mapping[str, tuple[str, str]], skip: Collection[str], now: datetime
    ) -> dict[str, tuple[Told, list[NetworkMetric]]]:
        """The figures of the videos that posts show. What cannot be read of them is left out: the post has its own."""
        of_product = {
            product: asked(METRICS, Subject.VIDEO, now, product=product) for _video, product in videos.values()
        }
        told = self.insights.read(
            access,
            [_of_video(video, of_product[product]) for video, product in videos.values()],
            skip=skip,
        )
        return {
            post_id: (answer, of_product[product])
            for (post_id, (_video, product)), answer in zip(videos.items(), told, strict=True)
        }

    def _bare(self, access: Access, ids: Sequence[str], skip: Collection[str], now: datetime) -> dict[str, PostFigures]:
        """Videos that never named their post, and stories, which have no figures at all."""
        metrics = asked(METRICS, Subject.VIDEO, now, product="VIDEO")
        found = {}
        answers = self.insights.with_nodes(access, "id", [_of_video(post_id, metrics) for post_id in ids], skip=skip)
        for post_id, (node, told) in zip(ids, answers, strict=True):
            if isinstance(node, NotFoundError):
                continue
            if error := trouble_of(node, told):
                found[post_id] = PostFigures(post_id, trouble=error)
            elif told.entries:  # what is refused says nothing: nobody knows what kind of video this is
                found[post_id] = _post_figures(post_id, None, Told(), (replace(told, dead=()), metrics), now)
            else:
                found[post_id] = PostFigures(post_id, withheld=_("Facebook has no figures for posts of this kind."))
        return found

    def recent(
        self, access: Access, since: datetime, limit: int, figures: bool, skip: Collection[str]
    ) -> list[RemotePost]:
        now = datetime.now(UTC)
        metrics = asked(METRICS, Subject.POST, now) if figures else []
        listed = self.insights.listed(
            access,
            lambda expansion: self._list(access, since, limit, expansion, figures),
            [metric.name for metric in metrics],
            skip=skip,
        )
        posts = []
        for entry in listed.entries:
            told = listed.told(entry) if figures else None
            of_post = _post_figures(str(entry.get("id")), entry, told, None, now) if told else None
            post = _remote_post(entry, of_post)
            if post and post.posted_at >= since:
                posts.append(post)
        return sorted(posts, key=lambda post: post.posted_at, reverse=True)[:limit]

    def _list(self, access: Access, since: datetime, limit: int, expansion: str, figures: bool) -> list[dict[str, Any]]:
        if not figures:
            return self._page_list(access, since, limit, LIST_FIELDS)
        fields = ",".join(filter(None, (LIST_FIELDS, COUNTS, expansion)))
        try:
            return self._page_list(access, since, limit, fields)
        except PermissionMissingError:
            fields = ",".join(filter(None, (LIST_FIELDS, COUNTS_ALLOWED, expansion)))
            return self._page_list(access, since, limit, fields)

    def _page_list(self, access: Access, since: datetime, limit: int, fields: str) -> list[dict[str, Any]]:
        size = min(limit, PAGE_LIMIT)
        return list(
            self.meta.paged(
                f"{access.account_id}/published_posts",
                access.token,
                {"fields": fields, "since": seconds(since), "limit": str(size)},
                page_limit=-(-limit // size),
                account_id=access.account_id,
            )
        )


def is_bare(post_id: str) -> bool:
    """A story, or a video that never named its post. They have none of the figures that posts have."""
    return "_" not in post_id


def _profile(node: Mapping[str, Any]) -> Profile:
    return Profile(
        name=str(node.get("name") or ""),
        username=str(node.get("username") or ""),
        picture_url=picture_of(node),
        followers_count=number_in(node, "followers_count"),
        likes_count=number_in(node, "fan_count"),
    )


def _spans(days: Sequence[datetime]) -> list[list[datetime]]:
    """The days in runs that one call may cover."""
    spans: list[list[datetime]] = []
    for day in days:
        if spans and end_of(day) - spans[-1][0] <= SPAN:
            spans[-1].append(day)
        else:
            spans.append([day])
    return spans


def _asks(page_id: str, metrics: Iterable[NetworkMetric], span: Sequence[datetime], now: datetime) -> list[Ask]:
    fields = {
        "period": "day",
        "since": seconds(span[0]),
        "until": seconds(min(end_of(span[-1]) + FURTHER, now)),
    }
    return [Ask(page_id, names, fields) for names in grouped(metrics)]


def _days(
    told: Iterable[Told], metrics: Iterable[NetworkMetric], days: Mapping[date, datetime]
) -> tuple[DayFigures, ...]:
    raw: dict[date, dict[str, Any]] = {}
    for answer in told:
        for name, entry in answer.entries.items():
            for value in values_of(entry):
                day = day_ending(value.get("end_time"))
                if day and day in days and value.get("value") is not None:
                    raw.setdefault(day, {})[name] = value["value"]
    found = []
    for day in sorted(raw):
        values, sources = by_measure(metrics, raw[day])
        if values:
            found.append(DayFigures(days[day], values, sources, raw[day]))
    return tuple(found)


def _of_video(video: str, metrics: Sequence[NetworkMetric]) -> Ask:
    return Ask(video, tuple(metric.name for metric in metrics), edge="video_insights")


def _video_of(node: Mapping[str, Any]) -> tuple[str, str]:
    """The video that the post shows, and what it is: "VIDEO" or "REEL"."""
    for found in attachments_of(node):
        target = found.get("target")
        if found.get("media_type") == "video" and isinstance(target, dict) and target.get("id"):
            return str(target["id"]), _product_of(node, ["video"])
    return "", ""


def _product_of(node: Mapping[str, Any], kinds: Collection[str]) -> str:
    if "video" not in kinds:
        return "FEED"
    return "REEL" if "/reel/" in str(node.get("permalink_url") or "") else "VIDEO"


def _summary_count(node: Mapping[str, Any], edge: str) -> int | None:
    part = node.get(edge)
    summary = part.get("summary") if isinstance(part, dict) else None
    return number_in(summary, "total_count") if isinstance(summary, dict) else None


def _post_figures(
    post_id: str,
    node: Mapping[str, Any] | None,
    told: Told,
    video: tuple[Told, list[NetworkMetric]] | None,
    now: datetime,
) -> PostFigures:
    raw = {name: value_of(entry) for name, entry in told.entries.items()}
    values, sources = by_measure(asked(METRICS, Subject.POST, now), raw)
    if node is not None:
        shares = node.get("shares")
        counts = {
            "shares": ("shares", number_in(shares, "count") if isinstance(shares, dict) else 0),  # left out for none
            "comments": ("comments.summary", _summary_count(node, "comments")),
            "likes": ("reactions.summary", _summary_count(node, "reactions")),
        }
        for measure, (name, number) in counts.items():
            if number is not None:
                values[measure], sources[measure] = number, name
    if not video:
        return post_figures(post_id, values, sources, raw, [told])
    of_video, metrics = video
    raw_video = {name: value_of(entry) for name, entry in of_video.entries.items()}
    more, more_sources = by_measure(metrics, raw_video)
    return post_figures(
        post_id, {**more, **values}, {**more_sources, **sources}, {**raw, **raw_video}, [told, of_video]
    )


def _remote_post(entry: Mapping[str, Any], figures: PostFigures | None) -> RemotePost | None:
    posted_at = instant_of(entry.get("created_time"))
    if not posted_at or not entry.get("id"):
        return None
    attached = attachments_of(entry)
    kinds = [str(found["media_type"]) for found in attached if found.get("media_type")]
    pictures = [source for found in attached if (source := _source_of(found))]
    return RemotePost(
        str(entry["id"]),
        text=str(entry.get("message") or ""),
        posted_at=posted_at,
        permalink=str(entry.get("permalink_url") or ""),
        media_type=kinds[0] if kinds else PostType.TEXT,
        thumbnail_url=str(entry.get("full_picture") or ""),
        product=_product_of(entry, kinds),
        media_urls=tuple(dict.fromkeys(pictures)),
        figures=figures,
    )


def _source_of(attachment: Mapping[str, Any]) -> str:
    media = attachment.get("media")
    image = media.get("image") if isinstance(media, dict) else None
    return str(image.get("src") or "") if isinstance(image, dict) else ""
