from __future__ import annotations

import io
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image, ImageCms

from accounts.models import User, Workspace
from publishing import autosave, image_sets, images, media
from publishing.media import UploadRefused, delete_orphans, media_items, public_url, rendition, store_upload
from publishing.models import ImageSet, MediaFile, PostMedia, Rendition
from socialhub import pixels
from socialhub.platforms.base import PostType
from socialhub.platforms.errors import RejectedError
from socialhub.platforms.rules import IMAGE
from tests.factories import make_account, make_post
from tests.publishing.pictures import encoded, gradient, photo, png_bomb, upload

INSTAGRAM = IMAGE["instagram"]
FACEBOOK = IMAGE["facebook"]


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def stored(item: MediaFile) -> Image.Image:
    return opened(media.read(item.file))


def address(made: Rendition) -> str:
    return public_url(made).removeprefix(settings.PUBLIC_BASE_URL)


def status(client: Client, link: str) -> int:
    answer = client.get(link)
    drain(answer)
    return answer.status_code


def drain(answer: Any) -> bytes:
    """Read an answer to its end, which closes the file behind it."""
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


# --- In


def test_an_upload_is_kept_with_its_measures_and_a_thumbnail(workspace: Workspace, owner: User):
    item = store_upload(workspace, owner, photo(1200, 900, name="Front left.JPG"), alt_text="From the front")
    assert (item.original_name, item.content_type, item.width, item.height) == (
        "Front left.JPG",
        "image/jpeg",
        1200,
        900,
    )
    assert (item.uploaded_by, item.alt_text) == (owner, "From the front")
    assert item.size_bytes == item.file.size
    assert opened(media.read(item.thumbnail)).size == (480, 360)
    assert "Front" not in item.file.name


@pytest.mark.parametrize(
    ("format", "name"), [("PNG", "a.png"), ("WEBP", "a.webp"), ("GIF", "a.gif"), ("HEIF", "a.heic")]
)
def test_other_formats_become_jpeg(workspace: Workspace, owner: User, format: str, name: str):
    item = store_upload(workspace, owner, upload(encoded(gradient(), format), name, "application/octet-stream"))
    assert (item.content_type, stored(item).format, item.width) == ("image/jpeg", "JPEG", 120)


def test_the_name_and_the_browser_do_not_decide_the_type(workspace: Workspace, owner: User):
    item = store_upload(workspace, owner, upload(encoded(gradient(), "PNG"), "../../evil.html", "text/html"))
    assert item.original_name == "evil.html"
    assert item.file.name == f"originals/{workspace.pk}/{item.pk}.jpeg"


def test_location_comments_and_profiles_are_gone(workspace: Workspace, owner: User):
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (52.0, 31.0, 12.0)
    content = encoded(gradient(), exif=exif, comment=b"SECRET comment", xmp=b"<x:xmpmeta>SECRET</x:xmpmeta>")
    assert b"SECRET" in content
    item = store_upload(workspace, owner, upload(content))
    for kept in (media.read(item.file), media.read(item.thumbnail)):
        assert b"SECRET" not in kept
        assert b"Exif" not in kept
        assert not dict(opened(kept).getexif())
        assert set(opened(kept).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_turned_photo_is_stored_upright(workspace: Workspace, owner: User):
    exif = Image.Exif()
    exif[0x0112] = 6  # shown rightly only after a quarter turn clockwise
    item = store_upload(workspace, owner, upload(encoded(gradient(120, 90), exif=exif)))
    upright = stored(item)
    assert (item.width, item.height) == upright.size == (90, 120)
    left, right = upright.getpixel((5, 60)), upright.getpixel((85, 60))
    assert left[1] > right[1] + 100  # what grew downwards now grows to the left


def test_colours_of_a_wide_profile_are_converted(workspace: Workspace, owner: User):
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    assert pixels.to_srgb(gradient(), swapped.tobytes()).size == (120, 90)  # not for RGB: left as it is
    assert pixels.to_srgb(gradient(), b"broken").getpixel((0, 0)) == gradient().getpixel((0, 0))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    item = store_upload(workspace, owner, upload(encoded(gradient(), icc_profile=srgb)))
    assert "icc_profile" not in stored(item).info


def test_alpha_is_kept_only_where_something_shows_through(workspace: Workspace, owner: User):
    clear, opaque = gradient().convert("RGBA"), gradient().convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    assert store_upload(workspace, owner, upload(encoded(clear, "PNG"))).content_type == "image/png"
    assert store_upload(workspace, owner, upload(encoded(opaque, "PNG"))).content_type == "image/jpeg"


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "I;16", "CMYK"])
def test_every_kind_of_pixels_comes_out_as_rgb(workspace: Workspace, owner: User, mode: str):
    if mode == "I;16":
        image = gradient().convert("L").convert("I").point(lambda level: level * 257).convert(mode)
    else:
        image = gradient().convert(mode)
    format = "JPEG" if mode == "CMYK" else "PNG"
    item = store_upload(workspace, owner, upload(encoded(image, format)))
    result = stored(item).convert("L")
    assert result.getextrema()[1] - result.getextrema()[0] > 60


