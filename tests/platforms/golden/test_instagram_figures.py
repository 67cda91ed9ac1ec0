from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from socialhub.platforms.base import (
    AccountReading,
    Audience,
    AudienceReading,
    DayFigures,
    PostFigures,
    Profile,
    RemotePost,
)
from socialhub.platforms.errors import LimitedError, PermissionMissingError, ReconnectError, TemporaryError
from socialhub.platforms.http import counting
from tests.platforms.golden.meta import answer, day
from tests.platforms.graph import BASE, EDGES, NAMES, addresses, error, part, sent, top_fields

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DEAD = error(100, None, "(#100) metric[1] must be one of the following values: reach, views")
FEW = error(10, None, "(#10) Not enough viewers for the media to show insights")
OLD = error(100, 2108006, "Media posted before business account conversion")
PROFILE = Profile("Camaro Garage", "camarogarage", "https://scontent.example/ig.jpg", 5312, 210, 87)
TOTALS = {"followers": 5312, "following": 210, "posts": 87}
ACCOUNT_FIELDS = "id,username,name,profile_picture_url,followers_count,follows_count,media_count"
ACCOUNT_NAMES = (
    "views,reach,accounts_engaged,total_interactions,likes,comments,saves,shares,profile_links_taps,profile_views"
)
SOURCES = {
    "views": "views",
    "reach": "reach",
    "engaged": "accounts_engaged",
    "engagements": "total_interactions",
    "likes": "likes",
    "comments": "comments",
    "saves": "saves",
    "shares": "shares",
    "clicks": "profile_links_taps",
    "profile_views": "profile_views",
    "follows": "follows_and_unfollows",
    "unfollows": "follows_and_unfollows",
}
LISTED = "views,reach,shares,total_interactions,saved"
IG_MEDIA_FIELDS = set(NAMES["fields"]["IGMedia"]) | EDGES["IGMedia"]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def total(name, value):
    return {"name": name, "period": "day", "total_value": {"value": value}}


def figure(name, value):
    return {"name": name, "period": "lifetime", "values": [{"value": value}]}


# The account and its days


def test_an_account_and_its_days_come_in_one_call(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json=answer("instagram-days"))
    yesterday, today = day(2026, 11, 19), day(2026, 11, 20)
    with counting() as calls:
        reading = instagram.read_account(ig, days=[today, yesterday])
    assert calls.number == 1
    whole, begun = reading.days
    raw = whole.raw
    assert reading == AccountReading(
        PROFILE,
        TOTALS,
        (
            DayFigures(
                yesterday,
                {
                    "views": 3010,
                    "reach": 1240,
                    "engaged": 88,
                    "engagements": 121,
                    "likes": 97,
                    "comments": 11,
                    "saves": 4,
                    "shares": 9,
                    "clicks": 0,
                    "profile_views": 42,
                    "follows": 12,
                    "unfollows": 5,
                },
                SOURCES,
                raw,
            ),
            DayFigures(today, {"views": 15, "reach": 14}, {"views": "views", "reach": "reach"}, begun.raw, False),
        ),
    )
    assert raw["views"] == {"value": 3010}
    assert raw["follows_and_unfollows"]["breakdowns"][0]["results"][2] == {"dimension_values": ["UNKNOWN"], "value": 3}
    assert begun.raw["likes"] is None, "what has no value is not 0"


def test_what_is_asked_for_two_days(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json={"id": "17800"})
    yesterday, today = day(2026, 11, 19), day(2026, 11, 20)
    instagram.read_account(ig, days=[yesterday, today])
    spans = [(int(yesterday.timestamp()), int(today.timestamp())), (int(today.timestamp()), int(NOW.timestamp()))]
    parts = []
    for number, (since, until) in enumerate(spans):
        span = f".period(day).metric_type(total_value).since({since}).until({until})"
        parts += [
            f"insights.metric({ACCOUNT_NAMES}){span}.as(part_{2 * number})",
            f"insights.metric(follows_and_unfollows){span}.breakdown(follow_type).as(part_{2 * number + 1})",
        ]
    assert sent(graph.calls[0])["fields"] == ",".join([ACCOUNT_FIELDS, *parts])
    assert top_fields(sent(graph.calls[0])["fields"]) <= set(NAMES["fields"]["IGUser"]) | EDGES["IGUser"]


