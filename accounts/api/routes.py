"""Connecting, and what is connected: the functions of the pages, for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.socialaccount.adapter import get_adapter
from django.db.models import F
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import connect, pauses
from accounts.api.base import (
    ApiError,
    ApiRequest,
    ErrorAnswer,
    PlatformKey,
    invalid,
    keep_pace,
    manages,
    reads,
    refuse_unknown,
    router,
)
from accounts.api.refusals import refusal
from accounts.api.schemas import (
    AccountOut,
    AccountsOut,
    Connectable,
    ConnectAnswer,
    ConnectIn,
    ConsentAddress,
    DisconnectIn,
    DisconnectOut,
    PauseIn,
)
from accounts.connect import CONNECTABLE
from accounts.connect import Connectable as Entry
from accounts.forms import FARTHEST_PAUSE
from accounts.lifetime import renew, why_not_renewed
from accounts.models import ConnectedAccount, Grant
from accounts.models.connections import ticket_expiry
from accounts.providers import BUFFER, PROVIDERS
from accounts.providers.base import Candidate
from accounts.renew import State
from accounts.verify import verify
from socialhub.platforms.errors import PlatformError

routes = router("Accounts")


@routes.get(
    "oauth/connect",
    auth=manages,
    response={200: ConsentAddress, 409: ErrorAnswer},
    summary="Where a person consents",
)
def oauth_connect(request: ApiRequest, platform: Connectable) -> ConsentAddress:
    """The address of the network's consent page. Send the browser of the person there.

    With an API key the person is asked on a page of ours whether to connect, when they come back; then call
    `POST connect/{platform}`. With a session the choice of accounts follows, as on the pages.
    """
    keep_pace(request.caller, "connect")
    entry = CONNECTABLE[platform]
    source = PROVIDERS[entry.provider]
    if not source.is_configured():
        raise ApiError(409, "not_configured", source.setup_hint())
    provider = get_adapter(request).get_provider(request, provider=entry.provider)
    if key := request.caller.key:
        url, expires_at = provider.address_for_program(request, product=platform, api_key=key)
    else:
        url, expires_at = provider.start(request, product=platform)["Location"], ticket_expiry()
    return ConsentAddress(url=url, expires_at=expires_at)


@routes.post(
    "connect/{platform}", auth=manages, response=ConnectAnswer, exclude_unset=True, summary="Connect, or check again"
)
def connect_platform(request: ApiRequest, platform: Connectable, body: ConnectIn | None = None) -> dict[str, Any]:
    """Connects what the newest consent of yours shows; what is connected already is renewed, never doubled.

    Facebook and Instagram come together: either runs the same. Where there is no consent yet, 409 `no_consent`.
    """
    keep_pace(request.caller, "connect")
    entry, asked = CONNECTABLE[platform], body or ConnectIn()
    try:
        grant = consent_for(request, entry, asked)
        PROVIDERS[entry.provider].refresh_scopes(grant)
        found = connect.find_candidates(grant)
        if entry.is_through_buffer:  # one consent for many networks: only the one that was named
            found = [one for one in found if one.platform == entry.platform]
        connected = connect.connect_chosen(grant, chosen_of(found, asked), by=request.caller.user)
    except PlatformError as error:
        raise refusal(error, PROVIDERS[entry.provider].label) from error
    obstacles = " ".join(dict.fromkeys(one.obstacle for one in found if one.obstacle))
    reason = obstacles if found else PROVIDERS[entry.provider].found_nothing()
    only = [entry.platform] if entry.is_through_buffer else []
    return connect.connect_result(connected, entry.provider, platforms=only, reason=reason)


def consent_for(request: ApiRequest, entry: Entry, asked: ConnectIn) -> Grant:
    """One of the caller's own: nobody makes accounts of what somebody else has allowed. Raises PlatformError."""
    caller = request.caller
    if asked.key is not None:
        if not entry.is_through_buffer:
            raise invalid({"key": [_("A personal key connects networks behind Buffer only.")]})
        consent = BUFFER.consent_by_key(asked.key)
        return connect.store_grant(caller.workspace, caller.user, BUFFER.key, consent)
    grants = Grant.objects.filter(workspace=caller.workspace, user=caller.user, provider=entry.provider)
    if asked.grant_id:
        return get_object_or_404(grants, pk=asked.grant_id)
    if asked.issued_after:
        grants = grants.filter(issued_at__gt=asked.issued_after)
    grant = grants.order_by(F("issued_at").desc(nulls_last=True), "-pk").first()
    if grant is None:
        raise ApiError(
            409,
            "no_consent",
            _("There is no consent of yours at %(network)s. Send a person to the address of “GET oauth/connect” first.")
            % {"network": PROVIDERS[entry.provider].label},
        )
    return grant


