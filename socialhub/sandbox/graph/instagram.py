"""An Instagram professional account: containers, publishing, what has been published."""

from __future__ import annotations

import re
from typing import Any

from .. import pictures, settings
from ..figures import figures_of, followers_at
from ..state import Container, Instagram, Media
from . import call as calls
from .call import OMIT, Call, endpoint, listing, render, resolver, timestamp
from .errors import GraphError, invalid
from .fields import Field, parse_fields

calls.SPEC_NAMES.update({Instagram: "IGUser", Container: "IGContainer", Media: "IGMedia"})
DAY = 86_400
CAPTION_LIMIT, HASHTAGS, MENTIONS, ALT_TEXT_LIMIT = 2_200, 30, 20, 1_000
IMAGE_BYTES = 8 * 1024 * 1024
NARROWEST, WIDEST = 0.8, 1.91
CONTAINERS_PER_DAY = 400
CAROUSEL = range(2, 11)
SHORTCODE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


# The account


@endpoint(Instagram, "GET")
def read_account(call: Call, account: Instagram) -> Any:
    call.need_instagram(account)
    return render(call, account, call.fields, "id,username")


@resolver(Instagram, "id")
def account_id(call: Call, account: Instagram, field: Field) -> str:
    return account.id


@resolver(Instagram, "user_id")
def user_id(call: Call, account: Instagram, field: Field) -> str:
    return account.id


@resolver(Instagram, "account_type")
def account_type(call: Call, account: Instagram, field: Field) -> str:
    return account.account_type


@resolver(Instagram, "ig_id", "legacy_instagram_user_id")
def legacy_id(call: Call, account: Instagram, field: Field) -> str:
    return account.id[-9:]


@resolver(Instagram, "username")
def username(call: Call, account: Instagram, field: Field) -> str:
    return account.username


@resolver(Instagram, "name")
def account_name(call: Call, account: Instagram, field: Field) -> str:
    return account.name


@resolver(Instagram, "biography")
def biography(call: Call, account: Instagram, field: Field) -> Any:
    return account.biography or OMIT


@resolver(Instagram, "profile_picture_url")
def profile_picture(call: Call, account: Instagram, field: Field) -> str:
    return f"{call.base_url}/media/portraits/{account.id}.png"


@resolver(Instagram, "has_profile_pic", "is_published")
def yes(call: Call, account: Instagram, field: Field) -> bool:
    return True


@resolver(Instagram, "followers_count")
def followers(call: Call, account: Instagram, field: Field) -> int:
    return followers_at(account, call.now)


@resolver(Instagram, "follows_count")
def follows(call: Call, account: Instagram, field: Field) -> int:
    return account.follows_count


@resolver(Instagram, "media_count")
def media_count(call: Call, account: Instagram, field: Field) -> int:
    return len(call.state.media_of[account.id])


@endpoint(Instagram, "GET", "content_publishing_limit")
def publishing_limit(call: Call, account: Instagram) -> Any:
    call.need_instagram(account, "instagram_content_publish")
    since = call.instant("since") or call.now - DAY
    if call.now - since > DAY + 60:
        raise invalid("Param since must not be more than 24 hours ago")
    asked = {one.name for one in call.fields} or {"quota_usage"}
    if unknown := asked - {"config", "quota_usage"}:
        raise invalid(
            f"Tried accessing nonexisting field ({min(unknown)}) on node type (ContentPublishingLimitResponse)"
        )
    row: dict[str, Any] = {}
    if "quota_usage" in asked:
        row["quota_usage"] = published_since(call, account, since)
    if "config" in asked:
        row["config"] = {"quota_total": account.quota_total, "quota_duration": DAY}
    return {"data": [row]}


def published_since(call: Call, account: Instagram, since: float) -> int:
    """Publishes of the window; a deleted post still counts, because its container says that it was published."""
    return sum(one.published_at >= since and not one.is_carousel_item for one in call.state.containers_of[account.id])


