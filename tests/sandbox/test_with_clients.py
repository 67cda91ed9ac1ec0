"""The product's own clients against the sandbox, over real HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from socialhub.platforms.base import (
    Absent,
    Access,
    Content,
    Done,
    MediaItem,
    NotYet,
    Platform,
    PostType,
    Published,
    StepKind,
)
from socialhub.platforms.errors import (
    LimitedError,
    OutcomeUnknownError,
    PermissionMissingError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from socialhub.platforms.facebook import Facebook
from socialhub.platforms.instagram import Instagram
from socialhub.platforms.meta import Meta, MetaConfig
from tests.sandbox.conftest import image_bytes
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.processes

BACK = "http://127.0.0.1:9/back"


@pytest.fixture
def versions() -> list[str]:
    """Versions other than ours that answered."""
    return []


@pytest.fixture
def meta(sandbox: Sandbox, versions: list[str]) -> Iterator[Meta]:
    config = MetaConfig(
        app_id=sandbox.app_id,
        app_secret=sandbox.app_secret,
        dialog_url=f"{sandbox.url}/facebook",
        graph_url=sandbox.graph_url,
        rupload_url=f"{sandbox.url}/rupload",
        version="v26.0",
    )
    yield Meta(config, on_version=versions.append)
    assert versions == []


@pytest.fixture
def facebook(meta: Meta) -> Facebook:
    return Facebook(meta)


@pytest.fixture
def instagram(meta: Meta) -> Instagram:
    return Instagram(meta)


@pytest.fixture
def gina(sandbox: Sandbox) -> Access:
    granted = sandbox.person("gina").page
    return Access(granted.id, granted.access_token or "")


@pytest.fixture
def account(sandbox: Sandbox, gina: Access) -> Access:
    return Access(sandbox.person("gina").page.instagram_id or "", gina.token)


def images(pictures: str, count: int) -> tuple[MediaItem, ...]:
    content = image_bytes(1080, 1080)
    return tuple(
        MediaItem(
            position,
            f"{pictures}/1080x1080.jpg",
            "image/jpeg",
            1080,
            1080,
            len(content),
            alt_text=f"Image {position}",
            read=lambda: content,
        )
        for position in range(1, count + 1)
    )


def prepare(sandbox: Sandbox, platform: Platform, access: Access, content: Content) -> dict:
    """Every step before the commit, waiting where the network asks for it."""
    handles: dict = {}
    for step in platform.plan(content):
        if step.kind is StepKind.COMMIT:
            return handles
        for _ in range(20):
            outcome = platform.perform(step, access, content, handles)
            if isinstance(outcome, Done):
                handles |= outcome.handles
                break
            assert isinstance(outcome, NotYet)
            sandbox.advance(1)
        else:
            raise AssertionError(f"{step.key} never finished")
    raise AssertionError("a plan without a commit")


def publish(sandbox: Sandbox, platform: Platform, access: Access, content: Content) -> Published:
    return platform.commit(access, content, prepare(sandbox, platform, access, content))


def contents(pictures: str) -> dict[str, Content]:
    return {
        "text": Content(PostType.TEXT, "Just words"),
        "link": Content(PostType.LINK, "With a link", link="https://example.com/a"),
        "photo": Content(PostType.SINGLE, "One photo", media=images(pictures, 1)),
        "photos": Content(PostType.MULTI_IMAGE, "Eight photos", media=images(pictures, 8)),
    }


# Publishing


@pytest.mark.parametrize("kind", ["text", "link", "photo", "photos"])
def test_facebook_publishes_and_finds_again(
    sandbox: Sandbox, facebook: Facebook, gina: Access, pictures: str, kind: str
) -> None:
    content = contents(pictures)[kind]
    handles = prepare(sandbox, facebook, gina, content)
    began = datetime.now(UTC)

    done = facebook.commit(gina, content, handles)

    assert [(post["id"], post["message"], post["media"]) for post in sandbox.feed(gina.account_id)] == [
        (done.platform_post_id, content.text, len(content.media))
    ]
    assert facebook.permalink(gina, done.platform_post_id) == done.permalink
    found = facebook.look(gina, content, handles, since=began, claimed=())
    assert isinstance(found, Published)
    assert found.platform_post_id == done.platform_post_id
    assert isinstance(facebook.look(gina, content, handles, since=began, claimed={done.platform_post_id}), Absent)


@pytest.mark.parametrize("kind", ["text", "link", "photo", "photos"])
def test_a_lost_answer_of_facebook_is_found_by_looking(
    sandbox: Sandbox, facebook: Facebook, gina: Access, pictures: str, kind: str
) -> None:
    content = contents(pictures)[kind]
    handles = prepare(sandbox, facebook, gina, content)
    began = datetime.now(UTC)
    assert isinstance(facebook.look(gina, content, handles, since=began, claimed=()), Absent)
    sandbox.fault("lost_answer", edge="feed")

    with pytest.raises(OutcomeUnknownError):
        facebook.commit(gina, content, handles)

    found = facebook.look(gina, content, handles, since=began, claimed=())
    assert isinstance(found, Published)
    assert found.platform_post_id == sandbox.feed(gina.account_id)[0]["id"]


@pytest.mark.parametrize("count", [1, 8])
def test_instagram_publishes_and_finds_again(
    sandbox: Sandbox, instagram: Instagram, account: Access, pictures: str, count: int
) -> None:
    kind = PostType.SINGLE if count == 1 else PostType.CAROUSEL
    content = Content(kind, "1969 Camaro #camaro", media=images(pictures, count))
    handles = prepare(sandbox, instagram, account, content)
    began = datetime.now(UTC)

    done = instagram.commit(account, content, handles)

    assert [(post["id"], post["message"], post["media"]) for post in sandbox.feed(account.account_id)] == [
        (done.platform_post_id, content.text, count)
    ]
    assert "/feeds/instagram/p/" in instagram.permalink(account, done.platform_post_id)
    found = instagram.look(account, content, handles, since=began, claimed=())
    assert isinstance(found, Published)
    assert found.platform_post_id == done.platform_post_id
    assert instagram.publishing_limit(account).used == 1


def test_a_lost_answer_of_instagram_is_found_by_its_container(
    sandbox: Sandbox, instagram: Instagram, account: Access, pictures: str
) -> None:
    content = Content(PostType.CAROUSEL, "Lost", media=images(pictures, 2))
    handles = prepare(sandbox, instagram, account, content)
    began = datetime.now(UTC)
    assert isinstance(instagram.look(account, content, handles, since=began, claimed=()), Absent)
    sandbox.fault("lost_answer", edge="media_publish")

    with pytest.raises(OutcomeUnknownError):
        instagram.commit(account, content, handles)

    assert isinstance(instagram.look(account, content, handles, since=began, claimed=()), Published)
    with pytest.raises(OutcomeUnknownError):  # publishing the container once more is refused
        instagram.commit(account, content, handles)
    assert len(sandbox.feed(account.account_id)) == 1


# Refusals as the engine sees them


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "error_before"}, OutcomeUnknownError),
        ({"kind": "error_after"}, OutcomeUnknownError),
        ({"kind": "duplicate"}, OutcomeUnknownError),
        ({"kind": "rate_limited"}, LimitedError),
        ({"kind": "token_revoked"}, ReconnectError),
    ],
)
def test_faults_arrive_as_what_may_be_done_next(
    sandbox: Sandbox, facebook: Facebook, gina: Access, fault: dict, expected: type[Exception]
) -> None:
    sandbox.fault(**fault, edge="feed")

    with pytest.raises(expected):
        publish(sandbox, facebook, gina, Content(PostType.TEXT, "x"))


def test_a_limit_names_the_time_of_return(sandbox: Sandbox, facebook: Facebook, gina: Access) -> None:
    sandbox.fault("rate_limited", edge="feed", minutes=7)

    with pytest.raises(LimitedError) as caught:
        publish(sandbox, facebook, gina, Content(PostType.TEXT, "x"))

    assert caught.value.until is not None
    assert timedelta(minutes=6) < caught.value.until - datetime.now(UTC) <= timedelta(minutes=7, seconds=5)


def test_a_rejected_image_is_rejected(sandbox: Sandbox, facebook: Facebook, gina: Access, pictures: str) -> None:
    sandbox.fault("rejected_image")

    with pytest.raises(RejectedError):
        publish(sandbox, facebook, gina, Content(PostType.SINGLE, "x", media=images(pictures, 1)))


def test_an_image_of_a_wrong_shape_is_rejected(
    sandbox: Sandbox, instagram: Instagram, account: Access, pictures: str
) -> None:
    wide = MediaItem(1, f"{pictures}/1200x400.jpg", "image/jpeg", 1200, 400, 1000)

    with pytest.raises(RejectedError):
        publish(sandbox, instagram, account, Content(PostType.SINGLE, "x", media=(wide,)))


def test_an_expired_container_is_made_anew(
    sandbox: Sandbox, instagram: Instagram, account: Access, pictures: str
) -> None:
    content = Content(PostType.SINGLE, "x", media=images(pictures, 1))
    handles = prepare(sandbox, instagram, account, content)
    sandbox.advance(25 * 3600)

    with pytest.raises(TemporaryError) as caught:
        instagram.commit(account, content, handles)

    assert "container" in caught.value.forget
    assert sandbox.feed(account.account_id) == []


def test_a_missing_permission_is_told(sandbox: Sandbox, facebook: Facebook) -> None:
    poor = sandbox.person("gina", scopes=["pages_show_list", "pages_read_engagement"]).page

    with pytest.raises(PermissionMissingError):
        publish(sandbox, facebook, Access(poor.id, poor.access_token or ""), Content(PostType.TEXT, "x"))


# Reading


def test_figures_and_profile_of_a_page(sandbox: Sandbox, facebook: Facebook, gina: Access) -> None:
    done = publish(sandbox, facebook, gina, Content(PostType.TEXT, "x"))
    sandbox.advance(6 * 3600)

    profile = facebook.profile(gina)
    (figures,) = facebook.post_figures(gina, {done.platform_post_id: "", f"{gina.account_id}_1": ""})
    recent = facebook.recent_posts(gina, since=datetime.now(UTC) - timedelta(days=1))

    assert profile.name == "Camaro Garage"
    assert (profile.followers_count or 0) > 12_000
    assert figures.platform_post_id == done.platform_post_id
    assert figures.refused == ()
    assert min(figures.views or 0, figures.reach or 0, figures.likes or 0, figures.clicks or 0) > 0
    assert [post.platform_post_id for post in recent] == [done.platform_post_id]


def test_a_day_of_a_page(facebook: Facebook, gina: Access) -> None:
    days = [pacific_day(before) for before in (4, 3)]

    reading = facebook.read_account(gina, days=days)

    assert (reading.refused, reading.troubles) == ((), ())
    assert [day.start for day in reading.days] == days
    assert {"views", "reach", "engagements", "follows", "unfollows"} <= set(reading.days[0].metrics)
    assert reading.totals["followers"] > 12_000


def pacific_day(before: int) -> datetime:
    zone = ZoneInfo("America/Los_Angeles")
    return datetime.combine(datetime.now(zone).date() - timedelta(days=before), time(), zone)


def test_figures_and_profile_of_an_instagram_account(
    sandbox: Sandbox, instagram: Instagram, account: Access, pictures: str
) -> None:
    done = publish(sandbox, instagram, account, Content(PostType.SINGLE, "x", media=images(pictures, 1)))
    sandbox.advance(6 * 3600)

    (figures,) = instagram.post_figures(account, {done.platform_post_id: "FEED"})
    reading = instagram.read_account(account, days=[pacific_day(1)])

    assert (reading.profile.username, reading.profile.posts_count) == ("camarogarage", 1)
    assert figures.refused == reading.refused == ()
    assert reading.troubles == ()
    assert min(figures.views or 0, figures.reach or 0, figures.likes or 0) > 0
    assert {"reach", "views", "engagements", "likes", "follows", "unfollows"} <= set(reading.days[0].metrics)


def test_a_day_read_every_hour_comes_to_what_the_day_comes_to(
    sandbox: Sandbox, instagram: Instagram, account: Access
) -> None:
    day = pacific_day(5)
    names = ("views", "likes", "comments", "saves", "shares", "reach")

    def read(hours: float) -> dict[str, float]:
        sandbox.set_clock(day.timestamp() + hours * 3600)
        reading = instagram.read_account(account, days=[day])
        return dict(reading.days[0].metrics) if reading.days else {}

    so_far = [read(hour) for hour in range(25)]
    settled = read(96)

    assert so_far[0] == {}
    steps = [
        {name: later[name] - earlier.get(name, 0) for name in names} for earlier, later in itertools.pairwise(so_far)
    ]
    assert all(step[name] >= 0 for step in steps for name in names)
    assert len({step["views"] for step in steps}) > 10
    late = {name: settled[name] - so_far[-1][name] for name in names}
    assert 0 < late["views"] < 0.2 * settled["views"]
    for name in names:
        assert sum(step[name] for step in steps) + late[name] == settled[name]


def test_a_page_tells_nothing_of_the_day_that_is_going_on(sandbox: Sandbox, facebook: Facebook, gina: Access) -> None:
    day = pacific_day(5)

    def read(hours: float) -> list[dict[str, float]]:
        sandbox.set_clock(day.timestamp() + hours * 3600)
        return [dict(told.metrics) for told in facebook.read_account(gina, days=[day]).days]

    assert read(12) == read(25) == []
    (early,), (settled,) = read(27), read(75)
    assert 0.9 * settled["views"] < early["views"] < settled["views"]


def test_a_story_that_hardly_anybody_saw_is_withheld_in_words(
    sandbox: Sandbox, instagram: Instagram, pictures: str
) -> None:
    owner = sandbox.person(pages=1, instagram=False)
    sandbox.link_instagram(owner.page.id, followers=6)
    page = sandbox.person(owner.person, elsewhere=2).page
    access = Access(str(page.instagram_id), page.access_token or "")
    stories = sandbox.call("GET", f"{page.instagram_id}/stories", page.access_token).json()["data"]

    (figures,) = instagram.post_figures(access, {stories[0]["id"]: "STORY"})

    assert figures.withheld
    assert (figures.views, figures.reach) == (None, None)


# Connecting


def connected(sandbox: Sandbox, meta: Meta, person: str, **consent: object) -> str:
    address = meta.dialog_url(redirect_uri=BACK, state="s", code_challenge="c" * 43)
    back = sandbox.consent(address, person, **consent)  # type: ignore[arg-type]
    return parse_qs(urlsplit(back).query)["code"][0]


def long_token(sandbox: Sandbox, meta: Meta, person: str, **consent: object) -> str:
    address = meta.dialog_url(redirect_uri=BACK, state="s")
    back = sandbox.consent(address, person, **consent)  # type: ignore[arg-type]
    code = parse_qs(urlsplit(back).query)["code"][0]
    return meta.long_lived(meta.exchange_code(code, BACK).token).token


def test_consent_leads_to_pages_with_tokens_that_last(sandbox: Sandbox, meta: Meta) -> None:
    token = long_token(sandbox, meta, "gina")

    (page,) = meta.pages(token)

    assert page.name == "Camaro Garage"
    assert page.obstacle == ""
    assert page.instagram is not None
    assert page.instagram.username == "camarogarage"
    info = meta.debug_token(page.token or "")
    assert (info.is_valid, info.type, info.expires_at) == (True, "PAGE", None)
    assert meta.me(token).name == "Gina Garage"
    assert not meta.permissions(token).declined


def test_every_page_of_an_agency_is_found(sandbox: Sandbox, meta: Meta) -> None:
    pages = meta.pages(long_token(sandbox, meta, "alex"))

    assert len({page.id for page in pages}) == 130
    assert [page.name for page in pages if page.token is None] == ["Copper Bakery (no role)"]
    assert [page.name for page in pages if page.obstacle and page.token] == ["River Bakery (analyst only)"]


def test_a_declined_permission_is_read_back(sandbox: Sandbox, meta: Meta) -> None:
    token = long_token(sandbox, meta, "gina", declined=("instagram_content_publish",))

    found = meta.permissions(token)

    assert "instagram_content_publish" in found.declined
    assert "pages_manage_posts" in found.granted


def test_a_challenge_needs_its_verifier(sandbox: Sandbox, meta: Meta) -> None:
    code = connected(sandbox, meta, "gina")

    with pytest.raises(RejectedError):
        meta.exchange_code(code, BACK, "wrong" * 10)


def test_revoking_takes_every_token_away(sandbox: Sandbox, meta: Meta, facebook: Facebook) -> None:
    token = long_token(sandbox, meta, "gina")
    (page,) = meta.pages(token)

    meta.revoke(token)

    with pytest.raises(ReconnectError) as caught:
        facebook.profile(Access(page.id, page.token or ""))
    assert caught.value.revoked
