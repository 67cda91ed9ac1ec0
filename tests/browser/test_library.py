"""The library as a person uses it: upload, order, describe, write templates."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from accounts.models import Membership, Role, User, Workspace
from publishing import image_sets
from publishing.media import store_upload
from publishing.models import CaptionTemplate, HashtagGroup, ImageSet
from tests.browser.axe import check
from tests.browser.conftest import OpenPage
from tests.publishing.pictures import encoded, gradient, photo

pytestmark = pytest.mark.browser


def camaro(workspace: Workspace, owner: User, images: int = 3, **fields: Any) -> ImageSet:
    image_set = ImageSet.objects.create(
        workspace=workspace,
        **{
            "title": "1969 Camaro Restoration",
            "details": [["Vehicle", "1969 Chevrolet Camaro"], ["Engine", ""]],
            "hashtags": ["camaro"],
            **fields,
        },
    )
    files = [photo(200 + number, 150, name=f"{number}.jpg") for number in range(1, images + 1)]
    image_sets.add(image_set, [store_upload(workspace, owner, file) for file in files])
    return image_set


def order(image_set: ImageSet) -> list[str]:
    return [item.media.original_name for item in image_set.items.select_related("media").order_by("position")]


def shown(page: Page) -> list[str]:
    """The names of the images in their order on the page; their places must be counted rightly."""
    images = page.locator("#set-images-list > li")
    assert images.locator("[data-position]").all_inner_texts() == [str(n) for n in range(1, images.count() + 1)]
    return [image.get_attribute("alt") or "" for image in images.locator("img").all()]


def file(name: str, content: bytes | None = None, side: int = 90) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": content or encoded(gradient(side, 90))}


@pytest.mark.parametrize(
    ("size", "scheme"), [("desktop", "light"), ("desktop", "dark"), ("phone", "light"), ("phone", "dark")]
)
def test_every_page_of_the_library_is_sound(
    open_page: OpenPage, owner: User, workspace: Workspace, size: str, scheme: str
) -> None:
    page = open_page(size, scheme=scheme, user=owner)
    for address in ("/library/", "/library/templates/", "/library/hashtags/"):
        page.goto(address)
        check(page)  # empty
    image_set = camaro(workspace, owner)
    template = CaptionTemplate.objects.create(workspace=workspace, name="Weekly", body="{title} {Engine} {Colour}")
    group = HashtagGroup.objects.create(workspace=workspace, name="Cars", hashtags=["v8", "garage"])
    for address in (
        "/library/",
        "/library/sets/new/",
        f"/library/sets/{image_set.pk}/",
        f"/library/sets/{image_set.pk}/delete/",
        "/library/templates/",
        "/library/templates/new/",
        f"/library/templates/{template.pk}/",
        "/library/hashtags/",
        f"/library/hashtags/{group.pk}/",
    ):
        page.goto(address)
        check(page)


def test_from_a_title_to_a_set_with_images(desktop: Page, workspace: Workspace) -> None:
    desktop.goto("/library/")
    desktop.get_by_role("link", name="Make the first set").click()
    desktop.get_by_label("Title").fill("Barn find")
    desktop.get_by_role("button", name="Make the set").click()
    expect(desktop.get_by_role("heading", name="Barn find", level=1)).to_be_visible()
    desktop.get_by_label("Add images").set_input_files(
        [
            file("front.jpg", side=91),
            file("notes.jpg", b"just text"),
            file("rear.jpg", side=92),
        ]
    )
    expect(desktop.locator("#set-images-list > li")).to_have_count(2)
    expect(desktop.get_by_text("“notes.jpg” was not added.")).to_be_visible()
    expect(desktop.locator("[data-upload-status]")).to_have_text("2 added, 1 not added")
    desktop.get_by_label("Add images").set_input_files(file("copy.jpg", side=91))
    expect(desktop.get_by_text("“copy.jpg” is in this set already.")).to_be_visible()
    expect(desktop.locator("#set-images-list > li")).to_have_count(2)
    assert shown(desktop) == ["front.jpg", "rear.jpg"]
    assert order(ImageSet.objects.get()) == ["front.jpg", "rear.jpg"]
    desktop.watch.complaints = [text for text in desktop.watch.complaints if "422" not in text]  # the two refusals
    check(desktop)
    refused = desktop.locator("[data-refused]").count()
    desktop.locator("[data-upload-dismiss]").first.click()
    expect(desktop.locator("[data-refused]")).to_have_count(refused - 1)
    # An image that has just come in can be moved and described like every other.
    with desktop.expect_response("**/order/"):
        desktop.get_by_role("button", name="Move rear.jpg earlier").click()
    assert shown(desktop) == ["rear.jpg", "front.jpg"]
    assert order(ImageSet.objects.get()) == ["rear.jpg", "front.jpg"]


def test_a_file_that_is_too_large_is_not_even_sent(
    desktop: Page, workspace: Workspace, owner: User, settings: Any
) -> None:
    settings.UPLOAD_MAX_BYTES = 500
    image_set = camaro(workspace, owner, images=0)
    desktop.goto(f"/library/sets/{image_set.pk}/")
    desktop.on("request", lambda request: pytest.fail("sent") if request.method == "POST" else None)
    desktop.get_by_label("Add images").set_input_files(file("heavy.jpg"))
    expect(desktop.get_by_text("heavy.jpg: Larger than 500 bytes.")).to_be_visible()


def test_images_are_dropped_on_the_page(desktop: Page, workspace: Workspace, owner: User) -> None:
    image_set = camaro(workspace, owner, images=1)
    desktop.goto(f"/library/sets/{image_set.pk}/")
    transfer = desktop.evaluate_handle(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", {type: "image/jpeg"}));
          return transfer;
        }""",
        list(encoded(gradient(77, 90))),
    )
    desktop.dispatch_event("body", "dragover", {"dataTransfer": transfer})
    expect(desktop.locator("form[data-over]")).to_be_visible()
    desktop.dispatch_event("body", "drop", {"dataTransfer": transfer})
    expect(desktop.locator("#set-images-list > li")).to_have_count(2)
    assert order(image_set) == ["1.jpg", "dropped.jpg"]
    check(desktop)


