from __future__ import annotations

from typing import Any

import pytest
from graphql import execute_sync, parse

from socialhub.platforms.base import Content, PostType
from socialhub.platforms.buffer_documents import DOCUMENTS
from socialhub.platforms.buffer_networks import NETWORKS
from tests.platforms import buffer_wire as wire

ID, ORG, CHANNEL = wire.POST_ID, wire.ORGANIZATION_ID, wire.CHANNEL_ID
SPAN = {"start": "2026-11-20T11:58:00Z", "end": "2026-11-20T12:02:00Z"}
PLAIN = {"channelId": CHANNEL, "schedulingType": "automatic", "mode": "shareNow", "text": "Hi", "assets": []}
IMAGE = {"image": {"url": "https://m.example/1.jpg", "metadata": {"altText": "A car"}}}

SAMPLES: list[tuple[str, dict[str, Any]]] = [
    ("Account", {}),
    ("Channels", {"organizationId": ORG}),
    ("Channel", {"id": CHANNEL}),
    ("ChannelToday", {"id": CHANNEL, "limits": {"channelIds": [CHANNEL]}}),
    ("CreatePost", {"input": PLAIN}),
    ("CreatePost", {"input": {**PLAIN, "assets": [IMAGE, {"image": {"url": "https://m.example/2.jpg"}}]}}),
    ("CreatePost", {"input": {**PLAIN, "mode": "customScheduled", "dueAt": "2026-11-21T09:00:00Z"}}),
    ("CreatePost", {"input": {**PLAIN, "mode": "addToQueue", "saveToDraft": True, "tagIds": ["t1"]}}),
    ("EditPost", {"input": {"id": ID, "schedulingType": "automatic", "mode": "shareNow", "text": "Other"}}),
    ("DeletePost", {"id": ID}),
    ("Post", {"id": ID}),
    ("Posts", {"input": {"organizationId": ORG}, "first": 50, "after": None}),
    (
        "Posts",
        {
            "input": {
                "organizationId": ORG,
                "filter": {"channelIds": [CHANNEL], "status": ["sent", "error"], "createdAt": SPAN},
                "sort": [{"field": "createdAt", "direction": "asc"}],
            },
            "first": 50,
            "after": "cursor",
        },
    ),
    ("PostMetrics", {"id": ID}),
    ("PostsWithMetrics", {"input": {"organizationId": ORG, "filter": {"status": ["sent"]}}, "first": 50}),
    (
        "AggregatedMetrics",
        {"input": {"organizationId": ORG, "startDateTime": SPAN["start"], "endDateTime": SPAN["end"]}},
    ),
    ("DailyLimits", {"input": {"channelIds": [CHANNEL], "date": "2026-11-20T00:00:00Z"}}),
    ("CreateIdea", {"input": {"organizationId": ORG, "content": {"title": "T", "text": "t", "services": ["twitter"]}}}),
    ("ServiceValues", {}),
]


def body(operation: str, variables: dict[str, Any]) -> dict[str, Any]:
    return {"query": DOCUMENTS[operation], "operationName": operation, "variables": variables}


@pytest.mark.parametrize("name", wire.SCHEMAS)
@pytest.mark.parametrize(("operation", "variables"), SAMPLES)
def test_documents_and_variables_fit_the_schema(operation, variables, name):
    assert wire.faults(body(operation, variables), name) == []


def test_every_document_has_a_sample():
    assert {operation for operation, _variables in SAMPLES} == set(DOCUMENTS)


@pytest.mark.parametrize("name", wire.SCHEMAS)
@pytest.mark.parametrize(
    ("operation", "variables"),
    [
        ("Post", {"id": None}),
        ("CreatePost", {"input": {**PLAIN, "mode": "whenever"}}),
        ("CreatePost", {"input": {**PLAIN, "assets": {"images": []}}}),
        ("CreatePost", {"input": {**PLAIN, "metadata": {"googlebusiness": {"type": "event"}}}}),
        ("CreatePost", {"input": {key: PLAIN[key] for key in PLAIN if key != "schedulingType"}}),
    ],
)
def test_the_check_sees_wrong_variables(operation, variables, name):
    assert wire.faults(body(operation, variables), name)


