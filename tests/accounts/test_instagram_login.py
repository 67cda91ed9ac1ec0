"""Connecting Instagram without a Page, from the button to published posts and renewed access, at a running sandbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from accounts.connect import CONNECTABLE, connect_result, entry_for
from accounts.expiry import end_of_grant, remind
from accounts.models import ConnectedAccount, Credential, Grant, Notification, OAuthTicket, User, Workspace
from accounts.permissions import permissions_of
from accounts.renew import State, renew_now, usable_token
from accounts.tokens import access_for
from accounts.usage import held_until, note, note_instagram
from accounts.verify import verify
from analytics import sync
from analytics.ingest import posts as ingest_posts
from publishing.claims import release_held
from publishing.media import store_upload
from publishing.models import PostMedia, Publication, QueueEntry, Status
from publishing.schedule import publish_now
from socialhub.platforms.base import PostType
from socialhub.platforms.errors import ReconnectError
from socialhub.platforms.http import AccountUsage, Usage
from tests.accounts import hub
from tests.accounts.conftest import sign_in
from tests.accounts.hub import SOCIAL, choose, come_back, press, told
from tests.factories import make_post, make_user
from tests.publishing.conftest import run_due
from tests.publishing.pictures import photo
from tests.sandbox_process import Sandbox, sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db, pytest.mark.processes]

ENTRY = "instagram_login"
INES, PETRA = "17841400000900001", "17841400000900002"
INSIGHTS = "instagram_business_manage_insights"


@pytest.fixture
def network(sandbox: Sandbox, settings: Any) -> Sandbox:
    return hub.use(settings, sandbox)


def consent(client: Client, network: Sandbox, person: str = "ines.ink", **answer: Any) -> str:
    """Through the dialog; the address of the choice."""
    return come_back(client, network.instagram_consent(press(client, ENTRY), person, **answer))


def connect(client: Client, network: Sandbox, person: str = "ines.ink", **answer: Any) -> ConnectedAccount:
    account_id = network.instagram(person).account_id
    choose(client, consent(client, network, person, **answer), f"instagram:{account_id}")
    return ConnectedAccount.objects.select_related("credential__grant").get(platform_account_id=account_id)


def through_page(client: Client, network: Sandbox) -> ConnectedAccount:
    """Gina's Page with its Instagram account."""
    page_id = network.person("gina").page.id
    choose(client, come_back(client, network.consent(press(client, "instagram"))), f"facebook:{page_id}")
    return ConnectedAccount.objects.select_related("credential__grant").get(platform="instagram")


# The way there and back


def test_the_dialog_gets_a_fixed_request(signed_in: Client, network: Sandbox, settings: Any) -> None:
    response = signed_in.post(
        reverse("accounts:connect", args=[ENTRY]) + "?scope=everything&auth_params=redirect_uri%3Dhttps://evil",
        headers={"host": "evil.example"},
    )
    parts = urlsplit(response["Location"])
    asked = parse_qs(parts.query)
    assert parts.path == "/instagram/dialog/oauth/authorize"
    assert asked["scope"] == [",".join(settings.INSTAGRAM_SCOPES)]
    assert asked["redirect_uri"] == [f"{hub.HERE}/account/instagram/login/callback/"]
    assert set(asked) == {"client_id", "redirect_uri", "response_type", "state", "scope"}, "no proof key"
    assert asked["client_id"] == [settings.INSTAGRAM_APP_ID] != [settings.META_APP_ID]
    assert "evil" not in response["Location"]
    ticket = OAuthTicket.objects.get()
    assert (ticket.provider, ticket.product) == (ENTRY, ENTRY)


