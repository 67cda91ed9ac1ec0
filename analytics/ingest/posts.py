"""Posts found on accounts and their figures, from the networks to rows. Everything here may run twice without a trace.

What a network does not say stays unknown; it never becomes 0. No call is made inside a transaction, and each post that
is due is read by one worker at a time (`claim_posts`). Who writes figures locks the posts and looks whether another has
read them later, so that no older figure replaces a newer one.
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
from analytics.ingest.growth import AGES, Growth, next_fetch
from analytics.ingest.trouble import log_trouble
from analytics.models import PlatformPost
from analytics.refused import note_refused, skip_for
from publishing.models import Publication, Status
from socialhub.platforms import PLATFORMS
from socialhub.platforms.base import Access, Platform, PostFigures, RemotePost
from socialhub.platforms.errors import LimitedError, PlatformError, ReconnectError, TemporaryError
from socialhub.platforms.metrics.types import Subject
from socialhub.platforms.text import address

HOUR = timedelta(hours=1)
CLAIM = timedelta(minutes=15)  # longer than any worker needs
IMPORT_SPAN = timedelta(days=90)
IMPORT_LIMIT = 25
FIRST_IMPORT_LIMIT = 100  # what was there before us is taken in once
ADOPT_SPAN = timedelta(days=2)  # older publications are adopted when their account is read
APPEARS_WITHIN = timedelta(minutes=10)  # a fresh post may be missing from an answer without being gone
JUST_READ = timedelta(minutes=2)
POSTS_PER_CLAIM = 200
LONGEST_ID = 200  # that of a row
AFTER_TROUBLE = timedelta(minutes=15)
AFTER_REFUSAL = timedelta(hours=6)  # without a change by a person the answer will be the same

# What a listing tells of a post itself, and what is written with its figures.
TOLD = ("text", "permalink", "thumbnail_url", "media_type", "product", "media_urls", "posted_at")


def read_newest(
    account: ConnectedAccount, platform: Platform, access: Access, *, is_first: bool = False
) -> Sequence[PlatformError]:
    """Take in the newest posts, whoever made them, with their figures where the listing tells those too.

    The figures of others are due at once. is_first: the account has not been read yet.
    """
    adopt_published(account)
    limit = FIRST_IMPORT_LIMIT if is_first else max(IMPORT_LIMIT, platform.lists_figures)
    _read_listing(account, platform, access, since=timezone.now() - IMPORT_SPAN, limit=limit)
    return ()


def read_due(
    account: ConnectedAccount, platform: Platform, access: Access, *, asked: bool = False
) -> Sequence[PlatformError]:
    """The figures of the account's posts that are due; with `asked` those of the last 28 days."""
    if claimed := claim_posts(POSTS_PER_CLAIM, account=account, recent=asked):
        try:
            read_figures(account, platform, access, claimed)
        except PlatformError as error:
            put_off(claimed, error)
            raise
    return ()


def read_figures(account: ConnectedAccount, platform: Platform, access: Access, posts: Sequence[PlatformPost]) -> None:
    """The figures of these posts, claimed by the caller, in as few calls as the network offers."""
    left = list(posts)
    if number := _listing_that_is_cheaper(account, platform, left):
        read = _read_listing(account, platform, access, since=min(post.posted_at for post in left) - HOUR, limit=number)
        left = [post for post in left if post.platform_post_id not in read]
    if not left:
        return
    at = timezone.now()
    products = {post.platform_post_id: post.product for post in left}
    answers = platform.post_figures(access, products, skip=skip_for(platform.key, Subject.POST))
    note_refused(account, Subject.POST, [name for figures in answers for name in figures.refused])
    if len(left) > 1 and not answers:
        # All of them gone at once: rather it is we who may not see them any more. A listing that is told says that we may.
        _read_listing(account, platform, access, since=min(post.posted_at for post in left) - HOUR, limit=IMPORT_LIMIT)
    failed = {one.platform_post_id: one.trouble for one in answers if one.trouble}
    _write(
        account,
        platform,
        at,
        told={},
        answers={one.platform_post_id: one for one in answers if not one.trouble},
        asked_for=[post for post in left if post.platform_post_id not in failed],
    )
    for post in left:
        if error := failed.get(post.platform_post_id):
            log_trouble(account, error)
            # The others were read, so asking again soon would be in vain.
            again = next_fetch(post.posted_at, at, max(HOUR.total_seconds(), platform.figures_every_seconds))
            PlatformPost.objects.filter(pk=post.pk, gone_at=None).update(next_fetch_at=again)


