"""Connecting LinkedIn, from the button to a published post, at a running sandbox."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.connect import connect_result
from accounts.models import ConnectedAccount, Credential, Grant, OAuthTicket, OperatorNotice, User, Workspace
from accounts.renew import usable_token
from accounts.tasks import look_at_versions
from accounts.tokens import access_for
from accounts.verify import verify
from analytics import sync
from publishing.claims import sweep
from publishing.models import Publication, QueueEntry, Status
from publishing.schedule import publish_now
from socialhub.platforms.errors import ReconnectError
from tests.accounts import hub
from tests.accounts.conftest import sign_in
from tests.accounts.hub import SOCIAL, choose, come_back, press, told
from tests.factories import make_post, make_user
from tests.publishing.conftest import run_due
from tests.sandbox_process import Sandbox, sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db, pytest.mark.processes]

LENA, BOATS, FAIR = "urn:li:person:lEnA7xQ2p9", "urn:li:organization:51000001", "urn:li:organization:51000002"


@pytest.fixture
def network(sandbox: Sandbox, settings: Any) -> Sandbox:
    return hub.use(settings, sandbox)


def connect(client: Client, network: Sandbox, *urns: str, person: str = "lena") -> list[ConnectedAccount]:
    address = come_back(client, network.linkedin_consent(press(client, "linkedin"), person))
    return choose(client, address, *(f"linkedin:{urn}" for urn in urns))


# The way there and back


def test_the_consent_page_gets_a_fixed_request(signed_in: Client, network: Sandbox, settings: Any) -> None:
    response = signed_in.post(
        reverse("accounts:connect", args=["linkedin"]) + "?scope=r_everything&auth_params=redirect_uri%3Dhttps://evil",
        headers={"host": "evil.example"},
    )
    asked = parse_qs(urlsplit(response["Location"]).query)
    assert asked["scope"] == [" ".join(settings.LINKEDIN_SCOPES)]
    assert asked["redirect_uri"] == [f"{hub.HERE}/account/linkedin/login/callback/"]
    assert set(asked) == {"client_id", "redirect_uri", "response_type", "state", "scope"}, "no proof key"
    assert "evil" not in response["Location"]
    assert OAuthTicket.objects.get().provider == "linkedin"


def test_the_whole_way(signed_in: Client, workspace: Workspace, network: Sandbox) -> None:
    address = come_back(signed_in, network.linkedin_consent(press(signed_in, "linkedin")))
    grant = Grant.objects.get()
    assert (grant.provider, grant.platform_user_id, grant.platform_user_name) == ("linkedin", LENA, "Lena Lind")
    assert timedelta(days=59) < grant.expires_at - timezone.now() <= timedelta(days=60)
    assert (grant.refresh_token, grant.declined_scopes) == (None, [])

    choice = signed_in.get(address)
    rows = {row["candidate"].platform_account_id: row["candidate"] for row in choice.context["rows"]}
    assert list(rows) == [LENA, BOATS, FAIR]
    assert "does not let you post" in rows[FAIR].obstacle
    assert not rows[LENA].obstacle
    assert rows[BOATS].followers_count >= 6240
    assert "your own profile and 2 organizations" in choice.content.decode()

    accounts = choose(signed_in, address, f"linkedin:{LENA}", f"linkedin:{BOATS}")
    assert [(account.name, account.account_type) for account in accounts] == [
        ("Lena Lind", "person"),
        ("Lind & Daughters", "organization"),
    ]
    for account in accounts:
        assert (account.workspace, account.login_kind, account.missing_scopes) == (workspace, "linkedin", [])
        assert account.token_expires_at == grant.expires_at
        assert account.credential.access_token is None
        assert access_for(account).token == grant.access_token.reveal()
    page = signed_in.get(SOCIAL).content.decode()
    assert "Lind &amp; Daughters" in page
    assert page.count("data-shine") == 2
    assert connect_result(accounts, "linkedin")["linkedin"]["accountName"] == "Lena Lind"


def test_what_has_an_obstacle_cannot_be_connected(signed_in: Client, network: Sandbox) -> None:
    address = come_back(signed_in, network.linkedin_consent(press(signed_in, "linkedin")))
    assert signed_in.post(address, {"account": [f"linkedin:{FAIR}"]}).status_code == 422
    assert not ConnectedAccount.objects.exists()


def test_a_hundred_and_twenty_organizations(signed_in: Client, network: Sandbox) -> None:
    address = come_back(signed_in, network.linkedin_consent(press(signed_in, "linkedin"), "olga"))
    rows = signed_in.get(address).context["rows"]
    assert len(rows) == 121
    accounts = choose(signed_in, address, *(row["candidate"].key for row in rows))
    assert len(accounts) == 121
    assert Grant.objects.count() == 1


def test_an_app_for_members_only_asks_for_no_organizations(signed_in: Client, network: Sandbox, settings: Any) -> None:
    settings.LINKEDIN_SCOPES = ("openid", "profile", "email", "w_member_social")
    network.linkedin_app(mode="member")
    address = come_back(signed_in, network.linkedin_consent(press(signed_in, "linkedin")))
    assert [row["candidate"].platform_account_id for row in signed_in.get(address).context["rows"]] == [LENA]
    assert "GET linkedin.organizationAcls" not in network.calls()


@pytest.mark.parametrize("person", ["lena", ""])
def test_both_of_linkedins_words_for_no(signed_in: Client, network: Sandbox, person: str) -> None:
    back = network.linkedin_consent(press(signed_in, "linkedin"), person, cancel=True)
    assert "user_cancelled" in back
    assert come_back(signed_in, back) == SOCIAL
    assert "Consent was not given at LinkedIn" in told(signed_in)
    assert not Grant.objects.exists()


def test_a_state_is_good_once_and_for_its_person(signed_in: Client, network: Sandbox) -> None:
    back = network.linkedin_consent(press(signed_in, "linkedin"))
    stranger = sign_in(make_user())
    assert come_back(stranger, back) == SOCIAL
    assert not Grant.objects.exists()
    assert "select" in come_back(signed_in, back)
    asked = network.calls()["POST linkedin.token"]
    assert come_back(signed_in, back) == SOCIAL
    assert "not valid any more" in signed_in.get(SOCIAL).content.decode()
    assert (Grant.objects.count(), network.calls()["POST linkedin.token"]) == (1, asked)


def test_a_state_of_one_network_is_not_good_for_another(signed_in: Client, network: Sandbox) -> None:
    back = network.linkedin_consent(press(signed_in, "linkedin"))
    assert come_back(signed_in, back.replace("/linkedin/login/", "/buffer/login/")) == SOCIAL
    assert not Grant.objects.exists()


def test_trouble_at_the_exchange_connects_nothing(signed_in: Client, network: Sandbox) -> None:
    back = network.linkedin_consent(press(signed_in, "linkedin"))
    network.fault("error_before", edge="linkedin.token")
    assert come_back(signed_in, back) == SOCIAL
    assert "LinkedIn has trouble or cannot be reached right now, so nothing was connected." in told(signed_in)
    assert not Grant.objects.exists()


def test_without_an_app_the_button_says_what_is_missing(signed_in: Client, settings: Any) -> None:
    settings.LINKEDIN_CLIENT_ID = ""
    assert signed_in.post(reverse("accounts:connect", args=["linkedin"]))["Location"] == SOCIAL
    page = signed_in.get(SOCIAL).content.decode()
    assert "LINKEDIN_CLIENT_ID" in page
    assert "http://testserver/account/linkedin/login/callback/" in page
    assert signed_in.get("/account/linkedin/login/callback/").status_code == 404


def test_viewers_and_strangers(signed_in: Client, viewer: Client, signed_in_stranger: Client, network: Sandbox) -> None:
    assert viewer.post(reverse("accounts:connect", args=["linkedin"])).status_code == 403
    address = come_back(signed_in, network.linkedin_consent(press(signed_in, "linkedin")))
    assert viewer.get(address).status_code == 403
    assert signed_in_stranger.get(address).status_code == 404
    account = choose(signed_in, address, f"linkedin:{LENA}")[0]
    for name in ("disconnect", "verify", "pause", "resume"):
        assert signed_in_stranger.post(reverse(f"accounts:{name}", args=[account.pk])).status_code == 404
        assert viewer.post(reverse(f"accounts:{name}", args=[account.pk])).status_code == 403
    # Instagram's guidance is for Facebook Pages.
    assert signed_in.get(reverse("accounts:guidance", args=[account.pk])).status_code == 404
    assert signed_in.post(reverse("accounts:recheck", args=[account.pk])).status_code == 404


def test_no_token_lies_open(signed_in: Client, network: Sandbox) -> None:
    network.linkedin_app(refresh_tokens=True)
    connect(signed_in, network, LENA, BOATS)
    kept = hub.tokens()
    assert len(kept) == 2
    seen = hub.dump() + signed_in.get(SOCIAL).content.decode()
    assert "Lind & Daughters" in seen
    assert not [token for token in kept if token in seen]


# Living with it


def test_reconnecting_keeps_the_row(signed_in: Client, network: Sandbox) -> None:
    (before,) = connect(signed_in, network, BOATS)
    network.switch("linkedin", "lena", "revoke")
    with pytest.raises(ReconnectError):
        verify(ConnectedAccount.objects.select_related("credential__grant").get())
    before.refresh_from_db()
    assert before.status == "revoked"
    assert "Connect it again" in before.status_reason
    (after,) = connect(signed_in, network, BOATS)
    assert (after.pk, after.status, after.status_reason) == (before.pk, "connected", "")
    assert Grant.objects.count() == 1
    verify(ConnectedAccount.objects.get())


def test_checking_reads_profile_and_rights(signed_in: Client, network: Sandbox) -> None:
    connect(signed_in, network, LENA, BOATS)
    ends = Grant.objects.get().expires_at
    for account in ConnectedAccount.objects.all():
        verify(account)
        assert account.token_expires_at == ends
        assert "w_member_social" in account.granted_scopes
        assert account.missing_scopes == []


def test_a_blip_changes_nothing(signed_in: Client, network: Sandbox) -> None:
    (account,) = connect(signed_in, network, LENA)
    network.fault("error_before", edge="linkedin.userinfo")
    response = signed_in.post(reverse("accounts:verify", args=[account.pk]), follow=True)
    assert "LinkedIn has trouble" in response.content.decode()
    account.refresh_from_db()
    assert account.status == "connected"


def test_the_last_account_takes_the_consent_with_it(signed_in: Client, network: Sandbox) -> None:
    network.linkedin_app(refresh_tokens=True)
    first, second = connect(signed_in, network, LENA, BOATS)
    signed_in.post(reverse("accounts:disconnect", args=[first.pk]))
    assert "POST linkedin.revoke" not in network.calls()
    assert Grant.objects.exists()
    signed_in.post(reverse("accounts:disconnect", args=[second.pk]))
    assert network.calls()["POST linkedin.revoke"] == 2
    assert not Grant.objects.exists()
    assert not Credential.objects.exists()
    assert set(ConnectedAccount.objects.values_list("status", flat=True)) == {"disconnected"}


def test_from_the_forty_fifth_day_on_it_is_renewed(signed_in: Client, network: Sandbox) -> None:
    network.linkedin_app(refresh_tokens=True)
    (account,) = connect(signed_in, network, LENA)
    grant = Grant.objects.get()
    assert account.token_expires_at == grant.refresh_expires_at
    first = grant.access_token.reveal()
    assert usable_token(grant) == first
    refresh = grant.refresh_token.reveal()
    with time_machine.travel(timezone.now() + timedelta(days=46)):
        network.advance(46 * 86_400)
        token = usable_token(Grant.objects.get())
        assert token != first
        grant.refresh_from_db()
        assert grant.refresh_token.reveal() == refresh
        assert grant.expires_at - timezone.now() > timedelta(days=59)


def test_without_a_refresh_token_it_ends_on_day_sixty(signed_in: Client, network: Sandbox) -> None:
    (account,) = connect(signed_in, network, LENA)
    with time_machine.travel(timezone.now() + timedelta(days=61)), pytest.raises(ReconnectError):
        access_for(ConnectedAccount.objects.get(pk=account.pk))


@pytest.mark.django_db(transaction=True)
def test_fifty_workers_refresh_once(network: Sandbox) -> None:
    owner = make_user()
    network.linkedin_app(refresh_tokens=True)
    connect(sign_in(owner), network, LENA)
    Grant.objects.update(expires_at=timezone.now() + timedelta(days=10))
    before = network.calls()["POST linkedin.token"]
    found: list[str] = []

    def work() -> None:
        try:
            found.append(usable_token(Grant.objects.get()))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 50
    assert network.calls()["POST linkedin.token"] - before == 1


@pytest.mark.parametrize("mode", ["full", "member"])
def test_the_first_sync(signed_in: Client, network: Sandbox, settings: Any, mode: str) -> None:
    if mode == "member":
        settings.LINKEDIN_SCOPES = ("openid", "profile", "email", "w_member_social")
    network.linkedin_app(mode=mode)
    for account in connect(signed_in, network, LENA, *([BOATS] if mode == "full" else [])):
        assert sync.sync(account.pk)
        account.refresh_from_db()
        assert (account.status, account.sync_error) == ("connected", "")
        assert account.last_synced_at
        assert account.account_type == "person" or account.followers_count >= 6240


# Publishing


@pytest.mark.parametrize("urn", [LENA, BOATS])
def test_a_text_goes_out(signed_in: Client, owner: User, network: Sandbox, urn: str) -> None:
    (account,) = connect(signed_in, network, urn)
    post = make_post(account.workspace, account, caption="Launched today: (a boat)")
    publish_now(post, by=owner)
    assert run_due() == 1
    publication = Publication.objects.get()
    assert publication.status == Status.PUBLISHED, publication.error_message
    assert [entry["message"] for entry in network.feed(urn)] == ["Launched today: (a boat)"]
    assert publication.platform_post_id in publication.permalink


def test_a_version_that_ended_makes_posts_wait_until_another_one_is_set(
    signed_in: Client, workspace: Workspace, network: Sandbox, settings: Any
) -> None:
    (account,) = connect(signed_in, network, LENA)
    served, settings.LINKEDIN_API_VERSION = settings.LINKEDIN_API_VERSION, "202511"
    waiting = [make_post(workspace, account, caption=f"Post {number}") for number in (1, 2)]
    for post in waiting:
        publish_now(post, by=None)
    run_due()
    sweep()
    assert run_due() == 0, "the second one makes no call that cannot succeed"
    account.refresh_from_db()
    assert account.is_connected
    assert {row.status for row in Publication.objects.all()} == {Status.SCHEDULED}
    for entry in QueueEntry.objects.all():
        assert "whoever runs this server" in entry.wait_reason
        assert (entry.held, entry.attempts) == (True, 0)
    assert "202511" in OperatorNotice.objects.get().title
    look_at_versions()
    sweep()
    assert run_due() == 0, "it is refused still"

    settings.LINKEDIN_API_VERSION = served
    sweep()
    QueueEntry.objects.update(not_before=timezone.now())
    assert run_due() + run_due() == 2
    assert {row.status for row in Publication.objects.all()} == {Status.PUBLISHED}
    look_at_versions()
    assert not OperatorNotice.objects.filter(resolved_at=None).exists()
