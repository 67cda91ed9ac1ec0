"""Tickets of running OAuth handshakes: a `state` is good once, for ten minutes, for one person in one workspace.

A handshake that a program began with an API key belongs to the person of the key, but whoever comes back from the network
has no session of theirs. So its ticket is never good for a session, and the other way round.
"""

from __future__ import annotations

from hashlib import sha256

from django.utils import timezone

from accounts.models import ApiKey, OAuthTicket, User, Workspace


def digest_of(state: str) -> str:
    return sha256(state.encode()).hexdigest()


def issue(
    state: str,
    *,
    user: User,
    workspace: Workspace,
    provider: str,
    product: str,
    api_key: ApiKey | None = None,
    code_verifier: str | None = None,
) -> OAuthTicket:
    return OAuthTicket.objects.create(
        digest=digest_of(state),
        user=user,
        workspace=workspace,
        provider=provider,
        product=product,
        api_key=api_key,
        code_verifier=code_verifier,
    )


def redeem(state: str, *, user: User, workspace: Workspace, provider: str) -> bool:
    """One statement decides: of any number of callbacks at once, exactly one is told True."""
    now = timezone.now()
    return bool(
        OAuthTicket.objects.filter(
            digest=digest_of(state),
            user=user,
            workspace=workspace,
            provider=provider,
            api_key=None,
            used_at=None,
            expires_at__gt=now,
        ).update(used_at=now)
    )


def of_program(state: str) -> OAuthTicket | None:
    """The ticket of a handshake that a program began, used or run out as it may be."""
    return (
        OAuthTicket.objects.exclude(api_key=None)
        .select_related("api_key", "user", "workspace")
        .filter(digest=digest_of(state))
        .first()
    )


def redeem_of_program(ticket: OAuthTicket) -> bool:
    """As `redeem`."""
    now = timezone.now()
    return bool(
        OAuthTicket.objects.filter(pk=ticket.pk, used_at=None, expires_at__gt=now)
        .exclude(api_key=None)
        .update(used_at=now)
    )
