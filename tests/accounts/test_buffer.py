"""Connecting the networks behind Buffer, by consent and by key, at a running sandbox."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.connect import connect_result
from accounts.models import ConnectedAccount, Credential, Grant, Notification, User, Workspace
from accounts.renew import usable_token
from accounts.tokens import access_for
from accounts.verify import verify
from analytics import sync
from publishing import limits
from publishing.checks import check
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

KEY = reverse("accounts:buffer_key")


@pytest.fixture
def network(sandbox: Sandbox, settings: Any) -> Sandbox:
    settings.PUBLISH_CHECK_SPEED = 1000  # a list of posts is read again at every look
    return hub.use(settings, sandbox)


def connect(client: Client, network: Sandbox, *services: str, person: str = "bruno") -> list[ConnectedAccount]:
    """By consent; all channels that can be connected, or those of these networks."""
    address = come_back(client, network.buffer_consent(press(client, "x"), person))
    rows = [row["candidate"] for row in client.get(address).context["rows"] if not row["candidate"].obstacle]
    return choose(client, address, *(one.key for one in rows if not services or one.platform in services))


def paste(client: Client, key: str) -> Any:
    return client.post(KEY, {"key": key})


# The way there and back


def test_the_consent_page_gets_a_proof_key_and_asks_for_consent(
    signed_in: Client, network: Sandbox, settings: Any
) -> None:
    asked = parse_qs(urlsplit(press(signed_in, "bluesky")).query)
    assert asked["scope"] == [" ".join(settings.BUFFER_SCOPES)]
    assert "offline_access" in settings.BUFFER_SCOPES
    assert (asked["code_challenge_method"], asked["prompt"]) == (["S256"], ["consent"])
    assert asked["redirect_uri"] == [f"{hub.HERE}/account/buffer/login/callback/"]


def test_the_whole_way(signed_in: Client, workspace: Workspace, network: Sandbox) -> None:
    address = come_back(signed_in, network.buffer_consent(press(signed_in, "x")))
    grant = Grant.objects.get()
    assert (grant.provider, grant.platform_user_name) == ("buffer", "Bruno Buffer")
    assert timedelta(minutes=59) < grant.expires_at - timezone.now() <= timedelta(hours=1)
    assert grant.refresh_token is not None

    rows = [row["candidate"] for row in signed_in.get(address).context["rows"]]
    assert len(rows) == 10
    assert {"X · Bruno's Bikes", "Bluesky · Harbour Cycling Club", "substack · Bruno's Bikes"} <= {
        one.about for one in rows
    }
    assert [one.platform for one in rows if "not supported yet" in one.obstacle] == ["substack"]
    fit = [one.key for one in rows if not one.obstacle]
    accounts = choose(signed_in, address, *fit)
    assert {account.platform for account in accounts} == {
        *("x", "threads", "bluesky", "mastodon", "pinterest", "tiktok", "youtube", "google_business")
    }
    assert len(accounts) == 9
    for account in accounts:
        assert (account.login_kind, account.account_type, account.missing_scopes) == ("buffer", "channel", [])
        assert account.token_expires_at is None, "it is renewed by itself"
        assert account.credential.access_token is None
    page = signed_in.get(SOCIAL).content.decode()
    assert "X (via Buffer)" in page
    assert "More networks through Buffer" not in page
    answer = connect_result(accounts[:1], "buffer")
    assert answer["success"]
    assert [key for key in answer if key != "success" and answer[key]["connected"]] == ["bluesky"]
    assert answer["x"]["reason"] == "No channel of X was chosen"


def test_networks_that_nobody_connected_are_folded(signed_in: Client, network: Sandbox) -> None:
    connect(signed_in, network, "x")
    response = signed_in.get(SOCIAL)
    folded = {entry.connectable.platform for entry in response.context["folded"]}
    assert len(folded) == 7
    assert "x" not in folded
    assert "More networks through Buffer" in response.content.decode()


def test_channels_in_trouble_say_what_to_do(signed_in: Client, network: Sandbox) -> None:
    address = come_back(signed_in, network.buffer_consent(press(signed_in, "x"), "freya"))
    rows = {row["candidate"].platform: row["candidate"] for row in signed_in.get(address).context["rows"]}
    assert "reconnect the channel" in rows["x"].obstacle
    assert "locked" in rows["threads"].obstacle
    assert (rows["mastodon"].obstacle, "paused in Buffer" in rows["mastodon"].remark) == ("", True)
    assert (rows["bluesky"].obstacle, rows["bluesky"].remark) == ("", "")


def test_denied_consent_is_said_where_the_button_was_pressed(signed_in: Client, network: Sandbox) -> None:
    back = network.buffer_consent(press(signed_in, "mastodon"), cancel=True)
    assert come_back(signed_in, back) == SOCIAL
    entries = signed_in.get(SOCIAL).context["entries"]
    (entry,) = (entry for entry in entries if entry.error)
    assert entry.connectable.platform == "mastodon"
    assert "Consent was not given at Buffer" in entry.error.error
    assert not Grant.objects.exists()


def test_a_state_is_good_once(signed_in: Client, network: Sandbox) -> None:
    back = network.buffer_consent(press(signed_in, "x"))
    assert "select" in come_back(signed_in, back)
    asked = network.calls()["POST buffer.token"]
    assert come_back(signed_in, back) == SOCIAL
    assert "not valid any more" in signed_in.get(SOCIAL).content.decode()
    # A code that comes twice would end the whole consent at Buffer.
    assert network.calls()["POST buffer.token"] == asked
    assert usable_token(Grant.objects.get())


def test_an_exchange_whose_answer_is_lost_connects_nothing(signed_in: Client, network: Sandbox) -> None:
    back = network.buffer_consent(press(signed_in, "x"))
    network.fault("lost_answer", edge="buffer.token")
    assert come_back(signed_in, back) == SOCIAL
    assert "nothing was connected" in told(signed_in)
    assert not Grant.objects.exists()


def test_a_hundred_and_twenty_channels(signed_in: Client, network: Sandbox) -> None:
    many = network.buffer(services=["bluesky"] * 120)
    address = str(paste(signed_in, many.key)["Location"])
    rows = signed_in.get(address).context["rows"]
    assert len(rows) == 120
    assert len(choose(signed_in, address, *(row["candidate"].key for row in rows))) == 120


def test_strangers_and_viewers(signed_in: Client, viewer: Client, signed_in_stranger: Client, network: Sandbox) -> None:
    key = network.buffer("bruno").key
    assert viewer.post(reverse("accounts:connect", args=["x"])).status_code == 403
    assert paste(viewer, key).status_code == 403
    address = str(paste(signed_in, key)["Location"])
    assert viewer.get(address).status_code == 403
    assert signed_in_stranger.get(address).status_code == 404
    assert signed_in_stranger.post(address, {"account": ["x:1"]}).status_code == 404


# A personal key


def test_a_key_in_place_of_the_consent(signed_in: Client, network: Sandbox, settings: Any) -> None:
    settings.BUFFER_CLIENT_ID = ""
    page = signed_in.get(SOCIAL).content.decode()
    assert "Use a personal key instead" in page
    bruno = network.buffer("bruno")
    address = str(paste(signed_in, f"  {bruno.key} ")["Location"])
    accounts = choose(signed_in, address, f"x:{bruno.channel('twitter')}")
    (account,) = accounts
    assert (account.token_expires_at, account.missing_scopes) == (None, [])
    assert access_for(account).token == bruno.key
    verify(account)
    signed_in.post(reverse("accounts:disconnect", args=[account.pk]))
    assert not Grant.objects.exists()
    assert "POST buffer.revocation" not in network.calls(), "a key is its owner's"


@pytest.mark.parametrize(
    "wrong", ["1/" + "0" * 64, "two words of it", "line\nbreak-and-more", "ключ-от-всего-дома", "x"]
)
def test_a_wrong_key_is_said_beside_the_field_and_not_repeated(signed_in: Client, network: Sandbox, wrong: str) -> None:
    response = paste(signed_in, wrong)
    assert response.status_code == 422
    page = response.content.decode()
    assert "Buffer does not accept this key" in page
    assert len(wrong) < 3 or wrong not in page
    assert not Grant.objects.exists()


def test_an_empty_key(signed_in: Client, network: Sandbox) -> None:
    response = paste(signed_in, "")
    assert response.status_code == 422
    assert "This field is required." in response.content.decode()


def test_trouble_while_checking_the_key(signed_in: Client, network: Sandbox) -> None:
    key = network.buffer("bruno").key
    network.fault("error_before", edge="buffer.account")
    response = paste(signed_in, key)
    assert response.status_code == 422
    assert "Something went wrong inside Buffer" in response.content.decode() or "trouble" in response.content.decode()
    assert not Grant.objects.exists()


def test_a_key_takes_the_place_of_a_consent(signed_in: Client, network: Sandbox) -> None:
    (account,) = connect(signed_in, network, "x")
    bruno = network.buffer("bruno")
    choose(signed_in, str(paste(signed_in, bruno.key)["Location"]), f"x:{bruno.channel('twitter')}")
    grant = Grant.objects.get()
    assert (grant.refresh_token, grant.expires_at) == (None, None)
    account = ConnectedAccount.objects.get(pk=account.pk)
    assert access_for(account).token == bruno.key


def test_no_token_lies_open(signed_in: Client, network: Sandbox) -> None:
    connect(signed_in, network)
    freya = network.buffer("freya")
    signed_in.get(str(paste(signed_in, freya.key)["Location"]))
    kept = hub.tokens()
    assert len(kept) == 3
    assert freya.key in kept
    seen = hub.dump() + signed_in.get(SOCIAL).content.decode()
    assert "Harbour Cycling Club" in seen
    assert not [token for token in kept if token in seen]


# Refresh tokens that are good once


def run_out(minutes: float = 5) -> Grant:
    Grant.objects.update(expires_at=timezone.now() + timedelta(minutes=minutes))
    return Grant.objects.get()


@pytest.mark.django_db(transaction=True)
def test_fifty_workers_refresh_once(network: Sandbox) -> None:
    connect(sign_in(make_user()), network, "x")
    run_out(-1)
    before, found = network.calls()["POST buffer.token"], []

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
    assert len(set(found)) == 1
    assert network.calls()["POST buffer.token"] - before == 1
    verify(ConnectedAccount.objects.get())


def test_each_refresh_brings_the_next(signed_in: Client, network: Sandbox) -> None:
    (account,) = connect(signed_in, network, "x")
    seen = set(hub.tokens())
    for _ in range(3):
        usable_token(run_out())
        fresh = set(hub.tokens())
        assert len(fresh) == 2
        assert not fresh & seen
        seen |= fresh
    verify(ConnectedAccount.objects.get(pk=account.pk))


def test_a_lost_refresh_answer_is_never_repeated(signed_in: Client, network: Sandbox) -> None:
    (account,) = connect(signed_in, network, "x")
    held = Grant.objects.get().access_token.reveal()
    network.switch("buffer", "bruno", "lose_refresh_answer")
    before = network.calls()["POST buffer.token"]
    for _ in range(3):
        assert usable_token(run_out()) == held, "it serves to its end"
    assert network.calls()["POST buffer.token"] - before == 1
    run_out(-1)
    account = ConnectedAccount.objects.select_related("credential__grant").get(pk=account.pk)
    with pytest.raises(ReconnectError):
        verify(account)
    assert account.status == "expired"
    assert network.calls()["POST buffer.token"] - before == 1
    (again,) = connect(signed_in, network, "x")
    assert (again.pk, again.status) == (account.pk, "connected")
    assert access_for(again)


def test_withdrawn_at_buffer(signed_in: Client, network: Sandbox) -> None:
    (account,) = connect(signed_in, network, "x")
    network.switch("buffer", "bruno", "revoke")
    account = ConnectedAccount.objects.select_related("credential__grant").get()
    with pytest.raises(ReconnectError):
        verify(account)
    assert account.needs_reconnect
    assert not account.mended_at
    assert "Connect Buffer again" in account.status_reason


def test_the_last_account_takes_the_consent_with_it(signed_in: Client, network: Sandbox) -> None:
    first, second = connect(signed_in, network, "x", "mastodon")
    signed_in.post(reverse("accounts:disconnect", args=[first.pk]))
    assert "POST buffer.revocation" not in network.calls()
    signed_in.post(reverse("accounts:disconnect", args=[second.pk]))
    assert network.calls()["POST buffer.revocation"] == 1
    assert not Grant.objects.exists()
    assert not Credential.objects.exists()


# Channels


@pytest.mark.parametrize(("flag", "words"), [("isDisconnected", "reconnect the channel"), ("isLocked", "locked")])
def test_what_buffer_must_mend_is_mended_there(signed_in: Client, network: Sandbox, flag: str, words: str) -> None:
    (account,) = connect(signed_in, network, "x")
    network.buffer_channel(account.platform_account_id, **{flag: True})
    signed_in.post(reverse("accounts:verify", args=[account.pk]))
    account = ConnectedAccount.objects.get()
    assert (account.status, account.mended_at) == ("error", "https://publish.buffer.com")
    assert words in account.status_reason
    page = signed_in.get(SOCIAL).content.decode()
    assert "Reconnect it in Buffer" in page
    assert 'href="https://publish.buffer.com"' in page
    assert Notification.objects.filter(resolved_at=None).count() == 1
    assert access_for(account), "our own access is as good as before"

    network.buffer_channel(account.platform_account_id, **{flag: False})
    signed_in.post(reverse("accounts:verify", args=[account.pk]))
    account.refresh_from_db()
    assert account.status == "connected"
    assert not Notification.objects.filter(resolved_at=None).exists()


def test_a_channel_that_was_removed(signed_in: Client, network: Sandbox) -> None:
    (account,) = connect(signed_in, network, "x")
    network.buffer_unlink(account.platform_account_id)
    signed_in.post(reverse("accounts:verify", args=[account.pk]))
    account.refresh_from_db()
    assert account.status == "revoked"


def test_the_first_sync(signed_in: Client, network: Sandbox) -> None:
    for account in connect(signed_in, network):
        assert sync.sync(account.pk)
        account.refresh_from_db()
        assert (account.status, account.sync_error) == ("connected", "")
        assert account.last_synced_at


def test_a_sync_sees_what_buffer_has_lost(signed_in: Client, network: Sandbox) -> None:
    (account,) = connect(signed_in, network, "x")
    network.buffer_channel(account.platform_account_id, isDisconnected=True)
    sync.sync(account.pk)
    account.refresh_from_db()
    assert account.status == "error"
    assert "reconnect the channel" in account.status_reason


# Publishing


def publish(account: ConnectedAccount, owner: User, **fields: Any) -> Publication:
    """Until the network has said yes or no, as the workers do it, without waiting for the clock."""
    publish_now(make_post(account.workspace, account, **fields), by=owner)
    assert run_due() == 1
    publication = Publication.objects.get()
    for _ in range(20):
        publication.refresh_from_db()
        if publication.status not in (Status.PUBLISHING, Status.CHECKING, Status.QUEUED):
            break
        time.sleep(0.3)
        QueueEntry.objects.update(not_before=timezone.now())
        run_due()
    return publication


@pytest.mark.parametrize("platform", ["x", "threads", "bluesky", "mastodon", "google_business"])
def test_a_text_is_accepted_and_then_sent(signed_in: Client, owner: User, network: Sandbox, platform: str) -> None:
    account = connect(signed_in, network, platform)[0]
    publication = publish(account, owner, caption="Two wheels good")
    assert publication.status == Status.PUBLISHED, publication.error_message
    (sent,) = network.buffer_posts(account.platform_account_id)
    assert (sent["id"], sent["message"], sent["status"]) == (publication.platform_post_id, "Two wheels good", "sent")
    assert publication.permalink
    assert network.calls()["POST buffer.createPost"] == 1


@pytest.mark.parametrize(
    ("platform", "words"), [("pinterest", "every Pin on a board. Choose one."), ("youtube", "has no text post here")]
)
def test_what_needs_a_choice_is_refused_before_it_is_scheduled(
    signed_in: Client, network: Sandbox, platform: str, words: str
) -> None:
    account = connect(signed_in, network, platform)[0]
    findings = check(make_post(account.workspace, account))
    assert any(finding.blocks and words in finding.message for finding in findings)


def test_every_network_can_be_published_to_or_says_why_not(signed_in: Client, network: Sandbox) -> None:
    for account in connect(signed_in, network):
        blocked = [one.message for one in check(make_post(account.workspace, account)) if one.blocks]
        assert bool(blocked) == (account.platform in ("pinterest", "youtube", "tiktok")), (account.platform, blocked)


def buffer_calls(network: Sandbox) -> int:
    """Those that count for the limits: all but those for tokens."""
    made = network.calls()
    return sum(made[name] for name in made if name.startswith("POST buffer.") and "token" not in name)


def shared(account: ConnectedAccount) -> dict[int, limits.WindowState]:
    return {state.window_seconds: state for state in limits.remaining(account) if state.endpoint == "client"}


def test_what_buffer_says_is_left_stands_in_the_books_of_all_its_channels(
    signed_in: Client, owner: User, network: Sandbox
) -> None:
    one, other = connect(signed_in, network, "x", "threads")[:2]
    assert publish(one, owner, caption="Two wheels good").status == Status.PUBLISHED
    made = buffer_calls(network)
    for account in (one, other):
        assert {seconds: state.limit for seconds, state in shared(account).items()} == {
            900: 100,
            86_400: 500,
            2_592_000: 15_000,
        }
        assert {state.made for state in shared(account).values()} == {made}
        assert all(state.told_at for state in shared(account).values())


def test_a_refused_call_makes_all_channels_of_the_client_wait(signed_in: Client, owner: User, network: Sandbox) -> None:
    one, other = connect(signed_in, network, "x", "threads")[:2]
    network.buffer_app(quotas={"900": buffer_calls(network) + 1})  # the channel may be read, then it is over
    first, second = make_post(one.workspace, one), make_post(one.workspace, other)
    publish_now(first, by=owner)
    run_due()
    made = buffer_calls(network)
    publish_now(second, by=owner)
    run_due()
    assert buffer_calls(network) == made, "nobody asks again"
    assert network.buffer_posts(one.platform_account_id) == []
    for post in (first, second):
        entry = QueueEntry.objects.get(publication__post=post)
        assert entry.attempts == 0
        assert timedelta(minutes=14) < entry.not_before - timezone.now() <= timedelta(minutes=15)
        assert entry.publication.status == Status.SCHEDULED
    assert not sync.sync(one.pk) or "Reading waits until" in ConnectedAccount.objects.get(pk=one.pk).sync_error
    assert buffer_calls(network) == made, "nor does a job"


def test_the_composer_offers_one_button_for_all_of_buffer(signed_in: Client, network: Sandbox) -> None:
    def offered() -> list[str]:
        return [key for key, _label in signed_in.get(reverse("publishing:post_new")).context["absent"]]

    assert offered() == ["facebook", "instagram", "linkedin", "x"]
    connect(signed_in, network, "bluesky")
    assert offered() == ["facebook", "instagram", "linkedin"]
