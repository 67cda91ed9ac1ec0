"""What is done with a post of a Page once it is out: its first comment, and a look whether it is really there.

Source: Graph API v26.0, Page post, video and comments, read September to November 2026.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from socialhub.platforms import meta_comments
from socialhub.platforms.base import Access, Content, PostType, Seen, Unknowable
from socialhub.platforms.errors import NotFoundError, PermissionMissingError
from socialhub.platforms.facebook_reading import attachments_of, media_count
from socialhub.platforms.facebook_video import address_of
from socialhub.platforms.meta import Meta, UnendingError
from socialhub.platforms.rules import RULES
from socialhub.platforms.text import normalise

COMMENT_SCOPE = RULES["facebook"].comment_scopes[""]
COMMENT_PAGES = 5
POST_FIELDS = "id,is_published,permalink_url,attachments{media_type,target,subattachments{media_type,target}}"
VIDEO_FIELDS = "id,published,permalink_url"


def comment(meta: Meta, access: Access, post: str, text: str) -> str:
    refused = _(
        "The post is out, but Facebook does not let us write comments below it: that needs the permission %(scope)s and "
        "the right to moderate the Page. Whoever runs this server adds it to META_EXTRA_SCOPES once Meta has given it to "
        "the app; then connect again. Write this comment at Facebook yourself."
    ) % {"scope": COMMENT_SCOPE}
    return meta_comments.write(meta, access, post, text, network="Facebook", scope=COMMENT_SCOPE, refused=refused)


def find_comment(meta: Meta, access: Access, post: str, text: str) -> str | Unknowable:
    wanted = normalise(text)
    found = meta.paged(
        f"{post}/comments",
        access.token,
        {
            "filter": "toplevel",
            "order": "reverse_chronological",
            "fields": "id,message,created_time,from",
            "limit": "100",
        },
        page_limit=COMMENT_PAGES,
        whole=True,
        account_id=access.account_id,
    )
    try:
        for one in found:
            author: Any = one.get("from")
            by_page = isinstance(author, dict) and str(author.get("id")) == access.account_id
            if by_page and normalise(str(one.get("message") or "")) == wanted:
                return str(one.get("id") or "")
    except PermissionMissingError:
        return Unknowable(
            _("Facebook does not let us read the comments. Open the post and see whether the comment is there.")
        )
    except UnendingError:
        return Unknowable(_("The post has so many comments that we could not read all of them. Look for yourself."))
    return ""


def seen(meta: Meta, access: Access, post: str, content: Content) -> Seen:
    """By the id of the post; a video that never named its post by its own."""
    by_video = "_" not in post
    fields = VIDEO_FIELDS if by_video else POST_FIELDS
    try:
        node = meta.get(post, access.token, {"fields": fields}, account_id=access.account_id)
    except NotFoundError as error:
        return Seen(exists=False, evidence=error.platform_message)
    except PermissionMissingError as error:
        return Seen(None, evidence=error.platform_message)
    if (node.get("published") if by_video else node.get("is_published")) is False:
        return Seen(exists=False, evidence=_("Facebook has the post, and shows it to nobody."))
    # A video that stands only among the reels has no attachment.
    film_alone = content.post_type in (PostType.VIDEO, PostType.REEL) and not attachments_of(node)
    return Seen(
        exists=True,
        media=1 if by_video else None if film_alone else media_count(node),
        permalink=address_of(node.get("permalink_url")),
    )
