"""Posts that lay on the accounts before, made with other tools, and metrics that are taken away."""

from __future__ import annotations

import io
import os
import time
from collections import Counter
from pathlib import Path

import pytest
import requests
from PIL import Image

from tests.sandbox.refusals import accepted, refusal
from tests.sandbox_process import GrantedPage, Sandbox, start_sandbox

pytestmark = pytest.mark.processes

DAY = 86_400


@pytest.fixture
def page(sandbox: Sandbox) -> GrantedPage:
    return sandbox.person(pages=1, elsewhere=14, followers=[3_000]).page


def test_a_page_has_posts_of_several_kinds_newest_first(sandbox: Sandbox, page: GrantedPage) -> None:
    fields = "created_time,status_type,full_picture,application,insights.metric(post_media_view)"

    posts = accepted(sandbox.call("GET", f"{page.id}/published_posts", page.access_token, fields=fields))["data"]

    times = [post["created_time"] for post in posts]
    assert len(posts) == 14
    assert times == sorted(times, reverse=True)
    assert times[0] < time.strftime("%Y-%m-%dT%H", time.gmtime())
    assert set(Counter(post["status_type"] for post in posts)) == {
        "added_photos",
        "added_video",
        "mobile_status_update",
        "shared_story",
    }
    assert not any("application" in post for post in posts)
    assert all(post["insights"]["data"][0]["values"][0]["value"] > 0 for post in posts)
    picture = requests.get(next(post["full_picture"] for post in posts if "full_picture" in post), timeout=30)
    assert Image.open(io.BytesIO(picture.content)).size in ((1200, 900), (1080, 1920))


def test_an_instagram_account_has_every_product(sandbox: Sandbox, page: GrantedPage) -> None:
    fields = "media_type,media_product_type,timestamp,like_count,media_url,thumbnail_url,children{media_url}"

    media = accepted(sandbox.call("GET", f"{page.instagram_id}/media", page.access_token, fields=fields))["data"]
    stories = accepted(
        sandbox.call("GET", f"{page.instagram_id}/stories", page.access_token, fields="media_product_type")
    )["data"]

    assert len(media) == 14
    assert {one["media_product_type"] for one in media} == {"FEED", "REELS"}
    assert {one["media_type"] for one in media} == {"IMAGE", "VIDEO", "CAROUSEL_ALBUM"}
    assert [one["media_product_type"] for one in stories] == ["STORY", "STORY"]
    assert any("like_count" not in one for one in media)  # their owner hides them
    assert any("like_count" in one for one in media)


def test_linkedin_and_buffer_have_them_too(sandbox: Sandbox) -> None:
    member, account = sandbox.member(organizations=1, elsewhere=5), sandbox.buffer(services=["bluesky"], elsewhere=4)

    feeds = [sandbox.feed(member.organizations[0]["id"]), sandbox.feed(account.channel("bluesky"))]

    assert [len(feed) for feed in feeds] == [5, 4]
    assert all(post["created"] < time.time() for feed in feeds for post in feed)


def test_a_thousand_accounts_with_posts_are_made_at_once(sandbox: Sandbox) -> None:
    began = time.monotonic()
    pages = sandbox.person(pages=500, elsewhere=20).pages
    took = time.monotonic() - began

    assert len(sandbox.feed(pages[-1].id)) == 20
    assert len(sandbox.feed(pages[-1].instagram_id or "")) == 22  # two of them are stories
    assert took < 15


def test_standing_accounts_have_them_where_that_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SANDBOX_ELSEWHERE", "6")
    own = start_sandbox(tmp_path)
    try:
        gina = own.person("gina").page
        assert len(own.feed(gina.id)) == 6
        assert len(own.feed(gina.instagram_id or "")) == 8
        for address in (f"feeds/facebook/{gina.id}/", f"feeds/instagram/{gina.instagram_username}/"):
            shown = own.session.get(f"{own.url}/{address}", timeout=30)
            assert shown.status_code == 200
            assert "elsewhere-" in shown.text
        for row in own.feed(gina.instagram_id or ""):
            fields = {"fields": "permalink"}
            permalink = accepted(own.call("GET", row["id"], gina.access_token, **fields))["permalink"]
            assert own.session.get(permalink, timeout=30).status_code == 200
    finally:
        own.stop()


def test_media_of_before_the_account_was_professional_has_no_insights(sandbox: Sandbox, page: GrantedPage) -> None:
    person = page.instagram_username
    sandbox.control("POST", "instagram/account", person=person, professional_since=time.time() - 20 * DAY)
    media = accepted(sandbox.call("GET", f"{page.instagram_id}/media", page.access_token, limit=50))["data"]

    new, old = (
        sandbox.call("GET", f"{one['id']}/insights", page.access_token, metric="views") for one in (media[0], media[-1])
    )

    assert accepted(new)["data"]
    assert refusal(old) == (100, 2108006)


