"""What people see of the channels behind Buffer, and the switches that their owner has there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ..figures import Made, PostFigures, followers_at, post_figures
from ..state import State
from ..world import start
from .posts import posts_of
from .rows import Channel, Post
from .world import LABELS, channels_of, organizations_of

SHOWN = 60
GOOGLE_DETAILS = ("detailsWhatsNew", "detailsOffer", "detailsEvent")
BUTTONS = {
    "book": "Book",
    "call": "Call now",
    "learn_more": "Learn more",
    "order": "Order online",
    "shop": "Shop",
    "signup": "Sign up",
}
# Switch: what it means when it is on.
SWITCHES = {
    "is_disconnected": "Disconnected",
    "is_locked": "Locked",
    "is_queue_paused": "Queue paused",
}


@dataclass(frozen=True)
class Shown:
    """A post as the templates need it."""

    post: Post
    images: list[dict[str, Any]]
    films: list[dict[str, Any]]
    title: str
    link: str
    board: str
    topic: str
    warning: str
    span: tuple[datetime, datetime] | None
    button: str
    code: str
    thread: list[str]
    figures: PostFigures | None
    at: datetime


def inhabitants(state: State) -> list[dict[str, Any]]:
    """For the front page."""
    rows = []
    for account in list(state.buffer_accounts.values()):
        organizations = [
            (one, [(row, LABELS[row.service], switches(row)) for row in channels_of(state, one.id)])
            for one in organizations_of(state, account.id)
        ]
        rows.append({"account": account, "organizations": organizations})
    return rows


def switches(channel: Channel) -> list[tuple[str, str, bool]]:
    return [(name, label, getattr(channel, name)) for name, label in SWITCHES.items()]


@csrf_exempt
@require_POST
def switch(request: HttpRequest, channel_id: str) -> HttpResponse:
    """Turn one of a channel's switches over, and go back to where the button was."""
    state = start()
    channel = find_channel(state, channel_id)
    name = request.POST.get("switch", "")
    if name not in SWITCHES:
        return HttpResponse(status=422)
    with state.lock:
        setattr(channel, name, not getattr(channel, name))
        state.changed()
    return redirect("buffer_feed", channel.id) if request.POST.get("from") == "feed" else redirect("front")


@csrf_exempt
@require_POST
def remove_board(request: HttpRequest, channel_id: str) -> HttpResponse:
    """The owner deletes a board at Pinterest."""
    state = start()
    channel = find_channel(state, channel_id)
    with state.lock:
        channel.boards = [board for board in channel.boards if board["serviceId"] != request.POST.get("board")]
        state.changed()
    return redirect("buffer_feed", channel.id)


def find_channel(state: State, channel_id: str) -> Channel:
    channel = state.buffer_channels.get(channel_id)
    if channel is None:
        raise Http404
    return channel


def feed(request: HttpRequest, channel_id: str) -> HttpResponse:
    state = start()
    channel = find_channel(state, channel_id)
    with state.lock:
        rows = posts_of(state, channel.id)
    sent = [show(state, channel, post) for post in rows if post.status == "sent"]
    others = [show(state, channel, post) for post in rows if post.status != "sent"]
    context = {
        "channel": channel,
        "label": LABELS[channel.service],
        "organization": state.buffer_organizations[channel.organization_id],
        "followers": followers_at(channel, state.now()),
        "posts": sent[: -SHOWN - 1 : -1],
        "count": len(sent),
        "others": others[: -SHOWN - 1 : -1],
        "switches": switches(channel),
    }
    return render(request, "sandbox/buffer/feed.html", context)


def one_post(request: HttpRequest, channel_id: str, post_id: str) -> HttpResponse:
    state = start()
    channel = find_channel(state, channel_id)
    with state.lock:
        post = next((one for one in posts_of(state, channel.id) if one.id == post_id and one.status == "sent"), None)
    if post is None:
        raise Http404
    context = {"channel": channel, "label": LABELS[channel.service], "post": show(state, channel, post)}
    return render(request, "sandbox/buffer/post.html", context)


def show(state: State, channel: Channel, post: Post) -> Shown:
    metadata: dict[str, Any] = next((value for value in post.metadata.values() if value), {})
    details: dict[str, Any] = next((metadata[name] for name in GOOGLE_DETAILS if metadata.get(name)), {})
    attachment = metadata.get("linkAttachment") or {}
    boards = {board["serviceId"]: board["name"] for board in channel.boards}
    figures = None
    if post.sent_at is not None:
        figures = post_figures(channel, Made(post.id, post.sent_at), state.now())
    return Shown(
        post=post,
        images=[asset for asset in post.assets if asset["kind"] == "image"],
        films=[asset for asset in post.assets if asset["kind"] == "video"],
        title=metadata.get("title") or details.get("title") or "",
        link=attachment.get("url") or metadata.get("url") or details.get("link") or "",
        board=boards.get(metadata.get("boardServiceId") or "", ""),
        topic=metadata.get("topic") or "",
        warning=metadata.get("spoilerText") or "",
        span=span_of(details),
        button=BUTTONS.get(details.get("button") or "", ""),
        code=details.get("code") or "",
        thread=[part.get("text") or "" for part in (metadata.get("thread") or [])[1:]],
        figures=figures,
        at=datetime.fromtimestamp(post.sent_at or post.due_at or post.created_at, UTC),
    )


def span_of(details: dict[str, Any]) -> tuple[datetime, datetime] | None:
    begin, end = details.get("startDate"), details.get("endDate")
    return (datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(end, UTC)) if begin and end else None


def kind_of(post: Post) -> str:
    return str(post.assets[0]["kind"]) if post.assets else "text"


def feed_rows(state: State, channel_id: str) -> list[dict[str, Any]] | None:
    """For the control API: what is live on a channel, or None if there is no such channel."""
    if channel_id not in state.buffer_channels:
        return None
    return [
        {
            "id": post.id,
            "message": post.text,
            "link": "",
            "media": len(post.assets),
            "kind": kind_of(post),
            "alt_texts": [asset["alt_text"] for asset in post.assets],
            "title": show(state, state.buffer_channels[channel_id], post).title,
            "created": post.sent_at,
            "published": True,
        }
        for post in posts_of(state, channel_id)
        if post.status == "sent"
    ]
