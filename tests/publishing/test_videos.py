"""Videos and documents: in by a process of their own, kept clean, out by signed address and piece by piece."""

from __future__ import annotations

import io
from pathlib import Path

import av
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User, Workspace
from publishing import inspection, media
from publishing.media import UploadRefused, media_items, public_url, store_upload
from publishing.models import MediaFile, PostMedia
from socialhub.platforms.base import MediaKind, PostType
from socialhub.platforms.errors import RejectedError
from tests.factories import make_account, make_post
from tests.publishing.films import bomb, film, film_upload, pdf, pdf_upload, unfolding_pdf
from tests.publishing.pictures import encoded, gradient, photo, upload


def boxes(content: bytes) -> list[bytes]:
    """The names of the outermost boxes of an MP4."""
    names, at = [], 0
    while at + 8 <= len(content):
        names.append(content[at + 4 : at + 8])
        at += int.from_bytes(content[at : at + 4], "big") or len(content)
    return names


def packets(content: bytes) -> dict[str, list[bytes]]:
    """The encoded pictures and sounds, by kind."""
    found: dict[str, list[bytes]] = {"video": [], "audio": []}
    with av.open(io.BytesIO(content)) as clip:
        for packet in clip.demux():
            if packet.size:
                found[packet.stream.type].append(bytes(packet))
    return found


def test_a_video_is_kept_with_its_facts(workspace: Workspace, owner: User):
    item = store_upload(workspace, owner, film_upload("My film.MOV"))
    assert (item.kind, item.content_type, item.width, item.height) == ("video", "video/mp4", 540, 960)
    assert item.facts["seconds"] == pytest.approx(4, abs=0.05)
    assert (item.facts["fps"], item.facts["codec"], item.facts["audio_codec"]) == (30, "h264", "aac")
    assert item.size_bytes == len(media.read(item.file))
    assert item.file.name.endswith(".mp4")
    assert item.original_name == "My film.MOV"


def test_its_thumbnail_shows_its_picture(workspace: Workspace, owner: User):
    item = store_upload(workspace, owner, film_upload())
    from_video = media.images.read(media.read(item.thumbnail))
    left, right = from_video.getpixel((10, 100)), from_video.getpixel((from_video.width - 10, 100))
    assert left[0] > 200 > 100 > left[2]
    assert right[2] > 200 > 100 > right[0]


def test_nothing_hidden_comes_along(workspace: Workspace, owner: User):
    dirty = film(note="met at the harbour")
    assert b"met at the harbour" in dirty
    item = store_upload(workspace, owner, SimpleUploadedFile("clip.mp4", dirty, "video/mp4"))
    clean = media.read(item.file)
    assert b"met at the harbour" not in clean
    assert b"+48.1374" not in clean


def test_the_index_stands_first_and_no_edits_are_needed(workspace: Workspace, owner: User):
    item = store_upload(workspace, owner, film_upload())
    content = media.read(item.file)
    names = boxes(content)
    assert names.index(b"moov") < names.index(b"mdat")
    assert b"elst" not in content


def test_pictures_and_sound_are_those_that_came_in(workspace: Workspace, owner: User):
    item = store_upload(workspace, owner, film_upload())
    assert packets(media.read(item.file)) == packets(film())
    assert len(packets(film())["video"]) == 120


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (film(codec="libvpx", container="webm", sound=False), "Export it as MP4"),
        (film()[:5000], "damaged"),
        (b"\0\0\0\x18ftypmp42" + b"\0" * 4000, "damaged"),
        (b"%PDF-1.7\n" + b"nonsense" * 100, "damaged"),
        (b"RIFF\0\0\0\0AVI LIST" + b"\0" * 4000, "Export it as MP4"),
        (b"<!--ftyp--><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>", "damaged"),
        (b"%PDF-1.7\n<script>alert(1)</script>" + film(), "damaged"),
    ],
    ids=["webm", "cut off", "empty boxes", "no pdf", "avi", "playlist", "two in one"],
)
def test_bad_files_are_refused_with_their_name(workspace: Workspace, owner: User, content: bytes, words: str):
    with pytest.raises(UploadRefused) as refusal:
        store_upload(workspace, owner, SimpleUploadedFile("holiday.mp4", content))
    assert "“holiday.mp4”" in refusal.value.message
    assert words in refusal.value.message
    assert not MediaFile.objects.exists()