def test_the_whole_way(signed_in: Client, workspace: Workspace, network: Sandbox) -> None:
    address = consent(signed_in, network)
    grant = Grant.objects.get()
    assert (grant.provider, grant.platform_user_name) == (ENTRY, "ines.ink")
    assert grant.platform_user_id == network.instagram().scoped_id
    assert timedelta(days=59) < grant.expires_at - timezone.now() <= timedelta(days=60)
    assert timezone.now() - grant.issued_at < timedelta(minutes=1)
    assert (grant.refresh_token, grant.declined_scopes) == (None, [])
    (row,) = signed_in.get(address).context["rows"]
    assert row["candidate"].key == f"instagram:{INES}"
    assert row["candidate"].followers_count >= 5310

    (account,) = choose(signed_in, address, f"instagram:{INES}")
    assert (account.workspace, account.platform, account.login_kind) == (workspace, "instagram", ENTRY)
    assert (account.name, account.username, account.account_type) == ("Ines Ink", "ines.ink", "professional")
    assert account.missing_scopes == []
    assert account.parent is None
    assert account.token_expires_at is None, "it is renewed by itself"
    assert account.credential.access_token is None
    assert access_for(account).token == grant.access_token.reveal()
    page = signed_in.get(SOCIAL).content.decode()
    assert "Instagram (without a Page)" in page
    assert page.count("data-shine") == 1
    answer = connect_result([account], ENTRY)
    assert (answer["success"], answer["instagram"]["accountName"]) == (True, "Ines Ink")
    assert set(answer) == {"success", "instagram"}


def test_a_second_account_is_asked_for_by_signing_in_again(signed_in: Client, network: Sandbox) -> None:
    """Instagram would take the one that is signed in there once more."""
    connect(signed_in, network)
    assert parse_qs(urlsplit(press(signed_in, ENTRY)).query)["force_reauth"] == ["true"]
    connect(signed_in, network, "camarogarage")
    assert ConnectedAccount.objects.filter(login_kind=ENTRY, status="connected").count() == 2


def test_a_personal_account_is_told_what_to_do(signed_in: Client, network: Sandbox) -> None:
    address = consent(signed_in, network, "petra.private")
    page = signed_in.get(address).content.decode()
    assert "Switch to professional account" in page
    assert signed_in.post(address, {"account": [f"instagram:{PETRA}"]}).status_code == 422
    assert not ConnectedAccount.objects.exists()
    network.instagram_account("petra.private", "BUSINESS")
    assert [account.username for account in choose(signed_in, address, f"instagram:{PETRA}")] == ["petra.private"]


def test_what_is_declined_is_missing_under_its_own_name(signed_in: Client, network: Sandbox) -> None:
    account = connect(signed_in, network, declined=(INSIGHTS,))
    assert account.missing_scopes == [INSIGHTS]
    states = {permission.name: permission.state for permission in permissions_of(account)}
    assert states[INSIGHTS] == "declined"
    assert states["instagram_business_basic"] == "granted"
    assert not [name for name in states if name.startswith(("pages_", "instagram_basic"))]
    assert all(permission.purpose for permission in permissions_of(account))


def test_a_no_at_instagram(signed_in: Client, network: Sandbox) -> None:
    assert consent(signed_in, network, cancel=True) == SOCIAL
    assert "Consent was not given at Instagram" in told(signed_in)
    assert not Grant.objects.exists()


def test_what_went_wrong_stands_at_its_own_entry(signed_in: Client, network: Sandbox) -> None:
    consent(signed_in, network, cancel=True)
    page = signed_in.get(SOCIAL).content.decode()
    own = page.index('id="network-instagram_login"')
    assert page.index("Consent was not given at Instagram") > own > page.index('id="network-instagram"')


def test_a_state_is_good_once_and_for_its_person(signed_in: Client, network: Sandbox) -> None:
    back = network.instagram_consent(press(signed_in, ENTRY))
    assert come_back(sign_in(make_user()), back) == SOCIAL
    assert not Grant.objects.exists()
    assert "select" in come_back(signed_in, back)
    asked = network.calls()["POST instagram.token"]
    assert come_back(signed_in, back) == SOCIAL
    assert "not valid any more" in signed_in.get(SOCIAL).content.decode()
    assert (Grant.objects.count(), network.calls()["POST instagram.token"]) == (1, asked)


def test_a_state_runs_out_after_ten_minutes(signed_in: Client, network: Sandbox) -> None:
    back = network.instagram_consent(press(signed_in, ENTRY))
    OAuthTicket.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert come_back(signed_in, back) == SOCIAL
    assert "not valid any more" in signed_in.get(SOCIAL).content.decode()
    assert not Grant.objects.exists()
    assert "POST instagram.token" not in network.calls()