def _listing_that_is_cheaper(account: ConnectedAccount, platform: Platform, posts: Sequence[PlatformPost]) -> int:
    """How many of the newest posts to list so that these are among them, if that takes fewer calls; else 0.

    Without a listing each post is a call, but one that tells everything: what only some kinds of posts have, such as
    the time that a video was watched, comes with no listing.
    """
    if not platform.lists_figures or len(posts) < 2:
        return 0
    oldest = min(post.posted_at for post in posts)
    if timezone.now() - oldest > IMPORT_SPAN:
        return 0
    standing = PlatformPost.objects.filter(account=account, posted_at__gte=oldest, gone_at=None).count()
    pages = -(-max(standing, len(posts)) // platform.lists_figures)
    return pages * platform.lists_figures if pages < len(posts) else 0


def _read_listing(
    account: ConnectedAccount, platform: Platform, access: Access, *, since: datetime, limit: int
) -> set[str]:
    """Returns the ids of the posts whose figures were told."""
    at = timezone.now()
    skip = skip_for(platform.key, Subject.POST)
    remote = platform.recent_posts(access, since=since, limit=limit, figures=bool(platform.lists_figures), skip=skip)
    told = {post.platform_post_id: post for post in remote if 0 < len(post.platform_post_id) <= LONGEST_ID}
    answers = {key: post.figures for key, post in told.items() if post.figures is not None}
    note_refused(account, Subject.POST, [name for figures in answers.values() for name in figures.refused])
    _write(account, platform, at, told=told, answers=answers)
    return set(answers)


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
    publications: list[Any] = list(
        waiting.select_related("post", "account").order_by("account_id", "platform_post_id")[:500]
    )
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


def claim_posts(limit: int, *, account: ConnectedAccount | None = None, recent: bool = False) -> list[PlatformPost]:
    """Take posts whose figures are due; another worker does not get them before the claim has run out.

    recent: those of the last 28 days, due or not, but for those that were read a moment ago.
    """
    now = timezone.now()
    if recent:
        unread = Q(fetched_at=None) | Q(fetched_at__lt=now - JUST_READ)
        posts = PlatformPost.objects.filter(gone_at=None).filter(
            Q(next_fetch_at__lte=now) | (unread & Q(next_fetch_at__isnull=False, posted_at__gte=now - AGES[-1]))
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
    """Read the figures of these posts of one account; trouble puts them off and is written to the account."""
    if not posts:
        return
    try:
        platform = client_of(account)
        with_access(account, lambda access: read_figures(account, platform, access, posts))
    except PlatformError as error:
        log_trouble(account, error)
        put_off(posts, error)
        ConnectedAccount.objects.filter(pk=account.pk).update(sync_error=error.message)


def put_off(posts: Iterable[PlatformPost], error: PlatformError) -> None:
    now = timezone.now()
    if isinstance(error, LimitedError):
        again = max(error.until or now + HOUR, now + timedelta(minutes=1))
    else:
        again = now + (AFTER_TROUBLE if isinstance(error, TemporaryError | ReconnectError) else AFTER_REFUSAL)
    PlatformPost.objects.filter(pk__in=[post.pk for post in posts], gone_at=None).update(next_fetch_at=again)


def _write(
    account: ConnectedAccount,
    platform: Platform,
    at: datetime,
    *,
    told: Mapping[str, RemotePost],
    answers: Mapping[str, PostFigures],
    asked_for: Sequence[PlatformPost] = (),
) -> None:
    """What was read of posts at `at`. told: those of a listing; asked_for: those that would be in `answers` if they stood.

    The newest known figures go to the posts, exactly what was read to their snapshots, the state of the day to their day.
    """
    every = platform.figures_every_seconds
    listed_every = platform.full_every_seconds if platform.lists_figures else 0
    with transaction.atomic():
        posts = _locked(account, at, told, [post.platform_post_id for post in asked_for])
        growth = Growth(
            at,
            [post for key, post in sorted(posts.items()) if key in answers and not _was_read_later(post, at)],
            is_along=not asked_for,
        )
        for key, post in posts.items():
            if key in told:
                _describe(post, told[key], at)
        for post in growth.posts:
            growth.take(post, answers[post.platform_post_id])
            post.next_fetch_at = next_fetch(post.posted_at, at, every, listed_every=listed_every)
        _look_after_missing([post for key, post in posts.items() if key not in answers and key not in told], at)
        PlatformPost.objects.bulk_create(
            sorted(posts.values(), key=lambda post: post.platform_post_id),
            update_conflicts=True,
            unique_fields=["account", "platform_post_id"],
            update_fields=[*TOLD, *growth.written, "next_fetch_at", "gone_at"],
        )
        growth.save()
    _link(PlatformPost.objects.filter(account=account, platform_post_id__in=told))


def _locked(
    account: ConnectedAccount, at: datetime, told: Mapping[str, RemotePost], keys: Iterable[str]
) -> dict[str, PlatformPost]:
    """The rows of these posts, made where they are missing. Always in the same order, so that no two workers wait for each other."""
    wanted = {*told, *keys}
    rows = (
        PlatformPost.objects.select_for_update(no_key=True)
        .filter(account=account, platform_post_id__in=wanted)
        .order_by("platform_post_id")
    )
    known = {post.platform_post_id: post for post in rows}
    if missing := sorted(told.keys() - known.keys()):
        PlatformPost.objects.bulk_create(
            [
                PlatformPost(account=account, platform_post_id=key, posted_at=told[key].posted_at, next_fetch_at=at)
                for key in missing
            ],
            ignore_conflicts=True,
        )
        known |= {post.platform_post_id: post for post in rows.filter(platform_post_id__in=missing)}
    return known


def _was_read_later(post: PlatformPost, at: datetime) -> bool:
    return post.fetched_at is not None and post.fetched_at > at


def _describe(post: PlatformPost, remote: RemotePost, at: datetime) -> None:
    post.text = remote.text
    post.permalink = address(remote.permalink) or post.permalink
    post.thumbnail_url = address(remote.thumbnail_url)
    post.media_type = remote.media_type[:30]
    post.product = remote.product[:20] or post.product
    post.media_urls = [url for url in remote.media_urls if address(url)]
    post.posted_at = remote.posted_at
    if post.gone_at is not None:  # it has come back
        post.gone_at = None
        post.next_fetch_at = at


def _look_after_missing(posts: Iterable[PlatformPost], at: datetime) -> None:
    """Posts that were asked for and are not in the answer."""
    for post in posts:
        if _was_read_later(post, at) or post.gone_at is not None:
            continue
        if at - post.posted_at < APPEARS_WITHIN:
            post.next_fetch_at = next_fetch(post.posted_at, at)
        else:
            post.gone_at, post.next_fetch_at = at, None
