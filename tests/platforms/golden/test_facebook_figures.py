from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from socialhub.platforms.base import AccountReading, DayFigures, PostFigures, Profile, RemotePost
from socialhub.platforms.errors import (
    LimitedError,
    NotFoundError,
    PermissionMissingError,
    ReconnectError,
    TemporaryError,
)
from socialhub.platforms.http import counting
from tests.platforms.golden.meta import answer, day
from tests.platforms.graph import BASE, EDGES, NAMES, addresses, declared, error, part, sent, top_fields

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DEAD = error(100, None, "(#100) The value must be a valid insights metric")
PROFILE = Profile("Camaro Garage", "camarogarage", "https://scontent.example/page.jpg", 1204, None, None, 1187)
PAGE_NAMES = (
    "page_media_view,page_total_media_view_unique,page_post_engagements,page_actions_post_reactions_total,page_follows,"
    "page_daily_follows_unique,page_daily_unfollows_unique,page_views_total,page_total_actions,page_video_views,"
    "page_video_view_time"
)
POST_NAMES = "post_media_view,post_total_media_view_unique,post_clicks,post_reactions_by_type_total"
PAGE_POST_FIELDS = set(NAMES["fields"]["PagePost"]) | EDGES["PagePost"]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def series(name, values):
    return {"name": name, "period": "day", "values": values, "id": f"900/insights/{name}/day"}


def lifetime(name, value):
    return {"name": name, "period": "lifetime", "values": [{"value": value}]}


# The Page and its days


def test_a_page_and_its_days_come_in_one_call(facebook, page, graph):
    graph.get(f"{BASE}/900", json=answer("page-days"))
    days = [day(2026, 11, number) for number in (18, 19, 20, 21)]
    with counting() as calls:
        reading = facebook.read_account(page, days=days)
    assert reading == AccountReading(
        PROFILE,
        totals={"followers": 1204, "page_likes": 1187},
        days=(
            DayFigures(
                days[0],
                {"views": 640, "reach": 402, "engagements": 0, "followers": 1199, "follows": 6},
                {
                    "views": "page_media_view",
                    "reach": "page_total_media_view_unique",
                    "engagements": "page_post_engagements",
                    "followers": "page_follows",
                    "follows": "page_daily_follows_unique",
                },
                {
                    "page_media_view": 640,
                    "page_total_media_view_unique": 402,
                    "page_post_engagements": 0,
                    "page_actions_post_reactions_total": {},
                    "page_follows": 1199,
                    "page_daily_follows_unique": 6,
                },
            ),
            DayFigures(
                days[1],
                {"views": 123, "reach": 97, "engagements": 31, "likes": 12, "watch_seconds": 1234.567},
                {
                    "views": "page_media_view",
                    "reach": "page_total_media_view_unique",
                    "engagements": "page_post_engagements",
                    "likes": "page_actions_post_reactions_total",
                    "watch_seconds": "page_video_view_time",
                },
                {
                    "page_media_view": 123,
                    "page_total_media_view_unique": 97,
                    "page_post_engagements": 31,
                    "page_actions_post_reactions_total": {"like": 9, "love": 2, "wow": 1},
                    "page_video_view_time": 1234567,
                },
            ),
        ),
    )
    assert calls.number == 1
    begin = int(days[0].timestamp())
    assert sent(graph.calls[0])["fields"] == (
        "id,name,username,picture{url},followers_count,fan_count,"
        f"insights.metric({PAGE_NAMES}).period(day).since({begin}).until({int(NOW.timestamp())})"
    )


@pytest.mark.parametrize("kind", ["spring", "spring, an hour off"])
def test_days_keep_their_dates_when_summer_time_begins(facebook, page, graph, clock, kind):
    clock.move_to(datetime(2026, 3, 12, tzinfo=UTC))
    values = answer("page-summer-time")[kind]
    graph.get(f"{BASE}/900", json={"id": "900", "insights": {"data": [series("page_media_view", values)]}})
    days = [day(2026, 3, number) for number in (6, 7, 8, 9)]
    assert [days[2] - days[1], days[3] - days[2]] == [timedelta(hours=24), timedelta(hours=23)]
    found = facebook.read_account(page, days=days).days
    assert [(one.start, one.metrics) for one in found] == [
        (days[0], {"views": 6}),
        (days[1], {"views": 7}),
        (days[2], {"views": 8}),
        (days[3], {"views": 9}),
    ]


