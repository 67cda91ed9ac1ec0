"""Putting a backup in place: all of it in one transaction, or nothing.

The tables are made by the migrations that the backup names, filled, and brought up to date by those that came since. What
was there before goes in the same transaction, so that a restore that fails leaves everything as it was, and no worker ever
sees rows that could go out without the doubt that a restore puts on them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from psycopg.errors import LockNotAvailable
from redis.exceptions import RedisError

from accounts import operators
from accounts.language import speaking_to_staff
from accounts.models import User, Workspace
from publishing.restored import Doubts, doubt_everything
from socialhub.backups.archive import CHUNK_BYTES, Archive, BadBackup, Part, Table, file_part, table_part
from socialhub.backups.tables import columns_of, copy_in
from socialhub.backups.verify import Verdict, verify
from socialhub.models import ProcessHeartbeat

AT_WORK = timedelta(seconds=90)  # processes say every half minute that they are there
# Rows that were written after the backup had numbers, too, and others (receivers of webhooks) may know them by these.
NUMBERS_APART = 1_000_000
LOCK_SECONDS = 20  # for whoever uses the tables to let go of them


class Refused(Exception):
    """It is not restored, and nothing was changed. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Restored:
    verdict: Verdict
    doubts: Doubts


def restore(
    archive: Archive,
    *,
    replace: bool = False,
    lost_keys: bool = False,
    paused: bool = False,
    planned_too: bool = True,
    say: Callable[[str], object] = lambda text: None,
) -> Restored:
    """replace: put it in place of what is there. lost_keys: although secrets cannot be opened here.

    paused: nothing goes out before people resume each workspace. planned_too: as in `doubt_everything`. Raises Refused.
    """
    refuse_while_at_work()
    if not replace and not is_empty():
        raise Refused(
            "There are people or workspaces in this database. Use an empty one, or --replace to put the backup in place of "
            "what is there."
        )
    verdict = verify(archive, say=say)
    if problems := [text for text in verdict.problems if not (lost_keys and "--lost-keys" in text)]:
        raise Refused("\n".join(problems))
    say("Writing the files …")
    try:
        put_files(archive)
        say("Writing the tables …")
        with transaction.atomic(durable=True):
            drop_all()
            fill(archive)
            MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())
            doubts = doubt_everything(archive.manifest.taken_at, planned_too=planned_too)
            if paused:
                pause_all()
            note(archive)
    except BadBackup as error:  # it has changed since it was read
        raise Refused(str(error)) from error
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise Refused("Somebody else is at work in this database. Stop whatever uses it first.") from error
        raise
    say("Finishing …")
    call_command("migrate", interactive=False, verbosity=0)  # nothing is left to migrate: permissions, schedule
    forget_cache(say)
    return Restored(verdict, doubts)


def tables_here() -> set[str]:
    return set(connection.introspection.table_names())


def refuse_while_at_work() -> None:
    if ProcessHeartbeat._meta.db_table not in tables_here():
        return
    busy = ProcessHeartbeat.objects.filter(seen_at__gt=timezone.now() - AT_WORK)
    if names := list(busy.values_list("name", flat=True)[:5]):
        raise Refused(
            f"Processes are at work on this database ({', '.join(names)}). Stop web, worker and beat first; they count as "
            "stopped a minute and a half after they were heard of last."
        )


def is_empty() -> bool:
    """Nobody has begun with it. A fresh database may have tables and rows already, from its migrations."""
    there = tables_here()
    return not any(
        model._meta.db_table in there and model._base_manager.exists()  # type: ignore[attr-defined]
        for model in (User, Workspace)
    )


# --- Tables ---------------------------------------------------------------------------------------------------


