"""The measurements of `bin/bench`, inside the environment."""

from __future__ import annotations

import argparse
import atexit
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def say(**values: Any) -> None:
    print(json.dumps(values), flush=True)


def prepare() -> Path:
    """Services, environment and an empty database of our own. Django is ready afterwards."""
    from socialhub.services import start_postgres, start_redis

    base = ROOT / "var" / "bench"
    base.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="b", dir=base))
    folder.chmod(0o755)  # the embedded PostgreSQL runs as another user when we are root
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    redis_url, redis = start_redis(folder / "redis")
    atexit.register(redis.wait)
    atexit.register(redis.terminate)
    os.environ.update(
        ENV_FILE="",
        DATABASE_URL=start_postgres(folder / "pg", durable=True),
        REDIS_URL=redis_url,
        SECRET_KEY="bench-" + "x" * 40,
        FERNET_KEYS="bench-only-key-with-more-than-32-characters",
        DEBUG="1",
        SANDBOX="1",
        PUBLIC_BASE_URL="http://127.0.0.1:8000",
        MEDIA_ROOT=str(folder / "media"),
        DJANGO_SETTINGS_MODULE="socialhub.settings",
        LOG_LEVEL="WARNING",
    )
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    return folder


@contextmanager
def stage(folder: Path, **environment: str) -> Iterator[Any]:
    from tests.stage import Stage

    made = Stage(folder, **environment)
    try:
        yield made
    finally:
        made.stop()


def publish(options: argparse.Namespace) -> None:
    """Publications per second, end to end, from the moment all are due until the last is settled."""
    folder = prepare()
    with stage(folder, PUBLISH_LEASE_SECONDS="120", HTTP_READ_TIMEOUT_SECONDS="30") as made:
        from tests.load import due_posts, feed_counts

        accounts, count = due_posts(made.sandbox, options.n, options.accounts)
        made.sandbox.latency(options.latency_ms)
        for _ in range(options.workers):
            made.start_worker()
        time.sleep(4)
        began = time.monotonic()
        count.release()
        made.beat_until(made.settled, 300)
        seconds = time.monotonic() - began
        posts = feed_counts(made.sandbox, accounts)
        say(
            bench="publish",
            case=f"{options.accounts} accounts, {options.workers} worker(s)",
            n=options.n,
            latency_ms=options.latency_ms,
            per_s=round(count.per_second(), 1),
            seconds=round(seconds, 2),
            expected=options.n,
            found=sum(posts.values()),
            duplicates=count.duplicates(posts),
            lost=count.lost(posts),
        )


def kill(options: argparse.Namespace) -> None:
    """SIGKILL at every step: what was expected, what the feeds hold afterwards."""
    folder = prepare()
    with stage(folder) as made:
        from tests.kill_matrix import run_matrix

        made.start_web()
        for row in run_matrix(made):
            say(bench="kill", **row)


def claim(options: argparse.Namespace) -> None:
    """How long it takes to claim 100 entries while the table holds many."""
    prepare()
    from django.db import connection, transaction

    from publishing import claims
    from tests.load import fill_queue

    fill_queue(options.rows, accounts=1000)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE publishing_queueentry")
    times = []
    for _ in range(30):
        with transaction.atomic():
            began = time.perf_counter()
            taken = claims._take(100, "bench")
            times.append((time.perf_counter() - began) * 1000)
            transaction.set_rollback(True)
        assert len(taken) == 100
    times.sort()
    say(bench="claim", case="100 of the table", n=options.rows, p50_ms=round(times[15], 2), p95_ms=round(times[28], 2))


def memory(options: argparse.Namespace) -> None:
    """Proportional memory of web, worker and beat, idle."""
    folder = prepare()
    with stage(folder) as made:
        made.start_web()
        made.start_worker()
        made.start("celery", "--app", "socialhub", "beat", "--scheduler", "socialhub.beat:SoloScheduler")
        time.sleep(10)
        sizes = {process.pid: pss_with_children(process.pid) for process in made.processes}
        say(bench="memory", case="web + worker + beat, idle", pss_mb=round(sum(sizes.values()) / 1024))


def pss_with_children(pid: int) -> int:
    """Kilobytes, shared pages counted by share (Linux)."""
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return own + sum(pss_with_children(int(child)) for child in children)


BENCHES: dict[str, Callable[[argparse.Namespace], None]] = {
    "publish": publish,
    "kill": kill,
    "claim": claim,
    "memory": memory,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure; one JSON object per line.")
    parser.add_argument("name", choices=BENCHES)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--accounts", type=int, default=10)
    parser.add_argument("--latency-ms", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    BENCHES[options.name](options)
    return 0
