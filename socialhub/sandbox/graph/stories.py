"""Stories of a Page: shown for a day, listed apart from posts."""

from __future__ import annotations

from typing import Any

from ..state import Page, Post, State
from .call import Call, endpoint, listing
from .errors import GraphError, invalid
from .fields import parse_fields
from .names import FIELDS
from .pages import has_vanished
from .posts import permalink
from .videos import bring_out

SHOWN_SECONDS = 24 * 3600


@endpoint(Page, "POST", "photo_stories", declared="Page POST photo_stories")
def publish_photo_story(call: Call, page: Page) -> Any:
    call.need_page_to_publish(page)
    photo = call.state.photos.get(call.text("photo_id"))
    if photo is None or photo.page_id != page.id or has_vanished(call, photo):
        raise invalid("Param photo_id must be an unpublished photo of this Page")
    if photo.post_id:
        raise GraphError(1366051, "(#1366051) These photos were already posted.")
    story = Post(
        str(122_100_000_000_000_000 + call.state.new_number()),
        page.id,
        "",
        call.now,
        photo_ids=[photo.id],
        is_story=True,
    )
    photo.post_id, photo.is_published = story.id, True
    call.state.add(story)
    return {"success": True, "post_id": story.id}


@endpoint(Page, "GET", "stories")
def list_stories(call: Call, page: Page) -> Any:
    call.need_page(page, scopes=["pages_read_engagement"])
    bring_out(call.state)
    since, until = call.instant("since") or 0, call.instant("until") or call.now
    wanted = call.text("status")
    if wanted not in ("", "PUBLISHED", "ARCHIVED"):
        raise invalid("Param status must be one of {ARCHIVED, PUBLISHED}")
    asked = [one.name for one in call.fields or parse_fields("post_id,status,creation_time,media_type,media_id,url")]
    if unknown := sorted(set(asked) - FIELDS["Stories"]):
        raise invalid(f"Tried accessing nonexisting field ({unknown[0]}) on node type (Stories)")
    rows = [
        story
        for story in stories_of(call.state, page)
        if since <= story.created_at <= until and wanted in ("", status_of(call, story))
    ]
    return listing(call, rows, lambda story: {name: facts(call, story)[name] for name in asked})


def stories_of(state: State, page: Page) -> list[Post]:
    """Newest first."""
    found = [state.posts[post_id] for post_id in state.posts_of[page.id]]
    return [post for post in reversed(found) if post.is_story]


def status_of(call: Call, story: Post) -> str:
    return "PUBLISHED" if call.now - story.created_at < SHOWN_SECONDS else "ARCHIVED"


def facts(call: Call, story: Post) -> dict[str, Any]:
    return {
        "post_id": story.id,
        "status": status_of(call, story),
        "creation_time": str(int(story.created_at)),
        "media_type": "video" if story.video_id else "photo",
        "media_id": story.video_id or story.photo_ids[0],
        "url": permalink(call.base_url, story),
    }
