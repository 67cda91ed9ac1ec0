"""Media as rows and files: uploads in, renditions out, and the signed addresses from which networks fetch them."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Func, OuterRef, QuerySet
from django.db.models.fields.files import FieldFile
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image

from accounts.models import User, Workspace
from publishing import images, inspection
from publishing.models import Autosave, ImageSetItem, MediaFile, PostMedia, Publication, Rendition
from socialhub.platforms.base import MediaItem, MediaKind, PostType, VideoFacts
from socialhub.platforms.errors import FilesError, RejectedError
from socialhub.platforms.rules import RULES, ImageRules

logger = logging.getLogger(__name__)

URL_SALT = "media.v1"
SUFFIXES = {MediaKind.VIDEO: "mp4", MediaKind.DOCUMENT: "pdf"}
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
    try:
        return _store_upload(workspace, user, uploaded_file, alt_text)
    except FilesError as error:
        raise UploadRefused(
            _("“%(name)s” could not be stored. Try again in a moment; if it stays so, tell whoever runs this site.")
            % {"name": display_name(uploaded_file.name)}
        ) from error


def _store_upload(
    workspace: Workspace, user: User | None, uploaded_file: UploadedFile[Any], alt_text: str
) -> MediaFile:
    name = display_name(uploaded_file.name)
    uploaded_file.seek(0)
    kind = inspection.kind_of(uploaded_file.read(inspection.START_BYTES))
    refuse_heavy(name, kind, uploaded_file.size or 0)
    digest = digest_of(uploaded_file)
    known = MediaFile.objects.filter(workspace=workspace, sha256=digest).first()
    if known and is_stored(known.file) and is_stored(known.thumbnail):
        return reuse(known, alt_text)
    media = known or MediaFile(
        workspace=workspace, uploaded_by=user, original_name=name, sha256=digest, alt_text=alt_text
    )
    try:
        if kind is MediaKind.IMAGE:
            take_image(media, uploaded_file)
        else:
            take_inspected(media, uploaded_file)
    except (images.NotAnImage, inspection.NotInspected) as error:
        raise UploadRefused(_("“%(name)s” was not added. %(reason)s") % {"name": name, "reason": error}) from error
    try:
        with transaction.atomic():
            media.save()
    except IntegrityError:  # the same file came in twice at the same moment, and the other one was first
        remove_files(media.file, media.thumbnail)
        return reuse(MediaFile.objects.get(workspace=workspace, sha256=digest), alt_text)
    return media


def refuse_heavy(name: str, kind: MediaKind, size: int) -> None:
    most = settings.UPLOAD_MAX_BYTES if kind is MediaKind.IMAGE else settings.UPLOAD_VIDEO_MAX_BYTES
    if size <= most:
        return
    if kind is MediaKind.IMAGE:
        text = _("“%(name)s” is larger than %(most)d MB. Export it with fewer pixels or stronger compression.")
    else:
        text = _("“%(name)s” is larger than %(most)d MB. Export it shorter or smaller.")
    raise UploadRefused(text % {"name": name, "most": most // 1024 // 1024})


def digest_of(file: UploadedFile[Any]) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def take_image(media: MediaFile, file: UploadedFile[Any]) -> None:
    """Decode, clean and store. Raises NotAnImage."""
    with decoding:
        image = images.read(file.read())
        picture, thumbnail = images.encode(image), images.thumbnail(image)
    media.kind, media.facts = MediaKind.IMAGE, {}
    media.content_type, media.width, media.height = picture.content_type, picture.width, picture.height
    media.size_bytes = len(picture.content)
    keep(media.file, f"image.{picture.content_type.rsplit('/', 1)[-1]}", ContentFile(picture.content))
    keep(media.thumbnail, "thumbnail.jpg", ContentFile(thumbnail.content))


def take_inspected(media: MediaFile, file: UploadedFile[Any]) -> None:
    """Look into a video or a document, store its clean copy. Raises NotInspected, NotAnImage."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "upload"
        with source.open("wb") as copy:
            for chunk in file.chunks():
                copy.write(chunk)
        found, kept = inspection.inspect(source, folder)
        with decoding:
            thumbnail = images.thumbnail(images.read(found.poster))
        media.kind, media.facts = found.kind, found.facts
        media.content_type, media.width, media.height = found.content_type, found.width, found.height
        media.size_bytes = kept.stat().st_size
        with kept.open("rb") as content:
            keep(media.file, f"media.{SUFFIXES[found.kind]}", File(content))
        keep(media.thumbnail, "thumbnail.jpg", ContentFile(thumbnail.content))


