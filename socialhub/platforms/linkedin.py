"""LinkedIn members and organizations: text, link, one or several images, video, document, and a first comment.

The account's id is its author URN. What a member wrote cannot be read back (LinkedIn grants that to nobody new), so after
a lost answer only a person can tell; the posts of an organization are found by their media, or by text, kind and time.
Source: LinkedIn Posts, Comments and Community Management documentation, version 202609, read November 2026.
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
    AccountReading,
    AudienceReading,
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
    Seen,
    Step,
    StepKind,
    Unknowable,
)
from socialhub.platforms.errors import NotFoundError, OurBugError, PermissionMissingError
from socialhub.platforms.linkedin_api import COUNT, LinkedInApi, comment_id_of, instant_of, is_organization, kind_of
from socialhub.platforms.linkedin_errors import DUPLICATE_OF
from socialhub.platforms.linkedin_figures import Figures
from socialhub.platforms.linkedin_rules import (
    COMMENT_SCOPES,
    DOCUMENT_TITLE,
    LINK_DESCRIPTION,
    LINK_TITLE,
    commentary_of,
    has_card,
)
from socialhub.platforms.linkedin_text import escape, readable, unescape
from socialhub.platforms.linkedin_upload import Uploads, steps_of, uploaded
from socialhub.platforms.metrics.linkedin import FULL_READINGS_A_DAY, READINGS_A_DAY
from socialhub.platforms.text import normalise

logger = logging.getLogger(__name__)

FEED = "https://www.linkedin.com/feed/update/"
LOOK_BACK = timedelta(seconds=120)  # clocks differ, and the call began before its answer
NOT_PUBLIC = ("DRAFT", "PUBLISH_FAILED", "DELETED")  # states of a post that nobody sees


class LinkedIn(Platform):
    """A member (urn:li:person:…) or an organization (urn:li:organization:…), acting with a member's token."""

    key: ClassVar[str] = "linkedin"
    label: ClassVar[str] = "LinkedIn"
    first_look_seconds: ClassVar[float] = 45
    look_every_seconds: ClassVar[float] = 270
    absent_after_seconds: ClassVar[float] = 580  # at the third look, ten minutes after the call
    settles_after_days: ClassVar[int] = 7  # numbers are restated
    history_days: ClassVar[int] = 180  # LinkedIn tells 12 months
    lists_figures: ClassVar[int] = COUNT  # with a second call for all of them
    has_audience: ClassVar[bool] = True
    # LinkedIn "Data storage requirements": what members did 48 hours, what organizations did six months at most.
    raw_kept_days: ClassVar[int | None] = 2
    figures_kept_days: ClassVar[Mapping[str, int]] = {"person": 2, "organization": 180}
    figures_every_seconds: ClassVar[float] = 86_400 / READINGS_A_DAY
    full_every_seconds: ClassVar[float] = 86_400 / FULL_READINGS_A_DAY

    def __init__(self, api: LinkedInApi) -> None:
        self.api = api
        self._uploads = Uploads(api)
        self._figures = Figures(api)

    # Publishing

    def plan(self, content: Content) -> tuple[Step, ...]:
        return (*steps_of(content), Step("post", StepKind.COMMIT, _("Publishing"), {"publish": 1}))

    def perform(self, step: Step, access: Access, content: Content, handles: Handles) -> Done | NotYet:
        return self._uploads.perform(step, access, content, handles)

    def commit(self, access: Access, content: Content, handles: Handles) -> Published:
        created = self.api.create_post(access.token, body_of(access.account_id, content, handles))
        # Without an id it is published all the same; sending it again would publish it twice.
        if not created.urn:
            logger.error("LinkedIn took a post and named no id for it; request %s", created.request_id or "?")
        return Published(created.urn, self.permalink(access, created.urn), created.request_id)

    def look(
        self, access: Access, content: Content, handles: Handles, *, since: datetime, claimed: Collection[str]
    ) -> Published | Absent | Unknowable:
        named = str(handles.get(DUPLICATE_OF) or "")
        if named and (found := self._named(access, content, handles, named, claimed)):
            return found
        start = since - LOOK_BACK
        clock = f"{start.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        if not is_organization(access.account_id):
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
            return self._found(access, matches[0])
        if matches:
            places = ", ".join(self.permalink(access, str(post["id"])) for post in matches)
            return Unknowable(
                _("%(number)d posts on the page look like this one: %(places)s.")
                % {"number": len(matches), "places": places}
            )
        return Absent(
            _("%(number)d posts since %(time)s UTC read on the page; this one is not among them.")
            % {"number": len(recent), "time": clock},
            forget=(DUPLICATE_OF,) if named else (),
        )

    def _named(
        self, access: Access, content: Content, handles: Handles, urn: str, claimed: Collection[str]
    ) -> Published | Absent | Unknowable | None:
        """LinkedIn refused our call as a repeat of this post: is that ours? None: it is gone, so it tells nothing."""
        place = self.permalink(access, urn)
        if urn in claimed:
            return Absent(
                _("LinkedIn refused it as a repeat of %(place)s, which belongs to another post of yours.")
                % {"place": place},
                forget=(DUPLICATE_OF,),
            )
        asked = _("LinkedIn refused it as a repeat of %(place)s. Open that: if it is this post, it is published.") % {
            "place": place
        }
        if not is_organization(access.account_id):
            return Unknowable(asked)
        try:
            post = self.api.read_post(access.token, urn)
        except NotFoundError:
            return None
        except PermissionMissingError:
            return Unknowable(asked)
        same = _matches([{**post, "id": urn}], content, handles, claimed)
        return self._found(access, same[0]) if same else Unknowable(asked)

    def _found(self, access: Access, post: Mapping[str, Any]) -> Published:
        urn = str(post["id"])
        return Published(urn, self.permalink(access, urn), published_at=_published_at(post))

    def permalink(self, access: Access, platform_post_id: str) -> str:
        """Made of the id as LinkedIn gave it; nothing is asked."""
        return f"{FEED}{platform_post_id}/" if platform_post_id else ""

    # After publishing

    def seen(self, access: Access, platform_post_id: str, content: Content) -> Seen:
        """Posts of organizations are read; those of members nobody may read, so nothing is asked."""
        if not is_organization(access.account_id) or not platform_post_id:
            return Seen(None, evidence=_("LinkedIn lets no app read the posts of a member."))
        try:
            post = self.api.read_post(access.token, platform_post_id)
        except NotFoundError:
            return Seen(exists=False, evidence=_("LinkedIn does not find the post any more."))
        except PermissionMissingError as error:
            return Seen(None, evidence=error.platform_message)
        state = str(post.get("lifecycleState") or "")
        if state in NOT_PUBLIC:
            return Seen(exists=False, evidence=_("LinkedIn says that the post is %(state)s.") % {"state": state})
        return Seen(exists=True, media=len(_media(post)), permalink=self.permalink(access, platform_post_id))

    def comment(self, access: Access, platform_post_id: str, text: str) -> str:
        """The text is plain, so of a mention there is only the name."""
        scope = COMMENT_SCOPES["organization" if is_organization(access.account_id) else "person"]
        if scope not in self.api.config.scopes:
            raise _no_comments(scope)
        try:
            return self.api.create_comment(access.token, access.account_id, platform_post_id, readable(text))
        except PermissionMissingError as error:
            raise _no_comments(scope, error) from error

    def find_comment(self, access: Access, platform_post_id: str, text: str) -> str | Unknowable:
        unknowable = Unknowable(
            _("LinkedIn does not let us read the comments. Open the post and see whether the comment is there.")
        )
        if not is_organization(access.account_id):
            return unknowable
        wanted = normalise(readable(text))
        try:
            for found in self.api.comments(access.token, platform_post_id):
                message = found.get("message")
                written = message.get("text") if isinstance(message, dict) else ""
                if found.get("actor") == access.account_id and normalise(str(written or "")) == wanted:
                    return comment_id_of(found)
        except PermissionMissingError:
            return unknowable
        return ""

    # Reading

    def profile(self, access: Access) -> Profile:
        if is_organization(access.account_id):
            page = self.api.organization(access.token, access.account_id)
            return Profile(page.name, page.vanity_name, page.picture, followers_count=page.followers)
        member = self.api.userinfo(access.token)
        return Profile(member.name, picture_url=member.picture, followers_count=self._figures.member_followers(access))

    def read_account(
        self, access: Access, *, days: Sequence[datetime] = (), skip: Collection[str] = ()
    ) -> AccountReading:
        """Followers, and the figures of the days, at most 12 months back. Name and picture are told by `profile`."""
        return self._figures.of_account(access, days, skip)

    def audience(self, access: Access, *, skip: Collection[str] = ()) -> AudienceReading:
        return self._figures.audience(access, skip)

    def post_figures(
        self, access: Access, posts: Mapping[str, str], *, skip: Collection[str] = ()
    ) -> list[PostFigures]:
        return self._figures.of_posts(access, posts, skip)

    def recent_posts(
        self, access: Access, *, since: datetime, limit: int = 25, figures: bool = False, skip: Collection[str] = ()
    ) -> list[RemotePost]:
        """Of a member none: LinkedIn lets no app read them."""
        if not is_organization(access.account_id):
            return []
        posts = self._listed(access, since, limit)
        return self._figures.with_figures(access, posts) if figures and posts else posts

    def _listed(self, access: Access, since: datetime, limit: int) -> list[RemotePost]:
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
    """What stands on the card of a link without a title of its own: LinkedIn does not read the page."""
    return (urlsplit(link).hostname or link).removeprefix("www.")


