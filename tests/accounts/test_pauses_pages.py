"""Pausing one account until a time, and the switch that stops a whole workspace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import pauses
from accounts.models import ConnectedAccount, Role, User, Workspace
from publishing.schedule import schedule
from tests.accounts.conftest import member, sign_in
from tests.factories import make_account, make_post
from tests.publishing.test_posts import own_queries
from tests.staff import press

STOP, RESUME = reverse("accounts:workspace_pause"), reverse("accounts:workspace_resume")
SETTINGS, POSTS = reverse("accounts:workspace"), reverse("publishing:post_list")
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def text_of(client: Client, address: str = SETTINGS) -> str:
    return " ".join(client.get(address).content.decode().split())


def page_of(subject: pauses.Pausable) -> str:
    if isinstance(subject, ConnectedAccount):
        return reverse("accounts:pause", args=[subject.pk])
    return STOP


@pytest.fixture(params=["account", "workspace"])
def subject(request: pytest.FixtureRequest, workspace: Workspace) -> pauses.Pausable:
    return make_account(workspace) if request.param == "account" else workspace


@pytest.fixture
def berlin(owner: User) -> None:
    owner.time_zone = "Europe/Berlin"
    owner.save(update_fields=["time_zone"])


@pytest.mark.parametrize(
    ("typed", "until"),
    [
        ({}, None),
        ({"ends": "open"}, None),
        ({"ends": "hour"}, NOON + timedelta(hours=1)),
        ({"ends": "tomorrow"}, datetime(2026, 3, 11, 8, 0, tzinfo=UTC)),
        ({"ends": "at", "day": "2026-03-29", "clock": "12:00"}, datetime(2026, 3, 29, 10, 0, tzinfo=UTC)),
        ({"ends": "open", "day": "never", "clock": ""}, "refused"),
    ],
)
def test_a_pause_ends_when_its_person_said(
    owner: User, berlin: None, subject: pauses.Pausable, typed: dict[str, str], until: Any
) -> None:
    with time_machine.travel(NOON, tick=False):
        client = sign_in(owner)
        answer = client.post(page_of(subject), {**typed, "reason": "Fire in the shop"})
        subject.refresh_from_db()
    if until == "refused":
        assert (answer.status_code, subject.paused_at) == (422, None)
        return
    assert answer.status_code == 302
    assert (subject.paused_at, subject.paused_until) == (NOON, until)
    assert (subject.pause_reason, subject.paused_by) == ("Fire in the shop", owner)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"day": "", "clock": ""}, "Choose a date."),
        ({"day": "2026-03-11", "clock": ""}, "Choose a time."),
        ({"day": "2026-03-10", "clock": "12:59"}, "This time has passed."),
        ({"day": "9999-12-31", "clock": "23:59"}, "within the next year"),
        ({"day": "0001-01-01", "clock": "00:00"}, "within the next year"),
    ],
)
def test_an_end_that_is_none_is_refused_and_nothing_paused(
    owner: User, berlin: None, subject: pauses.Pausable, typed: dict[str, str], words: str
) -> None:
    with time_machine.travel(NOON, tick=False):
        client = sign_in(owner)
        answer = client.post(page_of(subject), {"ends": "at", "reason": "Fire", **typed})
    subject.refresh_from_db()
    assert (answer.status_code, subject.paused_at) == (422, None)
    assert words in answer.content.decode()
    assert 'value="Fire"' in answer.content.decode()


def test_the_end_stands_on_the_account(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace)
    pauses.pause(account, by=None, until=timezone.now() + timedelta(hours=1))
    assert "· ends <time" in text_of(signed_in, reverse("accounts:social"))


def test_the_switch_shows_what_waits_and_what_is_next(signed_in: Client, owner: User, workspace: Workspace) -> None:
    assert "Nothing waits to go out right now." in text_of(signed_in)
    garage, other = make_account(workspace, name="Garage"), make_account(workspace, name="Other")
    later = timezone.now() + timedelta(days=2)
    schedule(make_post(workspace, other, caption="Afterwards"), later, by=owner)
    schedule(make_post(workspace, garage, other, caption="First of all"), later - timedelta(days=1), by=owner)
    make_post(workspace, garage, caption="A draft")
    for address in (SETTINGS, STOP):
        text = text_of(signed_in, address)
        assert "3 publications wait to go out." in text
        assert "“First of all”" in text


def test_pressed_it_is_said_on_every_page_until_it_is_resumed(signed_in: Client, workspace: Workspace) -> None:
    make_account(workspace)  # or the first page would lead to the first steps
    assert STOP in text_of(signed_in, POSTS)
    signed_in.post(STOP, {"reason": "Fire in the shop", "ends": "hour"})
    for address in (POSTS, SETTINGS, "/", reverse("publishing:library"), reverse("accounts:profile")):
        text = text_of(signed_in, address)
        assert "Publishing is stopped for the whole workspace." in text
        assert "Fire in the shop" in text
        assert "It goes on by itself <time" in text
    assert STOP not in text_of(signed_in, POSTS)
    signed_in.post(RESUME)
    workspace.refresh_from_db()
    assert workspace.paused_at is None
    assert "stopped-banner" not in text_of(signed_in, POSTS)


def test_the_banner_costs_no_query(signed_in: Client, workspace: Workspace) -> None:
    running = own_queries(signed_in, POSTS)
    pauses.pause(workspace, by=None, reason="Fire")
    assert own_queries(signed_in, POSTS) == running


def test_editors_see_it_and_managers_press_it(workspace: Workspace) -> None:
    client = sign_in(member(workspace, Role.EDITOR))
    assert STOP not in text_of(client, POSTS)
    assert "Stop everything" not in text_of(client)
    assert client.post(STOP).status_code == 403
    pauses.pause(workspace, by=None)
    assert "Nothing goes out until somebody resumes it." in text_of(client, POSTS)
    assert RESUME not in text_of(client, POSTS)
    assert client.post(RESUME).status_code == 403
    workspace.refresh_from_db()
    assert workspace.paused_at


def test_staff_stops_and_resumes_workspaces(owner: User, workspace: Workspace) -> None:
    staff = User.objects.create_superuser("staff@example.com", "correct horse")
    client = sign_in(staff)
    press(client, Workspace, "stop", workspace, ends="open")
    workspace.refresh_from_db()
    assert (workspace.pause_reason, workspace.paused_by) == ("Paused by staff", None)
    press(client, Workspace, "resume", workspace)
    workspace.refresh_from_db()
    assert (workspace.paused_at, workspace.pause_reason) == (None, "")


def test_a_pause_by_staff_leaves_no_trace_when_it_is_lifted(workspace: Workspace) -> None:
    account = make_account(workspace)
    pauses.pause(account, by=None, until=timezone.now() + timedelta(hours=1))
    staff = User.objects.create_superuser("staff@example.com", "correct horse")
    client = sign_in(staff)
    press(client, ConnectedAccount, "resume", account)
    account.refresh_from_db()
    assert (account.paused_at, account.paused_until) == (None, None)


def test_what_is_scheduled_and_what_is_written_says_that_it_waits(
    signed_in: Client, owner: User, workspace: Workspace
) -> None:
    account = make_account(workspace)
    post = make_post(workspace, account)
    schedule(post, timezone.now() + timedelta(days=1), by=owner)
    pauses.pause(workspace, by=owner)
    assert "It goes out when that is resumed." in text_of(signed_in, post.get_absolute_url())
    typed = {"key": str(post.pk), "caption": "Hello", "when": "now", "accounts": [str(account.pk)]}
    answer = signed_in.post(reverse("publishing:post_check"), typed).content.decode()
    assert "the post will wait until it is resumed" in answer
