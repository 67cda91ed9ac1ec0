"""Choosing what only one network asks for, on a desk and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from accounts.models import ConnectedAccount, User, Workspace
from publishing.media import store_upload
from publishing.models import ImageSet, ImageSetItem, Publication
from tests.browser import axe
from tests.browser.conftest import OpenPage
from tests.factories import make_account
from tests.publishing.pictures import encoded, gradient, upload

pytestmark = pytest.mark.browser

BOARDS = [{"id": "881", "name": "Workshop"}, {"id": "882", "name": "Bikes of the week"}]


@pytest.fixture
def pinterest(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, platform="pinterest", login_kind="buffer", offers={"boards": BOARDS})


@pytest.fixture
def image_set(workspace: Workspace, owner: User) -> ImageSet:
    picture = upload(encoded(gradient(600, 900)))
    found = ImageSet.objects.create(workspace=workspace, title="Camaro")
    ImageSetItem.objects.create(image_set=found, media=store_upload(workspace, owner, picture), position=1)
    return found


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_board_is_chosen(
    open_page: OpenPage, owner: User, pinterest: ConnectedAccount, image_set: ImageSet, size: str, scheme: str
) -> None:
    page = open_page(size, scheme=scheme, user=owner)
    page.goto(f"/posts/new/?set={image_set.pk}")
    page.get_by_label("Caption", exact=True).fill("Ready to ride")
    expect(page.locator("#composer_checks")).to_contain_text("Pinterest puts every Pin on a board. Choose one.")
    group = page.get_by_role("group", name="Pinterest")
    group.get_by_label("Board").select_option("Bikes of the week")
    expect(page.locator("#composer_note")).to_have_text("Ready to go.")
    expect(page.locator(".preview")).to_contain_text("Board Bikes of the week")
    group.get_by_label("Title").fill("The red one")
    expect(page.locator(".preview-title")).to_have_text("The red one")
    axe.check(page)
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_url("**/posts/*-*/")
    expect(page.get_by_text("Bikes of the week")).to_be_visible()
    assert Publication.objects.get().choices == {"board_service_id": "882", "title": "The red one"}


def test_what_is_missing_is_said_at_the_field(desktop: Page, pinterest: ConnectedAccount, image_set: ImageSet) -> None:
    desktop.goto(f"/posts/new/?set={image_set.pk}")
    desktop.get_by_role("button", name="Publish to 1").click()
    board = desktop.get_by_label("Board")
    expect(desktop.locator("#composer_errors")).to_be_focused()
    expect(board).to_have_attribute("aria-invalid", "true")
    expect(board).to_have_accessible_description("Pinterest puts every Pin on a board. Choose one.")
    desktop.watch.complaints.clear()  # type: ignore[attr-defined]  # the browser notes the answer 422
    axe.check(desktop)


def test_the_title_of_a_link_is_asked_once_there_is_a_link(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace, platform="linkedin")
    desktop.goto("/posts/new/")
    group = desktop.locator(".composer-override", has_text="LinkedIn")
    group.locator("[id^='own_']").click()
    expect(group.get_by_label("Title of the link")).to_be_hidden()
    expect(group.get_by_label("Title of the document")).to_be_hidden()
    desktop.get_by_label("Link", exact=True).fill("https://example.org/camaro")
    expect(group.get_by_label("Title of the link")).to_be_visible()
    expect(group.get_by_label("Title of the document")).to_be_hidden()


def test_what_is_asked_follows_what_was_chosen(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace, platform="google_business", login_kind="buffer")
    desktop.goto("/posts/new/")
    group = desktop.locator(".composer-override", has_text="Google Business")
    group.locator("[id^='own_']").click()
    expect(group.get_by_label("First day")).to_be_hidden()
    group.get_by_label("Kind of post").select_option("Event")
    expect(group.get_by_label("First day")).to_be_visible()
    expect(group.get_by_label("Begins at")).to_be_hidden()
    group.get_by_label("All day").uncheck()
    expect(group.get_by_label("Begins at")).to_be_visible()
    group.get_by_label("Kind of post").select_option("Offer")
    expect(group.get_by_label("Begins at")).to_be_hidden()
    expect(group.get_by_label("Coupon code")).to_be_visible()
    desktop.get_by_role("checkbox", name="Page").uncheck()
    expect(group).to_be_hidden()
