"""Finding out what happened since the last look, and opening a delivery for each receiver that wants to hear of it.

Nothing is written for receivers where it happens: publishing pays nothing for them. The tables are the outbox. Changes of
status are rows with growing ids, and a row with a lower id may appear after one with a higher, when its transaction takes
longer. So the place up to which an endpoint has been told everything moves on only when everybody has ended who was
writing such rows while the newest of them was read. What is found twice is told once: `(endpoint, source)` is unique.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.language import speaking_to
from accounts.models import ConnectedAccount, Notification
from publishing.models import Post, Publication, PublicationEvent, Status, WebhookDelivery, WebhookEndpoint
from publishing.webhooks import payloads
from publishing.webhooks.wake import listening

logger = logging.getLogger(__name__)

BATCH = 500
WAIT_SECONDS = 3.0
# Rows about accounts carry no growing number. They are few, so an hour of them is looked at again: for long transactions
# and for clocks that differ.
OVERLAP = timedelta(hours=1)

TROUBLE = (
    Notification.Kind.RECONNECT,
    Notification.Kind.EXPIRY,
    Notification.Kind.QUOTA,
    Notification.Kind.INSIGHTS,
)
# Whoever writes into a table holds this lock on it until the transaction ends, and has taken it before the first row
# got its number. It hinders nobody and nobody waits for it.
WRITERS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND relation = 'publishing_publicationevent'::regclass
"""


class Happened(NamedTuple):
    """source: what makes it the same, once for each endpoint."""

    source: str
    kind: str
    at: datetime
    data: dict[str, Any]


def scan() -> int:
    """Open the deliveries of what happened since the last look; returns how many."""
    endpoints = list(
        WebhookEndpoint.objects.filter(paused_at=None, workspace__deleting_at=None)
        .select_related("workspace")
        .defer("secret", "previous_secret")
        .order_by("seen_event_id")
    )
    listening.workspaces = frozenset(endpoint.workspace_id for endpoint in endpoints)
    if not endpoints:
        return 0
    now = timezone.now()
    newest, is_whole = newest_event()
    opened = 0
    for seen, group in groupby(endpoints, key=lambda endpoint: endpoint.seen_event_id):
        opened += _events_since(seen, newest, list(group), keep_place=is_whole)
    opened += _accounts_since(endpoints, now)
    return opened


def newest_event() -> tuple[int, bool]:
    """The highest id that is to be seen, and whether all rows below it are."""
    newest = PublicationEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0
    deadline = time.monotonic() + WAIT_SECONDS
    writing = _writers()
    while writing and time.monotonic() < deadline:
        time.sleep(0.02)
        writing &= _writers()
    return newest, not writing


def _writers() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(WRITERS)
        return {row[0] for row in cursor.fetchall()}


# Publications


def _events_since(seen: int, newest: int, endpoints: list[WebhookEndpoint], *, keep_place: bool) -> int:
    """For endpoints that stand at the same place. keep_place: it is certain that nothing below `newest` comes later."""
    opened = 0
    while seen < newest:
        events = list(
            PublicationEvent.objects.filter(
                pk__gt=seen,
                pk__lte=newest,
                publication__post__workspace__in={endpoint.workspace_id for endpoint in endpoints},
            )
            .select_related("publication__post", "publication__account")
            .order_by("pk")[:BATCH]
        )
        whole = _whole_posts(events)
        for endpoint in endpoints:
            with speaking_to(endpoint.workspace):
                own = [event for event in events if event.publication.post.workspace_id == endpoint.workspace_id]
                opened += open_deliveries(endpoint, _told_of(own, whole))
        seen = events[-1].pk if len(events) == BATCH else newest
        if keep_place:
            keys = [endpoint.pk for endpoint in endpoints]
            WebhookEndpoint.objects.filter(pk__in=keys, seen_event_id__lt=seen).update(seen_event_id=seen)
    return opened


def _told_of(events: Iterable[PublicationEvent], whole: dict[uuid.UUID, list[Publication]]) -> Iterator[Happened]:
    for event in events:
        yield Happened(f"event:{event.pk}", f"publication.{event.to_status}", event.at, payloads.of_event(event))
        post = event.publication.post
        if event.to_status == Status.PUBLISHED and post.pk in whole:
            data = payloads.of_post(post, whole[post.pk])
            yield Happened(f"post:{post.pk}:published", "post.published", event.at, data)


