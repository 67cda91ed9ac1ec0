"""What has had its day: tickets, sessions, consents that led nowhere, notifications that are over, answers to programs."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.connect import tidy_grants
from accounts.models import IdempotentAnswer, Notification, OAuthTicket, OperatorNotice

TICKET_DAYS = 30  # as a trail, long after they can be used
NOTIFICATION_DAYS = 90
ANSWER_HOURS = 24  # for which a program may send the same request again
NOTICE_DAYS = 365
STAFF_LOG_DAYS = 730


def tidy_all() -> dict[str, int]:
    """Returns how many rows went, by kind."""
    now = timezone.now()
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    tickets, _kinds = OAuthTicket.objects.filter(expires_at__lt=now - timedelta(days=TICKET_DAYS)).delete()
    notifications, _kinds = Notification.objects.filter(
        resolved_at__isnull=False, created_at__lt=now - timedelta(days=NOTIFICATION_DAYS)
    ).delete()
    grants = tidy_grants(now - timedelta(days=1))
    # Where people see from which machines they are signed in; a session that is over leaves its row there.
    ended = ~Exists(Session.objects.filter(session_key=OuterRef("session_key")))
    machines, _kinds = UserSession.objects.filter(ended, last_seen_at__lt=now - timedelta(days=1)).delete()
    answers, _kinds = IdempotentAnswer.objects.filter(
        created_at__lt=now - timedelta(hours=ANSWER_HOURS), lease_until__lt=now
    ).delete()
    notices, _kinds = OperatorNotice.objects.filter(
        resolved_at__isnull=False, last_seen_at__lt=now - timedelta(days=NOTICE_DAYS)
    ).delete()
    staff_log, _kinds = LogEntry.objects.filter(action_time__lt=now - timedelta(days=STAFF_LOG_DAYS)).delete()
    return {
        "tickets": tickets,
        "notifications": notifications,
        "grants": grants,
        "machines": machines,
        "answers": answers,
        "notices": notices,
        "staff_log": staff_log,
    }
