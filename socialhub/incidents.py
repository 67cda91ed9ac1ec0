"""What is wrong now, for the front page of the admin: counts by index, each with the way to the rows behind it.

Nobody is shown the count of something that they may not look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_celery_beat.models import PeriodicTask

from accounts.models import ConnectedAccount, Notification, OperatorNotice
from publishing.models import FollowUp, Publication, QueueEntry, RateLimitWindow, Status
from socialhub.admin_books import error_word, list_address
from socialhub.health import HEARTBEAT_LIMIT
from socialhub.models import BeatLease, Heartbeat
from socialhub.platforms import LABELS
from socialhub.schedule import PREFIX, rhythm_of, title_of
from socialhub.templatetags.ui import said, when
from socialhub.watch import due

DAY = timedelta(days=1)
LATE = timedelta(minutes=2)  # longer than two rounds of beat
MAIL_LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the rows of an incident, and their list."""

    text: str
    number: int
    address: str


@dataclass(frozen=True, slots=True)
class Incident:
    """tone: danger (somebody must act), warning (look at it). meaning: what it is and who can do something."""

    title: str
    tone: str
    address: str
    meaning: str = ""
    since: SafeString | str = ""
    parts: list[Part] = field(default_factory=list)


def incidents(user: Any) -> list[Incident]:
    """The gravest first."""
    found: list[Incident] = []
    for permission, look in (
        ("socialhub.view_heartbeat", silence),
        ("accounts.view_operatornotice", notices),
        ("publishing.view_queueentry", overdue),
        ("publishing.view_queueentry", decisions),
        ("publishing.view_publication", failures),
        ("accounts.view_connectedaccount", lost_accounts),
        ("publishing.view_queueentry", held),
        ("publishing.view_ratelimitwindow", blocked),
        ("publishing.view_followup", late_follow_ups),
        ("accounts.view_notification", unmailed),
    ):
        if user.has_perm(permission):
            found += look()
    return sorted(found, key=lambda incident: incident.tone != "danger")


def silence() -> Iterator[Incident]:
    age = Heartbeat.age()
    if age is not None and age < HEARTBEAT_LIMIT:
        return
    yield Incident(
        _("Scheduler or workers are silent"),
        "danger",
        list_address("socialhub_heartbeat"),
        _("Nothing is published on time. Look whether beat, a worker and Redis run."),
        when(timezone.now() - age) if age else _("never heard"),
    )


def notices() -> Iterator[Incident]:
    for notice in OperatorNotice.objects.filter(resolved_at=None)[:5]:
        address = list_address("accounts_operatornotice", resolved_at__isempty=1)
        yield Incident(notice.title, "danger", address, notice.body, when(notice.first_seen_at))


def overdue() -> Iterator[Incident]:
    now = timezone.now()
    stale = QueueEntry.objects.filter(lease_until__lt=now - LATE).aggregate(
        number=Count("pk"), first=Min("lease_until")
    )
    if stale["number"]:
        text = ngettext(
            "%d entry is in the hands of a dead worker", "%d entries are in the hands of dead workers", stale["number"]
        )
        yield Incident(
            text % stale["number"],
            "danger",
            list_address("publishing_queueentry", leased="overdue"),
            _("The sweeper takes them back by itself. When this stays, beat or the workers do not run."),
            when(stale["first"]),
        )
    number, first = due(now)
    if first and first < now - LATE:
        text = ngettext("%d entry is due and waits for a worker", "%d entries are due and wait for a worker", number)
        yield Incident(
            text % number,
            "warning",
            list_address("publishing_queueentry", due="now"),
            _(
                "The oldest is later than two minutes. Posts of one account go out one after another, so a backlog of one "
                "account is normal; of many it needs more workers."
            ),
            when(first),
        )


def decisions() -> Iterator[Incident]:
    waiting = QueueEntry.objects.filter(held=True, awaits_decision=True)
    told = waiting.aggregate(number=Count("pk"), first=Min("due_at"))
    if told["number"]:
        text = ngettext("%d publication waits for a decision", "%d publications wait for a decision", told["number"])
        yield Incident(
            text % told["number"],
            "danger",
            list_address("publishing_publication", waits="decision"),
            _("The networks do not say whether they are there. Their people were asked; you can look and decide, too."),
            when(told["first"]),
        )


def failures() -> Iterator[Incident]:
    since = timezone.now() - DAY
    failed = Publication.objects.filter(status=Status.FAILED, updated_at__gte=since)
    groups = list(
        failed.values_list("account__platform", "error_kind").annotate(number=Count("pk")).order_by("-number")
    )
    total = sum(number for _platform, _kind, number in groups)
    if not total:
        return
    parts = [
        Part(
            f"{LABELS.get(platform, platform)}: {error_word(kind) or _('no kind')}",
            number,
            list_address(
                "publishing_publication",
                **{
                    "status__exact": "failed",
                    "changed": "day",
                    "platform": platform,
                    **({"error": kind} if kind else {}),
                },
            ),
        )
        for platform, kind, number in groups
    ]
    text = ngettext("%d publication failed in the last 24 hours", "%d publications failed in the last 24 hours", total)
    address = list_address("publishing_publication", status__exact="failed", changed="day")
    yield Incident(text % total, "danger", address, parts=parts)


