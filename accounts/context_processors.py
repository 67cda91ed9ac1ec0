"""What the frame around every page needs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.middleware import membership_of
from accounts.models import Membership, Notification, Workspace


def memberships(request: HttpRequest) -> list[Membership]:
    """Those of the person, by name. They were read for the current one, so that this costs no query."""
    return sorted(getattr(request, "memberships", ()), key=lambda membership: membership.workspace.name.casefold())


def unread_notifications(request: HttpRequest) -> int:
    if (membership := membership_of(request)) is None:
        return 0
    return Notification.objects.filter(workspace=membership.workspace_id, read_at=None).count()


def stopped_workspace(request: HttpRequest) -> Workspace | None:
    """The workspace while its publishing is stopped. It comes with the membership, so that this costs no query."""
    membership = membership_of(request)
    return membership.workspace if membership and membership.workspace.paused_at else None


def shell(request: HttpRequest) -> dict[str, Any]:
    """Lazy: a page without the frame, such as a fragment, pays for nothing."""
    return {
        "sandbox_url": settings.SANDBOX_URL if settings.SANDBOX else "",
        "memberships": SimpleLazyObject(lambda: memberships(request)),
        "stopped_workspace": SimpleLazyObject(lambda: stopped_workspace(request)),
        "unread_notifications": SimpleLazyObject(lambda: unread_notifications(request)),
    }
