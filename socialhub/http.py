"""The request that our views receive: signed in, with a workspace and HTMX details."""

from __future__ import annotations

from django.http import HttpRequest as DjangoRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import Membership, User, Workspace


class HttpRequest(DjangoRequest):
    """`workspace` and `membership` are looked up when first touched; for people without any, `workspace` leads to the
    page that says so (accounts.middleware)."""

    user: User
    workspace: Workspace
    memberships: list[Membership]
    membership: Membership
    htmx: HtmxDetails
