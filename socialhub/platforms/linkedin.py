"""LinkedIn members and organizations: text, link, one or several images.

The account's id is its author URN. What a member wrote cannot be read back (LinkedIn grants that to nobody new), so after
a lost answer only a person can tell; the posts of an organization are found by their text, kind and time.
Source: LinkedIn Posts, Images and Community Management documentation, version 202609, read November 2026.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from socialhub.platforms.base import (
    Absent,
    Access,
    AccountFigures,
    Content,
    Done,
    Handles,
    MediaItem,
    NotYet,
    Platform,
    PostFigures,
    PostType,
    Profile,
    Published,
    RemotePost,
    Step,
    StepKind,
    Unknowable,
)
from socialhub.platforms.errors import (
    NotFoundError,
    PermissionMissingError,
    PlatformError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.linkedin_api import COUNT, LinkedInApi, instant_of, kind_of, millis, number_of
from socialhub.platforms.linkedin_errors import IMAGES
from socialhub.platforms.linkedin_rules import commentary_of
from socialhub.platforms.linkedin_text import escape, unescape
from socialhub.platforms.text import normalise

logger = logging.getLogger(__name__)

FEED = "https://www.linkedin.com/feed/update/"
POLL_SECONDS = (2, 3, 5, 10, 30)  # the last one again and again
BLIND_SECONDS = 3  # how long images get where their state cannot be read
GIVE_UP = timedelta(minutes=15)
LOOK_BACK = timedelta(seconds=120)  # clocks differ, and the call began before its answer
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


class LinkedIn(Platform):
    """A member (urn:li:person:…) or an organization (urn:li:organization:…), acting with a member's token."""

    key: ClassVar[str] = "linkedin"
    label: ClassVar[str] = "LinkedIn"
    first_look_seconds: ClassVar[float] = 45
    look_every_seconds: ClassVar[float] = 270
    absent_after_seconds: ClassVar[float] = 580  # at the third look, ten minutes after the call

    def __init__(self, api: LinkedInApi) -> None:
        self.api = api

    # Publishing

    def plan(self, content: Content) -> tuple[Step, ...]:
        commit = Step("post", StepKind.COMMIT, _("Publishing"), {"publish": 1})
        total = len(content.media)
        if not total:
            return (commit,)
        images = [
            Step(
                _key(item),
                StepKind.PREPARE,
                _("Uploading image %(number)d of %(total)d") % {"number": number, "total": total},
                {"publish": 1},
            )
            for number, item in enumerate(content.media, start=1)
        ]
        return (*images, Step("ready", StepKind.WAIT, _("LinkedIn prepares the images")), commit)

    def perform(self, step: Step, access: Access, content: Content, handles: Handles) -> Done | NotYet:
        if step.kind is StepKind.WAIT:
            return self._wait(access, content, handles)
        if step.key in handles:
            return Done()
        item = next(item for item in content.media if _key(item) == step.key)
        return Done({step.key: self._upload(access, item)})

    def _upload(self, access: Access, item: MediaItem) -> str:
        place = self.api.begin_upload(access.token, access.account_id)
        self.api.upload(access.token, place, item.read(), item.content_type)
        return place.image

    def _wait(self, access: Access, content: Content, handles: Handles) -> Done | NotYet:
        """Are all images ready? With a token that may not read, they get a short time instead."""
        if handles.get("ready:blind"):
            return Done()
        began = handles.get("ready:began") or datetime.now(UTC).isoformat(timespec="seconds")
        ready = list(handles.get("ready:images", ()))
        for item in content.media:
            if _key(item) in ready:
                continue
            try:
                status = self._status(access, str(handles[_key(item)]))
            except PermissionMissingError:
                return NotYet(BLIND_SECONDS, {"ready:blind": True})
            if status == "PROCESSING_FAILED":
                return self._again(access, item, handles)
            if status != "AVAILABLE":
                return _not_yet(began, int(handles.get("ready:polls", 0)), ready)
            ready.append(_key(item))
        return Done()

    def _status(self, access: Access, image: str) -> str:
        try:
            return str(self.api.image(access.token, image).get("status") or "")
        except NotFoundError:  # not everywhere yet
            return ""

    def _again(self, access: Access, item: MediaItem, handles: Handles) -> NotYet:
        """One image that LinkedIn could not prepare is uploaded once more, and only once."""
        again = f"again:{_key(item)}"
        if handles.get(again):
            raise RejectedError(
                _("LinkedIn cannot prepare image %(position)d, twice in a row. Replace the image and try again.")
                % {"position": item.position},
                code="PROCESSING_FAILED",
                forget=(*IMAGES, "again:"),
            )
        return NotYet(POLL_SECONDS[0], {_key(item): self._upload(access, item), again: True})

    def commit(self, access: Access, content: Content, handles: Handles) -> Published:
        created = self.api.create_post(access.token, body_of(access.account_id, content, handles))
        # Without an id it is published all the same; sending it again would publish it twice.
        if not created.urn:
            logger.error("LinkedIn took a post and named no id for it; request %s", created.request_id or "?")
        return Published(created.urn, self.permalink(access, created.urn), created.request_id)

    def look(
        self, access: Access, content: Content, handles: Handles, *, since: datetime, claimed: Collection[str]
    ) -> Published | Absent | Unknowable:
        start = since - LOOK_BACK
        clock = f"{start.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        if not _is_organization(access.account_id):
            return Unknowable(
                _(
                    "LinkedIn lets no app read the posts of a member, so we cannot look. Open the profile's activity at "
                    "LinkedIn and see whether this post is there since %(time)s UTC."
                )
                % {"time": clock}
            )
        try:
            posts = self.api.posts_by(access.token, access.account_id)
        except PermissionMissingError as error:
            return Unknowable(
                _("LinkedIn does not let us read the posts of this page. Open it and see for yourself. %(words)s")
                % {"words": error.platform_message}
            )
        recent = [post for post in posts if (_created(post) or since) >= start]
        if len(posts) >= COUNT and len(recent) == len(posts):
            return Unknowable(_("The page published so much in that time that we could not read all of it."))
        matches = _matches(recent, content, handles, claimed)
        if len(matches) == 1:
            urn = str(matches[0]["id"])
            return Published(urn, self.permalink(access, urn), published_at=_published_at(matches[0]))
        if matches:
            places = ", ".join(self.permalink(access, str(post["id"])) for post in matches)
            return Unknowable(
                _("%(number)d posts on the page look like this one: %(places)s.")
                % {"number": len(matches), "places": places}
            )
        return Absent(
            _("%(number)d posts since %(time)s UTC read on the page; this one is not among them.")
            % {"number": len(recent), "time": clock}
        )

    def permalink(self, access: Access, platform_post_id: str) -> str:
        """Made of the id as LinkedIn gave it; nothing is asked."""
        return f"{FEED}{platform_post_id}/" if platform_post_id else ""

    # Reading

    def profile(self, access: Access) -> Profile:
        if _is_organization(access.account_id):
            page = self.api.organization(access.token, access.account_id)
            return Profile(page.name, page.vanity_name, page.picture, followers_count=page.followers)
        member = self.api.userinfo(access.token)
        return Profile(member.name, picture_url=member.picture, followers_count=self._member_followers(access))

    def _member_followers(self, access: Access) -> int | None:
        if PROFILE_ANALYTICS not in self.api.config.scopes:
            return None
        try:
            entries = self.api.finder("memberFollowersCount", access.token, {"q": "me"})
        except PermissionMissingError:
            return None
        return next((number_of(entry.get("memberFollowersCount")) for entry in entries), None)

    def account_figures(self, access: Access, *, since: datetime, until: datetime) -> AccountFigures:
        """Figures of the UTC day (as LinkedIn counts) that begins in the span, once it is over.

        metrics: views, reach, clicks, likes, comments, shares, engagements, profile_views, follows. Numbers can be
        negative, when more likes were taken back than given. raw: LinkedIn's own names.
        """
        day = _day_in(since, until)
        if day is None or day + DAY > datetime.now(UTC):
            return AccountFigures()
        if _is_organization(access.account_id):
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

    def post_figures(self, access: Access, platform_post_ids: Sequence[str]) -> list[PostFigures]:
        if _is_organization(access.account_id):
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

    def recent_posts(self, access: Access, *, since: datetime, limit: int = 25) -> list[RemotePost]:
        if not _is_organization(access.account_id):
            return []
        posts: list[RemotePost] = []
        for entry in self._newest(access, since, limit):
            posted_at = _published_at(entry)
            if posted_at and posted_at >= since and entry.get("id"):
                urn = str(entry["id"])
                text = unescape(str(entry.get("commentary") or ""))
                posts.append(RemotePost(urn, text, posted_at, self.permalink(access, urn), _kind(entry)))
        return sorted(posts, key=lambda post: post.posted_at, reverse=True)[:limit]

    def _newest(self, access: Access, since: datetime, limit: int) -> Iterator[dict[str, Any]]:
        """Posts, newest first, until they are older than asked for."""
        count = min(limit, COUNT)
        for start in range(0, limit, count):
            entries = self.api.posts_by(access.token, access.account_id, count=count, start=start)
            yield from entries
            oldest = min((at for entry in entries if (at := _created(entry))), default=since)
            if len(entries) < count or oldest < since:
                return


