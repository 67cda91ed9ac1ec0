"""How a post of a Page reads: its words, its link, and what is attached to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from socialhub.platforms.base import Content
from socialhub.platforms.meta import entries_of
from socialhub.platforms.text import normalise

MEDIA_TYPES = ("photo", "video")


def message_of(content: Content) -> str:
    """The text as it is sent. A post with media cannot have a link beside them, so it goes into the text."""
    if content.media and content.link and content.link not in content.text:
        return f"{content.text}\n\n{content.link}".strip()
    return content.text


def attachments_of(post: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Attachments of a post with those inside of them."""
    found: list[dict[str, Any]] = []
    waiting = [post.get("attachments")]
    while waiting:
        entries = entries_of(waiting.pop())
        found += entries
        waiting += [entry.get("subattachments") for entry in entries]
    return found


def photos_in(post: Mapping[str, Any]) -> set[str]:
    targets = [entry.get("target") for entry in attachments_of(post) if entry.get("media_type") != "link"]
    return {str(target["id"]) for target in targets if isinstance(target, dict) and target.get("id")}


def media_count(post: Mapping[str, Any]) -> int | None:
    """Images and videos that the post shows, each once. None: it has an album and does not show what is in it."""
    number = 0
    for entry in entries_of(post.get("attachments")):
        inside = entries_of(entry.get("subattachments"))
        if entry.get("media_type") == "album" and not inside:
            return None
        number += len(inside) or entry.get("media_type") in MEDIA_TYPES
    return number


def same_link(content: Content, post: Mapping[str, Any]) -> bool:
    """The links agree, as far as the post shows its link. Without a text only the link itself can tell."""
    if content.media or not content.link:
        return True
    targets = [entry.get("target") for entry in attachments_of(post)]
    shown = {_plain_link(str(t["url"])) for t in targets if isinstance(t, dict) and t.get("url")}
    if not shown:
        return bool(normalise(content.text))
    return _plain_link(content.link) in shown


def _plain_link(url: str) -> str:
    """The address without Facebook's detour, without scheme and closing slash."""
    parts = urlsplit(url)
    if (parts.hostname or "").endswith("facebook.com") and parts.path == "/l.php":
        url = parse_qs(parts.query).get("u", [url])[0]
    return url.partition("://")[2].rstrip("/") or url
