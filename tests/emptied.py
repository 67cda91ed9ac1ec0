"""The database as `migrate` leaves it, after a test that committed.

Django's own way is TRUNCATE over every table there is, with all permissions and jobs made anew: half a second after a
test of some milliseconds. Here only tables that have rows are emptied, and what was not changed stays.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction
from psycopg.sql import SQL, Identifier

from socialhub import schedule

STAYS = {"django_migrations", "django_content_type", "auth_permission"}
JOBS = {"django_celery_beat_periodictask", "django_celery_beat_intervalschedule", "django_celery_beat_crontabschedule"}
HAS_ROWS = SQL("EXISTS (SELECT FROM {table})")
ALL_ROWS = SQL("(SELECT md5(string_agg(kept::text, '|' ORDER BY kept.id)) FROM {table} kept)")

jobs_as_migrated: list[dict[str, str]] = []


def empty() -> None:
    """One transaction: foreign keys are looked at when it ends, so the order does not matter."""
    with transaction.atomic():
        delete_from(set(connection.introspection.table_names()) - STAYS - JOBS)
        if about(JOBS, ALL_ROWS) not in jobs_as_migrated:
            delete_from(JOBS)
            schedule.sync()
            jobs_as_migrated[:] = [about(JOBS, ALL_ROWS)]


def delete_from(tables: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for table, has_rows in about(tables, HAS_ROWS).items():
            if has_rows:
                cursor.execute(SQL("DELETE FROM {table}").format(table=Identifier(table)))


def about(tables: Iterable[str], question: SQL) -> dict[str, str]:
    """What one statement says of each table."""
    names = sorted(tables)
    with connection.cursor() as cursor:
        cursor.execute(SQL("SELECT ") + SQL(", ").join(question.format(table=Identifier(name)) for name in names))
        return dict(zip(names, cursor.fetchone() or (), strict=True))
