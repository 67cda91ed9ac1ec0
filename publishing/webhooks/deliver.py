"""Sending what is waiting, a few at a time to each receiver, and trying again for a day where nobody takes it.

Threads only call; everything in the database is done by the one that runs. A receiver that hangs holds up no other: each
has few calls at once, and each call ends after some seconds. Whoever does not answer again and again is asked less often,
with one message at a time, until somebody is told after days. A delivery has a lease; when a worker dies between the call
and the note, the message is sent again with the same `webhook-id`.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.language import speaking_to
from publishing.models import WebhookDelivery, WebhookEndpoint
from publishing.webhooks import ends
from publishing.webhooks.sign import headers_for
from socialhub.outside import Answer, Fetch, NotFetched, Why, post
from socialhub.redaction import redact

logger = logging.getLogger(__name__)

Status = WebhookDelivery.Status

RUN_SECONDS = 12.0  # the task comes every 15
GATHER_SECONDS = 0.01  # several ends make one claim
SHARE = 4  # calls at once to one receiver
SLOW_SECONDS = 1.0
EXCERPT_BYTES = 2000
KEPT_TRIES = 50
GONE = 410  # "do not come again"

# Seconds before the next try; the last goes on until the day is over.
DELAYS = (5, 30, 120, 600, 1800, 3600, 7200, 14_400)
# Between two looks whether a receiver answers again: half of the time since it stopped, within these.
LEAST_REST, MOST_REST = timedelta(seconds=5), timedelta(minutes=30)

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('publishing.webhooks', 0));"
# The oldest due ones of each endpoint, as many as it may have under way: one while it does not answer. Endpoints take
# turns. Heavy ones, which are slow or do not answer, come last and get no more than their part of the threads.
CLAIM = """
    UPDATE publishing_webhookdelivery SET lease_until = %(lease)s
    WHERE id = ANY (ARRAY(
        SELECT ranked.id FROM (
            SELECT due.id, due.is_heavy,
                   row_number() OVER (PARTITION BY due.is_heavy ORDER BY due.turn, due.not_before) AS place
            FROM (
                SELECT waiting.id, waiting.not_before,
                       e.failing_since IS NOT NULL OR e.id = ANY (%(slow)s::uuid[]) AS is_heavy,
                       busy.number + row_number() OVER (PARTITION BY e.id ORDER BY waiting.not_before) AS turn
                FROM publishing_webhookendpoint e
                JOIN accounts_workspace w ON w.id = e.workspace_id AND w.deleting_at IS NULL
                CROSS JOIN LATERAL (
                    SELECT count(*) AS number FROM publishing_webhookdelivery b
                    WHERE b.endpoint_id = e.id AND b.status = 'waiting' AND b.lease_until > %(now)s) busy
                CROSS JOIN LATERAL (
                    SELECT d.id, d.not_before FROM publishing_webhookdelivery d
                    WHERE d.endpoint_id = e.id AND d.status = 'waiting' AND d.not_before <= %(now)s
                      AND (d.lease_until IS NULL OR d.lease_until <= %(now)s)
                    ORDER BY d.not_before
                    LIMIT greatest(0, (CASE WHEN e.failing_since IS NULL THEN %(share)s ELSE 1 END) - busy.number)
                ) waiting
                WHERE e.paused_at IS NULL AND (e.resting_until IS NULL OR e.resting_until <= %(now)s)
                  AND e.id <> ALL (%(too_slow)s::uuid[])) due) ranked
        WHERE NOT ranked.is_heavy OR ranked.place <= %(heavy)s
        ORDER BY ranked.is_heavy, ranked.place LIMIT %(limit)s))
      AND status = 'waiting' AND (lease_until IS NULL OR lease_until <= %(now)s)
    RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Call:
    """What a thread needs to know; nothing of it reads from the database."""

    delivery: WebhookDelivery
    url: str
    body: bytes
    headers: dict[str, str]


