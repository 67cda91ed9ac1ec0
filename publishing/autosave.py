"""What somebody is writing is kept while they type, beside the post, until they save it or throw it away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import User, Workspace
from publishing.models import Autosave, Post

MOST_BYTES = 200_000  # of what was typed, as JSON: text for hundreds of accounts
MOST_EACH = 20  # forms that one person has begun and not finished
KEPT_FOR = timedelta(days=30)

Typed = dict[str, list[str]]


class TooLarge(Exception):
    """More was typed than is kept on the side; saving the post itself still works."""


class Foreign(Exception):
    """What stands under the key was typed in another workspace."""


def keep(
    workspace: Workspace, user: User, key: UUID, typed: Typed, *, media: Sequence[UUID] = (), post: Post | None = None
) -> Autosave | None:
    """Keep the form as it is typed now; the last one to write a key wins.

    None: there is nothing to keep, since the post has been saved from this very form. Raises TooLarge, Foreign.
    """
    if len(json.dumps(typed).encode()) > MOST_BYTES:
        raise TooLarge
    if Autosave.objects.filter(user=user, key=key).exclude(workspace=workspace).exists():
        raise Foreign
    if Post.objects.of(workspace).filter(submission_key=key).exists() or (post and post.edit_key == key):
        return None  # a message that was on its way while the post was saved
    with transaction.atomic():
        kept, is_new = Autosave.objects.update_or_create(
            user=user,
            key=key,
            defaults={"workspace": workspace, "post": post, "typed": typed, "media_ids": list(media)},
        )
        if is_new:
            newest = Autosave.objects.filter(user=user).order_by("-updated_at").values("pk")[:MOST_EACH]
            Autosave.objects.filter(user=user).exclude(pk__in=newest).delete()
    return kept


def of(workspace: Workspace, user: User) -> QuerySet[Autosave]:
    """What the person has not saved here, newest first."""
    made = Post.objects.of(workspace).filter(submission_key=OuterRef("key"))
    changed = Post.objects.filter(pk=OuterRef("post"), edit_key=OuterRef("key"))
    kept = Autosave.objects.filter(~Exists(made), ~Exists(changed), workspace=workspace, user=user)
    return kept.order_by("-updated_at")


def find(workspace: Workspace, user: User, key: UUID) -> Autosave | None:
    return of(workspace, user).select_related("post").filter(key=key).first()


def is_foreign(workspace: Workspace, user: User, key: UUID) -> bool:
    """The form is somebody else's, or of another workspace: whoever asks for it here begins one of their own."""
    there = list(Autosave.objects.filter(key=key).values_list("workspace", "user"))
    return bool(there) and (workspace.pk, user.pk) not in there


def drop(user: User, *, key: UUID | None = None, post: Post | None = None) -> None:
    """It was saved, or is not wanted: what stands under the key, and all that the person typed for the post."""
    kept = Autosave.objects.filter(user=user)
    if key:
        kept.filter(key=key).delete()
    if post:
        kept.filter(post=post).delete()


def release(user: User, post: Post) -> bool:
    """The post cannot be changed any more: what was typed for it is offered for a new one. Was there anything?"""
    unsaved = of(post.workspace, user).filter(post=post).values("pk")
    return bool(Autosave.objects.filter(pk__in=unsaved).update(post=None))


def outlive(post: Post, *, by: User) -> None:
    """The post is about to be deleted: what others have typed for it is offered to them for a new one."""
    Autosave.objects.filter(post=post).exclude(user=by).update(post=None)


def tidy() -> None:
    Autosave.objects.filter(updated_at__lt=timezone.now() - KEPT_FOR).delete()
