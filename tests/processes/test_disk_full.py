"""Disks that are full and servers that die while posts go out: clear words, nothing lost, nothing twice, no help needed."""

from __future__ import annotations

import errno
import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.test import override_settings
from django.utils import timezone
from kombu import Connection
from kombu.exceptions import KombuError

from publishing.media import UploadRefused, store_upload
from publishing.models import MediaFile, Publication, QueueEntry, Rendition, Status
from publishing.tasks import publish_due, sweep
from socialhub.platforms.base import PostType
from socialhub.services import Postgres, start_redis
from tests.factories import make_user, workspace_of
from tests.kinds import FILES, PICTURE, PICTURES, Kind, Shelf, due
from tests.stage import ROOT, Stage, wait_until

pytestmark = pytest.mark.processes

KINDS = (
    Kind("facebook", PostType.TEXT),
    Kind("facebook", PostType.SINGLE, PICTURE),
    Kind("facebook", PostType.MULTI_IMAGE, PICTURES),
    Kind("instagram", PostType.SINGLE, PICTURE),
    Kind("linkedin", PostType.TEXT, account="organization"),
    Kind("linkedin", PostType.SINGLE, PICTURE),
)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own. Skips where we may not make one."""
    folder.mkdir(parents=True, exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(["mount", *options], check=False, capture_output=True).returncode:
        pytest.skip("Only root may make a small disk.")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Not a byte is left."""
    junk = disk / "junk"
    with junk.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096, 1):
            while written(file, size):
                pass
    return junk


def written(file: io.FileIO, size: int) -> bool:
    try:
        return file.write(b"x" * size) == size
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False


def posts_of(stage: Stage, publications: list[Publication]) -> dict[str, int]:
    return {
        f"{one.account.platform} {one.post_type}": len(stage.sandbox.feed(one.account.platform_account_id))
        for one in publications
    }


def each_once(publications: list[Publication]) -> dict[str, int]:
    return dict.fromkeys((f"{one.account.platform} {one.post_type}" for one in publications), 1)


# --- The disk of the files ------------------------------------------------------------------------------------


def test_a_full_disk_for_media_refuses_uploads_and_lets_posts_wait(stage: Stage, tmp_path: Path) -> None:
    with small_disk(tmp_path / "media", 4) as disk, override_settings(MEDIA_ROOT=disk):
        stage.environment["MEDIA_ROOT"] = str(disk)
        workspace = workspace_of(make_user())
        shelf = Shelf(workspace)
        publications = [due(stage.sandbox, shelf, kind) for kind in KINDS]
        Rendition.objects.all().delete()
        shutil.rmtree(disk / "renditions", ignore_errors=True)
        junk = fill(disk)

        with pytest.raises(UploadRefused, match="could not be stored"):
            store_upload(workspace, None, FILES["document"].upload())
        assert not MediaFile.objects.filter(kind="document").exists(), "no row without its file"

        stage.start_web()
        stage.start_worker()
        with_pictures = [one for one in publications if one.post_type != PostType.TEXT]
        waiting = QueueEntry.objects.filter(publication__in=with_pictures, wait_reason__contains="files are kept")
        assert stage.beat_until(lambda: waiting.count() == len(with_pictures), 60), list(
            QueueEntry.objects.values("wait_reason", "publication__status", "publication__error_message")
        )
        statuses = set(
            Publication.objects.filter(pk__in=[one.pk for one in with_pictures]).values_list("status", flat=True)
        )
        assert Status.FAILED not in statuses
        assert sum(posts_of(stage, with_pictures).values()) == 0
        assert wait_until(lambda: Publication.objects.filter(status=Status.PUBLISHED).count() == 2, 20), (
            "what needs no picture goes out"
        )

        junk.unlink()
        assert stage.beat_until(stage.settled, 120), list(QueueEntry.objects.values("wait_reason", "not_before"))
        assert posts_of(stage, publications) == each_once(publications)
        assert set(Publication.objects.values_list("status", flat=True)) == {Status.PUBLISHED}


# --- A database of our own, on a small disk -------------------------------------------------------------------


class Database:
    """PostgreSQL on a disk that can be filled, and whose server can be killed."""

    def __init__(self, disk: Path) -> None:
        self.disk = disk
        self.server = Postgres(disk / "pg", durable=True)
        self.server.prepare()
        self.server.start()

    @property
    def url(self) -> str:
        return self.server.url()

    def alive(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2) as made:
                made.execute("CREATE TEMPORARY TABLE can_write (one int)")
        except psycopg.Error:
            return False
        return True

    def kill(self) -> None:
        pid = self.server.pid()
        assert pid
        os.kill(pid, signal.SIGKILL)
        if self.server.process:
            self.server.process.wait()
        assert wait_until(lambda: not children_of(self.server.folder), 20), "its children end by themselves"

    def start_again(self) -> None:
        """What an init system does, whatever it died of."""
        self.server.process = None
        self.server.start()
        assert wait_until(self.alive, 30)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Meanwhile the models of this process read and write here."""
        own = dict(connection.settings_dict)
        connection.close()
        connection.settings_dict.update(NAME="postgres", HOST=str(self.server.sockets))
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict.update(own)


def children_of(folder: Path) -> list[str]:
    """Processes that still work in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if os.readlink(process) == str(folder):
                found.append(process.parent.name)
        except OSError:
            continue
    return found


