"""The switch that stops publishing: at once, for an account or a workspace, with an end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import pauses
from accounts.models import ConnectedAccount, User, Workspace
from publishing import claims
from publishing.models import Attempt, Publication
from tests.factories import make_account
from tests.fakes import FakePlatform
from tests.publishing.conftest import run_due

Make = Callable[..., Publication]


def status_of(publication: Publication) -> str:
    publication.refresh_from_db()
    return publication.status


@pytest.fixture(params=["account", "workspace"])
def subject(request: pytest.FixtureRequest, account: ConnectedAccount, workspace: Workspace) -> pauses.Pausable:
    return account if request.param == "account" else workspace


def test_nothing_goes_out_while_it_is_pressed(
    network: FakePlatform, account: ConnectedAccount, subject: pauses.Pausable, make_due: Make, owner: User
):
    publication = make_due(account)
    pauses.pause(subject, by=owner, reason="Fire in the shop")
    run_due()
    claims.sweep()
    run_due()
    assert status_of(publication) == "scheduled"
    assert not network.calls
    entry = publication.queue_entry
    entry.refresh_from_db()
    assert entry.held
    assert "paused" in entry.wait_reason
    assert entry.attempts == 0


def test_what_waited_goes_out_after_resuming(
    network: FakePlatform, account: ConnectedAccount, subject: pauses.Pausable, make_due: Make, owner: User
):
    publication = make_due(account)
    pauses.pause(subject, by=owner)
    run_due()
    claims.sweep()
    pauses.resume(subject)
    claims.sweep()
    run_due()
    assert status_of(publication) == "published"
    assert len(network.called("commit")) == 1


def test_a_pause_ends_by_itself(
    network: FakePlatform, account: ConnectedAccount, subject: pauses.Pausable, make_due: Make, owner: User
):
    publication = make_due(account)
    pauses.pause(subject, by=owner, until=timezone.now() + timedelta(hours=1))
    claims.sweep()
    with time_machine.travel(timezone.now() + timedelta(minutes=59)):
        claims.sweep()
        run_due()
        assert status_of(publication) == "scheduled"
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        claims.sweep()
        run_due()
    assert status_of(publication) == "published"
    subject.refresh_from_db()
    assert (subject.paused_at, subject.paused_until, subject.pause_reason) == (None, None, "")


def test_it_stops_what_has_begun_and_is_not_announced(
    network: FakePlatform, account: ConnectedAccount, subject: pauses.Pausable, make_due: Make, owner: User
):
    """Pressed while a worker is preparing: the images are up, the post is not."""
    network.steps = (
        network.plan_step("photo:1"),
        network.plan_step("publish", commit=True),
    )
    publication = make_due(account)
    network.during("perform", lambda call: pauses.pause(subject, by=owner, reason="Stop!"))
    run_due()
    assert status_of(publication) == "scheduled"
    assert not network.called("commit")
    assert publication.committing_at is None
    assert Attempt.objects.get().outcome == "paused"
    publication.queue_entry.refresh_from_db()
    assert publication.queue_entry.wait_reason.endswith("Reason: Stop!")
    pauses.resume(subject)
    claims.sweep()
    run_due()
    assert status_of(publication) == "published"
    assert len(network.called("perform")) == 1  # the image was not sent again


def test_other_accounts_and_workspaces_go_on(
    network: FakePlatform, account: ConnectedAccount, make_due: Make, owner: User, workspace: Workspace
):
    other = make_account(workspace)
    first, second = make_due(account), make_due(other)
    pauses.pause(account, by=owner)
    run_due()
    assert (status_of(first), status_of(second)) == ("scheduled", "published")


def test_staff_and_pages_see_who_and_why(account: ConnectedAccount, owner: User):
    pauses.pause(account, by=owner, reason="x" * 300)
    account.refresh_from_db()
    assert (account.paused_by, len(account.pause_reason)) == (owner, 200)
    assert account.is_paused
