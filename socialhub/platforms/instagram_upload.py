"""How the bytes of a video get into an Instagram container that was made for them.

Only accounts that act through a Page have this way, so only they bring their videos themselves; the host of Instagram's own
login has nothing like it, and fetches. Nothing is public by then: any part may be sent again. What the container says of
itself is where the upload goes on after an interruption. The host may refuse to keep parts (PartialRequestError and nothing
kept); then the whole rest is sent at once.
Source: Instagram Platform, resumable uploads, v26.0, read September to November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from socialhub.platforms.base import Access, Done, Handles, MediaItem, NotYet, Step, StepKind
from socialhub.platforms.errors import NotFoundError, TemporaryError
from socialhub.platforms.facebook_video import stretch
from socialhub.platforms.meta import Meta, number_in
from socialhub.platforms.meta_errors import OffsetError, upload_error_of

PART_BYTES = 4_194_304  # what one step brings
MOST_SENDS = 4  # within one step, so that it ends long before the lease does


def parts_of(name: str, item: MediaItem, video: int | None) -> tuple[Step, ...]:
    """The steps that bring the bytes into the container of this name. video: its number, where there are several items."""
    parts = max(-(-item.size_bytes // PART_BYTES), 1)
    label = _("Uploading part %(number)d of %(total)d of the video")
    if video is not None:
        label = _("Uploading part %(number)d of %(total)d of video %(video)d")
    return tuple(
        Step(f"{name}:part:{part}", StepKind.PREPARE, label % {"number": part, "total": parts, "video": video})
        for part in range(1, parts + 1)
    )


class Uploads:
    def __init__(self, meta: Meta) -> None:
        self.meta = meta

    def bring(
        self, step: Step, access: Access, item: MediaItem, handles: Handles, *, stale: tuple[str, ...]
    ) -> Done | NotYet:
        """Bring the upload to the end of this part, from the byte where Instagram has it. stale: forgotten when it is lost."""
        name, _colon, number = step.key.partition(":part:")
        at, whole = f"{name}:offset", f"{name}:whole"
        end = min(int(number) * PART_BYTES, item.size_bytes)
        held: dict[str, Any] = {at: int(handles.get(at, 0)), whole: bool(handles.get(whole))}
        before = held[at]
        for _send in range(MOST_SENDS):
            if held[at] >= end:
                return Done(held)
            offset, all_at_once = self._send(
                access, item, str(handles[name]), held[at], item.size_bytes if held[whole] else end, stale
            )
            held = {at: offset, whole: held[whole] or all_at_once}
        if held[at] >= end:
            return Done(held)
        return NotYet(0 if held[at] > before else 5, held)

    def _send(
        self, access: Access, item: MediaItem, container: str, offset: int, end: int, stale: tuple[str, ...]
    ) -> tuple[int, bool]:
        """As `_put`. Where the answer was lost and the bytes were not, it goes on at once."""
        try:
            return self._put(access, item, container, offset, end, stale)
        except TemporaryError as error:
            if error.forget or (there := self._bytes_there(access, item, container, stale)) <= offset:
                raise
            return there, False

    def _put(
        self, access: Access, item: MediaItem, container: str, offset: int, end: int, stale: tuple[str, ...]
    ) -> tuple[int, bool]:
        """Send one stretch. Answers where the upload stands then, and whether this host keeps no parts."""
        headers = {
            "Authorization": f"OAuth {access.token}",
            "offset": str(offset),
            "file_size": str(item.size_bytes),
            "Content-Type": "application/octet-stream",
        }
        place = self._place(container)
        if end - offset > PART_BYTES:
            with item.open() as file:
                file.seek(offset)
                reply = self.meta.transport.request("POST", place, data=file, headers=headers)
        else:
            reply = self.meta.transport.request("POST", place, data=stretch(item, offset, end), headers=headers)
        told = reply.json if isinstance(reply.json, dict) else {}
        if reply.ok and told.get("success"):
            return end, False
        error = upload_error_of(reply, stale=stale, secrets=(access.token, self.meta.secret))
        if error.code == "PartialRequestError":
            there = self._bytes_there(access, item, container, stale)
            return there, there <= offset
        if isinstance(error, OffsetError):
            return self._bytes_there(access, item, container, stale), False
        raise error

    def _place(self, container: str) -> str:
        """Made of our own setting: the address in Instagram's answer would be a place for our token to go."""
        version = self.meta.base.rsplit("/", 1)[1]
        return f"{self.meta.config.rupload_url.rstrip('/')}/ig-api-upload/{version}/{container}"

    def _bytes_there(self, access: Access, item: MediaItem, container: str, stale: tuple[str, ...]) -> int:
        try:
            node = self.meta.get(container, access.token, {"fields": "video_status"}, account_id=access.account_id)
        except NotFoundError as error:
            raise _lost(error.platform_message, stale) from error
        phase = _uploading(node)
        # Meta's specification spells it one way, its documentation another.
        found = (number_in(phase, name) for name in ("bytes_transferred", "bytes_transfered"))
        told = next((number for number in found if number is not None), None)
        if told is not None:
            return told
        if phase.get("status") == "complete":
            return item.size_bytes
        raise _lost("", stale)


def _uploading(node: object) -> Mapping[str, Any]:
    status = node.get("video_status") if isinstance(node, dict) else None
    phase = status.get("uploading_phase") if isinstance(status, dict) else None
    return phase if isinstance(phase, dict) else {}


def _lost(words: str, stale: tuple[str, ...]) -> TemporaryError:
    return TemporaryError(
        _("Instagram does not know how much of the video it has. It is uploaded again by itself."),
        platform_message=words,
        forget=stale,
    )
