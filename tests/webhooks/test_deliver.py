"""Messages arrive, proven and whole; whoever does not take them is tried again, holds up nobody, and is told of once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from accounts.models import Notification, User, Workspace
from publishing import tasks
from publishing.models import WebhookDelivery, WebhookEndpoint
from publishing.webhooks import deliver, ends
from publishing.webhooks.events import scan
from publishing.webhooks.sign import headers_for
from tests.factories import make_account, make_user, workspace_of
from tests.webhooks.conftest import Got, Receiver, add, run_for, wait_out

Status = WebhookDelivery.Status


def proves(secret: str, call: Got) -> bool:
    """As a receiver does it, from the specification."""
    signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    is_new = abs(int(call.headers["webhook-timestamp"]) - time.time()) < 300
    given = [one.partition(",")[2] for one in call.headers["webhook-signature"].split() if one.startswith("v1,")]
    return is_new and any(hmac.compare_digest(wanted, one) for one in given)


def waiting(endpoint: WebhookEndpoint, number: int) -> list[WebhookDelivery]:
    """Messages that are due."""
    now = timezone.now()
    return WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            endpoint=endpoint,
            source=f"event:{one}",
            kind="publication.published",
            payload={"id": f"message-{one}", "type": "publication.published", "data": {"number": one}},
            not_before=now,
        )
        for one in range(number)
    )


def only() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


# A message and its proof


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the specification's own test vector."""
    headers = headers_for(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        timezone.datetime.fromtimestamp(1614265330, tz=timezone.get_current_timezone()),
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.django_db
def test_a_message_arrives_with_its_proof(endpoint: WebhookEndpoint, workspace: Workspace, receiver: Receiver) -> None:
    account = make_account(workspace, name="Größe & Café")
    tasks.send_webhooks()
    (got,) = receiver.got
    assert got.path == "/hook"
    assert got.headers["content-type"] == "application/json; charset=utf-8"
    assert got.json["type"] == "account.connected"
    assert got.json["data"]["accountName"] == "Größe & Café"
    assert got.json["data"]["accountId"] == str(account.pk)
    row = only()
    assert got.id == got.json["id"] == str(row.pk)
    assert proves(endpoint.secret.reveal(), got)
    assert (row.status, row.response_status, row.attempts, row.lease_until) == (Status.DELIVERED, 204, 1, None)
    assert row.finished_at
    tasks.send_webhooks()
    assert len(receiver.got) == 1


@pytest.mark.django_db
def test_forged_changed_and_old_messages_prove_nothing(endpoint: WebhookEndpoint, receiver: Receiver) -> None:
    secret = endpoint.secret.reveal()
    waiting(endpoint, 1)
    deliver.run()
    (got,) = receiver.got
    assert proves(secret, got)
    assert not proves("whsec_" + base64.b64encode(b"x" * 32).decode(), got)
    assert not proves(secret, Got(got.path, got.headers, got.body.replace(b"0", b"1")))
    old = headers_for(got.id, got.body, [secret], timezone.now() - timedelta(hours=1))
    for name, value in old.items():
        got.headers.replace_header(name, value)
    assert not proves(secret, got)


@pytest.mark.django_db
def test_a_new_secret_signs_beside_the_old_one_for_a_day(endpoint: WebhookEndpoint, receiver: Receiver) -> None:
    old = endpoint.secret.reveal()
    ends.roll(endpoint)
    new = endpoint.secret.reveal()
    assert new.startswith("whsec_")
    assert new != old
    waiting(endpoint, 1)
    deliver.run()
    assert proves(old, receiver.got[0])
    assert proves(new, receiver.got[0])
    WebhookEndpoint.objects.update(previous_until=timezone.now())
    endpoint.deliveries.all().delete()
    waiting(endpoint, 1)
    deliver.run()
    assert not proves(old, receiver.got[1])
    assert proves(new, receiver.got[1])


@pytest.mark.django_db
def test_every_status_of_success_is_one_and_a_redirect_is_none(
    workspace: Workspace, make_receiver: Callable[..., Receiver]
) -> None:
    statuses = iter([200, 202, 299, 301, 404])
    endpoint = add(workspace, make_receiver(lambda got: next(statuses)))
    for _turn in range(5):
        endpoint.deliveries.all().delete()
        WebhookEndpoint.objects.update(resting_until=None)
        (row,) = waiting(endpoint, 1)
        deliver.run()
        row.refresh_from_db()
        assert (row.status == Status.DELIVERED) is (row.response_status < 300), row.response_status
    assert row.error == "HTTP 404"


# Trying again


@pytest.mark.django_db
def test_who_does_not_take_it_is_tried_again_for_a_day_and_no_longer(
    workspace: Workspace, make_receiver: Callable[..., Receiver]
) -> None:
    receiver = make_receiver(lambda got: 500)
    endpoint = add(workspace, receiver)
    waiting(endpoint, 1)
    deliver.run()
    row = only()
    first_try = timezone.now()
    assert row.status == Status.WAITING
    assert timedelta(seconds=4) < row.not_before - first_try < timedelta(seconds=7)
    assert row.response_excerpt == "told: token=[…]", "what looks like a secret is not kept"
    waits = []
    while row.status == Status.WAITING and len(waits) < 30:
        # Its time passes: everything that was noted is that much older.
        passed = row.not_before - timezone.now() + timedelta(seconds=0.05)
        tries = [{**one, "at": (timezone.datetime.fromisoformat(one["at"]) - passed).isoformat()} for one in row.tries]
        WebhookDelivery.objects.update(not_before=timezone.now() - timedelta(seconds=0.01), tries=tries)
        WebhookEndpoint.objects.update(resting_until=None)
        waits.append(passed)
        assert deliver.run() == 1
        row.refresh_from_db()
    assert row.status == Status.FAILED
    assert row.finished_at
    assert sum(waits, timedelta()) > timedelta(hours=23, minutes=59)
    assert waits[:3] == sorted(waits[:3])
    assert row.attempts == len(receiver.got) == len(row.tries)
    assert 10 < row.attempts < 20
    assert {got.id for got in receiver.got} == {receiver.got[0].id}, "one id, whatever the try"
    assert len({got.headers["webhook-timestamp"] for got in receiver.got}) >= 1


@pytest.mark.django_db
def test_the_receiver_may_say_when_to_come_again(endpoint: WebhookEndpoint) -> None:
    (row,) = waiting(endpoint, 1)
    row.tries, row.attempts = [{"at": timezone.now().isoformat()}], 1
    answer = deliver.Answer(429, "", 0.1, retry_after=900)
    again = deliver.next_try(row, timezone.now(), answer)
    assert again
    assert again - timezone.now() > timedelta(seconds=890)


@pytest.mark.django_db
def test_nobody_there_is_no_answer(workspace: Workspace, make_receiver: Callable[..., Receiver]) -> None:
    receiver = make_receiver()
    endpoint = add(workspace, receiver)
    receiver.server.server_close()
    waiting(endpoint, 1)
    deliver.run()
    row = only()
    assert (row.status, row.response_status, row.attempts) == (Status.WAITING, None, 1)
    assert row.error == "The receiver did not answer, or broke off."
    assert row.tries[-1]["detail"].startswith("no answer")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://169.254.169.254/latest/", "https://localhost/", "https://[::1]/"]
)
def test_an_address_that_leads_inside_is_never_called(endpoint: WebhookEndpoint, url: str) -> None:
    """It may have been public when it was typed in."""
    WebhookEndpoint.objects.update(url=url)
    waiting(endpoint, 1)
    deliver.run()
    row = only()
    assert (row.status, row.response_status) == (Status.WAITING, None)
    assert row.error


