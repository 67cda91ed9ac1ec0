"""Connecting Meta, from the button to the cards, against canned answers of the Graph API."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from celery import current_app
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from accounts.connect import connect_result, consent_hint
from accounts.models import ConnectedAccount, Credential, Grant, Notification, OAuthTicket, Role, User, Workspace
from accounts.notify import tell
from accounts.permissions import permissions_of
from socialhub.platforms.meta import ALL_SCOPES
from socialhub.settings import META_COMMENT_SCOPES
from tests.accounts.conftest import member, sign_in
from tests.accounts.graph import LONG, SHORT, Graph, page, page_token, refusal
from tests.factories import make_account, make_user, workspace_of

pytestmark = pytest.mark.django_db

SOCIAL = reverse("accounts:social")
CALLBACK = "/account/meta/login/callback/"


def press(client: Client, platform: str = "facebook") -> dict[str, str]:
    """Press Connect; returns what the dialog's address carries."""
    response = client.post(reverse("accounts:connect", args=[platform]))
    assert response.status_code == 302, response
    return {name: values[0] for name, values in parse_qs(urlsplit(response["Location"]).query).items()}


def consent(client: Client, platform: str = "facebook", **answer: str) -> str:
    """Go through the dialog; returns where the callback sends the browser."""
    state = press(client, platform)["state"]
    response = client.get(CALLBACK, {"state": state, **(answer or {"code": "the-code"})})
    assert response.status_code == 302
    return str(response["Location"])


def connect(client: Client, *page_ids: str) -> None:
    address = consent(client)
    response = client.post(address, {"account": [f"facebook:{page_id}" for page_id in page_ids]})
    assert response.status_code == 302, response.content
    assert response["Location"] == SOCIAL


# The dialog


def test_the_dialog_gets_what_facebook_and_instagram_need_together(signed_in: Client) -> None:
    response = signed_in.post(reverse("accounts:connect", args=["instagram"]))
    address = urlsplit(response["Location"])
    asked = parse_qs(address.query)

    assert address.path == "/facebook/v26.0/dialog/oauth"
    assert asked["scope"] == [",".join([*ALL_SCOPES, *META_COMMENT_SCOPES.split()])]
    assert asked["redirect_uri"] == [f"http://testserver{CALLBACK}"]
    assert asked["response_type"] == ["code"]
    ticket = OAuthTicket.objects.get()
    assert ticket.product == "instagram"
    assert asked["state"][0] not in ticket.digest
    assert timedelta(minutes=9) < ticket.expires_at - timezone.now() <= timedelta(minutes=10)


def test_nothing_of_the_query_or_the_host_is_honoured(signed_in: Client) -> None:
    query = (
        "?scope=ads_management&auth_params=redirect_uri%3Dhttps://evil.example&next=https://evil.example&process=login"
    )
    response = signed_in.post(
        reverse("accounts:connect", args=["facebook"]) + query, {"scope": "ads_read"}, headers={"host": "evil.example"}
    )
    asked = parse_qs(urlsplit(response["Location"]).query)

    assert asked["redirect_uri"] == [f"http://testserver{CALLBACK}"]
    assert asked["scope"] == [",".join([*ALL_SCOPES, *META_COMMENT_SCOPES.split()])]
    assert "evil" not in response["Location"]


@override_settings(META_EXTRA_SCOPES=())
def test_an_app_without_more_permissions_does_not_ask_for_them(signed_in: Client) -> None:
    assert press(signed_in)["scope"] == ",".join(ALL_SCOPES)


@override_settings(META_CONFIG_ID="777")
def test_a_configuration_takes_the_place_of_the_scopes(signed_in: Client) -> None:
    asked = press(signed_in)
    assert asked["config_id"] == "777"
    assert "scope" not in asked


@override_settings(META_PKCE=True)
def test_pkce_is_carried_through(signed_in: Client, graph: Graph) -> None:
    asked = press(signed_in)
    assert asked["code_challenge_method"] == "S256"
    signed_in.get(CALLBACK, {"state": asked["state"], "code": "the-code"})
    exchange = next(fields for _verb, path, fields in graph.calls if path == "oauth/access_token")
    assert len(exchange["code_verifier"]) > 40


