"""Image files: for members of the workspace, and by signed address for the networks."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.files.storage import default_storage
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from publishing import media
from publishing.models import MediaFile
from socialhub.http import HttpRequest

DAY_SECONDS = 24 * 3600


def file_response(file: FieldFile, content_type: str) -> FileResponse:
    """The stored file, typed by our own record."""
    try:
        stored = default_storage.open(str(file.name), "rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(stored, content_type=content_type)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def private(request: HttpRequest, file: FieldFile, content_type: str, etag: str) -> HttpResponseBase:
    unchanged = get_conditional_response(request, etag=etag)
    response: HttpResponseBase = unchanged or file_response(file, content_type)
    response["ETag"] = etag
    response["Cache-Control"] = f"private, max-age={DAY_SECONDS}"
    return response


@require_safe
def media_thumbnail(request: HttpRequest, media_id: UUID) -> HttpResponseBase:
    item = get_object_or_404(MediaFile, workspace=request.workspace, pk=media_id)
    return private(request, item.thumbnail, "image/jpeg", f'"{item.sha256}-thumbnail"')


@require_safe
def media_file(request: HttpRequest, media_id: UUID) -> HttpResponseBase:
    item = get_object_or_404(MediaFile, workspace=request.workspace, pk=media_id)
    return private(request, item.file, item.content_type, f'"{item.sha256}"')


@login_not_required
@require_safe
def media_public(request: HttpRequest, signed: str, name: str) -> HttpResponseBase:
    """What a network fetches while it publishes: no login, but a signature that runs out."""
    made = media.rendition_of(signed, name)
    if made is None:
        raise Http404
    response = file_response(made.file, made.content_type)
    response["Cache-Control"] = f"public, max-age={min(DAY_SECONDS, settings.MEDIA_URL_SECONDS)}"
    return response
