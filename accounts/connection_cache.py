"""Credential and grant of an account in the cache, with their tokens sealed as in the database.

For callers that hold the row of an account and nothing else; who loads many accounts joins them, which is quicker.
The database stays the truth:

- What is kept serves only the row it was kept for: connected, and neither connected nor verified anew since then. The
  row in hand comes from the database, so a disconnected account is one whether or not the cache has heard of it.
- Every change bars the entry, before its transaction ends and after it. A bar cannot be written over for a minute, so
  that nobody keeps what they have read before the change.
- Where the cache was not there to be told of a renewal, the network refuses the old token, and tokens.mend finds the new.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import models, transaction
from django.db.models.signals import post_delete, post_save, pre_delete
from django.dispatch import receiver
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.models import ConnectedAccount, Credential, Grant
from socialhub.fields import Secret, SecretTextField

logger = logging.getLogger(__name__)

BEFORE_END = timedelta(minutes=5)
LONGEST = timedelta(hours=1)
BAR = "changed"
BAR_SECONDS = 60

CREDENTIAL_FIELDS = ("account", "grant", "access_token", "expires_at", "updated_at")
# The rest, such as the refresh token, is read from the database by whoever asks for it.
GRANT_FIELDS = ("id", "provider", "platform_user_id", "access_token", "issued_at", "expires_at", "updated_at")


def key_of(account_id: UUID) -> str:
    return f"connection:{account_id}"


def recall(account: ConnectedAccount) -> Credential | None:
    """What was kept for exactly this row; None where the database must be asked."""
    if not account.is_connected:
        return None
    try:
        kept = cache.get(key_of(account.pk))
    except RedisError:
        logger.debug("the cache does not answer; connections are read from the database")
        return None
    if not isinstance(kept, dict) or kept["until"] <= timezone.now():
        return None
    if kept["row"] != mark_of(account):
        forget([account.pk])
        return None
    credential = opened(Credential, kept["credential"])
    credential.grant = opened(Grant, kept["grant"]) if kept["grant"] else None
    return credential


def keep(account: ConnectedAccount, credential: Credential, ends: Iterable[datetime | None]) -> None:
    """Until five minutes before the first of these ends. Call it with what was just read."""
    now = timezone.now()
    until = min([now + LONGEST, *(end - BEFORE_END for end in ends if end)])
    if until <= now or not account.is_connected:
        return
    kept = {
        "until": until,
        "row": mark_of(account),
        "credential": sealed(credential, CREDENTIAL_FIELDS),
        "grant": sealed(credential.grant, GRANT_FIELDS) if credential.grant else None,
    }
    try:
        cache.add(key_of(account.pk), kept, (until - now).total_seconds())
    except RedisError:
        logger.debug("the cache does not answer; a connection is not kept")


def forget(account_ids: Iterable[UUID]) -> None:
    """Something about these connections changes, or is about to."""
    if not (keys := [key_of(account_id) for account_id in account_ids]):
        return
    bar(keys)
    if transaction.get_connection().in_atomic_block:
        transaction.on_commit(lambda: bar(keys))


def forget_grants(grants: Iterable[UUID]) -> None:
    forget(Credential.objects.filter(grant__in=list(grants)).values_list("account_id", flat=True))


def bar(keys: list[str]) -> None:
    try:
        cache.set_many(dict.fromkeys(keys, BAR), BAR_SECONDS)
    except RedisError:
        logger.debug("the cache does not answer; what it keeps of connections runs out by itself")


# Rows that are saved or deleted, those that go with another one included. An update() has to say so itself.


@receiver([post_save, post_delete], sender=Credential)
def credential_changed(instance: Credential, **kwargs: Any) -> None:
    forget([instance.account_id])


@receiver([post_save, pre_delete], sender=Grant)
def grant_changed(instance: Grant, **kwargs: Any) -> None:
    forget_grants([instance.pk])


def mark_of(account: ConnectedAccount) -> tuple[Any, ...]:
    return account.connected_at, account.last_verified_at, account.platform_account_id


def sealed(row: models.Model, names: Iterable[str]) -> dict[str, Any]:
    values = {}
    for name in names:
        field = row._meta.get_field(name)
        assert isinstance(field, models.Field)  # noqa: S101  narrows the type
        value = getattr(row, field.attname)
        assert not (isinstance(field, SecretTextField) and isinstance(value, str)), "it was not read from the database"  # noqa: S101
        values[field.attname] = value.sealed if isinstance(value, Secret) else value
    return values


def opened(model: type[Any], values: dict[str, Any]) -> Any:
    """The row as if it had been read, without the fields that are not kept."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    loaded = [
        fields[name].from_db_value(value) if isinstance(fields[name], SecretTextField) else value
        for name, value in values.items()
    ]
    return model.from_db("default", list(values), loaded)