def test_connecting_starts_by_post_only(signed_in: Client) -> None:
    assert signed_in.get(reverse("accounts:connect", args=["facebook"])).status_code == 405


def test_an_unknown_network_is_not_found(signed_in: Client) -> None:
    assert signed_in.post(reverse("accounts:connect", args=["myspace"])).status_code == 404


@override_settings(META_APP_ID="")
def test_a_missing_app_says_so_before_redirecting(signed_in: Client) -> None:
    response = signed_in.post(reverse("accounts:connect", args=["facebook"]), follow=True)
    text = response.content.decode()
    assert response.redirect_chain == [(SOCIAL, 302)]
    assert f"http://testserver{CALLBACK}" in text
    assert "META_APP_ID" in text
    assert not OAuthTicket.objects.exists()


def test_declined_permissions_are_asked_for_again(signed_in: Client, graph: Graph) -> None:
    graph.declined = ["instagram_content_publish"]
    consent(signed_in)
    assert press(signed_in)["auth_type"] == "rerequest"


# Coming back


def test_the_whole_way(signed_in: Client, workspace: Workspace, owner: User, graph: Graph) -> None:
    graph.pages = [page("101", "Classic Motors", "classicmotors"), page("102", "Garage Nord")]
    address = consent(signed_in)
    grant = Grant.objects.get()
    assert address == reverse("accounts:select", args=[grant.pk])
    assert (grant.workspace, grant.user, grant.platform_user_name) == (workspace, owner, "Ada Lovelace")
    assert grant.access_token.reveal() == LONG
    assert grant.expires_at - timezone.now() > timedelta(days=59)

    choice = signed_in.get(address).content.decode()
    assert "Classic Motors" in choice
    assert "@classicmotors" in choice
    assert "No Instagram professional account is linked to this Page." in choice
    assert choice.count("checked") == 2

    response = signed_in.post(address, {"account": ["facebook:101"]}, follow=True)
    assert response.redirect_chain == [(SOCIAL, 302)]
    facebook, instagram = ConnectedAccount.objects.order_by("platform")
    assert (facebook.platform, facebook.platform_account_id, facebook.account_type) == ("facebook", "101", "page")
    assert (instagram.platform, instagram.platform_account_id) == ("instagram", "17101")
    assert (instagram.username, instagram.followers_count, instagram.parent) == ("classicmotors", 88, facebook)
    assert facebook.picture_url == "https://pictures.example/101.jpg"
    assert facebook.missing_scopes == instagram.missing_scopes == []
    for account in (facebook, instagram):
        assert account.is_connected
        assert account.credential.access_token.reveal() == page_token("101")
        assert account.credential.grant == grant
        assert account.connected_by == owner
    text = response.content.decode()
    assert text.count("data-shine") == 2
    assert signed_in.get(SOCIAL).content.decode().count("data-shine") == 0  # once


def test_only_what_was_connected_shines(signed_in: Client, workspace: Workspace, graph: Graph) -> None:
    make_account(workspace, name="Older Page")
    graph.pages = [page("101", "Classic Motors")]
    connect(signed_in, "101")
    text = signed_in.get(SOCIAL).content.decode()
    assert text.count("data-shine") == 1
    assert "Older Page" in text


def test_no_token_lies_open_anywhere_afterwards(signed_in: Client, graph: Graph) -> None:
    connect(signed_in, "101")
    signed_in.get(SOCIAL)
    secrets = [SHORT, LONG, page_token("101"), "the-code"]

    for session in Session.objects.all():
        assert not any(secret in str(session.get_decoded()) for secret in secrets)
    redis = cache._cache.get_client(None)  # type: ignore[attr-defined]
    for key in redis.keys("*"):
        if redis.type(key) == b"string":
            assert not any(secret.encode() in redis.get(key) for secret in secrets)
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')  # noqa: S608  our own tables
            for (row,) in cursor.fetchall():
                assert not any(secret in row or secret.encode().hex() in row for secret in secrets), table


