"""The clock of the server changes, for summer or by hand: posts go out at their instant, once, and none is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from publishing import claims
from publishing.models import Attempt, Publication, QueueEntry, Status
from publishing.schedule import schedule
from socialhub.platforms.base import NotYet, Step, StepKind
from tests.factories import make_account, make_post
from tests.fakes import LOST
from tests.publishing.conftest import run_due

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
# In Berlin the hour from 02:00 comes twice in October (until and from 01:00 UTC), and not at all in March.
CHANGES = [datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2027, 3, 28, 1, tzinfo=UTC)]


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the machine itself stood in Berlin."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("change", CHANGES, ids=["clocks back", "clocks forward"])
def test_posts_around_a_change_of_the_clocks_start_at_their_instants(
    network, account, workspace, in_berlin: None, change: datetime
) -> None:
    minutes = range(-90, 91, 30)
    with time_machine.travel(change - 2 * HOUR, tick=False) as clock:
        posts = {minute: make_post(workspace, account, time_zone="Europe/Berlin") for minute in minutes}
        for minute, post in posts.items():
            schedule(post, change + timedelta(minutes=minute), by=None)
        for _ in range(8 * 60):
            clock.shift(timedelta(seconds=30))
            claims.sweep()
            run_due()
    begun = {
        attempt.publication.post_id: attempt.started_at for attempt in Attempt.objects.select_related("publication")
    }
    assert Attempt.objects.count() == len(posts)
    assert begun == {post.pk: change + timedelta(minutes=minute) for minute, post in posts.items()}
    texts = sorted(post.text for post in network.feed[account.platform_account_id])
    assert texts == sorted(post.caption for post in posts.values())


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
def test_a_clock_that_jumps_while_posts_wait_costs_time_and_nothing_else(network, workspace, jump: timedelta) -> None:
    """One waits for its time, one for the network, one has lost its worker, and of one the outcome is looked for."""
    wait = Step("ready", StepKind.WAIT, "Waiting")
    network.steps = (wait, network.plan_step("publish", commit=True))
    began = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with time_machine.travel(began, tick=False) as clock:
        posts = [make_post(workspace, make_account(workspace)) for _ in range(4)]
        for post in posts[1:]:
            schedule(post, timezone.now(), by=None)
        schedule(posts[0], timezone.now() + 2 * HOUR, by=None)
        held = claims.claim_due(1)  # and never worked on
        network.will("perform:ready", NotYet(60))
        network.will("commit", LOST)
        run_due()
        statuses = set(Publication.objects.values_list("status", flat=True))
        assert statuses == {Status.SCHEDULED, Status.PUBLISHING, Status.CHECKING}

        clock.shift(jump)
        for _ in range(4 * 60):
            clock.shift(timedelta(minutes=1))
            claims.sweep()
            run_due()

    assert held
    assert set(Publication.objects.values_list("status", flat=True)) == {Status.PUBLISHED}
    assert not QueueEntry.objects.exists()
    for post in posts:
        (publication,) = post.publications.all()
        assert len(network.feed[publication.account.platform_account_id]) == 1
    assert Attempt.objects.filter(publication__post=posts[0]).earliest("started_at").started_at >= began + 2 * HOUR
