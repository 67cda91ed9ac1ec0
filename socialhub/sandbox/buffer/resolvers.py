"""Who answers the fields of the schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from ..figures import Made, PostFigures, post_figures
from ..metrics import living
from ..seeds import generator
from ..state import Fault, State
from .posts import RefusedError, advance, asked_again, check_channel, counts_of_day, draft_of, iso, posts_of
from .rows import Account, Channel, Organization, Post, Token
from .world import LABELS, MASTODON_CHARACTERS, channels_of, organizations_of

DAY = 86_400
FIRST_METRICS_SECONDS = 60  # then once a day, at a moment of the channel's own
LONGEST_PAGE = 100
METADATA_TYPES = {
    "twitter": "TwitterMetadata",
    "pinterest": "PinterestMetadata",
    "tiktok": "TiktokMetadata",
    "youtube": "YoutubeMetadata",
    "mastodon": "MastodonMetadata",
    "bluesky": "BlueskyMetadata",
    "googlebusiness": "GoogleBusinessMetadata",
}
# Type: name, and what it is of the figures. Which of them a network reports.
METRICS: dict[str, Callable[[PostFigures], float]] = {
    "reactions": lambda figures: figures.likes,
    "comments": lambda figures: figures.comments,
    "reposts": lambda figures: figures.shares,
    "shares": lambda figures: figures.shares,
    "impressions": lambda figures: figures.views,
    "views": lambda figures: figures.views,
    "reach": lambda figures: figures.reach,
    "clicks": lambda figures: figures.clicks,
    "saves": lambda figures: figures.saves,
    "engagementRate": lambda figures: round(100 * figures.interactions / figures.views, 2) if figures.views else 0,
}
REPORTED = {
    "twitter": ["reactions", "comments", "reposts", "impressions", "clicks", "engagementRate"],
    "pinterest": ["impressions", "saves", "clicks", "engagementRate"],
    "tiktok": ["reactions", "comments", "shares", "views"],
    "youtube": ["reactions", "comments", "views"],
    "threads": ["reactions", "comments", "reposts", "views"],
    "bluesky": ["reactions", "comments", "reposts"],
    "mastodon": ["reactions", "comments", "reposts"],
    "googlebusiness": ["views", "clicks"],
}


@dataclass
class Context:
    """Who asks, and what strikes them."""

    state: State
    token: Token
    base_url: str
    struck: list[Fault]

    def need(self, scope: str) -> None:
        """Personal keys may do everything. Raises GraphQLError."""
        if self.token.kind != "key" and scope not in self.token.scopes:
            raise coded("FORBIDDEN", f"This operation needs the scope {scope}.")


def coded(code: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code})


def fault(context: Context, kind: str) -> Fault | None:
    return next((one for one in context.struck if one.kind == kind), None)


# Queries


def account(info: Any) -> dict[str, Any]:
    context: Context = info.context
    context.need("account:read")
    found = context.state.buffer_accounts[context.token.account_id]
    return {
        "id": found.id,
        "email": found.email,
        "name": found.name,
        "avatar": f"{context.base_url}/media/portraits/{found.id}.png",
        "timezone": found.timezone,
        "createdAt": iso(found.created_at),
        "organizations": lambda info, filter=None: organizations(context, found, filter),
    }


def organizations(context: Context, account: Account, wanted: dict[str, str] | None) -> list[dict[str, Any]]:
    rows = organizations_of(context.state, account.id)
    if wanted:
        rows = [one for one in rows if one.id == wanted["organizationId"]]
    return [organization_facts(context.state, account, one) for one in rows]


def organization_facts(state: State, account: Account, organization: Organization) -> dict[str, Any]:
    is_free = organization.plan == "free"
    limits = dict.fromkeys(
        ("members", "scheduledThreadsPerChannel", "scheduledStoriesPerChannel", "generateContent", "tags"), 100
    )
    limits.update(dict.fromkeys(("ideas", "ideaGroups", "savedReplies"), 100))
    limits.update(channels=3 if is_free else 100, scheduledPosts=10 if is_free else 5_000)
    return {
        "id": organization.id,
        "name": organization.name,
        "ownerEmail": account.email,
        "channelCount": len(channels_of(state, organization.id)),
        "limits": limits,
        "members": {"totalCount": 1},
    }


def own_organization(context: Context, organization_id: str) -> Organization:
    """Raises GraphQLError."""
    found = context.state.buffer_organizations.get(organization_id)
    if found is None or found.account_id != context.token.account_id:
        raise coded("FORBIDDEN", "You have no access to this organization.")
    return found


def own_channel(context: Context, channel_id: str) -> Channel:
    """Raises GraphQLError."""
    found = context.state.buffer_channels.get(channel_id)
    if found is None:
        raise coded("NOT_FOUND", "Channel not found.")
    own_organization(context, found.organization_id)
    return found


def channels(info: Any, input: dict[str, Any]) -> list[dict[str, Any]]:
    context: Context = info.context
    context.need("account:read")
    organization = own_organization(context, input["organizationId"])
    rows = channels_of(context.state, organization.id)
    wanted = (input.get("filter") or {}).get("isLocked")
    if wanted is not None:
        rows = [one for one in rows if one.is_locked == wanted]
    return [channel_facts(context, one) for one in rows]


def channel(info: Any, input: dict[str, Any]) -> dict[str, Any]:
    context: Context = info.context
    context.need("account:read")
    return channel_facts(context, own_channel(context, input["id"]))


def channel_facts(context: Context, channel: Channel) -> dict[str, Any]:
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return {
        "id": channel.id,
        "organizationId": channel.organization_id,
        "service": channel.service,
        "serviceId": channel.service_id,
        "type": channel.type,
        "name": channel.name,
        "displayName": channel.display_name or None,
        "descriptor": f"{LABELS[channel.service]} {channel.type.capitalize()}",
        "avatar": f"{context.base_url}/media/portraits/{channel.id}.png",
        "externalLink": f"{context.base_url}/feeds/buffer/{channel.id}/",
        "timezone": "Europe/London",
        "isDisconnected": channel.is_disconnected,
        "isLocked": channel.is_locked,
        "isQueuePaused": channel.is_queue_paused,
        "isNew": False,
        "allowedActions": ["viewChannel", "viewInsights", "managePostingSchedule", "reconnectChannel", "removeChannel"],
        "scopes": [],
        "createdAt": iso(channel.created_at),
        "updatedAt": iso(channel.created_at),
        "postingSchedule": [{"day": day, "times": ["09:00", "17:30"], "paused": False} for day in days],
        "products": ["publish", "analyze"],
        "hasActiveMemberDevice": False,
        "showTrendingTopicSuggestions": False,
        "linkShortening": {"isEnabled": False, "config": None},
        "metadata": channel_metadata(channel),
    }


def channel_metadata(channel: Channel) -> dict[str, Any] | None:
    typename = METADATA_TYPES.get(channel.service)
    if typename is None:
        return None
    facts: dict[str, Any] = {"__typename": typename, "defaultToReminders": False, "locationData": None}
    facts.update(
        boards=channel.boards,
        serverUrl=channel.server_url,
        subscriptionType=channel.subscription_type or None,
        maxCharacters=channel.max_characters or MASTODON_CHARACTERS,
    )
    return facts


def daily_posting_limits(info: Any, input: dict[str, Any]) -> list[dict[str, Any]]:
    context: Context = info.context
    context.need("posts:read")
    rows = [own_channel(context, channel_id) for channel_id in input["channelIds"]]
    if len({row.organization_id for row in rows}) > 1:
        raise coded("FORBIDDEN", "All channels must be of one organization.")
    limits = []
    for row in rows:
        sent, scheduled = counts_of_day(posts_of(context.state, row.id), input.get("date") or context.state.now())
        limit = row.daily_limit
        is_at_limit = limit is not None and sent + scheduled >= limit
        limits.append(
            {"channelId": row.id, "limit": limit, "sent": sent, "scheduled": scheduled, "isAtLimit": is_at_limit}
        )
    return limits


def own_post(context: Context, post_id: str) -> Post:
    """Raises GraphQLError."""
    found = context.state.buffer_posts.get(post_id)
    if (
        found is None
        or context.state.buffer_organizations[found.organization_id].account_id != context.token.account_id
    ):
        raise coded("NOT_FOUND", "Post not found.")
    return advance(context.state, found)


def post(info: Any, input: dict[str, Any]) -> dict[str, Any]:
    context: Context = info.context
    context.need("posts:read")
    return post_facts(context, own_post(context, input["id"]))


def posts(
    info: Any,
    input: dict[str, Any],
    first: int | None = None,
    after: str | None = None,
) -> dict[str, Any]:
    context: Context = info.context
    context.need("posts:read")
    organization = own_organization(context, input["organizationId"])
    wanted = input.get("filter") or {}
    ids = wanted.get("channelIds")
    rows = [
        row
        for one in channels_of(context.state, organization.id)
        if ids is None or one.id in ids
        for row in posts_of(context.state, one.id)
        if matches(row, wanted)
    ]
    for order in reversed(input.get("sort") or [{"field": "createdAt", "direction": "desc"}]):
        name = {"createdAt": "created_at", "dueAt": "due_at"}[order["field"]]
        rows.sort(key=lambda row: getattr(row, name) or 0.0, reverse=order["direction"] == "desc")
    begin = 0
    if after:
        position = next((number for number, row in enumerate(rows) if cursor_of(row) == after), None)
        if position is None:
            raise GraphQLError("Invalid cursor")
        begin = position + 1
    size = 20 if first is None else first
    if not 0 < size <= LONGEST_PAGE:
        raise GraphQLError(f"first must be between 1 and {LONGEST_PAGE}")
    shown = rows[begin : begin + size]
    return {
        "edges": [{"cursor": cursor_of(row), "node": post_facts(context, row)} for row in shown] or None,
        "pageInfo": {
            "startCursor": cursor_of(shown[0]) if shown else None,
            "endCursor": cursor_of(shown[-1]) if shown else None,
            "hasPreviousPage": begin > 0,
            "hasNextPage": begin + size < len(rows),
        },
    }


def cursor_of(post: Post) -> str:
    return f"c{post.id[::-1]}"


def matches(post: Post, wanted: dict[str, Any]) -> bool:
    statuses = wanted.get("status")
    if statuses is not None and post.status not in statuses:
        return False
    for name, moment in (("createdAt", post.created_at), ("dueAt", post.due_at)):
        span = wanted.get(name) or {}
        start, end = span.get("start"), span.get("end")
        if start is not None and (moment is None or moment < start):
            return False
        if end is not None and (moment is None or moment > end):
            return False
    tags = wanted.get("tags")
    return (
        tags is None or bool(set(tags["in"]) & set(post.tag_ids)) or (tags.get("isEmpty", False) and not post.tag_ids)
    )


def post_facts(context: Context, post: Post) -> dict[str, Any]:
    found = context.state.buffer_channels[post.channel_id]
    can_change = post.status in ("draft", "scheduled", "error")
    return {
        "id": post.id,
        "status": post.status,
        "via": "api",
        "schedulingType": post.scheduling,
        "shareMode": post.mode,
        "sharedNow": post.mode == "shareNow",
        "isCustomScheduled": post.mode == "customScheduled",
        "notificationStatus": None,
        "author": None,
        "ideaId": None,
        "text": post.text,
        "createdAt": iso(post.created_at),
        "updatedAt": iso(post.updated_at),
        "dueAt": iso(post.due_at),
        "sentAt": iso(post.sent_at),
        "externalLink": post.link if post.status == "sent" and post.has_link else None,
        "channelId": post.channel_id,
        "channelService": found.service,
        "channel": lambda info: channel_facts(context, found),
        "error": {"message": post.error, "supportUrl": None, "rawError": None} if post.error else None,
        "assets": [asset_facts(context, post, number, asset) for number, asset in enumerate(post.assets)],
        "tags": [],
        "notes": [],
        "metadata": None,
        "metrics": lambda info: metrics(context, post),
        "metricsUpdatedAt": lambda info: iso(metrics_moment(context, post)),
        "allowedActions": [
            "viewPost",
            "copyPostLink",
            *(["updatePost", "deletePost"] if can_change else ["deletePost"]),
        ],
    }


def asset_facts(context: Context, post: Post, number: int, asset: dict[str, Any]) -> dict[str, Any]:
    """Buffer's own copy of an image; of anything else the address that was given."""
    kind = asset["kind"] if asset["kind"] in ("image", "video", "document") else "image"
    copy = asset.get("file") if kind == "image" else asset.get("poster")
    thumbnail = f"{context.base_url}/media/files/{copy}" if copy else asset["url"]
    facts: dict[str, Any] = {
        "__typename": {"image": "ImageAsset", "video": "VideoAsset", "document": "DocumentAsset"}[kind],
        "id": f"{post.id}-{number}",
        "type": kind,
        "mimeType": asset.get("mime_type", ""),
        "source": thumbnail if kind == "image" else asset["url"],
        "thumbnail": thumbnail,
    }
    size = {"width": asset.get("width", 0), "height": asset.get("height", 0)}
    if kind == "image":
        facts["image"] = {**size, "altText": asset["alt_text"], "isAnimated": False}
    elif kind == "video":
        facts["video"] = {
            **size,
            "durationMs": round(asset["seconds"] * 1000),
            "containerFormat": "mp4",
            "videoCodec": asset["codec"],
            "frameRate": round(asset["rate"]),
            "audioCodec": asset["audio_codec"] or None,
            "rotationDegree": 0,
            "isTranscodingRequired": False,
            "isVideoProcessing": post.status == "sending",
        }
    return facts


