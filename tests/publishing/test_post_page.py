"""The page of a post: what it says where it stands, what it offers then, and the figures that are known."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import ConnectedAccount, Membership, Role, User, Workspace
from analytics.models import PlatformPost
from publishing import schedule
from publishing.models import Post, Publication, Status
from tests.factories import make_account, make_entry, make_post


@pytest.fixture
def accounts(workspace: Workspace) -> list[ConnectedAccount]:
    return [make_account(workspace), make_account(workspace, platform="instagram")]


def in_state(workspace: Workspace, accounts: list[ConnectedAccount], *statuses: Status, summary: str) -> Post:
    post = make_post(workspace, *accounts[: len(statuses)], status=summary)
    for publication, status in zip(post.publications.order_by("account__platform"), statuses, strict=True):
        Publication.objects.filter(pk=publication.pk).update(status=status, published_at=timezone.now())
    return post


def page_of(client: Client, post: Post) -> str:
    return client.get(post.get_absolute_url()).content.decode()


ALL = ("post_edit", "post_reschedule", "post_cancel", "post_next", "post_again", "post_retry", "post_retry_one")


@pytest.mark.parametrize(
    ("statuses", "summary", "offered"),
    [
        ([Status.DRAFT], "draft", {"post_edit"}),
        ([Status.SCHEDULED], "scheduled", {"post_edit", "post_reschedule", "post_cancel"}),
        ([Status.PUBLISHING], "publishing", set()),
        ([Status.CHECKING], "checking", set()),
        ([Status.PUBLISHED], "published", {"post_next", "post_again"}),
        ([Status.FAILED], "failed", {"post_edit", "post_retry_one"}),
        ([Status.FAILED, Status.FAILED], "failed", {"post_edit", "post_retry"}),
        ([Status.PUBLISHED, Status.FAILED], "partly_failed", {"post_retry_one"}),
        ([Status.PUBLISHED, Status.SCHEDULED], "partly_published", {"post_reschedule", "post_cancel"}),
    ],
)
def test_what_can_be_done_now(
    signed_in: Client,
    workspace: Workspace,
    accounts: list[ConnectedAccount],
    statuses: list[Status],
    summary: str,
    offered: set[str],
) -> None:
    page = page_of(signed_in, in_state(workspace, accounts, *statuses, summary=summary))
    assert {name for name in ALL if f'id="{name}"' in page} == offered


def test_a_viewer_is_offered_nothing(
    signed_in: Client, owner: User, workspace: Workspace, accounts: list[ConnectedAccount]
) -> None:
    Membership.objects.filter(user=owner).update(role=Role.VIEWER)
    post = in_state(workspace, accounts, Status.FAILED, Status.FAILED, summary="failed")
    page = page_of(signed_in, post)
    assert not [name for name in ALL if f'id="{name}"' in page]
    assert reverse("publishing:post_bulk") not in page


def test_a_question_is_the_first_thing_that_is_said(
    signed_in: Client, workspace: Workspace, accounts: list[ConnectedAccount]
) -> None:
    post = in_state(workspace, accounts, Status.CHECKING, summary="checking")
    make_entry(post.publications.get(), awaits_decision=True)
    assert "Please look at the network, then answer below." in page_of(signed_in, post)


def test_figures_stand_at_what_is_out(
    signed_in: Client, workspace: Workspace, accounts: list[ConnectedAccount]
) -> None:
    post = in_state(workspace, accounts, Status.PUBLISHED, Status.PUBLISHED, summary="published")
    publication = post.publications.get(account=accounts[0])
    PlatformPost.objects.create(
        account=accounts[0],
        publication=publication,
        platform_post_id="1",
        posted_at=timezone.now(),
        likes=1204,
        reach=0,
        fetched_at=timezone.now(),
    )
    page = page_of(signed_in, post)
    assert page.count("publication-figures") == 1
    assert "1,204" in page
    assert '<span class="figure">0</span>' in page  # known to be none
    assert "Shares" not in page  # not known


def test_figures_are_one_query_and_none_before_it_is_out(
    signed_in: Client, owner: User, workspace: Workspace, accounts: list[ConnectedAccount]
) -> None:
    waiting = make_post(workspace, *accounts)
    schedule.schedule(waiting, timezone.now() + timedelta(days=1), by=owner)
    out = in_state(workspace, accounts, Status.PUBLISHED, Status.PUBLISHED, summary="published")
    for post, number in ((waiting, 0), (out, 1)):
        with CaptureQueriesContext(connection) as captured:
            page_of(signed_in, post)
        assert sum("analytics_platformpost" in query["sql"] for query in captured.captured_queries) == number
