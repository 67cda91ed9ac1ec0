"""Answers lost, messages lost and doubled, Redis emptied, PostgreSQL restarted: nothing lost, nothing twice."""

from __future__ import annotations

import atexit
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import Workspace
from publishing.models import Attempt, Publication, QueueEntry, Status
from publishing.tasks import publish_due
from socialhub.platforms.base import PostType
from socialhub.services import Postgres
from tests.factories import make_user, workspace_of
from tests.kill_matrix import make_picture, make_publication
from tests.load import due_posts, feed_counts
from tests.stage import Stage, wait_until

pytestmark = pytest.mark.processes

restarted: list[Postgres] = []  # the server of the whole test run is ours from then on


def workspace() -> Workspace:
    return workspace_of(make_user())


@pytest.mark.parametrize(
    ("platform", "post_type", "edge"),
    [
        ("facebook", PostType.TEXT, "feed"),
        ("facebook", PostType.MULTI_IMAGE, "feed"),
        ("instagram", PostType.CAROUSEL, "media_publish"),
    ],
)
def test_a_lost_answer_is_found_again_by_reading(stage: Stage, platform: str, post_type: PostType, edge: str):
    home = workspace()
    stage.start_web()
    pictures = [make_picture(home, shade) for shade in (50, 150)]
    publication = make_publication(stage, home, platform, post_type, pictures)
    stage.sandbox.fault("lost_answer", edge=edge)
    stage.start_worker()
    assert stage.beat_until(stage.settled, 60)
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert publication.permalink
    assert len(stage.sandbox.feed(publication.account.platform_account_id)) == 1
    assert Attempt.objects.filter(publication=publication, purpose="check", outcome="published").exists()
    assert "checking" in publication.events.values_list("to_status", flat=True)


def test_what_was_not_accepted_is_published_once_after_a_server_error(stage: Stage):
    home = workspace()
    publication = make_publication(stage, home, "facebook", PostType.TEXT, [])
    stage.sandbox.fault("error_before", edge="feed")
    stage.start_worker()
    assert stage.beat_until(stage.settled, 60)
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert len(stage.sandbox.feed(publication.account.platform_account_id)) == 1


def test_redis_emptied_with_ten_due_posts_loses_none(stage: Stage):
    accounts, load = due_posts(stage.sandbox, 10, 10)
    load.release()
    for _ in range(10):
        publish_due.apply_async(retry=False)
    redis.Redis.from_url(settings.CACHES["default"]["LOCATION"]).flushall()
    stage.start_worker()
    assert stage.beat_until(stage.settled, 60)
    assert feed_counts(stage.sandbox, accounts) == load.expected


def test_messages_delivered_many_times_and_two_workers_publish_once(stage: Stage):
    accounts, load = due_posts(stage.sandbox, 40, 8)
    stage.start_worker()
    stage.start_worker()
    load.release()
    for _ in range(50):
        publish_due.apply_async(retry=False)
    assert stage.beat_until(stage.settled, 60)
    assert feed_counts(stage.sandbox, accounts) == load.expected


def test_postgres_restarted_in_the_middle_loses_nothing(stage: Stage):
    accounts, load = due_posts(stage.sandbox, 30, 6)
    stage.sandbox.latency(150)
    stage.start_worker()
    load.release()
    publish_due.apply_async(retry=False)
    assert wait_until(lambda: Publication.objects.filter(status=Status.PUBLISHED).count() >= 5, 30)
    connection.close()
    server = Postgres(settings.TEST_FOLDER / "pg", durable=False)
    server.stop()
    server.start()
    restarted.append(server)
    atexit.register(server.stop)
    assert stage.beat_until(stage.settled, 90), list(QueueEntry.objects.values())
    assert feed_counts(stage.sandbox, accounts) == load.expected
    assert set(Publication.objects.values_list("status", flat=True)) == {Status.PUBLISHED}


def test_a_scheduled_post_starts_on_time(stage: Stage):
    """The worker sleeps until the next entry is due; nobody asks it at that moment."""
    accounts, load = due_posts(stage.sandbox, 1, 1)
    stage.start_worker()
    due = timezone.now() + timedelta(seconds=12)
    QueueEntry.objects.update(not_before=due, due_at=due)
    publish_due.apply_async(retry=False)  # beat's last message before the time
    assert wait_until(stage.settled, 40)
    assert feed_counts(stage.sandbox, accounts) == load.expected
    late = Attempt.objects.get().started_at - due
    assert timedelta(0) <= late < timedelta(seconds=5), "not before its time, and without waiting for the next beat"