def test_a_state_of_one_login_is_not_good_for_the_other(signed_in: Client, network: Sandbox) -> None:
    back = network.instagram_consent(press(signed_in, ENTRY))
    assert come_back(signed_in, back.replace("/instagram/login/", "/meta/login/")) == SOCIAL
    assert not Grant.objects.exists()


@pytest.mark.parametrize("edge", ["instagram.token", "instagram.exchange", "node"])
def test_trouble_on_the_way_connects_nothing(signed_in: Client, network: Sandbox, edge: str) -> None:
    back = network.instagram_consent(press(signed_in, ENTRY))
    network.fault("error_before", edge=edge)
    assert come_back(signed_in, back) == SOCIAL
    assert "has trouble" in told(signed_in)
    assert not Grant.objects.exists()


def test_without_an_app_the_button_says_what_is_missing(signed_in: Client, settings: Any) -> None:
    settings.INSTAGRAM_APP_ID = ""
    assert signed_in.post(reverse("accounts:connect", args=[ENTRY]))["Location"] == SOCIAL
    page = signed_in.get(SOCIAL).content.decode()
    assert "INSTAGRAM_APP_SECRET" in page
    assert "http://testserver/account/instagram/login/callback/" in page
    assert signed_in.get("/account/instagram/login/callback/").status_code == 404


def test_viewers_and_strangers(signed_in: Client, viewer: Client, signed_in_stranger: Client, network: Sandbox) -> None:
    assert viewer.post(reverse("accounts:connect", args=[ENTRY])).status_code == 403
    address = consent(signed_in, network)
    assert viewer.get(address).status_code == 403
    assert signed_in_stranger.get(address).status_code == 404
    (account,) = choose(signed_in, address, f"instagram:{INES}")
    # The guidance is about Pages.
    assert signed_in.get(reverse("accounts:guidance", args=[account.pk])).status_code == 404
    assert signed_in.post(reverse("accounts:recheck", args=[account.pk])).status_code == 404


def test_no_token_lies_open(signed_in: Client, network: Sandbox) -> None:
    connect(signed_in, network)
    (token,) = hub.tokens()
    assert token.startswith("IGAA")
    seen = hub.dump() + signed_in.get(SOCIAL).content.decode()
    assert "Ines Ink" in seen
    assert token not in seen


# Both ways to one account


def test_connected_both_ways_it_is_one_row_and_the_later_way_counts(signed_in: Client, network: Sandbox) -> None:
    before = through_page(signed_in, network)
    assert (before.login_kind, before.credential.grant.provider) == ("meta", "meta")
    direct = connect(signed_in, network, "camarogarage")
    assert direct.pk == before.pk
    assert ConnectedAccount.objects.filter(platform="instagram").count() == 1
    assert Credential.objects.filter(account__platform="instagram").count() == 1
    assert (direct.login_kind, direct.credential.grant.provider) == (ENTRY, ENTRY)
    assert direct.credential.access_token is None, "the Page's token is gone from it"
    assert all(scope.startswith("instagram_business_") for scope in direct.granted_scopes)
    assert (direct.missing_scopes, direct.data_access_expires_at) == ([], None)
    assert direct.parent == before.parent, "the Page still has its Instagram account"
    verify(direct)

    page = ConnectedAccount.objects.select_related("credential__grant").get(platform="facebook")
    verify(page)
    again = through_page(signed_in, network)
    assert (again.pk, again.login_kind) == (before.pk, "meta")
    assert again.credential.access_token.reveal().startswith("EAAS")
    assert "instagram_basic" in again.granted_scopes
    assert ConnectedAccount.objects.count() == 2
    verify(again)


def test_it_stands_under_the_entry_it_was_connected_with(signed_in: Client, network: Sandbox) -> None:
    def entries() -> dict[str, int]:
        page = signed_in.get(SOCIAL).content.decode()
        starts = {key: page.index(f'id="network-{key}"') for key in ("instagram", ENTRY)}
        card = page.index(f"account-name-{ConnectedAccount.objects.get(platform='instagram').pk}")
        return {key: card - start for key, start in starts.items()}

    through_page(signed_in, network)
    assert entries()[ENTRY] < 0 < entries()["instagram"]
    connect(signed_in, network, "camarogarage")
    assert entries()[ENTRY] > 0


