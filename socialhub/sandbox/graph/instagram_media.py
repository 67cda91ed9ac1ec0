"""What has been published on Instagram: posts, reels, stories, what is told of them, and comments below them."""

from __future__ import annotations

from typing import Any

from ..figures import figures_of
from ..state import Instagram, Media
from . import call as calls
from .call import OMIT, Call, endpoint, listing, render, resolver, timestamp
from .errors import GraphError, invalid, missing
from .fields import Field, parse_fields

calls.SPEC_NAMES.update({Media: "IGMedia"})
STORY_SECONDS = 86_400
COMMENT_LIMIT, COMMENT_HASHTAGS = 300, 4
COMMENT_FIELDS = {"id", "text", "username", "from", "timestamp", "hidden", "like_count", "media", "parent_id", "user"}


@endpoint(Instagram, "GET", "media")
def media_list(call: Call, account: Instagram) -> Any:
    call.need_instagram(account)
    since, until = call.instant("since"), call.instant("until")
    rows = []
    for media_id in reversed(call.state.media_of[account.id]):
        media = call.state.media[media_id]
        if media.product == "STORY":
            continue
        if since is not None and media.created_at < since:
            break
        if until is None or media.created_at <= until:
            rows.append(media)
    asked = call.fields or parse_fields("id")
    return listing(call, rows, lambda media: render(call, media, asked))


@endpoint(Instagram, "GET", "stories")
def stories(call: Call, account: Instagram) -> Any:
    """Those of the last 24 hours, newest first."""
    call.need_instagram(account)
    found = [call.state.media[media_id] for media_id in reversed(call.state.media_of[account.id])]
    rows = [media for media in found if media.product == "STORY" and not is_over(call, media)]
    asked = call.fields or parse_fields("id")
    return listing(call, rows, lambda media: render(call, media, asked))


@resolver(Instagram, "media")
def expanded_media(call: Call, account: Instagram, field: Field) -> Any:
    return media_list(call.inside(account.id, field), account)


@resolver(Instagram, "stories")
def expanded_stories(call: Call, account: Instagram, field: Field) -> Any:
    return stories(call.inside(account.id, field), account)


def is_over(call: Call, media: Media) -> bool:
    return media.product == "STORY" and call.now - media.created_at > STORY_SECONDS


def see_media(call: Call, media: Media, *scopes: str, tasks: tuple[str, ...] = ()) -> None:
    call.need_instagram(call.state.instagrams[media.instagram_id], *scopes, tasks=tasks)
    if is_over(call, media):
        raise missing(media.id, call.method)


@endpoint(Media, "GET")
def read_media(call: Call, media: Media) -> Any:
    see_media(call, media)
    return render(call, media, call.fields, "id")


@endpoint(Media, "POST", declared="IGMedia POST #update")
def edit_media(call: Call, media: Media) -> Any:
    see_media(call, media, "instagram_manage_comments")
    if "comment_enabled" not in call.params:
        raise invalid("The parameter comment_enabled is required")
    call.flag("comment_enabled")
    return {"success": True}


@endpoint(Media, "DELETE", declared="IGMedia DELETE #delete")
def delete_media(call: Call, media: Media) -> Any:
    account = call.state.instagrams[media.instagram_id]
    if call.is_instagram:
        raise GraphError(100, "Unsupported delete request.", subcode=33, kind="IGApiException")
    call.need_instagram(account, "instagram_manage_contents", tasks=["MANAGE"])
    if media.parent_id:
        raise invalid("A single item of a carousel cannot be deleted")
    call.state.remove_media(media)
    return {"success": True}


@endpoint(Media, "GET", "children")
def children_edge(call: Call, media: Media) -> Any:
    see_media(call, media)
    rows = [call.state.media[child_id] for child_id in media.children]
    return {"data": [render(call, child, call.fields) for child in rows]}


@resolver(Media, "id")
def media_id(call: Call, media: Media, field: Field) -> str:
    return media.id


@resolver(Media, "caption")
def media_caption(call: Call, media: Media, field: Field) -> Any:
    return media.caption or OMIT


@resolver(Media, "alt_text")
def media_alt(call: Call, media: Media, field: Field) -> Any:
    return media.alt_text or OMIT


@resolver(Media, "timestamp")
def media_time(call: Call, media: Media, field: Field) -> str:
    return timestamp(media.created_at)


@resolver(Media, "shortcode")
def media_shortcode(call: Call, media: Media, field: Field) -> str:
    return media.shortcode


@resolver(Media, "permalink")
def media_permalink(call: Call, media: Media, field: Field) -> str:
    return permalink(call.base_url, media)


def permalink(base_url: str, media: Media) -> str:
    return f"{base_url}/feeds/instagram/{'reel' if media.product == 'REELS' else 'p'}/{media.shortcode}/"