def drop_all() -> None:
    """All tables of ours as the migrations have left them, and nothing else that may live in the database."""
    if MigrationRecorder.Migration._meta.db_table not in tables_here():
        return
    loader = MigrationExecutor(connection).loader
    state = loader.project_state([node for node in loader.applied_migrations if node in loader.graph.nodes])
    ours = {model._meta.db_table for model in state.apps.get_models(include_auto_created=True)}
    ours.add(MigrationRecorder.Migration._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        for name in sorted(ours & tables_here()):
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(name)} CASCADE")
        cursor.execute(
            "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = current_schema() AND p.proname LIKE 'publishing\\_%%'"
        )
        for (function,) in cursor.fetchall():
            cursor.execute(f"DROP FUNCTION {function}")


def fill(archive: Archive) -> None:
    """Tables as they were, and their rows. Raises BadBackup."""
    executor = MigrationExecutor(connection)
    executor.migrate(last_of(archive, executor.loader.graph))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    there = tables_here()
    for name, table in archive.manifest.tables.items():
        if name in there:  # an app that was taken out since leaves its table behind
            fill_table(archive, name, table)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # every row that another one needs has to be there
    number_on(there & set(archive.manifest.tables))


def last_of(archive: Archive, graph: MigrationGraph) -> list[tuple[str, str]]:
    """The migrations of each app behind which none had been applied."""
    applied = {(app, name) for app, names in archive.manifest.migrations.items() for name in names} & set(graph.nodes)
    return sorted(
        node
        for node in applied
        if not any(child.key in applied and child.key[0] == node[0] for child in graph.node_map[node].children)
    )


def fill_table(archive: Archive, name: str, table: Table) -> None:
    if unknown := set(table.columns) - set(columns_of(name)):
        raise BadBackup(f"{name} has columns that are not known here: {', '.join(sorted(unknown))}.")
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {connection.ops.quote_name(name)}")  # noqa: S608  what migrations have put there
        with (
            archive.part(table_part(name), Part(table.size, table.sha256)) as source,
            cursor.copy(copy_in(name, table.columns)) as rows,
        ):
            for chunk in source.chunks():
                rows.write(chunk)


def number_on(names: Iterable[str]) -> None:
    """Rows to come get numbers that no row ever had."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND is_identity = 'YES' AND table_name = ANY(%s)",
            [list(names)],
        )
        for table, column in cursor.fetchall():
            quoted, key = connection.ops.quote_name(table), connection.ops.quote_name(column)
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence(%s, %s), (SELECT coalesce(max({key}), 0) FROM {quoted}) + %s)",  # noqa: S608
                [quoted, column, NUMBERS_APART],
            )


# --- Files ----------------------------------------------------------------------------------------------------


class Reading(io.RawIOBase):
    """A part of the archive as the file that a storage wants to save."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._chunks, b"")
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def put_files(archive: Archive) -> None:
    """Each under the very name that its row knows. The storage refuses what lies outside of its folder."""
    for name, part in archive.manifest.files.items():
        with archive.part(file_part(name), part) as source:
            default_storage.delete(name)
            content: File[bytes] = File(io.BufferedReader(Reading(source.chunks()), CHUNK_BYTES), name)
            content.size = part.size
            # Not `save`, which may choose another name.
            saved = default_storage._save(name, content)  # type: ignore[attr-defined]
        if saved != name:
            raise BadBackup(f"{name} could not be stored under its name.")


# --- After ----------------------------------------------------------------------------------------------------


def pause_all() -> None:
    Workspace.objects.filter(paused_at=None).update(
        paused_at=timezone.now(), paused_until=None, pause_reason=gettext_noop("Restored from a backup")
    )


def note(archive: Archive) -> None:
    taken_at = archive.manifest.taken_at
    with speaking_to_staff():
        operators.warn(
            f"restored:{taken_at.isoformat()}",
            title=_("Restored from a backup of %(when)s UTC") % {"when": f"{taken_at:%Y-%m-%d %H:%M}"},
            body=_(
                "What happened since is missing: revoked API keys, removed members and changed passwords are as they were "
                "then, and data that somebody had deleted is back. docs/backup.md says what to look after."
            ),
        )


def forget_cache(say: Callable[[str], object]) -> None:
    try:
        cache.clear()
    except RedisError:
        say("Redis does not answer. Empty it before anything is started: it may hold what was known before.")
