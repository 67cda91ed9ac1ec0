"""Connecting, losing, reconnecting and disconnecting accounts of every network, in a browser."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import ConnectedAccount, Credential, Grant, Notification, OAuthTicket
from accounts.tickets import digest_of
from publishing.models import Publication, QueueEntry, Status
from publishing.schedule import publish_now
from publishing.tasks import sweep
from tests.browser.axe import Watch, check
from tests.browser.conftest import SIZES
from tests.checkout import until
from tests.factories import make_post
from tests.journey.accounts_page import (
    BUFFER,
    INSTAGRAM,
    LINKEDIN,
    META,
    Consent,
    allow,
    deny,
    who_page,
)
from tests.journey.house import Arrive, House
from tests.sandbox_process import Sandbox, free_port
from tests.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.processes]

THROUGH_BUFFER = [
    f"{network} (via Buffer)"
    for network in ("Bluesky", "Google Business", "Mastodon", "Pinterest", "Threads", "TikTok", "X", "YouTube")
]


# Connecting and disconnecting


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_facebook_and_instagram_come_by_one_consent_and_go_one_by_one(house: House, arrive: Arrive, size: str) -> None:
    house.sandbox.reset()
    house.sandbox.person(name=f"Fiona {size}")
    page = f"Fiona {size} Page 1"
    fiona = arrive(size)
    fiona.accounts.press_connect("Instagram")
    allow(fiona.page, META, f"Fiona {size}")
    fiona.choice.is_here()
    check(fiona.page)
    fiona.choice.connect()
    for network in ("Facebook", "Instagram"):
        fiona.accounts.has_state(network, "Connected")
    fiona.accounts.has_state("LinkedIn", "Not connected")
    assert fiona.accounts.shining() == [("Facebook", page), ("Instagram", page)]
    check(fiona.page)

    fiona.accounts.open()
    assert fiona.accounts.shining() == []
    fiona.accounts.disconnect(page, "Instagram")
    fiona.accounts.has_state("Instagram", "Not connected")
    fiona.accounts.has_state("Facebook", "Connected")
    check(fiona.page)
    assert "DELETE permissions" not in house.sandbox.calls()
    fiona.accounts.disconnect(page, "Facebook")
    fiona.accounts.has_state("Facebook", "Not connected")
    check(fiona.page)
    assert house.sandbox.calls()["DELETE permissions"] == 1
    assert {account.status for account in fiona.rows().values()} == {"disconnected"}
    assert not Credential.objects.filter(account__workspace=fiona.workspace).exists()
    assert not Grant.objects.filter(workspace=fiona.workspace).exists()


def test_a_linkedin_member_and_an_organization(house: House, arrive: Arrive) -> None:
    house.sandbox.reset()
    lena = arrive("phone")
    lena.accounts.press_connect("LinkedIn")
    allow(lena.page, LINKEDIN, "Lena Lind")
    lena.choice.is_here()
    expect(lena.choice.box("does not let you post")).to_be_disabled()
    check(lena.page)
    lena.choice.choose_only(["Lind & Daughters"])
    lena.choice.connect()
    lena.accounts.has_state("LinkedIn", "Connected")
    assert lena.accounts.shining() == [("LinkedIn", "Lind & Daughters")]

    lena.accounts.press_connect_more("LinkedIn")
    who_page(lena.page, LINKEDIN, "Lena Lind")  # who has said yes to exactly this is not asked again
    lena.choice.is_here()
    expect(lena.choice.box("already connected")).to_be_checked()
    lena.choice.choose_only(["Lena Lind"])
    lena.choice.connect()
    assert lena.accounts.shining() == [("LinkedIn", "Lena Lind")]
    check(lena.page)
    assert {account.account_type for account in lena.rows().values()} == {"person", "organization"}

    lena.accounts.disconnect("Lind & Daughters", "LinkedIn")
    lena.accounts.has_state("LinkedIn", "Connected")
    lena.accounts.disconnect("Lena Lind", "LinkedIn")
    lena.accounts.has_state("LinkedIn", "Not connected")
    check(lena.page)
    assert "POST linkedin.revoke" in house.sandbox.calls()
    assert not Grant.objects.filter(workspace=lena.workspace).exists()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_each_network_behind_buffer_has_its_own_entry(house: House, arrive: Arrive, size: str) -> None:
    house.sandbox.reset()
    bruno = arrive(size)
    assert bruno.accounts.not_connected_behind_buffer() == THROUGH_BUFFER
    bruno.accounts.press_connect("Threads (via Buffer)")
    allow(bruno.page, BUFFER, "Bruno Buffer")
    bruno.choice.is_here()
    expect(bruno.choice.box("substack")).to_be_disabled()
    (unknown,) = (row for row in bruno.choice.rows() if "not supported yet" in row)
    assert "substack" in unknown
    check(bruno.page)
    bruno.choice.connect()
    for title in THROUGH_BUFFER:
        bruno.accounts.has_state(title, "Connected")
    shining = bruno.accounts.shining()
    assert sorted({network for network, _name in shining}) == THROUGH_BUFFER
    assert ("Bluesky (via Buffer)", "Harbour Cycling Club") in shining
    assert len(shining) == 9
    for title in ("Facebook", "Instagram", "LinkedIn"):
        bruno.accounts.has_state(title, "Not connected")
    check(bruno.page)

    bruno.accounts.disconnect("Bruno's Bikes", "X (via Buffer)")
    assert bruno.accounts.not_connected_behind_buffer() == ["X (via Buffer)"]
    bruno.accounts.has_state("Threads (via Buffer)", "Connected")
    check(bruno.page)
    assert Grant.objects.filter(workspace=bruno.workspace).exists()


def test_instagram_without_a_page(house: House, arrive: Arrive) -> None:
    title = "Instagram (without a Page)"
    petra = arrive("phone")
    petra.accounts.press_connect(title)
    allow(petra.page, INSTAGRAM, "petra.private")
    petra.choice.is_here()
    expect(petra.choice.box("is a personal account")).to_be_disabled()
    expect(petra.page.get_by_role("button", name="Connect", exact=True)).to_be_disabled()
    check(petra.page)
    petra.page.get_by_role("link", name="Cancel").click()
    petra.accounts.is_here()

    petra.accounts.press_connect(title)
    allow(petra.page, INSTAGRAM, "ines.ink")
    petra.choice.connect()
    petra.accounts.has_state(title, "Connected")
    for network in ("Facebook", "Instagram"):
        petra.accounts.has_state(network, "Not connected")
    assert petra.accounts.shining() == [(title, "Ines Ink")]
    expect(petra.page.get_by_role("dialog")).to_have_count(0)
    check(petra.page)
    petra.accounts.disconnect("Ines Ink", title)
    petra.accounts.has_state(title, "Not connected")
    assert not Credential.objects.filter(account__workspace=petra.workspace).exists()


def test_a_personal_key_of_buffer_is_pasted_once(house: House, arrive: Arrive) -> None:
    kim = arrive("phone")
    house.sandbox.buffer(name="Kim Key", services=["mastodon", "bluesky"])
    keys = kim.page.context.new_page()
    keys.goto(f"{house.sandbox.url}/buffer/settings/api/")
    keys.get_by_role("button", name="Make a key for Kim Key").click()
    key = keys.locator("[data-key]").inner_text()
    keys.close()

    kim.accounts.paste_key(key[:-1] + ("a" if key[-1] != "a" else "b"))
    expect(kim.page.get_by_text("Buffer does not accept this key")).to_be_visible()
    expect(kim.accounts.key_field()).to_have_value("")
    forget_the_status(kim.page, 422)
    check(kim.page)
    assert kim.has_nothing()

    kim.accounts.paste_key(key)
    kim.choice.is_here()
    assert key not in kim.page.content()
    check(kim.page)
    kim.choice.choose_only(["Mastodon"])
    kim.choice.connect()
    assert kim.accounts.shining() == [("Mastodon (via Buffer)", "Kim Key")]
    assert key not in kim.page.content()
    expect(kim.accounts.key_field()).to_have_value("")
    check(kim.page)

    kim.accounts.disconnect("Kim Key", "Mastodon (via Buffer)")
    assert "Mastodon (via Buffer)" in kim.accounts.not_connected_behind_buffer()
    assert not Grant.objects.filter(workspace=kim.workspace).exists()


def forget_the_status(page: Page, status: int) -> None:
    """The browser notes every answer that is no success; this one was meant."""
    watch: Watch = page.watch  # type: ignore[attr-defined]
    watch.complaints = [complaint for complaint in watch.complaints if f"status of {status}" not in complaint]


# What somebody did not want


@pytest.mark.parametrize(
    ("network", "title", "person", "size"),
    [
        (META, "Facebook", "Gina Garage", "desktop"),
        (LINKEDIN, "LinkedIn", "Mika Member", "phone"),
        (BUFFER, "Mastodon (via Buffer)", "Freya Free", "phone"),
        (INSTAGRAM, "Instagram (without a Page)", "ines.ink", "desktop"),
    ],
    ids=["meta", "linkedin", "buffer", "instagram"],
)
def test_a_denied_consent_is_told_in_plain_words(
    arrive: Arrive, network: Consent, title: str, person: str, size: str
) -> None:
    guest = arrive(size)
    guest.accounts.press_connect(title)
    deny(guest.page, network, person)
    guest.accounts.is_here()
    expect(guest.accounts.alert()).to_contain_text("Consent was not given at")
    expect(guest.accounts.alert()).to_contain_text("nothing was connected")
    assert guest.accounts.shining() == []
    check(guest.page)
    assert guest.has_nothing()
    guest.accounts.open()
    expect(guest.accounts.alert()).to_have_count(0)


def test_a_permission_that_was_declined_is_named_and_asked_for_again(house: House, arrive: Arrive) -> None:
    house.sandbox.person(name="Dana Declines")
    dana = arrive()
    dana.accounts.press_connect("Facebook")
    who_page(dana.page, META, "Dana Declines")
    dana.page.get_by_role("checkbox", name="pages_manage_posts").uncheck()
    dana.page.get_by_role("button", name="Continue as").click()
    dana.choice.connect()
    card = dana.accounts.card("Dana Declines Page 1", "Facebook")
    expect(card).to_contain_text("permission is missing")
    expect(card).to_contain_text("pages_manage_posts")
    check(dana.page)

    dana.accounts.press_reconnect("Dana Declines Page 1", "Facebook")
    who_page(dana.page, META, "Dana Declines")
    expect(dana.page.get_by_role("checkbox", name="pages_manage_posts")).to_be_checked()
    dana.page.get_by_role("button", name="Continue as").click()
    dana.choice.connect()
    expect(card).not_to_contain_text("permission is missing")
    assert dana.rows()["facebook", "Dana Declines Page 1"].missing_scopes == []


# A state that is not good any more, or never was


def state_of(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query)["state"][0]


def test_who_stays_longer_than_ten_minutes_can_start_again(house: House, arrive: Arrive) -> None:
    house.sandbox.person(name="Sam Slow")
    sam = arrive("phone")
    sam.accounts.press_connect("Facebook")
    expect(sam.page.get_by_role("heading", name=META.who)).to_be_visible()
    ticket = OAuthTicket.objects.get(digest=digest_of(state_of(sam.page)))
    assert timedelta(minutes=9) < ticket.expires_at - timezone.now() <= timedelta(minutes=10)
    OAuthTicket.objects.filter(pk=ticket.pk).update(expires_at=timezone.now())
    allow(sam.page, META, "Sam Slow")
    sam.accounts.is_here()
    expect(sam.accounts.alert()).to_contain_text("older than ten minutes")
    expect(sam.accounts.alert()).to_contain_text("Press Connect again")
    check(sam.page)
    assert sam.has_nothing()

    sam.accounts.press_connect("Facebook")
    allow(sam.page, META, "Sam Slow")
    sam.choice.connect()
    sam.accounts.has_state("Facebook", "Connected")


def test_a_state_of_somebody_else_connects_nothing_and_stays_theirs(house: House, arrive: Arrive) -> None:
    """Vera is lured to the consent page with a state that Mallory has begun, then with one that nobody has."""
    house.sandbox.person(name="Vera Victim")
    mallory, vera = arrive(), arrive("phone")
    mallory.accounts.press_connect("Facebook")
    expect(mallory.page.get_by_role("heading", name=META.who)).to_be_visible()
    for state in (state_of(mallory.page), "made-up"):
        address = urlsplit(mallory.page.url)
        query = {name: values[-1] for name, values in parse_qs(address.query).items()} | {"state": state}
        vera.page.goto(address._replace(query=urlencode(query)).geturl())
        allow(vera.page, META, "Vera Victim")
        vera.accounts.is_here()
        expect(vera.accounts.alert()).to_contain_text("not valid any more")
        assert vera.has_nothing()
        assert mallory.has_nothing()
    check(vera.page)

    allow(mallory.page, META, "Vera Victim")  # the attempt of another has not used up the state
    mallory.choice.is_here()


# Access that is lost, and what waited for it


@dataclass(frozen=True)
class Lost:
    """How a network takes an access away, and what the page says."""

    network: Consent
    provider: str
    platform: str
    title: str
    switch: str
    says: str
    size: str


@pytest.mark.parametrize(
    "lost",
    [
        Lost(META, "meta", "facebook", "Facebook", "expire", "Access expired", "desktop"),
        Lost(LINKEDIN, "linkedin", "linkedin", "LinkedIn", "revoke", "Access withdrawn", "phone"),
        Lost(BUFFER, "buffer", "x", "X (via Buffer)", "revoke", "Access expired", "desktop"),
    ],
    ids=lambda lost: lost.provider,
)
def test_reconnecting_keeps_the_account_and_sends_what_waited(house: House, arrive: Arrive, lost: Lost) -> None:
    name, person, key = somebody_at(house.sandbox, lost)
    rita = arrive(lost.size)
    rita.accounts.press_connect(lost.title)
    allow(rita.page, lost.network, person)
    rita.choice.choose_only([name])
    rita.choice.connect()
    if lost.network is META:
        rita.accounts.close_guidance()
    account = rita.rows()[lost.platform, name]
    until(lambda: was_synced(account), 30)  # a first reading that goes on meanwhile would find out on its own

    assert house.sandbox.switch(lost.provider, key, lost.switch)
    captions = [f"{word} from {person}" for word in ("First", "Second")]
    for number, caption in enumerate(captions, start=1):
        publish_now(make_post(rita.workspace, account, caption=caption), by=rita.user)
        until(partial(waits, account, number), 30)
    rita.accounts.open()
    rita.accounts.has_state(lost.title, "Error")
    card = rita.accounts.card(name, lost.title)
    expect(card).to_contain_text(lost.says)
    expect(card).to_contain_text("Scheduled posts wait until then.")
    expect(bell(rita.page)).to_contain_text("1 unread")
    check(rita.page)
    told = Notification.objects.get(workspace=rita.workspace)
    assert (told.kind, told.account, told.resolved_at) == (Notification.Kind.RECONNECT, account, None)
    assert house.mails(rita.user, f"Reconnect {name}") == 1
    assert posts_at(house.sandbox, account) == []

    rita.accounts.press_reconnect(name, lost.title)
    allow(rita.page, lost.network, person)
    expect(rita.choice.box("already connected")).to_be_checked()
    rita.choice.choose_only([name])
    rita.choice.connect()
    if lost.network is META:
        rita.accounts.close_guidance()
    rita.accounts.has_state(lost.title, "Connected")
    assert rita.accounts.shining() == [(lost.title, name)]
    check(rita.page)
    assert rita.rows()[lost.platform, name].pk == account.pk
    assert ConnectedAccount.objects.of(rita.workspace).count() == 1

    until(lambda: was_sent(account), 45)
    until(lambda: len(posts_at(house.sandbox, account)) >= len(captions))
    assert sorted(posts_at(house.sandbox, account)) == sorted(captions)
    bell(rita.page).click()
    expect(rita.page.get_by_role("listitem").filter(has_text=f"Reconnect {name}")).to_contain_text("settled")
    check(rita.page)
    assert house.mails(rita.user, f"Reconnect {name}") == 1


def somebody_at(sandbox: Sandbox, lost: Lost) -> tuple[str, str, str]:
    """The name of the one account that somebody new can connect, the name of that person, and their key."""
    person = f"Rita {lost.provider}"
    if lost.network is META:
        made = sandbox.person(name=person, instagram=False)
        return made.page.name, person, made.person
    if lost.network is LINKEDIN:
        return person, person, sandbox.member(name=person, organizations=0).person
    return person, person, sandbox.buffer(name=person, services=["twitter"]).person


def was_synced(account: ConnectedAccount) -> bool:
    return ConnectedAccount.objects.filter(pk=account.pk, last_synced_at__isnull=False).exists()


def waits(account: ConnectedAccount, entries: int) -> bool:
    """No worker is at it, and none will be before the account is well again."""
    sweep.apply_async(retry=False)  # as beat does
    return QueueEntry.objects.filter(account=account, held=True, lease_until=None).count() == entries


def was_sent(account: ConnectedAccount) -> bool:
    """Whatever goes out through Buffer is looked after for a while when it has been taken."""
    statuses = set(Publication.objects.filter(account=account).values_list("status", flat=True))
    return statuses <= {Status.PUBLISHED, Status.CHECKING}


def posts_at(sandbox: Sandbox, account: ConnectedAccount) -> list[str]:
    return [post["message"] for post in sandbox.feed(account.platform_account_id)]


def bell(page: Page) -> Locator:
    return page.get_by_role("link", name=re.compile("^Notifications")).filter(visible=True).first


# A server on which nobody has set up anything


@pytest.fixture
def bare_house(house: House) -> Stage:
    """A web process without sandbox and without an app at any network."""
    bare = copy.copy(house.stage)
    bare.web_url = f"http://127.0.0.1:{free_port()}"
    bare.environment = {
        **house.stage.environment,
        "SANDBOX": "0",
        "PUBLIC_BASE_URL": bare.web_url,
        "BUFFER_API_URL": "http://127.0.0.1:9",  # nobody answers there; a test must not reach the real one
        "HTTP_CONNECT_TIMEOUT_SECONDS": "1",
    }
    bare.start_web()
    return bare


def test_without_any_app_every_button_says_what_is_missing(bare_house: Stage, arrive: Arrive) -> None:
    guest = arrive("phone", bare_house.web_url)
    check(guest.page)
    count = guest.accounts.connect_buttons().count()
    assert count >= 12
    for number in range(count):
        guest.accounts.open()
        button = guest.accounts.connect_buttons().nth(number)
        network = button.inner_text()
        button.click()
        guest.accounts.is_here()
        expect(guest.accounts.alert()).to_contain_text(re.compile("(No .* app is|is not) set up on this server yet"))
        expect(guest.accounts.alert()).to_contain_text(re.compile("[A-Z]+_(APP|CLIENT)_ID"))
        expect(guest.accounts.alert()).to_contain_text(f"{bare_house.web_url}/account/")
        assert guest.page.url == f"{bare_house.web_url}/settings/accounts/", network
    check(guest.page)
    guest.page.set_viewport_size(SIZES["desktop"])
    check(guest.page)
    guest.accounts.paste_key("1/" + "0" * 64)
    expect(guest.page.get_by_text("Buffer has trouble or cannot be reached right now")).to_be_visible()
    forget_the_status(guest.page, 422)
    check(guest.page)
    for address in ("/settings/accounts/doctor/", "/", "/posts/new/", "/notifications/"):
        answer = guest.page.goto(address)
        assert answer
        assert answer.status == 200
        check(guest.page)
    assert guest.has_nothing()
