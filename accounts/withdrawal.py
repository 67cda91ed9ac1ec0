"""When a person takes our app away at the network itself, or has their data deleted there."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import pictures
from accounts.language import speaking_to
from accounts.models import ConnectedAccount, Credential, DataDeletion, Grant, Notification
from accounts.providers import PROVIDERS
from accounts.providers.base import Provider
from accounts.tokens import lost
from socialhub.platforms.errors import ReconnectError
from socialhub.platforms.meta import SignedRequest

logger = logging.getLogger(__name__)

OLDEST = timedelta(days=1)  # a message that was kept for longer is none of the network's
AHEAD = timedelta(minutes=5)  # clocks differ

# Sent with `account`, in the transaction: what the parts above this one have written of that person goes with the rest.
person_erased = Signal()


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
    was given after the message was made is left alone. Once more changes nothing. erase: what the accounts tell of the
    person goes, too.
    """
    if message.issued_at is None:
        return Withdrawn(0, 0)
    source = PROVIDERS[provider]
    with transaction.atomic():
        grants = Grant.objects.select_for_update(of=("self",)).filter(
            whose(source, message), provider=provider, updated_at__lte=message.issued_at + AHEAD
        )
        keys = [grant.pk for grant in grants.order_by("pk")]
        held = list(Credential.objects.filter(grant__in=keys).values_list("account_id", flat=True))
        Credential.objects.filter(grant__in=keys).delete()
        for account in ConnectedAccount.objects.filter(pk__in=held).select_related("workspace").order_by("pk"):
            if erase:
                erase_person(account, source)
            with speaking_to(account.workspace):
                reason = _("The access to “%(name)s” was withdrawn at %(network)s by the person who had connected it.")
            words = {"name": account.name, "network": source.label}
            lost(account, ReconnectError(reason % words, revoked=True))
        Grant.objects.filter(pk__in=keys).delete()
    logger.info("%s: a person withdrew %d consents with %d accounts", provider, len(keys), len(held))
    return Withdrawn(len(keys), len(held))


def whose(source: Provider, message: SignedRequest) -> Q:
    """The consents of the person whom the message names.

    Where the account is the person there are two numbers for both, and Meta does not say which of them it sends.
    """
    person = Q(platform_user_id=message.user_id)
    if source.account_is_person:
        theirs = ConnectedAccount.objects.filter(platform_account_id=message.user_id, login_kind=source.key)
        person |= Q(pk__in=Credential.objects.filter(account__in=theirs).values("grant"))
    return person


def erase_person(account: ConnectedAccount, source: Provider) -> None:
    """Its picture; where it is the person, all that describes it. Its number stays: the posts hang on it, and whoever
    connects it again finds them."""
    pictures.forget(account)
    if not source.account_is_person:
        return
    Notification.objects.filter(account=account).delete()  # they name it
    account.name, account.username, account.remark, account.offers = source.label, "", "", {}
    account.followers_count = account.following_count = account.likes_count = account.posts_count = None
    account.save(
        update_fields=[
            *("name", "username", "remark", "offers"),
            *("followers_count", "following_count", "likes_count", "posts_count"),
        ]
    )
    person_erased.send(ConnectedAccount, account=account)


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
