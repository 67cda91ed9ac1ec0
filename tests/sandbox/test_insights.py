"""Insights: living and dead names, shapes, and figures that grow."""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import astuple
from typing import Any

import pytest
import requests

from socialhub.sandbox.figures import Made, post_figures
from socialhub.sandbox.state import Page
from tests.sandbox.refusals import accepted, refusal
from tests.sandbox_process import GrantedPage, Sandbox

pytestmark = pytest.mark.processes

DAY = 86_400


@pytest.fixture
def gina(sandbox: Sandbox) -> GrantedPage:
    return sandbox.person("gina").page


def made_post(sandbox: Sandbox, page: GrantedPage) -> str:
    return accepted(sandbox.call("POST", f"{page.id}/feed", page.access_token, message="x"))["id"]


def made_media(sandbox: Sandbox, page: GrantedPage, pictures: str) -> str:
    image = f"{pictures}/1080x1080.jpg"
    container = accepted(sandbox.call("POST", f"{page.instagram_id}/media", page.access_token, image_url=image))["id"]
    sandbox.advance(1)
    path = f"{page.instagram_id}/media_publish"
    return accepted(sandbox.call("POST", path, page.access_token, creation_id=container))["id"]


# Pages and posts


@pytest.mark.parametrize(
    "name",
    [
        "page_media_view",
        "page_total_media_view_unique",
        "page_follows",
        "page_daily_follows_unique",
        "page_post_engagements",
        "page_views_total",
    ],
)
def test_living_page_metrics_come_day_by_day(sandbox: Sandbox, gina: GrantedPage, name: str) -> None:
    since = int(time.time() - 4 * DAY)
    answer = accepted(
        sandbox.call("GET", f"{gina.id}/insights", gina.access_token, metric=name, period="day", since=since)
    )

    row = answer["data"][0]
    assert (row["name"], row["period"]) == (name, "day")
    assert len(row["values"]) in (3, 4, 5)  # days are Pacific ones; twice a year one is longer or shorter
    for value in row["values"]:
        assert value["value"] > 0
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT0[78]:00:00\+0000", value["end_time"])
    assert row["id"] == f"{gina.id}/insights/{name}/day"


@pytest.mark.parametrize(
    "name",
    ["page_impressions", "page_impressions_unique", "page_fans", "page_engaged_users", "page_video_views_unique"],
)
def test_one_dead_page_metric_fails_the_whole_request(sandbox: Sandbox, gina: GrantedPage, name: str) -> None:
    response = sandbox.call(
        "GET", f"{gina.id}/insights", gina.access_token, metric=f"page_media_view,{name}", period="day"
    )

    assert refusal(response) == (100, None)
    assert "valid insights metric" in response.text


def test_page_insights_come_with_breakdown(sandbox: Sandbox, gina: GrantedPage) -> None:
    answer = accepted(
        sandbox.call(
            "GET",
            f"{gina.id}/insights",
            gina.access_token,
            metric="page_media_view",
            period="day",
            breakdown="is_from_followers",
        )
    )

    assert {value["is_from_followers"] for value in answer["data"][0]["values"]} == {"0", "1"}


def test_a_period_that_the_metric_does_not_have_is_empty(sandbox: Sandbox, gina: GrantedPage) -> None:
    answer = accepted(
        sandbox.call("GET", f"{gina.id}/insights", gina.access_token, metric="page_follows", period="week")
    )

    assert answer["data"] == []


def test_at_most_ninety_days_are_told_at_once(sandbox: Sandbox, gina: GrantedPage) -> None:
    now = int(time.time())
    more: dict[str, Any] = {"metric": "page_media_view", "period": "day", "until": now}

    assert (
        refusal(sandbox.call("GET", f"{gina.id}/insights", gina.access_token, since=now - 91 * DAY, **more))[0] == 100
    )
    accepted(sandbox.call("GET", f"{gina.id}/insights", gina.access_token, since=now - 90 * DAY, **more))


def test_a_page_with_few_followers_has_no_insights(sandbox: Sandbox) -> None:
    page = sandbox.person(pages=1, followers=[99]).page

    answer = accepted(sandbox.call("GET", f"{page.id}/insights", page.access_token, metric="page_media_view"))

    assert answer["data"] == []


def test_insights_without_a_metric_are_refused(sandbox: Sandbox, gina: GrantedPage) -> None:
    assert refusal(sandbox.call("GET", f"{gina.id}/insights", gina.access_token)) == (3001, 1504028)


