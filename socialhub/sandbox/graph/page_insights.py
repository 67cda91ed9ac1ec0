"""Insights of Pages, their posts and videos: which names live, which are dead, and in what shape they come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..figures import PostFigures, SpanFigures, alive, figures_of, followers_at, reported, settled, spans_between
from ..state import Page, Post, Video
from .call import Call, endpoint, resolver, timestamp
from .errors import GraphError, invalid
from .fields import Field
from .insights import (
    AT_FIRST,
    CLOSING_SECONDS,
    DAY,
    FEWEST_FOLLOWERS,
    SETTLES_DAYS,
    asked_metrics,
    days_before,
    midnights,
    neighbours,
    row,
    ways_of,
)

# Pages

ROLLING = frozenset({"day", "week", "days_28"})
DAILY = frozenset({"day"})
SPANS = {"day": 1, "week": 7, "days_28": 28}


@dataclass(frozen=True)
class PageMetric:
    value: Callable[[SpanFigures], Any]
    periods: frozenset[str] = ROLLING
    breakdowns: frozenset[str] = frozenset()


FROM = frozenset({"is_from_ads", "is_from_followers"})
REACTION_SHARES = {"like": 0.82, "love": 0.12, "wow": 0.03, "haha": 0.02, "sorry": 0.005, "anger": 0.005}


def page_reaction(name: str) -> PageMetric:
    return PageMetric(lambda span: int(span.likes * REACTION_SHARES[name]))


def page_video(share: float) -> PageMetric:
    return PageMetric(lambda span: int(span.views * share))


PAGE_METRICS: dict[str, PageMetric] = {
    "page_media_view": PageMetric(lambda span: span.views, breakdowns=FROM),
    "page_total_media_view_unique": PageMetric(lambda span: span.reach),
    "page_follows": PageMetric(lambda span: None, DAILY),  # a level, not a flow: read at the end of the day
    "page_daily_follows": PageMetric(lambda span: span.gained),
    "page_daily_follows_unique": PageMetric(lambda span: span.gained),
    "page_daily_unfollows_unique": PageMetric(lambda span: span.lost),
    "page_post_engagements": PageMetric(lambda span: span.likes + span.comments + span.shares + span.clicks),
    "page_views_total": PageMetric(lambda span: span.visits),
    "page_total_actions": PageMetric(lambda span: span.visits // 12),
    "page_actions_post_reactions_total": PageMetric(
        lambda span: {name: int(span.likes * share) for name, share in REACTION_SHARES.items()}
    ),
    "page_fan_adds_by_paid_non_paid_unique": PageMetric(
        lambda span: {"total": span.gained, "paid": 0, "unpaid": span.gained}, DAILY
    ),
    "page_lifetime_engaged_followers_unique": PageMetric(lambda span: span.engaged, DAILY),
    **{f"page_actions_post_reactions_{name}_total": page_reaction(name) for name in REACTION_SHARES},
    "page_video_views": page_video(0.14),
    "page_video_views_paid": page_video(0),
    "page_video_views_organic": page_video(0.14),
    "page_video_views_autoplayed": page_video(0.11),
    "page_video_views_click_to_play": page_video(0.03),
    "page_video_complete_views_30s": page_video(0.02),
    "page_video_complete_views_30s_paid": page_video(0),
    "page_video_complete_views_30s_organic": page_video(0.02),
    "page_video_repeat_views": page_video(0.01),
    "page_video_view_time": page_video(0.14 * 6_400),
}


def bad_metric() -> GraphError:
    return invalid("The value must be a valid insights metric")


def checked_names(call: Call, asked: str, known: dict[str, Any]) -> list[str]:
    """The names of a call without those that are withheld. One that does not live fails the whole call."""
    names = asked_metrics(asked)
    dead, withheld = ways_of(call, names)
    if dead or any(name not in known for name in names):
        raise bad_metric()
    return [name for name in names if name not in withheld]


@endpoint(Page, "GET", "insights")
def page_insights(call: Call, page: Page) -> Any:
    call.need_page(page, scopes=["read_insights", "pages_read_engagement"], tasks=["ANALYZE", "MANAGE"])
    names = checked_names(call, call.text("metric"), PAGE_METRICS)
    period = call.text("period") or "day"
    if period not in ("day", "week", "days_28", "month", "lifetime", "total_over_range"):
        raise invalid("Param period must be one of {day, week, days_28, month, lifetime, total_over_range}")
    breakdown = call.text("breakdown")
    for name in names:
        if breakdown and breakdown not in PAGE_METRICS[name].breakdowns:
            raise invalid(f"The metric {name} has no breakdown {breakdown}")
    since, until = page_window(call)
    if page.followers_count < FEWEST_FOLLOWERS or period not in SPANS:
        return {"data": []}
    # A day that is still going on has no figures yet, nor one that has only just closed.
    ends = [
        end
        for end in midnights(since, min(until, call.now - CLOSING_SECONDS))
        if days_before(end, SPANS[period]) >= page.created_at
    ]
    spans = page_spans(call, page, ends, SPANS[period])
    rows = [
        row(page.id, name, period, [value for end in ends for value in page_values(page, name, spans, end, breakdown)])
        for name in names
        if ends and period in PAGE_METRICS[name].periods  # it answers nothing for a period that the metric lacks
    ]
    return {"data": rows, "paging": neighbours(call, since, until)} if rows else {"data": []}


@resolver(Page, "insights")
def page_insights_field(call: Call, page: Page, field: Field) -> Any:
    return page_insights(call.inside(page.id, field), page)


def page_window(call: Call) -> tuple[float, float]:
    until = call.instant("until") or call.now
    since = call.instant("since")
    if preset := call.text("date_preset"):
        days = {"today": 0, "yesterday": 1, "last_7d": 7, "last_28d": 28, "last_30d": 30, "last_90d": 90}
        if preset not in days:
            raise invalid("Param date_preset is not supported by the sandbox")
        since = call.now - days[preset] * DAY
    if since is None:
        since = until - 2 * DAY
    if since > until:
        raise invalid("Param since must not be after until")
    if until - since > 90 * DAY + 1:
        raise invalid("There cannot be more than 90 days (7776000 s) between since and until")
    return since, until


def page_spans(call: Call, page: Page, ends: list[float], days: int) -> dict[float, SpanFigures]:
    """What the network tells by now of the spans that end so."""
    if not ends:
        return {}
    begins = [days_before(end, days) for end in ends]
    posts = alive(call.state, page, begins[0], ends[-1])
    if days == 1:
        spans = spans_between(page, posts, [begins[0], *ends])
    else:
        spans = [spans_between(page, posts, [begin, end])[0] for begin, end in zip(begins, ends, strict=True)]
    return {
        end: reported(page, span, settled(call.now - end, from_share=AT_FIRST, days=SETTLES_DAYS))
        for end, span in zip(ends, spans, strict=True)
    }


def page_values(
    page: Page, name: str, spans: dict[float, SpanFigures], end: float, breakdown: str
) -> list[dict[str, Any]]:
    value = followers_at(page, end) if name == "page_follows" else PAGE_METRICS[name].value(spans[end])
    end_time = timestamp(end)
    if not breakdown:
        return [{"value": value, "end_time": end_time}]
    share = 0 if breakdown == "is_from_ads" else int(value * 0.43)
    return [
        {"value": share, "end_time": end_time, breakdown: "1"},
        {"value": value - share, "end_time": end_time, breakdown: "0"},
    ]


# Posts

PostValue = Callable[[PostFigures], Any]


def all_reactions(figures: PostFigures) -> dict[str, int]:
    found = {"like": figures.likes, "love": figures.loves}
    return {name: count for name, count in found.items() if count}


def acts(figures: PostFigures) -> dict[str, int]:
    return {"like": figures.likes + figures.loves, "comment": figures.comments, "share": figures.shares}


POST_METRICS: dict[str, PostValue] = {
    "post_media_view": lambda figures: figures.views,
    "post_total_media_view_unique": lambda figures: figures.reach,
    "post_clicks": lambda figures: figures.clicks,
    "post_clicks_by_type": lambda figures: {"other clicks": figures.clicks // 3, "photo view": figures.clicks * 2 // 3},
    "post_reactions_by_type_total": all_reactions,
    "post_reactions_like_total": lambda figures: figures.likes,
    "post_reactions_love_total": lambda figures: figures.loves,
    **{f"post_reactions_{name}_total": lambda figures: 0 for name in ("wow", "haha", "sorry", "anger")},
    "post_activity_by_action_type": acts,
    "post_activity_by_action_type_unique": acts,
}
WATCHED = 6_400  # ms, by each who looks
VideoValue = Callable[[PostFigures, Video], Any]


def retention(figures: PostFigures, video: Video) -> dict[str, float]:
    return {str(number): round(0.93**number, 4) for number in range(41)}


# Alive, and empty for posts without a video.
VIDEO_POST_METRICS: dict[str, VideoValue] = {
    "post_video_views": lambda figures, video: int(figures.views * 0.7),
    "post_video_views_organic": lambda figures, video: int(figures.views * 0.7),
    "post_video_views_paid": lambda figures, video: 0,
    "post_video_views_autoplayed": lambda figures, video: int(figures.views * 0.5),
    "post_video_views_clicked_to_play": lambda figures, video: int(figures.views * 0.2),
    "post_video_views_15s": lambda figures, video: int(figures.views * 0.2),
    "post_video_views_60s_excludes_shorter": lambda figures, video: int(figures.views * 0.04),
    "post_video_views_sound_on": lambda figures, video: int(figures.views * 0.3),
    "post_video_avg_time_watched": lambda figures, video: watched(video),
    "post_video_view_time": lambda figures, video: int(figures.views * 0.7) * watched(video),
    "post_video_length": lambda figures, video: int(video.seconds * 1000),
    "post_video_retention_graph": retention,
}


def watched(video: Video) -> int:
    """How long on average, in ms."""
    return min(WATCHED, int(video.seconds * 700) or WATCHED)


@endpoint(Post, "GET", "insights")
def post_insights(call: Call, post: Post) -> Any:
    page = call.state.pages[post.page_id]
    call.need_page(page, scopes=["read_insights", "pages_read_engagement"], tasks=["ANALYZE", "MANAGE"])
    names = checked_names(call, call.text("metric"), {**POST_METRICS, **VIDEO_POST_METRICS})
    breakdown = call.text("breakdown")
    if breakdown and (breakdown not in FROM or set(names) != {"post_media_view"}):
        raise invalid(f"These metrics have no breakdown {breakdown}")
    if call.text("period") not in ("", "lifetime"):
        return {"data": []}
    figures = figures_of(call.state, post, call.now)
    video = call.state.videos.get(post.video_id)
    rows = []
    for name in names:
        if name in POST_METRICS:
            rows.append(row(post.id, name, "lifetime", post_values(POST_METRICS[name](figures), breakdown)))
        elif video is not None:
            rows.append(row(post.id, name, "lifetime", [{"value": VIDEO_POST_METRICS[name](figures, video)}]))
    return {"data": rows, "paging": neighbours(call, post.created_at, call.now)} if rows else {"data": []}


@resolver(Post, "insights")
def post_insights_field(call: Call, post: Post, field: Field) -> Any:
    return post_insights(call.inside(post.id, field), post)


def post_values(value: Any, breakdown: str) -> list[dict[str, Any]]:
    if not breakdown:
        return [{"value": value}]
    share = 0 if breakdown == "is_from_ads" else int(value * 0.38)
    return [{"value": share, breakdown: "1"}, {"value": value - share, breakdown: "0"}]


# Videos

VIDEO_METRICS: dict[str, VideoValue] = {
    "total_video_views": lambda figures, video: int(figures.views * 0.7),
    "total_video_15s_views": lambda figures, video: int(figures.views * 0.2),
    "total_video_complete_views": lambda figures, video: int(figures.views * 0.12),
    "total_video_avg_time_watched": lambda figures, video: watched(video),
    "total_video_view_total_time": lambda figures, video: int(figures.views * 0.7) * watched(video),
    "total_video_reactions_by_type_total": lambda figures, video: all_reactions(figures),
    "post_video_avg_time_watched": lambda figures, video: watched(video),
    "post_video_view_time": lambda figures, video: int(figures.views * 0.7) * watched(video),
    "post_video_followers": lambda figures, video: figures.follows,
    "post_video_social_actions": lambda figures, video: {"COMMENT": figures.comments, "SHARE": figures.shares},
    "post_video_likes_by_reaction_type": lambda figures, video: {
        f"REACTION_{name.upper()}": count for name, count in all_reactions(figures).items()
    },
}
REEL_METRICS: dict[str, VideoValue] = {
    "blue_reels_play_count": lambda figures, video: figures.views,
    "fb_reels_total_plays": lambda figures, video: int(figures.views * 1.2),
    "fb_reels_replay_count": lambda figures, video: int(figures.views * 0.2),
}


@endpoint(Video, "GET", "video_insights")
def video_insights(call: Call, video: Video) -> Any:
    """Without names: all that the video has."""
    page = call.state.pages[video.page_id]
    call.need_page(page, scopes=["read_insights", "pages_read_engagement"], tasks=["ANALYZE", "MANAGE"])
    known = {**VIDEO_METRICS, **REEL_METRICS}
    names = checked_names(call, call.text("metric") or ",".join(known), known)
    post = next((call.state.posts[one] for one in video.posts if one in call.state.posts), None)
    if post is None or call.text("period") not in ("", "lifetime"):
        return {"data": []}
    figures = figures_of(call.state, post, call.now)
    told = known if video.edge == "video_reels" else VIDEO_METRICS
    rows = [row(video.id, name, "lifetime", [{"value": told[name](figures, video)}]) for name in names if name in told]
    return {"data": [{**one, "id": one["id"].replace("/insights/", "/video_insights/")} for one in rows]}


@resolver(Video, "video_insights")
def video_insights_field(call: Call, video: Video, field: Field) -> Any:
    return video_insights(call.inside(video.id, field), video)
