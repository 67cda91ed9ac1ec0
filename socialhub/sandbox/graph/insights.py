"""Insights of Pages, posts, Instagram accounts and media: which names live, which are dead, and in what shape they come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ..figures import PostFigures, SpanFigures, figures_of, followers_at, span_figures
from ..state import Instagram, Media, Page, Post
from ..world import generator
from .call import Call, endpoint, resolver, timestamp
from .errors import GraphError, invalid
from .fields import Field

PACIFIC = ZoneInfo("America/Los_Angeles")
DAY = 86_400.0
FEWEST_FOLLOWERS = 100

# --- Pages ----------------------------------------------------------------------------------------------------

ROLLING = frozenset({"day", "week", "days_28"})
DAILY = frozenset({"day"})
SPANS = {"day": 1, "week": 7, "days_28": 28}


@dataclass(frozen=True)
class PageMetric:
    value: Callable[[SpanFigures], Any]
    periods: frozenset[str] = ROLLING
    breakdowns: frozenset[str] = frozenset()


FROM = frozenset({"is_from_ads", "is_from_followers"})
REACTION_NAMES = ("like", "love", "wow", "haha", "sorry", "anger")


def reaction_share(name: str, total: int) -> int:
    return int(total * {"like": 0.82, "love": 0.12, "wow": 0.03, "haha": 0.02, "sorry": 0.005, "anger": 0.005}[name])


def page_reaction(name: str) -> PageMetric:
    return PageMetric(lambda span: reaction_share(name, span.likes))


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
        lambda span: {name: reaction_share(name, span.likes) for name in REACTION_NAMES}
    ),
    "page_fan_adds_by_paid_non_paid_unique": PageMetric(
        lambda span: {"total": span.gained, "paid": 0, "unpaid": span.gained}, DAILY
    ),
    "page_lifetime_engaged_followers_unique": PageMetric(lambda span: span.interactions, DAILY),
    **{f"page_actions_post_reactions_{name}_total": page_reaction(name) for name in REACTION_NAMES},
    **{
        name: PageMetric(lambda span: 0)
        for name in (
            "page_video_views",
            "page_video_views_paid",
            "page_video_views_organic",
            "page_video_views_autoplayed",
            "page_video_views_click_to_play",
            "page_video_complete_views_30s",
            "page_video_complete_views_30s_paid",
            "page_video_complete_views_30s_organic",
            "page_video_repeat_views",
            "page_video_view_time",
        )
    },
}


def bad_metric() -> GraphError:
    return invalid("The value must be a valid insights metric")


def asked_metrics(text: str) -> list[str]:
    names = [name.strip() for name in text.replace("[", "").replace("]", "").replace('"', "").split(",")]
    names = [name for name in names if name]
    if not names:
        raise GraphError(3001, "(#3001) An insights call needs at least one metric", subcode=1504028)
    return names


@endpoint(Page, "GET", "insights")
def page_insights(call: Call, page: Page) -> Any:
    call.need_page(page, scopes=["read_insights", "pages_read_engagement"], tasks=["ANALYZE", "MANAGE"])
    names = asked_metrics(call.text("metric"))
    if any(name not in PAGE_METRICS for name in names):
        raise bad_metric()
    period = call.text("period") or "day"
    if period not in ("day", "week", "days_28", "month", "lifetime", "total_over_range"):
        raise invalid("Param period must be one of {day, week, days_28, month, lifetime, total_over_range}")
    breakdown = call.text("breakdown")
    for name in names:
        if breakdown and breakdown not in PAGE_METRICS[name].breakdowns:
            raise invalid(f"The metric {name} has no breakdown {breakdown}")
    since, until = page_window(call)
    if page.followers_count < FEWEST_FOLLOWERS:
        return {"data": []}
    ends = day_ends(since, min(until, call.now))
    rows = []
    for name in names:
        if period not in PAGE_METRICS[name].periods:
            continue  # the network answers nothing for a period that the metric does not have
        values = [
            value for end in ends for value in page_values(call, page, name, end - SPANS[period] * DAY, end, breakdown)
        ]
        if values:
            rows.append(row(page.id, name, period, values))
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


def day_ends(since: float, until: float) -> list[float]:
    """The ends of Pacific days after `since`, up to `until`. A day that is still going on has no figures yet."""
    day = datetime.fromtimestamp(since, UTC).astimezone(PACIFIC).date()
    ends: list[float] = []
    while True:
        day += timedelta(days=1)
        end = datetime.combine(day, time(), PACIFIC).timestamp()
        if end > until:
            return ends
        if end > since:
            ends.append(end)


def page_values(call: Call, page: Page, name: str, since: float, until: float, breakdown: str) -> list[dict[str, Any]]:
    if name == "page_follows":
        value = followers_at(page, until)
    else:
        value = PAGE_METRICS[name].value(span_figures(call.state, page, since, until))
    end_time = timestamp(until)
    if not breakdown:
        return [{"value": value, "end_time": end_time}]
    share = 0 if breakdown == "is_from_ads" else int(value * 0.43)
    return [
        {"value": share, "end_time": end_time, breakdown: "1"},
        {"value": value - share, "end_time": end_time, breakdown: "0"},
    ]


def row(owner_id: str, name: str, period: str, values: list[dict[str, Any]]) -> dict[str, Any]:
    title = name.replace("_", " ").capitalize()
    return {
        "name": name,
        "period": period,
        "values": values,
        "title": title,
        "description": f"{title} of this object.",
        "id": f"{owner_id}/insights/{name}/{period}",
    }


def neighbours(call: Call, since: float, until: float) -> dict[str, str]:
    address = f"{call.base_url}/graph/{call.version}/{'/'.join(call.path)}"
    metric = f"metric={call.text('metric')}&period={call.text('period')}"
    span = until - since
    return {
        "previous": f"{address}?{metric}&since={int(since - span)}&until={int(since)}",
        "next": f"{address}?{metric}&since={int(until)}&until={int(until + span)}",
    }


# --- Posts of a Page ------------------------------------------------------------------------------------------

PostValue = Callable[[PostFigures], Any]


def all_reactions(figures: PostFigures) -> dict[str, int]:
    found = {"like": figures.likes, "love": figures.loves}
    return {name: count for name, count in found.items() if count}


POST_METRICS: dict[str, PostValue] = {
    "post_media_view": lambda figures: figures.views,
    "post_total_media_view_unique": lambda figures: figures.reach,
    "post_clicks": lambda figures: figures.clicks,
    "post_clicks_by_type": lambda figures: {"other clicks": figures.clicks // 3, "photo view": figures.clicks * 2 // 3},
    "post_reactions_by_type_total": all_reactions,
    "post_reactions_like_total": lambda figures: figures.likes,
    "post_reactions_love_total": lambda figures: figures.loves,
    **{f"post_reactions_{name}_total": lambda figures: 0 for name in ("wow", "haha", "sorry", "anger")},
    "post_activity_by_action_type": lambda figures: {
        "like": figures.likes + figures.loves,
        "comment": figures.comments,
        "share": figures.shares,
    },
    "post_activity_by_action_type_unique": lambda figures: {
        "like": figures.likes + figures.loves,
        "comment": figures.comments,
        "share": figures.shares,
    },
}
# Alive, and empty for posts without a video.
VIDEO_METRICS = {
    f"post_video_{name}"
    for name in (
        "views",
        "views_organic",
        "views_paid",
        "views_autoplayed",
        "views_clicked_to_play",
        "views_15s",
        "views_60s_excludes_shorter",
        "views_sound_on",
        "avg_time_watched",
        "view_time",
        "length",
        "retention_graph",
    )
}


@endpoint(Post, "GET", "insights")
def post_insights(call: Call, post: Post) -> Any:
    return post_rows(call, post, call.text("metric"), call.text("period"))


@resolver(Post, "insights")
def post_insights_field(call: Call, post: Post, field: Field) -> Any:
    return post_insights(call.inside(post.id, field), post)


def post_rows(call: Call, post: Post, metric: str, period: str) -> Any:
    page = call.state.pages[post.page_id]
    call.need_page(page, scopes=["read_insights", "pages_read_engagement"], tasks=["ANALYZE", "MANAGE"])
    names = asked_metrics(metric)
    if any(name not in POST_METRICS and name not in VIDEO_METRICS for name in names):
        raise bad_metric()
    if period not in ("", "lifetime"):
        return {"data": []}
    figures = figures_of(call.state, post, call.now)
    rows = [
        row(post.id, name, "lifetime", [{"value": POST_METRICS[name](figures)}])
        for name in names
        if name in POST_METRICS
    ]
    return {"data": rows, "paging": neighbours(call, post.created_at, call.now)} if rows else {"data": []}


# --- Instagram accounts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AccountMetric:
    value: Callable[[SpanFigures], int]
    breakdowns: frozenset[str] = frozenset()
    period: str = "day"
    series: bool = False  # can come as time_series
    total: bool = True  # can come as total_value
    few_are_hidden: bool = False  # nothing below 100 followers


PRODUCT = frozenset({"media_product_type"})
FOLLOW = frozenset({"follow_type"})
DEMOGRAPHY = frozenset({"age", "city", "country", "gender"})
DEMOGRAPHICS = {"follower_demographics", "engaged_audience_demographics"}

ACCOUNT_METRICS: dict[str, AccountMetric] = {
    "reach": AccountMetric(lambda span: span.reach, PRODUCT | FOLLOW, series=True),
    "views": AccountMetric(lambda span: span.views, PRODUCT | FOLLOW),
    "accounts_engaged": AccountMetric(lambda span: int(span.interactions * 0.8)),
    "total_interactions": AccountMetric(lambda span: span.interactions, PRODUCT),
    "likes": AccountMetric(lambda span: span.likes, PRODUCT),
    "comments": AccountMetric(lambda span: span.comments, PRODUCT),
    "saves": AccountMetric(lambda span: span.saves, PRODUCT),
    "shares": AccountMetric(lambda span: span.shares, PRODUCT),
    "replies": AccountMetric(lambda span: 0),
    "reposts": AccountMetric(lambda span: span.shares // 4),
    "follows_and_unfollows": AccountMetric(lambda span: span.gained + span.lost, FOLLOW, few_are_hidden=True),
    "profile_links_taps": AccountMetric(lambda span: span.visits // 25, frozenset({"contact_button_type"})),
    "profile_views": AccountMetric(lambda span: span.visits),
    "website_clicks": AccountMetric(lambda span: span.visits // 14),
    "follower_count": AccountMetric(lambda span: span.gained, series=True, total=False, few_are_hidden=True),
    "online_followers": AccountMetric(lambda span: 0, period="lifetime", few_are_hidden=True),
    "follower_demographics": AccountMetric(lambda span: 0, DEMOGRAPHY, period="lifetime", few_are_hidden=True),
    "engaged_audience_demographics": AccountMetric(lambda span: 0, DEMOGRAPHY, period="lifetime", few_are_hidden=True),
}
BREAKDOWNS = {"age", "city", "contact_button_type", "country", "follow_type", "gender", "media_product_type"}


@endpoint(Instagram, "GET", "insights")
def account_insights(call: Call, account: Instagram) -> Any:
    call.need_instagram(
        account, "instagram_manage_insights", "pages_read_engagement", tasks=["ANALYZE", "CREATE_CONTENT", "MANAGE"]
    )
    names = asked_metrics(call.text("metric"))
    for position, name in enumerate(names):
        if name not in ACCOUNT_METRICS:
            raise invalid(f"metric[{position}] must be one of the following values: {', '.join(ACCOUNT_METRICS)}")
    metric_type, breakdown = checked_form(call, names)
    since, until = account_window(call)
    rows = []
    for name in names:
        if ACCOUNT_METRICS[name].few_are_hidden and account.followers_count < FEWEST_FOLLOWERS:
            continue
        rows += account_rows(call, account, name, metric_type, breakdown, since, until)
    return {"data": rows, "paging": neighbours(call, since, until)} if rows else {"data": []}


@resolver(Instagram, "insights")
def account_insights_field(call: Call, account: Instagram, field: Field) -> Any:
    return account_insights(call.inside(account.id, field), account)


def checked_form(call: Call, names: list[str]) -> tuple[str, str]:
    """Period, metric type, breakdown and timeframe must fit every metric: one wrong pair fails the whole call."""
    period, breakdown = call.text("period"), call.text("breakdown")
    if not period:
        raise invalid("The parameter period is required")
    metric_type = call.text("metric_type") or "default"
    if metric_type not in ("default", "time_series", "total_value"):
        raise invalid("Param metric_type must be one of {default, time_series, total_value}")
    if breakdown and breakdown not in BREAKDOWNS:
        raise invalid(f"Param breakdown must be one of {{{', '.join(sorted(BREAKDOWNS))}}}")
    for name in names:
        check_metric(call, name, period, metric_type, breakdown)
    return metric_type, breakdown


def check_metric(call: Call, name: str, period: str, metric_type: str, breakdown: str) -> None:
    metric = ACCOUNT_METRICS[name]
    if period != metric.period:
        raise invalid(f"The metric {name} needs period={metric.period}")
    if breakdown and breakdown not in metric.breakdowns:
        raise invalid(f"The metric {name} does not support the breakdown {breakdown}")
    if name in DEMOGRAPHICS:
        if call.text("timeframe") not in ("this_month", "this_week"):
            raise invalid("Param timeframe must be one of {this_month, this_week} for demographics")
        if not breakdown:
            raise invalid(f"The metric {name} needs a breakdown: age, city, country or gender")
    elif name != "online_followers" and not metric.series and metric_type != "total_value":
        raise invalid(f"The following metrics ({name}) should be specified with parameter metric_type=total_value")
    if not metric.total and metric_type == "total_value":
        raise invalid(f"The metric {name} is a time series and has no total_value")


def account_window(call: Call) -> tuple[float, float]:
    until = call.instant("until") or call.now
    since = call.instant("since")
    if since is None:
        since = until - DAY
    if since > until:
        raise invalid("Param since must not be after until")
    if until - since > 30 * DAY + 1:
        raise invalid("There cannot be more than 30 days (2592000 s) between since and until")
    return since, min(until, call.now)


def account_rows(
    call: Call, account: Instagram, name: str, metric_type: str, breakdown: str, since: float, until: float
) -> list[dict[str, Any]]:
    metric = ACCOUNT_METRICS[name]
    if name == "online_followers":
        return []
    if name in DEMOGRAPHICS:
        return [demographics(account, name, breakdown)]
    if metric.series and metric_type != "total_value":
        values = [
            {"value": metric.value(span_figures(call.state, account, end - DAY, end)), "end_time": timestamp(end)}
            for end in day_ends(since, until)
        ]
        return [row(account.id, name, "day", values)] if values else []
    span = span_figures(call.state, account, since, until)
    total: dict[str, Any] = {"value": metric.value(span)}
    if breakdown:
        total["breakdowns"] = [{"dimension_keys": [breakdown], "results": results(metric, name, breakdown, span)}]
    answer = row(account.id, name, "day", [])
    del answer["values"]
    return [{**answer, "total_value": total}]


def results(metric: AccountMetric, name: str, breakdown: str, span: SpanFigures) -> list[dict[str, Any]]:
    value = metric.value(span)
    if name == "follows_and_unfollows":
        parts = {"FOLLOWER": span.gained, "NON_FOLLOWER": span.lost}
    elif breakdown == "follow_type":
        parts = {"FOLLOWER": value * 3 // 5, "NON_FOLLOWER": value - value * 3 // 5}
    elif breakdown == "contact_button_type":
        parts = {"CALL": value // 3, "DIRECTION": value // 4, "EMAIL": value - value // 3 - value // 4}
    else:
        parts = {"POST": value * 2 // 3, "CAROUSEL_CONTAINER": value - value * 2 // 3}
    return [{"dimension_values": [key], "value": part} for key, part in parts.items() if part]


DEMOGRAPHIC_PARTS = {
    "age": ["13-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+"],
    "gender": ["F", "M", "U"],
    "country": ["US", "DE", "GB", "CA", "FR", "AT", "CH", "AU"],
    "city": ["Detroit, Michigan", "Berlin, Berlin", "London, England", "Toronto, Ontario", "Vienna, Vienna"],
}


def demographics(account: Instagram, name: str, breakdown: str) -> dict[str, Any]:
    keys = DEMOGRAPHIC_PARTS[breakdown]
    numbers = generator("demographics", account.id, name, breakdown)
    weights = [numbers.uniform(0.2, 1) for _ in keys]
    people = account.followers_count if name == "follower_demographics" else account.followers_count // 9
    answer = row(account.id, name, "lifetime", [])
    del answer["values"]
    parts = [
        {"dimension_values": [key], "value": int(people * weight / sum(weights))}
        for key, weight in zip(keys, weights, strict=True)
    ]
    answer["total_value"] = {"breakdowns": [{"dimension_keys": [breakdown], "results": parts}]}
    return answer


# --- Instagram media ------------------------------------------------------------------------------------------

MEDIA_METRICS: dict[str, Callable[[PostFigures], int]] = {
    "views": lambda figures: figures.views,
    "reach": lambda figures: figures.reach,
    "likes": lambda figures: figures.likes + figures.loves,
    "comments": lambda figures: figures.comments,
    "saved": lambda figures: figures.saves,
    "shares": lambda figures: figures.shares,
    "reposts": lambda figures: figures.shares // 5,
    "total_interactions": lambda figures: figures.interactions,
    "follows": lambda figures: figures.follows,
    "profile_visits": lambda figures: figures.visits,
    "profile_activity": lambda figures: figures.visits // 6,
    "facebook_views": lambda figures: 0,
    "total_views": lambda figures: figures.views,
    "total_likes": lambda figures: figures.likes + figures.loves,
    "total_comments": lambda figures: figures.comments,
}
FACEBOOK_LOGIN_ONLY = {"total_views", "total_likes", "total_comments"}
OTHER_PRODUCTS = {
    "ig_reels_avg_watch_time",
    "ig_reels_video_view_total_time",
    "reels_skip_rate",
    "crossposted_views",
    "replies",
    "navigation",
    "link_clicks",
    "impressions",  # answers only for media made before July 2024
}


# What single products lack.
WITHOUT = {
    "STORY": {"likes", "comments", "saved", "total_likes", "total_comments"},
    "REELS": {"follows", "profile_visits", "profile_activity"},
}


@endpoint(Media, "GET", "insights")
def media_insights(call: Call, media: Media) -> Any:
    return media_rows(call, media, call.text("metric"), call.text("breakdown"), call.text("period"))


@resolver(Media, "insights")
def media_insights_field(call: Call, media: Media, field: Field) -> Any:
    return media_insights(call.inside(media.id, field), media)


def media_rows(call: Call, media: Media, metric: str, breakdown: str, period: str) -> Any:
    account = call.state.instagrams[media.instagram_id]
    call.need_instagram(
        account, "instagram_manage_insights", "pages_read_engagement", tasks=["ANALYZE", "CREATE_CONTENT", "MANAGE"]
    )
    names = asked_metrics(metric)
    for position, name in enumerate(names):
        lacking = OTHER_PRODUCTS | WITHOUT.get(media.product, set())
        if name in lacking or (call.is_instagram and name in FACEBOOK_LOGIN_ONLY):
            raise invalid(f"The Media Insights API does not support the {name} metric for this media product type.")
        if name not in MEDIA_METRICS:
            raise invalid(f"metric[{position}] must be one of the following values: {', '.join(MEDIA_METRICS)}")
        if breakdown and (name, breakdown) != ("profile_activity", "action_type"):
            raise invalid(f"The metric {name} does not support the breakdown {breakdown}")
    if media.parent_id:
        raise invalid("Insights are not available for the items of a carousel")
    if period not in ("", "lifetime"):
        raise invalid("Param period must be lifetime")
    figures = figures_of(call.state, media, call.now)
    rows = []
    for name in names:
        value = MEDIA_METRICS[name](figures)
        one = row(media.id, name, "lifetime", [{"value": value}])
        if breakdown:
            parts = [{"dimension_values": ["BIO_LINK_CLICKED"], "value": value}] if value else []
            del one["values"]
            one["total_value"] = {
                "value": value,
                "breakdowns": [{"dimension_keys": ["action_type"], **({"results": parts} if parts else {})}],
            }
        rows.append(one)
    return {"data": rows}
