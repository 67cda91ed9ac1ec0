"""`manage.py rotate_token_keys`: seal every stored secret again with the first of FERNET_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.rotate import rotate_all


class Command(BaseCommand):
    help = (
        "Seals all tokens and two-factor secrets again with the first key of FERNET_KEYS, while everything runs. "
        "Afterwards the other keys can be removed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch-size", type=int, default=200, help="rows per transaction (default: 200)")

    def handle(self, *args: Any, **options: Any) -> None:
        done = rotate_all(options["batch_size"])
        self.stdout.write(f"{done.rotated} secrets sealed with the first key.")
        if done.lost:
            self.stdout.write(
                f"{done.lost} could not be opened with any key and were left alone; their accounts ask to be reconnected."
            )
