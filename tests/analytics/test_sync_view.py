from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.urls import resolve, reverse

from accounts.models import ConnectedAccount, Membership, Role
from analytics import tasks
from analytics.models import AccountSync
from analytics.templatetags.sync import sync_of
from analytics.views import sync
from publishing import limits
from publishing.models import LimitOverride
from tests.factories import make_account, workspace_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch):
    """The accounts that a worker was asked to read."""
    asked = []
    monkeypatch.setattr(sync, "ask_for_sync", lambda pk: asked.append(pk) or True)
    return asked


@pytest.fixture
def account(workspace):
    return make_account(workspace, name="Garage")


def address(account):
    return reverse("analytics:account_sync", args=[account.pk])


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_it_asks_a_worker_and_goes_back_to_the_accounts(signed_in, account, asked):
    response = signed_in.post(address(account))
    assert address(account) == f"/analytics/accounts/{account.pk}/sync/"
    assert (response.status_code, response["Location"]) == (302, "/settings/accounts/")
    assert asked == [account.pk]
    assert said(response) == ["Reading the newest figures of “Garage”. They appear here shortly."]


@pytest.mark.parametrize(
    ("target", "goes_to"),
    [
        ("/", "/"),
        ("/posts/?page=2", "/posts/?page=2"),
        ("https://evil.example/", "/settings/accounts/"),
        ("//evil.example/", "/settings/accounts/"),
        ("javascript:alert(1)", "/settings/accounts/"),
        ("accounts", "/settings/accounts/"),
        ("", "/settings/accounts/"),
    ],
)
def test_it_goes_back_to_our_own_pages_only(signed_in, account, asked, target, goes_to):
    assert signed_in.post(address(account), {"next": target})["Location"] == goes_to


def test_a_silent_broker_is_said_plainly(signed_in, account, monkeypatch):
    monkeypatch.setattr(sync, "ask_for_sync", lambda pk: False)
    assert "is read as soon as it does" in said(signed_in.post(address(account)))[0]


def test_an_account_without_access_is_not_asked_for(signed_in, workspace, asked):
    account = make_account(workspace, status=ConnectedAccount.Status.EXPIRED)
    assert "Reconnect it first" in said(signed_in.post(address(account)))[0]
    assert asked == []


def test_a_disconnected_account_is_not_found(signed_in, workspace, asked):
    account = make_account(workspace, status=ConnectedAccount.Status.DISCONNECTED)
    assert signed_in.post(address(account)).status_code == 404


def test_a_stranger_finds_nothing(signed_in_stranger, account, asked):
    assert signed_in_stranger.post(address(account)).status_code == 404
    assert asked == []


def test_a_viewer_may_not(signed_in, owner, account, asked):
    Membership.objects.filter(user=owner, workspace=workspace_of(owner)).update(role=Role.VIEWER)
    assert signed_in.post(address(account)).status_code == 403
    assert asked == []


def test_it_takes_posts_only(signed_in, account):
    assert signed_in.get(address(account)).status_code == 405


def test_signed_out_people_sign_in(client, account):
    assert client.post(address(account)).status_code == 302


# How it goes


NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)


def progress(account, looks=0):
    return reverse("analytics:account_sync_progress", args=[account.pk]) + f"?n={looks}"


def look(client, account, looks=0):
    return " ".join(client.get(progress(account, looks), headers={"HX-Request": "true"}).content.decode().split())


def stands(account, **fields):
    AccountSync.objects.update_or_create(account=account, defaults=fields)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_pressed_with_htmx_it_shows_how_far_it_is(signed_in, account, clock, monkeypatch):
    monkeypatch.setattr(tasks.sync_one_account, "apply_async", lambda *args, **options: None)
    shown = signed_in.post(address(account), headers={"HX-Request": "true"}).content.decode()
    assert "It begins in a moment" in shown
    assert f'hx-get="{progress(account)}" hx-trigger="load delay:1s"' in shown
    assert "up to date" not in shown


def test_it_tells_the_part_that_is_read_and_asks_again(signed_in, account, clock):
    stands(
        account,
        **{"asked_at": NOW, "started_at": NOW, "claimed_until": NOW + timedelta(minutes=5)},
        **{"step": "posts", "steps_done": ["figures"], "steps_total": 4},
    )
    shown = look(signed_in, account, 4)
    assert "Reading: Newest posts (2 of 4)" in shown
    assert 'max="4" value="1"' in shown
    assert f'{progress(account, 5)}"' in shown
    assert "delay:1s" in shown
    assert "delay:2s" in look(signed_in, account, 40)
    assert "delay:15s" in look(signed_in, account, 400)


