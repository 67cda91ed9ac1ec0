"""The procedure of one publication, against a network that goes wrong on request."""

from __future__ import annotations

import io
import threading
from datetime import timedelta

import pytest
import requests
import time_machine
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from accounts import operators
from accounts.models import ConnectedAccount, Credential, Grant, Notification
from publishing import check, claims, job, limits, publish, settle
from publishing.models import Attempt, Publication, QueueEntry, RateLimitWindow, Status
from publishing.schedule import cancel, decide, publish_now, retry
from publishing.states import LostRace
from socialhub.platforms import errors
from socialhub.platforms.base import (
    Absent,
    Accepted,
    MediaItem,
    MediaKind,
    NotYet,
    Published,
    Quota,
    Step,
    StepKind,
    Unknowable,
)
from tests.factories import make_account, make_post
from tests.fakes import LOST, FakePlatform
from tests.publishing.conftest import run_due
from tests.stage import wait_until

pytestmark = pytest.mark.django_db

TWO_PHOTOS = [
    Step("photo:1", StepKind.PREPARE, "Uploading images", {"publish": 1}),
    Step("photo:2", StepKind.PREPARE, "Uploading images", {"publish": 1}),
    Step("ready", StepKind.WAIT, "Waiting"),
    Step("publish", StepKind.COMMIT, "Publishing", {"publish": 1}),
]


def later(seconds: float):
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds))


def states_of(publication: Publication) -> list[str]:
    return [event.to_status for event in publication.events.all()]


def test_a_due_publication_goes_out_once_with_a_full_record(network, account, make_due):
    publication = make_due(account, caption="Hello world")
    assert run_due() == 1
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert [post.text for post in network.feed[account.platform_account_id]] == ["Hello world"]
    assert publication.platform_post_id == network.feed[account.platform_account_id][0].platform_post_id
    assert publication.permalink
    assert publication.published_at
    assert states_of(publication) == ["scheduled", "queued", "publishing", "published"]
    assert not QueueEntry.objects.exists()
    attempt = Attempt.objects.get()
    assert attempt.outcome == "published"
    assert [step["key"] for step in attempt.steps] == ["publish"]
    publication.post.refresh_from_db()
    assert publication.post.status == "published"
    assert run_due() == 0


def test_nothing_goes_out_before_its_time(network, workspace, account, make_due):
    make_due(account)
    QueueEntry.objects.update(not_before=timezone.now() + timedelta(minutes=1))
    assert run_due() == 0
    with later(61):
        assert run_due() == 1


def test_steps_are_saved_and_a_retry_starts_behind_the_last_saved_one(network, account, make_due):
    network.steps = tuple(TWO_PHOTOS)
    network.will("perform:photo:2", errors.TemporaryError("The network is busy."))
    publication = make_due(account)
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.SCHEDULED
    assert publication.handles["steps_done"] == ["photo:1"]
    with later(5):
        run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert len(network.called("perform:photo:1")) == 1
    assert len(network.called("perform:photo:2")) == 2
    assert len(network.called("commit")) == 1


def test_a_network_that_needs_time_gets_the_worker_released(network, account, make_due):
    network.steps = tuple(TWO_PHOTOS)
    network.will("perform:ready", NotYet(5, {"polls": 1}))
    publication = make_due(account)
    run_due()
    publication.refresh_from_db()
    entry = QueueEntry.objects.get()
    assert publication.status == Status.PUBLISHING
    assert publication.handles["polls"] == 1
    assert entry.lease_until is None
    assert 3 < (entry.not_before - timezone.now()).total_seconds() <= 5
    assert run_due() == 0
    with later(6):
        run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED


def test_temporary_errors_back_off_and_end_in_failed(network, account, make_due):
    network.will("commit", *(errors.TemporaryError("Busy.", platform_message="too busy") for _ in range(4)))
    publication = make_due(account)
    waits = []
    moment = timezone.now()
    for _ in range(4):
        with time_machine.travel(moment, tick=False):
            assert run_due() == 1
            entry = QueueEntry.objects.first()
            if entry:
                waits.append((entry.not_before - moment).total_seconds())
                moment = entry.not_before
    assert [round(wait) for wait in waits] in ([2, 4, 8], [2, 4, 9])
    publication.refresh_from_db()
    assert (publication.status, publication.error_kind) == (Status.FAILED, "temporary")
    assert publication.platform_message == "too busy"
    assert Notification.objects.get().kind == Notification.Kind.PUBLISH_FAILED
    assert not QueueEntry.objects.exists()
    assert len(network.called("commit")) == 4
    assert not network.feed[account.platform_account_id]


@pytest.mark.parametrize(
    "error",
    [
        errors.RejectedError("The caption is not allowed."),
        errors.AccountBlockedError("The account is held back."),
        errors.PermissionMissingError("A right is missing.", scopes=("pages_manage_posts",)),
        errors.OurBugError("We asked wrongly."),
    ],
)
def test_permanent_errors_fail_at_once(network, account, make_due, error):
    network.will("commit", error)
    publication = make_due(account)
    run_due()
    publication.refresh_from_db()
    assert (publication.status, publication.error_kind) == (Status.FAILED, error.kind)
    assert publication.error_message == error.message
    with later(3600):
        assert run_due() == 0


