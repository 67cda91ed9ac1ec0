"""Media in a bucket that several machines share, against a real server that speaks S3."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import pictures
from accounts.models import User, Workspace
from publishing import media
from publishing.media import UploadRefused, public_url, rendition, store_upload
from publishing.models import PostMedia, Publication, QueueEntry, Status
from publishing.schedule import publish_now
from socialhub import stray_files
from socialhub.platforms.rules import IMAGE
from socialhub.redaction import redact
from socialhub.settings import media_storage
from socialhub.storage import FilesAway, SharedStorage
from tests.factories import make_account, make_post
from tests.publishing.conftest import network, run_due  # noqa: F401  a fixture
from tests.publishing.films import film_upload
from tests.publishing.pictures import encoded, gradient, photo
from tests.s3_process import Bucket, s3, s3_process  # noqa: F401  fixtures

ROOT = Path(__file__).resolve().parents[2]
INSTAGRAM = IMAGE["instagram"]


@pytest.fixture
def shared(s3: Bucket, settings: Any) -> Bucket:  # noqa: F811
    """Files go into the bucket, and there is no disk."""
    settings.STORAGES = {**settings.STORAGES, "default": media_storage(s3.setting)}
    settings.MEDIA_ROOT = "/dev/null/nowhere"
    return s3


@pytest.fixture
def away(settings: Any) -> None:
    """A bucket at an address where nobody listens."""
    settings.STORAGES = {**settings.STORAGES, "default": media_storage("s3://k:s@127.0.0.1:9/bucket?tls=0")}


def drain(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


# --- The setting


def test_without_the_setting_files_lie_on_this_machine() -> None:
    assert media_storage("") == {"BACKEND": "django.core.files.storage.FileSystemStorage"}


def test_the_address_names_host_bucket_and_folder() -> None:
    options: Any = media_storage("s3://AK:a%2Fb%2Bc%40d@minio.lan:9000/hub/media?region=eu&tls=0")["OPTIONS"]
    assert options == {
        "access_key": "AK",
        "secret_key": "a/b+c@d",
        "bucket_name": "hub",
        "location": "media",
        "endpoint_url": "http://minio.lan:9000",
        "region_name": "eu",
        "addressing_style": "path",
    }


def test_at_amazon_the_region_is_in_the_address_and_the_key_may_be_the_machines() -> None:
    options: Any = media_storage("s3://s3.eu-central-1.amazonaws.com/hub")["OPTIONS"]
    assert (options["region_name"], options["addressing_style"]) == ("eu-central-1", "virtual")
    assert (options["access_key"], options["endpoint_url"]) == ("", "https://s3.eu-central-1.amazonaws.com")


@pytest.mark.parametrize(
    "wrong", ["https://host/bucket", "s3://key:TOPSECRET@host", "s3://TOPSECRET@host/bucket", "s3:///bucket", "bucket"]
)
def test_a_wrong_address_stops_the_start_without_its_secret(wrong: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="MEDIA_STORAGE_URL") as refused:
        media_storage(wrong)
    assert "TOPSECRET" not in str(refused.value)


# --- As a disk


def test_files_are_kept_read_listed_and_deleted(shared: Bucket) -> None:
    name = default_storage.save("a/b.txt", ContentFile(b"0123456789"))
    assert shared.names() == [f"files/{name}"]
    with default_storage.open(name) as file:
        assert (file.size, file.read(3), file.tell()) == (10, b"012", 3)
        file.seek(-2, io.SEEK_END)
        assert file.read() == b"89"
        assert file.read() == b""
        file.seek(4)
        assert b"".join(file.chunks()) == b"0123456789"
    assert default_storage.listdir("a") == ([], [name.removeprefix("a/")])
    assert default_storage.size(name) == 10
    assert abs((timezone.now() - default_storage.get_modified_time(name)).total_seconds()) < 60
    default_storage.delete(name)
    assert not default_storage.exists(name)
    default_storage.delete(name)  # gone already: fine


def test_an_empty_file_is_a_file(shared: Bucket) -> None:
    name = default_storage.save("empty", ContentFile(b""))
    with default_storage.open(name) as file:
        assert (file.read(), file.size) == (b"", 0)


def test_a_missing_file_is_missing_and_a_refusal_is_not(shared: Bucket, away: None) -> None:
    here = SharedStorage(**media_storage(shared.setting)["OPTIONS"])  # type: ignore[arg-type]
    for look in (here.open, here.size, here.get_modified_time):
        with pytest.raises(FileNotFoundError):
            look("nothing.jpg")
    for look in (default_storage.open, default_storage.exists, default_storage.size, default_storage.delete):
        with pytest.raises(FilesAway) as trouble:
            look("nothing.jpg")
        assert not isinstance(trouble.value, FileNotFoundError)


def test_a_missing_bucket_is_no_missing_file(shared: Bucket) -> None:
    """A name that was mistyped must not turn every post into one whose files are lost."""
    options: Any = media_storage(shared.setting.replace(shared.name, "mistyped"))["OPTIONS"]
    elsewhere = SharedStorage(**options)
    for look in (elsewhere.open, elsewhere.exists, elsewhere.size, elsewhere.get_modified_time):
        with pytest.raises(FilesAway):
            look("a.jpg")
    with pytest.raises(FilesAway):
        elsewhere.save("a.jpg", ContentFile(b"x"))


class Stream(io.RawIOBase):
    """What can be read once, from its beginning to its end: a part of an archive."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), self.left)
        buffer[:size] = b"x" * size
        self.left -= size
        return size