def test_each_entry_has_permissions_of_its_own() -> None:
    direct, usual = CONNECTABLE[ENTRY], CONNECTABLE["instagram"]
    assert (direct.platform, usual.platform, direct.label) == ("instagram", "instagram", usual.label)
    assert (direct.title, usual.title) == ("Instagram (without a Page)", "Instagram")
    assert not set(direct.scopes) & set(usual.scopes)
    assert entry_for("instagram", ENTRY) is direct
    assert entry_for("instagram", "meta") is usual
    assert entry_for("facebook", ENTRY) is CONNECTABLE["facebook"]
    assert entry_for("x", "buffer") is CONNECTABLE["x"]


# Living with it


def test_checking_reads_the_profile_with_its_own_token(signed_in: Client, network: Sandbox) -> None:
    account = connect(signed_in, network)
    ConnectedAccount.objects.update(followers_count=1, last_verified_at=None)
    account.refresh_from_db()
    verify(account)
    account.refresh_from_db()
    assert account.followers_count >= 5310
    assert account.last_verified_at
    assert "instagram_business_basic" in account.granted_scopes, "Instagram does not say; what is known stays"


def test_an_account_that_became_personal_is_asked_back(signed_in: Client, network: Sandbox) -> None:
    account = connect(signed_in, network)
    network.instagram_account("ines.ink", "PERSONAL")
    with pytest.raises(ReconnectError, match="personal account"):
        verify(account)
    account.refresh_from_db()
    assert account.needs_reconnect
    assert "Switch to professional account" in account.status_reason


def test_a_token_of_another_account_is_noticed(signed_in: Client, network: Sandbox) -> None:
    account = connect(signed_in, network)
    Grant.objects.update(access_token=network.instagram("camarogarage").access_token)
    account = ConnectedAccount.objects.select_related("credential__grant").get(pk=account.pk)
    with pytest.raises(ReconnectError, match="another Instagram account"):
        verify(account)


def test_taken_back_at_instagram_and_connected_again(signed_in: Client, network: Sandbox) -> None:
    before = connect(signed_in, network)
    network.switch("instagram", "ines.ink", "revoke")
    with pytest.raises(ReconnectError):
        verify(before)
    before.refresh_from_db()
    assert before.status == "revoked"
    assert Notification.objects.filter(account=before, resolved_at=None).count() == 1
    after = connect(signed_in, network)
    assert (after.pk, after.status, after.status_reason) == (before.pk, "connected", "")
    assert Grant.objects.count() == 1
    assert not Notification.objects.filter(resolved_at=None).exists()
    verify(after)


def test_a_blip_changes_nothing(signed_in: Client, network: Sandbox) -> None:
    account = connect(signed_in, network)
    network.fault("error_before", edge="node")
    signed_in.post(reverse("accounts:verify", args=[account.pk]))
    account.refresh_from_db()
    assert account.status == "connected"


def test_disconnecting_deletes_the_token_and_says_what_instagram_does_not_know(
    signed_in: Client, network: Sandbox
) -> None:
    account = connect(signed_in, network)
    asked = signed_in.get(reverse("accounts:disconnect", args=[account.pk])).content.decode()
    assert "Apps and websites" in asked
    signed_in.post(reverse("accounts:disconnect", args=[account.pk]))
    account.refresh_from_db()
    assert account.status == "disconnected"
    assert not Grant.objects.exists()
    assert not Credential.objects.exists()


def test_the_limits_of_the_facebook_app_do_not_hold_it_back(signed_in: Client, network: Sandbox) -> None:
    account = connect(signed_in, network)
    note(Usage(app_percent=100))
    assert held_until(account) is None
    note_instagram(Usage(app_percent=100, accounts=(AccountUsage(INES, "instagram", 100, 600),)))
    assert held_until(account) is not None


