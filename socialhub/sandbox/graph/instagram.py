"""An Instagram professional account: containers and publishing."""

from __future__ import annotations

import re
from typing import Any

from .. import pictures, settings
from ..figures import followers_at
from ..seeds import shortcode
from ..state import Container, Instagram, Media
from . import call as calls
from .call import OMIT, Call, endpoint, render, resolver
from .errors import GraphError, invalid
from .fields import Field
from .instagram_films import take_film

calls.SPEC_NAMES.update({Instagram: "IGUser", Container: "IGContainer"})
DAY = 86_400
CAPTION_LIMIT, HASHTAGS, MENTIONS, ALT_TEXT_LIMIT = 2_200, 30, 20, 1_000
IMAGE_BYTES = 8 * 1024 * 1024
NARROWEST, WIDEST = 0.8, 1.91
CONTAINERS_PER_DAY = 400
CAROUSEL = range(2, 11)
PRODUCTS = {"REELS": "REELS", "STORIES": "STORY"}


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
    return sum(call.state.media[one].product != "STORY" for one in call.state.media_of[account.id])


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
    elif media_type in ("", "IMAGE") or (media_type == "STORIES" and "image_url" in call.params):
        container = single_image(call, account, is_child)
    elif media_type in ("REELS", "STORIES", "VIDEO"):
        container = single_video(call, account, media_type, is_child)
    else:
        raise invalid("Unknown media type", subcode=2207023, text=f"The media type {media_type} is unknown.")
    if any(fault.kind == "processing_failed" for fault in call.struck):
        container.error = "Media upload has failed with error code 2207077"
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
    is_story = call.text("media_type") == "STORIES"
    if is_story:
        refuse_for_story(call)
    picture = instagram_image(url, any_shape=is_story)
    container = new_container(call, account)
    container.media_type = call.text("media_type")
    container.caption = call.text("caption")
    container.alt_text = call.text("alt_text")
    container.is_carousel_item = is_child
    container.width, container.height = picture.width, picture.height
    container.file = picture.save(call.state.folder, container.id)
    return container


def refuse_for_story(call: Call) -> None:
    for name in ("caption", "alt_text", "collaborators", "is_carousel_item"):
        if call.text(name):
            raise invalid(f"The parameter {name} is not supported for stories")


def single_video(call: Call, account: Instagram, media_type: str, is_child: bool) -> Container:
    if media_type == "VIDEO" and not is_child:
        raise invalid("The media type VIDEO is no longer supported for single posts; use REELS instead")
    if media_type == "REELS" and is_child:
        raise invalid("A carousel holds no reels")
    if call.text("alt_text"):
        raise invalid("The parameter alt_text is not supported for videos")
    if media_type == "STORIES":
        refuse_for_story(call)
    resumable = call.text("upload_type") == "resumable"
    if resumable and call.is_instagram:
        raise invalid("The parameter upload_type is not supported")
    url = call.text("video_url")
    if bool(url) == resumable:
        raise invalid("The parameter video_url is required, or upload_type=resumable, and not both")
    container = new_container(call, account)
    container.media_type = media_type
    container.caption = call.text("caption")
    container.is_carousel_item = is_child
    container.resumable = resumable
    if not resumable:
        take_film(call.state, container, url)
        container.ready_at = call.state.now() + settings.SANDBOX_CONTAINER_SECONDS  # fetching took time
    return container


def instagram_image(url: str, *, any_shape: bool) -> pictures.Picture:
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
    if not any_shape and not NARROWEST - 0.005 <= picture.ratio <= WIDEST + 0.005:
        raise GraphError(
            36003,
            "The aspect ratio is not supported.",
            subcode=2207009,
            title="Image aspect ratio is not allowed",
            text="The submitted image's aspect ratio is not between 4:5 and 1.91:1.",
        )
    return picture


def carousel(call: Call, account: Instagram) -> Container:
    if {"image_url", "video_url"} & set(call.params) or call.flag("is_carousel_item"):
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
    is_waiting = container.resumable and not container.file
    if container.error and now >= container.ready_at and not is_waiting:
        return "ERROR"
    if now - container.created_at > DAY:
        return "EXPIRED"
    if is_waiting:
        return "IN_PROGRESS"
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


@resolver(Container, "video_status")
def container_video_status(call: Call, container: Container, field: Field) -> Any:
    if not container.resumable:
        return OMIT
    done = bool(container.file)
    return {
        "uploading_phase": {
            "status": "complete" if done else "in_progress" if container.received else "not_started",
            "bytes_transferred": container.received,
        },
        "processing_phase": {"status": "complete" if done and call.now >= container.ready_at else "not_started"},
    }


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
        product=PRODUCTS.get(container.media_type, "FEED"),
        poster=container.poster,
    )
    container.media_id = media.id
    container.published_at = call.now
    call.state.add(media)
    return media