def test_the_first_frame_of_an_animation_is_taken(workspace: Workspace, owner: User):
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    red, _green, blue = stored(store_upload(workspace, owner, upload(content))).getpixel((20, 20))
    assert red > 200 > 60 > blue


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (encoded(gradient())[:-400], "damaged or incomplete"),
        (encoded(gradient(), "PNG")[:-60], "damaged or incomplete"),
        (encoded(gradient(), "WEBP")[:-40], "damaged or incomplete"),
        (encoded(gradient(), "HEIF")[:-200], "damaged or incomplete"),
        (encoded(gradient(), "GIF")[:-40], "damaged or incomplete"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "more than a picture"),
        (b"<!DOCTYPE html><html><body>hello</body></html>", "more than a picture"),
        (b"%PDF-1.7 whatever", "damaged"),
        (b"just some text", "not a picture"),
        (encoded(gradient(), "TIFF"), "not a picture"),
        (encoded(gradient()) + b"<script>alert(1)</script>", "more than a picture"),
        (encoded(gradient(), comment=b"<?php system($_GET[0]); ?>"), "more than a picture"),
        (encoded(gradient()) + b"PK\x05\x06" + bytes(18), "more than a picture"),
        (encoded(Image.new("RGB", (20_001, 1))), "a side may have at most"),
    ],
)
def test_what_is_no_plain_picture_is_refused_by_name(workspace: Workspace, owner: User, content: bytes, reason: str):
    with pytest.raises(UploadRefused) as refusal:
        store_upload(workspace, owner, upload(content, "holiday.jpg"))
    assert refusal.value.message.startswith("“holiday.jpg”")
    assert reason in refusal.value.message
    assert not MediaFile.objects.exists()


def test_a_bomb_is_refused_before_it_goes_off(workspace: Workspace, owner: User):
    content = png_bomb(20_000)
    assert len(content) < 64 * 1024
    began = time.process_time()
    with pytest.raises(UploadRefused, match="60 million pixels"):
        store_upload(workspace, owner, upload(content))
    assert time.process_time() - began < 1  # decoding it takes many seconds


def test_a_picture_just_over_the_limit_is_refused_too(workspace: Workspace, owner: User, settings: Any):
    with pytest.raises(UploadRefused, match="60 million pixels"):
        store_upload(workspace, owner, upload(png_bomb(8000)))
    settings.UPLOAD_MAX_PIXELS = 10_000
    with pytest.raises(UploadRefused, match="pixels"):
        store_upload(workspace, owner, photo(120, 90))


def test_a_heavy_file_is_refused(workspace: Workspace, owner: User, settings: Any):
    settings.UPLOAD_MAX_BYTES = 1024
    with pytest.raises(UploadRefused, match="larger than"):
        store_upload(workspace, owner, photo(640, 480))


