"""Files that no row names: left by a process that died between the file and its row, or between a row and its file."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import operators
from accounts.language import speaking_to_staff

logger = logging.getLogger(__name__)

FOLDERS = ("originals", "thumbnails", "renditions", "accounts", "exports")  # where our rows keep theirs
BATCH = 500
# So many at once are no strays: somebody has pointed us at the files of another database, or at an empty database.
FEW, SHARE = 100, 0.2
KEY = "stray-files"


def remove(older_than: timedelta) -> int:
    """Delete those that are older; returns how many. Deletes none where a good part of all files would go."""
    total, found = 0, []
    before = timezone.now() - older_than
    for names in in_batches(walk()):
        total += len(names)
        found += [name for name in sorted(names - named(names)) if is_older(name, before)]
    if len(found) > max(FEW, total * SHARE):
        with speaking_to_staff():
            operators.warn(
                KEY,
                title=_("%(number)d of %(total)d files belong to no row") % {"number": len(found), "total": total},
                body=_(
                    "They were not deleted, since they are so many. Look whether DATABASE_URL and MEDIA_ROOT (or "
                    "MEDIA_STORAGE_URL) belong together."
                ),
            )
        return 0
    operators.mended(KEY)
    for name in found:
        default_storage.delete(name)
    if found:
        logger.info("%s files that no row names were deleted", len(found))
    return len(found)


def walk() -> Iterator[str]:
    if all_below := getattr(default_storage, "walk", None):  # of a bucket, where each look into a folder is a call
        for folder in FOLDERS:
            yield from all_below(folder)
        return
    waiting = list(FOLDERS)
    while waiting:
        folder = waiting.pop()
        try:
            folders, files = default_storage.listdir(folder)
        except FileNotFoundError:
            continue
        waiting += [f"{folder}/{name}" for name in folders]
        yield from (f"{folder}/{name}" for name in files)


def in_batches(names: Iterable[str]) -> Iterator[set[str]]:
    batch: set[str] = set()
    for name in names:
        batch.add(name)
        if len(batch) == BATCH:
            yield batch
            batch = set()
    if batch:
        yield batch


def named(names: set[str]) -> set[str]:
    """Those of them that a row knows."""
    known: set[str] = set()
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.FileField) and field.storage is default_storage:
                rows = model._base_manager.filter(**{f"{field.attname}__in": names})
                known.update(rows.values_list(field.attname, flat=True))
    return known


def is_older(name: str, before: object) -> bool:
    try:
        return default_storage.get_modified_time(name) < before  # type: ignore[operator]
    except FileNotFoundError:
        return False
