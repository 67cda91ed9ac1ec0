"""The operators' pages of accounts."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext, override

from accounts.models import ConnectedAccount, Credential, Grant, Notification, OAuthTicket, User, Workspace
from accounts.templatetags.devices import device
from tests.accounts.graph import Graph, page_token
from tests.factories import make_account, make_user
from tests.staff import ask, changelist, press

pytestmark = pytest.mark.django_db

MODELS = [
    "connectedaccount",
    "credential",
    "grant",
    "membership",
    "notification",
    "oauthticket",
    "user",
    "workspace",
]


@pytest.fixture
def staff(signed_in: Client, owner: User) -> Client:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    return signed_in


@pytest.fixture
def rows(workspace: Workspace, owner: User) -> dict[str, Any]:
    account = make_account(workspace, name="Garage", token="secret-token-of-a-page")
    grant = Grant.objects.create(
        workspace=workspace, user=owner, provider="meta", platform_user_id="1", access_token="secret-token-of-a-person"
    )
    return {
        "connectedaccount": account,
        "credential": account.credential,
        "grant": grant,
        "membership": owner.memberships.get(),
        "notification": Notification.objects.create(workspace=workspace, kind="missed", incident="x", title="Missed"),
        "oauthticket": OAuthTicket.objects.create(
            digest="d", user=owner, workspace=workspace, provider="meta", product="facebook"
        ),
        "user": owner,
        "workspace": workspace,
    }


@pytest.mark.parametrize("name", MODELS)
def test_every_list_and_form_opens_and_shows_no_token(staff: Client, rows: dict[str, Any], name: str) -> None:
    for address in (
        reverse(f"admin:accounts_{name}_changelist"),
        reverse(f"admin:accounts_{name}_changelist") + f"?q={rows[name].pk}",
        reverse(f"admin:accounts_{name}_change", args=[rows[name].pk]),
    ):
        response = staff.get(address)
        assert response.status_code == 200
        assert "secret-token" not in response.content.decode()


def test_a_list_does_not_ask_per_row(staff: Client, workspace: Workspace, django_assert_max_num_queries: Any) -> None:
    for _number in range(20):
        make_account(workspace)
    staff.get(reverse("admin:index"))
    for name in ("connectedaccount", "credential", "workspace"):
        with django_assert_max_num_queries(9):
            staff.get(reverse(f"admin:accounts_{name}_changelist"))


def test_books_of_the_program_cannot_be_changed(staff: Client, rows: dict[str, Any]) -> None:
    for name in ("credential", "grant", "oauthticket", "notification"):
        assert staff.get(reverse(f"admin:accounts_{name}_add")).status_code == 403
        assert staff.post(reverse(f"admin:accounts_{name}_change", args=[rows[name].pk]), {}).status_code == 403
    assert staff.get(reverse("admin:accounts_connectedaccount_add")).status_code == 403


def act(client: Client, action: str, *accounts: ConnectedAccount, **said: Any) -> str:
    report = press(client, ConnectedAccount, action, *accounts, **said).report
    for account in accounts:
        account.refresh_from_db()
    return report


def test_actions_do_what_the_pages_do_and_tell_what_they_skipped(
    staff: Client, workspace: Workspace, graph: Graph
) -> None:
    account = make_account(workspace, platform_account_id="101", token=page_token("101"))
    off = make_account(workspace, status="disconnected", token=None)
    assert "1 account is paused." in act(staff, "pause", account, ends="hour", reason="Wrong pictures")
    assert account.is_paused
    assert (account.pause_reason, account.paused_by) == ("Wrong pictures", None)
    assert account.paused_until
    assert "1 skipped: it is paused already" in act(staff, "pause", account, ends="open")
    act(staff, "resume", account)
    assert not account.is_paused
    assert "1 skipped: it is disconnected" in act(staff, "verify_now", account, off)
    assert account.last_verified_at
    assert "1 skipped: it is disconnected" in act(staff, "ask_to_reconnect", account, off)
    assert (account.status, off.status) == ("expired", "disconnected")
    assert Notification.objects.get().account == account
    assert "1 skipped: it is disconnected" in act(staff, "disconnect", account, off)
    assert account.status == "disconnected"
    assert not Credential.objects.exists()
    assert LogEntry.objects.filter(object_id=str(account.pk)).count() == 5


def test_a_pause_that_ends_in_the_past_is_asked_for_again(staff: Client, workspace: Workspace) -> None:
    account = make_account(workspace)
    said = {"confirmed": "yes", "ends": "at", "day": "2020-01-01", "clock": "09:00", "reason": "Kept"}
    answer = ask(staff, ConnectedAccount, "pause", account, **said)
    assert answer.status_code == 422
    assert 'value="Kept"' in answer.content.decode()
    account.refresh_from_db()
    assert not account.is_paused


def test_an_account_is_synced_again(staff: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("analytics.admin.ask_for_sync", lambda pk: asked.append(pk) or True)
    account, lost = make_account(workspace), make_account(workspace, status="expired")
    report = act(staff, "sync_now", account, lost)
    assert asked == [account.pk]
    assert "1 account is read now." in report
    assert "1 skipped: Access expired" in report


def test_a_person_is_added_by_address(staff: Client) -> None:
    response = staff.post(
        reverse("admin:accounts_user_add"),
        {
            "email": "grace@example.com",
            "usable_password": "true",
            "password1": "a long and honest one",
            "password2": "a long and honest one",
            "memberships-TOTAL_FORMS": "0",
            "memberships-INITIAL_FORMS": "0",
        },
    )
    assert response.status_code == 302, response.content.decode()
    assert User.objects.get(email="grace@example.com").check_password("a long and honest one")


def test_what_would_store_logins_or_tokens_is_not_offered() -> None:
    assert not any(admin.site.is_registered(model) for model in (SocialAccount, SocialApp, SocialToken))


def test_people_without_staff_rights_stay_out(signed_in: Client) -> None:
    assert signed_in.get("/admin/").status_code == 302
    assert signed_in.get("/admin/login/").status_code == 403


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/19 Safari/605", "Safari on macOS"),
        ("something/1.0", "something/1.0"),
        ("", "Unknown device"),
    ],
)
def test_devices_in_words(user_agent: str, words: str) -> None:
    assert device(user_agent) == words


def test_what_staff_does_is_said_in_the_language_of_the_workspace(staff: Client, workspace: Workspace) -> None:
    workspace.language = "de"
    workspace.save()
    account = make_account(workspace)
    act(staff, "pause", account, ends="open")
    with override("de"):
        assert account.pause_reason == gettext("Paused by staff") != "Paused by staff"
        asked = gettext("Whoever runs this server asks you to connect this account again.")
    act(staff, "ask_to_reconnect", account)
    assert account.status_reason == asked != "Whoever runs this server asks you to connect this account again."


@pytest.mark.parametrize("key", ["x", "", "\x00", "1" * 500])
def test_what_is_no_id_is_refused(staff: Client, workspace: Workspace, key: str) -> None:
    account = make_account(workspace)
    said = {"action": "pause", "_selected_action": key, "confirmed": "yes", "ends": "open"}
    answer = staff.post(changelist(ConnectedAccount), said, follow=True)
    assert "These rows are not there." in answer.content.decode()
    account.refresh_from_db()
    assert not account.is_paused


def test_a_filter_that_nobody_offers_filters_nothing(staff: Client, workspace: Workspace) -> None:
    make_account(workspace, username="camaro")
    assert "camaro" in staff.get(changelist(ConnectedAccount), {"platform": "nowhere"}).content.decode()


def test_a_browser_is_signed_out_after_a_question(staff: Client) -> None:
    thief, stolen = Client(), make_user()
    thief.force_login(stolen, backend="allauth.account.auth_backends.AuthenticationBackend")
    thief.get("/")
    session = UserSession.objects.get(user=stolen)
    answer = press(staff, UserSession, "end_sessions", session)
    assert "Sign out 1 browser?" in answer.question
    assert "1 browser is signed out." in answer.report
    assert thief.get("/").status_code == 302
    assert LogEntry.objects.get(object_repr=f"{stolen} · {session.ip}").object_id == str(session.pk)


def test_an_address_is_marked_as_verified_after_a_question(staff: Client) -> None:
    user = make_user()
    EmailAddress.objects.filter(user=user).delete()
    address = EmailAddress.objects.create(user=user, email=user.email, primary=True)
    done = EmailAddress.objects.create(user=make_user(), email="done@example.com", verified=True)
    answer = press(staff, EmailAddress, "verify", address, done)
    assert "Mark 1 address as verified?" in answer.question
    assert "1 address is verified." in answer.report
    assert "it is verified already" in answer.report
    address.refresh_from_db()
    assert address.verified
