"""What is done with a post at Instagram once it is out: its first comment, and a look whether it is really there.

Source: Instagram Platform, IG Media and comment moderation, v26.0, read September to November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from socialhub.platforms import meta_comments
from socialhub.platforms.base import Access, Content, PostType, Seen, Unknowable
from socialhub.platforms.errors import NotFoundError, PermissionMissingError
from socialhub.platforms.meta import Graph, UnendingError
from socialhub.platforms.text import normalise

COMMENT_PAGES = 5
COMMENT_FIELDS = "id,text,username,from"
SEEN_FIELDS = "id,permalink,media_type,media_product_type,children{id}"


def comment(graph: Graph, access: Access, media: str, text: str, *, scope: str, setting: str) -> str:
    refused = _(
        "The post is out, but Instagram does not let us write comments below it: that needs the permission %(scope)s. "
        "Whoever runs this server adds it to %(setting)s once Meta has given it to the app; then connect again. Write this "
        "comment at Instagram yourself."
    ) % {"scope": scope, "setting": setting}
    return meta_comments.write(graph, access, media, text, network="Instagram", scope=scope, refused=refused)


def find_comment(graph: Graph, access: Access, media: str, text: str) -> str | Unknowable:
    wanted = normalise(text)
    entries = graph.paged(
        f"{media}/comments",
        access.token,
        {"fields": COMMENT_FIELDS, "limit": "50"},
        page_limit=COMMENT_PAGES,
        whole=True,
        account_id=access.account_id,
    )
    try:
        alike = [entry for entry in entries if entry.get("id") and normalise(entry.get("text")) == wanted]
        return _ours(graph, access, alike)
    except PermissionMissingError:
        return Unknowable(
            _("Instagram does not let us read the comments. Open the post and see whether the comment is there.")
        )
    except UnendingError:
        return Unknowable(_("The post has so many comments that we could not read all of them. Look for yourself."))


def _ours(graph: Graph, access: Access, alike: list[dict[str, Any]]) -> str | Unknowable:
    """Of comments with these words the one that the account itself wrote. Its own login names authors by other ids."""
    for entry in alike:
        if _author(entry).get("id") == access.account_id:
            return str(entry["id"])
    if not alike:
        return ""
    own = str(graph.get(access.account_id, access.token, {"fields": "username"}).get("username") or "")
    names = [(str(entry["id"]), str(entry.get("username") or _author(entry).get("username") or "")) for entry in alike]
    for comment_id, name in names:
        if own and name == own:
            return comment_id
    if own and all(name for _id, name in names):
        return ""
    return Unknowable(
        _("A comment with these words is there, but Instagram does not say who wrote it. Open the post and see.")
    )


def _author(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    author = entry.get("from")
    return author if isinstance(author, dict) else {}


def seen(graph: Graph, access: Access, media: str, content: Content) -> Seen:
    """A story that cannot be read may just be over: nothing is claimed of it then."""
    try:
        node = graph.get(media, access.token, {"fields": SEEN_FIELDS}, account_id=access.account_id)
    except NotFoundError as error:
        if content.post_type is PostType.STORY:
            return Seen(None, evidence=_("Instagram does not show the story any more: it shows one for 24 hours."))
        return Seen(exists=False, evidence=error.platform_message)
    except PermissionMissingError as error:
        return Seen(None, evidence=error.platform_message)
    return Seen(exists=True, media=_count(node), permalink=str(node.get("permalink") or ""))


def _count(node: Mapping[str, Any]) -> int | None:
    """How many images and videos it has; None where Instagram does not list them."""
    if node.get("media_type") != "CAROUSEL_ALBUM":
        return 1
    children = node.get("children")
    listed = children.get("data") if isinstance(children, dict) else None
    return len(listed) if isinstance(listed, list) else None
