"""The smallest valid rows of analytics."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import ConnectedAccount
from analytics.models import InsightWindow, PlatformPost
from publishing.models import Post, Publication, Status
from tests.factories import make_post

numbers = itertools.count(1)


def make_window(account: ConnectedAccount, at: datetime, **fields: Any) -> InsightWindow:
    """The hour window of `at`, read at that very moment."""
    return InsightWindow.objects.create(
        account=account,
        **{
            "period": InsightWindow.Period.HOUR,
            "window_start": at.replace(minute=0, second=0, microsecond=0),
            "fetched_at": at,
            **fields,
        },
    )


def make_platform_post(account: ConnectedAccount, **fields: Any) -> PlatformPost:
    """A post that somebody else made on the account an hour ago."""
    number = next(numbers)
    return PlatformPost.objects.create(
        account=account,
        **{
            "platform_post_id": f"{account.platform_account_id}_{number}",
            "text": f"Found {number}",
            "posted_at": timezone.now() - timedelta(hours=1),
            **fields,
        },
    )


def make_published(*accounts: ConnectedAccount, at: datetime | None = None, **fields: Any) -> Post:
    """A post that has gone out on all these accounts at one time, without platform posts."""
    at = at or timezone.now()
    post = make_post(accounts[0].workspace, *accounts, status=Post.Summary.PUBLISHED, **fields)
    for publication in post.publications.all():
        Publication.objects.filter(pk=publication.pk).update(
            status=Status.PUBLISHED,
            published_at=at,
            platform_post_id=f"{publication.account.platform_account_id}_{next(numbers)}",
            permalink=f"https://network.example/{publication.pk}",
        )
    return post