def test_no_page_shows_a_token(signed_in: Client, owner: User, graph: Graph) -> None:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    address = consent(signed_in)
    pages = [
        signed_in.get(address),
        signed_in.post(address, {"account": ["facebook:101"]}, follow=True),
        signed_in.get(SOCIAL),
    ]
    credential, grant = Credential.objects.first(), Grant.objects.get()
    pages += [
        signed_in.get(reverse("admin:accounts_credential_changelist")),
        signed_in.get(reverse("admin:accounts_credential_change", args=[credential.pk])),
        signed_in.get(reverse("admin:accounts_grant_change", args=[grant.pk])),
        signed_in.get(reverse("admin:accounts_connectedaccount_change", args=[credential.pk])),
    ]
    for shown in pages:
        assert shown.status_code == 200
        for secret in (SHORT, LONG, page_token("101")):
            assert secret not in shown.content.decode()


def test_declined_consent_connects_nothing(signed_in: Client, graph: Graph) -> None:
    assert consent(signed_in, error="access_denied", error_description="<b>Evil</b>") == SOCIAL
    text = signed_in.get(SOCIAL).content.decode()
    assert "Consent was not given" in text
    assert "Evil" not in text
    assert not Grant.objects.exists()
    assert graph.calls == []


def test_a_state_is_good_once(signed_in: Client, graph: Graph) -> None:
    state = press(signed_in)["state"]
    signed_in.get(CALLBACK, {"state": state, "code": "the-code"})
    again = signed_in.get(CALLBACK, {"state": state, "code": "other-code"})
    assert again["Location"] == SOCIAL
    assert "not valid any more" in signed_in.get(SOCIAL).content.decode()
    assert graph.paths().count("oauth/access_token") == 2  # the code, and the exchange for a long-lived token


def test_a_state_dies_after_ten_minutes(signed_in: Client, graph: Graph) -> None:
    state = press(signed_in)["state"]
    OAuthTicket.objects.update(expires_at=timezone.now())
    assert signed_in.get(CALLBACK, {"state": state, "code": "x"})["Location"] == SOCIAL
    assert graph.calls == []


@pytest.mark.parametrize("query", [{}, {"state": "made-up", "code": "x"}, {"code": "x"}])
def test_an_unknown_state_is_refused(signed_in: Client, graph: Graph, query: dict[str, str]) -> None:
    assert signed_in.get(CALLBACK, query)["Location"] == SOCIAL
    assert graph.calls == []
    assert not Grant.objects.exists()


def test_a_state_belongs_to_its_person_and_workspace(
    signed_in: Client, signed_in_stranger: Client, owner: User, graph: Graph
) -> None:
    state = press(signed_in)["state"]
    signed_in_stranger.get(CALLBACK, {"state": state, "code": "x"})
    Client().get(CALLBACK, {"state": state, "code": "x"})

    other = Workspace.objects.create(name="Other")
    other.memberships.create(user=owner, role=Role.OWNER)
    signed_in.post(reverse("accounts:workspace_switch"), {"workspace": other.pk})
    signed_in.get(CALLBACK, {"state": state, "code": "x"})

    assert not Grant.objects.exists()
    assert graph.calls == []


def test_somebody_who_lost_the_right_meanwhile_connects_nothing(workspace: Workspace, graph: Graph) -> None:
    person = member(workspace, Role.ADMIN)
    client = sign_in(person)
    state = press(client)["state"]
    person.memberships.update(role=Role.VIEWER)
    client.get(CALLBACK, {"state": state, "code": "x"})
    assert not Grant.objects.exists()


def test_the_callback_takes_no_post(signed_in: Client) -> None:
    state = press(signed_in)["state"]
    assert signed_in.post(CALLBACK, {"state": state, "code": "x"}).status_code == 405


def test_the_callback_without_an_app_is_not_found(signed_in: Client) -> None:
    with override_settings(META_APP_ID=""):
        assert signed_in.get(CALLBACK, {"state": "x", "code": "x"}).status_code == 404


