"""From a consent to connected accounts: storing the grant, writing what a person chose, checking again, disconnecting."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import pictures
from accounts.expiry import CONSENT_WARN, settle_reminders
from accounts.models import ConnectedAccount, Credential, Grant, Notification, User, Workspace
from accounts.notify import settle
from accounts.providers import META, PROVIDERS
from accounts.providers.base import Candidate, Consent, scopes_on
from accounts.providers.buffer import NEEDED_SCOPES
from accounts.tokens import incident_of
from accounts.wake import FIGURES, PUBLISHING, wake
from socialhub.platforms import INSTAGRAM_LOGIN, LABELS
from socialhub.platforms.errors import PlatformError, ReconnectError
from socialhub.platforms.instagram_login import SCOPES as INSTAGRAM_SCOPES
from socialhub.platforms.linkedin_api import SCOPES as LINKEDIN_SCOPES
from socialhub.platforms.meta import SCOPES

logger = logging.getLogger(__name__)

Status = ConnectedAccount.Status
# What is no news any more once the account is taken off.
ENDS_WITH_THE_ACCOUNT = (Notification.Kind.QUOTA, Notification.Kind.INSIGHTS)


@dataclass(frozen=True, slots=True)
class Connectable:
    """An entry of the accounts page: a network that can be connected, and through which provider.

    key: a network that can be connected in two ways has two entries, the usual one under the key of its platform.
    aside: what tells it from the usual one.
    scopes: what publishing to it and reading its figures needs; scopes_by_type: where that depends on the account_type.
    """

    platform: str
    provider: str
    label: str
    about: str | Promise
    scopes: tuple[str, ...] = ()
    scopes_by_type: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    key: str = ""
    aside: str | Promise = ""

    def __post_init__(self) -> None:
        if not self.key:
            object.__setattr__(self, "key", self.platform)

    @property
    def title(self) -> str:
        """The name of the entry."""
        aside = _("via Buffer") if self.is_through_buffer else self.aside
        return f"{self.label} ({aside})" if aside else self.label

    @property
    def is_through_buffer(self) -> bool:
        return self.provider == "buffer"

    def scopes_of(self, account_type: str) -> tuple[str, ...]:
        return self.scopes_by_type.get(account_type, self.scopes)


def through_buffer(platform: str, about: str | Promise) -> Connectable:
    return Connectable(platform, "buffer", LABELS[platform], about, NEEDED_SCOPES)


CONNECTABLE: Mapping[str, Connectable] = {
    entry.key: entry
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
        Connectable(
            key=INSTAGRAM_LOGIN,
            platform="instagram",
            provider=INSTAGRAM_LOGIN,
            label="Instagram",
            aside=gettext_lazy("without a Page"),
            about=gettext_lazy("Professional accounts that sign in at Instagram itself; no Facebook Page is needed."),
            scopes=INSTAGRAM_SCOPES,
        ),
        Connectable(
            platform="linkedin",
            provider="linkedin",
            label="LinkedIn",
            about=gettext_lazy("Your own profile and organizations that you look after."),
            scopes_by_type=LINKEDIN_SCOPES,
        ),
        through_buffer("x", gettext_lazy("X profiles.")),
        through_buffer("threads", gettext_lazy("Threads profiles.")),
        through_buffer("bluesky", gettext_lazy("Bluesky profiles.")),
        through_buffer("mastodon", gettext_lazy("Mastodon profiles on any server.")),
        through_buffer("pinterest", gettext_lazy("Pinterest accounts. Each Pin goes to a board that you choose.")),
        through_buffer("tiktok", gettext_lazy("TikTok accounts.")),
        through_buffer("youtube", gettext_lazy("YouTube channels. They take videos only.")),
        through_buffer("google_business", gettext_lazy("Places on Google.")),
    )
}


def entry_for(platform: str, login_kind: str) -> Connectable:
    """Where an account belongs that was connected that way; what a permission is called depends on it."""
    entry = CONNECTABLE.get(login_kind)
    return entry if entry and entry.platform == platform else CONNECTABLE[platform]


def missing_scopes(entry: Connectable, granted: Iterable[str], account_type: str = "") -> list[str]:
    held = set(granted)
    return [name for name in entry.scopes_of(account_type) if name not in held]


def consent_hint(workspace: Workspace, user: User, provider: str) -> str:
    """Meta's `auth_type` for the next dialog, from what the last consent has brought; "" for a first one."""
    grants = Grant.objects.filter(workspace=workspace, user=user, provider=provider)
    if grants.filter(data_access_expires_at__lte=timezone.now() + CONSENT_WARN).exists():
        return "reauthorize"
    # Facebook does not ask again for what was once declined, unless told to.
    return "rerequest" if grants.exclude(declined_scopes=[], lapsed_scopes=[]).exists() else ""