def test_a_heavy_video_is_refused_before_it_is_read(workspace: Workspace, owner: User, settings, monkeypatch):
    settings.UPLOAD_VIDEO_MAX_BYTES = 1024 * 1024
    monkeypatch.setattr(inspection, "inspect", lambda *args: pytest.fail("it was opened"))
    heavy = SimpleUploadedFile("clip.mp4", film() + b"\0" * 1024 * 1024)
    with pytest.raises(UploadRefused, match="larger than 1 MB"):
        store_upload(workspace, owner, heavy)


def test_a_copy_does_not_outgrow_its_source(tmp_path: Path):
    source = tmp_path / "bomb.mp4"
    source.write_bytes(bomb(200, 1_000_000))
    with pytest.raises(inspection.NotInspected, match="damaged"):
        inspection.inspect(source, tmp_path)
    assert (tmp_path / "clean").stat().st_size < 40 * 1024**2


def test_a_document_unfolds_within_bounds(tmp_path: Path):
    source = tmp_path / "upload"
    source.write_bytes(unfolding_pdf(1000))
    assert inspection.inspect(source, tmp_path)[0].facts == {"pages": 1}
    source.write_bytes(unfolding_pdf(900_000_000))
    assert source.stat().st_size < 4000
    with pytest.raises(inspection.NotInspected, match="damaged"):
        inspection.inspect(source, tmp_path)


def test_an_inspector_that_dies_costs_one_file(workspace: Workspace, owner: User, monkeypatch, tmp_path: Path):
    crash = tmp_path / "crash.py"
    crash.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.setattr(inspection, "INSPECTOR", crash)
    with pytest.raises(UploadRefused, match="damaged"):
        store_upload(workspace, owner, film_upload())


def test_an_inspector_that_hangs_is_ended(workspace: Workspace, owner: User, monkeypatch, tmp_path: Path):
    hang = tmp_path / "hang.py"
    hang.write_text("while True: pass\n")
    monkeypatch.setattr(inspection, "INSPECTOR", hang)
    monkeypatch.setattr(inspection, "LONGEST_SECONDS", 0.3)
    with pytest.raises(UploadRefused, match="too long"):
        store_upload(workspace, owner, film_upload())


def test_the_same_video_is_kept_once(workspace: Workspace, owner: User):
    assert store_upload(workspace, owner, film_upload()).pk == store_upload(workspace, owner, film_upload()).pk


def test_a_document_is_kept_with_its_pages(workspace: Workspace, owner: User):
    item = store_upload(workspace, owner, pdf_upload(pages=3))
    assert (item.kind, item.content_type, item.facts) == ("document", "application/pdf", {"pages": 3})
    assert media.read(item.file) == pdf(3)
    thumbnail = media.images.read(media.read(item.thumbnail))
    assert thumbnail.width / thumbnail.height == pytest.approx(300 / 400, abs=0.01)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\0\0\0\x18ftypmp42", MediaKind.VIDEO),
        (b"\0\0\0\x14ftypqt  ", MediaKind.VIDEO),
        (b"\0\0\0\x18ftypheic", MediaKind.IMAGE),
        (b"\0\0\0\x18ftypmif1", MediaKind.IMAGE),
        (b"\x1aE\xdf\xa3\x01\0\0\0", MediaKind.VIDEO),
        (b"%PDF-1.4\n", MediaKind.DOCUMENT),
        (b"\xff\xd8\xff\xe0", MediaKind.IMAGE),
        (b"", MediaKind.IMAGE),
    ],
)
def test_kinds_are_told_by_content_never_by_name(start: bytes, kind: MediaKind):
    assert inspection.kind_of(start) is kind


# --- Out


def test_a_video_goes_out_as_it_is(workspace: Workspace, owner: User, client: Client):
    account = make_account(workspace, platform="instagram")
    item = store_upload(workspace, owner, film_upload())
    post = make_post(workspace, account, post_type=PostType.REEL)
    PostMedia.objects.create(post=post, media=item, position=1)
    (sent,) = media_items(post.publications.get())
    assert (sent.kind, sent.content_type, sent.width, sent.height) == (MediaKind.VIDEO, "video/mp4", 540, 960)
    assert sent.video is not None
    assert sent.video.codec == "h264"
    assert sent.read() == media.read(item.file)
    with sent.open() as stream:
        assert stream.read(100) == media.read(item.file)[:100]
    assert sent.url.endswith(".mp4")
    answer = client.get(sent.url.removeprefix(settings.PUBLIC_BASE_URL))
    assert answer["Content-Type"] == "video/mp4"
    assert b"".join(answer.streaming_content) == media.read(item.file)
    asked_first = client.head(sent.url.removeprefix(settings.PUBLIC_BASE_URL))
    assert not asked_first.streaming  # the file is not even begun
    assert asked_first["Content-Length"] == str(item.size_bytes)


