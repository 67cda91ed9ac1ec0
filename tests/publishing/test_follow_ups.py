"""After publishing: the first comment exactly once, and looking whether the post is really there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts import pauses
from accounts.models import ConnectedAccount, Notification, Workspace
from accounts.pauses import Pausable
from publishing import follow_ups
from publishing.models import FollowUp, PostMedia, Publication, RateLimitWindow
from publishing.schedule import decide
from socialhub.platforms.base import Seen, Unknowable
from socialhub.platforms.errors import (
    LimitedError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionMissingError,
    TemporaryError,
)
from socialhub.platforms.rules import RULES
from tests.factories import make_media
from tests.fakes import LOST, FakePlatform
from tests.publishing.conftest import run_due

Kind, Outcome = FollowUp.Kind, FollowUp.Outcome
Make = Callable[..., Publication]


@pytest.fixture
def network(network: FakePlatform, monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    monkeypatch.setattr(follow_ups, "client_of", lambda account: network)
    monkeypatch.setitem(RULES, "facebook", replace(RULES["facebook"], first_comment_limit=100))
    return network


@pytest.fixture
def published(network: FakePlatform, account: ConnectedAccount, make_due: Make) -> Publication:
    publication = make_due(account, first_comment="More in our shop")
    run_due()
    publication.refresh_from_db()
    assert publication.status == "published"
    return publication


def row_of(publication: Publication, kind: Kind = Kind.COMMENT) -> FollowUp:
    return FollowUp.objects.get(publication=publication, kind=kind)


def run_at(moment: datetime) -> int:
    with time_machine.travel(moment, tick=True):
        return follow_ups.run_due()


def run_in(**span: float) -> int:
    return run_at(timezone.now() + timedelta(**span))


def written(network: FakePlatform) -> list[str]:
    return [text for comments in network.comments.values() for _key, text in comments]


# --- The first comment


def test_it_is_written_once_the_post_is_out(network: FakePlatform, published: Publication):
    follow_ups.run_due()
    row = row_of(published)
    assert (row.outcome, row.platform_id) == (Outcome.DONE, network.comments[published.platform_post_id][0][0])
    assert written(network) == ["More in our shop"]
    follow_ups.run_due()
    assert written(network) == ["More in our shop"]


def test_it_counts_in_the_limits(network: FakePlatform, published: Publication):
    before = sum(RateLimitWindow.objects.values_list("calls_made", flat=True))
    follow_ups.run_due()
    assert sum(RateLimitWindow.objects.values_list("calls_made", flat=True)) == before + 1


def test_a_post_without_one_opens_none(network: FakePlatform, account: ConnectedAccount, make_due: Make):
    make_due(account)
    run_due()
    assert not FollowUp.objects.exists()


def test_a_lost_answer_is_looked_for_and_not_written_again(network: FakePlatform, published: Publication):
    network.will("comment", LOST)
    follow_ups.run_due()
    assert row_of(published).done_at is None
    run_in(minutes=6)
    assert row_of(published).outcome == Outcome.DONE
    assert written(network) == ["More in our shop"]
    assert len(network.called("comment")) == 1


def test_what_is_not_found_is_written_again_only_when_it_had_time_to_appear(
    network: FakePlatform, published: Publication
):
    network.will("comment", OutcomeUnknownError("Silence."))
    follow_ups.run_due()
    run_in(minutes=6)
    assert len(network.called("comment")) == 1
    run_in(minutes=20)
    assert row_of(published).outcome == Outcome.DONE
    assert written(network) == ["More in our shop"]


def test_a_worker_that_died_over_it_leaves_it_to_be_looked_for(network: FakePlatform, published: Publication):
    """It was announced, and written, and nobody knows."""
    network.comments[published.platform_post_id].append(("theirs", "More in our shop"))
    now = timezone.now()
    FollowUp.objects.update(began_at=now, lease_until=now + follow_ups.LEASE)
    assert follow_ups.run_due() == 0
    run_in(minutes=4)
    assert row_of(published).platform_id == "theirs"
    assert not network.called("comment")


def test_when_reading_cannot_tell_it_is_never_written_again(network: FakePlatform, published: Publication):
    network.will("comment", OutcomeUnknownError("Silence."))
    network.will("find_comment", Unknowable("Comments cannot be read."))
    follow_ups.run_due()
    run_in(hours=1)
    row = row_of(published)
    assert (row.outcome, row.message) == (Outcome.UNKNOWN, "Comments cannot be read.")
    assert len(network.called("comment")) == 1


def test_a_clear_no_ends_it_with_the_reason_and_leaves_the_post_published(
    network: FakePlatform, published: Publication
):
    network.will("comment", PermissionMissingError("The permission to comment is missing."))
    follow_ups.run_due()
    row = row_of(published)
    assert (row.outcome, row.message) == (Outcome.FAILED, "The permission to comment is missing.")
    published.refresh_from_db()
    assert published.status == "published"


def test_passing_trouble_is_waited_for(network: FakePlatform, published: Publication):
    network.will("comment", TemporaryError("Busy."))
    follow_ups.run_due()
    assert row_of(published).began_at is None
    run_in(minutes=6)
    assert written(network) == ["More in our shop"]
    assert not network.called("find_comment")


def test_a_limit_puts_it_off_to_the_time_that_is_told(network: FakePlatform, published: Publication):
    until = timezone.now() + timedelta(hours=2)
    network.will("comment", LimitedError("Too many.", until=until))
    follow_ups.run_due()
    row = row_of(published)
    assert (row.due_at, row.began_at, row.attempts) == (until, None, 0)


def test_a_lost_account_keeps_it_waiting(network: FakePlatform, published: Publication, account: ConnectedAccount):
    ConnectedAccount.objects.update(status="expired")
    follow_ups.run_due()
    assert not network.called("comment")
    ConnectedAccount.objects.update(status="connected")
    run_in(hours=2)
    assert written(network) == ["More in our shop"]


@pytest.mark.parametrize("paused", [ConnectedAccount, Workspace])
def test_the_switch_that_stops_publishing_stops_comments_too(
    network: FakePlatform, published: Publication, paused: type[Pausable]
):
    subject = paused._default_manager.get()
    pauses.pause(subject, by=None)
    follow_ups.run_due()
    assert not network.called("comment")
    pauses.resume(subject)
    run_in(minutes=6)
    assert written(network) == ["More in our shop"]


def test_the_switch_holds_up_to_the_last_moment(
    network: FakePlatform, published: Publication, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(follow_ups.limits, "reserve", lambda *args: pauses.pause(published.account, by=None))
    follow_ups.run_due()
    assert not network.called("comment")
    assert row_of(published).began_at is None


def test_whose_lease_has_run_out_writes_nothing(network: FakePlatform, published: Publication):
    row = follow_ups.take()
    assert row is not None
    with time_machine.travel(timezone.now() + follow_ups.LEASE + timedelta(seconds=1)):
        follow_ups.work_on(row)
    assert not network.called("comment")


def test_it_is_not_written_days_later(network: FakePlatform, published: Publication):
    ConnectedAccount.objects.update(status="expired")
    for days in range(4):
        run_in(days=days, minutes=1)
    ConnectedAccount.objects.update(status="connected")
    run_in(days=4)
    assert not network.called("comment")
    assert row_of(published).outcome == Outcome.FAILED
    assert "three days" in row_of(published).message


def test_a_fault_of_ours_leaves_the_others_their_turn(
    network: FakePlatform, published: Publication, account: ConnectedAccount, make_due: Make
):
    network.will("comment", KeyError("id"))
    make_due(account, caption="Another", first_comment="Also in our shop")
    run_due()
    assert follow_ups.run_due() == 2
    assert written(network) == ["Also in our shop"]
    row = row_of(published)
    assert (row.done_at, row.attempts) == (None, 1)
    assert row.began_at, "it may have been written before the fault, so it is looked for"


def test_what_cannot_be_looked_for_is_not_called_failed(network: FakePlatform, published: Publication):
    network.will("comment", LOST)
    network.will("find_comment", *[TemporaryError("Busy.")] * 5)
    for minutes in range(0, 40, 6):
        run_in(minutes=minutes)
    assert row_of(published).outcome == Outcome.UNKNOWN


def test_a_post_that_a_person_has_found_gets_its_comment(
    network: FakePlatform, account: ConnectedAccount, make_due: Make
):
    network.will("commit", LOST)
    network.will("look", Unknowable("Members cannot be read."))
    publication = make_due(account, first_comment="More in our shop")
    run_due()
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=True):
        run_due()
        publication.refresh_from_db()
        decide(publication, "there", by=None, platform_post_id="urn:1")
    run_in(minutes=11)
    assert written(network) == ["More in our shop"]


@pytest.mark.django_db(transaction=True)
def test_many_workers_write_one_comment(network: FakePlatform, published: Publication):
    barrier = threading.Barrier(8)

    def work() -> None:
        barrier.wait()
        try:
            follow_ups.run_due()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert written(network) == ["More in our shop"]


# --- Is it really there?


def test_it_is_looked_at_after_five_minutes_and_after_a_day(
    network: FakePlatform, account: ConnectedAccount, make_due: Make
):
    publication = make_due(account)
    run_due()
    assert run_in(minutes=4) == 0
    assert run_in(minutes=5.1) == 1
    assert row_of(publication, Kind.SEEN_SOON).outcome == Outcome.DONE
    assert run_in(hours=23) == 0
    assert run_in(hours=24.1) == 1
    assert row_of(publication, Kind.SEEN_LATER).outcome == Outcome.DONE
    assert run_in(hours=48) == 0
    assert len(network.called("seen")) == 2


def test_a_post_that_is_gone_is_reported_once(network: FakePlatform, account: ConnectedAccount, make_due: Make):
    publication = make_due(account)
    run_due()
    publication.refresh_from_db()
    network.remove(account.platform_account_id, publication.platform_post_id)
    for minutes in (6, 12, 18):  # three looks, because lists lag behind
        assert not Notification.objects.exists()
        run_in(minutes=minutes)
    publication.refresh_from_db()
    assert publication.removed_at is not None
    assert publication.status == "published"
    row = row_of(publication, Kind.SEEN_SOON)
    assert row.outcome == Outcome.GONE
    notice = Notification.objects.get()
    assert (notice.kind, notice.url) == ("removed", publication.post.get_absolute_url())
    assert "does not show it any more" in notice.body
    assert run_in(days=1.1) == 0  # what is gone needs no second look


def test_not_found_counts_as_gone(network: FakePlatform, account: ConnectedAccount, make_due: Make):
    publication = make_due(account)
    run_due()
    network.will("seen", *[NotFoundError("Unknown object.")] * 3)
    for minutes in (6, 12, 18):
        run_in(minutes=minutes)
    assert row_of(publication, Kind.SEEN_SOON).outcome == Outcome.GONE


def test_a_late_list_alarms_nobody(network: FakePlatform, account: ConnectedAccount, make_due: Make):
    publication = make_due(account)
    run_due()
    network.will("seen", Seen(False))
    run_in(minutes=6)
    run_in(minutes=12)
    assert row_of(publication, Kind.SEEN_SOON).outcome == Outcome.DONE
    assert not Notification.objects.exists()


def test_missing_images_are_counted(network: FakePlatform, account: ConnectedAccount, make_due: Make):
    publication = make_due(account)
    run_due()
    for position in (1, 2, 3):
        PostMedia.objects.create(post=publication.post, media=make_media(account.workspace), position=position)
    network.will("seen", Seen(True, media=2))
    run_in(minutes=6)
    row = row_of(publication, Kind.SEEN_SOON)
    assert (row.outcome, row.seen["media"]) == (Outcome.DIFFERENT, 2)
    assert "3 images or videos were sent; Facebook shows 2" in Notification.objects.get().body


def test_a_missing_address_is_filled_in(network: FakePlatform, account: ConnectedAccount, make_due: Make):
    publication = make_due(account)
    run_due()
    Publication.objects.update(permalink="")
    network.will("seen", Seen(True, permalink="https://fake.example/late"))
    run_in(minutes=6)
    publication.refresh_from_db()
    assert publication.permalink == "https://fake.example/late"


def test_a_network_that_cannot_be_read_claims_nothing(network: FakePlatform, account: ConnectedAccount, make_due: Make):
    publication = make_due(account)
    run_due()
    network.will("seen", Seen(None))
    run_in(minutes=6)
    row = row_of(publication, Kind.SEEN_SOON)
    assert (row.outcome, row.message) == (Outcome.UNKNOWN, "The network does not let us read it again.")


def test_looks_that_nobody_could_make_end(network: FakePlatform, account: ConnectedAccount, make_due: Make):
    publication = make_due(account)
    run_due()
    ConnectedAccount.objects.update(status="expired")
    run_in(minutes=6)
    run_in(days=3.5)
    assert row_of(publication, Kind.SEEN_SOON).outcome == Outcome.UNKNOWN


def test_near_the_limit_of_meta_the_look_waits(
    network: FakePlatform, account: ConnectedAccount, make_due: Make, monkeypatch: pytest.MonkeyPatch
):
    publication = make_due(account)
    run_due()
    until = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(follow_ups.usage, "held_until", lambda account: until)
    run_in(minutes=6)
    assert not network.called("seen")
    assert row_of(publication, Kind.SEEN_SOON).due_at == until
