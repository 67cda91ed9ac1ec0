"""What happened is found in the tables: all of it, each once, and never the secrets of anybody."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.connect import disconnect
from accounts.models import ConnectedAccount, Notification, User, Workspace
from accounts.notify import settle, tell
from accounts.tokens import lost, reconnected
from publishing.models import Publication, PublicationEvent, Status, WebhookDelivery, WebhookEndpoint
from publishing.schedule import cancel, publish_now, retry, schedule
from publishing.states import move
from publishing.webhooks import ends
from publishing.webhooks.events import newest_event, scan
from publishing.webhooks.payloads import KINDS
from socialhub.platforms import errors
from tests.factories import make_account, make_post, make_user, workspace_of
from tests.fakes import FakePlatform
from tests.publishing.conftest import network, run_due
from tests.webhooks.conftest import Receiver, add

__all__ = ["network"]

SECRETS = ("page-token", "EAA")


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, name="Camaro Club", connected_at=timezone.now() - timedelta(days=2))


def kinds(endpoint: WebhookEndpoint | None = None) -> Counter[str]:
    rows = WebhookDelivery.objects.all() if endpoint is None else endpoint.deliveries.all()
    return Counter(rows.values_list("kind", flat=True))


def only(kind: str) -> dict[str, Any]:
    payload: dict[str, Any] = WebhookDelivery.objects.get(kind=kind).payload
    return payload


@pytest.mark.django_db
def test_a_post_is_told_from_its_schedule_to_its_end(
    endpoint: WebhookEndpoint, workspace: Workspace, account: ConnectedAccount, network: FakePlatform
) -> None:
    other = make_account(workspace, connected_at=timezone.now() - timedelta(days=2))
    post = make_post(workspace, account, other, campaign="Spring")
    publish_now(post, by=None)
    run_due()
    scan()
    assert kinds() == {
        "publication.scheduled": 2,
        "publication.queued": 2,
        "publication.publishing": 2,
        "publication.published": 2,
        "post.published": 1,
    }
    publication = post.publications.get(account=account)
    rows = WebhookDelivery.objects.filter(kind="publication.published")
    told = next(row.payload for row in rows if row.payload["data"]["publicationId"] == str(publication.pk))
    assert told["type"] == "publication.published"
    assert told["timestamp"].endswith("Z")
    assert told["id"] in {str(row.pk) for row in rows}
    data = told["data"]
    assert data["postId"] == str(post.pk)
    assert data["platform"] == "facebook"
    assert data["accountId"] == str(account.pk)
    assert (data["accountName"], data["status"], data["previousStatus"]) == ("Camaro Club", "published", "publishing")
    assert data["permalink"] == publication.permalink
    assert data["permalink"]
    assert data["platformPostId"] == publication.platform_post_id
    assert data["url"] == f"http://testserver/posts/{post.pk}/"
    whole = only("post.published")["data"]
    assert whole["status"] == "published"
    assert {one["accountId"] for one in whole["publications"]} == {str(account.pk), str(other.pk)}
    assert scan() == 0, "nothing is told twice"


@pytest.mark.django_db
def test_failures_say_why_in_plain_words(
    endpoint: WebhookEndpoint, workspace: Workspace, account: ConnectedAccount, network: FakePlatform
) -> None:
    network.will("commit", errors.RejectedError("The picture is too wide.", platform_message="(#100) bad ratio"))
    post = make_post(workspace, account)
    publish_now(post, by=None)
    run_due()
    scan()
    data = only("publication.failed")["data"]
    assert data["message"] == "The picture is too wide."
    assert data["errorKind"] == "rejected"
    assert data["platformMessage"] == "(#100) bad ratio"
    assert "post.published" not in kinds()
    publication = post.publications.get()
    retry(publication, by=None)
    scan()
    assert kinds()["publication.scheduled"] == 2


@pytest.mark.django_db
def test_a_post_that_is_taken_back_and_one_whose_answer_got_lost(
    endpoint: WebhookEndpoint, workspace: Workspace, account: ConnectedAccount
) -> None:
    post = make_post(workspace, account)
    schedule(post, timezone.now() + timedelta(days=1), by=None)
    cancel(post, by=None)
    publication = make_post(workspace, account).publications.get()
    for status in (Status.SCHEDULED, Status.QUEUED, Status.PUBLISHING, Status.CHECKING):
        move(publication, status)
    scan()
    assert kinds()["publication.draft"] == 1
    assert only("publication.checking")["data"]["status"] == "checking"
    assert set(kinds()) <= set(KINDS)


@pytest.mark.django_db
def test_accounts_and_their_trouble_are_told(endpoint: WebhookEndpoint, workspace: Workspace) -> None:
    account = make_account(workspace, name="Camaro Club")
    account = ConnectedAccount.objects.select_related("workspace", "credential").get(pk=account.pk)
    lost(account, errors.ReconnectError("The password was changed."))
    scan()
    trouble = only("account.trouble")["data"]
    assert trouble["trouble"] == "reconnect"
    assert trouble["status"] == "expired"
    assert "The password was changed." in trouble["message"]
    reconnected(account)
    scan()
    assert only("account.recovered")["data"]["resolvedAt"]
    disconnect(account)
    scan()
    assert only("account.disconnected")["data"]["status"] == "disconnected"
    assert kinds() == {
        "account.connected": 1,
        "account.trouble": 1,
        "account.recovered": 1,
        "account.disconnected": 1,
    }
    assert scan() == 0


@pytest.mark.django_db
def test_trouble_that_goes_on_or_ends_with_the_account_is_no_recovery(
    endpoint: WebhookEndpoint, workspace: Workspace
) -> None:
    account = make_account(workspace)
    for _turn in range(2):  # a reminder that is said again
        settle(workspace, "expiry:x")
        tell(workspace, Notification.Kind.EXPIRY, "expiry:x", title="Access ends soon", account=account)
    scan()
    assert kinds()["account.trouble"] == 2
    assert "account.recovered" not in kinds()
    settle(workspace, "expiry:x")
    disconnect(account)
    scan()
    assert "account.recovered" not in kinds()


@pytest.mark.django_db
def test_notifications_about_posts_are_no_trouble_of_an_account(
    endpoint: WebhookEndpoint, workspace: Workspace
) -> None:
    account = make_account(workspace)
    tell(workspace, Notification.Kind.PUBLISH_FAILED, "post:1", title="Failed", account=account)
    tell(workspace, Notification.Kind.PUBLISH_FAILED, "account:1:blocked", title="Held back", account=account)
    scan()
    assert kinds()["account.trouble"] == 1


@pytest.mark.django_db
def test_an_endpoint_hears_what_it_asked_for_and_nothing_from_before(
    workspace: Workspace, account: ConnectedAccount, receiver: Receiver
) -> None:
    schedule(make_post(workspace, account), timezone.now() + timedelta(days=1), by=None)
    some = add(workspace, receiver, "publication.draft", "post.published")
    every = add(workspace, receiver)
    paused = add(workspace, receiver)
    ends.pause(paused)
    post = make_post(workspace, account)
    schedule(post, timezone.now() + timedelta(days=1), by=None)
    cancel(post, by=None)
    scan()
    assert kinds(some) == {"publication.draft": 1}
    assert kinds(every) == {"publication.scheduled": 1, "publication.draft": 1}
    assert kinds(paused) == {}


@pytest.mark.django_db
def test_what_happened_during_a_pause_is_sent_or_left_out(
    workspace: Workspace, account: ConnectedAccount, receiver: Receiver
) -> None:
    wants_it, does_not = add(workspace, receiver), add(workspace, receiver)
    for endpoint in (wants_it, does_not):
        ends.pause(endpoint)
    schedule(make_post(workspace, account), timezone.now() + timedelta(days=1), by=None)
    make_account(workspace)
    scan()
    ends.resume(wants_it, with_missed=True)
    ends.resume(does_not, with_missed=False)
    scan()
    assert kinds(wants_it) == {"publication.scheduled": 1, "account.connected": 1}
    assert kinds(does_not) == {}
    make_account(workspace)
    scan()
    assert kinds(does_not) == {"account.connected": 1}


@pytest.mark.django_db
def test_workspaces_hear_nothing_of_each_other(
    endpoint: WebhookEndpoint, stranger: User, receiver: Receiver, account: ConnectedAccount
) -> None:
    theirs = workspace_of(stranger)
    other = add(theirs, receiver)
    schedule(make_post(theirs, make_account(theirs)), timezone.now() + timedelta(days=1), by=None)
    scan()
    assert kinds(endpoint) == {}
    assert kinds(other) == {"publication.scheduled": 1, "account.connected": 1}
    theirs.deleting_at = timezone.now()
    theirs.save()
    make_account(theirs)
    scan()
    assert kinds(other)["account.connected"] == 1, "a workspace that is being deleted tells nothing any more"


@pytest.mark.django_db
def test_no_secret_of_anybody_is_in_a_message(
    endpoint: WebhookEndpoint, workspace: Workspace, account: ConnectedAccount, network: FakePlatform
) -> None:
    network.will(
        "commit", errors.RejectedError("No.", platform_message="Bad access_token=EAABsbCS1iHgBAabcdefghijklmnop")
    )
    publish_now(make_post(workspace, account), by=None)
    run_due()
    lost(ConnectedAccount.objects.select_related("credential").get(), errors.ReconnectError("Gone."))
    scan()
    texts = " ".join(str(payload) for payload in WebhookDelivery.objects.values_list("payload", flat=True))
    assert "account.trouble" in texts
    assert not [secret for secret in SECRETS if secret in texts]


@pytest.mark.django_db
def test_words_are_in_the_language_of_the_workspace(
    endpoint: WebhookEndpoint, workspace: Workspace, account: ConnectedAccount
) -> None:
    workspace.language = "de"
    workspace.save()
    publication = make_post(workspace, account).publications.get()
    move(publication, Status.SCHEDULED, reason="It is due.")
    scan()
    assert only("publication.scheduled")["data"]["message"] == "Er ist fällig."


@pytest.mark.django_db
def test_publishing_makes_no_statement_more_with_a_receiver(
    workspace: Workspace, account: ConnectedAccount, network: FakePlatform, receiver: Receiver
) -> None:
    def statements() -> int:
        publish_now(make_post(workspace, account), by=None)
        with CaptureQueriesContext(connection) as captured:
            run_due()
        return len(captured)

    statements()
    without = statements()
    add(workspace, receiver)
    scan()
    assert statements() == without


@pytest.mark.django_db
def test_a_look_costs_the_same_for_few_and_for_many(
    endpoint: WebhookEndpoint, workspace: Workspace, account: ConnectedAccount
) -> None:
    def statements(posts: int) -> int:
        for _number in range(posts):
            schedule(make_post(workspace, account), timezone.now() + timedelta(days=1), by=None)
        with CaptureQueriesContext(connection) as captured:
            assert scan() == posts
        return len(captured)

    assert statements(1) == statements(60)


# Rows that appear in another order than that of their ids


@pytest.fixture
def outside_account(transactional_db: None) -> ConnectedAccount:
    return make_account(workspace_of(make_user()), connected_at=timezone.now() - timedelta(days=2))


def slow_event(publication: Publication, written: threading.Event, go_on: threading.Event) -> None:
    """Takes a number and is in no hurry to end."""
    try:
        with transaction.atomic():
            PublicationEvent.objects.create(
                publication=publication, from_status="draft", to_status="scheduled", at=timezone.now()
            )
            written.set()
            assert go_on.wait(30)
    finally:
        connection.close()


@pytest.fixture
def slow_writer(outside_account: ConnectedAccount) -> Any:
    publication = make_post(outside_account.workspace, outside_account).publications.get()
    written, go_on = threading.Event(), threading.Event()
    thread = threading.Thread(target=slow_event, args=(publication, written, go_on))

    def end() -> None:
        go_on.set()
        thread.join()

    thread.start()
    assert written.wait(10)
    yield end
    end()


@pytest.mark.django_db(transaction=True)
def test_a_row_that_appears_late_below_others_is_told(
    outside_account: ConnectedAccount,
    make_receiver: Callable[..., Receiver],
    monkeypatch: pytest.MonkeyPatch,
    slow_writer: Callable[[], None],
) -> None:
    monkeypatch.setattr("publishing.webhooks.events.WAIT_SECONDS", 0.2)
    endpoint = add(outside_account.workspace, make_receiver())
    WebhookEndpoint.objects.update(seen_event_id=0)
    quick = make_post(outside_account.workspace, outside_account).publications.get()
    move(quick, Status.SCHEDULED)
    newest, is_whole = newest_event()
    assert not is_whole
    scan()
    assert kinds() == {"publication.scheduled": 1}, "what is there is not held up"
    endpoint.refresh_from_db()
    assert endpoint.seen_event_id < newest, "the place stays"
    slow_writer()
    scan()
    assert kinds() == {"publication.scheduled": 2}
    endpoint.refresh_from_db()
    assert endpoint.seen_event_id == newest
    assert scan() == 0


@pytest.mark.django_db(transaction=True)
def test_a_look_waits_a_moment_for_whoever_is_writing(
    outside_account: ConnectedAccount, make_receiver: Callable[..., Receiver], slow_writer: Callable[[], None]
) -> None:
    add(outside_account.workspace, make_receiver())
    WebhookEndpoint.objects.update(seen_event_id=0)
    move(make_post(outside_account.workspace, outside_account).publications.get(), Status.SCHEDULED)
    threading.Timer(0.3, slow_writer).start()
    scan()
    assert kinds() == {"publication.scheduled": 2}
    assert WebhookEndpoint.objects.get().seen_event_id == max(PublicationEvent.objects.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_looks_at_the_same_time_open_each_delivery_once(
    outside_account: ConnectedAccount, make_receiver: Callable[..., Receiver]
) -> None:
    add(outside_account.workspace, make_receiver())
    for _number in range(30):
        move(make_post(outside_account.workspace, outside_account).publications.get(), Status.SCHEDULED)
    start = threading.Barrier(4)

    def look() -> None:
        try:
            start.wait()
            scan()
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kinds() == {"publication.scheduled": 30}


@pytest.mark.django_db
def test_ten_thousand_events_are_told_in_batches(
    endpoint: WebhookEndpoint, workspace: Workspace, account: ConnectedAccount
) -> None:
    publication = make_post(workspace, account).publications.get()
    PublicationEvent.objects.bulk_create(
        PublicationEvent(publication=publication, from_status="draft", to_status="scheduled", at=timezone.now())
        for _number in range(10_000)
    )
    assert scan() == 10_000
    assert scan() == 0
    assert WebhookDelivery.objects.filter(source__startswith="event:").count() == 10_000
