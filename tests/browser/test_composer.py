"""The composer with a keyboard, on a slow line and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import User, Workspace
from publishing.models import ImageSet, ImageSetItem
from tests.browser.conftest import OpenPage
from tests.factories import make_account, make_media

pytestmark = pytest.mark.browser


def test_keys_typed_before_the_scripts_are_checked(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace)
    held: list[Route] = []
    desktop.route("**/htmx*.js", lambda route: held.append(route))
    desktop.goto("/posts/new/", wait_until="commit")
    desktop.get_by_label("Caption", exact=True).fill("Typed early")
    expect(desktop.locator("#composer_note")).to_have_text("Write a caption or add an image or a video.")
    desktop.wait_for_timeout(100)
    held[0].continue_()
    expect(desktop.locator("#composer_note")).to_have_text("Ready to go.")
    expect(desktop.locator(".preview-text")).to_contain_text("Typed early")


def test_an_untouched_composer_asks_nothing_on_load(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace)
    asked: list[str] = []
    desktop.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    desktop.goto("/posts/new/")
    desktop.wait_for_timeout(700)
    assert asked == []


def test_an_image_is_two_stops_of_the_tab_key(desktop: Page, workspace: Workspace) -> None:
    image_set = ImageSet.objects.create(workspace=workspace, title="Camaro")
    for position in range(3):
        ImageSetItem.objects.create(image_set=image_set, media=make_media(workspace), position=position)
    desktop.goto(f"/posts/new/?set={image_set.pk}")
    pictures = desktop.locator(".composer-picture")
    expect(desktop.locator(".composer-picture button[tabindex='0']")).to_have_count(3)
    second = pictures.nth(1)
    moved = second.locator("input[name=media]").input_value()
    second.locator("button").nth(0).focus()
    desktop.keyboard.press("ArrowRight")
    desktop.keyboard.press("ArrowRight")
    expect(second.locator("button").nth(2)).to_be_focused()
    desktop.keyboard.press("Tab")
    expect(second.get_by_placeholder("Alt text")).to_be_focused()
    desktop.keyboard.press("Shift+Tab")
    desktop.keyboard.press("Enter")
    expect(pictures.nth(2).locator("input[name=media]")).to_have_value(moved)


def test_on_a_phone_the_action_bar_stands_alone(phone: Page, workspace: Workspace) -> None:
    make_account(workspace)
    phone.goto("/posts/new/")
    expect(phone.locator(".bottom-bar")).to_be_hidden()
    bar = phone.locator(".composer-bar").bounding_box()
    assert bar
    assert bar["height"] <= 100
    assert 844 - 16 <= bar["y"] + bar["height"] <= 844
    phone.goto("/posts/")
    expect(phone.locator(".bottom-bar")).to_be_visible()


def test_tabs_that_do_not_fit_fade_and_show_the_active_one(phone: Page, open_page: OpenPage, owner: User) -> None:
    phone.goto("/settings/accounts/")
    expect(phone.locator(".tabs")).to_have_attribute("data-cut", "end")
    phone.goto("/account/sessions/")
    expect(phone.locator(".tabs")).to_have_attribute("data-cut", "start")
    expect(phone.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=0.9)
    desktop = open_page("desktop", user=owner)
    desktop.goto("/account/sessions/")
    expect(desktop.locator(".tabs")).to_have_attribute("data-cut", "")
