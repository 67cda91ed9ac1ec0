"""The connect doctor: what it finds, and that its report gives nothing away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from accounts import operators, usage
from accounts.connect import CONNECTABLE
from accounts.doctor import Check, State, is_reachable, public_address
from accounts.models import Credential, Grant, User, Workspace
from accounts.providers import BUFFER, INSTAGRAM, LINKEDIN, META, PROVIDERS
from accounts.providers.linkedin import organization_candidate
from socialhub.platforms.buffer import BufferAccount, BufferApi, ChannelFound
from socialhub.platforms.buffer import Organization as BufferOrganization
from socialhub.platforms.errors import TemporaryError
from socialhub.platforms.http import Usage
from socialhub.platforms.linkedin_api import Organization
from socialhub.platforms.meta import ALL_SCOPES
from tests.accounts.graph import LONG, Graph, page, refusal
from tests.factories import make_account

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
    assert "None are used" in text
    for title in ("Facebook, Instagram", "Instagram (without a Page)", "LinkedIn", "Buffer: X, Threads"):
        assert f">{title}" in text
    for provider in PROVIDERS.values():
        assert provider.redirect_uri() in text
    for address in (
        "/meta/deauthorize/",
        "/meta/data-deletion/",
        "/instagram/deauthorize/",
        "/instagram/data-deletion/",
    ):
        assert settings.PUBLIC_BASE_URL + address in text
    assert settings.META_GRAPH_VERSION in text
    assert "instagram_business_content_publish: publish to it" in text
    assert "Also looks" not in text, "nobody has consented yet"


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


# What each network needs


def live(client: Client) -> dict[str, dict[str, Check]]:
    """The lines by label, for each section: "meta", "linkedin", "buffer", or the name of who consented."""
    sections = client.post(reverse("accounts:doctor")).context["sections"]
    return {section.person or section.key: {check.label: check for check in section.checks} for section in sections}


def test_meta_says_when_it_was_called_and_that_it_needs_no_webhook(signed_in: Client) -> None:
    before = {check.label: check for check in META.app_checks()}
    assert "not called it yet" in before["Deauthorize callback address"].text
    with time_machine.travel("2026-11-18T09:30Z", tick=False):
        operators.note_callback("meta", operators.DEAUTHORIZE)
    operators.note_callback("meta", operators.DEAUTHORIZE)
    with time_machine.travel("2026-11-19T09:30Z", tick=False):
        operators.note_callback("meta", operators.DEAUTHORIZE)
    after = {check.label: check for check in META.app_checks()}
    assert "19 November 2026" in after["Deauthorize callback address"].text
    assert "not called it yet" in after["Data deletion request address"].text
    assert "None are used" in after["Webhooks"].text
    theirs = {check.label: check for check in INSTAGRAM.app_checks()}
    assert "not called it yet" in theirs["Deauthorize callback address"].text, "the other app is another one"
    assert not operators.open_notices(), "nobody has to do anything about it"


def test_permissions_that_lapsed_or_are_for_some_accounts_only_are_lines(
    signed_in: Client, graph: Graph, grant: Grant
) -> None:
    graph.granted = [name for name in graph.granted if name != "read_insights"]
    graph.lapsed = ["read_insights"]
    graph.granular = {"pages_manage_posts": ["101", "102"]}
    found = live(signed_in)["Ada Lovelace"]
    assert "90 days" in found["Permissions lapsed"].text
    assert found["Permissions for some accounts only"].details == ("pages_manage_posts: 2",)
    assert "Permissions missing" not in found
    assert "Your role there lets us: read figures, write posts, manage" in found["Classic Motors"].details


def test_of_many_pages_only_those_with_trouble_are_told_one_by_one(
    signed_in: Client, graph: Graph, grant: Grant
) -> None:
    graph.pages = [page(str(number), f"Garage {number}", f"g{number}") for number in range(101, 131)]
    graph.pages.append(page("999", "Grey Page", access_token=None))
    found = live(signed_in)["Ada Lovelace"]
    assert found["Grey Page"].state == State.WARNING
    assert "Garage 101" not in found
    assert len(found["30 more"].details) == 30


LINKEDIN_TOKEN = "AQV-token-of-lena-which-nobody-sees"
ACLS = f"{settings.LINKEDIN_API_URL}/rest/organizationAcls"


def linkedin_grant(workspace: Workspace, owner: User, **fields: Any) -> Grant:
    account = make_account(workspace, platform="linkedin", login_kind="linkedin", token=None)
    grant = Grant.objects.create(
        workspace=workspace,
        user=owner,
        provider="linkedin",
        platform_user_id="lEnA",
        platform_user_name="Lena Lind",
        access_token=LINKEDIN_TOKEN,
        granted_scopes=["openid"],
        **fields,
    )
    Credential.objects.create(account=account, grant=grant)
    return grant


@pytest.fixture
def _linkedin(settings: Any) -> None:
    settings.LINKEDIN_CLIENT_ID, settings.LINKEDIN_CLIENT_SECRET = "li", "li-secret-that-nobody-sees"
    settings.LINKEDIN_API_VERSION = "202609"


@pytest.mark.usefixtures("_linkedin")
@pytest.mark.parametrize(
    ("day", "status", "state", "words"),
    [
        ("2026-11-20", 200, State.OK, ("2 months old", "LinkedIn serves it")),
        ("2027-08-01", 200, State.WARNING, ("11 months old", "LinkedIn serves it", "soon")),
        ("2026-11-20", 426, State.PROBLEM, ("does not serve it", "LINKEDIN_API_VERSION")),
        ("2026-11-20", 500, State.FACT, ("2 months old", "could not be asked")),
    ],
)
def test_linkedin_is_asked_whether_it_serves_the_version(
    workspace: Workspace, owner: User, graph: Graph, day: str, status: int, state: State, words: tuple[str, ...]
) -> None:
    linkedin_grant(workspace, owner)
    graph.mock.get(ACLS, status=status, json={"elements": []})
    graph.mock.post(f"{settings.LINKEDIN_OAUTH_URL}/introspectToken", json={"active": False})
    with time_machine.travel(f"{day}T12:00Z", tick=False):
        checks = {check.label: check for check in LINKEDIN.app_checks(live=True)}
    version = checks["Version of the API"]
    assert version.state == state
    assert not [word for word in words if word not in version.text]
    assert checks["App id and secret"].state == State.OK
    assert "w_member_social: publish to your profile" in checks["Permissions asked for"].details


@pytest.mark.usefixtures("_linkedin")
def test_a_wrong_secret_of_linkedin_is_a_problem(graph: Graph) -> None:
    graph.mock.post(f"{settings.LINKEDIN_OAUTH_URL}/introspectToken", status=401, json={"error": "invalid_client"})
    checks = {check.label: check for check in LINKEDIN.app_checks(live=True)}
    assert checks["App id and secret"].state == State.PROBLEM


@pytest.mark.usefixtures("_linkedin")
def test_linkedin_says_whether_it_renews_and_what_organizations_allow(
    workspace: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    grey = organization_candidate(
        Organization("urn:li:organization:2", "Fair", roles=("ANALYST",), obstacle="No role.")
    )
    good = organization_candidate(Organization("urn:li:organization:1", "Boats", roles=("CONTENT_ADMIN",)))
    monkeypatch.setattr(type(LINKEDIN), "candidates", lambda self, grant: [good, grey])
    grant = linkedin_grant(workspace, owner)
    found = {check.label: check for check in LINKEDIN.checks(grant)}
    assert found["Renewed by itself"].text.startswith("No")
    assert "Your role there lets us: write posts" in found["Boats"].details
    assert "may refuse images" in found["Boats"].text
    assert (found["Fair"].state, found["Fair"].details[-1]) == (State.WARNING, "Your role there lets us: read figures")
    Grant.objects.update(refresh_token="refresh", refresh_expires_at=timezone.now() + timedelta(days=200))
    grant.refresh_from_db()
    assert {check.label: check for check in LINKEDIN.checks(grant)}["Renewed by itself"].text.startswith("Yes, until")


@pytest.mark.parametrize(
    ("fields", "kind", "warned"),
    [
        ({}, "personal key", False),
        ({"refresh_token": "again", "granted_scopes": ["posts:read"]}, "OAuth", True),
        ({"refresh_token": "again", "granted_scopes": ["posts:read", "insights:read"]}, "OAuth", False),
    ],
)
def test_buffer_says_how_it_is_connected_and_what_the_plan_allows(
    workspace: Workspace,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
    kind: str,
    warned: bool,
) -> None:
    grant = Grant.objects.create(
        workspace=workspace, user=owner, provider="buffer", platform_user_id="b1", access_token="key", **fields
    )
    organizations = (BufferOrganization("o1", "Garage", 4, 3, 10), BufferOrganization("o2", "Bakery", 1))
    monkeypatch.setattr(BufferApi, "account", lambda self, token: BufferAccount("b1", organizations=organizations))
    monkeypatch.setattr(
        BufferApi,
        "channels",
        lambda self, token, organization: [
            ChannelFound(f"c-{organization}", organization, "twitter", "x", True, "garage", is_locked=True)
        ],
    )
    found = {check.label: check for check in BUFFER.checks(grant)}
    assert kind in found["Connected by"].text
    assert ("insights:read" in found) is warned
    assert found["Organization Garage"].state == State.WARNING
    assert "4 of 3 channels" in found["Organization Garage"].text
    assert "10 scheduled posts" in found["Organization Garage"].text
    assert found["Organization Bakery"].text == "1 channel."
    assert found["garage"].state == State.WARNING


@pytest.mark.usefixtures("_linkedin")
def test_the_report_of_all_networks_holds_no_secret(
    signed_in: Client, graph: Graph, grant: Grant, workspace: Workspace, owner: User
) -> None:
    linkedin_grant(workspace, owner, refresh_token="refresh-that-nobody-sees")
    Grant.objects.create(
        workspace=workspace,
        user=owner,
        provider="buffer",
        platform_user_id="b1",
        platform_user_name="Bea",
        access_token="buffer-key-that-nobody-sees",
    )
    graph.mock.get(ACLS, status=401, json={"message": f"bad token {LINKEDIN_TOKEN}"})
    echo = {"error": "invalid_client", "error_description": f"{settings.LINKEDIN_CLIENT_SECRET} is wrong"}
    graph.mock.post(f"{settings.LINKEDIN_OAUTH_URL}/introspectToken", status=401, json=echo)
    graph.mock.post(settings.BUFFER_API_URL, status=401, json={"message": "buffer-key-that-nobody-sees is wrong"})
    response = signed_in.post(reverse("accounts:doctor"))
    report = response.context["report"]
    assert "Lena Lind" in report
    assert "    - w_member_social: publish to your profile" in report
    text = report + response.content.decode()
    assert "nobody-sees" not in text
    assert LINKEDIN_TOKEN not in text