# Containers


@endpoint(Instagram, "POST", "media", declared="IGUser POST media", locked=False)
def create_container(call: Call, account: Instagram) -> Any:
    call.need_instagram(account, "instagram_content_publish", tasks=["CREATE_CONTENT", "MANAGE"])
    with call.state.lock:
        made = sum(call.now - one.created_at < DAY for one in call.state.containers_of[account.id])
    if made >= CONTAINERS_PER_DAY:
        raise GraphError(
            9, "(#9) Application request limit reached", subcode=2207042, text="Too many containers within 24 hours."
        )
    media_type = call.text("media_type")
    is_child = call.flag("is_carousel_item")
    check_texts(call, is_child)
    if media_type == "CAROUSEL":
        container = carousel(call, account)
    elif media_type in ("", "IMAGE"):
        container = single_image(call, account, is_child)
    elif media_type in ("REELS", "STORIES", "VIDEO"):
        if media_type == "VIDEO" and not is_child:
            raise invalid("The media type VIDEO is no longer supported for single posts; use REELS instead")
        raise GraphError(3, f"(#3) The sandbox does not simulate media_type={media_type}: images and carousels only")
    else:
        raise invalid("Unknown media type", subcode=2207023, text=f"The media type {media_type} is unknown.")
    with call.state.lock:
        call.state.add(container)
    return {"id": container.id}


def check_texts(call: Call, is_child: bool) -> None:
    caption = call.text("caption")
    if is_child and caption:
        raise invalid("Carousel items cannot have a caption")
    if is_child and "is_ai_generated" in call.params:
        raise invalid("is_ai_generated must be set on the carousel, not on its items", subcode=2207100)
    if len(caption) > CAPTION_LIMIT:
        raise GraphError(
            36004,
            "The caption is too long.",
            subcode=2207010,
            title="Caption too long",
            text=f"The caption was too long. The maximum is {CAPTION_LIMIT} characters.",
        )
    if len(re.findall(r"#\w", caption)) > HASHTAGS:
        raise GraphError(
            36004,
            "The caption has too many hashtags.",
            subcode=2207010,
            text=f"At most {HASHTAGS} hashtags are allowed.",
        )
    if len(re.findall(r"@\w", caption)) > MENTIONS:
        raise invalid("Too many @ tags", subcode=2207040, text=f"At most {MENTIONS} @ tags are allowed in a caption.")
    if len(call.text("alt_text")) > ALT_TEXT_LIMIT:
        raise invalid(f"The alt text is longer than {ALT_TEXT_LIMIT} characters")
    if len(call.names("collaborators")) > 3:
        raise invalid("At most 3 collaborators can be named")


def single_image(call: Call, account: Instagram, is_child: bool) -> Container:
    url = call.text("image_url")
    if not url:
        raise invalid("The parameter image_url is required")
    if "children" in call.params:
        raise invalid("Only a carousel has children")
    picture = instagram_image(url)
    container = new_container(call, account)
    container.caption = call.text("caption")
    container.alt_text = call.text("alt_text")
    container.is_carousel_item = is_child
    container.width, container.height = picture.width, picture.height
    container.file = picture.save(call.state.folder, container.id)
    return container


def instagram_image(url: str) -> pictures.Picture:
    """Fetch and look at an image as Instagram does when the container is made."""
    try:
        content = pictures.fetch(url)
        picture = pictures.read(content)
    except (pictures.NotFetchedError, pictures.NotAnImageError) as error:
        raise GraphError(
            9004,
            "Only photo or video can be accepted as media type.",
            subcode=2207052,
            title="Media download has failed. The media URI doesn't meet our requirements.",
            text=f"The media could not be fetched from this URI: {error}",
        ) from error
    if picture.format != "JPEG":
        raise GraphError(
            36001,
            "The image format is not supported.",
            subcode=2207005,
            title="Unsupported image format",
            text=f"The image is {picture.format}. Only JPEG is supported.",
        )
    if len(content) > IMAGE_BYTES:
        raise GraphError(
            36000,
            "The image is too large.",
            subcode=2207004,
            title="Image too large",
            text="The image is too large to download. It should be less than 8 MiB.",
        )
    if not NARROWEST - 0.005 <= picture.ratio <= WIDEST + 0.005:
        raise GraphError(
            36003,
            "The aspect ratio is not supported.",
            subcode=2207009,
            title="Image aspect ratio is not allowed",
            text="The submitted image's aspect ratio is not between 4:5 and 1.91:1.",
        )
    return picture