@pytest.mark.parametrize("kind", ["autumn", "autumn, an hour off"])
def test_days_keep_their_dates_when_summer_time_ends(facebook, page, graph, clock, kind):
    clock.move_to(datetime(2026, 11, 5, tzinfo=UTC))
    values = answer("page-summer-time")[kind]
    graph.get(f"{BASE}/900", json={"id": "900", "insights": {"data": [series("page_media_view", values)]}})
    days = [day(2026, 10, 30), day(2026, 10, 31), day(2026, 11, 1), day(2026, 11, 2)]
    assert days[3] - days[2] == timedelta(hours=25)
    found = facebook.read_account(page, days=days).days
    assert [(one.start, one.metrics["views"]) for one in found] == list(zip(days, (30, 31, 1, 2), strict=True))


def test_a_page_that_few_follow_has_no_days(facebook, page, graph):
    graph.get(f"{BASE}/900", json={"id": "900", "name": "New", "followers_count": 12, "insights": {"data": []}})
    reading = facebook.read_account(page, days=[day(2026, 11, 19)])
    assert (reading.days, reading.totals, reading.troubles, reading.refused) == ((), {"followers": 12}, (), ())


@pytest.mark.parametrize("days", [[], [day(2026, 11, 20)]])
def test_of_a_day_that_is_not_over_nothing_is_asked(facebook, page, graph, days):
    graph.get(f"{BASE}/900", json={"id": "900", "name": "Garage"})
    assert facebook.read_account(page, days=days) == AccountReading(Profile("Garage"))
    assert sent(graph.calls[0])["fields"] == "id,name,username,picture{url},followers_count,fan_count"


def test_a_year_is_read_by_spans_that_meta_allows(facebook, page, graph):
    graph.get(f"{BASE}/900", json={"id": "900", "followers_count": 5})
    days = [day(2026, 11, 20) - timedelta(days=number) for number in range(1, 366)]
    with counting() as calls:
        reading = facebook.read_account(page, days=days)
    assert (calls.number, reading.totals) == (5, {"followers": 5})
    spans = []
    for call in graph.calls:
        numbers = sent(call)["fields"].split(".since(")[1]
        since, until = numbers.removesuffix(")").split(").until(")
        spans.append(int(until) - int(since))
    assert max(spans) <= 90 * 86_400


def test_a_dead_name_takes_neither_the_page_nor_its_other_figures_along(facebook, page, graph):
    first = graph.get(f"{BASE}/900", json=DEAD, status=400)
    alone = graph.get(f"{BASE}/900", json={"id": "900", "name": "Garage", "followers_count": 7})
    refused, good = part(DEAD, 400), part({"data": []})
    views = [{"value": 1, "end_time": "2026-11-20T08:00:00+0000"}]
    told = part({"data": [series("page_media_view", views)]})
    graph.post(f"{BASE}/", json=[refused, good, good, good])
    graph.post(f"{BASE}/", json=[told, refused, good, good])
    with counting() as calls:
        reading = facebook.read_account(page, days=[day(2026, 11, 19)])
    assert (first.call_count, alone.call_count, calls.number) == (1, 1, 2 + 4 + 4)
    assert reading.refused == ("page_total_media_view_unique",)
    assert (reading.totals, reading.days[0].metrics) == ({"followers": 7}, {"views": 1})
    groups = [address.partition("metric=")[2].partition("&")[0] for address in addresses(graph.calls[2])]
    assert ",".join(groups) == PAGE_NAMES

    graph.reset()
    graph.get(f"{BASE}/900", json={"id": "900"})
    again = facebook.read_account(page, days=[day(2026, 11, 19)], skip=reading.refused)
    assert again.refused == ()
    assert "page_total_media_view_unique" not in sent(graph.calls[0])["fields"]


def test_without_the_right_to_figures_the_profile_is_still_told(facebook, page, graph):
    graph.get(f"{BASE}/900", json=error(10, None, "(#10) read_insights"), status=403)
    graph.get(f"{BASE}/900", json={"id": "900", "followers_count": 7})
    reading = facebook.read_account(page, days=[day(2026, 11, 19)])
    assert (reading.totals, reading.days, reading.refused) == ({"followers": 7}, (), ())
    assert [type(trouble) for trouble in reading.troubles] == [PermissionMissingError]