def test_being_limited_moves_the_time_and_costs_no_attempt(network, account, make_due):
    until = timezone.now() + timedelta(minutes=12)
    network.will("commit", errors.LimitedError("Too many calls.", until=until))
    publication = make_due(account)
    other = make_due(account)
    run_due()
    entry = QueueEntry.objects.get(pk=publication.pk)
    assert (entry.not_before, entry.due_at, entry.attempts) == (until, until, 0)
    run_due()
    behind = QueueEntry.objects.get(pk=other.pk).not_before - until
    assert timedelta() < behind < timedelta(seconds=1), "the network's block holds for the whole account"
    assert len(network.called("commit")) == 1
    with later(13 * 60):
        run_due()
        run_due()
    assert set(Publication.objects.values_list("status", flat=True)) == {Status.PUBLISHED}


def test_a_long_wait_for_a_limit_is_told_once_and_is_over_when_a_post_went_out(network, account, make_due):
    until = timezone.now() + timedelta(hours=5)
    network.will("commit", errors.LimitedError("Too many calls.", until=until))
    make_due(account)
    make_due(account)
    run_due()
    run_due()
    notification = Notification.objects.get()
    assert notification.kind == Notification.Kind.QUOTA
    assert "Too many calls." in notification.body
    with later(5 * 3600 + 60):
        run_due()
        run_due()
    notification.refresh_from_db()
    assert notification.resolved_at
    assert Notification.objects.count() == 1


def test_the_word_about_a_wait_ends_with_the_wait_itself(network, account, make_due):
    network.will("commit", errors.LimitedError("Too many calls.", until=timezone.now() + timedelta(hours=5)))
    publication = make_due(account)
    run_due()
    assert limits.settle_waits() == 0
    cancel(publication.post, by=None)
    assert limits.settle_waits() == 1
    assert Notification.objects.get().resolved_at


def test_a_short_wait_for_a_limit_is_not_worth_a_word(network, account, make_due):
    network.will("commit", errors.LimitedError("Too many calls.", until=timezone.now() + timedelta(minutes=40)))
    make_due(account)
    run_due()
    assert not Notification.objects.exists()


def test_a_full_window_defers_in_order(network, account, make_due, settings):
    settings.RATE_LIMITS = {"facebook": {"publish": 2}}
    publications = [make_due(account, caption=f"Number {number}") for number in range(3)]
    while run_due():
        pass
    assert [post.text for post in network.feed[account.platform_account_id]] == ["Number 0", "Number 1"]
    entry = QueueEntry.objects.get()
    assert entry.publication == publications[2]
    assert "limit of 2" in entry.wait_reason
    assert entry.attempts == 0
    with time_machine.travel(entry.not_before + timedelta(seconds=1)):
        run_due()
    assert len(network.feed[account.platform_account_id]) == 3


QUOTA_STEPS = [Step("publish", StepKind.COMMIT, "Publishing", {"publish": 1, "posts": 1})]


@pytest.fixture
def instagram(network, workspace, monkeypatch):
    """An account whose network tells its quota."""
    network.steps = tuple(QUOTA_STEPS)
    monkeypatch.setattr(job, "client_of", lambda account: network)
    monkeypatch.setattr(FakePlatform, "quota_group", "posts")
    return make_account(workspace, platform="instagram")


def test_the_quota_of_the_account_is_read_before_it_is_needed_and_not_each_time(network, instagram, make_due):
    network.quotas[instagram.platform_account_id] = Quota(used=98, limit=100)
    for number in range(2):
        make_due(instagram, caption=f"Number {number}")
    while run_due():
        pass
    assert len(network.feed[instagram.platform_account_id]) == 2
    assert len(network.called("quota")) == 1
    network.quotas[instagram.platform_account_id] = Quota(used=100, limit=100)
    with later(6 * 60):
        make_due(instagram, caption="Number 2")
        run_due()
        assert len(network.called("quota")) == 2
        entry = QueueEntry.objects.get()
        assert "limit of 100" in entry.wait_reason
        assert entry.attempts == 0
        network.quotas[instagram.platform_account_id] = Quota(
            used=12, limit=100
        )  # the posts of yesterday count no more
    with time_machine.travel(entry.not_before + timedelta(seconds=1)):
        run_due()
    assert len(network.feed[instagram.platform_account_id]) == 3


def test_a_quota_that_cannot_be_read_stops_no_post(network, instagram, make_due):
    network.will("quota", errors.TemporaryError("Busy."))
    make_due(instagram)
    run_due()
    assert len(network.feed[instagram.platform_account_id]) == 1


def test_a_quota_that_is_refused_for_a_lost_access_holds_the_post(network, instagram, make_due):
    network.will("quota", errors.ReconnectError("The access was withdrawn.", revoked=True))
    make_due(instagram)
    run_due()
    assert QueueEntry.objects.get().held
    assert not network.called("commit")


