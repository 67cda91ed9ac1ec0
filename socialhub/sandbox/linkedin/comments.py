"""Comments below posts."""

from __future__ import annotations

from typing import Any

from .call import POSTING_ROLES, Call, Reply, answers
from .errors import denied, invalid, missing
from .rows import Comment, Post

LONGEST = 1_250


def post_of(call: Call) -> Post:
    found = call.state.linkedin_posts.get(call.path[1])
    if found is None:
        raise missing(call.path[1])
    return found


def facts(comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id.rpartition(",")[2].rstrip(")"),
        "commentUrn": comment.id,
        "actor": comment.actor,
        "object": comment.post,
        "message": {"text": comment.text, "attributes": []},
        "created": {"actor": comment.actor, "time": int(comment.created_at * 1000)},
    }


@answers("POST", "socialActions/*/comments")
def write(call: Call) -> Reply:
    actor, message = call.body.get("actor"), call.body.get("message")
    if not isinstance(actor, str) or not isinstance(message, dict) or not isinstance(message.get("text"), str):
        raise invalid("MISSING_FIELD", "A comment needs an actor and a message with a text", "/message/text")
    may_comment_as(call, actor)
    post = post_of(call)
    if call.body.get("object") != post.id:
        raise invalid("INVALID_VALUE_FOR_FIELD", f"is not {post.id}", "/object")
    if not 0 < len(message["text"]) <= LONGEST:
        raise invalid("FIELD_LENGTH_TOO_LONG", f"must have 1 to {LONGEST} characters", "/message/text")
    number = call.state.new_number()
    urn = f"urn:li:comment:({post.id},{7_400_000_000_000_000_000 + number})"
    comment = call.state.add(Comment(urn, post.id, actor, message["text"], call.now))
    return Reply(201, facts(comment), {"x-restli-id": facts(comment)["id"]})


def may_comment_as(call: Call, actor: str) -> None:
    """The scopes that let one post do not let one comment."""
    if actor.startswith("urn:li:organization:"):
        call.need("w_organization_social_feed")
        call.need_role(call.organization(actor), POSTING_ROLES)
        return
    call.need("w_member_social_feed")
    if actor != call.member.urn:
        raise denied(call.what)


@answers("GET", "socialActions/*/comments")
def read(call: Call) -> Reply:
    """Below the posts of members nobody's app may read."""
    post = post_of(call)
    if not post.author.startswith("urn:li:organization:"):
        raise denied(call.what)
    call.need("r_organization_social_feed")
    if not call.role_on(call.organization(post.author)):
        raise denied(call.what)
    rows = [one for one in call.state.linkedin_comments.values() if one.post == post.id]
    elements, paging = call.page(rows)
    return Reply(body={"elements": [facts(comment) for comment in elements], "paging": paging})