# Figures


def metrics_moment(context: Context, post: Post) -> float | None:
    """When the figures were last read from the network."""
    if post.sent_at is None:
        return None
    now, first = context.state.now(), post.sent_at + FIRST_METRICS_SECONDS
    if now < first:
        return None
    return max(first, now - (now - generator("refresh", post.channel_id).randrange(DAY)) % DAY)


def metrics(context: Context, post: Post) -> list[dict[str, Any]] | None:
    may_read_metrics(context)
    moment = metrics_moment(context, post)
    if moment is None or post.sent_at is None:
        return None
    found = context.state.buffer_channels[post.channel_id]
    figures = post_figures(found, Made(post.id, post.sent_at), moment)
    names = REPORTED.get(found.service, ["reactions", "comments"])
    told = living(context.state, names, found.id)
    return [metric(name, METRICS[name](figures)) for name in names if name in told]


def may_read_metrics(context: Context) -> None:
    if context.token.kind == "key":
        return
    app = context.state.buffer_apps["app"]
    if not app.metrics_over_oauth or "insights:read" not in context.token.scopes:
        raise coded("FORBIDDEN", "Metrics are available with a personal API key only.")


def metric(name: str, value: float) -> dict[str, Any]:
    return {
        "type": name,
        "name": name.capitalize(),
        "description": "",
        "value": float(value),
        "unit": "percentage" if name == "engagementRate" else "count",
    }


