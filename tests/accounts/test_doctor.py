"""The connect doctor: what it finds, and that its report gives nothing away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from accounts import operators, usage
from accounts.connect import CONNECTABLE
from accounts.doctor import State, is_reachable, public_address
from accounts.models import Grant, User, Workspace
from accounts.providers import META, PROVIDERS
from socialhub.platforms.errors import TemporaryError
from socialhub.platforms.http import Usage
from socialhub.platforms.meta import ALL_SCOPES
from tests.accounts.graph import LONG, Graph, page, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def grant(workspace: Workspace, owner: User) -> Grant:
    return Grant.objects.create(
        workspace=workspace,
        user=owner,
        provider="meta",
        platform_user_id="9001",
        platform_user_name="Ada Lovelace",
        access_token=LONG,
    )


@pytest.mark.parametrize(
    ("address", "reachable"),
    [
        ("http://localhost:8000", False),
        ("http://127.0.0.1", False),
        ("http://192.168.1.7", False),
        ("http://[::1]:8000", False),
        ("http://hub.local", False),
        ("http://hub", False),
        ("https://hub.example.com", True),
        ("https://8.8.8.8", True),
    ],
)
def test_what_others_can_reach(address: str, reachable: bool) -> None:
    assert is_reachable(address) is reachable


@pytest.mark.parametrize(
    ("address", "state"),
    [
        ("http://127.0.0.1:8000", State.PROBLEM),
        ("http://hub.example.com", State.PROBLEM),
        ("https://hub.example.com", State.OK),
    ],
)
def test_the_address_of_the_site_is_judged(address: str, state: State) -> None:
    with override_settings(PUBLIC_BASE_URL=address, SANDBOX=False):
        assert public_address().state == state
    with override_settings(PUBLIC_BASE_URL=address, SANDBOX=True):
        assert public_address().state == State.OK


def test_what_has_to_be_pasted_is_there_without_asking_the_network(signed_in: Client, graph: Graph) -> None:
    text = signed_in.get(reverse("accounts:doctor")).content.decode()
    assert not graph.calls
    for provider in PROVIDERS.values():
        assert provider.redirect_uri() in text
    for address in ("/meta/deauthorize/", "/meta/data-deletion/"):
        assert settings.PUBLIC_BASE_URL + address in text
    assert settings.META_GRAPH_VERSION in text


def test_asking_shows_permissions_pages_and_why_one_is_grey(signed_in: Client, graph: Graph, grant: Grant) -> None:
    graph.pages = [page("101", "Classic Motors", "classicmotors"), page("102", "Grey Page", access_token=None)]
    graph.granted = [name for name in ALL_SCOPES if name not in ("read_insights", "instagram_basic")]
    graph.declined = ["read_insights"]
    Grant.objects.update(data_access_expires_at=timezone.now() + timedelta(days=5))
    response = signed_in.post(reverse("accounts:doctor"))
    found = {
        (check.label, check.state): check.text
        for section in response.context["sections"]
        if section.person
        for check in section.checks
    }
    assert found["Permissions declined", State.WARNING].startswith("read_insights")
    assert found["Permissions missing", State.WARNING].startswith("instagram_basic")
    assert "@classicmotors" in found["Classic Motors", State.OK]
    assert "gave us no access" in found["Grey Page", State.WARNING]
    assert ("Access to data ends", State.WARNING) in found
    assert "Ada Lovelace" in response.content.decode()


def test_trouble_of_the_network_is_a_line_and_no_error(signed_in: Client, graph: Graph, grant: Grant) -> None:
    graph.fail["me/accounts"] = refusal(190, 463, "Session has expired")
    graph.fail["me/permissions"] = (500, {})
    graph.fail["debug_token"] = refusal(101, message="Error validating application")
    response = signed_in.post(reverse("accounts:doctor"))
    assert response.status_code == 200
    text = response.content.decode()
    assert "Session has expired" in text
    assert "Error validating application" in text


def test_the_report_holds_no_secret(signed_in: Client, graph: Graph, grant: Grant) -> None:
    report = signed_in.post(reverse("accounts:doctor")).context["report"]
    assert "Classic Motors" in report
    assert META.redirect_uri() in report
    secrets = [
        *(LONG, settings.META_APP_SECRET, settings.SECRET_KEY, *settings.FERNET_KEYS),
        *(entry["access_token"] for entry in graph.pages),
    ]
    assert not [secret for secret in secrets if secret in report]


def test_the_grant_of_another_workspace_is_not_looked_at(
    signed_in_stranger: Client, graph: Graph, grant: Grant
) -> None:
    text = signed_in_stranger.post(reverse("accounts:doctor")).content.decode()
    assert "Ada Lovelace" not in text
    assert "me/accounts" not in graph.paths()


@override_settings(META_APP_ID="", META_APP_SECRET="", LINKEDIN_CLIENT_ID="", BUFFER_CLIENT_ID="", SANDBOX=False)
def test_without_any_app_it_says_what_to_do(signed_in: Client) -> None:
    response = signed_in.post(reverse("accounts:doctor"))
    assert response.status_code == 200
    text = response.content.decode()
    assert "META_APP_ID" in text
    assert META.redirect_uri() in text


@override_settings(META_APP_SECRET="")
def test_a_missing_secret_is_a_problem() -> None:
    assert [check.label for check in META.checks() if check.state == State.PROBLEM and check.label == "App secret"]


def test_served_version_and_use_of_the_app_are_shown() -> None:
    operators.warn(operators.version_key(settings.META_GRAPH_VERSION, "v21.0"), title="Other version", body="…")
    usage.note(Usage(app_percent=97))
    states = {check.label: check for check in META.app_checks()}
    assert states["Version of the API"].state == State.PROBLEM
    assert "v21.0" in states["Version of the API"].text
    assert states["Calls of the app this hour"].state == State.WARNING
    assert "97" in states["Calls of the app this hour"].text


@pytest.mark.parametrize("key", PROVIDERS)
def test_every_provider_answers_though_its_network_does_not(
    key: str, workspace: Workspace, owner: User, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = PROVIDERS[key]

    def refuse(*args: object) -> None:
        raise TemporaryError("The network could not be reached.", platform_message="down")

    monkeypatch.setattr(type(provider), "candidates", refuse)
    grant = Grant.objects.create(
        workspace=workspace, user=owner, provider=key, platform_user_id="1", access_token="token-of-a-person"
    )
    checks = provider.checks(grant)
    assert any(check.state == State.PROBLEM and "down" in check.text for check in checks)


@pytest.mark.parametrize("platform", CONNECTABLE)
def test_every_permission_that_is_needed_says_what_for(platform: str) -> None:
    entry = CONNECTABLE[platform]
    needed = {*entry.scopes, *(scope for scopes in entry.scopes_by_type.values() for scope in scopes)}
    assert needed
    assert needed <= PROVIDERS[entry.provider].purposes().keys()
