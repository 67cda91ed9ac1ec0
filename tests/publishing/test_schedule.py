from __future__ import annotations

from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone
from kombu.exceptions import OperationalError

from publishing.claims import claim_due
from publishing.models import Publication, QueueEntry, Status
from publishing.schedule import CannotDecide, back_to_draft, cancel, decide, publish_now, reschedule, retry, schedule
from publishing.states import GIVEN_UP, LostRace
from socialhub.platforms.errors import TemporaryError
from tests.factories import make_account, make_post
from tests.fakes import FakePlatform

pytestmark = pytest.mark.django_db


def in_hours(hours: float):
    return timezone.now() + timedelta(hours=hours)


def test_scheduling_makes_an_entry_for_each_publication(workspace, owner):
    post = make_post(workspace, make_account(workspace), make_account(workspace))
    at = in_hours(2)
    assert len(schedule(post, at, by=owner)) == 2
    assert post.status == "scheduled"
    assert set(QueueEntry.objects.values_list("not_before", "due_at", "priority")) == {(at, at, 0)}
    event = post.publications.first().events.get()
    assert event.actor == owner


def test_publishing_now_goes_ahead_of_scheduled_work(workspace, account, owner):
    post = make_post(workspace, account)
    publish_now(post, by=owner)
    assert QueueEntry.objects.get().priority == QueueEntry.Priority.NOW


def test_a_post_cannot_be_scheduled_twice(workspace, account, owner):
    post = make_post(workspace, account)
    schedule(post, in_hours(1), by=owner)
    with pytest.raises(LostRace):
        schedule(post, in_hours(2), by=owner)
    assert QueueEntry.objects.count() == 1


def test_cancelling_leaves_a_draft_and_no_entry(workspace, account, owner):
    post = make_post(workspace, account)
    schedule(post, in_hours(1), by=owner)
    cancel(post, by=owner)
    assert post.status == "draft"
    assert not QueueEntry.objects.exists()
    assert post.publications.get().scheduled_at is None


def test_what_a_worker_has_begun_cannot_be_cancelled(workspace, account, owner):
    post = make_post(workspace, account)
    publish_now(post, by=owner)
    assert claim_due(1)
    with pytest.raises(LostRace):
        cancel(post, by=owner)
    assert QueueEntry.objects.exists()


def test_of_a_post_that_is_half_on_its_way_the_rest_is_cancelled(workspace, owner):
    post = make_post(workspace, make_account(workspace), make_account(workspace))
    publish_now(post, by=owner)
    (claim,) = claim_due(1)
    moved = cancel(post, by=owner)
    assert moved
    assert claim.publication.pk not in moved


def test_an_edited_post_starts_from_nothing(workspace, account, owner):
    """Handles of an earlier try belong to the content of then."""
    post = make_post(workspace, account)
    Publication.objects.update(
        status=Status.FAILED, handles={"photo:1": "1"}, error_message="No.", error_kind="rejected"
    )
    back_to_draft(post.publications.get(), by=owner)
    schedule(post, in_hours(1), by=owner)
    publication = post.publications.get()
    assert (publication.handles, publication.error_message, publication.error_kind) == ({}, "", "")


def test_a_retry_keeps_what_was_prepared(workspace, account, owner):
    publication = make_post(workspace, account).publications.get()
    Publication.objects.update(status=Status.FAILED, handles={"photo:1": "1"}, error_message="Busy.")
    publication.refresh_from_db()
    retry(publication, by=owner)
    publication.refresh_from_db()
    assert (publication.status, publication.handles) == (Status.SCHEDULED, {"photo:1": "1"})
    assert publication.error_message == ""
    assert QueueEntry.objects.get().priority == QueueEntry.Priority.NOW
    with pytest.raises(LostRace):
        retry(publication, by=owner)


def checking(workspace, account) -> Publication:
    publication = make_post(workspace, account).publications.get()
    Publication.objects.filter(pk=publication.pk).update(status=Status.CHECKING, committing_at=timezone.now())
    publication.refresh_from_db()
    now = timezone.now()
    QueueEntry.objects.create(
        publication=publication, account=account, not_before=now, due_at=now, held=True, awaits_decision=True
    )
    return publication