def display_name(name: str | None) -> str:
    """The file's name as shown to people. Never used as a path."""
    printable = "".join(letter for letter in os.path.basename(name or "") if letter.isprintable())
    return printable[:200] or _("File")


def reuse(media: MediaFile, alt_text: str) -> MediaFile:
    """As good as new: the tidy job must not take it from under the page that has just received it."""
    media.created_at = timezone.now()
    media.alt_text = media.alt_text or alt_text
    media.save(update_fields=["created_at", "alt_text"])
    return media


# --- Out ------------------------------------------------------------------------------------------------------


def rendition(media: MediaFile, rules: ImageRules, *, ratio: float | None = None, crop: bool = False) -> Rendition:
    """The image as a network takes it, made now if it was not made before. Raises RejectedError when it is lost.

    ratio: width to height that it must have (the first image's, in a carousel); None leaves its own, within the rules.
    crop: what does not fit is cut off around the focus point, in place of bars.
    """
    focus = (media.focus_x, media.focus_y) if crop else None
    size = images.frame(media.width, media.height, rules, ratio, crop=crop)
    spec = f"v{SPEC_VERSION}-{size[0]}x{size[1]}-{rules.max_bytes}"
    if focus:
        spec += f"-crop-{round(focus[0] * 1000)}-{round(focus[1] * 1000)}"
    made = next((made for made in media.renditions.all() if made.spec == spec), None)
    if made and is_stored(made.file):
        return made
    picture = render(media, rules, size, focus)
    fresh = made or Rendition(media=media, spec=spec)
    fresh.content_type, fresh.width, fresh.height = picture.content_type, picture.width, picture.height
    fresh.size_bytes = len(picture.content)
    keep(fresh.file, "image.jpg", ContentFile(picture.content))
    try:
        with transaction.atomic():
            fresh.save()
    except IntegrityError:  # another worker made it at the same time; one is enough
        remove_files(fresh.file)
        return Rendition.objects.get(media=media, spec=spec)
    return fresh


def render(
    media: MediaFile, rules: ImageRules, size: tuple[int, int], focus: tuple[float, float] | None
) -> images.Picture:
    try:
        stored = io.BytesIO(read(media.file))
        with decoding, Image.open(stored, formats=("JPEG", "PNG")) as image:
            image.load()
            return images.render(image, rules, size, focus)
    except FileNotFoundError as error:
        raise lost(media) from error


def media_items(publication: Publication) -> tuple[MediaItem, ...]:
    """The media of a publication in order, each as its network takes it, with a fresh signed address."""
    if publication.post_type == PostType.TEXT:
        return ()
    used = PostMedia.objects.filter(post=publication.post_id).order_by("position")
    entries = list(used.select_related("media").prefetch_related("media__renditions"))
    return tuple(item_of(number, entry, shape) for number, entry, shape in shaped(publication, entries))


@dataclass(frozen=True, slots=True)
class Shape:
    """How an image must come out: within these rules, with this ratio where all of a post share one."""

    rules: ImageRules
    ratio: float | None = None


def shaped(publication: Publication, entries: Sequence[PostMedia]) -> Iterator[tuple[int, PostMedia, Shape]]:
    kind = PostType(publication.post_type)
    rules = RULES[publication.account.platform]
    images_as = rules.image_of(kind)
    ratio = None
    if kind is PostType.CAROUSEL and entries:
        first = entries[0].media
        ratio = images.clamp(first.width / first.height, images_as)
    for number, entry in enumerate(entries, start=1):
        yield number, entry, Shape(images_as, ratio)


