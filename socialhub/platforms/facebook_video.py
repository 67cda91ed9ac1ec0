"""How videos get onto a Page: feed videos, reels and video stories.

All three ways are in phases, because only they give the video's id before anything is public: announce it, bring the bytes,
then finish, which is the one irreversible call. After a lost answer the video itself tells by that id whether it is out; a
feed video sent in one call would have no id until the answer. A file may be interrupted anywhere: it goes on at the byte
that Facebook names. Reels and stories go to the host of binary uploads; it keeps a part of a file too, and says
PartialRequestError then.
Source: Graph API v26.0, Page videos, video_reels and video_stories, Video API, read September to November 2026.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from socialhub.platforms.base import (
    Absent,
    Accepted,
    Access,
    Content,
    Done,
    Handles,
    MediaItem,
    MediaKind,
    NotYet,
    PostType,
    Published,
    Step,
    StepKind,
    Unknowable,
)
from socialhub.platforms.errors import NotFoundError, OutcomeUnknownError, RejectedError, TemporaryError
from socialhub.platforms.facebook_reading import message_of
from socialhub.platforms.instants import from_unix
from socialhub.platforms.meta import Meta, instant_of, number_in
from socialhub.platforms.meta_errors import OffsetError, upload_error_of

PART_BYTES = 4_194_304  # what one step brings
MOST_AT_ONCE = 8 * 1024 * 1024  # of a stretch that Facebook asks for
# Within one step, so that it ends long before the lease does.
MOST_SENDS = 4
MOST_SECONDS = 30
UPLOAD_LIFE = timedelta(hours=23)  # Meta drops uploads that were not finished after about 24 hours
POLL_SECONDS = (3, 5, 10, 20, 30, 60)  # between looks at a video in processing, the last one again and again
LOOKS_FOR_POST = 6  # a video may be out some time before it names its post, or it never does
VIDEO = ("video",)  # all handles and steps of an upload
STATUS_FIELDS = "status,post_id,permalink_url,created_time"
BROKEN = ("error", "upload_failed", "expired")
EDGES = {PostType.VIDEO: "videos", PostType.REEL: "video_reels", PostType.STORY: "video_stories"}
FACEBOOK = "https://www.facebook.com"


def has_video(content: Content) -> bool:
    return bool(content.media) and content.media[0].kind is MediaKind.VIDEO


def steps_of(content: Content) -> tuple[Step, ...]:
    """What comes before the finish. The parts do not count as calls that publish: a long film has hundreds."""
    parts = max(-(-content.media[0].size_bytes // PART_BYTES), 1)
    label = _("Uploading part %(number)d of %(total)d of the video")
    return (
        Step("video:begin", StepKind.PREPARE, _("Announcing the video"), {"publish": 1}),
        *(
            Step(f"video:part:{part}", StepKind.PREPARE, label % {"number": part, "total": parts})
            for part in range(1, parts + 1)
        ),
    )


class Videos:
    """The steps of a video, and the look at what became of it."""

    def __init__(self, meta: Meta) -> None:
        self.meta = meta

    def perform(self, step: Step, access: Access, content: Content, handles: Handles) -> Done | NotYet:
        refuse_old(handles)
        if step.key == "video:begin":
            return self._begin(access, content, handles)
        return self._bring(access, content, handles, number=int(step.key.rpartition(":")[2]))

    def _begin(self, access: Access, content: Content, handles: Handles) -> Done:
        if "video" in handles:
            return Done()
        fields = {"upload_phase": "start"}
        if content.post_type is PostType.VIDEO:
            fields["file_size"] = str(content.media[0].size_bytes)
        reply = self.meta.post(_edge(access, content), access.token, fields, account_id=access.account_id)
        told = reply.json if isinstance(reply.json, dict) else {}
        session = str(told.get("upload_session_id") or "")
        if not told.get("video_id") or (content.post_type is PostType.VIDEO and not session):
            raise TemporaryError(_("Facebook gave no place for the video. It is tried again by itself."))
        made: dict[str, Any] = {
            "video": str(told["video_id"]),
            "video:began": datetime.now(UTC).isoformat(timespec="seconds"),
            "video:offset": 0,
        }
        if session:
            made |= {"video:session": session, "video:wanted": number_in(told, "end_offset") or 0}
        return Done(made, reply.request_id)

    # The bytes

    def _bring(self, access: Access, content: Content, handles: Handles, *, number: int) -> Done | NotYet:
        """Bring the upload to the end of this part, at the byte where Facebook has it."""
        item = content.media[0]
        end = min(number * PART_BYTES, item.size_bytes)
        held = {name: handles[name] for name in ("video:offset", "video:wanted", "video:whole") if name in handles}
        deadline = time.monotonic() + MOST_SECONDS
        for _send in range(MOST_SENDS):
            if held["video:offset"] >= end:
                return Done(held)
            if time.monotonic() > deadline:
                break
            if content.post_type is PostType.VIDEO:
                held |= self._transfer(access, item, handles, held)
            else:
                held |= self._put(access, item, str(handles["video"]), held, end)
        if held["video:offset"] >= end:
            return Done(held)
        return NotYet(0 if held["video:offset"] > handles["video:offset"] else 5, held)

    def _transfer(self, access: Access, item: MediaItem, handles: Handles, held: Mapping[str, Any]) -> dict[str, Any]:
        """One stretch of a feed video, as long as Facebook asks for."""
        offset, wanted = held["video:offset"], held.get("video:wanted") or 0
        most = MOST_AT_ONCE if wanted > offset else PART_BYTES
        end = min(wanted if wanted > offset else item.size_bytes, offset + most, item.size_bytes)
        try:
            reply = self.meta.post(
                _edge_of(access, PostType.VIDEO),
                access.token,
                {
                    "upload_phase": "transfer",
                    "upload_session_id": str(handles["video:session"]),
                    "start_offset": str(offset),
                },
                files={"video_file_chunk": ("video.mp4", stretch(item, offset, end), "application/octet-stream")},
                account_id=access.account_id,
                stale=VIDEO,
            )
        except OffsetError as error:
            if error.offset is None:
                raise
            return {"video:offset": error.offset, "video:wanted": 0}
        except NotFoundError as error:
            raise _lost(error) from error
        told = reply.json if isinstance(reply.json, dict) else {}
        moved = number_in(told, "start_offset")
        return {"video:offset": end if moved is None else moved, "video:wanted": number_in(told, "end_offset") or 0}

    def _put(self, access: Access, item: MediaItem, video: str, held: Mapping[str, Any], end: int) -> dict[str, Any]:
        """One stretch of a reel or a story; where parts are not kept, all the rest at once."""
        offset = held["video:offset"]
        whole = bool(held.get("video:whole"))
        headers = {
            "Authorization": f"OAuth {access.token}",
            "offset": str(offset),
            "file_size": str(item.size_bytes),
            "Content-Type": "application/octet-stream",
        }
        if whole:
            with item.open() as file:
                file.seek(offset)
                reply = self.meta.transport.request("POST", self._place(video), data=file, headers=headers)
            end = item.size_bytes
        else:
            content = stretch(item, offset, end)
            reply = self.meta.transport.request("POST", self._place(video), data=content, headers=headers)
        told = reply.json if isinstance(reply.json, dict) else {}
        if reply.ok and told.get("success"):
            return {"video:offset": end}
        error = upload_error_of(reply, stale=VIDEO, secrets=(access.token, self.meta.secret))
        if error.code == "PartialRequestError":
            return self._kept(access, item, video, offset)
        if isinstance(error, OffsetError):
            return {"video:offset": self._bytes_there(access, video)}
        raise error

    def _kept(self, access: Access, item: MediaItem, video: str, before: int) -> dict[str, Any]:
        """What is there after a part. Nothing at all: this host wants the whole rest in one piece."""
        there = self._bytes_there(access, video)
        return {"video:offset": there, "video:whole": there <= before < item.size_bytes}

    def _place(self, video: str) -> str:
        """Made of our own setting: the address in Facebook's answer would be a place for our token to go."""
        version = self.meta.base.rsplit("/", 1)[1]
        return f"{self.meta.config.rupload_url.rstrip('/')}/video-upload/{version}/{video}"

    def _bytes_there(self, access: Access, video: str) -> int:
        try:
            node = self.meta.get(video, access.token, {"fields": "status"}, account_id=access.account_id)
        except NotFoundError as error:
            raise _lost(error) from error
        uploading = _phase(_status(node), "uploading_phase")
        # Meta's specification spells it one way, its documentation another.
        found = (number_in(uploading, name) for name in ("bytes_transferred", "bytes_transfered"))
        return next((number for number in found if number is not None), 0)

    # The finish

    def finish(self, access: Access, content: Content, handles: Handles) -> Accepted:
        """The irreversible call. Facebook works on the video afterwards, and publishes it by itself."""
        refuse_old(handles)
        if handles.get("video:finished"):  # it was accepted once and never came out, as somebody has found
            raise TemporaryError(
                _("Facebook took the video and did not publish it. It is uploaded again by itself."), forget=VIDEO
            )
        video = str(handles["video"])
        fields = {"upload_phase": "finish"}
        if content.post_type is PostType.VIDEO:
            fields["upload_session_id"] = str(handles["video:session"])
        else:
            fields["video_id"] = video
        if content.post_type is PostType.REEL:
            fields["video_state"] = "PUBLISHED"
        if content.post_type is not PostType.STORY and (message := message_of(content)):
            fields["description"] = message
        try:
            reply = self.meta.post(
                _edge(access, content), access.token, fields, commit=True, account_id=access.account_id, stale=VIDEO
            )
        except NotFoundError as error:  # expired, or finished before: the video knows
            raise OutcomeUnknownError(
                _(
                    "Facebook does not find the upload of the video. We look what became of it before it is tried again."
                ),
                platform_message=error.platform_message,
                code=error.code,
                subcode=error.subcode,
                request_id=error.request_id,
            ) from error
        told = reply.json if isinstance(reply.json, dict) else {}
        finished: dict[str, Any] = {"video:finished": True}
        if told.get("post_id"):
            finished["video:post"] = str(told["post_id"])
        return Accepted(video, finished, reply.request_id)

    def look(
        self, access: Access, content: Content, handles: Handles, *, claimed: Collection[str]
    ) -> Published | Absent | Unknowable | NotYet:
        """What the video tells of itself."""
        video, finished = str(handles["video"]), bool(handles.get("video:finished"))
        try:
            node = self.meta.get(video, access.token, {"fields": STATUS_FIELDS}, account_id=access.account_id)
        except NotFoundError:
            if finished:
                return Unknowable(
                    _("Facebook took the video and does not find it any more. Look at the Page before you try again.")
                )
            return Absent(_("Facebook does not find the video."), forget=VIDEO)
        status = _status(node)
        publishing = _phase(status, "publishing_phase")
        intent = publishing.get("publish_status")
        if (words := _trouble(status)) is not None:
            return _failed(status, words, accepted=finished)
        if publishing.get("status") == "complete" and intent == "published":
            return self._out(access, content, handles, node)
        if finished or intent == "published" or publishing.get("status") == "in_progress":
            return _wait(handles)
        return Absent(_("Facebook has the video, and was not told to publish it."))

    def _out(self, access: Access, content: Content, handles: Handles, node: Mapping[str, Any]) -> Published | NotYet:
        video = str(handles["video"])
        post = str(node.get("post_id") or handles.get("video:post") or "")
        if not post and int(handles.get("video:looks_for_post", 0)) < LOOKS_FOR_POST:
            looks = int(handles.get("video:looks_for_post", 0)) + 1
            return NotYet(POLL_SECONDS[min(looks, len(POLL_SECONDS) - 1)], {"video:looks_for_post": looks})
        if post and "_" not in post and content.post_type is not PostType.STORY:
            post = f"{access.account_id}_{post}"
        told = _phase(_status(node), "publishing_phase").get("publish_time")
        return Published(
            post or video,
            address_of(node.get("permalink_url")),
            published_at=_moment(told) or instant_of(node.get("created_time")),
        )