@pytest.mark.parametrize(("month", "number", "hours"), [(3, 8, 23), (11, 1, 25)])
def test_days_of_23_and_25_hours(instagram, ig, graph, month, number, hours):
    graph.get(f"{BASE}/17800", json={"id": "17800"})
    start = day(2026, month, number)
    instagram.read_account(ig, days=[start])
    since, until = map(int, re.search(r"since\((\d+)\)\.until\((\d+)\)", sent(graph.calls[0])["fields"]).groups())
    assert (since, until - since) == (int(start.timestamp()), hours * 3600)


def test_a_day_that_has_just_begun_or_is_to_come_is_not_asked_for(instagram, ig, graph, clock):
    today = day(2026, 11, 20)
    clock.move_to(today + timedelta(seconds=20))
    graph.get(f"{BASE}/17800", json={"id": "17800", "followers_count": 9})
    reading = instagram.read_account(ig, days=[today, today + timedelta(days=1)])
    assert (reading.days, reading.totals) == ((), {"followers": 9})
    assert sent(graph.calls[0])["fields"] == ACCOUNT_FIELDS


def test_a_long_history_goes_in_calls_of_a_week(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json={**answer("instagram-days"), "part_4": {"data": [total("views", 7)]}})
    days = [day(2026, 11, 20) - timedelta(days=number) for number in range(1, 18)]
    with counting() as calls:
        reading = instagram.read_account(ig, days=days)
    assert (calls.number, reading.profile) == (3, PROFILE)
    assert [sent(call)["fields"].count(".as(part_") for call in graph.calls] == [14, 14, 6]
    assert [sent(call)["fields"].split(",insights")[0] for call in graph.calls[1:]] == ["id", "id"]
    assert max(len(call.request.url) for call in graph.calls) < 4_094 - len("GET  HTTP/1.1")
    assert len(reading.days) == 9, "the days without figures are absent"
    assert [one.metrics["views"] for one in reading.days] == [3010, 15, 7] * 3
    assert [one.start for one in reading.days[:3]] == sorted(days)[:3]


def test_an_account_that_few_follow_has_no_gained_and_lost_followers(instagram, ig, graph):
    told = {"part_0": {"data": [total("views", 3)]}, "part_1": {"data": []}}
    graph.get(f"{BASE}/17800", json={"id": "17800", **told})
    (found,) = instagram.read_account(ig, days=[day(2026, 11, 19)]).days
    assert found.metrics == {"views": 3}


def test_a_dead_name_takes_neither_the_account_nor_its_other_figures_along(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json=DEAD, status=400)
    graph.get(f"{BASE}/17800", json={"id": "17800", "followers_count": 5})
    refused, empty = part(DEAD, 400), part({"data": []})
    visits = part({"data": [total("profile_views", 4)]})
    likes = part({"data": [total("likes", 2)]})
    graph.post(f"{BASE}/", json=[empty, refused, visits, empty])
    graph.post(f"{BASE}/", json=[likes, empty, empty, empty, refused])
    with counting() as calls:
        reading = instagram.read_account(ig, days=[day(2026, 11, 19)])
    assert calls.number == 2 + 4 + 5
    assert reading.refused == ("profile_links_taps",)
    assert (reading.totals, reading.days[0].metrics) == ({"followers": 5}, {"likes": 2, "profile_views": 4})
    asked = addresses(graph.calls[2])
    assert asked[0].startswith(
        "17800/insights?metric=views,reach,accounts_engaged,total_interactions&period=day&metric"
    )
    assert asked[-1].endswith("&breakdown=follow_type")

    graph.reset()
    graph.get(f"{BASE}/17800", json={"id": "17800"})
    instagram.read_account(ig, days=[day(2026, 11, 19)], skip={"profile_links_taps", "follows_and_unfollows"})
    fields = sent(graph.calls[0])["fields"]
    assert "profile_links_taps" not in fields
    assert "follow" not in fields.replace("followers_count", "").replace("follows_count", "")


