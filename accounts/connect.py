"""Consent → grant → Pages → connected accounts with their credentials; and the way back.

One Meta consent serves Facebook and Instagram: each chosen Page is written together with the Instagram account linked
to it. The network is asked first and outside of any transaction; then everything is written at once, or nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from celery import current_app
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from kombu.exceptions import OperationalError

from accounts.clients import meta
from accounts.keys import reveal
from accounts.models import ConnectedAccount, Credential, Grant, Notification, User, Workspace
from accounts.notify import settle
from accounts.tokens import incident_of
from socialhub.platforms.errors import PlatformError, ReconnectError
from socialhub.platforms.meta import SCOPES, PageFound, Person, UserToken, page_of

logger = logging.getLogger(__name__)

Status = ConnectedAccount.Status

PAGE_FIELDS_OF_ITSELF = (
    "id,name,category,username,picture{url},followers_count,"
    "instagram_business_account{id,username,name,profile_picture_url,followers_count}"
)


@dataclass(frozen=True, slots=True)
class Connectable:
    """An entry of the accounts page: a network that can be connected, and through which provider.

    scopes: what publishing to it and reading its figures needs.
    """

    platform: str
    provider: str
    label: str
    about: str | Promise
    scopes: tuple[str, ...]


CONNECTABLE: Mapping[str, Connectable] = {
    entry.platform: entry
    for entry in (
        Connectable(
            platform="facebook",
            provider="meta",
            label="Facebook",
            about=gettext_lazy("Pages that you manage."),
            scopes=SCOPES["facebook"],
        ),
        Connectable(
            platform="instagram",
            provider="meta",
            label="Instagram",
            about=gettext_lazy("Professional accounts that are linked to one of your Facebook Pages."),
            scopes=SCOPES["instagram"],
        ),
    )
}


def missing_scopes(platform: str, granted: Iterable[str]) -> list[str]:
    held = set(granted)
    return [name for name in CONNECTABLE[platform].scopes if name not in held]


def consent_hint(workspace: Workspace, user: User, provider: str) -> str:
    """Meta's `auth_type` for the next dialog, from what the last consent has brought; "" for a first one."""
    grants = Grant.objects.filter(workspace=workspace, user=user, provider=provider)
    if grants.filter(data_access_expires_at__lte=timezone.now()).exists():
        return "reauthorize"
    # Facebook does not ask again for what was once declined, unless told to.
    return "rerequest" if grants.exclude(declined_scopes=[]).exists() else ""


def store_grant(workspace: Workspace, user: User, token: UserToken, person: Person) -> Grant:
    """Make the token of a consent long-lived, read what was granted, and keep both. Raises PlatformError."""
    long_lived = meta().long_lived(token.token)
    granted, declined = meta().permissions(long_lived.token)
    inspected = meta().debug_token(long_lived.token)
    grant, _created = Grant.objects.update_or_create(
        workspace=workspace,
        provider="meta",
        platform_user_id=person.id,
        defaults={
            "user": user,
            "platform_user_name": person.name[:200],
            "access_token": long_lived.token,
            "expires_at": long_lived.expires_at,
            "data_access_expires_at": inspected.data_access_expires_at,
            "granted_scopes": sorted(granted),
            "declined_scopes": sorted(declined),
        },
    )
    return grant


def find_pages(grant: Grant) -> list[PageFound]:
    """The Pages of a grant, live, those that can be connected first. Raises PlatformError."""
    if grant.expires_at and grant.expires_at <= timezone.now():
        raise ReconnectError(_("The consent given at Facebook has run out. Press Connect and consent again."))
    pages = meta().pages(reveal(grant.access_token))
    return sorted(pages, key=lambda page: (bool(page.obstacle), page.name.casefold(), page.id))


def connect_chosen(grant: Grant, pages: Sequence[PageFound], *, by: User) -> list[ConnectedAccount]:
    """The Pages that a person has chosen of what their consent brought."""
    return connect_pages(grant.workspace, pages, grant=grant, granted=grant.granted_scopes, by=by)


