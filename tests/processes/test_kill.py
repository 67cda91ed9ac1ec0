"""Workers are killed by SIGKILL at every moment of every step; each feed holds exactly one post afterwards."""

from __future__ import annotations

import signal

import pytest

from publishing.models import Attempt, Publication
from tests.kill_matrix import cases, run_matrix
from tests.stage import Stage

pytestmark = pytest.mark.processes


def test_exactly_one_post_wherever_the_worker_dies(stage: Stage):
    stage.start_web()
    rows = run_matrix(stage)
    assert len(rows) == len(list(cases())) >= 40
    assert {row["died_of"] for row in rows} == {signal.SIGKILL}, [r for r in rows if r["died_of"] != signal.SIGKILL]
    wrong = [row for row in rows if row["found"] != 1 or row["status"] != "published"]
    assert not wrong, wrong
    # The record tells of it: each publication but those that died after the end has a lost attempt.
    lost = Attempt.objects.filter(outcome="lost").values("publication").distinct().count()
    died_after_the_end = sum(row["case"].endswith("saved publish") for row in rows)
    assert lost == Publication.objects.count() - died_after_the_end
