"""Posts found on accounts and their figures, from the networks to rows. Everything here may run twice without a trace.

What a network does not say stays unknown; it never becomes 0. No call is made inside a transaction, and each post that
is due is read by one worker at a time (`claim_posts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from accounts.clients import client_of
from accounts.models import ConnectedAccount
from accounts.tokens import with_access
from analytics.ingest.accounts import address
from analytics.ingest.trouble import log_trouble
from analytics.models import PlatformPost, PostSnapshot
from publishing.models import Publication, Status
from socialhub.platforms import PLATFORMS
from socialhub.platforms.base import Access, Platform, PostFigures, RemotePost
from socialhub.platforms.errors import LimitedError, PlatformError, ReconnectError, TemporaryError

FIGURES = ("likes", "comments", "shares", "saves", "views", "impressions", "reach", "clicks")

HOUR = timedelta(hours=1)
CLAIM = timedelta(minutes=15)  # longer than any worker needs
IMPORT_SPAN = timedelta(days=90)
IMPORT_LIMIT = 25
ADOPT_SPAN = timedelta(days=2)  # older publications are adopted when their account is read

# When the figures of a post are read, by its age: soon, so that something shows, then ever more seldom.
AGES = (
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    *(timedelta(hours=hours) for hours in range(24, 72, 6)),
    *(timedelta(hours=hours) for hours in range(72, 7 * 24, 12)),
    *(timedelta(days=days) for days in range(7, 29)),
)
APPEARS_WITHIN = timedelta(minutes=10)  # a fresh post may be missing from an answer without being gone
POSTS_PER_CLAIM = 200
AFTER_TROUBLE = timedelta(minutes=15)
AFTER_REFUSAL = timedelta(hours=6)  # without a change by a person the answer will be the same


def read_posts(account: ConnectedAccount, platform: Platform, access: Access) -> None:
    """Take in the newest posts, whoever made them; their figures are due at once."""
    adopt_published(account)
    now = timezone.now()
    remote = platform.recent_posts(access, since=now - IMPORT_SPAN, limit=IMPORT_LIMIT)
    found = {post.platform_post_id: post for post in remote if post.platform_post_id}
    known = {
        post.platform_post_id: post
        for post in PlatformPost.objects.filter(account=account, platform_post_id__in=found).defer("raw")
    }
    PlatformPost.objects.bulk_create(
        [_row(account, post, known.get(key), now) for key, post in sorted(found.items())],
        update_conflicts=True,
        unique_fields=["account", "platform_post_id"],
        update_fields=["text", "permalink", "thumbnail_url", "media_type", "posted_at"],
    )
    back = [post.pk for post in known.values() if post.gone_at]
    PlatformPost.objects.filter(pk__in=back).update(gone_at=None, next_fetch_at=now)
    _link(PlatformPost.objects.filter(account=account, platform_post_id__in=found))


def _row(account: ConnectedAccount, post: RemotePost, known: PlatformPost | None, now: datetime) -> PlatformPost:
    return PlatformPost(
        account=account,
        platform_post_id=post.platform_post_id,
        text=post.text,
        permalink=address(post.permalink) or (known.permalink if known else ""),
        thumbnail_url=address(post.thumbnail_url),
        media_type=post.media_type[:30],
        posted_at=post.posted_at,
        next_fetch_at=now,
    )


def adopt_published(account: ConnectedAccount | None = None) -> int:
    """Publications that are out get their platform post, due at once. Returns how many it were.

    Without an account: the lately published ones of all, for the job that runs every minute.
    """
    now = timezone.now()
    waiting = Publication.objects.filter(
        status=Status.PUBLISHED, platform_post=None, published_at__isnull=False
    ).exclude(Q(platform_post_id="") | Q(platform_post_id__startswith="http"))  # an address that a person pasted
    if account is not None:
        waiting = waiting.filter(account=account)
    else:
        waiting = waiting.filter(published_at__gte=now - ADOPT_SPAN)
    publications: list[Any] = list(waiting.select_related("post", "account").order_by("pk")[:500])
    PlatformPost.objects.bulk_create(
        [
            PlatformPost(
                account_id=publication.account_id,
                platform_post_id=publication.platform_post_id,
                text=publication.text,
                permalink=publication.permalink,
                posted_at=publication.published_at,
                next_fetch_at=now + timedelta(seconds=PLATFORMS[publication.account.platform].figures_every_seconds),
            )
            for publication in publications
        ],
        ignore_conflicts=True,
    )
    keys = [publication.platform_post_id for publication in publications]
    accounts = {publication.account_id for publication in publications}
    _link(PlatformPost.objects.filter(account__in=accounts, platform_post_id__in=keys))
    return len(publications)


def _link(posts: Any) -> None:
    """Tie platform posts to the publications that made them: by id, or by the address that a person pasted."""
    same = Q(platform_post_id=OuterRef("platform_post_id")) | (
        Q(platform_post_id=OuterRef("permalink")) & Q(platform_post_id__startswith="http")
    )
    makers = Publication.objects.filter(same, account=OuterRef("account"), platform_post=None)
    posts.filter(Exists(makers), publication=None).update(publication=Subquery(makers.values("pk")[:1]))
    # An address that could not be read right after publishing is told later.
    known = PlatformPost.objects.filter(publication=OuterRef("pk")).exclude(permalink="")
    Publication.objects.filter(Exists(known), permalink="", platform_post__in=posts).update(
        permalink=Subquery(known.values("permalink")[:1])
    )


def next_fetch(posted_at: datetime, now: datetime, every_seconds: float = 0) -> datetime | None:
    """When the figures of a post are read next, not before `every_seconds` have passed; None once it is 28 days old."""
    soonest = now + timedelta(seconds=every_seconds)
    return next((posted_at + age for age in AGES if posted_at + age > now and posted_at + age >= soonest), None)


def claim_posts(limit: int, *, account: ConnectedAccount | None = None, recent: bool = False) -> list[PlatformPost]:
    """Take posts whose figures are due; another worker does not get them before the claim has run out.

    recent: those of the last 28 days, due or not.
    """
    now = timezone.now()
    if recent:
        posts = PlatformPost.objects.filter(gone_at=None).filter(
            Q(next_fetch_at__lte=now) | Q(next_fetch_at__isnull=False, posted_at__gte=now - AGES[-1])
        )
    else:
        posts = PlatformPost.objects.due(now)
    if account is not None:
        posts = posts.filter(account=account)
    with transaction.atomic():
        claimed = list(
            posts.select_for_update(skip_locked=True, of=("self",)).defer("raw").order_by("next_fetch_at")[:limit]
        )
        PlatformPost.objects.filter(pk__in=[post.pk for post in claimed]).update(next_fetch_at=now + CLAIM)
    return claimed


def sync_posts(account: ConnectedAccount, posts: Sequence[PlatformPost]) -> None:
    """Read the figures of these posts of one account, in as few calls as its network offers."""
    if not posts:
        return
    try:
        platform, ids = client_of(account), [post.platform_post_id for post in posts]
        answer = with_access(account, lambda access: platform.post_figures(access, ids))
    except PlatformError as error:
        log_trouble(account, error)
        put_off(posts, error)
        ConnectedAccount.objects.filter(pk=account.pk).update(sync_error=error.message)
        return
    _put_figures(posts, {figures.platform_post_id: figures for figures in answer}, platform.figures_every_seconds)


def put_off(posts: Iterable[PlatformPost], error: PlatformError) -> None:
    now = timezone.now()
    if isinstance(error, LimitedError):
        again = max(error.until or now + HOUR, now + timedelta(minutes=1))
    else:
        again = now + (AFTER_TROUBLE if isinstance(error, TemporaryError | ReconnectError) else AFTER_REFUSAL)
    PlatformPost.objects.filter(pk__in=[post.pk for post in posts], gone_at=None).update(next_fetch_at=again)


def _put_figures(posts: Sequence[PlatformPost], answer: Mapping[str, PostFigures], every_seconds: float) -> None:
    """The newest known figures to the posts, exactly what was read to their snapshots."""
    now = timezone.now()
    answered, snapshots = [], []
    gone: list[PlatformPost] = []
    not_there_yet: list[PlatformPost] = []
    for post in sorted(posts, key=lambda post: post.pk):
        figures = answer.get(post.platform_post_id)
        if figures is None:
            (not_there_yet if now - post.posted_at < APPEARS_WITHIN else gone).append(post)
            continue
        read = {name: value for name in FIGURES if (value := getattr(figures, name)) is not None}
        for name, value in read.items():
            setattr(post, name, value)
        post.raw = dict(figures.raw)
        post.fetched_at = now
        post.next_fetch_at = next_fetch(post.posted_at, now, every_seconds)
        answered.append(post)
        if read:
            snapshots.append(PostSnapshot(platform_post=post, fetched_at=now, **read))
    for post in not_there_yet:
        post.next_fetch_at = next_fetch(post.posted_at, now)
    with transaction.atomic():
        PlatformPost.objects.bulk_update(answered, [*FIGURES, "raw", "fetched_at", "next_fetch_at"])
        PlatformPost.objects.bulk_update(not_there_yet, ["next_fetch_at"])
        PlatformPost.objects.filter(pk__in=[post.pk for post in gone]).update(gone_at=now, next_fetch_at=None)
        PostSnapshot.objects.bulk_create(snapshots, ignore_conflicts=True)
