"""Connecting and connected accounts over the API, with nothing but a key, at a running sandbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey, ConnectedAccount, Credential, Grant, Role, User, Workspace
from tests.accounts import hub
from tests.accounts.conftest import member
from tests.accounts.hub import HERE
from tests.api.talk import Talk, talk_of
from tests.factories import make_account, make_user, workspace_of
from tests.sandbox_process import Sandbox, sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db, pytest.mark.processes]

API = "/api/social/"
CONSENT = reverse("accounts:consent")


@pytest.fixture
def program(owner: User, workspace: Workspace) -> Talk:
    return talk_of(workspace, owner, "read", "write")


@pytest.fixture
def network(sandbox: Sandbox, settings: Any) -> Sandbox:
    return hub.use(settings, sandbox)


def say_yes(back: str) -> None:
    """A browser of somebody, without a session here."""
    browser = Client()
    page = browser.get(back.removeprefix(HERE))
    assert page.status_code == 200
    query = parse_qs(urlsplit(back).query)
    answer = browser.post(CONSENT, {"state": query["state"][0], "code": query["code"][0], "answer": "yes"})
    assert "Your consent is stored" in answer.content.decode()


def consent(program: Talk, network: Sandbox, platform: str = "facebook", person: str = "gina") -> None:
    say_yes(network.consent(program.get("oauth/connect", platform=platform)["url"], person))


# Connecting


@pytest.mark.parametrize("platform", ["facebook", "instagram"])
def test_a_program_connects_pages_with_their_instagram_accounts(
    platform: str, program: Talk, network: Sandbox, owner: User
) -> None:
    asked = program.get("oauth/connect", platform=platform)
    assert set(asked) == {"url", "expiresAt"}
    assert asked["url"].startswith(f"{network.url}/facebook/")
    assert asked["expiresAt"].endswith("Z")
    assert program.refused(f"connect/{platform}") == "no_consent"
    say_yes(network.consent(asked["url"], "gina"))
    answer = program.post(f"connect/{platform}")
    page = ConnectedAccount.objects.filter(platform="facebook").order_by("name").first()
    assert page is not None
    assert answer["success"] is True
    assert set(answer) == {"success", "facebook", "instagram"}
    assert answer["facebook"] == {
        "connected": True,
        "accountId": str(page.pk),
        "accountName": page.name,
        "username": page.username,
        "profilePicture": page.picture_url,
    }
    assert answer["instagram"]["connected"] is True
    assert page.connected_by == owner
    for secret in hub.tokens():
        assert secret not in str(answer)


def test_checking_again_doubles_nothing(program: Talk, network: Sandbox) -> None:
    consent(program, network)
    first = program.post("connect/facebook")
    assert program.post("connect/facebook") == first
    assert ConnectedAccount.objects.count() == len(program.get("connected-accounts")["accounts"])
    assert Grant.objects.count() == 1


def test_a_page_without_instagram_says_why(program: Talk, network: Sandbox) -> None:
    paul = network.person("paul")
    consent(program, network, person="paul")
    answer = program.post("connect/facebook", {"accountIds": [next(p.id for p in paul.pages if not p.instagram_id)]})
    assert answer["facebook"]["connected"] is True
    assert answer["instagram"] == {"connected": False, "reason": "No Instagram business account linked"}
    assert ConnectedAccount.objects.count() == 1


def test_ids_that_the_consent_does_not_show_are_named(program: Talk, network: Sandbox) -> None:
    consent(program, network)
    error = program.post("connect/facebook", {"accountIds": ["12345"]}, status=422)["error"]
    assert error["code"] == "invalid"
    assert "12345" in error["fields"]["accountIds"][0]
    assert not ConnectedAccount.objects.exists()


def test_a_program_can_wait_for_a_new_consent(program: Talk, network: Sandbox) -> None:
    consent(program, network)
    Grant.objects.update(issued_at=timezone.now() - timedelta(hours=1))
    since = timezone.now().isoformat()
    assert program.refused("connect/facebook", {"issuedAfter": since}) == "no_consent"
    consent(program, network)
    assert program.post("connect/facebook", {"issuedAfter": since})["success"] is True


def test_a_consent_of_another_member_is_not_used(program: Talk, network: Sandbox, workspace: Workspace) -> None:
    consent(program, network)
    other = member(workspace, Role.ADMIN)
    theirs = talk_of(workspace, other, "write")
    assert theirs.refused("connect/facebook") == "no_consent"
    grant = Grant.objects.get()
    assert theirs.refused("connect/facebook", {"grantId": str(grant.pk)}, status=404) == "not_found"


def test_channels_of_one_network_are_connected_by_a_personal_key(program: Talk, network: Sandbox) -> None:
    answer = program.post("connect/bluesky", {"key": network.buffer("bruno").key})
    assert answer["success"] is True
    assert set(answer) == {"success", "bluesky"}
    assert {account.platform for account in ConnectedAccount.objects.all()} == {"bluesky"}
    assert program.refused("connect/bluesky", {"key": "not a key of theirs"}) == "network_refused"
    assert program.refused("connect/facebook", {"key": "x"}, status=422) == "invalid"
    assert "google_business" in program.post("connect/google_business")


def test_linkedin_and_instagram_without_a_page(program: Talk, network: Sandbox) -> None:
    say_yes(network.linkedin_consent(program.get("oauth/connect", platform="linkedin")["url"]))
    assert program.post("connect/linkedin")["linkedin"]["accountName"] == "Lena Lind"
    say_yes(network.instagram_consent(program.get("oauth/connect", platform="instagram_login")["url"]))
    answer = program.post("connect/instagram_login")
    assert answer["instagram"]["accountName"] == "Ines Ink"


def test_a_consent_that_is_gone_asks_for_a_new_one(program: Talk, network: Sandbox) -> None:
    consent(program, network)
    network.revoke("gina")
    assert program.refused("connect/facebook") == "reconnect"


def test_a_network_that_is_away_is_no_fault_of_the_request(program: Talk, network: Sandbox) -> None:
    consent(program, network)
    network.fault("error_before", edge="any", count=None)
    response = program("POST", "connect/facebook")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "network_unavailable")
    assert int(response["Retry-After"]) > 0
    network.no_faults()
    network.fault("rate_limited", edge="any", count=None, minutes=7)
    response = program("POST", "connect/facebook")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "network_limited")


def test_without_an_app_there_it_says_what_to_set_up(program: Talk, settings: Any) -> None:
    settings.META_APP_ID = ""
    error = program.get("oauth/connect", status=409, platform="facebook")["error"]
    assert error["code"] == "not_configured"
    assert "META_APP_ID" in error["message"]


@pytest.mark.parametrize("platform", ["friendster", "", "x" * 300])
def test_networks_that_are_not_known(platform: str, program: Talk) -> None:
    assert "platform" in program.get("oauth/connect", status=422, platform=platform)["error"]["fields"]


def test_with_a_session_the_choice_of_accounts_follows(signed_in: Client, network: Sandbox) -> None:
    answer = signed_in.get(f"{API}oauth/connect", {"platform": "facebook"}).json()
    back = network.consent(answer["url"], "gina")
    assert signed_in.get(back.removeprefix(HERE))["Location"].startswith("/settings/accounts/select/")


def test_only_managers_with_the_scope_to_write_connect(workspace: Workspace, owner: User, network: Sandbox) -> None:
    reader = talk_of(workspace, owner, "read", "publish")
    assert reader.get("oauth/connect", status=403, platform="facebook")["error"]["code"] == "scope"
    editor = talk_of(workspace, member(workspace, Role.EDITOR), "read", "write")
    assert editor.get("oauth/connect", status=403, platform="facebook")["error"]["code"] == "role"
    assert editor.refused("connect/facebook", status=403) == "role"


# What is connected


def test_accounts_are_told_without_tokens(program: Talk, workspace: Workspace) -> None:
    page = make_account(workspace, token="secret-of-the-page", followers_count=None, is_default=True)
    make_account(workspace, status="disconnected")
    make_account(workspace_of(make_user()))
    ended = make_account(workspace, platform="instagram", status="expired", status_reason="It ran out.")
    answer = program.get("connected-accounts")
    assert answer["total"] == 2
    first, second = answer["accounts"]
    assert (first["accountId"], first["isConnected"], first["followers"]) == (str(page.pk), True, None)
    assert (second["accountId"], second["isConnected"], second["statusReason"]) == (str(ended.pk), False, "It ran out.")
    assert "secret-of-the-page" not in str(answer)
    assert program.get("connected-accounts", platform="instagram")["total"] == 1
    assert program.get(f"connected-accounts/{page.pk}") == first


def test_the_list_costs_the_same_for_many(program: Talk, workspace: Workspace) -> None:
    counts = []
    for number in (1, 30):
        for _ in range(number):
            make_account(workspace)
        program.get("connected-accounts")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            program.get("connected-accounts")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 5


def test_accounts_of_strangers_are_not_there(program: Talk) -> None:
    theirs = make_account(workspace_of(make_user()))
    program.get(f"connected-accounts/{theirs.pk}", status=404)
    for act in ("pause", "resume", "verify", "renew"):
        assert program.refused(f"connected-accounts/{theirs.pk}/{act}", status=404) == "not_found"
    assert program.refused("disconnect", {"accountId": str(theirs.pk)}, status=404) == "not_found"
    theirs.refresh_from_db()
    assert theirs.is_connected
    assert not theirs.is_paused


def test_disconnecting_deletes_the_token(program: Talk, network: Sandbox) -> None:
    consent(program, network)
    account = program.post("connect/facebook")["instagram"]["accountId"]
    assert program.post("disconnect", {"accountId": account}) == {"success": True, "accountId": account}
    assert ConnectedAccount.objects.get(pk=account).status == "disconnected"
    assert not Credential.objects.filter(account=account).exists()


def test_pausing_and_resuming(program: Talk, workspace: Workspace, owner: User) -> None:
    account = make_account(workspace)
    place = f"connected-accounts/{account.pk}"
    until = (timezone.now() + timedelta(days=2)).isoformat()
    answer = program.post(f"{place}/pause", {"reason": "Holidays", "until": until})
    assert (answer["isPaused"], answer["pauseReason"]) == (True, "Holidays")
    account.refresh_from_db()
    assert account.paused_by == owner
    assert program.post(f"{place}/resume")["isPaused"] is False
    assert program.post(f"{place}/pause")["pausedUntil"] is None
    for wrong in ("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "0001-01-01T00:00:00"):
        assert program.refused(f"{place}/pause", {"until": wrong}, status=422) == "invalid"


def test_verifying_asks_the_network(program: Talk, network: Sandbox) -> None:
    consent(program, network)
    account = program.post("connect/facebook")["facebook"]["accountId"]
    assert program.post(f"connected-accounts/{account}/verify")["lastVerifiedAt"]
    network.revoke("gina")
    assert program.refused(f"connected-accounts/{account}/verify") == "reconnect"
    assert program.get(f"connected-accounts/{account}")["isConnected"] is False


def test_renewing_brings_a_new_access(program: Talk, network: Sandbox) -> None:
    network.linkedin_app(refresh_tokens=True)
    say_yes(network.linkedin_consent(program.get("oauth/connect", platform="linkedin")["url"]))
    account = program.post("connect/linkedin")["linkedin"]["accountId"]
    soon = timezone.now() + timedelta(days=3)
    Grant.objects.update(expires_at=soon)
    ConnectedAccount.objects.update(token_expires_at=soon)
    before = hub.tokens()
    answer = program.post(f"connected-accounts/{account}/renew")
    assert answer["accessExpiresAt"] > soon.isoformat()
    assert hub.tokens() != before
    assert not any(token in str(answer) for token in hub.tokens())
    Grant.objects.update(renewing_since=timezone.now())
    assert program.refused(f"connected-accounts/{account}/renew") == "under_way"


def test_what_cannot_be_renewed_says_why_and_stays_in_use(program: Talk, network: Sandbox) -> None:
    consent(program, network)
    page = program.post("connect/facebook")["facebook"]["accountId"]
    error = program.post(f"connected-accounts/{page}/renew", status=409)["error"]
    assert error["code"] == "not_renewable"
    assert "Facebook sets no end" in error["message"]
    say_yes(network.instagram_consent(program.get("oauth/connect", platform="instagram_login")["url"]))
    ines = program.post("connect/instagram_login")["instagram"]["accountId"]
    assert program.refused(f"connected-accounts/{ines}/renew") == "too_fresh"
    assert {one["isConnected"] for one in program.get("connected-accounts")["accounts"]} == {True}


def test_a_key_that_was_revoked_opens_nothing(program: Talk) -> None:
    ApiKey.objects.update(revoked_at=timezone.now())
    assert program.get("connected-accounts", status=401)["error"]["code"] == "unauthenticated"


@pytest.mark.parametrize(
    "address",
    [
        "connected-accounts?platforn=facebook",
        "connected-accounts?platform=instagran",
        "rate-limits?accountid=1",
        "insights?platform=facebook&day=7",
        "insights?platform=facebook&period=hour&days=7",
    ],
)
def test_a_mistyped_condition_is_not_taken_for_none(workspace: Workspace, owner: User, address: str) -> None:
    assert talk_of(workspace, owner)("GET", address).status_code == 422
