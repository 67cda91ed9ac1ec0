"""Files of the library by a program."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.models import User, Workspace
from publishing.models import ImageSet, MediaFile
from tests.api.programs import Program, error_of, fields_of, program_of
from tests.factories import make_media, workspace_of
from tests.publishing.pictures import photo, png_bomb, upload

pytestmark = pytest.mark.django_db


def send(program: Program, **data: Any) -> Any:
    return Client().post("/api/social/media", data, headers={"Authorization": f"Bearer {program.key}"})


def test_an_image_comes_into_the_library_once(program: Program, workspace: Workspace, owner: User) -> None:
    first = send(program, file=photo(name="../../car.jpg"), altText="A car")
    assert first.status_code == 201, first.content
    body = first.json()
    row = MediaFile.objects.get()
    assert (row.workspace, row.uploaded_by) == (workspace, owner)
    assert (body["id"], body["name"], body["altText"], body["kind"]) == (str(row.pk), "car.jpg", "A car", "image")
    assert (body["width"], body["height"]) == (120, 90)
    assert send(program, file=photo()).json()["id"] == body["id"]
    assert program("GET", f"media/{row.pk}").json()["contentType"] == "image/jpeg"
    for what in ("file", "thumbnail"):
        response = program("GET", f"media/{row.pk}/{what}")
        content = b"".join(response.streaming_content)
        assert Image.open(io.BytesIO(content)).format == "JPEG"
        assert "private" in response["Cache-Control"]


@pytest.mark.parametrize(
    "file",
    [
        upload(b"<svg onload=alert(1)>", "a.svg", "image/svg+xml"),
        upload(b"", "a.jpg"),
        upload(png_bomb(30_000), "a.png"),
    ],
    ids=["svg", "empty", "bomb"],
)
def test_a_file_that_is_refused_is_named(program: Program, file: SimpleUploadedFile) -> None:
    assert fields_of(send(program, file=file)).keys() == {"file"}
    assert not MediaFile.objects.exists()


def test_without_a_file_it_says_so(program: Program) -> None:
    assert fields_of(send(program, altText="x")).keys() == {"file"}
    assert fields_of(program("POST", "media", {"file": "x"})).keys() == {"file"}
    assert fields_of(send(program, file="text")).keys() == {"file"}
    assert fields_of(send(program, file=photo(), altText="x" * 1_001)).keys() == {"altText"}
    error_of(send(program_of(program_workspace(program), program_user(program), "read"), file=photo()), 403)


def program_user(program: Program) -> User:
    return User.objects.get()


def program_workspace(program: Program) -> Workspace:
    return Workspace.objects.get()


def test_a_broken_upload_is_no_fault_of_ours(program: Program) -> None:
    response = Client().generic(
        "POST",
        "/api/social/media",
        b"--x\r\nContent-Disposition: form-data",
        "multipart/form-data; boundary=",
        headers={"Authorization": f"Bearer {program.key}"},
    )
    error_of(response, 400)


def test_files_of_others_are_not_there(program: Program, stranger: User) -> None:
    theirs = make_media(workspace_of(stranger))
    ImageSet.objects.create(workspace=workspace_of(stranger), title="Theirs")
    for address in (f"media/{theirs.pk}", f"media/{theirs.pk}/file", f"media/{theirs.pk}/thumbnail"):
        error_of(program("GET", address), 404)
    assert program("GET", "media").json() == {"media": [], "nextCursor": None}
    assert program("GET", "image-sets").json() == {"imageSets": [], "nextCursor": None}


def test_the_library_comes_in_pages(program: Program, workspace: Workspace) -> None:
    wanted = [str(make_media(workspace).pk) for _number in range(3)][::-1]
    first = program("GET", "media?limit=2").json()
    rest = program("GET", f"media?limit=2&cursor={first['nextCursor']}").json()
    assert [one["id"] for one in first["media"] + rest["media"]] == wanted
    assert rest["nextCursor"] is None
