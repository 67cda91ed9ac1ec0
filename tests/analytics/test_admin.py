"""What staff sees of readings: refused names, turns, calls; and what they may do about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ConnectedAccount, User, Workspace
from analytics.models import AccountSync, RefusedMetric
from publishing import limits
from tests.factories import make_account

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def operator(db: None) -> Client:
    client = Client()
    staff = User.objects.create_superuser("staff@example.com", "correct horse")
    client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def account(workspace: Any) -> ConnectedAccount:
    return make_account(workspace, name="Garage", username="garage")


def listed(client: Client, model: str, **query: str) -> str:
    response = client.get(reverse(f"admin:analytics_{model}_changelist"), query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def refuse(name: str, **fields: Any) -> RefusedMetric:
    now = timezone.now()
    row = {"first_refused_at": now, "last_refused_at": now, "retry_at": now + timedelta(days=3), **fields}
    return RefusedMetric.objects.create(platform="facebook", subject="post", name=name, **row)


def test_refused_names_are_listed_with_what_they_were_asked_of(operator: Client, account: ConnectedAccount) -> None:
    refuse("post_impressions", account=account, times=4)
    shown = listed(operator, "refusedmetric")
    assert "post_impressions" in shown
    assert "posts" in shown
    assert "garage" in shown
    assert "post_impressions" not in listed(operator, "refusedmetric", platform="instagram")
    assert "post_impressions" in listed(operator, "refusedmetric", subject="post", platform="facebook")


def test_a_name_is_asked_for_again_before_its_time(operator: Client) -> None:
    out, already = refuse("post_impressions"), refuse("page_fans", retry_at=timezone.now() - HOUR)
    answer = {"action": "ask_again", "_selected_action": [str(out.pk), str(already.pk)]}
    address = reverse("admin:analytics_refusedmetric_changelist")
    question = operator.post(address, answer).content.decode()
    assert "Ask for 1 name again?" in question
    assert "it is asked for already" in question
    operator.post(address, {**answer, "confirmed": "yes"})
    out.refresh_from_db()
    assert out.retry_at <= timezone.now()


@pytest.mark.parametrize(
    ("state", "found"), [("reading", "at-work"), ("late", "late"), ("cut", "cut"), ("failing", "failing")]
)
def test_what_is_worth_a_look_is_found(operator: Client, workspace: Any, state: str, found: str) -> None:
    now = timezone.now()
    rows: dict[str, dict[str, Any]] = {
        "fine": {"started_at": now - HOUR, "finished_at": now - HOUR, "next_at": now + HOUR},
        "at-work": {"started_at": now, "claimed_until": now + HOUR},
        "late": {"next_at": now - 2 * HOUR},
        "cut": {"started_at": now - HOUR, "claimed_until": now - HOUR / 2},
        "failing": {"failures": 3},
    }
    for name, fields in rows.items():
        AccountSync.objects.create(account=make_account(workspace, name=name, username=name), **fields)
    rows["closed"] = {"next_at": now - 2 * HOUR}
    closed = make_account(Workspace.objects.create(name="Gone", deleting_at=now), name="closed", username="closed")
    AccountSync.objects.create(account=closed, **rows["closed"])
    shown = listed(operator, "accountsync", state=state)
    assert [name for name in rows if f"@{name}<" in shown or f">{name}<" in shown] == [found]


def test_the_page_of_an_account_tells_its_turn_and_its_calls(operator: Client, account: ConnectedAccount) -> None:
    now = timezone.now()
    AccountSync.objects.create(
        account=account, next_at=now + timedelta(minutes=20), calls_today=7, calls_on=now.date(), full_at=now
    )
    limits.count_reads(account, 7)
    shown = operator.get(reverse("admin:accounts_connectedaccount_change", args=[account.pk])).content.decode()
    assert "7 of 200 calls of this hour are used." in shown
    assert "in 20 minutes" in shown
