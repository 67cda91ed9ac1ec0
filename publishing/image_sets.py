"""The images and videos of a set in their order: add, reorder, remove. Positions always run from 1 without gaps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import User
from publishing import inspection
from publishing.media import UploadRefused, display_name, store_upload
from publishing.models import ImageSet, ImageSetItem, MediaFile
from socialhub.platforms.base import MediaKind

IMAGES_MOST = 100


class OrderChanged(Exception):
    """Somebody else added or removed images meanwhile; nothing was reordered."""


class SetGone(Http404):
    """Somebody deleted the set meanwhile: to whoever asks it is as if it had never been."""


class SetFull(Exception):
    """A set holds at most IMAGES_MOST images and videos."""


@dataclass
class Uploaded:
    """What became of several files: the items now in the set, and a sentence for each file that was not taken."""

    added: list[ImageSetItem] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def upload(image_set: ImageSet, user: User, files: Iterable[UploadedFile[Any]]) -> Uploaded:
    """Store files and append them one by one: a bad one costs none of the good ones."""
    result = Uploaded()
    for file in files:
        name = display_name(file.name)
        try:
            refuse_document(name, file)
            media = store_upload(image_set.workspace, user, file)
            items = add(image_set, [media])
        except UploadRefused as refusal:
            result.refused.append(refusal.message)
        except SetFull:
            result.refused.append(
                _("“%(name)s” was not added. A set holds at most %(most)d images and videos: start another one.")
                % {"name": name, "most": IMAGES_MOST}
            )
        else:
            result.added += items
            if not items:
                result.refused.append(_("“%(name)s” is in this set already.") % {"name": name})
    return result


def refuse_document(name: str, file: UploadedFile[Any]) -> None:
    """Before it is stored: nobody would find it in the set. Raises UploadRefused."""
    file.seek(0)
    if inspection.kind_of(file.read(inspection.START_BYTES)) is MediaKind.DOCUMENT:
        raise UploadRefused(
            _("“%(name)s” was not added. A set holds images and videos; add a PDF to a post itself.") % {"name": name}
        )


@transaction.atomic
def add(image_set: ImageSet, media: Iterable[MediaFile]) -> list[ImageSetItem]:
    """Append images and videos. Those that the set holds already stay where they are and are not in the answer."""
    items = locked_items(image_set)
    held = {item.media_id for item in items}
    added = []
    for item in media:
        if item.pk in held:
            continue
        if len(held) >= IMAGES_MOST:
            raise SetFull
        held.add(item.pk)
        added.append(ImageSetItem(image_set=image_set, media=item, position=len(held)))
    number(items)
    ImageSetItem.objects.bulk_create(added)
    touch(image_set)
    return added


@transaction.atomic
def reorder(image_set: ImageSet, media_ids: list[UUID]) -> None:
    """Put the images in this order, which must name each exactly once. Raises OrderChanged."""
    items = {item.media_id: item for item in locked_items(image_set)}
    if len(media_ids) != len(items) or set(media_ids) != set(items):
        raise OrderChanged
    number([items[media_id] for media_id in media_ids])
    touch(image_set)


@transaction.atomic
def move(image_set: ImageSet, media_id: UUID, by: int) -> None:
    """Move one image by places, negative: earlier. At the ends it stays; an image that is gone changes nothing."""
    items = locked_items(image_set)
    here = next((index for index, item in enumerate(items) if item.media_id == media_id), None)
    if here is None:
        return
    items.insert(min(max(here + by, 0), len(items) - 1), items.pop(here))
    number(items)
    touch(image_set)


@transaction.atomic
def remove(image_set: ImageSet, media_id: UUID) -> None:
    """Take an image out of the set. The file stays for posts that use it; the tidy job deletes it when none does."""
    items = locked_items(image_set)
    image_set.items.filter(media_id=media_id).delete()
    number([item for item in items if item.media_id != media_id])
    touch(image_set)


def locked_items(image_set: ImageSet) -> list[ImageSetItem]:
    """The set's row is the lock, so that two uploads cannot take the same place."""
    if not ImageSet.objects.select_for_update().filter(pk=image_set.pk).exists():
        raise SetGone
    return list(image_set.items.order_by("position"))


def number(items: list[ImageSetItem]) -> None:
    moved = []
    for position, item in enumerate(items, start=1):
        if item.position != position:
            item.position = position
            moved.append(item)
    ImageSetItem.objects.bulk_update(moved, ["position"])


def touch(image_set: ImageSet) -> None:
    image_set.save(update_fields=["updated_at"])
