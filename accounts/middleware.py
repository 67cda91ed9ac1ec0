"""Puts the workspace of this request, and the user's membership in it, on the request."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts.models import Membership

SESSION_KEY = "workspace"


def current_membership(request: HttpRequest) -> Membership | None:
    """The chosen workspace of the session, else the oldest one. None for people who belong to none."""
    if not request.user.is_authenticated:
        return None
    memberships = request.user.memberships.select_related("workspace").order_by("created_at")
    chosen = request.session.get(SESSION_KEY)
    return (chosen and memberships.filter(workspace_id=chosen).first()) or memberships.first()


class WorkspaceMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Lazy, so that static files and fragments that need none cost no query.
        request.membership = SimpleLazyObject(lambda: current_membership(request))  # type: ignore[attr-defined]
        request.workspace = SimpleLazyObject(lambda: request.membership.workspace)  # type: ignore[attr-defined]
        return self.get_response(request)


def membership_of(request: HttpRequest) -> Membership | None:
    return request.membership or None  # type: ignore[attr-defined]
