"""What has had its day: tickets, sessions, consents that led nowhere, notifications that are over."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.utils import timezone

from accounts.connect import tidy_grants
from accounts.models import Notification, OAuthTicket

TICKET_DAYS = 30  # as a trail, long after they can be used
NOTIFICATION_DAYS = 90


def tidy_all() -> dict[str, int]:
    """Returns how many rows went, by kind."""
    now = timezone.now()
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    tickets, _kinds = OAuthTicket.objects.filter(expires_at__lt=now - timedelta(days=TICKET_DAYS)).delete()
    notifications, _kinds = Notification.objects.filter(
        resolved_at__isnull=False, created_at__lt=now - timedelta(days=NOTIFICATION_DAYS)
    ).delete()
    grants = tidy_grants(now - timedelta(days=1))
    return {"tickets": tickets, "notifications": notifications, "grants": grants}