def test_what_several_accounts_share_says_so_when_it_is_used_up(network, workspace, owner, make_due, monkeypatch):
    monkeypatch.setattr(job, "client_of", lambda account: network)
    grant = Grant.objects.create(
        workspace=workspace, user=owner, provider="buffer", platform_user_id="1", access_token="k"
    )
    accounts = [make_account(workspace, platform=key, login_kind="buffer", token=None) for key in ("x", "threads")]
    for account in accounts:
        Credential.objects.create(account=account, grant=grant)
    network.steps = (Step("publish", StepKind.COMMIT, "Publishing", {"client": 100}),)
    make_due(accounts[0])
    run_due()
    make_due(accounts[1])
    run_due()
    entry = QueueEntry.objects.get()
    assert entry.publication.account == accounts[1]
    assert "100 calls" in entry.wait_reason
    assert "together" in entry.wait_reason


def test_all_steps_are_reserved_before_the_first_so_that_none_gets_stuck(network, account, make_due, settings):
    settings.RATE_LIMITS = {"facebook": {"publish": 2}}
    network.steps = tuple(TWO_PHOTOS)
    publication = make_due(account)
    run_due()
    publication.refresh_from_db()
    assert (publication.status, publication.error_kind) == (Status.FAILED, "rejected")
    assert not network.called("perform")
    settings.RATE_LIMITS = {"facebook": {"publish": 3}}
    retry(publication, by=None)
    run_due()
    assert RateLimitWindow.objects.get().calls_made == 3


def test_a_failed_call_is_reserved_again(network, account, make_due):
    network.steps = tuple(TWO_PHOTOS)
    network.will("perform:photo:1", errors.TemporaryError("Busy."))
    make_due(account)
    run_due()
    with later(5):
        run_due()
    assert sum(RateLimitWindow.objects.values_list("calls_made", flat=True)) == 4


def test_calls_of_steps_that_are_forgotten_are_reserved_again(network, account, make_due):
    network.steps = tuple(TWO_PHOTOS)
    network.will("commit", errors.TemporaryError("The photos have expired.", forget=("photo:",)))
    make_due(account)
    run_due()
    with later(5):
        run_due()
    assert len(network.called("perform:photo:1")) == 2
    assert sum(RateLimitWindow.objects.values_list("calls_made", flat=True)) == 6


def test_a_retry_by_hand_reserves_only_what_is_still_ahead(network, account, make_due):
    network.steps = tuple(TWO_PHOTOS)
    network.will("commit", errors.RejectedError("Not today."))
    publication = make_due(account)
    run_due()
    publication.refresh_from_db()
    retry(publication, by=None)
    run_due()
    assert len(network.called("commit")) == 2
    assert sum(RateLimitWindow.objects.values_list("calls_made", flat=True)) == 4


def test_a_worker_that_lost_its_lease_reserves_nothing(network, account, make_due):
    make_due(account)
    (claim,) = claims.claim_due(1)
    QueueEntry.objects.update(worker="another", reserved=[])
    publish.run(claim)
    assert not RateLimitWindow.objects.exists()
    assert QueueEntry.objects.get().reserved == []


def test_a_lost_account_holds_its_publications_and_tells_once(network, account, make_due):
    network.will("commit", errors.ReconnectError("The access was withdrawn.", revoked=True))
    first, second = make_due(account), make_due(account)
    run_due()
    assert run_due() == 0, "the other publication of the account waits"
    account.refresh_from_db()
    assert account.status == ConnectedAccount.Status.REVOKED
    claims.sweep()
    assert set(QueueEntry.objects.values_list("held", flat=True)) == {True}
    assert Notification.objects.count() == 1
    assert {p.status for p in Publication.objects.all()} == {Status.SCHEDULED}

    ConnectedAccount.objects.update(status=ConnectedAccount.Status.CONNECTED)
    claims.sweep()
    run_due()
    run_due()
    for publication in (first, second):
        publication.refresh_from_db()
        assert publication.status == Status.PUBLISHED


def test_a_paused_account_keeps_its_publications(network, account, make_due):
    make_due(account)
    ConnectedAccount.objects.update(paused_at=timezone.now())
    assert run_due() == 0
    claims.sweep()
    assert QueueEntry.objects.get().held
    ConnectedAccount.objects.update(paused_at=None)
    claims.sweep()
    assert run_due() == 1


def test_too_late_is_missed_and_asked_about(network, account, make_due):
    publication = make_due(account)
    with later(7 * 3600):
        run_due()
    publication.refresh_from_db()
    assert (publication.status, publication.error_kind) == (Status.FAILED, "missed")
    assert "7 hours" in publication.error_message
    assert Notification.objects.get().kind == Notification.Kind.MISSED
    assert not network.calls


