"""What stands against a post."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from accounts.models import ConnectedAccount, User, Workspace
from publishing import checks, schedule
from publishing.models import Post, PostMedia, Status
from publishing.states import GIVEN_UP
from socialhub.platforms.base import PostType
from tests.factories import make_account, make_media, make_post

NETWORKS = ["facebook", "instagram"]


def codes(post: Post) -> list[str]:
    return [finding.code for finding in checks.check(post)]


def with_media(post: Post, **fields: Any) -> Post:
    PostMedia.objects.create(
        post=post, media=make_media(post.workspace, **fields), position=post.post_media.count() + 1
    )
    return post


def test_a_plain_post_has_nothing_against_it(workspace: Workspace) -> None:
    assert codes(make_post(workspace, make_account(workspace))) == []


def test_hashtags_count_as_text(workspace: Workspace) -> None:
    account = make_account(workspace, platform="instagram")
    post = make_post(workspace, account, post_type=PostType.SINGLE, caption="x" * 2195, hashtags=["camaro"])
    found = checks.check(with_media(post))
    assert [finding.code for finding in found] == ["caption_too_long"]
    assert found[0].blocks
    assert found[0].account == account


def test_an_override_is_what_counts(workspace: Workspace) -> None:
    account = make_account(workspace, platform="instagram")
    post = with_media(make_post(workspace, account, post_type=PostType.SINGLE, caption="x" * 3000))
    post.publications.update(caption_override="Short")
    assert codes(post) == []


def test_the_file_is_named(workspace: Workspace) -> None:
    account = make_account(workspace, platform="instagram")
    post = make_post(workspace, account, post_type=PostType.CAROUSEL)
    with_media(post)
    with_media(post, original_name="panorama.jpg", width=4000, height=800)
    found = checks.check(post)
    assert [(finding.code, finding.media.original_name) for finding in found if finding.media] == [
        ("image_ratio", "panorama.jpg")
    ]


def test_errors_come_first(workspace: Workspace) -> None:
    paused = make_account(workspace, paused_at=timezone.now())
    gone = make_account(workspace, status="disconnected")
    found = checks.check(make_post(workspace, paused, gone))
    assert [(finding.code, finding.blocks) for finding in found] == [("disconnected", True), ("paused", False)]


def test_the_same_text_within_a_day(workspace: Workspace) -> None:
    account, other = make_account(workspace), make_account(workspace)
    first = make_post(workspace, account, caption="Again")
    assert codes(make_post(workspace, account, caption="Again")) == []  # the other is a draft only
    first.publications.update(status=Status.PUBLISHED, published_at=timezone.now() - timedelta(hours=2))
    assert codes(make_post(workspace, account, caption="Again")) == ["repeat"]
    assert codes(make_post(workspace, account, caption="Something else")) == []
    assert codes(make_post(workspace, other, caption="Again")) == []
    first.publications.update(created_at=timezone.now() - timedelta(days=9))  # it was scheduled for long
    assert codes(make_post(workspace, account, caption="Again")) == ["repeat"]
    first.publications.update(published_at=timezone.now() - timedelta(hours=25))
    assert codes(make_post(workspace, account, caption="Again")) == []


def test_the_same_text_that_is_only_planned_has_not_gone_out(workspace: Workspace) -> None:
    account = make_account(workspace)
    first = make_post(workspace, account, caption="Again")
    at = datetime(2027, 1, 15, 9, tzinfo=UTC)
    first.publications.update(status=Status.SCHEDULED, scheduled_at=at)
    again = make_post(workspace, account, caption="Again", scheduled_at=at + timedelta(days=30))
    (finding,) = checks.neighbour_findings(checks.Draft.of(again))
    assert finding.message.startswith("The same text is scheduled here already, for Jan. 15, 2027, 9")
    first.publications.update(status=Status.QUEUED)
    (finding,) = checks.neighbour_findings(checks.Draft.of(again))
    assert finding.message.startswith("The same text is just going out here.")


def test_a_post_does_not_repeat_itself(workspace: Workspace) -> None:
    post = make_post(workspace, make_account(workspace), caption="Once")
    post.publications.update(status=Status.SCHEDULED)
    assert codes(post) == []


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "http://localhost", "http://127.8.8.8"])
def test_a_network_that_fetches_cannot_reach_this_computer(workspace: Workspace, address: str) -> None:
    post = with_media(make_post(workspace, make_account(workspace, platform="instagram"), post_type=PostType.SINGLE))
    with override_settings(PUBLIC_BASE_URL=address, SANDBOX=False):
        found = checks.check(post)
    assert [(finding.code, finding.blocks) for finding in found] == [("loopback", False)]
    with override_settings(PUBLIC_BASE_URL=address, SANDBOX=True):
        assert codes(post) == []
    with override_settings(PUBLIC_BASE_URL="https://hub.example.org", SANDBOX=False):
        assert codes(post) == []


def test_access_that_ends_before_the_post_is_due(workspace: Workspace) -> None:
    account = make_account(workspace, token_expires_at=timezone.now() + timedelta(days=2))
    post = make_post(workspace, account, scheduled_at=timezone.now() + timedelta(days=3))
    assert [finding.code for finding in checks.expiry_findings(checks.Draft.of(post))] == ["expires_before"]
    post.scheduled_at = timezone.now() + timedelta(days=1)
    assert checks.expiry_findings(checks.Draft.of(post)) == []


def near(account: ConnectedAccount, status: Status, at: datetime) -> Post:
    post = make_post(account.workspace, account)
    fields = {"published_at": at} if status == Status.PUBLISHED else {"scheduled_at": at}
    post.publications.update(status=status, **fields)
    return post


@pytest.mark.parametrize(
    ("status", "minutes", "said"),
    [
        (Status.SCHEDULED, 45, "Something else goes out here at 12:45."),
        (Status.QUEUED, -59, "Something else goes out here at 11:01."),
        (Status.PUBLISHED, -20, "Something else went out here at 11:40."),
        (Status.SCHEDULED, 61, ""),
        (Status.PUBLISHED, -61, ""),
        (Status.DRAFT, 5, ""),
        (Status.FAILED, 5, ""),
    ],
)
def test_something_else_within_the_hour(workspace: Workspace, status: Status, minutes: int, said: str) -> None:
    account = make_account(workspace)
    at = (timezone.now() + timedelta(days=3)).replace(hour=12, minute=0, second=0, microsecond=0)
    near(account, status, at + timedelta(minutes=minutes))
    near(make_account(workspace), Status.SCHEDULED, at)
    found = checks.check(make_post(workspace, account, scheduled_at=at))
    assert [(finding.code, finding.level, finding.account) for finding in found] == (
        [("same_hour", "warning", account)] if said else []
    )
    assert said in "".join(finding.message for finding in found)


def test_the_nearest_within_the_hour_is_named_and_the_post_itself_is_none(workspace: Workspace) -> None:
    account = make_account(workspace)
    at = (timezone.now() + timedelta(days=3)).replace(hour=12, minute=0, second=0, microsecond=0)
    for minutes in (-50, 10, 40):
        near(account, Status.SCHEDULED, at + timedelta(minutes=minutes))
    own = near(account, Status.SCHEDULED, at)
    own.scheduled_at = at
    assert "12:10" in checks.check(own)[0].message
    now = make_post(workspace, account)
    assert codes(now) == []
    near(account, Status.PUBLISHED, timezone.now() - timedelta(minutes=5))
    assert codes(now) == ["same_hour"]


def test_neighbours_of_many_accounts_cost_one_statement(workspace: Workspace, django_assert_num_queries: Any) -> None:
    accounts = [make_account(workspace) for _index in range(5)]
    at = timezone.now() + timedelta(days=3)
    for account in accounts:
        near(account, Status.SCHEDULED, at)
    draft = checks.Draft.of(make_post(workspace, *accounts, scheduled_at=at))
    with django_assert_num_queries(1):
        assert len(checks.neighbour_findings(draft)) == 5


@pytest.mark.parametrize(
    ("caption", "said"),
    [
        ("The {Vehicle} of {Year built}", "{Vehicle}, {Year built} still stand in the text."),
        ("The {Vehicle}", "{Vehicle} still stands in the text."),
        ("f(x) = {1, 2}, {} and a {smile :)}", ""),
    ],
)
def test_what_a_template_left_over_is_told(workspace: Workspace, caption: str, said: str) -> None:
    found = checks.check(make_post(workspace, make_account(workspace), make_account(workspace), caption=caption))
    assert [finding.code for finding in found] == (["placeholder"] if said else [])
    assert said in "".join(finding.message for finding in found)


@pytest.mark.parametrize(
    ("platform", "kinds", "link", "usual"),
    [
        ("facebook", "", "", PostType.TEXT),
        ("facebook", "", "https://example.org", PostType.LINK),
        ("facebook", "i", "https://example.org", PostType.SINGLE),
        ("facebook", "i" * 8, "", PostType.MULTI_IMAGE),
        ("facebook", "i" * 50, "", PostType.MULTI_IMAGE),
        ("instagram", "", "", PostType.SINGLE),
        ("instagram", "i", "", PostType.SINGLE),
        ("instagram", "i" * 8, "", PostType.CAROUSEL),
        ("instagram", "i" * 50, "", PostType.CAROUSEL),
        ("linkedin", "v", "", PostType.VIDEO),
        ("linkedin", "d", "", PostType.DOCUMENT),
        ("linkedin", "d", "https://example.org", PostType.DOCUMENT),
        ("linkedin", "vv", "", PostType.VIDEO),
    ],
)
def test_the_usual_type(platform: str, kinds: str, link: str, usual: PostType) -> None:
    names = [{"i": "image", "v": "video", "d": "document"}[letter] for letter in kinds]
    assert checks.usual_type(platform, names, link) == usual


@pytest.mark.parametrize(
    ("account", "scope"),
    [
        ({"platform": "facebook"}, "pages_manage_engagement"),
        ({"platform": "instagram", "account_type": "professional"}, "instagram_manage_comments"),
        (
            {"platform": "instagram", "account_type": "professional", "login_kind": "instagram"},
            "instagram_business_manage_comments",
        ),
        ({"platform": "linkedin", "account_type": "person", "login_kind": "linkedin"}, "w_member_social_feed"),
        (
            {"platform": "linkedin", "account_type": "organization", "login_kind": "linkedin"},
            "w_organization_social_feed",
        ),
    ],
)
def test_a_comment_without_its_permission_is_said_beforehand(
    workspace: Workspace, account: dict[str, str], scope: str
) -> None:
    connected = make_account(workspace, granted_scopes=["pages_manage_posts"], **account)
    post = make_post(workspace, connected, first_comment="More in our shop")

    def said() -> list[checks.Finding]:
        return [finding for finding in checks.check(post) if finding.field == "first_comment"]

    (finding,) = said()
    assert (finding.code, finding.blocks) == ("first_comment_ignored", False)
    assert f"without the permission {scope}" in finding.message
    for granted in ([], ["pages_manage_posts", scope]):  # not known, and there
        ConnectedAccount.objects.update(granted_scopes=granted)
        post = Post.objects.get()
        assert not said()


def test_what_may_be_out_already_is_said_before_it_goes_out_again(workspace: Workspace) -> None:
    post = make_post(workspace, make_account(workspace), make_account(workspace, platform="mastodon"))
    unknown = post.publications.get(account__platform="facebook")
    unknown.error_kind = GIVEN_UP
    unknown.save()
    (finding,) = checks.given_up_findings(checks.Draft.of(post))
    assert (finding.account, finding.blocks) == (unknown.account, False)


def test_what_may_be_out_is_still_said_after_a_new_try_of_it_was_taken_back(workspace: Workspace, owner: User) -> None:
    post = make_post(workspace, make_account(workspace))
    post.publications.update(status=Status.FAILED, error_kind=GIVEN_UP, committing_at=timezone.now())
    schedule.retry(post.publications.get(), by=owner)
    schedule.cancel(post, by=owner)  # before a worker could look
    assert [finding.violation.code for finding in checks.given_up_findings(checks.Draft.of(post))] == ["given_up"]
