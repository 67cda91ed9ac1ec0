"""Workers that are killed while they fetch files: each post goes out once, with all its files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.utils import timezone

from publishing import intake
from publishing.compose import Intent
from publishing.intake import Wanted
from publishing.models import MediaFetch, Post, PostAssembly, Publication
from publishing.tasks import fetch_media
from tests.factories import make_post, make_user, workspace_of
from tests.load import sandbox_accounts
from tests.publishing.pictures import encoded, gradient
from tests.stage import Stage, wait_until
from tests.test_outside import Host

pytestmark = pytest.mark.processes

POSTS = 8
KILLED_AT = (1, 5, 9, 13)  # files that were fetched by then, of 16


@pytest.fixture
def host() -> Iterator[Host]:
    """Each picture comes in two halves, with a pause between them in which somebody may die."""
    made = Host()
    for number in range(2 * POSTS):
        made.answers[f"/{number}.jpg"] = halves(encoded(gradient(400 + number, 300)))
    yield made
    made.stop()


def halves(content: bytes) -> Any:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        middle = len(content) // 2
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        try:
            handler.wfile.write(content[:middle])
            handler.wfile.flush()
            time.sleep(0.15)
            handler.wfile.write(content[middle:])
        except OSError:  # it was killed
            return

    return answer


def fetched() -> int:
    return MediaFetch.objects.filter(status=MediaFetch.Status.FETCHED).count()


def leases_run_out() -> None:
    """As if the time had passed after which nobody is waited for."""
    MediaFetch.objects.exclude(lease_until=None).update(lease_until=timezone.now())


def test_killed_again_and_again_each_post_is_there_once(stage: Stage, host: Host, settings: Any) -> None:
    stage.environment["OUTSIDE_ORIGINS"] = host.origin
    settings.OUTSIDE_ORIGINS = [host.origin]
    owner = make_user()
    workspace = workspace_of(owner)
    posts = []
    for number, account in enumerate(sandbox_accounts(stage.sandbox, workspace, POSTS)):
        post = make_post(workspace, account)
        files = [Wanted(f"{host.origin}/{2 * number + one}.jpg") for one in (0, 1)]
        intake.expect(post, files, intent=Intent.NOW, by=owner)
        posts.append(post)
    stage.start_web()
    for number in KILLED_AT:
        worker = stage.start_worker()
        fetch_media.apply_async(retry=False)
        assert wait_until(lambda number=number: fetched() >= number, 90, every=0.01)  # type: ignore[misc]
        worker.kill()
        worker.wait()
        leases_run_out()
    stage.start_worker()

    def is_over() -> bool:
        fetch_media.apply_async(retry=False)
        return not PostAssembly.objects.exists() and stage.settled()

    assert stage.beat_until(is_over, 120)
    assert set(Publication.objects.values_list("status", "post_type")) == {("published", "multi_image")}
    for post in posts:
        assert Post.objects.get(pk=post.pk).post_media.count() == 2
        account = post.publications.get().account
        assert len(stage.sandbox.feed(account.platform_account_id)) == 1
        assert post.publications.get().events.filter(to_status="scheduled", actor=owner).count() == 1