def lost_accounts() -> Iterator[Incident]:
    by_status = ConnectedAccount.objects.filter(status__in=("expired", "revoked", "error"))
    groups = list(by_status.values_list("platform", "status").annotate(number=Count("pk")).order_by("-number"))
    total = sum(number for _platform, _status, number in groups)
    if not total:
        return
    labels = dict(ConnectedAccount.Status.choices)
    parts = [
        Part(
            f"{LABELS.get(platform, platform)}: {labels[status]}",
            number,
            list_address("accounts_connectedaccount", platform=platform, status__exact=status),
        )
        for platform, status, number in groups
    ]
    text = ngettext("%d account lost its access", "%d accounts lost their access", total)
    meaning = _(
        "Their people were told, and what is scheduled for them waits. Many at once of one network is trouble there."
    )
    yield Incident(
        text % total, "warning", list_address("accounts_connectedaccount", access="lost"), meaning, parts=parts
    )


def held() -> Iterator[Incident]:
    waiting = QueueEntry.objects.filter(held=True, awaits_decision=False)
    reasons = list(waiting.values_list("wait_reason").annotate(number=Count("pk")).order_by("-number")[:5])
    total = waiting.count() if len(reasons) == 5 else sum(number for _reason, number in reasons)
    if not total:
        return
    address = list_address("publishing_queueentry", held__exact=1, awaits_decision__exact=0)
    parts = [Part(said(reason) or _("no reason"), number, address) for reason, number in reasons]
    text = ngettext("%d entry waits for its account", "%d entries wait for their accounts", total)
    yield Incident(text % total, "warning", address, parts=parts)


def blocked() -> Iterator[Incident]:
    told = RateLimitWindow.objects.filter(call_limit=0, resets_at__gt=timezone.now()).aggregate(
        number=Count("pk"), first=Min("resets_at")
    )
    if told["number"]:
        text = ngettext(
            "%d account is held off by its network", "%d accounts are held off by their networks", told["number"]
        )
        yield Incident(
            text % told["number"],
            "warning",
            list_address("publishing_ratelimitwindow", kind="block"),
            _("Posts wait and go out by themselves; nothing fails."),
            when(told["first"]),
        )


def late_follow_ups() -> Iterator[Incident]:
    late: QuerySet[FollowUp] = FollowUp.objects.filter(done_at=None, due_at__lt=timezone.now() - 5 * LATE)
    told = late.aggregate(number=Count("pk"), first=Min("due_at"))
    if told["number"]:
        text = ngettext("%d look after publishing is late", "%d looks after publishing are late", told["number"])
        address = list_address("publishing_followup", done_at__isempty=1)
        yield Incident(text % told["number"], "warning", address, since=when(told["first"]))


def unmailed() -> Iterator[Incident]:
    now = timezone.now()
    waiting = Notification.objects.filter(
        emailed_at=None, resolved_at=None, created_at__gt=now - 2 * DAY, created_at__lt=now - MAIL_LATE
    )
    if number := waiting.count():
        text = ngettext("%d notification could not be e-mailed", "%d notifications could not be e-mailed", number)
        address = list_address("accounts_notification", emailed_at__isempty=1, resolved_at__isempty=1)
        yield Incident(text % number, "warning", address, _("The mail server does not take them; it is tried again."))


# --- The engine at a glance -----------------------------------------------------------------------------------


def engine(user: Any) -> list[tuple[str, Any, str]]:
    """Name, value and list: what runs and how much waits, also when all is well."""
    lines: list[tuple[str, Any, str]] = []
    if user.has_perm("socialhub.view_heartbeat"):
        seen_at = Heartbeat.objects.values_list("seen_at", flat=True).first()
        lines.append((_("Workers last heard"), when(seen_at), list_address("socialhub_heartbeat")))
    if user.has_perm("socialhub.view_beatlease"):
        lease = BeatLease.objects.first()
        lines.append(
            (_("Leading beat"), lease.owner if lease and lease.owner else "–", list_address("socialhub_beatlease"))
        )
    if user.has_perm("publishing.view_queueentry"):
        now = timezone.now()
        number, first = due(now)
        busy = QueueEntry.objects.filter(lease_until__isnull=False).count()
        lines += [
            (_("Due now"), number, list_address("publishing_queueentry", due="now")),
            (_("Oldest due"), when(first) if first else "–", list_address("publishing_queueentry", due="now")),
            (_("At work"), busy, list_address("publishing_queueentry", leased="yes")),
        ]
    return lines


def jobs(user: Any) -> list[PeriodicTask]:
    """The scheduled jobs with their last run."""
    if not user.has_perm("django_celery_beat.view_periodictask"):
        return []
    found = PeriodicTask.objects.filter(name__startswith=PREFIX).select_related("interval", "crontab").order_by("name")
    rows = list(found)
    for row in rows:
        row.title, row.rhythm = title_of(row), rhythm_of(row)
    return rows
