"""The call that writes a comment, the same below posts of Pages and of Instagram accounts.

Source: Graph API v26.0, comments of Page posts and IG Media, read September to November 2026.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from socialhub.platforms.base import Access
from socialhub.platforms.errors import OutcomeUnknownError, PermissionMissingError
from socialhub.platforms.meta import Graph, id_in


def write(graph: Graph, access: Access, post: str, text: str, *, network: str, scope: str, refused: str) -> str:
    """Returns the id of the comment. refused: what it means that the permission is missing, and what to do.

    No field of the answer is asked for: where it cannot be described, the comment is written and answered with an error.
    """
    try:
        reply = graph.post(
            f"{post}/comments", access.token, {"message": text}, commit=True, account_id=access.account_id
        )
    except PermissionMissingError as error:
        raise PermissionMissingError(
            refused,
            scopes=(scope,),
            platform_message=error.platform_message,
            code=error.code,
            subcode=error.subcode,
            request_id=error.request_id,
        ) from error
    comment_id = id_in(reply.json)
    if not comment_id:
        raise OutcomeUnknownError(
            _("%(network)s took the comment but gave no id for it. We look below the post before it is tried again.")
            % {"network": network}
        )
    return comment_id