def body_of(author: str, content: Content, handles: Handles) -> dict[str, Any]:
    """The post as LinkedIn wants it."""
    body: dict[str, Any] = {
        "author": author,
        "commentary": escape(commentary_of(content)),
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }
    if shown := _shown(content, handles):
        body["content"] = shown
    return body


def title_of(link: str) -> str:
    """What stands on the card of a link: LinkedIn does not read the page, and a card needs a title."""
    return (urlsplit(link).hostname or link).removeprefix("www.")


def _shown(content: Content, handles: Handles) -> dict[str, Any]:
    images = [
        {"id": str(handles[_key(item)]), **({"altText": item.alt_text} if item.alt_text else {})}
        for item in content.media
    ]
    if content.link and (content.post_type is PostType.LINK or not images):
        thumbnail = {"thumbnail": images[0]["id"]} if images else {}
        return {"article": {"source": content.link, "title": title_of(content.link), **thumbnail}}
    if len(images) > 1:
        return {"multiImage": {"images": images}}
    return {"media": images[0]} if images else {}


def _key(item: MediaItem) -> str:
    return f"image:{item.position}"


def _is_organization(urn: str) -> bool:
    return kind_of(urn) != "person"


def _not_yet(began: str, polls: int, ready: Sequence[str]) -> NotYet:
    """Each look is a call of a hundred a day, so an image that is ready is not looked at again."""
    if datetime.now(UTC) - datetime.fromisoformat(began) > GIVE_UP:
        raise TemporaryError(
            _("LinkedIn has worked on the images for too long. They are uploaded again by themselves."), forget=IMAGES
        )
    seconds = POLL_SECONDS[min(polls, len(POLL_SECONDS) - 1)]
    return NotYet(seconds, {"ready:began": began, "ready:polls": polls + 1, "ready:images": list(ready)})


