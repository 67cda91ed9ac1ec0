"""`manage.py restore FILE`: check a backup, or put it in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from socialhub.backups.archive import Archive, BadBackup
from socialhub.backups.restore import Refused, Restored, restore
from socialhub.backups.verify import Verdict, verify


class Command(BaseCommand):
    help = (
        "Restores what `manage.py backup` has written, into an empty database. With --check it only reads all of it and says "
        "whether it is whole and whether its secrets open with the keys that are set. Nothing that could be out already is "
        "published before the networks were looked at."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--check", action="store_true", help="touch nothing")
        parser.add_argument("--replace", action="store_true", help="in place of what is in the database")
        parser.add_argument(
            "--paused", action="store_true", help="nothing goes out before people resume; for a copy to try things with"
        )
        parser.add_argument(
            "--nobody-published-early",
            action="store_true",
            help="send what is planned for later without looking whether somebody published it ahead of its time",
        )
        parser.add_argument(
            "--lost-keys", action="store_true", help="although secrets cannot be opened: accounts are connected again"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with Archive(options["file"]) as archive:
                taken = f"{archive.manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC"
                self.stdout.write(f"A backup of {archive.manifest.address}, taken at {taken}.")
                if options["check"]:
                    self.tell(verify(archive, say=self.stdout.write))
                    return
                done = restore(
                    archive,
                    replace=options["replace"],
                    lost_keys=options["lost_keys"],
                    paused=options["paused"],
                    planned_too=not options["nobody_published_early"],
                    say=self.stdout.write,
                )
        except (BadBackup, Refused) as error:
            raise CommandError(str(error)) from error
        self.tell_restored(done, taken)

    def tell(self, verdict: Verdict) -> None:
        self.stdout.write(
            f"{verdict.rows} rows and {verdict.files} files read; {verdict.opened} of {verdict.sealed} secrets open with "
            "the keys that are set here."
        )
        for remark in verdict.remarks:
            self.stdout.write(remark)
        if verdict.problems:
            raise CommandError("\n".join(verdict.problems))
        self.stdout.write("The backup is whole.")

    def tell_restored(self, done: Restored, taken: str) -> None:
        verdict, doubts = done.verdict, done.doubts
        self.stdout.write(
            f"Restored: {verdict.rows} rows, {verdict.files} files; {verdict.opened} of {verdict.sealed} secrets open."
        )
        for remark in verdict.remarks:
            self.stdout.write(remark)
        self.stdout.write(
            f"{doubts.waiting} publications are looked for at their networks before they go out, {doubts.comments} first "
            f"comments before they are written; {doubts.assemblies} posts that waited for files ask a person. "
            f"{doubts.open} drafts and failed publications say that they may be out."
        )
        self.stdout.write(
            f"Since {taken} API keys may have been revoked, members removed and data deleted: do that again. Then start "
            "web, worker and beat, and run: manage.py doctor"
        )
