"""Who may do what in a workspace: decorators for views.

Whose rows a view may see is settled by the queryset it starts from; these say what kind of act the role allows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from socialhub.http import HttpRequest

Answer = TypeVar("Answer", bound=HttpResponseBase)


def editor_required(view: Callable[..., Answer]) -> Callable[..., Answer]:
    """For views that write: posts, library, schedules. A viewer gets the 403 page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Answer:
        # `workspace` first: a person who belongs to none gets the page that says so.
        if request.workspace and not request.membership.may_edit:
            raise PermissionDenied(
                _("You may look at this workspace, but not change it. Ask an owner or admin to make you an editor.")
            )
        return view(request, *args, **kwargs)

    return guarded


def manager_required(view: Callable[..., Answer]) -> Callable[..., Answer]:
    """For views that connect accounts or manage people. Editors and viewers get the 403 page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Answer:
        if request.workspace and not request.membership.may_manage:
            raise PermissionDenied(_("Only owners and admins of this workspace may do this. Ask one of them."))
        return view(request, *args, **kwargs)

    return guarded
