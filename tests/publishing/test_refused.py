"""A network refuses an access that should be good: renewed once, and the publication goes on by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts import renew
from accounts.models import ConnectedAccount, Credential, Grant, Notification, User, Workspace
from accounts.renew import Renewal
from accounts.tokens import reconnected
from publishing.claims import release_held
from publishing.models import Attempt, Publication, QueueEntry, Status
from socialhub.platforms.base import Step, StepKind, Tokens
from socialhub.platforms.errors import OperatorError, PlatformError, ReconnectError, TemporaryError
from tests.factories import make_account
from tests.fakes import LOST, NORMAL, FakePlatform
from tests.publishing.conftest import run_due

pytestmark = pytest.mark.django_db

REFUSED = ReconnectError("The network does not take the access.", code="401")


class Renewing:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.trouble: list[PlatformError] = []

    def __call__(self, refresh_token: str) -> Tokens:
        self.asked.append(refresh_token)
        if self.trouble:
            raise self.trouble.pop(0)
        number = len(self.asked)
        return Tokens(f"access-{number}", timezone.now() + timedelta(hours=1), f"refresh-{number}")


@pytest.fixture
def renewing(monkeypatch: pytest.MonkeyPatch) -> Renewing:
    made = Renewing()
    monkeypatch.setitem(renew.RENEWALS, "once", Renewal(made, timedelta(minutes=10), single_use=True))
    return made


@pytest.fixture
def account(workspace: Workspace, owner: User, renewing: Renewing) -> ConnectedAccount:
    made = make_account(workspace, token=None)
    grant = Grant.objects.create(
        workspace=workspace,
        user=owner,
        provider="once",
        platform_user_id="1",
        access_token="access-0",
        refresh_token="refresh-0",
        expires_at=timezone.now() + timedelta(minutes=40),
    )
    Credential.objects.create(account=made, grant=grant)
    return made


@pytest.mark.parametrize("call", ["perform:photo:1", "commit"])
def test_it_goes_on_by_itself_with_a_renewed_access(
    network: FakePlatform,
    account: ConnectedAccount,
    renewing: Renewing,
    make_due: Callable[..., Publication],
    call: str,
) -> None:
    publication = make_due(account)
    network.steps = (Step("photo:1", StepKind.PREPARE, "Uploading"), Step("publish", StepKind.COMMIT, "Publishing"))
    network.will(call, REFUSED)
    run_due()
    publication.refresh_from_db()
    assert (publication.status, publication.committing_at) == (Status.SCHEDULED, None)
    assert not QueueEntry.objects.get().held
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert len(network.feed[account.platform_account_id]) == 1
    assert {made.token for made in network.called(call.partition(":")[0])} == {"access-0", "access-1"}
    assert renewing.asked == ["refresh-0"]
    account.refresh_from_db()
    assert account.is_connected
    assert not Notification.objects.exists()
    assert list(Attempt.objects.order_by("started_at").values_list("outcome", flat=True)) == ["reconnect", "published"]


def test_a_no_to_the_renewed_access_is_final(
    network: FakePlatform, account: ConnectedAccount, renewing: Renewing, make_due: Callable[..., Publication]
) -> None:
    publication = make_due(account)
    network.will("commit", REFUSED, REFUSED)
    for _ in range(4):
        run_due()
    assert renewing.asked == ["refresh-0"]
    assert len(network.called("commit")) == 2
    account.refresh_from_db()
    assert account.status == "expired"
    assert QueueEntry.objects.get().held
    assert Notification.objects.filter(kind=Notification.Kind.RECONNECT).count() == 1
    reconnected(account)
    release_held()
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED


def test_another_day_it_is_renewed_again(
    network: FakePlatform, account: ConnectedAccount, renewing: Renewing, make_due: Callable[..., Publication]
) -> None:
    publication = make_due(account)
    network.will("commit", REFUSED, TemporaryError("Later."), REFUSED)
    run_due()
    run_due()
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        Grant.objects.update(expires_at=timezone.now() + timedelta(hours=1))
        run_due()
        run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert renewing.asked == ["refresh-0", "refresh-1"]


def test_what_somebody_else_renewed_serves(
    network: FakePlatform, account: ConnectedAccount, renewing: Renewing, make_due: Callable[..., Publication]
) -> None:
    publication = make_due(account)
    network.will("commit", REFUSED)
    network.during("commit", lambda call: renew.renew_now(Grant.objects.get()))
    run_due()
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert renewing.asked == ["refresh-0"]


def test_a_renewal_that_does_not_come_through_disconnects_nobody(
    network: FakePlatform, account: ConnectedAccount, renewing: Renewing, make_due: Callable[..., Publication]
) -> None:
    publication = make_due(account)
    network.will("commit", REFUSED, REFUSED)
    renewing.trouble = [TemporaryError("Not reached.")]
    run_due()
    account.refresh_from_db()
    assert account.is_connected
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        run_due()
        run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED


def test_a_renewal_that_waits_for_whoever_runs_the_server_holds_the_post(
    network: FakePlatform, account: ConnectedAccount, renewing: Renewing, make_due: Callable[..., Publication]
) -> None:
    make_due(account)
    network.will("commit", REFUSED)
    renewing.trouble = [OperatorError("The app's secret is wrong.")]
    run_due()
    account.refresh_from_db()
    assert account.is_connected
    assert QueueEntry.objects.get().held


def test_a_look_is_made_again(
    network: FakePlatform,
    account: ConnectedAccount,
    renewing: Renewing,
    make_due: Callable[..., Publication],
    settings: Any,
) -> None:
    settings.PUBLISH_CHECK_SPEED = 1e6
    publication = make_due(account)
    network.will("commit", LOST)
    network.will("look", REFUSED, NORMAL)
    run_due()
    for _ in range(3):
        run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert renewing.asked == ["refresh-0"]
    assert len(network.feed[account.platform_account_id]) == 1
