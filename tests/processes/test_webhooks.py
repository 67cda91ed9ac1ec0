"""Webhooks with real workers: told soon after a post is out, and told by another when a worker dies in the middle."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import ConnectedAccount, Credential, Workspace
from publishing.models import PublicationEvent, WebhookDelivery
from publishing.schedule import publish_now
from publishing.tasks import send_webhooks
from publishing.webhooks import ends
from tests.factories import make_account, make_post, make_user, workspace_of
from tests.stage import Stage, wait_until
from tests.webhooks.conftest import Got, Receiver, add, make_receiver

__all__ = ["make_receiver"]

pytestmark = pytest.mark.processes


@pytest.fixture
def receiver(make_receiver: Callable[..., Receiver]) -> Receiver:
    return make_receiver()


@pytest.fixture
def stage(transactional_db: None, tmp_path: Path, receiver: Receiver) -> Iterator[Stage]:
    made = Stage(tmp_path, OUTSIDE_ORIGINS=receiver.origin, WEBHOOK_SECONDS="5")
    yield made
    made.stop()


@pytest.fixture
def workspace(stage: Stage) -> Workspace:
    return workspace_of(make_user())


@pytest.fixture
def account(stage: Stage, workspace: Workspace) -> ConnectedAccount:
    (page,) = stage.sandbox.person(pages=1).pages
    made = make_account(workspace, platform_account_id=page.id, name=page.name, token=None)
    Credential.objects.create(account=made, access_token=page.access_token)
    return made


def test_a_receiver_hears_of_a_post_soon_after_it_is_out(
    stage: Stage, workspace: Workspace, account: ConnectedAccount, receiver: Receiver
) -> None:
    ends.send_test(add(workspace, receiver), workspace.memberships.get().user)
    stage.start_worker()
    send_webhooks.apply_async()  # beat's first round: from now on the worker knows that somebody listens
    assert wait_until(lambda: receiver.types == ["test"], 60)
    post = make_post(workspace, account, caption="Told at once")
    publish_now(post, by=None)
    assert wait_until(lambda: "post.published" in receiver.types, 30, every=0.05), receiver.types
    published = post.publications.get().published_at
    assert timezone.now() - published < timedelta(seconds=8), "not at beat's next round"
    assert Counter(receiver.types) == {
        "test": 1,
        "publication.scheduled": 1,
        "publication.queued": 1,
        "publication.publishing": 1,
        "publication.published": 1,
        "post.published": 1,
    }
    (told,) = [got.json["data"] for got in receiver.got if got.json["type"] == "publication.published"]
    assert told["postId"] == str(post.pk)
    assert told["permalink"]


def test_a_worker_that_is_killed_between_the_call_and_the_note_loses_nothing(
    stage: Stage, workspace: Workspace, account: ConnectedAccount, receiver: Receiver
) -> None:
    add(workspace, receiver)
    heard, may_answer = threading.Event(), threading.Event()

    def hold(got: Got) -> int:
        heard.set()
        may_answer.wait(20)
        return 204

    receiver.answer = hold
    worker = stage.start_worker()
    for number in range(5):
        publish_now(make_post(workspace, account, caption=f"Post {number}"), by=None)
    send_webhooks.apply_async()
    assert heard.wait(60)
    time.sleep(0.3)  # for those that are called beside it
    worker.kill()
    worker.wait()
    stage.processes.remove(worker)
    held = [got.id for got in receiver.got]
    assert held
    assert not WebhookDelivery.objects.filter(status="delivered").exists()

    receiver.answer = lambda got: 204
    may_answer.set()
    WebhookDelivery.objects.filter(lease_until__isnull=False).update(lease_until=timezone.now())  # it is over
    stage.start_worker()

    def all_told() -> bool:
        send_webhooks.apply_async()
        rows = WebhookDelivery.objects
        return rows.filter(kind="post.published").count() == 5 and not rows.exclude(status="delivered").exists()

    assert stage.beat_until(all_told, 90)
    calls = Counter(got.id for got in receiver.got)
    assert {message for message, number in calls.items() if number > 1} == set(held), "told twice, with the same id"
    assert max(calls.values()) == 2
    told = {got.json["data"].get("publicationId", "") + got.json["type"] for got in receiver.got}
    events = PublicationEvent.objects.values_list("publication_id", "to_status")
    assert {f"{publication}publication.{status}" for publication, status in events} <= told