@pytest.mark.parametrize("size", [0, 1000, 20 * 1024 * 1024])
def test_a_restored_file_gets_its_very_name_from_what_can_be_read_only_once(shared: Bucket, size: int) -> None:
    name = "originals/1/2.mp4"
    assert default_storage._save(name, File(io.BufferedReader(Stream(size)), name)) == name
    assert default_storage.size(name) == size
    assert list(default_storage.walk("originals")) == [name]
    assert default_storage.listdir("") == (["originals"], [])


def test_all_files_below_a_folder_are_found(shared: Bucket) -> None:
    names = {default_storage._save(name, ContentFile(b"x")) for name in ("a/1/x", "a/1/y", "a/2", "ab/3")}
    assert set(default_storage.walk("a")) == names - {"ab/3"}
    assert list(default_storage.walk("nothing")) == []


def test_two_workers_that_make_one_file_at_once_make_two(shared: Bucket) -> None:
    """A bucket overwrites: the loser of the race in the table would delete the winner's file."""
    together = threading.Barrier(4)
    names = []

    def save(content: bytes) -> None:
        together.wait()
        names.append(default_storage.save("renditions/1.jpg", ContentFile(content)))

    threads = [threading.Thread(target=save, args=(bytes([number]),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == len(shared.names()) == 4


def test_one_client_serves_all_threads(shared: Bucket) -> None:
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(default_storage.connection)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


MEMORY = """
import io, resource, sys
import django
django.setup()
from django.core.files.base import File
from django.core.files.storage import default_storage as storage

class Zeros(io.RawIOBase):
    def __init__(self, size): self.size, self.at = size, 0
    def readable(self): return True
    def seekable(self): return True
    def tell(self): return self.at
    def seek(self, offset, whence=0):
        self.at = {0: 0, 1: self.at, 2: self.size}[whence] + offset
        return self.at
    def readinto(self, buffer):
        size = min(len(buffer), self.size - self.at)
        buffer[:size] = bytes(size)
        self.at += size
        return size

def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

size = int(sys.argv[1]) * 1024 * 1024
storage.delete(storage.save("small", File(io.BytesIO(bytes(20 * 1024 * 1024)), "small")))
before = peak()
name = storage.save("large", File(Zeros(size), "large"))
total = 0
with storage.open(name) as file:
    assert file.size == size
    for chunk in file.chunks():
        total += len(chunk)
assert total == size, total
print(peak() - before)
"""


def test_large_files_pass_through_in_little_memory(s3: Bucket) -> None:  # noqa: F811
    env = {"MEDIA_STORAGE_URL": s3.setting, "DJANGO_SETTINGS_MODULE": "socialhub.settings", "ENV_FILE": ""}
    more = {"DATABASE_URL": "postgresql://nobody@localhost/none", "REDIS_URL": "redis://localhost", "DEBUG": "1"}
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, "96"],
        cwd=ROOT,
        env={**more, **env, "SECRET_KEY": "x" * 50, "FERNET_KEYS": "y" * 40, "PUBLIC_BASE_URL": "http://localhost"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 24, "MB more for 96 MB up and down than for 20 MB"


# --- What people and networks see of it


def test_an_image_is_stored_shown_rendered_and_fetched(
    shared: Bucket, workspace: Workspace, owner: User, signed_in: Client
) -> None:
    item = store_upload(workspace, owner, photo(1200, 900))
    assert store_upload(workspace, owner, photo(1200, 900)).pk == item.pk
    assert len(shared.names()) == 2

    shown = signed_in.get(reverse("publishing:media_thumbnail", args=[item.pk]))
    assert drain(shown)[:2] == b"\xff\xd8"
    made = rendition(item, INSTAGRAM)
    fetched = Client().get(public_url(made).removeprefix("http://testserver"))
    content = drain(fetched)
    assert (len(content), fetched["Content-Length"]) == (made.size_bytes, str(made.size_bytes))
    assert rendition(item, INSTAGRAM).pk == made.pk


def test_a_deleted_file_leaves_the_bucket(
    shared: Bucket, workspace: Workspace, owner: User, django_capture_on_commit_callbacks: Any
) -> None:
    item = store_upload(workspace, owner, photo())
    rendition(item, INSTAGRAM)
    assert len(shared.names()) == 3
    with django_capture_on_commit_callbacks(execute=True):
        assert media.delete_orphans(timedelta(seconds=-5)) == 1
    assert shared.names() == []


def test_a_video_is_served_in_parts_and_read_for_an_upload(
    shared: Bucket, workspace: Workspace, owner: User, signed_in: Client
) -> None:
    item = store_upload(workspace, owner, film_upload())
    whole = media.read(item.file)
    link = reverse("publishing:media_file", args=[item.pk])
    answer = signed_in.get(link, headers={"Range": "bytes=100-299"})
    assert (answer.status_code, drain(answer)) == (206, whole[100:300])
    answer = signed_in.get(link, headers={"Range": "bytes=-50"})
    assert drain(answer) == whole[-50:]
    assert int(signed_in.head(link)["Content-Length"]) == len(whole)
    with media.opened(item.file) as file:
        file.seek(64)
        assert file.read(1000) == whole[64:1064]
        assert hashlib.sha256(file.read()).digest() == hashlib.sha256(whole[1064:]).digest()


def test_the_picture_of_an_account_is_replaced_and_forgotten(
    shared: Bucket, workspace: Workspace, signed_in: Client, django_capture_on_commit_callbacks: Any
) -> None:
    account = make_account(workspace, picture_url="https://cdn.example.com/1.jpg")
    assert pictures.keep(account, account.picture_url, encoded(gradient()))
    (first,) = shared.names()
    account.refresh_from_db()
    assert pictures.made_at(account)
    assert drain(signed_in.get(reverse("accounts:picture", args=[account.pk])))[:2] == b"\xff\xd8"
    assert pictures.keep(account, account.picture_url, encoded(gradient()))
    assert shared.names() != [first]
    assert len(shared.names()) == 1
    with django_capture_on_commit_callbacks(execute=True):
        pictures.forget(account)
    assert shared.names() == []


def test_strays_are_found_in_a_bucket_and_the_others_stay(shared: Bucket, workspace: Workspace, owner: User) -> None:
    item = store_upload(workspace, owner, photo())
    default_storage.save("renditions/of-nobody/1.jpg", ContentFile(b"x"))
    assert stray_files.remove(timedelta(days=1)) == 0
    assert stray_files.remove(timedelta(seconds=-5)) == 1
    assert sorted(shared.names()) == sorted(f"files/{name}" for name in (item.file.name, item.thumbnail.name))


# --- When it is away


def test_an_upload_is_refused_with_what_to_do(away: None, workspace: Workspace, owner: User) -> None:
    with pytest.raises(UploadRefused, match=r"could not be stored\. Try again in a moment"):
        store_upload(workspace, owner, photo(name="Front.jpg"))


def test_networks_are_asked_to_come_again(
    shared: Bucket, workspace: Workspace, owner: User, signed_in: Client, settings: Any
) -> None:
    item = store_upload(workspace, owner, photo())
    link = public_url(rendition(item, INSTAGRAM)).removeprefix("http://testserver")
    settings.STORAGES = {**settings.STORAGES, "default": media_storage("s3://k:s@127.0.0.1:9/b?tls=0")}
    for answer in (Client().get(link), signed_in.get(reverse("publishing:media_file", args=[item.pk]))):
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")
        assert "max-age" not in answer["Cache-Control"]
        assert "ETag" not in answer


@pytest.mark.usefixtures("network")
def test_a_post_waits_for_its_files_and_uses_no_attempt(
    shared: Bucket, workspace: Workspace, owner: User, settings: Any
) -> None:
    item = store_upload(workspace, owner, photo())
    post = make_post(workspace, make_account(workspace), post_type="single")
    PostMedia.objects.create(post=post, media=item, position=1)
    publish_now(post, by=owner)
    there = settings.STORAGES
    settings.STORAGES = {**there, "default": media_storage("s3://k:s@127.0.0.1:9/b?tls=0")}
    assert run_due() == 1
    publication = Publication.objects.get()
    entry = QueueEntry.objects.get()
    assert (publication.status, entry.attempts) == (Status.SCHEDULED, 0)
    assert "where files are kept" in entry.wait_reason

    settings.STORAGES = there
    QueueEntry.objects.update(held=False, not_before=timezone.now())
    run_due()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED


@pytest.mark.parametrize(
    "address", ["s3://KEY:%s@host/bucket", "postgresql://hub:%s@host/hub", "rediss://:%s@host:6379"]
)
def test_addresses_with_passwords_are_logged_without(address: str) -> None:
    said = redact(f"cannot use {address % 'TOPSECRET'}: refused")
    assert said == f"cannot use {address.partition('://')[0]}://[…]@host{address.partition('@host')[2]}: refused"
