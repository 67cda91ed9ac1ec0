"""`manage.py rotate_token_keys`: seal every stored secret again with the first of FERNET_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.operators import look_at_keys
from accounts.rotate import Rotation, count_remaining, rotate_all


class Command(BaseCommand):
    help = (
        "Seals all tokens and two-factor secrets again with the first key of FERNET_KEYS, while everything runs. "
        "Can be broken off and started again. When nothing remains, the other keys can be removed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch-size", type=int, default=200, help="rows per transaction (default: 200)")
        parser.add_argument("--count", action="store_true", help="only say how many remain")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch_size"] < 1:
            raise CommandError("--batch-size must be at least 1.")
        look_at_keys()
        remaining = count_remaining()
        self.stdout.write(f"{remaining} secrets are sealed with an older key.")
        if options["count"]:
            return
        done = rotate_all(
            options["batch_size"], on_batch=lambda progress: self.tell(max(remaining - progress.rotated, 0), progress)
        )
        self.stdout.write(f"{done.rotated} secrets sealed with the first key.")
        if done.lost:
            self.stdout.write(
                f"{done.lost} could not be opened with any key and were left alone; their accounts ask to be reconnected."
            )
        if done.remaining:
            self.stdout.write(
                f"{done.remaining} remain: a process that knows only the older keys has written them meanwhile. Restart "
                "all processes with the new FERNET_KEYS and run this again."
            )
        else:
            self.stdout.write("0 remain: the older keys can be removed from FERNET_KEYS.")

    def tell(self, remaining: int, progress: Rotation) -> None:
        if progress.rotated:
            self.stdout.write(f"{remaining} remain …")
