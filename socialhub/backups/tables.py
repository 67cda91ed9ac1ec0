"""Which tables a backup holds, how their rows are written, and what in them is sealed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain

from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.apps import apps
from django.db import connection, models

from accounts.keys import key_ring
from accounts.rotate import IN_AUTHENTICATOR, secret_columns

# Tables that mean nothing anywhere else or any other time, each with the reason.
LEFT_OUT = {
    "django_session": "whoever reads a backup must not be signed in as anybody by it",
    "usersessions_usersession": "goes with the sessions",
    "accounts_oauthticket": "handshakes last ten minutes",
    "socialhub_beatlease": "who leads the schedule at the moment",
    "socialhub_heartbeat": "when it last ran",
    "socialhub_processheartbeat": "who is at work at the moment",
    "publishing_rendition": "pictures as networks take them are drawn anew from the originals",
    "analytics_workspaceexport": "people ask for an export again",
}
ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def kept() -> list[type[models.Model]]:
    """The models whose tables are in a backup, each table once."""
    found = {
        model._meta.db_table: model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.db_table not in LEFT_OUT
    }
    return [found[name] for name in sorted(found)]


def columns_of(table: str) -> tuple[str, ...]:
    """Those that are written, not those that the database computes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
            [table],
        )
        return tuple(row[0] for row in cursor.fetchall())


def copy_out(table: str, columns: Sequence[str], order: str) -> str:
    names = ", ".join(map(connection.ops.quote_name, columns))
    source, by = connection.ops.quote_name(table), connection.ops.quote_name(order)
    return f"COPY (SELECT {names} FROM {source} ORDER BY {by}) TO STDOUT"  # noqa: S608  names of our own tables


def copy_in(table: str, columns: Sequence[str]) -> str:
    names = ", ".join(map(connection.ops.quote_name, columns))
    return f"COPY {connection.ops.quote_name(table)} ({names}) FROM STDIN"


def values_of(line: bytes) -> list[bytes | None]:
    """One row as COPY writes it."""
    return [None if value == rb"\N" else ESCAPED.sub(plain, value) for value in line.split(b"\t")]


def plain(found: re.Match[bytes]) -> bytes:
    return LETTERS.get(found[1], found[1])


class Seals:
    """Counts the sealed values in the rows of one table, and those that a key of ours opens."""

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        sealed = {column for model, column in secret_columns() if model._meta.db_table == table}
        self._places = [columns.index(column) for column in columns if column in sealed]
        second_factors = table == Authenticator._meta.db_table and "data" in columns
        self._data = columns.index("data") if second_factors else None
        self._ring = key_ring()
        self.sealed = self.opened = 0

    @property
    def any(self) -> bool:
        return bool(self._places) or self._data is not None

    def look(self, line: bytes) -> None:
        values = values_of(line)
        for value in chain(self._columns(values), self._second_factors(values)):
            self.sealed += 1
            try:
                self._ring.decrypt(value)
            except InvalidToken:
                continue
            self.opened += 1

    def _columns(self, values: Sequence[bytes | None]) -> Iterator[bytes]:
        for place in self._places:
            value = values[place]
            if value is not None:
                yield bytes.fromhex(value.removeprefix(rb"\x").decode())

    def _second_factors(self, values: Sequence[bytes | None]) -> Iterator[bytes]:
        value = None if self._data is None else values[self._data]
        if value is not None:
            data = json.loads(value)
            yield from (data[name].encode() for name in IN_AUTHENTICATOR if data.get(name))
