"""Settings → Social accounts in a browser: dialogs, the search, rows that unfold, and all of it without scripts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from accounts.models import ConnectedAccount, Credential, Grant, User, Workspace
from publishing.models import Publication
from tests.browser.axe import check
from tests.browser.conftest import OpenPage
from tests.factories import make_account, make_entry, make_post

pytestmark = pytest.mark.browser

SOCIAL = reverse("accounts:social")
LOOKS = [(size, scheme) for size in ("phone", "desktop") for scheme in ("light", "dark")]


@pytest.fixture
def garage(owner: User, workspace: Workspace) -> dict[str, ConnectedAccount]:
    """One account of each state."""
    now = timezone.now()
    grant = Grant.objects.create(
        workspace=workspace, user=owner, provider="meta", platform_user_id="1", access_token="EAAuser"
    )
    key = Grant.objects.create(
        workspace=workspace, user=owner, provider="buffer", platform_user_id="1", access_token="key"
    )
    page = make_account(workspace, token=None, name="Classic Motors", followers_count=12_480, is_default=True)
    Credential.objects.create(account=page, grant=grant, access_token="EAApage")
    post = make_post(workspace, page, status="scheduled")
    Publication.objects.filter(post=post).update(status="scheduled")
    make_entry(post.publications.get(), not_before=now + timedelta(days=1))
    channel = make_account(
        workspace,
        token=None,
        platform="x",
        name="Motors on X",
        account_type="channel",
        login_kind="buffer",
        status="revoked",
        status_reason="Buffer does not accept the key any more.",
        platform_message="UNAUTHORIZED",
    )
    Credential.objects.create(account=channel, grant=key)
    return {
        "page": page,
        "lonely": make_account(workspace, name="Lonely Page", paused_at=now, pause_reason="Holidays", paused_by=owner),
        "instagram": make_account(workspace, platform="instagram", name="Insta Motors", parent=page),
        "ending": make_account(
            workspace,
            platform="linkedin",
            account_type="person",
            login_kind="linkedin",
            name="Ada",
            token_expires_at=now + timedelta(days=3),
            missing_scopes=["w_member_social"],
        ),
        "channel": channel,
    }


@pytest.fixture
def agency(workspace: Workspace) -> None:
    for number in range(40):
        make_account(workspace, name=f"Shop {number:02}", username=f"shop{number:02}")
    make_account(workspace, platform="x", name="Noisy", status="expired", status_reason="The access has run out.")


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_every_state_stands_the_look(
    open_page: OpenPage, owner: User, garage: dict[str, ConnectedAccount], size: str, scheme: str
) -> None:
    page = open_page(size, scheme=scheme, user=owner)
    page.goto(SOCIAL)
    check(page)
    for account, name in (("page", "Pause"), ("lonely", "How to link"), ("channel", "Reconnect")):
        place = page if account == "lonely" else page.locator(f"#account-{garage[account].pk}")
        place.get_by_role("link", name=name).first.click()
        expect(page.get_by_role("dialog").get_by_role("heading", level=2)).not_to_have_text("One moment…")
        check(page)
        page.keyboard.press("Escape")
    for name, account in garage.items():
        for address in ("account", "pause", "disconnect", *(["guidance"] if name == "lonely" else [])):
            page.goto(reverse(f"accounts:{address}", args=[account.pk]))
            check(page)
    page.goto(f"{reverse('accounts:buffer_key')}?account={garage['channel'].pk}")
    check(page)


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_many_accounts_stand_the_look(open_page: OpenPage, owner: User, agency: None, size: str, scheme: str) -> None:
    page = open_page(size, scheme=scheme, user=owner)
    page.goto(SOCIAL)
    page.locator(".account-row summary").first.click()
    expect(page.get_by_role("article", name="Shop 00")).to_be_visible()
    check(page)
    page.goto(f"{SOCIAL}?q=nobody")
    check(page)


def test_a_dialog_shows_its_own_account_and_gives_the_focus_back(
    desktop: Page, garage: dict[str, ConnectedAccount]
) -> None:
    desktop.goto(SOCIAL)
    first = desktop.locator(f"#account-{garage['page'].pk}").get_by_role("link", name="Disconnect")
    first.click()
    dialog = desktop.get_by_role("dialog", name="Disconnect Classic Motors (Facebook)?")
    expect(dialog).to_contain_text("1 scheduled post will not go out on it.")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_be_hidden()
    expect(first).to_be_focused()

    # The next one is slow: nothing of the first is in sight meanwhile.
    waiting: list[Route] = []
    desktop.route("**/disconnect/", lambda route: waiting.append(route))
    desktop.locator(f"#account-{garage['instagram'].pk}").get_by_role("link", name="Disconnect").click()
    expect(desktop.get_by_role("heading", name="One moment…")).to_be_visible()
    expect(desktop.get_by_text("Disconnect Classic Motors")).to_have_count(0)
    waiting[0].continue_()
    asked = desktop.get_by_role("dialog", name="Disconnect Insta Motors (Instagram)?")
    expect(asked).to_be_visible()
    desktop.unroute("**/disconnect/")
    asked.get_by_role("button", name="Disconnect").click()
    expect(desktop.get_by_text("Insta Motors is disconnected.")).to_be_visible()
    garage["instagram"].refresh_from_db()
    assert garage["instagram"].status == "disconnected"
    check(desktop)


def test_the_guidance_opens_at_once_and_the_answer_of_facebook_comes_in_after(
    desktop: Page, garage: dict[str, ConnectedAccount]
) -> None:
    desktop.goto(SOCIAL)
    waiting: list[Route] = []
    desktop.route("**/guidance/live/", lambda route: waiting.append(route))
    with desktop.expect_request("**/guidance/live/"):
        desktop.get_by_role("link", name="How to link").click()
    dialog = desktop.get_by_role("dialog", name="Link an Instagram account")
    expect(dialog).to_contain_text("Asking Facebook…")
    expect(dialog).to_contain_text("publish to Instagram")
    expect(dialog.get_by_role("button", name="Re-check now")).to_be_enabled()
    waiting[0].fulfill(body='<section id="guidance-permissions"><p>Facebook said this just now.</p></section>')
    expect(dialog).to_contain_text("Facebook said this just now.")
    expect(dialog).not_to_contain_text("Asking Facebook…")
    check(desktop)


def test_only_the_network_that_is_pressed_is_connecting(desktop: Page, garage: dict[str, ConnectedAccount]) -> None:
    desktop.goto(SOCIAL)
    # A browser that goes to another page tells nothing any more: it stays, as with a network that does not answer.
    desktop.evaluate("document.addEventListener('submit', (event) => event.preventDefault())")
    desktop.get_by_role("button", name="Connect more LinkedIn").click()
    busy = desktop.get_by_text("Connecting…").locator("visible=true")
    expect(busy).to_have_count(1)
    expect(desktop.get_by_role("region", name="LinkedIn").get_by_text("Connecting…")).to_be_visible()


def test_on_a_phone_the_rarer_acts_are_behind_one_button(
    phone: Page, desktop: Page, garage: dict[str, ConnectedAccount]
) -> None:
    for page, is_folded in ((phone, True), (desktop, False)):
        page.goto(SOCIAL)
        card = page.locator(f"#account-{garage['page'].pk}")
        expect(card.get_by_role("button", name="Sync now")).to_be_visible()
        expect(card.get_by_role("link", name="Disconnect")).to_be_visible(visible=not is_folded)
        if is_folded:
            card.get_by_text("More").click()
            expect(card.get_by_role("link", name="Disconnect")).to_be_visible()
            expect(card.get_by_role("button", name="Check access")).to_be_visible()
            check(page)


def test_the_search_finds_while_one_types(desktop: Page, agency: None) -> None:
    desktop.goto(SOCIAL)
    expect(desktop.get_by_role("button", name="Show", exact=True)).to_be_hidden()
    desktop.get_by_label("Name or handle").fill("shop 17")
    expect(desktop.locator(".account-row")).to_have_count(1)
    expect(desktop.get_by_text("1 account found.")).to_be_visible()
    assert "q=shop+17" in desktop.url or "q=shop%2017" in desktop.url
    desktop.locator(".account-row summary").click()
    expect(desktop.get_by_role("article", name="Shop 17")).to_be_visible()
    check(desktop)
    desktop.get_by_label("Name or handle").fill("")
    desktop.get_by_label("State").select_option("attention")
    expect(desktop.locator(".account-row")).to_have_count(1)
    expect(desktop.locator(".account-row")).to_contain_text("The access has run out.")


def test_everything_works_without_scripts(
    open_page: OpenPage, owner: User, garage: dict[str, ConnectedAccount], workspace: Workspace
) -> None:
    page = open_page("phone", user=owner, java_script_enabled=False)
    page.goto(SOCIAL)
    card = page.locator(f"#account-{garage['page'].pk}")
    card.get_by_role("link", name="Pause").click()
    page.get_by_label("Reason").fill("Holiday")
    page.get_by_role("button", name="Pause").click()
    expect(card).to_contain_text("Holiday")
    card.get_by_text("More").click()
    card.get_by_role("link", name="Disconnect").click()
    expect(page.get_by_text("1 scheduled post will not go out on it.")).to_be_visible()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("heading", name="Social accounts")).to_be_visible()
    expect(card).to_have_count(0)
    page.locator(f"#account-{garage['channel'].pk}").get_by_role("link", name="Reconnect").click()
    expect(page.get_by_label("Personal key")).to_be_visible()
    page.goto(SOCIAL)
    page.get_by_role("link", name="How to link").first.click()
    expect(page.get_by_text("Asking Facebook…")).to_be_hidden()
    expect(page.get_by_role("button", name="Re-check now")).to_be_visible()

    for number in range(20):
        make_account(workspace, name=f"Shop {number:02}")
    page.goto(SOCIAL)
    page.get_by_label("Name or handle").fill("shop 07")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".account-row")).to_have_count(1)
    page.locator(".account-row summary").click()
    page.get_by_role("link", name="Open “Shop 07”").click()
    expect(page.get_by_role("article", name="Shop 07")).to_be_visible()
