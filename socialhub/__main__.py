"""Starts what works in the background: python -m socialhub worker|beat

As the program `celery` would (`celery --app socialhub worker --pool threads …`), without its command line: that loads an
interactive shell first, 10 MB in each process for as long as it lives.
"""

from __future__ import annotations

import os
import sys

import django
from celery.apps.beat import Beat

from socialhub.celery import app

THREADS = 4  # take messages; what publishes and what reads has threads of its own, see PUBLISH_THREADS


class SoloBeat(Beat):
    """Beat that knows the schedule by the names of its tasks, and does not load what workers do at them."""

    def init_loader(self) -> None:
        django.setup()
        self.app.finalize()


def worker() -> int:
    here = app.Worker(
        pool_cls="threads",
        concurrency=THREADS,
        loglevel="WARNING",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    here.start()
    return int(here.exitcode or 0)


def beat() -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "socialhub.settings_beat"
    SoloBeat(app=app, scheduler="socialhub.beat:SoloScheduler", quiet=True).run()
    return 0


if __name__ == "__main__":
    sys.argv[0:1] = ["-m", "socialhub"]  # a worker that is sent SIGHUP starts itself anew with these words
    processes = {"worker": worker, "beat": beat}
    if len(sys.argv) != 3 or sys.argv[2] not in processes:
        sys.exit("python -m socialhub worker|beat")
    sys.exit(processes[sys.argv[2]]())
