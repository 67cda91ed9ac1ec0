"""What Buffer's server checks in a post beyond the schema."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from .rows import Channel, Post

# Texts, in UTF-16 units.
LIMITS = {
    "twitter": 280,
    "threads": 500,
    "bluesky": 300,
    "mastodon": 500,
    "pinterest": 500,
    "youtube": 5_000,
    "tiktok": 4_000,
    "googlebusiness": 4_000,
    "linkedin": 3_000,
    "facebook": 5_000,
    "instagram": 2_196,
}
VIDEO_LIMITS = {"tiktok": 2_200}  # where a text beside a video is shorter
TITLE_LIMITS = {"pinterest": 100, "youtube": 100, "tiktok": 90}
LONGEST_TOPIC = 50
LONG_SUBSCRIPTIONS = {"Basic", "Premium", "PremiumPlus"}
# Service: its key in the metadata.
METADATA_KEYS = {service: service for service in LIMITS} | {"googlebusiness": "google"}
CATEGORIES = {"1", "2", "10", "15", "17", "19", "20", "22", "23", "24", "25", "26", "27", "28", "29"}


MOST_IMAGES = {"twitter": 4, "bluesky": 4, "mastodon": 4, "pinterest": 1, "googlebusiness": 1, "tiktok": 35}


class InvalidInputError(Exception):
    """The text is what the typed error says."""


def length_of(text: str, service: str) -> int:
    if service == "bluesky":
        return sum(not unicodedata.combining(letter) and letter != "\u200d" for letter in text)
    return len(text.encode("utf-16-le")) // 2


def check(channel: Channel, post: Post) -> None:
    """Raises InvalidInputError."""
    if channel.service not in METADATA_KEYS:
        raise InvalidInputError(f"Posts for {channel.service} channels cannot be created with the API.")
    check_assets(post.assets)
    check_kinds(channel, kinds(post))
    metadata = own_metadata(channel, post.metadata)
    if not post.text.strip() and not post.assets and not metadata.get("thread") and not metadata.get("retweet"):
        raise InvalidInputError("Invalid post: please provide some text or media.")
    check_length(channel, post.text, metadata.get("spoilerText") or "")
    if "video" in kinds(post) and len(post.text) > VIDEO_LIMITS.get(channel.service, len(post.text)):
        raise InvalidInputError(f"The text beside a video has at most {VIDEO_LIMITS[channel.service]} characters.")
    if metadata.get("linkAttachment") and post.assets:
        raise InvalidInputError("A link attachment cannot be combined with images, videos or documents.")
    check_thread(channel, post, metadata.get("thread"))
    for problem in PROBLEMS.get(channel.service, no_problems)(channel, post, metadata):
        raise InvalidInputError(problem)


def check_assets(assets: list[dict[str, Any]]) -> None:
    for asset in assets:
        if len(asset) != 1:
            raise InvalidInputError("Each asset must have exactly one of image, video, document and link.")
        if asset.get("video", {}).get("thumbnailUrl"):
            raise InvalidInputError("thumbnailUrl is not supported for videos.")


def check_kinds(channel: Channel, found: list[str]) -> None:
    if "video" in found and len(found) > 1:
        raise InvalidInputError("A post has either images or one video.")
    if "video" in found and channel.service == "googlebusiness":
        raise InvalidInputError("Videos are not supported for Google Business Profiles.")
    if "document" in found and channel.service != "linkedin":
        raise InvalidInputError(f"Documents are not supported for {channel.service}.")
    if found.count("image") > MOST_IMAGES.get(channel.service, 10):
        raise InvalidInputError(f"A post has at most {MOST_IMAGES[channel.service]} images.")


def own_metadata(channel: Channel, metadata: dict[str, Any]) -> dict[str, Any]:
    key = METADATA_KEYS[channel.service]
    others = [name for name, value in metadata.items() if name != key and value is not None]
    if others:
        raise InvalidInputError(f"metadata.{others[0]} does not fit a {channel.service} channel.")
    return metadata.get(key) or {}


def check_length(channel: Channel, text: str, warning: str = "") -> None:
    """warning: what Mastodon shows before the text, and counts with it."""
    limit = LIMITS[channel.service]
    if channel.service == "twitter" and channel.subscription_type in LONG_SUBSCRIPTIONS:
        limit = 25_000
    if channel.service == "mastodon" and channel.max_characters:
        limit = channel.max_characters
    if (found := length_of(text + warning, channel.service)) > limit:
        raise InvalidInputError(f"Your post is too long: {found} of {limit} characters.")


def check_thread(channel: Channel, post: Post, thread: list[dict[str, Any]] | None) -> None:
    if not thread:
        return
    if (thread[0].get("text") or "") != post.text:
        raise InvalidInputError("The text of the post must be the text of the first part of its thread.")
    for part in thread:
        check_assets(part.get("assets") or [])
        check_length(channel, part.get("text") or "")


Problems = Iterator[str]


def no_problems(channel: Channel, post: Post, metadata: dict[str, Any]) -> Problems:
    yield from ()


def kinds(post: Post) -> list[str]:
    return [next(iter(asset)) for asset in post.assets]


def pinterest(channel: Channel, post: Post, metadata: dict[str, Any]) -> Problems:
    if not {"image", "video"} & set(kinds(post)):
        yield "Pinterest posts need an image or a video."
    if not metadata.get("boardServiceId"):
        yield "Pinterest posts need a board (boardServiceId)."
    elif metadata["boardServiceId"] not in [board["serviceId"] for board in channel.boards]:
        yield "The board does not exist. boardServiceId is the board's serviceId, not its id."
    if len(metadata.get("title") or "") > TITLE_LIMITS["pinterest"]:
        yield "The title of a Pin has at most 100 characters."


def tiktok(channel: Channel, post: Post, metadata: dict[str, Any]) -> Problems:
    if not {"image", "video"} & set(kinds(post)):
        yield "TikTok posts need an image or a video."
    if len(metadata.get("title") or "") > TITLE_LIMITS["tiktok"]:
        yield "The title of a TikTok photo post has at most 90 characters."


def threads(channel: Channel, post: Post, metadata: dict[str, Any]) -> Problems:
    topic = metadata.get("topic") or ""
    if len(topic) > LONGEST_TOPIC or set(topic) & {".", "&"}:
        yield "A topic has at most 50 characters, and no dot or ampersand."


def youtube(channel: Channel, post: Post, metadata: dict[str, Any]) -> Problems:
    if kinds(post) != ["video"]:
        yield "YouTube posts need exactly one video."
    if not metadata.get("title") or not metadata.get("categoryId"):
        yield "YouTube posts need a title and a category (categoryId)."
    elif metadata["categoryId"] not in CATEGORIES:
        yield "There is no such YouTube category."
    if len(metadata.get("title") or "") > TITLE_LIMITS["youtube"]:
        yield "The title of a YouTube video has at most 100 characters."


def googlebusiness(channel: Channel, post: Post, metadata: dict[str, Any]) -> Problems:
    kind = metadata.get("type")
    if not kind:
        yield "Google Business posts need a type."
    details = metadata.get({"offer": "detailsOffer", "event": "detailsEvent"}.get(str(kind), "detailsWhatsNew"))
    if not details:
        yield "The details of this kind of Google Business post are missing."
    elif kind in ("offer", "event"):
        if not (details.get("title") and details.get("startDate") and details.get("endDate")):
            yield "Offers and events need a title and both dates."
        elif details["endDate"] < details["startDate"]:
            yield "The end date must not be before the start date."
        if kind == "event" and not details.get("button"):
            yield "Events need a button."
    if details and details.get("button") not in (None, "none", "call") and not details.get("link"):
        yield "This button needs a link."


def instagram(channel: Channel, post: Post, metadata: dict[str, Any]) -> Problems:
    if not post.assets or not metadata.get("type"):
        yield "Instagram posts need media and a type."


def facebook(channel: Channel, post: Post, metadata: dict[str, Any]) -> Problems:
    if not metadata.get("type"):
        yield "Facebook posts require a type (post, story, or reel)."


PROBLEMS = {
    "pinterest": pinterest,
    "tiktok": tiktok,
    "threads": threads,
    "youtube": youtube,
    "googlebusiness": googlebusiness,
    "instagram": instagram,
    "facebook": facebook,
}