def _shown(content: Content, handles: Handles) -> dict[str, Any]:
    urns, chosen = uploaded(content, handles), content.choices
    if len(urns) != len(content.media):
        raise OurBugError(
            _("Not all media of this post were uploaded. Nothing was published; an administrator must look.")
        )
    if has_card(content):
        title = chosen.get(LINK_TITLE.name) or title_of(content.link)
        description = {"description": text} if (text := chosen.get(LINK_DESCRIPTION.name)) else {}
        thumbnail = {"thumbnail": urns[0]} if urns else {}
        return {"article": {"source": content.link, "title": title, **description, **thumbnail}}
    if content.post_type is PostType.DOCUMENT:
        title = chosen.get(DOCUMENT_TITLE.name) or content.media[0].title or _("Document")
        return {"media": {"id": urns[0], "title": title}}
    if content.post_type is PostType.VIDEO:
        return {"media": {"id": urns[0]}}
    images = [
        {"id": urn, **({"altText": item.alt_text} if item.alt_text else {})}
        for urn, item in zip(urns, content.media, strict=True)
    ]
    if len(images) > 1:
        return {"multiImage": {"images": images}}
    return {"media": images[0]} if images else {}


def _no_comments(scope: str, error: PermissionMissingError | None = None) -> PermissionMissingError:
    return PermissionMissingError(
        _(
            "The post is out, but LinkedIn does not let this app write comments: it needs the permission %(scope)s. Write "
            "the comment at LinkedIn yourself."
        )
        % {"scope": scope},
        scopes=(scope,),
        platform_message=error.platform_message if error else "",
        code=error.code if error else "",
        request_id=error.request_id if error else "",
    )


