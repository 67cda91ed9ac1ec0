"""From a connected account to the token that acts for it, and what happens when that token is gone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import connection_cache
from accounts.keys import reveal
from accounts.language import speaking_to
from accounts.models import ConnectedAccount, Credential, Grant, Notification
from accounts.notify import settle, tell
from accounts.renew import RENEWALS, replace_refused, usable_token
from socialhub.platforms.base import Access
from socialhub.platforms.errors import ReconnectError

logger = logging.getLogger(__name__)

Status = ConnectedAccount.Status
Done = TypeVar("Done")


def access_for(account: ConnectedAccount) -> Access:
    """What a platform needs to act for this account.

    Costs one query at most, none with `select_related("credential__grant")`. An access that is about to run out is renewed
    first, where the network renews it. Raises ReconnectError when there is no credential, it has expired, or no key
    opens it; TemporaryError when it is just being renewed elsewhere and that takes long.
    """
    if "credential" in account._state.fields_cache:
        return act_with(account, loaded(account))
    if (kept := connection_cache.recall(account)) is not None:
        account.credential = kept
        try:
            return act_with(account, kept)
        except ReconnectError:  # a final word comes from the database only
            connection_cache.forget([account.pk])
    return act_with(account, read(account))


def loaded(account: ConnectedAccount) -> Credential | None:
    credential: Credential | None = account._state.fields_cache.get("credential")
    return credential


def read(account: ConnectedAccount) -> Credential | None:
    """From the database, and into the cache."""
    credential = Credential.objects.select_related("grant").filter(account=account.pk).first()
    account._state.fields_cache["credential"] = credential
    if credential is None:
        return None
    ends = [credential.expires_at]
    if credential.access_token is None and (grant := credential.grant):
        # One that is renewed earlier is not kept for longer than until then.
        ahead = RENEWALS[grant.provider].ahead if grant.provider in RENEWALS else timedelta(0)
        ends.append(grant.expires_at and grant.expires_at - max(ahead - connection_cache.BEFORE_END, timedelta(0)))
    connection_cache.keep(account, credential, ends)
    return credential


def act_with(account: ConnectedAccount, credential: Credential | None) -> Access:
    if credential is None:
        raise ReconnectError(_("“%(name)s” is not connected. Connect it again.") % {"name": account.name})
    if credential.expires_at and credential.expires_at <= timezone.now():
        raise ReconnectError(
            _("The access to “%(name)s” has run out. Connect it again.") % {"name": account.name},
        )
    if credential.access_token is not None:
        token = reveal(credential.access_token)
    elif credential.grant is not None:
        token = usable_token(credential.grant)
    else:
        raise ReconnectError(_("“%(name)s” is not connected. Connect it again.") % {"name": account.name})
    return Access(account_id=account.platform_account_id, token=token)


def with_access(account: ConnectedAccount, act: Callable[[Access], Done]) -> Done:
    """What `act` answers. Where the network refuses the access, it is called once more with a renewed one, if any.

    When that is over, the account has lost its access: raises ReconnectError.
    """
    try:
        return act(access_for(account))
    except ReconnectError as error:
        if not mend(account, error):
            lost(account, error)
            raise
    try:
        return act(access_for(account))
    except ReconnectError as error:
        lost(account, error)
        raise


def mend(account: ConnectedAccount, error: ReconnectError) -> bool:
    """The network refuses an access that should be good: see whether there is a newer one, else renew it.

    True: the same call may be made again. A no to that is final, so ask once for each call; with False the caller goes
    on to `lost`. Whatever keeps the renewal from an answer is raised as it is and says nothing about the account. Never
    call it inside a transaction.
    """
    used = loaded(account)
    if error.mended_at or used is None:
        return False
    stored = (
        Credential.objects.filter(account=account.pk, account__status=Status.CONNECTED).select_related("grant").first()
    )
    if stored is None:
        return False
    if not is_outdated(used, stored):
        if used.access_token is not None or used.grant is None:
            return False
        try:
            if not replace_refused(used.grant):
                return False
        except ReconnectError:  # it was disconnected meanwhile
            return False
        logger.info("account %s: an access that was refused before its time was renewed", account.pk)
    return read(account) is not None


def incident_of(account: ConnectedAccount) -> str:
    return f"reconnect:{account.pk}"


def lost(account: ConnectedAccount, error: ReconnectError) -> None:
    """The network does not accept the access any more: mark the account and tell its people, once.

    Changes nothing when a newer token was stored since `account.credential` was read, or one where there was none: the
    error is then about the old one. And nothing when a person has disconnected the account meanwhile.
    """
    used = loaded(account)
    status = Status.ERROR if error.mended_at else Status.REVOKED if error.revoked else Status.EXPIRED
    with transaction.atomic():
        row = (
            ConnectedAccount.objects.select_for_update(of=("self",), no_key=True)
            .select_related("workspace")
            .get(pk=account.pk)
        )
        stored = Credential.objects.filter(account=row).select_related("grant").first()
        was_missing = used is None and "credential" in account._state.fields_cache
        if row.status == Status.DISCONNECTED or is_outdated(used, stored) or (was_missing and stored is not None):
            return
        row.status = status
        row.status_reason = error.message
        row.platform_message = error.platform_message
        row.save(update_fields=["status", "status_reason", "platform_message"])
        connection_cache.forget([row.pk])
        with speaking_to(row.workspace):
            tell(
                row.workspace,
                Notification.Kind.RECONNECT,
                incident_of(row),
                title=_("Reconnect %(name)s") % {"name": row.name},
                body=_("%(reason)s Scheduled posts wait until it is connected again.") % {"reason": error.message},
                url=reverse("accounts:social"),
                account=row,
            )
    account.status, account.status_reason, account.platform_message = status, row.status_reason, row.platform_message
    logger.warning("account %s lost its access: %s %s/%s", account.pk, status, error.code, error.subcode)


def is_outdated(used: Credential | None, stored: Credential | None) -> bool:
    """A newer token was stored since this one was read, for the account or for its grant."""
    if used is None or stored is None:
        return False
    used_grant: Grant | None = used._state.fields_cache.get("grant")
    renewed = used_grant and stored.grant and stored.grant.updated_at > used_grant.updated_at
    return bool(renewed) or stored.updated_at > used.updated_at


def reconnected(account: ConnectedAccount) -> None:
    """The access works (again): clear what `lost` has written. Never revives a disconnected account."""
    ConnectedAccount.objects.filter(pk=account.pk).exclude(status=Status.DISCONNECTED).update(
        status=Status.CONNECTED, status_reason="", platform_message=""
    )
    connection_cache.forget([account.pk])
    if account.status != Status.DISCONNECTED:
        account.status, account.status_reason, account.platform_message = Status.CONNECTED, "", ""
    settle(account.workspace, incident_of(account))
