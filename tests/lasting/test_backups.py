"""A backup is whole or it is none, holds no key and no session, and goes back into any database of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import encrypt
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client, override_settings
from django.utils import timezone

from accounts.models import ConnectedAccount, Credential, User, Workspace
from publishing.media import store_upload
from publishing.models import MediaFile, Post
from socialhub.backups import make as making
from socialhub.backups.archive import Archive, BadBackup, read_manifest, refuse_unsafe
from socialhub.backups.make import make
from socialhub.backups.restore import put_files
from socialhub.backups.tables import LEFT_OUT, kept, values_of
from socialhub.backups.verify import verify
from socialhub.models import ProcessHeartbeat
from tests.factories import make_account, make_post, make_user, workspace_of
from tests.kinds import FILES
from tests.lasting.places import Place, place
from tests.operation.test_settings import VALID
from tests.stage import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "EAAB-a-very-secret-page-token"
WITHOUT_PATIENCE = """
import sys, django
django.setup()
from django.core.management import call_command
from socialhub.backups import restore
restore.LOCK_SECONDS = 1
call_command("restore", sys.argv[1], "--replace")
"""
CAPTION = 'Tabs\tand lines\nand \\N and a backslash \\ and "quotes" and 🏎'


@pytest.fixture
def rows(db: None) -> Workspace:
    user = make_user(email="ada@example.com")
    workspace = workspace_of(user)
    account = make_account(workspace, token=TOKEN)
    make_post(workspace, account, caption=CAPTION)
    store_upload(workspace, user, FILES["dark"].upload())
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": encrypt("JBSWY3DPEHPK3PXP")})
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert Session.objects.exists()
    return workspace


@pytest.fixture
def backup(rows: Workspace, tmp_path: Path) -> Path:
    target = tmp_path / "backup.zip"
    make(target)
    return target


def said(path: Path) -> list[str]:
    with Archive(path) as archive:
        return verify(archive).problems


def rewritten(path: Path, change: Callable[[str, bytes], tuple[str, bytes] | None], **more: bytes) -> Path:
    """A copy with other parts."""
    target = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if changed := change(name, old.read(name)):
                new.writestr(*changed)
        for name, content in more.items():
            new.writestr(name, content)
    return target


def with_manifest(path: Path, **values: Any) -> Path:
    def change(name: str, content: bytes) -> tuple[str, bytes]:
        return name, json.dumps(json.loads(content) | values).encode() if name == "manifest.json" else content

    return rewritten(path, change)


def test_every_table_is_in_it_or_has_a_reason_not_to_be(backup: Path) -> None:
    with Archive(backup) as archive:
        assert set(archive.manifest.tables) == {model._meta.db_table for model in kept()}
    assert all(LEFT_OUT.values())


def test_a_whole_backup_says_so(backup: Path) -> None:
    assert said(backup) == []
    with Archive(backup) as archive:
        assert (archive.manifest.sealed, archive.manifest.opened) == (2, 2)
        assert len(archive.manifest.files) == 2, "the picture and its thumbnail"


def test_nothing_in_it_opens_anything(backup: Path, settings: Any) -> None:
    with zipfile.ZipFile(backup) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    session = Session.objects.get()
    for secret in (TOKEN, *settings.FERNET_KEYS, settings.SECRET_KEY, session.session_key, "JBSWY3DPEHPK3PXP"):
        assert secret.encode() not in everything
    assert CAPTION.encode().splitlines()[0].replace(b"\t", b"\\t") in everything


def test_others_on_the_machine_cannot_read_it(backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600


def test_it_is_never_written_over_another_one(backup: Path) -> None:
    before = backup.read_bytes()
    with pytest.raises(CommandError, match="there already"):
        call_command("backup", str(backup))
    assert backup.read_bytes() == before


def test_what_breaks_off_leaves_nothing_behind(
    rows: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(making, "write_files", full)
    with pytest.raises(CommandError, match="No space left"):
        call_command("backup", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_reached_is_told_in_a_sentence(rows: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="could not be written"):
        call_command("backup", str(tmp_path / "file" / "below"))
    with pytest.raises(CommandError, match=r"could not be written.*File name too long"):
        call_command("backup", str(tmp_path / ("x" * 300)))


def test_a_database_that_is_away_is_told_in_a_sentence(tmp_path: Path) -> None:
    away = {"PATH": os.environ["PATH"], **VALID, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    command = [sys.executable, "manage.py", "backup", str(tmp_path)]
    answer = subprocess.run(command, cwd=ROOT, env=away, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "correct DATABASE_URL" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_gets_a_file_with_the_time_in_its_name(rows: Workspace, tmp_path: Path) -> None:
    call_command("backup", str(tmp_path))
    (made,) = tmp_path.iterdir()
    assert made.name.startswith("socialhub-20")
    assert said(made) == []


def test_a_file_that_is_gone_is_named(rows: Workspace, tmp_path: Path) -> None:
    media = MediaFile.objects.get()
    default_storage.delete(media.file.name)
    manifest = make(tmp_path / "backup.zip")
    assert manifest.missing == [media.file.name]
    with Archive(tmp_path / "backup.zip") as archive:
        verdict = verify(archive)
    assert verdict.problems == []
    assert media.file.name in verdict.remarks[0]


# --- Damage and forgery ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_file_that_is_cut_off_is_no_backup(backup: Path, share: float) -> None:
    content = backup.read_bytes()
    backup.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BadBackup):
        said(backup)


def test_each_part_that_changes_is_noticed(backup: Path) -> None:
    with zipfile.ZipFile(backup) as archive:
        names = [name for name in archive.namelist() if name.startswith(("tables/", "files/"))]
    for name in names:
        changed = rewritten(
            backup, lambda part, content, name=name: (part, content + b"x" if part == name else content)
        )
        assert any(name in problem for problem in said(changed)), name
        without = rewritten(backup, lambda part, content, name=name: None if part == name else (part, content))
        assert any(name in problem for problem in said(without)), name


def test_bits_that_rot_are_noticed(backup: Path) -> None:
    """Inside of the stored picture, which no compression guards."""
    content = bytearray(backup.read_bytes())
    place_of = content.index(FILES["dark"].content()[-400:-300]) if FILES["dark"].content()[-400:-300] in content else 0
    place_of = place_of or content.index(b"\xff\xd8\xff") + 300
    content[place_of] ^= 0x40
    backup.write_bytes(content)
    assert any("files/" in problem for problem in said(backup))


def test_a_part_that_nobody_named_does_not_belong_into_it(backup: Path) -> None:
    changed = rewritten(backup, lambda name, content: (name, content), **{"files/evil.sh": b"rm"})
    assert said(changed) == ["files/evil.sh does not belong into a backup."]


def test_a_small_part_that_unpacks_to_a_huge_one_is_not_unpacked(backup: Path) -> None:
    bomb = BytesIO(b"\0" * 50_000_000).getvalue()
    changed = rewritten(backup, lambda name, content: (name, bomb if name == "tables/accounts_user.copy" else content))
    assert any("larger than the manifest says" in problem for problem in said(changed))


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/cron.d/x",
        "/etc/passwd",
        "a/../../b",
        "originals/..",
        "a\\..\\b",
        "C:x",
        "a//b",
        "./a",
        "",
        "a\0b",
        "a\nb",
    ],
)
def test_a_name_that_leads_out_of_the_folder_is_refused(backup: Path, name: str) -> None:
    with pytest.raises(BadBackup):
        refuse_unsafe(name)
    changed = with_manifest(backup, files={name: {"size": 1, "sha256": "0" * 64}})
    with pytest.raises(BadBackup):
        said(changed)


def test_a_table_with_a_strange_name_is_refused(backup: Path) -> None:
    table = {"columns": ["id"], "rows": 0, "size": 0, "sha256": ""}
    with pytest.raises(BadBackup):
        said(with_manifest(backup, tables={'x"; DROP TABLE y; --': table}))


@pytest.mark.parametrize("values", [{"product": "other"}, {"format": 2}, {"tables": []}, {"taken_at": "soon"}])
def test_what_is_no_manifest_of_ours_is_refused(backup: Path, values: dict[str, Any]) -> None:
    with pytest.raises(BadBackup):
        said(with_manifest(backup, **values))


def test_a_backup_of_a_later_version_is_refused(backup: Path) -> None:
    with Archive(backup) as archive:
        migrations = archive.manifest.migrations
    later = with_manifest(backup, migrations={**migrations, "publishing": [*migrations["publishing"], "9999_later"]})
    assert any("publishing.9999_later" in problem for problem in said(later))


def test_other_keys_are_noticed_and_say_whose_are_wanted(backup: Path) -> None:
    with Archive(backup) as archive:
        fingerprint = archive.manifest.keys[0][:12]
    with override_settings(FERNET_KEYS=["quite-another-key-of-at-least-32-characters"]):
        (problem,) = said(backup)
    assert "2 of 2 secrets" in problem
    assert fingerprint in problem


def test_old_keys_behind_a_new_one_still_open_it(backup: Path, settings: Any) -> None:
    with override_settings(FERNET_KEYS=["quite-another-key-of-at-least-32-characters", *settings.FERNET_KEYS]):
        assert said(backup) == []


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (rb"a	\N	", [b"a", None, b""]),
        (rb"a\tb	\\N	c\nd", [b"a\tb", rb"\N", b"c\nd"]),
        (rb"\\x6741", [rb"\x6741"]),
    ],
)
def test_a_row_is_read_as_it_was_written(line: bytes, values: list[bytes | None]) -> None:
    assert values_of(line) == values


# --- Back again -----------------------------------------------------------------------------------------------


def test_everything_comes_back_into_an_empty_database(backup: Path, tmp_path: Path) -> None:
    post, media = Post.objects.get(), MediaFile.objects.get()
    with place("back", tmp_path) as other:
        answer = other.manage("restore", str(backup))
        assert answer.returncode == 0, answer.stdout + answer.stderr
        assert "2 of 2 secrets open" in answer.stdout
        with other.inside():
            restored = Post.objects.get()
            assert (restored.pk, restored.caption, restored.created_at) == (post.pk, CAPTION, post.created_at)
            assert Credential.objects.get().access_token.reveal() == TOKEN
            assert User.objects.get().check_password("correct horse")
            assert not Session.objects.exists()
            assert make_post(workspace_of(User.objects.get())).title, "what is new gets numbers that nobody had"
        for name in (media.file.name, media.thumbnail.name):
            with default_storage.open(name) as file:
                assert (other.media / name).read_bytes() == file.read()
        assert other.manage("migrate", "--check").returncode == 0
        again = other.manage("restore", str(backup))
        assert again.returncode == 1
        assert "--replace" in again.stderr
        assert other.manage("restore", str(backup), "--replace").returncode == 0
        with other.inside():
            assert ConnectedAccount.objects.count() == Post.objects.count() == 1


def test_it_is_checked_where_there_is_nothing_but_the_keys(backup: Path, tmp_path: Path) -> None:
    nowhere = Place("nowhere", "postgresql://nobody@127.0.0.1:9/none", tmp_path / "none")
    answer = nowhere.manage("restore", str(backup), "--check", REDIS_URL="redis://127.0.0.1:9")
    assert (answer.returncode, "The backup is whole." in answer.stdout) == (0, True), answer.stderr
    wrong = nowhere.manage("restore", str(backup), "--check", FERNET_KEYS="quite-another-key-of-at-least-32-characters")
    assert (wrong.returncode, "0 of 2 secrets open" in wrong.stdout) == (1, True)


def test_a_large_file_is_never_held_in_memory(rows: Workspace, tmp_path: Path) -> None:
    media = MediaFile.objects.get()
    os.truncate(default_storage.path(media.file.name), 64 * 1024 * 1024)
    tracemalloc.start()
    try:
        make(tmp_path / "large.zip")
        with Archive(tmp_path / "large.zip") as archive:
            assert verify(archive).problems == []
            put_files(archive)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16 * 1024 * 1024
    assert default_storage.size(media.file.name) == 64 * 1024 * 1024


def test_it_goes_into_a_database_that_was_only_just_made(backup: Path, tmp_path: Path) -> None:
    with place("fresh", tmp_path) as other:
        assert other.manage("migrate").returncode == 0
        answer = other.manage("restore", str(backup))
        assert answer.returncode == 0, answer.stderr
        with other.inside():
            assert Post.objects.count() == 1


def test_it_refuses_while_somebody_is_at_work(backup: Path, tmp_path: Path) -> None:
    with place("busy", tmp_path, as_here=True) as other:
        with other.inside():
            now = timezone.now()
            worker = ProcessHeartbeat.objects.create(
                name="there:1", kind="worker", host="there", started_at=now, seen_at=now
            )
        answer = other.manage("restore", str(backup), "--replace")
        assert (answer.returncode, "there:1" in answer.stderr) == (1, True)
        with other.inside():
            worker.delete()
            with transaction.atomic():
                list(Post.objects.select_for_update())
                answer = subprocess.run(
                    [sys.executable, "-c", WITHOUT_PATIENCE, str(backup)],
                    cwd=ROOT,
                    env=other.environment(),
                    capture_output=True,
                    text=True,
                    check=False,
                )
            assert "Somebody else is at work" in answer.stderr
            assert Post.objects.get().caption == CAPTION


def test_what_fails_leaves_everything_as_it_was(backup: Path, tmp_path: Path) -> None:
    """A row that another one needs is missing: seen when all is in, and the old tables are still there."""
    manifest = json.loads(zipfile.ZipFile(backup).read("manifest.json"))
    empty = {"rows": 0, "size": 0, "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
    manifest["tables"]["accounts_workspace"] |= empty

    def change(name: str, content: bytes) -> tuple[str, bytes]:
        if name == "manifest.json":
            return name, json.dumps(manifest).encode()
        return name, b"" if name == "tables/accounts_workspace.copy" else content

    torn = rewritten(backup, change)
    with place("torn", tmp_path, as_here=True) as other:
        answer = other.manage("restore", str(torn), "--replace")
        assert answer.returncode != 0
        with other.inside():
            assert Post.objects.get().caption == CAPTION


def test_a_manifest_tells_its_own_shape(backup: Path) -> None:
    with Archive(backup) as archive:
        assert read_manifest(json.loads(archive.manifest.to_json())) == archive.manifest
