"""The end of waiting for files, as those below `intake` need it: whoever saves or deletes a post."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from accounts.notify import settle
from publishing.models import MediaFetch, Post, PostAssembly


def incident_of(post_id: UUID) -> str:
    return f"media:{post_id}"


def end(post: Post) -> None:
    """What a person has saved is what counts: no file is waited for any more. Inside the caller's transaction.

    The post must be locked by the caller.
    """
    if not PostAssembly.objects.filter(post=post).delete()[0]:
        return
    MediaFetch.objects.filter(post=post, status=MediaFetch.Status.WAITING).update(
        status=MediaFetch.Status.FAILED, finished_at=timezone.now(), lease_until=None
    )
    settle(post.workspace, incident_of(post.pk))
