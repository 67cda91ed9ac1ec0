"""Facebook Pages: text, links, one or several photos, videos, reels and stories.

Photos are always staged unpublished first, also a single one: then the post is known by the ids of its photos and can be
found again exactly when an answer is lost. Source: Graph API v26.0, Page feed and photos, read September to October 2026.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from socialhub.platforms import facebook_after, facebook_video
from socialhub.platforms.base import (
    Absent,
    Accepted,
    Access,
    AccountReading,
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
from socialhub.platforms.errors import (
    OurBugError,
    OutcomeUnknownError,
    PlatformError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.facebook_figures import PAGE_LIMIT, Figures
from socialhub.platforms.facebook_reading import message_of, photos_in, same_link
from socialhub.platforms.facebook_story import Stories
from socialhub.platforms.facebook_video import Videos, has_video
from socialhub.platforms.meta import Meta, UnendingError, id_in, instant_of
from socialhub.platforms.meta_errors import is_repeat
from socialhub.platforms.meta_insights import DAY_ZONE
from socialhub.platforms.text import normalise

STAGED_LIFE = timedelta(hours=23)  # Meta drops unpublished photos after about 24 hours
LOOK_BACK = timedelta(seconds=120)  # clocks differ, and the call began before its answer
LOOK_PAGES = 10
PHOTOS = ("photo:", "staged_at")  # all handles and steps of staged photos
REPEAT = "repeat"  # Meta has refused our call as a repeat once; since then a look has not found it


class Facebook(Platform):
    """A Page, acting with its Page token."""

    key: ClassVar[str] = "facebook"
    label: ClassVar[str] = "Facebook"
    first_look_seconds: ClassVar[float] = 30
    look_every_seconds: ClassVar[float] = 60
    absent_after_seconds: ClassVar[float] = 900
    totals: ClassVar[tuple[str, ...]] = ("followers_count", "likes_count")
    unseen: ClassVar[tuple[str, ...]] = PHOTOS
    day_zone: ClassVar[str] = DAY_ZONE
    history_days: ClassVar[int] = 365
    lists_figures: ClassVar[int] = PAGE_LIMIT

    def __init__(self, meta: Meta) -> None:
        self.meta = meta
        self.figures = Figures(meta)
        self.videos = Videos(meta)
        self.stories = Stories(meta, self.videos)

    # Publishing

    def plan(self, content: Content) -> tuple[Step, ...]:
        if has_video(content):
            calls = {"publish": 1, "reels": 1} if content.post_type is PostType.REEL else {"publish": 1}
            return (*facebook_video.steps_of(content), Step("post", StepKind.COMMIT, _("Publishing"), calls))
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
        """A part of the video, or one photo, unpublished."""
        if has_video(content):
            return self.videos.perform(step, access, content, handles)
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

    def commit(self, access: Access, content: Content, handles: Handles) -> Published | Accepted:
        try:
            if has_video(content):
                return self.videos.finish(access, content, handles)
            _refuse_old_photos(handles)
            if len(_staged(content, handles)) != len(content.media):
                raise OurBugError(
                    _("Not all images of this post were uploaded. Nothing was published; an administrator must look.")
                )
            if content.post_type is PostType.STORY:
                return self.stories.publish_photo(access, _staged(content, handles)[0], stale=PHOTOS)
            return self._post(access, content, handles)
        except OutcomeUnknownError as error:
            if is_repeat(error):
                raise _repeated(error, handles) from error
            raise

    def _post(self, access: Access, content: Content, handles: Handles) -> Published:
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
            stale=PHOTOS,
        )
        post_id = id_in(reply.json)
        if not post_id:
            raise OutcomeUnknownError(
                _("Facebook took the post but gave no id for it. We look at the Page before anything is tried again.")
            )
        return Published(post_id, str(reply.json.get("permalink_url") or ""), reply.request_id)

    def look(
        self, access: Access, content: Content, handles: Handles, *, since: datetime, claimed: Collection[str]
    ) -> Published | Absent | Unknowable | NotYet:
        start = since - LOOK_BACK
        if content.post_type is PostType.STORY:
            return self.stories.look(access, content, handles, since=start, claimed=claimed)
        if has_video(content) and handles.get("video"):
            return self.videos.look(access, content, handles, claimed=claimed)
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
        evidence = _("%(number)d posts since %(time)s UTC read on the Page; this one is not among them.") % {
            "number": len(recent),
            "time": f"{start.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        }
        # Whether the list shows every kind of video is declared nowhere; only its own id would tell.
        return Unknowable(evidence) if has_video(content) else Absent(evidence)

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
        if exact := [post for post in free if set(staged) & photos_in(post)]:
            return exact
        return [
            post
            for post in free
            if not (photos_in(post) and (staged or not (content.media or "://" in content.link + content.text)))
            and normalise(post.get("message")) == normalise(message_of(content))
            and same_link(content, post)
        ]

    def _may_be_ours(self, post: Mapping[str, Any]) -> bool:
        application = post.get("application")
        app_id = application.get("id") if isinstance(application, dict) else None
        return not app_id or str(app_id) == self.meta.config.app_id

    def discard(self, access: Access, handles: Handles) -> None:
        """Staged photos, unless a post shows them after all. Unfinished videos go away by themselves."""
        for key, photo in handles.items():
            if not key.startswith("photo:"):
                continue
            node = self.meta.get(str(photo), access.token, {"fields": "id,page_story_id"}, account_id=access.account_id)
            if not node.get("page_story_id"):
                self.meta.delete(str(photo), access.token)

    def permalink(self, access: Access, platform_post_id: str) -> str:
        answer = self.meta.get(
            platform_post_id, access.token, {"fields": "permalink_url"}, account_id=access.account_id
        )
        shown = facebook_video.address_of(answer.get("permalink_url"))
        return shown or f"{facebook_video.FACEBOOK}/{platform_post_id}"

    # After publishing

    def seen(self, access: Access, platform_post_id: str, content: Content) -> Seen:
        if content.post_type is PostType.STORY:
            return self.stories.seen(access, platform_post_id)
        return facebook_after.seen(self.meta, access, platform_post_id, content)

    def comment(self, access: Access, platform_post_id: str, text: str) -> str:
        return facebook_after.comment(self.meta, access, platform_post_id, text)

    def find_comment(self, access: Access, platform_post_id: str, text: str) -> str | Unknowable:
        return facebook_after.find_comment(self.meta, access, platform_post_id, text)

    # Reading

    def profile(self, access: Access) -> Profile:
        return self.figures.profile(access)

    def read_account(
        self, access: Access, *, days: Sequence[datetime] = (), skip: Collection[str] = ()
    ) -> AccountReading:
        return self.figures.account(access, days, skip)

    def post_figures(
        self, access: Access, posts: Mapping[str, str], *, skip: Collection[str] = ()
    ) -> list[PostFigures]:
        """The products do not matter here: a post itself tells whether it shows a video."""
        return self.figures.posts(access, posts, skip)

    def recent_posts(
        self, access: Access, *, since: datetime, limit: int = 25, figures: bool = False, skip: Collection[str] = ()
    ) -> list[RemotePost]:
        return self.figures.recent(access, since, limit, figures, skip)


def _refuse_old_photos(handles: Handles) -> None:
    staged_at = handles.get("staged_at")
    if staged_at and datetime.now(UTC) - datetime.fromisoformat(staged_at) > STAGED_LIFE:
        raise TemporaryError(
            _("The uploaded images are a day old and expired at Facebook. They are uploaded again by themselves."),
            forget=PHOTOS,
        )


def _repeated(error: OutcomeUnknownError, handles: Handles) -> PlatformError:
    """Perhaps our own lost success, so it is looked for. Once that has shown nothing, Meta means it."""
    details: dict[str, Any] = {
        "platform_message": error.platform_message,
        "code": error.code,
        "subcode": error.subcode,
        "request_id": error.request_id,
    }
    if not handles.get(REPEAT):
        return OutcomeUnknownError(error.message, handles={REPEAT: error.code}, **details)
    return RejectedError(
        _(
            "Facebook refuses this as a repeat of an earlier post, and it is not on the Page. Change the text or the images "
            "to publish it."
        ),
        forget=(REPEAT,),
        **details,
    )


def _staged(content: Content, handles: Handles) -> list[str]:
    keys = [f"photo:{item.position}" for item in content.media]
    return [str(handles[key]) for key in keys if key in handles]
