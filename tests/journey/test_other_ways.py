"""Where scripts are switched off, and with nothing but the keyboard."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, expect

from publishing.models import Post
from tests.browser.axe import check
from tests.journey.accounts_page import META, allow
from tests.journey.house import Arrive, House
from tests.journey.windows import menu

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_facebook_is_connected_without_scripts(house: House, arrive: Arrive, size: str) -> None:
    house.sandbox.reset()
    house.sandbox.person(name=f"Nora {size}")
    nora = arrive(size, scripts=False)
    nora.accounts.press_connect("Facebook")
    allow(nora.page, META, f"Nora {size}")
    nora.choice.is_here()
    nora.choice.connect()
    for network in ("Facebook", "Instagram"):
        nora.accounts.has_state(network, "Connected")
    assert {network for network, _name in nora.rows()} == {"facebook", "instagram"}
    expect(nora.page.get_by_role("alert")).to_have_count(0)


def tab_to(target: Locator) -> None:
    """From where the focus is, with the tab key alone."""
    page = target.page
    expect(target).to_be_visible()
    for _ in range(150):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"the tab key does not get to {target}")


def press(target: Locator) -> None:
    tab_to(target)
    target.page.keyboard.press("Enter")


def test_with_the_keyboard_alone(house: House, arrive: Arrive) -> None:
    house.sandbox.reset()
    house.sandbox.person(name="Kay Keys")
    kay = arrive()
    page, keys = kay.page, kay.page.keyboard

    press(kay.accounts.network("Facebook").get_by_role("button", name="Connect Facebook"))
    press(page.get_by_role("link", name="Kay Keys"))
    press(page.get_by_role("button", name=META.allow))
    press(page.get_by_role("button", name="Connect", exact=True))
    kay.accounts.has_state("Facebook", "Connected")

    press(page.get_by_role("link", name="New post").first)
    expect(page.get_by_role("heading", name="New post", level=1)).to_be_visible()
    instagram = page.get_by_role("checkbox", name=re.compile("Instagram"))
    tab_to(instagram)  # a text goes to Facebook alone
    keys.press("Space")
    tab_to(page.get_by_label("Caption", exact=True))
    keys.type("Written without a mouse")
    tab_to(page.get_by_role("radio", name="Now"))
    keys.press("ArrowRight")
    expect(page.get_by_role("radio", name="At a time")).to_be_checked()
    press(page.get_by_role("button", name="Schedule for 1"))
    expect(page.get_by_text("The post is scheduled.")).to_be_visible()
    planned = Post.objects.of(kay.workspace).get()
    assert planned.status == Post.Summary.SCHEDULED
    assert planned.scheduled_at

    press(menu(page).get_by_role("link", name="Calendar"))
    expect(page.get_by_text("Written without a mouse").first).to_be_visible()
    press(page.get_by_role("button", name=re.compile("^Move")).first)
    dialog = page.get_by_role("dialog")
    press(dialog.get_by_role("button", name=re.compile("A week later")))
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("status").get_by_text(re.compile("moved", re.I))).to_be_visible()
    moved = Post.objects.get(pk=planned.pk)
    assert moved.scheduled_at == planned.scheduled_at + timedelta(days=7)
    assert moved.status == Post.Summary.SCHEDULED
    check(page)
