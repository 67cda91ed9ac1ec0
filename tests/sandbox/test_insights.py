"""Insights: living and dead names, shapes, and figures that grow."""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import astuple
from datetime import UTC, datetime
from datetime import time as clock
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from socialhub.sandbox.figures import Made, post_figures
from socialhub.sandbox.state import Page
from tests.sandbox.refusals import accepted, refusal
from tests.sandbox_process import GrantedPage, Sandbox

pytestmark = pytest.mark.processes

DAY = 86_400
PACIFIC = ZoneInfo("America/Los_Angeles")


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


def days_of_page(sandbox: Sandbox, page: GrantedPage, metric: str, since: float, until: float) -> dict[str, Any]:
    values = {"metric": metric, "period": "day", "since": int(since), "until": int(until)}
    rows = accepted(sandbox.call("GET", f"{page.id}/insights", page.access_token, **values))["data"]
    return {value["end_time"]: value["value"] for row in rows for value in row["values"]}


def test_a_day_of_a_page_is_told_two_hours_after_it_and_grows_for_two_more(sandbox: Sandbox, gina: GrantedPage) -> None:
    midnight = datetime.combine(datetime.now(PACIFIC).date(), clock(), PACIFIC).timestamp()
    end_time = datetime.fromtimestamp(midnight, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")

    def told(hours: float) -> dict[str, Any]:
        sandbox.set_clock(midnight + hours * 3600)
        return days_of_page(sandbox, gina, "page_media_view", midnight - 3600, midnight + hours * 3600)

    assert told(1) == {}
    early, later, settled, at_last = (told(hours)[end_time] for hours in (2.5, 24, 49, 71))
    assert early < later < settled == at_last


def test_days_over_a_change_of_the_clocks(sandbox: Sandbox, gina: GrantedPage) -> None:
    """2026-11-01 has 25 hours, 2026-03-08 has 23."""
    for day, ends in (
        (datetime(2026, 10, 31, tzinfo=PACIFIC), ["11-01T07", "11-02T08", "11-03T08"]),
        (datetime(2026, 3, 7, tzinfo=PACIFIC), ["03-08T08", "03-09T07", "03-10T07"]),
    ):
        since = day.timestamp()
        sandbox.set_clock(since + 20 * DAY)
        found = days_of_page(sandbox, gina, "page_media_view", since, since + 3 * DAY + 7200)
        assert [end[5:13] for end in found] == ends


def test_the_followers_of_days_differ_by_who_came_and_went(sandbox: Sandbox, gina: GrantedPage) -> None:
    until = time.time() - DAY
    levels, came, went = (
        list(days_of_page(sandbox, gina, f"page_{name}", until - 20 * DAY, until).values())
        for name in ("follows", "daily_follows_unique", "daily_unfollows_unique")
    )

    changes = [after - before for before, after in itertools.pairwise(levels)]
    assert changes == [gained - lost for gained, lost in zip(came[1:], went[1:], strict=True)]


DEAD_OF_PAGES = [
    "page_engaged_users",
    "page_consumptions",
    "page_content_activity",
    "page_negative_feedback",
    "page_cta_clicks",
    "page_fans_gender_age",
    "page_follows_city",
    "page_impressions",
    "page_impressions_paid",
    "page_impressions_viral",
    "page_fans",
    "page_fans_locale",
    "page_fans_city",
    "page_fan_adds",
    "page_fan_adds_unique",
    "page_fan_removes",
    "page_impressions_unique",
    "page_posts_impressions",
    "page_posts_served_impressions_organic_unique",
    "page_video_views_unique",
]
DEAD_OF_POSTS = [
    "post_engaged_users",
    "post_negative_feedback",
    "post_impressions",
    "post_impressions_paid",
    "post_impressions_fan",
    "post_impressions_organic",
    "post_impressions_unique",
    "post_impressions_organic_unique",
    "post_video_views_unique",
    "post_video_views_organic_unique",
    "made_up",
]
DEAD_OF_VIDEOS = ["total_video_impressions", "total_video_views_unique", "total_video_views_organic_unique"]
DEAD_OF_ACCOUNTS = [
    "impressions",
    "email_contacts",
    "phone_call_clicks",
    "text_message_clicks",
    "get_directions_clicks",
    "audience_city",
    "audience_country",
    "audience_gender_age",
    "audience_locale",
]
DEAD_OF_MEDIA = [
    "saves",
    "plays",
    "clips_replays_count",
    "ig_reels_aggregated_all_plays_count",
    "video_views",
    "engagement",
    "carousel_album_reach",
    "exits",
    "taps_forward",
    "taps_back",
    "impressions",
]


@pytest.mark.parametrize("name", DEAD_OF_PAGES)
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


@pytest.mark.parametrize("name", DEAD_OF_POSTS)
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


def test_a_video_of_a_page_tells_what_was_played(sandbox: Sandbox) -> None:
    page = sandbox.person(pages=1, elsewhere=7).page
    fields = "status_type,insights.metric(post_video_views,post_video_avg_time_watched)"
    posts = accepted(sandbox.call("GET", f"{page.id}/published_posts", page.access_token, fields=fields))["data"]
    reel = accepted(sandbox.call("GET", f"{page.id}/video_reels", page.access_token, fields="id,post_id"))["data"][0]
    path, names = f"{reel['id']}/video_insights", "blue_reels_play_count,total_video_avg_time_watched"

    rows = accepted(sandbox.call("GET", path, page.access_token, metric=names))["data"]
    every = accepted(sandbox.call("GET", path, page.access_token))["data"]

    assert [bool(post["insights"]["data"]) for post in posts] == [
        post["status_type"] == "added_video" for post in posts
    ]
    assert [row["name"] for row in rows] == names.split(",")
    assert all(row["values"][0]["value"] > 0 for row in rows)
    assert len(every) == 14
    assert refusal(sandbox.call("GET", f"{reel['id']}/insights", page.access_token, metric=names))[0] == 2500
    for name in DEAD_OF_VIDEOS:
        assert refusal(sandbox.call("GET", path, page.access_token, metric=name)) == (100, None)


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


def test_today_lags_and_grows_into_the_day_and_settles(sandbox: Sandbox, gina: GrantedPage) -> None:
    begin = datetime.combine(datetime.now(PACIFIC).date(), clock(), PACIFIC).timestamp()

    def so_far(hours: float) -> list[int]:
        sandbox.set_clock(begin + hours * 3600)
        values = {"metric": "views,reach,likes", "metric_type": "total_value"}
        answer = accepted(account_insights(sandbox, gina, **values, since=int(begin), until=int(begin + 22 * 3600)))
        return [row["total_value"]["value"] for row in answer["data"]]

    assert so_far(0.2) == []  # nothing is known yet, which is not 0
    told = [so_far(hours) for hours in (1, 6, 14, 20, 22, 22.5, 40, 71, 90)]
    for earlier, later in itertools.pairwise(told):
        assert all(before <= after for before, after in zip(earlier, later, strict=True))
    assert told[0][0] < told[1][0] < told[2][0] < told[5][0] < told[6][0] < told[7][0]
    assert told[7] == told[8]


def test_hours_of_a_day_add_up_to_it(sandbox: Sandbox, gina: GrantedPage) -> None:
    day = int(time.time()) // DAY * DAY - 6 * DAY
    asked = "insights.metric(views,likes,saves).period(day).metric_type(total_value)"

    def read(spans: list[tuple[int, int]]) -> list[dict[str, int]]:
        fields = ",".join(f"{asked}.since({a}).until({b}).as(at_{number})" for number, (a, b) in enumerate(spans))
        answer = accepted(sandbox.call("GET", str(gina.instagram_id), gina.access_token, fields=fields))
        keys = [f"at_{number}" for number in range(len(spans))]
        return [{row["name"]: row["total_value"]["value"] for row in answer[key]["data"]} for key in keys]

    hours = read([(day + hour * 3600, day + hour * 3600 + 3600) for hour in range(24)])
    (whole,) = read([(day, day + DAY)])

    assert {name: sum(hour[name] for hour in hours) for name in whole} == whole
    assert len({hour["views"] for hour in hours}) > 12


def test_nothing_is_known_of_days_long_gone(sandbox: Sandbox, gina: GrantedPage) -> None:
    now = int(time.time())
    values = {"metric": "views", "metric_type": "total_value"}

    known = account_insights(sandbox, gina, **values, since=now - 90 * DAY, until=now - 89 * DAY)
    forgotten = account_insights(sandbox, gina, **values, since=now - 100 * DAY, until=now - 99 * DAY)
    series = account_insights(sandbox, gina, metric="follower_count", since=now - 45 * DAY, until=now - 40 * DAY)

    assert accepted(known)["data"]
    assert accepted(forgotten)["data"] == accepted(series)["data"] == []


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


def test_engaged_people_are_told_when_there_are_enough_of_them(sandbox: Sandbox, gina: GrantedPage) -> None:
    owner = sandbox.person(pages=1, instagram=False)
    sandbox.link_instagram(owner.page.id, followers=110)
    small = sandbox.person(owner.person).page

    def parts(page: GrantedPage) -> dict[str, Any]:
        answer = account_insights(
            sandbox,
            page,
            metric="engaged_audience_demographics",
            period="lifetime",
            metric_type="total_value",
            timeframe="this_month",
            breakdown="age",
        )
        return accepted(answer)["data"][0]["total_value"]["breakdowns"][0]

    assert 90 < sum(part["value"] for part in parts(gina)["results"]) < 8_930
    assert parts(small) == {"dimension_keys": ["age"]}


def test_small_accounts_have_no_follower_figures(sandbox: Sandbox) -> None:
    paul = sandbox.person("paul").page
    sandbox.link_instagram(paul.id, followers=60)
    page = sandbox.person("paul").page
    sandbox.advance(
        2 * DAY + (20 - datetime.now(UTC).hour) % 24 * 3600
    )  # early in the network's day nobody has seen it

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


@pytest.mark.parametrize("name", [*DEAD_OF_MEDIA, "navigation", "ig_reels_avg_watch_time", "link_clicks"])
def test_dead_and_foreign_media_metrics_are_refused(
    sandbox: Sandbox, gina: GrantedPage, pictures: str, name: str
) -> None:
    media = made_media(sandbox, gina, pictures)

    response = sandbox.call("GET", f"{media}/insights", gina.access_token, metric=f"views,{name}")

    assert refusal(response) == (100, None)


PRODUCTS = {
    "FEED": "views,reach,likes,comments,saved,shares,reposts,total_interactions,follows,profile_visits,total_likes",
    "REELS": "views,reach,likes,comments,saved,shares,total_interactions,ig_reels_avg_watch_time,"
    "ig_reels_video_view_total_time,reels_skip_rate",
    "STORY": "views,reach,replies,shares,total_interactions,navigation,follows,profile_visits,link_clicks",
}


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_product_has_its_own_metrics(sandbox: Sandbox, product: str) -> None:
    page = sandbox.person(pages=1, elsewhere=6, followers=[4_000]).page
    edge = "stories" if product == "STORY" else "media"
    listed = accepted(
        sandbox.call("GET", f"{page.instagram_id}/{edge}", page.access_token, fields="media_product_type")
    )["data"]
    media = next(one["id"] for one in listed if one["media_product_type"] == product)

    answer = accepted(sandbox.call("GET", f"{media}/insights", page.access_token, metric=PRODUCTS[product]))

    assert ",".join(row["name"] for row in answer["data"]) == PRODUCTS[product]
    assert answer["data"][0]["values"][0]["value"] > 0
    foreign = {"FEED": "replies", "REELS": "follows", "STORY": "saved"}[product]
    response = sandbox.call("GET", f"{media}/insights", page.access_token, metric=f"views,{foreign}")
    assert "does not support" in response.text


def test_steps_through_a_story_come_by_kind(sandbox: Sandbox) -> None:
    page = sandbox.person(pages=1, elsewhere=1).page
    story = accepted(sandbox.call("GET", f"{page.instagram_id}/stories", page.access_token))["data"][-1]["id"]
    breakdown = "story_navigation_action_type"

    answer = accepted(
        sandbox.call("GET", f"{story}/insights", page.access_token, metric="navigation", breakdown=breakdown)
    )

    total = answer["data"][0]["total_value"]
    assert sum(part["value"] for part in total["breakdowns"][0]["results"]) == total["value"] > 0


def test_a_story_that_hardly_anybody_saw_has_no_insights(sandbox: Sandbox) -> None:
    owner = sandbox.person(pages=1, instagram=False)
    sandbox.link_instagram(owner.page.id, followers=6)
    page = sandbox.person(owner.person, elsewhere=1).page
    path = f"{page.instagram_id}/stories"
    story = accepted(sandbox.call("GET", path, page.access_token))["data"][0]["id"]

    alone = sandbox.call("GET", f"{story}/insights", page.access_token, metric="views")
    listed = sandbox.call("GET", path, page.access_token, fields="id,insights.metric(views)")

    assert refusal(alone) == refusal(listed) == (10, None)
    assert "Not enough viewers" in alone.text


def test_media_insights_can_be_expanded(sandbox: Sandbox, gina: GrantedPage, pictures: str) -> None:
    made_media(sandbox, gina, pictures)
    fields = "id,like_count,insights.metric(reach,views,total_interactions,shares)"

    answer = accepted(sandbox.call("GET", f"{gina.instagram_id}/media", gina.access_token, fields=fields))

    assert len(answer["data"][0]["insights"]["data"]) == 4
