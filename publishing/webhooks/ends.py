"""The receivers of a workspace: adding and changing them, their secrets, pausing, and sending something again."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from accounts.models import Notification, User, Workspace
from accounts.notify import settle, tell
from publishing.models import PublicationEvent, WebhookDelivery, WebhookEndpoint
from publishing.models.webhooks import webhook_secret
from publishing.webhooks import payloads
from socialhub.outside import Fetch, NotFetched, Why, check_address

MOST_ENDPOINTS = 10
MOST_BY_HAND = 200  # tests and repetitions an hour: no hammer for somebody else's server
OLD_SECRET_KEPT = timedelta(hours=24)
DELIVERIES_KEPT = timedelta(days=30)
BATCH = 500
AHEAD = timedelta(days=365)  # what somebody waits for stands before everything that waits by itself


class Refused(Exception):
    """It cannot be done; the text says why, to people, and the code to programs."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


def why_not(url: str) -> str:
    """Why messages cannot be sent to this address, "" if they can. A name that nobody knows may be known tomorrow."""
    how = Fetch(most_bytes=0, seconds=5, origins=settings.OUTSIDE_ORIGINS)
    try:
        check_address(url, how)
    except NotFetched as error:
        if error.why is Why.PRIVATE:
            return _(
                "This address leads into a private network, where we do not send anything. Use a public one, or ask "
                "whoever runs this server to allow it (OUTSIDE_ORIGINS)."
            )
        if error.why is Why.ADDRESS:
            return _(
                "Messages go to https addresses on the usual port only, without a name and password in them, such as "
                "https://example.com/hooks/socialhub."
            )
    return ""


def add(
    workspace: Workspace, *, url: str, description: str, kinds: Collection[str], by: User | None
) -> WebhookEndpoint:
    """A receiver of what happens from now on. Raises Refused."""
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)  # two at once must not both be the last
        if WebhookEndpoint.objects.filter(workspace=workspace).count() >= MOST_ENDPOINTS:
            raise Refused(
                ngettext(
                    "A workspace can have %(most)d webhook. Delete it to add another.",
                    "A workspace can have %(most)d webhooks. Delete one to add another.",
                    MOST_ENDPOINTS,
                )
                % {"most": MOST_ENDPOINTS},
                "too_many_webhooks",
            )
        return WebhookEndpoint.objects.create(
            workspace=workspace,
            url=url,
            description=description,
            kinds=chosen(kinds),
            created_by=by,
            seen_event_id=_newest(),
            seen_until=timezone.now(),
        )


def change(endpoint: WebhookEndpoint, *, url: str, description: str, kinds: Collection[str]) -> None:
    """What waits goes to the new address, and at once: whoever changes it has mended something."""
    endpoint.url, endpoint.description, endpoint.kinds = url, description, chosen(kinds)
    endpoint.failing_since = endpoint.resting_until = None
    endpoint.save(update_fields=["url", "description", "kinds", "failing_since", "resting_until"])


def chosen(kinds: Collection[str]) -> list[str]:
    """In one order; all of them are none, so that kinds that come later are told, too."""
    known = [kind for kind in payloads.KINDS if kind in kinds]
    return [] if len(known) == len(payloads.KINDS) else known


def roll(endpoint: WebhookEndpoint) -> None:
    """A new secret. The old one signs beside it for a day, so that no message is lost while the receiver changes."""
    row: Any = endpoint
    try:
        row.secret.reveal()
        row.previous_secret, row.previous_until = row.secret, timezone.now() + OLD_SECRET_KEPT
    except InvalidToken:  # its key is gone, so it signs nothing any more
        row.previous_secret = row.previous_until = None
    row.secret = webhook_secret()
    row.save(update_fields=["secret", "previous_secret", "previous_until"])
    endpoint.refresh_from_db()  # sealed again


def secrets_of(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """Those that sign, the newest first. Raises cryptography.fernet.InvalidToken."""
    found = [endpoint.secret.reveal()]
    if endpoint.previous_secret and endpoint.previous_until and endpoint.previous_until > now:
        found.append(endpoint.previous_secret.reveal())
    return found


# Pausing


def pause(endpoint: WebhookEndpoint) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint.pk, paused_at=None).update(paused_at=timezone.now(), pause_reason="")


