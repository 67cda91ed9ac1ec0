"""Instagram fetches from our own signed addresses, as everybody on the internet could."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django.live_server_helper import LiveServer

from accounts.models import Workspace
from publishing.media import store_upload
from publishing.models import PostMedia, Status
from publishing.schedule import publish_now
from socialhub.platforms import INSTAGRAM_LOGIN
from socialhub.platforms.base import PostType
from tests.accounts import hub
from tests.factories import make_account, make_post
from tests.publishing.films import film_upload
from tests.publishing.test_instagram_kinds import bring_out
from tests.sandbox.conftest import image_bytes
from tests.sandbox_process import Sandbox, sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def test_without_a_page_images_and_videos_are_fetched_from_here(
    sandbox: Sandbox, workspace: Workspace, live_server: LiveServer, settings: Any
) -> None:
    hub.use(settings, sandbox)
    settings.PUBLIC_BASE_URL = live_server.url
    granted = sandbox.instagram()
    account = make_account(
        workspace,
        platform="instagram",
        platform_account_id=granted.account_id,
        token=granted.access_token,
        login_kind=INSTAGRAM_LOGIN,
    )
    post = make_post(workspace, account, post_type=PostType.CAROUSEL, caption="Both")
    image = SimpleUploadedFile("1.jpg", image_bytes(800, 700), "image/jpeg")
    for position, file in enumerate((image, film_upload()), start=1):
        PostMedia.objects.create(post=post, media=store_upload(workspace, None, file), position=position)
    publish_now(post, by=None)

    publication = bring_out(post.publications.get())

    assert publication.status == Status.PUBLISHED, publication.error_message
    (row,) = sandbox.feed(granted.account_id)
    assert (row["kind"], row["media"]) == ("carousel", 2)
    asked = [one["params"] for one in sandbox.call_log() if (one["method"], one["edge"]) == ("POST", "media")]
    assert asked[0]["image_url"].startswith(f"{live_server.url}/m/")
    assert asked[1]["video_url"].startswith(f"{live_server.url}/m/")
    assert asked[1]["video_url"].endswith(".mp4")