def connect_pages(
    workspace: Workspace,
    pages: Sequence[PageFound],
    *,
    grant: Grant | None,
    granted: Sequence[str],
    by: User | None,
) -> list[ConnectedAccount]:
    """Write each Page and the Instagram account linked to it, all or nothing. Returns exactly what was connected.

    Rows that exist are updated, disconnected ones come back to life; no row is doubled. A Page without a token is
    passed over.
    """
    connected = []
    with transaction.atomic():
        for page in pages:
            if page.token is None:
                continue
            facebook = write_account(
                workspace,
                grant=grant,
                by=by,
                platform="facebook",
                platform_account_id=page.id,
                token=page.token,
                granted=granted,
                fields={
                    "account_type": "page",
                    "name": page.name[:200],
                    "username": page.username[:200],
                    "picture_url": page.picture[:2000],
                    "followers_count": page.followers,
                    "tasks": list(page.tasks),
                },
            )
            connected.append(facebook)
            if page.instagram is None:
                continue
            found = page.instagram
            connected.append(
                write_account(
                    workspace,
                    grant=grant,
                    by=by,
                    platform="instagram",
                    platform_account_id=found.id,
                    token=page.token,
                    granted=granted,
                    fields={
                        "account_type": "professional",
                        "name": (found.name or found.username)[:200],
                        "username": found.username[:200],
                        "picture_url": found.picture[:2000],
                        "followers_count": found.followers,
                        "tasks": list(page.tasks),
                        "parent": facebook,
                    },
                )
            )
        transaction.on_commit(ask_for_first_figures)
    return connected


def ask_for_first_figures() -> None:
    """A new connection is synced at once. By name: analytics is a floor above. Without a broker beat does it."""
    try:
        current_app.send_task("analytics.tasks.sync_due", retry=False)
    except OperationalError:
        logger.warning("The broker does not answer; new accounts are synced at the next beat")


def connect_page_token(workspace: Workspace, token: str) -> list[ConnectedAccount]:
    """Connect one Page, with its Instagram account, by a token that somebody has at hand. Raises PlatformError."""
    inspected = meta().debug_token(token)
    if not inspected.is_valid or inspected.type != "PAGE":
        raise ReconnectError(
            _("This is no valid Page token of this app."),
            platform_message=inspected.error_message,
        )
    # Read with the token itself, a Page answers as `me`; its own token does not stand in the answer.
    page = replace(page_of(meta().get("me", token, {"fields": PAGE_FIELDS_OF_ITSELF})), token=token)
    return connect_pages(workspace, [page], grant=None, granted=inspected.scopes, by=None)


def write_account(
    workspace: Workspace,
    *,
    grant: Grant | None,
    by: User | None,
    platform: str,
    platform_account_id: str,
    token: str,
    granted: Sequence[str],
    fields: Mapping[str, Any],
) -> ConnectedAccount:
    """One connected account with its sealed token. Inside the caller's transaction."""
    # What the network did not tell this time does not wipe out what it told before.
    told = {name: value for name, value in fields.items() if value is not None}
    now = timezone.now()
    account, created = ConnectedAccount.objects.select_for_update().get_or_create(
        workspace=workspace,
        platform=platform,
        platform_account_id=platform_account_id,
        defaults=told,
    )
    if account.status == Status.DISCONNECTED:
        account.paused_at, account.pause_reason = None, ""
    if not created and not account.is_connected:
        account.connected_at = now
    for name, value in {
        **told,
        "login_kind": "facebook",
        "status": Status.CONNECTED,
        "status_reason": "",
        "platform_message": "",
        "granted_scopes": sorted(granted),
        "missing_scopes": missing_scopes(platform, granted),
        "token_expires_at": None,  # a Page token taken with a long-lived user token has no end
        "data_access_expires_at": grant.data_access_expires_at if grant else None,
        "connected_by": by,
        "disconnected_at": None,
        "last_verified_at": now,
    }.items():
        setattr(account, name, value)
    account.save()
    Credential.objects.update_or_create(
        account=account, defaults={"grant": grant, "access_token": token, "expires_at": None}
    )
    settle_reconnect(account)
    return account


def settle_reconnect(account: ConnectedAccount) -> None:
    """It is connected again: what asked the people to reconnect, or reminded them to, is over."""
    settle(account.workspace, incident_of(account))
    Notification.objects.filter(
        account=account,
        kind=Notification.Kind.RECONNECT,
        resolved_at=None,
        incident__startswith=f"expiry:{account.pk}:",
    ).update(resolved_at=timezone.now())


