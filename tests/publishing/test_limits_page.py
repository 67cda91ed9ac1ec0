"""The page of limits: what is left of each window, and what that means for scheduled posts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ConnectedAccount, Credential, Grant, User, Workspace
from publishing import limits
from publishing.schedule import schedule
from tests.factories import make_account, make_post

ADDRESS = "/limits/"


def text(client: Client) -> str:
    return " ".join(client.get(ADDRESS).content.decode().split())


def test_each_window_shows_what_is_left(signed_in: Client, account: ConnectedAccount, settings):
    settings.RATE_LIMITS = {"facebook": {"publish": 25}}
    limits.reserve(account.pk, "facebook", {"publish": 10})
    page = text(signed_in)
    assert "Calls that publish in an hour" in page
    assert "15 of 25 left" in page
    assert "More comes free from" in page
    limits.count_reads(account, 4)
    page = text(signed_in)
    assert "Calls that read figures in an hour" in page
    assert "196 of 200 left" in page


def test_what_will_wait_is_said_with_time_and_number(
    signed_in: Client, account: ConnectedAccount, workspace: Workspace, owner: User, settings
):
    settings.RATE_LIMITS = {"facebook": {"publish": 2}}
    for minutes in (10, 20, 30, 40):
        schedule(make_post(workspace, account), timezone.now() + timedelta(minutes=minutes), by=owner)
    page = text(signed_in)
    assert f"{account.handle} reaches its limit (calls that publish, 2 in an hour)" in page
    assert "2 posts would wait" in page


def test_a_network_that_asked_to_wait(signed_in: Client, account: ConnectedAccount, workspace: Workspace, owner: User):
    limits.block(account, timezone.now() + timedelta(hours=2))
    schedule(make_post(workspace, account), timezone.now() + timedelta(minutes=5), by=owner)
    assert "was asked to wait by its network: 1 post waits until" in text(signed_in)


def test_what_channels_share_is_shown_once(signed_in: Client, workspace: Workspace, owner: User):
    grant = Grant.objects.create(
        workspace=workspace, user=owner, provider="buffer", platform_user_id="b", access_token="key"
    )
    for platform in ("x", "threads"):
        channel = make_account(workspace, platform=platform, login_kind="buffer", token=None)
        Credential.objects.create(account=channel, grant=grant)
    page = text(signed_in)
    assert page.count("All calls of this connection in 15 minutes</span>") == 1
    assert "Shared by 2 channels" in page


def test_strangers_see_nothing_of_it(signed_in_stranger: Client, account: ConnectedAccount):
    page = text(signed_in_stranger)
    assert account.name not in page
    assert "No account yet" in page


def test_the_cost_does_not_grow(signed_in: Client, workspace: Workspace, django_assert_max_num_queries):
    for _ in range(30):
        make_account(workspace)
    signed_in.get(ADDRESS)
    with django_assert_max_num_queries(11):
        signed_in.get(ADDRESS)


@pytest.mark.parametrize("name", ["accounts:social"])
def test_it_is_found(signed_in: Client, account: ConnectedAccount, name: str):
    assert f'href="{ADDRESS}"' in signed_in.get(reverse(name)).content.decode()