def test_a_failed_exchange_saves_nothing(signed_in: Client, graph: Graph) -> None:
    graph.fail["oauth/access_token"] = refusal(100, message="This authorization code has been used.")
    assert consent(signed_in) == SOCIAL
    text = signed_in.get(SOCIAL).content.decode()
    assert "too old or was already used" in text
    assert "This authorization code has been used." in text
    assert not Grant.objects.exists()


def test_a_network_that_is_down_saves_nothing(signed_in: Client, graph: Graph) -> None:
    graph.fail["me/permissions"] = 500, {}
    assert consent(signed_in) == SOCIAL
    assert not Grant.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_four_parallel_callbacks_one_passes(graph: Graph) -> None:
    owner = make_user()
    client = sign_in(owner)
    state = press(client)["state"]
    cookie = client.cookies["sessionid"].value
    barrier, locations = threading.Barrier(4), []

    def come_back() -> None:
        browser = Client()
        browser.cookies["sessionid"] = cookie
        barrier.wait()
        try:
            locations.append(browser.get(CALLBACK, {"state": state, "code": "the-code"})["Location"])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=come_back) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(locations) == 4
    assert sum(location != SOCIAL for location in locations) == 1
    exchanges = [f for _v, path, f in graph.calls if path == "oauth/access_token" and "code" in f]
    assert len(exchanges) == 1


# Choosing


def test_no_pages_is_told_on_the_accounts_page(signed_in: Client, graph: Graph) -> None:
    graph.pages = []
    response = signed_in.get(consent(signed_in), follow=True)
    assert "Facebook shows no Page that you manage" in response.content.decode()
    assert not Grant.objects.exists()
    assert not ConnectedAccount.objects.exists()


def test_choosing_nothing_is_said_beside_the_list(signed_in: Client, graph: Graph) -> None:
    response = signed_in.post(consent(signed_in), {"account": []})
    assert response.status_code == 422
    assert "Choose at least one account." in response.content.decode()
    assert not ConnectedAccount.objects.exists()


def test_what_was_ticked_stays_ticked(signed_in: Client, graph: Graph) -> None:
    graph.pages = [page("101", "One"), page("102", "Two"), page("103", "Three")]
    response = signed_in.post(consent(signed_in), {"account": ["facebook:102", "facebook:999"]})
    assert response.status_code == 422
    text = response.content.decode()
    assert text.count("checked") == 1
    assert 'value="facebook:102" checked' in text


def test_a_page_without_the_right_cannot_be_connected(signed_in: Client, graph: Graph) -> None:
    graph.pages = [page("101", "Mine"), page("102", "Theirs", tasks=["ANALYZE"])]
    address = consent(signed_in)
    text = signed_in.get(address).content.decode()
    assert "Your role on this Page does not let you publish" in text
    assert 'value="facebook:102" disabled' in text
    assert signed_in.post(address, {"account": ["facebook:101", "facebook:102"]}).status_code == 422
    assert not ConnectedAccount.objects.exists()


def test_a_hundred_and_thirty_pages(signed_in: Client, graph: Graph, django_assert_max_num_queries) -> None:
    graph.pages = [page(str(1000 + n), f"Page {n}", f"handle{n}") for n in range(130)]
    address = consent(signed_in)
    with django_assert_max_num_queries(10):
        text = signed_in.get(address).content.decode()
    assert text.count('type="checkbox" name="account"') == 130
    assert "data-choose-filter" in text
    connect_ids = [str(1000 + n) for n in range(130)]
    assert signed_in.post(address, {"account": [f"facebook:{page_id}" for page_id in connect_ids]}).status_code == 302
    assert ConnectedAccount.objects.count() == 260
    with django_assert_max_num_queries(12):
        assert signed_in.get(SOCIAL).status_code == 200


def test_the_choice_survives_a_moment_of_trouble(signed_in: Client, graph: Graph) -> None:
    address = consent(signed_in)
    graph.fail["me/accounts"] = 500, {}
    text = signed_in.get(address).content.decode()
    assert "Look again" in text
    graph.fail.clear()
    assert "Classic Motors" in signed_in.get(address).content.decode()


