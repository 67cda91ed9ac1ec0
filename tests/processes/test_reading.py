"""Reading figures with real workers: killed in the middle, asked fifty times at once, and beside publishing."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import ConnectedAccount, Credential, Workspace
from analytics.models import AccountSync, InsightWindow
from analytics.tasks import ask_for_sync, sync_accounts, sync_one_account
from publishing.models import Publication, Status
from publishing.schedule import publish_now
from tests.factories import make_account, make_post, make_user, workspace_of
from tests.stage import Stage, wait_until

pytestmark = pytest.mark.processes


@pytest.fixture
def workspace(stage: Stage) -> Workspace:
    return workspace_of(make_user())


def connect(stage: Stage, workspace: Workspace, number: int) -> list[ConnectedAccount]:
    accounts = []
    for page in stage.sandbox.person(pages=number).pages:
        account = make_account(workspace, platform_account_id=page.id, name=page.name, token=None)
        Credential.objects.create(account=account, access_token=page.access_token)
        accounts.append(account)
    return accounts


def calls_of(stage: Stage) -> Counter[str]:
    """What the sandbox was asked for, by edge."""
    return Counter(stage.sandbox.calls())


def is_read(account: ConnectedAccount) -> bool:
    row = AccountSync.objects.filter(account=account).first()
    return bool(row and row.full_at and row.claimed_until is None)


def test_a_worker_that_is_killed_in_the_middle_is_gone_on_for(stage: Stage, workspace: Workspace) -> None:
    (whole,) = connect(stage, workspace, 1)
    stage.start_worker()
    ask_for_sync(whole.pk)
    assert wait_until(lambda: is_read(whole), 60)
    needed = calls_of(stage)
    ConnectedAccount.objects.all().delete()

    stage.sandbox.reset()
    (account,) = connect(stage, workspace, 1)
    stage.sandbox.latency(400)
    ask_for_sync(account.pk)
    row = AccountSync.objects.filter(account=account)
    assert wait_until(lambda: len(row.get().steps_done) >= 2, 60, every=0.02)
    (worker,) = stage.processes
    worker.kill()
    worker.wait()
    killed = row.get()
    assert killed.claimed_until > timezone.now()
    assert killed.finished_at is None
    assert len(killed.steps_done) < killed.steps_total, "it was killed too late for this test"

    stage.processes.remove(worker)
    stage.sandbox.latency(0)
    row.update(claimed_until=timezone.now() - timedelta(seconds=1), next_at=timezone.now())  # the lease is over
    stage.start_worker()
    sync_accounts.apply_async()
    assert wait_until(lambda: is_read(account), 60)
    assert row.get().steps_done[: len(killed.steps_done)] == killed.steps_done
    # At most the part that was being read then is asked for twice.
    extra = sum((calls_of(stage) - needed).values())
    assert extra <= 3, (calls_of(stage), needed)


def test_fifty_messages_read_an_account_once(stage: Stage, workspace: Workspace) -> None:
    accounts = connect(stage, workspace, 3)
    for account in accounts:
        ask_for_sync(account.pk)
    for _ in range(50):
        sync_accounts.apply_async()
        sync_one_account.apply_async((str(accounts[0].pk),))
    for _ in range(2):
        stage.start_worker()
    assert wait_until(lambda: all(is_read(account) for account in accounts), 90)
    calls = stage.sandbox.calls()
    assert not wait_until(lambda: stage.sandbox.calls() != calls, 2, patience=1), "nothing is read again"
    assert InsightWindow.objects.filter(period="hour").count() == 3
    posted = [row.calls for row in AccountSync.objects.all()]
    assert sum(calls.values()) == sum(posted), "each call is counted, and none was made twice"


def test_publishing_does_not_wait_for_readings(stage: Stage, workspace: Workspace) -> None:
    """Forty accounts are due at once, and each call takes a while."""
    accounts = connect(stage, workspace, 40)
    stage.sandbox.latency(250)
    stage.start_web()
    stage.start_worker()
    sync_accounts.apply_async()
    assert wait_until(lambda: AccountSync.objects.filter(claimed_until__isnull=False).count() == 4, 60, every=0.05)
    owner = workspace.memberships.get().user
    began = timezone.now()
    post = make_post(workspace, accounts[-1], caption="In between")
    publish_now(post, by=owner)
    assert wait_until(lambda: Publication.objects.filter(post=post, status=Status.PUBLISHED).exists(), 20, every=0.05)
    assert timezone.now() - began < timedelta(seconds=10)
    assert AccountSync.objects.filter(full_at=None).exists(), "the readings were still going on"
