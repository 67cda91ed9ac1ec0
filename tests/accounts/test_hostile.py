"""What strangers, networks and bad luck throw at connected accounts."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from celery import current_app
from django.db import connections
from django.test import Client
from django.urls import reverse
from redis.exceptions import RedisError

from accounts import connect
from accounts.models import ConnectedAccount, Credential, Grant, OAuthTicket, User, Workspace
from accounts.tokens import access_for
from accounts.verify import verify
from socialhub.platforms.errors import PlatformError
from tests.accounts.conftest import sign_in
from tests.accounts.graph import Graph, page
from tests.accounts.test_connect import consent, press
from tests.accounts.test_social_page import SOCIAL, act, make_grant, text_of
from tests.factories import make_account, make_user

pytestmark = pytest.mark.django_db

WAYS_BACK = {
    "facebook": "meta_callback",
    "instagram_login": "instagram_callback",
    "linkedin": "linkedin_callback",
    "x": "buffer_callback",
}


@pytest.fixture
def all_apps(settings: Any) -> None:
    settings.INSTAGRAM_APP_ID, settings.INSTAGRAM_APP_SECRET = "2", "secret-of-instagram"
    settings.LINKEDIN_CLIENT_ID, settings.LINKEDIN_CLIENT_SECRET = "3", "secret-of-linkedin"
    settings.BUFFER_CLIENT_ID, settings.BUFFER_CLIENT_SECRET = "4", "secret-of-buffer"


@pytest.mark.parametrize("started", WAYS_BACK)
@pytest.mark.parametrize("name", WAYS_BACK.values())
def test_a_handshake_ends_where_it_began(
    signed_in: Client, graph: Graph, all_apps: None, started: str, name: str
) -> None:
    """A code of one network must never reach another one. No network but Meta answers here."""
    if WAYS_BACK[started] == name:
        return
    state = press(signed_in, started)["state"]
    response = signed_in.get(reverse(name), {"state": state, "code": "the-code"})
    assert (response.status_code, response["Location"]) == (302, SOCIAL)
    assert not graph.calls
    assert not Grant.objects.exists()
    assert OAuthTicket.objects.get().used_at is None


@pytest.mark.parametrize(
    "referer",
    ["https://evil.example/settings/accounts/", "//evil.example", "http://testserver@evil.example/settings/accounts/"],
)
def test_an_act_leads_back_to_our_pages_only(signed_in: Client, workspace: Workspace, referer: str) -> None:
    account = make_account(workspace)
    address = reverse("accounts:make_default", args=[account.pk])
    assert signed_in.post(address, headers={"referer": referer})["Location"] == SOCIAL


# --- Names and numbers ----------------------------------------------------------------------------------------

HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "long": "N" * 10_000,
    "turned around": "Garage \u202egnp.exe\u2066",
    "zero byte": "Gar\x00age",
    "lines": "Garage\r\nBcc: victim@example.com",
    "nothing": "",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_network_may_call_an_account_whatever_it_likes(signed_in: Client, graph: Graph, what: str) -> None:
    name = HOSTILE[what]
    graph.person = {"id": "9001", "name": name}
    graph.pages = [page("101", name, name, category=name, username=name, picture={"data": {"url": name}})]
    if not name:
        graph.pages[0]["name"] = ""
    address = consent(signed_in)
    shown = signed_in.get(address).content.decode()
    response = signed_in.post(address, {"account": ["facebook:101"]})
    assert (response.status_code, response["Location"]) == (302, SOCIAL)
    account = ConnectedAccount.objects.get(platform="facebook")
    verify(account)
    assert len(account.name) <= 200
    for text in (shown, text_of(signed_in), text_of(signed_in, reverse("accounts:account", args=[account.pk]))):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert not re.findall(".{40}[\x00\u202e\u2066]", text)
    assert "\n" not in account.name
    assert signed_in.post(reverse("accounts:doctor")).status_code == 200
    assert act(signed_in, "disconnect", account)


def test_an_agency_of_more_than_a_thousand_pages(signed_in: Client, graph: Graph) -> None:
    graph.pages = [page(str(10_000 + n), f"Page {n}") for n in range(1050)]
    address = consent(signed_in)
    response = signed_in.post(address, {"account": [f"facebook:{10_000 + n}" for n in range(1050)]})
    assert response.status_code == 302
    assert ConnectedAccount.objects.count() == 1050


# --- Two things at once ---------------------------------------------------------------------------------------


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What each came to, started together; an exception counts as an answer."""
    barrier = threading.Barrier(len(works))
    answers: list[Any] = [None] * len(works)

    def run(number: int, work: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            answers[number] = work()
        except Exception as error:  # noqa: BLE001  the test looks at it
            answers[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def browser_of(client: Client) -> Client:
    browser = Client(raise_request_exception=True)
    browser.cookies["sessionid"] = client.cookies["sessionid"].value
    return browser


@pytest.mark.django_db(transaction=True)
def test_a_choice_sent_four_times_connects_once(graph: Graph) -> None:
    client = sign_in(make_user())
    graph.pages = [page(str(100 + n), f"Page {n}", f"handle{n}") for n in range(8)]
    address = consent(client)
    chosen = {"account": [f"facebook:{100 + n}" for n in range(8)]}
    answers = at_once(*[lambda: browser_of(client).post(address, chosen)["Location"]] * 4)
    assert answers == [SOCIAL] * 4
    assert ConnectedAccount.objects.count() == Credential.objects.count() == 16


@pytest.mark.django_db(transaction=True)
def test_connecting_and_taking_off_at_once_leaves_no_half_account(graph: Graph) -> None:
    client = sign_in(make_user())
    graph.pages = [page("101", "Classic Motors", "classicmotors")]
    address = consent(client)
    client.post(address, {"account": ["facebook:101"]})
    for _round in range(5):
        accounts = list(ConnectedAccount.objects.all())
        answers = at_once(
            partial(browser_of(client).post, address, {"account": ["facebook:101"]}),
            *[partial(connect.disconnect, account) for account in accounts],
            *[partial(quietly, account) for account in accounts],
        )
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        for account in ConnectedAccount.objects.all():
            assert account.is_connected == Credential.objects.filter(account=account, grant__isnull=False).exists()
        address = consent(client)


def quietly(account: ConnectedAccount) -> None:
    try:
        access_for(ConnectedAccount.objects.get(pk=account.pk))
        verify(ConnectedAccount.objects.select_related("workspace").get(pk=account.pk))
    except PlatformError:
        return


def test_a_consent_that_vanished_while_its_choice_was_open(
    signed_in: Client, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its person took the app away between our question to the network and our answer to them."""
    address = consent(signed_in)
    found = connect.find_candidates

    def find_and_lose(grant: Grant) -> Any:
        candidates = found(grant)
        Grant.objects.filter(pk=grant.pk).delete()
        return candidates

    monkeypatch.setattr(connect, "find_candidates", find_and_lose)
    response = signed_in.post(address, {"account": ["facebook:101"]}, follow=True)
    assert response.redirect_chain == [(SOCIAL, 302)]
    assert "withdrawn meanwhile" in response.content.decode()
    assert not ConnectedAccount.objects.exists()


# --- Without cache and broker ---------------------------------------------------------------------------------


@pytest.fixture
def no_redis(settings: Any, signed_in: Client) -> Iterator[None]:
    """It went away after somebody had signed in."""
    nowhere = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": nowhere}}
    kept = current_app.conf.broker_url
    use_broker(nowhere)
    yield
    use_broker(kept)


def use_broker(url: str) -> None:
    """Connections that were made to the one before are forgotten with it."""
    current_app.conf.broker_url = url
    current_app._pool = current_app.amqp._producer_pool = None


def test_accounts_are_connected_and_taken_off_without_redis(
    signed_in: Client, graph: Graph, no_redis: None, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        address = consent(signed_in)
        assert signed_in.get(address).status_code == 200
        assert signed_in.post(address, {"account": ["facebook:101"]}).status_code == 302
    assert signed_in.get(SOCIAL).status_code == 200
    account = ConnectedAccount.objects.get(platform="facebook")
    for name in ("verify", "recheck", "refresh", "make_default", "resume", "disconnect"):
        with django_capture_on_commit_callbacks(execute=True):
            assert signed_in.post(reverse(f"accounts:{name}", args=[account.pk])).status_code == 302, name
    assert signed_in.post(reverse("accounts:doctor")).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        *("analytics:dashboard", "publishing:post_list", "publishing:post_new", "publishing:library"),
        *("accounts:doctor", "accounts:buffer_key", "accounts:notifications", "accounts:profile", "accounts:workspace"),
    ],
)
def test_pages_open_without_redis(signed_in: Client, workspace: Workspace, no_redis: None, name: str) -> None:
    make_account(workspace)
    assert signed_in.get(reverse(name)).status_code == 200


def test_without_redis_nobody_is_signed_out_by_halves(signed_in: Client, no_redis: None) -> None:
    """The cache would bring back a session whose end it has not heard of."""
    assert signed_in.get(SOCIAL).status_code == 200
    with pytest.raises(RedisError):
        signed_in.post(reverse("account_logout"))


# --- Keys -----------------------------------------------------------------------------------------------------


def test_a_lost_key_asks_to_reconnect_just_its_own_accounts(
    signed_in: Client, workspace: Workspace, owner: User, graph: Graph, settings: Any, fresh_fields: Any
) -> None:
    graph.pages = [page("101", "Old Key"), page("102", "New Key")]
    old = settings.FERNET_KEYS
    lost = make_account(workspace, platform_account_id="101", name="Old Key")
    settings.FERNET_KEYS = ["a-new-key-of-more-than-thirty-two-characters", *old]
    fresh_fields()
    fine = make_account(workspace, platform_account_id="102", name="New Key")
    settings.FERNET_KEYS = settings.FERNET_KEYS[:1]
    fresh_fields()
    assert signed_in.get(SOCIAL).status_code == 200
    assert "its encryption key is gone" in act(signed_in, "verify", lost)
    assert "New Key works" in act(signed_in, "verify", fine)
    cards = {card.account.name: card for entry in signed_in.get(SOCIAL).context["entries"] for card in entry.cards}
    assert (cards["Old Key"].should_reconnect, cards["New Key"].should_reconnect) == (True, False)
    text = text_of(signed_in)
    own = {
        name: text.split(f'id="account-{card.account.pk}"')[1].split("</article>")[0] for name, card in cards.items()
    }
    assert "Reconnect" in own["Old Key"]
    assert "its encryption key is gone" in own["Old Key"]
    assert "encryption key" not in own["New Key"]
    assert signed_in.get(reverse("accounts:doctor")).status_code == 200


def test_a_consent_whose_key_is_lost_can_be_looked_at_and_taken_off(
    signed_in: Client, workspace: Workspace, owner: User, graph: Graph, settings: Any, fresh_fields: Any
) -> None:
    grant = make_grant(workspace, owner)
    account = make_account(workspace, platform_account_id="101")
    Credential.objects.filter(account=account).update(grant=grant)
    settings.FERNET_KEYS = ["a-new-key-of-more-than-thirty-two-characters"]
    fresh_fields()
    assert signed_in.post(reverse("accounts:doctor")).status_code == 200
    assert signed_in.get(reverse("accounts:select", args=[grant.pk])).status_code == 302
    for name in ("recheck", "refresh", "disconnect"):
        assert signed_in.post(reverse(f"accounts:{name}", args=[account.pk])).status_code == 302, name
    assert not Grant.objects.exists()