def test_page_insights_need_their_permission(sandbox: Sandbox) -> None:
    page = sandbox.person("gina", scopes=["pages_show_list", "pages_read_engagement"]).page

    assert refusal(sandbox.call("GET", f"{page.id}/insights", page.access_token, metric="page_follows")) == (10, None)


def test_post_metrics_grow_with_time(sandbox: Sandbox, gina: GrantedPage) -> None:
    post_id = made_post(sandbox, gina)
    names = "post_media_view,post_total_media_view_unique,post_clicks,post_reactions_by_type_total"

    def read() -> dict:
        rows = accepted(sandbox.call("GET", f"{post_id}/insights", gina.access_token, metric=names))["data"]
        return {row["name"]: row["values"][0]["value"] for row in rows}

    at_once = read()
    sandbox.advance(60)
    after_a_minute = read()
    sandbox.advance(DAY)
    after_a_day = read()

    assert at_once["post_media_view"] <= 1
    assert after_a_minute["post_media_view"] >= 5
    assert after_a_minute["post_reactions_by_type_total"]["like"] >= 2
    assert after_a_day["post_media_view"] > 10 * after_a_minute["post_media_view"]
    assert after_a_day["post_total_media_view_unique"] < after_a_day["post_media_view"]


def test_figures_never_fall_and_are_the_same_for_the_same_post() -> None:
    ages = [0, 10, 60, 600, 3600, 10 * 3600, 5 * DAY, 60 * DAY]
    owner, made = Page("1", "One", "one", "Bakery", 5_000, []), time.time()
    rows = [astuple(post_figures(owner, Made("seed", made), made + age)) for age in ages]

    for earlier, later in itertools.pairwise(rows):
        assert all(before <= after for before, after in zip(earlier, later, strict=True))
    assert astuple(post_figures(owner, Made("seed", made), made + 600)) == rows[3]
    assert astuple(post_figures(owner, Made("other", made), made + 5 * DAY)) != rows[6]


@pytest.mark.parametrize("name", ["post_impressions", "post_impressions_unique", "post_engaged_users", "made_up"])
def test_dead_post_metrics_are_refused(sandbox: Sandbox, gina: GrantedPage, name: str) -> None:
    post_id = made_post(sandbox, gina)

    response = sandbox.call("GET", f"{post_id}/insights", gina.access_token, metric=f"post_clicks,{name}")

    assert refusal(response) == (100, None)


def test_video_metrics_of_a_post_without_video_are_empty(sandbox: Sandbox, gina: GrantedPage) -> None:
    answer = accepted(
        sandbox.call("GET", f"{made_post(sandbox, gina)}/insights", gina.access_token, metric="post_video_views")
    )

    assert answer["data"] == []


def test_insights_can_be_expanded(sandbox: Sandbox, gina: GrantedPage) -> None:
    made_post(sandbox, gina)
    fields = "id,insights.metric(post_media_view,post_clicks)"

    answer = accepted(sandbox.call("GET", f"{gina.id}/published_posts", gina.access_token, fields=fields))

    assert [row["name"] for row in answer["data"][0]["insights"]["data"]] == ["post_media_view", "post_clicks"]


# Instagram accounts


def account_insights(sandbox: Sandbox, page: GrantedPage, **params: Any) -> requests.Response:
    return sandbox.call("GET", f"{page.instagram_id}/insights", page.access_token, **{"period": "day", **params})


def test_totals_of_a_day_come_as_total_value(sandbox: Sandbox, gina: GrantedPage) -> None:
    now = int(time.time())
    names = "views,reach,accounts_engaged,total_interactions,likes,comments,saves,shares,profile_views"

    answer = accepted(
        account_insights(sandbox, gina, metric=names, metric_type="total_value", since=now - DAY, until=now)
    )

    found = {row["name"]: row["total_value"]["value"] for row in answer["data"]}
    assert list(found) == names.split(",")
    assert found["views"] > found["reach"] > found["likes"] > 0


def test_reach_and_new_followers_come_as_a_series(sandbox: Sandbox, gina: GrantedPage) -> None:
    since = int(time.time() - 5 * DAY)

    answer = accepted(account_insights(sandbox, gina, metric="reach,follower_count", since=since))

    reach, followers = (row["values"] for row in answer["data"])
    assert len(reach) == len(followers) in (4, 5, 6)