def test_when_it_is_over_it_says_so_and_asks_no_more(signed_in, account, clock):
    stands(account, asked_at=NOW, started_at=NOW, finished_at=NOW, calls=6, calls_today=9, calls_on=NOW.date())
    limits.count_reads(account, 9)
    ConnectedAccount.objects.update(last_synced_at=NOW)
    shown = look(signed_in, account, 3)
    assert "The figures of “Garage” are up to date." in shown
    assert f'href="/analytics/accounts/{account.pk}/">' in shown
    assert "Show the new figures" in shown
    assert "hx-get" not in shown
    assert "9 calls today" in shown
    assert "9 of 200 calls of this hour are used." in shown


def test_on_a_page_of_figures_the_new_ones_are_on_that_page(signed_in, account, clock):
    stands(account, asked_at=NOW, started_at=NOW, finished_at=NOW)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/analytics/?period=7d"}
    assert 'href="/analytics/?period=7d"' in signed_in.get(progress(account, 3), headers=headers).content.decode()


def test_what_could_not_be_read_is_said(signed_in, account, clock):
    stands(account, asked_at=NOW, started_at=NOW, finished_at=NOW)
    ConnectedAccount.objects.update(sync_error="The permission is missing.")
    shown = look(signed_in, account, 3)
    assert "Not everything of “Garage” could be read." in shown
    assert "The permission is missing." in shown


def test_a_background_service_that_is_stopped_is_named(signed_in, account, clock):
    stands(account, asked_at=NOW - timedelta(minutes=3))
    assert "the background service seems to be stopped" in look(signed_in, account, 90)


def test_pressing_again_waits_for_the_same_reading(signed_in, account, clock, monkeypatch):
    monkeypatch.setattr(tasks.sync_one_account, "apply_async", lambda *args, **options: None)
    for _ in range(3):
        signed_in.post(address(account), headers={"HX-Request": "true"})
        clock.shift(1)
    assert AccountSync.objects.get().asked_at == NOW


def test_calls_of_yesterday_are_not_those_of_today(signed_in, account, clock):
    stands(account, calls_today=9, calls_on=NOW.date() - timedelta(days=1))
    assert "calls today" not in look(signed_in, account)


def test_a_limit_that_staff_has_set_is_the_one_that_is_told(signed_in, account, clock):
    stands(account, calls_today=1, calls_on=NOW.date())
    LimitOverride.objects.create(account=account, endpoint="read", window_seconds=3600, call_limit=40)
    assert "0 of 40 calls of this hour are used." in look(signed_in, account)


def test_a_viewer_sees_how_it_stands_and_no_button(signed_in, owner, account, clock):
    Membership.objects.filter(user=owner, workspace=workspace_of(owner)).update(role=Role.VIEWER)
    stands(account, next_at=NOW + timedelta(minutes=20))
    shown = look(signed_in, account)
    assert "next <time" in shown
    assert "Sync now" not in shown


def test_an_account_that_is_disconnected_meanwhile_ends_the_asking(signed_in, account):
    ConnectedAccount.objects.update(status=ConnectedAccount.Status.DISCONNECTED)
    response = signed_in.get(progress(account, 3), headers={"HX-Request": "true"})
    assert (response.status_code, response.content) == (204, b"")


def test_strangers_see_nothing_of_how_it_goes(signed_in_stranger, account):
    assert signed_in_stranger.get(progress(account), headers={"HX-Request": "true"}).status_code == 404


@pytest.mark.parametrize("is_its_page", [True, False])
def test_a_page_costs_one_query_however_many_accounts_it_shows(
    signed_in, workspace, account, rf, django_assert_num_queries, is_its_page
):
    accounts = [account] if is_its_page else [account, *(make_account(workspace) for _ in range(20))]
    for one in accounts:
        stands(one, calls=3)
    request = rf.get("/")
    request.resolver_match = resolve(f"/analytics/accounts/{account.pk}/" if is_its_page else "/settings/accounts/")
    with django_assert_num_queries(1):
        found = [sync_of({"request": request}, one) for one in accounts]
    assert [(state.account, state.calls) for state in found] == [(one, 3) for one in accounts]


def test_the_accounts_page_has_it_as_a_plain_form(signed_in, account):
    shown = signed_in.get("/settings/accounts/").content.decode()
    assert f'action="{address(account)}"' in shown
    assert '<input type="hidden" name="next" value="/settings/accounts/">' in shown