def item_of(position: int, entry: PostMedia, shape: Shape) -> MediaItem:
    media, alt_text = entry.media, entry.alt_text or entry.media.alt_text
    if media.kind == MediaKind.IMAGE:
        made = rendition(media, shape.rules, ratio=shape.ratio, crop=entry.fit == PostMedia.Fit.CROP)
        return MediaItem(
            position=position,
            url=public_url(made),
            content_type=made.content_type,
            width=made.width,
            height=made.height,
            size_bytes=made.size_bytes,
            alt_text=alt_text,
            read=partial(read, made.file),
            open=partial(opened, made.file),
        )
    if not is_stored(media.file):
        raise lost(media)
    return unrendered(position, media, alt_text, url=public_url(media))


def unrendered(position: int, media: MediaFile, alt_text: str, *, url: str = "") -> MediaItem:
    """An item with the numbers of the upload itself: what goes out of a video or document, what is judged of an image."""
    facts = media.facts
    return MediaItem(
        position=position,
        url=url,
        content_type=media.content_type,
        width=media.width,
        height=media.height,
        size_bytes=media.size_bytes,
        alt_text=alt_text,
        kind=MediaKind(media.kind),
        video=VideoFacts(**facts) if media.kind == MediaKind.VIDEO else None,
        title=os.path.splitext(media.original_name)[0] if media.kind == MediaKind.DOCUMENT else "",
        pages=facts.get("pages", 0),
        read=partial(read, media.file),
        open=partial(opened, media.file),
    )


def lost(media: MediaFile) -> RejectedError:
    return RejectedError(
        _("The file “%(name)s” is no longer stored. Take it out of the post, upload it again and retry.")
        % {"name": media.original_name}
    )


@contextmanager
def storing() -> Iterator[None]:
    """A full disk or a bucket that is away says nothing about the file. Raises FilesError, FileNotFoundError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        logger.warning("a file could not be read or written: %s", error)
        raise FilesError(
            _("The place where files are kept does not work at the moment. It goes on by itself once it does.")
        ) from error


def keep(field: FieldFile, name: str, content: File[Any]) -> None:
    with storing():
        field.save(name, content, save=False)


def is_stored(file: FieldFile) -> bool:
    with storing():
        return default_storage.exists(str(file.name))


def read(file: FieldFile) -> bytes:
    with storing(), default_storage.open(str(file.name), "rb") as stored:
        return stored.read()


def opened(file: FieldFile) -> BinaryIO:
    """The stored file to be read piece by piece. The caller closes it."""
    with storing():
        return cast("BinaryIO", default_storage.open(str(file.name), "rb"))


def public_name(made: Rendition | MediaFile) -> str:
    """The last part of the address; networks look at how it ends."""
    if isinstance(made, MediaFile):
        return f"{made.pk}.{SUFFIXES[MediaKind(made.kind)]}"
    return f"{made.media_id}-{made.width}x{made.height}.jpg"


def public_url(made: Rendition | MediaFile) -> str:
    """An absolute address that needs no login and stops working after MEDIA_URL_SECONDS."""
    key = f"media:{made.pk}" if isinstance(made, MediaFile) else made.pk
    signed = signing.dumps(key, salt=URL_SALT)
    return settings.PUBLIC_BASE_URL + reverse("publishing:media_public", args=[signed, public_name(made)])


def served(signed: str, name: str) -> Rendition | MediaFile | None:
    """What a signed address stands for; None when it is forged, altered or has run out."""
    try:
        key = signing.loads(signed, salt=URL_SALT, max_age=settings.MEDIA_URL_SECONDS)
    except signing.BadSignature:
        return None
    made: Rendition | MediaFile | None
    if isinstance(key, str):
        made = MediaFile.objects.filter(pk=key.removeprefix("media:")).exclude(kind=MediaKind.IMAGE).first()
    else:
        made = Rendition.objects.filter(pk=key).first()
    return made if made and public_name(made) == name else None


# --- Away -----------------------------------------------------------------------------------------------------


def delete_orphans(older_than: timedelta) -> int:
    """Delete media that no image set and no post uses, written or begun, uploaded longer ago. Returns how many."""
    begun = Autosave.objects.values_list(Func(F("media_ids"), function="unnest"))
    unused = MediaFile.objects.filter(
        ~Exists(ImageSetItem.objects.filter(media=OuterRef("pk"))),
        ~Exists(PostMedia.objects.filter(media=OuterRef("pk"))),
        created_at__lt=timezone.now() - older_than,
    ).exclude(pk__in=begun)
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