def carousel(call: Call, account: Instagram) -> Container:
    if "image_url" in call.params or call.flag("is_carousel_item"):
        raise invalid("A carousel has children, and no image of its own")
    child_ids = call.names("children")
    if len(child_ids) not in CAROUSEL:
        raise invalid(
            "A carousel needs 2 to 10 items",
            subcode=2207028,
            title="Carousel item count",
            text="Your post won't work as a carousel. Carousels need at least 2 photos or videos and at most 10.",
        )
    if len(set(child_ids)) < len(child_ids):
        raise invalid("Param children holds the same container twice")
    for child_id in child_ids:
        child = call.state.containers.get(child_id)
        if child is None or child.instagram_id != account.id:
            raise GraphError(24, f"The media {child_id} was not found.", subcode=2207006)
        if not child.is_carousel_item:
            raise invalid(f"The container {child_id} was not made with is_carousel_item=true")
        need_finished(call, child)
    container = new_container(call, account)
    container.caption = call.text("caption")
    container.children = child_ids
    return container


def new_container(call: Call, account: Instagram) -> Container:
    with call.state.lock:
        number = 17_900_000_000_000_000 + call.state.new_number()
    now = call.state.now()  # fetching took time
    return Container(str(number), account.id, now, now + settings.SANDBOX_CONTAINER_SECONDS)


def status_code(container: Container, now: float) -> str:
    if container.media_id:
        return "PUBLISHED"
    if container.error:
        return "ERROR"
    if now - container.created_at > DAY:
        return "EXPIRED"
    return "IN_PROGRESS" if now < container.ready_at else "FINISHED"


def need_finished(call: Call, container: Container) -> None:
    """Raises the refusal that fits, unless the container can be used now."""
    status = status_code(container, call.now)
    if status == "IN_PROGRESS":
        raise GraphError(
            9007,
            "Media ID is not available",
            subcode=2207027,
            title="Media is not ready to be published",
            text="The media is not ready to be published. Please wait a moment.",
        )
    if status == "EXPIRED":
        raise GraphError(-2, "The media has expired.", subcode=2207020, status=400)
    if status == "ERROR":
        raise GraphError(-1, "The media could not be created.", subcode=2207032, status=400)
    if status == "PUBLISHED":
        raise GraphError(
            24,
            "The requested resource does not exist",
            subcode=2207008,
            text=f"The media container {container.id} has been published already.",
        )


@endpoint(Container, "GET")
def read_container(call: Call, container: Container) -> Any:
    call.need_instagram(call.state.instagrams[container.instagram_id], "instagram_content_publish")
    return render(call, container, call.fields, "id")


@resolver(Container, "id")
def container_id(call: Call, container: Container, field: Field) -> str:
    return container.id


@resolver(Container, "status_code")
def container_status_code(call: Call, container: Container, field: Field) -> str:
    return status_code(container, call.now)


@resolver(Container, "status")
def container_status(call: Call, container: Container, field: Field) -> str:
    status = status_code(container, call.now)
    texts = {
        "PUBLISHED": "Published: Media has been published.",
        "ERROR": f"Error: {container.error}",
        "EXPIRED": "Expired: Media was not published within 24 hours.",
        "IN_PROGRESS": "In Progress: Media is still being processed.",
        "FINISHED": "Finished: Media has been uploaded and it is ready to be published.",
    }
    return texts[status]