def test_the_days_of_later_calls_leave_out_what_the_first_refused(instagram, ig, graph):
    good = {"id": "17800"}
    graph.get(f"{BASE}/17800", json=DEAD, status=400)
    graph.get(f"{BASE}/17800", json=good)
    groups = [part(DEAD, 400) if number % 4 == 2 else part({"data": []}) for number in range(40)]
    graph.post(f"{BASE}/", json=groups)
    graph.get(f"{BASE}/17800", json=good)
    days = [day(2026, 11, 20) - timedelta(days=number) for number in range(1, 13)]
    reading = instagram.read_account(ig, days=days)
    assert reading.refused == ("profile_views",)
    assert "profile_views" not in sent(graph.calls[-1])["fields"]


def test_without_the_right_to_figures_the_profile_is_still_told(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json=error(10, None, "(#10) instagram_manage_insights"), status=403)
    graph.get(f"{BASE}/17800", json={"id": "17800", "followers_count": 7})
    reading = instagram.read_account(ig, days=[day(2026, 11, 19)])
    assert (reading.totals, reading.days) == ({"followers": 7}, ())
    assert [type(trouble) for trouble in reading.troubles] == [PermissionMissingError]


@pytest.mark.parametrize(("code", "wanted"), [(190, ReconnectError), (80002, LimitedError)])
def test_what_keeps_everything_from_being_read_is_raised_at_once(instagram, ig, graph, code, wanted):
    graph.get(f"{BASE}/17800", json=error(code), status=400)
    with pytest.raises(wanted):
        instagram.read_account(ig, days=[day(2026, 11, 19)])
    assert len(graph.calls) == 1


def test_a_lasting_failure_is_one_of_everything(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json=error(2), status=500)
    with pytest.raises(TemporaryError):
        instagram.read_account(ig, days=[day(2026, 11, 19)])


# Who follows


def test_the_audience_comes_in_one_call(instagram, ig, graph):
    told = answer("instagram-audience")
    graph.get(f"{BASE}/17800", json=told)
    with counting() as calls:
        reading = instagram.audience(ig)

    def raw(number, place=0):
        return told[f"part_{number}"]["data"][place]["total_value"]

    assert reading == AudienceReading(
        (
            Audience("followers", "age", {"18-24": 1402, "25-34": 2204, "65+": 0}, raw(0)),
            Audience("followers", "city", {"Berlin, Berlin": 311}, raw(1)),
            Audience("followers", "gender", {"F": 2400, "M": 2650, "U": 262}, raw(3)),
            Audience("engaged", "age", {"25-34": 120}, raw(0, 1)),
        )
    )
    assert calls.number == 1
    names = "follower_demographics,engaged_audience_demographics"
    form = ".period(lifetime).metric_type(total_value).timeframe(this_month)"
    assert sent(graph.calls[0])["fields"] == "id," + ",".join(
        f"insights.metric({names}){form}.breakdown({dimension}).as(part_{number})"
        for number, dimension in enumerate(("age", "city", "country", "gender"))
    )


def test_a_small_audience_is_withheld(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json={"id": "17800", "part_0": {"data": []}})
    reading = instagram.audience(ig)
    assert (reading.parts, reading.refused) == ((), ())
    assert "100 followers" in reading.withheld