def address_of(permalink: object) -> str:
    """Videos tell theirs without the host."""
    text = str(permalink or "")
    return f"{FACEBOOK}{text}" if text.startswith("/") else text


def refuse_old(handles: Handles) -> None:
    began = handles.get("video:began")
    if began and datetime.now(UTC) - datetime.fromisoformat(began) > UPLOAD_LIFE:
        raise TemporaryError(
            _("The uploaded video is a day old and expired at Facebook. It is uploaded again by itself."), forget=VIDEO
        )


def stretch(item: MediaItem, first: int, end: int) -> bytes:
    with item.open() as file:
        file.seek(first)
        content = file.read(end - first)
    if len(content) != end - first:
        raise RejectedError(
            _("The stored file of the video is shorter than it was. Upload it again, then retry the post.")
        )
    return content


def _edge(access: Access, content: Content) -> str:
    return _edge_of(access, content.post_type)


def _edge_of(access: Access, post_type: PostType) -> str:
    return f"{access.account_id}/{EDGES[post_type]}"


def _lost(error: NotFoundError) -> TemporaryError:
    return TemporaryError(
        _("Facebook no longer has what was uploaded of the video. It is uploaded again by itself."),
        platform_message=error.platform_message,
        code=error.code,
        subcode=error.subcode,
        request_id=error.request_id,
        forget=VIDEO,
    )