def no_instagram(page_name: str) -> str:
    return _("No Instagram professional account is linked to the Page “%(page)s”.") % {"page": page_name}


def connect_result(connected: Sequence[ConnectedAccount]) -> dict[str, Any]:
    """The answer to a connect, for the page and the API: per network the first account, and why where there is none."""
    answer: dict[str, Any] = {"success": bool(connected)}
    for platform in ("facebook", "instagram"):
        account = next((account for account in connected if account.platform == platform), None)
        if account:
            answer[platform] = {
                "connected": True,
                "accountId": account.platform_account_id,
                "accountName": account.name,
                "username": account.username,
                "profilePicture": account.picture_url,
            }
        else:
            answer[platform] = {"connected": False, "reason": reason_for_none(platform)}
    return answer


def reason_for_none(platform: str) -> str:
    if platform == "instagram":
        return _("No Instagram business account linked")
    return _("No Facebook Page was chosen")


def recheck(account: ConnectedAccount, *, by: User) -> list[ConnectedAccount]:
    """Run the connect of this account's Page again with the stored consent, for instance to find a new Instagram link.

    Returns what is connected now. Raises PlatformError; ReconnectError where the consent is not there any more.
    """
    page_account = account.parent if account.platform == "instagram" and account.parent else account
    credential = Credential.objects.select_related("grant__workspace").filter(account=page_account).first()
    if credential is None or credential.grant is None:
        raise ReconnectError(
            _("There is no stored consent to check “%(name)s” with. Press Reconnect.") % {"name": account.name}
        )
    grant = credential.grant
    granted, declined = meta().permissions(reveal(grant.access_token))
    pages = [page for page in find_pages(grant) if page.id == page_account.platform_account_id]
    if not pages or pages[0].obstacle or not pages[0].token:
        raise ReconnectError(
            _("Facebook does not show the Page “%(name)s” to this consent any more. Press Reconnect and choose it.")
            % {"name": page_account.name}
        )
    grant.granted_scopes, grant.declined_scopes = sorted(granted), sorted(declined)
    grant.save(update_fields=["granted_scopes", "declined_scopes", "updated_at"])
    return connect_chosen(grant, pages, by=by)


def disconnect(account: ConnectedAccount) -> None:
    """Delete the token, keep the row and its history. The consent itself is revoked with its last account only."""
    with transaction.atomic():
        row = ConnectedAccount.objects.select_for_update().select_related("workspace").get(pk=account.pk)
        credential = Credential.objects.select_related("grant").filter(account=row).first()
        if credential:
            credential.delete()
        row.status, row.status_reason, row.platform_message = Status.DISCONNECTED, "", ""
        row.disconnected_at, row.token_expires_at, row.data_access_expires_at = timezone.now(), None, None
        row.paused_at, row.pause_reason, row.missing_scopes, row.granted_scopes = None, "", [], []
        row.save()
        settle_reconnect(row)
    if credential and credential.grant:
        drop_unused(credential.grant)


def drop_unused(grant: Grant) -> None:
    """Forget a consent behind which no account stands any more, and give it back to the network, best effort.

    Revoking takes the app away from the person altogether, so it must not happen while any workspace still uses it.
    """
    with transaction.atomic():
        same_person = list(
            Grant.objects.select_for_update().filter(provider=grant.provider, platform_user_id=grant.platform_user_id)
        )
        if not any(row.pk == grant.pk for row in same_person) or grant.credentials.exists():
            return
        used_elsewhere = Credential.objects.filter(grant__in=same_person).exists()
        Grant.objects.filter(pk=grant.pk).delete()
    if used_elsewhere:
        return
    try:
        meta().revoke(reveal(grant.access_token))
    except PlatformError as error:
        logger.info("grant %s could not be revoked at the network: %s", grant.pk, error.kind)


def tidy_grants(older_than: datetime) -> int:
    """Consents that nobody has made an account of: the choice was left open, or every account is gone."""
    unused = list(Grant.objects.filter(updated_at__lt=older_than, credentials=None))
    for grant in unused:
        drop_unused(grant)
    return len(unused)
