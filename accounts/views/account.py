"""Acts on one connected account."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import connect, defaults, pauses
from accounts.access import manager_required
from accounts.forms import PauseForm
from accounts.lifetime import grant_of, is_by_key, renew, why_not_renewed
from accounts.models import ConnectedAccount, Credential, Grant
from accounts.overview import Waiting, waiting_for
from accounts.providers import PROVIDERS
from accounts.renew import Outcome, State
from accounts.verify import verify
from accounts.views.social import back, find_account
from socialhub.http import HttpRequest
from socialhub.platforms import LABELS
from socialhub.platforms.errors import OutcomeUnknownError, PlatformError, ReconnectError

ASKED = ["GET", "HEAD", "POST"]  # by GET it is asked, in a dialog or on a page; by POST it is done


def act_context(account: ConnectedAccount) -> dict[str, Any]:
    waiting = waiting_for(account.workspace, only=account.pk).get(account.pk, Waiting())
    return {"account": account, "network": LABELS[account.platform], "waiting": waiting}


def render_act(request: HttpRequest, act: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """The template of the act: into the dialog, or as a page for browsers without scripts."""
    if request.htmx:
        return render(request, act, {**context, "in_dialog": True}, status=status)
    return render(request, "accounts/act.html", {**context, "act": act}, status=status)


@require_http_methods(ASKED)
@manager_required
def disconnect(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    account = find_account(request, account_id)
    if request.method != "POST":
        context = {"what_of_consent": what_of_consent(account), **act_context(account)}
        return render_act(request, "accounts/_disconnect.html", context)
    connect.disconnect(account)
    messages.success(
        request,
        _("%(name)s is disconnected. Its history stays; posts that were scheduled to it will not go out.")
        % {"name": account.name},
    )
    return redirect("accounts:social")


def what_of_consent(account: ConnectedAccount) -> str:
    """What disconnecting does at the network, as accounts.connect will decide it."""
    grant = grant_of(account)
    if grant is None:
        return ""
    provider = PROVIDERS[grant.provider]
    if is_by_key(account, has_refresh_token=grant.refresh_token is not None):
        return _("The key itself stays valid at %(network)s until you delete it there.") % {"network": provider.label}
    if Credential.objects.filter(grant=grant).exclude(account=account).exists():
        return _("The consent given at %(network)s stays, because other accounts here live from it.") % {
            "network": provider.label
        }
    others = Grant.objects.filter(provider=grant.provider, platform_user_id=grant.platform_user_id)
    if provider.revokes_everything and Credential.objects.filter(grant__in=others.exclude(pk=grant.pk)).exists():
        return _("The consent given at %(network)s stays, because another workspace lives from it.") % {
            "network": provider.label
        }
    if left := provider.left_behind():
        return left
    return _("It is the last account of its consent, so that is given back to %(network)s as well.") % {
        "network": provider.label
    }


@require_http_methods(ASKED)
@manager_required
def pause(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    account = find_account(request, account_id)
    if request.method != "POST":
        form = PauseForm(zone=request.user.zone)
        return render_act(request, "accounts/_pause.html", {"pause_form": form, **act_context(account)})
    form = PauseForm(request.POST, zone=request.user.zone)
    if not form.is_valid():
        return render_act(request, "accounts/_pause.html", {"pause_form": form, **act_context(account)}, status=422)
    until = form.until
    pauses.pause(account, by=request.user, reason=form.cleaned_data["reason"], until=until)
    if until:
        end = date_format(timezone.localtime(until), "j F Y, H:i")
        messages.success(
            request, _("Publishing to %(name)s is paused until %(end)s.") % {"name": account.name, "end": end}
        )
    else:
        messages.success(request, _("Publishing to %(name)s is paused.") % {"name": account.name})
    return back(request)


@require_POST
@manager_required
def resume(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    account = find_account(request, account_id)
    pauses.resume(account)
    messages.success(
        request, _("Publishing to %(name)s goes on. Posts that waited go out now.") % {"name": account.name}
    )
    return back(request)


@require_POST
@manager_required
def make_default(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    account = find_account(request, account_id)
    where = {"name": account.name, "network": LABELS[account.platform]}
    if account.status == ConnectedAccount.Status.DISCONNECTED:
        messages.error(request, _("%(name)s is not connected, so it cannot be the default.") % where)
        return back(request)
    defaults.make_default(account)
    messages.success(request, _("New posts have %(name)s chosen for %(network)s from the start.") % where)
    return back(request)


@require_POST
@manager_required
def remove_default(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    account = find_account(request, account_id)
    defaults.remove_default(account)
    messages.success(request, _("%(name)s is not chosen by itself any more.") % {"name": account.name})
    return back(request)


@require_POST
@manager_required
def verify_now(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    account = find_account(request, account_id)
    try:
        verify(account)
    except PlatformError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("%(name)s works: access and profile were checked.") % {"name": account.name})
    return back(request)


@require_POST
@manager_required
def refresh(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """A new access from the network, before the old one ends."""
    account = find_account(request, account_id)
    try:
        renewed = renew(account)
    except OutcomeUnknownError:
        messages.warning(
            request,
            _(
                "The answer of the network was lost. The access that we hold stays in use; “Check access” tells whether "
                "it works."
            ),
        )
    except ReconnectError as error:
        messages.error(
            request,
            _("The access to %(name)s cannot be renewed any more. %(reason)s Press Reconnect; what is scheduled stays.")
            % {"name": account.name, "reason": error.message},
        )
    except PlatformError as error:
        messages.error(
            request,
            _("%(reason)s The access that we hold stays in use; try again later.") % {"reason": error.message},
        )
    else:
        tell_renewed(request, account, renewed)
    return back(request)


def tell_renewed(request: HttpRequest, account: ConnectedAccount, renewed: Outcome) -> None:
    name = {"name": account.name}
    if renewed.state is not State.RENEWED:
        messages.info(request, why_not_renewed(account, renewed.state))
    elif renewed.expires_at is None:
        messages.success(request, _("The access to %(name)s is renewed.") % name)
    else:
        end = date_format(timezone.localtime(renewed.expires_at), "j F Y, H:i")
        messages.success(request, _("The access to %(name)s is renewed until %(end)s.") % {**name, "end": end})