def test_a_dead_name_of_the_audience(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json=DEAD, status=400)
    graph.get(f"{BASE}/17800", json={"id": "17800"})
    refused = part(DEAD, 400)
    entries = answer("instagram-audience")["part_0"]["data"]
    graph.post(f"{BASE}/", json=[part({"data": entries})] + [part({"data": []})] * 3 + [refused] * 4)
    reading = instagram.audience(ig)
    assert [(one.kind, one.dimension) for one in reading.parts] == [("followers", "age")]
    assert reading.refused == ("engaged_audience_demographics",)


def test_an_audience_that_may_not_be_read(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json=error(10), status=403)
    graph.get(f"{BASE}/17800", json={"id": "17800"})
    with pytest.raises(PermissionMissingError):
        instagram.audience(ig)


# Media, along with their list


def test_media_stories_and_figures_come_in_one_call(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json=answer("instagram-media"))
    since = NOW - timedelta(days=7)
    with counting() as calls:
        story, reel, album = instagram.recent_posts(ig, since=since, figures=True)
    assert calls.number == 1
    assert reel == RemotePost(
        "m3",
        "How we polish a bumper",
        datetime(2026, 11, 19, 17, tzinfo=UTC),
        "https://www.instagram.com/reel/C3/",
        "REELS",
        "https://scontent.example/3.jpg",
        "REELS",
        ("https://video.example/3.mp4",),
        PostFigures(
            "m3",
            likes=40,
            comments=3,
            shares=6,
            saves=2,
            views=900,
            reach=610,
            extra={"engagements": 52},
            sources={
                "views": "views",
                "reach": "reach",
                "shares": "shares",
                "engagements": "total_interactions",
                "saves": "saved",
                "likes": "like_count",
                "comments": "comments_count",
            },
            raw={"views": 900, "reach": 610, "shares": 6, "total_interactions": 52, "saved": 2},
        ),
    )
    assert (album.media_type, album.product) == ("CAROUSEL_ALBUM", "FEED")
    assert album.media_urls == ("https://scontent.example/2a.jpg", "https://scontent.example/2b.jpg")
    assert album.figures == PostFigures(
        "m2",
        likes=None,  # the owner hides them
        comments=0,
        views=0,
        sources={"views": "views", "comments": "comments_count"},
        raw={"views": 0, "reach": None, "shares": None},
    )
    assert (story.platform_post_id, story.product, story.figures) == ("s1", "STORY", None)
    fields = sent(graph.calls[0])["fields"]
    assert fields.startswith(f"id,media.since({int(since.timestamp())}).limit(25){{id,caption,")
    media, _, stories = fields.partition(",stories.limit(50){")
    assert media.endswith(f",insights.metric({LISTED})}}")
    assert "insights" not in stories
    assert top_fields(stories.removesuffix("}")) <= IG_MEDIA_FIELDS


def test_without_figures_none_are_asked_for(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json=answer("instagram-media"))
    posts = instagram.recent_posts(ig, since=NOW - timedelta(days=7))
    assert [post.figures for post in posts] == [None] * 3
    assert "insights" not in sent(graph.calls[0])["fields"]


def test_a_long_list_goes_on_where_it_ended(instagram, ig, graph):
    told = answer("instagram-media")
    reel, album = told["media"]["data"]
    more = {"cursors": {"after": "QVF"}, "next": "https://graph.facebook.com/v26.0/17800/media?access_token=EAAsecret"}
    graph.get(f"{BASE}/17800", json={"id": "17800", "media": {"data": [reel], "paging": more}})
    graph.get(f"{BASE}/17800/media", json={"data": [album]})
    first, second = instagram.recent_posts(ig, since=NOW - timedelta(days=7), limit=100, figures=True)
    assert (first.figures.views, second.figures.views) == (900, 0)
    asked = sent(graph.calls[1])
    assert (asked["after"], asked["limit"]) == ("QVF", "50")
    assert asked["fields"].endswith(f"insights.metric({LISTED})")

    graph.reset()
    graph.get(f"{BASE}/17800", json={"id": "17800", "media": {"data": [reel], "paging": more}})
    assert len(instagram.recent_posts(ig, since=NOW - timedelta(days=7), limit=1)) == 1, "as many as were wanted"


