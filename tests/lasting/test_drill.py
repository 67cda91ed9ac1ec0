"""The drill: back up, go on, lose everything, restore, go on. Posts, tokens and schedules work, and nothing is out twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from accounts.models import ConnectedAccount, Notification
from publishing.models import Attempt, FollowUp, Publication, QueueEntry, Status
from publishing.restored import TOLD
from publishing.schedule import reschedule, retry, schedule
from publishing.tasks import follow_up
from socialhub.backups.make import make
from socialhub.platforms.base import PostType
from tests.factories import make_user, workspace_of
from tests.kinds import FILM, PICTURE, Kind, Shelf, draft, due
from tests.lasting.places import place
from tests.stage import Stage, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

KINDS = (
    Kind("facebook", PostType.TEXT),
    Kind("facebook", PostType.SINGLE, PICTURE),
    Kind("facebook", PostType.REEL, FILM),
    Kind("instagram", PostType.SINGLE, PICTURE),
    Kind("linkedin", PostType.TEXT, account="organization"),
    Kind("linkedin", PostType.TEXT, account="member"),
    Kind("bluesky", PostType.TEXT),
)
# Of these the network shows everything; of the others a person is asked where nothing is found.
TELLING = (KINDS[0], KINDS[1], KINDS[3], KINDS[4])
BACKUP_SECONDS = 25
SPEED = "150"  # of looks; see tests.stage


@dataclass
class Life:
    """What becomes of a publication after the backup that knows nothing of it."""

    kind: Kind
    publication: Publication
    story: str

    @property
    def out(self) -> int:
        """Posts that had gone out when everything was lost."""
        return 0 if self.story in ("never came to it", "has time") else 1


@pytest.fixture
def stage(transactional_db: None, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.stop()


def lives(stage: Stage, shelf: Shelf) -> list[Life]:
    """Each kind: due and published after the backup; due, and not come to; planned for later, published early and not."""
    soon, later = timezone.now() + timedelta(seconds=BACKUP_SECONDS), timezone.now() + timedelta(days=3)
    found = []
    for kind in KINDS:
        for story, at in (
            ("published in time", soon),
            ("never came to it", soon),
            ("published early", later),
            ("has time", later),
        ):
            publication = draft(stage.sandbox, shelf, kind)
            schedule(publication.post, at, by=None)
            found.append(Life(kind, publication, story))
    failed = draft(stage.sandbox, shelf, KINDS[0])
    Publication.objects.filter(pk=failed.pk).update(status=Status.FAILED, error_kind="rejected")
    failed.refresh_from_db()
    return [*found, Life(KINDS[0], failed, "tried again")]


def go_on(stage: Stage, all_lives: list[Life]) -> None:
    """What the old installation does after the backup, before it is lost."""
    for life in all_lives:
        if life.story == "never came to it":
            ConnectedAccount.objects.filter(pk=life.publication.account_id).update(paused_at=timezone.now())
        elif life.story == "published early":
            reschedule(life.publication.post, timezone.now(), by=None)
        elif life.story == "tried again":
            retry(life.publication, by=None)
    worker = stage.start_worker()
    going = [life.publication.pk for life in all_lives if life.out]
    assert stage.beat_until(
        lambda: Publication.objects.filter(pk__in=going, status=Status.PUBLISHED).count() == len(going), 90
    ), list(Publication.objects.filter(pk__in=going).values("status", "error_message", "account__platform"))
    FollowUp.objects.update(due_at=timezone.now())
    follow_up()  # writes the first comment
    worker.kill()
    worker.wait()


def posts_of(stage: Stage, publication: Publication) -> int:
    return len(stage.sandbox.feed(publication.account.platform_account_id))


def is_settled(publication: Publication) -> bool:
    publication.refresh_from_db()
    asked = QueueEntry.objects.filter(pk=publication.pk, awaits_decision=True).exists()
    return publication.status in (Status.PUBLISHED, Status.FAILED) or asked


def test_back_up_lose_everything_restore_and_nothing_is_twice(stage: Stage, tmp_path: Path) -> None:
    shelf = Shelf(workspace_of(make_user()))
    stage.start_web()
    commented = due(stage.sandbox, shelf, KINDS[0], first_comment="First!")
    first_worker = stage.start_worker()
    assert stage.beat_until(lambda: Publication.objects.get(pk=commented.pk).status == Status.PUBLISHED, 60)
    first_worker.kill()
    first_worker.wait()
    all_lives = lives(stage, shelf)
    target = tmp_path / "backup.zip"
    manifest = make(target)
    assert timezone.now() < all_lives[0].publication.post.scheduled_at, "a slow machine: raise BACKUP_SECONDS"
    assert manifest.files

    go_on(stage, all_lives)
    assert {str(life.kind) + life.story: posts_of(stage, life.publication) for life in all_lives} == {
        str(life.kind) + life.story: life.out for life in all_lives
    }
    (post,) = stage.sandbox.feed(commented.account.platform_account_id)
    assert len(post["comments"]) == 1
    for process in stage.processes:
        process.kill()
        process.wait()
    redis.Redis.from_url(settings.CACHES["default"]["LOCATION"]).flushall()

    with place("drill", tmp_path) as other:
        answer = other.manage("restore", str(target), PUBLISH_CHECK_SPEED=SPEED)
        assert answer.returncode == 0, answer.stderr
        stage.environment |= {"DATABASE_URL": other.url, "MEDIA_ROOT": str(other.media)}
        with other.inside():
            everything_is_looked_for(stage, all_lives)
            assert Notification.objects.get(incident__startswith=TOLD).body
            comment = FollowUp.objects.get(publication=commented, kind=FollowUp.Kind.COMMENT)
            assert comment.began_at
            comment.due_at = timezone.now()
            comment.save()
            follow_up()
            comment.refresh_from_db()
            assert comment.outcome == FollowUp.Outcome.DONE
            (post,) = stage.sandbox.feed(commented.account.platform_account_id)
            assert len(post["comments"]) == 1, "it was there, and is not written again"


def everything_is_looked_for(stage: Stage, all_lives: list[Life]) -> None:
    stage.start_web()
    stage.start_worker()
    due_now = [life for life in all_lives if life.story in ("published in time", "never came to it")]
    assert stage.beat_until(lambda: all(is_settled(life.publication) for life in due_now), 120), [
        (str(life.kind), life.story, life.publication.status) for life in due_now
    ]
    waiting = [life for life in all_lives if life.story in ("published early", "has time")]
    for life in waiting:
        life.publication.refresh_from_db()
        assert life.publication.status == Status.SCHEDULED, "its time has not come"
    # Its time comes; and somebody tries again what has failed.
    QueueEntry.objects.filter(publication__in=[life.publication for life in waiting]).update(
        not_before=timezone.now(), due_at=timezone.now()
    )
    (failed,) = (life.publication for life in all_lives if life.story == "tried again")
    failed.refresh_from_db()
    assert failed.status == Status.FAILED
    retry(failed, by=None)
    assert stage.beat_until(lambda: all(is_settled(life.publication) for life in all_lives), 120)
    assert wait_until(lambda: not Attempt.objects.filter(finished_at=None).exists(), 20)
    time.sleep(1)
    for life in all_lives:
        told = f"{life.kind}: {life.story}, {life.publication.status}, {life.publication.error_message}"
        posts = posts_of(stage, life.publication)
        assert posts <= 1, told
        assert posts >= life.out, told
        if life.kind in TELLING:
            assert (posts, life.publication.status) == (1, Status.PUBLISHED), told
            assert life.publication.permalink, told
        elif life.publication.status != Status.PUBLISHED:
            assert life.publication.status == Status.CHECKING, told
