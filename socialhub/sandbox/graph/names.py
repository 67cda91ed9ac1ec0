"""Names that Meta's own specifications declare (meta_names.json, from the public API specs of its SDK generator)."""

from __future__ import annotations

import json
from pathlib import Path

DECLARED = json.loads((Path(__file__).parent.parent / "meta_names.json").read_text("utf-8"))

# Every call may carry these.
EVERYWHERE = {"access_token", "appsecret_proof", "fields", "method", "format", "locale", "pretty", "debug"}
EVERYWHERE |= {"suppress_http_code", "return_ssl_resources"}

# Declared by SDK 26.0.3, later than the public specs.
LATER = {
    "IGUser POST media": {
        "audio_configuration",
        "branded_content_sponsor_ids",
        "cross_post_to_threads",
        "is_ai_generated",
        "is_comment_prompt_used",
        "is_paid_partnership",
        "is_poll_duration_extended",
        "poll_attachment",
        "show_ig_link",
        "title",
    },
    "Page POST photos": {"source"},  # the upload itself, a multipart file
}
# Fields that exist beside the declared ones: edges that may be expanded, and what the declared list leaves out.
MORE_FIELDS = {
    "Page": {"picture", "insights", "feed", "published_posts", "posts", "photos"},
    "PagePost": {"attachments", "comments", "reactions", "insights", "likes"},
    "Photo": {"insights", "comments"},
    "AdVideo": {"comments", "likes", "reactions", "video_insights"},
    "IGUser": {"media", "insights", "content_publishing_limit", "stories"},
    "IGMedia": {
        "children",
        "comments",
        "insights",
        "saved_count",
        "shares_count",
        "reposts_count",
        "total_like_count",
        "total_comments_count",
        "total_views_count",
    },
    "IGContainer": {"id", "status", "status_code", "copyright_check_status", "video_status"},
}
# Figures that the host of Instagram's own login does not have, and what only it has.
FACEBOOK_LOGIN_ONLY = {"saved_count", "shares_count", "reposts_count"}
FACEBOOK_LOGIN_ONLY |= {"total_like_count", "total_comments_count", "total_views_count"}
INSTAGRAM_LOGIN_ONLY = {"user_id", "account_type"}
GONE_PAGE_FIELDS = {"current_location", "genre", "network", "parking", "start_info"}


def _parameters() -> dict[str, frozenset[str]]:
    return {edge: frozenset(names) | EVERYWHERE | LATER.get(edge, set()) for edge, names in DECLARED["params"].items()}


def _fields() -> dict[str, frozenset[str]]:
    declared = {kind: frozenset(names) for kind, names in DECLARED["fields"].items()}
    for kind, more in MORE_FIELDS.items():
        declared[kind] = declared.get(kind, frozenset()) | more
    declared["Page"] -= GONE_PAGE_FIELDS
    return declared


PARAMETERS = _parameters()
FIELDS = _fields()
