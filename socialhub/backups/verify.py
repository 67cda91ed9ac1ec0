"""Reading all of a backup without touching anything: is it whole, and could it be restored here?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.apps import apps
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from accounts.operators import fingerprint
from socialhub.backups.archive import Archive, BadBackup, Part, Table, file_part, table_part
from socialhub.backups.tables import Seals


@dataclass
class Verdict:
    """problems: reasons not to restore it. locked: secrets that opened when it was made and do not open here."""

    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    rows: int = 0
    files: int = 0
    sealed: int = 0
    opened: int = 0
    locked: int = 0


def verify(archive: Archive, *, say: Callable[[str], object] = lambda text: None) -> Verdict:
    """Never raises for what is wrong with the backup."""
    verdict = Verdict()
    verdict.problems += unknown_migrations(archive)
    verdict.problems += [f"{name} does not belong into a backup." for name in archive.strangers()[:10]]
    say(f"{len(archive.manifest.tables)} tables …")
    for name, table in archive.manifest.tables.items():
        noting(verdict, verify_table, archive, name, table)
    say(f"{len(archive.manifest.files)} files …")
    for name, part in archive.manifest.files.items():
        noting(verdict, verify_file, archive, name, part)
    judge_keys(archive, verdict)
    if missing := archive.manifest.missing:
        verdict.remarks.append(
            f"{len(missing)} files were missing already when the backup was made, such as {missing[0]}. Posts that need "
            "them will say so."
        )
    return verdict


def noting(verdict: Verdict, check: Callable[..., None], archive: Archive, name: str, part: Part | Table) -> None:
    try:
        check(archive, verdict, name, part)
    except BadBackup as error:
        verdict.problems.append(str(error))


def verify_table(archive: Archive, verdict: Verdict, name: str, table: Table) -> None:
    seals = Seals(name, table.columns)
    rows = 0
    with archive.part(table_part(name), Part(table.size, table.sha256)) as source:
        for line in source.lines():
            rows += 1
            if line.count(b"\t") != len(table.columns) - 1:
                raise BadBackup(f"Row {rows} of {name} has not the columns that it should have.")
            if seals.any:
                try:
                    seals.look(line)
                except ValueError as error:
                    raise BadBackup(f"Row {rows} of {name} cannot be read.") from error
    if rows != table.rows:
        raise BadBackup(f"{name} has {rows} rows instead of {table.rows}.")
    verdict.rows += rows
    verdict.sealed, verdict.opened = verdict.sealed + seals.sealed, verdict.opened + seals.opened


def verify_file(archive: Archive, verdict: Verdict, name: str, part: Part) -> None:
    with archive.part(file_part(name), part) as source:
        for _chunk in source.chunks():
            pass
    verdict.files += 1


def judge_keys(archive: Archive, verdict: Verdict) -> None:
    """What was lost before is no fault of the backup; what is locked now is for want of a key."""
    verdict.locked = max(archive.manifest.opened - verdict.opened, 0)
    here = {fingerprint(key) for key in settings.FERNET_KEYS}
    if verdict.locked:
        wanted = ", ".join(key[:12] for key in archive.manifest.keys if key not in here)
        verdict.problems.append(
            f"{verdict.locked} of {verdict.sealed} secrets cannot be opened with the keys that are set here. Add the "
            f"FERNET_KEYS of the installation that the backup came from (fingerprints {wanted or 'unknown'}), or restore "
            "with --lost-keys and connect the accounts again."
        )


def unknown_migrations(archive: Archive) -> list[str]:
    """It may be older than this version, never newer."""
    known = set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
    installed = {config.label for config in apps.get_app_configs()}
    unknown = [
        f"{app}.{name}"
        for app, names in archive.manifest.migrations.items()
        for name in names
        if app in installed and (app, name) not in known
    ]
    if not unknown:
        return []
    return [
        f"It was made by version {archive.manifest.version}, whose tables this version does not know "
        f"({', '.join(unknown[:3])}). Install that version or a newer one, then restore."
    ]
