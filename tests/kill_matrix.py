"""The kill matrix: workers die at every moment of every step; afterwards each feed holds exactly one post.

A case is one publication on an account of its own, and a moment of a step at which the worker that has it in hand is
killed. The steps come from the plan of the platform itself. Besides the steps each kind has the commit, and the look that
follows when the answer to the commit was lost (or when the network publishes by itself, and has to be asked). At two
moments of the commit only the connection dies at first: its call is never heard, or its answer is lost. Where a network
takes first comments, one kind has them too: the comment stands there once, as the post does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from publishing.follow_ups import COMMENT_SETTLES
from publishing.models import FollowUp, Publication, QueueEntry, Status
from publishing.schedule import decide
from publishing.tasks import follow_up
from socialhub.platforms.rules import RULES
from tests.factories import make_user, workspace_of
from tests.kinds import KINDS, Kind, Shelf, draft, due, is_taken, steps_of
from tests.stage import Killers, Stage

DIRECT = ("facebook", "instagram", "linkedin")
COMMIT, LOOK, COMMENT = "commit", "look", "comment"  # beside the keys of a plan's other steps
STEP_MOMENTS = ("before", "sent", "answered", "saved")
COMMIT_MOMENTS = ("before", "announced", "unheard", "lost", "sent", "answered", "saved")
COMMENT_MOMENTS = ("before", "announced", "sent", "answered", "saved")
BATCH = 130  # cases that one worker has in hand when it dies
RECOVERY_SECONDS = 240
# With a whole batch at work at once, a small machine must not run into the time limits: it dies of nothing else than we say.
ENVIRONMENT = {
    "PUBLISH_LEASE_SECONDS": "20",
    "HTTP_READ_TIMEOUT_SECONDS": "9",
    "PUBLISH_THREADS": "140",
}
PARTS = 8  # a sample has one of them of whatever it has not at all times


@dataclass(frozen=True)
class Case:
    kind: Kind
    moment: str
    step: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.moment} {self.step}"

    @property
    def fields(self) -> dict[str, Any]:
        return {"first_comment": "First!"} if self.step == COMMENT else {}


def kinds() -> list[Kind]:
    return [kind for kind in KINDS if is_taken(kind)]


def cases(stage: Stage, shelf: Shelf) -> Iterator[Case]:
    """All of them, kind by kind."""
    commenting = set()
    for kind in kinds():
        for step in steps_of(draft(stage.sandbox, shelf, kind)):
            yield from (Case(kind, moment, step) for moment in STEP_MOMENTS)
        yield from (Case(kind, moment, COMMIT) for moment in COMMIT_MOMENTS)
        yield from (Case(kind, moment, LOOK) for moment in STEP_MOMENTS)
        if RULES[kind.platform].first_comment_limit and (kind.platform, kind.account) not in commenting:
            commenting.add((kind.platform, kind.account))
            yield from (Case(kind, moment, COMMENT) for moment in COMMENT_MOMENTS)


def sample(found: Iterable[Case], turn: int) -> list[Case]:
    """The commits of all kinds that have a client of their own, and a part of everything else: another one each turn.

    What goes through Buffer goes one road, whatever network is at its end.
    """
    chosen, rest = [], turn
    for case in found:
        if case.step == COMMIT and case.kind.platform in DIRECT:
            chosen.append(case)
        else:
            rest += 1
            if rest % PARTS == 0:
                chosen.append(case)
    return chosen


def run_matrix(stage: Stage, turn: int | None = None) -> list[dict[str, Any]]:
    """Kill workers at all cases, then let a healthy one clean up; a row per case with what the feed holds.

    turn: only a sample. The stage needs its web process, and ENVIRONMENT.
    """
    shelf = Shelf(workspace_of(make_user()))
    found = cases(stage, shelf)
    chosen = list(found) if turn is None else sample(found, turn)
    died = kill_at(stage, shelf, chosen)
    let_time_pass_for_comments()
    stage.start_worker()
    stage.beat_until(all_known, RECOVERY_SECONDS)
    rows = [Row(stage, *each) for each in died]
    for row in rows:
        row.decide()
    stage.beat_until(all_known, RECOVERY_SECONDS)
    return [row.values() for row in rows]


def kill_at(stage: Stage, shelf: Shelf, chosen: Sequence[Case]) -> list[tuple[Case, Publication, int]]:
    """Each case with its publication and the signal that ended its worker there, 0 if it never came so far."""
    killers = Killers(stage)
    made: list[tuple[Case, Publication, int]] = []
    try:
        for start in range(0, len(chosen), BATCH):
            batch = chosen[start : start + BATCH]
            publications = {case: due(stage.sandbox, shelf, case.kind, **case.fields) for case in batch}
            points = {str(one.account_id): (case.moment, case.step) for case, one in publications.items()}
            signal, reached = killers.kill_worker_at(points)
            for case, publication in publications.items():
                made.append((case, publication, signal if str(publication.account_id) in reached else 0))
    finally:
        killers.stop()
    return made


def let_time_pass_for_comments() -> None:
    """Their leases and the time after which a comment that is not found was not written are no settings."""
    past = timezone.now() - timedelta(seconds=1)
    open_ones = FollowUp.objects.filter(kind=FollowUp.Kind.COMMENT, done_at=None)
    open_ones.update(lease_until=None, due_at=past, began_at=F("began_at") - 2 * COMMENT_SETTLES)


def all_known() -> bool:
    """Nothing is in the queue but what a person is asked about, and the comments are written."""
    comments = FollowUp.objects.filter(kind=FollowUp.Kind.COMMENT, done_at=None).exists()
    if comments:
        follow_up.apply_async(retry=False)
    return not comments and not QueueEntry.objects.filter(awaits_decision=False).exists()


class Row:
    """What became of a case. Where a person was asked, they look at the feed and answer what is true."""

    def __init__(self, stage: Stage, case: Case, publication: Publication, died_of: int) -> None:
        self.stage, self.case, self.publication, self.died_of = stage, case, publication, died_of
        publication.refresh_from_db()
        self.asked = QueueEntry.objects.filter(pk=publication.pk, awaits_decision=True).exists()
        self.found = self.posts()

    def feed(self) -> list[dict[str, Any]]:
        return self.stage.sandbox.feed(self.publication.account.platform_account_id)

    def posts(self) -> list[str]:
        return [post["id"] for post in self.feed()]

    def decide(self) -> None:
        if not self.asked:
            return
        if self.found:
            decide(self.publication, "there", by=None, platform_post_id=self.found[0])
        else:
            decide(self.publication, "absent", by=None)

    def values(self) -> dict[str, Any]:
        """asked: a person had to be asked, so it is not counted as published by us alone, nor as lost.

        found: what the feed holds in the end. Lost is what does not stand there, or what we do not know of.
        """
        self.publication.refresh_from_db()
        if self.case.step == COMMENT:
            return self.values_of_comment()
        posts = self.posts()
        knows = self.publication.status == Status.PUBLISHED and self.publication.platform_post_id in posts
        needless = self.asked and self.case.kind.can_be_read  # it could have been found out
        return self.told("asked" if self.asked else self.publication.status, posts, not posts or not knows or needless)

    def values_of_comment(self) -> dict[str, Any]:
        """Of a comment that cannot be known to be there, a person is told; it is never written again."""
        follow = FollowUp.objects.get(publication=self.publication, kind=FollowUp.Kind.COMMENT)
        comments = [comment for post in self.feed() for comment in post["comments"]]
        self.asked = follow.outcome == FollowUp.Outcome.UNKNOWN
        lost = (
            (not comments or follow.outcome != FollowUp.Outcome.DONE)
            if self.case.kind.can_be_read
            else (not comments and not self.asked)
        )
        return self.told("asked" if self.asked else self.publication.status, comments, lost or len(self.posts()) != 1)

    def told(self, status: str, found: list[str], lost: bool) -> dict[str, Any]:
        return {
            "case": str(self.case),
            "kind": str(self.case.kind) + (" (first comment)" if self.case.step == COMMENT else ""),
            "died_of": self.died_of,
            "status": status,
            "expected": 1,
            "asked": int(self.asked),
            "found": len(found),
            "duplicates": max(len(found) - 1, 0),
            "lost": int(lost),
        }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """In Markdown, a line per kind, for people."""
    lines = ["| Kind | Killed | Expected | Found | Person asked | Duplicates | Lost |", "|---|--:|--:|--:|--:|--:|--:|"]
    total: Counter[str] = Counter()
    by_kind: dict[str, Counter[str]] = {}
    for row in rows:
        counts = Counter({"killed": 1, **{key: row[key] for key in COLUMNS}})
        by_kind.setdefault(row["kind"], Counter()).update(counts)
        total.update(counts)
    for name, counts in [*by_kind.items(), ("**all**", total)]:
        lines.append(f"| {name} | {' | '.join(str(counts[key]) for key in ('killed', *COLUMNS))} |")
    return "\n".join(lines)


COLUMNS = ("expected", "found", "asked", "duplicates", "lost")
