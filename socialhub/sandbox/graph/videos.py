"""Videos of a Page: announced, brought in stretches, finished, worked on, and then out by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import films, settings
from ..state import Page, Post, State, Video
from . import call as calls
from . import rupload
from .call import OMIT, Call, endpoint, listing, render, resolver, timestamp
from .errors import GraphError, invalid, missing
from .fields import Field

calls.SPEC_NAMES[Video] = "AdVideo"
DAY = 24 * 3600
REELS_PER_DAY = 30
STRETCH = 2 * 1024 * 1024  # what the network asks for at once of a feed video
MOST_BYTES = 10 * 1024**3
MESSAGE_LIMIT = 63_206
SLACK = 0.05
RATIO_SLACK = 0.01


def path_of(state: State, video: Video) -> Path:
    return state.folder / f"facebook-{video.id}.mp4"


def has_expired(call: Call, video: Video) -> bool:
    return not video.finished_at and call.now - video.created_at > DAY


# Announcing


@endpoint(Page, "POST", "videos", declared="Page POST videos")
def act_on_video(call: Call, page: Page) -> Any:
    call.need_page_to_publish(page)
    phase = call.text("upload_phase").lower()
    if phase == "start":
        size = call.number("file_size")
        if not size or not 0 < size <= MOST_BYTES:
            raise invalid("Param file_size must be the size of the file in bytes")
        video = announce(call, page)
        video.size_bytes, video.session_id = size, str(900_000_000_000 + call.state.new_number())
        return {"upload_session_id": video.session_id, "video_id": video.id, **wanted(video)}
    if phase == "transfer":
        return transfer(call, session_of(call, page))
    if phase == "finish":
        return finish(call, page, session_of(call, page))
    raise invalid("The sandbox takes videos in phases: upload_phase must be start, transfer or finish")


@endpoint(Page, "POST", "video_reels", declared="Page POST video_reels")
@endpoint(Page, "POST", "video_stories", declared="Page POST video_stories")
def act_on_reel(call: Call, page: Page) -> Any:
    call.need_page_to_publish(page)
    phase = call.text("upload_phase").lower()
    if phase == "start":
        video = announce(call, page)
        return {"video_id": video.id, "upload_url": f"{call.base_url}/rupload/video-upload/{call.version}/{video.id}"}
    if phase == "finish":
        return finish(call, page, video_of(call, page, call.text("video_id")))
    raise invalid("Param upload_phase must be one of {START, FINISH}")


def announce(call: Call, page: Page) -> Video:
    video = Video(str(122_100_000_000_000_000 + call.state.new_number()), page.id, call.edge, call.now)
    video.spoiled = any(fault.kind == "processing_failed" for fault in call.struck)
    return call.state.add(video)


def video_of(call: Call, page: Page, video_id: str) -> Video:
    video = call.state.videos.get(video_id)
    if video is None or video.page_id != page.id or video.edge != call.edge or has_expired(call, video):
        raise missing(video_id, call.method)
    return video


def session_of(call: Call, page: Page) -> Video:
    session = call.text("upload_session_id")
    video = next((one for one in call.state.videos.values() if session and one.session_id == session), None)
    if video is None:
        raise missing(session, call.method)
    return video_of(call, page, video.id)


# Bytes


def wanted(video: Video) -> dict[str, str]:
    end = min(video.received + STRETCH, video.size_bytes)
    return {"start_offset": str(video.received), "end_offset": str(end)}


def transfer(call: Call, video: Video) -> Any:
    chunk = call.files.get("video_file_chunk")
    if chunk is None:
        raise invalid("Param video_file_chunk is required")
    if call.number("start_offset") != video.received or video.finished_at:
        raise GraphError(
            6001,
            "There was a problem uploading your video. Please try again.",
            subcode=1363037,
            title="Error Uploading Video",
            data={name: int(value) for name, value in wanted(video).items()},
        )
    content = chunk.read()
    if not content or video.received + len(content) > video.size_bytes:
        raise GraphError(6000, "There was a problem uploading your video file. Please try again with another file.")
    write(path_of(call.state, video), video.received, content)
    video.received += len(content)
    call.state.changed()
    return wanted(video)


def write(path: Path, offset: int, content: bytes) -> None:
    path.touch()
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def find_upload(call: Call, video_id: str) -> Video:
    """For the host of binary uploads, which takes reels and stories."""
    video = call.state.videos.get(video_id)
    if video is None or video.edge == "videos" or video.finished_at or has_expired(call, video):
        raise missing(video_id, call.method)
    call.need_page_to_publish(call.state.pages[video.page_id])
    return video


rupload.KINDS["video-upload"] = rupload.Kind(
    find=find_upload,
    path=lambda call, video: path_of(call.state, video),
    finish=lambda call, video: None,  # a call of its own
)


# The finish


def finish(call: Call, page: Page, video: Video) -> Any:
    """Whoever finishes twice has posted twice."""
    if not video.received or video.received != video.size_bytes:
        raise GraphError(6000, "There was a problem uploading your video file: the upload is missing or not complete.")
    if call.edge == "video_reels":
        if call.text("video_state") not in ("PUBLISHED", "DRAFT", ""):
            raise invalid("The sandbox publishes reels at once: video_state must be PUBLISHED or DRAFT")
        if reels_since(call, page, call.now - DAY) >= REELS_PER_DAY:
            raise GraphError(
                613, f"(#613) Calls to this api have exceeded the rate limit: {REELS_PER_DAY} reels in 24 hours."
            )
    if len(call.text("description")) > MESSAGE_LIMIT:
        raise invalid(f"The description is longer than {MESSAGE_LIMIT} characters")
    video.description, video.title = call.text("description"), call.text("title")
    if call.edge == "video_reels" and call.text("video_state") != "PUBLISHED":
        return {"success": True}  # a draft, which nobody sees
    if not video.finished_at:
        video.finished_at = call.now
        video.ready_at = call.now + settings.SANDBOX_CONTAINER_SECONDS
        inspect(call.state, video)
    number = str(122_100_000_000_000_000 + call.state.new_number())
    video.posts.append(number if call.edge == "video_stories" else f"{page.id}_{number}")
    video.is_out = False
    call.state.changed()
    return {"success": True, "post_id": number} if call.edge == "video_stories" else {"success": True}


def reels_since(call: Call, page: Page, since: float) -> int:
    return sum(
        one.edge == "video_reels" and one.page_id == page.id and one.finished_at > since
        for one in call.state.videos.values()
    )


def inspect(state: State, video: Video) -> None:
    """What the network finds when it works on the film."""
    path = path_of(state, video)
    try:
        film = films.read(path)
    except films.NotAFilmError as error:
        video.error = str(error)
        return
    video.width, video.height, video.seconds = film.width, film.height, film.seconds
    video.file, video.poster = path.name, film.poster
    video.error = fault_of(video, film)


def fault_of(video: Video, film: films.Film) -> str:
    """Why it cannot be used as what it is meant for, or ""."""
    if video.spoiled:
        return "Something went wrong while the video was processed."
    if film.codec not in ("h264", "hevc") or film.audio_codec not in ("", "aac"):
        return "The codecs of the video are not supported. Use H.264 or H.265, and AAC."
    if video.edge == "video_reels":
        if not 3 - SLACK <= film.seconds <= 90 + SLACK:
            return "A reel lasts 3 to 90 seconds."
        if film.width < 540 or film.height < 960 or abs(film.ratio - 9 / 16) > RATIO_SLACK:
            return "A reel has the shape 9:16 and at least 540 x 960 pixels."
        if film.fps and not 23.9 <= film.fps <= 60.1:
            return "A reel has 24 to 60 pictures a second."
    if video.edge == "video_stories" and film.seconds > 60 + SLACK:
        return "A video story lasts at most 60 seconds."
    return ""


def bring_out(state: State) -> None:
    """What was worked on long enough is public from now on."""
    now = state.now()
    with state.lock:
        for video in [one for one in state.videos.values() if one.finished_at and not one.is_out]:
            if now < video.ready_at:
                continue
            video.is_out = True
            for post_id in [] if video.error else video.posts:
                if post_id not in state.posts:
                    state.add(
                        Post(
                            post_id,
                            video.page_id,
                            "" if video.edge == "video_stories" else video.description,
                            video.ready_at,
                            video_id=video.id,
                            is_story=video.edge == "video_stories",
                        )
                    )
            state.changed()


# Reading


@endpoint(Video, "GET")
def read_video(call: Call, video: Video) -> Any:
    call.need_page(call.state.pages[video.page_id], scopes=["pages_read_engagement"])
    bring_out(call.state)
    return render(call, video, call.fields, "id,updated_time,description")


@endpoint(Page, "GET", "videos")
@endpoint(Page, "GET", "video_reels")
def list_videos(call: Call, page: Page) -> Any:
    call.need_page(page, scopes=["pages_read_engagement"])
    bring_out(call.state)
    since, until = call.instant("since") or 0, call.instant("until") or call.now
    rows = [
        one
        for one in call.state.videos.values()
        if one.page_id == page.id and one.edge == call.edge and one.is_out and since <= one.ready_at <= until
    ]
    return listing(call, rows[::-1], lambda video: render(call, video, call.fields, "id,updated_time,description"))


def is_public(video: Video) -> bool:
    return video.is_out and not video.error


@resolver(Video, "id")
def video_id(call: Call, video: Video, field: Field) -> str:
    return video.id


@resolver(Video, "status")
def video_status(call: Call, video: Video, field: Field) -> dict[str, Any]:
    whole = bool(video.size_bytes) and video.received >= video.size_bytes
    uploading = "complete" if whole else "in_progress" if video.received else "not_started"
    processing, publishing = "not_started", "not_started"
    if video.finished_at:
        processing = "in_progress" if call.now < video.ready_at else "error" if video.error else "complete"
        publishing = "complete" if processing == "complete" else "not_started"
    word = "processing" if video.finished_at else "upload_complete" if whole else "uploading"
    if has_expired(call, video):
        word = "expired"
    elif processing in ("error", "complete"):
        word = {"error": "error", "complete": "ready"}[processing]
    status: dict[str, Any] = {
        "video_status": word,
        "uploading_phase": {"status": uploading, "bytes_transfered": video.received},
        "processing_phase": {"status": processing},
        "publishing_phase": {"status": publishing},
    }
    if processing == "error":
        status["processing_phase"]["errors"] = [{"code": 1363008, "message": video.error}]
    elif video.finished_at:
        status["publishing_phase"] |= {"publish_status": "published", "publish_time": int(video.ready_at)}
    return status


@resolver(Video, "post_id")
def video_post(call: Call, video: Video, field: Field) -> Any:
    return video.posts[0].rpartition("_")[2] if is_public(video) else OMIT


@resolver(Video, "permalink_url")
def video_permalink(call: Call, video: Video, field: Field) -> Any:
    if not is_public(video):
        return OMIT
    return f"{call.base_url}/feeds/facebook/{video.page_id}/posts/{video.posts[0].rpartition('_')[2]}/"


@resolver(Video, "published")
def video_published(call: Call, video: Video, field: Field) -> bool:
    return is_public(video)


@resolver(Video, "title")
def video_title(call: Call, video: Video, field: Field) -> Any:
    return video.title or OMIT


@resolver(Video, "description")
def video_description(call: Call, video: Video, field: Field) -> Any:
    return video.description or OMIT


@resolver(Video, "length")
def video_length(call: Call, video: Video, field: Field) -> float:
    return round(video.seconds, 3)


@resolver(Video, "created_time", "updated_time")
def video_time(call: Call, video: Video, field: Field) -> str:
    return timestamp(video.ready_at if video.is_out else video.created_at)


@resolver(Video, "source")
def video_source(call: Call, video: Video, field: Field) -> Any:
    return f"{call.base_url}/media/files/{video.file}" if is_public(video) and video.file else OMIT


@resolver(Video, "picture")
def video_picture(call: Call, video: Video, field: Field) -> Any:
    return f"{call.base_url}/media/files/{video.poster}" if is_public(video) else OMIT


@resolver(Video, "from")
def video_from(call: Call, video: Video, field: Field) -> dict[str, str]:
    return {"id": video.page_id, "name": call.state.pages[video.page_id].name}
