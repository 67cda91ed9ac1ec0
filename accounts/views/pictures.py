"""Our copies of the pictures of accounts, for the members of their workspace."""

from __future__ import annotations

import uuid

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.models import ConnectedAccount
from socialhub.http import HttpRequest

YEAR_SECONDS = 365 * 24 * 3600


@require_safe
def picture(request: HttpRequest, account_id: uuid.UUID) -> FileResponse:
    """`picture_src` names the file, so that what is kept by a browser is never an old one."""
    account = get_object_or_404(ConnectedAccount.objects.of(request.workspace), pk=account_id)
    if not account.picture:
        raise Http404
    try:
        stored = default_storage.open(str(account.picture.name), "rb")
    except OSError as error:  # gone, or the place where files are kept is away: initials stand in for it
        raise Http404 from error
    response = FileResponse(stored, content_type="image/jpeg")
    named = request.GET.get("v") == account.picture_version
    response["Cache-Control"] = f"private, max-age={YEAR_SECONDS}, immutable" if named else "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    return response
