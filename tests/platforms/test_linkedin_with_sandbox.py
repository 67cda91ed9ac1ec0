"""The client against the simulated LinkedIn, over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from socialhub.platforms.base import (
    Access,
    Content,
    MediaItem,
    NotYet,
    PostType,
    Published,
    StepKind,
    Unknowable,
)
from socialhub.platforms.errors import (
    LimitedError,
    OutcomeUnknownError,
    PermissionMissingError,
    ReconnectError,
    RejectedError,
)
from socialhub.platforms.http import counting
from socialhub.platforms.linkedin import LinkedIn
from socialhub.platforms.linkedin_api import MEMBER_SCOPES, LinkedInApi
from socialhub.platforms.linkedin_errors import VersionError
from tests.platforms.linkedin import make_api
from tests.sandbox.conftest import image_bytes
from tests.sandbox_process import Sandbox, sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]
pytestmark = pytest.mark.processes

ODD = "a_b (c) @d #win & C# <3 *you* ~ x\\y|z {hashtag} #big_news https://x.example/a_b#top"


@pytest.fixture
def make(sandbox: Sandbox) -> Callable[..., LinkedInApi]:
    def make(**changes: Any) -> LinkedInApi:
        addresses = {
            "client_id": "sandbox-linkedin",
            "client_secret": "sandbox-linkedin-secret",
            "oauth_url": f"{sandbox.url}/linkedin/oauth",
            "api_url": f"{sandbox.url}/linkedin/api",
        }
        return make_api(**(addresses | changes))

    return make


@pytest.fixture
def linkedin(make: Callable[..., LinkedInApi]) -> LinkedIn:
    return LinkedIn(make())


@pytest.fixture
def grant(sandbox: Sandbox, linkedin: LinkedIn) -> dict[str, Any]:
    """A new member with one organization."""
    return sandbox.control(
        "POST", "linkedin/people", name="Ada Test", organizations=1, scopes=list(linkedin.api.config.scopes)
    )


@pytest.fixture
def member(grant: dict[str, Any]) -> Access:
    return Access(grant["urn"], grant["access_token"])


@pytest.fixture
def organization(grant: dict[str, Any]) -> Access:
    return Access(grant["organizations"][0]["urn"], grant["access_token"])


def pictures(number: int, post_type: PostType | None = None, text: str = "Images", **more: Any) -> Content:
    media = tuple(
        MediaItem(n, "", "image/jpeg", 900 + n, 600, 1, f"View {n}", read=lambda n=n: image_bytes(900 + n, 600))
        for n in range(1, number + 1)
    )
    return Content(post_type or (PostType.SINGLE if number == 1 else PostType.MULTI_IMAGE), text, media=media, **more)


def prepare(linkedin: LinkedIn, access: Access, content: Content) -> dict[str, Any]:
    handles: dict[str, Any] = {}
    for step in linkedin.plan(content):
        if step.kind is StepKind.COMMIT:
            break
        while True:
            answer = linkedin.perform(step, access, content, handles)
            handles |= answer.handles
            if not isinstance(answer, NotYet):
                break
            time.sleep(0.1)
    return handles


def publish(linkedin: LinkedIn, access: Access, content: Content) -> Published:
    found = linkedin.commit(access, content, prepare(linkedin, access, content))
    assert isinstance(found, Published)
    return found


@pytest.mark.parametrize(
    "content",
    [
        Content(PostType.TEXT, ODD),
        Content(PostType.LINK, "Look", link="https://shop.example/camaro"),
        pictures(1),
        pictures(3, link="https://shop.example/camaro"),
        pictures(1, PostType.LINK, link="https://shop.example/camaro"),
    ],
    ids=["text", "link", "single", "multi_image", "card"],
)
def test_an_organization_publishes_and_finds_it_again(linkedin, organization, content):
    handles = prepare(linkedin, organization, content)
    published = linkedin.commit(organization, content, handles)
    assert published.platform_post_id.startswith(("urn:li:share:", "urn:li:ugcPost:"))
    since = datetime.now(UTC) - timedelta(seconds=5)
    found = linkedin.look(organization, content, handles, since=since, claimed=())
    assert isinstance(found, Published)
    assert found.platform_post_id == published.platform_post_id
    assert found.permalink == published.permalink


def test_the_whole_text_is_shown_as_it_was_written(linkedin, organization):
    published = publish(linkedin, organization, Content(PostType.TEXT, ODD))
    (post,) = linkedin.recent_posts(organization, since=datetime.now(UTC) - timedelta(hours=1))
    assert (post.platform_post_id, post.text) == (published.platform_post_id, ODD)


def test_a_member_publishes_without_reading(make, sandbox):
    plain = LinkedIn(make(scopes=MEMBER_SCOPES))
    content = pictures(2)
    granted = sandbox.control("POST", "linkedin/people", name="Self Serve", scopes=list(MEMBER_SCOPES))
    access = Access(granted["urn"], granted["access_token"])
    steps = plain.plan(content)
    handles: dict[str, Any] = {}
    for step in steps[:2]:
        handles |= plain.perform(step, access, content, handles).handles
    assert plain.perform(steps[2], access, content, handles) == NotYet(3, {"ready:blind": True})
    assert plain.commit(access, content, handles).platform_post_id
    assert isinstance(plain.look(access, content, handles, since=datetime.now(UTC), claimed=()), Unknowable)
    assert plain.profile(access).name == "Self Serve"


@pytest.mark.parametrize("kind", ["lost_answer", "error_after"])
def test_a_lost_answer_is_found_out(sandbox, linkedin, organization, kind):
    content = Content(PostType.TEXT, f"Is it there? {kind}")
    sandbox.fault(kind, edge="POST linkedin.posts")
    since = datetime.now(UTC)
    with pytest.raises(OutcomeUnknownError):
        linkedin.commit(organization, content, {})
    assert isinstance(linkedin.look(organization, content, {}, since=since, claimed=()), Published)


def test_the_same_again_is_an_unknown_outcome(linkedin, organization):
    content = Content(PostType.TEXT, "Twice")
    first = publish(linkedin, organization, content)
    with pytest.raises(OutcomeUnknownError) as caught:
        linkedin.commit(organization, content, {})
    assert caught.value.code == "DUPLICATE_POST"
    assert first.platform_post_id in caught.value.platform_message


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("token_revoked", ReconnectError),
        ("token_expired", ReconnectError),
        ("rate_limited", LimitedError),
        ("permission_lost", PermissionMissingError),
        ("version_retired", VersionError),
        ("error_before", OutcomeUnknownError),
    ],
)
def test_refusals(sandbox, linkedin, organization, kind, wanted):
    sandbox.fault(kind, edge="POST linkedin.posts")
    with pytest.raises(wanted):
        linkedin.commit(organization, Content(PostType.TEXT, "No"), {})


def test_a_post_without_an_id_is_published(sandbox, linkedin, organization):
    sandbox.fault("no_id", edge="POST linkedin.posts")
    assert linkedin.commit(organization, Content(PostType.TEXT, "Which?"), {}).platform_post_id == ""


def test_a_text_that_is_too_long_is_refused(linkedin, organization):
    with pytest.raises(RejectedError) as caught:
        linkedin.commit(organization, Content(PostType.TEXT, "x" * 3001), {})
    assert caught.value.code == "FIELD_LENGTH_TOO_LONG"


def test_what_is_no_image_is_tried_twice_and_refused(linkedin, organization):
    broken = Content(PostType.SINGLE, "x", media=(MediaItem(1, "", "image/jpeg", 9, 9, 1, read=lambda: b"no image"),))
    with pytest.raises(RejectedError):
        prepare(linkedin, organization, broken)


def test_a_version_that_never_was(make, organization):
    with pytest.raises(VersionError):
        make(version="202412").posts_by(organization.token, organization.account_id)


def test_everything_is_read(linkedin, grant, organization, member):
    page, person = linkedin.profile(organization), linkedin.profile(member)
    assert page.name == grant["organizations"][0]["name"]
    assert page.username == grant["organizations"][0]["vanity_name"]
    assert page.followers_count is not None
    assert page.picture_url.startswith("http")
    assert person.name == "Ada Test"
    assert person.followers_count is not None
    (found,) = linkedin.api.organizations(grant["access_token"])
    assert (found.urn, found.name, found.obstacle) == (organization.account_id, page.name, "")
    assert found.picture == page.picture_url


def test_figures(linkedin, organization, member):
    mine = publish(linkedin, organization, pictures(2)).platform_post_id
    text = publish(linkedin, organization, Content(PostType.TEXT, "Figures")).platform_post_id
    own = publish(linkedin, member, Content(PostType.TEXT, "Mine")).platform_post_id
    figures = linkedin.post_figures(organization, {mine: "", text: "", "urn:li:share:1": ""})
    assert [entry.platform_post_id for entry in figures] == [mine, text]
    assert all(entry.likes is not None for entry in figures)
    (entry,) = linkedin.post_figures(member, {own: ""})
    assert entry.impressions is not None
    listed = linkedin.recent_posts(organization, since=datetime.now(UTC) - timedelta(hours=1), figures=True)
    assert {mine, text} <= {post.platform_post_id for post in listed}
    assert all(post.figures.impressions is not None for post in listed)


def test_days_of_accounts(linkedin, organization, member):
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=number) for number in range(1, 8)]
    with counting() as calls:
        page = linkedin.read_account(organization, days=days)
    assert calls.number == 4
    assert page.totals["followers"] == page.profile.followers_count
    assert [day.start for day in page.days] == sorted(days)
    assert all({"impressions", "likes", "engagements", "profile_views"} <= set(day.metrics) for day in page.days)
    told = [day.start for day in page.days if "follows" in day.metrics]
    assert days[-1] in told
    assert days[0] not in told, "followers come two days late"
    person = linkedin.read_account(member, days=days)
    assert [day.start for day in person.days] == sorted(days)
    assert all({"impressions", "likes"} <= set(day.metrics) for day in person.days)
    assert not page.troubles + person.troubles


def test_who_follows(linkedin, organization):
    found = {audience.dimension: audience.parts for audience in linkedin.audience(organization).parts}
    assert "Senior" in found["seniority"]
    assert all(number > 0 for number in found["seniority"].values())


def test_consent_becomes_a_token(sandbox, linkedin):
    back = "http://127.0.0.1:9/back"
    fields = linkedin.api.authorize_parameters(redirect_uri=back, state="s-1")
    answer = sandbox.session.post(
        linkedin.api.authorize_address, data={**fields, "person": "lena"}, allow_redirects=False, timeout=30
    )
    returned = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert returned["state"] == "s-1"
    tokens = linkedin.api.exchange_code(returned["code"], back)
    assert set(tokens.scopes) == set(linkedin.api.config.scopes)
    assert linkedin.api.userinfo(tokens.access_token).name
    with pytest.raises(RejectedError):
        linkedin.api.exchange_code(returned["code"], back)


def test_a_token_lives_and_dies(linkedin, grant):
    token = grant["access_token"]
    state = linkedin.api.introspect(token)
    assert (state.is_active, state.status) == (True, "active")
    assert set(state.scopes) == set(linkedin.api.config.scopes)
    linkedin.api.revoke(token)
    assert not linkedin.api.introspect(token).is_active
    with pytest.raises(ReconnectError):
        linkedin.api.userinfo(token)
    linkedin.api.revoke(token)


def test_refreshing(sandbox, linkedin):
    sandbox.control("POST", "linkedin/app", refresh_tokens=True)
    granted = sandbox.control("POST", "linkedin/people", name="Fresh", scopes=list(linkedin.api.config.scopes))
    tokens = linkedin.api.refresh(granted["refresh_token"])
    assert linkedin.api.userinfo(tokens.access_token).name == "Fresh"
    assert tokens.refresh_token
    with pytest.raises(ReconnectError):
        linkedin.api.refresh("nonsense-refresh-token")
