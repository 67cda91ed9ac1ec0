"""What static/js/app.js adds to the pages."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from playwright.sync_api import Page, Route, expect

from accounts.models import User, Workspace
from analytics.models import PlatformPost
from tests.browser.axe import check
from tests.browser.conftest import OpenPage
from tests.factories import make_account
from tests.pages.test_dashboard import elsewhere

pytestmark = pytest.mark.browser


@pytest.fixture
def staff(owner: User) -> User:
    owner.is_staff = True
    owner.save(update_fields=["is_staff"])
    return owner


def test_a_dialog_takes_the_focus_and_gives_it_back(desktop: Page, staff: User) -> None:
    desktop.goto("/staff/style/")
    opener = desktop.get_by_role("button", name="Open dialog")
    dialog = desktop.get_by_role("dialog", name="Disconnect Joe's Garage?")
    opener.click()
    expect(dialog).to_be_visible()
    check(desktop)
    assert desktop.evaluate("document.querySelector('#sample-dialog').contains(document.activeElement)")
    desktop.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    opener.click()
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    opener.click()
    desktop.mouse.click(5, 5)  # on the backdrop
    expect(dialog).to_be_hidden()


def test_a_menu_opens_and_closes_with_the_keyboard(desktop: Page, owner: User) -> None:
    desktop.goto("/")
    menu = desktop.locator(".rail .user-menu")
    summary = menu.locator("summary")
    summary.focus()
    desktop.keyboard.press("Enter")
    expect(menu.get_by_role("button", name="Sign out")).to_be_visible()
    check(desktop)
    desktop.keyboard.press("ArrowUp")
    expect(menu.get_by_role("button", name="Sign out")).to_be_focused()
    desktop.keyboard.press("Escape")
    expect(menu.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(summary).to_be_focused()
    summary.click()
    desktop.locator("h1").click()
    expect(menu.get_by_role("button", name="Sign out")).to_be_hidden()


def test_signing_out_works_from_the_phone(phone: Page, owner: User) -> None:
    phone.goto("/")
    phone.locator(".topbar .user-menu summary").click()
    phone.locator(".topbar").get_by_role("button", name="Sign out").click()
    phone.wait_for_url("**/account/login/**")


def test_the_skip_link_is_the_first_stop(desktop: Page, owner: User) -> None:
    desktop.goto("/")
    desktop.keyboard.press("Tab")
    expect(desktop.get_by_role("link", name="Skip to content")).to_be_focused()
    desktop.keyboard.press("Enter")
    assert desktop.evaluate("document.activeElement.id") == "content"


def test_a_message_can_be_dismissed(desktop: Page, staff: User) -> None:
    desktop.goto("/staff/style/?toast=error")
    message = desktop.get_by_text("The post is scheduled for tomorrow")
    expect(message).to_be_visible()
    check(desktop)
    desktop.get_by_role("button", name="Dismiss").click()
    expect(message).to_be_hidden()


def test_a_form_goes_out_once_however_often_it_is_clicked(desktop: Page, owner: User) -> None:
    desktop.goto("/")
    sent: list[str] = []

    def stay(route: Route) -> None:
        sent.append(route.request.url)
        route.fulfill(status=204)  # the browser stays on the page, so that a second click can reach it

    desktop.route("**/account/logout/", stay)
    desktop.locator(".rail .user-menu summary").click()
    button = desktop.locator(".rail").get_by_role("button", name="Sign out")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    button.click()
    desktop.wait_for_timeout(200)
    assert len(sent) == 1


def test_more_posts_are_loaded_in_place(desktop: Page, workspace: Workspace) -> None:
    account = make_account(workspace)
    for number in range(13):
        elsewhere(account, number)
    desktop.goto("/")
    posts = desktop.locator(".recent-post")
    expect(posts).to_have_count(10)
    desktop.get_by_role("link", name="Load more").click()
    expect(posts).to_have_count(13)
    expect(desktop.get_by_role("link", name="Load more")).to_have_count(0)
    check(desktop)


def test_a_session_that_ended_is_told_and_the_page_stays(desktop: Page, workspace: Workspace) -> None:
    account = make_account(workspace)
    for number in range(13):
        elsewhere(account, number)
    desktop.goto("/")
    Session.objects.all().delete()
    cache.clear()
    desktop.get_by_role("link", name="Load more").click()
    dialog = desktop.get_by_role("dialog", name="You are signed out")
    expect(dialog).to_be_visible()
    expect(desktop.locator(".recent-post")).to_have_count(10)
    expect(dialog.get_by_role("link", name="Sign in again")).to_have_attribute("href", "/account/login/?next=%2F")


def test_a_lost_connection_is_told(desktop: Page, workspace: Workspace) -> None:
    account = make_account(workspace)
    for number in range(13):
        elsewhere(account, number)
    desktop.goto("/")
    desktop.route("**/?before=*", lambda route: route.abort())
    link = desktop.get_by_role("link", name="Load more")
    link.click()
    expect(desktop.get_by_text("No connection.")).to_be_visible()
    expect(link).not_to_have_attribute("aria-busy", "true")


def test_a_picture_that_does_not_load_makes_way(open_page: OpenPage, owner: User, workspace: Workspace) -> None:
    page = open_page(user=owner)
    account = make_account(workspace, name="Joe Garage")
    PlatformPost.objects.filter(pk=elsewhere(account, 1).pk).update(thumbnail_url="/media/none.jpg")
    page.goto("/")
    expect(page.locator(".recent-post .thumb img")).to_have_count(0)


# --- The bar of the phone, and its menu -------------------------------------------------------------------------


def test_the_rest_of_the_places_is_a_thumb_away(phone: Page, owner: User) -> None:
    phone.goto("/posts/")
    bar = phone.get_by_role("navigation", name="Main, small screens")
    more = bar.locator("summary", has_text="More")
    more.tap()
    library = bar.get_by_role("link", name="Library")
    expect(library).to_be_visible()
    check(phone)
    phone.get_by_role("heading", level=1).tap()
    expect(library).to_be_hidden()
    more.tap()
    library.tap()
    phone.wait_for_url("**/library/")
    more.tap()
    expect(library).to_have_attribute("aria-current", "page")


def test_the_menu_of_the_bar_is_walked_with_the_arrows(phone: Page, owner: User) -> None:
    phone.goto("/posts/")
    bar = phone.get_by_role("navigation", name="Main, small screens")
    more = bar.locator("summary", has_text="More")
    more.focus()
    phone.keyboard.press("ArrowDown")
    expect(bar.get_by_role("link", name="Library")).to_be_focused()
    phone.keyboard.press("ArrowDown")
    expect(bar.get_by_role("link", name="Analytics")).to_be_focused()
    phone.keyboard.press("End")
    expect(bar.get_by_role("link", name="Profile")).to_be_focused()
    phone.keyboard.press("ArrowDown")
    expect(bar.get_by_role("link", name="Library")).to_be_focused()
    phone.keyboard.press("Escape")
    expect(more).to_be_focused()
    expect(bar.get_by_role("link", name="Library")).to_be_hidden()


# From its middle up and down as long as the pointer still meets the link: what lies over a card counts, what is clipped does not.
HEIGHTS = """
all => all.filter((one) => one.checkVisibility()).map((one) => {
  one.scrollIntoView({block: "center"});
  const box = one.getClientRects()[0];  // its first line
  const meets = (y) => one.contains(document.elementFromPoint(box.left + box.width / 2, y));
  let [top, bottom] = [box.top + box.height / 2, box.top + box.height / 2];
  while (meets(top - 1) && bottom - top < 44) top -= 1;
  while (meets(bottom + 1) && bottom - top < 44) bottom += 1;
  return [one.textContent.trim().slice(0, 40), bottom - top + 1];
})
"""


def test_links_in_texts_are_met_by_a_finger(phone: Page, workspace: Workspace) -> None:
    make_account(workspace, status="expired", status_reason="Access ended on Tuesday.")
    phone.goto("/posts/new/")
    found = phone.locator("main a:not([class])").evaluate_all(HEIGHTS)
    assert found
    assert [link for link in found if link[1] < 24] == []


# --- Light and dark ---------------------------------------------------------------------------------------------

PAPER = "getComputedStyle(document.documentElement).backgroundColor"


def test_the_scheme_changes_at_once_and_stays(desktop: Page, owner: User) -> None:
    desktop.goto("/library/sets/new/")
    light = desktop.evaluate(PAPER)
    field = desktop.get_by_label("Title")
    field.fill("half a word")
    desktop.locator(".rail .user-menu summary").click()
    with desktop.expect_response("**/theme/"):
        desktop.locator(".rail").get_by_role("button", name="Dark").click()
    assert desktop.evaluate(PAPER) != light
    expect(field).to_have_value("half a word")
    check(desktop)
    desktop.goto("/library/")
    assert desktop.evaluate(PAPER) != light
    expect(desktop.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_scheme_can_be_chosen_without_scripts(open_page: OpenPage, owner: User) -> None:
    page = open_page("phone", user=owner, java_script_enabled=False)
    page.goto("/posts/")
    page.locator(".topbar .user-menu summary").tap()
    page.locator(".topbar").get_by_role("button", name="Dark").tap()
    page.wait_for_url("**/posts/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


# --- Fields -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_password_can_be_looked_at_and_the_focus_is_on_what_is_wrong(open_page: OpenPage, owner: User) -> None:
    page = open_page("phone")
    page.goto("/account/login/")
    password = page.get_by_label("Password", exact=True)
    page.get_by_label("Email").fill(owner.email)
    password.fill("not this one")
    page.get_by_role("button", name="Show what is typed").tap()
    expect(password).to_have_attribute("type", "text")
    page.get_by_role("button", name="Sign in").tap()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Email")).to_have_value(owner.email)
    expect(password).to_have_attribute("type", "password")


# --- Installable, on paper, with less motion --------------------------------------------------------------------


def test_a_phone_can_install_it(phone: Page, owner: User) -> None:
    phone.goto("/posts/")
    tools = phone.context.new_cdp_session(phone)
    manifest = tools.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"].endswith("/manifest.webmanifest")
    # A window of a test counts as a private one, where nothing can be installed; all else must be right.
    found = {error["errorId"] for error in tools.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert found <= {"in-incognito"}


def test_on_paper_there_are_no_bars_and_nothing_to_press(desktop: Page, owner: User) -> None:
    desktop.goto("/posts/")
    desktop.emulate_media(media="print", color_scheme="dark")
    for name in (".rail", ".bottom-bar", ".page-actions", ".sandbox-banner"):
        assert desktop.locator(name).evaluate_all("all => all.filter(one => one.checkVisibility()).length") == 0
    expect(desktop.get_by_role("heading", level=1)).to_be_visible()
    assert desktop.evaluate("getComputedStyle(document.body).color") == "rgb(34, 31, 27)"


def test_less_motion_is_respected_by_what_turns(desktop: Page, staff: User) -> None:
    desktop.goto("/staff/style/")
    turning = "one => getComputedStyle(one, '::after').animationIterationCount"
    busy = desktop.locator("main .button[aria-busy=true]").first
    assert busy.evaluate(turning) == "1"
    desktop.emulate_media(reduced_motion="no-preference")
    assert busy.evaluate(turning) == "infinite"
