"""Settings → API: keys with which programs act for a person here, each shown once."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import api_keys as keys
from accounts.forms import ApiKeyForm
from accounts.models import ApiKey
from socialhub.guards import paced
from socialhub.http import HttpRequest

MOST = 50  # live keys of one person here; whoever needs more has lost count
ENDED_SHOWN = 20
NEW = "new_api_key"  # in the session: which key is to be shown
SHOWN_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Row:
    """A key as the list shows it. ended: why it opens nothing any more, "" while it does."""

    key: ApiKey
    is_mine: bool
    ended: str = ""

    @property
    def scopes(self) -> str:
        return ", ".join(str(ApiKey.Scope(scope).label) for scope in self.key.scopes)


def keys_for(request: HttpRequest) -> QuerySet[ApiKey]:
    """Managers see whatever can get in; everybody else their own."""
    found = ApiKey.objects.filter(workspace=request.workspace).select_related("user", "revoked_by")
    return found if request.membership.may_manage else found.filter(user=request.user)


def rows_of(request: HttpRequest) -> tuple[list[Row], list[Row]]:
    """Those that are in use, and the latest of those that are not."""
    members = set(request.workspace.memberships.values_list("user", flat=True))
    now = timezone.now()
    live: list[Row] = []
    ended: list[Row] = []
    for key in keys_for(request).order_by("-created_at"):
        row = Row(key, key.user_id == request.user.pk, why_ended(key, members))
        (ended if row.ended else live).append(row)
    ended.sort(key=lambda row: row.key.revoked_at or row.key.expires_at or now, reverse=True)
    return live, ended[:ENDED_SHOWN]


def why_ended(key: ApiKey, members: set[int]) -> str:
    if key.revoked_at:
        return _("Revoked by %(who)s") % {"who": key.revoked_by} if key.revoked_by else _("Revoked")
    if key.expires_at and key.expires_at <= timezone.now():
        return _("Expired")
    if key.user_id not in members or not key.user.is_active:
        return _("Its person is not a member any more")
    return ""


def page(request: HttpRequest, form: ApiKeyForm, status: int = 200, **more: Any) -> HttpResponse:
    live, ended = rows_of(request)
    context = {"form": form, "live": live, "ended": ended, **more}
    return render(request, "accounts/api_keys.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def api_keys(request: HttpRequest) -> HttpResponse:
    """The text of a new key is made where it is shown, once, and stands nowhere else: no session and no redirect has it."""
    # `workspace` first: a person who belongs to none gets the page that says so.
    if request.workspace and request.method != "POST":
        made = new_key(request) if request.method == "GET" else None
        text = keys.first_text(made) if made else ""
        return page(request, ApiKeyForm(membership=request.membership), made=made, text=text)
    form = ApiKeyForm(request.POST, membership=request.membership)
    if (
        form.is_valid()
        and ApiKey.objects.filter(workspace=request.workspace, user=request.user, revoked_at=None).count() >= MOST
    ):
        form.add_error(
            None, _("You have %(number)d keys here already. Revoke those that are not used first.") % {"number": MOST}
        )
    if not form.is_valid():
        return page(request, form, status=422)
    return make(request, form)


@reauthentication_required
@paced("key")
def make(request: HttpRequest, form: ApiKeyForm) -> HttpResponse:
    """Whoever makes one proves anew who they are: it outlives the session, and needs no second factor."""
    key, _text = keys.make(
        request.workspace, request.user, form.cleaned_data["name"], form.cleaned_data["scopes"], form.expires_at
    )
    request.session[NEW] = str(key.pk)
    return redirect("accounts:api_keys")  # the password was asked for at another address


def new_key(request: HttpRequest) -> ApiKey | None:
    """The one that was just made in this browser, and not yet shown."""
    if NEW not in request.session:
        return None
    return ApiKey.objects.filter(
        pk=request.session.pop(NEW),
        workspace=request.workspace,
        user=request.user,
        revoked_at=None,
        created_at__gt=timezone.now() - SHOWN_WITHIN,
    ).first()


@require_POST
def api_key_revoke(request: HttpRequest, key_id: uuid.UUID) -> HttpResponse:
    key = get_object_or_404(keys_for(request), pk=key_id)
    keys.revoke(key, request.user)
    messages.success(request, _("The key “%(name)s” is revoked: it opens nothing any more.") % {"name": key.name})
    return redirect("accounts:api_keys")
