"""A Page: its node, what it publishes, and what it has published."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from .. import pictures
from ..figures import followers_at
from ..state import Page, Photo, Post
from . import call as calls
from .accounts import page_token
from .call import OMIT, Call, endpoint, listing, render, resolver
from .errors import GraphError, invalid, missing
from .fields import Field, parse_fields
from .videos import bring_out

calls.SPEC_NAMES[Page] = "Page"
MESSAGE_LIMIT = 63_206
PHOTO_BYTES = 4 * 1024 * 1024
PHOTO_FORMATS = {"JPEG", "BMP", "PNG", "GIF", "TIFF"}
PHOTOS_PER_POST = 10
STAGED_SECONDS = 24 * 3600
OUT_OF_ORDER_SECONDS = 3600  # videos are dated by the end of the work on them, and noticed later
LINK_HOST = re.compile(r"(localhost|[\w-]+(\.[\w-]+)+)$")


@endpoint(Page, "GET")
def read_page(call: Call, page: Page) -> Any:
    call.role_on(page)
    return render(call, page, call.fields, "id,name")


@resolver(Page, "id")
def page_id(call: Call, page: Page, field: Field) -> str:
    return page.id


@resolver(Page, "name", "name_with_location_descriptor")
def page_name(call: Call, page: Page, field: Field) -> str:
    return page.name


@resolver(Page, "username")
def page_username(call: Call, page: Page, field: Field) -> str:
    return page.username


@resolver(Page, "category")
def page_category(call: Call, page: Page, field: Field) -> str:
    return page.category


@resolver(Page, "about")
def page_about(call: Call, page: Page, field: Field) -> Any:
    return page.about or OMIT


@resolver(Page, "link")
def page_link(call: Call, page: Page, field: Field) -> str:
    return f"{call.base_url}/feeds/facebook/{page.id}/"


@resolver(Page, "followers_count", "fan_count")
def page_followers(call: Call, page: Page, field: Field) -> int:
    return followers_at(page, call.now)


@resolver(Page, "is_published", "can_post")
def page_is_published(call: Call, page: Page, field: Field) -> bool:
    return True


@resolver(Page, "picture")
def page_picture(call: Call, page: Page, field: Field) -> dict[str, Any]:
    data = {
        "height": 200,
        "width": 200,
        "is_silhouette": False,
        "url": f"{call.base_url}/media/portraits/{page.id}.png",
    }
    if field.nested:
        wanted = {one.name for one in field.nested}
        data = {name: value for name, value in data.items() if name in wanted}
    return {"data": data}


@resolver(Page, "access_token")
def page_access_token(call: Call, page: Page, field: Field) -> Any:
    role = page.role_of(call.token.person_id)
    token = page_token(call, page, role) if role and call.may_see(page) else None
    return token.value if token else OMIT


@resolver(Page, "instagram_business_account", "connected_instagram_account")
def page_instagram(call: Call, page: Page, field: Field) -> Any:
    if not page.instagram_id or "instagram_basic" not in call.token.scopes:
        return OMIT
    return render(call, call.state.instagrams[page.instagram_id], field.nested or (), "id")


# Publishing


@endpoint(Page, "POST", "feed", declared="Page POST feed")
def publish_post(call: Call, page: Page) -> Any:
    call.need_page_to_publish(page)
    message, link = call.text("message"), call.text("link")
    photos = [staged_photo(call, page, photo_id) for photo_id in attached_ids(call)]
    if not (message.strip() or link or photos):
        raise invalid("The parameter message or link is required")
    check_message(message)
    if link:
        check_link(link)
    if link and photos:
        raise invalid("A post carries either a link or attached media, not both")
    if len(photos) > PHOTOS_PER_POST:
        raise invalid(f"A post may have at most {PHOTOS_PER_POST} attached photos")
    if len({photo.id for photo in photos}) < len(photos):
        raise invalid("Param attached_media holds the same photo twice")
    post = add_post(call, page, message, link=link, is_published=call.flag("published", default=True))
    for photo in photos:
        photo.post_id = post.id
        photo.is_published = post.is_published
        post.photo_ids.append(photo.id)
    return render(call, post, call.fields, "id")


@endpoint(Page, "POST", "photos", declared="Page POST photos", locked=False)
def publish_photo(call: Call, page: Page) -> Any:
    call.need_page_to_publish(page)
    published = call.flag("published", default=True)
    message = call.text("caption") or call.text("message")
    check_message(message)
    picture = read_photo(call)
    with call.state.lock:
        photo = Photo(
            str(122_100_000_000_000_000 + call.state.new_number()),
            page.id,
            "",
            picture.width,
            picture.height,
            call.now,
            caption=message,
            alt_text=call.text("alt_text_custom"),
            is_published=published,
        )
        photo.file = picture.save(call.state.folder, photo.id)
        call.state.add(photo)
        if published:
            post = add_post(call, page, message)
            post.photo_ids.append(photo.id)
            photo.post_id = post.id
        answer = render(call, photo, call.fields, "id")
        if photo.post_id:
            answer["post_id"] = photo.post_id
        return answer


def add_post(call: Call, page: Page, message: str, *, link: str = "", is_published: bool = True) -> Post:
    number = 122_100_000_000_000_000 + call.state.new_number()
    return call.state.add(Post(f"{page.id}_{number}", page.id, message, call.now, link=link, is_published=is_published))


def check_message(message: str) -> None:
    if len(message) > MESSAGE_LIMIT:
        raise invalid(f"The message is longer than {MESSAGE_LIMIT} characters")


def check_link(link: str) -> None:
    parts = urlsplit(link)
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not LINK_HOST.match(host):
        raise invalid("Param link must be a valid URL")
    if host == "facebook.com" or host.endswith(".facebook.com"):
        raise GraphError(1609008, "(#1609008) Links to Facebook itself cannot be shared this way")
    if host.endswith((".invalid", ".example.invalid", ".test")):
        raise GraphError(1609005, "(#1609005) The link could not be read: its host was not found")


def attached_ids(call: Call) -> list[str]:
    """Photo ids from attached_media, as one JSON list or as attached_media[0]=…"""
    if "attached_media" in call.params:
        entries = call.json("attached_media", list)
    else:
        numbered = sorted(name for name in call.params if name.startswith("attached_media["))
        entries = [calls.Call.json(call, name, dict) for name in numbered]
    try:
        return [str(entry["media_fbid"]) for entry in entries]
    except (KeyError, TypeError):
        raise invalid('Param attached_media must be a list of {"media_fbid": …}') from None


def staged_photo(call: Call, page: Page, photo_id: str) -> Photo:
    photo = call.state.photos.get(photo_id)
    if photo is None or photo.page_id != page.id or has_vanished(call, photo):
        raise invalid(f"Param attached_media: the photo {photo_id} does not exist or belongs to somebody else")
    if photo.post_id:
        raise GraphError(1366051, "(#1366051) These photos were already posted.")
    return photo


def has_vanished(call: Call, photo: Photo) -> bool:
    """An unpublished photo that no post took is gone after a day."""
    return not photo.post_id and call.now - photo.created_at > STAGED_SECONDS


def read_photo(call: Call) -> pictures.Picture:
    """The uploaded or fetched image. Raises GraphError as Meta does."""
    upload = call.files.get("source")
    url = call.text("url")
    if upload is None and not url:
        raise GraphError(324, "(#324) Requires upload file")
    if len(call.text("alt_text_custom")) > 1000:
        raise invalid("Param alt_text_custom is longer than 1000 characters")
    try:
        content = upload.read() if upload is not None else pictures.fetch(url)
    except pictures.NotFetchedError as error:
        raise GraphError(324, f"(#324) Missing or invalid image file: {error}", subcode=2069019) from error
    try:
        picture = pictures.read(content)
    except pictures.NotAnImageError as error:
        raise GraphError(324, "(#324) Missing or invalid image file") from error
    if picture.format not in PHOTO_FORMATS or len(content) > PHOTO_BYTES:
        raise GraphError(
            1366046,
            "(#1366046) Your photos couldn't be uploaded.",
            text="Photos should be smaller than 4 MB and saved as JPG, PNG, GIF, TIFF or BMP files.",
        )
    return picture


# What has been published


@endpoint(Page, "GET", "published_posts")
def published_posts(call: Call, page: Page) -> Any:
    return post_list(call, page, published_only=True)


@endpoint(Page, "GET", "feed")
def feed(call: Call, page: Page) -> Any:
    return post_list(call, page, published_only=False)


@endpoint(Page, "GET", "posts")
def posts(call: Call, page: Page) -> Any:
    return post_list(call, page, published_only=True)


def post_list(call: Call, page: Page, *, published_only: bool) -> Any:
    call.need_page(page, scopes=["pages_read_engagement"])
    bring_out(call.state)
    since, until = call.instant("since"), call.instant("until")
    rows: list[Post] = []
    for post_id in reversed(call.state.posts_of[page.id]):
        post = call.state.posts[post_id]
        if since is not None and post.created_at < since:
            if post.created_at < since - OUT_OF_ORDER_SECONDS:
                break
            continue
        if (until is None or post.created_at <= until) and (post.is_published or not published_only):
            rows += [] if post.is_story else [post]
    asked = call.fields or parse_fields("id,created_time,message")
    return listing(call, rows, lambda post: render(call, post, asked))


@resolver(Page, "published_posts", "posts", "feed")
def expanded_posts(call: Call, page: Page, field: Field) -> Any:
    return post_list(call.inside(page.id, field), page, published_only=field.name != "feed")


@endpoint(Page, "GET", "scheduled_posts")
def scheduled_posts(call: Call, page: Page) -> Any:
    call.need_page(page, scopes=["pages_read_engagement"])
    return {"data": []}


@endpoint(Page, "GET", "photos")
def photos(call: Call, page: Page) -> Any:
    call.need_page(page, scopes=["pages_read_engagement"])
    rows = [photo for photo in call.state.photos.values() if photo.page_id == page.id and photo.is_published]
    return listing(call, rows[::-1], lambda photo: render(call, photo, call.fields, "id"))


# Photos


@endpoint(Photo, "GET")
def read_photo_node(call: Call, photo: Photo) -> Any:
    call.need_page(call.state.pages[photo.page_id], scopes=["pages_read_engagement"])
    if has_vanished(call, photo):
        raise missing(photo.id, call.method)
    return render(call, photo, call.fields, "id,created_time,name")


@endpoint(Photo, "DELETE", declared="Photo DELETE #delete")
def delete_photo(call: Call, photo: Photo) -> Any:
    call.need_page_to_publish(call.state.pages[photo.page_id])
    if has_vanished(call, photo):
        raise missing(photo.id, call.method)
    if (post := call.state.posts.get(photo.post_id)) is not None:
        post.photo_ids.remove(photo.id)
        if not post.photo_ids and not post.message:
            call.state.remove_post(post)
    call.state.photos.pop(photo.id, None)
    call.state.changed()
    return {"success": True}
