"""Media files: for members of the workspace, and by signed address for the networks."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from publishing import media
from publishing.models import MediaFile
from socialhub.http import HttpRequest

logger = logging.getLogger(__name__)

DAY_SECONDS = 24 * 3600
CHUNK_BYTES = 256 * 1024
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def file_response(request: HttpRequest, file: FieldFile, content_type: str, *, cache: str) -> HttpResponseBase:
    """The stored file, or the part of it that is asked for, typed by our own record."""
    try:
        stored = default_storage.open(str(file.name), "rb")
    except FileNotFoundError as error:
        raise Http404 from error
    except OSError as error:
        return files_away(error)
    wanted = span(request.headers.get("Range", ""), stored.size)
    if request.method == "HEAD":
        stored.close()
        response: HttpResponseBase = HttpResponse(content_type=content_type)
        response["Content-Length"] = str(stored.size)
    elif wanted is None:
        response = FileResponse(stored, content_type=content_type)
    elif not wanted:
        stored.close()
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{stored.size}"})
    else:
        response = StreamingHttpResponse(part(stored, wanted), status=206, content_type=content_type)
        response["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{stored.size}"
        response["Content-Length"] = str(len(wanted))
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = cache
    response["X-Content-Type-Options"] = "nosniff"
    return response


def files_away(error: OSError) -> HttpResponse:
    """Networks come again on a 503, where they would take a 404 or a 500 for the last word."""
    logger.warning("a file could not be read: %s", error)
    return HttpResponse(status=503, headers={"Retry-After": "30", "Cache-Control": "no-store"})


def span(header: str, size: int) -> range | None:
    """The bytes that a Range header asks for: None for the whole file, an empty range for what is not there.

    Several ranges at once are answered with the whole file, as a server may.
    """
    if not (match := RANGE.fullmatch(header)):
        return None
    first, last = match.groups()
    if not first:
        return range(max(size - int(last), 0), size) if last else None
    return range(int(first), min(int(last) + 1, size) if last else size)


def part(stored: File[bytes], wanted: range) -> Iterator[bytes]:
    with stored:
        stored.seek(wanted.start)
        left = len(wanted)
        while left and (chunk := stored.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk


def private(request: HttpRequest, file: FieldFile, content_type: str, etag: str) -> HttpResponseBase:
    unchanged = get_conditional_response(request, etag=etag)
    cache = f"private, max-age={DAY_SECONDS}"
    response: HttpResponseBase = unchanged or file_response(request, file, content_type, cache=cache)
    if response.status_code < 500:
        response["ETag"], response["Cache-Control"] = etag, cache
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
    made = media.served(signed, name)
    if made is None:
        raise Http404
    cache = f"public, max-age={min(DAY_SECONDS, settings.MEDIA_URL_SECONDS)}"
    response = file_response(request, made.file, made.content_type, cache=cache)
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # whoever has the address may show it
    return response