# Why nobody answered. Kept in English, and translated where somebody reads it.
WORDS = {
    Why.ADDRESS: gettext_noop("This address is never called: it must be public, and https."),
    Why.PRIVATE: gettext_noop("The address leads into a private network."),
    Why.UNKNOWN: gettext_noop("There is no server of that name."),
    Why.UNREACHABLE: gettext_noop("The receiver did not answer, or broke off."),
    Why.CERTIFICATE: gettext_noop("The receiver’s certificate is not valid."),
    Why.SLOW: gettext_noop("The receiver takes too long."),
}
FAULT = gettext_noop("Something went wrong on our side. Staff can find the details in the log.")


@dataclass(frozen=True, slots=True)
class Result:
    """answer None: nobody answered; error says why, in a sentence, and detail in the words of the machine."""

    answer: Answer | None
    error: str
    seconds: float
    detail: str = ""

    @property
    def is_taken(self) -> bool:
        return self.answer is not None and 200 <= self.answer.status < 300

    @property
    def words(self) -> str:
        return self.error or (f"HTTP {self.answer.status}" if self.answer and not self.is_taken else "")


_stopping = threading.Event()
_seconds: dict[UUID, float] = {}  # of the last call to each endpoint that is slow, as this process saw it


def run(seconds: float = RUN_SECONDS) -> int:
    """Send what is due, for at most `seconds` and the rest of the calls under way; returns how many were called."""
    deadline = time.monotonic() + seconds
    called = 0
    with ThreadPoolExecutor(settings.WEBHOOK_THREADS, thread_name_prefix="webhook") as threads:
        under_way: dict[Future[Result], Call] = {}
        while True:
            left = deadline - time.monotonic()
            if left > 0 and not _stopping.is_set():
                heavy = sum(is_heavy(call.delivery.endpoint) for call in under_way.values())
                for call in claim(settings.WEBHOOK_THREADS - len(under_way), heavy=heavy, left=left):
                    under_way[threads.submit(send, call)] = call
                    called += 1
            if not under_way:
                return called
            wait(under_way, timeout=1, return_when=FIRST_COMPLETED)
            done, _others = wait(under_way, timeout=GATHER_SECONDS)
            for future in done:
                note(under_way.pop(future).delivery, future.result())


def stop() -> None:
    """Claim no more: the process ends."""
    _stopping.set()


def is_heavy(endpoint: WebhookEndpoint) -> bool:
    """Its calls take long, or may: not all threads are for such."""
    return endpoint.pk in _seconds or endpoint.failing_since is not None


def claim(limit: int, *, heavy: int = 0, left: float = RUN_SECONDS) -> list[Call]:
    """Take what is due and put a lease on it.

    heavy: how many calls to heavy endpoints are under way; left: seconds of this run, into which a call should fit, so
    that nobody waits for its end.
    """
    if limit < 1:
        return []
    now = timezone.now()
    lease = now + timedelta(seconds=settings.WEBHOOK_SECONDS + 20)
    values = {
        "now": now,
        "lease": lease,
        "share": SHARE,
        "limit": limit,
        "heavy": max(settings.WEBHOOK_THREADS // 2, 1) - heavy,
        "slow": list(_seconds),
        "too_slow": [pk for pk, took in _seconds.items() if took > left],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK + CLAIM, values)
        cursor.nextset()
        taken = [row[0] for row in cursor.fetchall()]
    if not taken:
        return []
    rows = WebhookDelivery.objects.filter(pk__in=taken, lease_until=lease).select_related("endpoint__workspace")
    return [call for row in rows.order_by("not_before") if (call := prepared(row, now))]


def prepared(delivery: WebhookDelivery, now: datetime) -> Call | None:
    """The request. None, when the endpoint cannot be served any more, which its people are told."""
    endpoint = delivery.endpoint
    body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        secrets = ends.secrets_of(endpoint, now)
    except InvalidToken:
        with speaking_to(endpoint.workspace):
            ends.give_up(
                endpoint,
                _("Its secret cannot be opened any more, because its encryption key is gone. Make a new secret."),
            )
        WebhookDelivery.objects.filter(pk=delivery.pk).update(lease_until=None)
        return None
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "socialhub-webhooks/1",
        **headers_for(delivery.payload["id"], body, secrets, timezone.now()),
    }
    return Call(delivery, endpoint.url, body, headers)