def test_a_consent_that_ran_out_leads_back(signed_in: Client, graph: Graph) -> None:
    address = consent(signed_in)
    graph.fail["me/accounts"] = refusal(190, 463, "Session has expired")
    response = signed_in.get(address, follow=True)
    assert response.redirect_chain == [(SOCIAL, 302)]
    assert "Session has expired" in response.content.decode()


def test_the_choice_is_for_its_person_only(
    signed_in: Client, signed_in_stranger: Client, admin_member: Client, viewer: Client, graph: Graph
) -> None:
    address = consent(signed_in)
    assert signed_in_stranger.get(address).status_code == 404
    assert admin_member.post(address, {"account": ["facebook:101"]}).status_code == 404
    assert viewer.get(address).status_code == 403


# Writing


def test_connecting_again_renews_and_doubles_nothing(signed_in: Client, workspace: Workspace, graph: Graph) -> None:
    connect(signed_in, "101")
    account = ConnectedAccount.objects.get(platform="facebook")
    ConnectedAccount.objects.update(status="expired", status_reason="Old trouble", paused_at=timezone.now())
    incident = tell(
        workspace, Notification.Kind.RECONNECT, f"reconnect:{account.pk}", title="Reconnect", account=account
    )
    graph.pages = [
        page(
            "101", "Classic Motors Berlin", "classicmotors", followers_count=None, access_token="EAAnewtoken" + "1" * 20
        )
    ]
    connect(signed_in, "101")

    assert ConnectedAccount.objects.count() == 2
    assert Grant.objects.count() == 1
    account.refresh_from_db()
    assert (account.status, account.status_reason, account.name) == ("connected", "", "Classic Motors Berlin")
    assert account.followers_count == 1204  # not told this time
    assert account.is_paused  # a person paused it; reconnecting does not resume
    assert Credential.objects.get(account=account).access_token.reveal() == "EAAnewtoken" + "1" * 20
    incident.refresh_from_db()
    assert incident.resolved_at


def test_a_disconnected_account_comes_back_with_its_history(signed_in: Client, graph: Graph) -> None:
    connect(signed_in, "101")
    account = ConnectedAccount.objects.get(platform="facebook")
    signed_in.post(reverse("accounts:pause", args=[account.pk]), {"reason": "Holiday"})
    signed_in.post(reverse("accounts:disconnect", args=[account.pk]))
    connect(signed_in, "101")
    again = ConnectedAccount.objects.get(platform="facebook")
    assert again.pk == account.pk
    assert again.is_connected
    assert again.disconnected_at is None
    assert not again.is_paused


def test_another_workspace_is_left_alone(signed_in: Client, stranger: User, graph: Graph) -> None:
    theirs = make_account(workspace_of(stranger), platform_account_id="101", name="Theirs", token="their-token")
    connect(signed_in, "101")
    theirs.refresh_from_db()
    assert theirs.name == "Theirs"
    assert theirs.credential.access_token.reveal() == "their-token"
    assert ConnectedAccount.objects.filter(platform_account_id="101").count() == 2


def test_missing_permissions_are_listed(signed_in: Client, graph: Graph) -> None:
    graph.granted = ["pages_show_list", "pages_read_engagement", "pages_manage_posts"]
    connect(signed_in, "101")
    facebook, instagram = ConnectedAccount.objects.order_by("platform")
    assert facebook.missing_scopes == ["read_insights"]
    assert "instagram_content_publish" in instagram.missing_scopes
    assert "Press Reconnect and allow everything." in signed_in.get(SOCIAL).content.decode()


def test_the_result_for_the_api(signed_in: Client, graph: Graph) -> None:
    graph.pages = [page("101", "Classic Motors")]
    connect(signed_in, "101")
    account = ConnectedAccount.objects.get()
    assert connect_result([account]) == {
        "success": True,
        "facebook": {
            "connected": True,
            "accountId": str(account.pk),
            "accountName": "Classic Motors",
            "username": "classicmotors",
            "profilePicture": "https://pictures.example/101.jpg",
        },
        "instagram": {"connected": False, "reason": "No Instagram business account linked"},
    }
    assert connect_result([])["success"] is False