def test_a_failure_stays_open_until_it_is_acted_upon(workspace, network, owner):
    """The success of another publication of the post does not settle it; trying again does."""
    post = make_post(workspace, make_account(workspace), make_account(workspace))
    publish_now(post, by=owner)
    (first,) = claims.claim_due(1)
    network.will("commit", errors.RejectedError("No."), errors.TemporaryError("Busy."))
    publish.run(first)
    run_due()
    with later(5):
        run_due()
    assert sorted(post.publications.values_list("status", flat=True)) == ["failed", "published"]
    assert Notification.objects.get().resolved_at is None
    retry(post.publications.get(status=Status.FAILED), by=owner)
    run_due()
    assert set(post.publications.values_list("status", flat=True)) == {"published"}
    assert Notification.objects.get().resolved_at


def test_never_late_does_not_mean_never(network, account, make_due, settings):
    settings.PUBLISH_LATE_HOURS = 0
    in_time, missed = make_due(account), make_due(account)
    run_due()
    with later(600):
        run_due()
    in_time.refresh_from_db()
    missed.refresh_from_db()
    assert (in_time.status, missed.error_kind) == (Status.PUBLISHED, "missed")


def test_what_the_rules_refuse_costs_no_call(network, account, make_due):
    publication = make_due(account, caption="x" * 63_207)
    run_due()
    publication.refresh_from_db()
    assert (publication.status, publication.error_kind) == (Status.FAILED, "rejected")
    assert not network.called("commit")


# The outcome is unknown


def test_a_lost_answer_is_found_again_and_never_repeated(network, account, make_due, settings):
    network.will("commit", LOST)
    publication = make_due(account, caption="Only once")
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.CHECKING
    assert run_due() == 0, "the first look waits"
    with later(network.first_look_seconds / settings.PUBLISH_CHECK_SPEED + 1):
        run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert publication.permalink
    assert len(network.feed[account.platform_account_id]) == 1
    assert len(network.called("commit")) == 1
    assert Attempt.objects.filter(purpose="check").get().outcome == "published"


def test_a_post_that_is_surely_absent_is_published_again(network, account, make_due):
    network.will("commit", errors.OutcomeUnknownError("No answer."))
    publication = make_due(account)
    moment = timezone.now()
    for _ in range(40):
        with time_machine.travel(moment):
            run_due()
        publication.refresh_from_db()
        if publication.status == Status.PUBLISHED:
            break
        assert len(network.called("commit")) == 1 or publication.status == Status.PUBLISHED
        moment = QueueEntry.objects.get().not_before + timedelta(seconds=1)
    assert publication.status == Status.PUBLISHED
    assert len(network.called("look")) >= 2
    assert len(network.feed[account.platform_account_id]) == 1


def test_what_is_absent_and_used_up_is_prepared_again(network, account, make_due):
    network.steps = tuple(TWO_PHOTOS)
    network.will("commit", errors.OutcomeUnknownError("No answer."))
    network.will("look", Absent("The container has failed.", forget=("photo:",)))
    publication = make_due(account)
    run_due()
    with later(1000):
        run_due()
    publication.refresh_from_db()
    assert publication.status == Status.SCHEDULED
    assert publication.handles["steps_done"] == ["ready"]
    with later(1010):
        run_due()
    assert len(network.called("perform:photo:1")) == 2


def test_the_look_knows_which_posts_belong_to_others(network, account, make_due):
    with time_machine.travel(timezone.now(), tick=False):  # so that the first one is as new as the second
        first = make_due(account, caption="Twice the same")
        run_due()
        network.will("commit", errors.OutcomeUnknownError("No answer."))
        second = make_due(account, caption="Twice the same")
        run_due()
    with later(10):
        run_due()
    first.refresh_from_db()
    assert [call.arguments["claimed"] for call in network.called("look")] == [{first.platform_post_id}]
    second.refresh_from_db()
    assert second.status == Status.CHECKING, "the post of the first publication is not taken for the second"


def test_what_reading_cannot_tell_a_person_decides(network, account, make_due, owner):
    network.will("commit", LOST)
    network.will("look", Unknowable("Two posts with this text were made at that time."))
    publication = make_due(account)
    run_due()
    with later(100):
        run_due()
    publication.refresh_from_db()
    entry = QueueEntry.objects.get()
    assert publication.status == Status.CHECKING
    assert entry.awaits_decision
    assert "Two posts" in entry.wait_reason
    assert Notification.objects.get().kind == Notification.Kind.DECISION_NEEDED
    claims.sweep()
    with later(3600):
        assert run_due() == 0, "it waits for the person, not for time"

    decide(publication, "there", by=owner, platform_post_id="123_456")
    publication.refresh_from_db()
    assert (publication.status, publication.platform_post_id) == (Status.PUBLISHED, "123_456")
    assert not QueueEntry.objects.exists()
    assert Notification.objects.get().resolved_at