def aggregated_metrics(info: Any, input: dict[str, Any]) -> dict[str, Any]:
    """The three that are always there, and of the others those that every network in it has."""
    context: Context = info.context
    context.need("posts:read")
    may_read_metrics(context)
    organization = own_organization(context, input["organizationId"])
    since, until = input["startDateTime"], input["endDateTime"]
    if not since <= until <= since + 365 * DAY:
        raise GraphQLError("The date range is limited to 365 days.")
    ids = input.get("channelIds")
    rows = [one for one in channels_of(context.state, organization.id) if ids is None or one.id in ids]
    found = [
        post
        for one in rows
        for post in posts_of(context.state, one.id)
        if post.sent_at is not None and since <= post.sent_at < until + DAY
    ]
    sums: dict[str, float] = {"postCount": float(len(found)), "reactions": 0.0, "comments": 0.0}
    services = [set(REPORTED.get(one.service, [])) for one in rows]
    common = set.intersection(*services) - {"engagementRate"} if services else set()
    sums.update(dict.fromkeys(sorted(common), 0.0))
    for post in found:
        for row in metrics(context, post) or []:
            if row["type"] in sums:
                sums[row["type"]] += row["value"]
    newest = max((metrics_moment(context, post) or 0 for post in found), default=None)
    return {"metrics": [metric(name, value) for name, value in sums.items()], "metricsUpdatedAt": iso(newest)}


