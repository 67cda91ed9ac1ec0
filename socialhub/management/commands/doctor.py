"""`manage.py doctor`: is everything there that this installation needs?"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from socialhub.doctor import Line, Mark, examine


class Command(BaseCommand):
    help = (
        "Looks at settings, secrets, database, Redis, processes, files, mail, the public address and the networks. Each line "
        "is ok, warn or fail, with what to do. Ends with 1 when something fails."
    )
    requires_system_checks = ()  # they are among what is looked at

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument("--offline", action="store_true", help="ask nothing outside of this installation")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = examine(outside=not options["offline"])
        counts = Counter(line.mark for line in lines)
        if options["json"]:
            told = {"ok": not counts[Mark.FAIL], "lines": [asdict(line) for line in lines]}
            self.stdout.write(json.dumps(told, indent=1))
        else:
            self.tell(lines, counts)
        if counts[Mark.FAIL]:
            sys.exit(1)

    def tell(self, lines: list[Line], counts: Counter[Mark]) -> None:
        styles = {Mark.OK: self.style.SUCCESS, Mark.WARN: self.style.WARNING, Mark.FAIL: self.style.ERROR}
        for line in lines:
            self.stdout.write(f"{styles[line.mark](f'{line.mark.value:<4}')}  {line.topic:<9}  {line.text}")
            if line.advice and line.mark is not Mark.OK:
                self.stdout.write(f"{'':<17}→ {line.advice}")
        self.stdout.write(f"{counts[Mark.OK]} ok, {counts[Mark.WARN]} warnings, {counts[Mark.FAIL]} failures")
