"""A workspace as a folder: whole, readable without us, without secrets, made once by whoever lives."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ConnectedAccount, Membership, Notification, User, Workspace
from analytics import workspace_export, workspace_folder
from analytics.models import InsightWindow, PlatformPost, WorkspaceExport
from publishing.media import read as read_stored
from publishing.media import store_upload
from publishing.models import (
    Attempt,
    CaptionTemplate,
    HashtagGroup,
    ImageSet,
    ImageSetItem,
    MediaFile,
    Post,
    PostMedia,
    PublicationEvent,
    WebhookEndpoint,
)
from tests.factories import make_account, make_media, make_post, make_user
from tests.publishing.pictures import encoded, gradient, upload

pytestmark = pytest.mark.django_db

TOKEN = "EAAGpageTokenThatMustNeverLeave0123456789"


@pytest.fixture
def account(workspace: Workspace) -> ConnectedAccount:
    return make_account(workspace, token=TOKEN, name="Barn Finds", username="barnfinds")


@pytest.fixture
def full(workspace: Workspace, account: ConnectedAccount, owner: User) -> Post:
    """A workspace with something of everything; returns its published post."""
    pictures = [
        store_upload(workspace, owner, upload(encoded(gradient(200 + number, 150)), f"Bild {number} <é>.jpg"))
        for number in range(3)
    ]
    post = make_post(
        workspace, account, caption="=cmd|' /C calc'!A0 <b>Chevy</b>\nfound", hashtags=["v8"], campaign="Spring"
    )
    post.scheduled_at = timezone.now() - timedelta(days=3)
    post.save()
    for number, picture in enumerate(pictures[:2], start=1):
        PostMedia.objects.create(post=post, media=picture, position=number, alt_text=f"Alt {number}")
    publication = post.publications.get()
    publication.permalink, publication.status = "https://www.facebook.com/1_2", "published"
    publication.published_at = timezone.now() - timedelta(days=3)
    publication.save()
    PublicationEvent.objects.create(
        publication=publication,
        from_status="publishing",
        to_status="published",
        at=timezone.now(),
        reason="It is out.",
        actor=owner,
    )
    Attempt.objects.create(
        publication=publication,
        number=1,
        worker="w",
        started_at=timezone.now(),
        outcome="published",
        platform_message=f"access_token={TOKEN}",
        steps=[{"key": "publish", "note": f"https://graph.facebook.com/me?access_token={TOKEN}"}],
    )
    image_set = ImageSet.objects.create(
        workspace=workspace, title="Camaro", details=[["Vehicle", "1969 Chevrolet Camaro"]], hashtags=["camaro"]
    )
    ImageSetItem.objects.create(image_set=image_set, media=pictures[0], position=1)
    CaptionTemplate.objects.create(workspace=workspace, name="Short", body="{title}!")
    HashtagGroup.objects.create(workspace=workspace, name="Cars", hashtags=["v8", "barnfind"])
    WebhookEndpoint.objects.create(
        workspace=workspace, url="https://hooks.example/in?key=secretkey", seen_until=timezone.now()
    )
    Notification.objects.create(workspace=workspace, kind="missed", incident="x", title="A post was missed")
    PlatformPost.objects.create(
        account=account, platform_post_id="1_2", posted_at=timezone.now(), likes=12, publication=publication
    )
    InsightWindow.objects.create(
        account=account,
        period="day",
        window_start=timezone.now().replace(hour=0),
        metrics={"views": 300},
        fetched_at=timezone.now(),
    )
    return post


@pytest.fixture
def folder(full: Post, workspace: Workspace, owner: User) -> Iterator[zipfile.ZipFile]:
    export = workspace_export.ask(workspace, owner)
    workspace_export.run_due()
    export.refresh_from_db()
    assert export.status == "ready", export.message
    with default_storage.open(str(export.file.name)) as stored, zipfile.ZipFile(stored) as opened:
        yield opened


def table(folder: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(folder.read(name).decode("utf-8-sig"))))


def test_everything_is_in_it(folder: zipfile.ZipFile, full: Post, owner: User) -> None:
    assert folder.testzip() is None
    names = folder.namelist()
    assert len(names) == len(set(names))
    post_folder = next(name for name in names if name.endswith("post.txt")).rpartition("/")[0]
    assert post_folder.endswith(full.pk.hex[:8])
    text = folder.read(f"{post_folder}/post.txt").decode()
    for expected in ("<b>Chevy</b>", "#v8", "Spring", "https://www.facebook.com/1_2", "Alt 2", "Barn Finds"):
        assert expected in text
    files = [name for name in names if name.startswith(post_folder) and name.endswith(".jpeg")]
    used = full.post_media.order_by("position").select_related("media")
    assert [folder.read(name) for name in sorted(files)] == [read_stored(item.media.file) for item in used]
    line = json.loads(folder.read("posts.jsonl").splitlines()[0])
    assert line["folder"] == post_folder
    assert [one["file"] for one in line["media"]] == sorted(files)
    assert line["publications"][0]["permalink"] == "https://www.facebook.com/1_2"
    assert "Camaro" in next(folder.read(name).decode() for name in names if name.endswith("set.txt"))
    assert len([name for name in names if name.startswith("library/other-files/")]) == 1
    assert folder.read("library/hashtag-groups.txt").decode() == "Cars: #v8 #barnfind\n"
    assert table(folder, "tables/accounts.csv")[0]["name"] == "Barn Finds"
    assert table(folder, "tables/members.csv")[0]["user__email"] == owner.email
    assert table(folder, "tables/events.csv")[0]["reason"] == "It is out."
    assert table(folder, "tables/attempts.csv")[0]["outcome"] == "published"
    assert table(folder, "tables/publications.csv")[0]["permalink"] == "https://www.facebook.com/1_2"
    assert table(folder, "figures/posts.csv")[0]["likes"] == "12"
    assert table(folder, "figures/account-days.csv")[0]["views"] == "300"
    readme = folder.read("README.txt").decode()
    for top in {name.partition("/")[0] for name in names} - {"README.txt"}:
        assert top in readme


def test_no_secret_is_in_it(folder: zipfile.ZipFile) -> None:
    endpoint = WebhookEndpoint.objects.get()
    for name in folder.namelist():
        content = folder.read(name)
        for secret in (TOKEN, "page-token", "secretkey", endpoint.secret):
            assert str(secret).encode() not in content, name


def test_nothing_in_it_runs_or_climbs_out(folder: zipfile.ZipFile, full: Post) -> None:
    page = folder.read("index.html").decode()
    assert "<b>" not in page
    assert "&lt;b&gt;Chevy" in page
    assert "<script" not in page
    for name in folder.namelist():
        assert not name.startswith(("/", "\\"))
        assert ".." not in name
        assert re.fullmatch(r"[\w./-]+", name, re.ASCII), name
    assert table(folder, "figures/posts.csv")[0]["text"] == ""
    Notification.objects.update(title="=HYPERLINK(1)")
    rows = list(workspace_folder.notifications_table(full.workspace).rows)
    assert rows[0][1] == "=HYPERLINK(1)"
    assert "'=HYPERLINK" in table_text(full.workspace)


def table_text(workspace: Workspace) -> str:
    made = workspace_folder.notifications_table(workspace)
    return b"".join(workspace_folder.files.csv_of(made, timezone.get_default_timezone())).decode("utf-8-sig")


def test_nothing_of_another_workspace_is_in_it(full: Post, workspace: Workspace, owner: User) -> None:
    other = make_user()
    theirs = other.workspaces.get()
    store_upload(theirs, other, upload(encoded(gradient(77, 77)), "theirs.jpg"))
    make_post(theirs, make_account(theirs, name="Theirs alone"), caption="Theirs alone")
    export = workspace_export.ask(workspace, owner)
    workspace_export.run_due()
    export.refresh_from_db()
    with default_storage.open(str(export.file.name)) as stored, zipfile.ZipFile(stored) as folder:
        assert all(b"Theirs alone" not in folder.read(name) for name in folder.namelist())
        assert not [name for name in folder.namelist() if "theirs" in name]


def test_a_file_that_is_lost_is_said_to_be(full: Post, workspace: Workspace, owner: User) -> None:
    lost = full.post_media.order_by("position").last()
    assert lost
    default_storage.delete(str(lost.media.file.name))
    export = workspace_export.ask(workspace, owner)
    workspace_export.run_due()
    export.refresh_from_db()
    with default_storage.open(str(export.file.name)) as stored, zipfile.ZipFile(stored) as folder:
        text = next(folder.read(name).decode() for name in folder.namelist() if name.endswith("post.txt"))
        assert "File 2: no longer stored" in text


def test_a_large_file_of_several_posts_is_put_in_once(
    workspace: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace_folder, "COPY_BYTES", 1000)
    media = store_upload(workspace, owner, upload(encoded(gradient(300, 200)), "large.jpg"))
    for _number in range(3):
        PostMedia.objects.create(post=make_post(workspace), media=media, position=1)
    export = workspace_export.ask(workspace, owner)
    workspace_export.run_due()
    export.refresh_from_db()
    with default_storage.open(str(export.file.name)) as stored, zipfile.ZipFile(stored) as folder:
        assert len([name for name in folder.namelist() if "large" in name]) == 1
        paths = {json.loads(line)["media"][0]["file"] for line in folder.read("posts.jsonl").splitlines()}
        assert paths <= set(folder.namelist())
        assert len(paths) == 1


def test_its_size_is_that_of_the_disk(workspace: Workspace, owner: User) -> None:
    """60 MB of files and 400 posts in little memory."""
    noise = random.Random(4).randbytes(20 * 1024 * 1024)
    for number in range(3):
        media = make_media(workspace, size_bytes=len(noise))
        media.file.save(f"{number}.mp4", ContentFile(noise))
    del noise
    Post.objects.bulk_create(Post(workspace=workspace, caption="x" * 500) for _number in range(400))
    export = workspace_export.ask(workspace, owner)
    tracemalloc.start()
    try:
        workspace_export.run_due()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    export.refresh_from_db()
    assert export.size_bytes > 60 * 1024 * 1024
    assert peak < 16 * 1024 * 1024


# --- Making it ------------------------------------------------------------------------------------------------


def test_asked_for_twice_it_is_made_once(workspace: Workspace, owner: User) -> None:
    first = workspace_export.ask(workspace, owner)
    assert workspace_export.ask(workspace, owner) == first
    workspace_export.run_due()
    assert WorkspaceExport.objects.get().status == "ready"
    assert len(mail.outbox) == 1
    assert "/settings/workspace/data/" in mail.outbox[0].body
    assert workspace_export.ask(workspace, owner) != first


class Killed(BaseException):
    pass


@pytest.mark.parametrize("step", ["store", "mine", "send_word"])
def test_whoever_dies_another_one_makes_it(
    full: Post, workspace: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    real, calls = getattr(workspace_export, step), []

    def once(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise Killed
        return real(*args, **options)

    export = workspace_export.ask(workspace, owner)
    monkeypatch.setattr(workspace_export, step, once)
    with pytest.raises(Killed):
        workspace_export.run_due()
    workspace_export.run_due()  # its lease still holds
    with time_machine.travel(timezone.now() + workspace_export.STORING + timedelta(seconds=1), tick=True):
        workspace_export.run_due()
    export.refresh_from_db()
    assert export.status == "ready"
    assert files_of(workspace) == [f"{export.pk}.zip"]


def files_of(workspace: Workspace) -> list[str]:
    try:
        return default_storage.listdir(f"exports/{workspace.pk}")[1]
    except FileNotFoundError:
        return []


def test_what_cannot_be_made_is_given_up_and_said(
    workspace: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workspace_export, "store", full_disk)
    export = workspace_export.ask(workspace, owner)
    for hours in range(4):
        with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=True):
            workspace_export.run_due()
    export.refresh_from_db()
    assert (export.status, export.attempts) == ("failed", 3)
    assert "could not be made" in export.message


def test_removed_while_it_is_made_it_leaves_no_file(
    full: Post, workspace: Workspace, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = workspace_export.ask(workspace, owner)
    real = workspace_export.store

    def removed(*args: Any) -> None:
        workspace_export.remove(WorkspaceExport.objects.get(pk=export.pk))
        real(*args)

    monkeypatch.setattr(workspace_export, "store", removed)
    workspace_export.run_due()
    assert not WorkspaceExport.objects.exists()
    assert files_of(workspace) == []


def test_after_a_week_it_is_gone(workspace: Workspace, owner: User, signed_in: Client) -> None:
    export = workspace_export.ask(workspace, owner)
    workspace_export.run_due()
    assert workspace_export.tidy() == 0
    address = reverse("analytics:workspace_export_file", args=[export.pk])
    assert read(signed_in.get(address))
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=5)):
        assert workspace_export.readable(workspace, export.pk) is None
        assert workspace_export.tidy() == 1
    assert files_of(workspace) == []
    assert signed_in.get(address).status_code == 404


def read(answer: Any) -> bytes:
    """All of a file that is sent; it is closed after that."""
    return b"".join(answer.streaming_content)


# --- The page -------------------------------------------------------------------------------------------------


def test_it_is_asked_for_and_downloaded_on_the_page(
    full: Post, workspace: Workspace, owner: User, signed_in: Client, stranger: User, signed_in_stranger: Client
) -> None:
    page = reverse("analytics:workspace_data")
    told = signed_in.post(reverse("analytics:workspace_export_new"), follow=True).content.decode()
    assert "It is being made." in told
    assert "hx-get" in signed_in.get(page, headers={"HX-Request": "true"}).content.decode()
    workspace_export.run_due()
    export = WorkspaceExport.objects.get()
    address = reverse("analytics:workspace_export_file", args=[export.pk])
    assert address in signed_in.get(page).content.decode()
    answer = signed_in.get(address)
    assert answer["Content-Type"] == "application/zip"
    assert re.fullmatch(r'attachment; filename="[a-z0-9-]+\.zip"', answer["Content-Disposition"])
    content = read(answer)
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    assert signed_in_stranger.get(address).status_code == 404
    assert signed_in_stranger.post(reverse("analytics:workspace_export_remove", args=[export.pk])).status_code == 404
    assert signed_in.post(reverse("analytics:workspace_export_remove", args=[export.pk])).status_code == 302
    assert files_of(workspace) == []


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("editor", 403), ("admin", 200)])
def test_only_managers_take_it_along(full: Post, workspace: Workspace, owner: User, role: str, status: int) -> None:
    member = User.objects.create_user(email="member@example.com", password="correct horse")
    Membership.objects.create(workspace=workspace, user=member, role=role)
    client = Client()
    client.force_login(member, backend="allauth.account.auth_backends.AuthenticationBackend")
    export = workspace_export.ask(workspace, owner)
    workspace_export.run_due()
    assert client.get(reverse("analytics:workspace_data")).status_code == status
    answer = client.get(reverse("analytics:workspace_export_file", args=[export.pk]))
    assert answer.status_code == status
    assert not answer.streaming or read(answer)
    assert (client.post(reverse("analytics:workspace_export_new")).status_code == 403) is (status == 403)


def test_it_speaks_the_language_of_whoever_asked(workspace: Workspace, owner: User) -> None:
    MediaFile.objects.all().delete()
    owner.time_zone = "Asia/Tokyo"
    owner.save()
    export = workspace_export.ask(workspace, owner)
    workspace_export.run_due()
    export.refresh_from_db()
    with default_storage.open(str(export.file.name)) as stored, zipfile.ZipFile(stored) as folder:
        assert "(Asia/Tokyo)" in folder.read("README.txt").decode()
