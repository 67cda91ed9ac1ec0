"""Writing a backup while everything runs: the tables in one snapshot, then the files that they name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from accounts.operators import fingerprint
from socialhub import VERSION
from socialhub.backups.archive import (
    CHUNK_BYTES,
    MANIFEST,
    README,
    Manifest,
    Part,
    Table,
    Writer,
    file_part,
    table_part,
)
from socialhub.backups.tables import Seals, columns_of, copy_out, kept

ABOUT = """This is a backup of socialhub: its tables as PostgreSQL's COPY writes them (tables/), the uploaded files (files/), and a
list of all parts with their sizes and SHA-256 digests (manifest.json).

Check it with:    python manage.py restore FILE --check
Restore it with:  python manage.py restore FILE

Access tokens are sealed in it. Without the FERNET_KEYS of the installation it came from they cannot be opened, and every
account has to be connected again. It holds texts, names, e-mail addresses and hashes of passwords as they are: keep it as
you keep the database.
"""


def target_of(place: Path, now: datetime) -> Path:
    """A folder gets a file with the time in its name; anything else is the file."""
    return place / f"socialhub-{now:%Y%m%d-%H%M%S}Z.zip" if place.is_dir() else place


def make(target: Path, *, say: Callable[[str], object] = lambda text: None) -> Manifest:
    """Write the backup. It stands under its name when it is whole, and never before. Raises OSError, FileExistsError."""
    if target.exists():
        raise FileExistsError(f"{target} is there already; a backup is never written over.")
    unfinished = target.with_name(target.name + ".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            writer = Writer(file)
            try:
                manifest = write(writer, say)
            except BaseException:
                writer.abandon()
                raise
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return manifest


def write(writer: Writer, say: Callable[[str], object]) -> Manifest:
    writer.text(README, ABOUT)
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT now()")  # takes the snapshot, and tells its moment
            taken_at: datetime = cursor.fetchone()[0]
        say("Tables …")
        tables, sealed, opened = write_tables(writer)
        names = sorted(set(stored_files()))
        applied = migrations()
    say(f"{len(names)} files …")
    files, missing = write_files(writer, names)
    manifest = Manifest(
        taken_at=taken_at.astimezone(UTC),
        version=VERSION,
        server=str(connection.pg_version),  # type: ignore[attr-defined]
        address=settings.PUBLIC_BASE_URL,
        migrations=applied,
        keys=[fingerprint(key) for key in settings.FERNET_KEYS],
        sealed=sealed,
        opened=opened,
        tables=tables,
        files=files,
        missing=missing,
    )
    writer.text(MANIFEST, manifest.to_json())
    writer.close()
    return manifest


def write_tables(writer: Writer) -> tuple[dict[str, Table], int, int]:
    """Returns the tables, and how many secrets are in them, all and those that open."""
    tables: dict[str, Table] = {}
    sealed = opened = 0
    for model in kept():
        table = model._meta.db_table
        columns = columns_of(table)
        seals = Seals(table, columns)
        rows = 0
        with (
            writer.part(table_part(table), packed=True) as sink,
            connection.cursor() as cursor,
            cursor.copy(copy_out(table, columns, str(model._meta.pk.column))) as copied,
        ):
            for data in copied:  # whole rows: the server sends them one by one
                sink.write(data)
                lines = bytes(data).split(b"\n")[:-1]
                rows += len(lines)
                for line in lines if seals.any else ():
                    seals.look(line)
        tables[table] = Table(columns, rows, sink.part.size, sink.part.sha256)
        sealed, opened = sealed + seals.sealed, opened + seals.opened
    return tables, sealed, opened


def stored_files() -> Iterator[str]:
    """What the rows of the snapshot say that there is."""
    for model in kept():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.FileField):
                filled = model._base_manager.exclude(**{field.attname: ""}).values_list(field.attname, flat=True)
                yield from filled.iterator(chunk_size=2000)


def write_files(writer: Writer, names: list[str]) -> tuple[dict[str, Part], list[str]]:
    """Returns the parts, and the names of files that are not there: rows may have lost theirs, or have gone meanwhile."""
    files: dict[str, Part] = {}
    missing = []
    for name in names:
        try:
            stored: Any = default_storage.open(name, "rb")
        except FileNotFoundError:
            missing.append(name)
            continue
        with stored, writer.part(file_part(name), packed=False) as sink:
            while chunk := stored.read(CHUNK_BYTES):
                sink.write(chunk)
        files[name] = sink.part
    return files, missing


def migrations() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for app, name in MigrationRecorder.Migration.objects.order_by("id").values_list("app", "name"):
        found.setdefault(app, []).append(name)
    return found
