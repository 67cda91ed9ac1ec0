"""The dispatcher and its threads, with real threads on a real database."""

from __future__ import annotations

import threading

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from publishing import claims, dispatch, publish
from publishing.claims import lease_end
from publishing.dispatch import Dispatcher, Threads
from publishing.models import Publication, QueueEntry, Status
from tests.factories import make_account
from tests.stage import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def short_idleness(monkeypatch):
    """Threads give their connections back before the test database goes."""
    monkeypatch.setattr(dispatch, "IDLE_SECONDS", 0.1)
    yield
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    assert wait_until(lambda: not one(others), 10), "a thread keeps its connection"


def one(statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def test_all_that_is_due_goes_out_and_run_returns(workspace, network, make_due):
    for _ in range(3):
        account = make_account(workspace)
        make_due(account)
        make_due(account)
    Dispatcher(2).run(horizon=0)
    assert set(Publication.objects.values_list("status", flat=True)) == {Status.PUBLISHED}
    assert sum(map(len, network.feed.values())) == 6


def test_work_that_breaks_costs_no_thread(workspace, network, make_due, monkeypatch):
    for _ in range(2):
        make_due(make_account(workspace))
    done = []

    def run(claim: claims.Claim) -> None:
        done.append(claim)
        connection.close()
        raise RuntimeError("nobody expected this")

    monkeypatch.setattr(publish, "run", run)
    dispatcher = Dispatcher(1)
    thread = threading.Thread(target=lambda: (dispatcher.run(horizon=0), connection.close()), daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert len(done) == 2


def test_a_thread_whose_connection_broke_gets_a_new_one():
    answers = []
    done = threading.Event()

    def work(claim: object) -> None:
        try:
            answers.append(one("SELECT pg_terminate_backend(pg_backend_pid())" if not answers else "SELECT 1"))
        except OperationalError:
            answers.append("broken")
        if len(answers) == 2:
            done.set()

    threads = Threads(1, work)
    threads.submit(None, 1)
    threads.submit(None, 1)
    assert done.wait(10)
    assert answers == ["broken", 1]


def test_what_is_due_and_cannot_be_taken_is_not_asked_for_without_pause(account, network, make_due, monkeypatch):
    """Another process has a publication of the account in its hands."""
    taken, _waiting = make_due(account), make_due(account)
    QueueEntry.objects.filter(pk=taken.pk).update(lease_until=lease_end(), worker="another process")
    asked = []

    def claim_due(limit: int) -> list[claims.Claim]:
        asked.append(timezone.now())
        return []

    monkeypatch.setattr(claims, "claim_due", claim_due)
    Dispatcher(1).run(horizon=1)
    assert len(asked) <= 25
