"""Permissions that a person gave for some accounts only, or that Meta took back: known for each account."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.connect import consent_hint
from accounts.models import ConnectedAccount, Credential, Grant, User, Workspace
from accounts.permissions import permissions_of, tasks_of
from accounts.providers import META
from accounts.providers.base import scopes_on
from accounts.verify import verify
from socialhub.platforms.meta import ALL_SCOPES
from tests.accounts.graph import LONG, Graph, page, page_token, refusal
from tests.accounts.test_connect import connect
from tests.factories import make_account

pytestmark = pytest.mark.django_db


def account_of(platform: str, account_id: str) -> ConnectedAccount:
    return ConnectedAccount.objects.select_related("credential__grant", "parent").get(
        platform=platform, platform_account_id=account_id
    )


def states(account: ConnectedAccount) -> dict[str, str]:
    return {row.name: row.state for row in permissions_of(account)}


@pytest.mark.parametrize(
    ("name", "targets", "holds"),
    [
        ("pages_manage_posts", ["101"], True),
        ("pages_manage_posts", ["102", "17101"], True),
        ("pages_manage_posts", ["102"], False),
        ("pages_manage_posts", [], True),
        ("business_management", ["700"], True),
        ("read_insights", ["102"], False),
    ],
)
def test_a_permission_holds_where_it_names_the_account_or_none(name: str, targets: list[str], holds: bool) -> None:
    assert scopes_on([name], {name: targets}, {"101", "17101"}) == [name] * holds


def test_each_account_gets_the_permissions_that_were_given_for_it(signed_in: Client, graph: Graph) -> None:
    graph.pages = [page("101", "Classic Motors", "classicmotors"), page("102", "Second Garage", "second")]
    graph.granular = {
        "pages_show_list": ["101", "102"],
        "pages_manage_posts": ["101"],
        "instagram_content_publish": ["17102"],
        "business_management": ["700"],
    }
    connect(signed_in, "101", "102")
    grant = Grant.objects.get()
    assert grant.granular_scopes == graph.granular
    missing = {
        (account.platform, account.platform_account_id): account.missing_scopes
        for account in ConnectedAccount.objects.all()
    }
    assert missing == {
        ("facebook", "101"): [],
        ("facebook", "102"): ["pages_manage_posts"],
        ("instagram", "17101"): ["instagram_content_publish"],
        ("instagram", "17102"): [],
    }
    assert states(account_of("facebook", "102"))["pages_manage_posts"] == "elsewhere"
    assert states(account_of("facebook", "101"))["business_management"] == "granted"
    text = signed_in.get(reverse("accounts:social")).content.decode()
    assert text.count("given for other accounts only") == 2


def test_the_choice_says_what_a_page_was_not_given(signed_in: Client, graph: Graph, workspace: Workspace) -> None:
    graph.pages = [page("101", "Classic Motors"), page("102", "Second Garage"), page("103", "Third Garage", "third")]
    graph.granular = {"pages_manage_posts": ["101", "103"], "instagram_basic": ["17999"]}
    connect(signed_in, "101")
    remarks = {candidate.name: candidate.remark for candidate in META.candidates(Grant.objects.get())}
    assert not remarks["Classic Motors"], "no Instagram account is linked that anything could be missing for"
    assert "pages_manage_posts" in remarks["Second Garage"]
    assert "instagram_basic" not in remarks["Second Garage"]
    assert "instagram_basic" in remarks["Third Garage"]


def test_the_daily_look_reads_what_has_changed_for_one_account(signed_in: Client, graph: Graph) -> None:
    graph.pages = [page("101", "Classic Motors", "classicmotors"), page("102", "Second Garage")]
    connect(signed_in, "101", "102")
    consented = Grant.objects.get().updated_at
    graph.granular = {"pages_manage_posts": ["102"], "instagram_basic": ["17999"]}
    for platform, account_id in (("facebook", "101"), ("facebook", "102"), ("instagram", "17101")):
        verify(account_of(platform, account_id))
    assert account_of("facebook", "101").missing_scopes == ["pages_manage_posts"]
    assert account_of("facebook", "102").missing_scopes == []
    assert account_of("instagram", "17101").missing_scopes == ["instagram_basic"]
    grant = Grant.objects.get()
    assert grant.granular_scopes == graph.granular
    assert grant.updated_at == consented, "that is when the person consented"
    graph.granular = {}
    verify(account_of("facebook", "101"))
    assert account_of("facebook", "101").missing_scopes == []
    assert Grant.objects.get().granular_scopes == {}


def test_a_permission_that_lapsed_is_a_state_of_its_own(
    signed_in: Client, graph: Graph, workspace: Workspace, owner: User
) -> None:
    connect(signed_in, "101")
    assert consent_hint(workspace, owner, "meta") == ""
    graph.lapsed = ["read_insights"]  # the token may still name it
    verify(account_of("facebook", "101"))
    account = account_of("facebook", "101")
    assert account.credential.grant
    assert (account.missing_scopes, account.credential.grant.lapsed_scopes) == (["read_insights"], ["read_insights"])
    assert states(account)["read_insights"] == "lapsed"
    assert "not used for 90 days" in signed_in.get(reverse("accounts:social")).content.decode()
    assert consent_hint(workspace, owner, "meta") == "rerequest"


@pytest.mark.parametrize("trouble", ["expired", "refused"])
def test_a_page_outlives_the_token_of_the_person(workspace: Workspace, owner: User, graph: Graph, trouble: str) -> None:
    grant = Grant.objects.create(
        workspace=workspace,
        user=owner,
        provider="meta",
        platform_user_id="9001",
        access_token=LONG,
        granted_scopes=list(ALL_SCOPES),
        expires_at=timezone.now() - timedelta(days=1) if trouble == "expired" else None,
    )
    account = make_account(workspace, platform_account_id="101", token=None)
    Credential.objects.create(account=account, grant=grant, access_token=page_token("101"))
    graph.fail["me/permissions"] = refusal(190, 463)
    verify(account_of("facebook", "101"))
    account.refresh_from_db()
    assert (account.status, account.missing_scopes) == ("connected", [])
    assert ("me/permissions" in graph.paths()) is (trouble == "refused")


def test_the_role_on_a_page_is_told_in_words(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace, tasks=["PROFILE_PLUS_CREATE_CONTENT", "CREATE_CONTENT", "ANALYZE", "NEW_THING"])
    assert tasks_of(account) == ["write posts", "read figures", "new thing"]
    assert "write posts, read figures, new thing" in signed_in.get(reverse("accounts:social")).content.decode()
