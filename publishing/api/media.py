"""Operations on files of the library and on image sets."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.db.models import Prefetch
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import File, Form, Query, UploadedFile
from ninja.responses import Status as Answer

from accounts.api.base import ApiRequest, invalid, keep_pace, paged, reads, refuse_unknown, router, writes
from publishing.api.schemas import (
    Detail,
    ImageSetList,
    ImageSetOut,
    MediaList,
    MediaOut,
    PageFilter,
)
from publishing.media import UploadRefused, store_upload
from publishing.models import ImageSet, ImageSetItem, MediaFile
from publishing.views.media import media_file, media_thumbnail
from socialhub.platforms.base import MediaKind

media = router("Media")
BYTES = {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}


@media.post("media", auth=writes, response={201: MediaOut})
def upload_media(
    request: ApiRequest,
    file: Annotated[UploadedFile, File()],
    alt_text: Annotated[str, Form("", alias="altText", max_length=1_000)],
) -> Answer[MediaOut]:
    """One image, video or PDF for the library. The same file again gives the one that is there."""
    keep_pace(request.caller, "upload")
    try:
        stored = store_upload(request.workspace, request.user, file, alt_text=alt_text)
    except UploadRefused as error:
        raise invalid({"file": [error.message]}) from error
    return Answer(201, media_out(stored))


@media.get("media", auth=reads, response=MediaList)
def list_media(request: ApiRequest, asked: Annotated[PageFilter, Query()]) -> MediaList:
    """The files of the library, the newest first."""
    refuse_unknown(request, PageFilter)
    found, cursor = paged(MediaFile.objects.filter(workspace=request.workspace), asked.cursor, asked.limit)
    return MediaList(media=[media_out(row) for row in found], next_cursor=cursor)


@media.get("media/{uuid:media_id}", auth=reads, response=MediaOut)
def read_media(request: ApiRequest, media_id: UUID) -> MediaOut:
    """What is known of a file."""
    return media_out(get_object_or_404(MediaFile, workspace=request.workspace, pk=media_id))


@media.get("media/{uuid:media_id}/file", auth=reads, openapi_extra={"responses": {200: BYTES}})
def media_bytes(request: ApiRequest, media_id: UUID) -> HttpResponseBase:
    """The file itself, without metadata."""
    return media_file(request, media_id)


@media.get("media/{uuid:media_id}/thumbnail", auth=reads, openapi_extra={"responses": {200: BYTES}})
def thumbnail_bytes(request: ApiRequest, media_id: UUID) -> HttpResponseBase:
    """A small JPEG of it."""
    return media_thumbnail(request, media_id)


def media_out(row: MediaFile) -> MediaOut:
    return MediaOut(
        id=row.pk,
        kind=MediaKind(row.kind),
        name=row.original_name,
        alt_text=row.alt_text,
        content_type=row.content_type,
        width=row.width,
        height=row.height,
        size_bytes=row.size_bytes,
        created_at=row.created_at,
    )


@media.get("image-sets", auth=reads, response=ImageSetList)
def list_image_sets(request: ApiRequest, asked: Annotated[PageFilter, Query()]) -> ImageSetList:
    """The image sets, what was changed last first. A post is made from one with imageSetId."""
    refuse_unknown(request, PageFilter)
    items = Prefetch("items", ImageSetItem.objects.order_by("position"))
    rows = ImageSet.objects.filter(workspace=request.workspace).prefetch_related(items)
    found, cursor = paged(rows, asked.cursor, asked.limit, by="updated_at")
    return ImageSetList(image_sets=[set_out(row) for row in found], next_cursor=cursor)


def set_out(row: ImageSet) -> ImageSetOut:
    return ImageSetOut(
        id=row.pk,
        title=row.title,
        details=[Detail(label=label, value=value) for label, value in row.details],
        hashtags=row.hashtags,
        media_ids=[item.media_id for item in row.items.all()],
        updated_at=row.updated_at,
    )
