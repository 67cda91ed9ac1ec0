"""A workspace in which people have worked for years, for `bin/bench pages` and the tests that count queries."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import ConnectedAccount, Workspace
from analytics.models import InsightWindow, PlatformPost
from publishing.models import (
    CaptionTemplate,
    HashtagGroup,
    ImageSet,
    ImageSetItem,
    MediaFile,
    Post,
    PostMedia,
    Publication,
    QueueEntry,
    Status,
)
from socialhub.platforms.base import PostType
from tests.factories import make_account, make_media

PLATFORMS = ("facebook", "instagram", "linkedin", "facebook", "instagram", "x", "threads", "bluesky")
WORDS = [
    "Camaro",
    "restored",
    "barn",
    "primer",
    "paint",
    "engine",
    "coast",
    "road",
    "chrome",
    "brake",
    "fender",
    "carburettor",
    "weekend",
    "show",
    "winner",
    "leather",
    "dashboard",
    "rust",
    "welding",
    "bolt",
    "torque",
    "sunrise",
    "workshop",
    "garage",
    "driver",
    "classic",
    "muscle",
    "original",
    "matching",
    "numbers",
]
THIS_MONTH = 500  # so many at most stand around today; the others fill the years before
BATCH = 5000


def fill(workspace: Workspace, posts: int, *, accounts: int = 12, seed: int = 7) -> list[ConnectedAccount]:
    """Posts with two publications each, most of them out and measured, with the library that they came from."""
    chance = random.Random(seed)
    now = timezone.now()
    connected = [
        make_account(workspace, token=None, platform=PLATFORMS[n % len(PLATFORMS)], followers_count=1000 + n)
        for n in range(accounts)
    ]
    media = [make_media(workspace) for _ in range(50)]
    library(workspace, media, max(posts // 100, 10))
    made = [written(workspace, number, posts, now, chance) for number in range(posts)]
    Post.objects.bulk_create(made, batch_size=BATCH)
    Post.objects.bulk_update(aged(made), ["created_at"], batch_size=500)
    PostMedia.objects.bulk_create(
        (PostMedia(post=post, media=chance.choice(media), position=1) for post in made if chance.random() < 0.7),
        batch_size=BATCH,
    )
    publications = list(publications_of(made, connected, chance))
    Publication.objects.bulk_create(publications, batch_size=BATCH)
    QueueEntry.objects.bulk_create(
        (
            QueueEntry(publication=one, account=one.account, not_before=one.scheduled_at, due_at=one.scheduled_at)
            for one in publications
            if one.status == Status.SCHEDULED
        ),
        batch_size=BATCH,
    )
    PlatformPost.objects.bulk_create(measured(publications, connected, posts // 5, now, chance), batch_size=BATCH)
    InsightWindow.objects.bulk_create(windows(connected, now), batch_size=BATCH)
    return connected


def library(workspace: Workspace, media: list[MediaFile], sets: int) -> None:
    made = ImageSet.objects.bulk_create(
        ImageSet(workspace=workspace, title=f"{WORDS[n % len(WORDS)].title()} {n}", hashtags=["camaro", "garage"])
        for n in range(sets)
    )
    ImageSetItem.objects.bulk_create(
        (
            ImageSetItem(image_set=one, media=media[(number + place) % len(media)], position=place)
            for number, one in enumerate(made)
            for place in range(1, 6)
        ),
        batch_size=BATCH,
    )
    for n in range(20):
        CaptionTemplate.objects.create(workspace=workspace, name=f"Template {n}", body="{title} in {Vehicle}")
        HashtagGroup.objects.create(workspace=workspace, name=f"Group {n}", hashtags=WORDS[:8])


def written(workspace: Workspace, number: int, posts: int, now: datetime, chance: random.Random) -> Post:
    """Half of the newest ones are still to come; the rest goes back three years."""
    recent = min(THIS_MONTH, posts // 2)
    if number < recent:
        at = now + timedelta(days=chance.uniform(-14, 14))
    else:
        at = now - timedelta(days=15 + 1080 * (number - recent) / max(posts - recent, 1))
    status = chance.choices(
        [Status.PUBLISHED, Status.DRAFT, Status.FAILED, Status.CHECKING], weights=[0.95, 0.03, 0.018, 0.002]
    )[0]
    if at > now and status != Status.DRAFT:
        status = Status.SCHEDULED
    return Post(
        workspace=workspace,
        caption=" ".join(chance.choices(WORDS, k=chance.randint(8, 60))) + f" no{number}",
        hashtags=chance.sample(WORDS, 3),
        campaign=f"Campaign {number % 40}" if number % 3 else "",
        status=status,
        scheduled_at=at,
    )


def aged(posts: list[Post]) -> list[Post]:
    for post in posts:
        assert post.scheduled_at
        post.created_at = min(post.scheduled_at, timezone.now()) - timedelta(days=2)
    return posts


def publications_of(
    posts: list[Post], accounts: list[ConnectedAccount], chance: random.Random
) -> Iterator[Publication]:
    for post in posts:
        for account in chance.sample(accounts, 2):
            yield Publication(
                post=post,
                account=account,
                post_type=PostType.SINGLE,
                status=post.status,
                scheduled_at=None if post.status == Status.DRAFT else post.scheduled_at,
                published_at=post.scheduled_at if post.status == Status.PUBLISHED else None,
                error_kind="rejected" if post.status == Status.FAILED else "",
                error_message="The network refused the picture." if post.status == Status.FAILED else "",
            )


def measured(
    publications: list[Publication],
    accounts: list[ConnectedAccount],
    others: int,
    now: datetime,
    chance: random.Random,
) -> Iterator[PlatformPost]:
    """The figures of what is out, and posts that were not made here."""
    for number, publication in enumerate(publications):
        if publication.published_at:
            yield PlatformPost(
                account=publication.account,
                publication=publication,
                platform_post_id=f"ours-{number}",
                text=publication.post.caption,
                posted_at=publication.published_at,
                fetched_at=now,
                **figures(chance),
            )
    for number in range(others):
        yield PlatformPost(
            account=accounts[number % len(accounts)],
            platform_post_id=f"other-{number}",
            text="Made elsewhere",
            posted_at=now - timedelta(days=1095 * number / others),
            fetched_at=now,
            **figures(chance),
        )


def figures(chance: random.Random) -> dict[str, int | None]:
    reach = chance.choice([None, chance.randint(100, 50_000)])
    return {"likes": chance.randint(0, 900), "comments": chance.randint(0, 90), "reach": reach}


def windows(accounts: list[ConnectedAccount], now: datetime, days: int = 35) -> Iterator[InsightWindow]:
    hour = now.replace(minute=0, second=0, microsecond=0)
    for account in accounts:
        for back in range(days * 24):
            yield InsightWindow(
                account=account,
                period=InsightWindow.Period.HOUR,
                window_start=hour - timedelta(hours=back),
                metrics={"followers": 5000 - back},
                fetched_at=hour - timedelta(hours=back),
            )
