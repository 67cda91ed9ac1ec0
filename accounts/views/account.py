"""Acts on one connected account."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import connect, outcome
from accounts.access import manager_required
from accounts.forms import PauseForm
from accounts.models import ConnectedAccount
from accounts.verify import verify
from accounts.views.social import find_account, page_context
from accounts.wake import PUBLISHING, wake
from socialhub.http import HttpRequest
from socialhub.platforms.errors import PlatformError


@require_POST
@manager_required
def disconnect(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    account = find_account(request, account_id)
    connect.disconnect(account)
    messages.success(
        request,
        _("%(name)s is disconnected. Its history stays; posts that were scheduled to it will not go out.")
        % {"name": account.name},
    )
    return redirect("accounts:social")


@require_POST
@manager_required
def pause(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    account = find_account(request, account_id)
    form = PauseForm(request.POST)
    if not form.is_valid():
        context = {**page_context(request, outcome.Outcome()), "pause_form": form, "pausing": account.pk}
        return render(request, "accounts/social.html", context, status=422)
    ConnectedAccount.objects.filter(pk=account.pk).update(
        paused_at=timezone.now(), pause_reason=form.cleaned_data["reason"]
    )
    messages.success(request, _("Publishing to %(name)s is paused.") % {"name": account.name})
    return redirect("accounts:social")


@require_POST
@manager_required
def resume(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    account = find_account(request, account_id)
    ConnectedAccount.objects.filter(pk=account.pk).update(paused_at=None, pause_reason="")
    transaction.on_commit(lambda: wake(PUBLISHING))
    messages.success(
        request, _("Publishing to %(name)s goes on. Posts that waited go out now.") % {"name": account.name}
    )
    return redirect("accounts:social")


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
    return redirect("accounts:social")