def test_trouble_that_passes_is_not_met_with_more_calls(facebook, page, graph):
    graph.get(f"{BASE}/900", json=error(2, None, "Service temporarily unavailable"), status=500)
    graph.get(f"{BASE}/900", json={"id": "900", "followers_count": 7})
    reading = facebook.read_account(page, days=[day(2026, 11, 19)])
    assert (reading.totals, reading.days, len(graph.calls)) == ({"followers": 7}, (), 2)
    assert [type(trouble) for trouble in reading.troubles] == [TemporaryError]


def test_trouble_with_a_group_is_told_and_the_others_are_read(facebook, page, graph):
    graph.get(f"{BASE}/900", json=error(1, None, "An unknown error occurred"), status=500)
    graph.get(f"{BASE}/900", json={"id": "900"})
    views = [{"value": 5, "end_time": "2026-11-20T08:00:00+0000"}]
    told = part({"data": [series("page_media_view", views)]})
    graph.post(f"{BASE}/", json=[told, part(error(1), 500), part({"data": []}), part(error(1), 500)])
    reading = facebook.read_account(page, days=[day(2026, 11, 19)])
    assert [one.metrics for one in reading.days] == [{"views": 5}]
    assert [type(trouble) for trouble in reading.troubles] == [TemporaryError]


@pytest.mark.parametrize(
    ("number", "wanted"), [(190, ReconnectError), (80001, LimitedError), ((100, 33), NotFoundError)]
)
def test_what_keeps_everything_from_being_read_is_raised_at_once(facebook, page, graph, number, wanted):
    code, subcode = number if isinstance(number, tuple) else (number, None)
    graph.get(f"{BASE}/900", json=error(code, subcode), status=400)
    with pytest.raises(wanted):
        facebook.read_account(page, days=[day(2026, 11, 19)])
    assert len(graph.calls) == 1


def test_a_limit_in_the_middle_of_groups(facebook, page, graph):
    graph.get(f"{BASE}/900", json=DEAD, status=400)
    graph.get(f"{BASE}/900", json={"id": "900"})
    good = part({"data": []})
    graph.post(f"{BASE}/", json=[good, part(error(80001), 400), good, good])
    with pytest.raises(LimitedError):
        facebook.read_account(page, days=[day(2026, 11, 19)])


# Posts, along with their list


REEL = PostFigures(
    "900_3",
    likes=19,
    comments=4,
    shares=3,
    views=940,
    reach=700,
    clicks=55,
    sources={
        "views": "post_media_view",
        "reach": "post_total_media_view_unique",
        "clicks": "post_clicks",
        "likes": "reactions.summary",
        "shares": "shares",
        "comments": "comments.summary",
    },
    raw={
        "post_media_view": 940,
        "post_total_media_view_unique": 700,
        "post_clicks": 55,
        "post_reactions_by_type_total": {"like": 12, "love": 5},
    },
)


def test_posts_and_their_figures_come_in_one_call(facebook, page, graph):
    graph.get(f"{BASE}/900/published_posts", json=answer("page-posts"))
    with counting() as calls:
        reel, album, text = facebook.recent_posts(page, since=NOW - timedelta(days=7), figures=True)
    assert calls.number == 1
    assert reel == RemotePost(
        "900_3",
        "How we polish a bumper",
        datetime(2026, 11, 19, 17, tzinfo=UTC),
        "https://www.facebook.com/reel/7001/",
        "video",
        "https://scontent.example/reel.jpg",
        "REEL",
        ("https://scontent.example/reel.jpg",),
        REEL,
    )
    assert (album.media_type, album.product) == ("album", "FEED")
    assert album.media_urls == ("https://scontent.example/a.jpg", "https://scontent.example/b.jpg")
    assert album.figures == PostFigures(
        "900_2",
        likes=0,
        comments=0,
        shares=0,  # left out for none
        views=0,
        sources={
            "views": "post_media_view",
            "shares": "shares",
            "comments": "comments.summary",
            "likes": "reactions.summary",
        },
        raw={
            "post_media_view": 0,
            "post_total_media_view_unique": None,
            "post_reactions_by_type_total": {},
        },
    )
    assert text.figures == PostFigures("900_1", shares=1, sources={"shares": "shares"})
    fields = sent(graph.calls[0])
    assert set(fields) <= declared("Page", "GET", "published_posts")
    assert top_fields(fields["fields"]) <= PAGE_POST_FIELDS
    assert fields["fields"].endswith(f",insights.metric({POST_NAMES})")


