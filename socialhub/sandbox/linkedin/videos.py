"""Videos: announced with their size, put in parts, put together, then looked at."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from .. import settings
from ..state import State
from .call import MEDIA_ROLES, READING_SCOPES, Call, Reply, answers
from .errors import LinkedInError, denied, invalid, missing
from .rows import Video

UPLOAD_SECONDS = 3600
PART_BYTES = 4_194_304
MOST_ANNOUNCED = 5 * 1024**3
LEAST_BYTES, MOST_BYTES = 75 * 1024, 500 * 1024 * 1024
LEAST_SECONDS, MOST_SECONDS = 3.0, 1800.0
SLACK = 0.05


def owner_of(call: Call, name: str) -> str:
    request = call.body.get(name)
    owner = request.get("owner") if isinstance(request, dict) else None
    if not isinstance(owner, str):
        raise invalid("MISSING_FIELD", "field is required", f"/{name}/owner")
    return owner


@answers("POST", "videos")
def act(call: Call) -> Reply:
    action = call.text("action")
    if action == "initializeUpload":
        return begin(call)
    if action == "finalizeUpload":
        return finish(call)
    raise invalid("ILLEGAL_ARGUMENT", "Parameter 'action' must be initializeUpload or finalizeUpload")


def begin(call: Call) -> Reply:
    owner = owner_of(call, "initializeUploadRequest")
    request = call.body["initializeUploadRequest"]
    size = request.get("fileSizeBytes")
    if not isinstance(size, int) or not 0 < size <= MOST_ANNOUNCED:
        raise invalid("INVALID_VALUE_FOR_FIELD", "is not the size of a file", "/initializeUploadRequest/fileSizeBytes")
    for name in ("uploadCaptions", "uploadThumbnail"):
        if not isinstance(request.get(name), bool):
            raise invalid("MISSING_FIELD", "field is required", f"/initializeUploadRequest/{name}")
    call.may_write_as(owner, MEDIA_ROLES)
    video = call.state.add(
        Video(
            id=f"urn:li:video:V4E{call.state.new_number():08d}",
            owner=owner,
            upload_key=secrets.token_urlsafe(24),
            upload_expires_at=call.now + UPLOAD_SECONDS,
            member_id=call.token.member_id,
            size_bytes=size,
            token=secrets.token_urlsafe(12),
        )
    )
    place = f"{call.base_url}/linkedin/api/dms-uploads/{video.upload_key}"
    value = {
        "video": video.id,
        "uploadToken": video.token,
        "uploadUrlsExpireAt": int(video.upload_expires_at * 1000),
        "uploadInstructions": [
            {"uploadUrl": f"{place}.{first}", "firstByte": first, "lastByte": last_byte(video, first)}
            for first in firsts(video)
        ],
    }
    return Reply(body={"value": value})


def firsts(video: Video) -> range:
    return range(0, video.size_bytes, PART_BYTES)


def last_byte(video: Video, first: int) -> int:
    return min(first + PART_BYTES, video.size_bytes) - 1


def video_of(state: State, key: str) -> Video | None:
    """Whose part that address takes."""
    name, _, first = key.rpartition(".")
    if not first.isdigit():
        return None
    return next((one for one in state.linkedin_videos.values() if one.upload_key == name), None)


def path_of(state: State, video: Video) -> Path:
    return state.folder / f"linkedin-{video.id.rsplit(':', 1)[1]}.mp4"


def put_part(call: Call, video: Video, key: str) -> Reply:
    first = int(key.rpartition(".")[2])
    if first not in firsts(video):
        raise missing("upload")
    if call.now >= video.upload_expires_at:
        raise LinkedInError(403, "The upload URL has expired", "EXPIRED_UPLOAD_URL")
    if len(call.content) != last_byte(video, first) - first + 1:
        raise invalid("ILLEGAL_ARGUMENT", "The part does not have the bytes that it was announced with")
    path = path_of(call.state, video)
    path.touch()
    with path.open("r+b") as file:
        file.seek(first)
        file.write(call.content)
    etag = hashlib.sha256(call.content).hexdigest()[:32]
    video.etags[str(first)] = etag
    return Reply(200, headers={"ETag": f'"{etag}"'})


def finish(call: Call) -> Reply:
    request = call.body.get("finalizeUploadRequest")
    request = request if isinstance(request, dict) else {}
    video = call.state.linkedin_videos.get(str(request.get("video")))
    if video is None:
        raise invalid("INVALID_URN_ID", "There is no such video", "/finalizeUploadRequest/video")
    call.may_write_as(video.owner, MEDIA_ROLES)
    if video.ready_at:
        raise invalid("ILLEGAL_ARGUMENT", f"The upload of {video.id} is already finalized")
    if request.get("uploadToken") != video.token:
        raise invalid("INVALID_VALUE_FOR_FIELD", "is not the token of the upload", "/finalizeUploadRequest/uploadToken")
    if request.get("uploadedPartIds") != [video.etags.get(str(first)) for first in firsts(video)]:
        raise invalid(
            "INVALID_VALUE_FOR_FIELD", "are not the parts, in order", "/finalizeUploadRequest/uploadedPartIds"
        )
    inspect(call.state, video)
    video.ready_at = call.state.now() + settings.SANDBOX_CONTAINER_SECONDS
    return Reply(200)


def inspect(state: State, video: Video) -> None:
    """What the network finds when it works on the film; a film that it does not take fails."""
    path = path_of(state, video)
    try:
        with av.open(str(path), format="mp4") as film:
            picture = film.streams.video[0]
            video.width, video.height = picture.width, picture.height
            video.seconds = (film.duration or 0) / av.time_base
            poster = path.with_suffix(".jpg")
            next(film.decode(picture)).to_image().save(poster, "JPEG")
    except (FFmpegError, IndexError, StopIteration, ValueError):
        video.failed, video.reason = True, "The file is no MP4 that can be played"
        return
    video.file, video.poster = path.name, poster.name
    if not LEAST_SECONDS - SLACK <= video.seconds <= MOST_SECONDS + SLACK:
        video.failed, video.reason = True, "The video is shorter than 3 seconds or longer than 30 minutes"
    elif not LEAST_BYTES <= video.size_bytes <= MOST_BYTES:
        video.failed, video.reason = True, "The file is smaller than 75 KB or larger than 500 MB"


@answers("GET", "videos/*")
def read(call: Call) -> Reply:
    """A token that may only post as a member is answered here, unlike with images."""
    call.need(*READING_SCOPES, "w_organization_social", "w_member_social")
    video = call.state.linkedin_videos.get(call.path[1])
    if video is None:
        raise missing(call.path[1])
    if video.owner.startswith("urn:li:person:") and video.owner != call.member.urn:
        raise denied(call.what)
    status = video.status_at(call.now)
    body: dict[str, Any] = {"id": video.id, "owner": video.owner, "status": status}
    if status == "AVAILABLE":
        body["duration"] = round(video.seconds * 1000)
        body["downloadUrl"] = f"{call.base_url}/media/files/{video.file}"
    elif status == "PROCESSING_FAILED":
        body["processingFailureReason"] = video.reason
    return Reply(body=body)