def test_there_needs_the_address_or_id(workspace, account, owner):
    publication = checking(workspace, account)
    with pytest.raises(CannotDecide):
        decide(publication, "there", by=owner, platform_post_id="  ")
    publication.refresh_from_db()
    assert publication.status == Status.CHECKING
    assert QueueEntry.objects.exists()


def test_there_refuses_the_post_of_another_publication(workspace, account, owner):
    other = make_post(workspace, account).publications.get()
    Publication.objects.filter(pk=other.pk).update(status=Status.PUBLISHED, platform_post_id="1_2")
    publication = checking(workspace, account)
    with pytest.raises(CannotDecide, match="already belongs"):
        decide(publication, "there", by=owner, platform_post_id="1_2")
    assert QueueEntry.objects.exists()


def test_an_address_is_turned_into_the_id(workspace, account, owner, monkeypatch):
    fake = FakePlatform()
    monkeypatch.setattr("publishing.schedule.client_of", lambda account: fake)
    fake.add(account.platform_account_id)
    wanted = fake.add(account.platform_account_id)
    publication = checking(workspace, account)
    decide(publication, "there", by=owner, platform_post_id=wanted.permalink + "/")
    publication.refresh_from_db()
    assert publication.platform_post_id == wanted.platform_post_id
    assert publication.permalink


def test_an_address_is_believed_when_the_network_does_not_answer(workspace, account, owner, monkeypatch):
    fake = FakePlatform()
    fake.will("recent_posts", TemporaryError("Busy."))
    monkeypatch.setattr("publishing.schedule.client_of", lambda account: fake)
    publication = checking(workspace, account)
    decide(publication, "there", by=owner, platform_post_id="https://facebook.example/1")
    publication.refresh_from_db()
    assert (publication.status, publication.platform_post_id) == (Status.PUBLISHED, "https://facebook.example/1")
    assert publication.permalink == "", "nobody is led to an address that was not found on the account"


def test_what_a_person_calls_absent_is_prepared_from_nothing(workspace, account, owner):
    """A container that says it is published is never published again."""
    publication = checking(workspace, account)
    Publication.objects.update(handles={"container": "1", "already_published": True})
    publication.refresh_from_db()
    decide(publication, "absent", by=owner)
    publication.refresh_from_db()
    assert (publication.status, publication.handles) == (Status.SCHEDULED, {})


def test_an_unknown_answer_is_refused(workspace, account, owner):
    with pytest.raises(CannotDecide):
        decide(checking(workspace, account), "perhaps", by=owner)


def test_a_broker_that_is_down_does_not_reach_the_person(
    workspace, account, owner, monkeypatch, django_capture_on_commit_callbacks
):
    def down(*args: object, **options: object) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(current_app, "send_task", down)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        publish_now(make_post(workspace, account), by=owner)
    assert callbacks
    assert QueueEntry.objects.count() == 1


def test_only_what_is_due_soon_wakes_a_worker(
    workspace, account, owner, monkeypatch, django_capture_on_commit_callbacks
):
    woken = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **options: woken.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        schedule(make_post(workspace, account), in_hours(1), by=owner)
    assert not woken
    with django_capture_on_commit_callbacks(execute=True):
        publish_now(make_post(workspace, account), by=owner)
    assert woken == ["publishing.tasks.publish_due"]


def test_another_time_moves_the_queue_and_keeps_what_is_prepared(workspace, account, owner):
    post = make_post(workspace, account)
    schedule(post, in_hours(2), by=owner)
    Publication.objects.update(handles={"photo:1": "17"})
    QueueEntry.objects.update(attempts=2, wait_reason="busy", checked_at=timezone.now(), trouble_ahead=True)
    at = in_hours(30)
    assert len(reschedule(post, at, by=owner)) == 1
    entry = QueueEntry.objects.get()
    assert (entry.not_before, entry.due_at, entry.attempts, entry.wait_reason) == (at, at, 0, "")
    assert entry.checked_at is None
    assert not entry.trouble_ahead
    publication = post.publications.get()
    assert (publication.status, publication.scheduled_at, publication.handles) == ("scheduled", at, {"photo:1": "17"})
    post.refresh_from_db()
    assert (post.status, post.scheduled_at) == ("scheduled", at)
    assert publication.events.count() == 3


