"""A program sends somebody to a network: what they meet when they come back, at a running sandbox."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.adapter import get_adapter
from django.db import connections
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts import tickets
from accounts.models import ApiKey, ConnectedAccount, Grant, OAuthTicket, Role, User, Workspace
from tests.accounts import hub
from tests.accounts.hub import HERE
from tests.sandbox_process import Sandbox, sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db, pytest.mark.processes]

CONSENT = reverse("accounts:consent")
PEOPLE = {"meta": "gina", "instagram_login": "ines.ink", "linkedin": "lena", "buffer": "bruno"}


@pytest.fixture
def network(sandbox: Sandbox, settings: Any) -> Sandbox:
    return hub.use(settings, sandbox)


@pytest.fixture
def key(owner: User, workspace: Workspace) -> ApiKey:
    Workspace.objects.filter(pk=workspace.pk).update(name="Corvette Corner")
    return ApiKey.objects.create(
        workspace=workspace, user=owner, name="Nightly robot", digest=secrets.token_hex(32), scopes=["read", "write"]
    )


@pytest.fixture
def passer_by() -> Client:
    """A browser without any session here."""
    return Client()


def address_for(key: ApiKey, provider: str) -> str:
    request = RequestFactory().get("/")
    request.user, request.workspace = key.user, key.workspace  # type: ignore[attr-defined]
    source = get_adapter(request).get_provider(request, provider=provider)
    address, expires_at = source.address_for_program(request, product=provider, api_key=key)
    assert timedelta(minutes=9) < expires_at - timezone.now() <= timedelta(minutes=10)
    return str(address)


def allow(network: Sandbox, provider: str, address: str) -> str:
    """Consent at the network; where it sends the browser."""
    answers: dict[str, Callable[..., str]] = {
        "meta": network.consent,
        "instagram_login": network.instagram_consent,
        "linkedin": network.linkedin_consent,
        "buffer": network.buffer_consent,
    }
    back = answers[provider](address, PEOPLE[provider])
    assert back.startswith(f"{HERE}/")
    return back.removeprefix(HERE)


def arrive(browser: Client, network: Sandbox, key: ApiKey, provider: str = "meta") -> tuple[Any, dict[str, str]]:
    """The page after the consent, and what its form would send."""
    back = allow(network, provider, address_for(key, provider))
    query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    return browser.get(back), {"state": query["state"], "code": query["code"]}


@pytest.mark.parametrize("provider", PEOPLE)
def test_nothing_is_exchanged_before_the_yes_and_then_the_consent_is_that_of_the_person_of_the_key(
    provider: str, passer_by: Client, network: Sandbox, key: ApiKey
) -> None:
    page, form = arrive(passer_by, network, key, provider)
    assert page.status_code == 200
    words = page.content.decode()
    for shown in ("Corvette Corner", key.user.email, "Nightly robot", form["state"], form["code"]):
        assert shown in words
    assert not Grant.objects.exists()
    assert not any(name.endswith(("oauth", "token")) for name in network.calls())
    assert "no-store" in page["Cache-Control"]

    answer = passer_by.post(CONSENT, {**form, "answer": "yes"})
    assert answer.status_code == 200
    grant = Grant.objects.get()
    assert (grant.workspace, grant.user, grant.provider) == (key.workspace, key.user, provider)
    assert grant.platform_user_name in answer.content.decode()
    for secret in hub.tokens():
        assert secret not in answer.content.decode()
    # The accounts are connected by the program, not by this page.
    assert not ConnectedAccount.objects.exists()
    assert passer_by.get(reverse("accounts:social")).status_code == 302


def test_the_proof_key_stays_here(passer_by: Client, network: Sandbox, key: ApiKey) -> None:
    page, form = arrive(passer_by, network, key, "buffer")
    ticket = OAuthTicket.objects.get()
    assert ticket.code_verifier is not None
    verifier = ticket.code_verifier.reveal()
    assert verifier not in page.content.decode()
    assert verifier not in hub.dump()
    OAuthTicket.objects.update(code_verifier="another one, of somebody who has caught the code only")
    answer = passer_by.post(CONSENT, {**form, "answer": "yes"})
    assert "Nothing was connected" in answer.content.decode()
    assert not Grant.objects.exists()


def test_a_no_throws_the_code_away(passer_by: Client, network: Sandbox, key: ApiKey) -> None:
    _page, form = arrive(passer_by, network, key)
    answer = passer_by.post(CONSENT, {**form, "answer": "no"})
    assert "Nothing was connected" in answer.content.decode()
    assert passer_by.post(CONSENT, {**form, "answer": "yes"}).status_code == 410
    assert not Grant.objects.exists()


def test_a_yes_counts_once(passer_by: Client, network: Sandbox, key: ApiKey) -> None:
    back = allow(network, "meta", address_for(key, "meta"))
    form = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    assert passer_by.post(CONSENT, {**form, "answer": "yes"}).status_code == 200
    Grant.objects.all().delete()
    assert passer_by.post(CONSENT, {**form, "answer": "yes"}).status_code == 410
    assert passer_by.get(back).status_code == 410
    assert not Grant.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_yes_at_once_one_counts(network: Sandbox, key: ApiKey) -> None:
    back = allow(network, "meta", address_for(key, "meta"))
    form = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    gate, answers = threading.Barrier(4), []

    def press() -> None:
        try:
            gate.wait(10)
            answers.append(Client().post(CONSENT, {**form, "answer": "yes"}).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == [200, 410, 410, 410]
    assert Grant.objects.count() == 1


def test_another_site_cannot_press_yes(network: Sandbox, key: ApiKey) -> None:
    browser = Client(enforce_csrf_checks=True)
    _page, form = arrive(browser, network, key)
    assert browser.post(CONSENT, {**form, "answer": "yes"}).status_code == 403
    assert not Grant.objects.exists()


def test_no_frame_may_hold_the_question(passer_by: Client, network: Sandbox, key: ApiKey) -> None:
    page, _form = arrive(passer_by, network, key)
    assert page["X-Frame-Options"] == "DENY"


def revoke(key: ApiKey) -> None:
    ApiKey.objects.update(revoked_at=timezone.now())


def run_out(key: ApiKey) -> None:
    ApiKey.objects.update(expires_at=timezone.now())


def demote(key: ApiKey) -> None:
    key.user.memberships.update(role=Role.EDITOR)


def leave(key: ApiKey) -> None:
    key.user.memberships.all().delete()


def deactivate(key: ApiKey) -> None:
    User.objects.update(is_active=False)


def delete_workspace(key: ApiKey) -> None:
    Workspace.objects.update(deleting_at=timezone.now())


def wait_too_long(key: ApiKey) -> None:
    OAuthTicket.objects.update(expires_at=timezone.now())


@pytest.mark.parametrize(
    "meanwhile",
    [revoke, run_out, demote, leave, deactivate, delete_workspace, wait_too_long],
    ids=lambda one: one.__name__,
)
def test_what_ended_meanwhile_connects_nothing(
    meanwhile: Callable[[ApiKey], None], passer_by: Client, network: Sandbox, key: ApiKey
) -> None:
    back = allow(network, "meta", address_for(key, "meta"))
    form = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    meanwhile(key)
    assert passer_by.get(back).status_code == 410
    assert passer_by.post(CONSENT, {**form, "answer": "yes"}).status_code == 410
    assert not Grant.objects.exists()


def test_the_consent_of_one_network_does_not_answer_for_another(
    passer_by: Client, network: Sandbox, key: ApiKey
) -> None:
    state = parse_qs(urlsplit(address_for(key, "linkedin")).query)["state"][0]
    page = passer_by.get(f"/account/meta/login/callback/?code=abc&state={state}")
    assert page.status_code == 302
    assert not Grant.objects.exists()


def test_whoever_cancels_at_the_network_is_told_that_nothing_was_connected(
    passer_by: Client, network: Sandbox, key: ApiKey
) -> None:
    back = network.consent(address_for(key, "meta"), "gina", cancel=True).removeprefix(HERE)
    page = passer_by.get(back)
    assert "gave no consent" in page.content.decode()
    assert not Grant.objects.exists()


def test_trouble_of_the_network_is_told(passer_by: Client, network: Sandbox, key: ApiKey) -> None:
    _page, form = arrive(passer_by, network, key)
    network.fault("error_before", edge="oauth", count=None)
    answer = passer_by.post(CONSENT, {**form, "answer": "yes"})
    assert "cannot be reached right now" in answer.content.decode()
    assert not Grant.objects.exists()


def test_the_ticket_of_a_program_is_none_of_a_session_and_the_other_way_round(
    signed_in: Client, owner: User, workspace: Workspace, network: Sandbox, key: ApiKey
) -> None:
    state = parse_qs(urlsplit(address_for(key, "meta")).query)["state"][0]
    assert not tickets.redeem(state, user=owner, workspace=workspace, provider="meta")
    own = parse_qs(urlsplit(hub.press(signed_in, "facebook")).query)["state"][0]
    assert tickets.of_program(own) is None
    assert Client().post(CONSENT, {"state": own, "code": "abc", "answer": "yes"}).status_code == 410


@pytest.mark.parametrize("sent", [{}, {"state": "x" * 300, "code": "c"}, {"state": "a\x00b", "code": "c"}])
def test_rubbish_is_not_valid(sent: dict[str, str], passer_by: Client) -> None:
    assert passer_by.post(CONSENT, sent).status_code == 410
