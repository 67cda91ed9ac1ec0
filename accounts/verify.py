"""Looking whether connected accounts still work, before a post finds out."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.clients import platform_for
from accounts.connect import missing_scopes
from accounts.models import ConnectedAccount, Notification
from accounts.notify import tell
from accounts.providers import PROVIDERS
from accounts.tokens import access_for, lost, reconnected
from socialhub.platforms.errors import PlatformError, ReconnectError

logger = logging.getLogger(__name__)

REMIND_DAYS = (14, 7, 2)


def verify(account: ConnectedAccount) -> None:
    """Read profile and token; keep what they say. Raises PlatformError after noting what it means.

    Only a clear no of the network takes an account out of use; everything else changes nothing.
    """
    try:
        access = access_for(account)
        facts = PROVIDERS[account.login_kind].inspect(account, access)
        profile = platform_for(account.platform).profile(access)
    except ReconnectError as error:
        lost(account, error)
        raise
    account.name = (profile.name or account.name)[:200]
    account.username = (profile.username or account.username)[:200]
    account.picture_url = (profile.picture_url or account.picture_url)[:2000]
    for count in ("followers_count", "following_count", "likes_count", "posts_count"):
        if (told := getattr(profile, count)) is not None:
            setattr(account, count, told)
    account.token_expires_at = facts.expires_at
    account.data_access_expires_at = facts.data_access_expires_at
    if facts.scopes is not None:
        account.granted_scopes = sorted(facts.scopes)
        account.missing_scopes = missing_scopes(account.platform, facts.scopes)
    account.last_verified_at = timezone.now()
    account.save(
        update_fields=[
            *("name", "username", "picture_url", "followers_count", "following_count", "likes_count", "posts_count"),
            *("token_expires_at", "data_access_expires_at", "granted_scopes", "missing_scopes", "last_verified_at"),
        ]
    )
    reconnected(account)


def verify_all() -> tuple[int, int]:
    """Every account that should work, one after another; returns how many were looked at, and how many failed."""
    accounts = ConnectedAccount.objects.listed().select_related("workspace", "credential").order_by("pk")
    failed = 0
    for account in accounts.iterator(chunk_size=200):
        try:
            verify(account)
        except PlatformError as error:
            failed += 1
            logger.info("account %s was not verified: %s", account.pk, error.kind)
        except Exception:  # one broken account must not keep the others from being looked at
            failed += 1
            logger.exception("account %s could not be verified", account.pk)
    remind()
    return accounts.count(), failed


def remind() -> int:
    """Tell people 14, 7 and 2 days before an access runs out that no refresh exists for."""
    now = timezone.now()
    horizon = now + timedelta(days=REMIND_DAYS[0])
    ending = (
        ConnectedAccount.objects.usable()
        .filter(
            Q(token_expires_at__gt=now, token_expires_at__lte=horizon)
            # Facebook's own permissions outlive this date, Instagram's do not.
            | Q(platform="instagram", data_access_expires_at__gt=now, data_access_expires_at__lte=horizon)
        )
        .select_related("workspace")
    )
    for account in ending:
        dates = [account.token_expires_at]
        if account.platform == "instagram":
            dates.append(account.data_access_expires_at)
        ends_at = min(date for date in dates if date and date > now)
        threshold = min(days for days in REMIND_DAYS if ends_at - now <= timedelta(days=days))
        tell(
            account.workspace,
            Notification.Kind.RECONNECT,
            f"expiry:{account.pk}:{ends_at:%Y-%m-%d}:{threshold}",
            title=_("The access to %(name)s ends on %(date)s")
            % {"name": account.name, "date": date_format(ends_at, "j F Y")},
            body=_("Posts scheduled after that day would wait. Press Reconnect before; it takes a minute."),
            url=reverse("accounts:social"),
            account=account,
        )
    return len(ending)