def chosen_of(found: list[Candidate], asked: ConnectIn) -> list[Candidate]:
    """Everything that can be connected, or those that were named. Raises ApiError for what is not there."""
    connectable = [one for one in found if not one.obstacle]
    if asked.account_ids is None:
        return connectable
    wanted = set(asked.account_ids)
    if missing := sorted(wanted - {key for one in connectable for key in one.ids}):
        obstacles = [one.obstacle for one in found if one.obstacle and one.ids & wanted]
        told = _("The consent shows no account that can be connected with these ids: %(ids)s.") % {
            "ids": ", ".join(missing)
        }
        raise invalid({"accountIds": [told, *obstacles]})
    return [one for one in connectable if one.ids & wanted]


@routes.get("connected-accounts", auth=reads, response=AccountsOut, summary="What is connected")
def connected_accounts(request: ApiRequest, platform: PlatformKey | None = None) -> AccountsOut:
    """Also those whose access has ended: `isConnected` tells."""
    refuse_unknown(request, also=["platform"])
    rows = ConnectedAccount.objects.of(request.caller.workspace).listed().order_by("platform", "name", "pk")
    if platform:
        rows = rows.filter(platform=platform)
    accounts = [AccountOut.of(account) for account in rows]
    return AccountsOut(accounts=accounts, total=len(accounts))


@routes.get("connected-accounts/{uuid:account_id}", auth=reads, response=AccountOut, summary="One connected account")
def connected_account(request: ApiRequest, account_id: UUID) -> AccountOut:
    return AccountOut.of(find(request, account_id))


@routes.post("disconnect", auth=manages, response=DisconnectOut, summary="Disconnect")
def disconnect(request: ApiRequest, body: DisconnectIn) -> DisconnectOut:
    """The token is deleted, and given back to the network with the last account of its consent. The history stays."""
    account = find(request, body.account_id)
    connect.disconnect(account)
    return DisconnectOut(success=True, account_id=account.pk)


@routes.post(
    "connected-accounts/{uuid:account_id}/verify", auth=manages, response=AccountOut, summary="Is the access good?"
)
def verify_account(request: ApiRequest, account_id: UUID) -> AccountOut:
    """Asks the network. A clear no takes the account out of use."""
    keep_pace(request.caller, "connect")
    account = find(request, account_id)
    try:
        verify(account)
    except PlatformError as error:
        raise refusal(error, PROVIDERS[account.login_kind].label) from error
    account.refresh_from_db()
    return AccountOut.of(account)


@routes.post(
    "connected-accounts/{uuid:account_id}/renew",
    auth=manages,
    response={200: AccountOut, 409: ErrorAnswer},
    summary="Renew the access",
)
def renew_account(request: ApiRequest, account_id: UUID) -> AccountOut:
    """A new access from the network before the old one ends. That happens by itself in time; this is for the cautious.

    409 where there is nothing to renew: `not_renewable`, `too_fresh`, `under_way`. What we hold stays in use then.
    """
    keep_pace(request.caller, "connect")
    account = find(request, account_id)
    try:
        renewed = renew(account)
    except PlatformError as error:
        raise refusal(error, PROVIDERS[account.login_kind].label) from error
    why = "" if renewed.state is State.RENEWED else why_not_renewed(account, renewed.state)
    match renewed.state:
        case State.NOTHING:
            raise ApiError(409, "not_renewable", why)
        case State.TOO_YOUNG:
            raise ApiError(409, "too_fresh", why, headers={"Retry-After": "86400"})
        case State.BUSY:
            raise ApiError(409, "under_way", why, headers={"Retry-After": "5"})
    account.refresh_from_db()
    return AccountOut.of(account)


@routes.post(
    "connected-accounts/{uuid:account_id}/pause", auth=manages, response=AccountOut, summary="Stop publishing to it"
)
def pause_account(request: ApiRequest, account_id: UUID, body: PauseIn | None = None) -> AccountOut:
    """What is due waits, and goes out when it is resumed unless it is too late for it then."""
    account, asked = find(request, account_id), body or PauseIn()
    now = timezone.now()
    if asked.until is not None and not now < asked.until <= now + FARTHEST_PAUSE:
        raise invalid({"until": [_("Choose a time within the next year.")]})
    pauses.pause(account, by=request.caller.user, reason=asked.reason, until=asked.until)
    return AccountOut.of(account)


@routes.post(
    "connected-accounts/{uuid:account_id}/resume", auth=manages, response=AccountOut, summary="Go on publishing"
)
def resume_account(request: ApiRequest, account_id: UUID) -> AccountOut:
    account = find(request, account_id)
    pauses.resume(account)
    return AccountOut.of(account)


def find(request: ApiRequest, account_id: UUID) -> ConnectedAccount:
    """One that is not disconnected. `verify` and others need the way to its token."""
    accounts = ConnectedAccount.objects.of(request.caller.workspace).listed()
    return get_object_or_404(accounts.select_related("parent", "credential__grant", "workspace"), pk=account_id)
