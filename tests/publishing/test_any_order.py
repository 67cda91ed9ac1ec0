"""People, workers, clocks and a network in trouble, in any order: never an illegal state, never twice, nothing lost.

Hypothesis makes up the sequences and shortens those that break a rule. Each day has sequences of its own;
ANY_ORDER_SEED repeats those of a day (the number stands in the message), ANY_ORDER_EXAMPLES makes more of them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts import pauses, tokens
from accounts.models import ConnectedAccount
from publishing import claims, follow_ups, job
from publishing.models import FollowUp, LimitOverride, Post, Publication, QueueEntry, Status
from publishing.schedule import GIVEN_UP, back_to_draft, cancel, decide, publish_now, retry, schedule
from publishing.states import TRANSITIONS, LostRace
from socialhub.platforms.base import Accepted, Access, Content, Handles, NotYet, Published, Step, StepKind
from socialhub.platforms.errors import (
    LimitedError,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from tests.factories import make_account, make_post, make_user, workspace_of
from tests.fakes import LOST, NORMAL, Call, FakePlatform
from tests.publishing.conftest import run_due

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("ANY_ORDER_EXAMPLES", "10"))
SEED = int(os.environ.get("ANY_ORDER_SEED", timezone.now().toordinal()))
STEPS = 40
ACCOUNTS = range(3)
RESTING = frozenset({Status.DRAFT, Status.PUBLISHED, Status.FAILED})
PLAN = (
    Step("photo", StepKind.PREPARE, "Uploading", {"publish": 1}),
    Step("ready", StepKind.WAIT, "Waiting"),
    Step("publish", StepKind.COMMIT, "Publishing", {"publish": 1}),
)
CALLS = ("perform:photo", "perform:ready", "commit", "look", "comment", "find_comment")


WHICH = st.integers(0, 11)  # of the posts or publications that it could be


class Died(BaseException):
    """The worker is gone at this very point: no handler of ours runs."""


DIED_AFTER: Any = object()  # the network has acted, and the worker is gone
LIMITED: Any = object()


class Network(FakePlatform):
    """Remembers which publication each of its posts came from."""

    def __init__(self) -> None:
        super().__init__(steps=PLAN)
        self.made: Counter[tuple[str, str]] = Counter()  # by account and text
        self.written: Counter[str] = Counter()  # comments, by post

    def commit(self, access: Access, content: Content, handles: Handles) -> Published | Accepted:
        dies = self._next("commit") is DIED_AFTER
        if dies:
            self._outcomes["commit"].popleft()
        before = len(self.feed[access.account_id])
        try:
            answer = super().commit(access, content, handles)
        finally:
            if len(self.feed[access.account_id]) > before:
                self.made[access.account_id, content.text] += 1
        if dies:
            raise Died
        return answer

    def comment(self, access: Access, platform_post_id: str, text: str) -> str:
        dies = self._next("comment") is DIED_AFTER
        if dies:
            self._outcomes["comment"].popleft()
        answer = super().comment(access, platform_post_id, text)
        if dies:
            raise Died
        return answer

    def _next(self, name: str) -> Any:
        return next(iter(self._outcomes[name]), NORMAL)

    def _record(self, name: str, access: Access, *, step: str = "", **arguments: Any) -> Any:
        outcome = super()._record(name, access, step=step, **arguments)
        if outcome is LIMITED:
            raise LimitedError("Too many calls.", until=timezone.now() + timedelta(minutes=30))
        return outcome

    def well_again(self) -> None:
        self._outcomes.clear()
        self._hooks.clear()


TROUBLES: dict[str, Callable[[], Any]] = {
    "temporary": lambda: TemporaryError("The network has a problem."),
    "limited": lambda: LIMITED,
    "reconnect": lambda: ReconnectError("The access was taken away."),
    "rejected": lambda: RejectedError("It does not like it."),
    "unheard": lambda: OutcomeUnknownError("The connection broke."),
    "bug": lambda: ValueError("A fault of ours."),
    "died": Died,
}
ON_COMMIT = {"lost": lambda: LOST, "died after": lambda: DIED_AFTER}


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = time_machine.travel(datetime.fromisoformat("2026-11-20T12:00:00+00:00"), tick=False)
        self.time = self.clock.start()
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        self.network = the_network
        self.network.__init__()  # type: ignore[misc]
        self.owner = make_user()
        self.workspace = workspace_of(self.owner)
        self.accounts = [make_account(self.workspace) for _ in ACCOUNTS]
        LimitOverride.objects.create(account=self.accounts[0], endpoint="publish", window_seconds=3600, call_limit=6)
        self.may_stand_twice: Counter[Any] = Counter()  # a person has said that it is not there, or given up and edited

    # What people do

    @rule(chosen=st.sets(st.sampled_from(ACCOUNTS), min_size=1), comment=st.booleans())
    def write(self, chosen: set[int], comment: bool) -> None:
        accounts = [self.accounts[number] for number in sorted(chosen)]
        make_post(self.workspace, *accounts, first_comment="First!" if comment else "")

    @rule(chosen=st.sets(st.sampled_from(ACCOUNTS), min_size=1))
    def write_and_publish(self, chosen: set[int]) -> None:
        accounts = [self.accounts[number] for number in sorted(chosen)]
        publish_now(make_post(self.workspace, *accounts, first_comment="First!"), by=self.owner)

    @rule(which=WHICH, minutes=st.sampled_from([0, 1, 30, 60 * 24]), late_hours=st.sampled_from([1, 6]))
    def schedule(self, which: int, minutes: int, late_hours: int) -> None:
        if post := self.some(which, self.posts(Status.DRAFT)):
            at = timezone.now() + timedelta(minutes=minutes)
            schedule(post, at, by=self.owner, late_hours=late_hours)

    @rule(which=WHICH)
    def publish_now(self, which: int) -> None:
        if post := self.some(which, self.posts(Status.DRAFT)):
            publish_now(post, by=self.owner)

    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        if post := self.some(which, self.posts(*Status)):
            self.cancel_or_lose(post)

    @rule(which=WHICH, again=st.booleans())
    def edit(self, which: int, again: bool) -> None:
        """As the composer does: everything back to draft, a new text, and out again."""
        if not (post := self.some(which, self.posts(*Status))):
            return
        self.cancel_or_lose(post)
        for publication in post.publications.filter(status=Status.FAILED):
            if publication.error_kind == GIVEN_UP:
                self.may_stand_twice[publication.pk] += 1
            back_to_draft(publication, by=self.owner)
        if set(post.publications.values_list("status", flat=True)) == {Status.DRAFT}:
            Post.objects.filter(pk=post.pk).update(caption=f"{post.caption} edited")
            if again:
                publish_now(post, by=self.owner)

    @rule(which=WHICH)
    def retry(self, which: int) -> None:
        if publication := self.some(which, self.publications(status=Status.FAILED)):
            retry(publication, by=self.owner)

    @rule(which=WHICH, answer=st.sampled_from(["there", "absent", "give_up"]))
    def decide(self, which: int, answer: str) -> None:
        waiting = self.publications(status=Status.CHECKING, queue_entry__awaits_decision=True)
        if publication := self.some(which, waiting):
            self.say(publication, answer)

    @rule(number=st.sampled_from(ACCOUNTS), hours=st.sampled_from([None, 1]))
    def pause_account(self, number: int, hours: int | None) -> None:
        until = timezone.now() + timedelta(hours=hours) if hours else None
        pauses.pause(self.accounts[number], by=self.owner, until=until)

    @rule()
    def pause_workspace(self) -> None:
        pauses.pause(self.workspace, by=self.owner)

    @rule()
    def resume_all(self) -> None:
        for subject in (self.workspace, *self.accounts):
            pauses.resume(subject)

    @rule(number=st.sampled_from(ACCOUNTS))
    def lose_access(self, number: int) -> None:
        account = ConnectedAccount.objects.select_related("workspace").get(pk=self.accounts[number].pk)
        tokens.lost(account, ReconnectError("The access was taken away."))

    @rule()
    def reconnect_all(self) -> None:
        for account in ConnectedAccount.objects.select_related("workspace").filter(workspace=self.workspace):
            tokens.reconnected(account)

    @rule(
        chosen=st.sets(st.sampled_from(ACCOUNTS), min_size=1),
        seconds=st.sampled_from([0, 10, 130, 1200]),
        call=st.sampled_from(["", "commit", "comment"]),
        trouble=st.sampled_from(sorted(ON_COMMIT)),
    )
    def all_goes_its_way(self, chosen: set[int], seconds: int, call: str, trouble: str) -> None:
        """What happens most of the time, but for one trouble; else troubles and pauses would be all there is."""
        self.resume_all()
        self.reconnect_all()
        if call:
            self.network.will(call, ON_COMMIT[trouble]())
        self.write_and_publish(chosen)
        self.worker_runs(50)
        self.time.shift(timedelta(seconds=seconds))
        claims.sweep()
        self.worker_runs(50)

    # What machines do

    @rule(seconds=st.sampled_from([1, 3, 10, 60, 130, 600, 3600, 7 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.time.shift(timedelta(seconds=seconds))

    @rule(limit=st.sampled_from([1, 50]))
    def worker_runs(self, limit: int) -> None:
        self.work(lambda: run_due(limit))
        self.work(follow_ups.run_due)  # woken by what was published

    @rule()
    def sweep(self) -> None:
        claims.sweep()

    @rule()
    def follow_up(self) -> None:
        self.work(follow_ups.run_due)

    @rule(call=st.sampled_from(CALLS), trouble=st.sampled_from(sorted(TROUBLES)), times=st.sampled_from([1, 1, 2, 5]))
    def trouble(self, call: str, trouble: str, times: int) -> None:
        for _ in range(times):
            self.network.will(call, TROUBLES[trouble]())

    @rule(call=st.sampled_from(["commit", "comment"]), trouble=st.sampled_from(sorted(ON_COMMIT)))
    def trouble_after_acting(self, call: str, trouble: str) -> None:
        self.network.will(call, ON_COMMIT[trouble]())

    @rule(seconds=st.sampled_from([0.0, 5.0, 60.0]))
    def network_needs_time(self, seconds: float) -> None:
        self.network.will("perform:ready", NotYet(seconds))

    @rule(
        call=st.sampled_from(CALLS),
        acts=st.lists(
            st.sampled_from(["lease ends", "sweep", "another worker", "cancel", "pause", "resume", "lose access"]),
            min_size=1,
            max_size=4,
        ),
    )
    def meanwhile(self, call: str, acts: list[str]) -> None:
        """While the next call of that name is on its way, others act: the worker may have lost its lease by its end."""
        self.network.during(call, lambda made: self.others_act(made, acts))

    def others_act(self, call: Call, acts: list[str]) -> None:
        waited = 0
        for act in acts:
            match act:
                case "lease ends" if not waited:  # our calls end by their time limits, long before a look is final
                    waited += 1
                    self.time.shift(timedelta(seconds=130))
                case "sweep":
                    claims.sweep()
                case "another worker":
                    self.work(lambda: run_due(50))
                case "cancel":
                    for post in self.posts(*Status):
                        self.cancel_or_lose(post)
                case "pause":
                    pauses.pause(self.workspace, by=self.owner)
                case "resume":
                    self.resume_all()
                case "lose access":
                    self.lose_access(0)

    # Help

    def work(self, run: Callable[[], object]) -> None:
        try:
            run()
        except Died:
            note("a worker died")

    def posts(self, *having: Status) -> list[Post]:
        found = Post.objects.of(self.workspace).filter(publications__status__in=having).distinct()
        return list(found.order_by("created_at"))

    def publications(self, **where: Any) -> list[Publication]:
        found = Publication.objects.filter(post__workspace=self.workspace, **where)
        return list(found.select_related("post", "account").order_by("created_at"))

    def some(self, which: int, rows: list[Any]) -> Any:
        return rows[which % len(rows)] if rows else None

    def cancel_or_lose(self, post: Post) -> None:
        """A worker may have been faster, and says so; that is no fault."""
        try:
            cancel(post, by=self.owner)
        except LostRace:
            note("nothing to cancel")

    def say(self, publication: Publication, answer: str) -> None:
        own = {each.platform_post_id for each in self.publications(status=Status.PUBLISHED)}
        posts = self.network.feed[publication.account.platform_account_id]
        found = [post for post in posts if post.text == publication.text and post.platform_post_id not in own]
        if answer == "there" and not found:
            answer = "absent"
        if answer == "absent":
            self.may_stand_twice[publication.pk] += 1
        decide(publication, answer, by=self.owner, platform_post_id=found[0].platform_post_id if found else "")

    # What always holds

    @invariant()
    def states_follow_each_other_as_they_may(self) -> None:
        for publication in self.publications():
            stands = Status.DRAFT
            for event in publication.events.all():
                assert event.from_status == stands
                assert event.to_status in TRANSITIONS[Status(event.from_status)]
                stands = Status(event.to_status)
            assert publication.status == stands
            assert stands != Status.QUEUED, "it does not stay there"

    @invariant()
    def whatever_is_on_its_way_is_in_the_queue_and_nothing_else(self) -> None:
        queued = set(QueueEntry.objects.values_list("pk", flat=True))
        for publication in self.publications():
            assert (publication.pk in queued) == (publication.status not in RESTING), publication.status

    @invariant()
    def nothing_stands_there_twice(self) -> None:
        for publication in self.publications():
            made = self.network.made[publication.account.platform_account_id, publication.text]
            assert made <= 1 + self.may_stand_twice[publication.pk], publication.status

    @invariant()
    def what_is_published_stands_there_and_what_failed_does_not(self) -> None:
        for publication in self.publications():
            account = publication.account.platform_account_id
            if publication.status == Status.PUBLISHED:
                assert publication.platform_post_id in {post.platform_post_id for post in self.network.feed[account]}
            elif publication.status == Status.FAILED and publication.error_kind != GIVEN_UP:
                assert self.network.made[account, publication.text] <= self.may_stand_twice[publication.pk]

    @invariant()
    def no_comment_is_written_twice(self) -> None:
        assert all(len(comments) <= 1 for comments in self.network.comments.values())

    @invariant()
    def a_post_says_what_its_publications_say(self) -> None:
        for post in self.posts(*Status):
            statuses = set(post.publications.values_list("status", flat=True))
            assert post.status == summary(statuses)

    # The end

    def teardown(self) -> None:
        try:
            self.all_comes_to_an_end()
        finally:
            transaction.set_rollback(True)
            self.rollback.__exit__(None, None, None)
            self.clock.stop()

    def all_comes_to_an_end(self) -> None:
        """No trouble any more, people do what is asked of them, and time passes."""
        self.network.well_again()
        self.resume_all()
        self.reconnect_all()
        for _round in range(90):  # longer than anything is scheduled ahead
            if not QueueEntry.objects.exists() and not FollowUp.objects.filter(done_at=None).exists():
                break
            self.time.shift(timedelta(minutes=20))
            claims.sweep()
            self.work(lambda: run_due(50))
            self.work(follow_ups.run_due)
            for publication in self.publications(queue_entry__awaits_decision=True):
                self.say(publication, "there")
        for check in (
            self.states_follow_each_other_as_they_may,
            self.nothing_stands_there_twice,
            self.what_is_published_stands_there_and_what_failed_does_not,
            self.no_comment_is_written_twice,
            self.a_post_says_what_its_publications_say,
        ):
            check()
        left = QueueEntry.objects.values("publication__status", "wait_reason", "held", "not_before")
        assert not left, list(left)
        assert not FollowUp.objects.filter(done_at=None), list(FollowUp.objects.values())
        assert {each.status for each in self.publications()} <= RESTING


def summary(statuses: set[str]) -> str:
    """As the spec has it, written a second time."""
    if statuses & {Status.QUEUED, Status.PUBLISHING}:
        return "publishing"
    if len(statuses) == 1:
        return statuses.pop()
    for part, name in (
        (Status.CHECKING, "checking"),
        (Status.FAILED, "partly_failed"),
        (Status.PUBLISHED, "partly_published"),
        (Status.SCHEDULED, "scheduled"),
    ):
        if part in statuses:
            return name
    return "draft"


the_network = Network()


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch, settings: Any, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    settings.PUBLISH_CHECK_SPEED = 1  # as it is with the real networks
    settings.PUBLISH_LEASE_SECONDS = 120
    settings.PUBLISH_RETRY_JITTER = 0
    for module in (job, follow_ups):
        monkeypatch.setattr(module, "client_of", lambda account: the_network)
    with caplog.at_level("CRITICAL"):
        yield


def test_in_any_order_each_post_goes_out_once_and_nothing_is_lost() -> None:
    machine = seed(SEED)(AnyOrder)
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    except BaseException as error:
        error.add_note(f"ANY_ORDER_SEED={SEED}")
        raise