def test_a_person_may_say_publish_again_or_give_up(network, account, make_due, owner):
    network.will("commit", errors.OutcomeUnknownError("No answer."), errors.OutcomeUnknownError("No answer."))
    again, given_up = make_due(account), make_due(account)
    run_due()
    run_due()
    for publication in (again, given_up):
        publication.refresh_from_db()
    decide(again, "absent", by=owner)
    decide(given_up, "give_up", by=owner)
    run_due()
    again.refresh_from_db()
    given_up.refresh_from_db()
    assert again.status == Status.PUBLISHED
    assert given_up.status == Status.FAILED
    with pytest.raises(LostRace):
        decide(given_up, "absent", by=owner)


def test_a_fault_of_ours_in_the_commit_leads_to_a_look(network, account, make_due):
    network.during("commit", lambda call: 1 / 0)
    publication = make_due(account)
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.CHECKING


def test_a_database_that_goes_away_is_a_line_of_the_log(network, account, make_due, caplog):
    """Hundreds are in hand when it is restarted; nobody has to read where in our code each of them was."""

    def away(call):
        raise OperationalError("server closed the connection unexpectedly")

    network.during("commit", away)
    publication = make_due(account)
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.CHECKING
    assert "was cut short by the database: OperationalError('server closed" in caplog.text
    assert not any(record.exc_info for record in caplog.records)


def test_a_fault_of_ours_before_the_commit_is_tried_again(network, account, make_due):
    network.steps = tuple(TWO_PHOTOS)
    network.during("perform:photo:1", lambda call: 1 / 0)
    publication = make_due(account)
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.SCHEDULED
    with later(5):
        run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED


def test_a_database_that_stumbles_after_the_answer_does_not_cost_the_answer(network, account, make_due, monkeypatch):
    publication = make_due(account)
    real, stumbles = claims.finish, iter([True, False])

    def finish(claim):
        if next(stumbles):
            raise OperationalError("terminating connection")
        real(claim)

    monkeypatch.setattr(publish.claims, "finish", finish)
    monkeypatch.setattr(publish.connection, "close", lambda: None)  # the test's transaction lives on this connection
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert len(network.called("commit")) == 1


def test_a_database_that_breaks_in_the_middle_of_settling_does_not_cost_the_answer(
    network, account, make_due, monkeypatch
):
    """The rows are rolled back; what the object says must not be taken for what they say."""
    publication = make_due(account)
    break_once(monkeypatch, "close")
    monkeypatch.setattr(publish.connection, "close", lambda: None)
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert len(network.called("commit")) == 1


def test_a_lost_answer_whose_settling_breaks_is_never_published_again(network, account, make_due, monkeypatch):
    network.will("commit", LOST)
    publication = make_due(account, caption="Only once")
    break_once(monkeypatch, "close")
    moment = timezone.now()
    for _ in range(3):
        with time_machine.travel(moment):
            run_due()
            QueueEntry.objects.filter(lease_until__isnull=False).update(lease_until=moment - timedelta(seconds=1))
            claims.sweep()
        moment += timedelta(seconds=100)
    publication.refresh_from_db()
    assert len(network.called("commit")) == 1
    assert publication.status == Status.PUBLISHED


