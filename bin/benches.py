"""The measurements of `bin/bench`, inside the environment."""

from __future__ import annotations

import argparse
import atexit
import gc
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

UNLIMITED = json.dumps({"facebook": {"publish": 1_000_000}})  # the engine is measured, not the limits
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
        EMAIL_URL="dummymail://",  # nothing but JSON on standard output
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


@contextmanager
def loaded(options: argparse.Namespace) -> Iterator[tuple[Any, Any, Callable[[], dict[str, int]]]]:
    """Workers at rest, posts that wait for their release, and who tells what the network got: (stage, load, counts)."""
    folder = prepare()
    waits = {"PUBLISH_LEASE_SECONDS": "120", "HTTP_READ_TIMEOUT_SECONDS": "30", "RATE_LIMITS": UNLIMITED}
    with stage(folder, **waits) as made:
        from tests.load import due_posts, feed_counts
        from tests.sandbox_process import free_port
        from tests.stage import wait_until

        made.network_url = f"{made.sandbox.url}/graph"
        if options.network == "sandbox":
            accounts, load = due_posts(made.sandbox, options.n, options.accounts)
            made.sandbox.latency(options.latency_ms)
            counts: Callable[[], dict[str, int]] = lambda: feed_counts(made.sandbox, accounts)  # noqa: E731
        else:
            _accounts, load = due_posts(None, options.n, options.accounts)
            address = f"http://127.0.0.1:{free_port()}"
            made.network_url = made.environment["META_GRAPH_URL"] = address
            made.start("tests.stub_network", address.rpartition(":")[2], str(options.latency_ms))
            counts = lambda: stub_counts(address)  # noqa: E731
            assert wait_until(lambda: answers(address), 20), "the stub did not start"
        for _ in range(options.workers):
            made.start_worker()
        time.sleep(5)
        yield made, load, counts


def answers(address: str) -> bool:
    try:
        stub_counts(address)
    except OSError:
        return False
    return True


def stub_counts(address: str) -> dict[str, int]:
    from collections import Counter

    import requests

    return Counter(requests.get(f"{address}/counts", timeout=5).json())


def case_of(options: argparse.Namespace) -> str:
    return f"{options.accounts} accounts, {options.workers} worker(s), {options.network}"


def publish(options: argparse.Namespace) -> None:
    """Publications per second, end to end, from the moment all are due until the last is settled."""
    with loaded(options) as (made, load, counts):
        began = time.monotonic()
        load.release()
        made.beat_until(made.settled, 300)
        seconds = time.monotonic() - began
        posts = counts()
        say(
            bench="publish",
            case=case_of(options),
            n=options.n,
            latency_ms=options.latency_ms,
            per_s=round(load.per_second(), 1),
            seconds=round(seconds, 2),
            # The accounts that are made for counting are known to the stub alone.
            **({"statements": statements(made.network_url)} if options.network == "stub" else {}),
            expected=options.n,
            found=sum(posts.values()),
            duplicates=load.duplicates(posts),
            lost=load.lost(posts),
        )