@pytest.mark.django_db
def test_one_message_that_is_refused_does_not_hold_up_the_others(
    workspace: Workspace, make_receiver: Callable[..., Receiver]
) -> None:
    receiver = make_receiver(lambda got: 500 if got.id == "message-3" else 204)
    waiting(add(workspace, receiver), 40)
    deliver.run()
    assert Counter(WebhookDelivery.objects.values_list("status", flat=True)) == {"delivered": 39, "waiting": 1}
    assert WebhookEndpoint.objects.get().failing_since is None


@pytest.mark.django_db
def test_a_receiver_that_is_down_is_asked_with_one_message_at_a_time(
    workspace: Workspace, make_receiver: Callable[..., Receiver]
) -> None:
    is_down = True
    receiver = make_receiver(lambda got: 503 if is_down else 204)
    endpoint = add(workspace, receiver)
    waiting(endpoint, 500)
    deliver.run()
    endpoint.refresh_from_db()
    assert endpoint.failing_since
    assert endpoint.resting_until > timezone.now()
    assert len(receiver.got) <= deliver.SHARE + 1
    asked = len(receiver.got)
    deliver.run()
    assert len(receiver.got) == asked, "it rests"
    WebhookEndpoint.objects.update(resting_until=timezone.now(), failing_since=timezone.now() - timedelta(hours=1))
    deliver.run()
    assert len(receiver.got) == asked + 1
    endpoint.refresh_from_db()
    assert timedelta(minutes=25) < endpoint.resting_until - timezone.now() <= timedelta(minutes=30)
    is_down = False
    wait_out()
    run_for(30)
    assert not WebhookDelivery.objects.exclude(status=Status.DELIVERED).exists()
    assert set(
        Counter(got.id for got in receiver.got if got.id not in {g.id for g in receiver.got[: asked + 1]}).values()
    ) == {1}
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.resting_until) == (None, None)