# Reading posts


def _created(post: Mapping[str, Any]) -> datetime | None:
    return instant_of(post.get("createdAt"))


def _published_at(post: Mapping[str, Any]) -> datetime | None:
    return instant_of(post.get("publishedAt")) or _created(post)


def _matches(
    posts: Sequence[dict[str, Any]], content: Content, handles: Handles, claimed: Collection[str]
) -> list[dict[str, Any]]:
    """Ours among the posts: by the media we uploaded where they can be seen, else by its words and kind."""
    ours = set(uploaded(content, handles))
    free = [
        post
        for post in posts
        if post.get("id") and str(post["id"]) not in claimed and post.get("lifecycleState") not in NOT_PUBLIC
    ]
    if exact := [post for post in free if ours.intersection(_media(post))]:
        return exact
    text, kind = normalise(readable(commentary_of(content))), _wanted_kind(content)
    return [
        post
        for post in free
        if not (ours and _media(post))
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


def _media(post: Mapping[str, Any]) -> list[str]:
    """URNs of all that the post shows, the picture of a card included."""
    entries = [_part(post, "media"), *(_part(post, "multiImage").get("images") or ())]
    found = [entry.get("id") for entry in entries if isinstance(entry, dict)]
    return [str(urn) for urn in [*found, _part(post, "article").get("thumbnail")] if urn]


def _kind(post: Mapping[str, Any]) -> str:
    """image, video, document, multiImage, article, poll or text."""
    content = _content(post)
    if "media" in content:
        return kind_of(str(_part(post, "media").get("id") or "")) or "media"
    return next((name for name in ("multiImage", "article", "poll") if name in content), "text")


def _wanted_kind(content: Content) -> tuple[str, ...]:
    if has_card(content):
        return ("article",)
    if len(content.media) > 1:
        return ("multiImage",)
    return (str(content.media[0].kind), "media") if content.media else ("text",)


def _same_source(post: Mapping[str, Any], content: Content) -> bool:
    source = _part(post, "article").get("source")
    return not source or str(source).rstrip("/") == content.link.rstrip("/")