def lateness(options: argparse.Namespace) -> None:
    """From the moment at which posts are due to the beginning of each: many at one instant, then single ones."""
    with loaded(options) as (made, load, counts):
        from tests.load import release_one_by_one

        # As in real life the moment is known beforehand: the dispatcher sleeps until then.
        load.release(ahead_seconds=3)
        made.beat_until(made.settled, 300)
        late = load.lateness()
        posts = counts()
        say(
            bench="lateness",
            case=f"all at one instant, {case_of(options)}",
            n=options.n,
            latency_ms=options.latency_ms,
            p50_s=round(late[len(late) // 2], 3),
            p99_s=round(late[min(int(len(late) * 0.99), len(late) - 1)], 3),
            expected=options.n,
            found=sum(posts.values()),
            duplicates=load.duplicates(posts),
            lost=load.lost(posts),
        )
        single = release_one_by_one(made, 10)
        say(
            bench="lateness",
            case="one post at a time",
            n=len(single),
            latency_ms=options.latency_ms,
            p50_s=round(single[len(single) // 2], 3),
            p99_s=round(single[-1], 3),
        )


def statements(address: str, number: int = 20) -> float:
    """SQL statements per publication, counted in this process, the claims of a batch included."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext, override_settings

    from publishing import claims
    from publishing import publish as engine
    from tests.load import due_posts

    _accounts, load = due_posts(None, number, number)
    load.release()
    with override_settings(META_GRAPH_URL=address), CaptureQueriesContext(connection) as captured:
        for claim in claims.claim_due(number):
            engine.run(claim)
    return round(len(captured) / number, 1)


def kill(options: argparse.Namespace) -> None:
    """SIGKILL at every step of every kind: what was expected, what the feeds hold afterwards."""
    folder = prepare()
    from tests import kill_matrix

    with stage(folder, **kill_matrix.ENVIRONMENT) as made:
        made.start_web()
        rows = kill_matrix.run_matrix(made, options.turn)
    if options.table:
        print(kill_matrix.table(rows))
    else:
        for row in rows:
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


PAGES = {
    "dashboard": "/",
    "posts": "/posts/",
    "posts, a common word": "/posts/?q=camaro",
    "posts, a rare word": "/posts/?q=no77",
    "posts, failed": "/posts/?status=failed",
    "posts, one campaign": "/posts/?campaign=Campaign+7",
    "calendar, month": "/calendar/?view=month",
    "calendar, week": "/calendar/?view=week",
    "library": "/library/",
    "composer": "/posts/new/",
}
FIGURES = {
    "analytics": "/analytics/",
    "analytics, 90 days": "/analytics/?period=90d",
    "account, 24 hours": "/analytics/accounts/{account}/?period=24h",
    "account, 30 days": "/analytics/accounts/{account}/",
    "account, 90 days": "/analytics/accounts/{account}/?period=90d",
    "posts with figures": "/analytics/posts/",
    "posts with figures, best of 90 days": "/analytics/posts/?period=90d&sort=-engagement_rate",
    "figures of a post": "/analytics/posts/{post}/",
    "accounts compared": "/analytics/compare/?period=90d",
    "campaigns compared": "/analytics/campaigns/?period=90d",
}
ROWS_PER_POST = 40  # metric rows: hours and days of accounts, readings and days of posts


def pages(options: argparse.Namespace) -> None:
    """Pages of a workspace with few posts and with many: time, queries and weight of each answer."""
    prepare()
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    from analytics.models import PlatformPost
    from tests.archive import fill
    from tests.factories import make_user, workspace_of
    from tests.measured import fill_figures

    settings.DEBUG = False  # or each statement is written down
    for number in options.posts:
        user = make_user()
        account = fill(workspace_of(user), number)[1]
        rows = fill_figures(workspace_of(user), number * ROWS_PER_POST)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        gc.collect()
        gc.freeze()  # what this process has made rows of is none of a page's garbage
        client = Client(HTTP_HOST="127.0.0.1:8000")
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        post = PlatformPost.objects.filter(account=account).order_by("-posted_at")[100]
        for name, address in {**PAGES, **FIGURES}.items():
            found = measured_page(client, address.format(account=account.pk, post=post.pk), options.rounds)
            say(bench="pages", case=name, n=number, metric_rows=rows, **found)


def measured_page(client: Any, address: str, rounds: int) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    queries = len(captured)  # the next request begins a new list
    assert response.status_code == 200, f"{address} answered {response.status_code}"
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        client.get(address)
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    return {
        "p50_ms": round(times[len(times) // 2], 1),
        "p95_ms": round(times[min(int(len(times) * 0.95), len(times) - 1)], 1),
        "queries": queries,
        "html_kb": round(len(response.content) / 1024, 1),
    }


def ingest(options: argparse.Namespace) -> None:
    """Reading the figures of many accounts and their posts from the sandbox: calls, statements and seconds.

    A first reading of everything; the hours after it as the jobs go through them, full readings among them; everything
    at once. In the first of the hours nothing much is due yet, so it does not count for the average.
    """
    folder = prepare()
    with stage(folder) as made:
        os.environ.update({name: value for name, value in made.environment.items() if name.startswith("SANDBOX")})
        from django.conf import settings
        from django.test import override_settings

        from tests import readings
        from tests.factories import make_user, workspace_of

        settings.DEBUG = False
        with override_settings(**made.sandbox.settings):
            readings.connect(made.sandbox, workspace_of(make_user()), options.accounts, options.n)
            clock = readings.Clock(made.sandbox)
            try:
                say_cost("new accounts", readings.everything(made.sandbox))
                hours = []
                for _ in range(7):
                    hours.append(readings.hour(made.sandbox, clock))
                    say_cost("an hour of the jobs", hours[-1])
                say(bench="ingest", case="posts of the last 28 days", n=readings.recent_posts())
                per_hour = sum(one.calls for one in hours[1:]) / 6 / options.accounts
                say(bench="ingest", case="calls per account and hour", n=options.accounts, calls=round(per_hour, 2))
                clock.forward(readings.HOUR)
                say_cost("all recent posts", readings.posts_alone(made.sandbox))
                clock.forward(readings.HOUR)
                say_cost("everything at once", readings.everything(made.sandbox))
            finally:
                clock.stop()


def say_cost(case: str, cost: Any) -> None:
    say(
        bench="ingest",
        case=case,
        n=cost.accounts,
        posts=cost.posts,
        calls=cost.calls,
        statements=cost.statements,
        seconds=round(cost.seconds, 1),
        per_s=round(cost.accounts / cost.seconds, 1),
    )


def load(options: argparse.Namespace) -> None:
    """People on the pages for a minute, with posts going out all the while: errors, waiting, lateness.

    The processes are those of the Procfile: web as it stands there, workers, a beat.
    """
    folder = prepare()
    waits = {"PUBLISH_LEASE_SECONDS": "120", "HTTP_READ_TIMEOUT_SECONDS": "30", "RATE_LIMITS": UNLIMITED}
    real = {"DEBUG": "0", "SANDBOX_FORCE": "1", "WEB_CONCURRENCY": str(options.web)}
    with stage(folder, **waits, **real) as made:
        from django.db import connection
        from django.db.models import F, Max
        from django.utils import timezone

        from accounts.models import Membership
        from publishing.models import Attempt, QueueEntry
        from publishing.tasks import publish_due
        from tests.archive import fill
        from tests.factories import make_user, workspace_of
        from tests.load import due_posts, spread
        from tests.sandbox_process import free_port
        from tests.stage import procfile, wait_until
        from tests.visitors import visit

        users = [make_user() for _ in range(options.users)]
        for number in range(0, options.users, 10):  # an agency each
            fill(workspace_of(users[number]), options.posts[0])
            for user in users[number + 1 : number + 10]:
                Membership.objects.filter(user=user).update(workspace=workspace_of(users[number]), role="editor")
        QueueEntry.objects.all().delete()  # of the archives: only what is released here goes out
        _accounts, due = due_posts(None, options.n, options.accounts)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        address = f"http://127.0.0.1:{free_port()}"
        made.environment["META_GRAPH_URL"] = address
        made.environment["PORT"] = made.web_url.rpartition(":")[2]
        made.start("tests.stub_network", address.rpartition(":")[2], str(options.latency_ms))
        made.run(procfile("web"))
        for _ in range(options.workers):
            made.run(procfile("worker"))
        made.run(procfile("beat"))
        assert wait_until(made._web_answers, 90), "the web process did not start"
        assert wait_until(lambda: answers(address), 20), "the stub did not start"
        time.sleep(10)
        spread(timezone.now() + timedelta(seconds=2), options.seconds)
        publish_due.apply_async()  # as whoever schedules a post does
        visits = visit(made.web_url, users, options.seconds)
        wait_until(made.settled, 30)
        began = Attempt.objects.filter(number=1).values("publication").annotate(first=Max("started_at"))
        late = sorted(
            (row["first"] - row["due"]).total_seconds()
            for row in began.annotate(due=F("publication__scheduled_at")).values("first", "due")
        )
        posts = stub_counts(address)
        waits_ms = [second * 1000 for second in visits.all]
        for page, seconds in visits.seconds.items():
            if seconds:
                say(bench="load", case=f"page {page}", n=len(seconds), **quantiles(sorted(s * 1000 for s in seconds)))
        say(bench="load", case=f"{options.users} people", n=len(waits_ms), **quantiles(waits_ms), errors=visits.errors)
        say(
            bench="load",
            case=f"posts meanwhile, {options.accounts} accounts, {options.workers} worker(s)",
            n=len(late),
            p50_s=round(late[len(late) // 2], 3),
            p99_s=round(late[int(len(late) * 0.99)], 3),
            most_s=round(late[-1], 3),
            expected=options.n,
            found=sum(posts.values()),
            duplicates=due.duplicates(posts),
            lost=due.lost(posts),
        )


def quantiles(ordered: list[float]) -> dict[str, float]:
    last = len(ordered) - 1
    return {
        "p50_ms": round(ordered[len(ordered) // 2], 1),
        "p95_ms": round(ordered[min(int(len(ordered) * 0.95), last)], 1),
        "most_ms": round(ordered[last], 1),
    }


def memory(options: argparse.Namespace) -> None:
    """Proportional memory of web, worker and beat, idle, as the Procfile starts them."""
    folder = prepare()
    with stage(folder, DEBUG="0", SANDBOX_FORCE="1") as made:
        from tests.stage import procfile, wait_until

        made.environment["PORT"] = made.web_url.rpartition(":")[2]
        started = {name: made.run(procfile(name)) for name in ("web", "worker", "beat")}
        assert wait_until(made._web_answers, 90), "the web process did not start"
        time.sleep(15)
        sizes = {name: round(pss_with_children(process.pid) / 1024) for name, process in started.items()}
        for name, size in sizes.items():
            say(bench="memory", case=f"{name}, idle", pss_mb=size)
        say(bench="memory", case="web + worker + beat, idle", pss_mb=sum(sizes.values()))


def pss_with_children(pid: int) -> int:
    """Kilobytes, shared pages counted by share (Linux)."""
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return own + sum(pss_with_children(int(child)) for child in children)


BENCHES: dict[str, Callable[[argparse.Namespace], None]] = {
    "publish": publish,
    "lateness": lateness,
    "kill": kill,
    "claim": claim,
    "pages": pages,
    "ingest": ingest,
    "load": load,
    "memory": memory,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure; one JSON object per line.")
    parser.add_argument("name", choices=BENCHES)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--accounts", type=int, default=10)
    parser.add_argument("--latency-ms", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--network", choices=["stub", "sandbox"], default="stub")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turn", type=int, help="kill: only the sample that bin/test takes on such a day, 0 to 2")
    parser.add_argument("--table", action="store_true", help="kill: in Markdown, a line per kind")
    parser.add_argument("--posts", type=int, nargs="+", default=[1000, 50_000], help="pages: posts in the workspace")
    parser.add_argument("--users", type=int, default=50, help="load: people at the same time")
    parser.add_argument("--seconds", type=int, default=60, help="load: for how long")
    parser.add_argument("--web", type=int, default=2, help="load: web processes")
    parser.add_argument("--rounds", type=int, default=60, help="pages: how often each page is asked for")
    options = parser.parse_args()
    BENCHES[options.name](options)
    return 0
