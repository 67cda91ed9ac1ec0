"""Facebook Pages: text, links, one or several photos.

Photos are always staged unpublished first, also a single one: then the post is known by the ids of its photos and can be
found again exactly when an answer is lost. Source: Graph API v26.0, Page feed and photos, read September to October 2026.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

from django.utils.translation import gettext as _

from socialhub.platforms.base import (
    Absent,
    Access,
    AccountFigures,
    Content,
    Done,
    Handles,
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
    OutcomeUnknownError,
    PermissionMissingError,
    PlatformError,
    TemporaryError,
)
from socialhub.platforms.meta import Meta, UnendingError, id_in, instant_of, number_in, picture_of
from socialhub.platforms.meta_insights import Ask, Insights, Told, figures_of, number_of, refuse_gaps, value_of, whole
from socialhub.platforms.text import normalise

STAGED_LIFE = timedelta(hours=23)  # Meta drops unpublished photos after about 24 hours
LOOK_BACK = timedelta(seconds=120)  # clocks differ, and the call began before its answer
LOOK_PAGES = 10
DAY = timedelta(days=1)

# Metric of Meta -> our name. Source: Page insights, read September to October 2026.
PAGE_METRICS: tuple[dict[str, str], ...] = (
    {"page_media_view": "views", "page_total_media_view_unique": "reach", "page_post_engagements": "engagements"},
    {
        "page_follows": "followers",
        "page_daily_follows_unique": "follows",
        "page_daily_unfollows_unique": "unfollows",
    },
    {"page_views_total": "profile_views", "page_total_actions": "clicks"},
    {"page_video_views": "video_views"},
)
POST_METRICS = ("post_media_view", "post_total_media_view_unique", "post_clicks", "post_reactions_by_type_total")
POST_FIELDS = "id,shares,comments.limit(0).summary(true),reactions.limit(0).summary(true)"
POST_FIELDS_ALLOWED = "id,shares"  # without pages_read_user_content


class Facebook(Platform):
    """A Page, acting with its Page token."""

    key: ClassVar[str] = "facebook"
    label: ClassVar[str] = "Facebook"
    first_look_seconds: ClassVar[float] = 30
    look_every_seconds: ClassVar[float] = 60
    absent_after_seconds: ClassVar[float] = 900
    totals: ClassVar[tuple[str, ...]] = ("followers_count", "likes_count")

    def __init__(self, meta: Meta) -> None:
        self.meta = meta
        self.page_insights = Insights(meta)
        self.post_insights = Insights(meta)

    # Publishing

    def plan(self, content: Content) -> tuple[Step, ...]:
        total = len(content.media)
        photos = [
            Step(
                f"photo:{item.position}",
                StepKind.PREPARE,
                _("Uploading image %(number)d of %(total)d") % {"number": number, "total": total},
                {"publish": 1},
            )
            for number, item in enumerate(content.media, start=1)
        ]
        return (*photos, Step("post", StepKind.COMMIT, _("Publishing"), {"publish": 1}))

    def perform(self, step: Step, access: Access, content: Content, handles: Handles) -> Done | NotYet:
        """Stage one photo, unpublished."""
        _refuse_old_photos(handles)
        if step.key in handles:
            return Done()
        item = next(item for item in content.media if f"photo:{item.position}" == step.key)
        fields = {"published": "false"}
        if item.alt_text:
            fields["alt_text_custom"] = item.alt_text
        reply = self.meta.post(
            f"{access.account_id}/photos",
            access.token,
            fields,
            files={"source": (f"photo-{item.position}.jpg", item.read(), item.content_type)},
            account_id=access.account_id,
        )
        photo_id = id_in(reply.json)
        if not photo_id:
            raise TemporaryError(_("Facebook took the image but gave no id for it. It is tried again by itself."))
        staged_at = handles.get("staged_at") or datetime.now(UTC).isoformat(timespec="seconds")
        return Done({step.key: photo_id, "staged_at": staged_at}, reply.request_id)

    def commit(self, access: Access, content: Content, handles: Handles) -> Published:
        _refuse_old_photos(handles)
        fields = {"fields": "id,permalink_url"}
        if message := message_of(content):
            fields["message"] = message
        if content.media:
            fields["attached_media"] = json.dumps([{"media_fbid": photo} for photo in _staged(content, handles)])
        elif content.link:
            fields["link"] = content.link
        reply = self.meta.post(
            f"{access.account_id}/feed",
            access.token,
            fields,
            commit=True,
            account_id=access.account_id,
            stale=("photo:", "staged_at"),
        )
        post_id = id_in(reply.json)
        if not post_id:
            raise OutcomeUnknownError(
                _("Facebook took the post but gave no id for it. We look at the Page before anything is tried again.")
            )
        return Published(post_id, str(reply.json.get("permalink_url") or ""), reply.request_id)

    def look(
        self, access: Access, content: Content, handles: Handles, *, since: datetime, claimed: Collection[str]
    ) -> Published | Absent | Unknowable:
        start = since - LOOK_BACK
        try:
            posts = list(self._published_since(access, start))
        except UnendingError:
            return Unknowable(_("The Page published so much in that time that we could not read all of it."))
        recent = [post for post in posts if (instant_of(post.get("created_time")) or since) >= start]
        matches = self._matches(recent, content, _staged(content, handles), claimed)
        if len(matches) == 1:
            post = matches[0]
            return Published(
                str(post["id"]),
                str(post.get("permalink_url") or ""),
                published_at=instant_of(post.get("created_time")),
            )
        if matches:
            places = ", ".join(str(post.get("permalink_url") or post["id"]) for post in matches)
            return Unknowable(
                _("%(number)d posts on the Page look like this one: %(places)s.")
                % {"number": len(matches), "places": places}
            )
        return Absent(
            _("%(number)d posts since %(time)s UTC read on the Page; this one is not among them.")
            % {"number": len(recent), "time": f"{start.astimezone(UTC):%Y-%m-%d %H:%M:%S}"}
        )

    def _published_since(self, access: Access, start: datetime) -> Iterator[dict[str, Any]]:
        return self.meta.paged(
            f"{access.account_id}/published_posts",
            access.token,
            {
                "fields": "id,message,created_time,permalink_url,status_type,is_published,application,"
                "attachments{media_type,target,subattachments}",
                "since": str(int(start.timestamp())),
                "limit": "50",
            },
            page_limit=LOOK_PAGES,
            whole=True,
            account_id=access.account_id,
        )

    def _matches(
        self, posts: Iterable[dict[str, Any]], content: Content, staged: Sequence[str], claimed: Collection[str]
    ) -> list[dict[str, Any]]:
        """Ours among the posts: by the photos we staged where they can be seen, else by its words."""
        free = [post for post in posts if post.get("id") and str(post["id"]) not in claimed and self._may_be_ours(post)]
        if exact := [post for post in free if set(staged) & _photos_in(post)]:
            return exact
        return [
            post
            for post in free
            if not (staged and _photos_in(post))
            and normalise(post.get("message")) == normalise(message_of(content))
            and _same_link(content, post)
        ]

    def _may_be_ours(self, post: Mapping[str, Any]) -> bool:
        application = post.get("application")
        app_id = application.get("id") if isinstance(application, dict) else None
        return not app_id or str(app_id) == self.meta.config.app_id

    def permalink(self, access: Access, platform_post_id: str) -> str:
        answer = self.meta.get(
            platform_post_id, access.token, {"fields": "permalink_url"}, account_id=access.account_id
        )
        return str(answer.get("permalink_url") or f"https://www.facebook.com/{platform_post_id}")

    # Reading

    def profile(self, access: Access) -> Profile:
        answer = self.meta.get(
            access.account_id,
            access.token,
            {"fields": "id,name,username,picture{url},followers_count,fan_count"},
            account_id=access.account_id,
        )
        return Profile(
            name=str(answer.get("name") or ""),
            username=str(answer.get("username") or ""),
            picture_url=picture_of(answer),
            followers_count=number_in(answer, "followers_count"),
            likes_count=number_in(answer, "fan_count"),
        )

    def account_figures(self, access: Access, *, since: datetime, until: datetime) -> AccountFigures:
        """Figures of the Page's day (in Pacific time, as Meta counts) that begins in the span, once it is over.

        metrics: views, reach, engagements, followers, follows, unfollows, profile_views, clicks, video_views.
        raw: Meta's own names. A Page with few followers has none.
        """
        last = min(until + DAY, datetime.now(UTC))  # the day that begins in the span ends up to a day behind it
        span = {
            "period": "day",
            "since": str(int(since.timestamp())),
            "until": str(int(last.timestamp())),
        }
        asks = [Ask(access.account_id, tuple(group), span) for group in PAGE_METRICS]
        told = [
            replace(answer, entries={name: _begun(entry, since, until) for name, entry in answer.entries.items()})
            for answer in self.page_insights.read(access, asks)
        ]
        return figures_of(told, PAGE_METRICS)

    def post_figures(self, access: Access, platform_post_ids: Sequence[str]) -> list[PostFigures]:
        nodes = self._nodes(access, platform_post_ids)
        asks = [Ask(post_id, POST_METRICS) for post_id in nodes]
        told = self.post_insights.read(access, asks)
        refuse_gaps(told)
        return [
            _post_figures(post_id, node, answer) for (post_id, node), answer in zip(nodes.items(), told, strict=True)
        ]

    def _nodes(self, access: Access, post_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Counts of the posts that are still there."""
        found = self._batch(access, post_ids, POST_FIELDS)
        refused = [post_id for post_id, node in found.items() if isinstance(node, PermissionMissingError)]
        if refused:
            found |= self._batch(access, refused, POST_FIELDS_ALLOWED)
        nodes = {}
        for post_id, node in found.items():
            if isinstance(node, NotFoundError):
                continue
            if isinstance(node, PlatformError):
                raise node
            nodes[post_id] = node
        return nodes

    def _batch(self, access: Access, post_ids: Sequence[str], fields: str) -> dict[str, dict[str, Any] | PlatformError]:
        addresses = [f"{post_id}?{urlencode({'fields': fields}, safe=',().')}" for post_id in post_ids]
        return dict(zip(post_ids, self.meta.batch(access.token, addresses, account_id=access.account_id), strict=True))

    def recent_posts(self, access: Access, *, since: datetime, limit: int = 25) -> list[RemotePost]:
        entries = self.meta.paged(
            f"{access.account_id}/published_posts",
            access.token,
            {
                "fields": "id,message,created_time,permalink_url,status_type,full_picture,attachments{media_type}",
                "since": str(int(since.timestamp())),
                "limit": str(min(limit, 100)),
            },
            page_limit=-(-limit // min(limit, 100)),
            account_id=access.account_id,
        )
        posts = [post for entry in entries if (post := _remote_post(entry)) and post.posted_at >= since]
        return sorted(posts, key=lambda post: post.posted_at, reverse=True)[:limit]


def message_of(content: Content) -> str:
    """The text as it is sent. A post with photos cannot have a link beside them, so it goes into the text."""
    if content.media and content.link and content.link not in content.text:
        return f"{content.text}\n\n{content.link}".strip()
    return content.text


def _refuse_old_photos(handles: Handles) -> None:
    staged_at = handles.get("staged_at")
    if staged_at and datetime.now(UTC) - datetime.fromisoformat(staged_at) > STAGED_LIFE:
        raise TemporaryError(
            _("The uploaded images are a day old and expired at Facebook. They are uploaded again by themselves."),
            forget=("photo:", "staged_at"),
        )


def _staged(content: Content, handles: Handles) -> list[str]:
    keys = [f"photo:{item.position}" for item in content.media]
    return [str(handles[key]) for key in keys if key in handles]


def _attachments(post: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Attachments of a post with those inside of them."""
    found: list[dict[str, Any]] = []
    waiting = [post.get("attachments")]
    while waiting:
        edge = waiting.pop()
        entries = edge.get("data") if isinstance(edge, dict) else None
        for entry in entries or ():
            if isinstance(entry, dict):
                found.append(entry)
                waiting.append(entry.get("subattachments"))
    return found


def _photos_in(post: Mapping[str, Any]) -> set[str]:
    targets = [entry.get("target") for entry in _attachments(post) if entry.get("media_type") != "link"]
    return {str(target["id"]) for target in targets if isinstance(target, dict) and target.get("id")}


def _same_link(content: Content, post: Mapping[str, Any]) -> bool:
    """The links agree, as far as the post shows its link. Without a text only the link itself can tell."""
    if content.media or not content.link:
        return True
    targets = [entry.get("target") for entry in _attachments(post)]
    shown = {_plain_link(str(t["url"])) for t in targets if isinstance(t, dict) and t.get("url")}
    if not shown:
        return bool(normalise(content.text))
    return _plain_link(content.link) in shown


def _plain_link(url: str) -> str:
    """The address without Facebook's detour, without scheme and closing slash."""
    parts = urlsplit(url)
    if (parts.hostname or "").endswith("facebook.com") and parts.path == "/l.php":
        url = parse_qs(parts.query).get("u", [url])[0]
    return url.partition("://")[2].rstrip("/") or url


def _begun(entry: Mapping[str, Any], since: datetime, until: datetime) -> dict[str, Any]:
    """The entry with only the values of days that begin in the span. end_time is the end of a value's day."""
    values = []
    for value in entry.get("values") or ():
        end = instant_of(value.get("end_time"))
        if end is None or since <= end - DAY < until:
            values.append(value)
    return {**entry, "values": values}


def _summary_count(node: Mapping[str, Any], edge: str) -> int | None:
    part = node.get(edge)
    summary = part.get("summary") if isinstance(part, dict) else None
    return number_in(summary, "total_count") if isinstance(summary, dict) else None


def _post_figures(post_id: str, node: Mapping[str, Any], told: Told) -> PostFigures:
    shares = node.get("shares")
    likes = _summary_count(node, "reactions")
    if likes is None:
        likes = whole(number_of(told.entries.get("post_reactions_by_type_total")))
    return PostFigures(
        post_id,
        likes=likes,
        comments=_summary_count(node, "comments"),
        shares=number_in(shares, "count") if isinstance(shares, dict) else 0,  # Meta leaves `shares` out for none
        views=whole(number_of(told.entries.get("post_media_view"))),
        reach=whole(number_of(told.entries.get("post_total_media_view_unique"))),
        clicks=whole(number_of(told.entries.get("post_clicks"))),
        raw={name: value_of(entry) for name, entry in told.entries.items()},
        dead_metrics=told.dead,
    )


def _remote_post(entry: Mapping[str, Any]) -> RemotePost | None:
    posted_at = instant_of(entry.get("created_time"))
    if not posted_at or not entry.get("id"):
        return None
    kinds = [str(found["media_type"]) for found in _attachments(entry) if found.get("media_type")]
    return RemotePost(
        str(entry["id"]),
        text=str(entry.get("message") or ""),
        posted_at=posted_at,
        permalink=str(entry.get("permalink_url") or ""),
        media_type=kinds[0] if kinds else PostType.TEXT,
        thumbnail_url=str(entry.get("full_picture") or ""),
    )
