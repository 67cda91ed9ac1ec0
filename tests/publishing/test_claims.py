"""Those who lock several rows of the engine at the same time."""

from __future__ import annotations

import importlib.util
import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from publishing import bulk, claims, compose, schedule
from publishing.models import Publication, QueueEntry, Status
from publishing.states import LostRace
from socialhub.platforms.base import PostType
from tests.factories import make_account, make_post
from tests.load import fill_queue
from tests.stage import wait_until


def somebody_waits_for_a_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchall())


def somebody_sleeps() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        return bool(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_an_edit_and_a_retry_of_the_same_post_do_not_block_each_other_for_good(workspace, owner, monkeypatch):
    accounts = [make_account(workspace), make_account(workspace)]
    post = make_post(workspace, *accounts)
    Publication.objects.update(status=Status.FAILED)
    last = list(post.publications.filter(status=Status.FAILED))[-1]
    real, outcome = schedule.back_to_draft, []

    def retry() -> None:
        try:
            schedule.retry(last, by=owner)
        except Exception as error:  # noqa: BLE001  a deadlock, too
            outcome.append(type(error))
        connection.close()

    other = threading.Thread(target=retry)

    def back_to_draft(publication: Publication, **options: object) -> None:
        real(publication, **options)
        if not other.ident:
            other.start()
            assert wait_until(somebody_waits_for_a_row, 10)

    monkeypatch.setattr(schedule, "back_to_draft", back_to_draft)
    targets = [compose.Target(account, PostType.TEXT) for account in accounts]
    compose.update(post, owner, compose.Composition(caption="Better", targets=targets))
    other.join()
    post.refresh_from_db()
    assert (post.caption, post.status) == ("Better", "draft")
    assert outcome == [LostRace]


@pytest.mark.django_db
def test_the_queue_of_the_bench_is_one_that_can_be_claimed():
    """It is written past the models, so that a new column shows here and not only when somebody measures."""
    fill_queue(2000, accounts=10)
    assert QueueEntry.objects.count() == 2000
    assert len(claims.claim_due(1)) == 1


@pytest.mark.django_db(transaction=True)
def test_what_gets_another_time_while_workers_look_for_work_is_not_taken(workspace, account, owner, monkeypatch):
    """The candidates are found first and locked afterwards; here somebody moves the post between the two."""
    post = make_post(workspace, account)
    schedule.publish_now(post, by=owner)
    slowly = "SELECT found.* FROM ({}) found CROSS JOIN LATERAL (SELECT pg_sleep(0.7 + 0 * found.priority)) asleep"
    monkeypatch.setattr(claims, "OLDEST", slowly.format(claims.OLDEST))
    taken = []

    def work() -> None:
        taken.extend(claims.claim_due(1))
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    assert wait_until(somebody_sleeps, 10)
    schedule.reschedule(post, timezone.now() + timedelta(days=7), by=owner)
    worker.join()
    assert taken == []
    assert post.publications.get().status == Status.SCHEDULED


@pytest.mark.django_db(transaction=True)
def test_deleting_a_draft_and_sending_it_do_not_block_each_other_for_good(workspace, account, owner, monkeypatch):
    post = make_post(workspace, account)
    real, outcome = schedule.move_along, []

    def delete() -> None:
        try:
            outcome.append(bulk.delete_draft(post, by=owner))
        except OperationalError as deadlock:
            outcome.append(deadlock)
        connection.close()

    other = threading.Thread(target=delete)

    def move_along(pks, path, **options):
        list(Publication.objects.select_for_update().filter(pk__in=pks))
        other.start()
        assert wait_until(somebody_waits_for_a_row, 10)
        return real(pks, path, **options)

    monkeypatch.setattr(schedule, "move_along", move_along)
    schedule.schedule(post, timezone.now() + timedelta(days=1), by=owner)
    other.join()
    assert outcome == [bulk.Skipped.NOT_DRAFT]
    post.refresh_from_db()
    assert post.status == "scheduled"


@pytest.mark.django_db(transaction=True)
def test_an_edit_gives_way_to_what_was_sent_while_it_waited(workspace, account, owner):
    """Its queue entry is not in the hands of whoever edits: a worker may hold it, and wait for the publication."""
    post, sent = make_post(workspace, account), threading.Event()

    def send() -> None:
        with transaction.atomic():
            schedule.publish_now(post, by=owner)
            sent.set()
            wait_until(somebody_waits_for_a_row, 10)
        connection.close()

    other = threading.Thread(target=send)
    other.start()
    assert sent.wait(10)
    composition = compose.Composition(caption="Better", targets=[compose.Target(account, PostType.TEXT)])
    with pytest.raises(LostRace):
        compose.update(post, owner, composition)
    other.join()
    assert post.publications.get().status == Status.SCHEDULED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [schedule.cancel, lambda post, by: schedule.reschedule(post, timezone.now(), by=by)])
def test_who_takes_posts_back_takes_all_entries_before_the_first_publication(workspace, owner, act):
    """Row by row it would hold a publication that somebody wants who holds the next entry."""
    post = make_post(workspace, make_account(workspace), make_account(workspace))
    schedule.schedule(post, timezone.now() + timedelta(days=1), by=owner)

    def take_back() -> None:
        act(post, by=owner)
        connection.close()

    other = threading.Thread(target=take_back)
    with transaction.atomic():
        Publication.objects.select_for_update().order_by("pk")[0]
        other.start()
        assert wait_until(somebody_waits_for_a_row, 10)
        free = list(QueueEntry.objects.select_for_update(skip_locked=True))
    other.join()
    assert free == []


def test_two_machines_of_one_name_are_two_workers():
    """In containers both are process 1, and whoever starts a second one may call it like the first."""
    machines = []
    for _ in range(2):
        machine = importlib.util.module_from_spec(claims.__spec__)
        claims.__spec__.loader.exec_module(machine)
        machines.append(machine)
    first, second = (machine.worker_name() for machine in machines)
    assert first.split(":")[:2] == second.split(":")[:2]
    assert first != second


def test_looks_are_counted_apart_from_tries(workspace, account, owner):
    post = make_post(workspace, account)
    schedule.publish_now(post, by=owner)
    QueueEntry.objects.update(attempts=1, looks=2)
    assert [claim.attempt.number for claim in claims.claim_due(1)] == [2]
    Publication.objects.update(status=Status.CHECKING)
    QueueEntry.objects.update(lease_until=None)
    assert [claim.attempt.number for claim in claims.claim_due(1)] == [3]