# Mutations


def refused(error: RefusedError) -> dict[str, Any]:
    facts: dict[str, Any] = {"__typename": error.typename, "message": str(error)}
    if error.typename == "RestProxyError":
        facts.update(link=None, code=500)
    return facts


def struck_by(context: Context) -> None:
    """Faults that show as typed errors. Raises RefusedError."""
    if found := fault(context, "typed_error"):
        raise RefusedError(found.detail or "InvalidInputError", "The switch board refuses this post.")
    if fault(context, "rejected_image"):
        raise RefusedError("InvalidInputError", "The image dimensions could not be read.")
    if fault(context, "duplicate"):
        raise RefusedError("InvalidInputError", "It looks like you have already posted that one recently.")


def create_post(info: Any, input: dict[str, Any]) -> dict[str, Any]:
    context: Context = info.context
    context.need("posts:write")
    state = context.state
    try:
        struck_by(context)
        found = state.buffer_channels.get(input["channelId"])
        if found is None:
            raise RefusedError("NotFoundError", "The channel does not exist.")
        if state.buffer_organizations[found.organization_id].account_id != context.token.account_id:
            raise RefusedError("UnauthorizedError", "You may not post to this channel.")
        with state.lock:
            check_channel(state, found, is_draft=bool(input.get("saveToDraft")))
        # Addresses are fetched outside the lock: they may be served by whoever waits for this answer.
        draft = draft_of(state, found, context.token.account_id, input, context.base_url)
        with state.lock:
            check_channel(state, found, is_draft=bool(input.get("saveToDraft")))
            if failing := fault(context, "publish_error"):
                draft.fails_with = failing.detail or "The network did not take this post."
            draft.has_link = fault(context, "no_link") is None
            state.add(draft)
            return {"__typename": "PostActionSuccess", "post": post_facts(context, draft)}
    except RefusedError as error:
        return refused(error)