@pytest.fixture
def _unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of how slow receivers are."""
    monkeypatch.setattr(deliver, "_seconds", {})


@pytest.mark.django_db
@pytest.mark.usefixtures("_unknown")
def test_slow_receivers_hold_up_no_other(workspace: Workspace, make_receiver: Callable[..., Receiver]) -> None:
    def dawdle(got: Got) -> int:
        time.sleep(1.5)
        return 204

    slow = [make_receiver(dawdle) for _number in range(3)]
    for one in slow:
        waiting(add(workspace, one), 20)
    deliver.run(0.1)  # by this they are known
    quick = make_receiver()
    waiting(add(workspace, quick), 100)
    began = time.monotonic()
    finished: list[float] = []

    def note_time(got: Got) -> int:
        finished.append(time.monotonic() - began)
        return 204

    quick.answer = note_time
    run_for(4)
    assert len(quick.got) == 100
    assert max(finished) < 3, "while the others were still dawdling"
    assert max(one.most_at_once for one in slow) <= deliver.SHARE
    assert all(len(one.got) > 2 for one in slow), "they have their turns, too"


@pytest.mark.django_db
@pytest.mark.usefixtures("_unknown")
def test_nobody_waits_for_the_end_of_a_call_that_does_not_fit_into_the_run(endpoint: WebhookEndpoint) -> None:
    waiting(endpoint, 1)
    deliver._seconds[endpoint.pk] = 9.5
    assert deliver.claim(8, left=5) == []
    assert len(deliver.claim(8, left=12)) == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("_unknown")
def test_half_of_the_threads_at_most_are_for_those_that_do_not_answer(
    workspace: Workspace, receiver: Receiver, settings: Any
) -> None:
    settings.WEBHOOK_THREADS = 8
    for _number in range(7):
        waiting(add(workspace, receiver), 2)
    WebhookEndpoint.objects.update(failing_since=timezone.now())
    well = add(workspace, receiver)
    rows = waiting(well, 2)
    WebhookDelivery.objects.filter(pk__in=[row.pk for row in rows]).update(not_before=timezone.now())
    calls = deliver.claim(8)
    assert [call.delivery.endpoint_id for call in calls].count(well.pk) == 2
    assert len(calls) == 6
    assert len(deliver.claim(2, heavy=4)) == 0
    assert len(deliver.claim(2, heavy=3)) == 1


@pytest.mark.django_db
def test_an_answer_that_never_ends_is_cut_off(
    workspace: Workspace, make_receiver: Callable[..., Receiver], settings: Any
) -> None:
    settings.WEBHOOK_SECONDS = 0.5
    go_on = threading.Event()
    receiver = make_receiver(lambda got: 204 if go_on.wait(20) else 500)
    waiting(add(workspace, receiver), 1)
    try:
        began = time.monotonic()
        deliver.run()
        assert time.monotonic() - began < 5
    finally:
        go_on.set()
    assert only().error == "The receiver takes too long."


# Pausing


@pytest.mark.django_db
def test_after_days_without_an_answer_it_is_paused_and_somebody_told_once(
    workspace: Workspace, owner: User, make_receiver: Callable[..., Receiver], django_capture_on_commit_callbacks: Any
) -> None:
    answer = 500
    receiver = make_receiver(lambda got: answer)
    endpoint = add(workspace, receiver)
    waiting(endpoint, 3)
    deliver.run()
    wait_out()
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=2, hours=23))
    deliver.run()
    assert not WebhookEndpoint.objects.get().paused_at
    wait_out()
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=3, hours=1))
    with django_capture_on_commit_callbacks(execute=True):
        deliver.run()
    endpoint.refresh_from_db()
    assert endpoint.paused_at
    assert endpoint.pause_reason == "It has taken no message for 3 days. Last: HTTP 500."
    notification = Notification.objects.get(kind="webhook")
    assert notification.url == f"/settings/webhooks/{endpoint.pk}/"
    assert [message.to for message in mail.outbox] == [[owner.email]]
    asked = len(receiver.got)
    make_account(workspace)
    wait_out()
    tasks.send_webhooks()
    assert len(receiver.got) == asked
    answer = 204
    ends.resume(endpoint, with_missed=True)
    tasks.send_webhooks()
    assert len(receiver.got) == asked + 4, "what waited, and what happened meanwhile"
    notification.refresh_from_db()
    assert notification.resolved_at


@pytest.mark.django_db
def test_gone_means_gone(workspace: Workspace, make_receiver: Callable[..., Receiver]) -> None:
    endpoint = add(workspace, make_receiver(lambda got: 410))
    waiting(endpoint, 1)
    deliver.run()
    endpoint.refresh_from_db()
    assert endpoint.paused_at
    assert "410" in endpoint.pause_reason
    assert Notification.objects.filter(kind="webhook").exists()


@pytest.mark.django_db
def test_a_secret_that_nobody_can_open_any_more_pauses_only_its_own(
    workspace: Workspace, make_receiver: Callable[..., Receiver]
) -> None:
    receiver = make_receiver()
    broken, well = add(workspace, receiver), add(workspace, receiver)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE publishing_webhookendpoint SET secret = %s WHERE id = %s", [b"of another key", broken.pk]
        )
    waiting(broken, 2)
    waiting(well, 2)
    deliver.run()
    assert len(receiver.got) == 2
    broken.refresh_from_db()
    assert broken.paused_at
    ends.roll(broken)
    ends.resume(broken, with_missed=True)
    deliver.run()
    assert len(receiver.got) == 4


@pytest.mark.django_db
def test_what_was_left_out_is_marked_so(endpoint: WebhookEndpoint, receiver: Receiver) -> None:
    waiting(endpoint, 2)
    ends.pause(endpoint)
    deliver.run()
    assert not receiver.got
    ends.resume(endpoint, with_missed=False)
    deliver.run()
    assert not receiver.got
    assert set(WebhookDelivery.objects.values_list("status", "error")) == {
        ("failed", "Left out when the webhook was resumed.")
    }


# By hand


@pytest.mark.django_db
def test_a_replay_is_the_same_message_with_the_same_id(endpoint: WebhookEndpoint, receiver: Receiver) -> None:
    (first,) = waiting(endpoint, 1)
    deliver.run()
    again = ends.replay(first)
    third = ends.replay(again)
    deliver.run()
    assert len(receiver.got) == 3
    assert len({(got.id, got.body) for got in receiver.got}) == 1
    assert again.replays_id == third.replays_id == first.pk


@pytest.mark.django_db
def test_a_test_goes_before_everything_that_waits_also_to_one_that_does_not_answer(
    workspace: Workspace, owner: User, make_receiver: Callable[..., Receiver]
) -> None:
    receiver = make_receiver(lambda got: 500)
    endpoint = add(workspace, receiver)
    waiting(endpoint, 20)
    deliver.run()
    asked = len(receiver.got)
    endpoint.refresh_from_db()
    assert endpoint.resting_until
    ends.send_test(endpoint, owner)
    deliver.run()
    assert receiver.types[asked:] == ["test"]
    assert "This is a test" in receiver.got[-1].json["data"]["message"]


@pytest.mark.django_db
def test_nobody_hammers_somebody_elses_server_by_hand(
    endpoint: WebhookEndpoint, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ends, "MOST_BY_HAND", 3)
    first = ends.send_test(endpoint, owner)
    ends.replay(first)
    ends.send_test(endpoint, owner)
    for send in (lambda: ends.send_test(endpoint, owner), lambda: ends.replay(first)):
        with pytest.raises(ends.Refused, match="Go on a little later"):
            send()
    WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(hours=1))
    ends.send_test(endpoint, owner)


@pytest.mark.django_db
def test_old_deliveries_go(endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "BATCH", 2)
    rows = waiting(endpoint, 8)
    again = ends.replay(rows[0])
    old = WebhookDelivery.objects.filter(pk__in=[row.pk for row in rows[:5]])
    old.update(created_at=timezone.now() - timedelta(days=31))
    tasks.tidy()
    assert WebhookDelivery.objects.count() == 4
    again.refresh_from_db()
    assert again.replays_id is None
    assert again.payload["id"] == "message-0"


# Dying, and several at once


@pytest.mark.django_db
def test_a_worker_that_dies_between_the_call_and_the_note_tells_it_again_with_the_same_id(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    (row,) = waiting(endpoint, 1)
    (call,) = deliver.claim(8)
    deliver.send(call)  # and then it dies
    assert deliver.run() == 0, "as long as its lease lasts, nobody else has it"
    WebhookDelivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    deliver.run()
    assert [got.id for got in receiver.got] == ["message-0"] * 2
    row.refresh_from_db()
    assert (row.status, row.attempts) == (Status.DELIVERED, 1)


@pytest.mark.django_db
def test_whoever_has_lost_the_lease_notes_nothing(endpoint: WebhookEndpoint) -> None:
    waiting(endpoint, 1)
    (call,) = deliver.claim(8)
    WebhookDelivery.objects.update(lease_until=timezone.now() + timedelta(seconds=100))
    deliver.note(call.delivery, deliver.Result(None, "no answer", 1.0))
    assert only().attempts == 0
    assert WebhookEndpoint.objects.get().failing_since is None


@pytest.mark.django_db(transaction=True)
def test_four_at_once_send_each_message_once(make_receiver: Callable[..., Receiver]) -> None:
    receiver = make_receiver()
    workspace = workspace_of(make_user())
    for _number in range(3):
        waiting(add(workspace, receiver), 60)
    start = threading.Barrier(4)

    def work() -> None:
        try:
            start.wait()
            deliver.run()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.got) == 180
    assert set(WebhookDelivery.objects.values_list("status", "attempts")) == {("delivered", 1)}


@pytest.mark.django_db
def test_thousands_of_messages_arrive_each_once(endpoint: WebhookEndpoint, receiver: Receiver, settings: Any) -> None:
    waiting(endpoint, 3000)
    began = time.monotonic()
    assert run_for(200) == 3000
    assert len({got.id for got in receiver.got}) == len(receiver.got) == 3000
    assert receiver.most_at_once <= deliver.SHARE
    assert scan() == 0
    assert time.monotonic() - began < 200