def _whole_posts(events: Iterable[PublicationEvent]) -> dict[uuid.UUID, list[Publication]]:
    """The publications of those posts among them that are out everywhere."""
    wanted = {
        event.publication.post_id
        for event in events
        if event.to_status == Status.PUBLISHED and event.publication.post.status == Post.Summary.PUBLISHED
    }
    found: dict[uuid.UUID, list[Publication]] = {}
    if wanted:
        rows = Publication.objects.filter(post__in=wanted).select_related("account").order_by("account__platform", "pk")
        for publication in rows:
            found.setdefault(publication.post_id, []).append(publication)
    return found


# Accounts


def _accounts_since(endpoints: list[WebhookEndpoint], now: datetime) -> int:
    since = min(endpoint.seen_until for endpoint in endpoints)
    workspaces = {endpoint.workspace_id for endpoint in endpoints}
    accounts = list(
        ConnectedAccount.objects.filter(
            Q(connected_at__gt=since) | Q(disconnected_at__gt=since), workspace__in=workspaces
        )
    )
    notifications = list(
        Notification.objects.filter(
            Q(created_at__gt=since) | Q(resolved_at__gt=since),
            Q(kind__in=TROUBLE) | Q(incident__startswith="account:"),
            workspace__in=workspaces,
            account__isnull=False,
        ).select_related("account")
    )
    open_again = set(
        Notification.objects.filter(
            workspace__in=workspaces,
            resolved_at=None,
            incident__in=[notification.incident for notification in notifications],
        ).values_list("workspace_id", "incident")
    )
    opened = 0
    for endpoint in endpoints:
        with speaking_to(endpoint.workspace):
            happened = [
                *_connections(endpoint, accounts),
                *_troubles(endpoint, notifications, open_again),
            ]
            opened += open_deliveries(endpoint, [one for one in happened if one.at > endpoint.seen_until])
        if now - OVERLAP > endpoint.seen_until:
            WebhookEndpoint.objects.filter(pk=endpoint.pk, seen_until=endpoint.seen_until).update(
                seen_until=now - OVERLAP
            )
    return opened


def _connections(endpoint: WebhookEndpoint, accounts: Iterable[ConnectedAccount]) -> Iterator[Happened]:
    for account in accounts:
        if account.workspace_id != endpoint.workspace_id:
            continue
        for kind, at, message in (
            ("connected", account.connected_at, _("The account is connected.")),
            ("disconnected", account.disconnected_at, _("The account was disconnected. Its history stays.")),
        ):
            if at:
                source = f"account:{account.pk}:{kind}:{at.timestamp():.6f}"
                yield Happened(source, f"account.{kind}", at, payloads.of_account(account, message))


def _troubles(
    endpoint: WebhookEndpoint, notifications: Iterable[Notification], open_again: set[tuple[uuid.UUID, str]]
) -> Iterator[Happened]:
    for notification in notifications:
        account = notification.account
        if account is None or notification.workspace_id != endpoint.workspace_id:
            continue
        source = f"notification:{notification.pk}"
        data = payloads.of_trouble(notification, account, is_over=False)
        yield Happened(f"{source}:opened", "account.trouble", notification.created_at, data)
        goes_on = (notification.workspace_id, notification.incident) in open_again
        if notification.resolved_at and not goes_on and account.status == ConnectedAccount.Status.CONNECTED:
            data = payloads.of_trouble(notification, account, is_over=True)
            yield Happened(f"{source}:resolved", "account.recovered", notification.resolved_at, data)


# Deliveries


def open_deliveries(endpoint: WebhookEndpoint, happened: Iterable[Happened]) -> int:
    """Those that this endpoint wants and does not have yet. They are sent in no promised order."""
    now = timezone.now()
    wanted = [one for one in happened if not endpoint.kinds or one.kind in endpoint.kinds]
    known = set(
        WebhookDelivery.objects.filter(endpoint=endpoint, source__in=[one.source for one in wanted]).values_list(
            "source", flat=True
        )
    )
    rows = [made(endpoint, one, now) for one in wanted if one.source not in known]
    WebhookDelivery.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
    return len(rows)


def made(endpoint: WebhookEndpoint, one: Happened, now: datetime) -> WebhookDelivery:
    """A delivery that is due at once; its id is that of the message, also when it is sent again."""
    pk = uuid.uuid4()
    return WebhookDelivery(
        pk=pk,
        endpoint=endpoint,
        source=one.source,
        kind=one.kind,
        payload=payloads.envelope(pk, one.kind, one.at, one.data),
        not_before=now,
    )
