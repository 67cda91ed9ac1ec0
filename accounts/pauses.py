"""The switch that stops publishing at once: for one account or for a whole workspace, with a reason and, if wished, an end.

What is due meanwhile waits and goes out by its late policy. The engine asks `reason_to_wait` before it begins and once
more in the statement that announces a post, so that nothing begins after the switch was pressed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ConnectedAccount, User, Workspace
from accounts.wake import PUBLISHING, wake

Pausable = ConnectedAccount | Workspace
NOT_PAUSED: dict[str, object] = {"paused_at": None, "paused_until": None, "pause_reason": "", "paused_by": None}


def pause(subject: Pausable, *, by: User | None, reason: str = "", until: datetime | None = None) -> None:
    """until: aware, in the future; None: until somebody resumes."""
    write(
        subject,
        {"paused_at": timezone.now(), "paused_until": until, "pause_reason": reason[:200], "paused_by": by},
    )


def resume(subject: Pausable) -> None:
    write(subject, NOT_PAUSED)
    transaction.on_commit(lambda: wake(PUBLISHING))


def write(subject: Pausable, fields: dict[str, object]) -> None:
    """Of a workspace that is being deleted nothing goes out, whatever anybody presses, and nothing when it is brought back."""
    if isinstance(subject, Workspace):
        written = Workspace.objects.filter(pk=subject.pk, deleting_at=None).update(**fields)
    else:
        written = ConnectedAccount.objects.filter(pk=subject.pk).update(**fields)
    if not written:
        return
    for name, value in fields.items():
        setattr(subject, name, value)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What has not gone out of a workspace yet: how much, and what would be the next."""

    number: int = 0
    next_at: datetime | None = None
    next_text: str = ""
    next_account: str = ""
    next_platform: str = ""


def waiting_in(workspace: Workspace) -> Waiting:
    """By the names of the relations: imports go the other way."""
    waiting = ConnectedAccount.objects.filter(
        workspace=workspace, publications__status__in=("scheduled", "queued"), publications__queue_entry__isnull=False
    ).order_by("publications__queue_entry__due_at", "pk")
    soonest = waiting.values_list(
        "publications__queue_entry__due_at", "publications__post__caption", "name", "platform"
    ).first()
    return Waiting(waiting.count(), *soonest) if soonest else Waiting()


def lift_ended() -> int:
    """Pauses whose end has come; returns how many."""
    ended = Q(paused_at__isnull=False, paused_until__lte=timezone.now())
    accounts = ConnectedAccount.objects.filter(ended).update(**NOT_PAUSED)
    return accounts + Workspace.objects.filter(ended, deleting_at=None).update(**NOT_PAUSED)


def reason_to_wait(account: ConnectedAccount) -> str:
    """Why nothing may go out to this account now, in words; "" when it may. Costs no query with its workspace loaded."""
    workspace = account.workspace
    if workspace.paused_at:
        return said(_("Publishing is paused for the whole workspace."), workspace.pause_reason)
    if account.paused_at:
        return said(_("Publishing to this account is paused."), account.pause_reason)
    return ""


def said(fact: str, reason: str) -> str:
    return _("%(fact)s Reason: %(reason)s") % {"fact": fact, "reason": reason} if reason else fact
