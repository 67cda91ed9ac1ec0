"""Comments that a Page writes below its own posts."""

from __future__ import annotations

from typing import Any

from ..state import Comment, Post, Video
from . import call as calls
from .call import Call, endpoint, listing, render, resolver, timestamp
from .errors import GraphError, invalid
from .fields import Field
from .posts import comments

calls.SPEC_NAMES[Comment] = "Comment"
LONGEST = 8_000


@endpoint(Post, "POST", "comments", declared="PagePost POST comments")
@endpoint(Video, "POST", "comments", declared="AdVideo POST comments")
def write(call: Call, below: Post | Video) -> Any:
    page = call.state.pages[below.page_id]
    call.need_page(page, tasks=["MODERATE", "MANAGE"])
    if "pages_manage_engagement" not in call.token.scopes:
        raise GraphError(200, "(#200) If commenting as a page, requires pages_manage_engagement")
    if isinstance(below, Post) and below.is_story:
        raise invalid("A story takes no comments of its Page")
    message = call.text("message")
    if not message.strip() or len(message) > LONGEST:
        raise invalid(f"Param message must have 1 to {LONGEST} characters")
    number = 700_000_000_000_000 + call.state.new_number()
    comment = Comment(f"{below.id.rpartition('_')[2]}_{number}", below.id, page.id, message, call.now)
    call.state.add(comment)
    return render(call, comment, call.fields, "id")


@endpoint(Post, "GET", "comments")
@endpoint(Video, "GET", "comments")
def read(call: Call, below: Post | Video) -> Any:
    """Of the people who comment the sandbox keeps only the number; those of the Page itself it can show."""
    call.need_page(call.state.pages[below.page_id], scopes=["pages_read_engagement", "pages_read_user_content"])
    rows = comments_below(call, below.id)
    if call.text("order") == "reverse_chronological":
        rows.reverse()
    answer = listing(call, rows, lambda comment: render(call, comment, call.fields, "id,created_time,from,message"))
    if call.flag("summary") and isinstance(below, Post):
        answer["summary"] = comments(call, below, Field("comments", {"summary": "true"}))["summary"]
    return answer


def comments_below(call: Call, post_id: str) -> list[Comment]:
    return call.state.comments_below(post_id)


@resolver(Comment, "id")
def comment_id(call: Call, comment: Comment, field: Field) -> str:
    return comment.id


@resolver(Comment, "message")
def comment_message(call: Call, comment: Comment, field: Field) -> str:
    return comment.message


@resolver(Comment, "created_time")
def comment_time(call: Call, comment: Comment, field: Field) -> str:
    return timestamp(comment.created_at)


@resolver(Comment, "from")
def comment_author(call: Call, comment: Comment, field: Field) -> dict[str, str]:
    return {"id": comment.page_id, "name": call.state.pages[comment.page_id].name}
