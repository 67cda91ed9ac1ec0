"""Posts and photos of a Page: their fields, editing and deleting."""

from __future__ import annotations

from typing import Any

from .. import settings
from ..figures import figures_of
from ..state import Photo, Post, Video
from . import call as calls
from .call import OMIT, Call, endpoint, limited, render, resolver, timestamp
from .errors import invalid
from .fields import Field
from .pages import check_message

calls.SPEC_NAMES.update({Post: "PagePost", Photo: "Photo"})


def permalink(base_url: str, post: Post) -> str:
    return f"{base_url}/feeds/facebook/{post.page_id}/posts/{post.id.rpartition('_')[2]}/"


@endpoint(Post, "GET")
def read_post(call: Call, post: Post) -> Any:
    call.need_page(call.state.pages[post.page_id], scopes=["pages_read_engagement"])
    if post.is_story and {one.name for one in call.fields} & {"shares", "attachments"}:
        raise invalid("Tried accessing nonexisting field (shares) on node type (Story)")
    return render(call, post, call.fields, "id,created_time,message")


@endpoint(Post, "POST", declared="PagePost POST #update")
def edit_post(call: Call, post: Post) -> Any:
    call.need_page_to_publish(call.state.pages[post.page_id])
    if "message" in call.params:
        check_message(call.text("message"))
        post.message = call.text("message")
        call.state.changed()
    return {"success": True}


@endpoint(Post, "DELETE", declared="PagePost DELETE #delete")
def delete_post(call: Call, post: Post) -> Any:
    call.need_page_to_publish(call.state.pages[post.page_id])
    call.state.remove_post(post)
    return {"success": True}


@resolver(Post, "id")
def post_id(call: Call, post: Post, field: Field) -> str:
    return post.id


@resolver(Post, "message")
def post_message(call: Call, post: Post, field: Field) -> Any:
    return post.message or OMIT


@resolver(Post, "created_time", "updated_time")
@resolver(Photo, "created_time", "updated_time")
def created_time(call: Call, row: Post | Photo, field: Field) -> str:
    return timestamp(row.created_at)


@resolver(Post, "permalink_url")
def post_permalink(call: Call, post: Post, field: Field) -> str:
    return permalink(call.base_url, post)


@resolver(Post, "status_type")
def status_type(call: Call, post: Post, field: Field) -> str:
    if post.video_id:
        return "added_video"
    return "added_photos" if post.photo_ids else "shared_story" if post.link else "mobile_status_update"


@resolver(Post, "is_published")
def is_published(call: Call, post: Post, field: Field) -> bool:
    return post.is_published


@resolver(Post, "is_hidden", "is_expired")
def never(call: Call, post: Post, field: Field) -> bool:
    return False


@resolver(Post, "application")
def application(call: Call, post: Post, field: Field) -> Any:
    if not post.by_app:
        return OMIT
    return {"id": settings.META_APP_ID, "name": "socialhub", "link": call.base_url}


@resolver(Post, "from")
def author(call: Call, post: Post, field: Field) -> dict[str, str]:
    return {"id": post.page_id, "name": call.state.pages[post.page_id].name}


@resolver(Post, "full_picture", "picture")
def full_picture(call: Call, post: Post, field: Field) -> Any:
    if post.video_id:
        return media_address(call, call.state.videos[post.video_id].poster)
    if not post.photo_ids:
        return OMIT
    return media_address(call, call.state.photos[post.photo_ids[0]].file)


@resolver(Post, "attachments")
def attachments(call: Call, post: Post, field: Field) -> Any:
    photos = [call.state.photos[photo_id] for photo_id in post.photo_ids]
    if photos:
        shown = [photo_attachment(call, photo) for photo in photos]
        if len(shown) > 1:
            album = {**shown[0], "media_type": "album", "type": "album", "subattachments": {"data": shown}}
            album["target"] = {"id": post.id, "url": permalink(call.base_url, post)}
            shown = [album]
    elif post.video_id:
        shown = [video_attachment(call, call.state.videos[post.video_id])]
    elif post.link:
        shown = [{"media_type": "link", "type": "share", "url": post.link, "target": {"url": post.link}}]
    else:
        return OMIT
    if field.nested:
        wanted = {one.name for one in field.nested}
        shown = [{name: value for name, value in one.items() if name in wanted} for one in shown]
    return {"data": shown}


def photo_attachment(call: Call, photo: Photo) -> dict[str, Any]:
    address = media_address(call, photo.file)
    return {
        "media_type": "photo",
        "type": "photo",
        "target": {"id": photo.id, "url": address},
        "url": address,
        "media": {"image": {"src": address, "height": photo.height, "width": photo.width}},
    }


