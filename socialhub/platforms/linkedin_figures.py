"""Figures of LinkedIn accounts and posts: of organizations by day, of members one metric at a time.

Which names there are, what they mean and how often they are asked for stands in `metrics/linkedin.py`.
Source: LinkedIn share, page and follower statistics and member post analytics, version 202609, read November 2026.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

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
from socialhub.platforms.errors import (
    AccountBlockedError,
    LimitedError,
    NotFoundError,
    OperatorError,
    OurBugError,
    PermissionMissingError,
    PlatformError,
    ReconnectError,
    TemporaryError,
)
from socialhub.platforms.instants import from_unix
from socialhub.platforms.linkedin_api import COUNT, LinkedInApi, Value, is_organization, kind_of, millis, number_of
from socialhub.platforms.linkedin_facets import name_of
from socialhub.platforms.metrics.linkedin import (
    FOLLOWERS,
    MEMBER_FOLLOWERS,
    MEMBER_POSTS,
    METRICS,
    NEWEST_POSTS,
    PAGES,
    SHARES,
)
from socialhub.platforms.metrics.types import NetworkMetric, Subject

logger = logging.getLogger(__name__)

T = TypeVar("T")

DAY = timedelta(days=1)
MEMBER_ACTS = ("likes", "comments", "shares")
PAGE_ACTS = ("clicks", *MEMBER_ACTS)
POST_ANALYTICS, PROFILE_ANALYTICS = "r_member_postAnalytics", "r_member_profileAnalytics"


@dataclass(frozen=True, slots=True)
class Kind:
    """One address of an organization's figures by day.

    key: under which name the page is given. path: where the numbers stand in an entry. late: how long after its end a day
    is told.
    """

    address: str
    key: str
    path: tuple[str, ...]
    late: timedelta = timedelta()


KINDS = (
    Kind(SHARES, "organizationalEntity", ("totalShareStatistics",)),
    Kind(PAGES, "organization", ("totalPageStatistics", "views", "allPageViews")),
    Kind(FOLLOWERS, "organizationalEntity", ("followerGains",), late=DAY),
)


@dataclass(slots=True)
class Day:
    """What is gathered of one day."""

    metrics: dict[str, int | float] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Gathering:
    """One reading of an account: what came of it, and what kept parts of it from being read."""

    skip: Collection[str]
    days: dict[datetime, Day]
    refused: dict[str, PlatformError] = field(default_factory=dict)
    troubles: list[PlatformError] = field(default_factory=list)

    def ask(self, read: Callable[[], T], *, name: str = "") -> T | None:
        """Ask for one part; None where it could not be had. Raises what the next part would meet as well.

        name: of the one metric that is asked for. LinkedIn answers one that it no longer knows like any bad parameter.
        """
        try:
            return read()
        except (ReconnectError, AccountBlockedError, OperatorError):
            raise
        except PlatformError as error:
            if name and isinstance(error, OurBugError):
                self.refused[name] = error
            else:
                self.troubles.append(error)
        return None

    def reading(self, profile: Profile, totals: Mapping[str, int]) -> AccountReading:
        told = [DayFigures(start, day.metrics, day.sources, day.raw) for start, day in self.days.items() if day.metrics]
        if self.troubles and not told and not totals and profile == Profile():
            raise self.troubles[0]
        return AccountReading(profile, totals, tuple(told), tuple(self.refused), tuple(self.troubles))


class Figures:
    """What LinkedIn tells of an account and its posts in numbers."""

    def __init__(self, api: LinkedInApi) -> None:
        self.api = api

    # Accounts

    def of_account(self, access: Access, days: Sequence[datetime], skip: Collection[str]) -> AccountReading:
        """Followers, and the figures of the given days that are over."""
        now = datetime.now(UTC)
        over = sorted(day.astimezone(UTC) for day in set(days) if day + DAY <= now)
        found = Gathering(skip, {day: Day() for day in over})
        if is_organization(access.account_id):
            return self._organization(access, found)
        return self._member(access, found)

    def _organization(self, access: Access, found: Gathering) -> AccountReading:
        followers = found.ask(lambda: self.api.followers(access.token, access.account_id))
        for kind in KINDS:
            self._days_of(access, kind, found)
        for day in found.days.values():
            _add_engagements(day, PAGE_ACTS)
        totals = {} if followers is None else {"followers": followers}
        return found.reading(Profile(followers_count=followers), totals)

    def _days_of(self, access: Access, kind: Kind, found: Gathering) -> None:
        """All days with one call."""
        now = datetime.now(UTC)
        days = [day for day in found.days if day + DAY + kind.late <= now]
        if not days:
            return
        span: dict[str, Value] = {
            "timeGranularityType": "DAY",
            "timeRange": {"start": millis(days[0]), "end": millis(days[-1] + DAY)},
        }
        parameters: dict[str, Value] = {"q": kind.key, kind.key: access.account_id, "timeIntervals": span}
        for entry in found.ask(lambda: self.api.finder(kind.address, access.token, parameters)) or ():
            if day := _day_of(_start_of(entry), found.days, days):
                _add(day, _named(kind.address, Subject.ACCOUNT), _inside(entry, kind.path))
                day.raw[kind.address] = entry.get(kind.path[0])

    def _member(self, access: Access, found: Gathering) -> AccountReading:
        profile, followers = Profile(), None
        if PROFILE_ANALYTICS in self.api.config.scopes:
            followers = found.ask(lambda: self._followers(access))
            profile = Profile(followers_count=followers)
        if followers is None and (member := found.ask(lambda: self.api.userinfo(access.token))):
            profile = Profile(member.name, picture_url=member.picture)
        if found.days and POST_ANALYTICS in self.api.config.scopes:
            self._member_days(access, found)
        for day in found.days.values():
            _add_engagements(day, MEMBER_ACTS)
        return found.reading(profile, {} if followers is None else {"followers": followers})

    def _member_days(self, access: Access, found: Gathering) -> None:
        """All days of one metric with one call."""
        days = list(found.days)
        metrics = [metric for metric in _named(MEMBER_POSTS, Subject.ACCOUNT) if metric.name not in found.skip]
        for metric in metrics:
            parameters = {
                "q": "me",
                "queryType": metric.name,
                "aggregation": "DAILY",
                "dateRange": {"start": _date(days[0]), "end": _date(days[-1] + DAY)},
            }
            entries = found.ask(partial(self._member_entries, access, parameters), name=metric.name)
            for entry in entries or ():
                number = number_of(entry.get("count"))
                if number is not None and (day := _day_of(_date_of(entry), found.days, days)):
                    day.metrics[metric.measure] = day.raw[metric.name] = number
                    day.sources[metric.measure] = metric.name
            if any(isinstance(error, PermissionMissingError) for error in found.troubles):
                return  # each would be refused with the same words
        if _are_all_refused(metrics, found.refused):
            found.troubles.append(next(iter(found.refused.values())))
            found.refused.clear()

    def _followers(self, access: Access) -> int | None:
        entries = self.api.finder(MEMBER_FOLLOWERS, access.token, {"q": "me"})
        return next((number_of(entry.get("memberFollowersCount")) for entry in entries), None)

    def member_followers(self, access: Access) -> int | None:
        """None: not told to this app."""
        if PROFILE_ANALYTICS not in self.api.config.scopes:
            return None
        try:
            return self._followers(access)
        except PermissionMissingError:
            return None

    def _member_entries(self, access: Access, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        entries = self.api.finder(MEMBER_POSTS, access.token, parameters)
        return [entry for entry in entries if _metric_of(entry) in ("", parameters["queryType"])]

    # Audience

    def audience(self, access: Access, skip: Collection[str]) -> AudienceReading:
        """Followers of a page by each facet, in one call; LinkedIn gives the 100 largest parts of each."""
        if not is_organization(access.account_id):
            return AudienceReading(withheld=_("LinkedIn does not tell who follows a member, only who follows a page."))
        try:
            entries = self.api.finder(
                FOLLOWERS, access.token, {"q": "organizationalEntity", "organizationalEntity": access.account_id}
            )
        except PermissionMissingError:
            return AudienceReading(withheld=_withheld_page())
        found = []
        for metric in _named(FOLLOWERS, Subject.AUDIENCE):
            (dimension,) = metric.breakdowns
            listed: list[Any] = next(
                (entry[metric.name] for entry in entries if isinstance(entry.get(metric.name), list)), []
            )
            parts: dict[str, int] = {}
            for entry in listed:
                if (part := _part(entry, dimension)) and metric.name not in skip:
                    parts[part[0]] = parts.get(part[0], 0) + part[1]
            if parts:
                found.append(Audience("followers", dimension, parts, raw=listed))
        if found:
            return AudienceReading(tuple(found))
        return AudienceReading(withheld=_("LinkedIn tells nothing of the followers of this page; it may have too few."))

    # Posts

    def of_posts(self, access: Access, urns: Collection[str], skip: Collection[str]) -> list[PostFigures]:
        wanted = list(dict.fromkeys(urns))
        if not is_organization(access.account_id):
            return self._of_member_posts(access, wanted, skip)
        told = self.statistics(access, wanted)
        # LinkedIn leaves a post out whose numbers are all 0, and also one that is gone.
        found = [told.get(urn) or self._of_silence(access, urn) for urn in wanted]
        return [figures for figures in found if figures]

    def statistics(self, access: Access, urns: Sequence[str]) -> dict[str, PostFigures]:
        """Figures of posts of an organization, a hundred with one call, without those that LinkedIn leaves out."""
        told: dict[str, PostFigures] = {}
        for first in range(0, len(urns), COUNT):
            for urn, numbers in self._statistics(access, urns[first : first + COUNT]).items():
                told[urn] = post_figures(urn, numbers)
        return told

    def _statistics(self, access: Access, urns: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        author = access.account_id
        parameters: dict[str, Any] = {"q": "organizationalEntity", "organizationalEntity": author}
        if shares := [urn for urn in urns if kind_of(urn) != "ugcPost"]:
            parameters["shares"] = shares
        if ugc_posts := [urn for urn in urns if kind_of(urn) == "ugcPost"]:
            parameters["ugcPosts"] = ugc_posts
        entries = self.api.finder(SHARES, access.token, parameters)
        return {
            str(entry.get("share") or entry.get("ugcPost")): entry["totalShareStatistics"]
            for entry in entries
            if isinstance(entry.get("totalShareStatistics"), dict)
        }

    def with_figures(self, access: Access, posts: Sequence[RemotePost]) -> list[RemotePost]:
        """The posts that were just listed, so what LinkedIn leaves out stands at 0. Trouble costs the figures alone."""
        try:
            told = self.statistics(access, [post.platform_post_id for post in posts])
        except PermissionMissingError:
            why = _withheld_page()
            return [replace(post, figures=PostFigures(post.platform_post_id, withheld=why)) for post in posts]
        except (TemporaryError, LimitedError) as error:
            logger.info("posts were listed without their figures: %s", error.code)
            return list(posts)
        return [
            replace(post, figures=told.get(post.platform_post_id) or post_figures(post.platform_post_id, {}))
            for post in posts
        ]

    def _of_silence(self, access: Access, urn: str) -> PostFigures | None:
        """Of a post that is not among those with numbers: 0 if it stands, nothing if nobody tells us, None if it is gone."""
        try:
            self.api.read_post(access.token, urn)
        except NotFoundError:
            return None
        except PermissionMissingError:
            why = _("LinkedIn tells nothing of this post: either nothing has happened to it yet, or it is gone.")
            return PostFigures(urn, withheld=why)
        return post_figures(urn, {})

    def _of_member_posts(self, access: Access, urns: Sequence[str], skip: Collection[str]) -> list[PostFigures]:
        """A post without figures says why: that it is missing would mean that it is gone."""
        if POST_ANALYTICS not in self.api.config.scopes:
            return [PostFigures(urn, withheld=_withheld_member()) for urn in urns]
        why = _("LinkedIn allows so few calls a day that figures are read of a member's newest posts first.")
        read: dict[str, PostFigures] = {}
        for urn in sorted(urns, key=lambda urn: (len(urn), urn), reverse=True)[:NEWEST_POSTS]:
            try:
                read[urn] = self._of_member_post(access, urn, skip)
            except PermissionMissingError:
                why = _withheld_member()
                break
        failed = [figures.trouble for figures in read.values() if figures.trouble]
        if failed and len(failed) == len(read):
            raise failed[0]
        return [read.get(urn) or PostFigures(urn, withheld=why) for urn in urns]

    def _of_member_post(self, access: Access, urn: str, skip: Collection[str]) -> PostFigures:
        entity = {"ugc" if kind_of(urn) == "ugcPost" else "share": urn}
        numbers: dict[str, int] = {}
        refused: dict[str, PlatformError] = {}
        metrics = [metric for metric in _named(MEMBER_POSTS, Subject.POST) if metric.name not in skip]
        for metric in metrics:
            asked = {"q": "entity", "entity": entity, "queryType": metric.name, "aggregation": "TOTAL"}
            try:
                entries = self._member_entries(access, asked)
            except OperatorError:
                raise
            except OurBugError as error:
                refused[metric.name] = error
                continue
            counts = [number for entry in entries if (number := number_of(entry.get("count"))) is not None]
            if counts:
                numbers[metric.name] = sum(counts)
        if _are_all_refused(metrics, refused):
            return PostFigures(urn, trouble=next(iter(refused.values())))
        return replace(post_figures(urn, numbers, MEMBER_POSTS), refused=tuple(refused))


def _named(address: str, subject: Subject) -> list[NetworkMetric]:
    """The names of one address that we ask for and understand."""
    today = datetime.now(UTC).date()
    return [
        metric
        for metric in METRICS
        if metric.group == address and metric.subject is subject and metric.asked and metric.measure
        if metric.lives(today)
    ]


def _are_all_refused(asked: Sequence[NetworkMetric], refused: Collection[str]) -> bool:
    """Then it is not the names that LinkedIn does not take, but something that stands beside all of them."""
    return len(asked) > 1 and all(metric.name in refused for metric in asked)


def _add(day: Day, metrics: Iterable[NetworkMetric], numbers: Mapping[str, Any]) -> None:
    """Names that mean the same thing are parts of it, so they are added up."""
    told: dict[str, dict[str, int]] = {}
    for metric in metrics:
        if (number := number_of(numbers.get(metric.name))) is not None:
            told.setdefault(metric.measure, {})[metric.name] = number
    for measure, parts in told.items():
        day.metrics[measure] = sum(parts.values())
        day.sources[measure] = "+".join(parts)


def _add_engagements(day: Day, acts: Sequence[str]) -> None:
    """As LinkedIn itself adds them up for its rate; what lacks a part would look like a bad day."""
    if all(name in day.metrics for name in acts):
        day.metrics["engagements"] = sum(day.metrics[name] for name in acts)
        day.sources["engagements"] = "+".join(day.sources[name] for name in acts)


def _day_of(start: datetime | None, known: Mapping[datetime, Day], asked: Sequence[datetime]) -> Day | None:
    """The day that an entry is of; where it does not say so, the only one that was asked for."""
    if start is None:
        return known[asked[0]] if len(asked) == 1 else None
    return known.get(start)


def _start_of(entry: Mapping[str, Any]) -> datetime | None:
    """The day that an entry is of, where it says so."""
    span = entry.get("timeRange")
    start = number_of(span.get("start")) if isinstance(span, dict) else None
    return None if start is None else from_unix(start / 1000)


def _date(day: datetime) -> dict[str, int]:
    return {"day": day.day, "month": day.month, "year": day.year}


def _date_of(entry: Mapping[str, Any]) -> datetime | None:
    span = entry.get("dateRange")
    start = span.get("start") if isinstance(span, dict) else None
    if not isinstance(start, dict):
        return None
    try:
        return datetime(start["year"], start["month"], start["day"], tzinfo=UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _metric_of(entry: Mapping[str, Any]) -> str:
    """Until version 202604 the name was wrapped into an object."""
    metric = entry.get("metricType")
    if isinstance(metric, dict):
        metric = next(iter(metric.values()), "")
    return str(metric or "")


def _inside(entry: Mapping[str, Any], path: Iterable[str]) -> Mapping[str, Any]:
    found: Any = entry
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _part(entry: object, dimension: str) -> tuple[str, int] | None:
    """A part of the followers and how many it are. LinkedIn puts those won by ads among the organic ones here."""
    if not isinstance(entry, dict):
        return None
    counts = entry.get("followerCounts")
    number = number_of(counts.get("organicFollowerCount")) if isinstance(counts, dict) else None
    named = next((value for key, value in entry.items() if key != "followerCounts" and isinstance(value, str)), "")
    return (name_of(dimension, named), number) if named and number is not None else None


def post_figures(urn: str, told: Mapping[str, Any], address: str = SHARES) -> PostFigures:
    """told empty: LinkedIn leaves a post of an organization out to which nothing has happened yet. Such a 0 has no source.

    What is below 0 is no total; LinkedIn says so of figures that it does not give.
    """
    metrics = _named(address, Subject.POST)
    numbers = {
        metric.measure: (metric.name, number)
        for metric in metrics
        if (number := 0 if not told and address == SHARES else number_of(told.get(metric.name))) is not None
        if number >= 0
    }
    return PostFigures(
        urn,
        **{measure: number for measure, (_name, number) in numbers.items()},  # type: ignore[arg-type]
        sources={measure: name for measure, (name, _number) in numbers.items()} if told else {},
        raw=dict(told),
    )


def _withheld_page() -> str:
    return _(
        "LinkedIn gives these figures only for pages that you administer, and to apps that may read them. This is not "
        "available with this app or role."
    )


def _withheld_member() -> str:
    return _("LinkedIn gives the figures of a member's posts to few apps only. They are not available with this app.")