def test_a_list_that_is_too_much_at_once_is_halved(instagram, ig, graph):
    too_much = error(1, None, "Please reduce the amount of data you're asking for, then retry your request")
    graph.get(f"{BASE}/17800", json=too_much, status=500)
    graph.get(f"{BASE}/17800", json=answer("instagram-media"))
    assert len(instagram.recent_posts(ig, since=NOW - timedelta(days=7), limit=40, figures=True)) == 3
    assert [re.search(r"limit\((\d+)", sent(call)["fields"]).group(1) for call in graph.calls] == ["40", "20"]


def test_a_dead_name_is_found_by_the_newest_media_and_the_list_read_without_it(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json=DEAD, status=400)
    graph.get(f"{BASE}/17800", json=answer("instagram-media"))
    graph.get(f"{BASE}/17800", json=answer("instagram-media"))
    refused, good = part(DEAD, 400), part({"data": []})
    graph.post(f"{BASE}/", json=[refused])
    graph.post(f"{BASE}/", json=[good, good, good, good, refused])
    posts = instagram.recent_posts(ig, since=NOW - timedelta(days=7), figures=True)
    assert [post.figures and post.figures.refused for post in posts] == [None, ("saved",), ("saved",)]
    assert addresses(graph.calls[2]) == [f"m3/insights?metric={LISTED}"]
    assert "saved" not in sent(graph.calls[-1])["fields"]


def test_a_name_that_the_newest_media_lacks_is_left_out_of_the_list_and_not_told_as_dead(instagram, ig, graph):
    lacking = error(100, None, "The Media Insights API does not support the saved metric for this media product type")
    graph.get(f"{BASE}/17800", json=lacking, status=400)
    graph.get(f"{BASE}/17800", json=answer("instagram-media"))
    graph.get(f"{BASE}/17800", json=answer("instagram-media"))
    refused, good = part(lacking, 400), part({"data": []})
    graph.post(f"{BASE}/", json=[refused])
    graph.post(f"{BASE}/", json=[good, good, good, good, refused])
    posts = instagram.recent_posts(ig, since=NOW - timedelta(days=7), figures=True)
    assert [post.figures and post.figures.refused for post in posts] == [None, (), ()]


def test_media_from_before_the_account_was_professional_do_not_hide_the_list(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json=OLD, status=400)
    graph.get(f"{BASE}/17800", json=answer("instagram-media"))
    posts = instagram.recent_posts(ig, since=NOW - timedelta(days=7), figures=True)
    assert [post.figures for post in posts] == [None] * 3


def test_a_list_that_is_refused_for_no_name_is_read_without_figures(instagram, ig, graph):
    graph.get(f"{BASE}/17800", json=error(1, None, "An unknown error occurred"), status=500)
    graph.get(f"{BASE}/17800", json=answer("instagram-media"))
    graph.post(f"{BASE}/", json=[part({"data": [figure("views", 1)]})])
    posts = instagram.recent_posts(ig, since=NOW - timedelta(days=7), figures=True)
    assert [post.figures for post in posts] == [None] * 3


# Media, one by one


