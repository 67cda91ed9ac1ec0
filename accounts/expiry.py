"""When the access to an account ends for good, and telling its people in time.

Only ends that a person has to do something about: what is renewed by itself has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.language import speaking_to
from accounts.models import ConnectedAccount, Grant, Notification
from accounts.notify import settle, tell
from accounts.renew import RENEWALS, Renewal, is_at_work, is_renewable

REMIND_DAYS = (14, 7, 2)
CONSENT_WARN = timedelta(days=10)  # Meta's access to data lasts 90 days after a consent: from day 80 we say so

PATIENCE = timedelta(days=1)  # every access is used at least once in that time

TOKEN, CONSENT = "token", "consent"
CAUSES = (TOKEN, CONSENT)
# Facebook's own permissions outlive the end of data access, Instagram's do not.
NEEDS_CONSENT = ("instagram",)


def ends_of(account: ConnectedAccount) -> dict[str, datetime]:
    """The dates by cause. Costs no query with `select_related("credential__grant")`."""
    ends: dict[str, datetime] = {}
    if token_end := _token_end(account):
        ends[TOKEN] = token_end
    if account.platform in NEEDS_CONSENT and account.data_access_expires_at:
        ends[CONSENT] = account.data_access_expires_at
    return ends


def _token_end(account: ConnectedAccount) -> datetime | None:
    credential = getattr(account, "credential", None)
    if credential is not None and credential.access_token is None and credential.grant is not None:
        return end_of_grant(credential.grant)
    dates = [account.token_expires_at, credential.expires_at if credential else None]
    return min((date for date in dates if date), default=None)


def end_of_grant(grant: Grant) -> datetime | None:
    """When the person has to consent again: with its refresh token, where that still works, else with its access."""
    renewal = RENEWALS.get(grant.provider)
    if renewal is not None and renewal.by_access:
        return grant.expires_at if renews_in_vain(grant, renewal) else None
    if renewal is None or grant.refresh_token is None:
        return grant.expires_at
    if renewal.single_use and grant.refresh_spent_at is not None and not is_at_work(grant):
        return grant.expires_at  # its answer was lost
    return grant.refresh_expires_at


def renews_in_vain(grant: Grant, renewal: Renewal) -> bool:
    """An access that renews itself should have been renewed by now, or cannot be any more."""
    if grant.expires_at is None:
        return False
    overdue = grant.expires_at - timezone.now() < renewal.ahead - PATIENCE
    return overdue or not is_renewable(grant, renewal)


def ends_before(account: ConnectedAccount, moment: datetime) -> bool:
    """It works now, and will not at that moment unless somebody reconnects it."""
    now = timezone.now()
    return any(now < end <= moment for end in ends_of(account).values())


def consent_ends_soon(account: ConnectedAccount) -> bool:
    """From day 80 of the 90 that a consent gives access to data."""
    end = account.data_access_expires_at
    return account.platform in NEEDS_CONSENT and end is not None and end - timezone.now() <= CONSENT_WARN


def incident_of(account: ConnectedAccount, cause: str) -> str:
    return f"expiry:{account.pk}:{cause}"


def settle_reminders(account: ConnectedAccount) -> None:
    for cause in CAUSES:
        settle(account.workspace, incident_of(account, cause))


def remind() -> int:
    """Tell people 14, 7 and 2 days before an access ends; returns how many ends are near.

    One open row for each account and cause. At the next mark it makes way for a new one, which is mailed again; when
    the end has moved away, or the account is not in use any more, it is settled.
    """
    now = timezone.now()
    accounts = ConnectedAccount.objects.usable().select_related("workspace", "credential__grant").order_by("pk")
    near = 0
    kept: set[str] = set()
    for account in accounts.iterator(chunk_size=200):
        for cause, end in ends_of(account).items():
            if now < end <= now + timedelta(days=REMIND_DAYS[0]):
                near += 1
                kept.add(incident_of(account, cause))
                with speaking_to(account.workspace):
                    _remind(account, cause, end)
    _settle_others(kept)
    return near


def _remind(account: ConnectedAccount, cause: str, end: datetime) -> None:
    incident = incident_of(account, cause)
    mark = end - timedelta(days=min(days for days in REMIND_DAYS if end - timezone.now() <= timedelta(days=days)))
    told = Notification.objects.filter(workspace=account.workspace, incident=incident, resolved_at=None)
    told.filter(created_at__lt=mark).update(resolved_at=timezone.now())
    where = {"name": account.name, "date": date_format(end, "j F Y")}
    if cause == CONSENT:
        title = _("The consent for %(name)s ends on %(date)s") % where
        body = _(
            "After that day Instagram answers nothing any more, and posts would wait. Press Reconnect and confirm at "
            "Facebook; it takes a minute."
        )
    else:
        title = _("The access to %(name)s ends on %(date)s") % where
        body = _("Posts scheduled after that day would wait. Press Reconnect before; it takes a minute.")
    told.exclude(title=title[:200]).update(title=title[:200])  # the end has moved
    tell(
        account.workspace,
        Notification.Kind.EXPIRY,
        incident,
        title=title,
        body=body,
        url=reverse("accounts:social"),
        account=account,
    )


def _settle_others(kept: Iterable[str]) -> None:
    """Reminders of ends that are not near any more. Those of ended accesses are replaced by the request to reconnect."""
    Notification.objects.filter(kind=Notification.Kind.EXPIRY, resolved_at=None).exclude(
        incident__in=list(kept)
    ).update(resolved_at=timezone.now())