def test_images_are_ordered_by_button_key_and_drag(desktop: Page, workspace: Workspace, owner: User) -> None:
    image_set = camaro(workspace, owner, images=3)
    desktop.goto(f"/library/sets/{image_set.pk}/")
    later = desktop.get_by_role("button", name="Move 1.jpg later")
    with desktop.expect_response("**/order/"):
        later.click()
    assert shown(desktop) == order(image_set) == ["2.jpg", "1.jpg", "3.jpg"]
    expect(later).to_be_focused()
    expect(desktop.locator("[data-sortable-status]")).to_have_text("Moved to place 2 of 3")

    handle = desktop.get_by_role("button", name="Place of 3.jpg")
    handle.focus()
    with desktop.expect_response("**/order/"):
        desktop.keyboard.press("ArrowLeft")
    assert shown(desktop) == order(image_set) == ["2.jpg", "3.jpg", "1.jpg"]
    expect(handle).to_be_focused()

    with desktop.expect_response("**/order/"):
        desktop.locator("#set-images-list img").nth(2).drag_to(desktop.locator("#set-images-list img").nth(0))
    assert shown(desktop) == order(image_set)
    assert order(image_set)[0] == "1.jpg"

    desktop.reload()
    assert shown(desktop) == order(image_set)
    check(desktop)


def test_an_order_that_lost_the_race_shows_what_is_there(desktop: Page, workspace: Workspace, owner: User) -> None:
    image_set = camaro(workspace, owner, images=3)
    desktop.goto(f"/library/sets/{image_set.pk}/")
    image_sets.remove(image_set, image_set.items.get(position=3).media_id)
    desktop.get_by_role("button", name="Move 1.jpg later").click()
    expect(desktop.get_by_text("Somebody changed this set meanwhile.")).to_be_visible()
    assert shown(desktop) == ["1.jpg", "2.jpg"]
    with desktop.expect_response("**/order/"):
        desktop.get_by_role("button", name="Move 1.jpg later").click()
    assert shown(desktop) == order(image_set) == ["2.jpg", "1.jpg"]


def test_descriptions_save_themselves_and_images_leave(desktop: Page, workspace: Workspace, owner: User) -> None:
    image_set = camaro(workspace, owner, images=3)
    desktop.goto(f"/library/sets/{image_set.pk}/")
    first = desktop.locator("#set-images-list > li").first
    first.get_by_label("Alternative text").fill("A car from the left")
    desktop.keyboard.press("Tab")
    expect(first.get_by_role("status")).to_contain_text("Saved")
    assert image_set.items.get(position=1).media.alt_text == "A car from the left"
    desktop.get_by_role("button", name="Remove 2.jpg from the set").click()
    expect(desktop.locator("#set-images-list > li")).to_have_count(2)
    expect(desktop.get_by_role("button", name="Remove 3.jpg from the set")).to_be_focused()
    assert order(image_set) == ["1.jpg", "3.jpg"]
    check(desktop)


