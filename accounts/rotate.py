"""Sealing every secret again with the newest key, in batches, while everything runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import encrypt
from cryptography.fernet import InvalidToken
from django.db import models, transaction

from accounts.keys import key_ring
from accounts.models import Credential, Grant
from socialhub.fields import SecretTextField

SECRETS: tuple[tuple[type[models.Model], str], ...] = (
    (Grant, "access_token"),
    (Credential, "access_token"),
    (Grant, "refresh_token"),
)


@dataclass
class Rotation:
    """rotated: sealed again; lost: no key opens them, they stay as they are and show “reconnect”."""

    rotated: int = 0
    lost: int = 0


def rotate_all(batch_size: int = 200) -> Rotation:
    """Batches are short transactions, so that nobody waits long for a row."""
    done = Rotation()
    for model, column in SECRETS:
        for keys in batches(model.objects.filter(**{f"{column}__isnull": False}), batch_size):  # type: ignore[attr-defined]
            rotate_column(model, column, keys, done)
    for keys in batches(Authenticator.objects.all(), batch_size):
        rotate_authenticators(keys, done)
    return done


def batches(rows: models.QuerySet[Any], size: int) -> Iterator[list[Any]]:
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def rotate_column(model: type[models.Model], column: str, keys: list[Any], done: Rotation) -> None:
    field = model._meta.get_field(column)
    assert isinstance(field, SecretTextField)  # noqa: S101  narrows the type
    with transaction.atomic():
        rows = model.objects.select_for_update().filter(pk__in=keys).only("pk", column)  # type: ignore[attr-defined]
        for row in rows:
            secret = getattr(row, column)
            if secret is None:
                continue
            try:
                clear = secret.reveal()
            except InvalidToken:
                done.lost += 1
                continue
            # update(), so that `updated_at` goes on meaning "a new token was stored".
            model.objects.filter(pk=row.pk).update(**{column: clear})  # type: ignore[attr-defined]
            done.rotated += 1


def rotate_authenticators(keys: list[int], done: Rotation) -> None:
    ring = key_ring()
    with transaction.atomic():
        for row in Authenticator.objects.select_for_update().filter(pk__in=keys):
            for name in ("secret", "seed"):
                if not (sealed := row.data.get(name)):
                    continue
                try:
                    row.data[name] = encrypt(ring.decrypt(sealed.encode()).decode())
                except InvalidToken:
                    done.lost += 1
                else:
                    done.rotated += 1
            row.save(update_fields=["data"])
