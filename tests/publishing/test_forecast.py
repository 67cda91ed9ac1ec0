"""The limits played forward over what is scheduled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import ConnectedAccount, Credential, Grant, User, Workspace
from publishing import forecast, ledger, limits
from publishing.forecast import Effect, Planned
from publishing.models import Publication
from publishing.schedule import schedule
from socialhub.platforms.base import Step, StepKind
from tests.factories import make_account, make_post
from tests.fakes import FakePlatform

NOON = datetime.fromisoformat("2026-11-20T12:00:00+00:00")


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch):
    """A text costs one call, at most two in an hour; the clock stands."""
    fake = FakePlatform()
    monkeypatch.setattr(forecast, "client_of", lambda account: fake)
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def tight(settings) -> None:
    settings.RATE_LIMITS = {"facebook": {"publish": 2}}


@pytest.fixture
def later(workspace: Workspace, owner: User) -> Callable[..., Publication]:
    def make(account: ConnectedAccount, minutes: float) -> Publication:
        post = make_post(workspace, account)
        schedule(post, timezone.now() + timedelta(minutes=minutes), by=owner)
        return post.publications.get()

    return make


def minutes(moment: datetime) -> float:
    return round((moment - NOON).total_seconds() / 60)


def test_what_has_room_waits_for_nothing(tight, account, later):
    later(account, 10)
    later(account, 20)
    assert forecast.forecast([account]) == {}


def test_the_third_within_the_hour_waits_until_the_first_has_left_the_window(tight, account, later):
    later(account, 10)
    later(account, 20)
    third = later(account, 30)
    (wait,) = forecast.forecast([account])[account.pk]
    assert (wait.publication_id, minutes(wait.due), wait.limit) == (third.pk, 30, 2)
    assert 70 <= minutes(wait.until) <= 72  # the slice of the first call ends an hour and a minute after it


def test_calls_already_made_count(tight, account, later):
    limits.reserve(account.pk, "facebook", {"publish": 2})
    waiting = later(account, 30)
    (wait,) = forecast.forecast([account])[account.pk]
    assert wait.publication_id == waiting.pk
    assert 60 <= minutes(wait.until) <= 62
    later(account, 90)
    assert len(forecast.forecast([account])[account.pk]) == 1


def test_one_that_waits_takes_room_from_those_behind(tight, account, later):
    for at in (1, 2, 3, 62, 63):
        later(account, at)
    waits = forecast.forecast([account])[account.pk]
    assert [minutes(wait.due) for wait in waits] == [3, 62, 63]
    assert all(wait.until > wait.due for wait in waits)


def test_accounts_do_not_take_each_others_room(tight, workspace, account, later):
    other = make_account(workspace)
    for at in (1, 2):
        later(account, at)
        later(other, at)
    assert forecast.forecast([account, other]) == {}


def test_a_block_holds_back_what_is_due_before_its_end(account, later):
    limits.block(account, timezone.now() + timedelta(hours=2))
    held = later(account, 30)
    later(account, 180)
    (wait,) = forecast.forecast([account])[account.pk]
    assert (wait.publication_id, minutes(wait.until)) == (held.pk, 120)


def test_channels_of_one_key_share_their_room(workspace, owner, later, settings, monkeypatch):
    settings.RATE_LIMITS = {"buffer": {"client/900": 2}}
    fake = FakePlatform(steps=[Step("post", StepKind.COMMIT, "", {"publish": 1, "client": 1})])
    monkeypatch.setattr(forecast, "client_of", lambda account: fake)
    grant = Grant.objects.create(
        workspace=workspace, user=owner, provider="buffer", platform_user_id="b", access_token="key"
    )
    channels = [
        make_account(workspace, platform="x", login_kind="buffer", account_type="channel", token=None) for _ in range(3)
    ]
    for number, channel in enumerate(channels):
        Credential.objects.create(account=channel, grant=grant)
        later(channel, 5 + number)
    accounts = list(ConnectedAccount.objects.filter(platform="x").select_related("credential__grant"))
    waits = forecast.forecast(accounts)
    assert list(waits) == [channels[2].pk]


def test_a_post_that_is_being_written_is_played_through_with_the_others(tight, account, later):
    later(account, 10)
    later(account, 20)
    written = Planned(account, timezone.now() + timedelta(minutes=15), {"publish": 1})
    waits = forecast.forecast([account], [written])[account.pk]
    assert [minutes(wait.due) for wait in waits] == [20]  # it comes before the second one, which then has no room
    assert waits[0].publication_id is not None


def test_a_post_that_is_being_written_knows_whom_it_would_make_wait(tight, account, later):
    later(account, 10)
    later(account, 20)
    ahead = Planned(account, timezone.now() + timedelta(minutes=15), {"publish": 1})
    assert forecast.effects([ahead]) == {account.pk: Effect(None, 1)}
    behind = Planned(account, timezone.now() + timedelta(minutes=25), {"publish": 1})
    effect = forecast.effects([behind])[account.pk]
    assert (minutes(effect.until), effect.others) == (71, 0)


def test_whoever_waits_anyway_does_not_wait_because_of_it(tight, account, later):
    for at in (10, 20, 30):
        later(account, at)
    behind = Planned(account, timezone.now() + timedelta(minutes=40), {"publish": 1})
    assert forecast.effects([behind])[account.pk].others == 0


def test_a_post_that_is_changed_does_not_stand_in_its_own_way(tight, account, later):
    later(account, 10)
    changed = later(account, 20)
    moved = Planned(account, timezone.now() + timedelta(minutes=25), {"publish": 1})
    assert forecast.effects([moved], without={changed.pk}) == {}


def test_what_can_never_go_out_is_no_wait(tight, account):
    huge = Planned(account, timezone.now(), {"publish": 3})
    assert forecast.forecast([account], [huge]) == {}


def test_it_agrees_with_the_queue(tight, account, later):
    """What the forecast says for the third post is what the books say when its time has come."""
    for at in (10, 20, 30):
        later(account, at)
    (wait,) = forecast.forecast([account])[account.pk]
    for at in (10, 20):
        with time_machine.travel(NOON + timedelta(minutes=at), tick=False):
            assert limits.reserve(account.pk, "facebook", {"publish": 1}) is None
    with time_machine.travel(NOON + timedelta(minutes=30), tick=False):
        full = limits.reserve(account.pk, "facebook", {"publish": 1})
    assert full.until == wait.until


def test_the_cost_does_not_grow_with_the_accounts(tight, workspace, later, django_assert_num_queries):
    accounts = [make_account(workspace) for _ in range(12)]
    for account in accounts:
        for at in (1, 2, 3):
            later(account, at)
    listed = list(ConnectedAccount.objects.select_related("credential__grant"))
    with django_assert_num_queries(4):
        waits = forecast.forecast(listed)
    assert len(waits) == 12


def test_books_of_many_are_those_of_each(tight, workspace):
    accounts = [make_account(workspace) for _ in range(3)]
    limits.reserve(accounts[0].pk, "facebook", {"publish": 2})
    listed = list(ConnectedAccount.objects.select_related("credential__grant"))
    books = ledger.books_for(listed)
    for account in listed:
        for state in limits.remaining(account):
            (window,) = [one for one in books[account.pk].windows if one.group == state.endpoint]
            assert books[account.pk].limits[window] == state.limit
            assert sum(entry.calls for entry in books[account.pk].slices[window]) == state.made