def test_without_figures_none_are_asked_for(facebook, page, graph):
    graph.get(f"{BASE}/900/published_posts", json=answer("page-posts"))
    posts = facebook.recent_posts(page, since=NOW - timedelta(days=7))
    assert [post.figures for post in posts] == [None] * 3
    assert not {"insights", "comments", "reactions"} & top_fields(sent(graph.calls[0])["fields"])


def test_a_dead_name_is_found_by_the_newest_post_and_the_list_read_without_it(facebook, page, graph):
    where = f"{BASE}/900/published_posts"
    graph.get(where, json=DEAD, status=400)
    graph.get(where, json=answer("page-posts"))
    refused, good = part(DEAD, 400), part({"data": []})
    graph.post(f"{BASE}/", json=[refused])
    graph.post(f"{BASE}/", json=[good, good, refused, good])
    graph.get(where, json=answer("page-posts"))
    posts = facebook.recent_posts(page, since=NOW - timedelta(days=7), figures=True)
    assert [post.figures.refused for post in posts] == [("post_clicks",)] * 3
    assert posts[0].figures.views == 940
    assert addresses(graph.calls[2]) == [f"900_3/insights?metric={POST_NAMES}"]
    assert "post_clicks" not in sent(graph.calls[-1])["fields"]


def test_a_list_that_is_refused_for_no_name_is_read_without_figures(facebook, page, graph):
    where = f"{BASE}/900/published_posts"
    graph.get(where, json=error(1), status=500)
    graph.get(where, json=answer("page-posts"))
    graph.post(f"{BASE}/", json=[part({"data": [lifetime("post_media_view", 1)]})])
    posts = facebook.recent_posts(page, since=NOW - timedelta(days=7), figures=True)
    assert [post.figures for post in posts] == [None] * 3


def test_without_the_right_to_figures_the_counts_are_told(facebook, page, graph):
    where = f"{BASE}/900/published_posts"
    graph.get(where, json=error(10), status=403)
    graph.get(where, json=error(10), status=403)
    graph.get(where, json=answer("page-posts"))
    graph.post(f"{BASE}/", json=[part(error(10), 403)])
    reel = facebook.recent_posts(page, since=NOW - timedelta(days=7), figures=True)[0].figures
    assert (reel.likes, reel.comments, reel.shares, reel.views) == (19, 4, 3, None)
    assert "permission" in reel.withheld


def test_counts_that_we_may_not_read_cost_one_more_call(facebook, page, graph):
    where = f"{BASE}/900/published_posts"
    graph.get(where, json=error(10), status=403)
    graph.get(where, json={"data": [answer("page-posts")["data"][2]]})
    (post,) = facebook.recent_posts(page, since=NOW - timedelta(days=7), figures=True)
    assert (post.figures.shares, post.figures.likes) == (1, None)
    fields = top_fields(sent(graph.calls[1])["fields"])
    assert "insights" in fields
    assert not {"comments", "reactions"} & fields


def test_recent_posts_stop_where_they_shall(facebook, page, graph):
    more = {"cursors": {"after": "x"}, "next": "https://graph.facebook.com/v26.0/900/published_posts?after=x"}
    entries = [
        {"id": f"900_{number}", "created_time": f"2026-11-{number:02}T10:00:00+0000"} for number in range(19, 11, -1)
    ]
    graph.get(f"{BASE}/900/published_posts", json={"data": [{"id": "900_0"}, *entries], "paging": more})
    posts = facebook.recent_posts(page, since=datetime(2026, 11, 15, tzinfo=UTC), limit=3)
    assert [post.platform_post_id for post in posts] == ["900_19", "900_18", "900_17"]
    assert (len(graph.calls), sent(graph.calls[0])["limit"]) == (1, "3")


# Posts, one by one


def test_each_post_costs_one_call_and_one_more_for_its_video(facebook, page, graph):
    reel, _album, text = answer("page-posts")["data"]
    graph.post(f"{BASE}/", json=[part(reel), part(error(100, 33), 400), part(text)])
    graph.post(f"{BASE}/", json=[part(answer("video-figures"))])
    with counting() as calls:
        first, second = facebook.post_figures(page, {"900_3": "", "900_gone": "", "900_1": "FEED"})
    assert calls.number == 4
    videos = {"fb_reels_total_plays": 1201, "post_video_view_time": 4321987, "post_video_avg_time_watched": 3598}
    assert first.extra == {"video_views": 1201, "watch_seconds": 4321.987, "average_watch_seconds": 3.598, "follows": 2}
    assert first.raw == {**REEL.raw, **videos, "post_video_followers": 2}
    assert (first.likes, first.views, first.clicks, first.withheld) == (19, 940, 55, "")
    assert first.sources == {
        **REEL.sources,
        "video_views": "fb_reels_total_plays",
        "watch_seconds": "post_video_view_time",
        "average_watch_seconds": "post_video_avg_time_watched",
        "follows": "post_video_followers",
    }
    assert second == PostFigures("900_1", shares=1, sources={"shares": "shares"})
    assert addresses(graph.calls[1]) == [
        "7001/video_insights?metric=fb_reels_total_plays,post_video_view_time,post_video_avg_time_watched,"
        "post_video_followers"
    ]


