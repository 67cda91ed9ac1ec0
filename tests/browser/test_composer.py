"""The composer with a keyboard, on a slow line and on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import User, Workspace
from publishing import image_sets
from publishing.models import CaptionTemplate, HashtagGroup, ImageSet, ImageSetItem
from socialhub.platforms import PLATFORMS
from tests.browser import axe
from tests.browser.conftest import OpenPage
from tests.factories import make_account, make_media
from tests.publishing.pictures import photo

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


def test_what_is_written_from_the_right_stands_so(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace)
    desktop.goto("/posts/new/")
    desktop.get_by_label("Caption", exact=True).fill("מכונית חדשה.\nA new car.")
    expect(desktop.locator(".preview-text")).to_contain_text("A new car.")
    ends = """element => [0, 11, 13, 22].map(at => {
        const range = document.createRange(), text = element.querySelector('.pre-line').firstChild;
        range.setStart(text, at); range.setEnd(text, at + 1);
        return range.getBoundingClientRect().x;
    })"""
    first, stop, other, other_stop = desktop.locator(".preview-text").evaluate(ends)
    assert stop < first, "the full stop closes the sentence at its left"
    assert other < other_stop


def test_an_untouched_composer_asks_nothing_on_load(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace)
    asked: list[str] = []
    desktop.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    desktop.goto("/posts/new/")
    desktop.wait_for_timeout(700)
    assert asked == []


def test_what_could_not_be_checked_is_not_called_ready(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace)
    desktop.goto("/posts/new/")
    caption, note = desktop.get_by_label("Caption", exact=True), desktop.locator("#composer_note")
    caption.fill("A car")
    expect(note).to_have_text("Ready to go.")
    desktop.route("**/posts/check/*", lambda route: route.abort())
    caption.fill("A car in a tunnel")
    expect(note).to_be_hidden()
    desktop.unroute("**/posts/check/*")
    caption.fill("A car in the light")
    expect(note).to_be_visible()


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
    expect(second.locator(".composer-picture-edit")).to_be_focused()
    desktop.keyboard.press("Shift+Tab")
    desktop.keyboard.press("Enter")
    expect(pictures.nth(2).locator("input[name=media]")).to_have_value(moved)


def set_of(workspace: Workspace, number: int) -> ImageSet:
    image_set = ImageSet.objects.create(workspace=workspace, title="Camaro")
    for position in range(number):
        ImageSetItem.objects.create(image_set=image_set, media=make_media(workspace), position=position)
    return image_set


def order(page: Page) -> list[str]:
    return [field.input_value() for field in page.locator(".composer-picture input[name=media]").all()]


def test_images_change_places_by_dragging_and_by_buttons(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace, platform="instagram", username="garage")
    desktop.goto(f"/posts/new/?set={set_of(workspace, 8).pk}")
    pictures = desktop.locator(".composer-picture")
    for picture in pictures.all():
        expect(picture).to_be_in_viewport(ratio=0.9)
    one, two, three, *rest = order(desktop)
    pictures.nth(2).locator("img").drag_to(pictures.nth(0).locator("img"), target_position={"x": 5, "y": 40})
    assert order(desktop) == [three, one, two, *rest]
    pictures.nth(0).locator("button[data-move='1']").click()
    assert order(desktop) == [one, three, two, *rest]
    expect(pictures.nth(0).locator(".composer-cover")).to_be_visible()
    expect(pictures.nth(1).locator(".composer-cover")).to_be_hidden()
    for place, wanted in enumerate((one, three, two)):  # the preview follows
        shown = desktop.locator(".preview-item img").nth(place)
        expect(shown).to_have_attribute("src", re.compile(wanted))


def test_one_text_for_one_account_is_compared_marked_and_given_up(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace, platform="facebook", name="Garage Page", username="garage")
    make_account(workspace, platform="instagram", name="Garage", username="garage.ig")
    desktop.goto("/posts/new/")
    desktop.get_by_label("Caption", exact=True).fill("A red car\n\n#camaro #v8")
    own = desktop.locator(".composer-override", has_text="Instagram")
    own.locator("[id^='own_']").click()
    own.get_by_role("button", name="Start from the caption").click()
    text = own.get_by_label("Caption for Instagram")
    expect(text).to_have_value("A red car\n\n#camaro #v8")
    expect(own.locator("[id^=difference_]")).to_contain_text("The same as the caption.")
    text.fill("A blue car")
    expect(own.locator("[data-difference-sum]")).to_contain_text("2 fewer hashtags")
    own.get_by_text("Show what differs").click()
    expect(own.locator("ins")).to_have_text("blue")
    text.press("End")
    text.type("!")
    expect(own.locator("ins").last).to_have_text("car!")  # and it is still open
    # Who writes for one account sees its preview, and its chip says that it differs.
    expect(desktop.locator(".preview")).to_have_attribute("data-platform", "instagram")
    expect(desktop.locator(".preview")).to_contain_text("A blue car!")
    expect(desktop.locator(".composer-account .composer-own-mark").nth(1)).to_be_visible()
    expect(desktop.locator(".composer-account .composer-own-mark").nth(0)).to_be_hidden()
    axe.check(desktop)
    own.get_by_role("button", name="Same as caption again").click()
    expect(text).to_have_value("")
    expect(own.locator("[data-difference-sum]")).to_have_count(0)
    expect(desktop.locator(".composer-account .composer-own-mark").nth(1)).to_be_hidden()


def test_previews_are_switched_by_keyboard_and_stay_while_typing(desktop: Page, workspace: Workspace) -> None:
    for platform in ("facebook", "instagram", "linkedin"):
        make_account(workspace, platform=platform)
    desktop.goto("/posts/new/")
    desktop.get_by_label("Caption", exact=True).fill("One")
    preview = desktop.locator(".preview")
    expect(preview).to_have_attribute("data-platform", "facebook")
    desktop.locator(".preview-tab input").nth(0).focus()
    desktop.keyboard.press("ArrowRight")
    expect(preview).to_have_attribute("data-platform", "instagram")
    desktop.keyboard.press("ArrowRight")
    expect(preview).to_have_attribute("data-platform", "linkedin")
    expect(desktop.locator(".preview-tab input").nth(2)).to_be_focused()
    desktop.get_by_label("Caption", exact=True).fill("Two")
    expect(preview).to_contain_text("Two")
    expect(preview).to_have_attribute("data-platform", "linkedin")
    axe.check(desktop)


def test_a_preview_that_is_chosen_while_an_answer_is_on_its_way_is_drawn(desktop: Page, workspace: Workspace) -> None:
    for platform in ("facebook", "linkedin"):
        make_account(workspace, platform=platform)
    held: list[Route] = []
    desktop.goto("/posts/new/")
    desktop.route("**/posts/check/", lambda route: route.continue_() if held else held.append(route))
    desktop.get_by_label("Caption", exact=True).fill("Slow lines")
    while not held:
        desktop.wait_for_timeout(50)
    desktop.locator(".preview-tab").nth(1).click()
    held[0].continue_()
    expect(desktop.locator(".preview")).to_have_attribute("data-platform", "linkedin")
    expect(desktop.locator(".preview-tab input").nth(1)).to_be_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_what_has_to_change_is_one_press_away(
    open_page: OpenPage, owner: User, workspace: Workspace, scheme: str
) -> None:
    make_account(workspace, platform="x", username="garage")
    make_account(workspace, platform="instagram", username="garage")
    image_set = set_of(workspace, 0)
    image_sets.upload(image_set, owner, [photo(), photo(160, 90)])
    phone = open_page("phone", scheme=scheme, user=owner)
    phone.goto(f"/posts/new/?set={image_set.pk}")
    caption = phone.get_by_label("Caption", exact=True)
    caption.fill("x" * 300)
    expect(caption).to_have_attribute("aria-invalid", "true")
    expect(caption).to_have_accessible_description(re.compile("Shorten it by 20"))
    expect(phone.locator("#composer_counters")).to_contain_text("too long")
    phone.get_by_role("button", name="Preview").click()
    expect(phone.locator("#composer_checks")).to_be_in_viewport()
    phone.locator(".preview-tab").nth(1).click()
    expect(phone.locator(".preview")).to_have_attribute("data-platform", "x")
    expect(phone.locator("#composer_side")).to_be_visible()
    axe.check(phone)
    phone.get_by_role("button", name="Go there").first.click()
    expect(caption).to_be_focused()
    expect(phone.locator("#composer_side")).to_be_hidden()
    caption.blur()
    phone.get_by_text("1 thing to change").click()
    expect(caption).to_be_focused()
    caption.fill("Short enough")
    expect(caption).not_to_have_attribute("aria-invalid", "true")
    assert caption.get_attribute("aria-describedby") == "composer_caption_notes"


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


def test_the_menus_are_filled_as_they_are_opened(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace)
    made = [make_media(workspace) for _number in range(2)]
    CaptionTemplate.objects.create(workspace=workspace, name="For Fridays", body="Weekend in {title}")
    HashtagGroup.objects.create(workspace=workspace, name="Cars", hashtags=["camaro", "v8"])
    desktop.goto("/posts/new/")
    desktop.locator(".composer-fill summary").first.click()
    desktop.get_by_role("button", name="For Fridays").click()
    expect(desktop.get_by_label("Caption", exact=True)).to_have_value("Weekend in {title}")
    desktop.locator("#menu_group summary").click()
    desktop.get_by_role("button", name="Cars").click()
    expect(desktop.get_by_label("Hashtags")).to_have_value("#camaro #v8")
    desktop.locator("#menu_library summary").click()
    desktop.locator(f".composer-pick:has([value='{made[0].pk}'])").click()
    desktop.get_by_role("button", name="Add what is chosen").click()
    expect(desktop.locator(".composer-picture")).to_have_count(1)
    # It stays open, and offers what is not in the post yet.
    expect(desktop.locator(".composer-pick")).to_have_count(1)


def test_a_menu_opened_before_the_scripts_is_filled(desktop: Page, workspace: Workspace) -> None:
    CaptionTemplate.objects.create(workspace=workspace, name="For Fridays", body="Weekend")
    held: list[Route] = []
    desktop.route("**/htmx*.js", lambda route: held.append(route))
    desktop.goto("/posts/new/", wait_until="commit")
    desktop.locator("#menu_template summary").click()
    expect(desktop.locator("#menu_template").get_by_role("button", name="Show")).to_be_visible()
    held[0].continue_()
    expect(desktop.get_by_role("button", name="For Fridays")).to_be_visible()


def test_the_counters_of_all_networks_fit_a_phone(phone: Page, workspace: Workspace) -> None:
    for platform in PLATFORMS:
        make_account(workspace, platform=platform)
    phone.goto("/posts/new/")
    expect(phone.locator(".counter-roomy .platform-glyph")).to_have_count(len(PLATFORMS))
    sticks_out = "one => one.getBoundingClientRect().right - one.parentElement.getBoundingClientRect().right"
    assert phone.locator(".counter-roomy").evaluate(sticks_out) <= 0