def send(call: Call) -> Result:
    how = Fetch(
        most_bytes=EXCERPT_BYTES,
        seconds=settings.WEBHOOK_SECONDS,
        quiet_seconds=settings.WEBHOOK_SECONDS,
        origins=settings.OUTSIDE_ORIGINS,
    )
    began = time.monotonic()
    try:
        answer = post(call.url, how, body=call.body, headers=call.headers)
    except NotFetched as error:
        words = WORDS.get(error.why, WORDS[Why.UNREACHABLE])
        return Result(None, words, time.monotonic() - began, str(error))
    except Exception:  # the others must be noted
        logger.exception("webhook %s broke its thread's work", call.delivery.pk)
        return Result(None, FAULT, time.monotonic() - began)
    return Result(answer, "", answer.seconds)


def note(delivery: WebhookDelivery, result: Result) -> None:
    """Write down how it went. Changes nothing when the lease was lost, or the delivery is gone."""
    now = timezone.now()
    if result.seconds > SLOW_SECONDS:
        _seconds[delivery.endpoint_id] = result.seconds
    else:
        _seconds.pop(delivery.endpoint_id, None)
    delivery.attempts += 1
    told = {"at": now.isoformat(), "status": result.answer.status if result.answer else None}
    this = {**told, "ms": round(result.seconds * 1000), "error": result.words, "detail": result.detail}
    delivery.tries = [*delivery.tries[:1], *delivery.tries[1:][-KEPT_TRIES + 2 :], this]
    fields: dict[str, Any] = {
        "attempts": delivery.attempts,
        "tries": delivery.tries,
        "response_status": told["status"],
        "response_excerpt": redact(result.answer.excerpt) if result.answer else "",
        "error": result.words[:300],
        "lease_until": None,
    }
    if result.is_taken:
        fields |= {"status": Status.DELIVERED, "finished_at": now}
    elif (again := next_try(delivery, now, result.answer)) is None:
        fields |= {"status": Status.FAILED, "finished_at": now}
    else:
        fields["not_before"] = again
    mine = WebhookDelivery.objects.filter(pk=delivery.pk, status=Status.WAITING, lease_until=delivery.lease_until)
    if not mine.update(**fields):
        return
    if result.is_taken:
        if delivery.endpoint.failing_since:
            answers(delivery.endpoint)
    else:
        logger.info(
            "webhook %s was not taken by endpoint %s: %s",
            delivery.pk,
            delivery.endpoint_id,
            result.detail or result.words,
        )
        with speaking_to(delivery.endpoint.workspace):
            does_not_answer(delivery.endpoint, now, result)


def next_try(delivery: WebhookDelivery, now: datetime, answer: Answer | None) -> datetime | None:
    """None: it was tried for long enough, counted from its own first try."""
    end = datetime.fromisoformat(delivery.tries[0]["at"]) + timedelta(hours=settings.WEBHOOK_RETRY_HOURS)
    if now >= end:
        return None
    delay = DELAYS[min(delivery.attempts, len(DELAYS)) - 1] * random.uniform(1, 1.1)  # noqa: S311  no secret
    if answer and answer.retry_after:
        delay = max(delay, answer.retry_after)
    return min(now + timedelta(seconds=delay), max(end, now))


def answers(endpoint: WebhookEndpoint) -> None:
    """It is well, or well again: what waits goes out at once."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=None, resting_until=None)
    logger.info("endpoint %s answers again", endpoint.pk)


def does_not_answer(endpoint: WebhookEndpoint, now: datetime, result: Result) -> None:
    """The first failure may be the message's own fault: the others go on. From the second on, it is the receiver's."""
    rows = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    why = ""
    if not rows.filter(failing_since=None).update(failing_since=now):
        since = rows.values_list("failing_since", flat=True).first() or now
        rows.update(resting_until=now + min(max((now - since) / 2, LEAST_REST), MOST_REST))
        if now - since >= timedelta(days=settings.WEBHOOK_PAUSE_DAYS):
            why = _("It has taken no message for %(days)d days. Last: %(why)s.")
            why %= {"days": (now - since).days, "why": _(result.words).rstrip(".")}
    if result.answer and result.answer.status == GONE:
        why = _("The receiver answered “410 Gone”: it wants no more messages.")
    if why:
        ends.give_up(endpoint, why)
