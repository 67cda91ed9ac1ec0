"""Figures of LinkedIn accounts and posts: of organizations by day, of members one metric at a time.

Source: LinkedIn share, page and follower statistics and member post analytics, version 202609, read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from socialhub.platforms.base import Access, AccountFigures, PostFigures
from socialhub.platforms.errors import NotFoundError, PermissionMissingError, PlatformError
from socialhub.platforms.linkedin_api import COUNT, LinkedInApi, is_organization, kind_of, millis, number_of

DAY = timedelta(days=1)
FOLLOWERS_LATE = timedelta(days=1)  # gains of followers come a day later than everything else
MEMBER_POSTS = 5  # newest posts of a member whose figures are read at once: five calls each, of a hundred a day

# LinkedIn's name -> ours. Source: share statistics and member post analytics, version 202609, read November 2026.
SHARE_METRICS = {
    "impressionCount": "views",
    "uniqueImpressionsCount": "reach",
    "clickCount": "clicks",
    "likeCount": "likes",
    "commentCount": "comments",
    "shareCount": "shares",
}
ENGAGEMENTS = ("clicks", "likes", "comments", "shares")
MEMBER_METRICS = {
    "IMPRESSION": "views",
    "MEMBERS_REACHED": "reach",
    "REACTION": "likes",
    "COMMENT": "comments",
    "RESHARE": "shares",
}
NOT_DAILY = ("MEMBERS_REACHED",)
POST_ANALYTICS, PROFILE_ANALYTICS = "r_member_postAnalytics", "r_member_profileAnalytics"


class Figures:
    """What LinkedIn tells of an account and its posts in numbers."""

    def __init__(self, api: LinkedInApi) -> None:
        self.api = api

    def member_followers(self, access: Access) -> int | None:
        if PROFILE_ANALYTICS not in self.api.config.scopes:
            return None
        try:
            entries = self.api.finder("memberFollowersCount", access.token, {"q": "me"})
        except PermissionMissingError:
            return None
        return next((number_of(entry.get("memberFollowersCount")) for entry in entries), None)

    def of_account(self, access: Access, *, since: datetime, until: datetime) -> AccountFigures:
        """Figures of the UTC day (as LinkedIn counts) that begins in the span, once it is over.

        metrics: views, reach, clicks, likes, comments, shares, engagements, profile_views, follows. Numbers can be
        negative, when more likes were taken back than given. raw: LinkedIn's own names.
        """
        day = _day_in(since, until)
        if day is None or day + DAY > datetime.now(UTC):
            return AccountFigures()
        if is_organization(access.account_id):
            return self._page_figures(access, day)
        return self._member_figures(access, day)

    def _page_figures(self, access: Access, day: datetime) -> AccountFigures:
        metrics: dict[str, int | float] = {}
        raw: dict[str, Any] = {}
        refusals: list[PlatformError] = []
        for name, key, read in PAGE_ASKS:
            if name == "organizationalEntityFollowerStatistics" and day + DAY + FOLLOWERS_LATE > datetime.now(UTC):
                continue
            try:
                entries = self.api.finder(
                    name, access.token, {"q": key, key: access.account_id, "timeIntervals": _interval(day)}
                )
            except PermissionMissingError as error:
                refusals.append(error)
                continue
            for entry in entries:
                if _starts(entry, day):
                    metrics |= read(entry)
                    raw[name] = {part: value for part, value in entry.items() if part.startswith(("total", "follower"))}
        if refusals and not metrics:
            raise refusals[0]
        return AccountFigures(metrics, raw)

    def _member_figures(self, access: Access, day: datetime) -> AccountFigures:
        if POST_ANALYTICS not in self.api.config.scopes:
            return AccountFigures()
        span = {"start": _date(day), "end": _date(day + DAY)}
        metrics: dict[str, int | float] = {}
        raw: dict[str, Any] = {}
        for metric, name in MEMBER_METRICS.items():
            if metric in NOT_DAILY:
                continue
            try:
                number = self._member_number(
                    access, {"q": "me", "queryType": metric, "aggregation": "DAILY", "dateRange": span}, day
                )
            except PermissionMissingError:
                break
            if number is not None:
                metrics[name] = raw[metric] = number
        return AccountFigures(metrics, raw)

    def _member_number(self, access: Access, parameters: Mapping[str, Any], day: datetime | None = None) -> int | None:
        """The number of one metric, None where LinkedIn gives none."""
        entries = self.api.finder("memberCreatorPostAnalytics", access.token, parameters)
        numbers = [
            number
            for entry in entries
            if _metric_of(entry) in ("", parameters["queryType"]) and (day is None or _is_date(entry, day))
            if (number := number_of(entry.get("count"))) is not None
        ]
        return sum(numbers) if numbers else None

    def of_posts(self, access: Access, platform_post_ids: Sequence[str]) -> list[PostFigures]:
        if is_organization(access.account_id):
            return self._page_post_figures(access, platform_post_ids)
        return self._member_post_figures(access, platform_post_ids)

    def _page_post_figures(self, access: Access, urns: Sequence[str]) -> list[PostFigures]:
        told: dict[str, Mapping[str, Any]] = {}
        for first in range(0, len(urns), COUNT):
            told |= self._share_statistics(access, urns[first : first + COUNT])
        # LinkedIn leaves a post out whose numbers are all 0, and also one that is gone.
        return [_post_figures(urn, told.get(urn, {})) for urn in urns if urn in told or self._is_there(access, urn)]

    def _share_statistics(self, access: Access, urns: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        author = access.account_id
        parameters: dict[str, Any] = {"q": "organizationalEntity", "organizationalEntity": author}
        if shares := [urn for urn in urns if kind_of(urn) != "ugcPost"]:
            parameters["shares"] = shares
        if ugc_posts := [urn for urn in urns if kind_of(urn) == "ugcPost"]:
            parameters["ugcPosts"] = ugc_posts
        entries = self.api.finder("organizationalEntityShareStatistics", access.token, parameters)
        return {
            str(entry.get("share") or entry.get("ugcPost")): entry["totalShareStatistics"]
            for entry in entries
            if isinstance(entry.get("totalShareStatistics"), dict)
        }

    def _is_there(self, access: Access, urn: str) -> bool:
        try:
            self.api.read_post(access.token, urn)
        except NotFoundError:
            return False
        except PermissionMissingError:
            return True
        return True

    def _member_post_figures(self, access: Access, urns: Sequence[str]) -> list[PostFigures]:
        """A post without figures says so by None: that it is missing would mean that it is gone."""
        found = {urn: PostFigures(urn) for urn in urns}
        if POST_ANALYTICS not in self.api.config.scopes:
            return list(found.values())
        for urn in sorted(urns, key=lambda urn: (len(urn), urn), reverse=True)[:MEMBER_POSTS]:
            entity = {"ugc" if kind_of(urn) == "ugcPost" else "share": urn}
            numbers = {}
            try:
                for metric in MEMBER_METRICS:
                    numbers[metric] = self._member_number(
                        access, {"q": "entity", "entity": entity, "queryType": metric, "aggregation": "TOTAL"}
                    )
            except PermissionMissingError:
                break
            known = {metric: number for metric, number in numbers.items() if number is not None}
            found[urn] = _figures(urn, {MEMBER_METRICS[metric]: number for metric, number in known.items()}, known)
        return list(found.values())


def _day_in(since: datetime, until: datetime) -> datetime | None:
    """The UTC day that begins in the span."""
    day = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if day < since:
        day += DAY
    return day if day < until else None


def _interval(day: datetime) -> dict[str, Any]:
    return {"timeGranularityType": "DAY", "timeRange": {"start": millis(day), "end": millis(day + DAY)}}


def _starts(entry: Mapping[str, Any], day: datetime) -> bool:
    """The entry is of this day, as far as it says."""
    span = entry.get("timeRange")
    start = number_of(span.get("start")) if isinstance(span, dict) else None
    return start is None or start == millis(day)


def _date(day: datetime) -> dict[str, int]:
    return {"day": day.day, "month": day.month, "year": day.year}


def _is_date(entry: Mapping[str, Any], day: datetime) -> bool:
    span = entry.get("dateRange")
    start = span.get("start") if isinstance(span, dict) else None
    return not isinstance(start, dict) or start == _date(day)


def _metric_of(entry: Mapping[str, Any]) -> str:
    """Until version 202604 the name was wrapped into an object."""
    metric = entry.get("metricType")
    if isinstance(metric, dict):
        metric = next(iter(metric.values()), "")
    return str(metric or "")


def _numbers(entry: object, names: Mapping[str, str]) -> dict[str, int]:
    found = entry if isinstance(entry, dict) else {}
    return {ours: number for theirs, ours in names.items() if (number := number_of(found.get(theirs))) is not None}


def _share_day(entry: Mapping[str, Any]) -> dict[str, int]:
    numbers = _numbers(entry.get("totalShareStatistics"), SHARE_METRICS)
    acts = [numbers[name] for name in ENGAGEMENTS if name in numbers]
    return {**numbers, "engagements": sum(acts)} if acts else numbers


def _view_day(entry: Mapping[str, Any]) -> dict[str, int]:
    found: Any = entry
    for name in ("totalPageStatistics", "views", "allPageViews"):
        found = found.get(name) if isinstance(found, dict) else None
    return _numbers(found, {"pageViews": "profile_views"})


def _follower_day(entry: Mapping[str, Any]) -> dict[str, int]:
    gains = _numbers(entry.get("followerGains"), {"organicFollowerGain": "organic", "paidFollowerGain": "paid"})
    return {"follows": sum(gains.values())} if gains else {}


# Where it is asked for, under which name the page is given, how it is read.
PAGE_ASKS = (
    ("organizationalEntityShareStatistics", "organizationalEntity", _share_day),
    ("organizationPageStatistics", "organization", _view_day),
    ("organizationalEntityFollowerStatistics", "organizationalEntity", _follower_day),
)


def _post_figures(urn: str, told: Mapping[str, Any]) -> PostFigures:
    """told empty: LinkedIn leaves a post out to which nothing has happened yet."""
    return _figures(urn, _numbers(told, SHARE_METRICS) if told else dict.fromkeys(SHARE_METRICS.values(), 0), told)


def _figures(urn: str, numbers: Mapping[str, int], raw: Mapping[str, Any]) -> PostFigures:
    return PostFigures(
        urn,
        likes=numbers.get("likes"),
        comments=numbers.get("comments"),
        shares=numbers.get("shares"),
        views=numbers.get("views"),
        reach=numbers.get("reach"),
        clicks=numbers.get("clicks"),
        raw=dict(raw),
    )
