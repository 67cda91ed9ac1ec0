"""Looking whether connected accounts still work, before a post finds out."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from accounts import pictures
from accounts.clients import client_of
from accounts.connect import entry_for, missing_scopes
from accounts.language import speaking_to
from accounts.models import ConnectedAccount
from accounts.providers import PROVIDERS
from accounts.providers.base import AccessFacts, shown
from accounts.tokens import reconnected, with_access
from socialhub.platforms.base import Access, Profile
from socialhub.platforms.errors import PlatformError

logger = logging.getLogger(__name__)

ENOUGH = timedelta(hours=20)  # the daily job is not punctual to the second


def verify(account: ConnectedAccount) -> None:
    """Read profile and token; keep what they say. Raises PlatformError after noting what it means.

    Only a clear no of the network takes an account out of use; everything else changes nothing.
    """
    facts, profile = with_access(account, lambda access: look_at(account, access))
    account.name = shown(profile.name)[:200] or account.name
    account.username = shown(profile.username)[:200] or account.username
    account.picture_url = (profile.picture_url or account.picture_url)[:2000]
    for count in ("followers_count", "following_count", "likes_count", "posts_count"):
        if (told := getattr(profile, count)) is not None:
            setattr(account, count, told)
    account.token_expires_at = facts.expires_at
    account.data_access_expires_at = facts.data_access_expires_at
    if facts.scopes is not None:
        account.granted_scopes = sorted(facts.scopes)
        account.missing_scopes = missing_scopes(
            entry_for(account.platform, account.login_kind), facts.scopes, account.account_type
        )
    if facts.remark is not None:
        account.remark = facts.remark
    if facts.offers is not None:
        account.offers = facts.offers
    account.last_verified_at = timezone.now()
    account.save(
        update_fields=[
            *("remark", "offers"),
            *("name", "username", "picture_url", "followers_count", "following_count", "likes_count", "posts_count"),
            *("token_expires_at", "data_access_expires_at", "granted_scopes", "missing_scopes", "last_verified_at"),
        ]
    )
    pictures.refresh_later(account)
    reconnected(account)


def look_at(account: ConnectedAccount, access: Access) -> tuple[AccessFacts, Profile]:
    facts = PROVIDERS[account.login_kind].inspect(account, access)
    return facts, client_of(account).profile(access)


def accounts_to_verify() -> list[UUID]:
    """Those that were not looked at today, longest ago first: a run that broke off is taken up.

    Whose access is known to be gone, and of which nothing is left, is passed over.
    """
    due = Q(last_verified_at=None) | Q(last_verified_at__lt=timezone.now() - ENOUGH)
    something_left = Q(credential__isnull=False) | Q(status=ConnectedAccount.Status.CONNECTED)
    accounts = ConnectedAccount.objects.listed().filter(due, something_left)
    return list(accounts.order_by(F("last_verified_at").asc(nulls_first=True), "pk").values_list("pk", flat=True))


def verify_one(account_id: UUID) -> bool:
    """Look at one account for the daily job; says whether all is well. What is wrong stands on the account."""
    account = (
        ConnectedAccount.objects.listed().select_related("workspace", "credential__grant").filter(pk=account_id).first()
    )
    if account is None:
        return False
    try:
        with speaking_to(account.workspace):
            verify(account)
    except PlatformError as error:
        logger.info("account %s was not verified: %s", account.pk, error.kind)
        return False
    return True
