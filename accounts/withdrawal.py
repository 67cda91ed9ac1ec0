"""When a person takes our app away at the network itself, or has their data deleted there."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import pictures
from accounts.models import ConnectedAccount, Credential, DataDeletion, Grant
from accounts.tokens import lost
from socialhub.platforms.errors import ReconnectError
from socialhub.platforms.meta import SignedRequest

logger = logging.getLogger(__name__)

OLDEST = timedelta(days=1)  # a message that was kept for longer is none of the network's
AHEAD = timedelta(minutes=5)  # clocks differ


def is_fresh(message: SignedRequest) -> bool:
    """Names a person, and was made lately: an old message must not undo a newer consent."""
    now = timezone.now()
    return bool(message.user_id and message.issued_at and now - OLDEST <= message.issued_at <= now + AHEAD)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    grants: int
    accounts: int


def withdraw(provider: str, message: SignedRequest, *, erase: bool = False) -> Withdrawn:
    """Forget the consents of this person in all workspaces, with every token that came of them.

    The accounts stay with their history, marked as withdrawn; their workspaces are asked to reconnect. A consent that
    was given after the message was made is left alone. Once more changes nothing. erase: the pictures go, too.
    """
    if message.issued_at is None:
        return Withdrawn(0, 0)
    with transaction.atomic():
        grants = Grant.objects.select_for_update().filter(
            provider=provider, platform_user_id=message.user_id, updated_at__lte=message.issued_at + AHEAD
        )
        keys = list(grants.values_list("pk", flat=True))
        held = list(Credential.objects.filter(grant__in=keys).values_list("account_id", flat=True))
        Credential.objects.filter(grant__in=keys).delete()
        for account in ConnectedAccount.objects.filter(pk__in=held):
            if erase:
                pictures.forget(account)
            lost(
                account,
                ReconnectError(
                    _("The access to “%(name)s” was withdrawn at %(network)s by the person who had connected it.")
                    % {"name": account.name, "network": "Facebook"},
                    revoked=True,
                ),
            )
        Grant.objects.filter(pk__in=keys).delete()
    logger.info("%s: a person withdrew %d consents with %d accounts", provider, len(keys), len(held))
    return Withdrawn(len(keys), len(held))


def delete_data(provider: str, message: SignedRequest, signed: str) -> DataDeletion:
    """Delete what we hold of this person: consents, tokens, name and id. The same request again finds the same answer."""
    digest = hashlib.sha256(f"{provider}:{signed}".encode()).hexdigest()
    with transaction.atomic():
        deletion, _created = DataDeletion.objects.select_for_update().get_or_create(
            digest=digest, defaults={"provider": provider}
        )
        if deletion.completed_at is None:
            gone = withdraw(provider, message, erase=True)
            deletion.grants, deletion.accounts = gone.grants, gone.accounts
            deletion.completed_at = timezone.now()
            deletion.save(update_fields=["grants", "accounts", "completed_at"])
    return deletion
