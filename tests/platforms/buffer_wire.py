"""A canned Buffer for the client tests: samples as the schema has them, and a check of everything that was sent."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import responses
from graphql import GraphQLSchema, build_schema, extend_schema, parse, validate
from graphql.execution.values import get_variable_values

from socialhub.platforms.base import Content, MediaItem, MediaKind, VideoFacts

API = "https://api.buffer.com"
AUTH = "https://auth.buffer.com"
TOKEN = "buffer-access-token-0123456789"
SECRET = "buffer-client-secret-of-the-tests"
CHANNEL_ID = "65f0c0ffee0000000000c001"
ORGANIZATION_ID = "65f0c0ffee0000000000a001"
POST_ID = "65f0c0ffee0000000000d001"

DATA = Path(__file__).parent.parent / "data" / "buffer"
SCHEMAS = ("buffer-schema.graphql", "buffer-schema-2026-08.graphql")


# What we use and Buffer has added since June: maxCharacters came on 2026-07-21.
SINCE = {SCHEMAS[0]: "extend type MastodonMetadata { maxCharacters: Int! }"}


@cache
def schema(name: str) -> GraphQLSchema:
    found = build_schema((DATA / name).read_text())
    return extend_schema(found, parse(SINCE[name])) if name in SINCE else found


def faults(body: dict[str, Any], name: str) -> list[str]:
    """What a schema has against a request: its document or its variables."""
    document = parse(body["query"])
    found = [error.message for error in validate(schema(name), document)]
    operations = [node for node in document.definitions if getattr(node, "operation", None)]
    if [node.name.value for node in operations if node.name] != [body["operationName"]]:
        found.append("the operation is not named as it should be")
    values = get_variable_values(schema(name), operations[0].variable_definitions or (), body["variables"])
    if isinstance(values, list):
        found += [error.message for error in values]
    return found


def sent(call: responses.Call) -> dict[str, Any]:
    """The GraphQL body of a recorded request."""
    return json.loads(call.request.body)


class Buffer(responses.RequestsMock):
    """Answers in the order they are registered; at the end everything that was sent must fit both schemas."""

    def __exit__(self, *failure: Any) -> bool | None:
        if failure[0] is None:
            for call in self.calls:
                if call.request.url.startswith(API):
                    for name in SCHEMAS:
                        assert faults(sent(call), name) == [], name
        return super().__exit__(*failure)

    def answers(self, root: str, *values: Any, **more: Any) -> None:
        """Let the next calls answer with these values of the root field, one after another."""
        for value in values:
            self.post(API, json={"data": {root: value}}, **more)

    def tells(self, fields: dict[str, Any], **more: Any) -> None:
        """Answer with several root fields, or with errors beside them."""
        self.post(API, json={"data": fields, **more})

    def fails(self, code: str | None = None, status: int = 200, message: str = "Something", **more: Any) -> None:
        extensions = {"extensions": {"code": code, **more.pop("extensions", {})}} if code else {}
        path = {"path": more.pop("path")} if "path" in more else {}
        body = {"errors": [{"message": message, **extensions, **path}], "data": more.pop("data", None)}
        self.post(API, json=body, status=status, **more)

    def variables(self, number: int = -1) -> dict[str, Any]:
        return sent(self.calls[number])["variables"]

    def operations(self) -> list[str]:
        return [sent(call)["operationName"] for call in self.calls if call.request.url.startswith(API)]


def chosen(content: Content, choices: dict[str, str]) -> Content:
    """The content with choices for its network."""
    return replace(content, choices=choices)


def channel(service: str = "twitter", **more: Any) -> dict[str, Any]:
    return {
        "id": CHANNEL_ID,
        "organizationId": ORGANIZATION_ID,
        "service": service,
        "serviceId": "1234567",
        "type": "profile",
        "name": "@camaro_club",
        "displayName": "Camaro Club",
        "descriptor": "Twitter Profile",
        "avatar": "https://images.example/camaro.jpg",
        "externalLink": "https://x.com/camaro_club",
        "timezone": "Europe/London",
        "isDisconnected": False,
        "isLocked": False,
        "isQueuePaused": False,
        "allowedActions": ["viewChannel"],
        "scopes": [],
        "metadata": None,
        "postingSchedule": [{"day": "mon", "times": ["09:00"], "paused": False}],
        **more,
    }


def post(status: str = "sending", **more: Any) -> dict[str, Any]:
    return {
        "id": POST_ID,
        "status": status,
        "via": "api",
        "channelId": CHANNEL_ID,
        "channelService": "twitter",
        "text": "1969 Camaro",
        "createdAt": "2026-11-20T11:59:30.000Z",
        "updatedAt": "2026-11-20T11:59:31.000Z",
        "dueAt": None,
        "sentAt": None,
        "externalLink": None,
        "schedulingType": "automatic",
        "shareMode": "shareNow",
        "sharedNow": True,
        "isCustomScheduled": False,
        "notificationStatus": None,
        "ideaId": None,
        "allowedActions": ["viewPost"],
        "error": None,
        "assets": [],
        "tags": [],
        **more,
    }


def taken(**more: Any) -> dict[str, Any]:
    return {"__typename": "PostActionSuccess", "post": post(**more)}


def refused(typename: str, message: str = "No", **more: Any) -> dict[str, Any]:
    return {"__typename": typename, "message": message, **more}


def page(*nodes: dict[str, Any], after: str | None = None) -> dict[str, Any]:
    """A page of `posts`; after: the cursor of the next one, None at the end."""
    return {
        "edges": [{"cursor": f"c{number}", "node": node} for number, node in enumerate(nodes)],
        "pageInfo": {"hasNextPage": after is not None, "endCursor": after},
    }


def image_asset(kind: str = "image", **more: Any) -> dict[str, Any]:
    """An asset as Buffer lists it, by default with a copy of its own."""
    return {
        "__typename": {"image": "ImageAsset", "video": "VideoAsset"}[kind],
        "id": "a1",
        "type": kind,
        "mimeType": f"{kind}/any",
        "source": "https://buffer-media.example/1.jpg",
        "thumbnail": "https://buffer-media.example/1-small.jpg",
        **more,
    }


def day(**more: Any) -> dict[str, Any]:
    """What dailyPostingLimits says of the channel."""
    return {"channelId": CHANNEL_ID, "limit": 25, "scheduled": 0, "sent": 3, "isAtLimit": False, **more}


def film(position: int = 1, **more: Any) -> MediaItem:
    """A video of ten seconds, upright."""
    facts = VideoFacts(seconds=10, fps=30, codec="h264", audio_codec="aac", audio_rate=48_000, audio_channels=2)
    values = {"width": 1080, "height": 1920, "size_bytes": 2_000_000, "kind": MediaKind.VIDEO, "video": facts, **more}
    return MediaItem(
        position, f"https://media.example/m/signature{position}/film-{position}.mp4", "video/mp4", **values
    )


def metric(kind: str, value: float, unit: str = "count") -> dict[str, Any]:
    return {"type": kind, "name": kind.title(), "value": value, "unit": unit}


def measured(post_id: str, metrics: list[dict[str, Any]] | None, updated_at: str | None) -> dict[str, Any]:
    return {
        "id": post_id,
        "status": "sent",
        "channelId": CHANNEL_ID,
        "channelService": "twitter",
        "sentAt": "2026-11-18T09:00:00Z",
        "externalLink": None,
        "metricsUpdatedAt": updated_at,
        "metrics": metrics,
    }