def test_a_document_goes_out_with_title_and_pages(workspace: Workspace, owner: User):
    item = store_upload(workspace, owner, pdf_upload("Spring brochure.pdf", pages=2))
    post = make_post(workspace, make_account(workspace, platform="linkedin"), post_type=PostType.DOCUMENT)
    PostMedia.objects.create(post=post, media=item, position=1)
    (sent,) = media_items(post.publications.get())
    assert (sent.kind, sent.title, sent.pages) == (MediaKind.DOCUMENT, "Spring brochure", 2)


def test_a_lost_video_is_named(workspace: Workspace, owner: User):
    item = store_upload(workspace, owner, film_upload())
    post = make_post(workspace, make_account(workspace, platform="instagram"), post_type=PostType.REEL)
    PostMedia.objects.create(post=post, media=item, position=1)
    item.file.storage.delete(item.file.name)
    with pytest.raises(RejectedError, match=r"“clip\.mp4” is no longer stored"):
        media_items(post.publications.get())


@pytest.mark.parametrize(
    ("header", "status", "span"),
    [
        ("bytes=0-99", 206, slice(0, 100)),
        ("bytes=100-", 206, slice(100, None)),
        ("bytes=-50", 206, slice(-50, None)),
        ("bytes=0-99999999999", 206, slice(0, None)),
        ("bytes=99999999999-", 416, None),
        ("bytes=5-2", 416, None),
        ("bytes=0-1,5-6", 200, slice(0, None)),
        ("lines=1-2", 200, slice(0, None)),
        ("bytes=-", 200, slice(0, None)),
    ],
)
def test_players_may_ask_for_a_part(
    workspace: Workspace, owner: User, signed_in: Client, header: str, status: int, span: slice | None
):
    item = store_upload(workspace, owner, film_upload())
    content = media.read(item.file)
    answer = signed_in.get(reverse("publishing:media_file", args=[item.pk]), headers={"Range": header})
    assert answer.status_code == status
    if span is None:
        assert answer["Content-Range"] == f"bytes */{len(content)}"
        return
    body = b"".join(answer.streaming_content)
    assert body == content[span]
    assert answer["Content-Length"] == str(len(body))
    if status == 206:
        start = content.index(body) if len(body) < len(content) else 0
        assert answer["Content-Range"] == f"bytes {start}-{start + len(body) - 1}/{len(content)}"


def test_no_address_of_an_image_itself_can_be_made(workspace: Workspace, owner: User, client: Client):
    """Of images only renditions go out, never the stored picture."""
    item = store_upload(workspace, owner, photo())
    item.kind = "document"  # as a forger would have it
    address = public_url(item).removeprefix(settings.PUBLIC_BASE_URL)
    assert client.get(address).status_code == 404


# --- Crop


def test_a_crop_keeps_the_focus_point(workspace: Workspace, owner: User):
    """A wide picture, red growing to the right: the crop around its right end is redder than that around its left."""
    account = make_account(workspace, platform="instagram")
    wide = upload(encoded(gradient(1200, 300)), "wide.jpg")
    item = store_upload(workspace, owner, wide)
    post = make_post(workspace, account, post_type=PostType.SINGLE)
    used = PostMedia.objects.create(post=post, media=item, position=1, fit=PostMedia.Fit.CROP)
    shown = {}
    for focus in (0.1, 0.5, 0.9):
        MediaFile.objects.filter(pk=item.pk).update(focus_x=focus)
        (sent,) = media_items(post.publications.get())
        assert sent.width / sent.height == pytest.approx(1.91, abs=0.02)
        image = media.images.read(sent.read())
        shown[focus] = image.getpixel((image.width // 2, image.height // 2))[0]
    assert shown[0.1] < shown[0.5] - 20 < shown[0.5] < shown[0.9] - 20
    assert used.media.renditions.count() == 3


def test_bars_show_the_whole_picture_where_a_crop_does_not(workspace: Workspace, owner: User):
    item = store_upload(workspace, owner, upload(encoded(gradient(1200, 300)), "wide.jpg"))
    rules = media.RULES["instagram"].image
    padded, cropped = media.rendition(item, rules), media.rendition(item, rules, crop=True)
    assert padded.width / padded.height == pytest.approx(cropped.width / cropped.height, abs=0.02)
    assert cropped.width < padded.width
