"""Telling people once: one open row per incident, one e-mail per row."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.language import speaking_to
from accounts.models import ConnectedAccount, Notification, Role, User, Workspace

logger = logging.getLogger(__name__)


def tell(
    workspace: Workspace,
    kind: str,
    incident: str,
    *,
    title: str,
    body: str = "",
    url: str = "",
    account: ConnectedAccount | None = None,
) -> Notification:
    """Note an incident; the same incident again, while it is open, finds the same row and sends no second e-mail.

    kind: of Notification.Kind. incident: what makes it the same trouble ("reconnect:<account id>").
    url: a path of ours where the person can act. Owners and admins get an e-mail after the transaction commits;
    trouble with the mail server is logged, never raised, and tried again by `send_pending`.
    """
    notification, created = Notification.objects.get_or_create(
        workspace=workspace,
        incident=incident,
        resolved_at=None,
        defaults={"kind": kind, "title": title[:200], "body": body, "url": url[:300], "account": account},
    )
    if created:
        transaction.on_commit(lambda: send(notification))
    return notification


def settle(workspace: Workspace, incident: str) -> None:
    """The trouble is over. When it comes back, that is a new incident."""
    Notification.objects.filter(workspace=workspace, incident=incident, resolved_at=None).update(
        resolved_at=timezone.now()
    )


def send(notification: Notification) -> None:
    """E-mail owners and admins who want it, at most once, whoever else tries at the same time."""
    rows = Notification.objects.filter(pk=notification.pk)
    if not rows.filter(emailed_at=None).update(emailed_at=timezone.now()):
        return
    recipients = (
        User.objects.filter(
            is_active=True,
            memberships__workspace=notification.workspace_id,
            memberships__workspace__deleting_at=None,
            memberships__role__in=[Role.OWNER, Role.ADMIN],
        )
        .exclude(unmailed_kinds__contains=[notification.kind])
        .values_list("email", flat=True)
    )
    subject = settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + " ".join(notification.title.split())
    with speaking_to(notification.workspace):  # what it frames is written in that language
        home = _("Workspace: %(name)s") % {"name": notification.workspace.name}
    text = "\n\n".join(
        filter(
            None,
            [
                notification.title,
                notification.body,
                notification.url and settings.PUBLIC_BASE_URL + notification.url,
                home,
            ],
        )
    )
    try:
        # One message each: members need not learn each other's addresses.
        get_connection().send_messages([EmailMessage(subject, text, to=[address]) for address in recipients])
    except OSError:  # smtplib's errors are OSErrors, too
        rows.update(emailed_at=None)
        logger.warning("notification %s could not be e-mailed, it will be tried again", notification.pk, exc_info=True)


def send_pending() -> int:
    """Try again what the mail server did not take. Older than two days is no news any more."""
    waiting = Notification.objects.filter(
        emailed_at=None, resolved_at=None, created_at__gt=timezone.now() - timedelta(days=2)
    ).select_related("workspace")
    for notification in waiting:
        send(notification)
    return len(waiting)
