"""Those who lock several rows of the engine at the same time."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from publishing import claims, compose, schedule
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
