"""`manage.py backup PLACE`: the whole installation as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from socialhub.backups.make import make, target_of
from socialhub.doctor import first_line


class Command(BaseCommand):
    help = (
        "Writes tables and uploaded files into one ZIP file, while everything runs. Access tokens stay sealed in it: keep "
        "FERNET_KEYS and SECRET_KEY somewhere else."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("place", type=Path, help="a folder, for a file with the time in its name; or the file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            target = target_of(options["place"], timezone.now())
            manifest = make(target, say=self.stdout.write)
        except OSError as error:
            raise CommandError(
                f"The backup could not be written, and nothing of it was left behind: {error}"
            ) from error
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(
                f"The database could not be read, and nothing was left behind: {first_line(error)}. Start PostgreSQL, or "
                "correct DATABASE_URL; where tables are missing, run: manage.py migrate"
            ) from error
        rows = sum(table.rows for table in manifest.tables.values())
        self.stdout.write(
            f"{target}: {rows} rows of {len(manifest.tables)} tables, {len(manifest.files)} files, "
            f"{target.stat().st_size} bytes."
        )
        self.stdout.write(
            f"{manifest.sealed} secrets are sealed in it. The key that seals has the fingerprint "
            f"{manifest.keys[0][:12]}; it is not in the backup. Keep FERNET_KEYS where this file is not."
        )
        if manifest.missing:
            self.stderr.write(
                f"{len(manifest.missing)} files that rows name were not there, such as {manifest.missing[0]}."
            )
        if lost := manifest.sealed - manifest.opened:
            self.stderr.write(f"{lost} secrets cannot be opened with the keys that are set here.")