def test_the_doctor_looks_at_both(signed_in: Client, network: Sandbox, settings: Any) -> None:
    connect(signed_in, network)
    page = signed_in.post(reverse("accounts:doctor")).content.decode()
    assert f"{hub.HERE}/account/instagram/login/callback/" in page
    assert "instagram_business_content_publish" in page
    assert "Instagram shows the account that you signed in with." in page
    settings.INSTAGRAM_APP_ID = settings.META_APP_ID
    assert "It is the one of the Facebook app" in signed_in.get(reverse("accounts:doctor")).content.decode()
    settings.INSTAGRAM_APP_SECRET = ""
    assert "Set INSTAGRAM_APP_SECRET" in signed_in.get(reverse("accounts:doctor")).content.decode()


# Renewal: the token is renewed with itself


def later(network: Sandbox, **span: float) -> Any:
    network.advance(timedelta(**span).total_seconds())
    return time_machine.travel(timezone.now() + timedelta(**span))


def test_from_the_forty_fifth_day_on_it_is_renewed(signed_in: Client, network: Sandbox) -> None:
    connect(signed_in, network)
    first = Grant.objects.get().access_token.reveal()
    with later(network, days=44):
        assert usable_token(Grant.objects.get()) == first
    with later(network, days=46 - 44), time_machine.travel(timezone.now() + timedelta(days=46)):
        token = usable_token(Grant.objects.get())
        assert token != first
        grant = Grant.objects.get()
        assert grant.access_token.reveal() == token
        assert timedelta(days=59) < grant.expires_at - timezone.now() <= timedelta(days=60)
        assert timezone.now() - grant.issued_at < timedelta(minutes=1)
        assert end_of_grant(grant) is None
        verify(ConnectedAccount.objects.select_related("credential__grant").get())
    assert network.calls()["GET instagram.refresh"] == 1


def test_a_token_of_less_than_a_day_is_not_sent(signed_in: Client, network: Sandbox) -> None:
    connect(signed_in, network)
    # As if Instagram had given a short one: it ends soon, and is young.
    Grant.objects.update(expires_at=timezone.now() + timedelta(days=14))
    first = Grant.objects.get().access_token.reveal()
    with later(network, hours=20):
        assert usable_token(Grant.objects.get()) == first
        assert renew_now(Grant.objects.get()).state is State.TOO_YOUNG
    assert "GET instagram.refresh" not in network.calls()
    with later(network, hours=5), time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert usable_token(Grant.objects.get()) != first
    assert network.calls()["GET instagram.refresh"] == 1


def test_a_renewal_that_fails_leaves_what_we_hold(signed_in: Client, network: Sandbox) -> None:
    connect(signed_in, network)
    first = Grant.objects.get().access_token.reveal()
    with later(network, days=46):
        network.fault("error_before", edge="instagram.refresh")
        assert usable_token(Grant.objects.get()) == first
        network.switch("instagram", "ines.ink", "lose_refresh_answer")
        assert usable_token(Grant.objects.get()) == first, "the answer was lost; the old one is as good"
        assert usable_token(Grant.objects.get()) != first
    assert network.calls()["GET instagram.refresh"] == 3


def test_an_expired_token_asks_to_connect_again(signed_in: Client, network: Sandbox) -> None:
    account = connect(signed_in, network)
    with later(network, days=61):
        account = ConnectedAccount.objects.select_related("credential__grant", "workspace").get(pk=account.pk)
        with pytest.raises(ReconnectError):
            verify(account)
        account.refresh_from_db()
        assert account.status == "expired"
        assert Notification.objects.filter(account=account, kind="reconnect", resolved_at=None).exists()
    assert "GET instagram.refresh" not in network.calls(), "Instagram refreshes no expired token"


