from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import time_machine

from socialhub.platforms.base import (
    Access,
    AccountReading,
    Audience,
    AudienceReading,
    DayFigures,
    PostFigures,
    Profile,
    RemotePost,
)
from socialhub.platforms.http import counting
from socialhub.platforms.linkedin import LinkedIn
from socialhub.platforms.metrics import linkedin as catalogue
from tests.platforms.linkedin import BASE, DATA, PAGE, PERSON, TOKEN, enc, make_api

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = [datetime(2026, 11, number, tzinfo=UTC) for number in (16, 17, 18, 19)]
COMPANY, MEMBER = Access(PAGE, TOKEN), Access(PERSON, TOKEN)
CAMARO = "urn:li:share:7395000000000000003"
ENGINE = "urn:li:ugcPost:7394000000000000002"
QUIET = "urn:li:share:7393000000000000001"
SHARES = {
    "impressions": "impressionCount",
    "reach": "uniqueImpressionsCount",
    "clicks": "clickCount",
    "likes": "likeCount",
    "comments": "commentCount",
    "shares": "shareCount",
}
ENGAGEMENTS = {"engagements": "clickCount+likeCount+commentCount+shareCount"}
FOLLOWS = {"follows": "organicFollowerGain+paidFollowerGain"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def linkedin():
    return LinkedIn(make_api())


def answer(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text())


def gives(graph, path, name):
    graph.get(f"{BASE}/{path}", json=answer(name))


def gives_by_metric(graph, name):
    told = answer(name)

    def reply(request: requests.PreparedRequest) -> tuple[int, Mapping[str, str], str]:
        (metric,) = parse_qs((request.url or "").partition("?")[2])["queryType"]
        return 200, {}, json.dumps(told[metric])

    graph.add_callback("GET", f"{BASE}/memberCreatorPostAnalytics", reply)


def test_a_page_and_its_days(linkedin, graph):
    graph.get(f"{BASE}/networkSizes/{enc(PAGE)}", json={"firstDegreeSize": 1204})
    gives(graph, "organizationalEntityShareStatistics", "share-statistics-days")
    gives(graph, "organizationPageStatistics", "page-statistics-days")
    gives(graph, "organizationalEntityFollowerStatistics", "follower-gains")
    with counting() as calls:
        reading = linkedin.read_account(COMPANY, days=DAYS)
    assert calls.number == 4
    shares, views, gains = (
        [entry[part] for entry in answer(name)["elements"]]
        for name, part in (
            ("share-statistics-days", "totalShareStatistics"),
            ("page-statistics-days", "totalPageStatistics"),
            ("follower-gains", "followerGains"),
        )
    )

    def raw(number):
        return {
            "organizationalEntityShareStatistics": shares[number],
            "organizationPageStatistics": views[number],
            **({"organizationalEntityFollowerStatistics": gains[number]} if number < 3 else {}),
        }

    quiet = {name: source for name, source in SHARES.items() if name != "reach"}
    assert reading == AccountReading(
        Profile(followers_count=1204),
        {"followers": 1204},
        (
            DayFigures(
                DAYS[0],
                {
                    "impressions": 478,
                    "reach": 312,
                    "clicks": 18,
                    "likes": 7,
                    "comments": 3,
                    "shares": 2,
                    "engagements": 30,
                    "profile_views": 14,
                    "follows": 7,
                },
                {**SHARES, **ENGAGEMENTS, "profile_views": "pageViews", **FOLLOWS},
                raw(0),
            ),
            DayFigures(
                DAYS[1],
                {
                    "impressions": 123,
                    "reach": 90,
                    "clicks": 1,
                    "likes": -2,  # more were taken back than given
                    "comments": 0,
                    "shares": 0,
                    "engagements": -1,
                    "profile_views": 6,
                    "follows": -1,
                },
                {**SHARES, **ENGAGEMENTS, "profile_views": "pageViews", **FOLLOWS},
                raw(1),
            ),
            DayFigures(  # neither reach nor views of the page are told, so there are none
                DAYS[2],
                {
                    "impressions": 0,
                    "clicks": 0,
                    "likes": 0,
                    "comments": 0,
                    "shares": 0,
                    "engagements": 0,
                    "follows": 0,
                },
                {**quiet, **ENGAGEMENTS, **FOLLOWS},
                raw(2),
            ),
            DayFigures(  # gains of followers come a day later than the rest
                DAYS[3],
                {
                    "impressions": 50,
                    "reach": 41,
                    "clicks": 1,
                    "likes": 0,
                    "comments": 0,
                    "shares": 0,
                    "engagements": 1,
                    "profile_views": 3,
                },
                {**SHARES, **ENGAGEMENTS, "profile_views": "pageViews"},
                raw(3),
            ),
        ),
    )


def test_the_followers_of_a_page(linkedin, graph):
    gives(graph, "organizationalEntityFollowerStatistics", "follower-facets")
    (told,) = answer("follower-facets")["elements"]
    assert linkedin.audience(COMPANY) == AudienceReading(
        (
            Audience(
                "followers",
                "seniority",
                {"Senior": 512, "Entry": 301, "Chief Officer": 44},
                told["followerCountsBySeniority"],
            ),
            Audience(
                "followers",
                "function",
                {"Engineering": 210, "Marketing": 180, "Other": 3},
                told["followerCountsByFunction"],
            ),
            Audience(
                "followers",
                "industry",
                {"Automotive": 260, "Computer Software": 75},
                told["followerCountsByIndustry"],
            ),
            Audience("followers", "company_size", {"11-50": 333}, told["followerCountsByStaffCountRange"]),
            Audience("followers", "country", {"DE": 640, "US": 220, "CH": 31}, told["followerCountsByGeoCountry"]),
        )
    )


def test_posts_of_a_page_with_their_figures(linkedin, graph):
    gives(graph, "posts", "posts")
    gives(graph, "organizationalEntityShareStatistics", "share-statistics-posts")
    with counting() as calls:
        found = linkedin.recent_posts(COMPANY, since=datetime(2026, 11, 1, tzinfo=UTC), limit=100, figures=True)
    assert calls.number == 2
    engine, camaro = (entry["totalShareStatistics"] for entry in answer("share-statistics-posts")["elements"])
    address = "https://www.linkedin.com/feed/update"
    assert found == [
        RemotePost(
            CAMARO,
            "The 1969 Camaro (ZL1) is back #camaro",
            datetime(2026, 11, 19, 9, 0, 1, tzinfo=UTC),
            f"{address}/{CAMARO}/",
            "multiImage",
            figures=PostFigures(
                CAMARO,
                likes=29,
                comments=8,
                shares=4,
                impressions=811,
                reach=511,
                clicks=33,
                sources=SHARES,
                raw=camaro,
            ),
        ),
        RemotePost(
            ENGINE,
            "Engine sound",
            datetime(2026, 11, 17, 9, 0, 0, 500_000, tzinfo=UTC),
            f"{address}/{ENGINE}/",
            "video",
            figures=PostFigures(
                ENGINE, likes=8, comments=2, shares=1, impressions=290, reach=201, clicks=9, sources=SHARES, raw=engine
            ),
        ),
        RemotePost(  # nothing has happened to it, so LinkedIn leaves it out of the statistics
            QUIET,
            "Nobody was awake",
            datetime(2026, 11, 16, 2, tzinfo=UTC),
            f"{address}/{QUIET}/",
            "text",
            figures=PostFigures(
                QUIET, likes=0, comments=0, shares=0, impressions=0, reach=0, clicks=0, sources={}, raw={}
            ),
        ),
    ]


def test_a_member_and_its_days(linkedin, graph):
    graph.get(f"{BASE}/memberFollowersCount", json={"elements": [{"memberFollowersCount": 812}]})
    gives_by_metric(graph, "member-days")
    with counting() as calls:
        reading = linkedin.read_account(MEMBER, days=DAYS[:2])
    assert calls.number == 5
    assert reading == AccountReading(
        Profile(followers_count=812),
        {"followers": 812},
        (
            DayFigures(
                DAYS[0],
                {"impressions": 340, "likes": 12, "comments": 4, "shares": 2, "engagements": 18},
                {
                    "impressions": "IMPRESSION",
                    "likes": "REACTION",
                    "comments": "COMMENT",
                    "shares": "RESHARE",
                    "engagements": "REACTION+COMMENT+RESHARE",
                },
                {"IMPRESSION": 340, "REACTION": 12, "COMMENT": 4, "RESHARE": 2},
            ),
            DayFigures(  # two of the acts are not told, so there is no sum of them
                DAYS[1],
                {"impressions": 112, "likes": -1},
                {"impressions": "IMPRESSION", "likes": "REACTION"},
                {"IMPRESSION": 112, "REACTION": -1},
            ),
        ),
    )


def test_a_post_of_a_member(linkedin, graph):
    urn = "urn:li:share:7395000000000000009"
    gives_by_metric(graph, "member-post")
    assert linkedin.post_figures(MEMBER, {urn: ""}) == [
        PostFigures(
            urn,
            likes=31,
            comments=0,
            impressions=1240,
            reach=806,
            sources={
                "impressions": "IMPRESSION",
                "reach": "MEMBERS_REACHED",
                "likes": "REACTION",
                "comments": "COMMENT",
            },
            raw={"IMPRESSION": 1240, "MEMBERS_REACHED": 806, "REACTION": 31, "COMMENT": 0, "RESHARE": -1},
        )
    ]


# What it costs


def calls_a_day(kind: str) -> dict[str, int]:
    return {
        calls.address: calls.each * catalogue.READINGS_A_DAY
        + calls.full * catalogue.FULL_READINGS_A_DAY
        + calls.posts
        + calls.daily
        for calls in catalogue.CALLS[kind]
    }


def test_a_member_with_several_organizations_stays_within_the_limit(linkedin):
    free = catalogue.MEMBER_LIMIT - catalogue.KEPT_FOR_PUBLISHING
    page, member = calls_a_day("organization"), calls_a_day("person")
    assert (sum(page.values()), sum(member.values())) == (23, 29)
    assert sum(page.values()) * 3 <= free, "all addresses share one limit"
    assert sum(page.values()) * 2 + sum(member.values()) <= free
    assert max(page.values()) * 8 <= free, "each address has one of its own"
    assert linkedin.figures_every_seconds * catalogue.READINGS_A_DAY == 86_400
    assert linkedin.full_every_seconds * catalogue.FULL_READINGS_A_DAY == 86_400


def test_a_page_is_asked_as_often_as_the_catalogue_says(linkedin, graph):
    """One reading of everything, one of the totals, one of single posts, and the look after the access."""
    graph.get(f"{BASE}/networkSizes/{enc(PAGE)}", json={"firstDegreeSize": 1204})
    gives(graph, "organizationPageStatistics", "page-statistics-days")
    gives(graph, "organizationalEntityShareStatistics", "share-statistics-days")
    gives(graph, "organizationalEntityShareStatistics", "share-statistics-posts")
    gives(graph, "organizationalEntityFollowerStatistics", "follower-gains")
    gives(graph, "posts", "posts")
    logo = "urn:li:image:L"
    graph.get(f"{BASE}/organizations/42", json={"id": 42, "localizedName": "Barn", "logoV2": {"original": logo}})
    graph.get(f"{BASE}/images/{enc(logo)}", json={"downloadUrl": "https://media.licdn.com/l"})
    linkedin.read_account(COMPANY, days=DAYS)
    linkedin.audience(COMPANY)
    linkedin.recent_posts(COMPANY, since=DAYS[0], figures=True)
    linkedin.read_account(COMPANY)
    linkedin.profile(COMPANY)
    asked: dict[str, int] = {}
    for call in graph.calls:
        address = call.request.url.removeprefix(f"{BASE}/").partition("?")[0].partition("/")[0]
        asked[address] = asked.get(address, 0) + 1
    assert asked == {
        calls.address: 2 * calls.each + calls.full + calls.daily for calls in catalogue.CALLS["organization"]
    }
