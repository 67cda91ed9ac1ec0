"""The control API for Instagram's own login."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ..views.control import body_of, problem
from ..world import start
from .oauth import LONG_SECONDS, SCOPES, new_token
from .world import find

TYPES = ("BUSINESS", "MEDIA_CREATOR", "PERSONAL")


@csrf_exempt
@require_POST
def people(request: HttpRequest) -> JsonResponse:
    """A long-lived token without the page: {person, scopes?: all, seconds?: 60 days, age_seconds?: 0}."""
    state = start()
    values = body_of(request)
    account = find(state, str(values.get("person")))
    if account is None:
        return problem("There is no such Instagram account.", 404)
    scopes = list(values.get("scopes") or SCOPES)
    with state.lock:
        token = new_token(
            state,
            account.id,
            scopes,
            float(values.get("seconds") or LONG_SECONDS),
            age=float(values.get("age_seconds") or 0),
        )
    return JsonResponse(
        {
            "account_id": account.id,
            "scoped_id": account.scoped_id,
            "username": account.username,
            "access_token": token.value,
            "expires_at": token.expires_at,
            "scopes": scopes,
        },
        status=201,
    )


@csrf_exempt
@require_POST
def account(request: HttpRequest) -> JsonResponse:
    """What the owner does in the Instagram app.

    {person, account_type?, professional_since?}: since a Unix time; what was posted before it has no insights.
    """
    state = start()
    values = body_of(request)
    found = find(state, str(values.get("person")))
    if found is None:
        return problem("There is no such Instagram account.", 404)
    account_type = values.get("account_type", found.account_type)
    if account_type not in TYPES:
        return problem(f"account_type must be one of: {', '.join(TYPES)}.")
    with state.lock:
        found.account_type = str(account_type)
        found.professional_since = float(values.get("professional_since", found.professional_since))
        state.changed()
    return JsonResponse({"account_id": found.id, "account_type": found.account_type})
