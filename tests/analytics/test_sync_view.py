from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from accounts.models import ConnectedAccount, Membership, Role
from analytics.views import sync
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


def test_htmx_is_told_where_to_go(signed_in, account, asked):
    response = signed_in.post(address(account), headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (200, "/settings/accounts/")


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
    assert "could not be started" in said(signed_in.post(address(account)))[0]


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