def test_what_a_deleted_post_brought_stays_with_its_account(sandbox: Sandbox) -> None:
    page = sandbox.person("gina").page
    instagram = f"{page.instagram_id}/insights"
    begin = time.time()
    post = accepted(sandbox.call("POST", f"{page.id}/feed", page.access_token, message="Short life"))["id"]
    sandbox.control("POST", "people", person="gina", elsewhere=3)
    media = accepted(sandbox.call("GET", f"{page.instagram_id}/media", page.access_token))["data"][0]["id"]
    sandbox.advance(5 * DAY)

    def told() -> list[int]:
        days = {"metric": "page_media_view", "since": int(begin) - DAY, "until": int(begin) + 3 * DAY}
        (row,) = accepted(sandbox.call("GET", f"{page.id}/insights", page.access_token, **days))["data"]
        span = {"since": int(begin) - 5 * DAY, "until": int(begin), "period": "day", "metric_type": "total_value"}
        (total,) = accepted(sandbox.call("GET", instagram, page.access_token, metric="views", **span))["data"]
        return [*(value["value"] for value in row["values"]), total["total_value"]["value"]]

    before = told()
    for gone in (post, media):
        accepted(sandbox.call("DELETE", gone, page.access_token))

    assert told() == before
    assert refusal(sandbox.call("GET", f"{post}/insights", page.access_token, metric="post_clicks")) == (100, 33)


def test_a_story_has_insights_for_a_day(sandbox: Sandbox, page: GrantedPage) -> None:
    stories = accepted(sandbox.call("GET", f"{page.instagram_id}/stories", page.access_token))["data"]
    path = f"{stories[0]['id']}/insights"

    assert accepted(sandbox.call("GET", path, page.access_token, metric="views"))["data"]
    sandbox.advance(DAY)
    assert refusal(sandbox.call("GET", path, page.access_token, metric="views")) == (100, 33)


# Metrics that are taken away


def test_a_name_that_died_is_refused_and_one_that_is_withheld_left_out(sandbox: Sandbox, page: GrantedPage) -> None:
    def asked(path: str, metric: str, **more: str) -> requests.Response:
        return sandbox.call("GET", f"{path}/insights", page.access_token, metric=metric, **more)

    account = str(page.instagram_id)
    total = {"period": "day", "metric_type": "total_value"}
    sandbox.withdraw("page_views_total")
    sandbox.withdraw("saves", account=account)
    sandbox.withdraw("page_total_actions", "withheld", page.id)
    sandbox.withdraw("views", "withheld", account)

    assert refusal(asked(page.id, "page_media_view,page_views_total")) == (100, None)
    rows = accepted(asked(page.id, "page_media_view,page_total_actions"))["data"]
    assert [row["name"] for row in rows] == ["page_media_view"]
    assert refusal(asked(account, "likes,saves", **total)) == (100, None)
    assert "valid" in asked(page.id, "page_views_total").text
    assert [row["name"] for row in accepted(asked(account, "views,likes", **total))["data"]] == ["likes"]
    sandbox.give_back()
    assert len(accepted(asked(account, "views,likes,saves", **total))["data"]) == 3


def test_fields_can_be_taken_away_as_well(sandbox: Sandbox, page: GrantedPage) -> None:
    sandbox.withdraw("followers_count", "withheld")
    sandbox.withdraw("fan_count")

    assert "followers_count" not in accepted(sandbox.call("GET", page.id, page.access_token, fields="followers_count"))
    assert refusal(sandbox.call("GET", page.id, page.access_token, fields="fan_count")) == (100, None)


def test_linkedin_and_buffer_leave_out_what_was_taken_away(sandbox: Sandbox) -> None:
    lena, bruno = sandbox.member("lena"), sandbox.buffer(services=["twitter"], elsewhere=1)
    for name in ("impressionCount", "IMPRESSION", "impressions"):
        sandbox.withdraw(name)
    entity = "urn%3Ali%3Aorganization%3A51000001"
    path = f"organizationalEntityShareStatistics?q=organizationalEntity&organizationalEntity={entity}"

    totals = sandbox.linkedin_call("GET", path, lena.access_token).json()["elements"][0]["totalShareStatistics"]
    member = sandbox.linkedin_call("GET", "memberCreatorPostAnalytics?q=me&queryType=IMPRESSION", lena.access_token)
    post = sandbox.buffer_posts(bruno.channel("twitter"))[0]["id"]
    query = "query($id: PostId!) { post(input: {id: $id}) { metrics { type } } }"
    metrics = sandbox.graphql(bruno.key, query, id=post).json()["data"]["post"]["metrics"]

    assert "impressionCount" not in totals
    assert totals["likeCount"] > 0
    assert member.status_code == 400
    assert "impressions" not in [row["type"] for row in metrics]
    assert "reactions" in [row["type"] for row in metrics]


def test_the_board_takes_metrics_away_and_gives_them_back(sandbox: Sandbox) -> None:
    board = f"{sandbox.url}/switchboard/"

    def press(**values: str) -> requests.Response:
        return sandbox.session.post(board, data=values, timeout=30)

    assert press(metric="views", how="dead", account="all").status_code == 200
    shown = press(metric="reach", how="withheld", account="all").text
    assert "Kept to itself" in shown
    assert "Given up" in shown
    found = sandbox.control("GET", "metrics")["withdrawn"]
    assert [(one["name"], one["how"]) for one in found] == [("views", "dead"), ("reach", "withheld")]
    press(give_back=found[0]["id"])
    assert [one["name"] for one in sandbox.control("GET", "metrics")["withdrawn"]] == ["reach"]
    press(give_back="all")
    assert sandbox.control("GET", "metrics")["withdrawn"] == []
    assert press(metric="views", how="stolen").status_code == 422


def test_the_clock_can_be_set(sandbox: Sandbox, page: GrantedPage) -> None:
    sandbox.set_clock(time.time() - 100 * DAY)
    before = accepted(sandbox.call("GET", page.id, page.access_token, fields="followers_count"))["followers_count"]
    sandbox.set_clock(time.time())
    after = accepted(sandbox.call("GET", page.id, page.access_token, fields="followers_count"))["followers_count"]

    assert before < after
