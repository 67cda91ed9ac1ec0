"""How long the access to an account lasts, in words, and whether asking the network for a new one makes sense."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.expiry import REMIND_DAYS, end_of_grant, settle_reminders
from accounts.models import ConnectedAccount, Grant
from accounts.renew import RENEWALS, Outcome, State, has_expired, renew_now
from accounts.tokens import lost
from socialhub.platforms.errors import ReconnectError

# Why nothing needs to be refreshed, by provider.
ENDLESS: dict[str, str | Promise] = {
    "meta": gettext_lazy("Does not run out: Facebook sets no end to the access to a Page."),
    "buffer": gettext_lazy("Does not run out: a personal key holds until its owner deletes it."),
}


@dataclass(frozen=True, slots=True)
class Lifetime:
    """ends_at: when this access ends, None for never. can_refresh: the network gives a new one without a person."""

    ends_at: datetime | None
    words: str
    can_refresh: bool = False

    @property
    def is_near(self) -> bool:
        """A person has to do something about it within the days of the first reminder."""
        return not self.can_refresh and is_near(self.ends_at)


def is_near(end: datetime | None) -> bool:
    return end is not None and end - timezone.now() <= timedelta(days=REMIND_DAYS[0])


def grant_of(account: ConnectedAccount) -> Grant | None:
    """Costs no query with `select_related("credential__grant")`."""
    credential = getattr(account, "credential", None)
    return credential.grant if credential is not None else None


def lifetime_of(account: ConnectedAccount, *, has_refresh_token: bool) -> Lifetime:
    """What the card says. Whether there is a refresh token is handed in, so that no list loads one."""
    grant = grant_of(account)
    if account.is_connected and grant is not None and can_refresh(grant, has_refresh_token=has_refresh_token):
        return Lifetime(grant.expires_at, _("It is renewed by itself before that."), can_refresh=True)
    end = account.token_expires_at
    if account.needs_reconnect:
        mended = (
            _("Check again once it is mended.") if account.mended_at else _("Press Reconnect to give access again.")
        )
        return Lifetime(end, mended)
    if end is None:
        return Lifetime(None, str(ENDLESS.get(account.login_kind, _("Does not run out."))))
    if end <= timezone.now():
        return Lifetime(end, _("Press Reconnect to give access again."))
    return Lifetime(end, _("There is nothing to refresh it with: press Reconnect before that."))


def can_refresh(grant: Grant, *, has_refresh_token: bool) -> bool:
    """As accounts.renew sees it, without a look at the tokens."""
    renewal = RENEWALS.get(grant.provider)
    if renewal is None or grant.refresh_spent_at is not None:
        return False
    if renewal.by_access:
        return not has_expired(grant)
    is_good = grant.refresh_expires_at is None or grant.refresh_expires_at > timezone.now()
    return has_refresh_token and is_good


def is_by_key(account: ConnectedAccount, *, has_refresh_token: bool) -> bool:
    """Connected with a key that somebody has pasted, not by a consent."""
    grant = grant_of(account)
    return grant is not None and grant.provider == "buffer" and grant.expires_at is None and not has_refresh_token


def renew(account: ConnectedAccount) -> Outcome:
    """A new access from the network, before the old one ends, for all accounts of the consent.

    Never call it inside a transaction. Raises PlatformError when the network did not renew it.
    """
    if (grant := grant_of(account)) is None:
        return Outcome(State.NOTHING, account.token_expires_at)
    try:
        renewed = renew_now(grant)
    except ReconnectError as error:
        if has_expired(grant):
            lost(account, error)
        raise
    if renewed.state is State.RENEWED:
        refreshed(grant)
    return renewed


def refreshed(grant: Grant) -> None:
    """A new access was given: what the accounts of this consent say of its end, and what was told about that."""
    accounts = ConnectedAccount.objects.filter(credential__grant=grant)
    accounts.update(token_expires_at=end_of_grant(grant))
    for account in accounts.select_related("workspace"):
        settle_reminders(account)


def why_not_renewed(account: ConnectedAccount, state: State) -> str:
    """What to say where nothing was renewed and nothing is wrong."""
    name = {"name": account.name}
    if state is State.TOO_YOUNG:
        return (
            _("The access to %(name)s is so fresh that the network does not renew it yet. Try again tomorrow.") % name
        )
    if state is State.BUSY:
        return _("The access to %(name)s is being renewed right now.") % name
    if account.token_expires_at is None:
        endless = str(ENDLESS.get(account.login_kind, _("Does not run out.")))
        return _("Nothing to refresh for %(name)s. %(why)s") % {**name, "why": endless}
    end = date_format(timezone.localtime(account.token_expires_at), "j F Y")
    return _("The network gave nothing to refresh the access to %(name)s with. Press Reconnect by %(end)s.") % {
        **name,
        "end": end,
    }