@resolver(Media, "media_type")
def media_type(call: Call, media: Media, field: Field) -> str:
    if media.children:
        return "CAROUSEL_ALBUM"
    return "VIDEO" if media.poster else "IMAGE"


@resolver(Media, "media_product_type")
def media_product_type(call: Call, media: Media, field: Field) -> str:
    return media.product


@resolver(Media, "media_url")
def media_url(call: Call, media: Media, field: Field) -> Any:
    shown = call.state.media[media.children[0]] if media.children else media
    return f"{call.base_url}/media/files/{shown.file}" if shown.file else OMIT


@resolver(Media, "thumbnail_url")
def thumbnail_url(call: Call, media: Media, field: Field) -> Any:
    """Of videos only."""
    return f"{call.base_url}/media/files/{media.poster}" if media.poster else OMIT


@resolver(Media, "username")
def media_username(call: Call, media: Media, field: Field) -> str:
    return call.state.instagrams[media.instagram_id].username


@resolver(Media, "owner")
def media_owner(call: Call, media: Media, field: Field) -> dict[str, str]:
    return {"id": media.instagram_id}


@resolver(Media, "is_comment_enabled")
def comments_are_on(call: Call, media: Media, field: Field) -> bool:
    return True


@resolver(Media, "children")
def media_children(call: Call, media: Media, field: Field) -> Any:
    if not media.children:
        return OMIT
    rows = [call.state.media[child_id] for child_id in media.children]
    return {"data": [render(call, child, field.nested or ()) for child in rows]}


@resolver(Media, "like_count", "total_like_count")
def like_count(call: Call, media: Media, field: Field) -> Any:
    """The owner may hide it."""
    if media.hides_likes:
        return OMIT
    figures = figures_of(call.state, media, call.now)
    return figures.likes + figures.loves


@resolver(Media, "comments_count", "total_comments_count")
def comments_count(call: Call, media: Media, field: Field) -> int:
    return figures_of(call.state, media, call.now).comments


@resolver(Media, "saved_count")
def saved_count(call: Call, media: Media, field: Field) -> int:
    return figures_of(call.state, media, call.now).saves


@resolver(Media, "shares_count")
def shares_count(call: Call, media: Media, field: Field) -> int:
    return figures_of(call.state, media, call.now).shares


@resolver(Media, "reposts_count")
def reposts_count(call: Call, media: Media, field: Field) -> int:
    return figures_of(call.state, media, call.now).shares // 5


@resolver(Media, "total_views_count", "view_count")
def views_count(call: Call, media: Media, field: Field) -> int:
    return figures_of(call.state, media, call.now).views


# Comments


@endpoint(Media, "POST", "comments", declared="IGMedia POST comments")
def write_comment(call: Call, media: Media) -> Any:
    see_media(call, media, "instagram_manage_comments", tasks=("MODERATE", "MANAGE"))
    text = call.text("message")
    if not text.strip():
        raise invalid("The parameter message is required")
    if media.product == "STORY" or media.parent_id:
        raise invalid("Comments are possible below posts and reels only")
    if len(text) > COMMENT_LIMIT:
        raise invalid(f"The comment is longer than {COMMENT_LIMIT} characters")
    if text.count("#") > COMMENT_HASHTAGS:
        raise invalid(f"A comment takes at most {COMMENT_HASHTAGS} hashtags")
    number = 17_800_000_000_000_000 + call.state.new_number()
    comment = {"id": str(number), "text": text, "at": call.now, "account": media.instagram_id}
    media.comments.append(comment)
    call.state.changed()
    if call.fields:
        # The comment is there by now: this is how the real one answers, too.
        raise GraphError(20, "An error occurred while shaping the response.", subcode=1772107)
    return {"id": comment["id"]}


@endpoint(Media, "GET", "comments")
def read_comments(call: Call, media: Media) -> Any:
    """Newest first, fifty at most. At its own login authors have the ids that only the app knows."""
    see_media(call, media, "instagram_manage_comments")
    asked = [one.name for one in call.fields] or ["id", "text", "timestamp"]
    if unknown := set(asked) - COMMENT_FIELDS:
        raise invalid(f"Tried accessing nonexisting field ({min(unknown)}) on node type (IGComment)")
    return {"data": [comment_row(call, one, asked) for one in reversed(media.comments[-50:])]}


def comment_row(call: Call, comment: dict[str, Any], asked: list[str]) -> dict[str, Any]:
    author = call.state.instagrams[comment["account"]]
    told = {
        "id": comment["id"],
        "text": comment["text"],
        "timestamp": timestamp(comment["at"]),
        "username": author.username,
        "from": {"id": author.scoped_id if call.is_instagram else author.id, "username": author.username},
        "hidden": False,
    }
    return {name: told[name] for name in ["id", *asked] if name in told}
