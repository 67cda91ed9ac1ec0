"""Puts the workspace of this request, and the user's membership in it, on the request; speaks the person's language."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from accounts.language import known
from accounts.models import Membership, User, Workspace
from socialhub.about import learn

SESSION_KEY = "workspace"


class NoWorkspace(Exception):
    """A view asked for the workspace of somebody who belongs to none."""

    silent_variable_failure = True  # in a template it is just empty, so that the frame can be drawn


def memberships_of(request: HttpRequest) -> list[Membership]:
    """All of the person, the oldest first: the frame lists them, and one of them is the current one."""
    if not request.user.is_authenticated:
        return []
    memberships = Membership.objects.open().filter(user=request.user)
    return list(memberships.select_related("workspace").order_by("created_at", "pk"))


def current_membership(request: HttpRequest) -> Membership | None:
    """The chosen workspace of the session, else the oldest one. None for people who belong to none."""
    memberships: list[Membership] = request.memberships  # type: ignore[attr-defined]
    if not memberships:
        return None
    chosen = request.session.get(SESSION_KEY)
    current = next((one for one in memberships if str(one.workspace_id) == chosen), memberships[0])
    learn(workspace=current.workspace_id)
    return current


def membership_of(request: HttpRequest) -> Membership | None:
    """The membership without raising, for the frame around pages that also exist outside a workspace."""
    return request.membership or None  # type: ignore[attr-defined, no-any-return]


def workspace_of(request: HttpRequest) -> Workspace:
    if (membership := membership_of(request)) is None:
        raise NoWorkspace
    return membership.workspace


def person_of(request: HttpRequest) -> User | None:
    """Who is signed in; requests without a session are not asked."""
    if settings.SESSION_COOKIE_NAME in request.COOKIES and isinstance(request.user, User):
        return request.user
    return None


def zone_of(request: HttpRequest) -> ZoneInfo | None:
    return person.zone if (person := person_of(request)) else None


def language_of(request: HttpRequest) -> str:
    """What the person has chosen, else what the browser asks for."""
    chosen = known(person.language) if (person := person_of(request)) else ""
    return chosen or translation.get_language_from_request(request)


class LanguageMiddleware:
    """Django's own knows only the browser. This one ends with the request: the thread goes on in no language of anybody."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.LANGUAGE_CODE = language = language_of(request)  # type: ignore[attr-defined]
        with translation.override(language):
            response = self.get_response(request)
        if response.get("Content-Type", "").startswith(("text/", "application/json")):
            patch_vary_headers(response, ["Accept-Language"])
            response.headers.setdefault("Content-Language", language)
        return response


class WorkspaceMiddleware:
    """Lazy, so that static files, sign-in pages and fragments that need no workspace cost no query.

    Times of a signed-in person are shown in their own zone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.memberships = SimpleLazyObject(lambda: memberships_of(request))  # type: ignore[attr-defined]
        request.membership = SimpleLazyObject(lambda: current_membership(request))  # type: ignore[attr-defined]
        request.workspace = SimpleLazyObject(lambda: workspace_of(request))  # type: ignore[attr-defined]
        with timezone.override(zone) if (zone := zone_of(request)) else nullcontext():
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, NoWorkspace):
            closing = Membership.objects.closing().filter(user=request.user.pk).select_related("workspace")
            return render(request, "accounts/no_workspace.html", {"closing": closing}, status=403)
        return None
