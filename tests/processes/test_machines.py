"""Several machines: nothing is shared but PostgreSQL, Redis, a bucket and the settings. No process can write a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from accounts.models import User
from publishing.models import ImageSet, MediaFile, Status
from socialhub.platforms.base import PostType
from socialhub.settings import media_storage
from tests.factories import make_user, workspace_of
from tests.kinds import DOCUMENT, FILES, FILM, HEAVY_FILM, MIXED, PICTURES, Kind, Shelf, due
from tests.s3_process import Bucket, s3, s3_process
from tests.stage import Stage
from tests.visitors import CSRF, signed_in

__all__ = ["s3", "s3_process"]

pytestmark = pytest.mark.processes

# The network fetches from the web, which reads what a worker has written, or a worker reads what the web has taken.
CHOSEN = [
    Kind("facebook", PostType.MULTI_IMAGE, PICTURES),
    Kind("facebook", PostType.VIDEO, FILM),
    Kind("instagram", PostType.CAROUSEL, MIXED),
    Kind("instagram", PostType.REEL, FILM),
    Kind("linkedin", PostType.VIDEO, HEAVY_FILM),
    Kind("linkedin", PostType.DOCUMENT, DOCUMENT),
    Kind("x", PostType.SINGLE, PICTURES[:1]),
]


def machine(stage: Stage, folder: Path, bucket: Bucket) -> None:
    """What is started from now on stands on another machine: a folder for temporary files, and no other place for any."""
    folder.mkdir()
    stage.environment = {
        **stage.environment,
        "MEDIA_STORAGE_URL": bucket.setting,
        "MEDIA_ROOT": "/dev/null/nowhere",
        "TMPDIR": str(folder),
    }


def upload(stage: Stage, user: User, name: str) -> MediaFile:
    """As a person does it in a browser."""
    file = FILES[name]
    image_set = ImageSet.objects.create(workspace=workspace_of(user), title=name)
    answer = requests.post(
        f"{stage.web_url}/library/sets/{image_set.pk}/upload/",
        files={"images": (file.name, file.content(), file.content_type)},
        cookies={"sessionid": signed_in(user), "csrftoken": CSRF},
        headers={"X-CSRFToken": CSRF},
        allow_redirects=False,
        timeout=60,
    )
    assert answer.status_code == 302, answer.text
    return image_set.media.get()


def test_web_and_workers_on_machines_of_their_own_publish_together(
    stage: Stage, s3: Bucket, settings: Any, tmp_path: Path
) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": media_storage(s3.setting)}
    user = make_user()
    shelf = Shelf(workspace_of(user))
    machine(stage, tmp_path / "one", s3)
    stage.start_web()
    for name in ("dark", "light", "film"):
        shelf._stored[name] = upload(stage, user, name)
    publications = {str(kind): due(stage.sandbox, shelf, kind) for kind in CHOSEN}
    for name in ("two", "three"):
        machine(stage, tmp_path / name, s3)
        stage.start_worker()
    assert stage.beat_until(stage.settled, 120)

    found = {}
    for kind, publication in publications.items():
        publication.refresh_from_db()
        posts = stage.sandbox.feed(publication.account.platform_account_id)
        found[kind] = (publication.status, len(posts), publication.error_message)
    assert found == dict.fromkeys(found, (Status.PUBLISHED, 1, ""))
    assert any("/renditions/" in key for key in s3.names())
    assert all(list((tmp_path / name).glob("*")) == [] for name in ("one", "two", "three")), "nothing stays behind"