def store_grant(workspace: Workspace, user: User, provider: str, consent: Consent) -> Grant:
    """Keep what a handshake brought. The same person again renews the same row."""
    grant, _created = Grant.objects.update_or_create(
        workspace=workspace,
        provider=provider,
        platform_user_id=consent.platform_user_id,
        defaults={
            "user": user,
            "platform_user_name": consent.platform_user_name[:200],
            "issued_at": timezone.now(),
            **consent.fields,
        },
    )
    return grant


def find_candidates(grant: Grant) -> list[Candidate]:
    """Every account that the grant reaches, live. Raises PlatformError."""
    return PROVIDERS[grant.provider].candidates(grant)


def connect_chosen(grant: Grant, chosen: Sequence[Candidate], *, by: User) -> list[ConnectedAccount]:
    """The accounts that a person has chosen of what their consent brought."""
    return connect_candidates(grant.workspace, chosen, grant=grant, granted=grant.granted_scopes, by=by)


def connect_candidates(
    workspace: Workspace,
    chosen: Sequence[Candidate],
    *,
    grant: Grant | None,
    granted: Sequence[str],
    by: User | None,
) -> list[ConnectedAccount]:
    """Write each account and those that come with it, all or nothing. Returns exactly what was connected.

    Rows that exist are updated, disconnected ones come back to life; no row is doubled. What has an obstacle is passed
    over. Raises ReconnectError where the consent is gone.
    """
    connected = []
    with transaction.atomic():
        if grant:
            hold(grant)
        for candidate in chosen:
            if candidate.obstacle:
                continue
            account = write_account(workspace, candidate, grant=grant, granted=granted, by=by)
            connected.append(account)
            for linked in candidate.linked:
                connected.append(write_account(workspace, linked, grant=grant, granted=granted, by=by, parent=account))
        pictures.refresh_later(*connected)
        transaction.on_commit(lambda: wake(FIGURES, PUBLISHING))
    return connected


def hold(grant: Grant) -> None:
    """Nobody takes the consent away until the end of the transaction. Before any account: withdraw locks in that order."""
    if Grant.objects.select_for_update(no_key=True).filter(pk=grant.pk).first() is None:
        raise ReconnectError(
            _("The consent was withdrawn meanwhile, so nothing was connected. Press Connect and consent again.")
        )


def connect_page_token(workspace: Workspace, token: str) -> list[ConnectedAccount]:
    """Connect one Page, with its Instagram account, by a token that somebody has at hand. Raises PlatformError."""
    page, granted = META.by_page_token(token)
    return connect_candidates(workspace, [page], grant=None, granted=granted, by=None)


def write_account(
    workspace: Workspace,
    candidate: Candidate,
    *,
    grant: Grant | None,
    granted: Sequence[str],
    by: User | None,
    parent: ConnectedAccount | None = None,
) -> ConnectedAccount:
    """One connected account with its sealed token. Inside the caller's transaction."""
    told: dict[str, Any] = {
        "account_type": candidate.account_type,
        "name": candidate.name[:200],
        "username": candidate.username[:200],
        "picture_url": candidate.picture_url[:2000],
        "tasks": list(candidate.tasks),
        "remark": candidate.remark,
        "offers": candidate.offers,
    }
    # What the network did not tell this time does not wipe out what it told before.
    if parent is not None:
        told["parent"] = parent
    if candidate.followers_count is not None:
        told["followers_count"] = candidate.followers_count
    if grant:
        ids = candidate.ids | ({parent.platform_account_id} if parent else set())
        granted = scopes_on(granted, grant.granular_scopes, ids)
    now = timezone.now()
    account, created = ConnectedAccount.objects.select_for_update(no_key=True).get_or_create(
        workspace=workspace,
        platform=candidate.platform,
        platform_account_id=candidate.platform_account_id,
        defaults=told,
    )
    if account.status == Status.DISCONNECTED:
        account.paused_at, account.pause_reason = None, ""
    if not created and not account.is_connected:
        account.connected_at = now
    provider = PROVIDERS[grant.provider] if grant else META
    for name, value in {
        **told,
        **provider.connected_fields(grant),
        "login_kind": provider.key,
        "status": Status.CONNECTED,
        "status_reason": "",
        "platform_message": "",
        "granted_scopes": sorted(granted),
        "missing_scopes": missing_scopes(entry_for(candidate.platform, provider.key), granted, candidate.account_type),
        "connected_by": by,
        "disconnected_at": None,
        "last_verified_at": now,
    }.items():
        setattr(account, name, value)
    account.save()
    Credential.objects.update_or_create(
        account=account, defaults={"grant": grant, "access_token": candidate.token, "expires_at": None}
    )
    settle_reconnect(account)
    return account


