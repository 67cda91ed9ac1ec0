"""Figures of Facebook and Instagram, read from the sandbox over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from socialhub.platforms.base import Access
from socialhub.platforms.facebook import Facebook
from socialhub.platforms.http import counting
from socialhub.platforms.instagram import Instagram
from socialhub.platforms.instagram_login import InstagramApi, InstagramConfig
from socialhub.platforms.meta import Meta, MetaConfig
from socialhub.platforms.meta_insights import day_of, midnight
from tests.sandbox_process import GrantedPage, Sandbox, sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]
pytestmark = pytest.mark.processes

MONTH = timedelta(days=28)


@pytest.fixture
def meta(sandbox: Sandbox) -> Meta:
    return Meta(
        MetaConfig(
            app_id=sandbox.app_id,
            app_secret=sandbox.app_secret,
            dialog_url=f"{sandbox.url}/facebook",
            graph_url=sandbox.graph_url,
        )
    )


@pytest.fixture
def facebook(meta: Meta) -> Facebook:
    return Facebook(meta)


@pytest.fixture
def instagram(meta: Meta) -> Instagram:
    return Instagram(meta)


@pytest.fixture
def granted(sandbox: Sandbox) -> Iterator[GrantedPage]:
    yield sandbox.person(pages=1, elsewhere=14, followers=[3_000]).page
    sandbox.give_back()


@pytest.fixture
def page(granted: GrantedPage) -> Access:
    return Access(granted.id, granted.access_token or "")


@pytest.fixture
def ig(granted: GrantedPage) -> Access:
    return Access(granted.instagram_id or "", granted.access_token or "")


def days_before(first: int, last: int = 0) -> list[datetime]:
    today = day_of(datetime.now(UTC))
    return [midnight(today - timedelta(days=number)) for number in range(first, last - 1, -1)]


def test_a_quarter_of_a_page_in_one_call(facebook: Facebook, page: Access) -> None:
    days = days_before(90, 3)
    with counting() as calls:
        reading = facebook.read_account(page, days=days)
    assert (calls.number, reading.refused, reading.troubles) == (1, (), ())
    assert [day.start for day in reading.days] == days
    assert {"views", "reach", "engagements", "likes", "followers", "follows", "unfollows", "profile_views"} <= set(
        reading.days[0].metrics
    )
    for before, after in pairwise(reading.days):
        gained = after.metrics["follows"] - after.metrics["unfollows"]
        assert after.metrics["followers"] - before.metrics["followers"] == gained
    assert reading.totals["followers"] >= reading.days[-1].metrics["followers"] - 50


def test_days_of_an_account_and_the_one_that_goes_on(instagram: Instagram, ig: Access) -> None:
    days = days_before(4)
    with counting() as calls:
        reading = instagram.read_account(ig, days=days)
    assert (calls.number, reading.refused, reading.troubles) == (1, (), ())
    assert [day.is_whole for day in reading.days][:4] == [True] * 4
    assert {"views", "reach", "engaged", "engagements", "likes", "follows", "unfollows", "clicks"} <= set(
        reading.days[0].metrics
    )
    assert reading.profile.posts_count is not None


def test_the_audience(instagram: Instagram, ig: Access, sandbox: Sandbox) -> None:
    with counting() as calls:
        reading = instagram.audience(ig)
    assert (calls.number, reading.refused, reading.withheld) == (1, (), "")
    assert {(part.kind, part.dimension) for part in reading.parts} >= {
        ("followers", dimension) for dimension in ("age", "city", "country", "gender")
    }
    few = sandbox.person(pages=1, instagram=False).page
    small = instagram.audience(Access(sandbox.link_instagram(few.id, followers=40), few.access_token or ""))
    assert small.parts == ()
    assert "100 followers" in small.withheld


def test_posts_of_a_page_in_one_call(facebook: Facebook, page: Access) -> None:
    since = datetime.now(UTC) - timedelta(days=90)
    with counting() as calls:
        posts = facebook.recent_posts(page, since=since, figures=True)
    assert (calls.number, len(posts)) == (1, 14)
    assert all(post.figures and post.figures.views and post.figures.reach for post in posts)
    assert all(post.figures and post.figures.likes is not None and post.figures.sources["likes"] for post in posts)
    products = {post.platform_post_id: post.product for post in posts}
    videos = [key for key, product in products.items() if product in ("VIDEO", "REEL")]
    assert videos
    assert {"FEED"} < set(products.values())
    with counting() as calls:
        found = {figures.platform_post_id: figures for figures in facebook.post_figures(page, products)}
    assert calls.number == len(products) + len(videos)
    assert all(found[key].extra.get("watch_seconds") for key in videos)
    assert all(figures.refused == () and not figures.withheld for figures in found.values())


def test_media_and_stories_in_one_call(instagram: Instagram, ig: Access, sandbox: Sandbox) -> None:
    since = datetime.now(UTC) - timedelta(days=90)
    with counting() as calls:
        posts = instagram.recent_posts(ig, since=since, figures=True)
    products = {post.platform_post_id: post.product for post in posts}
    assert (calls.number, set(products.values())) == (1, {"FEED", "REELS", "STORY"})
    assert {post.product for post in posts if post.figures is None} == {"STORY"}
    assert any(post.figures and post.figures.likes is None for post in posts), "their owner hides them"
    with counting() as calls:
        found = {figures.platform_post_id: figures for figures in instagram.post_figures(ig, products)}
    assert set(found) == set(products)
    assert len(products) <= calls.number <= len(products) + 2
    for key, figures in found.items():
        assert figures.refused == ()
        assert figures.views or figures.withheld == "Too few people have seen this yet."
        assert products[key] != "REELS" or figures.extra["watch_seconds"]


@pytest.mark.parametrize("metric", ["views", "follows_and_unfollows"])
def test_a_name_that_died_overnight(instagram: Instagram, ig: Access, sandbox: Sandbox, metric: str) -> None:
    sandbox.withdraw(metric)
    reading = instagram.read_account(ig, days=days_before(1))
    assert (reading.refused, reading.troubles) == ((metric,), ())
    assert reading.totals["followers"] > 0
    assert "likes" in reading.days[0].metrics
    assert not {"views", "follows_and_unfollows"} & {metric} & set(reading.days[0].sources.values())
    with counting() as calls:
        again = instagram.read_account(ig, days=days_before(1), skip=reading.refused)
    assert (calls.number, again.refused) == (1, ())


def test_names_of_posts_that_died_overnight(
    facebook: Facebook, instagram: Instagram, page: Access, ig: Access, sandbox: Sandbox
) -> None:
    for name in ("post_clicks", "saved"):
        sandbox.withdraw(name)
    since = datetime.now(UTC) - timedelta(days=90)
    posts = facebook.recent_posts(page, since=since, figures=True)
    media = [post for post in instagram.recent_posts(ig, since=since, figures=True) if post.product != "STORY"]
    assert {post.figures.refused for post in posts if post.figures} == {("post_clicks",)}
    assert {post.figures.refused for post in media if post.figures} == {("saved",)}
    assert all(post.figures and post.figures.views for post in [*posts, *media])
    with counting() as calls:
        instagram.recent_posts(ig, since=since, figures=True, skip={"saved"})
    assert calls.number == 1


def test_what_is_withheld_is_absent(facebook: Facebook, page: Access, sandbox: Sandbox) -> None:
    sandbox.withdraw("page_media_view", "withheld")
    sandbox.withdraw("followers_count", "withheld")
    reading = facebook.read_account(page, days=days_before(4, 3))
    assert (reading.refused, reading.troubles) == ((), ())
    assert "followers" not in reading.totals
    assert all("views" not in day.metrics and "reach" in day.metrics for day in reading.days)


def test_media_of_before_the_account_was_professional(
    instagram: Instagram, ig: Access, granted: GrantedPage, sandbox: Sandbox
) -> None:
    since = datetime.now(UTC) - timedelta(days=90)
    then = (datetime.now(UTC) - timedelta(days=20)).timestamp()
    sandbox.control("POST", "instagram/account", person=granted.instagram_username, professional_since=then)
    posts = instagram.recent_posts(ig, since=since, figures=True)
    assert [post.figures for post in posts] == [None] * len(posts)
    new, *_others, old = (post for post in posts if post.product == "FEED")
    first, last = instagram.post_figures(ig, {post.platform_post_id: post.product for post in (new, old)})
    assert (first.withheld, last.views) == ("", None)
    assert "professional" in last.withheld


def test_all_of_it_through_instagrams_own_login(sandbox: Sandbox) -> None:
    """That host knows no batches, so each part goes alone and counts the same."""
    ines = sandbox.instagram("ines.ink")
    access = Access(ines.account_id, ines.access_token)
    instagram = Instagram(
        InstagramApi(InstagramConfig(app_id="1", app_secret="s", graph_url=f"{sandbox.url}/instagram/graph"))
    )
    with counting() as calls:
        reading = instagram.read_account(access, days=days_before(2))
        posts = instagram.recent_posts(access, since=datetime.now(UTC) - MONTH, figures=True)
        audience = instagram.audience(access)
    assert calls.number == 3
    assert (reading.refused, reading.troubles, audience.refused) == ((), (), ())
    assert "views" in reading.days[0].metrics
    assert posts == []