def test_the_same_file_is_kept_once_per_workspace(workspace: Workspace, owner: User, stranger: User):
    first = store_upload(workspace, owner, photo())
    again = store_upload(workspace, owner, photo(name="copy.jpg"), alt_text="Now with words")
    assert again.pk == first.pk
    assert again.alt_text == "Now with words"
    other = store_upload(stranger.workspaces.get(), stranger, photo())
    assert other.pk != first.pk


def test_a_lost_file_comes_back_with_the_next_upload(workspace: Workspace, owner: User):
    first = store_upload(workspace, owner, photo())
    default_storage.delete(first.file.name)
    assert stored(store_upload(workspace, owner, photo())).size == (120, 90)
    assert MediaFile.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_file_at_the_same_moment_is_kept_once(transactional_db: None, owner: User, workspace: Workspace):
    rows = together(4, lambda: store_upload(workspace, owner, photo()).pk)
    assert len(set(rows)) == 1
    assert len(list(Path(default_storage.path(f"originals/{workspace.pk}")).iterdir())) == 1


def together(count: int, act: Any) -> list[Any]:
    """Do the same from several threads at once; what each returned, or raised."""
    barrier = threading.Barrier(count)
    results: list[Any] = []

    def run() -> None:
        barrier.wait()
        try:
            results.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == count
    return results


# --- Out


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((4000, 3000), (1440, 1080)),
        ((1000, 3000), (1440, 1800)),  # a tower is padded to 4:5
        ((3000, 500), (1440, 754)),  # a banner to 1.91:1
        ((100, 100), (320, 320)),
        ((1080, 1080), (1080, 1080)),
        ((1080, 1350), (1080, 1350)),
    ],
)
def test_instagram_gets_what_it_takes(
    workspace: Workspace, owner: User, size: tuple[int, int], expected: tuple[int, int]
):
    made = rendition(store_upload(workspace, owner, photo(*size)), INSTAGRAM)
    assert (made.width, made.height) == expected
    image = opened(media.read(made.file))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", expected)
    assert "progressive" not in image.info
    assert made.content_type == "image/jpeg"
    assert made.size_bytes == made.file.size <= 8 * 1024 * 1024
    assert 0.8 <= made.width / made.height <= 1.91


