"""How images, videos and documents get to LinkedIn before a post names them.

Nobody sees anything of it, so every step may be repeated. An image or a document goes in one piece. A video goes in parts
as LinkedIn cuts it; what each part was answered with is kept, so that an interrupted upload goes on behind the last one.
Source: LinkedIn Images, Videos and Documents documentation, version 202609, read November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from socialhub.platforms.base import Access, Content, Done, Handles, MediaItem, MediaKind, NotYet, Step, StepKind
from socialhub.platforms.errors import NotFoundError, PermissionMissingError, RejectedError, TemporaryError
from socialhub.platforms.linkedin_api import LinkedInApi, instant_of, number_of, unreadable
from socialhub.platforms.linkedin_errors import MEDIA

PART_BYTES = 4_194_304  # of a video; LinkedIn says for each upload which bytes a part has
# Waits between looks whether LinkedIn is ready, the last one again and again.
POLL_SECONDS = {
    MediaKind.IMAGE: (2, 3, 5, 10, 30),
    MediaKind.VIDEO: (5, 10, 20, 40, 60),
    MediaKind.DOCUMENT: (2, 3, 5, 10, 30),
}
GIVE_UP = {
    MediaKind.IMAGE: timedelta(minutes=15),
    MediaKind.VIDEO: timedelta(minutes=30),
    MediaKind.DOCUMENT: timedelta(minutes=15),
}
# How long they get where their state cannot be read. Too short is no harm: LinkedIn refuses what is not ready.
BLIND_SECONDS = {MediaKind.IMAGE: 3, MediaKind.VIDEO: 90, MediaKind.DOCUMENT: 15}
ALMOST_EXPIRED = timedelta(minutes=1)
VIDEO = ("video", "ready")  # what of the handles and steps belongs to the upload of a video


def key_of(item: MediaItem) -> str:
    """The handle that keeps the URN of the upload."""
    return f"image:{item.position}" if item.kind is MediaKind.IMAGE else str(item.kind)


def uploaded(content: Content, handles: Handles) -> list[str]:
    """URNs of the media of the post, in its order, as far as they are uploaded."""
    return [str(handles[key_of(item)]) for item in content.media if key_of(item) in handles]


def steps_of(content: Content) -> tuple[Step, ...]:
    """What has to happen before the post can name its media."""
    if not content.media:
        return ()
    total = len(content.media)
    uploads = [step for number, item in enumerate(content.media, start=1) for step in _steps(item, number, total)]
    return (*uploads, Step("ready", StepKind.WAIT, _("LinkedIn prepares the media")))


def _steps(item: MediaItem, number: int, total: int) -> Iterator[Step]:
    if item.kind is MediaKind.VIDEO:
        parts = max(-(-item.size_bytes // PART_BYTES), 1)
        yield Step("video:begin", StepKind.PREPARE, _("Announcing the video"), {"publish": 1})
        for part in range(1, parts + 1):
            label = _("Uploading part %(number)d of %(total)d of the video") % {"number": part, "total": parts}
            yield Step(f"video:part:{part}", StepKind.PREPARE, label)
        yield Step("video:end", StepKind.PREPARE, _("Putting the video together"), {"publish": 1})
    elif item.kind is MediaKind.DOCUMENT:
        yield Step(key_of(item), StepKind.PREPARE, _("Uploading the document"), {"publish": 1})
    else:
        label = _("Uploading image %(number)d of %(total)d") % {"number": number, "total": total}
        yield Step(key_of(item), StepKind.PREPARE, label, {"publish": 1})


class Uploads:
    """The steps before the post."""

    def __init__(self, api: LinkedInApi) -> None:
        self.api = api

    def perform(self, step: Step, access: Access, content: Content, handles: Handles) -> Done | NotYet:
        if step.kind is StepKind.WAIT:
            return self._wait(access, content, handles)
        if step.key == "video:begin":
            return self._begin_video(access, content.media[0], handles)
        if step.key == "video:end":
            return self._end_video(access, handles)
        if step.key.startswith("video:part:"):
            return self._parts(access, content.media[0], handles, number=int(step.key.rpartition(":")[2]))
        if step.key in handles:
            return Done()
        item = next(item for item in content.media if key_of(item) == step.key)
        return Done({step.key: self._upload(access, item)})

    def _upload(self, access: Access, item: MediaItem) -> str:
        place = self.api.begin_upload(access.token, access.account_id, str(item.kind))
        if item.kind is MediaKind.IMAGE:
            self.api.upload(access.token, place, item.read(), item.content_type)
        else:
            with item.open() as file:
                self.api.upload(access.token, place, file, item.content_type)
        return place.urn

    # Videos

    def _begin_video(self, access: Access, item: MediaItem, handles: Handles) -> Done:
        if "video" in handles:
            return Done()
        told = self.api.begin(
            access.token,
            "videos",
            {
                "owner": access.account_id,
                "fileSizeBytes": item.size_bytes,
                "uploadCaptions": False,
                "uploadThumbnail": False,
            },
        )
        parts = _cut(told.get("uploadInstructions"))
        if not told.get("video") or not _covers(parts, item.size_bytes):
            raise unreadable()
        return Done(
            {
                "video": str(told["video"]),
                "video:token": str(told.get("uploadToken") or ""),  # may be empty, and goes back as it came
                "video:parts": parts,
                "video:expires": number_of(told.get("uploadUrlsExpireAt")),
                "video:etags": {},
            }
        )

    def _parts(self, access: Access, item: MediaItem, handles: Handles, *, number: int) -> Done:
        """The parts that begin in this stretch of the file, as far as they are not there yet."""
        expires = instant_of(handles.get("video:expires"))
        if expires and datetime.now(UTC) > expires - ALMOST_EXPIRED:
            raise TemporaryError(
                _("LinkedIn's place for the video has expired. It is uploaded again by itself."), forget=VIDEO
            )
        etags = dict(handles["video:etags"])
        for first, last, url in handles["video:parts"]:
            if first // PART_BYTES == number - 1 and str(first) not in etags:
                etags[str(first)] = self._put(access, url, _stretch(item, first, last))
        return Done({"video:etags": etags})

    def _put(self, access: Access, url: str, content: bytes) -> str:
        """Without a token: whoever knows the address may write there."""
        reply = self.api.transport.request(
            "PUT", url, data=content, headers={"Content-Type": "application/octet-stream"}
        )
        self.api.raise_for_upload(reply, access.token, forget=VIDEO)
        etag = str(reply.headers.get("ETag") or "").strip('"')
        if not etag:
            raise unreadable(reply)
        return etag

    def _end_video(self, access: Access, handles: Handles) -> Done:
        video = str(handles["video"])
        body = {
            "finalizeUploadRequest": {
                "video": video,
                "uploadToken": handles["video:token"],
                "uploadedPartIds": [
                    handles["video:etags"][str(first)] for first, _last, _url in handles["video:parts"]
                ],
            }
        }
        try:
            self.api.post("videos?action=finalizeUpload", access.token, body)
        except RejectedError:
            # It may have been put together before, and only the answer was lost.
            if self._status(access, video, MediaKind.VIDEO).get("status") not in ("PROCESSING", "AVAILABLE"):
                raise
        return Done({"video:parts": [], "video:token": ""})

    # Waiting

    def _wait(self, access: Access, content: Content, handles: Handles) -> Done | NotYet:
        """Is everything ready? With a token that may not read, it gets some time instead."""
        if handles.get("ready:blind"):
            return Done()
        began = handles.get("ready:began") or datetime.now(UTC).isoformat(timespec="seconds")
        ready = list(handles.get("ready:done", ()))
        for item in content.media:
            if key_of(item) in ready:
                continue
            try:
                told = self._status(access, str(handles[key_of(item)]), item.kind)
            except PermissionMissingError:
                return NotYet(BLIND_SECONDS[item.kind], {"ready:blind": True})
            status = told.get("status")
            if status == "PROCESSING_FAILED":
                return self._again(access, item, handles, str(told.get("processingFailureReason") or ""))
            if status != "AVAILABLE":
                return _not_yet(item.kind, began, int(handles.get("ready:polls", 0)), ready)
            ready.append(key_of(item))
        return Done()

    def _status(self, access: Access, urn: str, kind: MediaKind) -> dict[str, Any]:
        try:
            return self.api.media(access.token, urn, str(kind))
        except NotFoundError:  # not everywhere yet
            return {}

    def _again(self, access: Access, item: MediaItem, handles: Handles, reason: str) -> NotYet:
        """What LinkedIn could not prepare is uploaded once more, and only once."""
        again, failed = f"again:{key_of(item)}", str(handles[key_of(item)])
        if handles.get(again) not in (None, failed):
            raise RejectedError(
                _("LinkedIn cannot prepare %(file)s, twice in a row. Replace it and try again.")
                % {"file": _named(item)},
                platform_message=reason,
                code="PROCESSING_FAILED",
                forget=(*MEDIA, "again:"),
            )
        if item.kind is not MediaKind.VIDEO:
            return NotYet(POLL_SECONDS[item.kind][0], {key_of(item): self._upload(access, item), again: failed})
        if handles.get(again) == failed:
            raise TemporaryError(
                _("LinkedIn could not prepare the video. It is uploaded again by itself."),
                platform_message=reason,
                code="PROCESSING_FAILED",
                forget=VIDEO,
            )
        return NotYet(POLL_SECONDS[item.kind][0], {again: failed})  # kept, before its upload is forgotten


def _named(item: MediaItem) -> str:
    match item.kind:
        case MediaKind.VIDEO:
            return _("the video")
        case MediaKind.DOCUMENT:
            return _("the document")
    return _("image %(position)d") % {"position": item.position}


def _cut(instructions: object) -> list[tuple[int, int, str]]:
    """The parts in their order: first byte, last byte, where it goes."""
    entries = instructions if isinstance(instructions, list) else []
    found = []
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        first, last = number_of(entry.get("firstByte")), number_of(entry.get("lastByte"))
        if first is not None and last is not None and entry.get("uploadUrl"):
            found.append((first, last, str(entry["uploadUrl"])))
    return sorted(found)


def _covers(parts: Sequence[tuple[int, int, str]], size: int) -> bool:
    """Every byte of the file is in one of the parts, and in only one."""
    at = 0
    for first, last, _url in parts:
        if first != at or last < first:
            return False
        at = last + 1
    return at == size


def _stretch(item: MediaItem, first: int, last: int) -> bytes:
    with item.open() as file:
        file.seek(first)
        content = file.read(last - first + 1)
    if len(content) != last - first + 1:
        raise RejectedError(
            _("The stored file of the video is shorter than it was. Upload it again, then retry the post.")
        )
    return content


def _not_yet(kind: MediaKind, began: str, polls: int, ready: Sequence[str]) -> NotYet:
    """Each look is a call of a hundred a day, so what is ready is not looked at again."""
    if datetime.now(UTC) - datetime.fromisoformat(began) > GIVE_UP[kind]:
        raise TemporaryError(
            _("LinkedIn has worked on the media for too long. They are uploaded again by themselves."), forget=MEDIA
        )
    seconds = POLL_SECONDS[kind][min(polls, len(POLL_SECONDS[kind]) - 1)]
    return NotYet(seconds, {"ready:began": began, "ready:polls": polls + 1, "ready:done": list(ready)})
