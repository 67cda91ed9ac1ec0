"""Keys with which programs act for a person: made, known again, revoked."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiKey, User, Workspace

logger = logging.getLogger(__name__)

PREFIX = "shk_"  # so that people, and programs that look for leaked secrets, see what it is
START_LENGTH = 10
USED_EVERY = timedelta(minutes=5)  # a key in use costs one write in that time, not one with each request


def make(
    workspace: Workspace, user: User, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key and its text, which nobody can get again."""
    text = new_text()
    key = ApiKey.objects.create(
        workspace=workspace,
        user=user,
        name=name,
        start=text[:START_LENGTH],
        digest=digest_of(text),
        scopes=[scope for scope in ApiKey.Scope.values if scope in set(scopes)],
        expires_at=expires_at,
    )
    logger.info("API key %s of workspace %s was made by user %s", key.pk, workspace.pk, user.pk)
    return key, text


def first_text(key: ApiKey) -> str:
    """The text of a key that nobody has seen yet: a new one, because that which it was made with is gone."""
    text = new_text()
    key.start, key.digest = text[:START_LENGTH], digest_of(text)
    key.save(update_fields=["start", "digest"])
    return text


def new_text() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def find(text: str) -> ApiKey | None:
    """The key while it lives: not revoked, not expired, its person and its workspace still there."""
    if not text.startswith(PREFIX):
        return None
    now = timezone.now()
    key = (
        ApiKey.objects.select_related("user", "workspace")
        .filter(
            Q(expires_at=None) | Q(expires_at__gt=now),
            digest=digest_of(text),
            revoked_at=None,
            user__is_active=True,
            workspace__deleting_at=None,
        )
        .first()
    )
    if key and (key.last_used_at is None or key.last_used_at < now - USED_EVERY):
        key.last_used_at = now
        key.save(update_fields=["last_used_at"])
    return key


def revoke(key: ApiKey, by: User) -> None:
    """It opens nothing from now on. Revoked again it stays as it was."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now(), revoked_by=by):
        logger.info("API key %s of workspace %s was revoked by user %s", key.pk, key.workspace_id, by.pk)
    key.refresh_from_db()


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
