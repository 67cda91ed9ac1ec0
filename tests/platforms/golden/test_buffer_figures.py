from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import time_machine

from socialhub.platforms.base import Access, AccountReading, PostFigures, Profile, RemotePost
from socialhub.platforms.buffer import BufferApi, BufferConfig
from socialhub.platforms.buffer_networks import NETWORKS
from socialhub.platforms.http import counting
from tests.platforms import buffer_wire as wire

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCESS = Access(wire.CHANNEL_ID, wire.TOKEN)
IMAGE = "https://buffer-media-uploads.example/1.jpg"
RAW = {"metricsUpdatedAt": "2026-11-20T03:10:00.000Z", "stale": False}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.mark.parametrize("key", NETWORKS)
def test_posts_with_their_figures(key):
    answer = json.loads((wire.DATA / "posts-with-metrics.json").read_text())
    network = NETWORKS[key](BufferApi(BufferConfig()))
    with wire.Buffer() as buffer:
        buffer.answers("channel", wire.channel())
        buffer.answers("posts", answer["data"]["posts"])
        with counting() as calls:
            assert network.read_account(ACCESS, days=[NOW]) == AccountReading(
                Profile("Camaro Club", "camaro_club", "https://images.example/camaro.jpg")
            )
            found = network.recent_posts(ACCESS, since=datetime(2026, 11, 1, tzinfo=UTC), limit=50, figures=True)
    assert calls.number == 2
    fresh, camaro, garage, old = (f"65f0c0ffee0000000000d00{number}" for number in (4, 3, 2, 1))
    assert [(post.platform_post_id, post.text) for post in found] == [
        (fresh, "Just out"),
        (camaro, "1969 Camaro"),
        (garage, "Garage"),
        (old, "Old names"),
    ]
    assert found[0].figures == PostFigures(
        fresh, withheld="Buffer has not read the figures of this post yet. It does so once a day."
    )
    assert found[1] == RemotePost(
        camaro,
        "1969 Camaro",
        datetime(2026, 11, 19, 9, tzinfo=UTC),
        "https://x.com/camaro/status/1",
        "image",
        "https://buffer-media-uploads.example/1-t.jpg",
        media_urls=(IMAGE,),
        figures=PostFigures(
            camaro,
            likes=12,
            comments=3,
            shares=4,
            impressions=900,
            clicks=21,
            extra={"follows": 2},
            sources={
                "likes": "reactions",
                "comments": "comments",
                "shares": "reposts",
                "clicks": "clicks",
                "impressions": "impressions",
                "follows": "follows",
            },
            raw={
                "reactions": 12.0,
                "comments": 3.0,
                "reposts": 4.0,
                "quotes": 1.0,
                "impressions": 900.0,
                "clicks": 21.0,
                "follows": 2.0,
                "engagementRate": 2.11,
                "units": {"engagementRate": "percentage"},
                **RAW,
            },
        ),
    )
    assert found[2].figures == PostFigures(  # it was seen, or nobody could have reacted: the network does not report it
        garage,
        likes=5,
        comments=1,
        shares=0,
        sources={"likes": "reactions", "comments": "comments", "shares": "reposts"},
        raw={"reactions": 5.0, "comments": 1.0, "reposts": 0.0, "impressions": 0.0, "views": 0.0, **RAW},
    )
    assert found[3].figures == PostFigures(
        old,
        likes=7,
        comments=2,
        shares=3,
        impressions=410,
        sources={
            "likes": "favorites",
            "comments": "replies",
            "shares": "retweets",
            "impressions": "impressions",
        },
        raw={
            "favorites": 7.0,
            "replies": 2.0,
            "retweets": 3.0,
            "impressions": 410.0,
            "zest": 1.0,
            "metricsUpdatedAt": "2026-11-18T03:10:00.000Z",
            "stale": True,
        },
    )
