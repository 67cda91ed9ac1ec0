"""Workers are killed by SIGKILL at every moment of every step; each feed holds exactly one post afterwards.

This is the short form: the commits of the kinds with a client of their own, and another part of everything else each day. `bin/bench kill` does it all.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from publishing.models import Attempt, Publication, Status
from socialhub.platforms.rules import RULES
from tests.kill_matrix import COMMENT, COMMIT, ENVIRONMENT, LOOK, PARTS, kinds, run_matrix
from tests.kinds import KINDS, is_taken
from tests.stage import Stage

pytestmark = pytest.mark.processes

TURN = int(os.environ.get("KILL_TURN", timezone.now().toordinal() % PARTS))  # the same all day; KILL_TURN repeats it


@pytest.fixture
def stage(transactional_db: None, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path, **ENVIRONMENT)
    yield made
    made.stop()


AFTER_THE_END = (f"saved {COMMIT}", f"unheard {COMMIT}", f"lost {COMMIT}", f"saved {LOOK}", COMMENT)


def test_exactly_one_post_wherever_the_worker_dies(stage: Stage):
    stage.start_web()
    rows = run_matrix(stage, TURN)
    assert len(rows) > 150
    not_reached = [row["case"] for row in rows if row["died_of"] != signal.SIGKILL]
    assert not not_reached
    # Of a comment that cannot be read back nobody is sure: it may be missing, but is never written twice.
    wrong = [row for row in rows if row["duplicates"] or row["lost"] or row["found"] < 1 - row["asked"]]
    assert not wrong, f"KILL_TURN={TURN}: {wrong}"
    assert {row["status"] for row in rows} == {Status.PUBLISHED, "asked"}
    # Nobody is asked but where the network cannot be read, and there only when the call may have been made.
    asked = [row["case"] for row in rows if row["asked"]]
    assert all(case.startswith("linkedin member") for case in asked)
    assert not [case for case in asked if case.endswith((f"before {COMMIT}", f"saved {COMMIT}"))]
    # The record tells of it: each publication but those whose worker died after the end of an attempt has a lost one.
    lost = Attempt.objects.filter(outcome="lost").values("publication").distinct().count()
    assert lost >= sum(not row["case"].endswith(AFTER_THE_END) for row in rows)
    assert Publication.objects.filter(status=Status.PUBLISHED).count() == len(rows)


def test_the_matrix_has_every_kind_that_the_networks_take():
    assert {(kind.platform, kind.post_type) for kind in kinds()} == {
        (key, post_type) for key, rules in RULES.items() for post_type in rules.post_types
    }
    assert [str(kind) for kind in KINDS if not is_taken(kind)] == []
    assert len(KINDS) == len({str(kind) for kind in KINDS}) >= 40
