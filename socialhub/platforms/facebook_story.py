"""Stories of a Page: published from a staged photo or an uploaded video, found again in the Page's list of stories.

Source: Graph API v26.0, Page photo_stories, video_stories and stories, read September to November 2026.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from socialhub.platforms.base import Absent, Access, Content, Handles, NotYet, Published, Seen, Unknowable
from socialhub.platforms.errors import OutcomeUnknownError
from socialhub.platforms.facebook_video import Videos, has_video
from socialhub.platforms.instants import from_unix
from socialhub.platforms.meta import Meta, UnendingError, instant_of

STORY_FIELDS = "post_id,status,creation_time,media_type,media_id,url"
PAGES = 5


class Stories:
    def __init__(self, meta: Meta, videos: Videos) -> None:
        self.meta = meta
        self.videos = videos

    def publish_photo(self, access: Access, photo: str, *, stale: tuple[str, ...]) -> Published:
        """The irreversible call of a photo story."""
        reply = self.meta.post(
            f"{access.account_id}/photo_stories",
            access.token,
            {"photo_id": photo},
            commit=True,
            account_id=access.account_id,
            stale=stale,
        )
        post = str(reply.json.get("post_id") or "") if isinstance(reply.json, dict) else ""
        if not post:
            raise OutcomeUnknownError(
                _("Facebook took the story but gave no id for it. We look at the Page before anything is tried again.")
            )
        return Published(post, request_id=reply.request_id)

    def look(
        self, access: Access, content: Content, handles: Handles, *, since: datetime, claimed: Collection[str]
    ) -> Published | Absent | Unknowable | NotYet:
        """Exact by the id of its photo or video. since: with room for clocks that differ."""
        try:
            stories = list(self._since(access, since))
        except UnendingError:
            return Unknowable(_("The Page has so many stories that we could not read all of them."))
        recent = [story for story in stories if (_created(story) or since) >= since]
        ours = {str(handles[name]) for name in ("video", "photo:1") if handles.get(name)}
        named = str(handles.get("video:post") or "")
        for story in recent:
            post = str(story.get("post_id") or "")
            if post and (post == named or str(story.get("media_id")) in ours):
                return Published(post, str(story.get("url") or ""), published_at=_created(story))
        if has_video(content) and handles.get("video"):
            return self.videos.look(access, content, handles, claimed=claimed)
        # That a story names the photo as we know it is declared nowhere: one that nobody claims may be ours.
        strange = [
            story
            for story in recent
            if str(story.get("post_id") or "") not in claimed and _is_photo(story) != has_video(content)
        ]
        if strange:
            return Unknowable(
                _("The Page has %(number)d new story that may be this one. Open the Page and see: %(places)s")
                % {"number": len(strange), "places": ", ".join(str(story.get("url") or "") for story in strange)}
            )
        return Absent(
            _("%(number)d stories since %(time)s UTC read on the Page; this one is not among them.")
            % {"number": len(recent), "time": f"{since.astimezone(UTC):%Y-%m-%d %H:%M:%S}"}
        )

    def seen(self, access: Access, post: str) -> Seen:
        """Facebook shows a story for a day, so one that is not listed may be over and not gone."""
        for story in self._since(access, None):
            if str(story.get("post_id") or "") == post:
                return Seen(exists=True, media=1, permalink=str(story.get("url") or ""))
        return Seen(None, evidence=_("Facebook does not list the story any more: it shows one for 24 hours."))

    def _since(self, access: Access, since: datetime | None) -> Any:
        fields = {"fields": STORY_FIELDS, "limit": "50"}
        if since:
            fields["since"] = str(int(since.timestamp()))
        return self.meta.paged(
            f"{access.account_id}/stories",
            access.token,
            fields,
            page_limit=PAGES,
            whole=since is not None,
            account_id=access.account_id,
        )


def _is_photo(story: dict[str, Any]) -> bool:
    return str(story.get("media_type") or "photo").lower() in ("photo", "image")


def _created(story: dict[str, Any]) -> datetime | None:
    """creation_time is a unix time, as text."""
    text = str(story.get("creation_time") or "")
    return from_unix(int(text)) if text.isdigit() else instant_of(text)
