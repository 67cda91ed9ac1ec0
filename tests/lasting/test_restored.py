"""What a restore doubts, and what people are told of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import ConnectedAccount, Notification, User, Workspace
from publishing import job, publish
from publishing.checks import Draft, given_up_findings
from publishing.claims import claim_due
from publishing.models import FollowUp, Post, PostAssembly, Publication, QueueEntry, Status
from publishing.restored import TOLD, doubt_everything, settle_told
from publishing.schedule import retry, schedule
from publishing.settle import check_delay
from socialhub.platforms import PLATFORMS
from tests.factories import make_account, make_post
from tests.fakes import FakePlatform

pytestmark = pytest.mark.django_db

YESTERDAY = timedelta(days=1)


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace)


def planned(workspace: Workspace, account: ConnectedAccount, ahead: timedelta) -> Publication:
    post = make_post(workspace, account)
    schedule(post, timezone.now() + ahead, by=None)
    return post.publications.get()


def test_what_waits_is_looked_for_and_not_before_its_network_shows_it(
    workspace: Workspace, account: ConnectedAccount
) -> None:
    taken_at = timezone.now() - YESTERDAY
    due, later = planned(workspace, account, timedelta()), planned(workspace, account, timedelta(days=3))
    due_at = QueueEntry.objects.get(pk=due.pk).due_at
    QueueEntry.objects.filter(pk=due.pk).update(lease_until=timezone.now() + timedelta(minutes=2), worker="dead")
    doubts = doubt_everything(taken_at)
    assert doubts.waiting == 2
    for publication in (due, later):
        publication.refresh_from_db()
        assert (publication.status, publication.committing_at) == (Status.SCHEDULED, taken_at)
    entry = QueueEntry.objects.get(pk=due.pk)
    assert (entry.lease_until, entry.worker, entry.due_at) == (None, "", due_at), "lateness counts from its time"
    shown = check_delay(PLATFORMS["facebook"].absent_after_seconds)
    assert entry.not_before - timezone.now() > shown - timedelta(seconds=30)
    assert "looked at first" in entry.wait_reason
    assert QueueEntry.objects.get(pk=later.pk).not_before == later.scheduled_at


def test_a_look_that_comes_early_takes_nothing_for_absent(
    workspace: Workspace, account: ConnectedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody asks to look again at once: the network's list may not show yet what went out a moment ago."""
    network = FakePlatform()
    monkeypatch.setattr(job, "client_of", lambda account: network)
    publication = planned(workspace, account, timedelta())
    doubt_everything(timezone.now() - YESTERDAY)

    def looked_at() -> str:
        QueueEntry.objects.update(not_before=timezone.now())
        for claim in claim_due(5):
            publish.run(claim)
        publication.refresh_from_db()
        return publication.status

    assert [looked_at(), looked_at()] == [Status.CHECKING, Status.CHECKING]
    with time_machine.travel(timezone.now() + timedelta(minutes=20), tick=False):
        assert looked_at() == Status.SCHEDULED, "by now it is surely not there"
        assert looked_at() == Status.PUBLISHED
    assert len(network.feed[account.platform_account_id]) == 1


def test_what_was_announced_before_is_looked_for_since_then(workspace: Workspace, account: ConnectedAccount) -> None:
    publication = planned(workspace, account, timedelta())
    announced = timezone.now() - 2 * YESTERDAY
    Publication.objects.update(status=Status.CHECKING, committing_at=announced)
    doubt_everything(timezone.now() - YESTERDAY)
    publication.refresh_from_db()
    assert publication.committing_at == announced


def test_plans_may_be_trusted_by_whoever_knows_that_nobody_published_early(
    workspace: Workspace, account: ConnectedAccount
) -> None:
    due, later = planned(workspace, account, timedelta()), planned(workspace, account, timedelta(days=3))
    assert doubt_everything(timezone.now() - YESTERDAY, planned_too=False).waiting == 1
    due.refresh_from_db()
    later.refresh_from_db()
    assert due.committing_at
    assert later.committing_at is None


def test_what_is_out_is_not_doubted(workspace: Workspace, account: ConnectedAccount) -> None:
    make_post(workspace, account)
    Publication.objects.update(status=Status.PUBLISHED, platform_post_id="1")
    doubts = doubt_everything(timezone.now() - YESTERDAY)
    assert (doubts.waiting, doubts.open) == (0, 0)
    assert not Notification.objects.exists()


def test_a_draft_says_that_it_may_be_out(workspace: Workspace, account: ConnectedAccount) -> None:
    post = make_post(workspace, account)
    draft = Draft(post, tuple(post.publications.select_related("account")), ())
    assert given_up_findings(draft) == []
    assert doubt_everything(timezone.now() - YESTERDAY).open == 1
    (finding,) = given_up_findings(draft)
    assert "not known whether" in str(finding.violation.message)


def test_a_failed_one_that_is_tried_again_is_looked_for_first(workspace: Workspace, account: ConnectedAccount) -> None:
    taken_at = timezone.now() - YESTERDAY
    publication = make_post(workspace, account).publications.get()
    Publication.objects.update(status=Status.FAILED, error_kind="rejected")
    doubt_everything(taken_at)
    publication.refresh_from_db()
    retry(publication, by=None)
    publication.refresh_from_db()
    assert (publication.status, publication.committing_at) == (Status.SCHEDULED, taken_at)


def test_a_first_comment_is_looked_for_before_it_is_written(workspace: Workspace, account: ConnectedAccount) -> None:
    publication = make_post(workspace, account).publications.get()
    row = FollowUp.objects.create(publication=publication, kind=FollowUp.Kind.COMMENT, due_at=timezone.now())
    look = FollowUp.objects.create(publication=publication, kind=FollowUp.Kind.SEEN_SOON, due_at=timezone.now())
    assert doubt_everything(timezone.now() - YESTERDAY).comments == 1
    row.refresh_from_db()
    look.refresh_from_db()
    assert row.began_at
    assert look.began_at is None


def test_a_post_that_waits_for_its_files_asks_a_person(workspace: Workspace, owner: User) -> None:
    post = Post.objects.create(workspace=workspace, caption="Hello")
    PostAssembly.objects.create(post=post, intent=PostAssembly.Intent.NOW, by=owner)
    assert doubt_everything(timezone.now() - YESTERDAY).assemblies == 1
    row = PostAssembly.objects.get()
    assert row.failed_at
    assert "may be out" in row.message


def test_people_are_told_once_in_their_language_and_not_for_ever(
    workspace: Workspace, account: ConnectedAccount, stranger: User
) -> None:
    planned(workspace, account, timedelta(days=3))
    planned(workspace, account, timedelta(days=4))
    doubt_everything(timezone.now() - YESTERDAY)
    notice = Notification.objects.get(incident__startswith=TOLD)
    assert notice.workspace == workspace, "strangers have nothing that waits"
    assert "2 posts" in notice.body
    assert settle_told() == 0
    with time_machine.travel(timezone.now() + timedelta(days=15), tick=False):
        assert settle_told() == 1