@pytest.fixture
def database(stage: Stage) -> Iterator[Database]:
    folder = Path(settings.TEST_FOLDER) / "small"
    with small_disk(folder, 260) as disk:
        made = Database(disk)
        try:
            stage.environment["DATABASE_URL"] = made.url
            migrated = subprocess.run(
                [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
                cwd=ROOT,
                env=stage.environment,
                check=False,
                capture_output=True,
                text=True,
            )
            assert migrated.returncode == 0, migrated.stderr
            with made.inside():
                yield made
        finally:
            made.server.stop()


def is_settled() -> bool:
    """False also while the database cannot tell."""
    try:
        return not QueueEntry.objects.filter(awaits_decision=False).exists()
    except (OperationalError, InterfaceError):
        connection.close()
        return False


def due_texts(stage: Stage, number: int) -> list[Publication]:
    shelf = Shelf(workspace_of(make_user()))
    kinds = [kind for kind in KINDS if not kind.media]
    return [due(stage.sandbox, shelf, kinds[n % len(kinds)]) for n in range(number)]


def assert_each_is_there_once(stage: Stage, publications: list[Publication]) -> None:
    found = []
    for one in publications:
        one.refresh_from_db()
        found.append((one.status, len(stage.sandbox.feed(one.account.platform_account_id)), one.error_message))
    assert found == [(Status.PUBLISHED, 1, "")] * len(publications)


def test_a_database_that_is_killed_in_the_middle_loses_nothing(stage: Stage, database: Database) -> None:
    publications = due_texts(stage, 12)
    stage.sandbox.latency(300)
    worker = stage.start_worker()
    publish_due.apply_async(retry=False)
    assert wait_until(lambda: Publication.objects.filter(status=Status.PUBLISHED).count() >= 2, 60)
    connection.close()
    database.kill()
    time.sleep(3)
    assert worker.poll() is None, "the worker outlives it"
    database.start_again()
    assert stage.beat_until(is_settled, 120)
    assert_each_is_there_once(stage, publications)


def test_a_full_disk_of_the_database_loses_nothing(stage: Stage, database: Database) -> None:
    publications = due_texts(stage, 12)
    stage.sandbox.latency(300)
    worker = stage.start_worker()
    publish_due.apply_async(retry=False)
    assert wait_until(lambda: Publication.objects.filter(status=Status.PUBLISHED).count() >= 2, 60)
    junk = fill(database.disk)
    exhaust(database)
    connection.close()
    time.sleep(4)
    assert worker.poll() is None, "the worker outlives it"
    junk.unlink()
    if not wait_until(database.alive, 10, patience=1):  # without room for its log the server ends itself
        database.start_again()
    with psycopg.connect(database.url, autocommit=True) as made:
        made.execute("DROP TABLE IF EXISTS ballast")
    assert stage.beat_until(is_settled, 120)
    assert_each_is_there_once(stage, publications)


def exhaust(database: Database) -> None:
    """Until it says that it can write no more: what it has reserved is used up."""
    rows = "INSERT INTO ballast SELECT repeat(md5(n::text), 8) FROM generate_series(1, 20000) n"
    with pytest.raises(psycopg.Error), psycopg.connect(database.url, autocommit=True) as made:
        deque(map(made.execute, ["CREATE TABLE ballast (one text)", *[rows] * 1000]), maxlen=0)


# --- Redis ----------------------------------------------------------------------------------------------------


class Broker:
    """A Redis of our own for the worker, and this process as beat."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.folder = folder
        url, self.server = start_redis(folder)
        stage.environment["REDIS_URL"] = url
        number = stage.environment.get("REDIS_BROKER_DB", "0")
        self._line = Connection(f"redis+socket://{url.removeprefix('unix://')}?virtual_host={number}")

    def nudge(self) -> bool:
        """As beat: it does not mind when nobody hears it."""
        for task in (publish_due, sweep):
            try:
                task.apply_async(retry=False, connection=self._line)
            except (OSError, KombuError):
                self._line.close()
        return is_settled()

    def kill(self) -> None:
        self._line.close()
        self.server.kill()
        self.server.wait()

    def start_again(self) -> None:
        _url, self.server = start_redis(self.folder)


@pytest.fixture
def broker(stage: Stage, tmp_path: Path) -> Iterator[Broker]:
    made = Broker(stage, tmp_path / "redis")
    yield made
    made.kill()


def test_a_redis_that_is_killed_in_the_middle_loses_nothing(stage: Stage, broker: Broker) -> None:
    publications = due_texts(stage, 12)
    stage.sandbox.latency(300)
    worker = stage.start_worker()
    some = Publication.objects.filter(status=Status.PUBLISHED)
    assert wait_until(lambda: broker.nudge() or some.count() >= 2, 60, 0.5)
    broker.kill()
    time.sleep(5)
    assert worker.poll() is None, "the worker outlives it"
    broker.start_again()
    assert wait_until(broker.nudge, 120, 0.5)
    assert_each_is_there_once(stage, publications)


def test_what_a_worker_knows_of_goes_out_without_redis(stage: Stage, broker: Broker) -> None:
    """It was nudged, and sleeps until the next entry is due: nobody has to wake it then."""
    publications = due_texts(stage, 6)
    due_at = timezone.now() + timedelta(seconds=12)
    QueueEntry.objects.update(not_before=due_at)
    stage.start_worker()
    while timezone.now() < due_at - timedelta(seconds=2):
        broker.nudge()
        time.sleep(0.5)
    broker.kill()
    assert wait_until(is_settled, 60)
    assert_each_is_there_once(stage, publications)
