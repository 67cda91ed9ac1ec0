"""Posts that wait for files, and the pages around a workspace as a whole."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User, Workspace
from analytics.models import WorkspaceExport
from publishing.models import MediaFetch, Post, PostAssembly
from tests.browser.conftest import OpenPage
from tests.browser.test_pages import SIZES, problems_of
from tests.factories import make_account, make_post

pytestmark = pytest.mark.browser


def waiting(workspace: Workspace, owner: User, *, given_up: bool = False) -> Post:
    post = make_post(workspace, make_account(workspace), caption="Found in a barn near Springfield")
    now = timezone.now()
    PostAssembly.objects.create(
        post=post,
        intent="now",
        by=owner,
        failed_at=now if given_up else None,
        message="1 of 3 files could not be fetched.\nFile 2 (media.of-a-very-long-name.cdn.example.com): The server did "
        "not give the file, but said HTTP 404. Check whether the address opens.\nNothing was published: the post is a "
        "draft. Open it to change it, or have the files fetched again."
        if given_up
        else "",
    )
    for position in (1, 2, 3):
        MediaFetch.objects.create(
            post=post,
            position=position,
            url=f"https://media.of-a-very-long-name.cdn.example.com/{position}.jpg",
            status="failed" if given_up and position == 2 else "fetched" if position != 2 else "waiting",
            message="The server did not give the file, but said HTTP 503. Check whether the address opens."
            if position == 2
            else "",
            not_before=now + timedelta(hours=1),
        )
    return post


@pytest.mark.parametrize("size", SIZES)
def test_these_pages_are_for_everybody(open_page: OpenPage, owner: User, workspace: Workspace, size: str) -> None:
    now = timezone.now()
    days = timedelta(days=6)
    ready = {"status": "ready", "size_bytes": 734_003_200, "finished_at": now, "expires_at": now + days}
    WorkspaceExport.objects.create(workspace=workspace, requested_by=owner, **ready)
    WorkspaceExport.objects.create(
        workspace=workspace, status="failed", message="It could not be made. Try again later."
    )
    WorkspaceExport.objects.create(workspace=workspace, done=40, total=120)
    posts = [waiting(workspace, owner), waiting(workspace, owner, given_up=True)]
    pages = ["/settings/workspace/data/", "/settings/workspace/", *(post.get_absolute_url() for post in posts)]
    pages += [f"{post.get_absolute_url()}edit/" for post in posts]
    assert problems_of(open_page, size, pages, owner) == []
    if folder := os.environ.get("SHOTS"):
        page = open_page(size, user=owner)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            for number, address in enumerate(pages):
                page.goto(address)
                page.screenshot(path=f"{folder}/{size}-{scheme}-{number}.png", full_page=True)
