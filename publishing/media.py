"""Media as rows and files: uploads in, renditions out, and the signed addresses from which networks fetch them."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.fields.files import FieldFile
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image

from accounts.models import User, Workspace
from publishing import images
from publishing.models import ImageSetItem, MediaFile, PostMedia, Publication, Rendition
from socialhub.platforms.base import MediaItem, PostType
from socialhub.platforms.errors import RejectedError
from socialhub.platforms.rules import IMAGE, ImageRules

URL_SALT = "media.v1"
SPEC_VERSION = 1  # raise it when the pixels of a rendition would come out differently
# A large picture takes some 200 MB while it is decoded; two at once per process keep the memory of the web small.
decoding = threading.BoundedSemaphore(2)


class UploadRefused(Exception):
    """The file is not taken. The message names it, and says what is wrong and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


# --- In -------------------------------------------------------------------------------------------------------


def store_upload(
    workspace: Workspace, user: User | None, uploaded_file: UploadedFile[Any], *, alt_text: str = ""
) -> MediaFile:
    """Check, clean and keep an uploaded image. The same file again gives the row that is there. Raises UploadRefused."""
    name = display_name(uploaded_file.name)
    if (uploaded_file.size or 0) > settings.UPLOAD_MAX_BYTES:
        raise UploadRefused(
            _("“%(name)s” is larger than %(most)d MB. Export it with fewer pixels or stronger compression.")
            % {"name": name, "most": settings.UPLOAD_MAX_BYTES // 1024 // 1024}
        )
    uploaded_file.seek(0)
    content = uploaded_file.read()
    digest = hashlib.sha256(content).hexdigest()
    known = MediaFile.objects.filter(workspace=workspace, sha256=digest).first()
    if known and is_stored(known.file) and is_stored(known.thumbnail):
        return reuse(known, alt_text)
    try:
        with decoding:
            image = images.read(content)
            picture, thumbnail = images.encode(image), images.thumbnail(image)
    except images.NotAnImage as error:
        raise UploadRefused(_("“%(name)s” was not added. %(reason)s") % {"name": name, "reason": error}) from error
    media = known or MediaFile(
        workspace=workspace, uploaded_by=user, original_name=name, sha256=digest, alt_text=alt_text
    )
    media.content_type, media.width, media.height = picture.content_type, picture.width, picture.height
    media.size_bytes = len(picture.content)
    media.file.save(f"image.{picture.content_type.rsplit('/', 1)[-1]}", ContentFile(picture.content), save=False)
    media.thumbnail.save("thumbnail.jpg", ContentFile(thumbnail.content), save=False)
    try:
        with transaction.atomic():
            media.save()
    except IntegrityError:  # the same file came in twice at the same moment, and the other one was first
        remove_files(media.file, media.thumbnail)
        return reuse(MediaFile.objects.get(workspace=workspace, sha256=digest), alt_text)
    return media


def display_name(name: str | None) -> str:
    """The file's name as shown to people. Never used as a path."""
    printable = "".join(letter for letter in os.path.basename(name or "") if letter.isprintable())
    return printable[:200] or _("Image")


def reuse(media: MediaFile, alt_text: str) -> MediaFile:
    """As good as new: the tidy job must not take it from under the page that has just received it."""
    media.created_at = timezone.now()
    media.alt_text = media.alt_text or alt_text
    media.save(update_fields=["created_at", "alt_text"])
    return media


# --- Out ------------------------------------------------------------------------------------------------------


def rendition(media: MediaFile, rules: ImageRules, *, ratio: float | None = None) -> Rendition:
    """The image as a network takes it, made now if it was not made before. Raises RejectedError when it is lost.

    ratio: width to height that it must have (the first image's, in a carousel); None leaves its own, within the rules.
    """
    size = images.frame(media.width, media.height, rules, ratio)
    spec = f"v{SPEC_VERSION}-{size[0]}x{size[1]}-{rules.max_bytes}"
    made = next((made for made in media.renditions.all() if made.spec == spec), None)
    if made and is_stored(made.file):
        return made
    picture = render(media, rules, size)
    fresh = made or Rendition(media=media, spec=spec)
    fresh.content_type, fresh.width, fresh.height = picture.content_type, picture.width, picture.height
    fresh.size_bytes = len(picture.content)
    fresh.file.save("image.jpg", ContentFile(picture.content), save=False)
    try:
        with transaction.atomic():
            fresh.save()
    except IntegrityError:  # another worker made it at the same time; one is enough
        remove_files(fresh.file)
        return Rendition.objects.get(media=media, spec=spec)
    return fresh


def render(media: MediaFile, rules: ImageRules, size: tuple[int, int]) -> images.Picture:
    try:
        stored = io.BytesIO(read(media.file))
        with decoding, Image.open(stored, formats=("JPEG", "PNG")) as image:
            image.load()
            return images.render(image, rules, size)
    except FileNotFoundError as error:
        raise RejectedError(
            _("The image “%(name)s” is no longer stored. Take it out of the post, upload it again and retry.")
            % {"name": media.original_name}
        ) from error


def media_items(publication: Publication) -> tuple[MediaItem, ...]:
    """The images of a publication in order, each as its network takes it, with a fresh signed address."""
    if publication.post_type in (PostType.TEXT, PostType.LINK):
        return ()
    rules = IMAGE[publication.account.platform]
    used = PostMedia.objects.filter(post=publication.post_id).order_by("position")
    entries = list(used.select_related("media").prefetch_related("media__renditions"))
    ratio = None
    if publication.post_type == PostType.CAROUSEL and entries:
        first = entries[0].media
        ratio = images.clamp(first.width / first.height, rules)
    items = []
    for position, entry in enumerate(entries, start=1):
        made = rendition(entry.media, rules, ratio=ratio)
        items.append(
            MediaItem(
                position=position,
                url=public_url(made),
                content_type=made.content_type,
                width=made.width,
                height=made.height,
                size_bytes=made.size_bytes,
                alt_text=entry.alt_text or entry.media.alt_text,
                read=partial(read, made.file),
            )
        )
    return tuple(items)


def is_stored(file: FieldFile) -> bool:
    return default_storage.exists(str(file.name))


def read(file: FieldFile) -> bytes:
    with default_storage.open(str(file.name), "rb") as stored:
        return stored.read()


def public_name(made: Rendition) -> str:
    return f"{made.media_id}-{made.width}x{made.height}"


def public_url(made: Rendition) -> str:
    """An absolute address that needs no login and stops working after MEDIA_URL_SECONDS."""
    signed = signing.dumps(made.pk, salt=URL_SALT)
    return settings.PUBLIC_BASE_URL + reverse("publishing:media_public", args=[signed, public_name(made)])


def rendition_of(signed: str, name: str) -> Rendition | None:
    """What a signed address stands for; None when it is forged, altered or has run out."""
    try:
        key = signing.loads(signed, salt=URL_SALT, max_age=settings.MEDIA_URL_SECONDS)
    except signing.BadSignature:
        return None
    made = Rendition.objects.filter(pk=key).first()
    return made if made and public_name(made) == name else None


# --- Away -----------------------------------------------------------------------------------------------------


def delete_orphans(older_than: timedelta) -> int:
    """Delete media that no image set and no post uses, uploaded longer ago than that. Returns how many."""
    unused = MediaFile.objects.filter(
        ~Exists(ImageSetItem.objects.filter(media=OuterRef("pk"))),
        ~Exists(PostMedia.objects.filter(media=OuterRef("pk"))),
        created_at__lt=timezone.now() - older_than,
    )
    return sum(delete_if_unused(key, unused) for key in list(unused.values_list("pk", flat=True)))


def delete_if_unused(key: UUID, unused: QuerySet[MediaFile]) -> int:
    with transaction.atomic():
        # Locked, then asked again: somebody may have put it into a post since the list was read.
        media = MediaFile.objects.select_for_update().filter(pk=key).first()
        if media is None or not unused.filter(pk=key).exists():
            return 0
        files = [media.file, media.thumbnail, *(made.file for made in media.renditions.all())]
        media.delete()
        transaction.on_commit(partial(remove_files, *files))
    return 1


def remove_files(*files: FieldFile) -> None:
    for file in files:
        with suppress(FileNotFoundError):
            default_storage.delete(str(file.name))
