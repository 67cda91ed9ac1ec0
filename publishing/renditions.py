"""Pictures as networks take them are kept while somebody may fetch them, and drawn anew when they are needed again."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from publishing.media import remove_files
from publishing.models import PostMedia, Rendition, Status

KEPT = timedelta(days=30)
BATCH = 200


def tidy() -> int:
    """Delete what was made long ago, and belongs to no post that is still to go out or has just gone. Returns how many."""
    number = 0
    while keys := list(unused().values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            # Asked again where they are locked: a post may have got the picture meanwhile.
            found = list(unused().filter(pk__in=keys).select_for_update(of=("self",)))
            Rendition.objects.filter(pk__in=[made.pk for made in found]).delete()
        remove_files(*(made.file for made in found))
        number += len(found)
        if not found:
            break
    return number


def unused() -> QuerySet[Rendition]:
    now = timezone.now()
    needed = Q(post__publications__status__in=set(Status) - {Status.PUBLISHED}) | Q(
        post__publications__published_at__gt=now - timedelta(seconds=settings.MEDIA_URL_SECONDS)
    )
    return Rendition.objects.filter(
        ~Exists(PostMedia.objects.filter(needed, media=OuterRef("media"))), created_at__lt=now - KEPT
    )
