"""What publishing knows of a connected account, on its page: that is where an incident begins."""

from __future__ import annotations

from django.db.models import Count, Min, Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin.connections import ConnectedAccountAdmin
from accounts.models import ConnectedAccount
from publishing import limits
from publishing.admin.posts import words
from publishing.models import LimitOverride, Publication, QueueEntry, Status
from socialhub.admin_books import error_word, link, list_link
from socialhub.admin_panels import Panel
from socialhub.templatetags.ui import status_badge, when

NEWEST = 8


def panels(request: HttpRequest, account: ConnectedAccount) -> list[Panel]:
    return [trouble_of(account), queue_of(account), limits_of(account)]


def trouble_of(account: ConnectedAccount) -> Panel:
    newest = (
        Publication.objects.filter(account=account, status__in=(Status.FAILED, Status.CHECKING))
        .select_related("post")
        .order_by("-updated_at")
    )
    return Panel(
        _("Newest trouble"),
        [
            (
                link("publishing_publication", one.pk, one.post),
                status_badge(one.status),
                when(one.scheduled_at),
                error_word(one.error_kind) or "–",
                words(one),
            )
            for one in newest[:NEWEST]
        ],
        (_("Publication"), _("Status"), _("Scheduled"), _("Kind of error"), _("Message")),
        empty=_("Nothing has failed, and nothing is in question."),
        order=10,
    )


def queue_of(account: ConnectedAccount) -> Panel:
    free = Q(held=False, lease_until__isnull=True)
    told = QueueEntry.objects.filter(account=account).aggregate(
        everything=Count("pk"),
        parked=Count("pk", filter=Q(held=True, awaits_decision=False)),
        decisions=Count("pk", filter=Q(awaits_decision=True)),
        busy=Count("pk", filter=Q(lease_until__isnull=False)),
        soonest=Min("not_before", filter=free),
    )
    reason = QueueEntry.objects.filter(account=account, held=True).values_list("wait_reason", flat=True).first()
    lines: list[tuple[object, object]] = [
        (
            _("In the queue"),
            list_link(
                "publishing_queueentry",
                ngettext("%d entry", "%d entries", told["everything"]) % told["everything"],
                q=account.pk,
            ),
        )
    ]
    if told["soonest"]:
        lines.append((_("Next"), when(told["soonest"])))
    if told["busy"]:
        lines.append((_("At work"), told["busy"]))
    if told["parked"]:
        lines.append((_("Held"), f"{told['parked']}: {reason}"))
    if told["decisions"]:
        lines.append((_("Wait for a decision"), told["decisions"]))
    return Panel(_("Queue"), lines, order=5)


def limits_of(account: ConnectedAccount) -> Panel:
    overrides = LimitOverride.objects.filter(account=account).exists()
    return Panel(
        _("Limits"),
        [
            (
                state.endpoint,
                f"{state.made} / {state.limit}",
                state.remaining,
                _("%(minutes)d min") % {"minutes": state.window_seconds // 60},
                when(state.resets_at) if state.resets_at else "–",
                when(state.told_at) if state.told_at else _("counted by us"),
                state.sharing or "–",
            )
            for state in limits.remaining(account)
        ],
        (_("Calls"), _("Made"), _("Left"), _("Window"), _("Resets"), _("Told by the network"), _("Shared")),
        empty=_("This network has no limits that we know of."),
        order=40,
        more=list_link("publishing_limitoverride", _("Limits set by staff"), q=account.pk)
        if overrides
        else list_link("publishing_ratelimitwindow", _("All windows"), q=account.pk),
    )


ConnectedAccountAdmin.panels_from_above += (panels,)
