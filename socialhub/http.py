"""The request that our views receive: signed in, with a workspace and HTMX details."""

from __future__ import annotations

from django.http import HttpRequest as DjangoRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import Membership, User, Workspace


class HttpRequest(DjangoRequest):
    user: User
    workspace: Workspace
    membership: Membership
    htmx: HtmxDetails