# Publishing


@endpoint(Instagram, "POST", "media_publish", declared="IGUser POST media_publish")
def publish(call: Call, account: Instagram) -> Any:
    call.need_instagram(account, "instagram_content_publish", tasks=["CREATE_CONTENT", "MANAGE"])
    creation_id = call.text("creation_id")
    if not creation_id:
        raise invalid("The parameter creation_id is required")
    container = call.state.containers.get(creation_id)
    if container is None or container.instagram_id != account.id:
        raise GraphError(24, "The requested resource does not exist", subcode=2207006, text="The media was not found.")
    if container.is_carousel_item:
        raise invalid("A carousel item cannot be published by itself")
    need_finished(call, container)
    if published_since(call, account, call.now - DAY) >= account.quota_total:
        raise GraphError(
            9,
            "(#9) Application request limit reached",
            subcode=2207042,
            title="You reached the maximum number of posts",
            text="You reached the maximum number of posts that is allowed to be published by Content Publishing API.",
        )
    media = add_media(call, container)
    for child_id in container.children:
        child = call.state.containers[child_id]
        child_media = add_media(call, child, parent=media)
        media.children.append(child_media.id)
    return {"id": media.id}


def add_media(call: Call, container: Container, parent: Media | None = None) -> Media:
    number = call.state.new_number()
    media = Media(
        str(18_000_000_000_000_000 + number),
        container.instagram_id,
        shortcode(number),
        call.now,
        caption=container.caption,
        file=container.file,
        width=container.width,
        height=container.height,
        alt_text=container.alt_text,
        parent_id=parent.id if parent else "",
        container_id=container.id,
    )
    container.media_id = media.id
    container.published_at = call.now
    call.state.add(media)
    return media


def shortcode(number: int) -> str:
    """Eleven letters that differ for each number and do not show it."""
    number = (number * 0x9E3779B97F4A7C15) % (1 << 64)
    letters = []
    for _ in range(11):
        number, letter = divmod(number, 64)
        letters.append(SHORTCODE_LETTERS[letter])
    return "D" + "".join(letters)[:10]


# What has been published


@endpoint(Instagram, "GET", "media")
def media_list(call: Call, account: Instagram) -> Any:
    call.need_instagram(account)
    since, until = call.instant("since"), call.instant("until")
    rows = []
    for media_id in reversed(call.state.media_of[account.id]):
        media = call.state.media[media_id]
        if since is not None and media.created_at < since:
            break
        if until is None or media.created_at <= until:
            rows.append(media)
    asked = call.fields or parse_fields("id")
    return listing(call, rows, lambda media: render(call, media, asked))


@endpoint(Instagram, "GET", "stories")
def stories(call: Call, account: Instagram) -> Any:
    call.need_instagram(account)
    return {"data": []}


def see_media(call: Call, media: Media, *scopes: str) -> None:
    call.need_instagram(call.state.instagrams[media.instagram_id], *scopes)


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
    return f"{base_url}/feeds/instagram/p/{media.shortcode}/"


@resolver(Media, "media_type")
def media_type(call: Call, media: Media, field: Field) -> str:
    return "CAROUSEL_ALBUM" if media.children else "IMAGE"


@resolver(Media, "media_product_type")
def media_product_type(call: Call, media: Media, field: Field) -> str:
    return "FEED"


@resolver(Media, "media_url")
def media_url(call: Call, media: Media, field: Field) -> str:
    shown = call.state.media[media.children[0]] if media.children else media
    return f"{call.base_url}/media/files/{shown.file}"


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
def like_count(call: Call, media: Media, field: Field) -> int:
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


@resolver(Media, "total_views_count", "view_count")
def views_count(call: Call, media: Media, field: Field) -> int:
    return figures_of(call.state, media, call.now).views
