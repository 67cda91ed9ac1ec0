"""Videos, documents and crops on a phone and with the keyboard."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import FilePayload, Page, Route, expect

from accounts import pauses
from accounts.models import User, Workspace
from publishing import image_sets
from publishing.media import store_upload
from publishing.models import FollowUp, ImageSet, MediaFile, Post, PostMedia, Publication
from tests.browser.axe import check
from tests.browser.conftest import OpenPage
from tests.factories import make_account, make_media, make_post
from tests.publishing.films import film, film_upload, pdf_upload
from tests.publishing.pictures import encoded, gradient, photo

pytestmark = pytest.mark.browser


def movie(name: str = "drive.mp4") -> FilePayload:
    return {"name": name, "mimeType": "video/mp4", "buffer": film(seconds=4)}


def wide_picture() -> FilePayload:
    return {"name": "wide.jpg", "mimeType": "image/jpeg", "buffer": encoded(gradient(1600, 500))}


def test_a_reel_with_a_first_comment_from_a_phone(phone: Page, workspace: Workspace) -> None:
    instagram = make_account(workspace, platform="instagram", name="Garage", username="garage")
    phone.goto("/posts/new/")
    phone.get_by_label("Upload images, videos or a PDF").set_input_files(movie())
    expect(phone.locator(".composer-picture .thumb-kind")).to_contain_text("0:04", timeout=30_000)
    phone.get_by_label("Post type for Garage").select_option("reel")
    phone.get_by_label("Caption", exact=True).fill("On the road again")
    comment = phone.get_by_label("First comment")
    comment.fill("x" * 301)
    expect(phone.locator("#composer_comment_counters")).to_contain_text("301 of 300")
    expect(phone.locator("#composer_checks")).to_contain_text("Shorten it by 1.")
    comment.fill("Parts list below")
    expect(phone.locator("#composer_comment_counters")).to_contain_text("16 of 300")
    expect(phone.locator("#composer_note")).to_have_text("Ready to go.")
    phone.get_by_role("button", name="Preview").click()
    expect(phone.locator(".preview[data-upright] .preview-play")).to_be_in_viewport()
    check(phone)
    phone.keyboard.press("Escape")
    expect(phone.locator(".preview")).to_be_hidden()
    check(phone)
    phone.get_by_role("button", name="Save draft").click()
    phone.wait_for_url("**/posts/*-*/")
    post = Post.objects.get()
    assert post.first_comment == "Parts list below"
    assert post.publications.get(account=instagram).post_type == "reel"
    expect(phone.locator("video")).to_have_js_property("readyState", 4, timeout=10_000)
    expect(phone.get_by_text("Parts list below")).to_be_visible()
    check(phone)


def test_a_crop_with_its_point_set_by_keyboard_and_by_pointer(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace, platform="instagram", name="Garage", username="garage")
    desktop.goto("/posts/new/")
    desktop.get_by_label("Upload images, videos or a PDF").set_input_files(wide_picture())
    crop = desktop.locator(".composer-crop")
    expect(crop).to_contain_text("Instagram (Single image) 1.91:1")
    desktop.locator(".composer-picture-edit").focus()
    desktop.keyboard.press("Enter")
    desktop.keyboard.press("Tab")  # the button that closes
    desktop.keyboard.press("Tab")
    expect(desktop.get_by_label("Alternative text")).to_be_focused()
    desktop.keyboard.type("A wide road")
    expect(desktop.locator(".composer-alt-help")).to_contain_text("11")
    desktop.keyboard.press("Tab")
    desktop.keyboard.press("ArrowRight")
    expect(crop.get_by_label("Crop to the focus point")).to_be_checked()
    desktop.keyboard.press("Tab")
    expect(crop.get_by_label("Left, %")).to_be_focused()
    desktop.keyboard.press("ControlOrMeta+a")
    desktop.keyboard.type("0")
    expect(crop.locator("[data-focus-point]")).to_have_attribute("cx", "0")
    frame = desktop.locator(".preview-item svg").first
    expect(frame).to_have_attribute("viewBox", "0 0 955 500")
    area = crop.locator("[data-focus-area]")
    box = area.bounding_box()
    assert box
    area.click(position={"x": box["width"] - 1, "y": box["height"] / 2})
    expect(crop.get_by_label("Left, %")).to_have_value("100")
    expect(crop.get_by_label("Top, %")).to_have_value("50")
    expect(frame).to_have_attribute("viewBox", "645 0 955 500")
    check(desktop)
    desktop.keyboard.press("Escape")
    expect(desktop.locator(".composer-picture-edit")).to_be_focused()
    expect(desktop.locator(".composer-picture-edit")).to_have_accessible_name("Alt text of wide.jpg")
    desktop.get_by_label("Garage", exact=False).first.uncheck()
    expect(crop).to_have_attribute("data-unneeded", "")


def test_a_file_that_is_too_large_is_never_sent(desktop: Page, workspace: Workspace, settings: object) -> None:
    settings.UPLOAD_VIDEO_MAX_BYTES = 1000  # type: ignore[attr-defined]
    make_account(workspace)
    desktop.goto("/posts/new/")
    sent: list[str] = []
    desktop.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    upload = desktop.get_by_label("Upload images, videos or a PDF")
    upload.set_input_files(movie())
    refused = desktop.locator("[data-upload-refused]")
    expect(refused).to_contain_text("“drive.mp4” is larger than 1000")
    assert [address for address in sent if "/check/" not in address] == []
    upload.set_input_files([movie(), wide_picture()])
    expect(desktop.locator(".composer-picture")).to_have_count(1)
    expect(refused).to_contain_text("“drive.mp4” is larger")
    assert [media.kind for media in MediaFile.objects.all()] == ["image"]


def test_what_is_written_during_an_upload_stays(desktop: Page, workspace: Workspace) -> None:
    make_account(workspace, name="Garage Page")
    make_account(workspace, name="Other Page")
    media = [make_media(workspace), make_media(workspace)]
    desktop.goto("/posts/new/")
    desktop.locator(".composer-library summary").click()
    expect(desktop.locator(".composer-pick")).to_have_count(len(media))
    for pick in desktop.locator(".composer-pick").all():
        pick.click()
    desktop.get_by_role("button", name="Add what is chosen").click()
    expect(desktop.locator(".composer-picture")).to_have_count(2)
    held: list[Route] = []
    desktop.route("**/posts/new/", lambda route: held.append(route))
    desktop.get_by_label("Upload images, videos or a PDF").set_input_files(movie())
    caption = desktop.get_by_label("Caption", exact=True)
    caption.fill("Written meanwhile")
    desktop.get_by_label("Garage Page").first.check()
    first = desktop.locator(".composer-picture").first.locator("input[name=media]").input_value()
    desktop.locator(f"#down_{first}").click()
    caption.focus()
    desktop.get_by_role("button", name="Save draft").click()
    expect(desktop.locator("[data-upload-refused]")).to_contain_text("A file is still being sent.")
    desktop.locator(f"#remove_{first}").click()
    assert len(held) == 1
    held[0].continue_()
    expect(desktop.locator(".composer-picture")).to_have_count(3, timeout=30_000)
    expect(caption).to_have_value("Written meanwhile")
    expect(desktop.get_by_label("Garage Page").first).to_be_checked()
    expect(desktop.locator(".composer-picture").nth(1).locator("input[name=media]")).to_have_value(first)
    expect(desktop.locator("[data-upload-refused]")).to_be_empty()
    expect(desktop.locator(".preview-text").first).to_contain_text("Written meanwhile")
    assert {str(item.pk) for item in media} == {
        field.input_value() for field in desktop.locator(".composer-picture input[name=media]").all()[:2]
    }


@pytest.mark.parametrize(
    ("size", "scheme"), [("desktop", "light"), ("desktop", "dark"), ("phone", "light"), ("phone", "dark")]
)
def test_every_page_with_every_kind_is_sound(
    open_page: OpenPage, owner: User, workspace: Workspace, size: str, scheme: str
) -> None:
    instagram, linkedin = make_account(workspace, platform="instagram"), make_account(workspace, platform="linkedin")
    image_set = ImageSet.objects.create(workspace=workspace, title="1969 Camaro")
    image_sets.upload(image_set, owner, [photo(1600, 500), film_upload(seconds=1)])
    paper = store_upload(workspace, owner, pdf_upload())
    now = timezone.now()
    document = make_post(workspace, linkedin, post_type="document")
    PostMedia.objects.create(post=document, media=paper, position=1)
    reel = make_post(workspace, instagram, post_type="reel", first_comment="Parts list", status="published")
    PostMedia.objects.create(post=reel, media=image_set.media.get(kind="video"), position=1)
    Publication.objects.filter(post=reel).update(
        status="published", published_at=now - timedelta(days=2), removed_at=now, platform_post_id="17"
    )
    FollowUp.objects.create(
        publication=reel.publications.get(), kind="comment", due_at=now, done_at=now, outcome="failed", message="No."
    )
    pauses.pause(workspace, by=owner, reason="Fire in the shop", until=now + timedelta(hours=1))
    page = open_page(size, scheme=scheme, user=owner)
    for address in (
        "/library/",
        f"/library/sets/{image_set.pk}/",
        f"/posts/new/?set={image_set.pk}",
        f"/posts/{document.pk}/edit/",
        reel.get_absolute_url(),
        "/posts/",
        "/settings/workspace/",
        "/settings/workspace/pause/",
        f"/settings/accounts/{instagram.pk}/pause/",
    ):
        page.goto(address)
        for fold in page.locator(".post-timeline > summary").all():
            if fold.is_visible():
                fold.click()
        check(page)
        if edit := page.locator(".composer-picture-edit").all():
            edit[0].click()
            check(page)