def break_once(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The database breaks in the next call of this function that settles."""
    real, breaks = getattr(settle, name), iter([True])

    def broken(*arguments: object, **options: object) -> object:
        if next(breaks, False):
            raise OperationalError("terminating connection")
        return real(*arguments, **options)

    monkeypatch.setattr(settle, name, broken)


def test_what_was_announced_is_looked_for_whoever_finds_it_in_the_queue(network, account, make_due):
    """Whatever put it back: an announced commit may have been made."""
    publication = make_due(account)
    (claim,) = claims.claim_due(1)
    publish._announce(publish.Job(claim))
    claims.release(claim)
    run_due()
    publication.refresh_from_db()
    assert not network.called("commit")
    assert publication.status == Status.CHECKING


def test_a_commit_is_announced_once(network, account, make_due):
    make_due(account)
    (claim,) = claims.claim_due(1)
    publish._announce(publish.Job(claim))
    with pytest.raises(claims.LeaseLost):
        publish._announce(publish.Job(claim))


def test_a_draft_in_the_queue_is_not_published(network, account, make_due):
    publication = make_due(account)
    Publication.objects.update(status=Status.DRAFT)
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.DRAFT
    assert not network.called("commit")
    assert not QueueEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_announcement_that_waited_for_its_row_comes_too_late(network, account, make_due):
    """A worker stands still in the very statement; meanwhile the sweeper and another worker have been there."""
    publication = make_due(account)
    (slow,) = claims.claim_due(1)
    waiting, ended = threading.Event(), []

    def announce() -> None:
        waiting.set()
        publish.run(slow)
        ended.append(True)
        connection.close()

    thread = threading.Thread(target=announce)
    with transaction.atomic():
        Publication.objects.select_for_update().get(pk=publication.pk)
        thread.start()
        waiting.wait()
        assert wait_until(someone_waits_for_a_row, 10)
        # Another connection: what the sweeper and the second worker do while the row is locked here.
        other = threading.Thread(target=take_over, args=(publication,))
        other.start()
        assert wait_until(lambda: len(waiting_for_a_row()) == 2, 10)
    thread.join()
    other.join()
    assert ended
    publication.refresh_from_db()
    assert len(network.called("commit")) == 1
    assert len(network.feed[account.platform_account_id]) == 1


def take_over(publication: Publication) -> None:
    QueueEntry.objects.filter(pk=publication.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    claims.sweep()
    run_due()
    connection.close()


def waiting_for_a_row() -> list[object]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_locks WHERE NOT granted")
        return cursor.fetchall()


def someone_waits_for_a_row() -> bool:
    return bool(waiting_for_a_row())


def test_an_old_acceptance_says_nothing_about_a_new_call(network, account, make_due):
    network.will("commit", Accepted("buffer-1"), LOST)
    network.will("look", errors.RejectedError("Refused."), errors.RejectedError("Refused."))
    publication = make_due(account)
    run_due()
    with later(100):
        run_due()
    publication.refresh_from_db()
    retry(publication, by=None)
    run_due()
    with later(100):
        run_due()
    publication.refresh_from_db()
    assert publication.status == Status.CHECKING, "the refusal was of the first call, the second one may be out"


# Faults of ours end, too


def test_a_network_that_nobody_knows_stops_no_worker(workspace, network, account, make_due):
    strange = make_due(make_account(workspace, platform="myspace"))
    known = make_due(account)
    for _ in range(5):
        with time_machine.travel(timezone.now() + timedelta(seconds=30 * _)):
            run_due()
    strange.refresh_from_db()
    known.refresh_from_db()
    assert (strange.status, known.status) == (Status.FAILED, Status.PUBLISHED)
    assert Notification.objects.get().kind == Notification.Kind.PUBLISH_FAILED


def test_a_look_that_always_breaks_asks_a_person_in_the_end(network, account, make_due):
    network.will("commit", LOST)
    make_due(account)
    run_due()
    for number in range(1, check.MOST_BLIND_LOOKS + 2):
        network.during("look", lambda call: 1 / 0)
        with later(1000 * number):
            assert run_due() == 1
    assert QueueEntry.objects.get().awaits_decision
    assert Notification.objects.get().kind == Notification.Kind.DECISION_NEEDED
    assert not Attempt.objects.filter(finished_at=None).exists()


def test_what_a_network_publishes_by_itself_is_followed_to_its_end(network, account, make_due):
    network.will("commit", Accepted("buffer-1", {"sent_as": "1"}))
    network.will("look", NotYet(20), NotYet(60), Published("post-1", "https://example.com/post-1"))
    publication = make_due(account)
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.CHECKING
    assert publication.handles["accepted"] == "buffer-1"
    assert publication.handles["sent_as"] == "1"
    moment = timezone.now()
    for _ in range(3):
        moment = max(moment, QueueEntry.objects.get().not_before) + timedelta(seconds=1)
        with time_machine.travel(moment):
            assert run_due() == 1
    publication.refresh_from_db()
    assert (publication.status, publication.platform_post_id) == (Status.PUBLISHED, "post-1")
    assert len(network.called("commit")) == 1


def test_what_a_network_took_and_never_publishes_ends_with_a_question(network, account, make_due):
    network.will("commit", Accepted("buffer-1"))
    network.will("look", NotYet(60))
    make_due(account)
    run_due()
    with later(25 * 3600):
        run_due()
    assert QueueEntry.objects.get().awaits_decision
    assert Notification.objects.get().kind == Notification.Kind.DECISION_NEEDED


def test_what_a_network_took_and_then_refused_has_failed(network, account, make_due):
    network.will("commit", Accepted("buffer-1"))
    network.will("look", errors.RejectedError("X does not take the same text twice."))
    publication = make_due(account)
    run_due()
    with later(100):
        run_due()
    publication.refresh_from_db()
    assert (publication.status, publication.error_kind) == (Status.FAILED, "rejected")
    assert not network.feed[account.platform_account_id]


# Two workers


def test_a_message_delivered_twice_publishes_once(network, account, make_due):
    publication = make_due(account)
    network.during("commit", lambda call: run_due())
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert len(network.called("commit")) == 1


def test_a_worker_that_lost_its_lease_stops_without_a_trace(network, account, make_due):
    network.steps = tuple(TWO_PHOTOS)
    publication = make_due(account)
    (claim,) = claims.claim_due(1)
    QueueEntry.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    claims.sweep()
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    commits = len(network.called("commit"))
    publish.run(claim)
    assert len(network.called("commit")) == commits == 1
    assert Attempt.objects.get(worker=claim.attempt.worker).outcome == "lost"


@pytest.mark.django_db(transaction=True)
def test_six_threads_claim_each_entry_once_and_one_per_account(workspace, network, make_due):
    for _ in range(12):
        account = make_account(workspace)
        make_due(account)
        make_due(account)
    barrier = threading.Barrier(6)
    taken: list[list[claims.Claim]] = []

    def worker() -> None:
        barrier.wait()
        taken.append(claims.claim_due(4))
        connection.close()

    threads = [threading.Thread(target=worker) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    publications = [claim.publication.pk for batch in taken for claim in batch]
    accounts = [claim.publication.account_id for batch in taken for claim in batch]
    assert len(publications) == len(set(publications)) == 12
    assert len(set(accounts)) == 12


# The sweeper


def test_a_dead_worker_before_the_commit_costs_nothing(network, account, make_due):
    network.steps = tuple(TWO_PHOTOS)
    network.will("perform:photo:2", NotYet(0.001))
    publication = make_due(account)
    run_due()
    claims.claim_due(1)
    QueueEntry.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert claims.sweep() == 1
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHING
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert len(network.called("perform:photo:1")) == 1


def test_a_dead_worker_after_the_announcement_leads_to_a_look(network, account, make_due):
    publication = make_due(account)
    (claim,) = claims.claim_due(1)
    publish._announce(publish.Job(claim))
    QueueEntry.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    claims.sweep()
    publication.refresh_from_db()
    assert publication.status == Status.CHECKING
    run_due()
    assert not network.called("commit")
    assert network.called("look")


def test_a_commit_that_is_made_again_is_counted_again(network, account, make_due):
    make_due(account)
    network.during("commit", lambda call: expire_and_sweep())
    network.will("commit", errors.OutcomeUnknownError("No answer."))
    run_due()
    with later(1000):
        run_due()
    with later(1010):
        run_due()
    assert len(network.called("commit")) == 2
    assert sum(RateLimitWindow.objects.values_list("calls_made", flat=True)) == 2


def expire_and_sweep() -> None:
    QueueEntry.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    claims.sweep()


def test_a_publication_that_kills_its_workers_ends(network, account, make_due):
    publication = make_due(account)
    for _ in range(claims.MOST_LOSSES + 1):
        assert claims.claim_due(1)
        QueueEntry.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        claims.sweep()
    run_due()
    publication.refresh_from_db()
    assert (publication.status, publication.error_kind) == (Status.FAILED, "our_bug")
    assert Notification.objects.get().kind == Notification.Kind.PUBLISH_FAILED
    assert not network.called("commit")


def test_a_look_that_kills_its_workers_ends_with_a_question(network, account, make_due):
    network.will("commit", LOST)
    make_due(account)
    run_due()
    QueueEntry.objects.update(losses=claims.MOST_LOSSES + 1)
    with later(100):
        run_due()
    assert not network.called("look")
    assert QueueEntry.objects.get().awaits_decision
    assert Notification.objects.get().kind == Notification.Kind.DECISION_NEEDED


# Fairness


def test_a_backlog_of_one_account_does_not_starve_the_others(workspace, network, make_due):
    busy, small = make_account(workspace), make_account(workspace)
    for _ in range(30):
        make_due(busy)
    make_due(small)
    taken = claims.claim_due(4)
    assert {claim.publication.account for claim in taken} == {busy, small}


def test_urgent_before_scheduled_and_old_before_new(workspace, network, account, make_due):
    old, urgent = make_due(account, caption="scheduled"), make_due(account, caption="urgent")
    QueueEntry.objects.filter(pk=old.pk).update(priority=0, not_before=timezone.now() - timedelta(hours=1))
    run_due()
    run_due()
    assert [post.text for post in network.feed[account.platform_account_id]] == ["urgent", "scheduled"]
    assert urgent


def test_a_held_back_account_is_told_of_once(network, account, make_due):
    network.will("commit", *(errors.AccountBlockedError("The account is held back.") for _ in range(3)))
    publications = [make_due(account) for _ in range(3)]
    while run_due():
        pass
    assert {p.status for p in Publication.objects.all()} == {Status.FAILED}
    assert Notification.objects.count() == 1
    for publication in publications[:1]:
        publication.refresh_from_db()
        retry(publication, by=None)
    assert Notification.objects.get().resolved_at, "somebody acts upon it"


def test_what_a_network_took_of_one_publication_is_claimed_for_it(network, account, make_due):
    network.will("commit", Accepted("buffer-1"), errors.OutcomeUnknownError("No answer."))
    make_due(account, caption="The same")
    make_due(account, caption="The same")
    run_due()
    run_due()
    network.will("look", NotYet(60), Unknowable("Nothing is known."))
    with later(10):
        run_due()
        run_due()
    assert [call.arguments["claimed"] for call in network.called("look")] == [frozenset(), frozenset({"buffer-1"})]


@pytest.mark.parametrize("is_there", [True, False])
def test_what_was_given_up_is_looked_for_before_it_is_tried_again(network, account, make_due, owner, is_there):
    network.will("commit", LOST if is_there else errors.OutcomeUnknownError("No answer."))
    publication = make_due(account, caption="Once")
    run_due()
    publication.refresh_from_db()
    decide(publication, "give_up", by=owner)
    retry(publication, by=owner)
    moment = timezone.now()
    for _ in range(20):
        with time_machine.travel(moment):
            run_due()
        entry = QueueEntry.objects.first()
        if entry is None:
            break
        moment = entry.not_before + timedelta(seconds=1)
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert network.called("look")
    assert len(network.feed[account.platform_account_id]) == 1
    assert len(network.called("commit")) == (1 if is_there else 2)


REFUSED = "LinkedIn does not serve the version that is set here."


def test_what_only_the_operator_can_mend_makes_a_post_wait_and_not_fail(network, account, make_due):
    publication = make_due(account)
    network.will("commit", *(errors.OperatorError(REFUSED) for _ in range(6)))
    run_due()
    for _ in range(5):  # nobody knows yet that it is more than one call: it is tried again, unhurriedly
        claims.sweep()
        assert run_due() == 0
        QueueEntry.objects.update(not_before=timezone.now())
        assert run_due() == 1
    publication.refresh_from_db()
    account.refresh_from_db()
    entry = QueueEntry.objects.get()
    assert (publication.status, account.status) == (Status.SCHEDULED, ConnectedAccount.Status.CONNECTED)
    assert (entry.attempts, entry.held, entry.wait_reason) == (0, True, REFUSED)
    assert not Notification.objects.exists()


def test_while_the_version_is_refused_everything_through_linkedin_waits_and_nothing_else(
    network, workspace, account, make_due
):
    through = make_account(workspace, login_kind="linkedin")
    waiting, other = make_due(through), make_due(account)
    notice = operators.warn(operators.linkedin_refused_key(settings.LINKEDIN_API_VERSION), title="Refused", body="…")
    claims.sweep()
    run_due()
    other.refresh_from_db()
    assert other.status == Status.PUBLISHED
    entry = QueueEntry.objects.get()
    assert entry.publication == waiting
    assert "whoever runs this server" in entry.wait_reason
    with later(7 * 3600):  # no lateness is found before it could have gone out
        claims.sweep()
        assert run_due() == 0
    operators.mended(notice.key)
    claims.sweep()
    assert run_due() == 1
    waiting.refresh_from_db()
    assert waiting.status == Status.PUBLISHED


def test_a_look_that_only_the_operator_can_mend_waits_too(network, account, make_due):
    network.will("commit", LOST)
    publication = make_due(account)
    run_due()
    network.will("look", errors.OperatorError(REFUSED))
    with later(3600):
        run_due()
        entry = QueueEntry.objects.get()
        assert (entry.held, entry.awaits_decision, entry.wait_reason) == (True, False, REFUSED)
        claims.sweep()
    with later(7200):
        run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED


def test_posts_that_meet_a_limit_keep_their_order(network, account, make_due, settings):
    """Five are due in this order, room is for one in an hour: they go out in this order, whatever they were called."""
    settings.RATE_LIMITS = {"facebook": {"publish": 1}}
    limits.reserve(account.pk, "facebook", {"publish": 1})
    made = [make_due(account, caption=f"Number {number}") for number in range(5)]
    for number, publication in enumerate(made):
        due = timezone.now() - timedelta(minutes=10 - number)
        QueueEntry.objects.filter(pk=publication.pk).update(not_before=due, due_at=due)
    for _ in made:
        run_due()
    waiting = list(QueueEntry.objects.order_by("not_before").values_list("pk", flat=True))
    assert waiting == [publication.pk for publication in made]
    assert len(set(QueueEntry.objects.values_list("not_before", flat=True))) == 5
    now = timezone.now()
    for hour in range(1, 8):
        with time_machine.travel(now + timedelta(hours=hour, minutes=hour * 2)):
            for _ in made:
                run_due()
    assert [post.text for post in network.feed[account.platform_account_id]] == [f"Number {n}" for n in range(5)]


def test_a_long_upload_keeps_its_lease(network, account, make_due, settings, monkeypatch):
    """A large file goes out in one call that outlasts the lease: nobody takes the post away meanwhile."""
    publication = make_due(account)
    (claim,) = claims.claim_due(1)
    source = io.BytesIO(b"x" * 100)
    item = MediaItem(1, "", "video/mp4", 1, 1, 100, kind=MediaKind.VIDEO, open=lambda: source)
    monkeypatch.setattr(job, "media_items", lambda publication: (item,))
    (kept,) = job.Job(claim).content().media
    began = timezone.now()
    with kept.open() as stream:
        assert stream.read(10) == b"x" * 10
        assert QueueEntry.objects.get(pk=publication.pk).lease_until == claim.entry.lease_until
        for seconds in range(40, 400, 40):
            with time_machine.travel(began + timedelta(seconds=seconds), tick=False):
                assert stream.read(10) == b"x" * 10
                assert claims.take_back_expired() == 0
        stream.seek(0)
        assert stream.tell() == 0
        sent = requests.Request("PUT", "http://network.example/", data=stream).prepare()
        assert sent.headers["Content-Length"] == "100", "networks take no body of unknown length"
    assert source.closed
    QueueEntry.objects.update(worker="another")
    source = io.BytesIO(b"x")
    with time_machine.travel(began + timedelta(seconds=500), tick=False), pytest.raises(claims.LeaseLost):
        kept.open().read()
