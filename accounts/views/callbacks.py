"""What a network tells us by itself: a person took our app away, or wants their data deleted.

Nobody is signed in here; who speaks is proved by the signature alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from allauth.core import ratelimit
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from accounts import operators, withdrawal
from accounts.clients import instagram, meta
from accounts.models import DataDeletion
from accounts.providers import INSTAGRAM, META, PROVIDERS
from socialhub.platforms.instagram_login import InstagramApi
from socialhub.platforms.meta import InvalidSignedRequest, Meta, SignedRequest

logger = logging.getLogger(__name__)

LONGEST = 4096  # characters; Meta's have a few hundred
# The two apps: each signs with a secret of its own.
SIGNERS: Mapping[str, Callable[[], Meta | InstagramApi]] = {META.key: meta, INSTAGRAM.key: instagram}


class Refused(Exception):
    """Not from Meta, or not meant for now. status: what to answer."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


def message_of(request: HttpRequest, provider: str) -> tuple[SignedRequest, str]:
    """The verified message and how it was signed. Only refused ones are counted: what Meta tells must get through."""
    app = SIGNERS[provider]()
    if not (app.config.app_id and app.config.app_secret):
        raise Http404  # an empty secret would let anybody sign
    signed = request.POST.get("signed_request", "")
    try:
        if len(signed) > LONGEST:
            raise InvalidSignedRequest
        message = app.signed_request(signed)
    except InvalidSignedRequest as error:
        logger.warning("%s: a signed request with a wrong signature was refused", request.path)
        allowed = ratelimit.consume(request, action="signed_request")
        raise Refused(_("The signature is wrong."), 400 if allowed else 429) from error
    if not withdrawal.is_fresh(message):
        logger.warning("%s: a signed request that is too old or names nobody was refused", request.path)
        allowed = ratelimit.consume(request, action="signed_request")
        raise Refused(_("The request is too old or names nobody."), 400 if allowed else 429)
    return message, signed


@csrf_exempt
@login_not_required
@never_cache
@require_POST
def deauthorize(request: HttpRequest, provider: str) -> HttpResponse:
    """The person took the app away: their accounts are marked, their tokens are gone."""
    try:
        message, _signed = message_of(request, provider)
    except Refused as refused:
        return JsonResponse({"error": str(refused)}, status=refused.status)
    withdrawal.withdraw(provider, message)
    operators.note_callback(provider, operators.DEAUTHORIZE)
    return JsonResponse({"success": True})


@csrf_exempt
@login_not_required
@never_cache
@require_POST
def data_deletion(request: HttpRequest, provider: str) -> HttpResponse:
    """The person wants their data deleted: done at once, and answered with a page that says so."""
    try:
        message, signed = message_of(request, provider)
    except Refused as refused:
        return JsonResponse({"error": str(refused)}, status=refused.status)
    deletion = withdrawal.delete_data(provider, message, signed)
    operators.note_callback(provider, operators.DATA_DELETION)
    status_page = settings.PUBLIC_BASE_URL + reverse("accounts:data_deletion_status", args=[deletion.code])
    return JsonResponse({"url": status_page, "confirmation_code": deletion.code})


@login_not_required
@never_cache
@require_GET
def data_deletion_status(request: HttpRequest, code: str) -> HttpResponse:
    """For the person: what has been deleted, and when."""
    deletion = get_object_or_404(DataDeletion, code=code)
    context = {
        "deletion": deletion,
        "network": PROVIDERS[deletion.provider].label,
        "is_instagram": deletion.provider == INSTAGRAM.key,
    }
    return render(request, "accounts/data_deletion.html", context)
