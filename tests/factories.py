"""The smallest valid rows. Keyword arguments override any field."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import ConnectedAccount, Credential, Membership, Role, User, Workspace
from publishing.models import MediaFile, Post, Publication, QueueEntry
from socialhub.platforms.base import PostType

numbers = itertools.count(1)


def make_user(**fields: Any) -> User:
    """A user with a workspace of their own, as owner, and the password "correct horse"."""
    number = next(numbers)
    user = User.objects.create_user(
        email=fields.pop("email", f"person{number}@example.com"), password="correct horse", **fields
    )
    workspace = Workspace.objects.create(name=f"Workspace {number}")
    Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    return user


def workspace_of(user: User) -> Workspace:
    return user.memberships.select_related("workspace").earliest("created_at").workspace


def make_account(workspace: Workspace, *, token: str | None = "page-token", **fields: Any) -> ConnectedAccount:
    number = next(numbers)
    fields = {
        "platform": "facebook",
        "platform_account_id": str(1000 + number),
        "name": f"Page {number}",
        "username": f"page{number}",
        **fields,
    }
    account = ConnectedAccount.objects.create(workspace=workspace, **fields)
    if token is not None:
        Credential.objects.create(account=account, access_token=token)
    return account


def make_post(workspace: Workspace, *accounts: ConnectedAccount, post_type: str = PostType.TEXT, **fields: Any) -> Post:
    """A draft with one publication per account."""
    post = Post.objects.create(workspace=workspace, **{"caption": f"Hello {next(numbers)}", **fields})
    for account in accounts:
        Publication.objects.create(post=post, account=account, post_type=post_type)
    return post


def make_entry(publication: Publication, **fields: Any) -> QueueEntry:
    """A queue entry that has been due for a second; the publication must be scheduled for it to be taken."""
    due = timezone.now() - timedelta(seconds=1)
    return QueueEntry.objects.create(
        publication=publication,
        account=publication.account,
        **{"not_before": due, "due_at": due, **fields},
    )


def make_media(workspace: Workspace, **fields: Any) -> MediaFile:
    """A row without files; tests that read pixels upload a real image instead."""
    number = next(numbers)
    return MediaFile.objects.create(
        workspace=workspace,
        **{
            "file": f"originals/{number}.jpg",
            "thumbnail": f"thumbnails/{number}.jpg",
            "original_name": f"photo {number}.jpg",
            "content_type": "image/jpeg",
            "width": 1200,
            "height": 900,
            "size_bytes": 120_000,
            "sha256": f"{number:064x}",
            **fields,
        },
    )
