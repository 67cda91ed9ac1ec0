"""Files that are made to harm whoever opens them, keeps them, or shows them to others."""

from __future__ import annotations

import io
import re
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import ExifTags, Image

from accounts.models import User, Workspace
from publishing.media import UploadRefused, store_upload
from publishing.models import ImageSet, MediaFile
from socialhub import guards, pixels
from tests.publishing.pictures import encoded, gradient, photo, upload

pytestmark = pytest.mark.django_db


# --- Small files that take an hour, or all memory -------------------------------------------------------------


def scans_of(content: bytes) -> tuple[bytes, list[bytes]]:
    """A progressive JPEG without its end, and its scans."""
    starts = [found.start() for found in re.finditer(rb"\xff\xda", content)]
    scans = []
    for start in starts:
        header = int.from_bytes(content[start + 2 : start + 4])
        end = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]").search(content, start + 2 + header)
        assert end
        scans.append(content[start : end.start()])
    return content[:-2], scans


def test_a_jpeg_of_endless_scans_is_refused_before_it_is_drawn() -> None:
    """Half a megabyte of it would keep a processor busy for twenty seconds, a whole upload for an hour."""
    body, scans = scans_of(encoded(Image.new("L", (7000, 7000), 128), progressive=True))
    content = body + min(scans, key=len) * 7000 + b"\xff\xd9"
    assert len(content) < 1_000_000
    began = time.process_time()
    with pytest.raises(pixels.NotAnImage, match="too long to read"):
        pixels.read(content)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("segment", [b"\xff\xfe\0\2", b"\xff\xe1\0\x08Exif\0\0", b"\xff\xe2\0\x10ICC_PROFILE\0\1\1"])
def test_a_jpeg_of_nothing_but_headers_is_refused(segment: bytes) -> None:
    whole = encoded(gradient())
    with pytest.raises(pixels.NotAnImage, match="too long to read"):
        pixels.read(whole[:2] + segment * 500_000 + whole[2:])


@pytest.mark.parametrize(
    "options",
    [{"progressive": True}, {"optimize": True}, {"quality": 95, "subsampling": 0}, {"restart_marker_rows": 1}],
)
def test_ordinary_jpegs_are_read(options: dict[str, Any]) -> None:
    assert pixels.read(encoded(gradient(600, 400), **options)).size == (600, 400)


def test_a_motion_photo_is_read() -> None:
    """Phones put a film behind the picture: whatever its bytes look like, they are no scans of it."""
    behind = b"\xff\xda\0\2" * 5000
    assert pixels.read(encoded(gradient()) + behind).size == (120, 90)


def png_with(kind: bytes, data: bytes) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    drawn = chunk(b"IDAT", zlib.compress(bytes(8 * 25)))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(kind, data) + drawn + chunk(b"IEND", b"")


@pytest.mark.parametrize(("kind", "start"), [(b"iCCP", b"x\0\0"), (b"zTXt", b"x\0\0"), (b"iTXt", b"x\0\1\0\0\0")])
def test_what_unfolds_inside_a_png_is_not_unfolded(kind: bytes, start: bytes) -> None:
    """Sixty kilobytes that become sixty megabytes, in a place where no pixel is."""
    assert pixels.read(png_with(b"tEXt", b"a\0b")).size == (8, 8)
    began = time.process_time()
    with pytest.raises(pixels.NotAnImage):
        pixels.read(png_with(kind, start + zlib.compress(b"a" * 60_000_000, 9)))
    assert time.process_time() - began < 1


# --- Two files in one, or another than it says ----------------------------------------------------------------

POLYGLOTS = {
    "a page behind the picture": encoded(gradient()) + b"<html><script>alert(1)</script>",
    "a page in a comment": encoded(gradient(), comment=b"<ScRiPt src=//evil.example></sCrIpT>"),
    "a page in the name of a program": encoded(gradient(), "PNG") + b"<svg onload=alert(1)>",
    "an archive": encoded(gradient()) + b"PK\x05\x06" + bytes(18),
    "a program": encoded(gradient(), comment=b"<?php eval($_GET[1]);"),
    "a document": encoded(gradient()) + b"%PDF-1.4",
    "a drawing": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "a page": b"<!doctype html><script>alert(1)</script>",
    "a drawing with entities": b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg>&a;</svg>',
    "a script that begins like a picture": b"GIF89a/*" + b"a" * 20 + b"*/=1;alert(1)",
    "nothing": b"",
}


@pytest.mark.parametrize("what", POLYGLOTS)
@pytest.mark.parametrize("name", ["holiday.jpg", "page.html", "drawing.svg", "film.mp4", "paper.pdf"])
def test_a_file_that_is_something_else_is_not_taken(workspace: Workspace, owner: User, what: str, name: str) -> None:
    with pytest.raises(UploadRefused):
        store_upload(workspace, owner, SimpleUploadedFile(name, POLYGLOTS[what], "image/jpeg"))
    assert not MediaFile.objects.exists()


