"""Forks Celery workers that die by SIGKILL at named points of the procedure.

Reads one JSON object per line, {account: [moment, step]}. The worker that is made for it publishes what is due; each
publication stops at its point, in the middle of the call, and when all have come so far the process is killed with all
of them in its hands. The answer is a line, too: {"signal": …, "reached": [account, …]}.

Moments: `before` a step; `sent`, the network has acted on its request and the answer is not read; `answered`, the answer
is read and nothing saved; `saved`, what it said is saved. For the step "commit" also `announced`, between the announcement
and the call, and two at which only the connection breaks, and the worker dies a little later of the others: `unheard`, the
call does not reach the network, and `lost`, the network acts and its answer does not reach us. The step "look" is the first
look after a commit whose answer was lost. The step "comment" is the first comment below what was published.
"""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import django

WORKER = [
    "worker", "--pool", "threads", "--concurrency", "24", "--without-gossip", "--without-mingle",
    "--without-heartbeat", "--loglevel", "ERROR",
]  # fmt: skip
MOST_SECONDS = 240  # for all to come to their points; whoever has not by then is told by its absence
ANSWER_SECONDS = 12
ANNOUNCED = ("commit", "comment")  # these begin before their call, with a word in the database

sending = threading.local()


class Points:
    """Where the worker shall die, by account, and who has come there."""

    def __init__(self, points: dict[str, list[str]]) -> None:
        self._points = points
        self._reached: set[str] = set()
        self._news = threading.Condition()

    def moment(self, account: Any, step: str) -> str:
        """At which moment of this step this account's publication stops, "" if at none."""
        moment, at = self._points.get(str(account.pk), ("", ""))
        return moment if at == step else ""

    def reach(self, account: Any) -> None:
        with self._news:
            self._reached.add(str(account.pk))
            self._news.notify_all()

    def stay(self, account: Any) -> NoReturn:
        """Until the process is killed."""
        self.reach(account)
        while True:
            time.sleep(60)

    def kill_when_reached(self, answer: int) -> None:
        with self._news:
            self._news.wait_for(lambda: len(self._reached) == len(self._points), MOST_SECONDS)
            os.write(answer, json.dumps(sorted(self._reached)).encode())
            os.kill(os.getpid(), signal.SIGKILL)


class Deadly:
    """A platform that stops around one of its steps, and is the real one otherwise."""

    def __init__(self, real: Any, account: Any, points: Points) -> None:
        self._real, self._account, self._points = real, account, points

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def perform(self, step: Any, *arguments: Any) -> Any:
        return self._around(step.key, lambda: self._real.perform(step, *arguments))

    def commit(self, *arguments: Any) -> Any:
        from socialhub.platforms.base import Accepted  # noqa: PLC0415  Django must be set up
        from socialhub.platforms.errors import OutcomeUnknownError  # noqa: PLC0415

        answer = self._around("commit", lambda: self._real.commit(*arguments))
        if self._points.moment(self._account, "look") and not isinstance(answer, Accepted):
            raise OutcomeUnknownError("The answer was lost.")
        return answer

    def look(self, *arguments: Any, **options: Any) -> Any:
        return self._around("look", lambda: self._real.look(*arguments, **options))

    def comment(self, *arguments: Any) -> Any:
        return self._around("comment", lambda: self._real.comment(*arguments))

    def _around(self, step: str, call: Callable[[], Any]) -> Any:
        moment = self._points.moment(self._account, step)
        if moment == "announced" or (moment == "before" and step not in ANNOUNCED):
            self._points.stay(self._account)
        if moment == "sent":
            sending.answered = lambda: self._points.stay(self._account)
        elif moment == "lost":
            sending.answered = self._break
        elif moment == "unheard":
            sending.begun = self._break
        answer = call()
        if moment in ("sent", "answered"):  # sent: a step that needed no call
            self._points.stay(self._account)
        return answer

    def _break(self) -> NoReturn:
        """The connection is gone. Only once: what follows is for the worker to mend."""
        self._points.reach(self._account)
        raise http.client.RemoteDisconnected("The connection was closed.")


def trouble_before(real: Callable[..., Any]) -> Callable[..., Any]:
    """Around the first thing that is sent of a request."""

    def putrequest(self: Any, *arguments: Any, **options: Any) -> Any:
        if begun := sending.__dict__.pop("begun", None):
            begun()
        return real(self, *arguments, **options)

    return putrequest


def trouble_behind(real: Callable[..., Any]) -> Callable[..., Any]:
    def getresponse(self: Any, *arguments: Any, **options: Any) -> Any:
        if answered := sending.__dict__.pop("answered", None):
            select.select([self.sock], [], [], ANSWER_SECONDS)  # its answer is here: the network has acted
            answered()
        return real(self, *arguments, **options)

    return getresponse


def account_of(work: Any) -> Any:
    """Of a job, or of what follows a publication."""
    return work.publication.account


def stay_before(real: Callable[..., bool], points: Points, step: str) -> Callable[..., bool]:
    def wrapped(work: Any) -> bool:
        if points.moment(account_of(work), step) == "before":
            points.stay(account_of(work))
        return real(work)

    return wrapped


def stay_after(real: Callable[..., Any], points: Points, step_of: Callable[[Any], str]) -> Callable[..., Any]:
    def wrapped(work: Any, *arguments: Any, **options: Any) -> Any:
        real(work, *arguments, **options)
        if points.moment(account_of(work), step_of(work)) == "saved":
            points.stay(account_of(work))

    return wrapped


def arm(points: Points) -> None:
    from publishing import follow_ups, job, publish  # noqa: PLC0415

    client_of = job.client_of
    for module in (job, follow_ups):
        module.client_of = lambda account: Deadly(client_of(account), account, points)  # type: ignore[attr-defined]
    publish._announce = stay_before(publish._announce, points, "commit")
    follow_ups.announce = stay_before(follow_ups.announce, points, "comment")
    follow_ups.finish = stay_after(follow_ups.finish, points, lambda row: "comment")
    publish._save_step = stay_after(publish._save_step, points, lambda job: job.step)
    publish._record = stay_after(publish._record, points, lambda job: "commit")
    publish.check = stay_after(publish.check, points, lambda job: "look")
    connection: Any = http.client.HTTPConnection
    connection.putrequest = trouble_before(connection.putrequest)
    connection.getresponse = trouble_behind(connection.getresponse)


def work(order: dict[str, list[str]], answer: int) -> NoReturn:
    from socialhub.celery import app  # noqa: PLC0415

    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    points = Points(order)
    arm(points)
    threading.Thread(target=points.kill_when_reached, args=(answer,), daemon=True).start()
    app.worker_main(WORKER)
    os._exit(0)


def answer(number: int, reached: Iterable[str] = ()) -> None:
    sys.stdout.write(json.dumps({"signal": number, "reached": list(reached)}) + "\n")
    sys.stdout.flush()


def main() -> None:
    django.setup()
    answer(0)
    for line in sys.stdin:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            work(json.loads(line), writing)
        os.close(writing)
        with os.fdopen(reading) as told:
            reached = json.loads(told.read() or "[]")
        _pid, status = os.waitpid(pid, 0)
        answer(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, reached)


if __name__ == "__main__":
    main()
