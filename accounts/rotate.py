"""Sealing every secret again with the newest key, in batches, while everything runs.

What the newest key opens already is passed over, so that a run that broke off goes on where it stood. Columns of secrets
are found by themselves, on all floors: one that is forgotten here would be lost with the old key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import encrypt
from cryptography.fernet import InvalidToken
from django.apps import apps
from django.db import connection, models, transaction

from accounts import connection_cache
from accounts.keys import key_ring, newest_key
from accounts.models import Credential, Grant
from socialhub.fields import SecretTextField

IN_AUTHENTICATOR = ("secret", "seed")


@dataclass
class Rotation:
    """rotated: sealed again now; done: by an earlier run; lost: no key opens them, they show “reconnect”.

    remaining: sealed with an older key still, because they were written meanwhile by a process that knows no newer one.
    """

    rotated: int = 0
    done: int = 0
    lost: int = 0
    remaining: int = 0


def secret_columns() -> list[tuple[type[models.Model], str]]:
    """Every column that is sealed with our keys."""
    return [
        (model, field.attname)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, SecretTextField)
    ]


def rotate_all(batch_size: int = 200, *, on_batch: Callable[[Rotation], None] = lambda progress: None) -> Rotation:
    """Batches are short transactions, so that nobody waits long for a row. on_batch: hears after each how it stands."""
    progress = Rotation()
    for model, column in secret_columns():
        for keys in batches(model._base_manager.filter(**{f"{column}__isnull": False}), batch_size):
            rotate_column(model, column, keys, progress)
            on_batch(progress)
    for keys in batches(Authenticator.objects.all(), batch_size):
        rotate_authenticators(keys, progress)
        on_batch(progress)
    progress.remaining = count_remaining()
    return progress


def batches(rows: models.QuerySet[Any], size: int) -> Iterator[list[Any]]:
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def opens(sealed: bytes) -> bool:
    """Is it sealed with the newest key?"""
    try:
        newest_key().decrypt(sealed)
    except InvalidToken:
        return False
    return True


def count_remaining() -> int:
    """Secrets that an older key opens and the newest does not. Only reads."""
    return sum(
        not opens(sealed) and is_known(sealed)
        for sealed in (*sealed_columns(), *(sealed for row in Authenticator.objects.all() for sealed in seals_of(row)))
    )


def sealed_columns() -> Iterator[bytes]:
    for model, column in secret_columns():
        rows = model._base_manager.filter(**{f"{column}__isnull": False}).only("pk", column)
        for row in rows.iterator(chunk_size=500):
            yield getattr(row, column).sealed


def seals_of(row: Authenticator) -> list[bytes]:
    return [row.data[name].encode() for name in IN_AUTHENTICATOR if row.data.get(name)]


def is_known(sealed: bytes) -> bool:
    try:
        key_ring().decrypt(sealed)
    except InvalidToken:
        return False
    return True


def rotate_column(model: type[models.Model], column: str, keys: list[Any], progress: Rotation) -> None:
    field = model._meta.get_field(column)
    assert isinstance(field, SecretTextField)  # noqa: S101  narrows the type
    fresh: dict[Any, bytes] = {}
    with transaction.atomic():
        rows = model._base_manager.select_for_update().filter(pk__in=keys).order_by("pk").only("pk", column)
        for row in rows:
            secret = getattr(row, column)
            if secret is None:
                continue
            if opens(secret.sealed):
                progress.done += 1
                continue
            try:
                clear = secret.reveal()
            except InvalidToken:
                progress.lost += 1
                continue
            fresh[row.pk] = newest_key().encrypt(clear.encode())
        store(model, column, fresh)
    progress.rotated += len(fresh)
    if model is Credential:
        connection_cache.forget(keys)
    elif model is Grant:
        connection_cache.forget_grants(keys)


def store(model: type[models.Model], column: str, sealed: dict[Any, bytes]) -> None:
    """One statement for a batch. It leaves `updated_at` alone, which goes on meaning "a new token was stored"."""
    names = (model._meta.db_table, column, column, str(model._meta.pk.column))
    table, target, source, key = (connection.ops.quote_name(name) for name in names)
    kind = model._meta.pk.db_type(connection)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} t SET {target} = fresh.{source} "  # noqa: S608  names of our own columns
            f"FROM unnest(%s::{kind}[], %s::bytea[]) AS fresh(pk, {source}) WHERE t.{key} = fresh.pk",
            [list(sealed), list(sealed.values())],
        )


def rotate_authenticators(keys: list[int], progress: Rotation) -> None:
    ring = key_ring()
    with transaction.atomic():
        for row in Authenticator.objects.select_for_update().filter(pk__in=keys).order_by("pk"):
            for name in IN_AUTHENTICATOR:
                if not (sealed := row.data.get(name)):
                    continue
                if opens(sealed.encode()):
                    progress.done += 1
                    continue
                try:
                    row.data[name] = encrypt(ring.decrypt(sealed.encode()).decode())
                except InvalidToken:
                    progress.lost += 1
                else:
                    progress.rotated += 1
            row.save(update_fields=["data"])
