"""Videos, documents, stories and first comments on the pages: library, composer, previews, page of a post."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ConnectedAccount, Workspace
from publishing.models import ImageSet, ImageSetItem, MediaFile
from publishing.templatetags.media_files import clock_length, media_badge
from tests.factories import make_account, make_media
from tests.publishing.films import film_upload, pdf_upload

HTMX = {"HX-Request": "true"}
NEW = reverse("publishing:post_new")


def make_film(workspace: Workspace, seconds: float = 12.2, **fields: Any) -> MediaFile:
    facts = {"seconds": seconds, "fps": 30.0, "codec": "h264", "audio_codec": "aac", "bit_rate": 800_000}
    shape = {"width": 1080, "height": 1920, "size_bytes": 2_000_000}
    return make_media(
        workspace,
        **{
            "kind": "video",
            "content_type": "video/mp4",
            "facts": facts,
            "original_name": "drive.mp4",
            **shape,
            **fields,
        },
    )


def make_paper(workspace: Workspace, pages: int = 3, **fields: Any) -> MediaFile:
    shape = {"width": 0, "height": 0, "facts": {"pages": pages}, "original_name": "brochure.pdf"}
    return make_media(workspace, **{"kind": "document", "content_type": "application/pdf", **shape, **fields})


def typed(*accounts: ConnectedAccount, media: tuple[MediaFile, ...] = (), **fields: Any) -> dict[str, Any]:
    return {
        "key": str(uuid.uuid4()),
        "action": "publish",
        "caption": "Hello",
        "when": "now",
        "accounts": [str(account.pk) for account in accounts],
        "media": [str(item.pk) for item in media],
        **fields,
    }


@pytest.fixture
def image_set(workspace: Workspace) -> ImageSet:
    return ImageSet.objects.create(workspace=workspace, title="1969 Camaro Restoration")


# What a thumbnail says


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (0.3, "0:01"), (12.2, "0:12"), (59.6, "1:00"), (90, "1:30"), (3723, "1:02:03")],
)
def test_a_length_is_told_as_on_a_clock(seconds: float, shown: str) -> None:
    assert clock_length(seconds) == shown


def test_a_thumbnail_tells_what_it_stands_for(workspace: Workspace) -> None:
    assert media_badge(make_media(workspace)) == ""
    assert media_badge(None) == ""
    assert "0:12" in media_badge(make_film(workspace))
    assert "Video, 0:12" in media_badge(make_film(workspace))
    assert "PDF, 1 page<" in media_badge(make_paper(workspace, 1))
    assert "PDF · 24" in media_badge(make_paper(workspace, 24))


# The library


def test_a_set_takes_videos_and_plays_them(signed_in: Client, image_set: ImageSet) -> None:
    upload = reverse("publishing:set_upload", args=[image_set.pk])
    answer = signed_in.post(upload, {"images": [film_upload(seconds=1)]}, headers=HTMX)
    assert answer.status_code == 200
    media = image_set.media.get()
    assert media.kind == "video"
    page = signed_in.get(reverse("publishing:set_detail", args=[image_set.pk])).content.decode()
    file = reverse("publishing:media_file", args=[media.pk])
    assert f'src="{file}"' in page
    assert "<video controls" in page
    assert 'accept="image/jpeg' in page
    assert "video/quicktime" in page
    library = signed_in.get(reverse("publishing:library")).content.decode()
    assert "0:01" in library
    assert "1 video" in library
    played = signed_in.get(file, headers={"Range": "bytes=0-99"})
    assert (played.status_code, len(b"".join(played.streaming_content))) == (206, 100)


def test_a_set_takes_no_documents_and_keeps_none(signed_in: Client, image_set: ImageSet) -> None:
    upload = reverse("publishing:set_upload", args=[image_set.pk])
    answer = signed_in.post(upload, {"images": [pdf_upload()]}, headers=HTMX)
    assert answer.status_code == 422
    assert "“brochure.pdf” was not added. A set holds images and videos" in answer.content.decode()
    assert not MediaFile.objects.exists()


def test_the_browser_knows_what_is_too_large(signed_in: Client, image_set: ImageSet, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES, settings.UPLOAD_VIDEO_MAX_BYTES = 1024, 2048
    for address in (NEW, reverse("publishing:set_detail", args=[image_set.pk])):
        page = signed_in.get(address).content.decode()
        assert 'data-max-bytes="1024"' in page
        assert 'data-max-video-bytes="2048"' in page


def test_a_set_counts_images_and_videos_apart(signed_in: Client, workspace: Workspace, image_set: ImageSet) -> None:
    for position, media in enumerate([make_media(workspace), make_media(workspace), make_film(workspace)], start=1):
        ImageSetItem.objects.create(image_set=image_set, media=media, position=position)
    page = " ".join(signed_in.get(reverse("publishing:library")).content.decode().split())
    assert "2 images, 1 video" in page
