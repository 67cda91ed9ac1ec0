"""Everything that happened to a post, in words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Workspace
from publishing.models import Attempt, Publication, PublicationEvent, Status
from publishing.states import TRANSITIONS
from publishing.views.timeline import CHANGES, OUTCOMES, TimelineEntry
from socialhub.platforms import errors
from tests.factories import make_account, make_post


@pytest.fixture
def publication(workspace: Workspace) -> Publication:
    return make_post(workspace, make_account(workspace)).publications.get()


def kinds(cls: type[errors.PlatformError]) -> set[str]:
    return {cls.kind}.union(*(kinds(one) for one in cls.__subclasses__()))


def test_every_way_to_end_a_try_has_words() -> None:
    assert kinds(errors.PlatformError) <= set(OUTCOMES)


def test_every_change_has_words() -> None:
    for came, ends in TRANSITIONS.items():
        for to in ends:
            assert (came, to) in CHANGES or ("", to) in CHANGES, f"{came} → {to}"


def test_a_running_try_is_going_on(publication: Publication) -> None:
    now = timezone.now()
    attempt = Attempt(publication=publication, number=2, started_at=now)
    entry = TimelineEntry(now, publication, "", attempt=attempt)
    assert (entry.happened, entry.outcome, entry.took) == ("Try 2", "going on", "")


def test_an_ended_try_says_how_and_how_long(publication: Publication) -> None:
    now = timezone.now()
    attempt = Attempt(
        publication=publication,
        number=1,
        purpose="check",
        started_at=now,
        finished_at=now + timedelta(seconds=125),
        outcome="absent",
    )
    entry = TimelineEntry(now, publication, "", attempt=attempt)
    assert (entry.happened, entry.outcome, entry.took) == ("Look 1", "it is not there", "2 minutes")


def test_steps_of_the_engine_are_marked(signed_in: Client, publication: Publication) -> None:
    now = timezone.now()
    for came, to in (
        ("draft", "scheduled"),
        ("scheduled", "queued"),
        ("queued", "publishing"),
        ("publishing", "failed"),
    ):
        PublicationEvent.objects.create(publication=publication, from_status=came, to_status=to, at=now)
    entries = signed_in.get(publication.post.get_absolute_url()).context["timeline"]
    assert [(entry.happened, entry.is_technical, entry.tone) for entry in entries] == [
        ("Failed", False, "danger"),
        ("Publishing began", True, ""),
        ("Its turn has come", True, ""),
        ("Scheduled", False, ""),
    ]
    assert entries[0].event.to_status == Status.FAILED