def edit_post(info: Any, input: dict[str, Any]) -> dict[str, Any]:
    """What is left out stays as it is; an empty list of assets clears it."""
    context: Context = info.context
    context.need("posts:write")
    state = context.state
    try:
        struck_by(context)
        post = state.buffer_posts.get(input["id"])
        if post is None or state.buffer_organizations[post.organization_id].account_id != context.token.account_id:
            raise RefusedError("NotFoundError", "The post does not exist.")
        if advance(state, post).status not in ("draft", "scheduled", "error"):
            raise RefusedError("InvalidInputError", "This post can no longer be edited.")
        kept = [asked_again(one) for one in post.assets]
        values = {"text": post.text, "metadata": post.metadata, "assets": kept, **input}
        draft = draft_of(state, state.buffer_channels[post.channel_id], post.account_id, values, context.base_url)
        with state.lock:
            for name in (
                "text",
                "status",
                "mode",
                "scheduling",
                "updated_at",
                "begins_at",
                "due_at",
                "assets",
                "metadata",
                "fails_with",
            ):
                setattr(post, name, getattr(draft, name))
            post.error = ""
            state.changed()
            return {"__typename": "PostActionSuccess", "post": post_facts(context, post)}
    except RefusedError as error:
        return refused(error)


def delete_post(info: Any, input: dict[str, Any]) -> dict[str, Any]:
    """It leaves Buffer; what has gone out stays where it is."""
    context: Context = info.context
    context.need("posts:write")
    state = context.state
    with state.lock:
        post = state.buffer_posts.get(input["id"])
        if post is None or state.buffer_organizations[post.organization_id].account_id != context.token.account_id:
            return {"__typename": "VoidMutationError", "message": "The post does not exist."}
        del state.buffer_posts[post.id]
        state.buffer_posts_of[post.channel_id].remove(post.id)
        state.changed()
    return {"__typename": "DeletePostSuccess", "id": post.id}


def create_idea(info: Any, input: dict[str, Any]) -> dict[str, Any]:
    context: Context = info.context
    context.need("ideas:write")
    own_organization(context, input["organizationId"])
    now = int(context.state.now())
    content = input["content"]
    facts = {
        "title": content.get("title"),
        "text": content.get("text"),
        "tags": [],
        "media": [],
        "aiAssisted": bool(content.get("aiAssisted")),
        "services": content.get("services") or [],
    }
    return {
        "__typename": "Idea",
        "id": f"{context.state.new_number():024x}",
        "organizationId": input["organizationId"],
        "content": facts,
        "createdAt": now,
        "updatedAt": now,
    }


QUERIES = {
    "account": account,
    "channel": channel,
    "channels": channels,
    "dailyPostingLimits": daily_posting_limits,
    "post": post,
    "posts": posts,
    "aggregatedPostMetrics": aggregated_metrics,
}
MUTATIONS = {"createPost": create_post, "editPost": edit_post, "deletePost": delete_post, "createIdea": create_idea}
