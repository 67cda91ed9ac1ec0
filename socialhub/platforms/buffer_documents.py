"""The GraphQL documents that we send to Buffer: named operations, values as variables only.

Valid against Buffer's API reference of 2026-08-13 and, but for maxCharacters (since 2026-07-21), its schema of June 2026;
a test holds that.
"""

from __future__ import annotations

CHANNEL_CORE = """
fragment ChannelCore on Channel {
  id organizationId service serviceId type name displayName descriptor avatar externalLink timezone
  isDisconnected isLocked isQueuePaused allowedActions scopes
  metadata {
    __typename
    ... on PinterestMetadata { boards { id serviceId name url } }
    ... on MastodonMetadata { serverUrl maxCharacters }
    ... on BlueskyMetadata { serverUrl }
    ... on TwitterMetadata { subscriptionType }
  }
}
"""

POST_CORE = """
fragment PostCore on Post {
  id status via channelId channelService text createdAt updatedAt dueAt sentAt externalLink
  schedulingType shareMode sharedNow isCustomScheduled notificationStatus ideaId allowedActions
  error { message supportUrl }
  assets { id type mimeType source thumbnail }
  tags { id name }
}
"""

METRIC_CORE = "fragment MetricCore on PostMetric { type name value unit }\n"

POST_OUTCOME = """
fragment PostOutcome on PostActionPayload {
  __typename
  ... on PostActionSuccess { post { ...PostCore } }
  ... on RestProxyError { code link }
  ... on MutationError { message }
}
"""

ACCOUNT = """
query Account {
  account { id name email timezone organizations { id name channelCount limits { channels scheduledPosts } } }
}
"""

CHANNELS = (
    """
query Channels($organizationId: OrganizationId!) {
  channels(input: { organizationId: $organizationId }) { ...ChannelCore }
}
"""
    + CHANNEL_CORE
)

CHANNEL = (
    """
query Channel($id: ChannelId!) {
  channel(input: { id: $id }) { ...ChannelCore postingSchedule { day times paused } }
}
"""
    + CHANNEL_CORE
)

# The day's limit beside it costs no call of its own.
CHANNEL_TODAY = (
    """
query ChannelToday($id: ChannelId!, $limits: DailyPostingLimitsInput!) {
  channel(input: { id: $id }) { ...ChannelCore }
  dailyPostingLimits(input: $limits) { channelId limit scheduled sent isAtLimit }
}
"""
    + CHANNEL_CORE
)

CREATE_POST = (
    """
mutation CreatePost($input: CreatePostInput!) { createPost(input: $input) { ...PostOutcome } }
"""
    + POST_OUTCOME
    + POST_CORE
)

EDIT_POST = (
    """
mutation EditPost($input: EditPostInput!) { editPost(input: $input) { ...PostOutcome } }
"""
    + POST_OUTCOME
    + POST_CORE
)

DELETE_POST = """
mutation DeletePost($id: PostId!) {
  deletePost(input: { id: $id }) { __typename ... on DeletePostSuccess { id } ... on MutationError { message } }
}
"""

POST = (
    """
query Post($id: PostId!) { post(input: { id: $id }) { ...PostCore } }
"""
    + POST_CORE
)

POSTS = (
    """
query Posts($input: PostsInput!, $first: Int!, $after: String) {
  posts(input: $input, first: $first, after: $after) {
    edges { cursor node { ...PostCore } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + POST_CORE
)

POST_METRICS = (
    """
query PostMetrics($id: PostId!) {
  post(input: { id: $id }) { id status sentAt externalLink metricsUpdatedAt metrics { ...MetricCore } }
}
"""
    + METRIC_CORE
)

POSTS_WITH_METRICS = (
    """
query PostsWithMetrics($input: PostsInput!, $first: Int!, $after: String) {
  posts(input: $input, first: $first, after: $after) {
    edges { node { ...PostCore metricsUpdatedAt metrics { ...MetricCore } } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + POST_CORE
    + METRIC_CORE
)

AGGREGATED_METRICS = (
    """
query AggregatedMetrics($input: AggregatedPostMetricsInput!) {
  aggregatedPostMetrics(input: $input) { metricsUpdatedAt metrics { ...MetricCore } }
}
"""
    + METRIC_CORE
)

DAILY_LIMITS = """
query DailyLimits($input: DailyPostingLimitsInput!) {
  dailyPostingLimits(input: $input) { channelId limit scheduled sent isAtLimit }
}
"""

CREATE_IDEA = """
mutation CreateIdea($input: CreateIdeaInput!) {
  createIdea(input: $input) {
    __typename
    ... on Idea { id }
    ... on IdeaResponse { idea { id } refreshIdeas }
    ... on MutationError { message }
  }
}
"""

SERVICE_VALUES = """
query ServiceValues { __type(name: "Service") { enumValues(includeDeprecated: true) { name } } }
"""

# Every document by the name of its operation.
DOCUMENTS: dict[str, str] = {
    "Account": ACCOUNT,
    "Channels": CHANNELS,
    "Channel": CHANNEL,
    "ChannelToday": CHANNEL_TODAY,
    "CreatePost": CREATE_POST,
    "EditPost": EDIT_POST,
    "DeletePost": DELETE_POST,
    "Post": POST,
    "Posts": POSTS,
    "PostMetrics": POST_METRICS,
    "PostsWithMetrics": POSTS_WITH_METRICS,
    "AggregatedMetrics": AGGREGATED_METRICS,
    "DailyLimits": DAILY_LIMITS,
    "CreateIdea": CREATE_IDEA,
    "ServiceValues": SERVICE_VALUES,
}