def test_the_planned_time_of_a_draft_is_moved(workspace, account, owner):
    post = make_post(workspace, account, scheduled_at=in_hours(2))
    at = in_hours(3)
    assert reschedule(post, at, by=owner) == []
    post.refresh_from_db()
    assert (post.status, post.scheduled_at) == ("draft", at)
    assert not QueueEntry.objects.exists()


def test_what_has_begun_keeps_its_time(workspace, account, owner):
    post = make_post(workspace, account)
    publish_now(post, by=owner)
    assert claim_due(1)
    before = QueueEntry.objects.values("not_before", "due_at").get()
    with pytest.raises(LostRace):
        reschedule(post, in_hours(5), by=owner)
    assert QueueEntry.objects.values("not_before", "due_at").get() == before


def test_of_a_post_that_is_half_out_only_the_rest_is_moved(workspace, owner):
    post = make_post(workspace, make_account(workspace), make_account(workspace), make_account(workspace))
    schedule(post, in_hours(1), by=owner)
    first, second, third = post.publications.order_by("pk")
    Publication.objects.filter(pk=first.pk).update(status="published")
    QueueEntry.objects.filter(pk=first.pk).delete()
    Publication.objects.filter(pk=third.pk).update(status="draft", scheduled_at=None)
    QueueEntry.objects.filter(pk=third.pk).delete()
    assert reschedule(post, in_hours(4), by=owner) == [second.pk]
    third.refresh_from_db()
    assert third.status == "draft"


def test_what_waits_for_its_account_still_says_so_after_a_move(workspace, account, owner):
    post = make_post(workspace, account)
    schedule(post, in_hours(1), by=owner)
    QueueEntry.objects.update(held=True, wait_reason="Publishing to this account is paused.")
    reschedule(post, in_hours(4), by=owner)
    entry = QueueEntry.objects.get()
    assert (entry.held, entry.wait_reason) == (True, "Publishing to this account is paused.")


def test_calls_that_were_reserved_for_the_old_time_are_reserved_again_for_the_new_one(workspace, account, owner):
    post = make_post(workspace, account)
    schedule(post, in_hours(1), by=owner)
    QueueEntry.objects.update(reserved=["photo:1", "publish"])
    reschedule(post, in_hours(100), by=owner)
    assert QueueEntry.objects.get().reserved == []


def test_a_draft_that_was_deleted_meanwhile_cannot_be_moved(workspace, account, owner):
    post = make_post(workspace, account, scheduled_at=in_hours(1))
    type(post).objects.filter(pk=post.pk).delete()
    with pytest.raises(LostRace):
        reschedule(post, in_hours(4), by=owner)


def test_a_move_keeps_what_may_have_been_announced_and_what_was_prepared(workspace, account, owner):
    """Given up, tried again, and moved before a worker looked: it still looks first."""
    post = make_post(workspace, account)
    announced = in_hours(-1)
    Publication.objects.update(
        status=Status.FAILED, error_kind=GIVEN_UP, committing_at=announced, handles={"container": "1"}
    )
    retry(post.publications.get(), by=owner)
    reschedule(post, in_hours(4), by=owner)
    publication = post.publications.get()
    assert (publication.committing_at, publication.handles) == (announced, {"container": "1"})


def test_who_retries_what_they_read_long_ago_retries_what_it_is_now(workspace, account, owner):
    post = make_post(workspace, account)
    Publication.objects.update(status=Status.FAILED, error_kind="rejected")
    stale = post.publications.get()
    announced = in_hours(-1)
    Publication.objects.update(error_kind=GIVEN_UP, committing_at=announced)  # another try, given up since
    retry(stale, by=owner)
    assert post.publications.get().committing_at == announced
