from __future__ import annotations

import pytest
from kombu.exceptions import OperationalError

from analytics import sync, tasks
from analytics.ingest import posts as ingest_posts
from analytics.models import AccountSync, PlatformPost
from publishing.tasks import publish_due
from socialhub.celery import app
from socialhub.platforms.base import Profile
from tests.analytics.rows import make_published
from tests.factories import make_account
from tests.fakes import FakePlatform

pytestmark = pytest.mark.django_db


@pytest.fixture
def fake(monkeypatch):
    fake = FakePlatform()
    for module in (sync, ingest_posts):
        monkeypatch.setattr(module, "client_of", lambda account: fake)
    return fake


@pytest.fixture
def at_once():
    """Tasks run where they are sent from."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def test_the_names_are_those_of_the_schedule():
    for name in ("sync_accounts", "sync_due", "sync_one_account"):
        assert getattr(tasks, name).name == f"analytics.tasks.{name}"


def test_the_minute_reads_every_account_although_one_fails(workspace, fake, at_once):
    accounts = [make_account(workspace) for _ in range(3)]
    for account in accounts:
        fake.profiles[account.platform_account_id] = Profile(followers_count=5)
    fake.will("read_account", RuntimeError("boom"))
    tasks.sync_accounts.delay()
    assert sorted(row.followers_count or 0 for row in workspace.accounts.all()) == [0, 5, 5]
    assert not AccountSync.objects.filter(claimed_until__isnull=False).exists()


def test_the_minute_adopts_what_was_published(workspace, fake, at_once):
    make_published(make_account(workspace))
    tasks.sync_due.delay()
    assert PlatformPost.objects.count() == 1


def test_sync_now_reads_everything(workspace, fake, at_once):
    account = make_account(workspace)
    assert tasks.ask_for_sync(account.pk)
    assert len(fake.called("recent_posts")) == 1
    tasks.sync_one_account.delay(str(account.pk))
    assert len(fake.called("recent_posts")) == 1, "the same message came twice"


def test_what_reads_stands_behind_what_publishes(workspace, monkeypatch):
    """In the broker 0 comes first, which is what publishing has."""
    sent = []

    def send(producer, name, message, **options):
        sent.append((name.rpartition(".")[2], options.get("priority"), bool(message.headers["expires"])))

    monkeypatch.setattr(app.amqp, "send_task_message", send)
    tasks.ask_for_sync(make_account(workspace).pk)
    publish_due.apply_async()
    assert sent == [("sync_one_account", 9, True), ("publish_due", None, False)]


def test_a_broker_that_is_down_is_no_crash_and_forgets_nothing(workspace, fake, monkeypatch):
    def refuse(*args, **kwargs):
        raise OperationalError("connection refused")

    account = make_account(workspace)
    monkeypatch.setattr(tasks.sync_one_account, "apply_async", refuse)
    assert tasks.ask_for_sync(account.pk) is False
    tasks.sync_accounts()
    assert len(fake.called("recent_posts")) == 1
