"""Insights of Instagram accounts and media: which names live, for which kind of media, and in what shape they come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..figures import Made, PostFigures, SpanFigures, alive, figures_of, spans_between
from ..rhythm import HOURS
from ..seeds import generator
from ..state import Instagram, Media
from .call import Call, endpoint, resolver, timestamp
from .errors import GraphError, invalid
from .fields import Field
from .insights import (
    CLOSING_SECONDS,
    DAY,
    FEWEST_FOLLOWERS,
    asked_metrics,
    days_before,
    midnights,
    neighbours,
    row,
    told,
    total_row,
    ways_of,
)
from .instagram_media import see_media

TASKS = ("ANALYZE", "CREATE_CONTENT", "MANAGE")
HISTORY_DAYS, FOLLOWER_DAYS = 90, 30
FEWEST_VIEWERS = 5  # of a story

# Accounts


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
    "accounts_engaged": AccountMetric(lambda span: span.engaged),
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
    call.need_instagram(account, "instagram_manage_insights", "pages_read_engagement", tasks=TASKS)
    names = asked_metrics(call.text("metric"))
    dead, withheld = ways_of(call, names)
    for position, name in enumerate(names):
        if name not in ACCOUNT_METRICS or name in dead:
            known = [one for one in ACCOUNT_METRICS if one not in dead]
            raise invalid(f"metric[{position}] must be one of the following values: {', '.join(known)}")
    metric_type, breakdown = checked_form(call, names)
    since, until = account_window(call)
    few = account.followers_count < FEWEST_FOLLOWERS
    names = [name for name in names if name not in withheld and not (few and ACCOUNT_METRICS[name].few_are_hidden)]
    reading = Reading(call, account, since, until)
    told_rows = [account_row(reading, name, metric_type, breakdown) for name in names]
    rows = [one for one in told_rows if one is not None]
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
    return since, until


class Reading:
    """One call of an account: what it asks about is worked out once for all of its names."""

    def __init__(self, call: Call, account: Instagram, since: float, until: float) -> None:
        self.call = call
        self.account = account
        self.since = since
        self.until = until
        self._posts: list[Made] | None = None
        self._span: tuple[SpanFigures | None] | None = None

    @property
    def posts(self) -> list[Made]:
        if self._posts is None:
            self._posts = alive(self.call.state, self.account, self.since - DAY, self.until)
        return self._posts

    @property
    def span(self) -> SpanFigures | None:
        """None: the network knows nothing of these days, or not yet."""
        if self._span is None:
            first = max(self.call.now - (HISTORY_DAYS + 1) * DAY, self.account.created_at)
            known = self.since >= first
            now = self.call.now
            self._span = (told(self.account, self.posts, self.since, self.until, now) if known else None,)
        return self._span[0]

    def series(self, metric: AccountMetric, days: int) -> list[dict[str, Any]]:
        """One value for each Pacific day that has closed."""
        now = self.call.now
        first = max(now - (days + 1) * DAY, self.account.created_at)
        values = []
        for end in midnights(self.since, min(self.until, now - CLOSING_SECONDS)):
            begin = days_before(end, 1)
            span = told(self.account, self.posts, begin, end, now) if begin >= first else None
            if span is not None:
                values.append({"value": metric.value(span), "end_time": timestamp(end)})
        return values


def account_row(reading: Reading, name: str, metric_type: str, breakdown: str) -> dict[str, Any] | None:
    """None: no data, which is not 0."""
    metric, account = ACCOUNT_METRICS[name], reading.account
    if name == "online_followers":
        values = online(account, reading)
        return row(account.id, name, "lifetime", values) if values else None
    if name in DEMOGRAPHICS:
        return demographics(reading, name, breakdown)
    if metric.series and metric_type != "total_value":
        values = reading.series(metric, FOLLOWER_DAYS if name == "follower_count" else HISTORY_DAYS)
        return row(account.id, name, "day", values) if values else None
    span = reading.span
    if span is None:
        return None
    total: dict[str, Any] = {"value": metric.value(span)}
    if breakdown:
        parts = results(metric, name, breakdown, span)
        # Where there is nothing to divide, the parts are not even mentioned.
        total["breakdowns"] = [{"dimension_keys": [breakdown], **({"results": parts} if parts else {})}]
    return total_row(account.id, name, "day", total)


def results(metric: AccountMetric, name: str, breakdown: str, span: SpanFigures) -> list[dict[str, Any]]:
    value = metric.value(span)
    if name == "follows_and_unfollows":
        parts = {"FOLLOWER": span.gained, "NON_FOLLOWER": span.lost}
    elif breakdown == "follow_type":
        parts = {"FOLLOWER": value * 3 // 5, "NON_FOLLOWER": value - value * 3 // 5}
    elif breakdown == "contact_button_type":
        parts = {"CALL": value // 3, "DIRECTION": value // 4, "EMAIL": value - value // 3 - value // 4}
    else:
        parts = {"CAROUSEL_CONTAINER": value // 5, "REEL": value // 4, "STORY": value // 10}
        parts = {"POST": value - sum(parts.values()), **parts}
    return [{"dimension_values": [key], "value": part} for key, part in parts.items() if part]


DEMOGRAPHIC_PARTS = {
    "age": ["13-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+"],
    "gender": ["F", "M", "U"],
    "country": ["US", "DE", "GB", "CA", "FR", "AT", "CH", "AU"],
    "city": ["Detroit, Michigan", "Berlin, Berlin", "London, England", "Toronto, Ontario", "Vienna, Vienna"],
}
# Not all of them live where most live, nor are they of the age that most are of.
USUAL_SHARES = {
    "age": [2, 9, 27, 25, 19, 12, 6],
    "gender": [48, 47, 5],
    "country": [38, 17, 13, 9, 7, 5, 4, 3],
    "city": [9, 7, 6, 4, 3],
}


def demographics(reading: Reading, name: str, breakdown: str) -> dict[str, Any]:
    account = reading.account
    people = account.followers_count
    if name == "engaged_audience_demographics":
        days = 30 if reading.call.text("timeframe") == "this_month" else 7
        now = reading.call.now
        posts = alive(reading.call.state, account, now - days * DAY, now)
        people = spans_between(account, posts, [now - days * DAY, now])[0].engaged
    answer: dict[str, Any] = {"dimension_keys": [breakdown]}
    if people >= FEWEST_FOLLOWERS:
        numbers = generator("demographics", account.id, name, breakdown)
        weights = [share * numbers.uniform(0.5, 1.5) for share in USUAL_SHARES[breakdown]]
        known = sum(weights) if breakdown in ("age", "gender") else max(sum(weights), 100)
        answer["results"] = [
            {"dimension_values": [key], "value": int(people * weight / known)}
            for key, weight in zip(DEMOGRAPHIC_PARTS[breakdown], weights, strict=True)
        ]
    return total_row(account.id, name, "lifetime", {"breakdowns": [answer]})


def online(account: Instagram, reading: Reading) -> list[dict[str, Any]]:
    """How many followers are about in which hour of a day; of small accounts the network mostly tells nothing."""
    if account.followers_count < 10 * FEWEST_FOLLOWERS:
        return []
    now = reading.call.now
    ends = [end for end in midnights(reading.since, min(reading.until, now)) if end > now - FOLLOWER_DAYS * DAY]
    share = generator("online", account.id).uniform(0.2, 0.35)
    value = {str(hour): int(account.followers_count * share * usual) for hour, usual in enumerate(HOURS)}
    return [{"value": value, "end_time": timestamp(end)} for end in ends]


# Media

FEED, REELS, STORY = frozenset({"FEED"}), frozenset({"REELS"}), frozenset({"STORY"})
ALL = FEED | REELS | STORY
WATCHED = 5_800  # ms


@dataclass(frozen=True)
class MediaMetric:
    value: Callable[[PostFigures], int]
    products: frozenset[str] = ALL
    breakdown: str = ""
    parts: tuple[tuple[str, float], ...] = ()  # how it divides, where it does
    facebook_login: bool = False  # only there


MEDIA_METRICS: dict[str, MediaMetric] = {
    "views": MediaMetric(lambda figures: figures.views),
    "reach": MediaMetric(lambda figures: figures.reach),
    "likes": MediaMetric(lambda figures: figures.likes + figures.loves, FEED | REELS),
    "comments": MediaMetric(lambda figures: figures.comments, FEED | REELS),
    "saved": MediaMetric(lambda figures: figures.saves, FEED | REELS),
    "shares": MediaMetric(lambda figures: figures.shares),
    "reposts": MediaMetric(lambda figures: figures.shares // 5),
    "total_interactions": MediaMetric(lambda figures: figures.interactions),
    "follows": MediaMetric(lambda figures: figures.follows, FEED | STORY),
    "profile_visits": MediaMetric(lambda figures: figures.visits, FEED | STORY),
    "profile_activity": MediaMetric(
        lambda figures: figures.visits // 6, FEED | STORY, "action_type", (("BIO_LINK_CLICKED", 0.7), ("EMAIL", 0.3))
    ),
    "ig_reels_avg_watch_time": MediaMetric(lambda figures: WATCHED if figures.views else 0, REELS),
    "ig_reels_video_view_total_time": MediaMetric(lambda figures: figures.views * WATCHED, REELS),
    "reels_skip_rate": MediaMetric(lambda figures: 34 if figures.views else 0, REELS),
    "facebook_views": MediaMetric(lambda figures: 0),
    "total_views": MediaMetric(lambda figures: figures.views, facebook_login=True),
    "total_likes": MediaMetric(lambda figures: figures.likes + figures.loves, FEED | REELS, facebook_login=True),
    "total_comments": MediaMetric(lambda figures: figures.comments, FEED | REELS, facebook_login=True),
    "replies": MediaMetric(lambda figures: figures.comments, STORY),
    "navigation": MediaMetric(
        lambda figures: int(figures.views * 0.9),
        STORY,
        "story_navigation_action_type",
        (("TAP_FORWARD", 0.62), ("SWIPE_FORWARD", 0.2), ("TAP_EXIT", 0.12), ("TAP_BACK", 0.06)),
    ),
    "link_clicks": MediaMetric(lambda figures: figures.clicks // 4, STORY, facebook_login=True),
    # Alive in the list of names, and refused: no reel here is shown on Facebook, no media is of before July 2024.
    "crossposted_views": MediaMetric(lambda figures: 0, frozenset()),
    "impressions": MediaMetric(lambda figures: 0, frozenset()),
}


@endpoint(Media, "GET", "insights")
def media_insights(call: Call, media: Media) -> Any:
    account = call.state.instagrams[media.instagram_id]
    see_media(call, media, "instagram_manage_insights", "pages_read_engagement", tasks=TASKS)
    names = asked_metrics(call.text("metric"))
    dead, withheld = ways_of(call, names)
    breakdown = call.text("breakdown")
    for position, name in enumerate(names):
        check_media_metric(call, media, position, name, breakdown, dead)
    if media.parent_id:
        raise invalid("Insights are not available for the items of a carousel")
    if call.text("period") not in ("", "lifetime"):
        raise invalid("Param period must be lifetime")
    if media.created_at < account.professional_since:
        raise invalid(
            "The media was posted before the most recent time that the user's account was converted to a business "
            "account from a personal account.",
            subcode=2108006,
        )
    figures = figures_of(call.state, media, call.now)
    if media.product == "STORY" and figures.reach < FEWEST_VIEWERS:
        raise GraphError(10, "(#10) Not enough viewers for the media to show insights")
    return {"data": [media_row(media, name, figures, breakdown) for name in names if name not in withheld]}


@resolver(Media, "insights")
def media_insights_field(call: Call, media: Media, field: Field) -> Any:
    return media_insights(call.inside(media.id, field), media)


def check_media_metric(call: Call, media: Media, position: int, name: str, breakdown: str, dead: set[str]) -> None:
    metric = MEDIA_METRICS.get(name)
    if metric is None or name in dead:
        known = [one for one in MEDIA_METRICS if one not in dead]
        raise invalid(f"metric[{position}] must be one of the following values: {', '.join(known)}")
    if media.product not in metric.products or (call.is_instagram and metric.facebook_login):
        raise invalid(f"The Media Insights API does not support the {name} metric for this media product type.")
    if breakdown and breakdown != metric.breakdown:
        raise invalid(f"The metric {name} does not support the breakdown {breakdown}")


def media_row(media: Media, name: str, figures: PostFigures, breakdown: str) -> dict[str, Any]:
    metric = MEDIA_METRICS[name]
    value = metric.value(figures)
    if not breakdown:
        return row(media.id, name, "lifetime", [{"value": value}])
    counts = {key: int(value * share) for key, share in metric.parts[1:]}
    counts = {metric.parts[0][0]: value - sum(counts.values()), **counts}
    parts = [{"dimension_values": [key], "value": count} for key, count in counts.items() if count]
    divided = {"dimension_keys": [breakdown], **({"results": parts} if parts else {})}
    return total_row(media.id, name, "lifetime", {"value": value, "breakdowns": [divided]})