@pytest.mark.parametrize("width", range(320, 1500, 37))
def test_rounding_never_crosses_a_limit(width: int):
    for height in (10, width // 2, width, width * 2, 9000):
        columns, rows = images.frame(width, height, INSTAGRAM)
        assert 0.8 <= columns / rows <= 1.91
        assert 320 <= columns <= 1440


def test_padding_shows_the_whole_picture(workspace: Workspace, owner: User):
    banner = Image.new("RGB", (1500, 300), "red")
    banner.paste("blue", (0, 0, 150, 300))
    banner.paste("lime", (1350, 0, 1500, 300))
    made = rendition(store_upload(workspace, owner, upload(encoded(banner, quality=95))), INSTAGRAM)
    image = opened(media.read(made.file))
    middle = image.height // 2
    assert image.getpixel((20, middle))[2] > 200
    assert image.getpixel((image.width - 20, middle))[1] > 200
    assert image.getpixel((image.width // 2, 4))[0] > 100  # the ground is the picture itself, not black bars


def test_facebook_keeps_any_ratio(workspace: Workspace, owner: User):
    made = rendition(store_upload(workspace, owner, photo(300, 1200)), FACEBOOK)
    assert made.width / made.height == pytest.approx(0.25, abs=0.01)
    assert made.size_bytes <= 4 * 1024 * 1024


def test_transparency_becomes_white(workspace: Workspace, owner: User):
    clear = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    made = rendition(store_upload(workspace, owner, upload(encoded(clear, "PNG"), "logo.png")), INSTAGRAM)
    assert min(opened(media.read(made.file)).getpixel((200, 200))) > 250


def test_quality_falls_until_the_weight_fits():
    noise = Image.effect_noise((1440, 1440), 90).convert("RGB")
    rules = replace(INSTAGRAM, max_bytes=400_000)
    picture = images.render(noise, rules, (1440, 1440))
    assert len(picture.content) <= 400_000
    assert picture.width >= 320


def test_a_rendition_is_made_once(workspace: Workspace, owner: User):
    item = store_upload(workspace, owner, photo())
    first = rendition(item, INSTAGRAM)
    assert rendition(item, INSTAGRAM) == first
    assert rendition(item, INSTAGRAM, ratio=1.0) != first
    default_storage.delete(first.file.name)
    assert rendition(item, INSTAGRAM).file.size == first.size_bytes
    assert Rendition.objects.count() == 2


def test_a_lost_original_says_what_to_do(workspace: Workspace, owner: User):
    item = store_upload(workspace, owner, photo(name="engine.jpg"))
    default_storage.delete(item.file.name)
    with pytest.raises(RejectedError, match=r"“engine\.jpg” is no longer stored"):
        rendition(item, INSTAGRAM)


@pytest.mark.django_db(transaction=True)
def test_two_workers_make_one_rendition(transactional_db: None, owner: User, workspace: Workspace):
    item = store_upload(workspace, owner, photo(1600, 1200))
    keys = together(4, lambda: rendition(item, INSTAGRAM).pk)
    assert len(set(keys)) == 1
    assert len(list(Path(default_storage.path(f"renditions/{item.pk}")).iterdir())) == 1


def test_the_items_of_a_carousel_share_the_first_ratio(workspace: Workspace, owner: User):
    account = make_account(workspace, platform="instagram")
    post = make_post(workspace, account, post_type=PostType.CAROUSEL)
    shapes = [(800, 1600), (1600, 800), (1000, 1000)]
    for position, size in enumerate(shapes, start=1):
        item = store_upload(workspace, owner, photo(*size), alt_text=f"own {position}")
        PostMedia.objects.create(
            post=post, media=item, position=position, alt_text="for this post" if position == 2 else ""
        )
    items = media_items(post.publications.get())
    assert [item.position for item in items] == [1, 2, 3]
    assert {round(item.width / item.height, 2) for item in items} == {0.8}
    assert [item.alt_text for item in items] == ["own 1", "for this post", "own 3"]
    assert all(len(item.read()) == item.size_bytes for item in items)
    assert all(item.url.startswith(f"{settings.PUBLIC_BASE_URL}/m/") for item in items)
    assert items[0].url not in repr(items[0])


def test_ready_renditions_cost_two_queries(workspace: Workspace, owner: User, django_assert_num_queries: Any):
    publication = (
        make_post(workspace, make_account(workspace, platform="instagram"), post_type=PostType.CAROUSEL)
        .publications.select_related("account")
        .get()
    )
    for position in range(1, 9):
        item = store_upload(workspace, owner, photo(100 + position, 100))
        PostMedia.objects.create(post=publication.post, media=item, position=position)
    first = media_items(publication)
    with django_assert_num_queries(2):
        again = media_items(publication)
    assert [item.size_bytes for item in again] == [item.size_bytes for item in first]
    assert Rendition.objects.count() == 8


def test_text_takes_no_images(workspace: Workspace):
    assert media_items(make_post(workspace, make_account(workspace)).publications.get()) == ()


# --- Served


def test_a_network_fetches_without_a_login(workspace: Workspace, owner: User, client: Client):
    made = rendition(store_upload(workspace, owner, photo()), INSTAGRAM)
    answer = client.get(address(made))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert int(answer["Content-Length"]) == made.size_bytes == len(drain(answer))
    assert "max-age" in answer["Cache-Control"]
    assert not answer.cookies
    head = client.head(address(made))
    for close in head._resource_closers:  # the test client leaves that to nobody
        close()
    assert (head.status_code, head["Content-Length"]) == (200, str(made.size_bytes))
    assert client.post(address(made)).status_code == 405
    assert address(made).isascii()
    assert len(public_url(made)) < 200


def test_a_signed_address_opens_nothing_else(workspace: Workspace, owner: User, client: Client):
    made = rendition(store_upload(workspace, owner, photo()), INSTAGRAM)
    other = rendition(store_upload(workspace, owner, photo(200, 200)), INSTAGRAM)
    signed, name = address(made).removeprefix("/m/").split("/")
    other_signed, other_name = address(other).removeprefix("/m/").split("/")
    assert status(client, reverse("publishing:media_public", args=[signed, name])) == 200
    payload, stamp, signature = signed.split(":")
    forged = [
        (signed, other_name),
        (other_signed, name),
        (f"{other_signed.split(':')[0]}:{stamp}:{signature}", other_name),
        (f"{payload}:{stamp}:{signature[::-1]}", name),
        (f"{payload}:zzzzzz:{signature}", name),
        (signed[:-1], name),
        ("x", name),
    ]
    for parts in forged:
        assert client.get(reverse("publishing:media_public", args=parts)).status_code == 404, parts


def test_a_signed_address_runs_out(workspace: Workspace, owner: User, client: Client):
    made = rendition(store_upload(workspace, owner, photo()), INSTAGRAM)
    link = address(made)
    now = timezone.now()
    with time_machine.travel(now + timedelta(seconds=settings.MEDIA_URL_SECONDS - 60)):
        assert status(client, link) == 200
    with time_machine.travel(now + timedelta(seconds=settings.MEDIA_URL_SECONDS + 60)):
        assert client.get(link).status_code == 404


@pytest.mark.parametrize("view", ["media_thumbnail", "media_file"])
def test_members_alone_see_the_files(
    workspace: Workspace, owner: User, signed_in: Client, signed_in_stranger: Client, client: Client, view: str
):
    item = store_upload(workspace, owner, photo())
    link = reverse(f"publishing:{view}", args=[item.pk])
    answer = signed_in.get(link)
    drain(answer)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Cache-Control"].startswith("private")
    assert signed_in.get(link, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert signed_in_stranger.get(link).status_code == 404
    assert client.get(link).status_code == 302
    assert signed_in.post(link).status_code == 405
    default_storage.delete(item.file.name)
    default_storage.delete(item.thumbnail.name)
    assert signed_in.get(link).status_code == 404


# --- Away


def test_only_old_unused_media_are_tidied_away(
    workspace: Workspace, owner: User, django_capture_on_commit_callbacks: Any
):
    in_set, in_post, fresh, orphan = (
        store_upload(workspace, owner, photo(width, 90)) for width in (100, 110, 120, 130)
    )
    made = rendition(orphan, INSTAGRAM)
    image_sets.add(ImageSet.objects.create(workspace=workspace, title="Set"), [in_set])
    PostMedia.objects.create(post=make_post(workspace), media=in_post, position=1)
    old = timezone.now() - timedelta(days=3)
    MediaFile.objects.exclude(pk=fresh.pk).update(created_at=old)
    with django_capture_on_commit_callbacks(execute=True):
        assert delete_orphans(timedelta(days=2)) == 1
    assert set(MediaFile.objects.all()) == {in_set, in_post, fresh}
    for name in (orphan.file.name, orphan.thumbnail.name, made.file.name):
        assert not default_storage.exists(name)


def test_media_of_a_post_that_is_being_written_are_no_orphans(workspace: Workspace, owner: User) -> None:
    begun, orphan = (store_upload(workspace, owner, photo(width, 90)) for width in (100, 110))
    autosave.keep(workspace, owner, uuid4(), {"caption": ["Begun"]}, media=[begun.pk])
    MediaFile.objects.update(created_at=timezone.now() - timedelta(days=3))
    assert delete_orphans(timedelta(days=2)) == 1
    assert MediaFile.objects.get() == begun
    assert orphan not in MediaFile.objects.all()


def test_an_orphan_that_comes_again_is_new(workspace: Workspace, owner: User):
    item = store_upload(workspace, owner, photo())
    MediaFile.objects.update(created_at=timezone.now() - timedelta(days=3))
    assert store_upload(workspace, owner, photo()).pk == item.pk
    assert delete_orphans(timedelta(days=2)) == 0
    assert media.display_name("a\u202eb\x00.jpg") == "ab.jpg"