def video_attachment(call: Call, video: Video) -> dict[str, Any]:
    poster = media_address(call, video.poster)
    return {
        "media_type": "video",
        "type": "video_inline",
        "target": {"id": video.id, "url": media_address(call, video.file)},
        "url": media_address(call, video.file),
        "media": {
            "image": {"src": poster, "height": video.height, "width": video.width},
            "source": media_address(call, video.file),
        },
    }


def media_address(call: Call, file: str) -> str:
    return f"{call.base_url}/media/files/{file}"


@resolver(Post, "shares")
def shares(call: Call, post: Post, field: Field) -> Any:
    count = figures_of(call.state, post, call.now).shares
    return {"count": count} if count else OMIT


@resolver(Post, "comments")
def comments(call: Call, post: Post, field: Field) -> Any:
    call.need_scope("pages_read_user_content")
    count = figures_of(call.state, post, call.now).comments + len(call.state.comments_below(post.id))
    return counted(field, count, {"order": "ranked", "can_comment": True})


@resolver(Post, "reactions")
def reactions(call: Call, post: Post, field: Field) -> Any:
    call.need_scope("pages_read_user_content")
    figures = figures_of(call.state, post, call.now)
    if wanted := field.modifiers.get("type"):
        count = {"LIKE": figures.likes, "LOVE": figures.loves}.get(wanted.strip("'\""), 0)
    else:
        count = figures.likes + figures.loves
    return counted(field, count, {"viewer_reaction": "NONE"})


@resolver(Post, "likes")
def likes(call: Call, post: Post, field: Field) -> Any:
    call.need_scope("pages_read_user_content")
    return counted(field, figures_of(call.state, post, call.now).likes, {"can_like": True, "has_liked": False})


def counted(field: Field, count: int, more: dict[str, Any]) -> dict[str, Any]:
    """An edge of which the sandbox keeps only the number, not the people."""
    limited(None, field.modifiers.get("limit"))
    answer: dict[str, Any] = {"data": []}
    if field.modifiers.get("summary", "").lower() in ("true", "1", "total_count"):
        answer["summary"] = {"total_count": count, **more}
    return answer


@endpoint(Post, "GET", "attachments")
def attachments_edge(call: Call, post: Post) -> Any:
    call.need_page(call.state.pages[post.page_id], scopes=["pages_read_engagement"])
    found = attachments(call, post, Field("attachments", nested=call.fields or None))
    return {"data": []} if found is OMIT else found


@endpoint(Post, "GET", "reactions")
def reactions_edge(call: Call, post: Post) -> Any:
    call.need_page(call.state.pages[post.page_id], scopes=["pages_read_engagement"])
    return reactions(call, post, Field("reactions", dict(call.params)))


# Photos


@resolver(Photo, "id")
def photo_id(call: Call, photo: Photo, field: Field) -> str:
    return photo.id


@resolver(Photo, "name")
def photo_name(call: Call, photo: Photo, field: Field) -> Any:
    return photo.caption or OMIT


@resolver(Photo, "alt_text", "alt_text_custom")
def photo_alt(call: Call, photo: Photo, field: Field) -> Any:
    return photo.alt_text or OMIT


@resolver(Photo, "width")
def photo_width(call: Call, photo: Photo, field: Field) -> int:
    return photo.width


@resolver(Photo, "height")
def photo_height(call: Call, photo: Photo, field: Field) -> int:
    return photo.height


@resolver(Photo, "page_story_id")
def page_story(call: Call, photo: Photo, field: Field) -> Any:
    return photo.post_id or OMIT


@resolver(Photo, "link")
def photo_link(call: Call, photo: Photo, field: Field) -> str:
    post = call.state.posts.get(photo.post_id)
    return permalink(call.base_url, post) if post else media_address(call, photo.file)


@resolver(Photo, "images", "webp_images")
def photo_images(call: Call, photo: Photo, field: Field) -> list[dict[str, Any]]:
    return [{"height": photo.height, "width": photo.width, "source": media_address(call, photo.file)}]


@resolver(Photo, "picture")
def photo_picture(call: Call, photo: Photo, field: Field) -> str:
    return media_address(call, photo.file)


@endpoint(Post, "GET", "likes")
def likes_edge(call: Call, post: Post) -> Any:
    call.need_page(call.state.pages[post.page_id], scopes=["pages_read_engagement"])
    return likes(call, post, Field("likes", dict(call.params)))
