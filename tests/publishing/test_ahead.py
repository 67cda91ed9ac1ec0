"""Fifteen minutes before a post is due it is looked at once more, and its people are told in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import ConnectedAccount, Notification, User, Workspace
from publishing import ahead, compose, limits
from publishing.models import MediaFile, PostMedia, Publication, QueueEntry
from publishing.schedule import cancel, schedule
from socialhub.platforms.errors import TemporaryError
from tests.factories import make_account, make_media, make_post
from tests.fakes import FakePlatform

Make = Callable[..., Publication]


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[ConnectedAccount]:
    """The accounts that were asked at their network, which finds nothing wrong."""
    asked: list[ConnectedAccount] = []

    def verify(account: ConnectedAccount) -> None:
        asked.append(account)
        ConnectedAccount.objects.filter(pk=account.pk).update(last_verified_at=timezone.now())

    monkeypatch.setattr(ahead, "verify", verify)
    monkeypatch.setattr(ahead.forecast, "client_of", lambda account: FakePlatform())
    return asked


@pytest.fixture
def make(verified: list[ConnectedAccount], workspace: Workspace, owner: User) -> Make:
    """Scheduled an hour ago for in ten minutes."""

    def make(account: ConnectedAccount, minutes: float = 10, *, media: int = 0, **fields: object) -> Publication:
        post = make_post(workspace, account, **fields)
        for position in range(1, media + 1):
            PostMedia.objects.create(post=post, media=make_media(workspace), position=position)
        schedule(post, timezone.now() + timedelta(minutes=minutes), by=owner)
        QueueEntry.objects.filter(publication__post=post).update(created_at=timezone.now() - timedelta(hours=1))
        return post.publications.get()

    return make


def test_a_good_post_is_looked_at_once_and_nobody_is_told(make: Make, account: ConnectedAccount):
    publication = make(account)
    assert ahead.look_ahead() == 1
    assert ahead.look_ahead() == 0
    entry = QueueEntry.objects.get(pk=publication.pk)
    assert entry.checked_at is not None
    assert not entry.trouble_ahead
    assert not Notification.objects.exists()


@pytest.mark.parametrize("minutes", [16, 60])
def test_what_is_due_later_comes_later(make: Make, account: ConnectedAccount, minutes: float):
    make(account, minutes)
    assert ahead.look_ahead() == 0


def test_what_was_scheduled_just_now_was_just_checked(make: Make, account: ConnectedAccount):
    make(account)
    QueueEntry.objects.update(created_at=timezone.now())
    assert ahead.look_ahead() == 0


def test_each_account_is_asked_once(
    make: Make, account: ConnectedAccount, workspace: Workspace, verified: list[ConnectedAccount]
):
    other = make_account(workspace, last_verified_at=timezone.now() - timedelta(minutes=10))
    ConnectedAccount.objects.filter(pk=account.pk).update(last_verified_at=timezone.now() - timedelta(hours=5))
    for _ in range(3):
        make(account)
    make(other)
    assert ahead.look_ahead() == 4
    assert verified == [account]


def test_access_that_was_lost_is_told_before_the_post_is_due(
    make: Make, account: ConnectedAccount, monkeypatch: pytest.MonkeyPatch
):
    def verify(row: ConnectedAccount) -> None:
        ConnectedAccount.objects.filter(pk=row.pk).update(status="revoked")
        raise TemporaryError("whatever it says")

    monkeypatch.setattr(ahead, "verify", verify)
    ConnectedAccount.objects.update(last_verified_at=timezone.now() - timedelta(hours=5))
    publication = make(account)
    ahead.look_ahead()
    notice = Notification.objects.get()
    assert notice.kind == "ahead"
    assert notice.url == publication.post.get_absolute_url()
    assert "We have lost access" in notice.body
    assert QueueEntry.objects.get(pk=publication.pk).trouble_ahead


def test_a_file_that_is_gone_is_named(make: Make, account: ConnectedAccount):
    make(account, media=1, post_type="single")
    item = MediaFile.objects.get()
    item.file.storage.delete(item.file.name)
    ahead.look_ahead()
    assert f"“{item.original_name}” is no longer stored" in Notification.objects.get().body


def test_rules_are_asked_again(make: Make, workspace: Workspace):
    """The board was deleted at Pinterest since the post was scheduled."""
    pinterest = make_account(workspace, platform="pinterest", offers={"boards": [{"id": "1", "name": "Cars"}]})
    publication = make(pinterest, media=1, post_type="single")
    Publication.objects.filter(pk=publication.pk).update(choices={"board_service_id": "1"})
    ConnectedAccount.objects.filter(pk=pinterest.pk).update(offers={"boards": [{"id": "2", "name": "Bikes"}]})
    ahead.look_ahead()
    assert "board" in Notification.objects.get().body


def test_a_limit_that_holds_it_back_for_long_is_told(make: Make, account: ConnectedAccount, settings):
    settings.RATE_LIMITS = {"facebook": {"publish": 1}}
    limits.reserve(account.pk, "facebook", {"publish": 1})
    make(account)
    ahead.look_ahead()
    assert not Notification.objects.exists()  # it waits for less than an hour
    limits.block(account, timezone.now() + timedelta(hours=3))
    make(account)
    ahead.look_ahead()
    assert "used up: it will wait until" in Notification.objects.get().body


def test_a_pause_is_no_trouble(make: Make, account: ConnectedAccount):
    ConnectedAccount.objects.update(paused_at=timezone.now())
    make(account)
    ahead.look_ahead()
    assert not Notification.objects.exists()


def trouble(make: Make, account: ConnectedAccount) -> Publication:
    publication = make(account)
    ConnectedAccount.objects.update(status="expired")
    ahead.look_ahead()
    assert Notification.objects.filter(resolved_at=None).count() == 1
    return publication


def test_the_word_is_over_when_the_post_is_cancelled(make: Make, account: ConnectedAccount, owner: User):
    publication = trouble(make, account)
    cancel(publication.post, by=owner)
    ahead.look_ahead()
    assert not Notification.objects.filter(resolved_at=None).exists()


def test_the_word_is_over_when_the_post_is_changed(make: Make, account: ConnectedAccount, owner: User):
    publication = trouble(make, account)
    ConnectedAccount.objects.update(status="connected")
    target = compose.Target(account, "text")
    later = timezone.now() + timedelta(hours=2)
    compose.update(
        publication.post,
        owner,
        compose.Composition(caption="New", targets=[target], intent=compose.Intent.SCHEDULE, at=later),
    )
    ahead.look_ahead()
    assert not Notification.objects.filter(resolved_at=None).exists()


def test_two_lookers_tell_once(make: Make, account: ConnectedAccount):
    publication = make(account)
    ConnectedAccount.objects.update(status="expired")
    entry = QueueEntry.objects.select_related("publication__post__workspace", "publication__account").get()
    ahead.look_at(entry)
    ahead.look_at(entry)
    assert Notification.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        ahead.look_ahead()
    assert Notification.objects.filter(resolved_at=None, incident=f"ahead:{publication.pk}").count() == 1


def test_a_fault_of_ours_at_one_post_stops_no_other(
    make: Make, account: ConnectedAccount, monkeypatch: pytest.MonkeyPatch
):
    first, second = make(account, 5), make(account, 6)
    real = ahead.blocking

    def blocking(entry: QueueEntry, media: object) -> list[str]:
        if entry.pk == first.pk:
            raise RuntimeError("a fault of ours")
        return real(entry, media)  # type: ignore[arg-type]

    monkeypatch.setattr(ahead, "blocking", blocking)
    ahead.look_ahead()
    assert not QueueEntry.objects.filter(checked_at=None).exists()
    assert not Notification.objects.exists()
    assert QueueEntry.objects.get(pk=second.pk).checked_at