def test_reactions_are_read_as_figures_where_they_may_not_be_counted(facebook, page, graph):
    graph.post(f"{BASE}/", json=[part(error(10), 403)])
    reactions = {"data": [lifetime("post_reactions_by_type_total", {"like": 2, "love": 1})]}
    graph.post(f"{BASE}/", json=[part({"id": "900_1", "shares": {"count": 3}, "insights": reactions})])
    with counting() as calls:
        (figures,) = facebook.post_figures(page, {"900_1": "FEED"})
    assert (figures.shares, figures.comments, figures.likes, calls.number) == (3, None, 3, 2)
    assert figures.sources["likes"] == "post_reactions_by_type_total"


def test_a_passing_failure_does_not_look_like_missing_figures(facebook, page, graph):
    graph.post(f"{BASE}/", json=[part(error(2), 500)])
    graph.post(f"{BASE}/", json=[part({"id": "900_1"})])
    graph.post(f"{BASE}/", json=[part(error(2), 500)])
    with pytest.raises(TemporaryError):
        facebook.post_figures(page, {"900_1": "FEED"})


def test_the_culprit_of_one_post_is_not_searched_again_for_the_others(facebook, page, graph):
    posts = {f"900_{number}": "FEED" for number in range(3)}
    refused, good = part(DEAD, 400), part({"data": [lifetime("post_media_view", 8)]})
    graph.post(f"{BASE}/", json=[refused] * 3)
    graph.post(f"{BASE}/", json=[part({"id": post_id, "shares": {"count": 1}}) for post_id in posts])
    graph.post(f"{BASE}/", json=[refused] * 3)
    graph.post(f"{BASE}/", json=[good, good, refused, good])
    graph.post(f"{BASE}/", json=[good] * 2)
    found = facebook.post_figures(page, posts)
    assert [(one.views, one.shares, one.refused) for one in found] == [(8, 1, ("post_clicks",))] * 3


def test_a_video_without_a_post_has_the_figures_of_videos(facebook, page, graph):
    told = {"data": [lifetime("total_video_views", 50), lifetime("total_video_avg_time_watched", 2500)]}
    graph.post(f"{BASE}/", json=[part({"id": "77", "video_insights": told})])
    (figures,) = facebook.post_figures(page, {"77": ""})
    assert (figures.extra, figures.likes, figures.shares) == (
        {"video_views": 50, "average_watch_seconds": 2.5},
        None,
        None,
    )
    assert figures.withheld == ""


def test_what_one_video_without_a_post_refuses_is_no_dead_name(facebook, page, graph):
    refused = part(DEAD, 400)
    graph.post(f"{BASE}/", json=[refused])
    graph.post(f"{BASE}/", json=[part({"id": "77"})])
    graph.post(f"{BASE}/", json=[refused])
    graph.post(f"{BASE}/", json=[part({"data": [lifetime("total_video_views", 50)]}), refused, refused])
    (figures,) = facebook.post_figures(page, {"77": ""})
    assert (figures.extra, figures.refused) == ({"video_views": 50}, ())


def test_a_video_that_is_no_reel_is_asked_for_the_figures_of_videos(facebook, page, graph):
    post = {**answer("page-posts")["data"][0], "permalink_url": "https://www.facebook.com/900/videos/7001/"}
    graph.post(f"{BASE}/", json=[part(post)])
    graph.post(f"{BASE}/", json=[part({"data": [lifetime("total_video_view_total_time", 1500)]})])
    (figures,) = facebook.post_figures(page, {"900_3": "VIDEO"})
    assert figures.extra == {"watch_seconds": 1.5}
    assert addresses(graph.calls[1]) == [
        "7001/video_insights?metric=total_video_views,total_video_view_total_time,total_video_avg_time_watched"
    ]