# Reading the status of a video


def _status(node: object) -> Mapping[str, Any]:
    found = node.get("status") if isinstance(node, dict) else None
    return found if isinstance(found, dict) else {}


def _phase(status: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = status.get(name)
    return found if isinstance(found, dict) else {}


def _trouble(status: Mapping[str, Any]) -> str | None:
    """Meta's words on what went wrong, perhaps none; None: nothing did."""
    phases = [_phase(status, name) for name in ("uploading_phase", "processing_phase", "publishing_phase")]
    broken = [phase for phase in phases if "error" in (phase.get("status"), phase.get("publish_status"))]
    if not broken and status.get("video_status") not in BROKEN:
        return None
    told = [_words(phase) for phase in [*broken, status]]
    return next((words for words in told if words), "")


def _words(phase: Mapping[str, Any]) -> str:
    errors = phase.get("errors")
    listed = errors if isinstance(errors, list) else []
    for error in [phase.get("error"), *listed]:
        if isinstance(error, dict) and error.get("message"):
            return str(error["message"])[:1000]
    return ""


def _failed(status: Mapping[str, Any], words: str, *, accepted: bool) -> Absent:
    """It will not come out. What is lost of the upload is brought again; a video that Facebook cannot use is not."""
    lost = status.get("video_status") in ("upload_failed", "expired") or not accepted
    if lost:
        return Absent(words or _("Facebook lost the upload of the video."), forget=VIDEO)
    raise RejectedError(
        _("Facebook could not use the video, so nothing was published. Export it as MP4 (H.264, AAC) and try again."),
        platform_message=words,
        code="processing_phase",
        forget=VIDEO,
    )


def _wait(handles: Handles) -> NotYet:
    polls = int(handles.get("video:polls", 0))
    return NotYet(POLL_SECONDS[min(polls, len(POLL_SECONDS) - 1)], {"video:polls": polls + 1})


def _moment(value: object) -> datetime | None:
    """publish_time comes as a unix time or in Meta's form."""
    if isinstance(value, int | float) and value > 0:
        return from_unix(value)
    return instant_of(value)
