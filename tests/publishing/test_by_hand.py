"""What whoever runs the server can have done sooner: a wait cut short, another look at the network."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Notification, Workspace
from accounts.notify import tell
from publishing.models import Publication, QueueEntry, Status
from publishing.schedule import LostRace, hurry, look_again, why_not_hurry, why_not_look_again
from publishing.settle import incident_of
from tests.factories import make_account, make_entry, make_post

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def publication_in(workspace: Workspace, status: str, **fields: Any) -> Publication:
    publication = make_post(workspace, make_account(workspace)).publications.get()
    Publication.objects.filter(pk=publication.pk).update(status=status, **fields)
    return Publication.objects.select_related("account", "post").get(pk=publication.pk)


def waiting(workspace: Workspace, **fields: Any) -> QueueEntry:
    """Its time has come; after an error it waits for another hour."""
    publication = publication_in(workspace, Status.SCHEDULED, scheduled_at=timezone.now() - HOUR)
    return make_entry(publication, **{"not_before": timezone.now() + HOUR, **fields})


def test_a_wait_of_the_engine_is_cut_short(workspace: Workspace) -> None:
    entry = waiting(workspace)
    assert why_not_hurry(entry) == ""
    hurry(entry)
    entry.refresh_from_db()
    assert entry.not_before <= timezone.now()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"lease_until": timezone.now() + HOUR}, "a worker has it in its hands"),
        ({"held": True}, "it waits for its account, not for a time"),
        ({"held": True, "awaits_decision": True}, "a person must decide whether it is there"),
        ({"not_before": timezone.now() - HOUR}, "it is due already"),
    ],
)
def test_what_cannot_be_hurried_says_why(workspace: Workspace, fields: dict[str, Any], reason: str) -> None:
    entry = waiting(workspace, **fields)
    assert why_not_hurry(entry) == reason
    with pytest.raises(LostRace):
        hurry(entry)


def test_the_time_that_its_author_has_chosen_stands(workspace: Workspace) -> None:
    entry = waiting(workspace)
    Publication.objects.update(scheduled_at=timezone.now() + HOUR)
    entry = QueueEntry.objects.select_related("publication").get()
    assert why_not_hurry(entry) == "its author wants it at a later time"
    with pytest.raises(LostRace):
        hurry(entry)
    entry.refresh_from_db()
    assert entry.not_before > timezone.now()


def test_the_network_is_asked_again_where_a_person_was_asked(workspace: Workspace) -> None:
    publication = publication_in(workspace, Status.CHECKING, committing_at=timezone.now())
    make_entry(publication, held=True, awaits_decision=True, wait_reason="Two posts look like it.")
    tell(workspace, Notification.Kind.DECISION_NEEDED, incident_of(publication), title="Please decide")
    assert why_not_look_again(publication) == ""
    look_again(publication)
    entry = QueueEntry.objects.get()
    assert (entry.held, entry.awaits_decision, entry.wait_reason) == (False, False, "")
    assert entry.not_before <= timezone.now()
    assert Notification.objects.get().resolved_at, "when it cannot be known again, that is a new incident"
    publication.refresh_from_db()
    assert publication.status == Status.CHECKING


def test_what_is_not_in_question_or_just_looked_for_is_left_alone(workspace: Workspace) -> None:
    failed = publication_in(workspace, Status.FAILED)
    busy = publication_in(workspace, Status.CHECKING)
    make_entry(busy, lease_until=timezone.now() + HOUR, worker="w")
    assert why_not_look_again(failed) == "it is not in question whether it is there"
    assert why_not_look_again(busy) == "a worker is just looking"
    for publication in (failed, busy):
        with pytest.raises(LostRace):
            look_again(publication)


def test_a_lost_account_is_connected_first(workspace: Workspace) -> None:
    publication = publication_in(workspace, Status.CHECKING)
    make_entry(publication, held=True)
    publication.account.status = "expired"
    assert why_not_look_again(publication) == "its account has to be connected again first"
