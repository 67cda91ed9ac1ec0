"""What workers write is read by the people of a workspace, in its language; and that costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from accounts.models import ConnectedAccount, Notification, Workspace
from publishing import ahead, claims, follow_ups
from publishing.models import FollowUp, Publication, QueueEntry, Status
from publishing.schedule import schedule
from socialhub.platforms import errors
from tests.factories import make_account, make_post
from tests.fakes import FakePlatform
from tests.publishing.conftest import run_due

Make = Callable[..., Publication]

pytestmark = pytest.mark.django_db


@pytest.fixture
def german(workspace: Workspace) -> Workspace:
    workspace.language = "de"
    workspace.save(update_fields=["language"])
    return workspace


def in_german(message: str) -> str:
    with translation.override("de"):
        said = translation.gettext(message)
    assert said != message
    return said


def test_reasons_and_notifications_of_a_worker(network: FakePlatform, german: Workspace, make_due: Make):
    account = make_account(german)
    publication = make_due(account)
    QueueEntry.objects.update(due_at=timezone.now() - timedelta(days=2))
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.FAILED
    assert "Es wurde nichts veröffentlicht." in publication.error_message
    assert publication.events.order_by("pk").last().reason == publication.error_message
    notice = Notification.objects.get()
    assert notice.title == in_german("A post for %(account)s missed its time") % {"account": account.handle}
    assert translation.get_language() == "en"


def test_two_workspaces_in_one_batch_are_told_apart(
    network: FakePlatform, german: Workspace, make_due: Make, stranger: object
):
    theirs = Workspace.objects.exclude(pk=german.pk).get()
    for workspace in (german, theirs):
        account = make_account(workspace)
        post = make_post(workspace, account)
        schedule(post, timezone.now() + timedelta(hours=1), by=None)
    QueueEntry.objects.update(not_before=timezone.now(), due_at=timezone.now())
    assert run_due() == 2
    reasons = {
        publication.post.workspace_id: publication.events.order_by("pk").last().reason
        for publication in Publication.objects.select_related("post")
    }
    assert reasons == {german.pk: in_german("The network confirmed it."), theirs.pk: "The network confirmed it."}


def test_what_is_written_to_many_at_once_is_translated_where_it_is_shown(
    network: FakePlatform, german: Workspace, make_due: Make, signed_in: Client
):
    """One statement for all workspaces, so it is kept in English."""
    publication = make_due(make_account(german))
    ConnectedAccount.objects.update(paused_at=timezone.now())
    assert claims.hold_for_accounts() == 1
    kept = "Publishing to this account is paused."
    assert QueueEntry.objects.get().wait_reason == kept
    ConnectedAccount.objects.update(paused_at=None)  # so that the page tells the entry's own reason
    page = signed_in.get(publication.post.get_absolute_url(), headers={"Accept-Language": "de"}).content.decode()
    assert in_german(kept) in page
    assert kept not in page


def test_the_language_costs_no_statement(network: FakePlatform, german: Workspace, make_due: Make):
    numbers = []
    for language in ("de", ""):
        Workspace.objects.filter(pk=german.pk).update(language=language)
        make_due(make_account(german))
        with CaptureQueriesContext(
            connection,
        ) as captured:
            run_due()
        numbers.append(len(captured))
    assert numbers[0] == numbers[1]


def test_trouble_ahead(monkeypatch: pytest.MonkeyPatch, german: Workspace):
    monkeypatch.setattr(ahead, "verify", lambda account: None)
    monkeypatch.setattr(ahead.forecast, "client_of", lambda account: FakePlatform())
    account = make_account(german)
    schedule(make_post(german, account), timezone.now() + timedelta(minutes=10), by=None)
    QueueEntry.objects.update(created_at=timezone.now() - timedelta(hours=1))
    ConnectedAccount.objects.update(status=ConnectedAccount.Status.EXPIRED)
    ahead.look_ahead()
    assert (
        in_german("Put it right before then, or give it another time. Network: %(network)s.") % {"network": "Facebook"}
        in Notification.objects.get().body
    )


def test_follow_ups(network: FakePlatform, german: Workspace, make_due: Make, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(follow_ups, "client_of", lambda account: network)

    def broken(*args: object) -> None:
        raise errors.OutcomeUnknownError(
            translation.gettext("The network did not answer in time. It is tried again by itself.")
        )

    monkeypatch.setattr(network, "seen", broken)
    publication = make_due(make_account(german))
    run_due()
    row = FollowUp.objects.create(
        publication=publication,
        kind=FollowUp.Kind.SEEN_SOON,
        due_at=timezone.now(),
        attempts=follow_ups.MOST_TRIES,
    )
    follow_ups.run_due()
    row.refresh_from_db()
    assert row.message == in_german("The network did not answer in time. It is tried again by itself.")
