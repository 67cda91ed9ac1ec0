"""Tickets of running OAuth handshakes: a `state` is good once, for ten minutes, for one person in one workspace."""

from __future__ import annotations

from hashlib import sha256

from django.utils import timezone

from accounts.models import OAuthTicket, User, Workspace


def digest_of(state: str) -> str:
    return sha256(state.encode()).hexdigest()


def issue(state: str, *, user: User, workspace: Workspace, provider: str, product: str) -> OAuthTicket:
    return OAuthTicket.objects.create(
        digest=digest_of(state), user=user, workspace=workspace, provider=provider, product=product
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
            used_at=None,
            expires_at__gt=now,
        ).update(used_at=now)
    )
