"""What people do with a new installation, from the printed login to the figures of the first post, in a browser."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.axe import check
from tests.checkout import until
from tests.journey.conftest import PASSWORD, Installation, OpenPage, Person
from tests.journey.windows import menu, open_window
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.processes]

SET = "1969 Camaro Restoration"
CAMARO_GARAGE = "101000000000001"
LINDEN_BAKERY = "103000000000001"
ZONE = "Asia/Tokyo"
GOES_OUT = 60_000  # milliseconds for a post of eight images, on a busy machine
# What each card showed, from the first moment of the page on; a reload would begin anew.
KEEP_CARDS = """
window.cards = {};
const note = () => {
  for (const card of document.querySelectorAll("article.publication")) {
    const network = card.querySelector(".publication-names .meta").textContent.split(" · ")[0];
    const progress = card.querySelector("progress");
    const seen = (window.cards[network] ??= []);
    const now = `${card.dataset.status} ${progress ? `${progress.value}/${progress.max}` : ""}`.trim();
    if (seen.at(-1) !== now) seen.push(now);
  }
};
document.addEventListener("DOMContentLoaded", () => {
  note();
  new MutationObserver(note).observe(document.body, {subtree: true, childList: true, attributes: true});
});
"""
IMAGES_LOADED = "images => Promise.all(images.map(i => { i.loading = 'eager'; return i.decode(); })).then(() => true)"


# What people do


def sign_in(page: Page, person: Person) -> None:
    page.goto("/")
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    with page.expect_navigation():  # with its styles, which decide what there is to press on this screen
        page.get_by_role("button", name="Sign in").click()


def stay_here(page: Page) -> None:
    """Leaves a mark that a reload would wipe away."""
    page.evaluate("window.isStillHere = true")


def has_stayed(page: Page) -> bool:
    return bool(page.evaluate("window.isStillHere === true"))


def consent(page: Page, name: str) -> None:
    """On the simulated Facebook, as somebody who allows everything; ends where the Pages are chosen."""
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    check(page)
    page.get_by_role("link", name=name).click()
    go_on = page.get_by_role("button", name=f"Continue as {name.split()[0]}")
    expect(go_on).to_be_visible()
    check(page)
    go_on.click()
    expect(page.get_by_role("heading", name="Choose what to connect")).to_be_visible()
    check(page)


def connect(page: Page, name: str) -> None:
    """From the page of the accounts and back to it, with everything that this person has."""
    page.goto("/settings/accounts/")
    network = page.get_by_role("region", name="Facebook", exact=True)
    network.get_by_role("button", name=re.compile("Connect (Facebook|more)")).click()
    consent(page, name)
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_role("heading", name="Social accounts")).to_be_visible()


def account_card(page: Page, name: str, network: str) -> Locator:
    section = page.get_by_role("region", name=network, exact=True)
    return section.get_by_role("article").filter(has=page.get_by_role("heading", name=name, exact=True))


def publish_text(page: Page, caption: str) -> None:
    """Now, and to the Facebook Page alone: Instagram has no posts without images."""
    page.goto("/posts/new/")
    if (instagram := page.get_by_role("checkbox", name="Instagram")).is_checked():
        instagram.uncheck()
    page.get_by_label("Caption", exact=True).fill(caption)
    page.get_by_role("button", name="Publish to 1").click()
    expect(page.get_by_role("heading", name=caption, level=1)).to_be_visible()


def card_of(page: Page, network: str) -> Locator:
    return page.locator("article.publication").filter(has_text=f"{network} · ")


def switch_on(page: Page, sandbox: Sandbox, fault: str) -> None:
    """A fault for the next post to the Page of Gina."""
    page.goto(f"{sandbox.url}/switchboard/")
    page.get_by_role("radio", name=fault).check()
    page.get_by_label("Which call").select_option("feed")
    faults = page.get_by_role("region", name="Switch on a fault")
    faults.get_by_label("Which account").select_option(label="Camaro Garage")
    check(page)
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("region", name="Switched on").get_by_role("listitem")).to_contain_text(fault)


def posts_that_say(sandbox: Sandbox, account: str, words: str) -> int:
    return sum(words in post["message"] for post in sandbox.feed(account))


@contextmanager
def later(sandbox: Sandbox, hours: float) -> Iterator[None]:
    """At the networks it is so much later than here."""
    sandbox.advance(hours * 3600)
    try:
        yield
    finally:
        sandbox.advance(-hours * 3600)


@contextmanager
def slow(sandbox: Sandbox, seconds: float) -> Iterator[None]:
    """Each call takes as long as at the real networks, or longer."""
    sandbox.latency(seconds * 1000)
    try:
        yield
    finally:
        sandbox.latency(0)


# A post for later, made first


@dataclass(frozen=True)
class Promise:
    at: datetime
    caption: str
    account: str = LINDEN_BAKERY


@pytest.fixture(scope="module")
def promise(browser: Browser, installation: Installation) -> Promise:
    """A post scheduled for the next full minute at least 60 seconds from now; nobody is signed in any more.

    Made before the other journeys and looked for after them, so that they take place while it waits.
    """
    with open_window(browser, installation.url) as window:
        page = window.new_page()
        sign_in(page, installation.early)
        page.goto("/settings/accounts/")
        page.get_by_role("button", name="Connect Facebook").click()
        consent(page, "Alex Agency")
        page.get_by_role("button", name="Select none").click()
        page.get_by_label("Filter by name").fill("linden bakery")
        page.get_by_role("checkbox", name="Linden Bakery").check()
        page.get_by_role("button", name="Connect", exact=True).click()
        expect(account_card(page, "Linden Bakery", "Facebook")).to_contain_text("Connected")

        page.goto("/posts/new/")
        caption = "Fresh rolls from six in the morning"
        page.get_by_label("Caption", exact=True).fill(caption)
        page.get_by_text("At a time").click()
        page.get_by_label("Time zone").select_option(ZONE)
        soon = datetime.now(UTC).timestamp() + 65
        at = datetime.fromtimestamp(math.ceil(soon / 60) * 60, UTC)
        there = at.astimezone(ZoneInfo(ZONE))
        page.get_by_label("Date").fill(there.strftime("%Y-%m-%d"))
        page.get_by_label("Time", exact=True).fill(there.strftime("%H:%M"))
        expect(page.locator("#composer_own_time")).to_contain_text(at.strftime("%H:%M"))
        check(page)
        page.get_by_role("button", name="Schedule for 1").click()
        expect(card_of(page, "Facebook")).to_have_attribute("data-status", "scheduled")
    return Promise(at, caption)


def test_a_post_is_planned_in_the_time_of_another_zone(
    installation: Installation, open_page: OpenPage, promise: Promise
) -> None:
    page = open_page("phone")
    sign_in(page, installation.early)
    menu(page).get_by_role("link", name="Posts", exact=True).click()
    check(page)
    page.get_by_role("link", name=promise.caption).click()
    there = promise.at.astimezone(ZoneInfo(ZONE))
    expect(page.locator(".post-summary")).to_contain_text(f"{there:%H:%M} ({ZONE})")
    expect(page.locator(".post-summary")).to_contain_text(f"For you (UTC) that is {promise.at:%A}")
    check(page)
    assert posts_that_say(installation.sandbox, promise.account, promise.caption) == 0


# The first post


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_from_nothing_to_a_published_post_and_its_figures(
    installation: Installation, open_page: OpenPage, size: str
) -> None:
    page = open_page(size)
    person = installation.admin if size == "desktop" else installation.phoebe
    caption = f"Every bolt was out of this Camaro once, seen on a {size}."

    page.goto("/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    check(page)
    sign_in(page, person)
    page.get_by_role("link", name="Connect an account").wait_for()
    check(page)

    page.get_by_role("link", name="Connect an account").click()
    page.get_by_role("button", name="Connect Facebook").wait_for()
    check(page)
    connect(page, "Gina Garage")
    for network in ("Facebook", "Instagram"):
        card = account_card(page, "Camaro Garage", network)
        expect(card).to_have_attribute("data-shine", "")
        expect(card).to_contain_text("Connected")
        expect(card).to_contain_text("@camarogarage")
    check(page)

    if size == "phone":  # its bar has room for four
        page.locator(".bottom-bar summary").click()
    menu(page).get_by_role("link", name="Library", exact=True).click()
    page.get_by_role("link", name=SET).wait_for()
    check(page)
    page.get_by_role("link", name=SET).click()
    expect(page.locator("#set-images-list > li")).to_have_count(8)
    check(page)
    page.get_by_role("link", name="Write a post").click()
    expect(page.locator(".composer-picture")).to_have_count(8)
    expect(page.get_by_label("Caption", exact=True)).to_have_value(re.compile("1969 Chevrolet Camaro"))
    page.wait_for_load_state()  # what is typed before the scripts are there is checked with the next key only
    page.get_by_label("Caption", exact=True).fill(caption)
    expect(page.locator("#composer_review")).to_contain_text(caption)
    check(page)

    page.add_init_script(KEEP_CARDS)
    with slow(installation.sandbox, 0.3):
        page.get_by_role("button", name="Publish to 2").click()
        for network in ("Facebook", "Instagram"):
            expect(page.get_by_role("link", name=f"View on {network}")).to_be_visible(timeout=GOES_OUT)
    seen = page.evaluate("window.cards")
    assert list(seen) == ["Facebook", "Instagram"]
    for looks in seen.values():
        assert looks[-1].startswith("published"), seen
        assert any(re.match(r"publishing [1-9]", look) for look in looks), seen
    check(page)

    for network in ("Facebook", "Instagram"):
        with page.context.expect_page() as opened:
            page.get_by_role("link", name=f"View on {network}").click()
        live = opened.value
        assert live.url.startswith(installation.sandbox.url)
        post = live.get_by_role("article")
        expect(post).to_contain_text(caption)
        images = post.locator(".mosaic img, .strip img")
        expect(images).to_have_count(8)
        assert images.evaluate_all(IMAGES_LOADED)
        check(live)
        live.close()

    with later(installation.sandbox, hours=6):
        for network in ("Facebook", "Instagram"):
            page.goto("/settings/accounts/")
            account_card(page, "Camaro Garage", network).get_by_role("button", name="Sync now").click()
            expect(page.get_by_text("are up to date")).to_be_visible(timeout=GOES_OUT)
        until(lambda: all(likes and views for likes, views in figures_on_dashboard(page, caption)))
    check(page)


def figures_on_dashboard(page: Page, caption: str) -> list[tuple[int, int]]:
    """Likes and views of the post on both networks, 0 where there is no figure yet."""
    page.goto("/")
    row = page.get_by_role("article").filter(has=page.get_by_role("link", name=caption))
    networks = row.locator(".recent-network")
    expect(networks).to_have_count(2)
    return [
        (number(network.get_by_title("Likes")), number(network.get_by_title("Views"))) for network in networks.all()
    ]


def number(place: Locator) -> int:
    figure = place.locator(".figure")
    if not figure.count():
        return 0
    return int((figure.get_attribute("title") or figure.inner_text()).replace(",", ""))


# Faults of a network


def test_a_lost_answer_is_looked_after_and_posted_once(installation: Installation, open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page, installation.faith)
    connect(page, "Gina Garage")
    switch_on(page, installation.sandbox, "Answer lost after accepting")
    publish_text(page, "Once is enough")
    stay_here(page)
    card = card_of(page, "Facebook")
    expect(card).to_have_attribute("data-status", "checking")
    expect(card).to_contain_text("We handed the post over, but Facebook’s answer got lost.")
    check(page)
    expect(card.get_by_role("link", name="View on Facebook")).to_be_visible(timeout=GOES_OUT)
    assert has_stayed(page)
    assert posts_that_say(installation.sandbox, CAMARO_GARAGE, "Once is enough") == 1


def test_a_revoked_access_waits_for_the_person_who_can_renew_it(
    installation: Installation, open_page: OpenPage
) -> None:
    page = open_page("phone")
    sign_in(page, installation.faith)
    connect(page, "Gina Garage")
    switch_on(page, installation.sandbox, "Token revoked")
    publish_text(page, "Patience is a virtue")
    card = card_of(page, "Facebook")
    expect(card).to_contain_text("Waits until the account is connected again.")
    check(page)

    card.get_by_role("link", name="Open social accounts").click()
    account = account_card(page, "Camaro Garage", "Facebook")
    expect(page.get_by_role("region", name="Facebook", exact=True).get_by_text("Error", exact=True)).to_be_visible()
    expect(account).to_contain_text("Access expired")
    expect(account.get_by_role("button", name="Reconnect")).to_be_visible()
    expect(account).to_contain_text("Scheduled posts wait until then.")
    check(page)
    assert posts_that_say(installation.sandbox, CAMARO_GARAGE, "Patience") == 0

    account.get_by_role("button", name="Reconnect").first.click()
    consent(page, "Gina Garage")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(account_card(page, "Camaro Garage", "Facebook")).to_contain_text("Connected")
    menu(page).get_by_role("link", name="Posts", exact=True).click()
    page.get_by_role("link", name="Patience is a virtue").click()
    expect(page.get_by_role("link", name="View on Facebook")).to_be_visible(timeout=GOES_OUT)
    check(page)
    assert posts_that_say(installation.sandbox, CAMARO_GARAGE, "Patience") == 1


def test_a_network_that_asks_to_wait_is_told_with_the_new_time(installation: Installation, open_page: OpenPage) -> None:
    """The last of the faults, as the Page of this person is not used again before that time."""
    page = open_page()
    sign_in(page, installation.faith)
    connect(page, "Gina Garage")
    switch_on(page, installation.sandbox, "Rate limited")
    began = datetime.now(UTC)
    publish_text(page, "Not so fast")
    card = card_of(page, "Facebook")
    waiting = card.get_by_text(re.compile(r"Waiting until \d\d:\d\d: "))
    expect(waiting).to_be_visible()
    expect(card).to_have_attribute("data-status", "scheduled")
    clock = re.search(r"until (\S+): ", waiting.inner_text())
    assert clock
    wait = timedelta(days=1) + (
        datetime.strptime(clock[1] + "+0000", "%H:%M%z") - began.replace(year=1900, month=1, day=1)
    )
    assert timedelta(minutes=4) - timedelta(seconds=1) <= wait % timedelta(days=1) <= timedelta(minutes=6)
    check(page)
    assert posts_that_say(installation.sandbox, CAMARO_GARAGE, "Not so fast") == 0


# A Page without Instagram


@pytest.mark.parametrize("size", ["phone"])
def test_a_page_without_instagram_gets_it_by_the_guidance(
    installation: Installation, open_page: OpenPage, size: str
) -> None:
    page = open_page(size)
    sign_in(page, installation.partner)
    connect(page, "Paul Partly")
    dialog = page.get_by_role("dialog", name="Link an Instagram account")
    expect(dialog).to_contain_text("no Instagram professional account is linked to it")
    check(page)
    stay_here(page)
    dialog.get_by_role("button", name="Re-check now").click()
    expect(dialog).to_contain_text("Facebook still shows no Instagram account")

    network = page.context.new_page()
    network.goto(f"{installation.sandbox.url}/")
    check(network)
    network.get_by_role("button", name="Link an Instagram account to Paul's Pottery").click()
    expect(network.get_by_role("link", name="@paulspottery")).to_be_visible()
    network.close()

    dialog.get_by_role("button", name="Re-check now").click()
    expect(account_card(page, "Paul's Pottery", "Instagram")).to_contain_text("Connected")
    expect(account_card(page, "Paul's Pottery", "Facebook")).to_contain_text("Connected")
    expect(dialog).to_be_hidden()
    assert has_stayed(page)
    check(page)


# A new person


def test_a_new_person_signs_up_and_guards_the_account_with_a_second_factor(
    installation: Installation, open_page: OpenPage
) -> None:
    page = open_page("phone")
    newcomer = Person("newcomer@example.com")
    page.goto("/account/login/")
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("Email").fill(newcomer.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    check(page)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_label("Code").wait_for()
    check(page)
    page.get_by_label("Code").fill(code_in_mail(installation, newcomer))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Where do you want to publish?")).to_be_visible()

    open_menu(page).get_by_role("link", name="Two-factor sign-in").click()
    check(page)
    page.get_by_role("link", name="Turn on").click()
    check(page)
    page.get_by_label("Password").fill(PASSWORD)  # once more, before the account is changed
    page.get_by_role("button", name="Go on").click()
    secret = page.get_by_label("Setup key").input_value()
    check(page)
    page.get_by_label("Code").fill(one_time_code(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    check(page)

    open_menu(page).get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, newcomer)
    expect(page.get_by_label("Code")).to_be_visible()
    check(page)
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Incorrect code.")).to_be_visible()
    page.get_by_label("Code").fill(one_time_code(secret))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Where do you want to publish?")).to_be_visible()


def open_menu(page: Page) -> Locator:
    page.wait_for_load_state()  # without its styles both menus are there
    menu = page.locator(".user-menu:visible")
    menu.locator("summary").click()
    return menu


def code_in_mail(installation: Installation, person: Person) -> str:
    """The code out of the mail that the web process has printed."""
    pattern = re.compile(
        rf"To: {re.escape(person.email)}.*?\| ([A-Z0-9]+(?:-[A-Z0-9]+)*)\s*$", re.DOTALL | re.MULTILINE
    )
    until(lambda: pattern.search(installation.checkout.log.read_text()), 20)
    found = pattern.search(installation.checkout.log.read_text())
    assert found
    return found[1]


def one_time_code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


# On time: looked for last, as the other journeys take place while it waits


def test_a_scheduled_post_goes_out_on_time_with_the_browser_closed(
    installation: Installation, open_page: OpenPage, promise: Promise
) -> None:
    left = (promise.at - datetime.now(UTC)).total_seconds()
    until(lambda: posts_that_say(installation.sandbox, promise.account, promise.caption), max(left, 0) + 20)
    page = open_page()
    sign_in(page, installation.early)
    page.goto("/posts/")
    page.get_by_role("link", name=promise.caption).click()
    published = card_of(page, "Facebook").locator("time")
    expect(published).to_be_visible()
    page.get_by_text("Everything that happened").click()
    first_try = page.locator("#post_timeline li").filter(has_text="Try 1").locator("time")
    for moment in (published, first_try):
        at = datetime.fromisoformat(moment.get_attribute("datetime") or "")
        assert timedelta() <= at - promise.at <= timedelta(seconds=5)
    check(page)
    assert posts_that_say(installation.sandbox, promise.account, promise.caption) == 1