def test_each_kind_of_media_has_its_own_figures_and_costs_one_call(instagram, ig, graph):
    told = answer("instagram-post-figures")
    graph.post(
        f"{BASE}/", json=[part(told["reel"]), part(error(100, 33), 400), part(told["post"]), part(told["story"])]
    )
    products = {"m3": "REELS", "gone": "FEED", "m2": "FEED", "s1": "STORY"}
    with counting() as calls:
        reel, post, story = instagram.post_figures(ig, products)
    assert calls.number == 4
    assert reel == PostFigures(
        "m3",
        likes=40,
        comments=3,
        views=900,
        extra={"average_watch_seconds": 4.307, "watch_seconds": 2627.27},
        sources={
            "views": "views",
            "average_watch_seconds": "ig_reels_avg_watch_time",
            "watch_seconds": "ig_reels_video_view_total_time",
            "likes": "like_count",
            "comments": "comments_count",
        },
        raw={"views": 900, "ig_reels_avg_watch_time": 4307, "ig_reels_video_view_total_time": 2627270},
    )
    assert (post.likes, post.saves, post.reach, post.views) == (None, 7, 60, 77)
    assert post.extra == {"engagements": 12, "follows": 1, "profile_views": 5}
    assert (story.views, story.reach, story.shares, story.saves) == (31, 28, 1, None)
    assert (story.raw["replies"], story.raw["navigation"], story.withheld) == (2, 30, "")
    asked = {
        address.partition("?")[0]: re.search(r"metric\(([^)]*)\)", address).group(1)
        for address in addresses(graph.calls[0])
    }
    common = "views,reach,shares,total_interactions"
    assert asked == {
        "m3": f"{common},saved,ig_reels_avg_watch_time,ig_reels_video_view_total_time",
        "gone": f"{common},saved,follows,profile_visits",
        "m2": f"{common},saved,follows,profile_visits",
        "s1": f"{common},follows,profile_visits,replies,navigation",
    }


def test_what_kind_it_is_is_read_where_we_do_not_know_it(instagram, ig, graph):
    told = answer("instagram-post-figures")
    kinds = [part({"id": "m3", "media_product_type": "REELS"}), part(error(100, 33), 400)]
    graph.post(f"{BASE}/", json=kinds)
    graph.post(f"{BASE}/", json=[part(told["reel"])])
    with counting() as calls:
        (reel,) = instagram.post_figures(ig, {"m3": "", "gone": ""})
    assert (reel.views, calls.number) == (900, 3)
    assert "follows" not in addresses(graph.calls[1])[0]


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (FEW, "Too few people have seen this yet."),
        (OLD, "This was published before the account became a professional one. Instagram has no figures for it."),
        (error(10), "A permission for this is missing."),
    ],
)
def test_what_has_no_figures_says_why(instagram, ig, graph, refused, words):
    graph.post(f"{BASE}/", json=[part(refused, 400)])
    graph.post(f"{BASE}/", json=[part({"id": "s1", "media_product_type": "STORY", "comments_count": 0})])
    if refused == error(10):  # is it the media, or its figures, that may not be read?
        graph.post(f"{BASE}/", json=[part(refused, 400)])
    (story,) = instagram.post_figures(ig, {"s1": "STORY"})
    assert (story.views, story.reach, story.comments, story.refused) == (None, None, 0, ())
    assert story.withheld.startswith(words)


def test_a_dead_name_of_media_is_told_and_the_rest_is_read(instagram, ig, graph):
    refused, good = part(DEAD, 400), part({"data": [figure("views", 1)]})
    graph.post(f"{BASE}/", json=[refused])
    graph.post(f"{BASE}/", json=[part({"id": "m1", "like_count": 4})])
    graph.post(f"{BASE}/", json=[refused])
    graph.post(f"{BASE}/", json=[good, good, good, good, refused, good, good])
    (found,) = instagram.post_figures(ig, {"m1": "FEED"})
    assert (found.views, found.likes, found.refused) == (1, 4, ("saved",))

    graph.reset()
    graph.post(f"{BASE}/", json=[part({"id": "m2"})])
    instagram.post_figures(ig, {"m2": "FEED"}, skip={"saved"})
    assert "saved" not in addresses(graph.calls[0])[0]


def test_sixty_posts_go_in_two_batches(instagram, ig, graph):
    graph.post(f"{BASE}/", json=[part({"id": "m"})] * 50)
    graph.post(f"{BASE}/", json=[part({"id": "m"})] * 10)
    with counting() as calls:
        found = instagram.post_figures(ig, {f"m{number}": "FEED" for number in range(60)})
    assert (len(found), calls.number, len(graph.calls)) == (60, 60, 2)
