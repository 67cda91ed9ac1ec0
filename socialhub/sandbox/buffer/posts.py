"""A post's life: accepted, handed to the network, sent or failed."""

from __future__ import annotations

import mimetypes
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from .. import settings
from ..pictures import NotAnImageError, NotFetchedError, fetch, read
from ..state import State
from . import films
from .checks import InvalidInputError, check
from .rows import Channel, Post
from .world import LABELS, object_id

HOUR, DAY = 3600, 86_400
FREE_SCHEDULED = 10
RECONNECT = "This channel is disconnected. Please reconnect it in Buffer and try again."
REPEATED = (
    "It looks like you have already posted that one recently: the network does not take the same text again so soon."
)
OPEN = ("scheduled", "sending")


class RefusedError(Exception):
    """A typed error of the payload."""

    def __init__(self, typename: str, message: str) -> None:
        super().__init__(message)
        self.typename = typename


def advance(state: State, post: Post) -> Post:
    """Bring a post to where it is by now."""
    now = state.now()
    channel = state.buffer_channels[post.channel_id]
    if post.status == "scheduled" and post.begins_at is not None and now >= post.begins_at:
        if channel.is_queue_paused and post.mode != "shareNow":
            return post
        post.status, post.updated_at = "sending", now
    if (
        post.status == "sending"
        and post.begins_at is not None
        and now >= post.begins_at + settings.SANDBOX_BUFFER_SECONDS
    ):
        finish(state, post, channel)
        state.changed()
    return post


def finish(state: State, post: Post, channel: Channel) -> None:
    moment = (post.begins_at or 0) + settings.SANDBOX_BUFFER_SECONDS
    post.updated_at = moment
    if post.fails_with:
        post.error = post.fails_with
    elif channel.is_disconnected:
        post.error = RECONNECT
    elif channel.service == "twitter" and is_repeated(state, post, moment):
        post.error = REPEATED
    if post.error:
        post.status = "error"
    else:
        post.status, post.sent_at = "sent", moment


def is_repeated(state: State, post: Post, moment: float) -> bool:
    """X takes no text twice within a day."""
    others = (state.buffer_posts[one] for one in state.buffer_posts_of[post.channel_id] if one != post.id)
    return any(one.sent_at and moment - one.sent_at < DAY and one.text == post.text and post.text for one in others)


def posts_of(state: State, channel_id: str) -> list[Post]:
    return [advance(state, state.buffer_posts[one]) for one in list(state.buffer_posts_of[channel_id])]


def check_channel(state: State, channel: Channel, *, is_draft: bool) -> None:
    """Raises RefusedError."""
    if channel.is_disconnected:
        raise RefusedError("InvalidInputError", RECONNECT)
    if channel.is_locked:
        raise RefusedError(
            "LimitReachedError", "This channel is locked: it is over the number of channels of your plan."
        )
    if is_draft:
        return
    posts = posts_of(state, channel.id)
    plan = state.buffer_organizations[channel.organization_id].plan
    if plan == "free" and sum(post.status == "scheduled" for post in posts) >= FREE_SCHEDULED:
        raise RefusedError(
            "LimitReachedError", f"You can have {FREE_SCHEDULED} scheduled posts per channel on your plan."
        )
    sent, scheduled = counts_of_day(posts, state.now())
    if channel.daily_limit is not None and sent + scheduled >= channel.daily_limit:
        raise RefusedError("LimitReachedError", f"{LABELS[channel.service]} takes {channel.daily_limit} posts a day.")


def counts_of_day(posts: list[Post], moment: float) -> tuple[int, int]:
    """How many posts were sent and are still to go out on the UTC day of a moment."""
    day = moment // DAY
    sent = sum(post.sent_at is not None and post.sent_at // DAY == day for post in posts)
    scheduled = sum(
        post.status in OPEN and post.begins_at is not None and post.begins_at // DAY == day for post in posts
    )
    return sent, scheduled


def begins_at(values: dict[str, Any], now: float) -> float:
    """When the post is handed to the network. Raises RefusedError."""
    mode = values["mode"]
    if mode == "customScheduled":
        due_at = values.get("dueAt")
        if due_at is None:
            raise RefusedError("InvalidInputError", "dueAt is required with the mode customScheduled.")
        if due_at < now:
            raise RefusedError("InvalidInputError", "dueAt must be in the future.")
        return due_at
    if mode == "shareNow":
        return now + settings.SANDBOX_BUFFER_SECONDS / 4
    # The next free place of the queue: the next full hour.
    return (now // HOUR + 1) * HOUR


def draft_of(state: State, channel: Channel, account_id: str, values: dict[str, Any], base_url: str) -> Post:
    """A post as asked for, checked, and with what its addresses give; not yet in the state. Raises RefusedError."""
    now = state.now()
    post_id = object_id(0x5000_0000_0000 + state.new_number())
    post = Post(
        id=post_id,
        channel_id=channel.id,
        organization_id=channel.organization_id,
        account_id=account_id,
        text=values.get("text") or "",
        status="draft" if values.get("saveToDraft") else "scheduled",
        mode=values["mode"],
        scheduling=values["schedulingType"],
        created_at=now,
        updated_at=now,
        begins_at=None if values.get("saveToDraft") else begins_at(values, now),
        assets=values.get("assets") or [],
        metadata=values.get("metadata") or {},
        link=f"{base_url}/feeds/buffer/{channel.id}/posts/{post_id}/",
        tag_ids=values.get("tagIds") or [],
    )
    post.due_at = post.begins_at if post.mode != "shareNow" or post.begins_at is None else now
    try:
        check(channel, post)
        post.assets = [resolved(state, channel, post, number, asset) for number, asset in enumerate(post.assets)]
    except InvalidInputError as error:
        raise RefusedError("InvalidInputError", str(error)) from error
    return post


def resolved(state: State, channel: Channel, post: Post, position: int, asset: dict[str, Any]) -> dict[str, Any]:
    """An asset with what its address gave. Raises InvalidInputError."""
    kind, value = next(iter(asset.items()))
    about = value.get("metadata") or {}
    row: dict[str, Any] = {"kind": kind, "url": value["url"], "alt_text": about.get("altText", "")}
    if kind == "image":
        try:
            picture = read(fetch(value["url"]))
        except NotFetchedError as error:
            raise InvalidInputError(f"The image could not be loaded: {error}") from error
        except NotAnImageError as error:
            raise InvalidInputError(f"The image dimensions could not be read: {value['url']}") from error
        row["file"] = picture.save(state.folder, f"buffer-{post.id}-{position}")
        row["mime_type"] = f"image/{picture.format.lower()}"
        row["width"], row["height"] = picture.width, picture.height
    elif kind == "video":
        path = state.folder / f"buffer-{post.id}-{position}.mp4"
        row["thumbnail_offset"] = about.get("thumbnailOffset")
        row["mime_type"], film = films.take(value["url"], path, row["thumbnail_offset"])
        row.update(asdict(film), file=path.name, poster=path.with_suffix(".jpg").name)
        post.fails_with = films.refusal(channel.service, film)
    elif kind == "document":
        row["mime_type"] = mimetypes.guess_type(value["url"])[0] or "application/pdf"
    return row


def asked_again(row: dict[str, Any]) -> dict[str, Any]:
    """The asset as it was asked for."""
    about = {"altText": row["alt_text"]} if row["alt_text"] else {}
    if row.get("thumbnail_offset") is not None:
        about = {"thumbnailOffset": row["thumbnail_offset"]}
    return {row["kind"]: {"url": row["url"], **({"metadata": about} if about else {})}}


def iso(moment: float | None) -> str | None:
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