def give_up(endpoint: WebhookEndpoint, reason: str) -> None:
    """Paused by us: somebody has to look after it, and is told once."""
    now = timezone.now()
    with transaction.atomic():
        paused = WebhookEndpoint.objects.filter(pk=endpoint.pk, paused_at=None).update(
            paused_at=now, pause_reason=reason[:300]
        )
        if paused:
            tell(
                endpoint.workspace,
                Notification.Kind.WEBHOOK,
                incident_of(endpoint),
                title=_("The webhook %(name)s is paused") % {"name": str(endpoint)[:120]},
                body=_("%(reason)s What happens meanwhile is kept. Put it right, then resume it.") % {"reason": reason},
                url=reverse("publishing:webhook", args=[endpoint.pk]),
            )


def resume(endpoint: WebhookEndpoint, *, with_missed: bool) -> None:
    """with_missed: send what waited and what happened during the pause; else go on with what happens from now on."""
    now = timezone.now()
    rows = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    waiting = endpoint.deliveries.filter(status=WebhookDelivery.Status.WAITING)
    with transaction.atomic():
        rows.update(paused_at=None, pause_reason="", failing_since=None, resting_until=None)
        if with_missed:
            waiting.update(not_before=now)
        else:
            rows.update(seen_event_id=_newest(), seen_until=now)
            waiting.update(
                status=WebhookDelivery.Status.FAILED,
                finished_at=now,
                error=gettext_noop("Left out when the webhook was resumed."),
            )
    settle(endpoint.workspace, incident_of(endpoint))


def delete(endpoint: WebhookEndpoint) -> None:
    settle(endpoint.workspace, incident_of(endpoint))
    _drop(endpoint.deliveries.all())
    endpoint.delete()


def incident_of(endpoint: WebhookEndpoint) -> str:
    return f"webhook:{endpoint.pk}"


# Sending by hand


def send_test(endpoint: WebhookEndpoint, by: User) -> WebhookDelivery:
    now = timezone.now()
    pk = uuid.uuid4()
    data = payloads.of_test(endpoint.workspace_id, str(by))
    return _by_hand(
        endpoint,
        WebhookDelivery(
            pk=pk,
            endpoint=endpoint,
            source=f"test:{pk}",
            kind=payloads.TEST,
            payload=payloads.envelope(pk, payloads.TEST, now, data),
            not_before=now - AHEAD,
        ),
    )


def replay(delivery: WebhookDelivery) -> WebhookDelivery:
    """The same message again, with the same id, so that a receiver that has it knows it."""
    pk = uuid.uuid4()
    return _by_hand(
        delivery.endpoint,
        WebhookDelivery(
            pk=pk,
            endpoint=delivery.endpoint,
            source=f"replay:{pk}",
            kind=delivery.kind,
            payload=delivery.payload,
            replays_id=delivery.replays_id or delivery.pk,
            not_before=timezone.now() - AHEAD,
        ),
    )


def _by_hand(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> WebhookDelivery:
    """Somebody wants to see now whether it answers. Raises Refused."""
    if endpoint.paused_at:
        raise Refused(_("This webhook is paused. Resume it, then send."), "paused")
    lately = endpoint.deliveries.filter(created_at__gt=timezone.now() - timedelta(hours=1))
    if lately.filter(Q(kind=payloads.TEST) | Q(replays__isnull=False)).count() >= MOST_BY_HAND:
        raise Refused(
            _("%(most)d messages were sent there by hand within an hour. Go on a little later.")
            % {"most": MOST_BY_HAND},
            "too_many_sent",
        )
    delivery.save(force_insert=True)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(resting_until=None)
    return delivery


def tidy() -> int:
    """Old deliveries go; what is still waiting for a paused receiver, too."""
    return _drop(WebhookDelivery.objects.filter(created_at__lt=timezone.now() - DELIVERIES_KEPT))


def _drop(rows: QuerySet[WebhookDelivery]) -> int:
    """Some at a time: there may be very many, and each brings its message along."""
    dropped = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            WebhookDelivery.objects.filter(replays__in=keys).update(replays=None)
            dropped += WebhookDelivery.objects.filter(pk__in=keys).only("pk").delete()[0]
    return dropped


def _newest() -> int:
    return PublicationEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0
