"""The kill matrix: a worker dies at every moment of every step; afterwards each feed holds exactly one post."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.models import ConnectedAccount, Credential, Workspace
from publishing.media import store_upload
from publishing.models import MediaFile, PostMedia, Publication, Status
from publishing.schedule import publish_now
from socialhub.platforms.base import PostType
from tests.factories import make_post, make_user, workspace_of
from tests.stage import Killers, Stage

STEP_MOMENTS = ("before", "sent", "answered", "saved")
COMMIT_MOMENTS = ("before", "announced", "sent", "answered", "saved")
STEPS = {
    ("facebook", PostType.TEXT): (),
    ("facebook", PostType.MULTI_IMAGE): ("photo:1", "photo:2"),
    ("instagram", PostType.CAROUSEL): ("item:1", "item:2", "items-ready", "container", "ready"),
}
RECOVERY_SECONDS = 90


def cases() -> Iterator[tuple[str, PostType, str, str]]:
    for (platform, post_type), steps in STEPS.items():
        for step in steps:
            for moment in STEP_MOMENTS:
                yield platform, post_type, moment, step
        for moment in COMMIT_MOMENTS:
            yield platform, post_type, moment, "publish"


def run_matrix(stage: Stage, only: slice = slice(None)) -> list[dict[str, Any]]:
    """Kill one worker per case, then let a healthy one clean up; a row per case with what the feed holds."""
    workspace = workspace_of(make_user())
    pictures = [make_picture(workspace, shade) for shade in (60, 180)]
    chosen = list(cases())[only]
    killers = Killers(stage)
    made: list[tuple[Publication, tuple[str, PostType, str, str], int]] = []
    try:
        for case in chosen:
            platform, post_type, moment, step = case
            publication = make_publication(stage, workspace, platform, post_type, pictures)
            made.append((publication, case, killers.kill_worker_at(moment, step)))
    finally:
        killers.stop()
    stage.start_worker()
    stage.beat_until(stage.settled, RECOVERY_SECONDS)
    return [row(stage, *each) for each in made]


def row(stage: Stage, publication: Publication, case: tuple[str, PostType, str, str], died_of: int) -> dict[str, Any]:
    platform, post_type, moment, step = case
    publication.refresh_from_db()
    found = len(stage.sandbox.feed(publication.account.platform_account_id))
    return {
        "case": f"{platform} {post_type}: {moment} {step}",
        "died_of": died_of,
        "status": publication.status,
        "expected": 1,
        "found": found,
        "duplicates": max(found - 1, 0),
        "lost": int(found == 0 or publication.status != Status.PUBLISHED),
    }


def make_picture(workspace: Workspace, shade: int) -> MediaFile:
    buffer = io.BytesIO()
    Image.new("RGB", (800, 600), (shade, 90, 120)).save(buffer, "JPEG")
    return store_upload(workspace, None, SimpleUploadedFile(f"{shade}.jpg", buffer.getvalue(), "image/jpeg"))


def make_publication(
    stage: Stage, workspace: Workspace, platform: str, post_type: PostType, pictures: list[MediaFile]
) -> Publication:
    """A publication on an account of its own, due now."""
    page = stage.sandbox.person(pages=1, instagram=True).page
    account = ConnectedAccount.objects.create(
        workspace=workspace,
        platform=platform,
        platform_account_id=page.instagram_id if platform == "instagram" else page.id,
        name=page.name,
    )
    Credential.objects.create(account=account, access_token=page.access_token)
    post = make_post(workspace, account, post_type=post_type)
    if post_type is not PostType.TEXT:
        for position, media in enumerate(pictures, start=1):
            PostMedia.objects.create(post=post, media=media, position=position)
    publish_now(post, by=None)
    return post.publications.get()