def test_a_picture_is_never_kept_as_it_came(signed_in: Client, workspace: Workspace, owner: User) -> None:
    """What hides behind the picture, or in it where nobody looks, does not come along."""
    hidden = b"\x90hidden payload\x90"
    content = encoded(gradient(), comment=hidden) + hidden
    item = store_upload(workspace, owner, upload(content, "page.html", "text/html"))
    response = signed_in.get(reverse("publishing:media_file", args=[item.pk]))
    kept = response.getvalue()
    assert hidden not in kept
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")


def located(format: str) -> bytes:
    """A picture that tells where it was taken, the way phones and programs write it."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    exif[ExifTags.Base.Artist] = "Secret Person"
    return encoded(gradient(), format, exif=exif.tobytes())


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_where_a_picture_was_taken_is_not_kept(workspace: Workspace, owner: User, format: str) -> None:
    content = located(format)
    with Image.open(io.BytesIO(content)) as sent:
        assert sent.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    item = store_upload(workspace, owner, upload(content))
    for file in (item.file, item.thumbnail):
        with file.open() as stored:
            kept = stored.read()
        assert b"Secret Person" not in kept
        assert b"Exif" not in kept
        with Image.open(io.BytesIO(kept)) as image:
            assert not dict(image.getexif())


# --- Names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/cron.d/evil.jpg",
        "..\\..\\windows\\evil.jpg",
        "/etc/passwd",
        "a\r\nContent-Type: text/html\r\n\r\n.jpg",
        "photo\u202egpj.exe",
        "x" * 5000 + ".jpg",
        ".htaccess",
        "con.jpg",
        '"><img src=x onerror=alert(1)>.jpg',
        "nul\u200b.jpg",
    ],
)
def test_the_name_of_a_file_is_a_name_only(signed_in: Client, workspace: Workspace, owner: User, name: str) -> None:
    file = photo()
    file._name = name  # as it is on the wire, not as Django's test class cleans it
    item = store_upload(workspace, owner, file)
    root = Path(settings.MEDIA_ROOT).resolve()
    for stored in (item.file, item.thumbnail):
        path = Path(stored.path).resolve()
        assert path.is_relative_to(root)
        assert path.suffix in (".jpg", ".jpeg", ".png")
        assert not set(name) & set("/\\") or name not in str(path)
    assert len(item.original_name) <= 200
    assert item.original_name.isprintable()
    image_set = ImageSet.objects.create(workspace=workspace, title="Set")
    image_set.items.create(media=item, position=1)
    page = signed_in.get(reverse("publishing:set_detail", args=[image_set.pk])).content.decode()
    assert "<img src=x" not in page


# --- More than is taken ---------------------------------------------------------------------------------------


def folder_of_uploads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Whether anything of a body is read: every piece that is taken is noted."""
    taken: list[int] = []
    whole = guards.BodySizeMiddleware.__call__

    def call(self: Any, request: Any) -> Any:
        read = request.__class__.read

        def noted(this: Any, *args: Any) -> bytes:
            piece = read(this, *args)
            taken.append(len(piece))
            return piece

        monkeypatch.setattr(request.__class__, "read", noted)
        return whole(self, request)

    monkeypatch.setattr(guards.BodySizeMiddleware, "__call__", call)
    return taken


@pytest.mark.parametrize(
    "address", ["account_login", "account_signup", "accounts:meta_deauthorize", "publishing:post_new"]
)
def test_a_stranger_cannot_fill_the_disk(client: Client, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Forms are searched for their token, and for that files would be written down before any view is asked."""
    client.get(reverse("account_login"))
    taken = folder_of_uploads(monkeypatch)
    response = client.post(reverse(address), {"upload": SimpleUploadedFile("a.jpg", bytes(1_000_000))})
    assert response.status_code == 413
    assert not taken


def test_a_person_cannot_fill_it_either(signed_in: Client, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.UPLOAD_REQUEST_MAX_BYTES = 500_000
    taken = folder_of_uploads(monkeypatch)
    file = SimpleUploadedFile("a.jpg", bytes(1_000_000))
    assert signed_in.post(reverse("publishing:post_new"), {"upload": file}).status_code == 413
    assert not taken
    settings.UPLOAD_REQUEST_MAX_BYTES = 2_000_000
    file.seek(0)
    assert signed_in.post(reverse("publishing:post_new"), {"upload": file}).status_code == 422
    assert sum(taken) > 1_000_000  # the proof that nothing was read before


@pytest.mark.parametrize("told", ["-1", "1e9", "99999999999999999999", "١٢٣", "abc", ""])
def test_a_length_that_is_none_is_no_fault_of_ours(client: Client, told: str) -> None:
    response = client.generic("POST", reverse("account_login"), b"login=a", CONTENT_LENGTH=told)
    assert response.status_code in (200, 400, 403, 413, 422)


def test_an_upload_of_thousands_of_files_is_refused(signed_in: Client) -> None:
    files = [SimpleUploadedFile(f"{number}.jpg", b"x") for number in range(250)]
    assert signed_in.post(reverse("publishing:post_new"), {"upload": files}).status_code == 400
    assert not MediaFile.objects.exists()