def settle_reconnect(account: ConnectedAccount) -> None:
    """It is connected again: what asked the people to reconnect, or reminded them to, is over."""
    settle(account.workspace, incident_of(account))
    settle_reminders(account)


def no_instagram(page_name: str) -> str:
    return _("No Instagram professional account is linked to the Page “%(page)s”.") % {"page": page_name}


def connect_result(
    connected: Sequence[ConnectedAccount], provider: str = "meta", *, platforms: Sequence[str] = (), reason: str = ""
) -> dict[str, Any]:
    """The answer of the API to a connect: per network the first account, and why where there is none.

    platforms: of those of the provider only these. reason: why there is none at all, where that is known better.
    """
    answer: dict[str, Any] = {"success": bool(connected)}
    for entry in CONNECTABLE.values():
        if entry.provider != provider or (platforms and entry.platform not in platforms):
            continue
        account = next((account for account in connected if account.platform == entry.platform), None)
        if account:
            answer[entry.platform] = {
                "connected": True,
                "accountId": str(account.pk),
                "accountName": account.name,
                "username": account.username,
                "profilePicture": account.picture_url,
            }
        else:
            told = reason if reason and not connected else reason_for_none(entry)
            answer[entry.platform] = {"connected": False, "reason": told}
    return answer


def reason_for_none(entry: Connectable) -> str:
    if entry.key == "instagram":
        return _("No Instagram business account linked")
    if entry.platform == "facebook":
        return _("No Facebook Page was chosen")
    if entry.is_through_buffer:
        return _("No channel of %(network)s was chosen") % {"network": entry.label}
    return _("No account of %(network)s was chosen") % {"network": entry.label}


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
    PROVIDERS[grant.provider].refresh_scopes(grant)
    pages = [page for page in find_candidates(grant) if page.platform_account_id == page_account.platform_account_id]
    if not pages or pages[0].obstacle:
        raise ReconnectError(
            _("Facebook does not show the Page “%(name)s” to this consent any more. Press Reconnect and choose it.")
            % {"name": page_account.name}
        )
    return connect_chosen(grant, pages, by=by)


def disconnect(account: ConnectedAccount) -> None:
    """Delete the token, keep the row and its history. The consent itself is revoked with its last account only."""
    with transaction.atomic():
        row = (
            ConnectedAccount.objects.select_for_update(of=("self",), no_key=True)
            .select_related("workspace")
            .get(pk=account.pk)
        )
        credential = Credential.objects.select_related("grant").filter(account=row).first()
        if credential:
            credential.delete()
        pictures.forget(row)
        row.status, row.status_reason, row.platform_message = Status.DISCONNECTED, "", ""
        row.disconnected_at, row.token_expires_at, row.data_access_expires_at = timezone.now(), None, None
        row.paused_at, row.pause_reason, row.missing_scopes, row.granted_scopes = None, "", [], []
        row.paused_by, row.is_default = None, False
        row.save()
        settle_reconnect(row)
        Notification.objects.filter(account=row, kind__in=ENDS_WITH_THE_ACCOUNT, resolved_at=None).update(
            resolved_at=timezone.now()
        )
    if credential and credential.grant:
        drop_unused(credential.grant)


def drop_unused(grant: Grant) -> None:
    """Forget a consent behind which no account stands any more, and give it back to the network, best effort.

    Revoking takes the app away from the person altogether, so it must not happen while any workspace still uses it.
    """
    with transaction.atomic():
        same_person = list(
            Grant.objects.select_for_update()
            .filter(provider=grant.provider, platform_user_id=grant.platform_user_id)
            .order_by("pk")
        )
        if not any(row.pk == grant.pk for row in same_person) or grant.credentials.exists():
            return
        used_elsewhere = Credential.objects.filter(grant__in=same_person).exists()
        Grant.objects.filter(pk=grant.pk).delete()
    if used_elsewhere and PROVIDERS[grant.provider].revokes_everything:
        return
    try:
        PROVIDERS[grant.provider].revoke(grant)
    except PlatformError as error:
        logger.info("grant %s could not be revoked at the network: %s", grant.pk, error.kind)


def tidy_grants(older_than: datetime) -> int:
    """Consents that nobody has made an account of: the choice was left open, or every account is gone."""
    unused = list(Grant.objects.filter(updated_at__lt=older_than, credentials=None))
    for grant in unused:
        drop_unused(grant)
    return len(unused)