def test_the_check_sees_a_wrong_document():
    assert wire.faults(
        {"query": "query A { account { followers } }", "operationName": "A", "variables": {}}, wire.SCHEMAS[0]
    )
    assert wire.faults({"query": "{ account { id } }", "operationName": "A", "variables": {}}, wire.SCHEMAS[0])


CHOICES = {
    "x": {},
    "threads": {"topic": "Cars"},
    "bluesky": {},
    "mastodon": {"spoiler_text": "A car"},
    "pinterest": {"board_service_id": "77", "title": "Camaro", "cover_second": "1.5"},
    "tiktok": {"title": "Camaro", "cover_second": "1.5"},
    "youtube": {"title": "Camaro", "category_id": "2", "privacy": "unlisted", "made_for_kids": "yes"},
    "google_business": {"button": "shop"},
}
GOOGLE = [
    {"type": kind, "title": "Sale", "start_date": "2026-12-01", "end_date": "2026-12-02", "code": "C", "terms": "T"}
    for kind in ("offer", "event")
]


@pytest.mark.parametrize("name", wire.SCHEMAS)
@pytest.mark.parametrize(("key", "choices"), [*CHOICES.items(), *(("google_business", extra) for extra in GOOGLE)])
@pytest.mark.parametrize("link", ["", "https://shop.example/camaro"])
def test_every_networks_post_fits_the_schema(key, choices, link, images, name):
    network = NETWORKS[key](None)
    film = Content(PostType.VIDEO, "Words", link=link, media=(wire.film(),))
    for content in (images(1, link=link), images(3, link=link), film, Content(PostType.TEXT, "Words", link=link)):
        post = network.input_of(CHANNEL, wire.chosen(content, choices))
        assert wire.faults(body("CreatePost", {"input": post}), name) == []


def within(told: Any, value: Any) -> bool:
    """Whether all that the schema lets through is in the value."""
    if isinstance(told, dict):
        return all(within(told[name], value[name]) for name in told)
    if isinstance(told, list):
        return len(told) == len(value) and all(map(within, told, value))
    return bool(told == value)


# The canned replies of the other tests are themselves what the schema would answer.

TYPED_CHANNELS = [
    wire.channel(),
    wire.channel("twitter", metadata={"__typename": "TwitterMetadata", "subscriptionType": "Premium"}),
    wire.channel(
        "mastodon", metadata={"__typename": "MastodonMetadata", "serverUrl": "https://m.example", "maxCharacters": 5000}
    ),
]
REPLIES: list[tuple[str, dict[str, Any], str, Any]] = [
    ("Channels", {"organizationId": ORG}, "channels", TYPED_CHANNELS),
    ("Channel", {"id": CHANNEL}, "channel", TYPED_CHANNELS[0]),
    ("DailyLimits", {"input": {"channelIds": [CHANNEL]}}, "dailyPostingLimits", [wire.day(), wire.day(limit=None)]),
    ("Post", {"id": ID}, "post", wire.post("sent", assets=[wire.image_asset("video")])),
    ("Post", {"id": ID}, "post", wire.post()),
    ("Post", {"id": ID}, "post", wire.post("sent", assets=[wire.image_asset()], sentAt="2026-11-20T12:00:00Z")),
    ("Posts", SAMPLES[11][1], "posts", wire.page(wire.post(), after="c")),
    ("CreatePost", {"input": PLAIN}, "createPost", wire.taken()),
    ("CreatePost", {"input": PLAIN}, "createPost", wire.refused("InvalidInputError")),
    ("CreatePost", {"input": PLAIN}, "createPost", wire.refused("RestProxyError", code=1, link=None)),
    ("PostMetrics", {"id": ID}, "post", wire.measured(ID, [wire.metric("reactions", 3)], "2026-11-20T12:00:00Z")),
]


@pytest.mark.parametrize("name", wire.SCHEMAS)
@pytest.mark.parametrize(("operation", "variables", "root", "value"), REPLIES)
def test_the_canned_replies_are_of_the_schemas_shape(operation, variables, root, value, name):
    answer = execute_sync(wire.schema(name), parse(DOCUMENTS[operation]), {root: value}, variable_values=variables)
    assert answer.errors is None
    assert within(answer.data[root], value)