def test_nobody_is_reminded_while_it_renews_itself(signed_in: Client, network: Sandbox) -> None:
    """Only when that has failed for a day, there is something for a person to do."""
    account = connect(signed_in, network)
    grant = Grant.objects.get()
    Grant.objects.update(expires_at=timezone.now() + timedelta(days=14, hours=12))
    assert end_of_grant(Grant.objects.get()) is None
    assert remind() == 0
    Grant.objects.update(expires_at=timezone.now() + timedelta(days=13))
    grant.refresh_from_db()
    assert end_of_grant(grant) == grant.expires_at
    assert remind() == 1
    assert Notification.objects.filter(account=account, kind="expiry", resolved_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_fifty_workers_renew_once(network: Sandbox) -> None:
    connect(sign_in(make_user()), network)
    network.switch("instagram", "ines.ink", "age")
    now = timezone.now()
    Grant.objects.update(expires_at=now + timedelta(days=14), issued_at=now - timedelta(days=46))
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
    assert network.calls()["GET instagram.refresh"] == 1


# Publishing and figures


def finish(publication: Publication) -> Publication:
    """What workers do until the network has said yes or no, without waiting for the clock."""
    for _ in range(40):
        run_due()
        publication.refresh_from_db()
        is_held = QueueEntry.objects.filter(publication=publication, held=True).exists()
        if is_held or publication.status in (Status.PUBLISHED, Status.FAILED):
            break
        time.sleep(0.3)
        QueueEntry.objects.update(not_before=timezone.now())
    return publication


@pytest.fixture
def publish(live_server: LiveServer, settings: Any) -> Callable[..., Publication]:
    """A post with so many images, sent out; the simulated Instagram fetches them from a real server of ours."""

    def send(account: ConnectedAccount, by: User, images: int, caption: str) -> Publication:
        settings.PUBLIC_BASE_URL = live_server.url
        kind = PostType.SINGLE if images == 1 else PostType.CAROUSEL
        post = make_post(account.workspace, account, post_type=kind, caption=caption)
        for position in range(1, images + 1):
            media = store_upload(account.workspace, by, photo(800, 800 - position, name=f"{position}.jpg"))
            PostMedia.objects.create(post=post, media=media, position=position)
        publish_now(post, by=by)
        return finish(post.publications.get())

    return send


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("images", [1, 3])
def test_images_go_out_and_their_figures_come_in(
    network: Sandbox, publish: Callable[..., Publication], images: int
) -> None:
    owner = make_user()
    account = connect(sign_in(owner), network)
    publication = publish(account, owner, images, "Drawn today #ink")
    assert publication.status == Status.PUBLISHED, (publication.error_message, publication.platform_message)
    (entry,) = network.feed(INES)
    assert (entry["id"], entry["message"], entry["media"]) == (
        publication.platform_post_id,
        "Drawn today #ink",
        images,
    )
    assert publication.permalink.startswith(f"{network.url}/feeds/instagram/p/")

    network.advance(3600)
    assert sync.sync(account.pk)
    account.refresh_from_db()
    assert (account.status, account.sync_error) == ("connected", "")
    assert account.posts_count == 1
    (post,) = account.platform_posts.all()
    assert post.platform_post_id == publication.platform_post_id
    ingest_posts.sync_posts(account, [post])
    post.refresh_from_db()
    assert post.likes is not None
    assert post.reach is not None
    assert post.saves is not None
    assert not [call for call in network.call_log() if call["params"].get("batch")]


@pytest.mark.django_db(transaction=True)
def test_a_lost_answer_makes_no_second_post(
    network: Sandbox, publish: Callable[..., Publication], settings: Any
) -> None:
    settings.PUBLISH_CHECK_SPEED = 1000
    owner = make_user()
    account = connect(sign_in(owner), network)
    network.fault("lost_answer", edge="media_publish")
    publication = publish(account, owner, 1, "Only once")
    assert publication.status == Status.PUBLISHED, publication.error_message
    assert len(network.feed(INES)) == 1
    assert network.calls()["POST media_publish"] == 1


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_a_new_consent_goes_out_after_it(
    network: Sandbox, publish: Callable[..., Publication], live_server: LiveServer, settings: Any
) -> None:
    owner = make_user()
    client = sign_in(owner)
    account = connect(client, network)
    network.switch("instagram", "ines.ink", "revoke")
    waiting = publish(account, owner, 1, "In a while")
    assert waiting.status == Status.SCHEDULED
    account.refresh_from_db()
    assert account.status == "revoked"
    settings.PUBLIC_BASE_URL = hub.HERE
    connect(client, network)
    settings.PUBLIC_BASE_URL = live_server.url
    assert release_held() == 1
    assert finish(waiting).status == Status.PUBLISHED, waiting.error_message
    assert [post["message"] for post in network.feed(INES)] == ["In a while"]