# Guidance and re-check


def test_the_guidance_opens_where_instagram_did_not_come_along(signed_in: Client, graph: Graph) -> None:
    graph.pages = [page("101", "Classic Motors")]
    connect(signed_in, "101")
    text = signed_in.get(SOCIAL).content.decode()
    assert 'id="guidance" aria-labelledby="guidance-title" data-dialog-auto' in text
    assert "Switch to professional account" in text
    assert "instagram_content_publish" in text
    assert "data-dialog-auto" not in signed_in.get(SOCIAL).content.decode()  # unasked once, later by its button


def test_the_guidance_stays_closed_where_instagram_came_along(signed_in: Client, graph: Graph) -> None:
    connect(signed_in, "101")
    assert "data-dialog-auto" not in signed_in.get(SOCIAL).content.decode()


def test_guidance_as_page_and_fragment(
    signed_in: Client, viewer: Client, signed_in_stranger: Client, workspace: Workspace
) -> None:
    address = reverse("accounts:guidance", args=[make_account(workspace).pk])
    assert "<html" in signed_in.get(address).content.decode()
    fragment = signed_in.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "Re-check now" in fragment
    assert viewer.get(address).status_code == 403
    assert signed_in_stranger.get(address).status_code == 404


def test_recheck_still_without_instagram(signed_in: Client, graph: Graph) -> None:
    graph.pages = [page("101", "Classic Motors")]
    connect(signed_in, "101")
    account = ConnectedAccount.objects.get()
    response = signed_in.post(reverse("accounts:recheck", args=[account.pk]), headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert "Facebook still shows no Instagram account" in response.content.decode()
    assert "HX-Retarget" not in response


def test_recheck_finds_the_new_link_in_place(signed_in: Client, graph: Graph) -> None:
    graph.pages = [page("101", "Classic Motors")]
    connect(signed_in, "101")
    signed_in.get(SOCIAL)
    graph.pages = [page("101", "Classic Motors", "classicmotors")]
    account = ConnectedAccount.objects.get()
    response = signed_in.post(reverse("accounts:recheck", args=[account.pk]), headers={"HX-Request": "true"})
    assert response["HX-Retarget"] == "#social-accounts"
    text = response.content.decode()
    assert "@classicmotors" in text
    assert text.count("data-shine") == 1
    assert ConnectedAccount.objects.get(platform="instagram").parent == account


def test_recheck_without_a_browser_script(signed_in: Client, graph: Graph) -> None:
    connect(signed_in, "101")
    account = ConnectedAccount.objects.get(platform="facebook")
    assert signed_in.post(reverse("accounts:recheck", args=[account.pk]))["Location"] == SOCIAL


def test_recheck_without_a_consent_says_what_to_do(signed_in: Client, workspace: Workspace) -> None:
    account = make_account(workspace)
    response = signed_in.post(reverse("accounts:recheck", args=[account.pk]), headers={"HX-Request": "true"})
    assert "Press Reconnect" in response.content.decode()


# Disconnecting


def test_disconnecting_deletes_the_token_and_keeps_the_row(signed_in: Client, graph: Graph) -> None:
    connect(signed_in, "101")
    account = ConnectedAccount.objects.get(platform="facebook")
    response = signed_in.post(reverse("accounts:disconnect", args=[account.pk]))
    assert response["Location"] == SOCIAL
    account.refresh_from_db()
    assert account.status == "disconnected"
    assert account.disconnected_at
    assert not Credential.objects.filter(account=account).exists()
    # Instagram still lives from the same consent.
    assert Grant.objects.exists()
    assert graph.paths("DELETE") == []


def test_the_last_account_takes_the_consent_with_it(signed_in: Client, graph: Graph) -> None:
    connect(signed_in, "101")
    for account in ConnectedAccount.objects.all():
        signed_in.post(reverse("accounts:disconnect", args=[account.pk]))
    assert graph.paths("DELETE") == ["me/permissions"]
    assert not Grant.objects.exists()
    assert "data-network-connect" in signed_in.get(SOCIAL).content.decode()


def test_a_consent_that_another_workspace_uses_is_not_revoked(
    signed_in: Client, signed_in_stranger: Client, workspace: Workspace, graph: Graph
) -> None:
    connect(signed_in, "101")
    connect(signed_in_stranger, "101")
    for account in ConnectedAccount.objects.of(workspace):
        signed_in.post(reverse("accounts:disconnect", args=[account.pk]))
    assert graph.paths("DELETE") == []
    assert Grant.objects.count() == 1


def test_a_revoke_that_fails_does_not_keep_the_account(signed_in: Client, graph: Graph) -> None:
    graph.pages = [page("101", "Classic Motors")]
    connect(signed_in, "101")
    graph.fail["me/permissions"] = 500, {}
    signed_in.post(reverse("accounts:disconnect", args=[ConnectedAccount.objects.get().pk]))
    assert ConnectedAccount.objects.get().status == "disconnected"
    assert not Grant.objects.exists()


def test_a_new_connection_is_synced_at_once_and_what_waited_for_it_goes_out(
    signed_in: Client,
    graph: Graph,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    graph.pages = [page("101", "Classic Motors")]
    sent: list[str] = []
    monkeypatch.setattr("accounts.wake.current_app.send_task", lambda name, **options: sent.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        connect(signed_in, "101")
    assert sent == ["accounts.tasks.fetch_picture", "analytics.tasks.sync_accounts", "publishing.tasks.sweep"]
    current_app.loader.import_default_modules()
    assert set(sent) <= set(current_app.tasks)


def test_accounts_that_need_somebody_come_first(signed_in: Client, workspace: Workspace) -> None:
    make_account(workspace, name="Aardvark Garage")
    make_account(workspace, name="Zebra Garage", status="expired")
    page = signed_in.get(SOCIAL).content.decode()
    assert page.index("Zebra Garage</h3>") < page.index("Aardvark Garage</h3>")


def test_a_card_says_what_each_permission_is_for_and_what_became_of_it(
    signed_in: Client, workspace: Workspace, owner: User, django_assert_max_num_queries: Any
) -> None:
    grant = Grant.objects.create(
        workspace=workspace,
        user=owner,
        provider="meta",
        platform_user_id="9001",
        access_token="EAAuser",
        declined_scopes=["read_insights", "email"],
    )
    for _ in range(4):
        account = make_account(
            workspace,
            token=None,
            granted_scopes=["pages_show_list", "pages_read_engagement"],
            missing_scopes=["pages_manage_posts", "read_insights"],
        )
        Credential.objects.create(account=account, grant=grant, access_token="EAApage")
    found = {row.name: row for row in permissions_of(ConnectedAccount.objects.get(pk=account.pk))}
    assert [row.state for row in found.values()] == ["missing", "declined", "declined", "granted", "granted"]
    assert (found["read_insights"].is_needed, found["email"].is_needed) == (True, False)
    assert found["pages_manage_posts"].purpose == "publish to your Pages"
    with django_assert_max_num_queries(12):
        text = signed_in.get(reverse("accounts:social")).content.decode()
    assert text.count("publish to your Pages") == 4


def test_from_day_80_the_card_asks_for_a_new_consent_and_the_dialog_is_told(
    signed_in: Client, workspace: Workspace, owner: User
) -> None:
    for days, platform in ((11, "instagram"), (9, "instagram"), (9, "facebook")):
        make_account(workspace, platform=platform, data_access_expires_at=timezone.now() + timedelta(days=days))
    assert signed_in.get(reverse("accounts:social")).content.decode().count("Facebook lets us see this account") == 1
    grant = Grant.objects.create(
        workspace=workspace, user=owner, provider="meta", platform_user_id="9001", access_token="EAAuser"
    )
    for days, hint in ((11, ""), (9, "reauthorize"), (-1, "reauthorize")):
        Grant.objects.filter(pk=grant.pk).update(data_access_expires_at=timezone.now() + timedelta(days=days))
        assert consent_hint(workspace, owner, "meta") == hint
