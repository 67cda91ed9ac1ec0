"""Migrations take data along: a row of every table of an earlier version is there after them, and means the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import Credential, Workspace
from publishing.models import Post
from socialhub.backups import make as making
from socialhub.backups.archive import Archive
from socialhub.backups.make import make
from socialhub.backups.tables import kept
from socialhub.backups.verify import verify
from tests.lasting.old_rows import Maker
from tests.lasting.places import Place, place

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = {"accounts": "0010", "publishing": "0013", "analytics": "0008", "socialhub": "0001"}
FIRST = dict.fromkeys(BEFORE, "0001")
TOKEN = "a-token-of-then"
# Left behind by migrations that change what rows say; of all other columns each value must be what it was.
REWRITTEN = {"analytics_insightwindow", "analytics_platformpost", "analytics_postsnapshot"}
INDEXES = "SELECT indexrelid FROM pg_index WHERE indrelid::regclass::text ~ '^(publishing|analytics)_'"
MOMENTS = {"django_celery_beat_periodictasks"}  # when the schedule changed last, which it just has


@pytest.fixture
def old(transactional_db: None, tmp_path: Path) -> Iterator[Place]:
    with place("upgrade", tmp_path) as made, made.inside():
        yield made


def migrate_to(versions: dict[str, str]) -> list[type[Any]]:
    """Returns the models of then."""
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    ours = [
        next(node for node in graph.nodes if node[0] == app and node[1].startswith(at)) for app, at in versions.items()
    ]
    others = [node for node in graph.leaf_nodes() if node[0] not in versions]
    # What others need of ours is part of the plan already; theirs may not pull ours further.
    executor.migrate(ours)
    executor = MigrationExecutor(connection)
    fitting = [node for node in others if not pulls(executor, node, versions)]
    state = executor.migrate(fitting)
    return list(state.apps.get_models(include_auto_created=True))


def pulls(executor: MigrationExecutor, node: tuple[str, str], versions: dict[str, str]) -> bool:
    applied = executor.loader.applied_migrations
    return any(
        step.app_label in versions and (step.app_label, step.name) not in applied
        for step, _ in executor.migration_plan([node])
    )


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, as JSON."""
    found = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names():
            if name != "django_migrations":
                cursor.execute(f"SELECT to_jsonb(t) FROM {connection.ops.quote_name(name)} t ORDER BY 1")  # noqa: S608
                found[name] = [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in cursor]
    return found


def fill(models: list[type[Any]]) -> None:
    maker = Maker()
    maker.all_of(models)
    credential = next(model for model in models if model._meta.db_table == "accounts_credential")
    credential._base_manager.update(access_token=TOKEN)
    assert all(model._base_manager.exists() for model in models), "each has a row"


def to_the_newest() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


def test_from_the_version_before_every_row_stays_as_it_was(old: Place) -> None:
    fill(migrate_to(BEFORE))
    before = everything()
    to_the_newest()
    after = everything()
    for table, rows in before.items():
        if table in MOMENTS:
            continue
        columns = set(rows[0]) & set(after[table][0]) if rows and table in after and after[table] else set()
        assert columns or not rows, f"{table} has lost its rows"
        then = [{name: row[name] for name in columns} for row in rows]
        now = [{name: row[name] for name in columns} for row in after[table]]
        assert [row for row in then if row not in now] == [], table
    assert Credential.objects.get().access_token.reveal() == TOKEN
    for model in apps.get_models():
        list(model._base_manager.all())


def test_from_the_first_version_every_row_is_still_there(old: Place) -> None:
    fill(migrate_to(FIRST))
    before = everything()
    to_the_newest()
    after = everything()
    for table, rows in before.items():
        if table not in REWRITTEN:
            assert len(after.get(table, [])) >= len(rows), table
    assert Credential.objects.get().access_token.reveal() == TOKEN
    for model in apps.get_models():
        list(model._base_manager.all())


def test_where_only_an_index_goes_no_foreign_key_is_looked_through_anew(old: Place) -> None:
    """That would shut the tables that are published from for as long as it takes."""
    at = {"accounts": "0011", "publishing": "0017", "analytics": "0009"}
    migrate_to(at)
    keys, indexes = numbered("SELECT oid FROM pg_constraint WHERE contype = 'f'"), numbered(INDEXES)
    migrate_to({**at, "publishing": "0018", "analytics": "0010"})
    assert numbered("SELECT oid FROM pg_constraint WHERE contype = 'f'") == keys
    assert len(indexes) - len(numbered(INDEXES)) == 8


def numbered(statement: str) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {row[0] for row in cursor}


def test_a_backup_of_the_version_before_is_restored_into_this_one(
    old: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(migrate_to(BEFORE))
    there = set(connection.introspection.table_names())
    monkeypatch.setattr(making, "kept", lambda: [model for model in kept() if model._meta.db_table in there])
    target = tmp_path / "old.zip"
    manifest = make(target)
    assert "accounts_apikey" not in manifest.tables
    with Archive(target) as archive:
        assert verify(archive).problems == []
    post = Post.objects.values_list("pk", "caption").get()
    with place("newer", tmp_path) as newer:
        answer = newer.manage("restore", str(target))
        assert answer.returncode == 0, answer.stderr
        with newer.inside():
            assert Post.objects.values_list("pk", "caption").get() == post
            assert Workspace.objects.get().deleting_at is None
            assert Credential.objects.get().access_token.reveal() == TOKEN
            executor = MigrationExecutor(connection)
            assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