def test_a_breakdown_adds_up_to_the_total(sandbox: Sandbox, gina: GrantedPage) -> None:
    answer = accepted(
        account_insights(sandbox, gina, metric="views", metric_type="total_value", breakdown="media_product_type")
    )

    total = answer["data"][0]["total_value"]
    results = total["breakdowns"][0]["results"]
    assert total["breakdowns"][0]["dimension_keys"] == ["media_product_type"]
    assert sum(part["value"] for part in results) == total["value"]


@pytest.mark.parametrize(
    "params",
    [
        {"metric": "impressions", "metric_type": "total_value"},
        {"metric": "email_contacts", "metric_type": "total_value"},
        {"metric": "audience_city", "period": "lifetime"},
        {"metric": "views"},
        {"metric": "views", "metric_type": "time_series"},
        {"metric": "views", "metric_type": "total_value", "period": "week"},
        {"metric": "views", "metric_type": "total_value", "period": ""},
        {"metric": "views,accounts_engaged", "metric_type": "total_value", "breakdown": "follow_type"},
        {"metric": "follower_count", "metric_type": "total_value"},
        {"metric": "views", "metric_type": "total_value", "breakdown": "follower_type"},
        {"metric": "views", "metric_type": "total_value", "since": 1, "until": 40 * DAY},
        {"metric": "follower_demographics", "period": "lifetime", "metric_type": "total_value", "breakdown": "age"},
        {"metric": "follower_demographics", "period": "lifetime", "timeframe": "this_month"},
    ],
)
def test_wrong_account_insights_are_refused(sandbox: Sandbox, gina: GrantedPage, params: dict) -> None:
    assert refusal(account_insights(sandbox, gina, **params)) == (100, None)


def test_demographics_come_by_one_breakdown(sandbox: Sandbox, gina: GrantedPage) -> None:
    answer = accepted(
        account_insights(
            sandbox,
            gina,
            metric="follower_demographics",
            period="lifetime",
            metric_type="total_value",
            timeframe="this_month",
            breakdown="country",
        )
    )

    results = answer["data"][0]["total_value"]["breakdowns"][0]["results"]
    assert results[0]["dimension_values"] == ["US"]
    assert sum(part["value"] for part in results) <= 8_930


def test_small_accounts_have_no_follower_figures(sandbox: Sandbox) -> None:
    paul = sandbox.person("paul").page
    sandbox.link_instagram(paul.id, followers=60)
    page = sandbox.person("paul").page

    answer = accepted(account_insights(sandbox, page, metric="reach,follower_count"))

    assert [row["name"] for row in answer["data"]] == ["reach"]


def test_account_insights_need_their_permission(sandbox: Sandbox) -> None:
    page = sandbox.person("gina", scopes=["pages_show_list", "instagram_basic", "pages_read_engagement"]).page

    assert refusal(account_insights(sandbox, page, metric="reach")) == (10, None)


# Instagram media


def test_media_metrics_of_the_feed(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    media = made_media(sandbox, gina, pictures)
    sandbox.advance(2 * DAY)
    names = "views,reach,likes,comments,saved,shares,total_interactions,follows,profile_visits"

    answer = accepted(sandbox.call("GET", f"{media}/insights", gina.access_token, metric=names))
    node = accepted(sandbox.call("GET", media, gina.access_token, fields="like_count,comments_count,saved_count"))

    found = {row["name"]: row["values"][0]["value"] for row in answer["data"]}
    assert list(found) == names.split(",")
    assert all(row["period"] == "lifetime" for row in answer["data"])
    assert found["likes"] == node["like_count"] > 0
    assert found["saved"] == node["saved_count"]


@pytest.mark.parametrize(
    "name", ["saves", "plays", "impressions", "engagement", "video_views", "navigation", "ig_reels_avg_watch_time"]
)
def test_dead_and_foreign_media_metrics_are_refused(
    sandbox: Sandbox, gina: GrantedPage, pictures: str, name: str
) -> None:
    media = made_media(sandbox, gina, pictures)

    response = sandbox.call("GET", f"{media}/insights", gina.access_token, metric=f"views,{name}")

    assert refusal(response) == (100, None)


def test_media_insights_can_be_expanded(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    made_media(sandbox, gina, pictures)
    fields = "id,like_count,insights.metric(reach,views,total_interactions,shares)"

    answer = accepted(sandbox.call("GET", f"{gina.instagram_id}/media", gina.access_token, fields=fields))

    assert len(answer["data"][0]["insights"]["data"]) == 4
