"""What Buffer counts of posts, for all networks behind it alike: it renews that once a day and gives all of it at once.

Buffer says that a value can be 0 where the network did not report it, and promises no list of who reports what.

Buffer's smallest plan allows 3,000 calls in 30 days for all channels of a key, a hundred a day (API guide "API limits",
read June to October 2026). A channel costs two of them a day, itself and the list of its newest fifty posts with their
figures, one to look after its access, and one for each post at each of its marks.
"""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext_lazy as _

from socialhub.platforms.metrics.types import NetworkMetric, Subject

NETWORKS = ("x", "threads", "bluesky", "mastodon", "pinterest", "tiktok", "youtube", "google_business")

_SOURCE = "Buffer API guide “Metrics” and reference (PostMetricType), read June to October 2026"
_REMOVED = date(2026, 12, 1)  # the day that Buffer has named for the old types

_TYPES = (
    ("reactions", "likes", "count", _("Likes, favourites and all other reactions of the network."), "favorites"),
    ("comments", "comments", "count", _("Comments and replies."), "replies"),
    ("shares", "shares", "count", _("How often it was passed on, reposts left out."), ""),
    (
        "reposts",
        "shares",
        "count",
        _("Reposts, retweets and reblogs; added to the shares where there are both."),
        "retweets",
    ),
    ("saves", "saves", "count", _("Saves, bookmarks and Pins that were saved."), "repins"),
    ("clicks", "clicks", "count", _("Clicks on the post and its links."), "link_clicks"),
    ("views", "views", "count", _("How often it was seen or played."), ""),
    (
        "impressions",
        "impressions",
        "count",
        _("How often it was on a screen, at networks that do not count views."),
        "",
    ),
    ("reach", "reach", "count", _("Different people who saw it."), ""),
    ("follows", "follows", "count", _("Followers who came by the post."), ""),
    ("totalTimeWatched", "watch_seconds", "minutes", _("How long a video was watched by everybody together."), ""),
    ("viewers", "", "count", _("Different people who played a video."), ""),
    (
        "quotes",
        "",
        "count",
        _("Posts that quote it. Some networks count them among the reposts, others beside them."),
        "",
    ),
    ("likes", "", "count", _("The thumb of Facebook alone; all reactions together are what we show."), ""),
    ("engagementRate", "", "percent", _("Buffer's own rate; ours says what it is made of."), ""),
)
_OLD = (
    ("favorites", "likes"),
    ("replies", "comments"),
    ("retweets", "shares"),
    ("reblogs", "shares"),
    ("repins", "saves"),
    ("link_clicks", "clicks"),
    ("other", ""),
)

METRICS: tuple[NetworkMetric, ...] = (
    *(
        NetworkMetric(name, Subject.POST, _SOURCE, measure, meaning, unit, group="metrics", replaces=replaces)
        for name, measure, unit, meaning, replaces in _TYPES
    ),
    *(
        NetworkMetric(name, Subject.POST, _SOURCE, measure, group="metrics", until=_REMOVED, asked=False)
        for name, measure in _OLD
    ),
    NetworkMetric(
        "postCount",
        Subject.ACCOUNT,
        _SOURCE,
        "",
        _("Posts of a span, with the figures that all networks in it have; posts by themselves tell more."),
        periods=("span",),
        group="aggregatedPostMetrics",
        asked=False,
    ),
)