# Reading posts


def _created(post: Mapping[str, Any]) -> datetime | None:
    return instant_of(post.get("createdAt"))


def _published_at(post: Mapping[str, Any]) -> datetime | None:
    return instant_of(post.get("publishedAt")) or _created(post)


def _matches(
    posts: Sequence[dict[str, Any]], content: Content, handles: Handles, claimed: Collection[str]
) -> list[dict[str, Any]]:
    """Ours among the posts: by the images we uploaded where they can be seen, else by its words and kind."""
    uploaded = {str(handles[_key(item)]) for item in content.media if _key(item) in handles}
    free = [
        post
        for post in posts
        if post.get("id")
        and str(post["id"]) not in claimed
        and post.get("lifecycleState") not in ("DRAFT", "PUBLISH_FAILED")
    ]
    if exact := [post for post in free if uploaded & _images(post)]:
        return exact
    text, kind = normalise(commentary_of(content)), _wanted_kind(content)
    return [
        post
        for post in free
        if not (uploaded and _images(post))
        and normalise(unescape(str(post.get("commentary") or ""))) == text
        and _kind(post) in kind
        and _same_source(post, content)
    ]


def _content(post: Mapping[str, Any]) -> Mapping[str, Any]:
    found = post.get("content")
    return found if isinstance(found, dict) else {}


def _part(post: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = _content(post).get(name)
    return found if isinstance(found, dict) else {}


def _images(post: Mapping[str, Any]) -> set[str]:
    entries = [_part(post, "media"), *(_part(post, "multiImage").get("images") or ())]
    found = [entry.get("id") for entry in entries if isinstance(entry, dict)]
    return {str(urn) for urn in [*found, _part(post, "article").get("thumbnail")] if urn}


def _kind(post: Mapping[str, Any]) -> str:
    """image, video, document, multiImage, article, poll or text."""
    content = _content(post)
    if "media" in content:
        return kind_of(str(_part(post, "media").get("id") or "")) or "media"
    return next((name for name in ("multiImage", "article", "poll") if name in content), "text")


def _wanted_kind(content: Content) -> tuple[str, ...]:
    if content.link and (content.post_type is PostType.LINK or not content.media):
        return ("article",)
    if len(content.media) > 1:
        return ("multiImage",)
    return ("image", "media") if content.media else ("text",)


def _same_source(post: Mapping[str, Any], content: Content) -> bool:
    source = _part(post, "article").get("source")
    return not source or str(source).rstrip("/") == content.link.rstrip("/")


# Reading figures


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
