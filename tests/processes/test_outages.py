"""Answers lost, messages lost and doubled, Redis emptied, PostgreSQL restarted: nothing lost, nothing twice."""

from __future__ import annotations

import atexit
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from publishing.models import Attempt, Publication, QueueEntry, Status
from publishing.tasks import publish_due, sweep
from socialhub.platforms.base import PostType
from socialhub.services import Postgres
from tests.factories import make_user, workspace_of
from tests.kill_matrix import all_known, kinds
from tests.kinds import Kind, Shelf, due
from tests.load import due_posts, feed_counts
from tests.stage import Stage, wait_until

pytestmark = pytest.mark.processes

restarted: list[Postgres] = []  # the server of the whole test run is ours from then on


COMMIT_EDGES = {"instagram": "media_publish", "linkedin": "POST linkedin.posts"}  # all others go through Buffer


def commit_edge(kind: Kind) -> str:
    """Where the sandbox takes the irreversible call; "" where the same edge serves other calls, too."""
    if kind.platform != "facebook":
        return COMMIT_EDGES.get(kind.platform, "buffer.createPost")
    if "film" in kind.media:
        return ""
    return "photo_stories" if kind.post_type is PostType.STORY else "feed"


def one_of_each(stage: Stage, chosen: list[Kind], **fields: Any) -> dict[Kind, Publication]:
    """A publication of each kind that is due. Nobody works on it yet."""
    shelf = Shelf(workspace_of(make_user()))
    return {kind: due(stage.sandbox, shelf, kind, **fields) for kind in chosen}


def assert_each_stands_there_once(stage: Stage, publications: dict[Kind, Publication]) -> None:
    found = {}
    for kind, publication in publications.items():
        publication.refresh_from_db()
        posts = stage.sandbox.feed(publication.account.platform_account_id)
        found[str(kind)] = (publication.status, len(posts), publication.error_message)
    assert found == dict.fromkeys(found, (Status.PUBLISHED, 1, ""))


def lose_answers(stage: Stage, fault: str) -> dict[Kind, Publication]:
    """The fault strikes each kind's commit, once. Afterwards all is known that can be."""
    publications = one_of_each(stage, [kind for kind in kinds() if commit_edge(kind)])
    for kind, publication in publications.items():
        stage.sandbox.fault(fault, edge=commit_edge(kind), account=publication.account.platform_account_id)
    stage.start_web()
    stage.start_worker()
    assert stage.beat_until(all_known, 120)
    assert stage.sandbox.control("GET", "faults")["faults"] == [], "each has struck"
    return publications


@pytest.mark.parametrize("fault", ["lost_answer", "error_after"])
def test_a_lost_answer_is_found_again_by_reading(stage: Stage, fault: str):
    publications = lose_answers(stage, fault)
    members = {kind: publications.pop(kind) for kind in list(publications) if not kind.can_be_read}
    assert_each_stands_there_once(stage, publications)
    for publication in publications.values():
        assert Attempt.objects.filter(publication=publication, purpose="check", outcome="published").exists()
        assert "checking" in publication.events.values_list("to_status", flat=True)
    # Of a member's posts nobody can read, a person is asked, and nothing is sent again meanwhile.
    for publication in members.values():
        publication.refresh_from_db()
        assert (publication.status, publication.queue_entry.awaits_decision) == (Status.CHECKING, True)
        assert len(stage.sandbox.feed(publication.account.platform_account_id)) == 1


def test_what_was_not_accepted_is_published_once_after_a_server_error(stage: Stage):
    publications = lose_answers(stage, "error_before")
    for kind in [kind for kind in publications if not kind.can_be_read]:
        publication = publications.pop(kind)
        publication.refresh_from_db()
        assert publication.status in (Status.CHECKING, Status.PUBLISHED)
        asked = publication.status == Status.CHECKING
        assert len(stage.sandbox.feed(publication.account.platform_account_id)) == (0 if asked else 1)
    assert_each_stands_there_once(stage, publications)


def test_two_workers_two_beats_doubled_messages_and_redis_emptied_in_the_middle(stage: Stage):
    publications = one_of_each(stage, kinds())
    stage.start_web()
    for _ in range(2):
        stage.start_worker()
        stage.start("socialhub", "beat")
    for _ in range(50):
        publish_due.apply_async(retry=False)
        sweep.apply_async(retry=False)
    assert wait_until(lambda: Publication.objects.filter(status=Status.PUBLISHED).count() >= 5, 60)
    redis.Redis.from_url(settings.CACHES["default"]["LOCATION"]).flushall()
    assert stage.beat_until(stage.settled, 120)
    assert_each_stands_there_once(stage, publications)


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
    publications = one_of_each(stage, kinds())
    stage.sandbox.latency(150)
    stage.start_web()
    stage.start_worker()
    publish_due.apply_async(retry=False)
    assert wait_until(lambda: Publication.objects.filter(status=Status.PUBLISHED).count() >= 5, 60)
    connection.close()
    server = Postgres(settings.TEST_FOLDER / "pg", durable=False)
    server.stop()
    server.start()
    restarted.append(server)
    atexit.register(server.stop)
    # A member's post is asked about when the database fell silent around its commit.
    assert stage.beat_until(all_known, 120), list(QueueEntry.objects.values())
    for kind in [kind for kind in publications if not kind.can_be_read]:
        publication = publications.pop(kind)
        asked = QueueEntry.objects.filter(pk=publication.pk, awaits_decision=True).exists()
        found = len(stage.sandbox.feed(publication.account.platform_account_id))
        assert found == 1 or (asked and found == 0)
    assert_each_stands_there_once(stage, publications)


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