def test_details_grow_and_shrink(phone: Page, workspace: Workspace, owner: User) -> None:
    image_set = camaro(workspace, owner, images=0)
    phone.goto(f"/library/sets/{image_set.pk}/")
    phone.get_by_role("button", name="Remove this detail").nth(1).click()
    rows = phone.locator("[data-details-row]")
    rows.nth(1).get_by_label("Label").fill("Colour")
    rows.nth(1).get_by_label("Value").fill("Hugger Orange")
    phone.get_by_role("button", name="Add a detail").click()
    expect(rows.nth(2).get_by_label("Label")).to_be_focused()
    rows.nth(2).get_by_label("Label").fill("Year")
    rows.nth(2).get_by_label("Value").fill("1969")
    phone.get_by_role("button", name="Save", exact=True).click()
    expect(phone.get_by_text("Saved.")).to_be_visible()
    image_set.refresh_from_db()
    assert image_set.details == [["Vehicle", "1969 Chevrolet Camaro"], ["Colour", "Hugger Orange"], ["Year", "1969"]]
    check(phone)


def test_deleting_asks_in_a_dialog(desktop: Page, workspace: Workspace, owner: User) -> None:
    image_set = camaro(workspace, owner, images=0)
    desktop.goto(f"/library/sets/{image_set.pk}/")
    desktop.get_by_role("link", name="Delete").click()
    dialog = desktop.get_by_role("dialog", name="Delete “1969 Camaro Restoration”?")
    expect(dialog).to_be_visible()
    check(desktop)
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_be_hidden()
    desktop.get_by_role("link", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(desktop.get_by_text("No image sets yet")).to_be_visible()
    assert not ImageSet.objects.exists()


def test_a_template_is_previewed_while_it_is_written(desktop: Page, workspace: Workspace, owner: User) -> None:
    camaro(workspace, owner, images=0, title="Other", details=[["Colour", "Blue"]])
    camaro(workspace, owner, images=0)
    desktop.goto("/library/templates/new/")
    desktop.get_by_label("Name").fill("Weekly")
    desktop.get_by_label("Text").fill("This week: ")
    desktop.get_by_role("button", name="{Vehicle}").click()
    expect(desktop.get_by_label("Text")).to_have_value("This week: {Vehicle}")
    expect(desktop.locator(".template-preview")).to_have_text("This week: 1969 Chevrolet Camaro")
    check(desktop)
    desktop.get_by_label("Filled from").select_option("Other")
    expect(desktop.get_by_text("“Other” has no detail Vehicle")).to_be_visible()
    expect(desktop.get_by_role("button", name="{Colour}")).to_be_visible()
    check(desktop)
    desktop.get_by_role("button", name="Save template").click()
    expect(desktop.get_by_role("link", name="Weekly", exact=True)).to_be_visible()
    assert CaptionTemplate.objects.get().body == "This week: {Vehicle}"


def test_without_scripts_everything_still_works(open_page: OpenPage, owner: User, workspace: Workspace) -> None:
    image_set = camaro(workspace, owner, images=2)
    page = open_page("desktop", user=owner, java_script_enabled=False)
    page.goto(f"/library/sets/{image_set.pk}/")
    page.get_by_label("Add images").set_input_files([file("a.jpg", side=95), file("b.jpg", b"no picture")])
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("“b.jpg” was not added.")).to_be_visible()
    assert order(image_set) == ["1.jpg", "2.jpg", "a.jpg"]
    page.get_by_role("button", name="Move a.jpg earlier").click()
    page.get_by_role("button", name="Remove 1.jpg from the set").click()
    assert order(image_set) == ["a.jpg", "2.jpg"]
    first = page.locator("#set-images-list > li").first
    first.get_by_label("Alternative text").fill("Described")
    first.get_by_role("button", name="Save").click()
    assert image_set.items.get(position=1).media.alt_text == "Described"
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    assert not ImageSet.objects.exists()


def test_a_viewer_finds_nothing_to_press(
    open_page: OpenPage, owner: User, stranger: User, workspace: Workspace
) -> None:
    image_set = camaro(workspace, owner)
    stranger.memberships.all().delete()
    Membership.objects.create(workspace=workspace, user=stranger, role=Role.VIEWER)
    page = open_page("phone", user=stranger)
    page.goto(f"/library/sets/{image_set.pk}/")
    expect(page.get_by_text("1969 Chevrolet Camaro")).to_be_visible()
    expect(page.locator("main").get_by_role("button")).to_have_count(0)
    check(page)
